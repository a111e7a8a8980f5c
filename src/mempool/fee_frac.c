/* Diagrams of chunks: sorted, and compared point by point. */
#include "mempool/fee_frac.h"

#include <stdlib.h>

static int compare_best_first(const void *a, const void *b)
{
    const struct fee_frac *left = a;
    const struct fee_frac *right = b;
    return -fee_frac_order(*left, *right);
}

void diagram_sort(struct fee_frac *chunks, size_t n)
{
    if (n > 1) qsort(chunks, n, sizeof chunks[0], compare_best_first);
}

/* A walk along a diagram: the corner reached, and the chunk that begins there. */
struct walk {
    const struct fee_frac *next;
    const struct fee_frac *end;
    __int128 fee;
    int64_t size;
};

static bool at_end(const struct walk *w)
{
    return w->next == w->end;
}

static void step(struct walk *w)
{
    w->fee += w->next->fee;
    w->size += w->next->size;
    w->next++;
}

/* The corner that AHEAD would reach with its next chunk, against the line of OTHER, whose corner lies before it: is the
 * corner above (1), below (-1) or on the line (0)? */
static int corner_above(const struct walk *corner, const struct walk *other)
{
    __int128 fee = corner->fee - other->fee;
    if (at_end(other)) return (fee > 0) - (fee < 0);
    __int128 left = fee * other->next->size;
    __int128 right = (__int128)other->next->fee * (corner->size - other->size);
    return (left > right) - (left < right);
}

enum diagram_relation diagram_compare(const struct fee_frac *a, size_t na, const struct fee_frac *b, size_t nb)
{
    struct walk wa = {.next = a, .end = a + na};
    struct walk wb = {.next = b, .end = b + nb};
    bool above = false;
    bool below = false;
    while (!at_end(&wa) || !at_end(&wb)) {
        /* The nearer of the two next corners is looked at; the other diagram is a straight line up to there. */
        bool take_a = !at_end(&wa) && (at_end(&wb) || wa.size + wa.next->size <= wb.size + wb.next->size);
        struct walk corner = take_a ? wa : wb;
        step(&corner);
        int sign = corner_above(&corner, take_a ? &wb : &wa);
        if (!take_a) sign = -sign;
        above |= sign > 0;
        below |= sign < 0;
        *(take_a ? &wa : &wb) = corner;
    }
    if (above && below) return DIAGRAM_INCOMPARABLE;
    return above ? DIAGRAM_BETTER : below ? DIAGRAM_WORSE : DIAGRAM_EQUAL;
}
