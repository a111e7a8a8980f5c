/* A server of the page in a thread, and a browser made of plain sockets. */
#ifndef CAIRN_TEST_UNIT_LAB_WEB_KIT_H
#define CAIRN_TEST_UNIT_LAB_WEB_KIT_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fake_source.h"
#include "lab/web_internal.h"

enum { KIT_PATIENCE_MS = 20000 };

struct kit {
    struct fake fake;
    struct lab_library library;
    struct lab_web *web;
    pthread_t thread;
    bool running;
};

static void *kit_main(void *web)
{
    lab_web_run(web);
    return NULL;
}

static struct lab_web_options kit_prepare(struct kit *k)
{
    static const char *const texts[] = {
        "title = One\nabout = The first.\n[setup]\nq = 30%\nseed = 18446744073709551615\n",
        "title = Two\nquestion = How \"many\"?\n[setup]\nq = 0\n",
    };
    static const char *const names[] = {"one", "two"};
    struct error e = {0};
    k->fake.last = k->fake.last ? k->fake.last : 1000000;
    k->library.items = mem_calloc(2, sizeof *k->library.items);
    k->library.count = k->library.cap = 2;
    for (size_t i = 0; i < 2; i++)
        cr_assert_eq(lab_scenario_parse(&k->library.items[i], names[i], span_str(texts[i]), &e), RESULT_OK, "%s",
                     e.text);
    return (struct lab_web_options){.address = "127.0.0.1",
                                    .source = fake_source(&k->fake),
                                    .library = &k->library,
                                    .first = &k->library.items[0],
                                    .jobs = 1};
}

static void kit_run(struct kit *k)
{
    k->running = true;
    cr_assert_eq(pthread_create(&k->thread, NULL, kit_main, k->web), 0);
}

static void kit_open(struct kit *k)
{
    struct error e = {0};
    struct lab_web_options o = kit_prepare(k);
    cr_assert_eq(lab_web_new(&k->web, &o, &e), RESULT_OK, "%s", e.text);
    kit_run(k);
}

static void kit_stop(struct kit *k)
{
    if (!k->running) return;
    lab_web_stop(k->web);
    pthread_join(k->thread, NULL);
    k->running = false;
}

static void kit_close(struct kit *k)
{
    kit_stop(k);
    lab_web_free(k->web);
    lab_library_clear(&k->library);
    free(k->fake.events);
}

/* ---- a browser ---- */

static int kit_connect(const struct kit *k)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(lab_web_port(k->web)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0);
    return fd;
}

static void kit_send(int fd, const void *data, size_t len)
{
    const char *p = data;
    while (len) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n <= 0) return; /* refused before all was said */
        p += n;
        len -= (size_t)n;
    }
}

/* More of what comes, appended; false: the end, or nothing came for so long. */
static bool kit_receive(int fd, struct buffer *in, int wait_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, wait_ms) != 1) return false;
    ssize_t n = recv(fd, buffer_reserve(in, 65536), 65536, 0);
    if (n <= 0) return false;
    in->len += (size_t)n;
    return true;
}

/* Sends these bytes, reads to the end of the connection; the whole answer is in OUT. Returns the status, 0: none. */
static int kit_raw(const struct kit *k, const char *request, size_t len, struct buffer *out)
{
    int fd = kit_connect(k), status = 0;
    out->len = 0;
    kit_send(fd, request, len);
    while (kit_receive(fd, out, KIT_PATIENCE_MS)) continue;
    close(fd);
    if (out->len > 12) sscanf(buffer_text(out), "HTTP/1.%*d %d", &status);
    return status;
}

static const char *kit_body(struct buffer *answer)
{
    const char *text = buffer_text(answer), *end = strstr(text, "\r\n\r\n");
    return end ? end + 4 : "";
}

/* METHOD PATH with EXTRA header lines ("" or "A: b\r\n") and a body (may be NULL). */
static int kit_ask(const struct kit *k, const char *method, const char *path, const char *extra, const char *body,
                   struct buffer *out)
{
    struct buffer request = {0};
    buffer_printf(&request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n%s", method, path,
                  lab_web_port(k->web), extra);
    if (body) buffer_printf(&request, "Content-Length: %zu\r\n", strlen(body));
    buffer_put_str(&request, "\r\n");
    if (body) buffer_put_str(&request, body);
    int status = kit_raw(k, (const char *)request.data, request.len, out);
    buffer_clear(&request);
    return status;
}

/* GET or (with a BODY) POST; the answer must be JSON. Free with json_decref. */
static json_t *kit_json(const struct kit *k, const char *path, const char *body, int expected)
{
    struct buffer out = {0};
    json_error_t e;
    int status = kit_ask(k, body ? "POST" : "GET", path, "", body, &out);
    cr_assert_eq(status, expected, "%s %s: %d %s", path, body ? body : "", status, kit_body(&out));
    json_t *v = json_loads(kit_body(&out), 0, &e);
    cr_assert(v, "%s: %s", path, kit_body(&out));
    buffer_clear(&out);
    return v;
}

/* An order that must succeed. */
static void kit_order(const struct kit *k, const char *path, const char *body)
{
    json_decref(kit_json(k, path, body, 200));
}

/* ---- a stream, by HTTP/1.0: without chunks ---- */

struct kit_stream {
    int fd;
    struct buffer in;
    size_t at;
};

struct kit_message {
    char event[16], id[48];
    json_t *data;
};

static struct kit_stream kit_listen(const struct kit *k, const char *query, const char *extra)
{
    struct kit_stream s = {.fd = kit_connect(k)};
    char text[512];
    int len = snprintf(text, sizeof text, "GET /api/events%s HTTP/1.0\r\nHost: localhost:%u\r\n%s\r\n", query,
                       lab_web_port(k->web), extra);
    kit_send(s.fd, text, (size_t)len);
    return s;
}

static void kit_hang_up(struct kit_stream *s)
{
    close(s->fd);
    buffer_clear(&s->in);
}

/* The part up to and without an empty line, or NULL at the end of the stream. */
static char *kit_part(struct kit_stream *s, const char *ending)
{
    for (;;) {
        const char *text = buffer_text(&s->in) + s->at, *end = strstr(text, ending);
        if (end) {
            char *part = mem_dup(text, (size_t)(end - text) + 1);
            part[end - text] = '\0';
            s->at += (size_t)(end - text) + strlen(ending);
            return part;
        }
        if (!kit_receive(s->fd, &s->in, KIT_PATIENCE_MS)) return NULL;
    }
}

/* The next message; false: the stream ended. */
static bool kit_next(struct kit_stream *s, struct kit_message *m)
{
    *m = (struct kit_message){0};
    if (!s->at) free(kit_part(s, "\r\n\r\n"));
    for (;;) {
        char *part = kit_part(s, "\n\n"), *save = NULL;
        if (!part) return false;
        for (char *line = strtok_r(part, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
            if (strncmp(line, "event: ", 7) == 0) snprintf(m->event, sizeof m->event, "%.15s", line + 7);
            if (strncmp(line, "id: ", 4) == 0) snprintf(m->id, sizeof m->id, "%.47s", line + 4);
            if (strncmp(line, "data: ", 6) == 0) m->data = json_loads(line + 6, JSON_DECODE_ANY, NULL);
        }
        free(part);
        if (!m->event[0]) continue; /* a comment */
        cr_assert(m->data, "a %s without data", m->event);
        return true;
    }
}

/* The next message of this kind, others skipped. */
static json_t *kit_wait(struct kit_stream *s, const char *event)
{
    struct kit_message m;
    for (;;) {
        cr_assert(kit_next(s, &m), "the stream ended before its %s", event);
        if (strcmp(m.event, event) == 0) return m.data;
        json_decref(m.data);
    }
}

static json_int_t kit_int(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    cr_assert(json_is_integer(v), "%s", key);
    return json_integer_value(v);
}

/* Events FIRST ... LAST come, each once and in order; states between them do not matter. */
static void kit_expect_events(struct kit_stream *s, json_int_t first, json_int_t last)
{
    for (json_int_t seq = first; seq <= last; seq++) {
        json_t *data = kit_wait(s, "lab");
        cr_assert_eq(kit_int(data, "seq"), seq);
        json_decref(data);
    }
}

static void kit_expect_reset(struct kit_stream *s, json_int_t seq)
{
    struct kit_message m;
    do {
        cr_assert(kit_next(s, &m));
        cr_assert_str_neq(m.event, "lab", "an event before the reset");
        if (strcmp(m.event, "reset") == 0) cr_assert_eq(kit_int(m.data, "seq"), seq);
        json_decref(m.data);
    } while (strcmp(m.event, "reset") != 0);
}

static void kit_sleep_ms(int ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

#endif
