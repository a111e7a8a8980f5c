/* Fees over sizes, compared exactly; and diagrams: what fees can be had for the first so many bytes of a block. */
#ifndef CAIRN_MEMPOOL_FEE_FRAC_H
#define CAIRN_MEMPOOL_FEE_FRAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The fee of one transaction, with what a user added to it, is at most this (satoshis, either sign): more than all
 * coins (2.1e15), and small enough that no sum and no product here overflows. */
#define FEE_FRAC_MAX_FEE  ((int64_t)1 << 51)
#define FEE_FRAC_MAX_SIZE ((int64_t)UINT32_MAX)

/* A set's fee (satoshis; may be negative) and size (weight units or bytes: the caller's choice, the same throughout).
 * The size of anything but the empty set is positive. */
struct fee_frac {
    int64_t fee;
    int64_t size;
};

static inline struct fee_frac fee_frac_add(struct fee_frac a, struct fee_frac b)
{
    return (struct fee_frac){a.fee + b.fee, a.size + b.size};
}

static inline struct fee_frac fee_frac_sub(struct fee_frac a, struct fee_frac b)
{
    return (struct fee_frac){a.fee - b.fee, a.size - b.size};
}

static inline bool fee_frac_equal(struct fee_frac a, struct fee_frac b)
{
    return a.fee == b.fee && a.size == b.size;
}

/* Which pays more a unit of size: 1 if A, -1 if B, 0 if both pay the same. Neither is empty. */
static inline int fee_frac_cmp(struct fee_frac a, struct fee_frac b)
{
    __int128 left = (__int128)a.fee * b.size;
    __int128 right = (__int128)b.fee * a.size;
    return (left > right) - (left < right);
}

/* Best first: by rate, and of equal rates the smaller. 1 if A comes first, -1 if B, 0 if they are equal. */
static inline int fee_frac_order(struct fee_frac a, struct fee_frac b)
{
    int by_rate = fee_frac_cmp(a, b);
    return by_rate ? by_rate : (a.size < b.size) - (a.size > b.size);
}

/* How two diagrams lie to each other. */
enum diagram_relation {
    DIAGRAM_EQUAL,
    DIAGRAM_BETTER,       /* nowhere below, somewhere above */
    DIAGRAM_WORSE,        /* nowhere above, somewhere below */
    DIAGRAM_INCOMPARABLE, /* above here, below there */
};

/* Sorts N chunks by rate, best first, as diagrams want them. */
void diagram_sort(struct fee_frac *chunks, size_t n);

/* How the diagram of A lies to that of B. Both are lists of chunks whose rates never rise; beyond its end a diagram
 * goes on flat (room left empty costs and gives nothing). At most 2^20 chunks each. */
enum diagram_relation diagram_compare(const struct fee_frac *a, size_t na, const struct fee_frac *b, size_t nb);

#endif
