/* Peers on a regtest chain in memory, without sockets: connect, say something, look at what is answered.
 *
 *     struct harness h;
 *     harness_new(&h);
 *     peer_id a = harness_inbound(&h, "1.2.3.4:5000");          (connected; nothing said)
 *     peer_id b = harness_peer(&h, "5.6.7.8:18444", CONN_OUTBOUND_FULL);   (handshake done, answers forgotten)
 *     harness_say(&h, b, &(struct message){.type = MESSAGE_GETADDR});
 *     struct message m;
 *     cr_assert(harness_answer(&h, b, MESSAGE_ADDR, &m));
 *     harness_free(&h);
 *
 * After each call all actions were taken, and blocks went to the chain, as an owner would do it. A peer that is to be
 * disconnected is gone when the call returns. */
#ifndef CAIRN_TEST_P2P_HARNESS_H
#define CAIRN_TEST_P2P_HARNESS_H

#include "p2p/internal.h"
#include "p2p/p2p_txs.h"
#include "support/block_maker.h"
#include "support/chain_kit.h"

enum { HARNESS_PEERS = 400 };

/* A message that went out. */
struct harness_sent {
    peer_id to;
    char name[MESSAGE_NAME];
    struct buffer payload;
};

/* Must stay where it is while it is open. */
struct harness {
    struct kit kit; /* the chain: kit.chain, kit.params; kit.now_s follows the clock */
    struct log log; /* all debug lines */
    struct buffer log_text;
    struct addrman *addrman;
    struct bans bans;
    struct p2p_options options;
    struct p2p *p;
    struct mempool *pool; /* NULL: none (harness_open_pool) */
    int64_t wall_us, steady_us;
    struct harness_sent *sent; /* in order, not looked at yet */
    size_t sent_count, sent_cap;
    struct p2p_action *asked; /* dials, resolutions and pauses that were not taken yet, in order */
    size_t asked_count, asked_cap;
    bool closed[HARNESS_PEERS]; /* by number: we ended it */
    bool hold_blocks;           /* leave blocks with p2p_take_block */
    unsigned blocks_done[5];    /* by outcome */
    struct buffer last_payload; /* what the last harness_answer points into */
    struct arena arena;
};

/* ---- life ---- */

/* Options and a chain with genesis alone, twelve hours after it (so that there is no initial download); change
 * h->options before harness_open. Services: NODE_NETWORK | NODE_WITNESS | NODE_NETWORK_LIMITED; nothing is dialled. */
void harness_prepare(struct harness *h);
void harness_open(struct harness *h);
void harness_new(struct harness *h);
/* After harness_open: a pool, which takes transactions that are not standard, too. */
void harness_open_pool(struct harness *h);
/* Checks all invariants, ends all connections, checks again, frees. */
void harness_free(struct harness *h);

/* ---- time ---- */

/* Both clocks move on, then a tick. */
void harness_wait_us(struct harness *h, int64_t us);
void harness_wait_s(struct harness *h, int64_t seconds);
/* COUNT ticks, 100 ms apart. */
void harness_ticks(struct harness *h, size_t count);

/* ---- connections ---- */

struct endpoint harness_endpoint(const char *text);

/* They connect to us. P2P_NO_PEER: refused. */
peer_id harness_inbound(struct harness *h, const char *from);
peer_id harness_inbound_with(struct harness *h, const struct p2p_connection *c);

/* A user has us connect to TO, as TYPE; it succeeds. */
peer_id harness_outbound(struct harness *h, const char *to, enum conn_type type);

/* Answers the oldest dial that waits, which there must be; it reaches AT (NULL: what it asked for). */
peer_id harness_answer_dial(struct harness *h, const char *at);

/* Their version and verack (and before it wtxidrelay and sendaddrv2). */
void harness_handshake(struct harness *h, peer_id id);
struct message harness_version(const struct harness *h);

/* Connection (TYPE inbound too) and handshake; what we said is forgotten. */
peer_id harness_peer(struct harness *h, const char *at, enum conn_type type);

/* They hang up. */
void harness_hang_up(struct harness *h, peer_id id);
struct peer *harness_peer_of(struct harness *h, peer_id id); /* NULL: gone */

/* ---- messages ---- */

/* Waits (in ticks) until the peer may speak, then hands the message in. */
void harness_say(struct harness *h, peer_id id, const struct message *m);
void harness_say_empty(struct harness *h, peer_id id, enum message_type type);
void harness_say_bytes(struct harness *h, peer_id id, const char *name, struct span payload);

/* Takes the oldest message of TYPE to ID; *M (may be NULL) is good until the next call. False: there is none. */
bool harness_answer(struct harness *h, peer_id id, enum message_type type, struct message *m);
/* How many there are. */
size_t harness_answers(const struct harness *h, peer_id id, enum message_type type);
/* Names of all messages to ID in order, with a space between: "version verack". OUT has SIZE bytes; returns OUT. */
char *harness_names(const struct harness *h, peer_id id, char *out, size_t size);
/* Forgets what was said to ID (P2P_NO_PEER: to all). */
void harness_forget(struct harness *h, peer_id id);

/* The oldest action of KIND that is no message and no disconnect; false where there is none. */
bool harness_asked(struct harness *h, enum p2p_action_kind kind, struct p2p_action *out);

/* ---- log ---- */

bool harness_logged(struct harness *h, const char *text);
void harness_clear_log(struct harness *h);

/* ---- blocks ---- */

/* A block on the tip, made by us: stored, connected, told. Not to be freed. */
struct block_node *harness_mine(struct harness *h);
void harness_mine_many(struct harness *h, size_t count);
/* BLOCK becomes ours, as by submitblock. */
void harness_feed(struct harness *h, const struct block *block);
/* Takes the actions and blocks that wait. Every call above ends with it. */
void harness_pump(struct harness *h);

#endif
