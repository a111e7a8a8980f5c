/* Making signatures by libsecp256k1. What the library keeps beside its tables is made anew for each call, and blinded
 * by a value that only who knows the secret can tell. */
#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_recovery.h>
#include <secp256k1_schnorrsig.h>
#include <string.h>

#include "base/check.h"
#include "base/endian.h"
#include "crypto/secp.h"
#include "crypto/sha256.h"

static secp256k1_context *signing_context(const uint8_t secret[32], const uint8_t hash[32])
{
    struct sha256 h;
    uint8_t seed[32];
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    CHECK(context);
    tagged_hash_init(&h, "cairn/blinding");
    sha256_put(&h, secret, 32);
    sha256_put(&h, hash, 32);
    sha256_final(&h, seed);
    CHECK(secp256k1_context_randomize(context, seed));
    explicit_bzero(seed, sizeof(seed));
    explicit_bzero(&h, sizeof(h));
    return context;
}

static bool has_low_r(const secp256k1_ecdsa_signature *sig)
{
    uint8_t compact[64];
    secp256k1_ecdsa_signature_serialize_compact(secp256k1_context_static, compact, sig);
    return compact[0] < 0x80;
}

size_t ecdsa_sign(uint8_t out[ECDSA_DER_MAX], const uint8_t secret[32], const uint8_t hash[32])
{
    secp256k1_context *context = signing_context(secret, hash);
    secp256k1_ecdsa_signature sig;
    uint8_t extra[32] = {0};
    uint32_t counter = 0;
    size_t len = ECDSA_DER_MAX;
    bool good = secp256k1_ecdsa_sign(context, &sig, hash, secret, secp256k1_nonce_function_rfc6979, NULL) == 1;
    while (good && !has_low_r(&sig)) {
        put_le32(extra, ++counter);
        good = secp256k1_ecdsa_sign(context, &sig, hash, secret, secp256k1_nonce_function_rfc6979, extra) == 1;
    }
    secp256k1_context_destroy(context);
    if (!good) return 0;
    CHECK(secp256k1_ecdsa_signature_serialize_der(secp256k1_context_static, out, &len, &sig) == 1);
    return len;
}

bool ecdsa_sign_compact(uint8_t out[65], const uint8_t secret[32], bool compressed, const uint8_t hash[32])
{
    secp256k1_context *context = signing_context(secret, hash);
    secp256k1_ecdsa_recoverable_signature sig;
    int id = 0;
    bool good =
        secp256k1_ecdsa_sign_recoverable(context, &sig, hash, secret, secp256k1_nonce_function_rfc6979, NULL) == 1;
    secp256k1_context_destroy(context);
    if (!good) return false;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(secp256k1_context_static, out + 1, &id, &sig);
    out[0] = (uint8_t)(27 + id + (compressed ? 4 : 0));
    return true;
}

size_t ecdsa_recover_compact(uint8_t pubkey[65], struct span sig, const uint8_t hash[32])
{
    secp256k1_ecdsa_recoverable_signature parsed;
    secp256k1_pubkey key;
    size_t len = 65;
    if (sig.len != 65) return 0;
    unsigned head = sig.data[0] - 27u;
    if (!secp256k1_ecdsa_recoverable_signature_parse_compact(secp256k1_context_static, &parsed, sig.data + 1,
                                                             (int)(head & 3)))
        return 0;
    if (!secp256k1_ecdsa_recover(secp256k1_context_static, &key, &parsed, hash)) return 0;
    secp256k1_ec_pubkey_serialize(secp256k1_context_static, pubkey, &len, &key,
                                  head & 4 ? SECP256K1_EC_COMPRESSED : SECP256K1_EC_UNCOMPRESSED);
    return len;
}

bool schnorr_sign(uint8_t sig[64], const uint8_t secret[32], const uint8_t *tweak, const uint8_t hash[32],
                  const uint8_t *aux)
{
    secp256k1_context *context = signing_context(secret, hash);
    secp256k1_keypair pair;
    bool good = secp256k1_keypair_create(context, &pair, secret) == 1;
    if (good && tweak) good = secp256k1_keypair_xonly_tweak_add(context, &pair, tweak) == 1;
    if (good) good = secp256k1_schnorrsig_sign32(context, sig, hash, &pair, aux) == 1;
    explicit_bzero(&pair, sizeof(pair));
    secp256k1_context_destroy(context);
    return good;
}
