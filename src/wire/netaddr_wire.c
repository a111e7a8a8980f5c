/* Addresses in messages: legacy and BIP155 encodings, and the keys that are made of them. */
#include "base/compiler.h"
#include "primitives/compact_size.h"
#include "wire/netaddr.h"
#include "wire/netaddr_prefix.h"

enum { ADDRV2_MAX = 512 }; /* bytes of an address of any network (BIP155) */

static void legacy_bytes(uint8_t out[16], const struct netaddr *a)
{
    memset(out, 0, 16);
    switch (a->net) {
    case NET_IPV4:
        memcpy(out, ipv4_prefix, sizeof(ipv4_prefix));
        memcpy(out + sizeof(ipv4_prefix), a->bytes, 4);
        break;
    case NET_IPV6: memcpy(out, a->bytes, 16); break;
    case NET_INTERNAL:
        memcpy(out, internal_prefix, sizeof(internal_prefix));
        memcpy(out + sizeof(internal_prefix), a->bytes, INTERNAL_BYTES);
        break;
    default: break;
    }
}

size_t netaddr_key_bytes(uint8_t out[NETADDR_BYTES], const struct netaddr *a)
{
    if (netaddr_fits_v1(a)) {
        legacy_bytes(out, a);
        return 16;
    }
    memcpy(out, a->bytes, netaddr_len(a->net));
    return netaddr_len(a->net);
}

size_t endpoint_key_bytes(uint8_t out[NETADDR_BYTES + 2], const struct endpoint *e)
{
    size_t len = netaddr_key_bytes(out, &e->addr);
    put_be16(out + len, e->port);
    return len + 2;
}

void endpoint_key(struct endpoint_key *out, const struct endpoint *e)
{
    out->bytes[0] = (uint8_t)e->addr.net;
    memcpy(out->bytes + 1, e->addr.bytes, NETADDR_BYTES);
    put_be16(out->bytes + 1 + NETADDR_BYTES, e->port);
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && netaddr_equal(&a->addr, &b->addr);
}

void netaddr_write_v1(struct buffer *out, const struct netaddr *a)
{
    legacy_bytes(buffer_extend(out, 16), a);
}

void netaddr_read_v1(struct netaddr *a, struct reader *r)
{
    uint8_t bytes[16];
    read_bytes(r, bytes, sizeof(bytes));
    *a = netaddr_from_ipv6(bytes);
}

/* BIP155's ids, by network. */
static const uint8_t bip155_ids[NET_COUNT] = {[NET_UNROUTABLE] = 2, [NET_IPV4] = 1,  [NET_IPV6] = 2,    [NET_ONION] = 4,
                                              [NET_I2P] = 5,        [NET_CJDNS] = 6, [NET_INTERNAL] = 2};

void netaddr_write_v2(struct buffer *out, const struct netaddr *a)
{
    buffer_put_u8(out, bip155_ids[a->net]);
    if (netaddr_fits_v1(a) && a->net != NET_IPV4) {
        buffer_put_u8(out, 16);
        netaddr_write_v1(out, a);
        return;
    }
    buffer_put_u8(out, (uint8_t)netaddr_len(a->net));
    buffer_put(out, a->bytes, netaddr_len(a->net));
}

static bool starts_with(struct span s, const uint8_t *prefix, size_t len)
{
    return s.len >= len && memcmp(s.data, prefix, len) == 0;
}

void netaddr_read_v2(struct netaddr *a, struct reader *r)
{
    *a = netaddr_none();
    uint8_t id = read_u8(r);
    uint64_t len = read_compact_size(r);
    if (len > ADDRV2_MAX) reader_fail(r);
    enum network net = NET_UNROUTABLE;
    for (int n = NET_IPV4; n <= NET_CJDNS; n++)
        if (bip155_ids[n] == id) net = (enum network)n;
    if (net != NET_UNROUTABLE && len != netaddr_len(net)) reader_fail(r);
    struct span bytes = read_span(r, (size_t)len);
    if (r->failed || net == NET_UNROUTABLE) return;
    if (net == NET_IPV6) {
        if (!starts_with(bytes, ipv4_prefix, sizeof(ipv4_prefix))) *a = netaddr_from_ipv6(bytes.data);
        return;
    }
    a->net = net;
    memcpy(a->bytes, bytes.data, bytes.len);
}

void peer_addr_write(struct buffer *out, const struct peer_addr *a, enum addr_format format)
{
    buffer_put_le32(out, a->time);
    if (format == ADDR_V2) {
        buffer_put_compact_size(out, a->services);
        netaddr_write_v2(out, &a->at.addr);
    } else {
        buffer_put_le64(out, a->services);
        netaddr_write_v1(out, &a->at.addr);
    }
    buffer_put_be16(out, a->at.port);
}

void peer_addr_read(struct peer_addr *a, struct reader *r, enum addr_format format)
{
    a->time = read_le32(r);
    if (format == ADDR_V2) {
        a->services = read_compact_u64(r);
        netaddr_read_v2(&a->at.addr, r);
    } else {
        a->services = read_le64(r);
        netaddr_read_v1(&a->at.addr, r);
    }
    a->at.port = read_be16(r);
}
