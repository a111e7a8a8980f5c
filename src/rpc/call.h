/* One call of a method: the arguments in, a result or an error out, at once or later.
 *
 * A handler reads its arguments with the rpc_arg_ functions, which fail the call with Core's words where an argument
 * makes no sense and then return zeroes: look at rpc_failed once, after the last of them. It then writes exactly one
 * value to call->out, or calls rpc_fail, or calls rpc_defer. */
#ifndef CAIRN_RPC_CALL_H
#define CAIRN_RPC_CALL_H

#include <jansson.h>

#include "primitives/amount.h"
#include "primitives/hash.h"
#include "rpc/errors.h"
#include "rpc/json_read.h"
#include "rpc/json_writer.h"
#include "rpc/method.h"

struct node;
struct rpc_server;

/* Why a deferred call is looked at. */
enum rpc_wake {
    RPC_WAKE_EVENT,   /* something may have changed: the tip, the pool, ... */
    RPC_WAKE_SLICE,   /* the engine has time: do a bounded piece of work (only where `wants_slices`) */
    RPC_WAKE_TIMEOUT, /* the deadline has passed */
    RPC_WAKE_STOP,    /* the server stops: answer now, or the call fails with "Shutting down" */
};

struct rpc_deferral {
    /* True where the call has its result or has failed now. */
    bool (*wake)(struct rpc_call *call, enum rpc_wake why);
    void (*free_state)(void *state); /* or NULL; called exactly once, after the last wake */
    void *state;
    int64_t deadline_us; /* on the server's clock; 0 is never */
    bool wants_slices;
};

struct rpc_call {
    struct node *node;
    struct rpc_server *server;
    const struct rpc_method *method;
    const char *user;              /* who asks; "" where nobody logged in */
    int64_t now_us;                /* the instant of the request, and of each wake */
    json_t *args[RPC_MAX_ARGS];    /* NULL where omitted or null; good until the call is over */
    size_t arg_count;              /* positions that were given, nulls included */
    bool given_null[RPC_MAX_ARGS]; /* a null was given in so many words */
    const char *duplicate_key;     /* a key that some object of the request names twice, or "" */
    struct json_writer out;
    int error_code; /* 0 while nothing has failed */
    struct buffer error_text;
    bool deferred;
    struct rpc_deferral deferral;
    json_t *params; /* holds the arguments */
};

/* Fails the call; the first failure counts. */
void rpc_fail(struct rpc_call *call, int code, const char *format, ...) PRINTF_LIKE(3, 4);

static inline bool rpc_failed(const struct rpc_call *call)
{
    return call->error_code != 0;
}

/* Answer later: HOW is copied. The server wakes the call until `wake` says that it is done, the first time (an event)
 * right after the handler. */
void rpc_defer(struct rpc_call *call, const struct rpc_deferral *how);

static inline bool rpc_arg_given(const struct rpc_call *call, size_t index)
{
    return call->args[index] != NULL;
}

/* Values of any origin: V may be NULL (then "JSON value of type null is not of expected type ..." where required).
 * Each fails the call and returns 0, false, "" or NULL where V does not fit. */
int64_t rpc_value_i64(struct rpc_call *call, const json_t *v);
int32_t rpc_value_i32(struct rpc_call *call, const json_t *v);
uint32_t rpc_value_u32(struct rpc_call *call, const json_t *v);
double rpc_value_double(struct rpc_call *call, const json_t *v);
bool rpc_value_bool(struct rpc_call *call, const json_t *v);
const char *rpc_value_str(struct rpc_call *call, const json_t *v);

/* Satoshis of a number or string of coins with up to 8 decimals, within the money range (errors of code -3). A number
 * arrives as a double; it is taken as its shortest decimal text (see jw_json), which is exact for every amount. */
amount_sat rpc_value_amount(struct rpc_call *call, const json_t *v);

/* 32 bytes in display order; NAME is for the error texts ("blockhash must be of length 64 (not 3, for 'abc')"). */
void rpc_value_hash(struct rpc_call *call, const json_t *v, const char *name, uint8_t out[32]);

/* Hex of any length (not empty) appended to OUT. */
void rpc_value_hex(struct rpc_call *call, const json_t *v, const char *name, struct buffer *out);

/* The same for arguments, with FALLBACK where the argument was omitted. */
int64_t rpc_arg_i64(struct rpc_call *call, size_t index, int64_t fallback);
int32_t rpc_arg_i32(struct rpc_call *call, size_t index, int32_t fallback);
uint32_t rpc_arg_u32(struct rpc_call *call, size_t index, uint32_t fallback);
bool rpc_arg_bool(struct rpc_call *call, size_t index, bool fallback);
const char *rpc_arg_str(struct rpc_call *call, size_t index, const char *fallback);
amount_sat rpc_arg_amount(struct rpc_call *call, size_t index, amount_sat fallback);
void rpc_arg_hash(struct rpc_call *call, size_t index, const char *name, uint8_t out[32]);

/* An integer verbosity, with true as 1 and false as 0 where ALLOW_BOOL. */
int rpc_arg_verbosity(struct rpc_call *call, size_t index, int fallback, bool allow_bool);

/* [0,end] or [begin,end] of a descriptor, at most a million long (errors of code -8). */
void rpc_value_range(struct rpc_call *call, const json_t *v, int64_t *begin, int64_t *end);

/* Fails the call (code -3) where OBJECT's field NAME is not of TYPE ("string", "bool", ...: see json_type_name), or is
 * missing or null unless MAY_MISS. */
void rpc_check_field(struct rpc_call *call, const json_t *object, const char *name, const char *type, bool may_miss);

/* The first of KEYS' (ended by NULL) strangers in OBJECT fails the call with "Unexpected key K" (code -3). */
void rpc_check_keys(struct rpc_call *call, const json_t *object, const char *const *keys);

/* Binds PARAMS (array, object or NULL) to the arguments of call->method: named arguments to positions, "args", counts,
 * types. Used by the server before the handler. A wrong count fails with the help text. */
void rpc_bind_args(struct rpc_call *call, json_t *params);

/* Frees what the call holds. */
void rpc_call_clear(struct rpc_call *call);

#endif
