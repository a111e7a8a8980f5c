/* libcairn: Bitcoin's data and rules, as the cairn node reads and enforces them, for any other program.
 *
 * Conventions
 *   - A `struct cairn_x *` is an opaque handle. Who calls ..._parse, ..._new or ..._open calls ..._free. What a handle
 *     hands out (pointers to scripts, to a block's transactions) is good until the handle is freed.
 *   - Hashes are 32 bytes in internal order; cairn_hash_text gives the reversed digits that people read.
 *   - Amounts are in satoshis, sizes in bytes, weights in weight units (BIP141), times in seconds since 1970.
 *   - A handle may be read by several threads at once. There is no global state.
 *   - A pointer argument must not be NULL unless its function says so; every ..._free takes NULL.
 *   - Running out of memory ends the process. */
#ifndef CAIRN_CAIRN_H
#define CAIRN_CAIRN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(CAIRN_BUILDING) && defined(__GNUC__)
#define CAIRN_API __attribute__((visibility("default")))
#else
#define CAIRN_API
#endif
#ifdef __GNUC__
#define CAIRN_MUST_USE __attribute__((warn_unused_result))
#else
#define CAIRN_MUST_USE
#endif

struct cairn_tx;
struct cairn_block;
struct cairn_spend;
struct cairn_block_files;

/* "0.1.0" */
CAIRN_API const char *cairn_version(void);

enum { CAIRN_HASH_TEXT = 65 }; /* 64 digits and a NUL */

/* HASH as people read it: reversed, lower case. Returns OUT. */
CAIRN_API char *cairn_hash_text(char out[CAIRN_HASH_TEXT], const uint8_t hash[32]);

/* The other way; false where TEXT is not exactly 64 hex digits. */
CAIRN_API CAIRN_MUST_USE bool cairn_hash_parse(uint8_t out[32], const char *text);

/* --- Transactions (BIP144) --- */

/* Bytes that a handle owns. */
struct cairn_bytes {
    const uint8_t *data; /* may be NULL where len is 0 */
    size_t len;
};

struct cairn_input {
    uint8_t prev_txid[32];
    uint32_t prev_index; /* of the output that is spent; 0xffffffff in a coinbase */
    uint32_t sequence;
    struct cairn_bytes script_sig;
    size_t witness_count; /* items, see cairn_tx_witness */
};

struct cairn_output {
    int64_t value; /* satoshis */
    struct cairn_bytes script_pubkey;
};

/* A copy of the transaction in RAW; NULL where RAW is not exactly one transaction in the wire form, with or without
 * witness. */
CAIRN_API CAIRN_MUST_USE struct cairn_tx *cairn_tx_parse(const uint8_t *raw, size_t len);
CAIRN_API void cairn_tx_free(struct cairn_tx *tx);

/* The wire form, or that without witness (what the txid is the hash of). Writes at most CAP bytes to OUT (NULL: none)
 * and returns the whole length: the output is complete where that is at most CAP. */
CAIRN_API size_t cairn_tx_write(const struct cairn_tx *tx, bool with_witness, uint8_t *out, size_t cap);

CAIRN_API void cairn_tx_txid(const struct cairn_tx *tx, uint8_t out[32]);
CAIRN_API void cairn_tx_wtxid(const struct cairn_tx *tx, uint8_t out[32]);
CAIRN_API int32_t cairn_tx_version(const struct cairn_tx *tx);
CAIRN_API uint32_t cairn_tx_lock_time(const struct cairn_tx *tx);
CAIRN_API size_t cairn_tx_size(const struct cairn_tx *tx);     /* bytes with the witness */
CAIRN_API uint64_t cairn_tx_weight(const struct cairn_tx *tx); /* weight units */
CAIRN_API bool cairn_tx_is_coinbase(const struct cairn_tx *tx);
CAIRN_API size_t cairn_tx_input_count(const struct cairn_tx *tx);
CAIRN_API size_t cairn_tx_output_count(const struct cairn_tx *tx);

/* Each fills *OUT; false, *OUT unchanged, where there is no such input, output or witness item. */
CAIRN_API bool cairn_tx_input(const struct cairn_tx *tx, size_t index, struct cairn_input *out);
CAIRN_API bool cairn_tx_output(const struct cairn_tx *tx, size_t index, struct cairn_output *out);
CAIRN_API bool cairn_tx_witness(const struct cairn_tx *tx, size_t input, size_t item, struct cairn_bytes *out);

/* --- Blocks --- */

struct cairn_header {
    int32_t version;
    uint8_t prev[32];
    uint8_t merkle_root[32];
    uint32_t time;
    uint32_t bits; /* the target in compact form */
    uint32_t nonce;
};

/* A copy of the block in RAW; NULL where RAW is not exactly one block in the wire form. Says nothing of validity. */
CAIRN_API CAIRN_MUST_USE struct cairn_block *cairn_block_parse(const uint8_t *raw, size_t len);
CAIRN_API void cairn_block_free(struct cairn_block *block);

/* As cairn_tx_write. */
CAIRN_API size_t cairn_block_write(const struct cairn_block *block, uint8_t *out, size_t cap);

CAIRN_API void cairn_block_hash(const struct cairn_block *block, uint8_t out[32]);
CAIRN_API void cairn_block_header(const struct cairn_block *block, struct cairn_header *out);
CAIRN_API size_t cairn_block_size(const struct cairn_block *block);
CAIRN_API uint64_t cairn_block_weight(const struct cairn_block *block);
CAIRN_API size_t cairn_block_tx_count(const struct cairn_block *block);

/* Transaction INDEX, owned by the block; NULL past the last. */
CAIRN_API const struct cairn_tx *cairn_block_tx(const struct cairn_block *block, size_t index);

/* Why something is invalid. */
struct cairn_verdict {
    bool valid;
    char reason[120]; /* the field's reject reason ("bad-txnmrklroot"); empty where valid */
    char detail[160]; /* more for a log; may be empty */
};

/* The rules that need no other block: proof of work, merkle root, sizes, coinbase, each transaction, sigops. NETWORK is
 * "main", "test", "testnet4", "signet" or "regtest". Returns VERDICT->valid; an unknown network is invalid
 * ("unknown-network"). */
CAIRN_API bool cairn_block_check(const struct cairn_block *block, const char *network, struct cairn_verdict *verdict);

/* --- Scripts --- */

/* The rules that soft forks added to scripts; a block's height decides which hold. */
enum cairn_verify_flag {
    CAIRN_VERIFY_NONE = 0,
    CAIRN_VERIFY_P2SH = 1 << 0,                 /* BIP16 */
    CAIRN_VERIFY_DERSIG = 1 << 2,               /* BIP66 */
    CAIRN_VERIFY_NULLDUMMY = 1 << 4,            /* BIP147 */
    CAIRN_VERIFY_CHECKLOCKTIMEVERIFY = 1 << 9,  /* BIP65 */
    CAIRN_VERIFY_CHECKSEQUENCEVERIFY = 1 << 10, /* BIP112 */
    CAIRN_VERIFY_WITNESS = 1 << 11,             /* BIP141, BIP143; needs P2SH */
    CAIRN_VERIFY_TAPROOT = 1 << 17,             /* BIP341, BIP342; needs WITNESS */
    CAIRN_VERIFY_ALL = 1 << 0 | 1 << 2 | 1 << 4 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 17,
};

enum cairn_verify_status {
    CAIRN_VERIFY_OK = 0,
    CAIRN_VERIFY_FAILED,     /* the script says no */
    CAIRN_VERIFY_BAD_INDEX,  /* the transaction has no such input */
    CAIRN_VERIFY_BAD_FLAGS,  /* an unknown flag, or one without the flag that it needs */
    CAIRN_VERIFY_BAD_SPENDS, /* SPEND is NULL */
};

/* A transaction with the outputs that its inputs spend, in input order, and the hashes that its signatures share: make
 * it once, verify each input. COUNT must be the number of inputs, else NULL. Copies SPENT; TX must outlive it. */
CAIRN_API CAIRN_MUST_USE struct cairn_spend *cairn_spend_new(const struct cairn_tx *tx,
                                                             const struct cairn_output *spent, size_t count);
CAIRN_API void cairn_spend_free(struct cairn_spend *spend);

/* Whether input INDEX may spend its output under FLAGS (enum cairn_verify_flag). Where it may not, *SCRIPT_ERROR (may
 * be NULL) gets the error's number; else 0. */
CAIRN_API enum cairn_verify_status cairn_spend_verify(const struct cairn_spend *spend, size_t index, unsigned flags,
                                                      int *script_error);

/* "EVAL_FALSE" and a sentence, for a *SCRIPT_ERROR; "UNKNOWN_ERROR" for any other number. */
CAIRN_API const char *cairn_script_error_name(int script_error);
CAIRN_API const char *cairn_script_error_text(int script_error);

/* --- Block files --- */

/* Every block in the blkNNNNN.dat files of FOLDER (a `blocks` folder of cairn or Bitcoin Core, plain or obfuscated by
 * its xor.dat, or any folder with such files), in the order in which they were stored: not that of the chain, and with
 * blocks of abandoned branches. NULL where NETWORK is unknown or FOLDER has no blk00000.dat. */
CAIRN_API CAIRN_MUST_USE struct cairn_block_files *cairn_block_files_open(const char *folder, const char *network);
CAIRN_API void cairn_block_files_free(struct cairn_block_files *files);

/* The next block, to be freed by the caller; NULL at the end. Bytes between blocks are passed over, as are records that
 * are no block: cairn_block_files_skipped counts those. */
CAIRN_API CAIRN_MUST_USE struct cairn_block *cairn_block_files_next(struct cairn_block_files *files);
CAIRN_API uint64_t cairn_block_files_skipped(const struct cairn_block_files *files);

#ifdef __cplusplus
}
#endif

#endif
