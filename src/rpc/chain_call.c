/* Finding and reading blocks for handlers, and the fields that several replies share. */
#include "rpc/chain_call.h"

#include <stdio.h>

#include "base/alloc.h"
#include "consensus/pow.h"
#include "rpc/server.h"

struct block_node *rpc_arg_block(struct rpc_call *call, size_t index, const char *name)
{
    struct block_hash hash;
    rpc_arg_hash(call, index, name, hash.bytes);
    if (rpc_failed(call)) return NULL;
    struct block_node *n = chain_find(call->node->chain, &hash);
    if (!n) rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found");
    return n;
}

struct block_node *rpc_arg_hash_or_height(struct rpc_call *call, size_t index)
{
    struct chain *c = call->node->chain;
    if (!json_is_number(call->args[index])) return rpc_arg_block(call, index, "hash_or_height");
    int32_t height = rpc_arg_i32(call, index, 0);
    if (rpc_failed(call)) return NULL;
    if (height < 0)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Target block height %d is negative", height);
    else if (height > chain_height(c))
        rpc_fail(call, RPC_INVALID_PARAMETER, "Target block height %d after current tip %d", height, chain_height(c));
    return rpc_failed(call) ? NULL : chain_at(c, height);
}

bool rpc_block_is_here(struct rpc_call *call, const struct block_node *n, enum block_status what)
{
    if (n->status & what) return true;
    bool undo = what == BLOCK_HAVE_UNDO;
    if (!(n->status & BLOCK_HAVE_DATA) && n->tx_count > 0)
        rpc_fail(call, RPC_MISC_ERROR, "%s not available (pruned data)", undo ? "Undo data" : "Block");
    else if (undo)
        rpc_fail(call, RPC_MISC_ERROR, "Undo data not available");
    else
        rpc_fail(call, RPC_MISC_ERROR, "Block not available (not fully downloaded)");
    return false;
}

struct block *rpc_read_block(struct rpc_call *call, const struct block_node *n)
{
    struct block *b = NULL;
    struct error e;
    if (!rpc_block_is_here(call, n, BLOCK_HAVE_DATA)) return NULL;
    if (chain_read_block(call->node->chain, n, &b, &e) == RESULT_OK) return b;
    rpc_fail(call, RPC_MISC_ERROR, "Block not found on disk");
    return NULL;
}

struct spent_output *rpc_spent_outputs(const struct tx *tx, const struct undo *undo, size_t at)
{
    struct spent_output *spent = mem_calloc(tx->in_count, sizeof *spent);
    for (size_t i = 0; i < tx->in_count; i++) {
        const struct coin *coin = &undo->coins[at + i];
        spent[i] = (struct spent_output){.out = {.value = coin->value, .script_pubkey = coin->script_pubkey},
                                         .height = coin_height(coin->origin),
                                         .coinbase = coin_is_coinbase(coin->origin)};
    }
    return spent;
}

void rpc_fail_result(struct rpc_call *call, int code, enum result result, const struct error *e)
{
    rpc_fail(call, code, "%s", e->text[0] ? e->text : result_name(result));
}

const struct address_prefixes *rpc_prefixes(const struct rpc_call *call)
{
    return call->node ? &call->node->options.params.prefixes : rpc_server_config(call->server)->prefixes;
}

int32_t rpc_confirmations(const struct chain *c, const struct block_node *n)
{
    return chain_contains(c, n) ? chain_height(c) - n->header.height + 1 : -1;
}

void rpc_put_u256(struct json_writer *w, const char *key, struct u256 v)
{
    char text[65];
    u256_to_hex(text, v);
    jw_kv_str(w, key, text);
}

void rpc_put_bits(struct json_writer *w, uint32_t bits, bool difficulty_first)
{
    char text[9];
    snprintf(text, sizeof text, "%08x", bits);
    jw_kv_str(w, "bits", text);
    if (difficulty_first) jw_kv_double(w, "difficulty", pow_difficulty(bits));
    rpc_put_u256(w, "target", compact_to_target(bits, NULL, NULL));
    if (!difficulty_first) jw_kv_double(w, "difficulty", pow_difficulty(bits));
}

void rpc_put_warnings(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    const struct warnings *warnings = &call->node->warnings;
    const char *last = "";
    bool as_text = rpc_server_is_deprecated_allowed(call->server, "warnings");
    if (!as_text) jw_kv_array(w, "warnings");
    for (size_t i = 0; i < WARNING_KINDS; i++) {
        if (!warnings->text[i][0]) continue;
        last = warnings->text[i];
        if (!as_text) jw_str(w, last);
    }
    if (as_text)
        jw_kv_str(w, "warnings", last);
    else
        jw_array_end(w);
}

void rpc_put_header(struct json_writer *w, const struct chain *c, const struct block_node *n)
{
    const struct header_node *h = &n->header;
    const struct block_node *next = chain_contains(c, n) ? chain_at(c, h->height + 1) : NULL;
    char text[9];
    jw_kv_hash(w, "hash", h->hash.bytes);
    jw_kv_int(w, "confirmations", rpc_confirmations(c, n));
    jw_kv_int(w, "height", h->height);
    jw_kv_int(w, "version", h->version);
    snprintf(text, sizeof text, "%08x", (unsigned)h->version);
    jw_kv_str(w, "versionHex", text);
    jw_kv_hash(w, "merkleroot", h->merkle_root);
    jw_kv_uint(w, "time", h->time);
    jw_kv_int(w, "mediantime", header_median_time(h));
    jw_kv_uint(w, "nonce", h->nonce);
    rpc_put_bits(w, h->bits, false);
    rpc_put_u256(w, "chainwork", h->chainwork);
    jw_kv_uint(w, "nTx", n->tx_count);
    if (h->prev) jw_kv_hash(w, "previousblockhash", h->prev->hash.bytes);
    if (next) jw_kv_hash(w, "nextblockhash", next->header.hash.bytes);
}
