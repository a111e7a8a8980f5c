/* Limits: sizes, counts, stacks that begin too large, the signature budget of tapscript, the annex. */
#include <criterion/criterion.h>

#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "spend.h"

static const unsigned witness_flags = SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_TAPROOT;

/* COUNT times the byte OP, as scriptPubKey. */
static enum script_error run_repeated(const char *before, uint8_t op, size_t count, const char *after)
{
    struct spend s = {0};
    struct buffer b = {0};
    struct span empty = {0};
    buffer_put_span(&b, script_text_parse(&s.arena, before));
    memset(buffer_extend(&b, count), op, count);
    buffer_put_span(&b, script_text_parse(&s.arena, after));
    spend_init(&s, empty, buffer_span(&b), (struct witness){0}, 0);
    enum script_error e = spend_verify(&s, 0);
    buffer_clear(&b);
    spend_clear(&s);
    return e;
}

Test(limits, legacy)
{
    cr_expect_eq(run_repeated("1", OP_NOP, 201, ""), SCRIPT_ERR_OK);
    cr_expect_eq(run_repeated("1", OP_NOP, 202, ""), SCRIPT_ERR_OP_COUNT);
    cr_expect_eq(run_repeated("1 0 IF", OP_NOP, 200, "ENDIF"), SCRIPT_ERR_OP_COUNT, "skipped ones count");
    cr_expect_eq(run_repeated("", OP_1, 1000, ""), SCRIPT_ERR_OK);
    cr_expect_eq(run_repeated("", OP_1, 1001, ""), SCRIPT_ERR_STACK_SIZE);
    cr_expect_eq(run_repeated("1 TOALTSTACK", OP_1, 999, ""), SCRIPT_ERR_OK);
    cr_expect_eq(run_repeated("1 TOALTSTACK", OP_1, 1000, ""), SCRIPT_ERR_STACK_SIZE, "both stacks count");
    cr_expect_eq(run_repeated("", OP_1, 998, "3DUP"), SCRIPT_ERR_STACK_SIZE);
    cr_expect_eq(run_repeated("1 0 IF", OP_1, 9000, "ENDIF"), SCRIPT_ERR_OK);
    cr_expect_eq(run_repeated("1 0 IF", OP_1, 9997, "ENDIF"), SCRIPT_ERR_SCRIPT_SIZE);
    cr_expect_eq(run_repeated("0 0 0 20 CHECKMULTISIG", OP_1, 1, ""), SCRIPT_ERR_INVALID_STACK_OPERATION);
    cr_expect_eq(run_repeated("0x4d0802", 0, 520, "DROP 1"), SCRIPT_ERR_OK);
    cr_expect_eq(run_repeated("0x4d0902", 0, 521, "DROP 1"), SCRIPT_ERR_PUSH_SIZE);
    cr_expect_eq(run_repeated("1 0 IF 0x4d0902", 0, 521, "ENDIF"), SCRIPT_ERR_PUSH_SIZE, "skipped ones too");
}

/* SCRIPT in a version 0 witness on COUNT equal items. */
static enum script_error run_wsh(const char *script, struct span item, size_t count, unsigned flags)
{
    struct spend s = {0};
    struct span code = script_text_parse(&s.arena, script), empty = {0};
    struct span *items = arena_alloc_array(&s.arena, count + 1, sizeof(*items));
    for (size_t i = 0; i < count; i++) items[i] = item;
    items[count] = code;
    uint8_t program[34] = {OP_0, 32};
    sha256_once(program + 2, code.data, code.len);
    spend_init(&s, empty, span_of(program, 34), (struct witness){items, count + 1}, 0);
    enum script_error e = spend_verify(&s, flags);
    spend_clear(&s);
    return e;
}

Test(limits, witness_stack)
{
    static const uint8_t bytes[521] = {1};
    struct span one = span_of(bytes, 1);
    cr_expect_eq(run_wsh("1", one, 0, witness_flags), SCRIPT_ERR_OK);
    cr_expect_eq(run_wsh("NOP", one, 1, witness_flags), SCRIPT_ERR_OK);
    cr_expect_eq(run_wsh("NOP", one, 2, witness_flags), SCRIPT_ERR_CLEANSTACK);
    cr_expect_eq(run_wsh("NOP", one, 0, witness_flags), SCRIPT_ERR_CLEANSTACK);
    cr_expect_eq(run_wsh("", one, 5000, witness_flags), SCRIPT_ERR_CLEANSTACK, "no instruction, no limit");
    cr_expect_eq(run_wsh("DROP", one, 1001, witness_flags), SCRIPT_ERR_CLEANSTACK);
    cr_expect_eq(run_wsh("DROP", one, 1002, witness_flags), SCRIPT_ERR_STACK_SIZE);
    cr_expect_eq(run_wsh("3DUP", one, 5000, witness_flags), SCRIPT_ERR_STACK_SIZE);
    cr_expect_eq(run_wsh("TOALTSTACK", one, 5000, witness_flags), SCRIPT_ERR_STACK_SIZE);
    cr_expect_eq(run_wsh("DROP 1", span_of(bytes, 520), 1, witness_flags), SCRIPT_ERR_OK);
    cr_expect_eq(run_wsh("DROP 1", span_of(bytes, 521), 1, witness_flags), SCRIPT_ERR_PUSH_SIZE);
    cr_expect_eq(run_wsh("0xba", one, 3, witness_flags), SCRIPT_ERR_BAD_OPCODE);
    struct span two = span_of((const uint8_t *)"\x02", 1);
    cr_expect_eq(run_wsh("IF 1 ENDIF", two, 1, witness_flags), SCRIPT_ERR_OK);
    cr_expect_eq(run_wsh("IF 1 ENDIF", two, 1, witness_flags | SCRIPT_VERIFY_MINIMALIF), SCRIPT_ERR_MINIMALIF);
}

struct tap_case {
    const char *script;
    struct span items[4];
    size_t count;
    const char *annex;    /* hex, or NULL */
    uint8_t leaf_version; /* 0: tapscript */
};

/* A taproot output with one leaf, spent by its script. */
static enum script_error run_tap(const struct tap_case *c, unsigned flags)
{
    struct spend s = {0};
    struct span items[8], empty = {0};
    size_t n = c->count;
    memcpy(items, c->items, n * sizeof(*items));
    uint8_t version = c->leaf_version ? c->leaf_version : TAPROOT_LEAF_TAPSCRIPT;
    uint8_t leaf[32], tweak[32], control[33], output[34] = {OP_1, 32};
    int parity;
    struct span code = script_text_parse(&s.arena, c->script);
    cr_assert(hex_decode(control + 1, 32, "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"));
    tapleaf_hash(leaf, version, code);
    taptweak_hash(tweak, control + 1, leaf);
    cr_assert(xonly_tweak_add(output + 2, &parity, control + 1, tweak));
    control[0] = (uint8_t)(version | parity);
    items[n++] = code;
    items[n++] = span_of(control, 33);
    if (c->annex) items[n++] = script_text_hex(&s.arena, c->annex);
    spend_init(&s, empty, span_of(output, 34), (struct witness){items, n}, 0);
    enum script_error e = spend_verify(&s, flags);
    spend_clear(&s);
    return e;
}

#define TAP(...)              run_tap(&(const struct tap_case){__VA_ARGS__}, witness_flags)
#define TAP_FLAGS(FLAGS, ...) run_tap(&(const struct tap_case){__VA_ARGS__}, witness_flags | (FLAGS))

Test(limits, tapscript)
{
    static const uint8_t one[] = {1}, two[] = {2}, big[600];
    struct span empty = {0}, sig = span_of(big, 64);
    cr_expect_eq(TAP(.script = "1"), SCRIPT_ERR_OK);
    cr_expect_eq(TAP(.script = "0"), SCRIPT_ERR_EVAL_FALSE);
    cr_expect_eq(TAP(.script = "1", .annex = "50"), SCRIPT_ERR_OK);
    cr_expect_eq(TAP(.script = "1", .annex = "50ffff"), SCRIPT_ERR_OK);
    cr_expect_eq(TAP(.script = "1", .annex = "51"), SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE);
    cr_expect_eq(TAP(.script = "0 0 0 CHECKMULTISIG"), SCRIPT_ERR_TAPSCRIPT_CHECKMULTISIG);
    cr_expect_eq(TAP(.script = "IF 1 ENDIF", .items = {span_of(one, 1)}, .count = 1), SCRIPT_ERR_OK);
    cr_expect_eq(TAP(.script = "IF 1 ENDIF", .items = {span_of(two, 1)}, .count = 1), SCRIPT_ERR_TAPSCRIPT_MINIMALIF);
    cr_expect_eq(TAP(.script = "RETURN 0xbb"), SCRIPT_ERR_OK, "OP_SUCCESS behind a failing opcode");
    cr_expect_eq(TAP(.script = "0xbb 0x4d"), SCRIPT_ERR_OK, "OP_SUCCESS before a broken push");
    cr_expect_eq(TAP(.script = "0x02 0xbb"), SCRIPT_ERR_BAD_OPCODE, "OP_SUCCESS inside a broken push");
    cr_expect_eq(TAP(.script = "0xbb", .items = {span_of(big, 600)}, .count = 1), SCRIPT_ERR_OK);
    cr_expect_eq(TAP(.script = "DROP 1", .items = {span_of(big, 600)}, .count = 1), SCRIPT_ERR_PUSH_SIZE);
    cr_expect_eq(TAP_FLAGS(SCRIPT_VERIFY_DISCOURAGE_OP_SUCCESS, .script = "0xbb"), SCRIPT_ERR_DISCOURAGE_OP_SUCCESS);
    cr_expect_eq(TAP(.script = "RETURN", .leaf_version = 0xc2), SCRIPT_ERR_OK);
    cr_expect_eq(
        TAP_FLAGS(SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION, .script = "RETURN", .leaf_version = 0xc2),
        SCRIPT_ERR_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION);
    cr_expect_eq(TAP(.script = "0 CHECKSIG", .items = {empty}, .count = 1), SCRIPT_ERR_TAPSCRIPT_EMPTY_PUBKEY);
    cr_expect_eq(TAP(.script = "0x02aabb CHECKSIG", .items = {sig}, .count = 1), SCRIPT_ERR_OK, "a key to come");
    cr_expect_eq(TAP(.script = "0x02aabb CHECKSIG NOT", .items = {empty}, .count = 1), SCRIPT_ERR_OK);
    cr_expect_eq(TAP(.script = "5 0x02aabb 0xba 6 EQUAL", .items = {sig}, .count = 1), SCRIPT_ERR_OK);
    cr_expect_eq(TAP(.script = "5 0x02aabb 0xba 5 EQUAL", .items = {empty}, .count = 1), SCRIPT_ERR_OK);
    cr_expect_eq(TAP(.script = "0x05ffffffffff 0x02aabb 0xba", .items = {sig}, .count = 1), SCRIPT_ERR_SCRIPTNUM);
    cr_expect_eq(TAP_FLAGS(SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE, .script = "0x02aabb CHECKSIG",
                           .items = {sig}, .count = 1),
                 SCRIPT_ERR_DISCOURAGE_UPGRADABLE_PUBKEYTYPE);
}

Test(limits, tapscript_signatures)
{
    static const uint8_t zeros[66];
    static const char key[] = "0x20 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798 CHECKSIG";
    cr_expect_eq(TAP(.script = key, .items = {span_of(zeros, 64)}, .count = 1), SCRIPT_ERR_SCHNORR_SIG);
    cr_expect_eq(TAP(.script = key, .items = {span_of(zeros, 63)}, .count = 1), SCRIPT_ERR_SCHNORR_SIG_SIZE);
    cr_expect_eq(TAP(.script = key, .items = {span_of(zeros, 65)}, .count = 1), SCRIPT_ERR_SCHNORR_SIG_HASHTYPE);
    uint8_t sig[65] = {0};
    for (int type = 0; type < 256; type++) {
        sig[64] = (uint8_t)type;
        bool known = (type >= 1 && type <= 3) || (type >= 0x81 && type <= 0x83);
        cr_expect_eq(TAP(.script = key, .items = {span_of(sig, 65)}, .count = 1),
                     known ? SCRIPT_ERR_SCHNORR_SIG : SCRIPT_ERR_SCHNORR_SIG_HASHTYPE, "type %d", type);
    }
}

/* N signature checks with a key to come, which pass but cost budget; the witness has PADDING bytes more. */
static enum script_error run_budget(size_t n, size_t padding)
{
    static const uint8_t bytes[520] = {1};
    struct buffer text = {0};
    buffer_put_str(&text, "DROP");
    for (size_t i = 0; i < n; i++) buffer_put_str(&text, " DUP 1 CHECKSIGVERIFY");
    enum script_error e = run_tap(&(const struct tap_case){.script = buffer_text(&text),
                                                           .items = {span_of(bytes, 1), span_of(bytes, padding)},
                                                           .count = 2},
                                  witness_flags);
    buffer_clear(&text);
    return e;
}

Test(limits, tapscript_budget)
{
    /* Witness: count 1, item 1 + 1, padding 1 + P, script 1 + 1 + 3n, control 1 + 33; 50 more are free. */
    for (size_t n = 2; n < 6; n++) {
        size_t have = 1 + 2 + 1 + 1 + 1 + 3 * n + 34 + 50, need = 50 * n;
        size_t padding = need > have ? need - have : 0;
        cr_expect_eq(run_budget(n, padding), SCRIPT_ERR_OK, "%zu checks", n);
        if (padding) cr_expect_eq(run_budget(n, padding - 1), SCRIPT_ERR_TAPSCRIPT_VALIDATION_WEIGHT, "%zu checks", n);
    }
}

static enum script_error run_program(const char *script, struct witness witness, unsigned flags)
{
    struct spend s = {0};
    struct span empty = {0};
    spend_init(&s, empty, script_text_parse(&s.arena, script), witness, 0);
    enum script_error e = spend_verify(&s, flags);
    spend_clear(&s);
    return e;
}

Test(limits, programs)
{
    static const uint8_t zeros[34];
    struct span item = span_of(zeros, 1);
    struct witness one = {&item, 1}, none = {0};
    unsigned discourage = witness_flags | SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM;
    cr_expect_eq(run_program("0 0x02 0x0101", none, witness_flags), SCRIPT_ERR_WITNESS_PROGRAM_WRONG_LENGTH);
    cr_expect_eq(run_program("2 0x02 0x0101", one, witness_flags), SCRIPT_ERR_OK);
    cr_expect_eq(run_program("2 0x02 0x0101", one, discourage), SCRIPT_ERR_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM);
    cr_expect_eq(run_program("1 0x024e73", one, discourage), SCRIPT_ERR_OK, "pay-to-anchor");
    cr_expect_eq(run_program("1", one, witness_flags), SCRIPT_ERR_WITNESS_UNEXPECTED);
    cr_expect_eq(run_program("1", one, SCRIPT_VERIFY_P2SH), SCRIPT_ERR_OK);
    static const char taproot[] = "1 0x20 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    cr_expect_eq(run_program(taproot, none, witness_flags), SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY);
    cr_expect_eq(run_program(taproot, one, witness_flags), SCRIPT_ERR_SCHNORR_SIG_SIZE);
    cr_expect_eq(run_program(taproot, one, witness_flags & ~(unsigned)SCRIPT_VERIFY_TAPROOT), SCRIPT_ERR_OK);
}
