/* Version bits: the BIP9 state machine, computed from the headers alone. */
#include "consensus/versionbits.h"

#include <stdlib.h>

#include "base/alloc.h"

#define TOP_BITS UINT32_C(0x20000000)
#define TOP_MASK UINT32_C(0xe0000000)

const char *bip9_state_name(enum bip9_state s)
{
    switch (s) {
    case BIP9_DEFINED: return "defined";
    case BIP9_STARTED: return "started";
    case BIP9_LOCKED_IN: return "locked_in";
    case BIP9_ACTIVE: return "active";
    case BIP9_FAILED: return "failed";
    }
    return "invalid";
}

static bool signals(const struct bip9_params *d, const struct header_node *n)
{
    uint32_t version = (uint32_t)n->version;
    return (version & TOP_MASK) == TOP_BITS && (version >> d->bit & 1);
}

/* Signalling headers among LAST and its predecessors, COUNT headers in all. */
static uint32_t count_signals(const struct bip9_params *d, const struct header_node *last, uint32_t count)
{
    uint32_t found = 0;
    for (; last && count > 0; count--, last = last->prev) found += signals(d, last);
    return found;
}

/* The state of the period after the one that LAST ends, whose own state was STATE. */
static enum bip9_state next_state(const struct bip9_params *d, enum bip9_state state, const struct header_node *last)
{
    switch (state) {
    case BIP9_DEFINED: return header_median_time(last) >= d->start_time_s ? BIP9_STARTED : BIP9_DEFINED;
    case BIP9_STARTED:
        if (count_signals(d, last, d->period) >= d->threshold) return BIP9_LOCKED_IN;
        return header_median_time(last) >= d->timeout_s ? BIP9_FAILED : BIP9_STARTED;
    case BIP9_LOCKED_IN: return last->height + 1 >= d->min_activation_height ? BIP9_ACTIVE : BIP9_LOCKED_IN;
    case BIP9_ACTIVE:
    case BIP9_FAILED: break;
    }
    return state;
}

/* The last header of the newest period that is complete at PREV; NULL where there is none. */
static const struct header_node *period_end(const struct bip9_params *d, const struct header_node *prev)
{
    if (!prev) return NULL;
    int64_t height = (int64_t)prev->height - ((int64_t)prev->height + 1) % d->period;
    return height < 0 ? NULL : header_ancestor(prev, (int32_t)height);
}

/* The state after PREV, and in *SINCE the height from which it holds. */
static enum bip9_state run(const struct bip9_params *d, const struct header_node *prev, int32_t *since)
{
    *since = 0;
    if (d->start_time_s == DEPLOYMENT_ALWAYS_ACTIVE) return BIP9_ACTIVE;
    if (d->start_time_s == DEPLOYMENT_NEVER_ACTIVE) return BIP9_FAILED;

    /* Back over the ends of periods to one before the start (no earlier one can be past it) ... */
    const struct header_node **ends = NULL;
    size_t count = 0, cap = 0;
    const struct header_node *end = period_end(d, prev);
    while (end && header_median_time(end) >= d->start_time_s) {
        ends = mem_grow(ends, &cap, count + 1, sizeof(*ends));
        ends[count++] = end;
        int64_t height = (int64_t)end->height - d->period;
        end = height < 0 ? NULL : header_ancestor(end, (int32_t)height);
    }
    /* ... and forward again. */
    enum bip9_state state = BIP9_DEFINED;
    while (count > 0) {
        end = ends[--count];
        enum bip9_state next = next_state(d, state, end);
        if (next != state) *since = end->height + 1;
        state = next;
    }
    free(ends);
    return state;
}

enum bip9_state bip9_state_after(const struct bip9_params *d, const struct header_node *prev)
{
    int32_t since;
    return run(d, prev, &since);
}

int32_t bip9_state_since(const struct bip9_params *d, const struct header_node *prev)
{
    int32_t since;
    run(d, prev, &since);
    return since;
}

void bip9_statistics(struct bip9_statistics *out, const struct bip9_params *d, const struct header_node *n,
                     char *signals_out)
{
    *out = (struct bip9_statistics){.period = d->period, .threshold = d->threshold};
    if (!n) return;
    uint32_t in_period = 1 + (uint32_t)n->height % d->period;
    for (; n && out->elapsed < in_period; n = n->prev) {
        bool signalled = signals(d, n);
        out->elapsed++;
        out->count += signalled;
        if (signals_out) signals_out[in_period - out->elapsed] = signalled ? '#' : '-';
    }
    out->possible = d->period - d->threshold >= out->elapsed - out->count;
}

int32_t versionbits_compute(const struct chain_params *p, const struct header_node *prev)
{
    uint32_t version = TOP_BITS;
    for (size_t i = 0; i < DEPLOYMENT_COUNT; i++) {
        enum bip9_state state = bip9_state_after(&p->deployments[i], prev);
        if (state == BIP9_STARTED || state == BIP9_LOCKED_IN) version |= UINT32_C(1) << p->deployments[i].bit;
    }
    return (int32_t)version;
}
