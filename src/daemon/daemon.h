/* The daemon: one node with its files, threads, log and RPC server, from start to stop. Start-up is an array of steps,
 * each with the one that takes it back. */
#ifndef CAIRN_DAEMON_DAEMON_H
#define CAIRN_DAEMON_DAEMON_H

#include "base/buffer.h"
#include "daemon/args.h"
#include "daemon/datadir.h"
#include "daemon/log_sink.h"
#include "daemon/process.h"
#include "daemon/request_queue.h"
#include "node/import.h"
#include "node/node.h"
#include "notify/command.h"
#include "wire/netaddr.h"

struct http;
struct mempool_load;
struct net;
struct network_loop;
struct network_setup;
struct rpc_server;
struct rpc_transport;

struct daemon {
    struct args args;
    struct log_sink log;
    struct background background;
    struct signals signals;
    struct dir_lock datadir_lock, blocks_lock;
    char *datadir; /* of the chain */
    char *blocks_dir;
    char *pid_path; /* NULL until written */
    char *log_path; /* "" where there is none */
    char subversion[300];
    struct buffer signet_challenge;
    struct node_options options;
    struct chain_ports ports;
    struct node *node;
    struct import *import; /* NULL when there is nothing (more) to import */
    struct command_runner *commands;
    struct request_queue queue;
    struct http *http;
    struct rpc_transport *transport; /* setup_rpc.c */
    uint64_t tip_changes_seen;
    struct rpc_server *rpc;
    struct network_loop *network;    /* network.c: sockets and the peers behind them; NULL: none */
    struct network_setup *net_setup; /* setup_network.c; NULL: not read yet */
    struct net_bind *binds;          /* where to listen; owned */
    size_t bind_count;
    struct mempool_load *mempool_load; /* pool_files.c: mempool.dat being read; NULL: not, or no longer */
    int64_t fees_saved_us;             /* steady, with mock_leap_us */
    int64_t mock_leap_us;              /* of mockscheduler: what is done now and then is so much further on */
    int64_t start_us;
    bool activated; /* the best chain of what was stored at start-up is reached */
    bool indexes_synced;
    bool stop;
    bool failed; /* stopping because of a fatal error */
    char fatal[512];
};

/* Microseconds since 1970. */
int64_t clock_us(void);
/* Microseconds since some moment; never goes back. */
int64_t clock_steady_us(void);

/* The whole program. Returns the exit code. */
int daemon_main(int argc, const char *const *argv);

/* ---- for the files of this room ---- */

/* Fails start-up with the text in ERROR (without "Error: "), unless RAW says that it stands for itself. */
struct start_error {
    struct buffer text;
    bool raw;
};

/* Fills ERROR; returns false, so that a step can `return start_fail(...)`. */
bool start_fail(struct start_error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/* A warning for the user, on standard error and in the log. */
void start_warn(struct daemon *d, const char *format, ...) PRINTF_LIKE(2, 3);

/* setup_chain.c: chain parameters and limits out of the options. */
MUST_USE bool setup_chain_options(struct daemon *d, struct start_error *error);

/* setup_checks.c: refuses options that cannot be; after the chain's parameters are known. */
MUST_USE bool setup_checks(struct daemon *d, struct start_error *error);
/* -blockfilterindex asks for the basic filters. */
bool wants_filter_index(const struct daemon *d);

/* setup_store.c: opens the stores, the node, and what is to be imported; and closes them. */
MUST_USE bool setup_node(struct daemon *d, struct start_error *error);
void close_stores(struct daemon *d);

/* setup_import.c */
MUST_USE bool setup_import(struct daemon *d, struct start_error *error);

/* pool_files.c: mempool.dat and the fee estimates. Nothing that is wrong with them stops the node. */
/* The fee estimates, once the node is open. */
void fees_read(struct daemon *d);
/* Writes them where an hour has passed. */
void fees_save(struct daemon *d);
/* A slice of the saved pool, once the chain rests. True while there is more. */
bool mempool_load_some(struct daemon *d);
/* Writes the pool; PATH (may be NULL) gets the file's name. */
MUST_USE bool mempool_save(struct daemon *d, struct buffer *path);
/* What is to be written at the end, and frees. */
void pool_files_close(struct daemon *d);

/* setup_rpc.c: the RPC server and its HTTP transport. */
MUST_USE bool setup_rpc(struct daemon *d, struct start_error *error);
void rpc_warmed_up(struct daemon *d);
/* Handles the requests that wait; returns true where there is more to do at once. */
bool rpc_serve(struct daemon *d);
void stop_rpc(struct daemon *d);
void close_rpc(struct daemon *d);

/* Where the daemon listens for peers. */
struct net_bind {
    struct endpoint at;
    unsigned permissions; /* enum peer_permission (-whitebind) */
    bool onion;           /* for the local Tor process */
};

/* setup_interaction.c: options that change the defaults of others, before anything reads them. */
struct args;
void network_interaction(struct args *a, struct log *log);
/* Refuses options of the network that contradict each other, those of parts that are not here included. */
MUST_USE bool network_check_options(struct daemon *d, struct start_error *error);

/* setup_mempool.c: reads the options of the pool; after those of the network, which change some. */
MUST_USE bool setup_mempool_options(struct daemon *d, struct start_error *error);

/* setup_network.c: reads the options, d->binds among them. */
MUST_USE bool setup_network_options(struct daemon *d, struct start_error *error);
void free_network_options(struct daemon *d);
/* Reads address files and bans and makes the node's peers. Closing writes peers.dat, banlist.json and anchors.dat. */
MUST_USE bool setup_network(struct daemon *d, struct start_error *error);
void close_network(struct daemon *d);
/* Remembers who goes into anchors.dat; before the connections are closed. */
void network_keep_anchors(struct daemon *d);
/* The proxy for addresses of NET, as text; NULL: none. *RANDOMIZE (may be NULL): with credentials of its own for each
 * connection. */
const char *network_proxy(const struct daemon *d, enum network net, bool *randomize);
/* The proxy through which HOST (a name or an address; "": TO) must be reached; NULL: none. */
const char *network_proxy_for(const struct daemon *d, const char *host, const struct endpoint *to, bool *randomize);
/* Now and then (every 15 minutes; bans at once when they changed): writes the address files. */
void network_save(struct daemon *d);

/* network.c: opens the sockets of d->binds and begins. */
MUST_USE bool network_start(struct daemon *d, struct start_error *error);
/* Handles what came from the sockets and what the peers want sent. True where there is more to do at once. */
bool network_serve(struct daemon *d);
/* For poll: readable when there is something to handle; and when to call next (steady clock, microseconds). */
int network_fd(const struct daemon *d);
int64_t network_deadline_us(const struct daemon *d);
void network_stop(struct daemon *d);

/* run.c: the loop of the engine's thread, until it is time to stop. */
void daemon_run(struct daemon *d);

/* progress.c: where an import stands, on the terminal or in the log. */
struct progress {
    int64_t started_us, last_us;
    uint64_t last_blocks, last_txs;
    bool terminal, line_open;
};
void progress_begin(struct progress *p, const struct daemon *d);
void progress_show(struct progress *p, struct daemon *d);
void progress_end(struct progress *p, struct daemon *d);

#endif
