/* Rules for headers and blocks that need no spent outputs. */
#include "consensus/block_check.h"

#include <stdio.h>

#include "consensus/merkle.h"
#include "consensus/pow.h"
#include "consensus/versionbits.h"
#include "crypto/sha256.h"
#include "script/script.h"

enum { COMMITMENT_MIN = 38, COMMITMENT_PREFIX = 6, WITNESS_NONCE_BYTES = 32 };

static bool block_fail(struct verdict *v, enum verdict_kind kind, const char *reason, const char *detail)
{
    return verdict_fail(v, kind, reason, "%s", detail);
}

bool header_check(const struct block_header *h, const struct block_hash *hash, const struct chain_params *p,
                  struct verdict *v)
{
    if (pow_check(hash, h->bits, p)) return true;
    return block_fail(v, VERDICT_INVALID_HEADER, "high-hash", "proof of work failed");
}

/* Soft forks that once were voted for by version number make the older versions invalid (BIP34, 66, 65). */
static bool check_version(int32_t version, int32_t height, const struct chain_params *p, struct verdict *v)
{
    static const enum buried_deployment needs[] = {BURIED_BIP34, BURIED_BIP66, BURIED_BIP65};
    for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
        if (version >= (int32_t)i + 2 || height < p->buried[needs[i]]) continue;
        char reason[32];
        snprintf(reason, sizeof(reason), "bad-version(0x%08x)", (unsigned)version);
        return verdict_fail(v, VERDICT_INVALID_HEADER, reason, "rejected nVersion=0x%08x block", (unsigned)version);
    }
    return true;
}

bool header_check_context(const struct block_header *h, const struct header_node *prev, int64_t now_s,
                          const struct chain_params *p, struct verdict *v)
{
    int32_t height = prev->height + 1;
    if (h->bits != pow_next_bits(prev, h->time, p))
        return block_fail(v, VERDICT_INVALID_HEADER, "bad-diffbits", "incorrect proof of work");
    if ((int64_t)h->time <= header_median_time(prev))
        return block_fail(v, VERDICT_INVALID_HEADER, "time-too-old", "block's timestamp is too early");
    if (p->enforce_bip94 && height % retarget_interval(p) == 0 &&
        (int64_t)h->time < (int64_t)prev->time - MAX_TIMEWARP_S)
        return block_fail(v, VERDICT_INVALID_HEADER, "time-timewarp-attack",
                          "block's timestamp is too early on diff adjustment block");
    if ((int64_t)h->time > now_s + MAX_FUTURE_BLOCK_TIME_S)
        return block_fail(v, VERDICT_TIME_FUTURE, "time-too-new", "block timestamp too far in the future");
    return check_version(h->version, height, p, v);
}

static bool check_merkle_root(const struct block *b, struct verdict *v)
{
    uint8_t root[32];
    bool mutated;
    block_merkle_root(root, b, &mutated);
    if (memcmp(root, b->header.merkle_root, sizeof(root)) != 0)
        return block_fail(v, VERDICT_MUTATED, "bad-txnmrklroot", "hashMerkleRoot mismatch");
    if (mutated) return block_fail(v, VERDICT_MUTATED, "bad-txns-duplicate", "duplicate transaction");
    return true;
}

static bool check_sizes(const struct block *b, struct verdict *v)
{
    if (b->tx_count > 0 && b->tx_count <= MAX_BLOCK_WEIGHT / WITNESS_SCALE_FACTOR &&
        b->base_size <= MAX_BLOCK_WEIGHT / WITNESS_SCALE_FACTOR)
        return true;
    return block_fail(v, VERDICT_CONSENSUS, "bad-blk-length", "size limits failed");
}

static bool check_coinbase_place(const struct block *b, struct verdict *v)
{
    if (!tx_is_coinbase(&b->txs[0]))
        return block_fail(v, VERDICT_CONSENSUS, "bad-cb-missing", "first tx is not coinbase");
    for (size_t i = 1; i < b->tx_count; i++)
        if (tx_is_coinbase(&b->txs[i]))
            return block_fail(v, VERDICT_CONSENSUS, "bad-cb-multiple", "more than one coinbase");
    return true;
}

static bool check_txs(const struct block *b, struct verdict *v)
{
    for (size_t i = 0; i < b->tx_count; i++) {
        struct verdict of_tx = {.kind = VERDICT_VALID};
        if (tx_check(&b->txs[i], &of_tx)) continue;
        char id[HASH_TEXT];
        return verdict_fail(v, VERDICT_CONSENSUS, of_tx.reason, "Transaction check failed (tx hash %s) %s",
                            txid_text(id, &b->txs[i].txid), of_tx.detail);
    }
    return true;
}

static bool check_legacy_sigops(const struct block *b, struct verdict *v)
{
    uint64_t sigops = 0;
    for (size_t i = 0; i < b->tx_count; i++) sigops += tx_legacy_sigops(&b->txs[i]);
    if (sigops * WITNESS_SCALE_FACTOR <= MAX_BLOCK_SIGOPS_COST) return true;
    return block_fail(v, VERDICT_CONSENSUS, "bad-blk-sigops", "out-of-bounds SigOpCount");
}

bool block_check(const struct block *b, const struct chain_params *p, unsigned flags, struct verdict *v)
{
    bool pow = !(flags & BLOCK_CHECK_NO_POW);
    if (pow && !header_check(&b->header, &b->hash, p, v)) return false;
    if (pow && p->signet && !signet_check_solution(b, p))
        return block_fail(v, VERDICT_CONSENSUS, "bad-signet-blksig", "signet block signature validation failure");
    /* What may be due to altered bytes comes before what condemns the header. */
    if (!(flags & BLOCK_CHECK_NO_MERKLE) && !check_merkle_root(b, v)) return false;
    return check_sizes(b, v) && check_coinbase_place(b, v) && check_txs(b, v) && check_legacy_sigops(b, v);
}

int block_witness_commitment(const struct block *b)
{
    static const uint8_t prefix[COMMITMENT_PREFIX] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    if (b->tx_count == 0) return -1;
    const struct tx *coinbase = &b->txs[0];
    for (size_t i = coinbase->out_count; i > 0; i--) {
        struct span script = coinbase->out[i - 1].script_pubkey;
        if (script.len >= COMMITMENT_MIN && memcmp(script.data, prefix, sizeof(prefix)) == 0) return (int)(i - 1);
    }
    return -1;
}

/* Whether output AT of the coinbase commits to the block's witnesses. */
static bool check_commitment(const struct block *b, int at, struct verdict *v)
{
    const struct tx *coinbase = &b->txs[0];
    const struct witness *w = coinbase->in_count > 0 ? &coinbase->in[0].witness : NULL;
    if (!w || w->count != 1 || w->items[0].len != WITNESS_NONCE_BYTES)
        return block_fail(v, VERDICT_MUTATED, "bad-witness-nonce-size",
                          "CheckWitnessMalleation : invalid witness reserved value size");
    uint8_t preimage[32 + WITNESS_NONCE_BYTES], hash[32];
    block_witness_merkle_root(preimage, b);
    memcpy(preimage + 32, w->items[0].data, WITNESS_NONCE_BYTES);
    sha256d(hash, preimage, sizeof(preimage));
    if (memcmp(hash, coinbase->out[at].script_pubkey.data + COMMITMENT_PREFIX, sizeof(hash)) == 0) return true;
    return block_fail(v, VERDICT_MUTATED, "bad-witness-merkle-match",
                      "CheckWitnessMalleation : witness merkle commitment mismatch");
}

static bool check_witness(const struct block *b, bool commitment_expected, struct verdict *v)
{
    int at = commitment_expected ? block_witness_commitment(b) : -1;
    if (at >= 0) return check_commitment(b, at, v);
    for (size_t i = 0; i < b->tx_count; i++)
        if (b->txs[i].has_witness)
            return block_fail(v, VERDICT_MUTATED, "unexpected-witness",
                              "CheckWitnessMalleation : unexpected witness data found");
    return true;
}

/* BIP34: the coinbase's script starts with the push of the height. */
static bool check_coinbase_height(const struct block *b, int32_t height, struct verdict *v)
{
    struct buffer expected = {0};
    script_put_int(&expected, height);
    bool found = false;
    if (b->tx_count > 0 && b->txs[0].in_count > 0) {
        struct span script = b->txs[0].in[0].script_sig;
        found = script.len >= expected.len && memcmp(script.data, expected.data, expected.len) == 0;
    }
    buffer_clear(&expected);
    return found || block_fail(v, VERDICT_CONSENSUS, "bad-cb-height", "block height mismatch in coinbase");
}

bool block_check_context(const struct block *b, const struct header_node *prev, const struct chain_params *p,
                         struct verdict *v)
{
    int32_t height = prev ? prev->height + 1 : 0;
    bool bip113 = prev && buried_active(p, BURIED_CSV, height);
    int64_t cutoff_s = bip113 ? header_median_time(prev) : (int64_t)b->header.time;
    for (size_t i = 0; i < b->tx_count; i++)
        if (!tx_is_final(&b->txs[i], height, cutoff_s))
            return block_fail(v, VERDICT_CONSENSUS, "bad-txns-nonfinal", "non-final transaction");
    if (buried_active(p, BURIED_BIP34, height) && !check_coinbase_height(b, height, v)) return false;
    if (!check_witness(b, buried_active(p, BURIED_SEGWIT, height), v)) return false;
    /* Only now: the coinbase's witness could be padded at will before its reserved value was checked. */
    if (block_weight(b) <= MAX_BLOCK_WEIGHT) return true;
    return block_fail(v, VERDICT_CONSENSUS, "bad-blk-weight", "ContextualCheckBlock : weight limit failed");
}

bool block_is_mutated(const struct block *b, bool check_witness_commitment)
{
    struct verdict v = {.kind = VERDICT_VALID};
    return block_find_mutation(b, check_witness_commitment, &v);
}

bool block_find_mutation(const struct block *b, bool check_witness_commitment, struct verdict *v)
{
    if (!check_merkle_root(b, v)) return true;
    if (b->tx_count > 0 && tx_is_coinbase(&b->txs[0])) return !check_witness(b, check_witness_commitment, v);
    /* A transaction of 64 bytes may be two inner nodes of the tree in disguise. */
    for (size_t i = 0; i < b->tx_count; i++)
        if (b->txs[i].base_size == 64) return true;
    return false;
}
