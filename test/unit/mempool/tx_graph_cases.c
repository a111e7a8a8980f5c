/* The graph of transactions case by case: limits, trimming, staging against changes made at once, work left over. */
#include "base/random.h"
#include "mempool/tx_graph.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define KEYS 600 /* transactions of a script of calls, by number: ids differ between graphs */

struct run {
    struct tx_graph *g;
    tx_id id[KEYS];
    bool has[KEYS];
    unsigned parents[KEYS]; /* one parent is enough to keep out of loops: the smaller number */
};

/* Random changes: the same for the same R. With DELETES only leaves and whole families go, as in a pool. */
static void change(struct run *x, struct random *r, unsigned first, unsigned count)
{
    for (unsigned k = first; k < first + count; k++) {
        int64_t size = 1 + (int64_t)random_below(r, 100);
        int64_t fee = (int64_t)random_below(r, 1000);
        x->id[k] = tx_graph_add(x->g, fee, size, k * 7919);
        x->has[k] = true;
        for (uint64_t n = random_below(r, 3); n && k; n--) {
            unsigned p = k - 1 - (unsigned)random_below(r, k < 40 ? k : 40);
            if (!x->has[p]) continue;
            tx_id both[] = {x->id[p], x->id[k]};
            if (tx_graph_fits(x->g, TX_GRAPH_TOP, both, 2, 1)) tx_graph_depend(x->g, x->id[p], x->id[k]);
        }
        unsigned gone = (unsigned)random_below(r, k + 1);
        if (random_below(r, 4) == 0 && x->has[gone]) {
            x->has[gone] = false;
            tx_graph_remove(x->g, x->id[gone]);
        }
    }
}

/* The whole order, as numbers. */
static size_t whole_order(struct run *x, unsigned out[KEYS])
{
    static unsigned key_of[KEYS * 2];
    for (unsigned k = 0; k < KEYS; k++) {
        if (x->has[k]) key_of[x->id[k]] = k;
    }
    tx_id chunk[LIN_MAX];
    struct fee_frac rate;
    size_t n = 0;
    struct tx_graph_builder *b = tx_graph_builder_new(x->g);
    for (unsigned c; (c = tx_graph_builder_chunk(b, chunk, &rate)) > 0; tx_graph_builder_take(b)) {
        for (unsigned i = 0; i < c; i++) out[n++] = key_of[chunk[i]];
    }
    tx_graph_builder_free(b);
    return n;
}

static const struct tx_graph_limits limits = {.count = LIN_MAX, .size = 404000};

Test(tx_graph_cases, a_commit_gives_what_changes_at_once_give)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        static struct run x[2];
        static unsigned order[2][KEYS];
        size_t n[2];
        for (int k = 0; k < 2; k++) {
            struct random r;
            random_init_u64(&r, seed);
            x[k] = (struct run){.g = tx_graph_new(&limits)};
            change(&x[k], &r, 0, 200);
            if (k) (void)tx_graph_chunk_rate(x[k].g, x[k].id[199]);
            if (k) tx_graph_stage(x[k].g);
            change(&x[k], &r, 200, 200);
            if (k) tx_graph_check(x[k].g);
            if (k) tx_graph_commit(x[k].g);
            tx_graph_check(x[k].g);
            n[k] = whole_order(&x[k], order[k]);
            tx_graph_check(x[k].g);
            tx_graph_free(x[k].g);
        }
        cr_assert_eq(n[0], n[1]);
        for (size_t i = 0; i < n[0]; i++) cr_assert_eq(order[0][i], order[1][i]);
    }
}

Test(tx_graph_cases, an_abort_leaves_no_trace)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        static struct run x, before;
        static unsigned was[KEYS], is[KEYS];
        struct random r;
        random_init_u64(&r, seed);
        x = (struct run){.g = tx_graph_new(&limits)};
        change(&x, &r, 0, 200);
        size_t was_n = whole_order(&x, was);
        before = x;
        tx_graph_stage(x.g);
        change(&x, &r, 200, 200);
        (void)tx_graph_compare_staging(x.g);
        tx_graph_abort(x.g);
        tx_graph_check(x.g);
        x = before;
        cr_assert_eq(whole_order(&x, is), was_n);
        for (size_t i = 0; i < was_n; i++) cr_assert_eq(was[i], is[i]);
        cr_assert_eq(tx_graph_count(x.g, TX_GRAPH_TOP), was_n);
        tx_graph_free(x.g);
    }
}

/* With a budget of one step clusters are left unfinished; work finishes them, and then it is as if there had been no
 * limit. */
Test(tx_graph_cases, work_finishes_what_a_small_budget_left)
{
    static struct run x[2];
    static unsigned order[2][KEYS];
    size_t n[2];
    unsigned rounds = 0;
    for (int k = 0; k < 2; k++) {
        struct random r;
        random_init_u64(&r, 99);
        struct tx_graph_limits small = limits;
        if (k) small.budget = 1;
        x[k] = (struct run){.g = tx_graph_new(&small)};
        change(&x[k], &r, 0, 500);
        cr_assert_eq(tx_graph_work(x[k].g, 0), k == 0);
        while (!tx_graph_work(x[k].g, 1)) {
            tx_graph_check(x[k].g);
            rounds++;
        }
        n[k] = whole_order(&x[k], order[k]);
        tx_graph_free(x[k].g);
    }
    cr_assert_gt(rounds, 3);
    cr_assert_eq(n[0], n[1]);
    for (size_t i = 0; i < n[0]; i++) cr_assert_eq(order[0][i], order[1][i]);
}

/* After a reorganisation a parent comes back under 200 children: the best 63 stay. */
Test(tx_graph_cases, trim_keeps_the_best_children)
{
    struct tx_graph *g = tx_graph_new(&limits);
    tx_id child[200];
    for (unsigned i = 0; i < 200; i++) child[i] = tx_graph_add(g, 1000 + (i * 37) % 200, 400, i);
    tx_id parent = tx_graph_add(g, 500, 400, 1000);
    for (unsigned i = 0; i < 200; i++) tx_graph_depend(g, parent, child[i]);
    cr_assert(tx_graph_is_oversized(g, TX_GRAPH_MAIN));
    tx_graph_check(g);
    struct tx_ids removed = {0};
    tx_graph_trim(g, &removed);
    tx_graph_check(g);
    cr_assert_eq(removed.count, 200 - 63);
    for (unsigned i = 0; i < 200; i++)
        cr_assert_eq(tx_graph_has(g, TX_GRAPH_MAIN, child[i]), (i * 37) % 200 >= 200 - 63);
    int64_t size;
    cr_assert_eq(tx_graph_cluster_size(g, TX_GRAPH_MAIN, parent, &size), 64);
    cr_assert_eq(size, 64 * 400);
    tx_ids_clear(&removed);
    tx_graph_free(g);
}

/* A chain of 1000 that comes back link by link, in the worst order. */
Test(tx_graph_cases, trim_cuts_a_long_chain)
{
    struct tx_graph *g = tx_graph_new(&limits);
    static tx_id tx[1000];
    for (unsigned i = 0; i < 1000; i++) tx[i] = tx_graph_add(g, 1000, 400, i);
    for (unsigned i = 999; i > 0; i--) tx_graph_depend(g, tx[i - 1], tx[i]);
    struct tx_ids removed = {0};
    tx_graph_trim(g, &removed);
    tx_graph_check(g);
    cr_assert_eq(removed.count, 1000 - LIN_MAX);
    for (unsigned i = 0; i < 1000; i++) cr_assert_eq(tx_graph_has(g, TX_GRAPH_MAIN, tx[i]), i < LIN_MAX);
    tx_ids_clear(&removed);
    tx_graph_free(g);
}

Test(tx_graph_cases, limits_are_exact)
{
    struct tx_graph_limits few = {.count = 3, .size = 100};
    struct tx_graph *g = tx_graph_new(&few);
    tx_id a = tx_graph_add(g, 1, 40, 1);
    tx_id b = tx_graph_add(g, 1, 40, 2);
    tx_graph_depend(g, a, b);
    cr_assert(tx_graph_fits(g, TX_GRAPH_MAIN, (tx_id[]){a, b}, 2, 20));
    cr_assert(!tx_graph_fits(g, TX_GRAPH_MAIN, (tx_id[]){a, b}, 2, 21));
    tx_id c = tx_graph_add(g, 1, 10, 3);
    tx_graph_depend(g, b, c);
    cr_assert(!tx_graph_is_oversized(g, TX_GRAPH_MAIN));
    cr_assert(!tx_graph_fits(g, TX_GRAPH_MAIN, &a, 1, 1));
    tx_id d = tx_graph_add(g, 1, 1, 4);
    tx_graph_depend(g, c, d);
    cr_assert(tx_graph_is_oversized(g, TX_GRAPH_MAIN));
    tx_graph_remove(g, d);
    cr_assert(!tx_graph_is_oversized(g, TX_GRAPH_MAIN));
    tx_id large = tx_graph_add(g, 1, 101, 5);
    cr_assert(tx_graph_is_oversized(g, TX_GRAPH_MAIN));
    struct tx_ids removed = {0};
    tx_graph_trim(g, &removed);
    cr_assert(removed.count == 1 && removed.id[0] == large);
    tx_ids_clear(&removed);
    tx_graph_check(g);
    tx_graph_free(g);
}

/* What a user adds to a fee moves the whole chunk; what exceeds all coins is cut. */
Test(tx_graph_cases, a_fee_changed_moves_its_chunk)
{
    struct tx_graph *g = tx_graph_new(&limits);
    tx_id parent = tx_graph_add(g, 100, 100, 1);
    tx_id child = tx_graph_add(g, 100, 100, 2);
    tx_id other = tx_graph_add(g, 300, 100, 3);
    tx_graph_depend(g, parent, child);
    cr_assert_eq(tx_graph_cmp(g, other, parent), 1);
    tx_graph_stage(g);
    tx_graph_set_fee(g, child, 900);
    cr_assert_eq(tx_graph_cmp(g, other, parent), -1);
    cr_assert(fee_frac_equal(tx_graph_chunk_rate(g, parent), (struct fee_frac){1000, 200}));
    cr_assert_eq(tx_graph_compare_staging(g), DIAGRAM_EQUAL);
    tx_graph_abort(g);
    cr_assert(fee_frac_equal(tx_graph_chunk_rate(g, parent), (struct fee_frac){1000, 200}));
    tx_graph_set_fee(g, other, INT64_MAX);
    tx_graph_set_fee(g, child, INT64_MIN);
    cr_assert_eq(tx_graph_tx(g, other).fee, FEE_FRAC_MAX_FEE);
    tx_id worst[LIN_MAX];
    struct fee_frac rate;
    cr_assert_eq(tx_graph_worst(g, worst, &rate), 1);
    cr_assert_eq(worst[0], child);
    tx_graph_check(g);
    tx_graph_free(g);
}

/* A replacement that pays more in all, but less for the first bytes of a block, is none. */
Test(tx_graph_cases, a_replacement_must_be_better_everywhere)
{
    struct tx_graph *g = tx_graph_new(&limits);
    tx_id old = tx_graph_add(g, 1000, 100, 1);
    static const struct {
        int64_t fee, size;
        enum diagram_relation expected;
    } rows[] = {
        {1001, 100, DIAGRAM_BETTER}, {1000, 99, DIAGRAM_BETTER},         {1000, 100, DIAGRAM_EQUAL},
        {999, 100, DIAGRAM_WORSE},   {2000, 1000, DIAGRAM_INCOMPARABLE}, {1000, 101, DIAGRAM_WORSE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tx_graph_stage(g);
        tx_graph_remove(g, old);
        tx_graph_add(g, rows[i].fee, rows[i].size, 2);
        cr_assert_eq(tx_graph_compare_staging(g), rows[i].expected);
        tx_graph_abort(g);
        tx_graph_check(g);
    }
    tx_graph_free(g);
}
