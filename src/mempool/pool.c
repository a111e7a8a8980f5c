/* The store of the pool: entries, the ways to find them, and how they enter and leave. */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/check.h"
#include "base/endian.h"
#include "mempool/mempool_internal.h"
#include "mempool/pool_store.h"

#include <stdlib.h>
#include <string.h>

/* ---- sets ---- */

enum { SET_HASHED = 16 }; /* from so many on, a table is worth its while */

static size_t set_slot(const struct pool_set *s, const struct mempool_entry *e)
{
    size_t mask = s->slot_cap - 1;
    size_t i = (size_t)(((uint64_t)(uintptr_t)e * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & mask;
    while (s->slots[i] && s->slots[i] != e) i = (i + 1) & mask;
    return i;
}

static void set_rehash(struct pool_set *s)
{
    free(s->slots);
    s->slot_cap = s->slot_cap ? s->slot_cap * 2 : SET_HASHED * 4;
    s->slots = mem_calloc(s->slot_cap, sizeof(struct mempool_entry *));
    for (size_t i = 0; i < s->count; i++) s->slots[set_slot(s, s->items[i])] = s->items[i];
}

bool pool_set_has(const struct pool_set *s, const struct mempool_entry *e)
{
    if (s->slot_cap) return s->slots[set_slot(s, e)] != NULL;
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i] == e) return true;
    return false;
}

void pool_set_add(struct pool_set *s, struct mempool_entry *e)
{
    if (pool_set_has(s, e)) return;
    s->items = mem_grow(s->items, &s->cap, s->count + 1, sizeof(struct mempool_entry *));
    s->items[s->count++] = e;
    if (s->count < SET_HASHED) return;
    if (s->count * 2 > s->slot_cap)
        set_rehash(s);
    else
        s->slots[set_slot(s, e)] = e;
}

void pool_set_clear(struct pool_set *s)
{
    free(s->items);
    free(s->slots);
    *s = (struct pool_set){0};
}

/* ---- entries ---- */

/* Moves a span of FROM's bytes to the copy of them at TO. */
static struct span moved(struct span s, struct span from, const uint8_t *to)
{
    if (s.len == 0) return span_of(NULL, 0);
    CHECK(s.data >= from.data && (size_t)(s.data - from.data) + s.len <= from.len);
    return span_of(to + (s.data - from.data), s.len);
}

static size_t witness_items(const struct tx *tx)
{
    size_t n = 0;
    for (size_t i = 0; i < tx->in_count; i++) n += tx->in[i].witness.count;
    return n;
}

/* The block: the entry, inputs, outputs, witness items, spends, bytes. */
static struct mempool_entry *entry_layout(const struct tx *tx, struct span **items, uint8_t **raw)
{
    size_t in = tx->in_count * sizeof(struct tx_in), out = tx->out_count * sizeof(struct tx_out);
    size_t witness = witness_items(tx) * sizeof(struct span);
    size_t spends = tx->in_count * sizeof(struct pool_spend);
    uint8_t *block = mem_alloc(sizeof(struct mempool_entry) + in + out + witness + spends + tx->raw.len);
    struct mempool_entry *e = (struct mempool_entry *)(void *)block;
    *e = (struct mempool_entry){.tx = *tx};
    block += sizeof(*e);
    e->tx.in = (struct tx_in *)(void *)block;
    block += in;
    e->tx.out = (struct tx_out *)(void *)block;
    block += out;
    *items = (struct span *)(void *)block;
    block += witness + spends;
    *raw = block;
    e->tx.raw = span_of(block, tx->raw.len);
    return e;
}

static struct mempool_entry *entry_copy(const struct tx *tx)
{
    struct span *items;
    uint8_t *raw;
    struct mempool_entry *e = entry_layout(tx, &items, &raw);
    memcpy(raw, tx->raw.data, tx->raw.len);
    struct pool_spend *spends = pool_spends(e);
    for (size_t i = 0; i < tx->in_count; i++) {
        const struct tx_in *in = &tx->in[i];
        e->tx.in[i] = *in;
        e->tx.in[i].script_sig = moved(in->script_sig, tx->raw, raw);
        e->tx.in[i].witness.items = in->witness.count ? items : NULL;
        for (size_t k = 0; k < in->witness.count; k++) *items++ = moved(in->witness.items[k], tx->raw, raw);
        spends[i] = (struct pool_spend){.at = in->prevout};
    }
    for (size_t i = 0; i < tx->out_count; i++) {
        e->tx.out[i].value = tx->out[i].value;
        e->tx.out[i].script_pubkey = moved(tx->out[i].script_pubkey, tx->raw, raw);
    }
    return e;
}

struct mempool_entry *pool_entry_new(const struct tx *tx)
{
    if (tx->raw.len) return entry_copy(tx);
    /* Put together in memory: through its wire form. */
    struct buffer wire = {0};
    struct arena arena = {0};
    struct tx parsed;
    tx_write(&wire, tx);
    CHECK(tx_parse(&parsed, buffer_span(&wire), &arena, 0) && txid_equal(&parsed.txid, &tx->txid));
    struct mempool_entry *e = entry_copy(&parsed);
    arena_clear(&arena);
    buffer_clear(&wire);
    return e;
}

void pool_entry_free(struct mempool_entry *e)
{
    free(e);
}

size_t pool_heap_bytes(size_t size)
{
    return (size + 8 + 15) & ~(size_t)15;
}

size_t pool_entry_bytes(const struct mempool_entry *e)
{
    return pool_heap_bytes((size_t)(e->tx.raw.data + e->tx.raw.len - (const uint8_t *)e));
}

/* ---- finding ---- */

struct mempool_entry *pool_find(const struct mempool *m, const struct txid *txid)
{
    return hashmap_get(&m->by_txid, txid);
}

struct mempool_entry *pool_spender(const struct mempool *m, const struct outpoint *at)
{
    const struct pool_spend *spend = hashmap_get(&m->spends, at);
    return spend ? m->by_id[spend->by] : NULL;
}

void pool_add_descendants(struct mempool *m, struct pool_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct tx *tx = &set->items[i]->tx;
        struct outpoint at = {.txid = tx->txid};
        for (at.index = 0; at.index < tx->out_count; at.index++) {
            struct mempool_entry *child = pool_spender(m, &at);
            if (child) pool_set_add(set, child);
        }
    }
}

/* ---- the dense list, a heap by time ---- */

static void list_set(struct mempool *m, size_t at, struct mempool_entry *e)
{
    m->entries[at] = e;
    e->at = at;
}

static void list_up(struct mempool *m, size_t at, struct mempool_entry *e)
{
    for (; at && e->time_s < m->entries[(at - 1) / 2]->time_s; at = (at - 1) / 2)
        list_set(m, at, m->entries[(at - 1) / 2]);
    list_set(m, at, e);
}

static void list_down(struct mempool *m, size_t at, struct mempool_entry *e)
{
    for (size_t child; (child = 2 * at + 1) < m->count; at = child) {
        if (child + 1 < m->count && m->entries[child + 1]->time_s < m->entries[child]->time_s) child++;
        if (m->entries[child]->time_s >= e->time_s) break;
        list_set(m, at, m->entries[child]);
    }
    list_set(m, at, e);
}

static void list_put(struct mempool *m, struct mempool_entry *e)
{
    m->entries = mem_grow(m->entries, &m->cap, m->count + 1, sizeof(struct mempool_entry *));
    m->count++;
    list_up(m, m->count - 1, e);
}

static void list_del(struct mempool *m, struct mempool_entry *e)
{
    struct mempool_entry *last = m->entries[--m->count];
    if (last == e) return;
    list_up(m, e->at, last);
    list_down(m, last->at, last);
}

/* ---- entering and leaving ---- */

static void note_id(struct mempool *m, struct mempool_entry *e)
{
    size_t old = m->id_cap;
    m->by_id = mem_grow(m->by_id, &m->id_cap, (size_t)e->id + 1, sizeof(struct mempool_entry *));
    if (m->id_cap > old) memset(m->by_id + old, 0, (m->id_cap - old) * sizeof(struct mempool_entry *));
    CHECK(!m->by_id[e->id]);
    m->by_id[e->id] = e;
}

static void store_put(struct mempool *m, struct mempool_entry *e)
{
    note_id(m, e);
    hashmap_put(&m->by_txid, e);
    hashmap_put(&m->by_wtxid, e);
    struct pool_spend *spends = pool_spends(e);
    for (size_t i = 0; i < e->tx.in_count; i++) {
        spends[i].by = e->id;
        hashmap_put(&m->spends, &spends[i]);
    }
    list_put(m, e);
    m->vbytes += e->vsize;
    m->fees += e->fee;
    m->entry_bytes += pool_entry_bytes(e);
    m->sequence++;
    m->updates++;
}

/* The graph has forgotten it, or will. */
static void store_del(struct mempool *m, struct mempool_entry *e, enum removal_reason reason)
{
    CHECK(m->by_id[e->id] == e);
    m->by_id[e->id] = NULL;
    hashmap_del(&m->by_txid, &e->tx.txid);
    hashmap_del(&m->by_wtxid, &e->tx.wtxid);
    for (size_t i = 0; i < e->tx.in_count; i++) hashmap_del(&m->spends, &e->tx.in[i].prevout);
    list_del(m, e);
    m->vbytes -= e->vsize;
    m->fees -= e->fee;
    m->entry_bytes -= pool_entry_bytes(e);
    m->sequence++;
    m->updates++;
    if (reason != REMOVED_BLOCK && m->estimator) fee_estimator_remove(m->estimator, &e->tx.txid);
    pool_drop_unbroadcast(m, &e->tx.txid, " before confirmation that txn was sent out");
}

void pool_remove(struct mempool *m, const struct pool_set *set, enum removal_reason reason)
{
    CHECK(!tx_graph_is_staging(m->graph));
    for (size_t i = 0; i < set->count; i++) {
        struct mempool_entry *e = set->items[i];
        char text[HASH_TEXT];
        log_trace(m->log, LOGC_MEMPOOL, "%s leaves the pool: %s", txid_text(text, &e->tx.txid),
                  removal_reason_name(reason));
        store_del(m, e, reason);
        tx_graph_remove(m->graph, e->id);
        pool_entry_free(e);
    }
}

/* ---- staging ---- */

void pool_stage(struct mempool *m)
{
    CHECK(m->staged.count == 0);
    tx_graph_stage(m->graph);
}

/* The parent of an input: in the pool, or staged before. */
static const struct mempool_entry *parent_of(const struct mempool *m, const struct txid *txid)
{
    for (size_t i = 0; i < m->staged.count; i++)
        if (txid_equal(&m->staged.items[i]->tx.txid, txid)) return m->staged.items[i];
    return pool_find(m, txid);
}

void pool_stage_add(struct mempool *m, struct mempool_entry *e)
{
    uint64_t size = e->adjusted_weight ? e->adjusted_weight : 1;
    if (size > FEE_FRAC_MAX_SIZE) size = FEE_FRAC_MAX_SIZE;
    CHECK(tx_graph_is_staging(m->graph));
    e->id = tx_graph_add(m->graph, mempool_modified_fee(e), (int64_t)size, get_be64(e->tx.txid.bytes));
    for (size_t i = 0; i < e->tx.in_count; i++) {
        const struct mempool_entry *parent = parent_of(m, &e->tx.in[i].prevout.txid);
        if (parent) tx_graph_depend(m->graph, parent->id, e->id);
    }
    pool_set_add(&m->staged, e);
}

void pool_stage_remove(struct mempool *m, struct mempool_entry *e)
{
    CHECK(tx_graph_is_staging(m->graph));
    tx_graph_remove(m->graph, e->id);
}

bool pool_stage_fits(struct mempool *m)
{
    return !tx_graph_is_oversized(m->graph, TX_GRAPH_TOP);
}

void pool_stage_abort(struct mempool *m)
{
    tx_graph_abort(m->graph);
    pool_set_clear(&m->staged);
}

/* What the graph had no room for leaves, and what depends on it. */
static void drop_trimmed(struct mempool *m, struct tx_ids *trimmed)
{
    struct pool_set set = {0};
    for (size_t i = 0; i < trimmed->count; i++) pool_set_add(&set, m->by_id[trimmed->id[i]]);
    pool_add_descendants(m, &set);
    pool_remove(m, &set, REMOVED_SIZE_LIMIT);
    pool_set_clear(&set);
    tx_ids_clear(trimmed);
}

void pool_stage_commit(struct mempool *m, const struct pool_set *removed, enum removal_reason reason,
                       struct mempool_entry *const *added, size_t added_count, bool counted_for_estimates)
{
    struct tx_ids trimmed = {0};
    CHECK(added_count == m->staged.count);
    for (size_t i = 0; removed && i < removed->count; i++)
        CHECK(!tx_graph_has(m->graph, TX_GRAPH_TOP, removed->items[i]->id));
    tx_graph_trim(m->graph, &trimmed);
    tx_graph_commit(m->graph);
    pool_set_clear(&m->staged);
    for (size_t i = 0; removed && i < removed->count; i++) {
        store_del(m, removed->items[i], reason);
        pool_entry_free(removed->items[i]);
    }
    for (size_t i = 0; i < added_count; i++) {
        struct mempool_entry *e = added[i];
        store_put(m, e);
        if (m->estimator)
            fee_estimator_add(m->estimator, &e->tx.txid, e->fee, e->vsize, e->height, counted_for_estimates);
    }
    if (trimmed.count) drop_trimmed(m, &trimmed);
}
