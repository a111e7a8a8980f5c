/* The source goes on with the clock on the wall, times a speed; and what it is like is told as JSON. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "lab/web_internal.h"
#include "rpc/json_writer.h"

enum {
    TICK_US = 15000,
    BUDGET_MS = 10,   /* so long may one tick take: clicks are answered in between */
    PAUSE_US = 2000,  /* at least so long between ticks */
    JUMP_US = 200000, /* what is made up for after the machine slept */
    STATE_SOON_US = 100000,
    STATE_LATE_US = 400000,
};

static struct lab_source_state state_of(const struct lab_web *w)
{
    struct lab_source_state state = {0};
    w->options.source.state(w->options.source.ctx, &state);
    return state;
}

static void next_tick(struct lab_web *w, int64_t us)
{
    struct timeval after = {.tv_usec = us};
    event_add(w->tick, &after);
}

void web_play_set(struct lab_web *w, bool playing)
{
    if (w->playing == playing) return;
    w->playing = playing;
    w->clock_us = state_of(w).now_us;
    w->ticked_us = web_real_us();
    if (playing)
        next_tick(w, PAUSE_US);
    else
        event_del(w->tick);
}

/* The clock is ahead of a source whose next event is far; where the source had no time to follow, it is put back. */
static void advance(struct lab_web *w)
{
    const struct lab_source *s = &w->options.source;
    int64_t began = web_real_us(), elapsed = began - w->ticked_us;
    struct lab_source_state before = state_of(w);
    w->ticked_us = began;
    if (elapsed > JUMP_US) elapsed = JUMP_US;
    if (before.now_us > w->clock_us) w->clock_us = before.now_us;
    w->clock_us += (int64_t)((double)elapsed * w->speed);
    s->advance(s->ctx, before.live ? INT64_MAX : w->clock_us, BUDGET_MS);
    struct lab_source_state after = state_of(w);
    if (after.now_us > w->clock_us || web_real_us() - began >= BUDGET_MS * 1000 * 8 / 10) w->clock_us = after.now_us;
    if (after.over && !after.live) web_play_set(w, false);
}

void web_play_on_tick(evutil_socket_t fd, short what, void *web)
{
    struct lab_web *w = web;
    (void)fd;
    (void)what;
    int64_t began = web_real_us();
    advance(w);
    web_play_changed(w, !w->playing);
    int64_t spent = web_real_us() - began;
    if (w->playing) next_tick(w, spent > TICK_US - PAUSE_US ? PAUSE_US : TICK_US - spent);
}

/* ---- what changed ---- */

static void look_for_outcome(struct lab_web *w, const struct lab_event *events, size_t count)
{
    if (w->looked_at > count) {
        w->looked_at = 0;
        w->has_outcome = false;
    }
    for (; w->looked_at < count; w->looked_at++) {
        const struct lab_event *e = &events[w->looked_at];
        if (e->kind != LAB_EVENT_END) continue;
        w->has_outcome = true;
        snprintf(w->outcome, sizeof w->outcome, "%s", e->text);
    }
}

void web_play_changed(struct lab_web *w, bool force)
{
    struct lab_source_state state = state_of(w);
    int64_t now = web_real_us(), since = now - w->told_us;
    bool differs = state.seq != w->told_seq || state.over != w->told_over;
    if (force || (differs && since >= STATE_SOON_US) || (w->playing && since >= STATE_LATE_US)) {
        for (struct web_stream *s = w->streams; s; s = s->next) s->state = true;
        w->told_us = now;
        w->told_seq = state.seq;
        w->told_over = state.over;
    }
    web_stream_fill_all(w);
}

void web_play_cut(struct lab_web *w, uint64_t seq)
{
    w->branch++;
    w->looked_at = 0;
    w->has_outcome = false;
    w->clock_us = state_of(w).now_us;
    for (struct web_stream *s = w->streams; s; s = s->next) {
        if (s->seq > seq) s->seq = seq;
        s->reset = true;
    }
}

/* ---- the state ---- */

static void put_scenario(struct json_writer *j, const struct lab_scenario *scenario)
{
    char seed[24];
    if (!scenario) {
        jw_key(j, "scenario");
        jw_null(j);
        return;
    }
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)scenario->setup.seed);
    jw_kv_str(j, "scenario", scenario->name);
    jw_kv_str(j, "title", scenario->title);
    jw_kv_str(j, "seed", seed);
    struct buffer setup = {0};
    lab_setup_json(&setup, &scenario->setup);
    jw_key(j, "setup");
    jw_raw(j, buffer_span(&setup));
    buffer_clear(&setup);
}

static void put_text_or_null(struct json_writer *j, const char *key, const char *text)
{
    jw_key(j, key);
    if (text)
        jw_str(j, text);
    else
        jw_null(j);
}

void web_play_state_json(struct lab_web *w, struct buffer *out)
{
    const struct lab_source *s = &w->options.source;
    struct lab_source_state state = state_of(w);
    struct json_writer j = json_writer_of(out);
    size_t count = 0;
    const struct lab_event *events = s->events(s->ctx, &count);
    look_for_outcome(w, events, count);
    jw_object(&j);
    put_scenario(&j, state.scenario);
    jw_kv_int(&j, "t", state.now_us);
    jw_kv_uint(&j, "seq", state.seq);
    jw_kv_double(&j, "speed", w->speed);
    jw_kv_bool(&j, "playing", w->playing);
    jw_kv_bool(&j, "over", state.over);
    jw_kv_bool(&j, "live", state.live);
    put_text_or_null(&j, "outcome", w->has_outcome ? w->outcome : NULL);
    put_text_or_null(&j, "failure", state.failure);
    jw_kv_hex(&j, "log", span_of(state.log_hash, 32));
    jw_kv_uint(&j, "branch", w->branch);
    jw_object_end(&j);
}
