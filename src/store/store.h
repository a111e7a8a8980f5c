/* The shell's side of the engine's ports: LevelDB, flat files and threads; and their twins in memory. */
#ifndef CAIRN_STORE_STORE_H
#define CAIRN_STORE_STORE_H

#include "base/log.h"
#include "chain/ports.h"

/* ---- LevelDB ---- */

/* Opens (creates) the database in folder PATH with CACHE_BYTES for blocks and write buffers. WIPE destroys what was
 * there first. RESULT_CORRUPT where LevelDB says so. */
MUST_USE enum result leveldb_store_open(struct kv_store *out, const char *path, size_t cache_bytes, bool wipe,
                                        struct log *log, struct error *e);
void leveldb_store_close(struct kv_store *s);

/* ---- flat files ---- */

/* Opens the folder of blk and rev files. Reads xor.dat; where there is none: creates it with KEY (8 bytes) when the
 * folder has no block files yet and KEY is not NULL, else a zero key. Errors as Core words them (-blocksxor). */
MUST_USE enum result flat_files_open(struct flat_store *out, const char *folder, const uint8_t key[8], bool read_only,
                                     struct log *log, struct error *e);
void flat_files_close(struct flat_store *s);

/* Reads of somebody's block file by path (-loadblock), de-obfuscated with the xor.dat beside it where there is one. */
struct block_file;
MUST_USE enum result block_file_open(struct block_file **out, const char *path, struct error *e);
/* Up to LEN bytes at OFFSET; *GOT is less only at the end of the file. */
MUST_USE enum result block_file_read(struct block_file *f, uint64_t offset, uint8_t *out, size_t len, size_t *got,
                                     struct error *e);
uint64_t block_file_size(const struct block_file *f);
void block_file_close(struct block_file *f);

/* ---- threads ---- */

/* THREADS in all, the joining one included: THREADS - 1 are started (0 or 1: none). */
void thread_pool_open(struct workers *out, unsigned threads);
void thread_pool_close(struct workers *w);

/* ---- memory, for tests and the simulator ---- */

/* FAIL_AFTER in the fault struct: the n-th write from now (batches; writes, syncs and removals of files) fails with
 * RESULT and from then on all do (a dead disk); 0 means never. The first batch that fails is applied all the same where
 * APPLY_TORN says so, as when the machine dies before it can tell; of a file's write, its first half. */
struct memory_fault {
    uint64_t fail_after;
    enum result result;
    bool apply_torn;
    uint64_t writes; /* counted */
};

void memory_store_open(struct kv_store *out, struct memory_fault *fault);
void memory_store_close(struct kv_store *s);
/* A deep copy, as a crash would leave it. */
void memory_store_clone(struct kv_store *out, const struct kv_store *s, struct memory_fault *fault);

void memory_files_open(struct flat_store *out, struct memory_fault *fault);
void memory_files_close(struct flat_store *s);
void memory_files_clone(struct flat_store *out, const struct flat_store *s, struct memory_fault *fault);

#endif
