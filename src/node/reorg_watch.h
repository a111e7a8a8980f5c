/* Where the transactions of past reorganisations are now: told of each block, so that nobody need look for them. */
#ifndef CAIRN_NODE_REORG_WATCH_H
#define CAIRN_NODE_REORG_WATCH_H

#include "base/hashmap.h"
#include "chain/chain.h"

struct reorg_watch {
    struct hashmap by_txid; /* struct watched_tx */
};

void reorg_watch_init(struct reorg_watch *w, uint64_t hash_seed);
void reorg_watch_clear(struct reorg_watch *w);

/* TXID is watched once more. HEIGHT of its block in the active chain, where it was not watched so far; -1: in none. */
void reorg_watch_add(struct reorg_watch *w, const struct txid *txid, int32_t height);

/* Once less. */
void reorg_watch_drop(struct reorg_watch *w, const struct txid *txid);

void reorg_watch_on_notice(struct reorg_watch *w, const struct notice *notice);

/* Height of its block in the active chain; -1: it is in none, or not watched. */
int32_t reorg_watch_height(const struct reorg_watch *w, const struct txid *txid);

#endif
