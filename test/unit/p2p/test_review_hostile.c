/* What a hostile peer could make of rules that each look harmless: memory, downloads that never end, addresses that
 * never wear out. */
#include "sync_kit.h"

/* One getdata may name the same transaction tens of thousands of times; the send queue's limit is known only after the
 * event. */
Test(review_hostile, transactions_go_out_a_little_at_a_time)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct draft d = draft_on(&chain_tip(h.kit.chain)->header, &h.kit.params, 5);
    uint8_t *script = mem_calloc(1, 9000);
    script[0] = 0x6a;
    d.coinbase_script = span_of(script, 9000);
    struct block *b = draft_mine(&d, &h.kit.params);
    harness_feed(&h, b);
    harness_forget(&h, id);
    enum { ITEMS = 2000 };
    struct inv *items = mem_calloc(ITEMS, sizeof(*items));
    for (size_t i = 0; i < ITEMS; i++) {
        items[i].type = INV_WTX;
        memcpy(items[i].hash, b->txs[0].wtxid.bytes, 32);
    }
    harness_say(&h, id, &(struct message){.type = MESSAGE_GETDATA, .as.inv = {.items = items, .count = ITEMS}});
    size_t at_once = harness_answers(&h, id, MESSAGE_TX);
    cr_assert_gt(at_once, 0);
    cr_assert_lt(at_once, 100, "%zu at once", at_once);
    cr_assert(p2p_has_work(h.p));
    harness_ticks(&h, 1);
    cr_assert_lt(harness_answers(&h, id, MESSAGE_TX), 2 * at_once + 1);
    harness_ticks(&h, ITEMS / at_once + 1);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_TX), ITEMS, "none is passed over");
    cr_assert_not(serve_waits(&harness_peer_of(&h, id)->serve));
    free(items);
    free(script);
    block_free(b);
    harness_free(&h);
}

/* The header of a block that was asked for, and garbage: the time for the block goes on. */
Test(review_hostile, garbage_wins_no_time)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct branch b = branch_on_tip(&h, 2, 1);
    say_branch(&h, id, &b, 0, 2);
    struct peer *peer = harness_peer_of(&h, id);
    cr_assert_eq(peer->download.count, 2);
    int64_t since = peer->download.since_us;
    peer->download.stalling_since_us = h.wall_us;
    int64_t stalling = h.wall_us;
    struct span raw = b.blocks[0]->raw;
    for (int i = 0; i < 3; i++) {
        h.wall_us += 500000;
        p2p_set_time(h.p, h.wall_us, h.steady_us);
        harness_say_bytes(&h, id, "block", span_of(raw.data, HEADER_BYTES + 1));
        cr_assert_eq(h.blocks_done[BLOCK_DONE_MALFORMED], i + 1);
        cr_assert_eq(peer->download.count, 2);
        cr_assert(block_hash_equal(&peer->download.items[0]->hash, &b.blocks[0]->hash));
        cr_assert_eq(peer->download.since_us, since);
        cr_assert_eq(peer->download.stalling_since_us, stalling);
    }
    /* Two at once, of which the second is the first one asked for while the first is judged. */
    h.hold_blocks = true;
    for (int i = 0; i < 2; i++) harness_say_bytes(&h, id, "block", span_of(b.blocks[i]->raw.data, HEADER_BYTES + 1));
    h.hold_blocks = false;
    harness_pump(&h);
    cr_assert_eq(peer->download.count, 2);
    cr_assert_eq(peer->download.since_us, since);
    harness_wait_s(&h, 2);
    cr_assert_null(harness_peer_of(&h, id), "stalls as if it had said nothing");
    branch_free(&b);
    harness_free(&h);
}

/* Garbage below the header of the next block, sent unasked and again and again, keeps nobody from asking for it. */
Test(review_hostile, what_comes_unasked_stops_no_request)
{
    struct harness h;
    struct inv asked;
    struct p2p_block taken;
    harness_new(&h);
    grow(&h, 3);
    peer_id honest = harness_peer(&h, "2.2.2.2:18444", CONN_OUTBOUND_FULL);
    peer_id hostile = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct branch b = branch_on_tip(&h, 1, 1);
    struct span raw = b.blocks[0]->raw;
    h.hold_blocks = true;
    harness_say_bytes(&h, hostile, "block", span_of(raw.data, HEADER_BYTES + 1));
    say_branch(&h, honest, &b, 0, 1);
    cr_assert_eq(next_getdata(&h, honest, &asked), 1);
    cr_assert_eq(memcmp(asked.hash, b.blocks[0]->hash.bytes, 32), 0);
    cr_assert(p2p_take_block(h.p, &taken));
    buffer_clear(&taken.raw);
    p2p_block_done(h.p, &taken, BLOCK_DONE_MALFORMED, NULL);
    h.hold_blocks = false;
    say_block(&h, honest, b.blocks[0]);
    cr_assert_eq(chain_tip(h.kit.chain), node_of(&h, b.blocks[0]));
    branch_free(&b);
    harness_free(&h);
}

/* Who accepts connections and then says nothing is an attempt all the same, and wears out. */
Test(review_hostile, silent_listeners_count_as_tried)
{
    struct harness h;
    struct addrman_info info;
    harness_prepare(&h);
    h.options.automatic = true;
    harness_open(&h);
    struct peer_addr a = {.at = harness_endpoint("9.9.9.9:18444"),
                          .services = NODE_NETWORK | NODE_WITNESS,
                          .time = (uint32_t)(h.wall_us / 1000000)};
    struct netaddr source = harness_endpoint("7.7.7.7:1").addr;
    addrman_add(h.addrman, &a, 1, &source, 0, h.wall_us / 1000000);
    harness_ticks(&h, 10);
    cr_assert_neq(harness_answer_dial(&h, NULL), P2P_NO_PEER);
    cr_assert(addrman_find(h.addrman, &a.at, &info, NULL));
    cr_assert_eq(info.last_try_s, h.wall_us / 1000000);
    harness_free(&h);
}

/* A block is told of in compact form before it is connected: whoever wants all of it then must not be left waiting. */
Test(review_hostile, a_block_told_of_is_served_once_it_is_connected)
{
    struct harness h;
    struct p2p_block taken;
    struct block_node *node;
    struct verdict v = {0};
    struct error e;
    bool is_new;
    harness_new(&h);
    grow(&h, 3);
    peer_id giver = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND),
            asker = harness_peer(&h, "2.3.4.5:5000", CONN_INBOUND);
    struct block *b = make_empty_block(&chain_tip(h.kit.chain)->header, &h.kit.params, 1);
    h.hold_blocks = true;
    say_block(&h, giver, b);
    cr_assert(p2p_take_block(h.p, &taken));
    cr_assert_eq(chain_accept_block(h.kit.chain, b, h.kit.now_s, 0, NULL, &node, &is_new, &v, &e), RESULT_OK);
    cr_assert(is_new);
    p2p_block_accepted(h.p, node, b);
    say_getdata(&h, asker, INV_WITNESS_BLOCK, &b->hash);
    cr_assert_eq(harness_answers(&h, asker, MESSAGE_BLOCK), 0);
    cr_assert(p2p_has_work(h.p));
    cr_assert_eq(kit_try_run(&h.kit, b, NULL, NULL, &e), RESULT_OK);
    p2p_block_done(h.p, &taken, BLOCK_DONE_NEW, NULL);
    harness_ticks(&h, 1);
    cr_assert_eq(harness_answers(&h, asker, MESSAGE_BLOCK), 1);
    cr_assert_not(serve_waits(&harness_peer_of(&h, asker)->serve));
    buffer_clear(&taken.raw);
    block_free(b);
    harness_free(&h);
}
