/* The JSON-RPC server: the bytes of a request in, the bytes of its reply out, at once or later. No socket, no thread,
 * no clock: every function runs on the engine's thread and is told the instant.
 *
 * JSON-RPC 1.0, 1.1 and 2.0 side by side, batches and notifications, with Bitcoin Core's HTTP status for each case. */
#ifndef CAIRN_RPC_SERVER_H
#define CAIRN_RPC_SERVER_H

#include "base/buffer.h"
#include "base/log.h"
#include "primitives/address.h"
#include "wire/netaddr.h"

struct node;
struct rpc_call;
struct rpc_server;

/* What the program around the server does for it. Function pointers may be NULL: the method then does nothing. */
struct rpc_host {
    void *ctx;
    void (*request_stop)(void *ctx);
    void (*set_mock_time)(void *ctx, int64_t unix_s);     /* 0: the system's time again */
    void (*mock_forward)(void *ctx, int64_t seconds);     /* moves all timers */
    bool (*save_mempool)(void *ctx, struct buffer *path); /* writes mempool.dat; PATH gets its name */
    bool (*read_file)(void *ctx, const char *path, struct buffer *out);
    /* The proxy through which NET is reached ("127.0.0.1:9050"), or NULL; good as long as the server. */
    const char *(*proxy)(void *ctx, enum network net, bool *randomize);
    struct log *log;      /* may be NULL */
    const char *log_path; /* for getrpcinfo; good as long as the server */
};

struct rpc_config {
    struct rpc_host host;
    struct node *node;                       /* may be NULL: methods that need it fail */
    const struct address_prefixes *prefixes; /* of the network */
    bool mockable;                           /* regtest: setmocktime and mockscheduler work */
    bool blocks_only;                        /* we take no transactions from peers */
    int64_t start_us;                        /* when the program started, on the clock of the NOW_US below */
};

/* Where one reply goes; called exactly once for each request. STATUS is HTTP's. BODY_TAKEN is empty for 204 and 403,
 * else JSON with a new line at the end; the sink owns it afterwards. */
struct rpc_sink {
    void (*reply)(void *ctx, int status, struct buffer *body_taken);
    void *ctx;
};

struct rpc_server *rpc_server_new(const struct rpc_config *config);

/* Cancels what is still pending (see rpc_server_stop). NULL is fine. */
void rpc_server_free(struct rpc_server *server);

const struct rpc_config *rpc_server_config(const struct rpc_server *server);

/* The node, once it is open; before the server is warmed up. */
void rpc_server_set_node(struct rpc_server *server, struct node *node);

/* From the start until rpc_server_warmed_up every call fails with -28 and this text. */
void rpc_server_set_warmup(struct rpc_server *server, const char *status);
void rpc_server_warmed_up(struct rpc_server *server);

/* -rpcwhitelist=USER:METHOD,METHOD... A second value for a user leaves the methods that both name; "USER" alone or
 * "USER:" allows nothing. */
void rpc_server_whitelist(struct rpc_server *server, const char *value);

/* -rpcwhitelistdefault: users without an entry may call nothing. */
void rpc_server_whitelist_default(struct rpc_server *server, bool deny);

/* -deprecatedrpc=NAME, and the question about it. */
void rpc_server_allow_deprecated(struct rpc_server *server, const char *name);
bool rpc_server_is_deprecated_allowed(const struct rpc_server *server, const char *name);

/* Handles one request of USER ("" for none). Answers through SINK, now or from a later wake. */
void rpc_server_handle(struct rpc_server *server, int64_t now_us, const char *user, struct span body,
                       struct rpc_sink sink);

/* Looks at every deferred call: to be called after whatever may have changed the chain or the pool. */
void rpc_server_wake(struct rpc_server *server, int64_t now_us);

/* Calls whose deadline has passed, and a slice of work for those that want one. True while some call wants more. */
bool rpc_server_tick(struct rpc_server *server, int64_t now_us);

/* The earliest deadline, or 0 for none. */
int64_t rpc_server_deadline(const struct rpc_server *server);

/* Requests not yet answered. */
size_t rpc_server_pending(const struct rpc_server *server);

/* Answers everything that is pending, in the words of RPC_WAKE_STOP; from now on every call fails with -9. */
void rpc_server_stop(struct rpc_server *server, int64_t now_us);

/* Ends a deferred call whose result or failure has been written outside of its wake function. CALL is gone then. */
void rpc_call_complete(struct rpc_call *call);

/* The first deferred call of METHOD, or NULL: for methods of which only one call may run at a time. */
struct rpc_method;
struct rpc_call *rpc_server_find_deferred(const struct rpc_server *server, const struct rpc_method *method);

/* [{"method", "duration"}, ...] for getrpcinfo. */
struct json_writer;
void rpc_server_write_active(const struct rpc_server *server, int64_t now_us, struct json_writer *w);

#endif
