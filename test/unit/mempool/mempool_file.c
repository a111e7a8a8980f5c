/* The saved pool: what is written comes back, in both versions, in slices; damage leaves what came before it. */
#include "mempool/mempool_file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/pool_kit.h"

enum { COINS = 12, BLOCKS = 130 };

static const struct mempool_file_options everything = {.apply_deltas = true, .apply_unbroadcast = true};
static const uint8_t key[8] = {1, 2, 3, 4, 5, 6, 7, 0x80};

/* A pool with families, deltas, and one that nobody asked for. */
static void fill(struct pool_kit *k)
{
    struct txid stranger = {{77}};
    pool_kit_new(k, BLOCKS);
    for (int i = 0; i < COINS; i++) {
        const struct mempool_entry *e =
            pool_kit_add_root(k, 1 + i, (struct pool_spend_plan){.fee = 1000 + 100 * i, .outputs = 3});
        if (i % 3 == 0) mempool_prioritise(k->pool, &e->tx.txid, 5000 + i);
        if (i % 4 == 0) mempool_add_unbroadcast(k->pool, &e->tx.txid);
        for (uint32_t n = 0; n < 2; n++)
            pool_kit_add_child(k, e, n, (struct pool_spend_plan){.fee = 5000 - 100 * i, .padding = 100u * n});
    }
    mempool_prioritise(k->pool, &stranger, -12345);
}

static struct mempool *empty_pool(struct pool_kit *k, int64_t now_s)
{
    struct mempool_options o = *mempool_options_of(k->pool);
    struct mempool *m = mempool_new(&o, k->kit.chain, NULL);
    mempool_set_time(m, now_s);
    return m;
}

static enum result read_all(struct mempool *m, struct span file, const struct mempool_file_options *options,
                            unsigned slice, struct mempool_file_counts *counts)
{
    struct error e = {0};
    bool done = false;
    enum result r = RESULT_OK;
    struct mempool_file_reader *reader = mempool_file_open(m, file, options, &e);
    *counts = (struct mempool_file_counts){0};
    if (!reader) return e.code;
    while (!done && !r) r = mempool_file_step(reader, slice, &done, &e);
    *counts = *mempool_file_counts_of(reader);
    mempool_file_close(reader);
    return r;
}

static void check_same(struct mempool *a, struct mempool *b)
{
    size_t a_count, b_count;
    cr_assert_eq(mempool_count(a), mempool_count(b));
    for (size_t i = 0; i < mempool_count(a); i++) {
        const struct mempool_entry *e = mempool_at(a, i), *f = mempool_find(b, &e->tx.txid);
        cr_assert_not_null(f);
        cr_expect_eq(memcmp(&e->tx.wtxid, &f->tx.wtxid, sizeof(e->tx.wtxid)), 0);
        cr_expect_eq(e->time_s, f->time_s);
        cr_expect_eq(e->delta, f->delta);
        cr_expect_eq(e->fee, f->fee);
        cr_expect_eq(mempool_is_unbroadcast(a, &e->tx.txid), mempool_is_unbroadcast(b, &e->tx.txid));
    }
    struct mempool_delta *x = mempool_deltas(a, &a_count), *y = mempool_deltas(b, &b_count);
    cr_assert_eq(a_count, b_count);
    for (size_t i = 0; i < a_count; i++) {
        cr_expect_eq(memcmp(&x[i].txid, &y[i].txid, sizeof(x[i].txid)), 0);
        cr_expect_eq(x[i].delta, y[i].delta);
    }
    free(x);
    free(y);
}

Test(mempool_file, there_and_back)
{
    struct pool_kit k;
    struct mempool_file_counts counts;
    fill(&k);
    for (unsigned v = 1; v <= 2; v++) {
        struct buffer file = {0};
        mempool_file_write(k.pool, v == 2 ? key : NULL, &file);
        cr_expect_eq(file.data[0], v);
        for (unsigned slice = 1; slice <= 1000; slice *= 10) {
            struct mempool *m = empty_pool(&k, k.kit.now_s + 1000);
            cr_assert_eq(read_all(m, buffer_span(&file), &everything, slice, &counts), RESULT_OK);
            cr_expect_eq(counts.total, 3 * COINS);
            cr_expect_eq(counts.accepted, 3 * COINS);
            cr_expect_eq(counts.failed + counts.expired + counts.known, 0);
            cr_expect_eq(counts.unbroadcast, 3);
            check_same(k.pool, m);
            mempool_check(m);
            mempool_free(m);
        }
        buffer_clear(&file);
    }
    pool_kit_free(&k);
}

/* The layout that Bitcoin Core reads and writes, byte by byte. */
Test(mempool_file, layout)
{
    struct pool_kit k;
    struct buffer plain = {0}, hidden = {0};
    pool_kit_new(&k, BLOCKS);
    const struct mempool_entry *e = pool_kit_add_root(&k, 1, (struct pool_spend_plan){.fee = 1000});
    mempool_prioritise(k.pool, &e->tx.txid, 7);
    mempool_add_unbroadcast(k.pool, &e->tx.txid);
    mempool_file_write(k.pool, NULL, &plain);
    struct reader in = reader_of(buffer_span(&plain));
    cr_expect_eq(read_le64(&in), 1, "version");
    cr_expect_eq(read_le64(&in), 1, "transactions");
    struct span raw = read_span(&in, e->tx.size);
    cr_expect_eq(memcmp(raw.data, e->tx.raw.data, raw.len), 0);
    cr_expect_eq((int64_t)read_le64(&in), e->time_s);
    cr_expect_eq(read_le64(&in), 7, "its delta");
    cr_expect_eq(read_u8(&in), 0, "deltas of others");
    cr_expect_eq(read_u8(&in), 1, "unbroadcast");
    cr_expect_eq(memcmp(read_span(&in, 32).data, &e->tx.txid, 32), 0);
    cr_expect_eq(reader_left(&in), 0);
    mempool_file_write(k.pool, key, &hidden);
    cr_assert_eq(hidden.len, plain.len + 9);
    cr_expect_eq(hidden.data[0], 2, "version");
    cr_expect_eq(hidden.data[8], 8, "length of the key");
    cr_expect_eq(memcmp(hidden.data + 9, key, 8), 0);
    for (size_t i = 17; i < hidden.len; i++)
        cr_assert_eq(hidden.data[i], plain.data[i - 9] ^ key[i % 8], "byte %zu", i);
    buffer_clear(&plain);
    buffer_clear(&hidden);
    pool_kit_free(&k);
}

Test(mempool_file, options)
{
    struct pool_kit k;
    struct buffer file = {0};
    struct mempool_file_counts counts;
    size_t deltas;
    fill(&k);
    mempool_file_write(k.pool, key, &file);
    struct mempool *m = empty_pool(&k, k.kit.now_s + 1000);
    struct mempool_file_options now = {.use_current_time = true};
    cr_assert_eq(read_all(m, buffer_span(&file), &now, 100, &counts), RESULT_OK);
    free(mempool_deltas(m, &deltas));
    cr_expect_eq(deltas, 0);
    cr_expect_eq(mempool_unbroadcast_count(m), 0);
    cr_expect_eq(counts.unbroadcast, 0);
    for (size_t i = 0; i < mempool_count(m); i++) cr_expect_eq(mempool_at(m, i)->time_s, k.kit.now_s + 1000);
    cr_assert_eq(read_all(m, buffer_span(&file), &everything, 100, &counts), RESULT_OK);
    cr_expect_eq(counts.known, 3 * COINS, "a second time");
    cr_expect_eq(counts.accepted, 0);
    cr_expect_eq(mempool_unbroadcast_count(m), 3);
    mempool_free(m);
    m = empty_pool(&k, k.kit.now_s + mempool_options_of(k.pool)->expiry_s);
    cr_assert_eq(read_all(m, buffer_span(&file), &everything, 100, &counts), RESULT_OK);
    cr_expect_eq(counts.expired, 3 * COINS, "too old");
    cr_expect_eq(mempool_count(m), 0);
    mempool_free(m);
    buffer_clear(&file);
    pool_kit_free(&k);
}

/* What cannot be in the pool any more is counted and passed over, with what depends on it. */
Test(mempool_file, some_fail)
{
    struct pool_kit k;
    struct buffer file = {0};
    struct mempool_file_counts counts;
    fill(&k);
    mempool_file_write(k.pool, key, &file);
    struct mempool *m = empty_pool(&k, k.kit.now_s);
    struct pool_kit other = k;
    other.pool = m;
    pool_kit_add_root(&other, 1, (struct pool_spend_plan){.fee = 1000000});
    cr_assert_eq(read_all(m, buffer_span(&file), &everything, 100, &counts), RESULT_OK);
    cr_expect_eq(counts.failed, 3);
    cr_expect_eq(counts.accepted, 3 * COINS - 3);
    mempool_check(m);
    mempool_free(m);
    buffer_clear(&file);
    pool_kit_free(&k);
}

/* Every cut leaves what came whole, and says so. */
Test(mempool_file, cut_anywhere)
{
    struct pool_kit k;
    struct buffer file = {0};
    struct mempool_file_counts counts;
    fill(&k);
    mempool_file_write(k.pool, key, &file);
    size_t before = 0;
    for (size_t len = 0; len < file.len; len += 37) {
        uint8_t *copy = malloc(len + 1); /* so that a sanitizer sees whoever reads beyond it */
        memcpy(copy, file.data, len);
        struct mempool *m = empty_pool(&k, k.kit.now_s);
        cr_expect_eq(read_all(m, span_of(copy, len), &everything, 7, &counts), RESULT_CORRUPT, "%zu bytes", len);
        cr_expect_geq(mempool_count(m), before);
        before = mempool_count(m);
        mempool_free(m);
        free(copy);
    }
    cr_expect_eq(before, 3 * COINS);
    buffer_clear(&file);
    pool_kit_free(&k);
}

Test(mempool_file, nonsense)
{
    struct pool_kit k;
    struct buffer file = {0};
    struct random r;
    struct mempool_file_counts counts;
    fill(&k);
    mempool_file_write(k.pool, NULL, &file);
    random_init_u64(&r, 5);
    for (int i = 0; i < 200; i++) {
        struct buffer bad = {0};
        struct mempool *m = empty_pool(&k, k.kit.now_s);
        buffer_put_span(&bad, buffer_span(&file));
        for (int n = 0; n < 3; n++) bad.data[random_below(&r, bad.len)] = (uint8_t)random_u64(&r);
        (void)!read_all(m, buffer_span(&bad), &everything, 50, &counts);
        mempool_check(m);
        mempool_free(m);
        buffer_clear(&bad);
    }
    file.data[0] = 3;
    cr_expect_eq(read_all(k.pool, buffer_span(&file), &everything, 50, &counts), RESULT_CORRUPT, "a later version");
    buffer_clear(&file);
    pool_kit_free(&k);
}

/* Transactions longer than what is decoded at a time. */
Test(mempool_file, long_ones)
{
    struct pool_kit k;
    struct buffer file = {0};
    struct mempool_file_counts counts;
    pool_kit_new(&k, BLOCKS);
    for (int i = 0; i < 8; i++) pool_kit_add_root(&k, 1 + i, (struct pool_spend_plan){.fee = 100000, .padding = 65000});
    mempool_file_write(k.pool, key, &file);
    struct mempool *m = empty_pool(&k, k.kit.now_s);
    cr_assert_eq(read_all(m, buffer_span(&file), &everything, 3, &counts), RESULT_OK);
    cr_expect_eq(counts.accepted, 8);
    check_same(k.pool, m);
    mempool_free(m);
    buffer_clear(&file);
    pool_kit_free(&k);
}
