/* Two networks that flood each other, with owners on threads of their own, for ThreadSanitizer: messages both ways,
 * back-pressure, connections that come and go, and an end in the middle of it. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/random.h"
#include "net/net.h"

enum { RUN_MS = 3000, CONNS = 12, LIMIT = 50000, PAYLOAD_MAX = 20000 };

struct owner {
    struct net *net;
    struct endpoint other; /* where the other one listens */
    uint64_t seed;
    uint64_t messages, bytes, received, closed, connected;
    pthread_t thread;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void say_something(struct owner *o, struct random *rng, uint64_t conn)
{
    struct buffer payload = {0};
    size_t len = random_below(rng, PAYLOAD_MAX);
    memset(buffer_extend(&payload, len), (int)(len & 0xff), len);
    net_send(o->net, conn, "junk", &payload);
}

static void check_message(struct owner *o, const struct received *r)
{
    CHECK(r->reject == MESSAGE_ACCEPTED);
    for (size_t i = 0; i < r->payload.len; i++) CHECK(r->payload.data[i] == (r->payload.len & 0xff));
    o->messages++;
    o->bytes += r->wire_bytes;
}

static void handle(struct owner *o, struct random *rng, struct net_event *event)
{
    switch (event->kind) {
    case NET_CONNECTED:
        o->connected++;
        net_start(o->net, event->conn);
        for (int i = 0; i < 4; i++) say_something(o, rng, event->conn);
        break;
    case NET_MESSAGE:
        check_message(o, &event->message.received);
        say_something(o, rng, event->conn);
        if (random_below(rng, 400) == 0) net_close(o->net, event->conn);
        break;
    case NET_CLOSED: o->closed++; break;
    case NET_RECEIVED: o->received += net_received_bytes(event); break;
    case NET_DIAL_FAILED:
    case NET_SENT:
    case NET_RESOLVED: break;
    }
    net_event_free(o->net, event);
}

static void *run(void *ctx)
{
    struct owner *o = ctx;
    struct random rng;
    int64_t end = now_ms() + RUN_MS;
    uint64_t dialled = 0;
    random_init_u64(&rng, o->seed);
    while (now_ms() < end) {
        struct pollfd p = {.fd = net_fd(o->net), .events = POLLIN};
        if (o->connected - o->closed < CONNS) net_dial(o->net, ++dialled, &(struct net_target){.to = o->other});
        if (dialled % 10 == 0) net_resolve(o->net, "localhost");
        poll(&p, 1, 10);
        struct net_event *event = net_take_events(o->net), *next;
        for (; event; event = next) {
            next = event->next;
            handle(o, &rng, event);
        }
    }
    return NULL;
}

static struct endpoint free_endpoint(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(fd, (struct sockaddr *)&in, len) == 0 && getsockname(fd, (struct sockaddr *)&in, &len) == 0);
    close(fd);
    return (struct endpoint){.addr = netaddr_ipv4((const uint8_t[4]){127, 0, 0, 1}), .port = ntohs(in.sin_port)};
}

int main(void)
{
    struct owner owners[2] = {{.seed = 1}, {.seed = 2}};
    struct net_options options = {
        .magic = {1, 2, 3, 4}, .max_receive = LIMIT, .connect_timeout_ms = 1000, .program = "cairn"};
    struct error e = {0};
    for (int i = 0; i < 2; i++) {
        CHECK(!net_new(&owners[i].net, &options, &e));
        owners[1 - i].other = free_endpoint();
        CHECK(!net_listen(owners[i].net, &owners[1 - i].other, 0, false, &e));
    }
    for (int i = 0; i < 2; i++) CHECK(pthread_create(&owners[i].thread, NULL, run, &owners[i]) == 0);
    for (int i = 0; i < 2; i++) pthread_join(owners[i].thread, NULL);
    for (int i = 0; i < 2; i++) {
        net_free(owners[i].net);
        CHECK(owners[i].received >= owners[i].bytes);
        CHECK(owners[i].messages > 100 && owners[i].connected > CONNS);
        printf("net: %llu messages, %llu bytes, %llu connections\n", (unsigned long long)owners[i].messages,
               (unsigned long long)owners[i].bytes, (unsigned long long)owners[i].connected);
    }
    return 0;
}
