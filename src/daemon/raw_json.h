/* JSON as text: checked, taken apart and indented without turning a number into a double and back, so that every amount
 * is printed as it was received. Spans point into the text. */
#ifndef CAIRN_DAEMON_RAW_JSON_H
#define CAIRN_DAEMON_RAW_JSON_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/span.h"

/* True where TEXT is exactly one JSON value, blanks around it allowed, nested at most 500 deep. The other functions
 * take values that passed this. */
MUST_USE bool raw_json_is_valid(struct span text);

/* The value without blanks around it. */
struct span raw_json_trim(struct span value);

/* The value of an object's member, the first of that name; empty where there is none or VALUE is no object. */
struct span raw_json_member(struct span value, const char *name);

/* Takes the next element of an array (KEY NULL) or member of an object off *REST, which starts as the whole value; KEY
 * gets the text between the quotes. False at the end. */
bool raw_json_next(struct span *rest, struct span *key, struct span *value);

bool raw_json_is_string(struct span value);
bool raw_json_is_null(struct span value); /* also where empty */

/* Appends the characters of a string value, or the text of any other. */
void raw_json_put_plain(struct buffer *out, struct span value);

/* Appends the value with each level indented by two blanks, as Bitcoin Core's client prints it. */
void raw_json_put_pretty(struct buffer *out, struct span value);

/* Appends TEXT as a JSON string with its quotes. */
void raw_json_put_string(struct buffer *out, struct span text);

#endif
