/* Names, brackets, keys and multisig of the descriptor parser. */
#include "descriptor/key.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "crypto/ripemd160.h"
#include "crypto/secp.h"
#include "descriptor/hd.h"
#include "script/script.h"

enum { MULTI_A_KEYS_MAX = 999 };

bool descriptor_error(struct descriptor_parser *p, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(p->error, DESCRIPTOR_ERROR_TEXT, format, values);
    va_end(values);
    return false;
}

bool descriptor_error_in(struct descriptor_parser *p, const char *name)
{
    char inner[DESCRIPTOR_ERROR_TEXT];
    memcpy(inner, p->error, sizeof inner);
    snprintf(p->error, DESCRIPTOR_ERROR_TEXT, "%s: %.200s", name, inner);
    return false;
}

void descriptor_print(struct descriptor_parser *p, const char *format, ...)
{
    char text[64];
    if (!p->text) return;
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    buffer_put_str(p->text, text);
}

void descriptor_print_key(struct descriptor_parser *p, const struct descriptor_key *key, bool xonly)
{
    if (!p->text) return;
    buffer_put_u8(p->text, '[');
    if (key->origin.len) {
        for (size_t i = 0; i < key->origin.len; i++) {
            uint8_t c = key->origin.data[i];
            buffer_put_u8(p->text, c == '\'' ? 'h' : i < 8 ? (uint8_t)tolower(c) : c);
        }
    } else if (key->step_count) {
        hex_append(p->text, span_of(key->root, sizeof key->root));
    } else {
        uint8_t id[20];
        hash160(id, key->bytes, key->len);
        hex_append(p->text, span_of(id, 4));
    }
    for (size_t i = 0; i < key->step_count; i++)
        descriptor_print(p, "/%u%s", key->steps[i] & ~HD_HARDENED, key->steps[i] & HD_HARDENED ? "h" : "");
    buffer_put_u8(p->text, ']');
    hex_append(p->text, xonly ? span_of(key->xonly, 32) : span_of(key->bytes, key->len));
}

bool descriptor_function(struct span text, char name[DESCRIPTOR_NAME], struct span *arg)
{
    const uint8_t *open = text.len ? memchr(text.data, '(', text.len) : NULL;
    size_t len = open ? (size_t)(open - text.data) : 0;
    if (!open || len == 0 || len >= DESCRIPTOR_NAME || text.data[text.len - 1] != ')') return false;
    memcpy(name, text.data, len);
    name[len] = '\0';
    *arg = span_of(open + 1, text.len - len - 2);
    return true;
}

struct span descriptor_take(struct span *text)
{
    int level = 0;
    size_t len = 0;
    for (; len < text->len; len++) {
        uint8_t c = text->data[len];
        if (c == '(' || c == '{') level++;
        if (level == 0 && (c == ',' || c == '}' || c == ')')) break;
        if (c == ')' || c == '}') level--;
    }
    struct span taken = span_of(text->data, len);
    *text = span_from(*text, len);
    return taken;
}

/* "[d34db33f/44'/0']": eight digits and steps. Takes it; false where it is malformed. */
static bool take_origin(struct descriptor_parser *p, struct span *text, struct span *origin)
{
    *origin = span_of(NULL, 0);
    if (text->len == 0 || text->data[0] != '[') return true;
    const uint8_t *close = memchr(text->data, ']', text->len);
    if (!close)
        return descriptor_error(p, "Key origin start '[ character expected but not found, got '%c' instead", '[');
    size_t len = (size_t)(close - text->data) - 1;
    const char *inside = (const char *)text->data + 1;
    size_t print = len < 8 ? len : strcspn(inside, "/]");
    if (print != 8)
        return descriptor_error(p, "Fingerprint is not 4 bytes (%zu characters instead of 8 characters)", print);
    if (!hex_is(inside, 8)) return descriptor_error(p, "Fingerprint '%.8s' is not hex", inside);
    for (size_t i = 8; i < len; i++) {
        if (!isdigit((unsigned char)inside[i]) && !strchr("/'h", inside[i]))
            return descriptor_error(p, "Key path value '%.*s' is not a valid uint32", (int)(len - 8), inside + 8);
    }
    *origin = span_of(inside, len);
    *text = span_from(*text, len + 2);
    return true;
}

static bool take_key(struct descriptor_parser *p, struct descriptor_key *key, struct span bytes,
                     enum descriptor_context context)
{
    bool uncompressed_fits = context == DESCRIPTOR_TOP || context == DESCRIPTOR_P2SH;
    if (bytes.len == 65 && !uncompressed_fits) return descriptor_error(p, "Uncompressed keys are not allowed");
    memcpy(key->bytes, bytes.data, bytes.len);
    memcpy(key->xonly, bytes.data + 1, 32);
    key->len = bytes.len;
    return true;
}

static bool parse_hex_key(struct descriptor_parser *p, struct span text, enum descriptor_context context,
                          struct descriptor_key *key)
{
    uint8_t bytes[65];
    const char *hex = (const char *)text.data;
    bool x_only = text.len == 64 && context == DESCRIPTOR_P2TR;
    size_t len = text.len / 2;
    bool good = text.len % 2 == 0 && len <= sizeof bytes;
    bytes[0] = 2; /* x only: the even key */
    if (good) {
        struct buffer b = {0};
        good = hex_decode_append(&b, hex, text.len);
        if (good) memcpy(bytes + x_only, b.data, len);
        buffer_clear(&b);
        len += x_only;
    }
    if (good && len == 65 && (bytes[0] == 6 || bytes[0] == 7))
        return descriptor_error(p, "Hybrid public keys are not allowed");
    if (!good || !pubkey_is_valid(span_of(bytes, len)))
        return descriptor_error(p, "Pubkey '%.*s' is invalid", (int)(text.len < 150 ? text.len : 150), hex);
    return take_key(p, key, span_of(bytes, len), context);
}

/* A private key (WIF): *MATCHED tells whether TEXT is one. */
static bool parse_wif_key(struct descriptor_parser *p, struct span text, enum descriptor_context context,
                          struct descriptor_key *key, bool *matched)
{
    uint8_t secret[32], bytes[65], compressed_bytes[33];
    bool compressed;
    char word[64];
    *matched = false;
    if (text.len >= sizeof word) return false;
    memcpy(word, text.data, text.len);
    word[text.len] = '\0';
    if (!wif_decode(secret, &compressed, word, p->prefixes)) return false;
    *matched = pubkey_of_secret(compressed_bytes, secret) && pubkey_uncompress(bytes, span_of(compressed_bytes, 33));
    if (!*matched) return false;
    p->has_secrets = true;
    return take_key(p, key, compressed ? span_of(compressed_bytes, 33) : span_of(bytes, 65), context);
}

/* An extended key with a path, at the parser's position. */
static bool parse_extended_key(struct descriptor_parser *p, struct span name, struct span steps,
                               enum descriptor_context context, struct descriptor_key *key)
{
    struct hd_key hd;
    struct hd_path path;
    uint8_t id[20];
    if (!hd_key_decode(&hd, name, p->prefixes))
        return descriptor_error(p, "key '%.*s' is not valid", (int)(name.len < 150 ? name.len : 150),
                                (const char *)name.data);
    if (!hd_path_parse(p, steps, &path)) return false;
    if (path.choices > 1 && p->paths && p->paths != path.choices)
        return descriptor_error(p, "Multipath derivation paths have mismatched lengths");
    if (path.choices > 1) p->paths = path.choices;
    p->ranged |= path.ranged;
    p->has_secrets |= hd.has_secret;
    hash160(id, hd.pubkey, sizeof hd.pubkey);
    memcpy(key->root, id, sizeof key->root);
    memcpy(key->steps, path.steps, path.count * sizeof *path.steps);
    key->step_count = path.count;
    for (size_t i = 0; i < path.count && !p->needs_secrets; i++)
        if (!hd_key_step(&hd, path.steps[i])) p->needs_secrets = true;
    return take_key(p, key, span_of(hd.pubkey, sizeof hd.pubkey), context);
}

bool descriptor_key_parse(struct descriptor_parser *p, struct span text, enum descriptor_context context,
                          struct descriptor_key *key)
{
    bool matched;
    *key = (struct descriptor_key){0};
    if (!take_origin(p, &text, &key->origin)) return false;
    const uint8_t *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
    struct span name = slash ? span_of(text.data, (size_t)(slash - text.data)) : text;
    if (name.len == 0) return descriptor_error(p, "No key provided");
    if (isspace(name.data[0]) || isspace(name.data[name.len - 1]))
        return descriptor_error(p, "Key '%.*s' is invalid due to whitespace", (int)(name.len < 150 ? name.len : 150),
                                (const char *)name.data);
    if (!slash && hex_is((const char *)name.data, name.len)) return parse_hex_key(p, name, context, key);
    if (!slash && parse_wif_key(p, name, context, key, &matched)) return true;
    if (!slash && matched) return false;
    return parse_extended_key(p, name, span_from(text, name.len), context, key);
}

struct key_list {
    struct descriptor_key *keys;
    size_t count, cap;
    uint64_t threshold;
};

static bool parse_threshold(struct descriptor_parser *p, struct span text, uint64_t *out)
{
    *out = 0;
    bool good = text.len > 0 && text.len <= 10;
    for (size_t i = 0; good && i < text.len; i++) {
        good = isdigit(text.data[i]);
        *out = *out * 10 + (uint64_t)(text.data[i] - '0');
    }
    if (good && *out <= UINT32_MAX) return true;
    return descriptor_error(p, "Multi threshold '%.*s' is not valid", (int)(text.len < 50 ? text.len : 50),
                            (const char *)text.data);
}

static bool parse_keys(struct descriptor_parser *p, struct span arg, enum descriptor_context context,
                       struct key_list *list)
{
    if (!parse_threshold(p, descriptor_take(&arg), &list->threshold)) return false;
    while (arg.len) {
        if (arg.data[0] != ',') return descriptor_error(p, "Multi: expected ',', got '%c'", arg.data[0]);
        arg = span_from(arg, 1);
        if (list->count > MULTI_A_KEYS_MAX) break;
        list->keys = mem_grow(list->keys, &list->cap, list->count + 1, sizeof *list->keys);
        if (!descriptor_key_parse(p, descriptor_take(&arg), context, &list->keys[list->count]))
            return descriptor_error_in(p, "Multi");
        list->count++;
    }
    return true;
}

static int by_bytes(const void *a, const void *b)
{
    const struct descriptor_key *x = a, *y = b;
    return memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);
}

static int by_xonly(const void *a, const void *b)
{
    const struct descriptor_key *x = a, *y = b;
    return memcmp(x->xonly, y->xonly, 32);
}

static bool check_threshold(struct descriptor_parser *p, const struct key_list *list)
{
    if (list->threshold < 1)
        return descriptor_error(p, "Multisig threshold cannot be %d, must be at least 1", (int)list->threshold);
    if (list->threshold > list->count)
        return descriptor_error(p,
                                "Multisig threshold cannot be larger than the number of keys; threshold is %d but only "
                                "%zu keys specified",
                                (int)list->threshold, list->count);
    return true;
}

static bool check_multi(struct descriptor_parser *p, const struct key_list *list, enum descriptor_context context)
{
    size_t size = 3;
    if (list->count < 1 || list->count > MAX_PUBKEYS_PER_MULTISIG)
        return descriptor_error(p, "Cannot have %zu keys in multisig; must have between 1 and %d keys, inclusive",
                                list->count, MAX_PUBKEYS_PER_MULTISIG);
    if (!check_threshold(p, list)) return false;
    if (context == DESCRIPTOR_TOP && list->count > 3)
        return descriptor_error(p, "Cannot have %zu pubkeys in bare multisig; only at most 3 pubkeys", list->count);
    for (size_t i = 0; i < list->count; i++) size += list->keys[i].len + 1;
    if (context == DESCRIPTOR_P2SH && size > MAX_SCRIPT_ELEMENT_SIZE)
        return descriptor_error(p, "P2SH script is too large, %zu bytes is larger than %d bytes", size,
                                MAX_SCRIPT_ELEMENT_SIZE);
    return true;
}

/* Sorted keys are printed in their order: the script does not tell. */
static void print_multi(struct descriptor_parser *p, const char *name, const struct key_list *list, bool xonly)
{
    descriptor_print(p, "%s(%d", name, (int)list->threshold);
    for (size_t i = 0; i < list->count; i++) {
        descriptor_print(p, ",");
        descriptor_print_key(p, &list->keys[i], xonly);
    }
    descriptor_print(p, ")");
}

bool descriptor_multi(struct descriptor_parser *p, struct span arg, enum descriptor_context context, bool sorted,
                      struct buffer *out)
{
    struct key_list list = {0};
    bool good = parse_keys(p, arg, context, &list) && check_multi(p, &list, context);
    if (good) {
        if (sorted) qsort(list.keys, list.count, sizeof *list.keys, by_bytes);
        script_put_int(out, (int64_t)list.threshold);
        for (size_t i = 0; i < list.count; i++) script_put_push(out, span_of(list.keys[i].bytes, list.keys[i].len));
        script_put_int(out, (int64_t)list.count);
        buffer_put_u8(out, OP_CHECKMULTISIG);
        print_multi(p, "multi", &list, false);
    }
    free(list.keys);
    return good;
}

bool descriptor_multi_a(struct descriptor_parser *p, struct span arg, bool sorted, struct buffer *out)
{
    struct key_list list = {0};
    bool good = parse_keys(p, arg, DESCRIPTOR_P2TR, &list);
    if (good && (list.count < 1 || list.count > MULTI_A_KEYS_MAX))
        good = descriptor_error(p, "Cannot have %zu keys in multi_a; must have between 1 and %d keys, inclusive",
                                list.count, MULTI_A_KEYS_MAX);
    if (good && check_threshold(p, &list)) {
        if (sorted) qsort(list.keys, list.count, sizeof *list.keys, by_xonly);
        for (size_t i = 0; i < list.count; i++) {
            script_put_push(out, span_of(list.keys[i].xonly, 32));
            buffer_put_u8(out, i == 0 ? OP_CHECKSIG : OP_CHECKSIGADD);
        }
        script_put_int(out, (int64_t)list.threshold);
        buffer_put_u8(out, OP_NUMEQUAL);
        print_multi(p, "multi_a", &list, true);
    } else {
        good = false;
    }
    free(list.keys);
    return good;
}
