/* Block headers and blocks: parse, hash, write. */
#include "primitives/block.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "crypto/sha256.h"
#include "primitives/compact_size.h"

enum { TX_MIN = 10 }; /* version, no inputs, no outputs, lock time */

void block_header_read(struct block_header *h, struct reader *r)
{
    h->version = (int32_t)read_le32(r);
    read_bytes(r, h->prev.bytes, 32);
    read_bytes(r, h->merkle_root, 32);
    h->time = read_le32(r);
    h->bits = read_le32(r);
    h->nonce = read_le32(r);
}

void block_header_write(uint8_t out[HEADER_BYTES], const struct block_header *h)
{
    put_le32(out, (uint32_t)h->version);
    memcpy(out + 4, h->prev.bytes, 32);
    memcpy(out + 36, h->merkle_root, 32);
    put_le32(out + 68, h->time);
    put_le32(out + 72, h->bits);
    put_le32(out + 76, h->nonce);
}

void block_header_hash(struct block_hash *out, const struct block_header *h)
{
    uint8_t bytes[HEADER_BYTES];
    block_header_write(bytes, h);
    sha256d(out->bytes, bytes, sizeof(bytes));
}

/* Fills B from the reader; failure is the reader's. */
static void read_body(struct block *b, struct reader *r)
{
    const uint8_t *start = r->pos;
    block_header_read(&b->header, r);
    uint64_t count = read_compact_size(r);
    if (count > reader_left(r) / TX_MIN) reader_fail(r);
    if (r->failed) return;
    sha256d(b->hash.bytes, start, HEADER_BYTES);
    b->tx_count = (size_t)count;
    b->txs = arena_alloc_array(&b->arena, b->tx_count, sizeof(*b->txs));
    b->base_size = (uint32_t)(r->pos - start);
    for (size_t i = 0; i < b->tx_count && !r->failed; i++) {
        tx_read(&b->txs[i], r, &b->arena, 0);
        b->base_size += b->txs[i].base_size;
    }
    b->raw = span_of(start, (size_t)(r->pos - start));
}

static struct block *read_unhashed(struct reader *r)
{
    struct block *b = mem_calloc(1, sizeof(*b));
    read_body(b, r);
    if (!r->failed) return b;
    block_free(b);
    return NULL;
}

struct block *block_parse_unhashed(struct span raw)
{
    struct reader r = reader_of(raw);
    struct block *b = read_unhashed(&r);
    if (!b || reader_left(&r) == 0) return b;
    block_free(b);
    return NULL;
}

void block_hash_txs(struct block *b)
{
    for (size_t i = 0; i < b->tx_count; i++) tx_hash(&b->txs[i]);
}

struct block *block_parse(struct span raw)
{
    struct block *b = block_parse_unhashed(raw);
    if (b) block_hash_txs(b);
    return b;
}

struct block *block_parse_take(uint8_t *raw_taken, size_t len)
{
    struct block *b = block_parse(span_of(raw_taken, len));
    if (b)
        b->owned = raw_taken;
    else
        free(raw_taken);
    return b;
}

struct block *block_read(struct reader *r)
{
    struct block *b = read_unhashed(r);
    if (b) block_hash_txs(b);
    return b;
}

void block_free(struct block *b)
{
    if (!b) return;
    arena_clear(&b->arena);
    free(b->owned);
    free(b);
}

uint64_t block_weight(const struct block *b)
{
    return (uint64_t)b->base_size * (WITNESS_SCALE_FACTOR - 1) + b->raw.len;
}

static void write_block(struct buffer *out, const struct block *b, void (*write_tx)(struct buffer *, const struct tx *))
{
    block_header_write(buffer_extend(out, HEADER_BYTES), &b->header);
    buffer_put_compact_size(out, b->tx_count);
    for (size_t i = 0; i < b->tx_count; i++) write_tx(out, &b->txs[i]);
}

void block_write(struct buffer *out, const struct block *b)
{
    buffer_reserve(out, b->raw.len);
    write_block(out, b, tx_write);
}

void block_write_no_witness(struct buffer *out, const struct block *b)
{
    buffer_reserve(out, b->base_size);
    write_block(out, b, tx_write_no_witness);
}
