/* CompactSize: Bitcoin's variable-length count. */
#ifndef CAIRN_PRIMITIVES_COMPACT_SIZE_H
#define CAIRN_PRIMITIVES_COMPACT_SIZE_H

#include "base/buffer.h"
#include "base/reader.h"

enum { COMPACT_SIZE_LIMIT = 0x02000000 }; /* no count or length in a message is larger (32 MiB) */

/* The forms of more than one byte; use read_compact_u64. */
uint64_t read_compact_long(struct reader *r);

/* Reads a canonical (shortest) CompactSize without a limit, for values that are not sizes; 0 after a failure. */
static inline uint64_t read_compact_u64(struct reader *r)
{
    if (r->pos < r->end && *r->pos < 0xfd) return *r->pos++;
    return read_compact_long(r);
}

/* Reads a canonical CompactSize of at most COMPACT_SIZE_LIMIT; anything else fails the reader and gives 0. */
static inline uint64_t read_compact_size(struct reader *r)
{
    uint64_t v = read_compact_u64(r);
    if (v <= COMPACT_SIZE_LIMIT) return v;
    reader_fail(r);
    return 0;
}

void buffer_put_compact_size(struct buffer *b, uint64_t v);

/* 1, 3, 5 or 9 bytes. */
size_t compact_size_len(uint64_t v);

#endif
