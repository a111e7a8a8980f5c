/* Whom to connect to: automatic outbound connections (full, block-relay, feelers, one extra now and then), anchors,
 * -connect, -addnode, -seednode, DNS seeds, fixed seeds, and what users ask for. */
#ifndef CAIRN_P2P_DIAL_H
#define CAIRN_P2P_DIAL_H

#include "p2p/p2p.h"

struct peer;

/* A dial that was asked for and not answered yet. */
struct dial {
    uint64_t number;
    enum conn_type type;
    struct endpoint to;  /* port 0: by name */
    char host[P2P_HOST]; /* what a user gave; "" for automatic ones */
    bool count_failure;
};

struct dial_plan; /* dial_plan.h */

void dial_init(struct p2p *p, const struct p2p_options *options);
void dial_clear(struct p2p *p);
void dial_tick(struct p2p *p);
int64_t dial_deadline(const struct p2p *p);

/* The dial with this number, or NULL; good until the next call. */
const struct dial *dial_find(const struct p2p *p, uint64_t number);
/* It was answered: forget it. */
void dial_done(struct p2p *p, uint64_t number);

/* A peer is gone: the address book notes until when it worked. */
void dial_peer_gone(struct p2p *p, const struct peer *peer);

/* The chain's tip looks stale: one more full-relay peer may be dialled (TRUE), or no longer. */
void dial_set_extra_full(struct p2p *p, bool wanted);
/* The first sync is over: the rotation of extra block-relay peers may begin. */
void dial_start_extra_block_relay(struct p2p *p);
bool dial_extra_block_relay(const struct p2p *p);

/* How many more of the sort we have than we want. */
int dial_extra_full_count(const struct p2p *p);
int dial_extra_block_relay_count(const struct p2p *p);

/* Manual and full-relay peers in this network: the only one of its network is worth keeping. */
unsigned dial_count_in_network(const struct p2p *p, enum network net);

/* The networks in use, bit 1 << enum network. */
uint32_t dial_networks(const struct p2p *p);
/* True where the address lies in one of them; local addresses do while IPv4 and IPv6 are not ruled out. */
bool dial_is_reachable(const struct p2p *p, const struct netaddr *a);

/* What an outbound peer that offers SERVICES must offer: the whole chain, or, once ours is nearly complete, its end
 * (BIP159); and witnesses. */
uint64_t dial_desirable_services(const struct p2p *p, uint64_t services);
static inline bool dial_has_desirable_services(const struct p2p *p, uint64_t services)
{
    return (dial_desirable_services(p, services) & ~services) == 0;
}

/* Bytes held. */
size_t dial_memory(const struct p2p *p);

#endif
