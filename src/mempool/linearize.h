/* The order in which a cluster of transactions that spend each other's outputs is best mined, and its chunks.
 *
 * A *linearisation* is an order in which no transaction comes before one that it depends on. Its *chunks* are what a
 * miner takes of it: the prefix that pays most a unit of size, then the best prefix of what is left, and so on; their
 * rates fall. The fees of the chunks over their sizes are its diagram; an *optimal* linearisation is one whose diagram
 * is nowhere below that of any other. There always is one.
 *
 * How it is found: of a set of transactions with the rate r, is there a subset, closed under dependencies, that pays
 * more than r? That is a minimum cut: what transactions pay above r flows to those among their ancestors which pay
 * below it, and whoever keeps something left over is in the subset. If there is one, the set falls in two (all that
 * pays more than r goes before all that does not), each dealt with alone; if not, the set is a chunk. A cluster of n
 * transactions needs fewer than 2n such cuts, so that the optimum takes polynomial time whatever shape an attacker
 * gives the cluster. There is no chance in it: the same cluster gives the same order. */
#ifndef CAIRN_MEMPOOL_LINEARIZE_H
#define CAIRN_MEMPOOL_LINEARIZE_H

#include "mempool/fee_frac.h"

#include <stdbool.h>
#include <stdint.h>

#define LIN_MAX 64 /* transactions of a cluster: sets are bits of a uint64_t */

/* A cluster (or any set of transactions with their dependencies). */
struct lin_graph {
    unsigned count;
    struct fee_frac tx[LIN_MAX];
    uint64_t tie[LIN_MAX];  /* of equals, the smaller comes first; then the smaller index */
    uint64_t anc[LIN_MAX];  /* what each depends on, with itself, directly or not */
    uint64_t desc[LIN_MAX]; /* what depends on each, with itself */
};

struct lin_chunk {
    struct fee_frac rate;
    uint64_t set;
};

/* Adds a transaction without dependencies to a graph that begins all zeroes; returns its index. */
unsigned lin_graph_add(struct lin_graph *g, struct fee_frac tx, uint64_t tie);

/* CHILD depends on PARENT, which must not depend on CHILD. */
void lin_graph_depend(struct lin_graph *g, unsigned parent, unsigned child);

/* Fills desc from anc. */
void lin_graph_fill_desc(struct lin_graph *g);

/* The sum over SET. */
struct fee_frac lin_sum(const struct lin_graph *g, uint64_t set);

/* Is SET, within which any two are joined by dependencies both within it, in one piece? The piece of its first
 * member is returned: all of SET if so. */
uint64_t lin_piece(const struct lin_graph *g, uint64_t set);

/* Is ORDER a linearisation of G? */
bool lin_is_valid(const struct lin_graph *g, const uint8_t order[LIN_MAX]);

/* The chunks of ORDER; returns how many. */
unsigned lin_chunks(const struct lin_graph *g, const uint8_t order[LIN_MAX], struct lin_chunk out[LIN_MAX]);

/* How the diagram of A lies to that of B. */
enum diagram_relation lin_compare(const struct lin_graph *g, const uint8_t a[LIN_MAX], const uint8_t b[LIN_MAX]);

/* Improves ORDER in place in O(n^2) steps: never worse, every chunk is connected, and a transaction that gained in fee
 * has moved as far to the front as a simple swap of neighbouring groups allows. */
void lin_post(const struct lin_graph *g, uint8_t order[LIN_MAX]);

/* Makes ORDER (a linearisation, given) optimal: true, with chunks that cannot be divided into parts of the same rate.
 * If *BUDGET (steps of about 5 ns; what is used is taken off it) ends before, ORDER is never worse than it was, its
 * chunks are connected, and the result is false. */
bool lin_optimize(const struct lin_graph *g, uint8_t order[LIN_MAX], uint64_t *budget);

/* --- for lin_optimize, and its tests --- */

/* The smallest of the subsets of SET that are closed under dependencies within SET and pay most above SET's own rate; 0
 * if none pays above it. Then, if PARTS is given, *PARTS and *COUNT say how SET falls into connected parts of equal
 * rate that cannot be divided, what is depended on first. Takes its steps off *BUDGET, down to 0, but always ends. */
uint64_t lin_best_subset(const struct lin_graph *g, uint64_t set, uint64_t parts[LIN_MAX], unsigned *count,
                         uint64_t *budget);

/* SET's members at the end of ORDER (of length AT), each after those that it depends on, the best paying first; returns
 * the new length. */
unsigned lin_append(const struct lin_graph *g, uint64_t set, uint8_t order[LIN_MAX], unsigned at);

#endif
