/* Whole-node trials: one seed is one run, whatever the number of processes; a trial is what the model of the race says.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "lab/trials.h"

enum { SEVERAL = 6 };

static struct lab_setup race(uint32_t q_ppm, unsigned z, uint64_t seed)
{
    struct lab_setup s = lab_setup_default();
    s.seed = seed;
    s.honest = 2;
    s.watchers = 0;
    s.merchant = true;
    s.q_ppm = q_ppm;
    s.strategy = LAB_STRATEGY_DOUBLE;
    s.latency_us = 1000;
    s.confirmations = z;
    s.premine = 0;
    s.patience = 4;
    s.budget = 0;
    s.pay_us = 0;
    return s;
}

static void expect_whole(const struct lab_trial *t)
{
    cr_expect(!t->broken, "seed %llu: %s", (unsigned long long)t->seed, t->why);
    cr_expect(t->settled, "seed %llu: %s", (unsigned long long)t->seed, t->why);
    cr_expect(t->as_model, "seed %llu: %u honest and %u of the attacker", (unsigned long long)t->seed, t->honest_blocks,
              t->attacker_blocks);
}

Test(lab_trials, is_the_same_for_the_same_seed)
{
    struct lab_trial a, b, c;
    struct lab_setup s = race(400000, 2, 11), other = race(400000, 2, 12);
    lab_trial_run(&s, &a, NULL);
    lab_trial_run(&s, &b, NULL);
    lab_trial_run(&other, &c, NULL);
    expect_whole(&a);
    expect_whole(&c);
    cr_assert_arr_eq(a.log, b.log, 32);
    cr_assert_arr_eq(a.tip, b.tip, 32);
    cr_assert_arr_eq(a.coins, b.coins, 32);
    cr_assert_eq(a.steps, b.steps);
    cr_assert(memcmp(a.log, c.log, 32) != 0);
    cr_assert(memcmp(a.tip, c.tip, 32) != 0);
}

/* These may only change where what happens in a world, or how it is told, was meant to change. */
Test(lab_trials, one_seed_is_known_to_the_byte)
{
    char log[65], tip[65], coins[65];
    struct lab_trial t;
    struct lab_setup s = race(450000, 1, 2026);
    lab_trial_run(&s, &t, NULL);
    expect_whole(&t);
    hex_encode(log, t.log, 32);
    hex_encode_reversed(tip, t.tip, 32);
    hex_encode_reversed(coins, t.coins, 32);
    cr_expect_str_eq(log, "a6901fca85d8413533c763e1b87b653b616cd399375d1b619e3a082cfdaad57d");
    cr_expect_str_eq(tip, "49e6ba8a81bf9734cf470f221ef8767d059148c3dd4562b111b41c9e20f9371d");
    cr_expect_str_eq(coins, "094e5dcf8a26a12a08c0516de09972aa7a460834330a1929754dd7ff3aa6d7b4");
}

struct seen {
    struct lab_trial trials[SEVERAL];
    size_t count;
};

static void see(void *ctx, const struct lab_trial *t)
{
    struct seen *s = ctx;
    s->trials[s->count++] = *t;
}

static void run_several(unsigned jobs, struct seen *seen, struct lab_trials_result *r)
{
    *seen = (struct seen){0};
    struct lab_trials t = {
        .setup = race(300000, 2, 100), .count = SEVERAL, .jobs = jobs, .with_gaps = true, .done = see, .ctx = seen};
    lab_trials_run(&t, r);
}

Test(lab_trials, do_not_depend_on_the_number_of_processes)
{
    struct seen here, apart;
    struct lab_trials_result a, b;
    run_several(0, &here, &a);
    run_several(4, &apart, &b);
    cr_assert_eq(a.trials, SEVERAL);
    cr_assert_eq(b.trials, SEVERAL);
    cr_assert_eq(a.broken, 0, "%s", a.why);
    cr_assert_eq(b.settled, SEVERAL, "%s", b.why);
    cr_assert_eq(b.as_model, SEVERAL);
    cr_assert_arr_eq(a.hash, b.hash, 32);
    cr_assert_arr_eq(a.at_z, b.at_z, sizeof(a.at_z));
    cr_assert_eq(a.gaps.len, b.gaps.len);
    cr_assert_arr_eq(a.gaps.data, b.gaps.data, a.gaps.len);
    uint64_t blocks = 0;
    for (size_t i = 0; i < SEVERAL; i++) {
        cr_assert_eq(here.trials[i].seed, 100 + i);
        cr_assert_eq(apart.trials[i].seed, 100 + i);
        blocks += here.trials[i].honest_blocks + here.trials[i].attacker_blocks;
    }
    cr_assert_eq(a.gaps.len, blocks * sizeof(double));
    buffer_clear(&a.gaps);
    buffer_clear(&b.gaps);
}

Test(lab_trials, a_trial_that_nothing_ends_is_not_begun)
{
    struct lab_trial t;
    struct lab_setup s = race(300000, 1, 1);
    s.patience = s.budget = 0;
    lab_trial_run(&s, &t, NULL);
    cr_assert(t.broken);
    cr_assert_neq(t.why[0], 0);
}

Test(lab_trials, a_setup_that_contradicts_itself_is_reported_with_its_seed)
{
    struct lab_setup s = race(300000, 1, 77);
    struct lab_trials_result r;
    s.honest = 0;
    lab_trials_run(&(struct lab_trials){.setup = s, .count = 2, .jobs = 2}, &r);
    cr_assert_eq(r.trials, 2);
    cr_assert_eq(r.broken, 2);
    cr_assert(strstr(r.why, "seed 77: ") == r.why, "%s", r.why);
}

/* Kills the worker when its first trial has come. */
static void kill_once(void *ctx, const struct lab_trial *t)
{
    bool *killed = ctx;
    char path[64], text[64] = "";
    if (*killed || t->broken) return;
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *f = fopen(path, "r");
    if (!f) cr_skip_test("this system does not tell the processes that one has started");
    char *got = fgets(text, sizeof(text), f);
    fclose(f);
    long pid = got ? strtol(text, NULL, 10) : 0;
    cr_assert_gt(pid, 1);
    kill((pid_t)pid, SIGKILL);
    *killed = true;
}

Test(lab_trials, a_process_that_dies_costs_one_seed)
{
    bool killed = false;
    struct lab_trials_result r;
    lab_trials_run(
        &(struct lab_trials){.setup = race(100000, 1, 300), .count = 4, .jobs = 1, .done = kill_once, .ctx = &killed},
        &r);
    cr_assert(killed);
    cr_assert_eq(r.trials, 4);
    cr_assert_eq(r.broken, 1);
    cr_assert_eq(r.settled, 3);
    cr_assert(strstr(r.why, "its process died (signal 9)") != NULL, "%s", r.why);
}
