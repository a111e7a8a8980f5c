/* Bech32 (BIP173) and Bech32m (BIP350). */
#ifndef CAIRN_PRIMITIVES_BECH32_H
#define CAIRN_PRIMITIVES_BECH32_H

#include "base/buffer.h"
#include "base/compiler.h"

enum bech32_encoding { BECH32_INVALID, BECH32, BECH32M };

enum { BECH32_MAX = 90 };

struct bech32 {
    enum bech32_encoding encoding;
    char hrp[BECH32_MAX];
    uint8_t data[BECH32_MAX]; /* 5-bit values without the checksum */
    size_t data_len;
};

/* Appends hrp, separator, data (5-bit values) and checksum. */
void bech32_encode(struct buffer *out, enum bech32_encoding encoding, const char *hrp, struct span data);

/* encoding is BECH32_INVALID where TEXT is not valid. */
void bech32_decode(struct bech32 *out, const char *text);

/* Where the errors in TEXT are, and Core's sentence for them (BIP173 error location; used by validateaddress).
 * Fills at most BECH32_MAX positions; returns how many. *MESSAGE is a constant string. */
size_t bech32_locate_errors(const char *text, int positions[BECH32_MAX], const char **message);

/* Regroups bits (5 <-> 8); false where padding is wrong. */
MUST_USE bool bech32_convert_bits(struct buffer *out, int to_bits, struct span in, int from_bits, bool pad);

#endif
