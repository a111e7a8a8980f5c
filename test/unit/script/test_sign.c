/* Signing: every template verifies, several signers meet in any order, and the vectors of BIP143 and BIP341. */
#include <criterion/criterion.h>

#include "base/hex.h"
#include "crypto/ripemd160.h"
#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "primitives/address.h"
#include "script/interp.h"
#include "script/sign.h"
#include "script/taproot.h"
#include "support/data.h"
#include "support/script_text.h"

enum {
    FLAGS = SCRIPT_VERIFY_ALL & ~SCRIPT_VERIFY_SIGPUSHONLY,
    KEYS = 6,
    VALUE = 100000,
};

/* Two inputs of the same sort, two outputs. */
struct job {
    struct arena arena;
    struct sign_keys keys;
    struct tx_in in[2];
    struct tx_out out[2];
    struct tx_out spent[2];
    const struct tx_out *spent_at[2];
    const char *errors[2];
    struct tx tx;
};

static void secret_of(uint8_t out[32], int number)
{
    memset(out, 0, 32);
    out[31] = (uint8_t)(number + 1);
    sha256_once(out, out, 32);
}

static struct span key_of(struct arena *arena, int number, bool compressed)
{
    uint8_t secret[32], *key = arena_alloc(arena, 65);
    secret_of(secret, number);
    cr_assert(pubkey_of_secret(key, secret));
    if (!compressed) cr_assert(pubkey_uncompress(key, span_of(key, 33)));
    return span_of(key, compressed ? 33 : 65);
}

static void job_init(struct job *j, struct span script)
{
    for (int i = 0; i < 2; i++) {
        j->in[i] = (struct tx_in){.prevout = {.index = (uint32_t)i}, .sequence = 7};
        j->spent[i] = (struct tx_out){.value = VALUE + i, .script_pubkey = script};
        j->spent_at[i] = &j->spent[i];
        j->out[i] = (struct tx_out){.value = VALUE - i, .script_pubkey = script};
    }
    j->tx = (struct tx){.version = 2, .in = j->in, .in_count = 2, .out = j->out, .out_count = 2};
    tx_hash(&j->tx);
}

static void job_key(struct job *j, int number, bool compressed)
{
    uint8_t secret[32];
    secret_of(secret, number);
    cr_assert(sign_keys_add(&j->keys, secret, compressed));
}

static void job_clear(struct job *j)
{
    sign_keys_clear(&j->keys);
    arena_clear(&j->arena);
}

static bool job_sign(struct job *j, int hash_type)
{
    return sign_tx(&j->tx, j->spent_at, &j->keys, hash_type, FLAGS, &j->arena, j->errors);
}

static bool job_verifies(struct job *j, size_t index)
{
    struct script_tx t;
    script_tx_init(&t, &j->tx, j->spent);
    enum script_error fast = script_verify_input(&t, index, FLAGS, NULL);
    enum script_error plain = script_verify_plain(j->in[index].script_sig, j->spent[index].script_pubkey,
                                                  &j->in[index].witness, &t, index, j->spent[index].value, FLAGS, NULL);
    cr_expect_eq(fast, plain);
    return fast == SCRIPT_ERR_OK;
}

/* ---- scripts ---- */

static struct span finish(struct arena *arena, struct buffer *b)
{
    uint8_t *copy = arena_alloc(arena, b->len);
    memcpy(copy, b->data, b->len);
    struct span s = span_of(copy, b->len);
    buffer_clear(b);
    return s;
}

static struct span p2pk(struct arena *arena, struct span key)
{
    struct buffer b = {0};
    script_put_push(&b, key);
    buffer_put_u8(&b, OP_CHECKSIG);
    return finish(arena, &b);
}

static struct span paying(struct arena *arena, enum destination_kind kind, struct span bytes)
{
    struct destination d = {.kind = kind, .len = 20};
    struct buffer b = {0};
    if (kind == DEST_WITNESS_V0_SCRIPTHASH) {
        d.len = 32;
        sha256_once(d.program, bytes.data, bytes.len);
    } else {
        hash160(d.program, bytes.data, bytes.len);
    }
    destination_script(&b, &d);
    return finish(arena, &b);
}

static struct span multisig(struct arena *arena, int required, int count)
{
    struct buffer b = {0};
    script_put_int(&b, required);
    for (int i = 0; i < count; i++) script_put_push(&b, key_of(arena, i, true));
    script_put_int(&b, count);
    buffer_put_u8(&b, OP_CHECKMULTISIG);
    return finish(arena, &b);
}

static struct span p2tr(struct arena *arena, const uint8_t output[32])
{
    struct buffer b = {0};
    buffer_put_u8(&b, OP_1);
    script_put_push(&b, span_of(output, 32));
    return finish(arena, &b);
}

/* ---- every template ---- */

enum wrap { BARE, P2SH, P2WSH, P2SH_P2WSH, WRAPS };

/* The output that pays to SCRIPT, whose parts are made known. */
static struct span wrapped(struct job *j, struct span script, enum wrap wrap)
{
    if (wrap == BARE) return script;
    sign_keys_add_script(&j->keys, script);
    if (wrap == P2SH) return paying(&j->arena, DEST_P2SH, script);
    struct span program = paying(&j->arena, DEST_WITNESS_V0_SCRIPTHASH, script);
    if (wrap == P2WSH) return program;
    sign_keys_add_script(&j->keys, program);
    return paying(&j->arena, DEST_P2SH, program);
}

static void check_template(struct job *j, struct span script, int hash_type, const char *what)
{
    int base = hash_type & ~SIGHASH_ANYONECANPAY;
    job_init(j, script);
    cr_assert(job_sign(j, hash_type), "%s %#x: %s", what, (unsigned)hash_type, j->errors[0]);
    for (size_t i = 0; i < 2; i++) {
        cr_assert_null(j->errors[i]);
        cr_assert(job_verifies(j, i), "%s %#x", what, (unsigned)hash_type);
    }
    cr_assert(job_sign(j, hash_type), "signing what is signed");
    /* What the type commits to may not change, and what it does not may. */
    j->out[1].value++;
    cr_expect_eq(job_verifies(j, 0), base == SIGHASH_NONE || base == SIGHASH_SINGLE, "%s %#x", what,
                 (unsigned)hash_type);
    cr_expect_eq(job_verifies(j, 1), base == SIGHASH_NONE, "%s %#x", what, (unsigned)hash_type);
    j->out[1].value--;
    j->in[1].prevout.index = 9;
    cr_expect_eq(job_verifies(j, 0), (hash_type & SIGHASH_ANYONECANPAY) != 0, "%s %#x", what, (unsigned)hash_type);
    j->in[0].prevout.index = 9;
    cr_expect_not(job_verifies(j, 0));
}

static const int hash_types[] = {SIGHASH_DEFAULT,
                                 SIGHASH_ALL,
                                 SIGHASH_NONE,
                                 SIGHASH_SINGLE,
                                 SIGHASH_ALL | SIGHASH_ANYONECANPAY,
                                 SIGHASH_NONE | SIGHASH_ANYONECANPAY,
                                 SIGHASH_SINGLE | SIGHASH_ANYONECANPAY};

static void each_type(void (*check)(int hash_type))
{
    for (size_t i = 0; i < ARRAY_LEN(hash_types); i++) check(hash_types[i]);
}

static void one_key(int hash_type)
{
    for (int wrap = BARE; wrap < WRAPS; wrap++) {
        for (int form = 0; form < 4; form++) {
            bool compressed = form & 1;
            if (!compressed && wrap >= P2WSH) continue;
            struct job j = {0};
            struct span key = key_of(&j.arena, 0, compressed);
            struct span script = form & 2 ? p2pk(&j.arena, key) : paying(&j.arena, DEST_P2PKH, key);
            job_key(&j, 0, compressed);
            check_template(&j, wrapped(&j, script, (enum wrap)wrap), hash_type, form & 2 ? "p2pk" : "p2pkh");
            job_clear(&j);
        }
    }
}

Test(sign, one_key)
{
    each_type(one_key);
}

static void witness_key_hash(int hash_type)
{
    for (int nested = 0; nested < 2; nested++) {
        struct job j = {0};
        struct span script = paying(&j.arena, DEST_WITNESS_V0_KEYHASH, key_of(&j.arena, 0, true));
        job_key(&j, 0, true);
        check_template(&j, wrapped(&j, script, nested ? P2SH : BARE), hash_type, "p2wpkh");
        job_clear(&j);
    }
}

Test(sign, witness_key_hash)
{
    each_type(witness_key_hash);
}

static void multisigs(int hash_type)
{
    for (int wrap = BARE; wrap < WRAPS; wrap++) {
        struct job j = {0};
        job_key(&j, 0, true);
        job_key(&j, 2, true);
        check_template(&j, wrapped(&j, multisig(&j.arena, 2, 3), (enum wrap)wrap), hash_type, "multisig");
        job_clear(&j);
    }
}

Test(sign, multisigs)
{
    each_type(multisigs);
}

static void taproot_key_path(int hash_type)
{
    static const uint8_t root[32] = {1, 2, 3};
    for (int form = 0; form < 3; form++) { /* the output's own key; a tweaked one; one with scripts */
        struct job j = {0};
        const uint8_t *xonly = key_of(&j.arena, 0, true).data + 1;
        job_key(&j, 0, true);
        if (form) cr_assert(sign_keys_add_taproot(&j.keys, xonly, form == 2 ? root : NULL));
        check_template(&j, p2tr(&j.arena, form ? j.keys.taproots[0].output : xonly), hash_type, "p2tr");
        cr_expect_eq(j.in[0].witness.items[0].len, hash_type == SIGHASH_DEFAULT ? 64u : 65u);
        job_clear(&j);
    }
}

Test(sign, taproot_key_path)
{
    each_type(taproot_key_path);
}

Test(sign, anchors_need_nothing)
{
    struct job j = {0};
    job_init(&j, script_text_hex(&j.arena, "51024e73"));
    cr_expect(job_sign(&j, SIGHASH_ALL));
    cr_expect_eq(j.in[0].witness.count + j.in[0].script_sig.len, 0u);
    job_clear(&j);
}

/* ---- what cannot be signed ---- */

static void expect_error(struct job *j, int hash_type, const char *want)
{
    cr_expect_not(job_sign(j, hash_type));
    cr_expect_str_eq(j->errors[0] ? j->errors[0] : "none", want);
}

Test(sign, errors)
{
    struct job j = {0};
    struct span key = key_of(&j.arena, 0, true), other = key_of(&j.arena, 1, true);
    job_key(&j, 0, true);
    job_init(&j, paying(&j.arena, DEST_P2PKH, other));
    expect_error(&j, SIGHASH_ALL, "Unable to sign input, invalid stack size (possibly missing key)");
    job_init(&j, paying(&j.arena, DEST_WITNESS_V0_KEYHASH, other));
    expect_error(&j, SIGHASH_ALL, "Witness program hash mismatch");
    job_init(&j, paying(&j.arena, DEST_P2SH, p2pk(&j.arena, key)));
    expect_error(&j, SIGHASH_ALL, "Unable to sign input, invalid stack size (possibly missing key)");
    job_init(&j, multisig(&j.arena, 2, 3));
    expect_error(&j, SIGHASH_ALL, "CHECK(MULTI)SIG failing with non-zero signature (possibly need more signatures)");
    job_init(&j, script_text_hex(&j.arena, "6a"));
    expect_error(&j, SIGHASH_ALL, "OP_RETURN was encountered");

    job_init(&j, paying(&j.arena, DEST_P2PKH, key));
    j.spent_at[0] = NULL;
    expect_error(&j, SIGHASH_ALL, "Input not found or already spent");
    cr_expect_null(j.errors[1], "the other input is signed all the same");
    job_init(&j, paying(&j.arena, DEST_WITNESS_V0_KEYHASH, key));
    j.spent[0].value = MAX_MONEY_SAT;
    expect_error(&j, SIGHASH_ALL, "Missing amount");
    job_clear(&j);
}

Test(sign, single_needs_its_output)
{
    struct job j = {0};
    job_key(&j, 0, true);
    job_init(&j, paying(&j.arena, DEST_P2PKH, key_of(&j.arena, 0, true)));
    j.tx.out_count = 1;
    cr_expect_not(job_sign(&j, SIGHASH_SINGLE));
    cr_expect_null(j.errors[0]);
    cr_expect_eq(j.in[1].script_sig.len, 0u, "no signature for anything");
    job_clear(&j);
}

Test(sign, uncompressed_keys_stay_out_of_witnesses)
{
    struct job j = {0};
    struct span key = key_of(&j.arena, 0, false);
    job_key(&j, 0, false);
    job_init(&j, paying(&j.arena, DEST_WITNESS_V0_KEYHASH, key));
    cr_expect_not(job_sign(&j, SIGHASH_ALL));
    job_init(&j, wrapped(&j, p2pk(&j.arena, key), P2WSH));
    cr_expect_not(job_sign(&j, SIGHASH_ALL));
    job_clear(&j);
}

Test(sign, taproot_needs_all_outputs)
{
    struct job j = {0};
    job_key(&j, 0, true);
    job_init(&j, p2tr(&j.arena, key_of(&j.arena, 0, true).data + 1));
    j.spent_at[1] = NULL;
    cr_expect_not(job_sign(&j, SIGHASH_ALL));
    cr_expect_eq(j.in[0].witness.count, 0u);
    job_clear(&j);
}

Test(sign, secrets_out_of_range)
{
    struct sign_keys keys = {0};
    uint8_t secret[32] = {0};
    cr_expect_not(sign_keys_add(&keys, secret, true));
    memset(secret, 0xff, 32);
    cr_expect_not(sign_keys_add(&keys, secret, false));
    cr_expect_eq(keys.key_count, 0u);
    sign_keys_clear(&keys);
}

/* ---- several signers ---- */

static struct buffer bytes_of_tx(const struct tx *tx)
{
    struct buffer b = {0};
    tx_write(&b, tx);
    return b;
}

/* SIGNERS (three keys) sign one after the other; the result must be WANT where that is not empty yet. */
static void sign_in_turn(enum wrap wrap, const int signers[3], struct buffer *want)
{
    struct job j = {0};
    struct span script = multisig(&j.arena, 3, 5), pubkey = wrapped(&j, script, wrap);
    job_init(&j, pubkey);
    for (int i = 0; i < 3; i++) {
        sign_keys_clear(&j.keys);
        (void)wrapped(&j, script, i ? BARE : wrap); /* later ones find the scripts in the input */
        job_key(&j, signers[i], true);
        cr_assert_eq(job_sign(&j, SIGHASH_ALL), i == 2, "wrap %d (%s): signer %d of %d %d %d", wrap, j.errors[0], i,
                     signers[0], signers[1], signers[2]);
    }
    cr_assert(job_verifies(&j, 0) && job_verifies(&j, 1));
    struct buffer got = bytes_of_tx(&j.tx);
    if (want->len)
        cr_expect(span_equal(buffer_span(&got), buffer_span(want)));
    else
        buffer_put_span(want, buffer_span(&got));
    buffer_clear(&got);
    job_clear(&j);
}

Test(sign, in_turn_in_any_order)
{
    static const int orders[][3] = {{0, 2, 4}, {0, 4, 2}, {2, 0, 4}, {2, 4, 0}, {4, 0, 2}, {4, 2, 0}};
    for (int wrap = BARE; wrap < WRAPS; wrap++) {
        struct buffer want = {0};
        for (size_t i = 0; i < ARRAY_LEN(orders); i++) sign_in_turn((enum wrap)wrap, orders[i], &want);
        buffer_clear(&want);
    }
}

/* Each of the signers signs a copy of his own; the copies are merged in the given order. */
static void sign_apart(enum wrap wrap, const int signers[3])
{
    static const struct sign_keys none;
    struct job j[3] = {0};
    struct script_tx t;
    struct sign_data all = {0}, one;
    for (int i = 0; i < 3; i++) {
        job_init(&j[i], wrapped(&j[i], multisig(&j[i].arena, 3, 5), wrap));
        job_key(&j[i], signers[i], true);
        cr_assert_not(job_sign(&j[i], SIGHASH_ALL));
    }
    script_tx_init_all(&t, &j[0].tx, j[0].spent);
    struct sign_input in = {.t = &t, .index = 0, .spent = &j[0].spent[0], .flags = FLAGS, .arena = &j[0].arena};
    for (int i = 0; i < 3; i++) {
        sign_data_read(&one, &in, j[i].in[0].script_sig, &j[i].in[0].witness);
        cr_expect_eq(one.sig_count, 1u);
        sign_data_merge(&all, &one);
        cr_expect_eq(all.sig_count, (size_t)i + 1);
        cr_expect_eq(sign_data_make(&all, &in, &none, SIGHASH_ALL), i == 2);
    }
    for (int i = 0; i < 3; i++) job_clear(&j[i]);
}

Test(sign, apart_and_merged)
{
    static const int orders[][3] = {{0, 2, 4}, {4, 2, 0}, {2, 4, 0}};
    for (int wrap = BARE; wrap < WRAPS; wrap++) {
        for (size_t i = 0; i < ARRAY_LEN(orders); i++) sign_apart((enum wrap)wrap, orders[i]);
    }
}

/* An incomplete scriptSig has Bitcoin Core's form, so that both tell others the same. */
Test(sign, places_of_missing_signatures)
{
    static const size_t places[] = {1 + 2, 1 + 1, 1 + 1, 1}; /* and the element too many */
    for (size_t signers = 0; signers < ARRAY_LEN(places); signers++) {
        struct job j = {0};
        for (size_t i = 0; i < signers; i++) job_key(&j, (int)i, true);
        job_init(&j, wrapped(&j, multisig(&j.arena, 3, 5), P2WSH));
        cr_expect_eq(job_sign(&j, SIGHASH_ALL), signers == 3);
        cr_expect_eq(j.in[0].witness.count, signers + places[signers] + 1, "%zu signers", signers);
        job_clear(&j);
    }
}

Test(sign, foreign_signatures_are_not_taken)
{
    struct job j = {0};
    job_key(&j, 0, true);
    job_init(&j, multisig(&j.arena, 2, 3));
    cr_assert_not(job_sign(&j, SIGHASH_ALL));
    j.out[0].value--; /* the signature that is there is for another transaction now */
    sign_keys_clear(&j.keys);
    job_key(&j, 1, true);
    cr_assert_not(job_sign(&j, SIGHASH_ALL));
    sign_keys_clear(&j.keys);
    job_key(&j, 2, true);
    cr_expect(job_sign(&j, SIGHASH_ALL), "two good ones");
    cr_expect(job_verifies(&j, 0));
    job_clear(&j);
}

/* ---- vectors ---- */

static void add_secret(struct sign_keys *keys, const char *hex)
{
    uint8_t secret[32];
    cr_assert(hex_decode(secret, 32, hex));
    cr_assert(sign_keys_add(keys, secret, true));
}

static void expect_hex(struct span got, const char *want)
{
    struct buffer hex = {0};
    hex_append(&hex, got);
    cr_expect_str_eq(buffer_text(&hex), want);
    buffer_clear(&hex);
}

/* BIP143's example of native P2WPKH, whose signature has a low R by itself; its first input is a p2pk. */
Test(sign, bip143_p2wpkh)
{
    struct arena arena = {0};
    struct sign_keys keys = {0};
    struct tx tx;
    const char *errors[2];
    cr_assert(tx_parse(
        &tx,
        script_text_hex(&arena,
                        "0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000eeff"
                        "ffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff0220"
                        "2cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a914"
                        "3bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac11000000"),
        &arena, 0));
    struct tx_out spent[2] = {
        {625000000, script_text_hex(&arena, "2103c9f4836b9a4f77fc0d81f7bcb01b7f1b35916864b9476c241ce9fc198bd25432ac")},
        {600000000, script_text_hex(&arena, "00141d0f172a0ecb48aee1be1f2687d2963ae33f71a1")}};
    const struct tx_out *at[2] = {&spent[0], &spent[1]};
    add_secret(&keys, "bbc27228ddcb9209d7fd6f36b02f7dfa6252af40bb2f1cbc7a557da8027ff866");
    add_secret(&keys, "619c335025c7f4012e556c2a58b2506e30b8511b53ade95ea316fd8c3286feb9");
    cr_assert(sign_tx(&tx, at, &keys, SIGHASH_ALL, FLAGS, &arena, errors));
    cr_expect_eq(tx.in[1].witness.count, 2u);
    expect_hex(
        tx.in[1].witness.items[0],
        "304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e"
        "8f3358f51928d43c212a8caed02de67eebee01");
    expect_hex(tx.in[1].witness.items[1], "025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee6357");
    sign_keys_clear(&keys);
    arena_clear(&arena);
}

/* The same of P2SH-P2WPKH. */
Test(sign, bip143_p2sh_p2wpkh)
{
    struct arena arena = {0};
    struct sign_keys keys = {0};
    struct tx tx;
    const char *errors[1];
    cr_assert(tx_parse(
        &tx,
        script_text_hex(&arena,
                        "0100000001db6b1b20aa0fd7b23880be2ecbd4a98130974cf4748fb66092ac4d3ceb1a54770100000000feff"
                        "ffff02b8b4eb0b000000001976a914a457b684d7f0d539a46a45bbc043f35b59d0d96388ac0008af2f00000000"
                        "1976a914fd270b1ee6abcaea97fea7ad0402e8bd8ad6d77c88ac92040000"),
        &arena, 0));
    struct tx_out spent = {1000000000, script_text_hex(&arena, "a9144733f37cf4db86fbc2efed2500b4f4e49f31202387")};
    const struct tx_out *at = &spent;
    add_secret(&keys, "eb696a065ef48a2192da5b28b694f87544b30fae8327c4510137a922f32c6dcf");
    sign_keys_add_script(&keys, script_text_hex(&arena, "001479091972186c449eb1ded22b78e40d009bdf0089"));
    cr_assert(sign_tx(&tx, &at, &keys, SIGHASH_ALL, FLAGS, &arena, errors));
    expect_hex(tx.in[0].script_sig, "16001479091972186c449eb1ded22b78e40d009bdf0089");
    expect_hex(
        tx.in[0].witness.items[0],
        "3044022047ac8e878352d3ebbde1c94ce3a10d057c24175747116f8288e5d794d12d482f0220217f36a485cae903c713331d877c"
        "1f64677e3622ad4010726870540656fe9dcb01");
    sign_keys_clear(&keys);
    arena_clear(&arena);
}

static const char *str_at(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

static void bip341_input(const struct tx *tx, const struct tx_out *spent, const json_t *v)
{
    static const struct witness no_witness;
    const json_t *given = json_object_get(v, "given");
    uint8_t secret[32], key[33], root[32];
    struct arena arena = {0};
    struct sign_keys keys = {0};
    struct sign_data data;
    struct script_tx t;
    size_t index = (size_t)json_integer_value(json_object_get(given, "txinIndex"));
    const char *root_hex = str_at(given, "merkleRoot");
    cr_assert(hex_decode(secret, 32, str_at(given, "internalPrivkey")));
    cr_assert(pubkey_of_secret(key, secret) && sign_keys_add(&keys, secret, true));
    if (root_hex) cr_assert(hex_decode(root, 32, root_hex));
    cr_assert(sign_keys_add_taproot(&keys, key + 1, root_hex ? root : NULL));
    script_tx_init_all(&t, tx, spent);
    struct sign_input in = {.t = &t, .index = index, .spent = &spent[index], .flags = FLAGS, .arena = &arena};
    sign_data_read(&data, &in, span_of(NULL, 0), &no_witness);
    cr_assert(sign_data_make(&data, &in, &keys, (int)json_integer_value(json_object_get(given, "hashType"))));
    cr_assert_eq(data.witness.count, 1u);
    const json_t *want = json_object_get(json_object_get(v, "expected"), "witness");
    expect_hex(data.witness.items[0], json_string_value(json_array_get(want, 0)));
    sign_keys_clear(&keys);
    arena_clear(&arena);
}

Test(sign, bip341_vectors)
{
    if (!data_present(CAIRN_TEST_DATA, "BIP341 wallet vectors")) return;
    json_t *all = data_json(CAIRN_TEST_DATA, "vectors/core/bip341_wallet_vectors.json");
    const json_t *v = json_array_get(json_object_get(all, "keyPathSpending"), 0), *given = json_object_get(v, "given");
    const json_t *outputs = json_object_get(given, "utxosSpent"), *inputs = json_object_get(v, "inputSpending");
    struct arena arena = {0};
    struct tx tx;
    cr_assert(tx_parse(&tx, script_text_hex(&arena, str_at(given, "rawUnsignedTx")), &arena, 0));
    cr_assert_eq(json_array_size(outputs), tx.in_count);
    struct tx_out *spent = arena_alloc_array(&arena, tx.in_count, sizeof *spent);
    for (size_t i = 0; i < tx.in_count; i++) {
        const json_t *o = json_array_get(outputs, i);
        spent[i] = (struct tx_out){json_integer_value(json_object_get(o, "amountSats")),
                                   script_text_hex(&arena, str_at(o, "scriptPubKey"))};
    }
    cr_assert_eq(json_array_size(inputs), 7u);
    for (size_t i = 0; i < json_array_size(inputs); i++) bip341_input(&tx, spent, json_array_get(inputs, i));
    arena_clear(&arena);
    json_decref(all);
}
