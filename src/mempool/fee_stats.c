/* One horizon of the fee estimates. */
#include "mempool/fee_stats.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "primitives/compact_size.h"

size_t fee_bucket_of(const struct fee_buckets *b, double rate)
{
    size_t low = 0, high = b->count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (b->ends[middle] < rate)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void init_waiting(struct fee_stats *s)
{
    s->waiting = mem_calloc(s->buckets * fee_stats_max_target(s), sizeof(*s->waiting));
    s->long_ago = mem_calloc(s->buckets, sizeof(*s->long_ago));
}

void fee_stats_init(struct fee_stats *s, size_t buckets, unsigned periods, unsigned scale, double decay)
{
    *s = (struct fee_stats){.buckets = buckets, .periods = periods, .scale = scale, .decay = decay};
    s->txs = mem_calloc(buckets, sizeof(double));
    s->rates = mem_calloc(buckets, sizeof(double));
    s->confirmed = mem_calloc(periods * buckets, sizeof(double));
    s->failed = mem_calloc(periods * buckets, sizeof(double));
    init_waiting(s);
}

void fee_stats_clear(struct fee_stats *s)
{
    free(s->txs);
    free(s->rates);
    free(s->confirmed);
    free(s->failed);
    free(s->waiting);
    free(s->long_ago);
    *s = (struct fee_stats){0};
}

unsigned fee_stats_max_target(const struct fee_stats *s)
{
    return s->periods * s->scale;
}

/* Where the transactions that came at HEIGHT are counted. */
static uint32_t *waiting_at(const struct fee_stats *s, size_t bucket, uint32_t height)
{
    unsigned bins = fee_stats_max_target(s);
    return &s->waiting[bucket * bins + height % bins];
}

static void touch(struct fee_stats *s, size_t bucket)
{
    if (s->low == s->high) s->low = s->high = bucket;
    if (bucket < s->low) s->low = bucket;
    if (bucket >= s->high) s->high = bucket + 1;
}

void fee_stats_next_block(struct fee_stats *s, uint32_t height)
{
    for (size_t b = s->low; b < s->high; b++) {
        uint32_t *oldest = waiting_at(s, b, height);
        s->long_ago[b] += *oldest;
        *oldest = 0;
        s->txs[b] *= s->decay;
        s->rates[b] *= s->decay;
    }
    for (size_t p = 0; p < s->periods; p++) {
        for (size_t i = p * s->buckets + s->low; i < p * s->buckets + s->high; i++) {
            s->confirmed[i] *= s->decay;
            s->failed[i] *= s->decay;
        }
    }
}

void fee_stats_mined(struct fee_stats *s, size_t bucket, unsigned blocks, double rate)
{
    touch(s, bucket);
    for (size_t p = (blocks + s->scale - 1) / s->scale; p <= s->periods; p++)
        s->confirmed[(p - 1) * s->buckets + bucket]++;
    s->txs[bucket]++;
    s->rates[bucket] += rate;
}

void fee_stats_enter(struct fee_stats *s, size_t bucket, uint32_t height)
{
    touch(s, bucket);
    ++*waiting_at(s, bucket, height);
}

void fee_stats_leave(struct fee_stats *s, size_t bucket, uint32_t height, uint32_t best, bool mined)
{
    uint32_t age = best ? best - height : 0;
    if (best && height > best) return;
    uint32_t *count = age >= fee_stats_max_target(s) ? &s->long_ago[bucket] : waiting_at(s, bucket, height);
    if (*count) --*count;
    if (mined) return;
    touch(s, bucket);
    for (size_t p = 0; p < age / s->scale && p < s->periods; p++) s->failed[p * s->buckets + bucket]++;
}

/* ---- estimates ---- */

/* Buckets that are looked at together, from HIGH down to LOW, and what was counted there. */
struct range {
    size_t low, high;
    double within, total, waiting, left;
    double fresh; /* mined, since enough were last together */
};

static void add_bucket(const struct fee_stats *s, struct range *r, size_t bucket, unsigned target, uint32_t best)
{
    size_t row = ((target + s->scale - 1) / s->scale - 1) * s->buckets + bucket;
    uint64_t waiting = s->long_ago[bucket];
    r->low = bucket;
    r->within += s->confirmed[row];
    r->left += s->failed[row];
    r->total += s->txs[bucket];
    r->fresh += s->txs[bucket];
    for (uint32_t age = target; age < fee_stats_max_target(s); age++) waiting += *waiting_at(s, bucket, best - age);
    r->waiting += (double)waiting;
}

static struct fee_range show_range(const struct fee_buckets *b, const struct range *r)
{
    return (struct fee_range){.start = r->low ? b->ends[r->low - 1] : 0,
                              .end = b->ends[r->high],
                              .within_target = r->within,
                              .total_confirmed = r->total,
                              .in_mempool = r->waiting,
                              .left_mempool = r->left};
}

static double median_of(const struct fee_stats *s, size_t low, size_t high)
{
    double half = 0;
    for (size_t b = low; b <= high; b++) half += s->txs[b];
    if (half == 0) return -1;
    half = half / 2;
    for (size_t b = low; b <= high; b++) {
        if (s->txs[b] >= half) return s->rates[b] / s->txs[b];
        half -= s->txs[b];
    }
    return -1;
}

double fee_stats_estimate(const struct fee_stats *s, const struct fee_buckets *b, unsigned target, double sufficient,
                          double threshold, uint32_t best, struct fee_raw *raw)
{
    const struct fee_range none = {.start = -1, .end = -1};
    struct fee_range pass = none, fail = none;
    struct range now = {0}, passed = {0};
    bool found = false, fresh_range = true;
    if (!target || target > fee_stats_max_target(s)) return -1;
    for (size_t at = s->buckets; at-- > 0;) {
        if (fresh_range) now.high = at;
        fresh_range = false;
        add_bucket(s, &now, at, target, best);
        if (now.fresh < sufficient / (1 - s->decay)) continue;
        now.fresh = 0;
        if (now.within / (now.total + now.left + now.waiting) < threshold) {
            if (fail.start < 0) fail = show_range(b, &now);
            continue;
        }
        found = true;
        passed = now;
        pass = show_range(b, &now);
        fail = none;
        now = (struct range){0};
        fresh_range = true;
    }
    double median = found ? median_of(s, passed.low, passed.high) : -1;
    if (!fresh_range && fail.start < 0) fail = show_range(b, &now); /* too few at the low end */
    if (raw) {
        raw->pass = pass;
        raw->fail = fail;
        raw->decay = s->decay;
        raw->scale = s->scale;
    }
    return median;
}

/* ---- files ---- */

void fee_write_double(struct buffer *out, double v)
{
    uint64_t bits;
    _Static_assert(sizeof(bits) == sizeof(v), "double is IEEE 754 binary64");
    memcpy(&bits, &v, sizeof(bits));
    buffer_put_le64(out, bits);
}

double fee_read_double(struct reader *in)
{
    double v;
    uint64_t bits = read_le64(in);
    memcpy(&v, &bits, sizeof(v));
    return v;
}

void fee_write_doubles(struct buffer *out, const double *v, size_t count)
{
    buffer_put_compact_size(out, count);
    for (size_t i = 0; i < count; i++) fee_write_double(out, v[i]);
}

double *fee_read_doubles(struct reader *in, size_t max, size_t *count)
{
    uint64_t n = read_compact_size(in);
    if (n > max || n * sizeof(double) > reader_left(in)) reader_fail(in);
    if (in->failed) return NULL;
    double *v = mem_calloc((size_t)n, sizeof(double));
    for (size_t i = 0; i < n; i++) {
        v[i] = fee_read_double(in);
        if (!isfinite(v[i]) || v[i] < 0) reader_fail(in);
    }
    *count = (size_t)n;
    if (!in->failed) return v;
    free(v);
    return NULL;
}

static void write_table(struct buffer *out, const double *v, unsigned rows, size_t columns)
{
    buffer_put_compact_size(out, rows);
    for (unsigned i = 0; i < rows; i++) fee_write_doubles(out, v + i * columns, columns);
}

void fee_stats_write(const struct fee_stats *s, struct buffer *out)
{
    fee_write_double(out, s->decay);
    buffer_put_le32(out, s->scale);
    fee_write_doubles(out, s->rates, s->buckets);
    fee_write_doubles(out, s->txs, s->buckets);
    write_table(out, s->confirmed, s->periods, s->buckets);
    write_table(out, s->failed, s->periods, s->buckets);
}

/* ROWS lists of COLUMNS numbers each. */
static double *read_table(struct reader *in, uint64_t rows, size_t columns)
{
    if (rows > FEE_CONFIRMS_MAX || rows * columns * sizeof(double) > reader_left(in)) reader_fail(in);
    if (in->failed) return NULL;
    double *table = mem_calloc((size_t)rows * columns, sizeof(double));
    for (size_t i = 0; i < rows && !in->failed; i++) {
        size_t count = 0;
        double *row = fee_read_doubles(in, columns, &count);
        if (row && count == columns)
            memcpy(table + i * columns, row, columns * sizeof(double));
        else
            reader_fail(in);
        free(row);
    }
    return table;
}

static double *read_row(struct reader *in, size_t columns)
{
    size_t count = 0;
    double *row = fee_read_doubles(in, columns, &count);
    if (count != columns) reader_fail(in);
    return row;
}

const char *fee_stats_read(struct fee_stats *s, struct reader *in, size_t buckets)
{
    *s = (struct fee_stats){.buckets = buckets, .high = buckets};
    s->decay = fee_read_double(in);
    s->scale = read_le32(in);
    if (!(s->decay > 0 && s->decay < 1)) return "a decay is not between 0 and 1";
    if (!s->scale) return "a scale is zero";
    s->rates = read_row(in, buckets);
    s->txs = read_row(in, buckets);
    uint64_t periods = read_compact_size(in);
    if (in->failed || !periods || periods * s->scale > FEE_CONFIRMS_MAX || periods > FEE_CONFIRMS_MAX)
        return in->failed ? "a list is not whole" : "the counts are not of 1 to 1008 blocks";
    s->periods = (unsigned)periods;
    s->confirmed = read_table(in, periods, buckets);
    if (read_compact_size(in) != periods) return "there are not as many failures as counts";
    s->failed = read_table(in, periods, buckets);
    if (in->failed) return "a table is not whole";
    init_waiting(s);
    return NULL;
}
