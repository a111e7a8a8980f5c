/* Making, combining and signing raw transactions, multisig addresses and signed messages: forms and error texts. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "helper.h"

static struct rpc_fixture f;

#define TXID    "1d1d4e24ed99057e84c3f80fd8fbec79ed9e1acee37da269356ecea000000000"
#define ADDRESS "bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202"
#define OTHER   "mpLQjfK79b7CCV4VMJWEWAj5Mpx8Up5zxB"
#define WIF     "cUeKHd5orzT3mz8P9pxyREHfsWtVfgsfDjiZZBcjUBAaGk1BTj7N"
#define IN      "{\"txid\":\"" TXID "\",\"vout\":0}"

static void open_regtest(void)
{
    rpc_fixture_open_node(&f, CHAIN_REGTEST, false);
}

static void close_fixture(void)
{
    rpc_fixture_close(&f);
}

TestSuite(rpc_raw, .init = open_regtest, .fini = close_fixture, .timeout = 120);

static void expect_error(const char *method, const char *params, const char *error)
{
    const char *got = rpc_error(&f, method, params);
    cr_expect(strstr(got, error), "%s %s: %s", method, params, got);
}

/* The result as compact text; free it. */
static char *result_text(const char *method, const char *params)
{
    json_t *v = rpc_result(&f, method, params);
    char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(v);
    return text;
}

static void expect_result(const char *method, const char *params, const char *result)
{
    char *text = result_text(method, params);
    cr_expect_str_eq(text, result, "%s %s: %s", method, params, text);
    free(text);
}

/* What createrawtransaction makes of PARAMS, decoded; free it. */
static json_t *created(const char *params)
{
    char *hex = result_text("createrawtransaction", params), *list = NULL;
    cr_assert(asprintf(&list, "[%s,false]", hex) > 0);
    json_t *tx = rpc_result(&f, "decoderawtransaction", list);
    free(hex);
    free(list);
    return tx;
}

static void expect_sequence(const char *params, uint32_t sequence, int64_t lock_time, int64_t version)
{
    json_t *tx = created(params);
    const json_t *in = json_array_get(json_object_get(tx, "vin"), 0);
    cr_expect_eq(json_integer_value(json_object_get(in, "sequence")), sequence, "%s", params);
    cr_expect_eq(json_integer_value(json_object_get(tx, "locktime")), lock_time, "%s", params);
    cr_expect_eq(json_integer_value(json_object_get(tx, "version")), version, "%s", params);
    json_decref(tx);
}

Test(rpc_raw, create)
{
    expect_result("createrawtransaction", "[[],{}]", "\"02000000000000000000\"");
    expect_result("createrawtransaction", "[[],[{\"data\":\"0102\"}],5,false,3]",
                  "\"0300000000010000000000000000046a02010205000000\"");
    expect_sequence("[[" IN "],{}]", 0xfffffffd, 0, 2);
    expect_sequence("[[" IN "],{},0,false]", 0xffffffff, 0, 2);
    expect_sequence("[[" IN "],{},7,false,1]", 0xfffffffe, 7, 1);
    expect_sequence("[[{\"txid\":\"" TXID "\",\"vout\":1,\"sequence\":1000}],{},7,true]", 1000, 7, 2);
    char *list =
        result_text("createrawtransaction", "[[" IN "],[{\"" ADDRESS "\":99},{\"" OTHER "\":\"0.5\"},{\"data\":99}]]");
    expect_result("createrawtransaction", "[[" IN "],{\"" ADDRESS "\":99,\"" OTHER "\":0.5,\"data\":\"99\"}]", list);
    free(list);
}

Test(rpc_raw, create_refuses)
{
    static const char m[] = "createrawtransaction";
    expect_error(m, "[\"foo\",{}]", "JSON value of type string is not of expected type array");
    expect_error(m, "[[\"foo\"],{}]", "-3: JSON value of type string is not of expected type object");
    expect_error(m, "[[{}],{}]", "-3: JSON value of type null is not of expected type string");
    expect_error(m, "[[{\"txid\":\"foo\"}],{}]", "-8: txid must be of length 64 (not 3, for 'foo')");
    expect_error(m, "[[{\"txid\":\"" TXID "\"}],{}]", "-8: Invalid parameter, missing vout key");
    expect_error(m, "[[{\"txid\":\"" TXID "\",\"vout\":-1}],{}]", "-8: Invalid parameter, vout cannot be negative");
    expect_error(m, "[[{\"txid\":\"" TXID "\",\"vout\":1,\"sequence\":4294967296}],{}]",
                 "-8: Invalid parameter, sequence number is out of range");
    expect_error(m, "[[],\"foo\"]", "-3: JSON value of type string is not of expected type array");
    expect_error(m, "[[],null]", "-8: Invalid parameter, output argument must be non-null");
    expect_error(m, "[[],{\"data\":\"foo\"}]", "-8: Data must be hexadecimal string (not 'foo')");
    expect_error(m, "[[],{\"foo\":0}]", "-5: Invalid Bitcoin address: foo");
    expect_error(m, "[[],{\"" ADDRESS "\":\"foo\"}]", "-3: Invalid amount");
    expect_error(m, "[[],{\"" ADDRESS "\":-1}]", "-3: Amount out of range");
    expect_error(m, "[[],{\"" ADDRESS "\":1,\"" ADDRESS "\":1}]",
                 "-8: Invalid parameter, duplicated address: " ADDRESS);
    expect_error(m, "[[],[{\"" ADDRESS "\":1},{\"" ADDRESS "\":1}]]",
                 "-8: Invalid parameter, duplicated address: " ADDRESS);
    expect_error(m, "[[],{\"data\":\"aa\",\"data\":\"bb\"}]", "-8: Invalid parameter, duplicate key: data");
    expect_error(m, "[[],[{\"data\":\"aa\"},{\"data\":\"bb\"}]]", "-8: Invalid parameter, duplicate key: data");
    expect_error(m, "[[],[{\"a\":1,\"b\":2}]]", "-8: Invalid parameter, key-value pair must contain exactly one key");
    expect_error(m, "[[],[[\"a\"]]]", "-8: Invalid parameter, key-value pair not an object as expected");
    expect_error(m, "[[],{},-1]", "-8: Invalid parameter, locktime out of range");
    expect_error(m, "[[],{},4294967296]", "-8: Invalid parameter, locktime out of range");
    expect_error(m, "[[],{},0,false,0]", "-8: Invalid parameter, version out of range(1~3)");
    expect_error(m, "[[],{},0,false,4]", "-8: Invalid parameter, version out of range(1~3)");
    expect_error(m, "[[{\"txid\":\"" TXID "\",\"vout\":0,\"sequence\":4294967294}],{},0,true]",
                 "-8: Invalid parameter combination: Sequence number(s) contradict replaceable option");
}

/* METHOD with the transaction that spends IN to ADDRESS, and MORE parameters. */
static const char *with_tx(const char *more)
{
    static char params[4096];
    char *hex = result_text("createrawtransaction", "[[" IN "],{\"" ADDRESS "\":1}]");
    snprintf(params, sizeof params, "[%s,%s]", hex, more);
    free(hex);
    return params;
}

#define PREV(SCRIPT, MORE) "{\"txid\":\"" TXID "\",\"vout\":0,\"scriptPubKey\":\"" SCRIPT "\"" MORE "}"
#define P2PKH              "76a91460baa0f494b38ce3c940dea67f3804dc52d1fb9488ac" /* of WIF's key */
#define P2WPKH             "001460baa0f494b38ce3c940dea67f3804dc52d1fb94"
#define P2SH               "a914000000000000000000000000000000000000000087"

Test(rpc_raw, sign)
{
    static const char m[] = "signrawtransactionwithkey";
    json_t *v = rpc_result(&f, m, with_tx("[\"" WIF "\"],[" PREV(P2PKH, "") "]"));
    cr_expect(json_is_true(json_object_get(v, "complete")));
    cr_expect_null(json_object_get(v, "errors"));
    json_decref(v);
    v = rpc_result(&f, m, with_tx("[\"" WIF "\"],[" PREV(P2WPKH, ",\"amount\":2") "],\"NONE|ANYONECANPAY\""));
    cr_expect(json_is_true(json_object_get(v, "complete")));
    json_decref(v);
    v = rpc_result(&f, m, with_tx("[]"));
    char *text = json_dumps(json_object_get(v, "errors"), JSON_COMPACT);
    cr_expect_str_eq(text,
                     "[{\"txid\":\"" TXID "\",\"vout\":0,\"witness\":[],\"scriptSig\":\"\",\"sequence\":4294967293,"
                     "\"error\":\"Input not found or already spent\"}]");
    free(text);
    json_decref(v);
}

Test(rpc_raw, sign_refuses)
{
    static const char m[] = "signrawtransactionwithkey";
    expect_error(m, "[\"00\",[]]", "-22: TX decode failed. Make sure the tx has at least one input.");
    expect_error(m, with_tx("[\"123\"]"), "-5: Invalid private key");
    expect_error(m, with_tx("[1]"), "-3: JSON value of type number is not of expected type string");
    expect_error(m, with_tx("[],null,\"all\""), "-8: 'all' is not a valid sighash parameter.");
    expect_error(m, with_tx("[],[1]"), "-22: expected object with {\"txid'\",\"vout\",\"scriptPubKey\"}");
    expect_error(m, with_tx("[],[{}]"), "-3: Missing scriptPubKey");
    expect_error(m, with_tx("[],[{\"scriptPubKey\":\"51\",\"txid\":1}]"),
                 "-3: JSON value of type number for field txid is not of expected type string");
    expect_error(m, with_tx("[],[{\"scriptPubKey\":\"51\",\"txid\":\"" TXID "\",\"vout\":-1}]"),
                 "-22: vout cannot be negative");
    expect_error(m, with_tx("[],[" PREV("5", "") "]"), "-8: scriptPubKey must be hexadecimal string (not '5')");
    expect_error(m, with_tx("[],[" PREV(P2PKH, "") "," PREV("51", "") "]"),
                 "-22: Previous output scriptPubKey mismatch:\nOP_DUP OP_HASH160 "
                 "60baa0f494b38ce3c940dea67f3804dc52d1fb94 OP_EQUALVERIFY OP_CHECKSIG\nvs:\n1");
    expect_error(m, with_tx("[],[" PREV(P2SH, "") "]"), "-8: Missing redeemScript/witnessScript");
    expect_error(m, with_tx("[],[" PREV(P2SH, ",\"redeemScript\":\"51\"") "]"),
                 "-8: redeemScript/witnessScript does not match scriptPubKey");
    expect_error(m, with_tx("[],[" PREV(P2SH, ",\"redeemScript\":\"51\",\"witnessScript\":\"52\"") "]"),
                 "-8: redeemScript does not correspond to witnessScript");
    expect_error(m, with_tx("[],[" PREV(P2SH, ",\"redeemScript\":3") "]"),
                 "-3: JSON value of type number for field redeemScript is not of expected type string");
    expect_error(
        m, with_tx("[\"" WIF "\"],[" PREV(P2WPKH, "") "]"),
        "-3: Missing amount for CTxOut(nValue=21000000.00000000, scriptPubKey=001460baa0f494b38ce3c940dea67f)");
}

Test(rpc_raw, combine_refuses)
{
    static const char m[] = "combinerawtransaction";
    expect_error(m, "[[]]", "-22: Missing transactions. At least two transactions required.");
    expect_error(m, "[[\"00\",\"00\"]]", "-22: TX decode failed for tx 0. Make sure the tx has at least one input.");
    expect_error(m, "[[1,2]]", "-3: JSON value of type number is not of expected type string");
    char *one = result_text("createrawtransaction", "[[" IN "],{\"" ADDRESS "\":1}]");
    char *two = result_text("createrawtransaction", "[[" IN "],{\"" ADDRESS "\":2}]"), *list = NULL;
    cr_assert(asprintf(&list, "[[%s,%s]]", one, two) > 0);
    expect_error(m, list, "-8: Transaction number 2 not compatible with first transaction");
    free(list);
    cr_assert(asprintf(&list, "[[%s,%s]]", one, one) > 0);
    expect_error(m, list, "-25: Input not found or already spent");
    free(list);
    free(one);
    free(two);
}

#define KEY1 "03789ed0bb717d88f7d321a368d905e7430207ebbd82bd342cf11ae157a7ace5fd"
#define KEY2 "03dbc6764b8884a92e871274b87583e6d5c2a58819473e17e107ef3f6aa5a61626"
#define FULL                                                                                                           \
    "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554" \
    "1"                                                                                                                \
    "99c47d08ffb10d4b8"

Test(rpc_raw, multisig)
{
    static const char m[] = "createmultisig";
    static const char *const types[] = {"legacy", "p2sh-segwit", "bech32"};
    static const char *const heads[] = {"sh(multi(2,", "sh(wsh(multi(2,", "wsh(multi(2,"};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        char params[512];
        snprintf(params, sizeof params, "[2,[\"" KEY1 "\",\"" KEY2 "\"],\"%s\"]", types[i]);
        json_t *v = rpc_result(&f, m, params), *list = json_array();
        const char *desc = json_string_value(json_object_get(v, "descriptor"));
        cr_expect_str_eq(json_string_value(json_object_get(v, "redeemScript")), "5221" KEY1 "21" KEY2 "52ae");
        cr_expect(strncmp(desc, heads[i], strlen(heads[i])) == 0, "%s", desc);
        cr_expect_null(json_object_get(v, "warnings"));
        json_array_append_new(list, json_string(desc));
        char *text = json_dumps(list, 0);
        json_t *derived = rpc_result(&f, "deriveaddresses", text);
        cr_expect(json_equal(json_array_get(derived, 0), json_object_get(v, "address")), "%s", desc);
        free(text);
        json_decref(derived);
        json_decref(list);
        json_decref(v);
    }
    json_t *v = rpc_result(&f, m, "[1,[\"" KEY1 "\",\"" FULL "\"],\"bech32\"]");
    cr_expect_eq(json_array_size(json_object_get(v, "warnings")), 1u);
    cr_expect_eq(*json_string_value(json_object_get(v, "address")), '2');
    json_decref(v);
}

Test(rpc_raw, multisig_refuses)
{
    static const char m[] = "createmultisig";
    expect_error(m, "[1,[\"xx\"]]", "-5: Pubkey \"xx\" must be a hex string");
    expect_error(m, "[1,[\"02\"]]", "-5: Pubkey \"02\" must have a length of either 33 or 65 bytes");
    expect_error(m, "[1,[\"05789ed0bb717d88f7d321a368d905e7430207ebbd82bd342cf11ae157a7ace5fd\"]]",
                 " must be cryptographically valid.");
    expect_error(m, "[0,[\"" KEY1 "\"]]", "-8: a multisignature address must require at least one key to redeem");
    expect_error(m, "[2,[\"" KEY1 "\"]]", "-8: not enough keys supplied (got 1 keys, but need at least 2 to redeem)");
    expect_error(m, "[1,[\"" KEY1 "\"],\"bech32m\"]", "-5: createmultisig cannot create bech32m multisig addresses");
    expect_error(m, "[1,[\"" KEY1 "\"],\"x\"]", "-5: Unknown address type 'x'");
    struct buffer params = {0};
    buffer_put_str(&params, "[16,[\"" KEY1 "\"");
    for (int i = 1; i < 21; i++) {
        buffer_put_str(&params, ",\"" KEY1 "\"");
        if (i != 19) continue;
        buffer_put_str(&params, "]]");
        expect_error(m, buffer_text(&params), "-8: redeemScript exceeds size limit: 684 > 520");
        params.len -= 2;
    }
    buffer_put_str(&params, "],\"bech32\"]");
    expect_error(m, buffer_text(&params), "-8: Number of keys involved in the multisignature address creation > 20");
    buffer_clear(&params);
}

#define SIGNATURE "INbVnW4e6PeRmsv2Qgu8NuopvrVjkcxob+sX8OcZG0SALhWybUjzMLPdAsXI46YZGb0KQTRii+wWIQzRpG/U+S0="

Test(rpc_raw, messages)
{
    expect_result("signmessagewithprivkey", "[\"" WIF "\",\"This is just a test message\"]", "\"" SIGNATURE "\"");
    expect_result("verifymessage", "[\"" OTHER "\",\"" SIGNATURE "\",\"This is just a test message\"]", "true");
    expect_result("verifymessage", "[\"" OTHER "\",\"" SIGNATURE "\",\"This is another message\"]", "false");
    expect_result("verifymessage", "[\"" OTHER "\",\"AAAA\",\"This is just a test message\"]", "false");
    expect_error("signmessagewithprivkey", "[\"x\",\"\"]", "-5: Invalid private key");
    expect_error("verifymessage", "[\"x\",\"AAAA\",\"\"]", "-5: Invalid address");
    expect_error("verifymessage", "[\"" ADDRESS "\",\"AAAA\",\"\"]", "-3: Address does not refer to key");
    expect_error("verifymessage", "[\"" OTHER "\",\"AAA\",\"\"]", "-3: Malformed base64 encoding");
}
