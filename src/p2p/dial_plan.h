/* Inside the dialling: three machines, each in the place of a thread that would sleep. `open` makes the automatic
 * connections (or those of -connect), `added` those of -addnode, `dns` asks the DNS seeds. A machine has at most one
 * dial out and goes on when that is answered. */
#ifndef CAIRN_P2P_DIAL_PLAN_H
#define CAIRN_P2P_DIAL_PLAN_H

#include "p2p/internal.h"

enum {
    SEED_PEERS_ENOUGH = 2, /* full-relay peers with which no seed is needed */
    ANCHORS_MAX = 2,
};

#define DIAL_PAUSE_US INT64_C(500000) /* between two dials of a machine */

/* A list of texts that we own. */
struct text_list {
    char **items;
    size_t count, cap;
};

enum open_state {
    OPEN_OFF,
    OPEN_CONNECT,       /* -connect: dials the next of its list */
    OPEN_FETCH,         /* an addr-fetch, where one waits */
    OPEN_FETCHING,      /* which is being dialled */
    OPEN_CHOOSE,        /* an automatic connection, where a slot is free */
    OPEN_FEELER_SLEEPS, /* a moment that nobody can foresee */
    OPEN_DIALLING,
};

struct dial_open {
    enum open_state state;
    int64_t wake_us; /* steady: nothing happens before */
    uint64_t dial;   /* that is out */
    size_t at;       /* in -connect */
    unsigned rounds; /* through it */
    int64_t start_us, next_feeler_us, next_extra_block_relay_us, next_extra_network_us, seed_timer_us; /* wall */
    bool add_fixed_seeds, add_seed_node;
    struct peer_addr feeler; /* chosen */
    bool count_failures;
};

enum added_state { ADDED_ROUND, ADDED_NEXT, ADDED_DIALLING };

struct added {
    char *node;
    struct endpoint at; /* where the text is an address; else netaddr_none */
    bool tried;         /* in this round */
};

struct dial_added {
    enum added_state state;
    int64_t wake_us; /* steady */
    uint64_t dial;
    bool dialled; /* in this round */
    struct added *items;
    size_t count, cap;
    char *slots[P2P_MAX_ADDNODE]; /* names of the peers (or dials) that take one */
};

enum dns_state {
    DNS_OFF,
    DNS_BEGIN,
    DNS_SEED_NODES, /* which are asked first */
    DNS_DECIDE,     /* whether seeds are asked at all */
    DNS_NEXT,       /* the next seed, or a delay first */
    DNS_DELAY,
    DNS_ASK,
    DNS_RESOLVING,
};

struct dial_dns {
    enum dns_state state;
    int64_t wake_us;  /* steady */
    int64_t start_us; /* wall: of the time for seed nodes */
    int64_t delay_us, waited_us;
    struct text_list seeds;
    size_t at;
    size_t now; /* seeds to ask before the next delay */
    bool said_inactive;
    unsigned found;
    char host[P2P_HOST]; /* that is being resolved */
};

struct dial_plan {
    bool begun;
    struct dial *dials;
    size_t dial_count, dial_cap;
    uint64_t next_number;
    unsigned max_full, max_block_relay, max_outbound; /* the last: all automatic ones together */
    bool extra_full, extra_block_relay;
    struct text_list connect, seed_nodes, fetches;
    size_t fetch_at;
    struct peer_addr anchors[ANCHORS_MAX]; /* the last is tried first */
    size_t anchor_count;
    struct peer_addr *fixed;
    size_t fixed_count;
    bool has_seed_nodes; /* -seednode was given */
    struct dial_open open;
    struct dial_added added;
    struct dial_dns dns;
};

void text_list_add(struct text_list *l, const char *text);
void text_list_shuffle(struct text_list *l, struct random *random);
void text_list_clear(struct text_list *l);

/* ---- dial.c ---- */

/* Asks for a connection: by name or address as a user gives it, or to an address. 0: not now, with the reason in the
 * log (the network is off, we have that connection already, it is banned). */
uint64_t dial_host(struct p2p *p, const char *host, enum conn_type type);
uint64_t dial_address(struct p2p *p, const struct peer_addr *to, enum conn_type type, bool count_failure);

bool dial_is_out(const struct p2p *p, uint64_t number);
/* A slot for one more automatic outbound connection is free. */
bool dial_slot_free(const struct p2p *p);
bool dial_connected_to_address(const struct p2p *p, const struct netaddr *a);

/* Full-relay peers whose handshake is done. */
unsigned dial_full_open(const struct p2p *p);

/* The endpoint that TEXT is, with the port that is usual where it has none; false where it is a name. */
bool dial_parse(const struct p2p *p, struct endpoint *out, const char *text);

/* ---- the machines; a step returns true where it got somewhere ---- */

void dial_open_begin(struct p2p *p); /* dial_open.c */
bool dial_open_step(struct p2p *p);
void dial_added_begin(struct p2p *p); /* dial_nodes.c */
bool dial_added_step(struct p2p *p);
void dial_added_clear(struct dial_added *a);
/* True where the address is among the added nodes. */
bool dial_added_has(const struct p2p *p, const struct endpoint *e);
void dial_dns_begin(struct p2p *p); /* dial_seeds.c */
bool dial_dns_step(struct p2p *p);

/* dial_seeds.c */
void dial_add_fetch(struct p2p *p, const char *host);
/* Puts the next -seednode among the addr-fetches, where one is due. */
void dial_next_seed_node(struct p2p *p);
void dial_seed_node_due(struct p2p *p, unsigned full_peers);
/* Adds the fixed seeds where it is time and a network has no address. */
void dial_fixed_seeds(struct p2p *p);

/* dial_choose.c */

/* What outbound peers there are, as far as the next choice depends on it. */
struct dial_census {
    unsigned full, block_relay;
    unsigned privacy;        /* peers in Tor, I2P and CJDNS */
    struct netgroup *groups; /* of the others, distinct; owned */
    size_t group_count;
};

void dial_census_take(struct p2p *p, struct dial_census *c);
void dial_census_clear(struct dial_census *c);

struct dial_want {
    enum conn_type type;
    bool anchor;
    enum network only; /* NET_COUNT: any */
};

/* What sort to dial next; false for none now. */
bool dial_want_next(struct p2p *p, const struct dial_census *c, struct dial_want *out);
/* An address for it; false where none was found in a hundred. */
bool dial_choose(struct p2p *p, const struct dial_census *c, const struct dial_want *want, struct peer_addr *out);

#endif
