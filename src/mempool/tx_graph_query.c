/* Questions to the graph of transactions. */
#include "base/alloc.h"
#include "base/check.h"
#include "mempool/tx_graph_internal.h"

#include <stdlib.h>
#include <string.h>

bool tx_graph_is_oversized(const struct tx_graph *g, enum tx_graph_level level)
{
    const struct level *l = &g->level[tx_graph_which(g, level)];
    return l->waiting_count > 0 || l->large > 0;
}

bool tx_graph_has(const struct tx_graph *g, enum tx_graph_level level, tx_id id)
{
    return place_of(g, tx_graph_which(g, level), id) != NULL;
}

size_t tx_graph_count(const struct tx_graph *g, enum tx_graph_level level)
{
    return g->level[tx_graph_which(g, level)].count;
}

struct fee_frac tx_graph_tx(const struct tx_graph *g, tx_id id)
{
    CHECK(id < g->entries && g->entry[id].used);
    return g->entry[id].tx;
}

/* The clusters of N transactions, each once, into OUT of room for N; returns how many. */
static size_t distinct(const struct tx_graph *g, int level, const tx_id *ids, size_t n, struct cluster **out);

bool tx_graph_fits(const struct tx_graph *g, enum tx_graph_level level, const tx_id *parents, size_t n, int64_t size)
{
    struct cluster **all = mem_calloc(n + 1, sizeof(struct cluster *));
    size_t found = distinct(g, tx_graph_which(g, level), parents, n, all);
    size_t count = 1;
    for (size_t i = 0; i < found; i++) {
        count += all[i]->count;
        size += all[i]->size;
    }
    free(all);
    return count <= g->limits.count && size <= g->limits.size;
}

/* The place of ID in a level that may be asked. */
static const struct place *find(const struct tx_graph *g, enum tx_graph_level level, tx_id id)
{
    CHECK(!tx_graph_is_oversized(g, level));
    const struct place *place = place_of(g, tx_graph_which(g, level), id);
    CHECK(place);
    return place;
}

static unsigned list_set(const struct cluster *c, uint64_t set, tx_id out[LIN_MAX])
{
    unsigned n = 0;
    for (; set; set &= set - 1) out[n++] = c->tx[bits_first(set)].id;
    return n;
}

unsigned tx_graph_cluster(struct tx_graph *g, enum tx_graph_level level, tx_id id, tx_id out[LIN_MAX])
{
    graph_settle(g);
    const struct cluster *c = find(g, level, id)->cluster;
    return list_set(c, bits_below(c->count), out);
}

unsigned tx_graph_cluster_size(const struct tx_graph *g, enum tx_graph_level level, tx_id id, int64_t *size)
{
    const struct cluster *c = find(g, level, id)->cluster;
    *size = c->size;
    return c->count;
}

uintptr_t tx_graph_cluster_key(const struct tx_graph *g, enum tx_graph_level level, tx_id id)
{
    return (uintptr_t)find(g, level, id)->cluster;
}

unsigned tx_graph_ancestors(struct tx_graph *g, enum tx_graph_level level, tx_id id, tx_id out[LIN_MAX])
{
    const struct place *place = find(g, level, id);
    return list_set(place->cluster, place->cluster->tx[place->at].anc, out);
}

unsigned tx_graph_descendants(struct tx_graph *g, enum tx_graph_level level, tx_id id, tx_id out[LIN_MAX])
{
    const struct place *place = find(g, level, id);
    return list_set(place->cluster, cluster_descendants(place->cluster, place->at), out);
}

/* One of several transactions asked for at once. */
struct asked {
    struct cluster *cluster;
    uint64_t set;
    size_t at; /* which of the list it was */
};

static int by_cluster(const void *a, const void *b)
{
    const struct asked *left = a;
    const struct asked *right = b;
    uintptr_t l = (uintptr_t)left->cluster;
    uintptr_t r = (uintptr_t)right->cluster;
    if (l != r) return l < r ? -1 : 1;
    return (left->at > right->at) - (left->at < right->at);
}

static int by_place(const void *a, const void *b)
{
    const struct asked *left = a;
    const struct asked *right = b;
    return (left->at > right->at) - (left->at < right->at);
}

enum relation { ITSELF, ANCESTORS, DESCENDANTS };

/* The clusters in which these lie, each once with all its sets joined, in the order in which they were first named: not
 * in that of their addresses, which differs from run to run. The caller frees the result. */
static struct asked *gather(const struct tx_graph *g, int level, const tx_id *ids, size_t n, enum relation what,
                            size_t *count)
{
    struct asked *all = mem_calloc(n + 1, sizeof *all);
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        const struct place *place = place_of(g, level, ids[i]);
        if (!place) continue;
        struct cluster *c = place->cluster;
        uint64_t set = bit(place->at);
        if (what == ANCESTORS) set = c->tx[place->at].anc;
        if (what == DESCENDANTS) set = cluster_descendants(c, place->at);
        all[found++] = (struct asked){c, set, i};
    }
    if (found > 1) qsort(all, found, sizeof *all, by_cluster);
    size_t kept = 0;
    for (size_t i = 0; i < found; i++) {
        if (kept && all[kept - 1].cluster == all[i].cluster) {
            all[kept - 1].set |= all[i].set;
        } else {
            all[kept++] = all[i];
        }
    }
    if (kept > 1) qsort(all, kept, sizeof *all, by_place);
    *count = kept;
    return all;
}

static size_t distinct(const struct tx_graph *g, int level, const tx_id *ids, size_t n, struct cluster **out)
{
    size_t count;
    struct asked *all = gather(g, level, ids, n, ITSELF, &count);
    for (size_t i = 0; i < count; i++) out[i] = all[i].cluster;
    free(all);
    return count;
}

void clusters_members(const struct tx_graph *g, int level, const tx_id *ids, size_t n, struct tx_ids *out)
{
    size_t count;
    struct asked *all = gather(g, level, ids, n, ITSELF, &count);
    for (size_t i = 0; i < count; i++) {
        for (unsigned k = 0; k < all[i].cluster->count; k++) tx_ids_push(out, all[i].cluster->tx[k].id);
    }
    free(all);
}

static void list_all(struct tx_graph *g, enum tx_graph_level level, const tx_id *ids, size_t n, enum relation what,
                     struct tx_ids *out)
{
    CHECK(!tx_graph_is_oversized(g, level));
    size_t count;
    struct asked *all = gather(g, tx_graph_which(g, level), ids, n, what, &count);
    for (size_t i = 0; i < count; i++) {
        for (uint64_t set = all[i].set; set; set &= set - 1) tx_ids_push(out, all[i].cluster->tx[bits_first(set)].id);
    }
    free(all);
}

void tx_graph_ancestors_of(struct tx_graph *g, enum tx_graph_level level, const tx_id *ids, size_t n,
                           struct tx_ids *out)
{
    list_all(g, level, ids, n, ANCESTORS, out);
}

void tx_graph_descendants_of(struct tx_graph *g, enum tx_graph_level level, const tx_id *ids, size_t n,
                             struct tx_ids *out)
{
    list_all(g, level, ids, n, DESCENDANTS, out);
}

size_t tx_graph_count_clusters(struct tx_graph *g, enum tx_graph_level level, const tx_id *ids, size_t n)
{
    CHECK(!tx_graph_is_oversized(g, level));
    size_t count;
    free(gather(g, tx_graph_which(g, level), ids, n, ITSELF, &count));
    return count;
}

struct fee_frac tx_graph_chunk_rate(struct tx_graph *g, tx_id id)
{
    graph_settle(g);
    const struct place *place = find(g, TX_GRAPH_MAIN, id);
    return place->cluster->part[place->cluster->tx[place->at].part].rate;
}

int tx_graph_cmp(struct tx_graph *g, tx_id a, tx_id b)
{
    graph_settle(g);
    const struct place *p = find(g, TX_GRAPH_MAIN, a);
    const struct place *q = find(g, TX_GRAPH_MAIN, b);
    if (p->cluster == q->cluster) return (p->at < q->at) - (p->at > q->at);
    return part_cmp(g, p->cluster, p->cluster->tx[p->at].part, q->cluster, q->cluster->tx[q->at].part);
}

unsigned tx_graph_worst(struct tx_graph *g, tx_id out[LIN_MAX], struct fee_frac *rate)
{
    graph_settle(g);
    CHECK(!tx_graph_is_oversized(g, TX_GRAPH_MAIN));
    if (!g->heap[HEAP_WORST].count) return 0;
    const struct cluster *c = g->heap[HEAP_WORST].item[0];
    *rate = c->part[c->parts - 1].rate;
    unsigned n = 0;
    for (unsigned i = c->count; i > part_begin(c, c->parts - 1); i--) out[n++] = c->tx[i - 1].id;
    return n;
}

static struct fee_frac *diagram(const struct clusters *list, size_t *count)
{
    size_t n = 0;
    for (size_t i = 0; i < list->count; i++) n += list->item[i]->parts;
    struct fee_frac *out = mem_calloc(n + 1, sizeof *out);
    *count = 0;
    for (size_t i = 0; i < list->count; i++) {
        for (unsigned k = 0; k < list->item[i]->parts; k++) out[(*count)++] = list->item[i]->part[k].rate;
    }
    diagram_sort(out, n);
    return out;
}

void tx_graph_diagrams(struct tx_graph *g, struct fee_frac **main, size_t *main_count, struct fee_frac **staged,
                       size_t *staged_count)
{
    CHECK(g->staging && !tx_graph_is_oversized(g, TX_GRAPH_MAIN) && !tx_graph_is_oversized(g, TX_GRAPH_TOP));
    graph_settle(g);
    *main = diagram(&g->level[MAIN].list[LIST_PULLED], main_count);
    *staged = diagram(&g->level[STAGED].list[LIST_ALL], staged_count);
}

enum diagram_relation tx_graph_compare_staging(struct tx_graph *g)
{
    struct fee_frac *was, *is;
    size_t was_count, is_count;
    tx_graph_diagrams(g, &was, &was_count, &is, &is_count);
    enum diagram_relation relation = diagram_compare(is, is_count, was, was_count);
    free(was);
    free(is);
    return relation;
}

size_t tx_graph_memory(const struct tx_graph *g)
{
    size_t sum = sizeof *g + g->cluster_bytes + g->entry_cap * sizeof g->entry[0] + g->gone.cap * sizeof(tx_id);
    for (int i = 0; i < HEAP_COUNT; i++) sum += g->heap[i].cap * sizeof(struct cluster *);
    for (int level = MAIN; level <= STAGED; level++) {
        for (int i = 0; i < LIST_COUNT; i++) sum += g->level[level].list[i].cap * sizeof(struct cluster *);
        sum += g->level[level].waiting_cap * sizeof(struct waiting);
    }
    return sum;
}
