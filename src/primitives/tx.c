/* Transactions: parsing without a copy, and their two hashes. */
#include "primitives/tx.h"

#include "crypto/sha256.h"
#include "primitives/compact_size.h"

/* The fewest bytes one element can have on the wire: what bounds an array before it is allocated. */
enum { TX_IN_MIN = 41, TX_OUT_MIN = 9, WITNESS_ITEM_MIN = 1 };

enum { SEGWIT_FLAG = 1, SEGWIT_MARKER_BYTES = 2 };

/* A count of elements that the bytes left can hold; otherwise the reader fails before any memory is taken. */
static size_t read_count(struct reader *r, size_t element_min)
{
    uint64_t count = read_compact_size(r);
    if (count <= reader_left(r) / element_min) return (size_t)count;
    reader_fail(r);
    return 0;
}

static struct span read_var_bytes(struct reader *r)
{
    return read_span(r, (size_t)read_compact_size(r));
}

static void read_ins(struct tx *tx, struct reader *r, struct arena *arena)
{
    tx->in_count = read_count(r, TX_IN_MIN);
    if (tx->in_count == 0) return;
    tx->in = arena_alloc_array(arena, tx->in_count, sizeof(*tx->in));
    for (size_t i = 0; i < tx->in_count && !r->failed; i++) {
        struct tx_in *in = &tx->in[i];
        read_bytes(r, in->prevout.txid.bytes, 32);
        in->prevout.index = read_le32(r);
        in->script_sig = read_var_bytes(r);
        in->sequence = read_le32(r);
        in->witness = (struct witness){0};
    }
}

static void read_outs(struct tx *tx, struct reader *r, struct arena *arena)
{
    tx->out_count = read_count(r, TX_OUT_MIN);
    if (tx->out_count == 0) return;
    tx->out = arena_alloc_array(arena, tx->out_count, sizeof(*tx->out));
    for (size_t i = 0; i < tx->out_count && !r->failed; i++) {
        tx->out[i].value = (amount_sat)read_le64(r);
        tx->out[i].script_pubkey = read_var_bytes(r);
    }
}

static void read_witness(struct witness *w, struct reader *r, struct arena *arena)
{
    size_t count = read_count(r, WITNESS_ITEM_MIN);
    if (count == 0) return;
    struct span *items = arena_alloc_array(arena, count, sizeof(*items));
    for (size_t i = 0; i < count && !r->failed; i++) items[i] = read_var_bytes(r);
    *w = (struct witness){.items = items, .count = count};
}

static void read_witnesses(struct tx *tx, struct reader *r, struct arena *arena)
{
    for (size_t i = 0; i < tx->in_count && !r->failed; i++) {
        read_witness(&tx->in[i].witness, r, arena);
        tx->has_witness |= tx->in[i].witness.count != 0;
    }
}

/* What follows the marker and flag of BIP144, up to the lock time; returns the bytes of all witnesses. */
static size_t read_extended(struct tx *tx, struct reader *r, struct arena *arena)
{
    read_ins(tx, r, arena);
    read_outs(tx, r, arena);
    const uint8_t *start = r->pos;
    read_witnesses(tx, r, arena);
    /* A witness record in which every witness is empty has a shorter form without it. */
    if (!tx->has_witness) reader_fail(r);
    return (size_t)(r->pos - start);
}

const char *tx_read_fault(struct span raw, struct arena *arena)
{
    struct reader r = reader_of(raw);
    struct tx tx = {0};
    (void)read_le32(&r);
    read_ins(&tx, &r, arena);
    uint8_t flag = tx.in_count ? 0 : read_u8(&r);
    if (flag) {
        read_ins(&tx, &r, arena);
        read_outs(&tx, &r, arena);
        if (flag & SEGWIT_FLAG) read_witnesses(&tx, &r, arena);
    }
    if (!flag || r.failed) return "DataStream::read(): end of data";
    return flag & SEGWIT_FLAG && !tx.has_witness ? "Superfluous witness record" : "Unknown transaction optional data";
}

void tx_read(struct tx *tx, struct reader *r, struct arena *arena, unsigned flags)
{
    const uint8_t *start = r->pos;
    size_t witness_bytes = 0;
    *tx = (struct tx){0};
    tx->version = (int32_t)read_le32(r);
    read_ins(tx, r, arena);
    if (tx->in_count != 0 || flags & TX_NO_WITNESS) {
        read_outs(tx, r, arena);
    } else {
        /* No inputs: either the marker of BIP144, or (flag 0) a transaction that has no outputs either. */
        uint8_t flag = read_u8(r);
        if (flag == SEGWIT_FLAG)
            witness_bytes = SEGWIT_MARKER_BYTES + read_extended(tx, r, arena);
        else if (flag != 0)
            reader_fail(r);
    }
    tx->lock_time = read_le32(r);
    if (r->failed) {
        *tx = (struct tx){0};
        return;
    }
    tx->raw = span_of(start, (size_t)(r->pos - start));
    tx->size = (uint32_t)tx->raw.len;
    tx->base_size = (uint32_t)(tx->raw.len - witness_bytes);
}

/* Hashes the wire form where it is. */
static void hash_raw(struct tx *tx)
{
    sha256d(tx->wtxid.bytes, tx->raw.data, tx->raw.len);
    if (!tx->has_witness) {
        memcpy(tx->txid.bytes, tx->wtxid.bytes, 32);
        return;
    }
    struct sha256 h;
    sha256_init(&h);
    sha256_put(&h, tx->raw.data, 4);
    sha256_put(&h, tx->raw.data + 4 + SEGWIT_MARKER_BYTES, tx->base_size - 8);
    sha256_put(&h, tx->raw.data + tx->raw.len - 4, 4);
    sha256_final_double(&h, tx->txid.bytes);
}

static void hash_built(struct tx *tx)
{
    struct buffer b = {0};
    tx->has_witness = false;
    for (size_t i = 0; i < tx->in_count; i++) tx->has_witness |= tx->in[i].witness.count != 0;
    tx_write_no_witness(&b, tx);
    sha256d(tx->txid.bytes, b.data, b.len);
    tx->base_size = (uint32_t)b.len;
    b.len = 0;
    tx_write(&b, tx);
    sha256d(tx->wtxid.bytes, b.data, b.len);
    tx->size = (uint32_t)b.len;
    buffer_clear(&b);
}

void tx_hash(struct tx *tx)
{
    if (tx->raw.len)
        hash_raw(tx);
    else
        hash_built(tx);
}

bool tx_parse(struct tx *tx, struct span raw, struct arena *arena, unsigned flags)
{
    struct reader r = reader_of(raw);
    tx_read(tx, &r, arena, flags);
    if (r.failed || reader_left(&r) != 0) return false;
    tx_hash(tx);
    return true;
}
