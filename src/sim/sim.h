/* The virtual network: real nodes in one process and in virtual time, over links, disks and clocks that fail, among
 * hostile peers. One seed is one run: the same on every machine and with every compiler. */
#ifndef CAIRN_SIM_SIM_H
#define CAIRN_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum sim_topology {
    TOPOLOGY_DISCOVER, /* DNS seeds and gossip */
    TOPOLOGY_ADDNODE,  /* some known peers besides */
    TOPOLOGY_CONNECT,  /* a fixed graph */
    TOPOLOGY_COUNT,
};

enum { SIM_FAULT_CLASSES = 10 };

/* What a run is like; every field is drawn from the seed (swarm testing: many runs lack a kind of fault altogether, and
 * have more of the others). */
struct sim_swarm {
    unsigned nodes;
    unsigned actors; /* hostile hosts */
    enum sim_topology topology;
    int64_t fault_us;                          /* how long the faults last */
    int64_t block_us;                          /* average time between blocks */
    int64_t fault_every_us[SIM_FAULT_CLASSES]; /* average; 0: never */
    unsigned premined;
    int64_t latency_us, jitter_us; /* of a link: from a tenth of it to all of it */
    uint64_t bandwidth;            /* bytes a second */
    size_t window, cut;            /* bytes on their way; largest piece of the stream, 0: as it comes */
    int64_t clock_us;              /* offset at most, either way */
    int32_t drift_ppm;             /* at most, either way */
    int64_t block_delay_us;        /* before a node looks at blocks that came */
    int64_t tick_us;               /* a node's timers run no more often */
    int64_t maintain_us;
    uint64_t coins_cache_bytes;
    uint32_t file_bytes;
    size_t send_buffer; /* -maxsendbuffer, bytes */
    bool min_work;      /* the blocks that the run begins with are the minimum work */
    bool small_presync;
    unsigned max_txs;       /* in a block that only its miner knows */
    int64_t pay_us;         /* average time between payments; 0: none */
    unsigned cluster_count; /* -limitclustercount */
    unsigned reorg_alarm;   /* -reorgalarm of all nodes */
    unsigned max_reorg;     /* -maxreorg of all nodes */
    unsigned poison;        /* addresses of nobody that each seed answers with */
};

struct sim_options {
    uint64_t seed;
    unsigned nodes;   /* 0: as the seed has it */
    unsigned minutes; /* of faults; 0: as the seed has it */
    bool trace;       /* print events to OUT */
    int log_node;     /* print this node's log, too; -1: none */
    FILE *out;
};

enum { SIM_WHY = 512 };

struct sim_report {
    bool failed;
    char why[SIM_WHY];
    uint64_t trace; /* hash of all that happened */
    uint64_t events;
    int32_t height;
    unsigned nodes, restarts, faults, blocks, invalid_blocks, reorgs;
    int64_t recovery_us; /* until all nodes were at one tip, from the end of the faults on */
    int64_t virtual_us;
    size_t peak_node_memory; /* of p2p, most of any node */
    uint64_t messages, discouraged;
    size_t payments, confirmed, peak_pool; /* made; in the chain in the end; most in any pool */
    unsigned conflicts;                    /* of the payments, pairs that were given to two nodes */
};

/* The options that SEED stands for. */
void sim_swarm_draw(struct sim_swarm *out, uint64_t seed);

/* One run with faults and checkers. */
void sim_run(const struct sim_options *options, struct sim_report *report);

/* cairn-sim; VERSION is what --version says. */
int sim_main(int argc, char **argv, const char *version);

#endif
