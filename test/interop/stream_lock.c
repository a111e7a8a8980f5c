/* Locks: scripts of every kind that an output may ask for. */
#include "crypto/ripemd160.h"
#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "script/taproot.h"
#include "stream.h"

void stream_keys_init(struct stream *s)
{
    for (uint32_t i = 0; i < STREAM_KEYS; i++) {
        struct stream_key *k = &s->keys[i];
        uint8_t seed[8] = {'k', 'e', 'y', (uint8_t)i};
        sha256_once(k->secret, seed, sizeof(seed));
        CHECK(pubkey_of_secret(k->pub, k->secret));
        CHECK(pubkey_uncompress(k->full, span_of(k->pub, 33)));
        hash160(k->hash, k->pub, 33);
        hash160(k->full_hash, k->full, 65);
    }
}

static struct lock lock_of(struct stream *s, enum wrap wrap, enum inner inner)
{
    return (struct lock){.wrap = (uint8_t)wrap, .inner = (uint8_t)inner, .key = (uint8_t)pick(s, STREAM_KEYS)};
}

static void lock_set_multi(struct stream *s, struct lock *l, uint32_t keys_max)
{
    l->n = 1 + pick(s, keys_max);
    l->m = 1 + pick(s, l->n);
}

struct lock lock_standard(struct stream *s)
{
    struct lock l;
    switch (pick(s, 16)) {
    case 0:
        l = lock_of(s, WRAP_BARE, IN_PK);
        l.full = chance(s, 30);
        return l;
    case 1:
    case 2:
        l = lock_of(s, WRAP_BARE, IN_PKH);
        l.full = chance(s, 20);
        return l;
    case 3: l = lock_of(s, WRAP_BARE, IN_MULTI); return lock_set_multi(s, &l, 3), l;
    case 4: l = lock_of(s, WRAP_P2SH, IN_MULTI); return lock_set_multi(s, &l, 5), l;
    case 5: l = lock_of(s, WRAP_P2WSH, IN_MULTI); return lock_set_multi(s, &l, 6), l;
    case 6: l = lock_of(s, WRAP_P2SH_P2WSH, IN_MULTI); return lock_set_multi(s, &l, 4), l;
    case 7: return lock_of(s, WRAP_P2SH_P2WPKH, IN_PK);
    case 8: return lock_of(s, WRAP_LEAF, IN_PK);
    case 9:
        l = lock_of(s, WRAP_LEAF, IN_CHECKADD);
        l.n = pick(s, 4); /* depth in the tree */
        return l;
    case 10:
    case 11: return lock_of(s, WRAP_P2TR, IN_PK);
    case 12: return lock_of(s, WRAP_P2WSH, IN_PK);
    case 13: return lock_of(s, chance(s, 50) ? WRAP_P2SH : WRAP_P2WSH, IN_TRUE);
    default: return lock_of(s, WRAP_P2WPKH, IN_PK);
    }
}

static void lock_set_inner(struct stream *s, struct lock *l)
{
    switch ((enum inner)l->inner) {
    case IN_PK:
    case IN_PKH:
    case IN_CODESEP: l->full = chance(s, 25); break;
    case IN_MULTI: lock_set_multi(s, l, chance(s, 10) ? 21 : 5); break;
    case IN_CLTV:
        l->n = chance(s, 70) ? (uint32_t)s->height + pick(s, 8) - 5
                             : (uint32_t)(s->median_time + (int64_t)pick(s, 4000) - 3000);
        break;
    case IN_CSV:
        l->n = pick(s, 6);
        if (chance(s, 30)) l->n |= 1u << 22;
        if (chance(s, 5)) l->n |= 1u << 31;
        break;
    case IN_SIGOPS: l->n = 1 + pick(s, chance(s, 10) ? 900 : 20), l->m = pick(s, 2); break;
    case IN_ITEMS: l->n = 1 + pick(s, chance(s, 20) ? 530 : 85), l->m = 1 + pick(s, chance(s, 20) ? 110 : 5); break;
    case IN_NOP: l->n = pick(s, 10); break;
    case IN_PADDED: l->n = 1 + pick(s, chance(s, 20) ? 10100 : 3700); break;
    case IN_SUCCESS: l->n = pick(s, 3); break;
    default: break;
    }
}

struct lock lock_any(struct stream *s)
{
    struct lock l = lock_of(s, (enum wrap)pick(s, WRAP_COUNT), IN_PK);
    switch ((enum wrap)l.wrap) {
    case WRAP_BARE:
    case WRAP_P2SH:
    case WRAP_P2WSH:
    case WRAP_P2SH_P2WSH:
        l.inner = (uint8_t)pick(s, IN_COUNT);
        lock_set_inner(s, &l);
        break;
    case WRAP_LEAF:
        l.inner = (uint8_t)pick(s, IN_COUNT);
        lock_set_inner(s, &l);
        break;
    case WRAP_P2WPKH:
    case WRAP_P2SH_P2WPKH: l.full = chance(s, 15); break;
    case WRAP_PROGRAM: l.n = pick(s, 17), l.m = 2 + pick(s, 40); break;
    case WRAP_DATA: l.n = pick(s, chance(s, 10) ? 2000 : 90), l.m = pick(s, 4); break;
    case WRAP_JUNK: l.n = pick(s, 60); break;
    default: break;
    }
    return l;
}

bool lock_can_open(const struct lock *l)
{
    if (l->wrap == WRAP_DATA || l->wrap == WRAP_JUNK) return false;
    if (l->wrap == WRAP_PROGRAM) return l->n > 1 || (l->n == 1 && l->m != 32);
    if (l->wrap > WRAP_LEAF) return !l->full || (l->wrap != WRAP_P2WPKH && l->wrap != WRAP_P2SH_P2WPKH);
    if (l->inner == IN_FALSE || (l->inner == IN_MULTI && l->wrap == WRAP_LEAF)) return false;
    if (l->inner == IN_CHECKADD || l->inner == IN_SUCCESS) return l->wrap == WRAP_LEAF;
    return true;
}

/* ---- scripts ---- */

static void put_key(struct buffer *out, const struct stream *s, const struct lock *l)
{
    const struct stream_key *k = &s->keys[l->key];
    if (l->wrap == WRAP_LEAF)
        script_put_push(out, span_of(k->pub + 1, 32));
    else
        script_put_push(out, l->full ? span_of(k->full, 65) : span_of(k->pub, 33));
}

static void put_multi(struct buffer *out, const struct stream *s, const struct lock *l)
{
    script_put_int(out, l->m);
    for (uint32_t i = 0; i < l->n; i++) script_put_push(out, span_of(s->keys[(l->key + i) % STREAM_KEYS].pub, 33));
    script_put_int(out, l->n);
    buffer_put_u8(out, OP_CHECKMULTISIG);
}

static void put_padding(struct buffer *out, uint32_t bytes)
{
    static const uint8_t zeroes[500];
    for (uint32_t left = bytes; left > 0;) {
        uint32_t now = left < 500 ? left : 500;
        script_put_push(out, span_of(zeroes, now));
        buffer_put_u8(out, OP_DROP);
        left -= now;
    }
}

static void put_signed(struct buffer *out, const struct stream *s, const struct lock *l)
{
    put_key(out, s, l);
    buffer_put_u8(out, OP_CHECKSIG);
}

static void put_pkh(struct buffer *out, const struct stream *s, const struct lock *l)
{
    const struct stream_key *k = &s->keys[l->key];
    uint8_t hash[20];
    buffer_put_u8(out, OP_DUP);
    buffer_put_u8(out, OP_HASH160);
    hash160(hash, k->pub + 1, 32);
    script_put_push(out, span_of(l->wrap == WRAP_LEAF ? hash : l->full ? k->full_hash : k->hash, 20));
    buffer_put_u8(out, OP_EQUALVERIFY);
    buffer_put_u8(out, OP_CHECKSIG);
}

static void put_sigops(struct buffer *out, const struct lock *l)
{
    buffer_put_u8(out, OP_0);
    buffer_put_u8(out, OP_IF);
    for (uint32_t i = 0; i < l->n; i++) buffer_put_u8(out, l->m ? OP_CHECKMULTISIG : OP_CHECKSIG);
    buffer_put_u8(out, OP_ENDIF);
    buffer_put_u8(out, OP_1);
}

void lock_script(struct buffer *out, const struct stream *s, const struct lock *l)
{
    switch ((enum inner)l->inner) {
    case IN_PK: put_signed(out, s, l); break;
    case IN_PKH: put_pkh(out, s, l); break;
    case IN_MULTI: put_multi(out, s, l); break;
    case IN_TRUE: buffer_put_u8(out, OP_1); break;
    case IN_CLTV:
    case IN_CSV:
        script_put_int(out, l->n);
        buffer_put_u8(out, l->inner == IN_CLTV ? OP_CHECKLOCKTIMEVERIFY : OP_CHECKSEQUENCEVERIFY);
        buffer_put_u8(out, OP_DROP);
        put_signed(out, s, l);
        break;
    case IN_SIGOPS: put_sigops(out, l); break;
    case IN_ITEMS:
        for (uint32_t i = 0; i < l->m; i++) buffer_put_u8(out, OP_DROP);
        buffer_put_u8(out, OP_1);
        break;
    case IN_IF: buffer_put(out, "\x63\x51\x67\x51\x68", 5); break; /* IF 1 ELSE 1 ENDIF */
    case IN_NOP:
        buffer_put_u8(out, (uint8_t)(OP_NOP1 + l->n));
        buffer_put_u8(out, OP_1);
        break;
    case IN_CODESEP:
        buffer_put_u8(out, OP_CODESEPARATOR);
        put_signed(out, s, l);
        break;
    case IN_PADDED:
        put_padding(out, l->n);
        buffer_put_u8(out, OP_1);
        break;
    case IN_FALSE: buffer_put_u8(out, OP_0); break;
    case IN_UNCLEAN: buffer_put(out, "\x51\x51", 2); break;
    case IN_SUCCESS: buffer_put_u8(out, (uint8_t)(0xbb + l->n)); break;
    case IN_CHECKADD:
        buffer_put_u8(out, OP_0);
        script_put_push(out, span_of(s->keys[l->key].pub + 1, 32));
        buffer_put_u8(out, OP_CHECKSIGADD);
        break;
    case IN_COUNT: break;
    }
}

static void put_program(struct buffer *out, uint32_t version, struct span program)
{
    script_put_int(out, version);
    script_put_push(out, program);
}

static void put_p2sh(struct buffer *out, struct span redeem)
{
    uint8_t hash[20];
    hash160(hash, redeem.data, redeem.len);
    buffer_put_u8(out, OP_HASH160);
    script_put_push(out, span_of(hash, 20));
    buffer_put_u8(out, OP_EQUAL);
}

static void put_p2wsh(struct buffer *out, struct span script)
{
    uint8_t hash[32];
    sha256_once(hash, script.data, script.len);
    put_program(out, 0, span_of(hash, 32));
}

/* The tree of a leaf at depth N % 8: its neighbours are hashes of their depth. */
static void put_taproot(struct buffer *out, const struct stream *s, const struct lock *l, struct span script)
{
    uint8_t node[32], tweak[32], output[32], side[32];
    const uint8_t *internal = s->keys[(l->key + 1) % STREAM_KEYS].pub + 1;
    int parity;
    if (l->wrap == WRAP_LEAF) {
        tapleaf_hash(node, TAPROOT_LEAF_TAPSCRIPT, script);
        for (uint32_t depth = 0; l->inner == IN_CHECKADD && depth < l->n % 8; depth++) {
            memset(side, (int)depth + 1, 32);
            tapbranch_hash(node, node, side);
        }
    } else {
        internal = s->keys[l->key].pub + 1;
    }
    taptweak_hash(tweak, internal, l->wrap == WRAP_LEAF ? node : NULL);
    CHECK(xonly_tweak_add(output, &parity, internal, tweak));
    put_program(out, 1, span_of(output, 32));
}

static void put_other(struct buffer *out, const struct lock *l)
{
    static const uint8_t pattern[] = {0x6a, 0x76, 0xa9, 0x14, 0x00, 0xba, 0x50, 0x63, 0x4c, 0xff, 0x21};
    uint8_t bytes[2000];
    memset(bytes, 0x42, sizeof(bytes));
    if (l->wrap == WRAP_PROGRAM) {
        put_program(out, l->n, span_of(bytes, l->m));
    } else if (l->wrap == WRAP_DATA) {
        buffer_put_u8(out, OP_RETURN);
        if (l->m == 0)
            buffer_put(out, bytes, l->n % 9); /* no pushes, perhaps */
        else if (l->n > 0)
            script_put_push(out, span_of(bytes, l->n));
        for (uint32_t i = 1; i < l->m; i++) script_put_push(out, span_of(bytes, 10));
    } else {
        for (uint32_t i = 0; i < l->n; i++) buffer_put_u8(out, pattern[(i * i + l->key) % sizeof(pattern)]);
    }
}

void lock_script_pubkey(struct buffer *out, const struct stream *s, const struct lock *l)
{
    const struct stream_key *k = &s->keys[l->key];
    struct buffer script = {0}, outer = {0};
    struct span key_hash = span_of(l->full ? k->full_hash : k->hash, 20);
    if (l->wrap <= WRAP_LEAF) lock_script(&script, s, l);
    switch ((enum wrap)l->wrap) {
    case WRAP_BARE: buffer_put_span(out, buffer_span(&script)); break;
    case WRAP_P2SH: put_p2sh(out, buffer_span(&script)); break;
    case WRAP_P2WSH: put_p2wsh(out, buffer_span(&script)); break;
    case WRAP_P2SH_P2WSH:
        put_p2wsh(&outer, buffer_span(&script));
        put_p2sh(out, buffer_span(&outer));
        break;
    case WRAP_P2WPKH: put_program(out, 0, key_hash); break;
    case WRAP_P2SH_P2WPKH:
        put_program(&outer, 0, key_hash);
        put_p2sh(out, buffer_span(&outer));
        break;
    case WRAP_LEAF:
    case WRAP_P2TR: put_taproot(out, s, l, buffer_span(&script)); break;
    case WRAP_ANCHOR: buffer_put(out, "\x51\x02\x4e\x73", 4); break;
    default: put_other(out, l);
    }
    buffer_clear(&script);
    buffer_clear(&outer);
}
