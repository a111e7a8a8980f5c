/* The chance of a double spend: three curves of the literature, where this setup is on them, and what trials measured.
 */
#include <math.h>
#include <stdio.h>

#include "lab/report_internal.h"
#include "lab/stats.h"
#include "lab/theory.h"

enum { Z_MIN = 10, Z_MAX = 30 };

static const double INTERVAL_SIGMAS = 2.575829; /* 99 % */

struct curve {
    double (*chance)(double q, unsigned z);
    const char *class, *name, *says;
};

static const struct curve CURVES[] = {
    {theory_nakamoto, "na", "Nakamoto 2008", "reaches a tie; the attacker&#39;s progress is taken to be Poisson"},
    {theory_paper, "pa", "paper (Rosenfeld; Grunspan and P\xc3\xa9rez-Marco)",
     "reaches a tie, or has one block in hand; exact"},
    {theory_strict, "sr", "strict", "what nodes do: more work is needed, nothing in hand; exact"},
};
enum { CURVE_COUNT = sizeof CURVES / sizeof *CURVES };

static unsigned z_max(const struct lab_setup *s)
{
    unsigned z = s->confirmations + 2;
    return z < Z_MIN ? Z_MIN : z > Z_MAX ? Z_MAX : z;
}

static void chance_ticks(struct report_chart *c)
{
    char name[32];
    if (!c->log_y) {
        for (int i = 0; i <= 5; i++) {
            double y = c->y_min + (c->y_max - c->y_min) * i / 5;
            snprintf(name, sizeof name, c->y_max < 0.05 ? "%.1f %%" : "%.0f %%", y * 100);
            report_chart_y_tick(c, y, name);
        }
        return;
    }
    for (double y = c->y_max; y > c->y_min * 0.99; y /= 10) {
        snprintf(name, sizeof name, y >= 0.0099 ? "%.0f %%" : y >= 0.00099 ? "%.1f %%" : "%.0e %%", y * 100);
        report_chart_y_tick(c, y, name);
    }
}

static void curve_line(struct report_chart *c, const struct curve *k, double q, unsigned last)
{
    buffer_printf(c->out, "<path class=\"l %s\" d=\"", k->class);
    for (unsigned z = 1; z <= last; z++) {
        buffer_printf(c->out, "%s%.1f %.1f", z == 1 ? "M" : "L", report_chart_x(c, z),
                      report_chart_y(c, k->chance(q, z)));
    }
    buffer_printf(c->out, "\"><title>%s</title></path>\n", k->name);
}

/* Measured: a point with its interval. Else a line where this setup is. */
static void mark_setup(struct report_chart *c, const struct lab_setup *s, const struct lab_trials_result *t)
{
    double x = report_chart_x(c, s->confirmations);
    if (t == NULL || t->trials == 0) {
        buffer_printf(
            c->out,
            "<path class=\"here\" d=\"M%.1f %.1fv%.1f\" /><text class=\"t\" x=\"%.1f\" y=\"%.1f\">this setup</text>\n",
            x, c->top, c->height, x + 5, c->top + 14);
        return;
    }
    double low, high, measured = (double)t->stolen / (double)t->trials;
    stats_wilson(t->stolen, t->trials, INTERVAL_SIGMAS, &low, &high);
    double y0 = report_chart_y(c, low), y1 = report_chart_y(c, high), y = report_chart_y(c, measured);
    buffer_printf(c->out, "<path class=\"bar\" d=\"M%.1f %.1fV%.1fM%.1f %.1fh12M%.1f %.1fh12\" />", x, y0, y1, x - 6,
                  y0, x - 6, y1);
    buffer_printf(c->out, "<circle class=\"point\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>measured</title></circle>\n",
                  x, y);
}

static void plot(struct buffer *out, const struct lab_setup *s, const struct lab_trials_result *t)
{
    double q = s->q_ppm / 1e6;
    unsigned last = z_max(s);
    double top = theory_nakamoto(q, 1), low = theory_strict(q, last);
    if (theory_paper(q, 1) > top) top = theory_paper(q, 1);
    struct report_chart c = {.x_min = 1, .x_max = last, .y_max = 1, .log_y = low < 0.01};
    if (c.log_y) {
        c.y_min = 0.1;
        while (c.y_min > low && c.y_min > 1e-9) c.y_min /= 10;
    } else {
        c.y_max = top > 0.999 ? 1 : ceil(top * 10) / 10;
    }
    buffer_put_str(out, "<div class=\"wide\">\n");
    report_chart_begin(&c, out, "Chance of a double spend against confirmations: three curves and this setup");
    chance_ticks(&c);
    for (unsigned z = 1; z <= last; z += last > 15 ? 2 : 1) {
        char name[16];
        snprintf(name, sizeof name, "%u", z);
        report_chart_x_tick(&c, z, name);
    }
    for (size_t i = 0; i < CURVE_COUNT; i++) curve_line(&c, &CURVES[i], q, last);
    mark_setup(&c, s, t);
    report_chart_titles(&c, "confirmations that the merchant waits for (z)",
                        c.log_y ? "chance (logarithmic)" : "chance");
    report_chart_end(&c);
    buffer_put_str(out, "</div>\n<ul class=\"legend\">\n");
    for (size_t i = 0; i < CURVE_COUNT; i++) {
        buffer_printf(out,
                      "<li><svg aria-hidden=\"true\" viewBox=\"0 0 40 12\" width=\"40\" height=\"12\"><path class=\"l "
                      "%s\" d=\"M2 6H38\" />"
                      "</svg>%s</li>\n",
                      CURVES[i].class, CURVES[i].name);
    }
    buffer_put_str(out, "</ul>\n");
}

static void row(struct buffer *out, const char *name, double chance, const char *says)
{
    buffer_printf(out, "<tr><th scope=\"row\">%s</th><td>", name);
    report_percent(out, chance);
    buffer_printf(out, "</td><td class=\"w\">%s</td></tr>\n", says);
}

static void measured_row(struct buffer *out, const struct lab_trials_result *t)
{
    double low, high;
    stats_wilson(t->stolen, t->trials, INTERVAL_SIGMAS, &low, &high);
    buffer_put_str(out, "<tr class=\"me\"><th scope=\"row\">measured</th><td>");
    report_percent(out, (double)t->stolen / (double)t->trials);
    buffer_printf(out, "</td><td class=\"w\">%llu thefts in %llu trials with whole nodes; 99 %% interval ",
                  (unsigned long long)t->stolen, (unsigned long long)t->trials);
    report_percent(out, low);
    buffer_put_str(out, " to ");
    report_percent(out, high);
    buffer_printf(out, "; %llu broken, %llu settled to one tip and one set of coins</td></tr>\n",
                  (unsigned long long)t->broken, (unsigned long long)t->settled);
}

static void table(struct buffer *out, const struct lab_setup *s, const struct lab_trials_result *t)
{
    double q = s->q_ppm / 1e6;
    char says[200];
    buffer_put_str(out, "<div class=\"wide\"><table><thead><tr><th></th><th>chance</th><th "
                        "class=\"w\">convention</th></tr></thead><tbody>\n");
    if (t != NULL && t->trials > 0) measured_row(out, t);
    snprintf(says, sizeof says, "%u block%s in hand; gives up ", s->premine, s->premine == 1 ? "" : "s");
    size_t len = strlen(says);
    if (s->patience > 0) snprintf(says + len, sizeof says - len, "%u behind after the last confirmation", s->patience);
    if (s->patience == 0) snprintf(says + len, sizeof says - len, "never for being behind");
    len = strlen(says);
    if (s->budget > 0) snprintf(says + len, sizeof says - len, "; %u blocks of both sides at most", s->budget);
    row(out, "this attacker, exact", theory_race(q, s->confirmations, s->premine, s->patience, s->budget), says);
    for (size_t i = 0; i < CURVE_COUNT; i++)
        row(out, CURVES[i].name, CURVES[i].chance(q, s->confirmations), CURVES[i].says);
    buffer_put_str(out, "</tbody></table></div>\n");
}

/* How many blocks the attacker had when the payment had its last confirmation, against the negative binomial. */
static void at_last_confirmation(struct buffer *out, const struct lab_setup *s, const struct lab_trials_result *t)
{
    if (s->premine > 0) return;
    enum { CELLS = sizeof t->at_z / sizeof *t->at_z };
    unsigned last = 0;
    for (unsigned k = 0; k < CELLS; k++) {
        if (t->at_z[k] > 0) last = k;
    }
    if (last == 0) return;
    double q = s->q_ppm / 1e6, left = 1;
    buffer_put_str(out, "<h3>The attacker&#39;s blocks at the last confirmation</h3>\n<div "
                        "class=\"wide\"><table><thead><tr><th>blocks</th>"
                        "<th>trials</th><th>expected</th></tr></thead><tbody>\n");
    for (unsigned k = 0; k <= last && k < 24; k++) {
        double share = k == CELLS - 1 ? left : theory_attacker_blocks(q, s->confirmations, k);
        left -= share;
        buffer_printf(out, "<tr><td>%u</td><td>%llu</td><td>%.1f</td></tr>\n", k, (unsigned long long)t->at_z[k],
                      share * (double)t->trials);
    }
    buffer_put_str(out, "</tbody></table></div>\n");
}

void report_theory(struct buffer *out, const struct report_model *m)
{
    const struct lab_trials_result *t = m->r->trials;
    const struct lab_setup *s = &m->r->scenario->setup;
    if (!s->merchant || s->q_ppm == 0 || s->q_ppm >= LAB_PPM || s->confirmations == 0) return;
    buffer_put_str(out, "<section id=\"theory\">\n<h2>The chance of a double spend</h2>\n<p>For an attacker with ");
    lab_write_share(out, s->q_ppm);
    buffer_printf(out, " of all hash power against %u confirmation%s.", s->confirmations,
                  s->confirmations == 1 ? "" : "s");
    if (s->eclipsed) {
        buffer_put_str(out, " The merchant is eclipsed here: it hears of the attacker&#39;s blocks alone, and the "
                            "curves do not hold for it.");
    }
    if (t == NULL) buffer_put_str(out, " One run says nothing about a chance: trials do (cairn-lab trials).");
    buffer_put_str(out, "</p>\n");
    plot(out, s, t);
    table(out, s, t);
    if (t != NULL && t->trials > 0) at_last_confirmation(out, s, t);
    buffer_put_str(out, "</section>\n");
}
