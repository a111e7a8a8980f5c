/* Connecting to others: a name is resolved, then its addresses are tried one after the other; or a proxy is given the
 * name or address, and nothing is resolved here. */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/net_internal.h"
#include "net/socks5.h"

enum { PROXY_TIMEOUT_S = 20 }; /* of each of its answers: Tor needs long to build a circuit */

struct dial {
    struct net *net;
    struct dial *prev, *next;
    bool listed;
    uint64_t number;
    char host[NET_HOST]; /* "" where the endpoint is given */
    char name[NET_HOST]; /* the name in it; "": an address */
    uint16_t port;
    bool lookup, loud;
    struct query *query;
    struct endpoint *to; /* what remains to be tried */
    size_t count, at;
    char proxy[NET_PROXY]; /* "": none */
    bool isolate, proxy_failed;
    struct socks5 *socks5;
    int fd;
    struct event *event;
};

struct dial *dial_new(struct net *net, uint64_t number, const struct net_target *target)
{
    struct dial *d = mem_calloc(1, sizeof(*d));
    *d = (struct dial){.net = net,
                       .number = number,
                       .port = target->default_port,
                       .lookup = target->lookup,
                       .loud = target->loud,
                       .isolate = target->isolate,
                       .fd = -1};
    snprintf(d->proxy, sizeof(d->proxy), "%s", target->proxy ? target->proxy : "");
    snprintf(d->host, sizeof(d->host), "%s", target->host ? target->host : "");
    d->to = mem_calloc(1, sizeof(*d->to));
    d->to[0] = target->to;
    d->count = d->host[0] ? 0 : 1;
    return d;
}

static void socket_drop(struct dial *d)
{
    if (d->event) event_free(d->event);
    if (d->fd >= 0) close(d->fd);
    free(d->socks5);
    d->event = NULL;
    d->socks5 = NULL;
    d->fd = -1;
}

void dial_free(struct dial *d)
{
    socket_drop(d);
    if (d->query) query_cancel(d->query);
    if (d->listed) {
        if (d->prev)
            d->prev->next = d->next;
        else
            d->net->dials = d->next;
        if (d->next) d->next->prev = d->prev;
        d->net->dial_count--;
    }
    free(d->to);
    free(d);
}

static void log_failure(const struct dial *d, const char *what, int error)
{
    char where[ENDPOINT_TEXT], text[SOCKET_ERROR_TEXT];
    endpoint_text(where, &d->to[d->at]);
    socket_error_text(text, error);
    if (d->loud)
        log_info(d->net->options.log, "connect() to %s failed%s: %s", where, what, text);
    else
        log_debug(d->net->options.log, LOGC_NET, "connect() to %s failed%s: %s", where, what, text);
}

/* Frees D. */
static void dial_fail(struct dial *d)
{
    struct net_event *event = net_event_add(d->net, NET_DIAL_FAILED, 0);
    event->failed.dial = d->number;
    event->failed.found = d->count > 0 && !d->proxy[0];
    event->failed.proxy_failed = d->proxy_failed;
    if (d->count) event->failed.at = d->to[d->at < d->count ? d->at : d->count - 1];
    dial_free(d);
}

/* Frees D. */
static void dial_connected(struct dial *d)
{
    struct conn_origin origin = {.dial = d->number, .remote = d->to[d->at]};
    event_free(d->event);
    d->event = NULL;
    conn_new(d->net, d->fd, &origin);
    d->fd = -1;
    dial_free(d);
}

static void on_connect(evutil_socket_t fd, short what, void *ctx);

static void await(struct dial *d, short what, event_callback_fn on_event, int64_t timeout_ms)
{
    struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    if (d->event) event_free(d->event);
    d->event = event_new(d->net->base, d->fd, what, on_event, d);
    CHECK(d->event && event_add(d->event, &timeout) == 0);
}

/* "unix:PATH", or numbers and a port. */
static bool proxy_address(const char *proxy, struct sockaddr_storage *out, socklen_t *len)
{
    struct endpoint at;
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    if (strncmp(proxy, "unix:", 5) != 0)
        return endpoint_parse(&at, span_str(proxy), 9050) && sockaddr_put(out, len, &at);
    if (strlen(proxy + 5) >= sizeof(local.sun_path)) return false;
    snprintf(local.sun_path, sizeof(local.sun_path), "%s", proxy + 5);
    memset(out, 0, sizeof(*out));
    memcpy(out, &local, sizeof(local));
    *len = sizeof(local);
    return true;
}

static bool find_sockaddr(struct dial *d, struct sockaddr_storage *out, socklen_t *len)
{
    char text[ENDPOINT_TEXT];
    const struct endpoint *to = &d->to[d->at];
    if (d->proxy[0]) {
        d->proxy_failed = true; /* until it is connected */
        return proxy_address(d->proxy, out, len);
    }
    if (netaddr_is_valid(&to->addr) && sockaddr_put(out, len, to)) return true;
    log_info(d->net->options.log, "Cannot get sockaddr for %s: unsupported network", endpoint_text(text, to));
    return false;
}

/* True while the address is being tried. */
static bool try_one(struct dial *d)
{
    char text[ENDPOINT_TEXT];
    struct sockaddr_storage address;
    socklen_t len;
    if (!find_sockaddr(d, &address, &len)) return false;
    d->fd = socket_new(&address);
    if (d->fd < 0) {
        log_error(d->net->options.log, "Cannot create a socket for connecting to %s",
                  endpoint_text(text, &d->to[d->at]));
        return false;
    }
    if (connect(d->fd, (const struct sockaddr *)&address, len) != 0 && errno != EINPROGRESS && errno != EINTR) {
        log_failure(d, "", errno);
        socket_drop(d);
        return false;
    }
    await(d, EV_WRITE, on_connect, d->net->options.connect_timeout_ms);
    return true;
}

static void try_rest(struct dial *d)
{
    for (; d->at < d->count; d->at++)
        if (try_one(d)) return;
    dial_fail(d);
}

static void try_next(struct dial *d)
{
    socket_drop(d);
    d->at++;
    try_rest(d);
}

/* ---- through a proxy ---- */

enum step { STEP_AGAIN, STEP_WAIT, STEP_END };

/* One send or receive of the handshake; PROBLEM says why it ended. */
static enum step proxy_step(struct dial *d, const char **problem)
{
    struct span out = socks5_to_send(d->socks5);
    uint8_t in[SOCKS5_IN];
    ssize_t n = out.len ? send(d->fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT)
                        : recv(d->fd, in, socks5_wants(d->socks5), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return STEP_WAIT;
    *problem = "InterruptibleRecv() timeout or other failure";
    if (n <= 0) return STEP_END;
    if (out.len) {
        socks5_mark_sent(d->socks5, (size_t)n);
    } else if (!socks5_receive(d->socks5, span_of(in, (size_t)n))) {
        *problem = d->socks5->problem;
        return STEP_END;
    }
    return socks5_is_done(d->socks5) ? STEP_END : STEP_AGAIN;
}

static void on_proxy(evutil_socket_t fd, short what, void *ctx)
{
    struct dial *d = ctx;
    struct net *net = d->net;
    const char *problem = "InterruptibleRecv() timeout or other failure";
    enum step step = what & EV_TIMEOUT ? STEP_END : STEP_AGAIN;
    (void)fd;
    while (step == STEP_AGAIN) step = proxy_step(d, &problem);
    if (step == STEP_WAIT) {
        await(d, socks5_to_send(d->socks5).len ? EV_WRITE : EV_READ, on_proxy, PROXY_TIMEOUT_S * 1000);
    } else if (socks5_is_done(d->socks5)) {
        log_debug(net->options.log, LOGC_NET, "SOCKS5 connected %s", d->socks5->host);
        dial_connected(d);
    } else {
        log_debug(net->options.log, LOGC_NET, "Socks5() connect to %s:%u failed: %s", d->socks5->host, d->socks5->port,
                  problem);
        try_next(d);
    }
    net_publish(net);
}

/* The socket to the proxy stands. Numbers are given as text, too. False where the proxy cannot be asked for that. */
static bool begin_proxy(struct dial *d)
{
    struct net *net = d->net;
    char text[NETADDR_TEXT], credentials[SOCKS5_CREDENTIALS];
    const struct endpoint *to = &d->to[d->at];
    const char *host = d->name[0] ? d->name : netaddr_text(text, &to->addr);
    d->proxy_failed = false;
    d->socks5 = mem_alloc(sizeof(*d->socks5));
    snprintf(credentials, sizeof(credentials), "%016llx-%llu", (unsigned long long)net->isolation,
             (unsigned long long)net->isolated);
    net->isolated += d->isolate;
    if (!socks5_init(d->socks5, host, to->port, d->isolate ? credentials : NULL)) return false;
    log_debug(net->options.log, LOGC_NET, "SOCKS5 connecting %s", host);
    await(d, EV_WRITE, on_proxy, PROXY_TIMEOUT_S * 1000);
    return true;
}

static void on_connect(evutil_socket_t fd, short what, void *ctx)
{
    struct dial *d = ctx;
    struct net *net = d->net;
    char text[ENDPOINT_TEXT];
    int error = 0;
    socklen_t len = sizeof(error);
    if (what & EV_TIMEOUT) {
        error = ETIMEDOUT;
        log_debug(net->options.log, LOGC_NET, "connection attempt to %s timed out", endpoint_text(text, &d->to[d->at]));
    } else {
        if (getsockopt((int)fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) error = errno;
        if (error) log_failure(d, " after wait", error);
    }
    if (!error && !d->proxy[0])
        dial_connected(d);
    else if (error || !begin_proxy(d))
        try_next(d);
    net_publish(net);
}

static void on_found(void *ctx, const struct netaddr *found, size_t count)
{
    struct dial *d = ctx;
    d->query = NULL;
    if (count) d->to = mem_realloc(d->to, count, sizeof(*d->to));
    for (size_t i = 0; i < count; i++) d->to[i] = (struct endpoint){.addr = found[i], .port = d->port};
    d->count = count;
    try_rest(d);
}

/* The address that the host's text is, or a query for it. False where neither can be. */
static bool find_addresses(struct dial *d)
{
    struct span host;
    struct netaddr addr;
    if (!split_host_port(span_str(d->host), &d->port, &host)) return false;
    if (netaddr_parse(&addr, host)) {
        d->to[0] = (struct endpoint){.addr = addr, .port = d->port};
        d->count = 1;
        return true;
    }
    if (!host.len || host.len >= sizeof(d->name)) return false;
    memcpy(d->name, host.data, host.len);
    d->name[host.len] = '\0';
    if (d->proxy[0]) {
        d->to[0] = (struct endpoint){.addr = netaddr_none(), .port = d->port};
        d->count = 1;
        return true;
    }
    if (!d->lookup) return false;
    d->query = query_new(d->net, d->name, on_found, d);
    return d->query != NULL;
}

void dial_begin(struct net *net, struct dial *d)
{
    bool room = net->dial_count < NET_DIALS_MAX;
    d->listed = true;
    d->next = net->dials;
    if (d->next) d->next->prev = d;
    net->dials = d;
    net->dial_count++;
    if (!room || (d->host[0] && !find_addresses(d)))
        dial_fail(d);
    else if (!d->query)
        try_rest(d);
}
