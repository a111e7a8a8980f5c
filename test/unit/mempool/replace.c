/* Replacement: how many clusters, what fees, and whether miners gain. */
#include "store_kit.h"

static struct sk sk;

static void open_pool(void)
{
    sk_open(&sk);
}

static void close_pool(void)
{
    sk_close(&sk);
}

TestSuite(replace, .init = open_pool, .fini = close_pool);

/* Judges TX, which pays FEE for VSIZE, against those that it conflicts with. */
static struct verdict judge_as(const struct tx *tx, amount_sat fee, uint64_t vsize, bool sibling, struct pool_set *all)
{
    struct pool_set direct = {0};
    struct verdict v = {0};
    for (size_t i = 0; i < tx->in_count; i++) {
        struct mempool_entry *e = pool_spender(sk.m, &tx->in[i].prevout);
        if (e) pool_set_add(&direct, e);
    }
    struct replacement r = {.tx = tx, .modified_fee = fee, .vsize = vsize, .sibling = sibling, .direct = &direct};
    bool good = replace_check_fees(sk.m, &r, all, &v);
    cr_assert_eq(good, verdict_ok(&v));
    pool_set_clear(&direct);
    return v;
}

static struct verdict judge(const struct tx *tx, amount_sat fee, uint64_t vsize)
{
    struct pool_set all = {0};
    struct verdict v = judge_as(tx, fee, vsize, false, &all);
    pool_set_clear(&all);
    return v;
}

static void expect(struct verdict v, enum verdict_kind kind, const char *reason, const char *detail,
                   const struct tx *tx)
{
    char text[HASH_TEXT], whole[400];
    snprintf(whole, sizeof(whole), "rejecting replacement %s%s", txid_text(text, &tx->txid), detail);
    cr_assert_eq(v.kind, kind);
    cr_assert_str_eq(v.reason, reason);
    cr_assert_str_eq(v.detail, whole);
}

Test(replace, it_pays_no_less_than_all_that_leave)
{
    struct outpoint coin = sk_coin(&sk, 100000000);
    struct mempool_entry *a = sk_add_move(&sk, coin, 1000);
    struct mempool_entry *b = sk_add_move(&sk, sk_out(&a->tx, 0), 2000);
    struct tx *tx = sk_move(&sk, coin, 5000);
    expect(judge(tx, 2999, 1), VERDICT_RECONSIDERABLE, "insufficient fee",
           ", less fees than conflicting txs; 0.00002999 < 0.00003", tx);
    mempool_prioritise(sk.m, &b->tx.txid, 500);
    expect(judge(tx, 3000, 1), VERDICT_RECONSIDERABLE, "insufficient fee",
           ", less fees than conflicting txs; 0.00003 < 0.000035", tx);
    struct verdict v = judge(tx, 3501, 1);
    cr_assert(verdict_ok(&v));
}

Test(replace, it_pays_for_its_own_relay)
{
    struct outpoint coin = sk_coin(&sk, 100000000);
    sk_add_move(&sk, coin, 1000);
    struct tx *tx = sk_move(&sk, coin, 5000);
    expect(judge(tx, 1000, 111), VERDICT_RECONSIDERABLE, "insufficient fee",
           ", not enough additional fees to relay; 0.00 < 0.00000012", tx);
    expect(judge(tx, 1011, 111), VERDICT_RECONSIDERABLE, "insufficient fee",
           ", not enough additional fees to relay; 0.00000011 < 0.00000012", tx);
    struct verdict v = judge(tx, 1012, 111);
    cr_assert(verdict_ok(&v));
}

Test(replace, all_that_leave_are_found)
{
    struct outpoint coins[] = {sk_coin(&sk, 100000000), sk_coin(&sk, 100000000)};
    struct mempool_entry *a = sk_add_move(&sk, coins[0], 1000);
    struct mempool_entry *b = sk_add_move(&sk, sk_out(&a->tx, 0), 2000);
    struct mempool_entry *c = sk_add_move(&sk, coins[1], 3000);
    sk_add_move(&sk, sk_coin(&sk, 100000000), 3000);
    struct tx *tx = sk_make(&sk, &(struct sk_tx){.in = coins, .in_count = 2, .fee = 50000});
    struct pool_set all = {0};
    struct verdict v = judge_as(tx, 50000, 100, false, &all);
    cr_assert(verdict_ok(&v) && all.count == 3);
    cr_assert(pool_set_has(&all, a) && pool_set_has(&all, b) && pool_set_has(&all, c));
    pool_set_clear(&all);
}

/* Replaces one of each of COUNT families of two; every family is a cluster. */
static struct verdict replace_many(size_t count, bool joined, bool sibling, const struct tx **out)
{
    struct outpoint *in = arena_alloc_array(&sk.arena, count, sizeof(*in));
    for (size_t i = 0; i < count; i++) {
        in[i] = sk_coin(&sk, 1000000);
        if (joined && i % 2) {
            struct outpoint both[] = {in[i - 1], in[i]};
            sk_add(&sk, sk_make(&sk, &(struct sk_tx){.in = both, .in_count = 2, .fee = 10}));
        } else if (!joined) {
            struct mempool_entry *e = sk_add_move(&sk, in[i], 10);
            sk_add_move(&sk, sk_out(&e->tx, 0), 10);
        }
    }
    struct tx *tx = sk_make(&sk, &(struct sk_tx){.in = in, .in_count = count, .fee = 100000});
    struct pool_set all = {0};
    struct verdict v = judge_as(tx, 100000, 100, sibling, &all);
    pool_set_clear(&all);
    *out = tx;
    return v;
}

Test(replace, it_touches_a_hundred_clusters_at_most)
{
    const struct tx *tx;
    struct verdict v = replace_many(100, false, false, &tx);
    cr_assert(verdict_ok(&v));
    v = replace_many(101, false, false, &tx);
    expect(v, VERDICT_MEMPOOL_POLICY, "too many potential replacements", "; too many conflicting clusters (101 > 100)",
           tx);
    v = replace_many(200, true, false, &tx);
    cr_assert(verdict_ok(&v));
}

Test(replace, reasons_tell_of_a_sibling)
{
    const struct tx *tx;
    struct verdict v = replace_many(101, false, true, &tx);
    cr_assert_str_eq(v.reason, "too many potential replacements (including sibling eviction)");
    struct outpoint coin = sk_coin(&sk, 100000000);
    sk_add_move(&sk, coin, 1000);
    struct pool_set all = {0};
    v = judge_as(sk_move(&sk, coin, 1), 1, 100, true, &all);
    cr_assert_str_eq(v.reason, "insufficient fee (including sibling eviction)");
    pool_set_clear(&all);
}

Test(replace, wishes_without_measure_do_not_overflow)
{
    struct outpoint coins[] = {sk_coin(&sk, 100000000), sk_coin(&sk, 100000000)};
    for (int i = 0; i < 2; i++) {
        struct mempool_entry *e = sk_add_move(&sk, coins[i], 1000);
        mempool_prioritise(sk.m, &e->tx.txid, INT64_MAX);
    }
    struct tx *tx = sk_make(&sk, &(struct sk_tx){.in = coins, .in_count = 2, .fee = 50000});
    struct verdict v = judge(tx, 50000, 100);
    cr_assert_str_eq(v.reason, "insufficient fee");
    for (int i = 0; i < 2; i++) {
        struct txid txid = pool_spender(sk.m, &coins[i])->tx.txid;
        mempool_prioritise(sk.m, &txid, INT64_MIN);
        mempool_prioritise(sk.m, &txid, INT64_MIN);
    }
    v = judge(tx, INT64_MAX, 100);
    cr_assert(verdict_ok(&v));
}

/* ---- the diagram ---- */

/* Stages TX of FEE in the place of REMOVED; what the diagram says. */
static bool gains(struct mempool_entry *removed, struct tx *tx, struct verdict *v)
{
    struct pool_set all = {0};
    struct mempool_entry *e = sk_entry(&sk, tx);
    pool_set_add(&all, removed);
    pool_add_descendants(sk.m, &all);
    pool_stage(sk.m);
    for (size_t i = 0; i < all.count; i++) pool_stage_remove(sk.m, all.items[i]);
    pool_stage_add(sk.m, e);
    *v = (struct verdict){0};
    bool good = replace_check_diagram(sk.m, v);
    pool_stage_abort(sk.m);
    pool_entry_free(e);
    pool_set_clear(&all);
    mempool_check(sk.m);
    return good;
}

Test(replace, miners_gain_by_it)
{
    struct outpoint coin = sk_coin(&sk, 100000000);
    struct mempool_entry *a = sk_add_move(&sk, coin, 1000);
    struct verdict v;
    cr_assert(gains(a, sk_move(&sk, coin, 1001), &v) && verdict_ok(&v));
    /* More in all, but less for its size. */
    struct tx *large = sk_make(&sk, &(struct sk_tx){.in = &coin, .in_count = 1, .fee = 5000, .pad = 2000});
    cr_assert(!gains(a, large, &v));
    cr_assert_eq(v.kind, VERDICT_RECONSIDERABLE);
    cr_assert_str_eq(v.reason, "replacement-failed");
    cr_assert_str_eq(v.detail, "insufficient feerate: does not improve feerate diagram");
}

Test(replace, what_a_parent_loses_counts)
{
    struct outpoint coin = sk_coin(&sk, 100000000);
    struct mempool_entry *parent =
        sk_add(&sk, sk_make(&sk, &(struct sk_tx){.in = &coin, .in_count = 1, .out_count = 2}));
    struct mempool_entry *child = sk_add_move(&sk, sk_out(&parent->tx, 0), 5000);
    struct outpoint own = sk_coin(&sk, 100000000);
    struct outpoint both[] = {sk_out(&parent->tx, 0), own};
    struct verdict v;
    /* It pays for the parent too, unless it is so large that parent and child are mined later. */
    cr_assert(gains(child, sk_make(&sk, &(struct sk_tx){.in = both, .in_count = 2, .fee = 9000}), &v));
    cr_assert(!gains(child, sk_make(&sk, &(struct sk_tx){.in = both, .in_count = 2, .fee = 9000, .pad = 1000}), &v));
}
