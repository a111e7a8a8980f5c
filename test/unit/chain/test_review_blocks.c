/* Blocks that look like others, or fail only today: what may be blamed on a header, and what must not. */
#include "chain/chain_internal.h"
#include "trees.h"

struct scene {
    struct kit kit;
    struct tree tree;
    struct tree_block *tip;
};

static void scene_new(struct scene *s, int32_t height)
{
    tree_init(&s->tree, 77);
    kit_new(&s->kit, CHAIN_REGTEST);
    s->tip = tree_grow(&s->tree, s->tree.blocks[0], (size_t)height);
    tree_feed(&s->kit, s->tip);
}

static void scene_free(struct scene *s)
{
    kit_free(&s->kit);
    tree_clear(&s->tree);
}

/* The header and root of B over other transactions. */
static struct block *with_txs(const struct block *b, const struct tx *txs, size_t count)
{
    struct buffer raw = {0};
    block_header_write(buffer_extend(&raw, HEADER_BYTES), &b->header);
    buffer_put_compact_size(&raw, count);
    for (size_t i = 0; i < count; i++) tx_write(&raw, &txs[i]);
    struct block *out = block_parse_take(raw.data, raw.len);
    cr_assert_not_null(out);
    return out;
}

/* What fails a check that looks at the block alone leaves no trace: the same bytes get the same answer again, and the
 * header is not known. */
Test(review_blocks, bad_block_is_not_remembered)
{
    static struct scene s;
    scene_new(&s, 3);
    struct draft d = draft_on(&s.tip->node, &s.tree.params, 1);
    d.coinbase_value = MAX_MONEY_SAT + 1;
    struct block *b = draft_mine(&d, &s.tree.params);
    for (int i = 0; i < 2; i++) {
        struct verdict v = kit_feed(&s.kit, b);
        cr_assert_str_eq(v.reason, "bad-txns-vout-toolarge");
        cr_assert_null(chain_find(s.kit.chain, &b->hash));
    }
    cr_assert_null(s.kit.chain->best_invalid);
    block_free(b);
    scene_free(&s);
}

/* The same before its parent is known. */
Test(review_blocks, bad_block_without_parent)
{
    static struct scene s;
    scene_new(&s, 3);
    struct draft d = draft_on(&s.tip->node, &s.tree.params, 1);
    d.prev.bytes[0] ^= 1;
    d.wrong_root = true;
    struct block *b = draft_mine(&d, &s.tree.params);
    struct verdict v = kit_feed(&s.kit, b);
    cr_assert_str_eq(v.reason, "bad-txnmrklroot");
    block_free(b);
    scene_free(&s);
}

/* Signet's solution is looked for before the merkle root is known to be right: other transactions below a good header
 * do not condemn it. */
Test(review_blocks, signet_with_other_transactions)
{
    static struct kit k;
    static const uint8_t anybody[] = {0x51};
    static const uint8_t commitment[38] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    kit_prepare(&k, CHAIN_REGTEST);
    k.params.signet = true;
    k.params.signet_challenge = span_of(anybody, 1);
    k.params.buried[BURIED_SEGWIT] = INT32_MAX;
    kit_stores(&k);
    kit_open(&k);
    kit_run(&k);
    struct draft d = draft_on(&chain_tip(k.chain)->header, &k.params, 1);
    d.coinbase_script = span_of(commitment, sizeof(commitment));
    struct block *good = draft_mine(&d, &k.params);
    struct tx other = good->txs[0];
    struct tx_out plain = {.value = 1, .script_pubkey = span_of(anybody, 1)};
    other.out = &plain;
    struct block *bad = with_txs(good, &other, 1);
    struct verdict v = kit_feed(&k, bad);
    cr_assert_str_eq(v.reason, "bad-signet-blksig");
    kit_feed_good(&k, good);
    cr_assert_eq(chain_height(k.chain), 1);
    block_free(good);
    block_free(bad);
    kit_free(&k);
}

/* A proposal is looked at alone before its header is looked at in its place. */
Test(review_blocks, order_of_checks_of_a_proposal)
{
    static struct scene s;
    scene_new(&s, 3);
    struct verdict v = {0};
    struct error e = {0};
    struct draft d = draft_on(&s.tip->node, &s.tree.params, 1);
    d.time = 0; /* too old */
    d.wrong_root = true;
    struct block *b = draft_mine(&d, &s.tree.params);
    cr_assert_eq(chain_test_block(s.kit.chain, b, s.kit.now_s, 0, &v, &e), RESULT_OK);
    cr_assert_str_eq(v.reason, "bad-txnmrklroot");
    cr_assert_eq(chain_test_block(s.kit.chain, b, s.kit.now_s, BLOCK_CHECK_NO_MERKLE, &v, &e), RESULT_OK);
    cr_assert_str_eq(v.reason, "time-too-old");
    block_free(b);
    scene_free(&s);
}

/* ---- scripts that are not run ---- */

/* Headers alone on PREV. */
static void add_headers(struct kit *k, const struct block_node *prev, int count)
{
    for (int i = 0; i < count; i++) {
        struct block *b = make_empty_block(&prev->header, &k->params, 7);
        struct block_node *n;
        struct verdict v = {0};
        k->now_s = (int64_t)b->header.time + 1;
        cr_assert(chain_accept_header(k->chain, &b->header, k->now_s, false, &n, &v), "%s", v.reason);
        prev = n;
        block_free(b);
    }
}

/* A block is assumed to be valid below two weeks of work, to the block. */
Test(review_blocks, assumed_below_two_weeks)
{
    static struct scene s;
    scene_new(&s, 3);
    struct chain *c = s.kit.chain;
    const char *reason;
    c->options.check_index = false;
    c->options.assume_valid = chain_tip(c)->header.hash;
    add_headers(&s.kit, chain_tip(c), 2016);
    cr_assert(scripts_needed(c, chain_tip(c), &reason));
    cr_assert_str_eq(reason, "block too recent relative to best header");
    cr_assert_not(scripts_needed(c, chain_at(c, 2), &reason));
    add_headers(&s.kit, c->tree.best_header, 1);
    cr_assert_not(scripts_needed(c, chain_tip(c), &reason));
    scene_free(&s);
}

/* Scripts that were never run have not passed: once the block is no longer assumed to be valid, they run. */
Test(review_blocks, assumed_block_connected_again)
{
    static struct scene s;
    static const uint8_t never[] = {0x00};
    scene_new(&s, 101);
    struct chain *c = s.kit.chain;
    struct outpoint at = outpoint_of(tree_back(s.tip, 99)->block, 0, 0);
    struct draft d = draft_on(&s.tip->node, &s.tree.params, 1);
    struct draft_output out = {.value = 1, .script = span_of(never, 1)};
    struct txid id = draft_spend(&d, &at, 1, SEQUENCE_FINAL, &out, 1);
    draft_move(&d, &(struct outpoint){.txid = id}, 1);
    struct block *b = draft_mine(&d, &s.tree.params);
    struct block_node *n;
    struct verdict v = {0};
    cr_assert(chain_accept_header(c, &b->header, s.kit.now_s, false, &n, &v));
    c->options.check_index = false;
    c->options.assume_valid = b->hash;
    add_headers(&s.kit, n, 2017);
    kit_feed_good(&s.kit, b);
    cr_assert_eq(chain_tip(c), n);
    chain_invalidate(c, n);
    kit_run(&s.kit);
    memset(&c->options.assume_valid, 0, sizeof(c->options.assume_valid));
    chain_reconsider(c, n);
    kit_run(&s.kit);
    cr_assert_eq(chain_height(c), 101);
    cr_assert(n->status & BLOCK_FAILED);
    block_free(b);
    scene_free(&s);
}

/* ---- undo data ---- */

/* 19 pushes of 520 bytes: nearly as long as a script may be. */
static struct span long_script(void)
{
    static uint8_t script[19 * 523];
    memset(script, 1, sizeof(script));
    for (size_t at = 0; at < sizeof(script); at += 523) memcpy(script + at, "\x4d\x08\x02", 3);
    return span_of(script, sizeof(script));
}

/* Mines a block without transactions and connects it; its coinbase has OUTPUTS long outputs, or one short one. */
static void go_on(struct scene *s, struct header_node *node, size_t outputs, struct txid *coinbase)
{
    struct header_node prev = *node;
    struct draft d = draft_on(&prev, &s->tree.params, 1);
    d.coinbase_outputs = outputs;
    if (outputs) d.coinbase_script = long_script();
    struct block *b = draft_mine(&d, &s->tree.params);
    kit_feed_good(&s->kit, b);
    *node = chain_tip(s->kit.chain)->header;
    if (coinbase) *coinbase = b->txs[0].txid;
    block_free(b);
}

/* A block whose inputs reveal little and spend much: 40 MB of undo data are read back like any other. */
Test(review_blocks, large_undo, .timeout = 300)
{
    enum { RICH = 41, OUTPUTS = 100 };
    static struct scene s;
    static struct outpoint in[RICH * OUTPUTS];
    scene_new(&s, 1);
    s.kit.chain->options.check_index = false;
    struct header_node node = s.tip->node;
    for (size_t i = 0; i < RICH * OUTPUTS; i += OUTPUTS) {
        go_on(&s, &node, OUTPUTS, &in[i].txid);
        for (uint32_t k = 0; k < OUTPUTS; k++) in[i + k] = (struct outpoint){.txid = in[i].txid, .index = k};
    }
    for (int i = 0; i < 100; i++) go_on(&s, &node, 0, NULL);
    char before[65];
    kit_utxo_hash(&s.kit, before);
    struct draft d = draft_on(&node, &s.tree.params, 1);
    draft_spend(&d, in, RICH * OUTPUTS, SEQUENCE_FINAL, &(struct draft_output){.value = 1}, 1);
    struct block *b = draft_mine(&d, &s.tree.params);
    kit_feed_good(&s.kit, b);
    cr_assert_eq(chain_height(s.kit.chain), 1 + RICH + 100 + 1);
    chain_invalidate(s.kit.chain, chain_tip(s.kit.chain));
    kit_run(&s.kit);
    kit_expect_hash(&s.kit, before);
    block_free(b);
    scene_free(&s);
}

/* ---- verification leaves no trace ---- */

struct failing_store {
    struct kv_store real;
    int left; /* reads that succeed */
};

static struct kv_ops failing_ops;

static enum result failing_get(void *ctx, struct span key, struct buffer *value, struct error *e)
{
    struct failing_store *f = ctx;
    if (f->left-- <= 0) return error_set(e, RESULT_IO, "the test wants it so");
    return f->real.ops->get(f->real.ctx, key, value, e);
}

static void *real_batch_new(void *ctx)
{
    struct failing_store *f = ctx;
    return f->real.ops->batch_new(f->real.ctx);
}

static enum result real_batch_write(void *ctx, void *batch, bool sync, struct error *e)
{
    struct failing_store *f = ctx;
    return f->real.ops->batch_write(f->real.ctx, batch, sync, e);
}

/* The coins cannot be read any more at some point on the way down or up: the chain is as it was. */
Test(review_blocks, verify_with_a_disk_that_fails, .timeout = 300)
{
    static struct scene s;
    scene_new(&s, 112);
    kit_restart(&s.kit);
    struct error e = {0};
    bool ok, done = false;
    char hash[65];
    kit_utxo_hash(&s.kit, hash);
    for (int reads = 0; !done; reads++) {
        static struct kit k;
        kit_clone(&k, &s.kit);
        struct failing_store f = {.real = k.ports.coins, .left = INT32_MAX};
        failing_ops = *f.real.ops;
        failing_ops.get = failing_get;
        failing_ops.batch_new = real_batch_new;
        failing_ops.batch_write = real_batch_write;
        kit_open(&k);
        k.chain->ports.coins = (struct kv_store){&failing_ops, &f};
        coins_free(k.chain->coins);
        k.chain->coins = coins_new(k.chain->ports.coins, NULL, 1);
        f.left = 1 + reads;
        done = chain_verify(k.chain, 4, 0, &ok, &e) == RESULT_OK;
        cr_assert_eq(ok, done);
        f.left = INT32_MAX;
        coins_check(k.chain->coins);
        cr_assert_eq(coins_dirty(k.chain->coins), 0);
        coins_free(k.chain->coins);
        k.chain->coins = coins_new(f.real, NULL, 1);
        kit_expect_hash(&k, hash);
        kit_free(&k);
        cr_assert_lt(reads, 10000);
    }
    scene_free(&s);
}

/* What the user gave up is no chain that the network prefers to ours; one that was refused is. */
Test(review_blocks, best_of_the_failed)
{
    static struct scene s;
    scene_new(&s, 20);
    struct chain *c = s.kit.chain;
    struct block_node *low = chain_at(c, 5), *tip = chain_tip(c);
    chain_invalidate(c, low);
    kit_run(&s.kit);
    cr_assert_eq(c->best_invalid, low);
    chain_reconsider(c, low);
    kit_run(&s.kit);
    cr_assert_null(c->best_invalid);
    cr_assert_eq(chain_tip(c), tip);
    /* on the tip a bad block, with three more on it that were stored before it was looked at */
    struct block *b[4];
    struct header_node node[4];
    struct verdict v = {0};
    struct error e = {0};
    struct block_node *n = NULL;
    bool is_new;
    for (int i = 0; i < 4; i++) {
        struct draft d = draft_on(i ? &node[i - 1] : &s.tip->node, &s.tree.params, 3);
        d.coinbase_value += i == 0;
        b[i] = draft_mine(&d, &s.tree.params);
        header_node_link(&node[i], &b[i]->header, &b[i]->hash, i ? &node[i - 1] : &s.tip->node);
        cr_assert_eq(chain_accept_block(c, b[i], s.kit.now_s, ACCEPT_REQUESTED, NULL, &n, &is_new, &v, &e), RESULT_OK);
        cr_assert(verdict_ok(&v), "%s", v.reason);
    }
    kit_run(&s.kit);
    cr_assert_eq(chain_tip(c), tip);
    cr_assert_eq(c->best_invalid, n);
    for (int i = 0; i < 4; i++) block_free(b[i]);
    scene_free(&s);
}
