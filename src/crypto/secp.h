/* Elliptic-curve signatures: a thin layer over libsecp256k1 in Bitcoin's terms. */
#ifndef CAIRN_CRYPTO_SECP_H
#define CAIRN_CRYPTO_SECP_H

#include "base/compiler.h"
#include "base/span.h"

/* True where PUBKEY (33 or 65 bytes, hybrid 06/07 included) is a point on the curve. */
bool pubkey_is_valid(struct span pubkey);

/* The 65-byte form of a valid key; false where it is none. */
MUST_USE bool pubkey_uncompress(uint8_t out[65], struct span pubkey);

/* The compressed public key of SECRET; false where SECRET is 0 or not below the order. */
MUST_USE bool pubkey_of_secret(uint8_t out[33], const uint8_t secret[32]);

/* BIP32's steps: the key plus TWEAK*G, the secret plus TWEAK. False where TWEAK or the sum is no valid number. */
MUST_USE bool pubkey_tweak_add(uint8_t pubkey[33], const uint8_t tweak[32]);
MUST_USE bool secret_tweak_add(uint8_t secret[32], const uint8_t tweak[32]);

/* ECDSA with Bitcoin's historic rules: SIG is DER in the lax form (BIP66 is a script rule, not one of this function),
 * without the hash type; a high S is accepted. */
bool ecdsa_verify(struct span pubkey, struct span sig, const uint8_t hash[32]);

/* True where the S of a DER signature (lax) is at most half the order (BIP62 rule 5). */
bool ecdsa_is_low_s(struct span sig);

/* BIP66: True where SIG (without the hash type) is strict DER: two positive integers, no byte more than needed. Says
 * nothing about the range of R and S. */
bool ecdsa_is_strict_der(struct span sig);

/* BIP340 over a 32-byte message, and over one of any length. */
bool schnorr_verify(const uint8_t xonly[32], const uint8_t sig[64], const uint8_t hash[32]);
bool schnorr_verify_msg(const uint8_t xonly[32], const uint8_t sig[64], struct span message);

/* True where X is the x coordinate of a point. */
bool xonly_is_valid(const uint8_t xonly[32]);

/* BIP341: OUTPUT with PARITY (0 or 1) is INTERNAL + TWEAK*G. */
bool xonly_tweak_check(const uint8_t output[32], int parity, const uint8_t internal[32], const uint8_t tweak[32]);

/* BIP341: OUTPUT = INTERNAL + TWEAK*G and its parity; false where INTERNAL or TWEAK is invalid. */
MUST_USE bool xonly_tweak_add(uint8_t output[32], int *parity, const uint8_t internal[32], const uint8_t tweak[32]);

/* ---- making signatures; deterministic. All fail where SECRET is 0 or not below the order. ---- */

enum { ECDSA_DER_MAX = 72 };

/* ECDSA (RFC6979) in DER without a hash type, low S and low R: at most 70 bytes. The first nonce whose R is low is
 * taken, counting from none in the extra entropy, as Bitcoin Core does. The length; 0 where it fails. */
MUST_USE size_t ecdsa_sign(uint8_t out[ECDSA_DER_MAX], const uint8_t secret[32], const uint8_t hash[32]);

/* A signature from which the key can be recovered: 27 plus which of four keys, plus 4 for a compressed one; R; S. */
MUST_USE bool ecdsa_sign_compact(uint8_t out[65], const uint8_t secret[32], bool compressed, const uint8_t hash[32]);

/* The public key (33 or 65 bytes) that made such a signature; its length, 0 where there is none. */
MUST_USE size_t ecdsa_recover_compact(uint8_t pubkey[65], struct span sig, const uint8_t hash[32]);

/* BIP340 with the auxiliary randomness AUX (may be NULL: none). TWEAK (may be NULL) is added to the key as BIP341 does.
 */
MUST_USE bool schnorr_sign(uint8_t sig[64], const uint8_t secret[32], const uint8_t *tweak, const uint8_t hash[32],
                           const uint8_t *aux);

#endif
