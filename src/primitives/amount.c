/* Amounts as decimal text. */
#include "primitives/amount.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    AMOUNT_DECIMALS = 8,
    SCALE_DIGITS = 18, /* a number of satoshis has at most so many digits */
};

#define SCALE_LIMIT (INT64_C(1000000000000000000) - 1)

char *amount_text(char out[AMOUNT_TEXT], amount_sat v)
{
    uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    snprintf(out, AMOUNT_TEXT, "%s%" PRIu64 ".%08" PRIu64, v < 0 ? "-" : "", magnitude / COIN_SAT,
             magnitude % COIN_SAT);
    return out;
}

char *amount_text_short(char out[AMOUNT_TEXT], amount_sat v)
{
    amount_text(out, v);
    for (size_t len = strlen(out); out[len - 1] == '0' && out[len - 3] != '.'; len--) out[len - 1] = '\0';
    return out;
}

/* A number being read: digits * 10^zeros, where the zeros at the end are counted rather than multiplied, so that they
 * cost no range. */
struct decimal {
    const char *pos;
    int64_t digits;
    int64_t zeros;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool scale_by_ten(int64_t *v)
{
    if (*v > SCALE_LIMIT / 10) return false;
    *v *= 10;
    return true;
}

/* Takes the digits at POS and says how many there were; -1 where they are none or too large. */
static int64_t take_digits(struct decimal *d)
{
    const char *start = d->pos;
    for (; is_digit(*d->pos); d->pos++) {
        if (*d->pos == '0') {
            d->zeros++;
            continue;
        }
        for (; d->zeros >= 0; d->zeros--)
            if (!scale_by_ten(&d->digits)) return -1;
        d->digits += *d->pos - '0';
        d->zeros = 0;
    }
    return d->pos > start ? d->pos - start : -1;
}

/* Takes "e+12" where there is one. */
static bool take_exponent(struct decimal *d, int64_t *exponent)
{
    *exponent = 0;
    if (*d->pos != 'e' && *d->pos != 'E') return true;
    d->pos++;
    bool negative = *d->pos == '-';
    if (*d->pos == '+' || *d->pos == '-') d->pos++;
    if (!is_digit(*d->pos)) return false;
    for (; is_digit(*d->pos); d->pos++) {
        if (!scale_by_ten(exponent)) return false;
        *exponent += *d->pos - '0';
    }
    if (negative) *exponent = -*exponent;
    return true;
}

bool amount_parse(amount_sat *out, const char *text)
{
    struct decimal d = {.pos = text};
    int64_t fraction = 0, exponent;
    bool negative = *d.pos == '-';
    if (negative) d.pos++;
    if (*d.pos == '0')
        d.pos++; /* no other digit may follow a leading zero */
    else if (take_digits(&d) < 0)
        return false;
    if (*d.pos == '.') {
        d.pos++;
        fraction = take_digits(&d);
        if (fraction < 0) return false;
    }
    if (!take_exponent(&d, &exponent) || *d.pos) return false;
    exponent += d.zeros - fraction + AMOUNT_DECIMALS;
    if (exponent < 0 || exponent >= SCALE_DIGITS) return false;
    for (; exponent > 0; exponent--)
        if (!scale_by_ten(&d.digits)) return false;
    if (d.digits > SCALE_LIMIT) return false;
    *out = negative ? -d.digits : d.digits;
    return true;
}
