/* A priority queue whose items can leave from anywhere: a binary heap of nodes that lie in the items. The smallest key
 * is on top; of equal ones any. The heap owns no item. */
#ifndef CAIRN_BASE_HEAP_H
#define CAIRN_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t key;
    size_t at; /* its place; of no meaning while it is in no heap */
};

/* All zeroes is an empty heap. */
struct heap {
    struct heap_node **nodes;
    size_t count, cap;
};

void heap_clear(struct heap *h);
void heap_put(struct heap *h, struct heap_node *n, int64_t key);
/* N must be in H. */
void heap_remove(struct heap *h, struct heap_node *n);

/* The one with the smallest key; NULL: none. */
static inline struct heap_node *heap_top(const struct heap *h)
{
    return h->count ? h->nodes[0] : NULL;
}

/* The item of type TYPE whose member MEMBER is N. */
#define HEAP_ITEM(N, TYPE, MEMBER) ((TYPE *)(void *)((char *)(N)-offsetof(TYPE, MEMBER)))

#endif
