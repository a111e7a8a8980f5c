/* Subnets: ranges of addresses for bans and permissions. */
#ifndef CAIRN_WIRE_SUBNET_H
#define CAIRN_WIRE_SUBNET_H

#include "wire/netaddr.h"

enum { SUBNET_TEXT = NETADDR_TEXT + 5 };

/* An IPv4 or IPv6 range, or a single address of another network. All zeroes is not valid and matches nothing. */
struct subnet {
    struct netaddr network; /* bits outside the mask are zero */
    uint8_t mask[16];       /* of the address's length; zeroes for other networks */
    bool valid;
};

/* The one address; not valid for an internal one. */
struct subnet subnet_of(const struct netaddr *a);
/* The leading BITS of A; not valid where there are too many, or for other networks. */
struct subnet subnet_of_bits(const struct netaddr *a, unsigned bits);
/* By a mask of the same network; not valid where one bits follow a zero bit. */
struct subnet subnet_of_mask(const struct netaddr *a, const struct netaddr *mask);

/* "1.2.3.4", "1.2.3.0/24", "1.2.3.0/255.255.255.0", the same of IPv6, or a name that netaddr_parse takes. CJDNS:
 * whether fc00::/8 is that network here. Not valid where it does not parse. */
struct subnet subnet_parse(struct span text, bool cjdns);

/* True where both are valid and A lies inside. */
bool subnet_match(const struct subnet *s, const struct netaddr *a);
bool subnet_equal(const struct subnet *a, const struct subnet *b);
/* Address and "/bits" (none for other networks); returns OUT. */
char *subnet_text(char out[SUBNET_TEXT], const struct subnet *s);

#endif
