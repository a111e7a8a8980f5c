/* The prefixes by which other kinds of address hide in 16 bytes of IPv6. */
#ifndef CAIRN_WIRE_NETADDR_PREFIX_H
#define CAIRN_WIRE_NETADDR_PREFIX_H

#include <stdint.h>

enum { INTERNAL_BYTES = 10, CJDNS_PREFIX = 0xfc };

static const uint8_t ipv4_prefix[12] = {[10] = 0xff, [11] = 0xff};
static const uint8_t torv2_prefix[6] = {0xfd, 0x87, 0xd8, 0x7e, 0xeb, 0x43};
static const uint8_t internal_prefix[6] = {0xfd, 0x6b, 0x88, 0xc0, 0x87, 0x24}; /* 0xfd, SHA256("bitcoin")[0..5) */

#endif
