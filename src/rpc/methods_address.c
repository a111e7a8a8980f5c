/* Methods about addresses, keys and descriptors. */
#include <stdlib.h>

#include "base/alloc.h"
#include "descriptor/descriptor.h"
#include "rpc/chain_call.h"
#include "rpc/table.h"
#include "rpc/tx_json.h"
#include "script/standard.h"

enum { DERIVE_SLICE = 100 };

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

static void put_public(struct rpc_call *call, struct span body, unsigned path)
{
    struct buffer text = {0};
    descriptor_public(&text, body, rpc_prefixes(call), path);
    jw_str_span(&call->out, buffer_span(&text));
    buffer_clear(&text);
}

static void getdescriptorinfo(struct rpc_call *call)
{
    char error[DESCRIPTOR_ERROR_TEXT], checksum[DESCRIPTOR_CHECKSUM_TEXT] = "";
    struct json_writer *w = &call->out;
    struct descriptor_scripts scripts;
    struct span body = {0};
    if (!expand_arg(call, false, &scripts)) return;
    if (descriptor_split(span_str(rpc_arg_str(call, 0, "")), false, &body, checksum, error)) {
        jw_object(w);
        jw_key(w, "descriptor");
        put_public(call, body, 0);
        if (scripts.paths > 1) {
            jw_kv_array(w, "multipath_expansion");
            for (unsigned path = 0; path < scripts.paths; path++) put_public(call, body, path);
            jw_array_end(w);
        }
        jw_kv_str(w, "checksum", checksum);
        jw_kv_bool(w, "isrange", scripts.ranged);
        jw_kv_bool(w, "issolvable", scripts.solvable);
        jw_kv_bool(w, "hasprivatekeys", scripts.has_secrets);
        jw_object_end(w);
    }
    descriptor_scripts_clear(&scripts);
}

/* The addresses of SCRIPTS into the array that is open. */
static void put_addresses(struct rpc_call *call, const struct descriptor_scripts *scripts)
{
    if (scripts->needs_secrets) rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Cannot derive script without private keys");
    for (size_t i = 0; i < scripts->count; i++) {
        struct destination dest;
        script_destination(&dest, buffer_span(&scripts->script[i]));
        if (dest.kind == DEST_NONE && scripts->count > 1 && i == 0) continue; /* the bare key of combo() */
        if (!destination_json(&call->out, &dest, rpc_prefixes(call)))
            rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Descriptor does not have a corresponding address");
    }
}

/* Addresses of many positions, some at a time. */
struct derivation {
    int64_t begin, next, end; /* indexes, END included */
    unsigned path, paths;
};

static bool derive_some(struct rpc_call *call, enum rpc_wake why)
{
    struct derivation *d = call->deferral.state;
    struct span text = span_str(rpc_arg_str(call, 0, ""));
    char error[DESCRIPTOR_ERROR_TEXT];
    if (why != RPC_WAKE_SLICE) return false;
    for (unsigned left = DERIVE_SLICE; left && d->path < d->paths && !rpc_failed(call); left--) {
        struct descriptor_scripts scripts;
        struct descriptor_position at = {.index = (uint32_t)d->next, .path = d->path};
        if (d->next == d->begin) jw_array(&call->out);
        if (!descriptor_expand_at(&scripts, text, true, rpc_prefixes(call), at, error)) {
            rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", error);
            break;
        }
        put_addresses(call, &scripts);
        descriptor_scripts_clear(&scripts);
        if (d->next++ < d->end) continue;
        jw_array_end(&call->out);
        d->next = d->begin;
        d->path++;
    }
    if (d->path == d->paths && d->paths > 1) jw_array_end(&call->out);
    return d->path == d->paths;
}

static void deriveaddresses(struct rpc_call *call)
{
    struct descriptor_scripts scripts;
    struct derivation d = {0};
    bool ranged = rpc_arg_given(call, 1);
    if (ranged) rpc_value_range(call, call->args[1], &d.begin, &d.end);
    if (rpc_failed(call) || !expand_arg(call, true, &scripts)) return;
    d.next = d.begin;
    d.paths = scripts.paths;
    if (ranged && !scripts.ranged)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Range should not be specified for an un-ranged descriptor");
    else if (!ranged && scripts.ranged)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Range must be specified for a ranged descriptor");
    descriptor_scripts_clear(&scripts);
    if (rpc_failed(call)) return;
    if (d.paths > 1) jw_array(&call->out);
    rpc_defer(call, &(struct rpc_deferral){
                        .wake = derive_some, .free_state = free, .state = mem_dup(&d, sizeof d), .wants_slices = true});
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
        .result = "[ \"address\", ... ] (json array) With alternatives in a path: one such array for each.",
        .examples = "\"addr(bc1q09vm5lfy0j5reeulh4x5752q25uqqvz34hufdl)#7p6tq5wz\"",
        .handler = deriveaddresses,
    },
    {.name = NULL},
};
