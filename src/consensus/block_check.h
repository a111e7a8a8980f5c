/* Rules for headers and blocks. Each returns true where the rule is kept; else false with the verdict filled. */
#ifndef CAIRN_CONSENSUS_BLOCK_CHECK_H
#define CAIRN_CONSENSUS_BLOCK_CHECK_H

#include "consensus/header_node.h"
#include "consensus/params.h"
#include "consensus/tx_check.h"
#include "consensus/verdict.h"

/* Proof of work meets the header's own bits: "high-hash". */
MUST_USE bool header_check(const struct block_header *h, const struct block_hash *hash, const struct chain_params *p,
                           struct verdict *v);

/* Against its parent: bad-diffbits, time-too-old, time-timewarp-attack, time-too-new (NOW_S), bad-version. */
MUST_USE bool header_check_context(const struct block_header *h, const struct header_node *prev, int64_t now_s,
                                   const struct chain_params *p, struct verdict *v);

enum { BLOCK_CHECK_NO_POW = 1, BLOCK_CHECK_NO_MERKLE = 2 };

/* Context-free: merkle root and malleation, sizes, coinbase, every transaction, legacy sigops, signet solution. FLAGS
 * leaves out proof of work or merkle root (templates). Pure: may run on a worker before the parent is known. */
MUST_USE bool block_check(const struct block *b, const struct chain_params *p, unsigned flags, struct verdict *v);

/* Against its parent (NULL for genesis): finality, BIP34 height, witness commitment, weight. */
MUST_USE bool block_check_context(const struct block *b, const struct header_node *prev, const struct chain_params *p,
                                  struct verdict *v);

/* The outputs that a block's inputs spend, flat in block order without the coinbase's input. */
struct block_spends {
    struct tx_out *outs;
    coin_origin *origins;
    size_t count;
};

/* The connect rules that need the spent outputs but no scripts: values, maturity, BIP68, sigop cost, coinbase value.
 * NODE is the block's own. Transactions from TX_LIMIT on are not looked at (their inputs were not found; then the
 * coinbase value is not checked either). FLAGS are the script flags of this block. *FEES in satoshis. */
MUST_USE bool block_check_spends(const struct block *b, const struct header_node *node,
                                 const struct block_spends *spends, size_t tx_limit, unsigned flags,
                                 const struct chain_params *p, amount_sat *fees, struct verdict *v);

/* Script flags of the block with this hash at HEIGHT. */
unsigned block_script_flags(int32_t height, const struct block_hash *hash, const struct chain_params *p);

/* Whether BIP30 (no overwriting of unspent outputs) must be checked for this block: false for the two exceptions and
 * where BIP34 implies it. NODE is the block's own. */
bool block_needs_bip30(const struct header_node *node, const struct chain_params *p);

/* True for the two coinbases that BIP30's exceptions overwrote (heights 91722 and 91812): getting undone they differ.
 */
bool block_is_bip30_unspendable(const struct header_node *node);

/* Subsidy at HEIGHT, satoshis. */
amount_sat block_subsidy(int32_t height, const struct chain_params *p);

/* Output index of the witness commitment in the coinbase, or -1 (BIP141). */
int block_witness_commitment(const struct block *b);

/* BIP325: the block's signet solution satisfies the challenge. */
MUST_USE bool signet_check_solution(const struct block *b, const struct chain_params *p);

/* True where the bytes may have been altered without changing the hash (merkle or witness malleation): such a block is
 * not marked invalid. CHECK_WITNESS: the witness commitment is expected. */
bool block_is_mutated(const struct block *b, bool check_witness);
/* The same; *V says what was found (nothing for 64-byte transactions without a coinbase). */
bool block_find_mutation(const struct block *b, bool check_witness, struct verdict *v);

#endif
