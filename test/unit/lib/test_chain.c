/* The public chain, through include/cairn/chain.h alone: real blocks in, the tip and the coins out. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cairn/chain.h"
#include "support/data.h"

/* The blocks of one .dat file, which is a block file by another name. */
struct source {
    char folder[32];
    struct cairn_block_files *files;
};

static struct source open_source(const char *name, const char *network)
{
    struct source s = {.folder = "/tmp/cairn-source-XXXXXX"};
    cr_assert_not_null(mkdtemp(s.folder));
    struct buffer raw = data_read(CAIRN_TEST_DATA, name);
    char path[64];
    snprintf(path, sizeof path, "%s/blk00000.dat", s.folder);
    FILE *f = fopen(path, "wb");
    cr_assert_eq(fwrite(raw.data, 1, raw.len, f), raw.len);
    fclose(f);
    buffer_clear(&raw);
    s.files = cairn_block_files_open(s.folder, network);
    cr_assert_not_null(s.files);
    return s;
}

static void remove_tree(const char *folder)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    cr_assert_eq(system(command), 0);
}

static void close_source(struct source *s)
{
    cairn_block_files_free(s->files);
    remove_tree(s->folder);
}

/* Processes every block of a data file; returns how many were new. */
static size_t feed(struct cairn_chain *chain, const char *name, const char *network)
{
    struct source s = open_source(name, network);
    size_t accepted = 0;
    for (struct cairn_block *b; (b = cairn_block_files_next(s.files));) {
        struct cairn_verdict verdict;
        struct cairn_error error = {""};
        enum cairn_process_status status = cairn_chain_process(chain, b, &verdict, &error);
        cr_assert(status == CAIRN_PROCESS_ACCEPTED || status == CAIRN_PROCESS_KNOWN, "%s %s", verdict.reason,
                  error.text);
        accepted += status == CAIRN_PROCESS_ACCEPTED;
        cairn_block_free(b);
    }
    close_source(&s);
    return accepted;
}

static void expect_tip(const struct cairn_chain *chain, int32_t height, const char *hash)
{
    uint8_t tip[32];
    char text[CAIRN_HASH_TEXT];
    cr_assert_eq(cairn_chain_height(chain), height);
    cr_assert(cairn_chain_hash(chain, height, tip));
    cr_assert_str_eq(cairn_hash_text(text, tip), hash);
    cr_assert_eq(cairn_chain_find(chain, tip), height);
    cr_assert_not(cairn_chain_hash(chain, height + 1, tip));
    cr_assert_not(cairn_chain_hash(chain, -1, tip));
}

/* Number of coins and their sum in satoshis. */
static void expect_coins(struct cairn_chain *chain, size_t count, int64_t sum)
{
    struct cairn_error error;
    struct cairn_coins *coins = cairn_coins_new(chain, &error);
    cr_assert_not_null(coins, "%s", error.text);
    struct cairn_coin coin;
    uint8_t last[32] = {0};
    size_t found = 0;
    int64_t total = 0;
    while (cairn_coins_next(coins, &coin, &error)) {
        cr_assert_leq(memcmp(last, coin.txid, 32), 0);
        memcpy(last, coin.txid, 32);
        total += coin.output.value;
        found++;
    }
    cr_assert_str_empty(error.text);
    cr_assert_eq(found, count);
    cr_assert_eq(total, sum);
    cairn_coins_free(coins);
}

/* Block 170 pays 10 of block 9's 50 coins onward; block 9's own output is spent. */
static void expect_first_payment(struct cairn_chain *chain)
{
    uint8_t txid[32];
    struct cairn_coin coin;
    cr_assert(cairn_hash_parse(txid, "0437cd7f8525ceed2324359c2d0ba26006d92d856a9c20fa0241106ee5a597c9"));
    cr_assert_not(cairn_chain_coin(chain, txid, 0, &coin));
    cr_assert(cairn_hash_parse(txid, "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"));
    cr_assert(cairn_chain_coin(chain, txid, 0, &coin));
    cr_assert_eq(coin.height, 170);
    cr_assert_eq(coin.output.value, INT64_C(1000000000));
    cr_assert_eq(coin.output.script_pubkey.len, 67);
    cr_assert_not(coin.coinbase);
    cr_assert_not(cairn_chain_coin(chain, txid, 2, &coin));
}

Test(lib_chain, follows_the_chain_with_most_work, .timeout = 300)
{
    if (!data_present(CAIRN_TEST_DATA, "mainnet blocks")) cr_skip_test("no test data");
    struct cairn_error error;
    struct cairn_chain_options options;
    cairn_chain_options_init(&options);
    options.threads = 2;
    options.assume_valid = "0";
    struct cairn_chain *chain = cairn_chain_open("main", NULL, &options, &error);
    cr_assert_not_null(chain, "%s", error.text);
    expect_tip(chain, 0, "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");
    cr_assert_eq(feed(chain, "blocks/mainnet-0-599.dat", "main"), 599);
    expect_tip(chain, 599, "0000000042844571bc6bce8e1c0fbec99466971eaff89fef8c0d123582181d4d");
    expect_first_payment(chain);
    expect_coins(chain, 601, INT64_C(2995000000000));
    cr_assert_eq(feed(chain, "blocks/mainnet-alt-0-2016.dat", "main"), 2016);
    expect_tip(chain, 2016, "000000000c806553811fd3e6c40bc9c279db53643da7d3b401a9882c074c24b2");
    expect_coins(chain, 2016, INT64_C(5000000000) * 2016);

    uint8_t hash[32]; /* the block that was left behind is still there */
    cr_assert(cairn_hash_parse(hash, "0000000042844571bc6bce8e1c0fbec99466971eaff89fef8c0d123582181d4d"));
    cr_assert_eq(cairn_chain_find(chain, hash), -1);
    struct cairn_block *block = cairn_chain_block(chain, hash, &error);
    cr_assert_not_null(block, "%s", error.text);
    uint8_t again[32];
    cairn_block_hash(block, again);
    cr_assert_eq(memcmp(hash, again, 32), 0);
    cairn_block_free(block);
    hash[0] ^= 1;
    cr_assert_null(cairn_chain_block(chain, hash, &error));
    cr_assert_str_not_empty(error.text);
    cairn_chain_free(chain);
}

Test(lib_chain, refuses_what_breaks_a_rule, .timeout = 60)
{
    if (!data_present(CAIRN_TEST_DATA, "mainnet blocks")) cr_skip_test("no test data");
    struct cairn_chain *chain = cairn_chain_open("main", NULL, NULL, NULL);
    struct source s = open_source("blocks/mainnet-0-599.dat", "main");
    struct cairn_block *genesis = cairn_block_files_next(s.files), *first = cairn_block_files_next(s.files),
                       *second = cairn_block_files_next(s.files);
    struct cairn_verdict verdict;
    cr_assert_eq(cairn_chain_process(chain, genesis, &verdict, NULL), CAIRN_PROCESS_KNOWN);
    cr_assert_eq(cairn_chain_process(chain, second, &verdict, NULL), CAIRN_PROCESS_INVALID);
    cr_assert_str_eq(verdict.reason, "prev-blk-not-found");
    uint8_t raw[1000];
    size_t len = cairn_block_write(first, raw, sizeof raw);
    raw[len - 20] ^= 1; /* in the coinbase's output: no longer what the header promised */
    struct cairn_block *altered = cairn_block_parse(raw, len);
    cr_assert_eq(cairn_chain_process(chain, altered, &verdict, NULL), CAIRN_PROCESS_INVALID);
    cr_assert_str_eq(verdict.reason, "bad-txnmrklroot");
    cr_assert_eq(cairn_chain_process(chain, first, &verdict, NULL), CAIRN_PROCESS_ACCEPTED);
    cr_assert_eq(cairn_chain_process(chain, second, NULL, NULL), CAIRN_PROCESS_ACCEPTED);
    cr_assert_eq(cairn_chain_process(chain, second, NULL, NULL), CAIRN_PROCESS_KNOWN);
    cr_assert_eq(cairn_chain_height(chain), 2);
    cairn_block_free(genesis);
    cairn_block_free(first);
    cairn_block_free(second);
    cairn_block_free(altered);
    close_source(&s);
    cairn_chain_free(chain);
}

Test(lib_chain, comes_back_from_disk, .timeout = 300)
{
    if (!data_present(CAIRN_TEST_DATA, "testnet blocks")) cr_skip_test("no test data");
    char folder[] = "/tmp/cairn-chain-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    struct cairn_error error = {""};
    struct cairn_chain *chain = cairn_chain_open("test", folder, NULL, &error);
    cr_assert_not_null(chain, "%s", error.text);
    cr_assert_null(cairn_chain_open("test", folder, NULL, &error), "held twice");
    cr_assert_str_not_empty(error.text);
    cr_assert_eq(feed(chain, "blocks/testnet3-0-4000.dat", "test"), 4000);
    cr_assert(cairn_chain_flush(chain, &error), "%s", error.text);
    cairn_chain_free(chain);
    chain = cairn_chain_open("test", folder, NULL, &error);
    cr_assert_not_null(chain, "%s", error.text);
    expect_tip(chain, 4000, "00000000185b36fa6e406626a722793bea80531515e0b2a99ff05b73738901f1");
    expect_coins(chain, 4197, INT64_C(20000000000000));
    cairn_chain_free(chain);
    remove_tree(folder);
}

Test(lib_chain, says_why_it_cannot_open)
{
    struct cairn_error error = {""};
    struct cairn_chain_options options;
    cairn_chain_options_init(&options);
    cr_assert_null(cairn_chain_open("nowhere", NULL, NULL, &error));
    cr_assert_str_eq(error.text, "unknown network");
    options.assume_valid = "12";
    cr_assert_null(cairn_chain_open("main", NULL, &options, &error));
    cr_assert_str_eq(error.text, "assume_valid is no block hash");
    cr_assert_null(cairn_chain_open("main", "/proc/nowhere", NULL, &error));
    cr_assert_str_not_empty(error.text);
    cr_assert_null(cairn_chain_open("nowhere", NULL, NULL, NULL));
    cairn_chain_free(NULL);
    cairn_coins_free(NULL);
}
