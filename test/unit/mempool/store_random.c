/* Random lives of a pool beside a naive one that is a list and looks at all of it for every answer. */
#include "store_kit.h"

#include <stdlib.h>

enum { MANY = 4000, CLUSTER_COUNT = 9, CLUSTER_VBYTES = 1500 };

/* One that was made: what a naive pool knows. */
struct naive {
    struct tx *tx;
    amount_sat fee, delta;
    int64_t time_s;
    bool in;
};

struct life {
    struct sk sk;
    struct random r;
    struct naive all[MANY];
    size_t count;
    size_t now[MANY]; /* who is in, by number */
    size_t now_count;
    struct outpoint coins[MANY]; /* of the chain, unspent by it */
    size_t coin_count;
    size_t entered, replaced, refused, too_large, mined, expired, trimmed, most;
};

/* ---- the naive pool ---- */

static bool depends(const struct naive *child, const struct naive *parent)
{
    for (size_t i = 0; i < child->tx->in_count; i++)
        if (txid_equal(&child->tx->in[i].prevout.txid, &parent->tx->txid)) return true;
    return false;
}

static bool conflict(const struct tx *a, const struct tx *b)
{
    for (size_t i = 0; i < a->in_count; i++)
        for (size_t k = 0; k < b->in_count; k++)
            if (!memcmp(&a->in[i].prevout, &b->in[k].prevout, sizeof(struct outpoint))) return true;
    return false;
}

enum { UP = 1, DOWN = 2 };

/* Marks in SET all of the pool that are reached from the marked ones, upwards, downwards or both. SKIP (may be NULL):
 * those are not there. Returns how many are marked. */
static size_t reach(const struct life *l, bool *set, const bool *skip, unsigned ways)
{
    size_t count = 0;
    for (bool more = true; more;) {
        more = false;
        count = 0;
        for (size_t a = 0; a < l->now_count; a++) {
            size_t i = l->now[a];
            if (skip && skip[i]) continue;
            for (size_t b = 0; b < l->now_count && !set[i]; b++) {
                size_t k = l->now[b];
                if (!set[k] || (skip && skip[k])) continue;
                if ((ways & DOWN && depends(&l->all[i], &l->all[k])) || (ways & UP && depends(&l->all[k], &l->all[i])))
                    set[i] = more = true;
            }
            count += set[i];
        }
    }
    return count;
}

static void recount(struct life *l)
{
    l->now_count = 0;
    for (size_t i = 0; i < l->count; i++)
        if (l->all[i].in) l->now[l->now_count++] = i;
}

static void naive_remove(struct life *l, const bool *set)
{
    for (size_t i = 0; i < l->count; i++)
        if (set[i]) l->all[i].in = false;
    recount(l);
}

/* Would TX, in the place of GONE, be in too large a cluster? */
static bool naive_oversized(const struct life *l, const struct naive *n, const bool *gone)
{
    bool set[MANY] = {0};
    for (size_t a = 0; a < l->now_count; a++)
        if (!gone[l->now[a]] && depends(n, &l->all[l->now[a]])) set[l->now[a]] = true;
    size_t count = 1 + reach(l, set, gone, UP | DOWN);
    uint64_t weight = tx_weight(n->tx);
    for (size_t i = 0; i < l->count; i++)
        if (set[i]) weight += tx_weight(l->all[i].tx);
    return count > CLUSTER_COUNT || weight > CLUSTER_VBYTES * 4;
}

/* ---- comparison ---- */

static void compare_list(struct life *l, struct mempool_list list, const bool *set, size_t count)
{
    cr_assert_eq(list.count, count);
    for (size_t i = 0; i < list.count; i++) {
        bool found = false;
        for (size_t k = 0; k < l->now_count && !found; k++)
            found = set[l->now[k]] && txid_equal(&l->all[l->now[k]].tx->txid, &list.entries[i]->tx.txid);
        cr_assert(found);
    }
    free(list.entries);
}

static void compare_relations(struct life *l, size_t at)
{
    const struct mempool_entry *e = mempool_find(l->sk.m, &l->all[at].tx->txid);
    bool up[MANY] = {0}, down[MANY] = {0}, both[MANY] = {0}, parents[MANY] = {0}, children[MANY] = {0};
    size_t parent_count = 0, child_count = 0;
    up[at] = down[at] = both[at] = true;
    for (size_t a = 0; a < l->now_count; a++) {
        size_t i = l->now[a];
        parent_count += parents[i] = depends(&l->all[at], &l->all[i]);
        child_count += children[i] = depends(&l->all[i], &l->all[at]);
    }
    compare_list(l, mempool_parents(l->sk.m, e), parents, parent_count);
    compare_list(l, mempool_children(l->sk.m, e), children, child_count);
    size_t count = reach(l, up, NULL, UP);
    compare_list(l, mempool_ancestors(l->sk.m, e), up, count);
    count = reach(l, down, NULL, DOWN);
    compare_list(l, mempool_descendants(l->sk.m, e), down, count);
    count = reach(l, both, NULL, UP | DOWN);
    compare_list(l, mempool_cluster(l->sk.m, e), both, count);
}

static void compare(struct life *l)
{
    struct mempool *m = l->sk.m;
    uint64_t vbytes = 0;
    amount_sat fees = 0;
    mempool_check(m);
    cr_assert_eq(mempool_count(m), l->now_count);
    for (size_t i = 0; i < l->count; i++) {
        const struct naive *n = &l->all[i];
        const struct mempool_entry *e = mempool_find(m, &n->tx->txid);
        cr_assert_eq(e != NULL, n->in);
        if (!e) continue;
        cr_assert(e->fee == n->fee && e->delta == n->delta && e->time_s == n->time_s);
        vbytes += (tx_weight(n->tx) + 3) / 4;
        fees += n->fee;
    }
    cr_assert(mempool_vbytes(m) == vbytes && mempool_fees(m) == fees);
    if (l->now_count) compare_relations(l, l->now[random_below(&l->r, l->now_count)]);
}

/* ---- what happens ---- */

/* An outpoint to spend: of the chain or of somebody in the pool, spent or not. */
static struct outpoint some_outpoint(struct life *l)
{
    if (l->now_count && random_below(&l->r, 5) > 1) {
        const struct tx *tx = l->all[l->now[random_below(&l->r, l->now_count)]].tx;
        return sk_out(tx, (uint32_t)random_below(&l->r, tx->out_count));
    }
    if (l->coin_count && random_below(&l->r, 3) == 0) return l->coins[random_below(&l->r, l->coin_count)];
    return l->coins[l->coin_count++] = sk_coin(&l->sk, 1000000000);
}

static bool make_some(struct life *l, struct naive *n)
{
    struct outpoint in[4];
    size_t count = 1 + random_below(&l->r, 3);
    for (size_t i = 0; i < count; i++) {
        in[i] = some_outpoint(l);
        for (size_t k = 0; k < i; k++)
            if (!memcmp(&in[i], &in[k], sizeof(*in))) return false;
    }
    amount_sat most = 0;
    for (size_t i = 0; i < count; i++) most += sk_value(&l->sk, &in[i]);
    if (most > 20000) most = 20000;
    *n = (struct naive){.fee = (amount_sat)random_below(&l->r, (uint64_t)most + 1), .time_s = l->sk.m->now_s};
    n->tx = sk_make(&l->sk, &(struct sk_tx){.in = in,
                                            .in_count = count,
                                            .out_count = 1 + random_below(&l->r, 3),
                                            .fee = n->fee,
                                            .pad = random_below(&l->r, 4) ? 0 : 1 + random_below(&l->r, 300)});
    for (size_t i = 0; i < l->count; i++)
        if (txid_equal(&l->all[i].tx->txid, &n->tx->txid)) return false;
    return true;
}

static size_t naive_clusters(const struct life *l, const bool *direct)
{
    bool seen[MANY] = {0};
    size_t clusters = 0;
    for (size_t i = 0; i < l->count; i++) {
        if (!direct[i] || seen[i]) continue;
        seen[i] = true;
        reach(l, seen, NULL, UP | DOWN);
        clusters++;
    }
    return clusters;
}

/* What the rules of fees say to N in the place of GONE. */
static const char *naive_reason(const struct life *l, const struct naive *n, const bool *direct, const bool *gone)
{
    amount_sat fees = 0;
    if (naive_clusters(l, direct) > MEMPOOL_MAX_REPLACED_CLUSTERS) return "too many potential replacements";
    for (size_t i = 0; i < l->count; i++)
        if (gone[i]) fees += l->all[i].fee + l->all[i].delta;
    amount_sat relay = fee_rate_fee(l->sk.options.incremental, (tx_weight(n->tx) + 3) / 4);
    return n->fee < fees + relay ? "insufficient fee" : "";
}

/* N with the entries in GONE replaced: as acceptance would. True where it entered. */
static bool enter_staged(struct life *l, struct naive *n, struct pool_set *removed, const bool *gone, bool replaces)
{
    struct mempool *m = l->sk.m;
    struct verdict v = {0};
    struct mempool_entry *e = sk_entry(&l->sk, n->tx);
    pool_stage(m);
    for (size_t i = 0; i < removed->count; i++) pool_stage_remove(m, removed->items[i]);
    pool_stage_add(m, e);
    bool fits = pool_stage_fits(m);
    cr_assert_eq(fits, !naive_oversized(l, n, gone));
    l->too_large += !fits;
    if (!fits || (replaces && !replace_check_diagram(m, &v))) {
        pool_stage_abort(m);
        pool_entry_free(e);
        return false;
    }
    pool_stage_commit(m, removed, REMOVED_REPLACED, &e, 1, false);
    return true;
}

static void enter(struct life *l)
{
    struct naive *n = &l->all[l->count];
    bool direct[MANY] = {0}, gone[MANY] = {0}, above[MANY] = {0};
    size_t conflicts = 0;
    if (!make_some(l, n)) return;
    for (size_t a = 0; a < l->now_count; a++) {
        size_t i = l->now[a];
        conflicts += direct[i] = gone[i] = conflict(n->tx, l->all[i].tx);
        above[i] = depends(n, &l->all[i]);
    }
    reach(l, gone, NULL, DOWN);
    for (size_t i = 0; i < l->count; i++)
        if (above[i] && gone[i]) return; /* it would spend what it replaces */
    struct pool_set set = {0}, all = {0};
    struct verdict v = {0};
    for (size_t i = 0; i < l->count; i++)
        if (direct[i]) pool_set_add(&set, pool_find(l->sk.m, &l->all[i].tx->txid));
    if (conflicts) {
        struct replacement r = {n->tx, n->fee, (tx_weight(n->tx) + 3) / 4, false, &set};
        (void)!replace_check_fees(l->sk.m, &r, &all, &v);
        cr_assert_str_eq(v.reason, naive_reason(l, n, direct, gone));
    }
    if (verdict_ok(&v) && enter_staged(l, n, &all, gone, conflicts)) {
        naive_remove(l, gone);
        n->in = true;
        l->count++;
        recount(l);
        l->entered++;
        l->replaced += conflicts > 0;
    } else {
        l->refused++;
    }
    pool_set_clear(&set);
    pool_set_clear(&all);
}

/* A block with somebody and all that it depends on, in the order in which they came: parents first. */
static void mine(struct life *l)
{
    const struct tx *txs[MANY];
    bool set[MANY] = {0};
    size_t count = 0;
    set[l->now[random_below(&l->r, l->now_count)]] = true;
    reach(l, set, NULL, UP);
    for (size_t i = 0; i < l->count; i++)
        if (set[i]) txs[count++] = l->all[i].tx;
    sk_mine(&l->sk, txs, count);
    for (size_t i = 0; i < l->coin_count; i++) {
        for (size_t k = 0; k < count; k++) {
            bool spent = false;
            for (size_t n = 0; n < txs[k]->in_count; n++)
                spent |= !memcmp(&txs[k]->in[n].prevout, &l->coins[i], sizeof(*l->coins));
            if (!spent) continue;
            l->coins[i--] = l->coins[--l->coin_count];
            break;
        }
    }
    naive_remove(l, set);
    l->mined += count;
}

static void leave(struct life *l)
{
    bool set[MANY] = {0};
    size_t at = l->now[random_below(&l->r, l->now_count)];
    struct pool_set all = {0};
    set[at] = true;
    reach(l, set, NULL, DOWN);
    pool_set_add(&all, pool_find(l->sk.m, &l->all[at].tx->txid));
    pool_add_descendants(l->sk.m, &all);
    pool_remove(l->sk.m, &all, REMOVED_REORG);
    pool_set_clear(&all);
    naive_remove(l, set);
}

static void expire(struct life *l)
{
    bool set[MANY] = {0};
    int64_t before = l->sk.m->now_s - (int64_t)random_below(&l->r, 400);
    for (size_t a = 0; a < l->now_count; a++) set[l->now[a]] = l->all[l->now[a]].time_s < before;
    size_t count = reach(l, set, NULL, DOWN);
    cr_assert_eq(pool_expire(l->sk.m, before), count);
    naive_remove(l, set);
    l->expired += count;
}

/* Those that stood last in the order go, no more of them than a chunk too many. */
static void trim(struct life *l)
{
    struct mempool *m = l->sk.m;
    struct mempool_list order = mempool_ordered(m);
    struct txid ids[MANY];
    bool gone[MANY] = {0};
    for (size_t i = 0; i < order.count; i++) ids[i] = order.entries[i]->tx.txid;
    uint64_t memory = mempool_memory(m), room = 1 + random_below(&l->r, 4000);
    m->options.max_bytes = memory - room;
    size_t before = order.count;
    free(order.entries);
    pool_limit(m);
    m->options.max_bytes = l->sk.options.max_bytes;
    cr_assert(mempool_memory(m) <= memory - room || mempool_count(m) == 0);
    for (size_t i = 0; i < before; i++) cr_assert_eq(mempool_find(m, &ids[i]) != NULL, i < mempool_count(m));
    for (size_t i = 0; i < l->count; i++) gone[i] = !mempool_find(m, &l->all[i].tx->txid);
    l->trimmed += before - mempool_count(m);
    naive_remove(l, gone);
}

static void prioritise(struct life *l)
{
    struct naive *n = &l->all[l->now[random_below(&l->r, l->now_count)]];
    amount_sat delta = (amount_sat)random_below(&l->r, 10000) - 5000;
    mempool_prioritise(l->sk.m, &n->tx->txid, delta);
    n->delta += delta;
}

static void step(struct life *l)
{
    mempool_set_time(l->sk.m, l->sk.m->now_s + (int64_t)random_below(&l->r, 10));
    uint64_t what = random_below(&l->r, 100);
    if (l->now_count == 0 || what < 84)
        enter(l);
    else if (what < 88)
        mine(l);
    else if (what < 91)
        leave(l);
    else if (what < 92)
        expire(l);
    else if (what < 94)
        trim(l);
    else
        prioritise(l);
    compare(l);
    if (l->now_count > l->most) l->most = l->now_count;
}

static void live(uint64_t seed, size_t steps)
{
    struct life *l = mem_calloc(1, sizeof(*l));
    random_init_u64(&l->r, seed);
    sk_open(&l->sk);
    l->sk.options.cluster_count = CLUSTER_COUNT;
    l->sk.options.cluster_vbytes = CLUSTER_VBYTES;
    l->sk.options.expiry_s = INT64_C(1) << 40;
    sk_new_pool(&l->sk);
    for (size_t i = 0; i < steps && l->count + 1 < MANY && l->coin_count + 4 < MANY; i++) step(l);
    cr_assert(l->entered && l->replaced && l->refused && l->too_large && l->mined && l->expired && l->trimmed);
    cr_log_info("%zu entered, %zu replaced others, %zu refused, %zu too large, %zu mined, %zu expired, %zu trimmed, "
                "%zu at most",
                l->entered, l->replaced, l->refused, l->too_large, l->mined, l->expired, l->trimmed, l->most);
    sk_close(&l->sk);
    free(l);
}

Test(store_random, agrees_with_a_naive_pool)
{
    for (uint64_t seed = 1; seed <= 12; seed++) live(seed, 1500);
}
