/* Every invariant of the graph of transactions, recomputed. */
#include "base/check.h"
#include "mempool/tx_graph_internal.h"

static void check_order(const struct tx_graph *g, const struct cluster *c)
{
    int64_t size = 0;
    struct lin_graph graph = {.count = c->count};
    for (unsigned i = 0; i < c->count; i++) {
        const struct entry *e = &g->entry[c->tx[i].id];
        CHECK(e->used && e->place[c->level].cluster == c && e->place[c->level].at == i);
        CHECK(e->place[c->level].state == PLACE_OWN);
        size += e->tx.size;
        uint64_t anc = c->tx[i].anc;
        CHECK(anc & bit(i) && !(anc & ~bits_below(i + 1)));
        for (uint64_t rest = anc; rest; rest &= rest - 1) CHECK(!(c->tx[bits_first(rest)].anc & ~anc));
        graph.anc[i] = anc;
        graph.tx[i] = e->tx;
    }
    lin_graph_fill_desc(&graph);
    CHECK(size == c->size);
    CHECK(lin_piece(&graph, bits_below(c->count)) == bits_below(c->count));
    if (c->slot[LIST_DIRTY] != NOWHERE) return;
    uint8_t order[LIN_MAX];
    struct lin_chunk chunks[LIN_MAX];
    for (unsigned i = 0; i < c->count; i++) order[i] = (uint8_t)i;
    CHECK(lin_chunks(&graph, order, chunks) == c->parts);
    for (unsigned k = 0; k < c->parts; k++) {
        CHECK(fee_frac_equal(chunks[k].rate, c->part[k].rate));
        CHECK(chunks[k].set == (bits_below(c->part[k].end) & ~bits_below(part_begin(c, k))));
        CHECK(lin_piece(&graph, chunks[k].set) == chunks[k].set);
        for (unsigned i = part_begin(c, k); i < c->part[k].end; i++) CHECK(c->tx[i].part == k);
        if (k) CHECK(part_cmp(g, c, k - 1, c, k) > 0);
    }
}

static void check_cluster(const struct tx_graph *g, const struct cluster *c, int level)
{
    CHECK(c->level == level && c->count >= 1 && c->count <= g->limits.count);
    CHECK(c->size <= g->limits.size || c->count == 1);
    bool dirty = c->slot[LIST_DIRTY] != NOWHERE;
    CHECK(!dirty || c->slot[LIST_ROUGH] == NOWHERE);
    CHECK(c->slot[LIST_PULLED] == NOWHERE || (level == MAIN && g->staging));
    for (int heap = 0; heap < HEAP_COUNT; heap++) {
        size_t at = c->heap_at[heap];
        CHECK((at != NOWHERE) == (level == MAIN && !dirty));
        CHECK(at == NOWHERE || g->heap[heap].item[at] == c);
    }
    check_order(g, c);
}

static void check_level(const struct tx_graph *g, int level)
{
    const struct level *l = &g->level[level];
    size_t count = 0;
    size_t large = 0;
    for (int list = 0; list < LIST_COUNT; list++) {
        for (size_t i = 0; i < l->list[list].count; i++) CHECK(l->list[list].item[i]->slot[list] == i);
    }
    for (size_t i = 0; i < l->list[LIST_ALL].count; i++) check_cluster(g, l->list[LIST_ALL].item[i], level);
    for (size_t id = 0; id < g->entries; id++) {
        const struct place *place = place_of(g, level, (tx_id)id);
        if (!place) continue;
        CHECK(place->cluster->tx[place->at].id == id);
        count++;
        large += g->entry[id].tx.size > g->limits.size;
        if (level == STAGED && place->cluster->level == MAIN) CHECK(place->cluster->slot[LIST_PULLED] == NOWHERE);
    }
    CHECK(count == l->count && large == l->large);
    for (size_t i = 0; i < l->waiting_count; i++) {
        const struct place *p = place_of(g, level, l->waiting[i].parent);
        const struct place *q = place_of(g, level, l->waiting[i].child);
        CHECK(p && q && p->cluster != q->cluster);
        CHECK(p->cluster->count + q->cluster->count > g->limits.count ||
              p->cluster->size + q->cluster->size > g->limits.size);
    }
}

static void check_heaps(const struct tx_graph *g)
{
    const struct clusters *best = &g->heap[HEAP_BEST];
    const struct clusters *worst = &g->heap[HEAP_WORST];
    CHECK(best->count == worst->count);
    for (size_t i = 1; i < best->count; i++) {
        CHECK(part_cmp(g, best->item[(i - 1) / 2], 0, best->item[i], 0) > 0);
        const struct cluster *above = worst->item[(i - 1) / 2];
        CHECK(part_cmp(g, above, above->parts - 1, worst->item[i], worst->item[i]->parts - 1) < 0);
    }
}

void tx_graph_check(struct tx_graph *g)
{
    check_level(g, MAIN);
    check_heaps(g);
    if (g->staging) {
        check_level(g, STAGED);
    } else {
        CHECK(g->level[STAGED].list[LIST_ALL].count == 0 && g->level[MAIN].list[LIST_PULLED].count == 0 &&
              !g->gone.count);
    }
    size_t unused = 0;
    for (tx_id id = g->first_free; id != NO_TX; id = g->entry[id].next_free, unused++) CHECK(!g->entry[id].used);
    for (size_t id = 0; id < g->entries; id++) unused -= !g->entry[id].used;
    CHECK(unused == 0);
}
