/* The cached answers to getaddr: one for each network that a peer comes from and each socket of ours that it came to.
 * Fresh answers would let anybody read the whole address book, and from its times who we are connected to. */
#include <stdlib.h>

#include "base/alloc.h"
#include "crypto/siphash.h"
#include "p2p/internal.h"

enum { CACHES_MAX = 64 }; /* networks times sockets; who has more shares */

#define CACHE_LEAST_US  (INT64_C(21) * 3600 * 1000000)
#define CACHE_SPREAD_US (UINT64_C(6) * 3600 * 1000000)

struct addr_cache {
    uint64_t key;
    int64_t until_us; /* wall */
    struct peer_addr *addrs;
    size_t count;
};

uint64_t addr_cache_key(const struct addr_relay *r, const struct peer *peer)
{
    struct endpoint_key at;
    endpoint_key(&at, &peer->local);
    uint8_t text[1 + sizeof(at.bytes)];
    text[0] = peer->inbound_onion ? NET_ONION : (uint8_t)netaddr_class_of(&peer->remote.addr);
    memcpy(text + 1, at.bytes, sizeof(at.bytes));
    return siphash24(r->key[0], r->key[1], text, sizeof(text));
}

struct peer_addr *addr_cache_fresh(struct p2p *p, size_t *count)
{
    struct peer_addr *addrs = NULL;
    int64_t now_s = p2p_now_s(p);
    size_t found = addrman_get_addr(p->addrman, MAX_ADDR, ADDR_ANSWER_PERCENT, NET_COUNT, true, now_s, &addrs);
    size_t kept = 0;
    for (size_t i = 0; i < found; i++) {
        const struct netaddr *a = &addrs[i].at.addr;
        if (bans_is_discouraged(p->bans, a) || bans_has_addr(p->bans, a, now_s)) continue;
        addrs[kept++] = addrs[i];
    }
    *count = kept;
    return addrs;
}

static struct addr_cache *cache_of(struct addr_relay *r, uint64_t key)
{
    for (size_t i = 0; i < r->cache_count; i++)
        if (r->caches[i].key == key) return &r->caches[i];
    if (r->cache_count == CACHES_MAX) return &r->caches[key % CACHES_MAX];
    r->caches = mem_grow(r->caches, &r->cache_cap, r->cache_count + 1, sizeof(*r->caches));
    struct addr_cache *c = &r->caches[r->cache_count++];
    *c = (struct addr_cache){.key = key};
    return c;
}

const struct peer_addr *addr_cache_answer(struct p2p *p, const struct peer *peer, size_t *count)
{
    struct addr_relay *r = &p->addr_relay;
    struct addr_cache *c = cache_of(r, addr_cache_key(r, peer));
    if (c->until_us < p->wall_us) {
        free(c->addrs);
        c->addrs = addr_cache_fresh(p, &c->count);
        c->until_us = p->wall_us + CACHE_LEAST_US + (int64_t)random_below(&p->random, CACHE_SPREAD_US);
    }
    *count = c->count;
    return c->addrs;
}

void addr_cache_clear(struct addr_relay *r)
{
    for (size_t i = 0; i < r->cache_count; i++) free(r->caches[i].addrs);
    free(r->caches);
    r->caches = NULL;
    r->cache_count = r->cache_cap = 0;
}

size_t addr_cache_memory(const struct addr_relay *r)
{
    size_t bytes = r->cache_cap * sizeof(*r->caches);
    for (size_t i = 0; i < r->cache_count; i++) bytes += r->caches[i].count * sizeof(*r->caches[i].addrs);
    return bytes;
}
