/* Where a page's events come from: a world in virtual time that a scenario plays on (play.h), or processes (live.h). */
#ifndef CAIRN_LAB_SOURCE_H
#define CAIRN_LAB_SOURCE_H

#include "lab/event.h"
#include "lab/scenario.h"

struct lab_source_state {
    bool live; /* real time: no speed, no step, no rewind */
    bool over;
    int64_t now_us;
    uint64_t seq; /* events so far */
    uint8_t log_hash[32];
    const char *failure;                 /* NULL: none */
    const struct lab_scenario *scenario; /* what is being played, with the settings in force */
};

struct lab_source {
    void *ctx;
    /* Anew from the beginning with this scenario. */
    enum result (*start)(void *ctx, const struct lab_scenario *scenario, struct error *e);
    /* Virtual: goes on until this instant or for about this many milliseconds of real time, whichever is first. Live:
     * takes in what happened. */
    void (*advance)(void *ctx, int64_t until_us, int budget_ms);
    /* One more event (not live). */
    void (*step)(void *ctx);
    /* Back to when there were SEQ events; what was ordered after that is forgotten (not live). */
    enum result (*rewind)(void *ctx, uint64_t seq, struct error *e);
    enum result (*command)(void *ctx, struct span line, struct error *e);
    /* All events; good until the next call. */
    const struct lab_event *(*events)(void *ctx, size_t *count);
    void (*state)(void *ctx, struct lab_source_state *out);
    /* A JSON-RPC request to a node; appends the reply, returns HTTP's status. */
    int (*rpc)(void *ctx, uint32_t node, struct span request, struct buffer *out);
};

#endif
