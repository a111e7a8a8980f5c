/* Transactions between peers: what may be announced and sent at all (BIP37, 60, 133, 339; -blocksonly), and what BIP35
 * and BIP37 ask for. What comes goes on to tx_download.h, what is told comes from tx_relay.h. */
#ifndef CAIRN_P2P_TXS_H
#define CAIRN_P2P_TXS_H

#include "p2p/bloom.h"
#include "p2p/p2p.h"

struct peer;

struct peer_txs {
    bool relay;     /* there is transaction relay on this connection, and they want it */
    bool has_relay; /* the state for it exists: no block-relay-only, and their version came */
    int64_t fee_filter_received_sat, fee_filter_sent_sat;
    int64_t next_fee_filter_us;
    int64_t last_tx_s;
    struct bloom filter; /* theirs (BIP37); bits NULL: none */
};

/* What can be said without reading the payload; false: drop the message. */
bool txs_early(struct p2p *p, struct peer *peer, enum message_type type);

void txs_peer_version(struct p2p *p, struct peer *peer); /* their version came */
void txs_peer_gone(struct peer *peer);
void txs_on_tx(struct p2p *p, struct peer *peer, struct message *m);
void txs_on_mempool(struct p2p *p, struct peer *peer, struct message *m);
void txs_on_feefilter(struct p2p *p, struct peer *peer, struct message *m);
void txs_on_filter(struct p2p *p, struct peer *peer, struct message *m); /* filterload, filteradd, filterclear */
void txs_on_notfound(struct p2p *p, struct peer *peer, struct message *m);

/* The announcement of a transaction in an inv. False: the peer was disconnected for it. */
bool txs_on_inv(struct p2p *p, struct peer *peer, const struct inv *inv);

/* A transaction that is asked for in a getdata, with witness unless it is asked for as INV_TX; false: not found, or not
 * for this peer (tx_relay_find). */
bool txs_serve(struct p2p *p, struct peer *peer, const struct inv *inv);

/* Whether they want to hear of TX, as far as their filter says. */
static inline bool txs_wanted(struct peer_txs *t, const struct tx *tx)
{
    return !t->filter.bits || bloom_match(&t->filter, tx);
}

/* A filtered block: B as a merkleblock, and the transactions that their filter matches. Nothing where there is none. */
void txs_send_filtered(struct p2p *p, struct peer *peer, const struct block *b);

/* True where we want none from this peer. */
bool txs_rejects(const struct p2p *p, const struct peer *peer);

/* feefilter. */
void txs_send(struct p2p *p, struct peer *peer);

#endif
