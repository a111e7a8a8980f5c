/* CompactSize: Bitcoin's variable-length count. */
#ifndef CAIRN_PRIMITIVES_COMPACT_SIZE_H
#define CAIRN_PRIMITIVES_COMPACT_SIZE_H

#include "base/buffer.h"
#include "base/reader.h"

enum { COMPACT_SIZE_LIMIT = 0x02000000 }; /* no count or length in a message is larger (32 MiB) */

/* Reads a canonical (shortest) CompactSize of at most COMPACT_SIZE_LIMIT; anything else fails the reader. */
uint64_t read_compact_size(struct reader *r);

/* The same without the limit, for values that are not sizes. */
uint64_t read_compact_u64(struct reader *r);

void buffer_put_compact_size(struct buffer *b, uint64_t v);

/* 1, 3, 5 or 9 bytes. */
size_t compact_size_len(uint64_t v);

#endif
