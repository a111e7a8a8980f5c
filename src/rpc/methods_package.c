/* A package of transactions for the pool. */
#include <stdlib.h>

#include "base/alloc.h"
#include "node/submit_tx.h"
#include "rpc/chain_call.h"
#include "rpc/mempool_json.h"
#include "rpc/send_args.h"
#include "rpc/table.h"

static bool spends(const struct tx *tx, const struct tx *parent)
{
    for (size_t i = 0; i < tx->in_count; i++)
        if (txid_equal(&tx->in[i].prevout.txid, &parent->txid)) return true;
    return false;
}

/* All but the last are its parents, and not each other's. */
static bool is_family(const struct send_txs *t)
{
    size_t parents = t->count - 1;
    for (size_t i = 0; i < parents; i++) {
        if (!spends(&t->txs[parents], &t->txs[i])) return false;
        for (size_t k = 0; k < parents; k++)
            if (spends(&t->txs[i], &t->txs[k])) return false;
    }
    return true;
}

static void put_fees(struct json_writer *w, const struct tx_outcome *o)
{
    jw_kv_object(w, "fees");
    jw_kv_amount(w, "base", o->fee);
    if (o->kind == TX_OUTCOME_ACCEPTED) {
        jw_kv_amount(w, "effective-feerate", o->effective.sat_per_kvb);
        jw_kv_array(w, "effective-includes");
        for (size_t i = 0; i < o->effective_count; i++) jw_hash(w, o->effective_wtxids[i].bytes);
        jw_array_end(w);
    }
    jw_object_end(w);
}

static void put_one(struct json_writer *w, const struct tx *tx, const struct tx_outcome *o)
{
    char wtxid[HASH_TEXT], text[sizeof o->verdict.reason + sizeof o->verdict.detail + 2];
    jw_kv_object(w, wtxid_text(wtxid, &tx->wtxid));
    jw_kv_hash(w, "txid", tx->txid.bytes);
    switch (o->kind) {
    case TX_OUTCOME_NONE: jw_kv_str(w, "error", "package-not-validated"); break;
    case TX_OUTCOME_OTHER_THERE: jw_kv_hash(w, "other-wtxid", o->other.bytes); break;
    case TX_OUTCOME_REFUSED: jw_kv_str(w, "error", verdict_text(text, sizeof text, &o->verdict)); break;
    case TX_OUTCOME_ACCEPTED:
    case TX_OUTCOME_KNOWN:
        jw_kv_uint(w, "vsize_adjusted", o->vsize);
        jw_kv_uint(w, "vsize", o->vsize);
        jw_kv_uint(w, "vsize_bip141", send_vsize(tx));
        put_fees(w, o);
        break;
    }
    jw_object_end(w);
}

static int by_txid(const void *a, const void *b)
{
    return memcmp(((const struct replaced_tx *)a)->txid.bytes, ((const struct replaced_tx *)b)->txid.bytes, 32);
}

static void put_outcome(struct json_writer *w, const struct send_txs *t, struct mempool_outcome *o)
{
    char text[sizeof o->package.reason + sizeof o->package.detail + 2];
    jw_object(w);
    jw_kv_str(w, "package_msg", verdict_ok(&o->package) ? "success" : verdict_text(text, sizeof text, &o->package));
    jw_kv_object(w, "tx-results");
    for (size_t i = 0; i < t->count; i++) put_one(w, &t->txs[i], &o->txs[i]);
    jw_object_end(w);
    if (o->replaced_count) qsort(o->replaced, o->replaced_count, sizeof *o->replaced, by_txid);
    jw_kv_array(w, "replaced-transactions");
    for (size_t i = 0; i < o->replaced_count; i++) jw_hash(w, o->replaced[i].txid.bytes);
    jw_array_end(w);
    jw_object_end(w);
}

/* Tells peers of those that are in the pool. */
static enum result announce(struct node *n, const struct send_txs *t, struct error *e)
{
    enum result r = RESULT_OK;
    for (size_t i = 0; i < t->count && r == RESULT_OK; i++) {
        struct submit_tx ignored;
        if (mempool_find(n->mempool, &t->txs[i].txid)) r = node_submit_tx(n, &t->txs[i], 0, &ignored, e);
    }
    return r;
}

static void submit(struct rpc_call *call, struct mempool *m, const struct send_txs *t, struct fee_rate max_rate)
{
    struct mempool_outcome outcome = {0};
    struct error e = {0};
    int64_t now_s = node_time_s(call->node);
    mempool_set_time(m, now_s);
    enum result r = mempool_accept_package(m, t->list, t->count, now_s, max_rate, &outcome, &e);
    if (r == RESULT_OK) r = announce(call->node, t, &e);
    if (r == RESULT_OK)
        put_outcome(&call->out, t, &outcome);
    else
        rpc_fail_result(call, RPC_INTERNAL_ERROR, r, &e);
    mempool_outcome_clear(&outcome);
}

static void submitpackage(struct rpc_call *call)
{
    struct arena arena = {0};
    struct send_txs txs;
    struct mempool *m = NULL;
    send_read_txs(call, 0, &arena, &txs);
    struct fee_rate max_rate = send_arg_max_rate(call, 1);
    amount_sat max_burn = rpc_arg_amount(call, 2, 0);
    for (size_t i = 0; i < txs.count && !rpc_failed(call); i++) send_check_burn(call, &txs.txs[i], max_burn);
    if (!rpc_failed(call) && !is_family(&txs))
        rpc_fail(call, RPC_VERIFY_ERROR,
                 "package topology disallowed. not child-with-parents or parents depend on each other.");
    if (!rpc_failed(call)) m = rpc_mempool(call);
    if (m) submit(call, m, &txs, max_rate);
    arena_clear(&arena);
}

const struct rpc_method rpc_package_methods[] = {
    {
        .name = "submitpackage",
        .category = "rawtransactions",
        .summary = "Takes a transaction and its unconfirmed parents into the pool, and tells all peers of what is "
                   "there then.\nEach is tried by itself first; a parent that pays too little may come in for what its "
                   "child pays.\nParents come first, the child last. No parent may depend on another. Parents that are "
                   "in the pool already may be left out.",
        .args = RPC_ARGS(RPC_ARG("package", RPC_ARR, NULL, "The transactions, at most 25.",
                                 .inner = RPC_ARGS(RPC_ARG("rawtx", RPC_HEX, "", "A transaction in hex."))),
                         SEND_MAX_FEE_RATE_ARG, SEND_MAX_BURN_ARG),
        .result = "package_msg (string) \"success\" where all are in the pool; else why not all are.\n"
                  "tx-results (json object) By wtxid: txid (string)\n"
                  "other-wtxid (string) The pool has it with another witness: this one was ignored.\n"
                  "vsize_adjusted, vsize, vsize_bip141 (numeric) As in getmempoolentry.\n"
                  "fees (json object) base (numeric, coins); where it entered now: effective-feerate (numeric, coins "
                  "per 1000 virtual bytes) and effective-includes (json array of wtxids that were judged together)\n"
                  "error (string) Why it is not in the pool.\n"
                  "replaced-transactions (json array) Txids of those that left for it.",
        .examples = "'[\"parenthex\", \"childhex\"]'",
        .handler = submitpackage,
        .needs_node = true,
    },
    {.name = NULL},
};
