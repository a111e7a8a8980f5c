/* Base58 and Base58Check. */
#include "primitives/base58.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "crypto/sha256.h"

enum { CHECKSUM_BYTES = 4 };

static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Digits of a number in some base, least significant first. */
struct digits {
    uint8_t *digit;
    size_t count;
};

/* D = D * FACTOR + ADD in base BASE; D has room for the digits that this adds. */
static void digits_step(struct digits *d, unsigned base, unsigned factor, unsigned add)
{
    unsigned carry = add;
    for (size_t i = 0; i < d->count; i++) {
        carry += factor * d->digit[i];
        d->digit[i] = (uint8_t)(carry % base);
        carry /= base;
    }
    for (; carry; carry /= base) d->digit[d->count++] = (uint8_t)(carry % base);
}

/* Frees the digits after wiping them: they may be those of a key. */
static void digits_free(struct digits *d, size_t room)
{
    explicit_bzero(d->digit, room);
    free(d->digit);
}

void base58_encode(struct buffer *out, struct span data)
{
    size_t zeros = 0;
    while (zeros < data.len && data.data[zeros] == 0) zeros++;
    size_t room = (data.len - zeros) * 138 / 100 + 2; /* log 256 / log 58 is 1.3657... */
    struct digits d = {.digit = mem_alloc(room)};
    for (size_t i = zeros; i < data.len; i++) digits_step(&d, 58, 256, data.data[i]);
    for (size_t i = 0; i < zeros; i++) buffer_put_u8(out, (uint8_t)alphabet[0]);
    while (d.count > 0) buffer_put_u8(out, (uint8_t)alphabet[d.digit[--d.count]]);
    digits_free(&d, room);
}

static int base58_digit(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

/* Reads the digits at *TEXT into D; false where one is none or more than MAX_LEN bytes come out. */
static bool take_digits(struct digits *d, const char **text, size_t max_len)
{
    for (; **text && !is_space(**text); (*text)++) {
        int digit = base58_digit(**text);
        if (digit < 0) return false;
        digits_step(d, 256, 58, (unsigned)digit);
        if (d->count > max_len) return false;
    }
    return true;
}

bool base58_decode(struct buffer *out, const char *text, size_t max_len)
{
    while (is_space(*text)) text++;
    size_t zeros = 0;
    for (; *text == alphabet[0]; text++)
        if (++zeros > max_len) return false;
    size_t left = strlen(text);
    size_t room = (left < max_len - zeros ? left : max_len - zeros) + 1;
    struct digits d = {.digit = mem_alloc(room)};
    bool ok = take_digits(&d, &text, max_len - zeros);
    while (is_space(*text)) text++;
    ok = ok && *text == 0;
    if (ok && zeros + d.count > 0) {
        uint8_t *to = buffer_extend(out, zeros + d.count);
        memset(to, 0, zeros);
        for (size_t i = 0; i < d.count; i++) to[zeros + i] = d.digit[d.count - 1 - i];
    }
    digits_free(&d, room);
    return ok;
}

void base58check_encode(struct buffer *out, struct span data)
{
    uint8_t checksum[32];
    struct buffer b = {0};
    sha256d(checksum, data.data, data.len);
    buffer_reserve(&b, data.len + CHECKSUM_BYTES);
    buffer_put_span(&b, data);
    buffer_put(&b, checksum, CHECKSUM_BYTES);
    base58_encode(out, buffer_span(&b));
    explicit_bzero(b.data, b.len);
    buffer_clear(&b);
}

bool base58check_decode(struct buffer *out, const char *text, size_t max_len)
{
    uint8_t checksum[32];
    size_t before = out->len;
    if (!base58_decode(out, text, max_len + CHECKSUM_BYTES)) return false;
    size_t len = out->len - before;
    if (len >= CHECKSUM_BYTES) {
        const uint8_t *data = out->data + before;
        sha256d(checksum, data, len - CHECKSUM_BYTES);
        out->len -= CHECKSUM_BYTES;
        if (memcmp(checksum, data + len - CHECKSUM_BYTES, CHECKSUM_BYTES) == 0) return true;
    }
    out->len = before;
    return false;
}
