/* Open addressing with linear probing; txids are hashes already. */
#include "mempool/fee_watch.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/endian.h"

enum { CAP_LEAST = 64 };

void fee_watch_clear(struct fee_watch *w)
{
    free(w->slots);
    *w = (struct fee_watch){0};
}

static uint64_t id_of(const struct txid *txid)
{
    return get_le64(txid->bytes);
}

/* Where ID is, or the free place where it would go. */
static size_t place_of(const struct fee_watch *w, uint64_t id)
{
    size_t at = (size_t)(id ^ id >> 32) & (w->cap - 1);
    while (w->slots[at].bucket && w->slots[at].id != id) at = (at + 1) & (w->cap - 1);
    return at;
}

static void resize(struct fee_watch *w, size_t cap)
{
    struct fee_watch old = *w;
    w->slots = mem_calloc(cap, sizeof(*w->slots));
    w->cap = cap;
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].bucket) w->slots[place_of(w, old.slots[i].id)] = old.slots[i];
    free(old.slots);
}

bool fee_watch_has(const struct fee_watch *w, const struct txid *txid)
{
    return w->count && w->slots[place_of(w, id_of(txid))].bucket;
}

void fee_watch_put(struct fee_watch *w, const struct txid *txid, uint32_t height, size_t bucket)
{
    if (4 * (w->count + 1) > 3 * w->cap) resize(w, w->cap ? 2 * w->cap : CAP_LEAST);
    w->slots[place_of(w, id_of(txid))] = (struct watched_tx){id_of(txid), height, (uint32_t)bucket + 1};
    w->count++;
}

/* What was put behind AT because AT was taken moves up. */
static void close_gap(struct fee_watch *w, size_t at)
{
    for (size_t next = (at + 1) & (w->cap - 1); w->slots[next].bucket; next = (next + 1) & (w->cap - 1)) {
        struct watched_tx moved = w->slots[next];
        w->slots[next].bucket = 0;
        w->slots[place_of(w, moved.id)] = moved;
    }
}

bool fee_watch_take(struct fee_watch *w, const struct txid *txid, uint32_t *height, size_t *bucket)
{
    if (!w->count) return false;
    size_t at = place_of(w, id_of(txid));
    if (!w->slots[at].bucket) return false;
    *height = w->slots[at].height;
    *bucket = w->slots[at].bucket - 1;
    w->slots[at].bucket = 0;
    close_gap(w, at);
    w->count--;
    if (w->cap > CAP_LEAST && 8 * w->count < w->cap) resize(w, w->cap / 2);
    return true;
}
