/* Compact block filters: one block's, and the blocks whose filters match given descriptors, some at a time. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/random.h"
#include "index/block_filter.h"
#include "index/index.h"
#include "rpc/chain_call.h"
#include "rpc/scan_scripts.h"
#include "rpc/server.h"
#include "rpc/table.h"

enum { HASH_SLICE = 50000, FILTER_SLICE = 200 }; /* hashes of wanted scripts and filters at a time */

/* The index that argument INDEX names; NULL and the call failed where there is none. */
static struct filter_index *arg_filter_index(struct rpc_call *call, size_t index)
{
    const char *type = rpc_arg_str(call, index, "basic");
    if (rpc_failed(call)) return NULL;
    if (strcmp(type, "basic") != 0)
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Unknown filtertype");
    else if (!call->node->filters)
        rpc_fail(call, RPC_MISC_ERROR, "Index is not enabled for filtertype %s", type);
    return rpc_failed(call) ? NULL : call->node->filters;
}

/* ---- one filter ---- */

static void fail_unfound(struct rpc_call *call, struct filter_index *index, const struct block_node *n)
{
    struct index_info info;
    filter_index_info(index, &info);
    if (!(n->status & BLOCK_CONNECTED))
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Filter not found. Block was not connected to active chain.");
    else if (!info.synced)
        rpc_fail(call, RPC_MISC_ERROR, "Filter not found. Block filters are still in the process of being indexed.");
    else
        rpc_fail(call, RPC_INTERNAL_ERROR,
                 "Filter not found. This error is unexpected and indicates index corruption.");
}

static void getblockfilter(struct rpc_call *call)
{
    struct block_hash hash;
    struct filter_record record;
    struct buffer filter = {0};
    struct error e;
    rpc_arg_hash(call, 0, "blockhash", hash.bytes);
    struct filter_index *index = arg_filter_index(call, 1);
    if (rpc_failed(call)) return;
    const struct block_node *n = chain_find(call->node->chain, &hash);
    if (!n) {
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found");
        return;
    }
    enum result r = filter_index_read(index, n, &filter, &e);
    if (!r) r = filter_index_get(index, n, &record, &e);
    if (!r) {
        jw_object(&call->out);
        jw_kv_hex(&call->out, "filter", buffer_span(&filter));
        jw_kv_hash(&call->out, "header", record.header);
        jw_object_end(&call->out);
    } else {
        fail_unfound(call, index, n);
    }
    buffer_clear(&filter);
}

/* ---- scanblocks ---- */

struct block_scan {
    struct scan_scripts scripts;
    struct span *wanted; /* all scripts, once they are known */
    struct block_node *stop;
    int32_t start, next; /* heights */
    bool verify;         /* read the blocks whose filters match */
    bool aborted;
    struct buffer found; /* elements of "relevant_blocks" */
    struct json_writer out;
};

static void block_scan_free(void *state)
{
    struct block_scan *s = state;
    scan_scripts_clear(&s->scripts);
    free(s->wanted);
    buffer_clear(&s->found);
    free(s);
}

/* Whether the block makes or spends an output with a wanted script. */
static bool block_has_wanted(const struct block_scan *s, const struct block *b, const struct undo *undo)
{
    for (size_t i = 0; i < b->tx_count; i++)
        for (size_t o = 0; o < b->txs[i].out_count; o++)
            if (scan_scripts_find(&s->scripts, b->txs[i].out[o].script_pubkey)) return true;
    for (size_t i = 0; i < undo->count; i++)
        if (scan_scripts_find(&s->scripts, undo->coins[i].script_pubkey)) return true;
    return false;
}

static bool verify_match(struct rpc_call *call, const struct block_scan *s, const struct block_node *n)
{
    struct undo undo = {0};
    struct error e;
    struct block *b = rpc_read_block(call, n);
    if (!b) return false;
    if (n->header.height > 0 && rpc_block_is_here(call, n, BLOCK_HAVE_UNDO) &&
        chain_read_undo(call->node->chain, n, b, &undo, &e) != RESULT_OK)
        rpc_fail(call, RPC_MISC_ERROR, "Can't read undo data from disk");
    bool has = !rpc_failed(call) && block_has_wanted(s, b, &undo);
    undo_clear(&undo);
    block_free(b);
    return has;
}

/* The filter of N: a block that the index has yet to reach matches nothing. */
static void scan_block(struct rpc_call *call, struct block_scan *s, const struct block_node *n, struct buffer *filter)
{
    struct error e = {0};
    bool match = false;
    enum result r = filter_index_read(call->node->filters, n, filter, &e);
    if (r == RESULT_NOT_FOUND) return;
    if (!r && !gcs_match_any(buffer_span(filter), gcs_key_of(&n->header.hash), s->wanted, s->scripts.count, &match))
        r = error_set(&e, RESULT_CORRUPT, "The filter at height %d is malformed", n->header.height);
    if (r)
        rpc_fail_result(call, RPC_INTERNAL_ERROR, r, &e);
    else if (match && (!s->verify || verify_match(call, s, n)))
        jw_hash(&s->out, n->header.hash.bytes);
}

/* True where the last block has been seen or the call failed. */
static bool scan_some(struct rpc_call *call, struct block_scan *s)
{
    struct buffer filter = {0};
    size_t left = HASH_SLICE / (s->scripts.count + 1) + 1;
    if (left > FILTER_SLICE) left = FILTER_SLICE;
    for (; left && s->next <= s->stop->header.height && !rpc_failed(call); left--, s->next++)
        scan_block(call, s, block_node_ancestor(s->stop, s->next), &filter);
    buffer_clear(&filter);
    return rpc_failed(call) || s->next > s->stop->header.height;
}

static int32_t scanned_height(const struct block_scan *s)
{
    return s->next > s->start ? s->next - 1 : s->start;
}

static bool block_scan_wake(struct rpc_call *call, enum rpc_wake why)
{
    struct block_scan *s = call->deferral.state;
    if (why != RPC_WAKE_SLICE) return false;
    if (!s->aborted && !s->wanted) {
        if (!scan_scripts_expand(call, &s->scripts)) return rpc_failed(call);
        if (!rpc_failed(call)) s->wanted = scan_scripts_all(&s->scripts);
    }
    if (rpc_failed(call)) return true;
    if (!s->aborted && !scan_some(call, s)) return false;
    if (rpc_failed(call)) return true;
    struct json_writer *w = &call->out;
    jw_array_end(&s->out);
    jw_object(w);
    jw_kv_int(w, "from_height", s->start);
    jw_kv_int(w, "to_height", scanned_height(s));
    jw_key(w, "relevant_blocks");
    jw_raw(w, buffer_span(&s->found));
    jw_kv_bool(w, "completed", !s->aborted);
    jw_object_end(w);
    return true;
}

static void start_scan(struct rpc_call *call)
{
    const struct chain *c = call->node->chain;
    if (!arg_filter_index(call, 4)) return;
    const json_t *verify = json_object_get(call->args[5], "filter_false_positives");
    int32_t start = rpc_arg_i32(call, 2, 0), stop = rpc_arg_i32(call, 3, chain_height(c));
    bool wants_verify = verify && rpc_value_bool(call, verify);
    if (rpc_failed(call)) return;
    if (!chain_at(c, start)) {
        rpc_fail(call, RPC_MISC_ERROR, "Invalid start_height");
        return;
    }
    if (!chain_at(c, stop) || stop < start) {
        rpc_fail(call, RPC_MISC_ERROR, "Invalid stop_height");
        return;
    }
    struct block_scan *s = mem_calloc(1, sizeof *s);
    *s = (struct block_scan){.stop = chain_at(c, stop), .start = start, .next = start, .verify = wants_verify};
    scan_scripts_init(&s->scripts, random_u64(&call->node->random));
    scan_scripts_want(call, &s->scripts, call->args[1]);
    if (rpc_failed(call)) {
        block_scan_free(s);
        return;
    }
    s->out = json_writer_of(&s->found);
    jw_array(&s->out);
    rpc_defer(call, &(struct rpc_deferral){
                        .wake = block_scan_wake, .free_state = block_scan_free, .state = s, .wants_slices = true});
}

static void put_status(struct rpc_call *call, const struct block_scan *s)
{
    int64_t done = scanned_height(s) - s->start, all = s->stop->header.height - s->start;
    jw_object(&call->out);
    jw_kv_int(&call->out, "progress", all ? done * 100 / all : 0);
    jw_kv_int(&call->out, "current_height", scanned_height(s));
    jw_object_end(&call->out);
}

static void scanblocks(struct rpc_call *call)
{
    struct rpc_call *running = rpc_server_find_deferred(call->server, call->method);
    struct block_scan *s = running ? running->deferral.state : NULL;
    switch (scan_action(call, s ? &s->aborted : NULL)) {
    case SCAN_ANSWERED: break;
    case SCAN_START: start_scan(call); break;
    case SCAN_STATUS:
        if (s) put_status(call, s);
        break;
    }
}

const struct rpc_method rpc_filter_methods[] = {
    {
        .name = "getblockfilter",
        .category = "blockchain",
        .summary = "The compact filter of a block (BIP 158). Needs -blockfilterindex.",
        .args = RPC_ARGS(RPC_ARG("blockhash", RPC_HEX, NULL, "The block's hash; it may have left the chain."),
                         RPC_ARG("filtertype", RPC_STR, "\"basic\"", "The type of the filter.")),
        .result =
            "filter (string, hex)\nheader (string, hex) Commits to this filter and to those of all blocks before.",
        .examples = "\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\" \"basic\"",
        .handler = getblockfilter,
        .needs_node = true,
    },
    {
        .name = "scanblocks",
        .category = "blockchain",
        .summary = "Looks through the compact filters of the chain for blocks that make or spend outputs of "
                   "descriptors.\nNeeds -blockfilterindex. A filter errs once in 784,931 times: then a block is named "
                   "that has nothing of them.\nOnly one search runs at a time.",
        .args = RPC_ARGS(
            RPC_ARG("action", RPC_STR, NULL,
                    "start searches and answers at the end; abort ends the search that runs; status says "
                    "how far it is."),
            RPC_ARG("scanobjects", RPC_ARR, "", "What to look for. Needed to start.",
                    .inner = RPC_ARGS(
                        RPC_ARG("descriptor", RPC_STR, "", "A descriptor."),
                        RPC_ARG("", RPC_OBJ, "", "One with a range.",
                                .inner = RPC_ARGS(RPC_ARG("desc", RPC_STR, NULL, "The descriptor."),
                                                  RPC_ARG("range", RPC_RANGE, "1000", "The children to look at.")))),
                    .usage = "[scanobjects,...]"),
            RPC_ARG("start_height", RPC_NUM, "0", "The first block to look at."),
            RPC_ARG("stop_height", RPC_NUM, "the tip", "The last one."),
            RPC_ARG("filtertype", RPC_STR, "\"basic\"", "The type of the filters."),
            RPC_ARG("options", RPC_OBJ_NAMED, "", "",
                    .inner = RPC_ARGS(RPC_ARG("filter_false_positives", RPC_BOOL, "false",
                                              "Read the blocks whose filters match and name only those that are right; "
                                              "fails where one was pruned.")),
                    .usage = "options")),
        .result = "start: from_height, to_height (numeric), relevant_blocks (json array of hashes), completed "
                  "(boolean) Whether\nit was not aborted.\n"
                  "abort: true|false (boolean) Whether a search was running.\n"
                  "status: null, or progress (numeric, percent), current_height (numeric)",
        .examples = "start '[\"addr(bcrt1q4u4nsgk6ug0sqz7r3rj9tykjxrsl0yy4d0wwte)\"]' 300000\n"
                    "start '[\"addr(bcrt1q4u4nsgk6ug0sqz7r3rj9tykjxrsl0yy4d0wwte)\"]' 100 150 basic\nstatus\nabort",
        .handler = scanblocks,
        .needs_node = true,
    },
    {.name = NULL},
};
