/* The server: versions, errors, HTTP status, batches, permissions, deferred calls. */
#include "rpc/server.h"

#include <criterion/criterion.h>

#include "helper.h"
#include "rpc/json_read.h"

static struct rpc_fixture f;

static void open_fixture(void)
{
    rpc_fixture_open(&f);
}

static void close_fixture(void)
{
    rpc_fixture_close(&f);
}

TestSuite(rpc_server, .init = open_fixture, .fini = close_fixture);

#define EXPECT(BODY, STATUS, REPLY)                                                                                    \
    do {                                                                                                               \
        cr_expect_str_eq(rpc_ask(&f, 5000000, "", BODY), REPLY);                                                       \
        cr_expect_eq(f.status, STATUS, "status %d", f.status);                                                         \
    } while (0)

Test(rpc_server, version_1)
{
    EXPECT("{\"method\":\"uptime\",\"id\":7}", 200, "{\"result\":4,\"error\":null,\"id\":7}\n");
    EXPECT("{\"jsonrpc\":\"1.0\",\"method\":\"uptime\",\"id\":\"x\",\"params\":[]}", 200,
           "{\"result\":4,\"error\":null,\"id\":\"x\"}\n");
    EXPECT("{\"method\":\"uptime\"}", 200, "{\"result\":4,\"error\":null}\n");
    EXPECT("{\"method\":\"nosuch\",\"id\":1}", 404,
           "{\"result\":null,\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":1}\n");
    EXPECT("{\"method\":\"getmemoryinfo\",\"params\":[\"x\"],\"id\":1}", 500,
           "{\"result\":null,\"error\":{\"code\":-8,\"message\":\"unknown mode x\"},\"id\":1}\n");
    EXPECT("{\"id\":1}", 400,
           "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Missing method\"},\"id\":1}\n");
    EXPECT("{\"id\":1,\"method\":2}", 400,
           "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Method must be a string\"},\"id\":1}\n");
    EXPECT(
        "{\"id\":1,\"method\":\"uptime\",\"params\":3}", 400,
        "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Params must be an array or object\"},\"id\":1}\n");
}

Test(rpc_server, version_2)
{
    EXPECT("{\"jsonrpc\":\"2.0\",\"method\":\"uptime\",\"id\":7}", 200,
           "{\"jsonrpc\":\"2.0\",\"result\":4,\"id\":7}\n");
    EXPECT("{\"jsonrpc\":\"2.0\",\"method\":\"uptime\",\"id\":null}", 200,
           "{\"jsonrpc\":\"2.0\",\"result\":4,\"id\":null}\n");
    EXPECT("{\"jsonrpc\":\"2.0\",\"method\":\"nosuch\",\"id\":1}", 200,
           "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":1}\n");
    EXPECT("{\"jsonrpc\":\"2.0\",\"method\":\"uptime\"}", 204, "");
    EXPECT("{\"jsonrpc\":\"2.0\",\"method\":\"nosuch\"}", 204, "");
    EXPECT("{\"jsonrpc\":\"3.0\",\"method\":\"uptime\"}", 400,
           "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"JSON-RPC version not supported\"}}\n");
    EXPECT("{\"jsonrpc\":2,\"method\":\"uptime\"}", 400,
           "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"jsonrpc field must be a string\"}}\n");
}

Test(rpc_server, what_is_no_request)
{
    static const char parse_error[] =
        "{\"result\":null,\"error\":{\"code\":-32700,\"message\":\"Parse error\"},\"id\":null}\n";
    EXPECT("", 500, parse_error);
    EXPECT("this is bad", 500, parse_error);
    EXPECT("{\"method\":\"uptime\"} x", 500, parse_error);
    EXPECT("3", 500,
           "{\"result\":null,\"error\":{\"code\":-32700,\"message\":\"Top-level object parse error\"},\"id\":null}\n");
}

Test(rpc_server, batches)
{
    EXPECT("[]", 200, "[]\n");
    EXPECT("[{\"method\":\"uptime\",\"id\":1},{\"method\":\"nosuch\",\"id\":2},{\"pizza\":1,\"id\":3},4]", 200,
           "[{\"result\":4,\"error\":null,\"id\":1},"
           "{\"result\":null,\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":2},"
           "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Missing method\"},\"id\":3},"
           "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Invalid Request object\"},\"id\":null}]\n");
    EXPECT("[{\"jsonrpc\":\"2.0\",\"method\":\"uptime\"},{\"jsonrpc\":\"2.0\",\"method\":\"uptime\",\"id\":2}]", 200,
           "[{\"jsonrpc\":\"2.0\",\"result\":4,\"id\":2}]\n");
    EXPECT("[{\"jsonrpc\":\"2.0\",\"method\":\"uptime\"},{\"jsonrpc\":\"2.0\",\"method\":\"x\"}]", 204, "");
}

Test(rpc_server, warming_up)
{
    rpc_server_set_warmup(f.server, "Loading block index…");
    EXPECT("{\"method\":\"uptime\",\"id\":1}", 500,
           "{\"result\":null,\"error\":{\"code\":-28,\"message\":\"Loading block index…\"},\"id\":1}\n");
    rpc_server_warmed_up(f.server);
    EXPECT("{\"method\":\"uptime\",\"id\":1}", 200, "{\"result\":4,\"error\":null,\"id\":1}\n");
}

static int status_for(const char *user, const char *body)
{
    rpc_ask(&f, 5000000, user, body);
    return f.status;
}

Test(rpc_server, whitelist)
{
    rpc_server_whitelist(f.server, "ann:uptime, help,");
    rpc_server_whitelist(f.server, "bob:uptime,help");
    rpc_server_whitelist(f.server, "bob:help,echo"); /* both must name it */
    rpc_server_whitelist(f.server, "cid");
    rpc_server_whitelist(f.server, "dan:");
    cr_expect_eq(status_for("ann", "{\"method\":\"uptime\"}"), 200);
    cr_expect_eq(status_for("ann", "{\"method\":\"echo\"}"), 403);
    cr_expect_eq(status_for("ann", "{\"method\":\"\"}"), 403);
    cr_expect_eq(status_for("bob", "{\"method\":\"uptime\"}"), 403);
    cr_expect_eq(status_for("bob", "{\"method\":\"help\"}"), 200);
    cr_expect_eq(status_for("bob", "{\"method\":\"echo\"}"), 403);
    cr_expect_eq(status_for("cid", "{\"method\":\"uptime\"}"), 403);
    cr_expect_eq(status_for("dan", "{\"method\":\"uptime\"}"), 403);
    cr_expect_eq(status_for("eve", "{\"method\":\"uptime\"}"), 200);
    cr_expect_eq(status_for("ann", "[{\"method\":\"uptime\"},{\"method\":\"help\"}]"), 200);
    cr_expect_eq(status_for("ann", "[{\"method\":\"uptime\"},{\"method\":\"stop\"}]"), 403);
    cr_expect_eq(status_for("ann", "[3]"), 400);
    rpc_server_whitelist_default(f.server, true);
    cr_expect_eq(status_for("eve", "{\"method\":\"uptime\"}"), 403);
    cr_expect_eq(status_for("ann", "{\"method\":\"uptime\"}"), 200);
}

Test(rpc_server, stop_answers_after_its_wait)
{
    EXPECT("{\"method\":\"stop\",\"id\":1}", 200, "{\"result\":\"cairn stopping\",\"error\":null,\"id\":1}\n");
    cr_expect(f.stop_requested);
    f.stop_requested = false;
    rpc_ask(&f, 5000000, "", "{\"method\":\"stop\",\"params\":{\"wait\":1000},\"id\":1}");
    cr_expect_eq(f.status, 0);
    cr_expect_eq(rpc_server_deadline(f.server), 6000000);
    cr_expect_eq(rpc_server_pending(f.server), 1);
    rpc_server_wake(f.server, 5500000);
    rpc_server_tick(f.server, 5999999);
    cr_expect_eq(f.status, 0);
    cr_expect_not(f.stop_requested);
    rpc_server_tick(f.server, 6000000);
    cr_expect_eq(f.status, 200);
    cr_expect(f.stop_requested);
    cr_expect_eq(rpc_server_pending(f.server), 0);
    cr_expect_eq(rpc_server_deadline(f.server), 0);
}

Test(rpc_server, a_batch_goes_on_after_a_deferred_call)
{
    rpc_ask(&f, 5000000, "",
            "[{\"method\":\"uptime\",\"id\":1},{\"method\":\"stop\",\"params\":[1],\"id\":2},"
            "{\"method\":\"uptime\",\"id\":3}]");
    cr_expect_eq(f.status, 0);
    rpc_server_tick(f.server, 9000000);
    cr_expect_eq(f.status, 200);
    cr_expect_str_eq(buffer_text(&f.reply), "[{\"result\":4,\"error\":null,\"id\":1},"
                                            "{\"result\":\"cairn stopping\",\"error\":null,\"id\":2},"
                                            "{\"result\":8,\"error\":null,\"id\":3}]\n");
}

Test(rpc_server, stopping_answers_what_waits)
{
    rpc_ask(&f, 5000000, "", "[{\"method\":\"stop\",\"params\":[100000],\"id\":1},{\"method\":\"uptime\",\"id\":2}]");
    cr_expect_eq(f.status, 0);
    rpc_server_stop(f.server, 6000000);
    cr_expect_eq(f.status, 200);
    cr_expect_str_eq(buffer_text(&f.reply),
                     "[{\"result\":\"cairn stopping\",\"error\":null,\"id\":1},"
                     "{\"result\":null,\"error\":{\"code\":-9,\"message\":\"Shutting down\"},\"id\":2}]\n");
    EXPECT("{\"method\":\"uptime\",\"id\":1}", 500,
           "{\"result\":null,\"error\":{\"code\":-9,\"message\":\"Shutting down\"},\"id\":1}\n");
}

Test(rpc_server, active_commands)
{
    rpc_ask(&f, 5000000, "", "{\"method\":\"stop\",\"params\":[100000],\"id\":1}");
    EXPECT("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"getrpcinfo\"}", 200,
           "{\"jsonrpc\":\"2.0\",\"result\":{\"active_commands\":[{\"method\":\"stop\",\"duration\":0},"
           "{\"method\":\"getrpcinfo\",\"duration\":0}],\"logpath\":\"/tmp/debug.log\"},\"id\":1}\n");
}

Test(rpc_server, deprecated_names)
{
    cr_expect_not(rpc_server_is_deprecated_allowed(f.server, "x"));
    rpc_server_allow_deprecated(f.server, "x");
    cr_expect(rpc_server_is_deprecated_allowed(f.server, "x"));
    cr_expect_not(rpc_server_is_deprecated_allowed(f.server, "y"));
}

/* Whatever the bytes, there is exactly one reply, and it is JSON or empty. */
Test(rpc_server, broken_requests)
{
    static const char whole[] = "[{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":{\"arg0\":[1.5,{\"a\":null}],"
                                "\"args\":[]},\"id\":[1]},{\"method\":\"validateaddress\",\"params\":[\"x\\u0000y\"]}]";
    for (size_t i = 0; i < sizeof whole - 1; i++) {
        for (int change = 0; change < 3; change++) {
            char body[sizeof whole];
            memcpy(body, whole, sizeof body);
            if (change == 0) body[i] = '\0';
            if (change == 1) body[i] = (char)(body[i] ^ 1);
            if (change == 2) body[i] = '"';
            unsigned before = f.replies;
            rpc_ask(&f, 1, "", body);
            cr_expect_eq(f.replies, before + 1);
            json_t *v = f.reply.len ? json_read(buffer_span(&f.reply), NULL) : json_null();
            cr_expect_not_null(v, "%s", body);
            json_decref(v);
        }
    }
}
