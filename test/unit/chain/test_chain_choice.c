/* Which branch: first seen, invalidated, reconsidered, preferred, failed. */
#include "trees.h"

struct fork {
    struct kit kit;
    struct tree tree;
    struct tree_block *a, *b; /* tips of two branches of 3 on height 5; A came first */
};

static void fork_new(struct fork *f)
{
    tree_init(&f->tree, 5);
    kit_new(&f->kit, CHAIN_REGTEST);
    struct tree_block *base = tree_grow(&f->tree, f->tree.blocks[0], 5);
    f->a = tree_grow(&f->tree, base, 3);
    f->b = tree_grow(&f->tree, base, 3);
    tree_feed(&f->kit, f->a);
    tree_feed(&f->kit, f->b);
}

static void fork_free(struct fork *f)
{
    kit_free(&f->kit);
    tree_clear(&f->tree);
}

static struct block_node *node_of(struct fork *f, const struct tree_block *b)
{
    return chain_find(f->kit.chain, &b->block->hash);
}

static void expect_tip(struct fork *f, const struct tree_block *b)
{
    kit_run(&f->kit);
    cr_assert(chain_tip(f->kit.chain) == node_of(f, b), "tip at height %d", chain_height(f->kit.chain));
}

Test(chain_choice, first_seen_wins)
{
    static struct fork f;
    fork_new(&f);
    expect_tip(&f, f.a);
    cr_assert_eq(f.kit.disconnected, 0);
    kit_restart(&f.kit);
    expect_tip(&f, f.a); /* and after a restart, the one that was active */
    chain_invalidate(f.kit.chain, node_of(&f, f.a));
    expect_tip(&f, f.b);
    chain_reconsider(f.kit.chain, node_of(&f, f.a));
    expect_tip(&f, f.a);
    struct tree_block *more = tree_mine(&f.tree, f.b);
    tree_feed(&f.kit, more);
    expect_tip(&f, more);
    fork_free(&f);
}

/* The block, not the header, decides who came first. */
Test(chain_choice, headers_do_not_count)
{
    static struct fork f;
    fork_new(&f);
    struct tree_block *c = tree_mine(&f.tree, f.a), *d = tree_mine(&f.tree, f.a);
    struct block_node *n;
    struct verdict v = {0};
    cr_assert(chain_accept_header(f.kit.chain, &c->block->header, f.kit.now_s, false, &n, &v));
    tree_feed(&f.kit, d);
    tree_feed(&f.kit, c);
    expect_tip(&f, d);
    fork_free(&f);
}

Test(chain_choice, invalidate_and_reconsider)
{
    static struct fork f;
    fork_new(&f);
    struct block_node *a1 = node_of(&f, tree_back(f.a, 2)), *a3 = node_of(&f, f.a);
    chain_invalidate(f.kit.chain, a1);
    expect_tip(&f, f.b);
    cr_assert_eq(a1->status & BLOCK_ANY_FAILURE, BLOCK_FAILED);
    cr_assert_eq(a3->status & BLOCK_ANY_FAILURE, BLOCK_FAILED_PARENT);
    cr_assert_eq(f.kit.chain->best_invalid, a1);
    chain_invalidate(f.kit.chain, node_of(&f, f.b));
    expect_tip(&f, f.b->prev);
    kit_restart(&f.kit); /* what the user said is kept */
    expect_tip(&f, f.b->prev);
    chain_reconsider(f.kit.chain, node_of(&f, f.a));
    expect_tip(&f, f.a);
    chain_reconsider(f.kit.chain, node_of(&f, tree_back(f.b, 2)));
    for (size_t i = 0; i < f.kit.chain->tree.count; i++)
        cr_assert_eq(f.kit.chain->tree.nodes[i]->status & BLOCK_ANY_FAILURE, 0);
    fork_free(&f);
}

/* A block on an invalidated one is refused; so is the invalidated one itself. */
Test(chain_choice, nothing_on_an_invalid_block)
{
    static struct fork f;
    fork_new(&f);
    struct tree_block *more = tree_grow(&f.tree, f.a, 2);
    chain_invalidate(f.kit.chain, node_of(&f, f.a));
    kit_run(&f.kit);
    struct verdict v = kit_feed(&f.kit, more->prev->block);
    cr_assert_str_eq(v.reason, "bad-prevblk");
    cr_assert_eq(v.kind, VERDICT_INVALID_PREV);
    v = kit_feed(&f.kit, f.a->block);
    cr_assert_str_eq(v.reason, "duplicate-invalid");
    v = kit_feed(&f.kit, more->block);
    cr_assert_str_eq(v.reason, "prev-blk-not-found");
    chain_reconsider(f.kit.chain, node_of(&f, f.a));
    tree_feed(&f.kit, more);
    expect_tip(&f, more);
    fork_free(&f);
}

/* Below the invalidated block, the branch with most work is taken, also one that was far behind before. */
Test(chain_choice, invalidate_far_below)
{
    static struct fork f;
    fork_new(&f);
    struct tree_block *side = tree_grow(&f.tree, f.tree.blocks[0], 2);
    tree_feed(&f.kit, side);
    chain_invalidate(f.kit.chain, node_of(&f, tree_back(f.a, 7)));
    expect_tip(&f, side);
    char hash[65];
    tree_fresh_hash(&f.tree, side, hash);
    kit_expect_hash(&f.kit, hash);
    chain_reconsider(f.kit.chain, node_of(&f, tree_back(f.a, 7)));
    expect_tip(&f, f.a);
    fork_free(&f);
}

Test(chain_choice, precious)
{
    static struct fork f;
    fork_new(&f);
    chain_precious(f.kit.chain, node_of(&f, f.b));
    expect_tip(&f, f.b);
    chain_precious(f.kit.chain, node_of(&f, f.a));
    expect_tip(&f, f.a);
    chain_precious(f.kit.chain, node_of(&f, f.b->prev)); /* less work than the tip: nothing */
    expect_tip(&f, f.a);
    struct tree_block *more = tree_mine(&f.tree, f.b);
    tree_feed(&f.kit, more);
    expect_tip(&f, more); /* work beats preference */
    fork_free(&f);
}

/* The better branch turns out to be bad at its end: back to where we were, and the good part of it is no candidate. */
Test(chain_choice, back_from_a_bad_branch)
{
    static struct fork f;
    fork_new(&f);
    char hash[65];
    kit_utxo_hash(&f.kit, hash);
    struct draft d = draft_on(&f.b->node, &f.tree.params, 1);
    d.coinbase_value++;
    struct block *bad = draft_mine(&d, &f.tree.params);
    struct verdict v = kit_feed(&f.kit, bad);
    cr_assert_str_eq(v.reason, "bad-cb-amount");
    cr_assert_eq(f.kit.disconnected, 6); /* A was left, B was reached, and left again */
    expect_tip(&f, f.a);
    kit_expect_hash(&f.kit, hash);
    struct block_node *n = chain_find(f.kit.chain, &bad->hash);
    cr_assert_eq(n->status & BLOCK_ANY_FAILURE, BLOCK_FAILED);
    cr_assert_eq(f.kit.chain->best_invalid, n);
    cr_assert_eq(node_of(&f, f.b)->status & BLOCK_ANY_FAILURE, 0);
    block_free(bad);
    fork_free(&f);
}

/* Everything on a block that fails fails with it, data that came before it included. */
Test(chain_choice, descendants_fail_too)
{
    static struct fork f;
    fork_new(&f);
    struct draft d = draft_on(&f.a->node, &f.tree.params, 1);
    d.coinbase_value++;
    struct block *bad = draft_mine(&d, &f.tree.params);
    struct header_node at;
    header_node_link(&at, &bad->header, &bad->hash, &f.a->node);
    struct block *child = make_empty_block(&at, &f.tree.params, 2);
    struct block_node *n;
    struct verdict v = {0};
    cr_assert(chain_accept_header(f.kit.chain, &bad->header, f.kit.now_s, false, &n, &v));
    kit_feed_good(&f.kit, child);
    v = kit_feed(&f.kit, bad);
    cr_assert_str_eq(v.reason, "bad-cb-amount");
    cr_assert_eq(chain_find(f.kit.chain, &child->hash)->status & BLOCK_ANY_FAILURE, BLOCK_FAILED_PARENT);
    cr_assert_eq(f.kit.chain->tree.best_header->header.height, 8);
    expect_tip(&f, f.a);
    kit_restart(&f.kit);
    expect_tip(&f, f.a);
    block_free(bad);
    block_free(child);
    fork_free(&f);
}

/* What nobody asked for and does not help is not kept. */
Test(chain_choice, unrequested_blocks)
{
    static struct fork f;
    fork_new(&f);
    struct tree_block *weak = tree_mine(&f.tree, f.tree.blocks[0]), *far = tree_grow(&f.tree, f.a, 290);
    struct verdict v = {0};
    struct error e = {0};
    struct block_node *n;
    bool is_new;
    cr_assert_eq(chain_accept_block(f.kit.chain, weak->block, f.kit.now_s, 0, NULL, &n, &is_new, &v, &e), RESULT_OK);
    cr_assert(!is_new && verdict_ok(&v) && !(n->status & BLOCK_HAVE_DATA));
    for (int32_t back = 289; back >= 0; back--) {
        struct tree_block *b = tree_back(far, back);
        cr_assert(chain_accept_header(f.kit.chain, &b->block->header, f.kit.now_s, false, &n, &v));
    }
    cr_assert_eq(chain_accept_block(f.kit.chain, far->block, f.kit.now_s, 0, NULL, &n, &is_new, &v, &e), RESULT_OK);
    cr_assert(!is_new && verdict_ok(&v));
    cr_assert_eq(chain_accept_block(f.kit.chain, tree_back(far, 2)->block, f.kit.now_s, 0, NULL, &n, &is_new, &v, &e),
                 RESULT_OK);
    cr_assert(is_new); /* 288 above the tip: just near enough */
    fork_free(&f);
}

Test(chain_choice, headers_with_too_little_work)
{
    static struct fork f;
    fork_new(&f);
    struct tree_block *more = tree_mine(&f.tree, f.a);
    struct block_node *n;
    struct verdict v = {0};
    cr_assert_not(chain_accept_header(f.kit.chain, &more->block->header, f.kit.now_s, true, &n, &v));
    cr_assert_str_eq(v.reason, "too-little-chainwork");
    cr_assert_null(node_of(&f, more));
    /* What is known already costs nothing. */
    cr_assert(chain_accept_header(f.kit.chain, &more->block->header, f.kit.now_s, false, &n, &v));
    cr_assert(chain_accept_header(f.kit.chain, &more->block->header, f.kit.now_s, true, &n, &v));
    fork_free(&f);
}

/* Blocks that came before their heights stood under segwit's rules are known for it after a restart. */
Test(chain_choice, blocks_from_before_segwit)
{
    static struct kit k;
    kit_prepare(&k, CHAIN_REGTEST);
    k.params.buried[BURIED_SEGWIT] = 5;
    kit_stores(&k);
    kit_open(&k);
    kit_run(&k);
    for (int i = 0; i < 6; i++) {
        struct block *b = make_empty_block(&chain_tip(k.chain)->header, &k.params, 1);
        kit_feed_good(&k, b);
        block_free(b);
    }
    kit_restart(&k);
    cr_assert_not(chain_lacks_witnesses(k.chain));
    k.params.buried[BURIED_SEGWIT] = 4;
    kit_restart(&k);
    cr_assert(chain_lacks_witnesses(k.chain));
    k.params.buried[BURIED_SEGWIT] = 7; /* above the tip: none is asked for */
    kit_restart(&k);
    cr_assert_not(chain_lacks_witnesses(k.chain));
    kit_free(&k);
}
