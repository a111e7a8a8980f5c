/* Messages in: read, counted, and refused where they are wrong. */
#include "harness.h"

static struct peer_info info_of(struct harness *h, peer_id id)
{
    struct peer_info info;
    cr_assert(p2p_info(h->p, id, &info));
    return info;
}

Test(dispatch, unknown_messages_are_ignored)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    harness_say_bytes(&h, id, "bad'msg", span_of("abc", 3));
    cr_assert(harness_logged(&h, "received: badmsg (3 bytes) peer=0\nUnknown message type \"badmsg\" from peer=0\n"));
    harness_say_bytes(&h, id, "merkleblock", span_of("abc", 3));
    cr_assert(harness_logged(&h, "Unknown message type \"merkleblock\" from peer=0\n"));
    cr_assert_not(h.closed[id]);
    harness_free(&h);
}

Test(dispatch, every_message_survives_rubbish)
{
    struct harness h;
    struct random r;
    uint8_t bytes[300];
    harness_new(&h);
    harness_mine_many(&h, 2);
    random_init_u64(&r, 5);
    for (int round = 0; round < 3000; round++) {
        enum message_type type = (enum message_type)(1 + random_below(&r, MESSAGE_TYPE_COUNT - 1));
        if (h.p->next_id > 300) break;
        if (h.p->peer_count == 0) harness_peer(&h, "127.0.0.1:5000", round % 2 ? CONN_INBOUND : CONN_OUTBOUND_FULL);
        size_t len = (size_t)random_below(&r, sizeof(bytes));
        random_bytes(&r, bytes, len);
        if (len) bytes[0] = (uint8_t)random_below(&r, 4);
        harness_say_bytes(&h, h.p->peers[0]->id, message_row(type)->name, span_of(bytes, len));
        if (round % 50 == 0) p2p_check(h.p);
        harness_forget(&h, P2P_NO_PEER);
    }
    harness_free(&h);
}

Test(dispatch, what_does_not_parse_is_as_if_it_had_not_come)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    harness_say_bytes(&h, id, "inv", span_of("\5abc", 4));
    cr_assert(harness_logged(&h, "ProcessMessages(inv, 4 bytes): Exception 'DataStream::read(): end of data' caught"));
    uint8_t addr[525] = {1, 0x61, 0xbc, 0x66, 0x49, 0, 1, 0xfd, 1, 2};
    harness_say_bytes(&h, id, "addrv2", span_of(addr, sizeof(addr)));
    cr_assert(harness_logged(&h, "ProcessMessages(addrv2, 525 bytes): Exception 'Address too long: 513 > 512' caught"));
    cr_assert_not(h.closed[id]);
    harness_free(&h);
}

Test(dispatch, what_is_too_much_is_misbehaviour)
{
    static const struct {
        const char *name;
        uint32_t count;
        size_t element;
        const char *log;
    } rows[] = {
        {"inv", 50001, 36, "Misbehaving: peer=0: inv message size = 50001\n"},
        {"getdata", 50001, 36, "Misbehaving: peer=1: getdata message size = 50001\n"},
        {"headers", 2001, 81, "Misbehaving: peer=2: headers message size = 2001\n"},
        {"addr", 1001, 30, "Misbehaving: peer=3: addr message size = 1001\n"},
        {"getheaders", 102, 32, "getheaders locator size 102 > 101, disconnecting peer=4\n"},
        {"getblocks", 102, 32, "getblocks locator size 102 > 101, disconnecting peer=5\n"},
    };
    struct harness h;
    harness_new(&h);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buffer b = {0};
        peer_id id = harness_peer(&h, "127.0.0.1:5000", CONN_INBOUND);
        if (rows[i].element == 32) buffer_put_le32(&b, 70016);
        buffer_put_compact_size(&b, rows[i].count);
        size_t tail = rows[i].count * rows[i].element + (rows[i].element == 32 ? 32 : 0);
        memset(buffer_extend(&b, tail), 0, tail);
        harness_say_bytes(&h, id, rows[i].name, buffer_span(&b));
        cr_assert(harness_logged(&h, rows[i].log), "%s", rows[i].log);
        cr_assert(h.closed[id], "%s", rows[i].name);
        buffer_clear(&b);
    }
    harness_free(&h);
}

Test(dispatch, addresses_are_nothing_for_block_relay)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:18444", CONN_BLOCK_RELAY);
    struct buffer b = {0};
    buffer_put_compact_size(&b, 1001);
    memset(buffer_extend(&b, 30030), 0, 30030);
    harness_say_bytes(&h, id, "addr", buffer_span(&b));
    cr_assert(harness_logged(&h, "ignoring addr message from block-relay-only connection, peer=0"));
    cr_assert_not(h.closed[id]);
    buffer_clear(&b);
    harness_free(&h);
}

Test(dispatch, nothing_about_blocks_during_an_import)
{
    static const enum message_type types[] = {MESSAGE_HEADERS, MESSAGE_BLOCK, MESSAGE_CMPCTBLOCK, MESSAGE_BLOCKTXN};
    struct harness h;
    harness_new(&h);
    p2p_set_importing(h.p, true);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        char text[80];
        harness_say_empty(&h, id, types[i]);
        snprintf(text, sizeof(text), "Unexpected %s message received from peer 0\n", message_row(types[i])->name);
        cr_assert(harness_logged(&h, text), "%s", text);
    }
    cr_assert_not(harness_logged(&h, "Exception"));
    harness_free(&h);
}

Test(dispatch, block_filters_are_not_offered)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct message m = {.type = MESSAGE_GETCFCHECKPT};
    harness_say(&h, id, &m);
    cr_assert(harness_logged(&h, "peer requested unsupported block filter type: 0, disconnecting peer=0"));
    cr_assert(h.closed[id]);
    harness_free(&h);
}

Test(dispatch, bytes_are_counted_by_message)
{
    struct harness h;
    struct p2p_totals t;
    harness_new(&h);
    peer_id id = harness_inbound(&h, "1.2.3.4:5000");
    harness_handshake(&h, id);
    struct peer_info before = info_of(&h, id);
    harness_say(&h, id, &(struct message){.type = MESSAGE_PING, .as.ping = {true, 7}});
    harness_say_bytes(&h, id, "whatever", span_of("abc", 3));
    struct peer_info after = info_of(&h, id);
    cr_assert_eq(after.received_by_type[MESSAGE_PING], 32);
    cr_assert_eq(after.received_by_type[MESSAGE_UNKNOWN], 27);
    cr_assert_eq(after.bytes_received, before.bytes_received + 32 + 27);
    cr_assert_eq(after.sent_by_type[MESSAGE_PONG], 32);
    cr_assert_eq(after.bytes_sent, before.bytes_sent + 32);
    p2p_totals(h.p, &t);
    cr_assert_eq(t.received, after.bytes_received);
    cr_assert_eq(t.sent, after.bytes_sent);
    harness_free(&h);
}

Test(dispatch, bytes_count_before_the_message_is_whole)
{
    struct harness h;
    struct p2p_totals t;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    uint64_t before = info_of(&h, id).bytes_received;
    harness_wait_s(&h, 5);
    p2p_bytes_received(h.p, id, 12);
    cr_assert_eq(info_of(&h, id).bytes_received, before + 12);
    cr_assert_eq(info_of(&h, id).last_recv_s, h.wall_us / 1000000);
    p2p_bytes_received(h.p, id, 20);
    harness_say(&h, id, &(struct message){.type = MESSAGE_PING, .as.ping = {true, 7}});
    cr_assert_eq(info_of(&h, id).bytes_received, before + 32, "not twice");
    p2p_totals(h.p, &t);
    cr_assert_eq(t.received, before + 32);
    harness_free(&h);
}

Test(dispatch, rejected_messages_count_as_others)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct received r = {.name = "ping", .reject = MESSAGE_BAD_CHECKSUM, .wire_bytes = 32};
    snprintf(r.problem, sizeof(r.problem), "Header error: Wrong checksum (ping, 8 bytes), expected a was b");
    buffer_put_le64(&r.payload, 1);
    p2p_received(h.p, id, &r);
    harness_pump(&h);
    cr_assert(harness_logged(&h, "Header error: Wrong checksum (ping, 8 bytes), expected a was b, peer=0\n"));
    cr_assert_eq(info_of(&h, id).received_by_type[MESSAGE_UNKNOWN], 32);
    cr_assert_eq(info_of(&h, id).received_by_type[MESSAGE_PING], 0);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_PONG), 0);
    harness_free(&h);
}

Test(dispatch, full_queues_and_gone_peers_hear_nothing)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    cr_assert(p2p_ready(h.p, id, "ping"));
    p2p_send_full(h.p, id, true);
    cr_assert_not(p2p_ready(h.p, id, "ping"));
    p2p_send_full(h.p, id, false);
    cr_assert(p2p_ready(h.p, id, "ping"));
    cr_assert_not(p2p_ready(h.p, 55, "ping"));
    p2p_disconnect_id(h.p, id);
    cr_assert_not(p2p_ready(h.p, id, "ping"));
    cr_assert_not(p2p_send_raw(h.p, id, "any", span_of("x", 1)));
    size_t before = h.p->action_count;
    peer_send_empty(h.p, harness_peer_of(&h, id), MESSAGE_VERACK);
    cr_assert_eq(h.p->action_count, before);
    harness_free(&h);
}

Test(dispatch, users_may_send_anything)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    cr_assert(p2p_send_raw(h.p, id, "addr", span_of("\0", 1)));
    harness_pump(&h);
    cr_assert(harness_logged(&h, "sending addr (1 bytes) peer=0"));
    cr_assert(harness_answer(&h, id, MESSAGE_ADDR, NULL));
    cr_assert_not(p2p_send_raw(h.p, 9, "addr", span_of("\0", 1)));
    harness_free(&h);
}

Test(dispatch, memory_is_counted_and_given_back)
{
    struct harness h;
    harness_new(&h);
    size_t before = p2p_memory(h.p);
    for (int i = 0; i < 20; i++) {
        char at[32];
        snprintf(at, sizeof(at), "1.2.3.%d:5000", i + 1);
        harness_peer(&h, at, CONN_INBOUND);
    }
    size_t with = p2p_memory(h.p);
    cr_assert_gt(with, before + 20 * sizeof(struct peer));
    cr_assert_lt(with, before + 20 * 200000);
    while (h.p->peer_count) harness_hang_up(&h, h.p->peers[0]->id);
    cr_assert_lt(p2p_memory(h.p), before + 100000);
    harness_free(&h);
}

Test(dispatch, peers_are_looked_at_ten_times_a_second)
{
    struct harness h;
    harness_prepare(&h);
    harness_open(&h);
    harness_ticks(&h, 1);
    int64_t without = p2p_deadline(h.p);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    cr_assert_eq(p2p_deadline(h.p), h.steady_us + 100000 < without ? h.steady_us + 100000 : without);
    struct inv inv = {.type = INV_WITNESS_BLOCK};
    cr_assert_not(p2p_has_work(h.p));
    serve_request(harness_peer_of(&h, id), &inv);
    cr_assert(p2p_has_work(h.p));
    cr_assert_not(p2p_ready(h.p, id, "ping"), "in the order of asking");
    p2p_send_full(h.p, id, true);
    cr_assert_not(p2p_has_work(h.p));
    p2p_send_full(h.p, id, false);
    harness_ticks(&h, 1);
    cr_assert_not(p2p_has_work(h.p));
    harness_free(&h);
}
