/* getblocktemplate: what a miner is to work on, and whether a block that a miner proposes would be valid (BIP22, BIP23,
 * BIP145). */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "base/hex.h"
#include "consensus/pow.h"
#include "consensus/versionbits.h"
#include "p2p/p2p.h"
#include "rpc/chain_call.h"
#include "rpc/network_call.h"
#include "rpc/table.h"
#include "rpc/template.h"

enum {
    SIGOPS_COST_LIMIT = 80000,
    SIZE_LIMIT = 4000000, /* bytes with the witness; as many weight units */
    WITNESS_SCALE = 4,
    TEMPLATE_AGE_S = 5, /* what is older is made anew for another pool */
    POLL_FIRST_US = 60 * 1000000,
    POLL_AGAIN_US = 10 * 1000000,
};

static void choose(struct node *n, struct template_choice *out)
{
    struct template_limits limits = template_limits_default();
    if (n->options.block_max_weight_wu) limits.max_weight_wu = n->options.block_max_weight_wu;
    limits.reserved_weight_wu = n->options.block_reserved_weight_wu;
    limits.min_rate = (struct fee_rate){n->options.block_min_fee_sat};
    limits.log = n->options.print_priority ? n->log : NULL;
    template_choose(n->mempool, n->chain, &limits, out);
}

/* As a block that is submitted, but for root and work, which it has not yet. */
static bool is_valid(struct rpc_call *call, const struct block_template *t)
{
    struct verdict v = {0};
    struct error e = {0};
    char text[300];
    struct node *n = call->node;
    unsigned flags = BLOCK_CHECK_NO_POW | BLOCK_CHECK_NO_MERKLE;
    enum result r = chain_test_block(n->chain, t->block, node_time_s(n), flags, &v, &e);
    if (r != RESULT_OK)
        rpc_fail_result(call, RPC_MISC_ERROR, r, &e);
    else if (!verdict_ok(&v))
        rpc_fail(call, RPC_MISC_ERROR, "TestBlockValidity failed: %s", verdict_text(text, sizeof text, &v));
    return !rpc_failed(call);
}

struct block_template *rpc_make_template(struct rpc_call *call, struct span script_pubkey, bool with_pool)
{
    struct node *n = call->node;
    struct template_choice choice = {.weight_wu = n->options.block_reserved_weight_wu};
    const struct template_wishes wishes = {.script_pubkey = script_pubkey, .version = n->options.block_version};
    if (with_pool) choose(n, &choice);
    n->template_made = true;
    n->template_txs = choice.count;
    n->template_weight_wu = choice.weight_wu;
    struct block_template *t = block_template_new(n->chain, node_time_s(n), &choice, &wishes);
    template_choice_clear(&choice);
    log_info(n->log, "CreateNewBlock(): block weight: %llu txs: %zu fees: %lld sigops %llu",
             (unsigned long long)block_weight(t->block), t->block->tx_count - 1, (long long)t->fees_sat,
             (unsigned long long)t->sigop_cost);
    if (is_valid(call, t)) return t;
    block_template_free(t);
    return NULL;
}

/* ---- proposals ---- */

/* BIP22's words for a block that we know already; NULL where we do not. */
static const char *known_word(const struct chain *c, const struct block_hash *hash)
{
    const struct block_node *n = chain_find(c, hash);
    if (!n) return NULL;
    if (n->status & BLOCK_ANY_FAILURE) return "duplicate-invalid";
    return chain_contains(c, n) || n->status & BLOCK_HAVE_UNDO ? "duplicate" : "duplicate-inconclusive";
}

static void judge(struct rpc_call *call, const struct block *b)
{
    struct verdict v = {0};
    struct error e = {0};
    const char *known = known_word(call->node->chain, &b->hash);
    if (known) {
        jw_str(&call->out, known);
        return;
    }
    enum result r = chain_test_block(call->node->chain, b, node_time_s(call->node), BLOCK_CHECK_NO_POW, &v, &e);
    if (r != RESULT_OK)
        rpc_fail_result(call, RPC_VERIFY_ERROR, r, &e);
    else if (verdict_ok(&v))
        jw_null(&call->out);
    else
        jw_str(&call->out, v.reason[0] ? v.reason : "rejected");
}

static void propose(struct rpc_call *call, const json_t *request)
{
    const char *hex = json_string_value(json_object_get(request, "data"));
    struct buffer raw = {0};
    if (!hex) {
        rpc_fail(call, RPC_TYPE_ERROR, "Missing data String key for proposal");
        return;
    }
    struct block *b = NULL;
    if (hex_decode_append(&raw, hex, strlen(hex))) b = block_parse(buffer_span(&raw));
    if (b)
        judge(call, b);
    else
        rpc_fail(call, RPC_DESERIALIZATION_ERROR, "Block decode failed");
    block_free(b);
    buffer_clear(&raw);
}

/* ---- templates ---- */

static bool has_rule(const json_t *request, const char *name)
{
    const json_t *rules = json_object_get(request, "rules");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const char *rule = json_string_value(json_array_get(rules, i));
        if (rule && strcmp(rule, name) == 0) return true;
    }
    return false;
}

static void check_rules(struct rpc_call *call, const json_t *request)
{
    const json_t *rules = json_object_get(request, "rules");
    for (size_t i = 0; i < json_array_size(rules); i++) rpc_value_str(call, json_array_get(rules, i));
    if (call->node->chain->params.signet && !has_rule(request, "signet"))
        rpc_fail(call, RPC_INVALID_PARAMETER,
                 "getblocktemplate must be called with the signet rule set (call with {\"rules\": [\"segwit\", "
                 "\"signet\"]})");
    if (!has_rule(request, "segwit"))
        rpc_fail(call, RPC_INVALID_PARAMETER,
                 "getblocktemplate must be called with the segwit rule set (call with {\"rules\": [\"segwit\"]})");
}

/* The rule's name as miners see it: one that they must understand has a '!' before it. */
static const char *rule_text(char out[64], const struct bip9_params *d)
{
    snprintf(out, 64, "%s%s", d->gbt_optional ? "" : "!", d->name);
    return out;
}

static void put_rules(struct rpc_call *call, const json_t *request, const struct header_node *tip, bool segwit)
{
    struct json_writer *w = &call->out;
    const struct chain_params *p = &call->node->chain->params;
    char text[64];
    jw_kv_array(w, "rules");
    jw_str(w, "csv");
    if (segwit) {
        jw_str(w, "!segwit");
        jw_str(w, "taproot");
    }
    if (p->signet) jw_str(w, "!signet");
    for (size_t i = 0; i < DEPLOYMENT_COUNT; i++) {
        const struct bip9_params *d = &p->deployments[i];
        if (bip9_state_after(d, tip) != BIP9_ACTIVE) continue;
        jw_str(w, rule_text(text, d));
        if (!d->gbt_optional && !has_rule(request, d->name))
            rpc_fail(call, RPC_INVALID_PARAMETER, "Support for '%s' rule requires explicit client support", d->name);
    }
    jw_array_end(w);
}

static bool is_signalling(const struct bip9_params *d, const struct header_node *tip)
{
    enum bip9_state state = bip9_state_after(d, tip);
    return state == BIP9_STARTED || state == BIP9_LOCKED_IN;
}

/* A miner who does not know a deployment does not signal for it. */
static int32_t template_version(const struct rpc_call *call, const json_t *request, const struct header_node *tip,
                                int32_t version)
{
    const struct chain_params *p = &call->node->chain->params;
    for (size_t i = 0; i < DEPLOYMENT_COUNT; i++) {
        const struct bip9_params *d = &p->deployments[i];
        uint32_t bit = UINT32_C(1) << d->bit;
        if (bip9_state_after(d, tip) == BIP9_LOCKED_IN) version = (int32_t)((uint32_t)version | bit);
        if (is_signalling(d, tip) && !d->gbt_optional && !has_rule(request, d->name))
            version = (int32_t)((uint32_t)version & ~bit);
    }
    return version;
}

static void put_available(struct rpc_call *call, const struct header_node *tip)
{
    const struct chain_params *p = &call->node->chain->params;
    char text[64];
    jw_kv_object(&call->out, "vbavailable");
    for (size_t i = 0; i < DEPLOYMENT_COUNT; i++) {
        if (!is_signalling(&p->deployments[i], tip)) continue;
        jw_kv_int(&call->out, rule_text(text, &p->deployments[i]), p->deployments[i].bit);
    }
    jw_object_end(&call->out);
}

static void put_words(struct json_writer *w, const char *key, const char *const *words)
{
    jw_kv_array(w, key);
    for (; *words; words++) jw_str(w, *words);
    jw_array_end(w);
}

static void put_limits(struct json_writer *w, bool segwit)
{
    jw_kv_str(w, "noncerange", "00000000ffffffff");
    jw_kv_int(w, "sigoplimit", segwit ? SIGOPS_COST_LIMIT : SIGOPS_COST_LIMIT / WITNESS_SCALE);
    jw_kv_int(w, "sizelimit", segwit ? SIZE_LIMIT : SIZE_LIMIT / WITNESS_SCALE);
    if (segwit) jw_kv_int(w, "weightlimit", SIZE_LIMIT);
}

static void put_long_poll_id(struct json_writer *w, const struct block_template *t)
{
    char hash[HASH_TEXT], text[HASH_TEXT + 24];
    block_hash_text(hash, &t->block->header.prev);
    snprintf(text, sizeof text, "%s%llu", hash, (unsigned long long)t->pool_updates);
    jw_kv_str(w, "longpollid", text);
}

/* A transaction by its txid, as where it stands. */
struct place {
    struct txid txid;
    size_t at; /* 1: the first behind the coinbase */
};

static void put_depends(struct json_writer *w, const struct hashmap *places, const struct tx *tx)
{
    jw_kv_array(w, "depends");
    for (size_t i = 0; i < tx->in_count; i++) {
        const struct place *place = hashmap_get(places, &tx->in[i].prevout.txid);
        if (place) jw_uint(w, place->at);
    }
    jw_array_end(w);
}

static void put_transactions(struct json_writer *w, const struct block_template *t, bool segwit)
{
    size_t count = t->block->tx_count - 1;
    struct place *places = mem_alloc((count + 1) * sizeof *places);
    struct hashmap by_txid;
    hashmap_init(&by_txid, offsetof(struct place, txid), sizeof places->txid, t->pool_updates);
    jw_kv_array(w, "transactions");
    for (size_t i = 0; i < count; i++) {
        const struct tx *tx = &t->block->txs[i + 1];
        places[i] = (struct place){tx->txid, i + 1};
        hashmap_put(&by_txid, &places[i]);
        jw_object(w);
        jw_kv_hex(w, "data", tx->raw);
        jw_kv_hash(w, "txid", tx->txid.bytes);
        jw_kv_hash(w, "hash", tx->wtxid.bytes);
        put_depends(w, &by_txid, tx);
        jw_kv_int(w, "fee", t->of[i].fee);
        jw_kv_uint(w, "sigops", segwit ? t->of[i].sigop_cost : t->of[i].sigop_cost / WITNESS_SCALE);
        jw_kv_uint(w, "weight", tx_weight(tx));
        jw_object_end(w);
    }
    jw_array_end(w);
    hashmap_clear(&by_txid);
    free(places);
}

static void put_template(struct rpc_call *call, const json_t *request, const struct block_template *t)
{
    static const char *const capabilities[] = {"proposal", NULL};
    static const char *const mutables[] = {"time", "transactions", "prevblock", NULL};
    struct json_writer *w = &call->out;
    struct chain *c = call->node->chain;
    const struct header_node *tip = &chain_tip(c)->header;
    const struct block *b = t->block;
    bool segwit = buried_active(&c->params, BURIED_SEGWIT, tip->height + 1);
    jw_object(w);
    put_words(w, "capabilities", capabilities);
    jw_kv_int(w, "version", template_version(call, request, tip, b->header.version));
    put_rules(call, request, tip, segwit);
    put_available(call, tip);
    jw_kv_int(w, "vbrequired", 0);
    jw_kv_hash(w, "previousblockhash", tip->hash.bytes);
    put_transactions(w, t, segwit);
    jw_kv_object(w, "coinbaseaux");
    jw_object_end(w);
    jw_kv_int(w, "coinbasevalue", b->txs[0].out[0].value);
    put_long_poll_id(w, t);
    rpc_put_u256(w, "target", compact_to_target(b->header.bits, NULL, NULL));
    jw_kv_int(w, "mintime", template_least_time(c, tip));
    put_words(w, "mutable", mutables);
    put_limits(w, segwit);
    jw_kv_int(w, "curtime", b->header.time);
    char bits[9];
    snprintf(bits, sizeof bits, "%08x", b->header.bits);
    jw_kv_str(w, "bits", bits);
    jw_kv_int(w, "height", tip->height + 1);
    if (c->params.signet) jw_kv_hex(w, "signet_challenge", c->params.signet_challenge);
    if (b->txs[0].out_count > 1) jw_kv_hex(w, "default_witness_commitment", b->txs[0].out[1].script_pubkey);
    jw_object_end(w);
}

/* All who ask share one; it is made anew on another tip, and for another pool after some seconds. */
static struct block_template *shared_template(struct rpc_call *call)
{
    static const uint8_t anyone[] = {0x51};
    struct node *n = call->node;
    struct block_template *t = n->shared_template;
    uint64_t updates = mempool_updates(n->mempool);
    bool on_tip = t && block_hash_equal(&t->block->header.prev, &chain_tip(n->chain)->header.hash);
    if (on_tip && (t->pool_updates == updates || node_time_s(n) - t->made_s <= TEMPLATE_AGE_S)) return t;
    block_template_free(t);
    n->shared_template = t = rpc_make_template(call, span_of(anyone, sizeof anyone), true);
    if (t) t->pool_updates = updates;
    return t;
}

static void answer(struct rpc_call *call, const json_t *request)
{
    struct node *n = call->node;
    check_rules(call, request);
    if (rpc_failed(call)) return;
    struct block_template *t = shared_template(call);
    if (!t) return;
    block_template_update_time(t, n->chain, node_time_s(n));
    put_template(call, request, t);
}

/* ---- long polling ---- */

struct poll {
    struct block_hash tip;
    uint64_t pool_updates;
};

/* Another tip counts at once; another pool where it is looked at: after a minute, then every ten seconds. */
static bool poll_wake(struct rpc_call *call, enum rpc_wake why)
{
    const struct poll *poll = call->deferral.state;
    struct node *n = call->node;
    bool over = !block_hash_equal(&poll->tip, &chain_tip(n->chain)->header.hash);
    if (why == RPC_WAKE_TIMEOUT) {
        over = over || mempool_updates(n->mempool) != poll->pool_updates;
        call->deferral.deadline_us = call->now_us + POLL_AGAIN_US;
    }
    if (!over || why == RPC_WAKE_STOP) return false;
    answer(call, call->args[0]);
    return true;
}

static void long_poll(struct rpc_call *call, const json_t *id)
{
    struct node *n = call->node;
    struct poll poll = {.tip = chain_tip(n->chain)->header.hash};
    const char *text = json_string_value(id);
    if (text) { /* the tip's hash, and the count of the pool's changes */
        char hash[HASH_TEXT];
        snprintf(hash, sizeof hash, "%.64s", text);
        json_t *v = json_string(hash);
        rpc_value_hash(call, v, "longpollid", poll.tip.bytes);
        json_decref(v);
        if (!rpc_failed(call)) poll.pool_updates = strtoull(text + HASH_TEXT - 1, NULL, 10);
    } else if (n->shared_template) {
        poll.pool_updates = n->shared_template->pool_updates;
    }
    if (rpc_failed(call)) return;
    rpc_defer(call, &(struct rpc_deferral){.wake = poll_wake,
                                           .free_state = free,
                                           .state = mem_dup(&poll, sizeof poll),
                                           .deadline_us = call->now_us + POLL_FIRST_US});
}

/* Who is not on the network, or not up to date, would mine for nothing: refused where it costs. */
static void check_connected(struct rpc_call *call)
{
    struct node *n = call->node;
    if (n->chain->params.type != CHAIN_MAIN) return;
    struct p2p *peers = rpc_peers(call);
    if (peers && p2p_count(peers, true, true) == 0) rpc_fail(call, RPC_CLIENT_NOT_CONNECTED, "cairn is not connected!");
    if (chain_is_initial_download(n->chain, node_time_s(n)))
        rpc_fail(call, RPC_CLIENT_IN_INITIAL_DOWNLOAD, "cairn is in initial sync and waiting for blocks...");
}

static void getblocktemplate(struct rpc_call *call)
{
    const json_t *request = call->args[0];
    const json_t *mode_value = json_object_get(request, "mode"), *id = json_object_get(request, "longpollid");
    bool given = mode_value && !json_is_null(mode_value);
    const char *mode = given ? json_string_value(mode_value) : "template";
    if (mode && strcmp(mode, "proposal") == 0) {
        propose(call, request);
        return;
    }
    if (!mode || strcmp(mode, "template") != 0) rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid mode");
    if (!rpc_failed(call)) check_connected(call);
    if (rpc_failed(call)) return;
    if (id && !json_is_null(id))
        long_poll(call, id);
    else
        answer(call, request);
}

const struct rpc_method rpc_template_methods[] = {
    {
        .name = "getblocktemplate",
        .category = "mining",
        .summary = "A block to work on; or, as a proposal, whether a block would be valid but for its\nproof of work "
                   "(BIP22, BIP23, BIP9, BIP145).",
        .args = RPC_ARGS(RPC_ARG(
            "template_request", RPC_OBJ, NULL, "What is wanted.",
            .inner =
                RPC_ARGS(RPC_ARG("mode", RPC_STR, "", "\"template\" (this is the default) or \"proposal\"."),
                         RPC_ARG("capabilities", RPC_ARR, "", "What the miner can do; read by nobody.",
                                 .inner = RPC_ARGS(RPC_ARG("str", RPC_STR, "", "A capability."))),
                         RPC_ARG("rules", RPC_ARR, NULL, "Rules that the miner understands; segwit must be among them.",
                                 .inner = RPC_ARGS(RPC_ARG("segwit", RPC_STR, NULL, "Must be there."),
                                                   RPC_ARG("str", RPC_STR, "", "Another one."))),
                         RPC_ARG("longpollid", RPC_STR, "", "Answer when the template with this id is out of date."),
                         RPC_ARG("data", RPC_HEX, "", "The proposed block.")))),
        .result = "template: capabilities, version, rules, vbavailable, vbrequired, previousblockhash, transactions,\n"
                  "coinbaseaux, coinbasevalue (numeric, satoshis), longpollid, target, mintime, mutable, noncerange,\n"
                  "sigoplimit, sizelimit, weightlimit, curtime, bits, height, signet_challenge,\n"
                  "default_witness_commitment\n"
                  "proposal: null, or the rule that the block breaks (string)",
        .examples = "'{\"rules\": [\"segwit\"]}'",
        .handler = getblocktemplate,
        .needs_node = true,
    },
    {.name = NULL},
};
