/* Who is let in, who is thrown out, and what is counted. */
#include "harness.h"

static void ban(struct harness *h, const char *subnet)
{
    struct subnet s = subnet_parse(span_str(subnet), false);
    cr_assert(s.valid);
    cr_assert(bans_add(&h->bans, &s, 0, false, h->kit.now_s));
}

Test(connect, banned_addresses_are_refused)
{
    struct harness h;
    harness_new(&h);
    ban(&h, "1.2.0.0/16");
    cr_assert_eq(harness_inbound(&h, "1.2.3.4:5000"), P2P_NO_PEER);
    cr_assert(harness_logged(&h, "connection from 1.2.3.4:5000 dropped (banned)"));
    struct p2p_connection c = {.remote = harness_endpoint("1.2.3.4:5000"), .permissions = PERM_NO_BAN};
    cr_assert_eq(harness_inbound_with(&h, &c), 0);
    cr_assert_eq(harness_inbound(&h, "1.3.3.4:5000"), 1, "who was refused has no number");
    cr_assert(harness_logged(&h, "Added connection peer=1\nconnection from 1.3.3.4:5000 accepted"));
    harness_free(&h);
}

Test(connect, discouraged_addresses_come_in_while_there_is_room)
{
    struct harness h;
    harness_prepare(&h);
    h.options.max_connections = 11 + 3;
    harness_open(&h);
    struct endpoint bad = harness_endpoint("1.2.3.4:5000");
    bans_discourage(&h.bans, &bad.addr);
    peer_id id = harness_inbound(&h, "1.2.3.4:5000");
    cr_assert(harness_peer_of(&h, id)->prefer_evict);
    id = harness_inbound(&h, "1.2.3.5:5000");
    cr_assert_not(harness_peer_of(&h, id)->prefer_evict);
    cr_assert_eq(harness_inbound(&h, "1.2.3.4:5001"), P2P_NO_PEER);
    cr_assert(harness_logged(&h, "connection from 1.2.3.4:5001 dropped (discouraged)"));
    harness_free(&h);
}

Test(connect, slots_follow_maxconnections)
{
    static const unsigned rows[][4] = {{125, 8, 2, 114}, {12, 8, 2, 1}, {11, 8, 2, 0}, {9, 8, 1, 0}, {3, 3, 0, 0}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct harness h;
        harness_prepare(&h);
        h.options.max_connections = rows[i][0];
        harness_open(&h);
        cr_assert_eq(p2p_max_outbound_full(h.p), rows[i][1]);
        cr_assert_eq(p2p_max_block_relay(h.p), rows[i][2]);
        cr_assert_eq(p2p_max_inbound(h.p), rows[i][3]);
        harness_free(&h);
    }
}

Test(connect, one_connection_an_address_that_we_dial)
{
    struct harness h;
    harness_new(&h);
    harness_outbound(&h, "1.2.3.4:18444", CONN_MANUAL);
    p2p_try_node(h.p, "some.host", false);
    harness_pump(&h);
    cr_assert_eq(harness_answer_dial(&h, "1.2.3.4:18444"), P2P_NO_PEER);
    cr_assert(harness_logged(&h, "Not opening a connection to some.host, already connected to 1.2.3.4:18444"));
    p2p_try_node(h.p, "some.host", false);
    harness_pump(&h);
    peer_id id = harness_answer_dial(&h, "1.2.3.4:18445");
    struct peer_info info;
    cr_assert(p2p_info(h.p, id, &info));
    cr_assert_str_eq(info.addr_name, "some.host");
    cr_assert_eq(info.remote.port, 18445);
    harness_free(&h);
}

Test(connect, an_inactive_network_has_no_peers)
{
    struct harness h;
    struct p2p_action a;
    harness_new(&h);
    cr_assert(harness_logged(&h, "SetNetworkActive: true"));
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    p2p_set_active(h.p, false);
    harness_pump(&h);
    cr_assert_not(p2p_is_active(h.p));
    cr_assert(h.closed[id]);
    cr_assert(harness_logged(&h, "SetNetworkActive: false\nNetwork not active, disconnecting peer=0"));
    cr_assert(harness_asked(&h, P2P_PAUSE, &a));
    cr_assert_not(a.active);
    cr_assert_eq(harness_inbound(&h, "1.2.3.4:5000"), P2P_NO_PEER);
    cr_assert(harness_logged(&h, "connection from 1.2.3.4:5000 dropped: not accepting new connections"));
    p2p_set_active(h.p, true);
    p2p_set_active(h.p, true);
    harness_pump(&h);
    cr_assert(harness_asked(&h, P2P_PAUSE, &a));
    cr_assert(a.active);
    cr_assert_not(harness_asked(&h, P2P_PAUSE, &a));
    cr_assert_eq(harness_inbound(&h, "1.2.3.4:5000"), 1);
    harness_free(&h);
}

Test(connect, users_end_connections)
{
    struct harness h;
    harness_new(&h);
    peer_id a = harness_inbound(&h, "1.2.3.4:5000"), b = harness_inbound(&h, "1.2.3.4:5001");
    peer_id c = harness_inbound(&h, "1.2.4.4:5000"), d = harness_inbound(&h, "9.2.4.4:5000");
    cr_assert_not(p2p_disconnect_id(h.p, 77));
    cr_assert(p2p_disconnect_id(h.p, d));
    cr_assert(harness_logged(&h, "disconnect by id, disconnecting peer=3"));
    cr_assert_not(p2p_disconnect_address(h.p, "1.2.3.4:5002"));
    cr_assert(p2p_disconnect_address(h.p, "1.2.3.4:5001"));
    cr_assert(harness_logged(&h, "disconnect by address match, disconnecting peer=1"));
    struct subnet s = subnet_parse(span_str("1.2.0.0/16"), false);
    cr_assert_eq(p2p_disconnect_subnet(h.p, &s), 2);
    cr_assert(harness_logged(&h, "disconnect by subnet match, disconnecting peer=0"));
    harness_pump(&h);
    cr_assert(h.closed[a] && h.closed[b] && h.closed[c] && h.closed[d]);
    cr_assert_eq(p2p_peers(h.p, NULL, 0), 0);
    harness_free(&h);
}

Test(connect, logs_show_addresses_where_wanted)
{
    struct harness h;
    harness_prepare(&h);
    h.options.log_ips = true;
    harness_open(&h);
    harness_inbound(&h, "1.2.3.4:5000");
    cr_assert(harness_logged(&h, "Added connection to 1.2.3.4:5000 peer=0\n"));
    p2p_disconnect_address(h.p, "1.2.3.4:5000");
    cr_assert(harness_logged(&h, "disconnect by address=1.2.3.4:5000 match, disconnecting peer=0, "
                                 "peeraddr=1.2.3.4:5000\n"));
    harness_pump(&h);
    cr_assert(harness_logged(&h, "Cleared nodestate for peer=0"));
    harness_free(&h);
}

/* ---- blame ---- */

Test(blame, who_misbehaves_is_discouraged_with_all_of_the_address)
{
    struct harness h;
    harness_new(&h);
    peer_id a = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND), b = harness_inbound(&h, "1.2.3.4:5001");
    peer_id c = harness_inbound(&h, "1.2.3.5:5001");
    peer_misbehaves(h.p, harness_peer_of(&h, a), "%s %d", "counts to", 13);
    cr_assert(harness_logged(&h, "Misbehaving: peer=0: counts to 13\n"));
    cr_assert_not(h.closed[a], "not at once");
    harness_ticks(&h, 1);
    cr_assert(harness_logged(&h, "Disconnecting and discouraging peer 0!"));
    cr_assert(h.closed[a] && h.closed[b] && !h.closed[c]);
    struct endpoint at = harness_endpoint("1.2.3.4:1");
    cr_assert(bans_is_discouraged(&h.bans, &at.addr));
    harness_free(&h);
}

Test(blame, even_before_the_handshake)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_inbound(&h, "1.2.3.4:5000");
    peer_misbehaves(h.p, harness_peer_of(&h, id), "%s", "");
    cr_assert(harness_logged(&h, "Misbehaving: peer=0\n"));
    harness_ticks(&h, 1);
    cr_assert(h.closed[id]);
    harness_free(&h);
}

Test(blame, some_are_spared)
{
    struct harness h;
    harness_new(&h);
    struct p2p_connection c = {.remote = harness_endpoint("1.2.3.4:5000"), .permissions = PERM_NO_BAN};
    peer_id no_ban = harness_inbound_with(&h, &c), manual = harness_outbound(&h, "1.2.3.6:18444", CONN_MANUAL);
    peer_id local = harness_inbound(&h, "127.0.0.1:5000"), other = harness_inbound(&h, "127.0.0.1:5001");
    peer_misbehaves(h.p, harness_peer_of(&h, no_ban), "%s", "a");
    peer_misbehaves(h.p, harness_peer_of(&h, manual), "%s", "a");
    peer_misbehaves(h.p, harness_peer_of(&h, local), "%s", "a");
    harness_ticks(&h, 2);
    cr_assert_not(h.closed[no_ban] || h.closed[manual] || h.closed[other]);
    cr_assert(h.closed[local]);
    cr_assert(harness_logged(&h, "Not punishing noban peer 0!"));
    cr_assert(harness_logged(&h, "Not punishing manually connected peer 1!"));
    cr_assert(harness_logged(&h, "Warning: disconnecting but not discouraging local peer 2!"));
    struct endpoint at = harness_endpoint("127.0.0.1:1");
    cr_assert_not(bans_is_discouraged(&h.bans, &at.addr));
    c = (struct p2p_connection){.remote = harness_endpoint("127.0.0.1:5002"), .onion = true};
    peer_misbehaves(h.p, harness_peer_of(&h, harness_inbound_with(&h, &c)), "%s", "a");
    harness_ticks(&h, 1);
    cr_assert(harness_logged(&h, "not discouraging inbound onion peer 4!"));
    harness_free(&h);
}
