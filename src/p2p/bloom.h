/* The Bloom filter that a peer gives us (BIP37): which transactions it wants to hear of. */
#ifndef CAIRN_P2P_BLOOM_H
#define CAIRN_P2P_BLOOM_H

#include "primitives/tx.h"
#include "wire/messages.h"

enum bloom_update {
    BLOOM_UPDATE_NONE = 0,
    BLOOM_UPDATE_ALL = 1,
    BLOOM_UPDATE_PUBKEY_ONLY = 2, /* pay-to-pubkey and bare multisig */
    BLOOM_UPDATE_MASK = 3,
};

struct bloom {
    uint8_t *bits; /* NULL: no filter */
    size_t size;   /* bytes, MAX_BLOOM_FILTER at most; 0: everything matches */
    uint32_t functions, tweak;
    uint8_t flags; /* enum bloom_update */
};

/* What M (filterload) says, copied. */
void bloom_load(struct bloom *b, const struct filterload_message *m);
void bloom_clear(struct bloom *b);

void bloom_put(struct bloom *b, struct span thing);
bool bloom_has(const struct bloom *b, struct span thing);

/* Whether TX (hashed) is one of those that the peer wants: by its txid, what its outputs or inputs push, or what it
 * spends. Outputs that match are put into the filter where it says so, so that what spends them matches too. */
bool bloom_match(struct bloom *b, const struct tx *tx);

#endif
