/* Script numbers: little-endian magnitude, sign in the top bit of the last byte, no byte for zero. */
#include "script/script.h"

size_t script_num_encode(uint8_t out[9], int64_t v)
{
    bool negative = v < 0;
    uint64_t rest = negative ? -(uint64_t)v : (uint64_t)v;
    size_t len = 0;
    for (; rest; rest >>= 8) out[len++] = (uint8_t)rest;
    if (len == 0) return 0;
    if (out[len - 1] & 0x80)
        out[len++] = negative ? 0x80 : 0;
    else if (negative)
        out[len - 1] |= 0x80;
    return len;
}

/* A last byte with nothing but the sign is only there where the one before it needs its own top bit. */
static bool num_is_minimal(struct span data)
{
    if (data.len == 0 || data.data[data.len - 1] & 0x7f) return true;
    return data.len > 1 && data.data[data.len - 2] & 0x80;
}

bool script_num_decode(int64_t *out, struct span data, bool minimal, size_t max_len)
{
    *out = 0;
    if (data.len > max_len || data.len > 8 || (minimal && !num_is_minimal(data))) return false;
    if (data.len == 0) return true;
    uint64_t v = 0;
    for (size_t i = 0; i < data.len; i++) v |= (uint64_t)data.data[i] << (8 * i);
    uint64_t sign = UINT64_C(0x80) << (8 * (data.len - 1));
    *out = v & sign ? -(int64_t)(v & ~sign) : (int64_t)v;
    return true;
}
