/* Transactions as users type them: with or without the witness form, whichever makes sense. */
#include "base/endian.h"
#include "primitives/tx.h"

enum {
    SCRIPT_MAX = 10000,       /* bytes of a script */
    SCRIPT_ELEMENT_MAX = 520, /* bytes of a push */
    OPCODE_PUSHDATA1 = 0x4c,
    OPCODE_PUSHDATA2 = 0x4d,
    OPCODE_PUSHDATA4 = 0x4e,
    OPCODE_LAST = 0xb9, /* OP_NOP10 */
};

/* Bytes that OPCODE pushes, its length field (if any) read from R. */
static size_t push_len(struct reader *r, uint8_t opcode)
{
    if (opcode < OPCODE_PUSHDATA1) return opcode;
    if (opcode == OPCODE_PUSHDATA1) return read_u8(r);
    if (opcode == OPCODE_PUSHDATA2) return read_le16(r);
    return opcode == OPCODE_PUSHDATA4 ? read_le32(r) : 0;
}

/* True where every operation is complete, known, and pushes no more than an element may hold. */
static bool script_is_sane(struct span script)
{
    if (script.len > SCRIPT_MAX) return false;
    struct reader r = reader_of(script);
    while (reader_left(&r) > 0) {
        uint8_t opcode = read_u8(&r);
        size_t len = push_len(&r, opcode);
        read_span(&r, len);
        if (r.failed || opcode > OPCODE_LAST || len > SCRIPT_ELEMENT_MAX) return false;
    }
    return true;
}

static bool tx_scripts_are_sane(const struct tx *tx)
{
    for (size_t i = 0; i < tx->in_count && !tx_is_coinbase(tx); i++)
        if (!script_is_sane(tx->in[i].script_sig)) return false;
    for (size_t i = 0; i < tx->out_count; i++)
        if (!script_is_sane(tx->out[i].script_pubkey)) return false;
    return true;
}

bool tx_parse_any(struct tx *tx, struct span raw, struct arena *arena)
{
    struct tx extended, legacy;
    bool extended_ok = tx_parse(&extended, raw, arena, 0);
    if (extended_ok && tx_scripts_are_sane(&extended)) {
        *tx = extended;
        return true;
    }
    bool legacy_ok = tx_parse(&legacy, raw, arena, TX_NO_WITNESS);
    bool take_legacy = legacy_ok && (!extended_ok || tx_scripts_are_sane(&legacy));
    *tx = take_legacy ? legacy : extended;
    return take_legacy || extended_ok;
}
