/* Links: what one end sends comes to the other, cut as it may be, in order and not before its time. */
#include <criterion/criterion.h>

#include "sim/internal.h"

struct net {
    struct sim *s;
    struct sim_report report;
    struct sim_script silent;
};

/* Two hosts that say nothing of their own, and a link between them. */
static struct sim_link *connect_two(struct net *n, uint64_t seed)
{
    struct sim_options options = {.seed = seed, .log_node = -1};
    struct error e;
    n->s = sim_new(&options, &n->report);
    struct sim_swarm *w = &n->s->swarm;
    w->latency_us = 100000;
    w->jitter_us = 5000;
    w->bandwidth = 100000;
    cr_assert_eq(sim_script_parse(&n->silent, span_str("handshake silent"), &e), RESULT_OK);
    sim_add_actor(n->s, (const uint8_t[]){1, 2, 3, 4}, &n->silent);
    sim_add_actor(n->s, (const uint8_t[]){5, 6, 7, 8}, &n->silent);
    sim_dial(n->s, 0, &n->s->hosts[1]->at, 0, 0);
    sim_loop(n->s, SIM_SECOND_US);
    struct sim_link *l = n->s->links[0];
    cr_assert(l->used && l->side[0].open && l->side[1].open && l->side[1].codec);
    return l;
}

static void send_bytes(struct net *n, struct sim_link *l, size_t len)
{
    struct buffer payload = {0};
    memset(buffer_extend(&payload, len), 7, len);
    sim_send(n->s, l, 0, "ping", &payload);
}

Test(sim_link, takes_a_message_through_any_cuts)
{
    static const size_t cuts[] = {0, 1, 7, 1460};
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        struct net n;
        struct sim_link *l = connect_two(&n, i);
        l->cut = cuts[i];
        l->window = 300;
        send_bytes(&n, l, 5000);
        cr_assert(l->side[0].out.bytes.len <= 300, "no more is on its way than the window");
        sim_loop(n.s, 600 * SIM_SECOND_US);
        cr_assert(l->side[0].open && l->side[1].open, "the checksum and every byte are right");
        cr_assert_eq(l->side[0].out.bytes.len, 0);
        sim_free(n.s);
    }
}

Test(sim_link, takes_latency_and_bandwidth_into_account)
{
    struct net n;
    struct sim_link *l = connect_two(&n, 5);
    l->window = 1 << 20;
    l->cut = 0;
    l->latency_us = 50000;
    l->bandwidth = 10000;
    int64_t began = n.s->now_us;
    send_bytes(&n, l, 10000 - 24);
    cr_assert_geq(l->side[0].out.last_arrive_us, began + 1000000 + 50000);
    cr_assert_leq(l->side[0].out.last_arrive_us, began + 1000000 + 50000 + 2 * 5000);
    sim_free(n.s);
}

Test(sim_link, holds_bytes_back_while_it_is_partitioned)
{
    struct net n;
    struct sim_link *l = connect_two(&n, 6);
    l->window = 1000;
    n.s->hosts[0]->side = 1;
    n.s->partitions[0] = (struct sim_partition){.active = true};
    cr_assert(sim_blocked(n.s, 0, 1) && sim_blocked(n.s, 1, 0));
    send_bytes(&n, l, 200);
    sim_loop(n.s, 60 * SIM_SECOND_US);
    cr_assert_eq(l->side[0].out.bytes.len, 224);
    n.s->partitions[0].active = false;
    sim_links_resume(n.s);
    sim_loop(n.s, 120 * SIM_SECOND_US);
    cr_assert_eq(l->side[0].out.bytes.len, 0);
    sim_free(n.s);
}

Test(sim_link, lets_one_way_pass_and_stops_when_no_word_comes_back)
{
    struct net n;
    struct sim_link *l = connect_two(&n, 7);
    l->window = 300;
    l->cut = 0;
    n.s->hosts[1]->side = 1;
    n.s->partitions[0] = (struct sim_partition){.active = true, .one_way = true};
    cr_assert(!sim_blocked(n.s, 0, 1) && sim_blocked(n.s, 1, 0));
    send_bytes(&n, l, 1000);
    sim_loop(n.s, 60 * SIM_SECOND_US);
    cr_assert_eq(l->side[0].out.bytes.len, 0, "what was on its way arrived");
    cr_assert_eq(l->side[0].out.uncredited, 300, "and no more is sent before somebody says so");
    sim_free(n.s);
}

Test(sim_link, tells_the_other_end_of_a_close_behind_the_last_byte)
{
    struct net n;
    struct sim_link *l = connect_two(&n, 8);
    l->window = 1 << 20;
    send_bytes(&n, l, 100);
    sim_close(n.s, l, 0, false);
    cr_assert(l->side[1].open);
    sim_loop(n.s, 60 * SIM_SECOND_US);
    cr_assert(!l->used);
    sim_free(n.s);
}

Test(sim_link, is_silent_when_it_is_half_open)
{
    struct net n;
    struct sim_link *l = connect_two(&n, 9);
    l->dead = true;
    send_bytes(&n, l, 100);
    sim_close(n.s, l, 1, false);
    sim_loop(n.s, 60 * SIM_SECOND_US);
    cr_assert(l->used && l->side[0].open, "nobody tells the end that is left");
    n.s->hosts[1]->up = true;
    send_bytes(&n, l, 100);
    sim_loop(n.s, 120 * SIM_SECOND_US);
    cr_assert(!l->used, "but the machine does, when it hears of a connection that it does not know");
    sim_free(n.s);
}
