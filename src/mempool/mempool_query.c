/* Who is in the pool, and how they are related. */
#include "base/alloc.h"
#include "base/check.h"
#include "mempool/mempool_internal.h"

#include <stdlib.h>

size_t mempool_count(const struct mempool *m)
{
    return m->count;
}

const struct mempool_entry *mempool_at(const struct mempool *m, size_t at)
{
    CHECK(at < m->count);
    return m->entries[at];
}

const struct mempool_entry *mempool_find(const struct mempool *m, const struct txid *txid)
{
    return pool_find(m, txid);
}

const struct mempool_entry *mempool_find_wtxid(const struct mempool *m, const struct wtxid *wtxid)
{
    return hashmap_get(&m->by_wtxid, wtxid);
}

const struct mempool_entry *mempool_of_id(const struct mempool *m, tx_id id)
{
    return id < m->id_cap ? m->by_id[id] : NULL;
}

const struct mempool_entry *mempool_spender(const struct mempool *m, const struct outpoint *at)
{
    return pool_spender(m, at);
}

enum result mempool_get_coin(struct mempool *m, const struct outpoint *at, struct coin *out, bool *found,
                             struct error *e)
{
    *found = false;
    if (pool_spender(m, at)) return RESULT_OK;
    const struct mempool_entry *of = pool_find(m, &at->txid);
    if (of) {
        if (at->index >= of->tx.out_count) return RESULT_OK;
        const struct tx_out *o = &of->tx.out[at->index];
        *out = (struct coin){o->value, coin_origin_of(MEMPOOL_COIN_HEIGHT, false), o->script_pubkey};
        *found = true;
        return RESULT_OK;
    }
    enum result r = coins_get(m->chain->coins, at, out, e);
    if (r == RESULT_NOT_FOUND) return RESULT_OK;
    *found = r == RESULT_OK;
    return r;
}

/* ---- relations ---- */

/* The items of a set as a list; the set is empty then. */
static struct mempool_list list_of_set(struct pool_set *set)
{
    struct mempool_list list = {mem_calloc(set->count + 1, sizeof(struct mempool_entry *)), set->count};
    for (size_t i = 0; i < set->count; i++) list.entries[i] = set->items[i];
    pool_set_clear(set);
    return list;
}

struct mempool_list mempool_parents(const struct mempool *m, const struct mempool_entry *e)
{
    struct pool_set set = {0};
    for (size_t i = 0; i < e->tx.in_count; i++) {
        struct mempool_entry *parent = pool_find(m, &e->tx.in[i].prevout.txid);
        if (parent) pool_set_add(&set, parent);
    }
    return list_of_set(&set);
}

struct mempool_list mempool_children(const struct mempool *m, const struct mempool_entry *e)
{
    struct pool_set set = {0};
    struct outpoint at = {.txid = e->tx.txid};
    for (at.index = 0; at.index < e->tx.out_count; at.index++) {
        struct mempool_entry *child = pool_spender(m, &at);
        if (child) pool_set_add(&set, child);
    }
    return list_of_set(&set);
}

static struct mempool_list list_of_ids(const struct mempool *m, const tx_id *ids, size_t count)
{
    struct mempool_list list = {mem_calloc(count + 1, sizeof(struct mempool_entry *)), count};
    for (size_t i = 0; i < count; i++) list.entries[i] = m->by_id[ids[i]];
    return list;
}

struct mempool_list mempool_ancestors(struct mempool *m, const struct mempool_entry *e)
{
    tx_id ids[LIN_MAX];
    return list_of_ids(m, ids, tx_graph_ancestors(m->graph, TX_GRAPH_MAIN, e->id, ids));
}

struct mempool_list mempool_descendants(struct mempool *m, const struct mempool_entry *e)
{
    tx_id ids[LIN_MAX];
    return list_of_ids(m, ids, tx_graph_descendants(m->graph, TX_GRAPH_MAIN, e->id, ids));
}

struct mempool_list mempool_cluster(struct mempool *m, const struct mempool_entry *e)
{
    tx_id ids[LIN_MAX];
    return list_of_ids(m, ids, tx_graph_cluster(m->graph, TX_GRAPH_MAIN, e->id, ids));
}

struct mempool_list mempool_ordered(struct mempool *m)
{
    struct mempool_list list = {mem_calloc(m->count + 1, sizeof(struct mempool_entry *)), 0};
    struct tx_graph_builder *b = tx_graph_builder_new(m->graph);
    tx_id chunk[LIN_MAX];
    struct fee_frac rate;
    for (unsigned n; (n = tx_graph_builder_chunk(b, chunk, &rate)) > 0; tx_graph_builder_take(b))
        for (unsigned i = 0; i < n; i++) list.entries[list.count++] = m->by_id[chunk[i]];
    tx_graph_builder_free(b);
    CHECK(list.count == m->count);
    return list;
}

int mempool_compare(struct mempool *m, const struct mempool_entry *a, const struct mempool_entry *b)
{
    return -tx_graph_cmp(m->graph, a->id, b->id);
}

struct fee_frac mempool_chunk(struct mempool *m, const struct mempool_entry *e)
{
    return tx_graph_chunk_rate(m->graph, e->id);
}

struct tx_graph *mempool_graph(struct mempool *m)
{
    return m->graph;
}
