/* The chain: block tree, coins and block files together; the state machine that every block goes through.
 *
 *   chain_accept_header -> chain_accept_block -> chain_step until CHAIN_IDLE
 *
 * Nothing here reads a clock: NOW_S comes with each call. A `struct verdict` says that the data break a rule; an
 * `enum result` that our machine failed, and then nothing was marked invalid. */
#ifndef CAIRN_CHAIN_CHAIN_H
#define CAIRN_CHAIN_CHAIN_H

#include "base/log.h"
#include "chain/block_tree.h"
#include "chain/coins.h"
#include "chain/ports.h"
#include "chain/undo.h"
#include "consensus/block_check.h"

struct sig_cache;

enum {
    MIN_BLOCKS_TO_KEEP = 288, /* below the tip that pruning leaves; farther ahead nothing is stored unasked */
    PRUNE_LOCKS = 8,
};
#define PRUNE_MANUALLY UINT64_MAX

struct chain_ports {
    struct kv_store index; /* block index */
    struct kv_store coins; /* chain state */
    struct flat_store files;
    struct workers workers;
};

struct chain_options {
    struct u256 minimum_chain_work;
    struct block_hash assume_valid; /* null: verify every script */
    uint64_t cache_bytes;           /* limit of the coins cache (-dbcache less LevelDB's share) */
    uint32_t max_file_bytes;        /* 128 MiB, or 64 KiB with -fastprune */
    uint64_t sig_cache_bytes;
    int64_t max_tip_age_s; /* -maxtipage; 0: a day */
    uint64_t prune_target; /* bytes of block files to stay below (chain_prune.h); 0: keep all; or PRUNE_MANUALLY */
    uint32_t max_reorg;    /* blocks that a reorganisation may throw away (not Bitcoin's rules); 0: any number */
    bool reindex;          /* the index is empty and will be rebuilt from the files */
    bool check_index;      /* recompute the invariants of the tree after each change (-checkblockindex) */
    uint8_t seed[32];      /* hash keys and cache secrets; secret */
};

/* One blk/rev pair. */
struct chain_file {
    uint32_t blocks;
    uint32_t size, undo_size; /* bytes used */
    uint32_t height_first, height_last;
    uint64_t time_first, time_last;
    bool dirty;
};

/* Somebody who has yet to read blocks. */
struct prune_lock {
    const char *name; /* NULL: unused */
    int32_t height;   /* of the first block that is needed */
};

/* What connecting a block needs and leaves behind; reused from block to block. */
struct connect_work {
    struct coin *coins; /* spent coins, flat in block order */
    struct tx_out *outs;
    coin_origin *origins;
    size_t count, cap;
};

struct chain {
    struct chain_params params;
    struct chain_options options;
    struct chain_ports ports;
    struct log *log;

    struct block_tree tree;
    struct block_node **active; /* by height */
    size_t active_count, active_cap;
    struct block_node **candidates; /* not failed, all data there, at least as good as the tip; the best is the last */
    size_t candidate_first;         /* where the list begins: what stood before it was worse than the tip */
    size_t candidate_count, candidate_cap;
    struct block_node *best_invalid; /* most work among failed blocks */
    int32_t next_sequence;
    int32_t precious_sequence; /* counts down: preciousblock */
    struct u256 precious_work;
    struct u256 reorg_work;           /* most work that the tip had in the reorganisation under way */
    const struct block_node *settled; /* the tip before that reorganisation; without one, the tip */
    const struct block_node *chosen;  /* max_reorg does not keep the operator from this block; NULL: none */
    const struct block_node *refused; /* lowest block of the last branch that max_reorg kept us from */
    struct connect_work work;

    struct coins *coins;
    struct sig_cache *sig_cache;

    struct chain_file *files;
    size_t file_count, file_cap;

    bool have_pruned; /* files were deleted since the index was made */
    bool prune_due;   /* files have grown since the last look */
    struct prune_lock prune_locks[PRUNE_LOCKS];
    const struct block_node *complete; /* the best candidate, once its way from the active chain was seen to be whole */

    bool initial_download;      /* latched false once the tip is recent and has enough work */
    int64_t max_tip_age_s;      /* -maxtipage */
    const char *scripts_reason; /* why scripts were verified last; NULL: they were not, or nothing is connected yet */
    bool scripts_logged;        /* SCRIPTS_REASON is in the log */
    bool reindexing;            /* the block index is being rebuilt from the files */
    bool loading;               /* blocks are being read from files: max_reorg does not hold (the owner sets it) */
    uint64_t blocks_connected, txs_connected, inputs_connected; /* since start, for progress */
};

/* What a step did. */
enum notice_kind { NOTICE_NONE, NOTICE_CONNECTED, NOTICE_DISCONNECTED, NOTICE_INVALID };

struct notice {
    enum notice_kind kind;
    struct block_node *node;
    const struct block *block; /* good until notice_clear (or as long as the `given` one) */
    struct undo undo;          /* CONNECTED, DISCONNECTED: the spent coins in block order; good until the next step */
    struct verdict verdict;    /* INVALID: why */
    struct block *owned;       /* freed by notice_clear */
    bool undo_owned;
};

void notice_clear(struct notice *n);

/* ---- life ---- */

/* Opens what the ports hold, creating genesis in an empty store; brings the coins forward after a crash. */
MUST_USE enum result chain_open(struct chain **out, const struct chain_params *params,
                                const struct chain_options *options, const struct chain_ports *ports, int64_t now_s,
                                struct log *log, struct error *e);

/* Writes everything (files, index, coins); DROP_CACHE empties the coins cache too. */
MUST_USE enum result chain_flush(struct chain *c, bool drop_cache, struct error *e);

/* Flushes where the cache is over its limit. */
MUST_USE enum result chain_flush_if_needed(struct chain *c, struct error *e);

/* Frees without writing. */
void chain_free(struct chain *c);

/* ---- reading ---- */

static inline struct block_node *chain_tip(const struct chain *c)
{
    return c->active_count ? c->active[c->active_count - 1] : NULL;
}

static inline int32_t chain_height(const struct chain *c)
{
    return (int32_t)c->active_count - 1;
}

/* The active block at HEIGHT, or NULL. */
static inline struct block_node *chain_at(const struct chain *c, int32_t height)
{
    return height >= 0 && (size_t)height < c->active_count ? c->active[height] : NULL;
}

static inline bool chain_contains(const struct chain *c, const struct block_node *n)
{
    return chain_at(c, n->header.height) == n;
}

static inline struct block_node *chain_find(const struct chain *c, const struct block_hash *hash)
{
    return block_tree_get(&c->tree, hash);
}

/* Reads and parses a stored block. RESULT_NOT_FOUND: we do not have it (pruned or never had). */
MUST_USE enum result chain_read_block(struct chain *c, const struct block_node *n, struct block **out, struct error *e);

/* Its bytes alone. */
MUST_USE enum result chain_read_raw(struct chain *c, const struct block_node *n, struct buffer *out, struct error *e);

/* The coins that BLOCK (stored at N) spent. */
MUST_USE enum result chain_read_undo(struct chain *c, const struct block_node *n, const struct block *block,
                                     struct undo *out, struct error *e);

/* ---- headers and blocks ---- */

/* Accepts a header: *NODE is set where it is known or newly accepted. False with the verdict where it is refused.
 * LOW_WORK: nobody saw that its chain has enough work to be worth keeping, so refuse it ("too-little-chainwork") where
 * it is new. */
MUST_USE bool chain_accept_header(struct chain *c, const struct block_header *h, int64_t now_s, bool low_work,
                                  struct block_node **node, struct verdict *v);

enum {
    ACCEPT_REQUESTED = 1,  /* we asked for it, or a user gave it: keep it whatever its work */
    ACCEPT_LOW_WORK = 2,   /* as for chain_accept_header */
    ACCEPT_PRECHECKED = 4, /* block_check already passed (on a worker) */
};

/* Where an imported block already lies, so that it need not be written again (reindex). */
struct block_position {
    uint32_t file;
    uint32_t pos; /* of the block's bytes */
};

/* Accepts and stores BLOCK (not taken). *NEW tells whether it was stored now. RESULT is our machine's part; a broken
 * rule is in the verdict (then the result is RESULT_OK). A block that fails block_check leaves nothing behind, not even
 * its header (*NODE is NULL). Does not connect: call chain_step. */
MUST_USE enum result chain_accept_block(struct chain *c, const struct block *block, int64_t now_s, unsigned flags,
                                        const struct block_position *at, struct block_node **node, bool *is_new,
                                        struct verdict *v, struct error *e);

/* What the blk files hold already is not to be written over, though the index may not know it (yet): to be called
 * before their blocks are noted anew. */
void chain_keep_files(struct chain *c);

/* Connects or disconnects one block towards the best chain. NOTICE_NONE: the tip is the best there is. GIVEN (may be
 * NULL) is the parsed block where the caller has it at hand: used instead of reading it back if it is the one. A result
 * other than RESULT_OK leaves the chain as it was. */
MUST_USE enum result chain_step(struct chain *c, int64_t now_s, const struct block *given, struct notice *out,
                                struct error *e);

/* True in the middle of a reorganisation: the tip has no more work than the best one that was left on the way. */
bool chain_in_reorg(const struct chain *c);

/* ---- choices of the user ---- */

/* Marks N failed; call chain_step until idle. Genesis cannot be invalidated (CHECK). */
void chain_invalidate(struct chain *c, struct block_node *n);
void chain_reconsider(struct chain *c, struct block_node *n);
/* Treats N as if it had come first among those of equal work. */
void chain_precious(struct chain *c, struct block_node *n);

/* ---- whole-chain questions ---- */

bool chain_is_initial_download(struct chain *c, int64_t now_s);

/* True where the active chain has blocks that came before their heights stood under the rules of segwit (a node that
 * was configured differently): their witnesses were never asked for. */
bool chain_lacks_witnesses(const struct chain *c);

/* Fraction 0..1 of the transactions that the chain is thought to have by now. */
double chain_progress(const struct chain *c, const struct block_node *n, int64_t now_s);

/* Checks a block that is not stored as if it were on the tip (templates, generateblock). FLAGS as for block_check. */
MUST_USE enum result chain_test_block(struct chain *c, const struct block *b, int64_t now_s, unsigned flags,
                                      struct verdict *v, struct error *e);

/* Checks the last COUNT blocks (0: all) at LEVEL 0..4, as far down as they were not pruned. *OK is false where
 * something is wrong with them. */
MUST_USE enum result chain_verify(struct chain *c, int level, int32_t count, bool *ok, struct error *e);

/* Bytes of blk and rev files. */
uint64_t chain_disk_bytes(const struct chain *c);

/* Recomputes the invariants of tree, candidates and active chain; stops the process where one fails. */
void chain_check_index(const struct chain *c);

#endif
