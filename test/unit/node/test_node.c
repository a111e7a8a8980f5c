/* The node: two in one process, verdicts on what is handed in, actions for the shell, indexes that follow. */
#include "fixture.h"

static bool take(struct fixture *f, enum node_action_kind kind, struct node_action *out)
{
    while (node_take_action(f->node, out))
        if (out->kind == kind) return true;
    return false;
}

static struct verdict submit(struct fixture *f, const struct block *b, bool *is_new)
{
    struct verdict v = {0};
    struct error e = {0};
    cr_assert_eq(node_submit_block(f->node, b, is_new, &v, &e), RESULT_OK, "%s", e.text);
    return v;
}

/* Two nodes on two networks, block by block in turn: neither notices the other. */
Test(node, two_in_one_process)
{
    if (!data_present(CAIRN_TEST_DATA, "chains")) cr_skip_test("no test data");
    static struct fixture a, b;
    fixture_new(&a, CHAIN_MAIN);
    fixture_new(&b, CHAIN_TESTNET3);
    struct buffer files[] = {data_read(CAIRN_TEST_DATA, "blocks/mainnet-0-599.dat"),
                             data_read(CAIRN_TEST_DATA, "blocks/testnet3-0-4000.dat")};
    struct bytes_source sources[] = {{.bytes = buffer_span(&files[0])}, {.bytes = buffer_span(&files[1])}};
    struct import *imports[] = {import_new(a.node), import_new(b.node)};
    bool done[2] = {false, false};
    for (int i = 0; i < 2; i++) bytes_source_add(imports[i], &sources[i]);
    for (int i = 0; !done[0] || !done[1]; i = !i) {
        struct error e = {0};
        if (!done[i]) cr_assert_eq(import_step(imports[i], &done[i], &e), RESULT_OK, "%s", e.text);
    }
    cr_assert_eq(fixture_height(&a), 599);
    cr_assert_eq(fixture_height(&b), 4000);
    kit_expect_hash(&a.kit, "6b1d7ce40dba4aac9c4d4342c1482f516885b50a6c60c814d82eefc73c9ad8a6");
    kit_expect_hash(&b.kit, "d47a6ca2d786f0db1f8ce4bb8d56d5b26778c8dff317f62036e56b9d7ea0e82c");
    for (int i = 0; i < 2; i++) {
        import_free(imports[i]);
        buffer_clear(&files[i]);
    }
    fixture_free(&a);
    fixture_free(&b);
}

/* Two on one network that see the branches in another order: each keeps the first it saw. */
Test(node, two_of_a_kind)
{
    static struct fixture a, b;
    static struct line l, m;
    line_make(&l, 5, 1);
    line_make(&m, 5, 2);
    struct buffer first = line_file(&l), second = line_file(&m);
    fixture_new(&a, CHAIN_REGTEST);
    fixture_new(&b, CHAIN_REGTEST);
    struct span here[] = {buffer_span(&first), buffer_span(&second)};
    struct span there[] = {buffer_span(&second), buffer_span(&first)};
    import_all(&a, here, 2);
    import_all(&b, there, 2);
    expect_at(&a, &l, 4);
    expect_at(&b, &m, 4);
    buffer_clear(&first);
    buffer_clear(&second);
    fixture_free(&a);
    fixture_free(&b);
    line_clear(&l);
    line_clear(&m);
}

Test(node, verdicts_on_a_block)
{
    static struct fixture f;
    static struct line l;
    bool is_new;
    line_make(&l, 6, 1);
    fixture_new(&f, CHAIN_REGTEST);
    struct verdict v = submit(&f, l.blocks[2], &is_new);
    cr_assert_str_eq(v.reason, "prev-blk-not-found");
    cr_assert_not(is_new);
    v = submit(&f, l.blocks[1], &is_new);
    cr_assert(verdict_ok(&v) && is_new);
    v = submit(&f, l.blocks[1], &is_new);
    cr_assert(verdict_ok(&v) && !is_new);
    struct draft d = draft_on(&l.nodes[1], &f.kit.params, 9);
    d.coinbase_value++;
    struct block *greedy = draft_mine(&d, &f.kit.params);
    v = submit(&f, greedy, &is_new);
    cr_assert_str_eq(v.reason, "bad-cb-amount");
    cr_assert(is_new);
    v = submit(&f, greedy, &is_new);
    cr_assert_str_eq(v.reason, "duplicate-invalid");
    expect_at(&f, &l, 1);
    block_free(greedy);
    fixture_free(&f);
    line_clear(&l);
}

Test(node, actions)
{
    static struct fixture f;
    static struct line l, m;
    bool is_new;
    struct error e = {0};
    struct node_action action;
    line_make(&l, 6, 1);
    line_make(&m, 7, 2);
    fixture_prepare(&f, CHAIN_REGTEST);
    f.options.stop_at_height = 5;
    fixture_open(&f);
    cr_assert_eq(node_activate(f.node, NULL, &e), RESULT_OK);
    for (size_t i = 1; i < 5; i++) submit(&f, l.blocks[i], &is_new);
    cr_assert(take(&f, ACTION_BLOCK_TIP, &action));
    while (take(&f, ACTION_BLOCK_TIP, &action)) continue;
    uint64_t changes = f.node->tip_changes;
    submit(&f, m.blocks[1], &is_new);
    cr_assert_eq(f.node->tip_changes, changes);
    cr_assert_not(take(&f, ACTION_BLOCK_TIP, &action));
    cr_assert_not(f.node->stop_wanted);
    submit(&f, l.blocks[5], &is_new);
    cr_assert(take(&f, ACTION_STOP, &action));
    cr_assert(f.node->stop_wanted);
    fixture_free(&f);
    line_clear(&l);
    line_clear(&m);
}

/* The tip's action says where the tip is now, after however many blocks. */
Test(node, tip_action_is_of_the_last_block)
{
    static struct fixture f;
    static struct line l;
    struct node_action action = {0}, last = {0};
    line_make(&l, 20, 1);
    struct buffer file = line_file(&l);
    struct span span = buffer_span(&file);
    fixture_new(&f, CHAIN_REGTEST);
    import_all(&f, &span, 1);
    while (node_take_action(f.node, &action)) last = action;
    cr_assert_eq(last.kind, ACTION_BLOCK_TIP);
    cr_assert_eq(last.height, 19);
    cr_assert(block_hash_equal(&last.hash, &l.blocks[19]->hash));
    buffer_clear(&file);
    fixture_free(&f);
    line_clear(&l);
}

Test(node, dead_disk_is_fatal)
{
    static struct fixture f;
    static struct line l;
    struct node_action action;
    struct verdict v = {0};
    struct error e = {0};
    bool is_new;
    line_make(&l, 3, 1);
    fixture_new(&f, CHAIN_REGTEST);
    f.kit.fault.fail_after = 1;
    cr_assert_eq(node_submit_block(f.node, l.blocks[1], &is_new, &v, &e), RESULT_IO);
    cr_assert(verdict_ok(&v));
    cr_assert(take(&f, ACTION_FATAL, &action));
    cr_assert_str_eq(action.text, e.text);
    cr_assert(f.node->stop_wanted);
    fixture_free(&f);
    line_clear(&l);
}

static void expect_indexes(struct fixture *f)
{
    struct index_info info;
    struct coin_stats s;
    struct error e = {0};
    const struct block_node *tip = chain_tip(f->node->chain);
    tx_index_info(f->node->tx_index, &info);
    cr_assert(info.synced && info.best_height == tip->header.height);
    coin_stats_index_info(f->node->coin_stats, &info);
    cr_assert(info.synced && block_hash_equal(&info.best_hash, &tip->header.hash));
    cr_assert_eq(coin_stats_index_get(f->node->coin_stats, tip, &s, &e), RESULT_OK);
    cr_assert_eq(s.subsidy, s.total_amount + s.unspendable);
    cr_assert_eq(chain_flush(f->node->chain, false, &e), RESULT_OK);
    struct coin_scan *scan = coin_scan_new(f->node->chain, COIN_HASH_MUHASH);
    struct coin_scan_result r = {0};
    for (bool done = false; !done;) cr_assert_eq(coin_scan_step(scan, 100, &done, &r, &e), RESULT_OK);
    cr_assert_arr_eq(r.hash, s.muhash, 32);
    coin_scan_free(scan);
}

Test(node, indexes_follow)
{
    static struct fixture f;
    static struct line l, m;
    struct error e = {0};
    line_make(&l, 120, 1);
    line_make(&m, 125, 2);
    struct buffer first = line_file(&l), second = line_file(&m);
    struct span span = buffer_span(&first);
    fixture_prepare(&f, CHAIN_REGTEST);
    f.options.tx_index = f.tx_store;
    f.options.coin_stats = f.stats_store;
    fixture_open(&f);
    import_all(&f, &span, 1);
    expect_indexes(&f);
    struct block_node *n = chain_at(f.node->chain, 110);
    cr_assert_eq(node_invalidate(f.node, n, &e), RESULT_OK);
    cr_assert_eq(fixture_height(&f), 109);
    expect_indexes(&f);
    cr_assert_eq(node_reconsider(f.node, n, &e), RESULT_OK);
    cr_assert_eq(fixture_height(&f), 119);
    fixture_close(&f);
    fixture_open(&f);
    expect_indexes(&f);
    span = buffer_span(&second);
    import_all(&f, &span, 1);
    expect_at(&f, &m, 124);
    expect_indexes(&f);
    buffer_clear(&first);
    buffer_clear(&second);
    fixture_free(&f);
    line_clear(&l);
    line_clear(&m);
}

/* In slices: never paused in the middle of a reorganisation. */
Test(node, advances_in_slices)
{
    static struct fixture f;
    static struct line l, m;
    struct error e = {0};
    bool more = true, is_new;
    struct verdict v = {0};
    struct block_node *n;
    line_make(&l, 20, 1);
    line_make(&m, 30, 2);
    fixture_new(&f, CHAIN_REGTEST);
    for (size_t i = 1; i < 20; i++) submit(&f, l.blocks[i], &is_new);
    for (size_t i = 1; i < 30; i++)
        cr_assert_eq(
            chain_accept_block(f.node->chain, m.blocks[i], f.kit.now_s, ACCEPT_REQUESTED, NULL, &n, &is_new, &v, &e),
            RESULT_OK);
    for (int slices = 0; more; slices++) {
        cr_assert_eq(node_advance(f.node, 3, &more, &e), RESULT_OK);
        cr_assert_geq(fixture_height(&f), 20, "past the work of the tip that was left: as much is no better");
        cr_assert_not(chain_in_reorg(f.node->chain));
        cr_assert_lt(slices, 10);
    }
    expect_at(&f, &m, 29);
    fixture_free(&f);
    line_clear(&l);
    line_clear(&m);
}
