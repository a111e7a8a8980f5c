/* Which inbound peer loses its place when a new one comes and all are taken: a pure choice, hard to game, as each
 * protection rewards something else that costs an attacker. */
#ifndef CAIRN_P2P_EVICT_H
#define CAIRN_P2P_EVICT_H

#include "p2p/p2p.h"

struct peer;

struct evict_candidate {
    peer_id id;
    int64_t connected_us, min_ping_us, last_block_s, last_tx_s;
    bool relevant_services, relays_txs, bloom_filter;
    uint64_t keyed_group; /* of its network group, keyed */
    bool prefer_evict, local, no_ban, inbound;
    enum network network;
};

/* P2P_NO_PEER: all are protected. CANDIDATES are reordered. */
peer_id evict_choose(struct evict_candidate *candidates, size_t count);

/* Makes room for an inbound peer: disconnects one; false where none may go. */
bool evict_inbound(struct p2p *p);

/* PEER relays transactions after message NAME: makes room where too many inbound ones do. PROTECT: not by PEER's own
 * going. False: PEER was disconnected. */
bool evict_for_tx_relay(struct p2p *p, struct peer *peer, const char *name, bool protect);

#endif
