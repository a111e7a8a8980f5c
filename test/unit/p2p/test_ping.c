/* Pings, and connections that went silent. */
#include "harness.h"

static uint64_t ping_nonce(struct harness *h, peer_id id)
{
    struct message m;
    cr_assert(harness_answer(h, id, MESSAGE_PING, &m));
    cr_assert(m.as.ping.has_nonce);
    return m.as.ping.nonce;
}

static void pong(struct harness *h, peer_id id, uint64_t nonce)
{
    harness_say(h, id, &(struct message){.type = MESSAGE_PONG, .as.ping = {true, nonce}});
}

static struct peer_info info_of(struct harness *h, peer_id id)
{
    struct peer_info info;
    cr_assert(p2p_info(h->p, id, &info));
    return info;
}

static peer_id fresh(struct harness *h)
{
    peer_id id = harness_inbound(h, "1.2.3.4:5000");
    harness_handshake(h, id);
    return id;
}

Test(ping, round_trips_are_measured)
{
    struct harness h;
    harness_new(&h);
    peer_id id = fresh(&h);
    cr_assert_eq(info_of(&h, id).ping_us, -1);
    uint64_t nonce = ping_nonce(&h, id);
    cr_assert_neq(nonce, 0);
    harness_wait_us(&h, 300000);
    cr_assert_eq(info_of(&h, id).ping_wait_us, 300000);
    pong(&h, id, nonce);
    cr_assert_eq(info_of(&h, id).ping_us, 300000);
    cr_assert_eq(info_of(&h, id).min_ping_us, 300000);
    cr_assert_eq(info_of(&h, id).ping_wait_us, -1);
    harness_wait_s(&h, 119);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_PING), 0);
    harness_wait_s(&h, 1);
    nonce = ping_nonce(&h, id);
    harness_wait_s(&h, 2);
    pong(&h, id, nonce);
    cr_assert_eq(info_of(&h, id).ping_us, 2000000);
    cr_assert_eq(info_of(&h, id).min_ping_us, 300000);
    harness_free(&h);
}

Test(ping, strange_pongs_say_what_is_wrong)
{
    struct harness h;
    char text[160];
    harness_new(&h);
    peer_id id = fresh(&h);
    uint64_t nonce = ping_nonce(&h, id);
    pong(&h, id, nonce - 1);
    snprintf(text, sizeof(text), "pong peer=0: Nonce mismatch, %llx expected, %llx received, 8 bytes",
             (unsigned long long)nonce, (unsigned long long)(nonce - 1));
    cr_assert(harness_logged(&h, text));
    cr_assert_geq(info_of(&h, id).ping_wait_us, 0, "still waiting");
    pong(&h, id, 0);
    cr_assert(harness_logged(&h, "Nonce zero"));
    cr_assert_eq(info_of(&h, id).ping_wait_us, -1);
    pong(&h, id, 5);
    cr_assert(harness_logged(&h, "pong peer=0: Unsolicited pong without ping, 0 expected, 5 received, 8 bytes"));
    p2p_ping_all(h.p);
    harness_ticks(&h, 1);
    ping_nonce(&h, id);
    harness_say_bytes(&h, id, "pong", span_of("\1\2", 2));
    cr_assert(harness_logged(&h, "Short payload"));
    cr_assert(harness_logged(&h, "0 received, 2 bytes"));
    cr_assert_eq(info_of(&h, id).ping_us, -1);
    cr_assert_eq(info_of(&h, id).ping_wait_us, -1);
    harness_free(&h);
}

Test(ping, pings_are_answered)
{
    struct harness h;
    struct message m;
    harness_new(&h);
    peer_id id = fresh(&h);
    harness_say(&h, id, &(struct message){.type = MESSAGE_PING, .as.ping = {true, 0}});
    cr_assert(harness_answer(&h, id, MESSAGE_PONG, &m));
    cr_assert_eq(m.as.ping.nonce, 0);
    harness_say_empty(&h, id, MESSAGE_PING);
    cr_assert(harness_logged(&h, "ProcessMessages(ping, 0 bytes): Exception"));
    cr_assert_eq(harness_answers(&h, id, MESSAGE_PONG), 0);
    peer_id old = harness_inbound(&h, "1.2.3.5:5000");
    struct message version = harness_version(&h);
    version.as.version.version = PROTOCOL_BIP31;
    harness_say(&h, old, &version);
    harness_say_empty(&h, old, MESSAGE_VERACK);
    cr_assert(harness_answer(&h, old, MESSAGE_PING, &m));
    cr_assert_not(m.as.ping.has_nonce);
    harness_say_empty(&h, old, MESSAGE_PING);
    cr_assert_eq(harness_answers(&h, old, MESSAGE_PONG), 0);
    harness_free(&h);
}

Test(ping, no_answer_for_twenty_minutes_ends_it)
{
    struct harness h;
    harness_new(&h);
    peer_id id = fresh(&h);
    ping_nonce(&h, id);
    struct message getaddr = {.type = MESSAGE_GETADDR};
    for (int i = 0; i < 20; i++) {
        harness_wait_s(&h, 60);
        harness_say(&h, id, &getaddr);
        p2p_sent(h.p, id, "ping", 1, 0);
    }
    cr_assert_not(h.closed[id]);
    harness_wait_s(&h, 1);
    cr_assert(harness_logged(&h, "ping timeout: 1201.000000s, disconnecting peer=0"));
    cr_assert(h.closed[id]);
    harness_free(&h);
}

Test(ping, who_never_says_anything_goes)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_inbound(&h, "1.2.3.4:5000");
    harness_wait_s(&h, 60);
    cr_assert_not(h.closed[id]);
    harness_wait_s(&h, 1);
    cr_assert(h.closed[id]);
    cr_assert(harness_logged(&h, "socket no message in first 60 seconds, never received from peer, never sent to peer, "
                                 "disconnecting peer=0"));
    id = harness_outbound(&h, "1.2.3.5:18444", CONN_MANUAL);
    harness_wait_s(&h, 61);
    cr_assert(
        harness_logged(&h, "socket no message in first 60 seconds, never received from peer, disconnecting peer=1"));
    harness_free(&h);
}

Test(ping, who_never_finishes_the_handshake_goes)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_inbound(&h, "1.2.3.4:5000");
    struct message version = harness_version(&h);
    harness_say(&h, id, &version);
    harness_wait_s(&h, 61);
    cr_assert(harness_logged(&h, "version handshake timeout, disconnecting peer=0"));
    cr_assert(h.closed[id]);
    harness_free(&h);
}

Test(ping, twenty_silent_minutes_end_it)
{
    struct harness h;
    harness_new(&h);
    peer_id a = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND), b = harness_peer(&h, "1.2.3.5:5000", CONN_INBOUND);
    struct peer *pa = harness_peer_of(&h, a), *pb = harness_peer_of(&h, b);
    pa->ping.nonce = pb->ping.nonce = 0;
    pa->ping.started_us = pb->ping.started_us = h.wall_us + 1300 * INT64_C(1000000);
    pa->last_send_us += 2000000;
    pb->last_recv_us += 2000000;
    harness_wait_us(&h, 1200 * INT64_C(1000000));
    cr_assert_not(h.closed[a] || h.closed[b]);
    pa->last_send_us = h.wall_us;
    pb->last_send_us = h.wall_us - 1201 * INT64_C(1000000);
    harness_wait_us(&h, 1000000);
    cr_assert(harness_logged(&h, "socket receive timeout: 1201s, disconnecting peer=0"));
    cr_assert(harness_logged(&h, "socket sending timeout: 1202s, disconnecting peer=1"));
    harness_free(&h);
}

Test(ping, a_long_peertimeout_spares_all)
{
    struct harness h;
    harness_prepare(&h);
    h.options.peer_timeout_s = INT64_MAX;
    harness_open(&h);
    peer_id silent = harness_inbound(&h, "1.2.3.4:5000"), id = harness_peer(&h, "1.2.3.5:5000", CONN_INBOUND);
    harness_wait_s(&h, 1000000);
    cr_assert_not(h.closed[silent] || h.closed[id]);
    harness_free(&h);
}
