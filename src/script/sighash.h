/* Signature hashes: what a signature signs (legacy, BIP143, BIP341/342). */
#ifndef CAIRN_SCRIPT_SIGHASH_H
#define CAIRN_SCRIPT_SIGHASH_H

#include "script/verify.h"

enum {
    SIGHASH_DEFAULT = 0,
    SIGHASH_ALL = 1,
    SIGHASH_NONE = 2,
    SIGHASH_SINGLE = 3,
    SIGHASH_ANYONECANPAY = 0x80,
};

/* The original hash. SCRIPT_CODE is what remains after the last executed OP_CODESEPARATOR and after FindAndDelete; any
 * OP_CODESEPARATOR in it is left out here. Includes the SIGHASH_SINGLE bug (hash 1). HASH_TYPE is the full 32 bits. */
void sighash_legacy(uint8_t out[32], const struct tx *tx, size_t index, struct span script_code, int32_t hash_type);

/* BIP143. */
void sighash_v0(uint8_t out[32], const struct script_tx *t, size_t index, struct span script_code, amount_sat amount,
                int32_t hash_type);

struct taproot_context {
    bool tapscript; /* ext_flag 1: leaf hash and code separator position are committed to (BIP342) */
    bool has_annex;
    uint8_t annex_hash[32]; /* SHA256 of the CompactSize-prefixed annex */
    uint8_t leaf_hash[32];
    uint32_t codesep_pos; /* 0xffffffff: none executed */
};

/* BIP341; false where HASH_TYPE is not valid or SIGHASH_SINGLE has no output. */
MUST_USE bool sighash_taproot(uint8_t out[32], const struct script_tx *t, size_t index, uint8_t hash_type,
                              const struct taproot_context *context);

#endif
