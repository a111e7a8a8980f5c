/* Block headers and blocks. */
#ifndef CAIRN_PRIMITIVES_BLOCK_H
#define CAIRN_PRIMITIVES_BLOCK_H

#include "primitives/tx.h"

enum { HEADER_BYTES = 80, WITNESS_SCALE_FACTOR = 4, MAX_BLOCK_WEIGHT = 4000000 };

struct block_header {
    int32_t version;
    struct block_hash prev;
    uint8_t merkle_root[32];
    uint32_t time;
    uint32_t bits;
    uint32_t nonce;
};

void block_header_read(struct block_header *h, struct reader *r);
void block_header_write(uint8_t out[HEADER_BYTES], const struct block_header *h);
void block_header_hash(struct block_hash *out, const struct block_header *h);

/* A parsed block: transactions point into RAW, arrays live in the arena that the block owns. */
struct block {
    struct block_header header;
    struct block_hash hash;
    struct tx *txs;
    size_t tx_count;
    struct span raw;    /* the whole wire form; owned by the block where `owned` is not NULL */
    uint32_t base_size; /* bytes without any witness */
    uint8_t *owned;     /* freed by block_free */
    struct arena arena;
};

/* Parses RAW completely, hashes the header and every transaction. NULL where it does not parse or bytes are left over.
 * The block refers to RAW, which must outlive it. */
struct block *block_parse(struct span raw);

/* The same in two steps, so that hashing can be done elsewhere: the first hashes the header alone. */
struct block *block_parse_unhashed(struct span raw);
void block_hash_txs(struct block *b);

/* As block_parse, taking ownership of RAW_TAKEN (from malloc), also on failure. */
struct block *block_parse_take(uint8_t *raw_taken, size_t len);

/* Reads one block at the reader (bytes may follow), as block_parse otherwise. */
struct block *block_read(struct reader *r);

void block_free(struct block *b);

/* base_size * 3 + raw.len (BIP141). */
uint64_t block_weight(const struct block *b);

/* Serialises header and transactions anew (equal to RAW for a parsed block). */
void block_write(struct buffer *out, const struct block *b);
void block_write_no_witness(struct buffer *out, const struct block *b);

#endif
