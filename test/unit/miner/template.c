/* Templates: what is chosen of a pool, within which limits, and the blocks that carry it. */
#include <stdio.h>

#include "consensus/merkle.h"
#include "miner/block_template.h"
#include "support/pool_kit.h"

enum { BLOCKS = 130, RATE = 1000 };

static const uint8_t pay[] = {0x51};

static struct template_choice choose_within(struct pool_kit *k, const struct template_limits *limits)
{
    struct template_choice choice = {0};
    template_choose(k->pool, k->kit.chain, limits, &choice);
    return choice;
}

static struct template_choice choose(struct pool_kit *k)
{
    struct template_limits limits = template_limits_default();
    return choose_within(k, &limits);
}

static bool is_in(const struct template_choice *choice, const struct mempool_entry *e)
{
    for (size_t i = 0; i < choice->count; i++)
        if (choice->entries[i] == e) return true;
    return false;
}

static struct block_template *make(struct pool_kit *k, const struct template_choice *choice)
{
    const struct template_wishes wishes = {.script_pubkey = span_of(pay, sizeof(pay))};
    return block_template_new(k->kit.chain, k->kit.now_s, choice, &wishes);
}

static struct verdict test_block(struct pool_kit *k, const struct block_template *t, unsigned flags)
{
    struct verdict v = {0};
    struct error e = {0};
    enum result r = chain_test_block(k->kit.chain, t->block, k->kit.now_s, BLOCK_CHECK_NO_POW | flags, &v, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
    return v;
}

Test(template, of_an_empty_pool_only_the_reservations_count)
{
    struct pool_kit k;
    pool_kit_new(&k, 1);
    struct template_choice choice = choose(&k);
    cr_assert_eq(choice.count, 0);
    cr_assert_eq(choice.fees_sat, 0);
    cr_assert_eq(choice.weight_wu, TEMPLATE_RESERVED_WEIGHT_WU);
    cr_assert_eq(choice.sigop_cost, TEMPLATE_RESERVED_SIGOPS);
    template_choice_clear(&choice);
    pool_kit_free(&k);
}

Test(template, a_child_that_pays_takes_its_parent_along)
{
    struct pool_kit k;
    pool_kit_new(&k, BLOCKS);
    const struct mempool_entry *poor = pool_kit_add_root(&k, 1, (struct pool_spend_plan){.fee = RATE / 10});
    const struct mempool_entry *middle = pool_kit_add_root(&k, 2, (struct pool_spend_plan){.fee = RATE});
    const struct mempool_entry *rich = pool_kit_add_child(&k, poor, 0, (struct pool_spend_plan){.fee = 100 * RATE});
    struct template_choice choice = choose(&k);
    cr_assert_eq(choice.count, 3);
    cr_assert_eq(choice.entries[0], poor);
    cr_assert_eq(choice.entries[1], rich);
    cr_assert_eq(choice.entries[2], middle);
    cr_assert_eq(choice.fees_sat, poor->fee + rich->fee + middle->fee);
    cr_assert_eq(choice.weight_wu, TEMPLATE_RESERVED_WEIGHT_WU + poor->weight_wu + rich->weight_wu + middle->weight_wu);
    template_choice_clear(&choice);
    pool_kit_free(&k);
}

Test(template, a_chunk_that_pays_less_than_the_least_rate_stays_out)
{
    struct pool_kit k;
    struct template_limits limits = template_limits_default();
    pool_kit_new(&k, BLOCKS);
    amount_sat vsize = (amount_sat)pool_kit_add_root(&k, 2, (struct pool_spend_plan){.fee = RATE / 10})->vsize;
    const struct mempool_entry *e = pool_kit_add_root(&k, 1, (struct pool_spend_plan){.fee = 5 * vsize});
    limits.min_rate.sat_per_kvb = 5000;
    struct template_choice choice = choose_within(&k, &limits);
    cr_assert(is_in(&choice, e));
    template_choice_clear(&choice);
    limits.min_rate.sat_per_kvb++;
    choice = choose_within(&k, &limits);
    cr_assert_not(is_in(&choice, e));
    /* What the user adds counts, but is paid by nobody. */
    mempool_prioritise(k.pool, &e->tx.txid, 10 * RATE);
    template_choice_clear(&choice);
    choice = choose_within(&k, &limits);
    cr_assert(is_in(&choice, e));
    cr_assert_eq(choice.fees_sat, 5 * vsize);
    template_choice_clear(&choice);
    pool_kit_free(&k);
}

Test(template, what_would_just_fill_the_block_does_not_fit_but_smaller_ones_behind_it_do)
{
    struct pool_kit k;
    struct template_limits limits = template_limits_default();
    pool_kit_new(&k, BLOCKS);
    const struct mempool_entry *large =
        pool_kit_add_root(&k, 1, (struct pool_spend_plan){.fee = 1000 * RATE, .padding = 5000});
    const struct mempool_entry *small = pool_kit_add_root(&k, 2, (struct pool_spend_plan){.fee = RATE / 10});
    const struct mempool_entry *child = pool_kit_add_child(&k, large, 0, (struct pool_spend_plan){.fee = RATE / 10});
    limits.max_weight_wu = limits.reserved_weight_wu + large->weight_wu + 1;
    struct template_choice choice = choose_within(&k, &limits);
    cr_assert(is_in(&choice, large) && !is_in(&choice, small) && !is_in(&choice, child));
    template_choice_clear(&choice);
    limits.max_weight_wu--;
    choice = choose_within(&k, &limits);
    cr_assert(!is_in(&choice, large) && is_in(&choice, small) && !is_in(&choice, child));
    template_choice_clear(&choice);
    pool_kit_free(&k);
}

Test(template, signature_operations_have_a_limit_of_their_own)
{
    enum { MANY = 190, COST = 80 };
    struct pool_kit k;
    pool_kit_new(&k, BLOCKS);
    for (int32_t i = 1; i <= 8; i++)
        pool_kit_add_root(&k, i, (struct pool_spend_plan){.fee = 1000 * RATE, .multisigs = MANY});
    struct template_choice choice = choose(&k);
    /* Five times as much would be 76000, and the sixth one too much. */
    cr_assert_eq(choice.count, 5);
    cr_assert_eq(choice.sigop_cost, TEMPLATE_RESERVED_SIGOPS + 5 * MANY * COST);
    struct block_template *t = make(&k, &choice);
    struct verdict v = test_block(&k, t, BLOCK_CHECK_NO_MERKLE);
    cr_assert(verdict_ok(&v), "%s", v.reason);
    block_template_free(t);
    template_choice_clear(&choice);
    pool_kit_free(&k);
}

Test(template, what_is_not_final_on_this_tip_is_left_out)
{
    struct pool_kit k;
    pool_kit_new(&k, BLOCKS);
    const struct mempool_entry *e = pool_kit_add_root(
        &k, 1, (struct pool_spend_plan){.fee = RATE, .lock_time = BLOCKS, .sequence = SEQUENCE_FINAL - 1});
    struct template_choice choice = choose(&k);
    cr_assert(is_in(&choice, e));
    template_choice_clear(&choice);
    /* The pool is not told that the tip has gone. */
    chain_invalidate(k.kit.chain, chain_tip(k.kit.chain));
    kit_run(&k.kit);
    choice = choose(&k);
    cr_assert_not(is_in(&choice, e));
    template_choice_clear(&choice);
    pool_kit_free(&k);
}

/* Lines that were logged. */
struct lines {
    struct log log;
    size_t count;
    char last[300];
};

static void note_line(void *ctx, enum log_level level, enum log_category category, const struct log_source *source,
                      const char *text)
{
    struct lines *lines = ctx;
    (void)source, (void)level, (void)category;
    lines->count++;
    snprintf(lines->last, sizeof(lines->last), "%s", text);
}

Test(template, fee_rates_are_logged_where_that_is_wanted)
{
    struct pool_kit k;
    struct template_limits limits = template_limits_default();
    struct lines lines = {.log = {.write = note_line}};
    char id[HASH_TEXT], expected[200];
    lines.log.ctx = &lines;
    pool_kit_new(&k, BLOCKS);
    const struct mempool_entry *e = pool_kit_add_root(&k, 1, (struct pool_spend_plan){.fee = RATE});
    limits.log = &lines.log;
    struct template_choice choice = choose_within(&k, &limits);
    snprintf(expected, sizeof(expected), "fee rate 0.%08lld BTC/kvB txid %s",
             (long long)(RATE * 1000 / (long long)e->vsize), txid_text(id, &e->tx.txid));
    cr_assert_eq(lines.count, 1);
    cr_assert_str_eq(lines.last, expected);
    template_choice_clear(&choice);
    pool_kit_free(&k);
}

/* Chains of transactions of several sizes and rates on the first coinbases. */
static void fill(struct pool_kit *k, int32_t roots)
{
    for (int32_t h = 1; h <= roots; h++) {
        const struct mempool_entry *e = pool_kit_add_root(
            k, h, (struct pool_spend_plan){.fee = RATE * h, .outputs = 3, .padding = 100 * (size_t)h});
        const struct mempool_entry *child =
            pool_kit_add_child(k, e, 1, (struct pool_spend_plan){.fee = RATE * (roots - h) + 100, .outputs = 2});
        pool_kit_add_child(k, child, 0, (struct pool_spend_plan){.fee = RATE * 20});
    }
}

Test(template, makes_a_block_that_connects_and_pays_subsidy_and_fees)
{
    struct pool_kit k;
    pool_kit_new(&k, BLOCKS);
    fill(&k, 20);
    struct template_choice choice = choose(&k);
    cr_assert_eq(choice.count, 60);
    cr_assert_eq(choice.fees_sat, mempool_fees(k.pool));
    struct block_template *t = make(&k, &choice);
    cr_assert_eq(t->height, BLOCKS + 1);
    cr_assert_eq(t->fees_sat, choice.fees_sat);
    for (size_t i = 0; i < choice.count; i++) {
        cr_assert_eq(t->of[i].fee, choice.entries[i]->fee);
        cr_assert_eq(t->of[i].sigop_cost, choice.entries[i]->sigop_cost);
        cr_assert(txid_equal(&t->block->txs[i + 1].txid, &choice.entries[i]->tx.txid));
    }
    template_choice_clear(&choice);
    amount_sat fees = mempool_fees(k.pool);
    mempool_free(k.pool); /* the template does not need it any more */
    k.pool = NULL;
    struct verdict v = test_block(&k, t, BLOCK_CHECK_NO_MERKLE);
    cr_assert(verdict_ok(&v), "%s", v.reason);
    cr_assert_str_eq(test_block(&k, t, 0).reason, "bad-txnmrklroot");
    block_template_seal(t);
    v = test_block(&k, t, 0);
    cr_assert(verdict_ok(&v), "%s", v.reason);
    uint64_t tries = 1000;
    cr_assert(block_template_solve(t, &k.kit.params, &tries));
    struct block *b = block_parse(t->block->raw);
    cr_assert(block_hash_equal(&b->hash, &t->block->hash));
    cr_assert_eq(b->txs[0].out[0].value, block_subsidy(t->height, &k.kit.params) + fees);
    cr_assert_eq(block_witness_commitment(b), 1);
    kit_feed_good(&k.kit, b);
    cr_assert_eq(chain_height(k.kit.chain), BLOCKS + 1);
    block_free(b);
    block_template_free(t);
    pool_kit_free(&k);
}

/* A coinbase that takes one satoshi more is too much: what the template pays are all fees there are. */
Test(template, pays_no_satoshi_too_little)
{
    struct pool_kit k;
    pool_kit_new(&k, BLOCKS);
    fill(&k, 5);
    struct template_choice choice = choose(&k);
    choice.fees_sat++;
    struct block_template *t = make(&k, &choice);
    cr_assert_str_eq(test_block(&k, t, BLOCK_CHECK_NO_MERKLE).reason, "bad-cb-amount");
    block_template_free(t);
    template_choice_clear(&choice);
    pool_kit_free(&k);
}

Test(template, is_the_same_block_as_of_plain_transactions)
{
    struct pool_kit k;
    pool_kit_new(&k, BLOCKS);
    fill(&k, 3);
    struct template_choice choice = choose(&k);
    struct tx txs[9];
    struct buffer raw = {0};
    buffer_put_u8(&raw, 1); /* appended behind what is there */
    cr_assert_eq(choice.count, 9);
    for (size_t i = 0; i < 9; i++) txs[i] = choice.entries[i]->tx;
    txs[4].raw = span_of(NULL, 0); /* put together in memory: written anew */
    block_template_build(k.kit.chain, k.kit.now_s, span_of(pay, sizeof(pay)), txs, 9, choice.fees_sat, &raw);
    struct block_template *t = make(&k, &choice);
    block_template_seal(t);
    cr_assert_eq(raw.len - 1, t->block->raw.len);
    cr_assert_arr_eq(raw.data + 1, t->block->raw.data, raw.len - 1);
    block_template_free(t);
    template_choice_clear(&choice);
    buffer_clear(&raw);
    pool_kit_free(&k);
}

Test(template, takes_a_version_and_moves_its_time_on)
{
    struct pool_kit k;
    pool_kit_new(&k, 1);
    const struct template_wishes wishes = {.script_pubkey = span_of(pay, sizeof(pay)), .version = 1337};
    struct block_template *t = block_template_new(k.kit.chain, k.kit.now_s, NULL, &wishes);
    uint32_t time = t->block->header.time;
    cr_assert_eq(t->block->header.version, 1337);
    block_template_update_time(t, k.kit.chain, k.kit.now_s - 1000);
    cr_assert_eq(t->block->header.time, time);
    block_template_update_time(t, k.kit.chain, (int64_t)time + 7);
    cr_assert_eq(t->block->header.time, time + 7);
    struct block *b = block_parse(t->block->raw);
    cr_assert_eq(b->header.time, time + 7);
    cr_assert(block_hash_equal(&b->hash, &t->block->hash));
    block_free(b);
    block_template_free(t);
    pool_kit_free(&k);
}
