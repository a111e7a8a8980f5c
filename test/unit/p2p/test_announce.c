/* New tips out: by inv, headers or compact block. */
#include "relay_kit.h"

/* A peer that has the tip, and is told of new ones by headers where WANTS_HEADERS. */
static peer_id synced_peer(struct harness *h, const char *at, bool wants_headers)
{
    peer_id id = harness_peer(h, at, CONN_INBOUND);
    say_header(h, id, &chain_tip(h->kit.chain)->header);
    if (wants_headers) harness_say_empty(h, id, MESSAGE_SENDHEADERS);
    harness_forget(h, id);
    return id;
}

Test(announce, by_inv_unless_they_ask_otherwise)
{
    struct harness h;
    struct message m;
    harness_new(&h);
    grow(&h, 2);
    peer_id id = synced_peer(&h, "1.2.3.4:5000", false);
    struct block_node *tip = harness_mine(&h);
    harness_ticks(&h, 1);
    cr_assert(harness_answer(&h, id, MESSAGE_INV, &m));
    cr_assert_eq(m.as.inv.count, 1);
    cr_assert_eq(m.as.inv.items[0].type, INV_BLOCK);
    cr_assert_arr_eq(m.as.inv.items[0].hash, tip->header.hash.bytes, 32);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_HEADERS), 0);
    harness_free(&h);
}

Test(announce, by_headers_from_what_they_have)
{
    struct harness h;
    struct message m;
    harness_new(&h);
    grow(&h, 2);
    peer_id id = synced_peer(&h, "1.2.3.4:5000", true);
    harness_mine_many(&h, 3);
    harness_ticks(&h, 1);
    cr_assert(harness_answer(&h, id, MESSAGE_HEADERS, &m));
    cr_assert_eq(m.as.headers.count, 3);
    cr_assert_eq(harness_peer_of(&h, id)->headers.best_header_sent, chain_tip(h.kit.chain));
    harness_mine(&h);
    harness_ticks(&h, 1);
    cr_assert(harness_answer(&h, id, MESSAGE_HEADERS, &m));
    cr_assert_eq(m.as.headers.count, 1);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_INV), 0);
    harness_free(&h);
}

Test(announce, nothing_that_they_have)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 2);
    for (int headers = 0; headers < 2; headers++) {
        peer_id id = synced_peer(&h, headers ? "1.2.3.4:5000" : "1.2.3.5:5000", headers);
        struct block *b = make_empty_block(&chain_tip(h.kit.chain)->header, &h.kit.params, 0);
        harness_say(&h, id, &(struct message){.type = MESSAGE_BLOCK, .as.raw.raw = b->raw});
        say_header(&h, id, &chain_find(h.kit.chain, &b->hash)->header);
        harness_mine(&h);
        say_header(&h, id, &chain_tip(h.kit.chain)->header);
        harness_forget(&h, id);
        harness_peer_of(&h, id)->announce.nodes[0] = chain_tip(h.kit.chain);
        harness_peer_of(&h, id)->announce.count = 1;
        harness_ticks(&h, 1);
        cr_assert_eq(harness_answers(&h, id, MESSAGE_HEADERS) + harness_answers(&h, id, MESSAGE_INV), 0);
        cr_assert_eq(harness_peer_of(&h, id)->announce.count, 0);
        block_free(b);
    }
    harness_free(&h);
}

Test(announce, by_inv_where_headers_would_not_connect_or_are_too_many)
{
    struct harness h;
    struct message m;
    harness_new(&h);
    grow(&h, 2);
    peer_id stranger = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    harness_say_empty(&h, stranger, MESSAGE_SENDHEADERS);
    peer_id slow = synced_peer(&h, "1.2.3.5:5000", true);
    harness_mine(&h);
    harness_ticks(&h, 1);
    cr_assert(harness_answer(&h, stranger, MESSAGE_INV, NULL), "we know of nothing that they have");
    cr_assert(harness_answer(&h, slow, MESSAGE_HEADERS, NULL));
    harness_mine_many(&h, 9);
    harness_ticks(&h, 1);
    cr_assert_eq(harness_answers(&h, slow, MESSAGE_HEADERS), 0);
    cr_assert(harness_answer(&h, slow, MESSAGE_INV, &m));
    cr_assert_eq(m.as.inv.count, 1);
    cr_assert_arr_eq(m.as.inv.items[0].hash, chain_tip(h.kit.chain)->header.hash.bytes, 32);
    harness_free(&h);
}

Test(announce, a_reorganisation_is_told_by_headers_from_the_fork)
{
    struct harness h;
    struct message m;
    harness_new(&h);
    grow(&h, 4);
    struct block_node *fork = chain_at(h.kit.chain, 3);
    peer_id id = synced_peer(&h, "1.2.3.4:5000", true);
    struct block *a = make_empty_block(&fork->header, &h.kit.params, 5);
    harness_feed(&h, a);
    struct block *b = make_empty_block(&chain_find(h.kit.chain, &a->hash)->header, &h.kit.params, 6);
    harness_feed(&h, b);
    harness_ticks(&h, 1);
    cr_assert(harness_answer(&h, id, MESSAGE_HEADERS, &m));
    cr_assert_eq(m.as.headers.count, 2);
    cr_assert_arr_eq(m.as.headers.headers[0].prev.bytes, fork->header.hash.bytes, 32);
    block_free(a);
    block_free(b);
    harness_free(&h);
}

Test(announce, at_once_to_high_bandwidth_peers)
{
    struct harness h;
    struct message m;
    harness_new(&h);
    grow(&h, 2);
    peer_id id = synced_peer(&h, "1.2.3.4:5000", true);
    peer_id stranger = harness_peer(&h, "1.2.3.5:5000", CONN_INBOUND);
    peer_id low = synced_peer(&h, "1.2.3.6:5000", true);
    say_sendcmpct(&h, id, true);
    say_sendcmpct(&h, stranger, true);
    say_sendcmpct(&h, low, false);
    struct block_node *tip = harness_mine(&h);
    cr_assert(harness_answer(&h, id, MESSAGE_CMPCTBLOCK, &m), "before any tick");
    cr_assert_arr_eq(m.as.cmpctblock.header.prev.bytes, tip->header.prev->hash.bytes, 32);
    harness_ticks(&h, 1);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_HEADERS) + harness_answers(&h, id, MESSAGE_CMPCTBLOCK), 0, "once");
    cr_assert_eq(harness_answers(&h, stranger, MESSAGE_CMPCTBLOCK), 0, "it would not connect");
    cr_assert(harness_answer(&h, low, MESSAGE_HEADERS, NULL));
    cr_assert_eq(harness_answers(&h, low, MESSAGE_CMPCTBLOCK), 0);
    harness_free(&h);
}

Test(announce, a_compact_block_is_made_for_who_missed_the_first_moment)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 2);
    peer_id id = synced_peer(&h, "1.2.3.4:5000", false);
    struct block_node *tip = harness_mine(&h);
    /* They get to high bandwidth between the block and its announcement. */
    harness_peer_of(&h, id)->compact.hb_from = true;
    announce_clear(h.p);
    harness_ticks(&h, 1);
    struct message m;
    cr_assert(harness_answer(&h, id, MESSAGE_CMPCTBLOCK, &m));
    cr_assert_eq(m.as.cmpctblock.header.time, tip->header.time);
    cr_assert_eq(m.as.cmpctblock.prefilled_count, 1);
    harness_free(&h);
}

Test(announce, a_recent_transaction_is_found_by_either_id)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 2);
    struct block *b = make_witness_block(&chain_tip(h.kit.chain)->header, &h.kit.params);
    harness_feed(&h, b);
    struct inv by_txid = {.type = INV_WITNESS_TX}, by_wtxid = {.type = INV_WTX};
    memcpy(by_txid.hash, b->txs[0].txid.bytes, 32);
    memcpy(by_wtxid.hash, b->txs[0].wtxid.bytes, 32);
    cr_assert_not_null(announce_recent_tx(h.p, &by_txid));
    cr_assert_not_null(announce_recent_tx(h.p, &by_wtxid));
    by_wtxid.type = INV_TX;
    cr_assert_null(announce_recent_tx(h.p, &by_wtxid));
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct message m;
    for (unsigned witness = 0; witness < 2; witness++) {
        by_txid.type = witness ? INV_WITNESS_TX : INV_TX;
        harness_say(&h, id, &(struct message){.type = MESSAGE_GETDATA, .as.inv = {.items = &by_txid, .count = 1}});
        cr_assert(harness_answer(&h, id, MESSAGE_TX, &m));
        cr_assert_eq(m.as.raw.raw.len, witness ? b->txs[0].size : b->txs[0].base_size);
    }
    cr_assert_eq(harness_answers(&h, id, MESSAGE_NOTFOUND), 0);
    block_free(b);
    harness_free(&h);
}

Test(announce, nobody_is_told_during_the_initial_download)
{
    struct harness h;
    harness_prepare(&h);
    h.wall_us += 30 * 86400 * INT64_C(1000000);
    h.kit.now_s = h.wall_us / 1000000;
    harness_open(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    say_sendcmpct(&h, id, true);
    harness_mine_many(&h, 2);
    harness_ticks(&h, 1);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_INV) + harness_answers(&h, id, MESSAGE_CMPCTBLOCK), 0);
    harness_free(&h);
}
