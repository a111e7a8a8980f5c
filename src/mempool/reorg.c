/* The chain moves: what a block takes out of the pool, and what a reorganisation brings back. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/check.h"
#include "consensus/params.h"
#include "mempool/mempool_internal.h"

enum {
    RETURNED_BYTES = 20000000, /* kept of disconnected blocks: what was mined last gives way first */
    WORK_AFTER_CHANGE = 5 * 75000,
};

/* ---- life ---- */

void reorg_init(struct mempool *m, uint64_t hash_seed)
{
    hashmap_init(&m->returned.by_txid, offsetof(struct mempool_entry, tx.txid), sizeof(struct txid), hash_seed);
}

static void forget_returned(struct returned *r)
{
    for (size_t i = r->first; i < r->count; i++)
        if (r->txs[i]) pool_entry_free(r->txs[i]);
    free(r->txs);
    r->txs = NULL;
    r->first = r->count = r->cap = 0;
    r->bytes = 0;
    hashmap_clear(&r->by_txid);
}

void reorg_clear(struct mempool *m)
{
    forget_returned(&m->returned);
}

size_t reorg_memory(const struct mempool *m)
{
    const struct returned *r = &m->returned;
    return r->bytes + r->cap * sizeof(*r->txs) + r->by_txid.cap * sizeof(void *);
}

/* ---- leaving ---- */

/* Who of the pool spends an output of TX, added to SET. */
static void add_spenders(struct mempool *m, const struct tx *tx, struct pool_set *set)
{
    for (size_t i = 0; i < tx->out_count; i++) {
        struct outpoint at = {.txid = tx->txid, .index = (uint32_t)i};
        struct mempool_entry *child = pool_spender(m, &at);
        if (child) pool_set_add(set, child);
    }
}

/* Removes TX, where it is there, and in any case what depends on it. */
static void remove_with_descendants(struct mempool *m, const struct tx *tx, enum removal_reason reason)
{
    struct pool_set set = {0};
    struct mempool_entry *e = pool_find(m, &tx->txid);
    if (e)
        pool_set_add(&set, e);
    else
        add_spenders(m, tx, &set);
    pool_add_descendants(m, &set);
    pool_remove(m, &set, reason);
    pool_set_clear(&set);
}

static void forget_delta(struct mempool *m, const struct txid *txid)
{
    amount_sat delta = pool_delta(m, txid);
    if (delta) mempool_prioritise(m, txid, -delta);
}

/* How much of BLOCK the pool had known. */
static void note_coverage(struct mempool *m, const struct block *block, const struct block_node *node,
                          const struct pool_set *mined)
{
    struct fee_covered_block c = {.height = (uint64_t)node->header.height};
    for (size_t i = 1; i < block->tx_count; i++) c.total_wu += tx_weight(&block->txs[i]);
    for (size_t i = 0; i < mined->count; i++) c.known_wu += mined->items[i]->weight_wu;
    fee_coverage_add(fee_estimator_coverage(m->estimator), &c, &node->header.hash);
}

/* Those of BLOCK that are in the pool leave, and the estimator learns of them. */
static void remove_mined(struct mempool *m, const struct block *block, const struct block_node *node)
{
    struct pool_set set = {0};
    struct fee_mined *mined = mem_alloc((block->tx_count + 1) * sizeof(*mined));
    for (size_t i = 0; i < block->tx_count; i++) {
        struct mempool_entry *e = pool_find(m, &block->txs[i].txid);
        if (!e) continue;
        mined[set.count] =
            (struct fee_mined){.txid = e->tx.txid, .fee = e->fee, .vsize = e->vsize, .entry_height = e->height};
        pool_set_add(&set, e);
    }
    if (m->estimator) {
        fee_estimator_block(m->estimator, node->header.height, mined, set.count);
        note_coverage(m, block, node, &set);
    }
    pool_remove(m, &set, REMOVED_BLOCK);
    pool_set_clear(&set);
    free(mined);
}

/* What spends the same as a transaction of BLOCK leaves, with all that depends on it. The mined ones are gone already.
 */
static void remove_conflicts(struct mempool *m, const struct block *block)
{
    struct pool_set set = {0};
    for (size_t i = 1; i < block->tx_count; i++) {
        const struct tx *tx = &block->txs[i];
        for (size_t k = 0; k < tx->in_count; k++) {
            struct mempool_entry *e = pool_spender(m, &tx->in[k].prevout);
            if (e) pool_set_add(&set, e);
        }
    }
    struct txid *direct = mem_alloc((set.count + 1) * sizeof(*direct));
    size_t count = set.count;
    for (size_t i = 0; i < count; i++) direct[i] = set.items[i]->tx.txid;
    pool_add_descendants(m, &set);
    pool_remove(m, &set, REMOVED_CONFLICT);
    for (size_t i = 0; i < count; i++) forget_delta(m, &direct[i]);
    pool_set_clear(&set);
    free(direct);
}

/* A new block has them again. */
static void take_from_returned(struct mempool *m, const struct block *block)
{
    struct returned *r = &m->returned;
    if (r->first == r->count) return;
    for (size_t i = 0; i < block->tx_count; i++) {
        struct mempool_entry *e = hashmap_del(&r->by_txid, &block->txs[i].txid);
        if (!e) continue;
        r->txs[e->at] = NULL;
        r->bytes -= pool_entry_bytes(e);
        pool_entry_free(e);
    }
}

void mempool_on_connected(struct mempool *m, const struct block *block, const struct block_node *node)
{
    remove_mined(m, block, node);
    remove_conflicts(m, block);
    for (size_t i = 0; i < block->tx_count; i++) forget_delta(m, &block->txs[i].txid);
    take_from_returned(m, block);
    m->rolling_update_s = m->now_s;
    m->block_since_bump = true;
    m->updates++;
    if (!tx_graph_is_oversized(m->graph, TX_GRAPH_MAIN)) tx_graph_work(m->graph, WORK_AFTER_CHANGE);
}

/* ---- coming back ---- */

static void drop_last_mined(struct mempool *m)
{
    struct returned *r = &m->returned;
    struct mempool_entry *e = r->txs[r->first++];
    if (!e) return;
    hashmap_del(&r->by_txid, &e->tx.txid);
    r->bytes -= pool_entry_bytes(e);
    remove_with_descendants(m, &e->tx, REMOVED_REORG);
    pool_entry_free(e);
}

void mempool_on_disconnected(struct mempool *m, const struct block *block)
{
    struct returned *r = &m->returned;
    r->disconnected = true;
    m->updates++;
    for (size_t i = block->tx_count; i-- > 0;) {
        struct mempool_entry *e = pool_entry_new(&block->txs[i]);
        r->txs = mem_grow(r->txs, &r->cap, r->count + 1, sizeof(struct mempool_entry *));
        e->at = r->count;
        r->txs[r->count++] = e;
        r->bytes += pool_entry_bytes(e);
        hashmap_put(&r->by_txid, e);
    }
    while (r->first < r->count && r->bytes > RETURNED_BYTES) drop_last_mined(m);
}

/* What was in the pool and spends what came back depends on it from now on; clusters that become too large lose their
 * worst. */
static void relate_children(struct mempool *m, const struct txid *back, size_t count)
{
    struct tx_ids removed = {0};
    struct pool_set set = {0};
    for (size_t i = count; i-- > 0;) {
        struct mempool_entry *parent = pool_find(m, &back[i]);
        if (!parent) continue;
        for (size_t k = 0; k < parent->tx.out_count; k++) {
            struct outpoint at = {.txid = back[i], .index = (uint32_t)k};
            struct mempool_entry *child = pool_spender(m, &at);
            if (child) tx_graph_depend(m->graph, parent->id, child->id);
        }
    }
    tx_graph_trim(m->graph, &removed);
    for (size_t i = 0; i < removed.count; i++) pool_set_add(&set, m->by_id[removed.id[i]]);
    pool_remove(m, &set, REMOVED_SIZE_LIMIT);
    pool_set_clear(&set);
    tx_ids_clear(&removed);
}

static void bring_back(struct mempool *m)
{
    struct returned r = m->returned;
    size_t count = 0;
    struct txid *back = mem_alloc((r.count - r.first + 1) * sizeof(*back));
    struct error e;
    for (size_t i = r.count; i-- > r.first;) {
        struct mempool_entry *copy = r.txs[i];
        struct verdict v = {0};
        if (!copy) continue;
        bool there = !tx_is_coinbase(&copy->tx) &&
                     !mempool_accept_one(m, &copy->tx, m->now_s, MEMPOOL_RETURNED, &v, &e) && verdict_ok(&v);
        if (there)
            back[count++] = copy->tx.txid;
        else
            remove_with_descendants(m, &copy->tx, REMOVED_REORG);
    }
    relate_children(m, back, count);
    forget_returned(&m->returned);
    free(back);
}

/* ---- what the new tip does not allow ---- */

static bool locks_met(const struct mempool_entry *e, const struct block_node *tip)
{
    return e->lock_height <= tip->header.height &&
           (e->lock_time_s < 0 || e->lock_time_s < header_median_time(&tip->header));
}

/* BIP68 locks and the maturity of what it spends, looked up anew. */
static enum result judge_inputs(struct mempool *m, struct mempool_entry *e, bool *allowed, struct error *error)
{
    struct arena arena = {0};
    struct tx_out *spent;
    coin_origin *origins;
    bool missing;
    int32_t height = chain_height(m->chain) + 1;
    enum result r = accept_find_coins(m, &e->tx, &arena, &spent, &origins, &missing, error);
    *allowed = !r && !missing;
    if (*allowed) {
        accept_set_locks(m, e, origins);
        *allowed = locks_met(e, chain_tip(m->chain));
        for (size_t i = 0; *allowed && i < e->tx.in_count; i++)
            if (coin_is_coinbase(origins[i]) && height - coin_height(origins[i]) < COINBASE_MATURITY) *allowed = false;
    }
    arena_clear(&arena);
    return r;
}

static bool still_allowed(struct mempool *m, struct mempool_entry *e)
{
    const struct block_node *tip = chain_tip(m->chain);
    struct error error;
    bool allowed;
    if (!tx_is_final(&e->tx, tip->header.height + 1, header_median_time(&tip->header))) return false;
    bool locks_hold = !e->lock_block || chain_contains(m->chain, e->lock_block);
    /* Locks of who spends something unconfirmed were found for a tip that may have been higher: refused only anew. */
    if (locks_hold && !e->spends_coinbase && locks_met(e, tip)) return true;
    enum result r = judge_inputs(m, e, &allowed, &error);
    if (r) (void)pool_fail(m, r, &error);
    return allowed;
}

static void remove_disallowed(struct mempool *m)
{
    struct pool_set set = {0};
    for (size_t i = 0; i < m->count; i++)
        if (!still_allowed(m, m->entries[i])) pool_set_add(&set, m->entries[i]);
    pool_add_descendants(m, &set);
    pool_remove(m, &set, REMOVED_REORG);
    pool_set_clear(&set);
    tx_graph_work(m->graph, WORK_AFTER_CHANGE);
}

void mempool_settle(struct mempool *m)
{
    if (m->returned.disconnected) {
        m->returned.disconnected = false;
        bring_back(m);
        remove_disallowed(m);
        pool_limit(m);
    }
    pool_check_sometimes(m);
}
