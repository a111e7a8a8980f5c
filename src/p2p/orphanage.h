/* Transactions that wait for their parents. Who announced one answers for what it takes: each announcement counts for
 * its peer, and when there is too much in all, the oldest announcements of the peer that is furthest over its share go
 * first; a peer within its share loses nothing for others. */
#ifndef CAIRN_P2P_ORPHANAGE_H
#define CAIRN_P2P_ORPHANAGE_H

#include "base/log.h"
#include "base/random.h"
#include "p2p/p2p.h"
#include "p2p/p2p_txs.h"
#include "primitives/block.h"

struct orphanage;

enum {
    ORPHANAGE_LATENCY = 3000,      /* of all: an announcement counts 1, and a transaction 1 for each ten inputs */
    ORPHANAGE_PEER_USAGE = 404000, /* weight that is kept for each peer */
    ORPHANAGE_MAX_WEIGHT = 400000, /* of one; heavier ones are not standard */
};

/* RANDOM and LOG must live as long. */
struct orphanage *orphanage_new(uint64_t max_latency, uint64_t peer_usage, const uint64_t key[2], struct random *random,
                                struct log *log);
void orphanage_free(struct orphanage *o);

/* What is kept of one. */
struct orphan {
    struct wtxid wtxid;
    struct txid txid;
    struct span raw;
    uint64_t weight_wu;
    const struct outpoint *spends; /* of each input */
    size_t spend_count;
    const peer_id *from; /* who announced it, ascending */
    size_t from_count;
};

/* PEER announced TX (hashed; copied). True where it is new. */
bool orphanage_add(struct orphanage *o, const struct tx *tx, peer_id peer);
/* PEER announced it, too. False where it is not there, or had been announced by PEER. */
bool orphanage_add_announcer(struct orphanage *o, const struct wtxid *id, peer_id peer);

/* NULL: not there. Good until the next change. */
const struct orphan *orphanage_find(const struct orphanage *o, const struct wtxid *id);
bool orphanage_has_from(const struct orphanage *o, const struct wtxid *id, peer_id peer);
/* All, by wtxid; the caller frees the list. */
const struct orphan **orphanage_list(const struct orphanage *o, size_t *count);

/* False where it was not there. */
bool orphanage_remove(struct orphanage *o, const struct wtxid *id);
void orphanage_peer_gone(struct orphanage *o, peer_id peer);
/* Removes what BLOCK has or conflicts with. */
void orphanage_on_block(struct orphanage *o, const struct block *block);

/* PARENT can be spent now: each of its children is to be judged again, on behalf of one of its announcers. */
void orphanage_parent_came(struct orphanage *o, const struct tx *parent);
bool orphanage_has_work(const struct orphanage *o, peer_id peer);
bool orphanage_any_work(const struct orphanage *o);
/* The next one to judge on behalf of PEER; it waits no longer for that. NULL: none. Good until the next change. */
const struct orphan *orphanage_take_work(struct orphanage *o, peer_id peer);

/* ---- account ---- */

size_t orphanage_count(const struct orphanage *o);         /* transactions */
size_t orphanage_announcements(const struct orphanage *o); /* transactions times their announcers */
uint64_t orphanage_usage(const struct orphanage *o);       /* weight of all, each once */
uint64_t orphanage_latency(const struct orphanage *o);
size_t orphanage_peer_announcements(const struct orphanage *o, peer_id peer);
uint64_t orphanage_peer_usage(const struct orphanage *o, peer_id peer);
uint64_t orphanage_peer_latency(const struct orphanage *o, peer_id peer);
size_t orphanage_memory(const struct orphanage *o); /* heap bytes */
/* Recomputes what must hold. */
void orphanage_check(const struct orphanage *o);

#endif
