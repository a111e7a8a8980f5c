/* The scenario "day": many nodes find one another and follow a day of blocks. How long a block takes to reach them, and
 * what it costs to run. */
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/alloc.h"
#include "sim/scenario.h"

enum { DEFAULT_NODES = 1000, DAY_HOURS = 24, DEFAULT_SEED = 1 };

void scenario_calm(struct sim_swarm *w)
{
    *w = (struct sim_swarm){.topology = TOPOLOGY_DISCOVER,
                            .block_us = 10 * SIM_MINUTE_US,
                            .latency_us = 150000,
                            .jitter_us = 10000,
                            .bandwidth = 2000000,
                            .window = 65536,
                            .tick_us = 5 * SIM_SECOND_US,
                            .maintain_us = 6 * SIM_HOUR_US,
                            .coins_cache_bytes = 4 << 20,
                            .file_bytes = 1 << 20,
                            .send_buffer = 1000000};
}

double scenario_cpu_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6 + (double)u.ru_stime.tv_sec +
           (double)u.ru_stime.tv_usec / 1e6;
}

size_t scenario_peak_bytes(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (size_t)u.ru_maxrss * 1024;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* How long blocks took to reach half of the nodes, nine in ten, and all: the median and the slowest block of each. */
static void print_spread(struct sim *s)
{
    static const char *const names[SIM_SPREADS] = {"half of the nodes", "nine in ten", "all"};
    int64_t *times = mem_calloc(s->block_count, sizeof(*times));
    for (unsigned k = 0; k < SIM_SPREADS; k++) {
        size_t count = 0;
        for (size_t i = 0; i < s->block_count; i++)
            if (s->block_list[i]->parent && s->block_list[i]->spread_us[k])
                times[count++] = s->block_list[i]->spread_us[k];
        if (!count) continue;
        qsort(times, count, sizeof(*times), by_value);
        printf("  a block at %s: %.2f s (median of %zu), %.2f s (slowest)\n", names[k], (double)times[count / 2] / 1e6,
               count, (double)times[count - 1] / 1e6);
    }
    free(times);
}

static void print_nodes(struct sim *s)
{
    size_t in = 0, out = 0, known = 0, peers = 0, disks = 0;
    for (size_t i = 0; i < s->node_count; i++) {
        const struct sim_node *n = s->nodes[i];
        if (!n->node) continue;
        in += p2p_count(n->node->p2p, true, false);
        out += p2p_count(n->node->p2p, false, true);
        known += addrman_size(n->node->addrman, NET_COUNT, ADDRMAN_BOTH);
        peers += p2p_memory(n->node->p2p);
        disks += sim_disk_memory(&n->disk);
    }
    printf("  connections of a node: %.1f out, %.1f in; addresses that it knows: %.0f\n",
           (double)out / (double)s->node_count, (double)in / (double)s->node_count,
           (double)known / (double)s->node_count);
    printf("  memory of a node: %.0f kB for peers, %.0f kB of virtual disk\n",
           (double)peers / (double)s->node_count / 1000, (double)disks / (double)s->node_count / 1000);
}

int sim_scenario_day(const struct sim_cli *c)
{
    struct sim_options options = {.seed = c->one_seed ? c->seed : DEFAULT_SEED, .log_node = -1, .out = stdout};
    struct sim_report report;
    unsigned nodes = c->nodes ? (unsigned)c->nodes : DEFAULT_NODES;
    int64_t lasts = c->minutes ? (int64_t)c->minutes * SIM_MINUTE_US : DAY_HOURS * SIM_HOUR_US;
    time_t began = time(NULL);
    struct sim *s = sim_new(&options, &report);
    scenario_calm(&s->swarm);
    s->params.minimum_chain_work = u256_from_u64(0);
    for (unsigned i = 0; i < nodes; i++) {
        struct sim_node *n = sim_add_node(s);
        sim_at(s, sim_between(s, 0, 10 * SIM_MINUTE_US), EV_START, n->index, 0, 0);
    }
    sim_at(s, 20 * SIM_MINUTE_US, EV_MINE, 0, 0, 0);
    sim_at(s, lasts - 20 * SIM_MINUTE_US, EV_END, 0, 0, 0);
    sim_loop(s, 0);
    /* No block in the last minutes: all must agree. */
    s->mining_over = true;
    s->done = false;
    sim_loop(s, lasts);
    const struct block_node *tip = chain_tip(s->nodes[0]->node->chain);
    size_t agree = 0;
    for (size_t i = 0; i < s->node_count; i++)
        agree += block_hash_equal(&chain_tip(s->nodes[i]->node->chain)->header.hash, &tip->header.hash);
    sim_check_all(s);
    printf("day: %u nodes, %.1f hours, %u blocks, height %d, %u reorganisations; %zu of %u nodes at one tip%s%s\n",
           nodes, (double)s->now_us / (double)SIM_HOUR_US, report.blocks - 1, tip->header.height, report.reorgs, agree,
           nodes, report.failed ? "; FAILED: " : "", report.why);
    print_spread(s);
    print_nodes(s);
    printf(
        "  %llu messages, %llu events; %lld s of real time, %.0f s of processor time, %.1f MB at most, trace %016llx\n",
        (unsigned long long)report.messages, (unsigned long long)s->events, (long long)(time(NULL) - began),
        scenario_cpu_s(), (double)scenario_peak_bytes() / 1e6, (unsigned long long)s->trace);
    bool bad = report.failed || agree != nodes;
    sim_free(s);
    return bad ? 1 : 0;
}
