/* A header in its chain, as the contextual rules see it. The block tree's nodes begin with one. */
#ifndef CAIRN_CONSENSUS_HEADER_NODE_H
#define CAIRN_CONSENSUS_HEADER_NODE_H

#include "base/u256.h"
#include "primitives/block.h"

struct header_node {
    const struct header_node *prev; /* NULL for genesis */
    const struct header_node *skip; /* an ancestor far back (header_node_link sets it): ancestors in O(log n) */
    int32_t height;
    int32_t version;
    uint32_t time;
    uint32_t bits;
    uint32_t nonce;
    uint8_t merkle_root[32];
    struct block_hash hash;
    struct u256 chainwork; /* of the chain up to and with this header */
    uint32_t time_max;     /* highest time of the chain up to and with this header */
};

/* Fills *N from HEADER (whose hash is HASH) on top of PREV (NULL for genesis). */
void header_node_link(struct header_node *n, const struct block_header *header, const struct block_hash *hash,
                      const struct header_node *prev);

/* The header again. */
void header_node_header(struct block_header *out, const struct header_node *n);

/* The ancestor at HEIGHT (N itself at its own); NULL where HEIGHT is negative or above N. */
const struct header_node *header_ancestor(const struct header_node *n, int32_t height);

/* Median of the times of N and its 10 predecessors (BIP113), seconds. */
int64_t header_median_time(const struct header_node *n);

/* The last common ancestor; NULL where there is none. */
const struct header_node *header_fork(const struct header_node *a, const struct header_node *b);

#endif
