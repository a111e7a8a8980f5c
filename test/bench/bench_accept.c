/* Acceptance of transactions (coins, policy, scripts under two sets of rules, the graph, the store) against nothing but
 * the libsecp256k1 verifications that they contain, in the same run; and the block that has them afterwards, with and
 * without a pool that knew them.
 *
 *   bench_accept [ROUNDS]
 *
 * Printed are medians of milliseconds of processor time; one thread. */
#include <stdio.h>
#include <stdlib.h>

#include "chain/sig_cache.h"
#include "generated_chain.h"
#include "mempool/mempool_internal.h"
#include "sig_record.h"
#include "store/store.h"

enum {
    INPUTS = 4 * GEN_BLOCK_INPUTS + GEN_FUNDING, /* of the chain; the last block is what is measured */
    ROUNDS = 7,
    ROUNDS_MAX = 99,
    NOW_S = 1750000000,
    SIG_CACHE_BYTES = 32 << 20,
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), by_value);
    return values[count / 2];
}

struct place {
    struct chain_ports ports;
    struct chain *chain;
};

static void open_place(struct place *p)
{
    struct error e;
    struct chain_options options = {
        .cache_bytes = 450 << 20, .max_file_bytes = 128 << 20, .sig_cache_bytes = SIG_CACHE_BYTES};
    memset(p, 0, sizeof(*p));
    memory_store_open(&p->ports.index, NULL);
    memory_store_open(&p->ports.coins, NULL);
    memory_files_open(&p->ports.files, NULL);
    CHECK(!chain_open(&p->chain, chain_params_get(CHAIN_REGTEST), &options, &p->ports, NOW_S, NULL, &e));
}

static void close_place(struct place *p)
{
    chain_free(p->chain);
    memory_store_close(&p->ports.index);
    memory_store_close(&p->ports.coins);
    memory_files_close(&p->ports.files);
}

static void feed(struct place *p, const struct block *b)
{
    struct block_node *node;
    struct verdict v = {0};
    struct notice notice;
    struct error e;
    bool is_new;
    CHECK(!chain_accept_block(p->chain, b, NOW_S, ACCEPT_REQUESTED, NULL, &node, &is_new, &v, &e));
    CHECK(verdict_ok(&v));
    for (;;) {
        CHECK(!chain_step(p->chain, NOW_S, b, &notice, &e) && notice.kind != NOTICE_INVALID);
        if (notice.kind == NOTICE_NONE) break;
        notice_clear(&notice);
    }
}

/* All but the last block, which is returned. */
static struct block *feed_but_last(struct place *p, struct span bytes)
{
    struct block *last = NULL;
    for (size_t at = 0; at + 8 < bytes.len;) {
        uint32_t len = get_le32(bytes.data + at + 4);
        if (last) {
            feed(p, last);
            block_free(last);
        }
        last = block_parse(span_of(bytes.data + at + 8, len));
        CHECK(last);
        at += 8 + len;
    }
    return last;
}

static double accept_all(struct place *p, const struct block *b)
{
    struct mempool_options options = mempool_options_default();
    options.min_relay.sat_per_kvb = 0;
    struct mempool *m = mempool_new(&options, p->chain, NULL);
    mempool_set_time(m, NOW_S);
    double start = cpu_ms();
    for (size_t i = 1; i < b->tx_count; i++) {
        struct verdict v = {0};
        struct error e;
        CHECK(!mempool_accept_one(m, &b->txs[i], NOW_S, 0, &v, &e));
        if (!verdict_ok(&v)) fprintf(stderr, "%s, %s\n", v.reason, v.detail);
        CHECK(verdict_ok(&v));
    }
    double took = cpu_ms() - start;
    mempool_free(m);
    return took;
}

static void record(struct place *p, const struct block *b, struct recorder *rec)
{
    struct mempool_options options = mempool_options_default();
    struct mempool *m = mempool_new(&options, p->chain, NULL);
    struct sig_verifier verifier = {record_ecdsa, record_schnorr, rec};
    for (size_t i = 1; i < b->tx_count; i++) {
        struct arena arena = {0};
        struct tx_out *spent;
        coin_origin *origins;
        bool missing;
        struct error e;
        struct script_tx t;
        CHECK(!accept_find_coins(m, &b->txs[i], &arena, &spent, &origins, &missing, &e) && !missing);
        script_tx_init(&t, &b->txs[i], spent);
        for (size_t k = 0; k < t.tx->in_count; k++)
            CHECK(!script_verify_input(&t, k, STANDARD_SCRIPT_FLAGS, &verifier));
        arena_clear(&arena);
    }
    mempool_free(m);
}

int main(int argc, char **argv)
{
    size_t rounds = argc > 1 ? (size_t)atol(argv[1]) : ROUNDS;
    double floor_ms[ROUNDS_MAX], accept_ms[ROUNDS_MAX], known_ms[ROUNDS_MAX], fresh_ms[ROUNDS_MAX];
    struct buffer bytes = {0};
    CHECK(rounds > 0 && rounds <= ROUNDS_MAX);
    generate_chain(&bytes, INPUTS);
    for (size_t r = 0; r < rounds; r++) {
        struct place p, q;
        struct recorder rec = {0};
        open_place(&p);
        struct block *b = feed_but_last(&p, buffer_span(&bytes));
        record(&p, b, &rec);
        floor_ms[r] = run_signatures(&rec);
        accept_ms[r] = accept_all(&p, b);
        double start = cpu_ms();
        feed(&p, b);
        known_ms[r] = cpu_ms() - start;
        block_free(b);
        open_place(&q);
        b = feed_but_last(&q, buffer_span(&bytes));
        start = cpu_ms();
        feed(&q, b);
        fresh_ms[r] = cpu_ms() - start;
        if (r == 0) printf("%zu transactions, %zu signatures\n", b->tx_count - 1, rec.count);
        block_free(b);
        free(rec.triples);
        close_place(&p);
        close_place(&q);
    }
    double floor = median(floor_ms, rounds), taken = median(accept_ms, rounds);
    printf("signatures alone %.1f ms, acceptance %.1f ms: %.2f times\n", floor, taken, taken / floor);
    printf("their block: %.1f ms where the pool knew them, %.1f ms where not\n", median(known_ms, rounds),
           median(fresh_ms, rounds));
    buffer_clear(&bytes);
    return 0;
}
