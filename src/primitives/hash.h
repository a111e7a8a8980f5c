/* Typed hashes: 32 bytes each, in internal order (display reverses them). The types differ so that a txid cannot be
 * passed for a block hash. */
#ifndef CAIRN_PRIMITIVES_HASH_H
#define CAIRN_PRIMITIVES_HASH_H

#include "base/compiler.h"
#include "base/span.h"

struct txid {
    uint8_t bytes[32];
};

struct wtxid {
    uint8_t bytes[32];
};

struct block_hash {
    uint8_t bytes[32];
};

enum { HASH_TEXT = 65 }; /* room for 64 digits and a NUL */

static inline bool txid_equal(const struct txid *a, const struct txid *b)
{
    return memcmp(a->bytes, b->bytes, 32) == 0;
}

static inline bool wtxid_equal(const struct wtxid *a, const struct wtxid *b)
{
    return memcmp(a->bytes, b->bytes, 32) == 0;
}

static inline bool block_hash_equal(const struct block_hash *a, const struct block_hash *b)
{
    return memcmp(a->bytes, b->bytes, 32) == 0;
}

/* True where all 32 bytes are zero. */
bool hash_is_null(const uint8_t bytes[32]);

/* Display order: 64 lower-case digits and a NUL to OUT; returns OUT. */
char *txid_text(char out[HASH_TEXT], const struct txid *id);
char *wtxid_text(char out[HASH_TEXT], const struct wtxid *id);
char *block_hash_text(char out[HASH_TEXT], const struct block_hash *hash);

/* From display order; false where TEXT is not exactly 64 hex digits. */
MUST_USE bool txid_parse(struct txid *out, const char *text);
MUST_USE bool block_hash_parse(struct block_hash *out, const char *text);

#endif
