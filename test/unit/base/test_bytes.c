/* Spans, integers of either order, readers that fail once, and hexadecimal text. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/endian.h"
#include "base/hex.h"
#include "base/random.h"
#include "base/reader.h"

Test(span, equality_and_parts)
{
    struct span s = span_str("abcd");
    cr_assert(span_equal(s, span_of("abcd", 4)));
    cr_assert_not(span_equal(s, span_of("abcd", 3)));
    cr_assert_not(span_equal(s, span_of("abce", 4)));
    cr_assert(span_equal(span_of(NULL, 0), span_of("x", 0)));
    cr_assert(span_equal(span_from(s, 1), span_str("bcd")));
    cr_assert(span_equal(span_from(s, 0), s));
    cr_assert_eq(span_from(s, 4).len, 0u);
    cr_assert_eq(span_from(s, 5).len, 0u);
    cr_assert_eq(span_from(span_of(NULL, 0), 0).len, 0u);
}

Test(endian, both_orders_at_any_address)
{
    uint8_t bytes[24];
    for (size_t i = 0; i < sizeof(bytes); i++) bytes[i] = (uint8_t)(0xf0 + i);
    for (size_t at = 0; at < 8; at++) {
        const uint8_t *p = bytes + at;
        uint64_t le = 0, be = 0;
        for (int i = 7; i >= 0; i--) le = le << 8 | p[i];
        for (int i = 0; i < 8; i++) be = be << 8 | p[i];
        cr_assert(get_le16(p) == (uint16_t)le && get_le32(p) == (uint32_t)le && get_le64(p) == le);
        cr_assert(get_be16(p) == be >> 48 && get_be32(p) == be >> 32 && get_be64(p) == be);
        uint8_t out[6][8] = {{0}};
        put_le16(out[0], (uint16_t)le);
        put_le32(out[1], (uint32_t)le);
        put_le64(out[2], le);
        put_be16(out[3], (uint16_t)(be >> 48));
        put_be32(out[4], (uint32_t)(be >> 32));
        put_be64(out[5], be);
        for (int i = 0; i < 6; i++) {
            size_t len = (size_t)2 << i % 3;
            cr_assert_arr_eq(out[i], p, len, "writer %d", i);
            for (size_t j = len; j < 8; j++) cr_assert_eq(out[i][j], 0);
        }
    }
}

Test(reader, reads_in_order)
{
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21};
    struct reader r = reader_of(span_of(bytes, sizeof(bytes)));
    cr_assert_eq(read_u8(&r), 1);
    cr_assert_eq(read_le16(&r), 0x0302);
    cr_assert_eq(read_le32(&r), 0x07060504u);
    cr_assert_eq(read_le64(&r), 0x0f0e0d0c0b0a0908u);
    cr_assert_eq(read_be16(&r), 0x1011);
    cr_assert_eq(reader_left(&r), 4u);
    struct span s = read_span(&r, 2);
    cr_assert(s.data == bytes + 17 && s.len == 2, "no copy is made");
    uint8_t two[2];
    read_bytes(&r, two, 2);
    cr_assert(two[0] == 20 && two[1] == 21);
    cr_assert(reader_left(&r) == 0 && !r.failed, "the end itself is no failure");
    cr_assert(read_span(&r, 0).len == 0 && !r.failed);
}

/* After one read past the end everything is zero, however short the next read, and the mark stays. */
Test(reader, fails_once_and_for_all)
{
    static const uint8_t bytes[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    for (int first = 0; first < 6; first++) {
        struct reader r = reader_of(span_of(bytes, first == 0 ? 0 : 1));
        uint8_t out[4] = {1, 1, 1, 1};
        switch (first) {
        case 0: cr_assert_eq(read_u8(&r), 0); break;
        case 1: cr_assert_eq(read_le16(&r), 0); break;
        case 2: cr_assert_eq(read_le32(&r), 0u); break;
        case 3: cr_assert_eq(read_le64(&r), 0u); break;
        case 4: cr_assert_eq(read_be16(&r), 0); break;
        case 5: read_bytes(&r, out, 4); cr_assert_eq(get_le32(out), 0u);
        }
        cr_assert(r.failed, "read %d", first);
        cr_assert_eq(reader_left(&r), 0u);
        cr_assert_eq(read_u8(&r), 0, "the byte that was left must not be given");
        struct span s = read_span(&r, 1);
        cr_assert(s.data == NULL && s.len == 0);
        cr_assert(r.failed);
    }
    struct reader r = reader_of(span_of(bytes, sizeof(bytes)));
    cr_assert_eq(read_span(&r, SIZE_MAX).len, 0u);
    cr_assert(r.failed, "a length that would wrap round");
    r = reader_of(span_of(bytes, sizeof(bytes)));
    reader_fail(&r);
    cr_assert(r.failed && read_le64(&r) == 0);
    r = reader_of(span_of(NULL, 0));
    cr_assert(reader_left(&r) == 0 && !r.failed);
    cr_assert(read_u8(&r) == 0 && r.failed);
}

/* Whatever is asked of it, a reader gives what an index into an array would. */
Test(reader, against_an_index)
{
    struct random r;
    random_init_u64(&r, 31);
    size_t cases = 0;
    for (int round = 0; round < 500; round++) {
        uint8_t bytes[64];
        random_bytes(&r, bytes, sizeof(bytes));
        size_t len = random_below(&r, sizeof(bytes) + 1), at = 0;
        struct reader reader = reader_of(span_of(bytes, len));
        bool failed = false;
        for (int step = 0; step < 20; step++, cases++) {
            size_t n = random_below(&r, 12);
            struct span s = read_span(&reader, n);
            if (failed || n > len - at) {
                failed = n > 0 || failed;
                cr_assert_eq(s.len, 0u);
            } else {
                cr_assert(span_equal(s, span_of(bytes + at, n)));
                at += n;
            }
            cr_assert_eq(reader.failed, failed);
            if (!failed) cr_assert_eq(reader_left(&reader), len - at);
        }
    }
    fprintf(stderr, "reader: %zu cases\n", cases);
}

Test(hex, round_trips)
{
    struct random r;
    random_init_u64(&r, 32);
    for (size_t len = 0; len <= 64; len++) {
        uint8_t bytes[64], back[64];
        char text[129], reversed[129];
        random_bytes(&r, bytes, len);
        hex_encode(text, bytes, len);
        hex_encode_reversed(reversed, bytes, len);
        cr_assert_eq(strlen(text), 2 * len);
        for (size_t i = 0; i < len; i++) cr_assert(!memcmp(text + 2 * i, reversed + 2 * (len - 1 - i), 2));
        cr_assert(hex_decode(back, len, text) && !memcmp(back, bytes, len));
        cr_assert(hex_decode_reversed(back, len, reversed) && !memcmp(back, bytes, len));
        cr_assert_not(hex_decode(back, len + 1, text));
        if (len) cr_assert_not(hex_decode_reversed(back, len - 1, text));
        struct buffer b = {0};
        buffer_put_u8(&b, '>');
        hex_append(&b, span_of(bytes, len));
        cr_assert_str_eq(buffer_text(&b) + 1, text);
        buffer_clear(&b);
    }
    fprintf(stderr, "hex round trips: 65 cases\n");
}

Test(hex, digits)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    for (int c = -128; c < 256; c++) {
        const char *l = c > 0 && c < 128 ? strchr(lower, c) : NULL, *u = c > 0 && c < 128 ? strchr(upper, c) : NULL;
        cr_assert_eq(hex_digit((char)c), l ? (int)(l - lower) : u ? (int)(u - upper) : -1, "character %d", c);
    }
}

Test(hex, what_is_no_hex)
{
    static const char *const bad[] = {"0", "abc", "0g", "g0", " 0", "0 ", "0x00", "00 00", "-1", "\xc3\xa4"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint8_t out[8];
        struct buffer b = {0};
        buffer_put_u8(&b, 1);
        cr_assert_not(hex_is(bad[i], strlen(bad[i])), "%s", bad[i]);
        cr_assert_not(hex_decode(out, strlen(bad[i]) / 2, bad[i]), "%s", bad[i]);
        cr_assert_not(hex_decode_reversed(out, strlen(bad[i]) / 2, bad[i]), "%s", bad[i]);
        cr_assert_not(hex_decode_append(&b, bad[i], strlen(bad[i])), "%s", bad[i]);
        cr_assert_eq(b.len, 1u, "unchanged");
        buffer_clear(&b);
    }
    cr_assert(hex_is("", 0));
    cr_assert(hex_is("00FFaAxx", 6), "only LEN characters count");
    struct buffer b = {0};
    cr_assert(hex_decode_append(&b, "00FFaAxx", 6));
    cr_assert(b.len == 3 && !memcmp(b.data, "\x00\xff\xaa", 3));
    buffer_clear(&b);
    fprintf(stderr, "not hex: %zu cases\n", ARRAY_LEN(bad));
}
