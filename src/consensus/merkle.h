/* Merkle roots and partial merkle trees (gettxoutproof). */
#ifndef CAIRN_CONSENSUS_MERKLE_H
#define CAIRN_CONSENSUS_MERKLE_H

#include "base/compiler.h"
#include "primitives/block.h"

/* Root of COUNT leaves of 32 bytes; LEAVES is used as working space. *MUTATED (may be NULL): two equal neighbours at
 * some level, i.e. the same root has another list of transactions (CVE-2012-2459). Zeroes for no leaves. */
void merkle_root(uint8_t root[32], uint8_t *leaves, size_t count, bool *mutated);

void block_merkle_root(uint8_t root[32], const struct block *b, bool *mutated);

/* The same over wtxids with zero for the coinbase (BIP141). */
void block_witness_merkle_root(uint8_t root[32], const struct block *b);

/* Siblings from leaf INDEX up to the root (32 bytes each, appended to OUT). */
void merkle_branch(struct buffer *out, const uint8_t *leaves, size_t count, size_t index);

/* A CMerkleBlock: header and a partial tree with the marked transactions (BIP37's layout). MATCHES has tx_count flags.
 */
void merkle_block_write(struct buffer *out, const struct block *b, const bool *matches);

struct merkle_block {
    struct block_header header;
    uint32_t tx_total;
    struct txid *matched; /* in the arena */
    uint32_t *positions;  /* index of each within the block */
    size_t matched_count;
    uint8_t root[32]; /* computed from the tree; must equal header.merkle_root */
};

/* Parses and walks PROOF; false where it is malformed (Core's CPartialMerkleTree rules). */
MUST_USE bool merkle_block_read(struct merkle_block *out, struct span proof, struct arena *arena);

#endif
