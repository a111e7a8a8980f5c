/* The best subset of a set of transactions, as a maximum flow between those that pay above the set's rate and those
 * among their ancestors that pay below it. */
#include "mempool/bits.h"
#include "mempool/linearize.h"

typedef __int128 wide;

/* Above the rate of the set, a transaction is a source; below, a sink. What they pay above or below it, times the size
 * of the set, is how much flows. */
struct flow {
    const struct lin_graph *g;
    uint64_t set, sources, sinks;
    uint64_t feeds[LIN_MAX];     /* of a sink: which sources feed it */
    uint8_t from[LIN_MAX];       /* in a search: whence each was reached */
    wide room[LIN_MAX];          /* what a source has left to give, a sink to take */
    wide sent[LIN_MAX][LIN_MAX]; /* [sink][source], where feeds has the source */
    uint64_t steps;
};

static void flow_init(struct flow *f, const struct lin_graph *g, uint64_t set)
{
    struct fee_frac sum = lin_sum(g, set);
    f->g = g;
    f->set = set;
    f->sources = f->sinks = 0;
    f->steps = (uint64_t)bits_count(set);
    for (uint64_t rest = set; rest; rest &= rest - 1) {
        unsigned i = bits_first(rest);
        wide above = (wide)g->tx[i].fee * sum.size - (wide)sum.fee * g->tx[i].size;
        f->feeds[i] = 0;
        f->room[i] = above < 0 ? -above : above;
        if (above > 0) f->sources |= bit(i);
        if (above < 0) f->sinks |= bit(i);
    }
}

static void send(struct flow *f, unsigned source, unsigned sink, wide amount)
{
    if (f->feeds[sink] & bit(source)) {
        f->sent[sink][source] += amount;
    } else {
        f->feeds[sink] |= bit(source);
        f->sent[sink][source] = amount;
    }
}

static void take_back(struct flow *f, unsigned source, unsigned sink, wide amount)
{
    f->sent[sink][source] -= amount;
    if (f->sent[sink][source] == 0) f->feeds[sink] &= ~bit(source);
}

/* Straight from sources to their own ancestors, as far as that goes. */
static void flow_direct(struct flow *f)
{
    uint64_t open = f->sinks;
    for (uint64_t rest = f->sources; rest; rest &= rest - 1) {
        unsigned source = bits_first(rest);
        for (uint64_t to = f->g->anc[source] & open; to && f->room[source]; to &= to - 1) {
            unsigned sink = bits_first(to);
            wide amount = f->room[source] < f->room[sink] ? f->room[source] : f->room[sink];
            send(f, source, sink, amount);
            f->room[source] -= amount;
            f->room[sink] -= amount;
            if (f->room[sink] == 0) open &= ~bit(sink);
            f->steps++;
        }
    }
}

static uint64_t with_room(const struct flow *f, uint64_t among)
{
    uint64_t found = 0;
    for (; among; among &= among - 1) {
        if (f->room[bits_first(among)]) found |= among & -among;
    }
    return found;
}

/* Breadth first from sources with something left, over sinks that they could feed and sources that could be relieved
 * there. Returns the nearest sinks with room, 0 if none is reached; *REACHED are all that were reached. */
static uint64_t search(struct flow *f, uint64_t *reached)
{
    uint64_t seen = with_room(f, f->sources);
    uint64_t edge = seen;
    while (edge) {
        uint64_t sinks = 0;
        for (; edge; edge &= edge - 1) {
            unsigned source = bits_first(edge);
            uint64_t fresh = f->g->anc[source] & f->sinks & ~seen;
            seen |= fresh;
            sinks |= fresh;
            for (; fresh; fresh &= fresh - 1, f->steps++) f->from[bits_first(fresh)] = (uint8_t)source;
            f->steps++;
        }
        uint64_t open = with_room(f, sinks);
        if (open) return open;
        for (; sinks; sinks &= sinks - 1) {
            unsigned sink = bits_first(sinks);
            uint64_t fresh = f->feeds[sink] & ~seen;
            seen |= fresh;
            edge |= fresh;
            for (; fresh; fresh &= fresh - 1, f->steps++) f->from[bits_first(fresh)] = (uint8_t)sink;
            f->steps++;
        }
    }
    *reached = seen;
    return 0;
}

/* The source with something left from which the search came to SINK, and in *AMOUNT what can flow along that way. */
static unsigned path_start(const struct flow *f, unsigned sink, uint64_t starts, wide *amount)
{
    *amount = f->room[sink];
    for (;;) {
        unsigned source = f->from[sink];
        if (starts & bit(source)) {
            if (f->room[source] < *amount) *amount = f->room[source];
            return source;
        }
        sink = f->from[source];
        /* An earlier path of the same search may have used this one up. */
        if (!(f->feeds[sink] & bit(source))) *amount = 0;
        if (*amount == 0) return source;
        if (f->sent[sink][source] < *amount) *amount = f->sent[sink][source];
    }
}

static void augment(struct flow *f, unsigned sink, uint64_t starts)
{
    wide amount;
    unsigned start = path_start(f, sink, starts, &amount);
    if (amount == 0) return;
    f->room[start] -= amount;
    f->room[sink] -= amount;
    for (;;) {
        unsigned source = f->from[sink];
        send(f, source, sink, amount);
        f->steps++;
        if (source == start) return;
        sink = f->from[source];
        take_back(f, source, sink, amount);
    }
}

/* Everything that must go with I: what it depends on, and the sources whose fees its sinks live on. */
static uint64_t held_together(const struct flow *f, unsigned i)
{
    uint64_t seen = bit(i);
    for (uint64_t edge = seen; edge;) {
        unsigned at = bits_first(edge);
        edge &= edge - 1;
        uint64_t fresh = ((f->g->anc[at] & f->set) | f->feeds[at]) & ~seen;
        seen |= fresh;
        edge |= fresh;
    }
    return seen;
}

/* Does the part A come before B, both being ready to go? */
static bool part_before(const struct lin_graph *g, uint64_t a, uint64_t b)
{
    int64_t sizes = lin_sum(g, a).size - lin_sum(g, b).size;
    if (sizes) return sizes < 0;
    uint64_t tie_a = UINT64_MAX;
    uint64_t tie_b = UINT64_MAX;
    for (; a; a &= a - 1) tie_a = g->tie[bits_first(a)] < tie_a ? g->tie[bits_first(a)] : tie_a;
    for (; b; b &= b - 1) tie_b = g->tie[bits_first(b)] < tie_b ? g->tie[bits_first(b)] : tie_b;
    return tie_a < tie_b;
}

/* A set that is one chunk, divided into strongly connected parts of what is held together: all have its rate. */
static unsigned divide(struct flow *f, uint64_t parts[LIN_MAX])
{
    uint64_t hold[LIN_MAX];
    uint64_t found[LIN_MAX];
    unsigned n = 0;
    for (uint64_t rest = f->set; rest; rest &= rest - 1) hold[bits_first(rest)] = held_together(f, bits_first(rest));
    for (uint64_t rest = f->set; rest;) {
        unsigned i = bits_first(rest);
        uint64_t part = 0;
        for (uint64_t with = hold[i] & rest; with; with &= with - 1) {
            if (hold[bits_first(with)] & bit(i)) part |= with & -with;
        }
        found[n++] = part;
        rest &= ~part;
    }
    uint64_t done = 0;
    for (unsigned at = 0; at < n; at++) {
        unsigned best = LIN_MAX;
        for (unsigned i = 0; i < n; i++) {
            bool ready = !(found[i] & done) && !(hold[bits_first(found[i])] & ~done & ~found[i]);
            if (ready && (best == LIN_MAX || part_before(f->g, found[i], found[best]))) best = i;
        }
        parts[at] = found[best];
        done |= found[best];
        f->steps += n;
    }
    return n;
}

uint64_t lin_best_subset(const struct lin_graph *g, uint64_t set, uint64_t parts[LIN_MAX], unsigned *count,
                         uint64_t *budget)
{
    struct flow f;
    flow_init(&f, g, set);
    flow_direct(&f);
    uint64_t reached = 0;
    for (;;) {
        uint64_t starts = with_room(&f, f.sources);
        uint64_t open = starts ? search(&f, &reached) : 0;
        if (!open) break;
        for (; open; open &= open - 1) augment(&f, bits_first(open), starts);
    }
    uint64_t best = 0;
    for (uint64_t rest = reached & f.sources; rest; rest &= rest - 1) best |= g->anc[bits_first(rest)];
    best &= set;
    if (!best && parts) *count = divide(&f, parts);
    *budget = *budget > f.steps ? *budget - f.steps : 0;
    return best;
}
