/* The thread pool: every index once, whatever the number of threads, the grain and the number of batches at once. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/random.h"
#include "store/store.h"

struct tally {
    uint8_t *runs;
};

static void run_tally(void *arg, size_t i)
{
    struct tally *t = arg;
    t->runs[i]++;
}

static void assert_once(const struct tally *t, size_t count)
{
    for (size_t i = 0; i < count; i++) cr_assert_eq(t->runs[i], 1);
}

static void run_one(struct workers *w, size_t count, size_t grain)
{
    struct tally t = {.runs = calloc(count + 1, 1)};
    struct job_batch b = {.run = run_tally, .arg = &t, .count = count, .grain = grain};
    workers_submit(w, &b);
    workers_join(w, &b);
    assert_once(&t, count);
    free(t.runs);
}

Test(pool, every_index_once)
{
    for (unsigned threads = 0; threads <= 5; threads++) {
        struct workers w;
        thread_pool_open(&w, threads);
        cr_assert_eq(workers_threads(&w), threads > 1 ? threads : 1);
        for (size_t count = 0; count < 40; count++)
            for (size_t grain = 0; grain < 9; grain++) run_one(&w, count, grain);
        run_one(&w, 100000, 1);
        run_one(&w, 100000, 1000);
        run_one(&w, 10, SIZE_MAX);
        thread_pool_close(&w);
    }
}

/* What the one worker did, in order; it begins with a job that lasts until the gate opens. */
struct diary {
    bool begun, open;
    size_t count;
    int entries[8];
};

struct entry {
    struct diary *diary;
    int name;
};

static void run_gate(void *arg, size_t i)
{
    struct diary *d = arg;
    (void)i;
    __atomic_store_n(&d->begun, true, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&d->open, __ATOMIC_ACQUIRE)) {
    }
}

static void run_entry(void *arg, size_t i)
{
    struct entry *e = arg;
    (void)i;
    e->diary->entries[__atomic_fetch_add(&e->diary->count, 1, __ATOMIC_ACQ_REL)] = e->name;
}

Test(pool, the_background_waits_for_what_comes_later, .timeout = 60)
{
    struct workers w;
    struct diary d = {.begun = false};
    struct job_batch gate = {.run = run_gate, .arg = &d, .count = 1}, batches[4];
    struct entry entries[4];
    static const bool background[4] = {true, false, true, false};
    static const int expected[4] = {1, 3, 0, 2};
    thread_pool_open(&w, 2);
    workers_submit(&w, &gate);
    while (!__atomic_load_n(&d.begun, __ATOMIC_ACQUIRE)) {
    }
    for (int i = 0; i < 4; i++) {
        entries[i] = (struct entry){&d, i};
        batches[i] = (struct job_batch){.run = run_entry, .arg = &entries[i], .count = 1, .background = background[i]};
        workers_submit(&w, &batches[i]);
    }
    __atomic_store_n(&d.open, true, __ATOMIC_RELEASE);
    while (__atomic_load_n(&d.count, __ATOMIC_ACQUIRE) < 4) {
    }
    workers_join(&w, &gate);
    for (int i = 0; i < 4; i++) workers_join(&w, &batches[i]);
    cr_assert_arr_eq(d.entries, expected, sizeof(expected));
    thread_pool_close(&w);
}

Test(pool, many_batches_at_once_joined_in_any_order)
{
    enum { BATCHES = 30 };
    struct workers w;
    struct random rng;
    random_init_u64(&rng, 11);
    thread_pool_open(&w, 4);
    for (int round = 0; round < 200; round++) {
        struct tally tallies[BATCHES];
        struct job_batch batches[BATCHES];
        size_t order[BATCHES];
        for (size_t i = 0; i < BATCHES; i++) {
            size_t count = random_below(&rng, 100);
            tallies[i].runs = calloc(count + 1, 1);
            batches[i] = (struct job_batch){
                .run = run_tally, .arg = &tallies[i], .count = count, .grain = random_below(&rng, 5)};
            batches[i].background = random_below(&rng, 3) == 0;
            workers_submit(&w, &batches[i]);
            order[i] = i;
        }
        for (size_t i = BATCHES - 1; i > 0; i--) {
            size_t k = random_below(&rng, i + 1), moved = order[i];
            order[i] = order[k];
            order[k] = moved;
        }
        for (size_t i = 0; i < BATCHES; i++) {
            workers_join(&w, &batches[order[i]]);
            assert_once(&tallies[order[i]], batches[order[i]].count);
        }
        for (size_t i = 0; i < BATCHES; i++) free(tallies[i].runs);
    }
    thread_pool_close(&w);
}

Test(pool, joined_twice_or_never_submitted)
{
    struct workers w;
    struct tally t = {.runs = calloc(10, 1)};
    struct job_batch b = {.run = run_tally, .arg = &t, .count = 10};
    thread_pool_open(&w, 3);
    workers_join(&w, &b);
    cr_assert_eq(t.runs[0], 0);
    workers_submit(&w, &b);
    workers_join(&w, &b);
    workers_join(&w, &b);
    assert_once(&t, 10);
    thread_pool_close(&w);
    thread_pool_close(&w);
    free(t.runs);
}

Test(pool, without_a_pool)
{
    struct workers none = {0};
    run_one(&none, 100, 3);
    run_one(NULL, 100, 3);
}
