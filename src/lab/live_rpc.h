/* JSON-RPC to the nodes of a live laboratory, over HTTP with the cookie. Inside the room.
 *
 * One thread, one event base for all. A call waits, but not for long: a node that once let a call run out of time is
 * *silent* and fails at once from then on, until it answers the question that is put to it again and again
 * (live_rpc_probe). So a node that hangs costs the laboratory one pause, and then nothing. */
#ifndef CAIRN_LAB_LIVE_RPC_H
#define CAIRN_LAB_LIVE_RPC_H

#include <jansson.h>
#include <limits.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/span.h"

struct event_base;
struct evhttp_connection;
struct evhttp_request;

/* What all clients share. */
struct live_loop {
    struct event_base *base;
    struct event *tick; /* keeps every wait short */
    bool (*stopped)(void *arg);
    void *stopped_arg;
};

enum { LIVE_HASH_TEXT = 65 };

struct live_rpc {
    struct live_loop *loop;
    struct evhttp_connection *calls, *probes;
    struct evhttp_request *probing; /* NULL: no question is under way */
    char cookie[PATH_MAX];          /* the file */
    struct buffer authorization;    /* the header; empty until the file was there */
    uint16_t port;
    bool silent;
    bool outdated;             /* the answer under way is older than what BEST says */
    bool unreachable;          /* the last question met a closed port */
    char best[LIVE_HASH_TEXT]; /* the last answer to the question */
    uint64_t answers;
    int error_code; /* of the last call that failed; 0: not the node's error */
    char error[256];
};

void live_loop_open(struct live_loop *l, bool (*stopped)(void *arg), void *arg);
void live_loop_close(struct live_loop *l);
bool live_loop_is_stopped(const struct live_loop *l);
/* Takes in answers for so long; 0: those that are there. False: stopped. */
bool live_loop_run(struct live_loop *l, int milliseconds);
int64_t live_now_us(void); /* monotonic */

void live_rpc_open(struct live_rpc *r, struct live_loop *loop, uint16_t port, const char *cookie);
void live_rpc_close(struct live_rpc *r);

/* Asks for the best block, without waiting; the answer comes into BEST. Nothing where a question is under way. */
void live_rpc_probe(struct live_rpc *r);

/* The node's best block is known from elsewhere. */
void live_rpc_set_best(struct live_rpc *r, const char *hash);

/* A whole request; the reply's body is appended. HTTP's status; 0: no answer, and ERROR says why. */
int live_rpc_post(struct live_rpc *r, struct span body, struct buffer *reply);

/* The result of METHOD, the caller's to json_decref. PARAMS is what stands between the brackets. NULL: it failed,
 * ERROR_CODE and ERROR say how. */
MUST_USE json_t *live_rpc_call(struct live_rpc *r, const char *method, const char *params, ...) PRINTF_LIKE(3, 4);
/* The same where only success matters. */
bool live_rpc_do(struct live_rpc *r, const char *method, const char *params, ...) PRINTF_LIKE(3, 4);

#endif
