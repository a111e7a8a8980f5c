/* Methods about addresses, keys and descriptors. */
#include <stdlib.h>

#include "base/alloc.h"
#include "descriptor/descriptor.h"
#include "rpc/chain_call.h"
#include "rpc/table.h"
#include "rpc/tx_json.h"
#include "script/standard.h"

static void put_witness(struct json_writer *w, const struct destination *dest, int version)
{
    jw_kv_int(w, "witness_version", version);
    jw_kv_hex(w, "witness_program", span_of(dest->program, dest->len));
}

static void describe(struct json_writer *w, const struct destination *dest)
{
    bool is_script = dest->kind == DEST_P2SH || dest->kind == DEST_WITNESS_V0_SCRIPTHASH ||
                     dest->kind == DEST_WITNESS_V1_TAPROOT || dest->kind == DEST_ANCHOR;
    bool is_witness = dest->kind != DEST_P2PKH && dest->kind != DEST_P2SH;
    if (dest->kind != DEST_WITNESS_UNKNOWN) jw_kv_bool(w, "isscript", is_script);
    jw_kv_bool(w, "iswitness", is_witness);
    if (is_witness && dest->kind != DEST_ANCHOR) put_witness(w, dest, dest->version);
}

static void validateaddress(struct rpc_call *call)
{
    struct json_writer *w = &call->out;
    struct destination dest;
    struct address_error *error = mem_calloc(1, sizeof *error);
    struct buffer script = {0};
    bool valid = address_decode(&dest, rpc_arg_str(call, 0, ""), rpc_prefixes(call), error);

    jw_object(w);
    jw_kv_bool(w, "isvalid", valid);
    if (valid) {
        jw_key(w, "address");
        destination_json(w, &dest, rpc_prefixes(call));
        destination_script(&script, &dest);
        jw_kv_hex(w, "scriptPubKey", buffer_span(&script));
        describe(w, &dest);
    } else {
        jw_kv_array(w, "error_locations");
        for (size_t i = 0; i < error->location_count; i++) jw_int(w, error->locations[i]);
        jw_array_end(w);
        jw_kv_str(w, "error", error->message ? error->message : "");
    }
    jw_object_end(w);
    buffer_clear(&script);
    free(error);
}

/* Scripts of descriptor argument 0, or a failure of the call. */
static bool expand_arg(struct rpc_call *call, bool checksum_required, struct descriptor_scripts *out)
{
    char error[DESCRIPTOR_ERROR_TEXT];
    const char *text = rpc_arg_str(call, 0, "");
    if (descriptor_expand(out, span_str(text), checksum_required, rpc_prefixes(call), error)) return true;
    rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", error);
    return false;
}

static void getdescriptorinfo(struct rpc_call *call)
{
    char error[DESCRIPTOR_ERROR_TEXT], checksum[DESCRIPTOR_CHECKSUM_TEXT] = "";
    struct json_writer *w = &call->out;
    struct descriptor_scripts scripts;
    struct span body = {0};
    struct buffer text = {0};
    if (!expand_arg(call, false, &scripts)) return;
    bool split = descriptor_split(span_str(rpc_arg_str(call, 0, "")), false, &body, checksum, error);
    if (split) {
        buffer_put_span(&text, body);
        buffer_printf(&text, "#%s", checksum);
        jw_object(w);
        jw_key(w, "descriptor");
        jw_str_span(w, buffer_span(&text));
        jw_kv_str(w, "checksum", checksum);
        jw_kv_bool(w, "isrange", false);
        jw_kv_bool(w, "issolvable", scripts.solvable);
        jw_kv_bool(w, "hasprivatekeys", false);
        jw_object_end(w);
    }
    buffer_clear(&text);
    descriptor_scripts_clear(&scripts);
}

static void deriveaddresses(struct rpc_call *call)
{
    struct descriptor_scripts scripts;
    struct json_writer *w = &call->out;
    if (!expand_arg(call, true, &scripts)) return;
    if (rpc_arg_given(call, 1)) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Range should not be specified for an un-ranged descriptor");
        descriptor_scripts_clear(&scripts);
        return;
    }
    jw_array(w);
    for (size_t i = 0; i < scripts.count; i++) {
        struct destination dest;
        script_destination(&dest, buffer_span(&scripts.script[i]));
        if (dest.kind == DEST_NONE && scripts.count > 1 && i == 0) continue; /* the bare key of combo() */
        if (!destination_json(w, &dest, rpc_prefixes(call)))
            rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Descriptor does not have a corresponding address");
    }
    jw_array_end(w);
    descriptor_scripts_clear(&scripts);
}

const struct rpc_method rpc_address_methods[] = {
    {
        .name = "validateaddress",
        .category = "util",
        .summary = "Return information about the given bitcoin address.",
        .args = RPC_ARGS(RPC_ARG("address", RPC_STR, NULL, "The address.")),
        .result = "isvalid (boolean)\naddress (string, where valid)\nscriptPubKey (string, where valid) The script "
                  "that pays to it, in hex.\nisscript, iswitness (boolean, where valid)\nwitness_version (numeric, "
                  "segwit only)\nwitness_program (string, segwit only)\nerror_locations (json array, where not valid) "
                  "Positions of likely typing errors.\nerror (string, where not valid)",
        .examples = "\"bc1q09vm5lfy0j5reeulh4x5752q25uqqvz34hufdl\"",
        .handler = validateaddress,
    },
    {
        .name = "getdescriptorinfo",
        .category = "util",
        .summary = "Checks a descriptor and computes its checksum.",
        .args = RPC_ARGS(RPC_ARG("descriptor", RPC_STR, NULL, "The descriptor.")),
        .result = "descriptor (string) With its checksum.\nchecksum (string) Of the descriptor as it was given.\n"
                  "isrange, issolvable, hasprivatekeys (boolean)",
        .examples = "\"wpkh(02d34d7ee2fbb5b5b3c0a3bdbd5f1e7eb3ac0e4b5aa1ab4f3f8d3d1f5b5f0a1b2c)\"",
        .handler = getdescriptorinfo,
    },
    {
        .name = "deriveaddresses",
        .category = "util",
        .summary = "The addresses of a descriptor, which must carry its checksum.",
        .args = RPC_ARGS(RPC_ARG("descriptor", RPC_STR, NULL, "The descriptor."),
                         RPC_ARG("range", RPC_RANGE, "", "The end, or begin and end, of a ranged descriptor.")),
        .result = "[ \"address\", ... ] (json array)",
        .examples = "\"addr(bc1q09vm5lfy0j5reeulh4x5752q25uqqvz34hufdl)#7p6tq5wz\"",
        .handler = deriveaddresses,
    },
    {.name = NULL},
};
