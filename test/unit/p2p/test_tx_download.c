/* Transactions in: who is asked when, what becomes of what came, and of those whose parents are missing. */
#include "p2p/tx_download_internal.h"
#include "pool_kit.h"

/* How often ID was asked for HASH; takes all requests that went out to it. */
static size_t asked_for(struct pool_kit *k, peer_id id, const uint8_t hash[32])
{
    struct message m;
    size_t count = 0;
    while (harness_answer(&k->h, id, MESSAGE_GETDATA, &m))
        for (size_t i = 0; i < m.as.inv.count; i++) count += memcmp(m.as.inv.items[i].hash, hash, 32) == 0;
    return count;
}

static void announce(struct pool_kit *k, peer_id id, const struct tx *tx)
{
    say_tx_inv(&k->h, id, INV_WTX, tx->wtxid.bytes);
}

static void give(struct pool_kit *k, peer_id id, const struct tx *tx)
{
    harness_say_bytes(&k->h, id, "tx", tx->raw);
}

static bool is_in_pool(const struct pool_kit *k, const struct tx *tx)
{
    return mempool_find(k->h.pool, &tx->txid) != NULL;
}

static size_t orphans(const struct pool_kit *k)
{
    return p2p_orphans(k->h.p, NULL, 0);
}

static peer_id inbound(struct pool_kit *k, const char *at)
{
    return harness_peer(&k->h, at, CONN_INBOUND);
}

static peer_id outbound(struct pool_kit *k, const char *at)
{
    return harness_peer(&k->h, at, CONN_OUTBOUND_FULL);
}

static peer_id permitted(struct pool_kit *k, const char *at, unsigned permissions)
{
    struct p2p_connection c = {.remote = harness_endpoint(at), .permissions = permissions};
    peer_id id = harness_inbound_with(&k->h, &c);
    harness_handshake(&k->h, id);
    harness_forget(&k->h, id);
    return id;
}

/* COUNT invented hashes, which start with FIRST. */
static void announce_many(struct pool_kit *k, peer_id id, uint32_t first, size_t count)
{
    struct inv *items = mem_calloc(count, sizeof(*items));
    for (size_t i = 0; i < count; i++) {
        uint32_t n = first + (uint32_t)i;
        items[i].type = INV_WTX;
        memcpy(items[i].hash, &n, 4);
    }
    harness_say(&k->h, id, &(struct message){.type = MESSAGE_INV, .as.inv = {.items = items, .count = count}});
    free(items);
}

static size_t announced_by(const struct pool_kit *k, peer_id id)
{
    return tx_requests_count(k->h.p->tx_download->requests, id);
}

/* ---- who is asked ---- */

Test(tx_download, outbound_peers_are_asked_at_once_and_inbound_ones_after_two_seconds)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id in = inbound(&k, "1.2.3.4:5000"), out = outbound(&k, "2.2.3.4:18444");
    const struct tx *a = coin_tx(&k, 0, 1000), *b = coin_tx(&k, 1, 1000);
    announce(&k, in, a);
    cr_assert_eq(asked_for(&k, in, a->wtxid.bytes), 0);
    announce(&k, out, b);
    cr_assert_eq(asked_for(&k, out, b->wtxid.bytes), 1);
    harness_wait_us(&k.h, 1900000);
    cr_assert_eq(asked_for(&k, in, a->wtxid.bytes), 0);
    harness_wait_us(&k.h, 100000);
    cr_assert_eq(asked_for(&k, in, a->wtxid.bytes), 1);
    harness_wait_s(&k.h, 30);
    cr_assert_eq(asked_for(&k, in, a->wtxid.bytes), 0, "asked once");
    pool_kit_free(&k);
}

Test(tx_download, what_is_due_by_a_clock_that_was_set_does_not_wait_for_a_tick)
{
    struct pool_kit k;
    pool_kit_new(&k);
    struct harness *h = &k.h;
    peer_id in = inbound(&k, "1.2.3.4:5000");
    announce(&k, in, coin_tx(&k, 0, 1000));
    harness_ticks(h, 1);
    p2p_set_time(h->p, h->wall_us + 50000, h->steady_us + 50000);
    cr_assert_not(p2p_has_work(h->p));
    p2p_set_time(h->p, h->wall_us + 3000000, h->steady_us + 60000);
    cr_assert(p2p_has_work(h->p));
    p2p_tick(h->p);
    harness_pump(h);
    cr_assert_eq(harness_answers(h, in, MESSAGE_GETDATA), 1);
    pool_kit_free(&k);
}

Test(tx_download, the_next_is_asked_after_a_minute_or_notfound)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id a = outbound(&k, "1.2.3.4:18444"), b = outbound(&k, "2.2.3.4:18444"), c = inbound(&k, "3.3.3.3:5000");
    const struct tx *tx = coin_tx(&k, 0, 1000);
    announce(&k, a, tx);
    announce(&k, b, tx);
    announce(&k, c, tx);
    cr_assert_eq(asked_for(&k, a, tx->wtxid.bytes), 1);
    harness_wait_s(&k.h, 59);
    cr_assert_eq(asked_for(&k, b, tx->wtxid.bytes) + asked_for(&k, c, tx->wtxid.bytes), 0);
    harness_wait_s(&k.h, 1);
    harness_ticks(&k.h, 1);
    cr_assert_eq(asked_for(&k, b, tx->wtxid.bytes), 1, "outbound before inbound");
    cr_assert(harness_logged(&k.h, "timeout of inflight wtx "));
    struct inv gone = {.type = INV_WTX};
    memcpy(gone.hash, tx->wtxid.bytes, 32);
    harness_say(&k.h, b, &(struct message){.type = MESSAGE_NOTFOUND, .as.inv = {.items = &gone, .count = 1}});
    harness_ticks(&k.h, 1);
    cr_assert_eq(asked_for(&k, c, tx->wtxid.bytes), 1);
    harness_hang_up(&k.h, c);
    cr_assert_eq(tx_requests_total(k.h.p->tx_download->requests), 0, "nobody is left to be asked");
    pool_kit_free(&k);
}

Test(tx_download, txids_wait_while_there_are_peers_with_wtxids)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id in = harness_inbound(&k.h, "9.9.9.9:5000");
    struct message version = harness_version(&k.h);
    harness_say(&k.h, in, &version);
    harness_say_empty(&k.h, in, MESSAGE_VERACK);
    harness_forget(&k.h, in);
    const struct tx *a = coin_tx(&k, 0, 1000), *b = coin_tx(&k, 1, 1000);
    say_tx_inv(&k.h, in, INV_TX, a->txid.bytes);
    harness_wait_s(&k.h, 2);
    cr_assert_eq(asked_for(&k, in, a->txid.bytes), 1, "nobody else is there");
    peer_id other = inbound(&k, "1.2.3.4:5000");
    say_tx_inv(&k.h, in, INV_TX, b->txid.bytes);
    harness_wait_s(&k.h, 3);
    cr_assert_eq(asked_for(&k, in, b->txid.bytes), 0);
    harness_wait_s(&k.h, 1);
    cr_assert_eq(asked_for(&k, in, b->txid.bytes), 1);
    harness_hang_up(&k.h, other);
    pool_kit_free(&k);
}

Test(tx_download, a_peer_with_a_hundred_requests_waits_for_the_next)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id id = outbound(&k, "1.2.3.4:18444");
    announce_many(&k, id, 1, 100);
    cr_assert_eq(tx_requests_in_flight(k.h.p->tx_download->requests, id), 100);
    announce_many(&k, id, 1001, 1);
    cr_assert_eq(tx_requests_in_flight(k.h.p->tx_download->requests, id), 100);
    harness_wait_s(&k.h, 2);
    cr_assert_eq(tx_requests_in_flight(k.h.p->tx_download->requests, id), 101);
    peer_id free_one = permitted(&k, "4.4.4.4:5000", PERM_RELAY);
    announce_many(&k, free_one, 5001, 100);
    harness_wait_s(&k.h, 2);
    announce_many(&k, free_one, 6001, 1);
    harness_wait_s(&k.h, 2);
    cr_assert_eq(tx_requests_in_flight(k.h.p->tx_download->requests, free_one), 101);
    pool_kit_free(&k);
}

Test(tx_download, no_peer_announces_more_than_five_thousand)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id id = inbound(&k, "1.2.3.4:5000"), free_one = permitted(&k, "4.4.4.4:5000", PERM_RELAY);
    announce_many(&k, id, 1, 6000);
    cr_assert_eq(announced_by(&k, id), 5000);
    announce_many(&k, free_one, 1, 6000);
    cr_assert_eq(announced_by(&k, free_one), 6000);
    p2p_check(k.h.p);
    harness_hang_up(&k.h, id);
    cr_assert_eq(announced_by(&k, id), 0);
    harness_forget(&k.h, free_one);
    harness_wait_s(&k.h, 2);
    cr_assert_eq(harness_answers(&k.h, free_one, MESSAGE_GETDATA), 6, "a thousand in one message");
    pool_kit_free(&k);
}

/* How many lines of the log say that such an announcement was looked at. */
static size_t got_invs(struct harness *h)
{
    size_t count = 0;
    const char *at = buffer_text(&h->log_text);
    for (; (at = strstr(at, "got inv: ")); at++) count++;
    harness_clear_log(h);
    return count;
}

Test(tx_download, what_one_inv_names_twice_is_looked_at_once)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id id = inbound(&k, "1.2.3.4:5000");
    struct inv items[] = {{INV_WTX, {1}}, {INV_WTX, {2}}, {INV_WTX, {1}}, {INV_WITNESS_TX, {1}}, {INV_WTX, {2}}};
    struct message m = {.type = MESSAGE_INV, .as.inv = {.items = items, .count = ARRAY_LEN(items)}};
    harness_say(&k.h, id, &m);
    cr_assert_eq(got_invs(&k.h), 3, "by txid it may be another");
    harness_say(&k.h, id, &m);
    cr_assert_eq(got_invs(&k.h), 3, "the next message is looked at anew");
    pool_kit_free(&k);
}

Test(tx_download, nothing_is_asked_for_without_a_pool_or_in_initial_download)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:18444", CONN_OUTBOUND_FULL);
    uint8_t hash[32] = {1};
    say_tx_inv(&h, id, INV_WTX, hash);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_GETDATA), 0);
    harness_free(&h);
}

/* ---- what came ---- */

Test(tx_download, what_is_accepted_is_told_on_and_not_asked_for_again)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id a = outbound(&k, "1.2.3.4:18444"), b = outbound(&k, "2.2.3.4:18444");
    const struct tx *tx = coin_tx(&k, 0, 1000);
    announce(&k, a, tx);
    announce(&k, b, tx);
    give(&k, a, tx);
    cr_assert(is_in_pool(&k, tx));
    cr_assert(harness_logged(&k.h, "AcceptToMemoryPool: peer=0: accepted "));
    cr_assert_eq(tx_requests_total(k.h.p->tx_download->requests), 0);
    cr_assert_eq(harness_peer_of(&k.h, a)->txs.last_tx_s, k.h.wall_us / 1000000);
    cr_assert_eq(harness_peer_of(&k.h, b)->txs.last_tx_s, 0);
    announce(&k, b, tx);
    cr_assert(harness_logged(&k.h, " have peer=1"));
    harness_wait_s(&k.h, 60);
    cr_assert_eq(asked_for(&k, b, tx->wtxid.bytes), 0);
    pool_kit_free(&k);
}

/* Spends more than there is. */
static const struct tx *bad_tx(struct pool_kit *k, size_t at)
{
    return coin_tx(k, at, -1000);
}

Test(tx_download, what_is_refused_is_not_asked_for_until_the_chain_moves)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id a = outbound(&k, "1.2.3.4:18444"), b = outbound(&k, "2.2.3.4:18444");
    const struct tx *tx = bad_tx(&k, 0);
    give(&k, a, tx);
    cr_assert(harness_logged(&k.h, " from peer=0 was not accepted: bad-txns-in-belowout"));
    cr_assert_not(k.h.closed[a], "nobody is blamed: who sends it may know another chain");
    announce(&k, b, tx);
    cr_assert_eq(asked_for(&k, b, tx->wtxid.bytes), 0);
    harness_clear_log(&k.h);
    give(&k, b, tx);
    cr_assert_not(harness_logged(&k.h, "was not accepted"), "it is not judged twice");
    harness_mine(&k.h);
    announce(&k, b, tx);
    cr_assert_eq(asked_for(&k, b, tx->wtxid.bytes), 1);
    pool_kit_free(&k);
}

Test(tx_download, what_was_mined_is_not_asked_for)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id a = outbound(&k, "1.2.3.4:18444");
    struct block_node *n = harness_mine(&k.h);
    struct block *b;
    struct error e;
    cr_assert_eq(chain_read_block(k.h.kit.chain, n, &b, &e), RESULT_OK);
    announce(&k, a, &b->txs[0]);
    cr_assert_eq(asked_for(&k, a, b->txs[0].wtxid.bytes), 0);
    tx_download_on_disconnected(k.h.p);
    announce(&k, a, &b->txs[0]);
    cr_assert_eq(asked_for(&k, a, b->txs[0].wtxid.bytes), 1);
    block_free(b);
    pool_kit_free(&k);
}

Test(tx_download, refused_and_replaced_ones_are_kept_for_compact_blocks)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id a = outbound(&k, "1.2.3.4:18444");
    const struct extra_pool *extra = &k.h.p->compact.extra;
    give(&k, a, bad_tx(&k, 0));
    cr_assert_eq(extra->count, 1);
    const struct tx *first = coin_tx(&k, 1, 1000), *second = coin_tx(&k, 1, 100000);
    give(&k, a, first);
    cr_assert_eq(extra->count, 1);
    give(&k, a, second);
    cr_assert(is_in_pool(&k, second) && !is_in_pool(&k, first));
    cr_assert_eq(extra->count, 2);
    cr_assert(wtxid_equal(&extra->items[1].wtxid, &first->wtxid));
    pool_kit_free(&k);
}

Test(tx_download, who_may_force_relay_has_it_told_again)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id force = permitted(&k, "4.4.4.4:5000", PERM_FORCE_RELAY);
    const struct tx *tx = coin_tx(&k, 0, 1000), *bad = bad_tx(&k, 1);
    enter(&k, tx);
    give(&k, force, tx);
    cr_assert(harness_logged(&k.h, "Force relaying tx "));
    give(&k, force, bad);
    give(&k, force, bad);
    cr_assert(harness_logged(&k.h, "Not relaying non-mempool transaction "));
    pool_kit_free(&k);
}

/* ---- orphans ---- */

Test(tx_download, parents_of_an_orphan_are_asked_for_and_let_it_in)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id a = outbound(&k, "1.2.3.4:18444");
    const struct tx *parent = coin_tx(&k, 0, 1000), *child = child_tx(&k, parent, 1000);
    const struct tx *grandchild = child_tx(&k, child, 1000);
    give(&k, a, grandchild);
    give(&k, a, child);
    cr_assert_eq(orphans(&k), 2);
    cr_assert(harness_logged(&k.h, "stored orphan tx "));
    cr_assert_eq(asked_for(&k, a, parent->txid.bytes), 0, "the parent may be on its way");
    harness_wait_s(&k.h, 2);
    cr_assert_eq(asked_for(&k, a, parent->txid.bytes), 1);
    cr_assert_eq(tx_requests_total(k.h.p->tx_download->requests), 1, "the child is there: its parent alone is missing");
    struct orphan_info info[3];
    cr_assert_eq(p2p_orphans(k.h.p, info, 3), 2);
    cr_assert(info[0].from_count == 1 && info[0].from[0] == a && info[0].weight_wu == 4 * info[0].raw.len);
    give(&k, a, parent);
    cr_assert(is_in_pool(&k, parent) && !is_in_pool(&k, grandchild));
    cr_assert(tx_download_has_work(k.h.p, harness_peer_of(&k.h, a)) && p2p_has_work(k.h.p));
    cr_assert_not(p2p_ready(k.h.p, a, "ping"), "what it says next may depend on it");
    harness_ticks(&k.h, 1);
    harness_ticks(&k.h, 1);
    cr_assert(is_in_pool(&k, child) && is_in_pool(&k, grandchild));
    cr_assert(harness_logged(&k.h, "   accepted orphan tx "));
    cr_assert(p2p_ready(k.h.p, a, "ping") && !p2p_has_work(k.h.p));
    cr_assert_eq(orphans(&k), 0);
    pool_kit_free(&k);
}

Test(tx_download, all_who_announced_an_orphan_may_be_asked_for_its_parents)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id a = outbound(&k, "1.2.3.4:18444"), b = outbound(&k, "2.2.3.4:18444"), c = inbound(&k, "3.3.3.3:5000");
    const struct tx *parent = coin_tx(&k, 0, 1000), *child = child_tx(&k, parent, 1000);
    announce(&k, a, child);
    announce(&k, b, child);
    give(&k, a, child);
    announce(&k, c, child);
    struct orphan_info info;
    cr_assert_eq(p2p_orphans(k.h.p, &info, 1), 1);
    cr_assert_eq(info.from_count, 3);
    harness_wait_s(&k.h, 2);
    size_t first = asked_for(&k, a, parent->txid.bytes), second = asked_for(&k, b, parent->txid.bytes);
    cr_assert_eq(first + second, 1);
    harness_hang_up(&k.h, first ? a : b);
    harness_ticks(&k.h, 1);
    cr_assert_eq(asked_for(&k, first ? b : a, parent->txid.bytes), 1);
    cr_assert_eq(orphans(&k), 1);
    harness_hang_up(&k.h, first ? b : a);
    harness_wait_s(&k.h, 2);
    cr_assert_eq(asked_for(&k, c, parent->txid.bytes), 1);
    harness_hang_up(&k.h, c);
    cr_assert_eq(orphans(&k), 0);
    pool_kit_free(&k);
}

Test(tx_download, an_orphan_of_a_refused_parent_is_not_kept)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id a = outbound(&k, "1.2.3.4:18444");
    const struct tx *parent = bad_tx(&k, 0), *child = child_tx(&k, parent, 1000);
    const struct tx *grandchild = child_tx(&k, child, 1000);
    give(&k, a, grandchild);
    give(&k, a, parent);
    give(&k, a, child);
    cr_assert(harness_logged(&k.h, "not keeping orphan with rejected parents "));
    cr_assert_eq(orphans(&k), 1);
    cr_assert_null(orphanage_find(k.h.p->tx_download->orphans, &child->wtxid));
    pool_kit_free(&k);
}

Test(tx_download, an_orphan_that_its_parent_shows_to_be_wrong_goes)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id a = outbound(&k, "1.2.3.4:18444");
    const struct tx *parent = coin_tx(&k, 0, 1000), *child = child_tx(&k, parent, -1000);
    give(&k, a, child);
    give(&k, a, parent);
    harness_ticks(&k.h, 1);
    cr_assert(harness_logged(&k.h, "   invalid orphan tx "));
    cr_assert(harness_logged(&k.h, "   removed orphan tx "));
    cr_assert_eq(orphans(&k), 0);
    cr_assert(tx_download_has(k.h.p, child->wtxid.bytes, true, false), "it is not asked for again");
    pool_kit_free(&k);
}

Test(tx_download, a_block_takes_orphans_that_it_conflicts_with_and_lets_others_in)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id a = outbound(&k, "1.2.3.4:18444");
    const struct tx *parent = coin_tx(&k, 0, 1000), *child = child_tx(&k, parent, 1000);
    const struct tx *rival = child_tx(&k, parent, 2000);
    give(&k, a, child);
    struct block mined = {.txs = (struct tx *)(uintptr_t)parent, .tx_count = 1};
    tx_download_on_connected(k.h.p, &mined);
    cr_assert(tx_download_has_work(k.h.p, harness_peer_of(&k.h, a)));
    mined.txs = (struct tx *)(uintptr_t)rival;
    tx_download_on_connected(k.h.p, &mined);
    cr_assert(harness_logged(&k.h, "Erased 1 orphan transaction(s) included or conflicted by block"));
    cr_assert_eq(orphans(&k), 0);
    pool_kit_free(&k);
}

Test(tx_download, a_users_transaction_lets_orphans_in)
{
    struct pool_kit k;
    pool_kit_new(&k);
    peer_id a = outbound(&k, "1.2.3.4:18444");
    const struct tx *parent = coin_tx(&k, 0, 1000), *child = child_tx(&k, parent, 1000);
    give(&k, a, child);
    send_tx(&k, parent);
    harness_ticks(&k.h, 1);
    cr_assert(is_in_pool(&k, child));
    pool_kit_free(&k);
}
