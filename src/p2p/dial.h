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

struct dial_plan; /* dial.c */

void dial_init(struct p2p *p, const struct p2p_options *options);
void dial_clear(struct p2p *p);
void dial_tick(struct p2p *p);
int64_t dial_deadline(const struct p2p *p);

/* The dial with this number, or NULL; good until the next call. */
const struct dial *dial_find(const struct p2p *p, uint64_t number);
/* It was answered: forget it. */
void dial_done(struct p2p *p, uint64_t number);

/* An outbound peer finished its handshake, or is gone. */
void dial_peer_open(struct p2p *p, struct peer *peer);
void dial_peer_gone(struct p2p *p, struct peer *peer);

/* The chain's tip looks stale: one more full-relay peer may be dialled (TRUE), or no longer. */
void dial_set_extra_full(struct p2p *p, bool wanted);
/* The first sync is over: the rotation of extra block-relay peers may begin. */
void dial_start_extra_block_relay(struct p2p *p);
bool dial_extra_block_relay(const struct p2p *p);

/* How many more of the sort we have than we want. */
int dial_extra_full_count(const struct p2p *p);
int dial_extra_block_relay_count(const struct p2p *p);

#endif
