/* One step of a merkle tree, shared by roots and partial trees. */
#ifndef CAIRN_CONSENSUS_MERKLE_LEVEL_H
#define CAIRN_CONSENSUS_MERKLE_LEVEL_H

#include <stddef.h>
#include <stdint.h>

/* Hashes the COUNT nodes (32 bytes each) of one level in pairs to OUT, which may be NODES; returns the next level's
 * count. */
size_t merkle_level_up(uint8_t *out, const uint8_t *nodes, size_t count);

#endif
