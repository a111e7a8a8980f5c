/* The method about past reorganisations. */
#include "node/reorgs.h"
#include "rpc/chain_call.h"
#include "rpc/table.h"

enum { REORGS_SHOWN = 10 };

static void put_place(struct json_writer *w, const char *hash_key, const struct block_hash *hash,
                      const char *height_key, int32_t height)
{
    jw_kv_hash(w, hash_key, hash->bytes);
    jw_kv_int(w, height_key, height);
}

static void put_tx(struct json_writer *w, const struct node *n, const struct reorg_tx *tx)
{
    static const char *const names[] = {
        [REORG_NOW_MEMPOOL] = "mempool", [REORG_NOW_CONFIRMED] = "confirmed", [REORG_NOW_GONE] = "gone"};
    int32_t height;
    enum reorg_now now = node_reorg_tx_now(n, tx, &height);
    jw_object(w);
    jw_kv_hash(w, "txid", tx->txid.bytes);
    jw_kv_int(w, "height", tx->height);
    jw_kv_str(w, "fate", reorg_fate_name(tx->fate));
    if (tx->fate == REORG_CONFLICTED) jw_kv_hash(w, "conflict", tx->conflict.bytes);
    jw_kv_str(w, "now", names[now]);
    if (now == REORG_NOW_CONFIRMED) jw_kv_int(w, "confirmations", chain_height(n->chain) - height + 1);
    jw_object_end(w);
}

static void put_reorg(struct json_writer *w, const struct node *n, const struct reorg *o)
{
    jw_object(w);
    jw_kv_uint(w, "id", o->id);
    jw_kv_int(w, "time", o->time_us / 1000000);
    put_place(w, "old_tip", &o->old_tip, "old_height", o->old_height);
    put_place(w, "new_tip", &o->new_tip, "new_height", o->new_height);
    put_place(w, "fork", &o->fork, "fork_height", o->fork_height);
    jw_kv_uint(w, "depth", o->depth);
    jw_kv_uint(w, "connected", o->connected);
    jw_kv_bool(w, "loading", o->loading);
    jw_kv_bool(w, "by_operator", o->by_operator);
    jw_kv_bool(w, "alarm", o->alarm);
    jw_kv_uint(w, "tx_count", o->tx_count);
    jw_kv_uint(w, "reversed", reorg_reversed(o));
    jw_kv_object(w, "fates");
    for (int f = 0; f < REORG_FATES; f++) jw_kv_uint(w, reorg_fate_name((enum reorg_fate)f), o->fates[f]);
    jw_object_end(w);
    jw_kv_array(w, "txs");
    for (size_t i = 0; i < o->txs_kept; i++) put_tx(w, n, &o->txs[i]);
    jw_array_end(w);
    jw_object_end(w);
}

static void getreorgs(struct rpc_call *call)
{
    int32_t count = rpc_arg_i32(call, 0, REORGS_SHOWN), min_depth = rpc_arg_i32(call, 1, 1);
    if (!rpc_failed(call) && count < 0) rpc_fail(call, RPC_INVALID_PARAMETER, "Negative count");
    if (!rpc_failed(call) && min_depth < 0) rpc_fail(call, RPC_INVALID_PARAMETER, "Negative depth");
    if (rpc_failed(call)) return;
    size_t kept;
    const struct reorg *list = node_reorgs(call->node, &kept);
    jw_array(&call->out);
    for (size_t i = kept; i-- > 0 && count;) {
        if (list[i].depth < (uint32_t)min_depth) continue;
        put_reorg(&call->out, call->node, &list[i]);
        count--;
    }
    jw_array_end(&call->out);
}

const struct rpc_method rpc_reorg_methods[] = {
    {
        .name = "getreorgs",
        .category = "blockchain",
        .summary = "The last reorganisations since the node was started (it remembers 100), newest first, with the "
                   "transactions that they threw out of the chain.",
        .args = RPC_ARGS(RPC_ARG("count", RPC_NUM, "10", "How many at most."),
                         RPC_ARG("min_depth", RPC_NUM, "1", "Only those that threw away as many blocks.")),
        .result =
            "For each: id (numeric) Counts from 1.\ntime (numeric)\nold_tip, old_height, new_tip, new_height, fork, "
            "fork_height The tips before and after, and the last block that both branches have.\ndepth (numeric) "
            "Blocks thrown away.\nconnected (numeric) Blocks of the new branch up to the new tip.\nloading (boolean) "
            "During the initial download or an import: no transactions were noted.\nby_operator (boolean) Ordered by "
            "invalidateblock, reconsiderblock or preciousblock.\nalarm (boolean) The owner was warned "
            "(-reorgalarm).\ntx_count (numeric) Transactions in the blocks thrown away.\nreversed (numeric) Of them, "
            "rewards of blocks apart, those that are not in the new branch.\nfates (json object) How many of txs met "
            "each fate.\ntxs (json array) At most 10000, those nearest to the old tip: txid, height (of its old "
            "block), fate, conflict, now, confirmations\nfate (string), when the chain had come to rest: \"mempool\" "
            "waited again, \"mined\" was in the new branch too, \"conflicted\" cannot be mined because the "
            "transaction conflict of the new branch spent the same output as it or an ancestor, \"dropped\" left for "
            "another reason, \"coinbase\" reward of a block thrown away\nnow (string): \"mempool\", \"confirmed\" "
            "(with confirmations) or \"gone\"",
        .examples = "\n5 2",
        .handler = getreorgs,
        .needs_node = true,
    },
    {.name = NULL},
};
