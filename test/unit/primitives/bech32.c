/* Bech32 and Bech32m: the BIPs' vectors, regrouping, and error location against a brute-force twin. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>

#include "base/random.h"
#include "primitives/bech32.h"

static const char *const valid_bech32[] = {
    "A12UEL5L",
    "a12uel5l",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    "?1ezyfcl",
};

static const char *const valid_bech32m[] = {
    "A1LQFN3A",
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
};

/* What error location says of each is Core's answer. */
static const struct {
    const char *text;
    const char *message;
    int positions[4];
    size_t count;
} invalid[] = {
    {" 1nwldj5", "Invalid character or mixed case", {0}, 1},
    {"\x7f"
     "1axkwrx",
     "Invalid character or mixed case",
     {0},
     1},
    {"\x80"
     "1eym55h",
     "Invalid character or mixed case",
     {0},
     1},
    {"an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx",
     "Bech32 string too long",
     {90},
     1},
    {"pzry9x0s0muk", "Missing separator", {0}, 0},
    {"1pzry9x0s0muk", "Invalid separator position", {0}, 1},
    {"x1b4n0q5v", "Invalid Base 32 character", {2}, 1},
    {"li1dgmt3", "Invalid separator position", {2}, 1},
    {"de1lg7wt\xff", "Invalid character or mixed case", {8}, 1},
    {"A1G7SGD8", "Invalid checksum", {0}, 0},
    {"10a06t8", "Invalid separator position", {0}, 1},
    {"1qzzfhee", "Invalid separator position", {0}, 1},
    {"a12UEL5L", "Invalid character or mixed case", {3, 4, 5, 7}, 4},
    {"A12uEL5L", "Invalid character or mixed case", {3}, 1},
    {"abcdef1qpzrz9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "Invalid Bech32 checksum", {11}, 1},
    {"test1zg69w7y6hn0aqy352euf40x77qddq3dc", "Invalid Bech32 checksum", {9, 16}, 2},
    {" 1xj0phk", "Invalid character or mixed case", {0}, 1},
    {"qyrz8wqd2c9m", "Missing separator", {0}, 0},
    {"1qyrz8wqd2c9m", "Invalid separator position", {0}, 1},
    {"y1b0jsk6g", "Invalid Base 32 character", {2}, 1},
    {"lt1igcx5c0", "Invalid Base 32 character", {3}, 1},
    {"in1muywd", "Invalid separator position", {2}, 1},
    {"mm1crxm3i", "Invalid Base 32 character", {8}, 1},
    {"au1s5cgom", "Invalid Base 32 character", {7}, 1},
    {"M1VUXWEZ", "Invalid checksum", {0}, 0},
    {"16plkw9", "Invalid separator position", {0}, 1},
    {"1p2gdwpf", "Invalid separator position", {0}, 1},
    {"abcdef1l7aum6echk45nj2s0wdvt2fg8x9yrzpqzd3ryx", "Invalid Bech32m checksum", {21}, 1},
    {"test1zg69v7y60n00qy352euf40x77qcusag6", "Invalid Bech32m checksum", {13, 32}, 2},
    {"", "Missing separator", {0}, 0},
};

static void check_valid(const char *text, enum bech32_encoding encoding)
{
    struct bech32 b;
    bech32_decode(&b, text);
    cr_assert_eq(b.encoding, encoding, "%s", text);
    struct buffer again = {0}, lower = {0};
    for (const char *p = text; *p; p++) buffer_put_u8(&lower, (uint8_t)tolower(*p));
    bech32_encode(&again, encoding, b.hrp, span_of(b.data, b.data_len));
    cr_assert_str_eq(buffer_text(&again), buffer_text(&lower));
    int positions[BECH32_MAX];
    const char *message;
    cr_assert_eq(bech32_locate_errors(text, positions, &message), 0);
    cr_assert_str_eq(message, "");
    buffer_clear(&again);
    buffer_clear(&lower);
}

Test(bech32, valid_strings_of_the_bips)
{
    for (size_t i = 0; i < ARRAY_LEN(valid_bech32); i++) check_valid(valid_bech32[i], BECH32);
    for (size_t i = 0; i < ARRAY_LEN(valid_bech32m); i++) check_valid(valid_bech32m[i], BECH32M);
}

Test(bech32, invalid_strings_and_where_their_errors_are)
{
    for (size_t i = 0; i < ARRAY_LEN(invalid); i++) {
        struct bech32 b;
        int positions[BECH32_MAX];
        const char *message;
        bech32_decode(&b, invalid[i].text);
        cr_assert_eq(b.encoding, BECH32_INVALID, "%s", invalid[i].text);
        size_t count = bech32_locate_errors(invalid[i].text, positions, &message);
        cr_assert_str_eq(message, invalid[i].message, "%s: %s", invalid[i].text, message);
        cr_assert_eq(count, invalid[i].count, "%s: %zu positions", invalid[i].text, count);
        cr_assert_arr_eq(positions, invalid[i].positions, count * sizeof(int), "%s", invalid[i].text);
    }
    printf("bech32: %zu valid, %zu invalid strings\n", ARRAY_LEN(valid_bech32) + ARRAY_LEN(valid_bech32m),
           ARRAY_LEN(invalid));
}

static const char digits[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* A random string with COUNT changed digits; writes their places in order. */
static size_t make_damaged(struct random *rng, struct buffer *text, enum bech32_encoding encoding, int at[2],
                           size_t count)
{
    uint8_t data[60];
    size_t len = 1 + random_below(rng, sizeof(data));
    for (size_t i = 0; i < len; i++) data[i] = (uint8_t)random_below(rng, 32);
    bech32_encode(text, encoding, "bc", span_of(data, len));
    at[0] = 3 + (int)random_below(rng, len + 6);
    do {
        at[1] = 3 + (int)random_below(rng, len + 6);
    } while (at[1] == at[0]);
    for (size_t i = 0; i < count; i++) {
        uint8_t *c = &text->data[at[i]], old = *c;
        while (*c == old) *c = (uint8_t)digits[random_below(rng, 32)];
    }
    if (count == 2 && at[0] > at[1]) {
        int t = at[0];
        at[0] = at[1];
        at[1] = t;
    }
    return len;
}

/* One or two wrong digits are found, unless the other checksum explains the text with no more errors. */
Test(bech32, errors_are_located)
{
    enum { ROUNDS = 4000 };
    struct random rng;
    size_t exact = 0;
    random_init_u64(&rng, 7);
    for (size_t i = 0; i < ROUNDS; i++) {
        enum bech32_encoding encoding = i % 2 ? BECH32 : BECH32M;
        size_t wrong = 1 + i / 2 % 2;
        struct buffer text = {0};
        int at[2], positions[BECH32_MAX];
        const char *message;
        make_damaged(&rng, &text, encoding, at, wrong);
        size_t count = bech32_locate_errors(buffer_text(&text), positions, &message);
        bool same = count == wrong && !memcmp(at, positions, wrong * sizeof(int));
        exact += same;
        cr_assert(same || (count >= 1 && count <= wrong), "%s: %zu", buffer_text(&text), count);
        if (encoding == BECH32 && wrong == 1) cr_assert(same, "%s", buffer_text(&text));
        if (same)
            cr_assert_str_eq(message, encoding == BECH32 ? "Invalid Bech32 checksum" : "Invalid Bech32m checksum");
        buffer_clear(&text);
    }
    printf("bech32: %zu of %d damaged strings located exactly\n", exact, ROUNDS);
    cr_assert_geq(exact, ROUNDS * 9 / 10);
}

/* The naive twin: says whether any change of one digit, or of two, makes TEXT valid. */
static bool fixable(char *text, size_t first, int changes)
{
    for (size_t i = first; text[i]; i++) {
        char old = text[i];
        for (int d = 0; d < 32; d++) {
            struct bech32 b;
            text[i] = digits[d];
            if (text[i] != old && changes == 1) bech32_decode(&b, text);
            bool ok =
                text[i] != old && (changes == 1 ? b.encoding != BECH32_INVALID : fixable(text, i + 1, changes - 1));
            text[i] = old;
            if (ok) return true;
        }
    }
    return false;
}

Test(bech32, located_exactly_where_a_search_finds_a_fix)
{
    struct random rng;
    size_t none = 0, one = 0, two = 0;
    random_init_u64(&rng, 9);
    for (int i = 0; i < 60; i++) {
        struct buffer damaged = {0};
        int positions[BECH32_MAX];
        const char *message;
        uint8_t data[4];
        for (size_t k = 0; k < sizeof(data); k++) data[k] = (uint8_t)random_below(&rng, 32);
        bech32_encode(&damaged, i & 4 ? BECH32 : BECH32M, "bc", span_of(data, sizeof(data)));
        for (int k = 0; k < i % 4; k++)
            damaged.data[3 + random_below(&rng, 10)] = (uint8_t)digits[random_below(&rng, 32)];
        char text[16];
        snprintf(text, sizeof(text), "%s", buffer_text(&damaged));
        buffer_clear(&damaged);
        size_t count = bech32_locate_errors(text, positions, &message);
        if (!strcmp(message, "")) continue;
        bool by_one = fixable(text, 3, 1);
        cr_assert_eq(count == 1, by_one, "%s", text);
        if (!by_one) cr_assert_eq(count == 2, fixable(text, 3, 2), "%s", text);
        none += count == 0;
        one += count == 1;
        two += count == 2;
    }
    printf("bech32: search agrees: %zu without, %zu with one, %zu with two located errors\n", none, one, two);
    cr_assert(none > 5 && one > 5 && two > 5);
}

Test(bech32, regrouping_refuses_wrong_padding)
{
    struct buffer out = {0};
    static const uint8_t ones[] = {31, 31, 31}, clean[] = {31, 28}, empty_group[] = {31, 28, 0}, bytes[] = {0xff, 0x01};
    cr_assert(bech32_convert_bits(&out, 8, span_of(clean, 2), 5, false));
    cr_assert(out.len == 1 && out.data[0] == 0xff);
    cr_assert(!bech32_convert_bits(&out, 8, span_of(ones, 2), 5, false), "padding not zero");
    cr_assert(!bech32_convert_bits(&out, 8, span_of(empty_group, 3), 5, false), "a whole group of padding");
    out.len = 0;
    cr_assert(bech32_convert_bits(&out, 5, span_of(bytes, 2), 8, true));
    cr_assert(out.len == 4 && out.data[0] == 31 && out.data[1] == 28 && out.data[2] == 0 && out.data[3] == 16);
    out.len = 0;
    cr_assert(bech32_convert_bits(&out, 5, span_of(NULL, 0), 8, true));
    cr_assert_eq(out.len, 0);
    buffer_clear(&out);
}
