/* cairn-lab eclipse: a merchant that sees the attacker's blocks alone: how often it is robbed, how often its clock
 * warned it in time, what one honest connection changes, and how often the clock warns of nothing. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "lab/cli.h"
#include "lab/cli_numbers.h"
#include "lab/stats.h"
#include "lab/theory.h"
#include "lab/trials.h"
#include "lab/world.h"

enum { TRIALS = 200, HONEST_BLOCKS = 2000, SPAN_MINUTES = 180, SILENCE_MINUTES = 60, PATIENCE = 20, LATENCY_US = 1000 };

/* What chance may be asked to do once in a thousand tests. */
#define LEAST_P 0.001

struct wanted {
    struct numbers q;
    unsigned z, jobs;
    uint64_t trials, blocks, seed;
    bool json;
};

struct sums {
    uint64_t slow; /* whose clock warned before the goods were gone */
};

static void count(void *ctx, const struct lab_trial *t)
{
    ((struct sums *)ctx)->slow += t->slow_alarms > 0;
}

static struct lab_setup setup_of(const struct wanted *want, uint32_t q_ppm, bool honest_link)
{
    struct lab_setup s = lab_setup_default();
    s.seed = want->seed;
    s.honest = 1;
    s.q_ppm = q_ppm;
    s.latency_us = LATENCY_US;
    s.strategy = LAB_STRATEGY_DOUBLE;
    s.confirmations = want->z;
    s.patience = PATIENCE;
    s.budget = 0;
    s.eclipsed = true;
    s.honest_link = honest_link;
    s.alarm_span_minutes = SPAN_MINUTES;
    return s;
}

static bool tell(const struct wanted *want, const char *what, double q, uint64_t n, uint64_t hits, double exact,
                 double p)
{
    if (want->json)
        printf("{\"what\":\"%s\",\"q\":%.6f,\"z\":%u,\"trials\":%llu,\"hits\":%llu,\"exact\":%.8f,\"p\":%.4f}\n", what,
               q, want->z, (unsigned long long)n, (unsigned long long)hits, exact, p);
    else
        printf("%6.1f%%  %-34s %8llu of %8llu  %8.4f%%  exact %8.4f%%  p %.3f\n", q * 100, what,
               (unsigned long long)hits, (unsigned long long)n, 100.0 * (double)hits / (double)n, exact * 100, p);
    return p >= LEAST_P;
}

static bool eclipsed(const struct wanted *want, uint32_t q_ppm, bool honest_link)
{
    struct sums sums = {0};
    struct lab_trials_result r;
    struct lab_trials t = {.setup = setup_of(want, q_ppm, honest_link),
                           .count = want->trials,
                           .jobs = want->jobs,
                           .done = count,
                           .ctx = &sums};
    double q = q_ppm / (double)LAB_PPM;
    lab_trials_run(&t, &r);
    bool ok = !r.broken && r.settled == r.trials;
    if (!ok) fprintf(stderr, "cairn-lab eclipse: %s\n", r.why);
    if (honest_link) {
        double exact = theory_race(q, want->z, 0, PATIENCE, 0);
        ok &= tell(want, "robbed with one honest link", q, r.trials, r.stolen, exact,
                   stats_binomial_test(r.stolen, r.trials, exact));
    } else {
        double slow = theory_slow_blocks(want->z, SPAN_MINUTES, q);
        ok &= tell(want, "robbed", q, r.trials, r.stolen, 1, r.stolen == r.trials);
        ok &= tell(want, "warned of slow confirmations", q, r.trials, sums.slow, slow,
                   stats_binomial_test(sums.slow, r.trials, slow));
    }
    buffer_clear(&r.gaps);
    return ok;
}

/* An honest network: the clock warns of nothing now and then. */
static bool false_alarms(const struct wanted *want)
{
    struct lab_setup s = lab_setup_default();
    s.seed = want->seed;
    s.honest = 1;
    s.latency_us = LATENCY_US;
    s.alarm_minutes = SILENCE_MINUTES;
    struct lab_world *w = lab_world_new(&s, "honest");
    while (lab_world_block_count(w) <= want->blocks && lab_world_step(w)) continue;
    uint64_t alarms = lab_world_outcome(w).silence_alarms, blocks = lab_world_block_count(w) - 1;
    bool ok = !lab_world_failure(w);
    lab_world_free(w);
    double exact = theory_no_block(SILENCE_MINUTES);
    return tell(want, "no block for an hour, all honest", 0, blocks, alarms, exact,
                stats_binomial_test(alarms, blocks, exact)) &&
           ok;
}

int lab_cli_eclipse(struct lab_cli_args *a)
{
    struct wanted want = {.q = {.of = {100000, 200000, 300000, 400000}, .count = 4},
                          .z = 6,
                          .jobs = lab_cli_processors(),
                          .trials = TRIALS,
                          .blocks = HONEST_BLOCKS,
                          .seed = 1};
    want.json = numbers_take_flag(a, "--json");
    if (!numbers_take_shares(a, "--q", LAB_PPM / 2 - 1, &want.q)) return lab_cli_wrong("eclipse", "--q: below 50%");
    if (!numbers_take_unsigned(a, "--z", 1, 100, &want.z)) return lab_cli_wrong("eclipse", "--z");
    if (!numbers_take_unsigned(a, "--jobs", 1, 256, &want.jobs)) return lab_cli_wrong("eclipse", "--jobs");
    if (!numbers_take(a, "--trials", 1, 1000000, &want.trials)) return lab_cli_wrong("eclipse", "--trials");
    if (!numbers_take(a, "--blocks", 1, 100000, &want.blocks)) return lab_cli_wrong("eclipse", "--blocks");
    if (!numbers_take(a, "--seed", 0, UINT64_MAX, &want.seed)) return lab_cli_wrong("eclipse", "--seed");
    if (!lab_cli_done("eclipse", a)) return 2;
    if (!want.json)
        printf(
            "Whole nodes; the merchant waits for %u confirmations, and warns when they take longer than %d minutes.\n"
            "With an honest link the attacker must race: nothing in hand, gives up %d behind.\n\n",
            want.z, SPAN_MINUTES, PATIENCE);
    bool ok = true;
    for (unsigned i = 0; i < want.q.count; i++) {
        ok &= eclipsed(&want, want.q.of[i], false);
        ok &= eclipsed(&want, want.q.of[i], true);
    }
    ok &= false_alarms(&want);
    return ok ? 0 : 1;
}
