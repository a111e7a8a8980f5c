/* Compact blocks on the wire: cmpctblock, getblocktxn, blocktxn (BIP152). */
#include "wire/compact.h"

#include "base/check.h"
#include "base/endian.h"
#include "crypto/sha256.h"
#include "crypto/siphash.h"
#include "wire/message_rows.h"
#include "wire/payload.h"

enum { TX_MIN = 10 }; /* bytes of the smallest transaction */

#define SHORT_ID_MASK UINT64_C(0xffffffffffff)

static void set_key(struct compact_block *c)
{
    uint8_t bytes[HEADER_BYTES + 8], hash[32];
    block_header_write(bytes, &c->header);
    put_le64(bytes + HEADER_BYTES, c->nonce);
    sha256_once(hash, bytes, sizeof(bytes));
    c->k0 = get_le64(hash);
    c->k1 = get_le64(hash + 8);
}

uint64_t compact_short_id(const struct compact_block *c, const struct wtxid *id)
{
    return siphash24_hash(c->k0, c->k1, id->bytes) & SHORT_ID_MASK;
}

void compact_block_make(struct compact_block *out, const struct block *b, uint64_t nonce, struct arena *arena)
{
    CHECK(b->tx_count > 0);
    *out = (struct compact_block){.header = b->header, .nonce = nonce, .prefilled_count = 1};
    set_key(out);
    out->prefilled = arena_alloc(arena, sizeof(*out->prefilled));
    out->prefilled[0] = (struct prefilled_tx){.tx = b->txs[0]};
    out->short_count = b->tx_count - 1;
    out->short_ids = arena_alloc_array(arena, out->short_count, sizeof(*out->short_ids));
    for (size_t i = 0; i < out->short_count; i++) out->short_ids[i] = compact_short_id(out, &b->txs[i + 1].wtxid);
}

static void read_tx(struct tx *tx, struct reader *r, struct arena *arena)
{
    tx_read(tx, r, arena, 0);
    if (!r->failed) tx_hash(tx);
}

void compact_block_read(struct compact_block *c, struct reader *r, struct arena *arena)
{
    *c = (struct compact_block){0};
    block_header_read(&c->header, r);
    c->nonce = read_le64(r);
    size_t short_count = read_count(r, SHORT_ID_BYTES);
    c->short_ids = arena_alloc_array(arena, short_count, sizeof(*c->short_ids));
    for (size_t i = 0; i < short_count; i++) {
        uint64_t low = read_le32(r);
        c->short_ids[i] = low | (uint64_t)read_le16(r) << 32;
    }
    size_t prefilled_count = read_count(r, 1 + TX_MIN);
    if (short_count + prefilled_count > COMPACT_TX_MAX) reader_fail(r);
    if (r->failed) return;
    c->prefilled = arena_alloc_array(arena, prefilled_count, sizeof(*c->prefilled));
    for (size_t i = 0; i < prefilled_count && !r->failed; i++) {
        uint64_t skip = read_compact_size(r);
        if (skip > UINT16_MAX) reader_fail(r);
        c->prefilled[i].skip = (uint16_t)skip;
        read_tx(&c->prefilled[i].tx, r, arena);
    }
    if (r->failed) return;
    c->short_count = short_count;
    c->prefilled_count = prefilled_count;
    set_key(c);
}

void compact_block_write(struct buffer *out, const struct compact_block *c)
{
    block_header_write(buffer_extend(out, HEADER_BYTES), &c->header);
    buffer_put_le64(out, c->nonce);
    buffer_put_compact_size(out, c->short_count);
    for (size_t i = 0; i < c->short_count; i++) {
        buffer_put_le32(out, (uint32_t)c->short_ids[i]);
        buffer_put_le16(out, (uint16_t)(c->short_ids[i] >> 32));
    }
    buffer_put_compact_size(out, c->prefilled_count);
    for (size_t i = 0; i < c->prefilled_count; i++) {
        buffer_put_compact_size(out, c->prefilled[i].skip);
        tx_write(out, &c->prefilled[i].tx);
    }
}

/* Each index as its distance from the one after the last. */
void getblocktxn_read(struct getblocktxn_message *m, struct reader *r, struct arena *arena)
{
    *m = (struct getblocktxn_message){0};
    read_bytes(r, m->block.bytes, 32);
    size_t count = read_count(r, 1);
    if (count > (size_t)UINT16_MAX + 1) reader_fail(r);
    if (r->failed) return;
    m->indexes = arena_alloc_array(arena, count, sizeof(*m->indexes));
    uint64_t next = 0;
    for (size_t i = 0; i < count && !r->failed; i++) {
        next += read_compact_size(r);
        if (next > UINT16_MAX) reader_fail(r);
        m->indexes[i] = (uint16_t)next++;
    }
    m->count = r->failed ? 0 : count;
}

void getblocktxn_write(struct buffer *out, const struct getblocktxn_message *m)
{
    buffer_put(out, m->block.bytes, 32);
    buffer_put_compact_size(out, m->count);
    size_t next = 0;
    for (size_t i = 0; i < m->count; i++) {
        CHECK(m->indexes[i] >= next);
        buffer_put_compact_size(out, m->indexes[i] - next);
        next = (size_t)m->indexes[i] + 1;
    }
}

void blocktxn_read(struct blocktxn_message *m, struct reader *r, struct arena *arena)
{
    *m = (struct blocktxn_message){0};
    read_bytes(r, m->block.bytes, 32);
    size_t count = read_count(r, TX_MIN);
    m->txs = arena_alloc_array(arena, count, sizeof(*m->txs));
    for (size_t i = 0; i < count && !r->failed; i++) read_tx(&m->txs[i], r, arena);
    m->count = r->failed ? 0 : count;
}

void blocktxn_write(struct buffer *out, const struct blocktxn_message *m)
{
    buffer_put(out, m->block.bytes, 32);
    buffer_put_compact_size(out, m->count);
    for (size_t i = 0; i < m->count; i++) tx_write(out, &m->txs[i]);
}

enum message_status cmpctblock_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    compact_block_read(&m->as.cmpctblock, r, arena);
    return message_status_of(r);
}

void cmpctblock_message_write(struct buffer *out, const struct message *m)
{
    compact_block_write(out, &m->as.cmpctblock);
}

enum message_status getblocktxn_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    getblocktxn_read(&m->as.getblocktxn, r, arena);
    return message_status_of(r);
}

void getblocktxn_message_write(struct buffer *out, const struct message *m)
{
    getblocktxn_write(out, &m->as.getblocktxn);
}

enum message_status blocktxn_message_read(struct message *m, struct reader *r, struct arena *arena)
{
    blocktxn_read(&m->as.blocktxn, r, arena);
    return message_status_of(r);
}

void blocktxn_message_write(struct buffer *out, const struct message *m)
{
    blocktxn_write(out, &m->as.blocktxn);
}
