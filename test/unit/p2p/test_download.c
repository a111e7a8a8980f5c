/* Which blocks are asked of whom, and whom we leave for their slowness. */
#include <stdio.h>

#include "consensus/pow.h"
#include "sync_kit.h"

static peer_id peer_with(struct harness *h, const char *at, enum conn_type type, const struct branch *b)
{
    peer_id id = harness_peer(h, at, type);
    for (size_t i = 0; i < b->count; i += MAX_HEADERS)
        say_branch(h, id, b, i, b->count - i < MAX_HEADERS ? b->count - i : MAX_HEADERS);
    return id;
}

/* Their services, as if their version had said so. */
static void set_services(struct harness *h, peer_id id, uint64_t services)
{
    struct peer *peer = harness_peer_of(h, id);
    peer->handshake.services = services;
    download_peer_version(h->p, peer);
}

static size_t in_flight(struct harness *h, peer_id id)
{
    return harness_peer_of(h, id)->download.count;
}

/* ID sends all that it was asked for but KEPT (NULL: nothing is kept). */
static void send_asked(struct harness *h, peer_id id, const struct branch *b, const struct block_hash *kept)
{
    struct message m;
    while (harness_answer(h, id, MESSAGE_GETDATA, &m)) {
        size_t count = m.as.inv.count;
        struct inv *items = mem_dup(m.as.inv.items, count * sizeof(*items));
        for (size_t i = 0; i < count; i++) {
            cr_assert_eq(items[i].type, INV_WITNESS_BLOCK);
            for (size_t k = 0; k < b->count; k++)
                if (!memcmp(b->blocks[k]->hash.bytes, items[i].hash, 32) &&
                    (!kept || memcmp(kept->bytes, items[i].hash, 32)))
                    say_block(h, id, b->blocks[k]);
        }
        free(items);
    }
}

Test(download, announced_blocks_are_fetched_at_once)
{
    struct harness h;
    struct inv first;
    harness_new(&h);
    grow(&h, 80);
    struct branch b = branch_on_tip(&h, 3, 1);
    peer_id id = peer_with(&h, "1.2.3.4:5000", CONN_INBOUND, &b);
    cr_assert_eq(next_getdata(&h, id, &first), 3);
    cr_assert_eq(first.type, INV_WITNESS_BLOCK);
    cr_assert_arr_eq(first.hash, b.blocks[0]->hash.bytes, 32);
    cr_assert(harness_logged(&h, "(83) via headers direct fetch"));
    /* Not again, and not of others. */
    peer_id other = peer_with(&h, "1.2.3.5:5000", CONN_INBOUND, &b);
    cr_assert_eq(next_getdata(&h, other, NULL), -1);
    for (int i = 0; i < 3; i++) say_block(&h, id, b.blocks[i]);
    cr_assert_eq(chain_tip(h.kit.chain), node_of(&h, b.blocks[2]));
    cr_assert_eq(in_flight(&h, id), 0);
    branch_free(&b);
    harness_free(&h);
}

Test(download, a_single_block_comes_in_compact_form)
{
    struct harness h;
    struct inv first;
    harness_new(&h);
    grow(&h, 80);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    say_sendcmpct(&h, id, false);
    harness_forget(&h, id);
    struct branch b = branch_on_tip(&h, 1, 1);
    say_branch(&h, id, &b, 0, 1);
    cr_assert_eq(next_getdata(&h, id, &first), 1);
    cr_assert_eq(first.type, INV_CMPCT_BLOCK);
    branch_free(&b);
    harness_free(&h);
}

Test(download, branches_with_less_work_are_not_fetched)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 5);
    struct branch b = branch_on(&chain_at(h.kit.chain, 1)->header, 4, &h.kit.params, 1);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    say_branch(&h, id, &b, 0, 3);
    harness_ticks(&h, 1);
    cr_assert_eq(next_getdata(&h, id, NULL), -1);
    /* As much work: enough. */
    say_branch(&h, id, &b, 3, 1);
    cr_assert_eq(next_getdata(&h, id, NULL), 4);
    branch_free(&b);
    harness_free(&h);
}

Test(download, long_branches_are_left_to_the_window)
{
    struct harness h;
    struct inv first;
    harness_new(&h);
    grow(&h, 100);
    struct branch b = branch_on(&chain_at(h.kit.chain, 80)->header, 21, &h.kit.params, 1);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    say_branch(&h, id, &b, 0, 21);
    cr_assert(harness_logged(&h, "Large reorg, won't direct fetch to"));
    cr_assert_eq(next_getdata(&h, id, &first), 16);
    cr_assert_arr_eq(first.hash, b.blocks[0]->hash.bytes, 32);
    branch_free(&b);
    harness_free(&h);
}

Test(download, sixteen_a_peer_and_each_block_once)
{
    struct harness h;
    open_in_initial_download(&h, 200);
    struct branch b = branch_on_tip(&h, 100, 1);
    peer_id a = peer_with(&h, "1.2.3.4:5000", CONN_OUTBOUND_FULL, &b);
    peer_id c = peer_with(&h, "1.2.3.5:5000", CONN_OUTBOUND_FULL, &b);
    harness_ticks(&h, 3);
    cr_assert_eq(in_flight(&h, a), 16);
    cr_assert_eq(in_flight(&h, c), 16);
    cr_assert_eq(h.p->download.by_hash.count, 32);
    cr_assert_eq(h.p->download.peers_with_blocks, 2);
    /* What A does not send is asked of C once A is gone. */
    harness_hang_up(&h, a);
    cr_assert_eq(h.p->download.by_hash.count, 16);
    for (int i = 0; i < 20; i++) send_asked(&h, c, &b, NULL);
    cr_assert_eq(chain_tip(h.kit.chain), node_of(&h, b.blocks[99]));
    cr_assert_eq(h.p->download.by_hash.count, 0);
    branch_free(&b);
    harness_free(&h);
}

Test(download, inbound_peers_are_spared_in_the_initial_download)
{
    struct harness h;
    open_in_initial_download(&h, 200);
    struct branch b = branch_on_tip(&h, 100, 1);
    peer_id out = peer_with(&h, "1.2.3.4:5000", CONN_OUTBOUND_FULL, &b);
    harness_ticks(&h, 1);
    cr_assert_eq(in_flight(&h, out), 16);
    peer_id in = peer_with(&h, "1.2.3.5:5000", CONN_INBOUND, &b);
    harness_ticks(&h, 1);
    cr_assert_eq(in_flight(&h, in), 0);
    harness_hang_up(&h, out);
    harness_ticks(&h, 1);
    cr_assert_eq(in_flight(&h, in), 16);
    branch_free(&b);
    harness_free(&h);
}

Test(download, nobody_without_the_minimum_work_is_asked)
{
    struct harness h;
    harness_prepare(&h);
    h.kit.options.minimum_chain_work = u256_mul_u32(pow_work(h.kit.params.pow_limit_bits), 12);
    h.wall_us += INT64_C(2) * 24 * 3600 * 1000000;
    h.kit.now_s = h.wall_us / 1000000;
    harness_open(&h);
    struct branch b = branch_on_tip(&h, 11, 1);
    peer_id id = permitted_peer(&h, "1.2.3.4:5000", PERM_NO_BAN);
    say_branch(&h, id, &b, 0, 10);
    harness_ticks(&h, 1);
    cr_assert_eq(in_flight(&h, id), 0);
    say_branch(&h, id, &b, 10, 1);
    harness_ticks(&h, 1);
    cr_assert_eq(in_flight(&h, id), 11);
    branch_free(&b);
    harness_free(&h);
}

Test(download, services_bound_what_is_asked)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 2);
    harness_wait_s(&h, 400 * 600); /* room for a long branch; no longer recent: no direct fetch */
    struct branch b = branch_on_tip(&h, 350, 1);
    peer_id limited = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    peer_id old = harness_peer(&h, "1.2.3.5:5000", CONN_INBOUND);
    peer_id none = harness_peer(&h, "1.2.3.6:5000", CONN_INBOUND);
    set_services(&h, limited, NODE_NETWORK_LIMITED | NODE_WITNESS);
    set_services(&h, old, NODE_NETWORK);
    set_services(&h, none, NODE_WITNESS);
    say_branch(&h, old, &b, 0, 350);
    say_branch(&h, none, &b, 0, 350);
    harness_ticks(&h, 1);
    cr_assert_eq(in_flight(&h, old), 0, "without witnesses blocks are of no use");
    cr_assert_eq(in_flight(&h, none), 0);
    say_branch(&h, limited, &b, 0, 350);
    harness_ticks(&h, 1);
    cr_assert_eq(in_flight(&h, limited), 16);
    /* 288 blocks less two for those that come meanwhile. */
    cr_assert_eq(harness_peer_of(&h, limited)->download.items[0]->node->header.height, 352 - 285);
    branch_free(&b);
    harness_free(&h);
}

Test(download, a_block_that_takes_too_long_costs_the_connection)
{
    struct harness h;
    open_in_initial_download(&h, 200);
    struct branch b = branch_on_tip(&h, 100, 1);
    peer_id a = peer_with(&h, "1.2.3.4:5000", CONN_OUTBOUND_FULL, &b);
    peer_id c = peer_with(&h, "1.2.3.5:5000", CONN_OUTBOUND_FULL, &b);
    harness_ticks(&h, 2);
    /* Two peers: ten minutes and five more. */
    harness_wait_s(&h, 14 * 60 + 58);
    cr_assert_not(is_gone(&h, a) || is_gone(&h, c));
    say_block(&h, c, harness_peer_of(&h, c) ? b.blocks[16] : NULL); /* its first: the time begins anew */
    harness_wait_s(&h, 3);
    cr_assert(is_gone(&h, a));
    cr_assert_not(is_gone(&h, c));
    cr_assert(harness_logged(&h, "Timeout downloading block "));
    branch_free(&b);
    harness_free(&h);
}

/* Both have the window full but for one block of A's. */
static void fill_window(struct harness *h, peer_id a, peer_id c, const struct branch *b, const struct block_hash *kept)
{
    for (int i = 0; i < 100; i++) {
        harness_ticks(h, 1);
        send_asked(h, a, b, kept);
        send_asked(h, c, b, kept);
        if (harness_peer_of(h, a)->download.stalling_since_us) return;
    }
}

Test(download, whoever_stalls_the_window_is_left)
{
    struct harness h;
    open_in_initial_download(&h, 1200);
    struct branch b = branch_on_tip(&h, 1100, 1);
    peer_id a = peer_with(&h, "1.2.3.4:5000", CONN_OUTBOUND_FULL, &b);
    harness_ticks(&h, 1);
    peer_id c = peer_with(&h, "1.2.3.5:5000", CONN_OUTBOUND_FULL, &b);
    const struct block_hash kept = harness_peer_of(&h, a)->download.items[0]->hash;
    fill_window(&h, a, c, &b, &kept);
    cr_assert_eq(in_flight(&h, a), 1);
    cr_assert_eq(in_flight(&h, c), 0);
    cr_assert(harness_logged(&h, "Stall started peer=0"));
    harness_wait_us(&h, 1900000);
    cr_assert_not(is_gone(&h, a));
    harness_wait_us(&h, 200000);
    cr_assert(is_gone(&h, a));
    cr_assert(harness_logged(&h, "Peer is stalling block download, disconnecting peer=0"));
    cr_assert(harness_logged(&h, "Increased stalling timeout temporarily to 4 seconds"));
    cr_assert_eq(h.p->download.stall_timeout_us, 4000000);
    /* C gives the block; the rest follows; patience returns to what it was. */
    for (int i = 0; i < 100; i++) {
        harness_ticks(&h, 1);
        send_asked(&h, c, &b, NULL);
    }
    cr_assert_eq(chain_tip(h.kit.chain), node_of(&h, b.blocks[1099]));
    cr_assert(harness_logged(&h, "Decreased stalling timeout to 3 seconds"));
    cr_assert_eq(h.p->download.stall_timeout_us, 2000000);
    branch_free(&b);
    harness_free(&h);
}

/* A block that is here and waits for us is nobody's stall, and is not asked for again. */
Test(download, what_the_owner_has_is_not_asked_for)
{
    struct harness h;
    open_in_initial_download(&h, 200);
    struct branch b = branch_on_tip(&h, 10, 1);
    peer_id a = peer_with(&h, "1.2.3.4:5000", CONN_OUTBOUND_FULL, &b);
    harness_ticks(&h, 1);
    cr_assert_eq(next_getdata(&h, a, NULL), 10);
    h.hold_blocks = true;
    for (int i = 0; i < 10; i++) say_block(&h, a, b.blocks[i]);
    harness_ticks(&h, 2);
    cr_assert_eq(in_flight(&h, a), 0);
    cr_assert_eq(next_getdata(&h, a, NULL), -1);
    peer_id c = peer_with(&h, "1.2.3.5:5000", CONN_OUTBOUND_FULL, &b);
    harness_ticks(&h, 1);
    cr_assert_eq(next_getdata(&h, c, NULL), -1);
    h.hold_blocks = false;
    harness_pump(&h);
    cr_assert_eq(chain_tip(h.kit.chain), node_of(&h, b.blocks[9]));
    branch_free(&b);
    harness_free(&h);
}

Test(download, a_user_may_have_a_block_fetched)
{
    struct harness h;
    struct inv item;
    harness_new(&h);
    grow(&h, 20);
    peer_id a = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    peer_id old = harness_peer(&h, "1.2.3.5:5000", CONN_INBOUND);
    struct block_node *node = chain_at(h.kit.chain, 1);
    set_services(&h, old, NODE_NETWORK);
    cr_assert_str_eq(p2p_fetch_block(h.p, 99, node), "Peer does not exist");
    cr_assert_str_eq(p2p_fetch_block(h.p, old, node), "Pre-SegWit peer");
    p2p_set_importing(h.p, true);
    cr_assert_str_eq(p2p_fetch_block(h.p, a, node), "Loading blocks ...");
    p2p_set_importing(h.p, false);
    for (int32_t height = 1; height <= 16; height++)
        cr_assert_null(p2p_fetch_block(h.p, a, chain_at(h.kit.chain, height)));
    harness_pump(&h);
    cr_assert_eq(harness_answers(&h, a, MESSAGE_GETDATA), 16);
    /* The list is full of wishes: more wait until there is room, each once, but for those that came meanwhile. */
    for (int32_t height = 17; height <= 20; height++)
        cr_assert_null(p2p_fetch_block(h.p, a, chain_at(h.kit.chain, height)));
    cr_assert_null(p2p_fetch_block(h.p, a, chain_at(h.kit.chain, 17)));
    cr_assert_eq(in_flight(&h, a), 16);
    cr_assert_not_null(download_find(h.p, &chain_at(h.kit.chain, 16)->header.hash));
    cr_assert_null(download_find(h.p, &chain_at(h.kit.chain, 17)->header.hash));
    for (int32_t height = 17; height <= 20; height++)
        if (height != 18) chain_at(h.kit.chain, height)->status &= ~(uint32_t)BLOCK_HAVE_DATA;
    download_forget(h.p, &chain_at(h.kit.chain, 2)->header.hash, NULL);
    download_forget(h.p, &chain_at(h.kit.chain, 3)->header.hash, NULL);
    harness_ticks(&h, 2);
    cr_assert_eq(in_flight(&h, a), 16);
    cr_assert_eq(harness_answers(&h, a, MESSAGE_GETDATA), 18);
    for (int32_t height = 17; height <= 20; height++) {
        bool asked = download_find(h.p, &chain_at(h.kit.chain, height)->header.hash);
        cr_assert_eq(asked, height >= 19, "height %d: 18 came by itself, 17 was asked for again, last", height);
        chain_at(h.kit.chain, height)->status |= BLOCK_HAVE_DATA;
    }
    cr_assert_eq(next_getdata(&h, a, &item), 1);
    cr_assert_eq(item.type, INV_WITNESS_BLOCK);
    cr_assert_arr_eq(item.hash, node->header.hash.bytes, 32);
    harness_free(&h);
}

/* The same block asked of three, as compact blocks are: each request is its own. */
Test(download, requests_of_one_block_are_kept_apart)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 2);
    struct branch b = branch_on_tip(&h, 1, 1);
    peer_id ids[3] = {harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND), harness_peer(&h, "1.2.3.5:5000", CONN_INBOUND),
                      harness_peer(&h, "1.2.3.6:5000", CONN_OUTBOUND_FULL)};
    struct verdict v;
    struct block_node *node;
    cr_assert(chain_accept_header(h.kit.chain, &b.blocks[0]->header, h.kit.now_s, false, &node, &v));
    for (int i = 0; i < 3; i++) {
        struct peer *peer = harness_peer_of(&h, ids[i]);
        cr_assert_eq(download_is_outbound(h.p, &node->header.hash), false);
        struct in_flight *f = download_note(h.p, peer, node, i == 1);
        cr_assert_not_null(f);
        cr_assert_eq(!!f->partial, i == 1);
        cr_assert_null(download_note(h.p, peer, node, true));
        cr_assert_eq(download_of_peer(h.p, peer, &node->header.hash), f);
    }
    cr_assert(download_is_outbound(h.p, &node->header.hash));
    cr_assert_eq(download_find(h.p, &node->header.hash)->peer, harness_peer_of(&h, ids[0]));
    download_forget(h.p, &node->header.hash, harness_peer_of(&h, ids[0]));
    cr_assert_eq(download_find(h.p, &node->header.hash)->peer, harness_peer_of(&h, ids[1]));
    cr_assert_eq(h.p->download.peers_with_blocks, 2);
    cr_assert(download_only(h.p, &node->header.hash));
    download_forget(h.p, &node->header.hash, NULL);
    cr_assert_null(download_find(h.p, &node->header.hash));
    cr_assert_eq(h.p->download.peers_with_blocks, 0);
    branch_free(&b);
    harness_free(&h);
}

Test(download, nothing_while_importing)
{
    struct harness h;
    open_in_initial_download(&h, 200);
    struct branch b = branch_on_tip(&h, 10, 1);
    peer_id a = peer_with(&h, "1.2.3.4:5000", CONN_OUTBOUND_FULL, &b);
    p2p_set_importing(h.p, true);
    struct peer *peer = harness_peer_of(&h, a);
    while (peer->download.count) download_forget(h.p, &peer->download.items[0]->hash, peer);
    harness_ticks(&h, 2);
    cr_assert_eq(in_flight(&h, a), 0);
    p2p_set_importing(h.p, false);
    harness_ticks(&h, 1);
    cr_assert_eq(in_flight(&h, a), 10);
    branch_free(&b);
    harness_free(&h);
}

/* The compact form only where this is the one block that is awaited, and its transactions are wanted at all. */
Test(download, compact_form_is_not_asked_for_beside_others)
{
    struct harness h;
    struct inv first;
    harness_new(&h);
    grow(&h, 80);
    peer_id a = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    say_sendcmpct(&h, a, false);
    harness_forget(&h, a);
    struct branch b = branch_on_tip(&h, 2, 1), c = branch_on_tip(&h, 1, 2);
    say_branch(&h, a, &b, 0, 1);
    cr_assert_eq(next_getdata(&h, a, &first), 1);
    cr_assert_eq(first.type, INV_CMPCT_BLOCK);
    say_branch(&h, a, &c, 0, 1);
    cr_assert_eq(next_getdata(&h, a, &first), 1);
    cr_assert_eq(first.type, INV_WITNESS_BLOCK, "another one is awaited");
    download_forget(h.p, &b.blocks[0]->hash, NULL);
    download_forget(h.p, &c.blocks[0]->hash, NULL);
    say_branch(&h, a, &b, 1, 1);
    cr_assert_eq(next_getdata(&h, a, &first), 2);
    cr_assert_eq(first.type, INV_WITNESS_BLOCK, "two at once");
    download_forget(h.p, &b.blocks[0]->hash, NULL);
    download_forget(h.p, &b.blocks[1]->hash, NULL);
    h.p->options.blocks_only = true;
    say_branch(&h, a, &c, 0, 1);
    cr_assert_eq(next_getdata(&h, a, &first), 1);
    cr_assert_eq(first.type, INV_WITNESS_BLOCK, "we know no transactions");
    branch_free(&b);
    branch_free(&c);
    harness_free(&h);
}

Test(download, invalid_branches_are_not_fetched)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 80);
    struct branch b = branch_on_tip(&h, 2, 1);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct block_node *node;
    struct verdict v;
    for (int i = 0; i < 2; i++)
        cr_assert(chain_accept_header(h.kit.chain, &b.blocks[i]->header, h.kit.now_s, false, &node, &v));
    chain_invalidate(h.kit.chain, node_of(&h, b.blocks[0]));
    harness_peer_of(&h, id)->headers.best_known = node;
    download_fetch_directly(h.p, harness_peer_of(&h, id), node);
    harness_ticks(&h, 1);
    cr_assert_eq(next_getdata(&h, id, NULL), -1);
    branch_free(&b);
    harness_free(&h);
}

Test(download, patience_has_bounds)
{
    struct harness h;
    harness_new(&h);
    peer_id ids[7];
    char at[32];
    for (int i = 0; i < 7; i++) {
        snprintf(at, sizeof(at), "1.2.3.%d:5000", i + 1);
        ids[i] = harness_peer(&h, at, CONN_INBOUND);
    }
    for (int i = 0; i < 7; i++) {
        harness_peer_of(&h, ids[i])->download.stalling_since_us = h.wall_us;
        harness_wait_us(&h, h.p->download.stall_timeout_us);
        cr_assert_not(is_gone(&h, ids[i]));
        harness_wait_us(&h, 1);
        cr_assert(is_gone(&h, ids[i]));
        cr_assert_eq(h.p->download.stall_timeout_us, (i < 5 ? INT64_C(4000000) << i : 64000000));
    }
    int connected = 0;
    for (; h.p->download.stall_timeout_us > 2000000; connected++) download_on_connected(h.p);
    cr_assert_eq(connected, 16);
    harness_free(&h);
}

/* ---- the window beside a naive one ---- */

/* What a look at every block of the branch says: the same in many words. */
static size_t naive_next(struct harness *h, struct peer *peer, const struct branch *b, size_t max,
                         struct block_node **out)
{
    struct block_node *best = peer->headers.best_known, *common = NULL;
    size_t count = 0;
    for (struct block_node *n = best; n; n = block_node_prev(n))
        if (chain_contains(h->kit.chain, n) && !common) common = n;
    /* All that is there without a gap is common, too. */
    int32_t last = common->header.height;
    for (size_t i = 0; i < b->count; i++) {
        struct block_node *n = node_of(h, b->blocks[i]);
        if (n->header.height == last + 1 && n->status & BLOCK_HAVE_DATA) last++;
    }
    for (size_t i = 0; i < b->count && count < max; i++) {
        struct block_node *n = node_of(h, b->blocks[i]);
        if (n->header.height > last + DOWNLOAD_WINDOW) break;
        if (n->status & BLOCK_HAVE_DATA || download_find(h->p, &n->header.hash)) continue;
        out[count++] = n;
    }
    return count;
}

Test(download, the_window_is_what_a_naive_one_would_be)
{
    struct harness h;
    struct random random;
    random_init_u64(&random, 3);
    open_in_initial_download(&h, 1500);
    struct branch b = branch_on_tip(&h, 1400, 1);
    peer_id a = harness_peer(&h, "1.2.3.4:5000", CONN_OUTBOUND_FULL);
    peer_id c = harness_peer(&h, "1.2.3.5:5000", CONN_OUTBOUND_FULL);
    h.p->importing = true; /* nothing is asked for but by this test */
    struct block_node *node;
    struct verdict v;
    for (size_t i = 0; i < b.count; i++)
        cr_assert(chain_accept_header(h.kit.chain, &b.blocks[i]->header, h.kit.now_s, false, &node, &v));
    struct peer *peers[2] = {harness_peer_of(&h, a), harness_peer_of(&h, c)};
    peers[0]->headers.best_known = peers[1]->headers.best_known = node;
    for (int round = 0; round < 400; round++) {
        struct block_node *next[16], *naive[16];
        struct peer *peer = peers[random_below(&random, 2)];
        size_t room = DOWNLOAD_PER_PEER - peer->download.count, max = random_below(&random, room + 1);
        peer_id staller;
        size_t count = download_next(h.p, peer, next, max, &staller);
        cr_assert_eq(count, naive_next(&h, peer, &b, max, naive), "round %d", round);
        cr_assert_eq(memcmp(next, naive, count * sizeof(*next)), 0);
        for (size_t i = 0; i < count; i++) cr_assert_not_null(download_note(h.p, peer, next[i], false));
        /* Some come, in any order; some are given up. */
        for (int k = 0; k < 12; k++) {
            struct peer *from = peers[random_below(&random, 2)];
            if (!from->download.count) continue;
            struct block_node *n = from->download.items[random_below(&random, from->download.count)]->node;
            download_forget(h.p, &n->header.hash, from);
            if (random_below(&random, 8)) harness_feed(&h, b.blocks[n->header.height - 1]);
        }
    }
    cr_assert_gt(chain_height(h.kit.chain), 500);
    branch_free(&b);
    harness_free(&h);
}
