/* A package that is to enter: a child with its parents. Each is tried alone; what pays too little alone is tried with
 * those that pay for it. */
#include <stdlib.h>

#include "base/alloc.h"
#include "mempool/accept_internal.h"

struct submission {
    struct mempool *m;
    const struct tx *const *txs;
    int64_t time_s;
    struct fee_rate max_rate;
    struct mempool_outcome *out;
    size_t *left; /* places of those that are to be judged together */
    size_t left_count;
    bool hopeless; /* one failed for what no other can mend */
};

static void note_failure(struct mempool_outcome *out, const char *reason)
{
    if (verdict_ok(&out->package)) (void)verdict_fail(&out->package, VERDICT_MEMPOOL_POLICY, reason, "%s", "");
}

/* Every transaction but the last is a parent of the last. */
static bool is_child_with_parents(const struct tx *const *txs, size_t count)
{
    const struct tx *child = txs[count - 1];
    for (size_t i = 0; i + 1 < count; i++) {
        bool spent = false;
        for (size_t k = 0; k < child->in_count && !spent; k++)
            spent = txid_equal(&child->in[k].prevout.txid, &txs[i]->txid);
        if (!spent) return false;
    }
    return true;
}

static enum result try_alone(struct submission *s, size_t at, struct error *e)
{
    struct accept_manner manner = {.may_replace = true, .may_evict = true, .package = true, .max_rate = s->max_rate};
    return accept_single(s->m, s->txs[at], s->time_s, &manner, NULL, s->out, at, e);
}

/* It is there, or it is tried; more fee or its parents may help it later. */
static enum result take(struct submission *s, size_t at, struct error *e)
{
    const struct tx *tx = s->txs[at];
    struct tx_outcome *o = &s->out->txs[at];
    const struct mempool_entry *there = mempool_find(s->m, &tx->txid);
    if (there && wtxid_equal(&there->tx.wtxid, &tx->wtxid)) {
        *o = (struct tx_outcome){.kind = TX_OUTCOME_KNOWN, .fee = there->fee, .vsize = there->vsize};
        return RESULT_OK;
    }
    if (there) {
        *o = (struct tx_outcome){.kind = TX_OUTCOME_OTHER_THERE, .other = there->tx.wtxid};
        return RESULT_OK;
    }
    enum result r = try_alone(s, at, e);
    if (r || o->kind == TX_OUTCOME_ACCEPTED) return r;
    enum verdict_kind why = o->verdict.kind;
    if (s->out->count > 1 && (why == VERDICT_RECONSIDERABLE || why == VERDICT_MISSING_INPUTS))
        s->left[s->left_count++] = at;
    else
        s->hopeless = true;
    return RESULT_OK;
}

/* The answer of one that was judged by what all pay. */
static void fill_together(struct tx_outcome *o, const struct acceptance *a, const struct candidate *c,
                          const struct package_judgement *j)
{
    accept_fill_outcome(o, c);
    if (!o->has_rate) return;
    o->effective = fee_rate_of(j->fee, j->vsize);
    o->effective_wtxids = mem_realloc(o->effective_wtxids, a->count, sizeof(*o->effective_wtxids));
    o->effective_count = a->count;
    for (size_t i = 0; i < a->count; i++) o->effective_wtxids[i] = a->candidates[i].tx->wtxid;
}

static void answer_together(struct submission *s, const struct acceptance *a, const struct package_judgement *j)
{
    bool all = verdict_ok(&j->package) && j->failed == SIZE_MAX;
    for (size_t i = 0; i < a->count; i++)
        if (all || i == j->failed) fill_together(&s->out->txs[s->left[i]], a, &a->candidates[i], j);
    if (!verdict_ok(&j->package)) s->out->package = j->package;
    if (j->failed != SIZE_MAX) note_failure(s->out, j->failure);
}

static enum result try_together(struct submission *s, struct error *e)
{
    struct acceptance a;
    struct package_judgement j;
    struct accept_manner manner = {.may_replace = true, .package = true, .rate_of_all = true, .max_rate = s->max_rate};
    const struct tx **txs = mem_calloc(s->left_count, sizeof(*txs));
    for (size_t i = 0; i < s->left_count; i++) txs[i] = s->txs[s->left[i]];
    acceptance_begin(&a, s->m, txs, s->left_count, s->time_s, &manner);
    enum result r = package_judge(&a, txs, &j, e);
    bool good = !r && verdict_ok(&j.package) && j.failed == SIZE_MAX;
    if (good) acceptance_commit(&a, s->out, false);
    if (!r) answer_together(s, &a, &j);
    acceptance_end(&a, good);
    free(txs);
    return r;
}

/* Those that were there or entered, and had to go again to make room. */
static void note_evicted(struct submission *s)
{
    for (size_t i = 0; i < s->out->count; i++) {
        struct tx_outcome *o = &s->out->txs[i];
        if (o->kind == TX_OUTCOME_REFUSED || o->kind == TX_OUTCOME_NONE) continue;
        if (mempool_find(s->m, &s->txs[i]->txid)) continue;
        free(o->effective_wtxids);
        *o = (struct tx_outcome){.kind = TX_OUTCOME_REFUSED};
        (void)verdict_fail(&o->verdict, VERDICT_MEMPOOL_POLICY, "mempool full", "%s", "");
        note_failure(s->out, "transaction failed");
    }
}

static enum result try_left(struct submission *s, struct error *e)
{
    size_t last = s->left[0];
    if (s->left_count > 1) return try_together(s, e);
    /* What came after it may have made the difference. */
    enum result r = try_alone(s, last, e);
    if (!r && s->out->txs[last].kind == TX_OUTCOME_REFUSED) note_failure(s->out, "transaction failed");
    return r;
}

static enum result submit(struct submission *s, struct error *e)
{
    enum result r = RESULT_OK;
    for (size_t i = 0; !r && i < s->out->count; i++) r = take(s, i, e);
    if (r) return r;
    if (s->hopeless)
        note_failure(s->out, "transaction failed");
    else if (s->left_count)
        r = try_left(s, e);
    if (r) return r;
    pool_limit(s->m);
    note_evicted(s);
    return RESULT_OK;
}

enum result mempool_accept_package(struct mempool *m, const struct tx *const *txs, size_t count, int64_t time_s,
                                   struct fee_rate max_rate, struct mempool_outcome *out, struct error *e)
{
    out->txs = mem_calloc(count, sizeof(*out->txs));
    out->count = count;
    if (!package_is_well_formed(txs, count, &out->package)) return RESULT_OK;
    if (!is_child_with_parents(txs, count)) {
        note_failure(out, "package-not-child-with-parents");
        return RESULT_OK;
    }
    struct submission s = {.m = m, .txs = txs, .time_s = time_s, .max_rate = max_rate, .out = out};
    s.left = mem_calloc(count, sizeof(*s.left));
    enum result r = submit(&s, e);
    free(s.left);
    if (r) mempool_outcome_clear(out);
    return r;
}
