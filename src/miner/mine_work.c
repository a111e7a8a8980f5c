/* From a template to headers and blocks. */
#include "miner/mine_work.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/endian.h"
#include "consensus/merkle.h"
#include "crypto/sha256.h"
#include "primitives/compact_size.h"
#include "script/script.h"

enum {
    COINBASE_VERSION = 2,
    COINBASE_SEQUENCE = 0xfffffffe,
    SCRIPT_SIG_LIMIT = 100, /* consensus: 2 to 100 bytes */
    EXTRANONCE_BYTES = 8,
    MAX_SCRIPT_PUBKEY = 10000,
};

void mine_template_clear(struct mine_template *t)
{
    buffer_clear(&t->commitment);
    buffer_clear(&t->aux);
    buffer_clear(&t->txids);
    buffer_clear(&t->wtxids);
    buffer_clear(&t->txs);
    *t = (struct mine_template){0};
}

bool mine_template_add_tx(struct mine_template *t, struct span raw)
{
    struct arena arena = {0};
    struct tx tx;
    bool ok = tx_parse(&tx, raw, &arena, 0) && !tx_is_coinbase(&tx);
    if (ok) {
        buffer_put(&t->txids, tx.txid.bytes, 32);
        buffer_put(&t->wtxids, tx.wtxid.bytes, 32);
        buffer_put_span(&t->txs, raw);
        t->tx_count++;
    }
    arena_clear(&arena);
    return ok;
}

/* The script that commits to the wtxids (BIP141), the coinbase's counting as zero and the reserved value being zero. */
static void make_commitment(struct buffer *out, const struct mine_template *t)
{
    static const uint8_t head[6] = {OP_RETURN, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    struct buffer leaves = {0};
    uint8_t both[64] = {0};
    memset(buffer_extend(&leaves, 32), 0, 32);
    buffer_put_span(&leaves, buffer_span(&t->wtxids));
    merkle_root(both, leaves.data, t->tx_count + 1, NULL);
    buffer_put(out, head, sizeof(head));
    sha256d(buffer_extend(out, 32), both, sizeof(both));
    buffer_clear(&leaves);
}

/* Height (BIP34), what the node wants there, extranonce. */
static void put_script_sig(struct buffer *out, const struct mine_plan *p, uint64_t extranonce)
{
    script_put_int(out, p->t.height);
    buffer_put_span(out, buffer_span(&p->t.aux));
    buffer_put_u8(out, EXTRANONCE_BYTES);
    buffer_put_le64(out, extranonce);
}

static bool check_plan(const struct mine_plan *p, struct buffer *error)
{
    struct buffer script_sig = {0};
    put_script_sig(&script_sig, p, 0);
    bool fits = script_sig.len <= SCRIPT_SIG_LIMIT;
    buffer_clear(&script_sig);
    if (p->t.height < 1 || p->t.coinbase_value < 0 || p->t.coinbase_value > MAX_MONEY_SAT)
        buffer_put_str(error, "the template has an impossible height or coinbasevalue");
    else if (!fits)
        buffer_put_str(error, "the template wants more in the coinbase than fits");
    else if (u256_is_zero(p->t.target))
        buffer_put_str(error, "the template's target is zero");
    else if (p->commitment.len > MAX_SCRIPT_PUBKEY)
        buffer_put_str(error, "the template's default_witness_commitment is too long");
    else
        return true;
    return false;
}

bool mine_plan_init(struct mine_plan *p, struct mine_template *t_taken, struct span script_pubkey, struct buffer *error)
{
    *p = (struct mine_plan){.t = *t_taken};
    *t_taken = (struct mine_template){0};
    buffer_put_span(&p->script, script_pubkey);
    if (p->t.commitment.len)
        buffer_put_span(&p->commitment, buffer_span(&p->t.commitment));
    else if (p->t.witness)
        make_commitment(&p->commitment, &p->t);
    struct buffer leaves = {0};
    memset(buffer_extend(&leaves, 32), 0, 32);
    buffer_put_span(&leaves, buffer_span(&p->t.txids));
    merkle_branch(&p->branch, leaves.data, p->t.tx_count + 1, 0);
    buffer_clear(&leaves);
    return check_plan(p, error);
}

void mine_plan_clear(struct mine_plan *p)
{
    mine_template_clear(&p->t);
    buffer_clear(&p->script);
    buffer_clear(&p->commitment);
    buffer_clear(&p->branch);
}

void mine_coinbase(const struct mine_plan *p, uint64_t extranonce, bool witness, struct buffer *out)
{
    static const uint8_t nothing[32];
    struct buffer script_sig = {0};
    put_script_sig(&script_sig, p, extranonce);
    buffer_put_le32(out, COINBASE_VERSION);
    if (witness) buffer_put(out, "\x00\x01", 2);
    buffer_put_u8(out, 1);
    buffer_put(out, nothing, 32);
    buffer_put_le32(out, OUTPOINT_NULL);
    buffer_put_compact_size(out, script_sig.len);
    buffer_put_span(out, buffer_span(&script_sig));
    buffer_clear(&script_sig);
    buffer_put_le32(out, COINBASE_SEQUENCE);
    buffer_put_u8(out, p->commitment.len ? 2 : 1);
    struct tx_out reward = {.value = p->t.coinbase_value, .script_pubkey = buffer_span(&p->script)};
    tx_out_write(out, &reward);
    struct tx_out commit = {.value = 0, .script_pubkey = buffer_span(&p->commitment)};
    if (p->commitment.len) tx_out_write(out, &commit);
    if (witness) {
        buffer_put(out, "\x01\x20", 2); /* one item: the reserved value */
        buffer_put(out, nothing, 32);
    }
    buffer_put_le32(out, (uint32_t)p->t.height - 1); /* not final before its height, as Bitcoin Core's are */
}

static void coinbase_root(const struct mine_plan *p, uint64_t extranonce, uint8_t root[32])
{
    struct buffer coinbase = {0};
    mine_coinbase(p, extranonce, false, &coinbase);
    sha256d(root, coinbase.data, coinbase.len);
    for (size_t at = 0; at < p->branch.len; at += 32) {
        uint8_t both[64];
        memcpy(both, root, 32);
        memcpy(both + 32, p->branch.data + at, 32);
        sha256d(root, both, sizeof(both));
    }
    buffer_clear(&coinbase);
}

int32_t mine_version(int32_t version, uint32_t mask, uint32_t count)
{
    uint32_t v = (uint32_t)version;
    for (; mask; mask &= mask - 1, count >>= 1)
        if (count & 1) v ^= mask & (0 - mask);
    return (int32_t)v;
}

uint32_t mine_version_count(const struct mine_plan *p)
{
    return UINT32_C(1) << __builtin_popcount(p->t.rolling_mask & MINE_ROLLING_MASK);
}

void mine_header(const struct mine_plan *p, const struct mine_roll *roll, uint8_t header[HEADER_BYTES])
{
    const struct mine_template *t = &p->t;
    uint32_t add = roll->time_add < t->time_roll ? roll->time_add : t->time_roll;
    struct block_header h = {.version = mine_version(t->version, t->rolling_mask, roll->version_bits),
                             .prev = t->prev,
                             .time = t->time + add,
                             .bits = t->bits};
    coinbase_root(p, roll->extranonce, h.merkle_root);
    block_header_write(header, &h);
}

void mine_block(const struct mine_plan *p, const uint8_t header[HEADER_BYTES], uint64_t extranonce, struct buffer *out)
{
    buffer_put(out, header, HEADER_BYTES);
    buffer_put_compact_size(out, p->t.tx_count + 1);
    mine_coinbase(p, extranonce, p->commitment.len > 0, out);
    buffer_put_span(out, buffer_span(&p->t.txs));
}

bool mine_meets(const uint8_t header[HEADER_BYTES], const struct u256 *target)
{
    uint8_t hash[32];
    sha256d(hash, header, HEADER_BYTES);
    return u256_cmp(u256_from_le(hash), *target) <= 0;
}

double mine_expected_hashes(const struct u256 *target)
{
    return 0x1p256 / (u256_to_double(*target) + 1);
}
