/* Blocks in: from a peer's message to the owner, and what the outcome means for the peer. */
#ifndef CAIRN_P2P_BLOCKS_H
#define CAIRN_P2P_BLOCKS_H

#include "p2p/p2p.h"

struct peer;

/* Who gave us a block that is not judged yet. */
struct block_source {
    struct block_hash hash;
    peer_id from;
    bool punish; /* false: it came in a form for which nobody is to blame */
};

/* A block that the owner has and is not done with. */
struct block_pending {
    struct block_hash hash;
    unsigned count;  /* times: two peers may have sent it */
    unsigned wanted; /* of those, asked for or put together from a compact block */
    bool placed;     /* its parent is known, or waits itself and is placed: */
    int32_t height;
    struct u256 work; /* claimed, of the chain with it */
};

enum {
    BLOCKS_AHEAD = 16,             /* that one peer may have with the owner */
    BLOCKS_AHEAD_BYTES = 32 << 20, /* the same */
    BLOCKS_AHEAD_TOTAL = 64 << 20, /* bytes, of all; each peer may still have one */
};

struct blocks_in {
    struct hashmap sources; /* struct block_source by hash */
    struct hashmap pending; /* struct block_pending by hash */
    size_t pending_bytes;
    struct p2p_block *queue; /* for p2p_take_block: a ring */
    size_t queue_first, queue_count, queue_cap;
};

struct peer_blocks {
    unsigned with_owner; /* blocks handed over and not done */
    size_t bytes_with_owner;
    int64_t last_block_s; /* when it last gave us a new one */
};

void blocks_init(struct p2p *p);
void blocks_clear(struct p2p *p);

/* The owner has a block of this hash, which was wanted, and is not done with it: it need not be asked for. */
bool blocks_pending(const struct p2p *p, const struct block_hash *hash);

/* PEER may hand in one more block now (for p2p_ready). */
bool blocks_has_room(const struct p2p *p, const struct peer *peer);

void blocks_on_block(struct p2p *p, struct peer *peer, struct message *m);

/* Hands RAW (taken) to the owner, as an answer of PEER. COMPACT: reconstructed; a failure to check then blames nobody.
 */
void blocks_hand_over(struct p2p *p, struct peer *peer, const struct block_header *header, struct buffer *raw,
                      bool requested, bool min_work_checked, bool compact);

/* A broken rule: discourages the peer where the rule says so. HOW: for the log, may be "". Returns true where it did.
 */
bool blocks_punish(struct p2p *p, struct peer *peer, const struct verdict *v, bool via_compact, const char *how);

/* A block was connected, or found invalid (notices). */
void blocks_on_checked(struct p2p *p, const struct block_hash *hash, const struct verdict *v);

#endif
