/* Amounts in satoshis. */
#ifndef CAIRN_PRIMITIVES_AMOUNT_H
#define CAIRN_PRIMITIVES_AMOUNT_H

#include "base/compiler.h"
#include <stdbool.h>
#include <stdint.h>

typedef int64_t amount_sat;

#define COIN_SAT      INT64_C(100000000)
#define MAX_MONEY_SAT (INT64_C(21000000) * COIN_SAT)

static inline bool money_range(amount_sat v)
{
    return v >= 0 && v <= MAX_MONEY_SAT;
}

enum { AMOUNT_TEXT = 32 };

/* "-1.50000000": always eight decimals; returns OUT. */
char *amount_text(char out[AMOUNT_TEXT], amount_sat v);

/* "-1.50": at least two decimals, no further zeroes at the end, as reject reasons have it; returns OUT. */
char *amount_text_short(char out[AMOUNT_TEXT], amount_sat v);

/* Parses a decimal number as JSON has it (optional minus, digits, up to 8 decimals that matter, exponent allowed) into
 * satoshis exactly; false where it has more precision or does not fit. */
MUST_USE bool amount_parse(amount_sat *out, const char *text);

#endif
