/* Random regtest trees whose blocks spend: every branch is valid, whatever it forks from. */
#ifndef CAIRN_TEST_CHAIN_TREES_H
#define CAIRN_TEST_CHAIN_TREES_H

#include "base/random.h"
#include "support/block_maker.h"
#include "support/chain_kit.h"

struct tree_block {
    struct block *block;
    struct header_node node; /* with its own links, apart from any chain */
    struct tree_block *prev; /* NULL: genesis */
};

struct tree {
    struct chain_params params;
    struct random random;
    struct tree_block **blocks; /* [0] is genesis */
    size_t count, cap;
    uint32_t tag;
    size_t big_outputs; /* of each coinbase, of 9 kB each; 0: one of one byte */
};

void tree_init(struct tree *t, uint64_t seed);
void tree_clear(struct tree *t);

/* A block on PREV: spends the coinbase 100 below, chains transactions within the block, and spends what the parent
 * left. */
struct tree_block *tree_mine(struct tree *t, struct tree_block *prev);

/* COUNT blocks on PREV; returns the last. */
struct tree_block *tree_grow(struct tree *t, struct tree_block *prev, size_t count);

struct tree_block *tree_back(struct tree_block *b, int32_t steps);

/* Feeds the branch from genesis to TIP that the chain does not have, in order. */
enum result tree_try_feed(struct kit *k, struct tree_block *tip, struct error *e);
void tree_feed(struct kit *k, struct tree_block *tip);

/* hash_serialized_3 of a fresh chain that only ever saw this branch. */
void tree_fresh_hash(struct tree *t, struct tree_block *tip, char out[65]);

#endif
