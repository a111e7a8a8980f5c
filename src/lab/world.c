/* A world: its life, the loop, and the list of events. */
#include "lab/world.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "lab/world_internal.h"
#include "rpc/server.h"
#include "sim/scenario.h"

#define LAB_LONGEST_US (60 * INT64_C(24) * SIM_HOUR_US)

/* ---- events ---- */

struct lab_event *lab_emit(struct lab_world *w, enum lab_event_kind kind, uint32_t node)
{
    w->events = mem_grow(w->events, &w->event_cap, w->event_count + 1, sizeof(*w->events));
    struct lab_event *e = &w->events[w->event_count];
    *e = (struct lab_event){.seq = w->event_count,
                            .at_us = lab_world_now_us(w),
                            .kind = kind,
                            .node = node,
                            .block = LAB_NONE,
                            .other = LAB_NONE};
    return e;
}

void lab_emitted(struct lab_world *w)
{
    lab_event_chain(w->log_hash, &w->events[w->event_count++]);
}

void lab_emit_text(struct lab_world *w, enum lab_event_kind kind, uint32_t node, const char *text)
{
    snprintf(lab_emit(w, kind, node)->text, LAB_TEXT, "%s", text);
    lab_emitted(w);
}

void lab_world_end(struct lab_world *w, const char *how)
{
    if (w->over) return;
    w->over = true;
    lab_emit_text(w, LAB_EVENT_END, LAB_NONE, how);
}

void lab_timer(struct lab_world *w, int64_t after_us, enum lab_timer what, uint64_t c)
{
    sim_at(w->sim, w->sim->now_us + after_us, EV_SCENARIO, what, 0, c);
}

/* ---- the loop ---- */

static void on_timer(struct sim *s, const struct sim_event *e)
{
    struct lab_world *w = s->scenario;
    switch ((enum lab_timer)e->a) {
    case LAB_TIMER_MINE: lab_mining_event(w, e->c); break;
    case LAB_TIMER_REACT:
        w->react_due = false;
        lab_attack_think(w);
        break;
    case LAB_TIMER_PAY: lab_public_pays(w); break;
    case LAB_TIMER_SILENCE: lab_clock_silence(w, e->c); break;
    case LAB_TIMER_ORDER: lab_clock_order(w, (size_t)e->c); break;
    case LAB_TIMER_FREE: lab_double_let_go(w); break;
    }
}

/* After every event: is there anything left to wait for? */
static void look_at_the_end(struct lab_world *w)
{
    enum { BLOCKS_AFTER = 2, BLOCKS_FOR_MISSING = 20 };
    if (w->over) return;
    if (w->report.failed) {
        lab_world_end(w, "broken");
    } else if (lab_world_now_us(w) > LAB_LONGEST_US) {
        lab_world_end(w, "time is up");
    } else if (w->attempt_over && !w->attack.active && !w->eclipsed) {
        const struct sim_block *tip = lab_public_tip(w);
        int32_t wait = w->missing_count ? BLOCKS_FOR_MISSING : BLOCKS_AFTER;
        if (tip->height < w->over_height + wait) return;
        for (uint32_t i = 0; i < w->member_count; i++)
            if (lab_tip_of(w, i) != tip) return;
        lab_world_end(w, w->end);
    }
}

static bool go_on(struct lab_world *w)
{
    if (w->over) return false;
    bool any = sim_step(w->sim);
    look_at_the_end(w);
    return any && !w->over;
}

bool lab_world_step(struct lab_world *w)
{
    size_t before = w->event_count;
    while (w->event_count == before)
        if (!go_on(w)) return w->event_count != before;
    return true;
}

bool lab_world_run(struct lab_world *w, int64_t until_us, uint64_t steps)
{
    uint64_t end = w->sim->events + steps;
    while (!w->over && lab_world_next_us(w) <= until_us && (!steps || w->sim->events < end))
        if (!go_on(w)) return false;
    if (!w->over && lab_world_next_us(w) > until_us && until_us > lab_world_now_us(w))
        w->sim->now_us = until_us + w->base_us;
    return !w->over;
}

int64_t lab_world_now_us(const struct lab_world *w)
{
    return w->begun ? w->sim->now_us - w->base_us : 0;
}

int64_t lab_world_next_us(const struct lab_world *w)
{
    if (w->over || !w->sim->heap.count) return INT64_MAX;
    return w->sim->heap.items[0].at_us - w->base_us;
}

uint64_t lab_world_steps(const struct lab_world *w)
{
    return w->sim->events;
}

bool lab_world_is_over(const struct lab_world *w)
{
    return w->over;
}

const char *lab_world_failure(const struct lab_world *w)
{
    return w->report.failed ? w->report.why : NULL;
}

const struct lab_event *lab_world_events(const struct lab_world *w, size_t *count)
{
    *count = w->event_count;
    return w->events;
}

void lab_world_log_hash(const struct lab_world *w, uint8_t out[32])
{
    memcpy(out, w->log_hash, 32);
}

/* ---- life ---- */

#define IDLE_TICK_US (20 * SIM_SECOND_US)

static void sim_begin(struct lab_world *w)
{
    struct sim_options options = {.seed = w->setup.seed, .log_node = -1, .out = stdout};
    struct sim *s = w->sim = sim_new(&options, &w->report);
    scenario_calm(&s->swarm);
    s->swarm.topology = TOPOLOGY_CONNECT;
    s->swarm.latency_us = w->setup.latency_us;
    s->swarm.jitter_us = 0;
    if (!w->setup.pay_us) s->swarm.tick_us = IDLE_TICK_US; /* nothing waits for timers where nobody pays */
    s->swarm.reorg_alarm = w->setup.reorg_alarm;
    s->swarm.max_reorg = w->setup.max_reorg;
    s->params.minimum_chain_work = u256_from_u64(0);
    s->scenario = w;
    s->on_scenario = on_timer;
}

static void tell_members(struct lab_world *w)
{
    struct lab_event *e = lab_emit(w, LAB_EVENT_START, LAB_NONE);
    e->a = (int64_t)w->setup.seed;
    snprintf(e->text, LAB_TEXT, "%s", w->name);
    lab_emitted(w);
    for (uint32_t i = 0; i < w->member_count; i++) {
        e = lab_emit(w, LAB_EVENT_NODE, i);
        e->b = w->members[i].role;
        snprintf(e->text, LAB_TEXT, "%s", w->members[i].name);
        lab_emitted(w);
    }
    lab_mining_tell(w);
    if (w->eclipsed) lab_emit_text(w, LAB_EVENT_LINK, w->merchant, "eclipse");
    if (w->eclipsed && w->setup.honest_link) lab_emit_text(w, LAB_EVENT_LINK, w->merchant, "honest link");
}

struct lab_world *lab_world_new_on(const struct lab_image *image, const struct lab_setup *setup, const char *name)
{
    struct lab_world *w = mem_calloc(1, sizeof(*w));
    w->setup = *setup;
    w->merchant = w->outlet = w->hideout = LAB_NONE;
    w->attack.order = SIZE_MAX;
    snprintf(w->name, sizeof(w->name), "%s", name ? name : "");
    random_init_u64(&w->random, setup->seed ^ UINT64_C(0x9a79a79a79a7));
    sim_begin(w);
    lab_net_init(w, image);
    for (size_t i = 0; i < image->coin_count; i++)
        lab_wallet_add(&w->wallet, &image->coins[i].at, image->coins[i].value, image->coins[i].owner);
    lab_net_start(w);
    w->base_us = w->sim->now_us;
    w->begun = true;
    w->sim->on_tip = lab_on_tip;
    lab_mining_init(w);
    tell_members(w);
    lab_mining_restart(w);
    if (setup->pay_us) lab_timer(w, sim_poisson_us(w->sim, setup->pay_us), LAB_TIMER_PAY, 0);
    if (w->merchant != LAB_NONE) lab_clock_block(w);
    return w;
}

struct lab_world *lab_world_new(const struct lab_setup *setup, const char *name)
{
    struct lab_image *image = lab_image_new();
    struct lab_world *w = lab_world_new_on(image, setup, name);
    w->own_image = image;
    return w;
}

void lab_world_free(struct lab_world *w)
{
    if (!w) return;
    for (size_t i = 0; i < w->member_count; i++) rpc_server_free(w->members[i].rpc);
    sim_free(w->sim);
    lab_wallet_clear(&w->wallet);
    lab_image_free(w->own_image);
    free(w->members);
    free(w->events);
    free(w->orders);
    free(w->books);
    free(w->missing);
    free(w->facts);
    free(w);
}

/* ---- looking ---- */

size_t lab_world_node_count(const struct lab_world *w)
{
    return w->member_count;
}

const char *lab_world_node_name(const struct lab_world *w, uint32_t node)
{
    return w->members[node].name;
}

struct sim_block *lab_tip_of(const struct lab_world *w, uint32_t node)
{
    const struct node *n = w->members[node].sim->node;
    return sim_block_find(w->sim, &chain_tip(n->chain)->header.hash);
}

size_t lab_world_block_count(const struct lab_world *w)
{
    return w->sim->block_count - w->base_block;
}

struct lab_block lab_world_block(const struct lab_world *w, uint32_t block)
{
    const struct sim_block *b = lab_sim_block(w, block);
    struct lab_block out = {.height = b->height, .miner = LAB_NONE, .parent = LAB_NONE};
    memcpy(out.hash, b->hash.bytes, 32);
    if (!block) return out;
    out.parent = lab_block_id(w, b->parent);
    out.found_us = b->found_us - w->base_us;
    out.miner = w->facts[block].miner;
    out.attacker = w->facts[block].attacker;
    out.secret = w->facts[block].secret;
    out.txs = w->facts[block].txs;
    return out;
}

struct lab_outcome lab_world_outcome(const struct lab_world *w)
{
    return w->outcome;
}
