/* What the options say about the network, from reading them until the node stops. */
#ifndef CAIRN_DAEMON_NETWORK_SETUP_H
#define CAIRN_DAEMON_NETWORK_SETUP_H

#include "daemon/daemon.h"
#include "p2p/p2p.h"

enum { MAX_ANCHORS = 2, PROXY_TEXT = 256 };

struct network_proxy {
    char text[PROXY_TEXT]; /* "127.0.0.1:9050", "unix:/path"; "": none */
    bool randomize;
};

struct network_setup {
    struct p2p_options options; /* its lists are those below */
    const char **connect, **add_nodes, **seed_nodes, **dns_seeds;
    struct permission_rule *whitelist;
    struct endpoint *external; /* -externalip */
    size_t external_count;
    bool discover;            /* -discover */
    bool discover_interfaces; /* we listen on all addresses: those of the interfaces are ours */
    uint32_t reachable;       /* bit 1 << enum network */
    uint16_t port;            /* -port */
    uint16_t listen_port;     /* to tell others */
    struct network_proxy proxies[NET_COUNT];
    struct network_proxy name_proxy; /* of names, which are then not resolved here */

    struct peer_addr *fixed;

    struct peer_addr anchors[MAX_ANCHORS]; /* read at start; then those to write at the end */
    size_t anchor_count;
    bool keep_anchors;
    bool running;     /* connections were made: the anchors are theirs, no longer those of the file */
    int64_t saved_us; /* steady: when peers.dat was last written */
};

/* Numbers with a unit: "10", "5M", "2g" (k m g t are powers of 1000, K M G T of 1024); where there is none the
 * unit is UNIT. False where it is no number or beyond 64 bits. */
MUST_USE bool parse_byte_units(const char *text, char unit, uint64_t *out);

/* An address with a port, numeric or (NAMES) to be resolved. */
MUST_USE bool resolve_endpoint(struct endpoint *out, const char *text, uint16_t default_port, bool names);

/* Whether connections over Tor are wanted, for which its process may tell its proxy later. */
bool network_wants_onion_service(const struct args *a);

/* -i2psam and -onlynet=i2p; before what cannot be reached is taken out. */
MUST_USE bool network_check_i2p(struct daemon *d, const struct network_setup *s, struct start_error *error);
/* Whether -privatebroadcast could be done; after the networks are known. */
MUST_USE bool network_check_broadcast(struct daemon *d, const struct network_setup *s, struct start_error *error);

/* ---- network_binds.c ---- */

/* -bind, -whitebind and their defaults to d->binds. */
MUST_USE bool read_binds(struct daemon *d, struct network_setup *s, struct start_error *error);
/* Our own addresses as far as options and sockets tell them. */
void add_local_addresses(struct daemon *d, const struct network_setup *s, struct local_addrs *local);

/* ---- network_files.c ---- */

/* The file NAME in the chain's directory. False with ERROR where it cannot be used and must not be replaced. */
MUST_USE bool read_addresses(struct daemon *d, struct addrman *addrman, struct start_error *error);
void read_bans(struct daemon *d, struct bans *bans, bool cjdns, int64_t now_s);
/* The file is deleted. */
void read_anchors(struct daemon *d, struct network_setup *s);
void write_addresses(struct daemon *d, const struct addrman *addrman);
void write_bans(struct daemon *d, struct bans *bans, int64_t now_s);
void write_anchors(struct daemon *d, const struct network_setup *s);

#endif
