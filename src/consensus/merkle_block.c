/* Partial merkle trees: proofs that some transactions are in a block (BIP37's layout).
 *
 * Both directions walk the tree depth first from the root. One flag a visited node says whether a marked transaction is
 * below; a node without one, and every leaf, has its hash listed. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/merkle.h"
#include "consensus/merkle_level.h"
#include "crypto/sha256.h"
#include "primitives/compact_size.h"

enum {
    MIN_TX_WEIGHT = 60 * WITNESS_SCALE_FACTOR,
    MAX_TREE_LEVELS = 33,
};

/* Nodes at LEVEL (0: leaves) of a tree over COUNT leaves. */
static size_t level_width(size_t count, unsigned level)
{
    return (count + ((size_t)1 << level) - 1) >> level;
}

static unsigned tree_height(size_t count)
{
    unsigned height = 0;
    while (level_width(count, height) > 1) height++;
    return height;
}

struct tree_writer {
    const uint8_t *nodes[MAX_TREE_LEVELS]; /* by level */
    const bool *marked[MAX_TREE_LEVELS];   /* by level: a marked leaf is below */
    size_t count;
    struct buffer hashes;
    struct buffer flags; /* packed, lowest bit first */
    size_t flag_count;
};

static void write_flag(struct tree_writer *w, bool flag)
{
    if (w->flag_count % 8 == 0) buffer_put_u8(&w->flags, 0);
    if (flag) w->flags.data[w->flag_count / 8] |= (uint8_t)(1u << (w->flag_count % 8));
    w->flag_count++;
}

static void write_node(struct tree_writer *w, unsigned level, size_t pos)
{
    bool marked = w->marked[level][pos];
    write_flag(w, marked);
    if (level == 0 || !marked) {
        buffer_put(&w->hashes, w->nodes[level] + 32 * pos, 32);
        return;
    }
    write_node(w, level - 1, pos * 2);
    if (pos * 2 + 1 < level_width(w->count, level - 1)) write_node(w, level - 1, pos * 2 + 1);
}

/* Fills the writer's levels over B's transactions; *NODES and *MARKED are the memory to free. */
static void build_levels(struct tree_writer *w, const struct block *b, const bool *matches, uint8_t **nodes,
                         bool **marked)
{
    size_t total = 0;
    unsigned height = tree_height(b->tx_count);
    for (unsigned level = 0; level <= height; level++) total += level_width(b->tx_count, level);
    uint8_t *node = *nodes = mem_alloc(total * 32);
    bool *mark = *marked = mem_alloc(total);
    for (size_t i = 0; i < b->tx_count; i++) memcpy(node + 32 * i, b->txs[i].txid.bytes, 32);
    memcpy(mark, matches, b->tx_count * sizeof(*mark));
    w->count = b->tx_count;
    for (unsigned level = 0;; level++) {
        size_t width = level_width(b->tx_count, level);
        w->nodes[level] = node;
        w->marked[level] = mark;
        if (level == height) return;
        for (size_t i = 0; i < (width + 1) / 2; i++)
            mark[width + i] = mark[2 * i] || (2 * i + 1 < width && mark[2 * i + 1]);
        merkle_level_up(node + 32 * width, node, width);
        node += 32 * width;
        mark += width;
    }
}

void merkle_block_write(struct buffer *out, const struct block *b, const bool *matches)
{
    CHECK(b->tx_count > 0);
    struct tree_writer w = {.count = 0};
    uint8_t *nodes;
    bool *marked;
    build_levels(&w, b, matches, &nodes, &marked);
    write_node(&w, tree_height(b->tx_count), 0);
    block_header_write(buffer_extend(out, HEADER_BYTES), &b->header);
    buffer_put_le32(out, (uint32_t)b->tx_count);
    buffer_put_compact_size(out, w.hashes.len / 32);
    buffer_put_span(out, buffer_span(&w.hashes));
    buffer_put_compact_size(out, w.flags.len);
    buffer_put_span(out, buffer_span(&w.flags));
    buffer_clear(&w.hashes);
    buffer_clear(&w.flags);
    free(nodes);
    free(marked);
}

struct tree_reader {
    struct merkle_block *out;
    const uint8_t *hashes;
    size_t hash_count, hash_next;
    const uint8_t *flags;
    size_t flag_count, flag_next;
    bool bad;
};

static void read_node(struct tree_reader *t, uint8_t hash[32], unsigned level, size_t pos);

static void read_children(struct tree_reader *t, uint8_t hash[32], unsigned level, size_t pos)
{
    uint8_t pair[64];
    read_node(t, pair, level - 1, pos * 2);
    if (pos * 2 + 1 < level_width(t->out->tx_total, level - 1)) {
        read_node(t, pair + 32, level - 1, pos * 2 + 1);
        /* Two equal branches would let another list of transactions have this root (CVE-2012-2459). */
        if (memcmp(pair, pair + 32, 32) == 0) t->bad = true;
    } else {
        memcpy(pair + 32, pair, 32);
    }
    sha256d(hash, pair, sizeof(pair));
}

static void read_node(struct tree_reader *t, uint8_t hash[32], unsigned level, size_t pos)
{
    memset(hash, 0, 32);
    if (t->bad || t->flag_next >= t->flag_count) {
        t->bad = true;
        return;
    }
    bool marked = t->flags[t->flag_next / 8] >> (t->flag_next % 8) & 1;
    t->flag_next++;
    if (level > 0 && marked) {
        read_children(t, hash, level, pos);
        return;
    }
    if (t->hash_next >= t->hash_count) {
        t->bad = true;
        return;
    }
    memcpy(hash, t->hashes + 32 * t->hash_next++, 32);
    if (!marked) return;
    struct merkle_block *out = t->out;
    memcpy(out->matched[out->matched_count].bytes, hash, 32);
    out->positions[out->matched_count++] = (uint32_t)pos;
}

bool merkle_block_read(struct merkle_block *out, struct span proof, struct arena *arena)
{
    *out = (struct merkle_block){.matched = NULL};
    struct reader r = reader_of(proof);
    block_header_read(&out->header, &r);
    out->tx_total = read_le32(&r);
    size_t hash_count = (size_t)read_compact_size(&r);
    struct span hashes = read_span(&r, hash_count * 32);
    size_t flag_bytes = (size_t)read_compact_size(&r);
    struct span flags = read_span(&r, flag_bytes);
    if (r.failed || out->tx_total == 0 || out->tx_total > MAX_BLOCK_WEIGHT / MIN_TX_WEIGHT) return false;
    if (hash_count > out->tx_total || flag_bytes * 8 < hash_count) return false;

    out->matched = arena_alloc_array(arena, hash_count, sizeof(*out->matched));
    out->positions = arena_alloc_array(arena, hash_count, sizeof(*out->positions));
    struct tree_reader t = {
        .out = out, .hashes = hashes.data, .hash_count = hash_count, .flags = flags.data, .flag_count = flag_bytes * 8};
    read_node(&t, out->root, tree_height(out->tx_total), 0);
    return !t.bad && (t.flag_next + 7) / 8 == flag_bytes && t.hash_next == hash_count;
}
