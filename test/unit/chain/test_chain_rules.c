/* The rules that hold on connecting: each broken one by its name, and the coins as they were before. */
#include "crypto/ripemd160.h"
#include "trees.h"

struct rules {
    struct kit kit;
    struct tree tree;
    struct tree_block *tip;
    struct draft draft; /* on the tip */
    char hash[65];      /* of the coins at the tip */
};

/* A chain of HEIGHT blocks and a draft on it. */
static void rules_new(struct rules *r, int32_t height)
{
    tree_init(&r->tree, 11);
    kit_new(&r->kit, CHAIN_REGTEST);
    r->tip = tree_grow(&r->tree, r->tree.blocks[0], (size_t)height);
    tree_feed(&r->kit, r->tip);
    kit_utxo_hash(&r->kit, r->hash);
    r->draft = draft_on(&r->tip->node, &r->tree.params, 1000);
}

static void rules_free(struct rules *r)
{
    kit_free(&r->kit);
    tree_clear(&r->tree);
}

/* The coinbase output of the active block at HEIGHT. */
static struct outpoint coinbase_at(struct rules *r, int32_t height)
{
    return outpoint_of(tree_back(r->tip, r->tip->node.height - height)->block, 0, 0);
}

/* The draft is refused for REASON, marked failed, and nothing of it stays; a good block goes on afterwards. */
static void expect_refused(struct rules *r, const char *reason)
{
    struct block *b = draft_mine(&r->draft, &r->kit.chain->params);
    struct verdict v = kit_feed(&r->kit, b);
    cr_assert_str_eq(v.reason, reason, "got %s, %s", v.reason, v.detail);
    cr_assert_eq(v.kind, VERDICT_CONSENSUS);
    cr_assert(chain_find(r->kit.chain, &b->hash)->status & BLOCK_FAILED);
    cr_assert(block_hash_equal(&chain_tip(r->kit.chain)->header.hash, &r->tip->block->hash));
    kit_expect_hash(&r->kit, r->hash);
    v = kit_feed(&r->kit, b);
    cr_assert_str_eq(v.reason, "duplicate-invalid");
    block_free(b);
    kit_restart(&r->kit); /* in the store too */
    kit_expect_hash(&r->kit, r->hash);
    tree_feed(&r->kit, tree_grow(&r->tree, r->tip, 2));
    cr_assert_eq(chain_height(r->kit.chain), r->tip->node.height + 2);
}

Test(chain_rules, unknown_input)
{
    static struct rules r;
    rules_new(&r, 101);
    struct outpoint good = coinbase_at(&r, 2), unknown = {.txid = {{9}}};
    struct txid moved = draft_move(&r.draft, &good, 7);
    draft_move(&r.draft, &(struct outpoint){.txid = moved}, 6);
    draft_move(&r.draft, &unknown, 5);
    expect_refused(&r, "bad-txns-inputs-missingorspent");
    rules_free(&r);
}

Test(chain_rules, second_input_unknown)
{
    static struct rules r;
    rules_new(&r, 101);
    struct outpoint in[] = {coinbase_at(&r, 2), {.txid = {{9}}}};
    draft_spend(&r.draft, in, 2, SEQUENCE_FINAL, &(struct draft_output){.value = 5}, 1);
    expect_refused(&r, "bad-txns-inputs-missingorspent");
    rules_free(&r);
}

Test(chain_rules, spent_twice_in_a_block)
{
    static struct rules r;
    rules_new(&r, 101);
    struct outpoint at = coinbase_at(&r, 2);
    draft_move(&r.draft, &at, 5);
    draft_move(&r.draft, &at, 6);
    expect_refused(&r, "bad-txns-inputs-missingorspent");
    rules_free(&r);
}

/* A transaction may spend one before it in the block, not one behind it. */
Test(chain_rules, order_within_a_block)
{
    static struct rules r;
    rules_new(&r, 101);
    struct outpoint at = coinbase_at(&r, 2);
    struct draft probe = r.draft;
    struct txid later = draft_move(&probe, &at, 5);
    buffer_clear(&probe.txs);
    draft_move(&r.draft, &(struct outpoint){.txid = later}, 4);
    draft_move(&r.draft, &at, 5);
    expect_refused(&r, "bad-txns-inputs-missingorspent");
    rules_free(&r);
}

Test(chain_rules, unspendable_output_is_no_coin)
{
    static struct rules r;
    static const uint8_t op_return[] = {0x6a};
    rules_new(&r, 101);
    struct outpoint at = coinbase_at(&r, 2);
    struct draft_output out = {.value = 5, .script = span_of(op_return, 1)};
    struct txid id = draft_spend(&r.draft, &at, 1, SEQUENCE_FINAL, &out, 1);
    draft_move(&r.draft, &(struct outpoint){.txid = id}, 4);
    expect_refused(&r, "bad-txns-inputs-missingorspent");
    rules_free(&r);
}

Test(chain_rules, genesis_coinbase_is_no_coin)
{
    static struct rules r;
    rules_new(&r, 101);
    struct outpoint at = coinbase_at(&r, 0);
    draft_move(&r.draft, &at, 4);
    expect_refused(&r, "bad-txns-inputs-missingorspent");
    rules_free(&r);
}

Test(chain_rules, coinbase_pays_too_much)
{
    static struct rules r;
    rules_new(&r, 101);
    struct outpoint at = coinbase_at(&r, 2);
    draft_move(&r.draft, &at, 50 * COIN_SAT - 10);
    r.draft.coinbase_value += 11;
    expect_refused(&r, "bad-cb-amount");
    rules_free(&r);
}

Test(chain_rules, coinbase_may_take_the_fees)
{
    static struct rules r;
    rules_new(&r, 101);
    struct outpoint at = coinbase_at(&r, 2);
    draft_move(&r.draft, &at, 50 * COIN_SAT - 10);
    r.draft.coinbase_value += 10;
    struct block *b = draft_mine(&r.draft, &r.tree.params);
    kit_feed_good(&r.kit, b);
    cr_assert_eq(chain_height(r.kit.chain), 102);
    block_free(b);
    rules_free(&r);
}

Test(chain_rules, young_coinbase)
{
    static struct rules r;
    rules_new(&r, 101);
    struct outpoint at = coinbase_at(&r, 3);
    draft_move(&r.draft, &at, 5);
    expect_refused(&r, "bad-txns-premature-spend-of-coinbase");
    rules_free(&r);
}

Test(chain_rules, more_out_than_in)
{
    static struct rules r;
    rules_new(&r, 101);
    struct outpoint at = coinbase_at(&r, 2);
    draft_move(&r.draft, &at, 50 * COIN_SAT + 1);
    expect_refused(&r, "bad-txns-in-belowout");
    rules_free(&r);
}

/* BIP68: ten blocks old, says the input, of a coin made in this very block. */
Test(chain_rules, relative_lock_time)
{
    static struct rules r;
    rules_new(&r, 101);
    struct outpoint at = coinbase_at(&r, 2);
    struct txid id = draft_move(&r.draft, &at, 1000);
    at = (struct outpoint){.txid = id};
    draft_spend(&r.draft, &at, 1, 10, &(struct draft_output){.value = 5}, 1);
    expect_refused(&r, "bad-txns-nonfinal");
    rules_free(&r);
}

static void expect_script_failure(const uint8_t *script, size_t len, const char *reason)
{
    static struct rules r;
    rules_new(&r, 101);
    struct outpoint at = coinbase_at(&r, 2);
    struct draft_output out = {.value = 1000, .script = span_of(script, len)};
    struct txid id = draft_spend(&r.draft, &at, 1, SEQUENCE_FINAL, &out, 1);
    draft_move(&r.draft, &(struct outpoint){.txid = id}, 5);
    expect_refused(&r, reason);
    rules_free(&r);
}

Test(chain_rules, scripts_that_fail)
{
    static const uint8_t zero[] = {0x00}, equal_verify[] = {0x51, 0x52, 0x88, 0x51}, dup[] = {0x76};
    expect_script_failure(zero, 1,
                          "block-script-verify-flag-failed (Script evaluated without error but finished with a "
                          "false/empty top stack element)");
    expect_script_failure(equal_verify, 4,
                          "block-script-verify-flag-failed (Script failed an OP_EQUALVERIFY operation)");
    expect_script_failure(dup, 1, "block-script-verify-flag-failed (Operation not valid with the current stack size)");
}

/* Of several bad inputs the first in block order is named, however many threads look and however long it takes. */
Test(chain_rules, first_failure_is_named)
{
    static struct rules r;
    static const uint8_t zero[] = {0x00};
    static uint8_t slow[192];
    memset(slow, 0xaa, sizeof(slow)); /* OP_HASH256 */
    slow[0] = 0x51;
    slow[191] = 0x88; /* OP_EQUALVERIFY, of one item */
    rules_new(&r, 101);
    struct workers pool;
    thread_pool_open(&pool, 4);
    r.kit.chain->ports.workers = pool;
    struct outpoint at = coinbase_at(&r, 2);
    struct draft_output outs[40];
    for (size_t i = 0; i < 40; i++)
        outs[i] = (struct draft_output){.value = 10, .script = i == 17 ? span_of(slow, 192) : span_of(zero, i >= 17)};
    struct txid id = draft_spend(&r.draft, &at, 1, SEQUENCE_FINAL, outs, 40);
    for (uint32_t i = 0; i < 40; i++) draft_move(&r.draft, &(struct outpoint){.txid = id, .index = i}, 5);
    struct block *b = draft_mine(&r.draft, &r.tree.params);
    for (int round = 0; round < 50; round++) {
        struct verdict v = kit_feed(&r.kit, b);
        cr_assert_str_eq(v.reason, "block-script-verify-flag-failed (Operation not valid with the current stack size)");
        chain_reconsider(r.kit.chain, chain_find(r.kit.chain, &b->hash));
    }
    r.kit.chain->ports.workers = (struct workers){0};
    thread_pool_close(&pool);
    block_free(b);
    rules_free(&r);
}

/* Three inputs reveal scripts with 500 CHECKMULTISIGs each: 3 * 500 * 20 * 4 is more than 80000. */
Test(chain_rules, sigops_of_redeem_scripts)
{
    static struct rules r;
    static uint8_t sig[503] = {0x4d, 0xf4, 0x01};
    memset(sig + 3, 0xae, 500);
    uint8_t script[23];
    script[0] = 0xa9;
    script[1] = 20;
    script[22] = 0x87;
    hash160(script + 2, sig + 3, 500);
    rules_new(&r, 101);
    struct outpoint at = coinbase_at(&r, 2);
    struct draft_output outs[3];
    for (int i = 0; i < 3; i++) outs[i] = (struct draft_output){.value = 10, .script = span_of(script, 23)};
    struct txid id = draft_spend(&r.draft, &at, 1, SEQUENCE_FINAL, outs, 3);
    r.draft.script_sig = span_of(sig, sizeof(sig));
    for (uint32_t i = 0; i < 3; i++) draft_move(&r.draft, &(struct outpoint){.txid = id, .index = i}, 5);
    expect_refused(&r, "bad-blk-sigops");
    rules_free(&r);
}

/* BIP30, where BIP34 does not hold: a coinbase with the txid of one that is unspent. */
Test(chain_rules, overwriting_a_coin)
{
    static struct rules r;
    rules_new(&r, 20);
    r.kit.params.buried[BURIED_BIP34] = r.kit.chain->params.buried[BURIED_BIP34] = 100000;
    const struct block *old = tree_back(r.tip, 10)->block;
    r.draft.coinbase_height = r.tip->node.height - 10;
    r.draft.tag = get_le32(old->txs[0].in[0].script_sig.data + 2);
    expect_refused(&r, "bad-txns-BIP30");
    rules_free(&r);
}

/* The bytes do not belong to the header: the header is not to blame, and the true block comes through. */
Test(chain_rules, mutated_block)
{
    static struct rules r;
    rules_new(&r, 101);
    struct outpoint at = coinbase_at(&r, 2);
    draft_move(&r.draft, &at, 5);
    struct block *good = draft_mine(&r.draft, &r.tree.params);
    uint8_t *bytes = mem_dup(good->raw.data, good->raw.len);
    bytes[good->raw.len - 5] ^= 1; /* the last output's script */
    struct block *bad = block_parse_take(bytes, good->raw.len);
    struct verdict v = kit_feed(&r.kit, bad);
    cr_assert_str_eq(v.reason, "bad-txnmrklroot");
    cr_assert_eq(v.kind, VERDICT_MUTATED);
    kit_feed_good(&r.kit, good);
    cr_assert_eq(chain_height(r.kit.chain), 102);
    block_free(good);
    block_free(bad);
    rules_free(&r);
}

/* chain_test_block gives the same verdicts and leaves no trace. */
Test(chain_rules, testing_a_block)
{
    static struct rules r;
    rules_new(&r, 101);
    struct outpoint at = coinbase_at(&r, 2);
    struct verdict v = {0};
    struct error e = {0};
    for (int bad = 0; bad < 2; bad++) {
        struct draft d = draft_on(&r.tip->node, &r.tree.params, 5);
        draft_move(&d, &at, 50 * COIN_SAT - 10);
        d.coinbase_value += 10 + bad;
        struct block *b = draft_mine(&d, &r.tree.params);
        cr_assert_eq(chain_test_block(r.kit.chain, b, r.kit.now_s, 0, &v, &e), RESULT_OK, "%s", e.text);
        cr_assert_str_eq(v.reason, bad ? "bad-cb-amount" : "");
        cr_assert_null(chain_find(r.kit.chain, &b->hash));
        kit_expect_hash(&r.kit, r.hash);
        block_free(b);
    }
    struct tree_block *next = tree_mine(&r.tree, r.tip);
    tree_feed(&r.kit, next);
    cr_assert_eq(chain_test_block(r.kit.chain, next->block, r.kit.now_s, 0, &v, &e), RESULT_OK);
    cr_assert_str_eq(v.reason, "inconclusive-not-best-prevblk");
    rules_free(&r);
}
