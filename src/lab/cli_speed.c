/* cairn-lab speed: how fast virtual time goes by, and what a node costs, for networks of several sizes. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "lab/cli_numbers.h"
#include "sim/scenario.h"

enum { NODES_MAX = 20000, MINUTES_MAX = 1000000 };

struct speed {
    unsigned nodes;
    bool ok;
    unsigned blocks;
    double virtual_s, wall_s, cpu_s;
    uint64_t events;
    double node_bytes; /* of real memory, the virtual disk included */
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* NODES honest nodes that find one another and follow the blocks of MINUTES; one of them at random finds each. */
static void measure(struct speed *out, uint64_t seed, unsigned minutes)
{
    struct sim_options options = {.seed = seed, .log_node = -1, .out = stderr};
    struct sim_report report;
    size_t before = scenario_peak_bytes();
    double began = now_s(), cpu = scenario_cpu_s();
    struct sim *s = sim_new(&options, &report);
    scenario_calm(&s->swarm);
    s->params.minimum_chain_work = u256_from_u64(0);
    for (unsigned i = 0; i < out->nodes; i++) {
        struct sim_node *n = sim_add_node(s);
        sim_at(s, sim_between(s, 0, SIM_MINUTE_US), EV_START, n->index, 0, 0);
    }
    sim_at(s, 2 * SIM_MINUTE_US, EV_MINE, 0, 0, 0);
    sim_loop(s, (int64_t)minutes * SIM_MINUTE_US);
    out->wall_s = now_s() - began;
    out->cpu_s = scenario_cpu_s() - cpu;
    out->virtual_s = (double)s->now_us / 1e6;
    out->blocks = report.blocks - 1;
    out->events = s->events;
    out->node_bytes = (double)(scenario_peak_bytes() - before) / out->nodes;
    out->ok = !report.failed;
    sim_free(s);
}

/* In a process of its own, so that its memory is its own. */
static void measure_apart(struct speed *s, uint64_t seed, unsigned minutes)
{
    int pair[2];
    fflush(NULL);
    CHECK(!pipe(pair));
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (!pid) {
        close(pair[0]);
        measure(s, seed, minutes);
        _exit(write(pair[1], s, sizeof(*s)) == sizeof(*s) ? 0 : 1);
    }
    close(pair[1]);
    unsigned nodes = s->nodes;
    if (read(pair[0], s, sizeof(*s)) != sizeof(*s)) *s = (struct speed){.nodes = nodes};
    close(pair[0]);
    waitpid(pid, NULL, 0);
}

static void print_head(bool json)
{
    if (json)
        printf("[");
    else
        printf("Honest nodes that find one another by gossip, ten minutes between blocks, links of up to 150 ms; one "
               "process.\n\n"
               " nodes  virtual h  blocks   real s  virtual s a real s  nodes x blocks a real s  events a real s  "
               "memory a node\n");
}

static void print_row(const struct speed *s, bool json, bool first)
{
    double wall = s->wall_s > 0 ? s->wall_s : 1e-9;
    if (json)
        printf("%s{\"nodes\":%u,\"ok\":%s,\"virtual_s\":%.0f,\"blocks\":%u,\"wall_s\":%.3f,\"cpu_s\":%.3f,"
               "\"virtual_per_wall\":%.1f,\"node_blocks_per_s\":%.1f,\"events_per_s\":%.0f,\"node_bytes\":%.0f}",
               first ? "" : ",", s->nodes, s->ok ? "true" : "false", s->virtual_s, s->blocks, s->wall_s, s->cpu_s,
               s->virtual_s / wall, (double)s->nodes * s->blocks / wall, (double)s->events / wall, s->node_bytes);
    else
        printf("%6u %10.1f %7u %8.1f %19.0f %24.1f %16.0f %11.0f kB%s\n", s->nodes, s->virtual_s / 3600, s->blocks,
               s->wall_s, s->virtual_s / wall, (double)s->nodes * s->blocks / wall, (double)s->events / wall,
               s->node_bytes / 1000, s->ok ? "" : "  FAILED");
    fflush(stdout);
}

int lab_cli_speed(struct lab_cli_args *a)
{
    struct numbers nodes = {.of = {10, 100, 1000}, .count = 3};
    struct numbers minutes = {.of = {7 * 24 * 60, 24 * 60, 3 * 60}, .count = 3};
    const char *flag;
    uint64_t seed = 1;
    if (!numbers_take_counts(a, "--nodes", 1, NODES_MAX, &nodes))
        return lab_cli_wrong("speed", "--nodes wants numbers: 10,100,1000");
    if (!numbers_take_counts(a, "--minutes", 1, MINUTES_MAX, &minutes))
        return lab_cli_wrong("speed", "--minutes wants a number of virtual minutes for each size");
    if (!numbers_take(a, "--seed", 0, UINT64_MAX, &seed)) return lab_cli_wrong("speed", "--seed wants a number");
    bool json = lab_cli_take(a, "--json", &flag), ok = true;
    if (!lab_cli_done("speed", a)) return 2;
    print_head(json);
    for (unsigned i = 0; i < nodes.count; i++) {
        struct speed s = {.nodes = nodes.of[i]};
        measure_apart(&s, seed, minutes.of[i < minutes.count ? i : minutes.count - 1]);
        print_row(&s, json, i == 0);
        ok &= s.ok;
    }
    if (json) printf("]\n");
    return ok ? 0 : 1;
}
