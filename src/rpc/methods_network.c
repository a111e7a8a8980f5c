/* Methods about what feeds on the chain: indexes, unconfirmed transactions, the network. */
#include "index/index.h"
#include "rpc/chain_call.h"
#include "rpc/table.h"

enum {
    RELAY_FEE_SAT = 100, /* a thousand virtual bytes */
    POOL_BYTES_MAX = 300000000,
    DATA_CARRIER_MAX = 100000,
    CLUSTER_COUNT_MAX = 64,
    CLUSTER_SIZE_MAX = 101000, /* virtual bytes */
    PROTOCOL_VERSION = 70017,
    CORE_VERSION = 319900, /* that whose interface this is */
};

static void put_index(struct rpc_call *call, const char *name, const struct index_info *info)
{
    const char *wanted = rpc_arg_str(call, 0, "");
    if (*wanted && strcmp(wanted, name) != 0) return;
    jw_kv_object(&call->out, name);
    jw_kv_bool(&call->out, "synced", info->synced);
    jw_kv_int(&call->out, "best_block_height", info->best_height < 0 ? 0 : info->best_height);
    jw_object_end(&call->out);
}

static void getindexinfo(struct rpc_call *call)
{
    struct index_info info;
    jw_object(&call->out);
    if (call->node->tx_index) {
        tx_index_info(call->node->tx_index, &info);
        put_index(call, "txindex", &info);
    }
    if (call->node->coin_stats) {
        coin_stats_index_info(call->node->coin_stats, &info);
        put_index(call, "coinstatsindex", &info);
    }
    jw_object_end(&call->out);
}

/* There is no pool of unconfirmed transactions yet in this node: it is empty. */
static void getmempoolinfo(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    jw_object(w);
    jw_kv_bool(w, "loaded", call->node->loaded);
    jw_kv_int(w, "size", 0);
    jw_kv_int(w, "bytes", 0);
    jw_kv_int(w, "usage", 0);
    jw_kv_amount(w, "total_fee", 0);
    jw_kv_int(w, "maxmempool", POOL_BYTES_MAX);
    jw_kv_amount(w, "mempoolminfee", RELAY_FEE_SAT);
    jw_kv_amount(w, "minrelaytxfee", RELAY_FEE_SAT);
    jw_kv_amount(w, "incrementalrelayfee", RELAY_FEE_SAT);
    jw_kv_int(w, "unbroadcastcount", 0);
    jw_kv_bool(w, "permitbaremultisig", true);
    jw_kv_int(w, "maxdatacarriersize", DATA_CARRIER_MAX);
    jw_kv_int(w, "limitclustercount", CLUSTER_COUNT_MAX);
    jw_kv_int(w, "limitclustersize", CLUSTER_SIZE_MAX);
    jw_kv_bool(w, "optimal", true);
    jw_object_end(w);
}

static void getrawmempool(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    bool verbose = rpc_arg_bool(call, 0, false), sequence = rpc_arg_bool(call, 1, false);
    if (rpc_failed(call)) return;
    if (verbose && sequence) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Verbose results cannot contain mempool sequence values.");
    } else if (sequence) {
        jw_object(w);
        jw_kv_array(w, "txids");
        jw_array_end(w);
        jw_kv_int(w, "mempool_sequence", 1);
        jw_object_end(w);
    } else if (verbose) {
        jw_object(w);
        jw_object_end(w);
    } else {
        jw_array(w);
        jw_array_end(w);
    }
}

static void put_bucket(struct json_writer *w, const char *name)
{
    jw_kv_object(w, name);
    jw_kv_int(w, "backlog", 0);
    jw_kv_int(w, "count_tok", 0);
    jw_kv_int(w, "size_tok", 0);
    jw_object_end(w);
}

static void put_networks(struct json_writer *w)
{
    static const char *const names[] = {"ipv4", "ipv6", "onion", "i2p", "cjdns"};
    jw_kv_array(w, "networks");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        jw_object(w);
        jw_kv_str(w, "name", names[i]);
        jw_kv_bool(w, "limited", true);
        jw_kv_bool(w, "reachable", false);
        jw_kv_str(w, "proxy", "");
        jw_kv_bool(w, "proxy_randomize_credentials", false);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void getnetworkinfo(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    const char *subversion = call->node->options.subversion;
    jw_object(w);
    jw_kv_int(w, "version", CORE_VERSION);
    jw_kv_str(w, "subversion", subversion ? subversion : "");
    jw_kv_int(w, "protocolversion", PROTOCOL_VERSION);
    jw_kv_str(w, "localservices", "0000000000000000");
    jw_kv_array(w, "localservicesnames");
    jw_array_end(w);
    jw_kv_bool(w, "localrelay", false);
    jw_kv_int(w, "timeoffset", 0);
    jw_kv_int(w, "tx_send_rate", 0);
    jw_kv_object(w, "inv_buckets");
    put_bucket(w, "inbound");
    put_bucket(w, "outbound");
    jw_object_end(w);
    jw_kv_bool(w, "networkactive", false);
    jw_kv_int(w, "connections", 0);
    jw_kv_int(w, "connections_in", 0);
    jw_kv_int(w, "connections_out", 0);
    put_networks(w);
    jw_kv_amount(w, "relayfee", RELAY_FEE_SAT);
    jw_kv_amount(w, "incrementalfee", RELAY_FEE_SAT);
    jw_kv_array(w, "localaddresses");
    jw_array_end(w);
    rpc_put_warnings(call);
    jw_object_end(w);
}

static void getconnectioncount(struct rpc_call *call)
{
    jw_int(&call->out, 0);
}

static void getpeerinfo(struct rpc_call *call)
{
    jw_array(&call->out);
    jw_array_end(&call->out);
}

const struct rpc_method rpc_network_methods[] = {
    {
        .name = "getindexinfo",
        .category = "util",
        .summary = "How far the indexes have come.",
        .args = RPC_ARGS(RPC_ARG("index_name", RPC_STR, "", "Only this one.")),
        .result = "By name (txindex, coinstatsindex): synced (boolean), best_block_height (numeric)",
        .examples = "\ntxindex",
        .handler = getindexinfo,
        .needs_node = true,
    },
    {
        .name = "getmempoolinfo",
        .category = "blockchain",
        .summary = "The unconfirmed transactions in numbers. The node keeps none: the pool is empty.",
        .result = "loaded (boolean)\nsize, bytes, usage, total_fee, maxmempool, mempoolminfee, minrelaytxfee, "
                  "incrementalrelayfee, unbroadcastcount (numeric)\npermitbaremultisig (boolean), maxdatacarriersize, "
                  "limitclustercount, limitclustersize (numeric), optimal (boolean)",
        .examples = "",
        .handler = getmempoolinfo,
        .needs_node = true,
    },
    {
        .name = "getrawmempool",
        .category = "blockchain",
        .summary = "The ids of unconfirmed transactions.",
        .args = RPC_ARGS(RPC_ARG("verbose", RPC_BOOL, "false", "true gives an object with details."),
                         RPC_ARG("mempool_sequence", RPC_BOOL, "false", "true adds the pool's sequence number.")),
        .result = "[ \"txid\", ... ] (json array); or an object",
        .examples = "",
        .handler = getrawmempool,
        .needs_node = true,
    },
    {
        .name = "getnetworkinfo",
        .category = "network",
        .summary = "The node as its peers would see it.",
        .result = "version (numeric) Of the Bitcoin Core whose interface this is.\nsubversion (string)\n"
                  "protocolversion (numeric), localservices (string), localservicesnames (json array), localrelay "
                  "(boolean),\ntimeoffset, connections, connections_in, connections_out (numeric), networkactive "
                  "(boolean),\nnetworks (json array), relayfee, incrementalfee (numeric), localaddresses, warnings",
        .examples = "",
        .handler = getnetworkinfo,
        .needs_node = true,
    },
    {
        .name = "getconnectioncount",
        .category = "network",
        .summary = "How many peers are connected.",
        .result = "n (numeric)",
        .examples = "",
        .handler = getconnectioncount,
        .needs_node = true,
    },
    {
        .name = "getpeerinfo",
        .category = "network",
        .summary = "The peers that are connected.",
        .result = "[ ... ] (json array)",
        .examples = "",
        .handler = getpeerinfo,
        .needs_node = true,
    },
    {.name = NULL},
};
