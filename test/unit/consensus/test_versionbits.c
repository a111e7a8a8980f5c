/* Version bits: the state machine against a naive model that keeps every block's state. */
#include "fixture.h"

#include "consensus/versionbits.h"

enum { MAX_BLOCKS = 400 };

struct model {
    enum bip9_state state[MAX_BLOCKS + 1]; /* state[i]: of block i */
    int32_t since[MAX_BLOCKS + 1];
};

static bool signals_plainly(const struct header_node *n, int bit)
{
    return (uint32_t)n->version >> 29 == 1 && ((uint32_t)n->version >> bit) % 2 == 1;
}

/* BIP9 word for word: states change only at the first block of a period, looking at the period before. */
static enum bip9_state next_in_model(const struct bip9_params *d, enum bip9_state state, const struct header_node *n,
                                     size_t at)
{
    int64_t median = header_median_time(&n[at - 1]);
    size_t count = 0;
    for (size_t i = at - d->period; i < at; i++) count += signals_plainly(&n[i], d->bit);
    if (state == BIP9_DEFINED && median >= d->start_time_s) return BIP9_STARTED;
    if (state == BIP9_STARTED && count >= d->threshold) return BIP9_LOCKED_IN;
    if (state == BIP9_STARTED && median >= d->timeout_s) return BIP9_FAILED;
    if (state == BIP9_LOCKED_IN && (int32_t)at >= d->min_activation_height) return BIP9_ACTIVE;
    return state;
}

static void model_run(struct model *m, const struct bip9_params *d, const struct header_node *n, size_t count)
{
    m->state[0] = BIP9_DEFINED;
    m->since[0] = 0;
    for (size_t i = 1; i <= count; i++) {
        m->state[i] = m->state[i - 1];
        m->since[i] = m->since[i - 1];
        if (i % d->period != 0) continue;
        m->state[i] = next_in_model(d, m->state[i - 1], n, i);
        if (m->state[i] != m->state[i - 1]) m->since[i] = (int32_t)i;
    }
}

static void make_random_chain(struct header_node *n, size_t count, struct random *r, int bit)
{
    uint64_t likely = random_below(r, 5);
    for (size_t i = 0; i < count; i++) {
        if (i % 20 == 0) likely = random_below(r, 5);
        uint32_t version = random_below(r, 8) == 0 ? (uint32_t)random_u64(r) : UINT32_C(0x20000000);
        if (random_below(r, 4) < likely) version |= UINT32_C(1) << bit;
        uint32_t time = 1000 + 10 * (uint32_t)i + (uint32_t)random_below(r, 30);
        chain_link(&n[i], i ? &n[i - 1] : NULL, time, 0x207fffff, (int32_t)version);
    }
}

static void check_statistics(const struct bip9_params *d, const struct header_node *n, size_t at)
{
    struct bip9_statistics s;
    char signals[MAX_BLOCKS];
    memset(signals, 0, sizeof(signals));
    bip9_statistics(&s, d, &n[at], signals);
    size_t first = at - at % d->period, count = 0;
    for (size_t i = first; i <= at; i++) {
        bool signalled = signals_plainly(&n[i], d->bit);
        cr_assert_eq(signals[i - first], signalled ? '#' : '-');
        count += signalled;
    }
    cr_assert_eq(signals[at - first + 1], 0);
    cr_assert(s.period == d->period && s.threshold == d->threshold);
    cr_assert(s.elapsed == at - first + 1 && s.count == count);
    cr_assert_eq(s.possible, count + (d->period - s.elapsed) >= d->threshold);
    struct bip9_statistics again;
    bip9_statistics(&again, d, &n[at], NULL);
    cr_assert(again.count == s.count && again.possible == s.possible);
}

Test(consensus_versionbits, against_a_naive_model)
{
    struct random r;
    random_init_u64(&r, 9);
    struct header_node *n = mem_calloc(MAX_BLOCKS, sizeof(*n));
    struct model m;
    size_t states = 0, seen[5] = {0};
    for (int round = 0; round < 120; round++) {
        struct chain_params p = *chain_params_get(CHAIN_REGTEST);
        struct bip9_params *d = &p.deployments[0];
        d->bit = (int)random_below(&r, 29);
        d->period = 1 + (uint32_t)random_below(&r, 30);
        d->threshold = 1 + (uint32_t)random_below(&r, d->period);
        d->start_time_s = (int64_t)random_below(&r, 2500);
        d->timeout_s = d->start_time_s + (int64_t)random_below(&r, 3000);
        d->min_activation_height = (int32_t)random_below(&r, 300);
        make_random_chain(n, MAX_BLOCKS, &r, d->bit);
        /* In every other round start and timeout are met exactly, each at the end of a period. */
        if (round % 2 == 0) {
            uint64_t periods = MAX_BLOCKS / d->period, start = random_below(&r, periods);
            uint64_t timeout = start + random_below(&r, periods - start);
            d->start_time_s = header_median_time(&n[(start + 1) * d->period - 1]);
            d->timeout_s = header_median_time(&n[(timeout + 1) * d->period - 1]);
        }
        model_run(&m, d, n, MAX_BLOCKS);
        for (size_t i = 0; i <= MAX_BLOCKS; i++) {
            const struct header_node *prev = i ? &n[i - 1] : NULL;
            cr_assert_eq(bip9_state_after(d, prev), m.state[i], "round %d block %zu", round, i);
            cr_assert_eq(bip9_state_since(d, prev), m.since[i], "round %d block %zu", round, i);
            bool wanted = m.state[i] == BIP9_STARTED || m.state[i] == BIP9_LOCKED_IN;
            cr_assert_eq((uint32_t)versionbits_compute(&p, prev), 0x20000000u | (wanted ? 1u << d->bit : 0));
            if (prev) check_statistics(d, n, i - 1);
            seen[m.state[i]]++;
            states++;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) cr_assert_gt(seen[i], 100u, "state %zu hardly seen", i);
    free(n);
    print_count("deployment states against a naive model", states);
}

Test(consensus_versionbits, fixed_states)
{
    struct header_node *n = chain_make(500, 1700000000, 600, 0x207fffff);
    struct bip9_params d = chain_params_get(CHAIN_REGTEST)->deployments[0];
    d.start_time_s = DEPLOYMENT_ALWAYS_ACTIVE;
    cr_assert(bip9_state_after(&d, NULL) == BIP9_ACTIVE && bip9_state_after(&d, &n[499]) == BIP9_ACTIVE);
    cr_assert_eq(bip9_state_since(&d, &n[499]), 0);
    d.start_time_s = DEPLOYMENT_NEVER_ACTIVE;
    cr_assert(bip9_state_after(&d, NULL) == BIP9_FAILED && bip9_state_after(&d, &n[499]) == BIP9_FAILED);
    cr_assert_eq(bip9_state_since(&d, &n[499]), 0);

    /* regtest's own deployment: signalled for from block 144 on, never without signals locked in. */
    const struct chain_params *p = chain_params_get(CHAIN_REGTEST);
    cr_assert_eq(versionbits_compute(p, &n[142]), 0x20000000);
    cr_assert_eq(versionbits_compute(p, &n[143]), 0x30000000);
    cr_assert_eq(bip9_state_since(&p->deployments[0], &n[499]), 144);
    struct bip9_statistics s;
    bip9_statistics(&s, &p->deployments[0], NULL, NULL);
    cr_assert(s.period == 144 && s.threshold == 108 && s.elapsed == 0 && !s.possible);
    free(n);

    static const char *const names[] = {"defined", "started", "locked_in", "active", "failed"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) cr_assert_str_eq(bip9_state_name((enum bip9_state)i), names[i]);
}
