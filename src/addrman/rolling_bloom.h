/* A rolling Bloom filter: remembers at least the last N things that it was shown, in bounded memory, and forgets older
 * ones by generations. For discouraged peers, for what a peer already knows, for what was lately refused. */
#ifndef CAIRN_ADDRMAN_ROLLING_BLOOM_H
#define CAIRN_ADDRMAN_ROLLING_BLOOM_H

#include <stdbool.h>

#include "base/random.h"
#include "base/span.h"

struct rolling_bloom {
    uint64_t *words; /* in pairs: bit i of both words of a pair is a generation 1..3, or 0: not set */
    uint32_t pairs;
    uint32_t generation;             /* 1..3, the one being filled */
    uint32_t entries;                /* put in since this generation began */
    uint32_t entries_per_generation; /* half of what is remembered for certain */
    unsigned hashes;                 /* bits a thing sets */
    uint64_t key[2];                 /* so that nobody can choose what collides */
};

/* Remembers the last ELEMENTS things for certain (up to half as many again at times). A thing never shown is taken for
 * a known one with a probability of at most 2^-RARITY (10: about one in a thousand, 20: about one in a million; 1..50).
 * Memory: about 0.54 * ELEMENTS * RARITY bytes. The key comes from RANDOM. */
void rolling_bloom_init(struct rolling_bloom *b, uint32_t elements, unsigned rarity, struct random *random);
void rolling_bloom_clear(struct rolling_bloom *b);

void rolling_bloom_put(struct rolling_bloom *b, struct span thing);
bool rolling_bloom_has(const struct rolling_bloom *b, struct span thing);

/* Forgets everything and takes a new key. */
void rolling_bloom_reset(struct rolling_bloom *b, struct random *random);

#endif
