/* Names to addresses, with libevent's resolver: it waits for nobody and can be cancelled. It reads the system's
 * configuration when it is made; one is made for the first query and dropped after the last, so that a change of
 * networks is noticed. */
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netdb.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/net_internal.h"

struct query {
    struct net *net;
    struct query *prev, *next;
    query_done *done; /* NULL: cancelled */
    void *ctx;
    struct evdns_getaddrinfo_request *request; /* while it runs */
    bool ended;
    struct event *deliver;
    struct netaddr *found;
    size_t count;
};

static void query_free(struct query *q)
{
    struct net *net = q->net;
    if (q->prev)
        q->prev->next = q->next;
    else
        net->queries = q->next;
    if (q->next) q->next->prev = q->prev;
    net->query_count--;
    event_free(q->deliver);
    free(q->found);
    free(q);
}

static void on_deliver(evutil_socket_t fd, short what, void *ctx)
{
    struct query *q = ctx;
    struct net *net = q->net;
    (void)fd;
    (void)what;
    if (q->done) q->done(q->ctx, q->found, q->count);
    query_free(q);
    if (!net->query_count && net->dns) {
        evdns_base_free(net->dns, 0);
        net->dns = NULL;
    }
    net_publish(net);
}

static bool is_known(const struct query *q, const struct netaddr *a)
{
    for (size_t i = 0; i < q->count; i++)
        if (netaddr_equal(&q->found[i], a)) return true;
    return false;
}

static void on_answer(int error, struct evutil_addrinfo *list, void *ctx)
{
    struct query *q = ctx;
    q->request = NULL;
    q->ended = true;
    if (!error) q->found = mem_calloc(NET_FOUND_MAX, sizeof(*q->found));
    for (const struct evutil_addrinfo *a = error ? NULL : list; a && q->count < NET_FOUND_MAX; a = a->ai_next) {
        struct netaddr addr = sockaddr_endpoint(a->ai_addr).addr;
        if (addr.net != NET_INTERNAL && !is_known(q, &addr)) q->found[q->count++] = addr;
    }
    if (list) evutil_freeaddrinfo(list);
    event_active(q->deliver, EV_TIMEOUT, 1);
}

struct query *query_new(struct net *net, const char *host, query_done *done, void *ctx)
{
    struct evutil_addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP, .ai_flags = AI_ADDRCONFIG};
    if (net->query_count >= NET_DIALS_MAX + NET_RESOLVES_MAX) return NULL;
    if (!net->dns) net->dns = evdns_base_new(net->base, EVDNS_BASE_INITIALIZE_NAMESERVERS);
    if (!net->dns) net->dns = evdns_base_new(net->base, 0); /* nothing configured: the hosts file alone */
    if (!net->dns) return NULL;
    struct query *q = mem_calloc(1, sizeof(*q));
    *q = (struct query){.net = net, .done = done, .ctx = ctx, .next = net->queries};
    q->deliver = evtimer_new(net->base, on_deliver, q);
    CHECK(q->deliver);
    if (q->next) q->next->prev = q;
    net->queries = q;
    net->query_count++;
    struct evdns_getaddrinfo_request *request = evdns_getaddrinfo(net->dns, host, NULL, &hints, on_answer, q);
    if (!q->ended) q->request = request;
    return q;
}

void query_cancel(struct query *q)
{
    q->done = NULL;
    if (q->request) evdns_getaddrinfo_cancel(q->request); /* on_answer still comes, and on_deliver after it */
}

/* ---- net_resolve ---- */

struct resolving {
    struct net *net;
    char *host;
};

static void on_resolved(void *ctx, const struct netaddr *found, size_t count)
{
    struct resolving *r = ctx;
    struct net_event *event = net_event_add(r->net, NET_RESOLVED, 0);
    event->resolved.host = r->host;
    event->resolved.count = count;
    event->resolved.found = count ? mem_dup(found, count * sizeof(*found)) : NULL;
    free(r);
}

void resolve_begin(struct net *net, char *host_taken)
{
    struct resolving *r = mem_alloc(sizeof(*r));
    struct netaddr addr;
    *r = (struct resolving){.net = net, .host = host_taken};
    if (netaddr_parse(&addr, span_str(host_taken)))
        on_resolved(r, &addr, 1);
    else if (net->query_count >= NET_RESOLVES_MAX || !query_new(net, host_taken, on_resolved, r))
        on_resolved(r, NULL, 0);
}

/* After the loop ended. Cancelled queries end in callbacks, for which the loop turns a little more. */
void queries_free(struct net *net)
{
    for (struct query *q = net->queries; q; q = q->next) {
        if (q->done == on_resolved) {
            struct resolving *r = q->ctx;
            free(r->host);
            free(r);
        }
        query_cancel(q);
    }
    for (int i = 0; i < 100 && net->queries; i++) event_base_loop(net->base, EVLOOP_NONBLOCK);
    while (net->queries) query_free(net->queries);
    if (net->dns) evdns_base_free(net->dns, 0);
    net->dns = NULL;
}
