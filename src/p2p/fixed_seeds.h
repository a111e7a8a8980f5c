/* Addresses of nodes that were reachable when this program was made, for a node that has nobody else to ask: one list a
 * chain, in fixed_seeds_data.c, which contrib/seeds/make_seeds.py writes from what a node knows. */
#ifndef CAIRN_P2P_FIXED_SEEDS_H
#define CAIRN_P2P_FIXED_SEEDS_H

#include "consensus/params.h"
#include "wire/netaddr.h"

/* By chain: for each address its BIP155 form (network id, length, bytes) and its port, most significant byte first. */
extern const struct span fixed_seed_lists[CHAIN_TYPES];

/* Those of a chain, with the services of a full node and no time; returns how many. *OUT is to be freed. */
size_t fixed_seeds(enum chain_type chain, struct peer_addr **out);
/* The same of such a list; what is behind the first entry that makes no sense is left out. */
size_t fixed_seeds_read(struct span list, struct peer_addr **out);

#endif
