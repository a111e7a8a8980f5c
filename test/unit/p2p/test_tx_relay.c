/* Transactions out: who is told of what, when and in which order, and who may have it. */
#include "p2p/tx_relay_rate.h"
#include "pool_kit.h"

/* A peer whose first trickle is over. */
static peer_id relay_peer(struct pool_kit *k, const char *at, enum conn_type type)
{
    peer_id id = harness_peer(&k->h, at, type);
    harness_ticks(&k->h, 1);
    harness_forget(&k->h, id);
    cr_assert_neq(harness_peer_of(&k->h, id)->tx_relay.next_us, 0);
    return id;
}

/* Ticks until TX was told, in tenths of a second; at most a minute. */
static int ticks_until_told(struct pool_kit *k, peer_id id, const struct tx *tx)
{
    for (int i = 1; i <= 600; i++) {
        harness_ticks(&k->h, 1);
        if (was_told(k, id, tx)) return i;
    }
    return 601;
}

/* ---- when ---- */

/* Average delay in tenths of a second. */
static int average_delay(enum conn_type type)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id id = relay_peer(&k, "1.2.3.4:18444", type);
    int sum = 0;
    for (int i = 0; i < POOL_COINS; i++) {
        const struct tx *tx = coin_tx(&k, (size_t)i, 10000);
        send_tx(&k, tx);
        cr_assert_not(was_told(&k, id, tx), "not at once");
        int ticks = ticks_until_told(&k, id, tx);
        cr_assert_lt(ticks, 600);
        sum += ticks;
    }
    pool_kit_free(&k);
    return sum / POOL_COINS;
}

Test(tx_relay, outbound_peers_hear_after_two_seconds_and_inbound_ones_after_five)
{
    int outbound = average_delay(CONN_OUTBOUND_FULL), inbound = average_delay(CONN_INBOUND);
    cr_assert(outbound > 10 && outbound < 32, "%d", outbound);
    cr_assert(inbound > 30 && inbound < 75, "%d", inbound);
}

Test(tx_relay, inbound_peers_of_a_network_share_the_moment)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id a = relay_peer(&k, "1.2.3.4:5000", CONN_INBOUND), b = relay_peer(&k, "1.2.3.5:5000", CONN_INBOUND);
    peer_id c = relay_peer(&k, "[2001:db8::1]:5000", CONN_INBOUND);
    harness_wait_s(&k.h, 60);
    for (int i = 0; i < 100; i++) {
        harness_ticks(&k.h, 1);
        cr_assert_eq(harness_peer_of(&k.h, a)->tx_relay.next_us, harness_peer_of(&k.h, b)->tx_relay.next_us);
        cr_assert_neq(harness_peer_of(&k.h, a)->tx_relay.next_us, harness_peer_of(&k.h, c)->tx_relay.next_us);
    }
    pool_kit_free(&k);
}

Test(tx_relay, who_may_not_be_banned_hears_at_once)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id id = permitted_peer(&k.h, "1.2.3.4:5000", PERM_NO_BAN);
    harness_ticks(&k.h, 1);
    for (size_t i = 0; i < 5; i++) {
        const struct tx *tx = coin_tx(&k, i, 10000);
        send_tx(&k, tx);
        harness_ticks(&k.h, 1);
        cr_assert(was_told(&k, id, tx));
    }
    pool_kit_free(&k);
}

Test(tx_relay, what_comes_in_the_handshake_is_not_told)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id id = harness_inbound(&k.h, "1.2.3.4:5000");
    struct message version = harness_version(&k.h);
    harness_say(&k.h, id, &version);
    const struct tx *tx = coin_tx(&k, 0, 10000);
    send_tx(&k, tx);
    harness_say_empty(&k.h, id, MESSAGE_VERACK);
    cr_assert_eq(ticks_until_told(&k, id, tx), 601);
    pool_kit_free(&k);
}

/* ---- what ---- */

Test(tx_relay, told_in_the_order_of_mining_parents_first)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id id = relay_peer(&k, "1.2.3.4:18444", CONN_OUTBOUND_FULL);
    const struct tx *low = coin_tx(&k, 0, 2000), *parent = coin_tx(&k, 1, 1000), *child = child_tx(&k, parent, 50000);
    const struct tx *mid = coin_tx(&k, 2, 10000);
    enter(&k, parent);
    enter(&k, low);
    enter(&k, child);
    enter(&k, mid);
    const struct tx *order[] = {low, child, mid, parent}, *expected[] = {parent, child, mid, low};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) p2p_relay_tx(k.h.p, &order[i]->txid, &order[i]->wtxid);
    struct message m;
    for (int i = 0; i < 600 && !harness_answers(&k.h, id, MESSAGE_INV); i++) harness_ticks(&k.h, 1);
    cr_assert(harness_answer(&k.h, id, MESSAGE_INV, &m));
    cr_assert_eq(m.as.inv.count, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        cr_assert_eq(m.as.inv.items[i].type, INV_WTX);
        cr_assert_arr_eq(m.as.inv.items[i].hash, expected[i]->wtxid.bytes, 32, "%zu", i);
    }
    pool_kit_free(&k);
}

Test(tx_relay, the_best_of_many_without_doubles)
{
    struct pool_kit k;
    struct wtxid ids[12];
    size_t count = 12;
    pool_kit_new(&k);
    for (size_t i = 0; i < 5; i++) {
        const struct tx *tx = coin_tx(&k, i, 1000 * ((int64_t)(i * 3) % 5 + 1)); /* 1 4 2 5 3 */
        enter(&k, tx);
        ids[2 * i] = ids[2 * i + 1] = tx->wtxid;
    }
    ids[10] = ids[11] = (struct wtxid){{7}}; /* left the pool */
    struct mempool_list best = tx_relay_best(k.h.pool, ids, &count, 3);
    cr_assert_eq(best.count, 3);
    for (size_t i = 0; i < 3; i++) cr_assert_eq(best.entries[i]->fee, 5000 - 1000 * (int64_t)i);
    cr_assert_eq(count, 4);
    free(best.entries);
    best = tx_relay_best(k.h.pool, ids, &count, 100);
    cr_assert_eq(best.count, 2);
    cr_assert_eq(best.entries[0]->fee, 2000);
    cr_assert_eq(best.entries[1]->fee, 1000);
    cr_assert_eq(count, 0);
    free(best.entries);
    best = tx_relay_best(k.h.pool, ids, &count, 100);
    cr_assert_eq(best.count, 0);
    free(best.entries);
    pool_kit_free(&k);
}

Test(tx_relay, by_txid_to_who_did_not_ask_for_wtxids)
{
    struct pool_kit k;
    struct message m;
    pool_kit_new(&k);
    peer_id id = harness_inbound(&k.h, "1.2.3.4:5000");
    struct message version = harness_version(&k.h);
    harness_say(&k.h, id, &version);
    harness_say_empty(&k.h, id, MESSAGE_VERACK);
    harness_ticks(&k.h, 1);
    const struct tx *tx = coin_tx(&k, 0, 10000);
    send_tx(&k, tx);
    harness_wait_s(&k.h, 60);
    cr_assert(harness_answer(&k.h, id, MESSAGE_INV, &m));
    cr_assert_eq(m.as.inv.items[0].type, INV_TX);
    cr_assert_arr_eq(m.as.inv.items[0].hash, tx->txid.bytes, 32);
    pool_kit_free(&k);
}

Test(tx_relay, nothing_below_the_fee_filter)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id id = relay_peer(&k, "1.2.3.4:5000", CONN_INBOUND);
    const struct tx *poor = coin_tx(&k, 0, 1000), *rich = coin_tx(&k, 1, 1001);
    int64_t rate = 1001 * 1000 / poor->size;
    harness_say(&k.h, id, &(struct message){.type = MESSAGE_FEEFILTER, .as.feefilter = rate});
    send_tx(&k, poor);
    send_tx(&k, rich);
    harness_wait_s(&k.h, 60);
    struct message m;
    cr_assert(harness_answer(&k.h, id, MESSAGE_INV, &m));
    cr_assert_eq(m.as.inv.count, 1);
    cr_assert_arr_eq(m.as.inv.items[0].hash, rich->wtxid.bytes, 32);
    pool_kit_free(&k);
}

Test(tx_relay, nobody_is_told_what_they_know)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id a = relay_peer(&k, "1.2.3.4:5000", CONN_INBOUND), b = relay_peer(&k, "1.2.3.5:5000", CONN_INBOUND);
    const struct tx *tx = coin_tx(&k, 0, 10000), *sent = coin_tx(&k, 1, 10000);
    say_tx_inv(&k.h, a, INV_WTX, tx->wtxid.bytes);
    harness_say_bytes(&k.h, a, "tx", sent->raw);
    send_tx(&k, tx);
    if (!mempool_find(k.h.pool, &sent->txid)) send_tx(&k, sent);
    harness_wait_s(&k.h, 60);
    cr_assert_eq(harness_answers(&k.h, a, MESSAGE_INV), 0);
    struct message m;
    cr_assert(harness_answer(&k.h, b, MESSAGE_INV, &m));
    cr_assert_eq(m.as.inv.count, 2);
    /* And once is enough. */
    p2p_relay_tx(k.h.p, &tx->txid, &tx->wtxid);
    harness_wait_s(&k.h, 60);
    cr_assert_eq(harness_answers(&k.h, b, MESSAGE_INV), 0);
    pool_kit_free(&k);
}

Test(tx_relay, what_left_the_pool_is_not_told)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id id = relay_peer(&k, "1.2.3.4:5000", CONN_INBOUND);
    harness_peer_of(&k.h, id)->tx_relay.next_us = k.h.wall_us + 30000000;
    const struct tx *tx = coin_tx(&k, 0, 10000);
    send_tx(&k, tx);
    cr_assert_eq(harness_peer_of(&k.h, id)->tx_relay.count, 1);
    struct draft d = draft_on(&chain_tip(k.h.kit.chain)->header, &k.h.kit.params, 0);
    buffer_put_span(&d.txs, tx->raw);
    draft_tx_end(&d, 0);
    struct block *b = draft_mine(&d, &k.h.kit.params);
    harness_feed(&k.h, b);
    block_free(b);
    cr_assert_eq(mempool_count(k.h.pool), 0);
    harness_forget(&k.h, id);
    harness_wait_s(&k.h, 60);
    cr_assert_eq(harness_peer_of(&k.h, id)->tx_relay.count, 0);
    cr_assert_not(was_told(&k, id, tx));
    pool_kit_free(&k);
}

Test(tx_relay, not_where_there_is_no_relay_of_transactions)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id block_relay = harness_peer(&k.h, "1.2.3.4:18444", CONN_BLOCK_RELAY);
    peer_id deaf = harness_inbound(&k.h, "1.2.3.5:5000");
    struct message version = harness_version(&k.h);
    version.as.version.relay = false;
    harness_say(&k.h, deaf, &version);
    harness_say_empty(&k.h, deaf, MESSAGE_VERACK);
    harness_ticks(&k.h, 1);
    const struct tx *tx = coin_tx(&k, 0, 10000);
    send_tx(&k, tx);
    harness_wait_s(&k.h, 60);
    cr_assert_not(was_told(&k, block_relay, tx));
    cr_assert_not(was_told(&k, deaf, tx));
    /* What they ask for is passed over without a word. */
    say_tx_getdata(&k.h, deaf, INV_WTX, tx->wtxid.bytes);
    cr_assert_eq(harness_answers(&k.h, deaf, MESSAGE_TX), 0);
    cr_assert_eq(harness_answers(&k.h, deaf, MESSAGE_NOTFOUND), 0);
    pool_kit_free(&k);
}

/* ---- who may have it ---- */

Test(tx_relay, served_is_what_was_there_when_they_were_last_told)
{
    struct pool_kit k;
    struct message m;
    struct peer_info info;
    pool_kit_new(&k);
    peer_id id = relay_peer(&k, "1.2.3.4:5000", CONN_INBOUND);
    const struct tx *first = coin_tx(&k, 0, 10000), *second = coin_tx(&k, 1, 10000);
    send_tx(&k, first);
    cr_assert(p2p_info(k.h.p, id, &info));
    cr_assert_eq(info.inv_to_send, 1);
    cr_assert_eq(info.last_inv_sequence, 1);
    say_tx_getdata(&k.h, id, INV_WTX, first->wtxid.bytes);
    cr_assert(harness_answer(&k.h, id, MESSAGE_NOTFOUND, &m), "they cannot know of it");
    cr_assert_eq(harness_answers(&k.h, id, MESSAGE_TX), 0);
    harness_wait_s(&k.h, 60);
    cr_assert(was_told(&k, id, first));
    cr_assert(p2p_info(k.h.p, id, &info));
    cr_assert_eq(info.inv_to_send, 0);
    cr_assert_eq(info.last_inv_sequence, mempool_sequence(k.h.pool));
    const uint32_t types[] = {INV_WTX, INV_TX, INV_WITNESS_TX};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        say_tx_getdata(&k.h, id, types[i], types[i] == INV_WTX ? first->wtxid.bytes : first->txid.bytes);
        cr_assert(harness_answer(&k.h, id, MESSAGE_TX, &m), "%zu", i);
        cr_assert(span_equal(m.as.raw.raw, first->raw));
    }
    enter(&k, second);
    say_tx_getdata(&k.h, id, INV_WTX, second->wtxid.bytes);
    cr_assert(harness_answer(&k.h, id, MESSAGE_NOTFOUND, &m));
    pool_kit_free(&k);
}

/* ---- again and again ---- */

Test(tx_relay, what_nobody_asked_for_is_told_again)
{
    struct pool_kit k;
    struct message m;
    pool_kit_new(&k);
    const struct tx *tx = coin_tx(&k, 0, 10000);
    send_tx(&k, tx);
    mempool_add_unbroadcast(k.h.pool, &tx->txid);
    peer_id id = relay_peer(&k, "1.2.3.4:5000", CONN_INBOUND);
    harness_wait_s(&k.h, 60);
    cr_assert_not(was_told(&k, id, tx), "they came later");
    p2p_mock_scheduler(k.h.p, 15 * 60);
    harness_ticks(&k.h, 1);
    harness_wait_s(&k.h, 60);
    cr_assert(was_told(&k, id, tx));
    cr_assert(mempool_is_unbroadcast(k.h.pool, &tx->txid), "told is not asked for");
    say_tx_getdata(&k.h, id, INV_WTX, tx->wtxid.bytes);
    cr_assert(harness_answer(&k.h, id, MESSAGE_TX, &m));
    cr_assert_not(mempool_is_unbroadcast(k.h.pool, &tx->txid));
    id = relay_peer(&k, "1.2.3.5:5000", CONN_INBOUND);
    p2p_mock_scheduler(k.h.p, 15 * 60);
    harness_ticks(&k.h, 1);
    harness_wait_s(&k.h, 60);
    cr_assert_not(was_told(&k, id, tx), "the network has it");
    pool_kit_free(&k);
}

Test(tx_relay, the_whole_pool_on_demand)
{
    struct pool_kit k;
    struct message m;
    pool_kit_new(&k);
    peer_id id = permitted_peer(&k.h, "1.2.3.4:5000", PERM_MEMPOOL);
    harness_ticks(&k.h, 1);
    const struct tx *poor = coin_tx(&k, 0, 100), *told = coin_tx(&k, 1, 10000), *other = coin_tx(&k, 2, 20000);
    harness_say(&k.h, id, &(struct message){.type = MESSAGE_FEEFILTER, .as.feefilter = 2000});
    enter(&k, poor);
    send_tx(&k, told);
    harness_wait_s(&k.h, 60);
    cr_assert(was_told(&k, id, told));
    enter(&k, other);
    say_tx_getdata(&k.h, id, INV_WTX, other->wtxid.bytes);
    cr_assert(harness_answer(&k.h, id, MESSAGE_NOTFOUND, &m));
    harness_say_empty(&k.h, id, MESSAGE_MEMPOOL);
    harness_wait_s(&k.h, 60);
    cr_assert(harness_answer(&k.h, id, MESSAGE_INV, &m));
    cr_assert_eq(m.as.inv.count, 2, "also what they know; not what is below their fee filter");
    cr_assert_arr_eq(m.as.inv.items[0].hash, other->wtxid.bytes, 32);
    cr_assert_arr_eq(m.as.inv.items[1].hash, told->wtxid.bytes, 32);
    say_tx_getdata(&k.h, id, INV_WTX, other->wtxid.bytes);
    cr_assert(harness_answer(&k.h, id, MESSAGE_TX, &m));
    pool_kit_free(&k);
}

/* ---- bounds ---- */

Test(tx_relay, a_flood_goes_out_at_the_rate_best_first)
{
    struct pool_kit k;
    struct p2p_tx_rate rate;
    memset(&k, 0, sizeof(k));
    harness_prepare(&k.h);
    k.h.options.tx_send_rate = 1;
    pool_open(&k);
    peer_id id = relay_peer(&k, "1.2.3.4:5000", CONN_INBOUND);
    struct peer *peer = harness_peer_of(&k.h, id);
    peer->tx_relay.next_us = INT64_MAX;
    p2p_tx_rate(k.h.p, &rate);
    cr_assert_eq(rate.rate, 1);
    cr_assert(rate.inbound.count_tokens <= 30 && rate.inbound.count_tokens > 29);
    for (size_t i = 0; i < 30; i++) send_tx(&k, coin_tx(&k, i % POOL_COINS, 1000 + (int64_t)i));
    p2p_tx_rate(k.h.p, &rate);
    cr_assert_eq(peer->tx_relay.count, 30);
    cr_assert_eq(rate.inbound.backlog, 0);
    cr_assert(rate.inbound.count_tokens <= 0);
    /* Nothing is left: ten more wait, and after three seconds the best go, at most five more than there are tokens. */
    const struct tx *late[10];
    for (size_t i = 0; i < 10; i++) {
        const struct mempool_entry *e = mempool_at(k.h.pool, i);
        late[i] = child_tx(&k, &e->tx, i == 7 ? 90000 : 2000 + (int64_t)i);
        send_tx(&k, late[i]);
    }
    p2p_tx_rate(k.h.p, &rate);
    cr_assert_eq(rate.inbound.backlog, 10);
    harness_wait_s(&k.h, 1);
    p2p_tx_rate(k.h.p, &rate);
    cr_assert_eq(rate.outbound.backlog, 0, "nobody there");
    cr_assert_gt(peer->tx_relay.count, 30);
    cr_assert_arr_eq(peer->tx_relay.queue[30].bytes, late[7]->wtxid.bytes, 32, "the best first");
    cr_assert_gt(rate.inbound.backlog, 0);
    cr_assert_eq(rate.inbound.backlog + peer->tx_relay.count, 40);
    cr_assert(rate.inbound.count_tokens >= -6);
    harness_ticks(&k.h, 300);
    p2p_tx_rate(k.h.p, &rate);
    cr_assert_eq(rate.inbound.backlog, 0);
    cr_assert_eq(peer->tx_relay.count, 40);
    pool_kit_free(&k);
}

Test(tx_relay, what_waits_for_nobody_is_forgotten)
{
    struct pool_kit k;
    struct p2p_tx_rate rate;
    pool_kit_new(&k);
    for (size_t i = 0; i < 5; i++) send_tx(&k, coin_tx(&k, i, 1000));
    p2p_tx_rate(k.h.p, &rate);
    cr_assert_eq(rate.rate, 14);
    cr_assert_eq(rate.inbound.backlog, 0);
    cr_assert_eq(rate.outbound.backlog, 0);
    pool_kit_free(&k);
}

Test(tx_relay, a_backlog_is_not_longer_than_the_pool_for_long)
{
    struct pool_kit k;
    struct tx_backlog b;
    pool_kit_new(&k);
    const struct tx *tx = coin_tx(&k, 0, 1000);
    enter(&k, tx);
    tx_backlog_init(&b, 14, 1);
    tx_backlog_put(&b, k.h.pool, &tx->wtxid);
    for (uint32_t i = 0; i < 100000; i++) {
        struct wtxid gone = {{1, 2, 3}};
        put_le32(gone.bytes + 8, i);
        tx_backlog_put(&b, k.h.pool, &gone);
        cr_assert_leq(b.waiting, 2000);
    }
    tx_backlog_fill(&b, 1);
    struct mempool_list best = tx_backlog_take(&b, k.h.pool);
    cr_assert_eq(best.count, 1);
    free(best.entries);
    tx_backlog_clear(&b);
    pool_kit_free(&k);
}

Test(tx_relay, the_queue_of_a_peer_is_bounded)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id id = relay_peer(&k, "1.2.3.4:5000", CONN_INBOUND);
    struct peer_tx_relay *t = &harness_peer_of(&k.h, id)->tx_relay;
    t->next_us = k.h.wall_us + 10000000;
    t->queue = mem_grow(t->queue, &t->cap, TX_RELAY_QUEUE_MAX - 1, sizeof(*t->queue));
    memset(t->queue, 0, t->cap * sizeof(*t->queue));
    t->count = TX_RELAY_QUEUE_MAX - 1;
    size_t before = p2p_memory(k.h.p);
    for (size_t i = 0; i < 3; i++) send_tx(&k, coin_tx(&k, i, 1000));
    cr_assert_eq(t->count, TX_RELAY_QUEUE_MAX);
    p2p_check(k.h.p);
    harness_wait_s(&k.h, 60);
    cr_assert_eq(t->count, 0);
    cr_assert_lt(t->cap, TX_RELAY_QUEUE_MAX, "the memory is given back");
    cr_assert_lt(p2p_memory(k.h.p), before);
    pool_kit_free(&k);
}

/* ---- compact blocks ---- */

Test(tx_relay, a_compact_block_needs_no_round_trip_where_the_pool_has_it)
{
    struct pool_kit k;
    struct arena arena = {0};
    struct compact_block c;
    pool_kit_new(&k);
    peer_id id = harness_peer(&k.h, "1.2.3.4:5000", CONN_INBOUND);
    say_sendcmpct(&k.h, id, false);
    harness_peer_of(&k.h, id)->compact.hb_to = true;
    struct draft d = draft_on(&chain_tip(k.h.kit.chain)->header, &k.h.kit.params, 0);
    for (size_t i = 0; i < POOL_COINS; i++) {
        const struct tx *tx = coin_tx(&k, i, 1000);
        enter(&k, tx);
        size_t start = d.txs.len;
        buffer_put_span(&d.txs, tx->raw);
        if (i % 3 == 0)
            draft_tx_end(&d, start);
        else
            d.txs.len = start;
    }
    struct block *b = draft_mine(&d, &k.h.kit.params);
    compact_block_make(&c, b, 7, &arena);
    harness_forget(&k.h, id);
    harness_say(&k.h, id, &(struct message){.type = MESSAGE_CMPCTBLOCK, .as.cmpctblock = c});
    cr_assert_eq(harness_answers(&k.h, id, MESSAGE_GETBLOCKTXN), 0);
    cr_assert(block_hash_equal(&chain_tip(k.h.kit.chain)->header.hash, &b->hash));
    cr_assert(harness_logged(
        &k.h, "with 1 txn prefilled, 10 txn from mempool (incl at least 0 from extra pool) and 0 txn (0 bytes)"));
    cr_assert_eq(mempool_count(k.h.pool), POOL_COINS - 10);
    block_free(b);
    arena_clear(&arena);
    pool_kit_free(&k);
}

Test(tx_relay, an_extra_transaction_may_be_offered_from_its_own_slot)
{
    struct pool_kit k;
    memset(&k, 0, sizeof(k));
    harness_prepare(&k.h);
    k.h.options.extra_txs = 1;
    pool_open(&k);
    const struct tx *tx = coin_tx(&k, 0, 1000);
    compact_offer_extra(k.h.p, &tx->wtxid, tx->raw);
    compact_offer_extra(k.h.p, &tx->wtxid, k.h.p->compact.extra.items[0].raw);
    cr_assert(span_equal(k.h.p->compact.extra.items[0].raw, tx->raw));
    cr_assert_eq(k.h.p->compact.extra.bytes, tx->raw.len);
    pool_kit_free(&k);
}
