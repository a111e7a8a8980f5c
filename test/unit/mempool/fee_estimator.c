/* Fee estimates: counts, horizons, answers, files. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "mempool/fee_estimator.h"
#include "mempool/fee_stats.h"
#include "mempool/fee_watch.h"

static struct txid txid_of(uint64_t n)
{
    struct txid t = {{0}};
    memcpy(t.bytes, &n, sizeof(n));
    return t;
}

/* A chain whose blocks take what pays enough. */
struct market {
    struct fee_estimator *f;
    int32_t height;
    uint64_t next;
    struct fee_mined waiting[20000];
    size_t count;
};

static struct market *market_new(void)
{
    struct market *m = calloc(1, sizeof(*m));
    m->f = fee_estimator_new(NULL);
    fee_estimator_block(m->f, m->height = 2000, NULL, 0); /* low heights are counted twice, as Core does */
    return m;
}

static void market_free(struct market *m)
{
    fee_estimator_free(m->f);
    free(m);
}

/* COUNT transactions of 100 vbytes that pay RATE satoshis per kvB. */
static void offer(struct market *m, size_t count, amount_sat rate)
{
    for (size_t i = 0; i < count; i++) {
        struct fee_mined *w = &m->waiting[m->count++];
        *w = (struct fee_mined){txid_of(++m->next), rate / 10, 100, m->height};
        fee_estimator_add(m->f, &w->txid, w->fee, w->vsize, m->height, true);
    }
}

/* A block with all that pays RATE or more, AT_MOST of them. */
static void mine(struct market *m, amount_sat rate, size_t at_most)
{
    struct fee_mined *block = malloc((m->count + 1) * sizeof(*block));
    size_t taken = 0, kept = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (m->waiting[i].fee * 10 >= rate && taken < at_most)
            block[taken++] = m->waiting[i];
        else
            m->waiting[kept++] = m->waiting[i];
    }
    m->count = kept;
    fee_estimator_block(m->f, ++m->height, block, taken);
    free(block);
}

static amount_sat smart(const struct fee_estimator *f, unsigned target, bool conservative)
{
    unsigned answered;
    return fee_estimator_smart(f, target, conservative, &answered).sat_per_kvb;
}

Test(fee_estimator, knows_nothing_at_first)
{
    struct fee_estimator *f = fee_estimator_new(NULL);
    unsigned answered = 7;
    cr_expect_eq(fee_estimator_smart(f, 6, false, &answered).sat_per_kvb, 0);
    cr_expect_eq(answered, 0, "not even two blocks are known");
    cr_expect_eq(fee_estimator_smart(f, 0, false, &answered).sat_per_kvb, 0);
    cr_expect_eq(fee_estimator_smart(f, 1009, false, &answered).sat_per_kvb, 0);
    cr_expect_eq(answered, 1009);
    cr_expect_eq(fee_estimator_max_target(f, FEE_SHORT), 12);
    cr_expect_eq(fee_estimator_max_target(f, FEE_MEDIUM), 48);
    cr_expect_eq(fee_estimator_max_target(f, FEE_LONG), 1008);
    struct fee_raw raw = fee_estimator_raw(f, 2, 0.95, FEE_SHORT);
    cr_expect_eq(raw.rate.sat_per_kvb, 0);
    cr_expect_eq(raw.scale, 1);
    cr_expect_float_eq(raw.decay, 0.962, 1e-12);
    cr_expect_float_eq(raw.fail.start, 0, 0, "all buckets together had too few");
    cr_expect_float_eq(raw.fail.end, 1e99, 1e90);
    fee_estimator_free(f);
}

Test(fee_estimator, buckets)
{
    struct fee_estimator *f = fee_estimator_new(NULL);
    struct buffer file = {0};
    fee_estimator_write(f, &file);
    struct reader in = reader_of(buffer_span(&file));
    struct fee_buckets b = {0};
    cr_expect_eq(read_le32(&in), 309900);
    read_span(&in, 12);
    b.ends = fee_read_doubles(&in, FEE_BUCKETS_MAX, &b.count);
    cr_assert(b.ends);
    cr_expect_eq(b.count, 237, "%zu", b.count);
    cr_expect_eq(fee_bucket_of(&b, 0), 0);
    cr_expect_eq(fee_bucket_of(&b, 100), 0, "its end belongs to a bucket");
    cr_expect_eq(fee_bucket_of(&b, 100.5), 1);
    cr_expect_eq(fee_bucket_of(&b, 1e9), b.count - 1);
    free(b.ends);
    buffer_clear(&file);
    fee_estimator_free(f);
}

Test(fee_estimator, one_rate)
{
    struct market *m = market_new();
    for (int i = 0; i < 30; i++) {
        offer(m, 20, 5000);
        mine(m, 0, SIZE_MAX);
    }
    unsigned answered;
    cr_expect_eq(fee_estimator_smart(m->f, 1, false, &answered).sat_per_kvb, 5000);
    cr_expect_eq(answered, 2, "nobody knows of the next block");
    cr_expect_eq(fee_estimator_smart(m->f, 100, true, &answered).sat_per_kvb, 5000);
    cr_expect_eq(answered, 14, "half of the blocks between the first with one of ours and the last");
    struct fee_raw raw = fee_estimator_raw(m->f, 2, 0.95, FEE_SHORT);
    cr_expect_eq(raw.rate.sat_per_kvb, 5000);
    cr_expect(raw.pass.start < 5000 && raw.pass.end >= 5000);
    double expected = 0;
    for (int i = 0; i < 30; i++) expected = expected * 0.962 + 20;
    cr_expect_float_eq(raw.pass.total_confirmed, expected, 1e-9);
    cr_expect_float_eq(raw.pass.within_target, expected, 1e-9);
    cr_expect_float_eq(raw.pass.in_mempool, 0, 0);
    market_free(m);
}

/* What pays less waits: the answer depends on the target. */
Test(fee_estimator, patience_pays)
{
    struct market *m = market_new();
    for (int i = 0; i < 200; i++) {
        offer(m, 10, 20000);
        offer(m, 10, 2000);
        bool every_tenth = i % 10 == 9;
        mine(m, every_tenth ? 0 : 10000, SIZE_MAX);
    }
    amount_sat soon = smart(m->f, 2, false), late = smart(m->f, 40, false);
    cr_expect_eq(soon, 20000);
    cr_expect_eq(late, 2000);
    for (unsigned t = 2; t < 90; t++) cr_expect_geq(smart(m->f, t, false), smart(m->f, t + 1, false), "%u", t);
    market_free(m);
}

Test(fee_estimator, conservative_remembers)
{
    struct market *m = market_new();
    for (int i = 0; i < 12; i++) {
        offer(m, 24, 500000);
        mine(m, 0, SIZE_MAX);
    }
    for (int i = 0; i < 4; i++) {
        offer(m, 24, 100000);
        mine(m, 0, SIZE_MAX);
    }
    cr_expect_eq(smart(m->f, 2, false), 100000);
    cr_expect_eq(smart(m->f, 2, true), 500000);
    market_free(m);
}

Test(fee_estimator, not_counted)
{
    struct market *m = market_new();
    struct txid one = txid_of(1), two = txid_of(2), three = txid_of(3);
    fee_estimator_add(m->f, &one, 500, 100, m->height, false);
    fee_estimator_add(m->f, &two, 500, 100, m->height - 1, true);
    fee_estimator_add(m->f, &three, 500, 100, m->height, true);
    struct fee_mined mined[] = {{one, 500, 100, m->height}, {two, 500, 100, m->height}, {three, 500, 100, m->height}};
    fee_estimator_block(m->f, m->height, mined, 3); /* its height is known: another branch */
    cr_expect_float_eq(fee_estimator_raw(m->f, 1, 0.95, FEE_LONG).fail.total_confirmed, 0, 0);
    fee_estimator_block(m->f, m->height + 1, mined, 3);
    cr_expect_float_eq(fee_estimator_raw(m->f, 1, 0.95, FEE_LONG).fail.total_confirmed, 1, 0);
    market_free(m);
}

/* Those that leave the pool after their time was up count against their rate. */
Test(fee_estimator, left_unmined)
{
    struct market *m = market_new();
    offer(m, 30, 5000);
    for (int i = 0; i < 3; i++) mine(m, 1000000, SIZE_MAX);
    struct fee_raw raw = fee_estimator_raw(m->f, 2, 0.95, FEE_SHORT);
    cr_expect_float_eq(raw.fail.in_mempool, 30, 0);
    cr_expect_float_eq(raw.fail.left_mempool, 0, 0);
    for (size_t i = 0; i < 10; i++) fee_estimator_remove(m->f, &m->waiting[i].txid);
    fee_estimator_remove(m->f, &m->waiting[0].txid);
    raw = fee_estimator_raw(m->f, 2, 0.95, FEE_SHORT);
    cr_expect_float_eq(raw.fail.in_mempool, 20, 0);
    cr_expect_float_eq(raw.fail.left_mempool, 10, 0);
    cr_expect_float_eq(fee_estimator_raw(m->f, 4, 0.95, FEE_SHORT).fail.left_mempool, 0, 0, "not waited for that long");
    fee_estimator_flush(m->f);
    raw = fee_estimator_raw(m->f, 2, 0.95, FEE_SHORT);
    cr_expect_float_eq(raw.fail.in_mempool, 0, 0);
    cr_expect_float_eq(raw.fail.left_mempool, 30, 0);
    market_free(m);
}

/* What waits longer than the horizon is long is still counted, and leaves again. */
Test(fee_estimator, waits_for_ages)
{
    struct market *m = market_new();
    offer(m, 5, 5000);
    for (int i = 0; i < 100; i++) mine(m, 1000000, SIZE_MAX);
    cr_expect_float_eq(fee_estimator_raw(m->f, 12, 0.95, FEE_SHORT).fail.in_mempool, 5, 0);
    cr_expect_float_eq(fee_estimator_raw(m->f, 48, 0.95, FEE_MEDIUM).fail.in_mempool, 5, 0);
    mine(m, 0, SIZE_MAX);
    cr_expect_float_eq(fee_estimator_raw(m->f, 12, 0.95, FEE_SHORT).fail.in_mempool, 0, 0);
    cr_expect_float_eq(fee_estimator_raw(m->f, 48, 0.95, FEE_MEDIUM).fail.in_mempool, 0, 0);
    market_free(m);
}

/* ---- who is watched ---- */

Test(fee_watch, against_an_array)
{
    enum { IDS = 500 };
    struct fee_watch w = {0};
    struct random r;
    bool there[IDS] = {false};
    size_t count = 0;
    random_init_u64(&r, 9);
    for (int i = 0; i < 20000; i++) {
        size_t n = (size_t)random_below(&r, i / 5000 % 2 ? IDS / 20 : IDS), bucket;
        struct txid txid = txid_of((uint64_t)(n % 10) << 40 | n / 10 % 3 << 32 | n); /* crowded */
        uint32_t height;
        cr_assert_eq(fee_watch_has(&w, &txid), there[n]);
        if (!there[n]) {
            fee_watch_put(&w, &txid, (uint32_t)n, n + 1);
            count++;
        } else {
            cr_assert(fee_watch_take(&w, &txid, &height, &bucket));
            cr_assert_eq(height, n);
            cr_assert_eq(bucket, n + 1);
            cr_assert(!fee_watch_take(&w, &txid, &height, &bucket));
            count--;
        }
        there[n] = !there[n];
        cr_assert_eq(w.count, count);
        cr_assert_leq(4 * w.count, 3 * w.cap);
    }
    fee_watch_clear(&w);
}

/* ---- the file ---- */

static struct market *busy_market(void)
{
    struct market *m = market_new();
    struct random r;
    uint8_t seed[32] = {3};
    random_init(&r, seed);
    for (int i = 0; i < 150; i++) {
        for (int k = 0; k < 40; k++) offer(m, 1, 1000 + (amount_sat)random_below(&r, 40000));
        mine(m, 1000 * (amount_sat)random_below(&r, 30), 45);
    }
    return m;
}

Test(fee_estimator, file_and_back)
{
    struct market *m = busy_market();
    struct fee_estimator *other = fee_estimator_new(NULL);
    struct buffer file = {0}, again = {0};
    struct error e;
    fee_estimator_flush(m->f);
    fee_estimator_write(m->f, &file);
    cr_assert_eq(fee_estimator_read(other, buffer_span(&file), &e), RESULT_OK, "%s", e.text);
    fee_estimator_write(other, &again);
    cr_expect(file.len == again.len && memcmp(file.data, again.data, file.len) == 0);
    for (unsigned t = 1; t <= 1008; t++) {
        unsigned a, b;
        amount_sat rate = fee_estimator_smart(m->f, t, t % 2, &a).sat_per_kvb;
        cr_expect_eq(fee_estimator_smart(other, t, t % 2, &b).sat_per_kvb, rate);
        cr_expect_eq(a, b);
    }
    cr_expect_gt(smart(other, 2, false), 1000);
    buffer_clear(&file);
    buffer_clear(&again);
    fee_estimator_free(other);
    market_free(m);
}

Test(fee_estimator, damaged_files)
{
    struct market *m = busy_market();
    struct buffer file = {0};
    struct random r;
    struct error e;
    uint8_t seed[32] = {4};
    random_init(&r, seed);
    fee_estimator_write(m->f, &file);
    for (int i = 0; i < 300; i++) {
        struct fee_estimator *f = fee_estimator_new(NULL);
        struct buffer bad = {0};
        buffer_put_span(&bad, buffer_span(&file));
        bool cut = i % 2;
        if (cut) bad.len = (size_t)random_below(&r, bad.len);
        size_t near_start = i % 3 ? bad.len : bad.len < 100 ? bad.len : 100;
        if (!cut) bad.data[random_below(&r, near_start)] ^= (uint8_t)(1 + random_below(&r, 255));
        enum result result = fee_estimator_read(f, buffer_span(&bad), &e);
        if (cut) cr_expect_eq(result, RESULT_CORRUPT);
        if (result) cr_expect_eq(fee_estimator_max_target(f, FEE_LONG), 1008, "as new");
        struct txid txid = txid_of(1);
        fee_estimator_add(f, &txid, 500, 100, 4000, true); /* whatever it read must be usable */
        for (unsigned t = 1; t <= 1008; t += 97) (void)smart(f, t, true);
        fee_estimator_block(f, 4001, NULL, 0);
        buffer_clear(&bad);
        fee_estimator_free(f);
    }
    buffer_clear(&file);
    market_free(m);
}

Test(fee_estimator, old_versions)
{
    struct fee_estimator *f = fee_estimator_new(NULL);
    struct buffer file = {0};
    struct error e;
    fee_estimator_write(f, &file);
    file.data[0]++;
    cr_expect_eq(fee_estimator_read(f, buffer_span(&file), &e), RESULT_CORRUPT);
    cr_expect(strstr(e.text, "later version"));
    file.data[0] -= 2;
    cr_expect_eq(fee_estimator_read(f, buffer_span(&file), &e), RESULT_CORRUPT);
    cr_expect(strstr(e.text, "too old"));
    buffer_clear(&file);
    fee_estimator_free(f);
}

/* ---- what the pool knew of blocks ---- */

static void covered(struct fee_coverage *c, uint64_t height, uint64_t known, uint64_t total)
{
    struct block_hash hash = {{(uint8_t)height}};
    fee_coverage_add(c, &(struct fee_covered_block){height, known, total}, &hash);
}

Test(fee_coverage, window)
{
    struct fee_coverage c = {0};
    for (uint64_t h = 10; h < 15; h++) covered(&c, h, 3000000, 4000000);
    cr_expect_str_eq(fee_coverage_problem(&c), "Not enough recent block data for fee rate estimation");
    covered(&c, 15, 3000000, 4000000);
    cr_expect_null(fee_coverage_problem(&c), "three quarters are enough");
    covered(&c, 16, 2999999, 4000000);
    cr_expect_str_eq(fee_coverage_problem(&c), "Mempool is unreliable for fee rate estimation");
    cr_expect_eq(c.count, FEE_COVERAGE_BLOCKS);
    cr_expect_eq(c.blocks[0].height, 11);
    covered(&c, 14, 0, 0);
    cr_expect_eq(c.count, 4, "another branch");
    covered(&c, 20, 0, 0);
    cr_expect_eq(c.count, 1, "a gap");
    for (uint64_t h = 21; h < 26; h++) covered(&c, h, 0, 100000);
    cr_expect_null(fee_coverage_problem(&c), "small blocks say nothing against the pool");
}

Test(fee_coverage, file)
{
    struct fee_coverage c = {0}, read = {0};
    struct buffer file = {0};
    struct error e;
    for (uint64_t h = 1; h < 9; h++) covered(&c, h, h, 2 * h);
    fee_coverage_write(&c, &file);
    cr_expect_eq(file.len, 4 + 1 + 6 * 24 + 32);
    cr_expect_eq(fee_coverage_read(&read, buffer_span(&file), &c.tip, 8, &e), RESULT_OK);
    cr_expect_eq(read.count, 6);
    cr_expect_eq(memcmp(read.blocks, c.blocks, sizeof(c.blocks)), 0);
    cr_expect_eq(fee_coverage_read(&read, buffer_span(&file), &c.tip, 9, &e), RESULT_NOT_FOUND);
    struct block_hash other = {{9}};
    cr_expect_eq(fee_coverage_read(&read, buffer_span(&file), &other, 8, &e), RESULT_NOT_FOUND);
    for (size_t n = 0; n < file.len; n++)
        cr_expect_eq(fee_coverage_read(&read, span_of(file.data, n), &c.tip, 8, &e), RESULT_CORRUPT);
    file.data[5]++; /* heights must follow each other */
    cr_expect_eq(fee_coverage_read(&read, buffer_span(&file), &c.tip, 8, &e), RESULT_CORRUPT);
    buffer_clear(&file);
}
