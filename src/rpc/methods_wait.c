/* Methods that wait for blocks. */
#include <stdlib.h>

#include "base/alloc.h"
#include "rpc/chain_call.h"
#include "rpc/table.h"

enum wait_for { WAIT_OTHER_TIP, WAIT_HASH, WAIT_HEIGHT };

struct waiter {
    enum wait_for what;
    struct block_hash hash;
    int32_t height;
};

static bool is_over(const struct waiter *waiter, const struct block_node *tip)
{
    switch (waiter->what) {
    case WAIT_OTHER_TIP: return !block_hash_equal(&tip->header.hash, &waiter->hash);
    case WAIT_HASH: return block_hash_equal(&tip->header.hash, &waiter->hash);
    case WAIT_HEIGHT: return tip->header.height >= waiter->height;
    }
    return true;
}

/* On a timeout or at the end of the server the answer is the tip as it is. */
static bool wake(struct rpc_call *call, enum rpc_wake why)
{
    const struct block_node *tip = chain_tip(call->node->chain);
    if (why == RPC_WAKE_SLICE) return false;
    if (why == RPC_WAKE_EVENT && !is_over(call->deferral.state, tip)) return false;
    jw_object(&call->out);
    jw_kv_hash(&call->out, "hash", tip->header.hash.bytes);
    jw_kv_int(&call->out, "height", tip->header.height);
    jw_object_end(&call->out);
    return true;
}

static void wait_for(struct rpc_call *call, const struct waiter *waiter, size_t timeout_arg)
{
    int64_t timeout_ms = rpc_arg_i32(call, timeout_arg, 0);
    if (timeout_ms < 0) rpc_fail(call, RPC_MISC_ERROR, "Negative timeout");
    if (rpc_failed(call)) return;
    rpc_defer(call, &(struct rpc_deferral){.wake = wake,
                                           .free_state = free,
                                           .state = mem_dup(waiter, sizeof *waiter),
                                           .deadline_us = timeout_ms ? call->now_us + timeout_ms * 1000 : 0});
}

static void waitfornewblock(struct rpc_call *call)
{
    struct waiter waiter = {.what = WAIT_OTHER_TIP, .hash = chain_tip(call->node->chain)->header.hash};
    if (rpc_arg_given(call, 1)) rpc_arg_hash(call, 1, "current_tip", waiter.hash.bytes);
    wait_for(call, &waiter, 0);
}

static void waitforblock(struct rpc_call *call)
{
    struct waiter waiter = {.what = WAIT_HASH};
    rpc_arg_hash(call, 0, "blockhash", waiter.hash.bytes);
    wait_for(call, &waiter, 1);
}

static void waitforblockheight(struct rpc_call *call)
{
    struct waiter waiter = {.what = WAIT_HEIGHT, .height = rpc_arg_i32(call, 0, 0)};
    wait_for(call, &waiter, 1);
}

#define TIMEOUT_ARG RPC_ARG("timeout", RPC_NUM, "0", "Milliseconds to wait; 0: for ever.")
#define TIP_RESULT  "hash (string), height (numeric) The active chain's last block when the waiting ended."

const struct rpc_method rpc_wait_methods[] = {
    {
        .name = "waitfornewblock",
        .category = "blockchain",
        .summary = "Waits until the active chain ends in another block.",
        .args = RPC_ARGS(TIMEOUT_ARG,
                         RPC_ARG("current_tip", RPC_HEX, "", "The block that it shall differ from, instead of now's.")),
        .result = TIP_RESULT,
        .examples = "1000",
        .handler = waitfornewblock,
        .needs_node = true,
    },
    {
        .name = "waitforblock",
        .category = "blockchain",
        .summary = "Waits until the active chain ends in a certain block.",
        .args = RPC_ARGS(RPC_ARG("blockhash", RPC_HEX, NULL, "The block."), TIMEOUT_ARG),
        .result = TIP_RESULT,
        .examples = "\"0000000000079f8ef3d2c688c244eb7a4570b24c9ed7b4a8c619eb02596f8862\" 1000",
        .handler = waitforblock,
        .needs_node = true,
    },
    {
        .name = "waitforblockheight",
        .category = "blockchain",
        .summary = "Waits until the active chain has a height.",
        .args = RPC_ARGS(RPC_ARG("height", RPC_NUM, NULL, "The height."), TIMEOUT_ARG),
        .result = TIP_RESULT,
        .examples = "100 1000",
        .handler = waitforblockheight,
        .needs_node = true,
    },
    {.name = NULL},
};
