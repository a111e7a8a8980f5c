/* The rolling Bloom filter: three generations in two bits a position, wiped one at a time. */
#include "addrman/rolling_bloom.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/siphash.h"

/* With k hashes, m positions and n things in them the rate of false positives is at most (1 - e^(-kn/m))^k. It is 2^-k
 * where half of the positions are taken: m = k * n / ln 2. At most three generations are alive, the newest filling. */
static uint32_t pairs_for(uint32_t elements_per_generation, unsigned hashes)
{
    uint64_t alive = 3 * (uint64_t)elements_per_generation;
    uint64_t positions = alive * hashes * 144270 / 100000 + 1;
    return (uint32_t)(positions / 64 + 1);
}

static void forget_key(struct rolling_bloom *b, struct random *random)
{
    b->key[0] = random_u64(random);
    b->key[1] = random_u64(random);
    b->entries = 0;
    b->generation = 1;
}

void rolling_bloom_init(struct rolling_bloom *b, uint32_t elements, unsigned rarity, struct random *random)
{
    CHECK(elements > 0 && elements <= 10000000 && rarity >= 1 && rarity <= 50);
    *b = (struct rolling_bloom){.entries_per_generation = (elements + 1) / 2, .hashes = rarity};
    b->pairs = pairs_for(b->entries_per_generation, rarity);
    b->words = mem_calloc(b->pairs, 2 * sizeof(*b->words)); /* pages that nobody touched yet */
    forget_key(b, random);
}

void rolling_bloom_clear(struct rolling_bloom *b)
{
    free(b->words);
    *b = (struct rolling_bloom){0};
}

void rolling_bloom_reset(struct rolling_bloom *b, struct random *random)
{
    forget_key(b, random);
    memset(b->words, 0, b->pairs * 2 * sizeof(*b->words));
}

/* The positions of one thing come from one keyed hash by a mixing step each (splitmix64). */
static uint64_t next_position(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static uint64_t *pair_at(const struct rolling_bloom *b, uint64_t position)
{
    return &b->words[2 * (((position >> 32) * b->pairs) >> 32)];
}

static void begin_generation(struct rolling_bloom *b)
{
    b->entries = 0;
    b->generation = b->generation == 3 ? 1 : b->generation + 1;
    uint64_t low = 0 - (uint64_t)(b->generation & 1), high = 0 - (uint64_t)(b->generation >> 1);
    for (uint32_t i = 0; i < b->pairs; i++) {
        uint64_t *pair = &b->words[2 * (size_t)i];
        uint64_t keep = (pair[0] ^ low) | (pair[1] ^ high);
        pair[0] &= keep;
        pair[1] &= keep;
    }
}

void rolling_bloom_put(struct rolling_bloom *b, struct span thing)
{
    if (b->entries == b->entries_per_generation) begin_generation(b);
    b->entries++;
    uint64_t state = siphash24(b->key[0], b->key[1], thing.data, thing.len);
    for (unsigned i = 0; i < b->hashes; i++) {
        uint64_t position = next_position(&state);
        uint64_t *pair = pair_at(b, position), bit = UINT64_C(1) << (position & 63);
        pair[0] = b->generation & 1 ? pair[0] | bit : pair[0] & ~bit;
        pair[1] = b->generation >> 1 ? pair[1] | bit : pair[1] & ~bit;
    }
}

bool rolling_bloom_has(const struct rolling_bloom *b, struct span thing)
{
    uint64_t state = siphash24(b->key[0], b->key[1], thing.data, thing.len);
    for (unsigned i = 0; i < b->hashes; i++) {
        uint64_t position = next_position(&state);
        const uint64_t *pair = pair_at(b, position);
        if (!((pair[0] | pair[1]) >> (position & 63) & 1)) return false;
    }
    return true;
}
