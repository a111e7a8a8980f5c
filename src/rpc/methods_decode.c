/* Methods that decode what they are given: transactions and scripts. */
#include "base/hex.h"
#include "crypto/ripemd160.h"
#include "crypto/sha256.h"
#include "descriptor/descriptor.h"
#include "rpc/chain_call.h"
#include "rpc/table.h"
#include "rpc/tx_json.h"
#include "script/script.h"
#include "script/standard.h"

static void decoderawtransaction(struct rpc_call *call)
{
    const char *hex = rpc_arg_str(call, 0, "");
    bool witness = rpc_arg_bool(call, 1, true);
    struct arena arena = {0};
    struct buffer raw = {0};
    struct tx tx = {0};

    bool good = !rpc_failed(call) && *hex && hex_decode_append(&raw, hex, strlen(hex));
    if (good && !rpc_arg_given(call, 1)) good = tx_parse_any(&tx, buffer_span(&raw), &arena);
    if (good && rpc_arg_given(call, 1)) good = tx_parse(&tx, buffer_span(&raw), &arena, witness ? 0 : TX_NO_WITNESS);
    if (good) {
        jw_object(&call->out);
        tx_json_fields(&call->out, &tx, &(struct tx_json_extra){.prefixes = rpc_prefixes(call)});
        jw_object_end(&call->out);
    } else {
        rpc_fail(call, RPC_DESERIALIZATION_ERROR, "TX decode failed");
    }
    buffer_clear(&raw);
    arena_clear(&arena);
}

/* BIP342's OP_SUCCESSx, and OP_CHECKSIGADD: opcodes that mean something only in tapscript. */
static bool is_tapscript_opcode(uint8_t op)
{
    return op == OP_CHECKSIGADD || op == 80 || op == 98 || (op >= 126 && op <= 129) || (op >= 131 && op <= 134) ||
           (op >= 137 && op <= 138) || (op >= 141 && op <= 142) || (op >= 149 && op <= 153) || (op >= 187 && op <= 254);
}

/* True where every instruction is complete, known, and no tapscript opcode. */
static bool has_plain_opcodes(struct span script)
{
    size_t pos = 0;
    uint8_t op;
    struct span data;
    while (pos < script.len) {
        if (!script_next(script, &pos, &op, &data)) return false;
        if (op > OP_NOP10 || data.len > MAX_SCRIPT_ELEMENT_SIZE || is_tapscript_opcode(op)) return false;
    }
    return true;
}

static bool can_wrap(struct span script, enum script_kind kind)
{
    switch (kind) {
    case SCRIPT_MULTISIG:
    case SCRIPT_NONSTANDARD:
    case SCRIPT_PUBKEY:
    case SCRIPT_PUBKEYHASH:
    case SCRIPT_WITNESS_V0_KEYHASH:
    case SCRIPT_WITNESS_V0_SCRIPTHASH: break;
    default: return false;
    }
    return !script_is_unspendable(script) && (script.len == 0 || has_plain_opcodes(script));
}

/* Segwit takes compressed keys only. */
static bool can_wrap_p2wsh(const struct script_solution *s)
{
    if (s->kind == SCRIPT_NONSTANDARD || s->kind == SCRIPT_PUBKEYHASH) return true;
    if (s->kind != SCRIPT_MULTISIG && s->kind != SCRIPT_PUBKEY) return false;
    for (size_t i = 0; i < s->data_count; i++) {
        if (s->data[i].len != 33) return false;
    }
    return true;
}

static void put_p2sh_address(struct json_writer *w, const char *key, struct span script,
                             const struct address_prefixes *prefixes)
{
    struct destination dest = {.kind = DEST_P2SH, .len = 20};
    hash160(dest.program, script.data, script.len);
    jw_key(w, key);
    destination_json(w, &dest, prefixes);
}

static void put_segwit(struct json_writer *w, struct span script, const struct script_solution *s,
                       const struct address_prefixes *prefixes)
{
    struct destination dest = {.kind = DEST_WITNESS_V0_KEYHASH, .len = 20};
    struct buffer program = {0}, desc = {0};
    if (s->kind == SCRIPT_PUBKEY) {
        hash160(dest.program, s->data[0].data, s->data[0].len);
    } else if (s->kind == SCRIPT_PUBKEYHASH) {
        memcpy(dest.program, s->data[0].data, 20);
    } else {
        dest.kind = DEST_WITNESS_V0_SCRIPTHASH;
        dest.len = 32;
        sha256_once(dest.program, script.data, script.len);
    }
    destination_script(&program, &dest);
    if (dest.len == 32)
        descriptor_infer_wsh(&desc, script, prefixes);
    else
        descriptor_infer(&desc, buffer_span(&program), prefixes);

    jw_kv_object(w, "segwit");
    jw_key(w, "asm");
    script_asm_json(w, buffer_span(&program), false);
    jw_key(w, "desc");
    jw_str_span(w, buffer_span(&desc));
    jw_kv_hex(w, "hex", buffer_span(&program));
    jw_key(w, "address");
    destination_json(w, &dest, prefixes);
    jw_kv_str(w, "type", script_kind_name(dest.len == 32 ? SCRIPT_WITNESS_V0_SCRIPTHASH : SCRIPT_WITNESS_V0_KEYHASH));
    put_p2sh_address(w, "p2sh-segwit", buffer_span(&program), prefixes);
    jw_object_end(w);
    buffer_clear(&program);
    buffer_clear(&desc);
}

static void put_script_fields(struct json_writer *w, struct span script, const struct script_solution *solution,
                              const struct address_prefixes *prefixes)
{
    struct destination dest;
    struct buffer desc = {0};
    jw_key(w, "asm");
    script_asm_json(w, script, false);
    descriptor_infer(&desc, script, prefixes);
    jw_key(w, "desc");
    jw_str_span(w, buffer_span(&desc));
    buffer_clear(&desc);
    script_destination(&dest, script);
    if (dest.kind != DEST_NONE) {
        jw_key(w, "address");
        destination_json(w, &dest, prefixes);
    }
    jw_kv_str(w, "type", script_kind_name(solution->kind));
    if (!can_wrap(script, solution->kind)) return;
    put_p2sh_address(w, "p2sh", script, prefixes);
    if (can_wrap_p2wsh(solution)) put_segwit(w, script, solution, prefixes);
}

static void decodescript(struct rpc_call *call)
{
    struct buffer script = {0};
    struct script_solution solution;
    if (*rpc_arg_str(call, 0, "")) rpc_value_hex(call, call->args[0], "argument", &script);
    if (!rpc_failed(call)) {
        script_solve(&solution, buffer_span(&script));
        jw_object(&call->out);
        put_script_fields(&call->out, buffer_span(&script), &solution, rpc_prefixes(call));
        jw_object_end(&call->out);
    }
    buffer_clear(&script);
}

const struct rpc_method rpc_decode_methods[] = {
    {
        .name = "decoderawtransaction",
        .category = "rawtransactions",
        .summary = "Shows a serialized transaction as JSON.",
        .args = RPC_ARGS(
            RPC_ARG("hexstring", RPC_HEX, NULL, "The transaction in hex."),
            RPC_ARG("iswitness", RPC_BOOL, "tries both", "true reads it with witnesses only, false without only.")),
        .result = "txid, hash (string) Without and with the witnesses.\nversion, size, vsize, weight, locktime "
                  "(numeric)\nvin (json array) For each input: txid, vout, scriptSig {asm, hex}, txinwitness, "
                  "sequence; or coinbase.\nvout (json array) For each output: value (numeric, coins), n, scriptPubKey "
                  "{asm, desc, hex, address, type}.",
        .examples = "\"hexstring\"",
        .handler = decoderawtransaction,
    },
    {
        .name = "decodescript",
        .category = "rawtransactions",
        .summary = "Shows what a script says and the addresses that wrap it.",
        .args = RPC_ARGS(RPC_ARG("hexstring", RPC_HEX, NULL, "The script in hex; may be empty.")),
        .result = "asm, desc, type (string)\naddress (string, where there is one)\np2sh (string, where the script may "
                  "be wrapped) The P2SH address.\nsegwit (json object, where it may be) asm, desc, hex, address, type, "
                  "p2sh-segwit of its witness program.",
        .examples = "\"76a914000000000000000000000000000000000000000088ac\"",
        .handler = decodescript,
    },
    {.name = NULL},
};
