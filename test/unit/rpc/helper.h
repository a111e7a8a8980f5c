/* A server with the built-in methods, and one request at a time as text. */
#ifndef CAIRN_TEST_RPC_HELPER_H
#define CAIRN_TEST_RPC_HELPER_H

#include "rpc/server.h"

struct rpc_fixture {
    struct rpc_server *server;
    int status;          /* of the last reply; 0 where none has come yet */
    struct buffer reply; /* the last reply */
    unsigned replies;
    bool stop_requested;
    int64_t mock_time_s;
};

/* The fixture must stay where it is. */
void rpc_fixture_open(struct rpc_fixture *f);
void rpc_fixture_close(struct rpc_fixture *f);

/* Sends BODY at instant NOW_US and returns the reply's text ("" where there is none yet). */
const char *rpc_ask(struct rpc_fixture *f, int64_t now_us, const char *user, const char *body);

/* Version 2 of METHOD with PARAMS, as {"jsonrpc":"2.0","id":1,...}; returns the reply. */
const char *rpc_ask2(struct rpc_fixture *f, const char *method, const char *params);

#endif
