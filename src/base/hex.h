/* Hexadecimal text. */
#ifndef CAIRN_BASE_HEX_H
#define CAIRN_BASE_HEX_H

#include "base/buffer.h"
#include "base/compiler.h"

/* Writes 2*len digits and a NUL to OUT. */
void hex_encode(char *out, const uint8_t *data, size_t len);

/* The same with the bytes in reverse order (how hashes are displayed). */
void hex_encode_reversed(char *out, const uint8_t *data, size_t len);

/* Appends the digits of S to OUT. */
void hex_append(struct buffer *out, struct span s);

/* True where TEXT (LEN characters) is an even number of hex digits of either case, and nothing else. */
bool hex_is(const char *text, size_t len);

/* Decodes exactly LEN bytes from exactly 2*LEN digits; false (OUT unspecified) where TEXT is anything else. */
MUST_USE bool hex_decode(uint8_t *out, size_t len, const char *text);
MUST_USE bool hex_decode_reversed(uint8_t *out, size_t len, const char *text);

/* Decodes the LEN characters of TEXT and appends the bytes to OUT; false where TEXT is not hex (OUT unchanged). */
MUST_USE bool hex_decode_append(struct buffer *out, const char *text, size_t len);

/* Value of one digit, or -1. */
int hex_digit(char c);

#endif
