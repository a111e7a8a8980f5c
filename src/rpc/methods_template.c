/* getblocktemplate: what a miner is to work on, and whether a block that a miner proposes would be valid (BIP22, BIP23,
 * BIP145). */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/endian.h"
#include "base/hex.h"
#include "consensus/pow.h"
#include "consensus/versionbits.h"
#include "miner/block_template.h"
#include "rpc/chain_call.h"
#include "rpc/table.h"
#include "rpc/template.h"

enum {
    SIGOPS_COST_LIMIT = 80000,
    SIZE_LIMIT = 4000000, /* bytes with the witness; as many weight units */
    WITNESS_SCALE = 4,
};

void rpc_build_template(struct rpc_call *call, struct span script_pubkey, const struct tx *txs, size_t tx_count,
                        struct buffer *out)
{
    struct node *n = call->node;
    size_t start = out->len;
    block_template_build(n->chain, node_time_s(n), script_pubkey, txs, tx_count, 0, out);
    if (n->options.block_version) put_le32(out->data + start, (uint32_t)n->options.block_version);
    n->template_made = true;
    n->template_txs = tx_count;
    n->template_weight_wu = n->options.block_reserved_weight_wu;
    for (size_t i = 0; i < tx_count; i++) n->template_weight_wu += tx_weight(&txs[i]);
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
        if (is_signalling(d, tip) && !d->gbt_optional && !has_rule(request, d->name))
            version = (int32_t)((uint32_t)version & ~(UINT32_C(1) << d->bit));
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

static void put_long_poll_id(struct json_writer *w, const struct header_node *tip)
{
    char hash[HASH_TEXT], text[HASH_TEXT + 2];
    snprintf(text, sizeof text, "%s0", block_hash_text(hash, &tip->hash)); /* no pool: nothing else ever changes */
    jw_kv_str(w, "longpollid", text);
}

static void put_template(struct rpc_call *call, const json_t *request, const struct block *b)
{
    static const char *const capabilities[] = {"proposal", NULL};
    static const char *const mutables[] = {"time", "transactions", "prevblock", NULL};
    struct json_writer *w = &call->out;
    struct chain *c = call->node->chain;
    const struct header_node *tip = &chain_tip(c)->header;
    bool segwit = buried_active(&c->params, BURIED_SEGWIT, tip->height + 1);
    jw_object(w);
    put_words(w, "capabilities", capabilities);
    jw_kv_int(w, "version", template_version(call, request, tip, b->header.version));
    put_rules(call, request, tip, segwit);
    put_available(call, tip);
    jw_kv_int(w, "vbrequired", 0);
    jw_kv_hash(w, "previousblockhash", tip->hash.bytes);
    jw_kv_array(w, "transactions");
    jw_array_end(w);
    jw_kv_object(w, "coinbaseaux");
    jw_object_end(w);
    jw_kv_int(w, "coinbasevalue", b->txs[0].out[0].value);
    put_long_poll_id(w, tip);
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

static void answer(struct rpc_call *call, const json_t *request)
{
    static const uint8_t anyone[] = {0x51};
    struct buffer raw = {0};
    check_rules(call, request);
    if (rpc_failed(call)) return;
    rpc_build_template(call, span_of(anyone, sizeof anyone), NULL, 0, &raw);
    struct block *b = block_parse(buffer_span(&raw));
    if (b)
        put_template(call, request, b);
    else
        rpc_fail(call, RPC_INTERNAL_ERROR, "Failed to make block.");
    block_free(b);
    buffer_clear(&raw);
}

/* ---- long polling ---- */

static bool poll_wake(struct rpc_call *call, enum rpc_wake why)
{
    const struct block_hash *watched = call->deferral.state;
    if (why != RPC_WAKE_EVENT) return false;
    if (block_hash_equal(watched, &chain_tip(call->node->chain)->header.hash)) return false;
    answer(call, call->args[0]);
    return true;
}

static void long_poll(struct rpc_call *call, const json_t *id)
{
    struct block_hash watched = chain_tip(call->node->chain)->header.hash;
    const char *text = json_string_value(id);
    if (text) { /* the tip's hash, and a count of the pool's changes */
        char hash[HASH_TEXT];
        snprintf(hash, sizeof hash, "%.64s", text);
        json_t *v = json_string(hash);
        rpc_value_hash(call, v, "longpollid", watched.bytes);
        json_decref(v);
    }
    if (rpc_failed(call)) return;
    rpc_defer(call, &(struct rpc_deferral){
                        .wake = poll_wake, .free_state = free, .state = mem_dup(&watched, sizeof watched)});
}

static void getblocktemplate(struct rpc_call *call)
{
    const json_t *request = call->args[0];
    const json_t *mode_value = json_object_get(request, "mode"), *id = json_object_get(request, "longpollid");
    bool given = mode_value && !json_is_null(mode_value);
    const char *mode = given ? json_string_value(mode_value) : "template";
    struct node *n = call->node;
    if (mode && strcmp(mode, "proposal") == 0)
        propose(call, request);
    else if (!mode || strcmp(mode, "template") != 0)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid mode");
    else if (n->chain->params.type == CHAIN_MAIN && chain_is_initial_download(n->chain, node_time_s(n)))
        rpc_fail(call, RPC_CLIENT_IN_INITIAL_DOWNLOAD, "cairn is in initial sync and waiting for blocks...");
    else if (id && !json_is_null(id))
        long_poll(call, id);
    else
        answer(call, request);
}

const struct rpc_method rpc_template_methods[] = {
    {
        .name = "getblocktemplate",
        .category = "mining",
        .summary = "A block to work on, without any transactions yet; or, as a proposal, whether a block would be "
                   "valid but for its\nproof of work (BIP22, BIP23, BIP9, BIP145).",
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
