/* Transactions out: who is told of what, when, and whom we let have it. An announcement waits for a random moment, so
 * that nobody learns where a transaction came from by listening to when it is told of. */
#ifndef CAIRN_P2P_TX_RELAY_H
#define CAIRN_P2P_TX_RELAY_H

#include "addrman/rolling_bloom.h"
#include "p2p/p2p.h"

struct peer;

enum { TX_RELAY_QUEUE_MAX = MAX_INV }; /* announcements that wait for one peer: a trickle empties it */

/* Of a peer with transaction relay. */
struct peer_tx_relay {
    struct rolling_bloom known; /* by the id that was agreed on: what either side told the other; words NULL: nothing */
    struct wtxid *queue;        /* to be told; no order */
    size_t count, cap;
    bool send_all;          /* they asked for the whole pool (BIP35) */
    int64_t next_us;        /* wall: the next trickle; 0: nothing went out yet, so nothing may wait either */
    uint64_t last_sequence; /* of the pool at the last trickle: what came later is not served */
};

void tx_relay_init(struct p2p *p);
void tx_relay_clear(struct p2p *p);
void tx_relay_peer_init(struct peer *peer); /* their version came: there is transaction relay */
void tx_relay_peer_gone(struct p2p *p, struct peer *peer);

/* To be told to all peers with transaction relay but those that know it, as soon as -txsendrate lets it. */
void tx_relay_announce(struct p2p *p, const struct txid *txid, const struct wtxid *wtxid);
/* This peer knows it: it told us, or we sent it. HASH is of the kind that was agreed on with it. */
void tx_relay_note_known(struct p2p *p, struct peer *peer, const uint8_t hash[32]);

/* The inventories that are due (part of the send pass). */
void tx_relay_send(struct p2p *p, struct peer *peer);
/* What waited for -txsendrate; and what nobody asked for yet is told again now and then. */
void tx_relay_tick(struct p2p *p);
/* "mempool": all of it, with the next trickle. */
void tx_relay_send_all(struct p2p *p, struct peer *peer);

/* The transaction that PEER may have for this item of its getdata; NULL: none (or not for this peer). */
const struct tx *tx_relay_find(struct p2p *p, struct peer *peer, const struct inv *inv);

size_t tx_relay_memory(const struct p2p *p);
size_t tx_relay_peer_memory(const struct peer *peer);
void tx_relay_check_peer(const struct peer *peer);

#endif
