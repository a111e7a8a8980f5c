/* Version 1 of the transport: its errors, its memory, and any cut of the stream against a naive reading of the whole.
 */
#include "wire_test.h"

#include "crypto/sha256.h"

TestSuite(transport);

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

/* One message as bytes, put together here and not by the transport. NAME has 12 bytes. */
static void put_raw(struct buffer *out, const uint8_t start[4], const char *name, struct span payload)
{
    uint8_t hash[32];
    sha256d(hash, payload.data, payload.len);
    buffer_put(out, start, 4);
    buffer_put(out, name, 12);
    buffer_put_le32(out, (uint32_t)payload.len);
    buffer_put(out, hash, 4);
    buffer_put_span(out, payload);
}

/* Feeds all of BYTES; takes at most one message. False where the transport refused. */
static bool feed_one(struct transport *t, struct span bytes, struct received *out, bool *taken)
{
    *taken = false;
    while (bytes.len && !*taken) {
        if (!transport_receive(t, &bytes)) return false;
        if (!transport_is_complete(t)) continue;
        transport_take(t, out);
        *taken = true;
    }
    return true;
}

Test(transport, known_bytes)
{
    /* A verack of the main network, as every description of the protocol shows it. */
    static const uint8_t main_magic[4] = {0xf9, 0xbe, 0xb4, 0xd9};
    struct transport *t = transport_v1_new(main_magic);
    struct buffer nothing = {0};
    char text[2 * 24 + 1];
    cr_assert(transport_set(t, "verack", &nothing));
    struct to_send s = transport_to_send(t, false);
    hex_encode(text, s.bytes.data, s.bytes.len);
    cr_assert_str_eq(text, "f9beb4d976657261636b000000000000000000005df6e0e2");
    cr_assert(!s.more && strcmp(s.name, "verack") == 0);
    cr_assert_eq(transport_kind(t), TRANSPORT_V1);
    cr_assert(!transport_wants_v1(t));
    transport_free(t);
}

Test(transport, errors)
{
    static const uint8_t wrong[4] = {0xff, 0xff, 0xff, 0xff};
    struct transport *t = transport_v1_new(magic);
    struct buffer b = {0};
    struct received m;
    bool taken;
    put_raw(&b, wrong, "badmsg\0\0\0\0\0\0", span_str("d"));
    cr_assert(!feed_one(t, buffer_span(&b), &m, &taken));
    cr_assert_str_eq(transport_problem(t), "Header error: Wrong MessageStart ffffffff received");

    b.len = 0;
    put_raw(&b, magic, "bad(m)sg<\1\0\0", span_str("d"));
    put_le32(b.data + 16, MESSAGE_PAYLOAD_MAX + 1);
    cr_assert(!feed_one(t, buffer_span(&b), &m, &taken));
    cr_assert_str_eq(transport_problem(t), "Header error: Size too large (bad(m)sg, 4000001 bytes)");

    b.len = 0;
    put_raw(&b, magic, "badmsg\0\0\0\0\0\0", span_str("dd"));
    memset(b.data + 20, 0xff, 4);
    cr_assert(feed_one(t, buffer_span(&b), &m, &taken) && taken);
    cr_assert_eq(m.reject, MESSAGE_BAD_CHECKSUM);
    cr_assert(strncmp(m.problem, "Header error: Wrong checksum (badmsg, 2 bytes), expected ", 57) == 0);
    cr_assert(strstr(m.problem, " was ffffffff"));
    buffer_clear(&m.payload);
    transport_free(t);
    buffer_clear(&b);
}

/* The largest length is only a length: no memory is taken before bytes come. */
Test(transport, largest_length)
{
    struct transport *t = transport_v1_new(magic);
    struct buffer b = {0};
    struct received m;
    bool taken;
    put_raw(&b, magic, "block\0\0\0\0\0\0\0", span_of(NULL, 0));
    put_le32(b.data + 16, MESSAGE_PAYLOAD_MAX);
    cr_assert(feed_one(t, buffer_span(&b), &m, &taken) && !taken);
    cr_assert_eq(transport_receive_memory(t), 0);
    cr_assert(feed_one(t, span_of(b.data, 1), &m, &taken) && !taken);
    cr_assert_leq(transport_receive_memory(t), 1 + 256 * 1024);

    uint8_t *payload = mem_calloc(1, MESSAGE_PAYLOAD_MAX);
    cr_assert(feed_one(t, span_of(payload, MESSAGE_PAYLOAD_MAX), &m, &taken) && taken);
    cr_assert_eq(m.payload.len, MESSAGE_PAYLOAD_MAX);
    cr_assert_eq(m.wire_bytes, MESSAGE_PAYLOAD_MAX + 24);
    cr_assert_eq(transport_receive_memory(t), 0);
    buffer_clear(&m.payload);
    free(payload);
    transport_free(t);
    buffer_clear(&b);
}

Test(transport, names)
{
    static const struct {
        const char *bytes, *name;
        bool ok;
    } facts[] = {
        {"twelve bytes", "twelve bytes", true},        {"\0\0\0\0\0\0\0\0\0\0\0\0", "", true},
        {"a~ \0\0\0\0\0\0\0\0\0", "a~ ", true},        {"a\x1f\0\0\0\0\0\0\0\0\0\0", "a\x1f", false},
        {"a\x7f\0\0\0\0\0\0\0\0\0\0", "a\x7f", false}, {"a\x80\0\0\0\0\0\0\0\0\0\0", "a\x80", false},
        {"inv\0inv\0\0\0\0\0", "inv", false},          {"inv\0\0\0\0\0\0\0\0x", "inv", false},
    };
    struct transport *t = transport_v1_new(magic);
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        struct buffer b = {0};
        struct received m;
        bool taken;
        put_raw(&b, magic, facts[i].bytes, span_str("payload"));
        cr_assert(feed_one(t, buffer_span(&b), &m, &taken) && taken);
        cr_assert_str_eq(m.name, facts[i].name);
        cr_assert_eq(m.reject, facts[i].ok ? MESSAGE_ACCEPTED : MESSAGE_BAD_NAME, "row %zu", i);
        cr_assert((m.problem[0] == '\0') == facts[i].ok);
        buffer_clear(&m.payload);
        buffer_clear(&b);
    }
    transport_free(t);
}

/* A complete message waits: nothing more is eaten until it is taken. */
Test(transport, waits_for_take)
{
    struct transport *t = transport_v1_new(magic);
    struct buffer b = {0};
    struct received m;
    put_raw(&b, magic, "ping\0\0\0\0\0\0\0\0", span_str("12345678"));
    put_raw(&b, magic, "verack\0\0\0\0\0\0", span_of(NULL, 0));
    struct span bytes = buffer_span(&b);
    while (!transport_is_complete(t)) cr_assert(transport_receive(t, &bytes));
    cr_assert_eq(bytes.len, 24);
    cr_assert(transport_receive(t, &bytes) && bytes.len == 24);
    transport_take(t, &m);
    cr_assert(m.payload.len == 8 && m.reject == MESSAGE_ACCEPTED);
    buffer_clear(&m.payload);
    cr_assert(transport_receive(t, &bytes) && transport_is_complete(t) && bytes.len == 0);
    transport_take(t, &m);
    cr_assert_str_eq(m.name, "verack");
    cr_assert_eq(m.payload.len, 0);
    transport_free(t);
    buffer_clear(&b);
}

Test(transport, sending)
{
    struct transport *t = transport_v1_new(magic);
    struct buffer payload = {0}, other = {0};
    buffer_put_str(&payload, "abc");
    const uint8_t *data = payload.data;
    cr_assert(transport_to_send(t, true).bytes.len == 0 && transport_to_send(t, true).more);
    cr_assert(!transport_to_send(t, false).more && transport_to_send(t, false).name[0] == '\0');
    cr_assert(transport_set(t, "tx", &payload));
    cr_assert(payload.data == NULL, "the payload was not taken");
    cr_assert(transport_send_memory(t) >= 3);
    buffer_put_str(&other, "other");
    cr_assert(!transport_set(t, "inv", &other) && other.len == 5);
    transport_mark_sent(t, 0);
    transport_mark_sent(t, 20);
    struct to_send s = transport_to_send(t, false);
    cr_assert(s.bytes.len == 4 && s.more && strcmp(s.name, "tx") == 0);
    transport_mark_sent(t, 4);
    s = transport_to_send(t, false);
    cr_assert(s.bytes.len == 3 && s.bytes.data == data && !s.more, "the payload was copied");
    cr_assert(transport_to_send(t, true).more);
    transport_mark_sent(t, 2);
    cr_assert(!transport_set(t, "inv", &other));
    transport_mark_sent(t, 1);
    cr_assert_eq(transport_send_memory(t), 0);
    cr_assert(transport_set(t, "inv", &other));
    transport_free(t);
}

/* The naive twin: all bytes at hand, one message after the other. */
struct naive {
    struct span rest;
    bool broken;
};

static bool naive_next(struct naive *n, struct received *m)
{
    if (n->broken || n->rest.len < 24) return false;
    const uint8_t *h = n->rest.data;
    uint32_t len = get_le32(h + 16);
    n->broken = memcmp(h, magic, 4) != 0 || len > MESSAGE_PAYLOAD_MAX;
    if (n->broken || n->rest.len - 24 < len) return false;
    uint8_t hash[32];
    sha256d(hash, h + 24, len);
    *m = (struct received){.wire_bytes = 24 + (size_t)len};
    memcpy(m->name, h + 4, 12);
    buffer_put(&m->payload, h + 24, len);
    size_t name_len = strlen(m->name);
    for (size_t i = 0; i < 12; i++)
        if (i < name_len ? h[4 + i] < ' ' || h[4 + i] > '~' : h[4 + i] != 0) m->reject = MESSAGE_BAD_NAME;
    if (memcmp(hash, h + 20, 4) != 0) m->reject = MESSAGE_BAD_CHECKSUM;
    n->rest = span_from(n->rest, m->wire_bytes);
    return true;
}

static size_t twin_messages, twin_rejected, twin_broken;

/* Runs BYTES through the transport in chunks of at most CHUNK and compares every answer with the twin's. */
static void check_twin(struct span bytes, struct random *random, size_t chunk)
{
    struct naive n = {.rest = bytes};
    struct transport *t = transport_v1_new(magic);
    bool alive = true;
    for (size_t at = 0; alive && at < bytes.len;) {
        size_t len = chunk == 1 ? 1 : 1 + (size_t)random_below(random, chunk);
        if (len > bytes.len - at) len = bytes.len - at;
        struct span part = exact_copy(span_from(bytes, at), len), left = part;
        while (alive && left.len) {
            alive = transport_receive(t, &left);
            if (!alive || !transport_is_complete(t)) continue;
            struct received got, expected;
            transport_take(t, &got);
            cr_assert(naive_next(&n, &expected));
            cr_assert(strcmp(got.name, expected.name) == 0 && got.reject == expected.reject);
            cr_assert(span_equal(buffer_span(&got.payload), buffer_span(&expected.payload)));
            cr_assert_eq(got.wire_bytes, expected.wire_bytes);
            twin_messages++;
            twin_rejected += got.reject != MESSAGE_ACCEPTED;
            buffer_clear(&got.payload);
            buffer_clear(&expected.payload);
        }
        at += len;
        span_free(part);
    }
    struct received beyond;
    cr_assert(!naive_next(&n, &beyond));
    cr_assert_eq(alive, !n.broken);
    twin_broken += !alive;
    transport_free(t);
}

/* A stream of messages, some damaged in one place. */
static void put_stream(struct buffer *out, struct random *random)
{
    static const char names[][13] = {"ping", "block", "headers", "twelve bytes", "", "x\x01", "inv"};
    size_t count = 1 + (size_t)random_below(random, 8);
    for (size_t i = 0; i < count; i++) {
        struct buffer payload = {0};
        size_t len = (size_t)random_below(random, random_below(random, 20) == 0 ? 300000 : 200);
        random_bytes(random, buffer_extend(&payload, len + 1), len);
        char name[13] = {0};
        memcpy(name, names[random_below(random, ARRAY_LEN(names))], 12);
        put_raw(out, magic, name, span_of(payload.data, len));
        buffer_clear(&payload);
    }
    if (random_below(random, 2)) out->data[random_below(random, out->len)] ^= (uint8_t)(1u << random_below(random, 8));
    if (random_below(random, 8) == 0) {
        random_bytes(random, buffer_extend(out, 100), 100);
    }
}

Test(transport, any_cut_gives_the_same)
{
    struct random random;
    random_init_u64(&random, 42);
    twin_messages = twin_rejected = twin_broken = 0;
    for (int i = 0; i < 600; i++) {
        struct buffer stream = {0};
        put_stream(&stream, &random);
        if (stream.len < 10000) check_twin(buffer_span(&stream), &random, 1);
        check_twin(buffer_span(&stream), &random, 7);
        check_twin(buffer_span(&stream), &random, 100);
        check_twin(buffer_span(&stream), &random, 400000);
        buffer_clear(&stream);
    }
    printf("transport: %zu messages equal to the naive twin's, %zu rejected, %zu streams broken\n", twin_messages,
           twin_rejected, twin_broken);
    cr_assert(twin_messages > 8000 && twin_rejected > 1000 && twin_broken > 100);
}

/* Pure noise ends the connection at the first header. */
Test(transport, garbage)
{
    struct random random;
    random_init_u64(&random, 7);
    for (int i = 0; i < 2000; i++) {
        uint8_t noise[200];
        random_bytes(&random, noise, sizeof(noise));
        check_twin(span_of(noise, sizeof(noise)), &random, 50);
    }
}

/* What one transport sends in pieces of any size, another receives. */
Test(transport, two_talk)
{
    struct random random;
    random_init_u64(&random, 3);
    struct transport *from = transport_v1_new(magic), *to = transport_v1_new(magic);
    for (int i = 0; i < 300; i++) {
        struct buffer payload = {0}, copy = {0};
        size_t len = (size_t)random_below(&random, i % 50 == 0 ? 1000000 : 500);
        if (len) random_bytes(&random, buffer_extend(&payload, len), len);
        buffer_put_span(&copy, buffer_span(&payload));
        cr_assert(transport_set(from, "block", &payload));
        bool taken = false;
        for (;;) {
            struct to_send s = transport_to_send(from, false);
            if (s.bytes.len == 0) break;
            size_t n = 1 + (size_t)random_below(&random, s.bytes.len);
            struct span part = span_of(s.bytes.data, n);
            while (part.len) cr_assert(transport_receive(to, &part));
            transport_mark_sent(from, n);
        }
        struct received m;
        if (transport_is_complete(to)) {
            transport_take(to, &m);
            taken = true;
        }
        cr_assert(taken && m.reject == MESSAGE_ACCEPTED && strcmp(m.name, "block") == 0);
        cr_assert(span_equal(buffer_span(&m.payload), buffer_span(&copy)));
        buffer_clear(&m.payload);
        buffer_clear(&copy);
    }
    transport_free(from);
    transport_free(to);
}
