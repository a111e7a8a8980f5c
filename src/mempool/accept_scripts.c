/* The scripts of an entrant, and the memory of what was found good: a block that has it need not check it again. */
#include <stdio.h>

#include "chain/sig_cache.h"
#include "consensus/block_check.h"
#include "crypto/secp.h"
#include "mempool/accept_internal.h"

enum { FAILURES = 32 };

/* Signatures that are good go to the cache. Those that are not (the keys of a multisig that did not sign) are kept for
 * the second run over the same scripts. */
struct checker {
    struct sig_cache *cache;
    struct sig_key failed[FAILURES];
    size_t failed_count;
};

static bool has_failed(const struct checker *c, const struct sig_key *key)
{
    for (size_t i = 0; i < c->failed_count; i++)
        if (!memcmp(c->failed[i].bytes, key->bytes, sizeof(key->bytes))) return true;
    return false;
}

static bool note(struct checker *c, const struct sig_key *key, bool good)
{
    if (good)
        sig_cache_add(c->cache, key);
    else if (c->failed_count < FAILURES)
        c->failed[c->failed_count++] = *key;
    return good;
}

static bool check_ecdsa(void *ctx, struct span pubkey, struct span sig, const uint8_t hash[32])
{
    struct checker *c = ctx;
    struct sig_key key;
    sig_cache_ecdsa_key(c->cache, &key, pubkey, sig, hash);
    if (sig_cache_has(c->cache, &key)) return true;
    return !has_failed(c, &key) && note(c, &key, ecdsa_verify(pubkey, sig, hash));
}

static bool check_schnorr(void *ctx, const uint8_t xonly[32], const uint8_t sig[64], const uint8_t hash[32])
{
    struct checker *c = ctx;
    struct sig_key key;
    sig_cache_schnorr_key(c->cache, &key, xonly, sig, hash);
    if (sig_cache_has(c->cache, &key)) return true;
    return !has_failed(c, &key) && note(c, &key, schnorr_verify(xonly, sig, hash));
}

/* REASON is told with the error of the first input that fails. */
static bool run_scripts(struct candidate *c, const struct script_tx *t, struct checker *checker, unsigned flags,
                        enum verdict_kind kind, const char *reason)
{
    struct sig_verifier verifier = {.ecdsa = check_ecdsa, .schnorr = check_schnorr, .ctx = checker};
    for (size_t i = 0; i < c->tx->in_count; i++) {
        enum script_error error = script_verify_input(t, i, flags, &verifier);
        if (error == SCRIPT_ERR_OK) continue;
        char full[sizeof(c->verdict.reason)], txid[HASH_TEXT], wtxid[HASH_TEXT], spent[HASH_TEXT];
        const struct outpoint *at = &c->tx->in[i].prevout;
        snprintf(full, sizeof(full), "%s (%s)", reason, script_error_text(error));
        return REFUSE(c, kind, full, "input %zu of %s (wtxid %s), spending %s:%d", i, txid_text(txid, &c->tx->txid),
                      wtxid_text(wtxid, &c->tx->wtxid), txid_text(spent, &at->txid), (int)at->index);
    }
    return true;
}

static bool check_policy(struct candidate *c, const struct script_tx *t, struct checker *checker)
{
    if (run_scripts(c, t, checker, STANDARD_SCRIPT_FLAGS, VERDICT_NOT_STANDARD, "mempool-script-verify-flag-failed"))
        return true;
    /* The same transaction may come with its witness yet: peers must not take this for a judgement of its txid. */
    if (!c->tx->has_witness && spends_witness_program(c->tx, c->spent)) c->verdict.kind = VERDICT_WITNESS_STRIPPED;
    return false;
}

/* Under the flags of the next block: that it passed is remembered. */
static bool check_block_rules(struct acceptance *a, struct candidate *c, const struct script_tx *t,
                              struct checker *checker)
{
    const struct chain *chain = a->m->chain;
    struct block_hash unknown = {0};
    unsigned flags = block_script_flags(chain_height(chain) + 1, &unknown, &chain->params);
    struct sig_key key;
    sig_cache_script_key(checker->cache, &key, &c->tx->wtxid, flags);
    if (sig_cache_has(checker->cache, &key)) return true;
    if (!run_scripts(c, t, checker, flags, VERDICT_CONSENSUS, "block-script-verify-flag-failed")) {
        char text[HASH_TEXT];
        log_error(a->m->log, "The scripts of %s pass the rules of relay but not those of blocks",
                  txid_text(text, &c->tx->txid));
        return false;
    }
    sig_cache_add(checker->cache, &key);
    return true;
}

bool candidate_check_scripts(struct acceptance *a, struct candidate *c, bool block_rules)
{
    struct script_tx t;
    struct checker checker;
    checker.cache = a->m->chain->sig_cache;
    checker.failed_count = 0;
    script_tx_init(&t, c->tx, c->spent);
    return check_policy(c, &t, &checker) && (!block_rules || check_block_rules(a, c, &t, &checker));
}
