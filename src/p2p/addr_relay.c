/* Addresses between peers: what they tell is stored and, where it is fresh, passed on to one or two others; a token
 * bucket for each peer bounds what it can make us do. Nobody is told of addresses before the first addr message of
 * theirs, so that those who only listen for transactions are not counted as relaying addresses. */
#include "p2p/addr_relay.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "crypto/siphash.h"
#include "p2p/internal.h"

enum {
    RELAY_MAX = 10,          /* longer messages are not passed on: answers to getaddr */
    FRESH_S = 10 * 60,       /* older addresses are not passed on, and those of a later future are not believed */
    STALE_S = 5 * 24 * 3600, /* the age given to addresses with an impossible time */
    PENALTY_S = 2 * 3600,    /* what is taken from the times that others tell */
    ROTATE_S = 24 * 3600,    /* the destinations of an address change this often */
    OLDEST_TIME_S = 100000000,
    KEEP_SENT = 40, /* room for so many stays after a send */
};

#define AVERAGE_SEND_US  INT64_C(30000000)
#define AVERAGE_LOCAL_US (INT64_C(24) * 3600 * 1000000)

static const double TOKENS_A_SECOND = 0.1;
static const double TOKENS_MAX = 1000.0;

void addr_relay_init(struct p2p *p)
{
    p->addr_relay = (struct addr_relay){0};
    p->addr_relay.key[0] = random_u64(&p->random);
    p->addr_relay.key[1] = random_u64(&p->random);
}

void addr_relay_clear(struct p2p *p)
{
    addr_cache_clear(&p->addr_relay);
}

void addr_relay_peer_init(struct p2p *p, struct peer *peer)
{
    peer->addrs = (struct peer_addrs){.tokens = 1.0, .token_time_us = p->wall_us};
}

void addr_relay_peer_clear(struct peer *peer)
{
    free(peer->addrs.to_send);
    rolling_bloom_clear(&peer->addrs.known);
    peer->addrs = (struct peer_addrs){0};
}

bool addr_relay_setup(struct p2p *p, struct peer *peer)
{
    if (peer->type == CONN_BLOCK_RELAY || peer->type == CONN_FEELER) return false;
    if (!peer->addrs.enabled) {
        peer->addrs.enabled = true;
        rolling_bloom_init(&peer->addrs.known, ADDR_KNOWN, 10, &p->random);
    }
    return true;
}

void addr_relay_peer_version(struct p2p *p, struct peer *peer)
{
    if (peer_is_inbound(peer) || !addr_relay_setup(p, peer)) return;
    peer_send_empty(p, peer, MESSAGE_GETADDR);
    peer->addrs.getaddr_sent = true;
    peer->addrs.tokens += MAX_ADDR; /* what we ask for is not held against them */
}

/* ---- what a peer knows and gets ---- */

static void mark_known(struct peer *peer, const struct endpoint *e)
{
    uint8_t key[NETADDR_BYTES + 2];
    rolling_bloom_put(&peer->addrs.known, span_of(key, endpoint_key_bytes(key, e)));
}

static bool is_known(const struct peer *peer, const struct endpoint *e)
{
    uint8_t key[NETADDR_BYTES + 2];
    return rolling_bloom_has(&peer->addrs.known, span_of(key, endpoint_key_bytes(key, e)));
}

/* Tor v3 and the like can only be told to those who asked for BIP155. */
static bool can_take(const struct peer *peer, const struct endpoint *e)
{
    return peer->handshake.wants_addrv2 || netaddr_fits_v1(&e->addr);
}

static void push(struct p2p *p, struct peer *peer, const struct peer_addr *a)
{
    struct peer_addrs *s = &peer->addrs;
    if (!netaddr_is_valid(&a->at.addr) || is_known(peer, &a->at) || !can_take(peer, &a->at)) return;
    if (s->to_send_count >= MAX_ADDR) {
        s->to_send[random_below(&p->random, s->to_send_count)] = *a;
        return;
    }
    s->to_send = mem_grow(s->to_send, &s->to_send_cap, s->to_send_count + 1, sizeof(*s->to_send));
    s->to_send[s->to_send_count++] = *a;
}

/* The two peers with the highest keyed hash of address and day get it: asking again and again reaches no others, and
 * nobody can choose who they are. Addresses that we ourselves cannot reach go to one or two. */
static void pass_on(struct p2p *p, const struct peer *from, const struct peer_addr *a, bool reachable)
{
    if (!reachable && !netaddr_is_relayable(&a->at.addr)) return;
    struct endpoint_key key;
    endpoint_key(&key, &a->at);
    uint64_t hash = siphash24(0, 0, key.bytes, sizeof(key.bytes));
    uint64_t words[3] = {hash, ((uint64_t)p2p_now_s(p) + hash) / ROTATE_S, 0};
    const uint64_t *k = p->addr_relay.key;
    unsigned most = reachable || (siphash24(k[0], k[1], words, 2 * sizeof(words[0])) & 1) ? 2 : 1;
    struct peer *best[2] = {NULL, NULL};
    uint64_t rank[2] = {0, 0};
    for (size_t i = 0; i < p->peer_count; i++) {
        struct peer *peer = p->peers[i];
        if (!peer->addrs.enabled || peer == from || !can_take(peer, &a->at)) continue;
        words[2] = (uint64_t)peer->id;
        uint64_t h = siphash24(k[0], k[1], words, sizeof(words));
        if (h > rank[0]) {
            best[1] = best[0];
            rank[1] = rank[0];
            best[0] = peer;
            rank[0] = h;
        } else if (h > rank[1]) {
            best[1] = peer;
            rank[1] = h;
        }
    }
    for (unsigned i = 0; i < most && best[i]; i++) push(p, best[i], a);
}

/* ---- addr and addrv2 in ---- */

static void fill_tokens(struct p2p *p, struct peer_addrs *s)
{
    if (s->tokens < TOKENS_MAX) {
        int64_t passed_us = p->wall_us - s->token_time_us;
        if (passed_us > 0) s->tokens += (double)passed_us / 1e6 * TOKENS_A_SECOND;
        if (s->tokens > TOKENS_MAX) s->tokens = TOKENS_MAX;
    }
    s->token_time_us = p->wall_us;
}

static void shuffle(struct random *random, struct peer_addr *addrs, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = random_below(random, i);
        struct peer_addr a = addrs[i - 1];
        addrs[i - 1] = addrs[j];
        addrs[j] = a;
    }
}

/* False: rate-limited. */
static bool take_token(const struct peer *peer, struct peer_addrs *s)
{
    if (s->tokens >= 1.0) {
        s->tokens -= 1.0;
        return true;
    }
    return peer_permits(peer, PERM_ADDR);
}

/* One address of a message of COUNT. True where it is to be stored. */
static bool process(struct p2p *p, struct peer *peer, struct peer_addr *a, size_t count)
{
    int64_t now_s = p2p_now_s(p);
    if (!(a->services & (NODE_NETWORK | NODE_NETWORK_LIMITED))) return false;
    if (a->time <= OLDEST_TIME_S || a->time > now_s + FRESH_S)
        a->time = now_s > STALE_S ? (uint32_t)(now_s - STALE_S) : 0;
    mark_known(peer, &a->at);
    if (bans_is_discouraged(p->bans, &a->at.addr) || bans_has_addr(p->bans, &a->at.addr, now_s)) return false;
    peer->addrs.processed++;
    bool reachable = dial_is_reachable(p, &a->at.addr);
    if (a->time > now_s - FRESH_S && !peer->addrs.getaddr_sent && count <= RELAY_MAX &&
        netaddr_is_routable(&a->at.addr))
        pass_on(p, peer, a, reachable);
    return reachable;
}

void addr_relay_on_addr(struct p2p *p, struct peer *peer, struct message *m)
{
    if (!addr_relay_setup(p, peer)) return;
    struct peer_addr *addrs = m->as.addr.addrs;
    size_t count = m->as.addr.count;
    struct peer_addrs *s = &peer->addrs;
    uint64_t processed = s->processed, rate_limited = s->rate_limited;
    fill_tokens(p, s);
    shuffle(&p->random, addrs, count);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!take_token(peer, s)) {
            s->rate_limited++;
            continue;
        }
        if (process(p, peer, &addrs[i], count)) addrs[kept++] = addrs[i];
    }
    log_debug(p->log, LOGC_NET,
              "Received addr: %zu addresses (%" PRIu64 " processed, %" PRIu64 " rate-limited) from peer=%" PRId64,
              count, s->processed - processed, s->rate_limited - rate_limited, peer->id);
    addrman_add(p->addrman, addrs, kept, &peer->remote.addr, PENALTY_S, p2p_now_s(p));
    if (count < MAX_ADDR) s->getaddr_sent = false;
    if (peer->type == CONN_ADDR_FETCH && count > 1) { /* a single one may be their own */
        char text[PEER_LOG];
        log_debug(p->log, LOGC_NET, "addrfetch connection completed, %s", peer_log_disconnect(text, p, peer));
        peer_disconnect(p, peer);
    }
}

/* ---- getaddr ---- */

void addr_relay_on_getaddr(struct p2p *p, struct peer *peer, struct message *m)
{
    (void)m;
    /* Only inbound: else somebody could plant addresses at a node, and recognise it by them when it connects. */
    if (!peer_is_inbound(peer)) {
        log_debug(p->log, LOGC_NET, "Ignoring \"getaddr\" from %s connection. peer=%" PRId64,
                  conn_type_name(peer->type), peer->id);
        return;
    }
    addr_relay_setup(p, peer);
    struct peer_addrs *s = &peer->addrs;
    if (s->getaddr_received) {
        log_debug(p->log, LOGC_NET, "Ignoring repeated \"getaddr\". peer=%" PRId64, peer->id);
        return;
    }
    s->getaddr_received = true;
    s->to_send_count = 0;
    size_t count;
    if (peer_permits(peer, PERM_ADDR)) {
        struct peer_addr *fresh = addr_cache_fresh(p, &count);
        for (size_t i = 0; i < count; i++) push(p, peer, &fresh[i]);
        free(fresh);
    } else {
        const struct peer_addr *cached = addr_cache_answer(p, peer, &count);
        for (size_t i = 0; i < count; i++) push(p, peer, &cached[i]);
    }
}

/* ---- out ---- */

static void send_addrs(struct p2p *p, struct peer *peer, struct peer_addr *addrs, size_t count)
{
    struct message m = {.type = peer->handshake.wants_addrv2 ? MESSAGE_ADDRV2 : MESSAGE_ADDR};
    m.as.addr = (struct addr_message){.addrs = addrs, .count = count};
    peer_send(p, peer, &m);
}

/* Tells the peer where others reach us: at the start in a message of its own, so that no limit of theirs drops it, and
 * then about once a day with what else there is. */
static void advertise(struct p2p *p, struct peer *peer)
{
    struct peer_addrs *s = &peer->addrs;
    if (s->next_local_us != 0) rolling_bloom_reset(&s->known, &p->random); /* or ours would not go out again */
    struct local_peer to = {
        .addr = peer->remote.addr,
        .inbound = peer_is_inbound(peer),
        .inbound_onion = peer->inbound_onion,
        .seen_us = peer->handshake.seen_us,
    };
    struct peer_addr self = {.services = peer->handshake.our_services, .time = (uint32_t)p2p_now_s(p)};
    if (local_addrs_advertise(&p->local, &to, &p->random, &self.at)) {
        char text[ENDPOINT_TEXT];
        log_debug(p->log, LOGC_NET, "Advertising address %s to peer=%" PRId64, endpoint_text(text, &self.at), peer->id);
        if (s->next_local_us != 0)
            push(p, peer, &self);
        else if (can_take(peer, &self.at))
            send_addrs(p, peer, &self, 1);
    }
    s->next_local_us = p->wall_us + p2p_poisson_us(p, AVERAGE_LOCAL_US);
}

static void send_waiting(struct p2p *p, struct peer *peer)
{
    struct peer_addrs *s = &peer->addrs;
    size_t kept = 0;
    for (size_t i = 0; i < s->to_send_count; i++) {
        if (is_known(peer, &s->to_send[i].at)) continue;
        mark_known(peer, &s->to_send[i].at);
        s->to_send[kept++] = s->to_send[i];
    }
    s->to_send_count = 0;
    if (kept > 0) send_addrs(p, peer, s->to_send, kept);
    if (s->to_send_cap > KEEP_SENT) { /* the large answer goes out but once */
        free(s->to_send);
        s->to_send = NULL;
        s->to_send_cap = 0;
    }
}

void addr_relay_send(struct p2p *p, struct peer *peer)
{
    struct peer_addrs *s = &peer->addrs;
    if (!s->enabled) return;
    if (p->options.listen && s->next_local_us < p->wall_us && !chain_is_initial_download(p->chain, p2p_now_s(p)))
        advertise(p, peer);
    if (p->wall_us <= s->next_send_us) return;
    s->next_send_us = p->wall_us + p2p_poisson_us(p, AVERAGE_SEND_US);
    send_waiting(p, peer);
}
