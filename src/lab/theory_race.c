/* The race between one attacker and everybody else: Nakamoto's figure, the paper's, and what nodes do.
 *
 * All comes from one sum of positive terms, so that a chance of one in 10^12 is as exact as one in two: EARLY(q, j, z)
 * is the chance that the attacker finds J blocks before the others find Z. The chance to catch up D + 1 blocks, (q/p)
 * to the power of D + 1, turns the sum over what is left after the z-th confirmation into EARLY of swapped counts. */
#include "lab/theory.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "lab/theory_internal.h"

/* C(h + j - 1, h) q^j p^h: the attacker's j-th block comes when the others have exactly H. */
static double last_at(double q, double j, double h)
{
    return exp(lgamma(h + j) - lgamma(h + 1) - lgamma(j) + j * log(q) + h * log1p(-q));
}

double theory_early(double q, unsigned j, unsigned z)
{
    if (j == 0) return 1;
    if (z == 0 || q <= 0) return 0;
    if (q >= 1) return 1;
    double p = 1 - q;
    double top = floor((j - 1.0) * p / q); /* the greatest term */
    if (top > z - 1.0) top = z - 1.0;
    double first = last_at(q, j, top), sum = first, term = first;
    for (double h = top; h > 0 && term > sum * 1e-18; h--) {
        term *= h / ((h + j - 1) * p);
        sum += term;
    }
    term = first;
    for (double h = top + 1; h < z && term > sum * 1e-18; h++) {
        term *= (h + j - 1) * p / h;
        sum += term;
    }
    return sum > 1 ? 1 : sum;
}

double theory_attacker_blocks(double q, unsigned z, unsigned k)
{
    if (z == 0 || q <= 0) return k == 0;
    if (q >= 1) return 0;
    return last_at(1 - q, z, k);
}

double theory_given_time(double q, unsigned z, double kappa)
{
    if (q <= 0) return z == 0;
    if (q >= 0.5) return 1;
    double r = q / (1 - q), mean = kappa * z * r, sum = 0;
    if (z == 0 || mean <= 0) return pow(r, z);
    /* Poisson: already level with z ... */
    double at_z = exp(-mean + z * log(mean) - lgamma(z + 1.0)), term = at_z;
    for (double k = z + 1.0; term > sum * 1e-18 || k < mean; k++) {
        sum += term;
        term *= mean / k;
    }
    /* ... or fewer, and the rest is caught up */
    term = at_z;
    for (double k = z; k > 0; k--) {
        term *= k * r / mean;
        sum += term;
        if (k * r < mean && term < sum * 1e-18) break;
    }
    return sum > 1 ? 1 : sum;
}

double theory_nakamoto(double q, unsigned z)
{
    return theory_given_time(q, z, 1);
}

double theory_paper(double q, unsigned z)
{
    return theory_race(q, z, 1, 0, 0);
}

double theory_strict(double q, unsigned z)
{
    return theory_race(q, z, 0, 0, 0);
}

double theory_catch_up(double q, unsigned d, unsigned g)
{
    double p = 1 - q;
    if (g && d >= g) return 0;
    if (q <= 0) return 0;
    if (q >= 1) return 1;
    if (!g) return q >= p ? 1 : pow(q / p, d + 1.0);
    if (fabs(p - q) < 1e-13) return (g - d) / (g + 1.0);
    double r = log(q) - log1p(-q); /* of q/p */
    if (r < 0) return exp((d + 1.0) * r) * expm1((g - d) * r) / expm1((g + 1.0) * r);
    return expm1(-(double)(g - d) * r) / expm1(-(g + 1.0) * r);
}

static double with_patience(double q, unsigned z, unsigned premine, unsigned g)
{
    double sum = theory_early(q, z + 1 - premine, z);
    for (unsigned d = 0; d < g && d + premine <= z; d++)
        sum += theory_attacker_blocks(q, z, z - premine - d) * theory_catch_up(q, d, g);
    return sum > 1 ? 1 : sum;
}

static double with_budget(double q, unsigned z, unsigned premine, unsigned g, unsigned budget)
{
    struct theory_wins w = theory_wins_new(q, z, premine, g, budget);
    double sum = 0;
    for (size_t n = 0; n <= w.steps; n++) sum += w.at_z[n] + w.later[n];
    theory_wins_free(&w);
    return sum > 1 ? 1 : sum;
}

double theory_race(double q, unsigned z, unsigned premine, unsigned g, unsigned budget)
{
    if (premine > z || q >= 1) return 1;
    if (q <= 0) return 0;
    if (budget) return with_budget(q, z, premine, g, budget);
    if (g) return with_patience(q, z, premine, g);
    if (q >= 0.5) return 1;
    double behind = theory_early(q, z, z + 1 - premine) * pow(q / (1 - q), 1.0 - premine);
    return theory_early(q, z + 1 - premine, z) + behind;
}

unsigned theory_confirmations(double (*chance)(double q, unsigned z), double q, double limit)
{
    enum { MOST = 100000 };
    unsigned low = 0, high = 1; /* the chance is not below the limit at LOW (0: not asked) */
    while (chance(q, high) >= limit) {
        if (high == MOST) return 0;
        low = high;
        high = high * 2 < MOST ? high * 2 : MOST;
    }
    while (high - low > 1) {
        unsigned middle = low + (high - low) / 2;
        if (chance(q, middle) < limit)
            high = middle;
        else
            low = middle;
    }
    return high;
}
