/* What was set, the story, the merchant's book, reorganisations and alarms. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "lab/report_internal.h"
#include "lab/world.h"

enum { STORY_MAX = 600, BOOK_MAX = 60, REORGS_MAX = 40, ALARMS_MAX = 40 };

static const char *help_of(const char *setting)
{
    for (size_t i = 0; i < lab_setting_count; i++) {
        if (strcmp(lab_setting_rows[i].name, setting) == 0) return lab_setting_rows[i].help;
    }
    return "";
}

static json_t *settings_of(const struct lab_setup *s)
{
    struct buffer text = {0};
    lab_setup_json(&text, s);
    json_t *j = json_loadb(buffer_text(&text), text.len, 0, NULL);
    buffer_clear(&text);
    return j;
}

void report_settings(struct buffer *out, const struct report_model *m)
{
    struct lab_setup usual = lab_setup_default();
    json_t *set = settings_of(&m->r->scenario->setup), *defaults = settings_of(&usual), *value;
    const char *name;
    buffer_put_str(
        out,
        "<section id=\"setup\">\n<h2>What was set</h2>\n<p>Bold: other than usual.</p>\n<div class=\"wide\"><table>"
        "<thead><tr><th>setting</th><th>value</th><th class=\"w\">means</th></tr></thead><tbody>\n");
    json_object_foreach(set, name, value)
    {
        const char *text = json_string_value(value);
        bool same = json_equal(value, json_object_get(defaults, name));
        buffer_put_str(out, "<tr><th scope=\"row\">");
        report_text(out, name);
        buffer_put_str(out, same ? "</th><td>" : "</th><td><b>");
        report_text(out, text == NULL ? "?" : text);
        buffer_put_str(out, same ? "</td><td class=\"w\">" : "</b></td><td class=\"w\">");
        report_text(out, help_of(name));
        buffer_put_str(out, "</td></tr>\n");
    }
    buffer_put_str(out, "</tbody></table></div>\n</section>\n");
    json_decref(set);
    json_decref(defaults);
}

/* ---- the story ---- */

static bool role_is(const struct report_model *m, uint32_t node, uint32_t role)
{
    return node < m->node_count && m->nodes[node].role == role;
}

static void words_of_attack(struct buffer *out, const struct lab_event *e)
{
    buffer_put_str(out, "The attacker: ");
    report_text(out, e->text);
    if (e->a == 0 || strcmp(e->text, "begins") == 0) return;
    uint64_t lead = e->a < 0 ? 0 - (uint64_t)e->a : (uint64_t)e->a;
    buffer_printf(out, ", %llu block%s %s", (unsigned long long)lead, lead == 1 ? "" : "s",
                  e->a < 0 ? "behind" : "ahead");
    if (e->b > 0) buffer_printf(out, "; its payment has %lld confirmations", (long long)e->b);
}

static void alarm_words(struct buffer *out, const struct report_model *m, const struct lab_event *e)
{
    buffer_put_str(out, "Alarm of ");
    report_text(out, report_node_name(m, e->node));
    buffer_put_str(out, ": ");
    report_text(out, e->text);
    buffer_printf(out, strcmp(e->text, "reorganisation") == 0 ? ", %lld deep" : ", %lld minutes", (long long)e->a);
}

/* What a reader of the story needs to know of an event; false: nothing. *CLASS is how it is shown. */
static bool words(struct buffer *out, const struct report_model *m, const struct lab_event *e, const char **class)
{
    *class = "ev";
    switch (e->kind) {
    case LAB_EVENT_SAY:
        *class = "say";
        report_text(out, e->text);
        return true;
    case LAB_EVENT_COMMAND:
        *class = "cmd";
        buffer_put_str(out, "Ordered: <code>");
        report_text(out, e->text);
        buffer_put_str(out, "</code>");
        return true;
    case LAB_EVENT_LINK:
        buffer_put_str(out, "Connections change: ");
        report_text(out, e->text);
        return true;
    case LAB_EVENT_PAYMENT:
        buffer_printf(out, "Order %lld is paid: ", (long long)e->a);
        report_coins(out, e->b);
        buffer_printf(out, " BTC%s", e->c != 0 ? " by the attacker, who means to take it back" : "");
        return true;
    case LAB_EVENT_CONFLICT:
        buffer_printf(out, "The attacker signs another payment with the coin of order %lld, to itself",
                      (long long)e->a);
        return true;
    case LAB_EVENT_LEDGER:
        if (e->b != 0 && strcmp(e->text, "confirmed") == 0) return false;
        if (strcmp(e->text, "waiting") == 0) return false;
        buffer_printf(out, "The merchant&#39;s book: order %lld is ", (long long)e->a);
        report_text(out, e->text);
        return true;
    case LAB_EVENT_REORG:
        if (!role_is(m, e->node, LAB_ROLE_MERCHANT)) return false;
        buffer_printf(out, "The merchant&#39;s node throws %lld block%s away", (long long)e->a, e->a == 1 ? "" : "s");
        return true;
    case LAB_EVENT_ATTACK: words_of_attack(out, e); return true;
    case LAB_EVENT_ALARM:
        if (m->r->scenario->setup.merchant && !role_is(m, e->node, LAB_ROLE_MERCHANT)) return false;
        *class = "alarm";
        alarm_words(out, m, e);
        return true;
    case LAB_EVENT_END:
        buffer_put_str(out, "The end: ");
        report_text(out, e->text);
        return true;
    default: return false;
    }
}

void report_story(struct buffer *out, const struct report_model *m)
{
    size_t lines = 0, left_out = 0;
    buffer_put_str(out, "<section id=\"story\">\n<h2>What happened</h2>\n<ol class=\"story\">\n");
    for (size_t i = 0; i < m->r->event_count; i++) {
        const struct lab_event *e = &m->r->events[i];
        struct buffer text = {0};
        const char *class;
        if (words(&text, m, e, &class)) {
            bool always = e->kind == LAB_EVENT_SAY || e->kind == LAB_EVENT_COMMAND || e->kind == LAB_EVENT_END;
            if (lines < STORY_MAX || (always && lines < 2 * STORY_MAX)) {
                buffer_printf(out, "<li class=\"%s\"><time>", class);
                report_time(out, e->at_us);
                buffer_put_str(out, "</time> <span>");
                buffer_put_span(out, buffer_span(&text));
                buffer_put_str(out, "</span></li>\n");
                lines++;
            } else {
                left_out++;
            }
        }
        buffer_clear(&text);
    }
    buffer_put_str(out, "</ol>\n");
    if (left_out > 0) buffer_printf(out, "<p>%zu further lines are left out.</p>\n", left_out);
    buffer_put_str(out, "</section>\n");
}

/* ---- the merchant's book ---- */

static void short_txid(struct buffer *out, const char *txid)
{
    char begin[13] = "";
    if (strlen(txid) <= 12) {
        report_text(out, txid[0] == 0 ? "\xe2\x80\x93" : txid);
        return;
    }
    memcpy(begin, txid, 12);
    buffer_put_str(out, "<code title=\"");
    report_text(out, txid);
    buffer_put_str(out, "\">");
    report_text(out, begin);
    buffer_put_str(out, "\xe2\x80\xa6</code>");
}

static void state_cell(struct buffer *out, const char *state, int64_t confirmations)
{
    bool bad = strcmp(state, "lost") == 0 || strcmp(state, "reversed") == 0;
    buffer_printf(out, "<td class=\"%s\">", bad ? "bad" : "ok");
    report_text(out, state[0] == 0 ? "\xe2\x80\x93" : state);
    if (confirmations > 0) buffer_printf(out, ", %lld conf.", (long long)confirmations);
    buffer_put_str(out, "</td>");
}

static void order_row(struct buffer *out, size_t number, const struct report_order *o)
{
    buffer_printf(out, "<tr><th scope=\"row\">%zu%s</th><td>", number, o->theft ? " (theft)" : "");
    report_coins(out, o->satoshis);
    buffer_put_str(out, "</td><td>");
    short_txid(out, o->txid);
    buffer_put_str(out, "</td><td>");
    short_txid(out, o->conflict);
    buffer_put_str(out, "</td>");
    state_cell(out, o->state_before, o->confirmations_before);
    state_cell(out, o->state, o->confirmations);
    buffer_put_str(out, "</tr>\n");
}

static void sum_row(struct buffer *out, const struct report_model *m, const char *state)
{
    int64_t before = 0, after = 0;
    for (size_t i = 0; i < m->order_count; i++) {
        const struct report_order *o = &m->orders[i];
        if (o->satoshis < 0 || o->satoshis > 2100000000000000) continue;
        if (strcmp(o->state_before, state) == 0) before += o->satoshis;
        if (strcmp(o->state, state) == 0) after += o->satoshis;
    }
    buffer_printf(out, "<tr><th scope=\"row\">%s</th><td>", state);
    report_coins(out, before);
    buffer_put_str(out, "</td><td>");
    report_coins(out, after);
    buffer_put_str(out, "</td></tr>\n");
}

void report_ledger(struct buffer *out, const struct report_model *m)
{
    size_t rows = 0, left_out = 0;
    if (m->order_count == 0) return;
    buffer_put_str(out, "<section id=\"ledger\">\n<h2>The merchant&#39;s book</h2>\n<p>");
    if (m->theft_us >= 0) {
        buffer_put_str(out, "<i>Before</i> is the moment before a payment was first taken back, at ");
        report_time(out, m->theft_us);
        buffer_put_str(out, "; <i>after</i> is the end.");
    } else {
        buffer_put_str(out, "No payment was ever taken back: before and after are the same.");
    }
    buffer_put_str(out, "</p>\n<div class=\"wide\"><table><thead><tr><th>order</th><th>BTC</th><th>paid "
                        "with</th><th>spent elsewhere by</th>"
                        "<th>before</th><th>after</th></tr></thead><tbody>\n");
    for (int wanted = 1; wanted >= 0; wanted--) { /* thefts and what was touched first */
        for (size_t i = 0; i < m->order_count; i++) {
            const struct report_order *o = &m->orders[i];
            if (!o->known || (o->theft || o->was_touched) != wanted) continue;
            if (rows++ < BOOK_MAX)
                order_row(out, i, o);
            else
                left_out++;
        }
    }
    buffer_put_str(out, "</tbody></table></div>\n");
    if (left_out > 0) buffer_printf(out, "<p>%zu further orders are left out, but are in the sums.</p>\n", left_out);
    buffer_put_str(
        out,
        "<div class=\"wide\"><table><thead><tr><th>sum, BTC</th><th>before</th><th>after</th></tr></thead><tbody>\n");
    for (int s = 0; s < LAB_ORDER_STATES; s++) sum_row(out, m, lab_order_state_name((enum lab_order_state)s));
    buffer_put_str(out, "</tbody></table></div>\n</section>\n");
}

/* ---- reorganisations and alarms ---- */

/* Deepest first; those of several nodes that changed between the same branches stand together. */
static int by_depth(const void *a, const void *b)
{
    const struct lab_event *x = *(const struct lab_event *const *)a, *y = *(const struct lab_event *const *)b;
    if (x->a != y->a) return x->a > y->a ? -1 : 1;
    if (x->block != y->block) return x->block < y->block ? -1 : 1;
    if (x->other != y->other) return x->other < y->other ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* One row for the COUNT nodes that did the same. */
static void reorg_row(struct buffer *out, const struct report_model *m, const struct lab_event **same, size_t count)
{
    enum { NAMES = 4 };
    const struct lab_event *e = same[0];
    buffer_put_str(out, "<tr><td>");
    report_time(out, e->at_us);
    buffer_put_str(out, "</td><td class=\"w\">");
    for (size_t i = 0; i < count && i < NAMES; i++) {
        if (i > 0) buffer_put_str(out, ", ");
        report_text(out, report_node_name(m, same[i]->node));
    }
    if (count > NAMES) buffer_printf(out, " and %zu more", count - NAMES);
    buffer_printf(out, "</td><td>%lld</td><td>%lld</td><td>%lld</td></tr>\n", (long long)e->a, (long long)e->b,
                  (long long)e->c);
}

static void reorg_table(struct buffer *out, const struct report_model *m)
{
    const struct lab_event **list = mem_calloc(m->reorgs + 1, sizeof(void *));
    size_t count = 0, rows = 0, left_out = 0;
    for (size_t i = 0; i < m->r->event_count; i++) {
        if (m->r->events[i].kind == LAB_EVENT_REORG) list[count++] = &m->r->events[i];
    }
    qsort(list, count, sizeof(void *), by_depth);
    buffer_put_str(
        out,
        "<div class=\"wide\"><table><thead><tr><th>first at</th><th class=\"w\">nodes</th><th>blocks thrown away</th>"
        "<th>transactions back in the pool</th><th>gone for good</th></tr></thead><tbody>\n");
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && list[end]->a == list[i]->a && list[end]->block == list[i]->block; end++) {
            if (list[end]->other != list[i]->other) break;
        }
        if (rows++ < REORGS_MAX)
            reorg_row(out, m, list + i, end - i);
        else
            left_out++;
    }
    buffer_put_str(out, "</tbody></table></div>\n");
    if (left_out > 0)
        buffer_printf(out, "<p>The deepest are shown; %zu that were not deeper are left out.</p>\n", left_out);
    free(list);
}

static void alarm_list(struct buffer *out, const struct report_model *m)
{
    size_t shown = 0;
    buffer_printf(out, "<h3>Alarms: %llu</h3>\n<ul>\n", (unsigned long long)m->alarms);
    for (size_t i = 0; i < m->r->event_count; i++) {
        const struct lab_event *e = &m->r->events[i];
        if (e->kind != LAB_EVENT_ALARM || !report_is_public(m, e->node) || shown++ >= ALARMS_MAX) continue;
        buffer_put_str(out, "<li>");
        report_time(out, e->at_us);
        buffer_put_str(out, " ");
        alarm_words(out, m, e);
        buffer_put_str(out, "</li>\n");
    }
    buffer_put_str(out, "</ul>\n");
    if (shown > ALARMS_MAX) buffer_printf(out, "<p>The first %d are shown.</p>\n", ALARMS_MAX);
}

void report_reorgs(struct buffer *out, const struct report_model *m)
{
    buffer_put_str(out, "<section id=\"reorganisations\">\n<h2>Reorganisations and alarms</h2>\n");
    if (m->reorgs == 0) {
        buffer_put_str(out, "<p>No node ever threw a block away.</p>\n");
    } else {
        buffer_printf(out,
                      "<p>The deepest that a node of the network saw: %lld. Transactions thrown out: %llu; %llu of "
                      "them for good, the others "
                      "went back to the pool.",
                      (long long)m->deepest, (unsigned long long)m->dropped, (unsigned long long)m->gone);
        if (m->returned > 0) {
            buffer_printf(out, " In a block again: %llu, the last of them %lld block%s later.",
                          (unsigned long long)m->returned, (long long)m->returned_latest,
                          m->returned_latest == 1 ? "" : "s");
        }
        buffer_put_str(out, "</p>\n");
        reorg_table(out, m);
    }
    if (m->alarms > 0) alarm_list(out, m);
    buffer_put_str(out, "</section>\n");
}
