/* JSON text to jansson values and back. */
#include "rpc/json_read.h"

#include <stdio.h>
#include <stdlib.h>

/* True where the brackets outside strings nest deeper than JSON_DEPTH_MAX. */
static bool too_deep(struct span text)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (in_string) {
            if (c == '\\') i++;
            if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_DEPTH_MAX) return true;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

/* jansson stops right behind the second of two equal keys: POSITION is the offset after its closing quote. */
static void note_duplicate(char out[JSON_KEY_NOTE], struct span text, size_t position)
{
    size_t end = position > 0 && position <= text.len ? position - 1 : 0;
    size_t start = end;
    while (start > 0 && text.data[start - 1] != '"') start--;
    size_t len = end - start;
    if (len >= JSON_KEY_NOTE) len = JSON_KEY_NOTE - 1;
    memcpy(out, text.data + start, len);
    out[len] = '\0';
}

json_t *json_read(struct span text, char duplicate[JSON_KEY_NOTE])
{
    size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES;
    char note[JSON_KEY_NOTE] = "";
    json_t *v = NULL;
    json_error_t error;

    if (!text.data || too_deep(text)) return NULL;
    for (int attempt = 0; !v && attempt < 3; attempt++) {
        v = json_loadb((const char *)text.data, text.len, flags, &error);
        if (v) break;
        enum json_error_code code = json_error_code(&error);
        if (code == json_error_duplicate_key && (flags & JSON_REJECT_DUPLICATES)) {
            note_duplicate(note, text, (size_t)error.position);
            flags &= ~(size_t)JSON_REJECT_DUPLICATES;
        } else if (code == json_error_numeric_overflow && !(flags & JSON_DECODE_INT_AS_REAL)) {
            flags |= JSON_DECODE_INT_AS_REAL;
        } else {
            break;
        }
    }
    if (duplicate) memcpy(duplicate, note, sizeof note);
    return v;
}

void json_real_text(char out[JSON_REAL_TEXT], double v)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, JSON_REAL_TEXT, "%.*g", digits, v);
        if (strtod(out, NULL) == v) return;
    }
}

const char *json_type_name(const json_t *v)
{
    if (!v) return "null";
    switch (json_typeof(v)) {
    case JSON_OBJECT: return "object";
    case JSON_ARRAY: return "array";
    case JSON_STRING: return "string";
    case JSON_INTEGER:
    case JSON_REAL: return "number";
    case JSON_TRUE:
    case JSON_FALSE: return "bool";
    case JSON_NULL: break;
    }
    return "null";
}

static void write_container(struct json_writer *w, const json_t *v)
{
    if (json_is_array(v)) {
        jw_array(w);
        for (size_t i = 0; i < json_array_size(v); i++) jw_json(w, json_array_get(v, i));
        jw_array_end(w);
        return;
    }
    json_t *object = (json_t *)(uintptr_t)v; /* jansson's iterators are not const */
    jw_object(w);
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        jw_key(w, json_object_iter_key(at));
        jw_json(w, json_object_iter_value(at));
    }
    jw_object_end(w);
}

void jw_json(struct json_writer *w, const json_t *v)
{
    char text[JSON_REAL_TEXT];
    if (!v || json_is_null(v)) {
        jw_null(w);
    } else if (json_is_string(v)) {
        jw_str_span(w, span_of(json_string_value(v), json_string_length(v)));
    } else if (json_is_integer(v)) {
        jw_int(w, json_integer_value(v));
    } else if (json_is_real(v)) {
        json_real_text(text, json_real_value(v));
        jw_raw(w, span_str(text));
    } else if (json_is_boolean(v)) {
        jw_bool(w, json_is_true(v));
    } else {
        write_container(w, v); /* depth is bounded by JSON_DEPTH_MAX */
    }
}
