/* Public transactions: parse, look inside, serialise. */
#include "lib/handles.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/hex.h"

const char *cairn_version(void)
{
    return CAIRN_VERSION_TEXT;
}

char *cairn_hash_text(char out[CAIRN_HASH_TEXT], const uint8_t hash[32])
{
    hex_encode_reversed(out, hash, 32);
    return out;
}

bool cairn_hash_parse(uint8_t out[32], const char *text)
{
    return hex_decode_reversed(out, 32, text);
}

size_t copy_out(struct span s, uint8_t *out, size_t cap)
{
    size_t len = s.len < cap ? s.len : cap;
    if (out && len) memcpy(out, s.data, len);
    return s.len;
}

struct cairn_tx *cairn_tx_parse(const uint8_t *raw, size_t len)
{
    struct cairn_tx *tx = mem_calloc(1, sizeof *tx);
    tx->raw = mem_dup(raw, len);
    if (!tx_parse(&tx->tx, span_of(tx->raw, len), &tx->arena, 0)) {
        cairn_tx_free(tx);
        return NULL;
    }
    return tx;
}

void cairn_tx_free(struct cairn_tx *tx)
{
    if (!tx) return;
    arena_clear(&tx->arena);
    free(tx->raw);
    free(tx);
}

size_t cairn_tx_write(const struct cairn_tx *tx, bool with_witness, uint8_t *out, size_t cap)
{
    if (with_witness) return copy_out(tx->tx.raw, out, cap);
    struct buffer b = {0};
    tx_write_no_witness(&b, &tx->tx);
    size_t len = copy_out(buffer_span(&b), out, cap);
    buffer_clear(&b);
    return len;
}

void cairn_tx_txid(const struct cairn_tx *tx, uint8_t out[32])
{
    memcpy(out, tx->tx.txid.bytes, 32);
}

void cairn_tx_wtxid(const struct cairn_tx *tx, uint8_t out[32])
{
    memcpy(out, tx->tx.wtxid.bytes, 32);
}

int32_t cairn_tx_version(const struct cairn_tx *tx)
{
    return tx->tx.version;
}

uint32_t cairn_tx_lock_time(const struct cairn_tx *tx)
{
    return tx->tx.lock_time;
}

size_t cairn_tx_size(const struct cairn_tx *tx)
{
    return tx->tx.size;
}

uint64_t cairn_tx_weight(const struct cairn_tx *tx)
{
    return tx_weight(&tx->tx);
}

bool cairn_tx_is_coinbase(const struct cairn_tx *tx)
{
    return tx_is_coinbase(&tx->tx);
}

size_t cairn_tx_input_count(const struct cairn_tx *tx)
{
    return tx->tx.in_count;
}

size_t cairn_tx_output_count(const struct cairn_tx *tx)
{
    return tx->tx.out_count;
}

bool cairn_tx_input(const struct cairn_tx *tx, size_t index, struct cairn_input *out)
{
    if (index >= tx->tx.in_count) return false;
    const struct tx_in *in = &tx->tx.in[index];
    memcpy(out->prev_txid, in->prevout.txid.bytes, 32);
    out->prev_index = in->prevout.index;
    out->sequence = in->sequence;
    out->script_sig = bytes_of(in->script_sig);
    out->witness_count = in->witness.count;
    return true;
}

bool cairn_tx_output(const struct cairn_tx *tx, size_t index, struct cairn_output *out)
{
    if (index >= tx->tx.out_count) return false;
    out->value = tx->tx.out[index].value;
    out->script_pubkey = bytes_of(tx->tx.out[index].script_pubkey);
    return true;
}

bool cairn_tx_witness(const struct cairn_tx *tx, size_t input, size_t item, struct cairn_bytes *out)
{
    if (input >= tx->tx.in_count || item >= tx->tx.in[input].witness.count) return false;
    *out = bytes_of(tx->tx.in[input].witness.items[item]);
    return true;
}
