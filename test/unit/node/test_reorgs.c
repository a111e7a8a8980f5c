/* Reorganisations are remembered: their ends and depth, what became of every transaction, and who is warned of them. */
#include "fixture.h"

#include "node/reorgs.h"

enum { BASE = 105, HEADERS = 600 };

/* A node out of the initial download on BASE empty blocks; the coinbases of the first few can be spent. */
struct history {
    struct fixture f;
    struct block *blocks[HEADERS];
    struct header_node nodes[HEADERS];
    size_t count;
};

static struct history h;

static const struct header_node *add(struct draft *d, const struct header_node *prev)
{
    cr_assert_lt(h.count, (size_t)HEADERS);
    struct block *b = draft_mine(d, &h.f.kit.params);
    struct header_node *n = &h.nodes[h.count];
    h.blocks[h.count++] = b;
    header_node_link(n, &b->header, &b->hash, prev);
    return n;
}

static const struct block *block_at(const struct header_node *n)
{
    return h.blocks[n - h.nodes];
}

static void store(const struct header_node *n)
{
    struct block_node *node;
    struct verdict v = {0};
    struct error e = {0};
    bool is_new;
    enum result r =
        chain_accept_block(h.f.node->chain, block_at(n), h.f.kit.now_s, ACCEPT_REQUESTED, NULL, &node, &is_new, &v, &e);
    cr_assert(r == RESULT_OK && verdict_ok(&v), "%s", v.reason);
}

static void run(void)
{
    struct error e = {0};
    cr_assert_eq(node_activate(h.f.node, NULL, &e), RESULT_OK, "%s", e.text);
}

static void submit(const struct header_node *n)
{
    store(n);
    run();
}

/* COUNT empty blocks on PREV, handed in one by one. */
static const struct header_node *grow(const struct header_node *prev, size_t count, uint32_t tag)
{
    while (count--) {
        struct draft d = draft_on(prev, &h.f.kit.params, tag);
        prev = add(&d, prev);
        submit(prev);
    }
    return prev;
}

static void open_with(uint32_t alarm, bool standard, bool old_tip_counts)
{
    h.count = 0;
    fixture_prepare(&h.f, CHAIN_REGTEST);
    h.f.options.chain.max_tip_age_s = old_tip_counts ? INT32_MAX : 0;
    h.f.options.reorg_alarm = alarm;
    h.f.options.mempool = mempool_options_default();
    h.f.options.mempool.require_standard = standard;
    fixture_open(&h.f);
    run();
    struct draft d = draft_on(&chain_tip(h.f.node->chain)->header, &h.f.kit.params, 1);
    const struct header_node *first = add(&d, &chain_tip(h.f.node->chain)->header);
    submit(first);
    grow(first, BASE - 1, 1);
}

static void close(void)
{
    fixture_free(&h.f);
    while (h.count) block_free(h.blocks[--h.count]);
}

static const struct header_node *base(void)
{
    return &h.nodes[BASE - 1];
}

/* The coinbase of the block at HEIGHT. */
static struct outpoint coin(int height)
{
    return outpoint_of(h.blocks[height - 1], 0, 0);
}

/* Two outputs: a transaction with one would be too small for the pool. */
static struct txid spend(struct draft *d, struct outpoint at, amount_sat value)
{
    return draft_spend(d, &at, 1, SEQUENCE_FINAL, (struct draft_output[]){{.value = value}, {.value = 500}}, 2);
}

static const struct reorg *last_of(size_t want)
{
    size_t count;
    const struct reorg *list = node_reorgs(h.f.node, &count);
    cr_assert_eq(count, want);
    return count ? &list[count - 1] : NULL;
}

static void expect_tx(const struct reorg *o, size_t at, const struct txid *txid, enum reorg_fate fate,
                      const struct txid *conflict, enum reorg_now now, int32_t now_height)
{
    const struct reorg_tx *t = &o->txs[at];
    struct txid none = {0};
    int32_t height;
    cr_assert_lt(at, o->txs_kept);
    cr_expect(txid_equal(&t->txid, txid), "transaction %zu", at);
    cr_expect_eq(t->fate, fate, "transaction %zu: %s", at, reorg_fate_name(t->fate));
    cr_expect(txid_equal(&t->conflict, conflict ? conflict : &none), "conflict of transaction %zu", at);
    cr_expect_eq(node_reorg_tx_now(h.f.node, t, &height), now, "transaction %zu", at);
    cr_expect_eq(height, now_height);
}

static unsigned alerts(char *text, size_t len)
{
    struct node_action a;
    unsigned count = 0;
    while (node_take_action(h.f.node, &a)) {
        if (a.kind != ACTION_ALERT) continue;
        snprintf(text, len, "%s", a.text);
        count++;
    }
    return count;
}

/* ---- what became of them ---- */

static struct txid paid, kept, mined, child, grandchild, theft;
static const struct header_node *old1, *old2, *new1, *new2, *new3;

/* Two blocks with a payment and what descends from it, one that is in both branches, one that is in the old alone; then
 * three with a theft of what was paid. */
static void double_spend(void)
{
    struct draft d = draft_on(base(), &h.f.kit.params, 2);
    paid = spend(&d, coin(1), 4000);
    kept = spend(&d, coin(2), 4000);
    mined = spend(&d, coin(3), 4000);
    submit(old1 = add(&d, base()));
    d = draft_on(old1, &h.f.kit.params, 2);
    child = spend(&d, (struct outpoint){.txid = paid}, 3000);
    grandchild = spend(&d, (struct outpoint){.txid = child}, 2000);
    submit(old2 = add(&d, old1));
    last_of(0);
    d = draft_on(base(), &h.f.kit.params, 3);
    theft = spend(&d, coin(1), 3999);
    submit(new1 = add(&d, base()));
    d = draft_on(new1, &h.f.kit.params, 3);
    struct txid same = spend(&d, coin(3), 4000);
    cr_assert(txid_equal(&same, &mined));
    submit(new2 = add(&d, new1));
    last_of(0); /* equal work: nothing moves */
    submit(new3 = grow(new2, 1, 3));
}

Test(reorgs, what_became_of_each)
{
    open_with(0, false, true);
    double_spend();
    const struct reorg *o = last_of(1);
    cr_assert_eq(o->id, 1);
    cr_assert_eq(o->time_us, h.f.kit.now_s * 1000000);
    cr_assert(block_hash_equal(&o->old_tip, &old2->hash) && o->old_height == BASE + 2);
    cr_assert(block_hash_equal(&o->new_tip, &new3->hash) && o->new_height == BASE + 3);
    cr_assert(block_hash_equal(&o->fork, &base()->hash) && o->fork_height == BASE);
    cr_assert(o->depth == 2 && o->connected == 3 && !o->loading && !o->by_operator && !o->alarm);
    cr_assert(o->tx_count == 7 && o->txs_kept == 7);
    expect_tx(o, 0, &block_at(old1)->txs[0].txid, REORG_COINBASE, NULL, REORG_NOW_GONE, -1);
    expect_tx(o, 1, &paid, REORG_CONFLICTED, &theft, REORG_NOW_GONE, -1);
    expect_tx(o, 2, &kept, REORG_MEMPOOL, NULL, REORG_NOW_MEMPOOL, -1);
    expect_tx(o, 3, &mined, REORG_MINED, NULL, REORG_NOW_CONFIRMED, BASE + 2);
    expect_tx(o, 4, &block_at(old2)->txs[0].txid, REORG_COINBASE, NULL, REORG_NOW_GONE, -1);
    expect_tx(o, 5, &child, REORG_CONFLICTED, &theft, REORG_NOW_GONE, -1);
    expect_tx(o, 6, &grandchild, REORG_CONFLICTED, &theft, REORG_NOW_GONE, -1);
    cr_assert_eq(o->txs[3].height, BASE + 1);
    cr_assert_eq(o->txs[6].height, BASE + 2);
    cr_assert(o->fates[REORG_CONFLICTED] == 3 && o->fates[REORG_MEMPOOL] == 1 && o->fates[REORG_MINED] == 1);
    cr_assert(o->fates[REORG_COINBASE] == 2 && o->fates[REORG_DROPPED] == 0);
    cr_assert_eq(reorg_reversed(o), 4);
    close();
}

/* What was found stays; where they are now is kept up, also through the way back. */
Test(reorgs, where_they_are_now)
{
    open_with(0, false, true);
    double_spend();
    struct draft d = draft_on(new3, &h.f.kit.params, 3);
    struct txid same = spend(&d, coin(2), 4000);
    cr_assert(txid_equal(&same, &kept));
    const struct header_node *new4 = add(&d, new3);
    submit(new4);
    const struct reorg *o = last_of(1);
    expect_tx(o, 2, &kept, REORG_MEMPOOL, NULL, REORG_NOW_CONFIRMED, BASE + 4);
    grow(old2, 3, 2); /* five against four: back again */
    o = last_of(2);
    cr_assert(o->id == 2 && o->depth == 4 && o->connected == 5 && o->tx_count == 7);
    expect_tx(o, 1, &theft, REORG_CONFLICTED, &paid, REORG_NOW_GONE, -1);
    expect_tx(o, 3, &mined, REORG_MINED, NULL, REORG_NOW_CONFIRMED, BASE + 1);
    expect_tx(o, 6, &kept, REORG_MINED, NULL, REORG_NOW_CONFIRMED, BASE + 1);
    expect_tx(o - 1, 1, &paid, REORG_CONFLICTED, &theft, REORG_NOW_CONFIRMED, BASE + 1);
    expect_tx(o - 1, 6, &grandchild, REORG_CONFLICTED, &theft, REORG_NOW_CONFIRMED, BASE + 2);
    close();
}

/* The pool may not want them any more. */
Test(reorgs, dropped_by_policy)
{
    open_with(0, true, true);
    double_spend();
    expect_tx(last_of(1), 2, &kept, REORG_DROPPED, NULL, REORG_NOW_GONE, -1);
    close();
}

/* ---- branches that fail ---- */

/* Three blocks on the base of which the first conflicts with `paid`, and the third makes too much money. Returns the
 * first. */
static const struct header_node *store_bad_branch(void)
{
    const struct header_node *n = base();
    for (int i = 0; i < 3; i++) {
        struct draft d = draft_on(n, &h.f.kit.params, 4);
        if (i == 0) theft = spend(&d, coin(1), 3999);
        if (i == 2) d.coinbase_value++;
        store(n = add(&d, n));
    }
    return n - 2;
}

static void submit_payment(void)
{
    struct draft d = draft_on(base(), &h.f.kit.params, 2);
    paid = spend(&d, coin(1), 4000);
    submit(old1 = add(&d, base()));
    submit(old2 = grow(old1, 1, 2));
}

Test(reorgs, a_branch_that_fails_is_none)
{
    open_with(1, false, true);
    char text[512];
    submit_payment();
    alerts(text, sizeof(text));
    store_bad_branch();
    run();
    cr_assert(block_hash_equal(&chain_tip(h.f.node->chain)->header.hash, &old2->hash));
    last_of(0);
    cr_assert_eq(alerts(text, sizeof(text)), 0);
    close();
}

/* What a branch that failed did on the way is not told of the one that was taken in the end: it has no transaction that
 * conflicts. The pool, which got the theft back last, has no place for the payment, all the same. */
Test(reorgs, from_a_bad_branch_to_a_third)
{
    open_with(0, false, true);
    submit_payment();
    grow(base(), 1, 5);
    const struct header_node *third = grow(&h.nodes[h.count - 1], 1, 5), *end;
    store_bad_branch();
    struct draft d = draft_on(third, &h.f.kit.params, 5);
    store(end = add(&d, third));
    run();
    const struct reorg *o = last_of(1);
    cr_assert(block_hash_equal(&o->new_tip, &end->hash) && o->depth == 2 && o->connected == 3);
    expect_tx(o, 1, &paid, REORG_DROPPED, NULL, REORG_NOW_GONE, -1);
    cr_assert_not_null(mempool_find(h.f.node->mempool, &theft));
    close();
}

/* COUNT empty blocks on N, stored but not tried yet. */
static const struct header_node *store_branch(const struct header_node *n, int count)
{
    while (count--) {
        struct draft d = draft_on(n, &h.f.kit.params, 5);
        store(n = add(&d, n));
    }
    return n;
}

/* The good part of it, where the branch that is taken rests on that, counts. */
Test(reorgs, on_the_good_part_of_a_bad_branch)
{
    open_with(0, false, true);
    submit_payment();
    const struct header_node *end = store_branch(store_bad_branch(), 2);
    run();
    const struct reorg *o = last_of(1);
    cr_assert(block_hash_equal(&o->new_tip, &end->hash) && o->depth == 2 && o->connected == 3);
    expect_tx(o, 1, &paid, REORG_CONFLICTED, &theft, REORG_NOW_GONE, -1);
    close();
}

/* What was left for a bad branch and taken up again was never lost. */
Test(reorgs, from_a_bad_branch_back_to_a_part_of_the_old_one)
{
    open_with(0, false, true);
    submit_payment();
    store_bad_branch();
    const struct header_node *end = store_branch(old1, 2);
    run();
    const struct reorg *o = last_of(1);
    cr_assert(block_hash_equal(&o->new_tip, &end->hash) && block_hash_equal(&o->fork, &old1->hash));
    cr_assert(o->depth == 1 && o->connected == 2 && o->tx_count == 1 && o->txs_kept == 1);
    expect_tx(o, 0, &block_at(old2)->txs[0].txid, REORG_COINBASE, NULL, REORG_NOW_GONE, -1);
    close();
}

/* ---- the operator, loading ---- */

Test(reorgs, by_the_operator)
{
    open_with(1, false, true);
    char text[512];
    struct error e = {0};
    submit_payment();
    alerts(text, sizeof(text));
    struct block_node *first = chain_at(h.f.node->chain, BASE + 1);
    cr_assert_eq(node_invalidate(h.f.node, first, &e), RESULT_OK);
    const struct reorg *o = last_of(1);
    cr_assert(o->by_operator && !o->alarm && o->depth == 2 && o->connected == 0 && o->new_height == BASE);
    expect_tx(o, 1, &paid, REORG_MEMPOOL, NULL, REORG_NOW_MEMPOOL, -1);
    cr_assert_eq(alerts(text, sizeof(text)), 0);
    cr_assert_eq(node_reconsider(h.f.node, first, &e), RESULT_OK);
    last_of(1); /* that threw nothing away */
    expect_tx(last_of(1), 1, &paid, REORG_MEMPOOL, NULL, REORG_NOW_CONFIRMED, BASE + 1);
    close();
}

Test(reorgs, while_loading_only_depth)
{
    for (int importing = 0; importing < 2; importing++) {
        open_with(1, false, importing);
        char text[512];
        node_set_importing(h.f.node, importing);
        double_spend();
        const struct reorg *o = last_of(1);
        cr_assert(o->loading && !o->alarm && o->depth == 2 && o->tx_count == 0 && o->txs_kept == 0);
        cr_assert_eq(alerts(text, sizeof(text)), 0);
        close();
    }
}

/* The chain's limit does not hold while the node reads files. */
Test(reorgs, no_limit_while_importing)
{
    for (int importing = 0; importing < 2; importing++) {
        open_with(0, false, true);
        h.f.node->chain->options.max_reorg = 1;
        node_set_importing(h.f.node, importing);
        double_spend();
        last_of((size_t)importing);
        node_set_importing(h.f.node, false);
        close();
    }
}

/* ---- the alarm ---- */

Test(reorgs, alarm_beyond_the_threshold_alone)
{
    for (uint32_t threshold = 0; threshold <= 2; threshold++) {
        open_with(threshold, false, true);
        char text[512] = "";
        alerts(text, sizeof(text));
        double_spend(); /* two blocks deep */
        cr_assert_eq(last_of(1)->alarm, threshold == 1);
        cr_assert_eq(alerts(text, sizeof(text)), threshold == 1);
        cr_assert_str_eq(h.f.node->warnings.text[WARNING_REORGANISATION], text);
        if (threshold == 1) {
            char want[300];
            snprintf(want, sizeof(want),
                     "Warning: A reorganisation threw away 2 blocks, those from height %d on, and reversed 4 payments, "
                     "3 of them for good. Wait for more confirmations than usual; getreorgs has the details.",
                     BASE + 1);
            cr_assert_str_eq(text, want);
        }
        close();
    }
}

Test(reorgs, the_warning_ends_after_a_day_of_blocks)
{
    open_with(1, false, true);
    char text[512];
    const char *warning = h.f.node->warnings.text[WARNING_REORGANISATION];
    double_spend();
    cr_assert_eq(alerts(text, sizeof(text)), 1);
    const struct header_node *tip = grow(new3, REORG_ALARM_BLOCKS - 1, 3);
    cr_assert_neq(warning[0], 0);
    cr_assert_eq(alerts(text, sizeof(text)), 0); /* said once */
    grow(tip->prev->prev, 3, 6);                 /* the next one is another alarm, and the count begins anew */
    cr_assert_eq(alerts(text, sizeof(text)), 1);
    tip = grow(&h.nodes[h.count - 1], REORG_ALARM_BLOCKS - 1, 6);
    cr_assert_neq(warning[0], 0);
    grow(tip, 1, 6);
    cr_assert_eq(warning[0], 0);
    cr_assert_eq(alerts(text, sizeof(text)), 0);
    close();
}

/* ---- bounds ---- */

Test(reorgs, the_last_hundred)
{
    open_with(0, false, true);
    struct error e = {0};
    const struct header_node *a = grow(base(), 1, 2), *b = grow(base(), 1, 3);
    for (int i = 0; i < REORGS_KEPT + 5; i++) {
        struct block_node *n = chain_find(h.f.node->chain, i % 2 ? &a->hash : &b->hash);
        cr_assert_eq(node_precious(h.f.node, n, &e), RESULT_OK);
    }
    size_t count;
    const struct reorg *list = node_reorgs(h.f.node, &count);
    cr_assert_eq(count, (size_t)REORGS_KEPT);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(list[i].id, i + 6);
        cr_assert(list[i].by_operator && list[i].txs_kept == 1 && list[i].fates[REORG_COINBASE] == 1);
    }
    int32_t height;
    cr_assert_eq(node_reorg_tx_now(h.f.node, &list[count - 1].txs[0], &height), REORG_NOW_GONE);
    cr_assert_eq(node_reorg_tx_now(h.f.node, &list[count - 2].txs[0], &height), REORG_NOW_CONFIRMED);
    close();
}

enum { MANY = 6000 };

/* Blocks of MANY transactions that spend what is nowhere. */
static struct block *made_up_block(uint32_t tag)
{
    struct block *b = mem_calloc(1, sizeof(*b));
    b->tx_count = MANY;
    b->txs = mem_calloc(MANY, sizeof(*b->txs));
    for (uint32_t i = 0; i < MANY; i++) {
        struct tx *t = &b->txs[i];
        t->in = mem_calloc(1, sizeof(*t->in));
        t->in_count = 1;
        t->in[0].prevout.index = i ? i : OUTPOINT_NULL;
        if (i) put_le32(t->in[0].prevout.txid.bytes + 4, tag);
        put_le32(t->txid.bytes, i + 1);
        put_le32(t->txid.bytes + 4, tag);
    }
    return b;
}

static void free_made_up(struct block *b)
{
    for (uint32_t i = 0; i < MANY; i++) free(b->txs[i].in);
    free(b->txs);
    free(b);
}

/* Two blocks of MANY are left: those nearest to the tip are remembered, all are counted; and of many such the oldest
 * lose their lists. */
Test(reorgs, bounded_lists)
{
    open_with(0, false, true);
    struct reorgs *r = reorgs_new(1);
    struct block_node fork = {0}, low = {0}, high = {0}, other = {0};
    struct block_header header = {.bits = 0x207fffff};
    struct block_hash hash = {{1}};
    header_node_link(&fork.header, &header, &hash, NULL);
    hash.bytes[0] = 2;
    header_node_link(&low.header, &header, &hash, &fork.header);
    hash.bytes[0] = 3;
    header_node_link(&high.header, &header, &hash, &low.header);
    hash.bytes[0] = 4;
    header_node_link(&other.header, &header, &hash, &fork.header);
    struct block *lower = made_up_block(1), *upper = made_up_block(2);
    const struct reorg *o = NULL;
    for (unsigned i = 0; i < REORG_TXS_KEPT_TOTAL / REORG_TXS_KEPT + 1; i++) {
        reorgs_begin(r, &high, false);
        reorgs_on_notice(r, &(struct notice){.kind = NOTICE_DISCONNECTED, .node = &high, .block = upper});
        reorgs_on_notice(r, &(struct notice){.kind = NOTICE_DISCONNECTED, .node = &low, .block = lower});
        o = reorgs_end(r, &other, h.f.node->mempool, 1);
        cr_assert(o && o->tx_count == 2 * MANY && o->txs_kept == REORG_TXS_KEPT);
        cr_assert_eq(o->txs[0].txid.bytes[4], 1); /* the lower block lost its first */
        cr_assert_eq(get_le32(o->txs[0].txid.bytes), 2 * MANY - REORG_TXS_KEPT + 1);
        cr_assert_eq(get_le32(o->txs[REORG_TXS_KEPT - 1].txid.bytes), MANY);
        cr_assert_eq(reorg_reversed(o), 2 * MANY - 2);
    }
    const struct reorg *first = o - REORG_TXS_KEPT_TOTAL / REORG_TXS_KEPT;
    cr_assert(first->id == 1 && first->tx_count == 2 * MANY && first->txs_kept == 0 && !first->txs);
    cr_assert_eq(first[1].txs_kept, (size_t)REORG_TXS_KEPT);
    free_made_up(lower);
    free_made_up(upper);
    reorgs_free(r);
    close();
}

/* One transaction has all the inputs that are looked at: it is known to be in conflict, another is not. */
Test(reorgs, bounded_inputs)
{
    open_with(0, false, true);
    struct reorgs *r = reorgs_new(1);
    struct block_node fork = {0}, old = {0}, other = {0};
    struct block_header header = {.bits = 0x207fffff};
    struct block_hash hash = {{1}};
    header_node_link(&fork.header, &header, &hash, NULL);
    hash.bytes[0] = 2;
    header_node_link(&old.header, &header, &hash, &fork.header);
    hash.bytes[0] = 3;
    header_node_link(&other.header, &header, &hash, &fork.header);
    struct block *lost = made_up_block(1), *new = made_up_block(2);
    struct tx *big = &lost->txs[MANY - 1];
    free(big->in);
    big->in = mem_calloc(REORG_INPUTS_KEPT, sizeof(*big->in));
    big->in_count = REORG_INPUTS_KEPT;
    for (uint32_t i = 0; i < REORG_INPUTS_KEPT; i++) big->in[i].prevout = (struct outpoint){.txid = {{9}}, .index = i};
    new->txs[1].in[0].prevout = big->in[77].prevout;
    new->txs[2].in[0].prevout = lost->txs[MANY - 2].in[0].prevout;
    reorgs_begin(r, &old, false);
    reorgs_on_notice(r, &(struct notice){.kind = NOTICE_DISCONNECTED, .node = &old, .block = lost});
    reorgs_on_notice(r, &(struct notice){.kind = NOTICE_CONNECTED, .node = &other, .block = new});
    const struct reorg *o = reorgs_end(r, &other, h.f.node->mempool, 1);
    cr_assert(o && o->txs_kept == MANY && o->fates[REORG_CONFLICTED] == 1);
    cr_assert_eq(o->txs[MANY - 1].fate, REORG_CONFLICTED);
    cr_assert(txid_equal(&o->txs[MANY - 1].conflict, &new->txs[1].txid));
    free_made_up(lost);
    free_made_up(new);
    reorgs_free(r);
    close();
}
