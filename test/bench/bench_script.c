/* Script verification of real blocks on one and on two threads, against nothing but libsecp256k1 over the same
 * signatures on one thread. Printed are medians of milliseconds, and of ratios to the floor of the same round: of
 * processor time on one thread (what the interpreter, signature hashes and templates cost), of the wall on two. */
#include <stdio.h>
#include <stdlib.h>

#include "script/interp.h"
#include "sig_record.h"
#include "store/store.h"
#include "support/real_block.h"

enum { ROUNDS = 7 };

static double wall_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static double run_scripts(const struct real_block *b, const struct sig_verifier *verifier)
{
    double start = cpu_ms();
    for (size_t i = 0; i < b->block->tx_count; i++) {
        if (!b->spent[i]) continue;
        struct script_tx t;
        script_tx_init(&t, &b->block->txs[i], b->spent[i]);
        for (size_t j = 0; j < t.tx->in_count; j++) CHECK(!script_verify_input(&t, j, b->flags, verifier));
    }
    return cpu_ms() - start;
}

/* ---- on the pool: first the midstates, a job a transaction, then a job an input ---- */

struct input_job {
    const struct script_tx *tx;
    size_t input;
};

struct pool_run {
    const struct real_block *b;
    struct script_tx *txs;
    struct input_job *inputs;
};

static void init_job(void *arg, size_t i)
{
    struct pool_run *r = arg;
    if (r->b->spent[i]) script_tx_init(&r->txs[i], &r->b->block->txs[i], r->b->spent[i]);
}

static void input_job(void *arg, size_t i)
{
    struct pool_run *r = arg;
    CHECK(!script_verify_input(r->inputs[i].tx, r->inputs[i].input, r->b->flags, NULL));
}

static double run_pool(const struct real_block *b, struct workers *w)
{
    struct pool_run r = {b, mem_calloc(b->block->tx_count, sizeof(*r.txs)), mem_calloc(b->inputs, sizeof(*r.inputs))};
    size_t n = 0;
    for (size_t i = 0; i < b->block->tx_count; i++)
        for (size_t j = 0; b->spent[i] && j < b->block->txs[i].in_count; j++)
            r.inputs[n++] = (struct input_job){&r.txs[i], j};
    struct job_batch init = {.run = init_job, .arg = &r, .count = b->block->tx_count, .grain = 16};
    struct job_batch verify = {.run = input_job, .arg = &r, .count = n};
    double start = wall_ms();
    workers_submit(w, &init);
    workers_join(w, &init);
    workers_submit(w, &verify);
    workers_join(w, &verify);
    double took = wall_ms() - start;
    free(r.txs);
    free(r.inputs);
    return took;
}

/* ---- rounds ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *ms)
{
    qsort(ms, ROUNDS, sizeof(*ms), compare);
    return ms[ROUNDS / 2];
}

struct totals {
    double one[ROUNDS], two[ROUNDS], floor[ROUNDS];
};

static void bench_block(const struct real_block *b, const json_t *row, struct workers *two, struct totals *sum)
{
    struct recorder r = {0};
    const struct sig_verifier record = {.ecdsa = record_ecdsa, .schnorr = record_schnorr, .ctx = &r};
    double one_ratio[ROUNDS], two_ratio[ROUNDS], floors[ROUNDS];
    run_scripts(b, &record);
    for (int i = 0; i < ROUNDS; i++) {
        double one = run_scripts(b, NULL), floor = run_signatures(&r), both = run_pool(b, two);
        one_ratio[i] = one / floor;
        two_ratio[i] = both / floor;
        floors[i] = floor;
        sum->one[i] += one;
        sum->two[i] += both;
        sum->floor[i] += floor;
    }
    printf("%-9s %7lld  inputs %6zu  signatures %6zu  secp256k1 %8.2f ms  1 thread %.3f of it  2 threads %.3f\n",
           json_string_value(json_object_get(row, "network")),
           (long long)json_integer_value(json_object_get(row, "height")), b->inputs, r.count, median(floors),
           median(one_ratio), median(two_ratio));
    free(r.triples);
}

static void print_totals(struct totals *sum)
{
    double one_ratio[ROUNDS], two_ratio[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        one_ratio[i] = sum->one[i] / sum->floor[i];
        two_ratio[i] = sum->two[i] / sum->floor[i];
    }
    printf(
        "all: secp256k1 alone %.1f ms; scripts on 1 thread %.1f ms of CPU, ratio %.3f; on 2 threads %.1f ms of wall, "
        "ratio %.3f (medians of %d)\n",
        median(sum->floor), median(sum->one), median(one_ratio), median(sum->two), median(two_ratio), ROUNDS);
}

int main(void)
{
    if (!data_present(CAIRN_TEST_DATA, "bench_script")) return 0;
    json_t *index = data_json(CAIRN_TEST_DATA, "blocks/real/index.json");
    struct totals sum = {0};
    struct workers two;
    thread_pool_open(&two, 2);
    for (size_t i = 0; i < json_array_size(index); i++) {
        struct real_block b;
        if (!real_block_read(&b, CAIRN_TEST_DATA, json_array_get(index, i))) continue;
        if (b.inputs > 10) bench_block(&b, json_array_get(index, i), &two, &sum);
        real_block_clear(&b);
    }
    print_totals(&sum);
    thread_pool_close(&two);
    json_decref(index);
    return 0;
}
