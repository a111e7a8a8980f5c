/* Transactions (BIP144): parsed without copying. Scripts and witness items are spans into the bytes that were parsed;
 * the arrays live in the caller's arena. Both must outlive the `struct tx`. */
#ifndef CAIRN_PRIMITIVES_TX_H
#define CAIRN_PRIMITIVES_TX_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/reader.h"
#include "primitives/amount.h"
#include "primitives/hash.h"

struct outpoint {
    struct txid txid;
    uint32_t index; /* OUTPOINT_NULL in a coinbase input */
};

#define OUTPOINT_NULL  UINT32_C(0xffffffff)
#define SEQUENCE_FINAL UINT32_C(0xffffffff)

struct witness {
    const struct span *items;
    size_t count;
};

struct tx_in {
    struct outpoint prevout;
    struct span script_sig;
    uint32_t sequence;
    struct witness witness; /* count 0 where there is none */
};

struct tx_out {
    amount_sat value;
    struct span script_pubkey;
};

struct tx {
    int32_t version; /* as on the wire; Core's RPC prints it unsigned (uint32_t) */
    uint32_t lock_time;
    struct tx_in *in;
    size_t in_count;
    struct tx_out *out;
    size_t out_count;
    bool has_witness;   /* some input has a witness item */
    uint32_t size;      /* bytes with the witness (the wire form) */
    uint32_t base_size; /* bytes without the witness */
    struct span raw;    /* the wire form; empty for a transaction that was put together in memory */
    struct txid txid;   /* set by tx_hash */
    struct wtxid wtxid; /* set by tx_hash */
};

enum { TX_NO_WITNESS = 1 }; /* flag of tx_read: never take the segwit marker for one */

/* Reads one transaction. Fails the reader on a truncated, non-canonical or superfluous-witness encoding, and on unknown
 * optional data, exactly where Core's deserialiser throws. Does not hash. */
void tx_read(struct tx *tx, struct reader *r, struct arena *arena, unsigned flags);

/* Why tx_read fails on RAW, in the words of Core's deserialiser. */
const char *tx_read_fault(struct span raw, struct arena *arena);

/* Fills txid and wtxid (they are equal without witness) and, where raw is empty, size and base_size. */
void tx_hash(struct tx *tx);

/* tx_read of all of RAW and tx_hash; false where it fails or bytes are left. FLAGS as for tx_read. */
MUST_USE bool tx_parse(struct tx *tx, struct span raw, struct arena *arena, unsigned flags);

/* Parses what a user typed: tries with witness first, then without, as Core's DecodeHexTx does with its heuristics. */
MUST_USE bool tx_parse_any(struct tx *tx, struct span raw, struct arena *arena);

void tx_write(struct buffer *out, const struct tx *tx);
void tx_write_no_witness(struct buffer *out, const struct tx *tx);
void tx_in_write(struct buffer *out, const struct tx_in *in);
void tx_out_write(struct buffer *out, const struct tx_out *o);

/* base_size * 3 + size, in weight units (BIP141). */
static inline uint64_t tx_weight(const struct tx *tx)
{
    return (uint64_t)tx->base_size * 3 + tx->size;
}

static inline bool outpoint_is_null(const struct outpoint *o)
{
    return o->index == OUTPOINT_NULL && hash_is_null(o->txid.bytes);
}

static inline bool tx_is_coinbase(const struct tx *tx)
{
    return tx->in_count == 1 && outpoint_is_null(&tx->in[0].prevout);
}

#endif
