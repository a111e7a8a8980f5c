/* Dials: asking the owner for connections, what is out, and what an answer means for the address book; and the counts
 * of outbound peers that others ask for. Which connections to ask for is decided in the files beside. */
#include "p2p/dial.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "p2p/dial_plan.h"
#include "p2p/fixed_seeds.h"

enum {
    LIMITED_DEPTH = 144, /* with a tip that is less behind, peers with only the last blocks will do (BIP159) */
};

/* ---- lists ---- */

void text_list_add(struct text_list *l, const char *text)
{
    l->items = mem_grow(l->items, &l->cap, l->count + 1, sizeof(*l->items));
    l->items[l->count++] = mem_strdup(text);
}

void text_list_shuffle(struct text_list *l, struct random *random)
{
    for (size_t i = l->count; i > 1; i--) {
        size_t j = random_below(random, i);
        char *t = l->items[i - 1];
        l->items[i - 1] = l->items[j];
        l->items[j] = t;
    }
}

void text_list_clear(struct text_list *l)
{
    for (size_t i = 0; i < l->count; i++) free(l->items[i]);
    free(l->items);
    *l = (struct text_list){0};
}

static void take_list(struct text_list *l, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) text_list_add(l, texts[i]);
}

/* ---- life ---- */

void dial_init(struct p2p *p, const struct p2p_options *o)
{
    struct dial_plan *d = mem_calloc(1, sizeof(*d));
    p->dial = d;
    d->next_number = 1;
    d->max_full = p2p_max_outbound_full(p);
    d->max_block_relay = p2p_max_block_relay(p);
    d->max_outbound = d->max_full + d->max_block_relay + P2P_MAX_FEELER;
    if (d->max_outbound > o->max_connections) d->max_outbound = o->max_connections;
    take_list(&d->connect, o->connect, o->connect_count);
    take_list(&d->seed_nodes, o->seed_nodes, o->seed_node_count);
    take_list(&d->dns.seeds, o->dns_seeds, o->dns_seed_count);
    text_list_shuffle(&d->seed_nodes, &p->random); /* else all of ours would ask the same one first */
    text_list_shuffle(&d->dns.seeds, &p->random);
    d->has_seed_nodes = o->seed_node_count > 0;
    for (size_t i = 0; i < o->add_node_count; i++) p2p_add_node(p, o->add_nodes[i], false);
    for (size_t i = 0; i < o->anchor_count && i < ANCHORS_MAX; i++) d->anchors[d->anchor_count++] = o->anchors[i];
    if (o->fixed_count > 0) {
        d->fixed = mem_dup(o->fixed, o->fixed_count * sizeof(*d->fixed));
        d->fixed_count = o->fixed_count;
    } else {
        d->fixed_count = fixed_seeds(p->params->type, &d->fixed);
    }
}

void dial_clear(struct p2p *p)
{
    struct dial_plan *d = p->dial;
    if (!d) return;
    text_list_clear(&d->connect);
    text_list_clear(&d->seed_nodes);
    text_list_clear(&d->fetches);
    text_list_clear(&d->dns.seeds);
    dial_added_clear(&d->added);
    free(d->fixed);
    free(d->dials);
    free(d);
    p->dial = NULL;
}

static void begin(struct p2p *p)
{
    struct dial_plan *d = p->dial;
    d->begun = true;
    if (p->options.automatic)
        log_info(p->log, "%zu block-relay-only anchors will be tried for connections.", d->anchor_count);
    dial_dns_begin(p);
    dial_added_begin(p);
    dial_open_begin(p);
}

void dial_tick(struct p2p *p)
{
    if (!p->dial->begun) begin(p);
    while (dial_dns_step(p)) {
    }
    while (dial_added_step(p)) {
    }
    while (dial_open_step(p)) {
    }
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When a machine goes on: at once where its dial was answered, never while it is out. */
static int64_t after_dial(const struct p2p *p, uint64_t number)
{
    return dial_is_out(p, number) ? INT64_MAX : p->steady_us;
}

int64_t dial_deadline(const struct p2p *p)
{
    const struct dial_plan *d = p->dial;
    if (!d->begun) return p->steady_us;
    int64_t at = INT64_MAX;
    if (d->added.state == ADDED_DIALLING)
        at = after_dial(p, d->added.dial);
    else
        at = d->added.wake_us;
    if (d->dns.state != DNS_OFF && d->dns.state != DNS_RESOLVING) at = sooner(at, d->dns.wake_us);
    switch (d->open.state) {
    case OPEN_OFF: break;
    case OPEN_FETCHING:
    case OPEN_DIALLING: at = sooner(at, after_dial(p, d->open.dial)); break;
    case OPEN_CHOOSE:
        if (dial_slot_free(p)) at = sooner(at, d->open.wake_us);
        break;
    default: at = sooner(at, d->open.wake_us); break;
    }
    return at;
}

/* ---- dials ---- */

const struct dial *dial_find(const struct p2p *p, uint64_t number)
{
    const struct dial_plan *d = p->dial;
    for (size_t i = 0; i < d->dial_count; i++)
        if (d->dials[i].number == number) return &d->dials[i];
    return NULL;
}

bool dial_is_out(const struct p2p *p, uint64_t number)
{
    return dial_find(p, number) != NULL;
}

static void forget(struct dial_plan *d, const struct dial *dial)
{
    size_t i = (size_t)(dial - d->dials);
    CHECK(i < d->dial_count);
    memmove(&d->dials[i], &d->dials[i + 1], (d->dial_count - i - 1) * sizeof(*d->dials));
    d->dial_count--;
}

void dial_done(struct p2p *p, uint64_t number)
{
    const struct dial *dial = dial_find(p, number);
    if (dial) forget(p->dial, dial);
}

void p2p_dial_failed(struct p2p *p, uint64_t number, const struct endpoint *found, bool proxy_failed)
{
    const struct dial *dial = dial_find(p, number);
    if (!dial) return;
    const struct endpoint *at = dial->host[0] == '\0' ? &dial->to : found;
    if (at && !proxy_failed) addrman_attempt(p->addrman, at, dial->count_failure, p2p_now_s(p));
    forget(p->dial, dial);
}

bool p2p_is_dialling(const struct p2p *p, const char *host)
{
    for (size_t i = 0; i < p->dial->dial_count; i++)
        if (strcmp(p->dial->dials[i].host, host) == 0) return host[0] != '\0';
    return false;
}

static uint64_t ask(struct p2p *p, const struct dial *new_dial)
{
    struct dial_plan *d = p->dial;
    d->dials = mem_grow(d->dials, &d->dial_cap, d->dial_count + 1, sizeof(*d->dials));
    struct dial *dial = &d->dials[d->dial_count++];
    *dial = *new_dial;
    dial->number = d->next_number++;
    struct p2p_action *a = p2p_add_action(p, P2P_DIAL);
    a->dial = dial->number;
    a->type = dial->type;
    a->to = dial->to;
    memcpy(a->host, dial->host, sizeof(a->host));
    return dial->number;
}

bool dial_connected_to_address(const struct p2p *p, const struct netaddr *a)
{
    for (size_t i = 0; i < p->peer_count; i++)
        if (netaddr_equal(&p->peers[i]->remote.addr, a)) return true;
    return false;
}

static bool connected_to(const struct p2p *p, const struct endpoint *e)
{
    for (size_t i = 0; i < p->peer_count; i++)
        if (endpoint_equal(&p->peers[i]->remote, e)) return true;
    return false;
}

bool dial_parse(const struct p2p *p, struct endpoint *out, const char *text)
{
    struct netaddr i2p;
    bool has_no_port = netaddr_parse_special(&i2p, span_str(text)) && i2p.net == NET_I2P; /* SAM 3.1 knows none */
    if (!endpoint_parse(out, span_str(text), has_no_port ? 0 : p->options.default_port)) return false;
    if (dial_networks(p) & 1u << NET_CJDNS) netaddr_flip_to_cjdns(&out->addr);
    return true;
}

uint64_t dial_host(struct p2p *p, const char *host, enum conn_type type)
{
    if (!p->active) return 0;
    for (size_t i = 0; i < p->peer_count; i++)
        if (strcmp(p->peers[i]->name, host) == 0) return 0;
    log_debug(p->log, LOGC_NET, "trying v1 connection (%s) to %s, lastseen=0.0hrs", conn_type_name(type), host);
    struct dial dial = {.type = type, .to.addr = netaddr_none()};
    struct endpoint at;
    if (dial_parse(p, &at, host)) {
        char text[ENDPOINT_TEXT];
        if (!netaddr_is_valid(&at.addr)) {
            log_debug(p->log, LOGC_NET, "Resolver returned invalid address %s for %s", endpoint_text(text, &at), host);
            return 0;
        }
        if (connected_to(p, &at)) {
            log_info(p->log, "Not opening a connection to %s, already connected to %s", host, endpoint_text(text, &at));
            return 0;
        }
    }
    snprintf(dial.host, sizeof(dial.host), "%s", host);
    return ask(p, &dial);
}

uint64_t dial_address(struct p2p *p, const struct peer_addr *to, enum conn_type type, bool count_failure)
{
    const struct netaddr *a = &to->at.addr;
    int64_t now_s = p2p_now_s(p);
    if (!p->active || bans_is_discouraged(p->bans, a) || bans_has_addr(p->bans, a, now_s)) return 0;
    if (local_addrs_has(&p->local, a) || dial_connected_to_address(p, a)) return 0;
    for (size_t i = 0; i < p->dial->dial_count; i++)
        if (p->dial->dials[i].host[0] == '\0' && netaddr_equal(&p->dial->dials[i].to.addr, a)) return 0;
    char text[ENDPOINT_TEXT];
    log_debug(p->log, LOGC_NET, "trying v1 connection (%s) to %s, lastseen=%.1fhrs", conn_type_name(type),
              endpoint_text(text, &to->at), (double)(now_s - (int64_t)to->time) / 3600.0);
    return ask(p, &(struct dial){.type = type, .to = to->at, .count_failure = count_failure});
}

/* ---- peers ---- */

void dial_peer_gone(struct p2p *p, const struct peer *peer)
{
    /* Block-relay peers stay hidden: the address book's times are told to others. */
    if (!peer->handshake.verack_received || peer_is_inbound(peer) || peer->type == CONN_BLOCK_RELAY) return;
    addrman_connected(p->addrman, &peer->remote, p2p_now_s(p));
}

static bool is_automatic(enum conn_type type)
{
    return type != CONN_INBOUND && type != CONN_MANUAL;
}

bool dial_slot_free(const struct p2p *p)
{
    unsigned taken = 0;
    for (size_t i = 0; i < p->peer_count; i++) taken += is_automatic(p->peers[i]->type);
    for (size_t i = 0; i < p->dial->dial_count; i++) taken += is_automatic(p->dial->dials[i].type);
    return taken < p->dial->max_outbound;
}

unsigned dial_full_open(const struct p2p *p)
{
    unsigned count = 0;
    for (size_t i = 0; i < p->peer_count; i++)
        count += p->peers[i]->type == CONN_OUTBOUND_FULL && p->peers[i]->handshake.verack_received;
    return count;
}

static int too_many(const struct p2p *p, enum conn_type type, unsigned wanted)
{
    int count = 0;
    for (size_t i = 0; i < p->peer_count; i++) count += p->peers[i]->type == type && peer_is_open(p->peers[i]);
    return count > (int)wanted ? count - (int)wanted : 0;
}

int dial_extra_full_count(const struct p2p *p)
{
    return too_many(p, CONN_OUTBOUND_FULL, p->dial->max_full);
}

int dial_extra_block_relay_count(const struct p2p *p)
{
    return too_many(p, CONN_BLOCK_RELAY, p->dial->max_block_relay);
}

void dial_set_extra_full(struct p2p *p, bool wanted)
{
    p->dial->extra_full = wanted;
    log_debug(p->log, LOGC_NET, "setting try another outbound peer=%s", wanted ? "true" : "false");
}

void dial_start_extra_block_relay(struct p2p *p)
{
    log_debug(p->log, LOGC_NET, "enabling extra block-relay-only peers");
    p->dial->extra_block_relay = true;
}

bool dial_extra_block_relay(const struct p2p *p)
{
    return p->dial->extra_block_relay;
}

unsigned dial_count_in_network(const struct p2p *p, enum network net)
{
    unsigned count = 0;
    for (size_t i = 0; i < p->peer_count; i++) {
        const struct peer *peer = p->peers[i];
        if (peer->type != CONN_OUTBOUND_FULL && peer->type != CONN_MANUAL) continue;
        count += netaddr_network(&peer->remote.addr) == net;
    }
    return count;
}

size_t p2p_anchors(const struct p2p *p, struct peer_addr *out, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < p->peer_count && count < max; i++) {
        const struct peer *peer = p->peers[i];
        if (peer->type != CONN_BLOCK_RELAY) continue;
        struct peer_addr *a = &out[count++];
        *a = (struct peer_addr){.at = peer->remote, .services = peer->handshake.services};
        struct addrman_info info;
        if (!peer->handshake.version_received && addrman_find(p->addrman, &peer->remote, &info, NULL))
            a->services = info.addr.services;
        a->time = (uint32_t)p2p_now_s(p);
    }
    return count;
}

/* ---- networks and services ---- */

uint32_t dial_networks(const struct p2p *p)
{
    return p->options.networks ? p->options.networks : 1u << NET_IPV4 | 1u << NET_IPV6;
}

bool dial_is_reachable(const struct p2p *p, const struct netaddr *a)
{
    uint32_t networks = dial_networks(p);
    enum network net = netaddr_network(a);
    if (net == NET_UNROUTABLE) return networks & 1u << NET_IPV4 && networks & 1u << NET_IPV6;
    return networks >> net & 1;
}

uint64_t dial_desirable_services(const struct p2p *p, uint64_t services)
{
    if (services & NODE_NETWORK_LIMITED) {
        const struct block_node *tip = chain_tip(p->chain);
        int64_t behind_s = p2p_now_s(p) - (tip ? (int64_t)tip->header.time : 0);
        if (behind_s / p->params->target_spacing_s < LIMITED_DEPTH) return NODE_NETWORK_LIMITED | NODE_WITNESS;
    }
    return NODE_NETWORK | NODE_WITNESS;
}

size_t dial_memory(const struct p2p *p)
{
    const struct dial_plan *d = p->dial;
    size_t bytes = sizeof(*d) + d->dial_cap * sizeof(*d->dials) + d->fixed_count * sizeof(*d->fixed);
    return bytes + d->added.cap * (sizeof(*d->added.items) + P2P_HOST) +
           (d->connect.cap + d->seed_nodes.cap + d->fetches.cap + d->dns.seeds.cap) * P2P_HOST;
}
