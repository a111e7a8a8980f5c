/* The pool of the tests of its store. */
#include "store_kit.h"

#include <stdlib.h>

static void keep_line(void *ctx, enum log_level level, enum log_category category, const struct log_source *source,
                      const char *text)
{
    struct sk *k = ctx;
    (void)level, (void)category, (void)source;
    buffer_put_str(&k->text, text);
    buffer_put_u8(&k->text, '\n');
}

void sk_open(struct sk *k)
{
    *k = (struct sk){0};
    kit_new(&k->kit, CHAIN_REGTEST);
    hashmap_init(&k->txs, offsetof(struct tx, txid), sizeof(struct txid), 1);
    k->log = (struct log){.write = keep_line, .ctx = k, .debug_categories = ~UINT64_C(0), .min_debug = LOG_DEBUG};
    k->options = mempool_options_default();
    memset(k->options.seed, 3, sizeof(k->options.seed));
    sk_new_pool(k);
}

void sk_close(struct sk *k)
{
    mempool_free(k->m);
    kit_free(&k->kit);
    hashmap_clear(&k->txs);
    buffer_clear(&k->text);
    arena_clear(&k->arena);
}

void sk_new_pool(struct sk *k)
{
    mempool_free(k->m);
    k->m = mempool_new(&k->options, k->kit.chain, &k->log);
    mempool_set_time(k->m, k->kit.now_s);
}

struct outpoint sk_coin(struct sk *k, amount_sat value)
{
    static const uint8_t op_true[] = {0x51};
    struct outpoint at = {.index = k->coins % 3};
    memset(at.txid.bytes, 0xc0, sizeof(at.txid.bytes));
    put_le32(at.txid.bytes, ++k->coins);
    struct coin coin = {.value = value, .origin = coin_origin_of(0, false), .script_pubkey = span_of(op_true, 1)};
    coins_add(k->kit.chain->coins, &at, &coin, false);
    return at;
}

struct outpoint sk_out(const struct tx *tx, uint32_t index)
{
    return (struct outpoint){tx->txid, index};
}

amount_sat sk_value(struct sk *k, const struct outpoint *at)
{
    const struct tx *tx = hashmap_get(&k->txs, &at->txid);
    struct coin coin;
    struct error e;
    if (tx) return tx->out[at->index].value;
    cr_assert_eq(coins_get(k->kit.chain->coins, at, &coin, &e), RESULT_OK);
    return coin.value;
}

static void put_outputs(struct sk *k, struct buffer *b, const struct sk_tx *from)
{
    size_t outs = from->out_count ? from->out_count : 1;
    amount_sat left = -from->fee;
    for (size_t i = 0; i < from->in_count; i++) left += sk_value(k, &from->in[i]);
    amount_sat each = left / (amount_sat)outs;
    buffer_put_compact_size(b, outs + (from->pad > 0));
    for (size_t i = 0; i < outs; i++) {
        buffer_put_le64(b, (uint64_t)(i + 1 < outs ? each : left));
        left -= each;
        buffer_put(b, "\x01\x51", 2);
    }
    if (!from->pad) return;
    buffer_put_le64(b, 0);
    buffer_put_compact_size(b, from->pad);
    memset(buffer_extend(b, from->pad), 0x6a, from->pad);
}

struct tx *sk_make(struct sk *k, const struct sk_tx *from)
{
    struct buffer b = {0};
    buffer_put_le32(&b, from->version ? (uint32_t)from->version : 2);
    buffer_put_compact_size(&b, from->in_count);
    for (size_t i = 0; i < from->in_count; i++) {
        buffer_put(&b, from->in[i].txid.bytes, 32);
        buffer_put_le32(&b, from->in[i].index);
        buffer_put_u8(&b, 0);
        buffer_put_le32(&b, SEQUENCE_FINAL);
    }
    put_outputs(k, &b, from);
    buffer_put_le32(&b, 0);
    uint8_t *raw = arena_alloc(&k->arena, b.len);
    memcpy(raw, b.data, b.len);
    struct tx *tx = arena_alloc(&k->arena, sizeof(*tx));
    cr_assert(tx_parse(tx, span_of(raw, b.len), &k->arena, 0));
    buffer_clear(&b);
    if (!hashmap_get(&k->txs, &tx->txid)) hashmap_put(&k->txs, tx);
    return tx;
}

struct tx *sk_move(struct sk *k, struct outpoint in, amount_sat fee)
{
    return sk_make(k, &(struct sk_tx){.in = &in, .in_count = 1, .fee = fee});
}

struct mempool_entry *sk_entry(struct sk *k, const struct tx *tx)
{
    struct mempool_entry *e = pool_entry_new(tx);
    for (size_t i = 0; i < tx->in_count; i++) e->fee += sk_value(k, &tx->in[i].prevout);
    for (size_t i = 0; i < tx->out_count; i++) e->fee -= tx->out[i].value;
    e->delta = pool_delta(k->m, &tx->txid);
    e->time_s = k->m->now_s;
    e->sequence = mempool_sequence(k->m);
    e->weight_wu = e->adjusted_weight = tx_weight(tx);
    e->vsize = (e->weight_wu + 3) / 4;
    e->lock_height = -1;
    e->lock_time_s = -1;
    return e;
}

struct mempool_entry *sk_try(struct sk *k, const struct tx *tx)
{
    struct mempool_entry *e = sk_entry(k, tx);
    pool_stage(k->m);
    pool_stage_add(k->m, e);
    if (!pool_stage_fits(k->m)) {
        pool_stage_abort(k->m);
        pool_entry_free(e);
        return NULL;
    }
    pool_stage_commit(k->m, NULL, REMOVED_REPLACED, &e, 1, false);
    return e;
}

struct mempool_entry *sk_add(struct sk *k, const struct tx *tx)
{
    struct mempool_entry *e = sk_try(k, tx);
    cr_assert_not_null(e);
    return e;
}

struct mempool_entry *sk_add_move(struct sk *k, struct outpoint in, amount_sat fee)
{
    return sk_add(k, sk_move(k, in, fee));
}

void sk_mine(struct sk *k, const struct tx *const *txs, size_t count)
{
    struct pool_set set = {0};
    for (size_t i = 0; i < count; i++) {
        const struct tx *tx = txs[i];
        for (size_t n = 0; n < tx->in_count; n++) coins_erase(k->kit.chain->coins, &tx->in[n].prevout);
        for (size_t n = 0; n < tx->out_count; n++) {
            struct outpoint at = sk_out(tx, (uint32_t)n);
            struct coin coin = {tx->out[n].value, coin_origin_of(0, false), tx->out[n].script_pubkey};
            coins_add(k->kit.chain->coins, &at, &coin, true);
        }
        struct mempool_entry *e = pool_find(k->m, &tx->txid);
        if (e) pool_set_add(&set, e);
    }
    pool_remove(k->m, &set, REMOVED_BLOCK);
    pool_set_clear(&set);
}

bool sk_logged(struct sk *k, const char *text)
{
    bool found = strstr(buffer_text(&k->text), text) != NULL;
    k->text.len = 0;
    return found;
}
