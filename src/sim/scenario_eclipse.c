/* The scenario "eclipse": an attacker with 1,000 addresses in 8 network groups wants to be all that a default node is
 * connected to. The node lives for a while among honest hosts, then the attacker connects to it and tells it of his
 * addresses for a day, then the node restarts; and again. The node is real; all others are hosts that shake hands, know
 * addresses of their own kind and serve the chain. */
#include <stdlib.h>

#include "base/check.h"
#include "sim/actor.h"
#include "sim/scenario.h"

enum {
    HONEST_UP = 300,   /* reachable, each in a group of its own */
    HONEST_DOWN = 900, /* addresses that still go round, and nobody answers */
    ATTACKERS = 1000,
    ATTACKER_GROUPS = 8,
    ATTACKER_CALLERS = 120, /* of them connect to the victim */
    RESTARTS = 3,
    OUTBOUND = P2P_MAX_OUTBOUND_FULL + P2P_MAX_BLOCK_RELAY,
    ATTACK_BEGINS = 1, /* events of the scenario */
    VICTIM_RESTARTS,
    VICTIM_IS_JUDGED,
    BLOCK_FOUND,
};

struct eclipse {
    unsigned restarts, judged, eclipsed; /* times that every outbound connection was the attacker's */
    unsigned slots, attacker_slots;
    uint32_t first_attacker; /* index of his first actor */
};

static void add_hosts(struct sim *s, struct eclipse *e)
{
    const struct sim_script *honest = &s->scripts[0], *attacker = &s->scripts[1];
    uint32_t first = (uint32_t)s->host_count;
    for (unsigned i = 0; i < HONEST_UP + HONEST_DOWN; i++) {
        uint8_t ip[4] = {(uint8_t)(60 + i / 200), (uint8_t)(1 + i % 200), 1, 1};
        if (i < HONEST_UP)
            sim_add_actor(s, ip, honest)->pool = 1;
        else
            sim_add_host(s, ip);
    }
    s->pools[1] = (struct sim_pool){.first = first, .count = HONEST_UP + HONEST_DOWN};
    s->seed_pool = (struct sim_pool){.first = first, .count = HONEST_UP};
    first = (uint32_t)s->host_count;
    e->first_attacker = (uint32_t)s->actor_count;
    for (unsigned i = 0; i < ATTACKERS; i++) {
        uint8_t ip[4] = {130, (uint8_t)(1 + i % ATTACKER_GROUPS), (uint8_t)(i / 250), (uint8_t)(1 + i % 250)};
        sim_add_actor(s, ip, attacker)->pool = 2;
    }
    s->pools[2] = (struct sim_pool){.first = first, .count = ATTACKERS};
}

static void judge(struct sim *s, struct eclipse *e)
{
    struct sim_node *n = s->nodes[0];
    unsigned slots = 0, his = 0;
    for (size_t i = 0; i < n->peer_count; i++) {
        const struct sim_peer_ref *ref = &n->peers[i];
        if (ref->side != 0) continue;
        const struct sim_host *other = s->hosts[s->links[ref->link]->side[1].host];
        slots++;
        his += other->actor >= 0 && (uint32_t)other->actor >= e->first_attacker;
    }
    e->judged++;
    e->slots += slots;
    e->attacker_slots += his;
    e->eclipsed += slots > 0 && his == slots;
}

/* A block, told by everybody who is connected. */
static void block_found(struct sim *s)
{
    sim_forge_block(s, s->best, "none", (uint32_t)((SIM_WALL_START_US + s->now_us) / SIM_SECOND_US));
    struct sim_line line = {.op = DO_HEADERS, .word = "best"};
    for (size_t i = 0; i < s->link_count; i++) {
        struct sim_link *l = s->links[i];
        for (unsigned side = 0; side < 2 && l->used; side++) {
            struct actor_end end = {.s = s, .link = l, .side = side, .conn = l->side[side].actor};
            if (l->side[side].open && end.conn && end.conn->shaken) actor_say(&end, &line);
        }
    }
    sim_at(s, s->now_us + 10 * SIM_MINUTE_US, EV_SCENARIO, BLOCK_FOUND, 0, 0);
}

static void on_scenario(struct sim *s, const struct sim_event *event)
{
    struct eclipse *e = s->scenario;
    struct sim_node *n = s->nodes[0];
    switch (event->a) {
    case ATTACK_BEGINS:
        for (unsigned i = 0; i < ATTACKER_CALLERS; i++) {
            struct sim_actor *a = &s->actors[e->first_attacker + i];
            a->dials = 1;
            sim_at(s, s->now_us + sim_between(s, 0, SIM_HOUR_US), EV_ACTOR_DIAL, a->index, 0, 0);
        }
        sim_at(s, s->now_us + 24 * SIM_HOUR_US, EV_SCENARIO, VICTIM_RESTARTS, 0, 0);
        break;
    case VICTIM_RESTARTS:
        sim_node_stop(n, STOP_CLEAN);
        sim_at(s, s->now_us + SIM_MINUTE_US, EV_START, n->index, 0, 0);
        sim_at(s, s->now_us + 30 * SIM_MINUTE_US, EV_SCENARIO, VICTIM_IS_JUDGED, 0, 0);
        break;
    case VICTIM_IS_JUDGED:
        judge(s, e);
        if (++e->restarts < RESTARTS)
            sim_at(s, s->now_us + 6 * SIM_HOUR_US, EV_SCENARIO, VICTIM_RESTARTS, 0, 0);
        else
            s->done = true;
        break;
    default: block_found(s); break;
    }
}

static void parse(struct sim_script *out, const char *text)
{
    struct error e;
    enum result r = sim_script_parse(out, span_str(text), &e);
    CHECK(!r);
}

static void one_victim(uint64_t seed, bool anchors, bool feelers, struct eclipse *e, struct sim_report *report)
{
    struct sim_options options = {.seed = seed, .log_node = -1, .out = stdout};
    struct sim *s = sim_new(&options, report);
    scenario_calm(&s->swarm);
    s->swarm.tick_us = 15 * SIM_SECOND_US;
    s->params.minimum_chain_work = u256_from_u64(0);
    s->dial_every_us = 10 * SIM_MINUTE_US;
    parse(&s->scripts[0], "handshake\nserve honest\nrepeat 0\nwait 600-1800\naddr 3\nend\n");
    parse(&s->scripts[1], "handshake\nserve honest\nrepeat 0\nwait 60-600\naddr 100\nend\n");
    struct sim_node *n = sim_add_node(s);
    n->no_anchors = !anchors;
    n->no_feelers = !feelers;
    e->restarts = 0;
    add_hosts(s, e);
    s->on_scenario = on_scenario;
    s->scenario = e;
    sim_at(s, 0, EV_START, 0, 0, 0);
    sim_at(s, SIM_SECOND_US, EV_SCENARIO, BLOCK_FOUND, 0, 0);
    sim_at(s, 12 * SIM_HOUR_US, EV_SCENARIO, ATTACK_BEGINS, 0, 0);
    sim_loop(s, 0);
    if (!report->failed) sim_check_node(n);
    sim_free(s);
}

int sim_scenario_eclipse(const struct sim_cli *c)
{
    uint64_t first = c->one_seed ? c->seed : 1;
    printf("eclipse: %d addresses of the attacker in %d groups, %d honest hosts that answer and %d that do not; %llu "
           "victims "
           "in each setting, %d restarts each\n",
           ATTACKERS, ATTACKER_GROUPS, HONEST_UP, HONEST_DOWN, (unsigned long long)c->victims, RESTARTS);
    for (unsigned setting = 0; setting < 4; setting++) {
        bool anchors = !(setting & 1), feelers = !(setting & 2);
        struct eclipse all = {0};
        unsigned victims = 0;
        for (uint64_t i = 0; i < c->victims; i++) {
            struct eclipse e = {0};
            struct sim_report report;
            one_victim(first + i, anchors, feelers, &e, &report);
            if (report.failed) {
                printf("FAILED: cairn-sim --scenario eclipse --seed %llu --victims 1   # %s\n",
                       (unsigned long long)(first + i), report.why);
                return 1;
            }
            victims += e.eclipsed > 0;
            all.slots += e.slots;
            all.attacker_slots += e.attacker_slots;
            all.judged += e.judged;
        }
        printf("  %s anchors, %s feelers: %u of %llu victims eclipsed (%.1f %%); of %.1f outbound connections %.2f "
               "were the "
               "attacker's\n",
               anchors ? "with" : "without", feelers ? "with" : "without", victims, (unsigned long long)c->victims,
               c->victims ? 100.0 * victims / (double)c->victims : 0, all.judged ? (double)all.slots / all.judged : 0,
               all.judged ? (double)all.attacker_slots / all.judged : 0);
        fflush(stdout);
    }
    printf("  %.0f s of processor time\n", scenario_cpu_s());
    return 0;
}
