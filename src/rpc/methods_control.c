/* Methods about the server itself. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "node/node.h"
#include "rpc/call.h"
#include "rpc/help.h"
#include "rpc/server.h"
#include "rpc/table.h"

static void help(struct rpc_call *call)
{
    const char *command = rpc_arg_str(call, 0, "");
    const struct rpc_method *m = rpc_method_find(command);
    struct buffer text = {0};
    if (strcmp(command, "dump_all_command_conversions") == 0) {
        rpc_help_conversions(&call->out);
        return;
    }
    if (m) {
        rpc_help_method(&text, m);
    } else if (*command) {
        buffer_printf(&text, "help: unknown command: %s", command);
    } else {
        rpc_help_list(&text);
    }
    jw_str_span(&call->out, buffer_span(&text));
    buffer_clear(&text);
}

static bool finish_stop(struct rpc_call *call, enum rpc_wake why)
{
    const struct rpc_host *host = &rpc_server_config(call->server)->host;
    if (why != RPC_WAKE_TIMEOUT && why != RPC_WAKE_STOP) return false;
    if (call->node) node_stop(call->node);
    if (host->request_stop) host->request_stop(host->ctx);
    jw_str(&call->out, "cairn stopping");
    return true;
}

static void stop(struct rpc_call *call)
{
    int64_t wait_ms = rpc_arg_i32(call, 0, 0);
    if (rpc_failed(call)) return;
    if (wait_ms > 0)
        rpc_defer(call, &(struct rpc_deferral){.wake = finish_stop, .deadline_us = call->now_us + wait_ms * 1000});
    else
        finish_stop(call, RPC_WAKE_TIMEOUT);
}

static void uptime(struct rpc_call *call)
{
    jw_int(&call->out, (call->now_us - rpc_server_config(call->server)->start_us) / 1000000);
}

static void getrpcinfo(struct rpc_call *call)
{
    const char *path = rpc_server_config(call->server)->host.log_path;
    jw_object(&call->out);
    jw_key(&call->out, "active_commands");
    rpc_server_write_active(call->server, call->now_us, &call->out);
    jw_kv_str(&call->out, "logpath", path ? path : "");
    jw_object_end(&call->out);
}

static void write_malloc_info(struct rpc_call *call)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (f) {
        malloc_info(0, f);
        fclose(f);
    }
    jw_str_span(&call->out, span_of(text, size));
    free(text);
}

static void getmemoryinfo(struct rpc_call *call)
{
    const char *mode = rpc_arg_str(call, 0, "stats");
    if (strcmp(mode, "mallocinfo") == 0) {
        write_malloc_info(call);
        return;
    }
    if (strcmp(mode, "stats") != 0) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "unknown mode %s", mode);
        return;
    }
    struct mallinfo2 info = mallinfo2();
    jw_object(&call->out);
    jw_kv_object(&call->out, "locked");
    jw_kv_uint(&call->out, "used", info.uordblks);
    jw_kv_uint(&call->out, "free", info.fordblks);
    jw_kv_uint(&call->out, "total", info.uordblks + info.fordblks);
    jw_kv_uint(&call->out, "locked", 0);
    jw_kv_uint(&call->out, "chunks_used", 1 + info.hblks);
    jw_kv_uint(&call->out, "chunks_free", info.ordblks);
    jw_object_end(&call->out);
    jw_object_end(&call->out);
}

/* Sets or clears the categories of the array V. */
static void switch_categories(struct rpc_call *call, struct log *log, const json_t *v, bool on)
{
    for (size_t i = 0; i < json_array_size(v) && !rpc_failed(call); i++) {
        const char *name = rpc_value_str(call, json_array_get(v, i));
        enum log_category category;
        if (rpc_failed(call)) return;
        if (!log_category_parse(name, &category)) {
            rpc_fail(call, RPC_INVALID_PARAMETER, "unknown logging category %s", name);
            return;
        }
        if (category == LOGC_LIBEVENT) {
            log_warning(
                log, "The logging category `%s` is deprecated, does nothing, and will be removed in a future version",
                name);
            continue;
        }
        uint64_t bits = category == LOGC_ALL ? ~UINT64_C(0) : UINT64_C(1) << category;
        uint64_t now = on ? log->debug_categories | bits : log->debug_categories & ~bits;
        __atomic_store_n(&log->debug_categories, now, __ATOMIC_RELAXED); /* other threads look at it */
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void logging(struct rpc_call *call)
{
    const char *names[LOGC_COUNT - 1];
    struct log *log = rpc_server_config(call->server)->host.log;
    struct log none = {0};
    if (!log) log = &none;
    switch_categories(call, log, call->args[0], true);
    switch_categories(call, log, call->args[1], false);
    if (rpc_failed(call)) return;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) names[i] = log_category_name((enum log_category)(LOGC_ALL + 1 + i));
    qsort(names, ARRAY_LEN(names), sizeof *names, by_name);
    jw_object(&call->out);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        enum log_category c;
        if (log_category_parse(names[i], &c) && c != LOGC_LIBEVENT)
            jw_kv_bool(&call->out, names[i], log->debug_categories >> c & 1);
    }
    jw_object_end(&call->out);
}

const struct rpc_method rpc_control_methods[] = {
    {
        .name = "help",
        .category = "control",
        .summary = "Lists all methods, or explains one.",
        .args = RPC_ARGS(RPC_ARG("command", RPC_STR, "all commands", "The method to explain.")),
        .result = "\"text\" (string) The help text.",
        .examples = "\ngetblock",
        .handler = help,
    },
    {
        .name = "stop",
        .category = "control",
        .summary = "Asks the node to shut down in good order.",
        .args = RPC_ARGS(RPC_ARG("wait", RPC_NUM, "", "Milliseconds to wait before the answer.", .flags = RPC_HIDDEN)),
        .result = "\"cairn stopping\" (string)",
        .examples = "",
        .handler = stop,
    },
    {
        .name = "uptime",
        .category = "control",
        .summary = "How long the node has been running.",
        .result = "n (numeric) Seconds.",
        .examples = "",
        .handler = uptime,
    },
    {
        .name = "getrpcinfo",
        .category = "control",
        .summary = "What the RPC server is doing.",
        .result = "active_commands (json array) For each call that runs or waits: method (string), duration "
                  "(numeric, microseconds).\nlogpath (string) The whole path of the log file.",
        .examples = "",
        .handler = getrpcinfo,
    },
    {
        .name = "getmemoryinfo",
        .category = "control",
        .summary = "How the process uses its heap. There is no separate locked memory: the numbers are those of the "
                   "whole heap.",
        .args = RPC_ARGS(RPC_ARG("mode", RPC_STR, "\"stats\"",
                                 "\"stats\" for a few numbers, \"mallocinfo\" for the C library's own XML report.")),
        .result = "locked (json object) used, free, total, locked (numeric, bytes), chunks_used, chunks_free (numeric);"
                  "\nor the XML text (string).",
        .examples = "\nmallocinfo",
        .handler = getmemoryinfo,
    },
    {
        .name = "logging",
        .category = "control",
        .summary = "Shows which categories are written to the debug log, after switching some on and some off.\n"
                   "The valid logging categories are: addrman, bench, blockstorage, cmpctblock, coindb, estimatefee, "
                   "http, i2p, ipc, kernel, leveldb, lock, mempool, mempoolrej, net, privatebroadcast, proxy, "
                   "prune, qt, rand, reindex, rpc, scan, selectcoins, tor, txpackages, txreconciliation, validation, "
                   "walletdb, zmq\n"
                   "\"all\" and \"1\" stand for every category; a category in both lists ends up off.",
        .args = RPC_ARGS(RPC_ARG("include", RPC_ARR, "", "Categories to switch on.",
                                 .inner = RPC_ARGS(RPC_ARG("include_category", RPC_STR, "", "A category."))),
                         RPC_ARG("exclude", RPC_ARR, "", "Categories to switch off.",
                                 .inner = RPC_ARGS(RPC_ARG("exclude_category", RPC_STR, "", "A category.")))),
        .result = "category (boolean) For each category: whether it is written.",
        .examples = "'[\"all\"]' '[\"http\"]'",
        .handler = logging,
    },
    {.name = NULL},
};
