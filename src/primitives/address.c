/* Addresses: base58 and segwit text forms of destinations, and the scripts that pay to them. */
#include "primitives/address.h"

#include <stdio.h>

#include "primitives/base58.h"
#include "primitives/bech32.h"

enum {
    HASH160_BYTES = 20,
    PROGRAM_MIN = 2,
    PROGRAM_MAX = 40,
    WITNESS_VERSION_MAX = 16,
    BASE58_ADDRESS_BYTES = 1 + HASH160_BYTES,
    BASE58_UNCHECKED_MAX = 100, /* a text that decodes to at most so much is taken for a mistyped base58 address */
};

static const uint8_t anchor_program[2] = {0x4e, 0x73};

static bool fail(struct address_error *e, const char *message)
{
    if (e) e->message = message;
    return false;
}

static void set_destination(struct destination *out, enum destination_kind kind, int version, struct span program)
{
    *out = (struct destination){.kind = kind, .version = (uint8_t)version, .len = (uint8_t)program.len};
    memcpy(out->program, program.data, program.len);
}

/* DATA is what a base58 text with a right checksum decoded to. */
static bool decode_base58_payload(struct destination *out, struct span data, const struct address_prefixes *p,
                                  struct address_error *e)
{
    bool p2pkh = data.len && data.data[0] == p->p2pkh, p2sh = data.len && data.data[0] == p->p2sh;
    if (!p2pkh && !p2sh) return fail(e, "Invalid or unsupported Base58-encoded address.");
    if (data.len != BASE58_ADDRESS_BYTES) return fail(e, "Invalid length for Base58 address (P2PKH or P2SH)");
    set_destination(out, p2pkh ? DEST_P2PKH : DEST_P2SH, 0, span_from(data, 1));
    return true;
}

static bool decode_base58(struct destination *out, const char *text, const struct address_prefixes *p,
                          struct address_error *e)
{
    struct buffer data = {0};
    bool ok = false;
    if (base58check_decode(&data, text, BASE58_ADDRESS_BYTES))
        ok = decode_base58_payload(out, buffer_span(&data), p, e);
    else if (base58_decode(&data, text, BASE58_UNCHECKED_MAX))
        fail(e, "Invalid checksum or length of Base58 address (P2PKH or P2SH)");
    else
        fail(e, "Invalid or unsupported Segwit (Bech32) or Base58 encoding.");
    buffer_clear(&data);
    return ok;
}

/* A message about a program of LEN bytes; FORMAT takes the number and the noun. */
static bool fail_size(struct address_error *e, bool version_zero, size_t len)
{
    const char *noun = len == 1 ? "byte" : "bytes";
    if (!e) return false;
    snprintf(e->buffer, sizeof(e->buffer), "Invalid Bech32 %saddress program size (%zu %s)%s",
             version_zero ? "v0 " : "", len, noun, version_zero ? ", per BIP141" : "");
    return fail(e, e->buffer);
}

static bool decode_program(struct destination *out, int version, struct span program, struct address_error *e)
{
    enum destination_kind kind = DEST_WITNESS_UNKNOWN;
    if (version == 0) {
        if (program.len != HASH160_BYTES && program.len != 32) return fail_size(e, true, program.len);
        kind = program.len == 32 ? DEST_WITNESS_V0_SCRIPTHASH : DEST_WITNESS_V0_KEYHASH;
    } else if (version == 1 && program.len == 32) {
        kind = DEST_WITNESS_V1_TAPROOT;
    } else if (version == 1 && span_equal(program, span_of(anchor_program, sizeof(anchor_program)))) {
        kind = DEST_ANCHOR;
    } else if (version > WITNESS_VERSION_MAX) {
        return fail(e, "Invalid Bech32 address witness version");
    } else if (program.len < PROGRAM_MIN || program.len > PROGRAM_MAX) {
        return fail_size(e, false, program.len);
    }
    set_destination(out, kind, version, program);
    return true;
}

static bool fail_prefix(struct address_error *e, const char *expected, const char *got)
{
    if (!e) return false;
    snprintf(e->buffer, sizeof(e->buffer),
             "Invalid or unsupported prefix for Segwit (Bech32) address (expected %s, got %s).", expected, got);
    return fail(e, e->buffer);
}

static bool decode_bech32(struct destination *out, const struct bech32 *b, const struct address_prefixes *p,
                          struct address_error *e)
{
    if (b->data_len == 0) return fail(e, "Empty Bech32 data section");
    if (strcmp(b->hrp, p->hrp) != 0) return fail_prefix(e, p->hrp, b->hrp);
    int version = b->data[0];
    if (version == 0 && b->encoding != BECH32) return fail(e, "Version 0 witness address must use Bech32 checksum");
    if (version != 0 && b->encoding != BECH32M) return fail(e, "Version 1+ witness address must use Bech32m checksum");
    struct buffer program = {0};
    buffer_reserve(&program, BECH32_MAX);
    bool ok = bech32_convert_bits(&program, 8, span_of(b->data + 1, b->data_len - 1), 5, false)
                  ? decode_program(out, version, buffer_span(&program), e)
                  : fail(e, "Invalid padding in Bech32 data section");
    buffer_clear(&program);
    return ok;
}

/* True where TEXT starts with the network's human-readable part in either case. */
static bool has_hrp(const char *text, const char *hrp)
{
    for (; *hrp; text++, hrp++) {
        char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        if (c != *hrp) return false;
    }
    return true;
}

bool address_decode(struct destination *out, const char *text, const struct address_prefixes *prefixes,
                    struct address_error *error)
{
    *out = (struct destination){.kind = DEST_NONE};
    if (error) *error = (struct address_error){.message = ""};
    if (!has_hrp(text, prefixes->hrp)) return decode_base58(out, text, prefixes, error);
    struct bech32 b;
    bech32_decode(&b, text);
    if (b.encoding != BECH32_INVALID) return decode_bech32(out, &b, prefixes, error);
    if (error) error->location_count = bech32_locate_errors(text, error->locations, &error->message);
    return false;
}

static void encode_base58(struct buffer *out, uint8_t prefix, const struct destination *dest)
{
    uint8_t data[BASE58_ADDRESS_BYTES] = {prefix};
    memcpy(data + 1, dest->program, HASH160_BYTES);
    base58check_encode(out, span_of(data, sizeof(data)));
}

static bool encode_segwit(struct buffer *out, const char *hrp, const struct destination *dest)
{
    if (dest->version > WITNESS_VERSION_MAX || dest->len < PROGRAM_MIN || dest->len > PROGRAM_MAX) return false;
    struct buffer data = {0};
    buffer_put_u8(&data, dest->version);
    bool ok = bech32_convert_bits(&data, 5, span_of(dest->program, dest->len), 8, true);
    if (ok) bech32_encode(out, dest->version == 0 ? BECH32 : BECH32M, hrp, buffer_span(&data));
    buffer_clear(&data);
    return ok;
}

bool address_encode(struct buffer *out, const struct destination *dest, const struct address_prefixes *prefixes)
{
    switch (dest->kind) {
    case DEST_NONE: return false;
    case DEST_P2PKH: encode_base58(out, prefixes->p2pkh, dest); return true;
    case DEST_P2SH: encode_base58(out, prefixes->p2sh, dest); return true;
    case DEST_WITNESS_V0_KEYHASH:
    case DEST_WITNESS_V0_SCRIPTHASH:
    case DEST_WITNESS_V1_TAPROOT:
    case DEST_ANCHOR:
    case DEST_WITNESS_UNKNOWN: return encode_segwit(out, prefixes->hrp, dest);
    }
    return false;
}

void destination_script(struct buffer *out, const struct destination *dest)
{
    static const uint8_t p2pkh_start[] = {0x76, 0xa9, HASH160_BYTES}; /* OP_DUP OP_HASH160 <20> */
    static const uint8_t p2pkh_end[] = {0x88, 0xac};                  /* OP_EQUALVERIFY OP_CHECKSIG */
    static const uint8_t p2sh_start[] = {0xa9, HASH160_BYTES};        /* OP_HASH160 <20> */
    enum { OP_EQUAL = 0x87, OP_1 = 0x51 };

    switch (dest->kind) {
    case DEST_NONE: return;
    case DEST_P2PKH:
        buffer_put(out, p2pkh_start, sizeof(p2pkh_start));
        buffer_put(out, dest->program, HASH160_BYTES);
        buffer_put(out, p2pkh_end, sizeof(p2pkh_end));
        return;
    case DEST_P2SH:
        buffer_put(out, p2sh_start, sizeof(p2sh_start));
        buffer_put(out, dest->program, HASH160_BYTES);
        buffer_put_u8(out, OP_EQUAL);
        return;
    default:
        buffer_put_u8(out, dest->version ? (uint8_t)(OP_1 - 1 + dest->version) : 0);
        buffer_put_u8(out, dest->len);
        buffer_put(out, dest->program, dest->len);
    }
}
