/* Methods about keys: multisig addresses, and messages signed with an address's key. */
#include "base/base64.h"
#include "base/hex.h"
#include "crypto/ripemd160.h"
#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "descriptor/descriptor.h"
#include "rpc/chain_call.h"
#include "rpc/table.h"
#include "rpc/tx_json.h"
#include "script/script.h"
#include "script/taproot.h"

/* ---- multisig ---- */

enum address_type { ADDRESS_LEGACY, ADDRESS_P2SH_SEGWIT, ADDRESS_BECH32 };

struct multisig {
    struct buffer script;
    size_t keys;
    bool compressed; /* all of them */
};

/* Appends the push of a key, which must be on the curve. */
static void read_pubkey(struct rpc_call *call, const json_t *v, struct multisig *m)
{
    const char *text = rpc_value_str(call, v);
    uint8_t key[65];
    size_t digits = strlen(text);
    if (rpc_failed(call)) return;
    if (!digits || !hex_is(text, digits))
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Pubkey \"%s\" must be a hex string", text);
    else if (digits != 66 && digits != 130)
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Pubkey \"%s\" must have a length of either 33 or 65 bytes", text);
    else if (!hex_decode(key, digits / 2, text) || !pubkey_is_valid(span_of(key, digits / 2)))
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Pubkey \"%s\" must be cryptographically valid.", text);
    if (rpc_failed(call)) return;
    script_put_push(&m->script, span_of(key, digits / 2));
    m->compressed = m->compressed && digits == 66;
    m->keys++;
}

static enum address_type read_address_type(struct rpc_call *call, size_t index)
{
    static const char *const names[] = {"legacy", "p2sh-segwit", "bech32"};
    const char *name = rpc_arg_str(call, index, "legacy");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(name, names[i]) == 0) return (enum address_type)i;
    }
    if (strcmp(name, "bech32m") == 0)
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "createmultisig cannot create bech32m multisig addresses");
    else
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Unknown address type '%s'", name);
    return ADDRESS_LEGACY;
}

static void check_multisig(struct rpc_call *call, int required, const struct multisig *m)
{
    if (required < 1)
        rpc_fail(call, RPC_INVALID_PARAMETER, "a multisignature address must require at least one key to redeem");
    else if (m->keys < (size_t)required)
        rpc_fail(call, RPC_INVALID_PARAMETER, "not enough keys supplied (got %zu keys, but need at least %d to redeem)",
                 m->keys, required);
    else if (m->keys > MAX_PUBKEYS_PER_MULTISIG)
        rpc_fail(call, RPC_INVALID_PARAMETER,
                 "Number of keys involved in the multisignature address creation > %d\nReduce the number",
                 MAX_PUBKEYS_PER_MULTISIG);
}

static void put_multisig(struct rpc_call *call, struct span script, enum address_type type, bool other_type)
{
    struct json_writer *w = &call->out;
    struct destination dest = {.kind = DEST_P2SH, .len = 20};
    uint8_t program[34] = {OP_0, 32};
    struct buffer text = {0};
    sha256_once(program + 2, script.data, script.len);
    switch (type) {
    case ADDRESS_LEGACY: hash160(dest.program, script.data, script.len); break;
    case ADDRESS_P2SH_SEGWIT: hash160(dest.program, program, sizeof program); break;
    case ADDRESS_BECH32:
        dest.kind = DEST_WITNESS_V0_SCRIPTHASH;
        dest.len = 32;
        memcpy(dest.program, program + 2, 32);
    }
    jw_object(w);
    jw_key(w, "address");
    destination_json(w, &dest, rpc_prefixes(call));
    jw_kv_hex(w, "redeemScript", script);
    if (type == ADDRESS_BECH32)
        descriptor_infer_wsh(&text, script, rpc_prefixes(call));
    else
        descriptor_infer_sh(&text, script, type == ADDRESS_P2SH_SEGWIT, rpc_prefixes(call));
    jw_key(w, "descriptor");
    jw_str_span(w, buffer_span(&text));
    if (other_type) {
        jw_kv_array(w, "warnings");
        jw_str(w, "Unable to make chosen address type, please ensure no uncompressed public keys are present.");
        jw_array_end(w);
    }
    jw_object_end(w);
    buffer_clear(&text);
}

static void createmultisig(struct rpc_call *call)
{
    struct multisig m = {.compressed = true};
    int required = rpc_arg_i32(call, 0, 0);
    script_put_int(&m.script, required);
    for (size_t i = 0; i < json_array_size(call->args[1]) && !rpc_failed(call); i++)
        read_pubkey(call, json_array_get(call->args[1], i), &m);
    enum address_type type = read_address_type(call, 2), asked = type;
    check_multisig(call, required, &m);
    script_put_int(&m.script, (int64_t)m.keys);
    buffer_put_u8(&m.script, OP_CHECKMULTISIG);
    if (!m.compressed) type = ADDRESS_LEGACY;
    if (type == ADDRESS_LEGACY && m.script.len > MAX_SCRIPT_ELEMENT_SIZE)
        rpc_fail(call, RPC_INVALID_PARAMETER, "redeemScript exceeds size limit: %zu > %d", m.script.len,
                 MAX_SCRIPT_ELEMENT_SIZE);
    if (!rpc_failed(call)) put_multisig(call, buffer_span(&m.script), type, type != asked);
    buffer_clear(&m.script);
}

/* ---- messages ---- */

/* What is signed: no transaction can have this hash. */
static void message_hash(uint8_t out[32], const json_t *message)
{
    static const char magic[] = "Bitcoin Signed Message:\n";
    struct sha256 h;
    sha256_init(&h);
    sha256_put_compact_size(&h, sizeof magic - 1);
    sha256_put(&h, magic, sizeof magic - 1);
    sha256_put_compact_size(&h, json_string_length(message));
    sha256_put(&h, json_string_value(message), json_string_length(message));
    sha256_final_double(&h, out);
}

static void signmessagewithprivkey(struct rpc_call *call)
{
    uint8_t secret[32], hash[32], sig[65];
    bool compressed;
    struct buffer text = {0};
    if (!wif_decode(secret, &compressed, rpc_arg_str(call, 0, ""), rpc_prefixes(call))) {
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid private key");
        return;
    }
    message_hash(hash, call->args[1]);
    if (ecdsa_sign_compact(sig, secret, compressed, hash)) {
        base64_append(&text, span_of(sig, sizeof sig));
        jw_str_span(&call->out, buffer_span(&text));
    } else {
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Sign failed");
    }
    explicit_bzero(secret, sizeof secret);
    buffer_clear(&text);
}

static void verifymessage(struct rpc_call *call)
{
    struct destination dest;
    struct buffer sig = {0};
    uint8_t hash[32], key[65], id[20];
    if (!address_decode(&dest, rpc_arg_str(call, 0, ""), rpc_prefixes(call), NULL))
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid address");
    else if (dest.kind != DEST_P2PKH)
        rpc_fail(call, RPC_TYPE_ERROR, "Address does not refer to key");
    else if (!base64_decode_append(&sig, span_str(rpc_arg_str(call, 1, ""))))
        rpc_fail(call, RPC_TYPE_ERROR, "Malformed base64 encoding");
    if (!rpc_failed(call)) {
        message_hash(hash, call->args[2]);
        size_t len = ecdsa_recover_compact(key, buffer_span(&sig), hash);
        hash160(id, key, len);
        jw_bool(&call->out, len && memcmp(id, dest.program, sizeof id) == 0);
    }
    buffer_clear(&sig);
}

const struct rpc_method rpc_key_methods[] = {
    {
        .name = "createmultisig",
        .category = "util",
        .summary = "The address from which several of some keys together can spend.",
        .args = RPC_ARGS(RPC_ARG("nrequired", RPC_NUM, NULL, "How many of the keys must sign."),
                         RPC_ARG("keys", RPC_ARR, NULL, "The public keys.",
                                 .inner = RPC_ARGS(RPC_ARG("key", RPC_HEX, "", "A public key in hex."))),
                         RPC_ARG("address_type", RPC_STR, "legacy", "legacy, p2sh-segwit or bech32.")),
        .result = "address (string)\nredeemScript (string) The script in hex.\ndescriptor (string)\nwarnings (json "
                  "array, where there are any) With an uncompressed key the address is a legacy one.",
        .examples = "2 '[\"03789ed0bb717d88f7d321a368d905e7430207ebbd82bd342cf11ae157a7ace5fd\","
                    "\"03dbc6764b8884a92e871274b87583e6d5c2a58819473e17e107ef3f6aa5a61626\"]'",
        .handler = createmultisig,
    },
    {
        .name = "signmessagewithprivkey",
        .category = "util",
        .summary = "Signs a message with a private key.",
        .args = RPC_ARGS(RPC_ARG("privkey", RPC_STR, NULL, "The private key (WIF)."),
                         RPC_ARG("message", RPC_STR, NULL, "The message.", .flags = RPC_CLI_STRING)),
        .result = "\"signature\" (string) In base64.",
        .examples = "\"privkey\" \"my message\"",
        .handler = signmessagewithprivkey,
    },
    {
        .name = "verifymessage",
        .category = "util",
        .summary = "Whether a message was signed with the key of a legacy address.",
        .args = RPC_ARGS(RPC_ARG("address", RPC_STR, NULL, "The address."),
                         RPC_ARG("signature", RPC_STR, NULL, "The signature in base64.", .flags = RPC_CLI_STRING),
                         RPC_ARG("message", RPC_STR, NULL, "The message.", .flags = RPC_CLI_STRING)),
        .result = "true or false (boolean)",
        .examples = "\"1D1ZrZNe3JUo7ZycKEYQQiQAWd9y54F4XX\" \"signature\" \"my message\"",
        .handler = verifymessage,
    },
    {.name = NULL},
};
