/* The machine that makes automatic connections, one attempt at a time with half a second between: addr-fetches first,
 * then what dial_choose.c says. With -connect it dials the addresses of that list, for ever, and no others. */
#include "p2p/dial_plan.h"

enum {
    CONNECT_PAUSES_MAX = 10, /* of half a second between two of -connect, growing with the rounds */
    CERTAIN_PEERS = 2,       /* with so many peers that are not all of one network we are surely not offline */
};

#define FEELER_US           INT64_C(120000000) /* averages */
#define EXTRA_US            INT64_C(300000000)
#define FEELER_SLEEP_MAX_US UINT64_C(1000000)

void dial_open_begin(struct p2p *p)
{
    struct dial_open *o = &p->dial->open;
    o->wake_us = p->steady_us;
    if (p->dial->connect.count > 0) {
        o->state = OPEN_CONNECT;
        return;
    }
    if (!p->options.automatic) return;
    o->state = OPEN_FETCH;
    o->start_us = o->seed_timer_us = p->wall_us;
    o->next_feeler_us = p->wall_us + p2p_poisson_us(p, FEELER_US);
    o->next_extra_block_relay_us = p->wall_us + p2p_poisson_us(p, EXTRA_US);
    o->next_extra_network_us = p->wall_us + p2p_poisson_us(p, EXTRA_US);
    o->add_seed_node = p->dial->has_seed_nodes && addrman_size(p->addrman, NET_COUNT, ADDRMAN_BOTH) == 0;
    o->add_fixed_seeds = p->options.fixed_seeds;
    if (!o->add_fixed_seeds) log_info(p->log, "Fixed seeds are disabled");
}

/* ---- -connect ---- */

static bool step_connect(struct p2p *p)
{
    struct dial_open *o = &p->dial->open;
    const struct text_list *list = &p->dial->connect;
    if (o->dial) {
        if (dial_is_out(p, o->dial)) return false;
        o->dial = 0;
    } else {
        if (p->steady_us < o->wake_us) return false;
        o->dial = dial_host(p, list->items[o->at], CONN_MANUAL);
        if (o->dial) return false;
    }
    unsigned pauses = o->rounds < CONNECT_PAUSES_MAX ? o->rounds : CONNECT_PAUSES_MAX;
    if (++o->at == list->count) {
        o->at = 0;
        o->rounds++;
        pauses++;
    }
    o->wake_us = p->steady_us + pauses * DIAL_PAUSE_US;
    return true;
}

/* ---- automatic ---- */

static void pause(struct p2p *p)
{
    p->dial->open.state = OPEN_CHOOSE;
    p->dial->open.wake_us = p->steady_us + DIAL_PAUSE_US;
}

static bool step_fetch(struct p2p *p)
{
    struct dial_plan *d = p->dial;
    if (d->open.add_seed_node) dial_next_seed_node(p);
    pause(p);
    if (d->fetch_at == d->fetches.count) return true;
    const char *host = d->fetches.items[d->fetch_at++];
    if (!dial_slot_free(p)) return true;
    d->open.dial = dial_host(p, host, CONN_ADDR_FETCH);
    if (d->open.dial) d->open.state = OPEN_FETCHING;
    return true;
}

/* Failures count against an address only where we are surely online: with peers in more than one place. */
static bool failures_count(const struct p2p *p, const struct dial_census *c)
{
    unsigned needed = p->options.max_connections > CERTAIN_PEERS ? CERTAIN_PEERS : 1;
    if (p->options.max_connections < 2) needed = 0;
    return c->group_count + c->privacy >= needed;
}

static void dial_it(struct p2p *p, const struct peer_addr *to, enum conn_type type, enum network only)
{
    struct dial_open *o = &p->dial->open;
    char text[ENDPOINT_TEXT];
    endpoint_text(text, &to->at);
    if (type == CONN_FEELER) log_debug(p->log, LOGC_NET, "Making feeler connection to %s", text);
    if (only != NET_COUNT)
        log_debug(p->log, LOGC_NET, "Making network specific connection to %s on %s.", text, network_name(only));
    o->dial = dial_address(p, to, type, o->count_failures);
    o->state = o->dial ? OPEN_DIALLING : OPEN_FETCH;
}

static bool step_choose(struct p2p *p)
{
    struct dial_open *o = &p->dial->open;
    if (p->steady_us < o->wake_us || !dial_slot_free(p)) return false;
    dial_fixed_seeds(p);
    struct dial_census census;
    dial_census_take(p, &census);
    dial_seed_node_due(p, census.full);
    o->state = OPEN_FETCH;
    struct dial_want want;
    struct peer_addr to;
    if (dial_want_next(p, &census, &want) && dial_choose(p, &census, &want, &to)) {
        o->count_failures = failures_count(p, &census);
        if (want.type == CONN_FEELER) {
            o->feeler = to;
            o->state = OPEN_FEELER_SLEEPS;
            o->wake_us = p->steady_us + (int64_t)random_below(&p->random, FEELER_SLEEP_MAX_US);
        } else {
            dial_it(p, &to, want.type, want.only);
        }
    }
    dial_census_clear(&census);
    return true;
}

bool dial_open_step(struct p2p *p)
{
    struct dial_open *o = &p->dial->open;
    switch (o->state) {
    case OPEN_CONNECT: return step_connect(p);
    case OPEN_FETCH: return step_fetch(p);
    case OPEN_FETCHING:
        if (dial_is_out(p, o->dial)) return false;
        pause(p);
        return true;
    case OPEN_CHOOSE: return step_choose(p);
    case OPEN_FEELER_SLEEPS:
        if (p->steady_us < o->wake_us) return false;
        dial_it(p, &o->feeler, CONN_FEELER, NET_COUNT);
        return true;
    case OPEN_DIALLING:
        if (dial_is_out(p, o->dial)) return false;
        o->state = OPEN_FETCH;
        return true;
    default: return false;
    }
}
