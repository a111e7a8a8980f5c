/* What entries carry inside, and what the user's wishes are kept in: for the files of the store only. */
#ifndef CAIRN_MEMPOOL_POOL_STORE_H
#define CAIRN_MEMPOOL_POOL_STORE_H

#include "mempool/mempool_internal.h"

/* One input in the index of what is spent; it lies in the entry's block, before the bytes. */
struct pool_spend {
    struct outpoint at;
    tx_id by;
};

static inline struct pool_spend *pool_spends(const struct mempool_entry *e)
{
    return (struct pool_spend *)(uintptr_t)e->tx.raw.data - e->tx.in_count;
}

struct pool_delta {
    struct txid txid;
    amount_sat delta;
};

/* What an allocation of SIZE takes of the heap, its header included. */
size_t pool_heap_bytes(size_t size);

/* Bytes of the pool itself, without what waits of disconnected blocks: what the limit is for. */
uint64_t pool_memory(const struct mempool *m);

/* Takes TXID from those that were not broadcast; WHY ends the line of the log. */
void pool_drop_unbroadcast(struct mempool *m, const struct txid *txid, const char *why);

#endif
