/* The heap against a list that is looked through. */
#include <criterion/criterion.h>

#include "base/heap.h"
#include "base/random.h"

enum { ITEMS = 64, ROUNDS = 20000 };

struct item {
    int before;
    struct heap_node node;
    bool in;
};

static void check_top(const struct heap *h, struct item *items)
{
    int64_t least = INT64_MAX;
    size_t count = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        if (!items[i].in) continue;
        count++;
        if (items[i].node.key < least) least = items[i].node.key;
    }
    cr_assert_eq(h->count, count);
    struct heap_node *top = heap_top(h);
    cr_assert_eq(top != NULL, count > 0);
    if (!top) return;
    cr_assert_eq(top->key, least);
    cr_assert(HEAP_ITEM(top, struct item, node)->in);
}

Test(heap, smallest_is_on_top_whoever_leaves)
{
    struct heap h = {0};
    struct item items[ITEMS] = {0};
    struct random r;
    random_init_u64(&r, 5);
    for (size_t round = 0; round < ROUNDS; round++) {
        struct item *item = &items[random_below(&r, ITEMS)];
        if (item->in)
            heap_remove(&h, &item->node);
        else
            heap_put(&h, &item->node, (int64_t)random_below(&r, 40) - 20);
        item->in = !item->in;
        check_top(&h, items);
    }
    heap_clear(&h);
    cr_assert_null(heap_top(&h));
}
