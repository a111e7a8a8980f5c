/* A server for tests. */
#include "helper.h"

static void on_reply(void *ctx, int status, struct buffer *body_taken)
{
    struct rpc_fixture *f = ctx;
    buffer_clear(&f->reply);
    f->status = status;
    f->reply = *body_taken;
    f->replies++;
}

static void on_stop(void *ctx)
{
    ((struct rpc_fixture *)ctx)->stop_requested = true;
}

static void on_mock_time(void *ctx, int64_t unix_s)
{
    ((struct rpc_fixture *)ctx)->mock_time_s = unix_s;
}

void rpc_fixture_open(struct rpc_fixture *f)
{
    static const struct address_prefixes regtest = {111, 196, 239, {4, 53, 135, 207}, {4, 53, 131, 148}, "bcrt"};
    *f = (struct rpc_fixture){0};
    struct rpc_config config = {
        .host = {.ctx = f, .request_stop = on_stop, .set_mock_time = on_mock_time, .log_path = "/tmp/debug.log"},
        .prefixes = &regtest,
        .mockable = true,
        .start_us = 1000000,
    };
    f->server = rpc_server_new(&config);
    rpc_server_warmed_up(f->server);
}

void rpc_fixture_close(struct rpc_fixture *f)
{
    rpc_server_free(f->server);
    buffer_clear(&f->reply);
}

const char *rpc_ask(struct rpc_fixture *f, int64_t now_us, const char *user, const char *body)
{
    f->status = 0;
    buffer_clear(&f->reply);
    rpc_server_handle(f->server, now_us, user, span_str(body), (struct rpc_sink){.reply = on_reply, .ctx = f});
    return buffer_text(&f->reply);
}

const char *rpc_ask2(struct rpc_fixture *f, const char *method, const char *params)
{
    struct buffer body = {0};
    buffer_printf(&body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params);
    const char *reply = rpc_ask(f, 5000000, "", buffer_text(&body));
    buffer_clear(&body);
    return reply;
}
