/* Hexadecimal text. */
#include "base/hex.h"

static const char hex_digits[] = "0123456789abcdef";

int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static void hex_put(char *out, uint8_t byte)
{
    out[0] = hex_digits[byte >> 4];
    out[1] = hex_digits[byte & 15];
}

void hex_encode(char *out, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) hex_put(out + 2 * i, data[i]);
    out[2 * len] = 0;
}

void hex_encode_reversed(char *out, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) hex_put(out + 2 * i, data[len - 1 - i]);
    out[2 * len] = 0;
}

void hex_append(struct buffer *out, struct span s)
{
    char *to = (char *)buffer_extend(out, 2 * s.len);
    for (size_t i = 0; i < s.len; i++) hex_put(to + 2 * i, s.data[i]);
}

bool hex_is(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (hex_digit(text[i]) < 0) return false;
    return len % 2 == 0;
}

static uint8_t hex_byte(const char *text)
{
    return (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
}

bool hex_decode(uint8_t *out, size_t len, const char *text)
{
    if (strlen(text) != 2 * len || !hex_is(text, 2 * len)) return false;
    for (size_t i = 0; i < len; i++) out[i] = hex_byte(text + 2 * i);
    return true;
}

bool hex_decode_reversed(uint8_t *out, size_t len, const char *text)
{
    if (strlen(text) != 2 * len || !hex_is(text, 2 * len)) return false;
    for (size_t i = 0; i < len; i++) out[len - 1 - i] = hex_byte(text + 2 * i);
    return true;
}

bool hex_decode_append(struct buffer *out, const char *text, size_t len)
{
    if (!hex_is(text, len)) return false;
    uint8_t *to = buffer_extend(out, len / 2);
    for (size_t i = 0; i < len / 2; i++) to[i] = hex_byte(text + 2 * i);
    return true;
}
