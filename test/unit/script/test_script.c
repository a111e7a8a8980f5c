/* Scripts as bytes: text form, templates, sigops, numbers, FindAndDelete. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "script/standard.h"
#include "spend.h"
#include "support/data.h"

static const char key_hex[] = "03b0da749730dc9b4b1f4a14d6902877a92541f5368778853d9c4a0cb7802dcfb2";
static const char der_hex[] =
    "304502207fa7a6d1e0ee81132a269ad84e68d695483745cde8b541e3bf630749894e342a022100c1f7ab20e13e"
    "22fb95281a870f3dcf38d782e53023ee313d741ad0cfbc0c5090";

static void expect_asm(const char *script_hex, bool decode, const char *want)
{
    struct arena arena = {0};
    struct buffer out = {0};
    script_asm(&out, script_text_hex(&arena, script_hex), decode);
    cr_expect_str_eq(buffer_text(&out), want, "%s", script_hex);
    buffer_clear(&out);
    arena_clear(&arena);
}

Test(script, asm_of_decodescript)
{
    if (!data_present(CAIRN_TEST_DATA, "asm_of_decodescript")) return;
    json_t *tests = data_json(CAIRN_TEST_DATA, "vectors/core/rpc_decodescript.json");
    for (size_t i = 0; i < json_array_size(tests); i++) {
        const json_t *test = json_array_get(tests, i), *want = json_array_get(test, 1);
        const char *hex = json_string_value(json_array_get(test, 0));
        expect_asm(hex, false, json_string_value(json_object_get(want, "asm")));
        struct arena arena = {0};
        struct script_solution s;
        script_solve(&s, script_text_hex(&arena, hex));
        cr_expect_str_eq(script_kind_name(s.kind), json_string_value(json_object_get(want, "type")), "%s", hex);
        arena_clear(&arena);
    }
    printf("rpc_decodescript.json: %zu scripts\n", json_array_size(tests));
    cr_assert_eq(json_array_size(tests), 10);
    json_decref(tests);
}

Test(script, asm_of_signatures)
{
    static const struct {
        const char *type, *name;
    } types[] = {{"00", NULL},
                 {"80", NULL},
                 {"01", "ALL"},
                 {"02", "NONE"},
                 {"03", "SINGLE"},
                 {"81", "ALL|ANYONECANPAY"},
                 {"82", "NONE|ANYONECANPAY"},
                 {"83", "SINGLE|ANYONECANPAY"}};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        char script[512], named[512], plain[512];
        snprintf(script, sizeof(script), "48%s%s21%s", der_hex, types[i].type, key_hex);
        snprintf(plain, sizeof(plain), "%s%s %s", der_hex, types[i].type, key_hex);
        snprintf(named, sizeof(named), "%s[%s] %s", der_hex, types[i].name ? types[i].name : "", key_hex);
        expect_asm(script, true, types[i].name ? named : plain);
        expect_asm(script, false, plain);
        /* Data behind OP_RETURN is no signature. */
        snprintf(script, sizeof(script), "6a48%s%s", der_hex, types[i].type);
        snprintf(plain, sizeof(plain), "OP_RETURN %s%s", der_hex, types[i].type);
        expect_asm(script, true, plain);
    }
    expect_asm("b1", true, "OP_CHECKLOCKTIMEVERIFY");
    expect_asm("", true, "");
    expect_asm("004f516001800181ba02ff", false, "0 -1 1 16 0 -1 OP_CHECKSIGADD [error]");
    expect_asm("04ffffff7f04ffffffff05ffffffff7f", false, "2147483647 -2147483647 ffffffff7f");
}

static void expect_kind(const char *text, enum script_kind want, size_t data_count)
{
    struct arena arena = {0};
    struct script_solution s;
    script_solve(&s, script_text_parse(&arena, text));
    cr_expect_eq(s.kind, want, "%s is %s", text, script_kind_name(s.kind));
    cr_expect_eq(s.data_count, data_count, "%s", text);
    arena_clear(&arena);
}

#define KEY  "0x21 0x03b0da749730dc9b4b1f4a14d6902877a92541f5368778853d9c4a0cb7802dcfb2 "
#define H20  "0x14 0x0102030405060708090a0b0c0d0e0f1011121314 "
#define H32  "0x20 0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20 "
#define KEY5 KEY KEY KEY KEY KEY

Test(script, kinds)
{
    expect_kind(KEY "CHECKSIG", SCRIPT_PUBKEY, 1);
    expect_kind("DUP HASH160 " H20 "EQUALVERIFY CHECKSIG", SCRIPT_PUBKEYHASH, 1);
    expect_kind("HASH160 " H20 "EQUAL", SCRIPT_SCRIPTHASH, 1);
    expect_kind("1 " KEY KEY "2 CHECKMULTISIG", SCRIPT_MULTISIG, 2);
    expect_kind("2 " KEY KEY KEY "3 CHECKMULTISIG", SCRIPT_MULTISIG, 3);
    expect_kind("17 " KEY5 KEY5 KEY5 KEY KEY "17 CHECKMULTISIG", SCRIPT_MULTISIG, 17);
    expect_kind("1 " KEY5 KEY5 KEY5 KEY5 "20 CHECKMULTISIG", SCRIPT_MULTISIG, 20);
    expect_kind("1 " KEY5 KEY5 KEY5 KEY5 KEY "21 CHECKMULTISIG", SCRIPT_NONSTANDARD, 0);
    expect_kind("1 " KEY5 KEY5 KEY5 KEY5 KEY "20 CHECKMULTISIG", SCRIPT_NONSTANDARD, 0);
    expect_kind("RETURN 0x0100 0x014b 0x01ff", SCRIPT_NULLDATA, 0);
    expect_kind("RETURN", SCRIPT_NULLDATA, 0);
    expect_kind("0 " H20, SCRIPT_WITNESS_V0_KEYHASH, 1);
    expect_kind("0 " H32, SCRIPT_WITNESS_V0_SCRIPTHASH, 1);
    expect_kind("1 " H32, SCRIPT_WITNESS_V1_TAPROOT, 1);
    expect_kind("16 " H32, SCRIPT_WITNESS_UNKNOWN, 1);
    expect_kind("1 0x024e73", SCRIPT_ANCHOR, 1);
    expect_kind("2 0x024e73", SCRIPT_WITNESS_UNKNOWN, 1);
    expect_kind("1 0x02ffff", SCRIPT_WITNESS_UNKNOWN, 1);
    expect_kind("1 0x13 0x01020304050607080910111213141516171819", SCRIPT_WITNESS_UNKNOWN, 1);
    expect_kind("0 0x13 0x01020304050607080910111213141516171819", SCRIPT_NONSTANDARD, 0);
    expect_kind("9 ADD 11 EQUAL", SCRIPT_NONSTANDARD, 0);
    expect_kind("", SCRIPT_NONSTANDARD, 0);
    expect_kind("0x1e 0x010101010101010101010101010101010101010101010101010101010101 CHECKSIG", SCRIPT_NONSTANDARD, 0);
    expect_kind("DUP HASH160 " KEY "EQUALVERIFY CHECKSIG", SCRIPT_NONSTANDARD, 0);
    expect_kind("HASH160 0x15 0x010101010101010101010101010101010101010101 EQUAL", SCRIPT_NONSTANDARD, 0);
    expect_kind("0 " KEY "1 CHECKMULTISIG", SCRIPT_NONSTANDARD, 0);
    expect_kind("2 " KEY "1 CHECKMULTISIG", SCRIPT_NONSTANDARD, 0);
    expect_kind("1 " KEY "2 CHECKMULTISIG", SCRIPT_NONSTANDARD, 0);
    expect_kind("1 1 CHECKMULTISIG", SCRIPT_NONSTANDARD, 0);
    expect_kind("0x0101 " KEY "1 CHECKMULTISIG", SCRIPT_NONSTANDARD, 0);
    expect_kind("1 " KEY "1 CHECKMULTISIG CHECKMULTISIG", SCRIPT_NONSTANDARD, 0);
    expect_kind("RETURN 0x014b ADD", SCRIPT_NONSTANDARD, 0);
}

/* The script of the destination of a script is that script. */
static void expect_destination(const char *text, enum destination_kind want)
{
    struct arena arena = {0};
    struct buffer back = {0};
    struct span script = script_text_parse(&arena, text);
    struct destination d;
    script_destination(&d, script);
    cr_expect_eq(d.kind, want, "%s", text);
    if (want != DEST_NONE) {
        destination_script(&back, &d);
        cr_expect(span_equal(buffer_span(&back), script), "%s", text);
    }
    buffer_clear(&back);
    arena_clear(&arena);
}

Test(script, destinations)
{
    expect_destination(KEY "CHECKSIG", DEST_NONE);
    expect_destination("DUP HASH160 " H20 "EQUALVERIFY CHECKSIG", DEST_P2PKH);
    expect_destination("HASH160 " H20 "EQUAL", DEST_P2SH);
    expect_destination("1 " KEY "1 CHECKMULTISIG", DEST_NONE);
    expect_destination("RETURN 0x014b", DEST_NONE);
    expect_destination("0 " H20, DEST_WITNESS_V0_KEYHASH);
    expect_destination("0 " H32, DEST_WITNESS_V0_SCRIPTHASH);
    expect_destination("1 " H32, DEST_WITNESS_V1_TAPROOT);
    expect_destination("1 0x024e73", DEST_ANCHOR);
    expect_destination("1 " KEY, DEST_WITNESS_UNKNOWN);
    expect_destination("2 " H32, DEST_WITNESS_UNKNOWN);
}

static struct span push_of(struct arena *arena, struct span data)
{
    struct buffer b = {0};
    script_put_push(&b, data);
    uint8_t *bytes = arena_alloc(arena, b.len);
    memcpy(bytes, b.data, b.len);
    struct span out = span_of(bytes, b.len);
    buffer_clear(&b);
    return out;
}

Test(script, sigops)
{
    struct arena arena = {0};
    struct span empty = {0};
    cr_expect_eq(script_sigops(empty, true), 0);
    struct span s = script_text_parse(&arena, "1 " H20 H20 "2 CHECKMULTISIG IF CHECKSIG ENDIF");
    cr_expect_eq(script_sigops(s, true), 3);
    cr_expect_eq(script_sigops(s, false), 21);
    struct span cut = script_text_parse(&arena, "CHECKSIGVERIFY CHECKSIG 0x05 0x01");
    cr_expect_eq(script_sigops(cut, true), 2, "counting ends at a broken push");
    struct span three = script_text_parse(&arena, "1 " KEY KEY KEY "3 CHECKMULTISIGVERIFY");
    struct span p2sh = script_text_parse(&arena, "HASH160 " H20 "EQUAL");
    cr_expect_eq(script_sigops(p2sh, true), 0);
    cr_expect_eq(script_p2sh_sigops(p2sh, push_of(&arena, three)), 3);
    cr_expect_eq(script_p2sh_sigops(p2sh, script_text_parse(&arena, "NOP 0x01ac")), 0, "not all pushes");
    cr_expect_eq(script_p2sh_sigops(p2sh, script_text_parse(&arena, "0x01ac")), 1);
    cr_expect_eq(script_p2sh_sigops(p2sh, script_text_parse(&arena, "0x01ac 1")), 0, "OP_1 pushes no script");
    cr_expect_eq(script_p2sh_sigops(three, script_text_parse(&arena, "0x01ac")), 0);
    unsigned flags = SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS;
    struct span items[3] = {empty, empty, three};
    struct witness two = {items, 2}, script = {items, 3}, none = {0};
    struct span wpkh = script_text_parse(&arena, "0 " H20), wsh = script_text_parse(&arena, "0 " H32);
    cr_expect_eq(script_witness_sigops(empty, wpkh, &two, flags), 1);
    cr_expect_eq(script_witness_sigops(empty, wpkh, &none, flags), 1);
    cr_expect_eq(script_witness_sigops(empty, wpkh, &two, SCRIPT_VERIFY_P2SH), 0);
    cr_expect_eq(script_witness_sigops(empty, wsh, &script, flags), 3);
    cr_expect_eq(script_witness_sigops(empty, wsh, &none, flags), 0);
    cr_expect_eq(script_witness_sigops(empty, script_text_parse(&arena, "1 " H32), &script, flags), 0);
    cr_expect_eq(script_witness_sigops(push_of(&arena, wpkh), p2sh, &two, flags), 1);
    cr_expect_eq(script_witness_sigops(push_of(&arena, wsh), p2sh, &script, flags), 3);
    arena_clear(&arena);
}

Test(script, sigop_cost)
{
    struct spend s = {0};
    struct span redeem = script_text_parse(&s.arena, "1 " KEY KEY "2 CHECKMULTISIGVERIFY");
    struct span p2sh = script_text_parse(&s.arena, "HASH160 " H20 "EQUAL");
    spend_init(&s, push_of(&s.arena, redeem), p2sh, (struct witness){0}, 1);
    s.out.script_pubkey = redeem;
    cr_expect_eq(tx_legacy_sigops(&s.tx), 20);
    cr_expect_eq(tx_sigop_cost(&s.tx, &s.spent, SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS), 20 * 4 + 2 * 4);
    cr_expect_eq(tx_sigop_cost(&s.tx, &s.spent, 0), 20 * 4);
    memset(s.in.prevout.txid.bytes, 0, 32);
    s.in.prevout.index = OUTPOINT_NULL;
    cr_expect_eq(tx_sigop_cost(&s.tx, NULL, SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS), 20 * 4, "a coinbase");
    spend_clear(&s);
}

static void expect_num(int64_t v, const char *hex)
{
    uint8_t bytes[9];
    char text[20];
    size_t len = script_num_encode(bytes, v);
    hex_encode(text, bytes, len);
    cr_expect_str_eq(text, hex, "%lld", (long long)v);
    int64_t back;
    if (len <= 8) {
        cr_expect(script_num_decode(&back, span_of(bytes, len), true, 8));
        cr_expect_eq(back, v);
    }
}

Test(script, numbers)
{
    expect_num(0, "");
    expect_num(1, "01");
    expect_num(-1, "81");
    expect_num(127, "7f");
    expect_num(-127, "ff");
    expect_num(128, "8000");
    expect_num(-128, "8080");
    expect_num(255, "ff00");
    expect_num(256, "0001");
    expect_num(-32768, "008080");
    expect_num(INT64_C(0xffffffff), "ffffffff00");
    expect_num(INT64_MAX, "ffffffffffffff7f");
    expect_num(-INT64_MAX, "ffffffffffffffff");
    expect_num(INT64_MIN, "000000000000008080");
    static const struct {
        uint8_t bytes[6];
        size_t len;
        bool minimal_ok, lax_ok;
        int64_t value;
    } decode[] = {
        {{0x00}, 1, false, true, 0},           {{0x80}, 1, false, true, 0},
        {{0x00, 0x80}, 2, false, true, 0},     {{0x01, 0x00}, 2, false, true, 1},
        {{0x01, 0x80}, 2, false, true, -1},    {{0xff, 0x00}, 2, true, true, 255},
        {{0xff, 0x80}, 2, true, true, -255},   {{1, 2, 3, 4}, 4, true, true, 0x04030201},
        {{1, 2, 3, 4, 5}, 5, false, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(decode); i++) {
        int64_t v;
        struct span s = span_of(decode[i].bytes, decode[i].len);
        cr_expect_eq(script_num_decode(&v, s, true, 4), decode[i].minimal_ok, "row %zu", i);
        cr_expect_eq(script_num_decode(&v, s, false, 4), decode[i].lax_ok, "row %zu", i);
        if (decode[i].lax_ok) cr_expect_eq(v, decode[i].value, "row %zu", i);
    }
}

Test(script, building)
{
    struct buffer b = {0};
    static const int64_t ints[] = {-1, 0, 1, 16, 17, -2, 1000};
    for (size_t i = 0; i < ARRAY_LEN(ints); i++) script_put_int(&b, ints[i]);
    struct buffer hex = {0};
    hex_append(&hex, buffer_span(&b));
    cr_expect_str_eq(buffer_text(&hex), "4f00516001110182"
                                        "02e803");
    static const uint8_t zeros[70000];
    static const struct {
        size_t len, prefix;
    } pushes[] = {{0, 1}, {1, 1}, {75, 1}, {76, 2}, {255, 2}, {256, 3}, {65535, 3}, {65536, 5}};
    for (size_t i = 0; i < ARRAY_LEN(pushes); i++) {
        b.len = 0;
        script_put_push(&b, span_of(zeros, pushes[i].len));
        cr_expect_eq(b.len, pushes[i].len + pushes[i].prefix);
        size_t pos = 0;
        uint8_t opcode;
        struct span data;
        cr_expect(script_next(buffer_span(&b), &pos, &opcode, &data));
        cr_expect(data.len == pushes[i].len && pos == b.len);
        cr_expect(push_is_minimal(data, opcode) || data.len == 1 || data.len == 65536 || data.len == 0);
        cr_expect(script_is_push_only(buffer_span(&b)));
        b.len--;
        pos = 0;
        cr_expect(!script_next(buffer_span(&b), &pos, &opcode, &data));
        cr_expect(pos == b.len && opcode == OP_INVALIDOPCODE && data.len == 0);
        cr_expect(b.len == 0 || !script_is_push_only(buffer_span(&b)));
    }
    struct span at_limit = span_of(zeros, 65535);
    cr_expect(push_is_minimal(at_limit, OP_PUSHDATA2) && !push_is_minimal(at_limit, OP_PUSHDATA4));
    buffer_clear(&b);
    buffer_clear(&hex);
}

/* CODE without the pushes of SIG, as the hex of what remains. */
static void expect_deleted(const char *code, const char *sig, size_t found, const char *want)
{
    struct arena arena = {0};
    struct span out;
    struct buffer hex = {0};
    cr_expect_eq(find_and_delete(&out, script_text_hex(&arena, code), script_text_hex(&arena, sig), &arena), found,
                 "%s", code);
    hex_append(&hex, out);
    cr_expect_str_eq(buffer_text(&hex), want, "%s", code);
    buffer_clear(&hex);
    arena_clear(&arena);
}

Test(script, find_and_delete)
{
    expect_deleted("0302ff03", "02ff03", 1, "");
    expect_deleted("0302ff030302ff03", "02ff03", 2, "");
    expect_deleted("0302ff030302ff03", "ff03", 0, "0302ff030302ff03"); /* inside of a push */
    expect_deleted("5102feed5302feed", "feed", 2, "5153");
    expect_deleted("00005100", "", 3, "51");     /* an empty signature is pushed by OP_0 */
    expect_deleted("0003feed", "", 1, "03feed"); /* a broken push stays */
    expect_deleted("0003feed", "feedaa", 0, "0003feed");
    expect_deleted("", "aa", 0, "");
    expect_deleted("4c01aa01aa", "aa", 1, "4c01aa"); /* only the form that a plain push has */
    expect_deleted("01aa01aaac01aa", "aa", 3, "ac");
}

Test(script, names)
{
    cr_expect_str_eq(script_error_text(SCRIPT_ERR_EVAL_FALSE),
                     "Script evaluated without error but finished with a false/empty top stack element");
    cr_expect_str_eq(script_error_text(SCRIPT_ERR_UNKNOWN_ERROR), "unknown error");
    cr_expect_str_eq(script_error_name(SCRIPT_ERR_OK), "OK");
    cr_expect_str_eq(script_error_name(SCRIPT_ERR_SIG_FINDANDDELETE), "SIG_FINDANDDELETE");
    cr_expect_str_eq(script_flag_name(0), "P2SH");
    cr_expect_eq(script_text_flag("TAPROOT"), SCRIPT_VERIFY_TAPROOT);
    cr_expect_eq(script_text_flag("NULLDUMMY"), SCRIPT_VERIFY_NULLDUMMY);
    cr_expect_eq(script_text_flag("DISCOURAGE_UPGRADABLE_PUBKEYTYPE"), SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE);
    cr_expect_null(script_flag_name(21));
    cr_expect_str_eq(opcode_name(OP_CHECKSIG), "OP_CHECKSIG");
    cr_expect_str_eq(opcode_name(0xbb), "OP_UNKNOWN");
    cr_expect_str_eq(opcode_name(0x20), "OP_UNKNOWN");
    cr_expect_str_eq(opcode_name(OP_INVALIDOPCODE), "OP_INVALIDOPCODE");
}

Test(script, predicates)
{
    struct arena arena = {0};
    static uint8_t big[MAX_SCRIPT_SIZE + 1] = {OP_1};
    cr_expect(script_is_unspendable(span_of(big, sizeof(big))));
    cr_expect(!script_is_unspendable(span_of(big, sizeof(big) - 1)));
    cr_expect(script_is_unspendable(script_text_parse(&arena, "RETURN")));
    cr_expect(!script_is_unspendable(script_text_parse(&arena, "1 RETURN")));
    cr_expect(!script_is_unspendable(span_of(NULL, 0)));
    cr_expect(script_is_push_only(span_of(NULL, 0)));
    cr_expect(script_is_push_only(script_text_parse(&arena, "RESERVED 16 -1")));
    cr_expect(!script_is_push_only(script_text_parse(&arena, "1 NOP")));
    int version;
    struct span program;
    cr_expect(script_witness_program(script_text_parse(&arena, "16 0x02 0x0102"), &version, &program));
    cr_expect(version == 16 && program.len == 2);
    cr_expect(!script_witness_program(script_text_parse(&arena, "1 0x01 0x01"), &version, &program));
    cr_expect(!script_witness_program(script_text_parse(&arena, "-1 0x02 0x0101"), &version, &program));
    cr_expect(!script_witness_program(script_text_parse(&arena, "1 0x4c02 0x0101"), &version, &program));
    cr_expect(script_is_p2a(script_text_parse(&arena, "1 0x024e73")));
    cr_expect(script_is_p2wpkh(script_text_parse(&arena, "0 " H20)));
    cr_expect(script_is_p2wsh(script_text_parse(&arena, "0 " H32)));
    cr_expect(script_is_p2tr(script_text_parse(&arena, "1 " H32)));
    cr_expect(!script_is_p2tr(script_text_parse(&arena, "0 " H32)));
    arena_clear(&arena);
}
