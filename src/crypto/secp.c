/* Signatures by libsecp256k1. Verification needs no context of its own: the library's static one does. */
#include "crypto/secp.h"

#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

#include "base/reader.h"

static bool key_read(secp256k1_pubkey *key, struct span bytes)
{
    if (bytes.len != 33 && bytes.len != 65) return false;
    return secp256k1_ec_pubkey_parse(secp256k1_context_static, key, bytes.data, bytes.len) == 1;
}

bool pubkey_is_valid(struct span pubkey)
{
    secp256k1_pubkey key;
    return key_read(&key, pubkey);
}

bool pubkey_uncompress(uint8_t out[65], struct span pubkey)
{
    secp256k1_pubkey key;
    if (!key_read(&key, pubkey)) return false;
    size_t len = 65;
    secp256k1_ec_pubkey_serialize(secp256k1_context_static, out, &len, &key, SECP256K1_EC_UNCOMPRESSED);
    return true;
}

static void key_write(uint8_t out[33], const secp256k1_pubkey *key)
{
    size_t len = 33;
    secp256k1_ec_pubkey_serialize(secp256k1_context_static, out, &len, key, SECP256K1_EC_COMPRESSED);
}

bool pubkey_of_secret(uint8_t out[33], const uint8_t secret[32])
{
    secp256k1_pubkey key;
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    bool good = secp256k1_ec_pubkey_create(context, &key, secret) == 1;
    secp256k1_context_destroy(context);
    if (good) key_write(out, &key);
    return good;
}

bool pubkey_tweak_add(uint8_t pubkey[33], const uint8_t tweak[32])
{
    secp256k1_pubkey key;
    if (!key_read(&key, span_of(pubkey, 33))) return false;
    if (secp256k1_ec_pubkey_tweak_add(secp256k1_context_static, &key, tweak) != 1) return false;
    key_write(pubkey, &key);
    return true;
}

bool secret_tweak_add(uint8_t secret[32], const uint8_t tweak[32])
{
    return secp256k1_ec_seckey_tweak_add(secp256k1_context_static, secret, tweak) == 1;
}

/* A BER length, not necessarily the shortest form; what does not fit in three bytes fails the reader. */
static size_t lax_length(struct reader *r)
{
    uint8_t first = read_u8(r);
    if (!(first & 0x80)) return first;
    struct span bytes = read_span(r, first & 0x7f);
    while (bytes.len && bytes.data[0] == 0) bytes = span_of(bytes.data + 1, bytes.len - 1);
    if (bytes.len > 3) {
        reader_fail(r);
        return 0;
    }
    size_t len = 0;
    for (size_t i = 0; i < bytes.len; i++) len = len << 8 | bytes.data[i];
    return len;
}

/* An integer read as unsigned, without its leading zeroes. */
static struct span lax_integer(struct reader *r)
{
    if (read_u8(r) != 0x02) reader_fail(r);
    struct span bytes = read_span(r, lax_length(r));
    while (bytes.len && bytes.data[0] == 0) bytes = span_of(bytes.data + 1, bytes.len - 1);
    return bytes;
}

/* Reads a signature the way the chain before BIP66 needs: the length of the sequence is not looked at, lengths may be
 * longer than need be, integers may be negative (taken as positive) or padded, and anything may follow. False where
 * even that fails; R or S out of range gives zeroes, a signature that no key accepts. */
static bool lax_der_read(secp256k1_ecdsa_signature *sig, struct span der)
{
    struct reader r = reader_of(der);
    if (read_u8(&r) != 0x30) return false;
    uint8_t first = read_u8(&r);
    if (first & 0x80) read_span(&r, first & 0x7f);
    struct span rs[2];
    rs[0] = lax_integer(&r);
    rs[1] = lax_integer(&r);
    if (r.failed) return false;
    uint8_t compact[64] = {0};
    bool fits = true;
    for (int i = 0; i < 2; i++) {
        if (rs[i].len > 32)
            fits = false;
        else if (rs[i].len)
            memcpy(compact + 32 * i + 32 - rs[i].len, rs[i].data, rs[i].len);
    }
    if (fits && secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static, sig, compact)) return true;
    memset(compact, 0, sizeof(compact));
    return secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static, sig, compact) == 1;
}

bool ecdsa_verify(struct span pubkey, struct span sig, const uint8_t hash[32])
{
    secp256k1_pubkey key;
    secp256k1_ecdsa_signature parsed;
    if (!key_read(&key, pubkey) || !lax_der_read(&parsed, sig)) return false;
    secp256k1_ecdsa_signature_normalize(secp256k1_context_static, &parsed, &parsed);
    return secp256k1_ecdsa_verify(secp256k1_context_static, &parsed, hash, &key) == 1;
}

bool ecdsa_is_low_s(struct span sig)
{
    secp256k1_ecdsa_signature parsed;
    if (!lax_der_read(&parsed, sig)) return false;
    return secp256k1_ecdsa_signature_normalize(secp256k1_context_static, NULL, &parsed) == 0;
}

static bool strict_integer(struct reader *r)
{
    if (read_u8(r) != 0x02) return false;
    struct span bytes = read_span(r, read_u8(r));
    if (bytes.len == 0 || bytes.data[0] & 0x80) return false;
    return bytes.len == 1 || bytes.data[0] != 0 || bytes.data[1] & 0x80;
}

bool ecdsa_is_strict_der(struct span sig)
{
    if (sig.len < 8 || sig.len > 72) return false;
    struct reader r = reader_of(sig);
    if (read_u8(&r) != 0x30 || read_u8(&r) != sig.len - 2) return false;
    return strict_integer(&r) && strict_integer(&r) && !r.failed && reader_left(&r) == 0;
}

bool schnorr_verify_msg(const uint8_t xonly[32], const uint8_t sig[64], struct span message)
{
    secp256k1_xonly_pubkey key;
    if (!secp256k1_xonly_pubkey_parse(secp256k1_context_static, &key, xonly)) return false;
    return secp256k1_schnorrsig_verify(secp256k1_context_static, sig, message.data, message.len, &key) == 1;
}

bool schnorr_verify(const uint8_t xonly[32], const uint8_t sig[64], const uint8_t hash[32])
{
    return schnorr_verify_msg(xonly, sig, span_of(hash, 32));
}

bool xonly_is_valid(const uint8_t xonly[32])
{
    secp256k1_xonly_pubkey key;
    return secp256k1_xonly_pubkey_parse(secp256k1_context_static, &key, xonly) == 1;
}

bool xonly_tweak_check(const uint8_t output[32], int parity, const uint8_t internal[32], const uint8_t tweak[32])
{
    secp256k1_xonly_pubkey key;
    if (!secp256k1_xonly_pubkey_parse(secp256k1_context_static, &key, internal)) return false;
    return secp256k1_xonly_pubkey_tweak_add_check(secp256k1_context_static, output, parity, &key, tweak) == 1;
}

bool xonly_tweak_add(uint8_t output[32], int *parity, const uint8_t internal[32], const uint8_t tweak[32])
{
    secp256k1_xonly_pubkey key;
    secp256k1_pubkey sum;
    if (!secp256k1_xonly_pubkey_parse(secp256k1_context_static, &key, internal)) return false;
    if (!secp256k1_xonly_pubkey_tweak_add(secp256k1_context_static, &sum, &key, tweak)) return false;
    if (!secp256k1_xonly_pubkey_from_pubkey(secp256k1_context_static, &key, parity, &sum)) return false;
    return secp256k1_xonly_pubkey_serialize(secp256k1_context_static, output, &key) == 1;
}
