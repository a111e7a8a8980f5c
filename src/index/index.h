/* Optional indexes, fed by the chain's notices. Each remembers the block that it has reached; on opening it is behind,
 * and catches up in bounded slices before it follows the tip. After a reorganisation it takes back what it added. */
#ifndef CAIRN_INDEX_INDEX_H
#define CAIRN_INDEX_INDEX_H

#include "chain/chain.h"
#include "crypto/muhash.h"

/* What getindexinfo shows. */
struct index_info {
    const char *name;
    bool synced;
    bool wants_undo;
    bool data_pruned;    /* it cannot go on: blocks (or undo data, where it wants them) that it needs were pruned */
    int32_t best_height; /* -1: nothing yet */
    struct block_hash best_hash;
};

/* ---- -txindex: where each transaction of the active chain lies ---- */

struct tx_index;

MUST_USE enum result tx_index_open(struct tx_index **out, struct kv_store store, struct chain *chain, struct log *log,
                                   struct error *e);
/* Writes what is buffered. */
MUST_USE enum result tx_index_flush(struct tx_index *x, struct error *e);
void tx_index_free(struct tx_index *x);

/* Follows the chain; ignored while the index is not synced (catching up finds the block later). */
MUST_USE enum result tx_index_on_notice(struct tx_index *x, const struct notice *notice, struct error *e);

/* Handles at most BLOCKS blocks towards the tip. *SYNCED tells whether it is there. */
MUST_USE enum result tx_index_catch_up(struct tx_index *x, unsigned blocks, bool *synced, struct error *e);
void tx_index_info(const struct tx_index *x, struct index_info *out);

/* The block that holds the transaction. RESULT_NOT_FOUND: none in the index. */
MUST_USE enum result tx_index_find(struct tx_index *x, const struct txid *id, struct block_node **node,
                                   struct error *e);

/* ---- -coinstatsindex: gettxoutsetinfo's numbers at every height ---- */

struct coin_stats_index;

/* The state of the coins after a block. Amounts in satoshis. */
struct coin_stats {
    uint64_t txouts;
    uint64_t bogosize; /* Core's measure of size, independent of any store */
    amount_sat total_amount;
    uint8_t muhash[32];     /* internal order */
    amount_sat subsidy;     /* of all blocks so far */
    amount_sat unspendable; /* all below together */
    amount_sat unspendable_genesis;
    amount_sat unspendable_bip30;
    amount_sat unspendable_scripts;
    amount_sat unspendable_unclaimed; /* rewards that miners did not take */
    struct u256 prevouts_spent;       /* running sums since genesis, which leave 64 bits behind one day */
    struct u256 new_outputs;          /* without coinbases */
    struct u256 coinbase;
};

MUST_USE enum result coin_stats_index_open(struct coin_stats_index **out, struct kv_store store, struct chain *chain,
                                           struct log *log, struct error *e);
MUST_USE enum result coin_stats_index_flush(struct coin_stats_index *x, struct error *e);
void coin_stats_index_free(struct coin_stats_index *x);
MUST_USE enum result coin_stats_index_on_notice(struct coin_stats_index *x, const struct notice *notice,
                                                struct error *e);
MUST_USE enum result coin_stats_index_catch_up(struct coin_stats_index *x, unsigned blocks, bool *synced,
                                               struct error *e);
void coin_stats_index_info(const struct coin_stats_index *x, struct index_info *out);

/* The stats after block N (also one of a stale branch, if it was ever indexed). */
MUST_USE enum result coin_stats_index_get(struct coin_stats_index *x, const struct block_node *n,
                                          struct coin_stats *out, struct error *e);

/* ---- -blockfilterindex: the basic compact filter of every block (BIP158; see block_filter.h) ---- */

struct filter_index;

struct filter_record {
    uint8_t hash[32];   /* of the filter */
    uint8_t header[32]; /* commits to it and to those of all blocks before */
};

MUST_USE enum result filter_index_open(struct filter_index **out, struct kv_store store, struct chain *chain,
                                       struct log *log, struct error *e);
MUST_USE enum result filter_index_flush(struct filter_index *x, struct error *e);
void filter_index_free(struct filter_index *x);
MUST_USE enum result filter_index_on_notice(struct filter_index *x, const struct notice *notice, struct error *e);
MUST_USE enum result filter_index_catch_up(struct filter_index *x, unsigned blocks, bool *synced, struct error *e);
void filter_index_info(const struct filter_index *x, struct index_info *out);

/* What is known of N, also where N has left the chain since it was indexed. Where it is, all its ancestors are.
 * RESULT_NOT_FOUND: it was never indexed. */
MUST_USE enum result filter_index_get(struct filter_index *x, const struct block_node *n, struct filter_record *out,
                                      struct error *e);
/* The filter itself, replacing the content of OUT; checked against its hash. */
MUST_USE enum result filter_index_read(struct filter_index *x, const struct block_node *n, struct buffer *out,
                                       struct error *e);

/* ---- the same numbers by walking over all coins (no index needed) ---- */

enum coin_hash { COIN_HASH_NONE, COIN_HASH_SERIALIZED_3, COIN_HASH_MUHASH };

struct coin_scan;

/* Starts over the coins store as it is now: flush the chain first. The scan holds a snapshot. */
struct coin_scan *coin_scan_new(struct chain *chain, enum coin_hash hash);

struct coin_scan_result {
    uint64_t transactions; /* with unspent outputs */
    uint64_t txouts;
    uint64_t bogosize;
    amount_sat total_amount;
    uint8_t hash[32]; /* internal order */
};

/* Handles at most COINS coins. *DONE: RESULT is filled. */
MUST_USE enum result coin_scan_step(struct coin_scan *s, unsigned coins, bool *done, struct coin_scan_result *out,
                                    struct error *e);
void coin_scan_free(struct coin_scan *s);

/* Core's bogosize of one coin with a script of LEN bytes. */
static inline uint64_t coin_bogosize(size_t script_len)
{
    return 32 + 4 + 4 + 8 + 2 + script_len;
}

/* The bytes of one coin that MuHash and hash_serialized_3 take: outpoint, origin, value, script. */
void coin_hash_bytes(struct buffer *out, const struct outpoint *at, const struct coin *coin);

#endif
