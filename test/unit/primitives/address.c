/* Addresses and WIF keys: vectors, and the exact message for each way to be wrong. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "base/hex.h"
#include "networks.h"
#include "primitives/base58.h"
#include "primitives/bech32.h"
#include "support/data.h"

static void check_key(const char *text, const char *hex, json_t *about, const struct address_prefixes *p)
{
    uint8_t key[32], expected[32];
    bool compressed;
    struct destination dest;
    struct buffer again = {0};
    cr_assert(hex_decode(expected, 32, hex));
    cr_assert(wif_decode(key, &compressed, text, p), "%s", text);
    cr_assert_arr_eq(key, expected, 32);
    cr_assert_eq(compressed, json_is_true(json_object_get(about, "isCompressed")));
    wif_encode(&again, key, compressed, p);
    cr_assert_str_eq(buffer_text(&again), text);
    cr_assert(!address_decode(&dest, text, p, NULL), "%s is a key, no address", text);
    buffer_clear(&again);
}

static bool script_is(const struct destination *dest, const char *hex)
{
    struct buffer script = {0}, text = {0};
    destination_script(&script, dest);
    hex_append(&text, buffer_span(&script));
    bool same = !strcmp(buffer_text(&text), hex);
    buffer_clear(&script);
    buffer_clear(&text);
    return same;
}

static char *swap_case(char *out, const char *text)
{
    size_t i = 0;
    for (; text[i]; i++) out[i] = (char)(islower(text[i]) ? toupper(text[i]) : tolower(text[i]));
    out[i] = 0;
    return out;
}

static void check_address(const char *text, const char *hex, json_t *about, const struct address_prefixes *p)
{
    struct destination dest;
    struct address_error error;
    struct buffer again = {0};
    uint8_t key[32];
    bool compressed;
    cr_assert(address_decode(&dest, text, p, &error), "%s: %s", text, error.message);
    cr_assert_str_eq(error.message, "");
    cr_assert(script_is(&dest, hex), "%s", text);
    cr_assert(address_encode(&again, &dest, p));
    cr_assert_str_eq(buffer_text(&again), text);
    cr_assert(!wif_decode(key, &compressed, text, p));
    if (json_is_true(json_object_get(about, "tryCaseFlip"))) {
        char swapped[128];
        cr_assert(address_decode(&dest, swap_case(swapped, text), p, NULL));
        cr_assert(script_is(&dest, hex));
    }
    buffer_clear(&again);
}

Test(address, core_key_io_valid)
{
    if (!data_present(CAIRN_TEST_DATA, "key_io vectors")) return;
    struct network networks[NETWORKS];
    networks_load(networks);
    json_t *tests = data_json(CAIRN_TEST_DATA, "vectors/core/key_io_valid.json"), *row;
    size_t i, keys = 0;
    json_array_foreach(tests, i, row)
    {
        json_t *about = json_array_get(row, 2);
        const char *text = json_string_value(json_array_get(row, 0)), *hex = json_string_value(json_array_get(row, 1));
        const struct address_prefixes *p =
            network_prefixes(networks, json_string_value(json_object_get(about, "chain")));
        bool key = json_is_true(json_object_get(about, "isPrivkey"));
        (key ? check_key : check_address)(text, hex, about, p);
        keys += key;
    }
    printf("key_io_valid.json: %zu addresses, %zu keys\n", i - keys, keys);
    cr_assert_geq(i, 70);
    json_decref(tests);
}

Test(address, core_key_io_invalid)
{
    if (!data_present(CAIRN_TEST_DATA, "key_io vectors")) return;
    struct network networks[NETWORKS];
    networks_load(networks);
    json_t *tests = data_json(CAIRN_TEST_DATA, "vectors/core/key_io_invalid.json"), *row;
    size_t i;
    json_array_foreach(tests, i, row)
    {
        const char *text = json_string_value(json_array_get(row, 0));
        for (size_t n = 0; n < NETWORKS; n++) {
            struct destination dest;
            struct address_error error;
            uint8_t key[32];
            bool compressed;
            cr_assert(!address_decode(&dest, text, &networks[n].prefixes, &error), "%s", text);
            cr_assert_eq(dest.kind, DEST_NONE);
            cr_assert_str_neq(error.message, "");
            cr_assert(!wif_decode(key, &compressed, text, &networks[n].prefixes), "%s", text);
        }
    }
    printf("key_io_invalid.json: %zu strings on %d networks\n", i, NETWORKS);
    cr_assert_geq(i, 70);
    json_decref(tests);
}

static const struct address_prefixes mainnet = {.p2pkh = 0, .p2sh = 5, .wif = 128, .hrp = "bc"};
static const struct address_prefixes regtest = {.p2pkh = 111, .p2sh = 196, .wif = 239, .hrp = "bcrt"};

struct wrong {
    const char *text;
    const char *message;
    int positions[2];
    size_t count;
};

#define NO_ENCODING  "Invalid or unsupported Segwit (Bech32) or Base58 encoding."
#define NOT_BECH32M  "Version 1+ witness address must use Bech32m checksum"
#define NOT_BECH32   "Version 0 witness address must use Bech32 checksum"
#define WRONG_BASE58 "Invalid checksum or length of Base58 address (P2PKH or P2SH)"

static const struct wrong wrong_on_regtest[] = {
    {"bcrt1s0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav25430mtr",
     "Invalid Bech32 address program size (41 bytes)",
     {0},
     0},
    {"bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx", NO_ENCODING, {0}, 0},
    {"bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqdmchcc", NOT_BECH32M, {0}, 0},
    {"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7k35mrzd", NOT_BECH32, {0}, 0},
    {"bcrt130xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqynjegk",
     "Invalid Bech32 address witness version",
     {0},
     0},
    {"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kqqq5k3my",
     "Invalid Bech32 v0 address program size (21 bytes), per BIP141",
     {0},
     0},
    {"bcrt1q049edschfnwystcqnsvyfpj23mpsg3jcedq9xv", "Invalid Bech32 checksum", {9}, 1},
    {"bcrt1qax9suht3qv95sw33xavx8crpxduefdrsvgsklu", "Invalid Bech32 checksum", {22, 43}, 2},
    {"BCRT1QPLMTZKC2XHARPPZDLNPAQL78RSHJ68U32RAH7R", "Invalid Bech32 checksum", {38}, 1},
    {"bcrtq049ldschfnwystcqnsvyfpj23mpsg3jcedq9xv", "Missing separator", {0}, 0},
    {"bcrt1q04oldschfnwystcqnsvyfpj23mpsg3jcedq9xv", "Invalid Base 32 character", {8}, 1},
    {"bcrt1qdg3myrgvzw7ml8q0ejxhlkyxn7vl9r56yzkfgvzclrf4hkpx9yfqhpsuks", "Invalid Bech32 checksum", {19, 30}, 2},
    {"bcrt1ptmp74ayg7p24uslctssvjm06q5phz4yrxucgnv", "Invalid Bech32 checksum", {5}, 1},
    {"17VZNX1SN5NtKa8UQFxwQbFeFc3iqRYhem", "Invalid or unsupported Base58-encoded address.", {0}, 0},
    {"mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJJfn", WRONG_BASE58, {0}, 0},
    {"2VKf7XKMrp4bVNVmuRbyCewkP8FhGLP2E54LHDPakr9Sq5mtU2", WRONG_BASE58, {0}, 0},
    {"asfah14i8fajz0123f", NO_ENCODING, {0}, 0},
    {"1q049ldschfnwystcqnsvyfpj23mpsg3jcedq9xv", NO_ENCODING, {0}, 0},
};

static const struct wrong wrong_on_mainnet[] = {
    {"tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty", NO_ENCODING, {0}, 0},
    {"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "Invalid Bech32 checksum", {41}, 1},
    {"BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2", NOT_BECH32M, {0}, 0},
    {"bc1rw5uspcuh", NOT_BECH32M, {0}, 0},
    {"bc10w508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kw5rljs90", NOT_BECH32M, {0}, 0},
    {"BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", "Invalid Bech32 v0 address program size (16 bytes), per BIP141", {0}, 0},
    {"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7", NO_ENCODING, {0}, 0},
    {"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3t4", "Invalid character or mixed case", {40}, 1},
    {"bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du", NOT_BECH32M, {0}, 0},
    {"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3pjxtptv", NO_ENCODING, {0}, 0},
    {"bc1gmk9yu", "Empty Bech32 data section", {0}, 0},
    {"tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut", NO_ENCODING, {0}, 0},
    {"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", NOT_BECH32M, {0}, 0},
    {"tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf", NO_ENCODING, {0}, 0},
    {"BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL", NOT_BECH32M, {0}, 0},
    {"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", NOT_BECH32, {0}, 0},
    {"tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47", NO_ENCODING, {0}, 0},
    {"bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", "Invalid Base 32 character", {59}, 1},
    {"BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
     "Invalid Bech32 address witness version",
     {0},
     0},
    {"bc1pw5dgrnzv", "Invalid Bech32 address program size (1 byte)", {0}, 0},
    {"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
     "Invalid Bech32 address program size (41 bytes)",
     {0},
     0},
    {"tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq", NO_ENCODING, {0}, 0},
    {"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
     "Invalid padding in Bech32 data section",
     {0},
     0},
    {"tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j", NO_ENCODING, {0}, 0},
    {"", WRONG_BASE58, {0}, 0},
    {"bc", "Missing separator", {0}, 0},
};

static void check_wrong(const struct wrong *rows, size_t count, const struct address_prefixes *p)
{
    for (size_t i = 0; i < count; i++) {
        struct destination dest;
        struct address_error error;
        cr_assert(!address_decode(&dest, rows[i].text, p, &error), "%s", rows[i].text);
        cr_assert_str_eq(error.message, rows[i].message, "%s: %s", rows[i].text, error.message);
        cr_assert_eq(error.location_count, rows[i].count, "%s", rows[i].text);
        cr_assert_arr_eq(error.locations, rows[i].positions, rows[i].count * sizeof(int), "%s", rows[i].text);
    }
}

Test(address, tells_what_is_wrong)
{
    check_wrong(wrong_on_regtest, ARRAY_LEN(wrong_on_regtest), &regtest);
    check_wrong(wrong_on_mainnet, ARRAY_LEN(wrong_on_mainnet), &mainnet);
    printf("address: %zu wrong addresses with their messages\n",
           ARRAY_LEN(wrong_on_regtest) + ARRAY_LEN(wrong_on_mainnet));
}

Test(address, a_text_that_is_too_long_is_marked_from_where_it_should_end)
{
    struct destination dest;
    struct address_error error;
    cr_assert(!address_decode(&dest,
                              "bcrt1q049edschfnwystcqnsvyfpj23mpsg3jcedq9xv049edschfnwystcqnsvyfpj23mpsg3jcedq9xv049ed"
                              "schfnwystcqnsvyfpj23m",
                              &regtest, &error));
    cr_assert_str_eq(error.message, "Bech32 string too long");
    cr_assert_eq(error.location_count, 18);
    for (int i = 0; i < 18; i++) cr_assert_eq(error.locations[i], 90 + i);
    char text[1000] = "bc1";
    memset(text + 3, 'q', sizeof(text) - 4);
    cr_assert(!address_decode(&dest, text, &mainnet, &error));
    cr_assert_eq(error.location_count, ARRAY_LEN(error.locations));
}

Test(address, messages_with_the_prefix_or_the_length)
{
    struct destination dest;
    struct address_error error;
    struct buffer text = {0};
    static const uint8_t data[33] = {0};
    bech32_encode(&text, BECH32, "bcx", span_of(data, 33));
    cr_assert(!address_decode(&dest, buffer_text(&text), &mainnet, &error));
    cr_assert_str_eq(error.message,
                     "Invalid or unsupported prefix for Segwit (Bech32) address (expected bc, got bcx).");
    text.len = 0;
    char longest[83] = "bcrt";
    memset(longest + 4, 'x', sizeof(longest) - 5);
    bech32_encode(&text, BECH32, longest, span_of(data, 1));
    cr_assert(!address_decode(&dest, buffer_text(&text), &regtest, &error));
    cr_assert_str_eq(error.message + strlen(error.message) - 5, "xxx).", "not cut: %s", error.message);
    text.len = 0;
    base58check_encode(&text, span_of(data, 20));
    cr_assert(!address_decode(&dest, buffer_text(&text), &mainnet, &error));
    cr_assert_str_eq(error.message, "Invalid length for Base58 address (P2PKH or P2SH)");
    text.len = 0;
    base58check_encode(&text, span_of(NULL, 0));
    cr_assert(!address_decode(&dest, buffer_text(&text), &mainnet, &error));
    cr_assert_str_eq(error.message, "Invalid or unsupported Base58-encoded address.");
    buffer_clear(&text);
}

static const struct {
    const char *text;
    const char *script;
    enum destination_kind kind;
    const struct address_prefixes *prefixes;
} right[] = {
    {"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "0014751e76e8199196d454941c45d1b3a323f1433bd6",
     DEST_WITNESS_V0_KEYHASH, &mainnet},
    {"bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3",
     "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262", DEST_WITNESS_V0_SCRIPTHASH, &mainnet},
    {"bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
     "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6", DEST_WITNESS_UNKNOWN,
     &mainnet},
    {"BC1SW50QGDZ25J", "6002751e", DEST_WITNESS_UNKNOWN, &mainnet},
    {"bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "5210751e76e8199196d454941c45d1b3a323", DEST_WITNESS_UNKNOWN, &mainnet},
    {"bc1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvses5wp4dt",
     "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433", DEST_WITNESS_V0_SCRIPTHASH, &mainnet},
    {"bc1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvses7epu4h",
     "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433", DEST_WITNESS_V1_TAPROOT, &mainnet},
    {"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
     "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", DEST_WITNESS_V1_TAPROOT, &mainnet},
    {"bc1pfeessrawgf", "51024e73", DEST_ANCHOR, &mainnet},
    {"mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "76a914243f1394f44554f4ce3fd68649c19adc483ce92488ac", DEST_P2PKH, &regtest},
    {"BCRT1QPLMTZKC2XHARPPZDLNPAQL78RSHJ68U33RAH7R", "00140ff6b15b0a35fa30844dfcc3d07fc71c2f2d1f91",
     DEST_WITNESS_V0_KEYHASH, &regtest},
};

Test(address, scripts_and_kinds)
{
    for (size_t i = 0; i < ARRAY_LEN(right); i++) {
        struct destination dest;
        struct buffer again = {0};
        cr_assert(address_decode(&dest, right[i].text, right[i].prefixes, NULL), "%s", right[i].text);
        cr_assert_eq(dest.kind, right[i].kind, "%s", right[i].text);
        cr_assert(script_is(&dest, right[i].script), "%s", right[i].text);
        cr_assert(address_encode(&again, &dest, right[i].prefixes));
        cr_assert_eq(strcasecmp(buffer_text(&again), right[i].text), 0);
        buffer_clear(&again);
    }
    struct destination none = {.kind = DEST_NONE};
    struct buffer nothing = {0};
    cr_assert(!address_encode(&nothing, &none, &mainnet));
    destination_script(&nothing, &none);
    cr_assert_eq(nothing.len, 0);
}

Test(wif, refuses_keys_out_of_range_and_odd_lengths)
{
    static const uint8_t zero[32] = {0};
    uint8_t order[32], key[32], data[35] = {128};
    bool compressed;
    struct buffer text = {0};
    cr_assert(hex_decode(order, 32, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"));
    wif_encode(&text, zero, true, &mainnet);
    cr_assert(!wif_decode(key, &compressed, buffer_text(&text), &mainnet));
    text.len = 0;
    wif_encode(&text, order, false, &mainnet);
    cr_assert(!wif_decode(key, &compressed, buffer_text(&text), &mainnet));
    order[31]--;
    text.len = 0;
    wif_encode(&text, order, false, &mainnet);
    cr_assert(wif_decode(key, &compressed, buffer_text(&text), &mainnet) && !compressed);
    cr_assert(!wif_decode(key, &compressed, buffer_text(&text), &regtest), "another network's");
    memcpy(data + 1, order, 32);
    for (size_t len = 0; len <= sizeof(data); len++) {
        text.len = 0;
        data[33] = (uint8_t)(len % 2 ? 2 : 1);
        base58check_encode(&text, span_of(data, len));
        cr_assert_eq(wif_decode(key, &compressed, buffer_text(&text), &mainnet), len == 33 || len == 34, "%zu", len);
    }
    data[33] = 2;
    text.len = 0;
    base58check_encode(&text, span_of(data, 34));
    cr_assert(!wif_decode(key, &compressed, buffer_text(&text), &mainnet), "the mark is 1");
    buffer_clear(&text);
}
