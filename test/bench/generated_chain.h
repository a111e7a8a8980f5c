/* A regtest chain made for benchmarks: blocks of some hundred transactions that spend outputs of five kinds in equal
 * parts. The same number of inputs gives the same bytes. */
#ifndef CAIRN_BENCH_GENERATED_CHAIN_H
#define CAIRN_BENCH_GENERATED_CHAIN_H

#include "base/random.h"
#include "generated_keys.h"
#include "support/block_maker.h"

enum {
    GEN_FUNDING = 10,       /* coinbases that pay for everything */
    GEN_FAN_OUT = 1200,     /* outputs that each is divided into */
    GEN_BLOCK_INPUTS = 900, /* about 450 transactions */
    GEN_TX_MAX = 3,         /* inputs and outputs of a transaction at most */
};

struct generator {
    struct gen_wallet *wallet;
    struct random rng;
    const struct chain_params *params;
    struct gen_coin *coins; /* unspent, in no order */
    size_t count, cap;
    struct gen_coin *made; /* by the block at hand */
    size_t made_count, made_cap;
    struct block_header prev;
    int32_t height;
    struct block_hash tip;
    struct buffer *out;          /* magic, length, block; and so on */
    struct buffer txs;           /* of the block at hand */
    struct buffer txids, wtxids; /* the same; the coinbase's first */
    size_t inputs;
};

static inline void gen_push(struct gen_coin **list, size_t *count, size_t *cap, struct gen_coin coin)
{
    *list = mem_grow(*list, cap, *count + 1, sizeof(**list));
    (*list)[(*count)++] = coin;
}

static inline void gen_tx_done(struct generator *g, struct tx *tx)
{
    tx_hash(tx);
    tx_write(&g->txs, tx);
    buffer_put(&g->txids, tx->txid.bytes, 32);
    buffer_put(&g->wtxids, tx->wtxid.bytes, 32);
}

/* Spends COUNT coins into OUT_COUNT equal parts of all kinds. */
static inline void gen_spend(struct generator *g, const struct gen_coin *from, size_t count, size_t out_count)
{
    enum { FEE_SAT = 100 };
    struct arena arena = {0};
    struct tx tx = {.version = 2, .in_count = count, .out_count = out_count};
    struct tx_out *spent = arena_alloc_array(&arena, count, sizeof(*spent));
    struct gen_coin *made = arena_alloc_array(&arena, out_count, sizeof(*made));
    amount_sat total = 0;
    tx.in = arena_alloc_array(&arena, count, sizeof(*tx.in));
    tx.out = arena_alloc_array(&arena, out_count, sizeof(*tx.out));
    for (size_t i = 0; i < count; i++) {
        tx.in[i] = (struct tx_in){.prevout = from[i].at, .sequence = SEQUENCE_FINAL};
        spent[i] = (struct tx_out){from[i].value, gen_script(g->wallet, from[i].key, from[i].kind)};
        total += from[i].value;
    }
    for (size_t i = 0; i < out_count; i++) {
        made[i] = (struct gen_coin){.value = (total - FEE_SAT) / (amount_sat)out_count,
                                    .key = (uint16_t)random_below(&g->rng, GEN_KEYS),
                                    .kind = (uint16_t)random_below(&g->rng, GEN_KINDS)};
        tx.out[i] = (struct tx_out){made[i].value, gen_script(g->wallet, made[i].key, made[i].kind)};
    }
    struct script_tx t;
    script_tx_init_all(&t, &tx, spent);
    for (size_t i = 0; i < count; i++) gen_sign(g->wallet, &t, i, &from[i], &arena, &tx.in[i]);
    gen_tx_done(g, &tx);
    for (size_t i = 0; i < out_count; i++) {
        made[i].at = (struct outpoint){.txid = tx.txid, .index = (uint32_t)i};
        gen_push(&g->made, &g->made_count, &g->made_cap, made[i]);
    }
    g->inputs += count;
    arena_clear(&arena);
}

/* The coinbase with its witness commitment (BIP141) in front of what TXS has; pays to key 0. */
static inline struct txid gen_coinbase(struct generator *g, struct buffer *raw)
{
    static const uint8_t zero[32];
    struct span reserved = span_of(zero, 32);
    struct buffer height = {0};
    uint8_t commitment[38] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed}, pair[64] = {0};
    draft_put_height(&height, g->height);
    buffer_put_u8(&height, 0);
    struct tx_in in = {.prevout.index = OUTPOINT_NULL, .script_sig = buffer_span(&height), .sequence = SEQUENCE_FINAL};
    in.witness = (struct witness){&reserved, 1};
    memset(g->wtxids.data, 0, 32);
    merkle_root(pair, g->wtxids.data, g->wtxids.len / 32, NULL);
    sha256d(commitment + 6, pair, sizeof(pair));
    struct tx_out out[2] = {{block_subsidy(g->height, g->params), gen_script(g->wallet, 0, GEN_P2WPKH)},
                            {0, span_of(commitment, sizeof(commitment))}};
    struct tx tx = {.version = 2, .in = &in, .in_count = 1, .out = out, .out_count = 2};
    tx_hash(&tx);
    tx_write(raw, &tx);
    memcpy(g->txids.data, tx.txid.bytes, 32);
    buffer_clear(&height);
    return tx.txid;
}

/* Mines what was made since the last block; returns the coinbase's id. What the block made can be spent in the next. */
static inline struct txid gen_block(struct generator *g)
{
    struct buffer raw = {0};
    struct block_header h = {.version = 0x20000000, .prev = g->tip, .time = g->prev.time + 600, .bits = g->prev.bits};
    size_t count = g->txids.len / 32;
    g->height++;
    buffer_extend(&raw, HEADER_BYTES);
    buffer_put_compact_size(&raw, count);
    struct txid coinbase = gen_coinbase(g, &raw);
    buffer_put_span(&raw, buffer_span(&g->txs));
    merkle_root(h.merkle_root, g->txids.data, count, NULL);
    do {
        h.nonce++;
        block_header_hash(&g->tip, &h);
    } while (!pow_check(&g->tip, h.bits, g->params));
    block_header_write(raw.data, &h);
    g->prev = h;
    buffer_put(g->out, g->params->magic, 4);
    buffer_put_le32(g->out, (uint32_t)raw.len);
    buffer_put_span(g->out, buffer_span(&raw));
    buffer_clear(&raw);
    g->txs.len = 0;
    g->txids.len = g->wtxids.len = 32;
    for (size_t i = 0; i < g->made_count; i++) gen_push(&g->coins, &g->count, &g->cap, g->made[i]);
    g->made_count = 0;
    return coinbase;
}

static inline struct gen_coin gen_take(struct generator *g)
{
    size_t at = (size_t)random_below(&g->rng, g->count);
    struct gen_coin coin = g->coins[at];
    g->coins[at] = g->coins[--g->count];
    return coin;
}

static inline void gen_begin(struct generator *g, struct buffer *out)
{
    struct reader r;
    random_init_u64(&g->rng, 1);
    g->wallet = gen_wallet_new();
    g->params = chain_params_get(CHAIN_REGTEST);
    g->out = out;
    g->tip = g->params->genesis_hash;
    r = reader_of(g->params->genesis_raw);
    block_header_read(&g->prev, &r);
    buffer_extend(&g->txids, 32);
    buffer_extend(&g->wtxids, 32);
}

static inline void gen_end(struct generator *g)
{
    gen_wallet_free(g->wallet);
    free(g->coins);
    free(g->made);
    buffer_clear(&g->txs);
    buffer_clear(&g->txids);
    buffer_clear(&g->wtxids);
}

/* A chain with about INPUTS inputs to OUT, framed as in a block file. */
static inline void generate_chain(struct buffer *out, size_t inputs)
{
    struct generator g = {.height = 0};
    struct gen_coin funding[GEN_FUNDING];
    gen_begin(&g, out);
    for (int i = 0; i < GEN_FUNDING; i++) {
        amount_sat value = block_subsidy(g.height + 1, g.params);
        funding[i] = (struct gen_coin){.at.txid = gen_block(&g), .value = value, .kind = GEN_P2WPKH};
    }
    for (int i = 0; i < COINBASE_MATURITY; i++) gen_block(&g);
    for (int i = 0; i < GEN_FUNDING; i++) gen_spend(&g, &funding[i], 1, GEN_FAN_OUT);
    gen_block(&g);
    while (g.inputs < inputs) {
        for (size_t limit = g.inputs + GEN_BLOCK_INPUTS; g.inputs < limit && g.inputs < inputs;) {
            struct gen_coin from[GEN_TX_MAX];
            size_t count = 1 + (size_t)random_below(&g.rng, GEN_TX_MAX);
            for (size_t i = 0; i < count; i++) from[i] = gen_take(&g);
            gen_spend(&g, from, count, 1 + (size_t)random_below(&g.rng, GEN_TX_MAX));
        }
        gen_block(&g);
    }
    gen_end(&g);
}

#endif
