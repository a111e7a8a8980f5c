/* Headers in: asking for them, the low-work presync, and what each peer is known to have. */
#ifndef CAIRN_P2P_HEADERS_H
#define CAIRN_P2P_HEADERS_H

#include "p2p/p2p.h"

struct peer;
struct presync;

enum { HEADERS_LOCATOR_VERSION = 70016 }; /* in a locator; means nothing */

struct peer_headers {
    bool sync_started;       /* we sync headers from this peer */
    int64_t sync_timeout_us; /* 0: none */
    int64_t last_getheaders_us;
    bool inv_triggered;                  /* a block inv made us ask before the first sync was done */
    struct presync *presync;             /* NULL: no low-work sync under way */
    struct block_node *best_known;       /* best block that they have, as far as we know */
    struct block_hash last_unknown;      /* last announced block whose header we lack; zeroes: none */
    struct block_node *best_header_sent; /* best header that we sent them (or they sent us) */
};

struct headers_sync {
    unsigned started; /* peers we sync headers from */
    struct block_hash last_inv_trigger;
    peer_id presync_best;      /* whose presync has the most work: the one that the log tells of */
    int64_t presync_logged_us; /* when it last did */
};

void headers_peer_init(struct p2p *p, struct peer *peer);
void headers_peer_gone(struct p2p *p, struct peer *peer);

void headers_on_headers(struct p2p *p, struct peer *peer, struct message *m);

/* The announcement of blocks in an inv: HASH is the last one that we do not have. */
void headers_on_block_inv(struct p2p *p, struct peer *peer, const struct block_hash *hash);

/* As if HEADERS had come in a message (a compact block's header). */
void headers_process(struct p2p *p, struct peer *peer, const struct block_header *headers, size_t count,
                     bool via_compact);

/* Asks for headers after the locator of NODE, unless we asked lately; false then. */
bool headers_ask(struct p2p *p, struct peer *peer, const struct block_node *node);

/* Starts the sync with a peer where it is due; disconnects one that is too slow. */
void headers_send(struct p2p *p, struct peer *peer);
void headers_check_timeout(struct p2p *p, struct peer *peer);

/* They have HASH (announced, sent, or asked about). */
void headers_note_available(struct p2p *p, struct peer *peer, const struct block_hash *hash);
/* Looks whether the last unknown one has become known. */
void headers_resolve_unknown(struct p2p *p, struct peer *peer);

/* Work below which headers and blocks of strangers are not kept (anti-DoS threshold). */
struct u256 headers_work_threshold(const struct p2p *p);

/* Block hashes from NODE back to genesis, at first one by one, then in growing steps (at most 101). */
void headers_locator(struct buffer *payload, const struct chain *c, const struct block_node *node,
                     const struct block_hash *stop);

/* The same as an array: at most MAX hashes to OUT; returns how many. */
size_t headers_locator_hashes(const struct block_node *node, struct block_hash *out, size_t max);

/* Says in the log that the peer was the first with this header; VIA_COMPACT: of a compact block. */
void headers_log_new(struct p2p *p, const struct peer *peer, const struct block_node *node, bool via_compact);

/* Progress of the peer's presync (height), or -1. */
int32_t headers_presynced(const struct peer *peer);

#endif
