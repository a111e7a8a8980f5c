/* Many worlds: the same setup with one seed after the other, in several processes. The result depends on the seeds
 * alone, not on the number of processes. */
#ifndef CAIRN_LAB_TRIALS_H
#define CAIRN_LAB_TRIALS_H

#include "base/buffer.h"
#include "lab/race.h"
#include "lab/setup.h"

struct lab_trial {
    uint64_t seed;
    bool broken, stolen, settled;
    /* race_one with this seed comes to the same outcome; or blocks came so close to one another that whoever found the
     * second could not know of the first, which the model leaves out. */
    bool as_model;
    unsigned honest_blocks, attacker_blocks, depth, attacker_at_z;
    unsigned silence_alarms, slow_alarms; /* of the merchant's clock */
    int64_t took_us, virtual_us;
    uint64_t steps;
    uint8_t log[32], tip[32], coins[32];
    char why[200]; /* of a broken one */
};

/* One world to its end, then settled (lab_world_settle). GAPS: appends the seconds between blocks of the race, as
 * doubles, where not NULL. */
void lab_trial_run(const struct lab_setup *setup, struct lab_trial *out, struct buffer *gaps);

struct lab_trials {
    struct lab_setup setup; /* its seed is that of the first */
    uint64_t count;
    unsigned jobs; /* processes; 0: in this one */
    bool with_gaps;
    /* After each, in the order of seeds; may be NULL. */
    void (*done)(void *ctx, const struct lab_trial *t);
    void *ctx;
};

struct lab_trials_result {
    uint64_t trials, stolen, broken, settled, as_model;
    uint64_t at_z[64];  /* attacker's blocks at the last confirmation, where there was one; the last cell: more */
    uint8_t hash[32];   /* of all trials' logs, tips and coins, in the order of seeds */
    struct buffer gaps; /* doubles; the caller's to clear */
    char why[240];      /* of the first broken one, with its seed */
    double wall_s;
};

void lab_trials_run(const struct lab_trials *t, struct lab_trials_result *out);

#endif
