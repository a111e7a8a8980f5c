/* The pool's life, what it holds in all, and the user's wishes. */
#include "mempool/mempool.h"

#include "base/alloc.h"
#include "base/check.h"
#include "mempool/mempool_internal.h"
#include "mempool/pool_store.h"

#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

struct mempool_options mempool_options_default(void)
{
    return (struct mempool_options){
        .max_bytes = (uint64_t)MEMPOOL_BYTES_DEFAULT_MB * 1000000,
        .expiry_s = (int64_t)MEMPOOL_EXPIRY_DEFAULT_H * 3600,
        .min_relay = {MIN_RELAY_FEE_DEFAULT},
        .incremental = {INCREMENTAL_FEE_DEFAULT},
        .standard = standard_rules_default(),
        .require_standard = true,
        .cluster_count = MEMPOOL_CLUSTER_COUNT_DEFAULT,
        .cluster_vbytes = (uint64_t)MEMPOOL_CLUSTER_KVB_DEFAULT * 1000,
    };
}

static struct tx_graph_limits graph_limits(const struct mempool_options *o)
{
    unsigned count = o->cluster_count < 1 ? 1 : o->cluster_count;
    uint64_t vbytes = o->cluster_vbytes < 1 ? 1 : o->cluster_vbytes;
    uint64_t most = (uint64_t)FEE_FRAC_MAX_SIZE / 4;
    return (struct tx_graph_limits){
        .count = count > LIN_MAX ? LIN_MAX : count,
        .size = (int64_t)((vbytes > most ? most : vbytes) * 4),
    };
}

struct mempool *mempool_new(const struct mempool_options *options, struct chain *chain, struct log *log)
{
    struct mempool *m = mem_calloc(1, sizeof(*m));
    struct tx_graph_limits limits = graph_limits(options);
    m->options = *options;
    m->chain = chain;
    m->log = log;
    m->sequence = 1;
    random_init(&m->random, options->seed);
    m->graph = tx_graph_new(&limits);
    size_t entry_txid = offsetof(struct mempool_entry, tx.txid);
    size_t entry_wtxid = offsetof(struct mempool_entry, tx.wtxid);
    hashmap_init(&m->by_txid, entry_txid, sizeof(struct txid), random_u64(&m->random));
    hashmap_init(&m->by_wtxid, entry_wtxid, sizeof(struct wtxid), random_u64(&m->random));
    hashmap_init(&m->spends, offsetof(struct pool_spend, at), sizeof(struct outpoint), random_u64(&m->random));
    hashmap_init(&m->deltas, offsetof(struct pool_delta, txid), sizeof(struct txid), random_u64(&m->random));
    hashmap_init(&m->unbroadcast, 0, sizeof(struct txid), random_u64(&m->random));
    reorg_init(m, random_u64(&m->random));
    return m;
}

static void free_items(struct hashmap *map)
{
    size_t at = 0;
    for (void *item; (item = hashmap_next(map, &at));) free(item);
    hashmap_clear(map);
}

void mempool_free(struct mempool *m)
{
    if (!m) return;
    reorg_clear(m);
    for (size_t i = 0; i < m->count; i++) pool_entry_free(m->entries[i]);
    free(m->entries);
    free(m->by_id);
    hashmap_clear(&m->by_txid);
    hashmap_clear(&m->by_wtxid);
    hashmap_clear(&m->spends);
    free_items(&m->deltas);
    free_items(&m->unbroadcast);
    pool_set_clear(&m->staged);
    tx_graph_free(m->graph);
    free(m);
}

const struct mempool_options *mempool_options_of(const struct mempool *m)
{
    return &m->options;
}

void mempool_set_time(struct mempool *m, int64_t now_s)
{
    m->now_s = now_s;
}

void mempool_set_estimator(struct mempool *m, struct fee_estimator *f)
{
    m->estimator = f;
}

enum result pool_fail(struct mempool *m, enum result r, const struct error *e)
{
    if (r && !m->failure) {
        m->failure = r;
        m->failure_error = e ? *e : (struct error){.code = r};
    }
    return r;
}

enum result mempool_failure(struct mempool *m, struct error *e)
{
    enum result r = m->failure;
    if (r && e) *e = m->failure_error;
    m->failure = RESULT_OK;
    return r;
}

bool mempool_is_loaded(const struct mempool *m)
{
    return m->loaded;
}

void mempool_set_loaded(struct mempool *m)
{
    m->loaded = true;
}

const char *removal_reason_name(enum removal_reason reason)
{
    static const char *const names[] = {
        [REMOVED_EXPIRY] = "expiry", [REMOVED_SIZE_LIMIT] = "sizelimit", [REMOVED_REORG] = "reorg",
        [REMOVED_BLOCK] = "block",   [REMOVED_CONFLICT] = "conflict",    [REMOVED_REPLACED] = "replaced",
    };
    return names[reason];
}

/* ---- account ---- */

static uint64_t map_bytes(const struct hashmap *map, size_t item)
{
    return map->cap * sizeof(void *) + (item ? map->count * pool_heap_bytes(item) : 0);
}

enum { GAP_BYTES = 160 };

/* What comes and goes leaves gaps in the heap, an eighth of it as measured with small transactions: they are part of
 * what the pool costs. Larger ones leave no more of them. */
static uint64_t with_gaps(uint64_t bytes, size_t count)
{
    uint64_t gaps = bytes / 8, most = (uint64_t)count * GAP_BYTES;
    return bytes + (gaps < most ? gaps : most);
}

uint64_t pool_memory(const struct mempool *m)
{
    uint64_t tables = map_bytes(&m->by_txid, 0) + map_bytes(&m->by_wtxid, 0) + map_bytes(&m->spends, 0) +
                      map_bytes(&m->deltas, sizeof(struct pool_delta)) +
                      map_bytes(&m->unbroadcast, sizeof(struct txid));
    uint64_t lists = (m->cap + m->id_cap) * sizeof(struct mempool_entry *);
    uint64_t watched = m->estimator ? fee_estimator_memory(m->estimator) : 0;
    return with_gaps(sizeof(*m) + m->entry_bytes + tables + lists + watched + tx_graph_memory(m->graph), m->count);
}

uint64_t mempool_memory(const struct mempool *m)
{
    return pool_memory(m) + reorg_memory(m);
}

uint64_t mempool_vbytes(const struct mempool *m)
{
    return m->vbytes;
}

amount_sat mempool_fees(const struct mempool *m)
{
    return m->fees;
}

uint64_t mempool_sequence(const struct mempool *m)
{
    return m->sequence;
}

uint64_t mempool_updates(const struct mempool *m)
{
    return m->updates;
}

/* ---- the user's wishes ---- */

/* Beyond all coins, and small enough that a fee can be added. */
#define DELTA_MAX (INT64_MAX - MAX_MONEY_SAT)

static amount_sat add_deltas(amount_sat a, amount_sat b)
{
    amount_sat sum;
    if (__builtin_add_overflow(a, b, &sum)) sum = b < 0 ? INT64_MIN : INT64_MAX;
    if (sum > DELTA_MAX) return DELTA_MAX;
    return sum < -DELTA_MAX ? -DELTA_MAX : sum;
}

amount_sat pool_delta(const struct mempool *m, const struct txid *txid)
{
    const struct pool_delta *d = hashmap_get(&m->deltas, txid);
    return d ? d->delta : 0;
}

static void set_delta(struct mempool *m, const struct txid *txid, amount_sat delta)
{
    struct pool_delta *d = hashmap_get(&m->deltas, txid);
    if (delta == 0) {
        free(hashmap_del(&m->deltas, txid));
    } else if (d) {
        d->delta = delta;
    } else {
        d = mem_alloc(sizeof(*d));
        *d = (struct pool_delta){*txid, delta};
        hashmap_put(&m->deltas, d);
    }
}

void mempool_prioritise(struct mempool *m, const struct txid *txid, amount_sat delta)
{
    amount_sat sum = add_deltas(pool_delta(m, txid), delta);
    struct mempool_entry *e = pool_find(m, txid);
    char id[HASH_TEXT], added[AMOUNT_TEXT], whole[AMOUNT_TEXT];
    set_delta(m, txid, sum);
    if (e) {
        e->delta = sum;
        tx_graph_set_fee(m->graph, e->id, mempool_modified_fee(e));
        m->updates++;
    }
    log_info(m->log, "Priority of %s (%sin mempool): fee += %s, %s in all", txid_text(id, txid), e ? "" : "not ",
             amount_text(added, delta), amount_text(whole, sum));
}

static int by_txid(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct txid)); /* both kinds of list begin with it */
}

struct mempool_delta *mempool_deltas(const struct mempool *m, size_t *count)
{
    struct mempool_delta *all = mem_calloc(m->deltas.count + 1, sizeof(*all));
    const struct pool_delta *d;
    size_t at = 0;
    *count = 0;
    while ((d = hashmap_next(&m->deltas, &at)))
        all[(*count)++] = (struct mempool_delta){d->txid, d->delta, pool_find(m, &d->txid)};
    if (*count > 1) qsort(all, *count, sizeof(*all), by_txid);
    return all;
}

void mempool_add_unbroadcast(struct mempool *m, const struct txid *txid)
{
    if (pool_find(m, txid) && !hashmap_get(&m->unbroadcast, txid))
        hashmap_put(&m->unbroadcast, mem_dup(txid, sizeof(*txid)));
}

void pool_drop_unbroadcast(struct mempool *m, const struct txid *txid, const char *why)
{
    struct txid *item = m->unbroadcast.count ? hashmap_del(&m->unbroadcast, txid) : NULL;
    char text[HASH_TEXT];
    if (!item) return;
    log_debug(m->log, LOGC_MEMPOOL, "Removed %s from set of unbroadcast txns%s", txid_text(text, item), why);
    free(item);
}

void mempool_remove_unbroadcast(struct mempool *m, const struct txid *txid)
{
    pool_drop_unbroadcast(m, txid, "");
}

size_t mempool_unbroadcast_count(const struct mempool *m)
{
    return m->unbroadcast.count;
}

bool mempool_is_unbroadcast(const struct mempool *m, const struct txid *txid)
{
    return hashmap_get(&m->unbroadcast, txid) != NULL;
}

struct txid *mempool_unbroadcast(const struct mempool *m, size_t *count)
{
    struct txid *all = mem_calloc(m->unbroadcast.count + 1, sizeof(*all));
    const struct txid *item;
    size_t at = 0;
    *count = 0;
    while ((item = hashmap_next(&m->unbroadcast, &at))) all[(*count)++] = *item;
    if (*count > 1) qsort(all, *count, sizeof(*all), by_txid);
    return all;
}
