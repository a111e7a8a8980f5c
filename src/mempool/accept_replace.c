/* Replacement by a package: a parent that pays too little, with a child that pays for both. */
#include <stdio.h>
#include <string.h>

#include "mempool/accept_internal.h"

/* Reasons of a single replacement, in the words for a package; details stay. */
static bool rename_reason(struct verdict *v)
{
    bool count = !strcmp(v->reason, "too many potential replacements");
    v->kind = VERDICT_MEMPOOL_POLICY;
    snprintf(v->reason, sizeof(v->reason), "package RBF failed: %s",
             count ? "too many potential replacements" : "insufficient anti-DoS fees");
    return false;
}

static bool refuse(struct verdict *v, const char *reason)
{
    return verdict_fail(v, VERDICT_MEMPOOL_POLICY, reason, "%s", "");
}

static bool is_parent_and_child(const struct acceptance *a)
{
    if (a->count != 2) return false;
    const struct tx *parent = a->candidates[0].tx, *child = a->candidates[1].tx;
    for (size_t i = 0; i < child->in_count; i++)
        if (txid_equal(&child->in[i].prevout.txid, &parent->txid)) return true;
    return false;
}

/* The child must lift the rate of both above its parent's: it does not only pay for the relay. */
static bool check_rates(const struct acceptance *a, const struct package_judgement *all, struct verdict *v)
{
    const struct candidate *c = &a->candidates[0];
    struct fee_frac parent = {mempool_modified_fee(&c->draft), (int64_t)c->draft.vsize};
    struct fee_frac both = {all->fee, (int64_t)all->vsize};
    char one[AMOUNT_TEXT], two[AMOUNT_TEXT];
    if (fee_frac_cmp(both, parent) > 0) return true;
    amount_text(two, fee_rate_of(both.fee, all->vsize).sat_per_kvb);
    amount_text(one, fee_rate_of(parent.fee, c->draft.vsize).sat_per_kvb);
    return verdict_fail(v, VERDICT_MEMPOOL_POLICY,
                        "package RBF failed: package feerate is less than or equal to parent feerate",
                        "package feerate %s BTC/kvB <= parent feerate is %s BTC/kvB", two, one);
}

bool package_check_replacement(struct acceptance *a, const struct package_judgement *all, struct verdict *v)
{
    struct pool_set direct = {0};
    if (!is_parent_and_child(a)) return refuse(v, "package RBF failed: package must be 1-parent-1-child");
    for (size_t i = 0; i < a->count; i++)
        if (a->candidates[i].parents.count)
            return refuse(v, "package RBF failed: new transaction cannot have mempool ancestors");
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < a->candidates[i].conflicts.count; k++)
            pool_set_add(&direct, a->candidates[i].conflicts.items[k]);
    struct replacement r = {
        .tx = a->candidates[1].tx, .modified_fee = all->fee, .vsize = all->vsize, .direct = &direct};
    bool good = replace_check_fees(a->m, &r, &a->replaced, v) || rename_reason(v);
    pool_set_clear(&direct);
    if (!good || !check_rates(a, all, v)) return false;
    for (size_t i = 0; i < a->replaced.count; i++) pool_stage_remove(a->m, a->replaced.items[i]);
    if (!pool_stage_fits(a->m)) return refuse(v, "too-large-cluster");
    if (replace_check_diagram(a->m, v)) return true;
    char reason[sizeof(v->reason)];
    snprintf(reason, sizeof(reason), "package RBF failed: %.80s", v->detail);
    return refuse(v, reason);
}
