/* Base58 and Base58Check. */
#ifndef CAIRN_PRIMITIVES_BASE58_H
#define CAIRN_PRIMITIVES_BASE58_H

#include "base/buffer.h"
#include "base/compiler.h"

void base58_encode(struct buffer *out, struct span data);
/* Appends the bytes to OUT; false where TEXT is not base58 (white space around it is allowed, as in Core) or longer
 * than MAX_LEN bytes. */
MUST_USE bool base58_decode(struct buffer *out, const char *text, size_t max_len);

/* With the 4-byte SHA256d checksum. */
void base58check_encode(struct buffer *out, struct span data);
MUST_USE bool base58check_decode(struct buffer *out, const char *text, size_t max_len);

#endif
