/* The table of methods, argument checks, help, and the methods that need no chain. */
#include <criterion/criterion.h>

#include "helper.h"
#include "rpc/call.h"
#include "rpc/help.h"
#include "rpc/table.h"

static struct rpc_fixture f;

static void open_fixture(void)
{
    rpc_fixture_open(&f);
}

static void close_fixture(void)
{
    rpc_fixture_close(&f);
}

TestSuite(rpc_methods, .init = open_fixture, .fini = close_fixture);

#define EXPECT_RESULT(METHOD, PARAMS, RESULT)                                                                          \
    cr_expect_str_eq(rpc_ask2(&f, METHOD, PARAMS), "{\"jsonrpc\":\"2.0\",\"result\":" RESULT ",\"id\":1}\n")
#define EXPECT_ERROR(METHOD, PARAMS, CODE, MESSAGE)                                                                    \
    cr_expect_str_eq(rpc_ask2(&f, METHOD, PARAMS),                                                                     \
                     "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":" CODE ",\"message\":\"" MESSAGE "\"},\"id\":1}\n")

Test(rpc_methods, table_is_sound)
{
    cr_expect_null(rpc_table_fault(), "%s", rpc_table_fault());
}

Test(rpc_methods, named_arguments)
{
    EXPECT_RESULT("echojson", "[]", "[]");
    EXPECT_RESULT("echojson", "{\"arg0\":0,\"arg9\":9}", "[0,null,null,null,null,null,null,null,null,9]");
    EXPECT_RESULT("echojson", "{\"arg1\":1}", "[null,1]");
    EXPECT_RESULT("echojson", "{\"arg9\":null}", "[null,null,null,null,null,null,null,null,null,null]");
    EXPECT_RESULT("echojson", "{\"args\":[0,1],\"arg3\":3,\"arg5\":5}", "[0,1,null,3,null,5]");
    EXPECT_RESULT("echojson", "{\"args\":[0,1]}", "[0,1]");
    EXPECT_ERROR("echojson", "{\"args\":[0,1],\"arg1\":1}", "-8",
                 "Parameter arg1 specified twice both as positional and named argument");
    EXPECT_ERROR("echojson", "{\"args\":[0,null,2],\"arg1\":1}", "-8",
                 "Parameter arg1 specified twice both as positional and named argument");
    EXPECT_ERROR("echojson", "{\"arg1\":1,\"arg1\":2}", "-8", "Parameter arg1 specified multiple times");
    EXPECT_ERROR("help", "{\"random\":\"getblock\"}", "-8", "Unknown named parameter random");
    EXPECT_ERROR("help", "{\"args\":3}", "-8", "Unknown named parameter args");
}

Test(rpc_methods, counts_and_types)
{
    EXPECT_ERROR("setmocktime", "[\"1\"]", "-3",
                 "Wrong type passed:\\n{\\n    \\\"Position 1 (timestamp)\\\": \\\"JSON value of type string is not of "
                 "expected type number\\\"\\n}");
    EXPECT_ERROR("setmocktime", "[null]", "-3",
                 "Wrong type passed:\\n{\\n    \\\"Position 1 (timestamp)\\\": \\\"JSON value of type null is not of "
                 "expected type number\\\"\\n}");
    EXPECT_ERROR("logging", "[1,{}]", "-3",
                 "Wrong type passed:\\n{\\n    \\\"Position 1 (include)\\\": \\\"JSON value of type number is not of "
                 "expected type array\\\",\\n    \\\"Position 2 (exclude)\\\": \\\"JSON value of type object is not of "
                 "expected type array\\\"\\n}");
    const char *reply = rpc_ask2(&f, "setmocktime", "[]");
    cr_expect(strstr(reply, "\"code\":-1,\"message\":\"setmocktime timestamp\\n\\n"), "%s", reply);
    cr_expect(strstr(rpc_ask2(&f, "uptime", "[1]"), "\"code\":-1,\"message\":\"uptime\\n"));
    EXPECT_ERROR("setmocktime", "[1.5]", "-1", "JSON integer out of range");
    EXPECT_ERROR("setmocktime", "[99999999999999999999]", "-1", "JSON integer out of range");
    EXPECT_ERROR("setmocktime", "[-1]", "-8", "Mocktime must be in the range [0, 4294967295], not -1.");
    EXPECT_RESULT("setmocktime", "[77]", "null");
    cr_expect_eq(f.mock_time_s, 77);
    EXPECT_ERROR("mockscheduler", "[3601]", "-1", "delta_time must be between 1 and 3600 seconds (1 hr)");
    EXPECT_ERROR("logging", "[[3]]", "-3", "JSON value of type number is not of expected type string");
    EXPECT_ERROR("logging", "[[\"nosuch\"]]", "-8", "unknown logging category nosuch");
}

static struct rpc_call value_call(void)
{
    return (struct rpc_call){.duplicate_key = ""};
}

static void expect_amount(const char *json, amount_sat expected, const char *error)
{
    struct rpc_call call = value_call();
    json_t *v = json_read(span_str(json), NULL);
    amount_sat got = rpc_value_amount(&call, v);
    cr_expect_eq(rpc_failed(&call), error != NULL, "%s", json);
    if (error)
        cr_expect_str_eq(buffer_text(&call.error_text), error, "%s", json);
    else
        cr_expect_eq(got, expected, "%s: %ld", json, (long)got);
    json_decref(v);
    rpc_call_clear(&call);
}

Test(rpc_methods, amounts)
{
    expect_amount("0.1", 10000000, NULL);
    expect_amount("\"0.1\"", 10000000, NULL);
    expect_amount("1", 100000000, NULL);
    expect_amount("1e-8", 1, NULL);
    expect_amount("0.00000001", 1, NULL);
    expect_amount("20999999.97690001", 2099999997690001, NULL);
    expect_amount("20999999.99999999", 2099999999999999, NULL);
    expect_amount("21000000", 2100000000000000, NULL);
    expect_amount("21000000.00000001", 0, "Amount out of range");
    expect_amount("-1", 0, "Amount out of range");
    expect_amount("0.000000001", 0, "Invalid amount");
    expect_amount("0.100000001", 0, "Invalid amount");
    expect_amount("\"abc\"", 0, "Invalid amount");
    expect_amount("\"\"", 0, "Invalid amount");
    expect_amount("\"1\\u0000\"", 0, "Invalid amount");
    expect_amount("1e300", 0, "Invalid amount");
    expect_amount("true", 0, "Amount is not a number or string");
    /* every eighth decimal survives the way through a double */
    for (int i = 0; i < 20000; i++) {
        amount_sat sat = 2099999990000000 + i * 7;
        char text[AMOUNT_TEXT];
        expect_amount(amount_text(text, sat), sat, NULL);
    }
}

static void expect_hash_error(const char *json, const char *error)
{
    struct rpc_call call = value_call();
    uint8_t hash[32];
    json_t *v = json_read(span_str(json), NULL);
    rpc_value_hash(&call, v, "blockhash", hash);
    cr_expect_str_eq(buffer_text(&call.error_text), error);
    json_decref(v);
    rpc_call_clear(&call);
}

Test(rpc_methods, hashes)
{
    expect_hash_error("\"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\"", "");
    expect_hash_error("\"abc\"", "blockhash must be of length 64 (not 3, for 'abc')");
    expect_hash_error("\"ZZ9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206\"",
                      "blockhash must be hexadecimal string (not "
                      "'ZZ9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206')");
    expect_hash_error("3", "JSON value of type number is not of expected type string");
}

/* The list in the help text is that of the log. */
#define TPUB                                                                                                           \
    "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B"
#define TPRV                                                                                                           \
    "tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUcMRvmDUjyEmNUWwx8UbK"

Test(rpc_methods, addresses_of_extended_keys)
{
    json_t *v = rpc_result(&f, "deriveaddresses", "[\"wpkh(" TPRV "/1/1/*)#kft60nuy\",[0,2]]");
    cr_assert_eq(json_array_size(v), 3);
    cr_expect_str_eq(json_string_value(json_array_get(v, 0)), "bcrt1qjqmxmkpmxt80xz4y3746zgt0q3u3ferr34acd5");
    cr_expect_str_eq(json_string_value(json_array_get(v, 2)), "bcrt1qpgptk2gvshyl0s9lqshsmx932l9ccsv265tvaq");
    json_decref(v);
    EXPECT_ERROR("deriveaddresses", "[\"wpkh(" TPRV "/1/1/*)#kft60nuy\"]", "-8",
                 "Range must be specified for a ranged descriptor");
    EXPECT_ERROR("deriveaddresses", "[\"wpkh(" TPUB "/1/1/0)#s9ga3alw\",2]", "-8",
                 "Range should not be specified for an un-ranged descriptor");
    v = rpc_result(&f, "getdescriptorinfo", "[\"pkh(" TPRV "/<0;1>/*)\"]");
    cr_expect(json_is_true(json_object_get(v, "isrange")) && json_is_true(json_object_get(v, "hasprivatekeys")));
    cr_expect_eq(json_array_size(json_object_get(v, "multipath_expansion")), 2);
    static const char public_form[] = "pkh(" TPUB "/0/*)#";
    const char *text = json_string_value(json_object_get(v, "descriptor"));
    cr_expect_eq(strncmp(text, public_form, strlen(public_form)), 0, "%s", text);
    json_decref(v);
}

Test(rpc_methods, echoipc_and_a_category_of_old)
{
    json_t *v = rpc_result(&f, "echoipc", "[\"hello\"]");
    cr_expect_str_eq(json_string_value(v), "hello");
    json_decref(v);
    v = rpc_result(&f, "logging", "[[\"libevent\"],[\"libevent\"]]");
    cr_expect(json_object_size(v) > 20 && !json_object_get(v, "libevent"));
    json_decref(v);
}

Test(rpc_methods, logging_help_names_every_category)
{
    struct buffer list = {0};
    json_t *v = rpc_result(&f, "logging", "[]");
    for (void *at = json_object_iter(v); at; at = json_object_iter_next(v, at))
        buffer_printf(&list, "%s%s", list.len ? ", " : "categories are: ", json_object_iter_key(at));
    buffer_put_str(&list, "\\n");
    cr_expect(strstr(rpc_ask2(&f, "help", "[\"logging\"]"), buffer_text(&list)), "%s", buffer_text(&list));
    json_decref(v);
    buffer_clear(&list);
}

Test(rpc_methods, generate_only_explains)
{
    static const char text[] = "generate\\n\\nhas been replaced by the -generate cli option. Refer to -help for more "
                               "information.\\n\"";
    cr_expect(strstr(rpc_ask2(&f, "generate", "[]"), text));
    cr_expect(strstr(rpc_ask2(&f, "help", "[\"generate\"]"), text));
}

static void expect_range(const char *json, int64_t begin, int64_t end, const char *error)
{
    struct rpc_call call = value_call();
    int64_t b, e;
    json_t *v = json_read(span_str(json), NULL);
    rpc_value_range(&call, v, &b, &e);
    cr_expect_str_eq(buffer_text(&call.error_text), error, "%s", json);
    if (!*error) cr_expect(b == begin && e == end);
    json_decref(v);
    rpc_call_clear(&call);
}

Test(rpc_methods, ranges)
{
    expect_range("5", 0, 5, "");
    expect_range("[2,5]", 2, 5, "");
    expect_range("[5,2]", 0, 0, "Range specified as [begin,end] must not have begin after end");
    expect_range("[1]", 0, 0, "Range must be specified as end or as [begin,end]");
    expect_range("[-1,5]", 0, 0, "Range should be greater or equal than 0");
    expect_range("4294967296", 0, 0, "End of range is too high");
    expect_range("1000000", 0, 0, "Range is too large");
}

static const struct rpc_method usage_row = {
    .name = "m",
    .category = "hidden",
    .summary = "s",
    .result = "",
    .args =
        RPC_ARGS(RPC_ARG("a|b", RPC_HEX, NULL, ""), RPC_ARG("v", RPC_NUM, "1", ""), RPC_ARG("w", RPC_AMOUNT, NULL, ""),
                 RPC_ARG("list", RPC_ARR, NULL, "",
                         .inner = RPC_ARGS(RPC_ARG("", RPC_OBJ, "", "",
                                                   .inner = RPC_ARGS(RPC_ARG("txid", RPC_HEX, NULL, ""),
                                                                     RPC_ARG("vout", RPC_NUM, NULL, ""))))),
                 RPC_ARG("opt", RPC_BOOL, "", ""), RPC_ARG("o", RPC_OBJ_KEYS, "", "", .usage = "\"options\""),
                 RPC_ARG("h", RPC_STR, "", "", .flags = RPC_HIDDEN)),
};

Test(rpc_methods, usage_lines)
{
    struct buffer b = {0};
    rpc_help_usage(&b, &usage_row);
    cr_expect_str_eq(buffer_text(&b), "m \"a\" ( v ) w [{\"txid\":\"hex\",\"vout\":n},...] ( opt \"options\" )");
    buffer_clear(&b);
}

Test(rpc_methods, help)
{
    const char *reply = rpc_ask2(&f, "help", "[]");
    cr_expect(strstr(reply, "\"== Blockchain ==\\ngetbestblockhash\\n"));
    cr_expect(strstr(reply, "\\n\\n== Control ==\\ngetmemoryinfo ( \\\"mode\\\" )\\ngetrpcinfo\\n"), "%s", reply);
    cr_expect(strstr(reply, "\\n\\n== Util =="));
    cr_expect_null(strstr(reply, "echojson"));
    cr_expect(strstr(rpc_ask2(&f, "help", "[\"stop\"]"), "\"result\":\"stop\\n\\nAsks"));
    EXPECT_RESULT("help", "[\"nosuch\"]", "\"help: unknown command: nosuch\"");
    cr_expect(strstr(rpc_ask2(&f, "help", "[\"dump_all_command_conversions\"]"),
                     "[\"decoderawtransaction\",1,\"iswitness\",false]"));
    struct buffer doc = {0};
    rpc_help_markdown(&doc);
    cr_expect(strstr(buffer_text(&doc), "### validateaddress\n"));
    buffer_clear(&doc);
}

Test(rpc_methods, command_line_forms)
{
    enum rpc_cli_form form;
    cr_expect_eq(rpc_param_form("echo", 0), RPC_CLI_FORM_STRING);
    cr_expect_eq(rpc_param_form("echojson", 9), RPC_CLI_FORM_JSON);
    cr_expect_eq(rpc_param_form("echojson", 10), RPC_CLI_FORM_STRING);
    cr_expect_eq(rpc_param_form("nosuch", 0), RPC_CLI_FORM_STRING);
    cr_expect(rpc_param_form_named("decoderawtransaction", "iswitness", &form));
    cr_expect_eq(form, RPC_CLI_FORM_JSON);
    cr_expect_not(rpc_param_form_named("decoderawtransaction", "iswit", &form));
    cr_expect_not(rpc_param_form_named("nosuch", "x", &form));
    cr_expect(rpc_param_is_json("stop", 0, NULL));
    cr_expect(rpc_param_is_json("stop", 0, "wait"));
    cr_expect_not(rpc_param_is_json("help", 0, NULL));
    cr_expect_not(rpc_param_is_json("help", 7, NULL));
    cr_expect_not(rpc_param_is_json("nosuch", 0, "x"));
}

Test(rpc_methods, addresses)
{
    EXPECT_RESULT("validateaddress", "[\"bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202\"]",
                  "{\"isvalid\":true,\"address\":\"bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202\",\"scriptPubKey\":"
                  "\"00140000000000000000000000000000000000000000\",\"isscript\":false,\"iswitness\":true,"
                  "\"witness_version\":0,\"witness_program\":\"0000000000000000000000000000000000000000\"}");
    const char *reply = rpc_ask2(&f, "validateaddress", "[\"nonsense\"]");
    cr_expect(strstr(reply, "\"isvalid\":false,\"error_locations\":["), "%s", reply);
}

Test(rpc_methods, decodescript)
{
    EXPECT_RESULT("decodescript", "[\"6a\"]",
                  "{\"asm\":\"OP_RETURN\",\"desc\":\"raw(6a)#4mhr9ur5\",\"type\":\"nulldata\"}");
    EXPECT_ERROR("decodescript", "[\"6\"]", "-8", "argument must be hexadecimal string (not '6')");
    const char *reply = rpc_ask2(&f, "decodescript", "[\"76a914000000000000000000000000000000000000000088ac\"]");
    cr_expect(strstr(reply, "\"type\":\"pubkeyhash\",\"p2sh\":\"2"), "%s", reply);
    cr_expect(strstr(reply, "\"segwit\":{\"asm\":\"0 0000000000000000000000000000000000000000\","), "%s", reply);
    cr_expect(strstr(reply, "\"type\":\"witness_v0_keyhash\",\"p2sh-segwit\":\"2"), "%s", reply);
}

Test(rpc_methods, decoderawtransaction)
{
    /* the coinbase of regtest's genesis block */
    const char *reply = rpc_ask2(
        &f, "decoderawtransaction",
        "[\"01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652"
        "054"
        "696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420"
        "666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61"
        "deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000\"]");
    cr_expect(strstr(reply, "{\"txid\":\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\",\"hash\":"
                            "\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\",\"version\":1,"
                            "\"size\":204,\"vsize\":204,\"weight\":816,\"locktime\":0,\"vin\":[{\"coinbase\":\"04ff"),
              "%s", reply);
    cr_expect(strstr(reply, "\"sequence\":4294967295}],\"vout\":[{\"value\":50.00000000,\"n\":0,\"scriptPubKey\":{\"asm"
                            "\":\"04678afdb0"),
              "%s", reply);
    cr_expect(strstr(reply, "\"desc\":\"pk(04678afdb0"));
    cr_expect(strstr(reply, "5fac\",\"type\":\"pubkey\"}}]}"));
    EXPECT_ERROR("decoderawtransaction", "[\"00\"]", "-22", "TX decode failed");
    EXPECT_ERROR("decoderawtransaction", "[\"\"]", "-22", "TX decode failed");
}
