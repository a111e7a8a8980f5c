/* Who finds the next block, and when: the one source of chance for mining, in the worlds of whole nodes and in the
 * model of the race alike. So a trial of one is a trial of the other. */
#ifndef CAIRN_LAB_DICE_H
#define CAIRN_LAB_DICE_H

#include "base/random.h"

struct lab_dice {
    struct random random;
};

void lab_dice_init(struct lab_dice *d, uint64_t seed);

/* Microseconds until the next block of all (exponential with this average, at least 1). */
int64_t lab_dice_gap_us(struct lab_dice *d, int64_t average_us);

/* A number below SUM: the share that finds it. The attacker's are the first ones. */
uint64_t lab_dice_share(struct lab_dice *d, uint64_t sum);

#endif
