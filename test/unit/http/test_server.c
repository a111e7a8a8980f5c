/* The HTTP server over a loopback socket: statuses, headers, limits, replies from another thread, stopping. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "http/http.h"

enum { HELD_MAX = 16 };

struct fixture {
    struct http *http;
    struct http_auth *auth;
    struct http_allow allow;
    pthread_mutex_t mutex;
    struct http_request *held[HELD_MAX]; /* bodies that start with "hold" wait for release() */
    int held_count;
};

static struct fixture f;

/* The reply: body and user back; "204" asks for an empty one. */
static void reply_to(struct http_request *req)
{
    struct span body = http_request_body(req);
    struct buffer out = {0};
    if (span_equal(body, span_str("204"))) {
        http_reply(req, 204, NULL, NULL);
        return;
    }
    buffer_printf(&out, "%s:%s:%zu:%.*s", http_request_is_rest(req) ? "rest" : "rpc", http_request_user(req), body.len,
                  (int)(body.len < 100 ? body.len : 100), body.data ? (const char *)body.data : "");
    http_reply(req, 200, "application/json", &out);
}

static void on_request(void *ctx, struct http_request *req)
{
    struct fixture *fixture = ctx;
    struct span body = http_request_body(req);
    if (body.len < 4 || memcmp(body.data, "hold", 4) != 0) {
        reply_to(req);
        return;
    }
    pthread_mutex_lock(&fixture->mutex);
    fixture->held[fixture->held_count++] = req;
    pthread_mutex_unlock(&fixture->mutex);
}

static void open_with(int threads, int queue, int timeout_s)
{
    struct http_endpoint here = {.host = "127.0.0.1"};
    struct error e;
    f = (struct fixture){.auth = http_auth_new()};
    pthread_mutex_init(&f.mutex, NULL);
    http_auth_add_password(f.auth, "u", "p");
    http_allow_init(&f.allow);
    struct http_config config = {.endpoints = &here,
                                 .endpoint_count = 1,
                                 .auth = f.auth,
                                 .allow = &f.allow,
                                 .threads = threads,
                                 .work_queue = queue,
                                 .timeout_s = timeout_s,
                                 .rest = true};
    cr_assert_eq(http_start(&f.http, &config, on_request, &f, &e), RESULT_OK, "%s", e.text);
}

static void open_default(void)
{
    open_with(4, 16, 30);
}

static void close_fixture(void)
{
    http_stop(f.http, 2000);
    http_auth_free(f.auth);
    http_allow_clear(&f.allow);
    pthread_mutex_destroy(&f.mutex);
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(http_port(f.http))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    struct timeval limit = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

static void send_text(int fd, const char *text, size_t len)
{
    while (len) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n <= 0) return;
        text += n;
        len -= (size_t)n;
    }
}

#define AUTH "Authorization: Basic dTpw\r\n" /* u:p */

static void post(int fd, const char *headers, const char *body)
{
    struct buffer b = {0};
    buffer_printf(&b, "POST / HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n%s", headers, strlen(body), body);
    send_text(fd, (const char *)b.data, b.len);
    buffer_clear(&b);
}

/* Reads one response with its body; "" where the connection ended first. */
static struct buffer receive(int fd)
{
    struct buffer b = {0};
    for (;;) {
        const char *text = buffer_text(&b);
        const char *end = strstr(text, "\r\n\r\n");
        const char *length = strstr(text, "Content-Length: ");
        if (end && (!length || b.len >= (size_t)(end + 4 - text) + strtoul(length + 16, NULL, 10))) break;
        uint8_t part[4096];
        ssize_t n = recv(fd, part, sizeof part, 0);
        if (n <= 0) break;
        buffer_put(&b, part, (size_t)n);
    }
    return b;
}

static void expect_response(int fd, const char *status, const char *header, const char *body)
{
    struct buffer b = receive(fd);
    const char *text = buffer_text(&b);
    const char *end = strstr(text, "\r\n\r\n");
    cr_expect(strncmp(text, status, strlen(status)) == 0, "wanted %s, got %s", status, text);
    if (header) cr_expect(strstr(text, header), "wanted %s, got %s", header, text);
    if (body && end) cr_expect_str_eq(end + 4, body);
    buffer_clear(&b);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void wait_held(int count)
{
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&f.mutex);
        int have = f.held_count;
        pthread_mutex_unlock(&f.mutex);
        if (have >= count) return;
        usleep(5000);
    }
    cr_assert_fail("only %d requests came", f.held_count);
}

TestSuite(http, .timeout = 60);

Test(http, answers_and_keeps_the_connection, .init = open_default, .fini = close_fixture)
{
    int fd = dial();
    for (int i = 0; i < 3; i++) {
        post(fd, AUTH, "[1]");
        expect_response(fd, "HTTP/1.1 200 OK\r\n", "Content-Type: application/json\r\n", "rpc:u:3:[1]");
    }
    post(fd, AUTH, "204");
    expect_response(fd, "HTTP/1.1 204 No Content\r\n", NULL, "");
    post(fd, AUTH, "x"); /* two at once are answered in order */
    post(fd, AUTH, "yy");
    struct buffer b = receive(fd);
    if (!strstr(buffer_text(&b), "rpc:u:2:yy")) {
        cr_expect(strstr(buffer_text(&b), "rpc:u:1:x"));
        expect_response(fd, "HTTP/1.1 200 OK\r\n", NULL, "rpc:u:2:yy");
    }
    buffer_clear(&b);
    close(fd);
}

Test(http, passwords, .init = open_default, .fini = close_fixture)
{
    int fd = dial();
    post(fd, "", "x");
    expect_response(fd, "HTTP/1.1 401 Unauthorized\r\n", "WWW-Authenticate: Basic realm=\"jsonrpc\"\r\n", "");
    double start = now_s();
    int other = dial();
    post(fd, "Authorization: Basic dTpx\r\n", "x"); /* u:x */
    post(other, AUTH, "quick");
    expect_response(other, "HTTP/1.1 200", NULL, "rpc:u:5:quick");
    cr_expect_lt(now_s() - start, 0.24); /* nobody else waits */
    expect_response(fd, "HTTP/1.1 401 Unauthorized\r\n", "WWW-Authenticate: Basic realm=\"jsonrpc\"\r\n", "");
    cr_expect_geq(now_s() - start, 0.24);
    close(fd);
    close(other);
}

Test(http, methods_and_paths, .init = open_default, .fini = close_fixture)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: x\r\n" AUTH "\r\n";
    static const char unknown[] = "POST /x HTTP/1.1\r\nHost: x\r\n" AUTH "Content-Length: 0\r\n\r\n";
    static const char rest[] = "GET /rest/chaininfo.json HTTP/1.1\r\nHost: x\r\n\r\n";
    int fd = dial();
    send_text(fd, get, sizeof get - 1);
    expect_response(fd, "HTTP/1.1 405 Method Not Allowed\r\n", NULL, "JSONRPC server handles only POST requests");
    send_text(fd, unknown, sizeof unknown - 1);
    expect_response(fd, "HTTP/1.1 404 Not Found\r\n", NULL, "");
    send_text(fd, rest, sizeof rest - 1);
    expect_response(fd, "HTTP/1.1 200 OK\r\n", NULL, "rest::0:");
    close(fd);
}

Test(http, limits, .init = open_default, .fini = close_fixture)
{
    static const char huge[] = "POST / HTTP/1.1\r\nHost: x\r\n" AUTH "Content-Length: 33554433\r\n\r\n";
    struct buffer b = {0};
    int fd = dial();
    send_text(fd, huge, sizeof huge - 1);
    expect_response(fd, "HTTP/1.1 413", NULL, NULL);
    close(fd);
    fd = dial();
    buffer_put_str(&b, "POST / HTTP/1.1\r\nX: ");
    memset(buffer_extend(&b, HTTP_HEADERS_MAX), 'x', HTTP_HEADERS_MAX);
    buffer_put_str(&b, "\r\n\r\n");
    send_text(fd, (const char *)b.data, b.len);
    expect_response(fd, "HTTP/1.1 4", NULL, NULL);
    close(fd);
    for (int lines = 500; lines >= 400; lines -= 100) { /* of 18 bytes each with what ends them */
        b.len = 0;
        buffer_put_str(&b, "GET /x HTTP/1.1\r\n");
        for (int i = 0; i < lines; i++) buffer_printf(&b, "header_%04d: foo\r\n", i);
        buffer_put_str(&b, "\r\n");
        fd = dial();
        send_text(fd, (const char *)b.data, b.len);
        expect_response(fd, lines == 500 ? "HTTP/1.1 400" : "HTTP/1.1 404", NULL, NULL);
        close(fd);
    }
    b.len = 0; /* one byte less than the limit of bodies passes */
    buffer_printf(&b, "POST / HTTP/1.1\r\nHost: x\r\n" AUTH "Content-Length: %d\r\n\r\n", HTTP_BODY_MAX);
    memset(buffer_extend(&b, HTTP_BODY_MAX), 'y', HTTP_BODY_MAX);
    fd = dial();
    send_text(fd, (const char *)b.data, b.len);
    expect_response(fd, "HTTP/1.1 200", NULL, NULL);
    close(fd);
    buffer_clear(&b);
}

Test(http, strangers, .init = open_default, .fini = close_fixture)
{
    http_allow_clear(&f.allow); /* before the first request: the thread only reads it */
    int fd = dial();
    post(fd, AUTH, "x");
    struct buffer b = receive(fd);
    cr_expect_eq(b.len, 0, "a stranger was told %s", buffer_text(&b));
    buffer_clear(&b);
    close(fd);
}

Test(http, work_queue)
{
    int fds[4];
    open_with(1, 1, 30);
    for (int i = 0; i < 2; i++) {
        fds[i] = dial();
        post(fds[i], AUTH, "hold");
        wait_held(i + 1);
    }
    fds[2] = dial();
    post(fds[2], AUTH, "x");
    expect_response(fds[2], "HTTP/1.1 503 Service Unavailable\r\n", NULL, "Work queue depth exceeded");
    reply_to(f.held[0]);
    expect_response(fds[0], "HTTP/1.1 200", NULL, "rpc:u:4:hold");
    fds[3] = dial();
    post(fds[3], AUTH, "x");
    expect_response(fds[3], "HTTP/1.1 200", NULL, "rpc:u:1:x");
    reply_to(f.held[1]);
    expect_response(fds[1], "HTTP/1.1 200", NULL, "rpc:u:4:hold");
    for (int i = 0; i < 4; i++) close(fds[i]);
    close_fixture();
}

Test(http, slow_clients_are_dropped_and_slow_answers_are_not)
{
    char byte;
    open_with(4, 4, 1);
    int slow = dial(), waiting = dial();
    send_text(slow, "POST / HT", 9);
    post(waiting, AUTH, "hold");
    wait_held(1);
    cr_expect_leq(recv(slow, &byte, 1, 0), 0); /* after a second */
    usleep(1200000);
    reply_to(f.held[0]);
    expect_response(waiting, "HTTP/1.1 200", NULL, "rpc:u:4:hold");
    close(slow);
    close(waiting);
    close_fixture();
}

Test(http, a_client_may_leave_before_its_answer, .init = open_default, .fini = close_fixture)
{
    int fd = dial(), second = dial();
    post(fd, AUTH, "hold");
    wait_held(1);
    close(fd);
    usleep(50000);
    reply_to(f.held[0]);
    post(second, AUTH, "x");
    expect_response(second, "HTTP/1.1 200", NULL, "rpc:u:1:x");
    close(second);
    int wrong = dial(); /* the same with a refusal on its way */
    post(wrong, "Authorization: Basic dTpx\r\n", "x");
    close(wrong);
    usleep(300000);
}

static void *reply_later(void *ctx)
{
    usleep(200000);
    reply_to(ctx);
    return NULL;
}

Test(http, stopping_waits_for_answers)
{
    pthread_t other;
    open_default();
    int fd = dial(), never = dial(), idle = dial();
    post(fd, AUTH, "hold");
    wait_held(1);
    http_interrupt(f.http);
    pthread_create(&other, NULL, reply_later, f.held[0]);
    double start = now_s();
    http_stop(f.http, 5000);
    cr_expect_lt(now_s() - start, 2);
    pthread_join(other, NULL);
    expect_response(fd, "HTTP/1.1 200", "Connection: close\r\n", "rpc:u:4:hold");
    close(fd);
    close(never);
    close(idle);
    http_auth_free(f.auth);
    http_allow_clear(&f.allow);
}

Test(http, answers_after_the_end_are_forgotten)
{
    open_default();
    int fd = dial(), gone = dial();
    post(fd, AUTH, "hold");
    post(gone, AUTH, "hold");
    wait_held(2);
    close(gone);
    http_stop(f.http, 50);
    cr_expect_eq(http_request_body(f.held[0]).len, 4); /* still there */
    reply_to(f.held[0]);
    reply_to(f.held[1]);
    close(fd);
    http_auth_free(f.auth);
    http_allow_clear(&f.allow);
}

Test(http, nothing_to_bind)
{
    struct http *http;
    struct error e;
    struct http_endpoint nowhere = {.host = "192.0.2.1", .port = 1};
    struct http_config config = {.endpoints = &nowhere, .endpoint_count = 1};
    cr_expect_eq(http_start(&http, &config, on_request, &f, &e), RESULT_IO);
    cr_expect_str_eq(e.text, "Unable to bind any endpoint for RPC server");
    cr_expect_null(http);
}
