/* cairn-cli: one command to a node over JSON-RPC. The calls (cli_call.c) are those of cairn-miner too. */
#ifndef CAIRN_DAEMON_CLI_H
#define CAIRN_DAEMON_CLI_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/span.h"
#include "daemon/args.h"

/* The whole program: reads standard input where options say so, writes the answer, returns the exit code (0, 1 for
 * trouble on our side, otherwise the amount of the RPC error code). */
int cli_main(int argc, const char *const *argv);

/* --- for the files of this room --- */

/* Why a call has no reply. A transient failure may pass: -rpcwait tries again. */
enum cli_outcome { CLI_OK, CLI_FAILED, CLI_TRANSIENT };

/* Sends BODY to the node of ARGS and appends what it replies to REPLY, or the reason (without "error: ") to ERROR. */
MUST_USE enum cli_outcome cli_call(const struct args *args, struct span body, struct buffer *reply,
                                   struct buffer *error);

/* What ends a call early. */
struct cli_patience {
    bool (*stopped)(void *arg); /* asked ten times a second; the call fails as transient once it is true */
    void *arg;
};

/* The same as long as PATIENCE allows. */
MUST_USE enum cli_outcome cli_call_until(const struct args *args, const struct cli_patience *patience, struct span body,
                                         struct buffer *reply, struct buffer *error);

/* The same until it works where -rpcwait says so; waits also while the node is starting. */
MUST_USE enum cli_outcome cli_call_wait(const struct args *args, struct span body, struct buffer *reply,
                                        struct buffer *error);

/* HOST and PORT (0: none) of "host", "host:port", "[v6]:port"; false where the port is none. HOST is malloc'ed. */
MUST_USE bool cli_split_host(const char *text, char **host, uint16_t *port);

/* Appends the params of a request made of COUNT words, as an array, or with NAMED as an object of name=value. */
MUST_USE bool cli_params(const char *method, const char *const *words, size_t count, bool named, struct buffer *out,
                         struct buffer *error);

/* Appends a whole request. PARAMS is JSON; ID is written as a string where QUOTED. */
void cli_request(struct buffer *out, const char *method, struct span params, const char *id, bool quoted);

/* Appends the text of -getinfo made of the replies to cli_getinfo_request. False where a reply is an error: *FAILED is
 * then its value. */
void cli_getinfo_request(struct buffer *out);
MUST_USE bool cli_getinfo_text(struct span reply, bool colour, struct buffer *out, struct span *failed);

/* The reply with this id out of those of a batch; empty where there is none. */
struct span cli_find_reply(struct span batch, const char *id);

/* What -netinfo shows: "LEVEL outonly". */
struct netinfo_view {
    unsigned level; /* 0: no list of peers; 2 and 4: with addresses; 3 and 4: with versions */
    bool outbound_only;
};

MUST_USE bool cli_netinfo_parse(struct netinfo_view *view, const char *const *words, size_t count,
                                struct buffer *error);
void cli_netinfo_help(struct buffer *out);
void cli_netinfo_request(struct buffer *out);
/* As cli_getinfo_text; NOW_S: seconds since 1970. CHAIN as in -chain. */
MUST_USE bool cli_netinfo_text(struct span reply, const struct netinfo_view *view, int64_t now_s, const char *chain,
                               struct buffer *out, struct span *failed);

/* -addrinfo out of the result of getaddrmaninfo, as JSON. */
void cli_addrinfo(struct span result, struct buffer *out);

#endif
