/* New tips out: by compact block, headers or inv, as each peer wants them (BIP130, 152). */
#ifndef CAIRN_P2P_ANNOUNCE_H
#define CAIRN_P2P_ANNOUNCE_H

#include "base/hashmap.h"
#include "p2p/p2p.h"

struct peer;

enum { ANNOUNCE_HEADERS_MAX = 8 };

struct peer_announce {
    struct block_node
        *nodes[ANNOUNCE_HEADERS_MAX + 1]; /* to announce by headers, oldest first; full: too many for it */
    size_t count;
    struct block_hash *invs; /* to announce by inv */
    size_t inv_count, inv_cap;
};

/* The newest block, for peers that ask for it before it is written. */
struct recent_block {
    struct block_hash hash;
    struct block_node *node;
    struct buffer raw;     /* whole block; empty: none */
    struct buffer compact; /* payload of its cmpctblock */
    struct block *parsed;  /* of RAW; NULL until somebody needs it */
    struct hashmap by_id;  /* struct recent_tx: its transactions by both ids; empty until somebody asks */
    struct recent_tx *txs;
};

struct announce {
    struct recent_block recent;
    int32_t highest_fast; /* height of the last fast announcement */
};

void announce_clear(struct p2p *p);
void announce_peer_clear(struct peer *peer);

/* p2p_block_accepted: high-bandwidth peers get the compact block at once. */
void announce_on_accepted(struct p2p *p, struct block_node *node, const struct block *block);
/* p2p_on_tip: queues it for every peer. */
void announce_on_tip(struct p2p *p, struct block_node *fork);
void announce_send(struct p2p *p, struct peer *peer);

/* Announces HASH by inv with the next send. */
void announce_by_inv(struct peer *peer, const struct block_hash *hash);

/* The recent block where it is HASH, else NULL. Good until the next block. */
const struct recent_block *announce_recent(const struct p2p *p, const struct block_hash *hash);
/* The same, parsed and hashed. */
const struct block *announce_recent_block(struct p2p *p, const struct block_hash *hash);
/* A transaction of the recent block, by the kind of hash that INV has: it left the pool before those who were told of
 * it had asked. */
const struct tx *announce_recent_tx(struct p2p *p, const struct inv *inv);

/* Heap bytes of the recent block. */
size_t announce_memory(const struct p2p *p);

/* They know NODE, or a descendant of it. */
bool announce_peer_has(const struct p2p *p, const struct peer *peer, const struct block_node *node);

#endif
