/* Descriptors: checksums, inference, scripts. Expected scripts are those of BIP381 to BIP386 where they give them. */
#include "descriptor/descriptor.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/hex.h"

static const struct address_prefixes mainnet = {0, 5, 128, {4, 136, 178, 30}, {4, 136, 173, 228}, "bc"};

/* "count script script ..." of TEXT, or its error. */
static void expect(const char *text, const char *expected)
{
    struct descriptor_scripts s;
    struct buffer b = {0};
    char error[DESCRIPTOR_ERROR_TEXT];
    if (descriptor_expand(&s, span_str(text), false, &mainnet, error)) {
        for (size_t i = 0; i < s.count; i++) {
            if (i) buffer_put_u8(&b, ' ');
            hex_append(&b, buffer_span(&s.script[i]));
        }
        descriptor_scripts_clear(&s);
    } else {
        buffer_put_str(&b, error);
    }
    cr_expect_str_eq(buffer_text(&b), expected, "%s: %s", text, buffer_text(&b));
    buffer_clear(&b);
}

#define KEY "03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd"
#define LONG                                                                                                           \
    "04a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918b" \
    "a2"                                                                                                               \
    "d492eea75abea235"
#define XKEY "a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd"

Test(descriptor, checksums)
{
    char sum[DESCRIPTOR_CHECKSUM_TEXT];
    cr_expect(descriptor_checksum(sum, span_str("raw(deadbeef)")));
    cr_expect_str_eq(sum, "89f8spxm"); /* BIP380 */
    cr_expect_not(descriptor_checksum(sum, span_str("raw(Ü)")));
    expect("raw(deadbeef)#89f8spxm", "deadbeef");
    expect("raw(deadbeef)#", "Expected 8 character checksum, not 0 characters");
    expect("raw(deadbeef)#89f8spxmx", "Expected 8 character checksum, not 9 characters");
    expect("raw(deadbeef)##9f8spxm", "Multiple '#' symbols");
    expect("raw(deedbeef)#89f8spxm", "Provided checksum '89f8spxm' does not match computed checksum 'xj8ljs75'");
}

Test(descriptor, keys)
{
    expect("pk(" KEY ")", "21" KEY "ac");
    expect("pk([deadbeef/1/2'/3]" KEY ")", "21" KEY "ac");
    expect("pk(" LONG ")", "41" LONG "ac");
    expect("pkh(" KEY ")", "76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac");
    expect("wpkh(" KEY ")", "00149a1c78a507689f6f54b847ad1cef1e614ee23f1e");
    expect("sh(wpkh(" KEY "))", "a91484ab21b1b2fd065d4504ff693d832434b6108d7b87");
    expect("combo(" KEY ")",
           "21" KEY "ac 76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac "
           "00149a1c78a507689f6f54b847ad1cef1e614ee23f1e a91484ab21b1b2fd065d4504ff693d832434b6108d7b87");
    expect("tr(" XKEY ")", "512077aab6e066f8a7419c5ab714c12c67d25007ed55a43cadcacb4d7a970a093f11");
    expect("rawtr(" XKEY ")", "5120" XKEY);
}

Test(descriptor, multisig)
{
    static const char a[] = "022f8bde4d1a07209355b4a7250a5c5128e88b84bddc619ab7cba8d569b240efe4";
    static const char b[] = "025cbdf0646e5db4eaa398f365f2ea7a0e3d419b7e0330e39ce92bddedcac4f9bc";
    char text[400], script[400];
    snprintf(text, sizeof text, "multi(1,%s,%s)", b, a);
    snprintf(script, sizeof script, "5121%s21%s52ae", b, a);
    expect(text, script);
    snprintf(text, sizeof text, "sortedmulti(2,%s,%s)", b, a);
    snprintf(script, sizeof script, "5221%s21%s52ae", a, b);
    expect(text, script);
    expect("multi(0," KEY ")", "Multisig threshold cannot be 0, must be at least 1");
    expect("multi(2," KEY ")",
           "Multisig threshold cannot be larger than the number of keys; threshold is 2 but only 1 keys specified");
    expect("multi(a," KEY ")", "Multi threshold 'a' is not valid");
    expect("multi(1)", "Cannot have 0 keys in multisig; must have between 1 and 20 keys, inclusive");
    expect("multi(1," KEY "," KEY "," KEY "," KEY ")",
           "Cannot have 4 pubkeys in bare multisig; only at most 3 pubkeys");
}

Test(descriptor, trees)
{
    /* BIP386 */
    expect("tr(" XKEY ",pk(669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0))",
           "512017cf18db381d836d8923b1bdb246cfcd818da1a9f0e6e7907f187f0b2f937754");
    expect("tr(" XKEY ",{pk(" XKEY "),pk(" XKEY ")x)", "'pk(" XKEY ")x' is not a valid descriptor function");
    expect("tr(" XKEY ",{pk(" XKEY "),pk(" XKEY "))", "tr(): expected '}' after script expression");
    expect("tr(" XKEY ",{pk(" XKEY ")})", "tr(): expected ',' after script expression");
}

Test(descriptor, wrong_places)
{
    expect("wsh(wsh(pk(" KEY ")))", "Can only have wsh() at top level or inside sh()");
    expect("wsh(wpkh(" KEY "))", "Can only have wpkh() at top level or inside sh()");
    expect("sh(sh(pk(" KEY ")))", "Can only have sh() at top level");
    expect("sh(combo(" KEY "))", "Can only have combo() at top level");
    expect("sh(tr(" KEY "))", "Can only have tr at top level");
    expect("sh(" KEY ")", "A function is needed within P2SH");
    expect("wpkh(" LONG ")", "wpkh(): Uncompressed keys are not allowed");
    expect("pk()", "pk(): No key provided");
    expect("pk( " KEY ")", "pk(): Key ' " KEY "' is invalid due to whitespace");
    expect("pk(" KEY " )", "pk(): Key '" KEY " ' is invalid due to whitespace");
    expect("pkh(zz)", "pkh(): key 'zz' is not valid");
    expect("pk(02)", "pk(): Pubkey '02' is invalid");
    expect("", "'' is not a valid descriptor function");
    expect("foo(1)", "'foo(1)' is not a valid descriptor function");
    expect("raw(0)", "Raw script is not hex");
    expect("addr(x)", "Address is not valid");
    expect("addr(1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2)", "76a91477bff20c60e522dfaa3350c39b030a5d004e839a88ac");
}

static void expect_inferred(const char *hex, const char *desc)
{
    struct buffer script = {0}, b = {0};
    cr_assert(hex_decode_append(&script, hex, strlen(hex)));
    descriptor_infer(&b, buffer_span(&script), &mainnet);
    b.len -= b.len > 9 ? 9 : 0; /* the checksum */
    cr_expect_str_eq(buffer_text(&b), desc);
    buffer_clear(&script);
    buffer_clear(&b);
}

Test(descriptor, inference)
{
    expect_inferred("21" KEY "ac", "pk(" KEY ")");
    expect_inferred("5121" KEY "21" KEY "52ae", "multi(1," KEY "," KEY ")");
    expect_inferred("76a91477bff20c60e522dfaa3350c39b030a5d004e839a88ac", "addr(1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2)");
    expect_inferred("6a0474657374", "raw(6a0474657374)");
    expect_inferred("5120" XKEY, "rawtr(" XKEY ")");
    expect_inferred("5120ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                    "addr(bc1plllllllllllllllllllllllllllllllllllllllllllllllllllsr7rg6v)");
}

/* The texts of a descriptor's scripts, checksums cut off, in one line. */
static void expect_texts(const char *text, const char *expected)
{
    struct descriptor_scripts s;
    struct buffer b = {0};
    char error[DESCRIPTOR_ERROR_TEXT];
    cr_assert(descriptor_expand(&s, span_str(text), false, &mainnet, error), "%s: %s", text, error);
    for (size_t i = 0; i < s.count; i++) {
        if (i) buffer_put_u8(&b, ' ');
        s.text[i].len -= 9;
        buffer_put_span(&b, buffer_span(&s.text[i]));
    }
    descriptor_scripts_clear(&s);
    cr_expect_str_eq(buffer_text(&b), expected, "%s: %s", text, buffer_text(&b));
    buffer_clear(&b);
}

#define OWN "[9a1c78a5]" /* the key's own fingerprint */

Test(descriptor, texts_show_keys_with_their_origins)
{
    expect_texts("pk(" KEY ")", "pk(" OWN KEY ")");
    expect_texts("pkh([DEADbeef/1'/2/3h]" KEY ")", "pkh([deadbeef/1h/2/3h]" KEY ")");
    expect_texts("combo(" KEY ")", "pk(" OWN KEY ") pkh(" OWN KEY ") wpkh(" OWN KEY ") sh(wpkh(" OWN KEY "))");
    expect_texts("sh(wsh(sortedmulti(1," KEY ")))", "sh(wsh(multi(1," OWN KEY ")))");
    expect_texts("wsh(pk(" KEY "))", "wsh(pk(" OWN KEY "))");
    expect_texts("tr([deadbeef]" XKEY ",{pk([deadbeef]" XKEY "),multi_a(1,[deadbeef]" XKEY ")})",
                 "tr([deadbeef]" XKEY ",{pk([deadbeef]" XKEY "),multi_a(1,[deadbeef]" XKEY ")})");
    expect_texts("rawtr([deadbeef]" XKEY ")", "rawtr([deadbeef]" XKEY ")");
    expect_texts("raw(21" KEY "ac)", "pk(" KEY ")");
    expect_texts("addr(1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2)", "addr(1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2)");
}

/* BIP32, test vector 1: the root and two of its descendants. */
#define ROOT                                                                                                           \
    "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
#define ROOT_PUBLIC                                                                                                    \
    "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
#define CHILD_0H                                                                                                       \
    "xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw"
#define CHILD_0H_1                                                                                                     \
    "xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ"

/* Script number 0 of TEXT at a position, in hex; good until the next call. */
static const char *script_at(const char *text, uint32_t index, unsigned path)
{
    static char hex[200];
    char error[DESCRIPTOR_ERROR_TEXT];
    struct descriptor_scripts s;
    struct buffer b = {0};
    struct descriptor_position at = {.index = index, .path = path};
    cr_assert(descriptor_expand_at(&s, span_str(text), false, &mainnet, at, error), "%s: %s", text, error);
    hex_append(&b, buffer_span(&s.script[0]));
    snprintf(hex, sizeof hex, "%s", buffer_text(&b));
    buffer_clear(&b);
    descriptor_scripts_clear(&s);
    return hex;
}

static void expect_same(const char *a, uint32_t index, unsigned path, const char *b)
{
    char first[200];
    snprintf(first, sizeof first, "%s", script_at(a, index, path));
    cr_expect_str_eq(first, script_at(b, 0, 0), "%s at %u, %u is not %s", a, index, path, b);
}

Test(descriptor, children_of_extended_keys)
{
    expect_same("pk(" ROOT "/0h)", 0, 0, "pk(" CHILD_0H ")");
    expect_same("pk(" ROOT "/0'/1)", 0, 0, "pk(" CHILD_0H_1 ")");
    expect_same("pk(" CHILD_0H "/1)", 0, 0, "pk(" CHILD_0H_1 ")");
    expect_same("pk(" ROOT ")", 0, 0, "pk(" ROOT_PUBLIC ")");
    expect_same("wpkh(" ROOT "/*h)", 0, 0, "wpkh(" CHILD_0H ")");
    expect_same("tr(" CHILD_0H "/*)", 1, 0, "tr(" CHILD_0H_1 ")");
    expect_same("wsh(multi(1," ROOT "/<7h;0h>/*))", 1, 1, "wsh(multi(1," CHILD_0H_1 "))");
    expect_same("sh(wpkh(" CHILD_0H "/<1;2>))", 0, 0, "sh(wpkh(" CHILD_0H_1 "))");
    expect_texts("pkh(" ROOT "/0h/1)",
                 "pkh([3442193e/0h/1]03501e454bf00751f24b1b489aa925215d66af2234e3891c3b21a52bedb3cd711c)");
    expect_texts("pkh([deadbeef/5']" CHILD_0H "/1)",
                 "pkh([deadbeef/5h/1]03501e454bf00751f24b1b489aa925215d66af2234e3891c3b21a52bedb3cd711c)");
    /* WIF, compressed and not, of the secret 1 */
    expect("pkh(KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn)",
           "76a914751e76e8199196d454941c45d1b3a323f1433bd688ac");
    expect("pkh(5HpHagT65TZzG1PH3CSu63k8DbpvD8s5ip4nEB3kEsreAnchuDf)",
           "76a91491b24bf9f5288532960ac687abb035127b1d28a588ac");
    expect("wpkh(5HpHagT65TZzG1PH3CSu63k8DbpvD8s5ip4nEB3kEsreAnchuDf)", "wpkh(): Uncompressed keys are not allowed");
}

Test(descriptor, what_extended_keys_are_known_for)
{
    struct descriptor_scripts s;
    char error[DESCRIPTOR_ERROR_TEXT];
    cr_assert(descriptor_expand(&s, span_str("pkh(" ROOT_PUBLIC "/1h/*)"), false, &mainnet, error));
    cr_expect(s.count == 0 && s.needs_secrets && s.ranged && !s.has_secrets && s.solvable && s.paths == 1);
    cr_assert(descriptor_expand(&s, span_str("pkh(" ROOT "/<1;2;3>)"), false, &mainnet, error));
    cr_expect(s.count == 1 && !s.needs_secrets && !s.ranged && s.has_secrets && s.paths == 3);
    descriptor_scripts_clear(&s);
    struct buffer b = {0};
    descriptor_public(&b, span_str("sh(multi(1," ROOT "/<0;5h>,KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn))"),
                      &mainnet, 1);
    b.len -= 9;
    cr_expect_str_eq(buffer_text(&b), "sh(multi(1," ROOT_PUBLIC
                                      "/5h,0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798))");
    buffer_clear(&b);
}

Test(descriptor, broken_paths)
{
    expect("pk(" ROOT_PUBLIC "/)", "pk(): Key path value '' is not valid");
    expect("pk(" ROOT_PUBLIC "/x)", "pk(): Key path value 'x' is not a valid uint32");
    expect("pk(" ROOT_PUBLIC "/4294967296)", "pk(): Key path value '4294967296' is not a valid uint32");
    expect("pk(" ROOT_PUBLIC "/2147483648)", "pk(): Key path value 2147483648 is out of range");
    expect("pk(" ROOT_PUBLIC "/*/1)", "pk(): Key path value '*' is not a valid uint32");
    expect("pk(" ROOT_PUBLIC "/<1>)", "pk(): Multipath key path specifiers must have at least two items");
    expect("pk(" ROOT_PUBLIC "/<1;1>)", "pk(): Duplicated key path value 1 in multipath specifier");
    expect("pk(" ROOT_PUBLIC "/<1;2>/<3;4>)", "pk(): Multiple multipath key path specifiers found");
    expect("multi(1," ROOT_PUBLIC "/<1;2>," ROOT_PUBLIC "/<1;2;3>)",
           "Multi: Multipath derivation paths have mismatched lengths");
    expect("pk(" ROOT_PUBLIC "x)", "pk(): key '" ROOT_PUBLIC "x' is not valid");
    expect("pk(" KEY "/1)", "pk(): key '" KEY "' is not valid");
}

/* Every cut and every changed character is either a descriptor or an error with a sentence. */
Test(descriptor, broken_text)
{
    static const char whole[] = "tr([deadbeef/1h]" XKEY ",{pk(" XKEY "),{multi_a(1," XKEY "),pk(" XKEY ")}})";
    static const char signs[] = "(){},[]/'#0 ";
    char text[sizeof whole], error[DESCRIPTOR_ERROR_TEXT];
    struct descriptor_scripts s;
    for (size_t i = 0; i < sizeof whole - 1; i++) {
        for (size_t k = 0; k < sizeof signs; k++) {
            memcpy(text, whole, sizeof text);
            text[i] = signs[k]; /* the last one cuts */
            bool good = descriptor_expand(&s, span_str(text), false, &mainnet, error);
            cr_expect(good || *error, "%s", text);
            if (good) descriptor_scripts_clear(&s);
        }
    }
}
