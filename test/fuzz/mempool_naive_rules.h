/* The rules of the naive pool: why a transaction is refused, and what stays when the chain has moved. */
#ifndef CAIRN_TEST_FUZZ_MEMPOOL_NAIVE_RULES_H
#define CAIRN_TEST_FUZZ_MEMPOOL_NAIVE_RULES_H

#include "fuzz/mempool_naive.h"

/* ---- the rules of one transaction ---- */

struct naive_input {
    amount_sat value;
    int32_t height;
    bool coinbase, found;
};

/* From the pool AMONG, or the chain. */
static inline struct naive_input naive_find(const struct naive *n, const struct view *v, const bool *among,
                                            const struct outpoint *at)
{
    for (size_t i = 0; i < n->count; i++) {
        const struct tx *tx = n->all[i].tx;
        if (!among[i] || !txid_equal(&tx->txid, &at->txid)) continue;
        if (at->index >= tx->out_count) return (struct naive_input){0};
        return (struct naive_input){tx->out[at->index].value, v->tip->height + 1, false, true};
    }
    const struct naive_coin *c = hashmap_get(&v->coins, at);
    return c ? (struct naive_input){c->value, c->height, c->coinbase, true} : (struct naive_input){0};
}

static inline bool naive_final(const struct tx *tx, const struct header_node *tip)
{
    bool all_final = true;
    int64_t until = tx->lock_time < 500000000 ? tip->height + 1 : header_median_time(tip);
    for (size_t i = 0; i < tx->in_count; i++) all_final &= tx->in[i].sequence == SEQUENCE_FINAL;
    return tx->lock_time == 0 || tx->lock_time < until || all_final;
}

/* BIP68, for input AT. */
static inline bool naive_locked(const struct tx *tx, size_t at, int32_t coin, const struct header_node *tip)
{
    uint32_t sequence = tx->in[at].sequence, span = sequence & 0xffff;
    if ((uint32_t)tx->version < 2 || sequence >> 31) return false;
    if (!(sequence & 1 << 22)) return coin + (int64_t)span > tip->height + 1;
    return header_median_time(header_ancestor(tip, coin - 1)) + (int64_t)span * 512 > header_median_time(tip);
}

/* Why TX cannot be in the block on the view's tip beside AMONG; "": it can. *FEE where all is found. */
static inline const char *naive_consensus(const struct naive *n, const struct view *v, const bool *among,
                                          const struct tx *tx, amount_sat *fee)
{
    struct naive_input in[8];
    amount_sat sum = 0;
    if (!naive_final(tx, v->tip)) return "non-final";
    for (size_t i = 0; i < tx->in_count; i++) {
        in[i] = naive_find(n, v, among, &tx->in[i].prevout);
        if (!in[i].found) return "bad-txns-inputs-missingorspent";
        sum += in[i].value;
    }
    for (size_t i = 0; i < tx->in_count; i++)
        if (naive_locked(tx, i, in[i].height, v->tip)) return "non-BIP68-final";
    for (size_t i = 0; i < tx->in_count; i++)
        if (in[i].coinbase && v->tip->height + 1 - in[i].height < 100) return "bad-txns-premature-spend-of-coinbase";
    for (size_t i = 0; i < tx->out_count; i++) sum -= tx->out[i].value;
    *fee = sum;
    return sum < 0 ? "bad-txns-in-belowout" : "";
}

/* The outputs that are dust: those of no value (nothing else that is made here is). */
static inline size_t naive_dust(const struct tx *tx)
{
    size_t count = 0;
    for (size_t i = 0; i < tx->out_count; i++) count += tx->out[i].value < 540 && !naive_is_data(&tx->out[i]);
    return count;
}

static inline bool naive_leaves_dust(const struct naive *n, const struct tx *tx)
{
    for (size_t i = 0; i < n->count; i++) {
        const struct tx *parent = n->all[i].tx;
        if (!n->all[i].in_pool || !naive_spends(tx, parent)) continue;
        for (size_t o = 0; o < parent->out_count; o++) {
            bool spent = parent->out[o].value >= 540 || naive_is_data(&parent->out[o]);
            for (size_t k = 0; k < tx->in_count; k++)
                spent |= tx->in[k].prevout.index == o && txid_equal(&tx->in[k].prevout.txid, &parent->txid);
            if (!spent) return true;
        }
    }
    return false;
}

/* Version 3; a sibling that has to go is added to CONFLICTS. */
static inline bool naive_truc(const struct naive *n, const struct tx *tx, bool *conflicts, bool *sibling)
{
    bool pool[NAIVE_TXS] = {0}, up[NAIVE_TXS] = {0}, down[NAIVE_TXS] = {0};
    size_t parents = 0, parent = 0, other = 0;
    naive_pool(n, pool);
    for (size_t i = 0; i < n->count; i++) {
        if (!pool[i] || !naive_spends(tx, n->all[i].tx)) continue;
        if ((n->all[i].tx->version == 3) != (tx->version == 3)) return false;
        parent = i;
        parents++;
    }
    if (tx->version != 3) return true;
    if (naive_vsize(tx) > TRUC_LARGEST || parents > 1) return false;
    if (parents == 0) return true;
    up[parent] = down[parent] = true;
    if (naive_reach(n, up, pool, UP) > 1 || naive_vsize(tx) > TRUC_CHILD_LARGEST) return false;
    size_t family = naive_reach(n, down, pool, DOWN);
    for (size_t i = 0; i < n->count; i++) {
        if (!down[i] || i == parent) continue;
        if (conflicts[i]) return true;
        other = i;
    }
    if (family == 1) return true;
    bool of_other[NAIVE_TXS] = {0};
    of_other[other] = true;
    if (family > 2 || naive_reach(n, of_other, pool, UP) > 2) return false;
    return *sibling = conflicts[other] = true;
}

/* ---- what the pool should say ---- */

/* Why the AT-th, which is not in the pool, is refused; "": it is not. GONE: who leaves for it. MIN_FEE is the pool's.
 * Whether miners gain is not judged here: where *REPLACES, "replacement-failed" is as good as any that would follow. */
static inline const char *naive_judge(const struct naive *n, const struct view *v, size_t at, struct fee_rate min_fee,
                                      bool *gone, bool *replaces, bool *sibling)
{
    const struct tx *tx = n->all[at].tx;
    bool pool[NAIVE_TXS] = {0}, strict = n->options.require_standard;
    amount_sat fee = 0, replaced = 0;
    naive_pool(n, pool);
    *replaces = *sibling = false;
    for (size_t i = 0; i < tx->in_count; i++)
        for (size_t k = 0; k < i; k++)
            if (!memcmp(&tx->in[i].prevout, &tx->in[k].prevout, sizeof(struct outpoint)))
                return "bad-txns-inputs-duplicate";
    if (strict && naive_dust(tx) > 1) return "dust";
    for (size_t i = 0; i < n->count; i++) gone[i] = pool[i] && naive_conflict(tx, n->all[i].tx);
    const char *reason = naive_consensus(n, v, pool, tx, &fee);
    if (reason[0]) return reason;
    amount_sat paid = fee + n->all[at].delta;
    if (strict && naive_dust(tx) && (fee || paid)) return "dust";
    amount_sat least = fee_rate_fee(min_fee, naive_vsize(tx));
    if (least > 0 && paid < least) return "mempool min fee not met";
    if (paid < fee_rate_fee(n->options.min_relay, naive_vsize(tx))) return "min relay fee not met";
    if (!naive_truc(n, tx, gone, sibling)) return "TRUC-violation";
    for (size_t i = 0; i < n->count; i++) *replaces |= gone[i];
    bool above[NAIVE_TXS] = {0}, direct[NAIVE_TXS];
    memcpy(direct, gone, sizeof(direct));
    naive_reach(n, gone, pool, DOWN);
    for (size_t i = 0; i < n->count; i++) {
        if (!gone[i]) continue;
        amount_sat unused = 0;
        (void)naive_consensus(n, v, pool, n->all[i].tx, &unused);
        replaced += unused + n->all[i].delta;
    }
    if (*replaces && paid < replaced + fee_rate_fee(n->options.incremental, naive_vsize(tx)))
        return *sibling ? "insufficient fee (including sibling eviction)" : "insufficient fee";
    for (size_t i = 0; i < n->count; i++) above[i] = pool[i] && naive_spends(tx, n->all[i].tx);
    naive_reach(n, above, pool, UP);
    bool rest[NAIVE_TXS];
    for (size_t i = 0; i < n->count; i++) rest[i] = (pool[i] && !gone[i]) || i == at;
    if (naive_oversized(n, rest, at)) return "too-large-cluster";
    for (size_t i = 0; i < n->count; i++)
        if (above[i] && direct[i]) return "bad-txns-spends-conflicting-tx";
    return strict && naive_leaves_dust(n, tx) ? "missing-ephemeral-spends" : "";
}

/* Of AMONG, only those stay that the next block on the view's tip could have, all together. BACK: those of disconnected
 * blocks, which must be standard to come back. */
static inline void naive_keep_valid(const struct naive *n, const struct view *v, bool *among, const bool *back)
{
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < n->count; i++) {
            amount_sat fee = 0;
            if (!among[i]) continue;
            const struct tx *tx = n->all[i].tx;
            bool good = !naive_consensus(n, v, among, tx, &fee)[0];
            if (back[i] && n->options.require_standard && naive_dust(tx) > 1) good = false;
            if (back[i] && n->options.require_standard && naive_dust(tx) && (fee || fee + n->all[i].delta))
                good = false;
            if (good) continue;
            among[i] = false;
            more = true;
        }
    }
}

#endif
