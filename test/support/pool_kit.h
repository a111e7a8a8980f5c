/* A pool on a small regtest chain in memory whose coinbases anybody can spend, and transactions to put into it. */
#ifndef CAIRN_TEST_SUPPORT_POOL_KIT_H
#define CAIRN_TEST_SUPPORT_POOL_KIT_H

#include "mempool/mempool.h"
#include "support/block_maker.h"
#include "support/chain_kit.h"

struct pool_kit {
    struct kit kit;
    struct mempool *pool;
    uint32_t tag; /* so far; tells transactions apart */
};

/* What a transaction spends and makes. */
struct pool_spend_plan {
    const struct outpoint *in;
    size_t in_count;
    amount_sat in_value; /* of all */
    amount_sat fee;
    size_t outputs;     /* 0: one; each an equal part */
    size_t padding;     /* bytes of a data output; 0: none */
    unsigned multisigs; /* bare outputs of 80 sigops' cost each */
    uint32_t lock_time;
    uint32_t sequence; /* 0: final */
};

/* A pool that takes what is not standard on a chain of BLOCKS. */
static inline void pool_kit_new(struct pool_kit *k, int32_t blocks)
{
    memset(k, 0, sizeof(*k));
    kit_new(&k->kit, CHAIN_REGTEST);
    k->kit.chain->options.check_index = false;
    for (int32_t i = 0; i < blocks; i++) {
        struct block *b = make_empty_block(&chain_tip(k->kit.chain)->header, &k->kit.params, (uint32_t)i);
        k->kit.now_s = b->header.time;
        kit_feed_good(&k->kit, b);
        block_free(b);
    }
    struct mempool_options o = mempool_options_default();
    o.require_standard = false;
    o.check_one_in = 1;
    k->pool = mempool_new(&o, k->kit.chain, NULL);
    mempool_set_time(k->pool, k->kit.now_s);
}

static inline void pool_kit_free(struct pool_kit *k)
{
    mempool_free(k->pool);
    kit_free(&k->kit);
}

/* The coinbase output of the block at HEIGHT. */
static inline struct outpoint pool_kit_coin(struct pool_kit *k, int32_t height, amount_sat *value)
{
    struct block *b;
    struct error e = {0};
    enum result r = chain_read_block(k->kit.chain, chain_at(k->kit.chain, height), &b, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
    struct outpoint at = outpoint_of(b, 0, 0);
    *value = b->txs[0].out[0].value;
    block_free(b);
    return at;
}

static inline void pool_kit_output(struct buffer *out, amount_sat value, const void *script, size_t len)
{
    buffer_put_le64(out, (uint64_t)value);
    buffer_put_compact_size(out, len);
    buffer_put(out, script, len);
}

/* The bytes of a transaction like no other. Its first outputs can be spent by anybody. */
static inline void pool_kit_tx(struct pool_kit *k, const struct pool_spend_plan *p, struct buffer *out)
{
    uint8_t script[] = {8, 0, 0, 0, 0, 0, 0, 0, 0, 0x75, 0x51}, data[4] = {0x6a, 0x4d};
    uint8_t multisig[] = {0x51, 0x51, 0xae}; /* a bare one without keys that make sense: 20 sigops each */
    size_t outputs = p->outputs ? p->outputs : 1;
    buffer_put_le32(out, 2);
    buffer_put_compact_size(out, p->in_count);
    for (size_t i = 0; i < p->in_count; i++) {
        buffer_put(out, p->in[i].txid.bytes, 32);
        buffer_put_le32(out, p->in[i].index);
        buffer_put_u8(out, 0);
        buffer_put_le32(out, p->sequence ? p->sequence : SEQUENCE_FINAL);
    }
    buffer_put_compact_size(out, outputs + p->multisigs + (p->padding > 0));
    put_le32(script + 1, k->tag++);
    for (size_t i = 0; i < outputs; i++) {
        amount_sat value = (p->in_value - p->fee) / (amount_sat)outputs;
        if (i == 0) value += (p->in_value - p->fee) % (amount_sat)outputs;
        pool_kit_output(out, value, script, sizeof(script));
    }
    for (unsigned i = 0; i < p->multisigs; i++) pool_kit_output(out, 0, multisig, sizeof(multisig));
    if (p->padding) {
        struct buffer filler = {0};
        data[2] = (uint8_t)p->padding;
        data[3] = (uint8_t)(p->padding >> 8);
        buffer_put(&filler, data, 4);
        memset(buffer_extend(&filler, p->padding), 0, p->padding);
        pool_kit_output(out, 0, filler.data, filler.len);
        buffer_clear(&filler);
    }
    buffer_put_le32(out, p->lock_time);
}

/* Makes and accepts it; NULL and the verdict where it is refused. */
static inline const struct mempool_entry *pool_kit_try_add(struct pool_kit *k, const struct pool_spend_plan *p,
                                                           struct verdict *v)
{
    struct buffer raw = {0};
    struct arena arena = {0};
    struct error e = {0};
    struct tx tx;
    pool_kit_tx(k, p, &raw);
    cr_assert(tx_parse(&tx, buffer_span(&raw), &arena, 0));
    *v = (struct verdict){0};
    enum result r = mempool_accept_one(k->pool, &tx, k->kit.now_s, 0, v, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
    const struct mempool_entry *entry = verdict_ok(v) ? mempool_find(k->pool, &tx.txid) : NULL;
    arena_clear(&arena);
    buffer_clear(&raw);
    return entry;
}

static inline const struct mempool_entry *pool_kit_add(struct pool_kit *k, const struct pool_spend_plan *p)
{
    struct verdict v;
    const struct mempool_entry *entry = pool_kit_try_add(k, p, &v);
    cr_assert_not_null(entry, "%s, %s", v.reason, v.detail);
    return entry;
}

/* The same of a plan that spends output INDEX of E. */
static inline const struct mempool_entry *pool_kit_add_child(struct pool_kit *k, const struct mempool_entry *e,
                                                             uint32_t index, struct pool_spend_plan p)
{
    struct outpoint at = {.txid = e->tx.txid, .index = index};
    p.in = &at;
    p.in_count = 1;
    p.in_value = e->tx.out[index].value;
    return pool_kit_add(k, &p);
}

/* The same of a plan that spends the coinbase at HEIGHT. */
static inline const struct mempool_entry *pool_kit_add_root(struct pool_kit *k, int32_t height,
                                                            struct pool_spend_plan p)
{
    struct outpoint at = pool_kit_coin(k, height, &p.in_value);
    p.in = &at;
    p.in_count = 1;
    return pool_kit_add(k, &p);
}

#endif
