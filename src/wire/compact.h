/* Compact blocks (BIP152): a block as its header and short ids, and putting it together again from transactions that
 * are at hand. */
#ifndef CAIRN_WIRE_COMPACT_H
#define CAIRN_WIRE_COMPACT_H

#include "primitives/block.h"

enum {
    SHORT_ID_BYTES = 6,
    COMPACT_TX_MAX = 65535, /* indexes are 16 bits */
    CMPCTBLOCKS_VERSION = 2,
};

struct prefilled_tx {
    uint16_t skip; /* transactions between the last prefilled one and this */
    struct tx tx;  /* hashed */
};

struct compact_block {
    struct block_header header;
    uint64_t nonce;
    uint64_t k0, k1; /* the key of the short ids: from header and nonce */
    uint64_t *short_ids;
    size_t short_count;
    struct prefilled_tx *prefilled;
    size_t prefilled_count;
};

/* The low 48 bits of the keyed hash of a wtxid. */
uint64_t compact_short_id(const struct compact_block *c, const struct wtxid *id);

/* The compact form of B: the coinbase prefilled, all others short. Refers to B; arrays lie in the arena. */
void compact_block_make(struct compact_block *out, const struct block *b, uint64_t nonce, struct arena *arena);

/* Fails the reader where Core's deserialiser throws. Transactions refer to the bytes read. */
void compact_block_read(struct compact_block *c, struct reader *r, struct arena *arena);
void compact_block_write(struct buffer *out, const struct compact_block *c);

/* Asks for transactions of a block. */
struct getblocktxn_message {
    struct block_hash block;
    uint16_t *indexes; /* ascending; differences on the wire */
    size_t count;
};

void getblocktxn_read(struct getblocktxn_message *m, struct reader *r, struct arena *arena);
void getblocktxn_write(struct buffer *out, const struct getblocktxn_message *m);

struct blocktxn_message {
    struct block_hash block;
    struct tx *txs; /* hashed */
    size_t count;
};

void blocktxn_read(struct blocktxn_message *m, struct reader *r, struct arena *arena);
void blocktxn_write(struct buffer *out, const struct blocktxn_message *m);

/* A block being put together. It keeps copies of what it was given. */
struct partial_block {
    struct block_header header; /* bits 0: nothing begun, or finished */
    struct span *txs;           /* by position; empty: missing */
    size_t tx_count;
    size_t prefilled_count;
    size_t pool_count;  /* found among the candidates, the extra ones included */
    size_t extra_count; /* found among the extra ones */

    /* The search. */
    struct partial_slot *slots; /* one a short id */
    size_t slot_count;
    uint32_t *buckets; /* first slot + 1 of each chain */
    size_t bucket_mask;
    uint64_t k0, k1;
    struct arena arena;
};

enum partial_status {
    PARTIAL_OK,
    PARTIAL_INVALID, /* nobody honest sends this: the sender is to blame */
    PARTIAL_FAILED,  /* nobody's fault (short ids that collide): fetch the whole block */
};

/* A transaction that might be in the block. */
struct partial_candidate {
    struct wtxid wtxid;
    struct span raw; /* with witness */
};

/* Begins with an all-zero *P. After any status but OK only partial_block_clear makes sense. */
MUST_USE enum partial_status partial_block_init(struct partial_block *p, const struct compact_block *c);

/* Looks for missing transactions among COUNT candidates; may be called again with more. First those of the mempool,
 * then, with EXTRA, those kept beside it. Two different candidates for one short id: neither is taken. */
void partial_block_offer(struct partial_block *p, const struct partial_candidate *list, size_t count, bool extra);

bool partial_block_has(const struct partial_block *p, size_t index);

/* Positions that are missing, ascending, as a getblocktxn asks for them: *COUNT of them, in the block's arena. */
uint16_t *partial_block_missing(struct partial_block *p, size_t *count);

/* Appends the whole block to OUT, the missing ones taken from MISSING in order; then P is finished and empty. INVALID
 * where their number is wrong. The caller still has to test block_is_mutated: a mutated one means PARTIAL_FAILED. */
MUST_USE enum partial_status partial_block_fill(struct partial_block *p, struct buffer *out, const struct tx *missing,
                                                size_t count);

void partial_block_clear(struct partial_block *p);

#endif
