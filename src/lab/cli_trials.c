/* cairn-lab trials: attempts to steal on whole nodes, held against what is exactly known of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/hex.h"
#include "lab/cli_numbers.h"
#include "lab/stats.h"
#include "lab/theory.h"
#include "lab/trials.h"

enum { CELLS_MAX = 400, DEPTHS = 4096, DEFAULT_TRIALS = 100, FEW = 30 };

/* What chance may be asked to do once in a thousand tests. */
#define LEAST_P 0.001

struct grid {
    struct lab_setup setup;
    struct numbers q, z; /* shares as millionths; confirmations */
    uint64_t trials;
    unsigned jobs;
    bool json, verbose;
};

/* Sums over the stolen ones, for the histograms. */
struct cell_sums {
    uint64_t depth[DEPTHS], blocks[DEPTHS];
    double depth_sum, blocks_sum;
    const struct grid *grid;
};

struct cell {
    struct lab_setup setup;
    struct lab_trials_result r;
    double exact, low, high;
    double p_binomial, p_gaps, p_at_z, p_depth, p_blocks; /* -1: too few to say */
    double depth_mean, blocks_mean;
    unsigned depth_median;
    bool ok;
};

/* ---- reading the arguments ---- */

static bool take_settings(struct lab_cli_args *a, struct grid *g, struct error *e)
{
    const char *text;
    while (lab_cli_take(a, "--set", &text)) {
        const char *equals = text ? strchr(text, '=') : NULL;
        if (!equals) {
            error_set(e, RESULT_INVALID, "--set wants NAME=VALUE");
            return false;
        }
        struct span name = span_of(text, (size_t)(equals - text));
        if (lab_setup_set(&g->setup, name, span_str(equals + 1), e)) return false;
    }
    return true;
}

/* One honest miner and no public: fewer nodes, the same race. */
static void defaults(struct grid *g)
{
    *g = (struct grid){.setup = lab_setup_default(),
                       .q = {.of = {100000, 200000, 300000, 400000, 450000}, .count = 5},
                       .z = {.of = {1, 2, 3, 6}, .count = 4},
                       .trials = DEFAULT_TRIALS,
                       .jobs = lab_cli_processors()};
    g->setup.seed = 1;
    g->setup.honest = 1;
    g->setup.watchers = 0;
    g->setup.merchant = true;
    g->setup.strategy = LAB_STRATEGY_DOUBLE;
    g->setup.latency_us = 1000;
    g->setup.pay_us = 0;
    g->setup.patience = 20;
    g->setup.budget = 0;
    g->setup.premine = 0;
}

static int read_grid(struct lab_cli_args *a, struct grid *g)
{
    static const char me[] = "trials";
    const char *flag;
    struct error e = {0};
    defaults(g);
    if (!take_settings(a, g, &e)) return lab_cli_wrong(me, e.text);
    if (!numbers_take_shares(a, "--q", LAB_PPM - 1, &g->q)) return lab_cli_wrong(me, "--q wants shares: 10%,30%");
    if (!numbers_take_counts(a, "--z", 1, 1000, &g->z))
        return lab_cli_wrong(me, "--z wants numbers of confirmations: 1,2,6");
    if (!numbers_take(a, "--trials", 1, UINT64_MAX, &g->trials)) return lab_cli_wrong(me, "--trials wants a number");
    if (!numbers_take_unsigned(a, "--premine", 0, 1, &g->setup.premine))
        return lab_cli_wrong(me, "--premine wants 0 or 1");
    if (!numbers_take(a, "--seed", 0, UINT64_MAX, &g->setup.seed)) return lab_cli_wrong(me, "--seed wants a number");
    if (!numbers_take_unsigned(a, "--jobs", 0, 256, &g->jobs))
        return lab_cli_wrong(me, "--jobs wants a number up to 256");
    g->json = lab_cli_take(a, "--json", &flag);
    g->verbose = lab_cli_take(a, "--verbose", &flag) && !g->json;
    if (g->q.count * g->z.count > CELLS_MAX) return lab_cli_wrong(me, "that is too many cells");
    return lab_cli_done(me, a) ? 0 : 2;
}

/* ---- one cell ---- */

static void print_trial(const struct lab_trial *t)
{
    char log[65], tip[65], coins[65];
    hex_encode(log, t->log, 32);
    hex_encode(tip, t->tip, 32);
    hex_encode(coins, t->coins, 32);
    printf("seed %llu: %s%s, %u honest and %u of the attacker, log %s tip %s coins %s%s%s\n",
           (unsigned long long)t->seed, t->broken ? "BROKEN " : "", t->stolen ? "stolen" : "not stolen",
           t->honest_blocks, t->attacker_blocks, log, tip, coins, t->as_model ? "" : "; not as the model",
           t->settled ? "" : "; not settled");
}

static void on_trial(void *ctx, const struct lab_trial *t)
{
    struct cell_sums *s = ctx;
    if (s->grid->verbose) print_trial(t);
    if (t->broken || !t->stolen) return;
    unsigned blocks = t->honest_blocks + t->attacker_blocks;
    s->depth[t->depth < DEPTHS ? t->depth : DEPTHS - 1]++;
    s->blocks[blocks < DEPTHS ? blocks : DEPTHS - 1]++;
    s->depth_sum += t->depth;
    s->blocks_sum += blocks;
}

/* Average seconds between blocks of the race. */
static double mean_gap_s(const struct lab_setup *s)
{
    double q = (double)s->q_ppm / LAB_PPM, gap = (double)s->block_us / 1e6;
    return s->added ? gap * (1 - q) : gap;
}

static double test_at_z(const struct cell *c)
{
    double share[ARRAY_LEN(c->r.at_z)], rest = 1;
    uint64_t total = 0;
    size_t last = ARRAY_LEN(share) - 1;
    for (size_t k = 0; k < last; k++) {
        share[k] = theory_attacker_blocks((double)c->setup.q_ppm / LAB_PPM, c->setup.confirmations, (unsigned)k);
        rest -= share[k];
    }
    share[last] = rest > 0 ? rest : 0;
    for (size_t k = 0; k <= last; k++) total += c->r.at_z[k];
    return total < FEW ? -1 : stats_chi_square(c->r.at_z, share, last + 1, total);
}

/* The last cell gets all that lies beyond. */
static double test_histogram(const uint64_t *seen, double *share, uint64_t total)
{
    double rest = 1;
    for (size_t i = 0; i + 1 < DEPTHS; i++) rest -= share[i];
    share[DEPTHS - 1] = rest > 0 ? rest : 0;
    return stats_chi_square(seen, share, DEPTHS, total);
}

static unsigned median_of(const uint64_t *counts, uint64_t total)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < DEPTHS; i++) {
        sum += counts[i];
        if (sum * 2 >= total) return i;
    }
    return DEPTHS;
}

static void test_depths(struct cell *c, const struct cell_sums *s)
{
    double *depth = mem_calloc(DEPTHS, sizeof(*depth)), *blocks = mem_calloc(DEPTHS, sizeof(*blocks));
    c->p_depth = c->p_blocks = -1;
    if (c->r.stolen) {
        c->depth_mean = s->depth_sum / (double)c->r.stolen;
        c->blocks_mean = s->blocks_sum / (double)c->r.stolen;
        c->depth_median = median_of(s->depth, c->r.stolen);
    }
    if (c->r.stolen >= FEW && !c->setup.premine) {
        theory_depths((double)c->setup.q_ppm / LAB_PPM, c->setup.confirmations, c->setup.patience, c->setup.budget,
                      depth, blocks, DEPTHS);
        c->p_depth = test_histogram(s->depth, depth, c->r.stolen);
        c->p_blocks = test_histogram(s->blocks, blocks, c->r.stolen);
    }
    free(depth);
    free(blocks);
}

static bool plausible(double p)
{
    return p < 0 || p >= LEAST_P;
}

static void run_cell(const struct grid *g, struct cell *c)
{
    struct cell_sums *sums = mem_calloc(1, sizeof(*sums));
    sums->grid = g;
    struct lab_trials t = {
        .setup = c->setup, .count = g->trials, .jobs = g->jobs, .with_gaps = true, .done = on_trial, .ctx = sums};
    lab_trials_run(&t, &c->r);
    uint64_t whole = c->r.trials - c->r.broken;
    c->exact = theory_race((double)c->setup.q_ppm / LAB_PPM, c->setup.confirmations, c->setup.premine,
                           c->setup.patience, c->setup.budget);
    stats_wilson(c->r.stolen, whole, 3.2905, &c->low, &c->high);
    c->p_binomial = whole ? stats_binomial_test(c->r.stolen, whole, c->exact) : -1;
    size_t gaps = c->r.gaps.len / sizeof(double);
    c->p_gaps = gaps < FEW ? -1 : stats_ks_exponential((double *)(void *)c->r.gaps.data, gaps, mean_gap_s(&c->setup));
    c->p_at_z = test_at_z(c);
    test_depths(c, sums);
    c->ok = !c->r.broken && c->r.settled == c->r.trials && c->r.as_model == c->r.trials && plausible(c->p_binomial) &&
            plausible(c->p_gaps) && plausible(c->p_at_z) && plausible(c->p_depth) && plausible(c->p_blocks);
    free(sums);
}

/* ---- telling ---- */

static const char *p_text(char out[16], double p)
{
    if (p < 0)
        snprintf(out, 16, "-");
    else
        snprintf(out, 16, "%.3f", p);
    return out;
}

static void print_head(const struct grid *g)
{
    if (g->json) {
        printf("{\"cells\":[");
        return;
    }
    printf("Whole nodes; %s; gives up %u behind after the last confirmation; budget %u blocks (0: none); the interval "
           "is of 99.9%%.\n"
           "p: chance of being at least so far from what is exactly known: of the share stolen, of the times between "
           "blocks,\nof the attacker's blocks at the last confirmation, of the depth and the length of those that "
           "succeed.\n\n",
           g->setup.premine ? "one block in hand (the papers' figures)" : "nothing in hand (the strict figures)",
           g->setup.patience, g->setup.budget);
    printf("     q  z  trials  stolen  measured    exact           interval    p     gaps   at z  depth length  "
           "settled as model broken trials/s\n");
}

static void print_plain(const struct cell *c)
{
    char p[5][16];
    const struct lab_trials_result *r = &c->r;
    uint64_t whole = r->trials - r->broken;
    printf("%5.1f%% %2u %7llu %7llu %8.3f%% %8.3f%% %8.3f-%7.3f%% %6s %6s %6s %6s %6s %8llu %8llu %6llu %8.1f%s\n",
           (double)c->setup.q_ppm / 1e4, c->setup.confirmations, (unsigned long long)r->trials,
           (unsigned long long)r->stolen, whole ? 100.0 * (double)r->stolen / (double)whole : 0, 100 * c->exact,
           100 * c->low, 100 * c->high, p_text(p[0], c->p_binomial), p_text(p[1], c->p_gaps), p_text(p[2], c->p_at_z),
           p_text(p[3], c->p_depth), p_text(p[4], c->p_blocks), (unsigned long long)r->settled,
           (unsigned long long)r->as_model, (unsigned long long)r->broken, (double)r->trials / r->wall_s,
           c->ok ? "" : "  <- off");
    if (r->why[0]) printf("  %s\n", r->why);
    fflush(stdout);
}

static void print_json(const struct cell *c, bool first)
{
    char hash[65];
    const struct lab_trials_result *r = &c->r;
    hex_encode(hash, r->hash, 32);
    printf("%s{\"q\":%.6f,\"z\":%u,\"premine\":%u,\"patience\":%u,\"budget\":%u,\"seed\":\"%llu\",\"trials\":%llu,"
           "\"stolen\":%llu,\"exact\":%.9f,\"low\":%.9f,\"high\":%.9f,",
           first ? "" : ",", (double)c->setup.q_ppm / LAB_PPM, c->setup.confirmations, c->setup.premine,
           c->setup.patience, c->setup.budget, (unsigned long long)c->setup.seed, (unsigned long long)r->trials,
           (unsigned long long)r->stolen, c->exact, c->low, c->high);
    printf("\"p_stolen\":%.6f,\"p_gaps\":%.6f,\"p_at_z\":%.6f,\"p_depth\":%.6f,\"p_length\":%.6f,", c->p_binomial,
           c->p_gaps, c->p_at_z, c->p_depth, c->p_blocks);
    printf("\"depth_mean\":%.3f,\"depth_median\":%u,\"length_mean\":%.3f,\"settled\":%llu,\"as_model\":%llu,"
           "\"broken\":%llu,\"wall_s\":%.3f,\"hash\":\"%s\",\"ok\":%s}",
           c->depth_mean, c->depth_median, c->blocks_mean, (unsigned long long)r->settled,
           (unsigned long long)r->as_model, (unsigned long long)r->broken, r->wall_s, hash, c->ok ? "true" : "false");
    fflush(stdout);
}

struct sums {
    uint64_t trials, broken, settled, as_model;
    unsigned cells, off;
    double wall_s;
};

static void print_foot(const struct grid *g, const struct sums *s)
{
    if (g->json) {
        printf("],\"trials\":%llu,\"off\":%u,\"wall_s\":%.3f}\n", (unsigned long long)s->trials, s->off, s->wall_s);
        return;
    }
    printf("\n%llu trials in %u cells, %u off; %llu broken, %llu settled at one tip and one set of coins, %llu as the "
           "model; %.1f trials a second with %u processes\n",
           (unsigned long long)s->trials, s->cells, s->off, (unsigned long long)s->broken,
           (unsigned long long)s->settled, (unsigned long long)s->as_model, (double)s->trials / s->wall_s, g->jobs);
}

int lab_cli_trials(struct lab_cli_args *a)
{
    struct grid g;
    struct sums sums = {0};
    int wrong = read_grid(a, &g);
    if (wrong) return wrong;
    print_head(&g);
    for (unsigned i = 0; i < g.q.count * g.z.count; i++) {
        struct cell c = {.setup = g.setup};
        c.setup.q_ppm = g.q.of[i / g.z.count];
        c.setup.confirmations = g.z.of[i % g.z.count];
        c.setup.seed += i * g.trials;
        run_cell(&g, &c);
        if (g.json)
            print_json(&c, i == 0);
        else
            print_plain(&c);
        sums.cells++;
        sums.off += !c.ok;
        sums.trials += c.r.trials;
        sums.broken += c.r.broken;
        sums.settled += c.r.settled;
        sums.as_model += c.r.as_model;
        sums.wall_s += c.r.wall_s;
        buffer_clear(&c.r.gaps);
    }
    print_foot(&g, &sums);
    return sums.off ? 1 : 0;
}
