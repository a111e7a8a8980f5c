/* Shared by the files of this room: the virtual network with its hosts, links, blocks and faults. */
#ifndef CAIRN_SIM_INTERNAL_H
#define CAIRN_SIM_INTERNAL_H

#include "base/hashmap.h"
#include "node/node.h"
#include "node/peers.h"
#include "sim/clock.h"
#include "sim/disk.h"
#include "sim/heap.h"
#include "sim/link.h"
#include "sim/pay.h"
#include "sim/script.h"
#include "sim/sim.h"
#include "wire/messages.h"
#include "wire/transport.h"

#define SIM_SECOND_US INT64_C(1000000)
#define SIM_MINUTE_US (60 * SIM_SECOND_US)
#define SIM_HOUR_US   (60 * SIM_MINUTE_US)
/* True time 0 on a clock that is right: 14 November 2023. */
#define SIM_WALL_START_US INT64_C(1700000000000000)

enum { SIM_PORT = 18444, SIM_PARTITIONS = 2, SIM_SPREADS = 3, SIM_POOLS = 3 };

/* A: a node or link unless said otherwise; for links C is the generation. */
enum sim_event_kind {
    EV_TICK,        /* node A's timer */
    EV_BLOCKS,      /* node A looks at blocks that came */
    EV_MAINTAIN,    /* node A flushes and writes its address book */
    EV_START,       /* node A's machine comes up */
    EV_CONNECT,     /* the dial of link A reaches the other end */
    EV_CONNECTED,   /* its answer is back */
    EV_DIAL_FAILED, /* node A; B: boot, C: dial */
    EV_RESOLVED,    /* node A; B: boot, C: name in sim.resolves */
    EV_PIPE,        /* bytes of link A in direction B arrive */
    EV_RESET,       /* link A breaks */
    EV_ACTOR,       /* the hostile end B of link A goes on */
    EV_ACTOR_DIAL,  /* hostile host A connects to somebody */
    EV_MINE,        /* somebody finds a block */
    EV_PAY,         /* somebody pays */
    EV_SETTLE,      /* what is not settled is handed in again */
    EV_FAULT,       /* a fault of class A happens */
    EV_HEAL,        /* partition A ends */
    EV_RECOVER,     /* the faults end */
    EV_CHECK,       /* the checkers look at everything */
    EV_END,
    EV_SCENARIO, /* for scenarios; A, B, C are theirs */
    EV_KINDS,
};

enum sim_fault_class {
    FAULT_CRASH,
    FAULT_STOP,
    FAULT_RESET,
    FAULT_HALF_OPEN,
    FAULT_PARTITION,
    FAULT_ONE_WAY,
    FAULT_CLOCK,
    FAULT_DISK,
    FAULT_SLOW,
    FAULT_FLIP,
    FAULT_CLASSES,
};

const char *sim_fault_name(enum sim_fault_class class);

/* ---- hosts ---- */

struct sim_host {
    struct endpoint at;
    struct endpoint_key key;
    uint32_t index;
    int32_t node;  /* index in sim.nodes, or -1 */
    int32_t actor; /* index in sim.actors, or -1 */
    bool up, listening;
    unsigned side; /* bit per partition: which part it is in */
};

/* ---- nodes ---- */

struct sim_peer_ref {
    peer_id peer;
    uint32_t link;
    unsigned side;
};

struct sim_node {
    uint32_t index, host;
    struct sim *sim;
    struct node *node; /* NULL: down */
    struct sim_disk disk;
    struct sim_clock clock;
    struct log log;
    uint32_t boot;  /* counts starts */
    uint64_t power; /* share of the hash power */
    struct sim_peer_ref *peers;
    size_t peer_count, peer_cap;
    bool pumping, again, fatal, paused;
    bool has_held;
    bool blocks_scheduled;
    int64_t tick_at_us; /* 0: none scheduled */
    int64_t ticked_us;  /* when it last had one */
    bool no_feelers, no_anchors;
    bool discovers;               /* finds peers by itself, also where the graph is fixed */
    const struct block_node *tip; /* last seen by the checkers */
    size_t best_memory;
    char **hosts_to_dial; /* -connect or -addnode */
    size_t host_count;
};

/* ---- blocks that somebody made ---- */

struct sim_block {
    struct block_hash hash;   /* first: the key */
    struct sim_block *parent; /* NULL: genesis */
    uint32_t index;           /* in sim.block_list */
    int32_t height;
    uint32_t time;
    bool valid;
    const char *fault; /* what is wrong with it */
    int64_t found_us;
    unsigned holders; /* nodes that had it as their tip, or a later one */
    int64_t spread_us[SIM_SPREADS];
    struct buffer raw;
};

/* ---- hostile hosts ---- */

struct sim_actor {
    uint32_t index, host;
    const struct sim_script *script;
    unsigned dials; /* connections that it keeps up */
    unsigned pool;  /* whose addresses it tells; 0: those of nobody */
    unsigned connected;
};

struct sim_partition {
    bool active, one_way;
};

/* Hosts of one kind. */
struct sim_pool {
    uint32_t first, count;
};

struct sim_resolve {
    char host[P2P_HOST];
};

struct sim {
    struct sim_options options;
    struct sim_swarm swarm;
    struct sim_report *report;
    struct random random;
    int64_t now_us;
    struct sim_heap heap;
    uint64_t trace;
    bool recovering;       /* the faults have ended */
    bool tips_moved;       /* somebody's tip did, since the last look */
    unsigned final_blocks; /* found since the faults ended */
    struct sim_block *final;
    bool done;
    int64_t recover_us;
    struct chain_params params;

    struct sim_host **hosts;
    size_t host_count, host_cap;
    struct hashmap host_by_key; /* of struct sim_host */
    struct sim_node **nodes;
    size_t node_count, node_cap;
    struct sim_actor *actors;
    size_t actor_count, actor_cap;
    struct sim_link **links;
    size_t link_count, link_cap;
    uint32_t *free_links;
    size_t free_count, free_cap;
    uint32_t *closing; /* links to be freed when the event is over */
    size_t closing_count, closing_cap;
    struct sim_partition partitions[SIM_PARTITIONS];
    struct sim_resolve *resolves;
    size_t resolve_count, resolve_cap;

    struct hashmap blocks;
    struct sim_block **block_list;
    size_t block_count, block_cap;
    struct sim_block *best; /* most work among valid ones */
    struct sim_wallet wallet;
    struct sim_script *scripts;
    size_t script_count;
    uint64_t events;

    bool mining_over;
    int64_t dial_every_us; /* hostile hosts look at their connections on average */
    struct sim_pool pools[SIM_POOLS];
    struct sim_pool seed_pool; /* of DNS seeds; count 0: all hosts */
    void (*on_scenario)(struct sim *s, const struct sim_event *e);
    /* What scenarios may want to know and say; NULL: they do not. */
    void (*on_tip)(struct sim_node *n, const struct block_node *old); /* OLD: NULL after a start */
    void (*on_action)(struct sim_node *n, const struct node_action *action);
    int64_t (*latency_us)(struct sim *s, uint32_t from_host, uint32_t to_host); /* of a new link */
    void *scenario;
};

/* ---- sim.c ---- */

void sim_at(struct sim *s, int64_t at_us, enum sim_event_kind kind, uint32_t a, uint32_t b, uint64_t c);
/* Ends the run: the first reason holds. */
void sim_fail(struct sim *s, const char *why, ...) PRINTF_LIKE(2, 3);
/* One fact of the run into its hash, and printed where that is asked for. WHAT is a constant. */
void sim_trace(struct sim *s, const char *what, uint64_t a, uint64_t b, uint64_t c);
/* The same with a text. */
void sim_trace_text(struct sim *s, const char *what, uint64_t a, const char *text, uint64_t b);
struct sim_host *sim_add_host(struct sim *s, const uint8_t ip[4]);
struct sim_host *sim_find_host(struct sim *s, const struct endpoint *at);
/* True with a chance of PER_MILLE in 1000. */
bool sim_chance(struct sim *s, unsigned per_mille);
/* From FROM to TO, both included. */
int64_t sim_between(struct sim *s, int64_t from, int64_t to);
/* Of a Poisson process with this average, at least 1. */
int64_t sim_poisson_us(struct sim *s, int64_t average_us);
struct sim *sim_new(const struct sim_options *options, struct sim_report *report);
void sim_free(struct sim *s);
/* One event; false where none is left or the run is over. */
bool sim_step(struct sim *s);
/* Runs events until the heap is empty, sim.done, a failure, or UNTIL_US (0: no limit). */
void sim_loop(struct sim *s, int64_t until_us);

/* ---- node.c ---- */

struct sim_node *sim_add_node(struct sim *s);
/* N keeps connecting to OTHER (-connect or -addnode), from its next start on. */
void sim_node_know(struct sim_node *n, const struct sim_node *other);
void sim_node_start(struct sim_node *n);
/* Stops: CLEAN writes everything, else as a crash does; POWER: what is not synced may be lost. */
enum sim_stop { STOP_CLEAN, STOP_KILLED, STOP_POWER };
void sim_node_stop(struct sim_node *n, enum sim_stop how);
void sim_node_clear(struct sim_node *n);
void sim_node_set_clock(struct sim_node *n);
/* After any event of the node: blocks, actions, messages that waited, timers. */
void sim_node_pump(struct sim_node *n);
void sim_node_on_event(struct sim *s, const struct sim_event *e);
/* Their bytes make a message, or a connection ends or begins. */
void sim_node_hand_in(struct sim_node *n, struct sim_link *link, unsigned side);
bool sim_node_accept(struct sim_node *n, struct sim_link *link, unsigned side);
void sim_node_gone(struct sim_node *n, peer_id peer);
int64_t sim_node_wall_us(const struct sim_node *n);

static inline struct sim_link *sim_link_of(struct sim *s, uint32_t index, uint64_t generation)
{
    struct sim_link *l = index < s->link_count ? s->links[index] : NULL;
    return l && l->used && l->generation == generation ? l : NULL;
}

/* ---- mine.c ---- */

void sim_blocks_init(struct sim *s);
struct sim_block *sim_block_find(const struct sim *s, const struct block_hash *hash);
struct sim_block *sim_block_add(struct sim *s, struct span raw, struct sim_block *parent, const char *fault);
/* N finds a block on its tip. */
void sim_mine_on(struct sim_node *n);
void sim_mine_event(struct sim *s);
/* COUNT blocks that node N has when the run begins. */
void sim_premine(struct sim_node *n, unsigned count);
/* A block on PARENT with valid work and FAULT ("none" for a good one); registered. */
struct sim_block *sim_forge_block(struct sim *s, struct sim_block *parent, const char *fault, uint32_t time);
/* Headers from genesis on that nobody has blocks for: COUNT of them, appended as 80 bytes each. */
void sim_forge_headers(struct sim *s, unsigned count, struct buffer *out);

/* ---- hostile.c ---- */

struct sim_actor *sim_add_actor(struct sim *s, const uint8_t ip[4], const struct sim_script *script);
void sim_actor_open(struct sim *s, struct sim_link *link, unsigned side);
void sim_actor_closed(struct sim *s, struct sim_link *link, unsigned side);
void sim_actor_received(struct sim *s, struct sim_link *link, unsigned side, struct received *m);
/* Bytes that this end reads at once now: 0 while it is slow. */
size_t sim_actor_appetite(struct sim *s, struct sim_link *link, unsigned side);
void sim_actor_on_event(struct sim *s, const struct sim_event *e);

/* ---- fault.c ---- */

void sim_faults_begin(struct sim *s);
void sim_fault_on_event(struct sim *s, const struct sim_event *e);
void sim_faults_end(struct sim *s);

/* ---- check.c ---- */

void sim_check_tip(struct sim_node *n);
void sim_check_node(struct sim_node *n);
void sim_check_all(struct sim *s);
/* All nodes are up and at one tip, no older than the last block that was found after the faults. */
bool sim_converged(const struct sim *s);
/* The coins of all, against one another and against a naive replay. */
void sim_check_coins(struct sim *s);

#endif
