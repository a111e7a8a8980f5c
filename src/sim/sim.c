/* The virtual network as a whole: chance, time, the trace, and the loop that takes one event after the other. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "sim/internal.h"

/* ---- chance ---- */

bool sim_chance(struct sim *s, unsigned per_mille)
{
    return random_below(&s->random, 1000) < per_mille;
}

int64_t sim_between(struct sim *s, int64_t from, int64_t to)
{
    return from + (int64_t)random_below(&s->random, (uint64_t)(to - from) + 1);
}

int64_t sim_poisson_us(struct sim *s, int64_t average_us)
{
    double u = (double)(random_u64(&s->random) >> 11) * 0x1p-53;
    int64_t t = (int64_t)(-log1p(-u) * (double)average_us);
    return t < 1 ? 1 : t;
}

/* ---- what happened ---- */

static void mix(struct sim *s, const char *what, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t words[6] = {s->trace, (uint64_t)s->now_us, a, b, c, hash_bytes(0, what, strlen(what))};
    s->trace = hash_bytes(0, words, sizeof(words));
}

static void print_time(struct sim *s)
{
    fprintf(s->options.out, "%lld.%06lld ", (long long)(s->now_us / SIM_SECOND_US),
            (long long)(s->now_us % SIM_SECOND_US));
}

void sim_trace(struct sim *s, const char *what, uint64_t a, uint64_t b, uint64_t c)
{
    mix(s, what, a, b, c);
    if (!s->options.trace) return;
    print_time(s);
    fprintf(s->options.out, "%s %lld %lld %llx\n", what, (long long)a, (long long)b, (unsigned long long)c);
}

void sim_trace_text(struct sim *s, const char *what, uint64_t a, const char *text, uint64_t b)
{
    mix(s, what, a, hash_bytes(0, text, strlen(text)), b);
    if (!s->options.trace) return;
    print_time(s);
    fprintf(s->options.out, "%s %lld %s %llx\n", what, (long long)a, text, (unsigned long long)b);
}

void sim_fail(struct sim *s, const char *why, ...)
{
    if (s->report->failed) return;
    va_list args;
    va_start(args, why);
    vsnprintf(s->report->why, sizeof(s->report->why), why, args);
    va_end(args);
    s->report->failed = true;
    sim_trace_text(s, "failed", 0, s->report->why, 0);
}

/* ---- hosts ---- */

struct sim_host *sim_add_host(struct sim *s, const uint8_t ip[4])
{
    s->hosts = mem_grow(s->hosts, &s->host_cap, s->host_count + 1, sizeof(struct sim_host *));
    struct sim_host *h = s->hosts[s->host_count] = mem_calloc(1, sizeof(*h));
    *h = (struct sim_host){.at = {.addr = netaddr_ipv4(ip), .port = SIM_PORT},
                           .index = (uint32_t)s->host_count++,
                           .node = -1,
                           .actor = -1};
    endpoint_key(&h->key, &h->at);
    hashmap_put(&s->host_by_key, h);
    return h;
}

struct sim_host *sim_find_host(struct sim *s, const struct endpoint *at)
{
    struct endpoint_key key;
    endpoint_key(&key, at);
    return hashmap_get(&s->host_by_key, &key);
}

/* ---- life ---- */

static void load_scripts(struct sim *s)
{
    size_t count = 0;
    struct error e;
    while (sim_scripts[count].name) count++;
    s->scripts = mem_calloc(count, sizeof(*s->scripts));
    s->script_count = count;
    for (size_t i = 0; i < count; i++) {
        snprintf(s->scripts[i].name, sizeof(s->scripts[i].name), "%s", sim_scripts[i].name);
        enum result r = sim_script_parse(&s->scripts[i], span_str(sim_scripts[i].text), &e);
        CHECK(!r);
    }
}

struct sim *sim_new(const struct sim_options *options, struct sim_report *report)
{
    struct sim *s = mem_calloc(1, sizeof(*s));
    *report = (struct sim_report){0};
    s->options = *options;
    s->report = report;
    sim_swarm_draw(&s->swarm, options->seed);
    if (options->nodes) s->swarm.nodes = options->nodes;
    if (options->minutes) s->swarm.fault_us = options->minutes * SIM_MINUTE_US;
    random_init_u64(&s->random, options->seed);
    s->params = *chain_params_get(CHAIN_REGTEST);
    s->params.minimum_chain_work = u256_from_u64(s->swarm.min_work ? (uint64_t)s->swarm.premined * 2 : 0);
    if (s->swarm.small_presync) {
        s->params.headers_commitment_period = 7;
        s->params.headers_redownload_size = 12;
    }
    hashmap_init(&s->host_by_key, offsetof(struct sim_host, key), sizeof(struct endpoint_key), options->seed);
    s->dial_every_us = 20 * SIM_SECOND_US;
    load_scripts(s);
    sim_blocks_init(s);
    sim_wallet_init(s);
    return s;
}

void sim_free(struct sim *s)
{
    for (size_t i = 0; i < s->link_count; i++) {
        for (unsigned side = 0; side < 2; side++) {
            free(s->links[i]->side[side].actor);
            s->links[i]->side[side].actor = NULL;
        }
        sim_link_free(s->links[i]);
        free(s->links[i]);
    }
    for (size_t i = 0; i < s->node_count; i++) sim_node_clear(s->nodes[i]);
    for (size_t i = 0; i < s->host_count; i++) free(s->hosts[i]);
    for (size_t i = 0; i < s->block_count; i++) {
        buffer_clear(&s->block_list[i]->raw);
        free(s->block_list[i]);
    }
    hashmap_clear(&s->host_by_key);
    hashmap_clear(&s->blocks);
    sim_wallet_clear(s);
    free(s->links);
    free(s->nodes);
    free(s->hosts);
    free(s->block_list);
    free(s->actors);
    free(s->free_links);
    free(s->closing);
    free(s->resolves);
    free(s->scripts);
    sim_heap_clear(&s->heap);
    free(s);
}

/* ---- the loop ---- */

void sim_at(struct sim *s, int64_t at_us, enum sim_event_kind kind, uint32_t a, uint32_t b, uint64_t c)
{
    CHECK(at_us >= s->now_us);
    sim_heap_put(&s->heap, &(struct sim_event){.at_us = at_us, .kind = kind, .a = a, .b = b, .c = c});
}

static void handle(struct sim *s, const struct sim_event *e)
{
    switch ((enum sim_event_kind)e->kind) {
    case EV_TICK:
    case EV_BLOCKS:
    case EV_MAINTAIN:
    case EV_START:
    case EV_DIAL_FAILED:
    case EV_RESOLVED: sim_node_on_event(s, e); break;
    case EV_CONNECT:
    case EV_CONNECTED:
    case EV_PIPE:
    case EV_RESET: sim_link_on_event(s, e); break;
    case EV_ACTOR:
    case EV_ACTOR_DIAL: sim_actor_on_event(s, e); break;
    case EV_MINE: sim_mine_event(s); break;
    case EV_PAY: sim_pay_event(s); break;
    case EV_SETTLE: sim_settle_event(s); break;
    case EV_FAULT:
    case EV_HEAL:
    case EV_RECOVER: sim_fault_on_event(s, e); break;
    case EV_CHECK:
        sim_check_all(s);
        sim_at(s, s->now_us + 5 * SIM_MINUTE_US, EV_CHECK, 0, 0, 0);
        break;
    case EV_END: s->done = true; break;
    case EV_SCENARIO: s->on_scenario(s, e); break;
    case EV_KINDS: break;
    }
}

bool sim_step(struct sim *s)
{
    struct sim_event e;
    if (s->done || s->report->failed || !s->heap.count) return false;
    sim_heap_take(&s->heap, &e);
    s->now_us = e.at_us;
    s->events++;
    handle(s, &e);
    sim_links_reap(s);
    if (s->recovering && (s->tips_moved || e.kind == EV_SETTLE)) {
        s->tips_moved = false;
        s->done |= sim_converged(s) && sim_pay_settled(s);
    }
    return true;
}

void sim_loop(struct sim *s, int64_t until_us)
{
    while ((!until_us || (s->heap.count && s->heap.items[0].at_us <= until_us)) && sim_step(s)) continue;
    if (until_us && !s->done && !s->report->failed) s->now_us = until_us;
}
