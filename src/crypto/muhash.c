/* MuHash3072 (Bellare and Micciancio): a set is the product of its elements, each hashed to a number, modulo the prime
 * 2^3072 - 1103717. What is taken out is multiplied into a denominator, so that the one costly inverse waits for the
 * end. */
#include "crypto/muhash.h"

#include "base/endian.h"
#include "crypto/chacha20.h"
#include "crypto/sha256.h"

enum { LIMBS = 48, NUM_BYTES = 384 };

static const uint64_t prime_gap = 1103717; /* 2^3072 minus the prime */

typedef unsigned __int128 uint128;

/* Adds V (below 2^64) to N; returns the carry out of the top. */
static uint64_t num_add_small(struct num3072 *n, uint64_t v)
{
    for (int i = 0; i < LIMBS && v; i++) {
        uint64_t sum = n->limb[i] + v;
        v = sum < v;
        n->limb[i] = sum;
    }
    return v;
}

/* Brings N below the prime. N - prime is N + gap - 2^3072: the subtraction is due exactly when that carries. */
static void num_normalise(struct num3072 *n)
{
    for (int i = 1; i < LIMBS; i++)
        if (n->limb[i] != UINT64_MAX) return;
    if (n->limb[0] >= 0 - prime_gap) num_add_small(n, prime_gap);
}

/* N = WIDE mod prime: 2^3072 is congruent to the gap, so the upper half is multiplied by that and added. */
static void num_reduce(struct num3072 *n, const uint64_t wide[2 * LIMBS])
{
    uint128 carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        carry += (uint128)wide[LIMBS + i] * prime_gap + wide[i];
        n->limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    /* The carry is below 2^21, and times the gap it is below 2^42. A second one leaves a small number: no third. */
    if (num_add_small(n, (uint64_t)carry * prime_gap)) num_add_small(n, prime_gap);
    num_normalise(n);
}

static void num_mul(struct num3072 *out, const struct num3072 *a, const struct num3072 *b)
{
    uint64_t wide[2 * LIMBS] = {0};
    for (int i = 0; i < LIMBS; i++) {
        uint64_t x = a->limb[i], carry = 0;
        for (int j = 0; j < LIMBS; j++) {
            uint128 t = (uint128)x * b->limb[j] + wide[i + j] + carry;
            wide[i + j] = (uint64_t)t;
            carry = (uint64_t)(t >> 64);
        }
        wide[i + LIMBS] = carry;
    }
    num_reduce(out, wide);
}

static void num_square(struct num3072 *out, const struct num3072 *a)
{
    uint64_t wide[2 * LIMBS] = {0};
    for (int i = 0; i < LIMBS; i++) { /* products of unequal limbs, once each */
        uint64_t x = a->limb[i], carry = 0;
        for (int j = i + 1; j < LIMBS; j++) {
            uint128 t = (uint128)x * a->limb[j] + wide[i + j] + carry;
            wide[i + j] = (uint64_t)t;
            carry = (uint64_t)(t >> 64);
        }
        wide[i + LIMBS] = carry;
    }
    uint64_t top = 0, carry = 0;
    for (int i = 0; i < LIMBS; i++) { /* twice that, plus the squares of the limbs */
        uint128 square = (uint128)a->limb[i] * a->limb[i];
        uint64_t lo = wide[2 * i], hi = wide[2 * i + 1];
        uint128 t = (uint128)(lo << 1 | top) + (uint64_t)square + carry;
        wide[2 * i] = (uint64_t)t;
        t = (uint128)(hi << 1 | lo >> 63) + (uint64_t)(square >> 64) + (uint64_t)(t >> 64);
        wide[2 * i + 1] = (uint64_t)t;
        carry = (uint64_t)(t >> 64);
        top = hi >> 63;
    }
    num_reduce(out, wide);
}

static const struct num3072 num_one = {.limb = {1}};

/* A^(prime - 2), the inverse by Fermat. The exponent is 3051 ones followed by 21 bits. */
static void num_invert(struct num3072 *out, const struct num3072 *a)
{
    const unsigned low_bits = 21, ones = 3072 - low_bits;
    const uint32_t low = (1u << low_bits) - (uint32_t)prime_gap - 2;
    struct num3072 r = *a; /* A^(2^have - 1) */
    unsigned have = 1;
    for (int bit = 10; bit >= 0; bit--) { /* the bits of 3051 below its highest */
        struct num3072 t = r;
        for (unsigned i = 0; i < have; i++) num_square(&t, &t);
        num_mul(&r, &t, &r);
        have *= 2;
        if (ones >> bit & 1) {
            num_square(&r, &r);
            num_mul(&r, &r, a);
            have++;
        }
    }
    for (unsigned bit = low_bits; bit-- > 0;) {
        num_square(&r, &r);
        if (low >> bit & 1) num_mul(&r, &r, a);
    }
    *out = r;
}

static void num_read(struct num3072 *n, const uint8_t in[NUM_BYTES])
{
    for (int i = 0; i < LIMBS; i++) n->limb[i] = get_le64(in + 8 * i);
}

static void num_write(const struct num3072 *n, uint8_t out[NUM_BYTES])
{
    for (int i = 0; i < LIMBS; i++) put_le64(out + 8 * i, n->limb[i]);
}

/* The number of an element: the key stream of its SHA-256. */
static void num_of_element(struct num3072 *n, const void *data, size_t len)
{
    uint8_t key[32], stream[NUM_BYTES];
    sha256_once(key, data, len);
    chacha20_keystream(key, stream, sizeof(stream));
    num_read(n, stream);
}

void muhash_init(struct muhash *m)
{
    m->numerator = num_one;
    m->denominator = num_one;
}

void muhash_insert(struct muhash *m, const void *data, size_t len)
{
    struct num3072 n;
    num_of_element(&n, data, len);
    num_mul(&m->numerator, &m->numerator, &n);
}

void muhash_remove(struct muhash *m, const void *data, size_t len)
{
    struct num3072 n;
    num_of_element(&n, data, len);
    num_mul(&m->denominator, &m->denominator, &n);
}

void muhash_combine(struct muhash *m, const struct muhash *other)
{
    num_mul(&m->numerator, &m->numerator, &other->numerator);
    num_mul(&m->denominator, &m->denominator, &other->denominator);
}

void muhash_divide(struct muhash *m, const struct muhash *other)
{
    struct num3072 up = other->denominator, down = other->numerator; /* OTHER may be M */
    num_mul(&m->numerator, &m->numerator, &up);
    num_mul(&m->denominator, &m->denominator, &down);
}

void muhash_final(struct muhash *m, uint8_t out[32])
{
    struct num3072 inverse;
    num_invert(&inverse, &m->denominator);
    num_mul(&m->numerator, &m->numerator, &inverse);
    m->denominator = num_one;
    uint8_t bytes[NUM_BYTES];
    num_write(&m->numerator, bytes);
    sha256_once(out, bytes, sizeof(bytes));
}

void muhash_write(const struct muhash *m, uint8_t out[MUHASH_BYTES])
{
    num_write(&m->numerator, out);
    num_write(&m->denominator, out + NUM_BYTES);
}

void muhash_read(struct muhash *m, const uint8_t in[MUHASH_BYTES])
{
    num_read(&m->numerator, in);
    num_read(&m->denominator, in + NUM_BYTES);
}
