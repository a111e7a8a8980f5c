/* The graph of transactions against its naive twin: random operations, every query compared, every invariant checked.
 */
#include "mempool/tx_graph.h"

#include "base/random.h"
#include "mempool/bits.h"
#include "twin.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static uint64_t set_of(const tx_id *ids, size_t n)
{
    uint64_t set = 0;
    for (size_t i = 0; i < n; i++) {
        cr_assert_lt(ids[i], TWIN_MAX);
        cr_assert(!(set & bit(ids[i])), "listed twice");
        set |= bit(ids[i]);
    }
    return set;
}

/* Both at once. */
struct pair {
    struct random r;
    struct tx_graph *g;
    struct twin t;
    bool was_oversized; /* in this staging: what it touched is not known then */
    unsigned compared, trimmed, better, oversized;
};

static struct twin_level *top(struct pair *p)
{
    return &p->t.level[p->t.staging];
}

static void pair_init(struct pair *p, uint64_t seed)
{
    memset(p, 0, sizeof *p);
    random_init_u64(&p->r, seed);
    p->t.limits = (struct tx_graph_limits){.count = 1 + (unsigned)random_below(&p->r, 9),
                                           .size = 20 + (int64_t)random_below(&p->r, 60)};
    if (seed % 5 == 0) p->t.limits.budget = 1;
    p->g = tx_graph_new(&p->t.limits);
}

/* A random transaction that is there, or TWIN_MAX. */
static unsigned pick(struct pair *p)
{
    unsigned start = (unsigned)random_below(&p->r, TWIN_MAX);
    for (unsigned i = 0; i < TWIN_MAX; i++) {
        if (top(p)->has[(start + i) % TWIN_MAX]) return (start + i) % TWIN_MAX;
    }
    return TWIN_MAX;
}

static void pull(struct pair *p, unsigned id)
{
    if (!p->t.staging || !p->t.level[0].has[id]) return;
    for (uint64_t rest = twin_cluster(&p->t.level[0], id); rest; rest &= rest - 1) p->t.pulled[bits_first(rest)] = true;
}

static int64_t random_fee(struct pair *p)
{
    return (int64_t)random_below(&p->r, 12) - 2;
}

static void do_add(struct pair *p)
{
    unsigned live = 0;
    for (unsigned i = 0; i < TWIN_MAX; i++) live += p->t.level[0].has[i] || p->t.level[1].has[i];
    if (live >= TWIN_MAX - 1) return;
    struct fee_frac tx = {random_fee(p), 1 + (int64_t)random_below(&p->r, random_below(&p->r, 30) ? 10 : 60)};
    tx_id id = tx_graph_add(p->g, tx.fee, tx.size, random_u64(&p->r));
    cr_assert(id < TWIN_MAX && !p->t.level[0].has[id] && !p->t.level[1].has[id]);
    p->t.tx[id] = tx;
    p->t.pulled[id] = false;
    top(p)->has[id] = true;
}

static void do_depend(struct pair *p)
{
    unsigned parent = pick(p);
    unsigned child = pick(p);
    if (parent == TWIN_MAX || parent == child || top(p)->reach[parent][child]) return;
    tx_graph_depend(p->g, parent, child);
    if (top(p)->reach[child][parent]) return;
    twin_depend(top(p), parent, child);
    pull(p, parent);
    pull(p, child);
}

static void remove_both(struct pair *p, unsigned id)
{
    tx_graph_remove(p->g, id);
    pull(p, id);
    twin_remove(top(p), id);
}

static void do_remove(struct pair *p)
{
    unsigned id = pick(p);
    if (id == TWIN_MAX) return;
    uint64_t set = bit(id);
    /* In an oversized level what stands between others goes only with all that depends on it, as in life. */
    if (twin_is_oversized(&p->t, top(p)) || random_below(&p->r, 4) == 0) set = twin_descendants(top(p), id);
    for (; set; set &= set - 1) remove_both(p, bits_first(set));
}

static void do_fee(struct pair *p)
{
    unsigned id = pick(p);
    if (id == TWIN_MAX) return;
    p->t.tx[id].fee = random_fee(p);
    tx_graph_set_fee(p->g, id, p->t.tx[id].fee);
}

static void do_trim(struct pair *p)
{
    struct twin_level *l = top(p);
    struct twin_level before = *l;
    bool oversized = twin_is_oversized(&p->t, l);
    struct tx_ids removed = {0};
    tx_graph_trim(p->g, &removed);
    uint64_t gone = set_of(removed.id, removed.count);
    cr_assert_eq(oversized, gone != 0);
    for (uint64_t rest = gone; rest; rest &= rest - 1) {
        cr_assert(l->has[bits_first(rest)]);
        cr_assert(!(twin_descendants(&before, bits_first(rest)) & ~gone), "a child without its parent");
        pull(p, bits_first(rest));
        twin_remove(l, bits_first(rest));
    }
    cr_assert(!twin_is_oversized(&p->t, l));
    /* Nothing went that could have stayed with all that it depends on. */
    for (uint64_t rest = gone; rest; rest &= rest - 1) {
        unsigned id = bits_first(rest);
        uint64_t above = twin_ancestors(&before, id) & ~bit(id);
        if (above & gone) continue;
        struct twin_level with = *l;
        with.has[id] = true;
        for (; above; above &= above - 1) twin_depend(&with, bits_first(above), id);
        cr_assert(twin_is_oversized(&p->t, &with), "removed for nothing");
    }
    p->trimmed += oversized;
    tx_ids_clear(&removed);
}

static void do_stage(struct pair *p)
{
    struct twin *t = &p->t;
    if (!t->staging) {
        if (twin_is_oversized(t, &t->level[0])) return;
        tx_graph_stage(p->g);
        t->level[1] = t->level[0];
        t->staging = true;
        p->was_oversized = false;
        memset(t->pulled, 0, sizeof t->pulled);
        return;
    }
    if (random_below(&p->r, 2) && !twin_is_oversized(t, &t->level[1])) {
        tx_graph_commit(p->g);
        t->level[0] = t->level[1];
    } else {
        tx_graph_abort(p->g);
    }
    t->staging = false;
    memset(&t->level[1], 0, sizeof t->level[1]);
}

static void compare_sets(struct pair *p, enum tx_graph_level which, const struct twin_level *l)
{
    tx_id ids[LIN_MAX];
    for (tx_id id = 0; id < TWIN_MAX; id++) {
        if (!l->has[id]) continue;
        uint64_t cluster = twin_cluster(l, id);
        unsigned n = tx_graph_cluster(p->g, which, id, ids);
        cr_assert_eq(set_of(ids, n), cluster);
        uint64_t done = 0;
        for (unsigned i = 0; i < n; i++) {
            done |= bit(ids[i]);
            cr_assert(!(twin_ancestors(l, ids[i]) & ~done), "a child before its parent");
        }
        n = tx_graph_ancestors(p->g, which, id, ids);
        cr_assert_eq(set_of(ids, n), twin_ancestors(l, id));
        n = tx_graph_descendants(p->g, which, id, ids);
        cr_assert_eq(set_of(ids, n), twin_descendants(l, id));
    }
    tx_id asked[8];
    uint64_t up = 0, down = 0, left = 0;
    size_t clusters = 0;
    for (unsigned i = 0; i < 8; i++) {
        asked[i] = (tx_id)random_below(&p->r, TWIN_MAX + 3);
        if (asked[i] >= TWIN_MAX || !l->has[asked[i]]) continue;
        up |= twin_ancestors(l, asked[i]);
        down |= twin_descendants(l, asked[i]);
        left |= bit(asked[i]);
    }
    for (uint64_t rest = left; rest; rest &= ~twin_cluster(l, bits_first(rest))) clusters++;
    struct tx_ids list = {0};
    tx_graph_ancestors_of(p->g, which, asked, 8, &list);
    cr_assert_eq(set_of(list.id, list.count), up);
    list.count = 0;
    tx_graph_descendants_of(p->g, which, asked, 8, &list);
    cr_assert_eq(set_of(list.id, list.count), down);
    tx_ids_clear(&list);
    cr_assert_eq(tx_graph_count_clusters(p->g, which, asked, 8), clusters);
}

/* Would a child of some three fit? As the twin says who tries it. */
static void compare_fits(struct pair *p, enum tx_graph_level which, const struct twin_level *l)
{
    tx_id parents[3];
    unsigned n = 0;
    uint64_t joined = 0;
    for (unsigned i = 0; i < 3; i++) {
        tx_id id = (tx_id)random_below(&p->r, TWIN_MAX);
        if (!l->has[id]) continue;
        parents[n++] = id;
        joined |= twin_cluster(l, id);
    }
    int64_t size = 1 + (int64_t)random_below(&p->r, 20);
    int64_t sum = size;
    for (uint64_t rest = joined; rest; rest &= rest - 1) sum += p->t.tx[bits_first(rest)].size;
    bool fits = bits_count(joined) + 1 <= p->t.limits.count && sum <= p->t.limits.size;
    cr_assert_eq(tx_graph_fits(p->g, which, parents, n, size), fits);
}

/* The order of all chunks, as block building, comparison and eviction see it. */
static void compare_order(struct pair *p, const struct fee_frac rates[TWIN_MAX])
{
    const struct twin_level *l = &p->t.level[0];
    tx_id order[TWIN_MAX], chunk[LIN_MAX], last[LIN_MAX];
    unsigned n = 0, last_n = 0, k;
    uint64_t done = 0;
    struct fee_frac rate, before = {INT32_MAX, 1};
    struct tx_graph_builder *b = tx_graph_builder_new(p->g);
    for (; (k = tx_graph_builder_chunk(b, chunk, &rate)) > 0; tx_graph_builder_take(b)) {
        struct fee_frac sum = {0, 0};
        cr_assert_leq(fee_frac_cmp(rate, before), 0);
        before = rate;
        for (unsigned i = 0; i < k; i++) {
            cr_assert(!(done & bit(chunk[i])));
            done |= bit(chunk[i]);
            cr_assert(!(twin_ancestors(l, chunk[i]) & ~done), "mined before its parent");
            cr_assert_eq(fee_frac_cmp(rate, rates[chunk[i]]), 0, "not the best rate");
            cr_assert_eq(fee_frac_cmp(tx_graph_chunk_rate(p->g, chunk[i]), rate), 0);
            sum = fee_frac_add(sum, p->t.tx[chunk[i]]);
            if (n && i) cr_assert_eq(tx_graph_cmp(p->g, order[n - 1], chunk[i]), 1);
            order[n++] = chunk[i];
        }
        cr_assert(fee_frac_equal(sum, rate));
        last_n = k;
        memcpy(last, chunk, sizeof last);
    }
    tx_graph_builder_free(b);
    cr_assert_eq(n, tx_graph_count(p->g, TX_GRAPH_MAIN));
    for (unsigned i = 0; n && i < 20; i++) {
        unsigned x = (unsigned)random_below(&p->r, n), y = (unsigned)random_below(&p->r, n);
        int cmp = tx_graph_cmp(p->g, order[x], order[y]);
        cr_assert_eq(cmp, -tx_graph_cmp(p->g, order[y], order[x]));
        cr_assert_eq(cmp, (x < y) - (x > y));
    }
    k = tx_graph_worst(p->g, chunk, &rate);
    cr_assert_eq(k, last_n);
    for (unsigned i = 0; i < k; i++) cr_assert_eq(chunk[i], last[k - 1 - i]);
}

static void compare_skips(struct pair *p)
{
    tx_id chunk[LIN_MAX];
    struct fee_frac rate;
    uint64_t skipped = 0, seen = 0;
    struct tx_graph_builder *b = tx_graph_builder_new(p->g);
    for (unsigned k; (k = tx_graph_builder_chunk(b, chunk, &rate)) > 0;) {
        uint64_t set = set_of(chunk, k);
        cr_assert(!(set & skipped), "more of a cluster that was skipped");
        seen |= set;
        if (random_below(&p->r, 3)) {
            tx_graph_builder_take(b);
        } else {
            skipped |= twin_cluster(&p->t.level[0], chunk[0]);
            tx_graph_builder_skip(b);
        }
    }
    tx_graph_builder_free(b);
    for (tx_id id = 0; id < TWIN_MAX; id++) cr_assert(!p->t.level[0].has[id] || (seen | skipped) & bit(id));
}

/* The diagram of the clusters of L that are changed: of staging all that main has not just so. */
static size_t changed_diagram(struct pair *p, const struct twin_level *l, struct fee_frac *out)
{
    size_t n = 0;
    uint64_t done = 0;
    struct fee_frac unused[TWIN_MAX];
    for (unsigned id = 0; id < TWIN_MAX; id++) {
        if (!l->has[id] || done & bit(id)) continue;
        uint64_t set = twin_cluster(l, id);
        done |= set;
        if (!p->t.pulled[id] && p->t.level[0].has[id]) continue;
        n += twin_chunks(&p->t, l, set, unused, out + n);
    }
    diagram_sort(out, n);
    return n;
}

static void compare_staging(struct pair *p)
{
    struct fee_frac was[TWIN_MAX], is[TWIN_MAX];
    size_t was_n = changed_diagram(p, &p->t.level[0], was);
    size_t is_n = changed_diagram(p, &p->t.level[1], is);
    enum diagram_relation relation = tx_graph_compare_staging(p->g);
    cr_assert_eq(relation, diagram_compare(is, is_n, was, was_n));
    p->better += relation == DIAGRAM_BETTER;
}

static void compare_all(struct pair *p)
{
    for (int k = 0; k <= p->t.staging; k++) {
        enum tx_graph_level which = k ? TX_GRAPH_TOP : TX_GRAPH_MAIN;
        const struct twin_level *l = &p->t.level[k];
        size_t count = 0;
        for (tx_id id = 0; id < TWIN_MAX; id++) {
            cr_assert_eq(tx_graph_has(p->g, which, id), l->has[id]);
            count += l->has[id];
        }
        cr_assert_eq(tx_graph_count(p->g, which), count);
        bool oversized = twin_is_oversized(&p->t, l);
        cr_assert_eq(tx_graph_is_oversized(p->g, which), oversized);
        p->oversized += oversized;
        if (k) p->was_oversized |= oversized;
        if (oversized) continue;
        cr_assert(tx_graph_work(p->g, UINT64_MAX));
        compare_sets(p, which, l);
        compare_fits(p, which, l);
        if (k && !p->was_oversized) compare_staging(p);
        if (k) continue;
        struct fee_frac rates[TWIN_MAX], unused[TWIN_MAX];
        uint64_t done = 0;
        for (unsigned id = 0; id < TWIN_MAX; id++) {
            if (!l->has[id] || done & bit(id)) continue;
            twin_chunks(&p->t, l, twin_cluster(l, id), rates, unused);
            done |= twin_cluster(l, id);
        }
        compare_order(p, rates);
        compare_skips(p);
        p->compared++;
    }
}

static void step(struct pair *p)
{
    uint64_t dice = random_below(&p->r, 100);
    if (dice < 35) {
        do_add(p);
    } else if (dice < 70) {
        do_depend(p);
    } else if (dice < 82) {
        do_remove(p);
    } else if (dice < 88) {
        do_fee(p);
    } else if (dice < 91) {
        do_trim(p);
    } else if (dice < 95) {
        do_stage(p);
    } else if (dice < 97) {
        tx_graph_work(p->g, random_below(&p->r, 100));
    }
    tx_graph_check(p->g);
}

static void run_twins(uint64_t first_seed, unsigned runs)
{
    unsigned compared = 0, trimmed = 0, better = 0, oversized = 0;
    for (unsigned run = 0; run < runs; run++) {
        static struct pair p;
        pair_init(&p, first_seed + run);
        for (unsigned i = 0; i < 150; i++) {
            step(&p);
            if (random_below(&p.r, 2)) {
                compare_all(&p);
                tx_graph_check(p.g);
            } else if (p.t.staging) {
                p.was_oversized |= twin_is_oversized(&p.t, &p.t.level[1]);
            }
        }
        tx_graph_free(p.g);
        compared += p.compared, trimmed += p.trimmed, better += p.better, oversized += p.oversized;
    }
    cr_assert_gt(compared, 20 * runs);
    cr_assert_gt(trimmed, runs / 3);
    cr_assert_gt(better, runs);
    cr_assert_gt(oversized, runs);
}

Test(tx_graph, as_its_twin_1)
{
    run_twins(1, 100);
}

Test(tx_graph, as_its_twin_2)
{
    run_twins(10001, 100);
}
