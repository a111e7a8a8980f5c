/* One call of a node: host, credentials, HTTP. */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "daemon/cli.h"
#include "daemon/raw_json.h"

enum { RPC_IN_WARMUP = -28, FIVE_YEARS = 5 * 365 * 86400, TICK_US = 100000 };

bool cli_split_host(const char *text, char **host, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    const char *first = strchr(text, ':');
    bool bracketed = colon && colon > text && text[0] == '[' && colon[-1] == ']';
    size_t len = strlen(text);
    bool ok = true;
    *port = 0;
    if (colon && (colon == first || bracketed)) {
        const char *digits = colon + 1;
        long number = strspn(digits, "0123456789") == strlen(digits) && strlen(digits) <= 5 ? atol(digits) : 0;
        ok = number > 0 && number <= UINT16_MAX;
        *port = ok ? (uint16_t)number : 0;
        len = (size_t)(colon - text);
    }
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    *host = mem_dup(text, len + 1);
    (*host)[len] = '\0';
    return ok;
}

/* Where to send, and how the node knows us. */
struct target {
    char *host;
    uint16_t port;
    struct buffer path;
    struct buffer credentials; /* user:password */
    enum { COOKIE_UNUSED, COOKIE_READ, COOKIE_FAILED, COOKIE_DISABLED } cookie;
};

static void target_clear(struct target *t)
{
    free(t->host);
    buffer_clear(&t->path);
    buffer_clear(&t->credentials);
}

static bool find_server(const struct args *args, struct target *t, struct buffer *error)
{
    const char *connect = args_string(args, "rpcconnect");
    uint16_t own_port;
    if (!cli_split_host(connect, &t->host, &own_port)) {
        buffer_printf(error, "Invalid port provided in -rpcconnect: %s", connect);
        return false;
    }
    t->port = own_port ? own_port : args_chain(args)->rpc_port;
    const char *given = args_string(args, "rpcport");
    if (!given) return true;
    long number = *given && strspn(given, "0123456789") == strlen(given) && strlen(given) <= 5 ? atol(given) : 0;
    if (number <= 0 || number > UINT16_MAX) {
        buffer_printf(error, "Invalid port provided in -rpcport: %s", given);
        return false;
    }
    t->port = (uint16_t)number;
    if (own_port) {
        fprintf(stderr, "Warning: Port specified in both -rpcconnect and -rpcport. Using -rpcport %u\n", t->port);
    }
    return true;
}

static void find_credentials(const struct args *args, struct target *t)
{
    const char *password = args_string(args, "rpcpassword");
    if (*password) {
        buffer_printf(&t->credentials, "%s:%s", args_string(args, "rpcuser"), password);
        return;
    }
    char *path = args_file(args, "rpccookiefile");
    t->cookie = !path ? COOKIE_DISABLED : file_read(path, &t->credentials) ? COOKIE_READ : COOKIE_FAILED;
    free(path);
    const uint8_t *end = t->credentials.len ? memchr(t->credentials.data, '\n', t->credentials.len) : NULL;
    if (end) t->credentials.len = (size_t)(end - t->credentials.data);
}

static void find_path(const struct args *args, struct target *t)
{
    buffer_put_u8(&t->path, '/');
    const char *wallet = args_string(args, "rpcwallet");
    if (!wallet || args_is_negated(args, "rpcwallet")) return;
    char *encoded = evhttp_encode_uri(wallet);
    buffer_printf(&t->path, "wallet/%s", encoded ? encoded : "");
    free(encoded);
}

struct exchange {
    struct event_base *base;
    struct buffer *reply;
    int status;          /* 0: no answer */
    const char *failure; /* where the connection was made but no answer came */
    const struct cli_patience *patience;
};

/* Ends the wait where nobody wants the answer any more. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct exchange *x = arg;
    if (!x->patience->stopped(x->patience->arg)) return;
    x->failure = "stopped";
    event_base_loopbreak(x->base);
}

static void on_error(enum evhttp_request_error code, void *arg)
{
    struct exchange *x = arg;
    x->failure = code == EVREQ_HTTP_TIMEOUT ? "timeout" : code == EVREQ_HTTP_EOF ? "EOF" : "HTTP error";
    event_base_loopbreak(x->base);
}

static void on_done(struct evhttp_request *request, void *arg)
{
    struct exchange *x = arg;
    if (request && evhttp_request_get_response_code(request)) {
        x->status = evhttp_request_get_response_code(request);
        struct evbuffer *body = evhttp_request_get_input_buffer(request);
        size_t len = evbuffer_get_length(body);
        evbuffer_remove(body, buffer_extend(x->reply, len), len);
    }
    event_base_loopbreak(x->base);
}

/* Tries one address. */
static void try_address(struct exchange *x, const struct target *t, const char *address, int timeout_s,
                        struct span body)
{
    struct evhttp_connection *connection = evhttp_connection_base_new(x->base, NULL, address, t->port);
    struct evhttp_request *request = evhttp_request_new(on_done, x);
    struct buffer auth = {0};
    buffer_put_str(&auth, "Basic ");
    base64_append(&auth, buffer_span(&t->credentials));
    struct buffer path = {0};
    buffer_put_span(&path, buffer_span(&t->path));
    evhttp_connection_set_timeout(connection, timeout_s);
    evhttp_request_set_error_cb(request, on_error);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    evhttp_add_header(headers, "Host", t->host);
    evhttp_add_header(headers, "Connection", "close");
    evhttp_add_header(headers, "Content-Type", "application/json");
    evhttp_add_header(headers, "Authorization", buffer_text(&auth));
    evbuffer_add(evhttp_request_get_output_buffer(request), body.data, body.len);
    if (evhttp_make_request(connection, request, EVHTTP_REQ_POST, buffer_text(&path)) == 0) {
        event_base_dispatch(x->base);
    }
    evhttp_connection_free(connection);
    buffer_clear(&path);
    buffer_clear(&auth);
}

/* Tries the addresses of the host until one takes the connection; NULL, or what went wrong. */
static const char *exchange(struct exchange *x, const struct target *t, int timeout_s, struct span body)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(t->host, NULL, &hints, &found) != 0) return "Could not resolve host";
    x->base = event_base_new();
    struct event *tick = x->patience ? event_new(x->base, -1, EV_PERSIST, on_tick, x) : NULL;
    if (tick) event_add(tick, &(struct timeval){.tv_usec = TICK_US});
    for (struct addrinfo *a = found; a && !x->status && !x->failure; a = a->ai_next) {
        char address[NI_MAXHOST];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, address, sizeof(address), NULL, 0, NI_NUMERICHOST) != 0) continue;
        try_address(x, t, address, timeout_s, body);
    }
    if (tick) event_free(tick);
    event_base_free(x->base);
    freeaddrinfo(found);
    if (x->status) return NULL;
    return x->failure ? x->failure : "Could not connect to the server";
}

static void put_unauthorised(const struct args *args, const struct target *t, struct buffer *error)
{
    static const char *const reasons[] = {
        [COOKIE_UNUSED] = "Incorrect rpcuser or rpcpassword were specified.",
        [COOKIE_READ] = "Cookie file credentials were invalid and no rpcpassword was specified.",
        [COOKIE_FAILED] = "Failed to read cookie file and no rpcpassword was specified.",
        [COOKIE_DISABLED] = "Cookie file was disabled via -norpccookiefile and no rpcpassword was specified.",
    };
    buffer_printf(error, "Authorization failed: %s Configuration file: (%s)", reasons[t->cookie],
                  args->config_path ? args->config_path : "");
}

/* Whether the answer is a JSON-RPC reply. */
static bool check_answer(const struct args *args, const struct target *t, int status, struct buffer *reply,
                         struct buffer *error)
{
    bool json_status = status < 400 || status == 400 || status == 404 || status == 500;
    if (status == 401) {
        put_unauthorised(args, t, error);
    } else if (status == 503) {
        buffer_printf(error, "Server response: %s", buffer_text(reply));
    } else if (!json_status) {
        buffer_printf(error, "server returned HTTP error %d", status);
    } else if (!reply->len) {
        buffer_put_str(error, "no response from server");
    } else if (!raw_json_is_valid(buffer_span(reply))) {
        buffer_put_str(error, "couldn't parse reply from server");
    } else {
        return true;
    }
    return false;
}

static void ignore_log(int severity, const char *text)
{
    (void)severity;
    (void)text;
}

enum cli_outcome cli_call(const struct args *args, struct span body, struct buffer *reply, struct buffer *error)
{
    return cli_call_until(args, NULL, body, reply, error);
}

enum cli_outcome cli_call_until(const struct args *args, const struct cli_patience *patience, struct span body,
                                struct buffer *reply, struct buffer *error)
{
    struct target t = {0};
    enum cli_outcome outcome = CLI_FAILED;
    reply->len = 0;
    if (find_server(args, &t, error)) {
        find_path(args, &t);
        find_credentials(args, &t);
        int64_t timeout = args_int(args, "rpcclienttimeout");
        if (timeout <= 0 || timeout > FIVE_YEARS) timeout = FIVE_YEARS;
        struct exchange x = {.reply = reply, .patience = patience};
        event_set_log_callback(ignore_log);
        const char *failure = exchange(&x, &t, (int)timeout, body);
        if (!failure) {
            outcome = check_answer(args, &t, x.status, reply, error) ? CLI_OK : CLI_FAILED;
        } else {
            outcome = CLI_TRANSIENT;
            buffer_printf(error, "Error while attempting to communicate with server %s:%d (%s", t.host, t.port,
                          failure);
            if (!strcmp(failure, "Could not resolve host")) buffer_printf(error, ": %s", t.host);
            buffer_printf(error,
                          ")\n\nMake sure the node is running and that you are connecting to the correct RPC port.\n"
                          "Use \"%s -help\" for more info.",
                          args->table->program);
        }
    }
    target_clear(&t);
    return outcome;
}

static int64_t monotonic_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static bool is_warming_up(struct span reply)
{
    struct span code = raw_json_member(raw_json_member(reply, "error"), "code");
    char text[16] = "";
    if (code.len < sizeof(text) && code.len) memcpy(text, code.data, code.len);
    return atoi(text) == RPC_IN_WARMUP;
}

enum cli_outcome cli_call_wait(const struct args *args, struct span body, struct buffer *reply, struct buffer *error)
{
    bool wait = args_bool(args, "rpcwait");
    int64_t timeout = args_int(args, "rpcwaittimeout");
    int64_t start = monotonic_s();
    for (;;) {
        error->len = 0;
        enum cli_outcome outcome = cli_call(args, body, reply, error);
        if (outcome == CLI_OK && wait && is_warming_up(buffer_span(reply))) {
            outcome = CLI_TRANSIENT;
            buffer_put_str(error, "server in warmup");
        }
        if (outcome != CLI_TRANSIENT || !wait) return outcome;
        if (timeout > 0 && monotonic_s() - start >= timeout) {
            struct buffer whole = {0};
            buffer_put_str(&whole, "timeout on transient error: ");
            buffer_put_span(&whole, buffer_span(error));
            buffer_clear(error);
            *error = whole;
            return outcome;
        }
        sleep(1);
    }
}
