/* Who announced which transaction, and whom to ask for it when: at most one peer at a time, the preferred ones first,
 * among equals the one that a keyed hash says, so that nobody can arrange to be the first. What it answers follows
 * from the calls and the instants in them alone.
 *
 * An announcement is delayed (until its time comes), a candidate, in flight (until it is answered or expires), or
 * completed (kept so that the same peer is not asked again, for as long as anybody is left to be asked). */
#ifndef CAIRN_P2P_TX_REQUEST_H
#define CAIRN_P2P_TX_REQUEST_H

#include "p2p/p2p.h"

struct tx_requests;

struct tx_request {
    uint8_t hash[32]; /* txid or wtxid; the same bytes are the same transaction */
    peer_id peer;
    bool by_wtxid;
};

struct tx_requests *tx_requests_new(const uint64_t key[2]);
void tx_requests_free(struct tx_requests *t);

/* PEER has it; may be asked from TIME_US on. Nothing where it said so before. */
void tx_requests_announce(struct tx_requests *t, const struct tx_request *r, bool preferred, int64_t time_us);
/* Forgets all about PEER, or about the transaction. */
void tx_requests_peer_gone(struct tx_requests *t, peer_id peer);
void tx_requests_forget(struct tx_requests *t, const uint8_t hash[32]);

/* What to ask PEER for at NOW_US, in the order of announcement; what was in flight too long, with anybody, is in
 * *EXPIRED. Both lists are good until the next call that is not tx_requests_sent or tx_requests_forget. */
struct tx_request_list {
    const struct tx_request *items;
    size_t count;
};
struct tx_request_list tx_requests_due(struct tx_requests *t, peer_id peer, int64_t now_us,
                                       struct tx_request_list *expired);
/* PEER was asked and has until EXPIRY_US. Nothing where it did not announce it, or was asked before. */
void tx_requests_sent(struct tx_requests *t, peer_id peer, const uint8_t hash[32], int64_t expiry_us);
/* PEER answered: with it, or that it has it not. */
void tx_requests_answered(struct tx_requests *t, peer_id peer, const uint8_t hash[32]);

/* Announcements of PEER: all, in flight, delayed or candidates. */
size_t tx_requests_count(const struct tx_requests *t, peer_id peer);
size_t tx_requests_in_flight(const struct tx_requests *t, peer_id peer);
size_t tx_requests_candidates(const struct tx_requests *t, peer_id peer);
size_t tx_requests_total(const struct tx_requests *t);

/* Appends to *PEERS (grown with mem_grow) all that announced it and have not answered. */
void tx_requests_peers(const struct tx_requests *t, const uint8_t hash[32], peer_id **peers, size_t *count,
                       size_t *cap);

/* Which of two candidates is asked first: the one with more. */
uint64_t tx_requests_priority(const struct tx_requests *t, const uint8_t hash[32], peer_id peer, bool preferred);

/* Heap bytes of what PEER announced, and of the rest. */
size_t tx_requests_peer_memory(const struct tx_requests *t, peer_id peer);
size_t tx_requests_memory(const struct tx_requests *t);
/* Recomputes what must hold. */
void tx_requests_check(const struct tx_requests *t);

#endif
