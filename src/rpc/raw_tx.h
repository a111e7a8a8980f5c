/* What the methods that make, combine and sign raw transactions share. */
#ifndef CAIRN_RPC_RAW_TX_H
#define CAIRN_RPC_RAW_TX_H

#include "primitives/tx.h"
#include "rpc/call.h"

/* Reads a transaction that somebody typed, with or without witness. Its bytes lie in ARENA. */
MUST_USE bool raw_tx_decode(struct tx *out, const char *hex, struct arena *arena);

/* Rows of the arguments inputs, outputs, locktime, replaceable, version. */
#define RAW_TX_ARGS                                                                                                    \
    RPC_ARG("inputs", RPC_ARR, NULL, "What is spent.",                                                                 \
            .inner = RPC_ARGS(RPC_ARG("", RPC_OBJ, "", "",                                                             \
                                      .inner = RPC_ARGS(RPC_ARG("txid", RPC_HEX, NULL, "The transaction's id."),       \
                                                        RPC_ARG("vout", RPC_NUM, NULL, "The output's number."),        \
                                                        RPC_ARG("sequence", RPC_NUM, "by replaceable and locktime",    \
                                                                "The sequence number."))))),                           \
        RPC_ARG("outputs", RPC_ARR, NULL,                                                                              \
                "What is made: objects with one key each, an address and its amount in coins, or \"data\" and hex "    \
                "digits for\nan OP_RETURN output. One object with all keys will do, too. No key may come twice.",      \
                .flags = RPC_ANY_TYPE,                                                                                 \
                .inner =                                                                                               \
                    RPC_ARGS(RPC_ARG("", RPC_OBJ_KEYS, "", "",                                                         \
                                     .inner = RPC_ARGS(RPC_ARG("address", RPC_AMOUNT, NULL, "The amount in coins."))), \
                             RPC_ARG("", RPC_OBJ, "", "",                                                              \
                                     .inner = RPC_ARGS(RPC_ARG("data", RPC_HEX, NULL, "The bytes in hex."))))),        \
        RPC_ARG("locktime", RPC_NUM, "0", "The lock time; other than 0 it takes effect on all inputs."),               \
        RPC_ARG("replaceable", RPC_BOOL, "true",                                                                       \
                "Whether the inputs say that the transaction may be replaced (BIP125). Where given, sequence\n"        \
                "numbers must not say otherwise."),                                                                    \
        RPC_ARG("version", RPC_NUM, "2", "The transaction's version, 1 to 3.")

/* Makes the unsigned transaction that those arguments of CALL (numbers 0 to 4) describe; false where the call failed.
 */
MUST_USE bool raw_tx_make(struct rpc_call *call, struct tx *tx, struct arena *arena);

/* The output at AT of an unconfirmed transaction (spent or not), or unspent in the chain; its script lies in ARENA.
 * False where there is none (the call may have failed). */
MUST_USE bool raw_tx_find_coin(struct rpc_call *call, const struct outpoint *at, struct tx_out *out,
                               struct arena *arena);

/* Writes TX in hex as the value that is due. */
void raw_tx_hex_json(struct json_writer *w, const struct tx *tx);

#endif
