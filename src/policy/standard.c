/* Transactions and their outputs: standard or not. */
#include "policy/standard.h"

#include "primitives/compact_size.h"
#include "script/standard.h"

struct standard_rules standard_rules_default(void)
{
    return (struct standard_rules){.dust = {DUST_FEE_DEFAULT},
                                   .data_carrier_bytes = DATA_CARRIER_DEFAULT,
                                   .bare_multisig = true,
                                   .bytes_per_sigop = BYTES_PER_SIGOP_DEFAULT};
}

/* ---- dust ---- */

amount_sat dust_threshold(const struct tx_out *out, struct fee_rate dust)
{
    /* An input that spends it: outpoint, length, sequence, and the signature and key of a key hash, which count a
     * quarter in a witness. */
    enum { INPUT = 32 + 4 + 1 + 4, SIGNATURE_AND_KEY = 107 };
    int version;
    struct span program;
    if (script_is_unspendable(out->script_pubkey)) return 0;
    bool witness = script_witness_program(out->script_pubkey, &version, &program);
    size_t size = 8 + compact_size_len(out->script_pubkey.len) + out->script_pubkey.len;
    size += INPUT + (witness ? SIGNATURE_AND_KEY / 4 : SIGNATURE_AND_KEY);
    return fee_rate_fee(dust, size);
}

size_t count_dust(const struct tx *tx, struct fee_rate dust, size_t *first)
{
    size_t count = 0;
    for (size_t i = 0; i < tx->out_count; i++) {
        if (tx->out[i].value >= dust_threshold(&tx->out[i], dust)) continue;
        if (!count++ && first) *first = i;
    }
    return count;
}

/* ---- sizes ---- */

uint64_t sigop_adjusted_weight(uint64_t weight, uint64_t sigop_cost, unsigned bytes_per_sigop)
{
    uint64_t least = sigop_cost * bytes_per_sigop;
    return weight > least ? weight : least;
}

uint64_t policy_vsize(uint64_t weight, uint64_t sigop_cost, unsigned bytes_per_sigop)
{
    return (sigop_adjusted_weight(weight, sigop_cost, bytes_per_sigop) + 3) / 4;
}

/* ---- the transaction by itself ---- */

static bool refuse(struct verdict *v, const char *reason)
{
    return verdict_fail(v, VERDICT_NOT_STANDARD, reason, "%s", "");
}

static bool check_script_sigs(const struct tx *tx, struct verdict *v)
{
    for (size_t i = 0; i < tx->in_count; i++) {
        if (tx->in[i].script_sig.len > STANDARD_SCRIPT_SIG) return refuse(v, "scriptsig-size");
        if (!script_is_push_only(tx->in[i].script_sig)) return refuse(v, "scriptsig-not-pushonly");
    }
    return true;
}

/* At most 3 keys, and at least one signature. */
static bool multisig_is_standard(const struct script_solution *s)
{
    size_t keys = s->data_count;
    return keys >= 1 && keys <= 3 && s->required >= 1 && (size_t)s->required <= keys;
}

static bool check_outputs(const struct tx *tx, const struct standard_rules *rules, struct verdict *v)
{
    uint64_t data_left = rules->data_carrier_bytes;
    for (size_t i = 0; i < tx->out_count; i++) {
        struct span script = tx->out[i].script_pubkey;
        struct script_solution s;
        script_solve(&s, script);
        if (s.kind == SCRIPT_NONSTANDARD || (s.kind == SCRIPT_MULTISIG && !multisig_is_standard(&s)))
            return refuse(v, "scriptpubkey");
        if (s.kind == SCRIPT_NULLDATA) {
            if (script.len > data_left) return refuse(v, "datacarrier");
            data_left -= script.len;
        } else if (s.kind == SCRIPT_MULTISIG && !rules->bare_multisig) {
            return refuse(v, "bare-multisig");
        }
    }
    return true;
}

bool standard_tx(const struct tx *tx, const struct standard_rules *rules, struct verdict *v)
{
    /* Unsigned on the wire: a version with the highest bit is a large one. */
    if ((uint32_t)tx->version > STANDARD_VERSION_MAX || tx->version < STANDARD_VERSION_MIN) return refuse(v, "version");
    if (tx_weight(tx) > STANDARD_TX_WEIGHT) return refuse(v, "tx-size");
    if (!check_script_sigs(tx, v) || !check_outputs(tx, rules, v)) return false;
    if (count_dust(tx, rules->dust, NULL) > STANDARD_DUST_OUTPUTS) return refuse(v, "dust");
    return true;
}
