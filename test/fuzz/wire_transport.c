/* Version 1 of the transport fed by strangers: the bytes cut as the input says give the same messages as the bytes at
 * once, and what was accepted can be sent again. */
#include "base/check.h"
#include "wire/transport.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

/* Takes the next message out of *BYTES in pieces of at most CHUNK bytes; false where there is none. */
static bool next(struct transport *t, struct span *bytes, size_t chunk, bool *alive, struct received *out)
{
    while (*alive && bytes->len && !transport_is_complete(t)) {
        struct span part = span_of(bytes->data, bytes->len < chunk ? bytes->len : chunk);
        size_t before = part.len;
        *alive = transport_receive(t, &part);
        CHECK(*alive == (transport_problem(t)[0] == '\0'));
        if (*alive) *bytes = span_from(*bytes, before - part.len);
    }
    if (!transport_is_complete(t)) return false;
    transport_take(t, out);
    return true;
}

static void send_again(const struct received *m)
{
    struct transport *from = transport_v1_new(magic), *to = transport_v1_new(magic);
    struct buffer copy = {0};
    struct received back;
    buffer_put_span(&copy, buffer_span(&m->payload));
    CHECK(transport_set(from, m->name, &copy));
    for (;;) {
        struct to_send s = transport_to_send(from, false);
        if (s.bytes.len == 0) break;
        size_t len = s.bytes.len > 1 ? s.bytes.len / 2 : 1;
        struct span sent = span_of(s.bytes.data, len);
        while (sent.len) CHECK(transport_receive(to, &sent));
        transport_mark_sent(from, len);
    }
    CHECK(transport_is_complete(to));
    transport_take(to, &back);
    CHECK(back.reject == MESSAGE_ACCEPTED && strcmp(back.name, m->name) == 0);
    CHECK(span_equal(buffer_span(&back.payload), buffer_span(&m->payload)));
    buffer_clear(&back.payload);
    transport_free(from);
    transport_free(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct span at_once = span_of(data + 1, size - 1), cut = at_once;
    struct transport *a = transport_v1_new(magic), *b = transport_v1_new(magic);
    bool alive_a = true, alive_b = true;
    struct received x, y;
    while (next(a, &at_once, SIZE_MAX, &alive_a, &x)) {
        CHECK(next(b, &cut, data[0] % 32 + 1, &alive_b, &y));
        CHECK(strcmp(x.name, y.name) == 0 && x.reject == y.reject && x.wire_bytes == y.wire_bytes);
        CHECK(span_equal(buffer_span(&x.payload), buffer_span(&y.payload)));
        if (x.reject == MESSAGE_ACCEPTED) send_again(&x);
        buffer_clear(&x.payload);
        buffer_clear(&y.payload);
    }
    CHECK(!next(b, &cut, data[0] % 32 + 1, &alive_b, &y) && alive_a == alive_b);
    CHECK(transport_receive_memory(a) <= MESSAGE_PAYLOAD_MAX);
    transport_free(a);
    transport_free(b);
    return 0;
}
