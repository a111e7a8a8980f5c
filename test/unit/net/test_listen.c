/* Listening: errors, permissions, who is not let in, running out of descriptors. */
#include <fcntl.h>
#include <sys/resource.h>

#include "kit.h"

Test(listen, a_port_that_is_taken)
{
    struct kit k;
    struct error e;
    char want[200];
    kit_open(&k, 1000);
    kit_listen(&k, 0);
    cr_expect_eq(net_listen(k.net, &k.at, 0, false, &e), RESULT_IO);
    snprintf(want, sizeof(want), "Unable to bind to 127.0.0.1:%u on this computer. cairn is probably already running.",
             k.at.port);
    cr_expect_str_eq(e.text, want);
    kit_close(&k);
}

Test(listen, an_address_of_somebody_else)
{
    struct kit k;
    struct error e;
    struct endpoint at = {.addr = netaddr_ipv4((const uint8_t[4]){192, 0, 2, 1}), .port = 18444};
    kit_open(&k, 1000);
    cr_expect_eq(net_listen(k.net, &at, 0, false, &e), RESULT_IO);
    cr_expect_str_eq(e.text, "Unable to bind to 192.0.2.1:18444 on this computer (bind returned error Cannot assign "
                             "requested address (99))");
    kit_close(&k);
}

Test(listen, both_families_on_one_port)
{
    struct kit k;
    struct error e;
    uint16_t port = kit_free_port();
    struct endpoint v6 = {.addr = netaddr_none(), .port = port};
    struct endpoint v4 = {.addr = netaddr_ipv4((const uint8_t[4]){0}), .port = port};
    kit_open(&k, 1000);
    enum result r = net_listen(k.net, &v6, 0, false, &e);
    cr_assert(r == RESULT_OK || strstr(e.text, "address family") || strstr(e.text, "Address family"), "%s", e.text);
    cr_assert_eq(net_listen(k.net, &v4, 3, true, &e), RESULT_OK, "%s", e.text);
    struct endpoint at = kit_endpoint(port);
    int fd = kit_connect(&at);
    struct net_event *event = kit_wait(&k, NET_CONNECTED, 0);
    cr_expect_eq(event->connected.permissions, 3);
    cr_expect(event->connected.onion);
    cr_expect_eq(event->connected.remote.addr.net, NET_IPV4);
    net_event_free(k.net, event);
    close(fd);
    kit_close(&k);
}

Test(listen, a_pause_turns_away)
{
    struct kit k;
    kit_open(&k, 1000);
    kit_listen(&k, 0);
    net_set_accepting(k.net, false);
    usleep(50000);
    int fd = kit_connect(&k.at);
    cr_expect(kit_is_closed(fd));
    close(fd);
    net_set_accepting(k.net, true);
    usleep(50000);
    uint64_t conn;
    fd = kit_pair(&k, &conn);
    close(fd);
    kit_close(&k);
}

/* The owner does not look: what is accepted stays bounded, the rest waits with the system. */
Test(listen, unjudged_connections_are_bounded, .timeout = 60)
{
    enum { MANY = NET_WAITING_MAX + 30 };
    struct kit k;
    int fds[MANY];
    kit_open(&k, 1000);
    kit_listen(&k, 0);
    for (int i = 0; i < MANY; i++) fds[i] = kit_connect(&k.at);
    usleep(200000);
    kit_collect(&k, 100);
    int count = 0;
    uint64_t conns[MANY];
    for (struct net_event *event; (event = kit_find(&k, NET_CONNECTED, 0)); net_event_free(k.net, event))
        conns[count++] = event->conn;
    cr_expect_eq(count, NET_WAITING_MAX);
    for (int i = 0; i < count; i++) {
        if (i % 2)
            net_start(k.net, conns[i]);
        else
            net_close(k.net, conns[i]);
    }
    for (int i = count; i < MANY; i++) kit_drop(&k, NET_CONNECTED, 0);
    for (int i = 0; i < MANY; i++) close(fds[i]);
    kit_close(&k);
}

/* Without descriptors accepting rests, and goes on when there are some again; the thread does not spin meanwhile. */
Test(listen, out_of_descriptors, .timeout = 60)
{
    struct kit k;
    uint64_t conn;
    kit_open(&k, 1000);
    kit_listen(&k, 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fillers[64], filled = 0;
    struct rlimit old, small = {.rlim_cur = 64};
    getrlimit(RLIMIT_NOFILE, &old);
    small.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_NOFILE, &small);
    while (filled < 64 && (fillers[filled] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) filled++;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(k.at.port)};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_eq(connect(client, (struct sockaddr *)&in, sizeof(in)), 0);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    usleep(700000);
    getrusage(RUSAGE_SELF, &after);
    kit_collect(&k, 10);
    struct net_event *early = kit_find(&k, NET_CONNECTED, 0);
    cr_expect_null(early);
    int64_t cpu_us =
        (after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1000000 +
        after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_stime.tv_usec;
    cr_expect(cpu_us < 300000, "%lld us of processor time while nothing could be done", (long long)cpu_us);
    while (filled) close(fillers[--filled]);
    setrlimit(RLIMIT_NOFILE, &old);
    struct net_event *event = kit_wait(&k, NET_CONNECTED, 0);
    conn = event->conn;
    net_event_free(k.net, event);
    net_close(k.net, conn);
    cr_expect_eq(kit_ended(&k, conn), NET_END_ORDERED);
    close(client);
    kit_close(&k);
}
