/* The pool on disk: savemempool, importmempool. */
#include <stdlib.h>

#include "base/alloc.h"
#include "mempool/mempool_file.h"
#include "node/node.h"
#include "rpc/call.h"
#include "rpc/server.h"
#include "rpc/table.h"

enum { SLICE_TXS = 64 };

static void savemempool(struct rpc_call *call)
{
    const struct rpc_host *host = &rpc_server_config(call->server)->host;
    struct buffer path = {0};
    if (!mempool_is_loaded(call->node->mempool)) {
        rpc_fail(call, RPC_MISC_ERROR, "The mempool was not loaded yet");
        return;
    }
    if (host->save_mempool && host->save_mempool(host->ctx, &path)) {
        jw_object(&call->out);
        jw_kv_str(&call->out, "filename", buffer_text(&path));
        jw_object_end(&call->out);
    } else {
        rpc_fail(call, RPC_MISC_ERROR, "Unable to dump mempool to disk");
    }
    buffer_clear(&path);
}

struct import_state {
    struct buffer file;
    struct mempool_file_reader *reader;
};

static void free_import(void *state)
{
    struct import_state *s = state;
    mempool_file_close(s->reader);
    buffer_clear(&s->file);
    free(s);
}

static void fail_import(struct rpc_call *call)
{
    rpc_fail(call, RPC_MISC_ERROR, "Unable to import mempool file, see debug log for details.");
}

static bool import_slice(struct rpc_call *call, enum rpc_wake why)
{
    struct import_state *s = call->deferral.state;
    struct error e;
    bool done;
    if (why != RPC_WAKE_SLICE) return false;
    enum result r = mempool_file_step(s->reader, SLICE_TXS, &done, &e);
    if (r == RESULT_CORRUPT && done) {
        log_info(call->node->log, "Failed to deserialize mempool data on file: %s. Continuing anyway.", e.text);
        fail_import(call);
        return true;
    }
    if (r) {
        node_fatal(call->node, r, &e);
        fail_import(call);
        return true;
    }
    if (!done) return false;
    jw_object(&call->out);
    jw_object_end(&call->out);
    return true;
}

static bool option(struct rpc_call *call, const char *name, bool fallback)
{
    const json_t *v = json_object_get(call->args[1], name);
    return v && !json_is_null(v) ? rpc_value_bool(call, v) : fallback;
}

static void importmempool(struct rpc_call *call)
{
    const struct rpc_host *host = &rpc_server_config(call->server)->host;
    struct error e;
    if (chain_is_initial_download(call->node->chain, node_time_s(call->node))) {
        rpc_fail(call, RPC_CLIENT_IN_INITIAL_DOWNLOAD,
                 "Can only import the mempool after the block download and sync is done.");
        return;
    }
    struct mempool_file_options options = {
        .use_current_time = option(call, "use_current_time", true),
        .apply_deltas = option(call, "apply_fee_delta_priority", false),
        .apply_unbroadcast = option(call, "apply_unbroadcast_set", false),
    };
    const char *path = rpc_arg_str(call, 0, "");
    if (rpc_failed(call)) return;
    struct import_state *s = mem_calloc(1, sizeof(*s));
    if (!host->read_file || !host->read_file(host->ctx, path, &s->file))
        log_info(call->node->log, "Failed to open mempool file. Continuing anyway.");
    else if (!(s->reader = mempool_file_open(call->node->mempool, buffer_span(&s->file), &options, &e)))
        log_info(call->node->log, "Failed to deserialize mempool data on file: %s. Continuing anyway.", e.text);
    if (!s->reader) {
        fail_import(call);
        free_import(s);
        return;
    }
    rpc_defer(call, &(struct rpc_deferral){
                        .wake = import_slice, .free_state = free_import, .state = s, .wants_slices = true});
}

const struct rpc_method rpc_pool_file_methods[] = {
    {
        .name = "savemempool",
        .category = "blockchain",
        .summary = "Writes the memory pool to disk. Fails until the saved one has been read.",
        .result = "filename (string) Where it was written",
        .examples = "",
        .handler = savemempool,
        .needs_node = true,
    },
    {
        .name = "importmempool",
        .category = "blockchain",
        .summary =
            "Reads a file of saved transactions and tries each of them. Take no file of somebody whom you do not "
            "trust.",
        .args = RPC_ARGS(RPC_ARG("filepath", RPC_STR, NULL, "The file."),
                         RPC_ARG("options", RPC_OBJ_NAMED, "", "",
                                 .inner = RPC_ARGS(RPC_ARG("use_current_time", RPC_BOOL, "true",
                                                           "They count as come now, not when the file says."),
                                                   RPC_ARG("apply_fee_delta_priority", RPC_BOOL, "false",
                                                           "Add the fee deltas of the file to those that are there."),
                                                   RPC_ARG("apply_unbroadcast_set", RPC_BOOL, "false",
                                                           "Take over which of them were not broadcast yet.")),
                                 .usage = "options")),
        .result = "{}",
        .examples = "\"/path/to/mempool.dat\"",
        .handler = importmempool,
        .needs_node = true,
    },
    {.name = NULL},
};
