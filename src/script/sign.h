/* Signing inputs: a transaction, the outputs that it spends, keys and scripts go in; scriptSigs and witnesses come out.
 * Pure: the same input gives the same signatures (RFC6979, BIP340 without auxiliary randomness).
 *
 * Knows p2pk, p2pkh, multisig, p2sh, p2wpkh, p2wsh (also inside p2sh), p2a and the key path of p2tr. What some signers
 * of a multisig have left in an input is kept, and completed. */
#ifndef CAIRN_SCRIPT_SIGN_H
#define CAIRN_SCRIPT_SIGN_H

#include "base/arena.h"
#include "script/script.h"
#include "script/sighash.h"
#include "script/verify.h"

struct sign_key {
    uint8_t secret[32];
    uint8_t pubkey[65];
    uint8_t pubkey_len; /* 33 or 65 */
    uint8_t id[20];     /* hash160 of the public key */
};

struct sign_script {
    struct buffer script;
    uint8_t id[20]; /* its hash160 */
};

/* How a taproot output key came about (BIP341). */
struct sign_taproot {
    uint8_t output[32];
    uint8_t internal[32];
    bool has_root;
    uint8_t root[32]; /* of the tree of scripts */
};

/* What may be used for signing. All zeroes is empty. */
struct sign_keys {
    struct sign_key *keys;
    size_t key_count, key_cap;
    struct sign_script *scripts;
    size_t script_count, script_cap;
    struct sign_taproot *taproots;
    size_t taproot_count, taproot_cap;
};

/* Wipes the secrets and frees everything. */
void sign_keys_clear(struct sign_keys *k);

/* False where SECRET is 0 or not below the order. */
MUST_USE bool sign_keys_add(struct sign_keys *k, const uint8_t secret[32], bool compressed);

/* A redeem or witness script; copied. */
void sign_keys_add_script(struct sign_keys *k, struct span script);

/* The output whose key is INTERNAL tweaked by ROOT (NULL: no scripts); false where INTERNAL is no key. */
MUST_USE bool sign_keys_add_taproot(struct sign_keys *k, const uint8_t internal[32], const uint8_t *root);

/* An ECDSA signature with its hash type, and who made it. */
struct sign_sig {
    uint8_t key_id[20];
    struct span pubkey, sig;
};

enum { SIGN_SIGS_MAX = MAX_PUBKEYS_PER_MULTISIG };

/* What is known towards one input. Everything lies in the arena of the calls or in what they were given. */
struct sign_data {
    bool complete; /* SCRIPT_SIG and WITNESS are good by the flags */
    struct span script_sig;
    struct witness witness;
    struct span redeem_script, witness_script; /* len 0: unknown */
    struct sign_sig sigs[SIGN_SIGS_MAX];
    size_t sig_count;
};

/* One input to be signed. */
struct sign_input {
    const struct script_tx *t; /* of script_tx_init_all: signatures of other inputs may change afterwards */
    size_t index;
    const struct tx_out *spent;
    unsigned flags; /* enum script_flag: what a complete input must pass */
    struct arena *arena;
};

/* What SCRIPT_SIG and WITNESS already tell: scripts, and signatures of a multisig. */
void sign_data_read(struct sign_data *out, const struct sign_input *in, struct span script_sig,
                    const struct witness *witness);

/* Adds what FROM knows. Something complete wins. */
void sign_data_merge(struct sign_data *into, const struct sign_data *from);

/* Adds the signatures that KEYS can make, and puts DATA's script_sig and witness together. HASH_TYPE: SIGHASH_DEFAULT
 * is SIGHASH_ALL but for taproot. Returns DATA->complete. */
bool sign_data_make(struct sign_data *data, const struct sign_input *in, const struct sign_keys *keys, int hash_type);

/* ---- whole transactions ---- */

extern const char SIGN_MISSING_AMOUNT[];

/* Signs what can be signed in TX, whose inputs change in place (the bytes lie in ARENA); TX is hashed anew. SPENT has
 * in_count outputs, NULL for those that are not known, a value of MAX_MONEY_SAT where only the amount is not known.
 * ERRORS gets in_count sentences (Bitcoin Core's), NULL where the input is complete; SIGN_MISSING_AMOUNT is one of
 * them. True where all are complete. */
MUST_USE bool sign_tx(struct tx *tx, const struct tx_out *const *spent, const struct sign_keys *keys, int hash_type,
                      unsigned flags, struct arena *arena, const char **errors);

#endif
