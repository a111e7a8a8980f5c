/* Requests of the page: who may ask, for what, and how it is answered. */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/check.h"
#include "lab/web_internal.h"
#include "rpc/json_writer.h"

struct route {
    const char *path;
    enum evhttp_cmd_type method;
    void (*answer)(struct lab_web *w, struct evhttp_request *req);
};

static const struct route ROUTES[] = {
    {"/api/scenarios", EVHTTP_REQ_GET, web_api_scenarios},
    {"/api/settings", EVHTTP_REQ_GET, web_api_settings},
    {"/api/events", EVHTTP_REQ_GET, web_stream_open},
    {"/api/state", EVHTTP_REQ_GET, web_api_state},
    {"/api/theory", EVHTTP_REQ_GET, web_api_theory},
    {"/api/start", EVHTTP_REQ_POST, web_api_start},
    {"/api/control", EVHTTP_REQ_POST, web_api_control},
    {"/api/command", EVHTTP_REQ_POST, web_api_command},
    {"/api/rpc", EVHTTP_REQ_POST, web_api_rpc},
    {"/api/measure", EVHTTP_REQ_POST, web_api_measure},
};

/* ---- answers ---- */

static const char *reason_of(int status)
{
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 503: return "Service Unavailable";
    default: return status < 400 ? "OK" : "Error";
    }
}

void web_put_headers(struct evhttp_request *req, const char *type)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Content-Security-Policy",
                      "default-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
                      "form-action 'none'; frame-ancestors 'none'");
    evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
    evhttp_add_header(headers, "Referrer-Policy", "no-referrer");
    evhttp_add_header(headers, "Cross-Origin-Resource-Policy", "same-origin");
    evhttp_add_header(headers, "Cache-Control", "no-store");
}

/* libevent would send the body of an answer to HEAD. */
static void finish(struct evhttp_request *req, int status, struct evbuffer *body)
{
    bool head = evhttp_request_get_command(req) == EVHTTP_REQ_HEAD;
    char length[24];
    snprintf(length, sizeof length, "%zu", evbuffer_get_length(body));
    if (head) evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Length", length);
    evhttp_send_reply(req, status, reason_of(status), head ? NULL : body);
    evbuffer_free(body);
}

void web_reply(struct evhttp_request *req, int status, const char *type, struct buffer *body)
{
    struct evbuffer *out = evbuffer_new();
    CHECK(out && (!body->len || evbuffer_add(out, body->data, body->len) == 0));
    web_put_headers(req, type);
    finish(req, status, out);
    buffer_clear(body);
}

void web_refuse(struct evhttp_request *req, int status, const char *format, ...)
{
    char text[1024];
    struct buffer body = {0};
    struct json_writer j = json_writer_of(&body);
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    jw_object(&j);
    jw_kv_str(&j, "error", text);
    jw_object_end(&j);
    web_reply(req, status, "application/json", &body);
}

static void send_asset(struct evhttp_request *req, const struct lab_asset *asset)
{
    struct evbuffer *out = evbuffer_new();
    CHECK(out && (!asset->len || evbuffer_add_reference(out, asset->data, asset->len, NULL, NULL) == 0));
    web_put_headers(req, asset->type);
    finish(req, 200, out);
}

/* ---- what a request says ---- */

bool web_query(struct evhttp_request *req, const char *name, char *out, size_t size)
{
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(req));
    struct evkeyvalq values;
    bool found = false;
    if (!query || evhttp_parse_query_str(query, &values) != 0) return false;
    const char *value = evhttp_find_header(&values, name);
    if (value && strlen(value) < size) {
        memcpy(out, value, strlen(value) + 1);
        found = true;
    }
    evhttp_clear_headers(&values);
    return found;
}

bool web_number(const char *text, uint64_t limit, uint64_t *out)
{
    uint64_t v = 0;
    if (!*text) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        unsigned digit = (unsigned)(*text - '0');
        if (v > (limit - digit) / 10) return false;
        v = v * 10 + digit;
    }
    *out = v;
    return v <= limit;
}

/* ---- who may ask ---- */

/* A numeric address, [in brackets] where it has colons. */
static bool is_address(const char *text, size_t len)
{
    char copy[64];
    struct in6_addr parsed;
    bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';
    if (brackets) {
        text++;
        len -= 2;
    }
    if (!len || len >= sizeof copy) return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return inet_pton(brackets ? AF_INET6 : AF_INET, copy, &parsed) == 1;
}

static bool listens_everywhere(const char *address)
{
    return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

/* HOST is what this server is called: its own address or localhost, with the port. A name of somebody else's that was
 * made to lead here is not; where we listen on all addresses, any number is one of ours. */
static bool is_our_host(const struct lab_web *w, const char *host)
{
    char port[8], own[80];
    const char *colon = host ? strrchr(host, ':') : NULL;
    const char *address = w->options.address;
    snprintf(port, sizeof port, "%u", w->port);
    if (!colon || strcmp(colon + 1, port) != 0) return false;
    size_t len = (size_t)(colon - host);
    snprintf(own, sizeof own, strchr(address, ':') ? "[%.60s]" : "%.60s", address);
    if (len == strlen(own) && memcmp(host, own, len) == 0) return true;
    if (len == strlen("localhost") && strncasecmp(host, "localhost", len) == 0) return true;
    return listens_everywhere(address) && is_address(host, len);
}

static bool is_our_origin(const struct lab_web *w, const char *origin)
{
    static const char scheme[] = "http://";
    return strncmp(origin, scheme, strlen(scheme)) == 0 && is_our_host(w, origin + strlen(scheme));
}

/* ---- where it goes ---- */

static const struct lab_asset *find_asset(const char *path)
{
    const char *name = strcmp(path, "/") == 0 ? "index.html" : path + 1;
    for (size_t i = 0; i < lab_asset_count; i++)
        if (strcmp(lab_assets[i].name, name) == 0) return &lab_assets[i];
    return NULL;
}

static void refuse_method(struct evhttp_request *req, const char *allowed)
{
    evhttp_add_header(evhttp_request_get_output_headers(req), "Allow", allowed);
    web_refuse(req, 405, "only %s is answered here", allowed);
}

static void dispatch(struct lab_web *w, struct evhttp_request *req, const char *path)
{
    enum evhttp_cmd_type method = evhttp_request_get_command(req);
    for (size_t i = 0; i < ARRAY_LEN(ROUTES); i++) {
        if (strcmp(ROUTES[i].path, path) != 0) continue;
        if (method != ROUTES[i].method)
            refuse_method(req, ROUTES[i].method == EVHTTP_REQ_GET ? "GET" : "POST");
        else
            ROUTES[i].answer(w, req);
        return;
    }
    const struct lab_asset *asset = find_asset(path);
    if (!asset)
        web_refuse(req, 404, "there is nothing at %.200s", path);
    else if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD)
        refuse_method(req, "GET");
    else
        send_asset(req, asset);
}

void web_on_request(struct evhttp_request *req, void *web)
{
    struct lab_web *w = web;
    struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
    const char *origin = evhttp_find_header(headers, "Origin");
    if (!is_our_host(w, evhttp_find_header(headers, "Host")))
        web_refuse(req, 403, "this server answers to its own address alone: %s:%u", w->options.address, w->port);
    else if (evhttp_request_get_command(req) == EVHTTP_REQ_POST && origin && !is_our_origin(w, origin))
        web_refuse(req, 403, "orders come from the laboratory's own page alone");
    else if (!path || path[0] != '/')
        web_refuse(req, 404, "there is nothing there");
    else
        dispatch(w, req, path);
}
