/* Selfish mining by the first published algorithm: Eyal and Sirer 2014, equations 6 to 9. */
#include "lab/theory.h"

/* 1 - a (1 + (2 - a) a): both sides' revenue, times the weight of all states. */
static double revenue(double a)
{
    return 1 - a * (1 + (2 - a) * a);
}

double theory_selfish_share(double alpha, double gamma)
{
    double a = alpha, b = 1 - a;
    if (a >= 0.5) return 1;
    return (a * b * b * (4 * a + gamma * (1 - 2 * a)) - a * a * a) / revenue(a);
}

double theory_selfish_growth(double alpha)
{
    double a = alpha;
    if (a >= 0.5) return a; /* only its own branch lives */
    return revenue(a) / (2 * a * a * a - 4 * a * a + 1);
}

double theory_selfish_rate(double alpha, double gamma)
{
    return theory_selfish_share(alpha, gamma) * theory_selfish_growth(alpha);
}

double theory_selfish_threshold(double gamma)
{
    return (1 - gamma) / (3 - 2 * gamma);
}
