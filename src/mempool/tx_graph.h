/* The graph of unconfirmed transactions: who depends on whom, in which order they are best mined, who pays least.
 *
 * Transactions joined by dependencies, directly or not, form a *cluster*; each keeps its linearisation and chunks (see
 * linearize.h). Chunks of all clusters, best rate first, are the order of the whole graph: blocks are built from its
 * front and room is made at its end. The graph knows neither bytes nor hashes: a transaction is an id, a fee (satoshis,
 * with what a user added), a size (weight units or adjusted virtual bytes: the same throughout) and a number that
 * decides between equals.
 *
 * *Staging* is a second level over the main one, for "what if": changes are made on copies of the clusters that they
 * touch, compared with the main level, then committed or aborted. While there is one, changes go there (but for fees,
 * which change in both).
 *
 * Limits: no cluster may exceed a count and a size. Changes are always accepted; dependencies that would make a cluster
 * too large are kept aside, and the level is *oversized* until transactions are removed, by the caller or by
 * tx_graph_trim. While a level is oversized, only what says so may be asked of it.
 *
 * Time: a change costs at most one pass over the clusters it touches. Linearisations are made when something is next
 * asked, each changed cluster once, with a budget; those that it did not suffice for are good but perhaps not optimal,
 * and tx_graph_work goes on with them. Everything is deterministic: the same calls give the same answers. */
#ifndef CAIRN_MEMPOOL_TX_GRAPH_H
#define CAIRN_MEMPOOL_TX_GRAPH_H

#include "base/compiler.h"
#include "mempool/fee_frac.h"
#include "mempool/linearize.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A transaction's number in the graph: small, dense, and used again after it was removed (from every level). */
typedef uint32_t tx_id;

struct tx_graph;

struct tx_graph_limits {
    unsigned count;  /* transactions of a cluster: 1 to LIN_MAX */
    int64_t size;    /* of a cluster, in the unit of the sizes given */
    uint64_t budget; /* steps to linearise a cluster that changed (about 5 ns each); 0 for the usual */
};

enum tx_graph_level {
    TX_GRAPH_MAIN,
    TX_GRAPH_TOP, /* staging where there is one, else main */
};

/* A list of transactions that grows; all zeroes is empty. The caller frees it with tx_ids_clear. */
struct tx_ids {
    tx_id *id;
    size_t count;
    size_t cap;
};

void tx_ids_clear(struct tx_ids *list);

struct tx_graph *tx_graph_new(const struct tx_graph_limits *limits);
void tx_graph_free(struct tx_graph *g);

/* --- changes: to staging where there is one --- */

/* A transaction without dependencies. TIE: of equals, the smaller comes first (give something no one can choose for
 * free, as the leading bytes of its hash). FEE beyond FEE_FRAC_MAX_FEE is taken as that; SIZE is 1 to
 * FEE_FRAC_MAX_SIZE. */
tx_id tx_graph_add(struct tx_graph *g, int64_t fee, int64_t size, uint64_t tie);

/* Takes one out, wherever it stands: what depended on it keeps depending on what it depended on, except through
 * dependencies that are kept aside (so that from an oversized level one goes with all that depends on it). Nothing if
 * it is not there. */
void tx_graph_remove(struct tx_graph *g, tx_id id);

/* CHILD depends on PARENT, which must not depend on CHILD. Nothing if it does already, or if either is not there. */
void tx_graph_depend(struct tx_graph *g, tx_id parent, tx_id child);

/* A new fee, in both levels. */
void tx_graph_set_fee(struct tx_graph *g, tx_id id, int64_t fee);

/* Removes from an oversized level what does not fit, and all that depends on it: those that stand last in the order go
 * first. Appends what was removed to *REMOVED. */
void tx_graph_trim(struct tx_graph *g, struct tx_ids *removed);

/* Improves what budgets have left unfinished, the whole of a cluster at a time, until BUDGET steps are used. True if
 * nothing is left to do. */
bool tx_graph_work(struct tx_graph *g, uint64_t budget);

/* --- staging --- */

/* Begins staging. There must be none, and main must not be oversized. */
void tx_graph_stage(struct tx_graph *g);
bool tx_graph_is_staging(const struct tx_graph *g);
void tx_graph_abort(struct tx_graph *g);

/* Makes staging the main level; it must not be oversized. */
void tx_graph_commit(struct tx_graph *g);

/* How staging's diagram lies to that of main. A replacement must be DIAGRAM_BETTER. Neither may be oversized. */
enum diagram_relation tx_graph_compare_staging(struct tx_graph *g);

/* The chunks of the clusters that differ, best first, into arrays that the caller frees: what was, and what would be.
 */
void tx_graph_diagrams(struct tx_graph *g, struct fee_frac **main, size_t *main_count, struct fee_frac **staged,
                       size_t *staged_count);

/* --- also of an oversized level --- */

bool tx_graph_is_oversized(const struct tx_graph *g, enum tx_graph_level level);
bool tx_graph_has(const struct tx_graph *g, enum tx_graph_level level, tx_id id);
size_t tx_graph_count(const struct tx_graph *g, enum tx_graph_level level);
struct fee_frac tx_graph_tx(const struct tx_graph *g, tx_id id);

/* Would one more transaction of SIZE that depends on these N (without repetition or with) stay within the limits? */
bool tx_graph_fits(const struct tx_graph *g, enum tx_graph_level level, const tx_id *parents, size_t n, int64_t size);

/* --- of a level that is not oversized; each ID must be there --- */

/* The cluster of ID in its order; returns how many. */
unsigned tx_graph_cluster(struct tx_graph *g, enum tx_graph_level level, tx_id id, tx_id out[LIN_MAX]);

/* The count and the size of the cluster of ID. */
unsigned tx_graph_cluster_size(const struct tx_graph *g, enum tx_graph_level level, tx_id id, int64_t *size);

/* A number for the cluster of ID, equal for members of one cluster; good until the next change. */
uintptr_t tx_graph_cluster_key(const struct tx_graph *g, enum tx_graph_level level, tx_id id);

/* What ID depends on, and what depends on it, both with itself, in an order that puts parents first. */
unsigned tx_graph_ancestors(struct tx_graph *g, enum tx_graph_level level, tx_id id, tx_id out[LIN_MAX]);
unsigned tx_graph_descendants(struct tx_graph *g, enum tx_graph_level level, tx_id id, tx_id out[LIN_MAX]);

/* The same of several at once, each found once; those that are not there are left out. Appended to *OUT. */
void tx_graph_ancestors_of(struct tx_graph *g, enum tx_graph_level level, const tx_id *ids, size_t n,
                           struct tx_ids *out);
void tx_graph_descendants_of(struct tx_graph *g, enum tx_graph_level level, const tx_id *ids, size_t n,
                             struct tx_ids *out);

/* In how many clusters these N lie; those that are not there are left out. */
size_t tx_graph_count_clusters(struct tx_graph *g, enum tx_graph_level level, const tx_id *ids, size_t n);

/* --- the order of the main level, which must not be oversized --- */

/* The chunk in which ID would be mined: its rate. */
struct fee_frac tx_graph_chunk_rate(struct tx_graph *g, tx_id id);

/* 1 if A comes before B in the order, -1 if after, 0 if they are the same. */
int tx_graph_cmp(struct tx_graph *g, tx_id a, tx_id b);

/* The last chunk of the order: who pays least. Children come before their parents. Returns how many, 0 if there is no
 * transaction. */
unsigned tx_graph_worst(struct tx_graph *g, tx_id out[LIN_MAX], struct fee_frac *rate);

/* Walks over the chunks, best first. While it exists, the main level must not change. */
struct tx_graph_builder;

struct tx_graph_builder *tx_graph_builder_new(struct tx_graph *g);
void tx_graph_builder_free(struct tx_graph_builder *b);

/* The chunk that is next, in the order of mining; returns how many transactions it has, 0 at the end. */
unsigned tx_graph_builder_chunk(const struct tx_graph_builder *b, tx_id out[LIN_MAX], struct fee_frac *rate);

/* Goes on: the chunk was taken, or it was not, and with it the rest of its cluster. */
void tx_graph_builder_take(struct tx_graph_builder *b);
void tx_graph_builder_skip(struct tx_graph_builder *b);

/* --- account --- */

/* Bytes of memory in use by both levels. */
size_t tx_graph_memory(const struct tx_graph *g);

/* Recomputes every invariant; stops the process if one does not hold. For tests. */
void tx_graph_check(struct tx_graph *g);

#endif
