/* A walk over the chunks of the main level, best first, without sorting more than is asked for: along the heap of
 * clusters, with those next in reach on a heap of their own. */
#include "base/alloc.h"
#include "base/check.h"
#include "mempool/tx_graph_internal.h"

#include <stdlib.h>

/* A chunk that may be next. Its rate lies beside it: to compare two seldom takes a look at their clusters. */
struct reach {
    const struct cluster *cluster;
    unsigned part;
    struct fee_frac rate;
};

struct tx_graph_builder {
    struct tx_graph *g;
    struct reach *heap; /* the first is the chunk that is next */
    size_t count;
    size_t cap;
};

static bool before(const struct tx_graph_builder *b, size_t i, size_t k)
{
    const struct reach *left = &b->heap[i];
    const struct reach *right = &b->heap[k];
    int by_rate = fee_frac_cmp(left->rate, right->rate);
    if (by_rate) return by_rate > 0;
    return part_cmp(b->g, left->cluster, left->part, right->cluster, right->part) > 0;
}

static void swap(struct tx_graph_builder *b, size_t i, size_t k)
{
    struct reach moved = b->heap[i];
    b->heap[i] = b->heap[k];
    b->heap[k] = moved;
}

static void push(struct tx_graph_builder *b, const struct cluster *c, unsigned part)
{
    if (b->count == b->cap) b->heap = mem_grow(b->heap, &b->cap, b->count + 1, sizeof b->heap[0]);
    size_t at = b->count++;
    b->heap[at] = (struct reach){c, part, c->part[part].rate};
    for (; at && before(b, at, (at - 1) / 2); at = (at - 1) / 2) swap(b, at, (at - 1) / 2);
}

static void pop(struct tx_graph_builder *b)
{
    b->heap[0] = b->heap[--b->count];
    for (size_t at = 0;;) {
        size_t child = 2 * at + 1;
        if (child >= b->count) return;
        if (child + 1 < b->count && before(b, child + 1, child)) child++;
        if (!before(b, child, at)) return;
        swap(b, at, child);
        at = child;
    }
}

struct tx_graph_builder *tx_graph_builder_new(struct tx_graph *g)
{
    graph_settle(g);
    CHECK(!tx_graph_is_oversized(g, TX_GRAPH_MAIN));
    struct tx_graph_builder *b = mem_calloc(1, sizeof *b);
    b->g = g;
    g->builders++;
    if (g->heap[HEAP_BEST].count) push(b, g->heap[HEAP_BEST].item[0], 0);
    return b;
}

void tx_graph_builder_free(struct tx_graph_builder *b)
{
    if (!b) return;
    b->g->builders--;
    free(b->heap);
    free(b);
}

unsigned tx_graph_builder_chunk(const struct tx_graph_builder *b, tx_id out[LIN_MAX], struct fee_frac *rate)
{
    if (!b->count) return 0;
    const struct cluster *c = b->heap[0].cluster;
    unsigned part = b->heap[0].part;
    *rate = c->part[part].rate;
    unsigned n = 0;
    for (unsigned i = part_begin(c, part); i < c->part[part].end; i++) out[n++] = c->tx[i].id;
    return n;
}

/* Leaves the first: the clusters below its own on the graph's heap come in reach with its first chunk. */
static void leave(struct tx_graph_builder *b, bool taken)
{
    CHECK(b->count);
    struct reach done = b->heap[0];
    pop(b);
    if (done.part == 0) {
        const struct clusters *all = &b->g->heap[HEAP_BEST];
        for (size_t k = 1; k <= 2; k++) {
            size_t child = 2 * done.cluster->heap_at[HEAP_BEST] + k;
            if (child < all->count) push(b, all->item[child], 0);
        }
    }
    if (taken && done.part + 1 < done.cluster->parts) push(b, done.cluster, done.part + 1);
}

void tx_graph_builder_take(struct tx_graph_builder *b)
{
    leave(b, true);
}

void tx_graph_builder_skip(struct tx_graph_builder *b)
{
    leave(b, false);
}
