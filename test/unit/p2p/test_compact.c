/* Compact blocks with peers: putting blocks together, asking for what is missing, and whom to hear first. */
#include "relay_kit.h"

/* A chain with coins to spend, and a block on its tip: the coinbase and two transactions. */
struct compact_kit {
    struct harness h;
    struct block *block;
    struct compact_block c;
    struct arena arena;
};

static void setup(struct compact_kit *k)
{
    struct harness *h = &k->h;
    memset(k, 0, sizeof(*k));
    harness_prepare(h);
    h->kit.options.check_index = false;
    harness_open(h);
    grow(h, 105);
    struct draft d = draft_on(&chain_tip(h->kit.chain)->header, &h->kit.params, 0);
    for (int32_t height = 1; height <= 2; height++) {
        struct block *b;
        struct error e;
        cr_assert_eq(chain_read_block(h->kit.chain, chain_at(h->kit.chain, height), &b, &e), RESULT_OK);
        struct outpoint in = outpoint_of(b, 0, 0);
        draft_move(&d, &in, 1000 * height);
        block_free(b);
    }
    k->block = draft_mine(&d, &h->kit.params);
    compact_block_make(&k->c, k->block, 7, &k->arena);
    harness_clear_log(h);
}

static void teardown(struct compact_kit *k)
{
    block_free(k->block);
    arena_clear(&k->arena);
    harness_free(&k->h);
}

/* Speaks compact blocks; HIGH: we chose it. */
static peer_id compact_peer(struct compact_kit *k, const char *at, enum conn_type type, bool high)
{
    peer_id id = harness_peer(&k->h, at, type);
    say_sendcmpct(&k->h, id, false);
    harness_peer_of(&k->h, id)->compact.hb_to = high;
    harness_forget(&k->h, id);
    return id;
}

static void say_compact(struct compact_kit *k, peer_id id)
{
    harness_say(&k->h, id, &(struct message){.type = MESSAGE_CMPCTBLOCK, .as.cmpctblock = k->c});
}

/* The same of a peer in high bandwidth; there may be more of these than we would choose. */
static void say_compact_high(struct compact_kit *k, peer_id id)
{
    harness_peer_of(&k->h, id)->compact.hb_to = true;
    say_compact(k, id);
    harness_peer_of(&k->h, id)->compact.hb_to = false;
}

static void say_blocktxn(struct compact_kit *k, peer_id id, size_t first, size_t count)
{
    struct message m = {.type = MESSAGE_BLOCKTXN};
    m.as.blocktxn = (struct blocktxn_message){.block = k->block->hash, .txs = k->block->txs + first, .count = count};
    harness_say(&k->h, id, &m);
}

static bool is_tip(struct compact_kit *k)
{
    return block_hash_equal(&chain_tip(k->h.kit.chain)->header.hash, &k->block->hash);
}

static void offer(struct compact_kit *k, size_t tx)
{
    compact_offer_extra(k->h.p, &k->block->txs[tx].wtxid, k->block->txs[tx].raw);
}

Test(compact, missing_transactions_are_asked_for)
{
    struct compact_kit k;
    struct message m;
    setup(&k);
    peer_id id = compact_peer(&k, "1.2.3.4:5000", CONN_INBOUND, true);
    say_compact(&k, id);
    cr_assert(harness_answer(&k.h, id, MESSAGE_GETBLOCKTXN, &m));
    cr_assert_gt(compact_peer_memory(harness_peer_of(&k.h, id)), 0);
    cr_assert_eq(m.as.getblocktxn.count, 2);
    cr_assert_eq(m.as.getblocktxn.indexes[0], 1);
    cr_assert_eq(m.as.getblocktxn.indexes[1], 2);
    say_blocktxn(&k, id, 1, 2);
    cr_assert(is_tip(&k));
    cr_assert(
        harness_logged(&k.h, "with 1 txn prefilled, 0 txn from mempool (incl at least 0 from extra pool) and 2 txn"));
    cr_assert_null(download_find(k.h.p, &k.block->hash));
    cr_assert_eq(k.h.blocks_done[BLOCK_DONE_NEW], 1);
    teardown(&k);
}

Test(compact, transactions_at_hand_save_the_round_trip)
{
    struct compact_kit k;
    struct message m;
    setup(&k);
    peer_id id = compact_peer(&k, "1.2.3.4:5000", CONN_INBOUND, true);
    offer(&k, 2);
    say_compact(&k, id);
    cr_assert(harness_answer(&k.h, id, MESSAGE_GETBLOCKTXN, &m));
    cr_assert_eq(m.as.getblocktxn.count, 1);
    say_blocktxn(&k, id, 1, 1);
    cr_assert(is_tip(&k));
    teardown(&k);
    setup(&k);
    id = compact_peer(&k, "1.2.3.4:5000", CONN_INBOUND, true);
    offer(&k, 1);
    offer(&k, 2);
    say_compact(&k, id);
    cr_assert_eq(harness_answers(&k.h, id, MESSAGE_GETBLOCKTXN), 0);
    cr_assert(is_tip(&k));
    teardown(&k);
}

Test(compact, a_block_that_does_not_fit_its_header_is_fetched_whole)
{
    struct compact_kit k;
    struct message m;
    setup(&k);
    peer_id id = compact_peer(&k, "1.2.3.4:5000", CONN_INBOUND, true);
    say_compact(&k, id);
    harness_forget(&k.h, id);
    say_blocktxn(&k, id, 0, 2);
    cr_assert(harness_answer(&k.h, id, MESSAGE_GETDATA, &m));
    cr_assert_eq(m.as.inv.items[0].type, INV_WITNESS_BLOCK);
    cr_assert_not(is_tip(&k));
    cr_assert_not(is_gone(&k.h, id), "short ids may collide");
    say_compact(&k, id);
    cr_assert(harness_logged(&k.h, "Peer sent us compact block we were already syncing!"));
    harness_say(&k.h, id, &(struct message){.type = MESSAGE_BLOCK, .as.raw.raw = k.block->raw});
    cr_assert(is_tip(&k));
    teardown(&k);
}

Test(compact, a_second_answer_after_a_failed_one_is_misbehaviour)
{
    struct compact_kit k;
    setup(&k);
    peer_id id = compact_peer(&k, "1.2.3.4:5000", CONN_INBOUND, true);
    say_compact(&k, id);
    say_blocktxn(&k, id, 0, 2);
    say_blocktxn(&k, id, 1, 2);
    cr_assert(harness_logged(&k.h, "previous compact block reconstruction attempt failed"));
    cr_assert(is_gone(&k.h, id));
    teardown(&k);
}

Test(compact, a_wrong_number_of_transactions_is_misbehaviour)
{
    struct compact_kit k;
    for (size_t count = 1; count <= 3; count += 2) {
        setup(&k);
        peer_id id = compact_peer(&k, "1.2.3.4:5000", CONN_INBOUND, true);
        say_compact(&k, id);
        say_blocktxn(&k, id, 0, count);
        cr_assert(harness_logged(&k.h, "invalid compact block/non-matching block transactions"));
        cr_assert(is_gone(&k.h, id));
        teardown(&k);
    }
}

Test(compact, what_nobody_asked_for_is_ignored)
{
    struct compact_kit k;
    setup(&k);
    peer_id low = compact_peer(&k, "1.2.3.4:5000", CONN_INBOUND, false);
    say_compact(&k, low);
    cr_assert(harness_logged(&k.h, "not marked as high-bandwidth, sent us an unsolicited compact block!"));
    peer_id silent = harness_peer(&k.h, "1.2.3.5:5000", CONN_INBOUND);
    say_compact(&k, silent);
    cr_assert(harness_logged(&k.h, "despite never having sent us a SENDCMPCT!"));
    say_blocktxn(&k, low, 1, 2);
    cr_assert(harness_logged(&k.h, "sent us block transactions for block we weren't expecting"));
    cr_assert_eq(harness_answers(&k.h, low, MESSAGE_GETBLOCKTXN), 0);
    const struct in_flight *f = download_find(k.h.p, &k.block->hash);
    cr_assert(f && !f->partial, "it counts as a header: the block is fetched as any other");
    k.h.p->options.blocks_only = true;
    peer_id high = compact_peer(&k, "1.2.3.6:5000", CONN_INBOUND, true);
    say_compact(&k, high);
    cr_assert_eq(harness_answers(&k.h, high, MESSAGE_GETBLOCKTXN), 0);
    teardown(&k);
}

Test(compact, a_requested_one_needs_no_high_bandwidth)
{
    struct compact_kit k;
    setup(&k);
    peer_id id = compact_peer(&k, "1.2.3.4:5000", CONN_INBOUND, false);
    struct header_node n;
    header_node_link(&n, &k.block->header, &k.block->hash, &chain_tip(k.h.kit.chain)->header);
    say_header(&k.h, id, &n);
    struct message m;
    cr_assert(harness_answer(&k.h, id, MESSAGE_GETDATA, &m));
    cr_assert_eq(m.as.inv.items[0].type, INV_CMPCT_BLOCK);
    say_compact(&k, id);
    cr_assert(harness_answer(&k.h, id, MESSAGE_GETBLOCKTXN, NULL));
    say_blocktxn(&k, id, 1, 2);
    cr_assert(is_tip(&k));
    teardown(&k);
}

Test(compact, an_unknown_parent_makes_us_ask_for_headers)
{
    struct compact_kit k;
    setup(&k);
    peer_id id = compact_peer(&k, "1.2.3.4:5000", CONN_INBOUND, true);
    harness_peer_of(&k.h, id)->headers.last_getheaders_us = 0;
    k.c.header.prev.bytes[0] ^= 1;
    say_compact(&k, id);
    cr_assert(harness_answer(&k.h, id, MESSAGE_GETHEADERS, NULL));
    cr_assert_not(is_gone(&k.h, id));
    teardown(&k);
}

Test(compact, low_work_is_ignored_and_bad_work_is_not)
{
    struct compact_kit k;
    setup(&k);
    peer_id id = compact_peer(&k, "1.2.3.4:5000", CONN_INBOUND, true);
    struct u256 minimum = k.h.kit.chain->options.minimum_chain_work;
    k.h.kit.chain->options.minimum_chain_work = u256_from_u64(UINT64_C(1) << 40);
    say_compact(&k, id);
    cr_assert(harness_logged(&k.h, "Ignoring low-work compact block"));
    cr_assert_not(is_gone(&k.h, id));
    k.h.kit.chain->options.minimum_chain_work = minimum;
    k.c.header.bits = 0x1d00ffff;
    say_compact(&k, id);
    cr_assert(harness_logged(&k.h, "invalid header via cmpctblock"));
    cr_assert(is_gone(&k.h, id));
    teardown(&k);
}

Test(compact, three_requests_a_block_and_the_last_for_an_outbound_peer)
{
    struct compact_kit k;
    setup(&k);
    peer_id a = compact_peer(&k, "1.2.3.4:5000", CONN_INBOUND, false);
    peer_id b = compact_peer(&k, "1.2.3.5:5000", CONN_INBOUND, false);
    peer_id c = compact_peer(&k, "1.2.3.6:5000", CONN_INBOUND, false);
    peer_id d = compact_peer(&k, "2.2.3.4:18444", CONN_OUTBOUND_FULL, false);
    peer_id e = compact_peer(&k, "1.2.3.7:5000", CONN_INBOUND, false);
    say_compact_high(&k, a);
    say_compact_high(&k, b);
    say_compact_high(&k, c);
    cr_assert(harness_answer(&k.h, a, MESSAGE_GETBLOCKTXN, NULL));
    cr_assert(harness_answer(&k.h, b, MESSAGE_GETBLOCKTXN, NULL));
    cr_assert_not(harness_answer(&k.h, c, MESSAGE_GETBLOCKTXN, NULL), "the last place is kept");
    say_compact_high(&k, d);
    cr_assert(harness_answer(&k.h, d, MESSAGE_GETBLOCKTXN, NULL));
    say_compact_high(&k, e);
    cr_assert_not(harness_answer(&k.h, e, MESSAGE_GETBLOCKTXN, NULL));
    cr_assert_null(download_of_peer(k.h.p, harness_peer_of(&k.h, e), &k.block->hash));
    /* One that can be completed is taken all the same. */
    offer(&k, 1);
    offer(&k, 2);
    say_compact_high(&k, e);
    cr_assert(is_tip(&k));
    cr_assert_null(download_find(k.h.p, &k.block->hash), "the others' requests are void");
    teardown(&k);
}

Test(compact, the_slower_answer_of_a_second_peer_does_not_fetch_the_block)
{
    struct compact_kit k;
    setup(&k);
    peer_id a = compact_peer(&k, "1.2.3.4:5000", CONN_INBOUND, true);
    peer_id b = compact_peer(&k, "1.2.3.5:5000", CONN_INBOUND, true);
    say_compact(&k, a);
    say_compact(&k, b);
    say_blocktxn(&k, b, 0, 2);
    cr_assert(harness_logged(&k.h, "but it failed to reconstruct, waiting on first download to complete"));
    cr_assert_eq(harness_answers(&k.h, b, MESSAGE_GETDATA), 0);
    cr_assert_null(download_of_peer(k.h.p, harness_peer_of(&k.h, b), &k.block->hash));
    cr_assert_not_null(download_of_peer(k.h.p, harness_peer_of(&k.h, a), &k.block->hash));
    say_blocktxn(&k, a, 1, 2);
    cr_assert(is_tip(&k));
    teardown(&k);
}

Test(compact, a_block_that_is_being_judged_is_not_asked_for_again)
{
    struct compact_kit k;
    setup(&k);
    peer_id a = compact_peer(&k, "1.2.3.4:5000", CONN_INBOUND, true);
    peer_id b = compact_peer(&k, "1.2.3.5:5000", CONN_INBOUND, true);
    k.h.hold_blocks = true;
    say_compact(&k, a);
    say_blocktxn(&k, a, 1, 2);
    cr_assert(blocks_pending(k.h.p, &k.block->hash));
    say_compact(&k, b);
    cr_assert_eq(harness_answers(&k.h, b, MESSAGE_GETBLOCKTXN), 0);
    k.h.hold_blocks = false;
    harness_pump(&k.h);
    cr_assert(is_tip(&k));
    teardown(&k);
}

Test(compact, an_invalid_block_in_compact_form_blames_nobody)
{
    struct compact_kit k;
    setup(&k);
    struct draft d = draft_on(&chain_tip(k.h.kit.chain)->header, &k.h.kit.params, 0);
    d.coinbase_value *= 2;
    block_free(k.block);
    k.block = draft_mine(&d, &k.h.kit.params);
    arena_reset(&k.arena);
    compact_block_make(&k.c, k.block, 7, &k.arena);
    peer_id id = compact_peer(&k, "1.2.3.4:5000", CONN_INBOUND, true);
    say_compact(&k, id);
    cr_assert_eq(k.h.blocks_done[BLOCK_DONE_NEW], 1);
    cr_assert_not(is_tip(&k));
    cr_assert_not(is_gone(&k.h, id));
    teardown(&k);
}

/* ---- serving ---- */

static void say_getblocktxn(struct harness *h, peer_id id, const struct block_hash *hash, uint16_t index)
{
    struct message m = {.type = MESSAGE_GETBLOCKTXN};
    m.as.getblocktxn = (struct getblocktxn_message){.block = *hash, .indexes = &index, .count = 1};
    harness_say(h, id, &m);
}

Test(compact, transactions_of_a_young_block_are_served)
{
    struct compact_kit k;
    struct message m;
    setup(&k);
    harness_feed(&k.h, k.block);
    peer_id id;
    for (int old = 0; old < 2; old++) {
        id = harness_peer(&k.h, old ? "1.2.3.5:5000" : "1.2.3.4:5000", CONN_INBOUND);
        say_getblocktxn(&k.h, id, &k.block->hash, 2);
        cr_assert(harness_answer(&k.h, id, MESSAGE_BLOCKTXN, &m));
        cr_assert_eq(m.as.blocktxn.count, 1);
        cr_assert(wtxid_equal(&m.as.blocktxn.txs[0].wtxid, &k.block->txs[2].wtxid));
        grow(&k.h, old ? 1 : 10);
    }
    id = harness_peer(&k.h, "1.2.3.6:5000", CONN_INBOUND);
    say_getblocktxn(&k.h, id, &k.block->hash, 2);
    cr_assert_eq(harness_answers(&k.h, id, MESSAGE_BLOCKTXN), 0);
    harness_ticks(&k.h, 1);
    cr_assert(harness_answer(&k.h, id, MESSAGE_BLOCK, &m), "11 deep: all of it");
    cr_assert(span_equal(m.as.raw.raw, k.block->raw));
    teardown(&k);
}

Test(compact, requests_that_make_no_sense)
{
    struct compact_kit k;
    struct block_hash unknown = {{1}};
    setup(&k);
    harness_feed(&k.h, k.block);
    peer_id id = harness_peer(&k.h, "1.2.3.4:5000", CONN_INBOUND);
    say_getblocktxn(&k.h, id, &unknown, 0);
    cr_assert(harness_logged(&k.h, "sent us a getblocktxn for a block we don't have"));
    say_getblocktxn(&k.h, id, &k.block->hash, 3);
    cr_assert(harness_logged(&k.h, "getblocktxn with out-of-bounds tx indices"));
    cr_assert(is_gone(&k.h, id));
    id = harness_peer(&k.h, "1.2.3.5:5000", CONN_INBOUND);
    struct message m = {.type = MESSAGE_GETBLOCKTXN, .as.getblocktxn.block = k.block->hash};
    harness_say(&k.h, id, &m);
    cr_assert(harness_logged(&k.h, "getblocktxn received with no transaction indexes"));
    cr_assert(is_gone(&k.h, id));
    teardown(&k);
}

Test(compact, old_blocks_are_not_sent_in_compact_form)
{
    struct compact_kit k;
    struct message m;
    setup(&k);
    harness_feed(&k.h, k.block);
    peer_id id;
    for (int i = 0; i < 2; i++) {
        id = harness_peer(&k.h, i ? "1.2.3.5:5000" : "1.2.3.4:5000", CONN_INBOUND);
        say_getdata(&k.h, id, INV_CMPCT_BLOCK, &k.block->hash);
        cr_assert(harness_answer(&k.h, id, MESSAGE_CMPCTBLOCK, &m));
        cr_assert_eq(m.as.cmpctblock.short_count, 2);
        grow(&k.h, i ? 1 : 5);
    }
    id = harness_peer(&k.h, "1.2.3.6:5000", CONN_INBOUND);
    say_getdata(&k.h, id, INV_CMPCT_BLOCK, &k.block->hash);
    cr_assert_not(harness_answer(&k.h, id, MESSAGE_CMPCTBLOCK, NULL));
    cr_assert(harness_answer(&k.h, id, MESSAGE_BLOCK, NULL));
    /* Nor is anything while our tip is old. */
    struct block_hash tip = chain_tip(k.h.kit.chain)->header.hash;
    k.h.wall_us += 4 * 3600 * INT64_C(1000000);
    harness_ticks(&k.h, 1);
    id = harness_peer(&k.h, "1.2.3.7:5000", CONN_INBOUND);
    say_getdata(&k.h, id, INV_CMPCT_BLOCK, &tip);
    cr_assert_not(harness_answer(&k.h, id, MESSAGE_CMPCTBLOCK, NULL));
    cr_assert(harness_answer(&k.h, id, MESSAGE_BLOCK, NULL));
    teardown(&k);
}

/* ---- modes ---- */

Test(compact, sendcmpct_is_a_yes_or_no)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_inbound(&h, "1.2.3.4:5000");
    harness_handshake(&h, id);
    struct message m;
    cr_assert(harness_answer(&h, id, MESSAGE_SENDCMPCT, &m));
    cr_assert_eq(m.as.sendcmpct.high_bandwidth, 0);
    cr_assert_eq(m.as.sendcmpct.version, 2);
    struct message other = {.type = MESSAGE_SENDCMPCT, .as.sendcmpct = {.high_bandwidth = 1, .version = 1}};
    harness_say(&h, id, &other);
    cr_assert_not(harness_peer_of(&h, id)->compact.provides);
    say_sendcmpct(&h, id, true);
    cr_assert(harness_peer_of(&h, id)->compact.provides);
    cr_assert(harness_peer_of(&h, id)->compact.hb_from);
    say_sendcmpct(&h, id, false);
    cr_assert_not(harness_peer_of(&h, id)->compact.hb_from);
    other.as.sendcmpct.high_bandwidth = 2;
    harness_say(&h, id, &other);
    cr_assert(harness_logged(&h, "invalid sendcmpct announce field"));
    cr_assert(is_gone(&h, id));
    harness_free(&h);
}

static void reward(struct harness *h, peer_id id)
{
    compact_reward(h->p, harness_peer_of(h, id));
    harness_pump(h);
}

static peer_id open_peer(struct harness *h, const char *at, enum conn_type type)
{
    peer_id id = harness_peer(h, at, type);
    say_sendcmpct(h, id, false);
    harness_forget(h, id);
    return id;
}

Test(compact, three_peers_are_heard_first_and_the_oldest_choice_gives_way)
{
    struct harness h;
    struct message m;
    harness_new(&h);
    peer_id a = open_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    peer_id b = open_peer(&h, "1.2.3.5:5000", CONN_INBOUND);
    peer_id c = open_peer(&h, "1.2.3.6:5000", CONN_INBOUND);
    peer_id d = open_peer(&h, "1.2.3.7:5000", CONN_INBOUND);
    reward(&h, a);
    reward(&h, b);
    reward(&h, c);
    reward(&h, a);
    cr_assert_eq(harness_answers(&h, a, MESSAGE_SENDCMPCT), 1, "not said again");
    reward(&h, d);
    cr_assert(harness_peer_of(&h, a)->compact.hb_to);
    cr_assert_not(harness_peer_of(&h, b)->compact.hb_to, "a was chosen anew since");
    cr_assert(harness_peer_of(&h, d)->compact.hb_to);
    cr_assert(harness_answer(&h, b, MESSAGE_SENDCMPCT, &m));
    cr_assert_eq(m.as.sendcmpct.high_bandwidth, 1);
    cr_assert(harness_answer(&h, b, MESSAGE_SENDCMPCT, &m));
    cr_assert_eq(m.as.sendcmpct.high_bandwidth, 0);
    harness_hang_up(&h, c);
    reward(&h, b);
    cr_assert(harness_peer_of(&h, a)->compact.hb_to);
    cr_assert(harness_peer_of(&h, b)->compact.hb_to);
    harness_free(&h);
}

Test(compact, inbound_peers_do_not_displace_the_only_outbound_one)
{
    struct harness h;
    harness_new(&h);
    peer_id out = open_peer(&h, "2.2.3.4:18444", CONN_OUTBOUND_FULL);
    reward(&h, out);
    peer_id in[4];
    for (int i = 0; i < 4; i++) {
        char at[32];
        snprintf(at, sizeof(at), "1.2.3.%d:5000", i + 4);
        in[i] = open_peer(&h, at, CONN_INBOUND);
        reward(&h, in[i]);
    }
    cr_assert(harness_peer_of(&h, out)->compact.hb_to);
    cr_assert_not(harness_peer_of(&h, in[0])->compact.hb_to);
    cr_assert_not(harness_peer_of(&h, in[1])->compact.hb_to);
    cr_assert(harness_peer_of(&h, in[2])->compact.hb_to && harness_peer_of(&h, in[3])->compact.hb_to);
    peer_id second = open_peer(&h, "2.3.3.4:18444", CONN_OUTBOUND_FULL);
    reward(&h, second);
    cr_assert_not(harness_peer_of(&h, out)->compact.hb_to, "another outbound peer may");
    harness_free(&h);
}

Test(compact, nobody_is_chosen_who_cannot_or_by_a_node_without_transactions)
{
    struct harness h;
    harness_new(&h);
    peer_id mute = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    reward(&h, mute);
    cr_assert_eq(harness_answers(&h, mute, MESSAGE_SENDCMPCT), 0);
    h.p->options.blocks_only = true;
    peer_id id = open_peer(&h, "1.2.3.5:5000", CONN_INBOUND);
    reward(&h, id);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_SENDCMPCT), 0);
    harness_free(&h);
}

Test(compact, the_extra_pool_keeps_the_newest)
{
    struct harness h;
    harness_prepare(&h);
    h.options.extra_txs = 3;
    harness_open(&h);
    for (uint8_t i = 0; i < 5; i++) {
        struct wtxid id = {{i}};
        uint8_t raw[4] = {i, i, i, i};
        compact_offer_extra(h.p, &id, span_of(raw, (size_t)i + 1 > 4 ? 4 : (size_t)i + 1));
    }
    const struct extra_pool *x = &h.p->compact.extra;
    cr_assert_eq(x->count, 3);
    cr_assert_eq(x->items[0].wtxid.bytes[0], 3);
    cr_assert_eq(x->items[1].wtxid.bytes[0], 4);
    cr_assert_eq(x->items[2].wtxid.bytes[0], 2);
    cr_assert_eq(x->bytes, 4 + 4 + 3);
    cr_assert_geq(compact_memory(h.p), 11 + 3 * sizeof(struct partial_candidate));
    harness_free(&h);
    harness_prepare(&h);
    h.options.extra_txs = 0;
    harness_open(&h);
    compact_offer_extra(h.p, &(struct wtxid){{1}}, span_of("x", 1));
    cr_assert_eq(h.p->compact.extra.count, 0);
    harness_free(&h);
}
