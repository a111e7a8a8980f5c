/* A buffer: bytes that we own and that grow; also the writer of every encoder. */
#ifndef CAIRN_BASE_BUFFER_H
#define CAIRN_BASE_BUFFER_H

#include "base/compiler.h"
#include "base/span.h"

struct buffer {
    uint8_t *data; /* NULL until the first byte */
    size_t len;
    size_t cap;
};

/* An empty buffer is all zeroes: `struct buffer b = {0};` needs no init. */

/* Frees the bytes; the buffer is empty and usable again. */
void buffer_clear(struct buffer *b);

/* Room for EXTRA bytes more; returns where they go (len is unchanged). */
uint8_t *buffer_reserve(struct buffer *b, size_t extra);

/* Appends EXTRA uninitialised bytes and returns them. */
uint8_t *buffer_extend(struct buffer *b, size_t extra);

void buffer_put(struct buffer *b, const void *data, size_t len);
void buffer_put_span(struct buffer *b, struct span s);
void buffer_put_str(struct buffer *b, const char *text); /* without its NUL */
void buffer_put_u8(struct buffer *b, uint8_t v);
void buffer_put_le16(struct buffer *b, uint16_t v);
void buffer_put_le32(struct buffer *b, uint32_t v);
void buffer_put_le64(struct buffer *b, uint64_t v);
void buffer_put_be16(struct buffer *b, uint16_t v);
void buffer_printf(struct buffer *b, const char *format, ...) PRINTF_LIKE(2, 3);

/* The content as a C string: appends a NUL that is not counted in len. Good until the next change. */
const char *buffer_text(struct buffer *b);

static inline struct span buffer_span(const struct buffer *b)
{
    return span_of(b->data, b->len);
}

#endif
