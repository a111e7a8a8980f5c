/* How coins are packed: Core's variable-length integers, amount and script compression, in the coins store, in undo
 * data and in snapshots. */
#ifndef CAIRN_CHAIN_COIN_CODEC_H
#define CAIRN_CHAIN_COIN_CODEC_H

#include "base/buffer.h"
#include "base/reader.h"
#include "consensus/tx_check.h"

/* An unspent output. */
struct coin {
    amount_sat value;
    coin_origin origin;
    struct span script_pubkey;
};

/* Core's VARINT: base 128, most significant first, with one added per further byte. */
void buffer_put_varint(struct buffer *b, uint64_t v);
uint64_t read_varint(struct reader *r); /* fails the reader on overflow */

uint64_t amount_compress(uint64_t v);
uint64_t amount_decompress(uint64_t v);

/* Special forms for p2pkh, p2sh and p2pk; else varint(len + 6) and the bytes. */
void script_compress(struct buffer *out, struct span script);
/* Appends the script to OUT. An over-long script (above MAX_SCRIPT_SIZE) becomes OP_RETURN as in Core. */
void script_decompress(struct buffer *out, struct reader *r);

/* The value part of a coins record: varint(origin), amount, script. */
void coin_pack(struct buffer *out, const struct coin *coin);
/* Unpacks; the script is appended to SCRIPT_OUT and coin->script_pubkey set to it (good until SCRIPT_OUT changes).
 * False where the record is malformed. */
MUST_USE bool coin_unpack(struct coin *coin, struct buffer *script_out, struct span packed);

#endif
