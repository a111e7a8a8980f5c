/* The last reorganisations and what became of the transactions that they threw out. */
#include "node/reorgs.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "mempool/mempool.h"
#include "node/node.h"
#include "node/reorg_watch.h"

/* A transaction of the old branch while the chain moves. FATE is DROPPED until something else is known. */
struct lost_tx {
    struct txid txid; /* key of by_txid */
    struct txid conflict;
    int32_t height;
    int32_t marked_at; /* height of the block of the new branch that set FATE; 0: none did */
    uint32_t first_input, input_count;
    enum reorg_fate fate;
};

struct lost_input {
    struct outpoint spent; /* key of by_spent */
    uint32_t tx;
};

/* A block of the old branch; where its part of the lists begins. */
struct lost_block {
    size_t first_tx, first_input;
    uint64_t txs;
};

struct reorgs {
    struct reorg *list; /* oldest first */
    size_t count, cap;
    uint64_t next_id;
    int32_t alarm_height;     /* -1: there was none */
    struct reorg_watch watch; /* what is in the lists */

    /* The chain moves. Lists are from the old tip downwards, in a block from its last transaction to its first. */
    const struct block_node *before;
    bool loading;
    struct lost_block *blocks;
    size_t block_count, block_cap;
    struct lost_tx *txs;
    size_t tx_count, tx_cap;
    struct lost_input *inputs;
    size_t input_count, input_cap;
    uint64_t all_txs;
    bool mapped; /* the maps hold the lists */
    struct hashmap by_txid, by_spent;
};

/* ---- life ---- */

struct reorgs *reorgs_new(uint64_t hash_seed)
{
    struct reorgs *r = mem_calloc(1, sizeof(*r));
    r->next_id = 1;
    r->alarm_height = -1;
    hashmap_init(&r->by_txid, offsetof(struct lost_tx, txid), sizeof(struct txid), hash_seed);
    hashmap_init(&r->by_spent, offsetof(struct lost_input, spent), sizeof(struct outpoint), hash_seed);
    reorg_watch_init(&r->watch, hash_seed);
    return r;
}

static void unmap(struct reorgs *r)
{
    if (!r->mapped) return;
    hashmap_clear(&r->by_txid);
    hashmap_clear(&r->by_spent);
    r->mapped = false;
}

static void forget_lost(struct reorgs *r)
{
    unmap(r);
    if (!r->block_cap) return;
    free(r->blocks);
    free(r->txs);
    free(r->inputs);
    r->blocks = NULL;
    r->txs = NULL;
    r->inputs = NULL;
    r->block_count = r->block_cap = r->tx_count = r->tx_cap = r->input_count = r->input_cap = 0;
    r->all_txs = 0;
}

void reorgs_free(struct reorgs *r)
{
    if (!r) return;
    forget_lost(r);
    for (size_t i = 0; i < r->count; i++) free(r->list[i].txs);
    reorg_watch_clear(&r->watch);
    free(r->list);
    free(r);
}

const struct reorg *node_reorgs(const struct node *n, size_t *count)
{
    *count = n->reorgs->count;
    return n->reorgs->list;
}

const char *reorg_fate_name(enum reorg_fate fate)
{
    static const char *const names[REORG_FATES] = {
        [REORG_MEMPOOL] = "mempool", [REORG_MINED] = "mined",       [REORG_CONFLICTED] = "conflicted",
        [REORG_DROPPED] = "dropped", [REORG_COINBASE] = "coinbase",
    };
    return names[fate];
}

uint64_t reorg_reversed(const struct reorg *o)
{
    uint64_t kept = (uint64_t)o->depth + o->fates[REORG_MINED]; /* one reward in each block */
    return o->tx_count > kept ? o->tx_count - kept : 0;
}

enum reorg_now node_reorg_tx_now(const struct node *n, const struct reorg_tx *tx, int32_t *height)
{
    *height = reorg_watch_height(&n->reorgs->watch, &tx->txid);
    if (*height >= 0) return REORG_NOW_CONFIRMED;
    return mempool_find(n->mempool, &tx->txid) ? REORG_NOW_MEMPOOL : REORG_NOW_GONE;
}

/* ---- the chain moves ---- */

void reorgs_begin(struct reorgs *r, const struct block_node *tip, bool loading)
{
    forget_lost(r);
    r->before = tip;
    r->loading = loading;
}

static void keep_tx(struct reorgs *r, const struct tx *tx, int32_t height)
{
    bool coinbase = tx_is_coinbase(tx);
    r->txs = mem_grow(r->txs, &r->tx_cap, r->tx_count + 1, sizeof(*r->txs));
    struct lost_tx *l = &r->txs[r->tx_count++];
    *l = (struct lost_tx){.txid = tx->txid,
                          .height = height,
                          .first_input = (uint32_t)r->input_count,
                          .fate = coinbase ? REORG_COINBASE : REORG_DROPPED};
    if (coinbase || r->input_count + tx->in_count > REORG_INPUTS_KEPT) return;
    r->inputs = mem_grow(r->inputs, &r->input_cap, r->input_count + tx->in_count, sizeof(*r->inputs));
    for (size_t i = 0; i < tx->in_count; i++)
        r->inputs[r->input_count++] =
            (struct lost_input){.spent = tx->in[i].prevout, .tx = (uint32_t)(r->tx_count - 1)};
    l->input_count = (uint32_t)tx->in_count;
}

static void old_block_left(struct reorgs *r, const struct block *b, int32_t height)
{
    r->blocks = mem_grow(r->blocks, &r->block_cap, r->block_count + 1, sizeof(*r->blocks));
    r->blocks[r->block_count++] =
        (struct lost_block){.first_tx = r->tx_count, .first_input = r->input_count, .txs = b->tx_count};
    r->all_txs += b->tx_count;
    if (r->loading) return;
    for (size_t i = b->tx_count; i-- > 0 && r->tx_count < REORG_TXS_KEPT;) keep_tx(r, &b->txs[i], height);
}

/* The branch that was tried in its place failed, and the old one is taken up again. */
static void old_block_back(struct reorgs *r)
{
    if (!r->block_count) return;
    const struct lost_block *b = &r->blocks[--r->block_count];
    r->tx_count = b->first_tx;
    r->input_count = b->first_input;
    r->all_txs -= b->txs;
    unmap(r);
}

static void map_lost(struct reorgs *r)
{
    if (r->mapped) return;
    for (size_t i = 0; i < r->tx_count; i++)
        if (!hashmap_get(&r->by_txid, &r->txs[i].txid)) hashmap_put(&r->by_txid, &r->txs[i]);
    for (size_t i = 0; i < r->input_count; i++)
        if (!hashmap_get(&r->by_spent, &r->inputs[i].spent)) hashmap_put(&r->by_spent, &r->inputs[i]);
    r->mapped = true;
}

static void new_block_connected(struct reorgs *r, const struct block *b, int32_t height)
{
    if (!r->tx_count) return;
    map_lost(r);
    for (size_t i = 1; i < b->tx_count; i++) {
        const struct tx *tx = &b->txs[i];
        struct lost_tx *same = hashmap_get(&r->by_txid, &tx->txid);
        if (same) {
            same->fate = REORG_MINED;
            same->marked_at = height;
            continue;
        }
        for (size_t k = 0; k < tx->in_count; k++) {
            const struct lost_input *in = hashmap_get(&r->by_spent, &tx->in[k].prevout);
            if (!in || r->txs[in->tx].marked_at) continue;
            r->txs[in->tx].fate = REORG_CONFLICTED;
            r->txs[in->tx].conflict = tx->txid;
            r->txs[in->tx].marked_at = height;
        }
    }
}

/* A branch that was tried is left again: what its block did is taken back. */
static void new_block_left(struct reorgs *r, int32_t height)
{
    for (size_t i = 0; i < r->tx_count; i++) {
        struct lost_tx *l = &r->txs[i];
        if (!l->marked_at || l->marked_at < height) continue;
        l->fate = REORG_DROPPED;
        l->conflict = (struct txid){0};
        l->marked_at = 0;
    }
}

void reorgs_on_notice(struct reorgs *r, const struct notice *notice)
{
    const struct block_node *node = notice->node;
    reorg_watch_on_notice(&r->watch, notice);
    if (notice->kind != NOTICE_CONNECTED && notice->kind != NOTICE_DISCONNECTED) return;
    int32_t height = node->header.height;
    bool old = r->before && block_node_ancestor(r->before, height) == node;
    if (notice->kind == NOTICE_DISCONNECTED) {
        if (old)
            old_block_left(r, notice->block, height);
        else
            new_block_left(r, height);
    } else if (old) {
        old_block_back(r);
    } else {
        new_block_connected(r, notice->block, height);
    }
}

/* ---- at rest again ---- */

/* Parents before children: who spends an output of a conflicted one has lost it too. */
static void inherit_conflicts(struct reorgs *r)
{
    map_lost(r);
    for (size_t i = r->tx_count; i-- > 0;) {
        struct lost_tx *l = &r->txs[i];
        for (size_t k = 0; k < l->input_count && l->fate == REORG_DROPPED; k++) {
            const struct lost_tx *parent = hashmap_get(&r->by_txid, &r->inputs[l->first_input + k].spent.txid);
            if (!parent || parent->fate != REORG_CONFLICTED) continue;
            l->fate = REORG_CONFLICTED;
            l->conflict = parent->conflict;
        }
    }
}

static void keep_fates(struct reorgs *r, struct reorg *out, const struct mempool *pool)
{
    inherit_conflicts(r);
    out->tx_count = r->loading ? 0 : r->all_txs;
    if (!r->tx_count) return;
    out->txs = mem_calloc(r->tx_count, sizeof(*out->txs));
    for (size_t i = r->tx_count; i-- > 0;) {
        const struct lost_tx *l = &r->txs[i];
        enum reorg_fate fate = l->fate;
        if (fate == REORG_DROPPED && mempool_find(pool, &l->txid)) fate = REORG_MEMPOOL;
        out->txs[out->txs_kept++] =
            (struct reorg_tx){.txid = l->txid, .conflict = l->conflict, .height = l->height, .fate = fate};
        out->fates[fate]++;
        reorg_watch_add(&r->watch, &l->txid, fate == REORG_MINED ? l->marked_at : -1);
    }
}

static void forget_txs(struct reorgs *r, struct reorg *o)
{
    for (size_t i = 0; i < o->txs_kept; i++) reorg_watch_drop(&r->watch, &o->txs[i].txid);
    free(o->txs);
    o->txs = NULL;
    o->txs_kept = 0;
}

static void make_room(struct reorgs *r)
{
    if (r->count < REORGS_KEPT) return;
    forget_txs(r, &r->list[0]);
    memmove(r->list, r->list + 1, --r->count * sizeof(*r->list));
}

static void limit_txs(struct reorgs *r)
{
    size_t total = 0;
    for (size_t i = r->count; i-- > 0;) {
        struct reorg *o = &r->list[i];
        total += o->txs_kept;
        if (total <= REORG_TXS_KEPT_TOTAL) continue;
        total -= o->txs_kept;
        forget_txs(r, o);
    }
}

static const struct block_node *fork_of(const struct block_node *a, const struct block_node *b)
{
    int32_t height = a->header.height < b->header.height ? a->header.height : b->header.height;
    a = block_node_ancestor(a, height);
    b = block_node_ancestor(b, height);
    while (a != b) {
        a = block_node_prev(a);
        b = block_node_prev(b);
    }
    return a;
}

struct reorg *reorgs_end(struct reorgs *r, const struct block_node *tip, const struct mempool *pool, int64_t time_us)
{
    const struct block_node *before = r->before, *fork = before && tip ? fork_of(before, tip) : before;
    if (fork == before) {
        forget_lost(r);
        return NULL;
    }
    struct reorg o = {
        .id = r->next_id++,
        .time_us = time_us,
        .old_tip = before->header.hash,
        .old_height = before->header.height,
        .new_tip = tip->header.hash,
        .new_height = tip->header.height,
        .fork = fork->header.hash,
        .fork_height = fork->header.height,
        .depth = (uint32_t)(before->header.height - fork->header.height),
        .connected = (uint32_t)(tip->header.height - fork->header.height),
        .loading = r->loading,
    };
    keep_fates(r, &o, pool);
    forget_lost(r);
    make_room(r);
    r->list = mem_grow(r->list, &r->cap, r->count + 1, sizeof(*r->list));
    r->list[r->count++] = o;
    limit_txs(r);
    return &r->list[r->count - 1];
}

/* ---- the alarm ---- */

void reorgs_set_alarm(struct reorgs *r, int32_t height)
{
    r->alarm_height = height;
}

bool reorgs_alarm_holds(const struct reorgs *r, int32_t tip_height)
{
    return r->alarm_height >= 0 && tip_height < r->alarm_height + REORG_ALARM_BLOCKS;
}
