/* A streaming JSON writer into a buffer, in the compact form that Bitcoin Core's server writes: no white space at all.
 * Separators are put in by the writer; the caller says what, never where. Prefix: jw_. */
#ifndef CAIRN_RPC_JSON_WRITER_H
#define CAIRN_RPC_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct json_writer {
    struct buffer *out; /* owned by the caller */
    bool comma;         /* a separator is due before the next key or value */
    unsigned depth;     /* open objects and arrays */
};

static inline struct json_writer json_writer_of(struct buffer *out)
{
    return (struct json_writer){.out = out};
}

void jw_object(struct json_writer *w);
void jw_object_end(struct json_writer *w);
void jw_array(struct json_writer *w);
void jw_array_end(struct json_writer *w);

/* The name of the next value; only inside an object. */
void jw_key(struct json_writer *w, const char *key);
void jw_key_span(struct json_writer *w, struct span key);

/* Strings: control characters, the quote, the backslash and DEL are escaped; a byte that is not part of well-formed
 * UTF-8 becomes U+FFFD. */
void jw_str(struct json_writer *w, const char *text);
void jw_str_span(struct json_writer *w, struct span text);
void jw_hex(struct json_writer *w, struct span bytes);

/* 32 bytes in display order (reversed). */
void jw_hash(struct json_writer *w, const uint8_t bytes[32]);

void jw_int(struct json_writer *w, int64_t v);
void jw_uint(struct json_writer *w, uint64_t v);
void jw_bool(struct json_writer *w, bool v);
void jw_null(struct json_writer *w);

/* 16 significant digits, as Core prints its doubles; null where V is no number. */
void jw_double(struct json_writer *w, double v);

/* Satoshis as a number of coins with exactly eight decimals, never with an exponent. */
void jw_amount(struct json_writer *w, int64_t v_sat);

/* One value that is JSON already. */
void jw_raw(struct json_writer *w, struct span json);

/* A key and its value. */
void jw_kv_str(struct json_writer *w, const char *key, const char *text);
void jw_kv_hex(struct json_writer *w, const char *key, struct span bytes);
void jw_kv_hash(struct json_writer *w, const char *key, const uint8_t bytes[32]);
void jw_kv_int(struct json_writer *w, const char *key, int64_t v);
void jw_kv_uint(struct json_writer *w, const char *key, uint64_t v);
void jw_kv_bool(struct json_writer *w, const char *key, bool v);
void jw_kv_double(struct json_writer *w, const char *key, double v);
void jw_kv_amount(struct json_writer *w, const char *key, int64_t v_sat);
void jw_kv_object(struct json_writer *w, const char *key);
void jw_kv_array(struct json_writer *w, const char *key);

#endif
