/* Which blocks to ask whom for: a window that moves with the chain, at most 16 blocks in flight a peer, and what
 * happens to those who stall it. */
#ifndef CAIRN_P2P_DOWNLOAD_H
#define CAIRN_P2P_DOWNLOAD_H

#include "p2p/p2p.h"
#include "wire/compact.h"

struct peer;

enum {
    DOWNLOAD_PER_PEER = 16,
    DOWNLOAD_WINDOW = 1024,
    DOWNLOAD_COMPACT_PER_BLOCK = 3, /* peers whose compact form of one block we may await */
};

/* A block that we asked a peer for. The same block may be asked of several (compact blocks). */
struct in_flight {
    struct block_hash hash;
    struct block_node *node;
    struct peer *peer;
    struct partial_block *partial; /* of its compact form; NULL: none */
    struct in_flight *next_same;   /* another peer's, same block */
    bool wished;                   /* by a user */
};

struct peer_download {
    struct in_flight *items[DOWNLOAD_PER_PEER]; /* in the order of asking */
    size_t count;
    int64_t since_us;          /* when the first of them became the first; 0: none */
    int64_t stalling_since_us; /* 0: not stalling */
    struct block_node *last_common;
    bool preferred;
    struct block_node **wishes; /* blocks that a user wants of this peer and that found no room yet, oldest first */
    size_t wish_count, wish_cap;
};

struct download {
    struct hashmap by_hash; /* struct in_flight, the first asked; others by next_same */
    unsigned peers_with_blocks;
    unsigned preferred_peers;
    int64_t stall_timeout_us; /* adapts: 2 s to 64 s */
};

void download_init(struct p2p *p);
void download_clear(struct p2p *p);
void download_peer_version(struct p2p *p, struct peer *peer); /* their version came: preferred or not */
void download_peer_gone(struct p2p *p, struct peer *peer);

/* The first entry of HASH, or NULL. */
struct in_flight *download_find(const struct p2p *p, const struct block_hash *hash);
/* That of PEER, or NULL. */
struct in_flight *download_of_peer(const struct p2p *p, const struct peer *peer, const struct block_hash *hash);
bool download_is_outbound(const struct p2p *p, const struct block_hash *hash); /* asked of an outbound peer */

/* Notes that NODE is asked of PEER; NULL where it already was (or has no room). WITH_PARTIAL: room for a compact form.
 */
struct in_flight *download_note(struct p2p *p, struct peer *peer, struct block_node *node, bool with_partial);
/* Forgets the request of HASH from PEER (NULL: from all). */
void download_forget(struct p2p *p, const struct block_hash *hash, struct peer *peer);

/* BLOCK came from PEER: its request goes, and BLOCK notes what it was. */
void download_take_back(struct p2p *p, struct peer *peer, struct p2p_block *block);
/* BLOCK was none: PEER's request stands as if nothing had come, and so does the time that they have for it. */
void download_restore(struct p2p *p, struct peer *peer, struct block_node *node, const struct p2p_block *block);

/* No block but this one is asked for, of whomever. */
bool download_only(const struct p2p *p, const struct block_hash *hash);

/* What their services promise: any blocks (NETWORK or NETWORK_LIMITED), none but the last 288, witnesses. */
bool download_serves_blocks(const struct peer *peer);
bool download_is_limited(const struct peer *peer);
bool download_serves_witness(const struct peer *peer);
/* Headers and old blocks may be asked of this peer, as far as others are there for it. */
bool download_is_source(const struct p2p *p, const struct peer *peer);

/* The blocks to ask PEER for, at most COUNT, to OUT; returns how many. *STALLER: the peer that keeps the window from
 * moving; P2P_NO_PEER: nobody. */
size_t download_next(struct p2p *p, struct peer *peer, struct block_node **out, size_t count, peer_id *staller);

/* The tip is so recent that announced blocks are fetched at once. */
bool download_can_fetch_directly(struct p2p *p);
/* Fetches the branch that ends in LAST, just announced by headers. */
void download_fetch_directly(struct p2p *p, struct peer *peer, struct block_node *last);

/* Asks for what is due. */
void download_send(struct p2p *p, struct peer *peer);
/* Disconnects a peer that holds up the window or a block for too long. */
void download_check_stall(struct p2p *p, struct peer *peer);
/* A block connected: the stall timeout shrinks again. */
void download_on_connected(struct p2p *p);

#endif
