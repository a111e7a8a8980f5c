/* Methods that make, combine and sign raw transactions. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "base/hex.h"
#include "crypto/ripemd160.h"
#include "crypto/sha256.h"
#include "policy/standard.h"
#include "primitives/address.h"
#include "rpc/chain_call.h"
#include "rpc/raw_tx.h"
#include "rpc/table.h"
#include "script/sign.h"

static void createrawtransaction(struct rpc_call *call)
{
    struct arena arena = {0};
    struct tx tx;
    if (raw_tx_make(call, &tx, &arena)) raw_tx_hex_json(&call->out, &tx);
    arena_clear(&arena);
}

/* ---- combining ---- */

struct variants {
    struct tx *txs;
    size_t count;
    struct arena arena;
};

static void read_variants(struct rpc_call *call, const json_t *texts, struct variants *v)
{
    size_t count = json_array_size(texts);
    if (count < 2)
        rpc_fail(call, RPC_DESERIALIZATION_ERROR, "Missing transactions. At least two transactions required.");
    v->txs = arena_alloc_array(&v->arena, count + 1, sizeof *v->txs);
    for (size_t i = 0; i < count && !rpc_failed(call); i++) {
        const char *hex = rpc_value_str(call, json_array_get(texts, i));
        if (!rpc_failed(call) && !raw_tx_decode(&v->txs[i], hex, &v->arena))
            rpc_fail(call, RPC_DESERIALIZATION_ERROR,
                     "TX decode failed for tx %zu. Make sure the tx has at least one input.", i);
        v->count = i + 1;
    }
}

/* The id that TX would have without any signature. */
static struct txid bare_txid(const struct tx *tx)
{
    struct tx bare = *tx;
    bare.in = mem_calloc(tx->in_count + 1, sizeof *bare.in);
    for (size_t i = 0; i < tx->in_count; i++)
        bare.in[i] = (struct tx_in){.prevout = tx->in[i].prevout, .sequence = tx->in[i].sequence};
    bare.raw = span_of(NULL, 0);
    bare.has_witness = false;
    tx_hash(&bare);
    free(bare.in);
    return bare.txid;
}

static void check_variants(struct rpc_call *call, const struct variants *v)
{
    if (rpc_failed(call)) return;
    struct txid first = bare_txid(&v->txs[0]);
    for (size_t i = 1; i < v->count; i++) {
        struct txid other = bare_txid(&v->txs[i]);
        if (!txid_equal(&first, &other))
            rpc_fail(call, RPC_INVALID_PARAMETER, "Transaction number %zu not compatible with first transaction",
                     i + 1);
    }
}

static struct tx_out *find_spent(struct rpc_call *call, const struct tx *tx, struct arena *arena)
{
    struct tx_out *spent = arena_alloc_array(arena, tx->in_count + 1, sizeof *spent);
    for (size_t i = 0; i < tx->in_count && !rpc_failed(call); i++) {
        if (!raw_tx_find_coin(call, &tx->in[i].prevout, &spent[i], arena))
            rpc_fail(call, RPC_VERIFY_ERROR, "Input not found or already spent");
    }
    return spent;
}

/* All that the variants know about each input, into the first of them. */
static void combine(struct variants *v, const struct tx_out *spent)
{
    static const struct sign_keys none;
    struct tx *to = &v->txs[0];
    struct script_tx t;
    script_tx_init_all(&t, to, spent);
    for (size_t i = 0; i < to->in_count; i++) {
        struct sign_data all = {0}, one;
        struct sign_input in = {
            .t = &t, .index = i, .spent = &spent[i], .flags = STANDARD_SCRIPT_FLAGS, .arena = &v->arena};
        for (size_t k = 0; k < v->count; k++) {
            sign_data_read(&one, &in, v->txs[k].in[i].script_sig, &v->txs[k].in[i].witness);
            sign_data_merge(&all, &one);
        }
        (void)sign_data_make(&all, &in, &none, SIGHASH_ALL);
        to->in[i].script_sig = all.script_sig;
        to->in[i].witness = all.witness;
    }
}

static void combinerawtransaction(struct rpc_call *call)
{
    struct variants v = {0};
    read_variants(call, call->args[0], &v);
    check_variants(call, &v);
    struct tx_out *spent = rpc_failed(call) ? NULL : find_spent(call, &v.txs[0], &v.arena);
    if (!rpc_failed(call)) {
        combine(&v, spent);
        raw_tx_hex_json(&call->out, &v.txs[0]);
    }
    arena_clear(&v.arena);
}

/* ---- signing ---- */

struct known_output {
    uint8_t key[36]; /* txid and index */
    bool known;
    struct tx_out out;
};

struct signing {
    struct rpc_call *call;
    struct arena arena;
    struct tx tx;
    struct sign_keys keys;
    struct hashmap outputs; /* known_output, in the arena */
};

static struct known_output *output_at(struct signing *s, const struct outpoint *at)
{
    uint8_t key[36];
    memcpy(key, at->txid.bytes, 32);
    memcpy(key + 32, &at->index, 4);
    struct known_output *o = hashmap_get(&s->outputs, key);
    if (o) return o;
    o = arena_alloc(&s->arena, sizeof *o);
    *o = (struct known_output){.known = false};
    memcpy(o->key, key, sizeof key);
    hashmap_put(&s->outputs, o);
    return o;
}

static void read_keys(struct signing *s, const json_t *texts)
{
    for (size_t i = 0; i < json_array_size(texts) && !rpc_failed(s->call); i++) {
        const char *text = rpc_value_str(s->call, json_array_get(texts, i));
        uint8_t secret[32];
        bool compressed;
        if (rpc_failed(s->call)) return;
        if (!wif_decode(secret, &compressed, text, rpc_prefixes(s->call)) ||
            !sign_keys_add(&s->keys, secret, compressed))
            rpc_fail(s->call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid private key");
        explicit_bzero(secret, sizeof secret);
    }
}

static void find_coins(struct signing *s)
{
    for (size_t i = 0; i < s->tx.in_count && !rpc_failed(s->call); i++) {
        struct known_output *o = output_at(s, &s->tx.in[i].prevout);
        if (!o->known) o->known = raw_tx_find_coin(s->call, &s->tx.in[i].prevout, &o->out, &s->arena);
    }
}

/* An output that the chain has, too, must have the same script there. */
static void note_output(struct signing *s, const struct outpoint *at, struct span script, const json_t *amount)
{
    struct known_output *o = output_at(s, at);
    if (o->known && !span_equal(o->out.script_pubkey, script)) {
        struct buffer text = {0};
        script_asm(&text, o->out.script_pubkey, false);
        buffer_put_str(&text, "\nvs:\n");
        script_asm(&text, script, false);
        rpc_fail(s->call, RPC_DESERIALIZATION_ERROR, "Previous output scriptPubKey mismatch:\n%s", buffer_text(&text));
        buffer_clear(&text);
        return;
    }
    o->known = true;
    o->out =
        (struct tx_out){.value = amount ? rpc_value_amount(s->call, amount) : MAX_MONEY_SAT, .script_pubkey = script};
}

/* The script of hash160 or SHA-256 form that pays to SCRIPT: P2SH, P2WSH. */
static void script_paying_to(struct buffer *out, struct span script, bool witness)
{
    struct destination dest = {.kind = witness ? DEST_WITNESS_V0_SCRIPTHASH : DEST_P2SH, .len = witness ? 32 : 20};
    if (witness)
        sha256_once(dest.program, script.data, script.len);
    else
        hash160(dest.program, script.data, script.len);
    destination_script(out, &dest);
}

/* Notes the script that an output of hash PUBKEY pays to: by itself, and by its P2WSH form. */
static void note_scripts(struct signing *s, const json_t *prev, struct span pubkey)
{
    struct buffer script = {0}, redeem = {0}, program = {0}, p2sh = {0}, nested = {0};
    const json_t *rs = json_object_get(prev, "redeemScript"), *ws = json_object_get(prev, "witnessScript");
    rpc_check_field(s->call, prev, "redeemScript", "string", true);
    rpc_check_field(s->call, prev, "witnessScript", "string", true);
    bool has_rs = json_is_string(rs), has_ws = json_is_string(ws);
    if (!has_rs && !has_ws) rpc_fail(s->call, RPC_INVALID_PARAMETER, "Missing redeemScript/witnessScript");
    if (!rpc_failed(s->call)) {
        rpc_value_hex(s->call, has_ws ? ws : rs, has_ws ? "witnessScript" : "redeemScript", &script);
        script_paying_to(&program, buffer_span(&script), true);
        script_paying_to(&p2sh, buffer_span(&script), false);
        script_paying_to(&nested, buffer_span(&program), false);
        if (has_rs && has_ws && strcmp(json_string_value(rs), json_string_value(ws)) != 0) {
            rpc_value_hex(s->call, rs, "redeemScript", &redeem);
            if (!span_equal(buffer_span(&redeem), buffer_span(&program)))
                rpc_fail(s->call, RPC_INVALID_PARAMETER, "redeemScript does not correspond to witnessScript");
        }
        bool matches = script_is_p2sh(pubkey)
                           ? span_equal(pubkey, buffer_span(&p2sh)) || span_equal(pubkey, buffer_span(&nested))
                           : span_equal(pubkey, buffer_span(&program));
        if (!matches)
            rpc_fail(s->call, RPC_INVALID_PARAMETER, "redeemScript/witnessScript does not match scriptPubKey");
        sign_keys_add_script(&s->keys, buffer_span(&script));
        sign_keys_add_script(&s->keys, buffer_span(&program));
    }
    buffer_clear(&script);
    buffer_clear(&redeem);
    buffer_clear(&program);
    buffer_clear(&p2sh);
    buffer_clear(&nested);
}

static void read_prevtx(struct signing *s, const json_t *prev)
{
    struct outpoint at;
    struct buffer script = {0};
    if (!json_is_object(prev))
        rpc_fail(s->call, RPC_DESERIALIZATION_ERROR, "expected object with {\"txid'\",\"vout\",\"scriptPubKey\"}");
    if (rpc_failed(s->call)) return;
    rpc_check_field(s->call, prev, "scriptPubKey", "string", false);
    rpc_check_field(s->call, prev, "txid", "string", false);
    rpc_check_field(s->call, prev, "vout", "number", false);
    if (rpc_failed(s->call)) return;
    rpc_value_hash(s->call, json_object_get(prev, "txid"), "txid", at.txid.bytes);
    if (rpc_failed(s->call)) return;
    int32_t index = rpc_value_i32(s->call, json_object_get(prev, "vout"));
    if (index < 0) rpc_fail(s->call, RPC_DESERIALIZATION_ERROR, "vout cannot be negative");
    if (rpc_failed(s->call)) return;
    at.index = (uint32_t)index;
    rpc_value_hex(s->call, json_object_get(prev, "scriptPubKey"), "scriptPubKey", &script);
    if (!rpc_failed(s->call)) {
        uint8_t *copy = arena_alloc(&s->arena, script.len);
        memcpy(copy, script.data, script.len);
        struct span pubkey = span_of(copy, script.len);
        note_output(s, &at, pubkey, json_object_get(prev, "amount"));
        if (!rpc_failed(s->call) && (script_is_p2sh(pubkey) || script_is_p2wsh(pubkey))) note_scripts(s, prev, pubkey);
    }
    buffer_clear(&script);
}

static int read_hash_type(struct rpc_call *call, size_t index)
{
    static const struct {
        const char *name;
        int type;
    } types[] = {
        {"DEFAULT", SIGHASH_DEFAULT},
        {"ALL", SIGHASH_ALL},
        {"ALL|ANYONECANPAY", SIGHASH_ALL | SIGHASH_ANYONECANPAY},
        {"NONE", SIGHASH_NONE},
        {"NONE|ANYONECANPAY", SIGHASH_NONE | SIGHASH_ANYONECANPAY},
        {"SINGLE", SIGHASH_SINGLE},
        {"SINGLE|ANYONECANPAY", SIGHASH_SINGLE | SIGHASH_ANYONECANPAY},
    };
    const char *name = rpc_arg_str(call, index, "DEFAULT");
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(name, types[i].name) == 0) return types[i].type;
    }
    rpc_fail(call, RPC_INVALID_PARAMETER, "'%s' is not a valid sighash parameter.", name);
    return SIGHASH_DEFAULT;
}

static void put_input_error(struct json_writer *w, const struct tx_in *in, const char *error)
{
    jw_object(w);
    jw_kv_hash(w, "txid", in->prevout.txid.bytes);
    jw_kv_uint(w, "vout", in->prevout.index);
    jw_kv_array(w, "witness");
    for (size_t i = 0; i < in->witness.count; i++) jw_hex(w, in->witness.items[i]);
    jw_array_end(w);
    jw_kv_hex(w, "scriptSig", in->script_sig);
    jw_kv_uint(w, "sequence", in->sequence);
    jw_kv_str(w, "error", error);
    jw_object_end(w);
}

static void fail_missing_amount(struct rpc_call *call, const struct tx_out *out)
{
    enum { SHOWN = 15 }; /* bytes of the script */
    struct buffer hex = {0};
    hex_append(&hex, span_of(out->script_pubkey.data, out->script_pubkey.len < SHOWN ? out->script_pubkey.len : SHOWN));
    rpc_fail(call, RPC_TYPE_ERROR, "Missing amount for CTxOut(nValue=%lld.%08lld, scriptPubKey=%s)",
             (long long)(out->value / COIN_SAT), (long long)(out->value % COIN_SAT), buffer_text(&hex));
    buffer_clear(&hex);
}

static void put_signed(struct signing *s, bool complete, const struct tx_out *const *spent, const char **errors)
{
    struct json_writer *w = &s->call->out;
    for (size_t i = 0; i < s->tx.in_count; i++) {
        if (errors[i] == SIGN_MISSING_AMOUNT) fail_missing_amount(s->call, spent[i]);
    }
    if (rpc_failed(s->call)) return;
    jw_object(w);
    jw_key(w, "hex");
    raw_tx_hex_json(w, &s->tx);
    jw_kv_bool(w, "complete", complete);
    if (!complete) {
        jw_kv_array(w, "errors");
        for (size_t i = 0; i < s->tx.in_count; i++) {
            if (errors[i]) put_input_error(w, &s->tx.in[i], errors[i]);
        }
        jw_array_end(w);
    }
    jw_object_end(w);
}

static void sign_all(struct signing *s, int hash_type)
{
    const struct tx_out **spent = arena_alloc_array(&s->arena, s->tx.in_count + 1, sizeof *spent);
    const char **errors = arena_alloc_array(&s->arena, s->tx.in_count + 1, sizeof *errors);
    for (size_t i = 0; i < s->tx.in_count; i++) {
        const struct known_output *o = output_at(s, &s->tx.in[i].prevout);
        spent[i] = o->known ? &o->out : NULL;
    }
    bool complete = sign_tx(&s->tx, spent, &s->keys, hash_type, STANDARD_SCRIPT_FLAGS, &s->arena, errors);
    put_signed(s, complete, spent, errors);
}

static void signrawtransactionwithkey(struct rpc_call *call)
{
    struct signing s = {.call = call};
    hashmap_init(&s.outputs, offsetof(struct known_output, key), sizeof((struct known_output *)0)->key, 0);
    if (!raw_tx_decode(&s.tx, rpc_arg_str(call, 0, ""), &s.arena))
        rpc_fail(call, RPC_DESERIALIZATION_ERROR, "TX decode failed. Make sure the tx has at least one input.");
    if (!rpc_failed(call)) {
        read_keys(&s, call->args[1]);
        find_coins(&s);
        for (size_t i = 0; i < json_array_size(call->args[2]) && !rpc_failed(call); i++)
            read_prevtx(&s, json_array_get(call->args[2], i));
        int hash_type = rpc_failed(call) ? SIGHASH_DEFAULT : read_hash_type(call, 3);
        if (!rpc_failed(call)) sign_all(&s, hash_type);
    }
    sign_keys_clear(&s.keys);
    hashmap_clear(&s.outputs);
    arena_clear(&s.arena);
}

const struct rpc_method rpc_raw_methods[] = {
    {
        .name = "createrawtransaction",
        .category = "rawtransactions",
        .summary = "Makes a transaction out of inputs and outputs. It is not signed, kept or sent anywhere.",
        .args = RPC_ARGS(RAW_TX_ARGS),
        .result = "\"hex\" (string) The transaction.",
        .examples = "'[{\"txid\":\"mytxid\",\"vout\":0}]' '[{\"address\":0.01},{\"data\":\"00010203\"}]'",
        .handler = createrawtransaction,
    },
    {
        .name = "combinerawtransaction",
        .category = "rawtransactions",
        .summary = "Combines the signatures of several copies of one transaction. Its inputs must be unspent.",
        .args = RPC_ARGS(RPC_ARG("txs", RPC_ARR, NULL, "Two or more copies, each signed in part.",
                                 .inner = RPC_ARGS(RPC_ARG("hexstring", RPC_HEX, "", "A transaction in hex.")))),
        .result = "\"hex\" (string) The transaction with all signatures.",
        .examples = "'[\"myhex1\",\"myhex2\",\"myhex3\"]'",
        .handler = combinerawtransaction,
        .needs_node = true,
    },
    {
        .name = "signrawtransactionwithkey",
        .category = "rawtransactions",
        .summary = "Signs the inputs of a transaction with the keys that are given, and no other.\nWhat they spend is "
                   "looked up in the chain, or given, too.",
        .args = RPC_ARGS(
            RPC_ARG("hexstring", RPC_STR, NULL, "The transaction in hex."),
            RPC_ARG("privkeys", RPC_ARR, NULL, "The private keys (WIF).",
                    .inner = RPC_ARGS(RPC_ARG("privatekey", RPC_STR, "", "A key."))),
            RPC_ARG("prevtxs", RPC_ARR, "", "Outputs that are spent and may not be in the chain yet.",
                    .inner = RPC_ARGS(RPC_ARG(
                        "", RPC_OBJ, "", "",
                        .inner = RPC_ARGS(RPC_ARG("txid", RPC_HEX, NULL, "The transaction's id."),
                                          RPC_ARG("vout", RPC_NUM, NULL, "The output's number."),
                                          RPC_ARG("scriptPubKey", RPC_HEX, NULL, "Its script."),
                                          RPC_ARG("redeemScript", RPC_HEX, "", "For P2SH: the script that was hashed."),
                                          RPC_ARG("witnessScript", RPC_HEX, "",
                                                  "For P2WSH, also inside P2SH: the script that was hashed."),
                                          RPC_ARG("amount", RPC_AMOUNT, "", "For segwit: the amount in coins."))))),
            RPC_ARG("sighashtype", RPC_STR, "DEFAULT for taproot, ALL for others",
                    "What is signed: DEFAULT, ALL, NONE, SINGLE, ALL|ANYONECANPAY, NONE|ANYONECANPAY or\n"
                    "SINGLE|ANYONECANPAY.")),
        .result = "hex (string) The transaction, signed as far as the keys go.\ncomplete (boolean) Every input has "
                  "all it needs.\nerrors (json array, where not complete) txid, vout, witness, scriptSig, sequence, "
                  "error of each input that\nhas not.",
        .examples = "\"myhex\" '[\"key1\",\"key2\"]'",
        .handler = signrawtransactionwithkey,
        .needs_node = true,
    },
    {.name = NULL},
};
