/* Server-sent events: each browser has its own place in the list of events and gets what it takes. Little waits in
 * memory, for the list itself stays with the source; who takes nothing at all is dropped and comes back by itself.
 *
 * An id is "SEQ.BRANCH": after a rewind, ids from before it are worth nothing. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/check.h"
#include "lab/web_internal.h"

enum { CHUNK = 128 * 1024, UNASKED_BYTES = 4096 };

static struct evbuffer *waiting_of(const struct web_stream *s)
{
    return bufferevent_get_output(evhttp_connection_get_bufferevent(evhttp_request_get_connection(s->req)));
}

static void stream_free(struct web_stream *s)
{
    struct lab_web *w = s->web;
    if (s->prev)
        s->prev->next = s->next;
    else
        w->streams = s->next;
    if (s->next) s->next->prev = s->prev;
    w->stream_count--;
    free(s);
}

/* The connection ends, whoever ended it. Where libevent has let go of the request already it is ours to free. */
static void on_closed(struct evhttp_connection *connection, void *stream)
{
    struct web_stream *s = stream;
    (void)connection;
    if (!evhttp_request_get_connection(s->req)) evhttp_request_free(s->req);
    stream_free(s);
}

/* ---- what is due ---- */

static void put_reset(struct web_stream *s, struct buffer *out)
{
    buffer_printf(out, "event: reset\ndata: {\"seq\":%llu}\n\n", (unsigned long long)s->seq);
    s->reset = false;
}

static void put_state(struct web_stream *s, struct buffer *out)
{
    buffer_put_str(out, "event: state\ndata: ");
    web_play_state_json(s->web, out);
    buffer_put_str(out, "\n\n");
    s->state = false;
}

/* True where all were put. */
static bool put_events(struct web_stream *s, struct buffer *out)
{
    const struct lab_source *source = &s->web->options.source;
    size_t count = 0;
    const struct lab_event *events = source->events(source->ctx, &count);
    if (s->seq > count) { /* the list became shorter by itself */
        s->seq = count;
        put_reset(s, out);
    }
    for (; s->seq < count && out->len < CHUNK; s->seq++) {
        buffer_printf(out, "event: lab\nid: %llu.%llu\ndata: ", (unsigned long long)s->seq,
                      (unsigned long long)s->web->branch);
        lab_event_json(out, &events[s->seq]);
        buffer_put_str(out, "\n\n");
    }
    return s->seq >= count;
}

static void put_measure(struct web_stream *s, struct buffer *out)
{
    s->measure = false;
    if (!s->web->measured.len) return;
    buffer_put_str(out, "event: measure\ndata: ");
    buffer_put_span(out, buffer_span(&s->web->measured));
    buffer_put_str(out, "\n\n");
}

static void fill(struct web_stream *s);

static void on_written(struct evhttp_connection *connection, void *stream)
{
    (void)connection;
    fill(stream);
}

static void send_text(struct web_stream *s, const struct buffer *text)
{
    struct evbuffer *chunk = evbuffer_new();
    CHECK(chunk && evbuffer_add(chunk, text->data, text->len) == 0);
    evhttp_send_reply_chunk_with_cb(s->req, chunk, on_written, s);
    evbuffer_free(chunk);
}

static void fill(struct web_stream *s)
{
    struct buffer text = {0};
    if (evbuffer_get_length(waiting_of(s)) >= s->web->limits.waiting_bytes) return; /* on when that is gone */
    if (s->reset) {
        put_reset(s, &text);
        put_state(s, &text);
    }
    put_events(s, &text);
    if (s->state) put_state(s, &text);
    if (s->measure) put_measure(s, &text);
    if (text.len) send_text(s, &text);
    buffer_clear(&text);
}

void web_stream_fill_all(struct lab_web *w)
{
    for (struct web_stream *s = w->streams, *next; s; s = next) {
        next = s->next;
        fill(s);
    }
}

void web_stream_keep_alive(struct lab_web *w)
{
    struct buffer text = {0};
    buffer_put_str(&text, ":\n\n");
    w->idle_s4 = 0;
    for (struct web_stream *s = w->streams, *next; s; s = next) {
        next = s->next;
        if (evbuffer_get_length(waiting_of(s)) == 0) send_text(s, &text);
    }
    buffer_clear(&text);
}

/* ---- life ---- */

/* Where it left off: the browser's own note of the last id, else what the page asks for. */
static uint64_t place_of(const struct lab_web *w, struct evhttp_request *req)
{
    const char *last = evhttp_find_header(evhttp_request_get_input_headers(req), "Last-Event-ID");
    char text[48];
    uint64_t seq, branch;
    if (last && strlen(last) < sizeof text) {
        memcpy(text, last, strlen(last) + 1);
        char *dot = strchr(text, '.');
        if (!dot) return 0;
        *dot = '\0';
        bool good = web_number(text, UINT64_MAX / 2, &seq) && web_number(dot + 1, UINT64_MAX / 2, &branch);
        return good && branch == w->branch ? seq + 1 : 0;
    }
    return web_query(req, "from", text, sizeof text) && web_number(text, UINT64_MAX / 2, &seq) ? seq : 0;
}

/* Reading goes on for the sake of noticing the end; what a browser says in a stream is not kept. */
static void tune(struct lab_web *w, struct evhttp_connection *connection)
{
    struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);
    struct timeval unread = {.tv_sec = w->limits.unread_s};
    int one = 1;
    setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    bufferevent_set_timeouts(bev, NULL, &unread);
    bufferevent_setwatermark(bev, EV_READ, 0, UNASKED_BYTES);
}

void web_stream_open(struct lab_web *w, struct evhttp_request *req)
{
    const struct lab_source *source = &w->options.source;
    struct evhttp_connection *connection = evhttp_request_get_connection(req);
    size_t count = 0;
    if (w->stream_count >= w->limits.streams || w->stopping) {
        web_refuse(req, 503, "too many pages listen already");
        return;
    }
    source->events(source->ctx, &count);
    struct web_stream *s = mem_calloc(1, sizeof *s);
    *s = (struct web_stream){
        .web = w, .next = w->streams, .req = req, .seq = place_of(w, req), .reset = true, .measure = true};
    if (s->seq > count) s->seq = count;
    if (s->next) s->next->prev = s;
    w->streams = s;
    w->stream_count++;
    evhttp_connection_set_closecb(connection, on_closed, s);
    tune(w, connection);
    web_put_headers(req, "text/event-stream");
    evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "close");
    evhttp_send_reply_start(req, 200, "OK");
    fill(s);
}

void web_stream_end_all(struct lab_web *w)
{
    while (w->streams) {
        struct evhttp_request *req = w->streams->req;
        evhttp_connection_set_closecb(evhttp_request_get_connection(req), NULL, NULL);
        stream_free(w->streams);
        evhttp_send_reply_end(req);
    }
}
