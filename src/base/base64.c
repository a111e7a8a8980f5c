/* Base64. */
#include "base/base64.h"

void base64_append(struct buffer *out, struct span in)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < in.len; i += 3) {
        size_t left = in.len - i;
        uint32_t v = (uint32_t)in.data[i] << 16 | (uint32_t)(left > 1 ? in.data[i + 1] : 0) << 8 |
                     (left > 2 ? in.data[i + 2] : 0);
        buffer_put_u8(out, (uint8_t)digits[v >> 18]);
        buffer_put_u8(out, (uint8_t)digits[v >> 12 & 63]);
        buffer_put_u8(out, (uint8_t)(left > 1 ? digits[v >> 6 & 63] : '='));
        buffer_put_u8(out, (uint8_t)(left > 2 ? digits[v & 63] : '='));
    }
}

static int digit_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode_append(struct buffer *out, struct span text)
{
    unsigned bits = 0, held = 0;
    size_t len = text.len;
    if (len % 4) return false;
    for (int pad = 0; pad < 2 && len && text.data[len - 1] == '='; pad++) len--;
    for (size_t i = 0; i < len; i++) {
        int digit = digit_value(text.data[i]);
        if (digit < 0) return false;
        bits = (bits << 6 | (unsigned)digit) & 0xffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            buffer_put_u8(out, (uint8_t)(bits >> held));
        }
    }
    return (bits & ((1u << held) - 1)) == 0;
}
