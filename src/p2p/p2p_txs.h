/* Transactions and peers, for the owner of a struct p2p. */
#ifndef CAIRN_P2P_P2P_TXS_H
#define CAIRN_P2P_P2P_TXS_H

#include "p2p/p2p.h"

struct mempool;

/* The pool that transactions come into and are relayed from; before the first event. It must live as long. Without one
 * no transaction is asked for. */
void p2p_set_mempool(struct p2p *p, struct mempool *m);

/* Tells all peers of a transaction of the pool (a user's), and judges orphans that waited for it. */
void p2p_relay_tx(struct p2p *p, const struct txid *txid, const struct wtxid *wtxid);

/* -txsendrate: what is told to peers a second, and what waits for that. */
struct p2p_tx_queue {
    size_t backlog;                   /* transactions that wait */
    double count_tokens, size_tokens; /* transactions and bytes that may be told now; negative: overdrawn */
};
struct p2p_tx_rate {
    unsigned rate; /* to inbound peers */
    struct p2p_tx_queue inbound, outbound;
};
void p2p_tx_rate(const struct p2p *p, struct p2p_tx_rate *out);

/* A transaction that waits for its parents (getorphantxs). */
struct orphan_info {
    struct txid txid;
    struct wtxid wtxid;
    struct span raw; /* good until the next event, as is FROM */
    uint64_t weight_wu;
    const peer_id *from; /* who announced it */
    size_t from_count;
};

/* At most MAX of them to OUT; returns how many there are. */
size_t p2p_orphans(const struct p2p *p, struct orphan_info *out, size_t max);

#endif
