/* The race without blocks: a model of the attempt to steal, for millions of trials; and selfish mining as a walk
 * between states. One seed, one result, on every machine and for any number of processes. */
#ifndef CAIRN_LAB_RACE_H
#define CAIRN_LAB_RACE_H

#include <stdbool.h>
#include <stdint.h>

struct race_rules {
    uint32_t q_ppm;
    unsigned z, premine;
    unsigned
        patience;    /* gives up when so many behind after the last confirmation; 0: never (then a budget is needed) */
    unsigned budget; /* blocks of both sides; 0: none */
};

struct race_outcome {
    bool stolen;
    unsigned honest_blocks, attacker_blocks, attacker_at_z;
};

/* With neither patience nor budget a race ends here all the same. */
enum { RACE_LONGEST = 10000000 };

/* One attempt with lab_dice of this seed, block by block: what a world of whole nodes with the same seed does. */
struct race_outcome race_one(const struct race_rules *r, uint64_t seed);

enum { RACE_HISTOGRAM = 512 };
struct race_counts {
    uint64_t trials, stolen;
    uint64_t depth_sum, blocks_sum; /* of the stolen ones: honest blocks thrown away, blocks of both sides */
    uint64_t depth[RACE_HISTOGRAM], blocks[RACE_HISTOGRAM]; /* of the stolen ones; the last cell holds what is beyond */
};

/* Many, with its own fast dice; TRIALS from number FIRST on of this seed (so that parts add up to the whole).
 * Histograms only where WITH_HISTOGRAMS. */
void race_many(const struct race_rules *r, uint64_t seed, uint64_t first, uint64_t trials, bool with_histograms,
               struct race_counts *add_to);

struct selfish_counts {
    uint64_t events;                  /* blocks found */
    uint64_t attacker, honest, stale; /* in the chain, in the chain, thrown away */
};
/* EVENTS blocks of Eyal and Sirer's algorithm 1 (all is shown at the end). */
void selfish_run(uint32_t alpha_ppm, uint32_t gamma_ppm, uint64_t seed, uint64_t events, struct selfish_counts *out);

#endif
