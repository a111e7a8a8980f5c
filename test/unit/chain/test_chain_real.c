/* Real chains through the state machine, every script run: tip, work and coins as Bitcoin Core has them. */
#include "support/chain_kit.h"

#define SKIP_WITHOUT_DATA()                                                                                            \
    if (!data_present(CAIRN_TEST_DATA, "chains")) cr_skip_test("no test data")

static void expect_tip(struct kit *k, int32_t height, const char *hash)
{
    char text[HASH_TEXT];
    cr_assert_eq(chain_height(k->chain), height);
    cr_assert_str_eq(block_hash_text(text, &chain_tip(k->chain)->header.hash), hash);
}

static void import_named(struct kit *k, const char *name)
{
    struct buffer file = data_read(CAIRN_TEST_DATA, name);
    kit_import(k, buffer_span(&file), SIZE_MAX);
    buffer_clear(&file);
}

static void expect_as_core_says(struct kit *k, const char *name)
{
    json_t *all = data_json(CAIRN_TEST_DATA, "blocks/expected.json");
    const json_t *tip = json_object_get(json_object_get(all, name), "tip");
    char work[65];
    expect_tip(k, (int32_t)json_integer_value(json_object_get(tip, "blocks")),
               json_string_value(json_object_get(tip, "bestblockhash")));
    u256_to_hex(work, chain_tip(k->chain)->header.chainwork);
    cr_assert_str_eq(work, json_string_value(json_object_get(tip, "chainwork")));
    cr_assert_eq(header_median_time(&chain_tip(k->chain)->header),
                 json_integer_value(json_object_get(tip, "mediantime")));
    kit_expect_hash(k, json_string_value(json_object_get(json_object_get(tip, "utxo_set"), "hash_serialized_3")));
    json_decref(all);
}

static void check_chain(const char *name, const char *file, enum chain_type type, uint64_t cache_bytes)
{
    static struct kit k;
    kit_prepare(&k, type);
    k.options.check_index = false;
    k.options.cache_bytes = cache_bytes;
    kit_stores(&k);
    kit_open(&k);
    kit_run(&k);
    import_named(&k, file);
    expect_as_core_says(&k, name);
    cr_assert_eq(k.chain->blocks_connected, (uint64_t)chain_height(k.chain) + 1);
    kit_restart(&k);
    kit_run(&k);
    expect_as_core_says(&k, name);
    bool ok;
    struct error e = {0};
    cr_assert_eq(chain_verify(k.chain, 4, 100, &ok, &e), RESULT_OK, "%s", e.text);
    cr_assert(ok);
    expect_as_core_says(&k, name);
    kit_free(&k);
}

Test(chain_real, mainnet)
{
    SKIP_WITHOUT_DATA();
    check_chain("mainnet-0-599", "blocks/mainnet-0-599.dat", CHAIN_MAIN, 64 << 20);
}

/* A cache of nothing: every block is flushed. */
Test(chain_real, mainnet_without_cache)
{
    SKIP_WITHOUT_DATA();
    check_chain("mainnet-0-599", "blocks/mainnet-0-599.dat", CHAIN_MAIN, 0);
}

Test(chain_real, mainnet_alternative)
{
    SKIP_WITHOUT_DATA();
    check_chain("mainnet-alt-0-2016", "blocks/mainnet-alt-0-2016.dat", CHAIN_MAIN, 64 << 20);
}

Test(chain_real, testnet3, .timeout = 300)
{
    SKIP_WITHOUT_DATA();
    check_chain("testnet3-0-4000", "blocks/testnet3-0-4000.dat", CHAIN_TESTNET3, 64 << 20);
}

Test(chain_real, signet)
{
    SKIP_WITHOUT_DATA();
    check_chain("signet-0-10", "blocks/signet-0-10.dat", CHAIN_SIGNET, 64 << 20);
}

/* All standard scripts, checked on three threads. */
Test(chain_real, regtest_mixed, .timeout = 300)
{
    SKIP_WITHOUT_DATA();
    static struct kit k;
    kit_prepare(&k, CHAIN_REGTEST);
    kit_stores(&k);
    thread_pool_open(&k.ports.workers, 3);
    kit_open(&k);
    kit_run(&k);
    import_named(&k, "chains/regtest-mixed-220.dat.zst");
    expect_tip(&k, 220, "1776bcc750eb9c6591a70d64e37f4dd36ea831d8ed1de49b427fe034349d15d5");
    kit_expect_hash(&k, "7cde504494b1c8dfa13905496db274994a6a2ddc96dc3500e94ce98aead82fc2");
    cr_assert_eq(k.chain->inputs_connected, 13709);
    struct workers pool = k.chain->ports.workers;
    kit_free(&k);
    thread_pool_close(&pool);
}

Test(chain_real, whole_chain_replaced, .timeout = 300)
{
    SKIP_WITHOUT_DATA();
    static struct kit k;
    kit_new(&k, CHAIN_MAIN);
    k.chain->options.check_index = false;
    import_named(&k, "blocks/mainnet-0-599.dat");
    import_named(&k, "blocks/mainnet-alt-0-2016.dat");
    cr_assert_eq(k.disconnected, 599);
    expect_as_core_says(&k, "mainnet-alt-0-2016");
    struct block_hash hash;
    cr_assert(block_hash_parse(&hash, "0000000042844571bc6bce8e1c0fbec99466971eaff89fef8c0d123582181d4d"));
    struct block_node *old = chain_find(k.chain, &hash);
    cr_assert(old && !chain_contains(k.chain, old));
    /* and back by the user's will */
    chain_invalidate(k.chain, chain_at(k.chain, 1));
    kit_run(&k);
    expect_as_core_says(&k, "mainnet-0-599");
    chain_check_index(k.chain);
    kit_free(&k);
}

/* The same blocks in reverse order: headers first, then data from the tip down to the first. */
Test(chain_real, data_from_the_tip_down)
{
    SKIP_WITHOUT_DATA();
    static struct kit k;
    kit_new(&k, CHAIN_MAIN);
    struct buffer file = data_read(CAIRN_TEST_DATA, "blocks/mainnet-0-599.dat");
    struct span left = buffer_span(&file);
    struct block *blocks[600];
    for (size_t i = 0; i < 600; i++) {
        struct block_node *n;
        struct verdict v = {0};
        cr_assert_not_null(blocks[i] = kit_next_block(&left));
        cr_assert(chain_accept_header(k.chain, &blocks[i]->header, k.now_s, false, &n, &v), "%s", v.reason);
    }
    for (size_t i = 600; i-- > 1;) {
        cr_assert_eq(chain_height(k.chain), 0);
        kit_feed_good(&k, blocks[i]);
    }
    expect_as_core_says(&k, "mainnet-0-599");
    for (size_t i = 0; i < 600; i++) block_free(blocks[i]);
    buffer_clear(&file);
    kit_free(&k);
}
