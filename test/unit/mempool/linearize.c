/* Linearisations of clusters: the best there is, proved against every possible one where the cluster is small. */
#include "mempool/linearize.h"

#include "base/random.h"
#include "mempool/bits.h"

#include <criterion/criterion.h>
#include <string.h>

#define ENOUGH UINT64_MAX

/* A random cluster: COUNT transactions, a dependency between two with the chance 1 in ONE_IN. Small numbers make many
 * equal rates. */
static struct lin_graph random_graph(struct random *r, unsigned count, uint64_t one_in, uint64_t fees)
{
    struct lin_graph g = {0};
    for (unsigned i = 0; i < count; i++) {
        struct fee_frac tx = {(int64_t)random_below(r, fees) - (int64_t)(fees / 8), 1 + (int64_t)random_below(r, 12)};
        lin_graph_add(&g, tx, random_u64(r));
    }
    for (unsigned child = 1; child < count; child++) {
        for (unsigned parent = 0; parent < child; parent++) {
            if (random_below(r, one_in) == 0 && !(g.anc[child] & bit(parent))) lin_graph_depend(&g, parent, child);
        }
    }
    return g;
}

/* Any linearisation: what is ready, at random. */
static void random_order(struct random *r, const struct lin_graph *g, uint8_t order[LIN_MAX])
{
    uint64_t done = 0;
    for (unsigned at = 0; at < g->count;) {
        unsigned i = (unsigned)random_below(r, g->count);
        if (done & bit(i) || g->anc[i] & ~done & ~bit(i)) continue;
        order[at++] = (uint8_t)i;
        done |= bit(i);
    }
}

static void cr_check_chunks(const struct lin_graph *g, const uint8_t order[LIN_MAX])
{
    struct lin_chunk chunks[LIN_MAX];
    unsigned n = lin_chunks(g, order, chunks);
    uint64_t all = 0;
    for (unsigned i = 0; i < n; i++) {
        cr_assert_eq(lin_piece(g, chunks[i].set), chunks[i].set, "a chunk in two pieces");
        cr_assert(!(all & chunks[i].set));
        if (i) cr_assert(fee_frac_cmp(chunks[i].rate, chunks[i - 1].rate) <= 0);
        all |= chunks[i].set;
        for (uint64_t rest = chunks[i].set; rest; rest &= rest - 1) cr_assert(!(g->anc[bits_first(rest)] & ~all));
    }
    cr_assert_eq(all, bits_below(g->count));
}

struct brute {
    const struct lin_graph *g;
    const uint8_t *best;
    uint8_t order[LIN_MAX];
    unsigned long tried;
};

/* Every linearisation there is: none may be above BEST anywhere. */
static void try_all(struct brute *b, unsigned at, uint64_t done)
{
    if (at == b->g->count) {
        enum diagram_relation relation = lin_compare(b->g, b->best, b->order);
        cr_assert(relation == DIAGRAM_EQUAL || relation == DIAGRAM_BETTER);
        b->tried++;
        return;
    }
    for (unsigned i = 0; i < b->g->count; i++) {
        if (done & bit(i) || b->g->anc[i] & ~done & ~bit(i)) continue;
        b->order[at] = (uint8_t)i;
        try_all(b, at + 1, done | bit(i));
    }
}

Test(linearize, none_is_better_up_to_eight)
{
    struct random r;
    random_init_u64(&r, 1);
    unsigned long tried = 0;
    for (unsigned run = 0; run < 3000; run++) {
        unsigned count = run < 2800 ? 1 + run % 7 : 8;
        struct lin_graph g = random_graph(&r, count, 1 + random_below(&r, 5), run % 3 ? 6 : 1000);
        uint8_t order[LIN_MAX];
        random_order(&r, &g, order);
        uint64_t budget = ENOUGH;
        cr_assert(lin_optimize(&g, order, &budget));
        cr_assert(lin_is_valid(&g, order));
        cr_check_chunks(&g, order);
        struct brute b = {.g = &g, .best = order};
        try_all(&b, 0, 0);
        tried += b.tried;
    }
    cr_assert_gt(tried, 100000);
}

/* Every closed subset of SET, by its bits: its rate and what it pays above the rate of SET. */
Test(linearize, best_subset_is_the_best_closed_one)
{
    struct random r;
    random_init_u64(&r, 2);
    for (unsigned run = 0; run < 2000; run++) {
        struct lin_graph g = random_graph(&r, 2 + run % 9, 1 + random_below(&r, 5), run % 2 ? 5 : 100);
        uint64_t all = bits_below(g.count);
        struct fee_frac sum = lin_sum(&g, all);
        uint64_t best = 0;
        int64_t most = 0;
        for (uint64_t set = 1; set <= all; set++) {
            uint64_t closed = 0;
            for (uint64_t rest = set; rest; rest &= rest - 1) closed |= g.anc[bits_first(rest)];
            if (closed != set) continue;
            struct fee_frac part = lin_sum(&g, set);
            int64_t above = part.fee * sum.size - sum.fee * part.size;
            if (above > most || (above == most && above && bits_count(set) < bits_count(best)))
                best = set, most = above;
        }
        uint64_t parts[LIN_MAX];
        unsigned n = 0;
        uint64_t budget = ENOUGH;
        cr_assert_eq(lin_best_subset(&g, all, parts, &n, &budget), best);
        uint64_t seen = 0;
        for (unsigned i = 0; i < n; i++) {
            struct fee_frac part = lin_sum(&g, parts[i]);
            cr_assert_eq(fee_frac_cmp(part, sum), 0);
            seen |= parts[i];
            /* No smaller closed part has the same rate. */
            for (uint64_t sub = (parts[i] - 1) & parts[i]; sub; sub = (sub - 1) & parts[i]) {
                uint64_t closed = 0;
                for (uint64_t rest = sub; rest; rest &= rest - 1) closed |= g.anc[bits_first(rest)] & parts[i];
                if (closed == sub) cr_assert_neq(fee_frac_cmp(lin_sum(&g, sub), sum), 0);
            }
        }
        cr_assert_eq(seen, best ? 0 : all);
    }
}

Test(linearize, never_worse_whatever_the_budget)
{
    struct random r;
    random_init_u64(&r, 3);
    unsigned unfinished = 0;
    for (unsigned run = 0; run < 2000; run++) {
        struct lin_graph g = random_graph(&r, 2 + run % 63, 1 + random_below(&r, 30), run % 2 ? 20 : 100000);
        uint8_t given[LIN_MAX];
        uint8_t post[LIN_MAX];
        uint8_t some[LIN_MAX];
        uint8_t full[LIN_MAX];
        random_order(&r, &g, given);
        memcpy(post, given, sizeof given);
        lin_post(&g, post);
        cr_assert(lin_is_valid(&g, post));
        cr_check_chunks(&g, post);
        cr_assert(lin_compare(&g, post, given) <= DIAGRAM_BETTER);
        memcpy(some, given, sizeof given);
        uint64_t budget = random_below(&r, 2000);
        bool done = lin_optimize(&g, some, &budget);
        cr_assert(lin_is_valid(&g, some));
        cr_check_chunks(&g, some);
        cr_assert(lin_compare(&g, some, given) <= DIAGRAM_BETTER);
        unfinished += !done;
        memcpy(full, some, sizeof some);
        budget = ENOUGH;
        cr_assert(lin_optimize(&g, full, &budget));
        cr_check_chunks(&g, full);
        cr_assert(lin_compare(&g, full, some) <= DIAGRAM_BETTER);
        if (done) cr_assert_eq(memcmp(full, some, g.count), 0, "an optimum does not depend on where it began");
    }
    cr_assert_gt(unfinished, 300);
}

/* The optimum is one order, whichever it was given: the order of equals is told by their ties alone. */
Test(linearize, the_result_does_not_depend_on_the_order_given)
{
    struct random r;
    random_init_u64(&r, 4);
    for (unsigned run = 0; run < 300; run++) {
        struct lin_graph g = random_graph(&r, 2 + run % 63, 1 + random_below(&r, 30), 10);
        uint8_t a[LIN_MAX];
        uint8_t b[LIN_MAX];
        random_order(&r, &g, a);
        random_order(&r, &g, b);
        uint64_t budget = ENOUGH;
        cr_assert(lin_optimize(&g, a, &budget) && lin_optimize(&g, b, &budget));
        cr_assert_eq(memcmp(a, b, g.count), 0);
    }
}

/* Shapes that are hard for searches: all take few steps here. */
static uint64_t steps_of(const struct lin_graph *g)
{
    uint8_t order[LIN_MAX];
    unsigned at = lin_append(g, bits_below(g->count), order, 0);
    cr_assert_eq(at, g->count);
    uint64_t budget = ENOUGH;
    cr_assert(lin_optimize(g, order, &budget));
    cr_assert(lin_is_valid(g, order));
    cr_check_chunks(g, order);
    return ENOUGH - budget;
}

#define WORST_STEPS 200000

Test(linearize, hard_shapes_stay_cheap)
{
    struct random r;
    random_init_u64(&r, 5);
    uint64_t worst = 0;
    for (unsigned shape = 0; shape < 400; shape++) {
        struct lin_graph g = {0};
        for (unsigned i = 0; i < LIN_MAX; i++) {
            bool low = shape % 4 == 3 ? i % 2 == 0 : i < 32;
            int64_t fee = low ? (int64_t)random_below(&r, 100) : 1000 + (int64_t)random_below(&r, 30000);
            lin_graph_add(&g, (struct fee_frac){fee, 100 + (int64_t)random_below(&r, 900)}, i);
        }
        for (unsigned i = 0; i < LIN_MAX; i++) {
            if (shape % 4 == 0) { /* every child of all parents but one */
                for (unsigned p = 0; i >= 32 && p < 32; p++) {
                    if (p != i - 32) lin_graph_depend(&g, p, i);
                }
            } else if (shape % 4 == 1) { /* children of some parents each */
                for (unsigned k = 0; i >= 32 && k < 1 + shape / 50; k++) {
                    unsigned p = (unsigned)random_below(&r, 32);
                    if (!(g.anc[i] & bit(p))) lin_graph_depend(&g, p, i);
                }
            } else if (shape % 4 == 2) { /* a tree of two branches each */
                if (i) lin_graph_depend(&g, (i - 1) / 2, i);
            } else { /* a long ladder with rungs: pays only at every other step */
                if (i >= 2) lin_graph_depend(&g, i - 2, i);
                if (i && random_below(&r, 3) == 0 && !(g.anc[i] & bit(i - 1))) lin_graph_depend(&g, i - 1, i);
            }
        }
        uint64_t steps = steps_of(&g);
        if (steps > worst) worst = steps;
    }
    cr_assert_lt(worst, WORST_STEPS, "%lu steps", (unsigned long)worst);
    cr_log_info("worst of the hard shapes: %lu steps\n", (unsigned long)worst);
}

/* A child pays for its parent: one chunk, the parent first. */
Test(linearize, child_pays_for_parent)
{
    struct lin_graph g = {0};
    unsigned parent = lin_graph_add(&g, (struct fee_frac){0, 1000}, 1);
    unsigned other = lin_graph_add(&g, (struct fee_frac){3000, 1000}, 2);
    unsigned child = lin_graph_add(&g, (struct fee_frac){8000, 1000}, 3);
    lin_graph_depend(&g, parent, child);
    uint8_t order[LIN_MAX] = {0, 1, 2};
    uint64_t budget = ENOUGH;
    cr_assert(lin_optimize(&g, order, &budget));
    struct lin_chunk chunks[LIN_MAX];
    cr_assert_eq(lin_chunks(&g, order, chunks), 2);
    cr_assert_eq(chunks[0].set, bit(parent) | bit(child));
    cr_assert(fee_frac_equal(chunks[0].rate, (struct fee_frac){8000, 2000}));
    cr_assert_eq(order[0], parent);
    cr_assert_eq(order[1], child);
    cr_assert_eq(order[2], other);
}

/* The largest fees and sizes allowed do not overflow. */
Test(linearize, largest_numbers)
{
    struct lin_graph g = {0};
    for (unsigned i = 0; i < LIN_MAX; i++) {
        int64_t fee = i % 3 == 0 ? FEE_FRAC_MAX_FEE : i % 3 == 1 ? -FEE_FRAC_MAX_FEE : 0;
        lin_graph_add(&g, (struct fee_frac){fee, i % 2 ? FEE_FRAC_MAX_SIZE : 1}, i);
        if (i) lin_graph_depend(&g, i - 1, i);
    }
    steps_of(&g);
}
