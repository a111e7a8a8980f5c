/* An oversized level made to fit: transactions are let in one by one, those of the best chunks first, as long as what
 * they would be joined to stays within the limits; who is not let in is removed, and all that depends on it. */
#include "base/alloc.h"
#include "base/check.h"
#include "mempool/tx_graph_internal.h"

#include <stdlib.h>

struct candidate {
    const struct cluster *cluster;
    tx_id id;
    uint8_t at;
    bool in;
    size_t missing; /* how many of those that it depends on are not let in yet */
    size_t above;   /* its group, as a chain of candidates up to the one that stands for it */
    size_t count;   /* of the group, where this one stands for it */
    int64_t size;
};

struct trim {
    struct tx_graph *g;
    struct candidate *all; /* by id */
    size_t count;
    struct waiting *by_parent;
    struct waiting *by_child;
    size_t waiting;
    size_t *ready; /* a heap */
    size_t ready_count;
};

static int by_id(const void *a, const void *b)
{
    const struct candidate *left = a;
    const struct candidate *right = b;
    return (left->id > right->id) - (left->id < right->id);
}

static int waiting_by_parent(const void *a, const void *b)
{
    const struct waiting *left = a;
    const struct waiting *right = b;
    if (left->parent != right->parent) return left->parent < right->parent ? -1 : 1;
    return (left->child > right->child) - (left->child < right->child);
}

static int waiting_by_child(const void *a, const void *b)
{
    const struct waiting *left = a;
    const struct waiting *right = b;
    if (left->child != right->child) return left->child < right->child ? -1 : 1;
    return (left->parent > right->parent) - (left->parent < right->parent);
}

static size_t index_of(const struct trim *t, tx_id id)
{
    struct candidate key = {.id = id};
    struct candidate *found = bsearch(&key, t->all, t->count, sizeof *t->all, by_id);
    CHECK(found);
    return (size_t)(found - t->all);
}

/* The first of a sorted list of waiting dependencies whose parent (or child) is ID. */
static size_t first_waiting(const struct waiting *list, size_t n, tx_id id, bool parent)
{
    size_t low = 0;
    while (low < n) {
        size_t middle = low + (n - low) / 2;
        if ((parent ? list[middle].parent : list[middle].child) < id) {
            low = middle + 1;
        } else {
            n = middle;
        }
    }
    return low;
}

/* Is A to be tried before B? */
static bool before(const struct trim *t, size_t a, size_t b)
{
    const struct candidate *left = &t->all[a];
    const struct candidate *right = &t->all[b];
    if (left->cluster == right->cluster) return left->at < right->at;
    const struct cluster *cl = left->cluster;
    const struct cluster *cr = right->cluster;
    return part_cmp(t->g, cl, cl->tx[left->at].part, cr, cr->tx[right->at].part) > 0;
}

static void ready_push(struct trim *t, size_t i)
{
    size_t at = t->ready_count++;
    for (; at && before(t, i, t->ready[(at - 1) / 2]); at = (at - 1) / 2) t->ready[at] = t->ready[(at - 1) / 2];
    t->ready[at] = i;
}

static size_t ready_pop(struct trim *t)
{
    size_t first = t->ready[0];
    size_t last = t->ready[--t->ready_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= t->ready_count) break;
        if (child + 1 < t->ready_count && before(t, t->ready[child + 1], t->ready[child])) child++;
        if (!before(t, t->ready[child], last)) break;
        t->ready[at] = t->ready[child];
        at = child;
    }
    t->ready[at] = last;
    return first;
}

static size_t group_of(struct trim *t, size_t i)
{
    while (t->all[i].above != i) {
        t->all[i].above = t->all[t->all[i].above].above;
        i = t->all[i].above;
    }
    return i;
}

/* Collects, without repetition, the groups of all that candidate I depends on; returns how many. OUT has room for
 * LIN_MAX of its own cluster and for every dependency that waits. */
static size_t groups_above(struct trim *t, size_t i, size_t *out)
{
    const struct candidate *c = &t->all[i];
    size_t n = 0;
    uint64_t parents = c->cluster->tx[c->at].anc & ~bit(c->at);
    for (; parents; parents &= parents - 1) out[n++] = group_of(t, index_of(t, c->cluster->tx[bits_first(parents)].id));
    for (size_t k = first_waiting(t->by_child, t->waiting, c->id, false);
         k < t->waiting && t->by_child[k].child == c->id; k++) {
        out[n++] = group_of(t, index_of(t, t->by_child[k].parent));
    }
    size_t kept = 0;
    for (size_t k = 0; k < n; k++) {
        /* A group that was counted already stands for itself no longer: it hangs below candidate I for the moment. */
        if (t->all[out[k]].above == i) continue;
        t->all[out[k]].above = i;
        out[kept++] = out[k];
    }
    for (size_t k = 0; k < kept; k++) t->all[out[k]].above = out[k];
    return kept;
}

/* Lets candidate I in with all the groups it is joined to, if that stays within the limits. */
static bool let_in(struct trim *t, size_t i, size_t *room)
{
    struct candidate *c = &t->all[i];
    size_t n = groups_above(t, i, room);
    size_t count = 1;
    int64_t size = t->g->entry[c->id].tx.size;
    for (size_t k = 0; k < n; k++) {
        count += t->all[room[k]].count;
        size += t->all[room[k]].size;
    }
    if (count > t->g->limits.count || size > t->g->limits.size) return false;
    for (size_t k = 0; k < n; k++) t->all[room[k]].above = i;
    c->count = count;
    c->size = size;
    c->in = true;
    return true;
}

static void one_less(struct trim *t, size_t i)
{
    if (--t->all[i].missing == 0) ready_push(t, i);
}

static void tell_children(struct trim *t, size_t i)
{
    const struct candidate *c = &t->all[i];
    uint64_t children = cluster_descendants(c->cluster, c->at) & ~bit(c->at);
    for (; children; children &= children - 1) one_less(t, index_of(t, c->cluster->tx[bits_first(children)].id));
    size_t k = first_waiting(t->by_parent, t->waiting, c->id, true);
    for (; k < t->waiting && t->by_parent[k].parent == c->id; k++) one_less(t, index_of(t, t->by_parent[k].child));
}

/* Every transaction of the clusters that a waiting dependency touches, or that is too large alone. */
static void collect(struct trim *t, int level)
{
    const struct tx_graph *g = t->g;
    const struct level *l = &g->level[level];
    struct tx_ids touched = {0};
    for (size_t i = 0; i < l->waiting_count; i++) {
        tx_ids_push(&touched, l->waiting[i].parent);
        tx_ids_push(&touched, l->waiting[i].child);
    }
    for (size_t i = 0; l->large && i < g->entries; i++) {
        if (g->entry[i].used && g->entry[i].tx.size > g->limits.size && place_of(g, level, (tx_id)i)) {
            tx_ids_push(&touched, (tx_id)i);
        }
    }
    struct tx_ids members = {0};
    clusters_members(g, level, touched.id, touched.count, &members);
    t->count = members.count;
    t->all = mem_calloc(t->count + 1, sizeof *t->all);
    for (size_t i = 0; i < t->count; i++) {
        const struct place *place = place_of(g, level, members.id[i]);
        t->all[i] = (struct candidate){.cluster = place->cluster, .id = members.id[i], .at = place->at};
        t->all[i].missing = bits_count(place->cluster->tx[place->at].anc) - 1;
    }
    qsort(t->all, t->count, sizeof *t->all, by_id);
    tx_ids_clear(&touched);
    tx_ids_clear(&members);
}

static void collect_waiting(struct trim *t, const struct level *l)
{
    t->waiting = l->waiting_count;
    t->by_parent = mem_calloc(t->waiting + 1, sizeof *t->by_parent);
    t->by_child = mem_calloc(t->waiting + 1, sizeof *t->by_child);
    for (size_t i = 0; i < t->waiting; i++) {
        t->by_parent[i] = t->by_child[i] = l->waiting[i];
        t->all[index_of(t, l->waiting[i].child)].missing++;
    }
    if (t->waiting > 1) {
        qsort(t->by_parent, t->waiting, sizeof *t->by_parent, waiting_by_parent);
        qsort(t->by_child, t->waiting, sizeof *t->by_child, waiting_by_child);
    }
    t->ready = mem_calloc(t->count + 1, sizeof *t->ready);
    for (size_t i = 0; i < t->count; i++) {
        t->all[i].above = i;
        if (t->all[i].missing == 0) ready_push(t, i);
    }
}

/* Removes from their clusters all that were not let in. */
static void remove_rest(struct trim *t, int level, struct tx_ids *removed)
{
    struct level *l = &t->g->level[level];
    size_t kept = 0;
    for (size_t i = 0; i < l->waiting_count; i++) {
        struct waiting w = l->waiting[i];
        if (t->all[index_of(t, w.parent)].in && t->all[index_of(t, w.child)].in) l->waiting[kept++] = w;
    }
    l->waiting_count = kept;
    for (size_t i = 0; i < t->count; i++) {
        if (t->all[i].in) continue;
        tx_id id = t->all[i].id;
        struct cluster *c = cluster_own(t->g, level, id);
        cluster_split(t->g, c, bit(place_of(t->g, level, id)->at));
        entry_forget(t->g, level, id);
        tx_ids_push(removed, id);
    }
    waiting_retry(t->g, level);
    CHECK(l->waiting_count == 0 && l->large == 0);
}

void tx_graph_trim(struct tx_graph *g, struct tx_ids *removed)
{
    if (!tx_graph_is_oversized(g, TX_GRAPH_TOP)) return;
    graph_settle(g);
    int level = tx_graph_top(g);
    struct trim t = {.g = g};
    collect(&t, level);
    collect_waiting(&t, &g->level[level]);
    size_t *room = mem_calloc(LIN_MAX + t.waiting, sizeof *room);
    while (t.ready_count) {
        size_t i = ready_pop(&t);
        if (let_in(&t, i, room)) tell_children(&t, i);
    }
    remove_rest(&t, level, removed);
    free(room);
    free(t.all);
    free(t.by_parent);
    free(t.by_child);
    free(t.ready);
}
