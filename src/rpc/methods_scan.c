/* scantxoutset: the coins that pay to given descriptors, found by walking over all of them, some at a time. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/random.h"
#include "rpc/chain_call.h"
#include "rpc/scan_scripts.h"
#include "rpc/server.h"
#include "rpc/table.h"

enum { SCAN_SLICE = 20000 }; /* coins at a time */

struct scan {
    struct scan_scripts scripts;
    struct coins_iter *iter;
    const struct block_node *at; /* nodes stay as long as the chain */
    uint64_t txouts;
    amount_sat total;
    struct buffer found; /* elements of "unspents" */
    struct json_writer out;
    int progress; /* percent */
    bool aborted;
};

static void scan_free(void *state)
{
    struct scan *s = state;
    scan_scripts_clear(&s->scripts);
    coins_iter_free(s->iter);
    buffer_clear(&s->found);
    free(s);
}

static void put_found(struct scan *s, const struct outpoint *at, const struct coin *coin,
                      const struct scan_script *wanted)
{
    struct json_writer *w = &s->out;
    int32_t height = coin_height(coin->origin), tip = s->at->header.height;
    const struct header_node *block = header_ancestor(&s->at->header, height);
    jw_object(w);
    jw_kv_hash(w, "txid", at->txid.bytes);
    jw_kv_uint(w, "vout", at->index);
    jw_kv_hex(w, "scriptPubKey", coin->script_pubkey);
    jw_key(w, "desc");
    jw_str_span(w, buffer_span(&wanted->text));
    jw_kv_amount(w, "amount", coin->value);
    jw_kv_bool(w, "coinbase", coin_is_coinbase(coin->origin));
    jw_kv_int(w, "height", height);
    if (block) jw_kv_hash(w, "blockhash", block->hash.bytes);
    jw_kv_int(w, "confirmations", tip - height + 1);
    jw_object_end(w);
    s->total += coin->value;
}

static void put_result(struct rpc_call *call, const struct scan *s)
{
    struct json_writer *w = &call->out;
    jw_object(w);
    jw_kv_bool(w, "success", !s->aborted);
    jw_kv_uint(w, "txouts", s->txouts);
    jw_kv_int(w, "height", s->at->header.height);
    jw_kv_hash(w, "bestblock", s->at->header.hash.bytes);
    jw_key(w, "unspents");
    jw_raw(w, buffer_span(&s->found));
    jw_kv_amount(w, "total_amount", s->total);
    jw_object_end(w);
}

/* True where the last coin has been seen, or none can be read any more (the call failed). */
static bool scan_some(struct rpc_call *call, struct scan *s)
{
    struct outpoint at;
    struct coin coin;
    struct error e = {0};
    enum result r = RESULT_OK;
    for (unsigned left = SCAN_SLICE; left; left--) {
        if (!coins_iter_next(s->iter, &at, &coin, &r, &e)) {
            if (r != RESULT_OK) rpc_fail_result(call, RPC_INTERNAL_ERROR, r, &e);
            return true;
        }
        s->txouts++;
        const struct scan_script *w = scan_scripts_find(&s->scripts, coin.script_pubkey);
        if (w) put_found(s, &at, &coin, w);
    }
    /* Coins lie in the order of their ids, which are as good as random. */
    s->progress = (int)((at.txid.bytes[0] * 256 + at.txid.bytes[1]) * 100.0 / 65536.0 + 0.5);
    return false;
}

static bool scan_wake(struct rpc_call *call, enum rpc_wake why)
{
    struct scan *s = call->deferral.state;
    if (why != RPC_WAKE_SLICE) return false;
    if (!s->aborted && !scan_scripts_expand(call, &s->scripts)) return rpc_failed(call);
    if (rpc_failed(call)) return true;
    if (!s->aborted && !scan_some(call, s)) return false;
    if (rpc_failed(call)) return true;
    jw_array_end(&s->out);
    put_result(call, s);
    return true;
}

static void start_scan(struct rpc_call *call)
{
    struct chain *c = call->node->chain;
    struct error e = {0};
    struct scan *s = mem_calloc(1, sizeof *s);
    scan_scripts_init(&s->scripts, random_u64(&call->node->random));
    scan_scripts_want(call, &s->scripts, call->args[1]);
    enum result r = rpc_failed(call) ? RESULT_OK : chain_flush(c, false, &e);
    if (r != RESULT_OK) rpc_fail_result(call, RPC_INTERNAL_ERROR, r, &e);
    if (rpc_failed(call)) {
        scan_free(s);
        return;
    }
    s->iter = coins_iter_new(c->coins);
    s->at = chain_tip(c);
    s->out = json_writer_of(&s->found);
    jw_array(&s->out);
    rpc_defer(call,
              &(struct rpc_deferral){.wake = scan_wake, .free_state = scan_free, .state = s, .wants_slices = true});
}

static void scantxoutset(struct rpc_call *call)
{
    struct rpc_call *running = rpc_server_find_deferred(call->server, call->method);
    struct scan *s = running ? running->deferral.state : NULL;
    switch (scan_action(call, s ? &s->aborted : NULL)) {
    case SCAN_ANSWERED: break;
    case SCAN_START: start_scan(call); break;
    case SCAN_STATUS:
        if (!s) break;
        jw_object(&call->out);
        jw_kv_int(&call->out, "progress", s->progress);
        jw_object_end(&call->out);
        break;
    }
}

const struct rpc_method rpc_scan_methods[] = {
    {
        .name = "scantxoutset",
        .category = "blockchain",
        .summary = "Looks through all unspent outputs for those that pay to output descriptors: addr(ADDRESS), "
                   "raw(HEX), combo(KEY),\npkh(KEY), sh(multi(N,KEY,KEY,...)), tr(KEY), and more. A KEY is a public "
                   "key in hex, or an xpub or xprv with\na path, which may end with * for many children.\nOnly one "
                   "search runs at a time.",
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
                    .usage = "[scanobjects,...]")),
        .result = "start: success (boolean), txouts (numeric), height (numeric), bestblock (string),\n"
                  "unspents (json array) of txid, vout, scriptPubKey, desc, amount, coinbase, height, blockhash,\n"
                  "confirmations; total_amount (numeric, coins)\n"
                  "abort: true|false (boolean) Whether a search was running.\n"
                  "status: null, or progress (numeric, percent)",
        .examples = "start '[\"raw(76a91411b366edfc0a8b66feebae5c2e25a7b6a5d1cf3188ac)#fm24fxxy\"]'\nstatus\nabort",
        .handler = scantxoutset,
        .needs_node = true,
    },
    {.name = NULL},
};
