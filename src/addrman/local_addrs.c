/* Our own addresses: an ordered list with scores, and the choice among them for a peer. */
#include "addrman/local_addrs.h"

#include <stdlib.h>

#include "base/alloc.h"

void local_addrs_clear(struct local_addrs *l)
{
    free(l->items);
    l->items = NULL;
    l->count = l->cap = 0;
}

/* The index of AT, or of where it would go in; *FOUND tells which. */
static size_t search(const struct local_addrs *l, const struct netaddr *at, bool *found)
{
    size_t i = 0;
    int order = 1;
    while (i < l->count && (order = netaddr_cmp(&l->items[i].at.addr, at)) < 0) i++;
    *found = i < l->count && order == 0;
    return i;
}

static bool reachable(const struct local_addrs *l, const struct netaddr *a)
{
    return l->reachable >> netaddr_network(a) & 1;
}

static void raise(struct local_addr *a, int32_t score, int32_t by)
{
    a->score = score > INT32_MAX - by ? INT32_MAX : score + by;
}

bool local_addrs_add(struct local_addrs *l, const struct endpoint *at, int32_t score, bool even_if_unreachable)
{
    struct endpoint e = *at;
    if (l->reachable >> NET_CJDNS & 1) netaddr_flip_to_cjdns(&e.addr);
    if (!netaddr_is_routable(&e.addr)) return false;
    if (!l->discover && score < LOCAL_MANUAL) return false;
    if (!even_if_unreachable && !reachable(l, &e.addr)) return false;
    bool found;
    size_t i = search(l, &e.addr, &found);
    if (!found) {
        l->items = mem_grow(l->items, &l->cap, l->count + 1, sizeof(*l->items));
        memmove(&l->items[i + 1], &l->items[i], (l->count - i) * sizeof(*l->items));
        l->count++;
        l->items[i] = (struct local_addr){.at = e, .score = score};
    } else if (score >= l->items[i].score) {
        raise(&l->items[i], score, 1);
        l->items[i].at.port = e.port;
    }
    return true;
}

bool local_addrs_seen(struct local_addrs *l, const struct netaddr *at)
{
    bool found;
    size_t i = search(l, at, &found);
    if (found) raise(&l->items[i], l->items[i].score, 1);
    return found;
}

void local_addrs_remove(struct local_addrs *l, const struct netaddr *at)
{
    bool found;
    size_t i = search(l, at, &found);
    if (!found) return;
    l->count--;
    memmove(&l->items[i], &l->items[i + 1], (l->count - i) * sizeof(*l->items));
}

bool local_addrs_has(const struct local_addrs *l, const struct netaddr *at)
{
    bool found;
    search(l, at, &found);
    return found;
}

static int32_t score_of(const struct local_addrs *l, const struct netaddr *at)
{
    bool found;
    size_t i = search(l, at, &found);
    return found ? l->items[i].score : 0;
}

/* To a peer in another network an address of Tor or I2P would tell who is behind it, and the other way round. */
static bool would_link(const struct netaddr *ours, const struct local_peer *peer)
{
    enum network through = peer->inbound_onion ? NET_ONION : netaddr_class_of(&peer->addr);
    bool peer_private = peer->inbound_onion || netaddr_is_privacy(&peer->addr);
    return netaddr_network(ours) != through && (netaddr_is_privacy(ours) || peer_private);
}

struct endpoint local_addrs_best(const struct local_addrs *l, const struct local_peer *peer)
{
    const struct local_addr *best = NULL;
    int best_reach = -1;
    for (size_t i = 0; l->listen && i < l->count; i++) {
        const struct local_addr *a = &l->items[i];
        if (would_link(&a->at.addr, peer)) continue;
        int reach = netaddr_reachability(&a->at.addr, &peer->addr);
        if (reach > best_reach || (reach == best_reach && a->score > best->score)) {
            best = a;
            best_reach = reach;
        }
    }
    return best ? best->at : (struct endpoint){.addr = netaddr_none(), .port = l->listen_port};
}

bool local_addrs_advertise(const struct local_addrs *l, const struct local_peer *peer, struct random *random,
                           struct endpoint *out)
{
    *out = local_addrs_best(l, peer);
    const struct netaddr *seen = &peer->seen_us.addr;
    bool usable = l->discover && netaddr_is_routable(&peer->addr) && netaddr_is_routable(seen) && reachable(l, seen);
    /* What many peers agree on is doubted less often. */
    uint64_t one_in = score_of(l, &out->addr) > LOCAL_MANUAL ? 8 : 2;
    if (usable && (!netaddr_is_routable(&out->addr) || random_below(random, one_in) == 0)) {
        out->addr = *seen;
        /* A peer that we dialled cannot know on which port we listen. */
        if (peer->inbound) out->port = peer->seen_us.port;
    }
    return netaddr_is_routable(&out->addr);
}
