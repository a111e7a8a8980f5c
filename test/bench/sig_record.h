/* Recording the signature checks of scripts, and doing nothing but those again: the floor that benchmarks compare with.
 */
#ifndef CAIRN_BENCH_SIG_RECORD_H
#define CAIRN_BENCH_SIG_RECORD_H

#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/secp.h"
#include "script/verify.h"

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

static inline struct triple *recorder_add(struct recorder *r, const uint8_t hash[32])
{
    r->triples = mem_grow(r->triples, &r->cap, r->count + 1, sizeof(*r->triples));
    struct triple *t = &r->triples[r->count++];
    memcpy(t->hash, hash, 32);
    return t;
}

static inline bool record_ecdsa(void *ctx, struct span key, struct span sig, const uint8_t hash[32])
{
    struct triple *t = recorder_add(ctx, hash);
    t->schnorr = false;
    t->key_len = (uint8_t)key.len;
    t->sig_len = (uint16_t)sig.len;
    memcpy(t->key, key.data, key.len);
    memcpy(t->sig, sig.data, sig.len);
    return ecdsa_verify(key, sig, hash);
}

static inline bool record_schnorr(void *ctx, const uint8_t xonly[32], const uint8_t sig[64], const uint8_t hash[32])
{
    struct triple *t = recorder_add(ctx, hash);
    t->schnorr = true;
    memcpy(t->key, xonly, 32);
    memcpy(t->sig, sig, 64);
    return schnorr_verify(xonly, sig, hash);
}

/* Milliseconds of CPU that the process has used, all threads together. */
static inline double cpu_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* Checks every recorded signature with libsecp256k1 alone; milliseconds of CPU. */
static inline double run_signatures(const struct recorder *r)
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

#endif
