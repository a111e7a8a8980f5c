/* Addresses between peers: addr and addrv2 in (with a token bucket) and out (trickled), getaddr with its cache,
 * advertising ourselves. */
#ifndef CAIRN_P2P_ADDR_RELAY_H
#define CAIRN_P2P_ADDR_RELAY_H

#include "addrman/rolling_bloom.h"
#include "p2p/p2p.h"

struct peer;
struct addr_cache; /* addr_cache.c */

enum {
    ADDR_ANSWER_PERCENT = 23, /* of all that we know goes into one answer to getaddr; MAX_ADDR at most */
    ADDR_KNOWN = 5000,        /* addresses that we remember a peer to know */
};

struct peer_addrs {
    bool enabled; /* addresses are relayed on this connection */
    bool getaddr_sent, getaddr_received;
    struct peer_addr *to_send;
    size_t to_send_count, to_send_cap;
    struct rolling_bloom known; /* words NULL: none yet */
    int64_t next_send_us, next_local_us;
    double tokens;
    int64_t token_time_us;
    uint64_t processed, rate_limited;
};

/* What all peers share; fields belong to addr_relay.c. */
struct addr_relay {
    struct addr_cache *caches; /* answers to getaddr, by network and socket */
    size_t cache_count, cache_cap;
    uint64_t key[2]; /* chooses whom an address is passed on to */
};

void addr_relay_init(struct p2p *p);
void addr_relay_clear(struct p2p *p);
void addr_relay_peer_init(struct p2p *p, struct peer *peer);
void addr_relay_peer_clear(struct peer *peer);
/* Their version came: turns relay on where the connection is one for it, asks (getaddr) outbound peers. */
void addr_relay_peer_version(struct p2p *p, struct peer *peer);
/* Turns relay on; false for connections that are not for it. */
bool addr_relay_setup(struct p2p *p, struct peer *peer);

void addr_relay_on_addr(struct p2p *p, struct peer *peer, struct message *m); /* addr and addrv2 */
void addr_relay_on_getaddr(struct p2p *p, struct peer *peer, struct message *m);

/* What waits, and ourselves now and then. */
void addr_relay_send(struct p2p *p, struct peer *peer);

/* ---- addr_cache.c ---- */

/* The answer to a getaddr of PEER: the same for everybody of one network on one of our sockets for most of a day, so
 * that nobody reads the address book and its changes by asking often. *COUNT of them; good until the next call. */
const struct peer_addr *addr_cache_answer(struct p2p *p, const struct peer *peer, size_t *count);
/* A fresh one, to be freed: for peers that are permitted it. Without banned and discouraged ones. */
struct peer_addr *addr_cache_fresh(struct p2p *p, size_t *count);
/* By the network that PEER comes from and the address of ours that it came to. */
uint64_t addr_cache_key(const struct addr_relay *r, const struct peer *peer);
void addr_cache_clear(struct addr_relay *r);
size_t addr_cache_memory(const struct addr_relay *r);

#endif
