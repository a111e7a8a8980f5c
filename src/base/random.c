/* xoshiro256** seeded through splitmix64. */
#include "base/random.h"

#include "base/check.h"
#include "base/endian.h"

static uint64_t splitmix64(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void random_init(struct random *r, const uint8_t seed[32])
{
    uint64_t x = 0;
    for (int i = 0; i < 4; i++) {
        x ^= get_le64(seed + 8 * i);
        r->s[i] = splitmix64(&x);
    }
}

void random_init_u64(struct random *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) r->s[i] = splitmix64(&seed);
}

uint64_t random_u64(struct random *r)
{
    uint64_t result = rotl(r->s[1] * 5, 7) * 9;
    uint64_t t = r->s[1] << 17;
    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = rotl(r->s[3], 45);
    return result;
}

uint64_t random_below(struct random *r, uint64_t limit)
{
    CHECK(limit != 0);
    uint64_t fair = UINT64_MAX - UINT64_MAX % limit;
    uint64_t v;
    do v = random_u64(r);
    while (v >= fair);
    return v % limit;
}

void random_bytes(struct random *r, void *out, size_t len)
{
    uint8_t *p = out;
    while (len) {
        uint8_t bytes[8];
        put_le64(bytes, random_u64(r));
        size_t n = len < 8 ? len : 8;
        for (size_t i = 0; i < n; i++) p[i] = bytes[i];
        p += n;
        len -= n;
    }
}
