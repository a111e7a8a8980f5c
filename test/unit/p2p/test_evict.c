/* The choice of whom to evict, against a naive model and by hand. */
#include "harness.h"

/* ---- the naive model: marks, and the best one by one ---- */

enum { MANY = 150 };

struct model {
    const struct evict_candidate *c;
    size_t count;
    bool safe[MANY];
};

/* True where A is more worth keeping than B. */
typedef bool (*worthier)(const struct evict_candidate *a, const struct evict_candidate *b);

static bool older(const struct evict_candidate *a, const struct evict_candidate *b)
{
    if (a->connected_us != b->connected_us) return a->connected_us < b->connected_us;
    return a->id > b->id;
}

static bool by_group(const struct evict_candidate *a, const struct evict_candidate *b)
{
    if (a->keyed_group != b->keyed_group) return a->keyed_group > b->keyed_group;
    return a->id > b->id;
}

static bool by_ping(const struct evict_candidate *a, const struct evict_candidate *b)
{
    if (a->min_ping_us != b->min_ping_us) return a->min_ping_us < b->min_ping_us;
    return a->id > b->id;
}

static bool by_tx(const struct evict_candidate *a, const struct evict_candidate *b)
{
    if (a->last_tx_s != b->last_tx_s) return a->last_tx_s > b->last_tx_s;
    if (a->relays_txs != b->relays_txs) return a->relays_txs;
    if (a->bloom_filter != b->bloom_filter) return b->bloom_filter;
    return older(a, b);
}

static bool by_block(const struct evict_candidate *a, const struct evict_candidate *b)
{
    if (a->last_block_s != b->last_block_s) return a->last_block_s > b->last_block_s;
    if (a->relevant_services != b->relevant_services) return a->relevant_services;
    return older(a, b);
}

static bool by_block_relay(const struct evict_candidate *a, const struct evict_candidate *b)
{
    if (a->relays_txs != b->relays_txs) return b->relays_txs;
    return by_block(a, b);
}

static bool serves_blocks(const struct evict_candidate *a)
{
    return !a->relays_txs && a->relevant_services;
}

/* Makes those of the MAX worthiest safe that IS (NULL: all); WANT_FIRST (may be NULL): its members come first. Returns
 * how many. */
static size_t save(struct model *m, size_t max, worthier is_worthier, bool (*is)(const struct evict_candidate *),
                   bool (*want_first)(const struct evict_candidate *))
{
    bool seen[MANY] = {false};
    size_t saved = 0;
    while (max--) {
        const struct evict_candidate *best = NULL;
        for (size_t i = 0; i < m->count; i++) {
            const struct evict_candidate *c = &m->c[i];
            if (m->safe[i] || seen[i]) continue;
            if (!best)
                best = c;
            else if (want_first && want_first(c) != want_first(best))
                best = want_first(c) ? c : best;
            else if (is_worthier(c, best))
                best = c;
        }
        if (!best) break;
        seen[best - m->c] = true;
        saved += !is || is(best);
    }
    for (size_t i = 0; i < m->count; i++)
        if (seen[i] && (!is || is(&m->c[i]))) m->safe[i] = true;
    return saved;
}

static bool is_cjdns(const struct evict_candidate *c)
{
    return c->network == NET_CJDNS;
}

static bool is_i2p(const struct evict_candidate *c)
{
    return c->network == NET_I2P;
}

static bool is_local(const struct evict_candidate *c)
{
    return c->local;
}

static bool is_onion(const struct evict_candidate *c)
{
    return c->network == NET_ONION;
}

static size_t unsafe(const struct model *m)
{
    size_t count = 0;
    for (size_t i = 0; i < m->count; i++) count += !m->safe[i];
    return count;
}

static void save_half(struct model *m)
{
    bool (*const kinds[4])(const struct evict_candidate *) = {is_cjdns, is_i2p, is_local, is_onion};
    bool (*sorted[4])(const struct evict_candidate *);
    size_t counts[4] = {0}, left[4], n = 0, half = unsafe(m) / 2, saved = 0;
    for (size_t i = 0; i < m->count; i++)
        for (size_t k = 0; k < 4; k++) counts[k] += !m->safe[i] && kinds[k](&m->c[i]);
    for (size_t want = 0; want <= MANY; want++)
        for (size_t k = 0; k < 4; k++)
            if (counts[k] == want) {
                sorted[n] = kinds[k];
                left[n++] = want;
            }
    for (bool any = true; any && saved < half / 2;) {
        size_t there = 0;
        any = false;
        for (size_t k = 0; k < 4; k++) there += left[k] > 0;
        if (!there) break;
        size_t each = (half / 2 - saved) / there;
        if (!each) each = 1;
        for (size_t k = 0; k < 4 && saved < half / 2; k++) {
            if (!left[k]) continue;
            size_t got = save(m, each, older, sorted[k], sorted[k]);
            any |= got > 0;
            saved += got;
            left[k] -= got;
        }
    }
    save(m, half - saved, older, NULL, NULL);
}

static peer_id model_choose(const struct evict_candidate *c, size_t count)
{
    struct model m = {.c = c, .count = count};
    for (size_t i = 0; i < count; i++) m.safe[i] = !c[i].inbound || c[i].no_ban;
    save(&m, 4, by_group, NULL, NULL);
    save(&m, 8, by_ping, NULL, NULL);
    save(&m, 4, by_tx, NULL, NULL);
    save(&m, 8, by_block_relay, serves_blocks, NULL);
    save(&m, 4, by_block, NULL, NULL);
    save_half(&m);
    bool prefer = false;
    for (size_t i = 0; i < count; i++) prefer |= !m.safe[i] && c[i].prefer_evict;
    for (size_t i = 0; prefer && i < count; i++) m.safe[i] |= !c[i].prefer_evict;
    const struct evict_candidate *best = NULL;
    size_t most = 0;
    for (size_t i = 0; i < count; i++) {
        if (m.safe[i]) continue;
        size_t members = 0;
        bool youngest = true;
        for (size_t k = 0; k < count; k++) {
            if (m.safe[k] || c[k].keyed_group != c[i].keyed_group) continue;
            members++;
            youngest &= k == i || older(&c[k], &c[i]);
        }
        if (!youngest || members < most) continue;
        if (members > most || older(best, &c[i])) best = &c[i];
        most = members;
    }
    return best ? best->id : P2P_NO_PEER;
}

/* ---- the comparison ---- */

static void random_candidates(struct random *r, struct evict_candidate *c, size_t count)
{
    static const enum network networks[] = {NET_IPV4, NET_IPV4, NET_IPV4, NET_IPV6, NET_ONION, NET_I2P, NET_CJDNS};
    uint64_t spread = 1 + random_below(r, 60), groups = 1 + random_below(r, 100), rare = 1 + random_below(r, 7);
    for (size_t i = 0; i < count; i++)
        c[i] = (struct evict_candidate){
            .id = (peer_id)i,
            .connected_us = (int64_t)random_below(r, spread),
            .min_ping_us = random_below(r, 5) ? (int64_t)random_below(r, spread) : INT64_MAX,
            .last_block_s = (int64_t)random_below(r, 4) * (int64_t)random_below(r, spread),
            .last_tx_s = (int64_t)random_below(r, 4) * (int64_t)random_below(r, spread),
            .relevant_services = random_below(r, 4) != 0,
            .relays_txs = random_below(r, 3) != 0,
            .bloom_filter = random_below(r, 5) == 0,
            .keyed_group = random_below(r, groups),
            .prefer_evict = random_below(r, 20) == 0,
            .local = random_below(r, 10) == 0,
            .no_ban = random_below(r, 15) == 0,
            .inbound = random_below(r, 8) != 0,
            .network = networks[random_below(r, rare)],
        };
}

Test(evict, agrees_with_the_naive_model)
{
    struct random r;
    struct evict_candidate c[MANY], copy[MANY];
    size_t chosen = 0;
    random_init_u64(&r, 2024);
    for (int round = 0; round < 4000; round++) {
        size_t count = (size_t)random_below(&r, MANY);
        random_candidates(&r, c, count);
        memcpy(copy, c, sizeof(c));
        peer_id expected = model_choose(c, count), got = evict_choose(copy, count);
        cr_assert_eq(got, expected, "round %d: %d, not %d", round, (int)got, (int)expected);
        chosen += got != P2P_NO_PEER;
    }
    cr_assert_gt(chosen, 2000);
}

/* COUNT candidates alike in everything but age and number; number 0 is the oldest. */
static void plain_candidates(struct evict_candidate *c, size_t count)
{
    for (size_t i = 0; i < count; i++)
        c[i] = (struct evict_candidate){.id = (peer_id)i,
                                        .connected_us = (int64_t)i,
                                        .min_ping_us = 1000,
                                        .keyed_group = i,
                                        .relays_txs = true,
                                        .inbound = true,
                                        .network = NET_IPV4};
}

Test(evict, few_are_all_protected)
{
    struct evict_candidate c[MANY];
    plain_candidates(c, 20);
    cr_assert_eq(evict_choose(c, 20), P2P_NO_PEER, "4 by group, 8 by ping, 4 by transactions, 4 by blocks");
    plain_candidates(c, 21);
    cr_assert_neq(evict_choose(c, 21), P2P_NO_PEER);
    plain_candidates(c, 100);
    for (size_t i = 0; i < 100; i++) c[i].no_ban = true;
    cr_assert_eq(evict_choose(c, 100), P2P_NO_PEER);
    plain_candidates(c, 100);
    for (size_t i = 0; i < 100; i++) c[i].inbound = false;
    cr_assert_eq(evict_choose(c, 100), P2P_NO_PEER);
}

Test(evict, each_merit_protects)
{
    struct evict_candidate c[MANY];
    for (int merit = 0; merit < 6; merit++) {
        plain_candidates(c, 100);
        /* The youngest would go; but it is good at something. */
        struct evict_candidate *last = &c[99];
        for (size_t i = 0; i < 100; i++) c[i].keyed_group = 7;
        last->keyed_group = 6;
        for (size_t i = 0; i < 99; i++) c[i].connected_us = 0;
        switch (merit) {
        case 0: last->min_ping_us = 1; break;
        case 1: last->last_tx_s = 1; break;
        case 2: last->last_block_s = 1; break;
        case 3:
            last->relays_txs = false;
            last->relevant_services = true;
            break;
        case 4: last->network = NET_ONION; break;
        case 5: last->local = true; break;
        }
        cr_assert_neq(evict_choose(c, 100), 99, "merit %d", merit);
    }
    plain_candidates(c, 100);
    for (size_t i = 0; i < 100; i++) c[i].keyed_group = i / 2;
    c[70].prefer_evict = true;
    cr_assert_eq(evict_choose(c, 100), 70);
}

/* ---- with peers ---- */

static void fill(struct harness *h, size_t count)
{
    char at[32];
    for (size_t i = 0; i < count; i++) {
        snprintf(at, sizeof(at), "1.%zu.3.4:5000", i + 1);
        cr_assert_neq(harness_inbound(h, at), P2P_NO_PEER);
    }
}

Test(evict, room_is_made_for_a_new_one)
{
    struct harness h;
    harness_prepare(&h);
    h.options.max_connections = 11 + 30;
    harness_open(&h);
    fill(&h, 30);
    cr_assert_eq(p2p_count(h.p, true, false), 30);
    harness_wait_s(&h, 1);
    peer_id id = harness_inbound(&h, "99.2.3.4:5000");
    cr_assert_eq(id, 30);
    cr_assert_eq(p2p_count(h.p, true, false), 30);
    cr_assert(harness_logged(&h, "selected inbound connection for eviction, disconnecting peer="));
    harness_free(&h);
}

Test(evict, where_nobody_can_go_the_new_one_does)
{
    struct harness h;
    harness_prepare(&h);
    h.options.max_connections = 11 + 20;
    harness_open(&h);
    fill(&h, 20);
    cr_assert_eq(harness_inbound(&h, "99.2.3.4:5000"), P2P_NO_PEER);
    cr_assert(harness_logged(&h, "failed to find an eviction candidate - connection dropped (full)"));
    harness_hang_up(&h, 3);
    cr_assert_eq(harness_inbound(&h, "99.2.3.4:5000"), 20, "numbers go only to those who are let in");
    harness_free(&h);
}

Test(evict, transactions_are_relayed_with_half_of_the_slots)
{
    struct harness h;
    harness_prepare(&h);
    h.options.max_connections = 11 + 60;
    h.options.no_relay_percent = 50;
    harness_open(&h);
    fill(&h, 31);
    for (peer_id id = 0; id < 30; id++) harness_handshake(&h, id);
    cr_assert_not(harness_logged(&h, "selected"));
    harness_handshake(&h, 30);
    cr_assert(harness_logged(&h, "selected inbound connection for eviction"));
    cr_assert_not(h.closed[30], "not the one that just came");
    cr_assert_eq(p2p_count(h.p, true, false), 30);
    /* Without transactions there is room. */
    harness_clear_log(&h);
    peer_id id = harness_inbound(&h, "99.2.3.4:5000");
    struct message m = harness_version(&h);
    m.as.version.relay = false;
    harness_say(&h, id, &m);
    harness_say_empty(&h, id, MESSAGE_VERACK);
    cr_assert_not(harness_logged(&h, "selected"));
    harness_free(&h);
    harness_prepare(&h);
    h.options.no_relay_percent = 100;
    harness_open(&h);
    id = harness_inbound(&h, "99.2.3.4:5000");
    harness_say(&h, id, &(struct message){.type = MESSAGE_VERSION, .as = harness_version(&h).as});
    cr_assert(harness_logged(&h, "failed to find a tx-relaying eviction candidate - connection dropped after version "
                                 "message, peer=0"));
    cr_assert(h.closed[id]);
    harness_free(&h);
}
