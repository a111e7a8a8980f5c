/* Statistics of trials: intervals and tests. */
#ifndef CAIRN_LAB_STATS_H
#define CAIRN_LAB_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Half-width of P's interval: SIGMAS standard errors of N trials with chance P. */
double stats_half_width(double p, uint64_t n, double sigmas);
/* Wilson's interval for HITS of N, at SIGMAS. */
void stats_wilson(uint64_t hits, uint64_t n, double sigmas, double *low, double *high);
/* Two-sided exact chance (Clopper and Pearson's sense) of an outcome at least as unlikely as HITS of N under P. */
double stats_binomial_test(uint64_t hits, uint64_t n, double p);
/* Kolmogorov-Smirnov: chance that COUNT samples of an exponential with this MEAN are at least so far off. Sorts
 * SAMPLES. */
double stats_ks_exponential(double *samples, size_t count, double mean);
/* Regularised upper incomplete gamma function Q(a, x). */
double stats_gamma_upper(double a, double x);
/* Chi-square: chance of a sum at least as large; cells with fewer than five expected are put together.
 * What the shares leave over is one more cell. */
double stats_chi_square(const uint64_t *seen, const double *expected_share, size_t cells, uint64_t total);

#endif
