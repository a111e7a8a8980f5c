/* The limit on reorganisations: which branch a node with one stays on, whom it does not hold, and what it costs. */
#include "trees.h"

enum { LIMIT = 3 };

/* A node, and a tree whose branches part at height 10. */
struct held {
    struct kit kit;
    struct tree tree;
    struct tree_block *base;
    struct log log;
    size_t refusals; /* lines in the log */
};

static void count_refusals(void *ctx, enum log_level level, enum log_category category, const struct log_source *source,
                           const char *text)
{
    struct held *h = ctx;
    (void)category, (void)source;
    h->refusals += level == LOG_WARNING && strstr(text, "Refused to leave");
}

static void open(struct held *h, uint32_t limit)
{
    *h = (struct held){.log = {.write = count_refusals, .ctx = h}};
    tree_init(&h->tree, 9);
    kit_prepare(&h->kit, CHAIN_REGTEST);
    h->kit.options.max_reorg = limit;
    h->kit.options.max_tip_age_s = INT32_MAX; /* what is made in tests is old; the initial download is over */
    kit_stores(&h->kit);
    kit_open(&h->kit);
    h->kit.chain->log = &h->log;
    kit_run(&h->kit);
    h->base = tree_grow(&h->tree, h->tree.blocks[0], 10);
    tree_feed(&h->kit, h->base);
    cr_assert(!chain_is_initial_download(h->kit.chain, h->kit.now_s));
}

static void close(struct held *h)
{
    kit_free(&h->kit);
    tree_clear(&h->tree);
}

static struct tree_block *branch(struct held *h, size_t blocks)
{
    struct tree_block *tip = tree_grow(&h->tree, h->base, blocks);
    tree_feed(&h->kit, tip);
    return tip;
}

static struct block_node *node_of(struct held *h, const struct tree_block *b)
{
    return chain_find(h->kit.chain, &b->block->hash);
}

static void expect_tip(struct held *h, const struct tree_block *b)
{
    kit_run(&h->kit);
    cr_assert(chain_tip(h->kit.chain) == node_of(h, b), "tip at height %d", chain_height(h->kit.chain));
}

/* As deep as the limit allows it is like any node; one block more and it stays. */
Test(chain_limit, up_to_the_limit_and_no_further)
{
    static struct held h;
    for (uint32_t ours = LIMIT; ours <= LIMIT + 1; ours++) {
        open(&h, LIMIT);
        struct tree_block *a = branch(&h, ours), *b = branch(&h, ours + 5);
        expect_tip(&h, ours == LIMIT ? b : a);
        close(&h);
    }
    open(&h, 0);
    branch(&h, 8);
    expect_tip(&h, branch(&h, 9)); /* without a limit, as Bitcoin */
    close(&h);
}

/* The branch is not marked: its blocks are kept and judged good as far as that goes without connecting them. */
Test(chain_limit, the_branch_is_not_called_invalid)
{
    static struct held h;
    open(&h, LIMIT);
    struct tree_block *a = branch(&h, 4), *b = branch(&h, 9);
    expect_tip(&h, a);
    cr_assert_eq(node_of(&h, b)->status & BLOCK_ANY_FAILURE, 0);
    cr_assert_eq(node_of(&h, b)->status & BLOCK_CONNECTED, 0);
    cr_assert_null(h.kit.chain->best_invalid);
    cr_assert_eq(h.kit.disconnected, 0);
    cr_assert_eq(h.refusals, 1);
    struct tree_block *more = tree_mine(&h.tree, a); /* and our own goes on, behind or not */
    tree_feed(&h.kit, more);
    tree_feed(&h.kit, tree_mine(&h.tree, b));
    expect_tip(&h, more);
    cr_assert_eq(h.refusals, 1); /* said once a branch */
    kit_restart(&h.kit);         /* nor does it forget */
    expect_tip(&h, more);
    close(&h);
}

/* Another branch within the limit is taken though one beyond it has more work. */
Test(chain_limit, the_best_that_is_allowed)
{
    static struct held h;
    open(&h, LIMIT);
    struct tree_block *a = branch(&h, 6);
    branch(&h, 20);
    struct tree_block *near = tree_grow(&h.tree, tree_back(a, 2), 5);
    tree_feed(&h.kit, near);
    expect_tip(&h, near);
    close(&h);
}

/* The depth is that from where the chain rested, however far it was taken back on the way: a branch at the limit that
 * turns out bad opens no way to a deeper one. */
Test(chain_limit, a_bad_branch_opens_no_door)
{
    static struct held h;
    open(&h, LIMIT);
    struct tree_block *a = branch(&h, 5);
    branch(&h, 7); /* forks two blocks below the limit: refused */
    struct tree_block *fork = tree_back(a, LIMIT);
    const struct header_node *prev = &fork->node;
    struct block *blocks[6];
    struct header_node nodes[6];
    struct block_node *n;
    struct verdict v = {0};
    struct error e = {0};
    bool is_new;
    for (size_t i = 0; i < 6; prev = &nodes[i++]) {
        struct draft d = draft_on(prev, &h.kit.params, 77);
        if (i == 1) d.coinbase_value++; /* one satoshi too much, seen only when it is connected */
        blocks[i] = draft_mine(&d, &h.kit.params);
        header_node_link(&nodes[i], &blocks[i]->header, &blocks[i]->hash, prev);
        cr_assert_eq(
            chain_accept_block(h.kit.chain, blocks[i], h.kit.now_s, ACCEPT_REQUESTED, NULL, &n, &is_new, &v, &e),
            RESULT_OK);
    }
    expect_tip(&h, a);
    cr_assert_eq(h.kit.disconnected, LIMIT + 1);
    cr_assert_eq(h.kit.invalid, 1);
    for (size_t i = 0; i < 6; i++) block_free(blocks[i]);
    close(&h);
}

/* The operator is not held: neither from taking back as much as he wants, nor from the branch that he names. */
Test(chain_limit, does_not_hold_the_operator)
{
    static struct held h;
    open(&h, LIMIT);
    struct tree_block *a = branch(&h, 6), *b = branch(&h, 9);
    expect_tip(&h, a);
    chain_precious(h.kit.chain, node_of(&h, b));
    expect_tip(&h, b);
    struct tree_block *c = tree_grow(&h.tree, a, 6); /* 12 on the base: the old branch again, now too deep */
    tree_feed(&h.kit, c);
    expect_tip(&h, b);
    chain_invalidate(h.kit.chain, node_of(&h, tree_back(b, 8))); /* all of it: nothing would be thrown away any more */
    expect_tip(&h, c);
    chain_reconsider(h.kit.chain, node_of(&h, tree_back(b, 8)));
    expect_tip(&h, c); /* more work, and nobody named the other */
    tree_feed(&h.kit, tree_grow(&h.tree, b, 20));
    expect_tip(&h, c); /* what the operator said held for that one time */
    close(&h);
}

/* What he takes back he can have back, however much was built meanwhile. */
Test(chain_limit, does_not_hold_who_reconsiders)
{
    static struct held h;
    open(&h, LIMIT);
    struct tree_block *a = branch(&h, 6);
    chain_invalidate(h.kit.chain, node_of(&h, tree_back(a, 5)));
    expect_tip(&h, h.base);
    struct tree_block *b = branch(&h, 5);
    expect_tip(&h, b);
    chain_reconsider(h.kit.chain, node_of(&h, tree_back(a, 5)));
    expect_tip(&h, a);
    close(&h);
}

/* Taking back one block is no consent to leave the branch deeper down. */
Test(chain_limit, one_block_taken_back_opens_no_door)
{
    static struct held h;
    open(&h, LIMIT);
    struct tree_block *a = branch(&h, 6);
    branch(&h, 9);
    chain_invalidate(h.kit.chain, node_of(&h, a));
    expect_tip(&h, a->prev);
    close(&h);
}

/* While blocks are fetched or read from files, the branch that came first is worth nothing. */
Test(chain_limit, does_not_hold_while_loading)
{
    static struct held h;
    open(&h, LIMIT);
    h.kit.chain->loading = true;
    branch(&h, 6);
    expect_tip(&h, branch(&h, 9));
    h.kit.chain->loading = false;
    close(&h);
    open(&h, LIMIT);
    h.kit.chain->initial_download = true;
    h.kit.chain->max_tip_age_s = 1;
    branch(&h, 6);
    expect_tip(&h, branch(&h, 9));
    close(&h);
}

/* The price. Two nodes with the limit mined apart for one block longer than it, and then hear all of one another: they
 * never agree again, however far one of them gets ahead. Two without do at once; and who comes later follows the
 * work. */
Test(chain_limit, nodes_that_were_apart_too_long_never_agree)
{
    static struct held one, two, late;
    open(&one, LIMIT);
    open(&two, LIMIT);
    open(&late, LIMIT);
    struct tree_block *a = branch(&one, LIMIT + 1);
    struct tree_block *other = tree_grow(&one.tree, one.base, LIMIT + 2);
    tree_feed(&two.kit, other);
    tree_feed(&one.kit, other);
    tree_feed(&two.kit, a);
    expect_tip(&one, a);
    expect_tip(&two, other);
    for (int round = 0; round < 5; round++) {
        a = tree_grow(&one.tree, a, 2);
        other = tree_grow(&one.tree, other, 10);
        tree_feed(&one.kit, a);
        tree_feed(&one.kit, other);
        tree_feed(&two.kit, a);
        tree_feed(&two.kit, other);
        expect_tip(&one, a);
        expect_tip(&two, other);
    }
    late.kit.chain->loading = true;
    tree_feed(&late.kit, a);
    tree_feed(&late.kit, other);
    expect_tip(&late, other);
    one.kit.chain->options.max_reorg = 0;
    expect_tip(&one, other);
    close(&one);
    close(&two);
    close(&late);
}
