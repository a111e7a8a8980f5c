/* The heap of events. */
#include "sim/heap.h"

#include <stdlib.h>

#include "base/alloc.h"

void sim_heap_clear(struct sim_heap *h)
{
    free(h->items);
    *h = (struct sim_heap){0};
}

static bool before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

void sim_heap_put(struct sim_heap *h, const struct sim_event *e)
{
    h->items = mem_grow(h->items, &h->cap, h->count + 1, sizeof(*h->items));
    struct sim_event item = *e;
    item.order = h->next_order++;
    size_t at = h->count++;
    while (at > 0 && before(&item, &h->items[(at - 1) / 2])) {
        h->items[at] = h->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    h->items[at] = item;
}

bool sim_heap_take(struct sim_heap *h, struct sim_event *out)
{
    if (!h->count) return false;
    *out = h->items[0];
    struct sim_event last = h->items[--h->count];
    size_t at = 0;
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= h->count) break;
        if (child + 1 < h->count && before(&h->items[child + 1], &h->items[child])) child++;
        if (!before(&h->items[child], &last)) break;
        h->items[at] = h->items[child];
        at = child;
    }
    if (h->count) h->items[at] = last;
    return true;
}
