/* The scripts of an entrant, and the memory of what was found good: a block that has it need not check it again. */
#include <stdio.h>

#include "chain/sig_cache.h"
#include "consensus/block_check.h"
#include "crypto/secp.h"
#include "mempool/accept_internal.h"

static bool remember_ecdsa(void *ctx, struct span pubkey, struct span sig, const uint8_t hash[32])
{
    struct sig_key key;
    sig_cache_ecdsa_key(ctx, &key, pubkey, sig, hash);
    if (sig_cache_has(ctx, &key)) return true;
    if (!ecdsa_verify(pubkey, sig, hash)) return false;
    sig_cache_add(ctx, &key);
    return true;
}

static bool remember_schnorr(void *ctx, const uint8_t xonly[32], const uint8_t sig[64], const uint8_t hash[32])
{
    struct sig_key key;
    sig_cache_schnorr_key(ctx, &key, xonly, sig, hash);
    if (sig_cache_has(ctx, &key)) return true;
    if (!schnorr_verify(xonly, sig, hash)) return false;
    sig_cache_add(ctx, &key);
    return true;
}

/* REASON is told with the error of the first input that fails. */
static bool check_scripts(struct acceptance *a, struct candidate *c, unsigned flags, enum verdict_kind kind,
                          const char *reason)
{
    struct script_tx t;
    struct sig_verifier verifier = {
        .ecdsa = remember_ecdsa, .schnorr = remember_schnorr, .ctx = a->m->chain->sig_cache};
    script_tx_init(&t, c->tx, c->spent);
    for (size_t i = 0; i < c->tx->in_count; i++) {
        enum script_error error = script_verify_input(&t, i, flags, &verifier);
        if (error == SCRIPT_ERR_OK) continue;
        char full[sizeof(c->verdict.reason)], txid[HASH_TEXT], wtxid[HASH_TEXT], spent[HASH_TEXT];
        const struct outpoint *at = &c->tx->in[i].prevout;
        snprintf(full, sizeof(full), "%s (%s)", reason, script_error_text(error));
        return REFUSE(c, kind, full, "input %zu of %s (wtxid %s), spending %s:%d", i, txid_text(txid, &c->tx->txid),
                      wtxid_text(wtxid, &c->tx->wtxid), txid_text(spent, &at->txid), (int)at->index);
    }
    return true;
}

bool candidate_check_policy_scripts(struct acceptance *a, struct candidate *c)
{
    if (check_scripts(a, c, STANDARD_SCRIPT_FLAGS, VERDICT_NOT_STANDARD, "mempool-script-verify-flag-failed"))
        return true;
    /* The same transaction may come with its witness yet: peers must not take this for a judgement of its txid. */
    if (!c->tx->has_witness && spends_witness_program(c->tx, c->spent)) c->verdict.kind = VERDICT_WITNESS_STRIPPED;
    return false;
}

bool candidate_check_block_scripts(struct acceptance *a, struct candidate *c)
{
    const struct chain *chain = a->m->chain;
    struct block_hash unknown = {0};
    unsigned flags = block_script_flags(chain_height(chain) + 1, &unknown, &chain->params);
    struct sig_key key;
    sig_cache_script_key(chain->sig_cache, &key, &c->tx->wtxid, flags);
    if (sig_cache_has(chain->sig_cache, &key)) return true;
    if (!check_scripts(a, c, flags, VERDICT_CONSENSUS, "block-script-verify-flag-failed")) {
        char text[HASH_TEXT];
        log_error(a->m->log, "The scripts of %s pass the rules of relay but not those of blocks",
                  txid_text(text, &c->tx->txid));
        return false;
    }
    sig_cache_add(chain->sig_cache, &key);
    return true;
}
