/* The methods about the chain, on a node whose chain lies in memory. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "helper.h"
#include "support/data.h"

static struct rpc_fixture f;

#define ADDRESS "\"bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202\""
#define GENESIS "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"

static void open_regtest(void)
{
    rpc_fixture_open_node(&f, CHAIN_REGTEST, true);
}

static void close_fixture(void)
{
    rpc_fixture_close(&f);
}

TestSuite(rpc_chain, .init = open_regtest, .fini = close_fixture, .timeout = 120);

static void expect_error(const char *method, const char *params, const char *error)
{
    const char *got = rpc_error(&f, method, params);
    cr_expect_str_eq(got, error, "%s %s: %s", method, params, got);
}

/* The result of a call, written compactly, is RESULT. */
static void expect_result(const char *method, const char *params, const char *result)
{
    json_t *v = rpc_result(&f, method, params);
    char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
    cr_expect_str_eq(text, result, "%s %s: %s", method, params, text);
    free(text);
    json_decref(v);
}

static int64_t int_of(const char *method, const char *params, const char *key)
{
    json_t *v = rpc_result(&f, method, params);
    int64_t n = json_integer_value(key ? json_object_get(v, key) : v);
    json_decref(v);
    return n;
}

/* Text of a call's result (or of its field KEY); good until the next such call. */
static const char *text_of(const char *method, const char *params, const char *key)
{
    static char text[4096];
    json_t *v = rpc_result(&f, method, params);
    const char *s = json_string_value(key ? json_object_get(v, key) : v);
    snprintf(text, sizeof text, "%s", s ? s : "(none)");
    json_decref(v);
    return text;
}

static void mine(int count)
{
    char params[100];
    snprintf(params, sizeof params, "[%d," ADDRESS "]", count);
    json_t *hashes = rpc_result(&f, "generatetoaddress", params);
    cr_assert_eq(json_array_size(hashes), (size_t)count);
    json_decref(hashes);
}

/* ["HASH"EXTRA] of the block at HEIGHT; good until the next call. */
static const char *hash_params(int height, const char *extra)
{
    static char params[200];
    char at[20];
    snprintf(at, sizeof at, "[%d]", height);
    snprintf(params, sizeof params, "[\"%s\"%s]", text_of("getblockhash", at, NULL), extra);
    return params;
}

Test(rpc_chain, genesis)
{
    expect_result("getblockcount", "[]", "0");
    expect_result("getbestblockhash", "[]", "\"" GENESIS "\"");
    expect_result("getblockhash", "[0]", "\"" GENESIS "\"");
    expect_error("getblockhash", "[1]", "-8: Block height out of range");
    expect_error("getblockhash", "[-1]", "-8: Block height out of range");
    cr_expect(strstr(rpc_ask2(&f, "getdifficulty", "[]"), "\"result\":4.656542373906925e-10,"));
    cr_expect_str_eq(
        rpc_ask2(&f, "getblockheader", "[\"" GENESIS "\"]"),
        "{\"jsonrpc\":\"2.0\",\"result\":{\"hash\":\"" GENESIS "\",\"confirmations\":1,\"height\":0,\"version\":1,"
        "\"versionHex\":\"00000001\",\"merkleroot\":"
        "\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\","
        "\"time\":1296688602,\"mediantime\":1296688602,\"nonce\":2,\"bits\":\"207fffff\",\"target\":"
        "\"7fffff0000000000000000000000000000000000000000000000000000000000\",\"difficulty\":4.656542373906925e-10,"
        "\"chainwork\":\"0000000000000000000000000000000000000000000000000000000000000002\",\"nTx\":1},\"id\":1}\n");
    expect_error("getblockheader", "[\"" GENESIS "ff\"]",
                 "-8: hash must be of length 64 (not 66, for '" GENESIS "ff')");
    expect_error("getblock", "[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\"]",
                 "-5: Block not found");
}

Test(rpc_chain, blocks)
{
    mine(3);
    cr_expect_eq(int_of("getblockcount", "[]", NULL), 3);
    cr_expect_eq(int_of("getblock", hash_params(2, ""), "confirmations"), 2);
    cr_expect_eq(int_of("getblock", hash_params(2, ",2"), "height"), 2);
    cr_expect(strstr(text_of("getblock", hash_params(1, ",0"), NULL),
                     "0000000000000000000000000000000000000000000000000000000000000000ffffffff"));
    cr_expect_str_eq(text_of("getblock", hash_params(1, ",false"), NULL),
                     text_of("getblock", hash_params(1, ",0"), NULL));
    cr_expect_str_eq(text_of("getblock", hash_params(3, ",true"), "previousblockhash"),
                     text_of("getblockhash", "[2]", NULL));
    json_t *block = rpc_result(&f, "getblock", hash_params(3, ",3"));
    cr_expect_null(json_object_get(block, "nextblockhash"));
    cr_expect_not_null(json_object_get(json_object_get(block, "coinbase_tx"), "witness"));
    const json_t *tx = json_array_get(json_object_get(block, "tx"), 0);
    cr_expect_null(json_object_get(tx, "fee"));
    cr_expect_not_null(json_object_get(tx, "hex"));
    json_decref(block);
}

Test(rpc_chain, invalid_and_precious)
{
    char other[200], later[200], params[200];
    mine(3);
    snprintf(params, sizeof params, "%s", hash_params(2, ""));
    snprintf(other, sizeof other, "%s", hash_params(3, ""));
    expect_result("invalidateblock", params, "null");
    cr_expect_eq(int_of("getblockcount", "[]", NULL), 1);
    cr_expect_eq(int_of("getblockheader", params, "confirmations"), -1);
    json_t *tips = rpc_result(&f, "getchaintips", "[]");
    cr_expect_eq(json_array_size(tips), 2);
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(tips, 0), "status")), "invalid");
    cr_expect_eq(json_integer_value(json_object_get(json_array_get(tips, 0), "branchlen")), 2);
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(tips, 1), "status")), "active");
    json_decref(tips);
    expect_result("setmocktime", "[1600001000]", "null"); /* another time, another block */
    mine(2);
    snprintf(later, sizeof later, "%s", hash_params(3, ""));
    cr_expect_str_neq(later, other);
    expect_result("reconsiderblock", params, "null");
    cr_expect_str_eq(hash_params(3, ""), other); /* it came first */
    expect_result("preciousblock", later, "null");
    cr_expect_str_eq(hash_params(3, ""), later);
    expect_error("invalidateblock", "[\"00\"]", "-8: blockhash must be of length 64 (not 2, for '00')");
    expect_result("invalidateblock", "[\"" GENESIS "\"]", "null"); /* stays */
    cr_expect_eq(int_of("getblockcount", "[]", NULL), 3);
}

Test(rpc_chain, states)
{
    mine(10);
    cr_expect_str_eq(text_of("getblockchaininfo", "[]", "chain"), "regtest");
    cr_expect_eq(int_of("getblockchaininfo", "[]", "headers"), 10);
    cr_expect_eq(int_of("getchainstates", "[]", "headers"), 10);
    cr_expect_eq(int_of("getmininginfo", "[]", "blocks"), 10);
    cr_expect_eq(int_of("getnetworkinfo", "[]", "version"), 319900);
    cr_expect_str_eq(text_of("getnetworkinfo", "[]", "subversion"), "/Satoshi:31.99.0/cairn:0.1.0/");
    expect_result("getindexinfo", "[]",
                  "{\"txindex\":{\"synced\":true,\"best_block_height\":10},\"coinstatsindex\":{\"synced\":true,"
                  "\"best_block_height\":10},\"basic block filter index\":{\"synced\":true,\"best_block_height\":10}}");
    expect_result("getindexinfo", "[\"txindex\"]", "{\"txindex\":{\"synced\":true,\"best_block_height\":10}}");
    expect_result("verifychain", "[4,0]", "true");
    cr_expect(strstr(rpc_ask2(&f, "getmempoolinfo", "[]"), "\"mempoolminfee\":0.00000100,"));
    cr_expect_eq(int_of("getchaintxstats", "[]", "window_block_count"), 9);
    cr_expect_eq(int_of("getchaintxstats", "[0]", "txcount"), 11);
    expect_error("getchaintxstats", "[10]", "-8: Invalid block count: should be between 0 and the block's height - 1");
    json_t *d = rpc_result(&f, "getdeploymentinfo", "[]");
    const json_t *deployments = json_object_get(d, "deployments");
    cr_expect_eq(json_array_size(json_object_get(d, "script_flags")), 7);
    cr_expect_str_eq(json_string_value(json_object_get(json_object_get(deployments, "segwit"), "type")), "buried");
    const json_t *bip9 = json_object_get(json_object_get(deployments, "testdummy"), "bip9");
    cr_expect_str_eq(json_string_value(json_object_get(bip9, "status")), "defined");
    json_decref(d);
}

Test(rpc_chain, hash_rate)
{
    expect_result("getnetworkhashps", "[]", "0");
    mine(5);
    expect_error("getnetworkhashps", "[0]", "-8: Invalid nblocks. Must be a positive number or -1.");
    expect_error("getnetworkhashps", "[-2]", "-8: Invalid nblocks. Must be a positive number or -1.");
    expect_error("getnetworkhashps", "[1,6]", "-8: Block does not exist at specified height");
}

Test(rpc_chain, waiting)
{
    char tip[100];
    mine(1);
    rpc_ask2(&f, "waitfornewblock", "[1000]");
    cr_expect_eq(f.status, 0);
    cr_expect_eq(rpc_server_deadline(f.server), 6000000);
    rpc_server_wake(f.server, 5500000);
    cr_expect_eq(f.status, 0);
    rpc_server_tick(f.server, 6000000);
    cr_expect_eq(f.status, 200);
    snprintf(tip, sizeof tip, "\"height\":1}");
    cr_expect(strstr(buffer_text(&f.reply), tip));

    unsigned before = f.replies;
    rpc_ask2(&f, "waitforblockheight", "[3]");
    rpc_ask2(&f, "waitfornewblock", "[]");
    mine(1);
    rpc_server_wake(f.server, 6000001);
    cr_expect_eq(f.replies, before + 2); /* generatetoaddress and waitfornewblock */
    mine(1);
    rpc_server_wake(f.server, 6000002);
    cr_expect_eq(f.replies, before + 4);
    cr_expect(strstr(buffer_text(&f.reply), "\"height\":3}"));
    cr_expect_eq(int_of("waitforblock", hash_params(3, ""), "height"), 3); /* at once */
    cr_expect_eq(int_of("waitfornewblock", "[0,\"" GENESIS "\"]", "height"), 3);
    expect_error("waitforblockheight", "[9,-1]", "-1: Negative timeout");
    rpc_ask2(&f, "waitforblockheight", "[9]");
    rpc_server_stop(f.server, 7000000);
    cr_expect(strstr(buffer_text(&f.reply), "\"height\":3}"), "%s", buffer_text(&f.reply));
}

Test(rpc_chain, coins)
{
    char params[300];
    mine(2);
    json_t *block = rpc_result(&f, "getblock", hash_params(1, ""));
    snprintf(params, sizeof params, "[\"%s\",0]", json_string_value(json_array_get(json_object_get(block, "tx"), 0)));
    json_decref(block);
    cr_expect(strstr(rpc_ask2(&f, "gettxout", params), "\"confirmations\":2,\"value\":50.00000000,\"scriptPubKey\":{"));
    params[strlen(params) - 2] = '7';
    expect_result("gettxout", params, "null");
    json_t *info = rpc_result(&f, "gettxoutsetinfo", "[]");
    cr_expect_eq(json_integer_value(json_object_get(info, "height")), 2);
    cr_expect_eq(json_integer_value(json_object_get(info, "txouts")), 2);
    cr_expect_eq(json_integer_value(json_object_get(info, "transactions")), 2);
    cr_expect_not_null(json_object_get(info, "hash_serialized_3"));
    json_decref(info);
    cr_expect(
        strstr(rpc_ask2(&f, "gettxoutsetinfo", "[\"none\",1]"), "\"total_amount\":50.00000000,\"total_unspendable"));
    expect_error("gettxoutsetinfo", "[\"x\"]", "-8: 'x' is not a valid hash_type");
    expect_error("gettxoutsetinfo", "[\"none\",9]", "-8: Target block height 9 after current tip 2");
    expect_error("gettxoutsetinfo", "[\"none\",-9]", "-8: Target block height -9 is negative");
    expect_error("gettxoutsetinfo", "[\"none\",1,false]",
                 "-8: Cannot set use_index to false when querying for a specific block");
    expect_error("gettxoutsetinfo", "[\"hash_serialized_3\",1]",
                 "-8: hash_serialized_3 hash type cannot be queried for a specific block");
}

#define SEGWIT "{\"rules\":[\"segwit\"]}"

Test(rpc_chain, template_is_an_empty_block_on_the_tip)
{
    expect_error("getblocktemplate", "[{}]",
                 "-8: getblocktemplate must be called with the segwit rule set (call with {\"rules\": [\"segwit\"]})");
    expect_error("getblocktemplate", "[{\"mode\":\"x\"}]", "-8: Invalid mode");
    expect_error("getblocktemplate", "[{\"mode\":3}]", "-8: Invalid mode");
    mine(2);
    json_t *t = rpc_result(&f, "getblocktemplate", "[" SEGWIT "]");
    char *text = json_dumps(t, JSON_COMPACT);
    cr_expect_eq(json_integer_value(json_object_get(t, "height")), 3);
    cr_expect_eq(json_integer_value(json_object_get(t, "coinbasevalue")), 5000000000);
    cr_expect_str_eq(json_string_value(json_object_get(t, "previousblockhash")), text_of("getblockhash", "[2]", NULL));
    cr_expect(strstr(text, "\"rules\":[\"csv\",\"!segwit\",\"taproot\"],"), "%s", text);
    cr_expect(strstr(text, "\"sigoplimit\":80000,\"sizelimit\":4000000,\"weightlimit\":4000000,"), "%s", text);
    cr_expect(strstr(text, "\"default_witness_commitment\":\"6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962"
                           "b48bebd836974e8cf9\""),
              "%s", text);
    free(text);
    json_decref(t);
    cr_expect_eq(int_of("getmininginfo", "[]", "currentblockweight"), 8000);
    cr_expect_eq(int_of("getmininginfo", "[]", "currentblocktx"), 0);
}

Test(rpc_chain, template_waits_for_another_tip)
{
    mine(1);
    char request[200];
    snprintf(request, sizeof request, "[{\"rules\":[\"segwit\"],\"longpollid\":\"%s\"}]",
             text_of("getblocktemplate", "[" SEGWIT "]", "longpollid"));
    char body[300];
    snprintf(body, sizeof body, "{\"method\":\"getblocktemplate\",\"params\":%s,\"id\":1}", request);
    cr_expect_str_eq(rpc_ask(&f, 0, "", body), "");
    mine(1);
    rpc_server_wake(f.server, 0);
    cr_expect(strstr(buffer_text(&f.reply), "\"height\":3,"), "%s", buffer_text(&f.reply));
    expect_error("getblocktemplate", "[{\"rules\":[\"segwit\"],\"longpollid\":\"x\"}]",
                 "-8: longpollid must be of length 64 (not 1, for 'x')");
}

Test(rpc_chain, proposals_are_judged)
{
    char request[4000];
    json_t *made = rpc_result(&f, "generateblock", "[\"raw(51)\",[],false]");
    const char *hex = json_string_value(json_object_get(made, "hex"));
    snprintf(request, sizeof request, "[{\"mode\":\"proposal\",\"data\":\"%s\"}]", hex);
    expect_result("getblocktemplate", request, "null");
    char *root = strstr(request, hex) + 72; /* the merkle root */
    char digit = *root;
    *root = digit == '0' ? '1' : '0';
    expect_result("getblocktemplate", request, "\"bad-txnmrklroot\"");
    *root = digit;
    mine(1);
    expect_result("getblocktemplate", request, "\"inconclusive-not-best-prevblk\"");
    json_decref(made);
    char block[3000];
    snprintf(block, sizeof block, "%s", text_of("getblock", hash_params(1, ",0"), NULL));
    snprintf(request, sizeof request, "[{\"mode\":\"proposal\",\"data\":\"%s\"}]", block);
    expect_result("getblocktemplate", request, "\"duplicate\"");
    expect_error("getblocktemplate", "[{\"mode\":\"proposal\"}]", "-3: Missing data String key for proposal");
    expect_error("getblocktemplate", "[{\"mode\":\"proposal\",\"data\":\"00\"}]", "-22: Block decode failed");
}

/* scantxoutset is answered after the engine's slices. */
static json_t *scan(const char *objects)
{
    char params[400];
    snprintf(params, sizeof params, "[\"start\",%s]", objects);
    return rpc_result(&f, "scantxoutset", params);
}

Test(rpc_chain, scan_finds_what_pays_to_descriptors)
{
    mine(3);
    json_t *found = scan("[\"addr(bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202)\"]");
    char *text = json_dumps(json_array_get(json_object_get(found, "unspents"), 0), JSON_COMPACT);
    cr_expect(json_is_true(json_object_get(found, "success")));
    cr_expect_eq(json_integer_value(json_object_get(found, "txouts")), 3);
    cr_expect_eq(json_array_size(json_object_get(found, "unspents")), 3);
    cr_expect_eq(json_number_value(json_object_get(found, "total_amount")), 150.0);
    cr_expect(strstr(text, "\"vout\":0,\"scriptPubKey\":\"00140000000000000000000000000000000000000000\",\"desc\":"
                           "\"addr(bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202)#"),
              "%s", text);
    cr_expect(strstr(text, "\"amount\":50.0,\"coinbase\":true,\"height\":"), "%s", text);
    free(text);
    json_decref(found);
    found = scan("[{\"desc\":\"raw(00140000000000000000000000000000000000000000)\",\"range\":5},\"raw(51)\"]");
    cr_expect_eq(json_array_size(json_object_get(found, "unspents")), 3);
    json_decref(found);
    found = scan("[\"raw(51)\"]");
    cr_expect_eq(json_array_size(json_object_get(found, "unspents")), 0);
    json_decref(found);
}

Test(rpc_chain, scan_runs_once_at_a_time)
{
    mine(1);
    expect_result("scantxoutset", "[\"status\"]", "null");
    expect_result("scantxoutset", "[\"abort\"]", "false");
    cr_expect_str_eq(rpc_ask(&f, 0, "", "{\"method\":\"scantxoutset\",\"id\":7,\"params\":[\"start\",[]]}"), "");
    expect_error("scantxoutset", "[\"start\",[]]", "-8: Scan already in progress, use action \"abort\" or \"status\"");
    expect_result("scantxoutset", "[\"status\"]", "{\"progress\":0}");
    expect_result("scantxoutset", "[\"abort\"]", "true");
    rpc_server_tick(f.server, 0);
    cr_expect(strstr(buffer_text(&f.reply), "{\"success\":false,\"txouts\":0,\"height\":1,"), "%s",
              buffer_text(&f.reply));
    expect_result("scantxoutset", "[\"status\"]", "null");
}

Test(rpc_chain, scan_says_what_is_wrong_with_its_arguments)
{
    expect_error("scantxoutset", "[\"x\"]", "-8: Invalid action 'x'");
    expect_error("scantxoutset", "[\"start\"]", "-1: scanobjects argument is required for the start action");
    expect_error("scantxoutset", "[\"start\",[3]]", "-8: Scan object needs to be either a string or an object");
    expect_error("scantxoutset", "[\"start\",[{}]]", "-8: Descriptor needs to be provided in scan object");
    expect_error("scantxoutset", "[\"start\",[{\"desc\":\"raw(51)\",\"range\":-1}]]", "-8: End of range is too high");
    expect_error("scantxoutset", "[\"start\",[\"raw()\"]]", "-5: Raw script is not hex");
}

Test(rpc_chain, index_and_scan_give_the_same_muhash)
{
    char indexed[100];
    mine(5);
    snprintf(indexed, sizeof indexed, "%s", text_of("gettxoutsetinfo", "[\"muhash\"]", "muhash"));
    cr_expect_str_eq(text_of("gettxoutsetinfo", "{\"hash_type\":\"muhash\",\"use_index\":false}", "muhash"), indexed);
}

Test(rpc_chain, transactions_and_proofs)
{
    char id[100], params[300];
    mine(2);
    json_t *block = rpc_result(&f, "getblock", hash_params(1, ""));
    snprintf(id, sizeof id, "%s", json_string_value(json_array_get(json_object_get(block, "tx"), 0)));
    json_decref(block);
    snprintf(params, sizeof params, "[\"%s\",1]", id);
    cr_expect_eq(int_of("getrawtransaction", params, "confirmations"), 2);
    snprintf(params, sizeof params, "[\"%s\",2,%s", id, hash_params(1, "") + 1);
    cr_expect(strstr(rpc_ask2(&f, "getrawtransaction", params), "\"result\":{\"in_active_chain\":true,\"txid\":"));
    snprintf(params, sizeof params, "[\"%s\",0,\"" GENESIS "\"]", id);
    expect_error("getrawtransaction", params,
                 "-5: No such transaction found in the provided block. Use gettransaction for wallet transactions.");
    expect_error("getrawtransaction", "[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\"]",
                 "-5: The genesis block coinbase is not considered an ordinary transaction and cannot be retrieved");
    expect_error("getrawtransaction", "[\"" GENESIS "\"]",
                 "-5: No such mempool or blockchain transaction. Use gettransaction for wallet transactions.");

    snprintf(params, sizeof params, "[[\"%s\"]]", id);
    snprintf(params, sizeof params, "[\"%s\"]", text_of("gettxoutproof", params, NULL));
    json_t *proven = rpc_result(&f, "verifytxoutproof", params);
    cr_expect_str_eq(json_string_value(json_array_get(proven, 0)), id);
    json_decref(proven);
    params[2 + 2 * 40] ^= 1; /* another merkle root */
    expect_result("verifytxoutproof", params, "[]");
    expect_error("gettxoutproof", "[[]]", "-8: Parameter 'txids' cannot be empty");
    expect_error("gettxoutproof", "[[\"" GENESIS "\"]]", "-5: Transaction not yet in block");
    expect_error("gettxoutproof", "[[\"" GENESIS "\",\"" GENESIS "\"]]",
                 "-8: Invalid parameter, duplicated txid: " GENESIS);
}

Test(rpc_chain, making_and_submitting)
{
    char params[4096], hex[2048];
    json_t *made = rpc_result(&f, "generateblock", "[" ADDRESS ",[],false]");
    snprintf(hex, sizeof hex, "%s", json_string_value(json_object_get(made, "hex")));
    json_decref(made);
    cr_expect_eq(int_of("getblockcount", "[]", NULL), 0);
    snprintf(params, sizeof params, "[\"%.160s\"]", hex);
    expect_result("submitheader", params, "null");
    cr_expect_eq(int_of("getblockchaininfo", "[]", "headers"), 1);
    snprintf(params, sizeof params, "[\"%s\"]", hex);
    expect_result("submitblock", params, "null");
    expect_result("submitblock", params, "\"duplicate\"");
    cr_expect_eq(int_of("getblockcount", "[]", NULL), 1);
    expect_error("submitblock", "[\"00\"]", "-22: Block decode failed");
    expect_error("submitheader", "[\"00\"]", "-22: Block header decode failed");
    memset(params + 2 + 8, 'a', 64);
    params[2 + 160] = '\"';
    params[2 + 161] = ']';
    params[2 + 162] = '\0';
    cr_expect(strstr(rpc_error(&f, "submitheader", params), "-25: Must submit previous header (aaaaaaaa"));
    expect_error("generatetoaddress", "[1,\"x\"]", "-5: Error: Invalid address");
    expect_error("generateblock", "[\"x\",[]]", "-5: Error: Invalid address or descriptor");
    expect_error("generateblock", "[" ADDRESS ",[\"" GENESIS "\"]]", "-5: Transaction " GENESIS " not in mempool.");
    expect_error("generateblock", "[" ADDRESS ",[\"00\"]]",
                 "-22: Transaction decode failed for 00. Make sure the tx has at least one input.");
    json_t *hashes = rpc_result(&f, "generatetodescriptor", "[2,\"raw(51)\"]");
    cr_expect_eq(json_array_size(hashes), 2);
    json_decref(hashes);
    expect_result("generatetoaddress", "[5," ADDRESS ",0]", "[]");
}

/* A block that commits to its witness may leave out the reserved value; it is put in. */
Test(rpc_chain, the_reserved_value_is_put_in)
{
    json_t *made = rpc_result(&f, "generateblock", "[" ADDRESS ",[],false]");
    struct buffer raw = {0}, stripped = {0};
    const char *hex = json_string_value(json_object_get(made, "hex"));
    cr_assert(hex_decode_append(&raw, hex, strlen(hex)));
    struct block *b = block_parse(buffer_span(&raw));
    block_write_no_witness(&stripped, b);
    cr_expect_lt(stripped.len, raw.len);
    struct buffer params = {0};
    buffer_put_str(&params, "[\"");
    hex_append(&params, buffer_span(&stripped));
    buffer_put_str(&params, "\"]");
    expect_result("submitblock", buffer_text(&params), "null");
    block_free(b);
    buffer_clear(&raw);
    buffer_clear(&stripped);
    buffer_clear(&params);
    json_decref(made);
}

/* getblockstats on Bitcoin Core's own example. */
Test(rpc_chain, block_statistics)
{
    static const char name[] = "vectors/core/rpc_getblockstats.json";
    unsigned equal = 0;
    size_t i;
    json_t *v, *want;
    if (!data_present(CAIRN_TEST_DATA, name)) cr_skip_test("no test data");
    json_t *data = data_json(CAIRN_TEST_DATA, name);
    json_array_foreach(json_object_get(data, "blocks"), i, v)
    {
        struct buffer params = {0};
        buffer_printf(&params, "[\"%s\"]", json_string_value(v));
        if (i == 0)
            cr_expect(strstr(text_of("getblock", "[\"" GENESIS "\",0]", NULL), "ffff001d0104"));
        else
            expect_result("submitblock", buffer_text(&params), "null");
        buffer_clear(&params);
    }
    json_t *all = json_object_get(data, "stats");
    json_array_foreach(all, i, want)
    {
        char params[20];
        snprintf(params, sizeof params, "[%d]", (int)json_integer_value(json_object_get(want, "height")));
        json_t *got = rpc_result(&f, "getblockstats", params);
        bool same = json_equal(got, want);
        equal += same;
        cr_expect(same, "height %s", params);
        json_decref(got);
    }
    fprintf(stderr, "getblockstats: %u of %zu\n", equal, json_array_size(all));
    expect_result("getblockstats", "[103,[\"minfee\",\"avgfee\"]]", "{\"avgfee\":21390,\"minfee\":2880}");
    expect_error("getblockstats", "[103,[\"minfee\",\"x\"]]", "-8: Invalid selected statistic 'x'");
    expect_error("getblockstats", "[104]", "-8: Target block height 104 after current tip 103");
    json_decref(data);
}
