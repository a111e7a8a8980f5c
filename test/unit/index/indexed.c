/* A chain with its indexes. */
#include "indexed.h"

#include "index/block_filter.h"

static void take_notice(void *arg, const struct notice *notice)
{
    struct indexed *x = arg;
    struct error e = {0};
    if (!x->txs) return;
    cr_assert_eq(tx_index_on_notice(x->txs, notice, &e), RESULT_OK, "%s", e.text);
    cr_assert_eq(coin_stats_index_on_notice(x->stats, notice, &e), RESULT_OK, "%s", e.text);
    cr_assert_eq(filter_index_on_notice(x->filters, notice, &e), RESULT_OK, "%s", e.text);
}

void indexed_open(struct indexed *x)
{
    struct error e = {0};
    struct chain *c = x->kit.chain;
    cr_assert_eq(tx_index_open(&x->txs, x->tx_store, c, NULL, &e), RESULT_OK, "%s", e.text);
    cr_assert_eq(coin_stats_index_open(&x->stats, x->stats_store, c, NULL, &e), RESULT_OK, "%s", e.text);
    cr_assert_eq(filter_index_open(&x->filters, x->filter_store, c, NULL, &e), RESULT_OK, "%s", e.text);
}

void indexed_new(struct indexed *x, enum chain_type type)
{
    *x = (struct indexed){0};
    kit_prepare(&x->kit, type);
    x->kit.options.check_index = type == CHAIN_REGTEST; /* too slow for thousands of blocks */
    kit_stores(&x->kit);
    kit_open(&x->kit);
    memory_store_open(&x->tx_store, NULL);
    memory_store_open(&x->stats_store, NULL);
    memory_store_open(&x->filter_store, NULL);
    x->kit.on_notice = take_notice;
    x->kit.arg = x;
    indexed_open(x);
    kit_run(&x->kit);
}

void indexed_close(struct indexed *x)
{
    tx_index_free(x->txs);
    coin_stats_index_free(x->stats);
    filter_index_free(x->filters);
    x->txs = NULL;
    x->stats = NULL;
    x->filters = NULL;
}

void indexed_free(struct indexed *x)
{
    indexed_close(x);
    memory_store_close(&x->tx_store);
    memory_store_close(&x->stats_store);
    memory_store_close(&x->filter_store);
    kit_free(&x->kit);
}

size_t indexed_catch_up(struct indexed *x, unsigned slice)
{
    bool tx_synced = false, stats_synced = false, filters_synced = false;
    struct error e = {0};
    size_t slices = 0;
    for (; !tx_synced || !stats_synced || !filters_synced; slices++) {
        cr_assert_eq(tx_index_catch_up(x->txs, slice, &tx_synced, &e), RESULT_OK, "%s", e.text);
        cr_assert_eq(coin_stats_index_catch_up(x->stats, slice, &stats_synced, &e), RESULT_OK, "%s", e.text);
        cr_assert_eq(filter_index_catch_up(x->filters, slice, &filters_synced, &e), RESULT_OK, "%s", e.text);
        cr_assert_lt(slices, 1000000);
    }
    return slices;
}

struct coin_stats indexed_stats(struct indexed *x, int32_t height)
{
    struct coin_stats s;
    struct error e = {0};
    const struct block_node *n = chain_at(x->kit.chain, height);
    cr_assert_not_null(n);
    cr_assert_eq(coin_stats_index_get(x->stats, n, &s, &e), RESULT_OK, "%s at %d", e.text, height);
    return s;
}

struct coin_scan_result indexed_scan(struct indexed *x, enum coin_hash hash, unsigned coins)
{
    struct coin_scan_result result = {0};
    struct error e = {0};
    bool done = false;
    kit_flush(&x->kit);
    struct coin_scan *scan = coin_scan_new(x->kit.chain, hash);
    while (!done) cr_assert_eq(coin_scan_step(scan, coins, &done, &result, &e), RESULT_OK, "%s", e.text);
    coin_scan_free(scan);
    return result;
}

void indexed_compare(struct indexed *x)
{
    struct coin_stats s = indexed_stats(x, chain_height(x->kit.chain));
    struct coin_scan_result r = indexed_scan(x, COIN_HASH_MUHASH, 1000);
    cr_assert_eq(s.txouts, r.txouts);
    cr_assert_eq(s.bogosize, r.bogosize);
    cr_assert_eq(s.total_amount, r.total_amount);
    cr_assert_arr_eq(s.muhash, r.hash, 32);
    cr_assert_eq(s.subsidy, s.total_amount + s.unspendable);
}

void indexed_find_all(struct indexed *x)
{
    struct error e = {0};
    for (int32_t h = 0; h <= chain_height(x->kit.chain); h++) {
        struct block *b;
        struct block_node *found;
        cr_assert_eq(chain_read_block(x->kit.chain, chain_at(x->kit.chain, h), &b, &e), RESULT_OK, "%s", e.text);
        for (size_t i = 0; i < b->tx_count; i++) {
            enum result r = tx_index_find(x->txs, &b->txs[i].txid, &found, &e);
            cr_assert_eq(r, h ? RESULT_OK : RESULT_NOT_FOUND, "height %d, transaction %zu", h, i);
            cr_assert(!h || found == chain_at(x->kit.chain, h));
        }
        block_free(b);
    }
}

void indexed_check_filters(struct indexed *x)
{
    struct error e = {0};
    struct buffer stored = {0};
    uint8_t header[32] = {0};
    for (int32_t h = 0; h <= chain_height(x->kit.chain); h++) {
        struct block_node *n = chain_at(x->kit.chain, h);
        struct block *b;
        struct undo undo = {0};
        struct buffer filter = {0};
        struct filter_record record;
        cr_assert_eq(chain_read_block(x->kit.chain, n, &b, &e), RESULT_OK, "%s", e.text);
        cr_assert_eq(chain_read_undo(x->kit.chain, n, b, &undo, &e), RESULT_OK, "%s", e.text);
        block_filter_write(&filter, b, &undo);
        cr_assert_eq(filter_index_read(x->filters, n, &stored, &e), RESULT_OK, "height %d: %s", h, e.text);
        cr_assert(span_equal(buffer_span(&stored), buffer_span(&filter)));
        cr_assert_eq(filter_index_get(x->filters, n, &record, &e), RESULT_OK, "%s", e.text);
        block_filter_header(header, record.hash, header);
        cr_assert_arr_eq(record.header, header, 32);
        buffer_clear(&filter);
        undo_clear(&undo);
        block_free(b);
    }
    buffer_clear(&stored);
}

void expect_hash(const uint8_t hash[32], const char *display)
{
    char text[65];
    hex_encode_reversed(text, hash, 32);
    cr_assert_str_eq(text, display);
}
