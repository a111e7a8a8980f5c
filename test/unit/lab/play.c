/* A scenario on a world: cues at their places, orders of a user, the way back. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "lab/play.h"

static const char theft[] = "title = T\n"
                            "[setup]\n"
                            "seed = 27\n"
                            "honest = 2\n"
                            "q = 30%\n"
                            "strategy = double\n"
                            "patience = 8\n"
                            "pay = 20m\n"
                            "[story]\n"
                            "at 0: say begins\n"
                            "at 30m: attack\n"
                            "at 30m: say behind the attack\n"
                            "on delivered: say delivered\n"
                            "on stolen: say stolen\n"
                            "on settled: say settled\n";

static struct lab_scenario scenario_of(const char *text)
{
    struct lab_scenario s;
    struct error e = {0};
    cr_assert_eq(lab_scenario_parse(&s, "play", span_str(text), &e), RESULT_OK, "%s", e.text);
    return s;
}

static struct lab_play *play_of(const char *text)
{
    struct lab_scenario s = scenario_of(text);
    struct lab_play *p = lab_play_new(&s);
    lab_scenario_clear(&s);
    return p;
}

struct log {
    size_t count;
    uint8_t hash[32];
};

static struct log log_of(struct lab_play *p)
{
    struct log l;
    (void)lab_world_events(lab_play_world(p), &l.count);
    lab_world_log_hash(lab_play_world(p), l.hash);
    return l;
}

static void expect_same(struct log a, struct log b)
{
    cr_assert_eq(a.count, b.count, "%zu and %zu events", a.count, b.count);
    cr_assert_eq(memcmp(a.hash, b.hash, 32), 0);
}

static struct log to_the_end(struct lab_play *p)
{
    while (lab_play_run(p, INT64_MAX, 0)) continue;
    cr_assert_null(lab_world_failure(lab_play_world(p)), "%s", lab_world_failure(lab_play_world(p)));
    cr_assert(lab_world_is_over(lab_play_world(p)));
    return log_of(p);
}

/* The whole list, and its chain. */
static struct log expect_list(struct lab_play *p)
{
    struct log l = log_of(p), own = {l.count, {0}};
    const struct lab_event *events = lab_world_events(lab_play_world(p), &l.count);
    for (size_t i = 0; i < l.count; i++) {
        cr_assert_eq(events[i].seq, i);
        lab_event_chain(own.hash, &events[i]);
    }
    expect_same(l, own);
    return l;
}

static int64_t said_at(struct lab_play *p, enum lab_event_kind kind, const char *text, size_t *place)
{
    size_t count;
    const struct lab_event *events = lab_world_events(lab_play_world(p), &count);
    for (size_t i = 0; i < count; i++)
        if (events[i].kind == kind && strcmp(events[i].text, text) == 0) return *place = i, events[i].at_us;
    return -1;
}

Test(lab_play, cues_come_at_their_places)
{
    struct lab_play *p = play_of(theft);
    size_t order, behind, delivered, book, stolen, lost;
    to_the_end(p);
    cr_assert_null(lab_play_refused(p), "%s", lab_play_refused(p));
    cr_assert_eq(said_at(p, LAB_EVENT_SAY, "begins", &order), 0);
    cr_assert_eq(said_at(p, LAB_EVENT_COMMAND, "attack", &order), INT64_C(1800000000));
    cr_assert_eq(said_at(p, LAB_EVENT_SAY, "behind the attack", &behind), INT64_C(1800000000));
    cr_assert_lt(order, behind);
    cr_assert_eq(said_at(p, LAB_EVENT_SAY, "delivered", &delivered), said_at(p, LAB_EVENT_LEDGER, "delivered", &book));
    cr_assert_lt(book, delivered);
    cr_assert_eq(said_at(p, LAB_EVENT_SAY, "stolen", &stolen), said_at(p, LAB_EVENT_LEDGER, "lost", &lost));
    cr_assert_lt(lost, stolen);
    cr_assert_gt(said_at(p, LAB_EVENT_SAY, "settled", &order), 0);
    expect_list(p);
    lab_play_free(p);
}

Test(lab_play, one_seed_is_one_history_however_it_is_played)
{
    struct lab_play *a = play_of(theft), *b = play_of(theft), *c = play_of(theft);
    struct log whole = to_the_end(a);
    while (lab_play_step(b)) continue;
    expect_same(whole, log_of(b));
    for (int64_t t = 0; lab_play_run(c, t, t % 3 ? 1 : 0); t += 37000001) continue;
    expect_same(whole, log_of(c));
    lab_play_free(a);
    lab_play_free(b);
    lab_play_free(c);
}

Test(lab_play, a_step_is_at_least_one_event)
{
    struct lab_play *p = play_of(theft);
    size_t before = log_of(p).count;
    for (int i = 0; i < 40; i++) {
        cr_assert(lab_play_step(p));
        size_t count = log_of(p).count;
        cr_assert_gt(count, before);
        before = count;
    }
    lab_play_free(p);
}

Test(lab_play, goes_back_and_comes_to_the_same_end)
{
    struct lab_play *p = play_of(theft);
    struct log whole = to_the_end(p);
    struct error e = {0};
    for (size_t seq = whole.count; seq-- > 0;) {
        if (seq % 29 && seq > 3) continue;
        cr_assert_eq(lab_play_rewind(p, seq, &e), RESULT_OK, "%s", e.text);
        cr_assert_leq(log_of(p).count, seq < 14 ? 14 : seq);
        expect_list(p);
    }
    expect_same(whole, to_the_end(p));
    lab_play_free(p);
}

/* A cue has its instant, also where it lies between an event and the end of a stretch, with no other event there. */
Test(lab_play, stretches_of_any_length_make_one_list)
{
    char text[2000];
    int n = snprintf(text, sizeof(text), "%s", theft);
    for (int i = 1; i < 30; i++) n += snprintf(text + n, sizeof(text) - (size_t)n, "at %dm: say %d\n", 5 * i, i);
    struct lab_play *p = play_of(text);
    struct log whole = to_the_end(p);
    lab_play_free(p);
    for (int64_t stretch_s = 7; stretch_s < 1000; stretch_s += 83) {
        p = play_of(text);
        for (int64_t t = 0; lab_play_run(p, t, 0);) t += stretch_s * 1000000;
        expect_same(whole, log_of(p));
        lab_play_free(p);
    }
}

Test(lab_play, goes_back_to_the_very_list_of_then)
{
    struct lab_play *p = play_of(theft);
    struct log at[400];
    size_t n = 0;
    struct error e = {0};
    do at[n++] = log_of(p);
    while (n < 400 && lab_play_step(p));
    for (size_t i = n; i-- > 0; i -= i > 5 ? 5 : 0) {
        cr_assert_eq(lab_play_rewind(p, at[i].count, &e), RESULT_OK, "%s", e.text);
        expect_same(at[i], log_of(p));
    }
    lab_play_free(p);
}

static void order(struct lab_play *p, const char *line)
{
    struct error e = {0};
    cr_assert_eq(lab_play_command(p, span_str(line), &e), RESULT_OK, "%s: %s", line, e.text);
}

Test(lab_play, orders_of_a_user_are_repeated_or_forgotten)
{
    struct lab_play *p = play_of(theft);
    struct log plain = to_the_end(p), before, with;
    struct error e = {0};
    cr_assert_eq(lab_play_rewind(p, 0, &e), RESULT_OK);
    lab_play_run(p, INT64_C(2000000000), 0);
    before = log_of(p);
    order(p, "power 45%");
    lab_play_run(p, INT64_C(2500000000), 0);
    size_t later = log_of(p).count;
    order(p, "pay 0.5");
    lab_play_step(p);
    order(p, "miners 2");
    with = to_the_end(p);
    cr_assert(memcmp(plain.hash, with.hash, 32) != 0);
    cr_assert_eq(lab_play_rewind(p, with.count - 1, &e), RESULT_OK, "%s", e.text);
    expect_same(with, to_the_end(p));
    cr_assert_eq(lab_play_rewind(p, later, &e), RESULT_OK, "%s", e.text);
    cr_assert_neq(memcmp(to_the_end(p).hash, with.hash, 32), 0);
    cr_assert_eq(lab_play_rewind(p, before.count, &e), RESULT_OK, "%s", e.text);
    expect_same(before, log_of(p));
    expect_same(plain, to_the_end(p));
    lab_play_free(p);
}

Test(lab_play, requests_that_change_a_node_are_repeated)
{
    struct lab_play *p = play_of(theft);
    struct error e = {0};
    struct buffer out = {0};
    lab_play_run(p, INT64_C(5000000000), 0);
    static const char best[] = "{\"id\":1,\"method\":\"getbestblockhash\",\"params\":[]}";
    cr_assert_eq(lab_play_rpc(p, 0, span_str(best), false, &out), 200);
    const char *hash = strstr(buffer_text(&out), "\"result\":\"");
    cr_assert_not_null(hash);
    char request[200];
    snprintf(request, sizeof(request), "{\"id\":1,\"method\":\"invalidateblock\",\"params\":[\"%.64s\"]}", hash + 10);
    size_t count = log_of(p).count;
    cr_assert_eq(lab_play_rpc(p, 0, span_str(request), true, &out), 200, "%s", buffer_text(&out));
    cr_assert_gt(log_of(p).count, count);
    lab_play_run(p, INT64_C(6000000000), 0);
    struct log then = log_of(p);
    lab_play_run(p, INT64_C(7000000000), 0);
    cr_assert_eq(lab_play_rewind(p, then.count, &e), RESULT_OK, "%s", e.text);
    expect_same(then, log_of(p));
    buffer_clear(&out);
    lab_play_free(p);
}

Test(lab_play, tells_what_was_refused)
{
    struct lab_play *p = play_of("title = T\n[setup]\nmerchant = no\n[story]\nat 5m: attack double\nat 1h: end\n");
    struct error e = {0};
    cr_assert_eq(lab_play_command(p, span_str("attack double"), &e), RESULT_INVALID);
    cr_assert_eq(lab_play_command(p, span_str("fly"), &e), RESULT_INVALID);
    cr_assert_str_eq(e.text, "there is no command fly");
    to_the_end(p);
    cr_assert_not_null(lab_play_refused(p));
    cr_assert_not_null(strstr(lab_play_refused(p), "attack: "), "%s", lab_play_refused(p));
    cr_assert_eq(lab_world_now_us(lab_play_world(p)), INT64_C(3600000000));
    cr_assert_eq(lab_play_command(p, span_str("pay"), &e), RESULT_INVALID);
    cr_assert_str_eq(e.text, "it is over");
    lab_play_free(p);
}

Test(lab_play, is_a_source_for_the_page)
{
    struct lab_source s = lab_play_source_new();
    struct lab_scenario scenario = scenario_of(theft);
    struct lab_source_state state;
    struct error e = {0};
    struct buffer out = {0};
    size_t count;
    s.state(s.ctx, &state);
    cr_assert(state.over && !state.scenario);
    cr_assert_eq(s.command(s.ctx, span_str("pay"), &e), RESULT_INVALID);
    cr_assert_eq(s.start(s.ctx, &scenario, &e), RESULT_OK);
    s.advance(s.ctx, INT64_C(1800000000), 1000000);
    s.step(s.ctx);
    cr_assert_not_null(s.events(s.ctx, &count));
    s.state(s.ctx, &state);
    cr_assert_eq(state.seq, count);
    cr_assert(!state.over && !state.live && !state.failure);
    cr_assert_str_eq(state.scenario->title, "T");
    cr_assert_eq(s.command(s.ctx, span_str("pay"), &e), RESULT_OK);
    static const char request[] = "{\"id\":1,\"method\":\"getblockcount\",\"params\":[]}";
    cr_assert_eq(s.rpc(s.ctx, 0, span_str(request), &out), 200);
    cr_assert_eq(s.rpc(s.ctx, 99, span_str(request), &out), 503);
    cr_assert_eq(s.rewind(s.ctx, 20, &e), RESULT_OK);
    s.state(s.ctx, &state);
    cr_assert_leq(state.seq, 20);
    scenario.setup.honest = 0;
    cr_assert_eq(s.start(s.ctx, &scenario, &e), RESULT_INVALID);
    s.state(s.ctx, &state);
    cr_assert_leq(state.seq, 20);
    buffer_clear(&out);
    lab_scenario_clear(&scenario);
    lab_play_source_free(&s);
    lab_play_source_free(&s);
}
