/* Reading JSON that somebody else wrote: jansson behind one function with our limits, and the way back to text. */
#ifndef CAIRN_RPC_JSON_READ_H
#define CAIRN_RPC_JSON_READ_H

#include <jansson.h>

#include "base/compiler.h"
#include "rpc/json_writer.h"

enum { JSON_DEPTH_MAX = 512, JSON_KEY_NOTE = 128 };

/* Parses one value of any type. NULL where TEXT is no JSON, nests deeper than JSON_DEPTH_MAX, or has a number beyond
 * a double. Free with json_decref.
 *
 * Where an object names a key twice, DUPLICATE (may be NULL) gets the first such key (cut at JSON_KEY_NOTE - 1 bytes)
 * and the later value is kept; otherwise it becomes "". An integer beyond 64 bits turns every integer of the text into
 * a real, which integer arguments then refuse. */
MUST_USE json_t *json_read(struct span text, char duplicate[JSON_KEY_NOTE]);

/* Writes V compactly. Reals get the shortest text that reads back as the same double: a decimal of up to 15 digits
 * comes back as it was sent, and so does every valid amount. */
void jw_json(struct json_writer *w, const json_t *v);

enum { JSON_REAL_TEXT = 40 };

/* That shortest text of a real. */
void json_real_text(char out[JSON_REAL_TEXT], double v);

/* "null", "bool", "object", "array", "string" or "number": the words of Core's type errors. NULL counts as null. */
const char *json_type_name(const json_t *v);

#endif
