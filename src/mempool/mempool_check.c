/* The invariants of the pool, recomputed from its transactions and the chain alone. */
#include "base/arena.h"
#include "base/check.h"
#include "mempool/mempool_internal.h"
#include "mempool/pool_store.h"

#include <stdlib.h>

/* Sums over all entries. */
struct sums {
    uint64_t vbytes, bytes, inputs;
    amount_sat fees;
};

/* The ways to one entry, and what it says of itself. */
static void check_entry(const struct mempool *m, size_t at, struct sums *sums)
{
    const struct mempool_entry *e = m->entries[at];
    CHECK(e->at == at && (at == 0 || m->entries[(at - 1) / 2]->time_s <= e->time_s));
    CHECK(pool_find(m, &e->tx.txid) == e && mempool_find_wtxid(m, &e->tx.wtxid) == e);
    CHECK(mempool_of_id(m, e->id) == e && tx_graph_has(m->graph, TX_GRAPH_MAIN, e->id));
    CHECK(e->weight_wu == tx_weight(&e->tx) && e->adjusted_weight >= e->weight_wu);
    CHECK(e->vsize == (e->adjusted_weight + 3) / 4);
    CHECK(e->delta == pool_delta(m, &e->tx.txid));
    struct fee_frac in_graph = tx_graph_tx(m->graph, e->id);
    amount_sat fee = mempool_modified_fee(e);
    if (fee > FEE_FRAC_MAX_FEE) fee = FEE_FRAC_MAX_FEE;
    if (fee < -FEE_FRAC_MAX_FEE) fee = -FEE_FRAC_MAX_FEE;
    CHECK(in_graph.fee == fee);
    CHECK(in_graph.size == (int64_t)e->adjusted_weight || in_graph.size == FEE_FRAC_MAX_SIZE);
    for (size_t i = 0; i < e->tx.in_count; i++) CHECK(pool_spender(m, &e->tx.in[i].prevout) == e);
    sums->vbytes += e->vsize;
    sums->bytes += pool_entry_bytes(e);
    sums->inputs += e->tx.in_count;
    sums->fees += e->fee;
}

static void check_tables(const struct mempool *m)
{
    struct sums sums = {0};
    for (size_t i = 0; i < m->count; i++) check_entry(m, i, &sums);
    CHECK(sums.vbytes == m->vbytes && sums.bytes == m->entry_bytes && sums.fees == m->fees);
    CHECK(m->by_txid.count == m->count && m->by_wtxid.count == m->count && m->spends.count == sums.inputs);
    CHECK(tx_graph_count(m->graph, TX_GRAPH_MAIN) == m->count);
    size_t at = 0;
    for (const struct pool_delta *d; (d = hashmap_next(&m->deltas, &at));) CHECK(d->delta != 0);
    at = 0;
    for (const struct txid *id; (id = hashmap_next(&m->unbroadcast, &at));) CHECK(pool_find(m, id));
}

/* ---- relations ---- */

/* The graph knows of E exactly the ancestors that its inputs make. */
static void check_ancestors(struct mempool *m, struct mempool_entry *e)
{
    struct pool_set set = {0};
    tx_id ids[LIN_MAX];
    pool_set_add(&set, e);
    for (size_t i = 0; i < set.count; i++) {
        const struct tx *tx = &set.items[i]->tx;
        for (size_t k = 0; k < tx->in_count; k++) {
            struct mempool_entry *parent = pool_find(m, &tx->in[k].prevout.txid);
            if (parent) pool_set_add(&set, parent);
        }
    }
    unsigned n = tx_graph_ancestors(m->graph, TX_GRAPH_MAIN, e->id, ids);
    CHECK(n == set.count);
    for (unsigned i = 0; i < n; i++) CHECK(pool_set_has(&set, m->by_id[ids[i]]));
    pool_set_clear(&set);
}

/* Parents stand before children, and the order is that of the comparison. */
static void check_order(struct mempool *m)
{
    struct mempool_list order = mempool_ordered(m);
    struct pool_set seen = {0};
    for (size_t i = 0; i < order.count; i++) {
        struct mempool_entry *e = m->by_id[order.entries[i]->id];
        for (size_t k = 0; k < e->tx.in_count; k++) {
            const struct mempool_entry *parent = pool_find(m, &e->tx.in[k].prevout.txid);
            CHECK(!parent || pool_set_has(&seen, parent));
        }
        CHECK(i == 0 || mempool_compare(m, order.entries[i - 1], e) < 0);
        pool_set_add(&seen, e);
        check_ancestors(m, e);
    }
    CHECK(seen.count == m->count);
    pool_set_clear(&seen);
    free(order.entries);
}

/* ---- the chain ---- */

/* What input AT of E spends: an output of the pool or a coin of the chain. False where our machine cannot tell. */
static bool find_spent(struct mempool *m, const struct mempool_entry *e, size_t at, struct tx_out *out,
                       coin_origin *origin)
{
    const struct outpoint *prevout = &e->tx.in[at].prevout;
    const struct mempool_entry *parent = pool_find(m, &prevout->txid);
    if (parent) {
        CHECK(prevout->index < parent->tx.out_count);
        *out = parent->tx.out[prevout->index];
        *origin = coin_origin_of(chain_height(m->chain) + 1, false);
        return true;
    }
    struct coin coin;
    struct error error;
    enum result r = coins_get(m->chain->coins, prevout, &coin, &error);
    CHECK(r != RESULT_NOT_FOUND);
    if (r) return false;
    *out = (struct tx_out){coin.value, coin.script_pubkey};
    *origin = coin.origin;
    return true;
}

/* E could be in the next block, beside what it rests on. */
static void check_inputs(struct mempool *m, const struct mempool_entry *e, struct arena *arena)
{
    const struct block_node *tip = chain_tip(m->chain);
    struct tx_out *spent = arena_alloc_array(arena, e->tx.in_count, sizeof(*spent));
    coin_origin *origins = arena_alloc_array(arena, e->tx.in_count, sizeof(*origins));
    bool coinbase = false;
    for (size_t i = 0; i < e->tx.in_count; i++) {
        if (!find_spent(m, e, i, &spent[i], &origins[i])) return;
        coinbase |= coin_is_coinbase(origins[i]);
    }
    struct verdict v = {0};
    amount_sat fee;
    CHECK(!tx_is_coinbase(&e->tx) && coinbase == e->spends_coinbase);
    CHECK(tx_check_inputs(&e->tx, spent, origins, tip->header.height + 1, &fee, &v) && fee == e->fee);
    CHECK(tx_is_final(&e->tx, tip->header.height + 1, header_median_time(&tip->header)));
    CHECK(!e->lock_block || chain_contains(m->chain, e->lock_block));
    CHECK(e->lock_height <= tip->header.height);
    CHECK(e->lock_time_s < header_median_time(&tip->header));
}

void mempool_check(struct mempool *m)
{
    CHECK(!tx_graph_is_staging(m->graph) && m->staged.count == 0);
    CHECK(!tx_graph_is_oversized(m->graph, TX_GRAPH_MAIN));
    tx_graph_check(m->graph);
    check_tables(m);
    check_order(m);
    struct arena arena = {0};
    for (size_t i = 0; i < m->count; i++) {
        check_inputs(m, m->entries[i], &arena);
        arena_reset(&arena);
    }
    arena_clear(&arena);
}

void pool_check_sometimes(struct mempool *m)
{
    if (m->options.check_one_in && random_below(&m->random, m->options.check_one_in) == 0) mempool_check(m);
}
