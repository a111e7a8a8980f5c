/* Script verification: does this input have the right to spend that output?
 *
 * A `struct script_tx` is made once a transaction: it holds the transaction, the outputs that its inputs spend, and the
 * signature-hash midstates (BIP143, BIP341) that all its inputs share. After script_tx_init it is only read, so that
 * several threads may verify different inputs of it at once. */
#ifndef CAIRN_SCRIPT_VERIFY_H
#define CAIRN_SCRIPT_VERIFY_H

#include "primitives/tx.h"
#include "script/script_error.h"

/* Verification flags, one bit each. The consensus ones are P2SH to TAPROOT as named; the rest are policy. */
enum script_flag {
    SCRIPT_VERIFY_NONE = 0,
    SCRIPT_VERIFY_P2SH = 1 << 0,        /* BIP16 */
    SCRIPT_VERIFY_STRICTENC = 1 << 1,   /* BIP62 hash types and public keys */
    SCRIPT_VERIFY_DERSIG = 1 << 2,      /* BIP66 */
    SCRIPT_VERIFY_LOW_S = 1 << 3,       /* BIP62 rule 5 */
    SCRIPT_VERIFY_NULLDUMMY = 1 << 4,   /* BIP147 */
    SCRIPT_VERIFY_SIGPUSHONLY = 1 << 5, /* BIP62 rule 2 */
    SCRIPT_VERIFY_MINIMALDATA = 1 << 6, /* BIP62 rules 3 and 4 */
    SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_NOPS = 1 << 7,
    SCRIPT_VERIFY_CLEANSTACK = 1 << 8,           /* BIP62 rule 6; needs P2SH and WITNESS */
    SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY = 1 << 9,  /* BIP65 */
    SCRIPT_VERIFY_CHECKSEQUENCEVERIFY = 1 << 10, /* BIP112 */
    SCRIPT_VERIFY_WITNESS = 1 << 11,             /* BIP141, 143 */
    SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM = 1 << 12,
    SCRIPT_VERIFY_MINIMALIF = 1 << 13,
    SCRIPT_VERIFY_NULLFAIL = 1 << 14, /* BIP146 */
    SCRIPT_VERIFY_WITNESS_PUBKEYTYPE = 1 << 15,
    SCRIPT_VERIFY_CONST_SCRIPTCODE = 1 << 16,
    SCRIPT_VERIFY_TAPROOT = 1 << 17, /* BIP341, 342 */
    SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION = 1 << 18,
    SCRIPT_VERIFY_DISCOURAGE_OP_SUCCESS = 1 << 19,
    SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE = 1 << 20,
    SCRIPT_VERIFY_ALL = (1 << 21) - 1,
};

/* The flag's name as the vectors and getdeploymentinfo have it ("P2SH"), by bit number; NULL past the last. */
const char *script_flag_name(unsigned bit);

/* Checks one signature over a 32-byte hash; a cache of known-good ones can stand before libsecp256k1. CTX must be safe
 * to use from several threads at once. NULL members (or a NULL verifier) mean libsecp256k1 directly. */
struct sig_verifier {
    bool (*ecdsa)(void *ctx, struct span pubkey, struct span sig_der, const uint8_t hash[32]);
    bool (*schnorr)(void *ctx, const uint8_t xonly[32], const uint8_t sig[64], const uint8_t hash[32]);
    void *ctx;
};

/* Hashes over a whole transaction that the signature hashes of its inputs share. */
struct sighash_midstates {
    bool v0_ready;      /* BIP143: double SHA256 */
    bool taproot_ready; /* BIP341: single SHA256; needs all spent outputs */
    uint8_t prevouts_double[32];
    uint8_t sequences_double[32];
    uint8_t outputs_double[32];
    uint8_t prevouts[32];
    uint8_t sequences[32];
    uint8_t outputs[32];
    uint8_t amounts[32];
    uint8_t script_pubkeys[32];
};

struct script_tx {
    const struct tx *tx;
    const struct tx_out *spent; /* in_count outputs, in input order; NULL where they are not all known */
    struct sighash_midstates mid;
};

/* Computes the midstates that this transaction can need (none for one without witness). TX and SPENT must outlive T. */
void script_tx_init(struct script_tx *t, const struct tx *tx, const struct tx_out *spent);

/* The same with every midstate (taproot's where SPENT is given), for what is not signed yet. */
void script_tx_init_all(struct script_tx *t, const struct tx *tx, const struct tx_out *spent);

/* Verifies input INDEX of T (T->spent must be set) under FLAGS (enum script_flag). */
enum script_error script_verify_input(const struct script_tx *t, size_t index, unsigned flags,
                                      const struct sig_verifier *verifier);

/* The same where only this one output is known (no taproot midstates: a taproot spend then fails as a bad signature
 * hash, as in Core where the other outputs are missing). */
enum script_error script_verify(struct span script_sig, struct span script_pubkey, const struct witness *witness,
                                const struct script_tx *t, size_t index, amount_sat amount, unsigned flags,
                                const struct sig_verifier *verifier);

#endif
