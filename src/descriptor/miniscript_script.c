/* Miniscript to script, and back: each fragment has one form in script, read from its end. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/ripemd160.h"
#include "crypto/secp.h"
#include "descriptor/miniscript.h"
#include "script/script.h"

/* ---- to script ---- */

/* OPCODE is the last of what stands there: with VERIFY it becomes one where there is one for both. */
static void put_checked(struct buffer *out, uint8_t opcode, bool verify)
{
    bool merges = opcode == OP_EQUAL || opcode == OP_NUMEQUAL || opcode == OP_CHECKSIG || opcode == OP_CHECKMULTISIG;
    buffer_put_u8(out, verify && merges ? (uint8_t)(opcode + 1) : opcode);
    if (verify && !merges) buffer_put_u8(out, OP_VERIFY);
}

static void put_key_hash(struct buffer *out, const struct ms_node *n)
{
    uint8_t hash[20];
    struct span key = n->tapscript ? span_of(n->keys[0].bytes + 1, 32) : span_of(n->keys[0].bytes, 33);
    hash160(hash, key.data, key.len);
    buffer_put_u8(out, OP_DUP);
    buffer_put_u8(out, OP_HASH160);
    script_put_push(out, span_of(hash, sizeof hash));
    buffer_put_u8(out, OP_EQUALVERIFY);
}

static void put_key(struct buffer *out, const struct ms_node *n, size_t i)
{
    script_put_push(out, n->tapscript ? span_of(n->keys[i].bytes + 1, 32) : span_of(n->keys[i].bytes, 33));
}

static void put_hash(struct buffer *out, const struct ms_node *n, bool verify)
{
    static const uint8_t opcodes[MS_FRAGMENTS] = {
        [MS_SHA256] = OP_SHA256, [MS_HASH256] = OP_HASH256, [MS_RIPEMD160] = OP_RIPEMD160, [MS_HASH160] = OP_HASH160};
    bool wide = n->fragment == MS_SHA256 || n->fragment == MS_HASH256;
    buffer_put_u8(out, OP_SIZE);
    script_put_int(out, 32);
    buffer_put_u8(out, OP_EQUALVERIFY);
    buffer_put_u8(out, opcodes[n->fragment]);
    script_put_push(out, span_of(n->hash, wide ? 32 : 20));
    put_checked(out, OP_EQUAL, verify);
}

static void put_multi(struct buffer *out, const struct ms_node *n, bool verify)
{
    bool adds = n->fragment == MS_MULTI_A;
    if (!adds) script_put_int(out, n->k);
    for (size_t i = 0; i < n->key_count; i++) {
        put_key(out, n, i);
        if (adds) buffer_put_u8(out, i ? OP_CHECKSIGADD : OP_CHECKSIG);
    }
    script_put_int(out, adds ? n->k : (int64_t)n->key_count);
    put_checked(out, adds ? OP_NUMEQUAL : OP_CHECKMULTISIG, verify);
}

static void put_node(struct buffer *out, const struct ms_node *n, bool verify);

static void put_ops(struct buffer *out, const uint8_t *ops, size_t count)
{
    buffer_put_span(out, span_of(ops, count));
}
#define PUT_OPS(OUT, ...) put_ops(OUT, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void put_wrapper(struct buffer *out, const struct ms_node *n, bool verify)
{
    const struct ms_node *x = n->subs[0];
    switch (n->fragment) {
    case MS_WRAP_A:
        PUT_OPS(out, OP_TOALTSTACK);
        put_node(out, x, false);
        PUT_OPS(out, OP_FROMALTSTACK);
        break;
    case MS_WRAP_S:
        PUT_OPS(out, OP_SWAP);
        put_node(out, x, verify);
        break;
    case MS_WRAP_C:
        put_node(out, x, false);
        put_checked(out, OP_CHECKSIG, verify);
        break;
    case MS_WRAP_D:
        PUT_OPS(out, OP_DUP, OP_IF);
        put_node(out, x, false);
        PUT_OPS(out, OP_ENDIF);
        break;
    case MS_WRAP_V: put_node(out, x, true); return;
    case MS_WRAP_J:
        PUT_OPS(out, OP_SIZE, OP_0NOTEQUAL, OP_IF);
        put_node(out, x, false);
        PUT_OPS(out, OP_ENDIF);
        break;
    default: /* MS_WRAP_N */
        put_node(out, x, false);
        PUT_OPS(out, OP_0NOTEQUAL);
        break;
    }
    if (verify && ms_has(n->type, MS_X)) PUT_OPS(out, OP_VERIFY);
}

static void put_branches(struct buffer *out, const struct ms_node *n)
{
    const struct ms_node *x = n->subs[0], *y = n->subs[1];
    switch (n->fragment) {
    case MS_OR_C:
        put_node(out, x, false);
        PUT_OPS(out, OP_NOTIF);
        put_node(out, y, false);
        break;
    case MS_OR_D:
        put_node(out, x, false);
        PUT_OPS(out, OP_IFDUP, OP_NOTIF);
        put_node(out, y, false);
        break;
    case MS_OR_I:
        PUT_OPS(out, OP_IF);
        put_node(out, x, false);
        PUT_OPS(out, OP_ELSE);
        put_node(out, y, false);
        break;
    default: /* MS_ANDOR */
        put_node(out, x, false);
        PUT_OPS(out, OP_NOTIF);
        put_node(out, n->subs[2], false);
        PUT_OPS(out, OP_ELSE);
        put_node(out, y, false);
        break;
    }
    PUT_OPS(out, OP_ENDIF);
}

static void put_thresh(struct buffer *out, const struct ms_node *n, bool verify)
{
    for (size_t i = 0; i < n->sub_count; i++) {
        put_node(out, n->subs[i], false);
        if (i) PUT_OPS(out, OP_ADD);
    }
    script_put_int(out, n->k);
    put_checked(out, OP_EQUAL, verify);
}

/* VERIFY: it stands within v(). Those whose type has an x get an opcode of their own for that, the others merge. */
static void put_node(struct buffer *out, const struct ms_node *n, bool verify)
{
    switch (n->fragment) {
    case MS_PK_K: put_key(out, n, 0); break;
    case MS_PK_H: put_key_hash(out, n); break;
    case MS_FALSE: PUT_OPS(out, OP_0); break;
    case MS_TRUE: PUT_OPS(out, OP_1); break;
    case MS_OLDER:
    case MS_AFTER:
        script_put_int(out, n->k);
        buffer_put_u8(out, n->fragment == MS_OLDER ? OP_CHECKSEQUENCEVERIFY : OP_CHECKLOCKTIMEVERIFY);
        break;
    case MS_SHA256:
    case MS_HASH256:
    case MS_RIPEMD160:
    case MS_HASH160: put_hash(out, n, verify); return;
    case MS_MULTI:
    case MS_MULTI_A: put_multi(out, n, verify); return;
    case MS_THRESH: put_thresh(out, n, verify); return;
    case MS_AND_V:
        put_node(out, n->subs[0], false);
        put_node(out, n->subs[1], verify);
        return;
    case MS_AND_B:
    case MS_OR_B:
        put_node(out, n->subs[0], false);
        put_node(out, n->subs[1], false);
        buffer_put_u8(out, n->fragment == MS_AND_B ? OP_BOOLAND : OP_BOOLOR);
        break;
    case MS_OR_C:
    case MS_OR_D:
    case MS_OR_I:
    case MS_ANDOR: put_branches(out, n); break;
    default: put_wrapper(out, n, verify); return;
    }
    if (verify) PUT_OPS(out, OP_VERIFY);
}

void ms_script(struct buffer *out, const struct ms_node *n)
{
    put_node(out, n, false);
}

/* ---- from script ---- */

struct token {
    uint8_t opcode;
    struct span data;
};

struct decoder {
    struct token *tokens; /* the last of the script first */
    size_t count, at;
    struct arena *arena;
    unsigned depth;
};

/* Nesting costs an opcode that counts for every level or two. */
enum { SCRIPT_MAX = 3600, DEPTH_MAX = 600 };

static uint8_t peek(const struct decoder *d, size_t ahead)
{
    return d->at + ahead < d->count ? d->tokens[d->at + ahead].opcode : OP_INVALIDOPCODE;
}

static bool take(struct decoder *d, uint8_t opcode)
{
    if (peek(d, 0) != opcode || d->at >= d->count) return false;
    d->at++;
    return true;
}

/* The number that is pushed AHEAD of here. */
static bool number_at(const struct decoder *d, size_t ahead, int64_t *out)
{
    if (d->at + ahead >= d->count) return false;
    const struct token *t = &d->tokens[d->at + ahead];
    if (t->opcode == OP_0) {
        *out = 0;
        return true;
    }
    if (t->opcode >= OP_1 && t->opcode <= OP_16) {
        *out = t->opcode - OP_1 + 1;
        return true;
    }
    return t->data.len && script_num_decode(out, t->data, true, 4);
}

static struct ms_node *new_node(struct decoder *d, enum ms_fragment fragment, size_t subs)
{
    struct ms_node *n = arena_alloc(d->arena, sizeof(*n));
    *n = (struct ms_node){.fragment = fragment, .sub_count = subs};
    if (subs) n->subs = arena_alloc_array(d->arena, subs, sizeof(struct ms_node *));
    return n;
}

static struct ms_node *finish(struct decoder *d, struct ms_node *n)
{
    ms_compute(n, d->arena);
    return n;
}

static struct ms_node *parse_one(struct decoder *d);
static struct ms_node *parse_sequence(struct decoder *d);

static struct ms_node *wrap(struct decoder *d, enum ms_fragment fragment, struct ms_node *x)
{
    if (!x) return NULL;
    struct ms_node *n = new_node(d, fragment, 1);
    n->subs[0] = x;
    return finish(d, n);
}

static struct ms_node *pair(struct decoder *d, enum ms_fragment fragment, struct ms_node *x, struct ms_node *y)
{
    if (!x || !y) return NULL;
    struct ms_node *n = new_node(d, fragment, 2);
    n->subs[0] = x;
    n->subs[1] = y;
    return finish(d, n);
}

static bool take_key(struct decoder *d, struct ms_key *key)
{
    if (d->at >= d->count) return false;
    struct span data = d->tokens[d->at].data;
    if (data.len != 33 || (data.data[0] != 2 && data.data[0] != 3) || !pubkey_is_valid(data)) return false;
    memcpy(key->bytes, data.data, 33);
    key->text = key->given = (struct span){0}; /* printed in hex */
    d->at++;
    return true;
}

static struct ms_node *parse_key(struct decoder *d)
{
    struct ms_node *n = new_node(d, MS_PK_K, 0);
    n->keys = arena_alloc(d->arena, sizeof(*n->keys));
    n->key_count = 1;
    return take_key(d, &n->keys[0]) ? finish(d, n) : NULL;
}

static struct ms_node *parse_multi(struct decoder *d)
{
    int64_t count, k;
    struct ms_node *n = new_node(d, MS_MULTI, 0);
    if (!number_at(d, 0, &count) || count < 1 || count > MAX_PUBKEYS_PER_MULTISIG) return NULL;
    d->at++;
    n->key_count = (size_t)count;
    n->keys = arena_alloc_array(d->arena, n->key_count, sizeof(*n->keys));
    for (size_t i = n->key_count; i-- > 0;)
        if (!take_key(d, &n->keys[i])) return NULL;
    if (!number_at(d, 0, &k) || k < 1 || k > count) return NULL;
    d->at++;
    n->k = (uint32_t)k;
    return finish(d, n);
}

static struct ms_node *parse_lock(struct decoder *d, enum ms_fragment fragment)
{
    int64_t k;
    struct ms_node *n = new_node(d, fragment, 0);
    if (!number_at(d, 1, &k) || k < 1) return NULL;
    d->at += 2;
    n->k = (uint32_t)k;
    return finish(d, n);
}

/* SIZE <32> EQUALVERIFY HASH <hash> EQUAL; where it is nothing like that, NULL and nothing taken. */
static struct ms_node *parse_hash(struct decoder *d)
{
    static const struct {
        uint8_t opcode;
        size_t len;
        enum ms_fragment fragment;
    } rows[] = {{OP_SHA256, 32, MS_SHA256},
                {OP_HASH256, 32, MS_HASH256},
                {OP_RIPEMD160, 20, MS_RIPEMD160},
                {OP_HASH160, 20, MS_HASH160}};
    int64_t size;
    if (peek(d, 3) != OP_VERIFY || peek(d, 4) != OP_EQUAL || peek(d, 6) != OP_SIZE) return NULL;
    if (!number_at(d, 5, &size) || size != 32) return NULL;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span data = d->tokens[d->at + 1].data;
        if (peek(d, 2) != rows[i].opcode || data.len != rows[i].len) continue;
        struct ms_node *n = new_node(d, rows[i].fragment, 0);
        memcpy(n->hash, data.data, data.len);
        d->at += 7;
        return finish(d, n);
    }
    return NULL;
}

/* What stands below others: SWAP X, or TOALTSTACK X FROMALTSTACK. */
static struct ms_node *parse_wrapped(struct decoder *d)
{
    bool alt = take(d, OP_FROMALTSTACK);
    struct ms_node *x = parse_sequence(d);
    if (!x || !take(d, alt ? OP_TOALTSTACK : OP_SWAP)) return NULL;
    return wrap(d, alt ? MS_WRAP_A : MS_WRAP_S, x);
}

static struct ms_node *parse_two(struct decoder *d, enum ms_fragment fragment)
{
    struct ms_node *y = parse_wrapped(d);
    struct ms_node *x = y ? parse_one(d) : NULL;
    return pair(d, fragment, x, y);
}

static struct ms_node *parse_thresh(struct decoder *d)
{
    int64_t k;
    struct ms_node *subs[MAX_OPS_PER_SCRIPT + 1];
    size_t count = 0;
    if (!number_at(d, 1, &k) || k < 1) return NULL;
    d->at += 2;
    while (take(d, OP_ADD)) {
        if (count >= MAX_OPS_PER_SCRIPT) return NULL;
        subs[count] = parse_wrapped(d);
        if (!subs[count++]) return NULL;
    }
    subs[count] = parse_one(d);
    if (!subs[count++] || (uint64_t)k > count) return NULL;
    struct ms_node *n = new_node(d, MS_THRESH, count);
    for (size_t i = 0; i < count; i++) n->subs[i] = subs[count - 1 - i];
    n->k = (uint32_t)k;
    return finish(d, n);
}

/* ENDIF was taken. */
static struct ms_node *parse_branches(struct decoder *d)
{
    struct ms_node *last = parse_sequence(d);
    if (!last) return NULL;
    if (take(d, OP_ELSE)) {
        struct ms_node *first = parse_sequence(d);
        if (!first) return NULL;
        if (take(d, OP_IF)) return pair(d, MS_OR_I, first, last);
        if (!take(d, OP_NOTIF)) return NULL;
        struct ms_node *n = new_node(d, MS_ANDOR, 3), *x = parse_one(d);
        if (!x) return NULL;
        n->subs[0] = x;
        n->subs[1] = last;
        n->subs[2] = first;
        return finish(d, n);
    }
    if (take(d, OP_NOTIF)) {
        bool dup = take(d, OP_IFDUP);
        return pair(d, dup ? MS_OR_D : MS_OR_C, parse_one(d), last);
    }
    if (!take(d, OP_IF)) return NULL;
    if (take(d, OP_DUP)) return wrap(d, MS_WRAP_D, last);
    return take(d, OP_0NOTEQUAL) && take(d, OP_SIZE) ? wrap(d, MS_WRAP_J, last) : NULL;
}

static struct ms_node *parse_by_opcode(struct decoder *d)
{
    uint8_t opcode = peek(d, 0);
    int64_t k;
    switch (opcode) {
    case OP_0: d->at++; return finish(d, new_node(d, MS_FALSE, 0));
    case OP_1: d->at++; return finish(d, new_node(d, MS_TRUE, 0));
    case OP_CHECKSEQUENCEVERIFY: return parse_lock(d, MS_OLDER);
    case OP_CHECKLOCKTIMEVERIFY: return parse_lock(d, MS_AFTER);
    case OP_CHECKMULTISIG: d->at++; return parse_multi(d);
    case OP_EQUAL: {
        struct ms_node *n = parse_hash(d);
        if (n) return n;
        return number_at(d, 1, &k) ? parse_thresh(d) : NULL;
    }
    case OP_VERIFY: d->at++; return wrap(d, MS_WRAP_V, parse_one(d));
    case OP_0NOTEQUAL: d->at++; return wrap(d, MS_WRAP_N, parse_one(d));
    case OP_CHECKSIG: d->at++; return wrap(d, MS_WRAP_C, parse_one(d));
    case OP_BOOLAND: d->at++; return parse_two(d, MS_AND_B);
    case OP_BOOLOR: d->at++; return parse_two(d, MS_OR_B);
    case OP_ENDIF: d->at++; return parse_branches(d);
    default: return parse_key(d);
    }
}

static struct ms_node *parse_one(struct decoder *d)
{
    if (d->at >= d->count || d->depth >= DEPTH_MAX) return NULL;
    d->depth++;
    struct ms_node *n = parse_by_opcode(d);
    d->depth--;
    return n;
}

/* One, with what stands before it in the same branch: and_v() of them. */
static struct ms_node *parse_sequence(struct decoder *d)
{
    struct ms_node *parts[MAX_OPS_PER_SCRIPT];
    size_t count = 0;
    for (;;) {
        if (count == ARRAY_LEN(parts)) return NULL;
        parts[count] = parse_one(d);
        if (!parts[count++]) return NULL;
        uint8_t next = peek(d, 0);
        if (d->at >= d->count || next == OP_IF || next == OP_ELSE || next == OP_NOTIF || next == OP_TOALTSTACK ||
            next == OP_SWAP)
            break;
    }
    struct ms_node *n = parts[count - 1];
    for (size_t i = count - 1; i-- > 0;) n = pair(d, MS_AND_V, n, parts[i]);
    return n;
}

/* Opcodes that check and fail, as two. False where the script is not as short as it could be. */
static bool tokenize(struct span script, struct token *out, size_t *count)
{
    size_t pos = 0, n = 0;
    uint8_t opcode, before = OP_INVALIDOPCODE;
    struct span data;
    while (pos < script.len) {
        if (!script_next(script, &pos, &opcode, &data)) return false;
        bool merged = opcode == OP_CHECKSIGVERIFY || opcode == OP_CHECKMULTISIGVERIFY || opcode == OP_EQUALVERIFY ||
                      opcode == OP_NUMEQUALVERIFY;
        if (opcode == OP_VERIFY &&
            (before == OP_CHECKSIG || before == OP_CHECKMULTISIG || before == OP_EQUAL || before == OP_NUMEQUAL))
            return false;
        if (opcode > OP_0 && opcode <= OP_PUSHDATA4) {
            struct buffer shortest = {0};
            script_put_push(&shortest, data);
            bool minimal =
                shortest.data[0] == opcode && !(data.len == 1 && (data.data[0] <= 16 || data.data[0] == 0x81));
            buffer_clear(&shortest);
            if (!minimal) return false;
        }
        out[n++] = (struct token){.opcode = merged ? (uint8_t)(opcode - 1) : opcode, .data = data};
        if (merged) out[n++] = (struct token){.opcode = OP_VERIFY};
        before = opcode;
    }
    for (size_t i = 0; i < n / 2; i++) {
        struct token t = out[i];
        out[i] = out[n - 1 - i];
        out[n - 1 - i] = t;
    }
    *count = n;
    return true;
}

struct ms_node *ms_from_script(struct span script, struct arena *arena)
{
    if (script.len > SCRIPT_MAX) return NULL;
    struct decoder d = {.arena = arena, .tokens = mem_alloc((2 * script.len + 1) * sizeof(*d.tokens))};
    struct ms_node *n = NULL;
    if (tokenize(script, d.tokens, &d.count)) n = parse_sequence(&d);
    bool good = n && d.at == d.count && ms_is_valid(n) && ms_has(n->type, MS_B);
    free(d.tokens);
    return good ? n : NULL;
}
