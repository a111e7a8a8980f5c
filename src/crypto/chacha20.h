/* ChaCha20 key stream (RFC 8439 block function), used by MuHash; the AEAD of BIP324 joins it later. */
#ifndef CAIRN_CRYPTO_CHACHA20_H
#define CAIRN_CRYPTO_CHACHA20_H

#include "base/span.h"

/* LEN bytes of key stream for KEY with nonce zero from block 0. */
void chacha20_keystream(const uint8_t key[32], uint8_t *out, size_t len);

#endif
