/* Signatures and whole-transaction script runs that are known to be good, so that a block does not repeat what the
 * mempool did. Entries are salted hashes with a secret of the process: nobody can aim at them. Lookups may come from
 * several threads at once as long as nobody inserts: the owner's thread inserts between batches of jobs. */
#ifndef CAIRN_CHAIN_SIG_CACHE_H
#define CAIRN_CHAIN_SIG_CACHE_H

#include "primitives/tx.h"
#include "script/verify.h"

struct sig_cache;

/* Room for BYTES / 32 entries, split between signatures and script runs. SECRET salts the hashes. */
struct sig_cache *sig_cache_new(uint64_t bytes, const uint8_t secret[32]);
void sig_cache_free(struct sig_cache *c);

struct sig_key {
    uint8_t bytes[32];
};

void sig_cache_ecdsa_key(const struct sig_cache *c, struct sig_key *out, struct span pubkey, struct span sig,
                         const uint8_t hash[32]);
void sig_cache_schnorr_key(const struct sig_cache *c, struct sig_key *out, const uint8_t xonly[32],
                           const uint8_t sig[64], const uint8_t hash[32]);
/* All inputs of this transaction, witness included, under FLAGS. */
void sig_cache_script_key(const struct sig_cache *c, struct sig_key *out, const struct wtxid *wtxid, unsigned flags);

bool sig_cache_has(const struct sig_cache *c, const struct sig_key *key);
void sig_cache_add(struct sig_cache *c, const struct sig_key *key);

/* True while nothing was ever added: lookups can be left out. */
bool sig_cache_is_empty(const struct sig_cache *c);

/* A verifier that asks the cache first and libsecp256k1 then; never adds. */
struct sig_verifier sig_cache_verifier(const struct sig_cache *c);

#endif
