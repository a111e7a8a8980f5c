/* A node that prunes: by itself while blocks come, on request, with an index beside it. */
#include "chain/chain_prune.h"
#include "fixture.h"

enum { TARGET = 120000 };

static void open_pruned(struct fixture *f, uint64_t target)
{
    struct error e = {0};
    fixture_prepare(f, CHAIN_REGTEST);
    f->options.chain.prune_target = target;
    f->options.chain.max_file_bytes = 5000;
    f->options.params.prune_after_height = 100;
    f->options.coin_stats = f->stats_store;
    fixture_open(f);
    cr_assert_eq(node_activate(f->node, NULL, &e), RESULT_OK, "%s", e.text);
}

static void catch_up(struct fixture *f)
{
    struct error e = {0};
    bool synced = false;
    while (!synced) cr_assert_eq(coin_stats_index_catch_up(f->node->coin_stats, 10, &synced, &e), RESULT_OK);
}

static void submit(struct fixture *f, size_t blocks)
{
    struct error e = {0};
    for (; blocks--;) {
        struct verdict v = {0};
        bool is_new;
        struct block *b = make_empty_block(&chain_tip(f->node->chain)->header, &f->options.params, 1);
        cr_assert_eq(node_submit_block(f->node, b, &is_new, &v, &e), RESULT_OK, "%s", e.text);
        cr_assert(is_new && verdict_ok(&v));
        block_free(b);
    }
}

static void expect_index(struct fixture *f)
{
    struct coin_stats at_tip;
    struct error e = {0};
    const struct block_node *tip = chain_tip(f->node->chain);
    cr_assert_eq(coin_stats_index_get(f->node->coin_stats, tip, &at_tip, &e), RESULT_OK, "%s", e.text);
    cr_assert_gt(at_tip.txouts, 0);
}

Test(node_prune, by_itself)
{
    static struct fixture f;
    open_pruned(&f, TARGET);
    catch_up(&f);
    submit(&f, 600);
    cr_assert_gt(chain_prune_height(f.node->chain), 0);
    cr_assert_lt(chain_disk_bytes(f.node->chain), TARGET);
    expect_index(&f);
    fixture_close(&f);
    fixture_open(&f);
    submit(&f, 50);
    cr_assert_lt(chain_disk_bytes(f.node->chain), TARGET);
    expect_index(&f);
    fixture_free(&f);
}

/* An index that is behind holds back what it needs. */
Test(node_prune, waits_for_an_index)
{
    static struct fixture f;
    open_pruned(&f, PRUNE_MANUALLY);
    submit(&f, 300);
    fixture_close(&f);
    memory_store_close(&f.stats_store); /* it begins anew */
    memory_store_open(&f.stats_store, &f.kit.fault);
    f.options.coin_stats = f.stats_store;
    f.options.chain.prune_target = TARGET;
    fixture_open(&f);
    submit(&f, 300);
    cr_assert_eq(chain_prune_height(f.node->chain), -1);
    catch_up(&f);
    submit(&f, 50);
    cr_assert_gt(chain_prune_height(f.node->chain), 0);
    cr_assert_lt(chain_disk_bytes(f.node->chain), TARGET);
    expect_index(&f);
    fixture_free(&f);
}

Test(node_prune, on_request)
{
    static struct fixture f;
    struct error e = {0};
    open_pruned(&f, PRUNE_MANUALLY);
    catch_up(&f);
    submit(&f, 400);
    cr_assert_eq(chain_prune_height(f.node->chain), -1);
    cr_assert_eq(node_prune(f.node, 60, &e), RESULT_OK, "%s", e.text);
    int32_t lost = chain_prune_height(f.node->chain);
    cr_assert(lost > 20 && lost <= 60, "%d", lost);
    f.kit.fault.fail_after = f.kit.fault.writes = 1;
    cr_assert_eq(node_prune(f.node, 90, &e), RESULT_IO);
    struct node_action a;
    bool fatal = false;
    while (node_take_action(f.node, &a)) fatal |= a.kind == ACTION_FATAL;
    cr_assert(fatal);
    f.kit.fault.fail_after = 0;
    fixture_free(&f);
}
