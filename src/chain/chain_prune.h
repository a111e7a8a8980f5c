/* Pruning: deleting old block files, and what else must know that they may be gone.
 *
 * A block file goes whole, with its undo file, once every block in it lies MIN_BLOCKS_TO_KEEP or more below the tip and
 * below every lock. What is known of its blocks stays in the index but for their data. */
#ifndef CAIRN_CHAIN_CHAIN_PRUNE_H
#define CAIRN_CHAIN_CHAIN_PRUNE_H

#include "chain/chain.h"

/* ---- what is there ---- */

/* Old blocks are deleted here (-prune), by themselves or on request: peers are offered the last MIN_BLOCKS_TO_KEEP
 * blocks alone (BIP159, NODE_NETWORK_LIMITED), whatever is still there. */
static inline bool chain_is_pruned(const struct chain *c)
{
    return c->options.prune_target != 0;
}

/* The same, without a target: only chain_prune_to deletes. */
static inline bool chain_prunes_manually(const struct chain *c)
{
    return c->options.prune_target == PRUNE_MANUALLY;
}

/* N's data were here once and are gone. */
static inline bool chain_block_pruned(const struct chain *c, const struct block_node *n)
{
    return c->have_pruned && !(n->status & BLOCK_HAVE_DATA) && n->tx_count > 0;
}

/* Height of the highest active block above genesis without data or undo data: all from the next one on are whole. -1:
 * none is missing. */
int32_t chain_prune_height(const struct chain *c);

/* Every active block from height FROM to the tip has what STATUS names (BLOCK_HAVE_DATA, BLOCK_HAVE_UNDO; genesis never
 * has undo data). */
bool chain_has_data(const struct chain *c, int32_t from, uint32_t status);

/* The block nearest to N, N included, that lacks its data on the way down to the active chain; NULL: none does. */
const struct block_node *chain_missing_data(const struct chain *c, const struct block_node *n);

/* The first active block such that it or one before it has a time of at least TIME_S; NULL: none. */
struct block_node *chain_first_since(const struct chain *c, int64_t time_s);

/* Whether the index in INDEX was ever pruned; may be asked before chain_open. */
MUST_USE enum result chain_index_pruned(const struct kv_store *index, bool *pruned, struct error *e);

/* ---- locks ---- */

/* Keeps what NAME (a constant) has yet to read: blocks from 10 below HEIGHT on. Replaces the lock of that name. */
void chain_prune_lock(struct chain *c, const char *name, int32_t height);

/* False where there is no such lock. */
bool chain_prune_unlock(struct chain *c, const char *name);

/* ---- deleting ---- */

/* A target is set, and files have grown enough since the last look to look again. */
bool chain_prune_due(const struct chain *c);

/* Deletes files, oldest first, until those left fit the target. Everything is flushed first where a file goes. */
MUST_USE enum result chain_prune(struct chain *c, struct error *e);

/* Deletes the files whose blocks are all at HEIGHT or below. */
MUST_USE enum result chain_prune_to(struct chain *c, int32_t height, struct error *e);

#endif
