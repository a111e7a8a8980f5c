/* Replacement: what spends the same as others enters if it pays for them and for itself, and if miners gain by it. */
#include "base/alloc.h"
#include "mempool/mempool_internal.h"

#include <stdio.h>

/* How many clusters lose something at once: what bounds the work of making them anew. */
static size_t clusters_touched(struct mempool *m, const struct pool_set *direct)
{
    struct tx_ids ids = {mem_calloc(direct->count + 1, sizeof(tx_id)), direct->count, direct->count + 1};
    for (size_t i = 0; i < direct->count; i++) ids.id[i] = direct->items[i]->id;
    size_t n = tx_graph_count_clusters(m->graph, TX_GRAPH_MAIN, ids.id, ids.count);
    tx_ids_clear(&ids);
    return n;
}

/* What users added may be larger than any amount: sums stop at the ends. */
static amount_sat sum_of(amount_sat a, amount_sat b)
{
    amount_sat sum;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return b < 0 ? INT64_MIN : INT64_MAX;
}

static bool fail(struct verdict *v, const struct replacement *r, enum verdict_kind kind, const char *reason,
                 const char *detail)
{
    char whole[sizeof(v->reason)];
    snprintf(whole, sizeof(whole), "%s%s", reason, r->sibling ? " (including sibling eviction)" : "");
    return verdict_fail(v, kind, whole, "%s", detail);
}

static bool fail_fee(struct verdict *v, const struct replacement *r, const char *what, amount_sat is, amount_sat must)
{
    char id[HASH_TEXT], left[AMOUNT_TEXT], right[AMOUNT_TEXT], detail[sizeof(v->detail)];
    snprintf(detail, sizeof(detail), "rejecting replacement %s, %s; %s < %s", txid_text(id, &r->tx->txid), what,
             amount_text_short(left, is), amount_text_short(right, must));
    return fail(v, r, VERDICT_RECONSIDERABLE, "insufficient fee", detail);
}

bool replace_check_fees(struct mempool *m, const struct replacement *r, struct pool_set *all, struct verdict *v)
{
    size_t clusters = clusters_touched(m, r->direct);
    if (clusters > MEMPOOL_MAX_REPLACED_CLUSTERS) {
        char id[HASH_TEXT], detail[sizeof(v->detail)];
        snprintf(detail, sizeof(detail), "rejecting replacement %s; too many conflicting clusters (%zu > %d)",
                 txid_text(id, &r->tx->txid), clusters, MEMPOOL_MAX_REPLACED_CLUSTERS);
        return fail(v, r, VERDICT_MEMPOOL_POLICY, "too many potential replacements", detail);
    }
    for (size_t i = 0; i < r->direct->count; i++) pool_set_add(all, r->direct->items[i]);
    pool_add_descendants(m, all);
    amount_sat replaced = 0;
    for (size_t i = 0; i < all->count; i++) replaced = sum_of(replaced, mempool_modified_fee(all->items[i]));
    if (r->modified_fee < replaced) return fail_fee(v, r, "less fees than conflicting txs", r->modified_fee, replaced);
    amount_sat more = sum_of(r->modified_fee, replaced == INT64_MIN ? INT64_MAX : -replaced);
    amount_sat relay = fee_rate_fee(m->options.incremental, r->vsize);
    if (more < relay) return fail_fee(v, r, "not enough additional fees to relay", more, relay);
    return true;
}

bool replace_check_diagram(struct mempool *m, struct verdict *v)
{
    if (tx_graph_compare_staging(m->graph) == DIAGRAM_BETTER) return true;
    return verdict_fail(v, VERDICT_RECONSIDERABLE, "replacement-failed",
                        "insufficient feerate: does not improve feerate diagram");
}
