/* Opcodes: small numbers, no-operations, branches, OP_VERIFY and OP_RETURN, lock times (BIP65, BIP112). */
#include "script/interp.h"

enum { LOCKTIME_BYTES = 5 }; /* a lock time operand may exceed the 4 bytes of other numbers */

#define SEQUENCE_DISABLE   (INT64_C(1) << 31) /* BIP68: no relative lock time */
#define SEQUENCE_TYPE_TIME (INT64_C(1) << 22) /* units of 512 seconds, not blocks */
#define SEQUENCE_VALUE     INT64_C(0xffff)

enum script_error op_number(struct interp *in, uint8_t opcode)
{
    stack_push_number(in, (int)opcode - (OP_1 - 1));
    return SCRIPT_ERR_OK;
}

enum script_error op_nop(struct interp *in, uint8_t opcode)
{
    (void)in;
    (void)opcode;
    return SCRIPT_ERR_OK;
}

enum script_error op_upgradable_nop(struct interp *in, uint8_t opcode)
{
    (void)opcode;
    return in->flags & SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_NOPS ? SCRIPT_ERR_DISCOURAGE_UPGRADABLE_NOPS : SCRIPT_ERR_OK;
}

static void if_open(struct interp *in, bool taken)
{
    in->if_depth++;
    if (!taken && !in->if_skipped) in->if_skipped = in->if_depth;
}

enum script_error op_if(struct interp *in, uint8_t opcode)
{
    if (in->if_skipped) {
        if_open(in, false);
        return SCRIPT_ERR_OK;
    }
    if (in->count < 1) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    struct span top = stack_span(in, 0);
    bool minimal = top.len == 0 || (top.len == 1 && top.data[0] == 1);
    if (in->version == SIG_TAPSCRIPT && !minimal) return SCRIPT_ERR_TAPSCRIPT_MINIMALIF;
    if (in->version == SIG_WITNESS_V0 && in->flags & SCRIPT_VERIFY_MINIMALIF && !minimal) return SCRIPT_ERR_MINIMALIF;
    bool value = bytes_are_true(top);
    in->count--;
    if_open(in, opcode == OP_NOTIF ? !value : value);
    return SCRIPT_ERR_OK;
}

enum script_error op_else(struct interp *in, uint8_t opcode)
{
    (void)opcode;
    if (in->if_depth == 0) return SCRIPT_ERR_UNBALANCED_CONDITIONAL;
    if (in->if_skipped == 0)
        in->if_skipped = in->if_depth;
    else if (in->if_skipped == in->if_depth)
        in->if_skipped = 0;
    return SCRIPT_ERR_OK;
}

enum script_error op_endif(struct interp *in, uint8_t opcode)
{
    (void)opcode;
    if (in->if_depth == 0) return SCRIPT_ERR_UNBALANCED_CONDITIONAL;
    if (in->if_skipped == in->if_depth) in->if_skipped = 0;
    in->if_depth--;
    return SCRIPT_ERR_OK;
}

enum script_error op_verify(struct interp *in, uint8_t opcode)
{
    (void)opcode;
    if (in->count < 1) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    if (!bytes_are_true(stack_span(in, 0))) return SCRIPT_ERR_VERIFY;
    in->count--;
    return SCRIPT_ERR_OK;
}

enum script_error op_return(struct interp *in, uint8_t opcode)
{
    (void)in;
    (void)opcode;
    return SCRIPT_ERR_OP_RETURN;
}

enum script_error op_locktime(struct interp *in, uint8_t opcode)
{
    (void)opcode;
    if (!(in->flags & SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY)) return SCRIPT_ERR_OK;
    if (in->count < 1) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    int64_t want;
    if (!stack_number(in, 0, LOCKTIME_BYTES, &want)) return SCRIPT_ERR_SCRIPTNUM;
    if (want < 0) return SCRIPT_ERR_NEGATIVE_LOCKTIME;
    const struct tx *tx = in->t->tx;
    int64_t have = tx->lock_time;
    bool same_kind = (want < LOCKTIME_THRESHOLD) == (have < LOCKTIME_THRESHOLD);
    /* A final sequence number would switch the transaction's lock time off. */
    if (!same_kind || want > have || tx->in[in->index].sequence == SEQUENCE_FINAL)
        return SCRIPT_ERR_UNSATISFIED_LOCKTIME;
    return SCRIPT_ERR_OK;
}

enum script_error op_sequence(struct interp *in, uint8_t opcode)
{
    (void)opcode;
    if (!(in->flags & SCRIPT_VERIFY_CHECKSEQUENCEVERIFY)) return SCRIPT_ERR_OK;
    if (in->count < 1) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    int64_t want;
    if (!stack_number(in, 0, LOCKTIME_BYTES, &want)) return SCRIPT_ERR_SCRIPTNUM;
    if (want < 0) return SCRIPT_ERR_NEGATIVE_LOCKTIME;
    if (want & SEQUENCE_DISABLE) return SCRIPT_ERR_OK;
    const struct tx *tx = in->t->tx;
    int64_t have = tx->in[in->index].sequence;
    /* BIP68 compares the version as an unsigned number. */
    if ((uint32_t)tx->version < 2 || have & SEQUENCE_DISABLE) return SCRIPT_ERR_UNSATISFIED_LOCKTIME;
    want &= SEQUENCE_TYPE_TIME | SEQUENCE_VALUE;
    have &= SEQUENCE_TYPE_TIME | SEQUENCE_VALUE;
    bool same_kind = (want < SEQUENCE_TYPE_TIME) == (have < SEQUENCE_TYPE_TIME);
    return same_kind && want <= have ? SCRIPT_ERR_OK : SCRIPT_ERR_UNSATISFIED_LOCKTIME;
}
