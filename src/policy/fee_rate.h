/* Fee rates: satoshis per 1000 virtual bytes. */
#ifndef CAIRN_POLICY_FEE_RATE_H
#define CAIRN_POLICY_FEE_RATE_H

#include "primitives/amount.h"

struct fee_rate {
    amount_sat sat_per_kvb;
};

/* What VSIZE virtual bytes cost at this rate, rounded up: never less than the rate asks for. */
static inline amount_sat fee_rate_fee(struct fee_rate rate, uint64_t vsize)
{
    amount_sat whole = rate.sat_per_kvb * (amount_sat)vsize;
    return whole / 1000 + (whole % 1000 > 0);
}

/* The rate of FEE for VSIZE (not 0), rounded down; at the ends of what a rate can be it stays there. */
static inline struct fee_rate fee_rate_of(amount_sat fee, uint64_t vsize)
{
    __int128 whole = (__int128)fee * 1000, size = (__int128)vsize;
    __int128 rate = whole / size - (whole % size < 0);
    if (rate > INT64_MAX) rate = INT64_MAX;
    if (rate < INT64_MIN) rate = INT64_MIN;
    return (struct fee_rate){(amount_sat)rate};
}

#endif
