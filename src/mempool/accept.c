/* Acceptance: one transaction judged and let in, or several judged together. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "mempool/accept_internal.h"

enum { ESTIMATES_TIP_AGE_S = 3 * 60 * 60 }; /* with an older tip, what enters says nothing of fees */

/* ---- one call ---- */

static void acceptance_begin(struct acceptance *a, struct mempool *m, const struct tx *const *txs, size_t count,
                             int64_t time_s, unsigned flags)
{
    *a = (struct acceptance){.m = m, .flags = flags, .time_s = time_s, .may_replace = count == 1, .count = count};
    a->candidates = arena_alloc_array(&a->arena, count, sizeof(*a->candidates));
    for (size_t i = 0; i < count; i++) a->candidates[i] = (struct candidate){.tx = txs[i]};
}

/* KEEP: the coins of what entered stay in the cache, for the block that will have it. */
static void acceptance_end(struct acceptance *a, bool keep)
{
    if (a->staged) pool_stage_abort(a->m);
    for (size_t i = 0; i < a->count; i++) {
        struct candidate *c = &a->candidates[i];
        if (c->entry) pool_entry_free(c->entry);
        if (!keep) candidate_forget_coins(a, c);
        pool_set_clear(&c->parents);
        pool_set_clear(&c->conflicts);
    }
    arena_clear(&a->arena);
}

void acceptance_stage(struct acceptance *a)
{
    if (!a->staged) pool_stage(a->m);
    a->staged = true;
}

void acceptance_stage_add(struct acceptance *a, struct candidate *c)
{
    c->entry = pool_entry_new(c->tx);
    c->draft.tx = c->entry->tx;
    *c->entry = c->draft;
    pool_stage_add(a->m, c->entry);
}

/* ---- one transaction ---- */

/* What it conflicts with may not be what it rests on. */
static bool check_ancestors(struct acceptance *a, struct candidate *c)
{
    if (!c->conflicts.count || !c->parents.count) return true;
    tx_id *parents = arena_alloc_array(&a->arena, c->parents.count, sizeof(*parents));
    struct tx_ids ancestors = {0};
    for (size_t i = 0; i < c->parents.count; i++) parents[i] = c->parents.items[i]->id;
    tx_graph_ancestors_of(a->m->graph, TX_GRAPH_MAIN, parents, c->parents.count, &ancestors);
    bool good = true;
    for (size_t i = 0; i < ancestors.count && good; i++) {
        const struct mempool_entry *ancestor = mempool_of_id(a->m, ancestors.id[i]);
        good = !pool_set_has(&c->conflicts, ancestor);
        if (good) continue;
        char own[HASH_TEXT], other[HASH_TEXT];
        (void)REFUSE(c, VERDICT_CONSENSUS, "bad-txns-spends-conflicting-tx", "%s spends conflicting transaction %s",
                     txid_text(own, &c->tx->txid), txid_text(other, &ancestor->tx.txid));
    }
    tx_ids_clear(&ancestors);
    return good;
}

static bool fits(struct acceptance *a, struct candidate *c)
{
    return pool_stage_fits(a->m) || REFUSE(c, VERDICT_MEMPOOL_POLICY, "too-large-cluster", "%s", "");
}

/* Stages it in the place of REPLACED, which is filled here, and judges the exchange. */
static bool check_change(struct acceptance *a, struct candidate *c, struct pool_set *replaced)
{
    struct replacement r = {.tx = c->tx,
                            .modified_fee = mempool_modified_fee(&c->draft),
                            .vsize = c->draft.vsize,
                            .sibling = c->sibling,
                            .direct = &c->conflicts};
    if (c->conflicts.count && !replace_check_fees(a->m, &r, replaced, &c->verdict)) return false;
    acceptance_stage(a);
    for (size_t i = 0; i < replaced->count; i++) pool_stage_remove(a->m, replaced->items[i]);
    acceptance_stage_add(a, c);
    if (!fits(a, c)) return false;
    return !c->conflicts.count || replace_check_diagram(a->m, &c->verdict);
}

/* All that is to be said against C. REPLACED: who would leave for it. */
static enum result judge(struct acceptance *a, struct candidate *c, struct pool_set *replaced, struct error *e)
{
    enum result r = candidate_check(a, c, e);
    if (r || !verdict_ok(&c->verdict)) return r;
    bool strict = a->m->options.require_standard && !(a->flags & MEMPOOL_RETURNED);
    bool good = check_change(a, c, replaced) && check_ancestors(a, c) &&
                (!strict || candidate_check_dust_spent(a, c)) && candidate_check_scripts(a, c, true);
    (void)good; /* the verdict tells */
    return RESULT_OK;
}

/* Whether what enters now tells what fees are worth. */
static bool counts_for_estimates(const struct acceptance *a, const struct candidate *c)
{
    const struct mempool *m = a->m;
    const struct block_node *tip = chain_tip(m->chain), *best = m->chain->tree.best_header;
    if (a->flags & MEMPOOL_RETURNED || c->parents.count) return false;
    if (chain_is_initial_download(m->chain, m->now_s)) return false;
    if ((int64_t)tip->header.time < m->now_s - ESTIMATES_TIP_AGE_S) return false;
    return !best || tip->header.height >= best->header.height - 1;
}

static void log_replaced(const struct mempool *m, const struct candidate *c, const struct pool_set *replaced)
{
    char old[HASH_TEXT], new[HASH_TEXT];
    for (size_t i = 0; i < replaced->count; i++)
        log_debug(m->log, LOGC_MEMPOOL, "replacing mempool tx %s (%lld satoshis, %llu vbytes) by %s (%lld, %llu)",
                  txid_text(old, &replaced->items[i]->tx.txid), (long long)replaced->items[i]->fee,
                  (unsigned long long)replaced->items[i]->vsize, txid_text(new, &c->tx->txid),
                  (long long)mempool_modified_fee(&c->draft), (unsigned long long)c->draft.vsize);
}

/* Lets it in, then makes room; it may be itself what has to go. */
static void enter(struct acceptance *a, struct candidate *c, const struct pool_set *replaced)
{
    struct mempool *m = a->m;
    struct txid txid = c->tx->txid;
    bool counted = counts_for_estimates(a, c);
    log_replaced(m, c, replaced);
    pool_stage_commit(m, replaced, REMOVED_REPLACED, &c->entry, 1, counted);
    a->staged = false;
    c->entry = NULL;
    if (a->flags & MEMPOOL_RETURNED) return;
    pool_limit(m);
    if (!mempool_find(m, &txid)) (void)REFUSE(c, VERDICT_RECONSIDERABLE, "mempool full", "%s", "");
}

/* ---- the answer ---- */

static void keep_replaced(struct mempool_outcome *out, const struct pool_set *replaced)
{
    out->replaced = mem_calloc(replaced->count, sizeof(*out->replaced));
    out->replaced_count = replaced->count;
    for (size_t i = 0; i < replaced->count; i++) {
        struct replaced_tx *r = &out->replaced[i];
        r->txid = replaced->items[i]->tx.txid;
        r->wtxid = replaced->items[i]->tx.wtxid;
        tx_write(&r->raw, &replaced->items[i]->tx);
    }
}

/* Fee and rate are told of what is good, and of what pays too little. */
static void fill_outcome(struct tx_outcome *out, const struct candidate *c)
{
    bool good = verdict_ok(&c->verdict);
    out->kind = good ? TX_OUTCOME_ACCEPTED : TX_OUTCOME_REFUSED;
    out->verdict = c->verdict;
    if (!c->priced || (!good && c->verdict.kind != VERDICT_RECONSIDERABLE)) return;
    out->fee = c->draft.fee;
    out->vsize = c->draft.vsize;
    out->has_rate = true;
    out->effective = candidate_rate(c);
    out->effective_wtxids = mem_dup(&c->tx->wtxid, sizeof(c->tx->wtxid));
    out->effective_count = 1;
}

void mempool_outcome_clear(struct mempool_outcome *o)
{
    for (size_t i = 0; i < o->count; i++) free(o->txs[i].effective_wtxids);
    for (size_t i = 0; i < o->replaced_count; i++) buffer_clear(&o->replaced[i].raw);
    free(o->txs);
    free(o->replaced);
    *o = (struct mempool_outcome){0};
}

/* ---- entrances ---- */

/* OUT may be NULL. */
static enum result accept_single(struct mempool *m, const struct tx *tx, int64_t time_s, unsigned flags,
                                 struct verdict *v, struct mempool_outcome *out, struct error *e)
{
    struct acceptance a;
    struct pool_set replaced = {0};
    acceptance_begin(&a, m, &tx, 1, time_s, flags);
    struct candidate *c = &a.candidates[0];
    enum result r = judge(&a, c, &replaced, e);
    if (!r && verdict_ok(&c->verdict) && !(flags & MEMPOOL_TEST)) {
        if (out && replaced.count) keep_replaced(out, &replaced);
        enter(&a, c, &replaced);
    }
    bool keep = !r && verdict_ok(&c->verdict) && !(flags & MEMPOOL_TEST);
    if (!r && out) fill_outcome(&out->txs[0], c);
    if (!r && v) *v = c->verdict;
    acceptance_end(&a, keep);
    pool_set_clear(&replaced);
    if (!(flags & (MEMPOOL_TEST | MEMPOOL_RETURNED))) pool_check_sometimes(m);
    return r;
}

static enum result accept_several(struct mempool *m, const struct tx *const *txs, size_t count, int64_t time_s,
                                  unsigned flags, struct mempool_outcome *out, struct error *e)
{
    struct acceptance a;
    size_t failed, accepted;
    CHECK(flags & MEMPOOL_TEST);
    acceptance_begin(&a, m, txs, count, time_s, flags);
    enum result r = package_test(&a, txs, &out->package, &failed, &accepted, e);
    for (size_t i = 0; !r && i < count; i++)
        if (i < accepted || i == failed) fill_outcome(&out->txs[i], &a.candidates[i]);
    acceptance_end(&a, false);
    return r;
}

enum result mempool_accept(struct mempool *m, const struct tx *const *txs, size_t count, int64_t time_s, unsigned flags,
                           struct mempool_outcome *out, struct error *e)
{
    CHECK(count > 0);
    out->txs = mem_calloc(count, sizeof(*out->txs));
    out->count = count;
    enum result r = count == 1 ? accept_single(m, txs[0], time_s, flags, NULL, out, e)
                               : accept_several(m, txs, count, time_s, flags, out, e);
    if (r) mempool_outcome_clear(out);
    return r;
}

enum result mempool_accept_one(struct mempool *m, const struct tx *tx, int64_t time_s, unsigned flags,
                               struct verdict *v, struct error *e)
{
    return accept_single(m, tx, time_s, flags, v, NULL, e);
}
