/* The sockets of the peer-to-peer network: one thread with libevent that accepts, dials, resolves names, and runs the
 * transports (bytes <-> messages). Its owner, another thread, takes events and gives orders; neither waits for the
 * other, and what lies between them is bounded: a connection whose messages the owner does not take is no longer read
 * from, so that its sender waits. What may be sent to a slow peer is bounded by the owner, who is told of each byte
 * that went out. */
#ifndef CAIRN_NET_NET_H
#define CAIRN_NET_NET_H

#include "base/buffer.h"
#include "base/log.h"
#include "base/result.h"
#include "wire/netaddr.h"
#include "wire/transport.h"

struct net;

enum {
    NET_HOST = 256,        /* of a name with its port, the NUL included */
    NET_PROXY = 128,       /* of a proxy's address */
    NET_MESSAGE_COST = 64, /* what the queue adds to each message when received bytes are counted, at least */
    NET_WAITING_MAX = 64,  /* accepted connections that the owner has not judged yet: no more are accepted */
    NET_DIALS_MAX = 256,   /* at a time; those beyond fail at once */
    NET_RESOLVES_MAX = 64, /* the same; beyond: nothing found */
    NET_FOUND_MAX = 256,   /* addresses of one name that are looked at */
};

struct net_options {
    uint8_t magic[4];   /* start bytes of the network */
    size_t max_receive; /* bytes of one connection's messages that may wait for the owner; then it is not read */
    int64_t connect_timeout_ms; /* of one address */
    const char *program;        /* for error texts: "cairn"; must live as long */
    /* Makes the transport of a new connection; NULL: version 1 with MAGIC. Called on the network's thread. */
    struct transport *(*new_transport)(void *ctx, bool inbound);
    void *transport_ctx;
    struct log *log; /* may be NULL */
};

/* Starts the thread. */
MUST_USE enum result net_new(struct net **out, const struct net_options *options, struct error *e);

/* Closes every socket, ends the thread and frees all; events that were taken may still be freed afterwards. NULL is
 * fine. */
void net_free(struct net *net);

/* ---- orders ---- */

/* Listens at AT; connections carry PERMISSIONS and ONION. The error texts are Bitcoin Core's. */
MUST_USE enum result net_listen(struct net *net, const struct endpoint *at, unsigned permissions, bool onion,
                                struct error *e);

/* Whether connections are accepted (at first: yes); otherwise they are closed as soon as they come. */
void net_set_accepting(struct net *net, bool accepting);

/* Where to: HOST (a name or an address, "host", "host:port", "[address]:port") where it is not empty, else TO. */
struct net_target {
    const char *host;
    uint16_t default_port;
    struct endpoint to;
    bool lookup; /* names may be resolved; else only numeric addresses work */
    bool loud;   /* failures are always logged (connections that the user wants) */
    /* A SOCKS5 proxy that connects instead of us, and resolves names: "address:port" or "unix:PATH"; NULL: none. */
    const char *proxy;
    bool isolate; /* with credentials of its own: not to share a circuit of Tor with another connection */
};

/* Connects; answered by NET_CONNECTED or NET_DIAL_FAILED with NUMBER. All addresses of a name are tried in turn.
 * Through a proxy, the remote endpoint of a name is unknown (netaddr_none). */
void net_dial(struct net *net, uint64_t number, const struct net_target *target);

/* Finds the addresses of HOST (without port); answered by NET_RESOLVED. */
void net_resolve(struct net *net, const char *host);

/* A connection that NET_CONNECTED told of may now be read from. Until then nothing is received, but sending works. */
void net_start(struct net *net, uint64_t conn);

/* Queues a message; *PAYLOAD is taken (empty afterwards). Dropped where the connection has ended. */
void net_send(struct net *net, uint64_t conn, const char *name, struct buffer *payload);

/* Ends the connection now; NET_CLOSED follows. */
void net_close(struct net *net, uint64_t conn);

/* ---- events ---- */

enum net_event_kind {
    NET_CONNECTED, /* wants net_start or net_close */
    NET_DIAL_FAILED,
    NET_RECEIVED, /* bytes came, whole messages or not; before those messages */
    NET_MESSAGE,
    NET_SENT,
    NET_CLOSED, /* the last of a connection; exactly once after NET_CONNECTED */
    NET_RESOLVED,
};

enum net_end {
    NET_END_ORDERED, /* net_close */
    NET_END_REMOTE,  /* they closed */
    NET_END_RECEIVE, /* TEXT: the system's error */
    NET_END_SEND,    /* the same */
    NET_END_INVALID, /* no messages of this protocol; TEXT: the transport's problem */
};

struct flow;

struct net_event {
    struct net_event *next; /* in the list that net_take_events returned */
    enum net_event_kind kind;
    uint64_t conn; /* counts from 1 in the life of a struct net; not of NET_DIAL_FAILED and NET_RESOLVED */
    union {
        struct {
            uint64_t dial; /* 0: they connected to us */
            struct endpoint remote, local;
            unsigned permissions; /* of the listening socket */
            bool onion;
            enum transport_kind transport;
        } connected;
        struct {
            uint64_t dial;
            bool found; /* AT is (the last of) what the name resolved to */
            struct endpoint at;
            bool proxy_failed; /* the proxy could not be reached; nothing is known of the target */
        } failed;
        struct {
            struct flow *flow;
        } received;
        struct {
            struct received received; /* to be taken out of here */
            struct flow *flow;
            size_t cost; /* bytes that it counts for */
        } message;
        struct {
            char name[MESSAGE_NAME]; /* "" for bytes of no message */
            size_t bytes;            /* on the wire */
        } sent;
        struct {
            enum net_end why;
            char text[TRANSPORT_PROBLEM];
        } closed;
        struct {
            char *host; /* as it was asked for */
            struct netaddr *found;
            size_t count; /* 0: none, or it failed */
        } resolved;
    };
};

/* For poll: readable while events wait. */
int net_fd(const struct net *net);

/* All events that wait, oldest first; NULL where there are none. Each is freed with net_event_free. */
struct net_event *net_take_events(struct net *net);

/* Of a NET_RECEIVED: how many bytes came since the last one was asked for. */
size_t net_received_bytes(const struct net_event *event);

/* Frees EVENT. Of a message: it counts as handled now, which makes room for others of its connection. Of a NET_CLOSED:
 * only now the socket is closed, so that whoever was on the other side finds it noticed here. NET may be NULL once it
 * was freed. */
void net_event_free(struct net *net, struct net_event *event);

#endif
