/* Rules for one transaction: those without context, and those over the outputs that it spends. */
#include "consensus/tx_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/endian.h"

enum {
    COINBASE_SCRIPT_MIN = 2, /* bytes of the coinbase's scriptSig */
    COINBASE_SCRIPT_MAX = 100,
    FEW_INPUTS = 24, /* up to here every pair of outpoints is compared */
};

static bool consensus_fail(struct verdict *v, const char *reason)
{
    return verdict_fail(v, VERDICT_CONSENSUS, reason, "%s", "");
}

/* An order of outpoints; which one does not matter. */
static int compare_outpoints(const struct outpoint *a, const struct outpoint *b)
{
    int order = memcmp(a->txid.bytes, b->txid.bytes, sizeof(a->txid.bytes));
    if (order != 0) return order;
    return a->index < b->index ? -1 : a->index > b->index;
}

static int compare_outpoint_pointers(const void *a, const void *b)
{
    return compare_outpoints(*(const struct outpoint *const *)a, *(const struct outpoint *const *)b);
}

static bool duplicate_by_pairs(const struct tx *tx)
{
    for (size_t i = 1; i < tx->in_count; i++)
        for (size_t j = 0; j < i; j++)
            if (tx->in[i].prevout.index == tx->in[j].prevout.index &&
                txid_equal(&tx->in[i].prevout.txid, &tx->in[j].prevout.txid))
                return true;
    return false;
}

/* Sorting, unlike hashing, has no bad case that an attacker could choose. */
static bool duplicate_by_sorting(const struct tx *tx)
{
    const struct outpoint **sorted = mem_alloc(tx->in_count * sizeof(*sorted));
    for (size_t i = 0; i < tx->in_count; i++) sorted[i] = &tx->in[i].prevout;
    qsort(sorted, tx->in_count, sizeof(*sorted), compare_outpoint_pointers);
    bool found = false;
    for (size_t i = 1; i < tx->in_count && !found; i++) found = compare_outpoints(sorted[i - 1], sorted[i]) == 0;
    free(sorted);
    return found;
}

static bool check_outputs(const struct tx *tx, struct verdict *v)
{
    amount_sat total = 0;
    for (size_t i = 0; i < tx->out_count; i++) {
        amount_sat value = tx->out[i].value;
        if (value < 0) return consensus_fail(v, "bad-txns-vout-negative");
        if (value > MAX_MONEY_SAT) return consensus_fail(v, "bad-txns-vout-toolarge");
        total += value;
        if (!money_range(total)) return consensus_fail(v, "bad-txns-txouttotal-toolarge");
    }
    return true;
}

bool tx_check(const struct tx *tx, struct verdict *v)
{
    if (tx->in_count == 0) return consensus_fail(v, "bad-txns-vin-empty");
    if (tx->out_count == 0) return consensus_fail(v, "bad-txns-vout-empty");
    if ((uint64_t)tx->base_size * WITNESS_SCALE_FACTOR > MAX_BLOCK_WEIGHT)
        return consensus_fail(v, "bad-txns-oversize");
    if (!check_outputs(tx, v)) return false;
    if (tx->in_count <= FEW_INPUTS ? duplicate_by_pairs(tx) : duplicate_by_sorting(tx))
        return consensus_fail(v, "bad-txns-inputs-duplicate");
    if (tx_is_coinbase(tx)) {
        size_t len = tx->in[0].script_sig.len;
        if (len < COINBASE_SCRIPT_MIN || len > COINBASE_SCRIPT_MAX) return consensus_fail(v, "bad-cb-length");
        return true;
    }
    for (size_t i = 0; i < tx->in_count; i++)
        if (outpoint_is_null(&tx->in[i].prevout)) return consensus_fail(v, "bad-txns-prevout-null");
    return true;
}

static bool sum_inputs(const struct tx *tx, const struct tx_out *spent, const coin_origin *origins, int32_t height,
                       amount_sat *total, struct verdict *v)
{
    *total = 0;
    for (size_t i = 0; i < tx->in_count; i++) {
        int64_t depth = (int64_t)height - coin_height(origins[i]);
        if (coin_is_coinbase(origins[i]) && depth < COINBASE_MATURITY)
            return verdict_fail(v, VERDICT_PREMATURE, "bad-txns-premature-spend-of-coinbase",
                                "tried to spend coinbase at depth %lld", (long long)depth);
        if (!money_range(spent[i].value) || !money_range(*total + spent[i].value))
            return consensus_fail(v, "bad-txns-inputvalues-outofrange");
        *total += spent[i].value;
    }
    return true;
}

bool tx_check_inputs(const struct tx *tx, const struct tx_out *spent, const coin_origin *origins, int32_t height,
                     amount_sat *fee, struct verdict *v)
{
    amount_sat in, out = 0;
    if (!sum_inputs(tx, spent, origins, height, &in, v)) return false;
    for (size_t i = 0; i < tx->out_count; i++) {
        /* Outputs out of range do not get past tx_check. */
        if (!money_range(tx->out[i].value) || !money_range(out + tx->out[i].value))
            return consensus_fail(v, "bad-txns-txouttotal-toolarge");
        out += tx->out[i].value;
    }
    if (in < out) {
        char in_text[AMOUNT_TEXT], out_text[AMOUNT_TEXT];
        return verdict_fail(v, VERDICT_CONSENSUS, "bad-txns-in-belowout", "value in (%s) < value out (%s)",
                            amount_text_short(in_text, in), amount_text_short(out_text, out));
    }
    *fee = in - out;
    return true;
}
