/* What the tests of transactions between peers share: a chain with coins to spend, and transactions that spend them. */
#ifndef CAIRN_TEST_P2P_POOL_KIT_H
#define CAIRN_TEST_P2P_POOL_KIT_H

#include "relay_kit.h"

enum { POOL_COINS = 30 };

struct pool_kit {
    struct harness h;
    struct outpoint coins[POOL_COINS]; /* anybody may spend them */
    amount_sat value;                  /* of each */
    struct arena arena;                /* of the transactions made */
};

/* Change K->h.options first, which harness_prepare has set. */
static inline void pool_open(struct pool_kit *k)
{
    struct harness *h = &k->h;
    h->kit.options.check_index = false;
    harness_open(h);
    harness_open_pool(h);
    grow(h, 100 + POOL_COINS);
    for (int32_t i = 0; i < POOL_COINS; i++) {
        struct block *b;
        struct error e;
        cr_assert_eq(chain_read_block(h->kit.chain, chain_at(h->kit.chain, i + 1), &b, &e), RESULT_OK);
        k->coins[i] = outpoint_of(b, 0, 0);
        k->value = b->txs[0].out[0].value;
        block_free(b);
    }
    harness_clear_log(h);
}

static inline void pool_kit_new(struct pool_kit *k)
{
    memset(k, 0, sizeof(*k));
    harness_prepare(&k->h);
    pool_open(k);
}

static inline void pool_kit_free(struct pool_kit *k)
{
    harness_free(&k->h);
    arena_clear(&k->arena);
}

/* Spends IN, worth VALUE, to two outputs for FEE. */
static inline const struct tx *make_tx(struct pool_kit *k, const struct outpoint *in, amount_sat value, amount_sat fee)
{
    struct buffer raw = {0};
    buffer_put_le32(&raw, 2);
    buffer_put_u8(&raw, 1);
    buffer_put(&raw, in->txid.bytes, 32);
    buffer_put_le32(&raw, in->index);
    buffer_put_u8(&raw, 0);
    buffer_put_le32(&raw, SEQUENCE_FINAL);
    buffer_put_u8(&raw, 2);
    for (int i = 0; i < 2; i++) {
        buffer_put_le64(&raw, (uint64_t)((value - fee) / 2));
        buffer_put_u8(&raw, 1);
        buffer_put_u8(&raw, 0x51);
    }
    buffer_put_le32(&raw, 0);
    uint8_t *bytes = arena_alloc(&k->arena, raw.len);
    struct tx *tx = arena_alloc(&k->arena, sizeof(*tx));
    memcpy(bytes, raw.data, raw.len);
    cr_assert(tx_parse(tx, span_of(bytes, raw.len), &k->arena, 0));
    buffer_clear(&raw);
    return tx;
}

/* Spends the AT-th coin. */
static inline const struct tx *coin_tx(struct pool_kit *k, size_t at, amount_sat fee)
{
    return make_tx(k, &k->coins[at], k->value, fee);
}

/* Spends the first output of PARENT. */
static inline const struct tx *child_tx(struct pool_kit *k, const struct tx *parent, amount_sat fee)
{
    struct outpoint in = {.txid = parent->txid};
    return make_tx(k, &in, parent->out[0].value, fee);
}

/* TX enters the pool, and nobody is told. */
static inline void enter(struct pool_kit *k, const struct tx *tx)
{
    struct verdict v = {0};
    struct error e = {0};
    enum result r = mempool_accept_one(k->h.pool, tx, k->h.wall_us / 1000000, 0, &v, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
    cr_assert(verdict_ok(&v), "%s %s", v.reason, v.detail);
}

/* The same, and it is a user's: told. */
static inline void send_tx(struct pool_kit *k, const struct tx *tx)
{
    enter(k, tx);
    p2p_relay_tx(k->h.p, &tx->txid, &tx->wtxid);
    harness_pump(&k->h);
}

/* Whether an inv for ID names this transaction; takes all that went out. */
static inline bool was_told(struct pool_kit *k, peer_id id, const struct tx *tx)
{
    struct message m;
    bool found = false;
    while (harness_answer(&k->h, id, MESSAGE_INV, &m))
        for (size_t i = 0; i < m.as.inv.count; i++)
            found |= memcmp(m.as.inv.items[i].hash,
                            m.as.inv.items[i].type == INV_WTX ? tx->wtxid.bytes : tx->txid.bytes, 32) == 0;
    return found;
}

static inline void say_tx_getdata(struct harness *h, peer_id id, uint32_t type, const uint8_t hash[32])
{
    struct inv i = {.type = type};
    memcpy(i.hash, hash, sizeof(i.hash));
    harness_say(h, id, &(struct message){.type = MESSAGE_GETDATA, .as.inv = {.items = &i, .count = 1}});
}

static inline void say_tx_inv(struct harness *h, peer_id id, uint32_t type, const uint8_t hash[32])
{
    struct inv i = {.type = type};
    memcpy(i.hash, hash, sizeof(i.hash));
    harness_say(h, id, &(struct message){.type = MESSAGE_INV, .as.inv = {.items = &i, .count = 1}});
}

#endif
