/* Descriptors. Layout: a byte, then a descriptor's text (even) or a script (odd). What is understood must be printed so
 * that it is understood in the same way again. */
#include "base/check.h"
#include "consensus/params.h"
#include "crypto/sha256.h"
#include "descriptor/key.h"
#include "descriptor/miniscript.h"
#include "script/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* TEXT, with its checksum, is a descriptor of SCRIPT alone. */
static void check_text(struct span text, struct span script, const struct address_prefixes *prefixes)
{
    struct descriptor_scripts s;
    char error[DESCRIPTOR_ERROR_TEXT];
    CHECK(descriptor_expand(&s, text, true, prefixes, error));
    CHECK(s.count == 1 && span_equal(buffer_span(&s.script[0]), script));
    descriptor_scripts_clear(&s);
}

static void try_text(struct span text, const struct address_prefixes *prefixes)
{
    struct descriptor_scripts s;
    char error[DESCRIPTOR_ERROR_TEXT];
    struct span body;
    if (!descriptor_expand(&s, text, false, prefixes, error)) {
        CHECK(*error);
        descriptor_scripts_clear(&s);
        return;
    }
    for (size_t i = 0; i < s.count; i++) check_text(buffer_span(&s.text[i]), buffer_span(&s.script[i]), prefixes);
    CHECK(descriptor_split(text, false, &body, NULL, error));
    if (!s.has_secrets && s.count == 1) {
        struct buffer shown = {0};
        descriptor_public(&shown, body, prefixes, 0);
        check_text(buffer_span(&shown), buffer_span(&s.script[0]), prefixes);
        buffer_clear(&shown);
    }
    descriptor_scripts_clear(&s);
}

/* Read as miniscript it is written as the same script, and so is its text. */
static void try_miniscript(struct span script, const struct address_prefixes *prefixes)
{
    char error[DESCRIPTOR_ERROR_TEXT] = "";
    struct descriptor_parser p = {.prefixes = prefixes, .error = error};
    struct arena arena = {0};
    struct buffer again = {0}, text = {0};
    struct ms_node *n = ms_from_script(script, &arena);
    if (n) {
        ms_script(&again, n);
        CHECK(span_equal(buffer_span(&again), script) && n->script_len == script.len);
        ms_text(&text, n, false);
        struct ms_node *parsed = ms_from_text(&p, buffer_span(&text), false, &arena);
        CHECK(parsed && parsed->type == n->type);
        again.len = 0;
        ms_script(&again, parsed);
        CHECK(span_equal(buffer_span(&again), script));
    }
    buffer_clear(&again);
    buffer_clear(&text);
    arena_clear(&arena);
}

static void try_script(struct span script, const struct address_prefixes *prefixes)
{
    struct buffer text = {0};
    uint8_t program[34] = {OP_0, 32};
    char error[DESCRIPTOR_ERROR_TEXT];
    struct descriptor_scripts s;
    try_miniscript(script, prefixes);
    descriptor_infer(&text, script, prefixes);
    if (descriptor_expand(&s, buffer_span(&text), true, prefixes, error)) /* not where a key is no point */
        CHECK(span_equal(buffer_span(&s.script[0]), script));
    descriptor_scripts_clear(&s);
    text.len = 0;
    sha256_once(program + 2, script.data, script.len);
    descriptor_infer_wsh(&text, script, prefixes);
    if (descriptor_expand(&s, buffer_span(&text), true, prefixes, error))
        CHECK(span_equal(buffer_span(&s.script[0]), span_of(program, sizeof(program))));
    descriptor_scripts_clear(&s);
    text.len = 0;
    descriptor_infer_sh(&text, script, true, prefixes);
    descriptor_infer_sh(&text, script, false, prefixes);
    buffer_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t nothing[1];
    if (size == 0) return 0;
    const struct address_prefixes *prefixes = &chain_params_get(CHAIN_REGTEST)->prefixes;
    struct span rest = span_of(size > 1 ? data + 1 : nothing, size - 1);
    if (data[0] % 2 == 0)
        try_text(rest, prefixes);
    else
        try_script(rest, prefixes);
    return 0;
}
