/* A user's transaction: into the pool, and from there to every peer. */
#ifndef CAIRN_NODE_SUBMIT_TX_H
#define CAIRN_NODE_SUBMIT_TX_H

#include "consensus/verdict.h"
#include "node/node.h"

enum submit_tx_kind {
    SUBMIT_TX_SENT,         /* it is in the pool, or was before, and peers are told */
    SUBMIT_TX_CONFIRMED,    /* one of its outputs is unspent in the chain: nothing was done */
    SUBMIT_TX_REFUSED,      /* for VERDICT */
    SUBMIT_TX_FEE_EXCEEDED, /* its fee is above the caller's limit */
};

struct submit_tx {
    enum submit_tx_kind kind;
    struct verdict verdict;
};

/* Judges TX (hashed; copied where it enters), and lets it in unless its fee is above MAX_FEE (0: any fee will do). One
 * that was there is only announced again, with the witness that is there. It counts as unbroadcast until a peer asks
 * for it. The result is our machine's part. */
MUST_USE enum result node_submit_tx(struct node *n, const struct tx *tx, amount_sat max_fee, struct submit_tx *out,
                                    struct error *e);

#endif
