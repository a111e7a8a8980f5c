/* Lists of clusters, and the two heaps that know the best and the worst chunk of the graph. */
#include "base/alloc.h"
#include "base/check.h"
#include "mempool/tx_graph_internal.h"

#include <stdlib.h>

void tx_ids_push(struct tx_ids *list, tx_id id)
{
    if (list->count == list->cap) list->id = mem_grow(list->id, &list->cap, list->count + 1, sizeof list->id[0]);
    list->id[list->count++] = id;
}

void tx_ids_clear(struct tx_ids *list)
{
    free(list->id);
    *list = (struct tx_ids){0};
}

static void push(struct clusters *list, struct cluster *c)
{
    if (list->count == list->cap)
        list->item = mem_grow(list->item, &list->cap, list->count + 1, sizeof(struct cluster *));
    list->item[list->count++] = c;
}

void clusters_put(struct level *l, enum cluster_list list, struct cluster *c)
{
    if (c->slot[list] != NOWHERE) return;
    c->slot[list] = l->list[list].count;
    push(&l->list[list], c);
}

void clusters_del(struct level *l, enum cluster_list list, struct cluster *c)
{
    size_t at = c->slot[list];
    if (at == NOWHERE) return;
    struct clusters *all = &l->list[list];
    struct cluster *last = all->item[--all->count];
    all->item[at] = last;
    last->slot[list] = at;
    c->slot[list] = NOWHERE;
}

int part_cmp(const struct tx_graph *g, const struct cluster *a, unsigned pa, const struct cluster *b, unsigned pb)
{
    int by_rate = fee_frac_cmp(a->part[pa].rate, b->part[pb].rate);
    if (by_rate) return by_rate;
    if (a->part[pa].equal_size != b->part[pb].equal_size) {
        return a->part[pa].equal_size < b->part[pb].equal_size ? 1 : -1;
    }
    tx_id first_a = a->tx[part_begin(a, pa)].id;
    tx_id first_b = b->tx[part_begin(b, pb)].id;
    uint64_t tie_a = g->entry[first_a].tie;
    uint64_t tie_b = g->entry[first_b].tie;
    if (tie_a != tie_b) return tie_a < tie_b ? 1 : -1;
    return (first_a < first_b) - (first_a > first_b);
}

/* Does A belong nearer to the top of HEAP than B? */
static bool above(const struct tx_graph *g, int heap, const struct cluster *a, const struct cluster *b)
{
    if (heap == HEAP_BEST) return part_cmp(g, a, 0, b, 0) > 0;
    return part_cmp(g, a, a->parts - 1, b, b->parts - 1) < 0;
}

static void heap_set(struct tx_graph *g, int heap, size_t at, struct cluster *c)
{
    g->heap[heap].item[at] = c;
    c->heap_at[heap] = at;
}

static void heap_up(struct tx_graph *g, int heap, size_t at)
{
    struct cluster *c = g->heap[heap].item[at];
    while (at) {
        struct cluster *parent = g->heap[heap].item[(at - 1) / 2];
        if (!above(g, heap, c, parent)) break;
        heap_set(g, heap, at, parent);
        at = (at - 1) / 2;
    }
    heap_set(g, heap, at, c);
}

static void heap_down(struct tx_graph *g, int heap, size_t at)
{
    struct clusters *h = &g->heap[heap];
    struct cluster *c = h->item[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= h->count) break;
        if (child + 1 < h->count && above(g, heap, h->item[child + 1], h->item[child])) child++;
        if (!above(g, heap, h->item[child], c)) break;
        heap_set(g, heap, at, h->item[child]);
        at = child;
    }
    heap_set(g, heap, at, c);
}

void heaps_put(struct tx_graph *g, struct cluster *c)
{
    CHECK(g->builders == 0);
    for (int heap = 0; heap < HEAP_COUNT; heap++) {
        push(&g->heap[heap], c);
        heap_up(g, heap, g->heap[heap].count - 1);
    }
}

void heaps_del(struct tx_graph *g, struct cluster *c)
{
    if (c->heap_at[0] == NOWHERE) return;
    CHECK(g->builders == 0);
    for (int heap = 0; heap < HEAP_COUNT; heap++) {
        struct clusters *h = &g->heap[heap];
        size_t at = c->heap_at[heap];
        struct cluster *last = h->item[--h->count];
        c->heap_at[heap] = NOWHERE;
        if (last == c) continue;
        heap_set(g, heap, at, last);
        heap_up(g, heap, at);
        heap_down(g, heap, last->heap_at[heap]);
    }
}
