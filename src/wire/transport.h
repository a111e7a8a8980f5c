/* Transports: the bytes of a connection <-> messages, without a socket. Version 1 is here; version 2 (BIP324) can stand
 * beside it: whoever holds a transport knows only this table.
 *
 * Receiving: give it bytes until none are left; whenever a message is complete, take it. Sending: set a message, send
 * what it offers, say how much went. Both directions are independent. Nothing here is thread-safe: one thread a
 * direction is fine as long as each keeps to its functions. */
#ifndef CAIRN_WIRE_TRANSPORT_H
#define CAIRN_WIRE_TRANSPORT_H

#include "base/buffer.h"

enum {
    MESSAGE_NAME_BYTES = 12,
    MESSAGE_NAME = MESSAGE_NAME_BYTES + 1,
    MESSAGE_PAYLOAD_MAX = 4000000, /* bytes; a larger announced length ends the connection */
    TRANSPORT_PROBLEM = 192,
};

enum transport_kind { TRANSPORT_DETECTING, TRANSPORT_V1, TRANSPORT_V2 };

/* "v1", "v2", "detecting". */
static inline const char *transport_kind_name(enum transport_kind kind)
{
    switch (kind) {
    case TRANSPORT_V1: return "v1";
    case TRANSPORT_V2: return "v2";
    case TRANSPORT_DETECTING: break;
    }
    return "detecting";
}

/* What is wrong with one message while the connection goes on: it is counted, reported and dropped. */
enum message_reject {
    MESSAGE_ACCEPTED = 0,
    MESSAGE_BAD_CHECKSUM,
    MESSAGE_BAD_NAME, /* characters outside 0x20 to 0x7e, or after the padding began */
};

/* A received message. The payload belongs to whoever took it: buffer_clear. When it came is for the caller to know. */
struct received {
    char name[MESSAGE_NAME]; /* up to the first zero byte */
    enum message_reject reject;
    struct buffer payload;
    size_t wire_bytes;               /* what it took on the wire, header included */
    char problem[TRANSPORT_PROBLEM]; /* for the log where it is rejected, in Core's words; else empty */
};

/* Bytes to send now. NAME is the message that they belong to ("" for none); good until the next change. */
struct to_send {
    struct span bytes;
    bool more; /* other bytes follow at once after these */
    const char *name;
};

struct transport;

struct transport_ops {
    enum transport_kind (*kind)(const struct transport *t);
    bool (*is_complete)(const struct transport *t);
    bool (*receive)(struct transport *t, struct span *bytes);
    void (*take)(struct transport *t, struct received *out);
    const char *(*problem)(const struct transport *t);
    size_t (*receive_memory)(const struct transport *t);
    bool (*set)(struct transport *t, const char *name, struct buffer *payload);
    struct to_send (*to_send)(const struct transport *t, bool have_next);
    void (*mark_sent)(struct transport *t, size_t len);
    size_t (*send_memory)(const struct transport *t);
    bool (*wants_v1)(const struct transport *t);
    void (*free)(struct transport *t);
};

/* The first member of every transport. */
struct transport {
    const struct transport_ops *ops;
};

/* Speaks version 1 with these start bytes of the network. */
struct transport *transport_v1_new(const uint8_t magic[4]);

static inline enum transport_kind transport_kind(const struct transport *t)
{
    return t->ops->kind(t);
}

/* True while a message waits to be taken; until then transport_receive eats nothing. */
static inline bool transport_is_complete(const struct transport *t)
{
    return t->ops->is_complete(t);
}

/* Eats bytes from the front of *BYTES, at most up to the end of one message. False where the connection must end (wrong
 * start bytes, length above the limit); transport_problem then says why, in Core's words. */
static inline MUST_USE bool transport_receive(struct transport *t, struct span *bytes)
{
    return t->ops->receive(t, bytes);
}

static inline const char *transport_problem(const struct transport *t)
{
    return t->ops->problem(t);
}

/* Moves the complete message to *OUT. */
static inline void transport_take(struct transport *t, struct received *out)
{
    t->ops->take(t, out);
}

/* Heap bytes that the half-received message holds. */
static inline size_t transport_receive_memory(const struct transport *t)
{
    return t->ops->receive_memory(t);
}

/* Sets the next message and takes over the payload's bytes (*PAYLOAD is empty then); false and nothing changed while
 * the last one is not sent completely. NAME has at most 12 characters. */
static inline MUST_USE bool transport_set(struct transport *t, const char *name, struct buffer *payload)
{
    return t->ops->set(t, name, payload);
}

/* What to put on the wire; HAVE_NEXT: another message is ready, which only `more` takes into account. */
static inline struct to_send transport_to_send(const struct transport *t, bool have_next)
{
    return t->ops->to_send(t, have_next);
}

/* LEN of the bytes offered were sent. */
static inline void transport_mark_sent(struct transport *t, size_t len)
{
    t->ops->mark_sent(t, len);
}

/* Heap bytes that the message being sent holds. */
static inline size_t transport_send_memory(const struct transport *t)
{
    return t->ops->send_memory(t);
}

/* After the connection ended: whether to try again with version 1. */
static inline bool transport_wants_v1(const struct transport *t)
{
    return t->ops->wants_v1(t);
}

static inline void transport_free(struct transport *t)
{
    if (t) t->ops->free(t);
}

#endif
