/* Inputs and their witnesses: standard or not. */
#include <stdlib.h>

#include "base/alloc.h"
#include "policy/standard.h"
#include "script/interp.h"
#include "script/script.h"
#include "script/standard.h"

/* The redeem script, which SCRIPT_SIG (pushes alone) leaves on top of its stack. False with the error where it fails;
 * *MISSING where it pushes nothing. The script points into SCRIPT_SIG or, where it is no longer than a number, to
 * SMALL. */
static bool redeem_script(struct span script_sig, struct span *out, uint8_t small[ELEMENT_SMALL], bool *missing,
                          enum script_error *why)
{
    struct interp *in = mem_alloc(sizeof(*in));
    interp_init(in, NULL, 0, 0, SCRIPT_VERIFY_NONE, NULL);
    interp_set_stack(in, NULL, 0);
    *why = interp_run(in, script_sig, SIG_BASE);
    *missing = in->count == 0;
    if (*why == SCRIPT_ERR_OK && !*missing) {
        const struct element *top = &in->stack[in->count - 1];
        if (!top->data) memcpy(small, top->small, top->len);
        *out = span_of(top->data ? top->data : small, top->len);
    }
    interp_clear(in);
    free(in);
    return *why == SCRIPT_ERR_OK;
}

/* BIP54: those that are executed when this transaction is, not when its outputs are spent. */
static bool legacy_sigops_fit(const struct tx *tx, const struct tx_out *spent)
{
    uint64_t sigops = 0;
    for (size_t i = 0; i < tx->in_count; i++) {
        struct span script = spent[i].script_pubkey, sig = tx->in[i].script_sig;
        sigops += script_sigops(sig, true);
        sigops += script_is_p2sh(script) ? script_p2sh_sigops(script, sig) : script_sigops(script, true);
        if (sigops > STANDARD_LEGACY_SIGOPS) return false;
    }
    return true;
}

#define REFUSE_INPUTS(V, ...) verdict_fail((V), VERDICT_INPUTS_NOT_STANDARD, "bad-txns-nonstandard-inputs", __VA_ARGS__)

static bool check_p2sh(struct span script_sig, size_t index, struct verdict *v)
{
    struct span redeem;
    uint8_t small[ELEMENT_SMALL];
    bool missing;
    enum script_error why;
    if (!redeem_script(script_sig, &redeem, small, &missing, &why))
        return REFUSE_INPUTS(v, "p2sh scriptsig malformed (input %zu: %s)", index, script_error_text(why));
    if (missing) return REFUSE_INPUTS(v, "input %zu P2SH redeemscript missing", index);
    unsigned sigops = script_sigops(redeem, true);
    if (sigops > STANDARD_P2SH_SIGOPS)
        return REFUSE_INPUTS(v, "p2sh redeemscript sigops exceed limit (input %zu: %u > %u)", index, sigops,
                             (unsigned)STANDARD_P2SH_SIGOPS);
    return true;
}

bool standard_inputs(const struct tx *tx, const struct tx_out *spent, struct verdict *v)
{
    if (!legacy_sigops_fit(tx, spent)) return REFUSE_INPUTS(v, "non-witness sigops exceed bip54 limit");
    for (size_t i = 0; i < tx->in_count; i++) {
        struct script_solution s;
        script_solve(&s, spent[i].script_pubkey);
        if (s.kind == SCRIPT_NONSTANDARD) return REFUSE_INPUTS(v, "input %zu script unknown", i);
        if (s.kind == SCRIPT_WITNESS_UNKNOWN) return REFUSE_INPUTS(v, "input %zu witness program is undefined", i);
        if (s.kind == SCRIPT_SCRIPTHASH && !check_p2sh(tx->in[i].script_sig, i, v)) return false;
    }
    return true;
}

/* ---- witnesses ---- */

static bool p2wsh_is_standard(const struct witness *w)
{
    if (w->items[w->count - 1].len > STANDARD_P2WSH_SCRIPT || w->count - 1 > STANDARD_P2WSH_ITEMS) return false;
    for (size_t i = 0; i + 1 < w->count; i++)
        if (w->items[i].len > STANDARD_P2WSH_ITEM) return false;
    return true;
}

/* No annex; and in a script of version 0xc0 no large items. */
static bool taproot_is_standard(const struct witness *w)
{
    enum { ANNEX = 0x50, LEAF_MASK = 0xfe, TAPSCRIPT = 0xc0 };
    struct span last = w->items[w->count - 1];
    if (w->count < 2) return true; /* by key */
    if (last.len && last.data[0] == ANNEX) return false;
    if (!last.len) return false; /* no control block */
    if ((last.data[0] & LEAF_MASK) != TAPSCRIPT) return true;
    for (size_t i = 0; i + 2 < w->count; i++)
        if (w->items[i].len > STANDARD_TAPSCRIPT_ITEM) return false;
    return true;
}

static bool witness_is_standard(const struct tx_in *in, struct span script)
{
    uint8_t small[ELEMENT_SMALL];
    struct span program;
    int version;
    bool p2sh = script_is_p2sh(script), missing;
    enum script_error why;
    if (script_is_p2a(script)) return false;
    if (p2sh && (!redeem_script(in->script_sig, &script, small, &missing, &why) || missing)) return false;
    if (!script_witness_program(script, &version, &program)) return false;
    if (version == 0 && program.len == 32) return p2wsh_is_standard(&in->witness);
    if (version == 1 && program.len == 32 && !p2sh) return taproot_is_standard(&in->witness);
    return true;
}

bool standard_witness(const struct tx *tx, const struct tx_out *spent)
{
    for (size_t i = 0; i < tx->in_count; i++)
        if (tx->in[i].witness.count && !witness_is_standard(&tx->in[i], spent[i].script_pubkey)) return false;
    return true;
}

bool spends_witness_program(const struct tx *tx, const struct tx_out *spent)
{
    for (size_t i = 0; i < tx->in_count; i++) {
        uint8_t small[ELEMENT_SMALL];
        struct span script = spent[i].script_pubkey, program;
        int version;
        bool missing;
        enum script_error why;
        if (script_witness_program(script, &version, &program) && !script_is_p2a(script)) return true;
        if (!script_is_p2sh(script)) continue;
        if (!redeem_script(tx->in[i].script_sig, &script, small, &missing, &why) || missing) continue;
        if (script_witness_program(script, &version, &program)) return true;
    }
    return false;
}
