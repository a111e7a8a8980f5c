/* Intervals and tests: values from tables, and what they say of samples that are what they should be. */
#include "lab/stats.h"

#include <criterion/criterion.h>
#include <math.h>

#include "base/random.h"

Test(stats, intervals)
{
    double low, high;
    cr_expect_float_eq(stats_half_width(.5, 10000, 3.9), .0195, 1e-12);
    stats_wilson(5, 10, 1.959964, &low, &high);
    cr_expect_float_eq(low, .236593, 1e-5);
    cr_expect_float_eq(high, .763407, 1e-5);
    stats_wilson(0, 10, 1.959964, &low, &high);
    cr_expect_eq(low, 0);
    cr_expect_float_eq(high, .277533, 1e-5);
    stats_wilson(10, 10, 1.959964, &low, &high);
    cr_expect_float_eq(low, .722467, 1e-5);
    cr_expect_eq(high, 1);
    stats_wilson(0, 0, 2, &low, &high);
    cr_expect(low == 0 && high == 1);
}

Test(stats, binomial)
{
    cr_expect_float_eq(stats_binomial_test(2, 10, .5), 2 * 56 / 1024., 1e-12);
    cr_expect_float_eq(stats_binomial_test(8, 10, .5), 2 * 56 / 1024., 1e-12);
    cr_expect_eq(stats_binomial_test(5, 10, .5), 1);
    cr_expect_float_eq(stats_binomial_test(0, 1000, .01), 2 * pow(.99, 1000), 1e-12);
    cr_expect_float_eq(stats_binomial_test(501000, 1000000, .5), erfc(1999 / 1000. / sqrt(2)), 1e-5);
    cr_expect_eq(stats_binomial_test(0, 10, 0), 1);
    cr_expect_eq(stats_binomial_test(1, 10, 0), 0);
    cr_expect_eq(stats_binomial_test(10, 10, 1), 1);
    cr_expect_eq(stats_binomial_test(0, 0, .3), 1);
}

Test(stats, gamma_function)
{
    for (double x = .01; x < 60; x *= 1.7) {
        cr_expect_float_eq(stats_gamma_upper(1, x), exp(-x), 1e-13);
        cr_expect_float_eq(stats_gamma_upper(.5, x), erfc(sqrt(x)), 1e-13);
        cr_expect_float_eq(stats_gamma_upper(3, x), exp(-x) * (1 + x + x * x / 2), 1e-13);
    }
    cr_expect_float_eq(stats_gamma_upper(50, 67.50481 / 1), .0111, 1e-3); /* chi-square 135.01 of 100 */
}

/* 11.07 of five degrees: one in twenty. */
Test(stats, chi_square_of_the_tables)
{
    uint64_t seen[6] = {100, 100, 100, 100, 100, 100};
    double share[6] = {1 / 6., 1 / 6., 1 / 6., 1 / 6., 1 / 6., 1 / 6.};
    cr_expect_eq(stats_chi_square(seen, share, 6, 600), 1);
    seen[0] += 20;
    seen[1] -= 20; /* 8.0 */
    cr_expect_float_eq(stats_chi_square(seen, share, 6, 600), .15624, 1e-4);
    /* the last cell left out is found again as what is left over */
    cr_expect_float_eq(stats_chi_square(seen, share, 5, 600), .15624, 1e-4);
    /* cells of one expected each do not count alone */
    uint64_t rare[4] = {500, 497, 3, 0};
    double rare_share[4] = {.499, .499, .001, .001};
    cr_expect_gt(stats_chi_square(rare, rare_share, 4, 1000), .5);
    /* what cannot be is noticed */
    uint64_t odd[3] = {480, 480, 40};
    double two[3] = {.5, .5, 0};
    cr_expect_lt(stats_chi_square(odd, two, 3, 1000), 1.0);
}

static double exponential(struct random *r, double mean)
{
    double u = (double)(random_u64(r) >> 11) * 0x1p-53;
    return -log1p(-u) * mean;
}

/* Of samples that are what they should be, one in twenty is below 0.05. */
Test(stats, right_samples_pass_as_often_as_said)
{
    enum { RUNS = 1000, SAMPLES = 60 };
    struct random r;
    unsigned ks = 0, chi = 0;
    random_init_u64(&r, 11);
    for (int i = 0; i < RUNS; i++) {
        double gaps[SAMPLES], share[10];
        uint64_t seen[10] = {0};
        for (int k = 0; k < SAMPLES; k++) gaps[k] = exponential(&r, 600);
        ks += stats_ks_exponential(gaps, SAMPLES, 600) < .05;
        for (int k = 0; k < 10; k++) share[k] = .1;
        for (int k = 0; k < 10 * SAMPLES; k++) seen[random_below(&r, 10)]++;
        chi += stats_chi_square(seen, share, 10, 10 * SAMPLES) < .05;
    }
    cr_expect(ks > 25 && ks < 75, "%u", ks);
    cr_expect(chi > 25 && chi < 75, "%u", chi);
}

Test(stats, wrong_samples_are_found)
{
    enum { SAMPLES = 2000 };
    struct random r;
    double gaps[SAMPLES];
    random_init_u64(&r, 12);
    for (int k = 0; k < SAMPLES; k++) gaps[k] = exponential(&r, 600);
    cr_expect_gt(stats_ks_exponential(gaps, SAMPLES, 600), .001);
    cr_expect_lt(stats_ks_exponential(gaps, SAMPLES, 700), .001);
    for (int k = 0; k < SAMPLES; k++) gaps[k] = 600;
    cr_expect_lt(stats_ks_exponential(gaps, SAMPLES, 600), 1e-10);
    cr_expect_eq(stats_ks_exponential(gaps, 0, 600), 1);
}
