/* Scripts as text: opcode names and the `asm` form of RPC replies. */
#include "base/hex.h"
#include "script/interp.h"

const char *opcode_name(uint8_t opcode)
{
    static const char *const numbers[] = {"-1", NULL, "1",  "2",  "3",  "4",  "5",  "6",  "7",
                                          "8",  "9",  "10", "11", "12", "13", "14", "15", "16"};
    if (opcode == OP_0) return "0";
    if (opcode >= OP_1NEGATE && opcode <= OP_16 && opcode != OP_RESERVED) return numbers[opcode - OP_1NEGATE];
    switch (opcode) {
#define OPCODE_NAME_CASE(NAME, VALUE)                                                                                  \
    case VALUE: return "OP_" #NAME;
        OPCODE_ROWS(OPCODE_NAME_CASE)
#undef OPCODE_NAME_CASE
    default: return "OP_UNKNOWN";
    }
}

/* "ALL|ANYONECANPAY"; NULL for a type without a name. */
static const char *sighash_name(uint8_t type)
{
    switch (type) {
    case SIGHASH_ALL: return "ALL";
    case SIGHASH_NONE: return "NONE";
    case SIGHASH_SINGLE: return "SINGLE";
    case SIGHASH_ALL | SIGHASH_ANYONECANPAY: return "ALL|ANYONECANPAY";
    case SIGHASH_NONE | SIGHASH_ANYONECANPAY: return "NONE|ANYONECANPAY";
    case SIGHASH_SINGLE | SIGHASH_ANYONECANPAY: return "SINGLE|ANYONECANPAY";
    default: return NULL;
    }
}

/* Pushed bytes: short ones are shown as a number, others in hex. */
static void asm_push(struct buffer *out, struct span data, bool decode_sighash)
{
    if (data.len <= 4) {
        int64_t v;
        if (!script_num_decode(&v, data, false, 4)) v = 0;
        buffer_printf(out, "%lld", (long long)v);
        return;
    }
    const char *type = NULL;
    if (decode_sighash && check_signature_encoding(data, SCRIPT_VERIFY_STRICTENC) == SCRIPT_ERR_OK)
        type = sighash_name(data.data[data.len - 1]);
    hex_append(out, span_of(data.data, data.len - (type ? 1 : 0)));
    if (type) buffer_printf(out, "[%s]", type);
}

void script_asm(struct buffer *out, struct span script, bool decode_sighash)
{
    size_t pos = 0;
    uint8_t opcode;
    struct span data;
    /* What can never be spent carries data, which may look like a signature. */
    if (script_is_unspendable(script)) decode_sighash = false;
    while (pos < script.len) {
        if (pos) buffer_put_u8(out, ' ');
        if (!script_next(script, &pos, &opcode, &data)) {
            buffer_put_str(out, "[error]");
            return;
        }
        if (opcode <= OP_PUSHDATA4)
            asm_push(out, data, decode_sighash);
        else
            buffer_put_str(out, opcode_name(opcode));
    }
}
