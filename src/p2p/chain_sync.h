/* Outbound peers whose chain is worse than ours, tips that go stale, and more outbound peers than wanted. */
#ifndef CAIRN_P2P_CHAIN_SYNC_H
#define CAIRN_P2P_CHAIN_SYNC_H

#include "p2p/p2p.h"

struct peer;

struct peer_chain_sync {
    int64_t timeout_s;              /* 0: none runs */
    struct block_node *work_header; /* what they must reach */
    bool getheaders_sent;
    bool protect;                /* gave us a good chain: stays */
    int64_t last_announcement_s; /* of a block */
};

struct chain_sync {
    unsigned protected_peers;
    int64_t last_tip_update_s;
    int64_t stale_check_s; /* when to look next */
    int64_t next_check_us; /* steady: the scheduled task */
    bool initial_sync_done;
    bool extra_wanted; /* what dial_set_extra_full was told last */
};

void chain_sync_init(struct p2p *p);
void chain_sync_peer_gone(struct p2p *p, struct peer *peer);
/* An outbound full-relay peer showed a chain with as much work as our tip. */
void chain_sync_protect(struct p2p *p, struct peer *peer);
/* Part of the send pass. */
void chain_sync_consider(struct p2p *p, struct peer *peer);
/* The scheduled task: every 45 seconds of steady time. */
void chain_sync_tick(struct p2p *p);
int64_t chain_sync_deadline(const struct p2p *p);
void chain_sync_on_tip(struct p2p *p);
bool chain_sync_tip_is_stale(const struct p2p *p);

#endif
