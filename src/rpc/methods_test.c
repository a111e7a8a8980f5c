/* Methods for tests: hidden, mostly for regtest. */
#include <inttypes.h>

#include "node/node.h"
#include "p2p/p2p.h"
#include "rpc/call.h"
#include "rpc/server.h"
#include "rpc/table.h"

static void echo(struct rpc_call *call)
{
    const char *last = json_string_value(call->args[9]);
    if (last && strcmp(last, "trigger_internal_bug") == 0) {
        rpc_fail(call, RPC_MISC_ERROR,
                 "Internal bug detected: request.params[9].get_str() != \"trigger_internal_bug\"");
        return;
    }
    jw_json(&call->out, call->params);
}

/* There is one process: nothing to pass the text through. */
static void echoipc(struct rpc_call *call)
{
    jw_json(&call->out, call->args[0]);
}

static void setmocktime(struct rpc_call *call)
{
    const struct rpc_config *config = rpc_server_config(call->server);
    if (!config->mockable) {
        rpc_fail(call, RPC_MISC_ERROR, "setmocktime is for regression testing (-regtest mode) only");
        return;
    }
    int64_t time_s = rpc_arg_i64(call, 0, 0);
    if (rpc_failed(call)) return;
    if (time_s < 0 || time_s > UINT32_MAX) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Mocktime must be in the range [0, %" PRIu32 "], not %" PRId64 ".",
                 UINT32_MAX, time_s);
        return;
    }
    if (call->node) call->node->mock_time_s = time_s;
    if (config->host.set_mock_time) config->host.set_mock_time(config->host.ctx, time_s);
}

static void mockscheduler(struct rpc_call *call)
{
    const struct rpc_config *config = rpc_server_config(call->server);
    if (!config->mockable) {
        rpc_fail(call, RPC_MISC_ERROR, "mockscheduler is for regression testing (-regtest mode) only");
        return;
    }
    int64_t seconds = rpc_arg_i64(call, 0, 0);
    if (rpc_failed(call)) return;
    if (seconds <= 0 || seconds > 3600) {
        rpc_fail(call, RPC_MISC_ERROR, "delta_time must be between 1 and 3600 seconds (1 hr)");
        return;
    }
    if (call->node && call->node->p2p) p2p_mock_scheduler(call->node->p2p, seconds);
    if (config->host.mock_forward) config->host.mock_forward(config->host.ctx, seconds);
}

/* Everything that a block brings about has happened before its call returns: there is no queue to wait for. */
static void syncwithvalidationinterfacequeue(struct rpc_call *call)
{
    jw_null(&call->out);
}

#define ECHO_ARG(NAME, FLAGS) RPC_ARG(NAME, RPC_STR, "", "", .flags = (FLAGS))
#define ECHO_ARGS(FLAGS)                                                                                               \
    RPC_ARGS(ECHO_ARG("arg0", FLAGS), ECHO_ARG("arg1", FLAGS), ECHO_ARG("arg2", FLAGS), ECHO_ARG("arg3", FLAGS),       \
             ECHO_ARG("arg4", FLAGS), ECHO_ARG("arg5", FLAGS), ECHO_ARG("arg6", FLAGS), ECHO_ARG("arg7", FLAGS),       \
             ECHO_ARG("arg8", FLAGS), ECHO_ARG("arg9", FLAGS))

const struct rpc_method rpc_test_methods[] = {
    {
        .name = "echo",
        .category = "hidden",
        .summary = "Gives the arguments back. The command line passes them as strings.",
        .args = ECHO_ARGS(RPC_ANY_TYPE),
        .result = "The arguments as an array.",
        .handler = echo,
    },
    {
        .name = "echojson",
        .category = "hidden",
        .summary = "Gives the arguments back. The command line parses them as JSON.",
        .args = ECHO_ARGS(RPC_ANY_TYPE | RPC_CLI_JSON),
        .result = "The arguments as an array.",
        .handler = echo,
    },
    {
        .name = "echoipc",
        .category = "hidden",
        .summary = "Gives the argument back.",
        .args = RPC_ARGS(RPC_ARG("arg", RPC_STR, NULL, "A text.")),
        .result = "\"text\" (string)",
        .handler = echoipc,
    },
    {
        .name = "setmocktime",
        .category = "hidden",
        .summary = "Sets the node's clock, on regtest.",
        .args = RPC_ARGS(RPC_ARG("timestamp", RPC_NUM, NULL, "Seconds since 1970; 0 goes back to the system's time.")),
        .result = "",
        .handler = setmocktime,
    },
    {
        .name = "mockscheduler",
        .category = "hidden",
        .summary = "Moves all timers forward, on regtest.",
        .args = RPC_ARGS(RPC_ARG("delta_time", RPC_NUM, NULL, "Seconds, 1 to 3600.")),
        .result = "",
        .handler = mockscheduler,
    },
    {
        .name = "syncwithvalidationinterfacequeue",
        .category = "hidden",
        .summary = "Returns when everything that blocks and transactions bring about has been done.",
        .result = "",
        .examples = "",
        .handler = syncwithvalidationinterfacequeue,
    },
    {.name = NULL},
};
