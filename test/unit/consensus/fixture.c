/* Made-up chains and blocks for the tests of the rules. */
#include "fixture.h"

#include "consensus/merkle.h"
#include "consensus/pow.h"
#include "crypto/sha256.h"
#include "script/script.h"
#include "script/verify.h"

static const uint8_t op_true[] = {0x51};

void chain_link(struct header_node *n, const struct header_node *prev, uint32_t time, uint32_t bits, int32_t version)
{
    struct block_header h = {.version = version, .time = time, .bits = bits};
    if (prev) h.prev = prev->hash;
    struct block_hash hash;
    block_header_hash(&hash, &h);
    header_node_link(n, &h, &hash, prev);
}

struct header_node *chain_make(size_t count, uint32_t start_time, uint32_t spacing_s, uint32_t bits)
{
    struct header_node *nodes = mem_calloc(count, sizeof(*nodes));
    for (size_t i = 0; i < count; i++)
        chain_link(&nodes[i], i ? &nodes[i - 1] : NULL, start_time + (uint32_t)i * spacing_s, bits, 0x20000000);
    return nodes;
}

struct span draft_bytes(struct draft *d, size_t len, uint8_t value)
{
    uint8_t *bytes = arena_alloc(&d->arena, len);
    memset(bytes, value, len);
    return span_of(bytes, len);
}

struct draft_tx *draft_add(struct draft *d, size_t in_count, amount_sat value)
{
    cr_assert(d->tx_count < DRAFT_TXS && in_count <= DRAFT_INS);
    struct draft_tx *t = &d->txs[d->tx_count++];
    memset(t, 0, sizeof(*t));
    for (size_t i = 0; i < in_count; i++) {
        t->in[i].prevout.index = (uint32_t)i;
        t->in[i].prevout.txid.bytes[0] = (uint8_t)d->tx_count;
        t->in[i].sequence = 0;
        t->spent[i] = (struct tx_out){.value = COIN_SAT, .script_pubkey = {op_true, sizeof(op_true)}};
        t->origins[i] = coin_origin_of(1, false);
    }
    t->out[0] = (struct tx_out){.value = value, .script_pubkey = {op_true, sizeof(op_true)}};
    t->tx = (struct tx){.version = 2, .in = t->in, .in_count = in_count, .out = t->out, .out_count = 1};
    return t;
}

static void add_coinbase(struct draft *d, int32_t height, amount_sat value)
{
    struct draft_tx *t = draft_add(d, 1, value);
    struct buffer script = {0};
    script_put_int(&script, height);
    script_put_int(&script, 0);
    t->in[0].prevout = (struct outpoint){.index = OUTPOINT_NULL};
    t->in[0].sequence = SEQUENCE_FINAL;
    t->in[0].script_sig = span_of(memcpy(arena_alloc(&d->arena, script.len), script.data, script.len), script.len);
    buffer_clear(&script);
    t->items[0][0] = draft_bytes(d, 32, 0x5a);
    t->in[0].witness = (struct witness){.items = t->items[0], .count = 1};
    uint8_t *commitment = (uint8_t *)(uintptr_t)draft_bytes(d, 38, 0).data;
    memcpy(commitment, "\x6a\x24\xaa\x21\xa9\xed", 6);
    t->out[1] = (struct tx_out){.script_pubkey = {commitment, 38}};
    t->tx.out_count = 2;
}

void draft_init(struct draft *d)
{
    memset(d, 0, sizeof(*d));
    d->params = *chain_params_get(CHAIN_REGTEST);
    d->chain = chain_make(DRAFT_HEIGHT, 1700000000, 600, d->params.pow_limit_bits);
    d->prev = &d->chain[DRAFT_HEIGHT - 1];
    d->now_s = d->prev->time + 1000;
    d->header = (struct block_header){
        .version = 0x20000000, .prev = d->prev->hash, .time = d->prev->time + 600, .bits = d->params.pow_limit_bits};
    add_coinbase(d, DRAFT_HEIGHT, 25 * COIN_SAT + 3000);
    draft_add(d, 2, 2 * COIN_SAT - 1000);
    struct draft_tx *t = draft_add(d, 1, COIN_SAT - 2000);
    t->items[0][0] = span_of(op_true, sizeof(op_true));
    t->in[0].witness = (struct witness){.items = t->items[0], .count = 1};
}

void draft_clear(struct draft *d)
{
    free(d->chain);
    arena_clear(&d->arena);
}

/* Leaves of the merkle trees; the coinbase's wtxid counts as zeroes. */
static void root_of(uint8_t root[32], struct draft *d, bool witness)
{
    uint8_t leaves[DRAFT_TXS * 32] = {0};
    for (size_t i = 0; i < d->tx_count; i++) {
        struct tx *tx = &d->txs[i].tx;
        tx->has_witness = false;
        for (size_t j = 0; j < tx->in_count; j++) tx->has_witness |= tx->in[j].witness.count > 0;
        tx_hash(tx);
        if (!witness) memcpy(leaves + 32 * i, tx->txid.bytes, 32);
        if (witness && i > 0) memcpy(leaves + 32 * i, tx->wtxid.bytes, 32);
    }
    merkle_root(root, leaves, d->tx_count, NULL);
}

static void fill_commitment(struct draft *d)
{
    if (d->tx_count == 0 || d->keep_commitment) return;
    struct draft_tx *t = &d->txs[0];
    uint8_t preimage[64];
    root_of(preimage, d, true);
    memcpy(preimage + 32, t->items[0][0].data, 32);
    sha256d((uint8_t *)(uintptr_t)t->out[t->tx.out_count - 1].script_pubkey.data + 6, preimage, sizeof(preimage));
}

struct block *draft_build(struct draft *d)
{
    fill_commitment(d);
    if (!d->keep_root) root_of(d->header.merkle_root, d, false);
    struct block_hash hash;
    block_header_hash(&hash, &d->header);
    while (!d->no_mining && !pow_check(&hash, d->header.bits, &d->params)) {
        d->header.nonce++;
        block_header_hash(&hash, &d->header);
    }
    struct buffer raw = {0};
    block_header_write(buffer_extend(&raw, HEADER_BYTES), &d->header);
    buffer_put_u8(&raw, (uint8_t)d->tx_count);
    for (size_t i = 0; i < d->tx_count; i++) tx_write(&raw, &d->txs[i].tx);
    struct block *b = block_parse_take(raw.data, raw.len);
    cr_assert(b, "the draft does not parse");
    return b;
}

static bool judge_spends(const struct draft *d, const struct block *b, amount_sat *fees, struct verdict *v)
{
    struct tx_out outs[DRAFT_TXS * DRAFT_INS];
    coin_origin origins[DRAFT_TXS * DRAFT_INS];
    struct block_spends spends = {.outs = outs, .origins = origins};
    for (size_t i = 1; i < d->tx_count; i++)
        for (size_t j = 0; j < d->txs[i].tx.in_count; j++) {
            outs[spends.count] = d->txs[i].spent[j];
            origins[spends.count++] = d->txs[i].origins[j];
        }
    struct header_node node;
    header_node_link(&node, &b->header, &b->hash, d->prev);
    unsigned flags = block_script_flags(node.height, &node.hash, &d->params);
    return block_check_spends(b, &node, &spends, b->tx_count, flags, &d->params, fees, v);
}

bool judge(const struct draft *d, const struct block *b, amount_sat *fees, struct verdict *v)
{
    *v = (struct verdict){.kind = VERDICT_VALID};
    *fees = -1;
    return header_check(&b->header, &b->hash, &d->params, v) &&
           header_check_context(&b->header, d->prev, d->now_s, &d->params, v) &&
           block_check(b, &d->params, d->check_flags, v) && block_check_context(b, d->prev, &d->params, v) &&
           judge_spends(d, b, fees, v);
}
