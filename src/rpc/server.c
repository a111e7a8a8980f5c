/* Requests and replies: parsing, permissions, running calls one after another, deferred calls, HTTP status. */
#include "rpc/server.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "rpc/call.h"
#include "rpc/table.h"
#include "rpc/whitelist.h"

/* One HTTP request: a single call or a batch, of which one call is running at any time. */
struct rpc_request {
    struct rpc_call call; /* first: rpc_call_complete finds the request by it */
    struct rpc_server *server;
    struct rpc_request *prev, *next; /* among the pending */
    struct rpc_sink sink;
    char *user;
    json_t *root;
    char duplicate_key[JSON_KEY_NOTE];
    bool batch;
    size_t at;           /* batch: the element that runs */
    struct buffer reply; /* handlers write straight into it */
    size_t mark;         /* where the reply of the running call starts */
    size_t result;       /* where its result starts */
    bool any_reply;
    int status;
    /* of the running call */
    char *method;
    const json_t *id; /* NULL: none was sent */
    bool version_2;
    bool running;
    int64_t started_us;
};

struct rpc_server {
    struct rpc_config config;
    struct rpc_request *first, *last; /* pending, oldest first */
    size_t pending;
    struct rpc_whitelist whitelist;
    char **deprecated;
    size_t deprecated_count;
    char *warmup; /* NULL: warmed up */
    bool stopped;
};

struct rpc_server *rpc_server_new(const struct rpc_config *config)
{
    struct rpc_server *server = mem_calloc(1, sizeof *server);
    server->config = *config;
    server->warmup = mem_strdup("RPC server started");
    return server;
}

void rpc_server_free(struct rpc_server *server)
{
    if (!server) return;
    rpc_server_stop(server, 0);
    rpc_whitelist_clear(&server->whitelist);
    for (size_t i = 0; i < server->deprecated_count; i++) free(server->deprecated[i]);
    free(server->deprecated);
    free(server->warmup);
    free(server);
}

const struct rpc_config *rpc_server_config(const struct rpc_server *server)
{
    return &server->config;
}

void rpc_server_set_node(struct rpc_server *server, struct node *node)
{
    server->config.node = node;
}

void rpc_server_set_warmup(struct rpc_server *server, const char *status)
{
    free(server->warmup);
    server->warmup = mem_strdup(status);
}

void rpc_server_warmed_up(struct rpc_server *server)
{
    free(server->warmup);
    server->warmup = NULL;
}

void rpc_server_whitelist(struct rpc_server *server, const char *value)
{
    rpc_whitelist_add(&server->whitelist, value);
}

void rpc_server_whitelist_default(struct rpc_server *server, bool deny)
{
    server->whitelist.deny_others = deny;
}

void rpc_server_allow_deprecated(struct rpc_server *server, const char *name)
{
    server->deprecated = mem_realloc(server->deprecated, server->deprecated_count + 1, sizeof *server->deprecated);
    server->deprecated[server->deprecated_count++] = mem_strdup(name);
}

bool rpc_server_is_deprecated_allowed(const struct rpc_server *server, const char *name)
{
    for (size_t i = 0; i < server->deprecated_count; i++) {
        if (strcmp(server->deprecated[i], name) == 0) return true;
    }
    return false;
}

size_t rpc_server_pending(const struct rpc_server *server)
{
    return server->pending;
}

static void list_append(struct rpc_server *server, struct rpc_request *req)
{
    req->prev = server->last;
    if (server->last)
        server->last->next = req;
    else
        server->first = req;
    server->last = req;
    server->pending++;
}

static void list_remove(struct rpc_server *server, struct rpc_request *req)
{
    if (req->prev)
        req->prev->next = req->next;
    else
        server->first = req->next;
    if (req->next)
        req->next->prev = req->prev;
    else
        server->last = req->prev;
    server->pending--;
}

/* Sends the reply and frees the request. */
static void request_finish(struct rpc_request *req)
{
    struct rpc_sink sink = req->sink;
    struct buffer reply = req->reply;
    int status = req->status;
    list_remove(req->server, req);
    rpc_call_clear(&req->call);
    json_decref(req->root);
    free(req->method);
    free(req->user);
    free(req);
    if (reply.len) buffer_put_u8(&reply, '\n');
    sink.reply(sink.ctx, status, &reply);
}

static bool is_notification(const struct rpc_request *req)
{
    return req->version_2 && !req->id;
}

static void put_id(struct rpc_request *req)
{
    if (!req->id) return;
    struct json_writer w = {.out = &req->reply, .comma = true};
    jw_key(&w, "id");
    jw_json(&w, req->id);
}

static int status_of_error(int code)
{
    if (code == RPC_INVALID_REQUEST) return 400;
    return code == RPC_METHOD_NOT_FOUND ? 404 : 500;
}

/* Turns what stands behind the mark into an error reply. */
static void put_error(struct rpc_request *req, int code, struct span message)
{
    req->reply.len = req->mark;
    struct json_writer w = json_writer_of(&req->reply);
    w.comma = req->batch && req->any_reply;
    jw_object(&w);
    if (req->version_2) {
        jw_kv_str(&w, "jsonrpc", "2.0");
    } else {
        jw_key(&w, "result");
        jw_null(&w);
    }
    jw_kv_object(&w, "error");
    jw_kv_int(&w, "code", code);
    jw_key(&w, "message");
    jw_str_span(&w, message);
    jw_object_end(&w);
    put_id(req);
    buffer_put_u8(&req->reply, '}');
}

/* Opens the reply of the running call up to where its result goes. */
static void put_prefix(struct rpc_request *req)
{
    struct json_writer w = json_writer_of(&req->reply);
    w.comma = req->batch && req->any_reply;
    jw_object(&w);
    if (req->version_2) jw_kv_str(&w, "jsonrpc", "2.0");
    jw_key(&w, "result");
    req->result = req->reply.len;
    req->call.out = json_writer_of(&req->reply);
}

static void put_suffix(struct rpc_request *req)
{
    if (req->reply.len == req->result) buffer_put_str(&req->reply, "null");
    if (!req->version_2) buffer_put_str(&req->reply, ",\"error\":null");
    put_id(req);
    buffer_put_u8(&req->reply, '}');
}

/* A single request that fails before or in its call: version 1 gets an HTTP error. */
static void element_failed(struct rpc_request *req, int code, struct span message, bool always_http_error)
{
    put_error(req, code, message);
    if (!req->batch && (always_http_error || !req->version_2)) req->status = status_of_error(code);
}

static void element_refused(struct rpc_request *req, int code, const char *message)
{
    element_failed(req, code, span_str(message), true);
}

/* Notifications leave no trace; other replies stay. */
static void element_close(struct rpc_request *req, bool silent)
{
    if (silent)
        req->reply.len = req->mark;
    else
        req->any_reply = true;
}

/* The call has its result or its failure. */
static void call_finish(struct rpc_request *req)
{
    struct rpc_call *call = &req->call;
    req->running = false;
    if (rpc_failed(call)) {
        element_failed(req, call->error_code, buffer_span(&call->error_text), false);
    } else {
        CHECK(call->out.depth == 0);
        put_suffix(req);
    }
    rpc_call_clear(call);
    element_close(req, is_notification(req));
}

/* "alnum and a few signs" of TEXT, for the log. */
static void put_sanitised(struct buffer *out, const char *text)
{
    for (; text && *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (plain || strchr(" .,;-_/:?@()", c)) buffer_put_u8(out, c);
    }
}

static void log_request(const struct rpc_request *req)
{
    struct log *log = req->server->config.host.log;
    if (!log_wants(log, LOG_DEBUG, LOGC_RPC)) return;
    struct buffer text = {0};
    buffer_put_str(&text, "ThreadRPCServer method=");
    put_sanitised(&text, req->method);
    buffer_put_str(&text, " user=");
    buffer_put_str(&text, req->user);
    buffer_put_str(&text, " id=");
    if (json_is_string(req->id)) put_sanitised(&text, json_string_value(req->id));
    if (json_is_integer(req->id)) buffer_printf(&text, "%lld", (long long)json_integer_value(req->id));
    log_debug(log, LOGC_RPC, "%s", buffer_text(&text));
    buffer_clear(&text);
}

/* Reads version, id and method of ELEMENT; false where it is no request (then the error is written). */
static bool element_parse(struct rpc_request *req, const json_t *element)
{
    free(req->method);
    req->method = NULL;
    req->version_2 = false;
    req->id = json_null();
    if (!json_is_object(element)) {
        element_refused(req, RPC_INVALID_REQUEST, "Invalid Request object");
        return false;
    }
    req->id = json_object_get(element, "id");
    const json_t *version = json_object_get(element, "jsonrpc");
    if (version && !json_is_null(version)) {
        if (!json_is_string(version)) {
            element_refused(req, RPC_INVALID_REQUEST, "jsonrpc field must be a string");
            return false;
        }
        req->version_2 = strcmp(json_string_value(version), "2.0") == 0;
        if (!req->version_2 && strcmp(json_string_value(version), "1.0") != 0) {
            element_refused(req, RPC_INVALID_REQUEST, "JSON-RPC version not supported");
            return false;
        }
    }
    const json_t *method = json_object_get(element, "method");
    if (!json_is_string(method)) {
        bool missing = !method || json_is_null(method);
        element_refused(req, RPC_INVALID_REQUEST, missing ? "Missing method" : "Method must be a string");
        return false;
    }
    req->method = mem_strdup(json_string_value(method));
    log_request(req);
    const json_t *params = json_object_get(element, "params");
    if (params && !json_is_null(params) && !json_is_array(params) && !json_is_object(params)) {
        element_refused(req, RPC_INVALID_REQUEST, "Params must be an array or object");
        return false;
    }
    return true;
}

/* Starts the call that ELEMENT asks for; it is over afterwards unless it was deferred. */
static void call_start(struct rpc_request *req, json_t *element, int64_t now_us)
{
    struct rpc_server *server = req->server;
    struct rpc_call *call = &req->call;
    *call = (struct rpc_call){
        .node = server->config.node,
        .server = server,
        .method = rpc_method_find(req->method),
        .user = req->user,
        .now_us = now_us,
        .duplicate_key = req->duplicate_key,
    };
    req->running = true;
    req->started_us = now_us;
    put_prefix(req);
    if (server->stopped)
        rpc_fail(call, RPC_CLIENT_NOT_CONNECTED, "Shutting down");
    else if (server->warmup)
        rpc_fail(call, RPC_IN_WARMUP, "%s", server->warmup);
    else if (!call->method)
        rpc_fail(call, RPC_METHOD_NOT_FOUND, "Method not found");
    else if (call->method->needs_node && !call->node)
        rpc_fail(call, RPC_INTERNAL_ERROR, "Node context not found");
    else
        rpc_bind_args(call, json_object_get(element, "params"));
    if (!rpc_failed(call)) call->method->handler(call);
    bool over = rpc_failed(call) || !call->deferred || call->deferral.wake(call, RPC_WAKE_EVENT);
    if (over || rpc_failed(call)) call_finish(req);
}

/* Runs elements until one is deferred or none is left; then replies. */
static void request_run(struct rpc_request *req, int64_t now_us)
{
    while (req->batch && req->at < json_array_size(req->root)) {
        json_t *element = json_array_get(req->root, req->at++);
        req->mark = req->reply.len;
        if (element_parse(req, element)) {
            call_start(req, element, now_us);
            if (req->running) return;
        } else {
            element_close(req, is_notification(req));
        }
    }
    if (req->batch && !req->any_reply && json_array_size(req->root) > 0) {
        req->reply.len = 0;
        req->status = 204;
    } else if (req->batch) {
        buffer_put_u8(&req->reply, ']');
    } else if (!req->any_reply && req->status == 200) {
        req->reply.len = 0;
        req->status = 204;
    }
    request_finish(req);
}

static void deny(struct rpc_request *req, const char *method)
{
    struct log *log = req->server->config.host.log;
    if (method)
        log_warning(log, "RPC User %s not allowed to call method %s", req->user, method);
    else
        log_warning(log, "RPC User %s not allowed to call any methods", req->user);
    req->status = 403;
    req->reply.len = 0;
    request_finish(req);
}

static void refuse_all(struct rpc_request *req, int code, const char *message)
{
    req->batch = false;
    req->version_2 = false;
    req->id = json_null();
    req->reply.len = req->mark = 0;
    element_refused(req, code, message);
    request_finish(req);
}

/* False where the user may not call one of the batch's methods, or it cannot be told (then it is answered). */
static bool batch_permitted(struct rpc_request *req)
{
    for (size_t i = 0; i < json_array_size(req->root); i++) {
        const json_t *element = json_array_get(req->root, i);
        const json_t *method = json_object_get(element, "method");
        if (!json_is_object(element)) {
            refuse_all(req, RPC_INVALID_REQUEST, "Invalid Request object");
            return false;
        }
        if (!json_is_string(method)) {
            refuse_all(req, RPC_PARSE_ERROR, "Method must be a string");
            return false;
        }
        if (!rpc_whitelist_allows(&req->server->whitelist, req->user, json_string_value(method))) {
            deny(req, json_string_value(method));
            return false;
        }
    }
    return true;
}

static void start_single(struct rpc_request *req, enum rpc_permission permission, int64_t now_us)
{
    if (!element_parse(req, req->root)) {
        req->any_reply = true;
        request_finish(req);
        return;
    }
    if (permission == RPC_ALLOWED_SOME && !rpc_whitelist_allows(&req->server->whitelist, req->user, req->method)) {
        deny(req, req->method);
        return;
    }
    call_start(req, req->root, now_us);
    if (!req->running) request_run(req, now_us);
}

void rpc_server_handle(struct rpc_server *server, int64_t now_us, const char *user, struct span body,
                       struct rpc_sink sink)
{
    struct rpc_request *req = mem_calloc(1, sizeof *req);
    req->server = server;
    req->sink = sink;
    req->user = mem_strdup(user);
    req->status = 200;
    list_append(server, req);
    req->root = json_read(body, req->duplicate_key);

    enum rpc_permission permission = rpc_whitelist_permission(&server->whitelist, user);
    if (!req->root) {
        refuse_all(req, RPC_PARSE_ERROR, "Parse error");
    } else if (permission == RPC_ALLOWED_NONE) {
        deny(req, NULL);
    } else if (json_is_object(req->root)) {
        start_single(req, permission, now_us);
    } else if (json_is_array(req->root)) {
        req->batch = true;
        if (permission == RPC_ALLOWED_SOME && !batch_permitted(req)) return;
        buffer_put_u8(&req->reply, '[');
        request_run(req, now_us);
    } else {
        refuse_all(req, RPC_PARSE_ERROR, "Top-level object parse error");
    }
}

void rpc_call_complete(struct rpc_call *call)
{
    struct rpc_request *req = (struct rpc_request *)call;
    int64_t now_us = call->now_us;
    CHECK(req->running && call->deferred);
    call_finish(req);
    request_run(req, now_us);
}

static void wake_one(struct rpc_request *req, enum rpc_wake why, int64_t now_us)
{
    struct rpc_call *call = &req->call;
    call->now_us = now_us;
    if (call->deferral.wake(call, why) || rpc_failed(call)) {
        rpc_call_complete(call);
    } else if (why == RPC_WAKE_STOP) {
        rpc_fail(call, RPC_CLIENT_NOT_CONNECTED, "Shutting down");
        rpc_call_complete(call);
    }
}

/* Requests pending at the start are each looked at once. A completed one is freed, so the next is taken before; a wake
 * function must not complete another call. */
void rpc_server_wake(struct rpc_server *server, int64_t now_us)
{
    struct rpc_request *next;
    for (struct rpc_request *req = server->first; req; req = next) {
        next = req->next;
        if (req->running && req->call.deferred) wake_one(req, RPC_WAKE_EVENT, now_us);
    }
}

bool rpc_server_tick(struct rpc_server *server, int64_t now_us)
{
    bool more = false;
    struct rpc_request *next;
    for (struct rpc_request *req = server->first; req; req = next) {
        next = req->next;
        if (!req->running || !req->call.deferred) continue;
        const struct rpc_deferral *d = &req->call.deferral;
        if (d->deadline_us && d->deadline_us <= now_us)
            wake_one(req, RPC_WAKE_TIMEOUT, now_us);
        else if (d->wants_slices)
            wake_one(req, RPC_WAKE_SLICE, now_us);
    }
    for (struct rpc_request *req = server->first; req; req = req->next) {
        if (req->running && req->call.deferred && req->call.deferral.wants_slices) more = true;
    }
    return more;
}

int64_t rpc_server_deadline(const struct rpc_server *server)
{
    int64_t earliest = 0;
    for (const struct rpc_request *req = server->first; req; req = req->next) {
        int64_t at = req->running && req->call.deferred ? req->call.deferral.deadline_us : 0;
        if (at && (!earliest || at < earliest)) earliest = at;
    }
    return earliest;
}

void rpc_server_stop(struct rpc_server *server, int64_t now_us)
{
    struct rpc_request *next;
    server->stopped = true;
    for (struct rpc_request *req = server->first; req; req = next) {
        next = req->next;
        if (req->running && req->call.deferred) wake_one(req, RPC_WAKE_STOP, now_us);
    }
}

struct rpc_call *rpc_server_find_deferred(const struct rpc_server *server, const struct rpc_method *method)
{
    for (struct rpc_request *req = server->first; req; req = req->next) {
        if (req->running && req->call.deferred && req->call.method == method) return &req->call;
    }
    return NULL;
}

void rpc_server_write_active(const struct rpc_server *server, int64_t now_us, struct json_writer *w)
{
    jw_array(w);
    for (const struct rpc_request *req = server->first; req; req = req->next) {
        if (!req->running) continue;
        jw_object(w);
        jw_kv_str(w, "method", req->method);
        jw_kv_int(w, "duration", now_us - req->started_us);
        jw_object_end(w);
    }
    jw_array_end(w);
}
