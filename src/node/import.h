/* Importing blocks from files: -loadblock and -reindex. Blocks are found by their magic among whatever else is there,
 * parsed and checked ahead on the workers, and connected in order; a block that comes before its parent waits for it.
 */
#ifndef CAIRN_NODE_IMPORT_H
#define CAIRN_NODE_IMPORT_H

#include "node/node.h"

/* Where bytes come from: somebody's file, or one of our own. */
struct import_source {
    /* Up to LEN bytes at OFFSET; *GOT is less only at the end. */
    enum result (*read)(void *ctx, uint64_t offset, uint8_t *out, size_t len, size_t *got, struct error *e);
    void (*close)(void *ctx); /* may be NULL */
    void *ctx;
    uint64_t size;    /* bytes, for progress */
    int64_t own_file; /* number of our blk file (reindex: positions are noted, nothing is written again); -1: foreign */
    const char *name; /* for the log; must outlive the import */
};

struct import;

struct import_progress {
    uint64_t bytes_done, bytes_total;
    uint64_t blocks;   /* found and parsed */
    uint64_t accepted; /* of them new to us */
    uint64_t rejected; /* broke a rule */
    uint64_t garbage;  /* places where bytes were skipped to find the next record */
    size_t waiting;    /* blocks whose parent has not come */
    const char *name;  /* of the source at hand */
};

struct import *import_new(struct node *n);
/* Adds a source behind the others; taken over (closed when the import is freed). */
void import_add(struct import *i, const struct import_source *source);

/* Handles the next block. *DONE: there are no more; then the chain was activated. An unreadable source is logged and
 * skipped; a result other than RESULT_OK is a failure of our own store. */
MUST_USE enum result import_step(struct import *i, bool *done, struct error *e);

void import_progress(const struct import *i, struct import_progress *out);
void import_free(struct import *i);

/* Our own block files as sources, for a reindex. */
void import_add_own_files(struct import *i);

#endif
