/* Headers, inventories and blocks out: what is answered to whom, and what is not told. */
#include "relay_kit.h"

static const struct block_hash *hash_at(struct harness *h, int32_t height)
{
    return &chain_at(h->kit.chain, height)->header.hash;
}

Test(serve, headers_follow_the_locator_up_to_the_stop)
{
    struct harness h;
    struct message m;
    harness_new(&h);
    grow(&h, 5);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    say_locator(&h, id, MESSAGE_GETHEADERS, hash_at(&h, 1), NULL);
    cr_assert(harness_answer(&h, id, MESSAGE_HEADERS, &m));
    cr_assert_eq(m.as.headers.count, 4);
    cr_assert_eq(harness_peer_of(&h, id)->headers.best_header_sent, chain_tip(h.kit.chain));
    say_locator(&h, id, MESSAGE_GETHEADERS, hash_at(&h, 1), hash_at(&h, 3));
    cr_assert(harness_answer(&h, id, MESSAGE_HEADERS, &m));
    cr_assert_eq(m.as.headers.count, 2);
    cr_assert_eq(harness_peer_of(&h, id)->headers.best_header_sent, chain_at(h.kit.chain, 3));
    harness_free(&h);
}

Test(serve, without_a_locator_the_stop_itself_is_sent)
{
    struct harness h;
    struct message m;
    struct block_hash unknown = {{1}};
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    say_locator(&h, id, MESSAGE_GETHEADERS, NULL, &unknown);
    cr_assert_not(harness_answer(&h, id, MESSAGE_HEADERS, &m));
    say_locator(&h, id, MESSAGE_GETHEADERS, NULL, hash_at(&h, 2));
    cr_assert(harness_answer(&h, id, MESSAGE_HEADERS, &m));
    cr_assert_eq(m.as.headers.count, 1);
    cr_assert_arr_eq(m.as.headers.headers[0].prev.bytes, hash_at(&h, 1)->bytes, 32);
    harness_free(&h);
}

Test(serve, an_unknown_locator_begins_after_genesis)
{
    struct harness h;
    struct message m;
    struct block_hash unknown = {{1}};
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    say_locator(&h, id, MESSAGE_GETHEADERS, &unknown, NULL);
    cr_assert(harness_answer(&h, id, MESSAGE_HEADERS, &m));
    cr_assert_eq(m.as.headers.count, 3);
    harness_free(&h);
}

Test(serve, a_chain_with_too_little_work_is_not_shown)
{
    struct harness h;
    struct message m;
    harness_prepare(&h);
    h.kit.options.minimum_chain_work = u256_from_u64(100);
    harness_open(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    peer_id friend = permitted_peer(&h, "1.2.3.5:5000", PERM_DOWNLOAD);
    say_locator(&h, id, MESSAGE_GETHEADERS, hash_at(&h, 0), NULL);
    cr_assert(harness_answer(&h, id, MESSAGE_HEADERS, &m));
    cr_assert_eq(m.as.headers.count, 0);
    say_locator(&h, friend, MESSAGE_GETHEADERS, hash_at(&h, 0), NULL);
    cr_assert(harness_answer(&h, friend, MESSAGE_HEADERS, &m));
    cr_assert_eq(m.as.headers.count, 3);
    p2p_set_importing(h.p, true);
    say_locator(&h, friend, MESSAGE_GETHEADERS, hash_at(&h, 0), NULL);
    cr_assert_not(harness_answer(&h, friend, MESSAGE_HEADERS, &m));
    harness_free(&h);
}

Test(serve, getblocks_goes_on_after_its_last_block_was_fetched)
{
    struct harness h;
    struct message m;
    harness_prepare(&h);
    h.kit.options.check_index = false;
    harness_open(&h);
    grow(&h, 510);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    say_locator(&h, id, MESSAGE_GETBLOCKS, hash_at(&h, 0), NULL);
    cr_assert(harness_answer(&h, id, MESSAGE_INV, &m));
    cr_assert_eq(m.as.inv.count, 500);
    cr_assert_eq(m.as.inv.items[0].type, INV_BLOCK);
    cr_assert_arr_eq(m.as.inv.items[499].hash, hash_at(&h, 500)->bytes, 32);
    say_getdata(&h, id, INV_BLOCK, hash_at(&h, 499));
    cr_assert_not(harness_answer(&h, id, MESSAGE_INV, &m));
    say_getdata(&h, id, INV_BLOCK, hash_at(&h, 500));
    cr_assert(harness_answer(&h, id, MESSAGE_INV, &m));
    cr_assert_eq(m.as.inv.count, 1);
    cr_assert_arr_eq(m.as.inv.items[0].hash, hash_at(&h, 510)->bytes, 32);
    say_getdata(&h, id, INV_BLOCK, hash_at(&h, 500));
    cr_assert_not(harness_answer(&h, id, MESSAGE_INV, &m), "once is enough");
    say_locator(&h, id, MESSAGE_GETBLOCKS, hash_at(&h, 500), hash_at(&h, 505));
    cr_assert(harness_answer(&h, id, MESSAGE_INV, &m));
    cr_assert_eq(m.as.inv.count, 4, "the stop is not announced");
    harness_free(&h);
}

Test(serve, blocks_go_out_with_or_without_witness)
{
    struct harness h;
    struct message m;
    harness_new(&h);
    grow(&h, 2);
    struct block *b = make_witness_block(&chain_tip(h.kit.chain)->header, &h.kit.params);
    harness_feed(&h, b);
    for (int old = 0; old < 2; old++) {
        peer_id id = harness_peer(&h, old ? "1.2.3.5:5000" : "1.2.3.4:5000", CONN_INBOUND);
        say_getdata(&h, id, INV_WITNESS_BLOCK, &b->hash);
        cr_assert(harness_answer(&h, id, MESSAGE_BLOCK, &m));
        cr_assert(span_equal(m.as.raw.raw, b->raw));
        say_getdata(&h, id, INV_BLOCK, &b->hash);
        cr_assert(harness_answer(&h, id, MESSAGE_BLOCK, &m));
        cr_assert_eq(m.as.raw.raw.len, b->base_size);
        cr_assert_eq(announce_recent(h.p, &b->hash) == NULL, old);
        grow(&h, 1); /* then it comes from its file */
    }
    block_free(b);
    harness_free(&h);
}

Test(serve, nothing_is_said_of_blocks_that_we_do_not_have)
{
    struct harness h;
    char names[200];
    struct block_hash unknown = {{1}};
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    say_getdata(&h, id, INV_WITNESS_BLOCK, &unknown);
    cr_assert_str_eq(harness_names(&h, id, names, sizeof(names)), "");
    say_getdata(&h, id, 99, &unknown);
    cr_assert_not(serve_waits(&harness_peer_of(&h, id)->serve), "an unknown kind is passed over");
    cr_assert_not(is_gone(&h, id));
    say_getdata(&h, id, INV_WITNESS_TX, &unknown);
    struct message m;
    cr_assert(harness_answer(&h, id, MESSAGE_NOTFOUND, &m));
    cr_assert_eq(m.as.inv.count, 1);
    cr_assert_eq(m.as.inv.items[0].type, INV_WITNESS_TX);
    harness_free(&h);
}

Test(serve, filtered_blocks_are_not_offered)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 1);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    say_getdata(&h, id, INV_FILTERED_BLOCK, hash_at(&h, 1));
    cr_assert(is_gone(&h, id));
    cr_assert(harness_logged(&h, "filtered block request received when NODE_BLOOM service disabled"));
    harness_free(&h);
}

Test(serve, requests_wait_while_the_send_queue_is_full)
{
    struct harness h;
    struct inv items[3];
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    for (int i = 0; i < 3; i++) items[i] = inv_of(INV_WITNESS_BLOCK, hash_at(&h, i + 1));
    p2p_send_full(h.p, id, true);
    harness_peer_of(&h, id)->send_full = false;
    harness_say(&h, id, &(struct message){.type = MESSAGE_GETDATA, .as.inv = {.items = items, .count = 3}});
    p2p_send_full(h.p, id, true);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_BLOCK), 1, "one block an event");
    cr_assert_eq(harness_peer_of(&h, id)->serve.count, 2);
    cr_assert_not(p2p_ready(h.p, id, "ping"));
    harness_ticks(&h, 3);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_BLOCK), 1);
    p2p_send_full(h.p, id, false);
    cr_assert(p2p_has_work(h.p));
    harness_ticks(&h, 2);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_BLOCK), 3);
    cr_assert_not(serve_waits(&harness_peer_of(&h, id)->serve));
    cr_assert(p2p_ready(h.p, id, "ping"));
    harness_free(&h);
}

/* ---- privacy ---- */

/* A block beside the active one at the tip's height, once connected; the tip is ahead of it by one. */
static struct block_node *make_stale(struct harness *h)
{
    struct block_node *fork = chain_tip(h->kit.chain);
    struct block *a = make_empty_block(&fork->header, &h->kit.params, 1);
    struct block *b = make_empty_block(&fork->header, &h->kit.params, 2);
    harness_feed(h, a);
    harness_feed(h, b);
    struct block *c = make_empty_block(&chain_find(h->kit.chain, &b->hash)->header, &h->kit.params, 3);
    harness_feed(h, c);
    struct block_node *stale = chain_find(h->kit.chain, &a->hash);
    cr_assert_not(chain_contains(h->kit.chain, stale));
    block_free(a);
    block_free(b);
    block_free(c);
    return stale;
}

static void mine_at(struct harness *h, int64_t time_s)
{
    struct draft d = draft_on(&chain_tip(h->kit.chain)->header, &h->kit.params, 0);
    d.time = (uint32_t)time_s;
    struct block *b = draft_mine(&d, &h->kit.params);
    harness_feed(h, b);
    block_free(b);
}

Test(serve, a_stale_block_is_forgotten_after_a_month)
{
    struct harness h;
    struct message m;
    harness_new(&h);
    grow(&h, 2);
    struct block_node *stale = make_stale(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    say_getdata(&h, id, INV_WITNESS_BLOCK, &stale->header.hash);
    cr_assert(harness_answer(&h, id, MESSAGE_BLOCK, NULL));
    say_locator(&h, id, MESSAGE_GETHEADERS, NULL, &stale->header.hash);
    cr_assert(harness_answer(&h, id, MESSAGE_HEADERS, &m));
    cr_assert_eq(m.as.headers.count, 1);
    harness_wait_s(&h, 31 * 86400);
    mine_at(&h, h.kit.now_s);
    id = harness_peer(&h, "1.2.3.5:5000", CONN_INBOUND);
    say_getdata(&h, id, INV_WITNESS_BLOCK, &stale->header.hash);
    cr_assert_not(harness_answer(&h, id, MESSAGE_BLOCK, NULL));
    say_locator(&h, id, MESSAGE_GETHEADERS, NULL, &stale->header.hash);
    cr_assert_not(harness_answer(&h, id, MESSAGE_HEADERS, &m));
    cr_assert_not(is_gone(&h, id));
    say_getdata(&h, id, INV_WITNESS_BLOCK, hash_at(&h, 1));
    cr_assert(harness_answer(&h, id, MESSAGE_BLOCK, NULL), "the active chain is no secret");
    harness_free(&h);
}

Test(serve, a_block_that_was_never_connected_is_not_shown)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 2);
    struct block *a = make_empty_block(&chain_at(h.kit.chain, 1)->header, &h.kit.params, 9);
    harness_feed(&h, a);
    cr_assert_not(serve_may_show(h.p, chain_find(h.kit.chain, &a->hash)));
    block_free(a);
    harness_free(&h);
}

Test(serve, a_pruned_node_serves_the_last_blocks_alone)
{
    struct harness h;
    harness_prepare(&h);
    h.options.services = NODE_WITNESS | NODE_NETWORK_LIMITED;
    h.kit.options.check_index = false;
    harness_open(&h);
    grow(&h, 300);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    peer_id friend = permitted_peer(&h, "1.2.3.5:5000", PERM_NO_BAN);
    say_getdata(&h, id, INV_WITNESS_BLOCK, hash_at(&h, 10));
    cr_assert(harness_answer(&h, id, MESSAGE_BLOCK, NULL), "288 and a margin of two");
    say_getdata(&h, id, INV_WITNESS_BLOCK, hash_at(&h, 9));
    cr_assert(is_gone(&h, id));
    cr_assert(harness_logged(&h, "Ignore block request below NODE_NETWORK_LIMITED threshold, disconnecting peer=0"));
    say_getdata(&h, friend, INV_WITNESS_BLOCK, hash_at(&h, 9));
    cr_assert(harness_answer(&h, friend, MESSAGE_BLOCK, NULL));
    struct message m;
    say_locator(&h, friend, MESSAGE_GETBLOCKS, hash_at(&h, 17), NULL);
    cr_assert_not(harness_answer(&h, friend, MESSAGE_INV, &m), "too near the edge to be announced");
    say_locator(&h, friend, MESSAGE_GETBLOCKS, hash_at(&h, 18), NULL);
    cr_assert(harness_answer(&h, friend, MESSAGE_INV, &m));
    cr_assert_eq(m.as.inv.count, 282);
    harness_free(&h);
}

/* ---- upload target ---- */

Test(serve, the_upload_target_is_for_a_day)
{
    struct harness h;
    harness_prepare(&h);
    h.options.max_upload_bytes = UINT64_C(800000000);
    harness_open(&h);
    cr_assert_eq(serve_cycle_left_s(h.p), 86400);
    serve_note_sent(h.p, 1);
    cr_assert_not(serve_target_reached(h.p, false));
    cr_assert_not(serve_target_reached(h.p, true), "144 blocks are held back: 576 MB");
    serve_note_sent(h.p, 224000000);
    cr_assert(serve_target_reached(h.p, true));
    cr_assert_not(serve_target_reached(h.p, false));
    harness_wait_s(&h, 43200);
    cr_assert_not(serve_target_reached(h.p, true), "less is held back later");
    serve_note_sent(h.p, 600000000);
    cr_assert(serve_target_reached(h.p, false));
    cr_assert_eq(serve_left_in_cycle(h.p), 0);
    harness_wait_s(&h, 43201);
    serve_note_sent(h.p, 5);
    cr_assert_not(serve_target_reached(h.p, false));
    cr_assert_eq(h.p->serve.cycle_sent, 5);
    harness_free(&h);
}

Test(serve, beyond_the_target_old_blocks_cost_the_connection)
{
    struct harness h;
    harness_prepare(&h);
    h.options.max_upload_bytes = 1000000; /* less than what is held back */
    harness_open(&h);
    grow(&h, 2);
    harness_wait_s(&h, 8 * 86400);
    mine_at(&h, h.kit.now_s);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    peer_id friend = permitted_peer(&h, "1.2.3.5:5000", PERM_DOWNLOAD);
    say_getdata(&h, id, INV_WITNESS_BLOCK, hash_at(&h, 3));
    cr_assert(harness_answer(&h, id, MESSAGE_BLOCK, NULL), "a recent one is served");
    say_getdata(&h, friend, INV_WITNESS_BLOCK, hash_at(&h, 1));
    cr_assert(harness_answer(&h, friend, MESSAGE_BLOCK, NULL));
    say_getdata(&h, id, INV_WITNESS_BLOCK, hash_at(&h, 1));
    cr_assert(is_gone(&h, id));
    cr_assert(harness_logged(&h, "historical block serving limit reached, disconnecting peer="));
    harness_free(&h);
}

/* ---- inv ---- */

Test(serve, the_last_unknown_block_of_an_inv_is_asked_for)
{
    struct harness h;
    struct block_hash a = {{1}}, b = {{2}};
    harness_new(&h);
    grow(&h, 1);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct inv items[] = {inv_of(INV_BLOCK, &a), inv_of(INV_BLOCK, &b), inv_of(INV_BLOCK, hash_at(&h, 1)),
                          inv_of(77, &a)};
    harness_peer_of(&h, id)->headers.last_getheaders_us = 0;
    harness_say(&h, id, &(struct message){.type = MESSAGE_INV, .as.inv = {.items = items, .count = 4}});
    cr_assert(harness_answer(&h, id, MESSAGE_GETHEADERS, NULL));
    cr_assert(harness_logged(&h, "Unknown inv type \"0x0000004d "));
    cr_assert_eq(harness_peer_of(&h, id)->headers.best_known, chain_tip(h.kit.chain));
    harness_free(&h);
}
