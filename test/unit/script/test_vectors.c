/* Bitcoin Core's script_tests.json and sighash.json, and the BIP341 vectors. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/random.h"
#include "crypto/secp.h"
#include "primitives/address.h"
#include "script/standard.h"
#include "spend.h"
#include "support/data.h"

enum { FLAG_SETS = 64 }; /* random sets of flags tried on each case */

/* The x coordinate of the generator: the key that the generated taproot outputs start from. */
static const char internal_hex[] = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

struct script_case {
    struct span items[16];
    size_t count;
    amount_sat value;
    uint8_t control[33];
    uint8_t output[34];
};

static void make_taproot(struct script_case *c)
{
    uint8_t leaf[32], tweak[32], internal[32];
    int parity;
    cr_assert(hex_decode(internal, 32, internal_hex));
    tapleaf_hash(leaf, TAPROOT_LEAF_TAPSCRIPT, c->items[c->count - 1]);
    taptweak_hash(tweak, internal, leaf);
    c->output[0] = OP_1;
    c->output[1] = 32;
    cr_assert(xonly_tweak_add(c->output + 2, &parity, internal, tweak));
    c->control[0] = (uint8_t)(TAPROOT_LEAF_TAPSCRIPT | parity);
    memcpy(c->control + 1, internal, 32);
    c->items[c->count++] = span_of(c->control, 33);
}

static void read_witness(struct script_case *c, struct arena *arena, const json_t *list)
{
    size_t n = json_array_size(list) - 1;
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        cr_assert(text && c->count < ARRAY_LEN(c->items));
        if (!strncmp(text, "#SCRIPT#", 8))
            c->items[c->count++] = script_text_parse(arena, text + 8);
        else if (!strcmp(text, "#CONTROLBLOCK#"))
            make_taproot(c);
        else
            c->items[c->count++] = script_text_hex(arena, text);
    }
    c->value = (amount_sat)(json_number_value(json_array_get(list, n)) * 1e8 + 0.5);
}

/* Fewer flags never make a valid spend invalid, more never make an invalid one valid. */
static void check_flag_sets(const struct spend *s, unsigned flags, bool valid, struct random *r, const char *name)
{
    for (int i = 0; i < FLAG_SETS; i++) {
        unsigned extra = (unsigned)random_u64(r) & SCRIPT_VERIFY_ALL;
        unsigned f = valid ? flags & ~extra : flags | extra;
        if (f != script_flags_fill(f)) continue;
        cr_assert_eq(spend_verify(s, f) == SCRIPT_ERR_OK, valid, "%s with flags %x", name, f);
    }
}

static bool run_case(const json_t *test, struct random *r)
{
    struct spend s = {0};
    struct script_case c = {0};
    size_t at = 0;
    if (json_is_array(json_array_get(test, 0))) read_witness(&c, &s.arena, json_array_get(test, at++));
    if (json_array_size(test) < 4 + at) {
        arena_clear(&s.arena);
        return false;
    }
    const char *sig = json_string_value(json_array_get(test, at));
    const char *pubkey = json_string_value(json_array_get(test, at + 1));
    unsigned flags = script_flags_fill(script_text_flags(json_string_value(json_array_get(test, at + 2))));
    const char *want = json_string_value(json_array_get(test, at + 3));
    struct span script_sig = script_text_parse(&s.arena, sig);
    bool generated = !strcmp(pubkey, "0x51 0x20 #TAPROOTOUTPUT#");
    struct span script_pubkey = generated ? span_of(c.output, 34) : script_text_parse(&s.arena, pubkey);
    spend_init(&s, script_sig, script_pubkey, (struct witness){.items = c.items, .count = c.count}, c.value);
    enum script_error e = spend_verify(&s, flags);
    char *name = json_dumps(test, JSON_COMPACT);
    cr_assert_str_eq(script_error_name(e), want, "%s", name);
    check_flag_sets(&s, flags, e == SCRIPT_ERR_OK, r, name);
    free(name);
    spend_clear(&s);
    return true;
}

Test(vectors, script_tests)
{
    if (!data_present(CAIRN_TEST_DATA, "script_tests")) return;
    json_t *tests = data_json(CAIRN_TEST_DATA, "vectors/core/script_tests.json");
    struct random r;
    random_init_u64(&r, 1);
    size_t ran = 0;
    for (size_t i = 0; i < json_array_size(tests); i++) ran += run_case(json_array_get(tests, i), &r);
    printf("script_tests.json: %zu cases\n", ran);
    cr_assert_gt(ran, 1200);
    json_decref(tests);
}

Test(vectors, sighash)
{
    if (!data_present(CAIRN_TEST_DATA, "sighash")) return;
    json_t *tests = data_json(CAIRN_TEST_DATA, "vectors/core/sighash.json");
    size_t ran = 0;
    for (size_t i = 0; i < json_array_size(tests); i++) {
        const json_t *test = json_array_get(tests, i);
        if (json_array_size(test) < 5) continue;
        struct arena arena = {0};
        struct tx tx;
        struct span raw = script_text_hex(&arena, json_string_value(json_array_get(test, 0)));
        struct span code = script_text_hex(&arena, json_string_value(json_array_get(test, 1)));
        cr_assert(tx_parse(&tx, raw, &arena, 0), "case %zu", i);
        uint8_t hash[32], want[32];
        sighash_legacy(hash, &tx, (size_t)json_integer_value(json_array_get(test, 2)), code,
                       (int32_t)json_integer_value(json_array_get(test, 3)));
        cr_assert(hex_decode_reversed(want, 32, json_string_value(json_array_get(test, 4))));
        cr_assert_arr_eq(hash, want, 32, "case %zu", i);
        arena_clear(&arena);
        ran++;
    }
    printf("sighash.json: %zu cases\n", ran);
    cr_assert_eq(ran, 500);
    json_decref(tests);
}

static void assert_hex(const uint8_t *bytes, size_t len, const json_t *want, const char *what)
{
    struct buffer b = {0};
    hex_append(&b, span_of(bytes, len));
    cr_assert_str_eq(buffer_text(&b), json_string_value(want), "%s", what);
    buffer_clear(&b);
}

static void tree_root(uint8_t out[32], struct arena *arena, const json_t *node)
{
    if (json_is_array(node)) {
        uint8_t left[32], right[32];
        tree_root(left, arena, json_array_get(node, 0));
        tree_root(right, arena, json_array_get(node, 1));
        tapbranch_hash(out, left, right);
        return;
    }
    struct span script = script_text_hex(arena, json_string_value(json_object_get(node, "script")));
    tapleaf_hash(out, (uint8_t)json_integer_value(json_object_get(node, "leafVersion")), script);
}

/* Each control block must lead from its leaf to the output. */
static size_t check_controls(struct arena *arena, const json_t *node, const json_t *controls, const uint8_t output[32])
{
    if (json_is_array(node))
        return check_controls(arena, json_array_get(node, 0), controls, output) +
               check_controls(arena, json_array_get(node, 1), controls, output);
    uint8_t leaf[32];
    size_t id = (size_t)json_integer_value(json_object_get(node, "id"));
    struct span control = script_text_hex(arena, json_string_value(json_array_get(controls, id)));
    tree_root(leaf, arena, node);
    cr_assert(taproot_control_has_valid_size(control));
    cr_assert(taproot_commits_to(output, control, leaf));
    leaf[0] ^= 1;
    cr_assert(!taproot_commits_to(output, control, leaf));
    return 1;
}

Test(vectors, bip341_script_pubkeys)
{
    if (!data_present(CAIRN_TEST_DATA, "bip341_script_pubkeys")) return;
    json_t *all = data_json(CAIRN_TEST_DATA, "vectors/core/bip341_wallet_vectors.json");
    const json_t *cases = json_object_get(all, "scriptPubKey");
    size_t controls = 0;
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *c = json_array_get(cases, i);
        const json_t *given = json_object_get(c, "given"), *want = json_object_get(c, "expected");
        const json_t *steps = json_object_get(c, "intermediary"), *tree = json_object_get(given, "scriptTree");
        struct arena arena = {0};
        struct span key = script_text_hex(&arena, json_string_value(json_object_get(given, "internalPubkey")));
        uint8_t root[32], tweak[32], script[34] = {OP_1, 32};
        int parity;
        bool has_tree = !json_is_null(tree);
        if (has_tree) {
            tree_root(root, &arena, tree);
            assert_hex(root, 32, json_object_get(steps, "merkleRoot"), "merkle root");
        }
        taptweak_hash(tweak, key.data, has_tree ? root : NULL);
        assert_hex(tweak, 32, json_object_get(steps, "tweak"), "tweak");
        cr_assert(xonly_tweak_add(script + 2, &parity, key.data, tweak));
        assert_hex(script, 34, json_object_get(want, "scriptPubKey"), "scriptPubKey");
        if (has_tree)
            controls += check_controls(&arena, tree, json_object_get(want, "scriptPathControlBlocks"), script + 2);
        arena_clear(&arena);
    }
    printf("bip341 scriptPubKey: %zu cases, %zu control blocks\n", json_array_size(cases), controls);
    cr_assert_eq(json_array_size(cases), 7);
    json_decref(all);
}

static void check_key_path(const struct script_tx *t, const json_t *input, struct arena *arena)
{
    const json_t *given = json_object_get(input, "given"), *steps = json_object_get(input, "intermediary");
    size_t index = (size_t)json_integer_value(json_object_get(given, "txinIndex"));
    uint8_t type = (uint8_t)json_integer_value(json_object_get(given, "hashType"));
    const struct taproot_context context = {.codesep_pos = UINT32_MAX};
    uint8_t hash[32];
    cr_assert(sighash_taproot(hash, t, index, type, &context));
    assert_hex(hash, 32, json_object_get(steps, "sigHash"), "signature hash");
    const json_t *witness = json_object_get(json_object_get(input, "expected"), "witness");
    struct span *sig = arena_alloc(arena, sizeof(*sig));
    *sig = script_text_hex(arena, json_string_value(json_array_get(witness, 0)));
    const struct witness w = {.items = sig, .count = 1};
    unsigned flags = SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_TAPROOT;
    struct span empty = {0};
    enum script_error e = script_verify(empty, t->spent[index].script_pubkey, &w, t, index, 0, flags, NULL);
    cr_assert_eq(e, SCRIPT_ERR_OK, "input %zu: %s", index, script_error_name(e));
    uint8_t *bytes = (uint8_t *)sig->data;
    bytes[40] ^= 1;
    e = script_verify(empty, t->spent[index].script_pubkey, &w, t, index, 0, flags, NULL);
    cr_assert_eq(e, SCRIPT_ERR_SCHNORR_SIG);
}

Test(vectors, bip341_key_path)
{
    if (!data_present(CAIRN_TEST_DATA, "bip341_key_path")) return;
    json_t *all = data_json(CAIRN_TEST_DATA, "vectors/core/bip341_wallet_vectors.json");
    const json_t *c = json_array_get(json_object_get(all, "keyPathSpending"), 0);
    const json_t *given = json_object_get(c, "given"), *steps = json_object_get(c, "intermediary");
    const json_t *utxos = json_object_get(given, "utxosSpent"), *inputs = json_object_get(c, "inputSpending");
    struct arena arena = {0};
    struct tx tx;
    struct span raw = script_text_hex(&arena, json_string_value(json_object_get(given, "rawUnsignedTx")));
    cr_assert(tx_parse(&tx, raw, &arena, 0));
    struct tx_out spent[16];
    for (size_t i = 0; i < json_array_size(utxos); i++) {
        const json_t *u = json_array_get(utxos, i);
        spent[i].value = json_integer_value(json_object_get(u, "amountSats"));
        spent[i].script_pubkey = script_text_hex(&arena, json_string_value(json_object_get(u, "scriptPubKey")));
    }
    struct script_tx t;
    script_tx_init_all(&t, &tx, spent);
    assert_hex(t.mid.amounts, 32, json_object_get(steps, "hashAmounts"), "amounts");
    assert_hex(t.mid.outputs, 32, json_object_get(steps, "hashOutputs"), "outputs");
    assert_hex(t.mid.prevouts, 32, json_object_get(steps, "hashPrevouts"), "prevouts");
    assert_hex(t.mid.script_pubkeys, 32, json_object_get(steps, "hashScriptPubkeys"), "scriptPubKeys");
    assert_hex(t.mid.sequences, 32, json_object_get(steps, "hashSequences"), "sequences");
    for (size_t i = 0; i < json_array_size(inputs); i++) check_key_path(&t, json_array_get(inputs, i), &arena);
    printf("bip341 keyPathSpending: %zu inputs\n", json_array_size(inputs));
    cr_assert_eq(json_array_size(inputs), 7);
    arena_clear(&arena);
    json_decref(all);
}
