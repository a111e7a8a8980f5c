/* A network that needs time, and a merchant with a clock. */
#include <math.h>

#include "lab/theory.h"

/* While one block travels, others are found beside it. */
double theory_stale_share(double delay_s, double interval_s)
{
    double x = delay_s / interval_s;
    return x / (1 + x);
}

double theory_effective_q(double q, double stale)
{
    return q / (q + (1 - q) * (1 - stale));
}

double theory_no_block(double minutes)
{
    return exp(-minutes / 10);
}

/* Fewer than Z blocks came: Poisson. */
double theory_slow_blocks(unsigned z, double minutes, double rate)
{
    double mean = minutes / 10 * rate, sum = 0;
    if (mean <= 0) return z > 0;
    for (unsigned k = 0; k < z; k++) sum += exp(k * log(mean) - mean - lgamma(k + 1.0));
    return sum > 1 ? 1 : sum;
}
