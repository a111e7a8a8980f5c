/* Methods about single transactions of the chain: their bytes, and proofs that they are in a block. */
#include <stdlib.h>

#include "base/alloc.h"
#include "consensus/merkle.h"
#include "index/index.h"
#include "rpc/chain_call.h"
#include "rpc/raw_tx.h"
#include "rpc/table.h"
#include "rpc/tx_json.h"

enum { NOT_IN_BLOCK = -1 };

static ptrdiff_t position_in(const struct block *b, const struct txid *id)
{
    for (size_t i = 0; i < b->tx_count; i++) {
        if (txid_equal(&b->txs[i].txid, id)) return (ptrdiff_t)i;
    }
    return NOT_IN_BLOCK;
}

/* The block that holds ID by the index, or NULL (no index, not in it). */
static struct block_node *find_by_index(struct rpc_call *call, const struct txid *id)
{
    struct block_node *n = NULL;
    struct error e = {0};
    if (!call->node->tx_index) return NULL;
    enum result r = tx_index_find(call->node->tx_index, id, &n, &e);
    if (r != RESULT_OK && r != RESULT_NOT_FOUND) rpc_fail_result(call, RPC_INTERNAL_ERROR, r, &e);
    return r == RESULT_OK ? n : NULL;
}

static void fail_unknown(struct rpc_call *call, bool in_given_block)
{
    const char *why = "No such mempool or blockchain transaction";
    struct index_info info = {0};
    if (call->node->tx_index) tx_index_info(call->node->tx_index, &info);
    if (in_given_block)
        why = "No such transaction found in the provided block";
    else if (!call->node->tx_index)
        why = "No such mempool transaction. Use -txindex or provide a block hash to enable blockchain transaction "
              "queries";
    else if (!info.synced)
        why = "No such mempool transaction. Blockchain transactions are still in the process of being indexed";
    rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "%s. Use gettransaction for wallet transactions.", why);
}

/* The outputs that transaction number POSITION of B spends, or NULL where that is not known; free it. */
static struct spent_output *read_spent(struct rpc_call *call, const struct block_node *n, const struct block *b,
                                       size_t position, struct undo *undo)
{
    struct error e;
    size_t at = 0;
    if (position == 0 || !(n->status & BLOCK_HAVE_UNDO)) return NULL;
    if (chain_read_undo(call->node->chain, n, b, undo, &e) != RESULT_OK) {
        rpc_fail(call, RPC_INTERNAL_ERROR,
                 "Undo data expected but can't be read. This could be due to disk corruption or a conflict with a "
                 "pruning event.");
        return NULL;
    }
    for (size_t i = 1; i < position; i++) at += b->txs[i].in_count;
    return rpc_spent_outputs(&b->txs[position], undo, at);
}

static void put_tx(struct rpc_call *call, const struct block_node *n, const struct block *b, size_t position,
                   int verbosity)
{
    struct json_writer *w = &call->out;
    const struct chain *c = call->node->chain;
    struct undo undo = {0};
    struct spent_output *spent = verbosity >= 2 ? read_spent(call, n, b, position, &undo) : NULL;
    if (!rpc_failed(call)) {
        bool active = chain_contains(c, n);
        jw_object(w);
        if (rpc_arg_given(call, 2)) jw_kv_bool(w, "in_active_chain", active);
        tx_json_fields(
            w, &b->txs[position],
            &(struct tx_json_extra){.prefixes = rpc_prefixes(call), .spent = spent, .prevouts = true, .hex = true});
        jw_kv_hash(w, "blockhash", n->header.hash.bytes);
        jw_kv_int(w, "confirmations", active ? rpc_confirmations(c, n) : 0);
        if (active) jw_kv_uint(w, "time", n->header.time);
        if (active) jw_kv_uint(w, "blocktime", n->header.time);
        jw_object_end(w);
    }
    free(spent);
    undo_clear(&undo);
}

static void put_unconfirmed(struct rpc_call *call, const struct mempool_entry *e, int verbosity)
{
    struct json_writer *w = &call->out;
    if (verbosity <= 0) {
        raw_tx_hex_json(w, &e->tx);
        return;
    }
    jw_object(w);
    jw_kv_uint(w, "vsize_adjusted", e->vsize);
    tx_json_fields(w, &e->tx, &(struct tx_json_extra){.prefixes = rpc_prefixes(call), .hex = true});
    jw_object_end(w);
}

static void getrawtransaction(struct rpc_call *call)
{
    struct txid id;
    struct block_node *n = NULL;
    struct block_hash hash;
    rpc_arg_hash(call, 0, "parameter 1", id.bytes);
    if (!rpc_failed(call) && memcmp(id.bytes, call->node->chain->tree.nodes[0]->header.merkle_root, 32) == 0)
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
                 "The genesis block coinbase is not considered an ordinary transaction and cannot be retrieved");
    int verbosity = rpc_arg_verbosity(call, 1, 0, true);
    bool given = rpc_arg_given(call, 2);
    if (given) rpc_arg_hash(call, 2, "parameter 3", hash.bytes);
    if (rpc_failed(call)) return;
    const struct mempool_entry *e = given || !call->node->mempool ? NULL : mempool_find(call->node->mempool, &id);
    if (e) {
        put_unconfirmed(call, e, verbosity);
        return;
    }
    n = given ? chain_find(call->node->chain, &hash) : find_by_index(call, &id);
    if (given && !n)
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Block hash not found");
    else if (given && !(n->status & BLOCK_HAVE_DATA))
        rpc_fail(call, RPC_MISC_ERROR, "Block not available");
    else if (!n)
        fail_unknown(call, false);
    struct block *b = rpc_failed(call) ? NULL : rpc_read_block(call, n);
    if (!b) return;
    ptrdiff_t position = position_in(b, &id);
    if (position == NOT_IN_BLOCK)
        fail_unknown(call, given);
    else if (verbosity <= 0)
        jw_hex(&call->out, b->txs[position].raw);
    else
        put_tx(call, n, b, (size_t)position, verbosity);
    block_free(b);
}

/* ---- proofs ---- */

struct id_list {
    struct txid *ids;
    size_t count;
};

static struct id_list read_ids(struct rpc_call *call, const json_t *array)
{
    struct id_list list = {.ids = mem_calloc(json_array_size(array), sizeof(struct txid))};
    if (json_array_size(array) == 0) rpc_fail(call, RPC_INVALID_PARAMETER, "Parameter 'txids' cannot be empty");
    for (size_t i = 0; i < json_array_size(array) && !rpc_failed(call); i++) {
        struct txid *id = &list.ids[list.count];
        rpc_value_hash(call, json_array_get(array, i), "txid", id->bytes);
        for (size_t k = 0; k < list.count && !rpc_failed(call); k++) {
            if (txid_equal(id, &list.ids[k]))
                rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, duplicated txid: %s",
                         json_string_value(json_array_get(array, i)));
        }
        list.count++;
    }
    return list;
}

/* The block of the first id that still has an unspent output, or NULL. */
static struct block_node *find_by_coins(struct rpc_call *call, const struct id_list *list)
{
    enum { OUTPUTS_MAX = 111112 }; /* no block has room for an output with a higher number */
    struct chain *c = call->node->chain;
    struct block_node *found = NULL;
    for (size_t i = 0; i < list->count && !found; i++) {
        for (uint32_t k = 0; k < OUTPUTS_MAX && !found; k++) {
            struct outpoint at = {.txid = list->ids[i], .index = k};
            struct coin coin;
            struct error e;
            if (coins_get(c->coins, &at, &coin, &e) == RESULT_OK) found = chain_at(c, coin_height(coin.origin));
        }
    }
    coins_end_block(c->coins);
    return found;
}

static struct block_node *find_proof_block(struct rpc_call *call, const struct id_list *list)
{
    if (rpc_failed(call)) return NULL;
    if (rpc_arg_given(call, 1)) return rpc_arg_block(call, 1, "blockhash");
    struct block_node *n = call->node->tx_index ? find_by_index(call, &list->ids[0]) : find_by_coins(call, list);
    if (!n) rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Transaction not yet in block");
    return n;
}

static void gettxoutproof(struct rpc_call *call)
{
    struct id_list list = read_ids(call, call->args[0]);
    struct block_node *n = find_proof_block(call, &list);
    struct block *b = n ? rpc_read_block(call, n) : NULL;
    struct buffer proof = {0};
    if (b) {
        bool *matches = mem_calloc(b->tx_count, sizeof *matches);
        size_t found = 0;
        for (size_t i = 0; i < list.count; i++) {
            ptrdiff_t position = position_in(b, &list.ids[i]);
            if (position == NOT_IN_BLOCK) continue;
            matches[position] = true;
            found++;
        }
        if (found == list.count) {
            merkle_block_write(&proof, b, matches);
            jw_hex(&call->out, buffer_span(&proof));
        } else {
            rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Not all transactions found in specified or retrieved block");
        }
        free(matches);
        block_free(b);
    }
    buffer_clear(&proof);
    free(list.ids);
}

static void put_proven(struct rpc_call *call, const struct merkle_block *proof)
{
    const struct chain *c = call->node->chain;
    struct block_hash hash;
    jw_array(&call->out);
    if (memcmp(proof->root, proof->header.merkle_root, 32) == 0) {
        block_header_hash(&hash, &proof->header);
        const struct block_node *n = chain_find(c, &hash);
        if (!n || !chain_contains(c, n) || n->tx_count == 0)
            rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found in chain");
        else if (n->tx_count == proof->tx_total)
            for (size_t i = 0; i < proof->matched_count; i++) jw_hash(&call->out, proof->matched[i].bytes);
    }
    jw_array_end(&call->out);
}

static void verifytxoutproof(struct rpc_call *call)
{
    struct buffer raw = {0};
    struct arena arena = {0};
    struct merkle_block proof;
    rpc_value_hex(call, call->args[0], "proof", &raw);
    if (!rpc_failed(call)) {
        if (merkle_block_read(&proof, buffer_span(&raw), &arena)) {
            put_proven(call, &proof);
        } else { /* nothing is proven */
            jw_array(&call->out);
            jw_array_end(&call->out);
        }
    }
    buffer_clear(&raw);
    arena_clear(&arena);
}

const struct rpc_method rpc_tx_methods[] = {
    {
        .name = "getrawtransaction",
        .category = "rawtransactions",
        .summary =
            "A transaction of the pool or of the chain. In the chain it is found with -txindex, or in the block that "
            "is given.",
        .args = RPC_ARGS(RPC_ARG("txid", RPC_HEX, NULL, "The transaction's id."),
                         RPC_ARG("verbosity|verbose", RPC_NUM, "0",
                                 "0: its bytes in hex. 1: as JSON. 2: with the outputs that it spends, and the fee.",
                                 .flags = RPC_ANY_TYPE),
                         RPC_ARG("blockhash", RPC_HEX, "", "The block to look in.")),
        .result = "\"hex\" (string); or in_active_chain (boolean, with a block), vsize_adjusted (numeric, of the "
                  "pool), the fields of decoderawtransaction, "
                  "fee, hex,\nblockhash (string), confirmations, time, blocktime (numeric)",
        .examples = "\"mytxid\"\n\"mytxid\" 2 \"myblockhash\"",
        .handler = getrawtransaction,
        .needs_node = true,
    },
    {
        .name = "gettxoutproof",
        .category = "blockchain",
        .summary = "A proof that transactions are in a block (BIP37's merkle block).\nWithout -txindex or a block, one "
                   "of them must have an unspent output.",
        .args = RPC_ARGS(RPC_ARG("txids", RPC_ARR, NULL, "The transactions.",
                                 .inner = RPC_ARGS(RPC_ARG("txid", RPC_HEX, "", "A transaction's id."))),
                         RPC_ARG("blockhash", RPC_HEX, "", "The block.")),
        .result = "\"hex\" (string) The proof.",
        .examples = "'[\"mytxid\"]'",
        .handler = gettxoutproof,
        .needs_node = true,
    },
    {
        .name = "verifytxoutproof",
        .category = "blockchain",
        .summary = "Checks a proof of gettxoutproof; an error where its block is not in the active chain.",
        .args = RPC_ARGS(RPC_ARG("proof", RPC_HEX, NULL, "The proof in hex.")),
        .result = "[ \"txid\", ... ] (json array) What it proves; empty where it proves nothing.",
        .examples = "\"proof\"",
        .handler = verifytxoutproof,
        .needs_node = true,
    },
    {.name = NULL},
};
