/* A pool on a regtest chain in memory. */
#include "accept_kit.h"

#include "script/opcodes.h"

static void know(struct ak *k, const struct tx *tx)
{
    for (size_t i = 0; i < tx->out_count; i++) {
        cr_assert_lt(k->known_count, AK_OUTPUTS_MAX);
        k->known[k->known_count++] =
            (struct ak_known){.at = {.txid = tx->txid, .index = (uint32_t)i}, .out = tx->out[i]};
    }
}

static void on_notice(void *arg, const struct notice *n)
{
    struct ak *k = arg;
    if (!k->pool) return;
    if (n->kind == NOTICE_CONNECTED) mempool_on_connected(k->pool, n->block, n->node);
    if (n->kind == NOTICE_DISCONNECTED) mempool_on_disconnected(k->pool, n->block);
}

static struct block *mine(struct ak *k, struct tx *const *txs, size_t count, size_t coins)
{
    struct draft d = draft_on(&chain_tip(k->kit.chain)->header, &k->kit.params, (uint32_t)++k->tag);
    d.coinbase_script = span_of(k->script, sizeof(k->script));
    d.coinbase_outputs = coins;
    for (size_t i = 0; i < count; i++) {
        CHECK(!txs[i]->has_witness); /* no commitment is made */
        size_t start = d.txs.len;
        tx_write(&d.txs, txs[i]);
        draft_tx_end(&d, start);
    }
    struct block *b = draft_mine(&d, &k->kit.params);
    kit_feed_good(&k->kit, b);
    if (k->pool) mempool_settle(k->pool);
    return b;
}

void ak_mine(struct ak *k, struct tx *const *txs, size_t count)
{
    block_free(mine(k, txs, count, 1));
}

void ak_new_pool(struct ak *k)
{
    mempool_free(k->pool);
    k->pool = mempool_new(&k->options, k->kit.chain, NULL);
    mempool_set_time(k->pool, k->kit.now_s);
}

void ak_open(struct ak *k, void (*change)(struct mempool_options *options))
{
    static const uint8_t secret[32] = {[31] = 7};
    *k = (struct ak){.options = mempool_options_default()};
    k->options.check_one_in = 1;
    kit_new(&k->kit, CHAIN_REGTEST);
    k->kit.on_notice = on_notice;
    k->kit.arg = k;
    cr_assert(sign_keys_add(&k->keys, secret, true));
    const uint8_t *id = k->keys.keys[0].id;
    memcpy(k->script, (uint8_t[]){OP_DUP, OP_HASH160, 20}, 3);
    memcpy(k->script + 3, id, 20);
    memcpy(k->script + 23, (uint8_t[]){OP_EQUALVERIFY, OP_CHECKSIG}, 2);
    k->witness[1] = 20;
    memcpy(k->witness + 2, id, 20);
    for (int i = 0; i < AK_BLOCKS; i++) {
        struct block *b = mine(k, NULL, 0, AK_COINS);
        struct tx coinbase = b->txs[0];
        for (size_t n = 0; n < coinbase.out_count; n++)
            coinbase.out[n].script_pubkey = span_of(k->script, sizeof(k->script));
        know(k, &coinbase);
        block_free(b);
    }
    if (change) change(&k->options);
    ak_new_pool(k);
}

void ak_close(struct ak *k)
{
    mempool_outcome_clear(&k->out);
    mempool_free(k->pool);
    sign_keys_clear(&k->keys);
    arena_clear(&k->arena);
    kit_free(&k->kit);
}

struct ak_in ak_coin(struct ak *k, amount_sat *value)
{
    const struct ak_known *known = &k->known[k->next++];
    cr_assert_lt(k->next, (AK_BLOCKS - 100) * AK_COINS);
    *value = known->out.value;
    return (struct ak_in){.at = known->at};
}

struct tx_out *ak_spent(struct ak *k, const struct tx *tx)
{
    struct tx_out *spent = arena_alloc_array(&k->arena, tx->in_count, sizeof(*spent));
    for (size_t i = 0; i < tx->in_count; i++) {
        spent[i] = (struct tx_out){0};
        for (size_t n = 0; n < k->known_count; n++)
            if (!memcmp(&k->known[n].at, &tx->in[i].prevout, sizeof(struct outpoint))) spent[i] = k->known[n].out;
    }
    return spent;
}

struct tx *ak_again(struct ak *k, const struct tx *tx)
{
    struct buffer b = {0};
    struct tx bare = *tx, *again = arena_alloc(&k->arena, sizeof(*again));
    bare.raw = span_of(NULL, 0);
    tx_write(&b, &bare);
    uint8_t *raw = arena_alloc(&k->arena, b.len);
    memcpy(raw, b.data, b.len);
    cr_assert(tx_parse(again, span_of(raw, b.len), &k->arena, 0));
    buffer_clear(&b);
    return again;
}

static void sign(struct ak *k, struct tx *tx)
{
    const struct tx_out *spent = ak_spent(k, tx);
    const struct tx_out **each = arena_alloc_array(&k->arena, tx->in_count, sizeof(*each));
    const char **errors = arena_alloc_array(&k->arena, tx->in_count, sizeof(*errors));
    for (size_t i = 0; i < tx->in_count; i++) each[i] = spent[i].script_pubkey.len ? &spent[i] : NULL;
    (void)!sign_tx(tx, each, &k->keys, SIGHASH_ALL, STANDARD_SCRIPT_FLAGS, &k->arena, errors);
}

struct tx *ak_make(struct ak *k, const struct ak_tx *from)
{
    struct tx tx = {.version = from->version ? from->version : 2,
                    .lock_time = from->lock_time,
                    .in_count = from->in_count,
                    .out_count = from->out_count};
    tx.in = arena_alloc_array(&k->arena, tx.in_count, sizeof(*tx.in));
    tx.out = arena_alloc_array(&k->arena, tx.out_count, sizeof(*tx.out));
    for (size_t i = 0; i < tx.in_count; i++)
        tx.in[i] = (struct tx_in){.prevout = from->in[i].at,
                                  .sequence = from->in[i].sequence ? from->in[i].sequence : SEQUENCE_FINAL - 2};
    for (size_t i = 0; i < tx.out_count; i++) {
        struct span script = from->out[i].script;
        tx.out[i] = (struct tx_out){.value = from->out[i].value,
                                    .script_pubkey = script.len ? script : span_of(k->script, sizeof(k->script))};
    }
    tx_hash(&tx);
    if (!from->unsigned_) sign(k, &tx);
    struct tx *made = ak_again(k, &tx);
    know(k, made);
    return made;
}

static struct tx *spend(struct ak *k, int32_t version, struct ak_in in, amount_sat value, size_t outputs,
                        amount_sat fee)
{
    struct ak_out *out = arena_alloc_array(&k->arena, outputs, sizeof(*out));
    for (size_t i = 0; i < outputs; i++) out[i] = (struct ak_out){.value = (value - fee) / (amount_sat)outputs};
    out[0].value += (value - fee) % (amount_sat)outputs;
    return ak_make(k, &(struct ak_tx){.version = version, .in = &in, .in_count = 1, .out = out, .out_count = outputs});
}

struct tx *ak_pay(struct ak *k, size_t outputs, amount_sat fee)
{
    amount_sat value;
    struct ak_in in = ak_coin(k, &value);
    return spend(k, 2, in, value, outputs, fee);
}

struct tx *ak_child_of_version(struct ak *k, int32_t version, const struct tx *parent, uint32_t index, size_t outputs,
                               amount_sat fee)
{
    struct ak_in in = {.at = {.txid = parent->txid, .index = index}};
    return spend(k, version, in, parent->out[index].value, outputs, fee);
}

struct tx *ak_child(struct ak *k, const struct tx *parent, uint32_t index, size_t outputs, amount_sat fee)
{
    return ak_child_of_version(k, 2, parent, index, outputs, fee);
}

void ak_accept(struct ak *k, const struct tx *tx, unsigned flags)
{
    struct error e = {0};
    size_t cached = coins_cached(k->kit.chain->coins), count = mempool_count(k->pool);
    mempool_outcome_clear(&k->out);
    enum result r = mempool_accept(k->pool, &tx, 1, k->kit.now_s, flags, &k->out, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
    cr_assert_eq(k->out.count, 1);
    k->verdict = k->out.txs[0].verdict;
    if (!verdict_ok(&k->verdict) || flags & MEMPOOL_TEST) {
        cr_assert_eq(coins_cached(k->kit.chain->coins), cached, "coins stay in the cache");
        if (strcmp(k->verdict.reason, "mempool full")) cr_assert_eq(mempool_count(k->pool), count);
    }
    coins_check(k->kit.chain->coins);
    mempool_check(k->pool);
}

void ak_good(struct ak *k, const struct tx *tx, unsigned flags)
{
    ak_accept(k, tx, flags);
    cr_assert(verdict_ok(&k->verdict), "%s, %s", k->verdict.reason, k->verdict.detail);
    cr_assert_eq(k->out.txs[0].kind, TX_OUTCOME_ACCEPTED);
    cr_assert_eq(mempool_find(k->pool, &tx->txid) != NULL, !(flags & MEMPOOL_TEST));
}

void ak_bad(struct ak *k, const struct tx *tx, enum verdict_kind kind, const char *reason, const char *detail)
{
    /* The same whether it is meant or not. */
    for (unsigned flags = MEMPOOL_TEST + 1; flags-- > 0;) {
        ak_accept(k, tx, flags);
        cr_assert_str_eq(k->verdict.reason, reason, "got %s, %s", k->verdict.reason, k->verdict.detail);
        if (detail) cr_assert_str_eq(k->verdict.detail, detail);
        cr_assert_eq(k->verdict.kind, kind, "%s is of kind %d", reason, (int)k->verdict.kind);
        cr_assert_eq(k->out.txs[0].kind, TX_OUTCOME_REFUSED);
    }
}
