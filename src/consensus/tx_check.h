/* Rules for one transaction. */
#ifndef CAIRN_CONSENSUS_TX_CHECK_H
#define CAIRN_CONSENSUS_TX_CHECK_H

#include "consensus/header_node.h"
#include "consensus/params.h"
#include "consensus/verdict.h"

/* Where a spent output came from: height * 2 + (1 where it is a coinbase's). */
typedef uint32_t coin_origin;

static inline coin_origin coin_origin_of(int32_t height, bool coinbase)
{
    return (uint32_t)height * 2 + coinbase;
}

static inline int32_t coin_height(coin_origin o)
{
    return (int32_t)(o / 2);
}

static inline bool coin_is_coinbase(coin_origin o)
{
    return o & 1;
}

/* Context-free rules: bad-txns-vin-empty ... bad-txns-prevout-null. */
MUST_USE bool tx_check(const struct tx *tx, struct verdict *v);

/* Rules over the spent outputs (in_count of them, in input order) for inclusion at HEIGHT: maturity, money range, fee.
 * Not for a coinbase. *FEE in satoshis. */
MUST_USE bool tx_check_inputs(const struct tx *tx, const struct tx_out *spent, const coin_origin *origins,
                              int32_t height, amount_sat *fee, struct verdict *v);

/* lock_time satisfied in a block at HEIGHT with time cutoff TIME_S (median time past where BIP113 holds). */
bool tx_is_final(const struct tx *tx, int32_t height, int64_t time_s);

/* BIP68: true where all relative lock times are met in the block on PREV. ORIGINS as above. */
bool tx_sequence_locks_met(const struct tx *tx, const coin_origin *origins, const struct header_node *prev,
                           bool bip68_active);

/* The locks themselves: first height and median time at which the transaction may be mined are these plus one; -1:
 * none. */
void tx_sequence_locks(const struct tx *tx, const coin_origin *origins, const struct header_node *prev,
                       bool bip68_active, int32_t *min_height, int64_t *min_time_s);

#endif
