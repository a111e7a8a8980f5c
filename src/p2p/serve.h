/* Blocks and headers out: getheaders, getblocks, getdata, within limits of upload, privacy and pruning (BIP130, 144,
 * 159). */
#ifndef CAIRN_P2P_SERVE_H
#define CAIRN_P2P_SERVE_H

#include "p2p/p2p.h"

struct peer;

struct peer_serve {
    struct inv *requests; /* of getdata, that wait; MAX_INV at most */
    size_t first, count, cap;
    struct block_hash continuation; /* after this block, an inv of the tip makes getblocks go on; zeroes: none */
};

struct serve {
    uint64_t cycle_sent; /* bytes of the upload cycle */
    int64_t cycle_start_us;
};

void serve_on_getheaders(struct p2p *p, struct peer *peer, struct message *m);
void serve_on_getblocks(struct p2p *p, struct peer *peer, struct message *m);
void serve_on_getdata(struct p2p *p, struct peer *peer, struct message *m);
void serve_on_inv(struct p2p *p, struct peer *peer, struct message *m); /* to headers.h and txs.h */

/* Serves what waits, as far as the send queue takes it. */
void serve_send(struct p2p *p, struct peer *peer);
static inline bool serve_waits(const struct peer_serve *s)
{
    return s->count > 0;
}
void serve_peer_clear(struct peer *peer);

/* Bytes went out (upload target). */
void serve_note_sent(struct p2p *p, size_t bytes);
/* The target is reached; HISTORICAL: for blocks older than a week, which leave room for the recent ones. */
bool serve_target_reached(const struct p2p *p, bool historical);
/* Seconds until the cycle ends, and bytes that may still go out in it; 0 without a target. */
int64_t serve_cycle_left_s(const struct p2p *p);
uint64_t serve_left_in_cycle(const struct p2p *p);

enum { SERVE_INV_TEXT = 96 };

/* "block 00..", "witness-tx 12..", "0x00000009 34..": for the log; returns OUT. */
char *serve_inv_text(char out[SERVE_INV_TEXT], const struct inv *inv);

/* Queues one more request, as if it had come in a getdata. */
void serve_request(struct peer *peer, const struct inv *inv);

/* The newest block of LOCATOR on the active chain (genesis where none is). */
struct block_node *serve_fork(const struct chain *c, const struct locator_message *locator);
/* A block off the active chain may be served only while it is young and nearly as good: else it would tell who we are.
 */
bool serve_may_show(struct p2p *p, const struct block_node *node);

#endif
