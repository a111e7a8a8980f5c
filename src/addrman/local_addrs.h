/* Our own addresses as others may reach us: where we learned them, how sure we are, and which one to tell a peer. */
#ifndef CAIRN_ADDRMAN_LOCAL_ADDRS_H
#define CAIRN_ADDRMAN_LOCAL_ADDRS_H

#include "base/compiler.h"
#include "base/random.h"
#include "wire/netaddr.h"

/* How an address became known: its first score. Every peer that sees us there adds one. */
enum {
    LOCAL_NONE,
    LOCAL_IF,     /* of an interface of this machine */
    LOCAL_BIND,   /* we listen on it */
    LOCAL_MAPPED, /* a router's port mapping */
    LOCAL_MANUAL, /* -externalip */
};

struct local_addr {
    struct endpoint at;
    int32_t score;
};

struct local_addrs {
    struct local_addr *items; /* ordered by address; one port each */
    size_t count;
    size_t cap;
    bool discover;        /* -discover: take what is not manual, and listen to what peers see */
    bool listen;          /* -listen: else there is nothing to tell */
    uint16_t listen_port; /* of what has no port of its own */
    uint32_t reachable;   /* bit 1 << enum network: networks that we use (-onlynet) */
};

/* All zeroes and the options set is ready to use. */
void local_addrs_clear(struct local_addrs *l);

/* Adds AT or raises its score; false where it is unroutable, of a network not in use (unless EVEN_IF_UNREACHABLE), or
 * found out while discover is off. An fc00::/8 address is one of CJDNS where that network is reachable. */
bool local_addrs_add(struct local_addrs *l, const struct endpoint *at, int32_t score, bool even_if_unreachable);
/* A peer sees us at AT: one vote. False where we do not know that address. */
bool local_addrs_seen(struct local_addrs *l, const struct netaddr *at);
void local_addrs_remove(struct local_addrs *l, const struct netaddr *at);
bool local_addrs_has(const struct local_addrs *l, const struct netaddr *at);

/* What the choice must know of a peer. */
struct local_peer {
    struct netaddr addr;
    bool inbound;
    bool inbound_onion;      /* came in through our onion service: addr is then a local one */
    struct endpoint seen_us; /* where the peer says it sees us (version message); netaddr_none: nowhere */
};

/* The address of ours that PEER reaches best; "::" with our port where there is none. Addresses of Tor and I2P are told
 * only inside their network. */
struct endpoint local_addrs_best(const struct local_addrs *l, const struct local_peer *peer);

/* What to advertise to PEER: the best one, and now and then (where nothing better is known, always) what the peer
 * itself sees. False where there is nothing routable to tell. */
MUST_USE bool local_addrs_advertise(const struct local_addrs *l, const struct local_peer *peer, struct random *random,
                                    struct endpoint *out);

#endif
