/* SipHash-2-4 (Aumasson and Bernstein) and SipHash-1-3-UJ. */
#include "crypto/siphash.h"

#include "base/endian.h"

static inline uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] = rotl(v[0], 32) + v[3];
    v[2] += v[1];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static inline void sip_start(uint64_t v[4], uint64_t k0, uint64_t k1)
{
    v[0] = k0 ^ 0x736f6d6570736575u;
    v[1] = k1 ^ 0x646f72616e646f6du;
    v[2] = k0 ^ 0x6c7967656e657261u;
    v[3] = k1 ^ 0x7465646279746573u;
}

static inline void sip_block(uint64_t v[4], uint64_t m)
{
    v[3] ^= m;
    sip_round(v);
    sip_round(v);
    v[0] ^= m;
}

static inline uint64_t sip_end(uint64_t v[4])
{
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++) sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t siphash24(uint64_t k0, uint64_t k1, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t v[4];
    sip_start(v, k0, k1);
    uint64_t last = (uint64_t)len << 56;
    for (; len >= 8; p += 8, len -= 8) sip_block(v, get_le64(p));
    for (size_t i = 0; i < len; i++) last |= (uint64_t)p[i] << (8 * i);
    sip_block(v, last);
    return sip_end(v);
}

static inline uint64_t siphash24_hash_tail(uint64_t k0, uint64_t k1, const uint8_t hash[32], uint64_t tail)
{
    uint64_t v[4];
    sip_start(v, k0, k1);
    for (int i = 0; i < 4; i++) sip_block(v, get_le64(hash + 8 * i));
    sip_block(v, tail);
    return sip_end(v);
}

uint64_t siphash24_hash(uint64_t k0, uint64_t k1, const uint8_t hash[32])
{
    return siphash24_hash_tail(k0, k1, hash, (uint64_t)32 << 56);
}

uint64_t siphash24_hash_u32(uint64_t k0, uint64_t k1, const uint8_t hash[32], uint32_t extra)
{
    return siphash24_hash_tail(k0, k1, hash, (uint64_t)36 << 56 | extra);
}

void siphash13uj_init(struct siphash13uj *s, uint64_t k0, uint64_t k1)
{
    sip_start(s->v, k0, k1);
}

void siphash13uj_put_u64(struct siphash13uj *s, uint64_t block)
{
    s->v[3] ^= block;
    sip_round(s->v);
    s->v[0] ^= block;
}

void siphash13uj_put_hash(struct siphash13uj *s, const uint8_t hash[32])
{
    uint64_t m[4];
    for (int i = 0; i < 4; i++) m[i] = get_le64(hash + 8 * i);
    for (int i = 0; i < 4; i++) s->v[(i + 3) & 3] ^= m[i];
    sip_round(s->v);
    for (int i = 0; i < 4; i++) s->v[i] ^= m[i];
}

uint64_t siphash13uj_final(const struct siphash13uj *s)
{
    uint64_t v[4] = {s->v[0], s->v[1], s->v[2] ^ 0x6465646461706e75u /* "unpadded" */, s->v[3]};
    for (int i = 0; i < 3; i++) sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t siphash13uj_hash(uint64_t k0, uint64_t k1, const uint8_t hash[32])
{
    struct siphash13uj s;
    siphash13uj_init(&s, k0, k1);
    siphash13uj_put_hash(&s, hash);
    return siphash13uj_final(&s);
}

uint64_t siphash13uj_hash_u64(uint64_t k0, uint64_t k1, const uint8_t hash[32], uint64_t extra)
{
    struct siphash13uj s;
    siphash13uj_init(&s, k0, k1);
    siphash13uj_put_hash(&s, hash);
    siphash13uj_put_u64(&s, extra);
    return siphash13uj_final(&s);
}
