/* The HTTP server: evhttp in a thread of its own. It checks who speaks and how much, hands whole requests to its owner
 * and sends the owner's replies, from whatever thread they come. */
#ifndef CAIRN_HTTP_HTTP_H
#define CAIRN_HTTP_HTTP_H

#include "base/buffer.h"
#include "base/log.h"
#include "base/result.h"
#include "http/allow.h"
#include "http/auth.h"

struct http;
struct http_request;

struct http_endpoint {
    const char *host; /* a numeric address */
    uint16_t port;    /* 0: any (for tests; see http_port) */
};

enum { HTTP_BODY_MAX = 0x02000000, HTTP_HEADERS_MAX = 8192 };

struct http_config {
    const struct http_endpoint *endpoints;
    size_t endpoint_count;          /* at least one must be bound */
    const struct http_auth *auth;   /* must outlive the server; not changed while it runs */
    const struct http_allow *allow; /* the same */
    int threads;                    /* -rpcthreads: requests that count as being worked on */
    int work_queue;                 /* -rpcworkqueue: requests that may wait besides; beyond: 503 */
    int timeout_s;                  /* -rpcservertimeout: silence of a client */
    bool rest;                      /* -rest: GET below /rest/ needs no password */
    struct log *log;                /* may be NULL */
};

/* Called on the HTTP thread for each request that passed the checks. The owner answers with http_reply, exactly once,
 * now or later. */
typedef void http_on_request(void *ctx, struct http_request *req);

/* Binds, and starts the thread. On failure the error says which endpoints. */
MUST_USE enum result http_start(struct http **out, const struct http_config *config, http_on_request *on_request,
                                void *ctx, struct error *e);

/* The port that the first bound endpoint has. */
uint16_t http_port(const struct http *http);

/* Stops accepting connections; requests that still come in are answered with 503. Any thread. */
void http_interrupt(struct http *http);

/* Waits up to DRAIN_MS for replies that are due or on their way out, joins the thread and frees the server. Requests
 * not yet answered may still be given to http_reply afterwards (which then only frees them). NULL is fine. */
void http_stop(struct http *http, int drain_ms);

/* Of a request, good until its reply. */
struct span http_request_body(const struct http_request *req);
const char *http_request_user(const struct http_request *req); /* "" for REST */
const char *http_request_uri(const struct http_request *req);  /* with the query */
const char *http_request_peer(const struct http_request *req); /* "127.0.0.1:4711" */
bool http_request_is_rest(const struct http_request *req);

/* Sends a reply and frees REQ. CONTENT_TYPE may be NULL (with an empty body). BODY_TAKEN may be NULL. Any thread. */
void http_reply(struct http_request *req, int status, const char *content_type, struct buffer *body_taken);

#endif
