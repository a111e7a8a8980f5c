/* Races without blocks: the rules one by one, and a grid held against the exact figures. */
#include "lab/race.h"

#include <criterion/criterion.h>
#include <math.h>

#include "base/compiler.h"
#include "lab/dice.h"
#include "lab/setup.h"
#include "lab/stats.h"
#include "lab/theory.h"

static double exact(const struct race_rules *r)
{
    return theory_race(r->q_ppm / 1e6, r->z, r->premine, r->patience, r->budget);
}

/* Standard errors between what was measured and what is exact. */
static double deviation(uint64_t hits, uint64_t n, double p)
{
    return ((double)hits / (double)n - p) / stats_half_width(p, n, 1);
}

Test(race, ends)
{
    struct race_outcome o = race_one(&(struct race_rules){.q_ppm = 0, .z = 3, .patience = 2}, 1);
    cr_expect(!o.stolen && o.honest_blocks == 3, "no giving up before the last confirmation");
    o = race_one(&(struct race_rules){.q_ppm = 0, .z = 1, .patience = 3}, 1);
    cr_expect(!o.stolen && o.honest_blocks == 3);
    o = race_one(&(struct race_rules){.q_ppm = 0, .z = 1, .premine = 1, .patience = 3}, 1);
    cr_expect(!o.stolen && o.honest_blocks == 4, "the block in hand counts");
    o = race_one(&(struct race_rules){.q_ppm = 0, .z = 6, .budget = 5}, 1);
    cr_expect(!o.stolen && o.honest_blocks == 5);
    o = race_one(&(struct race_rules){.q_ppm = LAB_PPM, .z = 1, .budget = 9}, 1);
    cr_expect(!o.stolen && o.attacker_blocks == 9, "never before the merchant delivers");
    o = race_one(&(struct race_rules){.q_ppm = 0, .z = 0, .premine = 1, .patience = 1}, 1);
    cr_expect(o.stolen && o.honest_blocks == 0 && o.attacker_blocks == 0);
}

/* The dice once more, by hand: time first, then whose it is. */
static void expect_by_hand(const struct race_rules *r, uint64_t seed)
{
    struct race_outcome o = race_one(r, seed);
    struct lab_dice d;
    unsigned honest = 0, attacker = 0, at_z = 0;
    lab_dice_init(&d, seed);
    while (honest + attacker < o.honest_blocks + o.attacker_blocks) {
        cr_assert(honest < r->z || attacker + r->premine <= honest, "seed %llu: won before", (unsigned long long)seed);
        cr_assert(honest < r->z || honest < attacker + r->premine + r->patience);
        lab_dice_gap_us(&d, 1000);
        if (lab_dice_share(&d, 1000000) < r->q_ppm) {
            attacker++;
        } else if (++honest == r->z) {
            at_z = attacker;
        }
    }
    cr_expect_eq(o.honest_blocks, honest);
    cr_expect_eq(o.attacker_blocks, attacker);
    cr_expect_eq(o.attacker_at_z, at_z);
    cr_expect_eq(o.stolen, honest >= r->z && attacker + r->premine > honest);
}

Test(race, one_by_the_dice)
{
    for (uint64_t seed = 0; seed < 300; seed++) {
        expect_by_hand(&(struct race_rules){.q_ppm = 400000, .z = 3, .patience = 8}, seed);
        expect_by_hand(&(struct race_rules){.q_ppm = 300000, .z = 1, .premine = 1, .patience = 5}, seed);
    }
}

Test(race, one_by_one_comes_to_the_exact_figure)
{
    static const struct race_rules rules[] = {
        {.q_ppm = 300000, .z = 2, .patience = 20}, {.q_ppm = 450000, .z = 1, .premine = 1, .patience = 20},
        {.q_ppm = 510000, .z = 6, .budget = 100},  {.q_ppm = 400000, .z = 3, .patience = 2, .budget = 9},
        {.q_ppm = 300000, .z = 0, .patience = 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        uint64_t at_z[24] = {0}, hits = 0, trials = 20000;
        double share[24];
        for (uint64_t seed = 1; seed <= trials; seed++) {
            struct race_outcome o = race_one(&rules[i], seed);
            hits += o.stolen;
            at_z[o.attacker_at_z < 24 ? o.attacker_at_z : 23]++;
        }
        double p = exact(&rules[i]);
        cr_expect(fabs(deviation(hits, trials, p)) < 3.9, "rules %zu: %.5f, not %.5f", i, (double)hits / 20000., p);
        for (unsigned k = 0; k < 24; k++) share[k] = theory_attacker_blocks(rules[i].q_ppm / 1e6, rules[i].z, k);
        if (!rules[i].budget && rules[i].z) cr_expect_gt(stats_chi_square(at_z, share, 24, trials), .001);
    }
}

/* The acceptance grid with fewer trials: cairn-lab race has a million a cell. */
Test(race, grid)
{
    static const uint32_t q[] = {100000, 200000, 300000, 400000, 450000};
    static const unsigned z[] = {1, 2, 3, 6, 10};
    enum { TRIALS = 100000 };
    static struct race_counts c;
    double squares = 0;
    for (unsigned cell = 0; cell < 50; cell++) {
        struct race_rules r = {.q_ppm = q[cell % 5], .z = z[cell / 5 % 5], .premine = cell / 25, .patience = 60};
        double p = r.premine ? theory_paper(r.q_ppm / 1e6, r.z) : theory_strict(r.q_ppm / 1e6, r.z);
        c = (struct race_counts){0};
        race_many(&r, 1, 0, TRIALS, false, &c);
        cr_expect_eq(c.trials, TRIALS);
        if (p * TRIALS < 10) { /* too few for a normal distribution */
            cr_expect_gt(stats_binomial_test(c.stolen, TRIALS, p), 1e-4);
            continue;
        }
        double off = deviation(c.stolen, TRIALS, p);
        squares += off * off / 50;
        cr_expect(fabs(off) < 3.9, "q %u z %u premine %u: %.2f", r.q_ppm, r.z, r.premine, off);
    }
    cr_expect(squares > .5 && squares < 1.6, "as far off as chance has it: %.2f", squares);
}

Test(race, patience_and_budget)
{
    static const struct race_rules rules[] = {
        {.q_ppm = 510000, .z = 6, .budget = 2016},
        {.q_ppm = 510000, .z = 6, .patience = 20},
        {.q_ppm = 510000, .z = 6},
        {.q_ppm = 400000, .z = 6, .budget = 20},
        {.q_ppm = 300000, .z = 2, .patience = 1, .budget = 5},
        {.q_ppm = 300000, .z = 1, .premine = 1, .patience = 2, .budget = 7},
        {.q_ppm = 300000, .z = 0, .patience = 3},
        {.q_ppm = 333333, .z = 25, .patience = 4},
        {.q_ppm = 600000, .z = 40, .budget = 90},
        {.q_ppm = 1, .z = 1, .premine = 1, .patience = 1},
        {.q_ppm = 999999, .z = 1, .budget = 1000},
    };
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        static struct race_counts c;
        c = (struct race_counts){0};
        race_many(&rules[i], 7, 0, 50000, false, &c);
        double p = exact(&rules[i]);
        cr_expect_gt(stats_binomial_test(c.stolen, 50000, p), 1e-4, "rules %zu: %.5f, not %.5f", i,
                     (double)c.stolen / 50000., p);
    }
}

Test(race, depth_and_duration)
{
    static const struct race_rules rules[] = {
        {.q_ppm = 510000, .z = 6, .budget = 2016}, {.q_ppm = 510000, .z = 6, .patience = 20}, {.q_ppm = 510000, .z = 6},
        {.q_ppm = 300000, .z = 3, .patience = 60}, {.q_ppm = 450000, .z = 1, .patience = 4},
    };
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        static struct race_counts c;
        static double depth[RACE_HISTOGRAM - 1], blocks[RACE_HISTOGRAM - 1];
        c = (struct race_counts){0};
        race_many(&rules[i], 3, 0, 100000, true, &c);
        theory_depths(rules[i].q_ppm / 1e6, rules[i].z, rules[i].patience, rules[i].budget, depth, blocks,
                      RACE_HISTOGRAM - 1);
        double d = stats_chi_square(c.depth, depth, RACE_HISTOGRAM - 1, c.stolen);
        double n = stats_chi_square(c.blocks, blocks, RACE_HISTOGRAM - 1, c.stolen);
        cr_expect(d > .001, "rules %zu: %g", i, d);
        cr_expect(n > .001, "rules %zu: %g", i, n);
        double mean = (double)c.depth_sum / (double)c.stolen;
        if (i == 0) cr_expect_float_eq(mean, 33.0, 1.2, "%g", mean);
        if (i == 2) cr_expect_float_eq(mean, 51.26, 3, "%g", mean);
    }
}

Test(race, parts_add_up)
{
    static const uint64_t cuts[] = {0, 1, 4095, 4096, 4097, 9000, 20000};
    static struct race_counts whole, parts, other;
    struct race_rules r = {.q_ppm = 450000, .z = 2, .patience = 10};
    race_many(&r, 5, 0, 20000, true, &whole);
    for (size_t i = 0; i + 1 < ARRAY_LEN(cuts); i++) race_many(&r, 5, cuts[i], cuts[i + 1] - cuts[i], true, &parts);
    cr_expect_arr_eq(&whole, &parts, sizeof(whole));
    race_many(&r, 6, 0, 20000, true, &other);
    cr_expect_arr_neq(&whole, &other, sizeof(whole));
    race_many(&r, 5, 100, 0, true, &whole);
    cr_expect_eq(whole.trials, 20000);
}

/* The same on every machine: figures of one seed. */
Test(race, one_seed_one_result)
{
    static struct race_counts c;
    struct race_rules r = {.q_ppm = 333333, .z = 3, .patience = 30};
    race_many(&r, 1, 0, 10000, true, &c);
    cr_expect_eq(c.stolen, 2577, "%llu", (unsigned long long)c.stolen);
    cr_expect_eq(c.depth_sum, 10937, "%llu", (unsigned long long)c.depth_sum);
    cr_expect_eq(c.blocks_sum, 25248, "%llu", (unsigned long long)c.blocks_sum);
}
