/* A scenario on a world, unit by unit: one event of the simulator, one cue, or one order of a user, each with the cues
 * that its events set off. What a user orders is kept with its place (events of the simulator so far, and instant), so
 * that a new world that gets the same orders at the same places is the same world. */
#include "lab/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "lab/image.h"

/* An order of a user: a command, or a request to a node that changes something. */
struct order {
    uint64_t steps;
    int64_t at_us;
    uint64_t events; /* in the list when it came */
    bool is_rpc;
    struct lab_command command;
    uint32_t node;
    uint8_t *request;
    size_t request_len;
};

struct lab_play {
    struct lab_scenario scenario;
    struct lab_image *image;
    struct lab_world *world;
    bool *fired; /* one a cue */
    size_t seen; /* events whose cues were looked for */
    struct order *orders;
    size_t order_count, order_cap;
    size_t *unit; /* of each event: how many there were when its unit began */
    size_t unit_count, unit_cap;
    size_t *tips; /* of each node, block by number; SIZE_MAX: it does not count */
    size_t tip_count, tip_cap;
    bool apart, unsettled, settled;
    char refused[256]; /* the first cue that the world did not take */
};

/* ---- has everybody one tip again? ---- */

static void track_node(struct lab_play *p, const struct lab_event *e)
{
    p->tips = mem_grow(p->tips, &p->tip_cap, (size_t)e->node + 1, sizeof(*p->tips));
    while (p->tip_count <= e->node) p->tips[p->tip_count++] = SIZE_MAX;
    if (e->b != LAB_ROLE_HIDEOUT) p->tips[e->node] = 0;
}

static bool one_tip(const struct lab_play *p)
{
    size_t tip = SIZE_MAX;
    for (size_t i = 0; i < p->tip_count; i++) {
        if (p->tips[i] == SIZE_MAX) continue;
        if (tip != SIZE_MAX && tip != p->tips[i]) return false;
        tip = p->tips[i];
    }
    return true;
}

/* What the hideout does with its own chain is no news to anybody. */
static bool is_secret(const struct lab_play *p, const struct lab_event *e)
{
    return (e->kind == LAB_EVENT_REORG || e->kind == LAB_EVENT_ALARM) && e->node < p->tip_count &&
           p->tips[e->node] == SIZE_MAX;
}

static void track(struct lab_play *p, const struct lab_event *e)
{
    p->settled = false;
    if (e->kind == LAB_EVENT_NODE) track_node(p, e);
    if (lab_trigger_matches(LAB_ON_PARTITION, e)) p->apart = true;
    if (lab_trigger_matches(LAB_ON_HEAL, e)) p->apart = false, p->unsettled = true;
    if (e->kind == LAB_EVENT_REORG && !p->apart && !is_secret(p, e)) p->unsettled = true;
    if (e->kind == LAB_EVENT_TIP && e->node < p->tip_count && p->tips[e->node] != SIZE_MAX) p->tips[e->node] = e->block;
    if (!p->unsettled || p->apart || !one_tip(p)) return;
    p->unsettled = false;
    p->settled = true;
}

/* ---- cues ---- */

static void do_cue(struct lab_play *p, size_t i)
{
    struct error e = {0};
    const struct lab_cue *cue = &p->scenario.cues[i];
    p->fired[i] = true;
    if (lab_world_command(p->world, &cue->command, &e) == RESULT_OK || p->refused[0]) return;
    snprintf(p->refused, sizeof(p->refused), "%s: %.200s", lab_command_rows[cue->command.kind].name, e.text);
}

/* A unit ends: cues of its events (which may bring more events), then its events know where it began. */
static void end_unit(struct lab_play *p, size_t begun)
{
    size_t count;
    const struct lab_event *events = lab_world_events(p->world, &count);
    while (p->seen < count) {
        struct lab_event e = events[p->seen++];
        track(p, &e);
        for (size_t i = 0; i < p->scenario.cue_count && !is_secret(p, &e) && !lab_world_is_over(p->world); i++) {
            enum lab_trigger t = p->scenario.cues[i].trigger;
            if (!p->fired[i] && t != LAB_AT && (lab_trigger_matches(t, &e) || (t == LAB_ON_SETTLED && p->settled)))
                do_cue(p, i);
        }
        events = lab_world_events(p->world, &count);
    }
    p->unit = mem_grow(p->unit, &p->unit_cap, count, sizeof(*p->unit));
    while (p->unit_count < count) p->unit[p->unit_count++] = begun;
}

/* The next one of the clock, the first of the file among equals; SIZE_MAX: none. */
static size_t next_cue(const struct lab_play *p)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < p->scenario.cue_count; i++) {
        const struct lab_cue *c = &p->scenario.cues[i];
        if (p->fired[i] || c->trigger != LAB_AT) continue;
        if (best == SIZE_MAX || c->at_us < p->scenario.cues[best].at_us) best = i;
    }
    return best;
}

static size_t event_count(const struct lab_play *p)
{
    size_t count;
    (void)lab_world_events(p->world, &count);
    return count;
}

/* ---- units ---- */

/* A cue of the clock comes behind all else that happens at its instant. */
static bool cue_is_due(const struct lab_play *p, int64_t until_us, size_t *cue)
{
    *cue = next_cue(p);
    if (*cue == SIZE_MAX || lab_world_is_over(p->world)) return false;
    int64_t at = p->scenario.cues[*cue].at_us;
    return at <= until_us && lab_world_next_us(p->world) > at;
}

/* One unit that begins at UNTIL_US at the latest. False: there is none. */
static bool one_unit(struct lab_play *p, int64_t until_us)
{
    size_t begun = event_count(p), cue;
    if (lab_world_is_over(p->world)) return false;
    if (cue_is_due(p, until_us, &cue)) {
        (void)lab_world_run(p->world, p->scenario.cues[cue].at_us, 1);
        do_cue(p, cue);
    } else {
        uint64_t steps = lab_world_steps(p->world);
        if (lab_world_next_us(p->world) > until_us || lab_world_next_us(p->world) == INT64_MAX) return false;
        /* No further than that event: a cue may be due between it and UNTIL_US. */
        (void)lab_world_run(p->world, lab_world_next_us(p->world), 1);
        if (lab_world_steps(p->world) == steps) return false;
    }
    end_unit(p, begun);
    return true;
}

static void begin(struct lab_play *p)
{
    lab_world_free(p->world);
    p->world = lab_world_new_on(p->image, &p->scenario.setup, p->scenario.name);
    memset(p->fired, 0, p->scenario.cue_count * sizeof(*p->fired));
    p->seen = p->unit_count = p->tip_count = 0;
    p->apart = p->unsettled = p->settled = false;
    p->refused[0] = '\0';
    end_unit(p, 0);
}

struct lab_play *lab_play_new(const struct lab_scenario *scenario)
{
    struct lab_play *p = mem_calloc(1, sizeof(*p));
    p->scenario = lab_scenario_copy(scenario);
    p->image = lab_image_new();
    p->fired = mem_calloc(scenario->cue_count + 1, sizeof(*p->fired));
    begin(p);
    return p;
}

void lab_play_free(struct lab_play *p)
{
    if (!p) return;
    lab_world_free(p->world);
    lab_image_free(p->image);
    for (size_t i = 0; i < p->order_count; i++) free(p->orders[i].request);
    lab_scenario_clear(&p->scenario);
    free(p->fired);
    free(p->orders);
    free(p->unit);
    free(p->tips);
    free(p);
}

/* ---- going on ---- */

bool lab_play_step(struct lab_play *p)
{
    size_t before = event_count(p);
    while (event_count(p) == before)
        if (!one_unit(p, INT64_MAX)) return false;
    return true;
}

static int64_t real_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool lab_play_run(struct lab_play *p, int64_t until_us, int budget_ms)
{
    enum { LOOK_EVERY = 16 };
    int64_t end_ms = budget_ms > 0 ? real_ms() + budget_ms : INT64_MAX;
    for (unsigned n = 1; one_unit(p, until_us); n++)
        if (n % LOOK_EVERY == 0 && budget_ms > 0 && real_ms() >= end_ms) return true;
    bool never = lab_world_next_us(p->world) == INT64_MAX && next_cue(p) == SIZE_MAX;
    if (until_us != INT64_MAX) (void)lab_world_run(p->world, until_us, 1);
    return !lab_world_is_over(p->world) && !never;
}

/* ---- orders ---- */

static void cues_that_are_due(struct lab_play *p)
{
    size_t cue;
    while (cue_is_due(p, lab_world_now_us(p->world), &cue)) CHECK(one_unit(p, lab_world_now_us(p->world)));
}

static struct order *keep_order(struct lab_play *p)
{
    p->orders = mem_grow(p->orders, &p->order_cap, p->order_count + 1, sizeof(*p->orders));
    struct order *o = &p->orders[p->order_count++];
    *o = (struct order){
        .steps = lab_world_steps(p->world), .at_us = lab_world_now_us(p->world), .events = event_count(p)};
    return o;
}

enum result lab_play_command(struct lab_play *p, struct span line, struct error *e)
{
    struct lab_command c;
    enum result r = lab_command_parse(&c, line, e);
    if (r) return r;
    cues_that_are_due(p);
    if (lab_world_is_over(p->world)) return error_set(e, RESULT_INVALID, "it is over");
    struct order *o = keep_order(p);
    o->command = c;
    r = lab_world_command(p->world, &c, e);
    if (r) p->order_count--;
    size_t begun = r ? event_count(p) : (size_t)o->events;
    end_unit(p, begun);
    return r;
}

int lab_play_rpc(struct lab_play *p, uint32_t node, struct span request, bool changes, struct buffer *out)
{
    if (!changes) return lab_world_rpc(p->world, node, request, out);
    cues_that_are_due(p);
    struct order *o = keep_order(p);
    o->is_rpc = true;
    o->node = node;
    o->request = mem_dup(request.data, request.len);
    o->request_len = request.len;
    int status = lab_world_rpc(p->world, node, request, out);
    end_unit(p, (size_t)p->orders[p->order_count - 1].events);
    return status;
}

static void repeat_order(struct lab_play *p, const struct order *o)
{
    size_t begun = event_count(p);
    struct error e;
    if (o->is_rpc) {
        struct buffer out = {0};
        (void)lab_world_rpc(p->world, o->node, span_of(o->request, o->request_len), &out);
        buffer_clear(&out);
    } else {
        CHECK(lab_world_command(p->world, &o->command, &e) == RESULT_OK);
    }
    end_unit(p, begun);
}

/* ---- the way back ---- */

/* To the place of an order. */
static bool go_to(struct lab_play *p, const struct order *o)
{
    size_t cue;
    while (cue_is_due(p, o->at_us, &cue) || lab_world_steps(p->world) < o->steps)
        if (!one_unit(p, o->at_us)) return false;
    if (lab_world_next_us(p->world) > o->at_us) (void)lab_world_run(p->world, o->at_us, 1);
    return lab_world_steps(p->world) == o->steps && lab_world_now_us(p->world) == o->at_us;
}

enum result lab_play_rewind(struct lab_play *p, uint64_t seq, struct error *e)
{
    if (seq >= event_count(p)) return RESULT_OK;
    uint8_t was[32], is[32] = {0};
    size_t to = p->unit[seq], count;
    const struct lab_event *events = lab_world_events(p->world, &count);
    memset(was, 0, sizeof(was));
    for (size_t i = 0; i < to; i++) lab_event_chain(was, &events[i]);
    while (p->order_count && p->orders[p->order_count - 1].events >= to) free(p->orders[--p->order_count].request);
    begin(p);
    for (size_t i = 0; i < p->order_count; i++) {
        if (!go_to(p, &p->orders[i])) return error_set(e, RESULT_CORRUPT, "the way back did not lead to an order");
        repeat_order(p, &p->orders[i]);
    }
    while (event_count(p) < to)
        if (!one_unit(p, INT64_MAX)) break;
    events = lab_world_events(p->world, &count);
    for (size_t i = 0; i < to && i < count; i++) lab_event_chain(is, &events[i]);
    if (count < to || memcmp(was, is, 32) != 0)
        return error_set(e, RESULT_CORRUPT, "the way back came to another history");
    return RESULT_OK;
}

struct lab_world *lab_play_world(struct lab_play *p)
{
    return p->world;
}

const struct lab_scenario *lab_play_scenario(const struct lab_play *p)
{
    return &p->scenario;
}

const char *lab_play_refused(const struct lab_play *p)
{
    return p->refused[0] ? p->refused : NULL;
}
