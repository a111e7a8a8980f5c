/* From a descriptor with constant keys to its scripts: a recursive parser over the text. */
#include "descriptor/descriptor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hex.h"
#include "crypto/ripemd160.h"
#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "descriptor/key.h"
#include "descriptor/miniscript.h"
#include "descriptor/tree.h"
#include "script/script.h"

void descriptor_scripts_clear(struct descriptor_scripts *s)
{
    for (size_t i = 0; i < ARRAY_LEN(s->script); i++) {
        buffer_clear(&s->script[i]);
        buffer_clear(&s->text[i]);
    }
    *s = (struct descriptor_scripts){0};
}

static void put_p2pkh(struct buffer *out, struct span key)
{
    uint8_t hash[20];
    hash160(hash, key.data, key.len);
    buffer_put_u8(out, OP_DUP);
    buffer_put_u8(out, OP_HASH160);
    script_put_push(out, span_of(hash, 20));
    buffer_put_u8(out, OP_EQUALVERIFY);
    buffer_put_u8(out, OP_CHECKSIG);
}

static void put_p2wpkh(struct buffer *out, struct span key)
{
    uint8_t hash[20];
    hash160(hash, key.data, key.len);
    buffer_put_u8(out, OP_0);
    script_put_push(out, span_of(hash, 20));
}

static void put_p2sh(struct buffer *out, struct span inner)
{
    uint8_t hash[20];
    hash160(hash, inner.data, inner.len);
    buffer_put_u8(out, OP_HASH160);
    script_put_push(out, span_of(hash, 20));
    buffer_put_u8(out, OP_EQUAL);
}

static void put_p2wsh(struct buffer *out, struct span inner)
{
    uint8_t hash[32];
    sha256_once(hash, inner.data, inner.len);
    buffer_put_u8(out, OP_0);
    script_put_push(out, span_of(hash, 32));
}

/* The one key of NAME(). */
static bool expand_key(struct descriptor_parser *p, const char *name, struct span arg, enum descriptor_context context,
                       struct descriptor_key *key)
{
    char function[DESCRIPTOR_NAME + 2];
    if (descriptor_key_parse(p, arg, context, key)) {
        descriptor_print(p, "%s(", name);
        descriptor_print_key(p, key, context == DESCRIPTOR_P2TR);
        descriptor_print(p, ")");
        return true;
    }
    snprintf(function, sizeof function, "%s()", name);
    return descriptor_error_in(p, function);
}

static void put_pk(struct buffer *out, const struct descriptor_key *key)
{
    script_put_push(out, span_of(key->bytes, key->len));
    buffer_put_u8(out, OP_CHECKSIG);
}

/* pk, pkh, wpkh and multi: a script of keys, in CONTEXT. False with p->error empty where NAME is none of them. */
static bool expand_simple(struct descriptor_parser *p, const char *name, struct span arg,
                          enum descriptor_context context, struct buffer *out)
{
    struct descriptor_key key;
    if (strcmp(name, "pk") == 0) {
        if (!expand_key(p, "pk", arg, context, &key)) return false;
        put_pk(out, &key);
        return true;
    }
    if (strcmp(name, "pkh") == 0) {
        if (!expand_key(p, "pkh", arg, context, &key)) return false;
        put_p2pkh(out, span_of(key.bytes, key.len));
        return true;
    }
    if (strcmp(name, "wpkh") == 0) {
        if (context == DESCRIPTOR_P2WSH) return descriptor_error(p, "Can only have wpkh() at top level or inside sh()");
        if (!expand_key(p, "wpkh", arg, DESCRIPTOR_P2WPKH, &key)) return false;
        put_p2wpkh(out, span_of(key.bytes, key.len));
        return true;
    }
    if (strcmp(name, "multi") == 0 || strcmp(name, "sortedmulti") == 0)
        return descriptor_multi(p, arg, context, name[0] == 's', out);
    return false;
}

bool descriptor_miniscript(struct descriptor_parser *p, struct span text, bool tapscript, struct buffer *out)
{
    struct arena arena = {0};
    const struct ms_node *fault, *n = ms_from_text(p, text, tapscript, &arena);
    const char *why;
    bool sane = n && ms_is_sane(n, &fault, &why);
    if (sane) {
        ms_script(out, n);
        if (p->text) ms_text(p->text, n, false);
    } else if (n) {
        struct buffer at_fault = {0};
        ms_text(&at_fault, fault, !p->has_secrets);
        descriptor_error(p, "%s%s", buffer_text(&at_fault), why);
        buffer_clear(&at_fault);
    }
    arena_clear(&arena);
    return sane;
}

static bool expand_inner(struct descriptor_parser *p, struct span text, enum descriptor_context context,
                         struct buffer *out)
{
    char name[DESCRIPTOR_NAME];
    struct span arg;
    const char *where = context == DESCRIPTOR_P2SH ? "P2SH" : "P2WSH";
    if (!descriptor_function(text, name, &arg)) {
        if (context == DESCRIPTOR_P2WSH && descriptor_miniscript(p, text, false, out)) return true;
        return *p->error ? false : descriptor_error(p, "A function is needed within %s", where);
    }
    if (strcmp(name, "wsh") == 0 && context == DESCRIPTOR_P2SH) {
        struct buffer inner = {0};
        descriptor_print(p, "wsh(");
        bool good = expand_inner(p, arg, DESCRIPTOR_P2WSH, &inner);
        descriptor_print(p, ")");
        if (good) put_p2wsh(out, buffer_span(&inner));
        buffer_clear(&inner);
        return good;
    }
    if (expand_simple(p, name, arg, context, out)) return true;
    if (*p->error) return false;
    if (strcmp(name, "wsh") == 0) return descriptor_error(p, "Can only have wsh() at top level or inside sh()");
    if (strcmp(name, "combo") == 0 || strcmp(name, "addr") == 0 || strcmp(name, "raw") == 0 || strcmp(name, "sh") == 0)
        return descriptor_error(p, "Can only have %s() at top level", name);
    if (strcmp(name, "tr") == 0 || strcmp(name, "rawtr") == 0)
        return descriptor_error(p, "Can only have %s at top level", name);
    if (context == DESCRIPTOR_P2WSH && descriptor_miniscript(p, text, false, out)) return true;
    return *p->error ? false : descriptor_error(p, "A function is needed within %s", where);
}

static bool expand_wrapped(struct descriptor_parser *p, const char *name, struct span arg, struct buffer *out)
{
    struct buffer inner = {0};
    bool script_hash = strcmp(name, "sh") == 0;
    descriptor_print(p, "%s(", name);
    bool good = expand_inner(p, arg, script_hash ? DESCRIPTOR_P2SH : DESCRIPTOR_P2WSH, &inner);
    descriptor_print(p, ")");
    if (good && script_hash) put_p2sh(out, buffer_span(&inner));
    if (good && !script_hash) put_p2wsh(out, buffer_span(&inner));
    buffer_clear(&inner);
    return good;
}

static bool expand_addr(struct descriptor_parser *p, struct span arg, struct buffer *out)
{
    struct destination dest;
    struct buffer text = {0};
    buffer_put_span(&text, arg);
    bool good = address_decode(&dest, buffer_text(&text), p->prefixes, NULL);
    buffer_clear(&text);
    if (!good) return descriptor_error(p, "Address is not valid");
    destination_script(out, &dest);
    return true;
}

static bool expand_combo(struct descriptor_parser *p, struct span arg, struct descriptor_scripts *out)
{
    static const char *const opening[] = {"pk(", "pkh(", "wpkh(", "sh(wpkh("};
    struct descriptor_key key;
    if (!descriptor_key_parse(p, arg, DESCRIPTOR_TOP, &key)) return descriptor_error_in(p, "combo()");
    struct span bytes = span_of(key.bytes, key.len);
    put_pk(&out->script[0], &key);
    put_p2pkh(&out->script[1], bytes);
    out->count = 2;
    if (key.len == 33) {
        put_p2wpkh(&out->script[2], bytes);
        put_p2sh(&out->script[3], buffer_span(&out->script[2]));
        out->count = 4;
    }
    for (size_t i = 0; i < out->count; i++) {
        p->text = &out->text[i];
        descriptor_print(p, "%s", opening[i]);
        descriptor_print_key(p, &key, false);
        descriptor_print(p, "%s", i == 3 ? "))" : ")");
    }
    return true;
}

static bool expand_rawtr(struct descriptor_parser *p, struct span arg, struct buffer *out)
{
    struct descriptor_key key;
    if (!expand_key(p, "rawtr", arg, DESCRIPTOR_P2TR, &key)) return false;
    buffer_put_u8(out, OP_1);
    script_put_push(out, span_of(key.xonly, 32));
    return true;
}

static bool expand_top(struct descriptor_parser *p, struct span text, struct descriptor_scripts *out)
{
    char name[DESCRIPTOR_NAME];
    struct span arg;
    out->count = 1;
    out->solvable = true;
    if (!descriptor_function(text, name, &arg))
        return descriptor_error(p, "'%.*s' is not a valid descriptor function", (int)(text.len < 100 ? text.len : 100),
                                (const char *)text.data);
    if (strcmp(name, "combo") == 0) return expand_combo(p, arg, out);
    if (strcmp(name, "sh") == 0 || strcmp(name, "wsh") == 0) return expand_wrapped(p, name, arg, &out->script[0]);
    if (strcmp(name, "tr") == 0) return descriptor_tr(p, arg, &out->script[0]);
    if (strcmp(name, "rawtr") == 0) return expand_rawtr(p, arg, &out->script[0]);
    if (strcmp(name, "addr") == 0) {
        out->solvable = false;
        return expand_addr(p, arg, &out->script[0]);
    }
    if (strcmp(name, "raw") == 0) {
        out->solvable = false;
        if (arg.len && hex_decode_append(&out->script[0], (const char *)arg.data, arg.len)) return true;
        return descriptor_error(p, "Raw script is not hex");
    }
    if (strcmp(name, "multi_a") == 0 || strcmp(name, "sortedmulti_a") == 0)
        return descriptor_error(p, "Can only have multi_a/sortedmulti_a inside tr()");
    if (expand_simple(p, name, arg, DESCRIPTOR_TOP, &out->script[0])) return true;
    if (*p->error) return false;
    return descriptor_error(p, "'%.*s' is not a valid descriptor function", (int)(text.len < 100 ? text.len : 100),
                            (const char *)text.data);
}

/* The scripts of addr() and raw() are shown as what they are; the other texts lack their checksums. */
static void finish_texts(struct descriptor_scripts *s, const struct address_prefixes *prefixes)
{
    char sum[DESCRIPTOR_CHECKSUM_TEXT];
    if (!s->solvable) descriptor_infer(&s->text[0], buffer_span(&s->script[0]), prefixes);
    for (size_t i = 0; s->solvable && i < s->count; i++) {
        CHECK(descriptor_checksum(sum, buffer_span(&s->text[i])));
        buffer_printf(&s->text[i], "#%s", sum);
    }
}

bool descriptor_expand_at(struct descriptor_scripts *out, struct span text, bool checksum_required,
                          const struct address_prefixes *prefixes, struct descriptor_position at,
                          char error[DESCRIPTOR_ERROR_TEXT])
{
    struct descriptor_parser p = {.prefixes = prefixes, .error = error, .at = at};
    struct span body;
    error[0] = '\0';
    *out = (struct descriptor_scripts){0};
    if (!descriptor_split(text, checksum_required, &body, NULL, error)) return false;
    p.text = &out->text[0];
    bool good = expand_top(&p, body, out);
    if (!good || p.needs_secrets)
        descriptor_scripts_clear(out);
    else
        finish_texts(out, prefixes);
    out->ranged = p.ranged;
    out->has_secrets = p.has_secrets;
    out->needs_secrets = p.needs_secrets;
    out->paths = p.paths ? p.paths : 1;
    if (p.needs_secrets) out->solvable = true;
    return good;
}

bool descriptor_expand(struct descriptor_scripts *out, struct span text, bool checksum_required,
                       const struct address_prefixes *prefixes, char error[DESCRIPTOR_ERROR_TEXT])
{
    return descriptor_expand_at(out, text, checksum_required, prefixes, (struct descriptor_position){0}, error);
}
