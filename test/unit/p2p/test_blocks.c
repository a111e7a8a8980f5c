/* Blocks from peers: what is handed over, and what becomes of who sent them. */
#include "sync_kit.h"

/* A block on the tip that breaks a rule which only connecting shows: its coinbase takes too much. */
static struct block *greedy_block(struct harness *h)
{
    struct draft d = draft_on(&chain_tip(h->kit.chain)->header, &h->kit.params, 5);
    d.coinbase_value++;
    return draft_mine(&d, &h->kit.params);
}

/* The same header with another merkle tree below it. */
static struct block *mutated(const struct block *b)
{
    uint8_t *raw = mem_dup(b->raw.data, b->raw.len);
    raw[b->raw.len - 5] ^= 1; /* in the last output's script */
    struct block *out = block_parse_take(raw, b->raw.len);
    cr_assert_not_null(out);
    return out;
}

Test(blocks, unrequested_ones_are_kept_where_they_help)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct branch worse = branch_on(&chain_at(h.kit.chain, 1)->header, 1, &h.kit.params, 1);
    struct branch better = branch_on_tip(&h, 1, 1);
    say_block(&h, id, worse.blocks[0]);
    cr_assert_eq(h.blocks_done[BLOCK_DONE_KNOWN], 1);
    cr_assert_not(node_of(&h, worse.blocks[0])->status & BLOCK_HAVE_DATA);
    say_block(&h, id, better.blocks[0]);
    cr_assert_eq(chain_tip(h.kit.chain), node_of(&h, better.blocks[0]));
    cr_assert_eq(harness_peer_of(&h, id)->blocks.last_block_s, h.wall_us / 1000000);
    cr_assert_eq(h.p->blocks.sources.count, 0);
    cr_assert_eq(h.p->blocks.pending.count, 0);
    branch_free(&worse);
    branch_free(&better);
    harness_free(&h);
}

Test(blocks, requested_ones_are_kept_whatever_their_work)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct branch worse = branch_on(&chain_at(h.kit.chain, 1)->header, 1, &h.kit.params, 1);
    say_branch(&h, id, &worse, 0, 1);
    cr_assert_null(p2p_fetch_block(h.p, id, node_of(&h, worse.blocks[0])));
    say_block(&h, id, worse.blocks[0]);
    cr_assert(node_of(&h, worse.blocks[0])->status & BLOCK_HAVE_DATA);
    cr_assert_eq(harness_peer_of(&h, id)->download.count, 0);
    branch_free(&worse);
    harness_free(&h);
}

Test(blocks, an_invalid_one_is_misbehaviour_of_who_gave_it)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    peer_id second = harness_peer(&h, "1.2.3.5:5000", CONN_INBOUND);
    peer_id out = harness_peer(&h, "1.2.3.6:5000", CONN_OUTBOUND_FULL);
    struct block *b = greedy_block(&h);
    say_block(&h, id, b);
    harness_ticks(&h, 1);
    cr_assert(is_gone(&h, id));
    cr_assert_eq(chain_height(h.kit.chain), 3);
    /* Who repeats it later may not know; outbound peers should. */
    say_block(&h, second, b);
    harness_ticks(&h, 1);
    cr_assert_not(is_gone(&h, second));
    say_block(&h, out, b);
    harness_ticks(&h, 1);
    cr_assert(is_gone(&h, out));
    cr_assert_eq(h.p->blocks.sources.count, 0);
    block_free(b);
    harness_free(&h);
}

/* Compact blocks are passed on unchecked, as they should be: no blame. */
Test(blocks, an_invalid_compact_one_is_nobodys_fault)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct block *b = greedy_block(&h);
    struct buffer raw = {0};
    buffer_put_span(&raw, b->raw);
    blocks_hand_over(h.p, harness_peer_of(&h, id), &b->header, &raw, true, true, true);
    cr_assert_null(raw.data);
    harness_pump(&h);
    harness_ticks(&h, 1);
    cr_assert_eq(h.blocks_done[BLOCK_DONE_NEW], 1);
    cr_assert(node_of(&h, b)->status & BLOCK_FAILED);
    cr_assert_not(is_gone(&h, id));
    block_free(b);
    harness_free(&h);
}

/* Whoever alters a block must not keep us from getting it from others. */
Test(blocks, mutated_ones_leave_other_requests_alone)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    peer_id honest = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    peer_id attacker = harness_peer(&h, "1.2.3.5:5000", CONN_INBOUND);
    struct branch b = branch_on_tip(&h, 1, 1);
    struct block *bad = mutated(b.blocks[0]);
    say_branch(&h, honest, &b, 0, 1);
    cr_assert_eq(next_getdata(&h, honest, NULL), 1);
    say_block(&h, attacker, bad);
    harness_ticks(&h, 1);
    cr_assert(is_gone(&h, attacker));
    cr_assert(harness_logged(&h, "Misbehaving: peer=1: mutated block"));
    cr_assert_eq(harness_peer_of(&h, honest)->download.count, 1);
    say_block(&h, honest, b.blocks[0]);
    cr_assert_eq(chain_tip(h.kit.chain), node_of(&h, b.blocks[0]));
    block_free(bad);
    branch_free(&b);
    harness_free(&h);
}

Test(blocks, orphans_are_misbehaviour)
{
    struct harness h;
    harness_new(&h);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct branch b = branch_on_tip(&h, 2, 1);
    say_block(&h, id, b.blocks[1]);
    harness_ticks(&h, 1);
    cr_assert(is_gone(&h, id));
    branch_free(&b);
    harness_free(&h);
}

/* Bytes that are no block count as not sent: the request stands. */
Test(blocks, garbage_leaves_the_request)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct branch b = branch_on_tip(&h, 1, 1);
    say_branch(&h, id, &b, 0, 1);
    cr_assert_eq(harness_peer_of(&h, id)->download.count, 1);
    struct span raw = b.blocks[0]->raw;
    harness_say_bytes(&h, id, "block", span_of(raw.data, raw.len - 3));
    cr_assert_eq(h.blocks_done[BLOCK_DONE_MALFORMED], 1);
    harness_say_bytes(&h, id, "block", span_of(raw.data, 79));
    cr_assert_not(is_gone(&h, id));
    cr_assert_eq(harness_peer_of(&h, id)->download.count, 1);
    cr_assert_eq(h.p->blocks.sources.count, 0);
    say_block(&h, id, b.blocks[0]);
    cr_assert_eq(chain_tip(h.kit.chain), node_of(&h, b.blocks[0]));
    branch_free(&b);
    harness_free(&h);
}

/* A block from a second peer ends the request of the first. */
Test(blocks, whoever_is_first_ends_all_requests)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    peer_id slow = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    peer_id quick = harness_peer(&h, "1.2.3.5:5000", CONN_INBOUND);
    struct branch b = branch_on_tip(&h, 1, 1);
    say_branch(&h, slow, &b, 0, 1);
    cr_assert_eq(harness_peer_of(&h, slow)->download.count, 1);
    say_block(&h, quick, b.blocks[0]);
    cr_assert_eq(harness_peer_of(&h, slow)->download.count, 0);
    cr_assert_eq(chain_tip(h.kit.chain), node_of(&h, b.blocks[0]));
    branch_free(&b);
    harness_free(&h);
}

Test(blocks, the_first_with_a_good_one_is_asked_for_high_bandwidth)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_OUTBOUND_FULL);
    say_sendcmpct(&h, id, false);
    struct branch b = branch_on_tip(&h, 1, 1);
    say_block(&h, id, b.blocks[0]);
    cr_assert(harness_peer_of(&h, id)->compact.hb_to);
    branch_free(&b);
    harness_free(&h);
}

Test(blocks, what_waits_for_the_owner_is_bounded)
{
    struct harness h;
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    peer_id other = harness_peer(&h, "1.2.3.5:5000", CONN_INBOUND);
    struct branch b = branch_on_tip(&h, 20, 1);
    h.hold_blocks = true;
    for (int i = 0; i < BLOCKS_AHEAD; i++) {
        cr_assert(p2p_ready(h.p, id, "block"), "%d", i);
        say_block(&h, id, b.blocks[i]);
        cr_assert_not(p2p_ready(h.p, id, "ping"), "what follows a block waits for it");
    }
    cr_assert_not(p2p_ready(h.p, id, "block"));
    cr_assert(p2p_ready(h.p, other, "block"));
    cr_assert_eq(h.p->blocks.pending.count, BLOCKS_AHEAD);
    cr_assert_eq(h.p->blocks.queue_count, BLOCKS_AHEAD);
    /* All of them together: nobody loses the place of one. */
    h.p->blocks.pending_bytes += BLOCKS_AHEAD_TOTAL;
    cr_assert(p2p_ready(h.p, other, "block"));
    say_block(&h, other, b.blocks[0]);
    cr_assert_not(p2p_ready(h.p, other, "block"));
    h.p->blocks.pending_bytes -= BLOCKS_AHEAD_TOTAL;
    cr_assert(p2p_ready(h.p, other, "block"));
    /* Gone before its blocks were judged: they count. */
    p2p_disconnected(h.p, id);
    h.hold_blocks = false;
    harness_pump(&h);
    cr_assert_eq(chain_tip(h.kit.chain), node_of(&h, b.blocks[15]));
    cr_assert_eq(h.p->blocks.pending_bytes, 0);
    branch_free(&b);
    harness_free(&h);
}

Test(blocks, bytes_are_moved_to_the_owner)
{
    struct harness h;
    struct p2p_block taken;
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct branch b = branch_on_tip(&h, 1, 1);
    struct received r = {.name = "block", .wire_bytes = b.blocks[0]->raw.len + 24};
    buffer_put_span(&r.payload, b.blocks[0]->raw);
    const uint8_t *bytes = r.payload.data;
    h.hold_blocks = true;
    p2p_received(h.p, id, &r);
    cr_assert(p2p_take_block(h.p, &taken));
    cr_assert_eq(taken.raw.data, bytes);
    cr_assert_not(p2p_take_block(h.p, &(struct p2p_block){0}));
    cr_assert_not(taken.requested);
    cr_assert(taken.min_work_checked);
    cr_assert_not(taken.compact);
    p2p_block_done(h.p, &taken, BLOCK_DONE_KNOWN, NULL);
    buffer_clear(&taken.raw);
    branch_free(&b);
    harness_free(&h);
}

Test(blocks, low_work_is_told_to_the_owner)
{
    struct harness h;
    struct p2p_block taken;
    harness_new(&h);
    grow(&h, 160);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct branch b = branch_on(&chain_at(h.kit.chain, 1)->header, 1, &h.kit.params, 1);
    h.hold_blocks = true;
    say_block(&h, id, b.blocks[0]);
    cr_assert(p2p_take_block(h.p, &taken));
    cr_assert_not(taken.min_work_checked);
    p2p_block_done(h.p, &taken, BLOCK_DONE_REFUSED, &(struct verdict){.kind = VERDICT_LOW_WORK});
    buffer_clear(&taken.raw);
    harness_ticks(&h, 1);
    cr_assert_not(is_gone(&h, id));
    branch_free(&b);
    harness_free(&h);
}

/* What each verdict says about who sent the block or header. */
Test(blocks, verdicts_blame_as_the_rules_say)
{
    enum { NEVER, WHOLE, OUTBOUND_WHOLE, ALWAYS };
    static const struct {
        enum verdict_kind kind;
        int blame;
    } rows[] = {
        {VERDICT_VALID, NEVER},           {VERDICT_CONSENSUS, WHOLE},
        {VERDICT_MUTATED, WHOLE},         {VERDICT_MISSING_INPUTS, WHOLE},
        {VERDICT_INVALID_HEADER, ALWAYS}, {VERDICT_INVALID_PREV, ALWAYS},
        {VERDICT_MISSING_PREV, ALWAYS},   {VERDICT_CACHED_INVALID, OUTBOUND_WHOLE},
        {VERDICT_TIME_FUTURE, NEVER},     {VERDICT_LOW_WORK, NEVER},
        {VERDICT_PREMATURE, NEVER},
    };
    struct harness h;
    harness_new(&h);
    struct peer *in = harness_peer_of(&h, harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND));
    struct peer *out = harness_peer_of(&h, harness_peer(&h, "1.2.3.5:5000", CONN_OUTBOUND_FULL));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int bits = 0; bits < 4; bits++) {
            struct verdict v = {.kind = rows[i].kind};
            struct peer *peer = bits & 1 ? out : in;
            bool compact = bits & 2;
            bool expected = rows[i].blame == ALWAYS || (rows[i].blame == WHOLE && !compact) ||
                            (rows[i].blame == OUTBOUND_WHOLE && !compact && peer == out);
            cr_assert_eq(blocks_punish(h.p, peer, &v, compact, ""), expected, "row %zu, %d", i, bits);
            cr_assert_eq(peer->discourage, expected, "row %zu, %d", i, bits);
            peer->discourage = false;
        }
    harness_free(&h);
}

/* Short ids that collided: the transactions are wrong, and nobody is to blame. */
Test(blocks, a_mutated_compact_one_is_fetched_whole)
{
    struct harness h;
    struct inv item;
    harness_new(&h);
    grow(&h, 3);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct branch b = branch_on_tip(&h, 1, 1);
    struct block *bad = mutated(b.blocks[0]);
    struct verdict v;
    struct block_node *node;
    struct buffer raw = {0};
    cr_assert(chain_accept_header(h.kit.chain, &bad->header, h.kit.now_s, false, &node, &v));
    buffer_put_span(&raw, bad->raw);
    blocks_hand_over(h.p, harness_peer_of(&h, id), &bad->header, &raw, true, true, true);
    harness_pump(&h);
    cr_assert_eq(h.blocks_done[BLOCK_DONE_MUTATED], 1);
    cr_assert_eq(next_getdata(&h, id, &item), 1);
    cr_assert_eq(item.type, INV_WITNESS_BLOCK);
    say_block(&h, id, b.blocks[0]);
    cr_assert_eq(chain_tip(h.kit.chain), node);
    harness_ticks(&h, 1);
    cr_assert_not(is_gone(&h, id));
    block_free(bad);
    branch_free(&b);
    harness_free(&h);
}

/* Blocks in a row whose headers nobody announced: each is judged with those before it that still wait. */
Test(blocks, parents_that_wait_count)
{
    struct harness h;
    struct p2p_block taken[3];
    harness_new(&h);
    grow(&h, 160);
    peer_id id = harness_peer(&h, "1.2.3.4:5000", CONN_INBOUND);
    struct branch b = branch_on_tip(&h, 2, 1), orphans = branch_on(&b.nodes[0], 2, &h.kit.params, 2);
    h.hold_blocks = true;
    say_block(&h, id, b.blocks[0]);
    say_block(&h, id, b.blocks[1]);
    say_block(&h, id, orphans.blocks[1]);
    for (int i = 0; i < 3; i++) {
        cr_assert(p2p_take_block(h.p, &taken[i]));
        cr_assert_eq(taken[i].parent_known, i < 2);
        cr_assert_eq(taken[i].min_work_checked, i < 2);
        cr_assert_eq(taken[i].check_witness, i < 2);
    }
    for (int i = 0; i < 3; i++) {
        buffer_clear(&taken[i].raw);
        p2p_block_done(h.p, &taken[i], BLOCK_DONE_KNOWN, NULL);
    }
    cr_assert_eq(h.p->blocks.pending.count, 0);
    branch_free(&orphans);
    branch_free(&b);
    harness_free(&h);
}
