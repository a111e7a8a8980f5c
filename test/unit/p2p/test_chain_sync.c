/* Outbound peers that lag behind, stale tips, and one outbound peer too many. */
#include "p2p/dial_plan.h"
#include "relay_kit.h"

/* MINUTES pass; whoever is pinged answers. */
static void pass_minutes(struct harness *h, int minutes)
{
    for (int i = 0; i < minutes; i++) {
        harness_wait_s(h, 60);
        for (size_t k = 0; k < h->p->peer_count; k++) {
            struct message m = {.type = MESSAGE_PONG};
            peer_id id = h->p->peers[k]->id;
            m.as.ping = (struct nonce_message){.has_nonce = true, .nonce = h->p->peers[k]->ping.nonce};
            if (!m.as.ping.nonce) continue;
            harness_say(h, id, &m);
        }
    }
}

Test(chain_sync, an_outbound_peer_without_our_chain_is_asked_once_and_left)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "2.2.3.4:18444", CONN_OUTBOUND_FULL);
    peer_id inbound = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    peer_id manual = harness_peer(&h, "3.2.3.4:18444", CONN_MANUAL);
    harness_ticks(&h, 1);
    cr_assert(harness_peer_of(&h, id)->headers.sync_started);
    harness_forget(&h, id);
    pass_minutes(&h, 19);
    cr_assert_eq(harness_answers(&h, id, MESSAGE_GETHEADERS), 0);
    pass_minutes(&h, 2);
    cr_assert(harness_answer(&h, id, MESSAGE_GETHEADERS, NULL));
    cr_assert(harness_logged(&h, "to verify chain work (current best known block:<none>, benchmark blockhash: "));
    pass_minutes(&h, 3);
    cr_assert(is_gone(&h, id));
    cr_assert(harness_logged(&h, "Outbound peer has old chain, best known block = <none>, disconnecting peer="));
    cr_assert_not(is_gone(&h, inbound));
    cr_assert_not(is_gone(&h, manual));
    harness_free(&h);
}

Test(chain_sync, catching_up_ends_the_countdown)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "2.2.3.4:18444", CONN_BLOCK_RELAY);
    pass_minutes(&h, 19);
    cr_assert_gt(harness_peer_of(&h, id)->chain_sync.timeout_s, 0);
    say_header(&h, id, &chain_tip(h.kit.chain)->header);
    cr_assert_eq(harness_peer_of(&h, id)->chain_sync.timeout_s, 0);
    pass_minutes(&h, 30);
    cr_assert_not(is_gone(&h, id));
    harness_free(&h);
}

Test(chain_sync, reaching_the_tip_of_then_begins_a_new_countdown)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "2.2.3.4:18444", CONN_BLOCK_RELAY);
    struct block_node *then = chain_tip(h.kit.chain);
    pass_minutes(&h, 19);
    harness_mine(&h);
    int64_t first = harness_peer_of(&h, id)->chain_sync.timeout_s;
    cr_assert_eq(harness_peer_of(&h, id)->chain_sync.work_header, then);
    say_header(&h, id, &then->header);
    cr_assert_gt(harness_peer_of(&h, id)->chain_sync.timeout_s, first);
    cr_assert_eq(harness_peer_of(&h, id)->chain_sync.work_header, chain_tip(h.kit.chain));
    pass_minutes(&h, 19);
    cr_assert_not(is_gone(&h, id));
    pass_minutes(&h, 6);
    cr_assert(is_gone(&h, id));
    harness_free(&h);
}

Test(chain_sync, four_good_outbound_peers_are_safe)
{
    struct harness h;
    peer_id id[5];
    harness_new(&h);
    grow(&h, 3);
    for (int i = 0; i < 5; i++) {
        char at[32];
        snprintf(at, sizeof(at), "%d.2.3.4:18444", i + 2);
        id[i] = harness_peer(&h, at, CONN_OUTBOUND_FULL);
        say_header(&h, id[i], &chain_tip(h.kit.chain)->header);
        cr_assert_eq(harness_peer_of(&h, id[i])->chain_sync.protect, i < 4);
    }
    harness_mine(&h);
    harness_hang_up(&h, id[0]);
    cr_assert_eq(h.p->chain_sync.protected_peers, 3);
    pass_minutes(&h, 25);
    cr_assert_not(is_gone(&h, id[1]), "protected, though it never told of the new block");
    cr_assert(is_gone(&h, id[4]));
    harness_free(&h);
}

Test(chain_sync, a_tip_that_does_not_move_is_stale_after_half_an_hour)
{
    struct harness h;
    harness_new(&h);
    h.p->options.automatic = true;
    grow(&h, 2);
    cr_assert_not(chain_sync_tip_is_stale(h.p));
    harness_wait_s(&h, 1799);
    harness_wait_s(&h, 1);
    cr_assert_not(chain_sync_tip_is_stale(h.p));
    cr_assert_not(harness_logged(&h, "Potential stale tip"));
    pass_minutes(&h, 12);
    cr_assert(chain_sync_tip_is_stale(h.p));
    cr_assert(
        harness_logged(&h, "Potential stale tip detected, will try using extra outbound peer (last tip update: "));
    cr_assert(h.p->chain_sync.extra_wanted);
    harness_mine(&h);
    pass_minutes(&h, 12);
    cr_assert_not(h.p->chain_sync.extra_wanted);
    harness_free(&h);
}

Test(chain_sync, mockscheduler_brings_the_check_forward)
{
    struct harness h;
    harness_new(&h);
    int64_t due = chain_sync_deadline(h.p);
    p2p_mock_scheduler(h.p, 10);
    cr_assert_eq(chain_sync_deadline(h.p), due - 10000000);
    harness_ticks(&h, 1);
    cr_assert_eq(chain_sync_deadline(h.p), due - 10000000, "not due yet");
    p2p_mock_scheduler(h.p, 40);
    harness_ticks(&h, 1);
    cr_assert_gt(chain_sync_deadline(h.p), h.steady_us + 44000000);
    harness_free(&h);
}

/* ---- one too many ---- */

Test(chain_sync, the_full_relay_peer_that_told_of_a_block_the_longest_ago_goes)
{
    struct harness h;
    peer_id id[3];
    harness_new(&h);
    grow(&h, 3);
    for (int i = 0; i < 3; i++) {
        char at[32];
        snprintf(at, sizeof(at), "%d.2.3.4:18444", i + 2);
        id[i] = harness_peer(&h, at, CONN_OUTBOUND_FULL);
        harness_peer_of(&h, id[i])->chain_sync.last_announcement_s = i == 1 ? 5 : 0;
    }
    h.p->dial->max_full = 2;
    harness_peer_of(&h, id[2])->chain_sync.last_announcement_s = 3;
    p2p_mock_scheduler(h.p, 60);
    harness_ticks(&h, 1);
    cr_assert_not(is_gone(&h, id[0]), "connected for too short a time");
    cr_assert(harness_logged(&h, "keeping outbound peer="));
    pass_minutes(&h, 2);
    cr_assert(is_gone(&h, id[0]));
    cr_assert(harness_logged(&h, "disconnecting extra outbound peer="));
    cr_assert_not(is_gone(&h, id[1]) || is_gone(&h, id[2]));
    harness_free(&h);
}

Test(chain_sync, protected_peers_and_the_only_one_of_a_network_stay)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    peer_id four = harness_peer(&h, "2.2.3.4:18444", CONN_OUTBOUND_FULL);
    peer_id five = harness_peer(&h, "3.2.3.4:18444", CONN_OUTBOUND_FULL);
    peer_id six = harness_peer(&h, "[2a00:1450:4009::5]:18444", CONN_OUTBOUND_FULL);
    say_header(&h, four, &chain_tip(h.kit.chain)->header);
    say_header(&h, five, &chain_tip(h.kit.chain)->header);
    cr_assert(harness_peer_of(&h, four)->chain_sync.protect && harness_peer_of(&h, five)->chain_sync.protect);
    h.p->dial->max_full = 1;
    pass_minutes(&h, 3);
    cr_assert_not(is_gone(&h, four) || is_gone(&h, five) || is_gone(&h, six));
    harness_free(&h);
}

Test(chain_sync, the_youngest_block_relay_peer_goes_unless_it_gave_a_block)
{
    for (int gave = 0; gave < 2; gave++) {
        struct harness h;
        harness_new(&h);
        grow(&h, 3);
        peer_id old = harness_peer(&h, "2.2.3.4:18444", CONN_BLOCK_RELAY);
        peer_id young = harness_peer(&h, "3.2.3.4:18444", CONN_BLOCK_RELAY);
        harness_peer_of(&h, old)->blocks.last_block_s = 10;
        harness_peer_of(&h, young)->blocks.last_block_s = gave ? 11 : 9;
        h.p->dial->max_block_relay = 1;
        pass_minutes(&h, 2);
        cr_assert_eq(is_gone(&h, young), !gave);
        cr_assert_eq(is_gone(&h, old), gave);
        cr_assert(harness_logged(&h, "disconnecting extra block-relay-only peer="));
        harness_free(&h);
    }
}

Test(chain_sync, who_is_sending_a_block_is_not_the_one_to_go)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    harness_peer(&h, "2.2.3.4:18444", CONN_BLOCK_RELAY);
    peer_id young = harness_peer(&h, "3.2.3.4:18444", CONN_BLOCK_RELAY);
    struct block *b = make_empty_block(&chain_tip(h.kit.chain)->header, &h.kit.params, 0);
    struct header_node n;
    header_node_link(&n, &b->header, &b->hash, &chain_tip(h.kit.chain)->header);
    say_header(&h, young, &n);
    cr_assert_eq(harness_peer_of(&h, young)->download.count, 1);
    h.p->dial->max_block_relay = 1;
    harness_wait_s(&h, 46);
    cr_assert_not(is_gone(&h, young));
    cr_assert(harness_logged(&h, "keeping block-relay-only peer="));
    block_free(b);
    harness_free(&h);
}
