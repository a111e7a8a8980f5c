/* Connections: messages in pieces and in masses, both ways; back-pressure; ends. */
#include <fcntl.h>

#include "kit.h"

static void fill(struct buffer *b, size_t len)
{
    uint8_t *p = buffer_extend(b, len);
    for (size_t i = 0; i < len; i++) p[i] = (uint8_t)(i * 7 + i / 251);
}

Test(conn, a_message_byte_by_byte_and_an_answer)
{
    struct kit k;
    uint64_t conn;
    struct buffer wire = {0}, payload = {0};
    kit_open(&k, 100000);
    kit_listen(&k, 0);
    int fd = kit_pair(&k, &conn);
    kit_message(&wire, "ping", span_str("12345678"));
    for (size_t i = 0; i < wire.len; i++) {
        kit_write(fd, span_of(wire.data + i, 1));
        if (i % 8 == 0) usleep(1000);
    }
    size_t bytes = 0;
    while (bytes < wire.len) {
        struct net_event *some = kit_wait(&k, NET_RECEIVED, conn);
        bytes += net_received_bytes(some);
        net_event_free(k.net, some);
    }
    cr_expect_eq(bytes, wire.len);
    struct net_event *event = kit_wait(&k, NET_MESSAGE, conn);
    cr_expect_str_eq(event->message.received.name, "ping");
    cr_expect(span_equal(buffer_span(&event->message.received.payload), span_str("12345678")));
    cr_expect_eq(event->message.received.wire_bytes, 32);
    net_event_free(k.net, event);

    buffer_put_str(&payload, "12345678");
    net_send(k.net, conn, "pong", &payload);
    cr_expect_null(payload.data);
    uint8_t got[32];
    kit_read(fd, got, sizeof(got));
    cr_expect_arr_eq(got, kit_magic, 4);
    cr_expect_arr_eq(got + 4, "pong\0\0\0\0\0\0\0\0", 12);
    cr_expect_arr_eq(got + 24, "12345678", 8);
    event = kit_wait(&k, NET_SENT, conn);
    cr_expect_str_eq(event->sent.name, "pong");
    cr_expect_eq(event->sent.bytes, 32);
    net_event_free(k.net, event);
    close(fd);
    cr_expect_eq(kit_ended(&k, conn), NET_END_REMOTE);
    buffer_clear(&wire);
    kit_close(&k);
}

Test(conn, nothing_is_received_before_the_start)
{
    struct kit k;
    struct buffer wire = {0};
    kit_open(&k, 100000);
    kit_listen(&k, 7);
    int fd = kit_connect(&k.at);
    kit_message(&wire, "ping", span_str(""));
    kit_write(fd, buffer_span(&wire));
    struct net_event *event = kit_wait(&k, NET_CONNECTED, 0);
    uint64_t conn = event->conn;
    cr_expect_eq(event->connected.dial, 0);
    cr_expect_eq(event->connected.permissions, 7);
    cr_expect(endpoint_equal(&event->connected.local, &k.at));
    cr_expect_eq(event->connected.transport, TRANSPORT_V1);
    net_event_free(k.net, event);
    kit_collect(&k, 100);
    cr_expect_null(kit_find(&k, NET_MESSAGE, conn));
    net_start(k.net, conn);
    kit_drop(&k, NET_MESSAGE, conn);
    net_close(k.net, conn);
    cr_expect_eq(kit_ended(&k, conn), NET_END_ORDERED);
    cr_expect(kit_is_closed(fd));
    close(fd);
    buffer_clear(&wire);
    kit_close(&k);
}

/* What ends a connection: TEXT is the transport's. */
static void expect_invalid(struct span header, const char *text)
{
    struct kit k;
    uint64_t conn;
    kit_open(&k, 100000);
    kit_listen(&k, 0);
    int fd = kit_pair(&k, &conn);
    kit_write(fd, header);
    struct net_event *event = kit_wait(&k, NET_CLOSED, conn);
    cr_expect_eq(event->closed.why, NET_END_INVALID);
    cr_expect_str_eq(event->closed.text, text);
    net_event_free(k.net, event);
    cr_expect(kit_is_closed(fd));
    close(fd);
    kit_close(&k);
}

Test(conn, an_oversize_header_ends_it)
{
    struct buffer wire = {0};
    kit_message(&wire, "block", span_str(""));
    put_le32(wire.data + 16, MESSAGE_PAYLOAD_MAX + 1);
    expect_invalid(buffer_span(&wire), "Header error: Size too large (block, 4000001 bytes)");
    buffer_clear(&wire);
}

Test(conn, wrong_start_bytes_end_it)
{
    struct buffer wire = {0};
    kit_message(&wire, "ping", span_str(""));
    memset(wire.data, 0xff, 4);
    expect_invalid(buffer_span(&wire), "Header error: Wrong MessageStart ffffffff received");
    buffer_clear(&wire);
}

Test(conn, a_wrong_checksum_does_not)
{
    struct kit k;
    uint64_t conn;
    struct buffer wire = {0};
    kit_open(&k, 100000);
    kit_listen(&k, 0);
    int fd = kit_pair(&k, &conn);
    kit_message(&wire, "ping", span_str("x"));
    wire.data[20] ^= 1;
    kit_message(&wire, "pong", span_str("y"));
    kit_write(fd, buffer_span(&wire));
    struct net_event *event = kit_wait(&k, NET_MESSAGE, conn);
    cr_expect_eq(event->message.received.reject, MESSAGE_BAD_CHECKSUM);
    net_event_free(k.net, event);
    event = kit_wait(&k, NET_MESSAGE, conn);
    cr_expect_str_eq(event->message.received.name, "pong");
    cr_expect_eq(event->message.received.reject, MESSAGE_ACCEPTED);
    net_event_free(k.net, event);
    close(fd);
    buffer_clear(&wire);
    kit_close(&k);
}

/* Writes until the socket takes no more for a while; returns how much it took of LIMIT. */
static size_t write_until_stuck(int fd, struct span message, size_t limit)
{
    size_t written = 0;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (written < limit) {
        size_t at = written % message.len;
        ssize_t n = send(fd, message.data + at, message.len - at, MSG_NOSIGNAL);
        if (n > 0) {
            written += (size_t)n;
            continue;
        }
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        if (poll(&p, 1, 500) == 0) break;
    }
    return written;
}

Test(conn, an_owner_that_takes_nothing_stops_the_sender, .timeout = 60)
{
    enum { LIMIT = 400000, PLENTY = 200 * 1000 * 1000, SLACK = 20 * 1000 * 1000 };
    struct kit k;
    uint64_t conn;
    struct buffer wire = {0}, payload = {0};
    kit_open(&k, LIMIT);
    kit_listen(&k, 0);
    int fd = kit_pair(&k, &conn);
    fill(&payload, 10000);
    kit_message(&wire, "junk", buffer_span(&payload));
    size_t written = write_until_stuck(fd, buffer_span(&wire), PLENTY);
    cr_expect(written > LIMIT && written < SLACK, "%zu bytes went out to nobody", written); /* the system's buffers */

    /* What the owner holds is bounded; handled, it makes room for the rest. */
    size_t received = 0, most = 0, held = 0, wanted = written / wire.len;
    int64_t end = kit_now_ms() + KIT_PATIENCE_MS;
    while (received < wanted) {
        cr_assert(kit_now_ms() < end, "%zu of %zu messages", received, wanted);
        held = 0;
        kit_collect(&k, 20);
        for (struct net_event *event = k.first; event; event = event->next)
            if (event->kind == NET_MESSAGE) held += event->message.cost;
        if (held > most) most = held;
        for (struct net_event *event; (event = kit_find(&k, NET_MESSAGE, conn)); received++) {
            cr_expect(span_equal(buffer_span(&event->message.received.payload), buffer_span(&payload)));
            net_event_free(k.net, event);
        }
    }
    cr_expect_eq(received, wanted);
    cr_expect(most > LIMIT / 2 && most < LIMIT + 100000, "%zu bytes were held", most);
    close(fd);
    buffer_clear(&wire);
    buffer_clear(&payload);
    kit_close(&k);
}

Test(conn, a_slow_reader_gets_everything_later, .timeout = 60)
{
    enum { MESSAGES = 40, SIZE = 1000000 };
    struct kit k;
    uint64_t conn;
    kit_open(&k, 100000);
    kit_listen(&k, 0);
    int fd = kit_pair(&k, &conn);
    struct buffer payload = {0}, wire = {0};
    fill(&payload, SIZE);
    kit_message(&wire, "block", buffer_span(&payload));
    for (int i = 0; i < MESSAGES; i++) {
        struct buffer copy = {0};
        buffer_put_span(&copy, buffer_span(&payload));
        net_send(k.net, conn, "block", &copy);
    }
    kit_collect(&k, 300);
    uint8_t *got = mem_alloc(wire.len);
    for (int i = 0; i < MESSAGES; i++) {
        kit_read(fd, got, wire.len);
        cr_assert_arr_eq(got, wire.data, wire.len);
    }
    for (size_t sent = 0; sent < MESSAGES * wire.len;) {
        struct net_event *event = kit_wait(&k, NET_SENT, conn);
        cr_assert_str_eq(event->sent.name, "block");
        sent += event->sent.bytes;
        cr_assert(sent <= MESSAGES * wire.len);
        net_event_free(k.net, event);
    }
    free(got);
    close(fd);
    buffer_clear(&wire);
    buffer_clear(&payload);
    kit_close(&k);
}

Test(conn, closing_while_much_waits_to_be_sent)
{
    struct kit k;
    uint64_t conn;
    kit_open(&k, 100000);
    kit_listen(&k, 0);
    for (int round = 0; round < 2; round++) {
        int fd = kit_pair(&k, &conn);
        for (int i = 0; i < 20; i++) {
            struct buffer payload = {0};
            fill(&payload, 1000000);
            net_send(k.net, conn, "block", &payload);
        }
        kit_collect(&k, 100);
        if (round == 0)
            net_close(k.net, conn);
        else
            close(fd); /* with bytes unread: a reset */
        enum net_end why = kit_ended(&k, conn);
        cr_expect(round == 0 ? why == NET_END_ORDERED : why == NET_END_RECEIVE || why == NET_END_SEND, "%d", (int)why);
        struct buffer late = {0};
        buffer_put_str(&late, "late");
        net_send(k.net, conn, "ping", &late); /* to nobody: dropped */
        if (round == 0) close(fd);
    }
    kit_close(&k);
}

Test(conn, a_network_that_is_freed_in_the_middle)
{
    struct kit k;
    uint64_t conn;
    kit_open(&k, 100000);
    kit_listen(&k, 0);
    int fd = kit_pair(&k, &conn);
    struct buffer payload = {0}, wire = {0};
    fill(&payload, 3000000);
    kit_message(&wire, "block", buffer_span(&payload));
    kit_write(fd, span_of(wire.data, 100000));
    net_send(k.net, conn, "block", &payload);
    kit_connect(&k.at);
    kit_close(&k);
    char byte;
    while (recv(fd, &byte, 1, 0) > 0)
        ;
    close(fd);
    buffer_clear(&wire);
}

Test(conn, two_hundred_at_once, .timeout = 120)
{
    enum { CONNS = 200, ROUNDS = 5 };
    struct kit k;
    uint64_t conns[CONNS];
    int fds[CONNS];
    struct buffer wire = {0};
    kit_open(&k, 100000);
    kit_listen(&k, 0);
    kit_message(&wire, "ping", span_str("12345678"));
    for (int i = 0; i < CONNS; i++) fds[i] = kit_pair(&k, &conns[i]);
    for (int r = 0; r < ROUNDS; r++) {
        for (int i = 0; i < CONNS; i++) kit_write(fds[i], buffer_span(&wire));
        for (int i = 0; i < CONNS; i++) {
            struct net_event *event = kit_wait(&k, NET_MESSAGE, conns[i]);
            net_send(k.net, conns[i], "pong", &event->message.received.payload);
            net_event_free(k.net, event);
        }
        for (int i = 0; i < CONNS; i++) {
            uint8_t got[32];
            kit_read(fds[i], got, sizeof(got));
            cr_assert_arr_eq(got + 4, "pong", 5);
        }
    }
    for (int i = 0; i < CONNS; i++) {
        if (i % 2) net_close(k.net, conns[i]);
        close(fds[i]);
        (void)kit_ended(&k, conns[i]);
    }
    buffer_clear(&wire);
    kit_close(&k);
}
