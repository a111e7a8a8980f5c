/* Fee estimates: estimatesmartfee, estimaterawfee. */
#include <math.h>
#include <strings.h>

#include "mempool/fee_estimator.h"
#include "mempool/mempool.h"
#include "node/node.h"
#include "rpc/call.h"
#include "rpc/table.h"

enum estimator { ESTIMATOR_BEST, ESTIMATOR_HISTORY, ESTIMATOR_POOL };

static const char history_name[] = "block_policy", pool_name[] = "mempool_policy";

/* Satoshis per virtual bytes, or why there is no answer. */
struct answer {
    struct fee_frac rate;
    unsigned blocks;
    enum estimator by;
    char problem[160];
};

static struct fee_estimator *estimator_of(struct rpc_call *call)
{
    struct fee_estimator *f = call->node->fees;
    if (!f) rpc_fail(call, RPC_INTERNAL_ERROR, "Fee estimation disabled");
    return f;
}

static unsigned confirm_target(struct rpc_call *call, const struct fee_estimator *f)
{
    unsigned most = fee_estimator_max_target(f, FEE_LONG);
    int32_t target = rpc_arg_i32(call, 0, 0);
    if (rpc_failed(call)) return 0;
    if (target >= 1 && (unsigned)target <= most) return (unsigned)target;
    rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid conf_target, must be between 1 and %u", most);
    return 0;
}

static bool conservative_mode(struct rpc_call *call)
{
    static const char *const names[] = {"unset", "economical", "conservative"};
    const char *mode = rpc_arg_str(call, 1, "economical");
    if (rpc_failed(call)) return false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcasecmp(mode, names[i]) == 0) return i == 2;
    rpc_fail(call, RPC_INVALID_PARAMETER,
             "Invalid estimate_mode parameter, must be one of: \"unset\", \"economical\", \"conservative\"");
    return false;
}

static enum estimator which_estimator(struct rpc_call *call, const json_t *options, int *verbosity)
{
    static const char *const keys[] = {"fee_rate_estimator", "verbosity", NULL};
    *verbosity = 1;
    if (!options) return ESTIMATOR_BEST;
    rpc_check_field(call, options, "fee_rate_estimator", "string", true);
    rpc_check_field(call, options, "verbosity", "number", true);
    rpc_check_keys(call, options, keys);
    if (rpc_failed(call)) return ESTIMATOR_BEST;
    const json_t *level = json_object_get(options, "verbosity");
    if (json_is_number(level)) *verbosity = rpc_value_i32(call, level);
    const char *name = json_string_value(json_object_get(options, "fee_rate_estimator"));
    if (name && strcasecmp(name, history_name) == 0) return ESTIMATOR_HISTORY;
    return name && strcasecmp(name, pool_name) == 0 ? ESTIMATOR_POOL : ESTIMATOR_BEST;
}

static struct answer ask_history(const struct fee_estimator *f, unsigned target, bool conservative)
{
    struct answer a = {.by = ESTIMATOR_HISTORY};
    a.rate = (struct fee_frac){fee_estimator_smart(f, target, conservative, &a.blocks).sat_per_kvb, 1000};
    if (!a.rate.fee) snprintf(a.problem, sizeof(a.problem), "Insufficient data or no feerate found");
    return a;
}

static struct fee_frac floor_rate(struct mempool *m)
{
    struct fee_rate relay = mempool_options_of(m)->min_relay, pool = mempool_min_fee(m);
    return (struct fee_frac){relay.sat_per_kvb > pool.sat_per_kvb ? relay.sat_per_kvb : pool.sat_per_kvb, 1000};
}

static struct answer ask_pool(struct fee_estimator *f, struct mempool *m, bool conservative)
{
    struct answer a = {.by = ESTIMATOR_POOL, .blocks = FEE_COVERAGE_TARGET};
    const char *problem = fee_coverage_problem(fee_estimator_coverage(f));
    if (!mempool_is_loaded(m)) problem = "Mempool not loaded yet, no fee rate estimate available";
    if (problem) {
        snprintf(a.problem, sizeof(a.problem), "%s: %s", pool_name, problem);
        return a;
    }
    struct fee_frac half, most;
    fee_coverage_rates(m, floor_rate(m), &half, &most);
    a.rate = conservative ? half : most;
    return a;
}

/* The lower of both, where both know. */
static struct answer ask_both(struct fee_estimator *f, struct mempool *m, unsigned target, bool conservative)
{
    struct answer history = ask_history(f, target, conservative);
    if (history.problem[0]) return history;
    struct answer pool = ask_pool(f, m, conservative);
    return pool.problem[0] || fee_frac_cmp(pool.rate, history.rate) < 0 ? pool : history;
}

static void put_coverage(struct json_writer *w, const struct fee_coverage *c)
{
    jw_kv_array(w, "mempool_health_statistics");
    for (size_t i = c->count; i-- > 0;) {
        jw_object(w);
        jw_kv_uint(w, "block_height", c->blocks[i].height);
        jw_kv_uint(w, "block_weight", c->blocks[i].total_wu);
        jw_kv_uint(w, "mempool_txs_weight", c->blocks[i].known_wu);
        jw_object_end(w);
    }
    jw_array_end(w);
}

/* Never below what this node takes. */
static amount_sat per_kvb(struct fee_frac rate, struct fee_frac floor)
{
    amount_sat sat = (amount_sat)((__int128)rate.fee * 1000 / rate.size);
    return sat > floor.fee ? sat : floor.fee;
}

static void put_errors(struct json_writer *w, const char *text)
{
    jw_kv_array(w, "errors");
    jw_str(w, text);
    jw_array_end(w);
}

static void estimatesmartfee(struct rpc_call *call)
{
    int verbosity;
    struct answer a = {.blocks = 0};
    struct mempool *m = call->node->mempool;
    struct fee_estimator *f = estimator_of(call);
    if (!f) return;
    unsigned target = confirm_target(call, f);
    bool conservative = conservative_mode(call);
    enum estimator which = which_estimator(call, call->args[2], &verbosity);
    if (rpc_failed(call)) return;
    switch (which) {
    case ESTIMATOR_BEST: a = ask_both(f, m, target, conservative); break;
    case ESTIMATOR_HISTORY: a = ask_history(f, target, conservative); break;
    case ESTIMATOR_POOL: a = ask_pool(f, m, conservative); break;
    }
    struct json_writer *w = &call->out;
    jw_object(w);
    if (a.problem[0])
        put_errors(w, a.problem);
    else
        jw_kv_amount(w, "feerate", per_kvb(a.rate, floor_rate(m)));
    if (!a.problem[0] && which == ESTIMATOR_BEST)
        jw_kv_str(w, "estimator", a.by == ESTIMATOR_POOL ? pool_name : history_name);
    jw_kv_uint(w, "blocks", a.blocks);
    if (verbosity >= 2) put_coverage(w, fee_estimator_coverage(f));
    jw_object_end(w);
}

/* ---- estimaterawfee ---- */

static double cents(double v)
{
    return round(v * 100) / 100;
}

static void put_range(struct json_writer *w, const char *key, const struct fee_range *r)
{
    jw_kv_object(w, key);
    jw_kv_double(w, "startrange", round(r->start));
    jw_kv_double(w, "endrange", round(r->end));
    jw_kv_double(w, "withintarget", cents(r->within_target));
    jw_kv_double(w, "totalconfirmed", cents(r->total_confirmed));
    jw_kv_double(w, "inmempool", cents(r->in_mempool));
    jw_kv_double(w, "leftmempool", cents(r->left_mempool));
    jw_object_end(w);
}

static void put_horizon(struct json_writer *w, const char *name, const struct fee_raw *raw)
{
    bool found = raw->rate.sat_per_kvb != 0;
    jw_kv_object(w, name);
    if (found) jw_kv_amount(w, "feerate", raw->rate.sat_per_kvb);
    jw_kv_double(w, "decay", raw->decay);
    jw_kv_uint(w, "scale", raw->scale);
    if (found) put_range(w, "pass", &raw->pass);
    if (!found || raw->fail.start >= 0) put_range(w, "fail", &raw->fail);
    if (!found) put_errors(w, "Insufficient data or no feerate found which meets threshold");
    jw_object_end(w);
}

static void estimaterawfee(struct rpc_call *call)
{
    static const char *const names[FEE_HORIZONS] = {"short", "medium", "long"};
    struct fee_estimator *f = estimator_of(call);
    if (!f) return;
    unsigned target = confirm_target(call, f);
    double threshold = rpc_arg_given(call, 1) ? rpc_value_double(call, call->args[1]) : 0.95;
    if (rpc_failed(call)) return;
    if (!(threshold >= 0 && threshold <= 1)) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid threshold");
        return;
    }
    jw_object(&call->out);
    for (int h = 0; h < FEE_HORIZONS; h++) {
        if (target > fee_estimator_max_target(f, (enum fee_horizon)h)) continue;
        struct fee_raw raw = fee_estimator_raw(f, target, threshold, (enum fee_horizon)h);
        put_horizon(&call->out, names[h], &raw);
    }
    jw_object_end(&call->out);
}

const struct rpc_method rpc_fee_methods[] = {
    {
        .name = "estimatesmartfee",
        .category = "util",
        .summary = "The fee rate with which a transaction is likely mined within so many blocks.\nRates are per 1000 "
                   "virtual bytes (BIP 141).",
        .args = RPC_ARGS(
            RPC_ARG("conf_target", RPC_NUM, NULL, "Blocks that it may take (1 to 1008)."),
            RPC_ARG("estimate_mode", RPC_STR, "\"economical\"",
                    "economical follows a falling market at once; conservative looks back for longer; unset is "
                    "economical."),
            RPC_ARG("options", RPC_OBJ, "", "",
                    .inner = RPC_ARGS(
                        RPC_ARG("fee_rate_estimator", RPC_STR, "\"none\"",
                                "block_policy asks the history of the last blocks, mempool_policy asks what the next "
                                "block would hold; none gives the lower of both, and the error of the latter where it "
                                "has one."),
                        RPC_ARG("verbosity", RPC_NUM, "1", "2 adds what the pool knew of the last blocks.")))),
        .result = "feerate (numeric, optional) BTC per 1000 virtual bytes\n"
                  "estimator (string, optional) Which one it comes from\n"
                  "errors (json array, optional) Why there is none\n"
                  "blocks (numeric) For how many blocks it holds\n"
                  "mempool_health_statistics (json array, optional) Of the last blocks: block_height, block_weight "
                  "(without\nthe coinbase), mempool_txs_weight (of what the pool had known)",
        .examples = "6",
        .handler = estimatesmartfee,
        .needs_node = true,
    },
    {
        .name = "estimaterawfee",
        .category = "hidden",
        .summary = "What the fee estimator counted, and what follows from it. May change with the way it counts.",
        .args = RPC_ARGS(RPC_ARG("conf_target", RPC_NUM, NULL, "Blocks that it may take (1 to 1008)."),
                         RPC_ARG("threshold", RPC_NUM, "0.95",
                                 "Part of the transactions of a range of rates that must have been mined in time.")),
        .result =
            "short, medium, long (json object, optional): feerate (numeric, optional), decay (numeric, per block),\n"
            "scale (numeric, blocks), pass and fail (json object, optional): startrange, endrange, withintarget,\n"
            "totalconfirmed, inmempool, leftmempool (numeric); errors (json array, optional)",
        .examples = "6 0.9",
        .handler = estimaterawfee,
        .needs_node = true,
    },
    {.name = NULL},
};
