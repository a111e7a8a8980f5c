/* Where addresses come from when there are too few: nodes that a user names (-seednode), DNS seeds, fixed seeds. Each
 * is asked only while the address book does not do, as whoever answers learns of us and may choose what we see. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "p2p/dial_plan.h"

enum {
    ASK_AT_ONCE = 3,   /* DNS seeds between two delays */
    ANSWER_MAX = 32,   /* addresses taken from one seed */
    MANY_ADDRS = 1000, /* in the address book: seeds can wait longer */
    DAY_S = 24 * 3600,
};

#define DELAY_FEW_US      INT64_C(11000000)
#define DELAY_MANY_US     INT64_C(300000000)
#define SEED_NODES_US     INT64_C(30000000) /* that -seednode has before DNS is asked */
#define NEXT_SEED_NODE_US INT64_C(10000000)
#define FIXED_SEEDS_US    INT64_C(60000000)
#define INACTIVE_US       INT64_C(1000000)

#define SEED_SERVICES (NODE_NETWORK | NODE_WITNESS)

static size_t addrs_known(const struct p2p *p)
{
    return addrman_size(p->addrman, NET_COUNT, ADDRMAN_BOTH);
}

/* ---- seed nodes ---- */

void dial_add_fetch(struct p2p *p, const char *host)
{
    text_list_add(&p->dial->fetches, host);
}

void dial_next_seed_node(struct p2p *p)
{
    struct dial_plan *d = p->dial;
    d->open.add_seed_node = false;
    if (d->seed_nodes.count == 0) return;
    char *seed = d->seed_nodes.items[--d->seed_nodes.count];
    dial_add_fetch(p, seed);
    if (addrs_known(p) == 0)
        log_info(p->log, "Empty addrman, adding seednode (%s) to addrfetch", seed);
    else
        log_info(p->log, "Couldn't connect to peers from addrman after %d seconds. Adding seednode (%s) to addrfetch",
                 (int)(NEXT_SEED_NODE_US / 1000000), seed);
    free(seed);
}

void dial_seed_node_due(struct p2p *p, unsigned full_peers)
{
    struct dial_open *o = &p->dial->open;
    if (p->dial->seed_nodes.count == 0 || full_peers >= SEED_PEERS_ENOUGH) return;
    if (p->wall_us <= o->seed_timer_us + NEXT_SEED_NODE_US) return;
    o->seed_timer_us = p->wall_us;
    o->add_seed_node = true;
}

/* ---- fixed seeds ---- */

/* The networks in use of which we know no address. */
static uint32_t empty_networks(const struct p2p *p)
{
    uint32_t out = 0;
    for (enum network net = NET_IPV4; net < NET_INTERNAL; net++)
        if (dial_networks(p) >> net & 1 && addrman_size(p->addrman, net, ADDRMAN_BOTH) == 0) out |= 1u << net;
    return out;
}

static void add_fixed(struct p2p *p, uint32_t networks)
{
    struct dial_plan *d = p->dial;
    struct peer_addr *addrs = mem_calloc(d->fixed_count, sizeof(*addrs));
    size_t count = 0;
    for (size_t i = 0; i < d->fixed_count; i++) {
        if (!(networks >> netaddr_network(&d->fixed[i].at.addr) & 1)) continue;
        struct peer_addr *a = &addrs[count++];
        *a = d->fixed[i];
        if (!a->services) a->services = SEED_SERVICES;
        a->time = (uint32_t)(p2p_now_s(p) - 7 * DAY_S - (int64_t)random_below(&p->random, 7 * DAY_S));
    }
    struct netaddr source = netaddr_internal("fixedseeds");
    addrman_add(p->addrman, addrs, count, &source, 0, p2p_now_s(p));
    free(addrs);
    log_info(p->log, "Added %zu fixed seeds from reachable networks.", count);
}

void dial_fixed_seeds(struct p2p *p)
{
    struct dial_plan *d = p->dial;
    uint32_t networks = d->open.add_fixed_seeds ? empty_networks(p) : 0;
    if (!networks) return;
    if (p->wall_us / 1000000 * 1000000 > d->open.start_us + FIXED_SEEDS_US)
        log_info(p->log, "Adding fixed seeds as 60 seconds have passed and addrman is empty for at least one reachable "
                         "network");
    else if (!p->options.dns_seed && !d->has_seed_nodes && d->added.count == 0)
        log_info(p->log, "Adding fixed seeds as -dnsseed=0 (or IPv4/IPv6 connections are disabled via -onlynet) and "
                         "neither -addnode nor -seednode are provided");
    else
        return;
    add_fixed(p, networks);
    d->open.add_fixed_seeds = false;
}

/* ---- DNS ---- */

void dial_dns_begin(struct p2p *p)
{
    struct dial_dns *s = &p->dial->dns;
    s->wake_us = p->steady_us;
    if (!p->options.dns_seed) {
        log_info(p->log, "DNS seeding disabled");
        return;
    }
    s->state = DNS_BEGIN;
}

static bool dns_begin(struct p2p *p)
{
    struct dial_dns *s = &p->dial->dns;
    s->state = DNS_DECIDE;
    if (!p->dial->has_seed_nodes) return true;
    log_info(p->log, "-seednode enabled. Trying the provided seeds for %d seconds before defaulting to the dnsseeds.",
             (int)(SEED_NODES_US / 1000000));
    s->start_us = p->wall_us;
    s->wake_us = p->steady_us + DIAL_PAUSE_US;
    s->state = DNS_SEED_NODES;
    return true;
}

static bool dns_seed_nodes(struct p2p *p)
{
    struct dial_dns *s = &p->dial->dns;
    s->wake_us = p->steady_us + DIAL_PAUSE_US;
    if (p->wall_us > s->start_us + SEED_NODES_US) {
        log_info(p->log, "Couldn't connect to enough peers via seed nodes. Handing fetch logic to the DNS seeds.");
        s->state = DNS_DECIDE;
    } else if (dial_full_open(p) >= SEED_PEERS_ENOUGH) {
        log_info(p->log, "P2P peers available. Finished fetching data from seed nodes.");
        s->state = DNS_DECIDE;
    } else {
        return false;
    }
    s->wake_us = p->steady_us;
    return true;
}

static bool dns_decide(struct p2p *p)
{
    struct dial_dns *s = &p->dial->dns;
    if (p->options.force_dns_seed || addrs_known(p) == 0) s->now = s->seeds.count;
    bool enough = p->dial->has_seed_nodes && dial_full_open(p) >= SEED_PEERS_ENOUGH;
    if (enough && s->now == 0) {
        log_info(p->log, "Skipping DNS seeds. Enough peers have been found");
        s->state = DNS_OFF;
        return false;
    }
    s->delay_us = addrs_known(p) >= MANY_ADDRS ? DELAY_MANY_US : DELAY_FEW_US;
    s->state = DNS_NEXT;
    return true;
}

static bool dns_next(struct p2p *p)
{
    struct dial_dns *s = &p->dial->dns;
    if (s->at == s->seeds.count) {
        log_info(p->log, "%u addresses found from DNS seeds", s->found);
        s->state = DNS_OFF;
        return false;
    }
    s->state = DNS_ASK;
    s->said_inactive = false;
    if (s->now > 0) return true;
    s->now = ASK_AT_ONCE;
    if (addrs_known(p) == 0) return true;
    log_info(p->log, "Waiting %d seconds before querying DNS seeds.", (int)(s->delay_us / 1000000));
    s->waited_us = 0;
    s->wake_us = p->steady_us + DELAY_FEW_US;
    s->state = DNS_DELAY;
    return true;
}

/* Eleven seconds of the delay are over: maybe we have peers by now. */
static bool dns_delay(struct p2p *p)
{
    struct dial_dns *s = &p->dial->dns;
    if (dial_full_open(p) >= SEED_PEERS_ENOUGH) {
        if (s->found > 0) log_info(p->log, "%u addresses found from DNS seeds", s->found);
        log_info(p->log, "P2P peers available. %s DNS seeding.", s->found > 0 ? "Finished" : "Skipped");
        s->state = DNS_OFF;
        return false;
    }
    s->waited_us += DELAY_FEW_US;
    if (s->waited_us < s->delay_us) {
        int64_t left_us = s->delay_us - s->waited_us;
        s->wake_us = p->steady_us + (left_us < DELAY_FEW_US ? left_us : DELAY_FEW_US);
        return true;
    }
    s->state = DNS_ASK;
    return true;
}

static bool dns_ask(struct p2p *p)
{
    struct dial_dns *s = &p->dial->dns;
    if (!p->active) {
        if (!s->said_inactive) log_info(p->log, "Waiting for network to be reactivated before querying DNS seeds.");
        s->said_inactive = true;
        s->wake_us = p->steady_us + INACTIVE_US;
        return false;
    }
    const char *seed = s->seeds.items[s->at];
    log_info(p->log, "Loading addresses from DNS seed %s", seed);
    snprintf(s->host, sizeof(s->host), "x%x.%s", (unsigned)SEED_SERVICES, seed);
    struct p2p_action *a = p2p_add_action(p, P2P_RESOLVE);
    memcpy(a->host, s->host, sizeof(a->host));
    s->state = DNS_RESOLVING;
    return false;
}

bool dial_dns_step(struct p2p *p)
{
    struct dial_dns *s = &p->dial->dns;
    if (p->steady_us < s->wake_us) return false;
    switch (s->state) {
    case DNS_BEGIN: return dns_begin(p);
    case DNS_SEED_NODES: return dns_seed_nodes(p);
    case DNS_DECIDE: return dns_decide(p);
    case DNS_NEXT: return dns_next(p);
    case DNS_DELAY: return dns_delay(p);
    case DNS_ASK: return dns_ask(p);
    default: return false;
    }
}

void p2p_resolved(struct p2p *p, const char *host, const struct netaddr *found, size_t count)
{
    struct dial_dns *s = &p->dial->dns;
    if (s->state != DNS_RESOLVING || strcmp(host, s->host) != 0) return;
    if (count > ANSWER_MAX) count = ANSWER_MAX;
    struct peer_addr addrs[ANSWER_MAX];
    for (size_t i = 0; i < count; i++) {
        addrs[i] = (struct peer_addr){.at = {found[i], p->options.default_port}, .services = SEED_SERVICES};
        addrs[i].time = (uint32_t)(p2p_now_s(p) - 3 * DAY_S - (int64_t)random_below(&p->random, 4 * DAY_S));
    }
    struct netaddr source = netaddr_internal(s->host);
    if (count > 0)
        addrman_add(p->addrman, addrs, count, &source, 0, p2p_now_s(p));
    else
        dial_add_fetch(p, s->seeds.items[s->at]); /* it may not know names of service bits: ask whom it names */
    s->found += (unsigned)count;
    s->at++;
    s->now--;
    s->state = DNS_NEXT;
    s->wake_us = p->steady_us;
}
