/* SHA-256 by OpenSSL's low-level functions: they are deprecated, and 2.5 times as fast on short input as EVP, which
 * allocates and looks its algorithm up by name. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/sha256.h"

#include <openssl/sha.h>

#include "base/endian.h"
#include "crypto/cpu.h"
#include "crypto/sha256_lanes.h"

_Static_assert(sizeof(SHA256_CTX) == sizeof(struct sha256), "struct sha256 must hold an SHA256_CTX");
_Static_assert(_Alignof(SHA256_CTX) <= _Alignof(struct sha256), "struct sha256 must be aligned as an SHA256_CTX");

static SHA256_CTX *ctx_of(struct sha256 *h)
{
    return (SHA256_CTX *)(void *)h->opaque;
}

void sha256_init(struct sha256 *h)
{
    SHA256_Init(ctx_of(h));
}

void sha256_put(struct sha256 *h, const void *data, size_t len)
{
    if (len) SHA256_Update(ctx_of(h), data, len);
}

void sha256_put_le32(struct sha256 *h, uint32_t v)
{
    uint8_t bytes[4];
    put_le32(bytes, v);
    SHA256_Update(ctx_of(h), bytes, sizeof(bytes));
}

void sha256_put_le64(struct sha256 *h, uint64_t v)
{
    uint8_t bytes[8];
    put_le64(bytes, v);
    SHA256_Update(ctx_of(h), bytes, sizeof(bytes));
}

void sha256_final(struct sha256 *h, uint8_t out[32])
{
    SHA256_Final(out, ctx_of(h));
}

static void put_state(uint8_t out[32], const SHA256_CTX *c)
{
    for (int i = 0; i < 8; i++) put_be32(out + 4 * i, c->h[i]);
}

/* SHA256 of a 32-byte hash: one compression. */
static void sha256_of_hash(uint8_t out[32], const uint8_t in[32])
{
    uint8_t block[64] = {[32] = 0x80, [62] = 0x01}; /* 256 bits */
    memcpy(block, in, 32);
    SHA256_CTX c;
    SHA256_Init(&c);
    SHA256_Transform(&c, block);
    put_state(out, &c);
}

void sha256_final_double(struct sha256 *h, uint8_t out[32])
{
    uint8_t first[32];
    SHA256_Final(first, ctx_of(h));
    sha256_of_hash(out, first);
}

void sha256_once(uint8_t out[32], const void *data, size_t len)
{
    struct sha256 h;
    sha256_init(&h);
    sha256_put(&h, data, len);
    sha256_final(&h, out);
}

void sha256d(uint8_t out[32], const void *data, size_t len)
{
    struct sha256 h;
    sha256_init(&h);
    sha256_put(&h, data, len);
    sha256_final_double(&h, out);
}

void sha256d_64_one(uint8_t out[32], const uint8_t in[64])
{
    static const uint8_t padding[64] = {[0] = 0x80, [62] = 0x02}; /* 512 bits */
    SHA256_CTX c;
    SHA256_Init(&c);
    SHA256_Transform(&c, in);
    SHA256_Transform(&c, padding);
    uint8_t first[32];
    put_state(first, &c);
    sha256_of_hash(out, first);
}

void sha256d_64_many(uint8_t *out, const uint8_t *in, size_t count)
{
    if (count >= 8 && cpu_has_avx2() && !cpu_has_sha_ni()) {
        for (; count >= 8; count -= 8, in += 512, out += 256) sha256d_64_x8_avx2(out, in);
    }
    for (; count > 0; count--, in += 64, out += 32) sha256d_64_one(out, in);
}

void tagged_hash_init(struct sha256 *h, const char *tag)
{
    uint8_t twice[64];
    sha256_once(twice, tag, strlen(tag));
    memcpy(twice + 32, twice, 32);
    sha256_init(h);
    sha256_put(h, twice, sizeof(twice));
}
