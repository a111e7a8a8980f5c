/* getblockfilter and scanblocks, on a node whose chain lies in memory. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "helper.h"
#include "index/block_filter.h"
#include "index/index.h"

static struct rpc_fixture f;

#define GENESIS "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
#define GENESIS_SCRIPT                                                                                                 \
    "4104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b" \
    "8d578a4c702b6bf11d5fac"
/* Not in genesis, but its filter says so: Bitcoin Core's rpc_scanblocks.py found it. */
#define FALSE_POSITIVE "001400000000000000000000000000000000000cadcb"
#define ADDRESS        "bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202"
#define SCRIPT         "00140000000000000000000000000000000000000000"

static void open_regtest(void)
{
    rpc_fixture_open_node(&f, CHAIN_REGTEST, true);
}

static void close_fixture(void)
{
    rpc_fixture_close(&f);
}

TestSuite(rpc_filters, .init = open_regtest, .fini = close_fixture, .timeout = 120);

static void expect_error(const char *method, const char *params, const char *error)
{
    const char *got = rpc_error(&f, method, params);
    cr_expect_str_eq(got, error, "%s %s: %s", method, params, got);
}

static void expect_result(const char *method, const char *params, const char *result)
{
    json_t *v = rpc_result(&f, method, params);
    char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
    cr_expect_str_eq(text, result, "%s %s: %s", method, params, text);
    free(text);
    json_decref(v);
}

/* COUNT blocks that pay to DESCRIPTOR. */
static void mine(int count, const char *descriptor)
{
    char params[200];
    snprintf(params, sizeof params, "[%d,\"%s\"]", count, descriptor);
    json_decref(rpc_result(&f, "generatetodescriptor", params));
}

static const char *hash_at(int32_t height)
{
    static char text[HASH_TEXT];
    return block_hash_text(text, &chain_at(f.node->chain, height)->header.hash);
}

Test(rpc_filters, a_filter_and_its_header)
{
    uint8_t header[32] = {0}, hash[32];
    mine(2, "raw(51)");
    for (int32_t h = 0; h <= 2; h++) {
        char params[100], expected[65];
        struct buffer filter = {0};
        snprintf(params, sizeof params, "[\"%s\"%s]", hash_at(h), h ? ",\"basic\"" : "");
        json_t *v = rpc_result(&f, "getblockfilter", params);
        const char *hex = json_string_value(json_object_get(v, "filter"));
        cr_assert(hex_decode_append(&filter, hex, strlen(hex)));
        struct span script = h ? span_of("\x51", 1) : span_of(NULL, 0);
        bool match = false;
        struct gcs_key key = gcs_key_of(&chain_at(f.node->chain, h)->header.hash);
        cr_assert(gcs_is_valid(buffer_span(&filter)));
        cr_assert(gcs_match_any(buffer_span(&filter), key, &script, h != 0, &match));
        cr_expect_eq(match, h != 0);
        block_filter_hash(hash, buffer_span(&filter));
        block_filter_header(header, hash, header);
        hex_encode_reversed(expected, header, 32);
        cr_expect_str_eq(json_string_value(json_object_get(v, "header")), expected);
        buffer_clear(&filter);
        json_decref(v);
    }
}

Test(rpc_filters, no_filter)
{
    struct block_node *stranger = chain_at(f.node->chain, 0);
    expect_error("getblockfilter", "[\"" GENESIS "\",\"unknown\"]", "-5: Unknown filtertype");
    expect_error("getblockfilter", "[\"" GENESIS "00\"]",
                 "-8: blockhash must be of length 64 (not 66, for '" GENESIS "00')");
    expect_error("getblockfilter", "[\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"]",
                 "-5: Block not found");
    struct filter_index *index = f.node->filters;
    f.node->filters = NULL;
    expect_error("getblockfilter", "[\"" GENESIS "\"]", "-1: Index is not enabled for filtertype basic");
    expect_error("scanblocks", "[\"start\",[]]", "-1: Index is not enabled for filtertype basic");
    mine(1, "raw(51)"); /* the index does not see it */
    f.node->filters = index;
    char params[100];
    snprintf(params, sizeof params, "[\"%s\"]", hash_at(1));
    expect_error("getblockfilter", params,
                 "-32603: Filter not found. This error is unexpected and indicates index corruption.");
    mine(1, "raw(51)"); /* now it knows that it missed something */
    expect_error("getblockfilter", params,
                 "-1: Filter not found. Block filters are still in the process of being indexed.");
    stranger = chain_at(f.node->chain, 1);
    stranger->status &= ~(uint32_t)BLOCK_CONNECTED;
    expect_error("getblockfilter", params, "-5: Filter not found. Block was not connected to active chain.");
    stranger->status |= BLOCK_CONNECTED;
}

/* Names the blocks at these heights, which end with -1. */
static void expect_found(const char *params, int from, int to, const int *heights)
{
    char expected[800], *end = expected;
    end += sprintf(end, "{\"from_height\":%d,\"to_height\":%d,\"relevant_blocks\":[", from, to);
    for (const int *h = heights; *h >= 0; h++) end += sprintf(end, "%s\"%s\"", h == heights ? "" : ",", hash_at(*h));
    sprintf(end, "],\"completed\":true}");
    expect_result("scanblocks", params, expected);
}

Test(rpc_filters, scan_finds_the_blocks_that_pay)
{
    mine(3, "raw(51)");
    mine(2, "addr(" ADDRESS ")");
    mine(1, "raw(52)");
    expect_found("[\"start\",[\"addr(" ADDRESS ")\"]]", 0, 6, (int[]){4, 5, -1});
    expect_found("[\"start\",[\"raw(" SCRIPT ")\",\"raw(52)\"],5]", 5, 6, (int[]){5, 6, -1});
    expect_found("[\"start\",[\"raw(" SCRIPT ")\"],1,4]", 1, 4, (int[]){4, -1});
    expect_found("[\"start\",[\"raw(" SCRIPT ")\"],6,6,\"basic\"]", 6, 6, (int[]){-1});
    expect_found("[\"start\",[]]", 0, 6, (int[]){-1});
    expect_found("[\"start\",[{\"desc\":\"raw(" SCRIPT
                 ")\",\"range\":9}],0,6,\"basic\",{\"filter_false_positives\":true}]",
                 0, 6, (int[]){4, 5, -1});
}

Test(rpc_filters, scan_tells_false_positives)
{
    expect_found("[\"start\",[\"raw(" GENESIS_SCRIPT ")\"],0,0]", 0, 0, (int[]){0, -1});
    expect_found("[\"start\",[\"raw(" FALSE_POSITIVE ")\"],0,0]", 0, 0, (int[]){0, -1});
    expect_found("[\"start\",[\"raw(" GENESIS_SCRIPT ")\"],0,0,\"basic\",{\"filter_false_positives\":true}]", 0, 0,
                 (int[]){0, -1});
    expect_found("[\"start\",[\"raw(" FALSE_POSITIVE ")\"],0,0,\"basic\",{\"filter_false_positives\":true}]", 0, 0,
                 (int[]){-1});
}

/* More blocks than a slice holds. */
Test(rpc_filters, scan_runs_once_at_a_time)
{
    mine(450, "raw(51)");
    expect_result("scanblocks", "[\"status\"]", "null");
    expect_result("scanblocks", "[\"abort\"]", "false");
    cr_expect_str_eq(rpc_ask(&f, 0, "", "{\"method\":\"scanblocks\",\"id\":7,\"params\":[\"start\",[]]}"), "");
    expect_error("scanblocks", "[\"start\",[]]", "-8: Scan already in progress, use action \"abort\" or \"status\"");
    expect_result("scanblocks", "[\"status\"]", "{\"progress\":0,\"current_height\":0}");
    rpc_server_tick(f.server, 0);
    expect_result("scanblocks", "[\"status\"]", "{\"progress\":44,\"current_height\":199}");
    expect_result("scanblocks", "[\"abort\"]", "true");
    rpc_server_tick(f.server, 0);
    cr_expect(strstr(buffer_text(&f.reply),
                     "{\"from_height\":0,\"to_height\":199,\"relevant_blocks\":[],\"completed\":false}"),
              "%s", buffer_text(&f.reply));
    expect_result("scanblocks", "[\"status\"]", "null");
}

Test(rpc_filters, scan_says_what_is_wrong_with_its_arguments)
{
    expect_error("scanblocks", "[\"x\"]", "-8: Invalid action 'x'");
    expect_error("scanblocks", "[\"start\"]", "-1: scanobjects argument is required for the start action");
    expect_error("scanblocks", "[\"start\",null]", "-1: scanobjects argument is required for the start action");
    expect_error("scanblocks", "[\"start\",[3]]", "-8: Scan object needs to be either a string or an object");
    expect_error("scanblocks", "[\"start\",[],0,0,\"extended\"]", "-5: Unknown filtertype");
    expect_error("scanblocks", "[\"start\",[],1]", "-1: Invalid start_height");
    expect_error("scanblocks", "[\"start\",[],-1]", "-1: Invalid start_height");
    expect_error("scanblocks", "[\"start\",[],0,1]", "-1: Invalid stop_height");
    mine(2, "raw(51)");
    expect_error("scanblocks", "[\"start\",[],2,1]", "-1: Invalid stop_height");
}
