/* cairn-cli without a node: JSON as text, parameters, addresses, the overview. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli.h"
#include "daemon/raw_json.h"

Test(raw_json, validity)
{
    static const char *const good[] = {
        "1",
        "-0.5e+10",
        " [1, 2,\t[] ,{}]\n",
        "{\"a\":{\"b\":[true,false,null]}}",
        "\"\\u00e9\\n\"",
        "0",
        "1E5",
        "\"\"",
        "123456789012345678901234567890.123456789012345678901234567890",
    };
    static const char *const bad[] = {
        "",     " ",     "foo",     "01",    "1.",         ".5",  "1e",      "+1",          "-",
        "[1,]", "[1 2]", "{\"a\"}", "{a:1}", "{\"a\":1,}", "\"",  "\"\\x\"", "\"\\u12g4\"", "\"\n\"",
        "[",    "]",     "1 2",     "nul",   "{\"a\":1",   "'a'", "\"\\",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) cr_expect(raw_json_is_valid(span_str(good[i])), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) cr_expect(!raw_json_is_valid(span_str(bad[i])), "%s", bad[i]);
    struct buffer deep = {0};
    for (int i = 0; i < 100000; i++) buffer_put_u8(&deep, '[');
    cr_expect(!raw_json_is_valid(buffer_span(&deep)));
    buffer_clear(&deep);
}

static void expect_pretty(const char *in, const char *expected)
{
    struct buffer out = {0};
    cr_assert(raw_json_is_valid(span_str(in)));
    raw_json_put_pretty(&out, span_str(in));
    cr_expect_str_eq(buffer_text(&out), expected);
    buffer_clear(&out);
}

Test(raw_json, indentation)
{
    expect_pretty("{\"a\":1,\"b\":[1,2,[[3]]],\"c\":{},\"d\":[]}",
                  "{\n  \"a\": 1,\n  \"b\": [\n    1,\n    2,\n    [\n      [\n        3\n      ]\n    ]\n  ],\n"
                  "  \"c\": {\n  },\n  \"d\": [\n  ]\n}");
    expect_pretty(" [ ] ", "[\n]");
    expect_pretty("{\"value\":0.10000000,\"x\":1e-8,\"n\":20999999.97690000}",
                  "{\n  \"value\": 0.10000000,\n  \"x\": 1e-8,\n  \"n\": 20999999.97690000\n}");
    expect_pretty("[\"a\\u00e9\\/\\u0001\\\"\"]", "[\n  \"a\xc3\xa9/\\u0001\\\"\"\n]");
    expect_pretty("[\"[\\\"]\",\"},\"]", "[\n  \"[\\\"]\",\n  \"},\"\n]");
    expect_pretty("{\"a[\":\"}\",\"\\\"\":{\"]\":1}}", "{\n  \"a[\": \"}\",\n  \"\\\"\": {\n    \"]\": 1\n  }\n}");
}

Test(raw_json, members)
{
    struct span v = span_str("{\"x\":{\"error\":1},\"error\":null,\"result\":\"a\\nb\"}");
    struct buffer out = {0};
    cr_expect(raw_json_is_null(raw_json_member(v, "error")));
    cr_expect_eq(raw_json_member(v, "none").len, 0);
    cr_expect_eq(raw_json_member(span_str("[1]"), "error").len, 0);
    raw_json_put_plain(&out, raw_json_member(v, "result"));
    cr_expect_str_eq(buffer_text(&out), "a\nb");
    buffer_clear(&out);
}

Test(cli, hosts)
{
    static const struct {
        const char *text;
        const char *host;
        int port; /* -1: error */
    } cases[] = {
        {"127.0.0.1", "127.0.0.1", 0},
        {"127.0.0.1:8332", "127.0.0.1", 8332},
        {"::1", "::1", 0},
        {"[::1]", "::1", 0},
        {"[::1]:80", "::1", 80},
        {"localhost:65535", "localhost", 65535},
        {"127.0.0.1:notaport", "127.0.0.1", -1},
        {"127.0.0.1:-1", "127.0.0.1", -1},
        {"127.0.0.1:0", "127.0.0.1", -1},
        {"127.0.0.1:65536", "127.0.0.1", -1},
        {"[::1]:notaport", "::1", -1},
        {"[::1]:0", "::1", -1},
        {"host:", "host", -1},
        {"", "", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *host;
        uint16_t port;
        bool ok = cli_split_host(cases[i].text, &host, &port);
        cr_expect_eq(ok, cases[i].port >= 0, "%s", cases[i].text);
        cr_expect_str_eq(host, cases[i].host);
        if (ok) cr_expect_eq(port, cases[i].port, "%s", cases[i].text);
        free(host);
    }
}

Test(cli, parameters)
{
    static const struct {
        bool named;
        const char *words[5];
        const char *params; /* NULL: error */
        const char *error;
    } cases[] = {
        {false, {"echo"}, "[]", ""},
        {false, {"echo", "0", "a\"b"}, "[\"0\",\"a\\\"b\"]", ""},
        {false, {"echojson", "0", "[1, 0.10000000]", "\"x\""}, "[0,[1, 0.10000000],\"x\"]", ""},
        {false, {"echojson", "foo"}, NULL, "Error parsing JSON: foo"},
        {false, {"nosuchmethod", "1"}, "[\"1\"]", ""},
        {true, {"echo", "arg0=0", "arg1=1", "arg2=2", "arg1=3"}, "{\"arg0\":\"0\",\"arg1\":\"3\",\"arg2\":\"2\"}", ""},
        {true, {"echojson", "[\"key=value\"]"}, "{\"args\":[[\"key=value\"]]}", ""},
        {true, {"echojson", "[\"data=test\"]", "42"}, "{\"args\":[[\"data=test\"],42]}", ""},
        {true, {"echojson", "arg0=[\"data=test\"]", "arg1=42"}, "{\"arg0\":[\"data=test\"],\"arg1\":42}", ""},
        {true, {"echo", "args=[0,1]", "4"}, "{\"args\":\"[0,1]\",\"args\":[\"4\"]}", ""},
        {true, {"echojson", "arg0=foo"}, NULL, "Error parsing JSON: foo"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buffer out = {0};
        struct buffer error = {0};
        size_t count = 0;
        while (count < 5 && cases[i].words[count]) count++;
        bool ok = cli_params(cases[i].words[0], cases[i].words + 1, count - 1, cases[i].named, &out, &error);
        cr_expect_eq(ok, cases[i].params != NULL, "case %zu", i);
        if (ok) cr_expect_str_eq(buffer_text(&out), cases[i].params);
        cr_expect_str_eq(buffer_text(&error), cases[i].error);
        buffer_clear(&out);
        buffer_clear(&error);
    }
}

Test(cli, request)
{
    struct buffer out = {0};
    cli_request(&out, "getblockhash", span_str("[0]"), "a\"b", true);
    cr_expect_str_eq(buffer_text(&out),
                     "{\"method\":\"getblockhash\",\"params\":[0],\"id\":\"a\\\"b\",\"jsonrpc\":\"2.0\"}");
    buffer_clear(&out);
}

Test(cli, overview)
{
    static const char reply[] =
        "[{\"result\":{\"chain\":\"regtest\",\"blocks\":5,\"headers\":6,\"verificationprogress\":0.5,"
        "\"difficulty\":4.656542373906925e-10},\"id\":1},"
        "{\"result\":{\"version\":319900,\"timeoffset\":0,\"connections\":3,\"connections_in\":1,\"connections_out\":2,"
        "\"networks\":[{\"name\":\"ipv4\",\"proxy\":\"127.0.0.1:9050\"},{\"name\":\"ipv6\",\"proxy\":\"\"},"
        "{\"name\":\"onion\",\"proxy\":\"127.0.0.1:9050\"},{\"name\":\"i2p\",\"proxy\":\"127.0.0.1:7656\"}],"
        "\"relayfee\":0.00000100,\"warnings\":[]},\"id\":0}]";
    static const char expected[] =
        "Chain: regtest\nBlocks: 5\nHeaders: 6\nVerification progress: \u2592\u2592\u2592\u2592\u2592\u2592\u2592"
        "\u2592\u2592\u2592\u2591\u2591\u2591\u2591\u2591\u2591\u2591\u2591\u2591\u2591 50.0000%\n"
        "Difficulty: 4.656542373906925e-10\n\nNetwork: in 1, out 2, total 3\nVersion: 319900\nTime offset (s): 0\n"
        "Proxies: 127.0.0.1:9050 (ipv4, onion), 127.0.0.1:7656 (i2p)\nMin tx relay fee rate (BTC/kvB): 0.00000100\n\n"
        "Warnings: (none)";
    struct buffer out = {0};
    struct span failed;
    cr_expect(cli_getinfo_text(span_str(reply), false, &out, &failed));
    cr_expect_str_eq(buffer_text(&out), expected);
    out.len = 0;
    cr_expect(cli_getinfo_text(span_str(reply), true, &out, &failed));
    cr_expect(strstr(buffer_text(&out), "\x1B[0m"));
    cr_expect(!cli_getinfo_text(span_str("[{\"error\":{\"code\":-28},\"id\":0},{\"id\":1}]"), false, &out, &failed));
    cr_expect(span_equal(failed, span_str("{\"code\":-28}")));
    buffer_clear(&out);
}
