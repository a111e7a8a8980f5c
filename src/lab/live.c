/* A live laboratory: its life, the loop, the list of events, and its face towards page and terminal (source.h). */
#include "lab/live.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "lab/live_internal.h"

enum { STEP_MS = 20 };

int64_t live_virtual_us(const struct lab_live *l)
{
    return (int64_t)((double)(live_now_us() - l->began_us) * l->options.speed);
}

/* ---- events ---- */

struct lab_event *live_emit(struct lab_live *l, enum lab_event_kind kind, uint32_t node)
{
    l->events = mem_grow(l->events, &l->event_cap, l->event_count + 1, sizeof(*l->events));
    struct lab_event *e = &l->events[l->event_count];
    memset(e, 0, sizeof(*e));
    e->seq = l->event_count;
    e->at_us = live_virtual_us(l);
    e->kind = kind;
    e->node = node;
    e->block = e->other = LAB_NONE;
    return e;
}

void live_emitted(struct lab_live *l)
{
    lab_event_chain(l->log_hash, &l->events[l->event_count++]);
}

void live_emit_text(struct lab_live *l, enum lab_event_kind kind, uint32_t node, const char *text)
{
    snprintf(live_emit(l, kind, node)->text, LAB_TEXT, "%s", text);
    live_emitted(l);
}

void live_end(struct lab_live *l, const char *how)
{
    if (l->over) return;
    l->over = true;
    live_emit_text(l, LAB_EVENT_END, LAB_NONE, how);
}

void live_broken(struct lab_live *l, const char *format, ...)
{
    va_list values;
    if (*l->failure) return;
    va_start(values, format);
    vsnprintf(l->failure, sizeof(l->failure), format, values);
    va_end(values);
    live_end(l, "broken");
}

/* ---- the story ---- */

static void cue(struct lab_live *l, size_t i)
{
    struct error e = {0};
    l->cue_done[i] = true;
    if (live_command(l, &l->scenario.cues[i].command, &e) == RESULT_OK) return;
    struct lab_event *event = live_emit(l, LAB_EVENT_SAY, LAB_NONE);
    const char *order = lab_command_rows[l->scenario.cues[i].command.kind].name;
    snprintf(event->text, LAB_TEXT, "%s: %.400s", order, e.text);
    live_emitted(l);
}

static bool one_tip(const struct lab_live *l)
{
    uint32_t tip = live_public_tip(l);
    for (uint32_t i = 0; i < l->member_count; i++) {
        bool hides = i == l->hideout && l->attack.active;
        if (!hides && !l->members[i].told_down && l->members[i].tip != tip) return false;
    }
    return true;
}

/* True once all have one tip again after a reorganisation or after the network was in halves. */
static bool is_settled(struct lab_live *l, const struct lab_event *e)
{
    bool reorg = e->kind == LAB_EVENT_REORG && e->node != l->hideout;
    if (lab_trigger_matches(LAB_ON_HEAL, e) || (reorg && !l->partitioned)) l->unsettled = true;
    if (!l->unsettled || l->partitioned || l->cued + 1 < l->event_count || !one_tip(l)) return false;
    l->unsettled = false;
    return true;
}

static void play_story(struct lab_live *l)
{
    int64_t now = live_virtual_us(l);
    const struct lab_scenario *s = &l->scenario;
    for (size_t i = 0; i < s->cue_count; i++)
        if (!l->cue_done[i] && s->cues[i].trigger == LAB_AT && s->cues[i].at_us <= now) cue(l, i);
    for (; l->cued < l->event_count; l->cued++) {
        struct lab_event e = l->events[l->cued]; /* the list moves when it grows */
        bool settled = is_settled(l, &e);
        for (size_t i = 0; i < s->cue_count; i++) {
            enum lab_trigger t = s->cues[i].trigger;
            if (l->cue_done[i] || t == LAB_AT) continue;
            if (lab_trigger_matches(t, &e) || (t == LAB_ON_SETTLED && settled)) cue(l, i);
        }
    }
}

/* An attempt is over, what it threw out is in blocks again, and all have had time to agree. */
static void look_at_the_end(struct lab_live *l)
{
    enum { BLOCKS_AFTER = 2 };
    if (l->over || !l->attempt_over || l->attack.active || l->eclipsed || l->missing_count) return;
    uint32_t tip = live_public_tip(l);
    if (live_height(l, tip) < l->over_height + BLOCKS_AFTER) return;
    for (size_t i = 0; i < l->member_count; i++)
        if (l->members[i].tip != tip && !l->members[i].told_down) return;
    live_end(l, l->outcome);
}

/* ---- life ---- */

static void begin(struct lab_live *l)
{
    const struct lab_setup *s = &l->scenario.setup;
    l->began_us = live_now_us();
    l->running = true;
    live_mining_init(l);
    struct lab_event *start = live_emit(l, LAB_EVENT_START, LAB_NONE);
    start->a = (int64_t)s->seed;
    snprintf(start->text, LAB_TEXT, "%s", l->scenario.name);
    live_emitted(l);
    uint32_t q = s->added ? 0 : s->q_ppm;
    for (uint32_t i = 0; i < l->member_count; i++) {
        struct live_member *m = &l->members[i];
        m->told_power = i == l->hideout ? q : m->role == LAB_ROLE_HONEST ? (LAB_PPM - q) / s->honest : 0;
        struct lab_event *node = live_emit(l, LAB_EVENT_NODE, i);
        node->a = m->told_power;
        node->b = m->role;
        snprintf(node->text, LAB_TEXT, "%s", m->name);
        live_emitted(l);
    }
    if (l->eclipsed) live_emit_text(l, LAB_EVENT_LINK, l->merchant, s->honest_link ? "honest link" : "eclipse");
    live_mining_changed(l);
    l->next_pay_us = s->pay_us;
}

static void clear_run(struct lab_live *l)
{
    live_stop(l);
    free(l->events);
    free(l->cue_done);
    live_loop_close(&l->loop);
    if (l->has_scenario) lab_scenario_clear(&l->scenario);
}

/* Ends what there is and begins anew. */
static enum result run_scenario(struct lab_live *l, const struct lab_scenario *scenario, struct error *e)
{
    struct lab_scenario copy = lab_scenario_copy(scenario); /* it may be our own */
    struct lab_live_options options = l->options;
    char *cairnd = l->cairnd, *miner = l->miner, *parent = l->parent;
    clear_run(l);
    *l = (struct lab_live){
        .options = options, .cairnd = cairnd, .miner = miner, .parent = parent, .guard = {.fd = -1, .folder.fd = -1}};
    l->scenario = copy;
    l->has_scenario = true;
    l->cue_done = mem_calloc(copy.cue_count + 1, sizeof(bool));
    live_loop_open(&l->loop, options.stopped, options.stopped_arg);
    enum result r = lab_setup_check(&copy.setup, e);
    if (r == RESULT_OK) r = live_start(l, e);
    if (r != RESULT_OK) {
        live_guard_close(&l->guard);
        return r;
    }
    begin(l);
    return RESULT_OK;
}

enum result lab_live_new(struct lab_live **out, const struct lab_live_options *o, struct error *e)
{
    struct lab_live *l = mem_calloc(1, sizeof(*l));
    l->options = *o;
    l->cairnd = mem_strdup(o->cairnd);
    l->miner = o->miner ? mem_strdup(o->miner) : NULL;
    l->parent = mem_strdup(o->folder);
    l->guard = (struct live_guard){.fd = -1, .folder = {.fd = -1}};
    l->options.scenario = NULL;
    l->options.cairnd = l->cairnd;
    l->options.miner = l->miner;
    l->options.folder = l->parent;
    *out = NULL;
    enum result r = o->speed > 0 ? RESULT_OK : error_set(e, RESULT_INVALID, "the speed must be above 0");
    if (r == RESULT_OK) r = run_scenario(l, o->scenario, e);
    if (r == RESULT_OK)
        *out = l;
    else
        lab_live_free(l);
    return r;
}

void lab_live_free(struct lab_live *l)
{
    if (!l) return;
    clear_run(l);
    free(l->cairnd);
    free(l->miner);
    free(l->parent);
    free(l);
}

bool lab_live_run(struct lab_live *l, int milliseconds)
{
    int64_t end = live_now_us() + (int64_t)milliseconds * 1000;
    do {
        int64_t left_ms = (end - live_now_us()) / 1000;
        if (l->over || !l->running || live_loop_is_stopped(&l->loop)) return false;
        live_loop_run(&l->loop, left_ms < STEP_MS ? (int)(left_ms > 0 ? left_ms : 0) : STEP_MS);
        if (!live_guard_is_there(&l->guard)) live_broken(l, "somebody ended the guardian of the processes");
        live_chain_look(l);
        live_orders_look(l);
        live_attack_look(l);
        live_mining_look(l);
        live_public_look(l);
        live_clock_look(l);
        play_story(l);
        look_at_the_end(l);
    } while (live_now_us() < end);
    return !l->over;
}

/* ---- a source ---- */

static enum result source_start(void *ctx, const struct lab_scenario *scenario, struct error *e)
{
    return run_scenario(ctx, scenario, e);
}

static void source_advance(void *ctx, int64_t until_us, int budget_ms)
{
    (void)until_us;
    lab_live_run(ctx, budget_ms);
}

static void source_step(void *ctx)
{
    (void)ctx;
}

static enum result source_rewind(void *ctx, uint64_t seq, struct error *e)
{
    (void)ctx, (void)seq;
    return error_set(e, RESULT_INVALID, "there is no way back: the nodes are processes, and time is real");
}

static enum result source_command(void *ctx, struct span line, struct error *e)
{
    struct lab_live *l = ctx;
    struct lab_command c;
    enum result r = lab_command_parse(&c, line, e);
    if (r != RESULT_OK) return r;
    if (l->over || !l->running) return error_set(e, RESULT_INVALID, "it is over");
    return live_command(l, &c, e);
}

static const struct lab_event *source_events(void *ctx, size_t *count)
{
    const struct lab_live *l = ctx;
    *count = l->event_count;
    return l->events;
}

static void source_state(void *ctx, struct lab_source_state *out)
{
    const struct lab_live *l = ctx;
    *out = (struct lab_source_state){
        .live = true,
        .over = l->over || !l->running,
        .now_us = l->running ? live_virtual_us(l) : 0,
        .seq = l->event_count,
        .failure = *l->failure ? l->failure : NULL,
        .scenario = &l->scenario,
    };
    memcpy(out->log_hash, l->log_hash, sizeof(out->log_hash));
}

static int source_rpc(void *ctx, uint32_t node, struct span request, struct buffer *out)
{
    struct lab_live *l = ctx;
    int status = node < l->member_count ? live_rpc_post(&l->members[node].rpc, request, out) : 404;
    return status ? status : 503;
}

struct lab_source lab_live_source(struct lab_live *l)
{
    return (struct lab_source){
        .ctx = l,
        .start = source_start,
        .advance = source_advance,
        .step = source_step,
        .rewind = source_rewind,
        .command = source_command,
        .events = source_events,
        .state = source_state,
        .rpc = source_rpc,
    };
}
