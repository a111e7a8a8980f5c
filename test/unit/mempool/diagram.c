/* Fee fractions and diagrams: compared exactly, against a diagram drawn point by point. */
#include "mempool/fee_frac.h"

#include "base/random.h"

#include <criterion/criterion.h>

Test(fee_frac, rates_are_exact)
{
    struct fee_frac a = {1000000000000001, 3000000001};
    struct fee_frac b = {1000000000000000, 3000000000};
    cr_assert_eq(fee_frac_cmp(a, b), -1);
    cr_assert_eq(fee_frac_cmp(b, a), 1);
    cr_assert_eq(fee_frac_cmp((struct fee_frac){2, 4}, (struct fee_frac){1, 2}), 0);
    cr_assert_eq(fee_frac_order((struct fee_frac){2, 4}, (struct fee_frac){1, 2}), -1);
    cr_assert_eq(fee_frac_cmp((struct fee_frac){-1, 4}, (struct fee_frac){-1, 2}), 1);
}

/* The height at SIZE, times 360360 (which every size up to 13 divides). */
static int64_t height(const struct fee_frac *d, size_t n, int64_t size)
{
    int64_t fee = 0;
    for (size_t i = 0; i < n && size > 0; i++) {
        int64_t part = size < d[i].size ? size : d[i].size;
        fee += d[i].fee * part * (360360 / d[i].size);
        size -= part;
    }
    return fee;
}

Test(fee_frac, diagrams_as_drawn_point_by_point)
{
    struct random r;
    random_init_u64(&r, 1);
    unsigned seen[4] = {0};
    for (unsigned run = 0; run < 50000; run++) {
        struct fee_frac d[2][8];
        size_t n[2];
        for (unsigned k = 0; k < 2; k++) {
            n[k] = random_below(&r, 8);
            for (size_t i = 0; i < n[k]; i++) {
                d[k][i] = (struct fee_frac){(int64_t)random_below(&r, 9) - 2, 1 + (int64_t)random_below(&r, 13)};
            }
            diagram_sort(d[k], n[k]);
        }
        bool above = false;
        bool below = false;
        for (int64_t size = 0; size <= 8 * 13; size++) {
            int64_t by = height(d[0], n[0], size) - height(d[1], n[1], size);
            above |= by > 0;
            below |= by < 0;
        }
        enum diagram_relation expect = above && below ? DIAGRAM_INCOMPARABLE
                                       : above        ? DIAGRAM_BETTER
                                       : below        ? DIAGRAM_WORSE
                                                      : DIAGRAM_EQUAL;
        cr_assert_eq(diagram_compare(d[0], n[0], d[1], n[1]), expect);
        seen[expect]++;
    }
    for (unsigned k = 0; k < 4; k++) cr_assert_gt(seen[k], 0);
}
