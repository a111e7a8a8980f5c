/* Fee estimates: who is watched, and how the horizons' answers become one. */
#include "mempool/fee_estimator.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "mempool/fee_stats.h"
#include "mempool/fee_watch.h"

enum {
    FILE_VERSION = 309900,
    OLDEST_HISTORY = 6 * 1008, /* blocks since a file's last that make it worthless */
};

static const double lowest_rate = 100, highest_rate = 1e7, rate_spacing = 1.05, beyond_rates = 1e99;

/* Part of the transactions that must be mined within half, once and twice the target. */
static const double half_threshold = 0.6, full_threshold = 0.85, double_threshold = 0.95;

/* In FILE_ORDER they stand in files. SUFFICIENT: transactions a block that a range of rates must have. */
static const struct {
    unsigned periods, scale;
    double decay, sufficient;
} horizons[FEE_HORIZONS] = {
    [FEE_SHORT] = {12, 1, .962, 0.5},
    [FEE_MEDIUM] = {24, 2, .9952, 0.1},
    [FEE_LONG] = {42, 24, .99931, 0.1},
};
static const enum fee_horizon file_order[FEE_HORIZONS] = {FEE_MEDIUM, FEE_SHORT, FEE_LONG};

struct fee_estimator {
    struct log *log;
    struct fee_buckets buckets;
    struct fee_stats stats[FEE_HORIZONS];
    struct fee_watch watched;
    uint32_t best;                        /* height of the last block; 0: none */
    uint32_t first;                       /* height of the first one with a transaction that was watched; 0: none */
    uint32_t history_first, history_best; /* the same of the file */
    uint64_t counted, passed_over;        /* entrants since the last block */
    struct fee_coverage coverage;
};

static void init_buckets(struct fee_buckets *b)
{
    size_t cap = 0;
    for (double end = lowest_rate; end <= highest_rate; end *= rate_spacing) {
        b->ends = mem_grow(b->ends, &cap, b->count + 1, sizeof(*b->ends));
        b->ends[b->count++] = end;
    }
    b->ends = mem_grow(b->ends, &cap, b->count + 1, sizeof(*b->ends));
    b->ends[b->count++] = beyond_rates;
}

struct fee_estimator *fee_estimator_new(struct log *log)
{
    struct fee_estimator *f = mem_calloc(1, sizeof(*f));
    f->log = log;
    init_buckets(&f->buckets);
    for (int h = 0; h < FEE_HORIZONS; h++)
        fee_stats_init(&f->stats[h], f->buckets.count, horizons[h].periods, horizons[h].scale, horizons[h].decay);
    return f;
}

void fee_estimator_free(struct fee_estimator *f)
{
    if (!f) return;
    fee_watch_clear(&f->watched);
    for (int h = 0; h < FEE_HORIZONS; h++) fee_stats_clear(&f->stats[h]);
    free(f->buckets.ends);
    free(f);
}

size_t fee_estimator_memory(const struct fee_estimator *f)
{
    return f->watched.cap * sizeof(*f->watched.slots);
}

struct fee_coverage *fee_estimator_coverage(struct fee_estimator *f)
{
    return &f->coverage;
}

/* ---- what happens ---- */

void fee_estimator_add(struct fee_estimator *f, const struct txid *txid, amount_sat fee, uint64_t vsize, int32_t height,
                       bool counted)
{
    if ((uint32_t)height != f->best || fee_watch_has(&f->watched, txid)) return;
    if (!counted) {
        f->passed_over++;
        return;
    }
    f->counted++;
    double rate = (double)fee_rate_of(fee, vsize).sat_per_kvb;
    size_t bucket = fee_bucket_of(&f->buckets, rate);
    fee_watch_put(&f->watched, txid, f->best, bucket);
    for (int h = 0; h < FEE_HORIZONS; h++) fee_stats_enter(&f->stats[h], bucket, f->best);
}

/* False where it was not watched. */
static bool forget(struct fee_estimator *f, const struct txid *txid, bool mined)
{
    uint32_t height;
    size_t bucket;
    if (!fee_watch_take(&f->watched, txid, &height, &bucket)) return false;
    for (int h = 0; h < FEE_HORIZONS; h++) fee_stats_leave(&f->stats[h], bucket, height, f->best, mined);
    return true;
}

void fee_estimator_remove(struct fee_estimator *f, const struct txid *txid)
{
    (void)forget(f, txid, false);
}

static bool count_mined(struct fee_estimator *f, const struct fee_mined *m)
{
    if (!forget(f, &m->txid, true) || (int64_t)f->best <= m->entry_height) return false;
    double rate = (double)fee_rate_of(m->fee, m->vsize).sat_per_kvb;
    size_t bucket = fee_bucket_of(&f->buckets, rate);
    for (int h = 0; h < FEE_HORIZONS; h++)
        fee_stats_mined(&f->stats[h], bucket, f->best - (uint32_t)m->entry_height, rate);
    return true;
}

static uint32_t span_of_history(const struct fee_estimator *f)
{
    if (!f->history_first || f->best - f->history_best > OLDEST_HISTORY) return 0;
    return f->history_best - f->history_first;
}

static uint32_t span_now(const struct fee_estimator *f)
{
    return f->first ? f->best - f->first : 0;
}

/* As many blocks must have followed as were waited for. */
static unsigned max_usable(const struct fee_estimator *f)
{
    uint32_t now = span_now(f), history = span_of_history(f);
    unsigned usable = (now > history ? now : history) / 2, most = fee_stats_max_target(&f->stats[FEE_LONG]);
    return usable < most ? usable : most;
}

void fee_estimator_block(struct fee_estimator *f, int32_t height, const struct fee_mined *mined, size_t count)
{
    size_t counted = 0;
    if (height <= 0 || (uint32_t)height <= f->best) return; /* another branch: says nothing new */
    f->best = (uint32_t)height;
    for (int h = 0; h < FEE_HORIZONS; h++) fee_stats_next_block(&f->stats[h], f->best);
    for (size_t i = 0; i < count; i++) counted += count_mined(f, &mined[i]);
    if (!f->first && counted) f->first = f->best;
    log_debug(f->log, LOGC_ESTIMATEFEE,
              "Fee estimates: block %u had %zu of %zu that were watched; of the entrants before it %llu of %llu were; "
              "%zu wait; answers for up to %u blocks",
              f->best, counted, count, (unsigned long long)f->counted,
              (unsigned long long)(f->counted + f->passed_over), f->watched.count, max_usable(f));
    f->counted = f->passed_over = 0;
}

void fee_estimator_flush(struct fee_estimator *f)
{
    const struct fee_watch *w = &f->watched;
    log_debug(f->log, LOGC_ESTIMATEFEE, "Fee estimates: %zu transactions were still watched", w->count);
    for (size_t i = 0; i < w->cap; i++) {
        if (!w->slots[i].bucket) continue;
        for (int h = 0; h < FEE_HORIZONS; h++)
            fee_stats_leave(&f->stats[h], w->slots[i].bucket - 1, w->slots[i].height, f->best, false);
    }
    fee_watch_clear(&f->watched);
}

/* ---- answers ---- */

static struct fee_rate rounded(double rate)
{
    if (!(rate > 0)) return (struct fee_rate){0};
    return (struct fee_rate){rate < (double)MAX_MONEY_SAT ? (amount_sat)llround(rate) : MAX_MONEY_SAT};
}

static double estimate(const struct fee_estimator *f, enum fee_horizon h, unsigned target, double threshold,
                       struct fee_raw *raw)
{
    return fee_stats_estimate(&f->stats[h], &f->buckets, target, horizons[h].sufficient, threshold, f->best, raw);
}

unsigned fee_estimator_max_target(const struct fee_estimator *f, enum fee_horizon h)
{
    return fee_stats_max_target(&f->stats[h]);
}

struct fee_raw fee_estimator_raw(const struct fee_estimator *f, unsigned target, double threshold, enum fee_horizon h)
{
    struct fee_raw raw = {.pass = {.start = -1, .end = -1}, .fail = {.start = -1, .end = -1}};
    if (target && target <= fee_estimator_max_target(f, h) && threshold <= 1)
        raw.rate = rounded(estimate(f, h, target, threshold, &raw));
    return raw;
}

/* The answer of the shortest horizon that knows of TARGET; SHORTER: or a lower one of a shorter horizon at its end. */
static double combined(const struct fee_estimator *f, unsigned target, double threshold, bool shorter)
{
    enum fee_horizon h = FEE_SHORT;
    while (h < FEE_LONG && target > fee_estimator_max_target(f, h)) h++;
    double best = estimate(f, h, target, threshold, NULL);
    for (int s = h - 1; shorter && s >= FEE_SHORT; s--) {
        double other =
            estimate(f, (enum fee_horizon)s, fee_estimator_max_target(f, (enum fee_horizon)s), threshold, NULL);
        if (other > 0 && (best < 0 || other < best)) best = other;
    }
    return best;
}

/* What the longer horizons say of twice the target. */
static double cautious(const struct fee_estimator *f, unsigned target)
{
    double best = -1;
    if (target <= fee_estimator_max_target(f, FEE_SHORT))
        best = estimate(f, FEE_MEDIUM, target, double_threshold, NULL);
    if (target <= fee_estimator_max_target(f, FEE_MEDIUM)) {
        double other = estimate(f, FEE_LONG, target, double_threshold, NULL);
        if (other > best) best = other;
    }
    return best;
}

struct fee_rate fee_estimator_smart(const struct fee_estimator *f, unsigned target, bool conservative,
                                    unsigned *answered)
{
    unsigned usable = max_usable(f);
    *answered = target;
    if (!target || target > fee_estimator_max_target(f, FEE_LONG)) return (struct fee_rate){0};
    if (target == 1) target = 2; /* nobody can promise the next block */
    if (target > usable) target = usable;
    *answered = target;
    if (target <= 1) return (struct fee_rate){0};
    double best = combined(f, target / 2, half_threshold, true);
    double other = combined(f, target, full_threshold, true);
    if (other > best) best = other;
    other = combined(f, 2 * target, double_threshold, !conservative);
    if (other > best) best = other;
    if (conservative || best < 0) {
        other = cautious(f, 2 * target);
        if (other > best) best = other;
    }
    log_debug(f->log, LOGC_ESTIMATEFEE, "Fee estimate: %g satoshis per kvB for %u blocks%s", best, target,
              conservative ? ", conservative" : "");
    return rounded(best);
}

/* ---- the file ---- */

void fee_estimator_write(const struct fee_estimator *f, struct buffer *out)
{
    bool now = span_now(f) > span_of_history(f) / 2;
    buffer_put_le32(out, FILE_VERSION);
    buffer_put_le32(out, f->best);
    buffer_put_le32(out, now ? f->first : f->history_first);
    buffer_put_le32(out, now ? f->best : f->history_best);
    fee_write_doubles(out, f->buckets.ends, f->buckets.count);
    for (int i = 0; i < FEE_HORIZONS; i++) fee_stats_write(&f->stats[file_order[i]], out);
}

static const char *read_buckets(struct fee_buckets *b, struct reader *in)
{
    b->ends = fee_read_doubles(in, FEE_BUCKETS_MAX, &b->count);
    if (!b->ends || b->count < 2) return "there must be 2 to 1000 buckets";
    for (size_t i = 1; i < b->count; i++)
        if (b->ends[i] <= b->ends[i - 1]) return "the buckets do not rise";
    return NULL;
}

static const char *read_file(struct fee_estimator *f, struct reader *in)
{
    uint32_t version = read_le32(in);
    if (version > FILE_VERSION) return "a later version wrote it";
    if (version < FILE_VERSION) return "too old a version wrote it";
    f->best = read_le32(in);
    f->history_first = read_le32(in);
    f->history_best = read_le32(in);
    if (f->history_first > f->history_best || f->history_best > f->best || f->best > INT32_MAX)
        return "the range of blocks makes no sense";
    const char *wrong = read_buckets(&f->buckets, in);
    for (int i = 0; i < FEE_HORIZONS && !wrong; i++)
        wrong = fee_stats_read(&f->stats[file_order[i]], in, f->buckets.count);
    return wrong ? wrong : in->failed ? "it ends too early" : NULL;
}

enum result fee_estimator_read(struct fee_estimator *f, struct span file, struct error *e)
{
    struct reader in = reader_of(file);
    struct fee_estimator *fresh = mem_calloc(1, sizeof(*fresh));
    const char *wrong = read_file(fresh, &in);
    fee_watch_clear(&f->watched);
    if (!wrong) {
        struct fee_estimator old = *f;
        fresh->log = f->log;
        fresh->coverage = f->coverage;
        *f = *fresh;
        *fresh = old;
    }
    fee_estimator_free(fresh);
    return wrong ? error_set(e, RESULT_CORRUPT, "the fee estimates cannot be read: %s", wrong) : RESULT_OK;
}
