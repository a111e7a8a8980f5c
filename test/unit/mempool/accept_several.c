/* Acceptance of several at once, as a test; and what the caches of signatures and estimates get of those that enter. */
#include "accept_kit.h"
#include "chain/sig_cache.h"
#include "consensus/block_check.h"
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

TestSuite(accept_several, .init = open, .fini = close);

static void judge(const struct tx *const *txs, size_t count)
{
    struct error e = {0};
    size_t cached = coins_cached(k.kit.chain->coins), there = mempool_count(k.pool);
    mempool_outcome_clear(&k.out);
    enum result r = mempool_accept(k.pool, txs, count, k.kit.now_s, MEMPOOL_TEST, &k.out, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
    cr_assert_eq(k.out.count, count);
    cr_assert_eq(coins_cached(k.kit.chain->coins), cached);
    cr_assert_eq(mempool_count(k.pool), there);
    mempool_check(k.pool);
}

/* All fail together, and none has an answer of its own. */
static void all_bad(const struct tx *const *txs, size_t count, const char *reason)
{
    judge(txs, count);
    cr_assert_str_eq(k.out.package.reason, reason);
    cr_assert_eq(k.out.package.kind, VERDICT_MEMPOOL_POLICY);
    for (size_t i = 0; i < count; i++) cr_assert_eq(k.out.txs[i].kind, TX_OUTCOME_NONE);
}

/* The one AT fails; those before it were found good or not judged to the end. */
static void one_bad(const struct tx *const *txs, size_t count, size_t at, size_t good, const char *reason)
{
    judge(txs, count);
    cr_assert(verdict_ok(&k.out.package), "%s", k.out.package.reason);
    for (size_t i = 0; i < count; i++) {
        enum tx_outcome_kind kind = i == at ? TX_OUTCOME_REFUSED : i < good ? TX_OUTCOME_ACCEPTED : TX_OUTCOME_NONE;
        cr_assert_eq(k.out.txs[i].kind, kind, "%zu: %s", i, k.out.txs[i].verdict.reason);
    }
    cr_assert_str_eq(k.out.txs[at].verdict.reason, reason);
}

Test(accept_several, good)
{
    struct tx *a = ak_pay(&k, 2, AK_FEE), *b = ak_child(&k, a, 0, 1, AK_FEE), *c = ak_child(&k, a, 1, 1, AK_FEE);
    struct ak_in in[2] = {{.at = {.txid = b->txid}}, {.at = {.txid = c->txid}}};
    struct ak_out out = {.value = 1000000};
    struct tx *d = ak_make(&k, &(struct ak_tx){.in = in, .in_count = 2, .out = &out, .out_count = 1});
    judge((const struct tx *[]){a, b, c, d}, 4);
    cr_assert(verdict_ok(&k.out.package));
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(k.out.txs[i].kind, TX_OUTCOME_ACCEPTED);
        cr_assert_eq(k.out.txs[i].effective_count, 1);
    }
    cr_assert_eq(k.out.txs[1].fee, AK_FEE);
    /* With the first in the pool already. */
    ak_good(&k, a, 0);
    judge((const struct tx *[]){b, c, d}, 3);
    cr_assert_eq(k.out.txs[2].kind, TX_OUTCOME_ACCEPTED);
    one_bad((const struct tx *[]){a, b}, 2, 0, 0, "txn-already-in-mempool");
}

Test(accept_several, not_well_formed)
{
    const struct tx *many[26];
    struct tx *a = ak_pay(&k, 1, AK_FEE), *b = ak_child(&k, a, 0, 1, AK_FEE);
    for (size_t i = 0; i < 26; i++) many[i] = a;
    all_bad(many, 26, "package-too-many-transactions");
    all_bad(many, 25, "package-contains-duplicates");
    all_bad((const struct tx *[]){b, a}, 2, "package-not-sorted");
    struct ak_in in = {.at = a->in[0].prevout};
    struct ak_out out = {.value = 1000000};
    struct tx *rival = ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = &out, .out_count = 1});
    all_bad((const struct tx *[]){a, rival}, 2, "conflict-in-package");
    struct tx none = *a;
    none.in_count = 0;
    memset(none.txid.bytes, 1, 32);
    all_bad((const struct tx *[]){a, &none}, 2, "conflict-in-package");
    for (size_t i = 0; i < 2; i++) many[i] = ak_pay(&k, 1500, AK_FEE * 100);
    all_bad(many, 2, "package-too-large");
}

Test(accept_several, one_fails)
{
    struct tx *a = ak_pay(&k, 2, AK_FEE), *poor = ak_child(&k, a, 0, 1, 0);
    one_bad((const struct tx *[]){a, poor}, 2, 1, 0, "min relay fee not met");
    struct tx *wrong = ak_child(&k, a, 0, 1, AK_FEE);
    wrong->out[0].value--;
    wrong = ak_again(&k, wrong);
    one_bad((const struct tx *[]){a, wrong, ak_child(&k, a, 1, 1, AK_FEE)}, 3, 1, 1,
            "mempool-script-verify-flag-failed (Signature must be zero for failed CHECK(MULTI)SIG operation)");
    struct ak_in in = {.at = {.txid = a->txid, .index = 2}};
    struct ak_out out = {.value = 1000};
    struct tx *lost = ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = &out, .out_count = 1});
    one_bad((const struct tx *[]){a, lost}, 2, 1, 0, "bad-txns-inputs-missingorspent");
}

Test(accept_several, no_replacement)
{
    struct tx *a = ak_pay(&k, 1, AK_FEE);
    ak_good(&k, a, 0);
    struct ak_in in = {.at = a->in[0].prevout};
    struct ak_out out = {.value = 1000000};
    struct tx *rival = ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = &out, .out_count = 1});
    ak_good(&k, rival, MEMPOOL_TEST);
    one_bad((const struct tx *[]){rival, ak_pay(&k, 1, AK_FEE)}, 2, 0, 0, "bip125-replacement-disallowed");
}

Test(accept_several, policy_of_all)
{
    k.options.cluster_count = 2;
    k.options.min_relay.sat_per_kvb = 0;
    ak_new_pool(&k);
    struct tx *a = ak_pay(&k, 2, AK_FEE), *b = ak_child(&k, a, 0, 1, AK_FEE), *c = ak_child(&k, a, 1, 1, AK_FEE);
    all_bad((const struct tx *[]){a, b, c}, 3, "too-large-cluster");
    struct tx *v3 = ak_child_of_version(&k, 3, a, 0, 1, AK_FEE);
    all_bad((const struct tx *[]){a, v3}, 2, "TRUC-violation");
    /* Dust of one that comes with it. */
    amount_sat value;
    struct ak_in in = ak_coin(&k, &value);
    struct ak_out out[2] = {{.value = 1}, {.value = value - 1}};
    struct tx *parent = ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = out, .out_count = 2});
    one_bad((const struct tx *[]){parent, ak_child(&k, parent, 1, 1, AK_FEE)}, 2, 1, 0, "missing-ephemeral-spends");
    cr_assert_eq(k.out.txs[1].verdict.kind, VERDICT_MEMPOOL_POLICY);
    struct ak_in both[2] = {{.at = {.txid = parent->txid}}, {.at = {.txid = parent->txid, .index = 1}}};
    out[0].value = value - AK_FEE;
    struct tx *child = ak_make(&k, &(struct ak_tx){.in = both, .in_count = 2, .out = out, .out_count = 1});
    judge((const struct tx *[]){parent, child}, 2);
    cr_assert_eq(k.out.txs[1].kind, TX_OUTCOME_ACCEPTED);
}

/* ---- signatures are checked once ---- */

struct counter {
    const struct sig_cache *cache;
    size_t known, checked;
};

static bool count_ecdsa(void *ctx, struct span pubkey, struct span sig, const uint8_t hash[32])
{
    struct counter *c = ctx;
    struct sig_key key;
    sig_cache_ecdsa_key(c->cache, &key, pubkey, sig, hash);
    if (sig_cache_has(c->cache, &key))
        c->known++;
    else
        c->checked++;
    return true;
}

static struct counter count_signatures(const struct tx *tx)
{
    struct counter c = {.cache = k.kit.chain->sig_cache};
    struct sig_verifier verifier = {.ecdsa = count_ecdsa, .ctx = &c};
    struct script_tx t;
    script_tx_init(&t, tx, ak_spent(&k, tx));
    for (size_t i = 0; i < tx->in_count; i++)
        cr_assert_eq(script_verify_input(&t, i, STANDARD_SCRIPT_FLAGS, &verifier), SCRIPT_ERR_OK);
    return c;
}

static bool scripts_known(const struct tx *tx, const struct block_node *n)
{
    struct sig_key key;
    unsigned flags = block_script_flags(n->header.height, &n->header.hash, &k.kit.params);
    sig_cache_script_key(k.kit.chain->sig_cache, &key, &tx->wtxid, flags);
    return sig_cache_has(k.kit.chain->sig_cache, &key);
}

Test(accept_several, a_block_checks_no_signature_again)
{
    struct tx *txs[4];
    txs[0] = ak_pay(&k, 3, AK_FEE);
    for (int i = 1; i < 4; i++) txs[i] = ak_child(&k, txs[0], (uint32_t)i - 1, 1, AK_FEE);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(count_signatures(txs[i]).checked, 1);
        ak_good(&k, txs[i], 0);
        struct counter c = count_signatures(txs[i]);
        cr_assert_eq(c.checked, 0);
        cr_assert_eq(c.known, 1);
    }
    ak_mine(&k, txs, 4);
    for (int i = 0; i < 4; i++) cr_assert(scripts_known(txs[i], chain_tip(k.kit.chain)));
    cr_assert_eq(mempool_count(k.pool), 0);
}

Test(accept_several, what_fails_is_not_remembered)
{
    struct tx *a = ak_pay(&k, 1, AK_FEE);
    a->out[0].value--;
    a = ak_again(&k, a);
    ak_accept(&k, a, 0);
    cr_assert(!verdict_ok(&k.verdict));
    cr_assert_eq(count_signatures(a).checked, 1);
    cr_assert(sig_cache_is_empty(k.kit.chain->sig_cache));
}
