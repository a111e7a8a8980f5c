/* Connecting to others: a name is resolved, then its addresses are tried one after the other. A proxy's handshake would
 * stand between a connected socket and conn_new. */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/net_internal.h"

struct dial {
    struct net *net;
    struct dial *prev, *next;
    bool listed;
    uint64_t number;
    char host[NET_HOST]; /* "" where the endpoint is given */
    uint16_t port;
    bool lookup, loud;
    struct query *query;
    struct endpoint *to; /* what remains to be tried */
    size_t count, at;
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
                       .fd = -1};
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
    d->event = NULL;
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
    char where[ENDPOINT_TEXT], text[SYSTEM_ERROR];
    endpoint_text(where, &d->to[d->at]);
    system_error(text, error);
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
    event->failed.found = d->count > 0;
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

/* True while the address is being tried. */
static bool try_one(struct dial *d)
{
    struct net *net = d->net;
    char text[ENDPOINT_TEXT];
    struct sockaddr_storage address;
    socklen_t len;
    const struct endpoint *to = &d->to[d->at];
    struct timeval timeout = {.tv_sec = net->options.connect_timeout_ms / 1000,
                              .tv_usec = net->options.connect_timeout_ms % 1000 * 1000};
    if (!netaddr_is_valid(&to->addr) || !sockaddr_put(&address, &len, to)) {
        log_info(net->options.log, "Cannot get sockaddr for %s: unsupported network", endpoint_text(text, to));
        return false;
    }
    d->fd = socket_new(&address);
    if (d->fd < 0) {
        log_error(net->options.log, "Cannot create a socket for connecting to %s", endpoint_text(text, to));
        return false;
    }
    if (connect(d->fd, (const struct sockaddr *)&address, len) != 0 && errno != EINPROGRESS && errno != EINTR) {
        log_failure(d, "", errno);
        socket_drop(d);
        return false;
    }
    d->event = event_new(net->base, d->fd, EV_WRITE, on_connect, d);
    CHECK(d->event && event_add(d->event, &timeout) == 0);
    return true;
}

static void try_rest(struct dial *d)
{
    for (; d->at < d->count; d->at++)
        if (try_one(d)) return;
    dial_fail(d);
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
    if (!error) {
        dial_connected(d);
    } else {
        socket_drop(d);
        d->at++;
        try_rest(d);
    }
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
    char name[NET_HOST];
    struct netaddr addr;
    if (!split_host_port(span_str(d->host), &d->port, &host)) return false;
    if (netaddr_parse(&addr, host)) {
        d->to[0] = (struct endpoint){.addr = addr, .port = d->port};
        d->count = 1;
        return true;
    }
    if (!d->lookup || !host.len || host.len >= sizeof(name)) return false;
    memcpy(name, host.data, host.len);
    name[host.len] = '\0';
    d->query = query_new(d->net, name, on_found, d);
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
