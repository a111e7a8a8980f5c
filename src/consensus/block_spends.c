/* Rules for connecting a block: what needs the spent outputs but runs no script, and which rules hold at a height. */
#include "base/check.h"
#include "consensus/block_check.h"
#include "consensus/versionbits.h"
#include "script/script.h"
#include "script/verify.h"

enum {
    MAX_HALVINGS = 64,
    BIP34_IMPLIES_BIP30_UNTIL = 1983702, /* an early coinbase claims this height: from here BIP30 is checked again */
};

struct exceptional_block {
    int32_t height;
    struct block_hash hash;
};

/* The two blocks whose coinbases overwrote earlier unspent ones, as BIP30 forbids:
 * 00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec and
 * 00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721. */
static const struct exceptional_block bip30_repeats[] = {
    {91842, {{0xec, 0xca, 0xe0, 0x00, 0xe3, 0xc8, 0xe4, 0xe0, 0x93, 0x93, 0x63, 0x60, 0x43, 0x1f, 0x3b, 0x76,
              0x03, 0xc5, 0x63, 0xc1, 0xff, 0x61, 0x81, 0x39, 0x0a, 0x4d, 0x0a, 0x00, 0x00, 0x00, 0x00, 0x00}}},
    {91880, {{0x21, 0xd7, 0x7c, 0xcb, 0x4c, 0x08, 0x38, 0x6a, 0x04, 0xac, 0x01, 0x96, 0xae, 0x10, 0xf6, 0xa1,
              0xd2, 0xc2, 0xa3, 0x77, 0x55, 0x8c, 0xa1, 0x90, 0xf1, 0x43, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00}}},
};

/* The two blocks whose coinbases were overwritten:
 * 00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e and
 * 00000000000af0aed4792b1acee3d966af36cf5def14935db8de83d6f9306f2f. */
static const struct exceptional_block bip30_overwritten[] = {
    {91722, {{0x8e, 0xd0, 0x4d, 0x57, 0xf2, 0xf3, 0xcd, 0xc6, 0xa6, 0xe5, 0x55, 0x69, 0xdc, 0x16, 0x54, 0xe1,
              0xf2, 0x19, 0x84, 0x7f, 0x66, 0xe7, 0x26, 0xdc, 0xa2, 0x71, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00}}},
    {91812, {{0x2f, 0x6f, 0x30, 0xf9, 0xd6, 0x83, 0xde, 0xb8, 0x5d, 0x93, 0x14, 0xef, 0x5d, 0xcf, 0x36, 0xaf,
              0x66, 0xd9, 0xe3, 0xce, 0x1a, 0x2b, 0x79, 0xd4, 0xae, 0xf0, 0x0a, 0x00, 0x00, 0x00, 0x00, 0x00}}},
};

static bool is_exceptional(const struct exceptional_block *list, size_t count, const struct header_node *node)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].height == node->height && block_hash_equal(&list[i].hash, &node->hash)) return true;
    return false;
}

bool block_needs_bip30(const struct header_node *node, const struct chain_params *p)
{
    if (node->height >= BIP34_IMPLIES_BIP30_UNTIL) return true;
    if (is_exceptional(bip30_repeats, ARRAY_LEN(bip30_repeats), node)) return false;
    /* On the known chain past BIP34, coinbases differ by their height. */
    const struct header_node *bip34 = header_ancestor(node->prev, p->buried[BURIED_BIP34]);
    return !(bip34 && p->has_bip34_hash && block_hash_equal(&bip34->hash, &p->bip34_hash));
}

bool block_is_bip30_unspendable(const struct header_node *node)
{
    return is_exceptional(bip30_overwritten, ARRAY_LEN(bip30_overwritten), node);
}

amount_sat block_subsidy(int32_t height, const struct chain_params *p)
{
    int32_t halvings = height / p->halving_interval;
    return halvings >= MAX_HALVINGS ? 0 : (50 * COIN_SAT) >> halvings;
}

unsigned block_script_flags(int32_t height, const struct block_hash *hash, const struct chain_params *p)
{
    static const struct {
        enum buried_deployment deployment;
        unsigned flag;
    } rows[] = {
        {BURIED_BIP66, SCRIPT_VERIFY_DERSIG},
        {BURIED_BIP65, SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY},
        {BURIED_CSV, SCRIPT_VERIFY_CHECKSEQUENCEVERIFY},
        {BURIED_SEGWIT, SCRIPT_VERIFY_NULLDUMMY},
    };
    unsigned flags = SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_TAPROOT;
    for (size_t i = 0; i < p->script_flag_exception_count; i++)
        if (block_hash_equal(hash, &p->script_flag_exceptions[i].hash)) flags = p->script_flag_exceptions[i].flags;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (buried_active(p, rows[i].deployment, height)) flags |= rows[i].flag;
    return flags;
}

/* Values, maturity and relative lock times of one transaction; adds its fee to *FEES. */
static bool check_tx_spends(const struct tx *tx, const struct tx_out *outs, const coin_origin *origins,
                            const struct header_node *node, bool bip68, amount_sat *fees, struct verdict *v)
{
    char id[HASH_TEXT];
    amount_sat fee;
    struct verdict of_tx = {.kind = VERDICT_VALID};
    if (!tx_check_inputs(tx, outs, origins, node->height, &fee, &of_tx))
        return verdict_fail(v, VERDICT_CONSENSUS, of_tx.reason, "%s in transaction %s", of_tx.detail,
                            txid_text(id, &tx->txid));
    *fees += fee;
    if (!money_range(*fees))
        return verdict_fail(v, VERDICT_CONSENSUS, "bad-txns-accumulated-fee-outofrange",
                            "accumulated fee in the block out of range");
    if (bip68 && !tx_sequence_locks_met(tx, origins, node->prev, bip68))
        return verdict_fail(v, VERDICT_CONSENSUS, "bad-txns-nonfinal", "contains a non-BIP68-final transaction %s",
                            txid_text(id, &tx->txid));
    return true;
}

static bool check_coinbase_value(const struct block *b, const struct header_node *node, amount_sat fees,
                                 const struct chain_params *p, struct verdict *v)
{
    amount_sat limit = fees + block_subsidy(node->height, p), paid = 0;
    for (size_t i = 0; i < b->txs[0].out_count; i++) paid += b->txs[0].out[i].value;
    if (paid <= limit) return true;
    return verdict_fail(v, VERDICT_CONSENSUS, "bad-cb-amount", "coinbase pays too much (actual=%lld vs limit=%lld)",
                        (long long)paid, (long long)limit);
}

bool block_check_spends(const struct block *b, const struct header_node *node, const struct block_spends *spends,
                        size_t tx_limit, unsigned flags, const struct chain_params *p, amount_sat *fees,
                        struct verdict *v)
{
    bool bip68 = buried_active(p, BURIED_CSV, node->height);
    uint64_t sigop_cost = 0;
    size_t at = 0;
    *fees = 0;
    for (size_t i = 0; i < b->tx_count && i < tx_limit; i++) {
        const struct tx *tx = &b->txs[i];
        const struct tx_out *outs = NULL;
        if (i > 0) {
            CHECK(tx->in_count <= spends->count - at);
            outs = spends->outs + at;
            if (!check_tx_spends(tx, outs, spends->origins + at, node, bip68, fees, v)) return false;
            at += tx->in_count;
        }
        sigop_cost += tx_sigop_cost(tx, outs, flags);
        if (sigop_cost > MAX_BLOCK_SIGOPS_COST)
            return verdict_fail(v, VERDICT_CONSENSUS, "bad-blk-sigops", "too many sigops");
    }
    return tx_limit < b->tx_count || check_coinbase_value(b, node, *fees, p, v);
}
