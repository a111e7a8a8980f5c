/* What readers and writers of payloads share. */
#ifndef CAIRN_WIRE_PAYLOAD_H
#define CAIRN_WIRE_PAYLOAD_H

#include "primitives/compact_size.h"

/* A count of elements that the bytes left can hold, at ELEMENT_MIN bytes each; otherwise the reader fails before any
 * memory is taken. */
static inline size_t read_count(struct reader *r, size_t element_min)
{
    uint64_t count = read_compact_size(r);
    if (count <= reader_left(r) / element_min) return (size_t)count;
    reader_fail(r);
    return 0;
}

/* A length and that many bytes. */
static inline struct span read_var_bytes(struct reader *r)
{
    return read_span(r, (size_t)read_compact_size(r));
}

static inline void buffer_put_var_bytes(struct buffer *out, struct span s)
{
    buffer_put_compact_size(out, s.len);
    buffer_put_span(out, s);
}

/* A count and that many hashes of 32 bytes, as one span. */
static inline struct span read_hashes(struct reader *r)
{
    return read_span(r, 32 * read_count(r, 32));
}

static inline void buffer_put_hashes(struct buffer *out, struct span hashes)
{
    buffer_put_compact_size(out, hashes.len / 32);
    buffer_put_span(out, hashes);
}

#endif
