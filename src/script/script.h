/* Scripts as bytes: opcodes, iteration, numbers, sigop counts, disassembly, building. */
#ifndef CAIRN_SCRIPT_SCRIPT_H
#define CAIRN_SCRIPT_SCRIPT_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "primitives/tx.h"

enum {
    MAX_SCRIPT_SIZE = 10000,
    MAX_SCRIPT_ELEMENT_SIZE = 520,
    MAX_OPS_PER_SCRIPT = 201,
    MAX_PUBKEYS_PER_MULTISIG = 20,
    MAX_STACK_SIZE = 1000,
    LOCKTIME_THRESHOLD = 500000000, /* below: a height; from here: a time (BIP65) */
};

#include "script/opcodes.h"

/* Reads one instruction at *POS (an offset into SCRIPT) and moves past it. *DATA is the pushed bytes (empty for other
 * opcodes). False at the end or where a push runs past it (then *POS is the end and *OPCODE OP_INVALIDOPCODE). */
bool script_next(struct span script, size_t *pos, uint8_t *opcode, struct span *data);

/* OP_1NEGATE, OP_0 .. OP_16 and direct pushes only. */
bool script_is_push_only(struct span script);

/* OP_RETURN first or larger than MAX_SCRIPT_SIZE: never spendable, never stored as a coin. */
bool script_is_unspendable(struct span script);

bool script_is_p2sh(struct span script);
bool script_is_p2wpkh(struct span script);
bool script_is_p2wsh(struct span script);
bool script_is_p2tr(struct span script);
bool script_is_p2a(struct span script); /* pay-to-anchor */

/* A witness program: version 0..16 and 2..40 bytes (BIP141). */
bool script_witness_program(struct span script, int *version, struct span *program);

/* Legacy sigops; ACCURATE counts OP_n before OP_CHECKMULTISIG (as P2SH does) instead of 20. */
unsigned script_sigops(struct span script, bool accurate);
/* Sigops of the redeem script that SCRIPT_SIG pushes, where SCRIPT_PUBKEY is P2SH (BIP16). */
unsigned script_p2sh_sigops(struct span script_pubkey, struct span script_sig);
/* Sigops of a witness spend, P2SH-wrapped included (BIP141); FLAGS as for script_verify. */
unsigned script_witness_sigops(struct span script_sig, struct span script_pubkey, const struct witness *witness,
                               unsigned flags);

/* Legacy sigops of all inputs and outputs, unscaled. */
unsigned tx_legacy_sigops(const struct tx *tx);
/* Sigop cost (BIP141): legacy and P2SH times four, witness as is. SPENT has in_count outputs; none for a coinbase. */
uint64_t tx_sigop_cost(const struct tx *tx, const struct tx_out *spent, unsigned flags);

/* "OP_CHECKSIG"; "OP_UNKNOWN" for none. */
const char *opcode_name(uint8_t opcode);

/* Appends Core's `asm` form; with DECODE_SIGHASH a signature ends in [ALL] etc. instead of its hash-type byte. */
void script_asm(struct buffer *out, struct span script, bool decode_sighash);

/* Appends a push of DATA in the shortest of: OP_n, direct, PUSHDATA1/2/4 as Core's CScript << vector does (no OP_n
 * there: that is for script_put_int). */
void script_put_push(struct buffer *out, struct span data);
/* Appends OP_0, OP_1NEGATE, OP_1..OP_16 or a number push. */
void script_put_int(struct buffer *out, int64_t v);

/* Script numbers: little-endian, sign in the top bit. */
size_t script_num_encode(uint8_t out[9], int64_t v);
/* False where longer than MAX_LEN or, with MINIMAL, not the shortest form. */
MUST_USE bool script_num_decode(int64_t *out, struct span data, bool minimal, size_t max_len);

#endif
