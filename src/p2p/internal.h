/* Shared by the files of this room: the peers, sending, blame. Each topic keeps its state in a struct of its own
 * header, and only its file changes that. */
#ifndef CAIRN_P2P_INTERNAL_H
#define CAIRN_P2P_INTERNAL_H

#include <stdlib.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/check.h"
#include "base/hashmap.h"
#include "mempool/mempool.h"
#include "p2p/addr_relay.h"
#include "p2p/announce.h"
#include "p2p/blocks.h"
#include "p2p/chain_sync.h"
#include "p2p/compact.h"
#include "p2p/dial.h"
#include "p2p/download.h"
#include "p2p/evict.h"
#include "p2p/filters.h"
#include "p2p/handshake.h"
#include "p2p/headers.h"
#include "p2p/peer_info.h"
#include "p2p/ping.h"
#include "p2p/serve.h"
#include "p2p/tx_relay.h"
#include "p2p/txs.h"

struct peer {
    peer_id id;
    enum conn_type type;
    struct endpoint remote, local;
    char name[P2P_HOST]; /* what the user typed, or the address and port */
    bool by_name;        /* the former */
    unsigned permissions;
    bool inbound_onion;
    enum transport_kind transport;
    int64_t connected_us, last_send_us, last_recv_us; /* wall */
    uint64_t bytes_sent, bytes_received;
    uint64_t sent_by_type[MESSAGE_TYPE_COUNT], received_by_type[MESSAGE_TYPE_COUNT];
    uint64_t bytes_ahead; /* of bytes_received: of messages that did not come to p2p_received yet */
    size_t queued;        /* bytes in the shell's send queue, ours not taken yet included */
    bool send_full;       /* no room: serve nothing, take nothing */
    bool disconnecting;   /* a P2P_DISCONNECT is on its way */
    bool discourage;      /* misbehaved: judged after the message */
    bool prefer_evict;

    struct peer_handshake handshake;
    struct peer_ping ping;
    struct peer_txs txs;
    struct peer_tx_relay tx_relay;
    struct peer_addrs addrs;
    struct peer_headers headers;
    struct peer_download download;
    struct peer_blocks blocks;
    struct peer_serve serve;
    struct peer_filters filters;
    struct peer_announce announce;
    struct peer_compact compact;
    struct peer_chain_sync chain_sync;
};

struct p2p {
    struct p2p_options options; /* lists in it are good while p2p_new runs; texts are copied */
    char *subversion;
    struct chain *chain;
    const struct chain_params *params;
    struct addrman *addrman;
    struct bans *bans;
    struct filter_index *filters; /* NULL: none */
    struct mempool *mempool;      /* NULL: none */
    struct tx_download *tx_download;
    struct tx_relay *tx_relay;
    struct log *log;
    struct random random;
    uint64_t key[2]; /* keyed choices (SipHash) */
    int64_t wall_us, steady_us, steady_offset_us;
    bool active; /* setnetworkactive */
    bool importing;
    bool wake; /* there is something to tell all peers at once */
    struct local_addrs local;
    struct permission_rule *whitelist;
    size_t whitelist_count;

    struct peer **peers; /* by number, ascending */
    size_t peer_count, peer_cap;
    peer_id next_id;
    struct p2p_action *actions; /* a ring: grown when full */
    size_t action_first, action_count, action_cap;
    uint64_t bytes_sent, bytes_received;
    int64_t time_offsets[50]; /* of outbound peers, the last ones */
    size_t time_offset_count;
    int64_t last_tick_us;  /* steady */
    struct arena arena;    /* of the message at hand */
    struct buffer payload; /* the same: a handler may take it away (a block) */

    struct addr_relay addr_relay;
    struct dial_plan *dial;
    struct headers_sync headers;
    struct download download;
    struct blocks_in blocks;
    struct serve serve;
    struct announce announce;
    struct compact_state compact;
    struct chain_sync chain_sync;
};

static inline int64_t p2p_now_s(const struct p2p *p)
{
    return p->wall_us / 1000000;
}

/* Steady time of the scheduled tasks, mockscheduler's leaps included. */
static inline int64_t p2p_scheduler_us(const struct p2p *p)
{
    return p->steady_us + p->steady_offset_us;
}

/* The peer with this number, or NULL. */
struct peer *p2p_peer(const struct p2p *p, peer_id id);

static inline bool peer_is_inbound(const struct peer *peer)
{
    return peer->type == CONN_INBOUND;
}

/* Outbound of the automatic sorts, manual ones excluded where Core does (full-relay or block-relay). */
static inline bool peer_is_outbound_or_block_relay(const struct peer *peer)
{
    return peer->type == CONN_OUTBOUND_FULL || peer->type == CONN_BLOCK_RELAY;
}

static inline bool peer_permits(const struct peer *peer, unsigned permission)
{
    return permits(peer->permissions, permission);
}

/* The handshake is done and nobody said goodbye. */
static inline bool peer_is_open(const struct peer *peer)
{
    return peer->handshake.verack_received && !peer->disconnecting;
}

/* Version agreed on, that has what SINCE brought. */
static inline bool peer_speaks(const struct peer *peer, int32_t since)
{
    return peer->handshake.version >= since;
}

/* Queues a message. PAYLOAD (peer_send_payload) is taken. Nothing is sent to who is being disconnected. */
void peer_send(struct p2p *p, struct peer *peer, const struct message *m);
void peer_send_payload(struct p2p *p, struct peer *peer, enum message_type type, struct buffer *payload);
void peer_send_empty(struct p2p *p, struct peer *peer, enum message_type type);
void peer_send_raw(struct p2p *p, struct peer *peer, const char *name, struct span payload);
/* Items of a getdata, inv or notfound: one message, at most MAX_INV of them. */
void peer_send_inv(struct p2p *p, struct peer *peer, enum message_type type, const struct inv *items, size_t count);

/* Ends the connection after the event at hand; the peer stays until p2p_disconnected. */
void peer_disconnect(struct p2p *p, struct peer *peer);

/* Nobody honest does what is said in WHY: logged ("Misbehaving: peer=N: WHY"); the peer is discouraged and disconnected
 * after the message, unless it is permitted, manual or local. */
void peer_misbehaves(struct p2p *p, struct peer *peer, const char *why, ...) PRINTF_LIKE(3, 4);

/* What the misbehaviour of this event comes to; true where the peer is on its way out. */
bool peer_judge(struct p2p *p, struct peer *peer);

/* "peer=3" or, with -logips, "peer=3, peeraddr=..."; returns OUT. */
enum { PEER_LOG = 128 };
char *peer_log(char out[PEER_LOG], const struct p2p *p, const struct peer *peer);
/* "disconnecting peer=3". */
char *peer_log_disconnect(char out[PEER_LOG], const struct p2p *p, const struct peer *peer);

/* Adds an action for the owner; to be filled. Good until the next. */
struct p2p_action *p2p_add_action(struct p2p *p, enum p2p_action_kind kind);
void actions_clear(struct p2p *p);

/* Of the connections that are made without a user's wish, how many of each sort there may be. */
unsigned p2p_max_outbound_full(const struct p2p *p);
unsigned p2p_max_block_relay(const struct p2p *p);
unsigned p2p_max_inbound(const struct p2p *p);

/* Ends it and forgets everything about it (p2p_disconnected). */
void peer_free(struct p2p *p, struct peer *peer);

/* Time until the next event of a Poisson process with this average. */
int64_t p2p_poisson_us(struct p2p *p, int64_t average_us);

#endif
