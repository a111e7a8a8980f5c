/* The script interpreter: the table of opcodes and the loop that walks a script. */
#include "script/interp.h"

#include <stdlib.h>

#include "base/alloc.h"

/* One row an opcode above OP_PUSHDATA4. Those without a row fail where they are executed. */
static const struct op_row op_rows[256] = {
    [OP_1NEGATE] = {op_number, 0},
    [OP_RESERVED] = {NULL, ROW_SUCCESS},
    [OP_1] = {op_number, 0},
    [OP_2] = {op_number, 0},
    [OP_3] = {op_number, 0},
    [OP_4] = {op_number, 0},
    [OP_5] = {op_number, 0},
    [OP_6] = {op_number, 0},
    [OP_7] = {op_number, 0},
    [OP_8] = {op_number, 0},
    [OP_9] = {op_number, 0},
    [OP_10] = {op_number, 0},
    [OP_11] = {op_number, 0},
    [OP_12] = {op_number, 0},
    [OP_13] = {op_number, 0},
    [OP_14] = {op_number, 0},
    [OP_15] = {op_number, 0},
    [OP_16] = {op_number, 0},
    [OP_NOP] = {op_nop, 0},
    [OP_VER] = {NULL, ROW_SUCCESS},
    [OP_IF] = {op_if, ROW_ALWAYS},
    [OP_NOTIF] = {op_if, ROW_ALWAYS},
    [OP_VERIF] = {NULL, ROW_ALWAYS},
    [OP_VERNOTIF] = {NULL, ROW_ALWAYS},
    [OP_ELSE] = {op_else, ROW_ALWAYS},
    [OP_ENDIF] = {op_endif, ROW_ALWAYS},
    [OP_VERIFY] = {op_verify, 0},
    [OP_RETURN] = {op_return, 0},
    [OP_TOALTSTACK] = {op_to_alt, 0},
    [OP_FROMALTSTACK] = {op_from_alt, 0},
    [OP_2DROP] = {op_drop, 0},
    [OP_2DUP] = {op_copy, 0},
    [OP_3DUP] = {op_copy, 0},
    [OP_2OVER] = {op_copy, 0},
    [OP_2ROT] = {op_rotate, 0},
    [OP_2SWAP] = {op_rotate, 0},
    [OP_IFDUP] = {op_ifdup, 0},
    [OP_DEPTH] = {op_depth, 0},
    [OP_DROP] = {op_drop, 0},
    [OP_DUP] = {op_copy, 0},
    [OP_NIP] = {op_nip, 0},
    [OP_OVER] = {op_copy, 0},
    [OP_PICK] = {op_pick, 0},
    [OP_ROLL] = {op_pick, 0},
    [OP_ROT] = {op_rotate, 0},
    [OP_SWAP] = {op_rotate, 0},
    [OP_TUCK] = {op_tuck, 0},
    [OP_CAT] = {NULL, ROW_DISABLED | ROW_SUCCESS},
    [OP_SUBSTR] = {NULL, ROW_DISABLED | ROW_SUCCESS},
    [OP_LEFT] = {NULL, ROW_DISABLED | ROW_SUCCESS},
    [OP_RIGHT] = {NULL, ROW_DISABLED | ROW_SUCCESS},
    [OP_SIZE] = {op_size, 0},
    [OP_INVERT] = {NULL, ROW_DISABLED | ROW_SUCCESS},
    [OP_AND] = {NULL, ROW_DISABLED | ROW_SUCCESS},
    [OP_OR] = {NULL, ROW_DISABLED | ROW_SUCCESS},
    [OP_XOR] = {NULL, ROW_DISABLED | ROW_SUCCESS},
    [OP_EQUAL] = {op_equal, 0},
    [OP_EQUALVERIFY] = {op_equal, 0},
    [OP_RESERVED1] = {NULL, ROW_SUCCESS},
    [OP_RESERVED2] = {NULL, ROW_SUCCESS},
    [OP_1ADD] = {op_unary, 0},
    [OP_1SUB] = {op_unary, 0},
    [OP_2MUL] = {NULL, ROW_DISABLED | ROW_SUCCESS},
    [OP_2DIV] = {NULL, ROW_DISABLED | ROW_SUCCESS},
    [OP_NEGATE] = {op_unary, 0},
    [OP_ABS] = {op_unary, 0},
    [OP_NOT] = {op_unary, 0},
    [OP_0NOTEQUAL] = {op_unary, 0},
    [OP_ADD] = {op_binary, 0},
    [OP_SUB] = {op_binary, 0},
    [OP_MUL] = {NULL, ROW_DISABLED | ROW_SUCCESS},
    [OP_DIV] = {NULL, ROW_DISABLED | ROW_SUCCESS},
    [OP_MOD] = {NULL, ROW_DISABLED | ROW_SUCCESS},
    [OP_LSHIFT] = {NULL, ROW_DISABLED | ROW_SUCCESS},
    [OP_RSHIFT] = {NULL, ROW_DISABLED | ROW_SUCCESS},
    [OP_BOOLAND] = {op_binary, 0},
    [OP_BOOLOR] = {op_binary, 0},
    [OP_NUMEQUAL] = {op_binary, 0},
    [OP_NUMEQUALVERIFY] = {op_binary, 0},
    [OP_NUMNOTEQUAL] = {op_binary, 0},
    [OP_LESSTHAN] = {op_binary, 0},
    [OP_GREATERTHAN] = {op_binary, 0},
    [OP_LESSTHANOREQUAL] = {op_binary, 0},
    [OP_GREATERTHANOREQUAL] = {op_binary, 0},
    [OP_MIN] = {op_binary, 0},
    [OP_MAX] = {op_binary, 0},
    [OP_WITHIN] = {op_within, 0},
    [OP_RIPEMD160] = {op_hash, 0},
    [OP_SHA1] = {op_hash, 0},
    [OP_SHA256] = {op_hash, 0},
    [OP_HASH160] = {op_hash, 0},
    [OP_HASH256] = {op_hash, 0},
    [OP_CODESEPARATOR] = {op_codeseparator, 0},
    [OP_CHECKSIG] = {op_checksig, 0},
    [OP_CHECKSIGVERIFY] = {op_checksig, 0},
    [OP_CHECKMULTISIG] = {op_checkmultisig, 0},
    [OP_CHECKMULTISIGVERIFY] = {op_checkmultisig, 0},
    [OP_NOP1] = {op_upgradable_nop, 0},
    [OP_CHECKLOCKTIMEVERIFY] = {op_locktime, 0},
    [OP_CHECKSEQUENCEVERIFY] = {op_sequence, 0},
    [OP_NOP4] = {op_upgradable_nop, 0},
    [OP_NOP5] = {op_upgradable_nop, 0},
    [OP_NOP6] = {op_upgradable_nop, 0},
    [OP_NOP7] = {op_upgradable_nop, 0},
    [OP_NOP8] = {op_upgradable_nop, 0},
    [OP_NOP9] = {op_upgradable_nop, 0},
    [OP_NOP10] = {op_upgradable_nop, 0},
    [OP_CHECKSIGADD] = {op_checksigadd, 0},
    [OP_INVALIDOPCODE] = {NULL, 0},
};

const struct op_row *op_row_of(uint8_t opcode)
{
    static const struct op_row unnamed = {NULL, ROW_SUCCESS};
    return opcode > OP_CHECKSIGADD && opcode < OP_INVALIDOPCODE ? &unnamed : &op_rows[opcode];
}

void interp_init(struct interp *in, const struct script_tx *t, size_t index, amount_sat amount, unsigned flags,
                 const struct sig_verifier *verifier)
{
    in->t = t;
    in->index = index;
    in->amount = amount;
    in->flags = flags;
    in->verifier = verifier;
    in->arena = (struct arena){0};
    for (size_t i = 0; i < SIGHASH_CLASSES; i++) in->cache[i].used = false;
    in->stack = in->room;
    in->cap = ARRAY_LEN(in->room);
    in->count = 0;
    in->alt_count = 0;
}

void interp_clear(struct interp *in)
{
    if (in->stack != in->room) free(in->stack);
    in->stack = in->room;
    arena_clear(&in->arena);
}

void interp_set_stack(struct interp *in, const struct span *items, size_t count)
{
    /* A witness may carry more items than a stack may hold: the limit is looked at after the first instruction. */
    if (count + OP_PUSHES_MOST > in->cap) {
        if (in->stack != in->room) free(in->stack);
        in->stack = mem_calloc(count + OP_PUSHES_MOST, sizeof(*in->stack));
        in->cap = count + OP_PUSHES_MOST;
    }
    in->count = 0;
    in->alt_count = 0;
    for (size_t i = 0; i < count; i++) stack_push(in, items[i]);
}

bool bytes_are_true(struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i]) return !(i == bytes.len - 1 && bytes.data[i] == 0x80);
    return false;
}

/* One instruction that has been read; TAKEN: no enclosing branch is skipped. */
static enum script_error interp_step(struct interp *in, uint8_t opcode, bool taken)
{
    if (in->push.len > MAX_SCRIPT_ELEMENT_SIZE) return SCRIPT_ERR_PUSH_SIZE;
    if (opcode <= OP_PUSHDATA4) {
        if (!taken) return SCRIPT_ERR_OK;
        if (in->flags & SCRIPT_VERIFY_MINIMALDATA && !push_is_minimal(in->push, opcode)) return SCRIPT_ERR_MINIMALDATA;
        stack_push(in, in->push);
        return SCRIPT_ERR_OK;
    }
    const struct op_row *row = op_row_of(opcode);
    if (opcode > OP_16 && in->version != SIG_TAPSCRIPT && ++in->op_count > MAX_OPS_PER_SCRIPT)
        return SCRIPT_ERR_OP_COUNT;
    if (row->flags & ROW_DISABLED) return SCRIPT_ERR_DISABLED_OPCODE;
    if (opcode == OP_CODESEPARATOR && in->version == SIG_BASE && in->flags & SCRIPT_VERIFY_CONST_SCRIPTCODE)
        return SCRIPT_ERR_OP_CODESEPARATOR;
    if (!taken && !(row->flags & ROW_ALWAYS)) return SCRIPT_ERR_OK;
    return row->run ? row->run(in, opcode) : SCRIPT_ERR_BAD_OPCODE;
}

enum script_error interp_run(struct interp *in, struct span script, enum sig_version version)
{
    in->version = version;
    in->script = script;
    in->pos = 0;
    in->code_start = 0;
    in->op_index = 0;
    in->op_count = 0;
    in->if_depth = 0;
    in->if_skipped = 0;
    in->alt_count = 0;
    in->taproot.codesep_pos = UINT32_MAX;
    if (version != SIG_TAPSCRIPT && script.len > MAX_SCRIPT_SIZE) return SCRIPT_ERR_SCRIPT_SIZE;
    for (; in->pos < script.len; in->op_index++) {
        uint8_t opcode;
        if (!script_step(script, &in->pos, &opcode, &in->push)) return SCRIPT_ERR_BAD_OPCODE;
        enum script_error e = interp_step(in, opcode, in->if_skipped == 0);
        if (e != SCRIPT_ERR_OK) return e;
        if (in->count + in->alt_count > MAX_STACK_SIZE) return SCRIPT_ERR_STACK_SIZE;
    }
    return in->if_depth ? SCRIPT_ERR_UNBALANCED_CONDITIONAL : SCRIPT_ERR_OK;
}
