/* Deployments: buried by height (BIP90) and by version bits (BIP9). */
#ifndef CAIRN_CONSENSUS_VERSIONBITS_H
#define CAIRN_CONSENSUS_VERSIONBITS_H

#include "consensus/header_node.h"
#include "consensus/params.h"

enum bip9_state { BIP9_DEFINED, BIP9_STARTED, BIP9_LOCKED_IN, BIP9_ACTIVE, BIP9_FAILED };

/* "defined", "started", "locked_in", "active", "failed". */
const char *bip9_state_name(enum bip9_state s);

/* State for the block after PREV (NULL: for genesis). */
enum bip9_state bip9_state_after(const struct bip9_params *d, const struct header_node *prev);

/* Height of the first block with that state. */
int32_t bip9_state_since(const struct bip9_params *d, const struct header_node *prev);

struct bip9_statistics {
    uint32_t period, threshold, elapsed, count;
    bool possible;
};

/* Counts of the period that holds N; SIGNALS (may be NULL, else room for `period` chars) gets '#' or '-' a block. */
void bip9_statistics(struct bip9_statistics *out, const struct bip9_params *d, const struct header_node *n,
                     char *signals);

/* nVersion for a block on PREV: 0x20000000 and the bits of deployments that are started or locked in. */
int32_t versionbits_compute(const struct chain_params *p, const struct header_node *prev);

/* True where the block at HEIGHT must obey D. */
static inline bool buried_active(const struct chain_params *p, enum buried_deployment d, int32_t height)
{
    return height >= p->buried[d];
}

#endif
