/* Damage on disk is our machine's failure: it is told as such, and no block is blamed for it. */
#include "trees.h"

struct damage {
    struct kit kit;
    struct tree tree;
    struct tree_block *tip;
};

static void damage_new(struct damage *d, int32_t height)
{
    tree_init(&d->tree, 31);
    kit_new(&d->kit, CHAIN_REGTEST);
    d->tip = tree_grow(&d->tree, d->tree.blocks[0], (size_t)height);
    tree_feed(&d->kit, d->tip);
    kit_flush(&d->kit);
}

static void damage_free(struct damage *d)
{
    kit_free(&d->kit);
    tree_clear(&d->tree);
}

static void flip(struct kit *k, enum flat_kind kind, uint32_t file, uint64_t at, uint8_t with)
{
    const struct flat_store *s = &k->ports.files;
    uint8_t byte;
    cr_assert_eq(s->ops->read(s->ctx, kind, file, at, &byte, 1, NULL), RESULT_OK);
    byte ^= with;
    cr_assert_eq(s->ops->write(s->ctx, kind, file, at, span_of(&byte, 1), NULL), RESULT_OK);
}

static void expect_nobody_blamed(const struct kit *k, const struct block_node *but)
{
    for (size_t i = 0; i < k->chain->tree.count; i++) {
        const struct block_node *n = k->chain->tree.nodes[i];
        cr_assert(n == but || !(n->status & BLOCK_ANY_FAILURE));
    }
}

/* Flips every byte of [FROM, FROM + LEN) in turn; the chain's next step must tell, change nothing, and go on once the
 * byte is right again. */
static void check_each_byte(struct damage *d, enum flat_kind kind, const struct block_node *n, uint64_t from,
                            size_t len)
{
    struct kit *k = &d->kit;
    struct block_node *tip = chain_tip(k->chain), *failed = tip->status & BLOCK_FAILED ? tip : NULL;
    for (size_t i = 0; i < len; i++) {
        struct notice notice;
        struct error e = {0};
        flip(k, kind, n->file, from + i, (uint8_t)(1 << i % 8));
        enum result r = chain_step(k->chain, k->now_s, NULL, &notice, &e);
        cr_assert_eq(r, RESULT_CORRUPT, "byte %zu: result %d, notice %d", i, r, notice.kind);
        cr_assert_neq(e.text[0], 0);
        cr_assert_eq(chain_tip(k->chain), tip);
        expect_nobody_blamed(k, failed);
        notice_clear(&notice);
        flip(k, kind, n->file, from + i, (uint8_t)(1 << i % 8));
    }
    coins_check(k->chain->coins);
}

Test(chain_damage, block_to_be_connected)
{
    static struct damage d;
    damage_new(&d, 105);
    struct tree_block *next = tree_mine(&d.tree, d.tip);
    struct block_node *n;
    struct verdict v = {0};
    struct error e = {0};
    bool is_new;
    cr_assert_eq(chain_accept_block(d.kit.chain, next->block, d.kit.now_s, ACCEPT_REQUESTED, NULL, &n, &is_new, &v, &e),
                 RESULT_OK);
    check_each_byte(&d, FLAT_BLOCKS, n, n->data_pos - 8, n->data_len + 8);
    kit_run(&d.kit);
    cr_assert_eq(chain_tip(d.kit.chain), n);
    char hash[65];
    tree_fresh_hash(&d.tree, next, hash);
    kit_expect_hash(&d.kit, hash);
    damage_free(&d);
}

/* A signature or other witness data too: the merkle root says nothing about them. */
Test(chain_damage, witness_bytes)
{
    if (!data_present(CAIRN_TEST_DATA, "chains")) cr_skip_test("no test data");
    static struct kit k;
    kit_new(&k, CHAIN_REGTEST);
    k.chain->options.check_index = false;
    struct buffer file = data_read(CAIRN_TEST_DATA, "chains/regtest-mixed-220.dat.zst");
    struct span left = buffer_span(&file);
    kit_import(&k, left, 210);
    for (int i = 0; i < 210; i++) left = span_from(left, 8 + get_le32(left.data + 4));
    struct block *b = kit_next_block(&left);
    size_t i = 1;
    while (!b->txs[i].has_witness) i++;
    uint64_t in_block = (uint64_t)(b->txs[i].in[0].witness.items[0].data - b->raw.data) + 5;
    struct block_node *n;
    struct verdict v = {0};
    struct error e = {0};
    struct notice notice;
    bool is_new;
    cr_assert_eq(chain_accept_block(k.chain, b, k.now_s, ACCEPT_REQUESTED, NULL, &n, &is_new, &v, &e), RESULT_OK);
    flip(&k, FLAT_BLOCKS, n->file, n->data_pos + in_block, 1);
    cr_assert_eq(chain_step(k.chain, k.now_s, NULL, &notice, &e), RESULT_CORRUPT);
    expect_nobody_blamed(&k, NULL);
    flip(&k, FLAT_BLOCKS, n->file, n->data_pos + in_block, 1);
    kit_run(&k);
    cr_assert_eq(chain_tip(k.chain), n);
    block_free(b);
    buffer_clear(&file);
    kit_free(&k);
}

Test(chain_damage, undo_of_a_block_to_be_taken_back)
{
    static struct damage d;
    damage_new(&d, 105);
    while (d.tip->block->tx_count < 2) tree_feed(&d.kit, d.tip = tree_mine(&d.tree, d.tip));
    struct block_node *tip = chain_tip(d.kit.chain);
    uint64_t size;
    const struct flat_store *s = &d.kit.ports.files;
    cr_assert_eq(s->ops->size(s->ctx, FLAT_UNDO, tip->file, &size, NULL), RESULT_OK);
    chain_invalidate(d.kit.chain, tip);
    check_each_byte(&d, FLAT_UNDO, tip, tip->undo_pos - 8, (size_t)(size - tip->undo_pos) + 8);
    check_each_byte(&d, FLAT_BLOCKS, tip, tip->data_pos - 8, tip->data_len + 8);
    kit_run(&d.kit);
    cr_assert_eq(chain_tip(d.kit.chain), block_node_prev(tip));
    char hash[65];
    tree_fresh_hash(&d.tree, d.tip->prev, hash);
    kit_expect_hash(&d.kit, hash);
    damage_free(&d);
}

Test(chain_damage, files_cut_short)
{
    static struct damage d;
    damage_new(&d, 20);
    struct block_node *tip = chain_tip(d.kit.chain);
    const struct flat_store *s = &d.kit.ports.files;
    cr_assert_eq(s->ops->sync(s->ctx, FLAT_BLOCKS, tip->file, tip->data_pos + 10, true, NULL), RESULT_OK);
    chain_invalidate(d.kit.chain, tip);
    struct notice notice;
    struct error e = {0};
    cr_assert_eq(chain_step(d.kit.chain, d.kit.now_s, NULL, &notice, &e), RESULT_CORRUPT);
    expect_nobody_blamed(&d.kit, tip);
    cr_assert_eq(chain_tip(d.kit.chain), tip);
    damage_free(&d);
}

/* ---- the coins ---- */

/* Puts VALUE (empty: deletes) for the coin of the coinbase at HEIGHT. */
static void damage_coin(struct damage *d, int32_t height, bool delete)
{
    struct outpoint at = outpoint_of(tree_back(d->tip, d->tip->node.height - height)->block, 0, 0);
    const struct kv_store *s = &d->kit.ports.coins;
    uint8_t key[64] = {'C'};
    struct buffer value = {0};
    memcpy(key + 1, at.txid.bytes, 32);
    key[33] = 0;
    cr_assert_eq(s->ops->get(s->ctx, span_of(key, 34), &value, NULL), RESULT_OK);
    value.data[0] ^= 1;
    void *batch = s->ops->batch_new(s->ctx);
    if (delete)
        s->ops->batch_del(batch, span_of(key, 34));
    else
        s->ops->batch_put(batch, span_of(key, 34), buffer_span(&value));
    cr_assert_eq(s->ops->batch_write(s->ctx, batch, true, NULL), RESULT_OK);
    s->ops->batch_free(batch);
    buffer_clear(&value);
}

/* A coin that is not as its block made it stops the reorganisation. The coins in memory are as before: what the block
 * spent is spent, and what it made is there. */
Test(chain_damage, coins_that_do_not_match)
{
    static struct damage d;
    damage_new(&d, 105);
    while (d.tip->block->tx_count < 3) tree_feed(&d.kit, d.tip = tree_mine(&d.tree, d.tip));
    kit_restart(&d.kit);
    damage_coin(&d, d.tip->node.height, true);
    struct block_node *tip = chain_tip(d.kit.chain);
    chain_invalidate(d.kit.chain, tip);
    struct notice notice;
    struct error e = {0};
    cr_assert_eq(chain_step(d.kit.chain, d.kit.now_s, NULL, &notice, &e), RESULT_CORRUPT);
    cr_assert_eq(chain_tip(d.kit.chain), tip);
    expect_nobody_blamed(&d.kit, tip);
    const struct tx *tx = &d.tip->block->txs[d.tip->block->tx_count - 1];
    struct outpoint made = {.txid = tx->txid};
    struct coin coin;
    cr_assert_eq(coins_get(d.kit.chain->coins, &tx->in[0].prevout, &coin, &e), RESULT_NOT_FOUND);
    cr_assert_eq(coins_get(d.kit.chain->coins, &made, &coin, &e), RESULT_OK);
    damage_free(&d);
}

/* ---- chain_verify ---- */

static bool verifies(struct kit *k, int level, int32_t count)
{
    bool ok = false;
    struct error e = {0};
    char before[65];
    kit_utxo_hash(k, before);
    cr_assert_eq(chain_verify(k->chain, level, count, &ok, &e), RESULT_OK, "%s", e.text);
    coins_check(k->chain->coins);
    if (ok) kit_expect_hash(k, before);
    return ok;
}

/* What is damaged is found from level LEVEL on, and not below; nor where the block is not among those looked at. */
static void expect_found_from(struct damage *d, int level)
{
    for (int l = 0; l <= 4; l++) cr_assert_eq(verifies(&d->kit, l, 6), l < level, "level %d", l);
    cr_assert(verifies(&d->kit, 4, 2));
}

Test(chain_verify, finds_nothing_in_a_good_chain)
{
    static struct damage d;
    damage_new(&d, 110);
    for (int level = 0; level <= 4; level++) {
        cr_assert(verifies(&d.kit, level, 6));
        cr_assert(verifies(&d.kit, level, 0));
    }
    damage_free(&d);
}

Test(chain_verify, damaged_block)
{
    static struct damage d;
    damage_new(&d, 110);
    struct block_node *n = chain_at(d.kit.chain, 106);
    flip(&d.kit, FLAT_BLOCKS, n->file, n->data_pos + n->data_len - 5, 1);
    expect_found_from(&d, 0);
    damage_free(&d);
}

/* Level 1: a stored block that breaks a rule of its own. */
Test(chain_verify, bad_block)
{
    static struct damage d;
    damage_new(&d, 110);
    d.kit.chain->params.pow_limit = u256_from_u64(1); /* as if it had been let in by other rules */
    cr_assert(verifies(&d.kit, 0, 6));
    cr_assert_not(verifies(&d.kit, 1, 6));
    damage_free(&d);
}

Test(chain_verify, damaged_undo)
{
    static struct damage d;
    damage_new(&d, 110);
    struct block_node *n = chain_at(d.kit.chain, 106);
    flip(&d.kit, FLAT_UNDO, n->file, n->undo_pos, 1);
    expect_found_from(&d, 2);
    damage_free(&d);
}

Test(chain_verify, damaged_coins)
{
    for (int delete = 0; delete < 2; delete ++) {
        static struct damage d;
        damage_new(&d, 110);
        kit_restart(&d.kit);
        damage_coin(&d, 106, delete);
        /* each level has to meet the damage itself, and none mends it */
        for (int l = 0; l <= 4; l++) {
            static struct kit k;
            bool ok;
            struct error e = {0};
            kit_clone(&k, &d.kit);
            kit_open(&k);
            cr_assert_eq(chain_verify(k.chain, l, 6, &ok, &e), RESULT_OK);
            cr_assert_eq(ok, l < 3, "level %d", l);
            kit_free(&k);
        }
        damage_free(&d);
    }
}

/* Level 4: a block that does not connect under the rules as they are. */
Test(chain_verify, unconnectable_block)
{
    static struct damage d;
    damage_new(&d, 110);
    d.kit.chain->params.halving_interval = 50;
    for (int l = 0; l <= 4; l++) cr_assert_eq(verifies(&d.kit, l, 6), l < 4, "level %d", l);
    damage_free(&d);
}
