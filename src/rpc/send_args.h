/* Arguments that the methods have in common which send transactions. */
#ifndef CAIRN_RPC_SEND_ARGS_H
#define CAIRN_RPC_SEND_ARGS_H

#include "policy/fee_rate.h"
#include "primitives/tx.h"
#include "rpc/call.h"

/* Satoshis per 1000 virtual bytes of the argument maxfeerate; 0: any will do. */
struct fee_rate send_arg_max_rate(struct rpc_call *call, size_t index);

/* Fails the call where more than MAX_BURN goes to an output that nobody can ever spend. */
void send_check_burn(struct rpc_call *call, const struct tx *tx, amount_sat max_burn);

/* An array of transactions in hex; fails the call where they are too many or cannot be read. COUNT of them, in ARENA,
 * also as a list. */
struct send_txs {
    struct tx *txs;
    const struct tx **list;
    size_t count;
};
void send_read_txs(struct rpc_call *call, size_t index, struct arena *arena, struct send_txs *out);

/* In virtual bytes, rounded up; sigops do not count here (BIP141). */
static inline uint64_t send_vsize(const struct tx *tx)
{
    return (tx_weight(tx) + 3) / 4;
}

#define SEND_MAX_FEE_RATE_ARG                                                                                          \
    RPC_ARG("maxfeerate", RPC_AMOUNT, "0.10",                                                                          \
            "Refuse what pays more than this, in coins per 1000 virtual bytes (less than 1); 0: any fee will do.")

#define SEND_MAX_BURN_ARG                                                                                              \
    RPC_ARG("maxburnamount", RPC_AMOUNT, "0.00",                                                                       \
            "Refuse outputs above this, in coins, that nobody can spend (OP_RETURN, broken scripts).")

#endif
