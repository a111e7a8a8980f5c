/* Writing the coins back: dirty records sorted by key, in batches between two markers of the chain's state.
 *
 * The first batch says {best, next}, the last one {next}; a store that holds the first form is somewhere between the
 * two blocks. Each batch is on disk before the next one starts, so that no later one can survive without it. What fits
 * in one batch needs no first marker. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/endian.h"
#include "chain/coins_table.h"

enum {
    BATCH_BYTES = 16 << 20,
    RECORD_OVERHEAD = 16, /* of a batch, beside key and value: roughly */
    BUCKET_BITS = 16,
    BUCKETS_FROM = 4096, /* fewer records are one bucket */
    AHEAD = 16,          /* records whose memory is asked for before their turn */
};

/* ---- the state ------------------------------------------------------------------------------------------------- */

static struct span state_key(void)
{
    static const uint8_t key[] = {COIN_STATE_KEY};
    return span_of(key, sizeof(key));
}

/* RESULT_NOT_FOUND where there is none: *OUT is that of an empty store. */
static enum result read_state(struct coins *c, struct coins_state *out, struct error *e)
{
    *out = (struct coins_state){0};
    enum result result = c->store.ops->get(c->store.ctx, state_key(), &c->value, e);
    if (result != RESULT_OK) return result;
    struct reader r = reader_of(buffer_span(&c->value));
    read_bytes(&r, out->best.bytes, sizeof(out->best.bytes));
    if (reader_left(&r)) read_bytes(&r, out->next.bytes, sizeof(out->next.bytes));
    if (r.failed || reader_left(&r)) return error_set(e, RESULT_CORRUPT, "coins database: malformed state");
    return RESULT_OK;
}

/* A store without a state was never flushed to: unless somebody else wrote to it, it has no coin. */
static enum result look_for_coins(struct coins *c, struct error *e)
{
    static const uint8_t first[] = {COIN_KEY_PREFIX};
    const struct kv_ops *ops = c->store.ops;
    struct span key, value;
    void *iter = ops->iter_new(c->store.ctx);
    ops->iter_seek(iter, span_of(first, sizeof(first)));
    bool any = ops->iter_next(iter, &key, &value);
    enum result result = any ? RESULT_OK : ops->iter_result(iter, e);
    ops->iter_free(iter);
    c->store_empty = !any && result == RESULT_OK;
    return result;
}

enum result coins_read_state(struct coins *c, struct coins_state *out, struct error *e)
{
    enum result result = read_state(c, out, e);
    return result == RESULT_NOT_FOUND ? look_for_coins(c, e) : result;
}

static void put_state(struct coins *c, void *batch, const struct block_hash *best, const struct block_hash *next)
{
    uint8_t value[64];
    memcpy(value, best->bytes, 32);
    if (next) memcpy(value + 32, next->bytes, 32);
    c->store.ops->batch_put(batch, state_key(), span_of(value, next ? 64 : 32));
}

/* ---- order ----------------------------------------------------------------------------------------------------- */

/* A dirty record. PREFIX: the 32 bits of its txid that follow the bucket's. */
struct dirty_ref {
    uint32_t prefix;
    uint32_t index;
    uint32_t ref;
};

/* Without EXACT no record is looked at: right as long as an equal prefix means the same txid. */
static bool ref_below(const struct coins *exact, struct dirty_ref a, struct dirty_ref b)
{
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    int order = exact ? memcmp(&coins_record(exact, a.ref)->at.txid, &coins_record(exact, b.ref)->at.txid, 32) : 0;
    return order ? order < 0 : a.index < b.index;
}

static void sift_down(const struct coins *exact, struct dirty_ref *refs, size_t at, size_t count)
{
    struct dirty_ref moved = refs[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && ref_below(exact, refs[child], refs[child + 1])) child++;
        if (!ref_below(exact, moved, refs[child])) break;
        refs[at] = refs[child];
    }
    refs[at] = moved;
}

/* Heap sort: buckets are small, and no choice of txids makes it slow. */
static void heap_sort(const struct coins *exact, struct dirty_ref *refs, size_t count)
{
    for (size_t i = count / 2; i-- > 0;) sift_down(exact, refs, i, count);
    for (size_t left = count; left > 1;) {
        struct dirty_ref top = refs[0];
        refs[0] = refs[--left];
        refs[left] = top;
        sift_down(exact, refs, 0, left);
    }
}

/* The outputs of one transaction are many, txids that agree for so long are not: only then are records compared. */
static void sort_bucket(const struct coins *c, struct dirty_ref *refs, size_t count)
{
    heap_sort(NULL, refs, count);
    for (size_t i = 1; i < count; i++) {
        if (refs[i].prefix != refs[i - 1].prefix) continue;
        if (txid_equal(&coins_record(c, refs[i].ref)->at.txid, &coins_record(c, refs[i - 1].ref)->at.txid)) continue;
        heap_sort(c, refs, count);
        return;
    }
}

/* All dirty records in order of their keys (c->dirty of them); the caller frees. */
static struct dirty_ref *sorted_dirty(const struct coins *c)
{
    unsigned bits = c->dirty < BUCKETS_FROM ? 0 : BUCKET_BITS;
    size_t buckets = (size_t)1 << bits;
    struct dirty_ref *refs = mem_calloc(c->dirty, sizeof(*refs));
    size_t *end = mem_calloc(buckets + 1, sizeof(*end)); /* of bucket i, once it is filled */
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < c->cap; i++) {
            uint32_t ref = c->slots[i].ref;
            coins_warm_record(c, c->slots[(i + AHEAD) & (c->cap - 1)].ref);
            if (!ref || !(coins_record(c, ref)->flags & COIN_DIRTY)) continue;
            const struct outpoint *at = &coins_record(c, ref)->at;
            uint64_t key = get_be64(at->txid.bytes);
            size_t bucket = bits ? (size_t)(key >> (64 - bits)) : 0;
            if (pass == 0)
                end[bucket + 1]++;
            else
                refs[end[bucket]++] =
                    (struct dirty_ref){.prefix = (uint32_t)(key << bits >> 32), .index = at->index, .ref = ref};
        }
        for (size_t i = 0; pass == 0 && i < buckets; i++) end[i + 1] += end[i];
    }
    for (size_t i = 0; i < buckets; i++) {
        size_t from = i ? end[i - 1] : 0;
        sort_bucket(c, refs + from, end[i] - from);
    }
    free(end);
    return refs;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

struct flush {
    struct coins *c;
    const struct dirty_ref *refs;
    size_t count, at;
    const struct coins_state *old;
    const struct block_hash *best; /* NULL: the state stays as it is */
    void *batch;
    struct buffer value;
};

/* Fills the batch from where the flush is; adds the size of what it put. */
static void fill_batch(struct flush *f)
{
    const struct kv_ops *ops = f->c->store.ops;
    for (size_t bytes = 0; f->at < f->count && bytes < BATCH_BYTES; f->at++) {
        if (f->count - f->at > AHEAD) coins_warm_record(f->c, f->refs[f->at + AHEAD].ref);
        const struct coin_record *r = coins_record(f->c, f->refs[f->at].ref);
        uint8_t key[COIN_KEY_MAX];
        struct span k = span_of(key, coin_key_write(key, &r->at));
        f->value.len = 0;
        if (r->flags & COIN_SPENT) {
            ops->batch_del(f->batch, k);
        } else {
            struct coin coin = coin_of(r);
            coin_pack(&f->value, &coin);
            ops->batch_put(f->batch, k, buffer_span(&f->value));
        }
        bytes += k.len + f->value.len + RECORD_OVERHEAD;
    }
}

static enum result write_batches(struct flush *f, struct error *e)
{
    const struct kv_ops *ops = f->c->store.ops;
    f->c->store_empty = false;
    do {
        bool first = f->at == 0;
        fill_batch(f);
        if (f->best && f->at == f->count)
            put_state(f->c, f->batch, f->best, NULL);
        else if (f->best && first)
            put_state(f->c, f->batch, &f->old->best, f->best);
        enum result result = ops->batch_write(f->c->store.ctx, f->batch, true, e);
        if (result != RESULT_OK) return result;
    } while (f->at < f->count);
    return RESULT_OK;
}

/* After success: nothing is dirty, and what is spent is gone. */
static void settle(struct coins *c, const struct dirty_ref *refs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct coin_record *r = coins_record(c, refs[i].ref);
        if (r->flags & COIN_SPENT)
            coins_remove(c, coins_place(c, &r->at));
        else
            coins_set_flags(c, r, 0);
    }
    coins_release_pending(c);
}

/* After a failure any record may have reached the store: none is fresh any more. */
static void forget_fresh(struct coins *c, const struct dirty_ref *refs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct coin_record *r = coins_record(c, refs[i].ref);
        r->flags &= (uint8_t)~COIN_FRESH;
    }
}

/* BEST NULL: the state stays as it is. */
static enum result flush(struct coins *c, const struct block_hash *best, bool drop, struct error *e)
{
    struct coins_state old;
    enum result result = read_state(c, &old, e);
    if (result == RESULT_NOT_FOUND) result = RESULT_OK;
    if (result != RESULT_OK) return result;
    bool current = !best || (block_hash_equal(&old.best, best) && hash_is_null(old.next.bytes));
    if (c->dirty > 0 || !current) {
        struct dirty_ref *refs = sorted_dirty(c);
        struct flush f = {.c = c, .refs = refs, .count = c->dirty, .old = &old, .best = best};
        f.batch = c->store.ops->batch_new(c->store.ctx);
        result = write_batches(&f, e);
        c->store.ops->batch_free(f.batch);
        buffer_clear(&f.value);
        if (result != RESULT_OK)
            forget_fresh(c, refs, f.count);
        else if (!drop)
            settle(c, refs, f.count);
        free(refs);
    }
    if (result == RESULT_OK && drop) coins_discard(c);
    return result;
}

enum result coins_flush(struct coins *c, const struct block_hash *best, bool drop, struct error *e)
{
    return flush(c, best, drop, e);
}

enum result coins_write_back(struct coins *c, bool drop, struct error *e)
{
    return flush(c, NULL, drop, e);
}
