/* Version 1 of the transport: start bytes, name, length and checksum (24 bytes), then the payload in the clear. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/endian.h"
#include "base/hex.h"
#include "crypto/sha256.h"
#include "wire/sanitize.h"
#include "wire/transport.h"

enum { HEADER = 24, NAME_AT = 4, LENGTH_AT = 16, CHECKSUM_AT = 20, CHECKSUM = 4 };

/* Memory is taken for what has come and this much more, not for what a header promises. */
enum { AHEAD = 256 * 1024 };

struct v1 {
    struct transport base;
    uint8_t magic[4];

    uint8_t header[HEADER]; /* of the message being received */
    size_t header_len;
    uint32_t length; /* its payload, once the header is complete */
    struct buffer payload;
    struct sha256 hash;
    char problem[TRANSPORT_PROBLEM];

    char sending[MESSAGE_NAME];
    uint8_t out_header[HEADER];
    struct buffer out;
    bool in_header; /* the header is being sent */
    size_t sent;    /* of the header, or of the payload */
};

static struct v1 *v1_of(struct transport *t)
{
    return (struct v1 *)(void *)t;
}

static const struct v1 *v1_const(const struct transport *t)
{
    return (const struct v1 *)(const void *)t;
}

static enum transport_kind v1_kind(const struct transport *t)
{
    (void)t;
    return TRANSPORT_V1;
}

static bool v1_is_complete(const struct transport *t)
{
    const struct v1 *v = v1_const(t);
    return v->header_len == HEADER && v->payload.len == v->length;
}

static void restart(struct v1 *v)
{
    v->header_len = 0;
    v->length = 0;
    buffer_clear(&v->payload);
    sha256_init(&v->hash);
}

static void put_name(char out[MESSAGE_NAME], const uint8_t header[HEADER])
{
    memcpy(out, header + NAME_AT, MESSAGE_NAME_BYTES);
    out[MESSAGE_NAME_BYTES] = '\0';
}

/* As in logs: harmless characters only. */
static void clean_name(char out[MESSAGE_NAME], const uint8_t header[HEADER])
{
    char name[MESSAGE_NAME];
    put_name(name, header);
    sanitize(out, MESSAGE_NAME, span_str(name));
}

static bool check_header(struct v1 *v)
{
    char text[2 * 4 + 1], name[MESSAGE_NAME];
    if (memcmp(v->header, v->magic, 4) != 0) {
        hex_encode(text, v->header, 4);
        snprintf(v->problem, sizeof(v->problem), "Header error: Wrong MessageStart %s received", text);
        return false;
    }
    v->length = get_le32(v->header + LENGTH_AT);
    if (v->length > MESSAGE_PAYLOAD_MAX) {
        clean_name(name, v->header);
        snprintf(v->problem, sizeof(v->problem), "Header error: Size too large (%s, %u bytes)", name, v->length);
        return false;
    }
    return true;
}

static void receive_payload(struct v1 *v, struct span part)
{
    struct buffer *p = &v->payload;
    if (p->cap < p->len + part.len) {
        size_t cap = p->len + part.len + AHEAD;
        p->cap = cap < v->length ? cap : v->length;
        p->data = mem_realloc(p->data, p->cap, 1);
    }
    memcpy(p->data + p->len, part.data, part.len);
    p->len += part.len;
    sha256_put(&v->hash, part.data, part.len);
}

static bool v1_receive(struct transport *t, struct span *bytes)
{
    struct v1 *v = v1_of(t);
    if (bytes->len == 0 || v1_is_complete(t)) return true;
    bool in_header = v->header_len < HEADER;
    size_t wanted = in_header ? HEADER - v->header_len : v->length - v->payload.len;
    struct span part = span_of(bytes->data, wanted < bytes->len ? wanted : bytes->len);
    if (in_header) {
        memcpy(v->header + v->header_len, part.data, part.len);
        v->header_len += part.len;
        if (v->header_len == HEADER && !check_header(v)) {
            restart(v);
            return false;
        }
    } else {
        receive_payload(v, part);
    }
    *bytes = span_from(*bytes, part.len);
    return true;
}

/* Printable up to the first zero byte, zeroes from there on. */
static bool name_is_valid(const uint8_t header[HEADER])
{
    bool ended = false;
    for (int i = NAME_AT; i < LENGTH_AT; i++) {
        if (header[i] == 0)
            ended = true;
        else if (ended || header[i] < 0x20 || header[i] > 0x7e)
            return false;
    }
    return true;
}

static enum message_reject judge(struct v1 *v, char problem[TRANSPORT_PROBLEM])
{
    uint8_t hash[32];
    char name[MESSAGE_NAME], expected[2 * CHECKSUM + 1], given[2 * CHECKSUM + 1];
    clean_name(name, v->header);
    sha256_final_double(&v->hash, hash);
    if (memcmp(hash, v->header + CHECKSUM_AT, CHECKSUM) != 0) {
        hex_encode(expected, hash, CHECKSUM);
        hex_encode(given, v->header + CHECKSUM_AT, CHECKSUM);
        snprintf(problem, TRANSPORT_PROBLEM, "Header error: Wrong checksum (%s, %u bytes), expected %s was %s", name,
                 v->length, expected, given);
        return MESSAGE_BAD_CHECKSUM;
    }
    if (!name_is_valid(v->header)) {
        snprintf(problem, TRANSPORT_PROBLEM, "Header error: Invalid message type (%s, %u bytes)", name, v->length);
        return MESSAGE_BAD_NAME;
    }
    problem[0] = '\0';
    return MESSAGE_ACCEPTED;
}

static void v1_take(struct transport *t, struct received *out)
{
    struct v1 *v = v1_of(t);
    CHECK(v1_is_complete(t));
    put_name(out->name, v->header);
    out->reject = judge(v, out->problem);
    out->payload = v->payload;
    out->wire_bytes = HEADER + v->payload.len;
    v->payload = (struct buffer){0};
    restart(v);
}

static const char *v1_problem(const struct transport *t)
{
    return v1_const(t)->problem;
}

static size_t v1_receive_memory(const struct transport *t)
{
    return v1_const(t)->payload.cap;
}

static bool v1_set(struct transport *t, const char *name, struct buffer *payload)
{
    struct v1 *v = v1_of(t);
    size_t name_len = strlen(name);
    CHECK(name_len <= MESSAGE_NAME_BYTES && payload->len <= UINT32_MAX);
    if (v->in_header || v->sent < v->out.len) return false;
    uint8_t hash[32];
    sha256d(hash, payload->data, payload->len);
    memset(v->out_header, 0, HEADER);
    memcpy(v->out_header, v->magic, 4);
    memcpy(v->out_header + NAME_AT, name, name_len);
    put_le32(v->out_header + LENGTH_AT, (uint32_t)payload->len);
    memcpy(v->out_header + CHECKSUM_AT, hash, CHECKSUM);
    memcpy(v->sending, name, name_len + 1);
    v->out = *payload;
    *payload = (struct buffer){0};
    v->in_header = true;
    v->sent = 0;
    return true;
}

static struct to_send v1_to_send(const struct transport *t, bool have_next)
{
    const struct v1 *v = v1_const(t);
    struct span left = v->in_header ? span_of(v->out_header, HEADER) : buffer_span(&v->out);
    return (struct to_send){
        .bytes = span_from(left, v->sent), .more = have_next || (v->in_header && v->out.len != 0), .name = v->sending};
}

static void v1_mark_sent(struct transport *t, size_t len)
{
    struct v1 *v = v1_of(t);
    CHECK(len <= v1_to_send(t, false).bytes.len);
    v->sent += len;
    if (v->in_header && v->sent == HEADER) {
        v->in_header = false;
        v->sent = 0;
    }
    if (!v->in_header && v->sent == v->out.len) {
        buffer_clear(&v->out);
        v->sent = 0;
    }
}

static size_t v1_send_memory(const struct transport *t)
{
    return v1_const(t)->out.cap;
}

static bool v1_wants_v1(const struct transport *t)
{
    (void)t;
    return false;
}

static void v1_free(struct transport *t)
{
    struct v1 *v = v1_of(t);
    buffer_clear(&v->payload);
    buffer_clear(&v->out);
    free(v);
}

static const struct transport_ops v1_ops = {
    .kind = v1_kind,
    .is_complete = v1_is_complete,
    .receive = v1_receive,
    .take = v1_take,
    .problem = v1_problem,
    .receive_memory = v1_receive_memory,
    .set = v1_set,
    .to_send = v1_to_send,
    .mark_sent = v1_mark_sent,
    .send_memory = v1_send_memory,
    .wants_v1 = v1_wants_v1,
    .free = v1_free,
};

struct transport *transport_v1_new(const uint8_t magic[4])
{
    struct v1 *v = mem_calloc(1, sizeof(*v));
    v->base.ops = &v1_ops;
    memcpy(v->magic, magic, 4);
    restart(v);
    return &v->base;
}
