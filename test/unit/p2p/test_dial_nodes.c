/* Connections that users ask for: added nodes, single attempts, -connect, and those of tests. */
#include "harness.h"
#include "p2p/dial_plan.h"

static bool dialled(struct harness *h, const char *host, struct p2p_action *out)
{
    struct p2p_action a;
    if (!harness_asked(h, P2P_DIAL, &a)) return false;
    cr_assert_str_eq(a.host, host);
    if (out) *out = a;
    return true;
}

static void fail(struct harness *h, const struct p2p_action *a)
{
    p2p_dial_failed(h->p, a->dial, NULL, false);
    harness_pump(h);
}

Test(added_nodes, dialled_again_after_a_minute_while_not_connected)
{
    struct harness h;
    harness_new(&h);
    struct p2p_action a;
    harness_ticks(&h, 1);
    cr_assert(p2p_add_node(h.p, "1.2.3.4", false));
    harness_ticks(&h, 25);
    cr_assert(dialled(&h, "1.2.3.4", &a));
    cr_assert_eq(a.type, CONN_MANUAL);
    fail(&h, &a);
    harness_ticks(&h, 590);
    cr_assert_not(dialled(&h, "", NULL));
    harness_ticks(&h, 20);
    cr_assert(harness_answer_dial(&h, "1.2.3.4:18444") != P2P_NO_PEER);
    struct added_node n;
    cr_assert(p2p_added_node(h.p, 0, &n));
    cr_assert(n.connected && !n.inbound);
    cr_assert_str_eq(n.node, "1.2.3.4");
    cr_assert_eq(n.at.port, 18444);
    peer_id id = h.p->peers[0]->id;
    harness_handshake(&h, id);
    harness_ticks(&h, 700);
    cr_assert_not(dialled(&h, "", NULL), "it is connected");
    harness_hang_up(&h, id);
    cr_assert(p2p_added_node(h.p, 0, &n));
    cr_assert_not(n.connected);
    harness_ticks(&h, 30);
    cr_assert(dialled(&h, "1.2.3.4", NULL));
    harness_free(&h);
}

Test(added_nodes, the_list)
{
    struct harness h;
    harness_new(&h);
    struct added_node n;
    cr_assert_not(p2p_added_node(h.p, 0, &n));
    cr_assert(p2p_add_node(h.p, "1.2.3.4:18444", false));
    cr_assert_not(p2p_add_node(h.p, "1.2.3.4:18444", false));
    cr_assert_not(p2p_add_node(h.p, "1.2.3.4", false), "the same with the usual port");
    cr_assert(p2p_add_node(h.p, "1.2.3.4:18445", false));
    cr_assert(p2p_add_node(h.p, "node.example", false));
    cr_assert(p2p_added_node(h.p, 2, &n));
    cr_assert_str_eq(n.node, "node.example");
    cr_assert_not(p2p_remove_node(h.p, "1.2.3.4"));
    cr_assert(p2p_remove_node(h.p, "1.2.3.4:18444"));
    cr_assert(p2p_added_node(h.p, 0, &n));
    cr_assert_str_eq(n.node, "1.2.3.4:18445");
    cr_assert_not(p2p_added_node(h.p, 2, &n));
    struct endpoint e = harness_endpoint("1.2.3.4:18445");
    cr_assert(dial_added_has(h.p, &e));
    e.port = 1;
    cr_assert_not(dial_added_has(h.p, &e));
    harness_free(&h);
}

Test(added_nodes, inbound_ones_count_as_connected)
{
    struct harness h;
    harness_new(&h);
    harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    cr_assert(p2p_add_node(h.p, "1.2.3.4:5000", false));
    struct added_node n;
    cr_assert(p2p_added_node(h.p, 0, &n));
    cr_assert(n.connected && n.inbound);
    harness_ticks(&h, 50);
    cr_assert_not(dialled(&h, "", NULL));
    harness_free(&h);
}

Test(added_nodes, not_more_than_eight_at_a_time)
{
    struct harness h;
    harness_new(&h);
    for (int i = 0; i < 12; i++) {
        char text[32];
        snprintf(text, sizeof(text), "50.%d.1.1:18444", i);
        cr_assert(p2p_add_node(h.p, text, false));
    }
    unsigned connected = 0;
    for (int i = 0; i < 3000; i++) {
        harness_ticks(&h, 1);
        struct p2p_action a;
        if (!harness_asked(&h, P2P_DIAL, &a)) continue;
        struct p2p_connection c = {
            .dial = a.dial, .remote = harness_endpoint(a.host), .local = harness_endpoint("10.0.0.1:40000")};
        peer_id id = harness_inbound_with(&h, &c);
        harness_handshake(&h, id);
        connected++;
    }
    cr_assert_eq(connected, 8);
    peer_id other = harness_outbound(&h, "60.1.1.1:18444", CONN_MANUAL);
    cr_assert_neq(other, P2P_NO_PEER, "a single attempt needs no slot");
    harness_hang_up(&h, h.p->peers[0]->id);
    harness_ticks(&h, 700);
    struct p2p_action a;
    cr_assert(harness_asked(&h, P2P_DIAL, &a));
    harness_free(&h);
}

Test(connect, round_and_round_with_growing_pauses)
{
    static const char *const connect[] = {"node.example", "1.2.3.4:18444"};
    struct harness h;
    harness_prepare(&h);
    h.options.connect = connect;
    h.options.connect_count = 2;
    harness_open(&h);
    struct p2p_action a;
    unsigned dials = 0;
    for (int i = 0; i < 600; i++) {
        harness_ticks(&h, 1);
        if (!harness_asked(&h, P2P_DIAL, &a)) continue;
        cr_assert_str_eq(a.host, connect[dials++ % 2]);
        cr_assert_eq(a.type, CONN_MANUAL);
        fail(&h, &a);
    }
    cr_assert_geq(dials, 16);
    cr_assert_leq(dials, 28, "half a second, then up to five");
    harness_ticks(&h, 60);
    harness_answer_dial(&h, "1.2.3.4:18444");
    harness_free(&h);
}

Test(try_node, not_twice)
{
    struct harness h;
    harness_new(&h);
    harness_peer(&h, "1.2.3.4:18444", CONN_MANUAL);
    p2p_try_node(h.p, "1.2.3.4:18444", false);
    harness_pump(&h);
    cr_assert_not(dialled(&h, "", NULL));
    p2p_try_node(h.p, "1.2.3.4", false);
    harness_pump(&h);
    cr_assert_not(dialled(&h, "", NULL));
    cr_assert(harness_logged(&h, "Not opening a connection to 1.2.3.4, already connected to 1.2.3.4:18444"));
    p2p_try_node(h.p, "node.example", false);
    harness_pump(&h);
    cr_assert(dialled(&h, "node.example", NULL));
    harness_free(&h);
}

Test(add_connection, as_many_as_there_are_slots)
{
    struct harness h;
    harness_new(&h);
    char text[32];
    for (int i = 0; i < 8; i++) {
        snprintf(text, sizeof(text), "50.%d.1.1:18444", i);
        harness_peer(&h, text, CONN_OUTBOUND_FULL);
    }
    cr_assert_not(p2p_add_connection(h.p, "51.1.1.1:18444", CONN_OUTBOUND_FULL, false));
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof(text), "52.%d.1.1:18444", i);
        harness_peer(&h, text, CONN_BLOCK_RELAY);
    }
    cr_assert_not(p2p_add_connection(h.p, "53.1.1.1:18444", CONN_BLOCK_RELAY, false));
    cr_assert_not(p2p_add_connection(h.p, "53.1.1.1:18444", CONN_MANUAL, false));
    cr_assert_not(p2p_add_connection(h.p, "53.1.1.1:18444", CONN_INBOUND, false));
    cr_assert(p2p_add_connection(h.p, "53.1.1.1:18444", CONN_FEELER, false));
    cr_assert_not(p2p_add_connection(h.p, "54.1.1.1:18444", CONN_ADDR_FETCH, false), "eleven altogether");
    harness_free(&h);
}
