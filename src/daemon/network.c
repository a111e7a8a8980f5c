/* The sockets and the peers behind them: events of the network's thread go to the peers, each at its instant; what the
 * peers want goes back. Messages wait here, one queue a connection, and are handled in turn, one of each connection. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "daemon/daemon.h"
#include "daemon/network_setup.h"
#include "daemon/version.h"
#include "net/net.h"
#include "node/peers.h"
#include "p2p/peer_info.h"

/* After so much work users have their turn. */
enum { SLICE_US = 10000, TICK_US = 100000, MESSAGE_HEADER = 24 };

/* A connection that the peers know of. */
struct link {
    uint64_t conn;
    peer_id peer;
    struct link *prev, *next;       /* a ring; the loop's `turn` is the next one to be looked at */
    struct net_event *first, *last; /* messages that wait */
    size_t queued;                  /* bytes on their way out */
    bool full;
};

struct network_loop {
    struct net *net;
    struct hashmap by_conn, by_peer;
    struct link *turn;
    size_t max_send;
    int64_t last_tick_us; /* steady */
    bool more;            /* blocks wait, or the slice was over before the work */
};

static void set_clock(struct daemon *d)
{
    node_set_clock(d->node, clock_us(), clock_steady_us());
}

/* ---- links ---- */

static struct link *link_of(const struct network_loop *loop, uint64_t conn)
{
    return hashmap_get(&loop->by_conn, &conn);
}

static struct link *link_of_peer(const struct network_loop *loop, peer_id peer)
{
    return hashmap_get(&loop->by_peer, &peer);
}

static void link_new(struct network_loop *loop, uint64_t conn, peer_id peer)
{
    struct link *l = mem_calloc(1, sizeof(*l));
    l->conn = conn;
    l->peer = peer;
    if (loop->turn) {
        l->next = loop->turn;
        l->prev = loop->turn->prev;
        l->prev->next = l->next->prev = l;
    } else {
        loop->turn = l->prev = l->next = l;
    }
    hashmap_put(&loop->by_conn, l);
    hashmap_put(&loop->by_peer, l);
}

static void link_free(struct network_loop *loop, struct link *l)
{
    if (loop->turn == l) loop->turn = l->next == l ? NULL : l->next;
    l->prev->next = l->next;
    l->next->prev = l->prev;
    hashmap_del(&loop->by_conn, &l->conn);
    hashmap_del(&loop->by_peer, &l->peer);
    while (l->first) {
        struct net_event *event = l->first;
        l->first = event->next;
        net_event_free(loop->net, event);
    }
    free(l);
}

/* More than is allowed waits to be sent; or no longer. */
static void link_set_queued(struct daemon *d, struct link *l, size_t queued)
{
    bool full = queued > d->network->max_send;
    l->queued = queued;
    if (full == l->full) return;
    l->full = full;
    p2p_send_full(d->node->p2p, l->peer, full);
}

/* ---- what the peers want ---- */

static void drop_peer(struct daemon *d, peer_id peer)
{
    struct link *l = link_of_peer(d->network, peer);
    if (!l) return;
    net_close(d->network->net, l->conn);
    link_free(d->network, l);
    p2p_disconnected(d->node->p2p, peer);
}

static void send_message(struct daemon *d, struct p2p_action *a)
{
    struct link *l = link_of_peer(d->network, a->peer);
    if (!l) {
        buffer_clear(&a->payload);
        return;
    }
    size_t bytes = MESSAGE_HEADER + a->payload.len;
    net_send(d->network->net, l->conn, a->name, &a->payload);
    link_set_queued(d, l, l->queued + bytes);
}

/* An address under fc00::/8 is one of CJDNS where that is in use. */
static void adopt(const struct daemon *d, struct endpoint *e)
{
    if (d->net_setup->reachable >> NET_CJDNS & 1) netaddr_flip_to_cjdns(&e->addr);
}

static void dial(struct daemon *d, const struct p2p_action *a)
{
    char text[ENDPOINT_TEXT];
    struct net_target target = {.host = a->host,
                                .default_port = d->options.params.p2p_port,
                                .to = a->to,
                                .lookup = args_bool(&d->args, "dns"),
                                .loud = a->type == CONN_MANUAL};
    target.proxy = network_proxy_for(d, a->host, &a->to, &target.isolate);
    if (target.proxy)
        log_debug(&d->log.log, LOGC_PROXY, "Using proxy: %s to connect to %s", target.proxy,
                  a->host[0] ? a->host : endpoint_text(text, &a->to));
    net_dial(d->network->net, a->dial, &target);
}

/* Behind a proxy nobody is asked: the peers then ask the host itself. */
static void resolve(struct daemon *d, const char *host)
{
    if (network_proxy_for(d, host, NULL, NULL))
        p2p_resolved(d->node->p2p, host, NULL, 0);
    else
        net_resolve(d->network->net, host);
}

static void take_peer_actions(struct daemon *d)
{
    struct p2p_action a;
    while (p2p_take_action(d->node->p2p, &a)) {
        switch (a.kind) {
        case P2P_SEND: send_message(d, &a); break;
        case P2P_DISCONNECT: drop_peer(d, a.peer); break;
        case P2P_DIAL: dial(d, &a); break;
        case P2P_RESOLVE: resolve(d, a.host); break;
        case P2P_PAUSE: net_set_accepting(d->network->net, a.active); break;
        }
    }
}

/* ---- what came from the network ---- */

static const char *log_text(const struct daemon *d, peer_id peer, char out[160])
{
    struct peer_info info;
    char text[ENDPOINT_TEXT];
    if (args_bool(&d->args, "logips") && p2p_info(d->node->p2p, peer, &info))
        snprintf(out, 160, "peer=%lld, peeraddr=%s", (long long)peer, endpoint_text(text, &info.remote));
    else
        snprintf(out, 160, "peer=%lld", (long long)peer);
    return out;
}

static void on_connected(struct daemon *d, const struct net_event *event)
{
    struct p2p_connection c = {.dial = event->connected.dial,
                               .remote = event->connected.remote,
                               .local = event->connected.local,
                               .permissions = event->connected.permissions,
                               .onion = event->connected.onion,
                               .transport = event->connected.transport};
    adopt(d, &c.remote);
    adopt(d, &c.local);
    peer_id peer = p2p_connected(d->node->p2p, &c);
    if (peer == P2P_NO_PEER) {
        net_close(d->network->net, event->conn);
        return;
    }
    link_new(d->network, event->conn, peer);
    net_start(d->network->net, event->conn);
}

static void on_closed(struct daemon *d, const struct net_event *event)
{
    struct link *l = link_of(d->network, event->conn);
    struct log *log = &d->log.log;
    char text[160];
    if (!l) return; /* we ended it, and forgot it at once */
    peer_id peer = l->peer;
    log_text(d, peer, text);
    switch (event->closed.why) {
    case NET_END_ORDERED: break;
    case NET_END_REMOTE: log_debug(log, LOGC_NET, "socket closed, disconnecting %s", text); break;
    case NET_END_RECEIVE:
        log_debug(log, LOGC_NET, "socket recv error, disconnecting %s: %s", text, event->closed.text);
        break;
    case NET_END_SEND:
        log_debug(log, LOGC_NET, "socket send error, disconnecting %s: %s", text, event->closed.text);
        break;
    case NET_END_INVALID:
        log_debug(log, LOGC_NET, "%s, peer=%lld", event->closed.text, (long long)peer);
        log_debug(log, LOGC_NET, "receiving message bytes failed, disconnecting %s", text);
        break;
    }
    link_free(d->network, l);
    p2p_disconnected(d->node->p2p, peer);
}

static void on_sent(struct daemon *d, const struct net_event *event)
{
    struct link *l = link_of(d->network, event->conn);
    if (!l) return;
    size_t queued = l->queued > event->sent.bytes ? l->queued - event->sent.bytes : 0;
    p2p_sent(d->node->p2p, l->peer, event->sent.name, event->sent.bytes, queued);
    link_set_queued(d, l, queued);
}

static void on_received(struct daemon *d, const struct net_event *event)
{
    struct link *l = link_of(d->network, event->conn);
    if (l) p2p_bytes_received(d->node->p2p, l->peer, net_received_bytes(event));
}

/* True where EVENT was kept. */
static bool on_message(struct daemon *d, struct net_event *event)
{
    struct link *l = link_of(d->network, event->conn);
    if (!l) return false;
    event->next = NULL;
    if (l->last)
        l->last->next = event;
    else
        l->first = event;
    l->last = event;
    return true;
}

/* All that follows an event. */
static void settle(struct daemon *d)
{
    struct error e;
    bool more = false;
    take_peer_actions(d);
    if (!node_take_blocks(d->node, 0, &more, &e)) d->network->more |= more;
}

static void take_events(struct daemon *d)
{
    struct net_event *event = net_take_events(d->network->net), *next;
    for (; event; event = next) {
        bool kept = false;
        next = event->next;
        set_clock(d);
        switch (event->kind) {
        case NET_CONNECTED: on_connected(d, event); break;
        case NET_DIAL_FAILED:
            p2p_dial_failed(d->node->p2p, event->failed.dial, event->failed.found ? &event->failed.at : NULL,
                            event->failed.proxy_failed);
            break;
        case NET_RECEIVED: on_received(d, event); break;
        case NET_MESSAGE: kept = on_message(d, event); break;
        case NET_SENT: on_sent(d, event); break;
        case NET_CLOSED: on_closed(d, event); break;
        case NET_RESOLVED:
            p2p_resolved(d->node->p2p, event->resolved.host, event->resolved.found, event->resolved.count);
            break;
        }
        if (event->kind != NET_MESSAGE && event->kind != NET_RECEIVED) settle(d);
        if (!kept) net_event_free(d->network->net, event);
    }
}

/* ---- turns ---- */

static bool is_ready(const struct daemon *d, const struct link *l)
{
    return l->first && p2p_ready(d->node->p2p, l->peer, l->first->message.received.name);
}

static void handle_message(struct daemon *d, struct link *l)
{
    struct net_event *event = l->first;
    l->first = event->next;
    if (!l->first) l->last = NULL;
    set_clock(d);
    p2p_received(d->node->p2p, l->peer, &event->message.received);
    net_event_free(d->network->net, event);
    settle(d); /* may free the link */
}

/* One message of each connection that may hand one in, and so on until none may or the time is up. Who is next stays
 * next the other time. */
static void handle_messages(struct daemon *d, int64_t until_us)
{
    struct network_loop *loop = d->network;
    size_t idle = 0;
    while (loop->turn && idle < loop->by_conn.count && !d->node->stop_wanted) {
        struct link *l = loop->turn;
        loop->turn = l->next;
        if (!is_ready(d, l)) {
            idle++;
            continue;
        }
        idle = 0;
        handle_message(d, l);
        if (clock_steady_us() >= until_us) {
            loop->more = true;
            return;
        }
    }
}

static void handle_blocks(struct daemon *d)
{
    struct error e;
    bool more = false;
    set_clock(d);
    if (!node_take_blocks(d->node, 1, &more, &e)) d->network->more |= more;
    take_peer_actions(d);
}

static void tick(struct daemon *d)
{
    set_clock(d);
    d->network->last_tick_us = clock_steady_us();
    p2p_tick(d->node->p2p);
    settle(d);
}

static bool tick_is_due(const struct daemon *d)
{
    const struct p2p *p2p = d->node->p2p;
    int64_t now = clock_steady_us();
    return p2p_has_work(p2p) || now >= d->network->last_tick_us + TICK_US || now >= p2p_deadline(p2p);
}

bool network_serve(struct daemon *d)
{
    struct network_loop *loop = d->network;
    if (!loop) return false;
    int64_t until = clock_steady_us() + SLICE_US;
    bool blocks = loop->more;
    loop->more = false;
    settle(d); /* users may have wanted something since */
    take_events(d);
    handle_messages(d, until); /* before the tick: what is here already must not count as missing there */
    if (tick_is_due(d)) tick(d);
    if (blocks || loop->more) handle_blocks(d);
    return loop->more || p2p_has_work(d->node->p2p);
}

int network_fd(const struct daemon *d)
{
    return d->network ? net_fd(d->network->net) : -1;
}

int64_t network_deadline_us(const struct daemon *d)
{
    if (!d->network) return INT64_MAX;
    if (p2p_has_work(d->node->p2p)) return 0;
    int64_t tick_at = d->network->last_tick_us + TICK_US, deadline = p2p_deadline(d->node->p2p);
    return deadline < tick_at ? deadline : tick_at;
}

/* ---- life ---- */

/* Machines without IPv6 need not have all of its addresses, where the same of IPv4 is listened on, too. */
static bool may_fail(const struct daemon *d, const struct net_bind *bind)
{
    bool other = false;
    for (size_t i = 0; i < d->bind_count; i++) {
        const struct endpoint *at = &d->binds[i].at;
        other |= at->addr.net == NET_IPV4 && at->port == bind->at.port && netaddr_is_bind_any(&at->addr);
    }
    return other && bind->at.addr.net == NET_IPV6 && netaddr_is_bind_any(&bind->at.addr);
}

static bool listen_all(struct daemon *d, struct start_error *error)
{
    struct error e;
    for (size_t i = 0; i < d->bind_count; i++) {
        const struct net_bind *b = &d->binds[i];
        if (!net_listen(d->network->net, &b->at, b->permissions, b->onion, &e)) continue;
        if (may_fail(d, b)) {
            log_error(&d->log.log, "%s", e.text);
            continue;
        }
        return start_fail(error, "%s\nError: Failed to listen on any port. Use -listen=0 if you want this.", e.text);
    }
    return true;
}

bool network_start(struct daemon *d, struct start_error *error)
{
    struct error e;
    int64_t receive = args_int(&d->args, "maxreceivebuffer"), send = args_int(&d->args, "maxsendbuffer");
    int64_t timeout = args_int(&d->args, "timeout");
    struct net_options options = {.max_receive = receive > 0 ? (size_t)receive * 1000 : 0,
                                  .connect_timeout_ms = timeout > 0 ? timeout : 5000,
                                  .program = CAIRN_NAME,
                                  .log = &d->log.log};
    if (!d->node->p2p) return true;
    memcpy(options.magic, d->options.params.magic, sizeof(options.magic));
    struct network_loop *loop = mem_calloc(1, sizeof(*loop));
    loop->max_send = send > 0 ? (size_t)send * 1000 : 0;
    loop->last_tick_us = clock_steady_us();
    hashmap_init(&loop->by_conn, offsetof(struct link, conn), sizeof(uint64_t), 1);
    hashmap_init(&loop->by_peer, offsetof(struct link, peer), sizeof(peer_id), 2);
    d->network = loop;
    if (net_new(&loop->net, &options, &e)) return start_fail(error, "%s", e.text);
    set_clock(d);
    return listen_all(d, error);
}

/* The peers stay known: who they were goes into anchors.dat. */
void network_stop(struct daemon *d)
{
    struct network_loop *loop = d->network;
    char text[160];
    if (!loop) return;
    while (loop->turn) {
        if (d->node && d->node->p2p)
            log_debug(&d->log.log, LOGC_NET, "Stopping node, disconnecting %s", log_text(d, loop->turn->peer, text));
        link_free(loop, loop->turn);
    }
    net_free(loop->net);
    hashmap_clear(&loop->by_conn);
    hashmap_clear(&loop->by_peer);
    free(loop);
    d->network = NULL;
}
