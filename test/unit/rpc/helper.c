/* A server for tests. */
#include "helper.h"

#include <criterion/criterion.h>

#include "index/index.h"

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

static void open_server(struct rpc_fixture *f)
{
    static const struct address_prefixes regtest = {111, 196, 239, {4, 53, 135, 207}, {4, 53, 131, 148}, "bcrt"};
    struct rpc_config config = {
        .host = {.ctx = f, .request_stop = on_stop, .set_mock_time = on_mock_time, .log_path = "/tmp/debug.log"},
        .node = f->node,
        .prefixes = &regtest,
        .mockable = true,
        .start_us = 1000000,
    };
    f->server = rpc_server_new(&config);
    rpc_server_warmed_up(f->server);
}

void rpc_fixture_open(struct rpc_fixture *f)
{
    *f = (struct rpc_fixture){0};
    open_server(f);
}

static void open_stores(struct rpc_fixture *f, bool indexes)
{
    memory_store_open(&f->ports.index, &f->fault);
    memory_store_open(&f->ports.coins, &f->fault);
    memory_files_open(&f->ports.files, &f->fault);
    if (!indexes) return;
    memory_store_open(&f->tx_index, &f->fault);
    memory_store_open(&f->coin_stats, &f->fault);
    memory_store_open(&f->filters, &f->fault);
}

static void catch_up(struct rpc_fixture *f)
{
    struct error e = {0};
    bool synced = false;
    if (!f->node->tx_index) return;
    enum result r = tx_index_catch_up(f->node->tx_index, 1000, &synced, &e);
    cr_assert(r == RESULT_OK && synced, "%s", e.text);
    r = coin_stats_index_catch_up(f->node->coin_stats, 1000, &synced, &e);
    cr_assert(r == RESULT_OK && synced, "%s", e.text);
    r = filter_index_catch_up(f->node->filters, 1000, &synced, &e);
    cr_assert(r == RESULT_OK && synced, "%s", e.text);
}

void rpc_fixture_open_node(struct rpc_fixture *f, enum chain_type type, bool indexes)
{
    struct error e = {0};
    *f = (struct rpc_fixture){0};
    open_stores(f, indexes);
    struct node_options options = {
        .chain = {.cache_bytes = 64 << 20, .max_file_bytes = 1 << 20, .sig_cache_bytes = 1 << 16, .seed = {7}},
        .params = *chain_params_get(type),
        .subversion = "/Satoshi:31.99.0/cairn:0.1.0/",
        .mock_time_s = 1600000000,
        .block_reserved_weight_wu = 8000,
        .block_min_fee_sat = 1,
        .tx_index = f->tx_index,
        .coin_stats = f->coin_stats,
        .filters = f->filters,
    };
    enum result r = node_open(&f->node, &options, &f->ports, INT64_C(1600000000000000), NULL, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
    r = node_activate(f->node, NULL, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
    catch_up(f);
    open_server(f);
}

void rpc_fixture_close(struct rpc_fixture *f)
{
    rpc_server_free(f->server);
    buffer_clear(&f->reply);
    if (!f->node) return;
    node_free(f->node);
    memory_store_close(&f->ports.index);
    memory_store_close(&f->ports.coins);
    memory_files_close(&f->ports.files);
    if (!f->tx_index.ops) return;
    memory_store_close(&f->tx_index);
    memory_store_close(&f->coin_stats);
    memory_store_close(&f->filters);
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

static json_t *reply_field(struct rpc_fixture *f, const char *method, const char *params, const char *key)
{
    rpc_ask2(f, method, params);
    for (int i = 0; i < 10000 && !f->status; i++) rpc_server_tick(f->server, 5000000);
    json_t *reply = json_loadb((const char *)f->reply.data, f->reply.len, 0, NULL);
    json_t *v = json_object_get(reply, key);
    cr_assert_not_null(v, "%s %s: %s", method, params, f->reply.len ? buffer_text(&f->reply) : "no reply");
    json_incref(v);
    json_decref(reply);
    return v;
}

json_t *rpc_result(struct rpc_fixture *f, const char *method, const char *params)
{
    return reply_field(f, method, params, "result");
}

const char *rpc_error(struct rpc_fixture *f, const char *method, const char *params)
{
    json_t *error = reply_field(f, method, params, "error");
    struct buffer text = {0};
    buffer_printf(&text, "%d: %s", (int)json_integer_value(json_object_get(error, "code")),
                  json_string_value(json_object_get(error, "message")));
    json_decref(error);
    buffer_clear(&f->reply);
    f->reply = text;
    return buffer_text(&f->reply);
}
