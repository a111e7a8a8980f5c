/* Keys and signatures: the vectors of BIP340, BIP341 and Wycheproof. */
#include "counting.h"

#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "support/data.h"

static const char generator[] = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
static const char generator_y[] = "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";

/* One line of a CSV file without quotes, cut in place. */
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

static bool check_bip340_line(char *line)
{
    char *f[8];
    cr_assert_eq(split(line, f, 8), 8u);
    uint8_t key[32], sig[64];
    bytes_to(key, 32, f[2]);
    bytes_to(sig, 64, f[5]);
    struct buffer message = bytes_of(f[4]);
    bool expected = !strcmp(f[6], "TRUE");
    cr_assert(expected || !strcmp(f[6], "FALSE"));
    cr_assert_eq(schnorr_verify_msg(key, sig, buffer_span(&message)), expected, "vector %s: %s", f[0], f[7]);
    if (message.len == 32) cr_assert_eq(schnorr_verify(key, sig, message.data), expected, "vector %s", f[0]);
    if (expected) {
        cr_assert(xonly_is_valid(key));
        for (int i = 0; i < 64; i += 7) { /* any bit counts */
            sig[i] ^= 1;
            cr_assert_not(schnorr_verify_msg(key, sig, buffer_span(&message)), "vector %s byte %d", f[0], i);
            sig[i] ^= 1;
        }
    }
    buffer_clear(&message);
    return expected;
}

Test(secp, bip340_vectors)
{
    if (!data_present(CAIRN_TEST_DATA, "BIP340 vectors")) return;
    struct buffer csv = data_read(CAIRN_TEST_DATA, "vectors/bips/bip-0340/test-vectors.csv");
    buffer_text(&csv);
    size_t count = 0, valid = 0;
    char *at = NULL;
    char *line = strtok_r((char *)csv.data, "\n", &at); /* the names of the columns */
    while ((line = strtok_r(NULL, "\n", &at))) {
        valid += check_bip340_line(line);
        count++;
    }
    cr_assert(count >= 19 && valid >= 9);
    fprintf(stderr, "bip340: %zu cases, %zu of them valid\n", count, valid);
    buffer_clear(&csv);
}

/* What script asks of a signature since BIP66 and under the low-S policy. */
static bool accepted(struct span key, struct span sig, const uint8_t hash[32])
{
    return ecdsa_is_strict_der(sig) && ecdsa_is_low_s(sig) && ecdsa_verify(key, sig, hash);
}

/* Wycheproof's cases that are refused only for their encoding or their high S: the lax function must take the first
 * sort where the flag says that the numbers are right. */
static bool check_wycheproof_case(struct span key, const json_t *test)
{
    struct buffer message = bytes_of(json_string_value(json_object_get(test, "msg")));
    struct buffer sig = bytes_of(json_string_value(json_object_get(test, "sig")));
    const char *result = json_string_value(json_object_get(test, "result"));
    int id = (int)json_integer_value(json_object_get(test, "tcId"));
    bool expected = !strcmp(result, "valid");
    cr_assert(expected || !strcmp(result, "invalid"));
    uint8_t hash[32];
    sha256_once(hash, message.data, message.len);
    cr_assert_eq(accepted(key, buffer_span(&sig), hash), expected, "Wycheproof case %d: %s", id,
                 json_string_value(json_object_get(test, "comment")));
    bool lax_only = !expected && ecdsa_verify(key, buffer_span(&sig), hash);
    if (lax_only) cr_assert(!ecdsa_is_strict_der(buffer_span(&sig)) || !ecdsa_is_low_s(buffer_span(&sig)));
    buffer_clear(&message);
    buffer_clear(&sig);
    return lax_only;
}

Test(secp, wycheproof_ecdsa)
{
    if (!data_present(CAIRN_TEST_DATA, "Wycheproof ECDSA")) return;
    json_t *file = data_json(CAIRN_TEST_DATA, "vectors/secp256k1/ecdsa_secp256k1_sha256_bitcoin_test.json");
    size_t i, j, count = 0, lax = 0;
    json_t *group, *test;
    json_array_foreach(json_object_get(file, "testGroups"), i, group)
    {
        const json_t *key_json = json_object_get(json_object_get(group, "publicKey"), "uncompressed");
        struct buffer key = bytes_of(json_string_value(key_json));
        cr_assert(pubkey_is_valid(buffer_span(&key)));
        json_array_foreach(json_object_get(group, "tests"), j, test)
        {
            lax += check_wycheproof_case(buffer_span(&key), test);
            count++;
        }
        buffer_clear(&key);
    }
    cr_assert_eq((json_int_t)count, json_integer_value(json_object_get(file, "numberOfTests")));
    cr_assert(lax > 0);
    fprintf(stderr, "wycheproof ecdsa: %zu cases, %zu invalid ones that only strict DER or low S refuses\n", count,
            lax);
    json_decref(file);
}

static void taptweak(uint8_t out[32], const uint8_t internal[32], const char *merkle_root)
{
    struct sha256 h;
    tagged_hash_init(&h, "TapTweak");
    sha256_put(&h, internal, 32);
    if (merkle_root) {
        uint8_t root[32];
        bytes_to(root, 32, merkle_root);
        sha256_put(&h, root, 32);
    }
    sha256_final(&h, out);
}

static void check_bip341_row(const json_t *row)
{
    const json_t *given = json_object_get(row, "given"), *between = json_object_get(row, "intermediary");
    uint8_t internal[32], tweak[32], output[32];
    int parity = -1;
    bytes_to(internal, 32, json_string_value(json_object_get(given, "internalPubkey")));
    taptweak(tweak, internal, json_string_value(json_object_get(between, "merkleRoot")));
    assert_bytes(tweak, 32, json_string_value(json_object_get(between, "tweak")), "tweak");
    cr_assert(xonly_tweak_add(output, &parity, internal, tweak));
    assert_bytes(output, 32, json_string_value(json_object_get(between, "tweakedPubkey")), "tweaked key");
    cr_assert(xonly_tweak_check(output, parity, internal, tweak));
    cr_assert_not(xonly_tweak_check(output, !parity, internal, tweak));
    const json_t *blocks = json_object_get(json_object_get(row, "expected"), "scriptPathControlBlocks");
    if (blocks) {
        struct buffer control = bytes_of(json_string_value(json_array_get(blocks, 0)));
        cr_assert_eq(control.data[0] & 1, parity);
        buffer_clear(&control);
    }
    output[31] ^= 1;
    cr_assert_not(xonly_tweak_check(output, parity, internal, tweak));
    output[31] ^= 1;
    tweak[0] ^= 1;
    cr_assert_not(xonly_tweak_check(output, parity, internal, tweak));
}

Test(secp, bip341_tweaks)
{
    if (!data_present(CAIRN_TEST_DATA, "BIP341 vectors")) return;
    json_t *file = data_json(CAIRN_TEST_DATA, "vectors/bips/bip-0341/wallet-test-vectors.json");
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(file, "scriptPubKey"), i, row) check_bip341_row(row);
    cr_assert(i >= 7);
    print_count("bip341 tweaks", i);
    json_decref(file);
}

/* The order of the group is no tweak; zero is one; minus one times G added to G is no point. */
Test(secp, tweaks_at_the_edges)
{
    uint8_t g[32], output[32], order[32], minus_one[32], zero[32] = {0}, nothing[32];
    int parity = -1;
    bytes_to(g, 32, generator);
    bytes_to(order, 32, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    memcpy(minus_one, order, 32);
    minus_one[31]--;
    memset(nothing, 0xff, 32);
    cr_assert_not(xonly_tweak_add(output, &parity, g, order));
    cr_assert_not(xonly_tweak_add(output, &parity, g, minus_one));
    cr_assert_not(xonly_tweak_add(output, &parity, nothing, zero));
    cr_assert_not(xonly_tweak_check(g, 0, nothing, zero));
    cr_assert_not(xonly_tweak_check(g, 0, g, order));
    cr_assert(xonly_tweak_add(output, &parity, g, zero));
    cr_assert_arr_eq(output, g, 32);
    cr_assert_eq(parity, 0);
    cr_assert(xonly_tweak_check(g, 0, g, zero));
    cr_assert_not(xonly_tweak_check(g, 1, g, zero));
}

struct key_case {
    const char *prefix;
    bool with_y;
    bool valid;
};

Test(secp, public_keys)
{
    /* The y of the generator is even. */
    static const struct key_case rows[] = {
        {"02", false, true},  {"03", false, true},  {"04", true, true},   {"06", true, true},  {"07", true, false},
        {"00", false, false}, {"01", false, false}, {"04", false, false}, {"02", true, false}, {"05", true, false},
        {"06", false, false}, {"08", true, false},  {"ff", true, false},
    };
    uint8_t full[65];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[131];
        snprintf(text, sizeof(text), "%s%s%s", rows[i].prefix, generator, rows[i].with_y ? generator_y : "");
        struct buffer key = bytes_of(text);
        cr_assert_eq(pubkey_is_valid(buffer_span(&key)), rows[i].valid, "%s", text);
        cr_assert_eq(pubkey_uncompress(full, buffer_span(&key)), rows[i].valid, "%s", text);
        if (rows[i].valid && strcmp(rows[i].prefix, "03")) {
            snprintf(text, sizeof(text), "04%s%s", generator, generator_y);
            assert_bytes(full, 65, text, "uncompressed");
        }
        for (size_t len = 0; len < key.len; len++) {
            if (len != 33 || rows[i].valid || rows[i].with_y)
                cr_assert(len == 33 || !pubkey_is_valid(span_of(key.data, len)), "%s cut to %zu", text, len);
        }
        buffer_clear(&key);
    }
    cr_assert_not(pubkey_is_valid(span_of(NULL, 0)));
    print_count("public keys", ARRAY_LEN(rows));
}

Test(secp, keys_that_are_no_points)
{
    /* x = 5 is on no point, and neither is anything from the field's size up. */
    static const char *const xs[] = {
        "0000000000000000000000000000000000000000000000000000000000000005",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30", /* x = 1 would be one */
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    for (size_t i = 0; i < ARRAY_LEN(xs); i++) {
        uint8_t key[65] = {0};
        bytes_to(key + 1, 32, xs[i]);
        cr_assert_not(xonly_is_valid(key + 1), "%s", xs[i]);
        for (uint8_t prefix = 2; prefix <= 3; prefix++) {
            key[0] = prefix;
            cr_assert_not(pubkey_is_valid(span_of(key, 33)), "%02x%s", prefix, xs[i]);
        }
        key[0] = 4;
        cr_assert_not(pubkey_is_valid(span_of(key, 65)), "04%s", xs[i]);
    }
    uint8_t one[32] = {[31] = 1}, g[32];
    cr_assert(xonly_is_valid(one));
    bytes_to(g, 32, generator);
    cr_assert(xonly_is_valid(g));
    print_count("x that are on no point", ARRAY_LEN(xs));
}
