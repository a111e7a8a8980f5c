/* The pool of unconfirmed transactions: what could be in the next block, and what it would bring its miner.
 *
 * Transactions enter by mempool_accept, one or a package at a time, after every rule of consensus and policy; they
 * leave for a block, for a conflict, for one that pays more, for age, or because there is no room. At rest the pool is
 * what the tip's next blocks could contain in full, whatever reorganisations did.
 *
 * Engine code: no clock (mempool_set_time), no file. One thread owns it. Entries handed out are good until the next
 * call that changes the pool. Our machine's failures (a coin that cannot be read) are results, never verdicts; the
 * first one is kept (mempool_failure), so that who cannot report it need not. */
#ifndef CAIRN_MEMPOOL_MEMPOOL_H
#define CAIRN_MEMPOOL_MEMPOOL_H

#include "chain/chain.h"
#include "mempool/tx_graph.h"
#include "policy/standard.h"

struct mempool;
struct fee_estimator;

enum {
    MEMPOOL_BYTES_DEFAULT_MB = 300,
    MEMPOOL_EXPIRY_DEFAULT_H = 336,
    MEMPOOL_CLUSTER_COUNT_DEFAULT = 64,
    MEMPOOL_CLUSTER_KVB_DEFAULT = 101,
    MEMPOOL_MAX_REPLACED_CLUSTERS = 100, /* clusters that one replacement may touch */
    MEMPOOL_MAX_PACKAGE = 25,
    MEMPOOL_MAX_PACKAGE_WEIGHT = 404000,
    MEMPOOL_ROLLING_HALF_LIFE_S = 60 * 60 * 12,
};

struct mempool_options {
    uint64_t max_bytes;          /* of memory: -maxmempool */
    int64_t expiry_s;            /* -mempoolexpiry */
    struct fee_rate min_relay;   /* -minrelaytxfee */
    struct fee_rate incremental; /* -incrementalrelayfee */
    struct standard_rules standard;
    bool require_standard;   /* not -acceptnonstdtxn */
    unsigned cluster_count;  /* -limitclustercount */
    uint64_t cluster_vbytes; /* -limitclustersize */
    unsigned check_one_in;   /* -checkmempool: recompute all after one in so many changes; 0: never */
    uint8_t seed[32];        /* secret */
};

/* Core's defaults; SEED is left zero. */
struct mempool_options mempool_options_default(void);

struct mempool_entry {
    struct tx tx;      /* hashed; with all it points to it belongs to the entry */
    amount_sat fee;    /* inputs less outputs */
    amount_sat delta;  /* what the user added with prioritisetransaction */
    int64_t time_s;    /* when it came */
    uint64_t sequence; /* mempool_sequence when it came; 0: came back from a block */
    int32_t height;    /* of the tip when it came */
    uint32_t sigop_cost;
    uint64_t weight_wu;            /* of its bytes */
    uint64_t adjusted_weight;      /* at least what its sigops are worth: sizes of chunks and clusters are in this */
    uint64_t vsize;                /* adjusted weight in virtual bytes, rounded up */
    int32_t lock_height;           /* BIP68: it can be mined above this height ... */
    int64_t lock_time_s;           /* ... and this median time; -1: none */
    struct block_node *lock_block; /* the highest block whose coins these rest on; good while that is in the chain */
    bool spends_coinbase;
    tx_id id;  /* in the graph */
    size_t at; /* in mempool_at's order */
};

static inline amount_sat mempool_modified_fee(const struct mempool_entry *e)
{
    amount_sat sum; /* users may wish for more than there is */
    return __builtin_add_overflow(e->fee, e->delta, &sum) ? INT64_MAX : sum;
}

/* CHAIN and LOG must live as long. */
struct mempool *mempool_new(const struct mempool_options *options, struct chain *chain, struct log *log);
void mempool_free(struct mempool *m);
const struct mempool_options *mempool_options_of(const struct mempool *m);

/* Seconds since 1970 of what follows (mocked where time is mocked). */
void mempool_set_time(struct mempool *m, int64_t now_s);

/* Told of what enters and leaves; must live as long, or be set to NULL. */
void mempool_set_estimator(struct mempool *m, struct fee_estimator *f);

/* The first failure of our machine since the last look (which clears it); RESULT_OK: none. */
enum result mempool_failure(struct mempool *m, struct error *e);

/* ---- entering ---- */

enum mempool_flag {
    MEMPOOL_TEST = 1,     /* judge, but change nothing */
    MEMPOOL_RETURNED = 2, /* out of a disconnected block: floors and limits do not hold */
};

enum tx_outcome_kind {
    TX_OUTCOME_NONE,        /* not judged: the package failed before */
    TX_OUTCOME_ACCEPTED,    /* or would be, with MEMPOOL_TEST */
    TX_OUTCOME_REFUSED,     /* for VERDICT */
    TX_OUTCOME_KNOWN,       /* package: it was there */
    TX_OUTCOME_OTHER_THERE, /* package: the same with another witness was there: OTHER */
};

struct tx_outcome {
    enum tx_outcome_kind kind;
    struct verdict verdict;
    struct wtxid other;
    amount_sat fee;                 /* ACCEPTED, and REFUSED for its fee */
    uint64_t vsize;                 /* the same */
    bool has_rate;                  /* EFFECTIVE is known */
    struct fee_rate effective;      /* by which it was judged: its own, or of what was judged with it */
    struct wtxid *effective_wtxids; /* those judged together */
    size_t effective_count;
};

/* One that was replaced. */
struct replaced_tx {
    struct txid txid;
    struct wtxid wtxid;
    struct buffer raw;
};

struct mempool_outcome {
    struct verdict package; /* of more than one: why all failed; valid where each speaks for itself */
    struct tx_outcome *txs; /* one for each, in order */
    size_t count;
    struct replaced_tx *replaced;
    size_t replaced_count;
};

void mempool_outcome_clear(struct mempool_outcome *o);

/* Judges COUNT transactions (hashed; not taken, copied where they enter), parents before children, and lets them in
 * unless MEMPOOL_TEST. TIME_S is when they came (older for those out of a file). One: any. More: only with
 * MEMPOOL_TEST, as testmempoolaccept asks (no replacement, no sibling eviction). *OUT must be cleared. RESULT is our
 * machine's part. */
MUST_USE enum result mempool_accept(struct mempool *m, const struct tx *const *txs, size_t count, int64_t time_s,
                                    unsigned flags, struct mempool_outcome *out, struct error *e);

/* The same of one, which needs no more than the verdict. */
MUST_USE enum result mempool_accept_one(struct mempool *m, const struct tx *tx, int64_t time_s, unsigned flags,
                                        struct verdict *v, struct error *e);

/* Lets in what it can of a child and those of its parents that are not in the pool yet (of COUNT, the last is the child
 * and all others are its parents, as submitpackage wants them; one is also good). Each is tried by itself; those that
 * pay too little for that, and those that rest on them, are judged together by what they pay together. Who pays more
 * than MAX_RATE (0: any) is refused. OUT->package is "transaction failed" where the answers of each tell why. */
MUST_USE enum result mempool_accept_package(struct mempool *m, const struct tx *const *txs, size_t count,
                                            int64_t time_s, struct fee_rate max_rate, struct mempool_outcome *out,
                                            struct error *e);

/* ---- the chain moves ---- */

/* NODE's block is connected: what it has and what conflicts with it leaves. */
void mempool_on_connected(struct mempool *m, const struct block *block, const struct block_node *node);
/* It is disconnected: its transactions are kept aside until mempool_settle. */
void mempool_on_disconnected(struct mempool *m, const struct block *block);
/* The chain rests (call after each run of chain_step): disconnected transactions come back where they can, and what the
 * new tip does not allow leaves. Nothing where nothing was disconnected. */
void mempool_settle(struct mempool *m);

/* ---- who is there ---- */

size_t mempool_count(const struct mempool *m);
/* The AT-th, 0 to count - 1, in no order that means anything. */
const struct mempool_entry *mempool_at(const struct mempool *m, size_t at);
const struct mempool_entry *mempool_find(const struct mempool *m, const struct txid *txid);
const struct mempool_entry *mempool_find_wtxid(const struct mempool *m, const struct wtxid *wtxid);
const struct mempool_entry *mempool_of_id(const struct mempool *m, tx_id id);
/* Who spends this output; NULL: nobody here. */
const struct mempool_entry *mempool_spender(const struct mempool *m, const struct outpoint *at);
/* The unspent output as the pool sees it: of a transaction here (its height is MEMPOOL_COIN_HEIGHT then) or of the
 * chain, and spent by nobody here. Its script is good until the pool or the chain changes. */
enum { MEMPOOL_COIN_HEIGHT = INT32_MAX };
MUST_USE enum result mempool_get_coin(struct mempool *m, const struct outpoint *at, struct coin *out, bool *found,
                                      struct error *e);

/* Lists of entries; the caller frees them with free(). */
struct mempool_list {
    const struct mempool_entry **entries;
    size_t count;
};

/* Parents and children: direct. The rest with E itself, parents first; a cluster in the order of mining. */
struct mempool_list mempool_parents(const struct mempool *m, const struct mempool_entry *e);
struct mempool_list mempool_children(const struct mempool *m, const struct mempool_entry *e);
struct mempool_list mempool_ancestors(struct mempool *m, const struct mempool_entry *e);
struct mempool_list mempool_descendants(struct mempool *m, const struct mempool_entry *e);
struct mempool_list mempool_cluster(struct mempool *m, const struct mempool_entry *e);
/* All, in the order in which they would be mined. */
struct mempool_list mempool_ordered(struct mempool *m);

/* Negative where A would be mined before B. */
int mempool_compare(struct mempool *m, const struct mempool_entry *a, const struct mempool_entry *b);

/* Satoshis and adjusted weight of the chunk in which E would be mined. */
struct fee_frac mempool_chunk(struct mempool *m, const struct mempool_entry *e);

/* Chunks and clusters, for templates and diagrams; do not change it. */
struct tx_graph *mempool_graph(struct mempool *m);

/* ---- account ---- */

/* What an entrant must pay: 0, or the rate that the last evictions left, halving with time. */
struct fee_rate mempool_min_fee(struct mempool *m);
uint64_t mempool_memory(const struct mempool *m);   /* bytes, as allocated */
uint64_t mempool_vbytes(const struct mempool *m);   /* sum of vsize */
amount_sat mempool_fees(const struct mempool *m);   /* sum of fee */
uint64_t mempool_sequence(const struct mempool *m); /* counts entries and exits, from 1 */
uint64_t mempool_updates(const struct mempool *m);  /* counts whatever may change a template */
/* Transactions of the saved pool have all been tried. */
bool mempool_is_loaded(const struct mempool *m);
void mempool_set_loaded(struct mempool *m);

/* ---- the user's wishes ---- */

/* Adds DELTA to what it counts for, also where it comes later (prioritisetransaction). */
void mempool_prioritise(struct mempool *m, const struct txid *txid, amount_sat delta);

struct mempool_delta {
    struct txid txid;
    amount_sat delta;
    const struct mempool_entry *entry; /* NULL: not there */
};
/* All of them, by txid; the caller frees it. */
struct mempool_delta *mempool_deltas(const struct mempool *m, size_t *count);

/* Those of our own that no peer has asked for yet. */
void mempool_add_unbroadcast(struct mempool *m, const struct txid *txid);
void mempool_remove_unbroadcast(struct mempool *m, const struct txid *txid); /* a peer has it */
size_t mempool_unbroadcast_count(const struct mempool *m);
bool mempool_is_unbroadcast(const struct mempool *m, const struct txid *txid);
/* All of them, by txid; the caller frees it. */
struct txid *mempool_unbroadcast(const struct mempool *m, size_t *count);

/* Recomputes every invariant, with the chain's coins; stops the process where one fails. */
void mempool_check(struct mempool *m);

#endif
