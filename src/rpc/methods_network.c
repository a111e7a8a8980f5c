/* Methods about what feeds on the chain and about the network as a whole: indexes, unconfirmed transactions, traffic.
 */
#include "index/index.h"
#include "p2p/p2p_txs.h"
#include "rpc/chain_call.h"
#include "rpc/network_call.h"
#include "rpc/server.h"
#include "rpc/table.h"

enum {
    CORE_VERSION = 319900, /* that whose interface this is */
    UPLOAD_CYCLE_S = 24 * 3600,
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
    if (call->node->filters) {
        filter_index_info(call->node->filters, &info);
        put_index(call, info.name, &info);
    }
    jw_object_end(&call->out);
}

static void put_bucket(struct json_writer *w, const char *name, const struct p2p_tx_queue *q)
{
    jw_kv_object(w, name);
    jw_kv_uint(w, "backlog", q->backlog);
    jw_kv_double(w, "count_tok", q->count_tokens);
    jw_kv_double(w, "size_tok", q->size_tokens);
    jw_object_end(w);
}

static void put_networks(struct rpc_call *call)
{
    const struct rpc_host *host = &rpc_server_config(call->server)->host;
    struct json_writer *w = &call->out;
    uint32_t reachable = call->node->p2p ? p2p_local(call->node->p2p)->reachable : 0;
    jw_kv_array(w, "networks");
    for (enum network net = NET_IPV4; net <= NET_CJDNS; net++) {
        bool randomize = false, used = reachable >> net & 1;
        const char *proxy = host->proxy ? host->proxy(host->ctx, net, &randomize) : NULL;
        jw_object(w);
        jw_kv_str(w, "name", network_name(net));
        jw_kv_bool(w, "limited", !used);
        jw_kv_bool(w, "reachable", used);
        jw_kv_str(w, "proxy", proxy ? proxy : "");
        jw_kv_bool(w, "proxy_randomize_credentials", proxy && randomize);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void put_local_addresses(struct json_writer *w, const struct local_addrs *local)
{
    char text[NETADDR_TEXT];
    jw_kv_array(w, "localaddresses");
    for (size_t i = 0; local && i < local->count; i++) {
        jw_object(w);
        jw_kv_str(w, "address", netaddr_text(text, &local->items[i].at.addr));
        jw_kv_uint(w, "port", local->items[i].at.port);
        jw_kv_int(w, "score", local->items[i].score);
        jw_object_end(w);
    }
    jw_array_end(w);
}

/* What only a node with peers has. */
static void put_peers(struct rpc_call *call, struct p2p *peers)
{
    struct json_writer *w = &call->out;
    rpc_put_services(w, "localservices", "localservicesnames", p2p_services(peers));
    jw_kv_bool(w, "localrelay", !rpc_server_config(call->server)->blocks_only);
    jw_kv_int(w, "timeoffset", p2p_time_offset_s(peers));
    struct p2p_tx_rate rate;
    p2p_tx_rate(peers, &rate);
    jw_kv_uint(w, "tx_send_rate", rate.rate);
    jw_kv_object(w, "inv_buckets");
    put_bucket(w, "inbound", &rate.inbound);
    put_bucket(w, "outbound", &rate.outbound);
    jw_object_end(w);
    jw_kv_bool(w, "networkactive", p2p_is_active(peers));
    jw_kv_uint(w, "connections", p2p_count(peers, true, true));
    jw_kv_uint(w, "connections_in", p2p_count(peers, true, false));
    jw_kv_uint(w, "connections_out", p2p_count(peers, false, true));
}

static void getnetworkinfo(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    struct p2p *peers = call->node->p2p;
    const char *subversion = call->node->options.subversion;
    const struct mempool_options *pool = call->node->mempool ? mempool_options_of(call->node->mempool) : NULL;
    jw_object(w);
    jw_kv_int(w, "version", CORE_VERSION);
    jw_kv_str(w, "subversion", subversion ? subversion : "");
    jw_kv_int(w, "protocolversion", PROTOCOL_VERSION);
    if (peers) put_peers(call, peers);
    put_networks(call);
    jw_kv_amount(w, "relayfee", pool ? pool->min_relay.sat_per_kvb : MIN_RELAY_FEE_DEFAULT);
    jw_kv_amount(w, "incrementalfee", pool ? pool->incremental.sat_per_kvb : INCREMENTAL_FEE_DEFAULT);
    put_local_addresses(w, peers ? p2p_local(peers) : NULL);
    rpc_put_warnings(call);
    jw_object_end(w);
}

static void getnettotals(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    struct p2p *peers = rpc_peers(call);
    struct p2p_totals t;
    if (!peers) return;
    p2p_totals(peers, &t);
    jw_object(w);
    jw_kv_uint(w, "totalbytesrecv", t.received);
    jw_kv_uint(w, "totalbytessent", t.sent);
    jw_kv_int(w, "timemillis", call->now_us / 1000);
    jw_kv_object(w, "uploadtarget");
    jw_kv_int(w, "timeframe", UPLOAD_CYCLE_S);
    jw_kv_uint(w, "target", t.target);
    jw_kv_bool(w, "target_reached", t.target_reached);
    jw_kv_bool(w, "serve_historical_blocks", t.serve_historical);
    jw_kv_uint(w, "bytes_left_in_cycle", t.left_in_cycle);
    jw_kv_int(w, "time_left_in_cycle", t.cycle_left_s);
    jw_object_end(w);
    jw_object_end(w);
}

static void setnetworkactive(struct rpc_call *call)
{
    struct p2p *peers = rpc_peers(call);
    if (!peers) return;
    bool active = rpc_arg_bool(call, 0, false);
    if (rpc_failed(call)) return;
    p2p_set_active(peers, active);
    jw_bool(&call->out, p2p_is_active(peers));
}

const struct rpc_method rpc_network_methods[] = {
    {
        .name = "getindexinfo",
        .category = "util",
        .summary = "How far the indexes have come.",
        .args = RPC_ARGS(RPC_ARG("index_name", RPC_STR, "", "Only this one.")),
        .result = "By name (txindex, coinstatsindex, basic block filter index): synced (boolean), best_block_height "
                  "(numeric)",
        .examples = "\ntxindex",
        .handler = getindexinfo,
        .needs_node = true,
    },
    {
        .name = "getnetworkinfo",
        .category = "network",
        .summary = "The node as its peers see it.",
        .result = "version (numeric) Of the Bitcoin Core whose interface this is.\n"
                  "subversion (string), protocolversion (numeric)\n"
                  "localservices (string), localservicesnames (json array) What we offer.\n"
                  "localrelay (boolean) Whether we ask peers for transactions, timeoffset (numeric) Seconds\n"
                  "tx_send_rate (numeric), inv_buckets (json object)\n"
                  "networkactive (boolean), connections, connections_in, connections_out (numeric)\n"
                  "networks (json array) Of each of (ipv4, ipv6, onion, i2p, cjdns): name (string), limited,\n"
                  "  reachable (boolean), proxy (string), proxy_randomize_credentials (boolean)\n"
                  "relayfee, incrementalfee (numeric) BTC/kvB\n"
                  "localaddresses (json array) Of each: address (string), port, score (numeric)\n"
                  "warnings (json array)",
        .examples = "",
        .handler = getnetworkinfo,
        .needs_node = true,
    },
    {
        .name = "getnettotals",
        .category = "network",
        .summary = "The traffic with all peers, and what is left of -maxuploadtarget.",
        .result =
            "totalbytesrecv, totalbytessent (numeric)\ntimemillis (numeric) Now, in milliseconds since 1970.\n"
            "uploadtarget (json object): timeframe (numeric) Seconds, target (numeric) Bytes in that time,\n"
            "  target_reached, serve_historical_blocks (boolean), bytes_left_in_cycle, time_left_in_cycle (numeric)",
        .examples = "",
        .handler = getnettotals,
        .needs_node = true,
    },
    {
        .name = "setnetworkactive",
        .category = "network",
        .summary = "Takes part in the network, or disconnects everybody and stays away.",
        .args = RPC_ARGS(RPC_ARG("state", RPC_BOOL, NULL, "true to take part.")),
        .result = "state (boolean)",
        .examples = "false",
        .handler = setnetworkactive,
        .needs_node = true,
    },
    {.name = NULL},
};
