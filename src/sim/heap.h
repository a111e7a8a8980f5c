/* The events of the virtual network: a binary heap by instant, those of the same instant in the order in which they
 * were put in. */
#ifndef CAIRN_SIM_HEAP_H
#define CAIRN_SIM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What A, B and C mean depends on KIND. */
struct sim_event {
    int64_t at_us;
    uint64_t order; /* set by sim_heap_put */
    uint32_t kind;
    uint32_t a, b;
    uint64_t c;
};

struct sim_heap {
    struct sim_event *items;
    size_t count, cap;
    uint64_t next_order;
};

/* All zeroes is an empty heap. */
void sim_heap_clear(struct sim_heap *h);
void sim_heap_put(struct sim_heap *h, const struct sim_event *e);
/* The earliest; false where there is none. */
bool sim_heap_take(struct sim_heap *h, struct sim_event *out);

#endif
