/* SipHash: keyed 64-bit hashes of short inputs. */
#ifndef CAIRN_CRYPTO_SIPHASH_H
#define CAIRN_CRYPTO_SIPHASH_H

#include "base/span.h"

/* SipHash-2-4 of bytes. */
uint64_t siphash24(uint64_t k0, uint64_t k1, const void *data, size_t len);

/* SipHash-2-4 of a 32-byte hash, and of a hash followed by a 32-bit number (an outpoint). */
uint64_t siphash24_hash(uint64_t k0, uint64_t k1, const uint8_t hash[32]);
uint64_t siphash24_hash_u32(uint64_t k0, uint64_t k1, const uint8_t hash[32], uint32_t extra);

/* The variant of the test vectors' "siphash13uj" (see vectors/core/siphash.json and Core's SipHasher13Jumbo or like).
 */
uint64_t siphash13_hash_u32(uint64_t k0, uint64_t k1, const uint8_t hash[32], uint32_t extra);

#endif
