/* evhttp, its thread, and the way of replies back to it. All of libevent is called on the HTTP thread alone (before it
 * starts and after it ended: on the owner's); others only put a reply into a list and write to an eventfd. */
#include "http/http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"

enum { AUTH_DELAY_MS = 250, ENDPOINTS_MAX = 32, DRAIN_TICK_MS = 5, WRITING_DRAIN_MS = 1000 };

struct http_request {
    struct link *link;
    struct evhttp_request *ev;        /* libevent's, which frees it once it is answered */
    struct http_request *prev, *next; /* among those in flight; HTTP thread only */
    struct evbuffer *body;            /* moved here: it must outlast the connection */
    char user[HTTP_USER_MAX];
    char *uri;
    char peer[80];
    bool rest;
    /* the reply, once there is one */
    struct http_request *next_reply;
    int status;
    const char *content_type;
    struct buffer reply;
};

/* What the server and its requests share; it outlives the server where requests do. */
struct link {
    pthread_mutex_t mutex;
    unsigned users;
    struct http_request *first, *last; /* replies on their way to the HTTP thread */
    int wake_fd;                       /* -1: the server is gone */
    bool interrupt_wanted, stop_wanted;
    int drain_ms;
};

struct http {
    struct http_config config;
    http_on_request *on_request;
    void *ctx;
    struct link *link;
    struct event_base *base;
    struct evhttp *evhttp;
    struct event *wake_event, *drain_event;
    struct evhttp_bound_socket *bound[ENDPOINTS_MAX];
    size_t bound_count;
    uint16_t port;
    pthread_t thread;
    /* HTTP thread only: */
    struct http_request *in_flight; /* handed to the owner, not yet answered */
    int in_flight_count;
    int writing;             /* replies that evhttp has not yet sent */
    struct delayed *delayed; /* refusals that wait for their time */
    bool interrupted, stopping;
    int drain_left_ms, writing_left_ms;
};

static void link_unref(struct link *link)
{
    pthread_mutex_lock(&link->mutex);
    bool last = --link->users == 0;
    pthread_mutex_unlock(&link->mutex);
    if (!last) return;
    pthread_mutex_destroy(&link->mutex);
    free(link);
}

static void link_wake(struct link *link)
{
    uint64_t one = 1;
    if (link->wake_fd < 0) return;
    ssize_t n = write(link->wake_fd, &one, sizeof one);
    (void)n; /* a full counter wakes as well */
}

static void request_free(struct http_request *req)
{
    link_unref(req->link);
    buffer_clear(&req->reply);
    evbuffer_free(req->body);
    free(req->uri);
    free(req);
}

struct span http_request_body(const struct http_request *req)
{
    size_t len = evbuffer_get_length(req->body);
    return span_of(len ? evbuffer_pullup(req->body, -1) : NULL, len);
}

const char *http_request_user(const struct http_request *req)
{
    return req->user;
}

const char *http_request_uri(const struct http_request *req)
{
    return req->uri;
}

const char *http_request_peer(const struct http_request *req)
{
    return req->peer;
}

bool http_request_is_rest(const struct http_request *req)
{
    return req->rest;
}

void http_reply(struct http_request *req, int status, const char *content_type, struct buffer *body_taken)
{
    struct link *link = req->link;
    req->status = status;
    req->content_type = content_type;
    if (body_taken) {
        req->reply = *body_taken;
        *body_taken = (struct buffer){0};
    }
    req->next_reply = NULL;
    pthread_mutex_lock(&link->mutex);
    bool gone = link->wake_fd < 0;
    if (!gone) {
        if (link->last)
            link->last->next_reply = req;
        else
            link->first = req;
        link->last = req;
        link_wake(link);
    }
    pthread_mutex_unlock(&link->mutex);
    if (gone) request_free(req);
}

/* ---- on the HTTP thread ---- */

static const char *reason_of(int status)
{
    switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return status < 400 ? "OK" : "Error";
    }
}

/* A reply on its way out: over when it is sent or its connection ends, whichever comes first. */
struct sending {
    struct http *http;
    struct evhttp_connection *connection;
};

static void sending_end(struct sending *s)
{
    evhttp_connection_set_closecb(s->connection, NULL, NULL);
    s->http->writing--;
    free(s);
}

static void on_sent(struct evhttp_request *ev, void *ctx)
{
    (void)ev;
    sending_end(ctx);
}

static void on_closed(struct evhttp_connection *connection, void *ctx)
{
    (void)connection;
    sending_end(ctx);
}

static void watch_sending(struct http *http, struct evhttp_request *ev)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(ev);
    if (!connection) return;
    struct sending *s = mem_alloc(sizeof *s);
    *s = (struct sending){.http = http, .connection = connection};
    http->writing++;
    evhttp_request_set_on_complete_cb(ev, on_sent, s);
    evhttp_connection_set_closecb(connection, on_closed, s);
}

static void free_reference(const void *data, size_t len, void *extra)
{
    (void)data;
    (void)len;
    free(extra);
}

/* Sends and forgets EV. The bytes of BODY (may be NULL) are taken. */
static void send_reply(struct http *http, struct evhttp_request *ev, int status, const char *content_type,
                       struct buffer *body)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(ev);
    struct evbuffer *out = NULL;
    if (content_type) evhttp_add_header(headers, "Content-Type", content_type);
    if (http->interrupted) evhttp_add_header(headers, "Connection", "close");
    if (body && body->len) {
        out = evbuffer_new();
        CHECK(out && evbuffer_add_reference(out, body->data, body->len, free_reference, body->data) == 0);
        *body = (struct buffer){0};
    }
    watch_sending(http, ev);
    evhttp_send_reply(ev, status, reason_of(status), out);
    if (out) evbuffer_free(out);
}

static void refuse(struct http *http, struct evhttp_request *ev, int status, const char *text)
{
    struct buffer body = {0};
    buffer_put_str(&body, text);
    if (status != 401) evhttp_add_header(evhttp_request_get_output_headers(ev), "Cache-Control", "no-store");
    send_reply(http, ev, status, NULL, &body);
    buffer_clear(&body);
}

static void refuse_user(struct http *http, struct evhttp_request *ev)
{
    evhttp_add_header(evhttp_request_get_output_headers(ev), "WWW-Authenticate", "Basic realm=\"jsonrpc\"");
    refuse(http, ev, 401, "");
}

/* A refusal that waits, to slow down guessing; nobody else waits with it. */
struct delayed {
    struct http *http;
    struct evhttp_request *ev;
    struct event *timer;
    struct delayed *prev, *next;
};

static void delayed_free(struct delayed *d)
{
    if (d->prev)
        d->prev->next = d->next;
    else
        d->http->delayed = d->next;
    if (d->next) d->next->prev = d->prev;
    event_free(d->timer);
    free(d);
}

static void on_delay_over(evutil_socket_t fd, short what, void *ctx)
{
    struct delayed *d = ctx;
    (void)fd;
    (void)what;
    refuse_user(d->http, d->ev);
    delayed_free(d);
}

static void refuse_later(struct http *http, struct evhttp_request *ev, const char *peer)
{
    struct timeval delay = {.tv_usec = AUTH_DELAY_MS * 1000};
    struct delayed *d = mem_alloc(sizeof *d);
    log_warning(http->config.log, "ThreadRPCServer incorrect password attempt from %s", peer);
    *d = (struct delayed){.http = http, .ev = ev, .next = http->delayed};
    d->timer = evtimer_new(http->base, on_delay_over, d);
    CHECK(d->timer && evtimer_add(d->timer, &delay) == 0);
    if (d->next) d->next->prev = d;
    http->delayed = d;
}

/* As if THREADS workers took requests from a queue: those beyond the workers wait in it. */
static bool queue_is_full(const struct http *http)
{
    int waiting = http->in_flight_count - http->config.threads;
    return waiting >= http->config.work_queue && http->in_flight_count >= http->config.threads;
}

static void dispatch(struct http *http, struct evhttp_request *ev, bool rest, const char *user, const char *peer)
{
    struct http_request *req = mem_calloc(1, sizeof *req);
    req->link = http->link;
    req->ev = ev;
    req->rest = rest;
    req->uri = mem_strdup(evhttp_request_get_uri(ev));
    snprintf(req->user, sizeof req->user, "%s", user);
    snprintf(req->peer, sizeof req->peer, "%s", peer);
    req->body = evbuffer_new();
    CHECK(req->body && evbuffer_add_buffer(req->body, evhttp_request_get_input_buffer(ev)) == 0);
    req->next = http->in_flight;
    if (req->next) req->next->prev = req;
    http->in_flight = req;
    http->in_flight_count++;
    pthread_mutex_lock(&http->link->mutex);
    http->link->users++;
    pthread_mutex_unlock(&http->link->mutex);
    http->on_request(http->ctx, req);
}

static void on_rpc(struct http *http, struct evhttp_request *ev, const char *peer)
{
    char user[HTTP_USER_MAX] = "";
    if (evhttp_request_get_command(ev) != EVHTTP_REQ_POST) {
        refuse(http, ev, 405, "JSONRPC server handles only POST requests");
        return;
    }
    const char *header = evhttp_find_header(evhttp_request_get_input_headers(ev), "Authorization");
    if (!header)
        refuse_user(http, ev);
    else if (!http_auth_check(http->config.auth, header, user))
        refuse_later(http, ev, peer);
    else
        dispatch(http, ev, false, user, peer);
}

/* The library counts header lines without what ends them. */
static bool headers_too_long(struct evhttp_request *ev)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(ev);
    size_t size = 0;
    for (const struct evkeyval *h = headers->tqh_first; h; h = h->next.tqe_next)
        size += strlen(h->key) + strlen(": ") + strlen(h->value) + strlen("\r\n");
    return size > HTTP_HEADERS_MAX;
}

/* Strangers get no answer, not even that they are refused. */
static void drop(struct http *http, struct evhttp_request *ev, const char *peer)
{
    log_debug(http->config.log, LOGC_HTTP, "Connection from %s rejected: its network may not use the RPC server", peer);
    evhttp_connection_free(evhttp_request_get_connection(ev));
}

static void on_ev_request(struct evhttp_request *ev, void *ctx)
{
    struct http *http = ctx;
    char *address = NULL, peer[80];
    uint16_t port = 0;
    const char *uri = evhttp_request_get_uri(ev);
    evhttp_connection_get_peer(evhttp_request_get_connection(ev), &address, &port);
    snprintf(peer, sizeof peer, address && strchr(address, ':') ? "[%.50s]:%u" : "%.50s:%u", address ? address : "?",
             port);
    log_debug(http->config.log, LOGC_HTTP, "Received a request for %.100s from %s", uri, peer);
    bool rest = http->config.rest && strncmp(uri, "/rest/", 6) == 0;
    if (!address || !http_allow_has(http->config.allow, address))
        drop(http, ev, peer);
    else if (headers_too_long(ev))
        refuse(http, ev, 400, "");
    else if (http->interrupted)
        refuse(http, ev, 503, "");
    else if (!rest && strcmp(uri, "/") != 0)
        refuse(http, ev, 404, "");
    else if (queue_is_full(http))
        refuse(http, ev, 503, "Work queue depth exceeded");
    else if (rest)
        dispatch(http, ev, true, "", peer);
    else
        on_rpc(http, ev, peer);
}

static void answer(struct http *http, struct http_request *req)
{
    if (req->prev)
        req->prev->next = req->next;
    else
        http->in_flight = req->next;
    if (req->next) req->next->prev = req->prev;
    http->in_flight_count--;
    send_reply(http, req->ev, req->status, req->content_type, &req->reply);
    request_free(req);
}

static void stop_accepting(struct http *http)
{
    if (http->interrupted) return;
    http->interrupted = true;
    for (size_t i = 0; i < http->bound_count; i++) evhttp_del_accept_socket(http->evhttp, http->bound[i]);
    http->bound_count = 0;
}

static void on_drain_tick(evutil_socket_t fd, short what, void *ctx)
{
    struct http *http = ctx;
    struct timeval tick = {.tv_usec = DRAIN_TICK_MS * 1000};
    (void)fd;
    (void)what;
    bool waiting = http->in_flight_count || http->delayed;
    http->drain_left_ms -= DRAIN_TICK_MS;
    if (!waiting) http->writing_left_ms -= DRAIN_TICK_MS;
    if ((!waiting && (!http->writing || http->writing_left_ms <= 0)) || http->drain_left_ms <= 0)
        event_base_loopbreak(http->base);
    else
        event_add(http->drain_event, &tick);
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
    struct http *http = ctx;
    struct link *link = http->link;
    uint64_t count;
    (void)what;
    ssize_t n = read((int)fd, &count, sizeof count);
    (void)n;
    pthread_mutex_lock(&link->mutex);
    struct http_request *req = link->first;
    link->first = link->last = NULL;
    bool interrupt = link->interrupt_wanted, stop = link->stop_wanted;
    int drain_ms = link->drain_ms;
    pthread_mutex_unlock(&link->mutex);
    while (req) {
        struct http_request *next = req->next_reply;
        answer(http, req);
        req = next;
    }
    if (interrupt || stop) stop_accepting(http);
    if (stop && !http->stopping) {
        http->stopping = true;
        http->drain_left_ms = drain_ms;
        http->writing_left_ms = WRITING_DRAIN_MS;
        on_drain_tick(-1, 0, http);
    }
}

static void *thread_main(void *ctx)
{
    struct http *http = ctx;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are the main thread's */
    pthread_setname_np(pthread_self(), "cairn-http");
    event_base_loop(http->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

/* ---- life ---- */

/* libevent frees a request with its connection; one whose connection has gone already is ours to free. */
static void free_orphans(struct http *http)
{
    for (struct http_request *req = http->in_flight; req; req = req->next) {
        if (!evhttp_request_get_connection(req->ev)) evhttp_request_free(req->ev);
    }
    while (http->delayed) {
        if (!evhttp_request_get_connection(http->delayed->ev)) evhttp_request_free(http->delayed->ev);
        delayed_free(http->delayed);
    }
}

static void http_free(struct http *http)
{
    free_orphans(http);
    if (http->wake_event) event_free(http->wake_event);
    if (http->drain_event) event_free(http->drain_event);
    if (http->evhttp) evhttp_free(http->evhttp);
    if (http->base) event_base_free(http->base);
    pthread_mutex_lock(&http->link->mutex);
    if (http->link->wake_fd >= 0) close(http->link->wake_fd);
    http->link->wake_fd = -1;
    struct http_request *late = http->link->first;
    http->link->first = http->link->last = NULL;
    pthread_mutex_unlock(&http->link->mutex);
    while (late) {
        struct http_request *next = late->next_reply;
        request_free(late);
        late = next;
    }
    link_unref(http->link);
    free(http);
}

static uint16_t port_of(struct evhttp_bound_socket *bound)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    if (getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &len) != 0) return 0;
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static enum result bind_all(struct http *http, struct error *e)
{
    for (size_t i = 0; i < http->config.endpoint_count && http->bound_count < ENDPOINTS_MAX; i++) {
        const struct http_endpoint *at = &http->config.endpoints[i];
        struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http->evhttp, at->host, at->port);
        if (!bound) {
            log_warning(http->config.log, "Binding RPC on address %s port %u failed: %s.", at->host, at->port,
                        strerror(errno));
            continue;
        }
        log_debug(http->config.log, LOGC_HTTP, "Binding RPC on address %s port %u", at->host, at->port);
        if (!http->bound_count) http->port = port_of(bound);
        http->bound[http->bound_count++] = bound;
    }
    if (http->bound_count) return RESULT_OK;
    return error_set(e, RESULT_IO, "Unable to bind any endpoint for RPC server");
}

static void open_events(struct http *http)
{
    http->link->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    http->base = event_base_new();
    CHECK(http->link->wake_fd >= 0 && http->base);
    http->evhttp = evhttp_new(http->base);
    http->wake_event = event_new(http->base, http->link->wake_fd, EV_READ | EV_PERSIST, on_wake, http);
    http->drain_event = evtimer_new(http->base, on_drain_tick, http);
    CHECK(http->evhttp && http->wake_event && http->drain_event && event_add(http->wake_event, NULL) == 0);
    evhttp_set_timeout(http->evhttp, http->config.timeout_s);
    evhttp_set_max_headers_size(http->evhttp, HTTP_HEADERS_MAX);
    evhttp_set_max_body_size(http->evhttp, HTTP_BODY_MAX);
    evhttp_set_default_content_type(http->evhttp, NULL);
    evhttp_set_allowed_methods(http->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT);
    evhttp_set_gencb(http->evhttp, on_ev_request, http);
}

enum result http_start(struct http **out, const struct http_config *config, http_on_request *on_request, void *ctx,
                       struct error *e)
{
    struct http *http = mem_calloc(1, sizeof *http);
    *out = NULL;
    http->config = *config;
    http->on_request = on_request;
    http->ctx = ctx;
    http->link = mem_calloc(1, sizeof *http->link);
    http->link->users = 1;
    pthread_mutex_init(&http->link->mutex, NULL);
    open_events(http);
    enum result result = bind_all(http, e);
    if (result == RESULT_OK && pthread_create(&http->thread, NULL, thread_main, http) != 0)
        result = error_set(e, RESULT_IO, "Unable to start the HTTP thread");
    if (result != RESULT_OK)
        http_free(http);
    else
        *out = http;
    return result;
}

uint16_t http_port(const struct http *http)
{
    return http->port;
}

void http_interrupt(struct http *http)
{
    pthread_mutex_lock(&http->link->mutex);
    http->link->interrupt_wanted = true;
    link_wake(http->link);
    pthread_mutex_unlock(&http->link->mutex);
}

void http_stop(struct http *http, int drain_ms)
{
    if (!http) return;
    pthread_mutex_lock(&http->link->mutex);
    http->link->stop_wanted = true;
    http->link->drain_ms = drain_ms;
    link_wake(http->link);
    pthread_mutex_unlock(&http->link->mutex);
    pthread_join(http->thread, NULL);
    http_free(http);
}
