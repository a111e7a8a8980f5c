/* Makes regtest blocks: a coinbase, spends of anybody-can-spend outputs, proof of work at the easiest target. */
#ifndef CAIRN_TEST_SUPPORT_BLOCK_MAKER_H
#define CAIRN_TEST_SUPPORT_BLOCK_MAKER_H

#include "base/alloc.h"
#include "base/check.h"
#include "base/endian.h"
#include "chain/block_tree.h"
#include "consensus/block_check.h"
#include "consensus/merkle.h"
#include "consensus/pow.h"
#include "primitives/compact_size.h"

enum { DRAFT_TXS = 64 };

struct draft {
    struct block_hash prev;
    int32_t height;
    uint32_t time;
    uint32_t tag;                /* makes the coinbase differ from others at this height */
    amount_sat coinbase_value;   /* of its one output */
    struct span coinbase_script; /* default: OP_TRUE */
    int32_t coinbase_height;     /* as its script says (BIP34) */
    uint32_t bits;
    int32_t version;
    struct buffer txs;       /* all but the coinbase */
    size_t tx_count;         /* the same */
    struct span script_sig;  /* of every input that is added */
    size_t coinbase_outputs; /* how many like the one; 0: one */
    struct txid ids[DRAFT_TXS];
    bool wrong_root;
};

static inline struct draft draft_on(const struct header_node *prev, const struct chain_params *p, uint32_t tag)
{
    static const uint8_t op_true[] = {0x51};
    int32_t height = prev->height + 1;
    return (struct draft){.prev = prev->hash,
                          .height = height,
                          .time = prev->time + 600,
                          .tag = tag,
                          .coinbase_value = block_subsidy(height, p),
                          .coinbase_script = span_of(op_true, 1),
                          .coinbase_height = height,
                          .bits = prev->bits,
                          .version = 0x20000000};
}

static inline void draft_tx_end(struct draft *d, size_t start)
{
    struct arena arena = {0};
    struct tx tx;
    CHECK(d->tx_count < DRAFT_TXS);
    CHECK(tx_parse(&tx, span_of(d->txs.data + start, d->txs.len - start), &arena, 0));
    d->ids[d->tx_count++] = tx.txid;
    arena_clear(&arena);
}

struct draft_output {
    amount_sat value;
    struct span script; /* empty: OP_TRUE */
};

/* A transaction spending COUNT outpoints with SCRIPT_SIG; returns its txid. */
static inline struct txid draft_spend(struct draft *d, const struct outpoint *in, size_t count, uint32_t sequence,
                                      const struct draft_output *out, size_t out_count)
{
    size_t start = d->txs.len;
    struct buffer *b = &d->txs;
    buffer_put_le32(b, 2);
    buffer_put_compact_size(b, count);
    for (size_t i = 0; i < count; i++) {
        buffer_put(b, in[i].txid.bytes, 32);
        buffer_put_le32(b, in[i].index);
        buffer_put_compact_size(b, d->script_sig.len);
        buffer_put_span(b, d->script_sig);
        buffer_put_le32(b, sequence);
    }
    buffer_put_compact_size(b, out_count);
    for (size_t i = 0; i < out_count; i++) {
        buffer_put_le64(b, (uint64_t)out[i].value);
        buffer_put_compact_size(b, out[i].script.len ? out[i].script.len : 1);
        if (out[i].script.len)
            buffer_put_span(b, out[i].script);
        else
            buffer_put_u8(b, 0x51);
    }
    buffer_put_le32(b, 0);
    draft_tx_end(d, start);
    return d->ids[d->tx_count - 1];
}

/* One input, one OP_TRUE output of VALUE. */
static inline struct txid draft_move(struct draft *d, const struct outpoint *in, amount_sat value)
{
    return draft_spend(d, in, 1, SEQUENCE_FINAL, &(struct draft_output){.value = value}, 1);
}

/* A script number as BIP34 wants the height. */
static inline void draft_put_height(struct buffer *b, int32_t height)
{
    if (height == 0) {
        buffer_put_u8(b, 0);
    } else if (height <= 16) {
        buffer_put_u8(b, (uint8_t)(0x50 + height));
    } else {
        uint8_t n[5] = {0};
        size_t len = 0;
        for (int32_t v = height; v; v >>= 8) n[len++] = (uint8_t)v;
        if (n[len - 1] & 0x80) len++;
        buffer_put_u8(b, (uint8_t)len);
        buffer_put(b, n, len);
    }
}

static inline void draft_coinbase(const struct draft *d, struct buffer *b)
{
    struct buffer sig = {0};
    draft_put_height(&sig, d->coinbase_height);
    buffer_put_u8(&sig, 4);
    buffer_put_le32(&sig, d->tag);
    buffer_put_le32(b, 1);
    buffer_put_u8(b, 1);
    memset(buffer_extend(b, 32), 0, 32);
    buffer_put_le32(b, OUTPOINT_NULL);
    buffer_put_compact_size(b, sig.len);
    buffer_put_span(b, buffer_span(&sig));
    buffer_put_le32(b, SEQUENCE_FINAL);
    size_t outputs = d->coinbase_outputs ? d->coinbase_outputs : 1;
    buffer_put_compact_size(b, outputs);
    for (size_t i = 0; i < outputs; i++) {
        buffer_put_le64(b, (uint64_t)d->coinbase_value / outputs);
        buffer_put_compact_size(b, d->coinbase_script.len);
        buffer_put_span(b, d->coinbase_script);
    }
    buffer_put_le32(b, 0);
    buffer_clear(&sig);
}

/* Mines the draft and empties it. */
static inline struct block *draft_mine(struct draft *d, const struct chain_params *p)
{
    struct buffer raw = {0};
    struct block_header h = {.version = d->version, .prev = d->prev, .time = d->time, .bits = d->bits};
    block_header_write(buffer_extend(&raw, HEADER_BYTES), &h);
    buffer_put_compact_size(&raw, d->tx_count + 1);
    draft_coinbase(d, &raw);
    buffer_put_span(&raw, buffer_span(&d->txs));
    struct block *b = block_parse(buffer_span(&raw));
    CHECK(b);
    block_merkle_root(h.merkle_root, b, NULL);
    if (d->wrong_root) h.merkle_root[0] ^= 1;
    block_free(b);
    struct block_hash hash;
    do {
        h.nonce++;
        block_header_hash(&hash, &h);
    } while (!pow_check(&hash, h.bits, p));
    block_header_write(raw.data, &h);
    b = block_parse_take(raw.data, raw.len);
    CHECK(b);
    buffer_clear(&d->txs);
    return b;
}

/* A block with nothing but its coinbase. */
static inline struct block *make_empty_block(const struct header_node *prev, const struct chain_params *p, uint32_t tag)
{
    struct draft d = draft_on(prev, p, tag);
    return draft_mine(&d, p);
}

static inline struct outpoint outpoint_of(const struct block *b, size_t tx, uint32_t index)
{
    return (struct outpoint){.txid = b->txs[tx].txid, .index = index};
}

#endif
