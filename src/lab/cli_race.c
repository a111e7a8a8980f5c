/* cairn-lab race: attempts to steal without blocks, by the million, held against the exact figures. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/compiler.h"
#include "lab/cli_numbers.h"
#include "lab/race.h"
#include "lab/setup.h"
#include "lab/stats.h"
#include "lab/theory.h"
#include "rpc/json_writer.h"

enum { TRIALS = 1000000, PATIENCE = 60, JOBS_MOST = 256, FEW_HITS = 10 };

#define SIGMAS       3.9  /* 99.99 % of right cells are within */
#define LEAST_CHANCE 1e-4 /* the same for cells with few hits, where the distribution is no normal one */

struct grid {
    struct race_rules *cells;
    unsigned count, jobs;
    uint64_t trials, seed;
    bool json;
};

struct verdict {
    double p, low, high, exact, endless, off; /* off: standard errors */
    unsigned depth_median;
    double depth_mean, blocks_mean;
    bool ok;
};

struct totals {
    unsigned off;
    double worst;
};

/* ---- the work, in processes ---- */

/* First trial of a process; portions that belong together (race_many.c) stay so. */
static uint64_t share_of(const struct grid *g, unsigned job)
{
    enum { PORTION = 4096 };
    uint64_t portions = (g->trials + PORTION - 1) / PORTION, first = portions * job / g->jobs * PORTION;
    return first < g->trials ? first : g->trials;
}

static void work(const struct grid *g, unsigned job, int to)
{
    struct race_counts *c = mem_calloc(1, sizeof(*c));
    uint64_t first = share_of(g, job), next = share_of(g, job + 1);
    for (unsigned i = 0; i < g->count; i++) {
        memset(c, 0, sizeof(*c));
        race_many(&g->cells[i], g->seed, first, next - first, true, c);
        for (size_t done = 0; done < sizeof(*c);) {
            ssize_t n = write(to, (const char *)c + done, sizeof(*c) - done);
            if (n <= 0) _exit(1);
            done += (size_t)n;
        }
    }
    _exit(0);
}

static int start(const struct grid *g, unsigned job)
{
    int ends[2];
    fflush(NULL);
    CHECK(!pipe(ends));
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (!pid) {
        close(ends[0]);
        work(g, job, ends[1]);
    }
    close(ends[1]);
    return ends[0];
}

static bool add_from(int from, struct race_counts *sum)
{
    uint64_t part[sizeof(*sum) / sizeof(uint64_t)], whole[ARRAY_LEN(part)];
    for (size_t have = 0; have < sizeof(part);) {
        ssize_t n = read(from, (char *)part + have, sizeof(part) - have);
        if (n <= 0) return false;
        have += (size_t)n;
    }
    memcpy(whole, sum, sizeof(whole));
    for (size_t i = 0; i < ARRAY_LEN(whole); i++) whole[i] += part[i];
    memcpy(sum, whole, sizeof(whole));
    return true;
}

_Static_assert(sizeof(struct race_counts) % sizeof(uint64_t) == 0, "nothing but counts");

/* ---- one cell ---- */

static unsigned median_of(const struct race_counts *c)
{
    uint64_t sum = 0;
    unsigned d = 0;
    while (d < RACE_HISTOGRAM - 1 && (sum += c->depth[d]) * 2 < c->stolen) d++;
    return d;
}

static struct verdict judge(const struct race_rules *r, const struct race_counts *c)
{
    double q = (double)r->q_ppm / LAB_PPM, n = (double)c->trials;
    struct verdict t = {.p = (double)c->stolen / n, .exact = theory_race(q, r->z, r->premine, r->patience, r->budget)};
    t.endless = theory_race(q, r->z, r->premine, 0, 0);
    stats_wilson(c->stolen, c->trials, SIGMAS, &t.low, &t.high);
    double error = stats_half_width(t.exact, c->trials, 1);
    t.off = error > 0 ? (t.p - t.exact) / error : 0;
    t.ok = fabs(t.off) <= SIGMAS && (error > 0 || t.p == t.exact);
    if (!t.ok && n * t.exact * (1 - t.exact) < FEW_HITS)
        t.ok = stats_binomial_test(c->stolen, c->trials, t.exact) >= LEAST_CHANCE;
    if (c->stolen) {
        t.depth_median = median_of(c);
        t.depth_mean = (double)c->depth_sum / (double)c->stolen;
        t.blocks_mean = (double)c->blocks_sum / (double)c->stolen;
    }
    return t;
}

static void cell_json(struct json_writer *j, const struct grid *g, unsigned i, const struct race_counts *c,
                      const struct verdict *t)
{
    const struct race_rules *r = &g->cells[i];
    jw_object(j);
    jw_kv_str(j, "convention", r->premine ? "paper" : "strict");
    jw_kv_double(j, "q", (double)r->q_ppm / LAB_PPM);
    jw_kv_uint(j, "z", r->z);
    jw_kv_uint(j, "premine", r->premine);
    jw_kv_uint(j, "patience", r->patience);
    jw_kv_uint(j, "budget", r->budget);
    jw_kv_uint(j, "trials", c->trials);
    jw_kv_uint(j, "stolen", c->stolen);
    jw_kv_double(j, "measured", t->p);
    jw_kv_double(j, "low", t->low);
    jw_kv_double(j, "high", t->high);
    jw_kv_double(j, "exact", t->exact);
    jw_kv_double(j, "exact_without_end", t->endless);
    jw_kv_double(j, "standard_errors_off", t->off);
    jw_kv_uint(j, "depth_median", t->depth_median);
    jw_kv_double(j, "depth_mean", t->depth_mean);
    jw_kv_double(j, "blocks_mean", t->blocks_mean);
    jw_kv_bool(j, "ok", t->ok);
    jw_object_end(j);
}

/* Which rules, wherever they change. */
static void rules_plain(const struct race_rules *r)
{
    printf(r->premine ? "\nPaper's convention: a block in hand when the payment is sent; longer chain wins,\n"
                      : "\nStrict convention, as nodes do: nothing in hand, strictly longer chain wins,\n");
    if (r->patience)
        printf("gives up %u behind after the last confirmation; ", r->patience);
    else
        printf("never gives up; ");
    if (r->budget)
        printf("budget: %u blocks of both sides.\n", r->budget);
    else
        printf("no budget.\n");
    printf("Per cent stolen; off: standard errors from what is exact by these rules;\n"
           "for ever: exact for one who never gives up.\n");
    printf("     q    z measured  within 3.9 s.e.      exact    off for ever  depth  mean\n");
}

static void cell_plain(const struct grid *g, unsigned i, const struct verdict *t)
{
    const struct race_rules *r = &g->cells[i];
    if (!i || r->premine != r[-1].premine) rules_plain(r);
    printf("%5.1f%% %4u %8.4f %8.4f-%8.4f %8.4f %6.2f %8.4f %6u %7.2f%s\n", (double)r->q_ppm / 1e4, r->z, 100 * t->p,
           100 * t->low, 100 * t->high, 100 * t->exact, t->off, 100 * t->endless, t->depth_median, t->depth_mean,
           t->ok ? "" : "  <- off");
    fflush(stdout);
}

/* ---- all of them ---- */

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static bool run_cells(const struct grid *g, struct json_writer *j, struct totals *sum)
{
    int *from = mem_calloc(g->jobs, sizeof(*from));
    struct race_counts *c = mem_calloc(1, sizeof(*c));
    bool ok = true;
    for (unsigned job = 0; job < g->jobs; job++) from[job] = start(g, job);
    for (unsigned i = 0; ok && i < g->count; i++) {
        memset(c, 0, sizeof(*c));
        for (unsigned job = 0; job < g->jobs; job++) ok = ok && add_from(from[job], c);
        if (!ok) break;
        struct verdict t = judge(&g->cells[i], c);
        sum->off += !t.ok;
        if (fabs(t.off) > sum->worst) sum->worst = fabs(t.off);
        if (g->json)
            cell_json(j, g, i, c, &t);
        else
            cell_plain(g, i, &t);
    }
    for (unsigned job = 0; job < g->jobs; job++) {
        close(from[job]);
        wait(NULL);
    }
    free(from);
    free(c);
    return ok;
}

static int run(const struct grid *g)
{
    struct totals sum = {0};
    struct timespec began, ended;
    struct rusage use;
    struct buffer out = {0};
    struct json_writer j = json_writer_of(&out);
    clock_gettime(CLOCK_MONOTONIC, &began);
    if (g->json) {
        jw_object(&j);
        jw_kv_uint(&j, "seed", g->seed);
        jw_kv_array(&j, "cells");
    }
    bool ok = run_cells(g, &j, &sum);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    getrusage(RUSAGE_CHILDREN, &use);
    double wall = (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
    double cpu = seconds(use.ru_utime) + seconds(use.ru_stime);
    if (g->json) {
        jw_array_end(&j);
        jw_kv_uint(&j, "off", sum.off);
        jw_kv_double(&j, "worst", sum.worst);
        jw_kv_double(&j, "wall_s", wall);
        jw_kv_double(&j, "cpu_s", cpu);
        jw_object_end(&j);
        printf("%s\n", buffer_text(&out));
    } else {
        printf("\n%u cells of %llu trials, seed %llu; %u off; the worst is %.2f standard errors\n"
               "from what is exact (%.1f are allowed). %.1f s, %.1f s of processors, %u processes.\n",
               g->count, (unsigned long long)g->trials, (unsigned long long)g->seed, sum.off, sum.worst, SIGMAS, wall,
               cpu, g->jobs);
    }
    buffer_clear(&out);
    if (!ok) fprintf(stderr, "cairn-lab: a process died\n");
    return !ok || sum.off ? 1 : 0;
}

static void fill(struct grid *g, const struct numbers *q, const struct numbers *z, unsigned from, unsigned to,
                 const struct race_rules *rules)
{
    g->cells = mem_calloc((size_t)q->count * z->count * (to - from + 1), sizeof(*g->cells));
    for (unsigned premine = from; premine <= to; premine++)
        for (unsigned i = 0; i < q->count * z->count; i++) {
            struct race_rules *r = &g->cells[g->count++];
            *r = *rules;
            r->premine = premine;
            r->q_ppm = q->of[i / z->count];
            r->z = z->of[i % z->count];
        }
}

int lab_cli_race(struct lab_cli_args *a)
{
    static const char me[] = "race";
    struct numbers q = {.of = {100000, 200000, 300000, 400000, 450000}, .count = 5};
    struct numbers z = {.of = {1, 2, 3, 6, 10}, .count = 5};
    struct grid g = {.trials = TRIALS, .seed = 1, .jobs = lab_cli_processors()};
    struct race_rules rules = {0};
    unsigned premine = 2, patience = UINT32_MAX; /* both; not said */
    if (!numbers_take_shares(a, "--q", LAB_PPM, &q)) return lab_cli_wrong(me, "--q wants shares: 10%,30%");
    if (!numbers_take_counts(a, "--z", 0, 1000, &z)) return lab_cli_wrong(me, "--z wants numbers up to 1000: 1,2,6");
    if (!numbers_take(a, "--trials", 1, UINT64_C(1) << 40, &g.trials))
        return lab_cli_wrong(me, "--trials wants a number");
    if (!numbers_take(a, "--seed", 0, UINT64_MAX, &g.seed)) return lab_cli_wrong(me, "--seed wants a number");
    if (!numbers_take_unsigned(a, "--premine", 0, 1, &premine)) return lab_cli_wrong(me, "--premine wants 0 or 1");
    if (!numbers_take_unsigned(a, "--budget", 0, 100000, &rules.budget))
        return lab_cli_wrong(me, "--budget wants a number up to 100000; 0: none");
    if (!numbers_take_unsigned(a, "--patience", 0, 1000, &patience))
        return lab_cli_wrong(me, "--patience wants a number up to 1000; 0: for ever");
    if (!numbers_take_unsigned(a, "--jobs", 1, JOBS_MOST, &g.jobs))
        return lab_cli_wrong(me, "--jobs wants a number up to 256");
    g.json = numbers_take_flag(a, "--json");
    if (!lab_cli_done(me, a)) return 2;
    rules.patience = patience != UINT32_MAX ? patience : rules.budget ? 0 : PATIENCE;
    for (unsigned i = 0; i < q.count; i++)
        if (!rules.patience && !rules.budget && q.of[i] <= LAB_PPM / 2)
            return lab_cli_wrong(me, "a race without patience and budget ends only above 50%");
    fill(&g, &q, &z, premine == 1, premine != 0, &rules);
    int status = run(&g);
    free(g.cells);
    return status;
}
