/* Raw transactions out of JSON: reading them, and making them from inputs and outputs. */
#include "rpc/raw_tx.h"

#include <stdio.h>

#include "base/hex.h"
#include "policy/standard.h"
#include "primitives/address.h"
#include "rpc/chain_call.h"
#include "script/script.h"

enum { REPLACEABLE_BELOW = 2, LOCK_TIME_BELOW = 1 }; /* this far below the final sequence number */

static struct span keep(struct arena *arena, struct span bytes)
{
    uint8_t *copy = arena_alloc(arena, bytes.len + 1);
    if (bytes.len) memcpy(copy, bytes.data, bytes.len);
    return span_of(copy, bytes.len);
}

bool raw_tx_decode(struct tx *out, const char *hex, struct arena *arena)
{
    size_t len = strlen(hex);
    uint8_t *raw = arena_alloc(arena, len / 2 + 1);
    return len && len % 2 == 0 && hex_decode(raw, len / 2, hex) && tx_parse(out, span_of(raw, len / 2), arena, 0);
}

void raw_tx_hex_json(struct json_writer *w, const struct tx *tx)
{
    struct buffer raw = {0};
    tx_write(&raw, tx);
    jw_hex(w, buffer_span(&raw));
    buffer_clear(&raw);
}

bool raw_tx_find_coin(struct rpc_call *call, const struct outpoint *at, struct tx_out *out, struct arena *arena)
{
    struct coin coin;
    struct error e = {0};
    const struct mempool_entry *there = call->node->mempool ? mempool_find(call->node->mempool, &at->txid) : NULL;
    if (there && at->index < there->tx.out_count) {
        const struct tx_out *o = &there->tx.out[at->index];
        *out = (struct tx_out){.value = o->value, .script_pubkey = keep(arena, o->script_pubkey)};
        return true;
    }
    enum result r = coins_get(call->node->chain->coins, at, &coin, &e);
    if (r == RESULT_OK) *out = (struct tx_out){.value = coin.value, .script_pubkey = keep(arena, coin.script_pubkey)};
    if (r != RESULT_OK && r != RESULT_NOT_FOUND) rpc_fail_result(call, RPC_INTERNAL_ERROR, r, &e);
    coins_end_block(call->node->chain->coins);
    return r == RESULT_OK;
}

/* ---- inputs ---- */

static void read_input(struct rpc_call *call, const json_t *v, uint32_t sequence, struct tx_in *in)
{
    *in = (struct tx_in){.sequence = sequence};
    if (!json_is_object(v)) {
        rpc_fail(call, RPC_TYPE_ERROR, "JSON value of type %s is not of expected type object", json_type_name(v));
        return;
    }
    rpc_value_hash(call, json_object_get(v, "txid"), "txid", in->prevout.txid.bytes);
    const json_t *vout = json_object_get(v, "vout"), *given = json_object_get(v, "sequence");
    if (!json_is_number(vout)) rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, missing vout key");
    if (rpc_failed(call)) return;
    int32_t index = rpc_value_i32(call, vout);
    if (index < 0) rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, vout cannot be negative");
    in->prevout.index = (uint32_t)index;
    if (rpc_failed(call) || !json_is_number(given)) return;
    int64_t number = rpc_value_i64(call, given);
    if (number < 0 || number > SEQUENCE_FINAL)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, sequence number is out of range");
    in->sequence = (uint32_t)number;
}

/* False where the inputs say that the transaction may not be replaced, although the argument says that it may. */
static bool read_inputs(struct rpc_call *call, const json_t *inputs, struct tx *tx, struct arena *arena)
{
    bool replaceable = rpc_arg_bool(call, 3, true), may_be = false;
    uint32_t sequence = SEQUENCE_FINAL;
    if (replaceable)
        sequence -= REPLACEABLE_BELOW;
    else if (tx->lock_time)
        sequence -= LOCK_TIME_BELOW;
    tx->in = arena_alloc_array(arena, json_array_size(inputs) + 1, sizeof *tx->in);
    for (size_t i = 0; i < json_array_size(inputs) && !rpc_failed(call); i++) {
        struct tx_in *in = &tx->in[tx->in_count++];
        read_input(call, json_array_get(inputs, i), sequence, in);
        may_be = may_be || in->sequence <= SEQUENCE_FINAL - REPLACEABLE_BELOW;
    }
    return may_be || tx->in_count == 0 || !replaceable || !rpc_arg_given(call, 3);
}

/* ---- outputs ---- */

struct outputs {
    struct rpc_call *call;
    struct tx *tx;
    struct arena *arena;
    json_t *seen; /* destinations, as scripts in hex */
    bool has_data;
};

static void add_output(struct outputs *o, amount_sat value, struct buffer *script)
{
    o->tx->out[o->tx->out_count++] =
        (struct tx_out){.value = value, .script_pubkey = keep(o->arena, buffer_span(script))};
}

static void add_data(struct outputs *o, const json_t *v)
{
    struct buffer data = {0}, script = {0};
    char digits[32] = "";
    json_t *text = NULL;
    if (o->has_data) rpc_fail(o->call, RPC_INVALID_PARAMETER, "Invalid parameter, duplicate key: data");
    o->has_data = true;
    if (json_is_integer(v)) { /* its digits are taken for hex */
        snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(v));
        text = json_string(digits);
        v = text;
    }
    rpc_value_hex(o->call, v, "Data", &data);
    if (!rpc_failed(o->call)) {
        buffer_put_u8(&script, OP_RETURN);
        script_put_push(&script, buffer_span(&data));
        add_output(o, 0, &script);
    }
    json_decref(text);
    buffer_clear(&data);
    buffer_clear(&script);
}

static void add_payment(struct outputs *o, const char *address, const json_t *v)
{
    struct destination dest;
    struct buffer script = {0}, key = {0};
    bool valid = address_decode(&dest, address, rpc_prefixes(o->call), NULL);
    amount_sat value = rpc_value_amount(o->call, v);
    if (!valid) {
        rpc_fail(o->call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid Bitcoin address: %s", address);
        return;
    }
    destination_script(&script, &dest);
    hex_append(&key, buffer_span(&script));
    if (json_object_get(o->seen, buffer_text(&key)) || strcmp(o->call->duplicate_key, address) == 0)
        rpc_fail(o->call, RPC_INVALID_PARAMETER, "Invalid parameter, duplicated address: %s", address);
    json_object_set_new(o->seen, buffer_text(&key), json_true());
    if (!rpc_failed(o->call)) add_output(o, value, &script);
    buffer_clear(&script);
    buffer_clear(&key);
}

static void add_keys(struct outputs *o, json_t *object)
{
    for (void *at = json_object_iter(object); at && !rpc_failed(o->call); at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        if (strcmp(key, "data") != 0) {
            add_payment(o, key, json_object_iter_value(at));
            continue;
        }
        if (strcmp(o->call->duplicate_key, key) == 0) o->has_data = true;
        add_data(o, json_object_iter_value(at));
    }
}

/* Each element of an array must be an object with one key. */
static void check_pairs(struct rpc_call *call, const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *pair = json_array_get(array, i);
        if (!json_is_object(pair))
            rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, key-value pair not an object as expected");
        else if (json_object_size(pair) != 1)
            rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, key-value pair must contain exactly one key");
    }
}

static void read_outputs(struct rpc_call *call, json_t *v, struct tx *tx, struct arena *arena)
{
    struct outputs o = {.call = call, .tx = tx, .arena = arena};
    if (rpc_failed(call)) return;
    if (!v)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, output argument must be non-null");
    else if (!json_is_object(v) && !json_is_array(v))
        rpc_fail(call, RPC_TYPE_ERROR, "JSON value of type %s is not of expected type array", json_type_name(v));
    if (json_is_array(v)) check_pairs(call, v);
    if (rpc_failed(call)) return;
    size_t count = json_is_array(v) ? json_array_size(v) : json_object_size(v);
    tx->out = arena_alloc_array(arena, count + 1, sizeof *tx->out);
    o.seen = json_object();
    if (json_is_object(v)) add_keys(&o, v);
    for (size_t i = 0; i < json_array_size(v) && !rpc_failed(call); i++) add_keys(&o, json_array_get(v, i));
    json_decref(o.seen);
}

bool raw_tx_make(struct rpc_call *call, struct tx *tx, struct arena *arena)
{
    *tx = (struct tx){0};
    int64_t lock_time = rpc_arg_i64(call, 2, 0);
    if (!rpc_failed(call) && (lock_time < 0 || lock_time > UINT32_MAX))
        rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, locktime out of range");
    uint32_t version = rpc_arg_u32(call, 4, 2);
    if (version < STANDARD_VERSION_MIN || version > STANDARD_VERSION_MAX)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, version out of range(%d~%d)", STANDARD_VERSION_MIN,
                 STANDARD_VERSION_MAX);
    if (rpc_failed(call)) return false;
    tx->lock_time = (uint32_t)lock_time;
    tx->version = (int32_t)version;
    bool consistent = read_inputs(call, call->args[0], tx, arena);
    read_outputs(call, call->args[1], tx, arena);
    if (!consistent)
        rpc_fail(call, RPC_INVALID_PARAMETER,
                 "Invalid parameter combination: Sequence number(s) contradict replaceable option");
    if (rpc_failed(call)) return false;
    tx_hash(tx);
    return true;
}
