/* Signature operations that scripts and transactions may run, as consensus counts them (BIP16, BIP141). */
#include "base/check.h"
#include "primitives/block.h"
#include "script/script.h"
#include "script/verify.h"

unsigned script_sigops(struct span script, bool accurate)
{
    unsigned n = 0;
    size_t pos = 0;
    uint8_t opcode, last = OP_INVALIDOPCODE;
    struct span data;
    while (script_next(script, &pos, &opcode, &data)) {
        if (opcode == OP_CHECKSIG || opcode == OP_CHECKSIGVERIFY)
            n++;
        else if (opcode == OP_CHECKMULTISIG || opcode == OP_CHECKMULTISIGVERIFY)
            n += accurate && last >= OP_1 && last <= OP_16 ? last - (unsigned)(OP_1 - 1) : MAX_PUBKEYS_PER_MULTISIG;
        last = opcode;
    }
    return n;
}

/* What the last instruction of SCRIPT_SIG pushes; false where it is not all pushes. */
static bool last_push(struct span script_sig, struct span *out)
{
    size_t pos = 0;
    uint8_t opcode;
    *out = span_of(NULL, 0);
    while (pos < script_sig.len)
        if (!script_next(script_sig, &pos, &opcode, out) || opcode > OP_16) return false;
    return true;
}

unsigned script_p2sh_sigops(struct span script_pubkey, struct span script_sig)
{
    struct span redeem;
    if (!script_is_p2sh(script_pubkey) || !last_push(script_sig, &redeem)) return 0;
    return script_sigops(redeem, true);
}

static unsigned program_sigops(int version, struct span program, const struct witness *witness)
{
    if (version != 0) return 0;
    if (program.len == 20) return 1;
    if (program.len == 32 && witness->count > 0) return script_sigops(witness->items[witness->count - 1], true);
    return 0;
}

unsigned script_witness_sigops(struct span script_sig, struct span script_pubkey, const struct witness *witness,
                               unsigned flags)
{
    if (!(flags & SCRIPT_VERIFY_WITNESS)) return 0;
    CHECK(flags & SCRIPT_VERIFY_P2SH);
    int version;
    struct span program, redeem;
    if (script_witness_program(script_pubkey, &version, &program)) return program_sigops(version, program, witness);
    if (script_is_p2sh(script_pubkey) && last_push(script_sig, &redeem) &&
        script_witness_program(redeem, &version, &program))
        return program_sigops(version, program, witness);
    return 0;
}

unsigned tx_legacy_sigops(const struct tx *tx)
{
    unsigned n = 0;
    for (size_t i = 0; i < tx->in_count; i++) n += script_sigops(tx->in[i].script_sig, false);
    for (size_t i = 0; i < tx->out_count; i++) n += script_sigops(tx->out[i].script_pubkey, false);
    return n;
}

uint64_t tx_sigop_cost(const struct tx *tx, const struct tx_out *spent, unsigned flags)
{
    uint64_t cost = (uint64_t)tx_legacy_sigops(tx) * WITNESS_SCALE_FACTOR;
    if (tx_is_coinbase(tx)) return cost;
    for (size_t i = 0; i < tx->in_count; i++) {
        const struct tx_in *in = &tx->in[i];
        struct span script_pubkey = spent[i].script_pubkey;
        if (flags & SCRIPT_VERIFY_P2SH)
            cost += (uint64_t)script_p2sh_sigops(script_pubkey, in->script_sig) * WITNESS_SCALE_FACTOR;
        cost += script_witness_sigops(in->script_sig, script_pubkey, &in->witness, flags);
    }
    return cost;
}
