/* Undo data: the coins that a block spent, in Core's rev*.dat form. */
#ifndef CAIRN_CHAIN_UNDO_H
#define CAIRN_CHAIN_UNDO_H

#include "chain/coin_codec.h"
#include "primitives/block.h"

/* Coins spent by a block's inputs, flat in block order without the coinbase. */
struct undo {
    struct coin *coins;
    size_t count;
    struct arena arena; /* owns coins and scripts of an undo that was read */
};

/* Serialises: for each transaction but the coinbase its count of inputs, then each coin (origin, dummy version where
 * height > 0, amount, script). INPUT_COUNTS come from BLOCK. */
void undo_write(struct buffer *out, const struct block *b, const struct coin *coins, size_t count);

/* Parses undo data for BLOCK; false where it is malformed or does not fit the block. Free with undo_clear. */
MUST_USE bool undo_read(struct undo *u, struct span data, const struct block *b);
void undo_clear(struct undo *u);

/* Checksum that follows undo data on disk: SHA256d(hash of the previous block || data). */
void undo_checksum(uint8_t out[32], const struct block_hash *prev, struct span data);

#endif
