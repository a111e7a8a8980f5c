/* Methods about single peers: who is connected, and whom to connect to. */
#include <ctype.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "p2p/peer_info.h"
#include "rpc/chain_call.h"
#include "rpc/network_call.h"
#include "rpc/table.h"

enum { DIAL_LOOK_US = 5000 };

/* ---- getpeerinfo ---- */

static int by_name(const void *a, const void *b)
{
    enum message_type x = *(const enum message_type *)a, y = *(const enum message_type *)b;
    return strcmp(message_row(x)->name, message_row(y)->name);
}

/* Bytes by message, those that are not 0, in the order of the names; all unknown ones together come first. */
static void put_traffic(struct json_writer *w, const char *key, const uint64_t bytes[MESSAGE_TYPE_COUNT])
{
    enum message_type order[MESSAGE_TYPE_COUNT];
    for (size_t i = 0; i < MESSAGE_TYPE_COUNT; i++) order[i] = (enum message_type)i;
    qsort(order, MESSAGE_TYPE_COUNT, sizeof(*order), by_name);
    jw_kv_object(w, key);
    for (size_t i = 0; i < MESSAGE_TYPE_COUNT; i++) {
        if (!bytes[order[i]]) continue;
        jw_kv_uint(w, order[i] == MESSAGE_UNKNOWN ? "*other*" : message_row(order[i])->name, bytes[order[i]]);
    }
    jw_object_end(w);
}

static void put_endpoint(struct json_writer *w, const char *key, const struct endpoint *e)
{
    char text[ENDPOINT_TEXT];
    if (netaddr_is_valid(&e->addr)) jw_kv_str(w, key, endpoint_text(text, e));
}

static void put_ping(struct json_writer *w, const char *key, int64_t us, int64_t least)
{
    if (us >= least) jw_kv_double(w, key, (double)us * 1e-6);
}

/* Who it is, and the connection. */
static void put_connection(struct json_writer *w, const struct peer_info *p)
{
    jw_kv_int(w, "id", p->id);
    jw_kv_str(w, "addr", p->addr_name);
    put_endpoint(w, "addrbind", &p->local);
    put_endpoint(w, "addrlocal", &p->seen_us);
    jw_kv_str(w, "network", network_name(p->network));
    rpc_put_services(w, "services", "servicesnames", p->services);
    jw_kv_bool(w, "relaytxes", p->relays_txs);
    jw_kv_uint(w, "last_inv_sequence", p->last_inv_sequence);
    jw_kv_uint(w, "inv_to_send", p->inv_to_send);
    jw_kv_int(w, "lastsend", p->last_send_s);
    jw_kv_int(w, "lastrecv", p->last_recv_s);
    jw_kv_int(w, "last_transaction", p->last_tx_s);
    jw_kv_int(w, "last_block", p->last_block_s);
    jw_kv_uint(w, "bytessent", p->bytes_sent);
    jw_kv_uint(w, "bytesrecv", p->bytes_received);
    jw_kv_int(w, "conntime", p->connected_s);
    jw_kv_int(w, "timeoffset", p->time_offset_s);
    put_ping(w, "pingtime", p->ping_us, 1);
    put_ping(w, "minping", p->min_ping_us, 0);
    put_ping(w, "pingwait", p->ping_wait_us, 1);
}

/* What was told and agreed, and what goes on. */
static void put_state(struct json_writer *w, const struct peer_info *p)
{
    const char *names[PERMISSION_NAMES];
    jw_kv_int(w, "version", p->version);
    jw_kv_str(w, "subver", p->user_agent);
    jw_kv_bool(w, "inbound", p->type == CONN_INBOUND);
    jw_kv_bool(w, "bip152_hb_to", p->hb_to);
    jw_kv_bool(w, "bip152_hb_from", p->hb_from);
    jw_kv_int(w, "presynced_headers", p->presynced_headers);
    jw_kv_int(w, "synced_headers", p->synced_headers);
    jw_kv_int(w, "synced_blocks", p->synced_blocks);
    jw_kv_array(w, "inflight");
    for (size_t i = 0; i < p->in_flight_count; i++) jw_int(w, p->in_flight[i]);
    jw_array_end(w);
    jw_kv_bool(w, "addr_relay_enabled", p->addr_relay_enabled);
    jw_kv_uint(w, "addr_processed", p->addr_processed);
    jw_kv_uint(w, "addr_rate_limited", p->addr_rate_limited);
    jw_kv_array(w, "permissions");
    size_t count = permission_names(p->permissions, names);
    for (size_t i = 0; i < count; i++) jw_str(w, names[i]);
    jw_array_end(w);
    jw_kv_amount(w, "minfeefilter", p->min_fee_filter_sat);
    put_traffic(w, "bytessent_per_msg", p->sent_by_type);
    put_traffic(w, "bytesrecv_per_msg", p->received_by_type);
    jw_kv_str(w, "connection_type", conn_type_name(p->type));
    jw_kv_str(w, "transport_protocol_type", transport_kind_name(p->transport));
    jw_kv_str(w, "session_id", "");
}

static void getpeerinfo(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    struct p2p *peers = rpc_peers(call);
    if (!peers) return;
    size_t count = p2p_peers(peers, NULL, 0);
    peer_id *ids = mem_calloc(count + 1, sizeof(*ids));
    count = p2p_peers(peers, ids, count);
    struct peer_info info;
    jw_array(w);
    for (size_t i = 0; i < count; i++) {
        if (!p2p_info(peers, ids[i], &info)) continue;
        jw_object(w);
        put_connection(w, &info);
        put_state(w, &info);
        jw_object_end(w);
    }
    jw_array_end(w);
    free(ids);
}

static void getconnectioncount(struct rpc_call *call)
{
    struct p2p *peers = rpc_peers(call);
    if (peers) jw_uint(&call->out, p2p_count(peers, true, true));
}

static void ping(struct rpc_call *call)
{
    struct p2p *peers = rpc_peers(call);
    if (!peers) return;
    p2p_ping_all(peers);
    jw_null(&call->out);
}

/* ---- whom to connect to ---- */

static bool is_blank(const char *text)
{
    while (isspace((unsigned char)*text)) text++;
    return !*text;
}

/* Whether to use version 2 of the transport, which must then be on. */
static bool wants_v2(struct rpc_call *call, struct p2p *peers, const char *why_not)
{
    bool on = p2p_services(peers) & NODE_P2P_V2;
    bool wanted = rpc_arg_bool(call, 2, on);
    if (wanted && !on) rpc_fail(call, RPC_INVALID_PARAMETER, "%s", why_not);
    return wanted;
}

/* While the connection that a call asks for is being made the call waits, and looks again and again: its answer means
 * that there is one, or none. */
static bool still_dialling(struct rpc_call *call, enum rpc_wake why)
{
    struct p2p *peers = rpc_peers(call);
    if (!peers || why == RPC_WAKE_STOP || !p2p_is_dialling(peers, rpc_arg_str(call, 0, ""))) return false;
    call->deferral.deadline_us = call->now_us + DIAL_LOOK_US;
    return true;
}

static bool onetry_wake(struct rpc_call *call, enum rpc_wake why)
{
    if (still_dialling(call, why)) return false;
    jw_null(&call->out);
    return true;
}

static bool addconnection_wake(struct rpc_call *call, enum rpc_wake why)
{
    if (still_dialling(call, why)) return false;
    jw_object(&call->out);
    jw_kv_str(&call->out, "address", rpc_arg_str(call, 0, ""));
    jw_kv_str(&call->out, "connection_type", rpc_arg_str(call, 1, ""));
    jw_object_end(&call->out);
    return true;
}

static void addnode(struct rpc_call *call)
{
    const char *command = rpc_arg_str(call, 1, "");
    bool add = strcmp(command, "add") == 0, remove = strcmp(command, "remove") == 0;
    if (!rpc_failed(call) && !add && !remove && strcmp(command, "onetry") != 0) rpc_fail_help(call, RPC_MISC_ERROR);
    struct p2p *peers = rpc_failed(call) ? NULL : rpc_peers(call);
    if (!peers) return;
    const char *node = rpc_arg_str(call, 0, "");
    if (!rpc_failed(call) && is_blank(node))
        rpc_fail(call, RPC_INVALID_PARAMETER, "Error: Node address cannot be empty");
    bool v2 =
        !rpc_failed(call) && wants_v2(call, peers, "Error: v2transport requested but not enabled (see -v2transport)");
    if (rpc_failed(call)) return;
    if (add && !p2p_add_node(peers, node, v2))
        rpc_fail(call, RPC_CLIENT_NODE_ALREADY_ADDED, "Error: Node already added");
    else if (remove && !p2p_remove_node(peers, node))
        rpc_fail(call, RPC_CLIENT_NODE_NOT_ADDED,
                 "Error: Node could not be removed. It has not been added previously.");
    if (rpc_failed(call)) return;
    if (add || remove) {
        jw_null(&call->out);
        return;
    }
    p2p_try_node(peers, node, v2);
    rpc_defer(call, &(struct rpc_deferral){.wake = onetry_wake});
}

static void addconnection(struct rpc_call *call)
{
    static const enum conn_type types[] = {CONN_OUTBOUND_FULL, CONN_BLOCK_RELAY, CONN_ADDR_FETCH, CONN_FEELER};
    if (call->node->options.params.type != CHAIN_REGTEST) {
        rpc_fail(call, RPC_MISC_ERROR, "addconnection is for regression testing (-regtest mode) only.");
        return;
    }
    const char *address = rpc_arg_str(call, 0, ""), *wanted = rpc_arg_str(call, 1, "");
    size_t i = 0;
    while (i < ARRAY_LEN(types) && strcmp(conn_type_name(types[i]), wanted) != 0) i++;
    if (!rpc_failed(call) && i == ARRAY_LEN(types)) rpc_fail_help(call, RPC_INVALID_PARAMETER);
    struct p2p *peers = rpc_failed(call) ? NULL : rpc_peers(call);
    if (!peers) return;
    bool v2 = wants_v2(call, peers, "Error: Adding v2transport connections requires -v2transport init flag to be set.");
    if (rpc_failed(call)) return;
    if (!p2p_add_connection(peers, address, types[i], v2)) {
        rpc_fail(call, RPC_CLIENT_NODE_CAPACITY_REACHED, "Error: Already at capacity for specified connection type.");
        return;
    }
    rpc_defer(call, &(struct rpc_deferral){.wake = addconnection_wake});
}

static void disconnectnode(struct rpc_call *call)
{
    struct p2p *peers = rpc_peers(call);
    if (!peers) return;
    const char *address = rpc_arg_str(call, 0, "");
    int64_t id = rpc_arg_i64(call, 1, 0);
    if (rpc_failed(call)) return;
    bool by_id = rpc_arg_given(call, 1), by_address = rpc_arg_given(call, 0), found;
    if (by_address && !by_id) {
        found = p2p_disconnect_address(peers, address);
    } else if (by_id && !*address) {
        found = p2p_disconnect_id(peers, id);
    } else {
        rpc_fail(call, RPC_INVALID_PARAMS, "Only one of address and nodeid should be provided.");
        return;
    }
    if (!found)
        rpc_fail(call, RPC_CLIENT_NODE_NOT_CONNECTED, "Node not found in connected nodes");
    else
        jw_null(&call->out);
}

static void put_added_node(struct json_writer *w, const struct added_node *n)
{
    char text[ENDPOINT_TEXT];
    jw_object(w);
    jw_kv_str(w, "addednode", n->node);
    jw_kv_bool(w, "connected", n->connected);
    jw_kv_array(w, "addresses");
    if (n->connected) {
        jw_object(w);
        jw_kv_str(w, "address", endpoint_text(text, &n->at));
        jw_kv_str(w, "connected", n->inbound ? "inbound" : "outbound");
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
}

static void getaddednodeinfo(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    struct p2p *peers = rpc_peers(call);
    const char *only = rpc_arg_given(call, 0) ? rpc_arg_str(call, 0, "") : NULL;
    struct added_node node;
    bool found = false;
    if (rpc_failed(call)) return;
    for (size_t i = 0; only && !found && p2p_added_node(peers, i, &node); i++) found = strcmp(node.node, only) == 0;
    if (only && !found) {
        rpc_fail(call, RPC_CLIENT_NODE_NOT_ADDED, "Error: Node has not been added.");
        return;
    }
    jw_array(w);
    if (found) put_added_node(w, &node);
    for (size_t i = 0; !only && p2p_added_node(peers, i, &node); i++) put_added_node(w, &node);
    jw_array_end(w);
}

/* ---- asking one peer ---- */

static void sendmsgtopeer(struct rpc_call *call)
{
    struct buffer payload = {0};
    int64_t id = rpc_arg_i64(call, 0, 0);
    const char *name = rpc_arg_str(call, 1, ""), *hex = rpc_arg_str(call, 2, "");
    if (!rpc_failed(call) && strlen(name) > MESSAGE_NAME_BYTES)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Error: msg_type too long, max length is %d", MESSAGE_NAME_BYTES);
    if (!rpc_failed(call) && !hex_decode_append(&payload, hex, strlen(hex)))
        rpc_fail(call, RPC_INVALID_PARAMETER, "Error parsing input for msg");
    struct p2p *peers = rpc_failed(call) ? NULL : rpc_peers(call);
    if (peers && !p2p_send_raw(peers, id, name, buffer_span(&payload)))
        rpc_fail(call, RPC_MISC_ERROR, "Error: Could not send message to peer");
    buffer_clear(&payload);
    if (rpc_failed(call)) return;
    jw_object(&call->out);
    jw_object_end(&call->out);
}

static void getblockfrompeer(struct rpc_call *call)
{
    struct p2p *peers = rpc_peers(call);
    struct block_hash hash;
    if (!peers) return;
    rpc_arg_hash(call, 0, "blockhash", hash.bytes);
    int64_t id = rpc_arg_i64(call, 1, 0);
    if (rpc_failed(call)) return;
    const struct chain *chain = call->node->chain;
    struct block_node *block = chain_find(chain, &hash);
    const char *why_not = NULL;
    if (!block)
        why_not = "Block header missing";
    else if (chain->options.prune_target && block->header.height > chain_height(chain))
        why_not = "In prune mode, only blocks that the node has already synced previously can be fetched from a peer";
    else if (block->status & BLOCK_HAVE_DATA)
        why_not = "Block already downloaded";
    else
        why_not = p2p_fetch_block(peers, id, block);
    if (why_not) {
        rpc_fail(call, RPC_MISC_ERROR, "%s", why_not);
        return;
    }
    jw_object(&call->out);
    jw_object_end(&call->out);
}

#define V2_ARG(FALLBACK) RPC_ARG("v2transport", RPC_BOOL, FALLBACK, "Use version 2 of the transport (BIP324).")

const struct rpc_method rpc_peer_methods[] = {
    {
        .name = "getpeerinfo",
        .category = "network",
        .summary = "The peers that are connected.",
        .result =
            "[ {...}, ... ] (json array) Of each peer:\n"
            "id (numeric), addr, addrbind, addrlocal (string) Theirs, ours, and ours as they see it.\n"
            "network (string) One of (ipv4, ipv6, onion, i2p, cjdns, not_publicly_routable)\n"
            "services (string), servicesnames (json array), relaytxes (boolean)\n"
            "last_inv_sequence, inv_to_send (numeric)\n"
            "lastsend, lastrecv, last_transaction, last_block, conntime (numeric) Seconds since 1970.\n"
            "bytessent, bytesrecv, timeoffset (numeric), pingtime, minping, pingwait (numeric) Seconds.\n"
            "version (numeric), subver (string), inbound, bip152_hb_to, bip152_hb_from (boolean)\n"
            "presynced_headers, synced_headers, synced_blocks (numeric), inflight (json array) Heights.\n"
            "addr_relay_enabled (boolean), addr_processed, addr_rate_limited (numeric)\n"
            "permissions (json array), minfeefilter (numeric)\n"
            "bytessent_per_msg, bytesrecv_per_msg (json object) By message; all unknown ones as *other*.\n"
            "connection_type (string) inbound, outbound-full-relay, block-relay-only, manual, addr-fetch or feeler\n"
            "transport_protocol_type (string) detecting, v1 or v2, session_id (string)",
        .examples = "",
        .handler = getpeerinfo,
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
        .name = "ping",
        .category = "network",
        .summary =
            "Sends every peer a ping; getpeerinfo then tells how long the answers took. They wait in line behind "
            "everything else that the peers handle.",
        .result = "",
        .examples = "",
        .handler = ping,
        .needs_node = true,
    },
    {
        .name = "addnode",
        .category = "network",
        .summary =
            "Adds a node to the list of those to stay connected to, takes it off the list, or tries a connection "
            "once. There may be 8 such connections, which do not count for -maxconnections.",
        .args = RPC_ARGS(RPC_ARG("node", RPC_STR, NULL, "Address or name of the node, with or without a port."),
                         RPC_ARG("command", RPC_STR, NULL, "\"add\", \"remove\" or \"onetry\"."),
                         V2_ARG("as -v2transport says")),
        .result = "",
        .examples = "192.168.0.6:8333 onetry\n192.168.0.6:8333 add",
        .handler = addnode,
        .needs_node = true,
    },
    {
        .name = "addconnection",
        .category = "hidden",
        .summary = "Opens an outbound connection of a given sort, on regtest.",
        .args = RPC_ARGS(
            RPC_ARG("address", RPC_STR, NULL, "Address and port."),
            RPC_ARG("connection_type", RPC_STR, NULL, "outbound-full-relay, block-relay-only, addr-fetch or feeler."),
            V2_ARG(NULL)),
        .result = "address (string)\nconnection_type (string)",
        .examples = "192.168.0.6:8333 outbound-full-relay false",
        .handler = addconnection,
        .needs_node = true,
    },
    {
        .name = "disconnectnode",
        .category = "network",
        .summary = "Ends the connection to a peer, named by either its address or its number.",
        .args = RPC_ARGS(RPC_ARG("address", RPC_STR, "", "As getpeerinfo shows it; empty where nodeid is given."),
                         RPC_ARG("nodeid", RPC_NUM, "", "The peer's number.")),
        .result = "",
        .examples = "192.168.0.6:8333\n\"\" 1",
        .handler = disconnectnode,
        .needs_node = true,
    },
    {
        .name = "getaddednodeinfo",
        .category = "network",
        .summary = "The nodes that were added with addnode or -addnode. Those of onetry are not among them.",
        .args = RPC_ARGS(RPC_ARG("node", RPC_STR, "", "Only this one, as it was added.")),
        .result = "[ {...}, ... ] (json array) Of each: addednode (string), connected (boolean),\n"
                  "addresses (json array) Where connected: address (string), connected (string) inbound or outbound",
        .examples = "\n192.168.0.6:8333",
        .handler = getaddednodeinfo,
        .needs_node = true,
    },
    {
        .name = "sendmsgtopeer",
        .category = "hidden",
        .summary = "Sends a peer any message; for tests.",
        .args = RPC_ARGS(RPC_ARG("peer_id", RPC_NUM, NULL, "The peer's number."),
                         RPC_ARG("msg_type", RPC_STR, NULL, "Name of the message, at most 12 characters."),
                         RPC_ARG("msg", RPC_HEX, NULL, "The payload.")),
        .result = "{} (json object)",
        .examples = "0 addr ffffff",
        .handler = sendmsgtopeer,
        .needs_node = true,
    },
    {
        .name = "getblockfrompeer",
        .category = "blockchain",
        .summary =
            "Asks a peer for a block whose header is known. The call returns at once; the block is stored when it "
            "comes, without the data that undoing it would need. A peer that does not send it is disconnected.",
        .args = RPC_ARGS(RPC_ARG("blockhash", RPC_HEX, NULL, "The block's hash."),
                         RPC_ARG("peer_id", RPC_NUM, NULL, "The peer's number.")),
        .result = "{} (json object)",
        .examples = "00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09 0",
        .handler = getblockfrompeer,
        .needs_node = true,
    },
    {.name = NULL},
};
