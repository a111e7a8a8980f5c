/* Faults: what breaks, when, and how it is mended. */
#include "sim/internal.h"

static const char *const names[FAULT_CLASSES] = {
    [FAULT_CRASH] = "crash",         [FAULT_STOP] = "stop",           [FAULT_RESET] = "reset",
    [FAULT_HALF_OPEN] = "half-open", [FAULT_PARTITION] = "partition", [FAULT_ONE_WAY] = "one-way partition",
    [FAULT_CLOCK] = "clock",         [FAULT_DISK] = "disk",           [FAULT_SLOW] = "slow link",
    [FAULT_FLIP] = "flipped byte",
};

_Static_assert((int)FAULT_CLASSES == (int)SIM_FAULT_CLASSES, "the swarm has a rate for each class");

const char *sim_fault_name(enum sim_fault_class class)
{
    return names[class];
}

static void schedule(struct sim *s, enum sim_fault_class class)
{
    int64_t every = s->swarm.fault_every_us[class];
    if (every) sim_at(s, s->now_us + sim_poisson_us(s, every), EV_FAULT, class, 0, 0);
}

void sim_faults_begin(struct sim *s)
{
    for (unsigned class = 0; class < FAULT_CLASSES; class ++) schedule(s, class);
}

static struct sim_node *any_node(struct sim *s)
{
    return s->nodes[random_below(&s->random, s->node_count)];
}

/* A random link that is in use; NULL where chance meets none. */
static struct sim_link *any_link(struct sim *s)
{
    for (unsigned i = 0; s->link_count && i < 20; i++) {
        struct sim_link *l = s->links[random_below(&s->random, s->link_count)];
        if (l->used && !l->dead) return l;
    }
    return NULL;
}

static void stop_for_a_while(struct sim *s, struct sim_node *n, enum sim_stop how)
{
    if (!n->node) return;
    sim_node_stop(n, how);
    sim_at(s, s->now_us + sim_poisson_us(s, SIM_MINUTE_US), EV_START, n->index, 0, 0);
}

static void jump_clock(struct sim *s, struct sim_node *n)
{
    int64_t most = s->swarm.clock_us, now = s->now_us;
    int64_t base = n->clock.wall_base_us;
    sim_clock_jump(&n->clock, sim_between(s, -most, most));
    /* It stays within what was drawn for this run, either way. */
    int64_t offset = n->clock.wall_base_us - SIM_WALL_START_US;
    if (offset > most || offset < -most) n->clock.wall_base_us = SIM_WALL_START_US;
    int32_t ppm = s->swarm.drift_ppm;
    if (ppm) sim_clock_set_drift(&n->clock, (int32_t)sim_between(s, -ppm, ppm), now);
    sim_trace(s, "clock", n->index, (uint64_t)(n->clock.wall_base_us - base), 0);
}

/* From some write on the disk fails; the node stops itself, and the disk is well when it starts again. */
static void break_disk(struct sim *s, struct sim_node *n)
{
    static const enum result results[] = {RESULT_IO, RESULT_FULL, RESULT_CORRUPT};
    if (!n->node || n->disk.fault.fail_after) return;
    uint64_t after = 1 + random_below(&s->random, 12);
    enum result result = results[random_below(&s->random, ARRAY_LEN(results))];
    sim_disk_set_fault(&n->disk, after, result, sim_chance(s, 500));
}

static void split(struct sim *s, bool one_way)
{
    unsigned which = 0;
    while (which < SIM_PARTITIONS && s->partitions[which].active) which++;
    if (which == SIM_PARTITIONS) return;
    for (size_t i = 0; i < s->host_count; i++) {
        s->hosts[i]->side &= ~(1u << which);
        if (sim_chance(s, 500)) s->hosts[i]->side |= 1u << which;
    }
    s->partitions[which] = (struct sim_partition){.active = true, .one_way = one_way};
    int64_t lasts = sim_poisson_us(s, 3 * SIM_MINUTE_US);
    /* Some of the connections across it do not live to see its end. */
    for (size_t i = 0; i < s->link_count; i++) {
        struct sim_link *l = s->links[i];
        bool across = l->used && (sim_blocked(s, l->side[0].host, l->side[1].host) ||
                                  sim_blocked(s, l->side[1].host, l->side[0].host));
        if (across && sim_chance(s, 300))
            sim_at(s, s->now_us + sim_between(s, 1, lasts), EV_RESET, l->index, 0, l->generation);
    }
    sim_at(s, s->now_us + lasts, EV_HEAL, which, 0, 0);
}

static void flip_bit(struct sim *s, struct sim_pipe *p)
{
    if (p->bytes.len == p->start) return;
    size_t at = p->start + (size_t)random_below(&s->random, p->bytes.len - p->start);
    p->bytes.data[at] ^= (uint8_t)(1u << random_below(&s->random, 8));
}

static void on_link(struct sim *s, enum sim_fault_class class)
{
    struct sim_link *l = any_link(s);
    if (!l) return;
    unsigned direction = (unsigned)random_below(&s->random, 2);
    switch (class) {
    case FAULT_RESET: sim_link_break(s, l); break;
    case FAULT_HALF_OPEN:
        if (l->side[0].codec && l->side[1].codec) {
            l->dead = true;
            /* A hostile end knows: it was its doing. */
            for (unsigned i = 0; i < 2; i++)
                if (l->side[i].actor) sim_close(s, l, i, false);
        }
        break;
    case FAULT_SLOW: l->bandwidth = 500; break;
    default: flip_bit(s, &l->side[direction].out); break;
    }
}

static void happen(struct sim *s, enum sim_fault_class class)
{
    schedule(s, class);
    s->report->faults++;
    sim_trace_text(s, "fault", class, names[class], 0);
    switch (class) {
    case FAULT_CRASH: {
        struct sim_node *n = any_node(s); /* first: the order of chances is part of the seed */
        stop_for_a_while(s, n, sim_chance(s, 500) ? STOP_POWER : STOP_KILLED);
        break;
    }
    case FAULT_STOP: stop_for_a_while(s, any_node(s), STOP_CLEAN); break;
    case FAULT_PARTITION: split(s, false); break;
    case FAULT_ONE_WAY: split(s, true); break;
    case FAULT_CLOCK: jump_clock(s, any_node(s)); break;
    case FAULT_DISK: break_disk(s, any_node(s)); break;
    default: on_link(s, class); break;
    }
}

static void heal(struct sim *s, unsigned which)
{
    if (!s->partitions[which].active) return;
    s->partitions[which].active = false;
    sim_trace(s, "heal", which, 0, 0);
    sim_links_resume(s);
}

static bool knows_another_node(const struct sim_node *n)
{
    const struct sim *s = n->sim;
    for (size_t i = 0; i < s->node_count; i++)
        if (s->nodes[i] != n && addrman_find(n->node->addrman, &s->hosts[s->nodes[i]->host]->at, NULL, NULL))
            return true;
    return false;
}

/* Somebody who has heard of liars alone cannot find the others by any rule: the user asks a friend. */
static void introduce(struct sim_node *n)
{
    struct sim *s = n->sim;
    char at[ENDPOINT_TEXT];
    if (!n->node || s->node_count < 2 || s->swarm.topology == TOPOLOGY_CONNECT || knows_another_node(n)) return;
    struct sim_node *friend = s->nodes[(n->index + 1 + random_below(&s->random, s->node_count - 1)) % s->node_count];
    sim_trace(s, "introduce", n->index, friend->index, 0);
    sim_node_set_clock(n);
    p2p_add_node(n->node->p2p, endpoint_text(at, &s->hosts[friend->host]->at), false);
    sim_node_pump(n);
}

/* Everything is mended; what is broken inside the nodes is theirs to notice. Dead connections stay dead. */
void sim_faults_end(struct sim *s)
{
    s->recovering = true;
    s->recover_us = s->now_us;
    sim_trace(s, "recover", 0, 0, 0);
    for (unsigned i = 0; i < SIM_PARTITIONS; i++) heal(s, i);
    for (size_t i = 0; i < s->node_count; i++) {
        struct sim_node *n = s->nodes[i];
        n->clock.wall_base_us = SIM_WALL_START_US;
        sim_clock_set_drift(&n->clock, 0, s->now_us);
        n->clock.wall_base_us = SIM_WALL_START_US + sim_between(s, -30, 30) * SIM_SECOND_US;
        sim_disk_set_fault(&n->disk, 0, n->disk.fault.result, false);
        sim_node_start(n);
        introduce(n);
    }
    sim_at(s, s->now_us + SIM_MINUTE_US, EV_SETTLE, 0, 0, 0);
}

void sim_fault_on_event(struct sim *s, const struct sim_event *e)
{
    switch (e->kind) {
    case EV_FAULT:
        if (!s->recovering) happen(s, e->a);
        break;
    case EV_HEAL: heal(s, e->a); break;
    default: sim_faults_end(s); break;
    }
}
