/* Script verification of real blocks on one thread, against nothing but libsecp256k1 over the same signatures.
 * Prints the medians of CPU time and their ratio: what the interpreter, signature hashes and templates cost. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "crypto/secp.h"
#include "script/interp.h"
#include "support/real_block.h"

enum { ROUNDS = 7 };

struct triple {
    bool schnorr;
    uint8_t key[65];
    uint8_t key_len;
    uint8_t sig[520];
    uint16_t sig_len;
    uint8_t hash[32];
};

struct recorder {
    struct triple *triples;
    size_t count, cap;
};

static struct triple *recorder_add(struct recorder *r, const uint8_t hash[32])
{
    r->triples = mem_grow(r->triples, &r->cap, r->count + 1, sizeof(*r->triples));
    struct triple *t = &r->triples[r->count++];
    memcpy(t->hash, hash, 32);
    return t;
}

static bool record_ecdsa(void *ctx, struct span key, struct span sig, const uint8_t hash[32])
{
    struct triple *t = recorder_add(ctx, hash);
    t->schnorr = false;
    t->key_len = (uint8_t)key.len;
    t->sig_len = (uint16_t)sig.len;
    memcpy(t->key, key.data, key.len);
    memcpy(t->sig, sig.data, sig.len);
    return ecdsa_verify(key, sig, hash);
}

static bool record_schnorr(void *ctx, const uint8_t xonly[32], const uint8_t sig[64], const uint8_t hash[32])
{
    struct triple *t = recorder_add(ctx, hash);
    t->schnorr = true;
    memcpy(t->key, xonly, 32);
    memcpy(t->sig, sig, 64);
    return schnorr_verify(xonly, sig, hash);
}

static double cpu_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
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

static double run_signatures(const struct recorder *r)
{
    double start = cpu_ms();
    size_t good = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct triple *t = &r->triples[i];
        good += t->schnorr ? schnorr_verify(t->key, t->sig, t->hash)
                           : ecdsa_verify(span_of(t->key, t->key_len), span_of(t->sig, t->sig_len), t->hash);
    }
    CHECK(good <= r->count);
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
