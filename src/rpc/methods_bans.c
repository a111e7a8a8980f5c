/* Methods about banned addresses. */
#include "rpc/network_call.h"
#include "rpc/table.h"

/* The list of bans; NULL and the call failed where the node runs without. */
static struct bans *find_bans(struct rpc_call *call)
{
    if (call->node->p2p) return &call->node->bans;
    rpc_fail(call, RPC_DATABASE_ERROR, "Error: Ban database not loaded");
    return NULL;
}

/* A subnet, or one address. */
static struct subnet parse_subnet(const struct rpc_call *call, const char *text)
{
    struct netaddr addr;
    if (strchr(text, '/')) return subnet_parse(span_str(text), rpc_uses_cjdns(call));
    if (!netaddr_parse(&addr, span_str(text)) || !netaddr_is_valid(&addr)) return (struct subnet){.valid = false};
    if (rpc_uses_cjdns(call)) netaddr_flip_to_cjdns(&addr);
    return subnet_of(&addr);
}

static void add_ban(struct rpc_call *call, struct bans *bans, const struct subnet *subnet, bool single)
{
    int64_t now_s = node_time_s(call->node);
    if (single ? bans_has_addr(bans, &subnet->network, now_s) : bans_has_subnet(bans, subnet, now_s)) {
        rpc_fail(call, RPC_CLIENT_NODE_ALREADY_ADDED, "Error: IP/Subnet already banned");
        return;
    }
    int64_t time_s = rpc_arg_i64(call, 2, 0);
    bool absolute = rpc_arg_bool(call, 3, false);
    if (rpc_failed(call)) return;
    if (absolute && time_s < now_s) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Error: Absolute timestamp is in the past");
        return;
    }
    (void)bans_add(bans, subnet, time_s, absolute, now_s);
    (void)p2p_disconnect_subnet(call->node->p2p, subnet);
}

static void setban(struct rpc_call *call)
{
    const char *command = rpc_arg_str(call, 1, ""), *text = rpc_arg_str(call, 0, "");
    bool add = strcmp(command, "add") == 0;
    if (!rpc_failed(call) && !add && strcmp(command, "remove") != 0) rpc_fail_help(call, RPC_MISC_ERROR);
    struct bans *bans = rpc_failed(call) ? NULL : find_bans(call);
    if (!bans) return;
    struct subnet subnet = parse_subnet(call, text);
    if (!subnet.valid)
        rpc_fail(call, RPC_CLIENT_INVALID_IP_OR_SUBNET, "Error: Invalid IP/Subnet");
    else if (add)
        add_ban(call, bans, &subnet, !strchr(text, '/'));
    else if (!bans_remove(bans, &subnet))
        rpc_fail(call, RPC_CLIENT_INVALID_IP_OR_SUBNET,
                 "Error: Unban failed. Requested address/subnet was not previously manually banned.");
    if (!rpc_failed(call)) jw_null(&call->out);
}

static void listbanned(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    struct bans *bans = find_bans(call);
    if (!bans) return;
    int64_t now_s = node_time_s(call->node);
    char text[SUBNET_TEXT];
    bans_sweep(bans, now_s);
    jw_array(w);
    for (size_t i = 0; i < bans->count; i++) {
        const struct ban *ban = &bans->items[i];
        jw_object(w);
        jw_kv_str(w, "address", subnet_text(text, &ban->subnet));
        jw_kv_int(w, "ban_created", ban->created_s);
        jw_kv_int(w, "banned_until", ban->until_s);
        jw_kv_int(w, "ban_duration", ban->until_s - ban->created_s);
        jw_kv_int(w, "time_remaining", ban->until_s - now_s);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void clearbanned(struct rpc_call *call)
{
    struct bans *bans = find_bans(call);
    if (!bans) return;
    bans_remove_all(bans);
    jw_null(&call->out);
}

const struct rpc_method rpc_ban_methods[] = {
    {
        .name = "setban",
        .category = "network",
        .summary = "Bans an address or subnet, or lifts a ban. Its peers are disconnected.",
        .args = RPC_ARGS(RPC_ARG("subnet", RPC_STR, NULL, "An address, or a subnet such as 192.168.0.0/24."),
                         RPC_ARG("command", RPC_STR, NULL, "\"add\" or \"remove\"."),
                         RPC_ARG("bantime", RPC_NUM, "0",
                                 "Seconds that the ban lasts, or with absolute its end; 0 is what -bantime says."),
                         RPC_ARG("absolute", RPC_BOOL, "false", "bantime is in seconds since 1970.")),
        .result = "",
        .examples = "192.168.0.6 add 86400\n192.168.0.0/24 add",
        .handler = setban,
        .needs_node = true,
    },
    {
        .name = "listbanned",
        .category = "network",
        .summary = "The banned addresses and subnets.",
        .result = "[ {...}, ... ] (json array) Of each: address (string), ban_created, banned_until (numeric) Seconds "
                  "since 1970,\nban_duration, time_remaining (numeric) Seconds",
        .examples = "",
        .handler = listbanned,
        .needs_node = true,
    },
    {
        .name = "clearbanned",
        .category = "network",
        .summary = "Lifts all bans.",
        .result = "",
        .examples = "",
        .handler = clearbanned,
        .needs_node = true,
    },
    {.name = NULL},
};
