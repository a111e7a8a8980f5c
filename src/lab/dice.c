/* The dice of mining. */
#include "lab/dice.h"

#include <math.h>

void lab_dice_init(struct lab_dice *d, uint64_t seed)
{
    random_init_u64(&d->random, seed ^ UINT64_C(0xd1ced1ced1ced1ce));
}

int64_t lab_dice_gap_us(struct lab_dice *d, int64_t average_us)
{
    double u = (double)(random_u64(&d->random) >> 11) * 0x1p-53;
    int64_t t = (int64_t)(-log1p(-u) * (double)average_us);
    return t < 1 ? 1 : t;
}

uint64_t lab_dice_share(struct lab_dice *d, uint64_t sum)
{
    return random_below(&d->random, sum);
}
