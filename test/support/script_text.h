/* The text forms of scripts and flags that Bitcoin Core's vectors use. In a header, so that only tests that link the
 * script room need it. */
#ifndef CAIRN_TEST_SUPPORT_SCRIPT_TEXT_H
#define CAIRN_TEST_SUPPORT_SCRIPT_TEXT_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/hex.h"
#include "script/script.h"
#include "script/verify.h"

/* The opcode that WORD names, with or without "OP_"; -1 where none does. */
static inline int script_text_opcode(const char *word)
{
    for (int op = OP_RESERVED; op <= OP_NOP10; op++) {
        if (op > OP_RESERVED && op < OP_NOP) continue;
        const char *name = opcode_name((uint8_t)op);
        if (!strcmp(name, word) || (!strncmp(name, "OP_", 3) && !strcmp(name + 3, word))) return op;
    }
    return -1;
}

static inline void script_text_word(struct buffer *out, const char *word)
{
    size_t len = strlen(word);
    const char *digits = word + (*word == '-');
    if (*digits && strspn(digits, "0123456789") == strlen(digits)) {
        script_put_int(out, strtoll(word, NULL, 10));
    } else if (!strncmp(word, "0x", 2) && len > 2) {
        CHECK(hex_decode_append(out, word + 2, len - 2));
    } else if (len >= 2 && word[0] == '\'' && word[len - 1] == '\'') {
        script_put_push(out, span_of(word + 1, len - 2));
    } else {
        int op = script_text_opcode(word);
        if (op < 0) fprintf(stderr, "unknown word in a script: %s\n", word);
        CHECK(op >= 0);
        buffer_put_u8(out, (uint8_t)op);
    }
}

/* "DUP HASH160 0x14 0x1234... EQUALVERIFY": numbers, raw hex, quoted pushes and opcodes. The bytes live in ARENA. */
static inline struct span script_text_parse(struct arena *arena, const char *text)
{
    struct buffer out = {0};
    char *copy = strdup(text), *save = NULL;
    for (char *w = strtok_r(copy, " \t\n", &save); w; w = strtok_r(NULL, " \t\n", &save)) script_text_word(&out, w);
    free(copy);
    uint8_t *bytes = arena_alloc(arena, out.len);
    if (out.len) memcpy(bytes, out.data, out.len);
    struct span script = span_of(bytes, out.len);
    buffer_clear(&out);
    return script;
}

/* Hex to bytes in ARENA. */
static inline struct span script_text_hex(struct arena *arena, const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *bytes = arena_alloc(arena, len);
    CHECK(hex_decode(bytes, len, hex));
    return span_of(bytes, len);
}

/* "P2SH,WITNESS"; the short names CLTV and CSV are known too. */
static inline unsigned script_text_flag(const char *name)
{
    if (!strcmp(name, "CLTV")) return SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY;
    if (!strcmp(name, "CSV")) return SCRIPT_VERIFY_CHECKSEQUENCEVERIFY;
    if (!strcmp(name, "NONE") || !*name) return 0;
    for (unsigned bit = 0; script_flag_name(bit); bit++)
        if (!strcmp(script_flag_name(bit), name)) return 1u << bit;
    fprintf(stderr, "unknown flag: %s\n", name);
    CHECK(false);
    return 0;
}

static inline unsigned script_text_flags(const char *text)
{
    unsigned flags = 0;
    char *copy = strdup(text), *save = NULL;
    for (char *w = strtok_r(copy, ",", &save); w; w = strtok_r(NULL, ",", &save)) flags |= script_text_flag(w);
    free(copy);
    return flags;
}

/* Adds what a set of flags needs to be a valid one, or takes away what is in it without what it needs. */
static inline unsigned script_flags_fill(unsigned flags)
{
    if (flags & SCRIPT_VERIFY_CLEANSTACK) flags |= SCRIPT_VERIFY_WITNESS;
    if (flags & SCRIPT_VERIFY_WITNESS) flags |= SCRIPT_VERIFY_P2SH;
    return flags;
}

static inline unsigned script_flags_trim(unsigned flags)
{
    if (!(flags & SCRIPT_VERIFY_P2SH)) flags &= ~(unsigned)SCRIPT_VERIFY_WITNESS;
    if (!(flags & SCRIPT_VERIFY_WITNESS)) flags &= ~(unsigned)SCRIPT_VERIFY_CLEANSTACK;
    return flags;
}

#endif
