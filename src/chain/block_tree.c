/* The block tree. */
#include "chain/block_tree.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"

void block_tree_init(struct block_tree *t, uint64_t seed)
{
    *t = (struct block_tree){0};
    size_t offset = offsetof(struct block_node, header) + offsetof(struct header_node, hash);
    hashmap_init(&t->by_hash, offset, sizeof(struct block_hash), seed);
}

void block_tree_clear(struct block_tree *t)
{
    for (size_t i = 0; i < t->count; i++) free(t->nodes[i]);
    free(t->nodes);
    hashmap_clear(&t->by_hash);
    *t = (struct block_tree){0};
}

struct block_node *block_tree_get(const struct block_tree *t, const struct block_hash *hash)
{
    return hashmap_get(&t->by_hash, hash->bytes);
}

struct block_node *block_tree_add(struct block_tree *t, const struct block_header *header,
                                  const struct block_hash *hash, struct block_node *prev)
{
    struct block_node *n = mem_calloc(1, sizeof(*n));
    header_node_link(&n->header, header, hash, prev ? &prev->header : NULL);
    if (prev) {
        n->sibling = prev->child;
        prev->child = n;
        if (prev->status & BLOCK_ANY_FAILURE) n->status |= BLOCK_FAILED_PARENT;
    }
    n->dirty = true;
    hashmap_put(&t->by_hash, n);
    t->nodes = mem_grow(t->nodes, &t->cap, t->count + 1, sizeof(*t->nodes));
    t->nodes[t->count++] = n;
    if (!(n->status & BLOCK_ANY_FAILURE) &&
        (!t->best_header || u256_cmp(n->header.chainwork, t->best_header->header.chainwork) > 0))
        t->best_header = n;
    return n;
}

struct block_node *block_tree_walk(const struct block_node *root, struct block_node *at)
{
    if (at->child) return at->child;
    while (at != root) {
        if (at->sibling) return at->sibling;
        at = block_node_prev(at);
    }
    return NULL;
}

bool block_node_better(const struct block_node *a, const struct block_node *b)
{
    int order = u256_cmp(a->header.chainwork, b->header.chainwork);
    if (order) return order > 0;
    return a->sequence < b->sequence;
}

void block_tree_update_best_header(struct block_tree *t)
{
    t->best_header = NULL;
    for (size_t i = 0; i < t->count; i++) {
        struct block_node *n = t->nodes[i];
        if (n->status & BLOCK_ANY_FAILURE) continue;
        if (!t->best_header || u256_cmp(n->header.chainwork, t->best_header->header.chainwork) > 0) t->best_header = n;
    }
}
