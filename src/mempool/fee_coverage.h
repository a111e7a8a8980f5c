/* What the pool itself says of fees: the rates in the block that would be made of it now, as far as the last blocks
 * were made of it, too. Of six blocks three quarters of the weight must have been in the pool before. */
#ifndef CAIRN_MEMPOOL_FEE_COVERAGE_H
#define CAIRN_MEMPOOL_FEE_COVERAGE_H

#include "base/buffer.h"
#include "base/reader.h"
#include "base/result.h"
#include "mempool/fee_frac.h"
#include "primitives/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mempool;

enum { FEE_COVERAGE_BLOCKS = 6, FEE_COVERAGE_TARGET = 2 };

/* Weights without the coinbase. */
struct fee_covered_block {
    uint64_t height;
    uint64_t known_wu; /* of what was in the pool before */
    uint64_t total_wu;
};

/* All zeroes is empty. */
struct fee_coverage {
    struct fee_covered_block blocks[FEE_COVERAGE_BLOCKS]; /* one after the other */
    size_t count;
    struct block_hash tip; /* of the last */
};

/* BLOCK was connected; blocks of its height and above are forgotten, as are all where it does not follow the last. */
void fee_coverage_add(struct fee_coverage *c, const struct fee_covered_block *block, const struct block_hash *hash);

/* NULL, or why the pool's rates are not to be trusted. */
const char *fee_coverage_problem(const struct fee_coverage *c);

/* Satoshis and virtual bytes of the chunks with which the next block would be half and three quarters full; where there
 * is too little of it for that, FLOOR. */
void fee_coverage_rates(struct mempool *m, struct fee_frac floor, struct fee_frac *half, struct fee_frac *most);

/* mempool_policy_estimator.dat of Bitcoin Core. */
void fee_coverage_write(const struct fee_coverage *c, struct buffer *out);
/* A file that ends at another block than TIP at HEIGHT is of no use: RESULT_NOT_FOUND. *C stays as it was on failure.
 */
MUST_USE enum result fee_coverage_read(struct fee_coverage *c, struct span file, const struct block_hash *tip,
                                       int32_t height, struct error *e);

#endif
