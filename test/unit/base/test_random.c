/* Seeded random numbers: the same on every machine, and even. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/endian.h"
#include "base/random.h"

/* The reference xoshiro256** seeded by splitmix64, as other libraries give it for seed 42. */
Test(random, known_numbers)
{
    static const uint64_t expected[] = {0x15780b2e0c2ec716u, 0x6104d9866d113a7eu, 0xae17533239e499a1u,
                                        0xecb8ad4703b360a1u};
    struct random r;
    random_init_u64(&r, 42);
    for (int i = 0; i < 4; i++) cr_assert_eq(random_u64(&r), expected[i], "number %d", i);
}

Test(random, known_numbers_of_a_long_seed)
{
    static const uint64_t expected[] = {0x501266a83d14f84bu, 0x57c4792a08ccc230u, 0x09d544d434ea5028u,
                                        0x14aef39b566c4f25u};
    uint8_t seed[32];
    for (uint8_t i = 0; i < 32; i++) seed[i] = i;
    struct random r;
    random_init(&r, seed);
    for (int i = 0; i < 4; i++) cr_assert_eq(random_u64(&r), expected[i], "number %d", i);
}

/* Four numbers: the last quarter of the state shows in the third. */
static void first_numbers(const uint8_t seed[32], uint64_t out[4])
{
    struct random r;
    random_init(&r, seed);
    for (int i = 0; i < 4; i++) out[i] = random_u64(&r);
}

Test(random, every_bit_of_the_seed_counts)
{
    uint8_t seed[32] = {0};
    uint64_t plain[4], other[4];
    first_numbers(seed, plain);
    for (int bit = 0; bit < 256; bit++) {
        seed[bit / 8] = (uint8_t)(1 << bit % 8);
        first_numbers(seed, other);
        cr_assert_arr_neq(other, plain, sizeof(plain), "bit %d", bit);
        seed[bit / 8] = 0;
    }
    first_numbers(seed, other);
    cr_assert_arr_eq(other, plain, sizeof(plain), "the same seed gives the same numbers");
    fprintf(stderr, "random seeds: 256 cases\n");
}

Test(random, bytes_are_the_numbers_in_little_endian)
{
    for (size_t len = 0; len <= 40; len++) {
        struct random a, b;
        random_init_u64(&a, 7);
        random_init_u64(&b, 7);
        uint8_t got[48], expected[48];
        memset(got, 0x77, sizeof(got));
        for (size_t i = 0; i < len; i += 8) put_le64(expected + i, random_u64(&b));
        random_bytes(&a, got, len);
        cr_assert_arr_eq(got, expected, len, "length %zu", len);
        for (size_t i = len; i < sizeof(got); i++) cr_assert_eq(got[i], 0x77);
        cr_assert_arr_eq(a.s, b.s, sizeof(a.s), "as many numbers are used");
    }
    fprintf(stderr, "random_bytes: 41 cases\n");
}

Test(random, below_a_limit)
{
    static const uint64_t limits[] = {1, 2, 3, 7, 256, 1000, (uint64_t)1 << 63, ((uint64_t)1 << 63) + 1, UINT64_MAX};
    struct random r;
    random_init_u64(&r, 8);
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        for (int j = 0; j < 1000; j++) cr_assert(random_below(&r, limits[i]) < limits[i]);
    unsigned counts[6] = {0};
    for (int i = 0; i < 60000; i++) counts[random_below(&r, 6)]++;
    for (int i = 0; i < 6; i++) cr_assert(counts[i] > 9500 && counts[i] < 10500, "%d came %u times", i, counts[i]);
    /* Two thirds of the lower half would come too often without the rejection. */
    unsigned low = 0;
    uint64_t limit = (uint64_t)3 << 62;
    for (int i = 0; i < 30000; i++) low += random_below(&r, limit) < (uint64_t)1 << 62;
    cr_assert(low > 9500 && low < 10500, "%u of 30000 in the first third", low);
    fprintf(stderr, "random_below: %zu limits\n", sizeof(limits) / sizeof(limits[0]));
}

Test(random, below_zero_stops, .signal = SIGABRT)
{
    struct random r;
    random_init_u64(&r, 1);
    random_below(&r, 0);
}
