/* A disk that dies at the n-th write, for every n: what it leaves opens again by itself, and going on ends with the
 * same coins. */
#include "trees.h"

struct crash {
    struct kit base; /* what every run starts from: flushed and closed */
    struct tree tree;
    struct tree_block *first, *second; /* fed one after the other: the second replaces part of the first */
    char hash[65];                     /* of the coins at the second */
};

static void crash_new(struct crash *c, int32_t height, size_t first, size_t second, size_t big_outputs)
{
    tree_init(&c->tree, 21);
    struct tree_block *base = tree_grow(&c->tree, c->tree.blocks[0], (size_t)height);
    c->tree.big_outputs = big_outputs;
    c->first = tree_grow(&c->tree, base, first);
    c->second = tree_grow(&c->tree, tree_back(c->first, (int32_t)first - 1), second);
    tree_fresh_hash(&c->tree, c->second, c->hash);
    kit_new(&c->base, CHAIN_REGTEST);
    tree_feed(&c->base, base);
    kit_flush(&c->base);
    kit_close_chain(&c->base);
}

static void crash_free(struct crash *c)
{
    kit_free(&c->base);
    tree_clear(&c->tree);
}

/* All of it in one go; RESULT_OK where the disk lived through it. */
static enum result work(struct kit *k, struct crash *c, bool flush_between, struct error *e)
{
    enum result r = kit_try_open(k, e);
    if (!r) r = kit_try_run(k, NULL, NULL, NULL, e);
    if (!r) r = tree_try_feed(k, c->first, e);
    if (!r && flush_between) r = chain_flush(k->chain, false, e);
    if (!r) r = tree_try_feed(k, c->second, e);
    if (!r) r = chain_flush(k->chain, true, e);
    return r;
}

static void expect_recovered(struct kit *k, struct crash *c, uint64_t n)
{
    kit_open(k);
    kit_run(k);
    coins_check(k->chain->coins);
    chain_check_index(k->chain);
    bool ok;
    struct error e = {0};
    cr_assert_eq(chain_verify(k->chain, 4, 20, &ok, &e), RESULT_OK, "%s", e.text);
    cr_assert(ok, "after write %llu", (unsigned long long)n);
    tree_feed(k, c->first);
    tree_feed(k, c->second);
    cr_assert(block_hash_equal(&chain_tip(k->chain)->header.hash, &c->second->block->hash));
    char hash[65];
    kit_utxo_hash(k, hash);
    cr_assert_str_eq(hash, c->hash, "after write %llu", (unsigned long long)n);
}

/* Crashes at write N and recovers; the recovery crashes too, at each of its own writes, where NESTED. False where there
 * were fewer than N writes. */
static bool crash_at(struct crash *c, uint64_t n, bool torn, bool flush_between, uint64_t cache_bytes,
                     uint64_t recovery_bytes, bool nested)
{
    static struct kit k, after, again;
    struct error e = {0};
    kit_clone(&k, &c->base);
    k.options.cache_bytes = cache_bytes;
    k.fault = (struct memory_fault){.fail_after = n, .result = RESULT_IO, .apply_torn = torn};
    enum result r = work(&k, c, flush_between, &e);
    if (r) cr_assert_eq(r, RESULT_IO, "%s", e.text);
    for (size_t i = 0; k.chain && i < k.chain->tree.count; i++)
        cr_assert_eq(k.chain->tree.nodes[i]->status & BLOCK_ANY_FAILURE, 0, "a dead disk is nobody's fault");
    kit_clone(&after, &k);
    after.options.cache_bytes = recovery_bytes;
    kit_free(&k);
    for (uint64_t m = 1; r && nested; m++) {
        kit_clone(&again, &after);
        again.fault = (struct memory_fault){.fail_after = m, .result = RESULT_IO, .apply_torn = torn};
        enum result second = kit_try_open(&again, &e);
        kit_free(&again);
        if (!second) break;
        cr_assert_eq(second, RESULT_IO, "%s", e.text);
        kit_clone(&again, &after);
        again.fault = (struct memory_fault){.fail_after = m, .result = RESULT_IO, .apply_torn = torn};
        cr_assert_eq(kit_try_open(&again, &e), RESULT_IO);
        again.fault.fail_after = 0;
        expect_recovered(&again, c, n);
        kit_free(&again);
    }
    if (r) expect_recovered(&after, c, n);
    kit_free(&after);
    return r != RESULT_OK;
}

/* Every write of a run that flushes after every block. */
Test(chain_crash, every_write_without_cache, .timeout = 600)
{
    struct crash c;
    crash_new(&c, 104, 8, 9, 0);
    for (int torn = 0; torn < 2; torn++) {
        uint64_t n = 1;
        while (crash_at(&c, n, torn, false, 0, 0, n % 16 == 0)) n++;
        cr_assert_gt(n, 60);
    }
    crash_free(&c);
}

/* Every write of a run that flushes on one branch and then on the other. */
Test(chain_crash, every_write_with_cache, .timeout = 600)
{
    struct crash c;
    crash_new(&c, 104, 8, 9, 0);
    for (int torn = 0; torn < 2; torn++) {
        uint64_t n = 1;
        while (crash_at(&c, n, torn, true, 64 << 20, 64 << 20, true)) n++;
        cr_assert_gt(n, 40);
    }
    crash_free(&c);
}

/* Flushes of several batches: a crash between two of them leaves the coins between two branches. */
Test(chain_crash, between_batches, .timeout = 600)
{
    struct crash c;
    crash_new(&c, 104, 21, 38, 100);
    static struct kit k;
    struct error e = {0};
    c.base.options.check_index = false;
    c.base.options.cache_bytes = 1 << 30;
    kit_clone(&k, &c.base);
    cr_assert_eq(work(&k, &c, true, &e), RESULT_OK, "%s", e.text);
    uint64_t writes = k.fault.writes;
    kit_free(&k);
    size_t replayed = 0;
    for (uint64_t n = writes; n + 4 > writes; n--) {
        kit_clone(&k, &c.base);
        k.fault.fail_after = n;
        cr_assert_eq(work(&k, &c, true, &e), RESULT_IO);
        struct coins_state state;
        cr_assert_eq(coins_read_state(k.chain->coins, &state, &e), RESULT_OK);
        kit_free(&k);
        if (hash_is_null(state.next.bytes)) continue;
        replayed++;
        cr_assert(crash_at(&c, n, false, true, 1 << 30, 1 << 30, false));
        cr_assert(crash_at(&c, n, replayed > 1, true, 1 << 30, 8 << 20, replayed == 1));
    }
    cr_assert_geq(replayed, 1, "some crash must fall between two batches");
    crash_free(&c);
}

/* A disk that recovers while the process lives: what failed can be tried again. */
Test(chain_crash, try_again, .timeout = 300)
{
    struct crash c;
    crash_new(&c, 104, 8, 9, 0);
    for (uint64_t n = 1; n < 80; n += 3) {
        static struct kit k;
        struct error e = {0};
        kit_clone(&k, &c.base);
        kit_open(&k);
        k.chain->options.cache_bytes = n % 2 ? 0 : 64 << 20;
        k.fault.fail_after = n;
        enum result r = tree_try_feed(&k, c.first, &e);
        if (!r) r = tree_try_feed(&k, c.second, &e);
        if (!r) r = chain_flush(k.chain, false, &e);
        k.fault.fail_after = 0;
        coins_check(k.chain->coins);
        chain_check_index(k.chain);
        tree_feed(&k, c.first);
        tree_feed(&k, c.second);
        kit_expect_hash(&k, c.hash);
        kit_restart(&k);
        kit_expect_hash(&k, c.hash);
        kit_free(&k);
    }
    crash_free(&c);
}
