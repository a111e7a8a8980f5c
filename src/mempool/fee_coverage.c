/* The rates of the next block, and whether the last ones were made of what the pool knew. */
#include "mempool/fee_coverage.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "mempool/mempool.h"
#include "primitives/compact_size.h"

enum {
    FILE_VERSION = 1,
    BLOCK_WU = 4000000,
    RESERVED_WU = 8000, /* header and coinbase */
    BLOCK_SIGOPS = 80000,
    RESERVED_SIGOPS = 400,
};

void fee_coverage_add(struct fee_coverage *c, const struct fee_covered_block *block, const struct block_hash *hash)
{
    while (c->count && c->blocks[c->count - 1].height >= block->height) c->count--;
    if (c->count && c->blocks[c->count - 1].height + 1 != block->height) c->count = 0;
    if (c->count == FEE_COVERAGE_BLOCKS) memmove(c->blocks, c->blocks + 1, --c->count * sizeof(c->blocks[0]));
    c->blocks[c->count++] = *block;
    c->tip = *hash;
}

const char *fee_coverage_problem(const struct fee_coverage *c)
{
    uint64_t known = 0, total = 0;
    if (c->count < FEE_COVERAGE_BLOCKS) return "Not enough recent block data for fee rate estimation";
    for (size_t i = 0; i < c->count; i++) {
        known += c->blocks[i].known_wu;
        total += c->blocks[i].total_wu;
    }
    bool telling = total >= BLOCK_WU; /* less than one full block in six says nothing against the pool */
    return telling && known < total - total / 4 ? "Mempool is unreliable for fee rate estimation" : NULL;
}

/* ---- the next block ---- */

struct rate_list {
    struct fee_frac *items; /* satoshis, virtual bytes */
    size_t count, cap;
};

static void list_chunks(struct mempool *m, struct rate_list *out)
{
    uint64_t weight = RESERVED_WU, sigops = RESERVED_SIGOPS;
    tx_id ids[LIN_MAX];
    struct fee_frac rate;
    struct tx_graph_builder *b = tx_graph_builder_new(mempool_graph(m));
    for (unsigned n; weight < BLOCK_WU - RESERVED_WU && (n = tx_graph_builder_chunk(b, ids, &rate)) > 0;) {
        uint64_t chunk_sigops = 0, chunk_weight = 0;
        struct fee_frac v = {rate.fee, (rate.size + 3) / 4};
        if (fee_frac_cmp(v, (struct fee_frac){1, 1000}) < 0) break;
        for (unsigned i = 0; i < n; i++) {
            const struct mempool_entry *e = mempool_of_id(m, ids[i]);
            chunk_sigops += e->sigop_cost;
            chunk_weight += e->weight_wu;
        }
        if (weight + (uint64_t)rate.size >= BLOCK_WU || sigops + chunk_sigops >= BLOCK_SIGOPS) {
            tx_graph_builder_skip(b);
            continue;
        }
        tx_graph_builder_take(b);
        weight += chunk_weight;
        sigops += chunk_sigops;
        if (out->count == out->cap) out->items = mem_grow(out->items, &out->cap, out->count + 1, sizeof(v));
        out->items[out->count++] = v;
    }
    tx_graph_builder_free(b);
}

void fee_coverage_rates(struct mempool *m, struct fee_frac floor, struct fee_frac *half, struct fee_frac *most)
{
    struct rate_list chunks = {0};
    int64_t weight = 0;
    *half = *most = floor;
    list_chunks(m, &chunks);
    if (chunks.count) diagram_sort(chunks.items, chunks.count); /* rounding may have changed their order */
    for (size_t i = 0; i < chunks.count && weight < BLOCK_WU / 4 * 3; i++) {
        int64_t before = weight;
        weight += chunks.items[i].size * 4;
        if (before < BLOCK_WU / 2 && weight >= BLOCK_WU / 2) *half = chunks.items[i];
        if (weight >= BLOCK_WU / 4 * 3) *most = chunks.items[i];
    }
    free(chunks.items);
}

/* ---- the file ---- */

void fee_coverage_write(const struct fee_coverage *c, struct buffer *out)
{
    buffer_put_le32(out, FILE_VERSION);
    buffer_put_compact_size(out, c->count);
    for (size_t i = 0; i < c->count; i++) {
        buffer_put_le64(out, c->blocks[i].height);
        buffer_put_le64(out, c->blocks[i].known_wu);
        buffer_put_le64(out, c->blocks[i].total_wu);
    }
    buffer_put(out, c->tip.bytes, sizeof(c->tip.bytes));
}

enum result fee_coverage_read(struct fee_coverage *c, struct span file, const struct block_hash *tip, int32_t height,
                              struct error *e)
{
    struct reader in = reader_of(file);
    struct fee_coverage read = {0};
    if (read_le32(&in) != FILE_VERSION) return error_set(e, RESULT_CORRUPT, "another version wrote it");
    uint64_t count = read_compact_size(&in);
    if (count > FEE_COVERAGE_BLOCKS) return error_set(e, RESULT_CORRUPT, "it tells of too many blocks");
    for (read.count = 0; read.count < count; read.count++) {
        struct fee_covered_block *b = &read.blocks[read.count];
        b->height = read_le64(&in);
        b->known_wu = read_le64(&in);
        b->total_wu = read_le64(&in);
        if (b->total_wu > BLOCK_WU || b->known_wu > b->total_wu || (read.count && b->height != b[-1].height + 1))
            return error_set(e, RESULT_CORRUPT, "what it tells of blocks cannot be");
    }
    read_bytes(&in, read.tip.bytes, sizeof(read.tip.bytes));
    if (in.failed) return error_set(e, RESULT_CORRUPT, "it ends too early");
    if (read.count && (read.blocks[read.count - 1].height != (uint64_t)height ||
                       memcmp(read.tip.bytes, tip->bytes, sizeof(tip->bytes)) != 0))
        return error_set(e, RESULT_NOT_FOUND, "it ends at another block than the chain");
    *c = read;
    return RESULT_OK;
}
