/* Fee estimates: what rate was enough, so far, to be mined within so many blocks. It watches transactions from entry to
 * block, as Bitcoin Core's estimator does: counts by rate in geometric buckets, over three horizons, with decay.
 *
 * Fees of transactions that had parents in the pool, or came while the node was catching up, say little: not counted.
 */
#ifndef CAIRN_MEMPOOL_FEE_ESTIMATOR_H
#define CAIRN_MEMPOOL_FEE_ESTIMATOR_H

#include "base/buffer.h"
#include "base/log.h"
#include "base/result.h"
#include "mempool/fee_coverage.h"
#include "policy/fee_rate.h"
#include "primitives/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fee_estimator;

enum fee_horizon { FEE_SHORT, FEE_MEDIUM, FEE_LONG, FEE_HORIZONS };

struct fee_estimator *fee_estimator_new(struct log *log);
void fee_estimator_free(struct fee_estimator *f);

/* It entered. COUNTED: on its own, and while the node was at the tip (else only its leaving is watched: not at all). */
void fee_estimator_add(struct fee_estimator *f, const struct txid *txid, amount_sat fee, uint64_t vsize, int32_t height,
                       bool counted);
/* It left other than by a block. */
void fee_estimator_remove(struct fee_estimator *f, const struct txid *txid);

/* One that was in the pool and is in a block. */
struct fee_mined {
    struct txid txid;
    amount_sat fee;
    uint64_t vsize;
    int32_t entry_height;
};
void fee_estimator_block(struct fee_estimator *f, int32_t height, const struct fee_mined *mined, size_t count);

/* Heap bytes that grow with those watched. */
size_t fee_estimator_memory(const struct fee_estimator *f);

/* What the same blocks were made of; the caller adds to it and asks it. Good as long as F. */
struct fee_coverage *fee_estimator_coverage(struct fee_estimator *f);

/* Everything watched is given up (the node stops): those count as not mined. */
void fee_estimator_flush(struct fee_estimator *f);

/* estimatesmartfee: the rate for TARGET blocks (1 to fee_estimator_max_target), 0 where too little is known;
 * *ANSWERED: the target that the answer is for. */
struct fee_rate fee_estimator_smart(const struct fee_estimator *f, unsigned target, bool conservative,
                                    unsigned *answered);

/* A range of buckets, as estimaterawfee shows it. */
struct fee_range {
    double start, end; /* rates, satoshis per 1000 virtual bytes; start < 0: none */
    double within_target, total_confirmed, in_mempool, left_mempool;
};
struct fee_raw {
    struct fee_rate rate; /* 0: none */
    double decay;
    unsigned scale;
    struct fee_range pass, fail;
};
struct fee_raw fee_estimator_raw(const struct fee_estimator *f, unsigned target, double threshold, enum fee_horizon h);

unsigned fee_estimator_max_target(const struct fee_estimator *f, enum fee_horizon h);

/* The estimates' file, in Core's format (without the coverage, which has its own). */
void fee_estimator_write(const struct fee_estimator *f, struct buffer *out);
/* On failure it is as new. */
MUST_USE enum result fee_estimator_read(struct fee_estimator *f, struct span file, struct error *e);

#endif
