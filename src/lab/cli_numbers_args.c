/* Numbers, shares and lists of them on the command line. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lab/cli_numbers.h"
#include "lab/setup.h"
#include "lab/words.h"

bool numbers_take(struct lab_cli_args *a, const char *name, uint64_t least, uint64_t most, uint64_t *out)
{
    const char *text;
    uint64_t v;
    if (!lab_cli_take(a, name, &text)) return true;
    if (!text || !lab_parse_number(span_str(text), &v) || v < least || v > most) return false;
    *out = v;
    return true;
}

bool numbers_take_unsigned(struct lab_cli_args *a, const char *name, unsigned least, unsigned most, unsigned *out)
{
    uint64_t v = *out;
    if (!numbers_take(a, name, least, most, &v)) return false;
    *out = (unsigned)v;
    return true;
}

bool numbers_take_real(struct lab_cli_args *a, const char *name, double *out)
{
    const char *text;
    char *end;
    if (!lab_cli_take(a, name, &text)) return true;
    if (!text || !*text) return false;
    double v = strtod(text, &end);
    if (*end || !isfinite(v) || v < 0) return false;
    *out = v;
    return true;
}

static bool next_item(struct span *list, struct span *item)
{
    if (!list->len) return false;
    const uint8_t *comma = memchr(list->data, ',', list->len);
    size_t len = comma ? (size_t)(comma - list->data) : list->len;
    *item = span_of(list->data, len);
    *list = span_from(*list, len + 1);
    return true;
}

bool numbers_take_shares(struct lab_cli_args *a, const char *name, uint32_t most_ppm, struct numbers *out)
{
    const char *text;
    struct span item;
    if (!lab_cli_take(a, name, &text)) return true;
    out->count = 0;
    for (struct span list = span_str(text ? text : ""); next_item(&list, &item); out->count++) {
        if (out->count == NUMBERS_MAX || !lab_parse_share(item, &out->of[out->count])) return false;
        if (out->of[out->count] > most_ppm) return false;
    }
    return out->count > 0;
}

bool numbers_take_counts(struct lab_cli_args *a, const char *name, uint32_t least, uint32_t most, struct numbers *out)
{
    const char *text;
    struct span item;
    uint64_t v;
    if (!lab_cli_take(a, name, &text)) return true;
    out->count = 0;
    for (struct span list = span_str(text ? text : ""); next_item(&list, &item); out->count++) {
        if (out->count == NUMBERS_MAX || !lab_parse_number(item, &v) || v < least || v > most) return false;
        out->of[out->count] = (uint32_t)v;
    }
    return out->count > 0;
}

bool numbers_take_flag(struct lab_cli_args *a, const char *name)
{
    const char *value;
    return lab_cli_take(a, name, &value);
}
