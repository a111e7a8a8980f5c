/* Standardness: what is relayed and mined by default, beyond what is valid. Functions of a transaction and the outputs
 * that it spends; no pool in sight. Reject reasons and their details are Bitcoin Core's. */
#ifndef CAIRN_POLICY_STANDARD_H
#define CAIRN_POLICY_STANDARD_H

#include "consensus/verdict.h"
#include "policy/fee_rate.h"
#include "primitives/tx.h"
#include "script/verify.h"

enum {
    STANDARD_VERSION_MIN = 1,
    STANDARD_VERSION_MAX = 3,
    STANDARD_TX_WEIGHT = 400000,
    STANDARD_TX_BASE_SIZE_MIN = 65, /* a 64-byte transaction can pose as an inner node of a merkle tree */
    STANDARD_SCRIPT_SIG = 1650,
    STANDARD_P2SH_SIGOPS = 15,
    STANDARD_LEGACY_SIGOPS = 2500, /* of one transaction (BIP54) */
    STANDARD_SIGOP_COST = 16000,   /* a fifth of a block's */
    STANDARD_P2WSH_ITEMS = 100,
    STANDARD_P2WSH_ITEM = 80,
    STANDARD_P2WSH_SCRIPT = 3600,
    STANDARD_TAPSCRIPT_ITEM = 80,
    STANDARD_DUST_OUTPUTS = 1, /* more are never ephemeral */
    DATA_CARRIER_DEFAULT = STANDARD_TX_WEIGHT / 4,
    BYTES_PER_SIGOP_DEFAULT = 20,
    MIN_RELAY_FEE_DEFAULT = 100, /* satoshis per 1000 virtual bytes */
    INCREMENTAL_FEE_DEFAULT = 100,
    DUST_FEE_DEFAULT = 3000,
};

/* Script flags of a transaction that is to be relayed, and those among them whose failure is one of consensus. */
enum {
    MANDATORY_SCRIPT_FLAGS = SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_DERSIG | SCRIPT_VERIFY_NULLDUMMY |
                             SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY | SCRIPT_VERIFY_CHECKSEQUENCEVERIFY |
                             SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_TAPROOT,
    STANDARD_SCRIPT_FLAGS = SCRIPT_VERIFY_ALL & ~SCRIPT_VERIFY_SIGPUSHONLY,
};

struct standard_rules {
    struct fee_rate dust;        /* -dustrelayfee */
    uint64_t data_carrier_bytes; /* of all OP_RETURN outputs; 0 with -datacarrier=0 */
    bool bare_multisig;          /* -permitbaremultisig */
    unsigned bytes_per_sigop;    /* -bytespersigop */
};

/* Core's defaults. */
struct standard_rules standard_rules_default(void);

/* The transaction by itself. Reasons: version tx-size scriptsig-size scriptsig-not-pushonly scriptpubkey datacarrier
 * bare-multisig dust. */
MUST_USE bool standard_tx(const struct tx *tx, const struct standard_rules *rules, struct verdict *v);

/* Its inputs against SPENT (in_count outputs, in their order); after standard_tx passed. "bad-txns-nonstandard-inputs".
 */
MUST_USE bool standard_inputs(const struct tx *tx, const struct tx_out *spent, struct verdict *v);

/* No witness is larger than its program needs. */
MUST_USE bool standard_witness(const struct tx *tx, const struct tx_out *spent);

/* Spends a witness program other than an anchor: only such a transaction can fail for a witness that was stripped off.
 */
bool spends_witness_program(const struct tx *tx, const struct tx_out *spent);

/* Below this value an output costs more to spend than it is worth; 0 for what can never be spent. */
amount_sat dust_threshold(const struct tx_out *out, struct fee_rate dust);

/* How many outputs are dust; the first of them in *FIRST (may be NULL). */
size_t count_dust(const struct tx *tx, struct fee_rate dust, size_t *first);

/* Weight and virtual size in which each sigop counts as so many bytes at least. */
uint64_t sigop_adjusted_weight(uint64_t weight, uint64_t sigop_cost, unsigned bytes_per_sigop);
uint64_t policy_vsize(uint64_t weight, uint64_t sigop_cost, unsigned bytes_per_sigop);

#endif
