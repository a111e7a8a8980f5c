/* A user's transaction into the pool and to the peers. */
#include "node/submit_tx.h"

#include "p2p/p2p_txs.h"

static enum result is_confirmed(struct node *n, const struct tx *tx, bool *confirmed, struct error *e)
{
    enum result r = RESULT_NOT_FOUND;
    for (size_t i = 0; i < tx->out_count && r == RESULT_NOT_FOUND; i++) {
        struct outpoint at = {.txid = tx->txid, .index = (uint32_t)i};
        struct coin coin;
        r = coins_get(n->chain->coins, &at, &coin, e);
    }
    coins_end_block(n->chain->coins);
    *confirmed = r == RESULT_OK;
    return r == RESULT_NOT_FOUND ? RESULT_OK : r;
}

/* Whether it would be let in, and its fee is within MAX_FEE. */
static enum result try_out(struct node *n, const struct tx *tx, amount_sat max_fee, struct submit_tx *out,
                           struct error *e)
{
    struct mempool_outcome outcome = {0};
    enum result r = mempool_accept(n->mempool, &tx, 1, node_time_s(n), MEMPOOL_TEST, &outcome, e);
    if (r == RESULT_OK) {
        const struct tx_outcome *o = &outcome.txs[0];
        if (o->kind != TX_OUTCOME_ACCEPTED)
            *out = (struct submit_tx){.kind = SUBMIT_TX_REFUSED, .verdict = o->verdict};
        else if (o->fee > max_fee)
            out->kind = SUBMIT_TX_FEE_EXCEEDED;
    }
    mempool_outcome_clear(&outcome);
    return r;
}

static enum result let_in(struct node *n, const struct tx *tx, amount_sat max_fee, struct submit_tx *out,
                          struct error *e)
{
    enum result r = RESULT_OK;
    mempool_set_time(n->mempool, node_time_s(n));
    if (max_fee > 0) r = try_out(n, tx, max_fee, out, e);
    if (r != RESULT_OK || out->kind != SUBMIT_TX_SENT) return r;
    r = mempool_accept_one(n->mempool, tx, node_time_s(n), 0, &out->verdict, e);
    if (r != RESULT_OK) return r;
    if (verdict_ok(&out->verdict))
        mempool_add_unbroadcast(n->mempool, &tx->txid);
    else
        out->kind = SUBMIT_TX_REFUSED;
    return RESULT_OK;
}

enum result node_submit_tx(struct node *n, const struct tx *tx, amount_sat max_fee, struct submit_tx *out,
                           struct error *e)
{
    bool confirmed = false;
    *out = (struct submit_tx){.kind = SUBMIT_TX_SENT};
    enum result r = is_confirmed(n, tx, &confirmed, e);
    if (r != RESULT_OK) return r;
    if (confirmed) {
        out->kind = SUBMIT_TX_CONFIRMED;
        return RESULT_OK;
    }
    struct wtxid wtxid = tx->wtxid;
    const struct mempool_entry *there = mempool_find(n->mempool, &tx->txid);
    if (there) {
        wtxid = there->tx.wtxid;
    } else {
        r = let_in(n, tx, max_fee, out, e);
        if (r != RESULT_OK || out->kind != SUBMIT_TX_SENT) return r;
    }
    if (n->p2p) p2p_relay_tx(n->p2p, &tx->txid, &wtxid);
    return RESULT_OK;
}
