/* Where an address belongs in the tables: a pure function of the secret key, the address and who told it. The same
 * arithmetic as Bitcoin Core's, so that its peers.dat carries over. */
#ifndef CAIRN_ADDRMAN_BUCKETS_H
#define CAIRN_ADDRMAN_BUCKETS_H

#include "wire/netaddr.h"

/* One of the 256 buckets of tried: a network group reaches 8 of them. */
unsigned bucket_of_tried(const uint8_t key[32], const struct endpoint *e);

/* One of the 1024 buckets of new: by the groups of ADDR and SOURCE; a source's group reaches 64 of them. */
unsigned bucket_of_new(const uint8_t key[32], const struct netaddr *addr, const struct netaddr *source);

/* One of the 64 positions of BUCKET in new or tried. */
unsigned bucket_position(const uint8_t key[32], bool in_new, unsigned bucket, const struct endpoint *e);

#endif
