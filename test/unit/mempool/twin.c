/* The naive twin of the graph of transactions. */
#include "twin.h"

#include "mempool/bits.h"

#include <criterion/criterion.h>

uint64_t twin_ancestors(const struct twin_level *l, unsigned id)
{
    uint64_t set = bit(id);
    for (unsigned i = 0; i < TWIN_MAX; i++) set |= l->reach[id][i] ? bit(i) : 0;
    return set;
}

uint64_t twin_descendants(const struct twin_level *l, unsigned id)
{
    uint64_t set = bit(id);
    for (unsigned i = 0; i < TWIN_MAX; i++) set |= l->reach[i][id] ? bit(i) : 0;
    return set;
}

uint64_t twin_cluster(const struct twin_level *l, unsigned id)
{
    uint64_t set = bit(id);
    for (uint64_t old = 0; old != set;) {
        old = set;
        for (uint64_t rest = old; rest; rest &= rest - 1) {
            set |= twin_ancestors(l, bits_first(rest)) | twin_descendants(l, bits_first(rest));
        }
    }
    return set;
}

bool twin_is_oversized(const struct twin *t, const struct twin_level *l)
{
    for (unsigned id = 0; id < TWIN_MAX; id++) {
        if (!l->has[id]) continue;
        uint64_t set = twin_cluster(l, id);
        int64_t size = 0;
        for (uint64_t rest = set; rest; rest &= rest - 1) size += t->tx[bits_first(rest)].size;
        if (bits_count(set) > t->limits.count || size > t->limits.size) return true;
    }
    return false;
}

void twin_depend(struct twin_level *l, unsigned parent, unsigned child)
{
    uint64_t above = twin_ancestors(l, parent);
    uint64_t below = twin_descendants(l, child);
    for (unsigned p = 0; p < TWIN_MAX; p++) {
        for (unsigned c = 0; c < TWIN_MAX; c++) {
            if (above & bit(p) && below & bit(c)) l->reach[c][p] = true;
        }
    }
}

void twin_remove(struct twin_level *l, unsigned id)
{
    l->has[id] = false;
    for (unsigned i = 0; i < TWIN_MAX; i++) l->reach[i][id] = l->reach[id][i] = false;
}

unsigned twin_chunks(const struct twin *t, const struct twin_level *l, uint64_t set, struct fee_frac by_id[TWIN_MAX],
                     struct fee_frac *diagram)
{
    unsigned n = 0;
    cr_assert_leq(bits_count(set), 12);
    while (set) {
        uint64_t best = 0;
        struct fee_frac most = {0, 0};
        for (uint64_t sub = set; sub; sub = (sub - 1) & set) {
            uint64_t closed = 0;
            struct fee_frac sum = {0, 0};
            for (uint64_t rest = sub; rest; rest &= rest - 1) {
                closed |= twin_ancestors(l, bits_first(rest)) & set;
                sum = fee_frac_add(sum, t->tx[bits_first(rest)]);
            }
            if (closed != sub) continue;
            int cmp = best ? fee_frac_cmp(sum, most) : 1;
            if (cmp > 0 || (cmp == 0 && sum.size < most.size)) best = sub, most = sum;
        }
        for (uint64_t rest = best; rest; rest &= rest - 1) by_id[bits_first(rest)] = most;
        diagram[n++] = most;
        set &= ~best;
    }
    return n;
}
