/* What the thread pool costs: batches of short jobs against the same jobs in a plain loop. Printed are medians of RUNS
 * runs; the processor time counts what waiting threads burn, too. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/random.h"
#include "store/store.h"

enum { RUNS = 9, BATCHES = 40, JOBS = 100 };

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct jobs {
    uint64_t out[JOBS];
    unsigned rounds; /* a job's length */
};

static void run_job(void *arg, size_t i)
{
    struct jobs *j = arg;
    uint64_t x = i;
    for (unsigned k = 0; k < j->rounds; k++) x = x * 6364136223846793005u + 1442695040888963407u;
    j->out[i] = x;
}

/* Seconds of wall clock and of processor for BATCHES batches; no pool where THREADS is 0. */
static void run_once(struct jobs *jobs, unsigned threads, double *wall, double *cpu)
{
    struct workers w = {0};
    if (threads) thread_pool_open(&w, threads);
    double wall_start = seconds(CLOCK_MONOTONIC), cpu_start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int b = 0; b < BATCHES; b++) {
        struct job_batch batch = {.run = run_job, .arg = jobs, .count = JOBS};
        workers_submit(&w, &batch);
        workers_join(&w, &batch);
    }
    *wall = seconds(CLOCK_MONOTONIC) - wall_start;
    *cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
    if (threads) thread_pool_close(&w);
}

int main(void)
{
    static const unsigned threads[] = {0, 1, 2, 4};
    static const unsigned lengths[] = {800, 8000, 80000}; /* about 1, 10 and 100 us */
    struct jobs *jobs = calloc(1, sizeof(*jobs));
    if (!jobs) return 1;
    for (size_t l = 0; l < 3; l++) {
        double wall[4][RUNS], cpu[4][RUNS], base = 0;
        jobs->rounds = lengths[l];
        for (int run = 0; run < RUNS; run++)
            for (size_t t = 0; t < 4; t++) run_once(jobs, threads[t], &wall[t][run], &cpu[t][run]);
        for (size_t t = 0; t < 4; t++) {
            qsort(wall[t], RUNS, sizeof(double), by_value);
            qsort(cpu[t], RUNS, sizeof(double), by_value);
            double per_job = cpu[t][RUNS / 2] * 1e6 / (BATCHES * JOBS);
            if (t == 0) base = per_job;
            if (t == 0)
                printf("%d jobs of %.1f us in a batch, plain loop\n", JOBS, base);
            else
                printf("  %u threads: wall %5.2fx, processor time %+6.2f %%\n", threads[t],
                       wall[0][RUNS / 2] / wall[t][RUNS / 2], (per_job / base - 1) * 100);
        }
    }
    free(jobs);
    return 0;
}
