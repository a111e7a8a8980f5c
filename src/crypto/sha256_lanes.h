/* Inside the room: the ways to make many double hashes of 64 bytes. sha256d_64_many chooses; tests try each. */
#ifndef CAIRN_CRYPTO_SHA256_LANES_H
#define CAIRN_CRYPTO_SHA256_LANES_H

#include <stdint.h>

/* One block of 64 bytes, by OpenSSL's compression function. OUT may overlap IN. */
void sha256d_64_one(uint8_t out[32], const uint8_t in[64]);

/* Eight blocks (512 bytes) to eight hashes (256 bytes). OUT may be IN. Only where cpu_has_avx2(); elsewhere than on
 * x86-64 it is eight times sha256d_64_one. */
void sha256d_64_x8_avx2(uint8_t *out, const uint8_t *in);

#endif
