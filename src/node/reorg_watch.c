/* Where the transactions of past reorganisations are now. */
#include "node/reorg_watch.h"

#include <stdlib.h>

#include "base/alloc.h"

struct watched_tx {
    struct txid txid; /* key */
    int32_t height;
    uint32_t times; /* it was thrown out more than once */
};

void reorg_watch_init(struct reorg_watch *w, uint64_t hash_seed)
{
    hashmap_init(&w->by_txid, offsetof(struct watched_tx, txid), sizeof(struct txid), hash_seed);
}

void reorg_watch_clear(struct reorg_watch *w)
{
    size_t at = 0;
    void *item;
    while ((item = hashmap_next(&w->by_txid, &at))) free(item);
    hashmap_clear(&w->by_txid);
}

void reorg_watch_add(struct reorg_watch *w, const struct txid *txid, int32_t height)
{
    struct watched_tx *t = hashmap_get(&w->by_txid, txid);
    if (!t) {
        t = mem_calloc(1, sizeof(*t));
        *t = (struct watched_tx){.txid = *txid, .height = height};
        hashmap_put(&w->by_txid, t);
    }
    t->times++;
}

void reorg_watch_drop(struct reorg_watch *w, const struct txid *txid)
{
    struct watched_tx *t = hashmap_get(&w->by_txid, txid);
    if (!t || --t->times) return;
    free(hashmap_del(&w->by_txid, txid));
}

void reorg_watch_on_notice(struct reorg_watch *w, const struct notice *notice)
{
    bool connected = notice->kind == NOTICE_CONNECTED;
    if (!w->by_txid.count || (!connected && notice->kind != NOTICE_DISCONNECTED)) return;
    for (size_t i = 0; i < notice->block->tx_count; i++) {
        struct watched_tx *t = hashmap_get(&w->by_txid, &notice->block->txs[i].txid);
        if (t) t->height = connected ? notice->node->header.height : -1;
    }
}

int32_t reorg_watch_height(const struct reorg_watch *w, const struct txid *txid)
{
    const struct watched_tx *t = hashmap_get(&w->by_txid, txid);
    return t ? t->height : -1;
}
