/* The checks of an entrant that cost little: before scripts are run, before it is compared with what it replaces. */
#include "mempool/accept_internal.h"
#include "script/script.h"

/* By itself, and against what is in the pool already: no coin is looked up. */
static bool check_alone(struct acceptance *a, struct candidate *c)
{
    const struct mempool *m = a->m;
    const struct tx *tx = c->tx;
    const struct block_node *tip = chain_tip(m->chain);
    if (!tx_check(tx, &c->verdict)) return false;
    if (tx_is_coinbase(tx)) return REFUSE(c, VERDICT_CONSENSUS, "coinbase", "%s", "");
    if (m->options.require_standard && !standard_tx(tx, &m->options.standard, &c->verdict)) return false;
    if (tx->base_size < STANDARD_TX_BASE_SIZE_MIN) return REFUSE(c, VERDICT_NOT_STANDARD, "tx-size-small", "%s", "");
    if (!tx_is_final(tx, tip->header.height + 1, header_median_time(&tip->header)))
        return REFUSE(c, VERDICT_PREMATURE, "non-final", "%s", "");
    if (mempool_find_wtxid(m, &tx->wtxid)) return REFUSE(c, VERDICT_CONFLICT, "txn-already-in-mempool", "%s", "");
    if (mempool_find(m, &tx->txid)) return REFUSE(c, VERDICT_CONFLICT, "txn-same-nonwitness-data-in-mempool", "%s", "");
    return true;
}

static bool check_conflicts(struct acceptance *a, struct candidate *c)
{
    for (size_t i = 0; i < c->tx->in_count; i++) {
        struct mempool_entry *other = pool_spender(a->m, &c->tx->in[i].prevout);
        if (!other) continue;
        if (!a->manner.may_replace) return REFUSE(c, VERDICT_MEMPOOL_POLICY, "bip125-replacement-disallowed", "%s", "");
        pool_set_add(&c->conflicts, other);
    }
    return true;
}

/* Something that it spends is not there: because it was mined already, or because its parents did not come yet. */
static bool refuse_missing(struct acceptance *a, struct candidate *c)
{
    for (size_t i = 0; i < c->tx->out_count; i++) {
        struct outpoint own = {.txid = c->tx->txid, .index = (uint32_t)i};
        if (coins_is_cached(a->m->chain->coins, &own))
            return REFUSE(c, VERDICT_CONFLICT, "txn-already-known", "%s", "");
    }
    return REFUSE(c, VERDICT_MISSING_INPUTS, "bad-txns-inputs-missingorspent", "%s", "");
}

/* With the coins at hand: locks, values, and whether what it spends, and how, is standard. */
static bool check_inputs(struct acceptance *a, struct candidate *c)
{
    struct mempool *m = a->m;
    const struct header_node *tip = &chain_tip(m->chain)->header;
    struct mempool_entry *d = &c->draft;
    accept_set_locks(m, d, c->origins);
    if (d->lock_height > tip->height || (d->lock_time_s >= 0 && d->lock_time_s >= header_median_time(tip)))
        return REFUSE(c, VERDICT_PREMATURE, "non-BIP68-final", "%s", "");
    if (!tx_check_inputs(c->tx, c->spent, c->origins, tip->height + 1, &d->fee, &c->verdict)) return false;
    if (!m->options.require_standard) return true;
    if (!standard_inputs(c->tx, c->spent, &c->verdict)) return false;
    if (c->tx->has_witness && !standard_witness(c->tx, c->spent))
        return REFUSE(c, VERDICT_WITNESS_MUTATED, "bad-witness-nonstandard", "%s", "");
    return true;
}

static void fill_draft(struct acceptance *a, struct candidate *c)
{
    struct mempool *m = a->m;
    struct mempool_entry *d = &c->draft;
    unsigned bytes_per_sigop = m->options.standard.bytes_per_sigop;
    d->sigop_cost = (uint32_t)tx_sigop_cost(c->tx, c->spent, STANDARD_SCRIPT_FLAGS);
    for (size_t i = 0; i < c->tx->in_count && !d->spends_coinbase; i++)
        d->spends_coinbase = coin_is_coinbase(c->origins[i]);
    d->delta = pool_delta(m, &c->tx->txid);
    d->time_s = a->time_s;
    d->sequence = a->manner.flags & MEMPOOL_RETURNED ? 0 : mempool_sequence(m);
    d->height = chain_height(m->chain);
    d->weight_wu = tx_weight(c->tx);
    d->adjusted_weight = sigop_adjusted_weight(d->weight_wu, d->sigop_cost, bytes_per_sigop);
    d->vsize = policy_vsize(d->weight_wu, d->sigop_cost, bytes_per_sigop);
    c->priced = true;
}

bool accept_check_rate(struct mempool *m, amount_sat fee, uint64_t vsize, struct verdict *v)
{
    amount_sat pool_min = fee_rate_fee(mempool_min_fee(m), vsize);
    if (pool_min > 0 && fee < pool_min)
        return verdict_fail(v, VERDICT_RECONSIDERABLE, "mempool min fee not met", "%lld < %lld", (long long)fee,
                            (long long)pool_min);
    amount_sat relay_min = fee_rate_fee(m->options.min_relay, vsize);
    if (fee < relay_min)
        return verdict_fail(v, VERDICT_RECONSIDERABLE, "min relay fee not met", "%lld < %lld", (long long)fee,
                            (long long)relay_min);
    return true;
}

bool candidate_check_max_rate(const struct acceptance *a, struct candidate *c)
{
    amount_sat max = a->manner.max_rate.sat_per_kvb;
    const struct fee_frac rate = {mempool_modified_fee(&c->draft), (int64_t)c->draft.vsize};
    if (max <= 0 || fee_frac_cmp(rate, (struct fee_frac){max, 1000}) <= 0) return true;
    return REFUSE(c, VERDICT_MEMPOOL_POLICY, "max feerate exceeded", "%s", "");
}

static bool check_price(struct acceptance *a, struct candidate *c)
{
    const struct mempool_options *o = &a->m->options;
    const struct mempool_entry *d = &c->draft;
    /* Nobody should be paid for mining dust without who spends it. */
    if (o->require_standard && (d->fee || mempool_modified_fee(d)) && count_dust(c->tx, o->standard.dust, NULL))
        return REFUSE(c, VERDICT_NOT_STANDARD, "dust", "tx with dust output must be 0-fee");
    if (d->sigop_cost > STANDARD_SIGOP_COST)
        return REFUSE(c, VERDICT_NOT_STANDARD, "bad-txns-too-many-sigops", "%u", (unsigned)d->sigop_cost);
    if (a->manner.flags & MEMPOOL_RETURNED || a->manner.rate_of_all) return true;
    return accept_check_rate(a->m, mempool_modified_fee(d), d->vsize, &c->verdict);
}

/* Version 3: one that may replace evicts the sibling that is in its way. */
static bool check_truc(struct acceptance *a, struct candidate *c)
{
    char detail[sizeof(c->verdict.detail)];
    struct mempool_entry *sibling = NULL;
    if (truc_check(a->m, c->tx, c->draft.vsize, &c->parents, &c->conflicts, detail, sizeof(detail), &sibling))
        return true;
    if (!a->manner.may_evict || !sibling) return REFUSE(c, VERDICT_MEMPOOL_POLICY, "TRUC-violation", "%s", detail);
    pool_set_add(&c->conflicts, sibling);
    c->sibling = true;
    return true;
}

enum result candidate_check(struct acceptance *a, struct candidate *c, struct error *e)
{
    c->draft.tx = *c->tx;
    if (!check_alone(a, c) || !check_conflicts(a, c)) return RESULT_OK;
    bool found;
    enum result r = candidate_find_coins(a, c, &found, e);
    if (r) return r;
    if (!found) {
        (void)refuse_missing(a, c);
        return RESULT_OK;
    }
    if (!check_inputs(a, c)) return RESULT_OK;
    fill_draft(a, c);
    if (!check_price(a, c) || a->manner.flags & MEMPOOL_RETURNED) return RESULT_OK;
    (void)check_truc(a, c);
    return RESULT_OK;
}

/* Whether TX spends every output of PARENT that is dust. */
static bool spends_dust_of(const struct tx *tx, const struct tx *parent, struct fee_rate dust)
{
    for (size_t i = 0; i < parent->out_count; i++) {
        bool spent = parent->out[i].value >= dust_threshold(&parent->out[i], dust);
        for (size_t k = 0; k < tx->in_count && !spent; k++)
            spent = tx->in[k].prevout.index == i && txid_equal(&tx->in[k].prevout.txid, &parent->txid);
        if (!spent) return false;
    }
    return true;
}

static bool is_parent(const struct tx *parent, const struct tx *tx)
{
    for (size_t k = 0; k < tx->in_count; k++)
        if (txid_equal(&tx->in[k].prevout.txid, &parent->txid)) return true;
    return false;
}

bool candidate_check_dust_spent(const struct acceptance *a, struct candidate *c)
{
    struct fee_rate dust = a->m->options.standard.dust;
    bool good = true;
    for (size_t i = 0; i < c->parents.count && good; i++) good = spends_dust_of(c->tx, &c->parents.items[i]->tx, dust);
    for (size_t i = 0; i < a->count && good; i++) {
        const struct tx *other = a->candidates[i].tx;
        good = other == c->tx || !is_parent(other, c->tx) || spends_dust_of(c->tx, other, dust);
    }
    if (good) return true;
    char txid[HASH_TEXT], wtxid[HASH_TEXT];
    return REFUSE(c, VERDICT_MEMPOOL_POLICY, "missing-ephemeral-spends",
                  "tx %s (wtxid=%s) did not spend parent's ephemeral dust", txid_text(txid, &c->tx->txid),
                  wtxid_text(wtxid, &c->tx->wtxid));
}
