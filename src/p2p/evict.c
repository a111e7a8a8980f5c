/* Which inbound peer loses its place when a new one comes and all are taken. */
#include "p2p/evict.h"

#include "crypto/siphash.h"
#include "p2p/internal.h"

/* How many each protection saves, and the networks that are slow and rare, so that speed and age alone would drop
 * them. */
enum { BY_GROUP = 4, BY_PING = 8, BY_TX = 4, BY_BLOCK_RELAY = 8, BY_BLOCK = 4, NETWORKS = 4 };

/* ---- orders: those that stay are last; equals by number, so that the choice is the same everywhere ---- */

typedef int (*order)(const void *a, const void *b);

static int cmp_number(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_age(const struct evict_candidate *a, const struct evict_candidate *b)
{
    int c = cmp_number(b->connected_us, a->connected_us);
    return c ? c : cmp_number(a->id, b->id);
}

static int order_age(const void *a, const void *b)
{
    return by_age(a, b);
}

static int order_group(const void *pa, const void *pb)
{
    const struct evict_candidate *a = pa, *b = pb;
    if (a->keyed_group != b->keyed_group) return a->keyed_group < b->keyed_group ? -1 : 1;
    return cmp_number(a->id, b->id);
}

static int order_ping(const void *pa, const void *pb)
{
    const struct evict_candidate *a = pa, *b = pb;
    int c = cmp_number(b->min_ping_us, a->min_ping_us);
    return c ? c : cmp_number(a->id, b->id);
}

/* Many never brought a block: then it counts what they offer, and their age. */
static int order_block(const void *pa, const void *pb)
{
    const struct evict_candidate *a = pa, *b = pb;
    int c = cmp_number(a->last_block_s, b->last_block_s);
    if (!c) c = a->relevant_services - b->relevant_services;
    return c ? c : by_age(a, b);
}

static int order_tx(const void *pa, const void *pb)
{
    const struct evict_candidate *a = pa, *b = pb;
    int c = cmp_number(a->last_tx_s, b->last_tx_s);
    if (!c) c = a->relays_txs - b->relays_txs;
    if (!c) c = b->bloom_filter - a->bloom_filter;
    return c ? c : by_age(a, b);
}

static int order_block_relay(const void *pa, const void *pb)
{
    const struct evict_candidate *a = pa, *b = pb;
    int c = b->relays_txs - a->relays_txs;
    return c ? c : order_block(a, b);
}

static bool is_of(const struct evict_candidate *c, enum network network)
{
    return c->network == network;
}

static int order_cjdns(const void *a, const void *b)
{
    int c = is_of(a, NET_CJDNS) - is_of(b, NET_CJDNS);
    return c ? c : by_age(a, b);
}

static int order_i2p(const void *a, const void *b)
{
    int c = is_of(a, NET_I2P) - is_of(b, NET_I2P);
    return c ? c : by_age(a, b);
}

static int order_onion(const void *a, const void *b)
{
    int c = is_of(a, NET_ONION) - is_of(b, NET_ONION);
    return c ? c : by_age(a, b);
}

static int order_local(const void *pa, const void *pb)
{
    const struct evict_candidate *a = pa, *b = pb;
    int c = a->local - b->local;
    return c ? c : by_age(a, b);
}

/* ---- protections ---- */

static bool is_anybody(const struct evict_candidate *c)
{
    (void)c;
    return true;
}

static bool is_block_relay(const struct evict_candidate *c)
{
    return !c->relays_txs && c->relevant_services;
}

static bool is_cjdns(const struct evict_candidate *c)
{
    return is_of(c, NET_CJDNS);
}

static bool is_i2p(const struct evict_candidate *c)
{
    return is_of(c, NET_I2P);
}

static bool is_onion(const struct evict_candidate *c)
{
    return is_of(c, NET_ONION);
}

static bool is_local(const struct evict_candidate *c)
{
    return c->local;
}

typedef bool (*property)(const struct evict_candidate *c);

/* Takes those of the last MAX by ORDER out that have PROPERTY; returns how many are left. */
static size_t protect(struct evict_candidate *c, size_t count, order by, size_t max, property is)
{
    qsort(c, count, sizeof(*c), by);
    size_t kept = count > max ? count - max : 0;
    for (size_t i = kept; i < count; i++)
        if (!is(&c[i])) c[kept++] = c[i];
    return kept;
}

struct rare {
    order by;
    property is;
    size_t count;
};

/* The rare networks and how many candidates each has, fewest first. */
static void count_rare(struct rare rare[NETWORKS], const struct evict_candidate *c, size_t count)
{
    const struct rare all[NETWORKS] = {
        {order_cjdns, is_cjdns, 0}, {order_i2p, is_i2p, 0}, {order_local, is_local, 0}, {order_onion, is_onion, 0}};
    for (size_t n = 0; n < NETWORKS; n++) {
        struct rare r = all[n];
        for (size_t i = 0; i < count; i++) r.count += r.is(&c[i]);
        size_t at = n;
        for (; at > 0 && rare[at - 1].count > r.count; at--) rare[at] = rare[at - 1];
        rare[at] = r;
    }
}

/* Up to MAX candidates of rare networks: shared out evenly, round by round, what one does not need going to others. */
static size_t protect_rare(struct evict_candidate *c, size_t count, size_t max)
{
    struct rare rare[NETWORKS];
    size_t saved = 0;
    count_rare(rare, c, count);
    for (bool progress = true; saved < max && progress;) {
        size_t networks = 0;
        progress = false;
        for (size_t n = 0; n < NETWORKS; n++) networks += rare[n].count > 0;
        if (networks == 0) break;
        size_t each = (max - saved) / networks;
        if (each == 0) each = 1;
        for (size_t n = 0; n < NETWORKS && saved < max; n++) {
            if (rare[n].count == 0) continue;
            size_t left = protect(c, count, rare[n].by, each, rare[n].is);
            progress |= left < count;
            saved += count - left;
            rare[n].count -= count - left;
            count = left;
        }
    }
    return count;
}

/* Half of those left: a quarter by rare network, the rest by how long they have been here. */
static size_t protect_half(struct evict_candidate *c, size_t count)
{
    size_t before = count, half = count / 2;
    count = protect_rare(c, count, half / 2);
    return protect(c, count, order_age, half - (before - count), is_anybody);
}

/* ---- the choice ---- */

/* The youngest of the network group with the most candidates (the youngest group among equals). C is in the order of
 * age, youngest first. */
static peer_id largest_group(const struct evict_candidate *c, size_t count)
{
    size_t best = 0, most = 0;
    for (size_t i = 0; i < count; i++) {
        size_t members = 0;
        bool first = true;
        for (size_t j = 0; j < count; j++) {
            if (c[j].keyed_group != c[i].keyed_group) continue;
            members++;
            first &= j >= i;
        }
        if (!first || members < most) continue;
        if (members == most && c[i].connected_us <= c[best].connected_us) continue;
        best = i;
        most = members;
    }
    return c[best].id;
}

peer_id evict_choose(struct evict_candidate *c, size_t count)
{
    size_t left = 0, preferred = 0;
    for (size_t i = 0; i < count; i++)
        if (c[i].inbound && !c[i].no_ban) c[left++] = c[i];
    left = protect(c, left, order_group, BY_GROUP, is_anybody);
    left = protect(c, left, order_ping, BY_PING, is_anybody);
    left = protect(c, left, order_tx, BY_TX, is_anybody);
    left = protect(c, left, order_block_relay, BY_BLOCK_RELAY, is_block_relay);
    left = protect(c, left, order_block, BY_BLOCK, is_anybody);
    left = protect_half(c, left);
    if (left == 0) return P2P_NO_PEER;
    for (size_t i = 0; i < left; i++)
        if (c[i].prefer_evict) c[preferred++] = c[i];
    return largest_group(c, preferred ? preferred : left);
}

/* ---- with our peers ---- */

static void describe(const struct p2p *p, const struct peer *peer, struct evict_candidate *out)
{
    struct netgroup group = netaddr_group(&peer->remote.addr);
    *out = (struct evict_candidate){
        .id = peer->id,
        .connected_us = peer->connected_us,
        .min_ping_us = peer->ping.min_us < 0 ? INT64_MAX : peer->ping.min_us,
        .last_block_s = peer->blocks.last_block_s,
        .last_tx_s = peer->txs.last_tx_s,
        .relevant_services = peer->handshake.wanted_services,
        .relays_txs = peer->txs.relay,
        .bloom_filter = peer->txs.filter.bits != NULL,
        .keyed_group = siphash24(p->key[0], p->key[1], group.bytes, group.len),
        .prefer_evict = peer->prefer_evict,
        .local = netaddr_is_local(&peer->remote.addr),
        .no_ban = peer_permits(peer, PERM_NO_BAN),
        .inbound = peer_is_inbound(peer),
        .network = peer->inbound_onion ? NET_ONION : netaddr_class_of(&peer->remote.addr),
    };
}

/* Of those that relay transactions only where TXS_ONLY; never PROTECTED (may be NULL). */
static bool evict_one(struct p2p *p, bool txs_only, const struct peer *protected)
{
    char who[PEER_LOG];
    size_t count = 0;
    struct evict_candidate *c = mem_calloc(p->peer_count + 1, sizeof(*c));
    for (size_t i = 0; i < p->peer_count; i++) {
        const struct peer *peer = p->peers[i];
        if (!peer->disconnecting && peer != protected && (!txs_only || peer->txs.relay)) describe(p, peer, &c[count++]);
    }
    struct peer *chosen = p2p_peer(p, evict_choose(c, count));
    free(c);
    if (!chosen) return false;
    log_debug(p->log, LOGC_NET, "selected %s connection for eviction, %s", conn_type_name(chosen->type),
              peer_log_disconnect(who, p, chosen));
    peer_disconnect(p, chosen);
    return true;
}

bool evict_inbound(struct p2p *p)
{
    return evict_one(p, false, NULL);
}

bool evict_for_tx_relay(struct p2p *p, struct peer *peer, const char *name, bool protect_peer)
{
    size_t relaying = 0, max = p2p_max_inbound(p) * (100 - p->options.no_relay_percent) / 100;
    if (!peer_is_inbound(peer) || !peer->txs.relay) return true;
    for (size_t i = 0; i < p->peer_count; i++) {
        const struct peer *other = p->peers[i];
        relaying += !other->disconnecting && peer_is_inbound(other) && other->txs.relay;
    }
    if (relaying <= max || evict_one(p, true, protect_peer ? peer : NULL)) return true;
    log_debug(p->log, LOGC_NET,
              "failed to find a tx-relaying eviction candidate - connection dropped after %s message, peer=%lld", name,
              (long long)peer->id);
    peer_disconnect(p, peer);
    return false;
}
