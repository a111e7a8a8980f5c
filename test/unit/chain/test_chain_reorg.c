/* Random reorganisations: whatever way led there, the coins are those of the winning branch. */
#include "trees.h"

static void shuffle(struct random *r, struct tree_block **items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t k = (size_t)random_below(r, i);
        struct tree_block *swapped = items[k];
        items[k] = items[i - 1];
        items[i - 1] = swapped;
    }
}

/* Headers first, then the blocks in any order. */
static void feed_shuffled(struct kit *k, struct tree *t, struct tree_block *tip)
{
    size_t count = 0;
    struct tree_block *path[400];
    for (struct tree_block *b = tip; !chain_find(k->chain, &b->block->hash); b = b->prev) path[count++] = b;
    for (size_t i = count; i-- > 0;) {
        struct block_node *n;
        struct verdict v = {0};
        cr_assert(chain_accept_header(k->chain, &path[i]->block->header, k->now_s, false, &n, &v), "%s", v.reason);
    }
    shuffle(&t->random, path, count);
    for (size_t i = 0; i < count; i++) kit_feed_good(k, path[i]->block);
}

static void expect_branch(struct kit *k, struct tree *t, struct tree_block *tip)
{
    char hash[65];
    cr_assert(block_hash_equal(&chain_tip(k->chain)->header.hash, &tip->block->hash));
    tree_fresh_hash(t, tip, hash);
    kit_expect_hash(k, hash);
}

/* ROUNDS reorganisations of random depth up to 120; now and then a restart. */
static void run(uint64_t seed, int rounds, uint64_t cache_bytes)
{
    static struct kit k;
    struct tree t;
    tree_init(&t, seed);
    kit_prepare(&k, CHAIN_REGTEST);
    k.options.cache_bytes = cache_bytes;
    k.options.check_index = false;
    kit_stores(&k);
    kit_open(&k);
    kit_run(&k);
    struct tree_block *tip = tree_grow(&t, t.blocks[0], 150);
    tree_feed(&k, tip);
    for (int i = 0; i < rounds; i++) {
        int32_t depth = 1 + (int32_t)random_below(&t.random, 120);
        struct tree_block *fork = tree_back(tip, depth);
        size_t before = k.disconnected;
        tip = tree_grow(&t, fork, (size_t)depth + 1);
        if (random_below(&t.random, 2))
            feed_shuffled(&k, &t, tip);
        else
            tree_feed(&k, tip);
        cr_assert_geq(k.disconnected - before, (size_t)depth);
        chain_check_index(k.chain);
        expect_branch(&k, &t, tip);
        if (random_below(&t.random, 8) == 0) {
            kit_restart(&k);
            kit_run(&k);
            expect_branch(&k, &t, tip);
        }
    }
    kit_free(&k);
    tree_clear(&t);
}

Test(chain_reorg, hundred_at_random, .timeout = 600)
{
    run(1, 100, 64 << 20);
}

Test(chain_reorg, without_cache, .timeout = 600)
{
    run(2, 10, 0);
}

/* Many branches of one tree, in the order of their making: each time the best one is the tip. */
Test(chain_reorg, bushy_tree, .timeout = 600)
{
    static struct kit k;
    struct tree t;
    tree_init(&t, 3);
    tree_grow(&t, t.blocks[0], 110);
    for (int i = 0; i < 300; i++) tree_mine(&t, t.blocks[t.count - 1 - random_below(&t.random, 30)]);
    kit_new(&k, CHAIN_REGTEST);
    struct tree_block *best = t.blocks[0];
    for (size_t i = 1; i < t.count; i++) {
        kit_feed_good(&k, t.blocks[i]->block);
        if (t.blocks[i]->node.height > best->node.height) best = t.blocks[i]; /* the first of equal height wins */
        cr_assert(block_hash_equal(&chain_tip(k.chain)->header.hash, &best->block->hash));
    }
    expect_branch(&k, &t, best);
    cr_assert_gt(k.disconnected, 0);
    kit_free(&k);
    tree_clear(&t);
}
