/* MuHash3072 (Bellare and Micciancio): a set is the product of its elements, each hashed to a number, modulo the prime
 * 2^3072 - 1103717. What is taken out is multiplied into a denominator, so that the one costly inverse waits for the
 * end. */
#include "crypto/muhash.h"

#include "base/endian.h"
#include "crypto/chacha20.h"
#include "crypto/num3072_inverse.h"
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

/* Multiplication column by column, in a sum of three words. */
static void num_mul(struct num3072 *out, const struct num3072 *a, const struct num3072 *b)
{
    uint64_t wide[2 * LIMBS], over = 0;
    uint128 sum = 0;
    for (int column = 0; column < 2 * LIMBS - 1; column++) {
        int first = column < LIMBS ? 0 : column - LIMBS + 1, last = column < LIMBS ? column : LIMBS - 1;
        for (int i = first; i <= last; i++) {
            uint128 product = (uint128)a->limb[i] * b->limb[column - i];
            sum += product;
            over += sum < product;
        }
        wide[column] = (uint64_t)sum;
        sum = sum >> 64 | (uint128)over << 64;
        over = 0;
    }
    wide[2 * LIMBS - 1] = (uint64_t)sum;
    num_reduce(out, wide);
}

static const struct num3072 num_one = {.limb = {1}};

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
    struct num3072 inverse = m->denominator;
    num_normalise(&inverse);
    num3072_invert(&inverse, &inverse);
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
