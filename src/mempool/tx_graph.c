/* The graph of unconfirmed transactions: made, changed, staged. */
#include "mempool/tx_graph.h"

#include "base/alloc.h"
#include "base/check.h"
#include "mempool/tx_graph_internal.h"

#include <stdlib.h>
#include <string.h>

#define USUAL_BUDGET 50000 /* steps; the hardest clusters known take a tenth of that */

struct tx_graph *tx_graph_new(const struct tx_graph_limits *limits)
{
    CHECK(limits->count >= 1 && limits->count <= LIN_MAX && limits->size >= 1);
    struct tx_graph *g = mem_calloc(1, sizeof *g);
    g->limits = *limits;
    if (!g->limits.budget) g->limits.budget = USUAL_BUDGET;
    g->first_free = NO_TX;
    return g;
}

static void level_clear(struct tx_graph *g, struct level *l)
{
    while (l->list[LIST_ALL].count) cluster_drop(g, l->list[LIST_ALL].item[l->list[LIST_ALL].count - 1]);
    for (int i = 0; i < LIST_COUNT; i++) free(l->list[i].item);
    free(l->waiting);
    *l = (struct level){0};
}

void tx_graph_free(struct tx_graph *g)
{
    if (!g) return;
    CHECK(g->builders == 0);
    level_clear(g, &g->level[STAGED]);
    level_clear(g, &g->level[MAIN]);
    for (int i = 0; i < HEAP_COUNT; i++) free(g->heap[i].item);
    tx_ids_clear(&g->gone);
    free(g->entry);
    free(g);
}

const struct place *place_of(const struct tx_graph *g, int level, tx_id id)
{
    if (id >= g->entries || !g->entry[id].used) return NULL;
    const struct place *place = &g->entry[id].place[level];
    if (level == STAGED && place->state == PLACE_NONE) place = &g->entry[id].place[MAIN];
    return place->state == PLACE_OWN ? place : NULL;
}

static tx_id entry_new(struct tx_graph *g)
{
    tx_id id = g->first_free;
    if (id != NO_TX) {
        g->first_free = g->entry[id].next_free;
    } else {
        CHECK(g->entries < NO_TX);
        if (g->entries == g->entry_cap) {
            g->entry = mem_grow(g->entry, &g->entry_cap, g->entries + 1, sizeof g->entry[0]);
        }
        id = (tx_id)g->entries++;
    }
    g->entry[id] = (struct entry){.used = true};
    return id;
}

void entry_free(struct tx_graph *g, tx_id id)
{
    g->entry[id] = (struct entry){.next_free = g->first_free};
    g->first_free = id;
}

void entry_forget(struct tx_graph *g, int level, tx_id id)
{
    struct entry *e = &g->entry[id];
    g->level[level].count--;
    if (e->tx.size > g->limits.size) g->level[level].large--;
    e->place[level] = (struct place){0};
    if (level == STAGED && e->place[MAIN].state == PLACE_OWN) {
        e->place[STAGED].state = PLACE_GONE;
        tx_ids_push(&g->gone, id);
    } else {
        entry_free(g, id);
    }
}

static int64_t clamp_fee(int64_t fee)
{
    if (fee > FEE_FRAC_MAX_FEE) return FEE_FRAC_MAX_FEE;
    return fee < -FEE_FRAC_MAX_FEE ? -FEE_FRAC_MAX_FEE : fee;
}

tx_id tx_graph_add(struct tx_graph *g, int64_t fee, int64_t size, uint64_t tie)
{
    CHECK(size >= 1 && size <= FEE_FRAC_MAX_SIZE);
    int level = tx_graph_top(g);
    tx_id id = entry_new(g);
    g->entry[id].tx = (struct fee_frac){clamp_fee(fee), size};
    g->entry[id].tie = tie;
    struct cluster *c = cluster_new(g, level, 1);
    c->size = size;
    c->tx[0] = (struct member){.anc = 1, .id = id};
    cluster_place(g, c);
    g->level[level].count++;
    if (size > g->limits.size) g->level[level].large++;
    return id;
}

static bool merge_fits(const struct tx_graph *g, const struct cluster *a, const struct cluster *b)
{
    return a->count + b->count <= g->limits.count && a->size + b->size <= g->limits.size;
}

/* Makes CHILD depend on PARENT unless that makes too large a cluster: then false. */
static bool depend_now(struct tx_graph *g, int level, tx_id parent, tx_id child)
{
    const struct place *p = place_of(g, level, parent);
    const struct place *q = place_of(g, level, child);
    if (p->cluster == q->cluster) {
        if (p->cluster->tx[q->at].anc & bit(p->at)) return true;
        struct cluster *c = cluster_own(g, level, parent);
        cluster_depend(g, c, place_of(g, level, parent)->at, place_of(g, level, child)->at);
        return true;
    }
    if (!merge_fits(g, p->cluster, q->cluster)) return false;
    struct cluster *a = cluster_own(g, level, parent);
    struct cluster *b = cluster_own(g, level, child);
    struct cluster *c = cluster_merge(g, a, b);
    cluster_depend(g, c, place_of(g, level, parent)->at, place_of(g, level, child)->at);
    return true;
}

void tx_graph_depend(struct tx_graph *g, tx_id parent, tx_id child)
{
    int level = tx_graph_top(g);
    if (!place_of(g, level, parent) || !place_of(g, level, child)) return;
    if (depend_now(g, level, parent, child)) return;
    struct level *l = &g->level[level];
    if (l->waiting_count == l->waiting_cap) {
        l->waiting = mem_grow(l->waiting, &l->waiting_cap, l->waiting_count + 1, sizeof l->waiting[0]);
    }
    l->waiting[l->waiting_count++] = (struct waiting){parent, child};
}

void waiting_retry(struct tx_graph *g, int level)
{
    struct level *l = &g->level[level];
    size_t kept = 0;
    for (size_t i = 0; i < l->waiting_count; i++) {
        struct waiting w = l->waiting[i];
        if (!depend_now(g, level, w.parent, w.child)) l->waiting[kept++] = w;
    }
    l->waiting_count = kept;
}

/* Before an id goes: no dependency may wait for it. What stood between two others leaves them dependent. */
static void waiting_forget(struct level *l, tx_id id)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->waiting_count; i++) {
        if (l->waiting[i].parent != id && l->waiting[i].child != id) l->waiting[kept++] = l->waiting[i];
    }
    l->waiting_count = kept;
}

void tx_graph_remove(struct tx_graph *g, tx_id id)
{
    int level = tx_graph_top(g);
    if (!place_of(g, level, id)) return;
    struct cluster *c = cluster_own(g, level, id);
    cluster_split(g, c, bit(place_of(g, level, id)->at));
    waiting_forget(&g->level[level], id);
    entry_forget(g, level, id);
    waiting_retry(g, level);
}

void tx_graph_set_fee(struct tx_graph *g, tx_id id, int64_t fee)
{
    if (id >= g->entries || !g->entry[id].used) return;
    struct entry *e = &g->entry[id];
    if (e->tx.fee == clamp_fee(fee)) return;
    e->tx.fee = clamp_fee(fee);
    for (int level = MAIN; level <= STAGED; level++) {
        if (e->place[level].state == PLACE_OWN) cluster_touch(g, e->place[level].cluster);
    }
}

bool tx_graph_work(struct tx_graph *g, uint64_t budget)
{
    graph_settle(g);
    for (int level = MAIN; level <= tx_graph_top(g); level++) {
        struct clusters *rough = &g->level[level].list[LIST_ROUGH];
        while (rough->count) {
            if (budget == 0) return false;
            uint64_t left = UINT64_MAX;
            cluster_linearize(g, rough->item[rough->count - 1], &left);
            uint64_t used = UINT64_MAX - left;
            budget = budget > used ? budget - used : 0;
        }
    }
    return true;
}

void tx_graph_stage(struct tx_graph *g)
{
    CHECK(!g->staging && !tx_graph_is_oversized(g, TX_GRAPH_MAIN));
    g->staging = true;
    g->level[STAGED].count = g->level[MAIN].count;
}

bool tx_graph_is_staging(const struct tx_graph *g)
{
    return g->staging;
}

static void end_staging(struct tx_graph *g)
{
    struct level *l = &g->level[STAGED];
    CHECK(l->list[LIST_ALL].count == 0);
    l->waiting_count = l->count = l->large = 0;
    g->gone.count = 0;
    g->staging = false;
}

void tx_graph_abort(struct tx_graph *g)
{
    CHECK(g->staging);
    struct clusters *staged = &g->level[STAGED].list[LIST_ALL];
    struct clusters *pulled = &g->level[MAIN].list[LIST_PULLED];
    while (staged->count) {
        struct cluster *c = staged->item[staged->count - 1];
        for (unsigned i = 0; i < c->count; i++) {
            struct entry *e = &g->entry[c->tx[i].id];
            e->place[STAGED] = (struct place){0};
            if (e->place[MAIN].state != PLACE_OWN) entry_free(g, c->tx[i].id);
        }
        cluster_drop(g, c);
    }
    while (pulled->count) clusters_del(&g->level[MAIN], LIST_PULLED, pulled->item[pulled->count - 1]);
    for (size_t i = 0; i < g->gone.count; i++) g->entry[g->gone.id[i]].place[STAGED] = (struct place){0};
    end_staging(g);
}

/* Moves C from staging to main. */
static void promote(struct tx_graph *g, struct cluster *c)
{
    struct level *from = &g->level[STAGED];
    struct level *to = &g->level[MAIN];
    c->level = MAIN;
    for (int i = 0; i < LIST_COUNT; i++) {
        if (c->slot[i] == NOWHERE) continue;
        clusters_del(from, (enum cluster_list)i, c);
        clusters_put(to, (enum cluster_list)i, c);
    }
    for (unsigned i = 0; i < c->count; i++) g->entry[c->tx[i].id].place[STAGED] = (struct place){0};
    cluster_place(g, c);
    if (c->slot[LIST_DIRTY] == NOWHERE) heaps_put(g, c);
}

void tx_graph_commit(struct tx_graph *g)
{
    CHECK(g->staging && !tx_graph_is_oversized(g, TX_GRAPH_TOP));
    struct clusters *staged = &g->level[STAGED].list[LIST_ALL];
    struct clusters *pulled = &g->level[MAIN].list[LIST_PULLED];
    while (pulled->count) cluster_drop(g, pulled->item[pulled->count - 1]);
    for (size_t i = 0; i < g->gone.count; i++) entry_free(g, g->gone.id[i]);
    while (staged->count) promote(g, staged->item[staged->count - 1]);
    g->level[MAIN].count = g->level[STAGED].count;
    end_staging(g);
}
