/* Payments of the virtual network: they reach the others, conflicts settle, and what should not be in a pool is found.
 */
#include <criterion/criterion.h>

#include "base/alloc.h"
#include "node/submit_tx.h"
#include "sim/internal.h"

struct net {
    struct sim *s;
    struct sim_report report;
};

/* Two nodes that know each other, without faults, and coins that may be spent. */
static void open_net(struct net *t)
{
    struct sim_options options = {.seed = 7, .log_node = -1};
    char address[ENDPOINT_TEXT];
    t->s = sim_new(&options, &t->report);
    t->s->swarm = (struct sim_swarm){.topology = TOPOLOGY_CONNECT,
                                     .latency_us = 10000,
                                     .bandwidth = 1000000,
                                     .window = 65536,
                                     .tick_us = SIM_SECOND_US,
                                     .maintain_us = SIM_HOUR_US,
                                     .coins_cache_bytes = 1 << 20,
                                     .file_bytes = 1 << 20,
                                     .send_buffer = 1000000,
                                     .max_txs = 2};
    t->s->params.minimum_chain_work = u256_from_u64(0);
    struct sim_node *a = sim_add_node(t->s), *b = sim_add_node(t->s);
    endpoint_text(address, &t->s->hosts[b->host]->at);
    a->hosts_to_dial = mem_calloc(1, sizeof(char *));
    a->hosts_to_dial[0] = mem_strdup(address);
    a->host_count = 1;
    sim_node_start(a);
    sim_premine(a, 108);
    sim_node_start(b);
    sim_loop(t->s, 2 * SIM_MINUTE_US);
    cr_assert(!t->report.failed, "%s", t->report.why);
    cr_assert_eq(chain_height(b->node->chain), 108);
}

static struct mempool *pool(const struct net *t, unsigned node)
{
    return t->s->nodes[node]->node->mempool;
}

/* A ripe coin that nobody has spent yet. */
static struct sim_coin a_coin(const struct net *t)
{
    const struct sim_wallet *w = &t->s->wallet;
    for (size_t i = 0; i < w->coin_count; i++) {
        struct coin coin;
        struct error e;
        bool found;
        bool read = !mempool_get_coin(pool(t, 0), &w->coins[i].at, &coin, &found, &e);
        if (read && found && w->coins[i].ripe <= 109) return w->coins[i];
    }
    cr_assert_fail("no coin is ripe");
    return (struct sim_coin){0};
}

static enum submit_tx_kind hand_in(struct net *t, unsigned node, const struct sim_payment *p)
{
    struct arena arena = {0};
    struct submit_tx outcome = {0};
    struct error e;
    struct tx tx;
    sim_node_set_clock(t->s->nodes[node]);
    cr_assert(tx_parse(&tx, buffer_span(&p->raw), &arena, 0));
    cr_assert(!node_submit_tx(t->s->nodes[node]->node, &tx, 0, &outcome, &e));
    sim_node_pump(t->s->nodes[node]);
    arena_clear(&arena);
    return outcome.kind;
}

static void close_net(struct net *t)
{
    sim_check_all(t->s);
    sim_check_coins(t->s);
    cr_assert(!t->report.failed, "%s", t->report.why);
    sim_free(t->s);
}

Test(sim_pay, reaches_the_other_node_and_then_the_chain)
{
    struct net t;
    open_net(&t);
    struct sim_coin coin = a_coin(&t);
    struct sim_payment *p = sim_pay_make(t.s, &coin, 1, 2, 1000);
    cr_assert_eq(hand_in(&t, 0, p), SUBMIT_TX_SENT);
    sim_loop(t.s, 4 * SIM_MINUTE_US);
    cr_assert(mempool_find(pool(&t, 1), &p->txid), "the other node has the payment");
    for (int i = 0; i < 4 && mempool_find(pool(&t, 1), &p->txid); i++) sim_mine_on(t.s->nodes[1]);
    cr_assert_eq(mempool_count(pool(&t, 1)), 0);
    sim_loop(t.s, 6 * SIM_MINUTE_US);
    cr_assert_eq(mempool_count(pool(&t, 0)), 0);
    close_net(&t);
}

Test(sim_pay, settles_a_conflict_on_both_sides_of_a_partition)
{
    struct net t;
    open_net(&t);
    struct sim_coin coin = a_coin(&t);
    struct sim_payment *a = sim_pay_make(t.s, &coin, 1, 1, 1000), *b = sim_pay_make(t.s, &coin, 1, 1, 900);
    t.s->hosts[t.s->nodes[0]->host]->side = 1;
    t.s->partitions[0] = (struct sim_partition){.active = true};
    cr_assert_eq(hand_in(&t, 0, a), SUBMIT_TX_SENT);
    cr_assert_eq(hand_in(&t, 1, b), SUBMIT_TX_SENT);
    sim_loop(t.s, 3 * SIM_MINUTE_US);
    cr_assert(!mempool_find(pool(&t, 0), &b->txid) && !mempool_find(pool(&t, 1), &a->txid));
    for (int i = 0; i < 4 && mempool_count(pool(&t, 1)); i++) sim_mine_on(t.s->nodes[1]);
    t.s->partitions[0].active = false;
    sim_links_resume(t.s);
    sim_loop(t.s, 30 * SIM_MINUTE_US);
    cr_assert_eq(chain_height(t.s->nodes[0]->node->chain), chain_height(t.s->nodes[1]->node->chain));
    cr_assert_eq(mempool_count(pool(&t, 0)), 0, "the payment that lost has left");
    close_net(&t);
}

Test(sim_pay, finds_a_transaction_that_nobody_made)
{
    struct net t;
    open_net(&t);
    struct sim_coin coin = a_coin(&t);
    struct sim_payment *p = sim_pay_make(t.s, &coin, 1, 1, 1000);
    cr_assert_eq(hand_in(&t, 0, p), SUBMIT_TX_SENT);
    p->wtxid.bytes[0] ^= 1;
    sim_check_node(t.s->nodes[0]);
    cr_assert(strstr(t.report.why, "nobody made"), "%s", t.report.why);
    sim_free(t.s);
}

Test(sim_pay, knows_what_is_settled)
{
    struct net t;
    open_net(&t);
    struct sim_coin coin = a_coin(&t);
    struct sim_payment *a = sim_pay_make(t.s, &coin, 1, 1, 1000), *b = sim_pay_make(t.s, &coin, 1, 1, 900);
    struct sim_coin child_of_b = {.at = {b->txid, 0}, .value = coin.value - 900};
    struct sim_payment *c = sim_pay_make(t.s, &child_of_b, 1, 1, 900);
    cr_assert_eq(hand_in(&t, 0, a), SUBMIT_TX_SENT);
    sim_settle_event(t.s);
    cr_assert(!sim_pay_settled(t.s), "the payment is in no block");
    for (int i = 0; i < 4 && mempool_count(pool(&t, 0)); i++) sim_mine_on(t.s->nodes[0]);
    sim_settle_event(t.s);
    cr_assert(a->confirmed && b->dead && c->dead);
    sim_free(t.s);
}
