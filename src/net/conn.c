/* One connection: bytes of its socket through its transport, both ways. */
#include <errno.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/net_internal.h"

/* After SEND_SLICE bytes the others have their turn. Small pieces are gathered up to GATHER bytes. */
enum { SEND_SLICE = 1024 * 1024, GATHER = 8 * 1024 };

struct outgoing {
    struct outgoing *next;
    char name[MESSAGE_NAME];
    struct buffer payload;
};

struct conn {
    uint64_t id; /* first: the key */
    struct net *net;
    int fd;
    bool judged, inbound;
    bool ended; /* NET_CLOSED is on its way; open until its owner has seen that */
    struct transport *transport;
    struct event *readable, *writable;
    struct flow *flow;
    struct outgoing *first, *last;
    struct buffer gathered; /* small pieces on their way out */
    size_t gathered_sent;
};

/* The connection while it goes on, or NULL. */
static struct conn *conn_find(const struct net *net, uint64_t id)
{
    struct conn *c = hashmap_get(&net->conns, &id);
    return c && !c->ended ? c : NULL;
}

static void conn_judged(struct conn *c)
{
    if (c->judged) return;
    c->judged = true;
    if (!c->inbound) return;
    c->net->waiting--;
    listeners_update(c->net);
}

static void drop_outgoing(struct conn *c)
{
    while (c->first) {
        struct outgoing *o = c->first;
        c->first = o->next;
        buffer_clear(&o->payload);
        free(o);
    }
    c->last = NULL;
    buffer_clear(&c->gathered);
    c->gathered_sent = 0;
}

static void conn_free(struct conn *c)
{
    event_free(c->readable);
    event_free(c->writable);
    close(c->fd);
    transport_free(c->transport);
    drop_outgoing(c);
    flow_unref(c->flow);
    free(c);
}

static void conn_end(struct conn *c, enum net_end why, const char *text)
{
    struct net_event *event = net_event_add(c->net, NET_CLOSED, c->id);
    event->closed.why = why;
    snprintf(event->closed.text, sizeof(event->closed.text), "%s", text);
    conn_judged(c);
    c->ended = true;
    event_del(c->readable);
    event_del(c->writable);
    drop_outgoing(c);
}

static void conn_end_error(struct conn *c, enum net_end why, int error)
{
    char text[SOCKET_ERROR_TEXT];
    conn_end(c, why, socket_error_text(text, error));
}

/* ---- receiving ---- */

static void hand_over(struct conn *c)
{
    struct net_event *event = net_event_add(c->net, NET_MESSAGE, c->id);
    transport_take(c->transport, &event->message.received);
    event->message.flow = c->flow;
    event->message.cost = sizeof(*event) + NET_MESSAGE_COST + event->message.received.payload.cap;
    atomic_fetch_add(&c->flow->users, 1);
    atomic_fetch_add(&c->flow->waiting, event->message.cost);
}

static void note_received(struct conn *c, size_t bytes)
{
    if (atomic_fetch_add(&c->flow->fresh, bytes) != 0) return;
    net_event_add(c->net, NET_RECEIVED, c->id)->received.flow = c->flow;
    atomic_fetch_add(&c->flow->users, 1);
}

/* Stops reading where too much waits; see flow_handled. */
static void pause_if_full(struct conn *c)
{
    size_t max = c->net->options.max_receive;
    if (atomic_load(&c->flow->waiting) <= max) return;
    atomic_store(&c->flow->paused, true);
    if (atomic_load(&c->flow->waiting) <= max && atomic_exchange(&c->flow->paused, false)) return;
    event_del(c->readable);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
    struct conn *c = ctx;
    struct net *net = c->net;
    (void)what;
    size_t turn = transport_receive_memory(c->transport) ? READ_BUFFER : READ_SMALL;
    ssize_t got = recv((int)fd, net->read_buffer, turn, MSG_DONTWAIT);
    if (got < 0) {
        if (errno == EAGAIN || errno == EINTR) return;
        conn_end_error(c, NET_END_RECEIVE, errno);
    } else if (got == 0) {
        conn_end(c, NET_END_REMOTE, "");
    } else {
        struct span bytes = span_of(net->read_buffer, (size_t)got);
        note_received(c, bytes.len);
        while (bytes.len) {
            if (!transport_receive(c->transport, &bytes)) {
                conn_end(c, NET_END_INVALID, transport_problem(c->transport));
                net_publish(net);
                return;
            }
            if (transport_is_complete(c->transport)) hand_over(c);
        }
        pause_if_full(c);
    }
    net_publish(net);
}

void conn_resume(struct net *net, uint64_t id)
{
    struct conn *c = conn_find(net, id);
    if (c) CHECK(event_add(c->readable, NULL) == 0);
}

/* ---- sending ---- */

static void note_sent(struct conn *c, const char *name, size_t bytes)
{
    struct net_event *last = c->net->out.last;
    if (last && last->kind == NET_SENT && last->conn == c->id && strcmp(last->sent.name, name) == 0) {
        last->sent.bytes += bytes;
        return;
    }
    struct net_event *event = net_event_add(c->net, NET_SENT, c->id);
    memcpy(event->sent.name, name, strlen(name) + 1);
    event->sent.bytes = bytes;
}

/* What to write next, with the next message begun where the last is out. */
static struct to_send next_bytes(struct conn *c)
{
    struct to_send s = transport_to_send(c->transport, c->first != NULL);
    while (!s.bytes.len && c->first && transport_set(c->transport, c->first->name, &c->first->payload)) {
        struct outgoing *o = c->first;
        c->first = o->next;
        if (!c->first) c->last = NULL;
        free(o);
        s = transport_to_send(c->transport, c->first != NULL);
    }
    return s;
}

/* BYTES of the message at hand left the transport. */
static void left_transport(struct conn *c, const char *name, size_t bytes)
{
    note_sent(c, name, bytes); /* first: the name is the transport's */
    transport_mark_sent(c->transport, bytes);
}

/* What to write now: small pieces together, large ones as they are. */
static struct to_send gather(struct conn *c)
{
    struct to_send s = {0};
    while (!c->gathered_sent) {
        s = next_bytes(c);
        if (!s.bytes.len || c->gathered.len + s.bytes.len > GATHER) break;
        buffer_put_span(&c->gathered, s.bytes);
        left_transport(c, s.name, s.bytes.len);
    }
    if (!c->gathered.len) return s;
    return (struct to_send){.bytes = span_from(buffer_span(&c->gathered), c->gathered_sent), .more = s.bytes.len > 0};
}

static void wrote(struct conn *c, const struct to_send *s, size_t bytes)
{
    if (!c->gathered.len) {
        left_transport(c, s->name, bytes);
    } else {
        c->gathered_sent += bytes;
        if (c->gathered_sent == c->gathered.len) c->gathered.len = c->gathered_sent = 0;
    }
}

static void write_some(struct conn *c)
{
    size_t written = 0;
    while (written < SEND_SLICE) {
        struct to_send s = gather(c);
        if (!s.bytes.len) {
            event_del(c->writable);
            return;
        }
        ssize_t n = send(c->fd, s.bytes.data, s.bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT | (s.more ? MSG_MORE : 0));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) {
            conn_end_error(c, NET_END_SEND, errno);
            return;
        }
        wrote(c, &s, (size_t)n);
        written += (size_t)n;
    }
    CHECK(event_add(c->writable, NULL) == 0);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
    struct conn *c = ctx;
    struct net *net = c->net;
    (void)fd;
    (void)what;
    write_some(c);
    net_publish(net);
}

void conn_send(struct net *net, uint64_t id, const char *name, struct buffer *payload, bool more)
{
    struct conn *c = conn_find(net, id);
    if (!c) {
        buffer_clear(payload);
        return;
    }
    struct outgoing *o = mem_calloc(1, sizeof(*o));
    memcpy(o->name, name, strlen(name) + 1);
    o->payload = *payload;
    if (c->last)
        c->last->next = o;
    else
        c->first = o;
    c->last = o;
    if (!more && !event_pending(c->writable, EV_WRITE, NULL)) write_some(c);
}

/* ---- life ---- */

void conn_new(struct net *net, int fd, const struct conn_origin *origin)
{
    struct conn *c = mem_calloc(1, sizeof(*c));
    int one = 1;
    *c = (struct conn){.id = ++net->last_conn, .net = net, .fd = fd, .inbound = origin->inbound};
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
        log_debug(net->options.log, LOGC_NET, "Unable to set TCP_NODELAY on a newly created socket, continuing anyway");
    c->transport = net->options.new_transport(net->options.transport_ctx, origin->inbound);
    c->flow = mem_calloc(1, sizeof(*c->flow));
    atomic_init(&c->flow->users, 1);
    c->flow->conn = c->id;
    c->readable = event_new(net->base, fd, EV_READ | EV_PERSIST, on_readable, c);
    c->writable = event_new(net->base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
    CHECK(c->readable && c->writable);
    hashmap_put(&net->conns, c);
    if (c->inbound) net->waiting++;
    struct net_event *event = net_event_add(net, NET_CONNECTED, c->id);
    event->connected.dial = origin->dial;
    event->connected.remote = origin->remote;
    event->connected.local = socket_local(fd);
    event->connected.permissions = origin->permissions;
    event->connected.onion = origin->onion;
    event->connected.transport = transport_kind(c->transport);
}

void conn_start(struct net *net, uint64_t id)
{
    struct conn *c = conn_find(net, id);
    if (!c) return;
    conn_judged(c);
    CHECK(event_add(c->readable, NULL) == 0);
}

void conn_close(struct net *net, uint64_t id)
{
    struct conn *c = hashmap_get(&net->conns, &id);
    if (!c) return;
    if (!c->ended) conn_end(c, NET_END_ORDERED, "");
    hashmap_del(&net->conns, &id);
    conn_free(c);
}

void conns_free(struct net *net)
{
    size_t at = 0;
    for (struct conn *c; (c = hashmap_next(&net->conns, &at));) conn_free(c);
}
