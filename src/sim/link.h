/* Links: what a connection between two hosts is made of, and what can be done to it. */
#ifndef CAIRN_SIM_LINK_H
#define CAIRN_SIM_LINK_H

#include "p2p/p2p.h"
#include "wire/transport.h"

struct sim;
struct sim_event;

struct sim_chunk {
    int64_t arrive_us;
    size_t len;
};

/* One direction of a connection: bytes on their way, in order. */
struct sim_pipe {
    struct buffer bytes; /* from START on: arrived and unread ones first */
    size_t start, arrived;
    struct sim_chunk *chunks; /* a queue of those that have not arrived */
    size_t first, count, cap;
    int64_t busy_until_us, last_arrive_us, last_put_us;
    size_t uncredited; /* read, but the sender has not heard of it */
    bool scheduled;
    bool ended; /* the sender closed: no bytes follow */
};

struct sim_queued {
    char name[MESSAGE_NAME];
    struct buffer payload;
    bool raw; /* bytes that are no message */
};

struct sim_actor_conn;

/* One end. */
struct sim_side {
    uint32_t host;
    bool open;
    peer_id peer;
    struct transport *codec;
    struct sim_queued *queue;
    size_t first, count, cap;
    size_t queued; /* bytes of payload that wait */
    struct buffer raw;
    size_t raw_at;
    bool full;
    bool has_held;
    struct received held; /* the node is not ready for it */
    struct sim_pipe out;
    struct sim_actor_conn *actor;
};

struct sim_link {
    uint32_t index;
    uint64_t generation;
    bool used, dead; /* dead: nothing passes any more, and nobody is told */
    uint64_t dial;   /* of side 0 */
    uint32_t boot;   /* of the dialling node */
    int64_t latency_us, jitter_us;
    uint64_t bandwidth; /* bytes a second */
    size_t window, cut;
    struct sim_side side[2]; /* 0: who dialled */
};

/* HOST connects to TO. DIAL: the node's number for it (0: none). */
void sim_dial(struct sim *s, uint32_t host, const struct endpoint *to, uint64_t dial, uint32_t boot);
void sim_link_on_event(struct sim *s, const struct sim_event *e);
/* Queues a message (payload taken) or raw bytes (NAME NULL). */
void sim_send(struct sim *s, struct sim_link *link, unsigned side, const char *name, struct buffer *payload);
/* This end closes. RESET: bytes on their way are lost. */
void sim_close(struct sim *s, struct sim_link *link, unsigned side, bool reset);
/* Both ends lose it. */
void sim_link_break(struct sim *s, struct sim_link *link);
/* Reads what arrived as far as the end takes it. */
void sim_read(struct sim *s, struct sim_link *link, unsigned side);
/* The paths changed: what was held up goes on. */
void sim_links_resume(struct sim *s);
bool sim_blocked(const struct sim *s, uint32_t from, uint32_t to);
void sim_links_reap(struct sim *s);
void sim_link_free(struct sim_link *link);
/* Memory of queues and pipes at this end. */
size_t sim_side_memory(const struct sim_side *side);

#endif
