/* Transactions: their wire forms with and without witness (BIP144). */
#include "primitives/compact_size.h"
#include "primitives/tx.h"

static void put_var_bytes(struct buffer *out, struct span s)
{
    buffer_put_compact_size(out, s.len);
    buffer_put_span(out, s);
}

void tx_in_write(struct buffer *out, const struct tx_in *in)
{
    buffer_put(out, in->prevout.txid.bytes, 32);
    buffer_put_le32(out, in->prevout.index);
    put_var_bytes(out, in->script_sig);
    buffer_put_le32(out, in->sequence);
}

void tx_out_write(struct buffer *out, const struct tx_out *o)
{
    buffer_put_le64(out, (uint64_t)o->value);
    put_var_bytes(out, o->script_pubkey);
}

static void write_ins_and_outs(struct buffer *out, const struct tx *tx)
{
    buffer_put_compact_size(out, tx->in_count);
    for (size_t i = 0; i < tx->in_count; i++) tx_in_write(out, &tx->in[i]);
    buffer_put_compact_size(out, tx->out_count);
    for (size_t i = 0; i < tx->out_count; i++) tx_out_write(out, &tx->out[i]);
}

static void write_witness(struct buffer *out, const struct witness *w)
{
    buffer_put_compact_size(out, w->count);
    for (size_t i = 0; i < w->count; i++) put_var_bytes(out, w->items[i]);
}

void tx_write_no_witness(struct buffer *out, const struct tx *tx)
{
    buffer_put_le32(out, (uint32_t)tx->version);
    write_ins_and_outs(out, tx);
    buffer_put_le32(out, tx->lock_time);
}

/* Looked up rather than taken from has_witness, which a transaction still being put together may not have right. */
static bool any_witness(const struct tx *tx)
{
    for (size_t i = 0; i < tx->in_count; i++)
        if (tx->in[i].witness.count) return true;
    return false;
}

void tx_write(struct buffer *out, const struct tx *tx)
{
    static const uint8_t marker_and_flag[2] = {0, 1};
    if (!any_witness(tx)) {
        tx_write_no_witness(out, tx);
        return;
    }
    buffer_put_le32(out, (uint32_t)tx->version);
    buffer_put(out, marker_and_flag, sizeof(marker_and_flag));
    write_ins_and_outs(out, tx);
    for (size_t i = 0; i < tx->in_count; i++) write_witness(out, &tx->in[i].witness);
    buffer_put_le32(out, tx->lock_time);
}
