/* Shared by the files of the pool: how entries are kept, added and removed; the checks that look at several. */
#ifndef CAIRN_MEMPOOL_MEMPOOL_INTERNAL_H
#define CAIRN_MEMPOOL_MEMPOOL_INTERNAL_H

#include "base/hashmap.h"
#include "base/random.h"
#include "mempool/fee_estimator.h"
#include "mempool/mempool.h"

/* Transactions of disconnected blocks on their way back: the last one mined first. Slots of those that a new block took
 * are NULL. */
struct returned {
    struct mempool_entry **txs; /* never in the pool: copies */
    size_t first, count, cap;   /* slots in use: first to count - 1 */
    struct hashmap by_txid;
    uint64_t bytes;
    bool disconnected; /* something was, since the last settle */
};

/* A list of entries under construction, each once. All zeroes is empty; pool_set_clear frees. */
struct pool_set {
    struct mempool_entry **items; /* in the order in which they were added */
    size_t count, cap;
    struct mempool_entry **slots; /* pool_set_add's: a hash table, once there are many */
    size_t slot_cap;
};

struct mempool {
    struct mempool_options options;
    struct chain *chain;
    struct log *log;
    struct fee_estimator *estimator;
    struct random random;
    int64_t now_s;
    bool loaded;
    enum result failure;
    struct error failure_error;

    struct tx_graph *graph;
    struct mempool_entry **entries; /* dense; a heap: nobody is older than the first */
    size_t count, cap;
    struct mempool_entry **by_id; /* by number in the graph; NULL: nobody */
    size_t id_cap;
    struct hashmap by_txid, by_wtxid;
    struct hashmap spends;      /* outpoint -> who spends it */
    struct hashmap deltas;      /* txid -> delta */
    struct hashmap unbroadcast; /* txids */
    struct pool_set staged;     /* staged to be added */

    uint64_t vbytes, entry_bytes; /* sum of vsize; heap bytes of all entries */
    amount_sat fees;
    uint64_t sequence, updates;

    double rolling_rate; /* satoshis per 1000 virtual bytes; decays */
    int64_t rolling_update_s;
    bool block_since_bump;

    struct returned returned; /* reorg.c */
};

enum removal_reason {
    REMOVED_EXPIRY,
    REMOVED_SIZE_LIMIT,
    REMOVED_REORG,
    REMOVED_BLOCK,
    REMOVED_CONFLICT,
    REMOVED_REPLACED,
};

/* "expiry", "sizelimit", "reorg", "block", "conflict", "replaced". */
const char *removal_reason_name(enum removal_reason reason);

/* ---- pool.c: the store ---- */

void pool_set_add(struct pool_set *s, struct mempool_entry *e); /* nothing where it is in already */
bool pool_set_has(const struct pool_set *s, const struct mempool_entry *e);
void pool_set_clear(struct pool_set *s);

/* An entry with a copy of TX (hashed), in one block of memory; the rest of its fields are the caller's to fill. Not in
 * the pool yet. */
struct mempool_entry *pool_entry_new(const struct tx *tx);
void pool_entry_free(struct mempool_entry *e);
size_t pool_entry_bytes(const struct mempool_entry *e); /* heap bytes */

/* Lookups without const. */
struct mempool_entry *pool_find(const struct mempool *m, const struct txid *txid);
struct mempool_entry *pool_spender(const struct mempool *m, const struct outpoint *at);
/* The delta that a user gave this txid; 0: none. */
amount_sat pool_delta(const struct mempool *m, const struct txid *txid);

/* A change in the making, on the graph's staging: additions and removals that can be judged together (limits,
 * diagrams), then done or dropped. */
void pool_stage(struct mempool *m);
/* E is not in the pool yet; its fee, delta, adjusted_weight must be set. Sets e->id; its parents in the pool and among
 * those staged before become its parents in the graph. */
void pool_stage_add(struct mempool *m, struct mempool_entry *e);
void pool_stage_remove(struct mempool *m, struct mempool_entry *e);
/* Within the limits of clusters, as it is staged. */
bool pool_stage_fits(struct mempool *m);
/* Drops it; entries that were staged to be added stay the caller's. */
void pool_stage_abort(struct mempool *m);
/* Does it: removes REMOVED (staged to be removed, descendants included) for REASON, then adds ADDED (all that were
 * staged to be added), which are the pool's from now on. Where limits did not hold, what does not fit leaves at once:
 * look with pool_find for what came in. */
void pool_stage_commit(struct mempool *m, const struct pool_set *removed, enum removal_reason reason,
                       struct mempool_entry *const *added, size_t added_count, bool counted_for_estimates);

/* Removes these (and frees them), not their descendants: whoever depended on them keeps its other relations. */
void pool_remove(struct mempool *m, const struct pool_set *set, enum removal_reason reason);
/* All that depend on what is in SET, added to it: by what they spend, whether the graph knows it yet or not. */
void pool_add_descendants(struct mempool *m, struct pool_set *set);

/* The chain has room for no more: expires the old, then drops the worst chunks until memory is within the limit. */
void pool_limit(struct mempool *m);
/* Removes all older than TIME_S with what depends on them; returns how many. */
size_t pool_expire(struct mempool *m, int64_t time_s);

/* Recomputes all once in so many calls (check_one_in): to be called where the pool rests. */
void pool_check_sometimes(struct mempool *m);

/* Notes a failure of our machine (the first one is kept). Returns R. */
enum result pool_fail(struct mempool *m, enum result r, const struct error *e);

/* ---- truc.c: version 3 (BIP431) ---- */

enum {
    TRUC_VERSION = 3,
    TRUC_MAX_VSIZE = 10000,
    TRUC_CHILD_MAX_VSIZE = 1000,
    TRUC_ANCESTORS = 2,
    TRUC_DESCENDANTS = 2
};

/* Topology of TX of VSIZE on PARENTS (in the pool), which conflicts with CONFLICTS. True where it holds. Else DETAIL
 * says why, and *SIBLING (or NULL) is the one whose eviction would mend it. */
bool truc_check(struct mempool *m, const struct tx *tx, uint64_t vsize, const struct pool_set *parents,
                const struct pool_set *conflicts, char *detail, size_t detail_size, struct mempool_entry **sibling);

/* The same for the AT-th of a package, whose VSIZES and in-pool PARENTS are known. */
bool truc_check_package(struct mempool *m, const struct tx *const *txs, const uint64_t *vsizes,
                        const struct pool_set *parents, size_t count, size_t at, char *detail, size_t detail_size);

/* ---- replace.c: replacement ---- */

/* A candidate and those it would replace. */
struct replacement {
    const struct tx *tx;
    amount_sat modified_fee;
    uint64_t vsize;
    bool sibling;                  /* one of them is replaced as a sibling: reasons say so */
    const struct pool_set *direct; /* spend the same, or the sibling */
};

/* Fills *ALL (the direct ones and their descendants) and judges by clusters touched and by fees: "too many potential
 * replacements", "insufficient fee". */
bool replace_check_fees(struct mempool *m, const struct replacement *r, struct pool_set *all, struct verdict *v);
/* After it was staged: "replacement-failed" unless the diagram is strictly better. */
bool replace_check_diagram(struct mempool *m, struct verdict *v);

/* ---- accept.c ---- */

/* BIP68 locks of TX for the tip's next block from ORIGINS of its inputs (those in the pool: height + 1), into E. */
void accept_set_locks(struct mempool *m, struct mempool_entry *e, const coin_origin *origins);

/* Finds what the inputs of TX spend, in the pool or the chain. Arrays of in_count from ARENA; spans good until the pool
 * or the chain changes. *MISSING: one is not there (the arrays are not filled then). */
MUST_USE enum result accept_find_coins(struct mempool *m, const struct tx *tx, struct arena *arena,
                                       struct tx_out **spent, coin_origin **origins, bool *missing, struct error *e);

/* ---- reorg.c ---- */

void reorg_init(struct mempool *m, uint64_t hash_seed);
void reorg_clear(struct mempool *m);
size_t reorg_memory(const struct mempool *m);

#endif
