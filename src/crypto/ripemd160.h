/* RIPEMD-160 and HASH160, and SHA-1 for the one opcode that needs it. */
#ifndef CAIRN_CRYPTO_RIPEMD160_H
#define CAIRN_CRYPTO_RIPEMD160_H

#include "base/span.h"

void ripemd160(uint8_t out[20], const void *data, size_t len);

/* RIPEMD160(SHA256(data)). */
void hash160(uint8_t out[20], const void *data, size_t len);

void sha1(uint8_t out[20], const void *data, size_t len);

#endif
