/* Acceptance: one transaction judged and let in, or several judged together. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "mempool/accept_internal.h"

enum { ESTIMATES_TIP_AGE_S = 3 * 60 * 60 }; /* with an older tip, what enters says nothing of fees */

/* ---- one call ---- */

void acceptance_begin(struct acceptance *a, struct mempool *m, const struct tx *const *txs, size_t count,
                      int64_t time_s, const struct accept_manner *manner)
{
    *a = (struct acceptance){.m = m, .manner = *manner, .time_s = time_s, .count = count};
    a->candidates = arena_alloc_array(&a->arena, count, sizeof(*a->candidates));
    for (size_t i = 0; i < count; i++) a->candidates[i] = (struct candidate){.tx = txs[i]};
}

void acceptance_end(struct acceptance *a, bool keep)
{
    if (a->staged) pool_stage_abort(a->m);
    for (size_t i = 0; i < a->count; i++) {
        struct candidate *c = &a->candidates[i];
        if (c->entry) pool_entry_free(c->entry);
        if (!keep) candidate_forget_coins(a, c);
        pool_set_clear(&c->parents);
        pool_set_clear(&c->conflicts);
    }
    pool_set_clear(&a->replaced);
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
    const struct mempool_entry *first = NULL; /* by txid: the one that is named where there are several */
    for (size_t i = 0; i < ancestors.count; i++) {
        const struct mempool_entry *ancestor = mempool_of_id(a->m, ancestors.id[i]);
        if (!pool_set_has(&c->conflicts, ancestor)) continue;
        if (!first || memcmp(ancestor->tx.txid.bytes, first->tx.txid.bytes, 32) < 0) first = ancestor;
    }
    tx_ids_clear(&ancestors);
    if (!first) return true;
    char own[HASH_TEXT], other[HASH_TEXT];
    return REFUSE(c, VERDICT_CONSENSUS, "bad-txns-spends-conflicting-tx", "%s spends conflicting transaction %s",
                  txid_text(own, &c->tx->txid), txid_text(other, &first->tx.txid));
}

static bool fits(struct acceptance *a, struct candidate *c)
{
    return pool_stage_fits(a->m) || REFUSE(c, VERDICT_MEMPOOL_POLICY, "too-large-cluster", "%s", "");
}

/* Stages it in the place of what it replaces, and judges the exchange. */
static bool check_change(struct acceptance *a, struct candidate *c)
{
    struct replacement r = {.tx = c->tx,
                            .modified_fee = mempool_modified_fee(&c->draft),
                            .vsize = c->draft.vsize,
                            .sibling = c->sibling,
                            .direct = &c->conflicts};
    if (c->conflicts.count && !replace_check_fees(a->m, &r, &a->replaced, &c->verdict)) return false;
    acceptance_stage(a);
    for (size_t i = 0; i < a->replaced.count; i++) pool_stage_remove(a->m, a->replaced.items[i]);
    acceptance_stage_add(a, c);
    if (!fits(a, c)) return false;
    return !c->conflicts.count || replace_check_diagram(a->m, &c->verdict);
}

/* All that is to be said against C goes to its verdict. */
static enum result judge(struct acceptance *a, struct candidate *c, struct error *e)
{
    enum result r = candidate_check(a, c, e);
    if (r || !verdict_ok(&c->verdict)) return r;
    bool strict = a->m->options.require_standard && !(a->manner.flags & MEMPOOL_RETURNED);
    bool good = check_change(a, c) && check_ancestors(a, c) && candidate_check_max_rate(a, c) &&
                (!strict || candidate_check_dust_spent(a, c)) && candidate_check_scripts(a, c, true);
    (void)good; /* the verdict tells */
    return RESULT_OK;
}

/* ---- entering ---- */

/* Whether what enters now tells what fees are worth. */
static bool counts_for_estimates(const struct acceptance *a, const struct candidate *c)
{
    const struct mempool *m = a->m;
    const struct block_node *tip = chain_tip(m->chain), *best = m->chain->tree.best_header;
    if (a->manner.flags & MEMPOOL_RETURNED || a->manner.package || c->parents.count) return false;
    if (chain_is_initial_download(m->chain, m->now_s)) return false;
    if ((int64_t)tip->header.time < m->now_s - ESTIMATES_TIP_AGE_S) return false;
    return !best || tip->header.height >= best->header.height - 1;
}

static void log_replaced(const struct acceptance *a)
{
    char old[HASH_TEXT], new[HASH_TEXT];
    for (size_t i = 0; i < a->replaced.count; i++)
        log_debug(a->m->log, LOGC_MEMPOOL, "replacing mempool tx %s (%lld satoshis, %llu vbytes); new tx %s%s",
                  txid_text(old, &a->replaced.items[i]->tx.txid), (long long)a->replaced.items[i]->fee,
                  (unsigned long long)a->replaced.items[i]->vsize, txid_text(new, &a->candidates[0].tx->txid),
                  a->count > 1 ? " and its child" : "");
}

static void keep_replaced(struct mempool_outcome *out, const struct pool_set *replaced)
{
    if (!replaced->count) return;
    out->replaced = mem_realloc(out->replaced, out->replaced_count + replaced->count, sizeof(*out->replaced));
    for (size_t i = 0; i < replaced->count; i++) {
        struct replaced_tx *r = &out->replaced[out->replaced_count++];
        *r = (struct replaced_tx){.txid = replaced->items[i]->tx.txid, .wtxid = replaced->items[i]->tx.wtxid};
        tx_write(&r->raw, &replaced->items[i]->tx);
    }
}

void acceptance_commit(struct acceptance *a, struct mempool_outcome *out, bool counted_for_estimates)
{
    struct mempool_entry **added = arena_alloc_array(&a->arena, a->count, sizeof(*added));
    for (size_t i = 0; i < a->count; i++) {
        added[i] = a->candidates[i].entry;
        a->candidates[i].entry = NULL;
    }
    log_replaced(a);
    if (out) keep_replaced(out, &a->replaced);
    pool_stage_commit(a->m, &a->replaced, REMOVED_REPLACED, added, a->count, counted_for_estimates);
    a->staged = false;
}

/* Lets it in, then makes room; it may be itself what has to go. */
static void enter(struct acceptance *a, struct candidate *c, struct mempool_outcome *out)
{
    struct txid txid = c->tx->txid;
    acceptance_commit(a, out, counts_for_estimates(a, c));
    if (a->manner.flags & MEMPOOL_RETURNED || a->manner.package) return;
    pool_limit(a->m);
    if (!mempool_find(a->m, &txid)) (void)REFUSE(c, VERDICT_RECONSIDERABLE, "mempool full", "%s", "");
}

/* ---- the answer ---- */

void accept_fill_outcome(struct tx_outcome *out, const struct candidate *c)
{
    bool good = verdict_ok(&c->verdict);
    free(out->effective_wtxids);
    *out = (struct tx_outcome){.kind = good ? TX_OUTCOME_ACCEPTED : TX_OUTCOME_REFUSED, .verdict = c->verdict};
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

enum result accept_single(struct mempool *m, const struct tx *tx, int64_t time_s, const struct accept_manner *manner,
                          struct verdict *v, struct mempool_outcome *out, size_t at, struct error *e)
{
    struct acceptance a;
    bool test = manner->flags & MEMPOOL_TEST;
    acceptance_begin(&a, m, &tx, 1, time_s, manner);
    struct candidate *c = &a.candidates[0];
    enum result r = judge(&a, c, e);
    if (!r && verdict_ok(&c->verdict) && !test) enter(&a, c, out);
    if (!r && out) accept_fill_outcome(&out->txs[at], c);
    if (!r && v) *v = c->verdict;
    acceptance_end(&a, !r && !test && verdict_ok(&c->verdict));
    return r;
}

/* As a test. */
static enum result accept_several(struct mempool *m, const struct tx *const *txs, size_t count, int64_t time_s,
                                  unsigned flags, struct mempool_outcome *out, struct error *e)
{
    struct acceptance a;
    struct package_judgement j;
    struct accept_manner manner = {.flags = flags};
    CHECK(flags & MEMPOOL_TEST);
    acceptance_begin(&a, m, txs, count, time_s, &manner);
    enum result r = package_judge(&a, txs, &j, e);
    for (size_t i = 0; !r && i < count; i++)
        if (i < j.accepted || i == j.failed) accept_fill_outcome(&out->txs[i], &a.candidates[i]);
    out->package = j.package;
    acceptance_end(&a, false);
    return r;
}

static struct accept_manner alone(unsigned flags)
{
    return (struct accept_manner){.flags = flags, .may_replace = true, .may_evict = true};
}

enum result mempool_accept(struct mempool *m, const struct tx *const *txs, size_t count, int64_t time_s, unsigned flags,
                           struct mempool_outcome *out, struct error *e)
{
    struct accept_manner manner = alone(flags);
    CHECK(count > 0);
    out->txs = mem_calloc(count, sizeof(*out->txs));
    out->count = count;
    enum result r = count == 1 ? accept_single(m, txs[0], time_s, &manner, NULL, out, 0, e)
                               : accept_several(m, txs, count, time_s, flags, out, e);
    if (r) mempool_outcome_clear(out);
    return r;
}

enum result mempool_accept_one(struct mempool *m, const struct tx *tx, int64_t time_s, unsigned flags,
                               struct verdict *v, struct error *e)
{
    struct accept_manner manner = alone(flags);
    return accept_single(m, tx, time_s, &manner, v, NULL, 0, e);
}
