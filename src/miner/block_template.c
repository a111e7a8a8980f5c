/* A block on the tip and its nonce. */
#include "miner/block_template.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/merkle.h"
#include "consensus/pow.h"
#include "consensus/versionbits.h"
#include "crypto/sha256.h"
#include "primitives/compact_size.h"
#include "script/script.h"

enum { COINBASE_VERSION = 2, COINBASE_SEQUENCE = 0xfffffffe, COMMITMENT_BYTES = 38, SMALL_HEIGHT = 16 };
enum { ROOT_AT = 36, HEAD_ROOM = 1000 };

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

/* What stands behind the coinbase. */
struct content {
    const struct tx *const *txs;
    size_t count;
    amount_sat fees_sat;
};

/* The scriptPubKey that commits to the wtxids, the coinbase's counting as zero. */
static void make_commitment(uint8_t script[COMMITMENT_BYTES], const struct content *content)
{
    static const uint8_t head[6] = {OP_RETURN, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    struct buffer leaves = {0};
    uint8_t both[64] = {0}; /* root and the reserved value, which is zero */
    uint8_t *at = buffer_extend(&leaves, (content->count + 1) * 32);
    memset(at, 0, 32);
    for (size_t i = 0; i < content->count; i++) memcpy(at + 32 * (i + 1), content->txs[i]->wtxid.bytes, 32);
    merkle_root(both, leaves.data, content->count + 1, NULL);
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

/* As it came, where it came from somewhere. */
static void put_tx(struct buffer *out, const struct tx *tx)
{
    if (tx->raw.len)
        buffer_put_span(out, tx->raw);
    else
        tx_write(out, tx);
}

/* Appends the block, but for its merkle root; BASE (may be NULL) gets the coinbase without witness. */
static void put_block(struct buffer *out, struct chain *c, int64_t now_s, const struct content *content,
                      const struct template_wishes *wishes, struct buffer *base)
{
    const struct header_node *tip = &chain_tip(c)->header;
    int32_t height = tip->height + 1;
    bool segwit = buried_active(&c->params, BURIED_SEGWIT, height);
    uint8_t commitment[COMMITMENT_BYTES];
    make_commitment(commitment, content); /* as Core, also where nobody asks for it yet */
    amount_sat value = block_subsidy(height, &c->params) + content->fees_sat;
    struct block_header h = {.version = wishes->version, .prev = tip->hash, .time = template_time(c, tip, now_s)};
    if (!h.version) h.version = versionbits_compute(&c->params, tip);
    h.bits = pow_next_bits(tip, h.time, &c->params);
    if (base) put_coinbase(base, height, value, wishes->script_pubkey, commitment, false);
    block_header_write(buffer_extend(out, HEADER_BYTES), &h);
    buffer_put_compact_size(out, content->count + 1);
    put_coinbase(out, height, value, wishes->script_pubkey, commitment, segwit);
    for (size_t i = 0; i < content->count; i++) put_tx(out, content->txs[i]);
}

void block_template_build(struct chain *c, int64_t now_s, struct span script_pubkey, const struct tx *txs,
                          size_t tx_count, amount_sat fees_sat, struct buffer *out)
{
    struct buffer base = {0}, leaves = {0};
    size_t start = out->len;
    const struct tx **list = mem_alloc((tx_count + 1) * sizeof(*list));
    for (size_t i = 0; i < tx_count; i++) list[i] = &txs[i];
    const struct content content = {list, tx_count, fees_sat};
    put_block(out, c, now_s, &content, &(struct template_wishes){.script_pubkey = script_pubkey}, &base);
    sha256d(buffer_extend(&leaves, 32), base.data, base.len);
    for (size_t i = 0; i < tx_count; i++) buffer_put(&leaves, txs[i].txid.bytes, 32);
    merkle_root(out->data + start + ROOT_AT, leaves.data, tx_count + 1, NULL);
    buffer_clear(&leaves);
    buffer_clear(&base);
    free(list);
}

/* ---- templates ---- */

static size_t choice_bytes(const struct template_choice *choice)
{
    size_t bytes = 0;
    for (size_t i = 0; i < choice->count; i++) bytes += choice->entries[i]->tx.size;
    return bytes;
}

/* Parses what was put together; the hashes are taken over from the pool, but for the coinbase's. */
static struct block *adopt(struct buffer *raw_taken, const struct content *content)
{
    struct block *b = block_parse_unhashed(buffer_span(raw_taken));
    CHECK(b);
    CHECK(b->tx_count == content->count + 1);
    b->owned = raw_taken->data;
    tx_hash(&b->txs[0]);
    for (size_t i = 0; i < content->count; i++) {
        b->txs[i + 1].txid = content->txs[i]->txid;
        b->txs[i + 1].wtxid = content->txs[i]->wtxid;
    }
    return b;
}

struct block_template *block_template_new(struct chain *c, int64_t now_s, const struct template_choice *choice,
                                          const struct template_wishes *wishes)
{
    static const struct template_choice nothing;
    if (!choice) choice = &nothing;
    struct block_template *t = mem_calloc(1, sizeof(*t));
    struct buffer raw = {0};
    const struct tx **list = mem_alloc((choice->count + 1) * sizeof(*list));
    t->of = mem_alloc((choice->count + 1) * sizeof(*t->of));
    for (size_t i = 0; i < choice->count; i++) {
        const struct mempool_entry *e = choice->entries[i];
        list[i] = &e->tx;
        t->of[i] = (struct template_tx){.fee = e->fee, .sigop_cost = e->sigop_cost};
    }
    const struct content content = {list, choice->count, choice->fees_sat};
    buffer_reserve(&raw, choice_bytes(choice) + HEAD_ROOM);
    put_block(&raw, c, now_s, &content, wishes, NULL);
    t->block = adopt(&raw, &content);
    t->height = chain_height(c) + 1;
    t->fees_sat = choice->fees_sat;
    t->sigop_cost = choice->sigop_cost;
    t->weight_wu = choice->weight_wu;
    t->made_s = now_s;
    free(list);
    return t;
}

void block_template_free(struct block_template *t)
{
    if (!t) return;
    block_free(t->block);
    free(t->of);
    free(t);
}

/* The header has changed: so do the bytes and the hash. */
static void write_header(struct block *b)
{
    block_header_write(b->owned, &b->header);
    block_header_hash(&b->hash, &b->header);
}

void block_template_seal(struct block_template *t)
{
    block_merkle_root(t->block->header.merkle_root, t->block, NULL);
    write_header(t->block);
}

void block_template_update_time(struct block_template *t, struct chain *c, int64_t now_s)
{
    const struct header_node *tip = &chain_tip(c)->header;
    struct block_header *h = &t->block->header;
    uint32_t time = template_time(c, tip, now_s);
    if (time > h->time) h->time = time;
    if (c->params.allow_min_difficulty) h->bits = pow_next_bits(tip, h->time, &c->params);
    write_header(t->block);
}

bool block_template_solve(struct block_template *t, const struct chain_params *p, uint64_t *tries)
{
    bool found = nonce_search(t->block->owned, p, tries);
    struct reader r = reader_of(span_of(t->block->owned, HEADER_BYTES));
    block_header_read(&t->block->header, &r);
    block_header_hash(&t->block->hash, &t->block->header);
    return found;
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
