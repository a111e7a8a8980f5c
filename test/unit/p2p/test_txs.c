/* Transactions between peers: what may be said, and what is refused. */
#include "mempool/mempool_internal.h"
#include "pool_kit.h"

static void announce(struct harness *h, peer_id id, uint32_t type)
{
    struct inv inv = {.type = type, .hash = {1, 2, 3}};
    harness_say(h, id, &(struct message){.type = MESSAGE_INV, .as.inv = {&inv, 1}});
}

Test(txs, no_transactions_where_we_said_so)
{
    struct harness h;
    for (int blocks_only = 0; blocks_only < 2; blocks_only++) {
        harness_prepare(&h);
        h.options.blocks_only = blocks_only;
        harness_open(&h);
        enum conn_type type = blocks_only ? CONN_INBOUND : CONN_BLOCK_RELAY;
        peer_id id = harness_peer(&h, "1.2.3.4:18444", type);
        announce(&h, id, INV_TX);
        cr_assert_not(h.closed[id], "the other kind of id is not looked at");
        announce(&h, id, INV_WTX);
        cr_assert(harness_logged(&h, "transaction (000000000000000000000000000000000000000000000000000000000003020"
                                     "1) inv sent in violation of protocol, disconnecting peer=0"));
        cr_assert(h.closed[id]);
        id = harness_peer(&h, "1.2.3.4:18444", type);
        harness_say_bytes(&h, id, "tx", span_of("x", 1));
        cr_assert(harness_logged(&h, "transaction sent in violation of protocol, disconnecting peer=1"));
        cr_assert(h.closed[id]);
        harness_free(&h);
    }
}

Test(txs, relay_permission_goes_before_blocksonly)
{
    struct harness h;
    harness_prepare(&h);
    h.options.blocks_only = true;
    harness_open(&h);
    struct p2p_connection c = {.remote = harness_endpoint("1.2.3.4:5000"), .permissions = PERM_RELAY};
    peer_id id = harness_inbound_with(&h, &c);
    harness_handshake(&h, id);
    struct message m;
    cr_assert(harness_answer(&h, id, MESSAGE_VERSION, &m));
    cr_assert(m.as.version.relay);
    announce(&h, id, INV_WTX);
    cr_assert_not(h.closed[id]);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_FEEFILTER), 0);
    harness_free(&h);
}

Test(txs, announcements_are_heard_and_nothing_is_fetched)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    announce(&h, id, INV_WTX);
    cr_assert(harness_logged(&h, "got inv: wtx 0000000000000000000000000000000000000000000000000000000000030201 new "
                                 "peer=0"));
    cr_assert_eq(harness_answers(&h, id, MESSAGE_GETDATA), 0);
    struct inv inv = {.type = INV_WTX, .hash = {1, 2, 3}};
    harness_say(&h, id, &(struct message){.type = MESSAGE_GETDATA, .as.inv = {&inv, 1}});
    struct message m;
    cr_assert(harness_answer(&h, id, MESSAGE_NOTFOUND, &m));
    cr_assert_eq(m.as.inv.count, 1);
    harness_say_bytes(&h, id, "tx", span_of("x", 1));
    cr_assert(harness_logged(&h, "ProcessMessages(tx, 1 bytes): Exception 'DataStream::read(): end of data"));
    cr_assert_not(h.closed[id]);
    harness_free(&h);
}

Test(txs, fee_filters_both_ways)
{
    struct harness h;
    struct message m;
    struct peer_info info;
    harness_new(&h);
    peer_id id = harness_inbound(&h, "1.2.3.4:5000");
    harness_handshake(&h, id);
    cr_assert(harness_answer(&h, id, MESSAGE_FEEFILTER, &m));
    cr_assert_eq(m.as.feefilter, 100);
    harness_wait_s(&h, 1100);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_FEEFILTER), 0, "only changes are told");
    harness_say(&h, id, &(struct message){.type = MESSAGE_FEEFILTER, .as.feefilter = 12345});
    cr_assert(harness_logged(&h, "received: feefilter of 0.00012345 BTC/kvB from peer=0"));
    cr_assert(p2p_info(h.p, id, &info));
    cr_assert_eq(info.min_fee_filter_sat, 12345);
    harness_say(&h, id, &(struct message){.type = MESSAGE_FEEFILTER, .as.feefilter = -1});
    harness_say(&h, id, &(struct message){.type = MESSAGE_FEEFILTER, .as.feefilter = MAX_MONEY_SAT + 1});
    cr_assert(p2p_info(h.p, id, &info));
    cr_assert_eq(info.min_fee_filter_sat, 12345);
    harness_free(&h);
}

Test(txs, the_fee_filter_follows_the_pool)
{
    struct harness h;
    struct message m;
    harness_new(&h);
    harness_open_pool(&h);
    h.pool->rolling_rate = 100000;
    peer_id id = harness_inbound(&h, "1.2.3.4:5000");
    harness_handshake(&h, id);
    cr_assert(harness_answer(&h, id, MESSAGE_FEEFILTER, &m));
    int64_t first = m.as.feefilter;
    cr_assert(first > 91000 && first < 110000, "%lld: rounded, a step up or down", (long long)first);
    /* A small change waits for its time; a large one does not wait so long. */
    h.pool->rolling_rate = 120000;
    harness_wait_s(&h, 1);
    struct peer_txs *t = &harness_peer_of(&h, id)->txs;
    t->next_fee_filter_us = h.wall_us + INT64_C(3600) * 1000000;
    harness_wait_s(&h, 1);
    cr_assert_eq(t->next_fee_filter_us, h.wall_us + INT64_C(3599) * 1000000);
    h.pool->rolling_rate = 200000;
    harness_wait_s(&h, 1);
    cr_assert_leq(t->next_fee_filter_us, h.wall_us + INT64_C(300) * 1000000);
    harness_wait_s(&h, 301);
    cr_assert(harness_answer(&h, id, MESSAGE_FEEFILTER, &m));
    cr_assert(m.as.feefilter > 181000 && m.as.feefilter < 220000);
    harness_free(&h);
}

Test(txs, no_transactions_are_wanted_in_the_first_sync)
{
    struct harness h;
    struct message m;
    harness_prepare(&h);
    h.wall_us += INT64_C(30) * 24 * 3600 * 1000000;
    h.kit.now_s = h.wall_us / 1000000;
    harness_open(&h);
    peer_id id = harness_inbound(&h, "1.2.3.4:5000");
    harness_handshake(&h, id);
    cr_assert(harness_answer(&h, id, MESSAGE_FEEFILTER, &m));
    cr_assert_eq(m.as.feefilter, 9936506);
    announce(&h, id, INV_WTX);
    cr_assert_not(harness_logged(&h, "got inv"));
    /* When it is over they hear of it at once. */
    struct draft d = draft_on(&chain_tip(h.kit.chain)->header, &h.kit.params, 1);
    d.time = (uint32_t)h.kit.now_s;
    struct block *b = draft_mine(&d, &h.kit.params);
    harness_feed(&h, b);
    block_free(b);
    harness_ticks(&h, 1);
    cr_assert(harness_answer(&h, id, MESSAGE_FEEFILTER, &m));
    cr_assert_eq(m.as.feefilter, 100);
    harness_free(&h);
}

Test(txs, some_get_no_fee_filter)
{
    struct harness h;
    harness_new(&h);
    struct p2p_connection c = {.remote = harness_endpoint("1.2.3.4:5000"), .permissions = PERM_FORCE_RELAY};
    peer_id id = harness_inbound_with(&h, &c);
    harness_handshake(&h, id);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_FEEFILTER), 0);
    id = harness_outbound(&h, "1.2.3.5:18444", CONN_BLOCK_RELAY);
    harness_handshake(&h, id);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_FEEFILTER), 0);
    harness_free(&h);
}

Test(txs, bloom_filters_must_be_offered)
{
    static const enum message_type types[] = {MESSAGE_FILTERLOAD, MESSAGE_FILTERADD, MESSAGE_FILTERCLEAR};
    struct harness h;
    harness_new(&h);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        char text[100];
        peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
        harness_say_empty(&h, id, types[i]);
        snprintf(text, sizeof(text), "%s received despite not offering bloom services, disconnecting peer=%zu",
                 message_row(types[i])->name, i);
        cr_assert(harness_logged(&h, text), "%s", text);
        cr_assert(h.closed[id]);
    }
    harness_free(&h);
}

Test(txs, bloom_filters_turn_relay_on)
{
    struct harness h;
    struct peer_info info;
    harness_prepare(&h);
    h.options.services |= NODE_BLOOM;
    harness_open(&h);
    peer_id id = harness_inbound(&h, "1.2.3.4:5000");
    struct message m = harness_version(&h);
    m.as.version.relay = false;
    harness_say(&h, id, &m);
    harness_say_empty(&h, id, MESSAGE_VERACK);
    cr_assert(p2p_info(h.p, id, &info));
    cr_assert_not(info.relays_txs);
    struct message load = {.type = MESSAGE_FILTERLOAD, .as.filterload = {.filter = span_of("abc", 3), .functions = 50}};
    harness_say(&h, id, &load);
    cr_assert(p2p_info(h.p, id, &info));
    cr_assert(info.relays_txs);
    struct message add = {.type = MESSAGE_FILTERADD, .as.filteradd.element = span_of("abc", 3)};
    harness_say(&h, id, &add);
    cr_assert_not(h.closed[id]);
    harness_say_empty(&h, id, MESSAGE_FILTERCLEAR);
    harness_say(&h, id, &add);
    cr_assert(harness_logged(&h, "Misbehaving: peer=0: bad filteradd message"));
    cr_assert(h.closed[id]);
    id = harness_peer(&h, "1.2.3.5:5000", CONN_INBOUND);
    load.as.filterload.functions = 51;
    harness_say(&h, id, &load);
    cr_assert(harness_logged(&h, "Misbehaving: peer=1: too-large bloom filter"));
    harness_free(&h);
}

Test(txs, the_pool_is_shown_to_few)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    harness_say_empty(&h, id, MESSAGE_MEMPOOL);
    cr_assert(harness_logged(&h, "mempool request with bloom filters disabled, disconnecting peer=0"));
    cr_assert(h.closed[id]);
    struct p2p_connection c = {.remote = harness_endpoint("1.2.3.4:5000"), .permissions = PERM_MEMPOOL};
    id = harness_inbound_with(&h, &c);
    harness_handshake(&h, id);
    harness_say_empty(&h, id, MESSAGE_MEMPOOL);
    cr_assert_not(h.closed[id]);
    c.permissions = PERM_NO_BAN;
    c.remote.port++;
    id = harness_inbound_with(&h, &c);
    harness_handshake(&h, id);
    harness_say_empty(&h, id, MESSAGE_MEMPOOL);
    cr_assert_not(h.closed[id]);
    harness_free(&h);
    harness_prepare(&h);
    h.options.services |= NODE_BLOOM;
    h.options.max_upload_bytes = 1;
    harness_open(&h);
    id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    harness_say_empty(&h, id, MESSAGE_MEMPOOL);
    cr_assert(harness_logged(&h, "mempool request with bandwidth limit reached, disconnecting peer=0"));
    cr_assert(h.closed[id]);
    harness_free(&h);
}
