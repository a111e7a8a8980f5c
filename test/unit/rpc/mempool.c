/* Unconfirmed transactions by JSON-RPC: sending, trying, looking at the pool; forms, figures and error texts. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "crypto/sha256.h"
#include "helper.h"

static struct rpc_fixture f;

enum { FEE = 1000, BLOCKS = 104 };
#define COIN_VALUE INT64_C(5000000000)

static struct buffer true_script; /* P2WSH of OP_TRUE: whoever likes can spend it */

static void open_mined(void)
{
    static const uint8_t inner[] = {0x51};
    uint8_t hash[32];
    char params[128], hex[69];
    rpc_fixture_open_node(&f, CHAIN_REGTEST, false);
    true_script = (struct buffer){0};
    sha256_once(hash, inner, sizeof inner);
    buffer_put_u8(&true_script, 0);
    buffer_put_u8(&true_script, 32);
    buffer_put(&true_script, hash, sizeof hash);
    hex_encode(hex, true_script.data, true_script.len);
    snprintf(params, sizeof params, "[%d,\"raw(%s)\"]", BLOCKS, hex);
    json_decref(rpc_result(&f, "generatetodescriptor", params));
}

static void close_mined(void)
{
    buffer_clear(&true_script);
    rpc_fixture_close(&f);
}

TestSuite(rpc_mempool, .init = open_mined, .fini = close_mined, .timeout = 120);

/* ---- transactions ---- */

struct made {
    struct txid txid;
    char id[HASH_TEXT], wtxid[HASH_TEXT];
    char hex[2048];
};

/* The coinbase output of the block at HEIGHT. */
static struct outpoint coinbase(int32_t height)
{
    struct block *b = NULL;
    struct error e = {0};
    cr_assert_eq(chain_read_block(f.node->chain, chain_at(f.node->chain, height), &b, &e), RESULT_OK, "%s", e.text);
    struct outpoint at = {.txid = b->txs[0].txid};
    block_free(b);
    return at;
}

/* Spends INPUTS to outputs of the amounts given (satoshis), to whoever likes. */
static struct made make_tx(const struct outpoint *inputs, size_t in_count, const amount_sat *values, size_t out_count)
{
    static const uint8_t inner[] = {0x51};
    struct span item = span_of(inner, sizeof inner);
    struct tx_in in[4] = {0};
    struct tx_out out[4] = {0};
    struct tx tx = {.version = 2, .in = in, .in_count = in_count, .out = out, .out_count = out_count};
    struct buffer raw = {0};
    struct made made;
    for (size_t i = 0; i < in_count; i++)
        in[i] = (struct tx_in){.prevout = inputs[i], .sequence = SEQUENCE_FINAL, .witness = {&item, 1}};
    for (size_t i = 0; i < out_count; i++)
        out[i] = (struct tx_out){.value = values[i], .script_pubkey = buffer_span(&true_script)};
    tx.has_witness = true;
    tx_hash(&tx);
    tx_write(&raw, &tx);
    made.txid = tx.txid;
    txid_text(made.id, &tx.txid);
    wtxid_text(made.wtxid, &tx.wtxid);
    cr_assert(raw.len * 2 < sizeof made.hex);
    hex_encode(made.hex, raw.data, raw.len);
    buffer_clear(&raw);
    return made;
}

static struct made spend(struct outpoint at, amount_sat value)
{
    return make_tx(&at, 1, &value, 1);
}

static struct outpoint output_of(const struct made *m, uint32_t index)
{
    return (struct outpoint){.txid = m->txid, .index = index};
}

/* A text; good for the next three. */
static const char *params_of(const char *format, ...) PRINTF_LIKE(1, 2);
static const char *params_of(const char *format, ...)
{
    static char texts[4][65536];
    static unsigned next;
    char *text = texts[next++ % 4];
    va_list values;
    va_start(values, format);
    int len = vsnprintf(text, sizeof texts[0], format, values);
    va_end(values);
    cr_assert(len > 0 && (size_t)len < sizeof texts[0]);
    return text;
}

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

/* The result in the words of the reply: with its numbers as they were written. */
static void expect_text(const char *method, const char *params, const char *result)
{
    char whole[4096];
    snprintf(whole, sizeof whole, "{\"jsonrpc\":\"2.0\",\"result\":%s,\"id\":1}\n", result);
    const char *got = rpc_ask2(&f, method, params);
    cr_expect_str_eq(got, whole, "%s %s: %s", method, params, got);
}

static void send(const struct made *m)
{
    char result[80];
    snprintf(result, sizeof result, "\"%s\"", m->id);
    expect_result("sendrawtransaction", params_of("[\"%s\"]", m->hex), result);
}

static json_t *ask(const char *method, const char *params, const char *key)
{
    json_t *v = rpc_result(&f, method, params), *field = json_incref(json_object_get(v, key));
    cr_assert_not_null(field, "%s: no %s", method, key);
    json_decref(v);
    return field;
}

static void expect_number(const char *method, const char *params, const char *key, json_int_t value)
{
    json_t *v = ask(method, params, key);
    cr_expect_eq(json_integer_value(v), value, "%s.%s: %lld", method, key, (long long)json_integer_value(v));
    json_decref(v);
}

static void mine(void)
{
    char hex[69];
    hex_encode(hex, true_script.data, true_script.len);
    json_decref(rpc_result(&f, "generatetodescriptor", params_of("[1,\"raw(%s)\"]", hex)));
}

/* ---- tests ---- */

Test(rpc_mempool, empty)
{
    expect_text("getmempoolinfo", "[]",
                params_of("{\"loaded\":%s,\"size\":0,\"bytes\":0,\"usage\":%llu,\"total_fee\":0.00000000,"
                          "\"maxmempool\":300000000,\"mempoolminfee\":0.00000100,\"minrelaytxfee\":0.00000100,"
                          "\"incrementalrelayfee\":0.00000100,\"unbroadcastcount\":0,\"permitbaremultisig\":true,"
                          "\"maxdatacarriersize\":100000,\"limitclustercount\":64,\"limitclustersize\":101000,"
                          "\"optimal\":true}",
                          mempool_is_loaded(f.node->mempool) ? "true" : "false",
                          (unsigned long long)mempool_memory(f.node->mempool)));
    expect_result("getrawmempool", "[]", "[]");
    expect_result("getrawmempool", "[true]", "{}");
    expect_result("getrawmempool", "[false,true]", "{\"txids\":[],\"mempool_sequence\":1}");
    expect_error("getrawmempool", "[true,true]", "-8: Verbose results cannot contain mempool sequence values.");
    expect_text("getmempoolfeeratediagram", "[]", "[{\"weight\":0,\"fee\":0.00000000}]");
    expect_error("getorphantxs", "[]", "-31: Error: Peer-to-peer functionality missing or disabled");
}

Test(rpc_mempool, send_and_look)
{
    struct made parent = spend(coinbase(1), COIN_VALUE - FEE);
    struct made child = spend(output_of(&parent, 0), COIN_VALUE - 3 * FEE);
    send(&parent);
    send(&child);
    send(&parent); /* it is there: told again */
    expect_result("getrawmempool", "[]", params_of("[\"%s\",\"%s\"]", parent.id, child.id));
    expect_number("getrawmempool", "[false,true]", "mempool_sequence", 3);
    expect_number("getmempoolinfo", "[]", "size", 2);
    expect_number("getmempoolinfo", "[]", "unbroadcastcount", 2);
    /* 94 bytes without the witness, 99 with it. */
    json_t *weight = ask("getmempoolentry", params_of("[\"%s\"]", parent.id), "weight");
    json_int_t wu = json_integer_value(weight), vsize = (wu + 3) / 4;
    json_decref(weight);
    cr_expect_eq(wu, 94 * 3 + 99);
    char expected[2048];
    snprintf(expected, sizeof expected,
             "{\"vsize_adjusted\":%lld,\"vsize\":%lld,\"vsize_bip141\":%lld,\"weight\":%lld,\"time\":1600000000,"
             "\"height\":104,\"descendantcount\":1,\"descendantsize\":%lld,\"ancestorcount\":2,\"ancestorsize\":%lld,"
             "\"wtxid\":\"%s\",\"chunkweight\":%lld,\"fees\":{\"base\":0.00002000,\"modified\":0.00002000,"
             "\"ancestor\":0.00003000,\"descendant\":0.00002000,\"chunk\":0.00003000},\"depends\":[\"%s\"],"
             "\"spentby\":[],\"unbroadcast\":true}",
             (long long)vsize, (long long)vsize, (long long)vsize, (long long)wu, (long long)vsize,
             (long long)(2 * vsize), child.wtxid, (long long)(2 * wu), parent.id);
    expect_text("getmempoolentry", params_of("[\"%s\"]", child.id), expected);
    char verbose[2200];
    snprintf(verbose, sizeof verbose, "{\"%s\":%s}", child.id, expected);
    expect_text("getmempooldescendants", params_of("[\"%s\",true]", parent.id), verbose);
    expect_result("getmempoolancestors", params_of("[\"%s\"]", child.id), params_of("[\"%s\"]", parent.id));
    expect_result("getmempoolancestors", params_of("[\"%s\"]", parent.id), "[]");
    expect_text("getmempoolcluster", params_of("[\"%s\"]", child.id),
                params_of("{\"clusterweight\":%lld,\"txcount\":2,\"chunks\":[{\"chunkfee\":0.00003000,"
                          "\"chunkweight\":%lld,\"txs\":[\"%s\",\"%s\"]}]}",
                          (long long)(2 * wu), (long long)(2 * wu), parent.id, child.id));
    expect_text(
        "getmempoolfeeratediagram", "[]",
        params_of("[{\"weight\":0,\"fee\":0.00000000},{\"weight\":%lld,\"fee\":0.00003000}]", (long long)(2 * wu)));
}

Test(rpc_mempool, deprecated_fields)
{
    struct made made = spend(coinbase(1), COIN_VALUE - FEE);
    send(&made);
    rpc_server_allow_deprecated(f.server, "bip125");
    rpc_server_allow_deprecated(f.server, "fullrbf");
    json_t *v = ask("getmempoolentry", params_of("[\"%s\"]", made.id), "bip125-replaceable");
    cr_expect(json_is_false(v));
    json_decref(v);
    v = ask("getmempoolinfo", "[]", "fullrbf");
    cr_expect(json_is_true(v));
    json_decref(v);
}

Test(rpc_mempool, refusals)
{
    struct outpoint at = coinbase(1), nowhere = {.txid = {{1}}};
    struct made cheap = spend(at, COIN_VALUE), lost = spend(nowhere, 1000), young = spend(coinbase(BLOCKS), 1000);
    struct made dear = spend(at, COIN_VALUE - 1000000);
    static const char m[] = "sendrawtransaction";
    expect_error(m, "[\"00\"]", "-22: TX decode failed. Make sure the tx has at least one input.");
    expect_error(m, params_of("[\"%s\",1]", cheap.hex),
                 "-8: Fee rates larger than or equal to 1BTC/kvB are not accepted");
    expect_error(m, params_of("[\"%s\",-1]", cheap.hex), "-3: Amount out of range");
    expect_error(m, params_of("[\"%s\"]", cheap.hex), "-26: min relay fee not met, 0 < 10");
    expect_error(m, params_of("[\"%s\"]", lost.hex), "-25: bad-txns-inputs-missingorspent");
    expect_error(m, params_of("[\"%s\"]", young.hex),
                 "-26: bad-txns-premature-spend-of-coinbase, tried to spend coinbase at depth 1");
    expect_error(m, params_of("[\"%s\",0.05]", dear.hex),
                 "-25: Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)");
    expect_result("getrawmempool", "[]", "[]");
    expect_result(m, params_of("[\"%s\",0]", dear.hex), params_of("\"%s\"", dear.id));
    mine();
    expect_error(m, params_of("[\"%s\"]", dear.hex), "-27: Transaction outputs already in utxo set");
    expect_error("getmempoolentry", params_of("[\"%s\"]", dear.id), "-5: Transaction not in mempool");
    expect_error("getmempoolancestors", params_of("[\"%s\"]", dear.id), "-5: Transaction not in mempool");
    expect_error("getmempooldescendants", params_of("[\"%s\"]", dear.id), "-5: Transaction not in mempool");
    expect_error("getmempoolcluster", params_of("[\"%s\"]", dear.id), "-5: Transaction not in mempool");
}

/* A transaction with an output of 1000 satoshis to SCRIPT (hex). */
static const char *burning(const char *script)
{
    struct made made = spend(coinbase(1), 1000);
    char *at = strstr(made.hex, "220020"); /* the output's script */
    cr_assert_not_null(at);
    return params_of("%.*s%s%s", (int)(at - made.hex), made.hex, script, at + 70);
}

Test(rpc_mempool, burning)
{
    static const char m[] = "sendrawtransaction";
    static const char refused[] = "-25: Unspendable output exceeds maximum configured by user (maxburnamount)";
    expect_error(m, params_of("[\"%s\",0]", burning("016a")), refused);               /* OP_RETURN */
    expect_error(m, params_of("[\"%s\",0]", burning("020151")), "-26: scriptpubkey"); /* no burning: a push */
    expect_error(m, params_of("[\"%s\",0]", burning("0102")), refused);               /* breaks off */
    expect_error(m, params_of("[\"%s\",0]", burning("01ba")), refused);               /* no opcode */
    expect_error(m, params_of("[\"%s\",0,0.00000999]", burning("016a")), refused);
    json_decref(rpc_result(&f, m, params_of("[\"%s\",0,0.00001]", burning("0a6a080102030405060708"))));
}

Test(rpc_mempool, try_one)
{
    struct outpoint at = coinbase(1), nowhere = {.txid = {{1}}};
    struct made good = spend(at, COIN_VALUE - FEE), cheap = spend(at, COIN_VALUE), lost = spend(nowhere, 1000);
    static const char m[] = "testmempoolaccept";
    expect_text(m, params_of("[[\"%s\"]]", good.hex),
                params_of("[{\"txid\":\"%s\",\"wtxid\":\"%s\",\"allowed\":true,\"vsize_adjusted\":96,\"vsize\":96,"
                          "\"vsize_bip141\":96,\"fees\":{\"base\":0.00001000,\"effective-feerate\":0.00010416,"
                          "\"effective-includes\":[\"%s\"]}}]",
                          good.id, good.wtxid, good.wtxid));
    expect_result("getrawmempool", "[]", "[]");
    expect_text(m, params_of("[[\"%s\"],0.0001]", good.hex),
                params_of("[{\"txid\":\"%s\",\"wtxid\":\"%s\",\"allowed\":false,"
                          "\"reject-reason\":\"max-fee-exceeded\"}]",
                          good.id, good.wtxid));
    expect_text(m, params_of("[[\"%s\"]]", cheap.hex),
                params_of("[{\"txid\":\"%s\",\"wtxid\":\"%s\",\"allowed\":false,"
                          "\"reject-reason\":\"min relay fee not met\","
                          "\"reject-details\":\"min relay fee not met, 0 < 10\"}]",
                          cheap.id, cheap.wtxid));
    expect_text(m, params_of("[[\"%s\"]]", lost.hex),
                params_of("[{\"txid\":\"%s\",\"wtxid\":\"%s\",\"allowed\":false,"
                          "\"reject-reason\":\"missing-inputs\"}]",
                          lost.id, lost.wtxid));
}

Test(rpc_mempool, try_several)
{
    struct made parent = spend(coinbase(1), COIN_VALUE - FEE);
    struct made child = spend(output_of(&parent, 0), COIN_VALUE - 2 * FEE);
    static const char m[] = "testmempoolaccept";
    json_t *both = rpc_result(&f, m, params_of("[[\"%s\",\"%s\"]]", parent.hex, child.hex));
    cr_assert_eq(json_array_size(both), 2);
    for (size_t i = 0; i < 2; i++) cr_expect(json_is_true(json_object_get(json_array_get(both, i), "allowed")));
    json_decref(both);
    /* Of those after one whose fee is too high nothing is said. */
    both = rpc_result(&f, m, params_of("[[\"%s\",\"%s\"],0.0001]", parent.hex, child.hex));
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(both, 0), "reject-reason")), "max-fee-exceeded");
    cr_expect_null(json_object_get(json_array_get(both, 1), "allowed"));
    json_decref(both);
    both = rpc_result(&f, m, params_of("[[\"%s\",\"%s\"]]", child.hex, parent.hex));
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(both, 0), "package-error")),
                     "package-not-sorted");
    cr_expect_null(json_object_get(json_array_get(both, 0), "allowed"));
    json_decref(both);
    expect_error(m, "[[]]", "-8: Array must contain between 1 and 25 transactions.");
    expect_error(m,
                 "[[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\","
                 "\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]]",
                 "-8: Array must contain between 1 and 25 transactions.");
    expect_error(m, "[[\"ff00baar\"]]", "-22: TX decode failed: ff00baar Make sure the tx has at least one input.");
    expect_error(m, "[[1]]", "-3: JSON value of type number is not of expected type string");
}

Test(rpc_mempool, spenders)
{
    struct outpoint at = coinbase(1);
    struct made made = spend(at, COIN_VALUE - FEE);
    static const char m[] = "gettxspendingprevout";
    char id[HASH_TEXT];
    txid_text(id, &at.txid);
    send(&made);
    const char *spent = params_of("{\"txid\":\"%s\",\"vout\":0}", id);
    expect_result(m, params_of("[[%s,{\"vout\":1,\"txid\":\"%s\"}]]", spent, id),
                  params_of("[{\"txid\":\"%s\",\"vout\":0,\"spendingtxid\":\"%s\"},{\"vout\":1,\"txid\":\"%s\"}]", id,
                            made.id, id));
    spent = params_of("{\"txid\":\"%s\",\"vout\":0}", id);
    expect_result(m, params_of("[[%s],{\"return_spending_tx\":true,\"mempool_only\":false}]", spent),
                  params_of("[{\"txid\":\"%s\",\"vout\":0,\"spendingtxid\":\"%s\",\"spendingtx\":\"%s\"}]", id, made.id,
                            made.hex));
    expect_error(m, params_of("[[{\"txid\":\"%s\",\"vout\":1}],{\"mempool_only\":false}]", id),
                 "-1: Mempool lacks a relevant spend, and txospenderindex is unavailable.");
    expect_error(m, "[[]]", "-8: Invalid parameter, outputs are missing");
    expect_error(m, "[[1]]", "-3: JSON value of type number is not of expected type object");
    expect_error(m, "[[{}]]", "-3: Missing txid");
    expect_error(m, params_of("[[{\"txid\":\"%s\"}]]", id), "-3: Missing vout");
    expect_error(m, params_of("[[{\"txid\":\"%s\",\"vout\":\"0\"}]]", id),
                 "-3: JSON value of type string for field vout is not of expected type number");
    expect_error(m, params_of("[[{\"txid\":\"%s\",\"vout\":-1}]]", id),
                 "-8: Invalid parameter, vout cannot be negative");
    expect_error(m, params_of("[[{\"txid\":\"%s\",\"vout\":0,\"x\":0}]]", id), "-3: Unexpected key x");
    expect_error(m, params_of("[[{\"txid\":\"%s\",\"vout\":0}],{\"x\":0}]", id), "-3: Unexpected key x");
    expect_error(m, params_of("[[{\"txid\":\"%s\",\"vout\":0}],{\"mempool_only\":0}]", id),
                 "-3: JSON value of type number for field mempool_only is not of expected type bool");
}

Test(rpc_mempool, outputs)
{
    struct outpoint at = coinbase(1);
    struct made made = spend(at, COIN_VALUE - FEE);
    char id[HASH_TEXT];
    txid_text(id, &at.txid);
    send(&made);
    expect_result("gettxout", params_of("[\"%s\",0]", id), "null"); /* spent by the pool */
    expect_number("gettxout", params_of("[\"%s\",0,false]", id), "confirmations", BLOCKS);
    expect_number("gettxout", params_of("[\"%s\",0]", made.id), "confirmations", 0);
    expect_result("gettxout", params_of("[\"%s\",0,false]", made.id), "null");
    expect_result("gettxout", params_of("[\"%s\",1]", made.id), "null");
    /* The signers see what the pool makes, and the chain's outputs that it spends. */
    struct made next = spend(output_of(&made, 0), COIN_VALUE - 2 * FEE);
    struct made other = spend(output_of(&made, 1), COIN_VALUE - 2 * FEE);
    expect_result("combinerawtransaction", params_of("[[\"%s\",\"%s\"]]", made.hex, made.hex),
                  params_of("\"%s\"", made.hex));
    expect_result("combinerawtransaction", params_of("[[\"%s\",\"%s\"]]", next.hex, next.hex),
                  params_of("\"%s\"", next.hex));
    expect_error("combinerawtransaction", params_of("[[\"%s\",\"%s\"]]", other.hex, other.hex),
                 "-25: Input not found or already spent");
}

Test(rpc_mempool, raw)
{
    struct made made = spend(coinbase(1), COIN_VALUE - FEE);
    static const char m[] = "getrawtransaction";
    send(&made);
    expect_result(m, params_of("[\"%s\"]", made.id), params_of("\"%s\"", made.hex));
    for (int verbosity = 1; verbosity <= 2; verbosity++) {
        const char *params = params_of("[\"%s\",%d]", made.id, verbosity);
        json_t *v = rpc_result(&f, m, params);
        cr_expect_str_eq(json_object_iter_key(json_object_iter(v)), "vsize_adjusted");
        cr_expect_eq(json_integer_value(json_object_get(v, "vsize_adjusted")), 96);
        cr_expect_str_eq(json_string_value(json_object_get(v, "hex")), made.hex);
        cr_expect_null(json_object_get(v, "blockhash"));
        cr_expect_null(json_object_get(v, "fee"));
        json_decref(v);
    }
    char hash[HASH_TEXT];
    block_hash_text(hash, &chain_at(f.node->chain, 1)->header.hash);
    expect_error(m, params_of("[\"%s\",1,\"%s\"]", made.id, hash),
                 "-5: No such transaction found in the provided block. Use gettransaction for wallet transactions.");
}

/* Blocks with a witness stay readable where segwit's height is put above them. */
Test(rpc_mempool, blocks_from_before_segwit)
{
    f.node->chain->params.buried[BURIED_SEGWIT] = BLOCKS;
    expect_result("verifychain", "[1,0]", "true");
}
