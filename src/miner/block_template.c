/* A block on the tip and its nonce. */
#include "miner/block_template.h"

#include "consensus/merkle.h"
#include "consensus/pow.h"
#include "consensus/versionbits.h"
#include "crypto/sha256.h"
#include "primitives/compact_size.h"
#include "script/script.h"

enum { COINBASE_VERSION = 2, COINBASE_SEQUENCE = 0xfffffffe, COMMITMENT_BYTES = 38, SMALL_HEIGHT = 16 };

int64_t template_least_time(const struct chain *c, const struct header_node *tip)
{
    int64_t least = header_median_time(tip) + 1;
    if ((tip->height + 1) % retarget_interval(&c->params) == 0 && (int64_t)tip->time - MAX_TIMEWARP_S > least)
        least = (int64_t)tip->time - MAX_TIMEWARP_S;
    return least;
}

static uint32_t template_time(const struct chain *c, const struct header_node *tip, int64_t now_s)
{
    int64_t least = template_least_time(c, tip);
    return (uint32_t)(now_s > least ? now_s : least);
}

static void put_height(struct buffer *out, int32_t height)
{
    struct buffer script = {0};
    script_put_int(&script, height);
    if (height <= SMALL_HEIGHT) buffer_put_u8(&script, OP_0); /* a coinbase script has at least two bytes */
    buffer_put_compact_size(out, script.len);
    buffer_put_span(out, buffer_span(&script));
    buffer_clear(&script);
}

/* The scriptPubKey that commits to the wtxids of TXS, the coinbase's counting as zero. */
static void make_commitment(uint8_t script[COMMITMENT_BYTES], const struct tx *txs, size_t count)
{
    static const uint8_t head[6] = {OP_RETURN, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    struct buffer leaves = {0};
    uint8_t both[64] = {0}; /* root and the reserved value, which is zero */
    memset(buffer_extend(&leaves, 32), 0, 32);
    for (size_t i = 0; i < count; i++) buffer_put(&leaves, txs[i].wtxid.bytes, 32);
    merkle_root(both, leaves.data, count + 1, NULL);
    memcpy(script, head, sizeof(head));
    sha256d(script + sizeof(head), both, sizeof(both));
    buffer_clear(&leaves);
}

static void put_coinbase(struct buffer *out, int32_t height, amount_sat value, struct span script_pubkey,
                         const uint8_t commitment[COMMITMENT_BYTES], bool witness)
{
    static const uint8_t nothing[32];
    buffer_put_le32(out, COINBASE_VERSION);
    if (witness) buffer_put(out, "\x00\x01", 2);
    buffer_put_u8(out, 1);
    buffer_put(out, nothing, 32);
    buffer_put_le32(out, OUTPOINT_NULL);
    put_height(out, height);
    buffer_put_le32(out, COINBASE_SEQUENCE);
    buffer_put_u8(out, 2);
    struct tx_out reward = {.value = value, .script_pubkey = script_pubkey};
    tx_out_write(out, &reward);
    struct tx_out commit = {.value = 0, .script_pubkey = span_of(commitment, COMMITMENT_BYTES)};
    tx_out_write(out, &commit);
    if (witness) {
        buffer_put(out, "\x01\x20", 2);
        buffer_put(out, nothing, 32);
    }
    buffer_put_le32(out, (uint32_t)height - 1);
}

static void template_merkle_root(uint8_t root[32], struct span coinbase_base, const struct tx *txs, size_t count)
{
    struct buffer leaves = {0};
    sha256d(buffer_extend(&leaves, 32), coinbase_base.data, coinbase_base.len);
    for (size_t i = 0; i < count; i++) buffer_put(&leaves, txs[i].txid.bytes, 32);
    merkle_root(root, leaves.data, count + 1, NULL);
    buffer_clear(&leaves);
}

void block_template_build(struct chain *c, int64_t now_s, struct span script_pubkey, const struct tx *txs,
                          size_t tx_count, amount_sat fees_sat, struct buffer *out)
{
    const struct header_node *tip = &chain_tip(c)->header;
    int32_t height = tip->height + 1;
    bool segwit = buried_active(&c->params, BURIED_SEGWIT, height);
    uint8_t commitment[COMMITMENT_BYTES];
    make_commitment(commitment, txs, tx_count); /* as Core, also where nobody asks for it yet */
    amount_sat value = block_subsidy(height, &c->params) + fees_sat;
    struct buffer base = {0};
    put_coinbase(&base, height, value, script_pubkey, commitment, false);

    struct block_header h = {.version = versionbits_compute(&c->params, tip), .prev = tip->hash};
    h.time = template_time(c, tip, now_s);
    h.bits = pow_next_bits(tip, h.time, &c->params);
    template_merkle_root(h.merkle_root, buffer_span(&base), txs, tx_count);
    buffer_clear(&base);

    block_header_write(buffer_extend(out, HEADER_BYTES), &h);
    buffer_put_compact_size(out, tx_count + 1);
    put_coinbase(out, height, value, script_pubkey, commitment, segwit);
    for (size_t i = 0; i < tx_count; i++) tx_write(out, &txs[i]);
}

bool nonce_search(uint8_t header[HEADER_BYTES], const struct chain_params *p, uint64_t *tries)
{
    enum { NONCE_AT = 76, BITS_AT = 72 };
    struct sha256 start;
    sha256_init(&start);
    sha256_put(&start, header, 64);
    uint32_t bits = get_le32(header + BITS_AT), nonce = get_le32(header + NONCE_AT);
    for (; *tries; --*tries) {
        struct sha256 h = start;
        struct block_hash hash;
        put_le32(header + NONCE_AT, nonce);
        sha256_put(&h, header + 64, HEADER_BYTES - 64);
        sha256_final_double(&h, hash.bytes);
        if (pow_check(&hash, bits, p)) return true;
        if (nonce == UINT32_MAX) return false;
        nonce++;
    }
    return false;
}
