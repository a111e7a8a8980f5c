/* The store of the pool: how entries are kept and found, staged and removed, and the account of all. */
#include "store_kit.h"

#include <stdarg.h>
#include <stdlib.h>

static struct sk sk;

static void open_pool(void)
{
    sk_open(&sk);
}

static void close_pool(void)
{
    sk_close(&sk);
}

TestSuite(mempool_store, .init = open_pool, .fini = close_pool);

/* ---- sets ---- */

Test(mempool_store, a_set_has_each_once_however_many)
{
    enum { N = 3000 };
    struct pool_set set = {0};
    struct mempool_entry *all = mem_calloc(N, sizeof(*all));
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < N; i += 2) pool_set_add(&set, &all[i]);
    cr_assert_eq(set.count, N / 2);
    for (size_t i = 0; i < N; i++) cr_assert_eq(pool_set_has(&set, &all[i]), i % 2 == 0);
    for (size_t i = 0; i < set.count; i++) cr_assert_eq(set.items[i], &all[2 * i]);
    pool_set_clear(&set);
    cr_assert(!pool_set_has(&set, &all[0]));
    free(all);
}

/* ---- entries ---- */

static void expect_bytes(const struct tx *tx, struct span bytes)
{
    struct buffer b = {0};
    tx_write(&b, tx);
    cr_assert(span_equal(buffer_span(&b), bytes) && span_equal(tx->raw, bytes));
    buffer_clear(&b);
}

Test(mempool_store, an_entry_has_a_copy_of_all_its_bytes)
{
    struct span items[] = {span_str("signature"), span_of(NULL, 0), span_str("script")};
    struct tx_in in[] = {{.script_sig = span_str("sig"), .sequence = 7},
                         {.prevout.index = 1, .witness = {items, 3}},
                         {.prevout.index = 2, .witness = {items + 1, 2}}};
    struct tx_out out[] = {{5, span_str("to")}, {6, span_of(NULL, 0)}};
    struct tx built = {.version = 2, .in = in, .in_count = 3, .out = out, .out_count = 2, .lock_time = 9};
    tx_hash(&built);
    struct buffer b = {0};
    tx_write(&b, &built);
    struct mempool_entry *e = pool_entry_new(&built);
    expect_bytes(&e->tx, buffer_span(&b));
    struct mempool_entry *again = pool_entry_new(&e->tx);
    pool_entry_free(e);
    expect_bytes(&again->tx, buffer_span(&b));
    cr_assert(txid_equal(&again->tx.txid, &built.txid) && wtxid_equal(&again->tx.wtxid, &built.wtxid));
    cr_assert_eq(tx_weight(&again->tx), tx_weight(&built));
    cr_assert(pool_entry_bytes(again) >= sizeof(*again) + b.len);
    pool_entry_free(again);
    buffer_clear(&b);
}

/* ---- finding ---- */

Test(mempool_store, is_found_by_all_that_names_it)
{
    struct outpoint coin = sk_coin(&sk, 10000);
    struct mempool_entry *e = sk_add_move(&sk, coin, 500);
    const struct outpoint out = sk_out(&e->tx, 0), none = sk_out(&e->tx, 1);
    cr_assert_eq(mempool_find(sk.m, &e->tx.txid), e);
    cr_assert_eq(mempool_find_wtxid(sk.m, &e->tx.wtxid), e);
    cr_assert_eq(mempool_of_id(sk.m, e->id), e);
    cr_assert_eq(mempool_spender(sk.m, &coin), e);
    cr_assert_null(mempool_spender(sk.m, &out));
    cr_assert_null(mempool_spender(sk.m, &none));
    cr_assert_eq(mempool_at(sk.m, 0), e);
    cr_assert_null(mempool_of_id(sk.m, 1000000));
    mempool_check(sk.m);
}

Test(mempool_store, coins_are_those_that_nobody_spends)
{
    struct outpoint spent = sk_coin(&sk, 10000), unspent = sk_coin(&sk, 20000), never = {.index = 9};
    struct mempool_entry *e = sk_add_move(&sk, spent, 500);
    struct outpoint made = sk_out(&e->tx, 0), beyond = sk_out(&e->tx, 1);
    struct coin coin;
    struct error error;
    bool found;
    cr_assert_eq(mempool_get_coin(sk.m, &spent, &coin, &found, &error), RESULT_OK);
    cr_assert(!found);
    cr_assert_eq(mempool_get_coin(sk.m, &never, &coin, &found, &error), RESULT_OK);
    cr_assert(!found);
    cr_assert_eq(mempool_get_coin(sk.m, &beyond, &coin, &found, &error), RESULT_OK);
    cr_assert(!found);
    cr_assert_eq(mempool_get_coin(sk.m, &unspent, &coin, &found, &error), RESULT_OK);
    cr_assert(found && coin.value == 20000 && coin_height(coin.origin) == 0);
    cr_assert_eq(mempool_get_coin(sk.m, &made, &coin, &found, &error), RESULT_OK);
    cr_assert(found && coin.value == 9500 && coin_height(coin.origin) == MEMPOOL_COIN_HEIGHT);
    sk_add_move(&sk, made, 100);
    cr_assert_eq(mempool_get_coin(sk.m, &made, &coin, &found, &error), RESULT_OK);
    cr_assert(!found);
    mempool_check(sk.m);
}

static void expect_list(struct mempool_list list, size_t count, ...)
{
    cr_assert_eq(list.count, count);
    va_list args;
    va_start(args, count);
    for (size_t i = 0; i < count; i++) cr_assert_eq(list.entries[i], va_arg(args, struct mempool_entry *), "%zu", i);
    va_end(args);
    free(list.entries);
}

Test(mempool_store, relations_are_listed_each_once)
{
    struct outpoint coins[] = {sk_coin(&sk, 10000), sk_coin(&sk, 10000)};
    struct mempool_entry *a =
        sk_add(&sk, sk_make(&sk, &(struct sk_tx){.in = &coins[0], .in_count = 1, .out_count = 3}));
    struct mempool_entry *b = sk_add_move(&sk, coins[1], 10);
    struct outpoint ins[] = {sk_out(&a->tx, 2), sk_out(&a->tx, 0), sk_out(&b->tx, 0)};
    struct mempool_entry *c = sk_add(&sk, sk_make(&sk, &(struct sk_tx){.in = ins, .in_count = 3, .fee = 900}));
    struct mempool_entry *d = sk_add_move(&sk, sk_out(&c->tx, 0), 1);
    expect_list(mempool_parents(sk.m, c), 2, a, b);
    expect_list(mempool_children(sk.m, a), 1, c);
    expect_list(mempool_children(sk.m, d), 0);
    expect_list(mempool_descendants(sk.m, b), 3, b, c, d);
    struct mempool_list all = mempool_ancestors(sk.m, d);
    cr_assert(all.count == 4 && all.entries[3] == d && all.entries[2] == c);
    free(all.entries);
    all = mempool_cluster(sk.m, a);
    cr_assert(all.count == 4 && all.entries[3] == d);
    free(all.entries);
    struct mempool_entry *rich = sk_add_move(&sk, sk_coin(&sk, 100000), 50000);
    all = mempool_ordered(sk.m);
    cr_assert(all.count == 5 && all.entries[0] == rich && all.entries[4] == d);
    free(all.entries);
    cr_assert(mempool_compare(sk.m, rich, a) < 0 && mempool_compare(sk.m, d, a) > 0);
    cr_assert_eq(mempool_compare(sk.m, a, a), 0);
    struct fee_frac chunk = mempool_chunk(sk.m, a);
    cr_assert(chunk.fee == 910 && chunk.size == (int64_t)(a->weight_wu + b->weight_wu + c->weight_wu));
    struct pool_set set = {0};
    pool_set_add(&set, b);
    pool_add_descendants(sk.m, &set);
    cr_assert(set.count == 3 && set.items[1] == c && set.items[2] == d);
    pool_set_clear(&set);
    mempool_check(sk.m);
}

/* ---- staging ---- */

Test(mempool_store, what_is_aborted_leaves_no_trace)
{
    struct outpoint coin = sk_coin(&sk, 10000);
    struct mempool_entry *a = sk_add_move(&sk, coin, 100);
    struct mempool_entry *b = sk_entry(&sk, sk_move(&sk, sk_out(&a->tx, 0), 5));
    struct mempool_entry *c = sk_entry(&sk, sk_move(&sk, sk_out(&b->tx, 0), 5));
    uint64_t sequence = mempool_sequence(sk.m), updates = mempool_updates(sk.m);
    pool_stage(sk.m);
    pool_stage_add(sk.m, b);
    pool_stage_add(sk.m, c);
    tx_id ids[LIN_MAX];
    cr_assert_eq(tx_graph_ancestors(sk.m->graph, TX_GRAPH_TOP, c->id, ids), 3);
    cr_assert_null(mempool_find(sk.m, &b->tx.txid));
    pool_stage_abort(sk.m);
    pool_entry_free(b);
    pool_entry_free(c);
    cr_assert(mempool_count(sk.m) == 1 && mempool_find(sk.m, &a->tx.txid) == a);
    cr_assert(mempool_sequence(sk.m) == sequence && mempool_updates(sk.m) == updates);
    mempool_check(sk.m);
}

Test(mempool_store, a_commit_removes_and_adds)
{
    struct outpoint coin = sk_coin(&sk, 10000);
    struct mempool_entry *a = sk_add_move(&sk, coin, 100);
    sk_add_move(&sk, sk_out(&a->tx, 0), 5);
    struct mempool_entry *n = sk_entry(&sk, sk_move(&sk, coin, 3000));
    struct pool_set gone = {0};
    uint64_t sequence = mempool_sequence(sk.m), updates = mempool_updates(sk.m);
    pool_set_add(&gone, a);
    pool_add_descendants(sk.m, &gone);
    pool_stage(sk.m);
    for (size_t i = 0; i < gone.count; i++) pool_stage_remove(sk.m, gone.items[i]);
    pool_stage_add(sk.m, n);
    cr_assert(pool_stage_fits(sk.m));
    pool_stage_commit(sk.m, &gone, REMOVED_REPLACED, &n, 1, false);
    cr_assert(mempool_count(sk.m) == 1 && mempool_find(sk.m, &n->tx.txid) == n);
    cr_assert(mempool_sequence(sk.m) == sequence + 3 && mempool_updates(sk.m) == updates + 3);
    cr_assert(mempool_fees(sk.m) == 3000 && mempool_vbytes(sk.m) == n->vsize);
    pool_set_clear(&gone);
    mempool_check(sk.m);
}

/* A chain that is longer than a cluster may be: COUNT of them staged, one commit each. */
static size_t add_long_chain(size_t count)
{
    struct outpoint at = sk_coin(&sk, 1000000);
    size_t refused = 0;
    for (size_t i = 0; i < count; i++) {
        struct tx *tx = sk_move(&sk, at, 10);
        refused += sk_try(&sk, tx) == NULL;
        at = sk_out(tx, 0);
    }
    return refused;
}

Test(mempool_store, clusters_have_a_count_that_they_do_not_exceed)
{
    sk.options.cluster_count = 5;
    sk_new_pool(&sk);
    cr_assert_eq(add_long_chain(6), 1);
    cr_assert_eq(mempool_count(sk.m), 5);
    mempool_check(sk.m);
}

Test(mempool_store, clusters_have_a_size_that_they_do_not_exceed)
{
    struct tx *probe = sk_move(&sk, sk_coin(&sk, 1000), 10);
    sk.options.cluster_vbytes = 3 * tx_weight(probe) / 4;
    sk_new_pool(&sk);
    cr_assert_eq(add_long_chain(4), 1);
    cr_assert_eq(mempool_count(sk.m), 3);
    sk.options.cluster_vbytes--;
    sk_new_pool(&sk);
    cr_assert_eq(add_long_chain(3), 1);
    mempool_check(sk.m);
}

Test(mempool_store, where_limits_do_not_hold_what_does_not_fit_leaves_at_once)
{
    sk.options.cluster_count = 3;
    sk_new_pool(&sk);
    struct outpoint coin = sk_coin(&sk, 1000000);
    struct mempool_entry *a = sk_add_move(&sk, coin, 1000);
    struct mempool_entry *b = sk_add_move(&sk, sk_out(&a->tx, 0), 2000);
    struct mempool_entry *c = sk_add_move(&sk, sk_out(&b->tx, 0), 10);
    struct tx *next = sk_move(&sk, sk_out(&c->tx, 0), 100);
    struct mempool_entry *e = sk_entry(&sk, next);
    pool_stage(sk.m);
    pool_stage_add(sk.m, e);
    cr_assert(!pool_stage_fits(sk.m));
    pool_stage_commit(sk.m, NULL, REMOVED_REORG, &e, 1, false);
    cr_assert_null(mempool_find(sk.m, &next->txid));
    cr_assert(mempool_count(sk.m) == 3 && mempool_find(sk.m, &c->tx.txid) == c);
    mempool_check(sk.m);
}

Test(mempool_store, an_expected_user_of_ids_does_not_find_the_dead)
{
    struct mempool_entry *a = sk_add_move(&sk, sk_coin(&sk, 10000), 100);
    tx_id id = a->id;
    const struct tx *mined[] = {hashmap_get(&sk.txs, &a->tx.txid)};
    sk_mine(&sk, mined, 1);
    cr_assert_null(mempool_of_id(sk.m, id));
    struct mempool_entry *b = sk_add_move(&sk, sk_coin(&sk, 10000), 100);
    cr_assert(b->id == id && mempool_of_id(sk.m, id) == b);
    mempool_check(sk.m);
}

Test(mempool_store, of_the_same_rate_the_smaller_txid_comes_first)
{
    for (int i = 0; i < 20; i++) sk_add_move(&sk, sk_coin(&sk, 10000), 100);
    struct mempool_list all = mempool_ordered(sk.m);
    for (size_t i = 1; i < all.count; i++)
        cr_assert_lt(memcmp(all.entries[i - 1]->tx.txid.bytes, all.entries[i]->tx.txid.bytes, 32), 0);
    free(all.entries);
    mempool_check(sk.m);
}

/* ---- removal ---- */

Test(mempool_store, who_depended_on_a_mined_one_stays_and_keeps_its_other_relations)
{
    struct outpoint coin = sk_coin(&sk, 10000);
    struct mempool_entry *a = sk_add_move(&sk, coin, 100);
    struct mempool_entry *b = sk_add_move(&sk, sk_out(&a->tx, 0), 100);
    struct mempool_entry *c = sk_add_move(&sk, sk_out(&b->tx, 0), 100);
    const struct tx *mined[] = {hashmap_get(&sk.txs, &a->tx.txid)};
    uint64_t sequence = mempool_sequence(sk.m);
    sk_mine(&sk, mined, 1);
    cr_assert_eq(mempool_sequence(sk.m), sequence + 1);
    expect_list(mempool_ancestors(sk.m, c), 2, b, c);
    cr_assert_null(mempool_spender(sk.m, &coin));
    mempool_check(sk.m);
}

Test(mempool_store, the_parts_of_a_large_block_leave_quickly)
{
    enum { N = 5000 };
    static const struct tx *mined[N];
    for (size_t i = 0; i < N; i++) sk_add(&sk, sk_move(&sk, sk_coin(&sk, 10000), (amount_sat)i % 700));
    for (size_t i = 0; i < N; i++) mined[i] = hashmap_get(&sk.txs, &mempool_at(sk.m, i)->tx.txid);
    sk_mine(&sk, mined, N);
    cr_assert(mempool_count(sk.m) == 0 && mempool_vbytes(sk.m) == 0 && mempool_fees(sk.m) == 0);
    mempool_check(sk.m);
}

/* ---- account ---- */

Test(mempool_store, memory_is_what_was_allocated)
{
    uint64_t empty = mempool_memory(sk.m);
    struct outpoint in = sk_coin(&sk, 10000);
    struct mempool_entry *e = sk_add(&sk, sk_make(&sk, &(struct sk_tx){.in = &in, .in_count = 1, .pad = 9000}));
    uint64_t one = mempool_memory(sk.m);
    cr_assert(one >= empty + 9000 && one <= empty + 9000 + 4096);
    const struct tx *mined[] = {hashmap_get(&sk.txs, &e->tx.txid)};
    sk_mine(&sk, mined, 1);
    cr_assert_leq(mempool_memory(sk.m), one - 9000);
    mempool_check(sk.m);
}

Test(mempool_store, a_small_transaction_takes_little_more_than_a_kilobyte)
{
    enum { N = 20000 };
    uint64_t empty = mempool_memory(sk.m);
    for (int i = 0; i < N; i++) sk_add_move(&sk, sk_coin(&sk, 100000), 100 + i);
    cr_assert_lt((mempool_memory(sk.m) - empty) / N, 1100);
    mempool_check(sk.m);
}

/* ---- the user's wishes ---- */

Test(mempool_store, a_wish_counts_for_who_is_there_and_for_who_comes)
{
    struct mempool_entry *a = sk_add_move(&sk, sk_coin(&sk, 10000), 100);
    struct mempool_entry *b = sk_add_move(&sk, sk_coin(&sk, 10000), 200);
    struct tx *later = sk_move(&sk, sk_coin(&sk, 10000), 1);
    uint64_t updates = mempool_updates(sk.m);
    mempool_prioritise(sk.m, &a->tx.txid, 1000);
    mempool_prioritise(sk.m, &a->tx.txid, 50);
    cr_assert(mempool_modified_fee(a) == 1150 && mempool_updates(sk.m) == updates + 2);
    cr_assert(mempool_compare(sk.m, a, b) < 0);
    mempool_prioritise(sk.m, &later->txid, 5000);
    cr_assert_eq(mempool_updates(sk.m), updates + 2);
    struct mempool_entry *c = sk_add(&sk, later);
    cr_assert(mempool_modified_fee(c) == 5001 && mempool_compare(sk.m, c, a) < 0);
    cr_assert_eq(mempool_fees(sk.m), 301);
    mempool_check(sk.m);
}

Test(mempool_store, wishes_are_listed_by_txid_and_end_at_zero)
{
    struct txid ids[3] = {{{9}}, {{1}}, {{5}}};
    struct mempool_entry *a = sk_add_move(&sk, sk_coin(&sk, 10000), 100);
    for (int i = 0; i < 3; i++) mempool_prioritise(sk.m, &ids[i], 10 + i);
    mempool_prioritise(sk.m, &ids[1], -11);
    mempool_prioritise(sk.m, &a->tx.txid, -7);
    size_t count;
    struct mempool_delta *all = mempool_deltas(sk.m, &count);
    cr_assert_eq(count, 3);
    for (size_t i = 0; i + 1 < count; i++) cr_assert_lt(memcmp(&all[i].txid, &all[i + 1].txid, 32), 0);
    for (size_t i = 0; i < count; i++) cr_assert_eq(all[i].entry, txid_equal(&all[i].txid, &a->tx.txid) ? a : NULL);
    cr_assert_eq(pool_delta(sk.m, &ids[1]), 0);
    free(all);
    mempool_check(sk.m);
}

Test(mempool_store, wishes_without_measure_stop_at_an_end)
{
    struct mempool_entry *a = sk_add_move(&sk, sk_coin(&sk, 10000), 100);
    for (int i = 0; i < 3; i++) mempool_prioritise(sk.m, &a->tx.txid, INT64_MAX);
    cr_assert_gt(mempool_modified_fee(a), MAX_MONEY_SAT);
    cr_assert_eq(a->delta, INT64_MAX - MAX_MONEY_SAT); /* so that a fee can be added */
    for (int i = 0; i < 3; i++) mempool_prioritise(sk.m, &a->tx.txid, INT64_MIN);
    cr_assert_eq(a->delta, MAX_MONEY_SAT - INT64_MAX);
    cr_assert_lt(mempool_modified_fee(a), -MAX_MONEY_SAT);
    mempool_check(sk.m);
}

Test(mempool_store, the_unbroadcast_are_remembered_while_they_are_there)
{
    struct mempool_entry *a = sk_add_move(&sk, sk_coin(&sk, 10000), 100);
    struct mempool_entry *b = sk_add_move(&sk, sk_coin(&sk, 10000), 100);
    struct txid first = a->tx.txid, second = b->tx.txid, strange = {{1}};
    mempool_add_unbroadcast(sk.m, &strange);
    cr_assert(!mempool_is_unbroadcast(sk.m, &strange));
    mempool_add_unbroadcast(sk.m, &first);
    mempool_add_unbroadcast(sk.m, &first);
    mempool_add_unbroadcast(sk.m, &second);
    size_t count;
    struct txid *all = mempool_unbroadcast(sk.m, &count);
    cr_assert(count == 2 && memcmp(&all[0], &all[1], sizeof(*all)) < 0);
    free(all);
    mempool_remove_unbroadcast(sk.m, &second);
    cr_assert(!mempool_is_unbroadcast(sk.m, &second) && mempool_is_unbroadcast(sk.m, &first));
    cr_assert(!sk_logged(&sk, "before confirmation that txn was sent out"));
    const struct tx *mined[] = {hashmap_get(&sk.txs, &first)};
    sk_mine(&sk, mined, 1);
    cr_assert(!mempool_is_unbroadcast(sk.m, &first));
    cr_assert(sk_logged(&sk, " from set of unbroadcast txns before confirmation that txn was sent out"));
    mempool_check(sk.m);
}

Test(mempool_store, the_first_failure_of_the_machine_is_kept_until_it_is_asked_for)
{
    struct error e = {.code = RESULT_IO, .text = "first"}, other = {.code = RESULT_FULL, .text = "second"}, got;
    cr_assert_eq(mempool_failure(sk.m, &got), RESULT_OK);
    cr_assert_eq(pool_fail(sk.m, RESULT_IO, &e), RESULT_IO);
    cr_assert_eq(pool_fail(sk.m, RESULT_FULL, &other), RESULT_FULL);
    cr_assert_eq(mempool_failure(sk.m, &got), RESULT_IO);
    cr_assert_str_eq(got.text, "first");
    cr_assert_eq(mempool_failure(sk.m, &got), RESULT_OK);
    mempool_check(sk.m);
}

/* How many the estimator knows to wait in the pool, and to have left it unmined. */
static void expect_watched(struct fee_estimator *f, double waiting, double left)
{
    struct fee_raw raw = fee_estimator_raw(f, 2, 0.95, FEE_SHORT);
    cr_assert(raw.fail.in_mempool == waiting && raw.fail.left_mempool == left, "%f, %f", raw.fail.in_mempool,
              raw.fail.left_mempool);
}

Test(mempool_store, the_estimator_hears_who_enters_and_who_leaves_but_for_a_block)
{
    struct mempool_entry *all[30];
    struct fee_estimator *f = fee_estimator_new(NULL);
    struct pool_set left = {0}, mined = {0};
    mempool_set_estimator(sk.m, f);
    fee_estimator_block(f, 2000, NULL, 0);
    for (size_t i = 0; i < 30; i++) {
        all[i] = sk_entry(&sk, sk_move(&sk, sk_coin(&sk, 10000), 500));
        all[i]->height = 2000;
        pool_stage(sk.m);
        pool_stage_add(sk.m, all[i]);
        pool_stage_commit(sk.m, NULL, REMOVED_REPLACED, &all[i], 1, i < 20);
    }
    for (int32_t height = 2001; height <= 2003; height++) fee_estimator_block(f, height, NULL, 0);
    expect_watched(f, 20, 0);
    for (size_t i = 0; i < 5; i++) pool_set_add(&left, all[i]);
    for (size_t i = 5; i < 12; i++) pool_set_add(&mined, all[i]);
    pool_remove(sk.m, &left, REMOVED_CONFLICT);
    expect_watched(f, 15, 5);
    pool_remove(sk.m, &mined, REMOVED_BLOCK); /* who connects the block tells */
    expect_watched(f, 15, 5);
    pool_set_clear(&left);
    pool_set_clear(&mined);
    mempool_set_estimator(sk.m, NULL);
    fee_estimator_free(f);
    mempool_check(sk.m);
}

Test(mempool_store, begins_unloaded_and_counts_from_one)
{
    cr_assert(!mempool_is_loaded(sk.m) && mempool_sequence(sk.m) == 1);
    mempool_set_loaded(sk.m);
    cr_assert(mempool_is_loaded(sk.m));
    cr_assert_eq(mempool_options_of(sk.m)->max_bytes, 300000000);
    cr_assert_str_eq(removal_reason_name(REMOVED_REPLACED), "replaced");
    mempool_check(sk.m);
}
