/* Selfish mining by the walk: the algorithm's cases, and two million blocks held against Eyal and Sirer's figures. */
#include <criterion/criterion.h>
#include <math.h>

#include "base/compiler.h"
#include "lab/race.h"
#include "lab/theory.h"
#include "tables.h"

Test(selfish, shares_and_growth)
{
    enum { EVENTS = 2000000 };
    for (size_t i = 0; i < ARRAY_LEN(selfish_table); i++) {
        double a = selfish_table[i].alpha;
        if (a < 0.25 || fabs(a - 0.35) < 0.01) continue;
        for (uint32_t k = 0; k < 3; k++) {
            struct selfish_counts c;
            selfish_run((uint32_t)lround(a * 1e6), k * 500000, 1, EVENTS, &c);
            double share = (double)c.attacker / (double)(c.attacker + c.honest);
            double growth = (double)(c.attacker + c.honest) / EVENTS;
            cr_expect_eq(c.attacker + c.honest + c.stale, EVENTS);
            cr_expect_float_eq(share, selfish_table[i].share[k], .002, "alpha %g gamma %g: %.5f", a, k * .5, share);
            cr_expect_float_eq(growth, selfish_table[i].growth, .001, "alpha %g gamma %g: %.5f", a, k * .5, growth);
        }
    }
}

Test(selfish, edges)
{
    struct selfish_counts c;
    selfish_run(0, 500000, 1, 1000, &c);
    cr_expect(c.honest == 1000 && c.attacker == 0 && c.stale == 0);
    selfish_run(1000000, 500000, 1, 1000, &c);
    cr_expect(c.attacker == 1000 && c.honest == 0 && c.stale == 0, "all is shown at the end");
    selfish_run(300000, 1000000, 1, 100000, &c);
    struct selfish_counts none;
    selfish_run(300000, 0, 1, 100000, &none);
    cr_expect_gt(c.attacker, none.attacker);
}

/* It crosses what honest mining gives at the threshold. */
Test(selfish, thresholds)
{
    static const struct {
        uint32_t alpha, gamma;
        bool pays;
    } rows[] = {
        {310000, 0, false}, {360000, 0, true}, {230000, 500000, false}, {270000, 500000, true}, {50000, 1000000, true}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct selfish_counts c;
        selfish_run(rows[i].alpha, rows[i].gamma, 2, 2000000, &c);
        double share = (double)c.attacker / (double)(c.attacker + c.honest);
        cr_expect_eq(share > rows[i].alpha / 1e6, rows[i].pays, "row %zu: %.5f", i, share);
    }
}
