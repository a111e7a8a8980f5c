/* The network's life, and the two queues between its thread and its owner. */
#include "net/net.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/net_internal.h"

static void wake(int fd)
{
    uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof(one));
    (void)n; /* a full counter wakes as well */
}

static void reset(int fd)
{
    uint64_t seen;
    ssize_t n = read(fd, &seen, sizeof(seen));
    (void)n;
}

/* ---- from the thread to the owner ---- */

struct net_event *net_event_add(struct net *net, enum net_event_kind kind, uint64_t conn)
{
    struct net_event *event = mem_calloc(1, sizeof(*event));
    event->kind = kind;
    event->conn = conn;
    if (net->out.last)
        net->out.last->next = event;
    else
        net->out.first = event;
    net->out.last = event;
    return event;
}

void net_publish(struct net *net)
{
    if (!net->out.first) return;
    pthread_mutex_lock(&net->lock);
    bool was_empty = !net->events.first;
    if (was_empty)
        net->events.first = net->out.first;
    else
        net->events.last->next = net->out.first;
    net->events.last = net->out.last;
    if (was_empty) wake(net->event_fd);
    pthread_mutex_unlock(&net->lock);
    net->out = (struct events){0};
}

int net_fd(const struct net *net)
{
    return net->event_fd;
}

struct net_event *net_take_events(struct net *net)
{
    pthread_mutex_lock(&net->lock);
    struct net_event *first = net->events.first;
    net->events = (struct events){0};
    if (first) reset(net->event_fd);
    pthread_mutex_unlock(&net->lock);
    return first;
}

void flow_unref(struct flow *flow)
{
    if (atomic_fetch_sub(&flow->users, 1) == 1) free(flow);
}

/* The owner handled COST bytes. The thread pauses first and looks at the sum afterwards, so that one of the two always
 * notices that there is room. */
static void flow_handled(struct net *net, struct flow *flow, size_t cost)
{
    size_t left = atomic_fetch_sub(&flow->waiting, cost) - cost;
    if (left <= net->options.max_receive && atomic_exchange(&flow->paused, false))
        net_command(net, &(struct command){.kind = COMMAND_RESUME, .conn = flow->conn});
}

size_t net_received_bytes(const struct net_event *event)
{
    return atomic_exchange(&event->received.flow->fresh, 0);
}

static void event_clear(struct net_event *event)
{
    if (event->kind == NET_MESSAGE) {
        buffer_clear(&event->message.received.payload);
        flow_unref(event->message.flow);
    } else if (event->kind == NET_RECEIVED) {
        flow_unref(event->received.flow);
    } else if (event->kind == NET_RESOLVED) {
        free(event->resolved.host);
        free(event->resolved.found);
    }
    free(event);
}

void net_event_free(struct net *net, struct net_event *event)
{
    if (!event) return;
    if (net && event->kind == NET_MESSAGE) flow_handled(net, event->message.flow, event->message.cost);
    if (net && event->kind == NET_CLOSED && event->closed.why != NET_END_ORDERED) net_close(net, event->conn);
    event_clear(event);
}

/* ---- from the owner to the thread ---- */

void net_command(struct net *net, const struct command *command)
{
    pthread_mutex_lock(&net->lock);
    struct commands *c = &net->commands;
    c->items = mem_grow(c->items, &c->cap, c->count + 1, sizeof(*c->items));
    c->items[c->count++] = *command;
    if (c->count == 1) wake(net->command_fd);
    pthread_mutex_unlock(&net->lock);
}

void net_set_accepting(struct net *net, bool accepting)
{
    net_command(net, &(struct command){.kind = COMMAND_ACCEPTING, .accepting = accepting});
}

void net_dial(struct net *net, uint64_t number, const struct net_target *target)
{
    net_command(net, &(struct command){.kind = COMMAND_DIAL, .dial = dial_new(net, number, target)});
}

void net_resolve(struct net *net, const char *host)
{
    net_command(net, &(struct command){.kind = COMMAND_RESOLVE, .host = mem_strdup(host)});
}

void net_start(struct net *net, uint64_t conn)
{
    net_command(net, &(struct command){.kind = COMMAND_START, .conn = conn});
}

void net_send(struct net *net, uint64_t conn, const char *name, struct buffer *payload)
{
    struct command c = {.kind = COMMAND_SEND, .conn = conn};
    size_t len = strlen(name);
    CHECK(len <= MESSAGE_NAME_BYTES && payload->len <= UINT32_MAX); /* beyond MESSAGE_PAYLOAD_MAX they hang up */
    memcpy(c.send.name, name, len + 1);
    c.send.payload = *payload;
    *payload = (struct buffer){0};
    net_command(net, &c);
}

void net_close(struct net *net, uint64_t conn)
{
    net_command(net, &(struct command){.kind = COMMAND_CLOSE, .conn = conn});
}

/* ---- on the thread ---- */

static void run_command(struct net *net, struct command *c, bool more)
{
    switch (c->kind) {
    case COMMAND_SEND: conn_send(net, c->conn, c->send.name, &c->send.payload, more); break;
    case COMMAND_START: conn_start(net, c->conn); break;
    case COMMAND_CLOSE: conn_close(net, c->conn); break;
    case COMMAND_RESUME: conn_resume(net, c->conn); break;
    case COMMAND_DIAL: dial_begin(net, c->dial); break;
    case COMMAND_RESOLVE: resolve_begin(net, c->host); break;
    case COMMAND_LISTEN: listener_begin(net, c->listener); break;
    case COMMAND_ACCEPTING: net->refusing = !c->accepting; break;
    }
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
    struct net *net = ctx;
    (void)what;
    pthread_mutex_lock(&net->lock);
    struct commands taken = net->commands;
    net->commands = net->running;
    net->commands.count = 0;
    net->running = taken;
    bool stop = net->stop;
    reset((int)fd);
    pthread_mutex_unlock(&net->lock);
    for (size_t i = 0; i < taken.count; i++) {
        struct command *c = &taken.items[i];
        bool more = i + 1 < taken.count && c[1].kind == COMMAND_SEND && c[1].conn == c->conn;
        run_command(net, c, more);
    }
    net->running.count = 0;
    net_publish(net);
    if (stop) event_base_loopbreak(net->base);
}

static void *thread_main(void *ctx)
{
    struct net *net = ctx;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are the main thread's */
    pthread_setname_np(pthread_self(), "cairn-net");
    event_base_loop(net->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

/* ---- life ---- */

static struct transport *make_v1(void *ctx, bool inbound)
{
    struct net *net = ctx;
    (void)inbound;
    return transport_v1_new(net->options.magic);
}

static void commands_clear(struct commands *commands)
{
    for (size_t i = 0; i < commands->count; i++) {
        struct command *c = &commands->items[i];
        if (c->kind == COMMAND_SEND) buffer_clear(&c->send.payload);
        if (c->kind == COMMAND_DIAL) dial_free(c->dial);
        if (c->kind == COMMAND_LISTEN) listener_free(c->listener);
        if (c->kind == COMMAND_RESOLVE) free(c->host);
    }
    free(commands->items);
}

/* The thread is over, or never was. */
static void clear_all(struct net *net)
{
    while (net->listeners) {
        struct listener *l = net->listeners;
        net->listeners = l->next;
        listener_free(l);
    }
    conns_free(net);
    while (net->dials) dial_free(net->dials);
    queries_free(net);
    commands_clear(&net->commands);
    free(net->running.items);
    net_publish(net);
    while (net->events.first) {
        struct net_event *event = net->events.first;
        net->events.first = event->next;
        event_clear(event);
    }
    if (net->wake) event_free(net->wake);
    if (net->accept_again) event_free(net->accept_again);
    if (net->base) event_base_free(net->base);
    if (net->event_fd >= 0) close(net->event_fd);
    if (net->command_fd >= 0) close(net->command_fd);
    hashmap_clear(&net->conns);
    pthread_mutex_destroy(&net->lock);
    free(net->read_buffer);
    free(net);
}

static struct event_base *base_new(void)
{
    struct event_config *config = event_config_new();
    if (!config) return NULL;
    struct event_base *base = NULL;
    if (event_config_set_max_dispatch_interval(config, NULL, TURNS_BETWEEN_ORDERS, PRIORITY_SOCKETS) == 0)
        base = event_base_new_with_config(config);
    event_config_free(config);
    if (base && event_base_priority_init(base, PRIORITIES) == 0) return base;
    if (base) event_base_free(base);
    return NULL;
}

static bool open_all(struct net *net)
{
    if (getrandom(&net->isolation, sizeof(net->isolation), 0) != sizeof(net->isolation)) return false;
    net->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    net->command_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    net->base = base_new();
    if (net->event_fd < 0 || net->command_fd < 0 || !net->base) return false;
    net->wake = event_new(net->base, net->command_fd, EV_READ | EV_PERSIST, on_wake, net);
    if (!net->wake || event_priority_set(net->wake, PRIORITY_ORDERS) != 0 || event_add(net->wake, NULL) != 0)
        return false;
    return pthread_create(&net->thread, NULL, thread_main, net) == 0;
}

enum result net_new(struct net **out, const struct net_options *options, struct error *e)
{
    struct net *net = mem_calloc(1, sizeof(*net));
    *out = NULL;
    net->options = *options;
    net->event_fd = net->command_fd = -1;
    net->listening = true;
    net->read_buffer = mem_alloc(READ_BUFFER);
    if (!net->options.new_transport) {
        net->options.new_transport = make_v1;
        net->options.transport_ctx = net;
    }
    hashmap_init(&net->conns, 0, sizeof(uint64_t), 1); /* conn.id comes first; nobody else chooses the keys */
    pthread_mutex_init(&net->lock, NULL);
    if (!open_all(net)) {
        clear_all(net);
        return error_set(e, RESULT_IO, "Unable to start the network's thread");
    }
    *out = net;
    return RESULT_OK;
}

void net_free(struct net *net)
{
    if (!net) return;
    pthread_mutex_lock(&net->lock);
    net->stop = true;
    wake(net->command_fd);
    pthread_mutex_unlock(&net->lock);
    pthread_join(net->thread, NULL);
    clear_all(net);
}
