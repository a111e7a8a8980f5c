/* Where the errors in a Bech32 string are (BIP173): decodes the BCH code for one or two wrong characters.
 *
 * The code works over GF(32); its generator has three consecutive powers (997, 998, 999) of an element e of GF(1024) as
 * roots. A string with errors E(x) = sum of e_i x^(p_i) therefore has the syndromes s_j = E(e^j), j = 997, 998, 999,
 * from which one or two positions p_i (counted from the end) are solved for. Only positions are told, never
 * corrections. */
#include "primitives/bech32.h"
#include "primitives/bech32_text.h"

enum {
    FIELD_ORDER = 1023, /* of the multiplicative group of GF(1024) */
    SUBFIELD_STEP = 33, /* e^k lies in GF(32) exactly where 33 divides k */
    FIRST_ROOT = 997,
    ROOTS = 3,
    NO_LOG = -1, /* the logarithm of zero */
};

struct gf1024 {
    int16_t exp[FIELD_ORDER];
    int16_t log[FIELD_ORDER + 1];
};

/* Product in GF(32), modulo x^5 + x^3 + 1. */
static unsigned gf32_mul(unsigned a, unsigned b)
{
    unsigned product = 0;
    for (int i = 0; i < 5; i++)
        if (b >> i & 1) product ^= a << i;
    for (int i = 8; i >= 5; i--)
        if (product >> i & 1) product ^= 0x29u << (i - 5);
    return product;
}

/* Elements are a*e + b with a and b in GF(32), kept as a << 5 | b; e^2 = 9e + 23. */
static void gf1024_init(struct gf1024 *f)
{
    unsigned v = 1;
    f->log[0] = NO_LOG;
    for (int i = 0; i < FIELD_ORDER; i++) {
        f->exp[i] = (int16_t)v;
        f->log[v] = (int16_t)i;
        unsigned a = v >> 5, b = v & 31;
        v = (gf32_mul(a, 9) ^ b) << 5 | gf32_mul(a, 23);
    }
}

/* V times e^K. */
static int gf1024_shift(const struct gf1024 *f, int v, size_t k)
{
    return v ? f->exp[((size_t)f->log[v] + k) % FIELD_ORDER] : 0;
}

/* The remainder, a polynomial of degree 5, at the three roots. */
static void syndromes(const struct gf1024 *f, int s[ROOTS], uint32_t remainder)
{
    for (int j = 0; j < ROOTS; j++) {
        s[j] = 0;
        for (int k = 0; k < BECH32_CHECKSUM; k++)
            s[j] ^= gf1024_shift(f, remainder >> (5 * k) & 31, (size_t)(FIRST_ROOT + j) * (size_t)k);
    }
}

/* True where V / e^(FIRST_ROOT * POSITION) / DIVISOR, the size of an error there, is an element of GF(32). */
static bool error_is_character(const struct gf1024 *f, int v, int divisor, size_t position)
{
    int k = f->log[v] + FIELD_ORDER - f->log[divisor] + (FIELD_ORDER - FIRST_ROOT) * (int)position;
    return k % SUBFIELD_STEP == 0;
}

/* One error at p: s1/s0 = s2/s1 = e^p. */
static bool is_one_error(const struct gf1024 *f, const int s[ROOTS])
{
    if (!s[0] || !s[1] || !s[2]) return false;
    return (2 * f->log[s[1]] - f->log[s[2]] - f->log[s[0]] + 2 * FIELD_ORDER) % FIELD_ORDER == 0;
}

/* Two errors of which one is at P: e^q = (s2 + s1 e^p) / (s1 + s0 e^p) gives the other; false where there is none. */
static bool second_error(const struct gf1024 *f, const int s[ROOTS], size_t length, size_t p, size_t *q)
{
    int above = s[2] ^ gf1024_shift(f, s[1], p);
    int below = s[1] ^ gf1024_shift(f, s[0], p);
    if (!above || !below) return false;
    *q = (size_t)((f->log[above] - f->log[below] + FIELD_ORDER) % FIELD_ORDER);
    if (*q >= length || *q == p) return false;
    int other = s[1] ^ gf1024_shift(f, s[0], *q);
    int between = f->exp[p] ^ f->exp[*q];
    return other && error_is_character(f, below, between, *q) && error_is_character(f, other, between, p);
}

/* Positions from the end, the leftmost in the text first, of the errors in LENGTH characters; 0 where they are more
 * than two. */
static size_t find_errors(const struct gf1024 *f, uint32_t remainder, size_t length, size_t from_end[2])
{
    int s[ROOTS];
    syndromes(f, s, remainder);
    if (is_one_error(f, s)) {
        size_t p = (size_t)((f->log[s[1]] - f->log[s[0]] + FIELD_ORDER) % FIELD_ORDER);
        from_end[0] = p;
        return p < length && error_is_character(f, s[0], 1, p) ? 1 : 0;
    }
    for (size_t p = 0; p < length; p++) {
        size_t q;
        if (!second_error(f, s, length, p, &q)) continue;
        from_end[0] = p > q ? p : q;
        from_end[1] = p > q ? q : p;
        return 2;
    }
    return 0;
}

/* Tries both checksums and tells the one that explains the text with fewer errors. */
static size_t locate_in_values(const char *hrp, struct span values, size_t text_len, int positions[BECH32_MAX],
                               const char **message)
{
    static const char *const messages[] = {"Invalid checksum", "Invalid Bech32 checksum", "Invalid Bech32m checksum"};
    struct gf1024 field;
    size_t best = 0;
    gf1024_init(&field);
    *message = messages[BECH32_INVALID];
    for (enum bech32_encoding encoding = BECH32; encoding <= BECH32M; encoding++) {
        size_t from_end[2];
        uint32_t remainder = bech32_remainder(hrp, values) ^ bech32_constant(encoding);
        if (remainder == 0) {
            *message = "";
            return 0;
        }
        size_t count = find_errors(&field, remainder, values.len, from_end);
        if (count == 0 || (best && count >= best)) continue;
        best = count;
        *message = messages[encoding];
        for (size_t i = 0; i < count; i++) positions[i] = (int)(text_len - 1 - from_end[i]);
    }
    return best;
}

static size_t one_position(int positions[BECH32_MAX], size_t at)
{
    positions[0] = (int)at;
    return 1;
}

static size_t locate_excess(size_t len, int positions[BECH32_MAX])
{
    size_t count = len - BECH32_MAX;
    if (count > BECH32_MAX) count = BECH32_MAX;
    for (size_t i = 0; i < count; i++) positions[i] = (int)(BECH32_MAX + i);
    return count;
}

size_t bech32_locate_errors(const char *text, int positions[BECH32_MAX], const char **message)
{
    size_t len = strlen(text);
    *message = "Bech32 string too long";
    if (len > BECH32_MAX) return locate_excess(len, positions);
    *message = "Invalid character or mixed case";
    size_t bad = bech32_bad_characters(text, len, positions);
    if (bad) return bad;
    const char *separator = strrchr(text, '1');
    *message = "Missing separator";
    if (!separator) return 0;
    size_t at = (size_t)(separator - text), count = len - at - 1;
    *message = "Invalid separator position";
    if (at == 0 || count < BECH32_CHECKSUM) return one_position(positions, at);
    char hrp[BECH32_MAX] = {0};
    for (size_t i = 0; i < at; i++) hrp[i] = bech32_lower(text[i]);
    uint8_t values[BECH32_MAX];
    *message = "Invalid Base 32 character";
    for (size_t i = 0; i < count; i++) {
        int value = bech32_value(separator[1 + i]);
        if (value < 0) return one_position(positions, at + 1 + i);
        values[i] = (uint8_t)value;
    }
    return locate_in_values(hrp, span_of(values, count), len, positions, message);
}
