/* Merkle roots and branches. */
#include "consensus/merkle.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "consensus/merkle_level.h"
#include "crypto/sha256.h"

size_t merkle_level_up(uint8_t *out, const uint8_t *nodes, size_t count)
{
    sha256d_64_many(out, nodes, count / 2);
    if (count % 2 == 0) return count / 2;
    /* The last of an odd number is its own right neighbour. */
    uint8_t pair[64];
    memcpy(pair, nodes + 32 * (count - 1), 32);
    memcpy(pair + 32, pair, 32);
    sha256d_64_many(out + 32 * (count / 2), pair, 1);
    return count / 2 + 1;
}

static bool has_equal_pair(const uint8_t *nodes, size_t count)
{
    for (size_t i = 0; i + 1 < count; i += 2)
        if (memcmp(nodes + 32 * i, nodes + 32 * (i + 1), 32) == 0) return true;
    return false;
}

void merkle_root(uint8_t root[32], uint8_t *leaves, size_t count, bool *mutated)
{
    bool found = false;
    if (mutated) *mutated = false;
    if (count == 0) {
        memset(root, 0, 32);
        return;
    }
    while (count > 1) {
        if (mutated) found = found || has_equal_pair(leaves, count);
        count = merkle_level_up(leaves, leaves, count);
    }
    memcpy(root, leaves, 32);
    if (mutated) *mutated = found;
}

void block_merkle_root(uint8_t root[32], const struct block *b, bool *mutated)
{
    uint8_t *leaves = mem_alloc(b->tx_count * 32);
    for (size_t i = 0; i < b->tx_count; i++) memcpy(leaves + 32 * i, b->txs[i].txid.bytes, 32);
    merkle_root(root, leaves, b->tx_count, mutated);
    free(leaves);
}

void block_witness_merkle_root(uint8_t root[32], const struct block *b)
{
    uint8_t *leaves = mem_alloc(b->tx_count * 32 + 32);
    memset(leaves, 0, 32); /* the coinbase commits to the root and so cannot be below it */
    for (size_t i = 1; i < b->tx_count; i++) memcpy(leaves + 32 * i, b->txs[i].wtxid.bytes, 32);
    merkle_root(root, leaves, b->tx_count, NULL);
    free(leaves);
}

void merkle_branch(struct buffer *out, const uint8_t *leaves, size_t count, size_t index)
{
    if (index >= count) return;
    uint8_t *nodes = mem_dup(leaves, count * 32);
    for (; count > 1; index /= 2) {
        size_t sibling = (index ^ 1) < count ? index ^ 1 : index;
        buffer_put(out, nodes + 32 * sibling, 32);
        count = merkle_level_up(nodes, nodes, count);
    }
    free(nodes);
}
