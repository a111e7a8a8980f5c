/* Methods about the network: on a node that runs without peers, and on one that has some to say nothing about yet. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "helper.h"
#include "node/peers.h"

Test(rpc_network, without_peers)
{
    static const char *const rows[][2] = {
        {"getpeerinfo", "[]"},
        {"getconnectioncount", "[]"},
        {"getnettotals", "[]"},
        {"ping", "[]"},
        {"addnode", "[\"1.2.3.4\",\"add\"]"},
        {"disconnectnode", "[\"1.2.3.4\"]"},
        {"getaddednodeinfo", "[]"},
        {"setnetworkactive", "[true]"},
        {"getnodeaddresses", "[]"},
        {"sendmsgtopeer", "[0,\"ping\",\"\"]"},
        {"addconnection", "[\"1.2.3.4\",\"feeler\",false]"},
    };
    struct rpc_fixture f;
    rpc_fixture_open_node(&f, CHAIN_REGTEST, false);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        cr_expect_str_eq(rpc_error(&f, rows[i][0], rows[i][1]),
                         "-31: Error: Peer-to-peer functionality missing or disabled", "%s", rows[i][0]);
    cr_expect_str_eq(rpc_error(&f, "listbanned", "[]"), "-20: Error: Ban database not loaded");
    cr_expect_str_eq(rpc_error(&f, "getaddrmaninfo", "[]"),
                     "-31: Error: Address manager functionality missing or disabled");
    json_t *info = rpc_result(&f, "getnetworkinfo", "[]");
    cr_expect(!json_object_get(info, "connections") && !json_object_get(info, "localservices"));
    cr_expect_eq(json_array_size(json_object_get(info, "networks")), 5);
    json_decref(info);
    rpc_fixture_close(&f);
}

static void open_with_peers(struct rpc_fixture *f)
{
    struct random random;
    struct bans bans = {0};
    static const struct p2p_options options = {
        .services = NODE_NETWORK | NODE_WITNESS, .subversion = "/x:1/", .max_connections = 8, .network_active = true};
    rpc_fixture_open_node(f, CHAIN_REGTEST, false);
    random_init_u64(&random, 1);
    bans_init(&bans, 100, &random);
    node_open_peers(f->node, &options, addrman_new(&(struct addrman_options){.key_is_one = true}), &bans);
    f->node->mock_time_s = 1600000000;
    node_set_clock(f->node, 1600000000000000, 1);
}

Test(rpc_network, bans)
{
    struct rpc_fixture f;
    open_with_peers(&f);
    json_decref(rpc_result(&f, "setban", "[\"1.2.3.4\",\"add\",7]"));
    json_decref(rpc_result(&f, "setban", "[\"fc00::/8\",\"add\",1600000050,true]"));
    cr_expect_str_eq(rpc_error(&f, "setban", "[\"1.2.3.4\",\"add\"]"), "-23: Error: IP/Subnet already banned");
    cr_expect(strncmp(rpc_error(&f, "setban", "[\"1.2.3.4\",\"lift\"]"), "-1: setban \"subnet\"", 19) == 0);
    cr_expect(strstr(rpc_ask2(&f, "listbanned", "[]"),
                     "\"result\":[{\"address\":\"1.2.3.4/32\",\"ban_created\":1600000000,\"banned_until\":1600000007,"
                     "\"ban_duration\":7,\"time_remaining\":7},{\"address\":\"fc00::/8\",\"ban_created\":1600000000,"
                     "\"banned_until\":1600000050,\"ban_duration\":50,\"time_remaining\":50}]"),
              "%s", buffer_text(&f.reply));
    f.node->mock_time_s += 8;
    cr_expect(!strstr(rpc_ask2(&f, "listbanned", "[]"), "1.2.3.4"), "over: no longer listed");
    json_decref(rpc_result(&f, "clearbanned", "[]"));
    cr_expect(strstr(rpc_ask2(&f, "listbanned", "[]"), "\"result\":[]"));
    rpc_fixture_close(&f);
}

Test(rpc_network, addresses)
{
    struct rpc_fixture f;
    open_with_peers(&f);
    cr_expect(strstr(rpc_ask2(&f, "addpeeraddress", "[\"1.2.3.4\",8333]"), "\"result\":{\"success\":true}"));
    cr_expect(strstr(rpc_ask2(&f, "getnodeaddresses", "[0]"),
                     "\"result\":[{\"time\":1600000000,\"services\":9,\"address\":\"1.2.3.4\",\"port\":8333,"
                     "\"network\":\"ipv4\"}]"),
              "%s", buffer_text(&f.reply));
    cr_expect(strstr(rpc_ask2(&f, "getrawaddrman", "[]"),
                     "\"address\":\"1.2.3.4\",\"port\":8333,\"services\":9,\"time\":1600000000,\"network\":\"ipv4\","
                     "\"source\":\"1.2.3.4\",\"source_network\":\"ipv4\"}},\"tried\":{}}"),
              "%s", buffer_text(&f.reply));
    cr_expect_str_eq(rpc_error(&f, "addpeeraddress", "[\"1.2.3.4\",-1]"), "-1: JSON integer out of range");
    cr_expect_str_eq(rpc_error(&f, "getnodeaddresses", "[2147483648]"), "-1: JSON integer out of range");
    rpc_fixture_close(&f);
}

Test(rpc_network, info)
{
    struct rpc_fixture f;
    open_with_peers(&f);
    cr_expect(strstr(rpc_ask2(&f, "getnetworkinfo", "[]"),
                     "\"localservices\":\"0000000000000009\",\"localservicesnames\":[\"NETWORK\",\"WITNESS\"],"));
    cr_expect(strstr(rpc_ask2(&f, "setnetworkactive", "[false]"), "\"result\":false"));
    cr_expect(strstr(rpc_ask2(&f, "getnetworkinfo", "[]"), "\"networkactive\":false,\"connections\":0,"));
    cr_expect(strstr(rpc_ask2(&f, "getpeerinfo", "[]"), "\"result\":[]"));
    cr_expect_str_eq(rpc_error(&f, "disconnectnode", "{\"address\":\"x\",\"nodeid\":1}"),
                     "-32602: Only one of address and nodeid should be provided.");
    cr_expect_str_eq(rpc_error(&f, "disconnectnode", "{\"nodeid\":1}"), "-29: Node not found in connected nodes");
    rpc_fixture_close(&f);
}
