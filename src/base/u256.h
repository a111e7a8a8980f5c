/* Unsigned 256-bit integers: targets and chain work. */
#ifndef CAIRN_BASE_U256_H
#define CAIRN_BASE_U256_H

#include <stdbool.h>
#include <stdint.h>

struct u256 {
    uint64_t w[4]; /* least significant first */
};

struct u256 u256_from_u64(uint64_t v);
struct u256 u256_from_le(const uint8_t bytes[32]);
struct u256 u256_from_be(const uint8_t bytes[32]);
void u256_to_le(uint8_t bytes[32], struct u256 v);
void u256_to_be(uint8_t bytes[32], struct u256 v);

/* 64 lower-case digits and a NUL. */
void u256_to_hex(char out[65], struct u256 v);

bool u256_is_zero(struct u256 v);

/* -1, 0 or 1. */
int u256_cmp(struct u256 a, struct u256 b);

/* All arithmetic is modulo 2^256. */
struct u256 u256_add(struct u256 a, struct u256 b);
struct u256 u256_sub(struct u256 a, struct u256 b);
struct u256 u256_not(struct u256 v);
struct u256 u256_shl(struct u256 v, unsigned bits);
struct u256 u256_shr(struct u256 v, unsigned bits);
struct u256 u256_mul_u32(struct u256 v, uint32_t m);

/* Quotient; B must not be zero. */
struct u256 u256_div(struct u256 a, struct u256 b);

/* Position of the highest set bit plus one; 0 for zero. */
unsigned u256_bits(struct u256 v);

/* Nearest double, for ratios and progress only. */
double u256_to_double(struct u256 v);

#endif
