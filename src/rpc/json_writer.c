/* The streaming JSON writer: separators, escapes, numbers. */
#include "rpc/json_writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/check.h"
#include "base/hex.h"

static void before_value(struct json_writer *w)
{
    if (w->comma) buffer_put_u8(w->out, ',');
    w->comma = true;
}

static void open_level(struct json_writer *w, char bracket)
{
    before_value(w);
    buffer_put_u8(w->out, (uint8_t)bracket);
    w->comma = false;
    w->depth++;
}

static void close_level(struct json_writer *w, char bracket)
{
    CHECK(w->depth > 0);
    buffer_put_u8(w->out, (uint8_t)bracket);
    w->comma = true;
    w->depth--;
}

void jw_object(struct json_writer *w)
{
    open_level(w, '{');
}

void jw_object_end(struct json_writer *w)
{
    close_level(w, '}');
}

void jw_array(struct json_writer *w)
{
    open_level(w, '[');
}

void jw_array_end(struct json_writer *w)
{
    close_level(w, ']');
}

/* Length of the well-formed UTF-8 sequence at the start of S (1 to 4 bytes), or 0. */
static size_t utf8_sequence(struct span s)
{
    uint8_t b = s.data[0];
    size_t len = b < 0x80 ? 1 : b >= 0xc2 && b <= 0xdf ? 2 : (b & 0xf0) == 0xe0 ? 3 : b >= 0xf0 && b <= 0xf4 ? 4 : 0;
    if (len == 0 || len > s.len) return 0;
    for (size_t i = 1; i < len; i++) {
        if ((s.data[i] & 0xc0) != 0x80) return 0;
    }
    if (len == 3 && ((b == 0xe0 && s.data[1] < 0xa0) || (b == 0xed && s.data[1] > 0x9f))) return 0;
    if (len == 4 && ((b == 0xf0 && s.data[1] < 0x90) || (b == 0xf4 && s.data[1] > 0x8f))) return 0;
    return len;
}

static void put_escaped(struct buffer *out, uint8_t c)
{
    static const char short_names[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    for (const char *p = short_names; *p; p += 2) {
        if ((uint8_t)p[0] == c) {
            buffer_put_u8(out, '\\');
            buffer_put_u8(out, (uint8_t)p[1]);
            return;
        }
    }
    buffer_printf(out, "\\u%04x", c);
}

static void put_string(struct buffer *out, struct span text)
{
    buffer_put_u8(out, '"');
    while (text.len) {
        uint8_t c = text.data[0];
        size_t len = utf8_sequence(text);
        if (len == 0) {
            buffer_put_str(out, "\xef\xbf\xbd");
            len = 1;
        } else if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) {
            put_escaped(out, c);
        } else {
            buffer_put(out, text.data, len);
        }
        text = span_from(text, len);
    }
    buffer_put_u8(out, '"');
}

void jw_key_span(struct json_writer *w, struct span key)
{
    before_value(w);
    put_string(w->out, key);
    buffer_put_u8(w->out, ':');
    w->comma = false;
}

void jw_key(struct json_writer *w, const char *key)
{
    jw_key_span(w, span_str(key));
}

void jw_str_span(struct json_writer *w, struct span text)
{
    before_value(w);
    put_string(w->out, text);
}

void jw_str(struct json_writer *w, const char *text)
{
    jw_str_span(w, span_str(text));
}

void jw_hex(struct json_writer *w, struct span bytes)
{
    before_value(w);
    buffer_put_u8(w->out, '"');
    hex_append(w->out, bytes);
    buffer_put_u8(w->out, '"');
}

void jw_hash(struct json_writer *w, const uint8_t bytes[32])
{
    char text[65];
    hex_encode_reversed(text, bytes, 32);
    jw_str(w, text);
}

void jw_int(struct json_writer *w, int64_t v)
{
    before_value(w);
    buffer_printf(w->out, "%" PRId64, v);
}

void jw_uint(struct json_writer *w, uint64_t v)
{
    before_value(w);
    buffer_printf(w->out, "%" PRIu64, v);
}

void jw_bool(struct json_writer *w, bool v)
{
    before_value(w);
    buffer_put_str(w->out, v ? "true" : "false");
}

void jw_null(struct json_writer *w)
{
    before_value(w);
    buffer_put_str(w->out, "null");
}

void jw_double(struct json_writer *w, double v)
{
    if (!isfinite(v)) {
        jw_null(w);
        return;
    }
    before_value(w);
    buffer_printf(w->out, "%.16g", v);
}

void jw_amount(struct json_writer *w, int64_t v_sat)
{
    uint64_t magnitude = v_sat < 0 ? 0 - (uint64_t)v_sat : (uint64_t)v_sat;
    before_value(w);
    buffer_printf(w->out, "%s%" PRIu64 ".%08" PRIu64, v_sat < 0 ? "-" : "", magnitude / 100000000,
                  magnitude % 100000000);
}

void jw_raw(struct json_writer *w, struct span json)
{
    before_value(w);
    buffer_put_span(w->out, json);
}

void jw_kv_str(struct json_writer *w, const char *key, const char *text)
{
    jw_key(w, key);
    jw_str(w, text);
}

void jw_kv_hex(struct json_writer *w, const char *key, struct span bytes)
{
    jw_key(w, key);
    jw_hex(w, bytes);
}

void jw_kv_hash(struct json_writer *w, const char *key, const uint8_t bytes[32])
{
    jw_key(w, key);
    jw_hash(w, bytes);
}

void jw_kv_int(struct json_writer *w, const char *key, int64_t v)
{
    jw_key(w, key);
    jw_int(w, v);
}

void jw_kv_uint(struct json_writer *w, const char *key, uint64_t v)
{
    jw_key(w, key);
    jw_uint(w, v);
}

void jw_kv_bool(struct json_writer *w, const char *key, bool v)
{
    jw_key(w, key);
    jw_bool(w, v);
}

void jw_kv_double(struct json_writer *w, const char *key, double v)
{
    jw_key(w, key);
    jw_double(w, v);
}

void jw_kv_amount(struct json_writer *w, const char *key, int64_t v_sat)
{
    jw_key(w, key);
    jw_amount(w, v_sat);
}

void jw_kv_object(struct json_writer *w, const char *key)
{
    jw_key(w, key);
    jw_object(w);
}

void jw_kv_array(struct json_writer *w, const char *key)
{
    jw_key(w, key);
    jw_array(w);
}
