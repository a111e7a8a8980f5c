/* Listening sockets. */
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/net_internal.h"

enum { ACCEPT_TURN = 16, ACCEPT_REST_MS = 500, SOCKET_TEXT = 128 };
_Static_assert(SOCKET_TEXT >= (int)ENDPOINT_TEXT && SOCKET_TEXT >= (int)SOCKET_ERROR_TEXT, "room for either");

/* ---- accepting ---- */

/* Out of descriptors or memory: the connection stays in the system's queue, and the socket would be reported readable
 * for ever. All rest for a moment. */
static void rest(struct net *net, int error)
{
    char text[SOCKET_ERROR_TEXT];
    struct timeval time = {.tv_usec = ACCEPT_REST_MS * 1000};
    log_info(net->options.log, "socket error accept failed: %s", socket_error_text(text, error));
    net->listening = false;
    for (struct listener *l = net->listeners; l; l = l->next) event_del(l->event);
    CHECK(event_add(net->accept_again, &time) == 0);
}

static void take_one(struct listener *l, int fd, const struct sockaddr *address)
{
    struct net *net = l->net;
    char text[ENDPOINT_TEXT];
    struct conn_origin origin = {
        .remote = sockaddr_endpoint(address), .permissions = l->permissions, .inbound = true, .onion = l->onion};
    if (!net->refusing) {
        conn_new(net, fd, &origin);
        return;
    }
    log_debug(net->options.log, LOGC_NET, "connection from %s dropped: not accepting new connections",
              endpoint_text(text, &origin.remote));
    close(fd);
}

static bool is_exhaustion(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_acceptable(evutil_socket_t listening, short what, void *ctx)
{
    struct listener *l = ctx;
    struct net *net = l->net;
    (void)what;
    for (int i = 0; i < ACCEPT_TURN && net->waiting < NET_WAITING_MAX; i++) {
        struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
        socklen_t len = sizeof(address);
        int fd = accept4((int)listening, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (is_exhaustion(errno)) rest(net, errno);
            break;
        }
        take_one(l, fd, (const struct sockaddr *)&address);
    }
    listeners_update(net);
    net_publish(net);
}

static void on_accept_again(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    listeners_update(ctx);
}

void listeners_update(struct net *net)
{
    if (net->accept_again && event_pending(net->accept_again, EV_TIMEOUT, NULL)) return;
    bool listening = net->waiting < NET_WAITING_MAX;
    if (listening == net->listening) return;
    net->listening = listening;
    for (struct listener *l = net->listeners; l; l = l->next)
        CHECK((listening ? event_add(l->event, NULL) : event_del(l->event)) == 0);
}

/* ---- life ---- */

void listener_begin(struct net *net, struct listener *l)
{
    if (!net->accept_again) net->accept_again = evtimer_new(net->base, on_accept_again, net);
    l->event = event_new(net->base, l->fd, EV_READ | EV_PERSIST, on_acceptable, l);
    CHECK(net->accept_again && l->event);
    l->next = net->listeners;
    net->listeners = l;
    if (net->listening) CHECK(event_add(l->event, NULL) == 0);
}

void listener_free(struct listener *l)
{
    if (l->event) event_free(l->event);
    close(l->fd);
    free(l);
}

static enum result bind_error(const struct net *net, const struct endpoint *at, int error, struct error *e)
{
    char where[ENDPOINT_TEXT], text[SOCKET_ERROR_TEXT];
    endpoint_text(where, at);
    if (error == EADDRINUSE)
        return error_set(e, RESULT_IO, "Unable to bind to %s on this computer. %s is probably already running.", where,
                         net->options.program);
    return error_set(e, RESULT_IO, "Unable to bind to %s on this computer (bind returned error %s)", where,
                     socket_error_text(text, error));
}

static enum result listen_at(struct net *net, int fd, const struct sockaddr_storage *address, socklen_t len,
                             const struct endpoint *at, struct error *e)
{
    char text[SOCKET_TEXT];
    int one = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0)
        log_info(net->options.log, "Error setting SO_REUSEADDR on socket: %s, continuing anyway",
                 socket_error_text(text, errno));
    if (address->ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) != 0)
        log_info(net->options.log, "Error setting IPV6_V6ONLY on socket: %s, continuing anyway",
                 socket_error_text(text, errno));
    if (bind(fd, (const struct sockaddr *)address, len) != 0) return bind_error(net, at, errno, e);
    log_info(net->options.log, "Bound to %s", endpoint_text(text, at));
    if (listen(fd, SOMAXCONN) == 0) return RESULT_OK;
    return error_set(e, RESULT_IO, "Listening for incoming connections failed (listen returned error %s)",
                     socket_error_text(text, errno));
}

enum result net_listen(struct net *net, const struct endpoint *at, unsigned permissions, bool onion, struct error *e)
{
    struct sockaddr_storage address;
    socklen_t len;
    char text[SOCKET_TEXT];
    if (!sockaddr_put(&address, &len, at))
        return error_set(e, RESULT_IO, "Bind address family for %s not supported", endpoint_text(text, at));
    int fd = socket_new(&address);
    if (fd < 0)
        return error_set(e, RESULT_IO, "Couldn't open socket for incoming connections (socket returned error %s)",
                         socket_error_text(text, errno));
    enum result result = listen_at(net, fd, &address, len, at, e);
    if (result) {
        close(fd);
        return result;
    }
    struct listener *l = mem_calloc(1, sizeof(*l));
    *l = (struct listener){.net = net, .fd = fd, .permissions = permissions, .onion = onion};
    net_command(net, &(struct command){.kind = COMMAND_LISTEN, .listener = l});
    return RESULT_OK;
}
