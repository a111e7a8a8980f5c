/* The peers of a node: what is said to whom, and what that does to the chain. Engine code: events go in, each at the
 * instant last given to p2p_set_time, and actions come out; no socket, no clock, no thread. The shell (sockets) and the
 * simulator (virtual links) drive the same functions.
 *
 * The life of a connection: the shell dials because of a P2P_DIAL, or accepts; p2p_connected gives it a number; its
 * transport's messages go to p2p_received while p2p_ready allows it; p2p_disconnected ends it. After each event the
 * owner takes blocks (p2p_take_block) and actions (p2p_take_action) until there are none.
 *
 * Whole blocks are handed to the owner, which checks and stores them, tells p2p_block_accepted where one is new,
 * spreads the notices of the chain, and ends with p2p_block_done. */
#ifndef CAIRN_P2P_P2P_H
#define CAIRN_P2P_P2P_H

#include "addrman/addrman.h"
#include "addrman/bans.h"
#include "addrman/local_addrs.h"
#include "base/random.h"
#include "chain/chain.h"
#include "p2p/permissions.h"
#include "wire/messages.h"
#include "wire/transport.h"

struct p2p;
struct peer_info;

/* Numbers count up from 0 in the life of a struct p2p. */
typedef int64_t peer_id;

enum { P2P_NO_PEER = -1 };

enum conn_type {
    CONN_INBOUND,       /* "inbound" */
    CONN_OUTBOUND_FULL, /* "outbound-full-relay" */
    CONN_MANUAL,        /* "manual": -addnode, -connect, addnode */
    CONN_FEELER,        /* "feeler" */
    CONN_BLOCK_RELAY,   /* "block-relay-only" */
    CONN_ADDR_FETCH,    /* "addr-fetch" */
    CONN_TYPE_COUNT,
};

/* "inbound", "outbound-full-relay" ...: the names of getpeerinfo and addconnection. */
const char *conn_type_name(enum conn_type type);

enum {
    P2P_MAX_OUTBOUND_FULL = 8,
    P2P_MAX_BLOCK_RELAY = 2,
    P2P_MAX_FEELER = 1,
    P2P_MAX_ADDNODE = 8,
    P2P_DEFAULT_CONNECTIONS = 125,
    P2P_HOST = 256,
};

struct p2p_options {
    uint64_t services;           /* that we offer: NODE_NETWORK | NODE_WITNESS | NODE_NETWORK_LIMITED ... */
    const char *subversion;      /* user agent; copied, as all texts and lists here */
    uint16_t default_port;       /* of names and addresses without one */
    unsigned max_connections;    /* -maxconnections: automatic ones */
    int64_t peer_timeout_s;      /* -peertimeout */
    uint64_t max_upload_bytes;   /* -maxuploadtarget: a day; 0: no limit */
    bool blocks_only;            /* -blocksonly */
    bool listen, network_active; /* -listen, -networkactive */
    bool dns_lookup;             /* -dns: names may be resolved */
    bool dns_seed, force_dns_seed, fixed_seeds;
    bool automatic;             /* dial on our own; false with -connect */
    bool advertise;             /* tell peers our address (-listen and something to tell) */
    bool log_ips;               /* -logips */
    unsigned no_relay_percent;  /* of the inbound slots, kept for peers without transactions (-inboundrelaypercent) */
    unsigned extra_txs;         /* -blockreconstructionextratxn */
    unsigned tx_send_rate;      /* -txsendrate: a second; 0: Core's default */
    int64_t min_relay_fee_sat;  /* per 1000 virtual bytes: the feefilter that we send */
    unsigned networks;          /* bit 1 << enum network: those in use (-onlynet); 0: IPv4 and IPv6 */
    const char *const *connect; /* -connect: dialled for ever, no other */
    size_t connect_count;
    const char *const *add_nodes; /* -addnode */
    size_t add_node_count;
    const char *const *seed_nodes; /* -seednode */
    size_t seed_node_count;
    const char *const *dns_seeds; /* host names */
    size_t dns_seed_count;
    const struct peer_addr *fixed; /* fixed seeds of the chain */
    size_t fixed_count;
    const struct peer_addr *anchors; /* from anchors.dat */
    size_t anchor_count;
    const struct permission_rule *whitelist; /* -whitelist */
    size_t whitelist_count;
    bool whitelist_relay, whitelist_force_relay; /* -whitelistrelay, -whitelistforcerelay: of implicit permissions */
    uint8_t seed[32];                            /* secret: keys of choices that nobody may foresee */
};

/* ---- life ---- */

/* CHAIN, ADDRMAN, BANS and LOG must live as long. */
struct p2p *p2p_new(const struct p2p_options *options, struct chain *chain, struct addrman *addrman, struct bans *bans,
                    struct log *log);
void p2p_free(struct p2p *p);

/* The instant of all that follows. WALL_US: microseconds since 1970, mocked where time is mocked; may jump either way.
 * STEADY_US: never goes back, origin of no meaning; paces the scheduled tasks alone. */
void p2p_set_time(struct p2p *p, int64_t wall_us, int64_t steady_us);

/* Our own addresses: the owner adds those of interfaces, sockets and -externalip. */
struct local_addrs *p2p_local(struct p2p *p);

/* ---- events: connections ---- */

struct p2p_connection {
    uint64_t dial; /* of the P2P_DIAL that this answers; 0: they connected to us */
    struct endpoint remote;
    struct endpoint local; /* ours of this connection (getpeerinfo's addrbind) */
    unsigned permissions;  /* of the socket they came in on (-whitebind); enum peer_permission */
    bool onion;            /* came in on a socket for Tor (-bind=...=onion) */
    enum transport_kind transport;
};

/* A connection stands. P2P_NO_PEER: refused (banned, no slot, already connected), close it; the log says why. To accept
 * may cost another peer its place (a P2P_DISCONNECT of it). */
peer_id p2p_connected(struct p2p *p, const struct p2p_connection *c);

/* DIAL failed. FOUND (may be NULL): the address that a name was resolved to. PROXY_FAILED: not the target's fault. */
void p2p_dial_failed(struct p2p *p, uint64_t dial, const struct endpoint *found, bool proxy_failed);

/* It is gone, whoever ended it. Exactly once for each number, also after a P2P_DISCONNECT. */
void p2p_disconnected(struct p2p *p, peer_id id);

/* Whether the peer may hand in its next message, whose name is NAME. False while its send queue is full, while requests
 * of it wait to be served or orphans to be judged on its behalf, and while blocks from it are with the owner (unless
 * the next one is a block, too, and not many are). The owner asks again after the next event or tick. */
bool p2p_ready(const struct p2p *p, peer_id id, const char *name);

/* A message: handled now. Its payload is taken: *MESSAGE is empty afterwards. */
void p2p_received(struct p2p *p, peer_id id, struct received *message);

/* BYTES came from the wire, whether or not they end a message (which counts them where this was not called). */
void p2p_bytes_received(struct p2p *p, peer_id id, size_t bytes);

/* BYTES of message NAME ("" for none) went out on the wire; QUEUED bytes wait in the peer's send queue now. */
void p2p_sent(struct p2p *p, peer_id id, const char *name, size_t bytes, size_t queued);

/* More than -maxsendbuffer waits in the peer's send queue; or again no longer. */
void p2p_send_full(struct p2p *p, peer_id id, bool full);

/* ---- events: the rest ---- */

/* Timers and what peers are owed. Call at least every 100 ms of steady time, or when p2p_deadline (steady; what comes
 * first) says, and when p2p_has_work. */
void p2p_tick(struct p2p *p);
int64_t p2p_deadline(const struct p2p *p);
bool p2p_has_work(const struct p2p *p); /* requests or orphans wait: tick again at once */

/* The scheduled tasks see the steady clock DELTA_S further on (mockscheduler). */
void p2p_mock_scheduler(struct p2p *p, int64_t delta_s);

/* The answer to a P2P_RESOLVE: COUNT addresses (0: none, or it failed). */
void p2p_resolved(struct p2p *p, const char *host, const struct netaddr *found, size_t count);

/* ---- events: the chain ---- */

/* A new block is stored, on the tip, its scripts not checked yet (fast announcement, BIP152). */
void p2p_block_accepted(struct p2p *p, struct block_node *node, const struct block *block);

/* The chain moved: each notice, in order, after the indexes saw it. */
void p2p_on_notice(struct p2p *p, const struct notice *notice);

/* The tip is another one now and the chain rests, at least for a moment. FORK: last block that the old and the new
 * chain share. */
void p2p_on_tip(struct p2p *p, struct block_node *fork);

/* Blocks are being read from files (import, reindex): no block is asked for meanwhile. */
void p2p_set_importing(struct p2p *p, bool importing);

/* ---- blocks for the owner ---- */

struct p2p_block {
    peer_id from;
    struct block_hash hash; /* of its header */
    struct buffer raw;      /* the taker frees it */
    bool requested;         /* for ACCEPT_REQUESTED */
    bool min_work_checked;  /* else ACCEPT_LOW_WORK */
    bool parent_known;      /* else do not test it for mutation: it is refused for its parent */
    bool check_witness;     /* segwit is active there: test block_is_mutated(block, true) */
    bool compact;           /* put together from a compact block */
    bool asked_sender;      /* for p2p_block_done, as are the next: whoever takes it leaves them as they are */
    bool asked_first;       /* nothing else was asked of the sender before it */
    int64_t asked_since_us, stalling_since_us; /* what time the sender had used up, and how */
    size_t bytes;
};

/* The next block that came; false where there is none. Each must be answered with p2p_block_done, in any order. */
bool p2p_take_block(struct p2p *p, struct p2p_block *out);

enum block_outcome {
    BLOCK_DONE_MALFORMED, /* does not parse */
    BLOCK_DONE_MUTATED,   /* block_is_mutated: not given to the chain */
    BLOCK_DONE_REFUSED,   /* by chain_accept_block, with the verdict */
    BLOCK_DONE_KNOWN,     /* fine, but we had it or did not want it */
    BLOCK_DONE_NEW,       /* stored (it may have failed to connect: the notice said so) */
};

/* VERDICT: why it was REFUSED, or for the log what is MUTATED; may be NULL otherwise. */
void p2p_block_done(struct p2p *p, const struct p2p_block *block, enum block_outcome outcome,
                    const struct verdict *verdict);

/* ---- actions ---- */

enum p2p_action_kind {
    P2P_SEND,       /* to PEER, message NAME with PAYLOAD */
    P2P_DISCONNECT, /* PEER: close now; what is queued need not go out */
    P2P_DIAL,       /* connect to HOST where it is not empty (a name or an address, with or without port), else to TO */
    P2P_RESOLVE,    /* find the addresses of HOST */
    P2P_PAUSE,      /* setnetworkactive false: nobody is accepted; true: again (ACTIVE) */
};

struct p2p_action {
    enum p2p_action_kind kind;
    peer_id peer;
    char name[MESSAGE_NAME];
    struct buffer payload; /* the taker frees it */
    uint64_t dial;         /* counts from 1; answered by p2p_connected or p2p_dial_failed */
    enum conn_type type;   /* of the dial */
    struct endpoint to;
    char host[P2P_HOST];
    bool active;
};

/* The oldest action; false where there is none. */
bool p2p_take_action(struct p2p *p, struct p2p_action *out);

/* ---- for users ---- */

/* The numbers of all peers, ascending; at most MAX to OUT (NULL: just count). Returns how many there are. */
size_t p2p_peers(const struct p2p *p, peer_id *out, size_t max);
bool p2p_info(const struct p2p *p, peer_id id, struct peer_info *out);
size_t p2p_count(const struct p2p *p, bool inbound, bool outbound);

void p2p_ping_all(struct p2p *p);
void p2p_set_active(struct p2p *p, bool active);
bool p2p_is_active(const struct p2p *p);
uint64_t p2p_services(const struct p2p *p);

/* addnode. ADD: false where it is listed; REMOVE: false where it is not. TRY: once, now. */
bool p2p_add_node(struct p2p *p, const char *node, bool v2);
bool p2p_remove_node(struct p2p *p, const char *node);
void p2p_try_node(struct p2p *p, const char *node, bool v2);

struct added_node {
    char node[P2P_HOST]; /* as it was given */
    bool connected, inbound;
    struct endpoint at;
};

/* The INDEX-th of the added nodes, in the order of adding; false past the end. */
bool p2p_added_node(const struct p2p *p, size_t index, struct added_node *out);

/* addconnection (tests): false where no slot is free. */
bool p2p_add_connection(struct p2p *p, const char *address, enum conn_type type, bool v2);

/* True while a connection to this, which a user asked for, is neither made nor failed. */
bool p2p_is_dialling(const struct p2p *p, const char *host);

/* disconnectnode: false where nobody is there. */
bool p2p_disconnect_id(struct p2p *p, peer_id id);
bool p2p_disconnect_address(struct p2p *p, const char *address);
/* Also those of a ban that was just made. Returns how many. */
size_t p2p_disconnect_subnet(struct p2p *p, const struct subnet *subnet);

/* getblockfrompeer: NULL, or Core's error text ("Peer does not exist"). */
const char *p2p_fetch_block(struct p2p *p, peer_id id, struct block_node *node);

/* sendmsgtopeer (tests): any bytes under any name. False: no such peer. */
bool p2p_send_raw(struct p2p *p, peer_id id, const char *name, struct span payload);

/* getnettotals. */
struct p2p_totals {
    uint64_t received, sent; /* bytes */
    uint64_t cycle_sent;     /* of the upload cycle */
    int64_t cycle_start_us;  /* 0: none began */
    uint64_t target;         /* -maxuploadtarget; 0: none */
    int64_t cycle_left_s;
    bool target_reached;    /* of all */
    bool serve_historical;  /* blocks older than a week are served */
    uint64_t left_in_cycle; /* bytes */
};
void p2p_totals(const struct p2p *p, struct p2p_totals *out);

/* The block-relay peers to put into anchors.dat when the node stops: at most MAX. */
size_t p2p_anchors(const struct p2p *p, struct peer_addr *out, size_t max);

/* What addr messages of one peer said, median over outbound peers, seconds (getnetworkinfo's timeoffset). */
int64_t p2p_time_offset_s(const struct p2p *p);
enum { P2P_CLOCK_WARN_S = 10 * 60 };
/* True where that is more than P2P_CLOCK_WARN_S either way: the node warns of its clock. */
bool p2p_clock_is_off(const struct p2p *p);

/* Bytes that all structures hold for peers, roughly, and the most for one: bounded, whatever peers do. */
size_t p2p_memory(const struct p2p *p);

/* Recomputes every invariant; stops the process where one fails. */
void p2p_check(const struct p2p *p);

#endif
