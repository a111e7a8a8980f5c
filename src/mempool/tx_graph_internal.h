/* How the graph of transactions is kept: entries, clusters, levels. For the files of tx_graph only. */
#ifndef CAIRN_MEMPOOL_TX_GRAPH_INTERNAL_H
#define CAIRN_MEMPOOL_TX_GRAPH_INTERNAL_H

#include "mempool/bits.h"
#include "mempool/tx_graph.h"

struct cluster;

enum { MAIN = 0, STAGED = 1 };

/* Where a transaction stands in a level. */
enum place_state {
    PLACE_NONE = 0, /* in main: not there; in staging: as in main */
    PLACE_OWN,      /* in the cluster named */
    PLACE_GONE,     /* in staging: removed, while main has it still */
};

struct place {
    struct cluster *cluster;
    uint8_t at; /* its position in the cluster's order */
    uint8_t state;
};

struct entry {
    struct fee_frac tx;
    uint64_t tie;
    struct place place[2];
    bool used;
    tx_id next_free;
};

/* A chunk of a cluster: from where the chunk before it ends. */
struct part {
    struct fee_frac rate;
    int64_t equal_size; /* of it and the chunks of the same rate before it in the cluster: their order among equals */
    uint8_t end;
};

struct member {
    uint64_t anc; /* positions of what it depends on, and its own */
    tx_id id;
    uint8_t part;
};

/* The lists of a level on which a cluster may stand. */
enum cluster_list {
    LIST_ALL,
    LIST_DIRTY,  /* the order is valid, but chunks and order are to be made anew */
    LIST_ROUGH,  /* linearised, perhaps not optimal */
    LIST_PULLED, /* of main: staging has a copy */
    LIST_COUNT,
};

enum { HEAP_BEST, HEAP_WORST, HEAP_COUNT };

#define NOWHERE SIZE_MAX

/* Members stand in the order of the linearisation, so that the ancestors of each have lower positions. */
struct cluster {
    int level;
    unsigned count;
    unsigned parts;
    int64_t size;
    size_t slot[LIST_COUNT];    /* in the lists of its level, or NOWHERE */
    size_t heap_at[HEAP_COUNT]; /* in the heaps, or NOWHERE: in both or in none, and only clean ones of main */
    struct part *part;
    struct member tx[];
};

struct clusters {
    struct cluster **item;
    size_t count;
    size_t cap;
};

/* A dependency that waits, because its cluster would be too large. */
struct waiting {
    tx_id parent;
    tx_id child;
};

struct level {
    struct clusters list[LIST_COUNT];
    struct waiting *waiting;
    size_t waiting_count;
    size_t waiting_cap;
    size_t count; /* transactions, also those that staging shares with main */
    size_t large; /* of them, those that are too large alone */
};

struct tx_graph {
    struct tx_graph_limits limits;
    struct entry *entry;
    size_t entries; /* ever used; the free ones among them are chained */
    size_t entry_cap;
    tx_id first_free;
    struct level level[2];
    bool staging;
    struct tx_ids gone; /* what staging removed of main */
    struct clusters heap[HEAP_COUNT];
    size_t builders;
    size_t cluster_bytes;
};

#define NO_TX UINT32_MAX

static inline int tx_graph_top(const struct tx_graph *g)
{
    return g->staging ? STAGED : MAIN;
}

static inline int tx_graph_which(const struct tx_graph *g, enum tx_graph_level level)
{
    return level == TX_GRAPH_TOP ? tx_graph_top(g) : MAIN;
}

/* Where ID stands as seen from LEVEL: its own place there, or that of main; NULL if it is not there. */
const struct place *place_of(const struct tx_graph *g, int level, tx_id id);

/* --- clusters --- */

/* A cluster of COUNT members still to be filled in, on LIST_ALL and LIST_DIRTY. */
struct cluster *cluster_new(struct tx_graph *g, int level, unsigned count);

/* Takes C off every list and frees it; entries are left alone. */
void cluster_drop(struct tx_graph *g, struct cluster *c);

/* Tells the members where they stand. */
void cluster_place(struct tx_graph *g, struct cluster *c);

/* The cluster of ID in LEVEL, to be changed: a copy is pulled into staging first where it is still main's. */
struct cluster *cluster_own(struct tx_graph *g, int level, tx_id id);

/* C's chunks no longer hold. */
void cluster_touch(struct tx_graph *g, struct cluster *c);

/* The two as one, A's members first. Returns it; A and B are gone. */
struct cluster *cluster_merge(struct tx_graph *g, struct cluster *a, struct cluster *b);

/* Puts the members in ORDER (of positions), which must be valid. */
void cluster_permute(struct tx_graph *g, struct cluster *c, const uint8_t order[LIN_MAX]);

/* The members of SET no longer belong to C: what is left forms one or more clusters, or none. C is gone, and entries of
 * SET are left alone. */
void cluster_split(struct tx_graph *g, struct cluster *c, uint64_t set);

/* The position P is one of the ancestors of Q, which is none of P's. */
void cluster_depend(struct tx_graph *g, struct cluster *c, unsigned p, unsigned q);

/* Positions that depend on P, with itself. */
uint64_t cluster_descendants(const struct cluster *c, unsigned p);

/* Linearises C and finds its chunks. */
void cluster_linearize(struct tx_graph *g, struct cluster *c, uint64_t *budget);

/* Linearises whatever changed in both levels. */
void graph_settle(struct tx_graph *g);

/* --- lists and heaps --- */

void clusters_put(struct level *l, enum cluster_list list, struct cluster *c);
void clusters_del(struct level *l, enum cluster_list list, struct cluster *c);
void heaps_put(struct tx_graph *g, struct cluster *c);
void heaps_del(struct tx_graph *g, struct cluster *c);

/* 1 if chunk PA of A comes before chunk PB of B in the order of the graph; -1 if after; 0 if they are the same. */
int part_cmp(const struct tx_graph *g, const struct cluster *a, unsigned pa, const struct cluster *b, unsigned pb);

void tx_ids_push(struct tx_ids *list, tx_id id);

/* Appends all members of the clusters in which these N lie, each once. */
void clusters_members(const struct tx_graph *g, int level, const tx_id *ids, size_t n, struct tx_ids *out);

/* Takes ID out of LEVEL, whose cluster no longer has it. */
void entry_forget(struct tx_graph *g, int level, tx_id id);
void entry_free(struct tx_graph *g, tx_id id);

/* Tries again the dependencies that wait in LEVEL. */
void waiting_retry(struct tx_graph *g, int level);

static inline unsigned part_begin(const struct cluster *c, unsigned part)
{
    return part ? c->part[part - 1].end : 0;
}

#endif
