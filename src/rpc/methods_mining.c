/* Methods that make blocks and hand them in. */
#include <stdlib.h>

#include "base/hex.h"
#include "consensus/pow.h"
#include "descriptor/descriptor.h"
#include "policy/standard.h"
#include "primitives/compact_size.h"
#include "rpc/chain_call.h"
#include "rpc/help.h"
#include "rpc/table.h"
#include "rpc/template.h"
#include "script/script.h"

enum { DEFAULT_TRIES = 1000000 };

/* ---- making blocks ---- */

/* Submits B; false and the call failed where it was not accepted. */
static bool submit_made(struct rpc_call *call, const struct block *b)
{
    struct verdict v = {0};
    struct error e = {0};
    bool is_new = false;
    enum result r = node_submit_block(call->node, b, &is_new, &v, &e);
    if (r != RESULT_OK)
        rpc_fail_result(call, RPC_INTERNAL_ERROR, r, &e);
    else if (!verdict_ok(&v))
        rpc_fail(call, RPC_INTERNAL_ERROR, "ProcessNewBlock, block not accepted");
    return !rpc_failed(call);
}

/* One block with what the pool has; true where a nonce was found within TRIES. */
static bool generate_one(struct rpc_call *call, struct span script, uint64_t *tries)
{
    struct block_template *t = rpc_make_template(call, script, true);
    if (!t) return false;
    block_template_seal(t);
    bool made = block_template_solve(t, &call->node->chain->params, tries) && submit_made(call, t->block);
    if (made) jw_hash(&call->out, t->block->hash.bytes);
    block_template_free(t);
    return made;
}

static void generate_blocks(struct rpc_call *call, struct span script, int32_t count, uint64_t tries)
{
    jw_array(&call->out);
    while (count > 0 && tries > 0 && !call->node->stop_wanted && !rpc_failed(call))
        if (generate_one(call, script, &tries)) count--;
    jw_array_end(&call->out);
}

static uint64_t arg_tries(struct rpc_call *call, size_t index)
{
    int64_t tries = rpc_arg_i32(call, index, DEFAULT_TRIES);
    return tries > 0 ? (uint64_t)tries : 0;
}

static void generatetoaddress(struct rpc_call *call)
{
    struct destination dest;
    struct buffer script = {0};
    int32_t count = rpc_arg_i32(call, 0, 0);
    uint64_t tries = arg_tries(call, 2);
    if (!rpc_failed(call) && !address_decode(&dest, rpc_arg_str(call, 1, ""), rpc_prefixes(call), NULL))
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Error: Invalid address");
    if (rpc_failed(call)) return;
    destination_script(&script, &dest);
    generate_blocks(call, buffer_span(&script), count, tries);
    buffer_clear(&script);
}

/* The script that a descriptor stands for: of combo()'s, P2WPKH where it has one, else P2PKH. False and a sentence
 * where TEXT is no descriptor; one of many scripts, or none that we can make, fails the call. */
static bool descriptor_script(struct rpc_call *call, const char *text, struct buffer *out,
                              char error[DESCRIPTOR_ERROR_TEXT])
{
    struct descriptor_scripts s;
    if (!descriptor_expand(&s, span_str(text), false, rpc_prefixes(call), error)) return false;
    if (s.ranged)
        rpc_fail(call, RPC_INVALID_PARAMETER,
                 "Ranged descriptor not accepted. Maybe pass through deriveaddresses first?");
    else if (s.needs_secrets)
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Cannot derive script without private keys");
    size_t index = s.count == 4 ? 2 : s.count == 2 ? 1 : 0;
    buffer_put_span(out, buffer_span(&s.script[index]));
    descriptor_scripts_clear(&s);
    return true;
}

static void generatetodescriptor(struct rpc_call *call)
{
    char error[DESCRIPTOR_ERROR_TEXT];
    struct buffer script = {0};
    int32_t count = rpc_arg_i32(call, 0, 0);
    uint64_t tries = arg_tries(call, 2);
    if (!rpc_failed(call) && !descriptor_script(call, rpc_arg_str(call, 1, ""), &script, error))
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", error);
    if (!rpc_failed(call)) generate_blocks(call, buffer_span(&script), count, tries);
    buffer_clear(&script);
}

/* ---- generateblock ---- */

static void output_script(struct rpc_call *call, struct buffer *out)
{
    char error[DESCRIPTOR_ERROR_TEXT];
    struct destination dest;
    const char *text = rpc_arg_str(call, 0, "");
    if (descriptor_script(call, text, out, error) || rpc_failed(call)) return;
    if (address_decode(&dest, text, rpc_prefixes(call), NULL))
        destination_script(out, &dest);
    else
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Error: Invalid address or descriptor");
}

/* The pool's transaction with this id: its bytes stay the pool's. */
static void take_pooled(struct rpc_call *call, const char *hex, struct tx *out)
{
    struct txid txid;
    const struct mempool_entry *e = NULL;
    if (hex_decode_reversed(txid.bytes, 32, hex)) e = mempool_find(call->node->mempool, &txid);
    if (e)
        *out = e->tx;
    else
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Transaction %s not in mempool.", hex);
}

/* Reads the transactions of argument 1; they live in ARENA or in the pool. */
static struct tx *read_transactions(struct rpc_call *call, struct arena *arena, size_t *count)
{
    const json_t *array = call->args[1];
    size_t n = json_array_size(array);
    struct tx *txs = arena_alloc_array(arena, n + 1, sizeof *txs);
    memset(txs, 0, (n + 1) * sizeof *txs);
    *count = n;
    for (size_t i = 0; i < n && !rpc_failed(call); i++) {
        const char *hex = rpc_value_str(call, json_array_get(array, i));
        size_t len = strlen(hex);
        if (rpc_failed(call)) break;
        if (len == 64 && hex_is(hex, len)) {
            take_pooled(call, hex, &txs[i]);
            continue;
        }
        uint8_t *raw = arena_alloc(arena, len / 2 + 1);
        if (len == 0 || !hex_decode(raw, len / 2, hex) || !tx_parse(&txs[i], span_of(raw, len / 2), arena, 0))
            rpc_fail(call, RPC_DESERIALIZATION_ERROR,
                     "Transaction decode failed for %s. Make sure the tx has at least one input.", hex);
    }
    return txs;
}

/* Fails the call where B would not be valid on the tip. */
static void test_block(struct rpc_call *call, const struct block *b)
{
    struct verdict v = {0};
    struct error e = {0};
    char text[300];
    enum result r = chain_test_block(call->node->chain, b, node_time_s(call->node), BLOCK_CHECK_NO_POW, &v, &e);
    if (r != RESULT_OK)
        rpc_fail_result(call, RPC_INTERNAL_ERROR, r, &e);
    else if (!verdict_ok(&v))
        rpc_fail(call, RPC_VERIFY_ERROR, "TestBlockValidity failed: %s", verdict_text(text, sizeof text, &v));
}

static void finish_block(struct rpc_call *call, const struct block *b, bool submit)
{
    if (submit && !submit_made(call, b)) return;
    jw_object(&call->out);
    jw_kv_hash(&call->out, "hash", b->hash.bytes);
    if (!submit) jw_kv_hex(&call->out, "hex", b->raw);
    jw_object_end(&call->out);
}

/* A block of TXS on the tip whose fees are left to nobody. */
static void make_block(struct rpc_call *call, struct span script, const struct tx *txs, size_t count, bool submit)
{
    struct node *n = call->node;
    struct buffer raw = {0};
    uint64_t tries = DEFAULT_TRIES;
    struct block_template *bare = rpc_make_template(call, script, false);
    if (!bare) return;
    block_template_build(n->chain, node_time_s(n), script, txs, count, 0, &raw);
    put_le32(raw.data, (uint32_t)bare->block->header.version);
    block_template_free(bare);
    struct block *b = block_parse(buffer_span(&raw));
    if (b)
        test_block(call, b);
    else
        rpc_fail(call, RPC_INTERNAL_ERROR, "Failed to make block.");
    block_free(b);
    if (!rpc_failed(call) && !nonce_search(raw.data, &n->chain->params, &tries))
        rpc_fail(call, RPC_MISC_ERROR, "Failed to make block.");
    b = rpc_failed(call) ? NULL : block_parse(buffer_span(&raw));
    if (b) finish_block(call, b, submit);
    block_free(b);
    buffer_clear(&raw);
}

static void generateblock(struct rpc_call *call)
{
    struct arena arena = {0};
    struct buffer script = {0};
    size_t count = 0;
    output_script(call, &script);
    struct tx *txs = read_transactions(call, &arena, &count);
    bool submit = rpc_arg_bool(call, 2, true);
    if (!rpc_failed(call)) make_block(call, buffer_span(&script), txs, count, submit);
    buffer_clear(&script);
    arena_clear(&arena);
}

static void generate(struct rpc_call *call)
{
    struct buffer help = {0};
    rpc_help_method(&help, call->method);
    rpc_fail(call, RPC_METHOD_NOT_FOUND, "%s", buffer_text(&help));
    buffer_clear(&help);
}

/* ---- submitting ---- */

/* Writes B anew with the reserved value of BIP141 in its coinbase. */
static void put_with_reserved_value(struct buffer *out, const struct block *b)
{
    static const uint8_t zeroes[32];
    struct span item = span_of(zeroes, sizeof zeroes);
    struct tx coinbase = b->txs[0];
    struct tx_in in = coinbase.in[0];
    in.witness = (struct witness){.items = &item, .count = 1};
    coinbase.in = &in;
    coinbase.has_witness = true;
    coinbase.raw = span_of(NULL, 0);
    buffer_put(out, b->raw.data, HEADER_BYTES);
    buffer_put_compact_size(out, b->tx_count);
    tx_write(out, &coinbase);
    for (size_t i = 1; i < b->tx_count; i++) buffer_put_span(out, b->txs[i].raw);
}

/* Parses a block that somebody made; bytes behind it do not count. One that commits to its witness and leaves out the
 * reserved value gets it. */
static struct block *parse_submitted(const struct chain *c, const struct buffer *raw, struct buffer *completed)
{
    struct reader r = reader_of(buffer_span(raw));
    struct block *b = block_read(&r);
    if (!b || b->tx_count == 0 || b->txs[0].in_count == 0) return b;
    const struct block_node *prev = chain_find(c, &b->header.prev);
    bool segwit = prev && prev->header.height + 1 >= c->params.buried[BURIED_SEGWIT];
    if (!segwit || b->txs[0].has_witness || block_witness_commitment(b) < 0) return b;
    put_with_reserved_value(completed, b);
    block_free(b);
    return block_parse(buffer_span(completed));
}

/* BIP22: null for a block that is connected now, else a word. WAS_ACTIVE: it was connected before, and its data, which
 * were pruned, are back. */
static void put_outcome(struct rpc_call *call, const struct block *b, bool is_new, bool was_active,
                        const struct verdict *v)
{
    const struct chain *c = call->node->chain;
    const struct block_node *n = chain_find(c, &b->hash);
    if (!verdict_ok(v))
        jw_str(&call->out, v->reason[0] ? v->reason : "rejected");
    else if (!is_new)
        jw_str(&call->out, "duplicate");
    else if (was_active || !n || !chain_contains(c, n))
        jw_str(&call->out, "inconclusive");
    else
        jw_null(&call->out);
}

static void submitblock(struct rpc_call *call)
{
    struct buffer raw = {0}, completed = {0};
    struct verdict v = {0};
    struct error e = {0};
    bool is_new = false;
    const char *hex = rpc_arg_str(call, 0, "");
    struct block *b = NULL;
    if (hex_decode_append(&raw, hex, strlen(hex))) b = parse_submitted(call->node->chain, &raw, &completed);
    if (b) {
        const struct block_node *n = chain_find(call->node->chain, &b->hash);
        bool was_active = n && chain_contains(call->node->chain, n);
        enum result r = node_submit_block(call->node, b, &is_new, &v, &e);
        if (r == RESULT_OK)
            put_outcome(call, b, is_new, was_active, &v);
        else
            rpc_fail_result(call, RPC_VERIFY_ERROR, r, &e);
        block_free(b);
    } else {
        rpc_fail(call, RPC_DESERIALIZATION_ERROR, "Block decode failed");
    }
    buffer_clear(&raw);
    buffer_clear(&completed);
}

static void submitheader(struct rpc_call *call)
{
    struct chain *c = call->node->chain;
    struct buffer raw = {0};
    struct block_header header = {0};
    struct block_node *n;
    struct verdict v = {0};
    char text[HASH_TEXT];
    const char *hex = rpc_arg_str(call, 0, "");
    bool good = hex_decode_append(&raw, hex, strlen(hex)) && raw.len >= HEADER_BYTES;
    if (good) {
        struct reader r = reader_of(buffer_span(&raw));
        block_header_read(&header, &r);
    }
    buffer_clear(&raw);
    if (!good)
        rpc_fail(call, RPC_DESERIALIZATION_ERROR, "Block header decode failed");
    else if (!chain_find(c, &header.prev))
        rpc_fail(call, RPC_VERIFY_ERROR, "Must submit previous header (%s) first", block_hash_text(text, &header.prev));
    else if (!chain_accept_header(c, &header, node_time_s(call->node), false, &n, &v))
        rpc_fail(call, RPC_VERIFY_ERROR, "%s", v.reason);
}

/* ---- the state of mining ---- */

/* Hashes a second over LOOKUP blocks (-1: since the last retarget) up to HEIGHT (-1: the tip). */
static double network_hash_rate(struct rpc_call *call, int32_t lookup, int32_t height)
{
    const struct chain *c = call->node->chain;
    if (lookup < -1 || lookup == 0)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid nblocks. Must be a positive number or -1.");
    if (height < -1 || height > chain_height(c))
        rpc_fail(call, RPC_INVALID_PARAMETER, "Block does not exist at specified height");
    if (rpc_failed(call)) return 0;
    const struct header_node *last = height >= 0 ? &chain_at(c, height)->header : &chain_tip(c)->header;
    if (last->height == 0) return 0;
    if (lookup == -1) lookup = last->height % retarget_interval(&c->params) + 1;
    if (lookup > last->height) lookup = last->height;
    const struct header_node *first = last;
    int64_t earliest = last->time, latest = last->time;
    for (int32_t i = 0; i < lookup; i++) {
        first = first->prev;
        if (first->time < earliest) earliest = first->time;
        if (first->time > latest) latest = first->time;
    }
    if (earliest == latest) return 0;
    return u256_to_double(u256_sub(last->chainwork, first->chainwork)) / (double)(latest - earliest);
}

static void getnetworkhashps(struct rpc_call *call)
{
    double rate = network_hash_rate(call, rpc_arg_i32(call, 0, 120), rpc_arg_i32(call, 1, -1));
    jw_double(&call->out, rate);
}

/* Time of an empty block on TIP now: after the median time past. */
static uint32_t next_time(const struct rpc_call *call, const struct block_node *tip)
{
    int64_t earliest = header_median_time(&tip->header) + 1, now = node_time_s(call->node);
    return (uint32_t)(now > earliest ? now : earliest);
}

static void getmininginfo(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    const struct chain *c = call->node->chain;
    const struct block_node *tip = chain_tip(c);
    uint32_t next_bits = pow_next_bits(&tip->header, next_time(call, tip), &c->params);
    jw_object(w);
    jw_kv_int(w, "blocks", tip->header.height);
    if (call->node->template_made) {
        jw_kv_uint(w, "currentblockweight", call->node->template_weight_wu);
        jw_kv_uint(w, "currentblocktx", call->node->template_txs);
    }
    rpc_put_bits(w, tip->header.bits, true);
    jw_kv_double(w, "networkhashps", network_hash_rate(call, 120, -1));
    jw_kv_uint(w, "pooledtx", mempool_count(call->node->mempool));
    jw_kv_amount(w, "blockmintxfee", call->node->options.block_min_fee_sat);
    jw_kv_str(w, "chain", c->params.name);
    jw_kv_object(w, "next");
    jw_kv_int(w, "height", tip->header.height + 1);
    rpc_put_bits(w, next_bits, true);
    jw_object_end(w);
    if (c->params.signet) jw_kv_hex(w, "signet_challenge", c->params.signet_challenge);
    rpc_put_warnings(call);
    jw_object_end(w);
}

/* ---- what the user wants mined ---- */

static void prioritisetransaction(struct rpc_call *call)
{
    struct mempool *m = call->node->mempool;
    struct txid txid;
    rpc_arg_hash(call, 0, "txid", txid.bytes);
    double dummy = rpc_arg_given(call, 1) ? rpc_value_double(call, call->args[1]) : 0;
    amount_sat delta = rpc_arg_i64(call, 2, 0);
    if (dummy != 0)
        rpc_fail(call, RPC_INVALID_PARAMETER,
                 "Priority is no longer supported, dummy argument to prioritisetransaction must be 0.");
    if (rpc_failed(call)) return;
    /* Dust came in because its transaction pays nothing that would make mining it worth while. */
    const struct mempool_options *o = mempool_options_of(m);
    const struct mempool_entry *e = mempool_find(m, &txid);
    if (e && o->require_standard && count_dust(&e->tx, o->standard.dust, NULL))
        rpc_fail(call, RPC_INVALID_PARAMETER, "Priority is not supported for transactions with dust outputs.");
    if (rpc_failed(call)) return;
    mempool_prioritise(m, &txid, delta);
    jw_bool(&call->out, true);
}

static void getprioritisedtransactions(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    size_t count;
    struct mempool_delta *deltas = mempool_deltas(call->node->mempool, &count);
    jw_object(w);
    for (size_t i = 0; i < count; i++) {
        char text[HASH_TEXT];
        jw_kv_object(w, txid_text(text, &deltas[i].txid));
        jw_kv_int(w, "fee_delta", deltas[i].delta);
        jw_kv_bool(w, "in_mempool", deltas[i].entry != NULL);
        if (deltas[i].entry) jw_kv_int(w, "modified_fee", mempool_modified_fee(deltas[i].entry));
        jw_object_end(w);
    }
    jw_object_end(w);
    free(deltas);
}

#define TRIES_ARG RPC_ARG("maxtries", RPC_NUM, "1000000", "How many nonces to try in all.")

const struct rpc_method rpc_mining_methods[] = {
    {
        .name = "generatetoaddress",
        .category = "hidden",
        .summary = "Makes blocks that pay to an address.",
        .args = RPC_ARGS(RPC_ARG("nblocks", RPC_NUM, NULL, "How many."),
                         RPC_ARG("address", RPC_STR, NULL, "The address."), TRIES_ARG),
        .result = "[ \"hash\", ... ] (json array) Their hashes.",
        .examples = "11 \"myaddress\"",
        .handler = generatetoaddress,
        .needs_node = true,
    },
    {
        .name = "generatetodescriptor",
        .category = "hidden",
        .summary = "Makes blocks that pay to the script of a descriptor.",
        .args = RPC_ARGS(RPC_ARG("num_blocks", RPC_NUM, NULL, "How many."),
                         RPC_ARG("descriptor", RPC_STR, NULL, "The descriptor."), TRIES_ARG),
        .result = "[ \"hash\", ... ] (json array) Their hashes.",
        .examples = "11 \"mydesc\"",
        .handler = generatetodescriptor,
        .needs_node = true,
    },
    {
        .name = "generateblock",
        .category = "hidden",
        .summary = "Makes one block of the transactions that are given, in their order. Their fees are left to nobody.",
        .args = RPC_ARGS(RPC_ARG("output", RPC_STR, NULL, "An address or a descriptor to pay to."),
                         RPC_ARG("transactions", RPC_ARR, NULL, "Transactions in hex, or ids of unconfirmed ones.",
                                 .inner = RPC_ARGS(RPC_ARG("rawtx/txid", RPC_HEX, "", "A transaction."))),
                         RPC_ARG("submit", RPC_BOOL, "true", "false gives the block's bytes instead.")),
        .result = "hash (string)\nhex (string, with submit=false)",
        .examples = "\"myaddress\" '[\"rawtx\"]'",
        .handler = generateblock,
        .needs_node = true,
    },
    {
        .name = "generate",
        .category = "hidden",
        .summary = "has been replaced by the -generate cli option. Refer to -help for more information.",
        .handler = generate,
    },
    {
        .name = "submitblock",
        .category = "mining",
        .summary = "Hands in a block (BIP22).",
        .args = RPC_ARGS(RPC_ARG("hexdata", RPC_HEX, NULL, "The block in hex."),
                         RPC_ARG("dummy", RPC_STR, "ignored", "BIP22 has a second argument.")),
        .result =
            "null where it is the tip now; else the reason (string): \"duplicate\", \"inconclusive\", or the rule "
            "that it breaks.",
        .examples = "\"mydata\"",
        .handler = submitblock,
        .needs_node = true,
    },
    {
        .name = "submitheader",
        .category = "mining",
        .summary = "Hands in a header; an error where it is invalid.",
        .args = RPC_ARGS(RPC_ARG("hexdata", RPC_HEX, NULL, "The 80 bytes in hex.")),
        .result = "",
        .examples = "\"aabbcc\"",
        .handler = submitheader,
        .needs_node = true,
    },
    {
        .name = "prioritisetransaction",
        .category = "mining",
        .summary = "Counts a transaction for more or less than it pays, when blocks are made and room is, now or when "
                   "it comes.\nThe difference is paid by nobody.",
        .args = RPC_ARGS(
            RPC_ARG("txid", RPC_HEX, NULL, "The transaction's id."),
            RPC_ARG("dummy", RPC_NUM, "", "Must be zero or null; name the other arguments and leave it out."),
            RPC_ARG("fee_delta", RPC_NUM, NULL, "Satoshis to add to its fee, negative to take off; not a rate.")),
        .result = "true (boolean)",
        .examples = "\"txid\" 0.0 10000",
        .handler = prioritisetransaction,
        .needs_node = true,
    },
    {
        .name = "getprioritisedtransactions",
        .category = "mining",
        .summary = "What prioritisetransaction has added up to.",
        .result =
            "by txid: fee_delta (numeric, satoshis), in_mempool (boolean), modified_fee (numeric, satoshis, where "
            "it is\nin the pool)",
        .examples = "",
        .handler = getprioritisedtransactions,
        .needs_node = true,
    },
    {
        .name = "getnetworkhashps",
        .category = "mining",
        .summary = "How many hashes a second the network makes, by the work and times of blocks.",
        .args = RPC_ARGS(RPC_ARG("nblocks", RPC_NUM, "120", "Blocks to look at; -1: those since the last retarget."),
                         RPC_ARG("height", RPC_NUM, "-1", "The last of them; -1: the tip.")),
        .result = "n (numeric)",
        .examples = "",
        .handler = getnetworkhashps,
        .needs_node = true,
    },
    {
        .name = "getmininginfo",
        .category = "mining",
        .summary = "What a miner asks first.",
        .result = "blocks (numeric), currentblockweight, currentblocktx (numeric, once a template was made), bits "
                  "(string), difficulty (numeric), target (string), networkhashps, pooledtx, "
                  "blockmintxfee (numeric), chain (string),\nnext (json object) height, bits, difficulty, target of "
                  "the next block\nsignet_challenge (signet only), warnings",
        .examples = "",
        .handler = getmininginfo,
        .needs_node = true,
    },
    {.name = NULL},
};
