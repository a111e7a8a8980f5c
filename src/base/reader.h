/* A reader: a cursor over a span that fails once. After the first read past the end every read gives zeroes and
 * `failed` stays set, so that a decoder reads straight through and looks at `failed` once. */
#ifndef CAIRN_BASE_READER_H
#define CAIRN_BASE_READER_H

#include "base/endian.h"
#include "base/span.h"

struct reader {
    const uint8_t *pos;
    const uint8_t *end;
    bool failed; /* a read went past the end, or a decoder called reader_fail */
};

static inline struct reader reader_of(struct span s)
{
    static const uint8_t nothing[1];
    const uint8_t *start = s.data ? s.data : nothing;
    return (struct reader){.pos = start, .end = start + s.len};
}

static inline void reader_fail(struct reader *r)
{
    r->failed = true;
    r->pos = r->end;
}

/* Bytes not yet read. */
static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->pos);
}

/* The next LEN bytes without a copy; an empty span after a failure. */
static inline struct span read_span(struct reader *r, size_t len)
{
    if (len > reader_left(r)) {
        reader_fail(r);
        return span_of(NULL, 0);
    }
    struct span s = span_of(r->pos, len);
    r->pos += len;
    return s;
}

/* Copies the next LEN bytes to OUT, or zeroes after a failure. */
static inline void read_bytes(struct reader *r, void *out, size_t len)
{
    struct span s = read_span(r, len);
    if (s.data)
        memcpy(out, s.data, len);
    else
        memset(out, 0, len);
}

static inline uint8_t read_u8(struct reader *r)
{
    struct span s = read_span(r, 1);
    return s.data ? s.data[0] : 0;
}

static inline uint16_t read_le16(struct reader *r)
{
    struct span s = read_span(r, 2);
    return s.data ? get_le16(s.data) : 0;
}

static inline uint32_t read_le32(struct reader *r)
{
    struct span s = read_span(r, 4);
    return s.data ? get_le32(s.data) : 0;
}

static inline uint64_t read_le64(struct reader *r)
{
    struct span s = read_span(r, 8);
    return s.data ? get_le64(s.data) : 0;
}

static inline uint16_t read_be16(struct reader *r)
{
    struct span s = read_span(r, 2);
    return s.data ? get_be16(s.data) : 0;
}

#endif
