/* A run of one seed: nodes and hostile hosts are set up, faults come, faults end, and then the network must recover. */
#include <stdio.h>
#include <stdlib.h>

#include "sim/internal.h"

/* Connections that died silently are noticed after 20 minutes without a pong, a block that is withheld after ten and
 * more, and some of that may happen in turn. A node whose address book liars have filled takes hours to come to an
 * honest address: four and a half was the longest of 10,000 runs. */
#define LIVENESS_US (6 * SIM_HOUR_US)

/* A ring and some chords: connected whatever the dice say. */
static void connect_graph(struct sim *s)
{
    for (size_t i = 0; i < s->node_count; i++) {
        sim_node_know(s->nodes[i], s->nodes[(i + 1) % s->node_count]);
        if (s->node_count > 3) sim_node_know(s->nodes[i], s->nodes[random_below(&s->random, s->node_count)]);
    }
}

static void add_nodes(struct sim *s)
{
    for (unsigned i = 0; i < s->swarm.nodes; i++) {
        struct sim_node *n = sim_add_node(s);
        n->power = random_below(&s->random, 10);
        int64_t clock = s->swarm.clock_us < SIM_MINUTE_US ? s->swarm.clock_us : SIM_MINUTE_US;
        sim_clock_jump(&n->clock, sim_between(s, -clock, clock));
    }
    s->nodes[0]->power++; /* somebody must have some */
    if (s->swarm.topology != TOPOLOGY_DISCOVER) connect_graph(s);
}

static void add_actors(struct sim *s)
{
    for (unsigned i = 0; i < s->swarm.actors; i++) {
        uint8_t ip[4] = {(uint8_t)(50 + i), 9, 9, 9};
        const struct sim_script *script = &s->scripts[random_below(&s->random, s->script_count)];
        struct sim_actor *a = sim_add_actor(s, ip, script);
        a->dials = (unsigned)random_below(&s->random, 4);
        sim_trace_text(s, "actor", i, script->name, a->dials);
        sim_at(s, sim_poisson_us(s, SIM_MINUTE_US), EV_ACTOR_DIAL, a->index, 0, 0);
    }
}

static void begin(struct sim *s)
{
    add_nodes(s);
    add_actors(s);
    if (s->swarm.premined) {
        sim_node_start(s->nodes[0]);
        sim_premine(s->nodes[0], s->swarm.premined);
        sim_node_stop(s->nodes[0], STOP_CLEAN);
        s->report->restarts = 0;
    }
    for (size_t i = 0; i < s->node_count; i++)
        sim_at(s, sim_between(s, 0, 20 * SIM_SECOND_US), EV_START, (uint32_t)i, 0, 0);
    sim_faults_begin(s);
    sim_at(s, sim_poisson_us(s, s->swarm.block_us), EV_MINE, 0, 0, 0);
    if (s->swarm.pay_us) sim_at(s, sim_poisson_us(s, s->swarm.pay_us), EV_PAY, 0, 0, 0);
    sim_at(s, SIM_MINUTE_US, EV_CHECK, 0, 0, 0);
    sim_at(s, s->swarm.fault_us, EV_RECOVER, 0, 0, 0);
}

/* Who is where, for a run that did not end well. */
static void describe(const struct sim *s, char *out, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < s->node_count && len + 24 < size; i++) {
        const struct sim_node *n = s->nodes[i];
        const struct block_node *tip = n->node ? chain_tip(n->node->chain) : NULL;
        if (tip)
            len += (size_t)snprintf(out + len, size - len, " %d:%02x%02x(%zu)", tip->header.height,
                                    tip->header.hash.bytes[0], tip->header.hash.bytes[1], n->peer_count);
        else
            len += (size_t)snprintf(out + len, size - len, " down");
    }
}

static void describe_payments(struct sim *s)
{
    char pools[200] = "";
    size_t len = 0;
    for (size_t i = 0; i < s->node_count && len + 12 < sizeof(pools); i++) {
        const struct node *n = s->nodes[i]->node;
        len += (size_t)snprintf(pools + len, sizeof(pools) - len, " %zu", n ? mempool_count(n->mempool) : 0);
    }
    sim_fail(s, "%zu payments are not settled, a later one %s; in the pools:%s", s->wallet.unsettled,
             s->wallet.probe_arrived ? "reached all" : "did not reach all", pools);
}

static void finish(struct sim *s)
{
    struct sim_report *r = s->report;
    if (!r->failed && !sim_converged(s)) {
        char where[300] = "";
        describe(s, where, sizeof(where));
        sim_fail(s, "the nodes did not come to one tip:%s", where);
    }
    if (!r->failed && !sim_pay_settled(s)) describe_payments(s);
    r->recovery_us = s->now_us - s->recover_us;
    if (!r->failed) sim_check_all(s);
    if (!r->failed) sim_check_coins(s);
    r->virtual_us = s->now_us;
    r->payments = s->wallet.count;
    r->conflicts = s->wallet.conflicts;
    for (size_t i = 0; i < s->wallet.count; i++) r->confirmed += s->wallet.payments[i]->confirmed;
    r->events = s->events;
    r->trace = s->trace;
    r->nodes = (unsigned)s->node_count;
}

void sim_run(const struct sim_options *options, struct sim_report *report)
{
    struct sim *s = sim_new(options, report);
    begin(s);
    sim_loop(s, s->swarm.fault_us + LIVENESS_US);
    finish(s);
    sim_free(s);
}
