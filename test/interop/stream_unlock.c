/* Unlocking: scriptSigs and witnesses that open a lock, or fail to in a way that was asked for. */
#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "script/taproot.h"
#include "stream.h"

enum { ITEMS_MAX = 160 };

/* One input being unlocked. */
struct opening {
    struct stream *s;
    struct arena *arena;
    const struct script_tx *t;
    size_t index;
    const struct lock *l;
    enum damage damage;
    struct tx_in *in;
    amount_sat value;
    struct buffer script;         /* the inner one */
    struct span items[ITEMS_MAX]; /* what goes onto the stack */
    size_t count;
    uint8_t annex[20];
    size_t annex_len;
};

static struct span keep(struct opening *o, const void *data, size_t len)
{
    uint8_t *to = arena_alloc(o->arena, len ? len : 1);
    if (len) memcpy(to, data, len);
    return span_of(to, len);
}

static void push(struct opening *o, const void *data, size_t len)
{
    CHECK(o->count < ITEMS_MAX);
    o->items[o->count++] = keep(o, data, len);
}

/* ---- signatures ---- */

/* S becomes the order less S: the other of the two that are valid. */
static size_t make_high_s(uint8_t der[ECDSA_DER_MAX + 1], size_t len)
{
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48,
                                      0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
    size_t r_len = der[3], s_len = der[5 + r_len], at = 6 + r_len;
    uint8_t low[33] = {0};
    int borrow = 0;
    if (at + s_len != len || s_len > 32) return len;
    memcpy(low + 33 - s_len, der + at, s_len);
    der[at] = 0;
    for (int i = 31; i >= 0; i--) {
        int v = order[i] - low[i + 1] - borrow;
        borrow = v < 0;
        der[at + 1 + (size_t)i] = (uint8_t)(v & 0xff);
    }
    der[at - 1] = 33;
    der[1] = (uint8_t)(2 + r_len + 2 + 33);
    return at + 33;
}

static int choose_hash_type(struct opening *o, bool schnorr)
{
    static const uint8_t odd[] = {0, 4, 0x41, 0x80, 0x84, 0x21, 0xff, 0x50};
    static const uint8_t defined[] = {1, 2, 3, 0x81, 0x82, 0x83};
    if (o->damage == DAMAGE_HASH_TYPE) return odd[pick(o->s, sizeof(odd))];
    if (o->damage == DAMAGE_OTHER_TYPE) return defined[pick(o->s, sizeof(defined))];
    return schnorr ? SIGHASH_DEFAULT : SIGHASH_ALL;
}

static void signature_damage(struct opening *o, uint8_t *sig, size_t *len)
{
    switch (o->damage) {
    case DAMAGE_BIT: sig[pick(o->s, *len)] ^= (uint8_t)(1u << pick(o->s, 8)); break;
    case DAMAGE_EMPTY_SIG: *len = 0; break;
    default: break;
    }
}

static void push_ecdsa(struct opening *o, struct span code, uint32_t key)
{
    const uint8_t *secret = o->s->keys[(o->damage == DAMAGE_KEY ? key + 5 : key) % STREAM_KEYS].secret;
    int type = choose_hash_type(o, false);
    uint8_t hash[32], sig[ECDSA_DER_MAX + 4];
    bool v0 = o->l->wrap == WRAP_P2WSH || o->l->wrap == WRAP_P2SH_P2WSH || o->l->wrap >= WRAP_P2WPKH;
    if (v0)
        sighash_v0(hash, o->t, o->index, code, o->value, type);
    else
        sighash_legacy(hash, o->t->tx, o->index, code, type);
    if (o->damage == DAMAGE_HASH) hash[0] ^= 1;
    size_t len = ecdsa_sign(sig, secret, hash);
    CHECK(len > 0);
    if (o->damage == DAMAGE_HIGH_S) len = make_high_s(sig, len);
    if (o->damage == DAMAGE_DER) { /* a zero byte too many in R */
        memmove(sig + 5, sig + 4, len - 4);
        sig[4] = 0, sig[3]++, sig[1]++, len++;
    }
    signature_damage(o, sig, &len);
    if (o->damage != DAMAGE_EMPTY_SIG) sig[len++] = (uint8_t)type;
    push(o, sig, len);
}

static void push_schnorr(struct opening *o, const uint8_t *secret, const uint8_t *tweak, const uint8_t *leaf)
{
    struct taproot_context context = {.tapscript = leaf != NULL, .codesep_pos = UINT32_MAX};
    int type = choose_hash_type(o, true);
    uint8_t hash[32] = {1}, sig[65];
    size_t len = 64;
    if (leaf) memcpy(context.leaf_hash, leaf, 32);
    if (o->l->wrap == WRAP_LEAF && o->l->inner == IN_CODESEP) context.codesep_pos = 0;
    if (o->annex_len) {
        struct sha256 h;
        sha256_init(&h);
        sha256_put_compact_size(&h, o->annex_len);
        sha256_put(&h, o->annex, o->annex_len);
        sha256_final(&h, context.annex_hash);
        context.has_annex = true;
    }
    if (!sighash_taproot(hash, o->t, o->index, (uint8_t)type, &context)) hash[1] = 1;
    if (o->damage == DAMAGE_HASH) hash[0] ^= 1;
    if (o->damage == DAMAGE_KEY) secret = o->s->keys[(o->l->key + 5) % STREAM_KEYS].secret;
    CHECK(schnorr_sign(sig, secret, tweak, hash, NULL));
    signature_damage(o, sig, &len);
    if (o->damage == DAMAGE_DER)
        sig[len++] = 0; /* the default hash type, spelt out */
    else if (type != SIGHASH_DEFAULT && len)
        sig[len++] = (uint8_t)type;
    push(o, sig, len);
}

/* ---- what the inner script wants ---- */

static void push_pubkey(struct opening *o)
{
    const struct stream_key *k = &o->s->keys[o->l->key];
    uint8_t key[65];
    size_t len = o->l->full ? 65 : 33;
    if (o->l->wrap == WRAP_LEAF) {
        push(o, k->pub + 1, 32);
        return;
    }
    memcpy(key, o->l->full ? k->full : k->pub, len);
    if (o->damage == DAMAGE_PUBKEY) key[0] = (uint8_t)(len == 65 ? 6u + (key[64] & 1u) : 5u * pick(o->s, 2));
    push(o, key, len);
}

static void push_sig(struct opening *o, const uint8_t *leaf)
{
    struct span code = buffer_span(&o->script);
    if (o->l->inner == IN_CODESEP) code = span_from(code, 1);
    if (o->l->wrap == WRAP_LEAF)
        push_schnorr(o, o->s->keys[o->l->key].secret, NULL, leaf);
    else
        push_ecdsa(o, code, o->l->key);
}

static void push_multi(struct opening *o)
{
    uint8_t dummy = 1;
    push(o, &dummy, o->damage == DAMAGE_DUMMY ? 1 : 0);
    for (uint32_t i = 0; i < o->l->m; i++) push_ecdsa(o, buffer_span(&o->script), o->l->key + i);
}

static void push_arguments(struct opening *o, const uint8_t *leaf)
{
    static const uint8_t filler[530];
    uint8_t one = 1, two = 2;
    switch ((enum inner)o->l->inner) {
    case IN_PK:
    case IN_CLTV:
    case IN_CSV:
    case IN_CODESEP:
    case IN_CHECKADD: push_sig(o, leaf); break;
    case IN_PKH:
        push_sig(o, leaf);
        push_pubkey(o);
        break;
    case IN_MULTI: push_multi(o); break;
    case IN_ITEMS:
        for (uint32_t i = 0; i < o->l->m; i++) push(o, filler, o->l->n);
        break;
    case IN_IF: push(o, o->damage == DAMAGE_ARG ? &two : &one, 1); break;
    default: break;
    }
    if (o->damage == DAMAGE_BIG) push(o, filler, 521);
}

/* ---- putting it together ---- */

static void damage_items(struct opening *o)
{
    if (o->damage == DAMAGE_EXTRA && o->count < ITEMS_MAX) {
        memmove(o->items + 1, o->items, o->count * sizeof(*o->items));
        o->items[0] = keep(o, "\x01", 1);
        o->count++;
    } else if (o->damage == DAMAGE_MISSING && o->count > 0) {
        o->count--;
    }
}

static void put_push(struct opening *o, struct buffer *out, struct span item)
{
    if (o->damage == DAMAGE_LONG_PUSH && item.len < 256) {
        buffer_put_u8(out, OP_PUSHDATA1);
        buffer_put_u8(out, (uint8_t)item.len);
        buffer_put_span(out, item);
    } else if (item.len == 1 && item.data[0] >= 1 && item.data[0] <= 16) {
        script_put_int(out, item.data[0]);
    } else {
        script_put_push(out, item);
    }
}

static void set_script_sig(struct opening *o, struct span last)
{
    struct buffer out = {0};
    if (o->damage == DAMAGE_NO_PUSH) buffer_put_u8(&out, OP_NOP);
    for (size_t i = 0; i < o->count; i++) put_push(o, &out, o->items[i]);
    if (last.data) put_push(o, &out, last);
    o->in->script_sig = keep(o, out.data, out.len);
    buffer_clear(&out);
}

static void set_witness(struct opening *o)
{
    struct span *items = arena_alloc_array(o->arena, o->count + 1, sizeof(*items));
    memcpy(items, o->items, o->count * sizeof(*items));
    o->in->witness = (struct witness){items, o->count};
}

static struct span inner_damaged(struct opening *o)
{
    if (o->damage == DAMAGE_SCRIPT && o->script.len) o->script.data[pick(o->s, o->script.len)] ^= 2;
    return keep(o, o->script.data, o->script.len);
}

static void unlock_leaf(struct opening *o)
{
    const struct stream_key *internal = &o->s->keys[(o->l->key + 1) % STREAM_KEYS];
    uint8_t leaf[32], node[32], tweak[32], output[32], control[33 + 8 * 32], *end = control + 33;
    int parity;
    tapleaf_hash(leaf, TAPROOT_LEAF_TAPSCRIPT, buffer_span(&o->script));
    memcpy(node, leaf, 32);
    memcpy(control + 1, internal->pub + 1, 32);
    for (uint32_t depth = 0; o->l->inner == IN_CHECKADD && depth < o->l->n % 8; depth++, end += 32) {
        memset(end, (int)depth + 1, 32);
        tapbranch_hash(node, node, end);
    }
    taptweak_hash(tweak, internal->pub + 1, node);
    CHECK(xonly_tweak_add(output, &parity, internal->pub + 1, tweak));
    control[0] = (uint8_t)(TAPROOT_LEAF_TAPSCRIPT | parity);
    push_arguments(o, leaf);
    damage_items(o);
    if (o->damage == DAMAGE_CONTROL) control[pick(o->s, (uint64_t)(end - control))] ^= 1;
    if (o->damage == DAMAGE_LEAF) control[0] ^= 4;
    struct span script = inner_damaged(o);
    push(o, script.data, script.len);
    push(o, control, (size_t)(end - control) - (o->damage == DAMAGE_CONTROL && chance(o->s, 30)));
}

static void unlock_taproot(struct opening *o)
{
    if (o->damage == DAMAGE_ANNEX) {
        o->annex[0] = TAPROOT_ANNEX_TAG;
        o->annex_len = 1 + pick(o->s, sizeof(o->annex) - 1);
    }
    if (o->l->wrap == WRAP_LEAF) {
        unlock_leaf(o);
    } else {
        const struct stream_key *k = &o->s->keys[o->l->key];
        uint8_t tweak[32];
        taptweak_hash(tweak, k->pub + 1, NULL);
        push_schnorr(o, k->secret, tweak, NULL);
        damage_items(o);
    }
    if (o->annex_len) push(o, o->annex, o->annex_len);
    set_witness(o);
}

static void unlock_keyhash(struct opening *o)
{
    const struct stream_key *k = &o->s->keys[o->l->key];
    struct buffer code = {0}, program = {0};
    struct lock plain = {.wrap = WRAP_BARE, .inner = IN_PKH, .key = o->l->key, .full = o->l->full};
    lock_script(&code, o->s, &plain);
    push_ecdsa(o, buffer_span(&code), o->l->key);
    push_pubkey(o);
    damage_items(o);
    set_witness(o);
    if (o->l->wrap == WRAP_P2SH_P2WPKH) {
        script_put_int(&program, 0);
        script_put_push(&program, span_of(o->l->full ? k->full_hash : k->hash, 20));
        o->count = 0;
        set_script_sig(o, keep(o, program.data, program.len));
    }
    buffer_clear(&code);
    buffer_clear(&program);
}

static void unlock_script(struct opening *o)
{
    push_arguments(o, NULL);
    damage_items(o);
    if (o->l->wrap == WRAP_BARE) {
        set_script_sig(o, span_of(NULL, 0));
    } else if (o->l->wrap == WRAP_P2SH) {
        set_script_sig(o, inner_damaged(o));
    } else {
        struct span script = inner_damaged(o);
        uint8_t program[34] = {0, 32};
        push(o, script.data, script.len);
        set_witness(o);
        if (o->l->wrap == WRAP_P2SH_P2WSH) {
            sha256_once(program + 2, o->script.data, o->script.len);
            o->count = 0;
            set_script_sig(o, keep(o, program, sizeof(program)));
        }
    }
}

void unlock(struct stream *s, struct arena *arena, const struct script_tx *t, size_t index, const struct lock *l,
            enum damage damage, struct tx_in *in)
{
    struct opening o = {.s = s, .arena = arena, .t = t, .index = index, .l = l, .damage = damage, .in = in};
    o.value = t->spent[index].value;
    in->script_sig = span_of(NULL, 0);
    in->witness = (struct witness){0};
    if (l->wrap <= WRAP_LEAF) lock_script(&o.script, s, l);
    switch ((enum wrap)l->wrap) {
    case WRAP_BARE:
    case WRAP_P2SH:
    case WRAP_P2WSH:
    case WRAP_P2SH_P2WSH: unlock_script(&o); break;
    case WRAP_LEAF:
    case WRAP_P2TR: unlock_taproot(&o); break;
    case WRAP_P2WPKH:
    case WRAP_P2SH_P2WPKH: unlock_keyhash(&o); break;
    case WRAP_PROGRAM:
        if (damage == DAMAGE_EXTRA) push(&o, "abc", 3);
        set_witness(&o);
        break;
    default: break;
    }
    if (damage == DAMAGE_STRIP) in->witness = (struct witness){0};
    if (damage == DAMAGE_WITNESS && in->witness.count == 0) {
        push(&o, "x", 1);
        set_witness(&o);
    }
    buffer_clear(&o.script);
}
