/* The thread pool under load, for ThreadSanitizer: batches of every size, spans of sleep between them, results read by
 * the joining thread without any other lock. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "base/random.h"
#include "store/store.h"

enum { BATCHES = 8, JOBS_MAX = 500, ROUNDS = 400 };

struct sums {
    uint64_t out[JOBS_MAX];
    uint64_t salt;
};

static void run_sum(void *arg, size_t i)
{
    struct sums *s = arg;
    uint64_t x = s->salt + i;
    for (int k = 0; k < 50; k++) x = x * 6364136223846793005u + 1442695040888963407u;
    s->out[i] = x;
}

static uint64_t one_round(struct workers *w, struct random *rng, struct sums *sums)
{
    struct job_batch batches[BATCHES];
    uint64_t total = 0;
    for (size_t b = 0; b < BATCHES; b++) {
        sums[b].salt = random_u64(rng);
        batches[b] = (struct job_batch){
            .run = run_sum, .arg = &sums[b], .count = random_below(rng, JOBS_MAX), .grain = random_below(rng, 20)};
        batches[b].background = random_below(rng, 3) == 0;
        workers_submit(w, &batches[b]);
    }
    for (size_t b = BATCHES; b-- > 0;) {
        workers_join(w, &batches[b]);
        for (size_t i = 0; i < batches[b].count; i++) {
            struct sums expected = {.salt = sums[b].salt};
            run_sum(&expected, i);
            CHECK(expected.out[i] == sums[b].out[i]);
        }
        total += batches[b].count;
    }
    return total;
}

int main(void)
{
    struct sums *sums = calloc(BATCHES, sizeof(*sums));
    struct random rng;
    uint64_t jobs = 0;
    CHECK(sums);
    random_init_u64(&rng, 1);
    for (unsigned threads = 1; threads <= 8; threads *= 2) {
        struct workers w;
        thread_pool_open(&w, threads);
        for (int round = 0; round < ROUNDS; round++) {
            jobs += one_round(&w, &rng, sums);
            if (round % 50 == 0) nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL); /* the workers fall asleep */
        }
        thread_pool_close(&w);
    }
    printf("pool: %llu jobs\n", (unsigned long long)jobs);
    free(sums);
    return 0;
}
