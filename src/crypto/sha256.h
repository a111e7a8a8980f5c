/* SHA-256 and the hashes built from it. */
#ifndef CAIRN_CRYPTO_SHA256_H
#define CAIRN_CRYPTO_SHA256_H

#include "base/span.h"

/* A running hash. Copying the struct copies the midstate. */
struct sha256 {
    _Alignas(8) uint8_t opaque[112]; /* OpenSSL's SHA256_CTX; its size is asserted in sha256.c */
};

void sha256_init(struct sha256 *h);
void sha256_put(struct sha256 *h, const void *data, size_t len);
void sha256_put_le32(struct sha256 *h, uint32_t v);
void sha256_put_le64(struct sha256 *h, uint64_t v);
void sha256_final(struct sha256 *h, uint8_t out[32]);
/* Hash of the hash: SHA256(SHA256(data)). */
void sha256_final_double(struct sha256 *h, uint8_t out[32]);

void sha256_once(uint8_t out[32], const void *data, size_t len);
void sha256d(uint8_t out[32], const void *data, size_t len);

/* OUT[i] = SHA256d(IN[i]) for COUNT independent blocks of 64 bytes; OUT may be IN (it is written in order). Eight
 * lanes at once where the machine has AVX2 and no SHA extension. One merkle level is one call. */
void sha256d_64_many(uint8_t *out, const uint8_t *in, size_t count);

/* BIP340: starts a hash with SHA256(tag) || SHA256(tag). */
void tagged_hash_init(struct sha256 *h, const char *tag);

#endif
