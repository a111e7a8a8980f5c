/* Running seeds: one, or many in several processes, so that a crash costs one seed and is reported as such. */
#include "sim/cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"

static void run_seed(const struct sim_cli *c, uint64_t seed, struct sim_report *report)
{
    struct sim_options o = {.seed = seed,
                            .nodes = (unsigned)c->nodes,
                            .minutes = (unsigned)c->minutes,
                            .trace = c->trace,
                            .log_node = c->with_log ? (int)c->log : -1,
                            .out = stdout};
    sim_run(&o, report);
}

/* How to run it again. */
static void print_replay(const struct sim_cli *c, uint64_t seed, const char *why)
{
    printf("FAILED: cairn-sim --seed %llu", (unsigned long long)seed);
    if (c->nodes) printf(" --nodes %llu", (unsigned long long)c->nodes);
    if (c->minutes) printf(" --minutes %llu", (unsigned long long)c->minutes);
    printf(" --trace   # %s\n", why);
    fflush(stdout);
}

static void print_report(uint64_t seed, const struct sim_report *r)
{
    printf(
        "seed %llu: %s, trace %016llx, %u nodes, %u blocks (%u invalid), height %d, %u reorganisations, %u restarts, "
        "%u faults, %llu events, recovered in %lld s, %zu kB at most for the peers of a node\n",
        (unsigned long long)seed, r->failed ? "FAILED" : "ok", (unsigned long long)r->trace, r->nodes, r->blocks,
        r->invalid_blocks, r->height, r->reorgs, r->restarts, r->faults, (unsigned long long)r->events,
        (long long)(r->recovery_us / 1000000), r->peak_node_memory / 1000);
}

int sim_cli_one(const struct sim_cli *c)
{
    struct sim_report report;
    run_seed(c, c->seed, &report);
    print_report(c->seed, &report);
    if (report.failed) print_replay(c, c->seed, report.why);
    return report.failed;
}

/* ---- many ---- */

/* What a worker tells its parent: that it begins a seed, and how it went. */
struct note {
    uint64_t seed;
    bool begun;
    struct sim_report report;
};

struct worker {
    pid_t pid;
    int from;         /* notes come here */
    size_t next;      /* index of its next seed */
    uint64_t running; /* the seed at hand */
    bool is_running;
};

struct totals {
    uint64_t seeds, failed, events, restarts, faults, blocks, invalid, reorgs;
    int64_t slowest_recovery_us;
    uint64_t slowest_seed;
    size_t peak_memory;
    uint64_t trace;
};

struct batch {
    const struct sim_cli *c;
    uint64_t *seeds;
    size_t count;
    time_t until;
    struct worker *workers;
    struct totals totals;
};

static void worker_loop(const struct batch *b, size_t from, int to)
{
    for (size_t i = from; i < b->count; i += b->c->jobs) {
        struct note n = {.seed = b->seeds[i], .begun = true};
        if (b->until && time(NULL) >= b->until) break;
        if (write(to, &n, sizeof(n)) != sizeof(n)) break;
        run_seed(b->c, n.seed, &n.report);
        n.begun = false;
        if (write(to, &n, sizeof(n)) != sizeof(n)) break;
    }
    _exit(0);
}

static void worker_start(struct batch *b, struct worker *w)
{
    int ends[2];
    fflush(stdout);
    CHECK(!pipe(ends));
    w->pid = fork();
    CHECK(w->pid >= 0);
    if (!w->pid) {
        close(ends[0]);
        worker_loop(b, w->next, ends[1]);
    }
    close(ends[1]);
    w->from = ends[0];
    w->is_running = false;
}

static void count_report(struct batch *b, uint64_t seed, const struct sim_report *r)
{
    struct totals *t = &b->totals;
    t->seeds++;
    t->failed += r->failed;
    t->events += r->events;
    t->restarts += r->restarts;
    t->faults += r->faults;
    t->blocks += r->blocks;
    t->invalid += r->invalid_blocks;
    t->reorgs += r->reorgs;
    t->trace ^= r->trace;
    if (r->peak_node_memory > t->peak_memory) t->peak_memory = r->peak_node_memory;
    if (!r->failed && r->recovery_us > t->slowest_recovery_us) {
        t->slowest_recovery_us = r->recovery_us;
        t->slowest_seed = seed;
    }
    if (b->c->verbose) print_report(seed, r);
    if (r->failed) print_replay(b->c, seed, r->why);
}

static bool read_note(int from, struct note *n)
{
    size_t have = 0;
    while (have < sizeof(*n)) {
        ssize_t got = read(from, (char *)n + have, sizeof(*n) - have);
        if (got <= 0) return false;
        have += (size_t)got;
    }
    return true;
}

/* Takes one note; false where the worker has ended for good. */
static bool worker_step(struct batch *b, struct worker *w)
{
    struct note n;
    if (read_note(w->from, &n)) {
        w->running = n.seed;
        w->is_running = n.begun;
        if (n.begun) return true;
        w->next += b->c->jobs;
        count_report(b, n.seed, &n.report);
        return true;
    }
    close(w->from);
    waitpid(w->pid, NULL, 0);
    if (!w->is_running) return false;
    struct sim_report crashed = {.failed = true};
    snprintf(crashed.why, sizeof(crashed.why), "the process died");
    count_report(b, w->running, &crashed);
    w->next += b->c->jobs;
    worker_start(b, w);
    return true;
}

static void read_seeds(struct batch *b, const char *path)
{
    size_t cap = 0;
    char line[256];
    FILE *f = fopen(path, "r");
    if (!f) {
        fprintf(stderr, "cairn-sim: cannot read %s\n", path);
        exit(2);
    }
    while (fgets(line, sizeof(line), f)) {
        char *end;
        uint64_t seed = strtoull(line, &end, 0);
        if (end == line) continue;
        b->seeds = mem_grow(b->seeds, &cap, b->count + 1, sizeof(*b->seeds));
        b->seeds[b->count++] = seed;
    }
    fclose(f);
}

static void number_seeds(struct batch *b)
{
    enum { MANY = 1000000 };
    b->count = b->c->seeds ? (size_t)b->c->seeds : MANY;
    b->seeds = mem_calloc(b->count, sizeof(*b->seeds));
    for (size_t i = 0; i < b->count; i++) b->seeds[i] = b->c->from + i;
}

static void print_totals(const struct totals *t, time_t began)
{
    printf("%llu seeds, %llu failed; %llu events, %llu blocks (%llu invalid), %llu reorganisations, %llu restarts, "
           "%llu faults; slowest recovery %lld s (seed %llu); %zu kB at most for the peers of a node; %lld s; trace "
           "%016llx\n",
           (unsigned long long)t->seeds, (unsigned long long)t->failed, (unsigned long long)t->events,
           (unsigned long long)t->blocks, (unsigned long long)t->invalid, (unsigned long long)t->reorgs,
           (unsigned long long)t->restarts, (unsigned long long)t->faults,
           (long long)(t->slowest_recovery_us / 1000000), (unsigned long long)t->slowest_seed, t->peak_memory / 1000,
           (long long)(time(NULL) - began), (unsigned long long)t->trace);
}

int sim_cli_many(const struct sim_cli *c)
{
    struct batch b = {.c = c};
    time_t began = time(NULL);
    if (c->seconds) b.until = began + (time_t)c->seconds;
    if (c->file)
        read_seeds(&b, c->file);
    else
        number_seeds(&b);
    size_t jobs = (size_t)c->jobs, left = jobs;
    b.workers = mem_calloc(jobs, sizeof(*b.workers));
    for (size_t i = 0; i < jobs; i++) {
        b.workers[i].next = i;
        worker_start(&b, &b.workers[i]);
    }
    /* Reading one after the other keeps them roughly in step; a note is small enough to wait in its pipe. */
    while (left) {
        for (size_t i = 0; i < jobs; i++) {
            struct worker *w = &b.workers[i];
            if (!w->pid) continue;
            if (worker_step(&b, w)) continue;
            w->pid = 0;
            left--;
        }
    }
    print_totals(&b.totals, began);
    free(b.workers);
    free(b.seeds);
    return b.totals.failed ? 1 : 0;
}
