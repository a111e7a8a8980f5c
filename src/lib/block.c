/* Public blocks: parse, look inside, serialise, check what needs no other block. */
#include "lib/handles.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "consensus/block_check.h"

struct cairn_block *cairn_block_wrap(struct block *block_taken)
{
    struct cairn_block *b = mem_calloc(1, sizeof *b);
    b->block = block_taken;
    b->txs = mem_calloc(block_taken->tx_count, sizeof *b->txs);
    for (size_t i = 0; i < block_taken->tx_count; i++) b->txs[i].tx = block_taken->txs[i];
    return b;
}

struct cairn_block *cairn_block_parse(const uint8_t *raw, size_t len)
{
    struct block *block = block_parse_take(mem_dup(raw, len), len);
    return block ? cairn_block_wrap(block) : NULL;
}

void cairn_block_free(struct cairn_block *block)
{
    if (!block) return;
    block_free(block->block);
    free(block->txs);
    free(block);
}

size_t cairn_block_write(const struct cairn_block *block, uint8_t *out, size_t cap)
{
    return copy_out(block->block->raw, out, cap);
}

void cairn_block_hash(const struct cairn_block *block, uint8_t out[32])
{
    memcpy(out, block->block->hash.bytes, 32);
}

void cairn_block_header(const struct cairn_block *block, struct cairn_header *out)
{
    const struct block_header *h = &block->block->header;
    *out = (struct cairn_header){.version = h->version, .time = h->time, .bits = h->bits, .nonce = h->nonce};
    memcpy(out->prev, h->prev.bytes, 32);
    memcpy(out->merkle_root, h->merkle_root, 32);
}

size_t cairn_block_size(const struct cairn_block *block)
{
    return block->block->raw.len;
}

uint64_t cairn_block_weight(const struct cairn_block *block)
{
    return block_weight(block->block);
}

size_t cairn_block_tx_count(const struct cairn_block *block)
{
    return block->block->tx_count;
}

const struct cairn_tx *cairn_block_tx(const struct cairn_block *block, size_t index)
{
    return index < block->block->tx_count ? &block->txs[index] : NULL;
}

bool cairn_block_check(const struct cairn_block *block, const char *network, struct cairn_verdict *verdict)
{
    *verdict = (struct cairn_verdict){.valid = false};
    const struct chain_params *params = chain_params_find(network);
    if (!params) {
        snprintf(verdict->reason, sizeof verdict->reason, "unknown-network");
        return false;
    }
    struct verdict v = {0};
    const struct block *b = block->block;
    verdict->valid = header_check(&b->header, &b->hash, params, &v) && block_check(b, params, 0, &v);
    if (!verdict->valid) {
        snprintf(verdict->reason, sizeof verdict->reason, "%s", v.reason);
        snprintf(verdict->detail, sizeof verdict->detail, "%.*s", (int)sizeof verdict->detail - 1, v.detail);
    }
    return verdict->valid;
}
