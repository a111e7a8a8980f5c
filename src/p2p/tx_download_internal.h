/* Shared by the files about transactions in. */
#ifndef CAIRN_P2P_TX_DOWNLOAD_INTERNAL_H
#define CAIRN_P2P_TX_DOWNLOAD_INTERNAL_H

#include "addrman/rolling_bloom.h"
#include "mempool/mempool.h"
#include "p2p/internal.h"
#include "p2p/orphanage.h"
#include "p2p/tx_download.h"
#include "p2p/tx_relay.h"
#include "p2p/tx_request.h"

enum {
    TX_DOWNLOAD_IN_FLIGHT = 100,      /* with as many, a peer is asked for more only after a delay */
    TX_DOWNLOAD_ANNOUNCEMENTS = 5000, /* more of one peer are not taken, unless it may relay whatever it likes */
    TX_DOWNLOAD_REFUSED = 120000,     /* hashes that a filter remembers for certain */
    TX_DOWNLOAD_CONFIRMED = 48000,
    TX_DOWNLOAD_RARITY = 20,    /* one in 2^20 hashes is taken for a known one */
    TX_DOWNLOAD_EXTRA = 100000, /* bytes: larger ones are not kept for compact blocks */
};

#define TX_DOWNLOAD_DELAY_US   INT64_C(2000000)  /* for each reason to wait */
#define TX_DOWNLOAD_TIMEOUT_US INT64_C(60000000) /* then the next is asked */

struct tx_download {
    struct tx_requests *requests;
    struct orphanage *orphans;
    /* Without memory until they have something to remember. */
    struct rolling_bloom refused; /* will not come in before the chain moves */
    struct rolling_bloom
        reconsiderable; /* pays too little alone: may come in beside others, nothing else asks for it */
    struct rolling_bloom confirmed;
    size_t wtxid_peers; /* open, with wtxidrelay */
};

void tx_download_refuse(struct p2p *p, const uint8_t hash[32]);
void tx_download_set_aside(struct p2p *p, const struct wtxid *id); /* reconsiderable */

/* In the pool, among the orphans, lately confirmed or refused; WITH_RECONSIDERABLE: also if set aside. An orphan counts
 * by its wtxid alone: one with the same txid may have another witness. */
bool tx_download_has(const struct p2p *p, const uint8_t hash[32], bool by_wtxid, bool with_reconsiderable);

/* Txids without repetition, ascending. */
struct parents {
    struct txid *ids; /* to be freed */
    size_t count;
};
struct parents tx_download_parents(const struct tx_in *in, size_t count);
/* Drops those that tx_download_has. */
void tx_download_drop_had(const struct p2p *p, struct parents *parents);

/* PEER, which has orphan ID, will be asked for PARENTS. False: not this one (it is known to have it, it announced too
 * much, it is gone). */
bool tx_download_ask_parents(struct p2p *p, peer_id peer, const struct wtxid *id, const struct parents *parents);

#endif
