/* Miniscript as text, "or_d(pk(K),and_v(v:pkh(K),older(144)))", and back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "descriptor/key.h"
#include "descriptor/miniscript.h"
#include "script/script.h"

enum { MULTI_A_KEYS_MAX = 999, THRESH_MAX = 999, DEPTH_MAX = 400 };

static const char *const names[MS_FRAGMENTS] = {
    [MS_FALSE] = "0",         [MS_TRUE] = "1",          [MS_PK_K] = "pk_k",
    [MS_PK_H] = "pk_h",       [MS_OLDER] = "older",     [MS_AFTER] = "after",
    [MS_SHA256] = "sha256",   [MS_HASH256] = "hash256", [MS_RIPEMD160] = "ripemd160",
    [MS_HASH160] = "hash160", [MS_ANDOR] = "andor",     [MS_AND_V] = "and_v",
    [MS_AND_B] = "and_b",     [MS_OR_B] = "or_b",       [MS_OR_C] = "or_c",
    [MS_OR_D] = "or_d",       [MS_OR_I] = "or_i",       [MS_THRESH] = "thresh",
    [MS_MULTI] = "multi",     [MS_MULTI_A] = "multi_a",
};

static const char wrappers[] = "ascdvjn"; /* in the order of MS_WRAP_A to MS_WRAP_N */

/* ---- to text ---- */

static void put_key(struct buffer *out, const struct ms_node *n, size_t i, bool as_given)
{
    const struct ms_key *key = &n->keys[i];
    struct span text = as_given ? key->given : key->text;
    if (text.len)
        buffer_put_span(out, text);
    else
        hex_append(out, n->tapscript ? span_of(key->bytes + 1, 32) : span_of(key->bytes, 33));
}

static bool is_constant(const struct ms_node *n, enum ms_fragment fragment)
{
    return n->fragment == fragment;
}

/* The node's one-letter form, and what stands behind the letter; '\0': it has none. */
static char letter_of(const struct ms_node *n, const struct ms_node **inner)
{
    *inner = n->sub_count ? n->subs[0] : NULL;
    if (n->fragment == MS_WRAP_C && ((*inner)->fragment == MS_PK_K || (*inner)->fragment == MS_PK_H)) return '\0';
    if (n->fragment >= MS_WRAP_A && n->fragment <= MS_WRAP_N) return wrappers[n->fragment - MS_WRAP_A];
    if (n->fragment == MS_AND_V && is_constant(n->subs[1], MS_TRUE)) return 't';
    if (n->fragment == MS_OR_I && is_constant(n->subs[0], MS_FALSE)) {
        *inner = n->subs[1];
        return 'l';
    }
    if (n->fragment == MS_OR_I && is_constant(n->subs[1], MS_FALSE)) return 'u';
    return '\0';
}

static void put_arguments(struct buffer *out, const struct ms_node *n, bool as_given)
{
    bool has_k = n->fragment == MS_OLDER || n->fragment == MS_AFTER || n->fragment == MS_THRESH ||
                 n->fragment == MS_MULTI || n->fragment == MS_MULTI_A;
    size_t count = 0;
    if (has_k) buffer_printf(out, "%u", (unsigned)n->k), count++;
    for (size_t i = 0; i < n->key_count; i++) {
        if (count++) buffer_put_u8(out, ',');
        put_key(out, n, i, as_given);
    }
    for (size_t i = 0; i < n->sub_count; i++) {
        if (n->fragment == MS_ANDOR && i == 2 && is_constant(n->subs[2], MS_FALSE)) break; /* and_n */
        if (count++) buffer_put_u8(out, ',');
        ms_text(out, n->subs[i], as_given);
    }
    if (n->fragment >= MS_SHA256 && n->fragment <= MS_HASH160)
        hex_append(out, span_of(n->hash, n->fragment == MS_SHA256 || n->fragment == MS_HASH256 ? 32 : 20));
}

void ms_text(struct buffer *out, const struct ms_node *n, bool as_given)
{
    const struct ms_node *inner;
    bool letters = false;
    for (char letter; (letter = letter_of(n, &inner)); n = inner, letters = true) buffer_put_u8(out, (uint8_t)letter);
    if (letters) buffer_put_u8(out, ':');
    if (n->fragment == MS_FALSE || n->fragment == MS_TRUE) {
        buffer_put_str(out, names[n->fragment]);
        return;
    }
    if (n->fragment == MS_WRAP_C) { /* of a key: pk() and pkh() */
        buffer_put_str(out, inner->fragment == MS_PK_K ? "pk(" : "pkh(");
        n = inner;
    } else {
        bool and_n = n->fragment == MS_ANDOR && is_constant(n->subs[2], MS_FALSE);
        buffer_printf(out, "%s(", and_n ? "and_n" : names[n->fragment]);
    }
    put_arguments(out, n, as_given);
    buffer_put_u8(out, ')');
}

/* ---- from text ---- */

struct text_parser {
    struct descriptor_parser *p;
    struct arena *arena;
    bool tapscript;
    unsigned depth;
};

static struct ms_node *parse(struct text_parser *t, struct span text);

static struct ms_node *new_node(struct text_parser *t, enum ms_fragment fragment, size_t keys, size_t subs)
{
    struct ms_node *n = arena_alloc(t->arena, sizeof(*n));
    *n = (struct ms_node){.fragment = fragment, .tapscript = t->tapscript, .key_count = keys, .sub_count = subs};
    if (keys) n->keys = arena_alloc_array(t->arena, keys, sizeof(*n->keys));
    if (subs) n->subs = arena_alloc_array(t->arena, subs, sizeof(struct ms_node *));
    return n;
}

static struct ms_node *make(struct text_parser *t, enum ms_fragment fragment, struct ms_node *x, struct ms_node *y)
{
    if (!x || (ms_sub_count(fragment) == 2 && !y)) return NULL;
    struct ms_node *n = new_node(t, fragment, 0, (size_t)ms_sub_count(fragment));
    n->subs[0] = x;
    if (n->sub_count == 2) n->subs[1] = y;
    ms_compute(n, t->arena);
    return n;
}

static struct ms_node *constant(struct text_parser *t, enum ms_fragment fragment)
{
    struct ms_node *n = new_node(t, fragment, 0, 0);
    ms_compute(n, t->arena);
    return n;
}

static bool parse_key(struct text_parser *t, struct span text, struct ms_key *out)
{
    struct descriptor_key *key = arena_alloc(t->arena, sizeof(*key));
    struct buffer printed = {0}, *into = t->p->text;
    if (!descriptor_key_parse(t->p, text, t->tapscript ? DESCRIPTOR_P2TR : DESCRIPTOR_P2WSH, key)) return false;
    t->p->text = &printed;
    descriptor_print_key(t->p, key, t->tapscript);
    t->p->text = into;
    uint8_t *copy = arena_alloc(t->arena, printed.len + 1);
    memcpy(copy, printed.data, printed.len);
    out->text = span_of(copy, printed.len);
    out->given = text;
    buffer_clear(&printed);
    if (t->tapscript) {
        out->bytes[0] = 2;
        memcpy(out->bytes + 1, key->xonly, 32);
    } else {
        memcpy(out->bytes, key->bytes, 33);
    }
    return true;
}

static bool parse_number(struct span text, uint32_t max, uint32_t *out)
{
    uint64_t v = 0;
    if (text.len < 1 || text.len > 10 || text.data[0] == '0') return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        v = v * 10 + (uint64_t)(text.data[i] - '0');
    }
    *out = (uint32_t)v;
    return v >= 1 && v <= max;
}

/* The next of ARG's parts between commas; *ARG is what follows. */
static struct span next_argument(struct span *arg)
{
    struct span part = descriptor_take(arg);
    if (arg->len && arg->data[0] == ',') *arg = span_from(*arg, 1);
    return part;
}

static size_t count_arguments(struct span arg)
{
    size_t count = 0;
    while (arg.len) {
        struct span before = arg;
        (void)next_argument(&arg);
        count++;
        if (arg.len == before.len) break;
    }
    return count;
}

static struct ms_node *parse_keyed(struct text_parser *t, enum ms_fragment fragment, struct span arg)
{
    struct ms_node *n = new_node(t, fragment, 1, 0);
    if (!parse_key(t, arg, &n->keys[0])) return NULL;
    ms_compute(n, t->arena);
    return n;
}

static struct ms_node *parse_multi(struct text_parser *t, enum ms_fragment fragment, struct span arg)
{
    size_t max = fragment == MS_MULTI ? MAX_PUBKEYS_PER_MULTISIG : MULTI_A_KEYS_MAX, count = count_arguments(arg);
    uint32_t k;
    if (t->tapscript != (fragment == MS_MULTI_A) || count < 2 || count - 1 > max) return NULL;
    if (!parse_number(next_argument(&arg), (uint32_t)(count - 1), &k)) return NULL;
    struct ms_node *n = new_node(t, fragment, count - 1, 0);
    n->k = k;
    for (size_t i = 0; i < n->key_count; i++)
        if (!parse_key(t, next_argument(&arg), &n->keys[i])) return NULL;
    ms_compute(n, t->arena);
    return n;
}

static struct ms_node *parse_lock(struct text_parser *t, enum ms_fragment fragment, struct span arg)
{
    struct ms_node *n = new_node(t, fragment, 0, 0);
    if (!parse_number(arg, INT32_MAX, &n->k)) return NULL;
    ms_compute(n, t->arena);
    return n;
}

static struct ms_node *parse_hash(struct text_parser *t, enum ms_fragment fragment, struct span arg)
{
    size_t len = fragment == MS_SHA256 || fragment == MS_HASH256 ? 32 : 20;
    char digits[2 * 32 + 1];
    struct ms_node *n = new_node(t, fragment, 0, 0);
    if (arg.len != 2 * len) return NULL;
    memcpy(digits, arg.data, arg.len);
    digits[arg.len] = '\0';
    if (!hex_decode(n->hash, len, digits)) return NULL;
    ms_compute(n, t->arena);
    return n;
}

static struct ms_node *parse_subs(struct text_parser *t, enum ms_fragment fragment, struct span arg)
{
    size_t count = count_arguments(arg), first = fragment == MS_THRESH;
    uint32_t k = 0;
    if (fragment == MS_THRESH) {
        if (count < 2 || count > THRESH_MAX || !parse_number(next_argument(&arg), (uint32_t)(count - 1), &k))
            return NULL;
    } else if (count != (size_t)ms_sub_count(fragment)) {
        return NULL;
    }
    struct ms_node *n = new_node(t, fragment, 0, count - first);
    n->k = k;
    for (size_t i = 0; i < n->sub_count; i++)
        if (!(n->subs[i] = parse(t, next_argument(&arg)))) return NULL;
    ms_compute(n, t->arena);
    return n;
}

static struct ms_node *parse_and_n(struct text_parser *t, struct span arg)
{
    if (count_arguments(arg) != 2) return NULL;
    struct ms_node *n = new_node(t, MS_ANDOR, 0, 3);
    n->subs[0] = parse(t, next_argument(&arg));
    n->subs[1] = n->subs[0] ? parse(t, next_argument(&arg)) : NULL;
    n->subs[2] = constant(t, MS_FALSE);
    if (!n->subs[1]) return NULL;
    ms_compute(n, t->arena);
    return n;
}

static struct ms_node *parse_function(struct text_parser *t, const char *name, struct span arg)
{
    if (strcmp(name, "pk") == 0) return make(t, MS_WRAP_C, parse_keyed(t, MS_PK_K, arg), NULL);
    if (strcmp(name, "pkh") == 0) return make(t, MS_WRAP_C, parse_keyed(t, MS_PK_H, arg), NULL);
    if (strcmp(name, "and_n") == 0) return parse_and_n(t, arg);
    for (enum ms_fragment f = MS_PK_K; f <= MS_MULTI_A; f++) {
        if (strcmp(name, names[f]) != 0) continue;
        if (f == MS_PK_K || f == MS_PK_H) return parse_keyed(t, f, arg);
        if (f == MS_MULTI || f == MS_MULTI_A) return parse_multi(t, f, arg);
        if (f == MS_OLDER || f == MS_AFTER) return parse_lock(t, f, arg);
        return f <= MS_HASH160 ? parse_hash(t, f, arg) : parse_subs(t, f, arg);
    }
    return NULL;
}

static struct ms_node *parse_bare(struct text_parser *t, struct span text)
{
    char name[DESCRIPTOR_NAME];
    struct span arg;
    if (text.len == 1 && text.data[0] == '0') return constant(t, MS_FALSE);
    if (text.len == 1 && text.data[0] == '1') return constant(t, MS_TRUE);
    return descriptor_function(text, name, &arg) ? parse_function(t, name, arg) : NULL;
}

static struct ms_node *apply_wrapper(struct text_parser *t, char letter, struct ms_node *x)
{
    const char *plain = memchr(wrappers, letter, sizeof(wrappers) - 1);
    if (!x) return NULL;
    if (plain) return make(t, (enum ms_fragment)(MS_WRAP_A + (plain - wrappers)), x, NULL);
    switch (letter) {
    case 't': return make(t, MS_AND_V, x, constant(t, MS_TRUE));
    case 'l': return make(t, MS_OR_I, constant(t, MS_FALSE), x);
    case 'u': return make(t, MS_OR_I, x, constant(t, MS_FALSE));
    default: return NULL;
    }
}

/* Letters before a colon wrap what follows it, the last one first. */
static struct ms_node *parse(struct text_parser *t, struct span text)
{
    size_t letters = 0;
    while (letters < text.len && text.data[letters] >= 'a' && text.data[letters] <= 'z') letters++;
    bool wrapped = letters && letters < text.len && text.data[letters] == ':';
    if (t->depth >= DEPTH_MAX || (wrapped && letters > DEPTH_MAX)) return NULL;
    for (size_t i = 1; wrapped && i < letters; i++) /* never valid, and no longer for it in script */
        if (text.data[i] == 'v' && text.data[i - 1] == 'v') return NULL;
    t->depth++;
    struct ms_node *n = parse_bare(t, wrapped ? span_from(text, letters + 1) : text);
    for (size_t i = wrapped ? letters : 0; i-- > 0;) n = apply_wrapper(t, (char)text.data[i], n);
    t->depth--;
    return n;
}

struct ms_node *ms_from_text(struct descriptor_parser *p, struct span text, bool tapscript, struct arena *arena)
{
    struct text_parser t = {.p = p, .arena = arena, .tapscript = tapscript};
    struct ms_node *n = parse(&t, text);
    return n && n->script_len <= ms_max_script(tapscript) ? n : NULL;
}
