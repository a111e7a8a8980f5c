/* Making blocks: what of the pool is best mined on the tip, a block that carries it, and the search for a nonce. */
#ifndef CAIRN_MINER_BLOCK_TEMPLATE_H
#define CAIRN_MINER_BLOCK_TEMPLATE_H

#include "mempool/mempool.h"

enum {
    TEMPLATE_SIGOPS_LIMIT = 80000,      /* of a block, as BIP141 counts their cost */
    TEMPLATE_RESERVED_WEIGHT_WU = 8000, /* default of -blockreservedweight */
    TEMPLATE_RESERVED_SIGOPS = 400,     /* what a miner's coinbase may cost */
    TEMPLATE_MIN_FEE_RATE = 1,          /* default of -blockmintxfee, satoshis per 1000 virtual bytes */
};

/* ---- choosing ---- */

struct template_limits {
    uint64_t max_weight_wu;      /* of the whole block: -blockmaxweight */
    uint64_t reserved_weight_wu; /* of that, for header, count and coinbase: -blockreservedweight */
    uint64_t reserved_sigops;    /* of their cost, for the coinbase */
    struct fee_rate min_rate;    /* what a chunk must pay: -blockmintxfee */
    struct log *log;             /* where each one's fee rate goes (-printpriority), or NULL */
};

struct template_limits template_limits_default(void);

/* What is mined: parents first. The entries are the pool's. */
struct template_choice {
    const struct mempool_entry **entries;
    size_t count, cap;
    amount_sat fees_sat;
    uint64_t sigop_cost, weight_wu; /* with what is reserved for the coinbase */
};

/* The pool's chunks, best first, that fit on the tip of C within LIMITS. *OUT must be cleared. */
void template_choose(struct mempool *m, const struct chain *c, const struct template_limits *limits,
                     struct template_choice *out);
void template_choice_clear(struct template_choice *choice);

/* ---- blocks to be solved ---- */

struct template_tx {
    amount_sat fee;
    uint32_t sigop_cost;
};

/* Lasts beyond the pool and the tip that it was made of. */
struct block_template {
    struct block *block;    /* hashed, but for its header: no merkle root before block_template_seal */
    struct template_tx *of; /* the transactions behind the coinbase */
    int32_t height;
    amount_sat fees_sat;
    uint64_t sigop_cost, weight_wu; /* of the choice */
    int64_t made_s;                 /* when */
    uint64_t pool_updates;          /* mempool_updates then; the maker's to set */
};

/* What the coinbase pays to, and what may be wished of the header. */
struct template_wishes {
    struct span script_pubkey;
    int32_t version; /* 0: as the deployments want it */
};

/* A block on the tip with CHOICE (NULL: nothing but the coinbase), nonce 0, which pays subsidy and fees. The coinbase
 * carries the height (BIP34), commits to the witness (BIP141) and is not final before the height it is for. */
struct block_template *block_template_new(struct chain *c, int64_t now_s, const struct template_choice *choice,
                                          const struct template_wishes *wishes);
void block_template_free(struct block_template *t);

/* Fills in the merkle root: the bytes are a block then, but for its nonce. */
void block_template_seal(struct block_template *t);

/* Moves the block's time up to NOW_S, and its bits with it where the rules of the network want that. C must be on the
 * tip that it was made for. */
void block_template_update_time(struct block_template *t, struct chain *c, int64_t now_s);

/* Looks for a nonce of the sealed block; as nonce_search. */
bool block_template_solve(struct block_template *t, const struct chain_params *p, uint64_t *tries);

/* Appends to OUT a whole block on the tip, nonce 0, that pays subsidy and FEES_SAT to SCRIPT_PUBKEY, with TXS behind
 * the coinbase. */
void block_template_build(struct chain *c, int64_t now_s, struct span script_pubkey, const struct tx *txs,
                          size_t tx_count, amount_sat fees_sat, struct buffer *out);

/* The earliest time of a block on TIP, seconds since 1970: after the median of the last ones, and not before the first
 * of its period allows (BIP94). */
int64_t template_least_time(const struct chain *c, const struct header_node *tip);

/* Counts the header's nonce up until the hash meets its bits or *TRIES is used up or the nonces are; takes what it
 * needed off *TRIES. True where it was found. HEADER holds the 80 bytes and is changed in place: a search goes on where
 * it ended. */
bool nonce_search(uint8_t header[HEADER_BYTES], const struct chain_params *p, uint64_t *tries);

#endif
