/* What an attempt costs: own blocks that are lost, hash power that is rented. */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "lab/theory.h"
#include "lab/theory_internal.h"

/* Solves x(d) = q x(d-1) + p x(d+1) + rhs(d) for d = 0 ... g-1, x(-1) = x(g) = 0. RHS becomes x. */
static void solve_walk(double q, double *rhs, size_t g)
{
    double p = 1 - q, *above = mem_calloc(g + 1, sizeof(*above));
    for (size_t d = 0; d < g; d++) {
        double pivot = d ? 1 - q * above[d - 1] : 1;
        rhs[d] = (rhs[d] + (d ? q * rhs[d - 1] : 0)) / pivot;
        above[d] = p / pivot;
    }
    for (size_t d = g; d-- > 1;) rhs[d - 1] += above[d - 1] * rhs[d];
    free(above);
}

/* Mean of the attacker's blocks, counted as none where it wins; *P: the chance to win. Here G = 0 gives up at the
 * z-th confirmation unless it is ahead. */
static double lost_blocks(double q, unsigned z, unsigned g, double *p)
{
    double *more = mem_calloc(g + 1, sizeof(*more)), sum = 0;
    for (unsigned d = 0; d < g; d++) more[d] = d ? q * (1 - theory_catch_up(q, d - 1, g)) : 0;
    solve_walk(q, more, g);
    *p = g ? theory_race(q, z, 0, g, 0) : theory_early(q, z + 1, z);
    for (unsigned k = 0; k <= z; k++) {
        unsigned d = z - k;
        double lose = d < g ? 1 - theory_catch_up(q, d, g) : 1;
        sum += theory_attacker_blocks(q, z, k) * (k * lose + (d < g ? more[d] : 0));
    }
    free(more);
    return sum;
}

double theory_break_even(double q, unsigned z, unsigned *g)
{
    static const unsigned few[] = {0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20};
    enum { FEW = sizeof(few) / sizeof(*few), BEYOND = 9 };
    double best = INFINITY;
    *g = 0;
    if (q <= 0) return best;
    for (unsigned i = 0; i < FEW + BEYOND; i++) {
        unsigned patience = i < FEW ? few[i] : z + i - FEW;
        double p, lost = lost_blocks(q, z, patience, &p);
        if (p <= 0 || lost / p >= best) continue;
        best = lost / p;
        *g = patience;
    }
    return best;
}

double theory_rent_cost(double attacker_blocks, const struct theory_rent *r)
{
    double hashes = r->network_hash_per_s * 600; /* for one block, by either side */
    return attacker_blocks * hashes * r->price_per_th_day / (1e12 * 86400);
}

/* From level or behind, until ahead or out of patience. */
double theory_attacker_work(double q, unsigned z, unsigned g)
{
    if (q <= 0) return 0;
    if (q >= 1) return z + 1.0;
    double p = 1 - q, sum = z * q / p;
    if (!g && q <= p) return INFINITY;
    unsigned top = g && g <= z ? g : z + 1;
    double *more = mem_calloc((g ? g : z) + 1, sizeof(*more));
    if (g) {
        for (unsigned d = 0; d < g; d++) more[d] = q;
        solve_walk(q, more, g);
    } else {
        for (unsigned d = 0; d <= z; d++) more[d] = (d + 1.0) / (q - p) * q;
    }
    for (unsigned d = 0; d < top; d++) sum += theory_attacker_blocks(q, z, z - d) * more[d];
    free(more);
    return sum;
}
