/* Random regtest trees whose blocks spend. */
#include "trees.h"

static struct tree_block *add(struct tree *t, struct block *taken, struct tree_block *prev)
{
    struct tree_block *b = mem_calloc(1, sizeof(*b));
    b->block = taken;
    b->prev = prev;
    header_node_link(&b->node, &taken->header, &taken->hash, prev ? &prev->node : NULL);
    t->blocks = mem_grow(t->blocks, &t->cap, t->count + 1, sizeof(struct tree_block *));
    t->blocks[t->count++] = b;
    return b;
}

void tree_init(struct tree *t, uint64_t seed)
{
    *t = (struct tree){.params = *chain_params_get(CHAIN_REGTEST)};
    random_init_u64(&t->random, seed);
    add(t, block_parse(t->params.genesis_raw), NULL);
}

void tree_clear(struct tree *t)
{
    for (size_t i = 0; i < t->count; i++) {
        block_free(t->blocks[i]->block);
        free(t->blocks[i]);
    }
    free(t->blocks);
}

struct tree_block *tree_back(struct tree_block *b, int32_t steps)
{
    while (steps-- && b->prev) b = b->prev;
    return b;
}

/* Splits the matured coinbase, moves one half on within the block, and leaves the other half to the next block. */
static void spend_matured(struct tree *t, struct draft *d, struct tree_block *prev)
{
    if (d->height <= COINBASE_MATURITY) return;
    const struct block *old = tree_back(prev, COINBASE_MATURITY - 1)->block;
    struct outpoint at = outpoint_of(old, 0, 0);
    amount_sat value = old->txs[0].out[0].value, half = value / 2;
    if (random_below(&t->random, 4) == 0 || value < 1000) return;
    struct draft_output halves[] = {{.value = half}, {.value = half - (amount_sat)random_below(&t->random, 100)}};
    struct txid split = draft_spend(d, &at, 1, SEQUENCE_FINAL, halves, 2);
    if (random_below(&t->random, 2) == 0) draft_move(d, &(struct outpoint){.txid = split, .index = 0}, half / 2);
}

/* The second half that the parent left. */
static void spend_left(struct draft *d, const struct tree_block *prev)
{
    const struct block *b = prev->block;
    for (size_t i = 1; i < b->tx_count; i++)
        if (b->txs[i].out_count == 2) {
            struct outpoint at = outpoint_of(b, i, 1);
            draft_move(d, &at, b->txs[i].out[1].value);
        }
}

struct tree_block *tree_mine(struct tree *t, struct tree_block *prev)
{
    static uint8_t big[9000];
    struct draft d = draft_on(&prev->node, &t->params, t->tag++);
    if (t->big_outputs) {
        memset(big, 0x51, sizeof(big));
        d.coinbase_outputs = t->big_outputs;
        d.coinbase_script = span_of(big, sizeof(big));
    }
    spend_matured(t, &d, prev);
    if (random_below(&t->random, 3)) spend_left(&d, prev);
    return add(t, draft_mine(&d, &t->params), prev);
}

struct tree_block *tree_grow(struct tree *t, struct tree_block *prev, size_t count)
{
    while (count--) prev = tree_mine(t, prev);
    return prev;
}

enum result tree_try_feed(struct kit *k, struct tree_block *tip, struct error *e)
{
    size_t count = (size_t)tip->node.height + 1;
    struct tree_block **path = mem_alloc(count * sizeof(struct tree_block *));
    struct tree_block *b = tip;
    for (size_t i = count; i-- > 0; b = b->prev) path[i] = b;
    enum result r = RESULT_OK;
    for (size_t i = 0; !r && i < count; i++) {
        const struct block_node *n = chain_find(k->chain, &path[i]->block->hash);
        if (n && n->status & BLOCK_HAVE_DATA) continue;
        struct verdict v;
        r = kit_try_feed(k, path[i]->block, &v, e);
        if (!r) cr_assert(verdict_ok(&v), "%s, %s", v.reason, v.detail);
    }
    if (!r) r = kit_try_run(k, NULL, NULL, NULL, e);
    free(path);
    return r;
}

void tree_feed(struct kit *k, struct tree_block *tip)
{
    struct error e = {0};
    enum result r = tree_try_feed(k, tip, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
}

void tree_fresh_hash(struct tree *t, struct tree_block *tip, char out[65])
{
    static struct kit fresh;
    (void)t;
    kit_new(&fresh, CHAIN_REGTEST);
    fresh.options.check_index = fresh.chain->options.check_index = false;
    tree_feed(&fresh, tip);
    cr_assert(block_hash_equal(&chain_tip(fresh.chain)->header.hash, &tip->block->hash));
    kit_utxo_hash(&fresh, out);
    kit_free(&fresh);
}
