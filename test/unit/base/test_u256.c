/* 256-bit numbers: identities over edge values and random ones. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

#include "base/random.h"
#include "base/u256.h"

enum { EDGES = 14, VALUES = 40 };

static const struct u256 edges[EDGES] = {
    {{0, 0, 0, 0}},
    {{1, 0, 0, 0}},
    {{2, 0, 0, 0}},
    {{UINT64_MAX, 0, 0, 0}},
    {{0, 1, 0, 0}},
    {{1, 1, 0, 0}},
    {{0, 0, 0, 1}},
    {{0, 0, 0, 0x8000000000000000u}},
    {{1, 0, 0, 0x8000000000000000u}},
    {{UINT64_MAX, UINT64_MAX, UINT64_MAX, 0x7fffffffffffffffu}},
    {{UINT64_MAX - 1, UINT64_MAX, UINT64_MAX, UINT64_MAX}},
    {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}},
    {{0, 0, 0, 0xffff0000u << 0}},
    {{0xaaaaaaaaaaaaaaaau, 0x5555555555555555u, 0xaaaaaaaaaaaaaaaau, 0x5555555555555555u}},
};

/* Edge values first, then random ones of random width. */
static void make_values(struct u256 out[VALUES])
{
    struct random r;
    random_init_u64(&r, 21);
    for (int i = 0; i < VALUES; i++) {
        if (i < EDGES) {
            out[i] = edges[i];
            continue;
        }
        for (int j = 0; j < 4; j++) out[i].w[j] = random_u64(&r);
        out[i] = u256_shr(out[i], (unsigned)random_below(&r, 256));
    }
}

static bool equal(struct u256 a, struct u256 b)
{
    return u256_cmp(a, b) == 0;
}

static bool bit_of(struct u256 v, unsigned i)
{
    return v.w[i / 64] >> (i % 64) & 1;
}

/* Bit by bit: nothing of the code under test but what sets words. */
static struct u256 naive_shift(struct u256 v, int by)
{
    struct u256 r = {{0}};
    for (int i = 0; i < 256; i++) {
        int to = i + by;
        if (to >= 0 && to < 256 && bit_of(v, (unsigned)i)) r.w[to / 64] |= (uint64_t)1 << (to % 64);
    }
    return r;
}

static struct u256 naive_mul(struct u256 a, struct u256 b)
{
    struct u256 r = {{0}};
    for (int i = 255; i >= 0; i--) {
        r = u256_add(r, r);
        if (bit_of(b, (unsigned)i)) r = u256_add(r, a);
    }
    return r;
}

Test(u256, addition_and_subtraction)
{
    struct u256 v[VALUES], zero = u256_from_u64(0), one = u256_from_u64(1);
    make_values(v);
    for (int i = 0; i < VALUES; i++) {
        for (int j = 0; j < VALUES; j++) {
            struct u256 sum = u256_add(v[i], v[j]);
            cr_assert(equal(sum, u256_add(v[j], v[i])));
            cr_assert(equal(u256_sub(sum, v[j]), v[i]));
            cr_assert(equal(u256_sub(v[i], v[j]), u256_add(v[i], u256_add(u256_not(v[j]), one))));
            cr_assert_eq(u256_cmp(v[i], v[j]), -u256_cmp(v[j], v[i]));
            bool carried = u256_cmp(sum, v[i]) < 0;
            cr_assert_eq(carried, u256_cmp(u256_not(v[i]), v[j]) < 0, "carry of %d + %d", i, j);
        }
        cr_assert(u256_is_zero(u256_sub(v[i], v[i])));
        cr_assert(equal(u256_add(v[i], zero), v[i]));
    }
    cr_assert(u256_is_zero(u256_add(edges[11], one)), "modulo 2^256");
    cr_assert(equal(u256_sub(zero, one), edges[11]));
    cr_assert(equal(u256_add(edges[3], one), edges[4]), "a carry between words");
    fprintf(stderr, "u256 sums: %d cases\n", VALUES * VALUES);
}

Test(u256, shifts_against_bits)
{
    struct u256 v[VALUES];
    make_values(v);
    for (int i = 0; i < VALUES; i++) {
        for (int n = 0; n <= 260; n++) {
            cr_assert(equal(u256_shl(v[i], (unsigned)n), naive_shift(v[i], n)), "value %d << %d", i, n);
            cr_assert(equal(u256_shr(v[i], (unsigned)n), naive_shift(v[i], -n)), "value %d >> %d", i, n);
        }
        cr_assert(u256_is_zero(u256_shl(v[i], UINT32_MAX)) && u256_is_zero(u256_shr(v[i], UINT32_MAX)));
    }
    fprintf(stderr, "u256 shifts: %d cases\n", VALUES * 261 * 2);
}

/* a = q * b + r with r < b, where q * b does not pass a. */
Test(u256, division)
{
    struct u256 v[VALUES];
    make_values(v);
    int cases = 0;
    for (int i = 0; i < VALUES; i++) {
        for (int j = 0; j < VALUES; j++) {
            if (u256_is_zero(v[j])) continue;
            struct u256 q = u256_div(v[i], v[j]);
            struct u256 product = naive_mul(q, v[j]);
            cr_assert(u256_cmp(product, v[i]) <= 0, "%d / %d", i, j);
            cr_assert(u256_cmp(u256_sub(v[i], product), v[j]) < 0, "%d / %d", i, j);
            cr_assert(u256_bits(q) <= u256_bits(v[i]));
            cases++;
        }
        for (unsigned n = 0; n < 256; n++)
            cr_assert(equal(u256_div(v[i], u256_shl(edges[1], n)), u256_shr(v[i], n)), "value %d / 2^%u", i, n);
        if (!u256_is_zero(v[i])) cr_assert(equal(u256_div(v[i], v[i]), edges[1]));
    }
    fprintf(stderr, "u256 quotients: %d cases\n", cases + VALUES * 256);
}

Test(u256, division_by_zero_stops, .signal = SIGABRT)
{
    u256_div(edges[5], edges[0]);
}

Test(u256, multiplication_by_a_word)
{
    static const uint32_t words[] = {0, 1, 2, 3, 600, 1209600, 0x80000000u, UINT32_MAX};
    struct u256 v[VALUES];
    make_values(v);
    for (int i = 0; i < VALUES; i++)
        for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++)
            cr_assert(equal(u256_mul_u32(v[i], words[j]), naive_mul(v[i], u256_from_u64(words[j]))), "%d * %u", i,
                      words[j]);
    fprintf(stderr, "u256 products: %d cases\n", VALUES * 8);
}

Test(u256, bits)
{
    cr_assert_eq(u256_bits(edges[0]), 0u);
    for (unsigned n = 0; n < 256; n++) {
        cr_assert_eq(u256_bits(u256_shl(edges[1], n)), n + 1);
        cr_assert_eq(u256_bits(u256_shr(edges[11], n)), 256 - n);
    }
}

Test(u256, bytes_in_both_orders)
{
    struct u256 v[VALUES];
    make_values(v);
    for (int i = 0; i < VALUES; i++) {
        uint8_t le[32], be[32];
        u256_to_le(le, v[i]);
        u256_to_be(be, v[i]);
        for (int j = 0; j < 32; j++) cr_assert_eq(le[j], be[31 - j]);
        cr_assert(equal(u256_from_le(le), v[i]) && equal(u256_from_be(be), v[i]));
    }
    uint8_t bytes[32] = {1, 2};
    cr_assert(equal(u256_from_le(bytes), u256_from_u64(0x0201)));
    char text[65];
    u256_to_hex(text, u256_from_u64(0xABCD));
    cr_assert_str_eq(text, "000000000000000000000000000000000000000000000000000000000000abcd");
}

Test(u256, doubles)
{
    cr_assert_eq(u256_to_double(edges[0]), 0.0);
    cr_assert_eq(u256_to_double(u256_from_u64(1ull << 53)), 9007199254740992.0);
    double power = 1;
    for (unsigned n = 0; n < 256; n++, power *= 2) cr_assert_eq(u256_to_double(u256_shl(edges[1], n)), power);
    cr_assert_float_eq(u256_to_double(edges[11]) / power, 1.0, 1e-15);
}
