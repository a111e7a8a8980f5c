/* Clusters of the graph: made, copied into staging, joined, divided, linearised. */
#include "base/alloc.h"
#include "base/check.h"
#include "mempool/tx_graph_internal.h"

#include <stdlib.h>
#include <string.h>

static size_t cluster_bytes(unsigned count)
{
    return sizeof(struct cluster) + count * (sizeof(struct member) + sizeof(struct part));
}

/* With the allocator's header and rounding: most clusters are small, so that these count. */
static size_t heap_bytes(unsigned count)
{
    return (cluster_bytes(count) + 8 + 15) & ~(size_t)15;
}

static struct cluster *cluster_alloc(struct tx_graph *g, int level, unsigned count)
{
    struct cluster *c = mem_alloc(cluster_bytes(count));
    g->cluster_bytes += heap_bytes(count);
    memset(c, 0, sizeof *c);
    c->level = level;
    c->count = count;
    c->part = (struct part *)(void *)&c->tx[count];
    for (int i = 0; i < LIST_COUNT; i++) c->slot[i] = NOWHERE;
    for (int i = 0; i < HEAP_COUNT; i++) c->heap_at[i] = NOWHERE;
    clusters_put(&g->level[level], LIST_ALL, c);
    return c;
}

struct cluster *cluster_new(struct tx_graph *g, int level, unsigned count)
{
    struct cluster *c = cluster_alloc(g, level, count);
    clusters_put(&g->level[level], LIST_DIRTY, c);
    return c;
}

void cluster_drop(struct tx_graph *g, struct cluster *c)
{
    heaps_del(g, c);
    for (int i = 0; i < LIST_COUNT; i++) clusters_del(&g->level[c->level], (enum cluster_list)i, c);
    g->cluster_bytes -= heap_bytes(c->count);
    free(c);
}

void cluster_place(struct tx_graph *g, struct cluster *c)
{
    for (unsigned i = 0; i < c->count; i++) {
        g->entry[c->tx[i].id].place[c->level] = (struct place){c, (uint8_t)i, PLACE_OWN};
    }
}

struct cluster *cluster_own(struct tx_graph *g, int level, tx_id id)
{
    const struct place *place = place_of(g, level, id);
    CHECK(place);
    struct cluster *c = place->cluster;
    if (c->level == level) return c;
    struct cluster *copy = cluster_alloc(g, level, c->count);
    copy->parts = c->parts;
    copy->size = c->size;
    memcpy(copy->tx, c->tx, c->count * sizeof c->tx[0]);
    memcpy(copy->part, c->part, c->parts * sizeof c->part[0]);
    if (c->slot[LIST_DIRTY] != NOWHERE) clusters_put(&g->level[level], LIST_DIRTY, copy);
    if (c->slot[LIST_ROUGH] != NOWHERE) clusters_put(&g->level[level], LIST_ROUGH, copy);
    clusters_put(&g->level[MAIN], LIST_PULLED, c);
    cluster_place(g, copy);
    return copy;
}

void cluster_touch(struct tx_graph *g, struct cluster *c)
{
    heaps_del(g, c);
    clusters_del(&g->level[c->level], LIST_ROUGH, c);
    clusters_put(&g->level[c->level], LIST_DIRTY, c);
    c->parts = 0;
}

struct cluster *cluster_merge(struct tx_graph *g, struct cluster *a, struct cluster *b)
{
    struct cluster *c = cluster_new(g, a->level, a->count + b->count);
    c->size = a->size + b->size;
    memcpy(c->tx, a->tx, a->count * sizeof a->tx[0]);
    memcpy(c->tx + a->count, b->tx, b->count * sizeof b->tx[0]);
    for (unsigned i = a->count; i < c->count; i++) c->tx[i].anc <<= a->count;
    cluster_place(g, c);
    cluster_drop(g, a);
    cluster_drop(g, b);
    return c;
}

/* SET with every position moved to where TO says. */
static uint64_t moved(uint64_t set, const uint8_t to[LIN_MAX])
{
    uint64_t out = 0;
    for (; set; set &= set - 1) out |= bit(to[bits_first(set)]);
    return out;
}

void cluster_permute(struct tx_graph *g, struct cluster *c, const uint8_t order[LIN_MAX])
{
    struct member old[LIN_MAX];
    uint8_t to[LIN_MAX];
    memcpy(old, c->tx, c->count * sizeof old[0]);
    for (unsigned i = 0; i < c->count; i++) to[order[i]] = (uint8_t)i;
    for (unsigned i = 0; i < c->count; i++) {
        c->tx[i] = old[order[i]];
        c->tx[i].anc = moved(c->tx[i].anc, to);
    }
    cluster_place(g, c);
}

static void fill_graph(const struct tx_graph *g, const struct cluster *c, struct lin_graph *out)
{
    out->count = c->count;
    for (unsigned i = 0; i < c->count; i++) {
        out->tx[i] = g->entry[c->tx[i].id].tx;
        out->tie[i] = g->entry[c->tx[i].id].tie;
        out->anc[i] = c->tx[i].anc;
    }
    lin_graph_fill_desc(out);
}

void cluster_split(struct tx_graph *g, struct cluster *c, uint64_t set)
{
    uint64_t rest = bits_below(c->count) & ~set;
    struct lin_graph graph;
    if (rest) fill_graph(g, c, &graph);
    while (rest) {
        uint64_t piece = lin_piece(&graph, rest);
        rest &= ~piece;
        struct cluster *n = cluster_new(g, c->level, bits_count(piece));
        uint8_t to[LIN_MAX];
        unsigned at = 0;
        for (uint64_t p = piece; p; p &= p - 1) {
            to[bits_first(p)] = (uint8_t)at;
            n->tx[at++] = c->tx[bits_first(p)];
            n->size += graph.tx[bits_first(p)].size;
        }
        for (unsigned i = 0; i < n->count; i++) n->tx[i].anc = moved(n->tx[i].anc & piece, to);
        cluster_place(g, n);
    }
    cluster_drop(g, c);
}

uint64_t cluster_descendants(const struct cluster *c, unsigned p)
{
    uint64_t set = 0;
    for (unsigned i = p; i < c->count; i++) {
        if (c->tx[i].anc & bit(p)) set |= bit(i);
    }
    return set;
}

void cluster_depend(struct tx_graph *g, struct cluster *c, unsigned p, unsigned q)
{
    CHECK(!(c->tx[p].anc & bit(q)));
    uint64_t above = c->tx[p].anc;
    uint64_t below = cluster_descendants(c, q);
    for (uint64_t rest = below; rest; rest &= rest - 1) c->tx[bits_first(rest)].anc |= above;
    cluster_touch(g, c);
    if (p < q) return;
    /* What depends on Q goes behind all that does not, P and its ancestors among them. */
    uint8_t order[LIN_MAX];
    unsigned at = 0;
    for (uint64_t rest = bits_below(c->count) & ~below; rest; rest &= rest - 1) order[at++] = (uint8_t)bits_first(rest);
    for (uint64_t rest = below; rest; rest &= rest - 1) order[at++] = (uint8_t)bits_first(rest);
    cluster_permute(g, c, order);
}

static void find_parts(struct cluster *c, const struct lin_graph *graph, const uint8_t order[LIN_MAX])
{
    struct lin_chunk chunks[LIN_MAX];
    c->parts = lin_chunks(graph, order, chunks);
    unsigned at = 0;
    for (unsigned k = 0; k < c->parts; k++) {
        struct part *part = &c->part[k];
        bool equal = k && fee_frac_cmp(chunks[k].rate, chunks[k - 1].rate) == 0;
        part->rate = chunks[k].rate;
        part->equal_size = part->rate.size + (equal ? c->part[k - 1].equal_size : 0);
        for (unsigned n = bits_count(chunks[k].set); n; n--) c->tx[at++].part = (uint8_t)k;
        part->end = (uint8_t)at;
    }
}

void cluster_linearize(struct tx_graph *g, struct cluster *c, uint64_t *budget)
{
    struct level *level = &g->level[c->level];
    clusters_del(level, LIST_DIRTY, c);
    clusters_del(level, LIST_ROUGH, c);
    heaps_del(g, c);
    struct lin_graph graph;
    fill_graph(g, c, &graph);
    uint8_t order[LIN_MAX];
    for (unsigned i = 0; i < c->count; i++) order[i] = (uint8_t)i;
    bool optimal = c->count == 1 || lin_optimize(&graph, order, budget);
    if (c->count > 1) cluster_permute(g, c, order);
    find_parts(c, &graph, order);
    if (!optimal) clusters_put(level, LIST_ROUGH, c);
    if (c->level == MAIN) heaps_put(g, c);
}

void graph_settle(struct tx_graph *g)
{
    for (int level = MAIN; level <= tx_graph_top(g); level++) {
        struct clusters *dirty = &g->level[level].list[LIST_DIRTY];
        while (dirty->count) {
            uint64_t budget = g->limits.budget;
            cluster_linearize(g, dirty->item[dirty->count - 1], &budget);
        }
    }
}
