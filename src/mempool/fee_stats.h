/* One horizon of the fee estimates: for each bucket of rates, how many transactions were mined within how many periods
 * of blocks, how many left unmined, and how many still wait. Everything but the last decays with each block. */
#ifndef CAIRN_MEMPOOL_FEE_STATS_H
#define CAIRN_MEMPOOL_FEE_STATS_H

#include "base/buffer.h"
#include "base/reader.h"
#include "mempool/fee_estimator.h"

enum { FEE_BUCKETS_MAX = 1000, FEE_CONFIRMS_MAX = 6 * 24 * 7 /* a week */ };

/* The highest rate of each bucket, rising; the last one is beyond all rates. */
struct fee_buckets {
    double *ends;
    size_t count;
};

/* The bucket in which RATE falls. */
size_t fee_bucket_of(const struct fee_buckets *b, double rate);

struct fee_stats {
    size_t buckets;
    unsigned periods;   /* tracked */
    unsigned scale;     /* blocks in a period */
    double decay;       /* per block */
    double *txs;        /* [bucket] mined */
    double *rates;      /* [bucket] the sum of their rates */
    double *confirmed;  /* [period][bucket] mined within so many periods */
    double *failed;     /* [period][bucket] gone after so many periods */
    uint32_t *waiting;  /* [bucket][block modulo periods * scale] in the pool since that block */
    uint32_t *long_ago; /* [bucket] in the pool for longer */
    size_t low, high;   /* in buckets outside [low, high) all is zero */
};

void fee_stats_init(struct fee_stats *s, size_t buckets, unsigned periods, unsigned scale, double decay);
void fee_stats_clear(struct fee_stats *s);

/* The most blocks that it can tell of. */
unsigned fee_stats_max_target(const struct fee_stats *s);

/* A block at HEIGHT: everything is a block older. */
void fee_stats_next_block(struct fee_stats *s, uint32_t height);
/* Mined after BLOCKS (1 or more). */
void fee_stats_mined(struct fee_stats *s, size_t bucket, unsigned blocks, double rate);
/* Came to the pool, and left it again; BEST is the height of the last block (0: none seen). */
void fee_stats_enter(struct fee_stats *s, size_t bucket, uint32_t height);
void fee_stats_leave(struct fee_stats *s, size_t bucket, uint32_t height, uint32_t best, bool mined);

/* The mean rate of the bucket with the median transaction, in the lowest range of buckets, each with at least
 * SUFFICIENT transactions a block, of which and of all above it more than THRESHOLD were mined within TARGET blocks.
 * -1: none. *RAW (may be NULL) tells of that range and of the one that failed; its rate is left alone. */
double fee_stats_estimate(const struct fee_stats *s, const struct fee_buckets *b, unsigned target, double sufficient,
                          double threshold, uint32_t best, struct fee_raw *raw);

void fee_stats_write(const struct fee_stats *s, struct buffer *out);
/* *S must be empty. NULL, or what is wrong. */
const char *fee_stats_read(struct fee_stats *s, struct reader *in, size_t buckets);

/* Numbers in files: IEEE 754 double, little endian; lists with their length (compact size). */
void fee_write_double(struct buffer *out, double v);
double fee_read_double(struct reader *in);
void fee_write_doubles(struct buffer *out, const double *v, size_t count);
/* A list; NULL with the reader failed where it is longer than MAX or any number is negative or not finite. */
double *fee_read_doubles(struct reader *in, size_t max, size_t *count);

#endif
