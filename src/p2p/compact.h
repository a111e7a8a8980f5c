/* Compact blocks (BIP152) with peers: both bandwidth modes, in and out. */
#ifndef CAIRN_P2P_COMPACT_H
#define CAIRN_P2P_COMPACT_H

#include "p2p/p2p.h"
#include "wire/compact.h"

struct mempool;
struct peer;

enum {
    COMPACT_DEPTH = 5,      /* older blocks are not sent as compact ones */
    COMPACT_TXN_DEPTH = 10, /* and transactions of older ones are sent as the whole block */
    COMPACT_HB_PEERS = 3,
};

struct peer_compact {
    bool provides; /* they speak version 2 */
    bool hb_to;    /* we asked them to send at once */
    bool hb_from;  /* they asked us to */
};

/* What may be in a block and is not in the pool: transactions that were lately refused or replaced. */
struct extra_pool {
    struct partial_candidate *items; /* raw owned; a ring of p2p_options.extra_txs */
    size_t count, at;
    size_t bytes; /* of all raw */
};

struct compact_state {
    peer_id hb_peers[COMPACT_HB_PEERS]; /* oldest choice first */
    size_t hb_count;
    struct extra_pool extra;
};

void compact_clear(struct p2p *p);
void compact_peer_gone(struct p2p *p, struct peer *peer);
void compact_on_sendcmpct(struct p2p *p, struct peer *peer, struct message *m);
void compact_on_cmpctblock(struct p2p *p, struct peer *peer, struct message *m);
void compact_on_getblocktxn(struct p2p *p, struct peer *peer, struct message *m);
void compact_on_blocktxn(struct p2p *p, struct peer *peer, struct message *m);

/* After verack: that we understand it. */
void compact_peer_open(struct p2p *p, struct peer *peer);

/* The peer was the first with a block that proved good: prefers it for high bandwidth. */
void compact_reward(struct p2p *p, struct peer *peer);

/* The payload of B's cmpctblock. */
void compact_write(struct p2p *p, struct buffer *out, const struct block *b);

/* Remembers a transaction (copied) for reconstructions. */
void compact_offer_extra(struct p2p *p, const struct wtxid *id, struct span raw);

/* Offers all transactions of the pool to what is being put together; copies those that fit. */
void compact_offer_pool(const struct mempool *m, struct partial_block *partial);

/* Heap bytes of the extra transactions, and of what is being put together from this peer's compact blocks. */
size_t compact_memory(const struct p2p *p);
size_t compact_peer_memory(const struct peer *peer);

#endif
