/* What fuzz_mempool_sequence compares the pool with: a list of all transactions that were ever made, and a view of the
 * coins that is made from the blocks of the active chain for each tip. Nothing else is kept that could be computed, and
 * nothing of the pool's own is used but its lowest fee. */
#ifndef CAIRN_TEST_FUZZ_MEMPOOL_NAIVE_H
#define CAIRN_TEST_FUZZ_MEMPOOL_NAIVE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/hashmap.h"
#include "mempool/mempool.h"
#include "store/store.h"
#include "support/block_maker.h"

enum {
    NAIVE_TXS = 256,
    NAIVE_BLOCKS = 64,
    BASE_BLOCKS = 108, /* so that the first coinbases are mature */
    BASE_OUTPUTS = 4,  /* of each coinbase */
    TRUC_LARGEST = 10000,
    TRUC_CHILD_LARGEST = 1000,
};

/* One that was made, in order: parents before children. */
struct known {
    struct tx *tx;
    amount_sat delta;
    int64_t time_s;
    bool in_pool;
};

struct naive_coin {
    struct outpoint at;
    amount_sat value;
    int32_t height;
    bool coinbase;
};

/* The coins of a chain that ends in TIP. */
struct view {
    const struct header_node *tip;
    struct hashmap coins;
    struct arena arena;
};

struct naive {
    struct known all[NAIVE_TXS];
    size_t count;
    struct block *blocks[NAIVE_BLOCKS]; /* beyond the base */
    size_t block_count;
    struct block *const *base; /* by height - 1 */
    struct mempool_options options;
    struct chain *chain;
    struct view view; /* of the active chain, once it was asked for */
};

/* ---- the chain ---- */

/* OP_RETURN: nobody can spend it, and the chain does not keep it. */
static inline bool naive_is_data(const struct tx_out *out)
{
    return out->script_pubkey.data[0] == 0x6a;
}

static inline void view_add(struct view *v, const struct tx *tx, int32_t height, bool coinbase)
{
    for (size_t i = 0; i < tx->out_count; i++) {
        if (naive_is_data(&tx->out[i])) continue;
        struct naive_coin *c = arena_alloc(&v->arena, sizeof(*c));
        *c = (struct naive_coin){{tx->txid, (uint32_t)i}, tx->out[i].value, height, coinbase};
        if (!hashmap_get(&v->coins, &c->at)) hashmap_put(&v->coins, c);
    }
}

static inline void view_apply(struct view *v, const struct tx *tx, int32_t height)
{
    for (size_t i = 0; i < tx->in_count; i++) CHECK(hashmap_del(&v->coins, &tx->in[i].prevout));
    view_add(v, tx, height, false);
}

static inline const struct block *naive_block(const struct naive *n, const struct header_node *node)
{
    if (node->height <= BASE_BLOCKS) return n->base[node->height - 1];
    for (size_t i = 0; i < n->block_count; i++)
        if (block_hash_equal(&n->blocks[i]->hash, &node->hash)) return n->blocks[i];
    CHECK(!"a block that nobody made");
    return NULL;
}

static inline void view_clear(struct view *v)
{
    hashmap_clear(&v->coins);
    arena_clear(&v->arena);
}

static inline struct view view_at(const struct naive *n, const struct header_node *tip)
{
    struct view v = {.tip = tip};
    hashmap_init(&v.coins, offsetof(struct naive_coin, at), sizeof(struct outpoint), 5);
    for (int32_t height = 1; height <= tip->height; height++) {
        const struct block *b = naive_block(n, header_ancestor(tip, height));
        view_add(&v, &b->txs[0], height, true);
        for (size_t i = 1; i < b->tx_count; i++) view_apply(&v, &b->txs[i], height);
    }
    return v;
}

static inline const struct view *naive_view(struct naive *n)
{
    const struct header_node *tip = &chain_tip(n->chain)->header;
    if (n->view.tip == tip) return &n->view;
    view_clear(&n->view);
    n->view = view_at(n, tip);
    return &n->view;
}

static inline bool naive_mined(const struct naive *n, const struct header_node *tip, const struct txid *txid)
{
    for (int32_t height = BASE_BLOCKS + 1; height <= tip->height; height++) {
        const struct block *b = naive_block(n, header_ancestor(tip, height));
        for (size_t i = 1; i < b->tx_count; i++)
            if (txid_equal(&b->txs[i].txid, txid)) return true;
    }
    return false;
}

/* ---- relations ---- */

static inline bool naive_spends(const struct tx *child, const struct tx *parent)
{
    for (size_t i = 0; i < child->in_count; i++)
        if (txid_equal(&child->in[i].prevout.txid, &parent->txid)) return true;
    return false;
}

static inline bool naive_conflict(const struct tx *a, const struct tx *b)
{
    for (size_t i = 0; i < a->in_count; i++)
        for (size_t k = 0; k < b->in_count; k++)
            if (!memcmp(&a->in[i].prevout, &b->in[k].prevout, sizeof(struct outpoint))) return true;
    return false;
}

enum { UP = 1, DOWN = 2 };

/* Adds to SET all of AMONG that its members are related to. Returns how many there are then. */
static inline size_t naive_reach(const struct naive *n, bool *set, const bool *among, unsigned ways)
{
    size_t count = 0;
    for (bool more = true; more;) {
        more = false;
        count = 0;
        for (size_t i = 0; i < n->count; i++) {
            for (size_t k = 0; k < n->count && among[i] && !set[i]; k++) {
                if (!set[k]) continue;
                const struct tx *a = n->all[i].tx, *b = n->all[k].tx;
                if ((ways & DOWN && naive_spends(a, b)) || (ways & UP && naive_spends(b, a))) set[i] = more = true;
            }
            count += set[i];
        }
    }
    return count;
}

static inline void naive_pool(const struct naive *n, bool *set)
{
    for (size_t i = 0; i < n->count; i++) set[i] = n->all[i].in_pool;
}

static inline uint64_t naive_vsize(const struct tx *tx)
{
    return (tx_weight(tx) + 3) / 4;
}

/* The cluster of AT among AMONG is too large. */
static inline bool naive_oversized(const struct naive *n, const bool *among, size_t at)
{
    bool set[NAIVE_TXS] = {0};
    uint64_t weight = 0;
    set[at] = true;
    size_t count = naive_reach(n, set, among, UP | DOWN);
    for (size_t i = 0; i < n->count; i++)
        if (set[i]) weight += tx_weight(n->all[i].tx);
    return count > n->options.cluster_count || weight > n->options.cluster_vbytes * 4;
}

#endif
