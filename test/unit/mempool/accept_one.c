/* Acceptance of one transaction: each reason for which it can be refused, and what an entry is. */
#include "accept_kit.h"
#include "chain/coins_table.h"
#include "script/opcodes.h"

static struct ak k;

static void open(void)
{
    ak_open(&k, NULL);
}

static void close(void)
{
    ak_close(&k);
}

TestSuite(accept, .init = open, .fini = close);

/* One input, COUNT outputs as given; the rest is fee. */
static struct tx *to(const struct ak_out *out, size_t count)
{
    amount_sat value;
    struct ak_in in = ak_coin(&k, &value);
    return ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = out, .out_count = count});
}

static struct tx *changed(const struct tx *tx, void (*change)(struct tx *tx))
{
    struct tx *t = ak_again(&k, tx);
    change(t);
    return ak_again(&k, t);
}

Test(accept, enters)
{
    const struct tx *tx = ak_pay(&k, 2, AK_FEE);
    ak_good(&k, tx, MEMPOOL_TEST);
    cr_assert_eq(mempool_sequence(k.pool), 1);
    ak_good(&k, tx, 0);
    const struct tx_outcome *o = &k.out.txs[0];
    cr_assert_eq(o->fee, AK_FEE);
    cr_assert_eq(o->vsize, tx->size);
    cr_assert_eq(o->effective_count, 1);
    cr_assert_eq(o->effective.sat_per_kvb, AK_FEE * 1000 / (amount_sat)tx->size);
    cr_assert(wtxid_equal(&o->effective_wtxids[0], &tx->wtxid));
    const struct mempool_entry *e = mempool_find(k.pool, &tx->txid);
    cr_assert_eq(e->fee, AK_FEE);
    cr_assert_eq(e->height, AK_BLOCKS);
    cr_assert_eq(e->time_s, k.kit.now_s);
    cr_assert_eq(e->sequence, 1);
    cr_assert_eq(e->sigop_cost, 8, "%u", e->sigop_cost);
    cr_assert_eq(e->weight_wu, tx_weight(tx));
    cr_assert_eq(e->vsize, tx->size);
    cr_assert(e->spends_coinbase);
    cr_assert_eq(e->lock_height, -1);
    cr_assert_eq(e->lock_block->header.height, 1);
    const struct tx *child = ak_child(&k, tx, 0, 1, AK_FEE);
    ak_good(&k, child, 0);
    e = mempool_find(k.pool, &child->txid);
    cr_assert(!e->spends_coinbase);
    cr_assert_eq(e->lock_block->header.height, 0);
}

Test(accept, delta_counts)
{
    const struct tx *tx = ak_pay(&k, 1, 0);
    ak_bad(&k, tx, VERDICT_RECONSIDERABLE, "min relay fee not met", NULL);
    mempool_prioritise(k.pool, &tx->txid, AK_FEE);
    ak_good(&k, tx, 0);
    cr_assert_eq(k.out.txs[0].fee, 0);
    cr_assert_eq(k.out.txs[0].effective.sat_per_kvb, AK_FEE * 1000 / (amount_sat)tx->size);
}

static void no_outputs(struct tx *tx)
{
    tx->out_count = 0;
}

static void version_4(struct tx *tx)
{
    tx->version = 4;
}

Test(accept, by_itself)
{
    const struct tx *tx = ak_pay(&k, 1, AK_FEE);
    ak_bad(&k, changed(tx, no_outputs), VERDICT_CONSENSUS, "bad-txns-vout-empty", "");
    ak_bad(&k, changed(tx, version_4), VERDICT_NOT_STANDARD, "version", "");
    struct error e = {0};
    struct block *b;
    cr_assert_eq(chain_read_block(k.kit.chain, chain_tip(k.kit.chain), &b, &e), RESULT_OK);
    ak_bad(&k, &b->txs[0], VERDICT_CONSENSUS, "coinbase", "");
    block_free(b);
    tx = to((struct ak_out[]){{.value = 1, .script = span_of((uint8_t[]){OP_1}, 1)}}, 1);
    ak_bad(&k, tx, VERDICT_NOT_STANDARD, "scriptpubkey", "");
    k.options.require_standard = false;
    ak_new_pool(&k);
    ak_good(&k, tx, 0);
}

Test(accept, too_small)
{
    /* An input without a signature and an output without a script: 61 bytes. */
    static const uint8_t ret = OP_RETURN;
    amount_sat value;
    struct ak_in in = ak_coin(&k, &value);
    struct tx *tx = ak_make(&k, &(struct ak_tx){.in = &in,
                                                .in_count = 1,
                                                .out = &(struct ak_out){.script = span_of(&ret, 1)},
                                                .out_count = 1,
                                                .unsigned_ = true});
    ak_bad(&k, tx, VERDICT_NOT_STANDARD, "tx-size-small", "");
    k.options.require_standard = false; /* makes no difference */
    ak_new_pool(&k);
    ak_bad(&k, tx, VERDICT_NOT_STANDARD, "tx-size-small", "");
}

Test(accept, lock_times)
{
    amount_sat value;
    struct ak_in in = ak_coin(&k, &value);
    struct ak_out out = {.value = value - AK_FEE};
    struct ak_tx from = {.in = &in, .in_count = 1, .out = &out, .out_count = 1};
    from.lock_time = AK_BLOCKS + 1;
    ak_bad(&k, ak_make(&k, &from), VERDICT_PREMATURE, "non-final", "");
    from.lock_time = AK_BLOCKS;
    ak_good(&k, ak_make(&k, &from), MEMPOOL_TEST);
    from.lock_time = (uint32_t)header_median_time(&chain_tip(k.kit.chain)->header);
    ak_bad(&k, ak_make(&k, &from), VERDICT_PREMATURE, "non-final", "");
    from.lock_time--;
    ak_good(&k, ak_make(&k, &from), MEMPOOL_TEST);
    from.lock_time = 0;
    /* The coin is of block 1: at 130 more blocks it may be mined in 131, which is next. */
    in.sequence = AK_BLOCKS + 1;
    ak_bad(&k, ak_make(&k, &from), VERDICT_PREMATURE, "non-BIP68-final", "");
    in.sequence = AK_BLOCKS;
    struct tx *tx = ak_make(&k, &from);
    ak_good(&k, tx, 0);
    cr_assert_eq(mempool_find(k.pool, &tx->txid)->lock_height, AK_BLOCKS);
    /* What is not in the chain yet counts as mined next: any lock of one block or more is too early. */
    in = (struct ak_in){.at = {.txid = tx->txid}, .sequence = 1};
    out.value -= AK_FEE;
    ak_bad(&k, ak_make(&k, &from), VERDICT_PREMATURE, "non-BIP68-final", "");
    in.sequence = UINT32_C(1) << 22 | 1;
    ak_bad(&k, ak_make(&k, &from), VERDICT_PREMATURE, "non-BIP68-final", "");
    in.sequence = UINT32_C(1) << 22;
    ak_good(&k, ak_make(&k, &from), MEMPOOL_TEST);
    from.version = 1; /* has no relative locks */
    in.sequence = 1;
    ak_good(&k, ak_make(&k, &from), 0);
}

Test(accept, there_already)
{
    amount_sat value;
    struct ak_in in = ak_coin(&k, &value);
    struct ak_out out = {.value = value - AK_FEE, .script = span_of(k.witness, 22)};
    struct tx *parent = ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = &out, .out_count = 1});
    ak_good(&k, parent, 0);
    ak_bad(&k, parent, VERDICT_CONFLICT, "txn-already-in-mempool", "");
    struct tx *tx = ak_child(&k, parent, 0, 1, AK_FEE);
    cr_assert(tx->has_witness);
    ak_good(&k, tx, 0);
    struct tx other = *tx;
    other.in = arena_alloc(&k.arena, sizeof(*other.in));
    other.in[0] = tx->in[0];
    other.in[0].witness = (struct witness){.items = &(struct span){.data = k.script, .len = 25}, .count = 1};
    struct tx *again = ak_again(&k, &other);
    cr_assert(txid_equal(&again->txid, &tx->txid));
    ak_bad(&k, again, VERDICT_CONFLICT, "txn-same-nonwitness-data-in-mempool", "");
}

Test(accept, missing_or_mined)
{
    struct tx *tx = ak_pay(&k, 2, AK_FEE);
    struct tx *child = ak_child(&k, tx, 0, 1, AK_FEE);
    ak_bad(&k, child, VERDICT_MISSING_INPUTS, "bad-txns-inputs-missingorspent", "");
    ak_good(&k, tx, 0);
    struct ak_in none = {.at = {.txid = tx->txid, .index = 2}};
    struct ak_out out = {.value = 1000};
    ak_bad(&k, ak_make(&k, &(struct ak_tx){.in = &none, .in_count = 1, .out = &out, .out_count = 1}),
           VERDICT_MISSING_INPUTS, "bad-txns-inputs-missingorspent", "");
    ak_mine(&k, &tx, 1);
    cr_assert_eq(mempool_count(k.pool), 0);
    ak_bad(&k, tx, VERDICT_CONFLICT, "txn-already-known", "");
    ak_good(&k, child, 0);
    ak_mine(&k, &child, 1);
    struct tx *last = ak_child(&k, child, 0, 1, AK_FEE);
    ak_good(&k, last, 0);
    ak_mine(&k, &last, 1);
    ak_bad(&k, child, VERDICT_MISSING_INPUTS, "bad-txns-inputs-missingorspent", "");
}

Test(accept, coins_leave_the_cache)
{
    struct error e = {0};
    struct tx *good = ak_pay(&k, 1, AK_FEE), *bad = ak_pay(&k, 1, 0);
    cr_assert_eq(chain_flush(k.kit.chain, true, &e), RESULT_OK);
    struct coins *coins = k.kit.chain->coins;
    cr_assert_eq(coins_cached(coins), 0);
    ak_bad(&k, bad, VERDICT_RECONSIDERABLE, "min relay fee not met", NULL);
    cr_assert_eq(coins_cached(coins), 0);
    ak_good(&k, good, MEMPOOL_TEST);
    cr_assert_eq(coins_cached(coins), 0);
    ak_good(&k, good, 0);
    cr_assert_eq(coins_cached(coins), 1);
    /* What was cached before stays, whatever comes of who looked at it. */
    struct coin coin;
    cr_assert_eq(coins_get(coins, &bad->in[0].prevout, &coin, &e), RESULT_OK);
    ak_bad(&k, bad, VERDICT_RECONSIDERABLE, "min relay fee not met", NULL);
    cr_assert_eq(coins_cached(coins), 2);
    cr_assert(coins_is_cached(coins, &bad->in[0].prevout));
}

static enum result broken_get(void *ctx, struct span key, struct buffer *value, struct error *e)
{
    (void)ctx, (void)key, (void)value;
    return error_set(e, RESULT_IO, "as the test asked");
}

Test(accept, failing_store)
{
    struct error e = {0};
    struct tx *tx = ak_pay(&k, 1, AK_FEE);
    struct verdict v = {0};
    cr_assert_eq(chain_flush(k.kit.chain, true, &e), RESULT_OK);
    struct kv_store *store = &k.kit.chain->coins->store;
    const struct kv_ops *good = store->ops;
    struct kv_ops broken = *good;
    broken.get = broken_get;
    store->ops = &broken;
    cr_assert_eq(mempool_accept_one(k.pool, tx, k.kit.now_s, 0, &v, &e), RESULT_IO);
    cr_assert(verdict_ok(&v));
    cr_assert_eq(mempool_accept(k.pool, (const struct tx *[]){tx}, 1, k.kit.now_s, 0, &k.out, &e), RESULT_IO);
    cr_assert_eq(k.out.count, 0);
    store->ops = good;
    ak_good(&k, tx, 0);
}

Test(accept, values)
{
    amount_sat value;
    struct ak_in in = ak_coin(&k, &value);
    struct ak_out out = {.value = value + 1};
    ak_bad(&k, ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = &out, .out_count = 1}), VERDICT_CONSENSUS,
           "bad-txns-in-belowout", "value in (6.25) < value out (6.25000001)");
    /* Of block 32: 99 deep in the next one. */
    in.at = k.known[31 * AK_COINS].at;
    out.value -= AK_FEE;
    ak_bad(&k, ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = &out, .out_count = 1}), VERDICT_PREMATURE,
           "bad-txns-premature-spend-of-coinbase", "tried to spend coinbase at depth 99");
    in.at = k.known[30 * AK_COINS].at;
    ak_good(&k, ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = &out, .out_count = 1}), 0);
}

/* An output with SCRIPT that is in the chain. */
static struct outpoint mined_output(struct span script)
{
    amount_sat value;
    struct ak_in in = ak_coin(&k, &value);
    struct ak_out out = {.value = value - AK_FEE, .script = script};
    struct tx *tx = ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = &out, .out_count = 1});
    ak_mine(&k, &tx, 1);
    return (struct outpoint){.txid = tx->txid};
}

Test(accept, inputs_that_are_not_standard)
{
    static const uint8_t always = OP_1;
    struct ak_in in = {.at = mined_output(span_of(&always, 1))};
    struct ak_out out = {.value = 100000000};
    struct tx *tx = ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = &out, .out_count = 1});
    ak_bad(&k, tx, VERDICT_INPUTS_NOT_STANDARD, "bad-txns-nonstandard-inputs", "input 0 script unknown");
    k.options.require_standard = false;
    ak_new_pool(&k);
    ak_good(&k, tx, 0);
}

Test(accept, witness_that_is_not_standard)
{
    struct tx *tx = ak_pay(&k, 1, AK_FEE);
    tx->in[0].witness = (struct witness){.items = &(struct span){.data = k.script, .len = 25}, .count = 1};
    ak_bad(&k, ak_again(&k, tx), VERDICT_WITNESS_MUTATED, "bad-witness-nonstandard", "");
}

Test(accept, sigops)
{
    /* Each bare multisig counts as 20. */
    uint8_t multisig[37] = {OP_1, 33};
    struct ak_out out[201];
    memcpy(multisig + 2, k.keys.keys[0].pubkey, 33);
    multisig[35] = OP_1;
    multisig[36] = OP_CHECKMULTISIG;
    for (int i = 0; i < 201; i++) out[i] = (struct ak_out){.value = 10000, .script = span_of(multisig, 37)};
    ak_bad(&k, to(out, 201), VERDICT_NOT_STANDARD, "bad-txns-too-many-sigops", "16080");
    struct tx *tx = to(out, 200);
    ak_good(&k, tx, 0);
    const struct mempool_entry *e = mempool_find(k.pool, &tx->txid);
    cr_assert_eq(e->sigop_cost, 16000);
    cr_assert_eq(e->adjusted_weight, 16000 * 20);
    cr_assert_eq(e->vsize, 80000);
    cr_assert_lt(e->weight_wu, e->adjusted_weight);
}

Test(accept, fees)
{
    struct tx *tx = ak_pay(&k, 1, 18);
    char detail[32];
    snprintf(detail, sizeof(detail), "18 < %u", (tx->size * 100 + 999) / 1000);
    ak_bad(&k, tx, VERDICT_RECONSIDERABLE, "min relay fee not met", detail);
    cr_assert(k.out.txs[0].has_rate);
    cr_assert_eq(k.out.txs[0].vsize, tx->size);
    ak_good(&k, tx, MEMPOOL_RETURNED);
    cr_assert_eq(mempool_find(k.pool, &tx->txid)->sequence, 0);
    tx = ak_pay(&k, 1, AK_FEE);
    k.pool->rolling_rate = 20000;
    k.pool->rolling_update_s = k.kit.now_s;
    snprintf(detail, sizeof(detail), "2000 < %u", tx->size * 20);
    ak_bad(&k, tx, VERDICT_RECONSIDERABLE, "mempool min fee not met", detail);
}

Test(accept, dust)
{
    struct ak_out out[3] = {{.value = 1}, {.value = 100000}, {.value = 1}};
    ak_bad(&k, to(out, 3), VERDICT_NOT_STANDARD, "dust", "");
    ak_bad(&k, to(out, 2), VERDICT_NOT_STANDARD, "dust", "tx with dust output must be 0-fee");
    /* Without a fee it waits for who spends the dust. */
    amount_sat value;
    struct ak_in in = ak_coin(&k, &value);
    out[1].value = value - 1;
    struct tx *parent = ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = out, .out_count = 2});
    ak_bad(&k, parent, VERDICT_RECONSIDERABLE, "min relay fee not met", NULL);
    mempool_prioritise(k.pool, &parent->txid, AK_FEE); /* counts as a fee */
    ak_bad(&k, parent, VERDICT_NOT_STANDARD, "dust", "tx with dust output must be 0-fee");
    mempool_prioritise(k.pool, &parent->txid, -AK_FEE);
    k.options.min_relay.sat_per_kvb = 0;
    ak_new_pool(&k);
    ak_good(&k, parent, 0);
    struct tx *child = ak_child(&k, parent, 1, 1, AK_FEE);
    char detail[256], txid[HASH_TEXT], wtxid[HASH_TEXT];
    snprintf(detail, sizeof(detail), "tx %s (wtxid=%s) did not spend parent's ephemeral dust",
             txid_text(txid, &child->txid), wtxid_text(wtxid, &child->wtxid));
    ak_bad(&k, child, VERDICT_MEMPOOL_POLICY, "missing-ephemeral-spends", detail);
    struct ak_in both[2] = {{.at = {.txid = parent->txid, .index = 1}}, {.at = {.txid = parent->txid}}};
    out[0].value = value - AK_FEE;
    ak_good(&k, ak_make(&k, &(struct ak_tx){.in = both, .in_count = 2, .out = out, .out_count = 1}), 0);
}

Test(accept, version_3)
{
    struct tx *old = ak_pay(&k, 2, AK_FEE);
    ak_good(&k, old, 0);
    struct tx *child = ak_child_of_version(&k, 3, old, 0, 1, AK_FEE);
    ak_accept(&k, child, 0);
    cr_assert_str_eq(k.verdict.reason, "TRUC-violation");
    cr_assert_eq(k.verdict.kind, VERDICT_MEMPOOL_POLICY);
    cr_assert_not_null(strstr(k.verdict.detail, "cannot spend from non-version=3 tx"), "%s", k.verdict.detail);
    ak_good(&k, child, MEMPOOL_RETURNED);
    /* A second child evicts the first where it pays for it. */
    amount_sat value;
    struct ak_in in = ak_coin(&k, &value);
    struct ak_out out[2] = {{.value = value / 2}, {.value = value / 2 - AK_FEE}};
    struct tx *parent =
        ak_make(&k, &(struct ak_tx){.version = 3, .in = &in, .in_count = 1, .out = out, .out_count = 2});
    struct tx *first = ak_child_of_version(&k, 3, parent, 0, 1, AK_FEE);
    ak_good(&k, parent, 0);
    ak_good(&k, first, 0);
    ak_bad(&k, ak_child_of_version(&k, 3, parent, 1, 1, AK_FEE), VERDICT_RECONSIDERABLE,
           "insufficient fee (including sibling eviction)", NULL);
    ak_good(&k, ak_child_of_version(&k, 3, parent, 1, 1, AK_FEE * 2), 0);
    cr_assert_null(mempool_find(k.pool, &first->txid));
    cr_assert_eq(k.out.replaced_count, 1);
    cr_assert(wtxid_equal(&k.out.replaced[0].wtxid, &first->wtxid));
}

/* From the coin that TX spends, to one output. */
static struct tx *rival(const struct tx *tx, amount_sat fee)
{
    struct ak_in in = {.at = tx->in[0].prevout, .sequence = SEQUENCE_FINAL};
    struct ak_out out = {.value = ak_spent(&k, tx)[0].value - fee};
    return ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = &out, .out_count = 1});
}

Test(accept, replaces)
{
    struct tx *first = ak_pay(&k, 1, AK_FEE), *child = ak_child(&k, first, 0, 1, AK_FEE);
    ak_good(&k, first, 0);
    ak_good(&k, child, 0);
    ak_bad(&k, rival(first, 2 * AK_FEE - 1), VERDICT_RECONSIDERABLE, "insufficient fee", NULL);
    ak_bad(&k, rival(first, 2 * AK_FEE), VERDICT_RECONSIDERABLE, "insufficient fee", NULL);
    struct tx *better = rival(first, 2 * AK_FEE + 100);
    ak_good(&k, better, MEMPOOL_TEST);
    cr_assert_not_null(mempool_find(k.pool, &child->txid));
    ak_good(&k, better, 0);
    cr_assert_eq(mempool_count(k.pool), 1);
    cr_assert_eq(k.out.replaced_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct replaced_tx *r = &k.out.replaced[i];
        const struct tx *was = txid_equal(&r->txid, &first->txid) ? first : child;
        cr_assert(txid_equal(&r->txid, &was->txid) && span_equal(buffer_span(&r->raw), was->raw));
    }
}

Test(accept, replaces_for_a_better_diagram_only)
{
    /* A large one that pays a little more in all, but at a lower rate. */
    struct tx *first = ak_pay(&k, 1, AK_FEE * 10);
    ak_good(&k, first, 0);
    struct ak_in in = {.at = first->in[0].prevout};
    struct ak_out out[100];
    for (int i = 0; i < 100; i++) out[i].value = 100000, out[i].script = span_of(NULL, 0);
    out[0].value = ak_spent(&k, first)[0].value - 99 * 100000 - AK_FEE * 12;
    struct tx *large = ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = out, .out_count = 100});
    ak_bad(&k, large, VERDICT_RECONSIDERABLE, "replacement-failed", NULL);
}

Test(accept, spends_what_it_replaces)
{
    struct tx *first = ak_pay(&k, 1, AK_FEE), *child = ak_child(&k, first, 0, 1, AK_FEE);
    ak_good(&k, first, 0);
    ak_good(&k, child, 0);
    struct ak_in in[2] = {{.at = first->in[0].prevout}, {.at = {.txid = child->txid}}};
    struct ak_out out = {.value = first->out[0].value};
    struct tx *tx = ak_make(&k, &(struct ak_tx){.in = in, .in_count = 2, .out = &out, .out_count = 1});
    char detail[200], own[HASH_TEXT], other[HASH_TEXT];
    snprintf(detail, sizeof(detail), "%s spends conflicting transaction %s", txid_text(own, &tx->txid),
             txid_text(other, &first->txid));
    ak_bad(&k, tx, VERDICT_CONSENSUS, "bad-txns-spends-conflicting-tx", detail);
}

Test(accept, clusters)
{
    k.options.cluster_count = 2;
    ak_new_pool(&k);
    struct tx *a = ak_pay(&k, 2, AK_FEE), *b = ak_child(&k, a, 0, 1, AK_FEE);
    ak_good(&k, a, 0);
    ak_good(&k, b, 0);
    ak_bad(&k, ak_child(&k, b, 0, 1, AK_FEE), VERDICT_MEMPOOL_POLICY, "too-large-cluster", "");
    ak_bad(&k, ak_child(&k, a, 1, 1, AK_FEE), VERDICT_MEMPOOL_POLICY, "too-large-cluster", "");
    ak_good(&k, rival(b, AK_FEE * 2), 0);
}

Test(accept, scripts)
{
    char detail[400], txid[HASH_TEXT], wtxid[HASH_TEXT], spent[HASH_TEXT];
    struct tx *tx = ak_pay(&k, 1, AK_FEE);
    tx->out[0].value--;
    tx = ak_again(&k, tx);
    snprintf(detail, sizeof(detail), "input 0 of %s (wtxid %s), spending %s:0", txid_text(txid, &tx->txid),
             wtxid_text(wtxid, &tx->wtxid), txid_text(spent, &tx->in[0].prevout.txid));
    ak_bad(&k, tx, VERDICT_NOT_STANDARD,
           "mempool-script-verify-flag-failed (Signature must be zero for failed CHECK(MULTI)SIG operation)", detail);
    tx->in[0].script_sig = span_of(NULL, 0);
    tx->out[0].script_pubkey = span_of(k.script, 25);
    ak_bad(&k, ak_again(&k, tx), VERDICT_NOT_STANDARD,
           "mempool-script-verify-flag-failed (Operation not valid with the current stack size)", NULL);
    struct tx *parent = to(&(struct ak_out){.value = 100000000, .script = span_of(k.witness, 22)}, 1);
    ak_good(&k, parent, 0);
    tx = ak_child(&k, parent, 0, 1, AK_FEE);
    tx->in[0].witness.count = 0;
    ak_bad(&k, ak_again(&k, tx), VERDICT_WITNESS_STRIPPED,
           "mempool-script-verify-flag-failed (Witness program hash mismatch)", NULL);
}

Test(accept, full)
{
    struct tx *poor = ak_pay(&k, 100, AK_FEE);
    const struct tx *rich[8];
    for (int i = 0; i < 8; i++) rich[i] = ak_pay(&k, 100, AK_FEE * 10);
    for (int i = 0; i < 8; i++) ak_good(&k, rich[i], 0);
    k.options.max_bytes = k.pool->options.max_bytes = mempool_memory(k.pool);
    ak_accept(&k, poor, 0);
    cr_assert_str_eq(k.verdict.reason, "mempool full");
    cr_assert_eq(k.verdict.kind, VERDICT_RECONSIDERABLE);
    cr_assert(k.out.txs[0].has_rate);
    cr_assert_null(mempool_find(k.pool, &poor->txid));
    cr_assert_gt(mempool_count(k.pool), 0);
    cr_assert_gt(mempool_min_fee(k.pool).sat_per_kvb, 0);
}
