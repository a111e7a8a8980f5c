/* mempool.dat, in Bitcoin Core's format (version 2: obfuscated with a key; version 1: plain): the pool's transactions
 * with their times, the user's deltas, and what was not broadcast yet. Bytes alone; the shell has the file. */
#ifndef CAIRN_MEMPOOL_MEMPOOL_FILE_H
#define CAIRN_MEMPOOL_MEMPOOL_FILE_H

#include "base/buffer.h"
#include "mempool/mempool.h"

/* Writes the pool, parents before children. KEY (8 bytes) obfuscates it; NULL: version 1. */
void mempool_file_write(struct mempool *m, const uint8_t key[8], struct buffer *out);

struct mempool_file_options {
    bool use_current_time; /* as if they came now */
    bool apply_deltas;
    bool apply_unbroadcast;
};

/* Reading goes by slices, so that a large file does not hold the node. FILE must live as long as the reader. */
struct mempool_file_reader;

/* NULL, and *E says why, where it is no such file or of another version. */
struct mempool_file_reader *mempool_file_open(struct mempool *m, struct span file,
                                              const struct mempool_file_options *options, struct error *e);

struct mempool_file_counts {
    uint64_t total, accepted, failed, expired, known, unbroadcast;
};

/* Tries at most LIMIT transactions. *DONE at the end, when deltas and the unbroadcast were taken, too. RESULT_CORRUPT
 * where the file ends or errs in the middle: what came before stays. */
MUST_USE enum result mempool_file_step(struct mempool_file_reader *r, unsigned limit, bool *done, struct error *e);
const struct mempool_file_counts *mempool_file_counts_of(const struct mempool_file_reader *r);
void mempool_file_close(struct mempool_file_reader *r);

#endif
