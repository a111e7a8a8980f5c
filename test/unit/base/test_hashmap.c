/* The hash map against a naive model: an array that is searched from end to end. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/hashmap.h"
#include "base/random.h"

enum { ITEMS = 400, STEPS = 100000 };

struct item {
    int before; /* so that the key does not lie at the start */
    uint8_t key[5];
    bool in; /* the model: whether the map should hold it */
};

static void check_all(const struct hashmap *m, struct item *items)
{
    size_t expected = 0;
    for (int i = 0; i < ITEMS; i++) {
        cr_assert_eq(hashmap_get(m, items[i].key), items[i].in ? (void *)&items[i] : NULL, "item %d", i);
        expected += items[i].in;
    }
    cr_assert_eq(m->count, expected);
    size_t at = 0, walked = 0;
    bool seen[ITEMS] = {false};
    for (struct item *it; (it = hashmap_next(m, &at)); walked++) {
        cr_assert(it->in && !seen[it - items]);
        seen[it - items] = true;
    }
    cr_assert_eq(walked, expected);
}

static void run_against_model(uint64_t seed, unsigned one_in_puts)
{
    static struct item items[ITEMS];
    struct random r;
    random_init_u64(&r, seed);
    memset(items, 0, sizeof(items));
    for (int i = 0; i < ITEMS; i++) {
        items[i].key[1] = (uint8_t)(i >> 8);
        items[i].key[4] = (uint8_t)i;
    }
    struct hashmap m;
    hashmap_init(&m, offsetof(struct item, key), sizeof(items[0].key), seed);
    check_all(&m, items);
    for (int step = 0; step < STEPS; step++) {
        struct item *it = &items[random_below(&r, ITEMS)];
        if (it->in && random_below(&r, one_in_puts)) {
            uint8_t key[5]; /* a key of its own, not the item's */
            memcpy(key, it->key, sizeof(key));
            cr_assert_eq(hashmap_del(&m, key), it);
            it->in = false;
        } else if (!it->in) {
            cr_assert_null(hashmap_del(&m, it->key));
            hashmap_put(&m, it);
            it->in = true;
        }
        if (step % 500 == 0) check_all(&m, items);
    }
    check_all(&m, items);
    hashmap_clear(&m);
    cr_assert_eq(m.count, 0u);
    cr_assert_null(hashmap_get(&m, items[0].key));
}

Test(hashmap, against_a_naive_model)
{
    static const unsigned mixes[] = {2, 3, 10};
    for (uint64_t seed = 0; seed < 9; seed++) run_against_model(seed, mixes[seed % 3]);
    fprintf(stderr, "hashmap against a model: %d cases\n", 9 * STEPS);
}

/* All keys of one length apart from one bit, of lengths around the eight bytes that are read at once. */
Test(hashmap, every_bit_of_a_key_counts)
{
    size_t cases = 0;
    for (size_t len = 0; len <= 40; len++) {
        uint8_t key[40] = {0};
        uint64_t plain = hash_bytes(9, key, len);
        cr_assert_neq(plain, hash_bytes(10, key, len), "the seed counts");
        if (len) cr_assert_neq(plain, hash_bytes(9, key, len - 1), "the length counts");
        for (size_t bit = 0; bit < 8 * len; bit++, cases++) {
            key[bit / 8] ^= (uint8_t)(1 << (bit % 8));
            cr_assert_neq(plain, hash_bytes(9, key, len), "length %zu bit %zu", len, bit);
            key[bit / 8] ^= (uint8_t)(1 << (bit % 8));
        }
    }
    fprintf(stderr, "hash_bytes: %zu cases\n", cases);
}

Test(hashmap, hash_spreads_counters)
{
    unsigned buckets[256] = {0};
    for (uint32_t i = 0; i < 25600; i++) buckets[hash_bytes(1, &i, sizeof(i)) & 255]++;
    for (int i = 0; i < 256; i++) cr_assert(buckets[i] > 40 && buckets[i] < 180, "bucket %d has %u", i, buckets[i]);
}

Test(hashmap, empty_map)
{
    struct hashmap m;
    uint32_t key = 1;
    size_t at = 0;
    hashmap_init(&m, 0, sizeof(key), 0);
    cr_assert_null(hashmap_get(&m, &key));
    cr_assert_null(hashmap_del(&m, &key));
    cr_assert_null(hashmap_next(&m, &at));
    hashmap_clear(&m);
}

Test(hashmap, second_item_with_a_key_stops, .signal = SIGABRT)
{
    struct hashmap m;
    uint32_t a = 1, b = 1;
    hashmap_init(&m, 0, sizeof(a), 0);
    hashmap_put(&m, &a);
    hashmap_put(&m, &b);
}
