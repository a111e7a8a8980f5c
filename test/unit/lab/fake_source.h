/* A source without a world: three miners find a block each ten minutes, every other node hears of it a second later.
 * For tests of the server, which does not care what the events are about. */
#ifndef CAIRN_TEST_UNIT_LAB_FAKE_SOURCE_H
#define CAIRN_TEST_UNIT_LAB_FAKE_SOURCE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "lab/source.h"

enum { FAKE_NODES = 4, FAKE_ROUND = 1 + FAKE_NODES };

struct fake {
    struct lab_scenario scenario;
    struct lab_event *events;
    size_t count, cap;
    size_t natural; /* events that came by themselves: the next one's place in the story */
    size_t last;    /* so many natural events, then it is over */
    int64_t now_us;
    bool live;
    unsigned starts, rewinds;
};

static struct lab_event *fake_add(struct fake *f, enum lab_event_kind kind, int64_t at_us)
{
    f->events = mem_grow(f->events, &f->cap, f->count + 1, sizeof *f->events);
    struct lab_event *e = &f->events[f->count];
    memset(e, 0, sizeof *e);
    e->seq = f->count++;
    e->kind = kind;
    e->at_us = at_us;
    e->node = e->block = e->other = LAB_NONE;
    return e;
}

/* When the I-th natural event happens. */
static int64_t fake_time(size_t i)
{
    if (i < 1 + FAKE_NODES) return 0;
    size_t n = i - 1 - FAKE_NODES;
    return (int64_t)(n / FAKE_ROUND + 1) * 600000000 + (n % FAKE_ROUND ? 1000000 : 0);
}

static void fake_next(struct fake *f)
{
    static const char *const names[] = {"honest 1", "honest 2", "honest 3", "merchant"};
    size_t i = f->natural++;
    struct lab_event *e = fake_add(f, LAB_EVENT_TIP, fake_time(i));
    if (i == 0) {
        e->kind = LAB_EVENT_START;
        e->a = (int64_t)f->scenario.setup.seed;
        snprintf(e->text, sizeof e->text, "%s", f->scenario.name);
    } else if (i <= FAKE_NODES) {
        e->kind = LAB_EVENT_NODE;
        e->node = (uint32_t)(i - 1);
        e->a = i <= 3 ? 333333 : 0;
        e->b = i <= 3 ? 0 : 2;
        snprintf(e->text, sizeof e->text, "%s", names[i - 1]);
    } else if (f->natural == f->last) {
        e->kind = LAB_EVENT_END;
        snprintf(e->text, sizeof e->text, "whole");
    } else {
        size_t n = i - 1 - FAKE_NODES;
        e->block = (uint32_t)(n / FAKE_ROUND + 1);
        e->a = (int64_t)(100 + e->block);
        e->node = (uint32_t)(n % FAKE_ROUND ? n % FAKE_ROUND - 1 : e->block % 3);
        if (n % FAKE_ROUND == 0) {
            e->kind = LAB_EVENT_BLOCK;
            e->other = e->block - 1;
            snprintf(e->text, sizeof e->text, "%064x", e->block);
        }
    }
    if (e->at_us > f->now_us) f->now_us = e->at_us;
    e->at_us = f->now_us;
}

static bool fake_over(const struct fake *f)
{
    return f->natural >= f->last;
}

static enum result fake_start(void *ctx, const struct lab_scenario *scenario, struct error *e)
{
    struct fake *f = ctx;
    if (scenario->setup.honest == 13) return error_set(e, RESULT_INVALID, "thirteen brings bad luck");
    f->scenario = *scenario;
    f->count = f->natural = 0;
    f->now_us = 0;
    f->starts++;
    while (f->natural < 1 + FAKE_NODES) fake_next(f);
    return RESULT_OK;
}

static void fake_advance(void *ctx, int64_t until_us, int budget_ms)
{
    struct fake *f = ctx;
    (void)budget_ms;
    while (!fake_over(f) && fake_time(f->natural) <= until_us && (until_us < INT64_MAX || f->natural < 100))
        fake_next(f);
    if (until_us > f->now_us && until_us < INT64_MAX && !fake_over(f)) f->now_us = until_us;
}

static void fake_step(void *ctx)
{
    struct fake *f = ctx;
    if (!fake_over(f)) fake_next(f);
}

static enum result fake_rewind(void *ctx, uint64_t seq, struct error *e)
{
    struct fake *f = ctx;
    if (seq == 3) return error_set(e, RESULT_INVALID, "there is no way back to the third");
    while (f->count > seq) f->natural -= f->events[--f->count].kind != LAB_EVENT_COMMAND;
    f->now_us = f->count ? f->events[f->count - 1].at_us : 0;
    f->rewinds++;
    return RESULT_OK;
}

static enum result fake_command(void *ctx, struct span line, struct error *e)
{
    struct fake *f = ctx;
    if (span_equal(line, span_str("publish"))) return error_set(e, RESULT_INVALID, "there is nothing to publish");
    struct lab_event *event = fake_add(f, LAB_EVENT_COMMAND, f->now_us);
    snprintf(event->text, sizeof event->text, "%.*s", (int)line.len, (const char *)line.data);
    return RESULT_OK;
}

static const struct lab_event *fake_events(void *ctx, size_t *count)
{
    struct fake *f = ctx;
    *count = f->count;
    return f->events;
}

static void fake_state(void *ctx, struct lab_source_state *out)
{
    struct fake *f = ctx;
    *out = (struct lab_source_state){.live = f->live,
                                     .over = fake_over(f),
                                     .now_us = f->now_us,
                                     .seq = f->count,
                                     .scenario = f->starts ? &f->scenario : NULL};
}

static int fake_rpc(void *ctx, uint32_t node, struct span request, struct buffer *out)
{
    (void)ctx;
    if (node >= FAKE_NODES) return 503;
    buffer_printf(out, "{\"result\":\"node %u heard %zu bytes\"}", node, request.len);
    return 200;
}

static struct lab_source fake_source(struct fake *f)
{
    return (struct lab_source){.ctx = f,
                               .start = fake_start,
                               .advance = fake_advance,
                               .step = fake_step,
                               .rewind = fake_rewind,
                               .command = fake_command,
                               .events = fake_events,
                               .state = fake_state,
                               .rpc = fake_rpc};
}

#endif
