/* What the opaque handles of include/cairn are. */
#ifndef CAIRN_LIB_HANDLES_H
#define CAIRN_LIB_HANDLES_H

#define CAIRN_BUILDING
#include "cairn/cairn.h"

#include "primitives/block.h"

struct cairn_tx {
    struct tx tx;
    struct arena arena; /* empty in a block's transaction: that one lives in its block */
    uint8_t *raw;       /* likewise */
};

struct cairn_block {
    struct block *block;
    struct cairn_tx *txs; /* block->tx_count */
};

/* Takes a parsed block. */
struct cairn_block *cairn_block_wrap(struct block *block_taken);

/* Copies what fits and returns the whole length. */
size_t copy_out(struct span s, uint8_t *out, size_t cap);

static inline struct cairn_bytes bytes_of(struct span s)
{
    return (struct cairn_bytes){.data = s.data, .len = s.len};
}

#endif
