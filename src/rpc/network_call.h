/* What handlers about the network share. */
#ifndef CAIRN_RPC_NETWORK_CALL_H
#define CAIRN_RPC_NETWORK_CALL_H

#include "node/node.h"
#include "p2p/p2p.h"
#include "rpc/call.h"

/* The node's peers; NULL and the call failed (-31) where the node runs without. */
struct p2p *rpc_peers(struct rpc_call *call);

/* Fails the call with the method's help text. */
void rpc_fail_help(struct rpc_call *call, int code);

/* NAME: 16 hex digits; NAMESnames: the services' names. */
void rpc_put_services(struct json_writer *w, const char *name, const char *names, uint64_t services);

/* Whether fc00::/8 is the network CJDNS here. */
bool rpc_uses_cjdns(const struct rpc_call *call);

#endif
