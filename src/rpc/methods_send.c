/* Methods that bring transactions into the pool, or ask whether it would take them. */
#include "base/alloc.h"
#include "node/submit_tx.h"
#include "rpc/chain_call.h"
#include "rpc/mempool_json.h"
#include "rpc/raw_tx.h"
#include "rpc/send_args.h"
#include "rpc/table.h"
#include "script/script.h"

#define MAX_FEE_RATE_DEFAULT_SAT (COIN_SAT / 10)

struct fee_rate send_arg_max_rate(struct rpc_call *call, size_t index)
{
    amount_sat rate = rpc_arg_amount(call, index, MAX_FEE_RATE_DEFAULT_SAT);
    if (rate >= COIN_SAT)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Fee rates larger than or equal to 1BTC/kvB are not accepted");
    return (struct fee_rate){rate};
}

/* ---- sendrawtransaction ---- */

/* Nobody can ever spend an output with this script, as far as its form tells. */
static bool burns(struct span script)
{
    size_t pos = 0;
    uint8_t opcode;
    struct span data;
    if (script_is_unspendable(script)) return true;
    while (pos < script.len) {
        if (!script_next(script, &pos, &opcode, &data)) return true;
        if (opcode > OP_NOP10 || data.len > MAX_SCRIPT_ELEMENT_SIZE) return true;
    }
    return false;
}

void send_check_burn(struct rpc_call *call, const struct tx *tx, amount_sat max_burn)
{
    for (size_t i = 0; i < tx->out_count; i++) {
        if (tx->out[i].value > max_burn && burns(tx->out[i].script_pubkey))
            rpc_fail(call, RPC_VERIFY_ERROR, "Unspendable output exceeds maximum configured by user (maxburnamount)");
    }
}

static void fail_refused(struct rpc_call *call, const struct verdict *v)
{
    char text[sizeof v->reason + sizeof v->detail + 2];
    int code = v->kind == VERDICT_MISSING_INPUTS ? RPC_VERIFY_ERROR : RPC_VERIFY_REJECTED;
    rpc_fail(call, code, "%s", verdict_text(text, sizeof text, v));
}

static void submit(struct rpc_call *call, const struct tx *tx, struct fee_rate max_rate)
{
    struct submit_tx outcome;
    struct error e = {0};
    enum result r = node_submit_tx(call->node, tx, fee_rate_fee(max_rate, send_vsize(tx)), &outcome, &e);
    if (r != RESULT_OK) {
        rpc_fail_result(call, RPC_INTERNAL_ERROR, r, &e);
        return;
    }
    switch (outcome.kind) {
    case SUBMIT_TX_SENT: jw_hash(&call->out, tx->txid.bytes); break;
    case SUBMIT_TX_CONFIRMED:
        rpc_fail(call, RPC_VERIFY_ALREADY_IN_UTXO_SET, "Transaction outputs already in utxo set");
        break;
    case SUBMIT_TX_REFUSED: fail_refused(call, &outcome.verdict); break;
    case SUBMIT_TX_FEE_EXCEEDED:
        rpc_fail(call, RPC_VERIFY_ERROR, "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)");
        break;
    }
}

static void sendrawtransaction(struct rpc_call *call)
{
    struct arena arena = {0};
    struct tx tx;
    amount_sat max_burn = rpc_arg_amount(call, 2, 0);
    if (!rpc_failed(call) && !raw_tx_decode(&tx, rpc_arg_str(call, 0, ""), &arena))
        rpc_fail(call, RPC_DESERIALIZATION_ERROR, "TX decode failed. Make sure the tx has at least one input.");
    if (!rpc_failed(call)) send_check_burn(call, &tx, max_burn);
    struct fee_rate max_rate = send_arg_max_rate(call, 1);
    if (!rpc_failed(call) && rpc_mempool(call)) submit(call, &tx, max_rate);
    arena_clear(&arena);
}

/* ---- testmempoolaccept ---- */

void send_read_txs(struct rpc_call *call, size_t index, struct arena *arena, struct send_txs *out)
{
    const json_t *texts = call->args[index];
    size_t count = json_array_size(texts);
    *out = (struct send_txs){0};
    if (count < 1 || count > MEMPOOL_MAX_PACKAGE) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Array must contain between 1 and %d transactions.", MEMPOOL_MAX_PACKAGE);
        return;
    }
    out->txs = arena_alloc_array(arena, count, sizeof *out->txs);
    out->list = arena_alloc_array(arena, count, sizeof *out->list);
    for (; out->count < count && !rpc_failed(call); out->count++) {
        const char *hex = rpc_value_str(call, json_array_get(texts, out->count));
        out->list[out->count] = &out->txs[out->count];
        if (!rpc_failed(call) && !raw_tx_decode(&out->txs[out->count], hex, arena))
            rpc_fail(call, RPC_DESERIALIZATION_ERROR, "TX decode failed: %s Make sure the tx has at least one input.",
                     hex);
    }
}

struct test {
    struct arena arena;
    struct send_txs txs;
    struct fee_rate max_rate;
    struct mempool_outcome outcome;
};

static void put_allowed(struct json_writer *w, const struct tx *tx, const struct tx_outcome *o)
{
    jw_kv_bool(w, "allowed", true);
    jw_kv_uint(w, "vsize_adjusted", o->vsize);
    jw_kv_uint(w, "vsize", o->vsize);
    jw_kv_uint(w, "vsize_bip141", send_vsize(tx));
    jw_kv_object(w, "fees");
    jw_kv_amount(w, "base", o->fee);
    jw_kv_amount(w, "effective-feerate", o->effective.sat_per_kvb);
    jw_kv_array(w, "effective-includes");
    for (size_t i = 0; i < o->effective_count; i++) jw_hash(w, o->effective_wtxids[i].bytes);
    jw_array_end(w);
    jw_object_end(w);
}

static void put_refused(struct json_writer *w, const struct verdict *v)
{
    char text[sizeof v->reason + sizeof v->detail + 2];
    jw_kv_bool(w, "allowed", false);
    if (v->kind == VERDICT_MISSING_INPUTS) {
        jw_kv_str(w, "reject-reason", "missing-inputs");
        return;
    }
    jw_kv_str(w, "reject-reason", v->reason);
    jw_kv_str(w, "reject-details", verdict_text(text, sizeof text, v));
}

/* False where its fee is above the limit: then no more is said of those that follow. */
static bool put_judged(struct json_writer *w, const struct tx *tx, const struct tx_outcome *o, struct fee_rate max_rate)
{
    amount_sat max_fee = fee_rate_fee(max_rate, o->vsize);
    if (o->kind == TX_OUTCOME_REFUSED) {
        put_refused(w, &o->verdict);
    } else if (max_fee > 0 && o->fee > max_fee) {
        jw_kv_bool(w, "allowed", false);
        jw_kv_str(w, "reject-reason", "max-fee-exceeded");
        return false;
    } else {
        put_allowed(w, tx, o);
    }
    return true;
}

static void put_test(struct json_writer *w, const struct test *t)
{
    char text[sizeof t->outcome.package.reason + sizeof t->outcome.package.detail + 2];
    bool go_on = true;
    jw_array(w);
    for (size_t i = 0; i < t->txs.count; i++) {
        const struct tx *tx = &t->txs.txs[i];
        const struct tx_outcome *o = &t->outcome.txs[i];
        jw_object(w);
        jw_kv_hash(w, "txid", tx->txid.bytes);
        jw_kv_hash(w, "wtxid", tx->wtxid.bytes);
        if (!verdict_ok(&t->outcome.package))
            jw_kv_str(w, "package-error", verdict_text(text, sizeof text, &t->outcome.package));
        if (go_on && o->kind != TX_OUTCOME_NONE) go_on = put_judged(w, tx, o, t->max_rate);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void testmempoolaccept(struct rpc_call *call)
{
    struct test t = {0};
    send_read_txs(call, 0, &t.arena, &t.txs);
    if (!rpc_failed(call)) t.max_rate = send_arg_max_rate(call, 1);
    struct mempool *m = rpc_failed(call) ? NULL : rpc_mempool(call);
    if (m) {
        struct error e = {0};
        int64_t now_s = node_time_s(call->node);
        mempool_set_time(m, now_s);
        enum result r = mempool_accept(m, t.txs.list, t.txs.count, now_s, MEMPOOL_TEST, &t.outcome, &e);
        if (r == RESULT_OK)
            put_test(&call->out, &t);
        else
            rpc_fail_result(call, RPC_INTERNAL_ERROR, r, &e);
        mempool_outcome_clear(&t.outcome);
    }
    arena_clear(&t.arena);
}

const struct rpc_method rpc_send_methods[] = {
    {
        .name = "sendrawtransaction",
        .category = "rawtransactions",
        .summary = "Takes a signed transaction into the pool and tells all peers of it.\nOne that is in the pool "
                   "already is announced again, which may tell peers where it comes from.",
        .args = RPC_ARGS(RPC_ARG("hexstring", RPC_HEX, NULL, "The transaction in hex."), SEND_MAX_FEE_RATE_ARG,
                         SEND_MAX_BURN_ARG),
        .result = "\"txid\" (string) The transaction's id.",
        .examples = "\"signedhex\"",
        .handler = sendrawtransaction,
        .needs_node = true,
    },
    {
        .name = "testmempoolaccept",
        .category = "rawtransactions",
        .summary = "Whether the pool would take these transactions. Nothing is changed.\nOf several, parents must come "
                   "before children, and none may conflict with another or with the pool.",
        .args = RPC_ARGS(RPC_ARG("rawtxs", RPC_ARR, NULL, "The transactions, at most 25.",
                                 .inner = RPC_ARGS(RPC_ARG("rawtx", RPC_HEX, "", "A transaction in hex."))),
                         SEND_MAX_FEE_RATE_ARG),
        .result = "For each, in order: txid, wtxid (string)\npackage-error (string) Why all were refused.\n"
                  "allowed (boolean) Missing where it was not judged to the end, for the sake of another.\n"
                  "vsize_adjusted, vsize, vsize_bip141 (numeric) As in getmempoolentry; where it is allowed.\n"
                  "fees (json object) base (numeric, coins), effective-feerate (numeric, coins per 1000 virtual "
                  "bytes),\neffective-includes (json array of wtxids that were judged together)\n"
                  "reject-reason, reject-details (string) Where it is not allowed.",
        .examples = "'[\"signedhex\"]'",
        .handler = testmempoolaccept,
        .needs_node = true,
    },
    {.name = NULL},
};
