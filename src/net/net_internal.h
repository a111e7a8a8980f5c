/* Shared by the files of this room: what lies between the two threads, and what the network's thread owns. */
#ifndef CAIRN_NET_NET_INTERNAL_H
#define CAIRN_NET_NET_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "base/hashmap.h"
#include "net/net.h"

struct event;
struct event_base;
struct evdns_base;
struct conn;
struct dial;
struct query;

enum command_kind {
    COMMAND_SEND,
    COMMAND_START,
    COMMAND_CLOSE,
    COMMAND_RESUME,
    COMMAND_DIAL,
    COMMAND_RESOLVE,
    COMMAND_LISTEN,
    COMMAND_ACCEPTING,
};

struct command {
    enum command_kind kind;
    uint64_t conn;
    union {
        struct {
            char name[MESSAGE_NAME];
            struct buffer payload;
        } send;
        struct dial *dial;
        struct listener *listener;
        char *host;
        bool accepting;
    };
};

struct commands {
    struct command *items;
    size_t count, cap;
};

struct events {
    struct net_event *first, *last;
};

/* Bytes of a connection that the owner has not handled. Shared by the connection and its events. */
struct flow {
    atomic_size_t fresh;   /* received, not told yet; an event is on its way where it is not 0 */
    atomic_size_t waiting; /* of messages, with what the queue adds */
    atomic_bool paused;    /* the thread stopped reading; who sets it to false sees to going on */
    atomic_uint users;
    uint64_t conn;
};

struct listener {
    struct net *net;
    struct listener *next;
    struct event *event;
    int fd;
    unsigned permissions;
    bool onion;
};

struct net {
    struct net_options options;
    struct event_base *base;
    pthread_t thread;
    int event_fd;   /* wakes the owner */
    int command_fd; /* wakes the thread */

    pthread_mutex_t lock; /* of the next three */
    struct commands commands;
    struct events events;
    bool stop;

    /* The thread's own: */
    struct event *wake;
    struct commands running;
    struct events out; /* not yet published */
    struct hashmap conns;
    uint64_t last_conn;
    unsigned waiting; /* inbound connections that the owner has not judged */
    struct listener *listeners;
    struct event *accept_again;
    bool listening, refusing;
    struct dial *dials;
    unsigned dial_count;
    uint64_t isolation, isolated; /* for proxies: a random number and a count */
    struct evdns_base *dns;       /* while there are queries */
    struct query *queries;
    unsigned query_count;
    uint8_t *read_buffer;
};

/* Bytes of one turn of a connection: many small messages cost more than one large one of the same length. */
enum { READ_BUFFER = 64 * 1024, READ_SMALL = 8 * 1024 };

/* Orders come before sockets, of which only a few have their turn between two looks for orders. */
enum { PRIORITY_ORDERS, PRIORITY_SOCKETS, PRIORITIES, TURNS_BETWEEN_ORDERS = 4 };

/* ---- net.c ---- */

struct net_event *net_event_add(struct net *net, enum net_event_kind kind, uint64_t conn);
/* Hands what was added to the owner; at the end of each callback of libevent. */
void net_publish(struct net *net);
/* Gives an order to the thread. */
void net_command(struct net *net, const struct command *command);
void flow_unref(struct flow *flow);

/* ---- conn.c ---- */

struct conn_origin {
    uint64_t dial;
    struct endpoint remote;
    unsigned permissions;
    bool inbound, onion;
};

/* A connection that stands; FD is taken. */
void conn_new(struct net *net, int fd, const struct conn_origin *origin);
void conn_start(struct net *net, uint64_t id);
void conn_resume(struct net *net, uint64_t id);
/* With MORE, another message for it comes at once: nothing is written yet. */
void conn_send(struct net *net, uint64_t id, const char *name, struct buffer *payload, bool more);
void conn_close(struct net *net, uint64_t id);
void conns_free(struct net *net);

/* ---- listen.c ---- */

void listener_begin(struct net *net, struct listener *l);
void listener_free(struct listener *l);
/* Accepting goes on or rests, as the number of waiting connections wants it. */
void listeners_update(struct net *net);

/* ---- dial.c ---- */

struct dial *dial_new(struct net *net, uint64_t number, const struct net_target *target);
void dial_begin(struct net *net, struct dial *d);
void dial_free(struct dial *d);

/* ---- resolve.c ---- */

typedef void query_done(void *ctx, const struct netaddr *found, size_t count);

/* DONE is called later, exactly once, unless the query is cancelled. NULL: too many are under way. */
struct query *query_new(struct net *net, const char *host, query_done *done, void *ctx);
void query_cancel(struct query *q);
void resolve_begin(struct net *net, char *host_taken);
void queries_free(struct net *net);

/* ---- address.c ---- */

/* False for networks that the system has no sockets for. */
MUST_USE bool sockaddr_put(struct sockaddr_storage *out, socklen_t *len, const struct endpoint *e);
struct endpoint sockaddr_endpoint(const struct sockaddr *address);
struct endpoint socket_local(int fd);
/* A nonblocking stream socket of ADDRESS's family, or -1 with errno. */
int socket_new(const struct sockaddr_storage *address);
/* "Connection refused (111)"; returns OUT. */
enum { SOCKET_ERROR_TEXT = 128 };
char *socket_error_text(char out[SOCKET_ERROR_TEXT], int error);

#endif
