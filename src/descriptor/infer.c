/* From a script to its descriptor, knowing nothing but the script. */
#include "descriptor/descriptor.h"

#include "base/check.h"
#include "base/hex.h"
#include "crypto/ripemd160.h"
#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "descriptor/miniscript.h"
#include "script/standard.h"

/* A compressed or uncompressed key by its first byte (hybrid keys have no descriptor). */
static bool is_plain_key(struct span key, bool compressed_only)
{
    if (key.len == 33) return key.data[0] == 2 || key.data[0] == 3;
    return key.len == 65 && key.data[0] == 4 && !compressed_only;
}

/* Appends pk() or multi(); false (OUT unchanged) where SCRIPT is neither. */
static bool infer_keys(struct buffer *out, const struct script_solution *s, bool compressed_only)
{
    if (s->kind != SCRIPT_PUBKEY && s->kind != SCRIPT_MULTISIG) return false;
    for (size_t i = 0; i < s->data_count; i++) {
        if (!is_plain_key(s->data[i], compressed_only)) return false;
    }
    if (s->kind == SCRIPT_PUBKEY)
        buffer_put_str(out, "pk(");
    else
        buffer_printf(out, "multi(%d", s->required);
    for (size_t i = 0; i < s->data_count; i++) {
        if (s->kind == SCRIPT_MULTISIG) buffer_put_u8(out, ',');
        hex_append(out, s->data[i]);
    }
    buffer_put_u8(out, ')');
    return true;
}

/* Appends a sane miniscript of a witness script; false (OUT unchanged) where it is none. */
static bool infer_miniscript(struct buffer *out, struct span script)
{
    struct arena arena = {0};
    const struct ms_node *fault, *n = ms_from_script(script, &arena);
    const char *why;
    bool sane = n && ms_is_sane(n, &fault, &why);
    if (sane) ms_text(out, n, false);
    arena_clear(&arena);
    return sane;
}

static void put_checksum(struct buffer *out, size_t start)
{
    char sum[DESCRIPTOR_CHECKSUM_TEXT];
    CHECK(descriptor_checksum(sum, span_from(buffer_span(out), start)));
    buffer_printf(out, "#%s", sum);
}

/* addr() where the script has an address, else raw(). */
static void infer_address(struct buffer *out, struct span script, const struct address_prefixes *prefixes)
{
    struct destination dest;
    script_destination(&dest, script);
    if (dest.kind != DEST_NONE) {
        buffer_put_str(out, "addr(");
        (void)address_encode(out, &dest, prefixes);
    } else {
        buffer_put_str(out, "raw(");
        hex_append(out, script);
    }
    buffer_put_u8(out, ')');
}

void descriptor_infer(struct buffer *out, struct span script, const struct address_prefixes *prefixes)
{
    size_t start = out->len;
    struct script_solution s;
    script_solve(&s, script);
    if (infer_keys(out, &s, false)) {
        put_checksum(out, start);
        return;
    }
    if (s.kind == SCRIPT_WITNESS_V1_TAPROOT && xonly_is_valid(s.data[0].data)) {
        buffer_put_str(out, "rawtr(");
        hex_append(out, s.data[0]);
        buffer_put_u8(out, ')');
    } else {
        infer_address(out, script, prefixes);
    }
    put_checksum(out, start);
}

void descriptor_infer_wsh(struct buffer *out, struct span inner, const struct address_prefixes *prefixes)
{
    size_t start = out->len;
    struct script_solution s;
    script_solve(&s, inner);
    buffer_put_str(out, "wsh(");
    if (infer_keys(out, &s, true) || infer_miniscript(out, inner)) {
        buffer_put_u8(out, ')');
    } else {
        uint8_t script[34] = {0x00, 0x20};
        sha256_once(script + 2, inner.data, inner.len);
        out->len = start;
        infer_address(out, span_of(script, sizeof script), prefixes);
    }
    put_checksum(out, start);
}

void descriptor_infer_sh(struct buffer *out, struct span inner, bool nested, const struct address_prefixes *prefixes)
{
    size_t start = out->len;
    struct script_solution s;
    script_solve(&s, inner);
    buffer_put_str(out, nested ? "sh(wsh(" : "sh(");
    if (infer_keys(out, &s, nested) || (nested && infer_miniscript(out, inner))) {
        buffer_put_str(out, nested ? "))" : ")");
    } else {
        uint8_t program[34] = {0x00, 0x20}, script[23] = {OP_HASH160, 20, [22] = OP_EQUAL};
        sha256_once(program + 2, inner.data, inner.len);
        if (nested) inner = span_of(program, sizeof program);
        hash160(script + 2, inner.data, inner.len);
        out->len = start;
        infer_address(out, span_of(script, sizeof script), prefixes);
    }
    put_checksum(out, start);
}
