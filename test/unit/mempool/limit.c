/* Age, memory, and the fee that entrants must pay once there was no room. */
#include "store_kit.h"

#include <math.h>
#include <stdlib.h>

static struct sk sk;

static void open_pool(void)
{
    sk_open(&sk);
}

static void close_pool(void)
{
    sk_close(&sk);
}

TestSuite(mempool_limit, .init = open_pool, .fini = close_pool);

/* ---- age ---- */

Test(mempool_limit, the_old_leave_with_what_depends_on_them)
{
    int64_t t = sk.kit.now_s;
    mempool_set_time(sk.m, t + 100);
    struct mempool_entry *young = sk_add_move(&sk, sk_coin(&sk, 10000), 100);
    mempool_set_time(sk.m, t);
    struct mempool_entry *old = sk_add_move(&sk, sk_coin(&sk, 10000), 100);
    mempool_set_time(sk.m, t + 200);
    sk_add_move(&sk, sk_out(&old->tx, 0), 100);
    cr_assert_eq(pool_expire(sk.m, t), 0);
    cr_assert_eq(pool_expire(sk.m, t + 1), 2);
    cr_assert(mempool_count(sk.m) == 1 && mempool_at(sk.m, 0) == young);
    mempool_check(sk.m);
}

Test(mempool_limit, the_limit_of_age_is_that_of_the_options)
{
    sk.options.expiry_s = 1000;
    sk_new_pool(&sk);
    sk_add_move(&sk, sk_coin(&sk, 10000), 100);
    mempool_set_time(sk.m, sk.kit.now_s + 1000);
    pool_limit(sk.m);
    cr_assert_eq(mempool_count(sk.m), 1);
    mempool_set_time(sk.m, sk.kit.now_s + 1001);
    pool_limit(sk.m);
    cr_assert(mempool_count(sk.m) == 0 && sk_logged(&sk, "Expired 1 "));
    cr_assert_eq(mempool_min_fee(sk.m).sat_per_kvb, 0);
    mempool_check(sk.m);
}

Test(mempool_limit, the_oldest_is_first_whatever_the_order_in_which_they_came)
{
    struct random r;
    random_init_u64(&r, 5);
    for (int i = 0; i < 500; i++) {
        mempool_set_time(sk.m, (int64_t)random_below(&r, 1000));
        sk_add_move(&sk, sk_coin(&sk, 10000), 100);
    }
    for (int i = 0; i < 200; i++) {
        struct pool_set set = {0};
        pool_set_add(&set, sk.m->entries[random_below(&r, mempool_count(sk.m))]);
        pool_remove(sk.m, &set, REMOVED_CONFLICT);
        pool_set_clear(&set);
        mempool_check(sk.m);
    }
    for (int64_t t = 0; t <= 1000; t += 50) {
        size_t older = 0;
        for (size_t i = 0; i < mempool_count(sk.m); i++) older += mempool_at(sk.m, i)->time_s < t;
        cr_assert_eq(pool_expire(sk.m, t), older);
    }
    cr_assert_eq(mempool_count(sk.m), 0);
    mempool_check(sk.m);
}

/* ---- memory ---- */

/* Fills the pool with COUNT, each paying one satoshi more; returns the best of them. */
static struct mempool_entry *fill(int count, amount_sat from)
{
    struct mempool_entry *e = NULL;
    for (int i = 0; i < count; i++) e = sk_add_move(&sk, sk_coin(&sk, 100000), from + i);
    return e;
}

Test(mempool_limit, those_who_pay_least_make_room)
{
    struct mempool_entry *best = fill(1000, 100);
    sk.m->options.max_bytes = mempool_memory(sk.m) - 100 * pool_entry_bytes(best);
    pool_limit(sk.m);
    cr_assert_leq(mempool_memory(sk.m), sk.m->options.max_bytes);
    size_t left = mempool_count(sk.m);
    cr_assert(left < 1000 && left > 880, "%zu", left);
    for (size_t i = 0; i < left; i++) cr_assert_geq(mempool_at(sk.m, i)->fee, (amount_sat)(1100 - left));
    /* The best of those that went, and what is worth relaying. */
    amount_sat rate = fee_rate_of((amount_sat)(1100 - left - 1), best->vsize).sat_per_kvb + INCREMENTAL_FEE_DEFAULT;
    cr_assert_eq(mempool_min_fee(sk.m).sat_per_kvb, rate);
    cr_assert(sk_logged(&sk, "rolling minimum fee bumped to 0.0000"));
    mempool_check(sk.m);
}

Test(mempool_limit, a_parent_stays_for_a_child_that_pays)
{
    struct mempool_entry *parent = sk_add_move(&sk, sk_coin(&sk, 1000000), 0);
    struct mempool_entry *child = sk_add_move(&sk, sk_out(&parent->tx, 0), 100000);
    struct txid ids[] = {parent->tx.txid, child->tx.txid};
    fill(100, 100);
    sk.m->options.max_bytes = mempool_memory(sk.m) - 50 * pool_entry_bytes(parent);
    pool_limit(sk.m);
    cr_assert(mempool_find(sk.m, &ids[0]) && mempool_find(sk.m, &ids[1]));
    mempool_check(sk.m);
}

Test(mempool_limit, a_child_that_pays_less_goes_before_its_parent)
{
    struct mempool_entry *parent = sk_add_move(&sk, sk_coin(&sk, 1000000), 1000);
    struct mempool_entry *child = sk_add_move(&sk, sk_out(&parent->tx, 0), 1);
    struct txid ids[] = {parent->tx.txid, child->tx.txid};
    sk.m->options.max_bytes = mempool_memory(sk.m) - 1;
    pool_limit(sk.m);
    cr_assert(mempool_find(sk.m, &ids[0]) && !mempool_find(sk.m, &ids[1]));
    mempool_check(sk.m);
}

Test(mempool_limit, without_any_room_all_leave)
{
    fill(10, 100);
    sk.m->options.max_bytes = 0;
    pool_limit(sk.m);
    cr_assert_eq(mempool_count(sk.m), 0);
    mempool_check(sk.m);
}

Test(mempool_limit, fees_beyond_all_money_do_not_break_the_rate)
{
    struct mempool_entry *e = fill(1, 100);
    mempool_prioritise(sk.m, &e->tx.txid, INT64_MAX);
    sk.m->options.max_bytes = 0;
    pool_limit(sk.m);
    cr_assert_gt(mempool_min_fee(sk.m).sat_per_kvb, MAX_MONEY_SAT);
    mempool_check(sk.m);
}

Test(mempool_limit, coins_of_the_dropped_leave_the_cache)
{
    struct outpoint coin = sk_coin(&sk, 100000);
    kit_flush(&sk.kit);
    struct mempool_entry *a = sk_add_move(&sk, coin, 10);
    sk_add_move(&sk, sk_out(&a->tx, 0), 10);
    cr_assert(coins_is_cached(sk.kit.chain->coins, &coin));
    sk.m->options.max_bytes = 0;
    pool_limit(sk.m);
    cr_assert(!coins_is_cached(sk.kit.chain->coins, &coin));
    mempool_check(sk.m);
}

/* ---- the rolling minimum ---- */

/* A pool whose rate was bumped to RATE; a block came since where BLOCK. */
static void bump(double rate, bool block)
{
    sk.m->rolling_rate = rate;
    sk.m->rolling_update_s = sk.kit.now_s;
    sk.m->block_since_bump = block;
}

static amount_sat after(int64_t seconds)
{
    mempool_set_time(sk.m, sk.kit.now_s + seconds);
    return mempool_min_fee(sk.m).sat_per_kvb;
}

Test(mempool_limit, the_minimum_stays_until_there_is_a_block)
{
    sk.m->options.max_bytes = mempool_memory(sk.m);
    bump(10000.4, false);
    cr_assert_eq(after(MEMPOOL_ROLLING_HALF_LIFE_S), 10000);
    sk.m->block_since_bump = true;
    cr_assert_eq(after(MEMPOOL_ROLLING_HALF_LIFE_S), 5000);
    mempool_check(sk.m);
}

Test(mempool_limit, the_minimum_halves_faster_where_there_is_room)
{
    static const struct {
        uint64_t of_memory; /* the limit, in tenths of what is used */
        int64_t half_life;
    } cases[] = {{15, 43200}, {19, 43200}, {21, 21600}, {39, 21600}, {41, 10800}};
    fill(10, 1000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        sk.m->options.max_bytes = mempool_memory(sk.m) * cases[i].of_memory / 10;
        bump(8000, true);
        cr_assert_eq(after(cases[i].half_life), 4000, "%zu", i);
        cr_assert_eq(after(2 * cases[i].half_life), 2000, "%zu", i);
    }
    mempool_check(sk.m);
}

Test(mempool_limit, the_minimum_decays_in_steps_of_ten_seconds)
{
    sk.m->options.max_bytes = mempool_memory(sk.m);
    bump(1e9, true);
    cr_assert_eq(after(10), 1000000000);
    cr_assert_eq(after(11), llround(1e9 / exp2(11.0 / 43200)));
    mempool_check(sk.m);
}

Test(mempool_limit, the_minimum_is_not_below_what_is_worth_relaying_until_it_is_gone)
{
    sk.m->options.max_bytes = mempool_memory(sk.m);
    bump(100, true);
    cr_assert_eq(after(43199), 100);
    cr_assert_eq(sk.m->rolling_rate > 50, true);
    cr_assert_eq(after(43199 + 100), 0);
    cr_assert(sk.m->rolling_rate == 0);
    mempool_check(sk.m);
}

Test(mempool_limit, a_new_bump_stays_until_the_next_block)
{
    bump(0, true);
    fill(10, 100);
    sk.m->options.max_bytes = 0;
    pool_limit(sk.m);
    amount_sat rate = mempool_min_fee(sk.m).sat_per_kvb;
    cr_assert_gt(rate, 0);
    cr_assert_eq(after(MEMPOOL_ROLLING_HALF_LIFE_S), rate);
}

Test(mempool_limit, a_lower_rate_does_not_bump)
{
    bump(1e6, true);
    fill(10, 100);
    sk.m->options.max_bytes = 0;
    pool_limit(sk.m);
    cr_assert(sk.m->rolling_rate == 1e6 && sk.m->block_since_bump);
    mempool_check(sk.m);
}
