/* Sets of up to 64 things as the bits of a word. */
#ifndef CAIRN_MEMPOOL_BITS_H
#define CAIRN_MEMPOOL_BITS_H

#include <stdint.h>

static inline uint64_t bit(unsigned i)
{
    return (uint64_t)1 << i;
}

/* The lowest member of a set that is not empty. */
static inline unsigned bits_first(uint64_t set)
{
    return (unsigned)__builtin_ctzll(set);
}

static inline unsigned bits_count(uint64_t set)
{
    return (unsigned)__builtin_popcountll(set);
}

/* The first N, at most 64. */
static inline uint64_t bits_below(unsigned n)
{
    return n >= 64 ? UINT64_MAX : bit(n) - 1;
}

#endif
