/* A set of salted hashes in buckets of four; a full bucket forgets its oldest. */
#include "chain/sig_cache.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/endian.h"
#include "crypto/secp.h"
#include "crypto/sha256.h"

enum { BUCKET = 4 };

struct sig_cache {
    struct sha256 salted; /* midstate after one block of secret */
    struct sig_key *slots;
    size_t buckets; /* a power of two */
    uint64_t added;
};

struct sig_cache *sig_cache_new(uint64_t bytes, const uint8_t secret[32])
{
    struct sig_cache *c = mem_calloc(1, sizeof(*c));
    c->buckets = 1;
    while ((uint64_t)c->buckets * 2 * BUCKET * sizeof(struct sig_key) <= bytes) c->buckets *= 2;
    c->slots = mem_calloc(c->buckets * BUCKET, sizeof(*c->slots));
    uint8_t block[64] = {0};
    memcpy(block, secret, 32);
    sha256_init(&c->salted);
    sha256_put(&c->salted, block, sizeof(block));
    return c;
}

void sig_cache_free(struct sig_cache *c)
{
    if (!c) return;
    free(c->slots);
    free(c);
}

/* KIND tells the three sorts of entry apart. */
static struct sha256 key_begin(const struct sig_cache *c, uint8_t kind)
{
    struct sha256 h = c->salted;
    sha256_put(&h, &kind, 1);
    return h;
}

void sig_cache_ecdsa_key(const struct sig_cache *c, struct sig_key *out, struct span pubkey, struct span sig,
                         const uint8_t hash[32])
{
    struct sha256 h = key_begin(c, 'E');
    sha256_put(&h, hash, 32);
    sha256_put_le32(&h, (uint32_t)pubkey.len);
    sha256_put(&h, pubkey.data, pubkey.len);
    sha256_put(&h, sig.data, sig.len);
    sha256_final(&h, out->bytes);
}

void sig_cache_schnorr_key(const struct sig_cache *c, struct sig_key *out, const uint8_t xonly[32],
                           const uint8_t sig[64], const uint8_t hash[32])
{
    struct sha256 h = key_begin(c, 'S');
    sha256_put(&h, hash, 32);
    sha256_put(&h, xonly, 32);
    sha256_put(&h, sig, 64);
    sha256_final(&h, out->bytes);
}

void sig_cache_script_key(const struct sig_cache *c, struct sig_key *out, const struct wtxid *wtxid, unsigned flags)
{
    struct sha256 h = key_begin(c, 'T');
    sha256_put(&h, wtxid->bytes, 32);
    sha256_put_le32(&h, flags);
    sha256_final(&h, out->bytes);
}

static struct sig_key *bucket_of(const struct sig_cache *c, const struct sig_key *key)
{
    return c->slots + (size_t)(get_le64(key->bytes) & (c->buckets - 1)) * BUCKET;
}

bool sig_cache_has(const struct sig_cache *c, const struct sig_key *key)
{
    const struct sig_key *b = bucket_of(c, key);
    for (int i = 0; i < BUCKET; i++)
        if (!memcmp(b[i].bytes, key->bytes, 32)) return true;
    return false;
}

void sig_cache_add(struct sig_cache *c, const struct sig_key *key)
{
    if (sig_cache_has(c, key)) return;
    struct sig_key *b = bucket_of(c, key);
    memmove(b + 1, b, (BUCKET - 1) * sizeof(*b));
    b[0] = *key;
    c->added++;
}

bool sig_cache_is_empty(const struct sig_cache *c)
{
    return c->added == 0;
}

static bool cached_ecdsa(void *ctx, struct span pubkey, struct span sig, const uint8_t hash[32])
{
    struct sig_key key;
    sig_cache_ecdsa_key(ctx, &key, pubkey, sig, hash);
    return sig_cache_has(ctx, &key) || ecdsa_verify(pubkey, sig, hash);
}

static bool cached_schnorr(void *ctx, const uint8_t xonly[32], const uint8_t sig[64], const uint8_t hash[32])
{
    struct sig_key key;
    sig_cache_schnorr_key(ctx, &key, xonly, sig, hash);
    return sig_cache_has(ctx, &key) || schnorr_verify(xonly, sig, hash);
}

struct sig_verifier sig_cache_verifier(const struct sig_cache *c)
{
    return (struct sig_verifier){.ecdsa = cached_ecdsa, .schnorr = cached_schnorr, .ctx = (void *)c};
}
