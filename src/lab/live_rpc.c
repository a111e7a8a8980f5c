/* JSON-RPC to the nodes of a live laboratory. */
#include "lab/live_rpc.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"

enum { TICK_US = 10000, PATIENCE_S = 5, COOKIE_MAX = 512 };

int64_t live_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- the loop ---- */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
}

void live_loop_open(struct live_loop *l, bool (*stopped)(void *arg), void *arg)
{
    *l = (struct live_loop){.base = event_base_new(), .stopped = stopped, .stopped_arg = arg};
    l->tick = event_new(l->base, -1, EV_PERSIST, on_tick, NULL);
    event_add(l->tick, &(struct timeval){.tv_usec = TICK_US});
}

void live_loop_close(struct live_loop *l)
{
    if (!l->base) return;
    event_free(l->tick);
    event_base_free(l->base);
    *l = (struct live_loop){0};
}

bool live_loop_is_stopped(const struct live_loop *l)
{
    return l->stopped && l->stopped(l->stopped_arg);
}

bool live_loop_run(struct live_loop *l, int milliseconds)
{
    int64_t end = live_now_us() + (int64_t)milliseconds * 1000;
    event_base_loop(l->base, EVLOOP_NONBLOCK);
    while (!live_loop_is_stopped(l) && live_now_us() < end) event_base_loop(l->base, EVLOOP_ONCE);
    return !live_loop_is_stopped(l);
}

/* ---- requests ---- */

void live_rpc_open(struct live_rpc *r, struct live_loop *loop, uint16_t port, const char *cookie)
{
    *r = (struct live_rpc){.loop = loop, .port = port};
    snprintf(r->cookie, sizeof(r->cookie), "%s", cookie);
    r->calls = evhttp_connection_base_new(loop->base, NULL, "127.0.0.1", port);
    r->probes = evhttp_connection_base_new(loop->base, NULL, "127.0.0.1", port);
    evhttp_connection_set_timeout(r->probes, PATIENCE_S);
    evhttp_connection_set_timeout(r->calls, PATIENCE_S);
}

void live_rpc_close(struct live_rpc *r)
{
    if (r->probes) evhttp_connection_free(r->probes); /* ends the question under way, too */
    if (r->calls) evhttp_connection_free(r->calls);
    buffer_clear(&r->authorization);
    *r = (struct live_rpc){0};
}

/* The cookie is there as soon as the node listens. */
static bool read_cookie(struct live_rpc *r)
{
    char text[COOKIE_MAX];
    if (r->authorization.len) return true;
    FILE *file = fopen(r->cookie, "re");
    if (!file) return false;
    size_t len = fread(text, 1, sizeof(text), file);
    fclose(file);
    if (!len) return false;
    buffer_put_str(&r->authorization, "Basic ");
    base64_append(&r->authorization, span_of(text, len));
    return true;
}

static bool send_request(struct live_rpc *r, struct evhttp_connection *c, struct evhttp_request *request,
                         struct span body)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    evhttp_add_header(headers, "Host", "127.0.0.1");
    evhttp_add_header(headers, "Content-Type", "application/json");
    evhttp_add_header(headers, "Authorization", buffer_text(&r->authorization));
    evbuffer_add(evhttp_request_get_output_buffer(request), body.data, body.len);
    return evhttp_make_request(c, request, EVHTTP_REQ_POST, "/") == 0;
}

static int take_reply(struct evhttp_request *request, struct buffer *out)
{
    int status = request ? evhttp_request_get_response_code(request) : 0;
    struct evbuffer *body = status ? evhttp_request_get_input_buffer(request) : NULL;
    size_t len = body ? evbuffer_get_length(body) : 0;
    if (len) evbuffer_remove(body, buffer_extend(out, len), len);
    return status;
}

/* ---- the question ---- */

static void on_probe_error(enum evhttp_request_error code, void *arg)
{
    struct live_rpc *r = arg;
    if (code == EVREQ_HTTP_TIMEOUT) r->silent = true;
}

static void on_probe(struct evhttp_request *request, void *arg)
{
    struct live_rpc *r = arg;
    struct buffer reply = {0};
    r->probing = NULL;
    int status = take_reply(request, &reply);
    r->unreachable = status == 0;
    json_t *root = status == 200 ? json_loadb((const char *)reply.data, reply.len, 0, NULL) : NULL;
    const char *best = json_string_value(json_object_get(root, "result"));
    if (best && strlen(best) == LIVE_HASH_TEXT - 1) {
        if (!r->outdated) memcpy(r->best, best, LIVE_HASH_TEXT);
        r->silent = false;
        r->answers++;
    }
    r->outdated = false;
    json_decref(root);
    buffer_clear(&reply);
}

void live_rpc_set_best(struct live_rpc *r, const char *hash)
{
    snprintf(r->best, sizeof(r->best), "%s", hash);
    r->outdated = r->probing != NULL;
}

void live_rpc_probe(struct live_rpc *r)
{
    static const char body[] = "{\"method\":\"getbestblockhash\",\"params\":[],\"id\":1}";
    if (r->probing || !read_cookie(r)) return;
    r->probing = evhttp_request_new(on_probe, r);
    evhttp_request_set_error_cb(r->probing, on_probe_error);
    if (!send_request(r, r->probes, r->probing, span_str(body))) r->probing = NULL;
}

/* ---- calls ---- */

struct call {
    struct buffer *reply;
    int status;
    bool done, late;
};

static void on_call_error(enum evhttp_request_error code, void *arg)
{
    struct call *c = arg;
    c->late = code == EVREQ_HTTP_TIMEOUT;
}

static void on_call(struct evhttp_request *request, void *arg)
{
    struct call *c = arg;
    c->status = take_reply(request, c->reply);
    c->done = true;
}

static int fail(struct live_rpc *r, const char *why)
{
    r->error_code = 0;
    snprintf(r->error, sizeof(r->error), "%s", why);
    return 0;
}

int live_rpc_post(struct live_rpc *r, struct span body, struct buffer *reply)
{
    struct call c = {.reply = reply};
    if (r->silent) return fail(r, "the node does not answer");
    if (!read_cookie(r)) return fail(r, "the node has not written its cookie yet");
    struct evhttp_request *request = evhttp_request_new(on_call, &c);
    evhttp_request_set_error_cb(request, on_call_error);
    if (!send_request(r, r->calls, request, body)) return fail(r, "the request cannot be sent");
    int64_t end = live_now_us() + PATIENCE_S * INT64_C(1000000);
    while (!c.done && !c.late && live_now_us() < end && !live_loop_is_stopped(r->loop))
        event_base_loop(r->loop->base, EVLOOP_ONCE);
    if (!c.done && !c.late) {
        r->silent = !live_loop_is_stopped(r->loop);
        evhttp_cancel_request(request);
        return fail(r, r->silent ? "the node does not answer" : "stopped");
    }
    if (c.late) r->silent = true;
    return c.status ? c.status : fail(r, c.late ? "the node does not answer" : "no connection to the node");
}

static json_t *call(struct live_rpc *r, const char *method, const char *format, va_list values)
{
    struct buffer body = {0}, reply = {0};
    json_t *result = NULL;
    buffer_printf(&body, "{\"method\":\"%s\",\"id\":1,\"params\":[", method);
    va_list copy;
    va_copy(copy, values);
    int len = vsnprintf(NULL, 0, format, copy);
    va_end(copy);
    if (len > 0) {
        vsnprintf((char *)buffer_reserve(&body, (size_t)len + 1), (size_t)len + 1, format, values);
        body.len += (size_t)len;
    }
    buffer_put_str(&body, "]}");
    int status = live_rpc_post(r, buffer_span(&body), &reply);
    json_t *root = status ? json_loadb((const char *)reply.data, reply.len, 0, NULL) : NULL;
    const json_t *error = json_object_get(root, "error");
    if (root && json_is_object(error)) {
        const char *message = json_string_value(json_object_get(error, "message"));
        fail(r, message ? message : "an error without words");
        r->error_code = (int)json_integer_value(json_object_get(error, "code"));
    } else if (root) {
        result = json_incref(json_object_get(root, "result"));
    } else if (status) {
        fail(r, "an answer that is no JSON");
    }
    json_decref(root);
    buffer_clear(&reply);
    buffer_clear(&body);
    return result;
}

json_t *live_rpc_call(struct live_rpc *r, const char *method, const char *params, ...)
{
    va_list values;
    va_start(values, params);
    json_t *result = call(r, method, params, values);
    va_end(values);
    return result;
}

bool live_rpc_do(struct live_rpc *r, const char *method, const char *params, ...)
{
    va_list values;
    va_start(values, params);
    json_t *result = call(r, method, params, values);
    va_end(values);
    json_decref(result);
    return result != NULL;
}
