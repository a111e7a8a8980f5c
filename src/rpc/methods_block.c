/* Methods that show blocks and headers. */
#include <stdlib.h>

#include "rpc/chain_call.h"
#include "rpc/table.h"
#include "rpc/tx_json.h"

static void getblockcount(struct rpc_call *call)
{
    jw_int(&call->out, chain_height(call->node->chain));
}

static void getbestblockhash(struct rpc_call *call)
{
    jw_hash(&call->out, chain_tip(call->node->chain)->header.hash.bytes);
}

static void getblockhash(struct rpc_call *call)
{
    int32_t height = rpc_arg_i32(call, 0, 0);
    const struct block_node *n = chain_at(call->node->chain, height);
    if (rpc_failed(call)) return;
    if (!n)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Block height out of range");
    else
        jw_hash(&call->out, n->header.hash.bytes);
}

static void getblockheader(struct rpc_call *call)
{
    bool verbose = rpc_arg_bool(call, 1, true);
    const struct block_node *n = rpc_arg_block(call, 0, "hash");
    if (!n) return;
    if (verbose) {
        jw_object(&call->out);
        rpc_put_header(&call->out, call->node->chain, n);
        jw_object_end(&call->out);
    } else {
        struct block_header header;
        uint8_t raw[HEADER_BYTES];
        header_node_header(&header, &n->header);
        block_header_write(raw, &header);
        jw_hex(&call->out, span_of(raw, sizeof raw));
    }
}

static void put_coinbase(struct json_writer *w, const struct tx *tx)
{
    jw_kv_object(w, "coinbase_tx");
    jw_kv_uint(w, "version", (uint32_t)tx->version);
    jw_kv_uint(w, "locktime", tx->lock_time);
    jw_kv_uint(w, "sequence", tx->in[0].sequence);
    jw_kv_hex(w, "coinbase", tx->in[0].script_sig);
    if (tx->in[0].witness.count) jw_kv_hex(w, "witness", tx->in[0].witness.items[0]);
    jw_object_end(w);
}

/* The transactions of B in full. UNDO (may be NULL) has the coins that it spent. */
static void put_transactions(struct rpc_call *call, const struct block *b, const struct undo *undo, bool prevouts)
{
    size_t at = 0;
    for (size_t i = 0; i < b->tx_count; i++) {
        const struct tx *tx = &b->txs[i];
        struct spent_output *spent = NULL;
        if (undo && i > 0) {
            spent = rpc_spent_outputs(tx, undo, at);
            at += tx->in_count;
        }
        jw_object(&call->out);
        tx_json_fields(
            &call->out, tx,
            &(struct tx_json_extra){.prefixes = rpc_prefixes(call), .spent = spent, .prevouts = prevouts, .hex = true});
        jw_object_end(&call->out);
        free(spent);
    }
}

static void put_block(struct rpc_call *call, const struct block_node *n, const struct block *b, int verbosity)
{
    struct json_writer *w = &call->out;
    struct undo undo = {0};
    struct error e;
    bool has_undo = verbosity >= 2 && (n->status & BLOCK_HAVE_UNDO) && n->header.height > 0;
    if (has_undo && chain_read_undo(call->node->chain, n, b, &undo, &e) != RESULT_OK) {
        rpc_fail(call, RPC_INTERNAL_ERROR,
                 "Undo data expected but can't be read. This could be due to disk corruption or a conflict with a "
                 "pruning event.");
        return;
    }
    jw_object(w);
    rpc_put_header(w, call->node->chain, n);
    jw_kv_uint(w, "strippedsize", b->base_size);
    jw_kv_uint(w, "size", b->raw.len);
    jw_kv_uint(w, "weight", block_weight(b));
    put_coinbase(w, &b->txs[0]);
    jw_kv_array(w, "tx");
    if (verbosity == 1) {
        for (size_t i = 0; i < b->tx_count; i++) jw_hash(w, b->txs[i].txid.bytes);
    } else {
        put_transactions(call, b, has_undo ? &undo : NULL, verbosity >= 3);
    }
    jw_array_end(w);
    jw_object_end(w);
    undo_clear(&undo);
}

static void getblock(struct rpc_call *call)
{
    struct block_node *n = rpc_arg_block(call, 0, "blockhash");
    int verbosity = rpc_arg_verbosity(call, 1, 1, true);
    if (rpc_failed(call)) return;
    struct block *b = rpc_read_block(call, n);
    if (!b) return;
    if (verbosity <= 0)
        jw_hex(&call->out, b->raw);
    else
        put_block(call, n, b, verbosity);
    block_free(b);
}

#define HEADER_FIELDS                                                                                                  \
    "hash (string)\nconfirmations (numeric) -1 for a block outside the active chain.\nheight, version (numeric)\n"     \
    "versionHex, merkleroot (string)\ntime, mediantime (numeric) Seconds since 1970.\nnonce (numeric)\nbits, target "  \
    "(string)\ndifficulty (numeric)\nchainwork (string) Expected hashes up to this block.\nnTx (numeric) "             \
    "Transactions.\npreviousblockhash, nextblockhash (string, where there is one)"

const struct rpc_method rpc_block_methods[] = {
    {
        .name = "getblockcount",
        .category = "blockchain",
        .summary = "The height of the active chain. The genesis block has height 0.",
        .result = "n (numeric)",
        .examples = "",
        .handler = getblockcount,
        .needs_node = true,
    },
    {
        .name = "getbestblockhash",
        .category = "blockchain",
        .summary = "The hash of the active chain's last block.",
        .result = "\"hash\" (string)",
        .examples = "",
        .handler = getbestblockhash,
        .needs_node = true,
    },
    {
        .name = "getblockhash",
        .category = "blockchain",
        .summary = "The hash of the active chain's block at a height.",
        .args = RPC_ARGS(RPC_ARG("height", RPC_NUM, NULL, "The height.")),
        .result = "\"hash\" (string)",
        .examples = "1000",
        .handler = getblockhash,
        .needs_node = true,
    },
    {
        .name = "getblockheader",
        .category = "blockchain",
        .summary = "A block's header.",
        .args = RPC_ARGS(RPC_ARG("blockhash", RPC_HEX, NULL, "The block's hash."),
                         RPC_ARG("verbose", RPC_BOOL, "true", "false gives the 80 bytes in hex.")),
        .result = HEADER_FIELDS,
        .examples = "\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\"",
        .handler = getblockheader,
        .needs_node = true,
    },
    {
        .name = "getblock",
        .category = "blockchain",
        .summary = "A block: its bytes, its transactions' ids, or its transactions in full.",
        .args = RPC_ARGS(RPC_ARG("blockhash", RPC_HEX, NULL, "The block's hash."),
                         RPC_ARG("verbosity|verbose", RPC_NUM, "1",
                                 "0: the bytes in hex. 1: header and transaction ids. 2: transactions in full, with "
                                 "their fees.\n3: the spent outputs too.",
                                 .flags = RPC_ANY_TYPE)),
        .result = HEADER_FIELDS "\nstrippedsize, size (numeric, bytes), weight (numeric)\ncoinbase_tx (json object) "
                                "version, locktime, sequence, coinbase, witness\ntx (json array) Ids, or "
                                "transactions as decoderawtransaction shows them, with fee and hex.",
        .examples = "\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\"",
        .handler = getblock,
        .needs_node = true,
    },
    {.name = NULL},
};
