/* Scripts as bytes: iteration, templates that consensus knows, building. */
#include "script/script.h"

#include "base/endian.h"
#include "script/interp.h"

bool script_step(struct span script, size_t *pos, uint8_t *opcode, struct span *data)
{
    *opcode = OP_INVALIDOPCODE;
    *data = span_of(NULL, 0);
    size_t at = *pos, left = script.len - at;
    if (left == 0) return false;
    uint8_t op = script.data[at++];
    *pos = at;
    left--;
    if (op > OP_PUSHDATA4) {
        *opcode = op;
        return true;
    }
    size_t len = op, len_bytes = 0;
    if (op >= OP_PUSHDATA1) {
        len_bytes = (size_t)1 << (op - OP_PUSHDATA1);
        if (left < len_bytes) return false;
        const uint8_t *p = script.data + at;
        len = len_bytes == 1 ? p[0] : len_bytes == 2 ? get_le16(p) : get_le32(p);
        *pos = at += len_bytes;
        left -= len_bytes;
    }
    if (left < len) return false;
    *opcode = op;
    *data = span_of(script.data + at, len);
    *pos = at + len;
    return true;
}

bool script_next(struct span script, size_t *pos, uint8_t *opcode, struct span *data)
{
    if (script_step(script, pos, opcode, data)) return true;
    *pos = script.len;
    return false;
}

bool push_is_minimal(struct span data, uint8_t opcode)
{
    if (data.len == 0) return opcode == OP_0;
    if (data.len == 1 && ((data.data[0] >= 1 && data.data[0] <= 16) || data.data[0] == 0x81)) return false;
    if (data.len < OP_PUSHDATA1) return opcode == data.len;
    if (data.len <= 0xff) return opcode == OP_PUSHDATA1;
    if (data.len <= 0xffff) return opcode == OP_PUSHDATA2;
    return true;
}

bool script_is_push_only(struct span script)
{
    size_t pos = 0;
    uint8_t opcode;
    struct span data;
    while (pos < script.len)
        if (!script_step(script, &pos, &opcode, &data) || opcode > OP_16) return false;
    return true;
}

bool script_is_unspendable(struct span script)
{
    return (script.len > 0 && script.data[0] == OP_RETURN) || script.len > MAX_SCRIPT_SIZE;
}

bool script_is_p2sh(struct span s)
{
    return s.len == 23 && s.data[0] == OP_HASH160 && s.data[1] == 20 && s.data[22] == OP_EQUAL;
}

bool script_is_p2wpkh(struct span s)
{
    return s.len == 22 && s.data[0] == OP_0 && s.data[1] == 20;
}

bool script_is_p2wsh(struct span s)
{
    return s.len == 34 && s.data[0] == OP_0 && s.data[1] == 32;
}

bool script_is_p2tr(struct span s)
{
    return s.len == 34 && s.data[0] == OP_1 && s.data[1] == 32;
}

bool script_is_p2a(struct span s)
{
    return s.len == 4 && s.data[0] == OP_1 && s.data[1] == 2 && s.data[2] == 0x4e && s.data[3] == 0x73;
}

bool script_witness_program(struct span s, int *version, struct span *program)
{
    if (s.len < 4 || s.len > 42 || s.data[1] + (size_t)2 != s.len) return false;
    if (s.data[0] != OP_0 && (s.data[0] < OP_1 || s.data[0] > OP_16)) return false;
    *version = s.data[0] == OP_0 ? 0 : s.data[0] - (OP_1 - 1);
    *program = span_of(s.data + 2, s.len - 2);
    return true;
}

void script_put_push(struct buffer *out, struct span data)
{
    if (data.len < OP_PUSHDATA1) {
        buffer_put_u8(out, (uint8_t)data.len);
    } else if (data.len <= 0xff) {
        buffer_put_u8(out, OP_PUSHDATA1);
        buffer_put_u8(out, (uint8_t)data.len);
    } else if (data.len <= 0xffff) {
        buffer_put_u8(out, OP_PUSHDATA2);
        buffer_put_le16(out, (uint16_t)data.len);
    } else {
        buffer_put_u8(out, OP_PUSHDATA4);
        buffer_put_le32(out, (uint32_t)data.len);
    }
    buffer_put_span(out, data);
}

void script_put_int(struct buffer *out, int64_t v)
{
    uint8_t bytes[9];
    if (v == 0)
        buffer_put_u8(out, OP_0);
    else if (v == -1 || (v >= 1 && v <= 16))
        buffer_put_u8(out, (uint8_t)(v + (OP_1 - 1)));
    else
        script_put_push(out, span_of(bytes, script_num_encode(bytes, v)));
}
