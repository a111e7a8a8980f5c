/* MuHash3072: the hash of a set that can be added to and taken from in any order (Bitcoin Core's `muhash`). */
#ifndef CAIRN_CRYPTO_MUHASH_H
#define CAIRN_CRYPTO_MUHASH_H

#include "base/span.h"

struct num3072 {
    uint64_t limb[48]; /* least significant first */
};

struct muhash {
    struct num3072 numerator;
    struct num3072 denominator;
};

enum { MUHASH_BYTES = 768 }; /* numerator and denominator, 384 little-endian bytes each */

/* The empty set. */
void muhash_init(struct muhash *m);
void muhash_insert(struct muhash *m, const void *data, size_t len);
void muhash_remove(struct muhash *m, const void *data, size_t len);

/* M = M * OTHER (union) and M = M / OTHER. */
void muhash_combine(struct muhash *m, const struct muhash *other);
void muhash_divide(struct muhash *m, const struct muhash *other);

/* 32 bytes in internal order (display is reversed); normalises M, which stays usable. */
void muhash_final(struct muhash *m, uint8_t out[32]);

/* State for storage. */
void muhash_write(const struct muhash *m, uint8_t out[MUHASH_BYTES]);
void muhash_read(struct muhash *m, const uint8_t in[MUHASH_BYTES]);

#endif
