/* How coins are packed: variable-length integers, amounts and scripts in Bitcoin Core's compact forms. */
#include "chain/coin_codec.h"

#include "crypto/secp.h"
#include "script/opcodes.h"
#include "script/script.h"

enum { SPECIAL_SCRIPTS = 6, VARINT_MAX_BYTES = 10 };

void buffer_put_varint(struct buffer *b, uint64_t v)
{
    uint8_t digits[VARINT_MAX_BYTES];
    size_t at = sizeof(digits) - 1;
    digits[at] = v & 0x7f;
    while (v > 0x7f) {
        v = (v >> 7) - 1;
        digits[--at] = 0x80 | (v & 0x7f);
    }
    buffer_put(b, digits + at, sizeof(digits) - at);
}

uint64_t read_varint(struct reader *r)
{
    uint64_t v = 0;
    for (;;) {
        uint8_t byte = read_u8(r);
        if (r->failed || v > UINT64_MAX >> 7) break;
        v = v << 7 | (byte & 0x7f);
        if (!(byte & 0x80)) return v;
        if (v == UINT64_MAX) break;
        v++;
    }
    reader_fail(r);
    return 0;
}

/* A varint whose type is 32 bits wide. */
static uint32_t read_varint32(struct reader *r)
{
    uint64_t v = read_varint(r);
    if (v <= UINT32_MAX) return (uint32_t)v;
    reader_fail(r);
    return 0;
}

/* An amount is n * 10^e with e at most 9. Below 9 the last digit d of n is not zero: d and the rest share a number. */
uint64_t amount_compress(uint64_t v)
{
    if (v == 0) return 0;
    unsigned e = 0;
    for (; e < 9 && v % 10 == 0; e++) v /= 10;
    if (e == 9) return (v - 1) * 10 + 10;
    return (v / 10 * 9 + v % 10 - 1) * 10 + e + 1;
}

uint64_t amount_decompress(uint64_t v)
{
    if (v == 0) return 0;
    unsigned e = (unsigned)((v - 1) % 10);
    uint64_t n = (v - 1) / 10;
    n = e == 9 ? n + 1 : n / 9 * 10 + n % 9 + 1;
    for (; e > 0; e--) n *= 10;
    return n;
}

/* ---- scripts --------------------------------------------------------------------------------------------------- */

static bool is_p2pkh(struct span s)
{
    return s.len == 25 && s.data[0] == OP_DUP && s.data[1] == OP_HASH160 && s.data[2] == 20 &&
           s.data[23] == OP_EQUALVERIFY && s.data[24] == OP_CHECKSIG;
}

static bool is_p2sh(struct span s)
{
    return s.len == 23 && s.data[0] == OP_HASH160 && s.data[1] == 20 && s.data[22] == OP_EQUAL;
}

static bool is_p2pk_compressed(struct span s)
{
    return s.len == 35 && s.data[0] == 33 && (s.data[1] == 2 || s.data[1] == 3) && s.data[34] == OP_CHECKSIG;
}

/* Only a point on the curve can be found again from its x coordinate. */
static bool is_p2pk_uncompressed(struct span s)
{
    return s.len == 67 && s.data[0] == 65 && s.data[1] == 4 && s.data[66] == OP_CHECKSIG &&
           pubkey_is_valid(span_of(s.data + 1, 65));
}

void script_compress(struct buffer *out, struct span script)
{
    if (is_p2pkh(script)) {
        buffer_put_u8(out, 0);
        buffer_put(out, script.data + 3, 20);
    } else if (is_p2sh(script)) {
        buffer_put_u8(out, 1);
        buffer_put(out, script.data + 2, 20);
    } else if (is_p2pk_compressed(script)) {
        buffer_put(out, script.data + 1, 33);
    } else if (is_p2pk_uncompressed(script)) {
        buffer_put_u8(out, 4 | (script.data[65] & 1));
        buffer_put(out, script.data + 2, 32);
    } else {
        buffer_put_varint(out, (uint64_t)script.len + SPECIAL_SCRIPTS);
        buffer_put_span(out, script);
    }
}

static void put_p2pkh(struct buffer *out, const uint8_t hash[20])
{
    static const uint8_t head[] = {OP_DUP, OP_HASH160, 20}, tail[] = {OP_EQUALVERIFY, OP_CHECKSIG};
    buffer_put(out, head, sizeof(head));
    buffer_put(out, hash, 20);
    buffer_put(out, tail, sizeof(tail));
}

static void put_p2sh(struct buffer *out, const uint8_t hash[20])
{
    buffer_put_u8(out, OP_HASH160);
    buffer_put_u8(out, 20);
    buffer_put(out, hash, 20);
    buffer_put_u8(out, OP_EQUAL);
}

static void put_p2pk(struct buffer *out, const uint8_t *pubkey, uint8_t len)
{
    buffer_put_u8(out, len);
    buffer_put(out, pubkey, len);
    buffer_put_u8(out, OP_CHECKSIG);
}

/* FORM 2 to 5. A form 4 or 5 that is no point gives an empty script, as in Core. */
static void put_p2pk_from_x(struct buffer *out, uint8_t form, const uint8_t x[32])
{
    uint8_t compressed[33], full[65];
    compressed[0] = 2 | (form & 1);
    memcpy(compressed + 1, x, 32);
    if (form < 4)
        put_p2pk(out, compressed, sizeof(compressed));
    else if (pubkey_uncompress(full, span_of(compressed, sizeof(compressed))))
        put_p2pk(out, full, sizeof(full));
}

void script_decompress(struct buffer *out, struct reader *r)
{
    uint32_t form = read_varint32(r);
    if (r->failed) return;
    if (form < SPECIAL_SCRIPTS) {
        struct span body = read_span(r, form < 2 ? 20 : 32);
        if (!body.data) return;
        if (form == 0)
            put_p2pkh(out, body.data);
        else if (form == 1)
            put_p2sh(out, body.data);
        else
            put_p2pk_from_x(out, (uint8_t)form, body.data);
        return;
    }
    struct span script = read_span(r, form - SPECIAL_SCRIPTS);
    if (script.len > MAX_SCRIPT_SIZE)
        buffer_put_u8(out, OP_RETURN);
    else
        buffer_put_span(out, script);
}

/* ---- coins ----------------------------------------------------------------------------------------------------- */

void coin_pack(struct buffer *out, const struct coin *coin)
{
    buffer_put_varint(out, coin->origin);
    buffer_put_varint(out, amount_compress((uint64_t)coin->value));
    script_compress(out, coin->script_pubkey);
}

bool coin_unpack(struct coin *coin, struct buffer *script_out, struct span packed)
{
    struct reader r = reader_of(packed);
    size_t from = script_out->len;
    coin->origin = read_varint32(&r);
    coin->value = (amount_sat)amount_decompress(read_varint(&r));
    script_decompress(script_out, &r);
    coin->script_pubkey = span_from(buffer_span(script_out), from);
    return !r.failed && reader_left(&r) == 0;
}
