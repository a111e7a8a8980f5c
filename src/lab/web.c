/* The life of the page's server: it binds, runs one loop, and stops. */
#include "lab/web.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "lab/web_internal.h"

enum {
    HEADERS_MAX = 8192,
    BODY_MAX = 65536,
    HOUSEKEEPING_MS = 250,
    GOODBYE_MS = 50, /* for the ends of streams to go out */
    FD_MAX = 4096,
    SPEED = 600,
};

static const struct web_limits DEFAULT_LIMITS = {
    .connections = 64,
    .streams = 32,
    .waiting_bytes = 1 << 20,
    .silence_s = 15,
    .unread_s = 20,
    .keep_alive_s = 15,
};

int64_t web_real_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- connections ---- */

static uint16_t port_in(const struct sockaddr_storage *at)
{
    if (at->ss_family == AF_INET) return ntohs(((const struct sockaddr_in *)at)->sin_port);
    return at->ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)at)->sin6_port) : 0;
}

static uint16_t port_of(evutil_socket_t fd)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    return getsockname(fd, (struct sockaddr *)&at, &len) == 0 ? port_in(&at) : 0;
}

/* libevent does not say how many it has; the sockets at our port do. The listener is one of them. */
static unsigned connection_count(const struct lab_web *w)
{
    unsigned count = 0;
    long last = sysconf(_SC_OPEN_MAX);
    for (int fd = 3; fd < FD_MAX && fd < last; fd++) count += port_of(fd) == w->port;
    return count ? count - 1 : 0;
}

/* Before each connection. Where there are too many, those that come wait in the system's queue. */
static struct bufferevent *on_connection(struct event_base *base, void *web)
{
    struct lab_web *w = web;
    if (connection_count(w) >= w->limits.connections) evconnlistener_disable(w->listener);
    return bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
}

static void on_housekeeping(evutil_socket_t fd, short what, void *web)
{
    struct lab_web *w = web;
    (void)fd;
    (void)what;
    if (connection_count(w) < w->limits.connections) evconnlistener_enable(w->listener);
    if (++w->idle_s4 >= w->limits.keep_alive_s * 4) web_stream_keep_alive(w);
}

/* ---- stopping ---- */

static void begin_stop(struct lab_web *w)
{
    struct timeval later = {.tv_usec = GOODBYE_MS * 1000};
    if (w->stopping) return;
    w->stopping = true;
    event_del(w->tick);
    evconnlistener_disable(w->listener);
    web_measure_stop(w);
    if (!w->streams) later.tv_usec = 0;
    web_stream_end_all(w);
    event_base_loopexit(w->base, &later);
}

static void on_wake(evutil_socket_t fd, short what, void *web)
{
    uint64_t count;
    (void)what;
    ssize_t n = read((int)fd, &count, sizeof count);
    (void)n;
    begin_stop(web);
}

static void on_signal(evutil_socket_t number, short what, void *web)
{
    (void)number;
    (void)what;
    begin_stop(web);
}

/* ---- life ---- */

static enum result bind_to(struct lab_web *w, struct error *e)
{
    struct sockaddr_storage at = {0};
    int len = sizeof at;
    const char *address = w->options.address;
    if (evutil_parse_sockaddr_port(address, (struct sockaddr *)&at, &len) != 0 || port_in(&at) != 0)
        return error_set(e, RESULT_INVALID, "%.60s is not a numeric address", address);
    if (at.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&at)->sin6_port = htons(w->options.port);
    else
        ((struct sockaddr_in *)&at)->sin_port = htons(w->options.port);
    w->listener =
        evconnlistener_new_bind(w->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
                                64, (struct sockaddr *)&at, len);
    if (!w->listener && errno == EADDRINUSE)
        return error_set(e, RESULT_BUSY,
                         "port %u of %s is in use: is another cairn-lab running? (--port chooses another)",
                         w->options.port, address);
    if (!w->listener)
        return error_set(e, RESULT_IO, "cannot listen on port %u of %s: %s", w->options.port, address, strerror(errno));
    evutil_make_socket_nonblocking(evconnlistener_get_fd(w->listener));
    w->port = port_of(evconnlistener_get_fd(w->listener));
    CHECK(evhttp_bind_listener(w->http, w->listener));
    return RESULT_OK;
}

static void open_events(struct lab_web *w)
{
    struct timeval quarter = {.tv_usec = HOUSEKEEPING_MS * 1000};
    w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    w->base = event_base_new();
    CHECK(w->wake_fd >= 0 && w->base);
    w->http = evhttp_new(w->base);
    w->wake = event_new(w->base, w->wake_fd, EV_READ | EV_PERSIST, on_wake, w);
    w->tick = evtimer_new(w->base, web_play_on_tick, w);
    w->housekeeping = event_new(w->base, -1, EV_PERSIST, on_housekeeping, w);
    CHECK(w->http && w->wake && w->tick && w->housekeeping);
    CHECK(event_add(w->wake, NULL) == 0 && event_add(w->housekeeping, &quarter) == 0);
    evhttp_set_timeout(w->http, w->limits.silence_s);
    evhttp_set_max_headers_size(w->http, HEADERS_MAX);
    evhttp_set_max_body_size(w->http, BODY_MAX);
    evhttp_set_default_content_type(w->http, NULL);
    evhttp_set_allowed_methods(w->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
                                            EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
    evhttp_set_gencb(w->http, web_on_request, w);
    evhttp_set_bevcb(w->http, on_connection, w);
}

enum result lab_web_new(struct lab_web **out, const struct lab_web_options *o, struct error *e)
{
    struct lab_web *w = mem_calloc(1, sizeof *w);
    struct lab_source_state state = {0};
    *out = NULL;
    w->options = *o;
    w->limits = DEFAULT_LIMITS;
    w->speed = SPEED;
    open_events(w);
    enum result result = bind_to(w, e);
    if (result == RESULT_OK && o->first) result = web_start(w, o->first, e);
    if (result != RESULT_OK) {
        lab_web_free(w);
        return result;
    }
    o->source.state(o->source.ctx, &state);
    web_play_set(w, o->autoplay || state.live);
    *out = w;
    return RESULT_OK;
}

uint16_t lab_web_port(const struct lab_web *w)
{
    return w->port;
}

void lab_web_run(struct lab_web *w)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    struct event *signals[] = {evsignal_new(w->base, SIGINT, on_signal, w),
                               evsignal_new(w->base, SIGTERM, on_signal, w)};
    CHECK(signals[0] && signals[1] && event_add(signals[0], NULL) == 0 && event_add(signals[1], NULL) == 0);
    sigaction(SIGPIPE, &ignore, &before); /* a browser that goes away is no reason to */
    event_base_loop(w->base, EVLOOP_NO_EXIT_ON_EMPTY);
    sigaction(SIGPIPE, &before, NULL);
    event_free(signals[0]);
    event_free(signals[1]);
}

void lab_web_stop(struct lab_web *w)
{
    uint64_t one = 1;
    ssize_t n = write(w->wake_fd, &one, sizeof one);
    (void)n; /* a full counter wakes as well */
}

void lab_web_free(struct lab_web *w)
{
    if (!w) return;
    w->stopping = true;
    web_measure_stop(w);
    evhttp_free(w->http); /* with its listener, its connections and their streams */
    event_free(w->wake);
    event_free(w->tick);
    event_free(w->housekeeping);
    event_base_free(w->base);
    close(w->wake_fd);
    buffer_clear(&w->measured);
    free(w);
}
