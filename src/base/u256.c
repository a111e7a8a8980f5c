/* Unsigned 256-bit integers. */
#include "base/u256.h"

#include <stddef.h>

#include "base/check.h"
#include "base/endian.h"
#include "base/hex.h"

struct u256 u256_from_u64(uint64_t v)
{
    return (struct u256){.w = {v, 0, 0, 0}};
}

struct u256 u256_from_le(const uint8_t bytes[32])
{
    struct u256 v;
    for (int i = 0; i < 4; i++) v.w[i] = get_le64(bytes + 8 * i);
    return v;
}

struct u256 u256_from_be(const uint8_t bytes[32])
{
    struct u256 v;
    for (int i = 0; i < 4; i++) v.w[3 - i] = get_be64(bytes + 8 * i);
    return v;
}

void u256_to_le(uint8_t bytes[32], struct u256 v)
{
    for (int i = 0; i < 4; i++) put_le64(bytes + 8 * i, v.w[i]);
}

void u256_to_be(uint8_t bytes[32], struct u256 v)
{
    for (int i = 0; i < 4; i++) put_be64(bytes + 8 * i, v.w[3 - i]);
}

void u256_to_hex(char out[65], struct u256 v)
{
    uint8_t bytes[32];
    u256_to_be(bytes, v);
    hex_encode(out, bytes, sizeof(bytes));
}

bool u256_is_zero(struct u256 v)
{
    return (v.w[0] | v.w[1] | v.w[2] | v.w[3]) == 0;
}

int u256_cmp(struct u256 a, struct u256 b)
{
    for (int i = 3; i >= 0; i--)
        if (a.w[i] != b.w[i]) return a.w[i] < b.w[i] ? -1 : 1;
    return 0;
}

struct u256 u256_add(struct u256 a, struct u256 b)
{
    uint64_t carry = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t sum = a.w[i] + carry;
        carry = sum < carry;
        sum += b.w[i];
        carry += sum < b.w[i];
        a.w[i] = sum;
    }
    return a;
}

struct u256 u256_sub(struct u256 a, struct u256 b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t x = a.w[i];
        uint64_t y = x - b.w[i];
        uint64_t z = y - borrow;
        borrow = (x < b.w[i]) | (y < borrow);
        a.w[i] = z;
    }
    return a;
}

struct u256 u256_not(struct u256 v)
{
    for (int i = 0; i < 4; i++) v.w[i] = ~v.w[i];
    return v;
}

struct u256 u256_shl(struct u256 v, unsigned bits)
{
    struct u256 r = {{0}};
    if (bits >= 256) return r;
    unsigned words = bits / 64, rest = bits % 64;
    for (unsigned i = words; i < 4; i++) {
        r.w[i] = v.w[i - words] << rest;
        if (rest && i > words) r.w[i] |= v.w[i - words - 1] >> (64 - rest);
    }
    return r;
}

struct u256 u256_shr(struct u256 v, unsigned bits)
{
    struct u256 r = {{0}};
    if (bits >= 256) return r;
    unsigned words = bits / 64, rest = bits % 64;
    for (unsigned i = 0; i + words < 4; i++) {
        r.w[i] = v.w[i + words] >> rest;
        if (rest && i + words + 1 < 4) r.w[i] |= v.w[i + words + 1] << (64 - rest);
    }
    return r;
}

struct u256 u256_mul_u32(struct u256 v, uint32_t m)
{
    unsigned __int128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (unsigned __int128)v.w[i] * m;
        v.w[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return v;
}

unsigned u256_bits(struct u256 v)
{
    for (int i = 3; i >= 0; i--)
        if (v.w[i]) return (unsigned)(64 * i + 64 - __builtin_clzll(v.w[i]));
    return 0;
}

struct u256 u256_div(struct u256 a, struct u256 b)
{
    CHECK(!u256_is_zero(b));
    struct u256 quotient = {{0}};
    unsigned abits = u256_bits(a), bbits = u256_bits(b);
    if (bbits > abits) return quotient;
    unsigned shift = abits - bbits;
    struct u256 d = u256_shl(b, shift);
    for (;; shift--) {
        if (u256_cmp(a, d) >= 0) {
            a = u256_sub(a, d);
            quotient.w[shift / 64] |= (uint64_t)1 << (shift % 64);
        }
        if (shift == 0) return quotient;
        d = u256_shr(d, 1);
    }
}

double u256_to_double(struct u256 v)
{
    double r = 0;
    for (int i = 3; i >= 0; i--) r = r * 18446744073709551616.0 + (double)v.w[i];
    return r;
}
