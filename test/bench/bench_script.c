/* Script verification of real blocks on one thread, against nothing but libsecp256k1 over the same signatures.
 * Prints the medians of CPU time and their ratio: what the interpreter, signature hashes and templates cost. */
#include <stdio.h>
#include <stdlib.h>

#include "script/interp.h"
#include "sig_record.h"
#include "support/real_block.h"

enum { ROUNDS = 7 };

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
    double scripts, signatures;
};

static void bench_block(const struct real_block *b, const json_t *row, struct totals *sum)
{
    struct recorder r = {0};
    const struct sig_verifier record = {.ecdsa = record_ecdsa, .schnorr = record_schnorr, .ctx = &r};
    double scripts[ROUNDS], signatures[ROUNDS];
    run_scripts(b, &record);
    for (int i = 0; i < ROUNDS; i++) {
        scripts[i] = run_scripts(b, NULL);
        signatures[i] = run_signatures(&r);
    }
    double s = median(scripts), p = median(signatures);
    printf("%-9s %7lld  inputs %6zu  signatures %6zu  scripts %8.2f ms  secp256k1 %8.2f ms  ratio %.3f\n",
           json_string_value(json_object_get(row, "network")),
           (long long)json_integer_value(json_object_get(row, "height")), b->inputs, r.count, s, p, p > 0 ? s / p : 0);
    sum->scripts += s;
    sum->signatures += p;
    free(r.triples);
}

int main(void)
{
    if (!data_present(CAIRN_TEST_DATA, "bench_script")) return 0;
    json_t *index = data_json(CAIRN_TEST_DATA, "blocks/real/index.json");
    struct totals sum = {0};
    for (size_t i = 0; i < json_array_size(index); i++) {
        struct real_block b;
        if (!real_block_read(&b, CAIRN_TEST_DATA, json_array_get(index, i))) continue;
        if (b.inputs > 10) bench_block(&b, json_array_get(index, i), &sum);
        real_block_clear(&b);
    }
    printf("all: scripts %.1f ms, secp256k1 alone %.1f ms, ratio %.3f (medians of %d)\n", sum.scripts, sum.signatures,
           sum.scripts / sum.signatures, ROUNDS);
    json_decref(index);
    return 0;
}
