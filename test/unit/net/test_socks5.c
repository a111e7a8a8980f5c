/* SOCKS5: the handshake by its bytes, and dials through a proxy of the test's own. */
#include <sys/un.h>

#include "kit.h"
#include "net/socks5.h"

/* Answers byte by byte. */
static bool answer(struct socks5 *s, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        cr_assert(socks5_wants(s) > 0, "it wants no byte %zu", i);
        if (!socks5_receive(s, span_of(bytes.data + i, 1))) return false;
    }
    return true;
}

static bool answer_text(struct socks5 *s, const char *text, size_t len)
{
    return answer(s, span_of(text, len));
}

static void expect_out(struct socks5 *s, const char *bytes, size_t len)
{
    struct span out = socks5_to_send(s);
    cr_expect_eq(socks5_wants(s), 0);
    cr_assert_eq(out.len, len);
    cr_expect_arr_eq(out.data, bytes, len);
    socks5_mark_sent(s, len);
}

static void greeted(struct socks5 *s, const char *credentials)
{
    cr_assert(socks5_init(s, "a.onion", 0x208d, credentials));
    if (credentials)
        expect_out(s, "\5\2\0\2", 4);
    else
        expect_out(s, "\5\1\0", 3);
}

Test(socks5, without_credentials)
{
    static const struct {
        const char *bytes;
        size_t len;
    } replies[] = {{"\5\0\0\1\1\2\3\4\0\1", 10},
                   {"\5\0\0\3\2ab\0\1", 9},
                   {"\5\0\0\3\0\0\1", 7},
                   {"\5\0\0\4aaaaaaaaaaaaaaaa\0\1", 22}};
    for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
        struct socks5 s;
        greeted(&s, NULL);
        cr_assert(answer_text(&s, "\5\0", 2));
        expect_out(&s, "\5\1\0\3\7a.onion\x20\x8d", 14);
        cr_assert(answer_text(&s, replies[i].bytes, replies[i].len));
        cr_expect(socks5_is_done(&s));
        cr_expect_eq(socks5_wants(&s), 0);
    }
}

Test(socks5, with_credentials)
{
    struct socks5 s;
    greeted(&s, "ab-1");
    cr_assert(answer_text(&s, "\5\2", 2));
    expect_out(&s, "\1\4ab-1\4ab-1", 11);
    cr_assert(answer_text(&s, "\1\0", 2));
    expect_out(&s, "\5\1\0\3\7a.onion\x20\x8d", 14);
    greeted(&s, "ab-1"); /* a proxy that wants none */
    cr_assert(answer_text(&s, "\5\0", 2));
    expect_out(&s, "\5\1\0\3\7a.onion\x20\x8d", 14);
}

Test(socks5, refusals)
{
    static const struct {
        const char *credentials, *method, *auth, *reply, *problem;
        bool refused;
    } rows[] = {
        {NULL, "\4\1", NULL, NULL, "Proxy failed to initialize", false},
        {NULL, "\5\2", NULL, NULL, "Proxy requested wrong authentication method", false},
        {NULL, "\5\xff", NULL, NULL, "Proxy requested wrong authentication method", false},
        {"x", "\5\2", "\1\1", NULL, "Proxy authentication unsuccessful", false},
        {NULL, "\5\1", NULL, NULL, "Proxy requested wrong authentication method", false},
        {"x", "\5\2", "\1", "\4\5\1\1", "Proxy failed to accept request", false},
        {"x", "\5\2", "\1", "\5\5\1\1", "connection refused", true},
        {"x", "\5\2", "\1", "\5\xf0\1\1", "onion service descriptor can not be found", true},
        {"x", "\5\2", "\1", "\5\x77\1\1", "unknown", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct socks5 s;
        greeted(&s, rows[i].credentials);
        bool ok = answer_text(&s, rows[i].method, 2);
        if (ok) socks5_mark_sent(&s, socks5_to_send(&s).len);
        if (ok && rows[i].auth) ok = answer_text(&s, rows[i].auth, 2);
        if (ok) socks5_mark_sent(&s, socks5_to_send(&s).len);
        if (ok && rows[i].reply) ok = answer_text(&s, rows[i].reply, 4);
        cr_assert_not(ok, "row %zu", i);
        cr_expect_str_eq(s.problem, rows[i].problem);
        cr_expect_eq(s.refused, rows[i].refused);
    }
}

Test(socks5, a_name_that_is_too_long)
{
    struct socks5 s;
    char host[SOCKS5_HOST + 2];
    memset(host, 'a', sizeof(host));
    host[SOCKS5_HOST] = '\0';
    cr_expect(socks5_init(&s, host, 1, NULL));
    host[SOCKS5_HOST] = 'a';
    host[SOCKS5_HOST + 1] = '\0';
    cr_expect_not(socks5_init(&s, host, 1, NULL));
}

/* Speaks the proxy's side on a connection: no credentials; the name it was asked for to NAME. */
static void serve(int fd, char name[256], uint8_t reply)
{
    uint8_t in[300];
    kit_read(fd, in, 3);
    cr_assert_arr_eq(in, "\5\1\0", 3);
    kit_write(fd, span_of("\5\0", 2));
    kit_read(fd, in, 5);
    kit_read(fd, name, in[4]);
    name[in[4]] = '\0';
    kit_read(fd, in, 2);
    uint8_t out[] = {5, reply, 0, 1, 0, 0, 0, 0, 0, 0};
    kit_write(fd, span_of(out, sizeof(out)));
}

static void dial_by(struct kit *k, int server, const char *proxy, const char *host)
{
    char name[256], byte;
    net_dial(k->net, 4, &(struct net_target){.host = host, .default_port = 8333, .proxy = proxy});
    int fd = accept(server, NULL, NULL);
    serve(fd, name, 0);
    cr_expect(strncmp(host, name, strlen(name)) == 0, "%s", name);
    struct net_event *event = kit_wait(k, NET_CONNECTED, 0);
    uint64_t conn = event->conn;
    cr_expect_eq(event->connected.dial, 4);
    cr_expect_eq(event->connected.remote.port, 8333);
    net_event_free(k->net, event);
    net_start(k->net, conn);
    struct buffer payload = {0};
    net_send(k->net, conn, "verack", &payload);
    kit_read(fd, &byte, 1);
    cr_expect_eq((uint8_t)byte, kit_magic[0]);
    close(fd);
    (void)kit_ended(k, conn);
}

Test(proxy, connects_by_name)
{
    struct kit k;
    struct endpoint at;
    char proxy[ENDPOINT_TEXT];
    kit_open(&k, 100000);
    int server = kit_server(&at, 5);
    endpoint_text(proxy, &at);
    dial_by(&k, server, proxy, "node.cairn.invalid");
    dial_by(&k, server, proxy, "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion");
    dial_by(&k, server, proxy, "192.0.2.9:8333");
    close(server);
    kit_close(&k);
}

Test(proxy, over_a_local_socket)
{
    struct kit k;
    char proxy[] = "unix:/tmp/cairn-proxy-XXXXXX";
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    close(mkstemp(proxy + 5));
    unlink(proxy + 5);
    snprintf(local.sun_path, sizeof(local.sun_path), "%s", proxy + 5);
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert(bind(server, (struct sockaddr *)&local, sizeof(local)) == 0 && listen(server, 5) == 0);
    kit_open(&k, 100000);
    dial_by(&k, server, proxy, "node.cairn.invalid");
    unlink(proxy + 5);
    close(server);
    kit_close(&k);
}

Test(proxy, tells_its_own_failure_from_the_targets)
{
    struct kit k;
    struct endpoint at;
    char proxy[ENDPOINT_TEXT], name[256];
    kit_open(&k, 100000);
    int server = kit_server(&at, 5);
    endpoint_text(proxy, &at);
    struct net_target target = {.host = "192.0.2.9:8333", .proxy = proxy};
    net_dial(k.net, 1, &target);
    int fd = accept(server, NULL, NULL);
    serve(fd, name, 5);
    struct net_event *event = kit_wait(&k, NET_DIAL_FAILED, 0);
    cr_expect(event->failed.dial == 1 && !event->failed.proxy_failed);
    net_event_free(k.net, event);
    close(fd);
    net_dial(k.net, 2, &target);
    fd = accept(server, NULL, NULL);
    close(fd); /* it hangs up */
    event = kit_wait(&k, NET_DIAL_FAILED, 0);
    cr_expect(event->failed.dial == 2 && !event->failed.proxy_failed);
    net_event_free(k.net, event);
    close(server);
    net_dial(k.net, 3, &target);
    event = kit_wait(&k, NET_DIAL_FAILED, 0);
    cr_expect(event->failed.dial == 3 && event->failed.proxy_failed);
    net_event_free(k.net, event);
    kit_close(&k);
}
