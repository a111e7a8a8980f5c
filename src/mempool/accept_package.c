/* Several transactions judged together: as a test, or as those of a package that pay too little by themselves. */
#include <stdlib.h>

#include "base/alloc.h"
#include "mempool/accept_internal.h"

static bool refuse(struct verdict *v, const char *reason)
{
    return verdict_fail(v, VERDICT_MEMPOOL_POLICY, reason, "%s", "");
}

static bool has_duplicates(const struct tx *const *txs, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (txid_equal(&txs[i]->txid, &txs[k]->txid)) return true;
    return false;
}

/* No input spends an output of one that comes with it or after it. */
static bool is_sorted(const struct tx *const *txs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < txs[i]->in_count; n++)
            for (size_t k = i; k < count; k++)
                if (txid_equal(&txs[i]->in[n].prevout.txid, &txs[k]->txid)) return false;
    return true;
}

struct owned_outpoint {
    struct outpoint at;
    size_t owner;
};

static int compare_outpoints(const void *a, const void *b)
{
    const struct owned_outpoint *x = a, *y = b;
    int order = memcmp(x->at.txid.bytes, y->at.txid.bytes, sizeof(x->at.txid.bytes));
    if (order) return order;
    return x->at.index < y->at.index ? -1 : x->at.index > y->at.index;
}

/* No two of them spend the same; one that does so by itself is told of by its own rule. */
static bool is_consistent(const struct tx *const *txs, size_t count)
{
    size_t inputs = 0, n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!txs[i]->in_count) return false;
        inputs += txs[i]->in_count;
    }
    struct owned_outpoint *all = mem_calloc(inputs, sizeof(*all));
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < txs[i]->in_count; k++)
            all[n++] = (struct owned_outpoint){.at = txs[i]->in[k].prevout, .owner = i};
    qsort(all, n, sizeof(*all), compare_outpoints);
    bool good = true;
    for (size_t i = 1; i < n && good; i++)
        good = compare_outpoints(&all[i - 1], &all[i]) != 0 || all[i - 1].owner == all[i].owner;
    free(all);
    return good;
}

bool package_is_well_formed(const struct tx *const *txs, size_t count, struct verdict *v)
{
    uint64_t weight = 0;
    if (count > MEMPOOL_MAX_PACKAGE) return refuse(v, "package-too-many-transactions");
    for (size_t i = 0; i < count; i++) weight += tx_weight(txs[i]);
    if (count > 1 && weight > MEMPOOL_MAX_PACKAGE_WEIGHT) return refuse(v, "package-too-large");
    if (has_duplicates(txs, count)) return refuse(v, "package-contains-duplicates");
    if (!is_sorted(txs, count)) return refuse(v, "package-not-sorted");
    return is_consistent(txs, count) || refuse(v, "conflict-in-package");
}

static bool check_truc(struct acceptance *a, const struct tx *const *txs, struct verdict *v)
{
    char detail[sizeof(v->detail)];
    uint64_t *vsizes = arena_alloc_array(&a->arena, a->count, sizeof(*vsizes));
    struct pool_set *parents = arena_alloc_array(&a->arena, a->count, sizeof(*parents));
    for (size_t i = 0; i < a->count; i++) {
        vsizes[i] = a->candidates[i].draft.vsize;
        parents[i] = a->candidates[i].parents;
    }
    for (size_t i = 0; i < a->count; i++)
        if (!truc_check_package(a->m, txs, vsizes, parents, a->count, i, detail, sizeof(detail)))
            return verdict_fail(v, VERDICT_MEMPOOL_POLICY, "TRUC-violation", "%s", detail);
    return true;
}

/* What users added may be larger than any amount. */
static amount_sat add_fees(amount_sat a, amount_sat b)
{
    amount_sat sum;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return b < 0 ? INT64_MIN : INT64_MAX;
}

/* All cheap checks, each candidate seeing the outputs of those before it. */
static enum result check_each(struct acceptance *a, struct package_judgement *j, struct error *e)
{
    for (a->at = 0; a->at < a->count; a->at++) {
        struct candidate *c = &a->candidates[a->at];
        enum result r = candidate_check(a, c, e);
        if (r) return r;
        if (!verdict_ok(&c->verdict) || !candidate_check_max_rate(a, c)) {
            j->failed = a->at;
            return RESULT_OK;
        }
        acceptance_stage(a);
        acceptance_stage_add(a, c);
        j->fee = add_fees(j->fee, mempool_modified_fee(&c->draft));
        j->vsize += c->draft.vsize;
    }
    return RESULT_OK;
}

static bool any_conflict(const struct acceptance *a)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->candidates[i].conflicts.count) return true;
    return false;
}

/* Whether together they pay enough; if not, it is the last who is told. */
static bool check_rate_of_all(struct acceptance *a, struct package_judgement *j)
{
    struct candidate *last = &a->candidates[a->count - 1];
    if (!a->manner.rate_of_all || accept_check_rate(a->m, j->fee, j->vsize, &last->verdict)) return true;
    j->failed = a->count - 1;
    return false;
}

static bool check_topology(struct acceptance *a, const struct tx *const *txs, struct package_judgement *j)
{
    if (!check_truc(a, txs, &j->package) || !check_rate_of_all(a, j)) return false;
    if (any_conflict(a) && !package_check_replacement(a, j, &j->package)) return false;
    return pool_stage_fits(a->m) || refuse(&j->package, "too-large-cluster");
}

static bool check_dust(struct acceptance *a, struct package_judgement *j)
{
    for (size_t i = 0; a->m->options.require_standard && i < a->count; i++) {
        if (candidate_check_dust_spent(a, &a->candidates[i])) continue;
        j->failed = i;
        j->failure = "unspent-dust";
        return false;
    }
    return true;
}

static void check_scripts(struct acceptance *a, struct package_judgement *j)
{
    bool test = a->manner.flags & MEMPOOL_TEST;
    for (; j->accepted < a->count; j->accepted++) {
        if (candidate_check_scripts(a, &a->candidates[j->accepted], !test)) continue;
        j->failed = j->accepted;
        return;
    }
}

enum result package_judge(struct acceptance *a, const struct tx *const *txs, struct package_judgement *j,
                          struct error *e)
{
    *j = (struct package_judgement){.failed = SIZE_MAX, .failure = "transaction failed"};
    if (!package_is_well_formed(txs, a->count, &j->package)) return RESULT_OK;
    enum result r = check_each(a, j, e);
    if (r || j->failed != SIZE_MAX) return r;
    if (check_topology(a, txs, j) && check_dust(a, j)) check_scripts(a, j);
    return RESULT_OK;
}
