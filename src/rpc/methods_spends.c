/* Methods about who spends an output, and about transactions that wait for what they spend. */
#include <stdlib.h>

#include "base/alloc.h"
#include "p2p/p2p_txs.h"
#include "rpc/mempool_json.h"
#include "rpc/network_call.h"
#include "rpc/raw_tx.h"
#include "rpc/table.h"

/* ---- gettxspendingprevout ---- */

static bool option(const json_t *options, const char *name, bool fallback)
{
    const json_t *v = json_object_get(options, name);
    return v && !json_is_null(v) ? json_is_true(v) : fallback;
}

static void read_output(struct rpc_call *call, const json_t *v, struct outpoint *at)
{
    static const char *const keys[] = {"txid", "vout", NULL};
    *at = (struct outpoint){.index = 0};
    if (!json_is_object(v)) {
        rpc_fail(call, RPC_TYPE_ERROR, "JSON value of type %s is not of expected type object", json_type_name(v));
        return;
    }
    rpc_check_field(call, v, "txid", "string", false);
    rpc_check_field(call, v, "vout", "number", false);
    if (!rpc_failed(call)) rpc_check_keys(call, v, keys);
    if (rpc_failed(call)) return;
    rpc_value_hash(call, json_object_get(v, "txid"), "txid", at->txid.bytes);
    int32_t index = rpc_failed(call) ? 0 : rpc_value_i32(call, json_object_get(v, "vout"));
    if (index < 0) rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, vout cannot be negative");
    at->index = (uint32_t)index;
}

/* The output as it was asked for, and who spends it. */
static void put_spender(struct json_writer *w, json_t *asked, const struct mempool_entry *spender, bool with_tx)
{
    jw_object(w);
    for (void *at = json_object_iter(asked); at; at = json_object_iter_next(asked, at)) {
        jw_key(w, json_object_iter_key(at));
        jw_json(w, json_object_iter_value(at));
    }
    if (spender) jw_kv_hash(w, "spendingtxid", spender->tx.txid.bytes);
    if (spender && with_tx) {
        jw_key(w, "spendingtx");
        raw_tx_hex_json(w, &spender->tx);
    }
    jw_object_end(w);
}

static void gettxspendingprevout(struct rpc_call *call)
{
    static const char *const keys[] = {"mempool_only", "return_spending_tx", NULL};
    const json_t *outputs = call->args[0], *options = call->args[1];
    size_t count = json_array_size(outputs);
    struct mempool *m = rpc_mempool(call);
    if (count == 0) rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, outputs are missing");
    for (size_t i = 0; options && keys[i]; i++) rpc_check_field(call, options, keys[i], "bool", true);
    if (options && !rpc_failed(call)) rpc_check_keys(call, options, keys);
    struct outpoint *at = mem_calloc(count + 1, sizeof *at);
    for (size_t i = 0; i < count && !rpc_failed(call); i++) read_output(call, json_array_get(outputs, i), &at[i]);
    bool pool_only = option(options, "mempool_only", true), with_tx = option(options, "return_spending_tx", false);
    for (size_t i = 0; i < count && !rpc_failed(call) && !pool_only; i++) {
        if (!mempool_spender(m, &at[i]))
            rpc_fail(call, RPC_MISC_ERROR, "Mempool lacks a relevant spend, and txospenderindex is unavailable.");
    }
    if (!rpc_failed(call)) {
        jw_array(&call->out);
        for (size_t i = 0; i < count; i++)
            put_spender(&call->out, json_array_get(outputs, i), mempool_spender(m, &at[i]), with_tx);
        jw_array_end(&call->out);
    }
    free(at);
}

/* ---- getorphantxs ---- */

enum { ORPHAN_ID, ORPHAN_DETAILS, ORPHAN_BYTES };

static void put_orphan(struct json_writer *w, const struct orphan_info *o, int verbosity)
{
    if (verbosity == ORPHAN_ID) {
        jw_hash(w, o->txid.bytes);
        return;
    }
    jw_object(w);
    jw_kv_hash(w, "txid", o->txid.bytes);
    jw_kv_hash(w, "wtxid", o->wtxid.bytes);
    jw_kv_uint(w, "bytes", o->raw.len);
    jw_kv_uint(w, "vsize", (o->weight_wu + 3) / 4);
    jw_kv_uint(w, "vsize_bip141", (o->weight_wu + 3) / 4);
    jw_kv_uint(w, "weight", o->weight_wu);
    jw_kv_array(w, "from");
    for (size_t i = 0; i < o->from_count; i++) jw_int(w, o->from[i]);
    jw_array_end(w);
    if (verbosity == ORPHAN_BYTES) jw_kv_hex(w, "hex", o->raw);
    jw_object_end(w);
}

static void getorphantxs(struct rpc_call *call)
{
    struct p2p *p = rpc_peers(call);
    int verbosity = p ? rpc_arg_verbosity(call, 0, ORPHAN_ID, false) : 0;
    if (verbosity < ORPHAN_ID || verbosity > ORPHAN_BYTES)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid verbosity value %d", verbosity);
    if (rpc_failed(call)) return;
    size_t count = p2p_orphans(p, NULL, 0);
    struct orphan_info *orphans = mem_calloc(count + 1, sizeof *orphans);
    count = p2p_orphans(p, orphans, count);
    jw_array(&call->out);
    for (size_t i = 0; i < count; i++) put_orphan(&call->out, &orphans[i], verbosity);
    jw_array_end(&call->out);
    free(orphans);
}

const struct rpc_method rpc_spends_methods[] = {
    {
        .name = "gettxspendingprevout",
        .category = "blockchain",
        .summary = "Which unconfirmed transactions spend these outputs.",
        .args = RPC_ARGS(
            RPC_ARG("outputs", RPC_ARR, NULL, "The outputs.",
                    .inner =
                        RPC_ARGS(RPC_ARG("", RPC_OBJ, "", "",
                                         .inner = RPC_ARGS(RPC_ARG("txid", RPC_HEX, NULL, "The transaction's id."),
                                                           RPC_ARG("vout", RPC_NUM, NULL, "The output's number."))))),
            RPC_ARG("options", RPC_OBJ_NAMED, "", "",
                    .inner = RPC_ARGS(RPC_ARG("mempool_only", RPC_BOOL, "true",
                                              "false: it is an error where the pool has no spender (there is no index "
                                              "of spends)."),
                                      RPC_ARG("return_spending_tx", RPC_BOOL, "false", "Add the transactions.")))),
        .result = "For each, in order: txid (string), vout (numeric)\nspendingtxid (string) Where it is spent.\n"
                  "spendingtx (string) The transaction in hex, where it is wanted.",
        .examples = "'[{\"txid\":\"mytxid\",\"vout\":3}]'",
        .handler = gettxspendingprevout,
        .needs_node = true,
    },
    {
        .name = "getorphantxs",
        .category = "hidden",
        .summary = "Transactions from peers that wait for transactions that they spend.",
        .args = RPC_ARGS(
            RPC_ARG("verbosity", RPC_NUM, "0", "0: ids. 1: details. 2: with the bytes in hex.", .flags = RPC_ANY_TYPE)),
        .result = "[ \"txid\", ... ] (json array); or for each: txid, wtxid (string), bytes, vsize, vsize_bip141, "
                  "weight (numeric),\nfrom (json array of peers' numbers), hex (string)",
        .examples = "2",
        .handler = getorphantxs,
        .needs_node = true,
    },
    {.name = NULL},
};
