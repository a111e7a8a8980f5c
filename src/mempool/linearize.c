/* Linearisations of a cluster: checked, cut into chunks, tidied up, made optimal. */
#include "mempool/linearize.h"

#include "base/check.h"
#include "mempool/bits.h"

#include <string.h>

unsigned lin_graph_add(struct lin_graph *g, struct fee_frac tx, uint64_t tie)
{
    CHECK(g->count < LIN_MAX);
    unsigned i = g->count++;
    g->tx[i] = tx;
    g->tie[i] = tie;
    g->anc[i] = g->desc[i] = bit(i);
    return i;
}

void lin_graph_depend(struct lin_graph *g, unsigned parent, unsigned child)
{
    CHECK(!(g->anc[parent] & bit(child)));
    uint64_t above = g->anc[parent];
    uint64_t below = g->desc[child];
    for (uint64_t rest = below; rest; rest &= rest - 1) g->anc[bits_first(rest)] |= above;
    for (uint64_t rest = above; rest; rest &= rest - 1) g->desc[bits_first(rest)] |= below;
}

void lin_graph_fill_desc(struct lin_graph *g)
{
    memset(g->desc, 0, sizeof g->desc);
    for (unsigned i = 0; i < g->count; i++) {
        for (uint64_t rest = g->anc[i]; rest; rest &= rest - 1) g->desc[bits_first(rest)] |= bit(i);
    }
}

struct fee_frac lin_sum(const struct lin_graph *g, uint64_t set)
{
    struct fee_frac sum = {0, 0};
    for (; set; set &= set - 1) sum = fee_frac_add(sum, g->tx[bits_first(set)]);
    return sum;
}

uint64_t lin_piece(const struct lin_graph *g, uint64_t set)
{
    uint64_t piece = set & -set;
    for (uint64_t edge = piece; edge;) {
        unsigned at = bits_first(edge);
        edge &= edge - 1;
        uint64_t fresh = (g->anc[at] | g->desc[at]) & set & ~piece;
        piece |= fresh;
        edge |= fresh;
    }
    return piece;
}

bool lin_is_valid(const struct lin_graph *g, const uint8_t order[LIN_MAX])
{
    uint64_t done = 0;
    for (unsigned at = 0; at < g->count; at++) {
        unsigned i = order[at];
        if (i >= g->count || done & bit(i)) return false;
        done |= bit(i);
        if (g->anc[i] & ~done) return false;
    }
    return true;
}

unsigned lin_chunks(const struct lin_graph *g, const uint8_t order[LIN_MAX], struct lin_chunk out[LIN_MAX])
{
    unsigned n = 0;
    for (unsigned at = 0; at < g->count; at++) {
        struct lin_chunk chunk = {g->tx[order[at]], bit(order[at])};
        for (; n && fee_frac_cmp(chunk.rate, out[n - 1].rate) > 0; n--) {
            chunk.rate = fee_frac_add(chunk.rate, out[n - 1].rate);
            chunk.set |= out[n - 1].set;
        }
        out[n++] = chunk;
    }
    return n;
}

enum diagram_relation lin_compare(const struct lin_graph *g, const uint8_t a[LIN_MAX], const uint8_t b[LIN_MAX])
{
    struct lin_chunk chunks[LIN_MAX];
    struct fee_frac da[LIN_MAX];
    struct fee_frac db[LIN_MAX];
    unsigned na = lin_chunks(g, a, chunks);
    for (unsigned i = 0; i < na; i++) da[i] = chunks[i].rate;
    unsigned nb = lin_chunks(g, b, chunks);
    for (unsigned i = 0; i < nb; i++) db[i] = chunks[i].rate;
    return diagram_compare(da, na, db, nb);
}

/* Groups of transactions that lin_post moves: as lists, so that two are joined in one step. */
struct groups {
    unsigned count;
    struct group {
        struct fee_frac rate;
        uint64_t set;
        uint64_t wants; /* what its members depend on, in the direction of the pass */
        uint8_t head, tail;
    } item[LIN_MAX];
    uint8_t next[LIN_MAX]; /* of a transaction: the one after it in its group */
};

/* The last group has just come. It moves past those before it that pay less and that it does not depend on, and is
 * joined with the first it does depend on, until what stands before it pays as much. BACK: the order is read from its
 * end, so that all this is the other way round. */
static void settle_last(struct groups *s, bool back)
{
    for (unsigned at = s->count - 1; at > 0; at--) {
        struct group *before = &s->item[at - 1];
        struct group *last = &s->item[at];
        int sign = fee_frac_cmp(last->rate, before->rate);
        if (back ? sign >= 0 : sign <= 0) return;
        if (!(last->wants & before->set)) {
            struct group moved = *last;
            *last = *before;
            *before = moved;
            continue;
        }
        s->next[before->tail] = last->head;
        before->tail = last->tail;
        before->rate = fee_frac_add(before->rate, last->rate);
        before->set |= last->set;
        before->wants |= last->wants;
        memmove(last, last + 1, (s->count - at - 1) * sizeof *last);
        s->count--;
    }
}

static void post_pass(const struct lin_graph *g, uint8_t order[LIN_MAX], bool back)
{
    struct groups s;
    s.count = 0;
    for (unsigned at = 0; at < g->count; at++) {
        uint8_t i = order[back ? g->count - 1 - at : at];
        s.item[s.count++] = (struct group){g->tx[i], bit(i), back ? g->desc[i] : g->anc[i], i, i};
        settle_last(&s, back);
    }
    unsigned out = 0;
    for (unsigned k = 0; k < s.count; k++) {
        for (uint8_t i = s.item[k].head;; i = s.next[i]) {
            order[back ? g->count - 1 - out : out] = i;
            out++;
            if (i == s.item[k].tail) break;
        }
    }
}

void lin_post(const struct lin_graph *g, uint8_t order[LIN_MAX])
{
    post_pass(g, order, true);
    post_pass(g, order, false);
}

unsigned lin_append(const struct lin_graph *g, uint64_t set, uint8_t order[LIN_MAX], unsigned at)
{
    while (set) {
        unsigned best = LIN_MAX;
        for (uint64_t rest = set; rest; rest &= rest - 1) {
            unsigned i = bits_first(rest);
            if (g->anc[i] & set & ~bit(i)) continue;
            int by_rate = best == LIN_MAX ? 1 : fee_frac_order(g->tx[i], g->tx[best]);
            if (by_rate > 0 || (by_rate == 0 && g->tie[i] < g->tie[best])) best = i;
        }
        order[at++] = (uint8_t)best;
        set &= ~bit(best);
    }
    return at;
}

/* SET's members in the order that they had in GIVEN. */
static unsigned append_as_given(const struct lin_graph *g, uint64_t set, const uint8_t given[LIN_MAX],
                                uint8_t order[LIN_MAX], unsigned at)
{
    for (unsigned i = 0; i < g->count; i++) {
        if (set & bit(given[i])) order[at++] = given[i];
    }
    return at;
}

/* Divides and divides again, what pays more first, until the budget ends. True if all was done. */
static bool divide_all(const struct lin_graph *g, const uint8_t given[LIN_MAX], uint8_t order[LIN_MAX],
                       uint64_t *budget)
{
    uint64_t todo[LIN_MAX] = {bits_below(g->count)};
    uint64_t parts[LIN_MAX];
    unsigned waiting = 1;
    unsigned at = 0;
    bool complete = true;
    while (waiting) {
        uint64_t set = todo[--waiting];
        if (!(set & (set - 1))) {
            order[at++] = (uint8_t)bits_first(set);
            continue;
        }
        if (*budget == 0) {
            at = append_as_given(g, set, given, order, at);
            complete = false;
            continue;
        }
        unsigned n = 0;
        uint64_t best = lin_best_subset(g, set, parts, &n, budget);
        if (best) {
            todo[waiting++] = set & ~best;
            todo[waiting++] = best;
        }
        for (unsigned k = 0; k < n; k++) at = lin_append(g, parts[k], order, at);
    }
    return complete;
}

bool lin_optimize(const struct lin_graph *g, uint8_t order[LIN_MAX], uint64_t *budget)
{
    if (g->count == 0) return true;
    uint8_t found[LIN_MAX];
    bool complete = divide_all(g, order, found, budget);
    if (!complete) {
        lin_post(g, found);
        lin_post(g, order);
        enum diagram_relation relation = lin_compare(g, found, order);
        if (relation == DIAGRAM_WORSE || relation == DIAGRAM_INCOMPARABLE) return false;
    }
    memcpy(order, found, g->count);
    return complete;
}
