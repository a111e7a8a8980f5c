/* Pictures with two axes: a frame, and the two that show time: tips and revenue. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "lab/report_internal.h"
#include "lab/theory.h"
#include "lab/world.h"

void report_chart_begin(struct report_chart *c, struct buffer *out, const char *label)
{
    c->out = out;
    c->left = 58;
    c->top = 14;
    c->width = 640;
    c->height = 250;
    if (!(c->x_max > c->x_min)) c->x_max = c->x_min + 1;
    if (!(c->y_max > c->y_min)) c->y_max = c->y_min + 1;
    buffer_put_str(out, "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 720 312\" aria-label=\"");
    report_text(out, label);
    buffer_printf(out, "\">\n<rect class=\"frame\" x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\" />\n", c->left,
                  c->top, c->width, c->height);
}

void report_chart_end(struct report_chart *c)
{
    buffer_put_str(c->out, "</svg>\n");
}

double report_chart_x(const struct report_chart *c, double x)
{
    double part = (x - c->x_min) / (c->x_max - c->x_min);
    return c->left + c->width * (part < 0 ? 0 : part > 1 ? 1 : part);
}

double report_chart_y(const struct report_chart *c, double y)
{
    double part;
    if (c->log_y)
        part = y <= c->y_min ? 0 : log(y / c->y_min) / log(c->y_max / c->y_min);
    else
        part = (y - c->y_min) / (c->y_max - c->y_min);
    return c->top + c->height * (1 - (part < 0 ? 0 : part > 1 ? 1 : part));
}

void report_chart_y_tick(struct report_chart *c, double y, const char *name)
{
    double at = report_chart_y(c, y);
    buffer_printf(c->out, "<path class=\"grid\" d=\"M%.1f %.1fh%.1f\" /><text class=\"t e\" x=\"%.1f\" y=\"%.1f\">",
                  c->left, at, c->width, c->left - 6, at + 4);
    report_text(c->out, name);
    buffer_put_str(c->out, "</text>\n");
}

void report_chart_x_tick(struct report_chart *c, double x, const char *name)
{
    double at = report_chart_x(c, x);
    buffer_printf(c->out, "<path class=\"grid\" d=\"M%.1f %.1fv%.1f\" /><text class=\"t m\" x=\"%.1f\" y=\"%.1f\">", at,
                  c->top, c->height, at, c->top + c->height + 16);
    report_text(c->out, name);
    buffer_put_str(c->out, "</text>\n");
}

void report_chart_titles(struct report_chart *c, const char *x, const char *y)
{
    buffer_printf(c->out, "<text class=\"t m\" x=\"%.0f\" y=\"306\">", c->left + c->width / 2);
    report_text(c->out, x);
    buffer_printf(c->out, "</text>\n<text class=\"t m\" transform=\"translate(14 %.0f) rotate(-90)\">",
                  c->top + c->height / 2);
    report_text(c->out, y);
    buffer_put_str(c->out, "</text>\n");
}

/* Ticks of time at round steps, six at most. */
static void time_ticks(struct report_chart *c)
{
    static const struct {
        int64_t s;
        const char *unit;
        int64_t in;
    } steps[] = {{1, "s", 1},          {10, "s", 1},          {60, "min", 60},       {300, "min", 60},
                 {600, "min", 60},     {1800, "min", 60},     {3600, "h", 3600},     {7200, "h", 3600},
                 {21600, "h", 3600},   {43200, "h", 3600},    {86400, "d", 86400},   {172800, "d", 86400},
                 {604800, "d", 86400}, {2592000, "d", 86400}, {31536000, "d", 86400}};
    size_t i = 0;
    while (i + 1 < sizeof steps / sizeof *steps && c->x_max / (double)steps[i].s > 7) i++;
    for (double s = 0; s <= c->x_max && s / (double)steps[i].s < 100; s += (double)steps[i].s) {
        char name[48];
        snprintf(name, sizeof name, "%lld %s", (long long)s / (long long)steps[i].in, steps[i].unit);
        report_chart_x_tick(c, s, name);
    }
}

static void count_ticks(struct report_chart *c)
{
    static const int leading[] = {1, 2, 5};
    double step = 1;
    for (int i = 1; (c->y_max - c->y_min) / step > 6; i++) step = leading[i % 3] * pow(10, i / 3);
    for (double y = ceil(c->y_min / step) * step; y <= c->y_max + 1e-9; y += step) {
        char name[32];
        snprintf(name, sizeof name, "%.0f", y);
        report_chart_y_tick(c, y, name);
    }
}

/* A line in steps; points closer together than half a unit of the picture become one. */
struct line {
    struct report_chart *c;
    double x, y; /* the last that was written */
    bool begun;
};

static void line_to(struct line *l, double x, double y)
{
    double px = report_chart_x(l->c, x), py = report_chart_y(l->c, y);
    if (!l->begun) {
        buffer_printf(l->c->out, "M%.1f %.1f", px, py);
    } else {
        if (px - l->x >= 0.05) buffer_printf(l->c->out, "H%.1f", px);
        if (fabs(py - l->y) >= 0.05) buffer_printf(l->c->out, "V%.1f", py);
    }
    *l = (struct line){l->c, px, py, true};
}

static const char *tip_class(uint32_t role)
{
    switch (role) {
    case LAB_ROLE_MERCHANT: return "me";
    case LAB_ROLE_OUTLET: return "ou";
    case LAB_ROLE_HIDEOUT: return "at";
    case LAB_ROLE_WATCHER: return "wa";
    default: return "ho";
    }
}

/* Several changes within one unit of the picture: the last counts, so a busy node costs no more than a quiet one. */
static void tip_line(struct report_chart *c, const struct report_model *m, uint32_t node)
{
    buffer_printf(c->out, "<path class=\"l %s\" d=\"", tip_class(m->nodes[node].role));
    struct line l = {.c = c};
    double height = (double)m->blocks[0].height, pending_x = -1, pending = 0;
    line_to(&l, 0, height);
    for (size_t i = 0; i < m->r->event_count; i++) {
        const struct lab_event *e = &m->r->events[i];
        if (e->kind != LAB_EVENT_TIP || e->node != node) continue;
        double x = (double)e->at_us / 1e6;
        if (pending_x >= 0 && report_chart_x(c, x) - report_chart_x(c, pending_x) >= 1)
            line_to(&l, pending_x, pending);
        else if (pending_x >= 0)
            x = pending_x;
        pending_x = x;
        pending = (double)e->a;
    }
    if (pending_x >= 0) line_to(&l, pending_x, pending);
    line_to(&l, c->x_max, pending_x >= 0 ? pending : height);
    buffer_put_str(c->out, "\"><title>");
    report_text(c->out, report_node_name(m, node));
    buffer_put_str(c->out, "</title></path>\n");
}

static void key(struct buffer *out, const char *class, const char *says)
{
    buffer_printf(out,
                  "<li><svg aria-hidden=\"true\" viewBox=\"0 0 40 12\" width=\"40\" height=\"12\"><path class=\"l %s\" "
                  "d=\"M2 6H38\" /></svg>%s</li>\n",
                  class, says);
}

enum { HONEST_LINES = 12 };

/* Draws the nodes of a role; returns how many there are. */
static unsigned tip_lines(struct report_chart *c, const struct report_model *m, uint32_t role)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < m->node_count; i++) {
        if (!m->nodes[i].known || m->nodes[i].role != role) continue;
        if (++count <= HONEST_LINES) tip_line(c, m, i);
    }
    return count;
}

void report_tips(struct buffer *out, const struct report_model *m)
{
    double low = (double)m->blocks[0].height, high = low + 1;
    for (size_t i = 0; i < m->r->event_count; i++) {
        const struct lab_event *e = &m->r->events[i];
        if (e->kind != LAB_EVENT_TIP) continue;
        if ((double)e->a > high) high = (double)e->a;
        if ((double)e->a < low) low = (double)e->a;
    }
    buffer_put_str(out, "<section id=\"tips\">\n<h2>Tips over time</h2>\n<p>How high each node's chain was. Where a "
                        "line falls or jumps "
                        "over another, a node gave up blocks that it had.</p>\n<div class=\"wide\">\n");
    struct report_chart c = {.x_max = (double)m->end_us / 1e6, .y_min = low, .y_max = high};
    report_chart_begin(&c, out, "Height of each node's tip over time");
    time_ticks(&c);
    count_ticks(&c);
    unsigned counts[LAB_ROLES];
    for (uint32_t role = 0; role < LAB_ROLES; role++) counts[role] = tip_lines(&c, m, role);
    report_chart_titles(&c, "time", "height of the tip");
    report_chart_end(&c);
    buffer_put_str(out, "</div>\n<ul class=\"legend\">\n");
    static const char *const says[LAB_ROLES] = {"honest miners", "watchers", "merchant",
                                                "the attacker's outlet (public)", "the attacker's hideout (secret)"};
    for (uint32_t role = 0; role < LAB_ROLES; role++) {
        if (counts[role] > 0) key(out, tip_class(role), says[role]);
    }
    buffer_put_str(out, "</ul>\n");
    if (counts[LAB_ROLE_HONEST] > HONEST_LINES) {
        buffer_printf(out, "<p>%d of %u honest miners are drawn.</p>\n", HONEST_LINES, counts[LAB_ROLE_HONEST]);
    }
    buffer_put_str(out, "</section>\n");
}

/* Blocks of a side that the final chain has, by the time at which they were found. */
static void revenue_line(struct report_chart *c, const struct report_model *m, bool attacker)
{
    buffer_printf(c->out, "<path class=\"l %s\" d=\"", attacker ? "at" : "ho");
    struct line l = {.c = c};
    uint64_t sum = 0;
    line_to(&l, 0, 0);
    for (size_t i = 1; i < m->block_count; i++) {
        const struct report_block *b = &m->blocks[i];
        if (b->known && b->final && b->attacker == attacker) line_to(&l, (double)b->found_us / 1e6, (double)++sum);
    }
    line_to(&l, c->x_max, (double)sum);
    buffer_printf(c->out, "\"><title>%s</title></path>\n", attacker ? "attacker" : "honest miners");
}

static void revenue_row(struct buffer *out, const struct report_model *m, bool attacker)
{
    uint64_t all = m->found[0] + m->found[1], kept = m->in_chain[0] + m->in_chain[1];
    uint64_t found = m->found[attacker], in = m->in_chain[attacker];
    buffer_printf(out, "<tr><th scope=\"row\">%s</th><td>%llu</td><td>", attacker ? "attacker" : "honest miners",
                  (unsigned long long)found);
    if (all > 0) report_percent(out, (double)found / (double)all);
    buffer_printf(out, "</td><td>%llu</td><td>", (unsigned long long)in);
    if (kept > 0) report_percent(out, (double)in / (double)kept);
    buffer_printf(out, "</td><td>%llu</td></tr>\n", (unsigned long long)(found - in));
}

void report_revenue(struct buffer *out, const struct report_model *m)
{
    uint64_t most = m->in_chain[0] > m->in_chain[1] ? m->in_chain[0] : m->in_chain[1];
    buffer_put_str(out, "<section id=\"revenue\">\n<h2>Whose blocks count</h2>\n<p>Blocks of the chain that won, by "
                        "the time at which they "
                        "were found. What is not in it earned nothing.</p>\n<div class=\"wide\">\n");
    struct report_chart c = {.x_max = (double)m->end_us / 1e6, .y_max = most > 0 ? (double)most : 1};
    report_chart_begin(&c, out, "Blocks in the final chain by side over time");
    time_ticks(&c);
    count_ticks(&c);
    revenue_line(&c, m, false);
    revenue_line(&c, m, true);
    report_chart_titles(&c, "time", "blocks in the final chain");
    report_chart_end(&c);
    buffer_put_str(out, "</div>\n<ul class=\"legend\">\n");
    key(out, "ho", "honest miners");
    key(out, "at", "attacker");
    buffer_put_str(out, "</ul>\n<div class=\"wide\"><table><thead><tr><th></th><th>found</th><th>share</th><th>in the "
                        "chain</th><th>share"
                        "</th><th>stale</th></tr></thead><tbody>\n");
    revenue_row(out, m, false);
    revenue_row(out, m, true);
    buffer_put_str(out, "</tbody></table></div>\n");
    const struct lab_setup *s = &m->r->scenario->setup;
    if (s->strategy == LAB_STRATEGY_SELFISH && s->q_ppm > 0 && s->q_ppm < LAB_PPM / 2) {
        buffer_put_str(out, "<p>Honest mining with this power: ");
        lab_write_share(out, s->q_ppm);
        buffer_put_str(out, " of the chain. Selfish mining in the long run (Eyal and Sirer 2014): ");
        report_percent(out, theory_selfish_share(s->q_ppm / 1e6, s->gamma_ppm / 1e6));
        buffer_put_str(out, ".</p>\n");
    }
    buffer_put_str(out, "</section>\n");
}
