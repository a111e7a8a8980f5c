/* Figures of a run, from lists of events made by hand. */
#include <criterion/criterion.h>

#include "lab/figures.h"
#include "lab/world.h"

static struct lab_event list[64];
static size_t length;

static struct lab_event *add(enum lab_event_kind kind, int64_t second, uint32_t node, const char *text)
{
    struct lab_event *e = &list[length];
    *e = (struct lab_event){
        .seq = length++, .at_us = second * 1000000, .kind = kind, .node = node, .block = LAB_NONE, .other = LAB_NONE};
    strcpy(e->text, text);
    return e;
}

static void node(uint32_t number, enum lab_role role)
{
    add(LAB_EVENT_NODE, 0, number, "x")->b = role;
}

static void block(int64_t second, uint32_t number, uint32_t parent, bool attacker, bool secret)
{
    struct lab_event *e = add(LAB_EVENT_BLOCK, second, 0, "");
    e->block = number;
    e->other = parent;
    e->c = attacker;
    e->d = secret;
    e->b = number % 2;
}

static void tip(int64_t second, uint32_t who, uint32_t number)
{
    add(LAB_EVENT_TIP, second, who, "")->block = number;
}

static void expect(const char *name, const char *value)
{
    struct lab_setup setup = lab_setup_default();
    struct buffer out = {0};
    setup.q_ppm = 300000;
    cr_assert(lab_figure_measure(&out, span_str(name), &setup, list, length), "%s", name);
    cr_assert_str_eq(buffer_text(&out), value, "%s: %s, expected %s", name, buffer_text(&out), value);
    buffer_clear(&out);
}

/* Two nodes and a hideout: blocks 1, 2 and 3 by the honest ones (3 beside 4), then the secret 4 and 5 win. */
static void small_theft(void)
{
    length = 0;
    node(0, LAB_ROLE_HONEST);
    node(1, LAB_ROLE_MERCHANT);
    node(2, LAB_ROLE_HIDEOUT);
    block(10, 1, 0, false, false);
    tip(10, 0, 1);
    tip(11, 1, 1);
    add(LAB_EVENT_ATTACK, 20, 2, "begins");
    add(LAB_EVENT_PAYMENT, 20, 0, "");
    block(30, 2, 1, false, false);
    tip(30, 0, 2);
    tip(31, 1, 2);
    struct lab_event *book = add(LAB_EVENT_LEDGER, 31, 1, "delivered");
    book->c = 700;
    block(40, 3, 1, true, true);
    tip(40, 2, 3);
    block(50, 4, 3, true, true);
    block(55, 5, 4, true, true);
    add(LAB_EVENT_SHOWN, 60, 2, "")->block = 3;
    add(LAB_EVENT_SHOWN, 60, 2, "")->block = 4;
    tip(60, 0, 4);
    struct lab_event *r = add(LAB_EVENT_REORG, 60, 0, "");
    r->a = 1, r->b = 4, r->c = 1;
    add(LAB_EVENT_REORG, 60, 2, "")->a = 9;
    add(LAB_EVENT_ALARM, 60, 2, "reorganisation");
    add(LAB_EVENT_ALARM, 61, 0, "reorganisation");
    add(LAB_EVENT_DROPPED, 61, 1, "a")->a = 1;
    add(LAB_EVENT_DROPPED, 61, 1, "b");
    add(LAB_EVENT_RETURNED, 62, 1, "b");
    book = add(LAB_EVENT_LEDGER, 61, 1, "lost");
    book->c = 700;
    add(LAB_EVENT_ATTACK, 61, 2, "won");
}

Test(lab_figures, count_blocks_and_branches)
{
    small_theft();
    expect("blocks", "5");
    expect("chain", "3");
    expect("stale", "1");
    expect("stale-share", "25.00%");
    expect("tips", "2");
    tip(62, 1, 4);
    expect("tips", "1");
    expect("attacker-blocks", "3");
    expect("honest-blocks", "1");
    expect("attacker-share", "100.00%");
    expect("chain-since", "2");
    expect("empty-share", "50.00%");
}

Test(lab_figures, know_the_network_from_the_hideout)
{
    small_theft();
    expect("reorganisations", "1");
    expect("deepest-reorganisation", "1");
    expect("alarms", "1");
    expect("alarm-after", "41s");
    expect("back-in-pool", "4");
    expect("dropped", "1");
    expect("gone", "1");
    expect("returned", "1");
}

Test(lab_figures, follow_the_book)
{
    small_theft();
    expect("paid-to-delivered", "11s");
    expect("delivered-to-lost", "30s");
    expect("orders-lost", "1");
    expect("orders-delivered", "0");
    expect("lost", "700");
    expect("attack-took", "41s");
}

Test(lab_figures, time_the_heal)
{
    length = 0;
    expect("healed-after", "-");
    node(0, LAB_ROLE_HONEST);
    node(1, LAB_ROLE_HONEST);
    block(5, 1, 0, false, false);
    block(6, 2, 0, false, false);
    tip(5, 0, 1);
    tip(6, 1, 2);
    add(LAB_EVENT_LINK, 100, LAB_NONE, "heal");
    expect("healed-after", "-");
    tip(107, 1, 1);
    tip(150, 1, 2);
    expect("healed-after", "7s");
}

Test(lab_figures, have_none_where_nothing_happened)
{
    length = 0;
    expect("blocks", "0");
    expect("stale-share", "-");
    expect("alarm-after", "-");
    expect("delivered-to-lost", "-");
}

Test(lab_figures, know_theory)
{
    length = 0;
    expect("theory-strict", "8.91%");
    expect("theory-paper", "15.64%");
    expect("theory-nakamoto", "13.21%");
    expect("theory-selfish", "32.69%");
}

Test(lab_figures, survive_lists_that_make_no_sense)
{
    length = 0;
    block(1, 7, 7, false, false);
    block(1, 3, 9, false, false);
    tip(1, 0, 7);
    tip(1, 9999, 7);
    tip(1, 1, LAB_NONE);
    add(LAB_EVENT_LEDGER, 1, 0, "delivered")->a = 99999;
    add(LAB_EVENT_LEDGER, 1, 0, "delivered")->a = -1;
    add(LAB_EVENT_SHOWN, 1, 0, "")->block = 99;
    struct lab_setup setup = lab_setup_default();
    for (size_t i = 0; i < lab_figure_count; i++) {
        if (strcmp(lab_figure_rows[i].name, "race") == 0 || strcmp(lab_figure_rows[i].name, "selfish") == 0) continue;
        struct buffer out = {0};
        cr_assert(lab_figure_measure(&out, span_str(lab_figure_rows[i].name), &setup, list, length));
        cr_assert_gt(out.len, 0);
        buffer_clear(&out);
    }
    cr_assert_not(lab_figure_exists(span_str("speed")));
}
