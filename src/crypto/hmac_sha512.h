/* HMAC-SHA512 (RFC 2104, RFC 4231), as BIP32 derives keys with it. */
#ifndef CAIRN_CRYPTO_HMAC_SHA512_H
#define CAIRN_CRYPTO_HMAC_SHA512_H

#include "base/span.h"

void hmac_sha512(uint8_t out[64], struct span key, struct span data);

#endif
