/* RIPEMD-160, HASH160 and SHA-1 by OpenSSL's low-level functions: EVP has RIPEMD-160 only in the legacy provider, which
 * a machine need not have. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/ripemd160.h"

#include <openssl/ripemd.h>
#include <openssl/sha.h>

#include "crypto/sha256.h"

void ripemd160(uint8_t out[20], const void *data, size_t len)
{
    RIPEMD160_CTX c;
    RIPEMD160_Init(&c);
    if (len) RIPEMD160_Update(&c, data, len);
    RIPEMD160_Final(out, &c);
}

void hash160(uint8_t out[20], const void *data, size_t len)
{
    uint8_t inner[32];
    sha256_once(inner, data, len);
    ripemd160(out, inner, sizeof(inner));
}

void sha1(uint8_t out[20], const void *data, size_t len)
{
    SHA_CTX c;
    SHA1_Init(&c);
    if (len) SHA1_Update(&c, data, len);
    SHA1_Final(out, &c);
}
