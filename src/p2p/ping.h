/* Pings (BIP31), and connections that went silent. */
#ifndef CAIRN_P2P_PING_H
#define CAIRN_P2P_PING_H

#include "p2p/p2p.h"

struct peer;

struct peer_ping {
    uint64_t nonce; /* 0: none is out */
    int64_t started_us;
    int64_t last_us, min_us; /* round trips; -1: none yet */
    bool wanted;             /* a user asked */
};

void ping_on_ping(struct p2p *p, struct peer *peer, struct message *m);
void ping_on_pong(struct p2p *p, struct peer *peer, struct message *m);

/* Pings where it is time; disconnects those that do not answer, and those that never finished their handshake. */
void ping_send(struct p2p *p, struct peer *peer);
void ping_check_silence(struct p2p *p, struct peer *peer);

#endif
