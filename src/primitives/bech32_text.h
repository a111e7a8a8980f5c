/* The parts of a Bech32 string and its checksum: shared by decoding and error location, no interface of the room. */
#ifndef CAIRN_PRIMITIVES_BECH32_TEXT_H
#define CAIRN_PRIMITIVES_BECH32_TEXT_H

#include "primitives/bech32.h"

enum { BECH32_CHECKSUM = 6 };

/* The value of a character, or -1. */
int bech32_value(char c);

/* Writes the positions of the LEN (at most BECH32_MAX) characters that are not printable, or not in the case of the
 * letters before them; returns how many. */
size_t bech32_bad_characters(const char *text, size_t len, int positions[BECH32_MAX]);

/* Lower case of an ASCII letter. */
char bech32_lower(char c);

/* The remainder of hrp and values (checksum included) modulo the generator polynomial: six coefficients of 5 bits. */
uint32_t bech32_remainder(const char *hrp, struct span values);

/* What the remainder of a valid string is. */
uint32_t bech32_constant(enum bech32_encoding encoding);

#endif
