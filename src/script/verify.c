/* Script verification: scriptSig, scriptPubKey, P2SH (BIP16) and the rules about the stack that they leave. */
#include "script/verify.h"

#include "crypto/ripemd160.h"
#include "script/verify_witness.h"

/* True where SCRIPT is one direct push of 2 to 75 bytes from *POS on: minimal whatever the bytes are. */
static bool take_direct_push(struct span script, size_t *pos, struct span *data)
{
    if (*pos >= script.len) return false;
    size_t len = script.data[*pos];
    if (len < 2 || len >= OP_PUSHDATA1 || script.len - *pos - 1 < len) return false;
    *data = span_of(script.data + *pos + 1, len);
    *pos += 1 + len;
    return true;
}

/* Pay to public key hash, spent by two plain pushes: what the interpreter would do, without its machine. False where
 * this is something else. Every rule about pushes, sizes and the clean stack holds for this shape by itself. */
static bool verify_p2pkh(struct interp *in, struct span script_sig, struct span script_pubkey,
                         const struct witness *witness, enum script_error *result)
{
    const uint8_t *p = script_pubkey.data;
    if (script_pubkey.len != 25 || p[0] != OP_DUP || p[1] != OP_HASH160 || p[2] != 20 || p[23] != OP_EQUALVERIFY ||
        p[24] != OP_CHECKSIG)
        return false;
    size_t pos = 0;
    struct span sig, key;
    if (!take_direct_push(script_sig, &pos, &sig) || !take_direct_push(script_sig, &pos, &key) || pos != script_sig.len)
        return false;
    uint8_t hash[20];
    hash160(hash, key.data, key.len);
    *result = SCRIPT_ERR_EQUALVERIFY;
    if (memcmp(hash, p + 3, 20)) return true;
    bool valid;
    in->version = SIG_BASE;
    in->script = script_pubkey;
    in->code_start = 0;
    *result = eval_checksig(in, sig, key, &valid);
    if (*result != SCRIPT_ERR_OK) return true;
    if (!valid)
        *result = SCRIPT_ERR_EVAL_FALSE;
    else if (in->flags & SCRIPT_VERIFY_WITNESS && witness->count)
        *result = SCRIPT_ERR_WITNESS_UNEXPECTED;
    return true;
}

static bool stack_is_true(struct interp *in)
{
    return in->count > 0 && bytes_are_true(stack_span(in, 0));
}

/* A witness program inside P2SH: the scriptSig must be exactly one push of it. */
static bool is_only_push_of(struct span script_sig, struct span redeem)
{
    return script_sig.len == redeem.len + 1 && script_sig.data[0] == redeem.len &&
           memcmp(script_sig.data + 1, redeem.data, redeem.len) == 0;
}

static enum script_error verify_p2sh(struct interp *in, struct span script_sig, const struct element *top,
                                     const struct witness *witness, bool fast, bool *had_witness)
{
    if (!script_is_push_only(script_sig)) return SCRIPT_ERR_SIG_PUSHONLY;
    /* The scriptPubKey replaced the redeem script by its own result; all below it is as the scriptSig left it. */
    struct span redeem = element_span(top);
    in->count--;
    enum script_error e = interp_run(in, redeem, SIG_BASE);
    if (e != SCRIPT_ERR_OK) return e;
    if (!stack_is_true(in)) return SCRIPT_ERR_EVAL_FALSE;
    int version;
    struct span program;
    if (!(in->flags & SCRIPT_VERIFY_WITNESS) || !script_witness_program(redeem, &version, &program))
        return SCRIPT_ERR_OK;
    *had_witness = true;
    if (!is_only_push_of(script_sig, redeem)) return SCRIPT_ERR_WITNESS_MALLEATED_P2SH;
    return verify_witness_program(in, witness, version, program, true, fast);
}

/* The scriptPubKey's part once both scripts ran and left a true value. */
static enum script_error verify_templates(struct interp *in, struct span script_sig, struct span script_pubkey,
                                          const struct element *top, const struct witness *witness, bool fast)
{
    bool had_witness = false;
    int version;
    struct span program;
    enum script_error e = SCRIPT_ERR_OK;
    if (in->flags & SCRIPT_VERIFY_WITNESS && script_witness_program(script_pubkey, &version, &program)) {
        had_witness = true;
        if (script_sig.len) return SCRIPT_ERR_WITNESS_MALLEATED;
        e = verify_witness_program(in, witness, version, program, false, fast);
    } else if (in->flags & SCRIPT_VERIFY_P2SH && script_is_p2sh(script_pubkey)) {
        e = verify_p2sh(in, script_sig, top, witness, fast, &had_witness);
    }
    if (e != SCRIPT_ERR_OK) return e;
    /* A witness program has its own clean stack rule. */
    if (in->flags & SCRIPT_VERIFY_CLEANSTACK && !had_witness && in->count != 1) return SCRIPT_ERR_CLEANSTACK;
    if (in->flags & SCRIPT_VERIFY_WITNESS && !had_witness && witness->count) return SCRIPT_ERR_WITNESS_UNEXPECTED;
    return SCRIPT_ERR_OK;
}

static enum script_error verify_scripts(struct interp *in, struct span script_sig, struct span script_pubkey,
                                        const struct witness *witness, bool fast)
{
    enum script_error e;
    if (fast && verify_p2pkh(in, script_sig, script_pubkey, witness, &e)) return e;
    if (in->flags & SCRIPT_VERIFY_SIGPUSHONLY && !script_is_push_only(script_sig)) return SCRIPT_ERR_SIG_PUSHONLY;
    e = interp_run(in, script_sig, SIG_BASE);
    if (e != SCRIPT_ERR_OK) return e;
    struct element top = {0};
    if (in->count && script_is_p2sh(script_pubkey)) top = *stack_at(in, 0);
    e = interp_run(in, script_pubkey, SIG_BASE);
    if (e != SCRIPT_ERR_OK) return e;
    if (!stack_is_true(in)) return SCRIPT_ERR_EVAL_FALSE;
    return verify_templates(in, script_sig, script_pubkey, &top, witness, fast);
}

static enum script_error verify(struct span script_sig, struct span script_pubkey, const struct witness *witness,
                                const struct script_tx *t, size_t index, amount_sat amount, unsigned flags,
                                const struct sig_verifier *verifier, bool fast)
{
    static const struct witness none;
    CHECK(index < t->tx->in_count);
    /* Otherwise adding P2SH to the flags could make an invalid spend valid. */
    CHECK(!(flags & SCRIPT_VERIFY_WITNESS) || flags & SCRIPT_VERIFY_P2SH);
    CHECK(!(flags & SCRIPT_VERIFY_CLEANSTACK) || flags & SCRIPT_VERIFY_WITNESS);
    struct interp in;
    interp_init(&in, t, index, amount, flags, verifier);
    enum script_error e = verify_scripts(&in, script_sig, script_pubkey, witness ? witness : &none, fast);
    interp_clear(&in);
    return e;
}

enum script_error script_verify(struct span script_sig, struct span script_pubkey, const struct witness *witness,
                                const struct script_tx *t, size_t index, amount_sat amount, unsigned flags,
                                const struct sig_verifier *verifier)
{
    return verify(script_sig, script_pubkey, witness, t, index, amount, flags, verifier, true);
}

enum script_error script_verify_plain(struct span script_sig, struct span script_pubkey, const struct witness *witness,
                                      const struct script_tx *t, size_t index, amount_sat amount, unsigned flags,
                                      const struct sig_verifier *verifier)
{
    return verify(script_sig, script_pubkey, witness, t, index, amount, flags, verifier, false);
}

enum script_error script_verify_input(const struct script_tx *t, size_t index, unsigned flags,
                                      const struct sig_verifier *verifier)
{
    CHECK(index < t->tx->in_count && t->spent);
    const struct tx_in *in = &t->tx->in[index];
    const struct tx_out *spent = &t->spent[index];
    return script_verify(in->script_sig, spent->script_pubkey, &in->witness, t, index, spent->value, flags, verifier);
}
