/* The node: owns the chain and what feeds on it, routes events, spreads notices in a fixed order and collects what the
 * shell shall do. The daemon and the simulator make one each; two in one process are normal.
 *
 * One thread owns a node. Every call comes with the instant of its event: set it with node_set_time first. */
#ifndef CAIRN_NODE_NODE_H
#define CAIRN_NODE_NODE_H

#include "addrman/bans.h"
#include "base/random.h"
#include "chain/chain.h"
#include "mempool/mempool.h"
#include "node/reorgs.h"
#include "node/warnings.h"

struct addrman;
struct block_template;
struct node_peers;
struct p2p;
struct tx_index;
struct coin_stats_index;
struct filter_index;

struct node_options {
    struct chain_options chain;
    struct chain_params params;
    struct mempool_options mempool;    /* the seed is the chain's */
    const char *version;               /* "0.1.0" */
    const char *subversion;            /* "/Satoshi:31.99.0/cairn:0.1.0(comment)/" */
    const char *log_path;              /* for getrpcinfo; may be "" */
    int32_t stop_at_height;            /* 0: never */
    uint32_t reorg_alarm;              /* warn of reorganisations of more blocks than these; 0: of none */
    int64_t mock_time_s;               /* 0: the shell's clock */
    uint64_t block_max_weight_wu;      /* of templates; 0: what the rules allow */
    uint64_t block_reserved_weight_wu; /* of templates, for the header and the miner's coinbase */
    amount_sat block_min_fee_sat;      /* per 1000 virtual bytes, of transactions in templates */
    int32_t block_version;             /* of templates; 0: as the deployments want it */
    bool print_priority;               /* log the fee rate of each transaction in a template */
    struct kv_store tx_index;          /* ops NULL: not wanted */
    struct kv_store coin_stats;        /* ops NULL: not wanted */
    struct kv_store filters;           /* ops NULL: not wanted */
};

/* What the shell shall do. */
enum node_action_kind {
    ACTION_BLOCK_TIP, /* the tip is another block (-blocknotify) */
    ACTION_ALERT,     /* a warning that is new (-alertnotify): TEXT */
    ACTION_STOP,      /* stop cleanly */
    ACTION_FATAL,     /* our machine failed: stop with TEXT */
};

struct node_action {
    enum node_action_kind kind;
    struct block_hash hash;
    int32_t height;
    bool initial_download;
    char text[512];
};

struct node {
    struct node_options options;
    struct chain *chain;
    struct log *log;
    struct random random;
    int64_t now_us;      /* instant of the event at hand, microseconds since 1970 */
    int64_t mock_time_s; /* 0: none */
    int64_t start_us;
    bool importing; /* blocks are being read from files */
    bool loaded;    /* start-up work (import, indexes) is done */
    bool stop_wanted;
    uint64_t tip_changes;                      /* counts; waiters compare */
    bool template_made;                        /* since start; the last one: */
    uint64_t template_weight_wu, template_txs; /* the coinbase is in neither but as reserved weight */
    struct block_template *shared_template;    /* what getblocktemplate serves to all; NULL: none */
    struct warnings warnings;
    struct reorgs *reorgs; /* the last ones: node_reorgs */

    struct node_action *actions;
    size_t action_count, action_cap;

    struct mempool *mempool;
    struct fee_estimator *fees;
    struct tx_index *tx_index;           /* NULL: off */
    struct coin_stats_index *coin_stats; /* NULL: off */
    struct filter_index *filters;        /* NULL: off */

    struct p2p *p2p; /* NULL until node_open_peers */
    struct addrman *addrman;
    struct bans bans;
    struct node_peers *peers; /* peers.c: blocks from peers on their way */
};

/* Opens the chain on PORTS. Fails as chain_open does. */
MUST_USE enum result node_open(struct node **out, const struct node_options *options, const struct chain_ports *ports,
                               int64_t now_us, struct log *log, struct error *e);

/* Writes everything and frees. The node is freed also where writing failed. */
MUST_USE enum result node_close(struct node *n, struct error *e);

/* Frees without writing (after a fatal error). */
void node_free(struct node *n);

/* For nodes without peers; see node_set_clock in node/peers.h. */
void node_set_time(struct node *n, int64_t now_us);

/* Seconds since 1970 as the rules see them: mocked or real. */
static inline int64_t node_time_s(const struct node *n)
{
    return n->mock_time_s ? n->mock_time_s : n->now_us / 1000000;
}

/* Works towards the best chain until it is reached. GIVEN: see chain_step. Our machine's failures become an
 * ACTION_FATAL and are returned. */
MUST_USE enum result node_activate(struct node *n, const struct block *given, struct error *e);

/* The same, but at most BLOCKS steps (a reorganisation is finished all the same). *MORE: the best chain is not reached.
 */
MUST_USE enum result node_advance(struct node *n, unsigned blocks, bool *more, struct error *e);

/* The same with GIVEN. */
MUST_USE enum result node_advance_with(struct node *n, const struct block *given, unsigned blocks, bool *more,
                                       struct error *e);

/* Hands in a whole block (a user's, a miner's): accept, store, activate. *IS_NEW: it was not known before. The verdict
 * is about this block, also where it failed only on connecting. */
MUST_USE enum result node_submit_block(struct node *n, const struct block *b, bool *is_new, struct verdict *v,
                                       struct error *e);

/* Invalidates, reconsiders or prefers a block and activates. */
MUST_USE enum result node_invalidate(struct node *n, struct block_node *b, struct error *e);
MUST_USE enum result node_reconsider(struct node *n, struct block_node *b, struct error *e);
MUST_USE enum result node_precious(struct node *n, struct block_node *b, struct error *e);

/* Deletes the block files whose blocks are all at HEIGHT or below (chain_prune_to); the chain must be a pruned one. */
MUST_USE enum result node_prune(struct node *n, int32_t height, struct error *e);

/* Blocks are being read from files, or no longer. */
void node_set_importing(struct node *n, bool importing);

/* The first action that waits; false where there is none. */
bool node_take_action(struct node *n, struct node_action *out);

/* Asks the shell to stop. */
void node_stop(struct node *n);

/* Notes a failure of our machine: logged, and an ACTION_FATAL. Returns RESULT. */
enum result node_fatal(struct node *n, enum result result, const struct error *e);

/* What the pool could not do because our machine failed, and nobody was told of: an ACTION_FATAL. Keeps the coins'
 * cache, which entrants fill, within its limit. Call after events that bring transactions. */
MUST_USE enum result node_look_after_mempool(struct node *n, struct error *e);

/* Writes everything that is not on disk yet and keeps the cache; call now and then, so that a crash loses little. */
MUST_USE enum result node_maintain(struct node *n, struct error *e);

#endif
