/* A priority queue whose items can leave from anywhere. */
#include "base/heap.h"

#include <stdlib.h>

#include "base/alloc.h"

void heap_clear(struct heap *h)
{
    free(h->nodes);
    *h = (struct heap){0};
}

static void place(struct heap *h, struct heap_node *n, size_t at)
{
    h->nodes[at] = n;
    n->at = at;
}

static void sift_up(struct heap *h, struct heap_node *n, size_t at)
{
    for (; at > 0 && h->nodes[(at - 1) / 2]->key > n->key; at = (at - 1) / 2) place(h, h->nodes[(at - 1) / 2], at);
    place(h, n, at);
}

static void sift_down(struct heap *h, struct heap_node *n, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < h->count; at = child) {
        if (child + 1 < h->count && h->nodes[child + 1]->key < h->nodes[child]->key) child++;
        if (h->nodes[child]->key >= n->key) break;
        place(h, h->nodes[child], at);
    }
    place(h, n, at);
}

void heap_put(struct heap *h, struct heap_node *n, int64_t key)
{
    h->nodes = mem_grow(h->nodes, &h->cap, h->count + 1, sizeof(*h->nodes));
    n->key = key;
    sift_up(h, n, h->count++);
}

void heap_remove(struct heap *h, struct heap_node *n)
{
    size_t at = n->at;
    struct heap_node *last = h->nodes[--h->count];
    if (last == n) return;
    if (at > 0 && h->nodes[(at - 1) / 2]->key > last->key)
        sift_up(h, last, at);
    else
        sift_down(h, last, at);
}
