/* The block tree: every header that we know, linked to its parent, with what we have of its block. */
#ifndef CAIRN_CHAIN_BLOCK_TREE_H
#define CAIRN_CHAIN_BLOCK_TREE_H

#include "base/hashmap.h"
#include "consensus/header_node.h"

/* What is known of a block; bits of block_node.status. */
enum block_status {
    BLOCK_HAVE_DATA = 1 << 0,     /* its bytes are in a blk file */
    BLOCK_HAVE_UNDO = 1 << 1,     /* its undo data are in a rev file */
    BLOCK_CHECKED = 1 << 2,       /* passed the checks that need no coins */
    BLOCK_CONNECTED = 1 << 3,     /* was connected once: every rule was checked */
    BLOCK_FAILED = 1 << 4,        /* breaks a rule, or the user invalidated it */
    BLOCK_FAILED_PARENT = 1 << 5, /* descends from one that failed */
    BLOCK_SEGWIT = 1 << 6,        /* came while the rules of segwit held for its height */
};

enum { BLOCK_ANY_FAILURE = BLOCK_FAILED | BLOCK_FAILED_PARENT };

struct block_node {
    struct header_node header; /* first: a header_node pointer of this tree is a block_node pointer */
    struct block_node *child;  /* newest child; the others follow by `sibling` */
    struct block_node *sibling;
    uint32_t status;
    uint32_t tx_count;       /* 0 until the block was received */
    uint64_t chain_tx_count; /* transactions from genesis to here; 0 until all of them were received */
    uint32_t file;           /* number of the blk and rev files */
    uint32_t data_pos;       /* offset of the block's bytes in its blk file */
    uint32_t data_len;       /* bytes */
    uint32_t undo_pos;       /* offset of the undo data in the rev file */
    int32_t sequence;        /* order of arrival: the earlier wins at equal work; lower is preferred */
    bool dirty;              /* differs from the index on disk */
    bool scripts_checked;    /* its scripts ran in this process, and passed */
    bool candidate;          /* is in the list of candidates */
};

struct block_tree {
    struct hashmap by_hash;
    struct block_node **nodes; /* all, in order of insertion */
    size_t count, cap;
    struct block_node *best_header; /* most work among headers that have not failed */
};

void block_tree_init(struct block_tree *t, uint64_t seed);
void block_tree_clear(struct block_tree *t);

struct block_node *block_tree_get(const struct block_tree *t, const struct block_hash *hash);

/* Adds the header, which must not be there yet, below PREV (NULL: genesis). Does not judge it. */
struct block_node *block_tree_add(struct block_tree *t, const struct block_header *header,
                                  const struct block_hash *hash, struct block_node *prev);

static inline struct block_node *block_node_prev(const struct block_node *n)
{
    return (struct block_node *)n->header.prev;
}

static inline struct block_node *block_node_ancestor(const struct block_node *n, int32_t height)
{
    return (struct block_node *)header_ancestor(&n->header, height);
}

/* The next node of the subtree below ROOT in depth-first order after AT (start with ROOT itself); NULL at the end. */
struct block_node *block_tree_walk(const struct block_node *root, struct block_node *at);

/* True where A is better than B: more work, then earlier arrival. */
bool block_node_better(const struct block_node *a, const struct block_node *b);

/* Finds best_header anew (after a failure was marked or taken back). */
void block_tree_update_best_header(struct block_tree *t);

#endif
