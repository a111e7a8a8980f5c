/* getreorgs: arguments, order, and the fields of a row. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "helper.h"

static struct rpc_fixture f;

static void open_regtest(void)
{
    rpc_fixture_open_node(&f, CHAIN_REGTEST, false);
}

static void close_fixture(void)
{
    rpc_fixture_close(&f);
}

TestSuite(rpc_reorgs, .init = open_regtest, .fini = close_fixture, .timeout = 120);

static void expect_reply(const char *params, const char *result)
{
    char want[100];
    snprintf(want, sizeof want, "{\"jsonrpc\":\"2.0\",\"result\":%s,\"id\":1}\n", result);
    cr_expect_str_eq(rpc_ask2(&f, "getreorgs", params), want);
}

static void mine(int count)
{
    char params[100];
    snprintf(params, sizeof params, "[%d,\"bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202\"]", count);
    json_decref(rpc_result(&f, "generatetoaddress", params));
}

static void invalidate(int height)
{
    char params[100];
    const struct block_node *b = chain_at(f.node->chain, height);
    char hash[HASH_TEXT];
    snprintf(params, sizeof params, "[\"%s\"]", block_hash_text(hash, &b->header.hash));
    json_decref(rpc_result(&f, "invalidateblock", params));
}

static int64_t field(const json_t *list, size_t at, const char *key)
{
    return json_integer_value(json_object_get(json_array_get(list, at), key));
}

Test(rpc_reorgs, arguments)
{
    expect_reply("[]", "[]");
    expect_reply("[100,0]", "[]");
    expect_reply("{\"min_depth\":3,\"count\":0}", "[]");
    cr_expect_str_eq(rpc_error(&f, "getreorgs", "[-1]"), "-8: Negative count");
    cr_expect_str_eq(rpc_error(&f, "getreorgs", "[1,-1]"), "-8: Negative depth");
    cr_expect(strstr(rpc_error(&f, "getreorgs", "[\"1\"]"), "-3: "));
}

Test(rpc_reorgs, newest_first_and_by_depth)
{
    mine(10);
    invalidate(8);                                                          /* three blocks */
    json_decref(rpc_result(&f, "generatetodescriptor", "[1,\"raw(51)\"]")); /* another block than before */
    invalidate(8);                                                          /* one */
    json_t *all = rpc_result(&f, "getreorgs", "[]"), *one = rpc_result(&f, "getreorgs", "[1]"),
           *deep = rpc_result(&f, "getreorgs", "[10,2]");
    cr_assert_eq(json_array_size(all), 2);
    cr_expect(field(all, 0, "id") == 2 && field(all, 0, "depth") == 1);
    cr_expect(field(all, 1, "id") == 1 && field(all, 1, "depth") == 3);
    cr_expect(json_array_size(one) == 1 && field(one, 0, "id") == 2);
    cr_expect(json_array_size(deep) == 1 && field(deep, 0, "id") == 1);
    json_decref(all);
    json_decref(one);
    json_decref(deep);
}

Test(rpc_reorgs, fields)
{
    static const char *const keys[] = {"id",    "time",        "old_tip",  "old_height", "new_tip", "new_height",
                                       "fork",  "fork_height", "depth",    "connected",  "loading", "by_operator",
                                       "alarm", "tx_count",    "reversed", "fates",      "txs"};
    mine(5);
    invalidate(4);
    json_t *list = rpc_result(&f, "getreorgs", "[]");
    json_t *o = json_array_get(list, 0), *tx = json_array_get(json_object_get(o, "txs"), 1);
    size_t i = 0;
    cr_assert_eq(json_object_size(o), sizeof(keys) / sizeof(*keys));
    for (void *at = json_object_iter(o); at; at = json_object_iter_next(o, at))
        cr_expect_str_eq(json_object_iter_key(at), keys[i++]);
    cr_expect_eq(json_integer_value(json_object_get(o, "time")), 1600000000);
    cr_expect_eq(json_integer_value(json_object_get(o, "connected")), 0);
    cr_expect(json_is_true(json_object_get(o, "by_operator")) && json_is_false(json_object_get(o, "alarm")));
    cr_expect_eq(json_integer_value(json_object_get(json_object_get(o, "fates"), "coinbase")), 2);
    cr_expect_eq(json_object_size(tx), 4);
    cr_expect_eq(json_integer_value(json_object_get(tx, "height")), 5);
    cr_expect_str_eq(json_string_value(json_object_get(tx, "fate")), "coinbase");
    cr_expect_str_eq(json_string_value(json_object_get(tx, "now")), "gone");
    json_decref(list);
}

/* What the node warns of stands where Core's tools look for it. */
Test(rpc_reorgs, warning)
{
    struct reorg o = {.depth = 4, .fork_height = 10, .tx_count = 9, .fates = {[REORG_CONFLICTED] = 1}};
    warnings_set_reorg(&f.node->warnings, &o);
    cr_expect(strstr(rpc_ask2(&f, "getblockchaininfo", "[]"),
                     "\"warnings\":[\"Warning: A reorganisation threw away 4 blocks, those from height 11 on, and "
                     "reversed 5 payments, 1 of them for good."));
    warnings_set_reorg(&f.node->warnings, NULL);
    cr_expect(strstr(rpc_ask2(&f, "getblockchaininfo", "[]"), "\"warnings\":[]"));
}
