/* Whole runs: the same seed is the same run, and the checkers find what they are for. */
#include <criterion/criterion.h>

#include "base/alloc.h"
#include "sim/internal.h"

static struct sim_report run(uint64_t seed)
{
    struct sim_options options = {.seed = seed, .minutes = 2, .log_node = -1};
    struct sim_report report;
    sim_run(&options, &report);
    cr_expect(!report.failed, "seed %llu: %s", (unsigned long long)seed, report.why);
    return report;
}

Test(sim_run, is_the_same_for_the_same_seed)
{
    struct sim_report a = run(21), b = run(21), c = run(22);
    cr_assert_eq(a.trace, b.trace);
    cr_assert_eq(a.events, b.events);
    cr_assert_neq(a.trace, c.trace);
    cr_assert_gt(a.blocks, 3);
}

/* Two connected nodes without faults that have a few blocks. */
struct pair {
    struct sim *s;
    struct sim_report report;
    char address[ENDPOINT_TEXT];
};

static void open_pair(struct pair *p)
{
    struct sim_options options = {.seed = 5, .log_node = -1};
    p->s = sim_new(&options, &p->report);
    struct sim_swarm *w = &p->s->swarm;
    *w = (struct sim_swarm){.topology = TOPOLOGY_CONNECT,
                            .latency_us = 10000,
                            .bandwidth = 1000000,
                            .window = 65536,
                            .tick_us = SIM_SECOND_US,
                            .maintain_us = SIM_HOUR_US,
                            .coins_cache_bytes = 1 << 20,
                            .file_bytes = 1 << 20,
                            .send_buffer = 1000000};
    p->s->params.minimum_chain_work = u256_from_u64(0);
    struct sim_node *a = sim_add_node(p->s), *b = sim_add_node(p->s);
    endpoint_text(p->address, &p->s->hosts[b->host]->at);
    a->hosts_to_dial = mem_calloc(1, sizeof(char *));
    a->hosts_to_dial[0] = mem_strdup(p->address);
    a->host_count = 1;
    sim_node_start(b);
    sim_node_start(a);
    for (int64_t at = 1; at <= 4; at++) {
        sim_loop(p->s, at * SIM_MINUTE_US);
        sim_mine_on(p->s->nodes[at % 2]);
    }
    sim_loop(p->s, 10 * SIM_MINUTE_US);
    cr_assert(!p->report.failed, "%s", p->report.why);
}

static int32_t height(const struct pair *p, unsigned node)
{
    return chain_height(p->s->nodes[node]->node->chain);
}

Test(sim_run, brings_two_nodes_together)
{
    struct pair p;
    open_pair(&p);
    cr_assert_eq(height(&p, 0), 4);
    cr_assert_eq(height(&p, 1), 4);
    sim_check_all(p.s);
    sim_check_coins(p.s);
    cr_assert(!p.report.failed, "%s", p.report.why);
    sim_free(p.s);
}

Test(sim_check, finds_an_invalid_block_in_an_active_chain)
{
    struct pair p;
    open_pair(&p);
    p.s->best->valid = false;
    p.s->nodes[0]->tip = NULL; /* as if it had just come */
    sim_check_tip(p.s->nodes[0]);
    cr_assert(p.report.failed);
    cr_assert(strstr(p.report.why, "invalid block"), "%s", p.report.why);
    sim_free(p.s);
}

Test(sim_check, finds_a_valid_block_that_is_marked_invalid)
{
    struct pair p;
    open_pair(&p);
    struct chain *c = p.s->nodes[0]->node->chain;
    chain_invalidate(c, chain_tip(c));
    sim_check_node(p.s->nodes[0]);
    cr_assert(strstr(p.report.why, "for invalid"), "%s", p.report.why);
    sim_free(p.s);
}

Test(sim_check, finds_an_honest_node_that_is_discouraged)
{
    struct pair p;
    open_pair(&p);
    bans_discourage(&p.s->nodes[0]->node->bans, &p.s->hosts[p.s->nodes[1]->host]->at.addr);
    sim_check_node(p.s->nodes[0]);
    cr_assert(strstr(p.report.why, "punishes"), "%s", p.report.why);
    sim_free(p.s);
}

Test(sim_check, finds_coins_that_a_replay_does_not_have)
{
    struct pair p;
    open_pair(&p);
    struct outpoint at = {.index = 3};
    struct coin coin = {.value = 5, .script_pubkey = span_str("x")};
    coins_add(p.s->nodes[1]->node->chain->coins, &at, &coin, false);
    sim_check_coins(p.s);
    cr_assert(strstr(p.report.why, "replay"), "%s", p.report.why);
    sim_free(p.s);
}

Test(sim_check, knows_whether_all_have_come_together)
{
    struct pair p;
    open_pair(&p);
    p.s->final = p.s->best;
    p.s->final_blocks = 2;
    cr_assert(sim_converged(p.s));
    struct sim_block later = {.height = p.s->best->height + 1};
    p.s->final = &later;
    cr_assert(!sim_converged(p.s), "the last block has not come to them");
    p.s->final = p.s->best;
    sim_node_stop(p.s->nodes[1], STOP_CLEAN);
    cr_assert(!sim_converged(p.s), "one of them is down");
    sim_free(p.s);
}

/* A forged block is refused, and whoever sent it is known for it; the network goes on. */
Test(sim_hostile, cannot_make_nodes_follow_a_forged_block)
{
    static const char *const texts[] = {
        "handshake\nwait 5\nblock amount\nwait 60", "handshake\nwait 5\nblock missing\nwait 60",
        "handshake\nwait 5\nblock height\nwait 60", "handshake\nwait 5\nblock mutated\nwait 60"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct pair p;
        struct sim_script script;
        struct error e;
        cr_assert_eq(sim_script_parse(&script, span_str(texts[i]), &e), RESULT_OK);
        open_pair(&p);
        struct sim_actor *a = sim_add_actor(p.s, (const uint8_t[]){99, 1, 1, 1}, &script);
        sim_dial(p.s, a->host, &p.s->hosts[0]->at, 0, 0);
        sim_loop(p.s, 20 * SIM_MINUTE_US);
        cr_assert_eq(height(&p, 0), 4);
        if (i < 3)
            cr_expect(bans_is_discouraged(&p.s->nodes[0]->node->bans, &p.s->hosts[a->host]->at.addr), "%s", texts[i]);
        sim_mine_on(p.s->nodes[0]);
        sim_loop(p.s, 21 * SIM_MINUTE_US);
        cr_assert_eq(height(&p, 1), 5);
        sim_check_all(p.s);
        cr_assert(!p.report.failed, "%s", p.report.why);
        sim_free(p.s);
    }
}
