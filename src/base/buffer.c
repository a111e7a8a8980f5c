/* Growing byte buffers. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/endian.h"

void buffer_clear(struct buffer *b)
{
    free(b->data);
    *b = (struct buffer){0};
}

uint8_t *buffer_reserve(struct buffer *b, size_t extra)
{
    CHECK(extra <= SIZE_MAX - b->len);
    b->data = mem_grow(b->data, &b->cap, b->len + extra, 1);
    return b->data ? b->data + b->len : NULL; /* NULL only where nothing was asked of an empty buffer */
}

uint8_t *buffer_extend(struct buffer *b, size_t extra)
{
    uint8_t *p = buffer_reserve(b, extra);
    b->len += extra;
    return p;
}

void buffer_put(struct buffer *b, const void *data, size_t len)
{
    if (len) memcpy(buffer_extend(b, len), data, len);
}

void buffer_put_span(struct buffer *b, struct span s)
{
    buffer_put(b, s.data, s.len);
}

void buffer_put_str(struct buffer *b, const char *text)
{
    buffer_put(b, text, strlen(text));
}

void buffer_put_u8(struct buffer *b, uint8_t v)
{
    *buffer_extend(b, 1) = v;
}

void buffer_put_le16(struct buffer *b, uint16_t v)
{
    put_le16(buffer_extend(b, 2), v);
}

void buffer_put_le32(struct buffer *b, uint32_t v)
{
    put_le32(buffer_extend(b, 4), v);
}

void buffer_put_le64(struct buffer *b, uint64_t v)
{
    put_le64(buffer_extend(b, 8), v);
}

void buffer_put_be16(struct buffer *b, uint16_t v)
{
    put_be16(buffer_extend(b, 2), v);
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(len >= 0);
    char *to = (char *)buffer_reserve(b, (size_t)len + 1);
    va_start(args, format);
    vsnprintf(to, (size_t)len + 1, format, args);
    va_end(args);
    b->len += (size_t)len;
}

const char *buffer_text(struct buffer *b)
{
    *buffer_reserve(b, 1) = 0;
    return (const char *)b->data;
}
