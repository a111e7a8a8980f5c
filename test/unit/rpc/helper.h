/* A server with the built-in methods, and one request at a time as text. */
#ifndef CAIRN_TEST_RPC_HELPER_H
#define CAIRN_TEST_RPC_HELPER_H

#include <jansson.h>

#include "node/node.h"
#include "rpc/server.h"
#include "support/chain_kit.h"

struct rpc_fixture {
    struct rpc_server *server;
    int status;          /* of the last reply; 0 where none has come yet */
    struct buffer reply; /* the last reply */
    unsigned replies;
    bool stop_requested;
    int64_t mock_time_s;
    /* with a node: */
    struct node *node;
    struct memory_fault fault;
    struct chain_ports ports;
    struct kv_store tx_index, coin_stats, filters;
};

/* The fixture must stay where it is. */
void rpc_fixture_open(struct rpc_fixture *f);
/* The same with a node of a new chain on stores in memory; INDEXES: with all indexes, caught up. */
void rpc_fixture_open_node(struct rpc_fixture *f, enum chain_type type, bool indexes);
void rpc_fixture_close(struct rpc_fixture *f);

/* Sends BODY at instant NOW_US and returns the reply's text ("" where there is none yet). */
const char *rpc_ask(struct rpc_fixture *f, int64_t now_us, const char *user, const char *body);

/* Version 2 of METHOD with PARAMS, as {"jsonrpc":"2.0","id":1,...}; returns the reply. */
const char *rpc_ask2(struct rpc_fixture *f, const char *method, const char *params);

/* The result of METHOD as parsed JSON; fails the test where it is an error. Free it. */
json_t *rpc_result(struct rpc_fixture *f, const char *method, const char *params);

/* The error's "code: message". Good until the next request. */
const char *rpc_error(struct rpc_fixture *f, const char *method, const char *params);

#endif
