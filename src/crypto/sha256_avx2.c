/* SHA-256 in eight lanes of AVX2 (FIPS 180-4): lane i of every vector belongs to message i. */
#include "base/endian.h"
#include "crypto/sha256_lanes.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define LANES __attribute__((target("avx2"), always_inline)) static inline

static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

LANES __m256i add(__m256i a, __m256i b)
{
    return _mm256_add_epi32(a, b);
}

LANES __m256i xor3(__m256i a, __m256i b, __m256i c)
{
    return _mm256_xor_si256(_mm256_xor_si256(a, b), c);
}

LANES __m256i splat(uint32_t v)
{
    return _mm256_set1_epi32((int)v);
}

#define ROTR(X, N) _mm256_or_si256(_mm256_srli_epi32((X), (N)), _mm256_slli_epi32((X), 32 - (N)))

LANES __m256i big_sigma0(__m256i x)
{
    return xor3(ROTR(x, 2), ROTR(x, 13), ROTR(x, 22));
}

LANES __m256i big_sigma1(__m256i x)
{
    return xor3(ROTR(x, 6), ROTR(x, 11), ROTR(x, 25));
}

LANES __m256i small_sigma0(__m256i x)
{
    return xor3(ROTR(x, 7), ROTR(x, 18), _mm256_srli_epi32(x, 3));
}

LANES __m256i small_sigma1(__m256i x)
{
    return xor3(ROTR(x, 17), ROTR(x, 19), _mm256_srli_epi32(x, 10));
}

LANES __m256i choose(__m256i x, __m256i y, __m256i z)
{
    return _mm256_xor_si256(z, _mm256_and_si256(x, _mm256_xor_si256(y, z)));
}

LANES __m256i majority(__m256i x, __m256i y, __m256i z)
{
    return _mm256_or_si256(_mm256_and_si256(x, y), _mm256_and_si256(z, _mm256_or_si256(x, y)));
}

/* One round. The caller turns the names round by eight instead of moving the registers. KW is constant plus word. */
LANES void one_round(__m256i a, __m256i b, __m256i c, __m256i *d, __m256i e, __m256i f, __m256i g, __m256i *h,
                     __m256i kw)
{
    __m256i t = add(add(*h, kw), add(big_sigma1(e), choose(e, f, g)));
    *d = add(*d, t);
    *h = add(t, add(big_sigma0(a), majority(a, b, c)));
}

/* Word I (16 or more) of the message schedule, kept in a ring of sixteen. */
LANES __m256i schedule(__m256i w[16], int i)
{
    __m256i v =
        add(add(w[i & 15], small_sigma0(w[(i + 1) & 15])), add(w[(i + 9) & 15], small_sigma1(w[(i + 14) & 15])));
    return w[i & 15] = v;
}

LANES __m256i word_at(__m256i w[16], int i)
{
    return add(splat(round_constants[i]), i < 16 ? w[i] : schedule(w, i));
}

__attribute__((target("avx2"))) static void compress(__m256i s[8], __m256i w[16])
{
    __m256i a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
#pragma GCC unroll 8
    for (int i = 0; i < 64; i += 8) {
        one_round(a, b, c, &d, e, f, g, &h, word_at(w, i));
        one_round(h, a, b, &c, d, e, f, &g, word_at(w, i + 1));
        one_round(g, h, a, &b, c, d, e, &f, word_at(w, i + 2));
        one_round(f, g, h, &a, b, c, d, &e, word_at(w, i + 3));
        one_round(e, f, g, &h, a, b, c, &d, word_at(w, i + 4));
        one_round(d, e, f, &g, h, a, b, &c, word_at(w, i + 5));
        one_round(c, d, e, &f, g, h, a, &b, word_at(w, i + 6));
        one_round(b, c, d, &e, f, g, h, &a, word_at(w, i + 7));
    }
    __m256i t[8] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; i++) s[i] = add(s[i], t[i]);
}

LANES void start(__m256i s[8])
{
    for (int i = 0; i < 8; i++) s[i] = splat(initial[i]);
}

/* Word I of eight messages of 64 bytes. */
LANES __m256i gather(const uint8_t *in, int i)
{
    const uint8_t *p = in + 4 * i;
    return _mm256_setr_epi32((int)get_be32(p), (int)get_be32(p + 64), (int)get_be32(p + 128), (int)get_be32(p + 192),
                             (int)get_be32(p + 256), (int)get_be32(p + 320), (int)get_be32(p + 384),
                             (int)get_be32(p + 448));
}

__attribute__((target("avx2"))) void sha256d_64_x8_avx2(uint8_t *out, const uint8_t *in)
{
    __m256i s[8], w[16];
    start(s);
    for (int i = 0; i < 16; i++) w[i] = gather(in, i);
    compress(s, w);
    /* The padding of a message of 512 bits. */
    for (int i = 0; i < 16; i++) w[i] = splat(i == 0 ? 0x80000000u : i == 15 ? 512 : 0);
    compress(s, w);
    /* The hash of that hash: 256 bits and their padding. */
    for (int i = 0; i < 16; i++) w[i] = i < 8 ? s[i] : splat(i == 8 ? 0x80000000u : i == 15 ? 256 : 0);
    start(s);
    compress(s, w);
    for (int i = 0; i < 8; i++) {
        uint32_t lanes[8];
        _mm256_storeu_si256((__m256i *)(void *)lanes, s[i]);
        for (int lane = 0; lane < 8; lane++) put_be32(out + 32 * lane + 4 * i, lanes[lane]);
    }
}
#else
void sha256d_64_x8_avx2(uint8_t *out, const uint8_t *in)
{
    for (int i = 0; i < 8; i++) sha256d_64_one(out + 32 * i, in + 64 * i);
}
#endif
