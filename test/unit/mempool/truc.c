/* Version 3 (BIP431), one by one and in packages: each rule, with the reason that clients know. */
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

TestSuite(truc, .init = open_pool, .fini = close_pool);

static const struct pool_set nobody;

static struct tx *make(int32_t version, struct outpoint in, size_t outs, size_t pad)
{
    return sk_make(
        &sk, &(struct sk_tx){.version = version, .in = &in, .in_count = 1, .out_count = outs, .fee = 1000, .pad = pad});
}

static struct tx *from_coin(int32_t version)
{
    return make(version, sk_coin(&sk, 1000000), 3, 0);
}

static uint64_t vsize_of(const struct tx *tx)
{
    return (tx_weight(tx) + 3) / 4;
}

/* The parents of TX in the pool. */
static struct pool_set parents_of(const struct tx *tx)
{
    struct pool_set set = {0};
    for (size_t i = 0; i < tx->in_count; i++) {
        struct mempool_entry *parent = pool_find(sk.m, &tx->in[i].prevout.txid);
        if (parent) pool_set_add(&set, parent);
    }
    return set;
}

static void expect_detail(const char *detail, const char *format, const struct tx *a, const struct tx *b)
{
    char ids[4][HASH_TEXT], expected[600];
    txid_text(ids[0], &a->txid);
    wtxid_text(ids[1], &a->wtxid);
    txid_text(ids[2], &(b ? b : a)->txid);
    wtxid_text(ids[3], &(b ? b : a)->wtxid);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(expected, sizeof(expected), format, ids[0], ids[1], ids[2], ids[3]);
#pragma GCC diagnostic pop
    cr_assert_str_eq(detail, expected);
}

/* Checks TX with what it conflicts with; returns the sibling. FORMAT NULL: it is good. */
static struct mempool_entry *expect(const struct tx *tx, const struct pool_set *conflicts, const char *format,
                                    const struct tx *a, const struct tx *b)
{
    struct pool_set parents = parents_of(tx);
    struct mempool_entry *sibling;
    struct verdict v;
    bool good = truc_check(sk.m, tx, vsize_of(tx), &parents, conflicts, v.detail, sizeof(v.detail), &sibling);
    cr_assert_eq(good, format == NULL);
    if (format) expect_detail(v.detail, format, a, b);
    pool_set_clear(&parents);
    return sibling;
}

#define TO_OLD         "version=3 tx %s (wtxid=%s) cannot spend from non-version=3 tx %s (wtxid=%s)"
#define TO_TRUC        "non-version=3 tx %s (wtxid=%s) cannot spend from version=3 tx %s (wtxid=%s)"
#define MANY_ANCESTORS "tx %s (wtxid=%s) would have too many ancestors"
#define MANY_CHILDREN  "tx %s (wtxid=%s) would exceed descendant count limit"

Test(truc, versions_do_not_mix)
{
    struct tx *old = from_coin(2), *truc = from_coin(3);
    sk_add(&sk, old);
    sk_add(&sk, truc);
    struct tx *child = make(3, sk_out(old, 0), 1, 0);
    expect(child, &nobody, TO_OLD, child, old);
    child = make(2, sk_out(truc, 0), 1, 0);
    expect(child, &nobody, TO_TRUC, child, truc);
    expect(make(2, sk_out(old, 0), 1, 0), &nobody, NULL, NULL, NULL);
    expect(make(3, sk_out(truc, 0), 1, 0), &nobody, NULL, NULL, NULL);
}

Test(truc, of_several_strange_parents_the_smallest_txid_is_named)
{
    struct tx *a = from_coin(2), *b = from_coin(2);
    const struct tx *first = memcmp(a->txid.bytes, b->txid.bytes, 32) < 0 ? a : b;
    struct outpoint ins[] = {sk_out(a, 0), sk_out(b, 0)};
    sk_add(&sk, a);
    sk_add(&sk, b);
    for (int i = 0; i < 2; i++) {
        struct tx *child = sk_make(&sk, &(struct sk_tx){.version = 3, .in = ins, .in_count = 2});
        expect(child, &nobody, TO_OLD, child, first);
        ins[0] = sk_out(b, 0);
        ins[1] = sk_out(a, 0);
    }
}

Test(truc, alone_it_has_a_size_that_it_does_not_exceed)
{
    struct tx *probe = make(3, sk_coin(&sk, 10000), 1, 9900);
    size_t room = TRUC_MAX_VSIZE - vsize_of(probe);
    expect(make(3, sk_coin(&sk, 10000), 1, 9900 + room), &nobody, NULL, NULL, NULL);
    struct tx *large = make(3, sk_coin(&sk, 10000), 1, 9901 + room);
    expect(large, &nobody, "version=3 tx %s (wtxid=%s) is too big: 10001 > 10000 virtual bytes", large, NULL);
    expect(make(2, sk_coin(&sk, 10000), 1, 20000), &nobody, NULL, NULL, NULL);
}

Test(truc, a_child_is_smaller_still)
{
    struct tx *parent = from_coin(3);
    sk_add(&sk, parent);
    struct tx *probe = make(3, sk_out(parent, 0), 1, 900);
    size_t room = TRUC_CHILD_MAX_VSIZE - vsize_of(probe);
    expect(make(3, sk_out(parent, 0), 1, 900 + room), &nobody, NULL, NULL, NULL);
    struct tx *large = make(3, sk_out(parent, 0), 1, 901 + room);
    expect(large, &nobody, "version=3 child tx %s (wtxid=%s) is too big: 1001 > 1000 virtual bytes", large, NULL);
}

Test(truc, one_parent_is_enough)
{
    struct tx *a = from_coin(3), *b = from_coin(3);
    sk_add(&sk, a);
    sk_add(&sk, b);
    struct outpoint ins[] = {sk_out(a, 0), sk_out(b, 0)};
    struct tx *child = sk_make(&sk, &(struct sk_tx){.version = 3, .in = ins, .in_count = 2});
    expect(child, &nobody, MANY_ANCESTORS, child, NULL);
    ins[1] = sk_out(a, 1);
    expect(sk_make(&sk, &(struct sk_tx){.version = 3, .in = ins, .in_count = 2}), &nobody, NULL, NULL, NULL);
}

Test(truc, there_are_no_grandchildren)
{
    struct tx *a = from_coin(3), *b = make(3, sk_out(a, 0), 1, 0);
    sk_add(&sk, a);
    sk_add(&sk, b);
    struct tx *child = make(3, sk_out(b, 0), 1, 0);
    expect(child, &nobody, MANY_ANCESTORS, child, NULL);
}

Test(truc, a_second_child_may_take_the_place_of_the_first)
{
    struct tx *a = from_coin(3), *b = make(3, sk_out(a, 0), 1, 0);
    sk_add(&sk, a);
    struct mempool_entry *first = sk_add(&sk, b);
    struct tx *second = make(3, sk_out(a, 1), 1, 0);
    cr_assert_eq(expect(second, &nobody, MANY_CHILDREN, a, NULL), first);
    /* Whom it replaces anyhow does not count. */
    struct pool_set conflicts = {0};
    pool_set_add(&conflicts, first);
    cr_assert_null(expect(second, &conflicts, NULL, NULL, NULL));
    pool_set_clear(&conflicts);
}

Test(truc, of_more_children_none_is_chosen)
{
    struct tx *a = from_coin(3);
    sk_add(&sk, a);
    sk_add(&sk, make(3, sk_out(a, 0), 1, 0));
    struct mempool_entry *other = sk_add(&sk, make(3, sk_out(a, 1), 1, 0));
    struct tx *third = make(3, sk_out(a, 2), 1, 0);
    cr_assert_null(expect(third, &nobody, MANY_CHILDREN, a, NULL));
    struct pool_set conflicts = {0};
    pool_set_add(&conflicts, other);
    expect(third, &conflicts, NULL, NULL, NULL);
    pool_set_clear(&conflicts);
}

Test(truc, a_child_that_has_another_parent_is_not_chosen)
{
    struct tx *a = from_coin(3), *b = from_coin(3);
    sk_add(&sk, a);
    sk_add(&sk, b);
    struct outpoint ins[] = {sk_out(a, 0), sk_out(b, 0)};
    sk_add(&sk, sk_make(&sk, &(struct sk_tx){.version = 3, .in = ins, .in_count = 2}));
    struct tx *second = make(3, sk_out(a, 1), 1, 0);
    cr_assert_null(expect(second, &nobody, MANY_CHILDREN, a, NULL));
}

/* ---- packages ---- */

enum { PACKAGE = 4 };

/* Checks the AT-th of COUNT. FORMAT NULL: it is good. */
static void expect_in(const struct tx *const *txs, size_t count, size_t at, const char *format, const struct tx *a,
                      const struct tx *b)
{
    struct pool_set parents[PACKAGE];
    uint64_t vsizes[PACKAGE];
    struct verdict v;
    for (size_t i = 0; i < count; i++) {
        parents[i] = parents_of(txs[i]);
        vsizes[i] = vsize_of(txs[i]);
    }
    bool good = truc_check_package(sk.m, txs, vsizes, parents, count, at, v.detail, sizeof(v.detail));
    cr_assert_eq(good, format == NULL);
    if (format) expect_detail(v.detail, format, a, b);
    for (size_t i = 0; i < count; i++) pool_set_clear(&parents[i]);
}

Test(truc, in_a_package_versions_do_not_mix)
{
    struct tx *old = from_coin(2), *truc = from_coin(3), *pool = from_coin(3), *pool_old = from_coin(2);
    sk_add(&sk, pool);
    sk_add(&sk, pool_old);
    const struct tx *a[] = {old, make(3, sk_out(old, 0), 1, 0)};
    expect_in(a, 2, 1, TO_OLD, a[1], old);
    expect_in(a, 2, 0, NULL, NULL, NULL);
    const struct tx *b[] = {truc, make(2, sk_out(truc, 0), 1, 0)};
    expect_in(b, 2, 1, TO_TRUC, b[1], truc);
    const struct tx *c[] = {truc, make(2, sk_out(pool, 0), 1, 0)};
    expect_in(c, 2, 1, TO_TRUC, c[1], pool);
    const struct tx *d[] = {truc, make(3, sk_out(pool_old, 0), 1, 0)};
    expect_in(d, 2, 1, TO_OLD, d[1], pool_old);
    const struct tx *e[] = {truc, make(3, sk_out(truc, 0), 1, 0)};
    expect_in(e, 2, 1, NULL, NULL, NULL);
    expect_in(e, 2, 0, NULL, NULL, NULL);
}

Test(truc, in_a_package_sizes_hold)
{
    struct tx *parent = from_coin(3);
    const struct tx *a[] = {make(3, sk_coin(&sk, 10000), 1, 11000)};
    char text[80];
    snprintf(text, sizeof(text), "version=3 tx %%s (wtxid=%%s) is too big: %llu > 10000 virtual bytes",
             (unsigned long long)vsize_of(a[0]));
    expect_in(a, 1, 0, text, a[0], NULL);
    const struct tx *b[] = {parent, make(3, sk_out(parent, 0), 1, 1200)};
    snprintf(text, sizeof(text), "version=3 child tx %%s (wtxid=%%s) is too big: %llu > 1000 virtual bytes",
             (unsigned long long)vsize_of(b[1]));
    expect_in(b, 2, 1, text, b[1], NULL);
}

Test(truc, in_a_package_a_family_is_two)
{
    struct tx *a = from_coin(3), *b = from_coin(3), *pool = from_coin(3);
    sk_add(&sk, pool);
    /* Two parents, whether of the package or the pool. */
    struct outpoint ins[] = {sk_out(a, 0), sk_out(b, 0), sk_out(pool, 0)};
    const struct tx *two[] = {a, b, sk_make(&sk, &(struct sk_tx){.version = 3, .in = ins, .in_count = 2})};
    expect_in(two, 3, 2, MANY_ANCESTORS, two[2], NULL);
    const struct tx *mixed[] = {b, sk_make(&sk, &(struct sk_tx){.version = 3, .in = ins + 1, .in_count = 2})};
    expect_in(mixed, 2, 1, MANY_ANCESTORS, mixed[1], NULL);
    /* Two children, of one in the package and of one in the pool. */
    const struct tx *twins[] = {a, make(3, sk_out(a, 0), 1, 0), make(3, sk_out(a, 1), 1, 0)};
    expect_in(twins, 3, 1, MANY_CHILDREN, a, NULL);
    const struct tx *outside[] = {make(3, sk_out(pool, 0), 1, 0), make(3, sk_out(pool, 1), 1, 0)};
    expect_in(outside, 2, 1, MANY_CHILDREN, pool, NULL);
    /* A grandchild. */
    const struct tx *child = make(3, sk_out(a, 0), 1, 0);
    const struct tx *line[] = {a, child, make(3, sk_out(child, 0), 1, 0)};
    expect_in(line, 3, 1, MANY_ANCESTORS, line[2], NULL);
    const struct tx *in_pool[] = {make(3, sk_out(pool, 0), 1, 0), NULL};
    sk_add(&sk, in_pool[0]);
    const struct tx *second[] = {make(3, sk_out(pool, 1), 1, 0)};
    expect_in(second, 1, 0, MANY_CHILDREN, pool, NULL);
    const struct tx *grandchild[] = {make(3, sk_out(in_pool[0], 0), 1, 0)};
    expect_in(grandchild, 1, 0, MANY_ANCESTORS, grandchild[0], NULL);
}
