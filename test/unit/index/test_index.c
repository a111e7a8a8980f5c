/* The indexes on chains made here: crashes, faults, repeated coinbases, unclaimed rewards, what is not there. */
#include "chain/chain_prune.h"
#include "indexed.h"
#include "support/block_maker.h"

static const struct header_node *tip_of(const struct indexed *x)
{
    return &chain_tip(x->kit.chain)->header;
}

static void grow(struct indexed *x, size_t blocks, uint32_t tag)
{
    while (blocks--) {
        struct block *b = make_empty_block(tip_of(x), &x->kit.params, tag);
        kit_feed_good(&x->kit, b);
        block_free(b);
    }
}

Test(index, follows_the_tip)
{
    static struct indexed x;
    indexed_new(&x, CHAIN_REGTEST);
    struct index_info info;
    for (int32_t h = 0; h < 5; h++) {
        coin_stats_index_info(x.stats, &info);
        cr_assert(info.synced && info.best_height == h);
        cr_assert(block_hash_equal(&info.best_hash, &tip_of(&x)->hash));
        grow(&x, 1, 1);
        indexed_compare(&x);
    }
    indexed_find_all(&x);
    indexed_check_filters(&x);
    indexed_free(&x);
}

Test(index, nothing_yet)
{
    static struct indexed x;
    indexed_new(&x, CHAIN_REGTEST);
    struct txid unknown = {{1}};
    struct block_node *n;
    struct error e = {0};
    struct index_info info;
    cr_assert_eq(tx_index_find(x.txs, &unknown, &n, &e), RESULT_NOT_FOUND);
    indexed_close(&x);
    memory_store_close(&x.tx_store);
    memory_store_open(&x.tx_store, NULL);
    indexed_open(&x);
    tx_index_info(x.txs, &info);
    cr_assert(!info.synced && info.best_height == -1);
    bool synced;
    cr_assert_eq(tx_index_catch_up(x.txs, 1, &synced, &e), RESULT_OK);
    cr_assert(synced);
    indexed_free(&x);
}

/* What gettxoutsetinfo tells apart: a reward not taken, an output that nobody can spend, the genesis coinbase. */
Test(index, unspendable_amounts)
{
    static struct indexed x;
    static const uint8_t op_return[] = {0x6a, 0x01, 0x00};
    indexed_new(&x, CHAIN_REGTEST);
    struct draft d = draft_on(tip_of(&x), &x.kit.params, 1);
    d.coinbase_value -= 1000;
    struct block *first = draft_mine(&d, &x.kit.params);
    kit_feed_good(&x.kit, first);
    grow(&x, 100, 1);
    d = draft_on(tip_of(&x), &x.kit.params, 1);
    struct outpoint from = outpoint_of(first, 0, 0);
    amount_sat value = first->txs[0].out[0].value;
    draft_spend(&d, &from, 1, SEQUENCE_FINAL,
                (struct draft_output[]){{.value = 300, .script = span_of(op_return, 3)}, {.value = value - 500}}, 2);
    d.coinbase_value += 150; /* of the 200 in fees */
    struct block *b = draft_mine(&d, &x.kit.params);
    kit_feed_good(&x.kit, b);
    struct coin_stats s = indexed_stats(&x, chain_height(x.kit.chain));
    cr_assert_eq(s.unspendable_genesis, 50 * COIN_SAT);
    cr_assert_eq(s.unspendable_scripts, 300);
    cr_assert_eq(s.unspendable_unclaimed, 1050);
    cr_assert_eq(s.unspendable_bip30, 0);
    cr_assert_eq(s.unspendable, 50 * COIN_SAT + 1350);
    cr_assert_eq(s.subsidy, 103 * 50 * COIN_SAT);
    cr_assert_eq(s.prevouts_spent.w[0], (uint64_t)value);
    cr_assert_eq(s.new_outputs.w[0], (uint64_t)value - 500);
    cr_assert_eq(s.coinbase.w[0], (uint64_t)(102 * 50 * COIN_SAT - 1000 + 150));
    indexed_compare(&x);
    block_free(first);
    block_free(b);
    indexed_free(&x);
}

/* Before BIP34 a spent coinbase may be made again: the newer one is found, and the older one once that is taken back.
 */
Test(index, repeated_coinbase)
{
    static struct indexed x;
    indexed_new(&x, CHAIN_REGTEST);
    x.kit.params.buried[BURIED_BIP34] = x.kit.chain->params.buried[BURIED_BIP34] = 100000;
    struct draft d = draft_on(tip_of(&x), &x.kit.params, 77);
    struct block *first = draft_mine(&d, &x.kit.params);
    kit_feed_good(&x.kit, first);
    grow(&x, 100, 1);
    d = draft_on(tip_of(&x), &x.kit.params, 1);
    struct outpoint from = outpoint_of(first, 0, 0);
    draft_move(&d, &from, 1000);
    struct block *b = draft_mine(&d, &x.kit.params);
    kit_feed_good(&x.kit, b);
    block_free(b);
    struct block_node *older = chain_at(x.kit.chain, 1), *found;

    d = draft_on(tip_of(&x), &x.kit.params, 77);
    d.coinbase_height = 1;
    d.coinbase_value = first->txs[0].out[0].value;
    b = draft_mine(&d, &x.kit.params);
    cr_assert(txid_equal(&b->txs[0].txid, &first->txs[0].txid));
    kit_feed_good(&x.kit, b);
    struct error e = {0};
    cr_assert_eq(tx_index_find(x.txs, &b->txs[0].txid, &found, &e), RESULT_OK);
    cr_assert_eq(found, chain_tip(x.kit.chain));
    indexed_compare(&x);
    chain_invalidate(x.kit.chain, chain_tip(x.kit.chain));
    kit_run(&x.kit);
    cr_assert_eq(tx_index_find(x.txs, &b->txs[0].txid, &found, &e), RESULT_OK);
    cr_assert_eq(found, older);
    indexed_compare(&x);
    block_free(b);
    block_free(first);
    indexed_free(&x);
}

/* The chain lost its last blocks in a crash and the indexes did not: they start again from an older state. The same
 * where the headers of those blocks are known again, without their data. */
static void check_ahead_of_the_chain(bool headers_known)
{
    static struct indexed x;
    static struct kit old;
    struct block *lost[20];
    indexed_new(&x, CHAIN_REGTEST);
    x.kit.options.check_index = x.kit.chain->options.check_index = false;
    grow(&x, 1005, 1);
    kit_flush(&x.kit);
    kit_clone(&old, &x.kit);
    for (size_t i = 0; i < 20; i++) {
        lost[i] = make_empty_block(tip_of(&x), &x.kit.params, 1);
        kit_feed_good(&x.kit, lost[i]);
    }
    indexed_close(&x);
    kit_free(&x.kit);
    kit_clone(&x.kit, &old); /* the index keeps its stores, the chain has the older ones */
    kit_free(&old);
    kit_open(&x.kit);
    kit_run(&x.kit);
    cr_assert_eq(chain_height(x.kit.chain), 1005);
    struct block_node *n;
    struct verdict v = {0};
    for (size_t i = 0; i < 20 && headers_known; i++)
        cr_assert(chain_accept_header(x.kit.chain, &lost[i]->header, x.kit.now_s, false, &n, &v));
    indexed_open(&x);
    struct index_info info;
    coin_stats_index_info(x.stats, &info);
    cr_assert(!info.synced && info.best_height == (headers_known ? 1025 : 1000));
    grow(&x, 10, 2);
    indexed_catch_up(&x, 4);
    indexed_compare(&x);
    indexed_find_all(&x);
    indexed_check_filters(&x);
    for (size_t i = 0; i < 20; i++) block_free(lost[i]);
    indexed_free(&x);
}

Test(index, ahead_of_the_chain)
{
    check_ahead_of_the_chain(false);
    check_ahead_of_the_chain(true);
}

/* A write that fails leaves the index at the block before; a later try goes on from there. */
Test(index, dead_disk)
{
    for (int torn = 0; torn < 2; torn++) {
        static struct indexed x;
        static struct memory_fault fault;
        fault = (struct memory_fault){.result = RESULT_FULL, .apply_torn = torn};
        indexed_new(&x, CHAIN_REGTEST);
        indexed_close(&x);
        memory_store_close(&x.stats_store);
        memory_store_open(&x.stats_store, &fault);
        indexed_open(&x);
        grow(&x, 20, 1);
        fault.fail_after = 8;
        struct error e = {0};
        bool synced;
        cr_assert_eq(coin_stats_index_catch_up(x.stats, 100, &synced, &e), RESULT_FULL);
        fault.fail_after = 0;
        struct index_info info;
        coin_stats_index_info(x.stats, &info);
        cr_assert(!info.synced && info.best_height == 6);
        if (torn) {
            indexed_close(&x);
            indexed_open(&x);
            coin_stats_index_info(x.stats, &info);
            cr_assert_eq(info.best_height, 7, "the batch was on disk");
        }
        indexed_catch_up(&x, 3);
        indexed_compare(&x);
        indexed_free(&x);
    }
}

/* Records that say something else than the state: refused, not believed. */
Test(index, damaged_store)
{
    static struct indexed x;
    indexed_new(&x, CHAIN_REGTEST);
    grow(&x, 3, 1);
    indexed_close(&x);
    uint8_t key[37] = {'s', 0, 0, 0, 3};
    memcpy(key + 5, tip_of(&x)->hash.bytes, 32);
    const struct kv_ops *ops = x.stats_store.ops;
    struct buffer value = {0};
    cr_assert_eq(ops->get(x.stats_store.ctx, span_of(key, sizeof(key)), &value, NULL), RESULT_OK);
    value.data[0] ^= 1;
    void *batch = ops->batch_new(x.stats_store.ctx);
    ops->batch_put(batch, span_of(key, sizeof(key)), buffer_span(&value));
    cr_assert_eq(ops->batch_write(x.stats_store.ctx, batch, true, NULL), RESULT_OK);
    ops->batch_free(batch);
    buffer_clear(&value);
    struct error e = {0};
    struct coin_stats_index *stats;
    cr_assert_eq(coin_stats_index_open(&stats, x.stats_store, x.kit.chain, NULL, &e), RESULT_CORRUPT);
    cr_assert_null(stats);
    indexed_free(&x);
}

/* A filter is checked against its hash before anybody gets it, and the best one's header against the state. */
Test(index, damaged_filters)
{
    static struct indexed x;
    static const char kinds[] = {'f', 'h'};
    indexed_new(&x, CHAIN_REGTEST);
    grow(&x, 3, 1);
    struct block_node *tip = chain_tip(x.kit.chain);
    const struct kv_ops *ops = x.filter_store.ops;
    struct error e = {0};
    struct buffer value = {0};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        uint8_t key[37] = {(uint8_t)kinds[i], 0, 0, 0, 3};
        memcpy(key + 5, tip->header.hash.bytes, 32);
        cr_assert_eq(ops->get(x.filter_store.ctx, span_of(key, sizeof(key)), &value, NULL), RESULT_OK);
        value.data[value.len - 1] ^= 1;
        void *batch = ops->batch_new(x.filter_store.ctx);
        ops->batch_put(batch, span_of(key, sizeof(key)), buffer_span(&value));
        cr_assert_eq(ops->batch_write(x.filter_store.ctx, batch, true, NULL), RESULT_OK);
        ops->batch_free(batch);
        cr_assert_eq(filter_index_read(x.filters, tip, &value, &e), RESULT_CORRUPT);
    }
    cr_assert_eq(filter_index_read(x.filters, block_node_prev(tip), &value, &e), RESULT_OK);
    indexed_close(&x);
    cr_assert_eq(filter_index_open(&x.filters, x.filter_store, x.kit.chain, NULL, &e), RESULT_CORRUPT);
    cr_assert_null(x.filters);
    buffer_clear(&value);
    indexed_free(&x);
}

/* Filters of blocks that left the chain can still be had, those of blocks that never joined it not. */
Test(index, filters_of_stale_blocks)
{
    static struct indexed x;
    indexed_new(&x, CHAIN_REGTEST);
    grow(&x, 3, 1);
    struct block_node *stale = chain_tip(x.kit.chain);
    struct filter_record before, after, other;
    struct error e = {0};
    struct buffer filter = {0};
    cr_assert_eq(filter_index_get(x.filters, stale, &before, &e), RESULT_OK);
    chain_invalidate(x.kit.chain, stale);
    kit_run(&x.kit);
    grow(&x, 2, 2);
    indexed_check_filters(&x);
    cr_assert_eq(filter_index_get(x.filters, stale, &after, &e), RESULT_OK);
    cr_assert_arr_eq(before.header, after.header, 32);
    cr_assert_eq(filter_index_read(x.filters, stale, &filter, &e), RESULT_OK);
    cr_assert_eq(filter_index_get(x.filters, chain_at(x.kit.chain, 3), &other, &e), RESULT_OK);
    cr_assert_arr_neq(other.header, after.header, 32);
    struct block_node never = *chain_tip(x.kit.chain);
    never.header.hash.bytes[0] ^= 1;
    cr_assert_eq(filter_index_get(x.filters, &never, &after, &e), RESULT_NOT_FOUND);
    cr_assert_eq(filter_index_read(x.filters, &never, &filter, &e), RESULT_NOT_FOUND);
    buffer_clear(&filter);
    indexed_free(&x);
}

/* The scan sees the coins as they were when it began. */
Test(index, scan_is_a_snapshot)
{
    static struct indexed x;
    indexed_new(&x, CHAIN_REGTEST);
    grow(&x, 10, 1);
    struct coin_scan_result before = indexed_scan(&x, COIN_HASH_SERIALIZED_3, 1), after;
    struct coin_scan *scan = coin_scan_new(x.kit.chain, COIN_HASH_SERIALIZED_3);
    struct error e = {0};
    bool done;
    cr_assert_eq(coin_scan_step(scan, 3, &done, &after, &e), RESULT_OK);
    cr_assert_not(done);
    grow(&x, 10, 2);
    kit_flush(&x.kit);
    while (!done) cr_assert_eq(coin_scan_step(scan, 3, &done, &after, &e), RESULT_OK);
    cr_assert_eq(after.txouts, 10);
    cr_assert_arr_eq(before.hash, after.hash, 32);
    coin_scan_free(scan);
    indexed_free(&x);
}

/* A chain that moved while the index was not looking: what it says of a block that is gone is not believed. */
Test(index, lags_behind_a_reorganisation)
{
    static struct indexed x;
    indexed_new(&x, CHAIN_REGTEST);
    grow(&x, 3, 1);
    struct block *b = make_empty_block(tip_of(&x), &x.kit.params, 1);
    kit_feed_good(&x.kit, b);
    struct block_node *found;
    struct error e = {0};
    cr_assert_eq(tx_index_find(x.txs, &b->txs[0].txid, &found, &e), RESULT_OK);
    x.kit.on_notice = NULL;
    chain_invalidate(x.kit.chain, chain_tip(x.kit.chain));
    kit_run(&x.kit);
    cr_assert_eq(tx_index_find(x.txs, &b->txs[0].txid, &found, &e), RESULT_NOT_FOUND);
    grow(&x, 2, 2);
    cr_assert_eq(tx_index_find(x.txs, &b->txs[0].txid, &found, &e), RESULT_NOT_FOUND);
    block_free(b);
    indexed_free(&x);
}

/* Mainnet's block 91722, whose coinbase a later one overwrote, put on genesis: its outputs never count. */
Test(index, overwritten_coinbase)
{
    static struct indexed x;
    indexed_new(&x, CHAIN_REGTEST);
    x.kit.chain->params.halving_interval = 210000;
    struct coin_stats before = indexed_stats(&x, 0), s;
    struct block *b = make_empty_block(tip_of(&x), &x.kit.params, 1);
    struct block_node node = {.header = {.prev = tip_of(&x), .height = 91722}};
    cr_assert(block_hash_parse(&node.header.hash, "00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e"));
    struct error e = {0};
    struct notice notice = {.kind = NOTICE_CONNECTED, .node = &node, .block = b};
    cr_assert_eq(coin_stats_index_on_notice(x.stats, &notice, &e), RESULT_OK, "%s", e.text);
    cr_assert_eq(coin_stats_index_get(x.stats, &node, &s, &e), RESULT_OK);
    cr_assert_eq(s.unspendable_bip30, 50 * COIN_SAT);
    cr_assert(s.txouts == 0 && s.total_amount == 0 && s.unspendable_unclaimed == 0);
    cr_assert_arr_eq(s.muhash, before.muhash, 32);
    notice.kind = NOTICE_DISCONNECTED;
    cr_assert_eq(coin_stats_index_on_notice(x.stats, &notice, &e), RESULT_OK, "%s", e.text);
    block_free(b);
    indexed_free(&x);
}

/* ---- pruned chains ---- */

static void pruned_new(struct indexed *x, size_t blocks)
{
    indexed_new(x, CHAIN_REGTEST);
    x->kit.options.prune_target = x->kit.chain->options.prune_target = PRUNE_MANUALLY;
    x->kit.options.max_file_bytes = x->kit.chain->options.max_file_bytes = 1; /* a file a block */
    grow(x, blocks, 1);
}

static void prune_to(struct indexed *x, int32_t height, int32_t expected)
{
    struct error e = {0};
    cr_assert_eq(chain_prune_to(x->kit.chain, height, &e), RESULT_OK, "%s", e.text);
    cr_assert_eq(chain_prune_height(x->kit.chain), expected);
}

/* What an index has not read stays; after it has, it is pruned up to 11 blocks below. */
Test(index, keeps_what_it_has_yet_to_read)
{
    static struct indexed x;
    struct error e = {0};
    bool synced;
    pruned_new(&x, 340);
    indexed_close(&x);
    memory_store_close(&x.stats_store);
    memory_store_open(&x.stats_store, NULL);
    indexed_open(&x); /* one stands at the tip, the other begins anew */
    prune_to(&x, 50, -1);
    cr_assert(x.kit.chain->active[0]->status & BLOCK_HAVE_DATA, "it begins with genesis");
    cr_assert_eq(coin_stats_index_catch_up(x.stats, 31, &synced, &e), RESULT_OK);
    struct index_info info;
    coin_stats_index_info(x.stats, &info);
    cr_assert_eq(info.best_height, 30);
    prune_to(&x, 50, 30 - 11);
    coin_stats_index_info(x.stats, &info);
    cr_assert(!info.data_pruned && info.wants_undo);
    indexed_catch_up(&x, 50);
    prune_to(&x, 50, 50);
    indexed_compare(&x);
    indexed_free(&x);
}

/* An index that was off while blocks were pruned that it needs cannot go on; at the edge it can. */
Test(index, cannot_go_on_without_its_blocks)
{
    static struct indexed x;
    struct index_info info;
    for (int32_t lost = 40; lost <= 41; lost++) {
        pruned_new(&x, 41);
        indexed_close(&x);
        x.kit.on_notice = NULL;
        for (size_t i = 0; i < PRUNE_LOCKS; i++)
            if (x.kit.chain->prune_locks[i].name) chain_prune_unlock(x.kit.chain, x.kit.chain->prune_locks[i].name);
        grow(&x, 300, 1);
        prune_to(&x, lost, lost);
        indexed_open(&x); /* both stand at block 41 */
        bool enough = lost == 40;
        coin_stats_index_info(x.stats, &info);
        cr_assert_eq(info.data_pruned, !enough);
        tx_index_info(x.txs, &info);
        cr_assert_eq(info.data_pruned, !enough);
        cr_assert(!info.wants_undo);
        if (enough) {
            indexed_catch_up(&x, 50);
            coin_stats_index_info(x.stats, &info);
            cr_assert(info.synced && !info.data_pruned);
            indexed_compare(&x);
        }
        indexed_free(&x);
    }
}
