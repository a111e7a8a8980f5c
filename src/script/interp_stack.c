/* Opcodes: moving, copying, measuring and comparing stack elements. */
#include "script/interp.h"

/* Copies the element DEPTH below the top onto the top. */
static void stack_copy(struct interp *in, size_t depth)
{
    const struct element *from = stack_at(in, depth);
    *stack_grow(in) = *from;
}

/* Takes the element DEPTH below the top out and puts it on the top. */
static void stack_roll(struct interp *in, size_t depth)
{
    struct element *from = stack_at(in, depth);
    struct element moved = *from;
    memmove(from, from + 1, depth * sizeof(*from));
    *stack_at(in, 0) = moved;
}

enum script_error op_to_alt(struct interp *in, uint8_t opcode)
{
    (void)opcode;
    if (in->count < 1) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    struct element moved = *stack_at(in, 0);
    in->count--;
    in->stack[in->cap - ++in->alt_count] = moved;
    return SCRIPT_ERR_OK;
}

enum script_error op_from_alt(struct interp *in, uint8_t opcode)
{
    (void)opcode;
    if (in->alt_count < 1) return SCRIPT_ERR_INVALID_ALTSTACK_OPERATION;
    struct element moved = in->stack[in->cap - in->alt_count--];
    *stack_grow(in) = moved;
    return SCRIPT_ERR_OK;
}

enum script_error op_drop(struct interp *in, uint8_t opcode)
{
    size_t count = opcode == OP_2DROP ? 2 : 1;
    if (in->count < count) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    in->count -= count;
    return SCRIPT_ERR_OK;
}

/* OP_DUP, OP_2DUP, OP_3DUP, OP_OVER, OP_2OVER: copies of COUNT elements that begin DEPTH from the top. */
enum script_error op_copy(struct interp *in, uint8_t opcode)
{
    size_t depth = 0, count = 0;
    switch (opcode) {
    case OP_DUP: depth = 1, count = 1; break;
    case OP_2DUP: depth = 2, count = 2; break;
    case OP_3DUP: depth = 3, count = 3; break;
    case OP_OVER: depth = 2, count = 1; break;
    case OP_2OVER: depth = 4, count = 2; break;
    default: CHECK(false);
    }
    if (in->count < depth) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    while (count--) stack_copy(in, depth - 1);
    return SCRIPT_ERR_OK;
}

/* OP_SWAP, OP_ROT, OP_2SWAP, OP_2ROT: the deepest one or two of DEPTH elements come to the top. */
enum script_error op_rotate(struct interp *in, uint8_t opcode)
{
    size_t depth = 0, count = 0;
    switch (opcode) {
    case OP_SWAP: depth = 2, count = 1; break;
    case OP_ROT: depth = 3, count = 1; break;
    case OP_2SWAP: depth = 4, count = 2; break;
    case OP_2ROT: depth = 6, count = 2; break;
    default: CHECK(false);
    }
    if (in->count < depth) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    while (count--) stack_roll(in, depth - 1);
    return SCRIPT_ERR_OK;
}

enum script_error op_ifdup(struct interp *in, uint8_t opcode)
{
    (void)opcode;
    if (in->count < 1) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    if (bytes_are_true(stack_span(in, 0))) stack_copy(in, 0);
    return SCRIPT_ERR_OK;
}

enum script_error op_depth(struct interp *in, uint8_t opcode)
{
    (void)opcode;
    stack_push_number(in, (int64_t)in->count);
    return SCRIPT_ERR_OK;
}

enum script_error op_nip(struct interp *in, uint8_t opcode)
{
    (void)opcode;
    if (in->count < 2) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    *stack_at(in, 1) = *stack_at(in, 0);
    in->count--;
    return SCRIPT_ERR_OK;
}

enum script_error op_pick(struct interp *in, uint8_t opcode)
{
    if (in->count < 2) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    int64_t depth;
    if (!stack_number(in, 0, 4, &depth)) return SCRIPT_ERR_SCRIPTNUM;
    in->count--;
    if (depth < 0 || (uint64_t)depth >= in->count) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    if (opcode == OP_ROLL)
        stack_roll(in, (size_t)depth);
    else
        stack_copy(in, (size_t)depth);
    return SCRIPT_ERR_OK;
}

/* (x1 x2 -- x2 x1 x2) */
enum script_error op_tuck(struct interp *in, uint8_t opcode)
{
    (void)opcode;
    if (in->count < 2) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    stack_roll(in, 1);
    stack_copy(in, 1);
    return SCRIPT_ERR_OK;
}

enum script_error op_size(struct interp *in, uint8_t opcode)
{
    (void)opcode;
    if (in->count < 1) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    stack_push_number(in, stack_at(in, 0)->len);
    return SCRIPT_ERR_OK;
}

enum script_error op_equal(struct interp *in, uint8_t opcode)
{
    if (in->count < 2) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    bool equal = span_equal(stack_span(in, 1), stack_span(in, 0));
    if (opcode == OP_EQUALVERIFY && !equal) return SCRIPT_ERR_EQUALVERIFY;
    in->count -= 2;
    if (opcode == OP_EQUAL) stack_push_bool(in, equal);
    return SCRIPT_ERR_OK;
}
