/* Statistics of trials. */
#include "lab/stats.h"

#include <math.h>
#include <stdlib.h>

double stats_half_width(double p, uint64_t n, double sigmas)
{
    return n ? sigmas * sqrt(p * (1 - p) / (double)n) : 1;
}

void stats_wilson(uint64_t hits, uint64_t n, double sigmas, double *low, double *high)
{
    *low = 0;
    *high = 1;
    if (!n) return;
    double count = (double)n, p = (double)hits / count, s = sigmas * sigmas / count;
    double middle = p + s / 2, half = sqrt(p * (1 - p) * s + s * s / 4);
    if (hits > 0) *low = (middle - half) / (1 + s);
    if (hits < n) *high = (middle + half) / (1 + s);
}

/* Chance of exactly K of N. */
static double binomial(double k, double n, double p)
{
    return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p));
}

/* Chance of at most K of N, for K not above the mean. */
static double lower_tail(double k, double n, double p)
{
    double term = binomial(k, n, p), sum = term;
    for (; k > 0 && term > sum * 1e-17; k--) {
        term *= k * (1 - p) / ((n - k + 1) * p);
        sum += term;
    }
    return sum;
}

double stats_binomial_test(uint64_t hits, uint64_t n, double p)
{
    double k = (double)hits, count = (double)n;
    if (!n) return 1;
    if (p <= 0) return hits == 0;
    if (p >= 1) return hits == n;
    double tail = k <= count * p ? lower_tail(k, count, p) : lower_tail(count - k, count, 1 - p);
    return tail < 0.5 ? 2 * tail : 1;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov's distribution, with Stephens' correction for few samples. */
static double kolmogorov(double distance, double count)
{
    double root = sqrt(count), x = (root + 0.12 + 0.11 / root) * distance, sum = 0;
    if (x < 0.2) return 1;
    for (int i = 1; i <= 100; i++) {
        double term = exp(-2.0 * i * i * x * x);
        sum += i & 1 ? term : -term;
        if (term < 1e-16) break;
    }
    return 2 * sum > 1 ? 1 : 2 * sum < 0 ? 0 : 2 * sum;
}

double stats_ks_exponential(double *samples, size_t count, double mean)
{
    double far = 0;
    if (!count) return 1;
    qsort(samples, count, sizeof(*samples), by_size);
    for (size_t i = 0; i < count; i++) {
        double f = -expm1(-samples[i] / mean);
        double below = f - (double)i / (double)count, above = (double)(i + 1) / (double)count - f;
        if (below > far) far = below;
        if (above > far) far = above;
    }
    return kolmogorov(far, (double)count);
}

/* Regularised upper incomplete gamma function: a series below the mean, a continued fraction (Lentz) above. */
double stats_gamma_upper(double a, double x)
{
    if (x <= 0 || a <= 0) return 1;
    double front = exp(a * log(x) - x - lgamma(a));
    if (x < a + 1) {
        double term = 1 / a, sum = term;
        for (double n = a + 1; term > sum * 1e-16; n++) {
            term *= x / n;
            sum += term;
        }
        return 1 - front * sum;
    }
    double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
    for (int i = 1; i < 100000; i++) {
        double an = -i * (i - a);
        b += 2;
        d = 1 / (an * d + b);
        c = b + an / c;
        h *= c * d;
        if (fabs(c * d - 1) < 1e-15) break;
    }
    return front * h;
}

double stats_chi_square(const uint64_t *seen, const double *expected_share, size_t cells, uint64_t total)
{
    double sum = 0, want = 0, got = 0, last_want = 0, last_got = 0;
    uint64_t counted = 0;
    double share = 0;
    size_t used = 0;
    for (size_t i = 0; i <= cells; i++) { /* the last one: what is in no cell */
        double e = i < cells ? expected_share[i] : fmax(1 - share, 0);
        uint64_t s = i < cells ? seen[i] : total - counted;
        share += e;
        counted += s;
        want += e * (double)total;
        got += (double)s;
        if (want < 5) continue;
        sum += (got - want) * (got - want) / want;
        last_want = want;
        last_got = got;
        want = got = 0;
        used++;
    }
    if (used && (want > 0 || got > 0)) { /* too few: they join the last cell */
        sum -= (last_got - last_want) * (last_got - last_want) / last_want;
        last_want += want;
        last_got += got;
        sum += (last_got - last_want) * (last_got - last_want) / last_want;
    }
    return used < 2 ? 1 : stats_gamma_upper((double)(used - 1) / 2, sum / 2);
}
