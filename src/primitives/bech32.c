/* Bech32 (BIP173) and Bech32m (BIP350): encode, decode, regroup bits. */
#include "primitives/bech32.h"

#include "base/check.h"
#include "primitives/bech32_text.h"

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

char bech32_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int bech32_value(char c)
{
    const char *at = c ? strchr(alphabet, bech32_lower(c)) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

size_t bech32_bad_characters(const char *text, size_t len, int positions[BECH32_MAX])
{
    bool seen_lower = false, seen_upper = false;
    size_t count = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z';
        if (c < 33 || c > 126 || (lower && seen_upper) || (upper && seen_lower)) {
            positions[count++] = (int)i;
            continue;
        }
        seen_lower |= lower;
        seen_upper |= upper;
    }
    return count;
}

uint32_t bech32_constant(enum bech32_encoding encoding)
{
    return encoding == BECH32M ? 0x2bc830a3 : 1;
}

/* One step of the division: the remainder times x plus VALUE, modulo the generator (BIP173). */
static uint32_t remainder_step(uint32_t c, uint32_t value)
{
    static const uint32_t generator[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    uint32_t top = c >> 25;
    c = (c & 0x1ffffff) << 5 ^ value;
    for (int i = 0; i < 5; i++)
        if (top >> i & 1) c ^= generator[i];
    return c;
}

uint32_t bech32_remainder(const char *hrp, struct span values)
{
    uint32_t c = 1;
    for (const char *p = hrp; *p; p++) c = remainder_step(c, (uint8_t)*p >> 5);
    c = remainder_step(c, 0);
    for (const char *p = hrp; *p; p++) c = remainder_step(c, *p & 31);
    for (size_t i = 0; i < values.len; i++) c = remainder_step(c, values.data[i]);
    return c;
}

void bech32_encode(struct buffer *out, enum bech32_encoding encoding, const char *hrp, struct span data)
{
    uint32_t c = bech32_remainder(hrp, data);
    for (int i = 0; i < BECH32_CHECKSUM; i++) c = remainder_step(c, 0);
    c ^= bech32_constant(encoding);
    buffer_put_str(out, hrp);
    buffer_put_u8(out, '1');
    for (size_t i = 0; i < data.len; i++) {
        CHECK(data.data[i] < 32);
        buffer_put_u8(out, (uint8_t)alphabet[data.data[i]]);
    }
    for (int i = BECH32_CHECKSUM - 1; i >= 0; i--) buffer_put_u8(out, (uint8_t)alphabet[c >> (5 * i) & 31]);
}

/* Which checksum the values have. */
static enum bech32_encoding checksum_kind(const char *hrp, struct span values)
{
    uint32_t c = bech32_remainder(hrp, values);
    if (c == bech32_constant(BECH32)) return BECH32;
    return c == bech32_constant(BECH32M) ? BECH32M : BECH32_INVALID;
}

void bech32_decode(struct bech32 *out, const char *text)
{
    int positions[BECH32_MAX];
    size_t len = strlen(text);
    *out = (struct bech32){0};
    if (len > BECH32_MAX || bech32_bad_characters(text, len, positions)) return;
    const char *separator = strrchr(text, '1');
    if (!separator || separator == text) return;
    size_t hrp_len = (size_t)(separator - text), value_count = len - hrp_len - 1;
    if (value_count < BECH32_CHECKSUM) return;
    struct bech32 b = {.data_len = value_count - BECH32_CHECKSUM};
    for (size_t i = 0; i < hrp_len; i++) b.hrp[i] = bech32_lower(text[i]);
    for (size_t i = 0; i < value_count; i++) {
        int value = bech32_value(separator[1 + i]);
        if (value < 0) return;
        b.data[i] = (uint8_t)value;
    }
    b.encoding = checksum_kind(b.hrp, span_of(b.data, value_count));
    if (b.encoding != BECH32_INVALID) *out = b;
}

bool bech32_convert_bits(struct buffer *out, int to_bits, struct span in, int from_bits, bool pad)
{
    uint32_t bits = 0, mask = (1u << to_bits) - 1;
    int held = 0;
    for (size_t i = 0; i < in.len; i++) {
        bits = (bits << from_bits | in.data[i]) & 0xffff;
        for (held += from_bits; held >= to_bits;) {
            held -= to_bits;
            buffer_put_u8(out, (uint8_t)(bits >> held & mask));
        }
    }
    uint32_t rest = bits << (to_bits - held) & mask;
    if (!pad) return held < from_bits && rest == 0;
    if (held) buffer_put_u8(out, (uint8_t)rest);
    return true;
}
