/* A naive twin of the graph of transactions: one matrix of who depends on whom a level, everything found by looking at
 * all. */
#ifndef CAIRN_TEST_MEMPOOL_TWIN_H
#define CAIRN_TEST_MEMPOOL_TWIN_H

#include "mempool/tx_graph.h"

#define TWIN_MAX 64 /* ids */

struct twin_level {
    bool has[TWIN_MAX];
    bool reach[TWIN_MAX][TWIN_MAX]; /* [child][parent], not itself */
};

struct twin {
    struct tx_graph_limits limits;
    struct fee_frac tx[TWIN_MAX];
    struct twin_level level[2];
    bool pulled[TWIN_MAX]; /* of main: in a cluster that staging touched */
    bool staging;
};

/* What is joined to ID in L, as bits. */
uint64_t twin_cluster(const struct twin_level *l, unsigned id);

/* What ID depends on, and what depends on it, with itself. */
uint64_t twin_ancestors(const struct twin_level *l, unsigned id);
uint64_t twin_descendants(const struct twin_level *l, unsigned id);

bool twin_is_oversized(const struct twin *t, const struct twin_level *l);

void twin_depend(struct twin_level *l, unsigned parent, unsigned child);
void twin_remove(struct twin_level *l, unsigned id);

/* The chunks of the cluster SET in L, found by trying every subset that is closed: chunk rates by id, and appended to
 * DIAGRAM; returns how many. */
unsigned twin_chunks(const struct twin *t, const struct twin_level *l, uint64_t set, struct fee_frac by_id[TWIN_MAX],
                     struct fee_frac *diagram);

#endif
