/* Headers from peers: whom we ask, what we keep, whom we leave. */
#include "consensus/pow.h"
#include "sync_kit.h"

/* The first hash of the oldest getheaders to ID; false where there is none. */
static bool asked_from(struct harness *h, peer_id id, struct block_hash *from)
{
    struct message m;
    if (!harness_answer(h, id, MESSAGE_GETHEADERS, &m)) return false;
    cr_assert_gt(m.as.locator.count, 0);
    cr_assert_eq(m.as.locator.version, 70016);
    cr_assert(hash_is_null(m.as.locator.stop.bytes));
    *from = m.as.locator.hashes[0];
    return true;
}

static void expect_asked_from(struct harness *h, peer_id id, const struct block_hash *hash)
{
    struct block_hash from;
    cr_assert(asked_from(h, id, &from), "no getheaders");
    cr_assert(block_hash_equal(&from, hash));
}

/* As harness_peer, but what we said is not forgotten. */
static peer_id fresh_peer(struct harness *h, const char *at, enum conn_type type)
{
    peer_id id = type == CONN_INBOUND ? harness_inbound(h, at) : harness_outbound(h, at, type);
    harness_handshake(h, id);
    return id;
}

Test(headers, locators_are_dense_near_the_end)
{
    struct harness h;
    struct buffer payload = {0};
    struct message m;
    struct arena arena = {0};
    harness_new(&h);
    grow(&h, 100);
    headers_locator(&payload, h.kit.chain, chain_tip(h.kit.chain), NULL);
    cr_assert_eq(message_read(&m, MESSAGE_GETHEADERS, buffer_span(&payload), &arena), MESSAGE_OK);
    static const int heights[] = {100, 99, 98, 97, 96, 95, 94, 93, 92, 91, 90, 89, 87, 83, 75, 59, 27, 0};
    cr_assert_eq(m.as.locator.count, ARRAY_LEN(heights));
    for (size_t i = 0; i < ARRAY_LEN(heights); i++)
        cr_assert(block_hash_equal(&m.as.locator.hashes[i], &chain_at(h.kit.chain, heights[i])->header.hash));
    buffer_clear(&payload);
    arena_clear(&arena);
    harness_free(&h);
}

Test(headers, all_are_asked_once_the_chain_is_recent)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    peer_id a = fresh_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    peer_id b = fresh_peer(&h, "1.2.3.5:5000", CONN_OUTBOUND_FULL);
    /* One before the tip, so that the answer is not empty. */
    expect_asked_from(&h, a, &chain_at(h.kit.chain, 2)->header.hash);
    expect_asked_from(&h, b, &chain_at(h.kit.chain, 2)->header.hash);
    harness_free(&h);
}

Test(headers, one_peer_is_asked_in_the_initial_download)
{
    struct harness h;
    open_in_initial_download(&h, 100);
    peer_id a = fresh_peer(&h, "1.2.3.4:5000", CONN_OUTBOUND_FULL);
    peer_id b = fresh_peer(&h, "1.2.3.5:5000", CONN_OUTBOUND_FULL);
    cr_assert_eq(harness_answers(&h, a, MESSAGE_GETHEADERS), 1);
    cr_assert_eq(harness_answers(&h, b, MESSAGE_GETHEADERS), 0);
    cr_assert(harness_logged(&h, "initial getheaders (0) to peer=0"));
    harness_hang_up(&h, a);
    harness_ticks(&h, 1);
    cr_assert_eq(harness_answers(&h, b, MESSAGE_GETHEADERS), 1);
    harness_free(&h);
}

Test(headers, an_inv_makes_us_ask_one_more_a_block)
{
    struct harness h;
    struct block_hash x = {{1}}, y = {{2}};
    open_in_initial_download(&h, 100);
    fresh_peer(&h, "1.2.3.4:5000", CONN_OUTBOUND_FULL);
    peer_id b = harness_peer(&h, "1.2.3.5:5000", CONN_OUTBOUND_FULL);
    peer_id c = harness_peer(&h, "1.2.3.6:5000", CONN_OUTBOUND_FULL);
    say_inv(&h, b, INV_BLOCK, &x);
    say_inv(&h, c, INV_BLOCK, &x);
    cr_assert_eq(harness_answers(&h, b, MESSAGE_GETHEADERS), 1);
    cr_assert_eq(harness_answers(&h, c, MESSAGE_GETHEADERS), 0);
    say_inv(&h, b, INV_BLOCK, &y);
    cr_assert_eq(harness_answers(&h, b, MESSAGE_GETHEADERS), 1);
    say_inv(&h, c, INV_BLOCK, &y);
    cr_assert_eq(harness_answers(&h, c, MESSAGE_GETHEADERS), 1);
    harness_free(&h);
}

Test(headers, false_proof_of_work_is_misbehaviour)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct branch b = branch_on_tip(&h, 2, 1);
    struct block_header headers[2] = {b.blocks[0]->header, b.blocks[1]->header};
    struct block_hash hash;
    do {
        headers[1].nonce++;
        block_header_hash(&hash, &headers[1]);
    } while (pow_check(&hash, headers[1].bits, &h.kit.params));
    say_headers(&h, id, headers, 2);
    cr_assert(is_gone(&h, id));
    cr_assert(harness_logged(&h, "Misbehaving: peer=0: header with invalid proof of work"));
    cr_assert_null(node_of(&h, b.blocks[0]));
    branch_free(&b);
    harness_free(&h);
}

Test(headers, gaps_are_misbehaviour)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct branch b = branch_on_tip(&h, 3, 1);
    struct block_header headers[2] = {b.blocks[0]->header, b.blocks[2]->header};
    say_headers(&h, id, headers, 2);
    cr_assert(is_gone(&h, id));
    cr_assert(harness_logged(&h, "Misbehaving: peer=0: non-continuous headers sequence"));
    cr_assert_null(node_of(&h, b.blocks[0]));
    branch_free(&b);
    harness_free(&h);
}

Test(headers, an_invalid_header_is_misbehaviour)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct draft d = draft_on(&chain_tip(h.kit.chain)->header, &h.kit.params, 1);
    d.time -= 600; /* not later than the median of those before */
    struct block *b = draft_mine(&d, &h.kit.params);
    say_headers(&h, id, &b->header, 1);
    cr_assert(is_gone(&h, id));
    cr_assert(harness_logged(&h, "Misbehaving: peer=0: invalid header received"));
    block_free(b);
    harness_free(&h);
}

Test(headers, one_from_the_future_is_nobodys_fault)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct draft d = draft_on(&chain_tip(h.kit.chain)->header, &h.kit.params, 1);
    d.time += 24 * 3600;
    struct block *b = draft_mine(&d, &h.kit.params);
    say_headers(&h, id, &b->header, 1);
    cr_assert_not(is_gone(&h, id));
    cr_assert_null(node_of(&h, b));
    cr_assert(harness_logged(&h, "peer=0: invalid header received"));
    block_free(b);
    harness_free(&h);
}

/* An announcement whose parents we lack: asked for, but not again and again. */
Test(headers, what_does_not_connect_is_asked_for)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    say_headers(&h, id, NULL, 0);
    harness_forget(&h, id);
    struct branch b = branch_on_tip(&h, 4, 1);
    say_branch(&h, id, &b, 2, 1);
    expect_asked_from(&h, id, &chain_tip(h.kit.chain)->header.hash);
    say_branch(&h, id, &b, 3, 1);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_GETHEADERS), 0);
    struct peer *peer = harness_peer_of(&h, id);
    cr_assert(block_hash_equal(&peer->headers.last_unknown, &b.blocks[3]->hash));
    harness_wait_s(&h, 121);
    say_branch(&h, id, &b, 3, 1);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_GETHEADERS), 1);
    /* Known from somebody else: then this peer has it, too. */
    peer_id other = harness_peer(&h, "1.2.3.5:5000", CONN_INBOUND);
    say_branch(&h, other, &b, 0, 4);
    harness_ticks(&h, 1);
    cr_assert_eq(peer->headers.best_known, node_of(&h, b.blocks[3]));
    cr_assert(hash_is_null(peer->headers.last_unknown.bytes));
    branch_free(&b);
    harness_free(&h);
}

Test(headers, a_full_message_has_a_sequel)
{
    struct harness h;
    open_in_initial_download(&h, 2100);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_OUTBOUND_FULL);
    struct branch b = branch_on_tip(&h, 2010, 1);
    say_branch(&h, id, &b, 0, 2000);
    expect_asked_from(&h, id, &b.blocks[1999]->hash);
    cr_assert(harness_logged(&h, "Synchronizing blockheaders, height: 2000 (~"));
    say_branch(&h, id, &b, 2000, 10);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_GETHEADERS), 0);
    cr_assert_eq(h.kit.chain->tree.best_header, node_of(&h, b.blocks[2009]));
    branch_free(&b);
    harness_free(&h);
}

/* ---- too little work ---- */

static struct u256 work_of(const struct harness *h, uint32_t blocks)
{
    return u256_mul_u32(pow_work(h->kit.params.pow_limit_bits), blocks + 1);
}

static void open_with_minimum(struct harness *h, uint32_t blocks)
{
    harness_prepare(h);
    h->wall_us += (INT64_C(2) * 24 * 3600 + 600 * (int64_t)blocks) * 1000000;
    h->kit.now_s = h->wall_us / 1000000;
    h->kit.options.minimum_chain_work = work_of(h, blocks);
    harness_open(h);
}

Test(headers, chains_with_too_little_work_are_not_kept)
{
    struct harness h;
    open_with_minimum(&h, 15);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct branch b = branch_on_tip(&h, 15, 1);
    say_branch(&h, id, &b, 0, 14);
    cr_assert(harness_logged(&h, "Ignoring low-work chain (height=14) from peer=0"));
    cr_assert_eq(h.kit.chain->tree.count, 1);
    cr_assert_not(is_gone(&h, id));
    /* From a trusted peer they are. */
    peer_id trusted = permitted_peer(&h, "1.2.3.5:5000", PERM_NO_BAN);
    say_branch(&h, trusted, &b, 0, 14);
    cr_assert_eq(h.kit.chain->tree.count, 15);
    cr_assert(harness_logged(&h, "Synchronizing blockheaders, height: 14"));
    /* And what is known already may come from anybody. */
    harness_clear_log(&h);
    say_branch(&h, id, &b, 0, 14);
    cr_assert_not(harness_logged(&h, "Ignoring low-work chain"));
    cr_assert_eq(harness_peer_of(&h, id)->headers.best_known, node_of(&h, b.blocks[13]));
    say_branch(&h, id, &b, 0, 15);
    cr_assert_eq(h.kit.chain->tree.count, 16);
    branch_free(&b);
    harness_free(&h);
}

Test(headers, forks_deep_below_the_tip_are_not_kept)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 160);
    cr_assert_eq(u256_cmp(headers_work_threshold(h.p), work_of(&h, 16)), 0);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct branch b = branch_on(&chain_at(h.kit.chain, 0)->header, 16, &h.kit.params, 1);
    say_branch(&h, id, &b, 0, 15);
    cr_assert_null(node_of(&h, b.blocks[0]));
    say_branch(&h, id, &b, 0, 16);
    cr_assert_not_null(node_of(&h, b.blocks[15]));
    branch_free(&b);
    harness_free(&h);
}

/* Nothing is kept in the first pass, all in the second. */
Test(headers, long_chains_are_fetched_twice)
{
    struct harness h;
    struct block_hash from;
    open_with_minimum(&h, 4100);
    h.p->chain->params.headers_redownload_size = 1000;
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_OUTBOUND_FULL);
    struct branch b = branch_on_tip(&h, 4110, 1);
    say_branch(&h, id, &b, 0, 2000);
    cr_assert_eq(headers_presynced(harness_peer_of(&h, id)), 2000);
    cr_assert(harness_logged(&h, "Pre-synchronizing blockheaders, height: 2000"));
    expect_asked_from(&h, id, &b.blocks[1999]->hash);
    say_branch(&h, id, &b, 2000, 2000);
    expect_asked_from(&h, id, &b.blocks[3999]->hash);
    say_branch(&h, id, &b, 4000, 110);
    cr_assert_eq(h.kit.chain->tree.count, 1);
    cr_assert_eq(headers_presynced(harness_peer_of(&h, id)), -1);
    expect_asked_from(&h, id, &chain_tip(h.kit.chain)->header.hash);
    say_branch(&h, id, &b, 0, 2000);
    cr_assert_eq(h.kit.chain->tree.count, 1001);
    expect_asked_from(&h, id, &b.blocks[1999]->hash);
    say_branch(&h, id, &b, 2000, 2000);
    cr_assert_eq(h.kit.chain->tree.count, 3001);
    say_branch(&h, id, &b, 4000, 110);
    cr_assert_eq(h.kit.chain->tree.count, 4111);
    cr_assert_null(harness_peer_of(&h, id)->headers.presync);
    cr_assert(asked_from(&h, id, &from));
    cr_assert_not(asked_from(&h, id, &from));
    branch_free(&b);
    harness_free(&h);
}

Test(headers, an_empty_message_ends_the_first_pass)
{
    struct harness h;
    open_with_minimum(&h, 4100);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct branch b = branch_on_tip(&h, 2000, 1);
    say_branch(&h, id, &b, 0, 2000);
    cr_assert_not_null(harness_peer_of(&h, id)->headers.presync);
    say_headers(&h, id, NULL, 0);
    cr_assert_null(harness_peer_of(&h, id)->headers.presync);
    branch_free(&b);
    harness_free(&h);
}

/* Whoever turns to another chain in the middle has to begin anew; nobody is punished. */
Test(headers, another_chain_ends_the_first_pass)
{
    struct harness h;
    open_with_minimum(&h, 4100);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct branch b = branch_on_tip(&h, 2000, 1), c = branch_on_tip(&h, 100, 2);
    say_branch(&h, id, &b, 0, 2000);
    say_branch(&h, id, &c, 50, 10);
    cr_assert(harness_logged(&h, "Initial headers sync aborted with peer=0: non-continuous headers at height=2000 "
                                 "(presync phase)"));
    cr_assert_null(harness_peer_of(&h, id)->headers.presync);
    cr_assert_not(is_gone(&h, id));
    cr_assert_eq(h.kit.chain->tree.count, 1);
    branch_free(&b);
    branch_free(&c);
    harness_free(&h);
}

Test(headers, poor_outbound_peers_are_left_in_the_initial_download)
{
    struct harness h;
    open_with_minimum(&h, 20);
    peer_id in = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    peer_id out = harness_peer(&h, "1.2.3.5:5000", CONN_OUTBOUND_FULL);
    peer_id trusted = permitted_peer(&h, "1.2.3.6:5000", PERM_NO_BAN);
    struct branch b = branch_on_tip(&h, 10, 1);
    say_branch(&h, trusted, &b, 0, 10); /* known from now on */
    say_branch(&h, in, &b, 0, 10);
    cr_assert_not(is_gone(&h, in));
    say_branch(&h, out, &b, 0, 10);
    cr_assert(is_gone(&h, out));
    cr_assert(harness_logged(&h, "outbound peer headers chain has insufficient work, disconnecting peer=1"));
    branch_free(&b);
    harness_free(&h);
}

/* ---- patience ---- */

Test(headers, a_slow_sync_peer_is_left_where_there_are_others)
{
    struct harness h;
    open_in_initial_download(&h, 0);
    peer_id slow = harness_peer(&h, "1.2.3.4:5000", CONN_OUTBOUND_FULL);
    harness_wait_s(&h, 14 * 60);
    cr_assert_not(is_gone(&h, slow));
    harness_wait_s(&h, 62);
    cr_assert_not(is_gone(&h, slow), "there is nobody else");
    harness_peer(&h, "1.2.3.5:5000", CONN_OUTBOUND_FULL);
    harness_wait_s(&h, 1);
    cr_assert(is_gone(&h, slow));
    cr_assert(harness_logged(&h, "Timeout downloading headers, disconnecting peer=0"));
    harness_free(&h);
}

Test(headers, a_trusted_slow_sync_peer_stays)
{
    struct harness h;
    open_in_initial_download(&h, 0);
    peer_id slow = permitted_peer(&h, "1.2.3.4:5000", PERM_NO_BAN);
    peer_id other = harness_peer(&h, "1.2.3.5:5000", CONN_OUTBOUND_FULL);
    cr_assert(harness_peer_of(&h, slow)->headers.sync_started);
    harness_wait_s(&h, 16 * 60);
    cr_assert_not(is_gone(&h, slow));
    cr_assert(harness_logged(&h, "Timeout downloading headers from noban peer, not disconnecting peer=0"));
    harness_ticks(&h, 1);
    cr_assert_eq(harness_peer_of(&h, slow)->headers.sync_started + harness_peer_of(&h, other)->headers.sync_started, 1);
    cr_assert_eq(h.p->headers.started, 1);
    harness_free(&h);
}

Test(headers, whoever_has_our_chain_is_protected)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 2);
    peer_id a = harness_peer(&h, "1.2.3.4:5000", CONN_OUTBOUND_FULL);
    peer_id b = harness_peer(&h, "1.2.3.5:5000", CONN_OUTBOUND_FULL);
    peer_id c = harness_peer(&h, "1.2.3.6:5000", CONN_BLOCK_RELAY);
    say_header(&h, a, &chain_at(h.kit.chain, 1)->header);
    say_header(&h, b, &chain_tip(h.kit.chain)->header);
    say_header(&h, c, &chain_tip(h.kit.chain)->header);
    cr_assert_not(harness_peer_of(&h, a)->chain_sync.protect);
    cr_assert(harness_peer_of(&h, b)->chain_sync.protect);
    cr_assert_not(harness_peer_of(&h, c)->chain_sync.protect);
    harness_free(&h);
}

/* A chain that the user or a rule refused: outbound peers on it are of no use, inbound ones may learn. */
Test(headers, an_invalid_chain_costs_outbound_peers_their_place)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 2);
    struct block_node *bad = chain_tip(h.kit.chain);
    chain_invalidate(h.kit.chain, bad);
    kit_run(&h.kit);
    peer_id in = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    peer_id out = harness_peer(&h, "1.2.3.5:5000", CONN_OUTBOUND_FULL);
    say_header(&h, in, &bad->header);
    say_header(&h, out, &bad->header);
    cr_assert_not(is_gone(&h, in));
    cr_assert(is_gone(&h, out));
    cr_assert(harness_logged(&h, "duplicate-invalid"));
    /* Who builds on it breaks a rule. */
    struct branch b = branch_on(&bad->header, 1, &h.kit.params, 0);
    say_branch(&h, in, &b, 0, 1);
    cr_assert(is_gone(&h, in));
    branch_free(&b);
    harness_free(&h);
}

Test(headers, nothing_while_importing)
{
    struct harness h;
    harness_new(&h);
    p2p_set_importing(h.p, true);
    peer_id id = fresh_peer(&h, "1.2.3.4:5000", CONN_OUTBOUND_FULL);
    struct branch b = branch_on_tip(&h, 2, 1);
    say_branch(&h, id, &b, 0, 2);
    cr_assert_eq(h.kit.chain->tree.count, 1);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_GETHEADERS), 0);
    p2p_set_importing(h.p, false);
    harness_ticks(&h, 1);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_GETHEADERS), 1);
    branch_free(&b);
    harness_free(&h);
}
