/* Signing all inputs of a transaction, and saying what is wrong with those that stay incomplete. */
#include "script/sign.h"

const char SIGN_MISSING_AMOUNT[] = "Missing amount";

/* All spent outputs as one array, or NULL where one is not known. */
static const struct tx_out *all_spent(const struct tx *tx, const struct tx_out *const *spent, struct arena *arena)
{
    struct tx_out *all = arena_alloc_array(arena, tx->in_count + 1, sizeof *all);
    for (size_t i = 0; i < tx->in_count; i++) {
        if (!spent[i]) return NULL;
        all[i] = *spent[i];
    }
    return all;
}

static const char *input_error(const struct sign_input *in, const struct tx_in *txin, bool complete)
{
    if (in->spent->value == MAX_MONEY_SAT && txin->witness.count) return SIGN_MISSING_AMOUNT;
    if (complete) return NULL;
    enum script_error e = script_verify(txin->script_sig, in->spent->script_pubkey, &txin->witness, in->t, in->index,
                                        in->spent->value, in->flags, NULL);
    switch (e) {
    case SCRIPT_ERR_OK: return NULL;
    case SCRIPT_ERR_INVALID_STACK_OPERATION: return "Unable to sign input, invalid stack size (possibly missing key)";
    case SCRIPT_ERR_SIG_NULLFAIL:
        return "CHECK(MULTI)SIG failing with non-zero signature (possibly need more signatures)";
    default: return script_error_text(e);
    }
}

bool sign_tx(struct tx *tx, const struct tx_out *const *spent, const struct sign_keys *keys, int hash_type,
             unsigned flags, struct arena *arena, const char **errors)
{
    bool single = (hash_type & ~SIGHASH_ANYONECANPAY) == SIGHASH_SINGLE, all_good = true;
    struct script_tx t;
    script_tx_init_all(&t, tx, all_spent(tx, spent, arena));
    for (size_t i = 0; i < tx->in_count; i++) {
        struct tx_in *txin = &tx->in[i];
        struct sign_input in = {.t = &t, .index = i, .spent = spent[i], .flags = flags, .arena = arena};
        struct sign_data data;
        errors[i] = "Input not found or already spent";
        if (spent[i]) {
            sign_data_read(&data, &in, txin->script_sig, &txin->witness);
            /* A signature for an output that is not there would be one for anything. */
            if (!single || i < tx->out_count) sign_data_make(&data, &in, keys, hash_type);
            txin->script_sig = data.script_sig;
            txin->witness = data.witness;
            errors[i] = input_error(&in, txin, data.complete);
        }
        all_good = all_good && !errors[i];
    }
    tx->raw = span_of(NULL, 0);
    tx->has_witness = false;
    for (size_t i = 0; i < tx->in_count; i++) tx->has_witness = tx->has_witness || tx->in[i].witness.count;
    tx_hash(tx);
    return all_good;
}
