/* Compact block filters (BIP158): a set of scripts, hashed and Golomb-coded, that says of any script whether it may be
 * in a block. Pure functions. */
#ifndef CAIRN_INDEX_BLOCK_FILTER_H
#define CAIRN_INDEX_BLOCK_FILTER_H

#include "chain/undo.h"

enum {
    BLOCK_FILTER_BASIC = 0, /* the filter type of BIP157's messages */
    GCS_REMAINDER_BITS = 19,
    GCS_FALSE_POSITIVES = 784931, /* one in as many */
};

/* Keys the hash of a filter's elements. */
struct gcs_key {
    uint64_t k0, k1;
};

/* The key of a basic filter: the first 16 bytes of the block's hash. */
struct gcs_key gcs_key_of(const struct block_hash *hash);

/* Appends the filter of a set; elements that are equal count once. */
void gcs_write(struct buffer *out, struct gcs_key key, const struct span *elements, size_t count);

/* Whether FILTER is a whole filter and nothing else: its count, and as many elements. */
bool gcs_is_valid(struct span filter);

/* *MATCHES: one of the elements may be in the set; if not, none is. False where FILTER ends too early. */
MUST_USE bool gcs_match_any(struct span filter, struct gcs_key key, const struct span *elements, size_t count,
                            bool *matches);

/* Appends the basic filter of a block: the scripts of its outputs but those that begin with OP_RETURN, and of the coins
 * that it spends; never an empty one. */
void block_filter_write(struct buffer *out, const struct block *b, const struct undo *undo);

/* SHA256d of the filter; and the header that commits to it and to all before: PREVIOUS is zeroes for genesis. */
void block_filter_hash(uint8_t out[32], struct span filter);
void block_filter_header(uint8_t out[32], const uint8_t hash[32], const uint8_t previous[32]);

#endif
