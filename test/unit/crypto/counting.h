/* What the tests of this room share: hex text to bytes, and a line that says how many cases a test went through. */
#ifndef CAIRN_TEST_CRYPTO_COUNTING_H
#define CAIRN_TEST_CRYPTO_COUNTING_H

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/hex.h"

static inline void print_count(const char *what, size_t count)
{
    fprintf(stderr, "%s: %zu cases\n", what, count);
}

/* The bytes of TEXT; the caller clears them. */
static inline struct buffer bytes_of(const char *text)
{
    struct buffer b = {0};
    cr_assert(hex_decode_append(&b, text, strlen(text)), "not hex: %s", text);
    return b;
}

/* Exactly LEN bytes. */
static inline void bytes_to(uint8_t *out, size_t len, const char *text)
{
    cr_assert(hex_decode(out, len, text), "not %zu bytes of hex: %s", len, text);
}

static inline void assert_bytes(const uint8_t *got, size_t len, const char *expected, const char *what)
{
    struct buffer text = {0};
    hex_append(&text, span_of(got, len));
    cr_assert_str_eq(buffer_text(&text), expected, "%s: got %s, expected %s", what, buffer_text(&text), expected);
    buffer_clear(&text);
}

#endif
