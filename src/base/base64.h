/* Base64 (RFC 4648) with its padding. */
#ifndef CAIRN_BASE_BASE64_H
#define CAIRN_BASE_BASE64_H

#include "base/buffer.h"
#include "base/compiler.h"

/* Appends the text of IN. */
void base64_append(struct buffer *out, struct span in);

/* Appends the bytes of TEXT; false (what was appended is unspecified) where a character, the padding or the bits left
 * over are wrong. */
MUST_USE bool base64_decode_append(struct buffer *out, struct span text);

#endif
