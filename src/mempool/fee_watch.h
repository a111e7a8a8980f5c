/* Who is watched for the fee estimates: a hash table of 16 bytes an entry, found by the first 64 bits of the txid. Of
 * two that share them only the first is watched, which does no harm. */
#ifndef CAIRN_MEMPOOL_FEE_WATCH_H
#define CAIRN_MEMPOOL_FEE_WATCH_H

#include "primitives/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watched_tx {
    uint64_t id;     /* of the txid */
    uint32_t height; /* of the tip when it came */
    uint32_t bucket; /* of its rate, + 1; 0: the place is free */
};

/* All zeroes is empty. */
struct fee_watch {
    struct watched_tx *slots;
    size_t cap; /* a power of two, or 0 */
    size_t count;
};

void fee_watch_clear(struct fee_watch *w);

bool fee_watch_has(const struct fee_watch *w, const struct txid *txid);
/* It must not be there yet. */
void fee_watch_put(struct fee_watch *w, const struct txid *txid, uint32_t height, size_t bucket);
/* Takes it out; false where it is not there. */
bool fee_watch_take(struct fee_watch *w, const struct txid *txid, uint32_t *height, size_t *bucket);

#endif
