/* Making the scriptSig and witness of one input out of keys, scripts and signatures that are there already. */
#include "script/sign.h"

#include "base/check.h"
#include "crypto/ripemd160.h"
#include "crypto/secp.h"
#include "script/interp.h"
#include "script/standard.h"
#include "script/taproot.h"

enum { ITEMS_MAX = 1 + MAX_PUBKEYS_PER_MULTISIG + 1 }; /* dummy, signatures, script */

/* The elements that satisfy a script. */
struct items {
    struct span item[ITEMS_MAX];
    size_t count;
};

struct signer {
    const struct sign_input *in;
    const struct sign_keys *keys;
    struct sign_data *data;
    int hash_type;
};

static void put_item(struct items *items, struct span item)
{
    CHECK(items->count < ITEMS_MAX);
    items->item[items->count++] = item;
}

static struct span keep(struct arena *arena, const void *data, size_t len)
{
    uint8_t *copy = arena_alloc(arena, len ? len : 1);
    if (len) memcpy(copy, data, len);
    return span_of(copy, len);
}

/* ---- what is known ---- */

static const struct sign_key *find_key(const struct sign_keys *keys, const uint8_t id[20])
{
    for (size_t i = 0; i < keys->key_count; i++) {
        if (memcmp(keys->keys[i].id, id, 20) == 0) return &keys->keys[i];
    }
    return NULL;
}

/* The key whose compressed form has this x coordinate. */
static const struct sign_key *find_xonly(const struct sign_keys *keys, const uint8_t xonly[32])
{
    for (size_t i = 0; i < keys->key_count; i++) {
        const struct sign_key *k = &keys->keys[i];
        if (k->pubkey_len == 33 && memcmp(k->pubkey + 1, xonly, 32) == 0) return k;
    }
    return NULL;
}

static const struct sign_sig *find_sig(const struct sign_data *data, const uint8_t id[20])
{
    for (size_t i = 0; i < data->sig_count; i++) {
        if (memcmp(data->sigs[i].key_id, id, 20) == 0) return &data->sigs[i];
    }
    return NULL;
}

static void add_sig(struct sign_data *data, const struct sign_sig *sig)
{
    if (data->sig_count < SIGN_SIGS_MAX && !find_sig(data, sig->key_id)) data->sigs[data->sig_count++] = *sig;
}

static bool script_has_id(struct span script, const uint8_t id[20])
{
    uint8_t hash[20];
    if (script.len == 0) return false;
    hash160(hash, script.data, script.len);
    return memcmp(hash, id, 20) == 0;
}

/* The script whose hash160 is ID. */
static bool find_script(const struct signer *s, const uint8_t id[20], struct span *out)
{
    for (size_t i = 0; i < s->keys->script_count; i++) {
        if (memcmp(s->keys->scripts[i].id, id, 20)) continue;
        const struct buffer *script = &s->keys->scripts[i].script;
        *out = keep(s->in->arena, script->data, script->len);
        return true;
    }
    *out = s->data->redeem_script;
    if (script_has_id(*out, id)) return true;
    *out = s->data->witness_script;
    return script_has_id(*out, id);
}

/* ---- signatures ---- */

static bool make_ecdsa(struct signer *s, const uint8_t id[20], struct span code, enum sig_version version,
                       struct sign_sig *out)
{
    const struct sign_key *key = find_key(s->keys, id);
    const struct sign_input *in = s->in;
    int hash_type = s->hash_type == SIGHASH_DEFAULT ? SIGHASH_ALL : s->hash_type;
    uint8_t hash[32], sig[ECDSA_DER_MAX + 1];
    if (!key) return false;
    if (version == SIG_WITNESS_V0) {
        if (key->pubkey_len != 33 || !money_range(in->spent->value)) return false;
        sighash_v0(hash, in->t, in->index, code, in->spent->value, hash_type);
    } else {
        sighash_legacy(hash, in->t->tx, in->index, code, hash_type);
    }
    size_t len = ecdsa_sign(sig, key->secret, hash);
    if (!len) return false;
    sig[len++] = (uint8_t)hash_type;
    memcpy(out->key_id, id, 20);
    out->pubkey = keep(in->arena, key->pubkey, key->pubkey_len);
    out->sig = keep(in->arena, sig, len);
    return true;
}

/* The signature of the key with this ID, found or made. */
static const struct sign_sig *get_sig(struct signer *s, const uint8_t id[20], struct span code,
                                      enum sig_version version)
{
    struct sign_sig made;
    const struct sign_sig *found = find_sig(s->data, id);
    if (found) return found;
    if (!make_ecdsa(s, id, code, version, &made)) return NULL;
    add_sig(s->data, &made);
    return find_sig(s->data, id);
}

static bool make_schnorr(struct signer *s, const uint8_t xonly[32], const uint8_t *tweak, struct items *out)
{
    const struct sign_key *key = find_xonly(s->keys, xonly);
    struct taproot_context context = {.codesep_pos = UINT32_MAX};
    uint8_t hash[32], sig[65];
    if (!key || !s->in->t->mid.taproot_ready) return false;
    if (!sighash_taproot(hash, s->in->t, s->in->index, (uint8_t)s->hash_type, &context)) return false;
    if (!schnorr_sign(sig, key->secret, tweak, hash, NULL)) return false;
    sig[64] = (uint8_t)s->hash_type;
    put_item(out, keep(s->in->arena, sig, s->hash_type == SIGHASH_DEFAULT ? 64 : 65));
    return true;
}

/* ---- templates ---- */

static bool sign_multisig(struct signer *s, const struct script_solution *m, struct span code, enum sig_version version,
                          struct items *out)
{
    size_t required = (size_t)m->required;
    put_item(out, span_of(NULL, 0)); /* OP_CHECKMULTISIG takes one element too many */
    for (size_t i = 0; i < m->data_count; i++) {
        uint8_t id[20];
        hash160(id, m->data[i].data, m->data[i].len);
        const struct sign_sig *sig = get_sig(s, id, code, version);
        if (sig && out->count < required + 1) put_item(out, sig->sig);
    }
    /* Places for half of the signatures that are missing: no more than Bitcoin Core leaves. */
    size_t missing = required + 1 - out->count;
    for (size_t i = 0; i < (missing + 1) / 2; i++) put_item(out, span_of(NULL, 0));
    return missing == 0;
}

static bool sign_pubkeyhash(struct signer *s, const uint8_t id[20], struct span code, enum sig_version version,
                            struct items *out)
{
    const struct sign_sig *sig = get_sig(s, id, code, version);
    if (!sig) return false;
    put_item(out, sig->sig);
    put_item(out, sig->pubkey);
    return true;
}

/* By the internal key where it is known, else by a key that is the output's own. */
static bool sign_taproot(struct signer *s, const uint8_t output[32], struct items *out)
{
    for (size_t i = 0; i < s->keys->taproot_count; i++) {
        const struct sign_taproot *t = &s->keys->taproots[i];
        uint8_t tweak[32];
        if (memcmp(t->output, output, 32)) continue;
        taptweak_hash(tweak, t->internal, t->has_root ? t->root : NULL);
        if (make_schnorr(s, t->internal, tweak, out)) return true;
    }
    return make_schnorr(s, output, NULL, out);
}

/* What satisfies SCRIPT, or for a hash of a script that script, into OUT; false where it is not all there. */
static bool sign_step(struct signer *s, struct span script, enum sig_version version, struct script_solution *kind,
                      struct items *out)
{
    uint8_t id[20];
    struct span inner;
    out->count = 0;
    script_solve(kind, script);
    switch (kind->kind) {
    case SCRIPT_PUBKEY: {
        hash160(id, kind->data[0].data, kind->data[0].len);
        const struct sign_sig *sig = get_sig(s, id, script, version);
        if (sig) put_item(out, sig->sig);
        return sig != NULL;
    }
    case SCRIPT_PUBKEYHASH: return sign_pubkeyhash(s, kind->data[0].data, script, version, out);
    case SCRIPT_MULTISIG: return sign_multisig(s, kind, script, version, out);
    case SCRIPT_SCRIPTHASH:
    case SCRIPT_WITNESS_V0_SCRIPTHASH:
        if (kind->kind == SCRIPT_SCRIPTHASH)
            memcpy(id, kind->data[0].data, 20);
        else
            ripemd160(id, kind->data[0].data, 32); /* of the SHA-256: the script's hash160 */
        if (!find_script(s, id, &inner)) return false;
        put_item(out, inner);
        return true;
    case SCRIPT_WITNESS_V0_KEYHASH: put_item(out, kind->data[0]); return true;
    case SCRIPT_WITNESS_V1_TAPROOT: return sign_taproot(s, kind->data[0].data, out);
    case SCRIPT_ANCHOR: return true;
    case SCRIPT_NONSTANDARD:
    case SCRIPT_NULLDATA:
    case SCRIPT_WITNESS_UNKNOWN: break;
    }
    return false;
}

/* ---- putting it together ---- */

static struct witness witness_of(const struct items *items, struct arena *arena)
{
    struct span *copy = arena_alloc_array(arena, items->count + 1, sizeof *copy);
    memcpy(copy, items->item, items->count * sizeof *copy);
    return (struct witness){.items = copy, .count = items->count};
}

/* Each item by its shortest push. */
static struct span pushes_of(const struct items *items, struct arena *arena)
{
    struct buffer out = {0};
    for (size_t i = 0; i < items->count; i++) {
        struct span v = items->item[i];
        if (v.len == 1 && ((v.data[0] >= 1 && v.data[0] <= 16) || v.data[0] == 0x81))
            script_put_int(&out, v.data[0] == 0x81 ? -1 : v.data[0]);
        else
            script_put_push(&out, v);
    }
    struct span script = keep(arena, out.data, out.len);
    buffer_clear(&out);
    return script;
}

static bool step_keyhash(struct signer *s, struct items *items)
{
    struct script_solution kind;
    uint8_t code[25] = {OP_DUP, OP_HASH160, 20, [23] = OP_EQUALVERIFY, [24] = OP_CHECKSIG};
    memcpy(code + 3, items->item[0].data, 20);
    bool solved = sign_step(s, keep(s->in->arena, code, sizeof code), SIG_WITNESS_V0, &kind, items);
    s->data->witness = witness_of(items, s->in->arena);
    items->count = 0;
    return solved;
}

static bool step_witness_script(struct signer *s, struct items *items)
{
    struct script_solution kind;
    struct span script = items->item[0];
    s->data->witness_script = script;
    bool solved = sign_step(s, script, SIG_WITNESS_V0, &kind, items) && kind.kind != SCRIPT_SCRIPTHASH &&
                  kind.kind != SCRIPT_WITNESS_V0_SCRIPTHASH && kind.kind != SCRIPT_WITNESS_V0_KEYHASH;
    put_item(items, script);
    s->data->witness = witness_of(items, s->in->arena);
    items->count = 0;
    return solved;
}

bool sign_data_make(struct sign_data *data, const struct sign_input *in, const struct sign_keys *keys, int hash_type)
{
    struct signer s = {.in = in, .keys = keys, .data = data, .hash_type = hash_type};
    struct script_solution kind;
    struct items items;
    struct span redeem = {0};
    if (data->complete) return true;
    bool solved = sign_step(&s, in->spent->script_pubkey, SIG_BASE, &kind, &items);
    bool is_p2sh = solved && kind.kind == SCRIPT_SCRIPTHASH;
    if (is_p2sh) {
        redeem = data->redeem_script = items.item[0];
        solved = sign_step(&s, redeem, SIG_BASE, &kind, &items) && kind.kind != SCRIPT_SCRIPTHASH;
    }
    if (solved && kind.kind == SCRIPT_WITNESS_V0_KEYHASH) {
        solved = step_keyhash(&s, &items);
    } else if (solved && kind.kind == SCRIPT_WITNESS_V0_SCRIPTHASH) {
        solved = step_witness_script(&s, &items);
    } else if (kind.kind == SCRIPT_WITNESS_V1_TAPROOT && !is_p2sh) {
        if (solved) data->witness = witness_of(&items, in->arena); /* else what was there stays */
        items.count = 0;
    } else {
        data->witness = (struct witness){0};
    }
    if (is_p2sh) put_item(&items, redeem);
    data->script_sig = pushes_of(&items, in->arena);
    data->complete = solved && script_verify(data->script_sig, in->spent->script_pubkey, &data->witness, in->t,
                                             in->index, in->spent->value, in->flags, NULL) == SCRIPT_ERR_OK;
    return data->complete;
}

void sign_data_merge(struct sign_data *into, const struct sign_data *from)
{
    if (into->complete) return;
    if (from->complete) {
        *into = *from;
        return;
    }
    if (!into->redeem_script.len) into->redeem_script = from->redeem_script;
    if (!into->witness_script.len) into->witness_script = from->witness_script;
    for (size_t i = 0; i < from->sig_count; i++) add_sig(into, &from->sigs[i]);
}

/* ---- reading what is there ---- */

/* The elements that SCRIPT_SIG leaves, as far as it runs. */
static struct witness run_script_sig(struct interp *run, struct span script_sig, struct arena *arena)
{
    (void)interp_run(run, script_sig, SIG_BASE);
    struct span *items = arena_alloc_array(arena, run->count + 1, sizeof *items);
    for (size_t i = 0; i < run->count; i++) {
        struct span v = element_span(&run->stack[i]);
        items[i] = keep(arena, v.data, v.len);
    }
    return (struct witness){.items = items, .count = run->count};
}

/* Matches the elements of STACK with the keys of a multisig, both in order. */
static void read_multisig(struct sign_data *out, const struct sign_input *in, struct interp *run,
                          const struct script_solution *m, struct witness stack, struct span code)
{
    size_t next = 0;
    for (size_t i = 0; i < stack.count; i++) {
        for (size_t k = next; k < m->data_count; k++) {
            struct sign_sig sig = {.pubkey = m->data[k], .sig = stack.items[i]};
            hash160(sig.key_id, sig.pubkey.data, sig.pubkey.len);
            bool known = find_sig(out, sig.key_id) != NULL;
            if (!known && !check_ecdsa(run, sig.sig, sig.pubkey, code)) continue;
            sig.pubkey = keep(in->arena, sig.pubkey.data, sig.pubkey.len);
            sig.sig = keep(in->arena, sig.sig.data, sig.sig.len);
            add_sig(out, &sig);
            next = k + 1;
            break;
        }
    }
}

static bool last_is_script(struct witness stack)
{
    return stack.count && stack.items[stack.count - 1].len;
}

void sign_data_read(struct sign_data *out, const struct sign_input *in, struct span script_sig,
                    const struct witness *witness)
{
    struct span script = in->spent->script_pubkey;
    struct script_solution kind;
    struct interp run;
    *out = (struct sign_data){.script_sig = script_sig, .witness = *witness};
    out->complete = script_verify(script_sig, script, witness, in->t, in->index, in->spent->value, in->flags, NULL) ==
                    SCRIPT_ERR_OK;
    if (out->complete) return;
    interp_init(&run, in->t, in->index, in->spent->value, SCRIPT_VERIFY_STRICTENC, NULL);
    struct witness stack = run_script_sig(&run, script_sig, in->arena);
    interp_clear(&run);
    interp_init(&run, in->t, in->index, in->spent->value, SCRIPT_VERIFY_STRICTENC, NULL);
    enum sig_version version = SIG_BASE;
    script_solve(&kind, script);
    if (kind.kind == SCRIPT_SCRIPTHASH && last_is_script(stack)) {
        script = out->redeem_script = stack.items[--stack.count];
        script_solve(&kind, script);
    }
    if (kind.kind == SCRIPT_WITNESS_V0_SCRIPTHASH && last_is_script(*witness)) {
        stack = *witness;
        script = out->witness_script = stack.items[--stack.count];
        version = SIG_WITNESS_V0;
        script_solve(&kind, script);
    }
    run.version = version;
    if (kind.kind == SCRIPT_MULTISIG) read_multisig(out, in, &run, &kind, stack, script);
    interp_clear(&run);
}
