/* JSON as text. */
#include "daemon/raw_json.h"

#include <jansson.h>
#include <string.h>

enum { DEPTH_MAX = 500 };

static int peek(const struct span *at)
{
    return at->len ? at->data[0] : -1;
}

static void step(struct span *at, size_t n)
{
    *at = span_from(*at, n);
}

static void skip_blanks(struct span *at)
{
    while (at->len && strchr(" \t\r\n", at->data[0]) && at->data[0]) step(at, 1);
}

static bool take(struct span *at, char c)
{
    if (peek(at) != c) return false;
    step(at, 1);
    return true;
}

static bool take_word(struct span *at, const char *word)
{
    size_t len = strlen(word);
    if (at->len < len || memcmp(at->data, word, len) != 0) return false;
    step(at, len);
    return true;
}

static bool is_hex(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool skip_string(struct span *at)
{
    if (!take(at, '"')) return false;
    while (at->len) {
        int c = at->data[0];
        step(at, 1);
        if (c == '"') return true;
        if (c < 0x20) return false;
        if (c != '\\') continue;
        c = peek(at);
        if (c <= 0 || !strchr("\"\\/bfnrtu", c)) return false;
        step(at, 1);
        for (int i = 0; c == 'u' && i < 4; i++) {
            if (!is_hex(peek(at))) return false;
            step(at, 1);
        }
    }
    return false;
}

static bool skip_digits(struct span *at)
{
    size_t before = at->len;
    while (at->len && at->data[0] >= '0' && at->data[0] <= '9') step(at, 1);
    return at->len < before;
}

static bool skip_number(struct span *at)
{
    (void)take(at, '-');
    if (!take(at, '0') && !skip_digits(at)) return false;
    if (take(at, '.') && !skip_digits(at)) return false;
    if (peek(at) == 'e' || peek(at) == 'E') {
        step(at, 1);
        if (!take(at, '+')) (void)take(at, '-');
        return skip_digits(at);
    }
    return true;
}

static bool skip_value(struct span *at, int depth);

/* Members up to and with the closing character. */
static bool skip_members(struct span *at, bool object, int depth)
{
    char end = object ? '}' : ']';
    skip_blanks(at);
    if (take(at, end)) return true;
    do {
        skip_blanks(at);
        if (object) {
            if (!skip_string(at)) return false;
            skip_blanks(at);
            if (!take(at, ':')) return false;
        }
        if (!skip_value(at, depth)) return false;
        skip_blanks(at);
    } while (take(at, ','));
    return take(at, end);
}

static bool skip_value(struct span *at, int depth)
{
    if (depth > DEPTH_MAX) return false;
    skip_blanks(at);
    if (take(at, '{')) return skip_members(at, true, depth + 1);
    if (take(at, '[')) return skip_members(at, false, depth + 1);
    if (peek(at) == '"') return skip_string(at);
    if (take_word(at, "true") || take_word(at, "false") || take_word(at, "null")) return true;
    return skip_number(at);
}

bool raw_json_is_valid(struct span text)
{
    if (!skip_value(&text, 0)) return false;
    skip_blanks(&text);
    return text.len == 0;
}

struct span raw_json_trim(struct span value)
{
    skip_blanks(&value);
    while (value.len && strchr(" \t\r\n", value.data[value.len - 1])) value.len--;
    return value;
}

bool raw_json_next(struct span *rest, struct span *key, struct span *value)
{
    skip_blanks(rest);
    int c = peek(rest);
    if (c == '{' || c == '[' || c == ',') step(rest, 1);
    skip_blanks(rest);
    c = peek(rest);
    if (c < 0 || c == '}' || c == ']') return false;
    if (key) {
        struct span start = *rest;
        if (!skip_string(rest)) return false;
        *key = span_of(start.data + 1, (size_t)(rest->data - start.data) - 2);
        skip_blanks(rest);
        if (!take(rest, ':')) return false;
        skip_blanks(rest);
    }
    const uint8_t *start = rest->data;
    size_t before = rest->len;
    if (!skip_value(rest, 0)) return false;
    *value = span_of(start, before - rest->len);
    skip_blanks(rest);
    return true;
}

struct span raw_json_member(struct span value, const char *name)
{
    struct span rest = raw_json_trim(value);
    struct span key;
    struct span found;
    if (peek(&rest) != '{') return span_of(NULL, 0);
    while (raw_json_next(&rest, &key, &found)) {
        if (span_equal(key, span_str(name))) return found;
    }
    return span_of(NULL, 0);
}

bool raw_json_is_string(struct span value)
{
    return peek(&value) == '"';
}

bool raw_json_is_null(struct span value)
{
    return !value.len || value.data[0] == 'n';
}

void raw_json_put_plain(struct buffer *out, struct span value)
{
    if (!raw_json_is_string(value)) {
        buffer_put_span(out, value);
        return;
    }
    if (!memchr(value.data, '\\', value.len)) {
        buffer_put(out, value.data + 1, value.len - 2);
        return;
    }
    json_t *string = json_loadb((const char *)value.data, value.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (string) {
        buffer_put(out, json_string_value(string), json_string_length(string));
    } else {
        buffer_put(out, value.data + 1, value.len - 2); /* escapes that make no character: as they came */
    }
    json_decref(string);
}

void raw_json_put_string(struct buffer *out, struct span text)
{
    static const char names[] = "\b\t\n\f\r\"\\";
    static const char letters[] = "btnfr\"\\";
    buffer_put_u8(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        const char *found = c ? strchr(names, c) : NULL;
        if (found) {
            buffer_put_u8(out, '\\');
            buffer_put_u8(out, (uint8_t)letters[found - names]);
        } else if (c < 0x20 || c == 0x7f) {
            buffer_printf(out, "\\u%04x", c);
        } else {
            buffer_put_u8(out, c);
        }
    }
    buffer_put_u8(out, '"');
}

static void put_scalar(struct buffer *out, struct span value)
{
    if (!raw_json_is_string(value)) {
        buffer_put_span(out, value);
        return;
    }
    struct buffer text = {0};
    raw_json_put_plain(&text, value);
    raw_json_put_string(out, buffer_span(&text));
    buffer_clear(&text);
}

static void put_indent(struct buffer *out, int level)
{
    for (int i = 0; i < level; i++) buffer_put_str(out, "  ");
}

static void put_pretty(struct buffer *out, struct span value, int level)
{
    int open = peek(&value);
    if (open != '{' && open != '[') {
        put_scalar(out, value);
        return;
    }
    buffer_put_u8(out, (uint8_t)open);
    buffer_put_u8(out, '\n');
    struct span rest = value;
    struct span key = {0};
    struct span item;
    bool first = true;
    while (raw_json_next(&rest, open == '{' ? &key : NULL, &item)) {
        if (!first) buffer_put_str(out, ",\n");
        first = false;
        put_indent(out, level + 1);
        if (open == '{') {
            put_scalar(out, span_of(key.data - 1, key.len + 2));
            buffer_put_str(out, ": ");
        }
        put_pretty(out, item, level + 1);
    }
    if (!first) buffer_put_u8(out, '\n');
    put_indent(out, level);
    buffer_put_u8(out, open == '{' ? '}' : ']');
}

void raw_json_put_pretty(struct buffer *out, struct span value)
{
    put_pretty(out, raw_json_trim(value), 0);
}
