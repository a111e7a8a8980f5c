/* The lists of fixed seeds; written by contrib/seeds/make_seeds.py. */
#include "p2p/fixed_seeds.h"

// clang-format off
const struct span fixed_seed_lists[CHAIN_TYPES] = {
    [CHAIN_MAIN] = {NULL, 0},
};
