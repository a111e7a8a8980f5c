/* The handshake: what is said in which order, who is refused, and what is remembered. */
#include "harness.h"

static char names[400];

static const char *said(struct harness *h, peer_id id)
{
    harness_names(h, id, names, sizeof(names));
    harness_forget(h, id);
    return names;
}

static void say_version(struct harness *h, peer_id id, int32_t version, uint64_t services)
{
    struct message m = harness_version(h);
    m.as.version.version = version;
    m.as.version.services = services;
    harness_say(h, id, &m);
}

Test(handshake, who_comes_in_speaks_first)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_inbound(&h, "1.2.3.4:5000");
    cr_assert_str_eq(said(&h, id), "");
    harness_ticks(&h, 3);
    cr_assert_str_eq(said(&h, id), "", "nothing leaks before their version");
    say_version(&h, id, PROTOCOL_VERSION, NODE_NETWORK | NODE_WITNESS);
    cr_assert_str_eq(said(&h, id), "version wtxidrelay sendaddrv2 verack");
    harness_ticks(&h, 3);
    cr_assert_str_eq(said(&h, id), "", "nothing leaks before their verack");
    harness_say_empty(&h, id, MESSAGE_VERACK);
    cr_assert_eq(strncmp(said(&h, id), "sendcmpct ping ", 15), 0, "%s", names);
    cr_assert(strstr(names, "feefilter"));
    cr_assert_null(strstr(names, "getaddr"));
    harness_free(&h);
}

Test(handshake, whom_we_dial_hears_our_version_at_once)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_outbound(&h, "1.2.3.4:18444", CONN_OUTBOUND_FULL);
    cr_assert_str_eq(said(&h, id), "version");
    say_version(&h, id, PROTOCOL_VERSION, NODE_NETWORK | NODE_WITNESS);
    cr_assert_str_eq(said(&h, id), "wtxidrelay sendaddrv2 verack getaddr");
    harness_say_empty(&h, id, MESSAGE_VERACK);
    cr_assert_eq(strncmp(said(&h, id), "sendcmpct ping ", 15), 0, "%s", names);
    cr_assert(harness_logged(&h, "New outbound-full-relay peer connected: transport: v1, version: 70017, peer=0"));
    harness_free(&h);
}

Test(handshake, older_versions_hear_less)
{
    static const struct {
        int32_t version;
        const char *said;
    } rows[] = {
        {70016, "version wtxidrelay sendaddrv2 verack"},
        {70015, "version verack"},
        {70012, "version verack alert"},
        {31800, "version verack alert"},
    };
    struct harness h;
    harness_new(&h);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        peer_id id = harness_inbound(&h, "1.2.3.4:5000");
        say_version(&h, id, rows[i].version, NODE_NETWORK | NODE_WITNESS);
        cr_assert_str_eq(said(&h, id), rows[i].said);
        harness_say_empty(&h, id, MESSAGE_VERACK);
        said(&h, id);
        cr_assert_eq(strstr(names, "sendcmpct") != NULL, rows[i].version >= PROTOCOL_SHORT_IDS, "%s", names);
        cr_assert_eq(strstr(names, "feefilter") != NULL, rows[i].version >= PROTOCOL_FEEFILTER, "%s", names);
        harness_hang_up(&h, id);
    }
    peer_id id = harness_inbound(&h, "1.2.3.4:5000");
    say_version(&h, id, 31799, NODE_NETWORK | NODE_WITNESS);
    cr_assert(harness_logged(&h, "peer using obsolete version 31799, disconnecting peer=4"));
    cr_assert(h.closed[id]);
    cr_assert_str_eq(said(&h, id), "");
    harness_free(&h);
}

Test(handshake, our_version_says_who_we_are)
{
    struct harness h;
    struct message m;
    harness_new(&h);
    harness_mine_many(&h, 3);
    peer_id id = harness_outbound(&h, "1.2.3.4:18444", CONN_OUTBOUND_FULL);
    cr_assert(harness_answer(&h, id, MESSAGE_VERSION, &m));
    const struct version_message *v = &m.as.version;
    cr_assert_eq(v->version, 70017);
    cr_assert_eq(v->services, h.options.services);
    cr_assert_eq(v->my_services, h.options.services);
    cr_assert_eq(v->your_services, 0);
    cr_assert_eq(v->time, h.wall_us / 1000000);
    cr_assert_eq(v->start_height, 3);
    cr_assert(v->relay);
    cr_assert(span_equal(v->user_agent, span_str("/harness:1.0/")));
    struct endpoint them = harness_endpoint("1.2.3.4:18444");
    cr_assert(endpoint_equal(&v->you, &them));
    cr_assert_eq(v->nonce, harness_peer_of(&h, id)->handshake.nonce);
    cr_assert(harness_logged(&h, "send version message: version=70017, blocks=3, txrelay=1, peer=0"));
    /* An address that means nothing to others is not told. */
    id = harness_outbound(&h, "10.9.8.7:18444", CONN_MANUAL);
    cr_assert(harness_answer(&h, id, MESSAGE_VERSION, &m));
    cr_assert_eq(m.as.version.you.port, 0);
    cr_assert_not(netaddr_is_valid(&m.as.version.you.addr));
    harness_free(&h);
}

Test(handshake, connections_without_transactions_say_so)
{
    struct harness h;
    struct message m;
    harness_new(&h);
    peer_id id = harness_outbound(&h, "1.2.3.4:18444", CONN_BLOCK_RELAY);
    cr_assert(harness_answer(&h, id, MESSAGE_VERSION, &m));
    cr_assert_not(m.as.version.relay);
    harness_handshake(&h, id);
    said(&h, id);
    cr_assert_null(strstr(names, "getaddr"), "%s", names);
    cr_assert_null(strstr(names, "feefilter"), "%s", names);
    harness_free(&h);
    harness_prepare(&h);
    h.options.blocks_only = true;
    harness_open(&h);
    id = harness_outbound(&h, "1.2.3.4:18444", CONN_OUTBOUND_FULL);
    cr_assert(harness_answer(&h, id, MESSAGE_VERSION, &m));
    cr_assert_not(m.as.version.relay);
    harness_free(&h);
}

Test(handshake, ourselves_are_no_peer)
{
    struct harness h;
    harness_new(&h);
    peer_id out = harness_outbound(&h, "1.2.3.4:18444", CONN_MANUAL);
    peer_id in = harness_inbound(&h, "5.6.7.8:5000");
    struct message m = harness_version(&h);
    m.as.version.nonce = harness_peer_of(&h, out)->handshake.nonce;
    harness_say(&h, in, &m);
    cr_assert(harness_logged(&h, "connected to self at 5.6.7.8:5000, disconnecting"));
    cr_assert(h.closed[in]);
    cr_assert_str_eq(said(&h, in), "");
    /* Once the other connection stands it is somebody else, who may have chosen the same number. */
    harness_handshake(&h, out);
    in = harness_inbound(&h, "5.6.7.8:5000");
    harness_say(&h, in, &m);
    cr_assert_not(h.closed[in]);
    harness_free(&h);
}

Test(handshake, automatic_peers_must_serve_blocks)
{
    static const struct {
        enum conn_type type;
        bool stays;
    } rows[] = {{CONN_OUTBOUND_FULL, false}, {CONN_BLOCK_RELAY, false}, {CONN_ADDR_FETCH, false}, {CONN_MANUAL, true}};
    struct harness h;
    harness_new(&h);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        peer_id id = harness_outbound(&h, "1.2.3.4:18444", rows[i].type);
        say_version(&h, id, PROTOCOL_VERSION, NODE_NETWORK);
        cr_assert_eq(h.closed[id], !rows[i].stays, "%s", conn_type_name(rows[i].type));
        if (rows[i].stays) harness_hang_up(&h, id);
    }
    cr_assert(harness_logged(&h, "peer does not offer the expected services (00000001 offered, 00000009 expected), "
                                 "disconnecting peer=0"));
    harness_free(&h);
}

Test(handshake, pruned_peers_are_good_near_the_tip_only)
{
    struct harness h;
    harness_new(&h);
    uint64_t limited = NODE_NETWORK_LIMITED | NODE_WITNESS;
    cr_assert_eq(handshake_desirable(h.p, limited), limited);
    cr_assert_eq(handshake_desirable(h.p, NODE_NETWORK), NODE_NETWORK | NODE_WITNESS);
    harness_wait_s(&h, 12 * 3600 - 1);
    cr_assert_eq(handshake_desirable(h.p, limited), limited);
    harness_wait_s(&h, 1);
    cr_assert_eq(handshake_desirable(h.p, limited), NODE_NETWORK | NODE_WITNESS);
    harness_free(&h);
}

Test(handshake, feelers_end_with_the_version)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_outbound(&h, "1.2.3.4:18444", CONN_FEELER);
    say_version(&h, id, PROTOCOL_VERSION, 0);
    cr_assert(harness_logged(&h, "feeler connection completed, disconnecting peer=0"));
    cr_assert(h.closed[id]);
    cr_assert_null(strstr(said(&h, id), "getaddr"));
    harness_free(&h);
}

Test(handshake, messages_out_of_turn_are_ignored)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_inbound(&h, "1.2.3.4:5000");
    struct message ping = {.type = MESSAGE_PING, .as.ping = {true, 7}};
    harness_say_empty(&h, id, MESSAGE_VERACK);
    cr_assert(harness_logged(&h, "non-version message before version handshake. Message \"verack\" from peer=0"));
    harness_say(&h, id, &ping);
    cr_assert(harness_logged(&h, "non-version message before version handshake. Message \"ping\" from peer=0"));
    say_version(&h, id, PROTOCOL_VERSION, 0);
    harness_say(&h, id, &ping);
    cr_assert(harness_logged(&h, "Unsupported message \"ping\" prior to verack from peer=0"));
    harness_say_bytes(&h, id, "nonsense", span_of(NULL, 0));
    cr_assert(harness_logged(&h, "Unsupported message \"nonsense\" prior to verack from peer=0"));
    cr_assert_eq(harness_answers(&h, id, MESSAGE_PONG), 0);
    say_version(&h, id, PROTOCOL_VERSION, 0);
    cr_assert(harness_logged(&h, "redundant version message from peer=0"));
    harness_say_empty(&h, id, MESSAGE_VERACK);
    harness_say_empty(&h, id, MESSAGE_VERACK);
    cr_assert(harness_logged(&h, "ignoring redundant verack message from peer=0"));
    cr_assert_not(h.closed[id]);
    harness_free(&h);
}

Test(handshake, negotiation_ends_with_verack)
{
    static const enum message_type types[] = {MESSAGE_WTXIDRELAY, MESSAGE_SENDADDRV2, MESSAGE_FEATURE};
    struct harness h;
    harness_new(&h);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        char text[80];
        peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
        harness_say_empty(&h, id, types[i]);
        cr_assert(h.closed[id]);
        snprintf(text, sizeof(text), "%s received after verack, disconnecting peer=%zu", message_row(types[i])->name,
                 i);
        cr_assert(harness_logged(&h, text), "%s", text);
    }
    harness_free(&h);
}

Test(handshake, what_was_negotiated_is_remembered)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_inbound(&h, "1.2.3.4:5000");
    say_version(&h, id, PROTOCOL_VERSION, 0);
    struct peer_handshake *s = &harness_peer_of(&h, id)->handshake;
    cr_assert(!s->wtxid_relay && !s->wants_addrv2 && !s->prefers_headers);
    harness_say_empty(&h, id, MESSAGE_WTXIDRELAY);
    harness_say_empty(&h, id, MESSAGE_SENDADDRV2);
    harness_say_empty(&h, id, MESSAGE_SENDHEADERS);
    cr_assert(s->wtxid_relay && s->wants_addrv2 && s->prefers_headers);
    harness_say_empty(&h, id, MESSAGE_WTXIDRELAY);
    cr_assert(harness_logged(&h, "ignoring duplicate wtxidrelay from peer=0"));
    harness_say_bytes(&h, id, "sendtxrcncl", span_of("\1\0\0\0\1\0\0\0\0\0\0\0", 12));
    cr_assert(
        harness_logged(&h, "sendtxrcncl from peer=0 ignored, as our node does not have txreconciliation enabled"));
    id = harness_inbound(&h, "1.2.3.5:5000");
    say_version(&h, id, 70015, 0);
    harness_say_empty(&h, id, MESSAGE_WTXIDRELAY);
    cr_assert(harness_logged(&h, "ignoring wtxidrelay due to old common version=70015 from peer=1"));
    cr_assert_not(harness_peer_of(&h, id)->handshake.wtxid_relay);
    harness_free(&h);
}

Test(handshake, features_are_read_strictly)
{
    struct harness h;
    harness_new(&h);
    struct message m = {.type = MESSAGE_FEATURE, .as.feature = {span_str("some thing!"), span_str("x")}};
    peer_id id = harness_inbound(&h, "1.2.3.4:5000");
    say_version(&h, id, 70017, 0);
    harness_say(&h, id, &m);
    cr_assert(harness_logged(&h, "unknown feature advertised: some thing\n"));
    harness_say_bytes(&h, id, "feature", span_of("\3abc\0", 5));
    cr_assert(harness_logged(&h, "invalid feature payload, disconnecting peer=0"));
    cr_assert(h.closed[id]);
    id = harness_inbound(&h, "1.2.3.4:5000");
    say_version(&h, id, 70016, 0);
    harness_say(&h, id, &m);
    cr_assert(harness_logged(&h, "feature received with incompatible version 70016, disconnecting peer=1"));
    cr_assert(h.closed[id]);
    harness_free(&h);
}

Test(handshake, those_who_come_in_vote_for_our_address)
{
    struct harness h;
    harness_new(&h);
    struct endpoint us = harness_endpoint("8.8.4.4:18444");
    cr_assert(local_addrs_add(p2p_local(h.p), &us, LOCAL_MANUAL, false));
    int32_t score = p2p_local(h.p)->items[0].score;
    harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    cr_assert_eq(p2p_local(h.p)->items[0].score, score + 1);
    harness_peer(&h, "1.2.3.5:18444", CONN_OUTBOUND_FULL);
    cr_assert_eq(p2p_local(h.p)->items[0].score, score + 1, "whom we dial does not count");
    struct peer_info info;
    cr_assert(p2p_info(h.p, 0, &info));
    cr_assert(endpoint_equal(&info.seen_us, &us));
    harness_free(&h);
}

Test(handshake, the_address_book_learns_of_it)
{
    struct harness h;
    struct addrman_info info;
    harness_new(&h);
    struct peer_addr a = {.at = harness_endpoint("1.2.3.4:18444"), .services = NODE_NETWORK, .time = 1296700000};
    addrman_add(h.addrman, &a, 1, &a.at.addr, 0, h.kit.now_s);
    peer_id id = harness_outbound(&h, "1.2.3.4:18444", CONN_OUTBOUND_FULL);
    say_version(&h, id, PROTOCOL_VERSION, NODE_NETWORK | NODE_WITNESS | NODE_BLOOM);
    struct addrman_position at;
    cr_assert(addrman_find(h.addrman, &a.at, &info, &at));
    cr_assert(at.tried);
    cr_assert_eq(info.addr.services, NODE_NETWORK | NODE_WITNESS | NODE_BLOOM);
    harness_free(&h);
}

Test(handshake, clocks_of_outbound_peers_are_compared)
{
    struct harness h;
    harness_new(&h);
    char at[32];
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(p2p_time_offset_s(h.p), 0, "too few to say");
        snprintf(at, sizeof(at), "1.2.3.%d:18444", i + 1);
        peer_id id = harness_outbound(&h, at, CONN_MANUAL);
        struct message m = harness_version(&h);
        m.as.version.time += 1000 * (i + 1);
        harness_say(&h, id, &m);
        cr_assert_eq(harness_peer_of(&h, id)->handshake.time_offset_s, 1000 * (i + 1));
    }
    cr_assert_eq(p2p_time_offset_s(h.p), 3000);
    cr_assert(p2p_clock_is_off(h.p));
    for (int i = 0; i < 60; i++) {
        snprintf(at, sizeof(at), "2.2.3.%d:18444", i + 1);
        peer_id id = harness_outbound(&h, at, CONN_MANUAL);
        struct message m = harness_version(&h);
        m.as.version.time -= 600;
        harness_say(&h, id, &m);
        harness_hang_up(&h, id);
    }
    cr_assert_eq(p2p_time_offset_s(h.p), -600);
    cr_assert_not(p2p_clock_is_off(h.p), "ten minutes are still fine");
    peer_id id = harness_inbound(&h, "3.2.3.4:5000");
    struct message m = harness_version(&h);
    m.as.version.time = INT64_MAX;
    harness_say(&h, id, &m);
    cr_assert_eq(p2p_time_offset_s(h.p), -600, "who comes in has no say");
    harness_free(&h);
}

Test(handshake, headers_are_preferred_once_their_chain_is_known)
{
    struct harness h;
    harness_new(&h);
    harness_mine_many(&h, 2);
    peer_id id = harness_inbound(&h, "1.2.3.4:5000");
    harness_handshake(&h, id);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_SENDHEADERS), 0);
    headers_note_available(h.p, harness_peer_of(&h, id), &chain_tip(h.kit.chain)->header.hash);
    harness_ticks(&h, 2);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_SENDHEADERS), 1);
    harness_free(&h);
}
