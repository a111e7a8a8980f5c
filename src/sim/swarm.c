/* What a seed stands for: the options of a run. */
#include "base/random.h"
#include "sim/internal.h"

static int64_t pick(struct random *r, const int64_t *list, size_t count)
{
    return list[random_below(r, count)];
}

#define PICK(R, ...) pick((R), (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static void draw_faults(struct sim_swarm *w, struct random *r)
{
    /* Averages where a class happens at all, minutes. */
    static const int64_t usual[FAULT_CLASSES] = {
        [FAULT_CRASH] = 4,   [FAULT_STOP] = 5,  [FAULT_RESET] = 1, [FAULT_HALF_OPEN] = 3, [FAULT_PARTITION] = 6,
        [FAULT_ONE_WAY] = 6, [FAULT_CLOCK] = 3, [FAULT_DISK] = 5,  [FAULT_SLOW] = 4,      [FAULT_FLIP] = 3};
    for (unsigned i = 0; i < FAULT_CLASSES; i++) {
        uint64_t much = random_below(r, 4); /* not at all, half, usual, thrice */
        w->fault_every_us[i] = much == 0   ? 0
                               : much == 1 ? usual[i] * 2 * SIM_MINUTE_US
                               : much == 2 ? usual[i] * SIM_MINUTE_US
                                           : usual[i] * SIM_MINUTE_US / 3;
    }
}

void sim_swarm_draw(struct sim_swarm *w, uint64_t seed)
{
    struct random random, *r = &random;
    random_init_u64(r, seed ^ UINT64_C(0x5eed5eed5eed5eed));
    *w = (struct sim_swarm){0};
    w->nodes = 2 + (unsigned)random_below(r, 9);
    w->actors = (unsigned)random_below(r, 5);
    w->topology = (enum sim_topology)random_below(r, TOPOLOGY_COUNT);
    w->fault_us = PICK(r, 3, 5, 8, 12) * SIM_MINUTE_US;
    w->block_us = PICK(r, 5, 10, 20, 40) * SIM_SECOND_US;
    draw_faults(w, r);
    w->premined = (unsigned)PICK(r, 0, 3, 101, 105, 110, 130);
    w->latency_us = PICK(r, 1000, 50000, 200000, 1500000);
    w->jitter_us = PICK(r, 0, 5000, 300000);
    w->bandwidth = (uint64_t)PICK(r, 20000, 200000, 10000000);
    w->window = (size_t)PICK(r, 500, 8000, 8000, 65536, 65536, 1 << 20);
    w->cut = (size_t)PICK(r, 0, 0, 0, 1460, 200, 7);
    w->clock_us = PICK(r, 0, 60, 3600, 3 * 3600) * SIM_SECOND_US;
    w->drift_ppm = (int32_t)PICK(r, 0, 50, 5000);
    w->block_delay_us = PICK(r, 0, 0, 20000, 2000000);
    w->tick_us = PICK(r, 300, 1000, 2000, 4000) * 1000;
    w->maintain_us = PICK(r, 1, 5, 20) * SIM_MINUTE_US;
    w->coins_cache_bytes = (uint64_t)PICK(r, 1, 60000, 4 << 20);
    w->file_bytes = (uint32_t)PICK(r, 4096, 65536, 1 << 20);
    w->send_buffer = (size_t)PICK(r, 2000, 50000, 1000000);
    w->min_work = random_below(r, 3) == 0 && w->premined > 10;
    w->small_presync = random_below(r, 2) == 0;
    w->max_txs = (unsigned)PICK(r, 0, 1, 3);
    w->pay_us = PICK(r, 0, 2, 5, 15) * SIM_SECOND_US;
    w->cluster_count = (unsigned)PICK(r, 4, 10, 64);
    w->poison = (unsigned)PICK(r, 0, 0, 10);
}
