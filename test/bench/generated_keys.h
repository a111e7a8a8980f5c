/* Keys, scripts and signatures of the chain that a benchmark makes: p2pkh, p2wpkh, p2sh-p2wpkh, p2wsh 2-of-3 and p2tr
 * (key path). */
#ifndef CAIRN_BENCH_GENERATED_KEYS_H
#define CAIRN_BENCH_GENERATED_KEYS_H

#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/endian.h"
#include "crypto/ripemd160.h"
#include "crypto/sha256.h"
#include "script/opcodes.h"
#include "script/sighash.h"

enum {
    GEN_KEYS = 64,
    GEN_KINDS = 5,
    GEN_SCRIPT_MAX = 34,
    GEN_REDEEM = 3 + 3 * 34, /* 2 <key> <key> <key> 3 OP_CHECKMULTISIG */
};

enum gen_kind { GEN_P2PKH, GEN_P2WPKH, GEN_P2SH_P2WPKH, GEN_P2WSH, GEN_P2TR };

struct gen_key {
    uint8_t secret[32], pub[33], hash[20], xonly[32];
    secp256k1_keypair pair;
    uint8_t redeem[GEN_REDEEM]; /* 2 of this and the next two */
    uint8_t scripts[GEN_KINDS][GEN_SCRIPT_MAX];
    size_t script_len[GEN_KINDS];
};

struct gen_coin {
    struct outpoint at;
    amount_sat value;
    uint16_t key;
    uint16_t kind;
};

struct gen_wallet {
    secp256k1_context *secp;
    struct gen_key keys[GEN_KEYS];
};

static inline struct span gen_script(const struct gen_wallet *w, size_t key, enum gen_kind kind)
{
    return span_of(w->keys[key].scripts[kind], w->keys[key].script_len[kind]);
}

static inline void gen_set_script(struct gen_key *k, enum gen_kind kind, const void *head, size_t head_len,
                                  const void *hash, size_t hash_len, const void *tail, size_t tail_len)
{
    uint8_t *to = k->scripts[kind];
    memcpy(to, head, head_len);
    memcpy(to + head_len, hash, hash_len);
    if (tail_len) memcpy(to + head_len + hash_len, tail, tail_len);
    k->script_len[kind] = head_len + hash_len + tail_len;
}

static inline void gen_key_init(struct gen_wallet *w, struct gen_key *k, uint32_t number)
{
    secp256k1_pubkey pub;
    secp256k1_xonly_pubkey xonly;
    size_t len = sizeof(k->pub);
    put_be32(k->secret + 28, number + 1);
    sha256_once(k->secret, k->secret, 32);
    CHECK(secp256k1_keypair_create(w->secp, &k->pair, k->secret));
    CHECK(secp256k1_ec_pubkey_create(w->secp, &pub, k->secret));
    CHECK(secp256k1_ec_pubkey_serialize(w->secp, k->pub, &len, &pub, SECP256K1_EC_COMPRESSED));
    CHECK(secp256k1_keypair_xonly_pub(w->secp, &xonly, NULL, &k->pair));
    CHECK(secp256k1_xonly_pubkey_serialize(w->secp, k->xonly, &xonly));
    hash160(k->hash, k->pub, sizeof(k->pub));
}

static inline void gen_key_scripts(struct gen_wallet *w, size_t number)
{
    struct gen_key *k = &w->keys[number];
    uint8_t *r = k->redeem, program[34] = {OP_0, 20}, hash[32];
    *r++ = OP_2;
    for (size_t i = 0; i < 3; i++, r += 34) {
        r[0] = 33;
        memcpy(r + 1, w->keys[(number + i) % GEN_KEYS].pub, 33);
    }
    *r++ = OP_3;
    *r = OP_CHECKMULTISIG;
    gen_set_script(k, GEN_P2PKH, "\x76\xa9\x14", 3, k->hash, 20, "\x88\xac", 2);
    gen_set_script(k, GEN_P2WPKH, "\x00\x14", 2, k->hash, 20, NULL, 0);
    memcpy(program + 2, k->hash, 20);
    hash160(hash, program, 22);
    gen_set_script(k, GEN_P2SH_P2WPKH, "\xa9\x14", 2, hash, 20, "\x87", 1);
    sha256_once(hash, k->redeem, sizeof(k->redeem));
    gen_set_script(k, GEN_P2WSH, "\x00\x20", 2, hash, 32, NULL, 0);
    gen_set_script(k, GEN_P2TR, "\x51\x20", 2, k->xonly, 32, NULL, 0);
}

/* ---- signing ---- */

static inline struct span gen_ecdsa(struct gen_wallet *w, const struct gen_key *k, const uint8_t hash[32],
                                    struct arena *arena)
{
    secp256k1_ecdsa_signature sig;
    uint8_t *der = arena_alloc(arena, 73);
    size_t len = 72;
    CHECK(secp256k1_ecdsa_sign(w->secp, &sig, hash, k->secret, NULL, NULL));
    CHECK(secp256k1_ecdsa_signature_serialize_der(w->secp, der, &len, &sig));
    der[len] = SIGHASH_ALL;
    return span_of(der, len + 1);
}

static inline void gen_sign_legacy(struct gen_wallet *w, struct script_tx *t, size_t i, const struct gen_coin *coin,
                                   struct arena *arena, struct tx_in *in)
{
    const struct gen_key *k = &w->keys[coin->key];
    uint8_t hash[32], *script = arena_alloc(arena, 110);
    sighash_legacy(hash, t->tx, i, gen_script(w, coin->key, GEN_P2PKH), SIGHASH_ALL);
    struct span sig = gen_ecdsa(w, k, hash, arena);
    script[0] = (uint8_t)sig.len;
    memcpy(script + 1, sig.data, sig.len);
    script[1 + sig.len] = sizeof(k->pub);
    memcpy(script + 2 + sig.len, k->pub, sizeof(k->pub));
    in->script_sig = span_of(script, 2 + sig.len + sizeof(k->pub));
}

/* Fills the input's scriptSig and witness; the transaction has its outputs already. */
static inline void gen_sign(struct gen_wallet *w, struct script_tx *t, size_t i, const struct gen_coin *coin,
                            struct arena *arena, struct tx_in *in)
{
    const struct gen_key *k = &w->keys[coin->key];
    struct span *items = arena_alloc_array(arena, 4, sizeof(*items));
    uint8_t hash[32], *sig;
    struct taproot_context context = {.codesep_pos = UINT32_MAX};
    size_t count = 2;
    switch ((enum gen_kind)coin->kind) {
    case GEN_P2PKH: gen_sign_legacy(w, t, i, coin, arena, in); return;
    case GEN_P2WPKH:
    case GEN_P2SH_P2WPKH:
        sighash_v0(hash, t, i, gen_script(w, coin->key, GEN_P2PKH), coin->value, SIGHASH_ALL);
        items[0] = gen_ecdsa(w, k, hash, arena);
        items[1] = span_of(k->pub, sizeof(k->pub));
        break;
    case GEN_P2WSH:
        sighash_v0(hash, t, i, span_of(k->redeem, GEN_REDEEM), coin->value, SIGHASH_ALL);
        items[0] = span_of(NULL, 0);
        items[1] = gen_ecdsa(w, k, hash, arena);
        items[2] = gen_ecdsa(w, &w->keys[(coin->key + 1) % GEN_KEYS], hash, arena);
        items[3] = span_of(k->redeem, GEN_REDEEM);
        count = 4;
        break;
    case GEN_P2TR:
        sig = arena_alloc(arena, 64);
        CHECK(sighash_taproot(hash, t, i, SIGHASH_DEFAULT, &context));
        CHECK(secp256k1_schnorrsig_sign32(w->secp, sig, hash, &k->pair, NULL));
        items[0] = span_of(sig, 64);
        count = 1;
        break;
    }
    if (coin->kind == GEN_P2SH_P2WPKH) {
        uint8_t *program = arena_alloc(arena, 23);
        memcpy(program, "\x16\x00\x14", 3);
        memcpy(program + 3, k->hash, 20);
        in->script_sig = span_of(program, 23);
    }
    in->witness = (struct witness){items, count};
}

static inline struct gen_wallet *gen_wallet_new(void)
{
    struct gen_wallet *w = mem_calloc(1, sizeof(*w));
    w->secp = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    CHECK(w->secp);
    for (uint32_t i = 0; i < GEN_KEYS; i++) gen_key_init(w, &w->keys[i], i);
    for (size_t i = 0; i < GEN_KEYS; i++) gen_key_scripts(w, i);
    return w;
}

static inline void gen_wallet_free(struct gen_wallet *w)
{
    secp256k1_context_destroy(w->secp);
    free(w);
}

#endif
