/* How long a race that is won takes, and how deep it cuts: by first passages and by recurrence. */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "lab/theory.h"
#include "lab/theory_internal.h"

/* Ahead at the z-th confirmation: it stands at Z + K blocks with the attacker's K found since. */
static void fill_at_z(struct theory_wins *w, double q, unsigned z, unsigned premine)
{
    for (size_t n = z; n <= w->steps; n++) {
        size_t k = n - z;
        if (k + premine > z) w->at_z[n] = theory_attacker_blocks(q, z, (unsigned)k);
    }
}

/* Without patience: first passage of a walk through +S, for every deficit at the z-th confirmation. Its terms are
 * S/T C(T, J) q^(S+J) p^J at T = S + 2J. */
static void fill_endless(struct theory_wins *w, double q, unsigned z, unsigned premine)
{
    for (size_t k = 0; k + premine <= z; k++) {
        double start = theory_attacker_blocks(q, z, (unsigned)k), s = (double)(z - premine - k) + 1, j = 0;
        double term = start * pow(q, s);
        for (size_t n = z + k + (size_t)s; n <= w->steps; n += 2, j++) {
            double t = s + 2 * j;
            w->later[n] += term;
            term *= t * (t + 1) / ((j + 1) * (s + j + 1)) * q * (1 - q);
        }
    }
}

/* With patience: the chances of the deficits 0 ... G-1, block by block. */
static void fill_patient(struct theory_wins *w, double q, unsigned z, unsigned premine, size_t g)
{
    double *now = mem_calloc(g, sizeof(*now)), *next = mem_calloc(g, sizeof(*next));
    size_t used = 0; /* deficits from here on have no chance yet */
    for (size_t n = z; n <= w->steps; n++) {
        size_t k = n - z;
        w->later[n] = used ? now[0] * q : 0;
        size_t top = used < g ? used + 1 : g;
        for (size_t d = 0; d < top; d++) {
            double from_above = d + 1 < used ? now[d + 1] * q : 0;
            next[d] = from_above + (d && d - 1 < used ? now[d - 1] * (1 - q) : 0);
        }
        used = used ? top : 0;
        if (k + premine <= z && z - premine - k < g) { /* the z-th confirmation comes now */
            size_t d = z - premine - k;
            for (size_t i = used; i <= d; i++) next[i] = 0;
            if (used < d + 1) used = d + 1;
            next[d] += theory_attacker_blocks(q, z, (unsigned)k);
        }
        double *t = now;
        now = next;
        next = t;
    }
    free(now);
    free(next);
}

struct theory_wins theory_wins_new(double q, unsigned z, unsigned premine, unsigned g, size_t steps)
{
    struct theory_wins w = {
        .steps = steps, .at_z = mem_calloc(steps + 1, sizeof(double)), .later = mem_calloc(steps + 1, sizeof(double))};
    if (q <= 0 || q >= 1) return w;
    fill_at_z(&w, q, z, premine);
    if (g && g < steps)
        fill_patient(&w, q, z, premine, g);
    else
        fill_endless(&w, q, z, premine);
    return w;
}

void theory_wins_free(struct theory_wins *w)
{
    free(w->at_z);
    free(w->later);
}

void theory_depths(double q, unsigned z, unsigned g, unsigned budget, double *depth, double *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++) depth[i] = blocks[i] = 0;
    double all = theory_race(q, z, 0, g, budget);
    if (all <= 0) return;
    /* D honest blocks are thrown away for D + 1 of the attacker's: after 2 D + 1. */
    size_t steps = 2 * count;
    if (budget && budget < steps) steps = budget;
    struct theory_wins w = theory_wins_new(q, z, 0, g, steps);
    for (size_t n = 0; n <= w.steps; n++) {
        size_t d = n ? (n - 1) / 2 : 0;
        if (n < count) blocks[n] = (w.at_z[n] + w.later[n]) / all;
        if (d < count) depth[d] += w.later[n] / all;
        if (z < count) depth[z] += w.at_z[n] / all;
    }
    theory_wins_free(&w);
}

struct theory_summary theory_summarise(const double *weights, size_t count)
{
    struct theory_summary s = {0};
    double all = 0, sum = 0;
    size_t median = 0, p95 = 0;
    for (size_t i = 0; i < count; i++) {
        all += weights[i];
        s.mean += weights[i] * (double)i;
    }
    if (all <= 0) return s;
    for (size_t i = 0; i < count; i++) {
        sum += weights[i];
        if (sum < 0.5 * all) median = i + 1;
        if (sum < 0.95 * all) p95 = i + 1;
    }
    s.mean /= all;
    s.median = (double)median;
    s.p95 = (double)p95;
    return s;
}
