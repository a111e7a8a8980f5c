/* What honest networks and their alarms do over very long times:
 *   bench_lab quiet [BLOCKS] [LATENCY_MS] [SEED]    alarms at a threshold of 3 in honest blocks: there should be none
 *   bench_lab alarm [TRIALS] [SEED]                 how soon nodes warn of a theft that is deeper than one block
 *   bench_lab stale [BLOCKS] [LATENCY_MS] [BLOCK_S] [NODES] [SEED]  stale blocks among equal miners, all linked */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "lab/image.h"
#include "lab/theory.h"
#include "lab/world.h"
#include "sim/scenario.h"

enum { WORLD_BLOCKS = 8000, MINERS = 4, THRESHOLD = 3, MOST_NODES = 100 };

/* ---- quiet ---- */

struct quiet {
    uint64_t blocks, stale, reorgs, deepest, alarms;
};

static void count_events(struct quiet *q, const struct lab_world *w, size_t *seen)
{
    size_t count;
    const struct lab_event *events = lab_world_events(w, &count);
    for (; *seen < count; ++*seen) {
        const struct lab_event *e = &events[*seen];
        q->blocks += e->kind == LAB_EVENT_BLOCK;
        q->reorgs += e->kind == LAB_EVENT_REORG;
        q->alarms += e->kind == LAB_EVENT_ALARM;
        if (e->kind == LAB_EVENT_REORG && (uint64_t)e->a > q->deepest) q->deepest = (uint64_t)e->a;
    }
}

static int32_t height_of(const struct lab_world *w)
{
    int32_t best = 0;
    for (size_t i = 0; i < lab_world_block_count(w); i++) {
        struct lab_block b = lab_world_block(w, (uint32_t)i);
        if (b.height > best) best = b.height;
    }
    return best - lab_world_block(w, 0).height;
}

static int quiet(uint64_t blocks, int64_t latency_ms, uint64_t seed)
{
    struct quiet q = {0};
    struct lab_image *image = lab_image_new();
    bool ok = true;
    for (uint64_t done = 0; done < blocks && ok; done = q.blocks, seed++) {
        struct lab_setup s = lab_setup_default();
        size_t seen = 0;
        s.seed = seed;
        s.honest = MINERS;
        s.watchers = 0;
        s.merchant = false;
        s.q_ppm = 0;
        s.strategy = LAB_STRATEGY_NONE;
        s.pay_us = 0;
        s.latency_us = latency_ms * 1000;
        s.reorg_alarm = THRESHOLD;
        struct lab_world *w = lab_world_new_on(image, &s, "quiet");
        while (q.blocks < blocks && q.blocks - done < WORLD_BLOCKS && lab_world_step(w)) count_events(&q, w, &seen);
        q.stale += q.blocks - done - (uint64_t)height_of(w);
        if (lab_world_failure(w)) printf("seed %llu: %s\n", (unsigned long long)seed, lab_world_failure(w));
        ok = !lab_world_failure(w) && q.blocks > done;
        lab_world_free(w);
    }
    lab_image_free(image);
    printf(
        "quiet: %d miners, %lld ms a link: %llu honest blocks, %llu stale (%.3f%%), %llu reorganisations, %llu deep at "
        "most, %llu alarms at a threshold of %d\n",
        MINERS, (long long)latency_ms, (unsigned long long)q.blocks, (unsigned long long)q.stale,
        100.0 * (double)q.stale / (double)q.blocks, (unsigned long long)q.reorgs, (unsigned long long)q.deepest,
        (unsigned long long)q.alarms, THRESHOLD);
    return ok && !q.alarms ? 0 : 1;
}

/* ---- alarm ---- */

struct alarms {
    uint64_t thefts, reorgs, warned;
    int64_t slowest_us;
    uint64_t early; /* warned of a reorganisation that was not deep enough */
};

/* For each reorganisation of two blocks or more: when did that node warn? */
static void look_for_alarms(struct alarms *a, const struct lab_world *w)
{
    size_t count;
    const struct lab_event *events = lab_world_events(w, &count);
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind == LAB_EVENT_ALARM && events[i].a < 2) a->early++;
        if (events[i].kind != LAB_EVENT_REORG || events[i].a < 2) continue;
        a->reorgs++;
        for (size_t k = i; k < count; k++) {
            if (events[k].kind != LAB_EVENT_ALARM || events[k].node != events[i].node) continue;
            int64_t late = events[k].at_us - events[i].at_us;
            a->warned++;
            if (late > a->slowest_us) a->slowest_us = late;
            break;
        }
    }
}

static int alarm_after_theft(uint64_t trials, uint64_t seed)
{
    struct alarms a = {0};
    struct lab_image *image = lab_image_new();
    bool ok = true;
    for (uint64_t i = 0; i < trials && ok; i++) {
        struct lab_setup s = lab_setup_default();
        struct lab_command attack = {.kind = LAB_COMMAND_ATTACK};
        struct error e;
        s.seed = seed + i;
        s.q_ppm = LAB_PPM * 45 / 100;
        s.strategy = LAB_STRATEGY_DOUBLE;
        s.merchant = true;
        s.confirmations = 2;
        s.patience = 6;
        s.reorg_alarm = 1;
        struct lab_world *w = lab_world_new_on(image, &s, "alarm");
        ok = !lab_world_command(w, &attack, &e);
        while (ok && lab_world_step(w)) continue;
        a.thefts += lab_world_outcome(w).stolen;
        look_for_alarms(&a, w);
        if (lab_world_failure(w)) printf("seed %llu: %s\n", (unsigned long long)s.seed, lab_world_failure(w));
        ok = ok && !lab_world_failure(w);
        lab_world_free(w);
    }
    lab_image_free(image);
    printf(
        "alarm: %llu attempts, %llu thefts; %llu reorganisations of two blocks and more, %llu warned of, the slowest "
        "%.6f s after; %llu alarms without cause\n",
        (unsigned long long)trials, (unsigned long long)a.thefts, (unsigned long long)a.reorgs,
        (unsigned long long)a.warned, (double)a.slowest_us / 1e6, (unsigned long long)a.early);
    return ok && a.reorgs && a.warned == a.reorgs && a.slowest_us <= 1000000 && !a.early ? 0 : 1;
}

/* ---- stale ---- */

/* When blocks of each height were there first, and how long the miners had to wait for one of that height. */
struct spread {
    int64_t *first_us;
    size_t heights, cap;
    double waited_s;
    uint64_t waits;
};

static int64_t constant_latency(struct sim *s, uint32_t from, uint32_t to)
{
    (void)from;
    (void)to;
    return s->swarm.latency_us;
}

static void on_tip(struct sim_node *n, const struct block_node *old)
{
    struct spread *p = n->sim->scenario;
    if (!old) return;
    size_t was = (size_t)old->header.height, is = (size_t)chain_height(n->node->chain);
    for (size_t h = was + 1; h <= is; h++) {
        if (h >= p->heights) {
            p->first_us = mem_grow(p->first_us, &p->cap, h + 1, sizeof(*p->first_us));
            p->first_us[h] = n->sim->now_us;
            p->heights = h + 1;
        }
        p->waited_s += (double)(n->sim->now_us - p->first_us[h]) / 1e6;
        p->waits++;
    }
}

static void link_all(struct sim *s, unsigned nodes)
{
    for (unsigned i = 0; i < nodes; i++) sim_add_node(s)->power = 1;
    for (unsigned i = 0; i < nodes; i++)
        for (unsigned k = 0; k < i; k++) sim_node_know(s->nodes[i], s->nodes[k]);
    for (unsigned i = 0; i < nodes; i++) sim_at(s, (int64_t)i * SIM_SECOND_US, EV_START, i, 0, 0);
}

static int stale(uint64_t blocks, int64_t latency_ms, int64_t block_s, unsigned nodes, uint64_t seed)
{
    struct sim_options options = {.seed = seed, .log_node = -1, .out = stdout};
    struct sim_report report;
    struct spread spread = {.heights = 1};
    struct sim *s = sim_new(&options, &report);
    scenario_calm(&s->swarm);
    s->swarm.topology = TOPOLOGY_CONNECT;
    s->swarm.latency_us = latency_ms * 1000;
    s->swarm.jitter_us = 0;
    s->swarm.block_us = block_s * SIM_SECOND_US;
    s->swarm.tick_us = 30 * SIM_SECOND_US;
    s->swarm.maintain_us = 60 * 24 * SIM_HOUR_US;
    s->params.minimum_chain_work = u256_from_u64(0);
    s->latency_us = constant_latency;
    s->scenario = &spread;
    s->on_tip = on_tip;
    link_all(s, nodes);
    sim_at(s, SIM_HOUR_US, EV_MINE, 0, 0, 0);
    while (report.blocks < blocks && sim_step(s)) continue;
    s->mining_over = true;
    sim_loop(s, s->now_us + SIM_HOUR_US);
    uint64_t found = report.blocks - 1, height = (uint64_t)report.height;
    /* The finder waits for nothing. */
    double delay = spread.waited_s / (double)(spread.waits ? spread.waits : 1),
           share = 1 - (double)height / (double)found;
    double expected = theory_stale_share(delay, (double)block_s);
    printf("stale: %u miners, all linked, %lld ms a link, %lld s a block: %llu blocks, height %llu, %u "
           "reorganisations; a block is with a "
           "miner after %.3f s on average; stale %.4f%%, expected %.4f%% (ratio %.3f)%s%s\n",
           nodes, (long long)latency_ms, (long long)block_s, (unsigned long long)found, (unsigned long long)height,
           report.reorgs, delay, 100 * share, 100 * expected, share / expected, report.failed ? "; FAILED: " : "",
           report.why);
    bool ok = !report.failed && share > 0.9 * expected && share < 1.1 * expected;
    sim_free(s);
    free(spread.first_us);
    return ok ? 0 : 1;
}

static uint64_t argument(int argc, char **argv, int i, uint64_t otherwise)
{
    return argc > i ? strtoull(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "quiet"))
        return quiet(argument(argc, argv, 2, 100000), (int64_t)argument(argc, argv, 3, 2000),
                     argument(argc, argv, 4, 1));
    if (!strcmp(what, "alarm")) return alarm_after_theft(argument(argc, argv, 2, 200), argument(argc, argv, 3, 1));
    if (!strcmp(what, "stale")) {
        uint64_t nodes = argument(argc, argv, 5, 50);
        return stale(argument(argc, argv, 2, 5000), (int64_t)argument(argc, argv, 3, 2000),
                     (int64_t)argument(argc, argv, 4, 60),
                     (unsigned)(nodes > 1 && nodes <= MOST_NODES ? nodes : MOST_NODES), argument(argc, argv, 6, 1));
    }
    fprintf(stderr, "bench_lab quiet | alarm | stale\n");
    return 2;
}
