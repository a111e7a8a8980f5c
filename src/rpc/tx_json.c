/* Transactions and scripts as JSON. */
#include "rpc/tx_json.h"

#include "descriptor/descriptor.h"
#include "script/script.h"
#include "script/standard.h"

bool destination_json(struct json_writer *w, const struct destination *dest, const struct address_prefixes *prefixes)
{
    struct buffer text = {0};
    bool has = dest->kind != DEST_NONE && address_encode(&text, dest, prefixes);
    if (has) jw_str_span(w, buffer_span(&text));
    buffer_clear(&text);
    return has;
}

void script_asm_json(struct json_writer *w, struct span script, bool decode_sighash)
{
    struct buffer text = {0};
    script_asm(&text, script, decode_sighash);
    jw_str_span(w, buffer_span(&text));
    buffer_clear(&text);
}

void script_json(struct json_writer *w, struct span script, const struct address_prefixes *prefixes)
{
    struct buffer desc = {0};
    struct script_solution solution;
    struct destination dest;

    jw_object(w);
    jw_key(w, "asm");
    script_asm_json(w, script, false);
    descriptor_infer(&desc, script, prefixes);
    jw_key(w, "desc");
    jw_str_span(w, buffer_span(&desc));
    buffer_clear(&desc);
    jw_kv_hex(w, "hex", script);
    script_destination(&dest, script);
    if (dest.kind != DEST_NONE) {
        jw_key(w, "address");
        destination_json(w, &dest, prefixes);
    }
    script_solve(&solution, script);
    jw_kv_str(w, "type", script_kind_name(solution.kind));
    jw_object_end(w);
}

static void put_prevout(struct json_writer *w, const struct spent_output *spent,
                        const struct address_prefixes *prefixes)
{
    jw_kv_object(w, "prevout");
    jw_kv_bool(w, "generated", spent->coinbase);
    jw_kv_int(w, "height", spent->height);
    jw_kv_amount(w, "value", spent->out.value);
    jw_key(w, "scriptPubKey");
    script_json(w, spent->out.script_pubkey, prefixes);
    jw_object_end(w);
}

static void put_input(struct json_writer *w, const struct tx *tx, size_t i, const struct tx_json_extra *extra)
{
    const struct tx_in *in = &tx->in[i];
    jw_object(w);
    if (tx_is_coinbase(tx)) {
        jw_kv_hex(w, "coinbase", in->script_sig);
    } else {
        jw_kv_hash(w, "txid", in->prevout.txid.bytes);
        jw_kv_uint(w, "vout", in->prevout.index);
        jw_kv_object(w, "scriptSig");
        jw_key(w, "asm");
        script_asm_json(w, in->script_sig, true);
        jw_kv_hex(w, "hex", in->script_sig);
        jw_object_end(w);
    }
    if (in->witness.count) {
        jw_kv_array(w, "txinwitness");
        for (size_t k = 0; k < in->witness.count; k++) jw_hex(w, in->witness.items[k]);
        jw_array_end(w);
    }
    if (extra->spent && extra->prevouts) put_prevout(w, &extra->spent[i], extra->prefixes);
    jw_kv_uint(w, "sequence", in->sequence);
    jw_object_end(w);
}

static void put_fee(struct json_writer *w, const struct tx *tx, const struct spent_output *spent)
{
    amount_sat fee = 0;
    for (size_t i = 0; i < tx->in_count; i++) fee += spent[i].out.value;
    for (size_t i = 0; i < tx->out_count; i++) fee -= tx->out[i].value;
    jw_kv_amount(w, "fee", fee);
}

void tx_json_fields(struct json_writer *w, const struct tx *tx, const struct tx_json_extra *extra)
{
    jw_kv_hash(w, "txid", tx->txid.bytes);
    jw_kv_hash(w, "hash", tx->wtxid.bytes);
    jw_kv_uint(w, "version", (uint32_t)tx->version);
    jw_kv_uint(w, "size", tx->size);
    jw_kv_uint(w, "vsize", (tx_weight(tx) + 3) / 4);
    jw_kv_uint(w, "weight", tx_weight(tx));
    jw_kv_uint(w, "locktime", tx->lock_time);
    jw_kv_array(w, "vin");
    for (size_t i = 0; i < tx->in_count; i++) put_input(w, tx, i, extra);
    jw_array_end(w);
    jw_kv_array(w, "vout");
    for (size_t i = 0; i < tx->out_count; i++) {
        jw_object(w);
        jw_kv_amount(w, "value", tx->out[i].value);
        jw_kv_uint(w, "n", i);
        jw_key(w, "scriptPubKey");
        script_json(w, tx->out[i].script_pubkey, extra->prefixes);
        jw_object_end(w);
    }
    jw_array_end(w);
    if (extra->spent) put_fee(w, tx, extra->spent);
    if (extra->hex) {
        struct buffer raw = {0};
        tx_write(&raw, tx);
        jw_kv_hex(w, "hex", tx->raw.len ? tx->raw : buffer_span(&raw));
        buffer_clear(&raw);
    }
}
