/* cairn-lab theory and cairn-lab selfish: what is exactly known, and selfish mining held against it. */
#include "lab/cli_numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "lab/race.h"
#include "lab/setup.h"
#include "lab/theory.h"
#include "rpc/json_writer.h"

static void print_json(struct buffer *out)
{
    buffer_put_u8(out, '\n');
    fwrite(out->data, 1, out->len, stdout);
    buffer_clear(out);
}

/* ---- theory ---- */

enum { CURVE_LEAST = 10, Z_MOST = 1000, BUDGET_MOST = 100000, PATIENCE_MOST = 1000, DEPTHS = 60000, LIMITS = 3 };

static const double limits[LIMITS] = {0.01, 0.001, 0.0001};

struct asked {
    uint32_t q_ppm;
    unsigned z, premine, patience, budget;
    double minutes; /* that the confirmations took; 0: not said */
    bool json;
};

/* What there is to say of one cell. */
struct answer {
    double q, race, break_even, given_time;
    unsigned best_patience, confirmations[LIMITS][3];
    bool has_depths;
    struct theory_summary depth, blocks;
};

static void answer_depths(const struct asked *a, struct answer *out)
{
    double *depth = mem_calloc(DEPTHS, sizeof(*depth)), *blocks = mem_calloc(DEPTHS, sizeof(*blocks));
    theory_depths(out->q, a->z, a->patience, a->budget, depth, blocks, DEPTHS);
    out->depth = theory_summarise(depth, DEPTHS);
    out->blocks = theory_summarise(blocks, DEPTHS);
    out->has_depths = true;
    free(depth);
    free(blocks);
}

static void answer(const struct asked *a, struct answer *out)
{
    double (*const curves[])(double, unsigned) = {theory_nakamoto, theory_paper, theory_strict};
    *out = (struct answer){.q = (double)a->q_ppm / LAB_PPM};
    double q = out->q;
    out->race = theory_race(q, a->z, a->premine, a->patience, a->budget);
    out->break_even = theory_break_even(q, a->z, &out->best_patience);
    /* the chain had (1 - q) of the power, so z blocks are due in z 10 min / (1 - q) */
    if (a->minutes > 0) out->given_time = theory_given_time(q, a->z, (1 - q) * a->minutes / (a->z * 10.0));
    for (int l = 0; l < LIMITS; l++)
        for (size_t c = 0; c < ARRAY_LEN(curves); c++)
            out->confirmations[l][c] = theory_confirmations(curves[c], q, limits[l]);
    if (!a->premine && q > 0 && q < 1) answer_depths(a, out);
}

static void theory_json(const struct asked *a, const struct answer *t)
{
    static const char *const names[] = {"nakamoto", "paper", "strict"};
    double (*const curves[])(double, unsigned) = {theory_nakamoto, theory_paper, theory_strict};
    struct buffer out = {0};
    struct json_writer j = json_writer_of(&out);
    jw_object(&j);
    jw_kv_double(&j, "q", t->q);
    jw_kv_uint(&j, "z", a->z);
    for (int c = 0; c < 3; c++) jw_kv_double(&j, names[c], curves[c](t->q, a->z));
    jw_kv_object(&j, "race");
    jw_kv_uint(&j, "premine", a->premine);
    jw_kv_uint(&j, "patience", a->patience);
    jw_kv_uint(&j, "budget", a->budget);
    jw_kv_double(&j, "chance", t->race);
    jw_object_end(&j);
    if (a->minutes > 0) jw_kv_double(&j, "given_time", t->given_time);
    if (isfinite(t->break_even)) jw_kv_double(&j, "break_even", t->break_even);
    jw_kv_uint(&j, "break_even_patience", t->best_patience);
    if (t->has_depths) {
        jw_kv_double(&j, "depth_mean", t->depth.mean);
        jw_kv_double(&j, "depth_median", t->depth.median);
        jw_kv_double(&j, "depth_p95", t->depth.p95);
        jw_kv_double(&j, "blocks_mean", t->blocks.mean);
        jw_kv_double(&j, "blocks_median", t->blocks.median);
        jw_kv_double(&j, "blocks_p95", t->blocks.p95);
    }
    jw_kv_array(&j, "curves");
    for (unsigned z = 1; z <= (a->z > CURVE_LEAST ? a->z : CURVE_LEAST); z++) {
        jw_object(&j);
        jw_kv_uint(&j, "z", z);
        for (int c = 0; c < 3; c++) jw_kv_double(&j, names[c], curves[c](t->q, z));
        jw_object_end(&j);
    }
    jw_array_end(&j);
    jw_kv_array(&j, "confirmations");
    for (int l = 0; l < LIMITS; l++) {
        jw_object(&j);
        jw_kv_double(&j, "below", limits[l]);
        for (int c = 0; c < 3; c++) jw_kv_uint(&j, names[c], t->confirmations[l][c]);
        jw_object_end(&j);
    }
    jw_array_end(&j);
    jw_object_end(&j);
    print_json(&out);
}

static void print_curves(const struct asked *a, double q)
{
    unsigned to = a->z > CURVE_LEAST ? a->z : CURVE_LEAST, step = to > 40 ? to / 20 : 1;
    printf("An attacker with %.4g %% of all hash power steals a payment with z confirmations:\n\n"
           "   z   Nakamoto 2008           paper          strict\n",
           100 * q);
    for (unsigned z = 1; z <= to; z++) {
        if (z != a->z && (z - 1) % step) continue;
        printf("%4u  %12.6f %%  %12.6f %%  %12.6f %%%s\n", z, 100 * theory_nakamoto(q, z), 100 * theory_paper(q, z),
               100 * theory_strict(q, z), z == a->z ? "  <-" : "");
    }
    printf("\nNakamoto 2008: a tie is enough, the attacker's progress is taken as Poisson.\n"
           "paper:  Rosenfeld 2014; Grunspan and Perez-Marco 2017: one block in hand and a\n"
           "        longer chain, or nothing in hand and a tie: the same figure, exact.\n"
           "strict: nothing in hand, strictly more work: what nodes do.\n"
           "        The laboratory's own.\n\n");
}

static void print_confirmations(const struct answer *t)
{
    printf("Confirmations for a chance below     Nakamoto    paper   strict\n");
    for (int l = 0; l < LIMITS; l++) {
        printf("  %29g %%", 100 * limits[l]);
        for (int c = 0; c < 3; c++) {
            if (t->confirmations[l][c])
                printf(" %9u", t->confirmations[l][c]);
            else
                printf(" %9s", "none");
        }
        printf("\n");
    }
    printf("\n");
}

static void theory_plain(const struct asked *a, const struct answer *t)
{
    print_curves(a, t->q);
    print_confirmations(t);
    if (a->premine || a->patience || a->budget) {
        printf("With %u in hand", a->premine);
        if (a->patience) printf(", given up %u behind after the last confirmation", a->patience);
        if (a->budget) printf(", %u blocks of both sides at most", a->budget);
        printf(":\n  z = %u: %.6f %%\n", a->z, 100 * t->race);
    }
    if (a->minutes > 0)
        printf("The %u confirmations took %g minutes (%.4g are due):\n"
               "  %.4f %%, and not Nakamoto's %.4f %%.\n",
               a->z, a->minutes, a->z * 10 / (1 - t->q), 100 * t->given_time, 100 * theory_nakamoto(t->q, a->z));
    if (t->has_depths)
        printf("Thefts that succeed, z = %u: honest blocks thrown away: median %.0f, mean %.4g,\n"
               "95 %% up to %.0f; blocks of both sides: median %.0f, mean %.4g, 95 %% up to %.0f.\n",
               a->z, t->depth.median, t->depth.mean, t->depth.p95, t->blocks.median, t->blocks.mean, t->blocks.p95);
    if (t->q >= 0.5)
        printf("A majority that never gives up loses nothing: it pays at any value.\n");
    else if (isfinite(t->break_even))
        printf("It pays above %.4g block rewards (z = %u; for an attacker who gives up\n"
               "%u behind, which is his best patience).\n",
               t->break_even, a->z, t->best_patience);
}

int lab_cli_theory(struct lab_cli_args *args)
{
    static const char me[] = "theory";
    struct asked a = {.z = 6};
    struct numbers q = {.of = {300000}, .count = 1};
    struct answer t;
    if (!numbers_take_shares(args, "--q", LAB_PPM, &q) || q.count != 1)
        return lab_cli_wrong(me, "--q wants one share: 30%");
    if (!numbers_take_unsigned(args, "--z", 1, Z_MOST, &a.z)) return lab_cli_wrong(me, "--z wants 1 to 1000");
    if (!numbers_take_unsigned(args, "--premine", 0, 1, &a.premine)) return lab_cli_wrong(me, "--premine wants 0 or 1");
    if (!numbers_take_unsigned(args, "--patience", 0, PATIENCE_MOST, &a.patience))
        return lab_cli_wrong(me, "--patience wants a number up to 1000");
    if (!numbers_take_unsigned(args, "--budget", 0, BUDGET_MOST, &a.budget))
        return lab_cli_wrong(me, "--budget wants a number up to 100000");
    if (!numbers_take_real(args, "--minutes", &a.minutes)) return lab_cli_wrong(me, "--minutes wants a number");
    a.json = numbers_take_flag(args, "--json");
    if (!lab_cli_done(me, args)) return 2;
    a.q_ppm = q.of[0];
    answer(&a, &t);
    if (a.json)
        theory_json(&a, &t);
    else
        theory_plain(&a, &t);
    return 0;
}

/* ---- selfish ---- */

enum { EVENTS = 20000000, FORK_MOST = 30, THRESHOLD_FORK = 24 };

/* How far off a measured share and growth may be at EVENTS, five standard errors and more; with fewer, more. */
#define SHARE_OFF  0.002
#define GROWTH_OFF 0.001

struct selfish_row {
    double alpha, gamma;
    double share, growth, rate;                   /* measured */
    double exact_share, exact_growth, exact_rate; /* Eyal and Sirer */
    double best;                                  /* Sapirshtein, Sompolinsky and Zohar */
    bool ok;
};

static struct selfish_row selfish_row(uint32_t alpha_ppm, uint32_t gamma_ppm, uint64_t seed, uint64_t events)
{
    struct selfish_counts c;
    struct selfish_row r = {.alpha = (double)alpha_ppm / LAB_PPM, .gamma = (double)gamma_ppm / LAB_PPM};
    double loose = events < EVENTS ? sqrt((double)EVENTS / (double)events) : 1;
    selfish_run(alpha_ppm, gamma_ppm, seed, events, &c);
    r.share = (double)c.attacker / (double)(c.attacker + c.honest);
    r.growth = (double)(c.attacker + c.honest) / (double)events;
    r.rate = (double)c.attacker / (double)events;
    r.exact_share = theory_selfish_share(r.alpha, r.gamma);
    r.exact_growth = theory_selfish_growth(r.alpha);
    r.exact_rate = theory_selfish_rate(r.alpha, r.gamma);
    r.best = theory_optimal_share(r.alpha, r.gamma, FORK_MOST, false);
    r.ok = fabs(r.share - r.exact_share) <= SHARE_OFF * loose && fabs(r.growth - r.exact_growth) <= GROWTH_OFF * loose;
    return r;
}

static void selfish_row_json(struct json_writer *j, const struct selfish_row *r)
{
    jw_object(j);
    jw_kv_double(j, "alpha", r->alpha);
    jw_kv_double(j, "gamma", r->gamma);
    jw_kv_double(j, "share", r->share);
    jw_kv_double(j, "exact_share", r->exact_share);
    jw_kv_double(j, "growth", r->growth);
    jw_kv_double(j, "exact_growth", r->exact_growth);
    jw_kv_double(j, "blocks_per_ten_minutes", r->rate);
    jw_kv_double(j, "exact_blocks_per_ten_minutes", r->exact_rate);
    jw_kv_double(j, "loss_before_retarget", r->alpha - r->rate);
    jw_kv_double(j, "best_share", r->best);
    jw_kv_bool(j, "ok", r->ok);
    jw_object_end(j);
}

static void selfish_row_plain(const struct selfish_row *r)
{
    printf("%6.4f %4.2f  %7.5f %7.5f  %6.4f %6.4f  %6.4f %6.4f %7.4f  %7.5f%s\n", r->alpha, r->gamma, r->share,
           r->exact_share, r->growth, r->exact_growth, r->rate, r->exact_rate, r->alpha - r->rate, r->best,
           r->ok ? "" : "  <- off");
}

static const double threshold_gammas[] = {0, 0.25, 0.5, 0.75};

static void selfish_thresholds(struct json_writer *j)
{
    if (j)
        jw_kv_array(j, "thresholds");
    else
        printf("\nIt pays from this share on:\n gamma  algorithm 1  best, first seen  best, random ties\n");
    for (size_t i = 0; i < ARRAY_LEN(threshold_gammas); i++) {
        double g = threshold_gammas[i], first = theory_optimal_threshold(g, THRESHOLD_FORK, false);
        double ties = theory_optimal_threshold(g, THRESHOLD_FORK, true);
        if (!j) {
            printf("  %4.2f       %.4f            %.4f             %.4f\n", g, theory_selfish_threshold(g), first,
                   ties);
            continue;
        }
        jw_object(j);
        jw_kv_double(j, "gamma", g);
        jw_kv_double(j, "algorithm_1", theory_selfish_threshold(g));
        jw_kv_double(j, "best_first_seen", first);
        jw_kv_double(j, "best_random_ties", ties);
        jw_object_end(j);
    }
    if (j) jw_array_end(j);
}

static void selfish_head(uint64_t events, uint64_t seed)
{
    printf("Eyal and Sirer's algorithm 1, %llu blocks a row, seed %llu.\nm: measured, e: exact. "
           "share: of the blocks in the chain. growth: blocks\n"
           "in the chain for each found. "
           "own/10 min: the attacker's blocks in the\n"
           "chain for each ten minutes before the first retarget; lost: what honest\nmining would have brought, less "
           "that.\n"
           "best: share of the best strategy (decision process, branches up to %d).\n\n"
           "                share           growth         own/10 min       lost     best\n"
           " alpha gamma    m       e       m      e       m      e\n",
           (unsigned long long)events, (unsigned long long)seed, FORK_MOST);
}

int lab_cli_selfish(struct lab_cli_args *a)
{
    static const char me[] = "selfish";
    struct numbers alpha = {.of = {250000, 300000, 333333, 400000, 450000}, .count = 5};
    struct numbers gamma = {.of = {0, 500000, 1000000}, .count = 3};
    uint64_t seed = 1, events = EVENTS;
    unsigned off = 0;
    struct buffer out = {0};
    struct json_writer j = json_writer_of(&out);
    if (!numbers_take_shares(a, "--alpha", LAB_PPM / 2 - 1, &alpha))
        return lab_cli_wrong(me, "--alpha wants shares below a half: 25%,1/3");
    if (!numbers_take_shares(a, "--gamma", LAB_PPM, &gamma))
        return lab_cli_wrong(me, "--gamma wants shares: 0%,50%,100%");
    if (!numbers_take(a, "--events", 1, UINT64_C(1) << 40, &events))
        return lab_cli_wrong(me, "--events wants a number");
    if (!numbers_take(a, "--seed", 0, UINT64_MAX, &seed)) return lab_cli_wrong(me, "--seed wants a number");
    bool json = numbers_take_flag(a, "--json");
    if (!lab_cli_done(me, a)) return 2;
    if (json) {
        jw_object(&j);
        jw_kv_uint(&j, "events", events);
        jw_kv_uint(&j, "seed", seed);
        jw_kv_array(&j, "rows");
    } else {
        selfish_head(events, seed);
    }
    for (unsigned i = 0; i < alpha.count * gamma.count; i++) {
        struct selfish_row r = selfish_row(alpha.of[i / gamma.count], gamma.of[i % gamma.count], seed, events);
        off += !r.ok;
        if (json)
            selfish_row_json(&j, &r);
        else
            selfish_row_plain(&r);
    }
    if (json) jw_array_end(&j);
    selfish_thresholds(json ? &j : NULL);
    if (json) {
        jw_kv_uint(&j, "off", off);
        jw_object_end(&j);
        print_json(&out);
    } else {
        printf("\n%u rows, %u off.\n", alpha.count * gamma.count, off);
    }
    return off ? 1 : 0;
}
