/* What the laboratory holds its measurements against: every figure that is printed somewhere, to the digit. */
#include "lab/theory.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "tables.h"

/* Half a unit of the last digit printed. */
static bool near(double value, double printed, double unit)
{
    return fabs(value - printed) <= unit * 0.50001;
}

/* The same where the text tells how many digits there are, MOST at most. */
static bool as_printed(double value, const char *text, int most)
{
    double printed = strtod(text, NULL);
    int digits = 0;
    for (const char *p = text; *p && *p != 'e'; p++)
        if (*p >= '0' && *p <= '9' && (digits || *p != '0') && digits < most) digits++;
    return near(value, printed, pow(10, floor(log10(printed)) - digits + 1));
}

static void expect_curve(const struct curve_row *rows, size_t count, double (*chance)(double, unsigned))
{
    for (size_t i = 0; i < count; i++)
        for (unsigned z = 1; z <= 10; z++)
            cr_expect(near(100 * chance(rows[i].q, z), rows[i].percent[z - 1], 1e-4), "q %g z %u: %.6f", rows[i].q, z,
                      100 * chance(rows[i].q, z));
}

Test(theory, three_curves)
{
    expect_curve(paper_table, ARRAY_LEN(paper_table), theory_paper);
    expect_curve(nakamoto_table, ARRAY_LEN(nakamoto_table), theory_nakamoto);
    expect_curve(strict_table, ARRAY_LEN(strict_table), theory_strict);
}

/* All that section 11 prints. */
Test(theory, nakamoto_to_seven_digits)
{
    static const double tenth[] = {1,        .2045873, .0509779, .0131722, .0034552, .0009137,
                                   .0002428, .0000647, .0000173, .0000046, .0000012};
    static const double three[] = {1,        .1773523, .0416605, .0101008, .0024804, .0006132,
                                   .0001522, .0000379, .0000095, .0000024, .0000006};
    for (unsigned z = 0; z <= 10; z++) cr_expect(near(theory_nakamoto(.1, z), tenth[z], 1e-7), "z %u", z);
    for (unsigned z = 0; z <= 50; z += 5) cr_expect(near(theory_nakamoto(.3, z), three[z / 5], 1e-7), "z %u", z);
}

Test(theory, fewest_confirmations)
{
    for (size_t i = 0; i < ARRAY_LEN(fewest_table); i++) {
        double q = fewest_table[i].q;
        const unsigned *z = fewest_table[i].z;
        cr_expect_eq(theory_confirmations(theory_nakamoto, q, 1e-3), z[0], "q %g", q);
        cr_expect_eq(theory_confirmations(theory_paper, q, 1e-3), z[1], "q %g", q);
        cr_expect_eq(theory_confirmations(theory_strict, q, 1e-3), z[2], "q %g", q);
        cr_expect_eq(theory_confirmations(theory_paper, q, 1e-2), z[3], "q %g", q);
        cr_expect_eq(theory_confirmations(theory_paper, q, 1e-4), z[4], "q %g", q);
    }
    cr_expect_eq(theory_confirmations(theory_strict, .5, 1e-3), 0);
}

Test(theory, given_the_time)
{
    static const double kappa[] = {0.25, 0.5, 1, 2, 4};
    for (size_t i = 0; i < ARRAY_LEN(given_time_table); i++) {
        double q = given_time_table[i].q;
        unsigned z = given_time_table[i].z;
        for (size_t k = 0; k < ARRAY_LEN(kappa); k++)
            cr_expect(near(100 * theory_given_time(q, z, kappa[k]), given_time_table[i].percent[k], 1e-4),
                      "q %g z %u kappa %g: %.6f", q, z, kappa[k], 100 * theory_given_time(q, z, kappa[k]));
    }
}

/* The sums as they stand in the papers. */
static double rosenfeld(double q, unsigned z, bool strict)
{
    double p = 1 - q, c = 1, sum = 0;
    for (unsigned k = 0; k < z + strict; k++) {
        if (k) c *= (k + z - 1.0) / k;
        sum += c * (pow(p, z) * pow(q, k) - pow(p, strict ? k - 1.0 : k) * pow(q, z + strict));
    }
    return 1 - sum;
}

/* Regularised incomplete beta function I_x(a, b), by quadrature: t = x u^2 takes no harm at either end. */
static double beta(double x, double a, double b)
{
    enum { PARTS = 20000 };
    double sum = 0;
    for (int i = 0; i <= PARTS; i++) {
        double angle = asin(sqrt(x)) * i / PARTS; /* t = sin^2: dt / sqrt(t (1 - t)) = 2 d(angle) */
        double f = pow(sin(angle), 2 * a - 1) * pow(cos(angle), 2 * b - 1);
        sum += f * (i == 0 || i == PARTS ? 1 : i % 2 ? 4 : 2);
    }
    return 2 * sum * asin(sqrt(x)) / PARTS / 3 * exp(lgamma(a + b) - lgamma(a) - lgamma(b));
}

Test(theory, the_same_by_other_ways)
{
    for (int percent = 5; percent < 50; percent += 5) {
        double q = percent / 100.0;
        for (unsigned z = 1; z <= 12; z++) {
            double paper = theory_paper(q, z);
            cr_expect_float_eq(paper, rosenfeld(q, z, false), 1e-12);
            cr_expect_float_eq(paper, beta(4 * q * (1 - q), z, 0.5), 1e-9);
            cr_expect_float_eq(theory_strict(q, z), rosenfeld(q, z, true), 1e-12);
            cr_expect_float_eq(theory_race(q, z, 1, 0, 0), paper, 1e-15);
            cr_expect_float_eq(theory_race(q, z, 0, 0, 0), theory_strict(q, z), 1e-15);
            cr_expect_float_eq(theory_race(q, z, 1, 400, 0), paper, 1e-9);
            cr_expect_float_eq(theory_race(q, z, 1, 0, 5000), paper, 1e-6);
            cr_expect_float_eq(theory_given_time(q, z, 1), theory_nakamoto(q, z), 1e-15);
        }
    }
}

Test(theory, edges)
{
    cr_expect_float_eq(theory_strict(0.3, 0), 0.3 / 0.7, 1e-15);
    cr_expect_eq(theory_paper(0.3, 0), 1); /* one block in hand is longer than none */
    cr_expect_eq(theory_nakamoto(0.3, 0), 1);
    cr_expect_eq(theory_race(0.3, 2, 3, 10, 0), 1);
    for (unsigned z = 0; z < 8; z++) {
        cr_expect_eq(theory_strict(0.5, z), 1);
        cr_expect_eq(theory_paper(0.51, z), 1);
        cr_expect_eq(theory_strict(1, z), 1);
        cr_expect_eq(theory_nakamoto(0.6, z), 1);
        cr_expect_eq(theory_strict(0, z), 0);
        cr_expect_eq(theory_paper(0, z), z == 0);
    }
    cr_expect_eq(theory_race(0.51, 6, 0, 0, 6), 0); /* thirteen blocks are the least */
    cr_expect_float_eq(theory_race(0.3, 0, 0, 0, 1), 0.3, 1e-15);
    cr_expect_float_eq(theory_race(0.3, 0, 0, 1, 0), 0.3, 1e-15);
    cr_expect(theory_strict(0.1, 60) > 0 && theory_strict(0.1, 60) < 1e-20);
}

Test(theory, attacker_blocks_add_up)
{
    double sum = 0, mean = 0;
    for (unsigned k = 0; k < 400; k++) {
        sum += theory_attacker_blocks(0.3, 6, k);
        mean += k * theory_attacker_blocks(0.3, 6, k);
    }
    cr_expect_float_eq(sum, 1, 1e-12);
    cr_expect_float_eq(mean, 6 * 0.3 / 0.7, 1e-12);
    cr_expect_float_eq(theory_attacker_blocks(0.3, 6, 2), 21 * pow(0.7, 6) * 0.09, 1e-14);
}

Test(theory, patience)
{
    static const struct {
        double q;
        unsigned g;
        double percent, unit;
    } rows[] = {{.3, 10, 8.903, .001}, {.3, 20, 8.911, .001}, {.45, 10, 60.42, .01}, {.45, 20, 64.25, .01},
                {.49, 10, 78.35, .01}, {.49, 20, 86.44, .01}, {.51, 10, 85.49, .01}, {.51, 20, 93.91, .01},
                {.51, 50, 98.80, .01}, {.3, 4, 7.89, .01}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        double p = 100 * theory_race(rows[i].q, 6, 0, rows[i].g, 0);
        cr_expect(near(p, rows[i].percent, rows[i].unit), "q %g g %u: %.5f", rows[i].q, rows[i].g, p);
    }
    cr_expect_float_eq(theory_race(.45, 10, 0, 60, 0), theory_strict(.45, 10), 4e-6);
    cr_expect_float_eq(theory_race(.5, 6, 0, 20, 0), theory_race(.5 + 1e-10, 6, 0, 20, 0), 1e-7);
}

Test(theory, budget)
{
    static const unsigned budget[] = {20, 50, 100, 200, 500, 1000, 2016, 4032};
    for (size_t i = 0; i < ARRAY_LEN(budget_table); i++)
        for (size_t b = 0; b < ARRAY_LEN(budget); b++) {
            double p = 100 * theory_race(budget_table[i].q, budget_table[i].z, 0, 0, budget[b]);
            cr_expect(near(p, budget_table[i].percent[b], .01), "q %g budget %u: %.5f", budget_table[i].q, budget[b],
                      p);
        }
}

/* Every order of blocks, one after the other. */
static double enumerated(double q, unsigned z, unsigned premine, unsigned g, unsigned budget, unsigned h, unsigned a)
{
    if (h >= z) {
        if (a + premine > h) return 1;
        if (g && h - a - premine >= g) return 0;
    }
    if (h + a >= budget) return 0;
    return q * enumerated(q, z, premine, g, budget, h, a + 1) +
           (1 - q) * enumerated(q, z, premine, g, budget, h + 1, a);
}

Test(theory, race_is_what_the_rules_say)
{
    for (unsigned z = 0; z <= 4; z++)
        for (unsigned premine = 0; premine <= 1; premine++)
            for (unsigned g = 0; g <= 5; g++)
                for (unsigned budget = 1; budget <= 15; budget += 2)
                    cr_expect_float_eq(theory_race(.4, z, premine, g, budget),
                                       enumerated(.4, z, premine, g, budget, 0, 0), 1e-12, "z %u %u g %u budget %u", z,
                                       premine, g, budget);
}

static void expect_depths(size_t row, double *depth, double *blocks, size_t count)
{
    double q = depth_table[row].q, p = 100 * theory_strict(q, depth_table[row].z);
    theory_depths(q, depth_table[row].z, 0, 0, depth, blocks, count);
    struct theory_summary n = theory_summarise(blocks, count), d = theory_summarise(depth, count);
    cr_expect(as_printed(p, depth_table[row].percent, 9), "row %zu: %g", row, p);
    cr_expect(as_printed(n.mean, depth_table[row].blocks_mean, 9), "row %zu: %g", row, n.mean);
    cr_expect(as_printed(d.mean, depth_table[row].depth_mean, 9), "row %zu: %g", row, d.mean);
    cr_expect_eq(n.median, depth_table[row].blocks_median, "row %zu: %g", row, n.median);
    cr_expect_eq(n.p95, depth_table[row].blocks_p95, "row %zu: %g", row, n.p95);
    cr_expect_eq(d.median, depth_table[row].depth_median, "row %zu: %g", row, d.median);
    cr_expect_eq(d.p95, depth_table[row].depth_p95, "row %zu: %g", row, d.p95);
}

Test(theory, depths)
{
    enum { COUNT = 60000 };
    double *depth = mem_calloc(COUNT, sizeof(*depth)), *blocks = mem_calloc(COUNT, sizeof(*blocks));
    for (size_t i = 0; i < ARRAY_LEN(depth_table); i++) expect_depths(i, depth, blocks, COUNT);
    theory_depths(.51, 6, 0, 2016, depth, blocks, COUNT);
    cr_expect(near(theory_summarise(depth, COUNT).mean, 33.0, .1));
    cr_expect_eq(theory_summarise(depth, COUNT).median, 6);
    /* with patience: what is found by recurrence has all the weight and, without end, the same shape */
    double sum = 0, *other = mem_calloc(COUNT, sizeof(*other));
    theory_depths(.45, 6, 5, 0, depth, blocks, 4000);
    for (size_t i = 0; i < 4000; i++) sum += depth[i];
    cr_expect_float_eq(sum, 1, 1e-9);
    theory_depths(.3, 3, 70, 0, depth, blocks, 300);
    theory_depths(.3, 3, 0, 0, depth, other, 300);
    for (size_t i = 0; i < 300; i++) cr_expect_float_eq(blocks[i], other[i], 1e-12);
    free(depth);
    free(blocks);
    free(other);
}

Test(theory, summary_of_nothing)
{
    double none[3] = {0}, one[3] = {0, 0, 0.25};
    cr_expect_eq(theory_summarise(none, 3).mean, 0);
    cr_expect_eq(theory_summarise(one, 3).mean, 2);
    cr_expect_eq(theory_summarise(one, 3).p95, 2);
}

Test(theory, break_even)
{
    static const unsigned z[] = {1, 2, 3, 6, 10, 20};
    for (size_t i = 0; i < ARRAY_LEN(break_even_table); i++)
        for (size_t k = 0; k < ARRAY_LEN(z); k++) {
            unsigned g;
            double v = theory_break_even(break_even_table[i].q, z[k], &g);
            cr_expect(as_printed(v, break_even_table[i].rewards[k], 3), "q %g z %u: %g, g %u", break_even_table[i].q,
                      z[k], v, g);
        }
    unsigned g;
    theory_break_even(.3, 1, &g);
    cr_expect_eq(g, 1);
    theory_break_even(.3, 6, &g);
    cr_expect_eq(g, 4);
    cr_expect_eq(theory_break_even(0, 6, &g), INFINITY);
}

/* Mean blocks of the attacker, by brute force. */
static double work(double q, unsigned z, unsigned g, unsigned left, unsigned h, unsigned a)
{
    if (!left || (h >= z && (a > h || h - a >= g))) return a;
    return q * work(q, z, g, left - 1, h, a + 1) + (1 - q) * work(q, z, g, left - 1, h + 1, a);
}

Test(theory, what_rented_power_costs)
{
    cr_expect_float_eq(theory_attacker_work(.2, 2, 2), work(.2, 2, 2, 22, 0, 0), 1e-5);
    cr_expect_float_eq(theory_attacker_work(.1, 1, 3), work(.1, 1, 3, 22, 0, 0), 1e-5);
    cr_expect_float_eq(theory_attacker_work(.6, 6, 0), theory_attacker_work(.6, 6, 200), 1e-6);
    cr_expect_eq(theory_attacker_work(.4, 6, 0), INFINITY);
    struct theory_rent r = {.network_hash_per_s = 1e21, .price_per_th_day = 0.05};
    /* 10^9 TH/s for ten minutes: a 144th of a day */
    cr_expect_float_eq(theory_rent_cost(2, &r), 2 * 1e9 * 0.05 / 144, 1e-3);
}

Test(theory, selfish_mining)
{
    for (size_t i = 0; i < ARRAY_LEN(selfish_table); i++) {
        double a = selfish_table[i].alpha;
        for (int k = 0; k < 3; k++) {
            cr_expect(near(theory_selfish_share(a, k * .5), selfish_table[i].share[k], 1e-5), "alpha %g", a);
            cr_expect(near(theory_selfish_rate(a, k * .5), selfish_table[i].rate[k], 1e-4), "alpha %g", a);
            cr_expect(theory_selfish_rate(a, k * .5) <= a + 1e-12, "it pays at once at alpha %g", a);
        }
        cr_expect(near(theory_selfish_growth(a), selfish_table[i].growth, 1e-4), "alpha %g", a);
    }
    cr_expect_float_eq(theory_selfish_threshold(0), 1.0 / 3, 1e-15);
    cr_expect_float_eq(theory_selfish_threshold(.5), .25, 1e-15);
    cr_expect_eq(theory_selfish_threshold(1), 0);
    for (int k = 0; k < 3; k++) {
        double t = theory_selfish_threshold(k * .5);
        if (t > 0) cr_expect_float_eq(theory_selfish_share(t, k * .5), t, 1e-12);
    }
}

Test(theory, the_best_strategy)
{
    for (size_t i = 0; i < ARRAY_LEN(optimal_table); i++) {
        double a = optimal_table[i].alpha;
        if (a > 0.351) continue;
        for (int k = 0; k < 3; k++) {
            double share = theory_optimal_share(a, k * .5, 20, false);
            cr_expect_float_eq(share, optimal_table[i].share[k], 1e-3, "alpha %g: %g", a, share);
            cr_expect(share > theory_selfish_share(a, k * .5) - 1e-3);
        }
    }
    cr_expect_eq(theory_optimal_share(0, .5, 20, false), 0);
    cr_expect_eq(theory_optimal_share(.5, .5, 20, false), 1);
}

/* From where on it pays: the rule of the first seen, and a choice at random. */
Test(theory, random_ties_move_the_threshold)
{
    static const struct {
        double gamma, first_seen, random;
    } rows[] = {{0, .3294, 0}, {.25, .3000, .2869}, {.5, .2500, .2321}, {.75, .1667, .1529}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int ties = 0; ties < 2; ties++) {
            double t = ties ? rows[i].random : rows[i].first_seen, at;
            if (t == 0) continue;
            at = theory_optimal_threshold(rows[i].gamma, 24, ties);
            cr_expect_float_eq(at, t, 3e-4, "gamma %g: %.5f", rows[i].gamma, at);
        }
    }
    cr_expect_float_eq(theory_optimal_share(.24, .5, 16, false), .24, 1e-5);
    cr_expect_gt(theory_optimal_share(.24, .5, 16, true), .242);
}

Test(theory, network)
{
    cr_expect_float_eq(theory_stale_share(6, 600), 0.01 / 1.01, 1e-15);
    cr_expect(near(theory_effective_q(.3, .068), .3150, 1e-4));
    cr_expect(near(100 * theory_paper(theory_effective_q(.3, .068), 6), 19.29, .01));
}

Test(theory, clocks)
{
    static const double caught_180[] = {99.0, 84.4, 54.6, 27.6, 11.6};
    cr_expect_eq(round(1 / theory_no_block(60)), 403);
    cr_expect_eq(round(1 / theory_no_block(90)), 8103);
    cr_expect(near(theory_slow_blocks(6, 180, 1), 3.2e-4, 1e-5));
    cr_expect(near(theory_slow_blocks(6, 200, 1), 7.2e-5, 1e-6));
    for (int i = 0; i < 5; i++)
        cr_expect(near(100 * theory_slow_blocks(6, 180, (i + 1) * .1), caught_180[i], .1), "%d", i);
    cr_expect_float_eq(theory_slow_blocks(1, 60, 1), theory_no_block(60), 1e-15);
    cr_expect_eq(theory_slow_blocks(6, 0, 1), 1);
}
