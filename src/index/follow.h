/* How every index follows the chain: what it has reached, catching up block by block, taking back what left the chain.
 * Only the files of this room include this.
 *
 * One atomic batch a block: what the index adds, and
 *   'B'                           height (be32) and hash of the best block
 *   'c' || height (be32) || hash  the index's state after that block; the best block's, and one every 1000 blocks, from
 *                                 which it goes on where the best block is not to be had any more */
#ifndef CAIRN_INDEX_FOLLOW_H
#define CAIRN_INDEX_FOLLOW_H

#include "index/index.h"

/* One block that an index takes in or takes back. */
struct index_block {
    const struct block_node *node;
    const struct block *block;
    const struct undo *undo; /* spent coins; empty for an index that does not want them and has to read the block */
    void *batch;             /* of the index's store: where its records go */
};

struct index_ops {
    const char *name; /* for the log: "txindex" */
    bool wants_undo;
    enum result (*add)(void *index, const struct index_block *b, struct error *e);
    /* Afterwards the index is in the state of the parent. */
    enum result (*take_back)(void *index, const struct index_block *b, struct error *e);
    /* Appends the state to OUT, and sets it to that of node N (NULL: nothing indexed, STATE is empty). */
    void (*save)(void *index, struct buffer *out);
    enum result (*load)(void *index, const struct block_node *n, struct span state, struct error *e);
};

struct index_follow {
    const struct index_ops *ops;
    void *index; /* passed to OPS */
    struct kv_store store;
    struct chain *chain;
    struct log *log;
    struct block_node *best; /* NULL: nothing yet */
    bool synced;             /* follows the tip: notices are taken */
    bool stale;              /* a write failed: what INDEX holds is not the state at `best` */
};

/* Loads where the index stands. */
MUST_USE enum result index_follow_open(struct index_follow *f, const struct index_ops *ops, void *index,
                                       struct kv_store store, struct chain *chain, struct log *log, struct error *e);

MUST_USE enum result index_follow_notice(struct index_follow *f, const struct notice *notice, struct error *e);
MUST_USE enum result index_follow_catch_up(struct index_follow *f, unsigned blocks, bool *synced, struct error *e);

/* All that was written is on disk when it returns. */
MUST_USE enum result index_follow_flush(struct index_follow *f, struct error *e);

void index_follow_info(const struct index_follow *f, struct index_info *out);

#endif
