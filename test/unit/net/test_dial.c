/* Dialling and resolving, and what fails there. */
#include "kit.h"

static void expect_failed(struct kit *k, uint64_t number, bool found)
{
    struct net_event *event = kit_wait(k, NET_DIAL_FAILED, 0);
    cr_expect_eq(event->failed.dial, number);
    cr_expect_eq(event->failed.found, found);
    net_event_free(k->net, event);
}

/* Dials HOST, or AT where it is NULL; the connection's number. */
static uint64_t expect_connected(struct kit *k, const struct net_target *target, const struct endpoint *at)
{
    net_dial(k->net, 42, target);
    struct net_event *event = kit_wait(k, NET_CONNECTED, 0);
    uint64_t conn = event->conn;
    cr_expect_eq(event->connected.dial, 42);
    cr_expect(endpoint_equal(&event->connected.remote, at));
    cr_expect_eq(event->connected.local.addr.net, NET_IPV4);
    net_event_free(k->net, event);
    return conn;
}

Test(dial, two_networks_talk)
{
    struct kit a, b;
    kit_open(&a, 100000);
    kit_open(&b, 100000);
    kit_listen(&b, 0);
    uint64_t conn = expect_connected(&a, &(struct net_target){.to = b.at}, &b.at);
    net_start(a.net, conn);
    struct net_event *event = kit_wait(&b, NET_CONNECTED, 0);
    uint64_t other = event->conn;
    net_event_free(b.net, event);
    net_start(b.net, other);
    struct buffer payload = {0};
    buffer_put_str(&payload, "hello");
    net_send(a.net, conn, "version", &payload);
    event = kit_wait(&b, NET_MESSAGE, other);
    cr_expect_str_eq(event->message.received.name, "version");
    net_event_free(b.net, event);
    net_close(a.net, conn);
    cr_expect_eq(kit_ended(&a, conn), NET_END_ORDERED);
    cr_expect_eq(kit_ended(&b, other), NET_END_REMOTE);
    kit_close(&a);
    kit_close(&b);
}

Test(dial, numbers_need_no_lookup)
{
    struct kit a, b;
    char host[NET_HOST];
    kit_open(&a, 100000);
    kit_open(&b, 100000);
    kit_listen(&b, 0);
    snprintf(host, sizeof(host), "127.0.0.1:%u", b.at.port);
    expect_connected(&a, &(struct net_target){.host = host, .default_port = 1}, &b.at);
    expect_connected(&a, &(struct net_target){.host = "127.0.0.1", .default_port = b.at.port}, &b.at);
    net_dial(a.net, 3, &(struct net_target){.host = "localhost", .default_port = b.at.port});
    expect_failed(&a, 3, false);
    kit_close(&a);
    kit_close(&b);
}

Test(dial, a_name_of_this_machine)
{
    struct kit a, b;
    kit_open(&a, 100000);
    kit_open(&b, 100000);
    kit_listen(&b, 0);
    /* both families are tried: nobody listens on ::1 */
    expect_connected(&a, &(struct net_target){.host = "localhost", .default_port = b.at.port, .lookup = true}, &b.at);
    kit_close(&a);
    kit_close(&b);
}

Test(dial, refused)
{
    struct kit k;
    kit_open(&k, 100000);
    struct endpoint nobody = kit_endpoint(kit_free_port());
    net_dial(k.net, 5, &(struct net_target){.to = nobody, .loud = true});
    struct net_event *event = kit_wait(&k, NET_DIAL_FAILED, 0);
    cr_expect_eq(event->failed.dial, 5);
    cr_expect(event->failed.found && endpoint_equal(&event->failed.at, &nobody));
    net_event_free(k.net, event);
    kit_close(&k);
}

Test(dial, addresses_without_sockets)
{
    struct kit k;
    kit_open(&k, 100000);
    static const char *const hosts[] = {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333",
                                        "0.0.0.0:8333",
                                        "[::]:8333",
                                        "1.2.3.4:0",
                                        "1.2.3.4:x",
                                        ":8333"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
        net_dial(k.net, i + 1, &(struct net_target){.host = hosts[i], .default_port = 8333});
        struct net_event *event = kit_wait(&k, NET_DIAL_FAILED, 0);
        cr_expect_eq(event->failed.dial, i + 1, "%s", hosts[i]);
        net_event_free(k.net, event);
    }
    kit_close(&k);
}

Test(dial, silence_times_out)
{
    struct kit k;
    struct endpoint at;
    struct net_options options = {.max_receive = 1, .connect_timeout_ms = 200, .program = "cairn"};
    struct error e;
    k = (struct kit){0};
    cr_assert_eq(net_new(&k.net, &options, &e), RESULT_OK);
    int server = kit_server(&at, 0); /* its queue holds one; who comes later is not answered */
    int held[8];
    for (int i = 0; i < 8; i++) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(at.port)};
        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        held[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(held[i], (struct sockaddr *)&in, sizeof(in));
    }
    usleep(50000);
    int64_t begun = kit_now_ms();
    net_dial(k.net, 9, &(struct net_target){.to = at});
    expect_failed(&k, 9, true);
    cr_expect(kit_now_ms() - begun >= 150);
    for (int i = 0; i < 8; i++) close(held[i]);
    close(server);
    kit_close(&k);
}

Test(dial, freed_while_dialling_and_resolving)
{
    for (int i = 0; i < 5; i++) {
        struct kit k;
        kit_open(&k, 100000);
        net_dial(k.net, 1, &(struct net_target){.host = "cairn.invalid", .lookup = true});
        net_dial(k.net, 2, &(struct net_target){.to = {.addr = netaddr_ipv4((const uint8_t[4]){192, 0, 2, 1}), 8333}});
        net_resolve(k.net, "seed.cairn.invalid");
        usleep(i * 3000);
        kit_close(&k);
    }
}

Test(dial, too_many_fail_at_once)
{
    enum { DIALS = NET_DIALS_MAX + 20 };
    struct kit k;
    struct endpoint at;
    kit_open(&k, 100000);
    int server = kit_server(&at, 1);
    for (uint64_t i = 1; i <= DIALS; i++)
        net_dial(k.net, i, &(struct net_target){.to = {.addr = netaddr_ipv4((const uint8_t[4]){192, 0, 2, 1}), 8333}});
    kit_collect(&k, 200);
    size_t failed = 0;
    for (struct net_event *event; (event = kit_find(&k, NET_DIAL_FAILED, 0)); failed++) net_event_free(k.net, event);
    cr_expect(failed >= 20, "%zu failed", failed);
    close(server);
    kit_close(&k);
}

Test(resolve, numbers_names_and_nothing, .timeout = 120)
{
    struct kit k;
    kit_open(&k, 100000);
    net_resolve(k.net, "192.0.2.7");
    struct net_event *event = kit_wait(&k, NET_RESOLVED, 0);
    cr_expect_str_eq(event->resolved.host, "192.0.2.7");
    cr_assert_eq(event->resolved.count, 1);
    cr_expect_eq(event->resolved.found[0].bytes[3], 7);
    net_event_free(k.net, event);
    net_resolve(k.net, "localhost");
    event = kit_wait(&k, NET_RESOLVED, 0);
    cr_assert(event->resolved.count >= 1);
    cr_expect(netaddr_is_local(&event->resolved.found[0]));
    net_event_free(k.net, event);
    kit_close(&k);
}

/* No name: the answer comes at once, network or not. */
Test(resolve, what_cannot_be_a_name)
{
    struct kit k;
    char label[200];
    kit_open(&k, 100000);
    memset(label, 'a', sizeof(label) - 1);
    label[sizeof(label) - 1] = '\0';
    net_resolve(k.net, label);
    struct net_event *event = kit_wait(&k, NET_RESOLVED, 0);
    cr_expect_eq(event->resolved.count, 0);
    cr_expect_str_eq(event->resolved.host, label);
    net_event_free(k.net, event);
    net_dial(k.net, 8, &(struct net_target){.host = label, .default_port = 1, .lookup = true});
    expect_failed(&k, 8, false);
    kit_close(&k);
}
