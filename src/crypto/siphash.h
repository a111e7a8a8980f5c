/* SipHash: keyed 64-bit hashes of short inputs. */
#ifndef CAIRN_CRYPTO_SIPHASH_H
#define CAIRN_CRYPTO_SIPHASH_H

#include "base/span.h"

/* SipHash-2-4 of bytes. */
uint64_t siphash24(uint64_t k0, uint64_t k1, const void *data, size_t len);

/* SipHash-2-4 of a 32-byte hash, and of a hash followed by a 32-bit number (an outpoint). */
uint64_t siphash24_hash(uint64_t k0, uint64_t k1, const uint8_t hash[32]);
uint64_t siphash24_hash_u32(uint64_t k0, uint64_t k1, const uint8_t hash[32], uint32_t extra);

/* SipHash-1-3-UJ, Bitcoin Core's faster variant for tables of its own: one round a block and three at the end, no
 * padding ("U"; the length is in the number of blocks, and the final constant differs), and a whole hash in one "jumbo"
 * block ("J"). Not for what others choose freely: jumbo blocks must be outputs of a cryptographic hash. */
struct siphash13uj {
    uint64_t v[4];
};

void siphash13uj_init(struct siphash13uj *s, uint64_t k0, uint64_t k1);
void siphash13uj_put_u64(struct siphash13uj *s, uint64_t block);
void siphash13uj_put_hash(struct siphash13uj *s, const uint8_t hash[32]);
/* The hash of what was put so far; S may go on. */
uint64_t siphash13uj_final(const struct siphash13uj *s);

/* The same of one hash, and of a hash and then one number (an outpoint). */
uint64_t siphash13uj_hash(uint64_t k0, uint64_t k1, const uint8_t hash[32]);
uint64_t siphash13uj_hash_u64(uint64_t k0, uint64_t k1, const uint8_t hash[32], uint64_t extra);

#endif
