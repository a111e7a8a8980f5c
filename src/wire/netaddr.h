/* Network addresses: IPv4, IPv6, Tor v3 (onion), I2P, CJDNS and internal names; their texts, their two encodings in
 * messages (legacy, and BIP155), what can be reached, and the group that an address counts for. */
#ifndef CAIRN_WIRE_NETADDR_H
#define CAIRN_WIRE_NETADDR_H

#include "base/buffer.h"
#include "base/reader.h"

/* The values are part of network groups and of address book files. */
enum network {
    NET_UNROUTABLE = 0, /* only as an answer; an address of all zero bytes counts as the invalid "::" */
    NET_IPV4,
    NET_IPV6,
    NET_ONION, /* Tor v3 */
    NET_I2P,
    NET_CJDNS,
    NET_INTERNAL, /* the hash of a name: where an address came from (a DNS seed), never where to connect */
    NET_COUNT,
};

enum { NETADDR_BYTES = 32, NETADDR_TEXT = 72, ENDPOINT_TEXT = NETADDR_TEXT + 8 };

/* Unused bytes are zero, so that addresses compare as memory. */
struct netaddr {
    enum network net;
    uint8_t bytes[NETADDR_BYTES]; /* netaddr_len of them; most significant first */
    uint32_t scope;               /* zone of an IPv6 link-local address (RFC 4007); not part of its identity */
};

/* The unspecified address "::", which is not valid. */
struct netaddr netaddr_none(void);
struct netaddr netaddr_ipv4(const uint8_t bytes[4]);
/* From 16 bytes in which other kinds may hide: mapped IPv4, internal names; a Tor v2 address gives netaddr_none. */
struct netaddr netaddr_from_ipv6(const uint8_t bytes[16]);
/* Stands for NAME (not empty) in the address book. */
struct netaddr netaddr_internal(const char *name);

/* Bytes of an address of this network: 4, 16, 32 or 10. */
size_t netaddr_len(enum network net);

/* "ipv4" "ipv6" "onion" "i2p" "cjdns" "internal" "not_publicly_routable". */
const char *network_name(enum network net);
/* From the names that can be chosen (ipv4 ipv6 onion i2p cjdns, either case), else NET_UNROUTABLE. */
enum network network_parse(const char *name);

bool netaddr_equal(const struct netaddr *a, const struct netaddr *b);
/* -1, 0 or 1: by network, then by bytes. */
int netaddr_cmp(const struct netaddr *a, const struct netaddr *b);

/* Text: dotted, RFC 5952, base32 with ".onion", ".b32.i2p" or ".internal"; returns OUT. */
char *netaddr_text(char out[NETADDR_TEXT], const struct netaddr *a);

/* Numeric addresses (as inet_aton and inet_pton take them, "%zone" with a number; with or without brackets), onion and
 * I2P names. Nothing is resolved; false for anything else and for texts that would give an internal address. */
MUST_USE bool netaddr_parse(struct netaddr *out, struct span text);
/* The onion and I2P names alone. */
MUST_USE bool netaddr_parse_special(struct netaddr *out, struct span text);

/* Classes. Those called by an RFC are ranges of IPv4 or IPv6; see the numbers. */
enum netaddr_class {
    NETADDR_RFC1918, /* IPv4 private */
    NETADDR_RFC2544, /* IPv4 benchmarks */
    NETADDR_RFC6598, /* IPv4 carrier-grade translation */
    NETADDR_RFC5737, /* IPv4 documentation */
    NETADDR_RFC3927, /* IPv4 link-local */
    NETADDR_RFC3849, /* IPv6 documentation */
    NETADDR_RFC3964, /* 6to4 */
    NETADDR_RFC4193, /* IPv6 unique local */
    NETADDR_RFC4380, /* Teredo */
    NETADDR_RFC4843, /* ORCHID */
    NETADDR_RFC7343, /* ORCHIDv2 */
    NETADDR_RFC4862, /* IPv6 link-local */
    NETADDR_RFC6052, /* IPv4 embedded, well-known prefix */
    NETADDR_RFC6145, /* IPv4 translated */
    NETADDR_HE_NET,  /* Hurricane Electric's tunnels */
    NETADDR_CLASS_COUNT,
};

bool netaddr_is(const struct netaddr *a, enum netaddr_class class);
bool netaddr_is_local(const struct netaddr *a);     /* 127/8, 0/8, ::1 */
bool netaddr_is_bind_any(const struct netaddr *a);  /* 0.0.0.0, :: */
bool netaddr_is_valid(const struct netaddr *a);     /* could name a host */
bool netaddr_is_routable(const struct netaddr *a);  /* valid and reachable from anywhere */
bool netaddr_is_relayable(const struct netaddr *a); /* of a network whose addresses are gossiped, reachable or not */
bool netaddr_is_privacy(const struct netaddr *a);   /* Tor or I2P */
bool netaddr_fits_v1(const struct netaddr *a);      /* has a legacy encoding */

/* Its network where it is routable or internal, else NET_UNROUTABLE. */
enum network netaddr_network(const struct netaddr *a);
/* The same with everything that has an IPv4 address inside as NET_IPV4. */
enum network netaddr_class_of(const struct netaddr *a);
/* IPv4, or routable IPv6 with an IPv4 address inside (6to4, Teredo, translated): *IPV4 (may be NULL) is that. */
bool netaddr_linked_ipv4(const struct netaddr *a, uint32_t *ipv4);

/* An IPv6 address under fc00::/8 is one of CJDNS where that network is in use. */
void netaddr_flip_to_cjdns(struct netaddr *a);

/* How well OURS can be reached from PARTNER: 0 not at all; larger is better. For choosing which of our own addresses to
 * tell a peer. */
int netaddr_reachability(const struct netaddr *ours, const struct netaddr *partner);

/* The bytes that the address book hashes: 16 in legacy form where there is one, else the address itself. Returns how
 * many. */
size_t netaddr_key_bytes(uint8_t out[NETADDR_BYTES], const struct netaddr *a);

/* Addresses that one operator probably has together: /16 of IPv4, /32 of IPv6 (/36 of he.net), 4 bits of Tor, I2P and
 * CJDNS; everything unroutable is one group. The first byte is the network class. */
struct netgroup {
    uint8_t len;
    uint8_t bytes[15];
};

struct netgroup netaddr_group(const struct netaddr *a);
bool netgroup_equal(const struct netgroup *a, const struct netgroup *b);

/* Encodings. Legacy (16 bytes): what has none is written as zeroes. */
void netaddr_write_v1(struct buffer *out, const struct netaddr *a);
void netaddr_read_v1(struct netaddr *a, struct reader *r);
/* BIP155: network id, length, bytes. Ids from the future, Tor v2 and addresses hidden in IPv6 read as netaddr_none; a
 * wrong length for a known id and any above 512 fail the reader. */
void netaddr_write_v2(struct buffer *out, const struct netaddr *a);
void netaddr_read_v2(struct netaddr *a, struct reader *r);

/* An address with a port: where somebody listens or is connected from. */
struct endpoint {
    struct netaddr addr;
    uint16_t port;
};

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
/* "1.2.3.4:8333", "[2001:db8::1]:8333"; returns OUT. */
char *endpoint_text(char out[ENDPOINT_TEXT], const struct endpoint *e);
/* netaddr_parse of the host part; DEFAULT_PORT where none is given, or not one. */
MUST_USE bool endpoint_parse(struct endpoint *out, struct span text, uint16_t default_port);
/* Parts "host", "host:port", "[host]:port"; *PORT keeps its value where there is none. False for a port that is no
 * number or zero (*HOST is then all of the text in the first case). */
bool split_host_port(struct span text, uint16_t *port, struct span *host);

/* A fixed-size key of an endpoint for hash maps. */
struct endpoint_key {
    uint8_t bytes[NETADDR_BYTES + 3];
};

void endpoint_key(struct endpoint_key *out, const struct endpoint *e);
/* netaddr_key_bytes and the port, most significant byte first: what the address book hashes. Returns how many. */
size_t endpoint_key_bytes(uint8_t out[NETADDR_BYTES + 2], const struct endpoint *e);

/* True for ports of other protocols, to which nodes do not connect on their own (they would be a tool for attacks). */
bool port_is_bad(uint16_t port);

/* Who serves what, as told in version and addr messages. */
enum {
    NODE_NETWORK = 1 << 0,
    NODE_BLOOM = 1 << 2,            /* BIP111 */
    NODE_WITNESS = 1 << 3,          /* BIP144 */
    NODE_COMPACT_FILTERS = 1 << 6,  /* BIP157 */
    NODE_NETWORK_LIMITED = 1 << 10, /* BIP159: the last 288 blocks */
    NODE_P2P_V2 = 1 << 11,          /* BIP324 */
};

enum { SERVICE_NAME = 16 };

/* "NETWORK", "WITNESS" ..., "UNKNOWN[2^20]" for bit 20; returns OUT. */
char *service_name(char out[SERVICE_NAME], unsigned bit);

/* One entry of addr and addrv2. */
struct peer_addr {
    struct endpoint at;
    uint64_t services;
    uint32_t time; /* seconds since 1970 when it was last seen */
};

enum addr_format { ADDR_V1, ADDR_V2 };

void peer_addr_write(struct buffer *out, const struct peer_addr *a, enum addr_format format);
void peer_addr_read(struct peer_addr *a, struct reader *r, enum addr_format format);

#endif
