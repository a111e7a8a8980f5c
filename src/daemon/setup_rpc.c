/* The RPC server and its HTTP transport: who may call, where we listen, and the hand-over between the two threads. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "daemon/cli.h"
#include "daemon/daemon.h"
#include "daemon/network_setup.h"
#include "http/http.h"
#include "node/peers.h"
#include "rpc/server.h"

enum { DRAIN_MS = 5000, SERVE_US = 10000, LONG_BYTES = 4096, WARM_UP_POLL_MS = 20 };

/* What the transport needs as long as it lives. */
struct rpc_transport {
    struct http_auth *auth;
    struct http_allow allow;
    struct http_endpoint *endpoints;
    size_t endpoint_count;
    pthread_t thread; /* warm_up */
    bool warming, warm;
};

/* ---- what the RPC server asks of the daemon ---- */

static void request_stop(void *ctx)
{
    struct daemon *d = ctx;
    if (d->node)
        node_stop(d->node);
    else
        d->stop = true;
}

static void set_mock_time(void *ctx, int64_t unix_s)
{
    struct daemon *d = ctx;
    if (!d->node) return;
    d->node->mock_time_s = unix_s;
    node_set_clock(d->node, clock_us(), clock_steady_us());
}

static void mock_forward(void *ctx, int64_t seconds)
{
    ((struct daemon *)ctx)->mock_leap_us += seconds * 1000000;
}

static bool save_mempool(void *ctx, struct buffer *path)
{
    return mempool_save(ctx, path);
}

static bool read_file(void *ctx, const char *path, struct buffer *out)
{
    (void)ctx;
    return file_read(path, out);
}

static const char *proxy_of(void *ctx, enum network net, bool *randomize)
{
    return network_proxy(ctx, net, randomize);
}

/* ---- users ---- */

static bool add_rpcauth(struct daemon *d, struct http_auth *auth, struct start_error *error)
{
    size_t count;
    const char **values = args_list(&d->args, "rpcauth", &count);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        ok = http_auth_add_hashed(auth, values[i]);
        if (!ok) log_error(&d->log.log, "Invalid -rpcauth argument.");
    }
    free(values);
    if (!ok) buffer_put_str(&error->text, "Unable to start HTTP server. See debug log for details.");
    return ok;
}

static bool cookie_mode(struct daemon *d, unsigned *mode, struct start_error *error)
{
    static const struct {
        const char *name;
        unsigned mode;
    } rows[] = {{"owner", 0600}, {"group", 0640}, {"all", 0644}};
    *mode = 0600;
    if (!args_is_set(&d->args, "rpccookieperms") || args_is_negated(&d->args, "rpccookieperms")) return true;
    const char *text = args_string(&d->args, "rpccookieperms");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(text, rows[i].name)) continue;
        *mode = rows[i].mode;
        return true;
    }
    log_error(&d->log.log, "Invalid -rpccookieperms=%s; must be one of 'owner', 'group', or 'all'.", text);
    buffer_put_str(&error->text, "Unable to start HTTP server. See debug log for details.");
    return false;
}

static bool add_cookie(struct daemon *d, struct http_auth *auth, struct start_error *error)
{
    unsigned mode;
    struct error e;
    if (!cookie_mode(d, &mode, error)) return false;
    char *path = args_file(&d->args, "rpccookiefile");
    if (!path) {
        log_info(&d->log.log, "RPC authentication cookie file generation is disabled.");
        return true;
    }
    enum result r = http_auth_write_cookie(auth, path, mode, &e);
    if (r) {
        log_error(&d->log.log, "%s", e.text);
        buffer_put_str(&error->text, "Unable to start HTTP server. See debug log for details.");
    } else {
        log_info(&d->log.log, "Generated RPC authentication cookie %s", path);
        log_info(&d->log.log, "Using random cookie authentication.");
    }
    free(path);
    return !r;
}

static bool add_users(struct daemon *d, struct http_auth *auth, struct start_error *error)
{
    const char *password = args_is_set(&d->args, "rpcpassword") ? args_string(&d->args, "rpcpassword") : "";
    if (!password[0]) {
        if (!add_cookie(d, auth, error)) return false;
    } else {
        log_info(&d->log.log, "Using rpcuser/rpcpassword authentication.");
        log_warning(&d->log.log, "The use of rpcuser/rpcpassword is less secure, because credentials are configured in "
                                 "plain text. It is recommended that locally-run instances switch to cookie-based "
                                 "auth, or otherwise to use hashed rpcauth credentials.");
        const char *user = args_is_set(&d->args, "rpcuser") ? args_string(&d->args, "rpcuser") : "";
        http_auth_add_password(auth, user, password);
    }
    return add_rpcauth(d, auth, error);
}

/* ---- where we listen ---- */

static bool add_allowed(struct daemon *d, struct http_allow *allow, struct start_error *error)
{
    size_t count;
    const char **values = args_list(&d->args, "rpcallowip", &count);
    bool ok = true;
    http_allow_init(allow);
    for (size_t i = 0; ok && i < count; i++) {
        ok = http_allow_add(allow, values[i]);
        if (!ok)
            buffer_printf(
                &error->text,
                "Invalid -rpcallowip subnet specification: %s. Valid values are a single IP (e.g. 1.2.3.4), a "
                "network/netmask (e.g. 1.2.3.4/255.255.255.0), a network/CIDR (e.g. 1.2.3.4/24), all ipv4 "
                "(0.0.0.0/0), or all ipv6 (::/0). RFC4193 is allowed only if -cjdnsreachable=0.",
                values[i]);
    }
    free(values);
    return ok;
}

static uint16_t rpc_port(const struct daemon *d)
{
    return (uint16_t)args_int_or(&d->args, "rpcport", args_chain(&d->args)->rpc_port);
}

static bool add_endpoints(struct daemon *d, struct rpc_transport *t, struct start_error *error)
{
    size_t binds, allows;
    const char **values = args_list(&d->args, "rpcbind", &binds);
    free(args_list(&d->args, "rpcallowip", &allows));
    bool local_only = !binds || !allows;
    if (binds && !allows)
        log_warning(&d->log.log, "Option -rpcbind was ignored because -rpcallowip was not specified, refusing to allow "
                                 "everyone to connect");
    if (allows && !binds)
        log_warning(&d->log.log, "Option -rpcallowip was specified without -rpcbind; this doesn't usually make sense");
    size_t count = local_only ? 2 : binds;
    t->endpoints = mem_calloc(count, sizeof(*t->endpoints));
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        struct http_endpoint *p = &t->endpoints[t->endpoint_count++];
        p->port = rpc_port(d);
        if (local_only) {
            p->host = mem_strdup(i ? "127.0.0.1" : "::1");
            continue;
        }
        char *host = NULL;
        uint16_t port;
        ok = cli_split_host(values[i], &host, &port);
        p->host = host ? host : mem_strdup("");
        if (port) p->port = port;
        if (!ok) buffer_printf(&error->text, "Invalid port specified in -rpcbind: '%s'", values[i]);
    }
    free(values);
    return ok;
}

/* ---- requests ---- */

/* On the HTTP thread: over to the engine's. */
static void on_request(void *ctx, struct http_request *req)
{
    request_queue_put(&((struct daemon *)ctx)->queue, req, http_request_body(req).len > LONG_BYTES);
}

static void reply(void *ctx, int status, struct buffer *body_taken)
{
    http_reply(ctx, status, status == 204 || status == 403 ? NULL : "application/json", body_taken);
}

/* NODE is NULL while it is being opened by another thread. */
static void serve_one(struct daemon *d, struct node *node, struct http_request *req)
{
    int64_t now = clock_us();
    if (node) node_set_clock(node, now, clock_steady_us());
    if (http_request_is_rest(req))
        http_reply(req, 404, NULL, NULL);
    else
        rpc_server_handle(d->rpc, now, http_request_user(req), http_request_body(req), (struct rpc_sink){reply, req});
}

static bool serve(struct daemon *d, struct node *node)
{
    if (!d->rpc) return false;
    struct http_request *req;
    int64_t until_us = clock_steady_us() + SERVE_US; /* then peers and timers have their turn */
    while (clock_steady_us() < until_us && (req = request_queue_take(&d->queue))) serve_one(d, node, req);
    if (node && node->tip_changes != d->tip_changes_seen) {
        d->tip_changes_seen = node->tip_changes;
        rpc_server_wake(d->rpc, clock_us());
    }
    return rpc_server_tick(d->rpc, clock_us());
}

bool rpc_serve(struct daemon *d)
{
    return serve(d, d->node);
}

/* ---- life ---- */

/* While the node is being opened, this thread owns the RPC server and answers every call with "loading". */
static void *warm_up(void *arg)
{
    struct daemon *d = arg;
    while (!__atomic_load_n(&d->transport->warm, __ATOMIC_ACQUIRE)) {
        struct pollfd fd = {.fd = d->queue.event_fd, .events = POLLIN};
        poll(&fd, 1, WARM_UP_POLL_MS);
        serve(d, NULL);
    }
    return NULL;
}

static void end_warm_up(struct daemon *d)
{
    struct rpc_transport *t = d->transport;
    if (!t || !t->warming) return;
    __atomic_store_n(&t->warm, true, __ATOMIC_RELEASE);
    pthread_join(t->thread, NULL);
    t->warming = false;
}

static void add_whitelists(struct daemon *d)
{
    size_t count;
    const char **values = args_list(&d->args, "rpcwhitelist", &count);
    for (size_t i = 0; i < count; i++) rpc_server_whitelist(d->rpc, values[i]);
    free(values);
    rpc_server_whitelist_default(d->rpc, args_bool_or(&d->args, "rpcwhitelistdefault", count > 0));
    values = args_list(&d->args, "deprecatedrpc", &count);
    for (size_t i = 0; i < count; i++) rpc_server_allow_deprecated(d->rpc, values[i]);
    free(values);
}

static void open_server(struct daemon *d)
{
    struct rpc_config config = {
        .host = {.ctx = d,
                 .request_stop = request_stop,
                 .set_mock_time = set_mock_time,
                 .mock_forward = mock_forward,
                 .save_mempool = save_mempool,
                 .read_file = read_file,
                 .proxy = proxy_of,
                 .log = &d->log.log,
                 .log_path = d->log_path},
        .prefixes = &d->options.params.prefixes,
        .mockable = d->options.params.mockable_time,
        .blocks_only = d->net_setup->options.blocks_only,
        .start_us = d->start_us,
    };
    d->rpc = rpc_server_new(&config);
    rpc_server_set_warmup(d->rpc, "RPC server started");
    add_whitelists(d);
}

bool setup_rpc(struct daemon *d, struct start_error *error)
{
    struct error e;
    if (!args_bool(&d->args, "server")) return true;
    open_server(d);
    struct rpc_transport *t = d->transport = mem_calloc(1, sizeof(*t));
    t->auth = http_auth_new();
    if (!add_allowed(d, &t->allow, error) || !add_endpoints(d, t, error) || !add_users(d, t->auth, error)) return false;
    struct http_config config = {
        .endpoints = t->endpoints,
        .endpoint_count = t->endpoint_count,
        .auth = t->auth,
        .allow = &t->allow,
        .threads = (int)args_int(&d->args, "rpcthreads"),
        .work_queue = (int)args_int(&d->args, "rpcworkqueue"),
        .timeout_s = (int)args_int(&d->args, "rpcservertimeout"),
        .log = &d->log.log,
    };
    if (!http_start(&d->http, &config, on_request, d, &e)) {
        t->warming = pthread_create(&t->thread, NULL, warm_up, d) == 0;
        return true;
    }
    log_error(&d->log.log, "%s", e.text);
    buffer_put_str(&error->text, "Unable to start HTTP server. See debug log for details.");
    return false;
}

void rpc_warmed_up(struct daemon *d)
{
    if (!d->rpc) return;
    end_warm_up(d);
    rpc_server_set_node(d->rpc, d->node);
    rpc_server_warmed_up(d->rpc);
}

void stop_rpc(struct daemon *d)
{
    if (!d->rpc) return;
    end_warm_up(d);
    if (d->http) http_interrupt(d->http);
    struct http_request *req;
    while ((req = request_queue_take(&d->queue))) http_reply(req, 503, NULL, NULL);
    rpc_server_stop(d->rpc, clock_us());
    http_stop(d->http, DRAIN_MS);
    d->http = NULL;
    while ((req = request_queue_take(&d->queue))) http_reply(req, 503, NULL, NULL);
    rpc_server_free(d->rpc);
    d->rpc = NULL;
}

void close_rpc(struct daemon *d)
{
    stop_rpc(d);
    struct rpc_transport *t = d->transport;
    if (!t) return;
    http_auth_remove_cookie(t->auth);
    http_auth_free(t->auth);
    http_allow_clear(&t->allow);
    for (size_t i = 0; i < t->endpoint_count; i++) free((char *)t->endpoints[i].host);
    free(t->endpoints);
    free(t);
    d->transport = NULL;
}
