/* Network addresses: what they are, how far they reach, and the group they count for. */
#include "wire/netaddr.h"

#include <stdio.h>
#include <strings.h>

#include "base/check.h"
#include "crypto/sha256.h"
#include "wire/netaddr_prefix.h"

struct netaddr netaddr_none(void)
{
    return (struct netaddr){.net = NET_IPV6};
}

struct netaddr netaddr_ipv4(const uint8_t bytes[4])
{
    struct netaddr a = {.net = NET_IPV4};
    memcpy(a.bytes, bytes, 4);
    return a;
}

struct netaddr netaddr_from_ipv6(const uint8_t bytes[16])
{
    struct netaddr a = {.net = NET_IPV6};
    if (memcmp(bytes, ipv4_prefix, sizeof(ipv4_prefix)) == 0) return netaddr_ipv4(bytes + sizeof(ipv4_prefix));
    if (memcmp(bytes, torv2_prefix, sizeof(torv2_prefix)) == 0) return a;
    if (memcmp(bytes, internal_prefix, sizeof(internal_prefix)) == 0) {
        a.net = NET_INTERNAL;
        memcpy(a.bytes, bytes + sizeof(internal_prefix), INTERNAL_BYTES);
    } else {
        memcpy(a.bytes, bytes, 16);
    }
    return a;
}

struct netaddr netaddr_internal(const char *name)
{
    CHECK(name[0] != '\0');
    struct netaddr a = {.net = NET_INTERNAL};
    uint8_t hash[32];
    sha256_once(hash, name, strlen(name));
    memcpy(a.bytes, hash, INTERNAL_BYTES);
    return a;
}

size_t netaddr_len(enum network net)
{
    static const uint8_t len[NET_COUNT] = {16, 4, 16, 32, 32, 16, INTERNAL_BYTES};
    return len[net];
}

static const char *const names[NET_COUNT] = {
    "not_publicly_routable", "ipv4", "ipv6", "onion", "i2p", "cjdns", "internal"};

const char *network_name(enum network net)
{
    return names[net];
}

enum network network_parse(const char *name)
{
    for (int net = NET_IPV4; net <= NET_CJDNS; net++)
        if (strcasecmp(name, names[net]) == 0) return (enum network)net;
    return NET_UNROUTABLE;
}

bool netaddr_equal(const struct netaddr *a, const struct netaddr *b)
{
    return netaddr_cmp(a, b) == 0;
}

int netaddr_cmp(const struct netaddr *a, const struct netaddr *b)
{
    if (a->net != b->net) return a->net < b->net ? -1 : 1;
    int order = memcmp(a->bytes, b->bytes, NETADDR_BYTES);
    return order < 0 ? -1 : order > 0;
}

/* One row a range: the leading BITS of an address of NET. */
struct range {
    enum netaddr_class class;
    enum network net;
    uint8_t bits;
    uint8_t prefix[12];
};

static const struct range ranges[] = {
    {NETADDR_RFC1918, NET_IPV4, 8, {10}},
    {NETADDR_RFC1918, NET_IPV4, 16, {192, 168}},
    {NETADDR_RFC1918, NET_IPV4, 12, {172, 16}},
    {NETADDR_RFC2544, NET_IPV4, 15, {198, 18}},
    {NETADDR_RFC6598, NET_IPV4, 10, {100, 64}},
    {NETADDR_RFC5737, NET_IPV4, 24, {192, 0, 2}},
    {NETADDR_RFC5737, NET_IPV4, 24, {198, 51, 100}},
    {NETADDR_RFC5737, NET_IPV4, 24, {203, 0, 113}},
    {NETADDR_RFC3927, NET_IPV4, 16, {169, 254}},
    {NETADDR_RFC3849, NET_IPV6, 32, {0x20, 0x01, 0x0d, 0xb8}},
    {NETADDR_RFC3964, NET_IPV6, 16, {0x20, 0x02}},
    {NETADDR_RFC4193, NET_IPV6, 7, {0xfc}},
    {NETADDR_RFC4380, NET_IPV6, 32, {0x20, 0x01, 0, 0}},
    {NETADDR_RFC4843, NET_IPV6, 28, {0x20, 0x01, 0, 0x10}},
    {NETADDR_RFC7343, NET_IPV6, 28, {0x20, 0x01, 0, 0x20}},
    {NETADDR_RFC4862, NET_IPV6, 64, {0xfe, 0x80}},
    {NETADDR_RFC6052, NET_IPV6, 96, {0, 0x64, 0xff, 0x9b}},
    {NETADDR_RFC6145, NET_IPV6, 96, {[8] = 0xff, [9] = 0xff}},
    {NETADDR_HE_NET, NET_IPV6, 32, {0x20, 0x01, 0x04, 0x70}},
};

static bool has_bits(const uint8_t *bytes, const uint8_t *prefix, unsigned bits)
{
    if (memcmp(bytes, prefix, bits / 8) != 0) return false;
    unsigned rest = bits % 8;
    return rest == 0 || ((bytes[bits / 8] ^ prefix[bits / 8]) >> (8 - rest)) == 0;
}

bool netaddr_is(const struct netaddr *a, enum netaddr_class class)
{
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        const struct range *r = &ranges[i];
        if (r->class == class && r->net == a->net && has_bits(a->bytes, r->prefix, r->bits)) return true;
    }
    return false;
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0) return false;
    return true;
}

bool netaddr_is_local(const struct netaddr *a)
{
    if (a->net == NET_IPV4) return a->bytes[0] == 127 || a->bytes[0] == 0;
    return a->net == NET_IPV6 && all_zero(a->bytes, 15) && a->bytes[15] == 1;
}

bool netaddr_is_bind_any(const struct netaddr *a)
{
    return (a->net == NET_IPV4 || a->net == NET_IPV6) && all_zero(a->bytes, 16);
}

bool netaddr_is_valid(const struct netaddr *a)
{
    switch (a->net) {
    case NET_IPV4: return get_be32(a->bytes) != 0 && get_be32(a->bytes) != UINT32_MAX;
    case NET_IPV6: return !all_zero(a->bytes, 16) && !netaddr_is(a, NETADDR_RFC3849);
    case NET_CJDNS: return a->bytes[0] == CJDNS_PREFIX;
    case NET_ONION:
    case NET_I2P: return true;
    default: return false;
    }
}

bool netaddr_is_routable(const struct netaddr *a)
{
    static const enum netaddr_class closed[] = {NETADDR_RFC1918, NETADDR_RFC2544, NETADDR_RFC3927,
                                                NETADDR_RFC4862, NETADDR_RFC6598, NETADDR_RFC5737,
                                                NETADDR_RFC4193, NETADDR_RFC4843, NETADDR_RFC7343};
    if (!netaddr_is_valid(a) || netaddr_is_local(a)) return false;
    for (size_t i = 0; i < ARRAY_LEN(closed); i++)
        if (netaddr_is(a, closed[i])) return false;
    return true;
}

bool netaddr_is_relayable(const struct netaddr *a)
{
    return a->net >= NET_IPV4 && a->net <= NET_CJDNS;
}

bool netaddr_is_privacy(const struct netaddr *a)
{
    return a->net == NET_ONION || a->net == NET_I2P;
}

bool netaddr_fits_v1(const struct netaddr *a)
{
    return a->net == NET_IPV4 || a->net == NET_IPV6 || a->net == NET_INTERNAL || a->net == NET_UNROUTABLE;
}

enum network netaddr_network(const struct netaddr *a)
{
    return a->net == NET_INTERNAL || netaddr_is_routable(a) ? a->net : NET_UNROUTABLE;
}

bool netaddr_linked_ipv4(const struct netaddr *a, uint32_t *ipv4)
{
    uint32_t linked;
    if (!netaddr_is_routable(a)) return false;
    if (a->net == NET_IPV4)
        linked = get_be32(a->bytes);
    else if (netaddr_is(a, NETADDR_RFC6052) || netaddr_is(a, NETADDR_RFC6145))
        linked = get_be32(a->bytes + 12);
    else if (netaddr_is(a, NETADDR_RFC3964))
        linked = get_be32(a->bytes + 2);
    else if (netaddr_is(a, NETADDR_RFC4380))
        linked = ~get_be32(a->bytes + 12);
    else
        return false;
    if (ipv4) *ipv4 = linked;
    return true;
}

enum network netaddr_class_of(const struct netaddr *a)
{
    return netaddr_linked_ipv4(a, NULL) ? NET_IPV4 : netaddr_network(a);
}

void netaddr_flip_to_cjdns(struct netaddr *a)
{
    if (a->net == NET_IPV6 && a->bytes[0] == CJDNS_PREFIX) a->net = NET_CJDNS;
}

enum reach { REACH_NONE, REACH_DEFAULT, REACH_TEREDO, REACH_IPV6_WEAK, REACH_IPV4, REACH_IPV6_STRONG, REACH_PRIVATE };

/* A Teredo tunnel is a network of its own here; it takes the place of NET_INTERNAL, which nobody reaches. */
enum { NET_TEREDO = NET_INTERNAL };

static int reach_network(const struct netaddr *a)
{
    if (netaddr_is(a, NETADDR_RFC4380)) return NET_TEREDO;
    return a->net == NET_INTERNAL ? NET_UNROUTABLE : (int)netaddr_network(a);
}

int netaddr_reachability(const struct netaddr *ours, const struct netaddr *partner)
{
    /* [theirs][ours]; 0 stands for REACH_DEFAULT. */
    static const uint8_t reach[NET_COUNT][NET_COUNT] = {
        [NET_UNROUTABLE] = {[NET_TEREDO] = REACH_TEREDO,
                            [NET_IPV6] = REACH_IPV6_WEAK,
                            [NET_IPV4] = REACH_IPV4,
                            [NET_ONION] = REACH_PRIVATE},
        [NET_IPV4] = {[NET_IPV4] = REACH_IPV4},
        [NET_IPV6] = {[NET_TEREDO] = REACH_TEREDO, [NET_IPV4] = REACH_IPV4, [NET_IPV6] = REACH_IPV6_STRONG},
        [NET_ONION] = {[NET_IPV4] = REACH_IPV4, [NET_ONION] = REACH_PRIVATE},
        [NET_I2P] = {[NET_I2P] = REACH_PRIVATE},
        [NET_CJDNS] = {[NET_CJDNS] = REACH_PRIVATE},
        [NET_TEREDO] = {[NET_TEREDO] = REACH_TEREDO, [NET_IPV6] = REACH_IPV6_WEAK, [NET_IPV4] = REACH_IPV4},
    };
    if (!netaddr_is_routable(ours)) return REACH_NONE;
    int our = reach_network(ours), their = reach_network(partner);
    bool tunnel =
        netaddr_is(ours, NETADDR_RFC3964) || netaddr_is(ours, NETADDR_RFC6052) || netaddr_is(ours, NETADDR_RFC6145);
    if (their == NET_IPV6 && our == NET_IPV6 && tunnel) return REACH_IPV6_WEAK;
    return reach[their][our] ? reach[their][our] : REACH_DEFAULT;
}

static struct netgroup group_add(struct netgroup g, const uint8_t *bytes, unsigned bits)
{
    for (; bits >= 8; bits -= 8) g.bytes[g.len++] = *bytes++;
    if (bits) g.bytes[g.len++] = (uint8_t)(*bytes | ((1u << (8 - bits)) - 1));
    return g;
}

struct netgroup netaddr_group(const struct netaddr *a)
{
    struct netgroup g = {.len = 1, .bytes = {(uint8_t)netaddr_class_of(a)}};
    uint32_t ipv4;
    if (a->net == NET_INTERNAL) return group_add(g, a->bytes, INTERNAL_BYTES * 8);
    if (netaddr_linked_ipv4(a, &ipv4)) {
        uint8_t bytes[4];
        put_be32(bytes, ipv4);
        return group_add(g, bytes, 16);
    }
    if (!netaddr_is_routable(a)) return g;
    if (netaddr_is_privacy(a)) return group_add(g, a->bytes, 4);
    if (a->net == NET_CJDNS) return group_add(g, a->bytes, 12); /* its first byte is always the same */
    return group_add(g, a->bytes, netaddr_is(a, NETADDR_HE_NET) ? 36 : 32);
}

bool netgroup_equal(const struct netgroup *a, const struct netgroup *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

bool port_is_bad(uint16_t port)
{
    static const uint16_t bad[] = {
        1,    7,    9,    11,   13,   15,   17,   19,   20,   21,   22,   23,   25,   37,   42,   43,    53,
        69,   77,   79,   87,   95,   101,  102,  103,  104,  109,  110,  111,  113,  115,  117,  119,   123,
        135,  137,  139,  143,  161,  179,  389,  427,  465,  512,  513,  514,  515,  526,  530,  531,   532,
        540,  548,  554,  556,  563,  587,  601,  636,  989,  990,  993,  995,  1719, 1720, 1723, 2049,  3306,
        3389, 3659, 4045, 5060, 5061, 5432, 5900, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6697, 10080, 27017};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (bad[i] == port) return true;
    return false;
}

char *service_name(char out[SERVICE_NAME], unsigned bit)
{
    static const char *const known[] = {
        [0] = "NETWORK",          [2] = "BLOOM",  [3] = "WITNESS", [6] = "COMPACT_FILTERS",
        [10] = "NETWORK_LIMITED", [11] = "P2P_V2"};
    if (bit < ARRAY_LEN(known) && known[bit])
        snprintf(out, SERVICE_NAME, "%s", known[bit]);
    else
        snprintf(out, SERVICE_NAME, "UNKNOWN[2^%u]", bit % 64);
    return out;
}
