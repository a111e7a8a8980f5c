/* Connecting a block to the coins and taking it back. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "chain/chain_internal.h"
#include "consensus/pow.h"
#include "script/script.h"

void connect_work_clear(struct connect_work *w)
{
    free(w->coins);
    free(w->outs);
    free(w->origins);
    *w = (struct connect_work){0};
}

static void work_reserve(struct connect_work *w, const struct block *block)
{
    size_t inputs = 0;
    for (size_t i = 1; i < block->tx_count; i++) inputs += block->txs[i].in_count;
    w->count = 0;
    if (inputs <= w->cap && w->coins) return;
    w->cap = inputs + inputs / 2 + 64;
    w->coins = mem_realloc(w->coins, w->cap, sizeof(*w->coins));
    w->outs = mem_realloc(w->outs, w->cap, sizeof(*w->outs));
    w->origins = mem_realloc(w->origins, w->cap, sizeof(*w->origins));
}

static void add_outputs(struct coins *coins, const struct tx *tx, int32_t height, bool coinbase, bool overwrite)
{
    struct outpoint at = {.txid = tx->txid};
    for (size_t i = 0; i < tx->out_count; i++) {
        if (script_is_unspendable(tx->out[i].script_pubkey)) continue;
        at.index = (uint32_t)i;
        struct coin coin = {tx->out[i].value, coin_origin_of(height, coinbase), tx->out[i].script_pubkey};
        coins_add(coins, &at, &coin, overwrite);
    }
}

static void erase_outputs(struct coins *coins, const struct tx *tx)
{
    struct outpoint at = {.txid = tx->txid};
    for (size_t i = 0; i < tx->out_count; i++) {
        at.index = (uint32_t)i;
        if (!script_is_unspendable(tx->out[i].script_pubkey)) coins_erase(coins, &at);
    }
}

static enum result spend_inputs(struct coins *coins, const struct tx *tx, struct connect_work *w, struct error *e)
{
    for (size_t i = 0; i < tx->in_count; i++) {
        struct coin *coin = &w->coins[w->count];
        enum result r = coins_spend(coins, &tx->in[i].prevout, coin, e);
        if (r) return r;
        w->outs[w->count] = (struct tx_out){.value = coin->value, .script_pubkey = coin->script_pubkey};
        w->origins[w->count++] = coin->origin;
    }
    return RESULT_OK;
}

/* Puts back the coins that transactions 0 .. TX_LIMIT - 1 spent, and those of W beyond them, and takes the outputs out.
 */
static void roll_back(struct coins *coins, const struct block *block, size_t tx_limit, struct connect_work *w)
{
    size_t spent = w->count;
    if (tx_limit < block->tx_count) {
        size_t before = 0;
        for (size_t i = 1; i < tx_limit; i++) before += block->txs[i].in_count;
        for (size_t i = before; i < spent; i++)
            coins_add(coins, &block->txs[tx_limit].in[i - before].prevout, &w->coins[i], true);
        spent = before;
    }
    for (size_t t = tx_limit; t-- > 0;) {
        const struct tx *tx = &block->txs[t];
        erase_outputs(coins, tx);
        if (t == 0) break;
        for (size_t i = tx->in_count; i-- > 0;) coins_add(coins, &tx->in[i].prevout, &w->coins[--spent], true);
    }
    w->count = 0;
}

static enum result check_bip30(struct coins *coins, const struct block *block, struct verdict *v, struct error *e)
{
    size_t outputs = 0, n = 0;
    for (size_t i = 0; i < block->tx_count; i++) outputs += block->txs[i].out_count;
    struct outpoint *at = mem_alloc(outputs * sizeof(*at));
    for (size_t i = 0; i < block->tx_count; i++)
        for (size_t k = 0; k < block->txs[i].out_count; k++)
            at[n++] = (struct outpoint){.txid = block->txs[i].txid, .index = (uint32_t)k};
    bool any;
    enum result r = coins_any_unspent(coins, at, outputs, &any, e);
    free(at);
    if (!r && any) verdict_fail(v, VERDICT_CONSENSUS, "bad-txns-BIP30", "tried to overwrite transaction");
    return r;
}

static enum result prefetch_inputs(struct coins *coins, const struct block *block, struct error *e)
{
    size_t inputs = 0;
    for (size_t i = 1; i < block->tx_count; i++) inputs += block->txs[i].in_count;
    if (!inputs) return RESULT_OK;
    struct outpoint *at = mem_alloc(inputs * sizeof(*at));
    size_t n = 0;
    for (size_t i = 1; i < block->tx_count; i++)
        for (size_t k = 0; k < block->txs[i].in_count; k++) at[n++] = block->txs[i].in[k].prevout;
    enum result r = coins_prefetch(coins, at, n, e);
    free(at);
    return r;
}

/* Spends and adds transaction by transaction. *DONE is how many were applied whole; fewer than all where an input was
 * not there. */
static enum result apply_block(struct coins *coins, const struct block_node *n, const struct block *block,
                               struct connect_work *w, size_t *done, struct error *e)
{
    for (*done = 0; *done < block->tx_count; ++*done) {
        const struct tx *tx = &block->txs[*done];
        bool coinbase = *done == 0;
        if (!coinbase) {
            enum result r = spend_inputs(coins, tx, w, e);
            if (r) return r;
        }
        /* only a coinbase can repeat an older txid (BIP30's exceptions) */
        add_outputs(coins, tx, n->header.height, coinbase, coinbase);
    }
    return RESULT_OK;
}

static void fail_missing(const struct tx *tx, struct verdict *v)
{
    char id[HASH_TEXT];
    verdict_fail(v, VERDICT_CONSENSUS, "bad-txns-inputs-missingorspent",
                 "CheckTxInputs: inputs missing/spent in transaction %s", txid_text(id, &tx->txid));
}

bool scripts_needed(const struct chain *c, const struct block_node *n, const char **reason)
{
    enum { TWO_WEEKS_S = 14 * 24 * 60 * 60 };
    *reason = "assumevalid=0 (always verify)";
    if (hash_is_null(c->options.assume_valid.bytes)) return true;
    const struct block_node *assumed = chain_find(c, &c->options.assume_valid), *best = c->tree.best_header;
    int32_t height = n->header.height;
    *reason = "assumevalid hash not in headers";
    if (!assumed) return true;
    *reason =
        height > assumed->header.height ? "block height above assumevalid height" : "block not in assumevalid chain";
    if (block_node_ancestor(assumed, height) != n) return true;
    *reason = "block not in best header chain";
    if (!best || block_node_ancestor(best, height) != n) return true;
    *reason = "best header chainwork below minimumchainwork";
    if (u256_cmp(best->header.chainwork, c->options.minimum_chain_work) < 0) return true;
    *reason = "block too recent relative to best header";
    struct u256 ahead = u256_sub(best->header.chainwork, n->header.chainwork);
    struct u256 seconds =
        u256_div(u256_mul_u32(ahead, (uint32_t)c->params.target_spacing_s), pow_work(best->header.bits));
    if (u256_cmp(seconds, u256_from_u64(TWO_WEEKS_S)) <= 0) return true;
    *reason = "block is an ancestor of the assumed-valid block";
    return false;
}

/* Whether scripts are verified is worth a line wherever it changes. */
static bool scripts_wanted(struct chain *c, const struct block_node *n)
{
    const char *reason;
    char hash[HASH_TEXT];
    bool needed = scripts_needed(c, n, &reason);
    if (!needed) reason = NULL;
    if (c->scripts_logged && c->scripts_reason == reason) return needed;
    block_hash_text(hash, &n->header.hash);
    if (needed)
        log_info(c->log, "Enabling script verification at block #%d (%s): %s.", n->header.height, hash, reason);
    else
        log_info(c->log, "Disabling script verification at block #%d (%s).", n->header.height, hash);
    c->scripts_reason = reason;
    c->scripts_logged = true;
    return needed;
}

/* The rules that look at the spent coins; scripts run on the workers meanwhile. */
static void check_connected(struct chain *c, struct block_node *n, const struct block *block, struct connect_work *w,
                            size_t done, struct verdict *v)
{
    unsigned flags = block_script_flags(n->header.height, &n->header.hash, &c->params);
    struct block_spends spends = {w->outs, w->origins, w->count};
    bool scripts = scripts_wanted(c, n), complete = done == block->tx_count;
    struct script_run *run = NULL;
    if (complete && w->count && !n->scripts_checked && scripts) run = script_run_start(c, block, w->outs, flags);
    amount_sat fees;
    bool good = block_check_spends(block, &n->header, &spends, done, flags, &c->params, &fees, v);
    if (good && !complete) fail_missing(&block->txs[done], v);
    bool scripts_good = run && script_run_finish(c, run, good ? v : NULL);
    n->scripts_checked |= good && scripts_good;
}

enum result connect_block(struct chain *c, struct coins *coins, struct block_node *n, const struct block *block,
                          struct connect_work *w, struct verdict *v, struct error *e)
{
    work_reserve(w, block);
    if (!n->header.prev) return RESULT_OK; /* the genesis coinbase cannot be spent */
    enum result r = prefetch_inputs(coins, block, e);
    if (r) return r;
    if (block_needs_bip30(&n->header, &c->params)) r = check_bip30(coins, block, v, e);
    if (r || !verdict_ok(v)) return r;
    size_t done;
    r = apply_block(coins, n, block, w, &done, e);
    if (r && r != RESULT_NOT_FOUND) {
        roll_back(coins, block, done, w);
        return r;
    }
    check_connected(c, n, block, w, done, v);
    if (!verdict_ok(v)) roll_back(coins, block, done, w);
    return RESULT_OK;
}

void connect_undone(struct chain *c, struct block_node *n, const struct block *block)
{
    if (n->header.prev) roll_back(c->coins, block, block->tx_count, &c->work);
}

void apply_unchecked(struct chain *c, const struct block_node *n, const struct block *block)
{
    for (size_t t = 0; n->header.prev && t < block->tx_count; t++) {
        const struct tx *tx = &block->txs[t];
        for (size_t i = 0; t && i < tx->in_count; i++) coins_erase(c->coins, &tx->in[i].prevout);
        add_outputs(c->coins, tx, n->header.height, t == 0, true);
    }
}

/* ---- disconnecting ---- */

static enum result take_outputs(struct coins *coins, const struct tx *tx, int32_t height, bool coinbase, bool lenient,
                                bool *clean, struct error *e)
{
    struct outpoint at = {.txid = tx->txid};
    for (size_t i = 0; i < tx->out_count; i++) {
        if (script_is_unspendable(tx->out[i].script_pubkey)) continue;
        at.index = (uint32_t)i;
        struct coin coin;
        enum result r = coins_spend(coins, &at, &coin, e);
        if (r && r != RESULT_NOT_FOUND) return r;
        bool same = !r && coin.value == tx->out[i].value && coin.origin == coin_origin_of(height, coinbase) &&
                    span_equal(coin.script_pubkey, tx->out[i].script_pubkey);
        if (!same && !lenient) *clean = false;
    }
    return RESULT_OK;
}

static enum result restore_inputs(struct coins *coins, const struct tx *tx, const struct coin *spent, bool *clean,
                                  struct error *e)
{
    for (size_t i = tx->in_count; i-- > 0;) {
        struct coin there;
        enum result r = coins_get(coins, &tx->in[i].prevout, &there, e);
        if (r && r != RESULT_NOT_FOUND) return r;
        if (!r) *clean = false; /* nobody can have made it again */
        coins_add(coins, &tx->in[i].prevout, &spent[i], true);
    }
    return RESULT_OK;
}

enum result disconnect_block(struct coins *coins, const struct block_node *n, const struct block *block,
                             const struct undo *undo, bool *clean, struct error *e)
{
    *clean = true;
    if (!n->header.prev) return RESULT_OK;
    /* The two coinbases that were overwritten before they were spent cannot come back (BIP30). */
    bool lenient = block_is_bip30_unspendable(&n->header);
    size_t at = undo->count;
    for (size_t t = block->tx_count; t-- > 0;) {
        const struct tx *tx = &block->txs[t];
        enum result r = take_outputs(coins, tx, n->header.height, t == 0, lenient && t == 0, clean, e);
        if (r) return r;
        if (t == 0) break;
        CHECK(at >= tx->in_count);
        at -= tx->in_count;
        r = restore_inputs(coins, tx, undo->coins + at, clean, e);
        if (r) return r;
    }
    return RESULT_OK;
}
