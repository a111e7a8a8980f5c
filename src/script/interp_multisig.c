/* Opcodes: OP_CHECKMULTISIG and OP_CHECKMULTISIGVERIFY. */
#include "script/interp.h"

/* Where the operands lie, as depths below the top: n, n keys, m, m signatures, and the dummy that a bug of the first
 * version consumes. */
struct multisig {
    size_t keys;
    size_t sigs;
    size_t first_key;
    size_t first_sig;
    size_t dummy;
};

static enum script_error multisig_layout(struct interp *in, struct multisig *m)
{
    int64_t keys, sigs;
    if (in->count < 1) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    if (!stack_number(in, 0, 4, &keys)) return SCRIPT_ERR_SCRIPTNUM;
    if (keys < 0 || keys > MAX_PUBKEYS_PER_MULTISIG) return SCRIPT_ERR_PUBKEY_COUNT;
    in->op_count += (int)keys;
    if (in->op_count > MAX_OPS_PER_SCRIPT) return SCRIPT_ERR_OP_COUNT;
    m->keys = (size_t)keys;
    m->first_key = 1;
    if (in->count < m->keys + 2) return SCRIPT_ERR_INVALID_STACK_OPERATION;
    if (!stack_number(in, m->keys + 1, 4, &sigs)) return SCRIPT_ERR_SCRIPTNUM;
    if (sigs < 0 || sigs > keys) return SCRIPT_ERR_SIG_COUNT;
    m->sigs = (size_t)sigs;
    m->first_sig = m->keys + 2;
    m->dummy = m->first_sig + m->sigs;
    return in->count <= m->dummy ? SCRIPT_ERR_INVALID_STACK_OPERATION : SCRIPT_ERR_OK;
}

/* The script code that is signed: legacy signatures are taken out of it. */
static enum script_error multisig_code(struct interp *in, const struct multisig *m, struct span *code)
{
    *code = span_from(in->script, in->code_start);
    if (in->version != SIG_BASE) return SCRIPT_ERR_OK;
    for (size_t i = 0; i < m->sigs; i++)
        if (find_and_delete(code, *code, stack_span(in, m->first_sig + i), &in->arena) &&
            in->flags & SCRIPT_VERIFY_CONST_SCRIPTCODE)
            return SCRIPT_ERR_SIG_FINDANDDELETE;
    return SCRIPT_ERR_OK;
}

/* Signatures must come in the order of their keys: each is tried against the keys that are left, from the top of the
 * stack down, until more signatures than keys remain. */
static enum script_error multisig_check(struct interp *in, const struct multisig *m, struct span code, bool *valid)
{
    size_t sig = 0, key = 0;
    *valid = true;
    while (*valid && sig < m->sigs) {
        struct span s = stack_span(in, m->first_sig + sig);
        struct span k = stack_span(in, m->first_key + key);
        enum script_error e = check_signature_encoding(s, in->flags);
        if (e == SCRIPT_ERR_OK) e = check_pubkey_encoding(k, in->flags, in->version);
        if (e != SCRIPT_ERR_OK) return e;
        if (check_ecdsa(in, s, k, code)) sig++;
        key++;
        if (m->sigs - sig > m->keys - key) *valid = false;
    }
    return SCRIPT_ERR_OK;
}

static bool multisig_sigs_are_empty(struct interp *in, const struct multisig *m)
{
    for (size_t i = 0; i < m->sigs; i++)
        if (stack_at(in, m->first_sig + i)->len) return false;
    return true;
}

enum script_error op_checkmultisig(struct interp *in, uint8_t opcode)
{
    if (in->version == SIG_TAPSCRIPT) return SCRIPT_ERR_TAPSCRIPT_CHECKMULTISIG;
    struct multisig m;
    enum script_error e = multisig_layout(in, &m);
    if (e != SCRIPT_ERR_OK) return e;
    struct span code;
    e = multisig_code(in, &m, &code);
    if (e != SCRIPT_ERR_OK) return e;
    bool valid;
    e = multisig_check(in, &m, code, &valid);
    if (e != SCRIPT_ERR_OK) return e;
    if (!valid && in->flags & SCRIPT_VERIFY_NULLFAIL && !multisig_sigs_are_empty(in, &m))
        return SCRIPT_ERR_SIG_NULLFAIL;
    if (in->flags & SCRIPT_VERIFY_NULLDUMMY && stack_at(in, m.dummy)->len) return SCRIPT_ERR_SIG_NULLDUMMY;
    if (opcode == OP_CHECKMULTISIGVERIFY && !valid) return SCRIPT_ERR_CHECKMULTISIGVERIFY;
    in->count -= m.dummy + 1;
    if (opcode == OP_CHECKMULTISIG) stack_push_bool(in, valid);
    return SCRIPT_ERR_OK;
}
