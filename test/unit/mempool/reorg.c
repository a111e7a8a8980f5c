/* The chain moves: what a block takes out of the pool, and what comes back when it is taken away again. */
#include "accept_kit.h"

#include <stdlib.h>

static struct ak k;

static void open(void)
{
    ak_open(&k, NULL);
}

static void close(void)
{
    ak_close(&k);
}

TestSuite(mempool_reorg, .init = open, .fini = close);

static bool is_there(const struct tx *tx)
{
    return mempool_find(k.pool, &tx->txid) != NULL;
}

static void disconnect(int32_t height)
{
    chain_invalidate(k.kit.chain, chain_at(k.kit.chain, height));
    kit_run(&k.kit);
    mempool_settle(k.pool);
    mempool_check(k.pool);
}

static void mine_one(struct tx *tx)
{
    ak_mine(&k, &tx, 1);
    mempool_check(k.pool);
}

/* To one output. */
static struct tx *pay_from(const struct ak_in *in, size_t count, amount_sat value)
{
    struct ak_out out = {.value = value};
    return ak_make(&k, &(struct ak_tx){.in = in, .in_count = count, .out = &out, .out_count = 1});
}

/* ---- blocks ---- */

Test(mempool_reorg, a_block_takes_what_it_has_and_what_spends_the_same)
{
    amount_sat value;
    struct ak_in in = ak_coin(&k, &value);
    struct tx *mined = pay_from(&in, 1, value - 5000), *loser = pay_from(&in, 1, value - 9000);
    struct tx *child = ak_child(&k, loser, 0, 1, AK_FEE), *other = ak_pay(&k, 1, AK_FEE), *kept = ak_pay(&k, 1, AK_FEE);
    ak_good(&k, loser, 0);
    ak_good(&k, child, 0);
    ak_good(&k, other, 0);
    ak_good(&k, kept, 0);
    struct tx *txs[] = {mined, other};
    uint64_t updates = mempool_updates(k.pool);
    ak_mine(&k, txs, 2);
    cr_assert(!is_there(loser) && !is_there(child) && !is_there(other) && is_there(kept));
    cr_assert_gt(mempool_updates(k.pool), updates);
    mempool_check(k.pool);
}

Test(mempool_reorg, a_block_ends_priorities_of_what_it_has_and_of_what_spends_the_same)
{
    amount_sat value;
    struct ak_in in = ak_coin(&k, &value);
    struct tx *mined = pay_from(&in, 1, value - 5000), *loser = pay_from(&in, 1, value - 9000);
    struct tx *child = ak_child(&k, loser, 0, 1, AK_FEE);
    ak_good(&k, loser, 0);
    ak_good(&k, child, 0);
    mempool_prioritise(k.pool, &mined->txid, 1000);
    mempool_prioritise(k.pool, &loser->txid, 1000);
    mempool_prioritise(k.pool, &child->txid, 1000);
    mine_one(mined);
    size_t count;
    struct mempool_delta *all = mempool_deltas(k.pool, &count);
    cr_assert(count == 1 && txid_equal(&all[0].txid, &child->txid) && !all[0].entry);
    free(all);
}

Test(mempool_reorg, a_block_lets_the_rolling_minimum_decay)
{
    k.pool->rolling_rate = 50000;
    k.pool->options.max_bytes = mempool_memory(k.pool);
    cr_assert_eq(mempool_min_fee(k.pool).sat_per_kvb, 50000);
    mine_one(ak_pay(&k, 1, AK_FEE));
    mempool_set_time(k.pool, k.kit.now_s + MEMPOOL_ROLLING_HALF_LIFE_S);
    cr_assert_eq(mempool_min_fee(k.pool).sat_per_kvb, 25000);
}

/* ---- coming back ---- */

Test(mempool_reorg, what_was_mined_comes_back_and_its_children_know_it)
{
    struct tx *a = ak_pay(&k, 2, AK_FEE), *b = ak_child(&k, a, 0, 1, AK_FEE), *c = ak_child(&k, b, 0, 1, AK_FEE);
    struct tx *first[] = {a}, *second[] = {b};
    ak_mine(&k, first, 1);
    ak_mine(&k, second, 1);
    ak_good(&k, c, 0);
    disconnect(AK_BLOCKS + 1);
    cr_assert(is_there(a) && is_there(b) && is_there(c));
    struct mempool_list all = mempool_ancestors(k.pool, mempool_find(k.pool, &c->txid));
    cr_assert_eq(all.count, 3);
    free(all.entries);
    cr_assert_eq(mempool_find(k.pool, &a->txid)->sequence, 0);
    cr_assert_neq(mempool_find(k.pool, &c->txid)->sequence, 0);
    cr_assert_eq(reorg_memory(k.pool), 0);
}

Test(mempool_reorg, what_comes_back_need_not_pay_nor_be_of_one_version)
{
    struct tx *free_one = ak_pay(&k, 1, 0), *old = ak_pay(&k, 1, AK_FEE);
    struct tx *truc = ak_child_of_version(&k, 3, old, 0, 1, AK_FEE);
    ak_bad(&k, free_one, VERDICT_RECONSIDERABLE, "min relay fee not met", NULL);
    struct tx *txs[] = {free_one, old, truc};
    ak_mine(&k, txs, 3);
    disconnect(AK_BLOCKS + 1);
    cr_assert(is_there(free_one) && is_there(old) && is_there(truc));
}

Test(mempool_reorg, what_cannot_come_back_takes_along_what_depends_on_it)
{
    /* Dust with a fee is nothing that a miner may not take, but we do not. */
    amount_sat value;
    struct ak_in in = ak_coin(&k, &value);
    struct ak_out out[] = {{.value = value - AK_FEE}, {.value = 1}};
    struct tx *dusty = ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = out, .out_count = 2});
    mine_one(dusty);
    struct tx *child = ak_child(&k, dusty, 0, 1, AK_FEE), *grandchild = ak_child(&k, child, 0, 1, AK_FEE);
    ak_good(&k, child, 0);
    ak_good(&k, grandchild, 0);
    disconnect(AK_BLOCKS + 1);
    cr_assert_eq(mempool_count(k.pool), 0);
}

Test(mempool_reorg, what_the_new_branch_has_or_spends_does_not_come_back)
{
    amount_sat value;
    struct ak_in in = ak_coin(&k, &value);
    struct tx *mine = pay_from(&in, 1, value - 5000), *theirs = pay_from(&in, 1, value - 9000);
    struct tx *both = ak_pay(&k, 1, AK_FEE), *ours = ak_pay(&k, 1, AK_FEE), *child = ak_child(&k, mine, 0, 1, AK_FEE);
    struct tx *first[] = {mine, both, ours}, *second[] = {theirs, both}, *kept = ak_child(&k, both, 0, 1, AK_FEE);
    ak_mine(&k, first, 3);
    ak_good(&k, child, 0);
    ak_good(&k, kept, 0);
    chain_invalidate(k.kit.chain, chain_tip(k.kit.chain));
    kit_run(&k.kit);
    ak_mine(&k, second, 2); /* settles only now */
    cr_assert(!is_there(mine) && !is_there(child) && !is_there(both) && !is_there(theirs) && is_there(ours));
    cr_assert(is_there(kept));
    mempool_check(k.pool);
}

Test(mempool_reorg, clusters_that_become_too_large_lose_their_worst)
{
    k.options.cluster_count = 3;
    ak_new_pool(&k);
    struct tx *a = ak_pay(&k, 3, AK_FEE);
    mine_one(a);
    struct tx *b = ak_child(&k, a, 0, 1, 3000), *c = ak_child(&k, a, 1, 1, 2000), *d = ak_child(&k, a, 2, 1, 4000);
    ak_good(&k, b, 0);
    ak_good(&k, c, 0);
    ak_good(&k, d, 0);
    disconnect(AK_BLOCKS + 1);
    cr_assert(is_there(a) && is_there(b) && !is_there(c) && is_there(d));
}

/* ---- what the new tip does not allow ---- */

Test(mempool_reorg, young_coinbases_are_not_spent)
{
    /* Of the block that is a hundred below the next one. */
    size_t young = (AK_BLOCKS + 2 - 100 - 1) * AK_COINS;
    struct ak_in in = {.at = k.known[young].at};
    struct tx *tx = pay_from(&in, 1, k.known[young].out.value - AK_FEE), *child = ak_child(&k, tx, 0, 1, AK_FEE);
    ak_bad(&k, tx, VERDICT_PREMATURE, "bad-txns-premature-spend-of-coinbase", NULL);
    ak_mine(&k, NULL, 0);
    ak_good(&k, tx, 0);
    ak_good(&k, child, 0);
    disconnect(AK_BLOCKS + 1);
    cr_assert(!is_there(tx) && !is_there(child));
}

Test(mempool_reorg, what_is_not_final_any_more_leaves)
{
    amount_sat value;
    struct ak_in in = ak_coin(&k, &value);
    struct ak_out out = {.value = value - AK_FEE};
    struct tx *tx =
        ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = &out, .out_count = 1, .lock_time = AK_BLOCKS + 1});
    ak_bad(&k, tx, VERDICT_PREMATURE, "non-final", NULL);
    ak_mine(&k, NULL, 0);
    ak_good(&k, tx, 0);
    disconnect(AK_BLOCKS + 1);
    cr_assert(!is_there(tx));
}

Test(mempool_reorg, relative_locks_hold_on_the_new_tip)
{
    struct tx *parent = ak_pay(&k, 1, AK_FEE);
    mine_one(parent);
    struct ak_in in = {.at = {.txid = parent->txid}, .sequence = 2};
    struct tx *tx = pay_from(&in, 1, parent->out[0].value - AK_FEE);
    ak_bad(&k, tx, VERDICT_PREMATURE, "non-BIP68-final", NULL);
    ak_mine(&k, NULL, 0);
    ak_good(&k, tx, 0);
    disconnect(AK_BLOCKS + 2);
    cr_assert(!is_there(tx));
}

/* A lock that an unconfirmed parent fulfils at any height was found at a height that is no more. */
Test(mempool_reorg, locks_on_what_is_unconfirmed_are_found_anew)
{
    ak_mine(&k, NULL, 0);
    struct tx *parent = ak_pay(&k, 1, AK_FEE);
    ak_good(&k, parent, 0);
    struct outpoint at = {.txid = parent->txid};
    struct ak_in from = {.at = at, .sequence = UINT32_C(1) << 16}; /* a lock of no blocks: this bit means nothing */
    struct tx *tx = pay_from(&from, 1, parent->out[0].value - AK_FEE);
    ak_good(&k, tx, 0);
    cr_assert_eq(mempool_find(k.pool, &tx->txid)->lock_height, AK_BLOCKS + 1);
    disconnect(AK_BLOCKS + 1);
    cr_assert(is_there(parent) && is_there(tx));
    cr_assert_eq(mempool_find(k.pool, &tx->txid)->lock_height, AK_BLOCKS);
}
