/* Opcodes: arithmetic and comparison on script numbers of at most 4 bytes; results may be longer. */
#include "script/interp.h"

enum script_error op_unary(struct interp *in, uint8_t opcode)
{
    if (in->count < 1) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    int64_t v;
    if (!stack_number(in, 0, 4, &v)) return SCRIPT_ERR_SCRIPTNUM;
    switch (opcode) {
    case OP_1ADD: v += 1; break;
    case OP_1SUB: v -= 1; break;
    case OP_NEGATE: v = -v; break;
    case OP_ABS: v = v < 0 ? -v : v; break;
    case OP_NOT: v = v == 0; break;
    case OP_0NOTEQUAL: v = v != 0; break;
    default: CHECK(false);
    }
    in->count--;
    stack_push_number(in, v);
    return SCRIPT_ERR_OK;
}

static int64_t binary_result(uint8_t opcode, int64_t a, int64_t b)
{
    switch (opcode) {
    case OP_ADD: return a + b;
    case OP_SUB: return a - b;
    case OP_BOOLAND: return a != 0 && b != 0;
    case OP_BOOLOR: return a != 0 || b != 0;
    case OP_NUMEQUAL:
    case OP_NUMEQUALVERIFY: return a == b;
    case OP_NUMNOTEQUAL: return a != b;
    case OP_LESSTHAN: return a < b;
    case OP_GREATERTHAN: return a > b;
    case OP_LESSTHANOREQUAL: return a <= b;
    case OP_GREATERTHANOREQUAL: return a >= b;
    case OP_MIN: return a < b ? a : b;
    case OP_MAX: return a > b ? a : b;
    default: CHECK(false);
    }
    return 0;
}

enum script_error op_binary(struct interp *in, uint8_t opcode)
{
    if (in->count < 2) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    int64_t a, b;
    if (!stack_number(in, 1, 4, &a) || !stack_number(in, 0, 4, &b)) return SCRIPT_ERR_SCRIPTNUM;
    int64_t v = binary_result(opcode, a, b);
    if (opcode == OP_NUMEQUALVERIFY && !v) return SCRIPT_ERR_NUMEQUALVERIFY;
    in->count -= 2;
    if (opcode != OP_NUMEQUALVERIFY) stack_push_number(in, v);
    return SCRIPT_ERR_OK;
}

/* (x min max -- min <= x < max) */
enum script_error op_within(struct interp *in, uint8_t opcode)
{
    (void)opcode;
    if (in->count < 3) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    int64_t x, min, max;
    if (!stack_number(in, 2, 4, &x) || !stack_number(in, 1, 4, &min) || !stack_number(in, 0, 4, &max))
        return SCRIPT_ERR_SCRIPTNUM;
    in->count -= 3;
    stack_push_bool(in, min <= x && x < max);
    return SCRIPT_ERR_OK;
}
