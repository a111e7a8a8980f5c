/* Making signatures: BIP340's vectors, deterministic ones that others published, low R, keys recovered from signatures.
 */
#include "counting.h"

#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "support/data.h"

static size_t split(char *line, char *fields[], size_t max)
{
    size_t count = 0;
    line[strcspn(line, "\r\n")] = 0;
    while (count < max) {
        fields[count++] = line;
        line = strchr(line, ',');
        if (!line) break;
        *line++ = 0;
    }
    return count;
}

/* 1 where the line has a secret key and a message of 32 bytes. */
static size_t check_bip340_line(char *line)
{
    char *f[8];
    uint8_t secret[32], aux[32], hash[32], sig[64];
    cr_assert_eq(split(line, f, 8), 8u);
    if (!*f[1] || strlen(f[4]) != 64) return 0;
    bytes_to(secret, 32, f[1]);
    bytes_to(aux, 32, f[3]);
    bytes_to(hash, 32, f[4]);
    cr_assert(schnorr_sign(sig, secret, NULL, hash, aux));
    for (char *c = f[5]; *c; c++) *c |= *c >= 'A' ? 0x20 : 0;
    assert_bytes(sig, 64, f[5], f[0]);
    return 1;
}

Test(sign, bip340_vectors)
{
    if (!data_present(CAIRN_TEST_DATA, "BIP340 vectors")) return;
    struct buffer csv = data_read(CAIRN_TEST_DATA, "vectors/bips/bip-0340/test-vectors.csv");
    buffer_text(&csv);
    char *at = NULL, *line = strtok_r((char *)csv.data, "\n", &at);
    size_t count = 0;
    while ((line = strtok_r(NULL, "\n", &at))) count += check_bip340_line(line);
    print_count("BIP340 signatures made", count);
    cr_assert_eq(count, 4u);
    buffer_clear(&csv);
}

/* Signatures that Bitcoin Core makes with this key (its R is low at once). */
Test(sign, published)
{
    static const char message[] = "Very deterministic message";
    uint8_t secret[32], hash[32], sig[ECDSA_DER_MAX], compact[65];
    bytes_to(secret, 32, "12b004fff7f4b69ef8650e767f18f11ede158148b425660723b9f9a66e61f747");
    sha256d(hash, message, strlen(message));
    size_t len = ecdsa_sign(sig, secret, hash);
    assert_bytes(
        sig, len,
        "304402205dbbddda71772d95ce91cd2d14b592cfbc1dd0aabd6a394b6c2d377bbe59d31d022014ddda21494a4e221f0824f0b8b9"
        "24c43fa43c0ad57dccdaa11f81a6bd4582f6",
        "DER");
    cr_assert(ecdsa_sign_compact(compact, secret, false, hash));
    assert_bytes(
        compact, 65,
        "1c5dbbddda71772d95ce91cd2d14b592cfbc1dd0aabd6a394b6c2d377bbe59d31d14ddda21494a4e221f0824f0b8b924c43fa43c"
        "0ad57dccdaa11f81a6bd4582f6",
        "compact");
    cr_assert(ecdsa_sign_compact(compact, secret, true, hash));
    cr_expect_eq(compact[0], 0x20);
}

Test(sign, low_and_recoverable)
{
    uint8_t secret[32] = {1}, hash[32] = {0}, sig[ECDSA_DER_MAX], key[33], full[65], compact[65], got[65];
    for (int i = 0; i < 100; i++) {
        sha256_once(hash, hash, 32);
        sha256_once(secret, secret, 32);
        cr_assert(pubkey_of_secret(key, secret) && pubkey_uncompress(full, span_of(key, 33)));
        size_t len = ecdsa_sign(sig, secret, hash);
        struct span der = span_of(sig, len);
        cr_expect(len && len <= 70);
        cr_expect(ecdsa_is_strict_der(der) && ecdsa_is_low_s(der) && ecdsa_verify(span_of(key, 33), der, hash));
        for (int compressed = 0; compressed < 2; compressed++) {
            cr_assert(ecdsa_sign_compact(compact, secret, compressed, hash));
            len = ecdsa_recover_compact(got, span_of(compact, 65), hash);
            cr_expect(span_equal(span_of(got, len), compressed ? span_of(key, 33) : span_of(full, 65)));
            compact[40] ^= 1;
            len = ecdsa_recover_compact(got, span_of(compact, 65), hash);
            cr_expect_not(span_equal(span_of(got, len), compressed ? span_of(key, 33) : span_of(full, 65)));
        }
    }
}

Test(sign, refused)
{
    uint8_t zero[32] = {0}, sig[ECDSA_DER_MAX], compact[65] = {27}, key[65];
    cr_expect_eq(ecdsa_sign(sig, zero, zero), 0u);
    cr_expect_not(ecdsa_sign_compact(compact, zero, true, zero));
    cr_expect_not(schnorr_sign(compact, zero, NULL, zero, NULL));
    cr_expect_eq(ecdsa_recover_compact(key, span_of(compact, 64), zero), 0u);
    compact[0] = 27;
    memset(compact + 1, 0, 64);
    cr_expect_eq(ecdsa_recover_compact(key, span_of(compact, 65), zero), 0u);
    memset(compact + 1, 0xff, 64);
    cr_expect_eq(ecdsa_recover_compact(key, span_of(compact, 65), zero), 0u);
}
