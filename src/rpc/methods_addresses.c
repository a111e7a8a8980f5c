/* Methods about the addresses of nodes that are known. */
#include <stdio.h>
#include <stdlib.h>

#include "rpc/network_call.h"
#include "rpc/table.h"

/* The address manager; NULL and the call failed where the node runs without. */
static struct addrman *find_addrman(struct rpc_call *call)
{
    if (!call->node->addrman)
        rpc_fail(call, RPC_CLIENT_P2P_DISABLED, "Error: Address manager functionality missing or disabled");
    return call->node->addrman;
}

static void put_address(struct json_writer *w, const char *key, const struct netaddr *a)
{
    char text[NETADDR_TEXT];
    jw_kv_str(w, key, netaddr_text(text, a));
}

static void put_network(struct json_writer *w, const char *key, const struct netaddr *a)
{
    jw_kv_str(w, key, network_name(netaddr_class_of(a)));
}

static void getnodeaddresses(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    struct addrman *addrman = rpc_peers(call) ? find_addrman(call) : NULL;
    if (!addrman) return;
    int32_t count = rpc_arg_i32(call, 0, 1);
    if (!rpc_failed(call) && count < 0) rpc_fail(call, RPC_INVALID_PARAMETER, "Address count out of range");
    const char *name = rpc_arg_str(call, 1, "");
    if (rpc_failed(call)) return;
    enum network net = rpc_arg_given(call, 1) ? network_parse(name) : NET_COUNT;
    if (net == NET_UNROUTABLE) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Network not recognized: %s", name);
        return;
    }
    struct peer_addr *found;
    size_t n = addrman_get_addr(addrman, (size_t)count, 0, net, true, node_time_s(call->node), &found);
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        jw_object(w);
        jw_kv_uint(w, "time", found[i].time);
        jw_kv_uint(w, "services", found[i].services);
        put_address(w, "address", &found[i].at.addr);
        jw_kv_uint(w, "port", found[i].at.port);
        put_network(w, "network", &found[i].at.addr);
        jw_object_end(w);
    }
    jw_array_end(w);
    free(found);
}

static void addpeeraddress(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    struct addrman *addrman = find_addrman(call);
    if (!addrman) return;
    const char *text = rpc_arg_str(call, 0, "");
    int64_t port = rpc_arg_i64(call, 1, 0);
    bool tried = rpc_arg_bool(call, 2, false), success = false;
    if (!rpc_failed(call) && (port < 0 || port > UINT16_MAX))
        rpc_fail(call, RPC_MISC_ERROR, "JSON integer out of range");
    struct peer_addr a = {.services = NODE_NETWORK | NODE_WITNESS, .at.port = (uint16_t)port};
    if (!rpc_failed(call) && !netaddr_parse(&a.at.addr, span_str(text)))
        rpc_fail(call, RPC_CLIENT_INVALID_IP_OR_SUBNET, "Invalid IP address");
    if (rpc_failed(call)) return;
    int64_t now_s = node_time_s(call->node);
    a.time = (uint32_t)now_s;
    if (rpc_uses_cjdns(call)) netaddr_flip_to_cjdns(&a.at.addr);
    jw_object(w);
    if (!addrman_add(addrman, &a, 1, &a.at.addr, 0, now_s))
        jw_kv_str(w, "error", "failed-adding-to-new");
    else if (tried && !addrman_good(addrman, &a.at, now_s))
        jw_kv_str(w, "error", "failed-adding-to-tried");
    else
        success = true;
    jw_kv_bool(w, "success", success);
    jw_object_end(w);
}

static void put_sizes(struct json_writer *w, const struct addrman *addrman, const char *name, enum network net)
{
    jw_kv_object(w, name);
    jw_kv_uint(w, "new", addrman_size(addrman, net, ADDRMAN_NEW));
    jw_kv_uint(w, "tried", addrman_size(addrman, net, ADDRMAN_TRIED));
    jw_kv_uint(w, "total", addrman_size(addrman, net, ADDRMAN_BOTH));
    jw_object_end(w);
}

static void getaddrmaninfo(struct rpc_call *call)
{
    struct addrman *addrman = find_addrman(call);
    if (!addrman) return;
    jw_object(&call->out);
    for (enum network net = NET_IPV4; net <= NET_CJDNS; net++) put_sizes(&call->out, addrman, network_name(net), net);
    put_sizes(&call->out, addrman, "all_networks", NET_COUNT);
    jw_object_end(&call->out);
}

static void put_table(struct json_writer *w, const struct addrman *addrman, const char *name, enum addrman_table table)
{
    struct addrman_info info;
    struct addrman_position at;
    size_t next = 0;
    char key[32];
    jw_kv_object(w, name);
    while (addrman_next(addrman, table, &next, &info, &at)) {
        snprintf(key, sizeof(key), "%u/%u", at.bucket, at.position);
        jw_kv_object(w, key);
        put_address(w, "address", &info.addr.at.addr);
        jw_kv_uint(w, "port", info.addr.at.port);
        jw_kv_uint(w, "services", info.addr.services);
        jw_kv_uint(w, "time", info.addr.time);
        put_network(w, "network", &info.addr.at.addr);
        put_address(w, "source", &info.source);
        put_network(w, "source_network", &info.source);
        jw_object_end(w);
    }
    jw_object_end(w);
}

static void getrawaddrman(struct rpc_call *call)
{
    struct addrman *addrman = find_addrman(call);
    if (!addrman) return;
    jw_object(&call->out);
    put_table(&call->out, addrman, "new", ADDRMAN_NEW);
    put_table(&call->out, addrman, "tried", ADDRMAN_TRIED);
    jw_object_end(&call->out);
}

const struct rpc_method rpc_addresses_methods[] = {
    {
        .name = "getnodeaddresses",
        .category = "network",
        .summary = "Addresses of nodes that were heard of lately, in random order.",
        .args = RPC_ARGS(RPC_ARG("count", RPC_NUM, "1", "At most so many; 0 gives all."),
                         RPC_ARG("network", RPC_STR, "all networks", "Only of ipv4, ipv6, onion, i2p or cjdns.")),
        .result = "[ {...}, ... ] (json array) Of each: time (numeric) Seconds since 1970 when it was last seen,\n"
                  "services (numeric), address (string), port (numeric),\n"
                  "network (string) One of (ipv4, ipv6, onion, i2p, cjdns)",
        .examples = "8\n4 i2p",
        .handler = getnodeaddresses,
        .needs_node = true,
    },
    {
        .name = "addpeeraddress",
        .category = "hidden",
        .summary = "Adds an address to the address manager; for tests.",
        .args = RPC_ARGS(RPC_ARG("address", RPC_STR, NULL, "The address."), RPC_ARG("port", RPC_NUM, NULL, "The port."),
                         RPC_ARG("tried", RPC_BOOL, "false", "Move it to the table of those that worked.")),
        .result = "success (boolean)\nerror (string) Where it failed.",
        .examples = "1.2.3.4 8333 true",
        .handler = addpeeraddress,
        .needs_node = true,
    },
    {
        .name = "getaddrmaninfo",
        .category = "network",
        .summary = "How many addresses are known, by network and by table: new ones were heard of, tried ones worked.",
        .result = "By network (ipv4, ipv6, onion, i2p, cjdns), and for all_networks: new, tried, total (numeric)",
        .examples = "",
        .handler = getaddrmaninfo,
        .needs_node = true,
    },
    {
        .name = "getrawaddrman",
        .category = "hidden",
        .summary = "Everything in the address manager, by table, bucket and position. It may change.",
        .result = "new, tried (json object) By \"bucket/position\": address (string), port, services, time (numeric),\n"
                  "network (string), source (string) Who told of it, source_network (string)",
        .examples = "",
        .handler = getrawaddrman,
        .needs_node = true,
    },
    {.name = NULL},
};
