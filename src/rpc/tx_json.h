/* Transactions and scripts as JSON: the fields and their order as Bitcoin Core has them. */
#ifndef CAIRN_RPC_TX_JSON_H
#define CAIRN_RPC_TX_JSON_H

#include "primitives/address.h"
#include "primitives/tx.h"
#include "rpc/json_writer.h"

/* An output that an input spends. */
struct spent_output {
    struct tx_out out;
    int32_t height;
    bool coinbase;
};

/* What is known besides the transaction; all zeroes is nothing. */
struct tx_json_extra {
    const struct address_prefixes *prefixes;
    const struct spent_output *spent; /* in_count of them, or NULL: then no fee */
    bool prevouts;                    /* show each of them in its input */
    bool hex;                         /* the raw bytes at the end */
};

/* The fields of TX into the object that is open. */
void tx_json_fields(struct json_writer *w, const struct tx *tx, const struct tx_json_extra *extra);

/* asm, desc, hex, address, type of a scriptPubKey as an object. */
void script_json(struct json_writer *w, struct span script, const struct address_prefixes *prefixes);

/* An address as a string value; false (nothing written) where DEST has none. */
bool destination_json(struct json_writer *w, const struct destination *dest, const struct address_prefixes *prefixes);

/* The `asm` of a script as a string value. */
void script_asm_json(struct json_writer *w, struct span script, bool decode_sighash);

#endif
