/* Seeded pseudo-random numbers (xoshiro256**): the same seed gives the same numbers on every machine. Not for keys
 * that somebody must not guess unless the seed itself came from the operating system and stays secret. */
#ifndef CAIRN_BASE_RANDOM_H
#define CAIRN_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t s[4];
};

/* Seeds from 32 bytes. */
void random_init(struct random *r, const uint8_t seed[32]);

/* Seeds from one number, for tests. */
void random_init_u64(struct random *r, uint64_t seed);

uint64_t random_u64(struct random *r);

/* Uniform in [0, LIMIT); LIMIT must not be 0. */
uint64_t random_below(struct random *r, uint64_t limit);

void random_bytes(struct random *r, void *out, size_t len);

#endif
