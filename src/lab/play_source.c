/* A play as a source of events for the page. */
#include <jansson.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "lab/play.h"

struct ctx {
    struct lab_play *play; /* NULL: nothing was started */
};

static enum result start(void *ctx, const struct lab_scenario *scenario, struct error *e)
{
    struct ctx *c = ctx;
    enum result r = lab_setup_check(&scenario->setup, e);
    if (r) return r;
    struct lab_play *play = lab_play_new(scenario);
    lab_play_free(c->play);
    c->play = play;
    return RESULT_OK;
}

static void advance(void *ctx, int64_t until_us, int budget_ms)
{
    struct ctx *c = ctx;
    if (c->play) (void)lab_play_run(c->play, until_us, budget_ms);
}

static void step(void *ctx)
{
    struct ctx *c = ctx;
    if (c->play) (void)lab_play_step(c->play);
}

static enum result nothing(struct error *e)
{
    return error_set(e, RESULT_INVALID, "no scenario is being played");
}

static enum result rewind_to(void *ctx, uint64_t seq, struct error *e)
{
    struct ctx *c = ctx;
    return c->play ? lab_play_rewind(c->play, seq, e) : nothing(e);
}

static enum result command(void *ctx, struct span line, struct error *e)
{
    struct ctx *c = ctx;
    return c->play ? lab_play_command(c->play, line, e) : nothing(e);
}

static const struct lab_event *events(void *ctx, size_t *count)
{
    struct ctx *c = ctx;
    *count = 0;
    return c->play ? lab_world_events(lab_play_world(c->play), count) : NULL;
}

static void state(void *ctx, struct lab_source_state *out)
{
    struct ctx *c = ctx;
    size_t count;
    memset(out, 0, sizeof(*out));
    out->over = true;
    if (!c->play) return;
    const struct lab_world *w = lab_play_world(c->play);
    (void)lab_world_events(w, &count);
    out->over = lab_world_is_over(w);
    out->now_us = lab_world_now_us(w);
    out->seq = count;
    lab_world_log_hash(w, out->log_hash);
    out->failure = lab_world_failure(w);
    if (!out->failure) out->failure = lab_play_refused(c->play);
    out->scenario = lab_play_scenario(c->play);
}

/* Methods that only look. All else is repeated on the way back. */
static bool only_looks(struct span request)
{
    static const char *const prefixes[] = {"get", "list", "test", "decode", "estimate", "validate", "help", "uptime"};
    json_t *json = json_loadb((const char *)request.data, request.len, 0, NULL);
    const char *method = json_string_value(json_object_get(json, "method"));
    bool looks = false;
    for (size_t i = 0; method && i < ARRAY_LEN(prefixes); i++)
        looks |= strncmp(method, prefixes[i], strlen(prefixes[i])) == 0;
    if (method && strcmp(method, "getblocktemplate") == 0) looks = false;
    json_decref(json);
    return looks;
}

static int rpc(void *ctx, uint32_t node, struct span request, struct buffer *out)
{
    struct ctx *c = ctx;
    if (!c->play || node >= lab_world_node_count(lab_play_world(c->play))) return 503;
    return lab_play_rpc(c->play, node, request, !only_looks(request), out);
}

struct lab_source lab_play_source_new(void)
{
    return (struct lab_source){.ctx = mem_calloc(1, sizeof(struct ctx)),
                               .start = start,
                               .advance = advance,
                               .step = step,
                               .rewind = rewind_to,
                               .command = command,
                               .events = events,
                               .state = state,
                               .rpc = rpc};
}

void lab_play_source_free(struct lab_source *s)
{
    struct ctx *c = s->ctx;
    if (!c) return;
    lab_play_free(c->play);
    free(c);
    memset(s, 0, sizeof(*s));
}
