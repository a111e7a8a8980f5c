/* What handlers about the chain share: finding blocks, reading them, saying what went wrong. */
#ifndef CAIRN_RPC_CHAIN_CALL_H
#define CAIRN_RPC_CHAIN_CALL_H

#include "node/node.h"
#include "rpc/call.h"
#include "rpc/tx_json.h"

/* The block whose hash is argument INDEX (NAME for the error texts); NULL and the call failed (-5 "Block not found")
 * where there is none. */
struct block_node *rpc_arg_block(struct rpc_call *call, size_t index, const char *name);

/* The same from a hash or, with a number, a height of the active chain. */
struct block_node *rpc_arg_hash_or_height(struct rpc_call *call, size_t index);

/* Fails the call where a block's bytes (or its undo data) are not here: "Block not available (pruned data)" ... */
bool rpc_block_is_here(struct rpc_call *call, const struct block_node *n, enum block_status what);

/* Reads a block; NULL and the call failed where it cannot be had. Free with block_free. */
struct block *rpc_read_block(struct rpc_call *call, const struct block_node *n);

/* The coins of UNDO from number AT on as the in_count outputs that TX spends; free it. Scripts lie in UNDO. */
struct spent_output *rpc_spent_outputs(const struct tx *tx, const struct undo *undo, size_t at);

/* Fails the call with a failure of our machine. */
void rpc_fail_result(struct rpc_call *call, int code, enum result result, const struct error *e);

/* The network's prefixes. */
const struct address_prefixes *rpc_prefixes(const struct rpc_call *call);

/* Confirmations of N as the RPC counts them: -1 for a block that is not in the active chain. */
int32_t rpc_confirmations(const struct chain *c, const struct block_node *n);

/* "bits", "target" and "difficulty" of BITS in that order; DIFFICULTY_FIRST swaps the last two. */
void rpc_put_bits(struct json_writer *w, uint32_t bits, bool difficulty_first);

/* A key with a 256-bit number as 64 digits. */
void rpc_put_u256(struct json_writer *w, const char *key, struct u256 v);

/* The "warnings" of several methods: an array, or with -deprecatedrpc=warnings a string. */
void rpc_put_warnings(struct rpc_call *call);

/* hash, confirmations, height, ... nextblockhash of N into the object that is open. */
void rpc_put_header(struct json_writer *w, const struct chain *c, const struct block_node *n);

#endif
