/* Version 3 (BIP431): unconfirmed, it has one parent or one child at most, and both are of that version; it is small,
 * and as a child very small. So whoever wants to replace it knows what that costs. */
#include "base/check.h"
#include "mempool/mempool_internal.h"

#include <stdio.h>
#include <string.h>

_Static_assert(TRUC_ANCESTORS == 2 && TRUC_DESCENDANTS == 2, "a family is a parent and a child");

/* Where reasons go. */
struct detail {
    char *text;
    size_t size;
};

static bool is_truc(const struct tx *tx)
{
    return tx->version == TRUC_VERSION;
}

/* The two hashes of a transaction as reasons have them. */
enum { NAME_SIZE = 2 * HASH_TEXT + 16 };
static const char *name_of(char out[NAME_SIZE], const struct tx *tx)
{
    char txid[HASH_TEXT], wtxid[HASH_TEXT];
    snprintf(out, NAME_SIZE, "%s (wtxid=%s)", txid_text(txid, &tx->txid), wtxid_text(wtxid, &tx->wtxid));
    return out;
}

static bool fail_family(struct detail d, const struct tx *tx, const struct tx *parent)
{
    char name[NAME_SIZE], of[NAME_SIZE];
    snprintf(d.text, d.size, "%sversion=3 tx %s cannot spend from %sversion=3 tx %s", is_truc(tx) ? "" : "non-",
             name_of(name, tx), is_truc(parent) ? "" : "non-", name_of(of, parent));
    return false;
}

static bool fail_size(struct detail d, const struct tx *tx, bool child, uint64_t vsize)
{
    char name[NAME_SIZE];
    snprintf(d.text, d.size, "version=3 %stx %s is too big: %llu > %d virtual bytes", child ? "child " : "",
             name_of(name, tx), (unsigned long long)vsize, child ? TRUC_CHILD_MAX_VSIZE : TRUC_MAX_VSIZE);
    return false;
}

static bool fail_ancestors(struct detail d, const struct tx *tx)
{
    char name[NAME_SIZE];
    snprintf(d.text, d.size, "tx %s would have too many ancestors", name_of(name, tx));
    return false;
}

static bool fail_descendants(struct detail d, const struct tx *parent)
{
    char name[NAME_SIZE];
    snprintf(d.text, d.size, "tx %s would exceed descendant count limit", name_of(name, parent));
    return false;
}

/* The parent in the pool of the other kind, of several the one with the smallest txid; NULL: none. */
static const struct tx *strange_parent(const struct tx *tx, const struct pool_set *parents)
{
    const struct tx *found = NULL;
    for (size_t i = 0; i < parents->count; i++) {
        const struct tx *parent = &parents->items[i]->tx;
        if (is_truc(parent) == is_truc(tx)) continue;
        if (!found || memcmp(parent->txid.bytes, found->txid.bytes, sizeof(parent->txid)) < 0) found = parent;
    }
    return found;
}

static unsigned ancestors(struct mempool *m, const struct mempool_entry *e)
{
    tx_id ids[LIN_MAX];
    return tx_graph_ancestors(m->graph, TX_GRAPH_MAIN, e->id, ids);
}

/* PARENT has room for one more child, once CONFLICTS are gone. */
static bool check_parent(struct mempool *m, const struct mempool_entry *parent, const struct pool_set *conflicts,
                         struct detail d, struct mempool_entry **sibling)
{
    tx_id ids[LIN_MAX];
    unsigned n = tx_graph_descendants(m->graph, TX_GRAPH_MAIN, parent->id, ids);
    struct mempool_entry *other = NULL;
    for (unsigned i = 0; i < n; i++) {
        struct mempool_entry *e = m->by_id[ids[i]];
        if (e == parent) continue;
        if (pool_set_has(conflicts, e)) return true;
        other = e;
    }
    if (n + 1 <= TRUC_DESCENDANTS) return true;
    /* After a reorganisation there may be more of them: then it is not for us to choose. */
    if (n == TRUC_DESCENDANTS && ancestors(m, other) == TRUC_ANCESTORS) *sibling = other;
    return fail_descendants(d, &parent->tx);
}

bool truc_check(struct mempool *m, const struct tx *tx, uint64_t vsize, const struct pool_set *parents,
                const struct pool_set *conflicts, char *detail, size_t detail_size, struct mempool_entry **sibling)
{
    struct detail d = {detail, detail_size};
    *sibling = NULL;
    const struct tx *strange = strange_parent(tx, parents);
    if (strange) return fail_family(d, tx, strange);
    if (!is_truc(tx)) return true;
    if (vsize > TRUC_MAX_VSIZE) return fail_size(d, tx, false, vsize);
    if (parents->count + 1 > TRUC_ANCESTORS) return fail_ancestors(d, tx);
    if (parents->count == 0) return true;
    if (ancestors(m, parents->items[0]) + 1 > TRUC_ANCESTORS) return fail_ancestors(d, tx);
    if (vsize > TRUC_CHILD_MAX_VSIZE) return fail_size(d, tx, true, vsize);
    return check_parent(m, parents->items[0], conflicts, d, sibling);
}

/* ---- packages ---- */

static bool spends(const struct tx *tx, const struct txid *txid)
{
    for (size_t i = 0; i < tx->in_count; i++)
        if (txid_equal(&tx->in[i].prevout.txid, txid)) return true;
    return false;
}

/* Nobody else of the package spends the parent of the AT-th, nor the AT-th itself: that family is complete. */
static bool check_package_family(const struct tx *const *txs, size_t count, size_t at, const struct tx *parent,
                                 struct detail d)
{
    for (size_t i = 0; i < count; i++) {
        if (i == at) continue;
        for (size_t k = 0; k < txs[i]->in_count; k++) {
            const struct txid *spent = &txs[i]->in[k].prevout.txid;
            if (txid_equal(spent, &parent->txid)) return fail_descendants(d, parent);
            if (txid_equal(spent, &txs[at]->txid)) return fail_ancestors(d, txs[i]);
        }
    }
    return true;
}

bool truc_check_package(struct mempool *m, const struct tx *const *txs, const uint64_t *vsizes,
                        const struct pool_set *parents, size_t count, size_t at, char *detail, size_t detail_size)
{
    struct detail d = {detail, detail_size};
    const struct tx *tx = txs[at], *inside = NULL, *strange = NULL;
    const struct pool_set *pool = &parents[at];
    size_t package_parents = 0;
    for (size_t i = 0; i < at; i++) {
        if (!spends(tx, &txs[i]->txid)) continue;
        if (!inside) inside = txs[i];
        if (!strange && is_truc(txs[i]) != is_truc(tx)) strange = txs[i];
        package_parents++;
    }
    if (!is_truc(tx)) {
        const struct tx *outside = strange_parent(tx, pool);
        return outside || strange ? fail_family(d, tx, outside ? outside : strange) : true;
    }
    if (vsizes[at] > TRUC_MAX_VSIZE) return fail_size(d, tx, false, vsizes[at]);
    if (pool->count + package_parents + 1 > TRUC_ANCESTORS) return fail_ancestors(d, tx);
    if (pool->count + package_parents == 0) return true;
    if (pool->count && ancestors(m, pool->items[0]) + package_parents + 1 > TRUC_ANCESTORS)
        return fail_ancestors(d, tx);
    if (vsizes[at] > TRUC_CHILD_MAX_VSIZE) return fail_size(d, tx, true, vsizes[at]);
    const struct tx *parent = pool->count ? &pool->items[0]->tx : inside;
    if (!is_truc(parent)) return fail_family(d, tx, parent);
    if (!check_package_family(txs, count, at, parent, d)) return false;
    tx_id ids[LIN_MAX];
    if (pool->count && tx_graph_descendants(m->graph, TX_GRAPH_MAIN, pool->items[0]->id, ids) > 1)
        return fail_descendants(d, parent);
    return true;
}
