/* The rolling Bloom filter: never forgets the last N, forgets older things, and is seldom wrong about strangers. */
#include <criterion/criterion.h>

#include "addrman/rolling_bloom.h"

static struct span thing(uint64_t *number, uint64_t value)
{
    *number = value;
    return span_of(number, sizeof(*number));
}

static void run(uint32_t elements, unsigned rarity, uint64_t seed)
{
    struct random r;
    struct rolling_bloom b;
    random_init_u64(&r, seed);
    rolling_bloom_init(&b, elements, rarity, &r);
    uint64_t n;
    cr_assert(!rolling_bloom_has(&b, thing(&n, 0)));
    uint64_t last = 5 * (uint64_t)elements + 3;
    for (uint64_t i = 0; i < last; i++) {
        rolling_bloom_put(&b, thing(&n, i));
        cr_assert(rolling_bloom_has(&b, thing(&n, i)));
        uint64_t oldest = i >= elements ? i - elements + 1 : 0;
        cr_assert(rolling_bloom_has(&b, thing(&n, oldest)), "%lu of %lu", oldest, i);
    }
    for (uint64_t i = last - elements; i < last; i++) cr_assert(rolling_bloom_has(&b, thing(&n, i)));
    /* Things older than three generations are strangers again. */
    uint64_t wrong = 0, tests = 200000;
    for (uint64_t i = 0; i < tests; i++) wrong += rolling_bloom_has(&b, thing(&n, UINT64_C(1) << 40 | i));
    double limit = (double)tests / (double)(UINT64_C(1) << rarity);
    cr_assert_lt((double)wrong, 1.3 * limit + 4, "%lu wrong, %f allowed", wrong, limit);
    uint64_t old = 0, olds = last - 3 * ((elements + 1) / 2);
    for (uint64_t i = 0; i < olds; i++) old += rolling_bloom_has(&b, thing(&n, i));
    cr_assert_lt((double)old, 1.5 * (double)olds / (double)(UINT64_C(1) << rarity) + 8, "%lu of %lu", old, olds);
    rolling_bloom_clear(&b);
}

Test(rolling_bloom, one_in_a_thousand)
{
    run(5000, 10, 1);
}

Test(rolling_bloom, one_in_a_million)
{
    run(50000, 20, 2);
}

Test(rolling_bloom, smallest)
{
    run(1, 10, 3);
    run(2, 1, 4);
    run(3, 50, 5);
}

Test(rolling_bloom, a_reset_forgets_and_changes_the_key)
{
    struct random r;
    struct rolling_bloom b;
    random_init_u64(&r, 1);
    rolling_bloom_init(&b, 100, 20, &r);
    rolling_bloom_put(&b, span_str("a"));
    rolling_bloom_put(&b, span_of(NULL, 0));
    cr_assert(rolling_bloom_has(&b, span_str("a")) && rolling_bloom_has(&b, span_of(NULL, 0)));
    uint64_t key = b.key[0];
    rolling_bloom_reset(&b, &r);
    cr_assert(!rolling_bloom_has(&b, span_str("a")));
    cr_assert_neq(b.key[0], key);
    rolling_bloom_clear(&b);
}

Test(rolling_bloom, memory_is_as_said)
{
    struct random r;
    struct rolling_bloom b;
    random_init_u64(&r, 1);
    rolling_bloom_init(&b, 50000, 20, &r);
    size_t bytes = b.pairs * 2 * sizeof(*b.words);
    cr_assert(bytes > 500000 && bytes < 560000, "%zu", bytes);
    rolling_bloom_clear(&b);
}
