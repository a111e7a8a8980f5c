/* The parser's parts below the functions: names and brackets, keys, multisig. Private to the room. */
#ifndef CAIRN_DESCRIPTOR_KEY_H
#define CAIRN_DESCRIPTOR_KEY_H

#include "descriptor/descriptor.h"

enum descriptor_context { DESCRIPTOR_TOP, DESCRIPTOR_P2SH, DESCRIPTOR_P2WPKH, DESCRIPTOR_P2WSH, DESCRIPTOR_P2TR };

enum { DESCRIPTOR_NAME = 16, DESCRIPTOR_STEPS_MAX = 255 };

struct descriptor_parser {
    const struct address_prefixes *prefixes;
    char *error; /* DESCRIPTOR_ERROR_TEXT bytes; empty while nothing is wrong */
    struct descriptor_position at;
    bool ranged, has_secrets, needs_secrets; /* see struct descriptor_scripts */
    unsigned paths;                          /* 0 as long as no key has any */
    struct buffer *text;                     /* what is parsed is printed here, each key with its origin; may be NULL */
};

struct descriptor_key {
    uint8_t bytes[65];
    size_t len; /* 33 or 65 */
    uint8_t xonly[32];
    struct span origin; /* what stood in the brackets, in the parsed text; empty where nothing did */
    uint8_t root[4];    /* fingerprint of the key that was given, where it was derived from it: */
    uint32_t steps[DESCRIPTOR_STEPS_MAX];
    size_t step_count;
};

/* Sets the error; always false. */
bool descriptor_error(struct descriptor_parser *p, const char *format, ...) PRINTF_LIKE(2, 3);

/* Puts "NAME: " before the error; always false. */
bool descriptor_error_in(struct descriptor_parser *p, const char *name);

/* Prints some characters (63 at most) into p->text. */
void descriptor_print(struct descriptor_parser *p, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same for "[origin]key". A key without an origin is its own: its fingerprint. Hardened steps get an h. */
void descriptor_print_key(struct descriptor_parser *p, const struct descriptor_key *key, bool xonly);

/* Where TEXT is "name(arg)" as a whole: its two parts. */
bool descriptor_function(struct span text, char name[DESCRIPTOR_NAME], struct span *arg);

/* Takes the expression at the start of *TEXT up to a ',' or '}' outside brackets. */
struct span descriptor_take(struct span *text);

/* A constant public key, with or without an origin in brackets. */
bool descriptor_key_parse(struct descriptor_parser *p, struct span text, enum descriptor_context context,
                          struct descriptor_key *key);

/* "k,key,key..." of multi() and sortedmulti(). */
bool descriptor_multi(struct descriptor_parser *p, struct span arg, enum descriptor_context context, bool sorted,
                      struct buffer *out);

/* The same for multi_a() and sortedmulti_a() (BIP387). */
bool descriptor_multi_a(struct descriptor_parser *p, struct span arg, bool sorted, struct buffer *out);

/* Appends BODY, a good descriptor, with its miniscript in canonical form, keys as they are. */
void descriptor_canonical(struct buffer *out, struct span body, const struct address_prefixes *prefixes);

/* expand.c: a sane miniscript: appends its script and prints it. False with p->error empty where TEXT is no miniscript.
 */
bool descriptor_miniscript(struct descriptor_parser *p, struct span text, bool tapscript, struct buffer *out);

#endif
