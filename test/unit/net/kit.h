/* For the tests of the network: one with an owner that keeps what came, and plain blocking sockets against it. */
#ifndef CAIRN_TEST_NET_KIT_H
#define CAIRN_TEST_NET_KIT_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/endian.h"
#include "crypto/sha256.h"
#include "net/net.h"

enum { KIT_PATIENCE_MS = 20000 };

static const uint8_t kit_magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

struct kit {
    struct net *net;
    struct net_event *first, *last; /* events that nobody wanted yet */
    struct endpoint at;             /* where it listens */
};

static inline int64_t kit_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void kit_open(struct kit *k, size_t max_receive)
{
    struct error e;
    struct net_options options = {.max_receive = max_receive, .connect_timeout_ms = 2000, .program = "cairn"};
    memcpy(options.magic, kit_magic, 4);
    *k = (struct kit){0};
    cr_assert_eq(net_new(&k->net, &options, &e), RESULT_OK);
}

static inline void kit_close(struct kit *k)
{
    net_free(k->net);
    while (k->first) {
        struct net_event *event = k->first;
        k->first = event->next;
        net_event_free(NULL, event);
    }
}

/* A port of the loopback interface that is free now. */
static inline uint16_t kit_free_port(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(bind(fd, (struct sockaddr *)&in, len) == 0 && getsockname(fd, (struct sockaddr *)&in, &len) == 0);
    close(fd);
    return ntohs(in.sin_port);
}

static inline struct endpoint kit_endpoint(uint16_t port)
{
    return (struct endpoint){.addr = netaddr_ipv4((const uint8_t[4]){127, 0, 0, 1}), .port = port};
}

static inline void kit_listen(struct kit *k, unsigned permissions)
{
    struct error e = {0};
    k->at = kit_endpoint(kit_free_port());
    cr_assert_eq(net_listen(k->net, &k->at, permissions, false, &e), RESULT_OK, "%s", e.text);
}

/* Moves what came to the kit's list. */
static inline void kit_collect(struct kit *k, int wait_ms)
{
    struct pollfd p = {.fd = net_fd(k->net), .events = POLLIN};
    poll(&p, 1, wait_ms);
    struct net_event *event = net_take_events(k->net);
    if (!event) return;
    if (k->last)
        k->last->next = event;
    else
        k->first = event;
    while (event->next) event = event->next;
    k->last = event;
}

/* Takes the first event of this KIND and connection (0: any) out of the list, or returns NULL. */
static inline struct net_event *kit_find(struct kit *k, enum net_event_kind kind, uint64_t conn)
{
    struct net_event *before = NULL;
    for (struct net_event *event = k->first; event; before = event, event = event->next) {
        if (event->kind != kind || (conn && event->conn != conn)) continue;
        if (before)
            before->next = event->next;
        else
            k->first = event->next;
        if (k->last == event) k->last = before;
        return event;
    }
    return NULL;
}

/* Waits for it; fails the test where it does not come. */
static inline struct net_event *kit_wait(struct kit *k, enum net_event_kind kind, uint64_t conn)
{
    int64_t end = kit_now_ms() + KIT_PATIENCE_MS;
    for (;;) {
        struct net_event *event = kit_find(k, kind, conn);
        if (event) return event;
        cr_assert(kit_now_ms() < end, "event %d of %llu did not come", (int)kind, (unsigned long long)conn);
        kit_collect(k, 50);
    }
}

static inline void kit_drop(struct kit *k, enum net_event_kind kind, uint64_t conn)
{
    net_event_free(k->net, kit_wait(k, kind, conn));
}

/* Waits for the end of CONN. */
static inline enum net_end kit_ended(struct kit *k, uint64_t conn)
{
    struct net_event *event = kit_wait(k, NET_CLOSED, conn);
    enum net_end why = event->closed.why;
    net_event_free(k->net, event);
    return why;
}

static inline int kit_connect(const struct endpoint *at)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(at->port)};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0);
    return fd;
}

/* A listening socket of nobody's network; its port to *AT. */
static inline int kit_server(struct endpoint *at, int backlog)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(bind(fd, (struct sockaddr *)&in, len) == 0 && listen(fd, backlog) == 0);
    cr_assert(getsockname(fd, (struct sockaddr *)&in, &len) == 0);
    *at = kit_endpoint(ntohs(in.sin_port));
    return fd;
}

/* A socket to K and the number of the connection, started. */
static inline int kit_pair(struct kit *k, uint64_t *conn)
{
    int fd = kit_connect(&k->at);
    struct net_event *event = kit_wait(k, NET_CONNECTED, 0);
    *conn = event->conn;
    net_event_free(k->net, event);
    net_start(k->net, *conn);
    return fd;
}

/* A message in version 1's form. */
static inline void kit_message(struct buffer *out, const char *name, struct span payload)
{
    uint8_t hash[32], padded[12] = {0};
    sha256d(hash, payload.data, payload.len);
    memcpy(padded, name, strlen(name));
    buffer_put(out, kit_magic, 4);
    buffer_put(out, padded, 12);
    buffer_put_le32(out, (uint32_t)payload.len);
    buffer_put(out, hash, 4);
    buffer_put_span(out, payload);
}

static inline void kit_write(int fd, struct span bytes)
{
    while (bytes.len) {
        ssize_t n = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        cr_assert(n > 0, "the socket takes no more");
        bytes = span_from(bytes, (size_t)n);
    }
}

static inline void kit_read(int fd, void *out, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = recv(fd, (char *)out + at, len - at, 0);
        cr_assert(n > 0, "the socket ended after %zu of %zu bytes", at, len);
        at += (size_t)n;
    }
}

/* True where the other side has closed, at the latest after a while. */
static inline bool kit_is_closed(int fd)
{
    char byte;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, KIT_PATIENCE_MS) == 1 && recv(fd, &byte, 1, MSG_DONTWAIT) <= 0;
}

#endif
