/* The best that a selfish miner can do: Sapirshtein, Sompolinsky and Zohar 2016, a decision process whose states are
 * the lengths of both branches since the fork and whether a match is possible.
 *
 * For a share RHO, blocks in the chain pay 1 - RHO (own) or -RHO (others'); the best strategy's mean pay a block is
 * above zero exactly where the best share is above RHO. So: bisection over RHO, and for each one relative value
 * iteration until the bounds of the mean pay leave zero to one side. Values stay from one RHO to the next. */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "lab/theory.h"

enum fork_state {
    FORK_OLD,  /* the last block is the attacker's: too late for a match by the rule of the first seen */
    FORK_NEW,  /* the last block is the others': a match can race it */
    FORK_RACE, /* a match is out, the others are split */
    FORK_STATES,
};

struct decision {
    double alpha, gamma, rho;
    int most; /* length of a branch at which something must be done */
    bool random_ties;
    double *value, *next;
};

static size_t at(const struct decision *p, int a, int h, enum fork_state f)
{
    size_t side = (size_t)p->most + 1;
    return ((size_t)f * side + (size_t)a) * side + (size_t)h;
}

static double value(const struct decision *p, int a, int h, enum fork_state f)
{
    return p->value[at(p, a, h, f)];
}

/* The next block of all is found while the two branches race. */
static double race_goes_on(const struct decision *p, int a, int h)
{
    double on_ours = value(p, a - h, 1, FORK_NEW) + (1 - p->rho) * h, on_theirs = value(p, a, h + 1, FORK_NEW);
    return p->alpha * value(p, a + 1, h, FORK_RACE) +
           (1 - p->alpha) * (p->gamma * on_ours + (1 - p->gamma) * on_theirs);
}

static double best_action(const struct decision *p, int a, int h, enum fork_state f)
{
    double mine = p->alpha, theirs = 1 - mine;
    double best = -p->rho * h + mine * value(p, 1, 0, FORK_OLD) + theirs * value(p, 0, 1, FORK_OLD); /* adopt */
    if (a > h) { /* override: show one more than theirs */
        double v =
            (1 - p->rho) * (h + 1) + mine * value(p, a - h, 0, FORK_OLD) + theirs * value(p, a - h - 1, 1, FORK_NEW);
        if (v > best) best = v;
    }
    if (a >= p->most || h >= p->most) return best;
    if (f != FORK_RACE) { /* wait */
        double v = mine * value(p, a + 1, h, FORK_OLD) + theirs * value(p, a, h + 1, FORK_NEW);
        if (v > best) best = v;
    }
    bool can_match = f == FORK_NEW || (f == FORK_OLD && p->random_ties);
    if (a >= h && h >= 1 && (f == FORK_RACE || can_match)) {
        double v = race_goes_on(p, a, h);
        if (v > best) best = v;
    }
    return best;
}

/* One round of value iteration; bounds of the mean pay of a block. */
static void sweep(struct decision *p, double *low, double *high)
{
    const double step = 0.9; /* less than a whole one, or two states could swap for ever */
    *low = INFINITY;
    *high = -INFINITY;
    for (int f = 0; f < FORK_STATES; f++) {
        for (int a = 0; a <= p->most; a++) {
            for (int h = 0; h <= p->most; h++) {
                size_t i = at(p, a, h, (enum fork_state)f);
                if (f == FORK_RACE && (a < h || h < 1)) continue; /* cannot be */
                double gain = best_action(p, a, h, (enum fork_state)f) - p->value[i];
                p->next[i] = p->value[i] + step * gain;
                if (gain < *low) *low = gain;
                if (gain > *high) *high = gain;
            }
        }
    }
    double base = p->next[0], *old = p->value;
    size_t states = at(p, p->most, p->most, FORK_RACE) + 1;
    for (size_t i = 0; i < states; i++) p->next[i] -= base;
    p->value = p->next;
    p->next = old;
}

/* Is the mean pay above LEAST? */
static bool pays(struct decision *p, double rho, double least)
{
    double low, high;
    p->rho = rho;
    do sweep(p, &low, &high);
    while (low <= least && high >= least && high - low > least / 10 + 1e-8);
    return low + high > 2 * least;
}

static void decision_init(struct decision *p, double gamma, unsigned max_fork, bool random_ties)
{
    *p = (struct decision){.gamma = gamma, .most = max_fork < 2 ? 2 : (int)max_fork, .random_ties = random_ties};
    size_t states = at(p, p->most, p->most, FORK_RACE) + 1;
    p->value = mem_calloc(states, sizeof(double));
    p->next = mem_calloc(states, sizeof(double));
}

static void decision_free(struct decision *p)
{
    free(p->value);
    free(p->next);
}

double theory_optimal_share(double alpha, double gamma, unsigned max_fork, bool random_ties)
{
    struct decision p;
    if (alpha <= 0) return 0;
    if (alpha >= 0.5) return 1;
    decision_init(&p, gamma, max_fork, random_ties);
    p.alpha = alpha;
    double low = alpha, high = alpha / (1 - alpha);
    while (high - low > 1e-6) {
        double middle = (low + high) / 2;
        if (pays(&p, middle, 0))
            low = middle;
        else
            high = middle;
    }
    decision_free(&p);
    return (low + high) / 2;
}

/* Honest mining pays nothing at RHO = ALPHA, and is one of the strategies: so the best pays more, or nothing. */
double theory_optimal_threshold(double gamma, unsigned max_fork, bool random_ties)
{
    struct decision p;
    double low = 0, high = 0.5;
    decision_init(&p, gamma, max_fork, random_ties);
    while (high - low > 1e-5) {
        p.alpha = (low + high) / 2;
        if (pays(&p, p.alpha, 1e-6))
            high = p.alpha;
        else
            low = p.alpha;
    }
    decision_free(&p);
    return (low + high) / 2;
}
