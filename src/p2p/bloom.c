/* The Bloom filter that a peer gives us (BIP37). */
#include "p2p/bloom.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/endian.h"
#include "script/standard.h"

enum { OUTPOINT_BYTES = 36 };

void bloom_load(struct bloom *b, const struct filterload_message *m)
{
    bloom_clear(b);
    b->size = m->filter.len < MAX_BLOOM_FILTER ? m->filter.len : MAX_BLOOM_FILTER;
    b->bits = mem_alloc(b->size + 1);
    if (b->size) memcpy(b->bits, m->filter.data, b->size);
    b->functions = m->functions;
    b->tweak = m->tweak;
    b->flags = m->flags;
}

void bloom_clear(struct bloom *b)
{
    free(b->bits);
    *b = (struct bloom){0};
}

static uint32_t rotl(uint32_t v, unsigned by)
{
    return v << by | v >> (32 - by);
}

static uint32_t scramble(uint32_t k)
{
    return rotl(k * UINT32_C(0xcc9e2d51), 15) * UINT32_C(0x1b873593);
}

/* MurmurHash3, 32 bits. */
static uint32_t murmur3(uint32_t h, struct span s)
{
    size_t blocks = s.len / 4;
    uint32_t rest = 0;
    for (size_t i = 0; i < blocks; i++) h = rotl(h ^ scramble(get_le32(s.data + 4 * i)), 13) * 5 + UINT32_C(0xe6546b64);
    for (size_t i = s.len; i-- > 4 * blocks;) rest = rest << 8 | s.data[i];
    h ^= scramble(rest) ^ (uint32_t)s.len;
    h = (h ^ h >> 16) * UINT32_C(0x85ebca6b);
    h = (h ^ h >> 13) * UINT32_C(0xc2b2ae35);
    return h ^ h >> 16;
}

static size_t bit_of(const struct bloom *b, uint32_t function, struct span thing)
{
    return murmur3(function * UINT32_C(0xfba4c795) + b->tweak, thing) % (b->size * 8);
}

void bloom_put(struct bloom *b, struct span thing)
{
    for (uint32_t i = 0; b->size && i < b->functions; i++) {
        size_t bit = bit_of(b, i, thing);
        b->bits[bit / 8] |= (uint8_t)(1u << bit % 8);
    }
}

bool bloom_has(const struct bloom *b, struct span thing)
{
    for (uint32_t i = 0; b->size && i < b->functions; i++) {
        size_t bit = bit_of(b, i, thing);
        if (!(b->bits[bit / 8] >> bit % 8 & 1)) return false;
    }
    return true;
}

/* ---- transactions ---- */

static struct span outpoint_bytes(uint8_t out[OUTPOINT_BYTES], const struct txid *txid, uint32_t index)
{
    memcpy(out, txid->bytes, 32);
    put_le32(out + 32, index);
    return span_of(out, OUTPOINT_BYTES);
}

/* Something that SCRIPT pushes is in the filter. */
static bool matches_script(const struct bloom *b, struct span script)
{
    size_t pos = 0;
    uint8_t opcode;
    struct span data;
    while (script_next(script, &pos, &opcode, &data))
        if (data.len && bloom_has(b, data)) return true;
    return false;
}

static bool is_updated_by(const struct bloom *b, struct span script)
{
    struct script_solution s;
    switch (b->flags & BLOOM_UPDATE_MASK) {
    case BLOOM_UPDATE_ALL: return true;
    case BLOOM_UPDATE_PUBKEY_ONLY:
        script_solve(&s, script);
        return s.kind == SCRIPT_PUBKEY || s.kind == SCRIPT_MULTISIG;
    default: return false;
    }
}

static bool matches_outputs(struct bloom *b, const struct tx *tx)
{
    uint8_t bytes[OUTPOINT_BYTES];
    bool found = false;
    for (size_t i = 0; i < tx->out_count; i++) {
        if (!matches_script(b, tx->out[i].script_pubkey)) continue;
        found = true;
        if (is_updated_by(b, tx->out[i].script_pubkey)) bloom_put(b, outpoint_bytes(bytes, &tx->txid, (uint32_t)i));
    }
    return found;
}

bool bloom_match(struct bloom *b, const struct tx *tx)
{
    uint8_t bytes[OUTPOINT_BYTES];
    if (!b->size) return true;
    bool by_id = bloom_has(b, span_of(tx->txid.bytes, sizeof(tx->txid.bytes)));
    /* The outputs in any case: they may have to be put in. */
    if (matches_outputs(b, tx) || by_id) return true;
    for (size_t i = 0; i < tx->in_count; i++) {
        const struct tx_in *in = &tx->in[i];
        if (bloom_has(b, outpoint_bytes(bytes, &in->prevout.txid, in->prevout.index))) return true;
        if (matches_script(b, in->script_sig)) return true;
    }
    return false;
}
