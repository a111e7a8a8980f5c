/* Words, numbers, shares and times as people write them. */
#include "lab/words.h"

#include <inttypes.h>

#include "lab/setup.h"

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span lab_trim(struct span s)
{
    while (s.len && is_blank(s.data[0])) s = span_from(s, 1);
    while (s.len && is_blank(s.data[s.len - 1])) s.len--;
    return s;
}

bool lab_word_is(struct span s, const char *word)
{
    return span_equal(s, span_str(word));
}

struct span lab_word_take(struct span *rest)
{
    *rest = lab_trim(*rest);
    struct span word = *rest;
    word.len = 0;
    while (word.len < rest->len && !is_blank(rest->data[word.len])) word.len++;
    *rest = lab_trim(span_from(*rest, word.len));
    return word;
}

const char *lab_show(char out[LAB_WORD_SHOWN], struct span s)
{
    size_t n = s.len < LAB_WORD_SHOWN - 4 ? s.len : LAB_WORD_SHOWN - 4;
    for (size_t i = 0; i < n; i++) out[i] = (char)(s.data[i] < 0x20 || s.data[i] >= 0x7f ? '?' : s.data[i]);
    memcpy(out + n, s.len > n ? "..." : "", s.len > n ? 4 : 1);
    if (!s.len) memcpy(out, "(nothing)", 10);
    return out;
}

bool lab_parse_number(struct span s, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') return false;
        unsigned digit = s.data[i] - '0';
        if (v > (UINT64_MAX - digit) / 10) return false;
        v = v * 10 + digit;
    }
    *out = v;
    return s.len > 0;
}

bool lab_parse_decimal(struct span s, unsigned digits, int64_t *out)
{
    const int64_t limit = INT64_C(1) << 62;
    int64_t v = 0;
    unsigned behind = 0;
    bool point = false, any = false, up = false;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') return false;
        any = true;
        if (point && behind == digits) up = c >= '5';
        if (point && behind++ >= digits) continue;
        if (v > (limit - 9) / 10) return false;
        v = v * 10 + (c - '0');
    }
    for (; behind < digits; behind++) {
        if (v > limit / 10) return false;
        v *= 10;
    }
    *out = v + up;
    return any;
}

/* ---- shares ---- */

bool lab_parse_share(struct span text, uint32_t *out_ppm)
{
    int64_t v;
    text = lab_trim(text);
    for (size_t i = 0; i < text.len; i++) {
        uint64_t above, below;
        if (text.data[i] != '/') continue;
        if (!lab_parse_number(lab_trim(span_of(text.data, i)), &above) ||
            !lab_parse_number(lab_trim(span_from(text, i + 1)), &below))
            return false;
        if (!below || below > LAB_PPM || above > below) return false;
        *out_ppm = (uint32_t)((above * LAB_PPM + below / 2) / below);
        return true;
    }
    bool percent = text.len && text.data[text.len - 1] == '%';
    if (percent) text = lab_trim(span_of(text.data, text.len - 1));
    if (!lab_parse_decimal(text, percent ? 4 : 6, &v) || v > LAB_PPM) return false;
    *out_ppm = (uint32_t)v;
    return true;
}

/* V in units of 10^-DIGITS, without zeroes at the end. */
static void put_decimal(struct buffer *out, int64_t v, int digits)
{
    int64_t unit = 1;
    for (int i = 0; i < digits; i++) unit *= 10;
    buffer_printf(out, "%" PRId64, v / unit);
    if (v % unit == 0) return;
    buffer_printf(out, ".%0*" PRId64, digits, v % unit);
    while (out->data[out->len - 1] == '0') out->len--;
}

void lab_write_share(struct buffer *out, uint32_t ppm)
{
    put_decimal(out, ppm, 4);
    buffer_put_str(out, "%");
}

/* ---- times ---- */

static const struct {
    const char *name;
    int64_t us;
} units[] = {
    {"w", INT64_C(604800000000)},
    {"d", INT64_C(86400000000)},
    {"h", INT64_C(3600000000)},
    {"m", 60000000},
    {"s", 1000000},
    {"ms", 1000},
    {"us", 1},
};

/* One number with its unit off the beginning of *TEXT. */
static bool take_time(struct span *text, int64_t *out_us)
{
    struct span number = *text, unit;
    for (number.len = 0; number.len < text->len; number.len++) {
        uint8_t c = text->data[number.len];
        if (c != '.' && (c < '0' || c > '9')) break;
    }
    unit = span_from(*text, number.len);
    for (size_t i = 0; i < unit.len; i++)
        if (unit.data[i] < 'a' || unit.data[i] > 'z') unit.len = i;
    int64_t v;
    if (!lab_parse_decimal(number, 6, &v)) return false;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (!lab_word_is(unit, units[i].name)) continue;
        int64_t us;
        if (__builtin_mul_overflow(v / 1000000, units[i].us, &us)) return false;
        /* A part of a second at most: no overflow of the product for units up to a week. */
        int64_t part = (int64_t)((unsigned __int128)(v % 1000000) * (uint64_t)units[i].us / 1000000);
        if (__builtin_add_overflow(us, part, out_us)) return false;
        *text = span_from(*text, number.len + unit.len);
        return true;
    }
    return false;
}

bool lab_parse_time(struct span text, int64_t *out_us)
{
    int64_t sum = 0, one;
    text = lab_trim(text);
    if (lab_word_is(text, "0")) return *out_us = 0, true;
    if (!text.len) return false;
    while (text.len)
        if (!take_time(&text, &one) || __builtin_add_overflow(sum, one, &sum)) return false;
    if (sum > INT64_C(1) << 56) return false; /* 2,000 years */
    *out_us = sum;
    return true;
}

void lab_write_time(struct buffer *out, int64_t us)
{
    if (!us) {
        buffer_put_str(out, "0");
        return;
    }
    for (size_t i = 1; i < ARRAY_LEN(units); i++) {
        if (us % units[i].us) continue;
        buffer_printf(out, "%" PRId64 "%s", us / units[i].us, units[i].name);
        return;
    }
}
