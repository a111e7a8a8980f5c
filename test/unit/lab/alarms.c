/* The alarm of reorganisations in whole networks: at once where it is due, and never without cause. */
#include <criterion/criterion.h>

#include "lab/race.h"
#include "lab/world.h"

enum { QUIET_BLOCKS = 250 };

/* The first seed whose race is a theft that throws away exactly DEPTH blocks. */
static uint64_t seed_with_depth(uint32_t q_ppm, unsigned z, unsigned depth)
{
    struct race_rules rules = {.q_ppm = q_ppm, .z = z, .patience = 6};
    for (uint64_t seed = 1;; seed++) {
        struct race_outcome o = race_one(&rules, seed);
        if (o.stolen && o.honest_blocks == depth) return seed;
    }
}

struct warnings {
    unsigned reorgs, alarms, in_time;
};

/* How many nodes threw away DEPTH blocks, and how many warned of it within a second. */
static struct warnings rob(unsigned depth, unsigned threshold)
{
    struct lab_setup s = lab_setup_default();
    struct lab_command attack = {.kind = LAB_COMMAND_ATTACK};
    struct warnings out = {0};
    struct error e;
    size_t count;
    s.q_ppm = LAB_PPM * 45 / 100;
    s.strategy = LAB_STRATEGY_DOUBLE;
    s.merchant = true;
    s.latency_us = 50000;
    s.confirmations = depth;
    s.patience = 6;
    s.reorg_alarm = threshold;
    s.seed = seed_with_depth(s.q_ppm, s.confirmations, depth);
    struct lab_world *w = lab_world_new(&s, "alarm");
    cr_assert(!lab_world_command(w, &attack, &e), "%s", e.text);
    while (lab_world_step(w)) continue;
    cr_assert(lab_world_outcome(w).stolen);
    cr_assert_null(lab_world_failure(w));
    const struct lab_event *events = lab_world_events(w, &count);
    for (size_t i = 0; i < count; i++) {
        out.alarms += events[i].kind == LAB_EVENT_ALARM;
        if (events[i].kind != LAB_EVENT_REORG || events[i].a != depth) continue;
        out.reorgs++;
        for (size_t k = i; k < count && events[k].at_us <= events[i].at_us + 1000000; k++)
            out.in_time +=
                events[k].kind == LAB_EVENT_ALARM && events[k].node == events[i].node && events[k].a == depth;
    }
    lab_world_free(w);
    return out;
}

Test(lab_alarms, come_within_a_second_of_a_reorganisation_of_two_blocks)
{
    struct warnings w = rob(2, 1);
    cr_assert_geq(w.reorgs, 3);
    cr_assert_eq(w.in_time, w.reorgs);
    cr_assert_eq(w.alarms, w.reorgs);
}

Test(lab_alarms, do_not_come_at_the_threshold_itself)
{
    struct warnings w = rob(2, 2);
    cr_assert_geq(w.reorgs, 3);
    cr_assert_eq(w.alarms, 0);
}

Test(lab_alarms, do_not_come_among_honest_miners)
{
    struct lab_setup s = lab_setup_default();
    size_t count = 0, blocks = 0;
    s.seed = 3;
    s.honest = 3;
    s.watchers = 0;
    s.merchant = false;
    s.q_ppm = 0;
    s.strategy = LAB_STRATEGY_NONE;
    s.pay_us = 0;
    s.latency_us = 2000000;
    s.reorg_alarm = 3;
    struct lab_world *w = lab_world_new(&s, "quiet");
    while (lab_world_block_count(w) <= QUIET_BLOCKS && lab_world_step(w)) continue;
    const struct lab_event *events = lab_world_events(w, &count);
    for (size_t i = 0; i < count; i++) {
        blocks += events[i].kind == LAB_EVENT_BLOCK;
        cr_assert_neq(events[i].kind, LAB_EVENT_ALARM);
    }
    cr_assert_null(lab_world_failure(w));
    cr_assert_geq(blocks, QUIET_BLOCKS);
    lab_world_free(w);
}
