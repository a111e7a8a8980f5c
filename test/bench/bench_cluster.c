/* What clusters cost: the optimum of 64 transactions in several shapes, blocks out of 100,000 transactions,
 * replacements tried. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "mempool/bits.h"
#include "mempool/tx_graph.h"

enum { CLUSTERS = 2000, POOL = 100000 };

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Dependencies of transaction I in the shape: sparse, dense, every child of all but one, a tree. */
static void join(struct lin_graph *g, struct random *r, unsigned shape, unsigned i)
{
    if (shape == 3) {
        lin_graph_depend(g, (i - 1) / 2, i);
        return;
    }
    if (shape == 2) {
        for (unsigned p = 0; i >= 32 && p < 32; p++) {
            if (p != i - 32) lin_graph_depend(g, p, i);
        }
        return;
    }
    for (unsigned k = 0; k < (shape ? 4 : 1); k++) {
        unsigned p = (unsigned)random_below(r, i);
        if (!(g->anc[i] & bit(p))) lin_graph_depend(g, p, i);
    }
}

static void bench_shape(unsigned shape, const char *name)
{
    static double us[CLUSTERS];
    struct random r;
    random_init_u64(&r, shape);
    uint64_t most = 0;
    for (unsigned run = 0; run < CLUSTERS; run++) {
        struct lin_graph g = {0};
        for (unsigned i = 0; i < LIN_MAX; i++) {
            int64_t size = 400 + (int64_t)random_below(&r, 4000);
            int64_t fee = (int64_t)random_below(&r, 10) * size / (i < 32 && shape == 2 ? 40 : 4);
            lin_graph_add(&g, (struct fee_frac){fee, size}, random_u64(&r));
            if (i) join(&g, &r, shape, i);
        }
        uint8_t order[LIN_MAX];
        for (unsigned i = 0; i < LIN_MAX; i++) order[i] = (uint8_t)i;
        uint64_t budget = UINT64_MAX;
        double start = now_us();
        lin_optimize(&g, order, &budget);
        us[run] = now_us() - start;
        if (UINT64_MAX - budget > most) most = UINT64_MAX - budget;
    }
    qsort(us, CLUSTERS, sizeof us[0], by_value);
    printf("optimum of 64, %-22s median %7.1f us, 99%% %7.1f us, most steps %lu\n", name, us[CLUSTERS / 2],
           us[CLUSTERS * 99 / 100], (unsigned long)most);
}

/* A pool as one sees it: two thirds alone, the others children of up to two earlier ones. */
static struct tx_graph *pool(struct random *r, tx_id *ids)
{
    struct tx_graph_limits limits = {.count = 64, .size = 404000};
    struct tx_graph *g = tx_graph_new(&limits);
    double start = now_us();
    for (size_t i = 0; i < POOL; i++) {
        int64_t size = 400 + (int64_t)random_below(r, 2000);
        ids[i] = tx_graph_add(g, size * (int64_t)(1 + random_below(r, 200)) / 4, size, random_u64(r));
        if (i && random_below(r, 3) == 0) {
            for (uint64_t k = 1 + random_below(r, 2); k; k--) {
                tx_id parent = ids[i - 1 - random_below(r, i < 5000 ? i : 5000)];
                if (parent != ids[i] && tx_graph_fits(g, TX_GRAPH_MAIN, (tx_id[]){parent, ids[i]}, 2, 1)) {
                    tx_graph_depend(g, parent, ids[i]);
                }
            }
        }
        (void)tx_graph_chunk_rate(g, ids[i]);
    }
    printf("%d transactions added one by one: %.2f us each, %.1f MB\n", POOL, (now_us() - start) / POOL,
           (double)tx_graph_memory(g) * 1e-6);
    return g;
}

static void bench_block(struct tx_graph *g, int64_t weight, const char *name)
{
    double us[9];
    size_t taken = 0;
    for (unsigned run = 0; run < 9; run++) {
        tx_id chunk[LIN_MAX];
        struct fee_frac rate;
        int64_t left = weight;
        taken = 0;
        double start = now_us();
        struct tx_graph_builder *b = tx_graph_builder_new(g);
        for (unsigned n; (n = tx_graph_builder_chunk(b, chunk, &rate)) > 0;) {
            if (rate.size > left) {
                if (left < 4000) break;
                tx_graph_builder_skip(b);
                continue;
            }
            left -= rate.size;
            taken += n;
            tx_graph_builder_take(b);
        }
        tx_graph_builder_free(b);
        us[run] = now_us() - start;
    }
    qsort(us, 9, sizeof us[0], by_value);
    printf("%s: %zu transactions, %.0f us\n", name, taken, us[4]);
}

static void bench_staging(struct tx_graph *g, struct random *r, const tx_id *ids)
{
    double start = now_us();
    unsigned better = 0;
    for (unsigned run = 0; run < 20000; run++) {
        tx_id victim = ids[random_below(r, POOL)];
        tx_id down[LIN_MAX];
        unsigned n = tx_graph_descendants(g, TX_GRAPH_MAIN, victim, down);
        tx_graph_stage(g);
        for (unsigned i = 0; i < n; i++) tx_graph_remove(g, down[i]);
        tx_graph_add(g, 20000, 800, random_u64(r));
        better += tx_graph_compare_staging(g) == DIAGRAM_BETTER;
        tx_graph_abort(g);
    }
    printf("replacement tried and aborted: %.2f us (%u of 20000 better)\n", (now_us() - start) / 20000, better);
}

static void bench_evict(struct tx_graph *g)
{
    double start = now_us();
    unsigned removed = 0;
    while (removed < 20000) {
        tx_id chunk[LIN_MAX];
        struct fee_frac rate;
        unsigned n = tx_graph_worst(g, chunk, &rate);
        for (unsigned i = 0; i < n; i++) tx_graph_remove(g, chunk[i]);
        removed += n;
    }
    printf("evicted, worst first: %.2f us each\n", (now_us() - start) / removed);
}

int main(void)
{
    bench_shape(0, "tree-like, one parent:");
    bench_shape(1, "dense, four parents:");
    bench_shape(2, "32 parents, 32 children:");
    bench_shape(3, "two children each:");
    tx_id *ids = calloc(POOL, sizeof *ids);
    if (!ids) return 1;
    struct random r;
    random_init_u64(&r, 7);
    struct tx_graph *g = pool(&r, ids);
    bench_block(g, 3996000, "one block out of 100,000");
    bench_block(g, INT64_MAX, "the whole order of 100,000");
    bench_staging(g, &r, ids);
    bench_evict(g);
    tx_graph_free(g);
    free(ids);
    return 0;
}
