/* The checkers: what must hold of every node at any time, and of all of them in the end. */
#include <stdlib.h>

#include "base/alloc.h"
#include "script/script.h"
#include "sim/internal.h"

enum { SIDE_MEMORY_MAX = 24 << 20, P2P_MEMORY_MAX = 64 << 20, FINAL_BLOCKS = 2 };

/* ---- safety ---- */

/* One more node has this block: notes how long it took to reach half of them, nine in ten, all. */
static void note_spread(struct sim *s, struct sim_block *b)
{
    unsigned all = (unsigned)s->node_count, marks[SIM_SPREADS] = {(all + 1) / 2, (all * 9 + 9) / 10, all};
    b->holders++;
    for (unsigned k = 0; k < SIM_SPREADS; k++)
        if (b->holders == marks[k]) b->spread_us[k] = s->now_us - b->found_us + 1;
}

void sim_check_tip(struct sim_node *n)
{
    struct sim *s = n->sim;
    if (!n->node) return;
    const struct block_node *tip = chain_tip(n->node->chain);
    if (tip == n->tip) return;
    if (n->tip && header_fork(&n->tip->header, &tip->header) != &n->tip->header &&
        header_fork(&n->tip->header, &tip->header) != &tip->header)
        s->report->reorgs++;
    const struct block_node *old = n->tip;
    n->tip = tip;
    s->tips_moved = true;
    struct sim_block *b = sim_block_find(s, &tip->header.hash);
    sim_trace(s, "tip", n->index, (uint64_t)tip->header.height, hash_bytes(1, tip->header.hash.bytes, 32));
    if (b) note_spread(s, b);
    if (!b)
        sim_fail(s, "node %u has a block at height %d that nobody made", n->index, tip->header.height);
    else if (!b->valid)
        sim_fail(s, "node %u has an invalid block in its active chain at height %d (%s)", n->index, b->height,
                 b->fault ? b->fault : "its parent");
    s->report->height = tip->header.height > s->report->height ? tip->header.height : s->report->height;
    if (s->on_tip) s->on_tip(n, old);
}

/* Nothing valid may be marked failed. */
static void check_marks(struct sim_node *n)
{
    const struct block_tree *t = &n->node->chain->tree;
    for (size_t i = 0; i < t->count; i++) {
        const struct sim_block *b = sim_block_find(n->sim, &t->nodes[i]->header.hash);
        if (b && b->valid && t->nodes[i]->status & BLOCK_ANY_FAILURE)
            sim_fail(n->sim, "node %u holds the valid block at height %d for invalid", n->index, b->height);
    }
}

/* Nobody honest may be punished. */
static void check_bans(struct sim_node *n)
{
    struct sim *s = n->sim;
    for (size_t i = 0; i < s->host_count; i++) {
        const struct sim_host *h = s->hosts[i];
        bool punished = bans_is_discouraged(&n->node->bans, &h->at.addr) ||
                        bans_has_addr(&n->node->bans, &h->at.addr, sim_node_wall_us(n) / 1000000);
        if (punished && h->node >= 0) sim_fail(s, "node %u punishes node %d", n->index, h->node);
        s->report->discouraged += punished;
    }
}

static void check_memory(struct sim_node *n)
{
    struct sim *s = n->sim;
    size_t bytes = p2p_memory(n->node->p2p);
    if (bytes > s->report->peak_node_memory) s->report->peak_node_memory = bytes;
    if (bytes > P2P_MEMORY_MAX) sim_fail(s, "node %u holds %zu bytes for its peers", n->index, bytes);
    for (size_t i = 0; i < n->peer_count; i++) {
        const struct sim_side *side = &s->links[n->peers[i].link]->side[n->peers[i].side];
        if (sim_side_memory(side) > SIDE_MEMORY_MAX)
            sim_fail(s, "node %u queues %zu bytes for one peer", n->index, sim_side_memory(side));
    }
}

void sim_check_node(struct sim_node *n)
{
    struct sim *s = n->sim;
    if (!n->node) return;
    sim_check_tip(n);
    p2p_check(n->node->p2p);
    int broken = addrman_check(n->node->addrman);
    if (broken) sim_fail(s, "the address book of node %u is broken: %d", n->index, broken);
    chain_check_index(n->node->chain);
    coins_check(n->node->chain->coins);
    if (!n->fatal) sim_check_pool(n); /* a disk that failed in the middle of a reorganisation leaves it unsettled */
    check_marks(n);
    check_bans(n);
    check_memory(n);
}

void sim_check_all(struct sim *s)
{
    s->report->discouraged = 0;
    for (size_t i = 0; i < s->node_count && !s->report->failed; i++) sim_check_node(s->nodes[i]);
}

/* ---- liveness ---- */

bool sim_converged(const struct sim *s)
{
    const struct block_node *first = NULL;
    if (s->final_blocks < FINAL_BLOCKS) return false;
    for (size_t i = 0; i < s->node_count; i++) {
        if (!s->nodes[i]->node) return false;
        const struct block_node *tip = chain_tip(s->nodes[i]->node->chain);
        if (!first) first = tip;
        if (!block_hash_equal(&first->header.hash, &tip->header.hash)) return false;
    }
    return first && first->header.height >= s->final->height;
}

/* ---- coins ---- */

struct naive_coin {
    struct outpoint at; /* first: the key */
    struct span script;
    amount_sat value;
};

/* All unspent outputs of the chain that ends at TIP, by a map and nothing else. The blocks stay in *BLOCKS. */
static void naive_replay(struct sim *s, struct sim_block *tip, struct hashmap *coins, struct block ***blocks)
{
    size_t count = (size_t)tip->height;
    struct block **list = *blocks = mem_calloc(count + 1, sizeof(struct block *));
    for (struct sim_block *b = tip; b->parent; b = b->parent) list[--count] = block_parse(buffer_span(&b->raw));
    hashmap_init(coins, offsetof(struct naive_coin, at), sizeof(struct outpoint), s->options.seed);
    for (size_t i = 0; i < (size_t)tip->height; i++) {
        for (size_t t = 0; t < list[i]->tx_count; t++) {
            const struct tx *tx = &list[i]->txs[t];
            for (size_t k = 0; t && k < tx->in_count; k++) {
                void *spent = hashmap_del(coins, &tx->in[k].prevout);
                if (!spent) sim_fail(s, "the block at height %zu spends what is not there", i + 1);
                free(spent);
            }
            for (size_t k = 0; k < tx->out_count; k++) {
                if (script_is_unspendable(tx->out[k].script_pubkey)) continue;
                struct naive_coin *coin = mem_calloc(1, sizeof(*coin));
                coin->at = (struct outpoint){.txid = tx->txid, .index = (uint32_t)k};
                coin->script = tx->out[k].script_pubkey;
                coin->value = tx->out[k].value;
                hashmap_put(coins, coin);
            }
        }
    }
}

static void naive_free(struct sim_block *tip, struct hashmap *coins, struct block **blocks)
{
    size_t at = 0;
    for (void *coin; (coin = hashmap_next(coins, &at));) free(coin);
    hashmap_clear(coins);
    for (int32_t i = 0; i < tip->height; i++) block_free(blocks[i]);
    free(blocks);
}

/* The coins of N, flushed, one by one against COINS. */
static void compare_coins(struct sim_node *n, const struct hashmap *coins)
{
    struct sim *s = n->sim;
    struct error e;
    enum result r = chain_flush(n->node->chain, false, &e);
    if (r) {
        sim_fail(s, "node %u cannot flush: %s", n->index, e.text);
        return;
    }
    size_t count = 0;
    struct outpoint at;
    struct coin coin;
    struct coins_iter *it = coins_iter_new(n->node->chain->coins);
    while (coins_iter_next(it, &at, &coin, &r, &e)) {
        const struct naive_coin *naive = hashmap_get(coins, &at);
        if (!naive || naive->value != coin.value || !span_equal(naive->script, coin.script_pubkey))
            sim_fail(s, "node %u has a coin that a replay does not have", n->index);
        count++;
    }
    coins_iter_free(it);
    if (r || count != coins->count) sim_fail(s, "node %u has %zu coins, a replay %zu", n->index, count, coins->count);
}

void sim_check_coins(struct sim *s)
{
    struct sim_node *first = s->node_count ? s->nodes[0] : NULL;
    if (!first || !first->node || s->report->failed) return;
    struct sim_block *tip = sim_block_find(s, &chain_tip(first->node->chain)->header.hash);
    struct hashmap coins;
    struct block **blocks;
    if (!tip) return;
    naive_replay(s, tip, &coins, &blocks);
    for (size_t i = 0; i < s->node_count && !s->report->failed; i++) compare_coins(s->nodes[i], &coins);
    naive_free(tip, &coins, blocks);
}
