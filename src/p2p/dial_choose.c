/* What to dial next on our own, and where: first the anchors, then full-relay peers, then block-relay peers, and when
 * all of those are there now and then one more or a feeler. Peers of IPv4 and IPv6 come from distinct network groups,
 * so that nobody with a few networks can be all that we see. */
#include <stdlib.h>

#include "base/alloc.h"
#include "p2p/dial_plan.h"

enum {
    TRIES = 100,          /* addresses looked at for one dial */
    TRIES_RECENT = 30,    /* after so many, those tried lately will do */
    TRIES_BAD_PORT = 50,  /* and those with a port of another protocol */
    RECENTLY_S = 10 * 60, /* tried */
};

#define FEELER_US            INT64_C(120000000) /* averages */
#define EXTRA_BLOCK_RELAY_US INT64_C(300000000)
#define EXTRA_NETWORK_US     INT64_C(300000000)

/* ---- who is there ---- */

static bool has_group(const struct dial_census *c, const struct netgroup *g)
{
    for (size_t i = 0; i < c->group_count; i++)
        if (netgroup_equal(&c->groups[i], g)) return true;
    return false;
}

static bool is_lasting(enum conn_type type)
{
    return type == CONN_OUTBOUND_FULL || type == CONN_BLOCK_RELAY || type == CONN_MANUAL;
}

void dial_census_take(struct p2p *p, struct dial_census *c)
{
    *c = (struct dial_census){.groups = mem_calloc(p->peer_count, sizeof(*c->groups))};
    for (size_t i = 0; i < p->peer_count; i++) {
        const struct peer *peer = p->peers[i];
        c->full += peer->type == CONN_OUTBOUND_FULL;
        c->block_relay += peer->type == CONN_BLOCK_RELAY;
        if (!is_lasting(peer->type)) continue;
        const struct netaddr *a = &peer->remote.addr;
        if (netaddr_is_privacy(a) || a->net == NET_CJDNS) {
            c->privacy++; /* their groups say nothing of who is behind them */
            continue;
        }
        struct netgroup g = netaddr_group(a);
        if (!has_group(c, &g)) c->groups[c->group_count++] = g;
    }
}

void dial_census_clear(struct dial_census *c)
{
    free(c->groups);
    *c = (struct dial_census){0};
}

/* ---- what sort ---- */

/* A network in use, with addresses known, in which we have no peer: any of them. */
static enum network lonely_network(struct p2p *p)
{
    enum network out = NET_COUNT;
    unsigned found = 0;
    for (enum network net = NET_IPV4; net < NET_INTERNAL; net++) {
        if (!(dial_networks(p) >> net & 1) || dial_count_in_network(p, net) > 0) continue;
        if (addrman_size(p->addrman, net, ADDRMAN_BOTH) == 0) continue;
        if (random_below(&p->random, ++found) == 0) out = net;
    }
    return out;
}

bool dial_want_next(struct p2p *p, const struct dial_census *c, struct dial_want *out)
{
    struct dial_plan *d = p->dial;
    struct dial_open *o = &d->open;
    *out = (struct dial_want){.type = CONN_OUTBOUND_FULL, .only = NET_COUNT};
    if (d->anchor_count > 0 && c->block_relay < d->max_block_relay) {
        out->type = CONN_BLOCK_RELAY;
        out->anchor = true;
    } else if (c->full < d->max_full) {
        /* as it is */
    } else if (c->block_relay < d->max_block_relay) {
        out->type = CONN_BLOCK_RELAY;
    } else if (d->extra_full) {
        /* as it is: the tip is stale, somebody may know a better one */
    } else if (d->extra_block_relay && p->wall_us > o->next_extra_block_relay_us) {
        /* Somebody new to ask for headers every few minutes: who surrounds us would have to own them all. */
        o->next_extra_block_relay_us = p->wall_us + p2p_poisson_us(p, EXTRA_BLOCK_RELAY_US);
        out->type = CONN_BLOCK_RELAY;
    } else if (p->wall_us > o->next_feeler_us) {
        o->next_feeler_us = p->wall_us + p2p_poisson_us(p, FEELER_US);
        out->type = CONN_FEELER;
    } else if (c->full == d->max_full && d->max_full == P2P_MAX_OUTBOUND_FULL &&
               p->wall_us > o->next_extra_network_us && (out->only = lonely_network(p)) != NET_COUNT) {
        o->next_extra_network_us = p->wall_us + p2p_poisson_us(p, EXTRA_NETWORK_US);
    } else {
        return false;
    }
    return true;
}

/* ---- where ---- */

static bool next_anchor(struct p2p *p, const struct dial_census *c, struct peer_addr *out)
{
    struct dial_plan *d = p->dial;
    while (d->anchor_count > 0) {
        *out = d->anchors[--d->anchor_count];
        const struct netaddr *a = &out->at.addr;
        struct netgroup g = netaddr_group(a);
        if (!netaddr_is_valid(a) || local_addrs_has(&p->local, a) || !dial_is_reachable(p, a)) continue;
        if (!dial_has_desirable_services(p, out->services) || has_group(c, &g)) continue;
        char text[ENDPOINT_TEXT];
        log_debug(p->log, LOGC_NET, "Trying to make an anchor connection to %s", endpoint_text(text, &out->at));
        return true;
    }
    return false;
}

/* A feeler tests a tried address whose place another wants, else one of which we only heard. */
static bool select_for_feeler(struct p2p *p, struct peer_addr *out, int64_t *last_try_s)
{
    int64_t now_s = p2p_now_s(p);
    if (addrman_select_tried_collision(p->addrman, out, last_try_s)) {
        if (!dial_connected_to_address(p, &out->at.addr)) return true;
        addrman_good(p->addrman, &out->at, now_s); /* it answers: we are connected */
    }
    return addrman_select(p->addrman, true, dial_networks(p), now_s, out, last_try_s);
}

static bool select_address(struct p2p *p, const struct dial_want *want, struct peer_addr *out, int64_t *last_try_s)
{
    if (want->type == CONN_FEELER) return select_for_feeler(p, out, last_try_s);
    uint32_t networks = want->only == NET_COUNT ? dial_networks(p) : 1u << want->only;
    return addrman_select(p->addrman, false, networks, p2p_now_s(p), out, last_try_s);
}

static bool is_added(struct p2p *p, const struct dial_want *want, const struct peer_addr *a)
{
    if (!dial_added_has(p, &a->at)) return false;
    char text[ENDPOINT_TEXT];
    log_debug(p->log, LOGC_NET,
              "Not making automatic %s%s connection to %s peer selected for manual (addnode) "
              "connection%s%s",
              want->only == NET_COUNT ? "" : "network-specific ", conn_type_name(want->type),
              network_name(netaddr_network(&a->at.addr)), p->options.log_ips ? ": " : "",
              p->options.log_ips ? endpoint_text(text, &a->at) : "");
    return true;
}

/* Whether the address found at the TRY-th attempt will do. */
static bool suits(struct p2p *p, const struct dial_want *want, const struct peer_addr *a, int64_t last_try_s,
                  unsigned try)
{
    bool feeler = want->type == CONN_FEELER;
    if (!dial_is_reachable(p, &a->at.addr)) return false;
    if (p2p_now_s(p) - last_try_s < RECENTLY_S && try < TRIES_RECENT) return false;
    if (feeler ? !(a->services & (NODE_NETWORK | NODE_NETWORK_LIMITED)) : !dial_has_desirable_services(p, a->services))
        return false;
    bool clear = a->at.addr.net == NET_IPV4 || a->at.addr.net == NET_IPV6;
    if (try < TRIES_BAD_PORT && clear && port_is_bad(a->at.port)) return false;
    return !is_added(p, want, a);
}

bool dial_choose(struct p2p *p, const struct dial_census *c, const struct dial_want *want, struct peer_addr *out)
{
    addrman_resolve_collisions(p->addrman, p2p_now_s(p));
    if (want->anchor && next_anchor(p, c, out)) return true;
    for (unsigned try = 1; try <= TRIES; try++) {
        int64_t last_try_s = 0;
        if (!select_address(p, want, out, &last_try_s)) return false;
        struct netgroup g = netaddr_group(&out->at.addr);
        if (want->type != CONN_FEELER && has_group(c, &g)) continue;
        if (!netaddr_is_valid(&out->at.addr) || local_addrs_has(&p->local, &out->at.addr)) return false;
        if (suits(p, want, out, last_try_s, try)) return true;
    }
    return false;
}
