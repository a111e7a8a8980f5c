/* cairn-cli without a node: JSON as text, parameters, addresses, the overview. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli.h"
#include "daemon/raw_json.h"
#include "daemon/version.h"

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

#define PEER(ID, INBOUND, TYPE, NET, PING)                                                                             \
    "{\"id\":" #ID ",\"addr\":\"10.0.0." #ID ":8333\",\"network\":\"" NET "\",\"servicesnames\":[\"NETWORK\","         \
    "\"WITNESS\",\"NETWORK_LIMITED\",\"P2P_V2\"],\"relaytxes\":true,\"lastsend\":990,\"lastrecv\":0,"                  \
    "\"last_transaction\":0,\"last_block\":400,\"conntime\":100,\"version\":70016,\"subver\":\"/a:1/"                  \
    "\",\"inbound\":" INBOUND                                                                                          \
    ",\"bip152_hb_to\":true,\"bip152_hb_from\":false,\"addr_relay_enabled\":false,\"addr_processed\":0,"               \
    "\"addr_rate_limited\":0,\"minping\":" PING ",\"pingtime\":0.0051,\"connection_type\":\"" TYPE                     \
    "\",\"transport_protocol_type\":\"v1\"}"

static const char netinfo_reply[] = "[{\"result\":[" PEER(3, "false", "manual", "ipv4", "0.3") "," PEER(
    4, "false", "outbound-full-relay", "onion",
    "0.2") "," PEER(5, "true", "inbound", "not_publicly_routable",
                    "0.9") "],\"id\":0},"
                           "{\"result\":{\"protocolversion\":70016,\"subversion\":\"/x:1/"
                           "\",\"localservicesnames\":[\"NETWORK\",\"NETWORK_LIMITED\"],"
                           "\"networks\":[{\"name\":\"ipv4\",\"reachable\":true},{\"name\":\"i2p\",\"reachable\":false}"
                           ",{\"name\":\"onion\","
                           "\"reachable\":true}],\"localaddresses\":[{\"address\":\"1.2.3.4\",\"port\":8333,\"score\":"
                           "4}]},\"id\":1}]";

Test(netinfo, counts)
{
    static const char expected[] = "cairn client v" CAIRN_VERSION " regtest - server 70016/x:1/\n\n"
                                   "         ipv4   onion     npr   total   block  manual\n"
                                   "in          0       0       1       1\n"
                                   "out         1       1       0       2       0       1\n"
                                   "total       1       1       1       3\n\n"
                                   "Local services: network, network limited\n\n"
                                   "Local addresses\n"
                                   "1.2.3.4     port   8333    score      4";
    struct netinfo_view view = {0};
    struct buffer out = {0};
    struct span failed;
    cr_expect(cli_netinfo_text(span_str(netinfo_reply), &view, 1000, "regtest", &out, &failed));
    cr_expect_str_eq(buffer_text(&out), expected, "%s", buffer_text(&out));
    buffer_clear(&out);
}

Test(netinfo, list)
{
    static const char expected[] =
        "cairn client v" CAIRN_VERSION " - server 70016/x:1/ - services nl\n\n"
        "<->   type   net   serv  v  mping   ping send recv  txn  blk  hb addrp addrl  age id address       version\n"
        "out   full onion   nwl2  1    200      5   10             10  .      .         15  4 10.0.0.4:8333 "
        "70016/a:1/\n"
        "out manual  ipv4   nwl2  1    300      5   10             10  .      .         15  3 10.0.0.3:8333 "
        "70016/a:1/\n"
        "                               ms     ms  sec  sec  min  min                  min\n\n";
    struct netinfo_view view = {.level = 4, .outbound_only = true};
    struct buffer out = {0};
    struct span failed;
    cr_expect(cli_netinfo_text(span_str(netinfo_reply), &view, 1000, "main", &out, &failed));
    cr_expect(strncmp(buffer_text(&out), expected, strlen(expected)) == 0, "%s", buffer_text(&out));
    out.len = 0;
    view = (struct netinfo_view){.level = 1};
    cr_expect(cli_netinfo_text(span_str(netinfo_reply), &view, 1000, "main", &out, &failed));
    cr_expect(strstr(buffer_text(&out), "\n in          npr"), "inbound first: %s", buffer_text(&out));
    cr_expect(!strstr(buffer_text(&out), "10.0.0.3"));
    cr_expect(!cli_netinfo_text(span_str("[{\"error\":{\"code\":-28},\"id\":0},{\"id\":1}]"), &view, 0, "main", &out,
                                &failed));
    buffer_clear(&out);
}

Test(netinfo, arguments)
{
    static const struct {
        const char *words[2];
        size_t count;
        int level; /* -1: refused */
        bool outbound_only;
        const char *error;
    } rows[] = {
        {{NULL}, 0, 0, false, ""},
        {{"3"}, 1, 3, false, ""},
        {{"255"}, 1, 4, false, ""},
        {{"2", "o"}, 2, 2, true, ""},
        {{"4", "outonly"}, 2, 4, true, ""},
        {{"256"}, 1, -1, false, "invalid -netinfo level argument: 256\n"},
        {{"x"}, 1, -1, false, "invalid -netinfo level argument: x\n"},
        {{"1", "in"}, 2, -1, false, "invalid -netinfo outonly argument: in\n"},
        {{"0", "o"},
         2,
         -1,
         false,
         "invalid -netinfo outonly argument: o\nThe outonly argument is only valid for a level "},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct netinfo_view view;
        struct buffer error = {0};
        bool ok = cli_netinfo_parse(&view, rows[i].words, rows[i].count, &error);
        cr_expect_eq(ok, rows[i].level >= 0, "row %zu", i);
        if (ok) cr_expect(view.level == (unsigned)rows[i].level && view.outbound_only == rows[i].outbound_only);
        cr_expect(strncmp(buffer_text(&error), rows[i].error, strlen(rows[i].error)) == 0, "%s", buffer_text(&error));
        buffer_clear(&error);
    }
}

Test(cli, addresses)
{
    struct buffer out = {0};
    cli_addrinfo(
        span_str("{\"ipv4\":{\"new\":1,\"tried\":2,\"total\":3},\"all_networks\":{\"new\":1,\"tried\":2,\"total\":3}}"),
        &out);
    cr_expect_str_eq(buffer_text(&out), "{\"addresses_known\":{\"ipv4\":3,\"total\":3}}");
    buffer_clear(&out);
}
