/* HMAC-SHA512 over OpenSSL's low-level SHA-512. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/hmac_sha512.h"

#include <openssl/sha.h>
#include <string.h>

enum { SHA512_BLOCK = 128 };

/* SHA-512 of (PAD xor key) and DATA. */
static void keyed(uint8_t out[64], const uint8_t key[SHA512_BLOCK], uint8_t pad, struct span data)
{
    uint8_t block[SHA512_BLOCK];
    SHA512_CTX h;
    for (size_t i = 0; i < sizeof block; i++) block[i] = key[i] ^ pad;
    SHA512_Init(&h);
    SHA512_Update(&h, block, sizeof block);
    if (data.len) SHA512_Update(&h, data.data, data.len);
    SHA512_Final(out, &h);
}

void hmac_sha512(uint8_t out[64], struct span key, struct span data)
{
    uint8_t block[SHA512_BLOCK] = {0}, inner[64];
    if (key.len > sizeof block)
        SHA512(key.data, key.len, block);
    else if (key.len)
        memcpy(block, key.data, key.len);
    keyed(inner, block, 0x36, data);
    keyed(out, block, 0x5c, span_of(inner, sizeof inner));
}
