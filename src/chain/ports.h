/* The ports of the engine: storage and workers, as synchronous function tables that the shell fills with LevelDB, files
 * and threads, and tests fill with memory. Everything here may fail as a machine fails; nothing here judges data. */
#ifndef CAIRN_CHAIN_PORTS_H
#define CAIRN_CHAIN_PORTS_H

#include "base/buffer.h"
#include "base/result.h"

/* ---- key-value store ------------------------------------------------------------------------------------------- */

struct kv_ops {
    /* Replaces the content of VALUE. RESULT_NOT_FOUND where there is no such key (no error text). Thread-safe. */
    enum result (*get)(void *ctx, struct span key, struct buffer *value, struct error *e);

    /* A batch is written whole or not at all. */
    void *(*batch_new)(void *ctx);
    void (*batch_put)(void *batch, struct span key, struct span value);
    void (*batch_del)(void *batch, struct span key);
    /* Writes and empties the batch. SYNC: on disk before it returns. */
    enum result (*batch_write)(void *ctx, void *batch, bool sync, struct error *e);
    void (*batch_free)(void *batch);

    /* An iterator over a snapshot of now, in order of the keys' bytes. */
    void *(*iter_new)(void *ctx);
    /* To the first key that is not below KEY. */
    void (*iter_seek)(void *iter, struct span key);
    /* The entry at hand, then moves on; false at the end or on failure. Spans are good until the next call. */
    bool (*iter_next)(void *iter, struct span *key, struct span *value);
    /* RESULT_OK where iter_next returned false for the end's sake. */
    enum result (*iter_result)(void *iter, struct error *e);
    void (*iter_free)(void *iter);

    /* Bytes on disk, roughly (0 where unknown). */
    uint64_t (*disk_bytes)(void *ctx);
};

struct kv_store {
    const struct kv_ops *ops;
    void *ctx;
};

/* ---- flat files ------------------------------------------------------------------------------------------------ */

enum flat_kind { FLAT_BLOCKS, FLAT_UNDO }; /* blkNNNNN.dat, revNNNNN.dat */

struct flat_ops {
    /* Exactly LEN bytes at OFFSET; RESULT_NOT_FOUND: no such file; RESULT_CORRUPT: it is shorter. Thread-safe. */
    enum result (*read)(void *ctx, enum flat_kind kind, uint32_t file, uint64_t offset, uint8_t *out, size_t len,
                        struct error *e);
    /* Writes at OFFSET, creating the file where needed. De-obfuscation (xor.dat) is the port's business. */
    enum result (*write)(void *ctx, enum flat_kind kind, uint32_t file, uint64_t offset, struct span data,
                         struct error *e);
    /* Everything written to the file is on disk when it returns; with FINALIZE, cut to SIZE bytes first. */
    enum result (*sync)(void *ctx, enum flat_kind kind, uint32_t file, uint64_t size, bool finalize, struct error *e);
    enum result (*remove)(void *ctx, enum flat_kind kind, uint32_t file, struct error *e);
    /* Size in bytes; RESULT_NOT_FOUND where there is no such file. */
    enum result (*size)(void *ctx, enum flat_kind kind, uint32_t file, uint64_t *bytes, struct error *e);
    /* Highest file number that exists plus one. */
    uint32_t (*count)(void *ctx, enum flat_kind kind);
};

struct flat_store {
    const struct flat_ops *ops;
    void *ctx;
};

/* ---- workers --------------------------------------------------------------------------------------------------- */

/* COUNT pure jobs: run(arg, i) for each i in [0, count), in any order, on any thread. The struct must stay where it is
 * until joined. Results are whatever the jobs leave in ARG. */
struct job_batch {
    void (*run)(void *arg, size_t index);
    void *arg;
    size_t count;
    size_t grain;           /* indexes taken at once; 0 means 1 */
    bool background;        /* for idle threads: only begun where no other batch waits */
    struct job_batch *next; /* the rest belongs to the port */
    size_t taken, done;
    bool submitted;
};

struct worker_ops {
    /* Hands the batch to the pool and returns at once. Batches are worked on in the order of their submission, those of
     * the background after all others. */
    void (*submit)(void *ctx, struct job_batch *batch);
    /* Helps until every job of the batch is done. */
    void (*join)(void *ctx, struct job_batch *batch);
    /* Threads that work, the joining one included. */
    unsigned (*threads)(void *ctx);
};

struct workers {
    const struct worker_ops *ops; /* NULL ops: jobs run in join, on the caller's thread */
    void *ctx;
};

/* Calls through, or the inline fallback. */
void workers_submit(struct workers *w, struct job_batch *batch);
void workers_join(struct workers *w, struct job_batch *batch);
unsigned workers_threads(const struct workers *w);

#endif
