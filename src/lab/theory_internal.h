/* What the files of the theory share among themselves. */
#ifndef CAIRN_LAB_THEORY_INTERNAL_H
#define CAIRN_LAB_THEORY_INTERNAL_H

#include <stddef.h>

/* Chance that the attacker (share Q) finds J blocks before the others find Z. */
double theory_early(double q, unsigned j, unsigned z);

/* Chance to get ahead from D blocks behind (0: level); given up at G behind, 0: never. */
double theory_catch_up(double q, unsigned d, unsigned g);

/* Chances that the attacker wins exactly when N blocks have been found (by both sides, without premined ones), for N up
 * to STEPS: at the z-th confirmation itself, and later. */
struct theory_wins {
    double *at_z, *later;
    size_t steps;
};
struct theory_wins theory_wins_new(double q, unsigned z, unsigned premine, unsigned g, size_t steps);
void theory_wins_free(struct theory_wins *w);

#endif
