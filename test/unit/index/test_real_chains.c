/* The indexes and the scan against what Bitcoin Core says of the same chains, block by block, back and forth. */
#include "indexed.h"

#define SKIP_WITHOUT_DATA()                                                                                            \
    if (!data_present(CAIRN_TEST_DATA, "chains")) cr_skip_test("no test data")

static const char *text_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    cr_assert_not_null(text, "%s", name);
    return text;
}

static int64_t number_of(const json_t *row, const char *name)
{
    const json_t *v = json_object_get(row, name);
    cr_assert(json_is_integer(v), "%s", name);
    return json_integer_value(v);
}

/* The same for what cannot be negative. */
static uint64_t count_of(const json_t *row, const char *name)
{
    cr_assert_geq(number_of(row, name), 0);
    return (uint64_t)number_of(row, name);
}

static void check_filter(struct indexed *x, const json_t *row)
{
    const struct block_node *n = chain_at(x->kit.chain, (int32_t)number_of(row, "height"));
    struct error e = {0};
    struct buffer filter = {0}, hex = {0};
    struct filter_record record;
    cr_assert_eq(filter_index_read(x->filters, n, &filter, &e), RESULT_OK, "%s", e.text);
    cr_assert_eq(filter_index_get(x->filters, n, &record, &e), RESULT_OK, "%s", e.text);
    hex_encode((char *)buffer_extend(&hex, 2 * filter.len + 1), filter.data, filter.len);
    cr_assert_str_eq((const char *)hex.data, text_of(row, "basic_filter"));
    expect_hash(record.header, text_of(row, "basic_filter_header"));
    buffer_clear(&filter);
    buffer_clear(&hex);
}

static void check_heights(struct indexed *x, const json_t *chain)
{
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(chain, "at_height"), i, row)
    {
        struct coin_stats s = indexed_stats(x, (int32_t)number_of(row, "height"));
        cr_assert_eq(s.txouts, count_of(row, "txouts"));
        cr_assert_eq(s.bogosize, count_of(row, "bogosize"));
        cr_assert_eq(s.total_amount, number_of(row, "total_amount"));
        cr_assert_eq(s.unspendable, number_of(row, "total_unspendable_amount"));
        expect_hash(s.muhash, text_of(row, "muhash"));
        check_filter(x, row);
    }
    cr_assert_gt(i, 0);
}

static void check_tip(struct indexed *x, const json_t *tip)
{
    const json_t *set = json_object_get(tip, "utxo_set");
    char hash[HASH_TEXT], work[65];
    const struct block_node *n = chain_tip(x->kit.chain);
    cr_assert_str_eq(block_hash_text(hash, &n->header.hash), text_of(tip, "bestblockhash"));
    u256_to_hex(work, n->header.chainwork);
    cr_assert_str_eq(work, text_of(tip, "chainwork"));
    const enum coin_hash kinds[] = {COIN_HASH_SERIALIZED_3, COIN_HASH_NONE};
    for (size_t i = 0; i < 2; i++) {
        struct coin_scan_result r = indexed_scan(x, kinds[i], i ? 7 : 100000);
        cr_assert_eq(r.transactions, count_of(set, "transactions"));
        cr_assert_eq(r.txouts, count_of(set, "txouts"));
        cr_assert_eq(r.bogosize, count_of(set, "bogosize"));
        cr_assert_eq(r.total_amount, number_of(set, "total_amount"));
        if (i == 0) expect_hash(r.hash, text_of(set, "hash_serialized_3"));
    }
    indexed_compare(x);
}

static void import_file(struct indexed *x, const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "blocks/%s.dat", name);
    struct buffer file = data_read(CAIRN_TEST_DATA, path);
    kit_import(&x->kit, buffer_span(&file), SIZE_MAX);
    buffer_clear(&file);
}

static void check_chain(const char *name, enum chain_type type)
{
    static struct indexed x;
    json_t *all = data_json(CAIRN_TEST_DATA, "blocks/expected.json");
    const json_t *expected = json_object_get(all, name);
    indexed_new(&x, type);
    import_file(&x, name);
    check_heights(&x, expected);
    check_tip(&x, json_object_get(expected, "tip"));
    indexed_find_all(&x);
    indexed_check_filters(&x);
    indexed_free(&x);
    json_decref(all);
}

Test(index_chains, mainnet)
{
    SKIP_WITHOUT_DATA();
    check_chain("mainnet-0-599", CHAIN_MAIN);
}

Test(index_chains, mainnet_alternative)
{
    SKIP_WITHOUT_DATA();
    check_chain("mainnet-alt-0-2016", CHAIN_MAIN);
}

Test(index_chains, testnet3, .timeout = 300)
{
    SKIP_WITHOUT_DATA();
    check_chain("testnet3-0-4000", CHAIN_TESTNET3);
}

Test(index_chains, signet)
{
    SKIP_WITHOUT_DATA();
    check_chain("signet-0-10", CHAIN_SIGNET);
}

/* 6,685 transactions with every standard script; the indexes catch up afterwards in slices. */
Test(index_chains, regtest_mixed, .timeout = 300)
{
    SKIP_WITHOUT_DATA();
    static struct indexed x;
    indexed_new(&x, CHAIN_REGTEST);
    indexed_close(&x);
    struct buffer file = data_read(CAIRN_TEST_DATA, "chains/regtest-mixed-220.dat.zst");
    kit_import(&x.kit, buffer_span(&file), SIZE_MAX);
    buffer_clear(&file);
    indexed_open(&x);
    cr_assert_eq(indexed_catch_up(&x, 50), 5);
    json_t *all = data_json(CAIRN_TEST_DATA, "chains/expected.json");
    const json_t *set = json_object_get(json_object_get(all, "regtest-mixed-220.dat"), "gettxoutsetinfo");
    struct coin_scan_result r = indexed_scan(&x, COIN_HASH_SERIALIZED_3, 999);
    expect_hash(r.hash, text_of(set, "hash_serialized_3"));
    cr_assert_eq(r.transactions, count_of(set, "transactions"));
    struct coin_stats s = indexed_stats(&x, 220);
    expect_hash(s.muhash, text_of(set, "muhash"));
    cr_assert_eq(s.txouts, count_of(set, "txouts"));
    cr_assert_eq(s.bogosize, count_of(set, "bogosize"));
    cr_assert_eq(s.total_amount, 9225 * COIN_SAT);
    indexed_compare(&x);
    indexed_find_all(&x);
    indexed_check_filters(&x);
    json_decref(all);
    indexed_free(&x);
}

/* 599 blocks go, 2016 come: everything is as if the second chain had come alone, and the first one's numbers can still
 * be asked for. */
Test(index_chains, whole_chain_replaced, .timeout = 300)
{
    SKIP_WITHOUT_DATA();
    static struct indexed x;
    json_t *all = data_json(CAIRN_TEST_DATA, "blocks/expected.json");
    const json_t *first = json_object_get(all, "mainnet-0-599"), *second = json_object_get(all, "mainnet-alt-0-2016");
    indexed_new(&x, CHAIN_MAIN);
    import_file(&x, "mainnet-0-599");
    struct block_node *left = chain_tip(x.kit.chain);
    import_file(&x, "mainnet-alt-0-2016");
    cr_assert_eq(x.kit.disconnected, 599);
    check_heights(&x, second);
    check_tip(&x, json_object_get(second, "tip"));
    indexed_find_all(&x);
    indexed_check_filters(&x);

    struct coin_stats s;
    struct error e = {0};
    struct block_node *found;
    struct txid payment;
    cr_assert_eq(coin_stats_index_get(x.stats, left, &s, &e), RESULT_OK);
    cr_assert_eq(s.total_amount, number_of(json_object_get(json_object_get(first, "tip"), "utxo_set"), "total_amount"));
    struct filter_record record;
    cr_assert_eq(filter_index_get(x.filters, left, &record, &e), RESULT_OK, "%s", e.text);
    cr_assert(txid_parse(&payment, "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"));
    cr_assert_eq(tx_index_find(x.txs, &payment, &found, &e), RESULT_NOT_FOUND);
    json_decref(all);
    indexed_free(&x);
}

/* The chain is replaced while the indexes are away: they take back and catch up, in slices that stop anywhere. */
Test(index_chains, replaced_while_closed, .timeout = 300)
{
    SKIP_WITHOUT_DATA();
    static struct indexed x;
    json_t *all = data_json(CAIRN_TEST_DATA, "blocks/expected.json");
    const json_t *second = json_object_get(all, "mainnet-alt-0-2016");
    indexed_new(&x, CHAIN_MAIN);
    import_file(&x, "mainnet-0-599");
    indexed_close(&x);
    import_file(&x, "mainnet-alt-0-2016");
    indexed_open(&x);
    struct index_info info;
    tx_index_info(x.txs, &info);
    cr_assert_not(info.synced);
    cr_assert_eq(info.best_height, 599);
    for (bool synced = false; !synced;) {
        struct error e = {0};
        cr_assert_eq(coin_stats_index_catch_up(x.stats, 101, &synced, &e), RESULT_OK, "%s", e.text);
        cr_assert_eq(filter_index_catch_up(x.filters, 101, &synced, &e), RESULT_OK, "%s", e.text);
        cr_assert_eq(tx_index_catch_up(x.txs, 101, &synced, &e), RESULT_OK, "%s", e.text);
        indexed_close(&x); /* as a crash would: nothing is written on the way */
        indexed_open(&x);
    }
    coin_stats_index_info(x.stats, &info);
    cr_assert(info.synced && info.best_height == 2016);
    check_heights(&x, second);
    check_tip(&x, json_object_get(second, "tip"));
    indexed_find_all(&x);
    indexed_check_filters(&x);
    json_decref(all);
    indexed_free(&x);
}
