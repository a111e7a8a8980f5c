/* Methods about the coins: one of them, all of them, and whether they agree with the blocks. */
#include <stdlib.h>

#include "base/alloc.h"
#include "chain/chain_prune.h"
#include "index/index.h"
#include "rpc/chain_call.h"
#include "rpc/table.h"
#include "rpc/tx_json.h"

enum { SCAN_SLICE = 20000 }; /* coins at a time */

/* The unspent output at AT, of the chain or, WITH_POOL, as unconfirmed transactions make and spend them. */
static enum result find_coin(struct node *n, const struct outpoint *at, bool with_pool, struct coin *out,
                             struct error *e)
{
    bool found = false;
    if (!with_pool) return coins_get(n->chain->coins, at, out, e);
    enum result r = mempool_get_coin(n->mempool, at, out, &found, e);
    return r == RESULT_OK && !found ? RESULT_NOT_FOUND : r;
}

static void put_coin(struct rpc_call *call, const struct coin *coin, int32_t confirmations)
{
    struct json_writer *w = &call->out;
    jw_object(w);
    jw_kv_hash(w, "bestblock", chain_tip(call->node->chain)->header.hash.bytes);
    jw_kv_int(w, "confirmations", confirmations);
    jw_kv_amount(w, "value", coin->value);
    jw_key(w, "scriptPubKey");
    script_json(w, coin->script_pubkey, rpc_prefixes(call));
    jw_kv_bool(w, "coinbase", coin_is_coinbase(coin->origin));
    jw_object_end(w);
}

static void gettxout(struct rpc_call *call)
{
    struct node *n = call->node;
    struct outpoint at;
    struct coin coin;
    struct error e = {0};
    rpc_arg_hash(call, 0, "txid", at.txid.bytes);
    at.index = rpc_arg_u32(call, 1, 0);
    bool with_pool = rpc_arg_bool(call, 2, true) && n->mempool;
    if (rpc_failed(call)) return;
    enum result r = find_coin(n, &at, with_pool, &coin, &e);
    if (r == RESULT_OK) {
        bool in_pool = with_pool && mempool_find(n->mempool, &at.txid);
        put_coin(call, &coin, in_pool ? 0 : chain_height(n->chain) - coin_height(coin.origin) + 1);
    } else if (r != RESULT_NOT_FOUND) {
        rpc_fail_result(call, RPC_INTERNAL_ERROR, r, &e);
    }
    coins_end_block(n->chain->coins);
}

static void verifychain(struct rpc_call *call)
{
    int level = rpc_arg_i32(call, 0, 3), blocks = rpc_arg_i32(call, 1, 6);
    struct error e = {0};
    bool good = false;
    if (rpc_failed(call)) return;
    level = level < 0 ? 0 : level > 4 ? 4 : level;
    enum result r = chain_verify(call->node->chain, level, blocks < 0 ? 0 : blocks, &good, &e);
    /* Blocks that were pruned are not verified. */
    const struct chain *c = call->node->chain;
    int32_t from = blocks <= 0 || blocks >= chain_height(c) ? 1 : chain_height(c) - blocks + 1;
    jw_bool(&call->out, r == RESULT_OK && good && chain_has_data(c, from, BLOCK_HAVE_DATA));
}

/* ---- all coins ---- */

static bool parse_hash_type(struct rpc_call *call, enum coin_hash *out)
{
    const char *name = rpc_arg_str(call, 0, "hash_serialized_3");
    if (strcmp(name, "hash_serialized_3") == 0)
        *out = COIN_HASH_SERIALIZED_3;
    else if (strcmp(name, "muhash") == 0)
        *out = COIN_HASH_MUHASH;
    else if (strcmp(name, "none") == 0)
        *out = COIN_HASH_NONE;
    else
        rpc_fail(call, RPC_INVALID_PARAMETER, "'%s' is not a valid hash_type", name);
    return !rpc_failed(call);
}

/* The fields that both ways of counting give. */
struct coin_totals {
    const struct block_node *at;
    uint64_t txouts, bogosize;
    enum coin_hash hash_type;
    const uint8_t *hash;
    amount_sat total;
};

static void put_totals(struct json_writer *w, const struct coin_totals *t)
{
    jw_kv_int(w, "height", t->at->header.height);
    jw_kv_hash(w, "bestblock", t->at->header.hash.bytes);
    jw_kv_uint(w, "txouts", t->txouts);
    jw_kv_uint(w, "bogosize", t->bogosize);
    if (t->hash_type == COIN_HASH_SERIALIZED_3) jw_kv_hash(w, "hash_serialized_3", t->hash);
    if (t->hash_type == COIN_HASH_MUHASH) jw_kv_hash(w, "muhash", t->hash);
    jw_kv_amount(w, "total_amount", t->total);
}

struct scan {
    struct coin_scan *coins;
    const struct block_node *at; /* nodes stay as long as the chain */
    enum coin_hash hash_type;
};

static void scan_free(void *state)
{
    struct scan *s = state;
    coin_scan_free(s->coins);
    free(s);
}

static bool scan_wake(struct rpc_call *call, enum rpc_wake why)
{
    struct scan *s = call->deferral.state;
    struct coin_scan_result found;
    struct error e = {0};
    bool done = false;
    if (why != RPC_WAKE_SLICE) return false;
    enum result r = coin_scan_step(s->coins, SCAN_SLICE, &done, &found, &e);
    if (r != RESULT_OK) {
        rpc_fail(call, RPC_INTERNAL_ERROR, "Unable to read UTXO set");
        return true;
    }
    if (!done) return false;
    jw_object(&call->out);
    put_totals(&call->out, &(struct coin_totals){.at = s->at,
                                                 .txouts = found.txouts,
                                                 .bogosize = found.bogosize,
                                                 .hash_type = s->hash_type,
                                                 .hash = found.hash,
                                                 .total = found.total_amount});
    jw_kv_uint(&call->out, "transactions", found.transactions);
    jw_kv_uint(&call->out, "disk_size", coins_disk_bytes(call->node->chain->coins));
    jw_object_end(&call->out);
    return true;
}

static void scan_coins(struct rpc_call *call, enum coin_hash hash_type)
{
    struct chain *c = call->node->chain;
    struct error e = {0};
    enum result r = chain_flush(c, false, &e);
    if (r != RESULT_OK) {
        rpc_fail_result(call, RPC_INTERNAL_ERROR, r, &e);
        return;
    }
    struct scan *s = mem_alloc(sizeof *s);
    *s = (struct scan){.coins = coin_scan_new(c, hash_type), .at = chain_tip(c), .hash_type = hash_type};
    rpc_defer(call,
              &(struct rpc_deferral){.wake = scan_wake, .free_state = scan_free, .state = s, .wants_slices = true});
}

/* What a block changed: B less A, which both fit 64 bits. */
static amount_sat difference(struct u256 b, struct u256 a)
{
    return (amount_sat)u256_sub(b, a).w[0];
}

static void put_block_info(struct json_writer *w, const struct coin_stats *now, const struct coin_stats *before)
{
    jw_kv_amount(w, "total_unspendable_amount", now->unspendable);
    jw_kv_object(w, "block_info");
    jw_kv_amount(w, "prevout_spent", difference(now->prevouts_spent, before->prevouts_spent));
    jw_kv_amount(w, "coinbase", difference(now->coinbase, before->coinbase));
    jw_kv_amount(w, "new_outputs_ex_coinbase", difference(now->new_outputs, before->new_outputs));
    jw_kv_amount(w, "unspendable", now->unspendable - before->unspendable);
    jw_kv_object(w, "unspendables");
    jw_kv_amount(w, "genesis_block", now->unspendable_genesis - before->unspendable_genesis);
    jw_kv_amount(w, "bip30", now->unspendable_bip30 - before->unspendable_bip30);
    jw_kv_amount(w, "scripts", now->unspendable_scripts - before->unspendable_scripts);
    jw_kv_amount(w, "unclaimed_rewards", now->unspendable_unclaimed - before->unspendable_unclaimed);
    jw_object_end(w);
    jw_object_end(w);
}

static void indexed_coins(struct rpc_call *call, const struct block_node *at, enum coin_hash hash_type)
{
    struct coin_stats_index *index = call->node->coin_stats;
    struct coin_stats now, before = {0};
    struct index_info info;
    struct error e = {0};
    coin_stats_index_info(index, &info);
    if (!info.synced && at->header.height > info.best_height) {
        rpc_fail(call, RPC_INTERNAL_ERROR,
                 "Unable to get data because coinstatsindex is still syncing. Current height: %d", info.best_height);
        return;
    }
    enum result r = coin_stats_index_get(index, at, &now, &e);
    if (r == RESULT_OK && at->header.prev) r = coin_stats_index_get(index, block_node_prev(at), &before, &e);
    if (r != RESULT_OK) {
        rpc_fail(call, RPC_INTERNAL_ERROR, "Unable to read UTXO set");
        return;
    }
    jw_object(&call->out);
    put_totals(&call->out, &(struct coin_totals){.at = at,
                                                 .txouts = now.txouts,
                                                 .bogosize = now.bogosize,
                                                 .hash_type = hash_type,
                                                 .hash = now.muhash,
                                                 .total = now.total_amount});
    put_block_info(&call->out, &now, &before);
    jw_object_end(&call->out);
}

static void gettxoutsetinfo(struct rpc_call *call)
{
    enum coin_hash hash_type = COIN_HASH_NONE;
    const struct block_node *at = chain_tip(call->node->chain);
    bool use_index = rpc_arg_bool(call, 2, true), asked = rpc_arg_given(call, 1);
    if (!parse_hash_type(call, &hash_type)) return;
    if (asked && !call->node->coin_stats)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Querying specific block heights requires coinstatsindex");
    else if (asked && hash_type == COIN_HASH_SERIALIZED_3)
        rpc_fail(call, RPC_INVALID_PARAMETER, "hash_serialized_3 hash type cannot be queried for a specific block");
    else if (asked && !use_index)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Cannot set use_index to false when querying for a specific block");
    else if (asked)
        at = rpc_arg_hash_or_height(call, 1);
    if (rpc_failed(call)) return;
    if (use_index && call->node->coin_stats && hash_type != COIN_HASH_SERIALIZED_3)
        indexed_coins(call, at, hash_type);
    else
        scan_coins(call, hash_type);
}

const struct rpc_method rpc_coins_methods[] = {
    {
        .name = "gettxout",
        .category = "blockchain",
        .summary = "One unspent output, or null where it is spent or never was.",
        .args = RPC_ARGS(
            RPC_ARG("txid", RPC_HEX, NULL, "The transaction's id."),
            RPC_ARG("n", RPC_NUM, NULL, "The output's number."),
            RPC_ARG("include_mempool", RPC_BOOL, "true", "Whether unconfirmed transactions make and spend outputs.")),
        .result =
            "bestblock (string)\nconfirmations (numeric)\nvalue (numeric, coins)\nscriptPubKey (json object) asm, "
            "desc, hex, address, type\ncoinbase (boolean)",
        .examples = "\"txid\" 1",
        .handler = gettxout,
        .needs_node = true,
    },
    {
        .name = "gettxoutsetinfo",
        .category = "blockchain",
        .summary = "Counts all unspent outputs. Without -coinstatsindex it reads every one of them.",
        .args = RPC_ARGS(RPC_ARG("hash_type", RPC_STR, "\"hash_serialized_3\"", "hash_serialized_3, muhash or none."),
                         RPC_ARG("hash_or_height", RPC_NUM, "the tip", "Another block (needs the index).",
                                 .flags = RPC_ANY_TYPE | RPC_CLI_OR_STRING, .type_text = "string or numeric"),
                         RPC_ARG("use_index", RPC_BOOL, "true", "Whether to use the index where there is one.")),
        .result = "height (numeric), bestblock (string)\ntxouts, bogosize (numeric)\nhash_serialized_3 or muhash "
                  "(string)\ntotal_amount (numeric, coins)\ntransactions, disk_size (numeric, without the index)\n"
                  "total_unspendable_amount, block_info (with the index)",
        .examples = "\n\"none\"\n\"muhash\" 1000",
        .handler = gettxoutsetinfo,
        .needs_node = true,
    },
    {
        .name = "verifychain",
        .category = "blockchain",
        .summary = "Checks the last blocks anew.",
        .args = RPC_ARGS(RPC_ARG("checklevel", RPC_NUM, "3",
                                 "0 reads the blocks, 1 checks them, 2 reads their undo data, 3 takes them back,\n4 "
                                 "connects them again."),
                         RPC_ARG("nblocks", RPC_NUM, "6", "How many; 0: all.")),
        .result = "true|false (boolean) What is wrong is in the debug log.",
        .examples = "",
        .handler = verifychain,
        .needs_node = true,
    },
    {.name = NULL},
};
