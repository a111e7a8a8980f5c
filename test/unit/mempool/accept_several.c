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

/* ---- packages that enter ---- */

static void submit(const struct tx *const *txs, size_t count, amount_sat max_rate)
{
    struct error e = {0};
    mempool_outcome_clear(&k.out);
    enum result r = mempool_accept_package(k.pool, txs, count, k.kit.now_s, (struct fee_rate){max_rate}, &k.out, &e);
    cr_assert_eq(r, RESULT_OK, "%s", e.text);
    cr_assert_eq(k.out.count, count);
    mempool_check(k.pool);
    coins_check(k.kit.chain->coins);
}

static void submit_bad(const struct tx *const *txs, size_t count, const char *reason)
{
    submit(txs, count, 0);
    cr_assert_str_eq(k.out.package.reason, reason);
}

static void expect_outcome(size_t at, enum tx_outcome_kind kind, const char *reason)
{
    cr_assert_eq(k.out.txs[at].kind, kind, "%zu: %s", at, k.out.txs[at].verdict.reason);
    cr_assert_str_eq(k.out.txs[at].verdict.reason, reason);
}

Test(accept_several, a_child_pays_for_its_parent)
{
    struct tx *parent = ak_pay(&k, 2, 0), *child = ak_child(&k, parent, 0, 1, AK_FEE);
    const struct tx *both[] = {parent, child};
    submit(both, 2, 0);
    cr_assert(verdict_ok(&k.out.package), "%s", k.out.package.reason);
    for (size_t i = 0; i < 2; i++) {
        const struct tx_outcome *o = &k.out.txs[i];
        expect_outcome(i, TX_OUTCOME_ACCEPTED, "");
        cr_assert_eq(o->effective_count, 2);
        cr_assert(wtxid_equal(&o->effective_wtxids[1], &child->wtxid));
        cr_assert_eq(o->effective.sat_per_kvb, AK_FEE * 1000 / (amount_sat)(parent->size + child->size));
    }
    cr_assert_eq(mempool_count(k.pool), 2);
    submit(both, 2, 0);
    cr_assert(verdict_ok(&k.out.package));
    expect_outcome(0, TX_OUTCOME_KNOWN, "");
    cr_assert_eq(k.out.txs[1].fee, AK_FEE);
}

Test(accept_several, what_pays_for_itself_enters_alone)
{
    struct tx *parent = ak_pay(&k, 1, AK_FEE), *child = ak_child(&k, parent, 0, 1, 0);
    submit_bad((const struct tx *[]){parent, child}, 2, "transaction failed");
    expect_outcome(0, TX_OUTCOME_ACCEPTED, "");
    expect_outcome(1, TX_OUTCOME_REFUSED, "min relay fee not met");
    cr_assert_eq(k.out.txs[0].effective_count, 1);
    cr_assert_eq(mempool_count(k.pool), 1);
}

Test(accept_several, families_alone)
{
    struct tx *a = ak_pay(&k, 1, AK_FEE), *b = ak_pay(&k, 1, AK_FEE);
    submit_bad((const struct tx *[]){a, b}, 2, "package-not-child-with-parents");
    expect_outcome(0, TX_OUTCOME_NONE, "");
    submit_bad((const struct tx *[]){ak_child(&k, a, 0, 1, AK_FEE), a}, 2, "package-not-sorted");
    submit((const struct tx *[]){a}, 1, 0);
    expect_outcome(0, TX_OUTCOME_ACCEPTED, "");
    cr_assert_eq(mempool_count(k.pool), 1);
}

Test(accept_several, packages_that_fail)
{
    struct tx *parent = ak_pay(&k, 2, 0), *poor = ak_child(&k, parent, 0, 1, 10);
    submit_bad((const struct tx *[]){parent, poor}, 2, "transaction failed");
    expect_outcome(0, TX_OUTCOME_REFUSED, "min relay fee not met");
    expect_outcome(1, TX_OUTCOME_REFUSED, "min relay fee not met");
    cr_assert_eq(k.out.txs[1].effective_count, 2);
    struct tx *wrong = ak_child(&k, parent, 0, 1, AK_FEE);
    wrong->out[0].value--;
    submit_bad((const struct tx *[]){parent, ak_again(&k, wrong)}, 2, "transaction failed");
    cr_assert_eq(k.out.txs[1].kind, TX_OUTCOME_REFUSED);
    cr_assert_not_null(strstr(k.out.txs[1].verdict.reason, "mempool-script-verify-flag-failed"));
    struct tx *child = ak_child(&k, parent, 0, 1, AK_FEE);
    submit((const struct tx *[]){parent, child}, 2, 1000);
    expect_outcome(1, TX_OUTCOME_REFUSED, "max feerate exceeded");
    cr_assert_eq(mempool_count(k.pool), 0);
}

Test(accept_several, dust_enters_with_who_spends_it)
{
    amount_sat value;
    struct ak_in in = ak_coin(&k, &value);
    struct ak_out out[2] = {{.value = 1}, {.value = value - 1}};
    struct tx *parent = ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = out, .out_count = 2});
    submit_bad((const struct tx *[]){parent, ak_child(&k, parent, 1, 1, AK_FEE)}, 2, "unspent-dust");
    expect_outcome(1, TX_OUTCOME_REFUSED, "missing-ephemeral-spends");
    struct ak_in both[2] = {{.at = {.txid = parent->txid}}, {.at = {.txid = parent->txid, .index = 1}}};
    out[0].value = value - AK_FEE;
    struct tx *child = ak_make(&k, &(struct ak_tx){.in = both, .in_count = 2, .out = out, .out_count = 1});
    submit((const struct tx *[]){parent, child}, 2, 0);
    cr_assert(verdict_ok(&k.out.package), "%s", k.out.package.reason);
    cr_assert_eq(mempool_count(k.pool), 2);
}

/* Spends the coin of OLD to one output. */
static struct tx *rival_of(const struct tx *old, amount_sat fee)
{
    struct ak_in in = {.at = old->in[0].prevout};
    struct ak_out out = {.value = ak_spent(&k, old)[0].value - fee};
    return ak_make(&k, &(struct ak_tx){.in = &in, .in_count = 1, .out = &out, .out_count = 1});
}

Test(accept_several, a_package_replaces)
{
    struct tx *old = ak_pay(&k, 1, AK_FEE);
    ak_good(&k, old, 0);
    struct tx *parent = rival_of(old, 0), *child = ak_child(&k, parent, 0, 1, AK_FEE);
    submit_bad((const struct tx *[]){parent, child}, 2, "package RBF failed: insufficient anti-DoS fees");
    cr_assert_not_null(mempool_find(k.pool, &old->txid));
    child = ak_child(&k, parent, 0, 1, AK_FEE * 3);
    submit((const struct tx *[]){parent, child}, 2, 0);
    cr_assert(verdict_ok(&k.out.package), "%s", k.out.package.reason);
    cr_assert_eq(k.out.replaced_count, 1);
    cr_assert(txid_equal(&k.out.replaced[0].txid, &old->txid));
    cr_assert_eq(mempool_count(k.pool), 2);
    cr_assert_null(mempool_find(k.pool, &old->txid));
}

Test(accept_several, who_may_replace_as_a_package)
{
    struct tx *old = ak_pay(&k, 1, AK_FEE), *root = ak_pay(&k, 2, AK_FEE);
    ak_good(&k, old, 0);
    ak_good(&k, root, 0);
    /* With a parent in the pool. */
    struct ak_in in[2] = {{.at = old->in[0].prevout}, {.at = {.txid = root->txid}}};
    struct ak_out out = {.value = ak_spent(&k, old)[0].value + root->out[0].value};
    struct tx *parent = ak_make(&k, &(struct ak_tx){.in = in, .in_count = 2, .out = &out, .out_count = 1});
    submit_bad((const struct tx *[]){parent, ak_child(&k, parent, 0, 1, AK_FEE * 5)}, 2,
               "package RBF failed: new transaction cannot have mempool ancestors");
    /* More than two. */
    struct tx *a = rival_of(old, 0), *b = ak_pay(&k, 1, 0);
    in[0].at = (struct outpoint){.txid = a->txid};
    in[1].at = (struct outpoint){.txid = b->txid};
    out.value = a->out[0].value + b->out[0].value - AK_FEE * 5;
    struct tx *child = ak_make(&k, &(struct ak_tx){.in = in, .in_count = 2, .out = &out, .out_count = 1});
    submit_bad((const struct tx *[]){a, b, child}, 3, "package RBF failed: package must be 1-parent-1-child");
    cr_assert_eq(mempool_count(k.pool), 2);
}

Test(accept_several, no_room_for_a_package)
{
    const struct tx *rich[8];
    for (int i = 0; i < 8; i++) rich[i] = ak_pay(&k, 100, AK_FEE * 10);
    struct tx *poor = ak_pay(&k, 100, 0), *child = ak_child(&k, poor, 0, 1, AK_FEE);
    for (int i = 0; i < 8; i++) ak_good(&k, rich[i], 0);
    k.pool->options.max_bytes = mempool_memory(k.pool);
    submit_bad((const struct tx *[]){poor, child}, 2, "transaction failed");
    expect_outcome(0, TX_OUTCOME_REFUSED, "mempool full");
    cr_assert_eq(k.out.txs[0].verdict.kind, VERDICT_MEMPOOL_POLICY);
    cr_assert_null(mempool_find(k.pool, &poor->txid));
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
