/* Methods about the chain as a whole: where it stands, its tips, its deployments, its pace. */
#include <stdlib.h>

#include "base/alloc.h"
#include "chain/chain_prune.h"
#include "consensus/pow.h"
#include "consensus/versionbits.h"
#include "rpc/chain_call.h"
#include "rpc/server.h"
#include "rpc/table.h"
#include "script/verify.h"

static void getdifficulty(struct rpc_call *call)
{
    jw_double(&call->out, pow_difficulty(chain_tip(call->node->chain)->header.bits));
}

static int32_t header_height(const struct chain *c)
{
    return c->tree.best_header ? c->tree.best_header->header.height : -1;
}

static void put_pruning(struct json_writer *w, const struct chain *c)
{
    jw_kv_bool(w, "pruned", chain_is_pruned(c));
    if (!chain_is_pruned(c)) return;
    jw_kv_int(w, "pruneheight", chain_prune_height(c) + 1);
    jw_kv_bool(w, "automatic_pruning", !chain_prunes_manually(c));
    if (!chain_prunes_manually(c)) jw_kv_uint(w, "prune_target_size", c->options.prune_target);
}

static void getblockchaininfo(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    struct chain *c = call->node->chain;
    const struct block_node *tip = chain_tip(c);
    int64_t now_s = node_time_s(call->node);
    jw_object(w);
    jw_kv_str(w, "chain", c->params.name);
    jw_kv_int(w, "blocks", tip->header.height);
    jw_kv_int(w, "headers", header_height(c));
    jw_kv_hash(w, "bestblockhash", tip->header.hash.bytes);
    rpc_put_bits(w, tip->header.bits, false);
    jw_kv_uint(w, "time", tip->header.time);
    jw_kv_int(w, "mediantime", header_median_time(&tip->header));
    jw_kv_double(w, "verificationprogress", chain_progress(c, tip, now_s));
    jw_kv_bool(w, "initialblockdownload", chain_is_initial_download(c, now_s));
    rpc_put_u256(w, "chainwork", tip->header.chainwork);
    jw_kv_uint(w, "size_on_disk", chain_disk_bytes(c));
    put_pruning(w, c);
    if (c->params.signet) jw_kv_hex(w, "signet_challenge", c->params.signet_challenge);
    rpc_put_warnings(call);
    jw_object_end(w);
}

static void getchainstates(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    struct chain *c = call->node->chain;
    const struct block_node *tip = chain_tip(c);
    jw_object(w);
    jw_kv_int(w, "headers", header_height(c));
    jw_kv_array(w, "chainstates");
    jw_object(w);
    jw_kv_int(w, "blocks", tip->header.height);
    jw_kv_hash(w, "bestblockhash", tip->header.hash.bytes);
    rpc_put_bits(w, tip->header.bits, false);
    jw_kv_double(w, "verificationprogress", chain_progress(c, tip, node_time_s(call->node)));
    jw_kv_uint(w, "coins_db_cache_bytes", 0);
    jw_kv_uint(w, "coins_tip_cache_bytes", c->options.cache_bytes);
    jw_kv_bool(w, "validated", true);
    jw_object_end(w);
    jw_array_end(w);
    jw_object_end(w);
}

/* ---- tips ---- */

static const char *tip_status(const struct chain *c, const struct block_node *n)
{
    if (chain_contains(c, n)) return "active";
    if (n->status & BLOCK_ANY_FAILURE) return "invalid";
    if (n->chain_tx_count == 0) return "headers-only";
    return n->status & BLOCK_CONNECTED ? "valid-fork" : "valid-headers";
}

/* Highest first; among equals by hash, so that the order is the same each time. */
static int by_height(const void *a, const void *b)
{
    const struct block_node *x = *(const struct block_node *const *)a, *y = *(const struct block_node *const *)b;
    if (x->header.height != y->header.height) return x->header.height > y->header.height ? -1 : 1;
    return memcmp(x->header.hash.bytes, y->header.hash.bytes, 32);
}

static void put_tip(struct json_writer *w, const struct chain *c, const struct block_node *n)
{
    const struct header_node *fork = header_fork(&n->header, &chain_tip(c)->header);
    jw_object(w);
    jw_kv_int(w, "height", n->header.height);
    jw_kv_hash(w, "hash", n->header.hash.bytes);
    jw_kv_int(w, "branchlen", n->header.height - (fork ? fork->height : 0));
    jw_kv_str(w, "status", tip_status(c, n));
    jw_object_end(w);
}

/* Children of a block outside the active chain are outside it too: such a block is a tip where it has none. */
static void getchaintips(struct rpc_call *call)
{
    struct chain *c = call->node->chain;
    struct block_node **tips = NULL;
    size_t count = 0, cap = 0;
    for (size_t i = 0; i < c->tree.count; i++) {
        struct block_node *n = c->tree.nodes[i];
        bool is_tip = chain_contains(c, n) ? n == chain_tip(c) : n->child == NULL;
        if (!is_tip) continue;
        tips = mem_grow(tips, &cap, count + 1, sizeof *tips);
        tips[count++] = n;
    }
    qsort(tips, count, sizeof *tips, by_height);
    jw_array(&call->out);
    for (size_t i = 0; i < count; i++) put_tip(&call->out, c, tips[i]);
    jw_array_end(&call->out);
    free(tips);
}

/* ---- transactions by time ---- */

static void getchaintxstats(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    struct chain *c = call->node->chain;
    const struct block_node *last = chain_tip(c);
    int32_t window = (int32_t)(30 * 24 * 3600 / c->params.target_spacing_s);
    if (rpc_arg_given(call, 1)) {
        last = rpc_arg_block(call, 1, "blockhash");
        if (last && !chain_contains(c, last)) rpc_fail(call, RPC_INVALID_PARAMETER, "Block is not in main chain");
    }
    if (rpc_failed(call)) return;
    int32_t height = last->header.height;
    if (window > height - 1) window = height > 0 ? height - 1 : 0;
    if (rpc_arg_given(call, 0)) {
        window = rpc_arg_i32(call, 0, 0);
        if (window < 0 || (window > 0 && window >= height))
            rpc_fail(call, RPC_INVALID_PARAMETER,
                     "Invalid block count: should be between 0 and the block's height - 1");
    }
    if (rpc_failed(call)) return;
    const struct block_node *first = block_node_ancestor(last, height - window);
    int64_t interval_s = header_median_time(&last->header) - header_median_time(&first->header);
    jw_object(w);
    jw_kv_uint(w, "time", last->header.time);
    if (last->chain_tx_count) jw_kv_uint(w, "txcount", last->chain_tx_count);
    jw_kv_hash(w, "window_final_block_hash", last->header.hash.bytes);
    jw_kv_int(w, "window_final_block_height", height);
    jw_kv_int(w, "window_block_count", window);
    if (window > 0) {
        uint64_t txs = last->chain_tx_count - first->chain_tx_count;
        bool known = last->chain_tx_count && first->chain_tx_count;
        jw_kv_int(w, "window_interval", interval_s);
        if (known) jw_kv_uint(w, "window_tx_count", txs);
        if (known && interval_s > 0) jw_kv_double(w, "txrate", (double)txs / (double)interval_s);
    }
    jw_object_end(w);
}

/* ---- deployments ---- */

/* Flags that a block may be checked with, in the order of their names. */
static const struct {
    const char *name;
    unsigned flag;
} flag_names[] = {
    {"CHECKLOCKTIMEVERIFY", SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY},
    {"CHECKSEQUENCEVERIFY", SCRIPT_VERIFY_CHECKSEQUENCEVERIFY},
    {"DERSIG", SCRIPT_VERIFY_DERSIG},
    {"NULLDUMMY", SCRIPT_VERIFY_NULLDUMMY},
    {"P2SH", SCRIPT_VERIFY_P2SH},
    {"TAPROOT", SCRIPT_VERIFY_TAPROOT},
    {"WITNESS", SCRIPT_VERIFY_WITNESS},
};

static void put_buried(struct json_writer *w, const struct chain_params *p, enum buried_deployment d, int32_t height)
{
    if (p->buried[d] == INT32_MAX) return; /* never */
    jw_kv_object(w, buried_deployment_name(d));
    jw_kv_str(w, "type", "buried");
    jw_kv_bool(w, "active", buried_active(p, d, height + 1));
    jw_kv_int(w, "height", p->buried[d]);
    jw_object_end(w);
}

static void put_statistics(struct json_writer *w, const struct bip9_params *d, const struct header_node *n,
                           bool locked_in)
{
    struct bip9_statistics s;
    char *signals = mem_calloc(d->period + 1, 1);
    bip9_statistics(&s, d, n, signals);
    jw_kv_object(w, "statistics");
    jw_kv_uint(w, "period", s.period);
    jw_kv_uint(w, "elapsed", s.elapsed);
    jw_kv_uint(w, "count", s.count);
    if (!locked_in) {
        jw_kv_uint(w, "threshold", s.threshold);
        jw_kv_bool(w, "possible", s.possible);
    }
    jw_object_end(w);
    jw_key(w, "signalling");
    jw_str_span(w, span_of(signals, s.elapsed));
    free(signals);
}

static void put_bip9(struct json_writer *w, const struct bip9_params *d, const struct header_node *n)
{
    if (d->start_time_s == DEPLOYMENT_NEVER_ACTIVE) return;
    enum bip9_state now = bip9_state_after(d, n->prev), next = bip9_state_after(d, n);
    bool counting = now == BIP9_STARTED || now == BIP9_LOCKED_IN;
    bool known = now == BIP9_ACTIVE || next == BIP9_ACTIVE;
    int32_t active_since = now == BIP9_ACTIVE ? bip9_state_since(d, n->prev) : n->height + 1;
    jw_kv_object(w, d->name);
    jw_kv_str(w, "type", "bip9");
    if (known) jw_kv_int(w, "height", active_since);
    jw_kv_bool(w, "active", known);
    jw_kv_object(w, "bip9");
    if (counting) jw_kv_int(w, "bit", d->bit);
    jw_kv_int(w, "start_time", d->start_time_s);
    jw_kv_int(w, "timeout", d->timeout_s);
    jw_kv_int(w, "min_activation_height", d->min_activation_height);
    jw_kv_str(w, "status", bip9_state_name(now));
    jw_kv_int(w, "since", bip9_state_since(d, n->prev));
    jw_kv_str(w, "status_next", bip9_state_name(next));
    if (counting) put_statistics(w, d, n, now == BIP9_LOCKED_IN);
    jw_object_end(w);
    jw_object_end(w);
}

static void getdeploymentinfo(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    const struct chain_params *p = &call->node->chain->params;
    const struct block_node *n = chain_tip(call->node->chain);
    if (rpc_arg_given(call, 0)) n = rpc_arg_block(call, 0, "blockhash");
    if (rpc_failed(call)) return;
    unsigned flags = block_script_flags(n->header.height, &n->header.hash, p);
    jw_object(w);
    jw_kv_hash(w, "hash", n->header.hash.bytes);
    jw_kv_int(w, "height", n->header.height);
    jw_kv_array(w, "script_flags");
    for (size_t i = 0; i < ARRAY_LEN(flag_names); i++) {
        if (flags & flag_names[i].flag) jw_str(w, flag_names[i].name);
    }
    jw_array_end(w);
    jw_kv_object(w, "deployments");
    for (enum buried_deployment d = 0; d < BURIED_COUNT; d++) put_buried(w, p, d, n->header.height);
    for (enum bit_deployment d = 0; d < DEPLOYMENT_COUNT; d++) put_bip9(w, &p->deployments[d], &n->header);
    jw_object_end(w);
    jw_object_end(w);
}

/* ---- choices of the user ---- */

typedef enum result change(struct node *n, struct block_node *b, struct error *e);

static void change_block(struct rpc_call *call, change *apply)
{
    struct block_node *b = rpc_arg_block(call, 0, "blockhash");
    struct error e = {0};
    if (!b) return;
    enum result r = apply(call->node, b, &e);
    if (r != RESULT_OK) rpc_fail_result(call, RPC_DATABASE_ERROR, r, &e);
}

static enum result invalidate(struct node *n, struct block_node *b, struct error *e)
{
    return b->header.height == 0 ? RESULT_OK : node_invalidate(n, b, e); /* genesis stays */
}

static void invalidateblock(struct rpc_call *call)
{
    change_block(call, invalidate);
}

static void reconsiderblock(struct rpc_call *call)
{
    change_block(call, node_reconsider);
}

static void preciousblock(struct rpc_call *call)
{
    change_block(call, node_precious);
}

static void pruneblockchain(struct rpc_call *call)
{
    enum { TIMESTAMP_WINDOW_S = 2 * 60 * 60, FIRST_TIME = 1000000000 };
    struct chain *c = call->node->chain;
    struct error e;
    if (!chain_is_pruned(c)) {
        rpc_fail(call, RPC_MISC_ERROR, "Cannot prune blocks because node is not in prune mode.");
        return;
    }
    int32_t height = rpc_arg_i32(call, 0, 0);
    if (!rpc_failed(call) && height < 0) rpc_fail(call, RPC_INVALID_PARAMETER, "Negative block height.");
    if (rpc_failed(call)) return;
    if (height > FIRST_TIME) { /* no height yet: a time */
        const struct block_node *n = chain_first_since(c, (int64_t)height - TIMESTAMP_WINDOW_S);
        if (!n) {
            rpc_fail(call, RPC_INVALID_PARAMETER, "Could not find block with at least the specified timestamp.");
            return;
        }
        height = n->header.height;
    }
    if ((uint64_t)chain_height(c) < c->params.prune_after_height)
        rpc_fail(call, RPC_MISC_ERROR, "Blockchain is too short for pruning.");
    else if (height > chain_height(c))
        rpc_fail(call, RPC_INVALID_PARAMETER, "Blockchain is shorter than the attempted prune height.");
    else if (node_prune(call->node, height, &e))
        rpc_fail(call, RPC_MISC_ERROR, "%s", e.text);
    else
        jw_int(&call->out, chain_prune_height(c));
}

#define BLOCKHASH_ARG RPC_ARGS(RPC_ARG("blockhash", RPC_HEX, NULL, "The block's hash."))

const struct rpc_method rpc_chain_methods[] = {
    {
        .name = "getdifficulty",
        .category = "blockchain",
        .summary = "The difficulty of the last block, in multiples of the lowest.",
        .result = "n (numeric)",
        .examples = "",
        .handler = getdifficulty,
        .needs_node = true,
    },
    {
        .name = "getblockchaininfo",
        .category = "blockchain",
        .summary = "Where the chain stands.",
        .result = "chain (string) main, test, testnet4, signet or regtest.\nblocks (numeric) Height of the active "
                  "chain.\nheaders (numeric) Height of the best header.\nbestblockhash, bits, target (string)\n"
                  "difficulty, time, mediantime (numeric)\nverificationprogress (numeric) 0 to 1, a guess.\n"
                  "initialblockdownload (boolean)\nchainwork (string)\nsize_on_disk (numeric, bytes)\npruned "
                  "(boolean) Old blocks are deleted.\npruneheight (numeric, if so) The lowest height from which on all "
                  "blocks are here.\nautomatic_pruning (boolean, if so)\nprune_target_size (numeric, bytes, if "
                  "automatic)\nsignet_challenge (string, signet only)\nwarnings (json array)",
        .examples = "",
        .handler = getblockchaininfo,
        .needs_node = true,
    },
    {
        .name = "getchainstates",
        .category = "blockchain",
        .summary = "The states of coins that the node works on; here always one.",
        .result = "headers (numeric)\nchainstates (json array) blocks, bestblockhash, bits, target, difficulty, "
                  "verificationprogress, coins_db_cache_bytes, coins_tip_cache_bytes, validated",
        .examples = "",
        .handler = getchainstates,
        .needs_node = true,
    },
    {
        .name = "getchaintips",
        .category = "blockchain",
        .summary = "All ends of the block tree: the active chain's and those of its branches.",
        .result = "For each: height (numeric), hash (string), branchlen (numeric, blocks outside the active chain), "
                  "status (string):\n\"active\"\n\"valid-fork\" was checked in full once\n\"valid-headers\" all blocks "
                  "are here, not checked\n\"headers-only\" some blocks are missing\n\"invalid\" some block breaks a "
                  "rule",
        .examples = "",
        .handler = getchaintips,
        .needs_node = true,
    },
    {
        .name = "getchaintxstats",
        .category = "blockchain",
        .summary = "How many transactions there were, and how fast they came in a window of blocks.",
        .args = RPC_ARGS(RPC_ARG("nblocks", RPC_NUM, "one month", "Length of the window in blocks."),
                         RPC_ARG("blockhash", RPC_HEX, "chain tip", "The block that ends the window.")),
        .result = "time, txcount (numeric)\nwindow_final_block_hash (string)\nwindow_final_block_height, "
                  "window_block_count, window_interval (seconds), window_tx_count, txrate (per second) (numeric)",
        .examples = "\n2016",
        .handler = getchaintxstats,
        .needs_node = true,
    },
    {
        .name = "getdeploymentinfo",
        .category = "blockchain",
        .summary = "Which changes of the rules hold after a block.",
        .args = RPC_ARGS(RPC_ARG("blockhash", RPC_HEX, "the tip", "The block.")),
        .result = "hash (string), height (numeric)\nscript_flags (json array) Script rules that the block itself was "
                  "checked with.\ndeployments (json object) By name: type (\"buried\" or \"bip9\"), active, height, "
                  "bip9 (bit, start_time, timeout, min_activation_height, status, since, status_next, statistics, "
                  "signalling)",
        .examples = "",
        .handler = getdeploymentinfo,
        .needs_node = true,
    },
    {
        .name = "invalidateblock",
        .category = "hidden",
        .summary = "Treats a block as if it broke a rule, until reconsiderblock.",
        .args = BLOCKHASH_ARG,
        .result = "",
        .handler = invalidateblock,
        .needs_node = true,
    },
    {
        .name = "reconsiderblock",
        .category = "hidden",
        .summary = "Forgets that a block, its ancestors or its descendants were invalid.",
        .args = BLOCKHASH_ARG,
        .result = "",
        .handler = reconsiderblock,
        .needs_node = true,
    },
    {
        .name = "pruneblockchain",
        .category = "blockchain",
        .summary = "Deletes the block files whose blocks are all old enough. Needs -prune. The last 288 blocks stay.",
        .args = RPC_ARGS(RPC_ARG("height", RPC_NUM, NULL,
                                 "Up to which height; or a time in seconds since 1970: blocks that are two hours older "
                                 "than it.")),
        .result = "n (numeric) Height of the highest block that is gone; -1 where none is.",
        .examples = "1000",
        .handler = pruneblockchain,
        .needs_node = true,
    },
    {
        .name = "preciousblock",
        .category = "blockchain",
        .summary = "Prefers a block among those of equal work, until the next such call or a restart.",
        .args = BLOCKHASH_ARG,
        .result = "",
        .examples = "\"blockhash\"",
        .handler = preciousblock,
        .needs_node = true,
    },
    {.name = NULL},
};
