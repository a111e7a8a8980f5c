/* The handshake: version, verack and what is negotiated between them (BIP14, 31, 111, 130, 133, 152, 155, 339). */
#ifndef CAIRN_P2P_HANDSHAKE_H
#define CAIRN_P2P_HANDSHAKE_H

#include "p2p/p2p.h"

struct peer;

struct peer_handshake {
    bool version_sent, version_received, verack_received; /* the last: the connection is fully open */
    uint64_t nonce;                                       /* ours: a version with it comes from ourselves */
    int32_t their_version;                                /* as sent */
    int32_t version;                                      /* the lower of theirs and ours */
    uint64_t services;                                    /* theirs */
    uint64_t our_services;                                /* what we told */
    int32_t start_height;
    int64_t time_offset_s;
    struct endpoint seen_us;             /* where they see us; netaddr_none: nowhere */
    char user_agent[MAX_USER_AGENT + 1]; /* cleaned for display */
    bool relay_flag;                     /* BIP37 */
    bool wanted_services;                /* has all that we want of an outbound peer */
    bool wtxid_relay, wants_addrv2;
    bool prefers_headers; /* sendheaders came */
    bool sendheaders_sent;
};

/* What their state says before the payload is read; false: drop the message. */
bool handshake_early(struct p2p *p, struct peer *peer, enum message_type type);

void handshake_on_version(struct p2p *p, struct peer *peer, struct message *m);
void handshake_on_verack(struct p2p *p, struct peer *peer, struct message *m);
void handshake_on_wtxidrelay(struct p2p *p, struct peer *peer, struct message *m);
void handshake_on_sendaddrv2(struct p2p *p, struct peer *peer, struct message *m);
void handshake_on_sendheaders(struct p2p *p, struct peer *peer, struct message *m);
void handshake_on_feature(struct p2p *p, struct peer *peer, struct message *m);

/* The services that an outbound peer which offers SERVICES must have: near the tip a pruned one will do (BIP159). */
uint64_t handshake_desirable(const struct p2p *p, uint64_t services);

/* Sends our version. */
void handshake_begin(struct p2p *p, struct peer *peer);

/* sendheaders, once the peer's chain has enough work. */
void handshake_send(struct p2p *p, struct peer *peer);

#endif
