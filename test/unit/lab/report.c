/* The report of a run: all figures are in it, tags close, what comes from files and nodes cannot become markup. Events
 * are made by hand, so that every figure is known. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "lab/report.h"
#include "lab/world.h"

struct run {
    struct lab_event *events;
    size_t count, cap;
    struct lab_scenario scenario;
    const char *names[6];
    struct lab_report report;
    struct buffer out;
};

enum { HONEST, HONEST_2, MERCHANT, OUTLET, HIDEOUT, NODES };

static struct lab_event *put(struct run *r, int64_t minutes, enum lab_event_kind kind, uint32_t node, const char *text)
{
    r->events = mem_grow(r->events, &r->cap, r->count + 1, sizeof *r->events);
    struct lab_event *e = &r->events[r->count];
    *e = (struct lab_event){.seq = r->count++,
                            .at_us = minutes * 60000000,
                            .kind = kind,
                            .node = node,
                            .block = LAB_NONE,
                            .other = LAB_NONE};
    snprintf(e->text, sizeof e->text, "%s", text);
    return e;
}

static void block(struct run *r, int64_t minutes, uint32_t node, uint32_t number, uint32_t on, int64_t height,
                  bool attacker, bool secret)
{
    char hash[65];
    snprintf(hash, sizeof hash, "%064x", number);
    struct lab_event *e = put(r, minutes, LAB_EVENT_BLOCK, node, hash);
    e->block = number;
    e->other = on;
    e->a = height;
    e->b = 3;
    e->c = attacker;
    e->d = secret;
}

static void tip(struct run *r, int64_t minutes, uint32_t node, uint32_t number, int64_t height)
{
    struct lab_event *e = put(r, minutes, LAB_EVENT_TIP, node, "");
    e->block = number;
    e->a = height;
}

static void ledger(struct run *r, int64_t minutes, int64_t confirmations, const char *state)
{
    struct lab_event *e = put(r, minutes, LAB_EVENT_LEDGER, MERCHANT, state);
    e->b = confirmations;
    e->c = 1250000000;
}

static void begin(struct run *r, const char *title, const char *hideout)
{
    static const enum lab_role roles[NODES] = {LAB_ROLE_HONEST, LAB_ROLE_HONEST, LAB_ROLE_MERCHANT, LAB_ROLE_OUTLET,
                                               LAB_ROLE_HIDEOUT};
    const char *names[NODES] = {"honest 1", "honest 2", "merchant", "outlet", hideout};
    *r = (struct run){0};
    snprintf(r->scenario.name, sizeof r->scenario.name, "by-hand");
    snprintf(r->scenario.title, sizeof r->scenario.title, "%s", title);
    r->scenario.setup = lab_setup_default();
    r->scenario.setup.merchant = true;
    r->scenario.setup.q_ppm = 300000;
    r->scenario.setup.confirmations = 2;
    r->scenario.setup.patience = 0;
    r->scenario.setup.budget = 0;
    put(r, 0, LAB_EVENT_START, LAB_NONE, "by-hand")->a = 7;
    for (uint32_t i = 0; i < NODES; i++) {
        struct lab_event *e = put(r, 0, LAB_EVENT_NODE, i, names[i]);
        e->b = roles[i];
        r->names[i] = names[i];
    }
}

/* Two confirmations, then a secret branch of three takes over. */
static void theft(struct run *r)
{
    put(r, 1, LAB_EVENT_SAY, LAB_NONE, "The attacker orders & pays.");
    struct lab_event *e =
        put(r, 2, LAB_EVENT_PAYMENT, MERCHANT, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    e->b = 1250000000;
    e->c = 1;
    put(r, 2, LAB_EVENT_CONFLICT, LAB_NONE, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
    put(r, 2, LAB_EVENT_ATTACK, HIDEOUT, "begins");
    ledger(r, 2, 0, "waiting");
    block(r, 10, HONEST, 1, 0, 101, false, false);
    for (uint32_t i = HONEST; i <= OUTLET; i++) tip(r, 10, i, 1, 101);
    ledger(r, 10, 1, "confirmed");
    block(r, 15, HIDEOUT, 2, 0, 101, true, true);
    block(r, 20, HONEST_2, 3, 1, 102, false, false);
    for (uint32_t i = HONEST; i <= OUTLET; i++) tip(r, 20, i, 3, 102);
    ledger(r, 20, 2, "delivered");
    block(r, 30, HIDEOUT, 4, 2, 102, true, true);
    block(r, 40, HIDEOUT, 5, 4, 103, true, true);
    put(r, 40, LAB_EVENT_ATTACK, HIDEOUT, "publishes")->a = 1;
    for (uint32_t b = 2; b <= 5; b += b == 2 ? 2 : 1) put(r, 40, LAB_EVENT_SHOWN, OUTLET, "")->block = b;
    for (uint32_t i = HONEST; i <= OUTLET; i++) {
        e = put(r, 40, LAB_EVENT_REORG, i, "");
        e->block = 5;
        e->other = 3;
        e->a = 2;
        e->b = 4;
        e->c = 1;
        put(r, 40, LAB_EVENT_DROPPED, i, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")->a = 1;
        put(r, 40, LAB_EVENT_DROPPED, i, "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc");
        tip(r, 40, i, 5, 103);
    }
    ledger(r, 40, 0, "lost");
    put(r, 41, LAB_EVENT_ALARM, MERCHANT, "reorganisation")->a = 2;
    put(r, 41, LAB_EVENT_ALARM, HIDEOUT, "reorganisation")->a = 2;
    block(r, 50, HONEST, 6, 5, 104, false, false);
    for (uint32_t i = HONEST; i <= OUTLET; i++) tip(r, 50, i, 6, 104);
    e = put(r, 50, LAB_EVENT_RETURNED, MERCHANT, "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc");
    e->block = 6;
    e->a = 1;
    block(r, 55, HIDEOUT, 7, 5, 104, true, true);
    put(r, 60, LAB_EVENT_END, LAB_NONE, "stolen");
}

static const char *write_report(struct run *r, const struct lab_trials_result *trials)
{
    r->report = (struct lab_report){.scenario = &r->scenario,
                                    .events = r->events,
                                    .event_count = r->count,
                                    .names = r->names,
                                    .name_count = NODES,
                                    .trials = trials,
                                    .replay = "cairn-lab run by-hand --seed 7 --set \"q=30%\""};
    memset(r->report.log_hash, 0xab, 32);
    lab_report_html(&r->out, &r->report);
    return buffer_text(&r->out);
}

static void end(struct run *r)
{
    free(r->events);
    buffer_clear(&r->out);
}

/* Every tag that opens closes in order, attributes are quoted, each & begins an entity. */
static void check_tags(const char *html)
{
    char stack[64][24];
    size_t depth = 0;
    const char *at = strstr(html, "<html");
    cr_assert(at != NULL);
    const char *style = strstr(html, "<style>"), *style_end = strstr(html, "</style>");
    while (*at != 0) {
        if (*at == '&') {
            size_t len = strcspn(at, "; <");
            cr_assert(at[len] == ';' && len < 10, "an entity: %.20s", at);
        }
        cr_assert(*at != '>' || (at > style && at < style_end), "a > that ends nothing: %.30s", at);
        if (*at != '<') {
            at++;
            continue;
        }
        bool closes = at[1] == '/';
        const char *name = at + 1 + closes;
        size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
        cr_assert(len > 0 && len < 24, "a tag: %.30s", at);
        const char *stop = name + len;
        while (*stop != '>') {
            cr_assert(*stop != 0 && *stop != '<', "a tag that ends: %.40s", at);
            if (*stop == '"') stop = strchr(stop + 1, '"');
            cr_assert(stop != NULL);
            stop++;
        }
        if (closes) {
            cr_assert(depth > 0 && strlen(stack[depth - 1]) == len && memcmp(stack[depth - 1], name, len) == 0,
                      "closes %s: %.30s", depth > 0 ? stack[depth - 1] : "nothing", at);
            depth--;
        } else if (stop[-1] != '/') {
            cr_assert_lt(depth, 64);
            memcpy(stack[depth], name, len);
            stack[depth++][len] = 0;
        }
        at = stop + 1;
    }
    cr_assert_eq(depth, 0, "%s is open at the end", depth > 0 ? stack[depth - 1] : "");
}

static void has(const char *html, const char *text)
{
    cr_assert(strstr(html, text) != NULL, "\"%s\" is in the report", text);
}

static size_t count_of(const char *html, const char *text)
{
    size_t count = 0;
    for (const char *at = html; (at = strstr(at, text)) != NULL; at++) count++;
    return count;
}

Test(lab_report, tells_a_theft_with_all_its_figures)
{
    struct run r;
    begin(&r, "A theft", "hideout");
    theft(&r);
    const char *html = write_report(&r, NULL);
    check_tags(html);
    has(html, "<h1>A theft</h1>");
    has(html, "<b>stolen</b>");
    has(html, "<b>3 + 4</b><span>blocks found");
    has(html, "<b>1 + 3</b><span>blocks in the chain that won");
    has(html, "<b>2</b><span>deepest reorganisation");
    has(html, "<b>12.5</b><span>BTC that the merchant lost");
    has(html, "The attacker orders &amp; pays.");
    has(html, "cairn-lab run by-hand --seed 7 --set &quot;q=30%&quot;");
    has(html, "<code>abababababababababababababababababababababababababababababababab</code>");
    has(html, "delivered, 2 conf.</td><td class=\"bad\">lost</td>");
    has(html, "title=\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"");
    has(html, "<th scope=\"row\">lost</th><td>0.00000000</td><td>12.50000000</td>");
    has(html, "Transactions thrown out: 2; 1 of them for good");
    has(html, "In a block again: 1, the last of them 1 block later.");
    has(html, "<td class=\"w\">honest 1, honest 2, merchant, outlet</td><td>2</td><td>4</td><td>1</td>");
    has(html, "Alarms: 1<");
    has(html, "Alarm of merchant: reorganisation, 2 deep");
    has(html, "<th scope=\"row\">attacker</th><td>4</td><td>57.143 %</td><td>3</td><td>75.000 %</td><td>1</td>");
    end(&r);
}

Test(lab_report, draws_each_side_in_its_own_shape)
{
    struct run r;
    begin(&r, "A theft", "hideout");
    theft(&r);
    const char *html = write_report(&r, NULL);
    const char *tree = strstr(html, "<svg class=\"tree\""), *legend = strstr(html, "<ul class=\"legend\">");
    cr_assert(tree != NULL && legend > tree);
    char *part = strndup(tree, (size_t)(legend - tree));
    cr_assert_eq(count_of(part, "<circle class=\"ho"), 3, "three honest blocks");
    cr_assert_eq(count_of(part, "<rect class=\"at"), 4, "four of the attacker's");
    cr_assert_eq(count_of(part, "<rect class=\"at sh\""), 3, "of which three were secret and shown");
    cr_assert_eq(count_of(part, "<rect class=\"at st hi\""), 1, "and one never was");
    cr_assert_eq(count_of(part, "<circle class=\"ho st\""), 2, "the merchant's two confirmations are stale");
    cr_assert_eq(count_of(part, "class=\"paid\""), 1);
    has(part, "block 1, height 101, found by honest 1 at 00:10:00");
    has(part, "secret until 00:40:00");
    free(part);
    end(&r);
}

Test(lab_report, holds_the_curves_and_what_was_measured)
{
    struct run r;
    begin(&r, "A theft", "hideout");
    theft(&r);
    r.scenario.setup.confirmations = 6;
    const char *html = write_report(&r, NULL);
    check_tags(html);
    has(html, "<td>13.211 %</td>");
    has(html, "<td>15.645 %</td>");
    has(html, "<td>8.911 %</td>");
    has(html, "this setup</text>");
    cr_assert(strstr(html, "thefts in") == NULL, "nothing was measured");
    buffer_clear(&r.out);

    struct lab_trials_result trials = {.trials = 1000, .stolen = 92, .settled = 1000};
    trials.at_z[2] = 600;
    trials.at_z[3] = 400;
    html = write_report(&r, &trials);
    check_tags(html);
    has(html, "<td>9.200 %</td>");
    has(html, "92 thefts in 1000 trials with whole nodes; 99 % interval 7.1");
    has(html, "<tr><td>2</td><td>600</td>");
    has(html, "class=\"point\"");
    end(&r);
}

Test(lab_report, says_what_a_selfish_miner_may_expect)
{
    struct run r;
    begin(&r, "Selfish", "hideout");
    r.scenario.setup.strategy = LAB_STRATEGY_SELFISH;
    r.scenario.setup.merchant = false;
    r.scenario.setup.q_ppm = 350000;
    r.scenario.setup.gamma_ppm = 500000;
    const char *html = write_report(&r, NULL);
    check_tags(html);
    has(html, "35% of the chain. Selfish mining in the long run (Eyal and Sirer 2014): 41.603 %.");
    cr_assert(strstr(html, "The chance of a double spend") == NULL, "nobody sells");
    end(&r);
}

Test(lab_report, hostile_texts_stay_texts)
{
    struct run r;
    begin(&r, "<script>alert(1)</script> & \"x\" 'y'", "</title><img src=x onerror=alert(1)>");
    theft(&r);
    snprintf(r.scenario.about, sizeof r.scenario.about,
             "]]><!-- \x01\x7f\xff\xc0\xaf\xe2\x80\xae\xed\xa0\x80 gr\xc3\xbc\xc3\x9f");
    snprintf(r.scenario.question, sizeof r.scenario.question, "<b onclick='x'>");
    put(&r, 61, LAB_EVENT_SAY, LAB_NONE, "</li></ol><script>");
    put(&r, 61, LAB_EVENT_COMMAND, LAB_NONE, "say \"><svg onload=alert(1)>");
    put(&r, 61, LAB_EVENT_ALARM, HIDEOUT, "<i>");
    put(&r, 61, LAB_EVENT_LEDGER, MERCHANT, "<u>");
    put(&r, 61, LAB_EVENT_PAYMENT, MERCHANT, "\" onmouseover=\"alert(1)")->a = 1;
    block(&r, 62, HIDEOUT, 8, 7, 105, true, true);
    snprintf(r.events[r.count - 1].text, LAB_TEXT, "</title><script>");
    const char *html = write_report(&r, NULL);
    check_tags(html);
    static const char *const never[] = {"<script", "<img",           "<b onclick", "<i>b", "<u>",         "]]>",
                                        "<!--",    "onmouseover=\"", "\xff",       "\x01", "\xe2\x80\xae"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        cr_assert(strstr(html, never[i]) == NULL, "no %s", never[i]);
    }
    has(html, "gr\xc3\xbc\xc3\x9f");
    has(html, "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;x&quot; &#39;y&#39;");
    end(&r);
}

Test(lab_report, needs_nothing_from_elsewhere)
{
    struct run r;
    begin(&r, "Alone", "hideout");
    theft(&r);
    const char *html = write_report(&r, NULL);
    static const char *const never[] = {"http://", "https://", "url(", "@import", "src=", "href=", "<script", "<link"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        cr_assert(strstr(html, never[i]) == NULL, "no %s", never[i]);
    }
    has(html, "default-src &#39;none&#39;");
    end(&r);
}

/* Numbers of nodes, blocks and orders that cannot be; blocks on blocks that are not there; nothing at all. */
Test(lab_report, events_that_contradict_one_another_do_no_harm)
{
    struct run r;
    begin(&r, "Nonsense", "hideout");
    check_tags(write_report(&r, NULL));
    buffer_clear(&r.out);
    block(&r, 1, 99999, 4000000000u, 0, 1, false, false);
    block(&r, 1, HONEST, 3, 9, 1, false, false);
    block(&r, 1, HONEST, 2, 2, 1, false, false);
    block(&r, 1, HONEST, 1, 0, INT64_MIN, false, false);
    block(&r, 1, HONEST, 1, 0, 5, true, false);
    block(&r, 1, HONEST, 4, 1, INT64_MAX, true, true);
    tip(&r, -5, 77, 4, 1);
    tip(&r, INT64_MAX / 60000000, HONEST, 4, INT64_MAX);
    tip(&r, 1, HONEST_2, 3, INT64_MIN);
    ledger(&r, 1, INT64_MAX, "confirmed");
    put(&r, 1, LAB_EVENT_LEDGER, MERCHANT, "lost")->a = -1;
    struct lab_event *e = put(&r, 1, LAB_EVENT_PAYMENT, MERCHANT, "x");
    e->a = INT64_MAX;
    e->b = INT64_MIN;
    e = put(&r, 1, LAB_EVENT_PAYMENT, MERCHANT, "x");
    e->b = INT64_MIN;
    e->c = 1;
    ledger(&r, 1, INT64_MAX, "confirmed");
    e = put(&r, 1, LAB_EVENT_ATTACK, 5, "leads");
    e->a = INT64_MIN;
    e = put(&r, 1, LAB_EVENT_NODE, 4000000000u, "far");
    e->b = -1;
    put(&r, 1, LAB_EVENT_DROPPED, LAB_NONE, "y");
    put(&r, 1, LAB_EVENT_REORG, LAB_NONE, "")->a = INT64_MIN;
    check_tags(write_report(&r, NULL));
    end(&r);
}

/* A long run: folded, in rows, and not as large as its events. */
Test(lab_report, long_chains_are_folded)
{
    struct run r;
    begin(&r, "Long", "hideout");
    uint32_t number = 0, honest = 0;
    for (int i = 0; i < 2000; i++) {
        block(&r, i * 10, HONEST, ++number, honest, 101 + i, false, false);
        uint32_t parent = honest;
        honest = number;
        for (uint32_t n = HONEST; n <= MERCHANT; n++) tip(&r, i * 10, n, honest, 101 + i);
        if (i % 50 == 7) block(&r, i * 10, HONEST_2, ++number, parent, 101 + i, false, false);
    }
    const char *html = write_report(&r, NULL);
    check_tags(html);
    cr_assert_lt(r.out.len, 400000, "%zu bytes", r.out.len);
    has(html, "<b>2040 + 0</b>");
    has(html, "47 honest</text>");
    buffer_clear(&r.out);

    uint32_t side[2] = {honest, honest}; /* two branches that grow at every height */
    for (int i = 0; i < 1500; i++) {
        for (int s = 0; s < 2; s++) {
            block(&r, 20000 + i, s == 0 ? HONEST : HIDEOUT, ++number, side[s], 2101 + i, s == 1, s == 1);
            if (i % 2 == 0) block(&r, 20000 + i, HONEST_2, ++number, side[s], 2101 + i, false, false);
            side[s] = i % 2 == 0 ? number - 1 : number;
        }
    }
    html = write_report(&r, NULL);
    check_tags(html);
    has(html, "not drawn</text>");
    end(&r);
}
