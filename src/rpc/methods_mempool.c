/* Methods that show the pool of unconfirmed transactions. */
#include <stdlib.h>

#include "base/alloc.h"
#include "node/node.h"
#include "rpc/mempool_json.h"
#include "rpc/server.h"
#include "rpc/table.h"

static void getmempoolinfo(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    struct mempool *m = rpc_mempool(call);
    if (!m) return;
    const struct mempool_options *o = mempool_options_of(m);
    amount_sat floor = mempool_min_fee(m).sat_per_kvb, relay = o->min_relay.sat_per_kvb;
    jw_object(w);
    jw_kv_bool(w, "loaded", mempool_is_loaded(m));
    jw_kv_uint(w, "size", mempool_count(m));
    jw_kv_uint(w, "bytes", mempool_vbytes(m));
    jw_kv_uint(w, "usage", mempool_memory(m));
    jw_kv_amount(w, "total_fee", mempool_fees(m));
    jw_kv_uint(w, "maxmempool", o->max_bytes);
    jw_kv_amount(w, "mempoolminfee", floor > relay ? floor : relay);
    jw_kv_amount(w, "minrelaytxfee", relay);
    jw_kv_amount(w, "incrementalrelayfee", o->incremental.sat_per_kvb);
    jw_kv_uint(w, "unbroadcastcount", mempool_unbroadcast_count(m));
    jw_kv_bool(w, "permitbaremultisig", o->standard.bare_multisig);
    jw_kv_uint(w, "maxdatacarriersize", o->standard.data_carrier_bytes);
    jw_kv_uint(w, "limitclustercount", o->cluster_count);
    jw_kv_uint(w, "limitclustersize", o->cluster_vbytes);
    jw_kv_bool(w, "optimal", tx_graph_work(mempool_graph(m), 0));
    if (rpc_server_is_deprecated_allowed(call->server, "fullrbf")) jw_kv_bool(w, "fullrbf", true);
    jw_object_end(w);
}

static void getrawmempool(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    struct mempool *m = rpc_mempool(call);
    bool verbose = rpc_arg_bool(call, 0, false), sequence = rpc_arg_bool(call, 1, false);
    if (verbose && sequence)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Verbose results cannot contain mempool sequence values.");
    if (rpc_failed(call)) return;
    struct mempool_list all = mempool_ordered(m);
    if (sequence) {
        jw_object(w);
        jw_key(w, "txids");
    }
    mempool_list_json(call, &all, verbose);
    if (sequence) {
        jw_kv_uint(w, "mempool_sequence", mempool_sequence(m));
        jw_object_end(w);
    }
    free(all.entries);
}

static void getmempoolentry(struct rpc_call *call)
{
    const struct mempool_entry *e = rpc_arg_mempool_entry(call, 0);
    if (e) mempool_entry_json(call, e);
}

/* The relations of E without itself. */
static void put_others(struct rpc_call *call, const struct mempool_entry *e, struct mempool_list list, bool verbose)
{
    size_t kept = 0;
    for (size_t i = 0; i < list.count; i++) {
        if (list.entries[i] != e) list.entries[kept++] = list.entries[i];
    }
    list.count = kept;
    mempool_list_sort(&list);
    mempool_list_json(call, &list, verbose);
    free(list.entries);
}

static void getmempoolancestors(struct rpc_call *call)
{
    bool verbose = rpc_arg_bool(call, 1, false);
    const struct mempool_entry *e = rpc_arg_mempool_entry(call, 0);
    if (e) put_others(call, e, mempool_ancestors(call->node->mempool, e), verbose);
}

static void getmempooldescendants(struct rpc_call *call)
{
    bool verbose = rpc_arg_bool(call, 1, false);
    const struct mempool_entry *e = rpc_arg_mempool_entry(call, 0);
    if (e) put_others(call, e, mempool_descendants(call->node->mempool, e), verbose);
}

/* The chunk that begins with the first of LIST; returns how many it has. */
static size_t put_chunk(struct json_writer *w, struct mempool *m, const struct mempool_list *list, size_t from)
{
    struct fee_frac chunk = mempool_chunk(m, list->entries[from]);
    int64_t left = chunk.size;
    size_t at = from;
    jw_object(w);
    jw_kv_amount(w, "chunkfee", chunk.fee);
    jw_kv_int(w, "chunkweight", chunk.size);
    jw_kv_array(w, "txs");
    for (; at < list->count && left > 0; at++) {
        jw_hash(w, list->entries[at]->tx.txid.bytes);
        left -= (int64_t)list->entries[at]->adjusted_weight;
    }
    jw_array_end(w);
    jw_object_end(w);
    return at - from;
}

static void getmempoolcluster(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    const struct mempool_entry *e = rpc_arg_mempool_entry(call, 0);
    if (!e) return;
    struct mempool_list cluster = mempool_cluster(call->node->mempool, e);
    uint64_t weight = 0;
    for (size_t i = 0; i < cluster.count; i++) weight += cluster.entries[i]->adjusted_weight;
    jw_object(w);
    jw_kv_uint(w, "clusterweight", weight);
    jw_kv_uint(w, "txcount", cluster.count);
    jw_kv_array(w, "chunks");
    for (size_t at = 0; at < cluster.count;) at += put_chunk(w, call->node->mempool, &cluster, at);
    jw_array_end(w);
    jw_object_end(w);
    free(cluster.entries);
}

static void put_point(struct json_writer *w, struct fee_frac sum)
{
    jw_object(w);
    jw_kv_int(w, "weight", sum.size);
    jw_kv_amount(w, "fee", sum.fee);
    jw_object_end(w);
}

static void getmempoolfeeratediagram(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    struct mempool *m = rpc_mempool(call);
    if (!m) return;
    struct tx_graph_builder *b = tx_graph_builder_new(mempool_graph(m));
    struct fee_frac sum = {0}, chunk;
    tx_id ids[LIN_MAX];
    jw_array(w);
    put_point(w, sum);
    while (tx_graph_builder_chunk(b, ids, &chunk) > 0) {
        sum = fee_frac_add(sum, chunk);
        put_point(w, sum);
        tx_graph_builder_take(b);
    }
    jw_array_end(w);
    tx_graph_builder_free(b);
}

#define TXID_ARG RPC_ARG("txid", RPC_HEX, NULL, "The id of a transaction in the pool.")
#define VERBOSE_ARG                                                                                                    \
    RPC_ARG("verbose", RPC_BOOL, "false", "true gives an object with the fields of getmempoolentry for each.")
#define LIST_RESULT "[ \"txid\", ... ] (json array); or an object of txids and the fields of getmempoolentry"

const struct rpc_method rpc_mempool_methods[] = {
    {
        .name = "getmempoolinfo",
        .category = "blockchain",
        .summary = "The pool of unconfirmed transactions in numbers.",
        .result = "loaded (boolean) The saved pool has been read.\n"
                  "size (numeric) Transactions.\n"
                  "bytes (numeric) The sum of their virtual sizes.\n"
                  "usage, maxmempool (numeric) Memory in use, and its limit, in bytes.\n"
                  "total_fee (numeric, coins) Without what prioritisetransaction added.\n"
                  "mempoolminfee, minrelaytxfee, incrementalrelayfee (numeric, coins per 1000 virtual bytes)\n"
                  "unbroadcastcount (numeric) Those that no peer has asked for yet.\n"
                  "permitbaremultisig (boolean), maxdatacarriersize (numeric) What is standard.\n"
                  "limitclustercount, limitclustersize (numeric) Limits of clusters: transactions, virtual bytes.\n"
                  "optimal (boolean) Every cluster is known to be in its best order.",
        .examples = "",
        .handler = getmempoolinfo,
        .needs_node = true,
    },
    {
        .name = "getrawmempool",
        .category = "blockchain",
        .summary = "The unconfirmed transactions, in the order in which they would be mined.",
        .args = RPC_ARGS(VERBOSE_ARG, RPC_ARG("mempool_sequence", RPC_BOOL, "false",
                                              "true gives an object with the ids and the pool's sequence number.")),
        .result = LIST_RESULT ";\nor txids (json array), mempool_sequence (numeric)",
        .examples = "\ntrue",
        .handler = getrawmempool,
        .needs_node = true,
    },
    {
        .name = "getmempoolentry",
        .category = "blockchain",
        .summary = "One unconfirmed transaction.",
        .args = RPC_ARGS(TXID_ARG),
        .result =
            "vsize_adjusted, vsize (numeric) Virtual size in which each sigop counts as -bytespersigop at least.\n"
            "vsize_bip141, weight (numeric) As BIP141 defines them.\n"
            "time (numeric) When it came, in seconds since 1970; height (numeric) The chain's height then.\n"
            "descendantcount, descendantsize, ancestorcount, ancestorsize (numeric) With itself.\n"
            "wtxid (string)\n"
            "chunkweight (numeric) Of those with which it would be mined, sigops included.\n"
            "fees (json object) base, modified (by prioritisetransaction), ancestor, descendant, chunk (numeric, "
            "coins)\n"
            "depends, spentby (json array) Ids of its parents and children in the pool.\n"
            "unbroadcast (boolean) No peer has asked for it yet.",
        .examples = "\"mytxid\"",
        .handler = getmempoolentry,
        .needs_node = true,
    },
    {
        .name = "getmempoolancestors",
        .category = "blockchain",
        .summary = "All in the pool on which an unconfirmed transaction rests.",
        .args = RPC_ARGS(TXID_ARG, VERBOSE_ARG),
        .result = LIST_RESULT,
        .examples = "\"mytxid\"",
        .handler = getmempoolancestors,
        .needs_node = true,
    },
    {
        .name = "getmempooldescendants",
        .category = "blockchain",
        .summary = "All in the pool that rest on an unconfirmed transaction.",
        .args = RPC_ARGS(TXID_ARG, VERBOSE_ARG),
        .result = LIST_RESULT,
        .examples = "\"mytxid\"",
        .handler = getmempooldescendants,
        .needs_node = true,
    },
    {
        .name = "getmempoolcluster",
        .category = "blockchain",
        .summary = "All in the pool that are related to an unconfirmed transaction, in the order of mining.",
        .args = RPC_ARGS(TXID_ARG),
        .result = "clusterweight (numeric) The sum of weights, sigops included.\ntxcount (numeric)\n"
                  "chunks (json array) chunkfee (numeric, coins), chunkweight (numeric), txs (json array of ids)",
        .examples = "\"mytxid\"",
        .handler = getmempoolcluster,
        .needs_node = true,
    },
    {
        .name = "getmempoolfeeratediagram",
        .category = "hidden",
        .summary = "What fees the pool has for a block of so much weight: a point after each chunk, best first.",
        .result = "[ { weight (numeric), fee (numeric, coins) }, ... ] (json array) Sums from the start.",
        .examples = "",
        .handler = getmempoolfeeratediagram,
        .needs_node = true,
    },
    {.name = NULL},
};
