/* What it costs to put a compact block together from a full pool: the ids of all entries hashed and looked up. Beside
 * it, in the same run, the plain way, one entry after the other. Arguments: transactions of the pool (150000), runs
 * (20). */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/endian.h"
#include "base/random.h"
#include "mempool/mempool_internal.h"
#include "p2p/compact.h"

enum { BLOCK_TXS = 4000, TX_BYTES = 250, ENTRY_BYTES = 2000, RUNS_MAX = 1000 };

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Entries as large as real ones, all over the memory; only what is looked at is filled. */
static void fill_pool(struct mempool *m, size_t count, struct random *random)
{
    m->entries = mem_calloc(count, sizeof(struct mempool_entry *));
    m->count = count;
    for (size_t i = 0; i < count; i++) {
        struct mempool_entry *e = mem_calloc(1, ENTRY_BYTES);
        for (size_t k = 0; k < 4; k++) put_le64(e->tx.wtxid.bytes + 8 * k, random_u64(random));
        e->tx.raw = span_of((uint8_t *)e + sizeof(*e), TX_BYTES);
        m->entries[i] = e;
    }
    for (size_t i = count; i > 1; i--) {
        size_t k = (size_t)random_below(random, i);
        struct mempool_entry *e = m->entries[k];
        m->entries[k] = m->entries[i - 1];
        m->entries[i - 1] = e;
    }
}

/* A block of every so many-th transaction, and one that is not there, so that all are looked at. */
static void make_block(struct compact_block *c, const struct mempool *m)
{
    *c = (struct compact_block){.header.bits = 1, .k0 = 1, .k1 = 2, .short_count = BLOCK_TXS + 1};
    c->short_ids = mem_calloc(c->short_count, sizeof(*c->short_ids));
    for (size_t i = 0; i < BLOCK_TXS; i++)
        c->short_ids[i] = compact_short_id(c, &m->entries[i * (m->count / BLOCK_TXS)]->tx.wtxid);
    c->short_ids[BLOCK_TXS] = 12345;
}

static void offer_plainly(const struct mempool *m, struct partial_block *partial)
{
    for (size_t i = 0; i < mempool_count(m) && partial->pool_count < partial->slot_count; i++) {
        const struct tx *tx = &mempool_at(m, i)->tx;
        partial_block_offer(partial, &(struct partial_candidate){tx->wtxid, tx->raw}, 1, false);
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *name, const struct mempool *m, const struct compact_block *c, unsigned runs,
                    void (*offer)(const struct mempool *, struct partial_block *))
{
    double ms[RUNS_MAX];
    for (unsigned i = 0; i < runs; i++) {
        struct partial_block partial = {0};
        double begin = now_ms();
        CHECK(partial_block_init(&partial, c) == PARTIAL_OK);
        offer(m, &partial);
        ms[i] = now_ms() - begin;
        CHECK(partial.pool_count == BLOCK_TXS);
        partial_block_clear(&partial);
    }
    qsort(ms, runs, sizeof(*ms), by_value);
    printf("%-24s median %6.2f ms, worst %6.2f ms, %5.1f ns an entry\n", name, ms[runs / 2], ms[runs - 1],
           ms[runs / 2] * 1e6 / (double)m->count);
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 150000;
    unsigned long runs = argc > 2 ? strtoul(argv[2], NULL, 10) : 20;
    struct mempool *m = mem_calloc(1, sizeof(*m));
    struct compact_block c;
    struct random random;
    if (count < BLOCK_TXS) count = BLOCK_TXS;
    if (runs < 1 || runs > RUNS_MAX) runs = RUNS_MAX;
    random_init_u64(&random, 1);
    fill_pool(m, count, &random);
    make_block(&c, m);
    printf("%zu transactions in the pool, %d of them in the block\n", count, BLOCK_TXS);
    measure("one after the other", m, &c, (unsigned)runs, offer_plainly);
    measure("fetched ahead", m, &c, (unsigned)runs, compact_offer_pool);
    for (size_t i = 0; i < count; i++) free(m->entries[i]);
    free(m->entries);
    free(m);
    free(c.short_ids);
    return 0;
}
