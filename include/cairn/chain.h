/* libcairn: a chain on disk or in memory. Blocks go in, each is checked completely, the best chain and its coins (the
 * unspent outputs) come out. No network, no mempool. The conventions of cairn.h hold, but for one: a chain is used by
 * one thread at a time. Its script checks run on threads of its own. */
#ifndef CAIRN_CHAIN_H
#define CAIRN_CHAIN_H

#include "cairn/cairn.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cairn_chain;
struct cairn_coins;

/* What our machine said where it failed: never about the data. */
struct cairn_error {
    char text[512];
};

struct cairn_chain_options {
    unsigned threads;         /* that verify scripts, the caller's included; 0 and 1: none besides */
    uint64_t cache_bytes;     /* for coins that are not written yet */
    const char *assume_valid; /* hash of a block up to which scripts are not run; NULL: the network's, "0": none */
};

/* One thread, 450 MiB, the network's assume_valid. */
CAIRN_API void cairn_chain_options_init(struct cairn_chain_options *options);

/* Opens, or starts, the chain of NETWORK (names as for cairn_block_check) in FOLDER: the folder of one network as
 * cairnd keeps it, with `blocks` and `chainstate` in it; NULL keeps everything in memory. A folder that a running node
 * holds cannot be opened. NULL with *ERROR filled (may be NULL) where it fails. OPTIONS may be NULL. */
CAIRN_API CAIRN_MUST_USE struct cairn_chain *cairn_chain_open(const char *network, const char *folder,
                                                              const struct cairn_chain_options *options,
                                                              struct cairn_error *error);

/* Writes what is not on disk yet. */
CAIRN_API CAIRN_MUST_USE bool cairn_chain_flush(struct cairn_chain *chain, struct cairn_error *error);

/* Closes without writing: call cairn_chain_flush first, or the blocks since the last one are connected again next time.
 */
CAIRN_API void cairn_chain_free(struct cairn_chain *chain);

/* --- Reading --- */

/* Height of the tip: 0 where there is only the genesis block. */
CAIRN_API int32_t cairn_chain_height(const struct cairn_chain *chain);

/* The hash of the block at HEIGHT in the best chain; false where there is none. */
CAIRN_API bool cairn_chain_hash(const struct cairn_chain *chain, int32_t height, uint8_t out[32]);

/* The height of a block in the best chain; -1 where it is unknown or on another branch. */
CAIRN_API int32_t cairn_chain_find(const struct cairn_chain *chain, const uint8_t hash[32]);

/* A stored block, of any branch, to be freed by the caller; NULL with *ERROR filled where it is not there. */
CAIRN_API CAIRN_MUST_USE struct cairn_block *cairn_chain_block(struct cairn_chain *chain, const uint8_t hash[32],
                                                               struct cairn_error *error);

/* --- Blocks --- */

enum cairn_process_status {
    CAIRN_PROCESS_ACCEPTED, /* valid as far as could be told; connected where it is part of the best chain now */
    CAIRN_PROCESS_KNOWN,    /* was here already */
    CAIRN_PROCESS_INVALID,  /* breaks a rule: see the verdict ("prev-blk-not-found" where its parent is missing) */
    CAIRN_PROCESS_FAILED,   /* our machine failed: see the error; nothing was marked invalid */
};

/* Checks and stores BLOCK and moves to the best chain, whatever that takes. VERDICT and ERROR may be NULL. */
CAIRN_API CAIRN_MUST_USE enum cairn_process_status cairn_chain_process(struct cairn_chain *chain,
                                                                       const struct cairn_block *block,
                                                                       struct cairn_verdict *verdict,
                                                                       struct cairn_error *error);

/* --- Coins --- */

struct cairn_coin {
    uint8_t txid[32];
    uint32_t index;
    int32_t height; /* of the block that made it */
    bool coinbase;
    struct cairn_output output;
};

/* The unspent output INDEX of TXID at the tip; false where there is none. The script is good until the next call with
 * this chain. */
CAIRN_API bool cairn_chain_coin(struct cairn_chain *chain, const uint8_t txid[32], uint32_t index,
                                struct cairn_coin *out);

/* All coins at the tip, in order of their txids' bytes, then index. Writes what is not on disk first; NULL with *ERROR
 * filled where that fails. Free it before the next block is processed. */
CAIRN_API CAIRN_MUST_USE struct cairn_coins *cairn_coins_new(struct cairn_chain *chain, struct cairn_error *error);
CAIRN_API void cairn_coins_free(struct cairn_coins *coins);

/* The next coin, its script good until the next call; false at the end, or with *ERROR filled (text not empty) where
 * reading failed. */
CAIRN_API bool cairn_coins_next(struct cairn_coins *coins, struct cairn_coin *out, struct cairn_error *error);

#ifdef __cplusplus
}
#endif

#endif
