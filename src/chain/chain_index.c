/* The block index on disk: one record a block, one a file.
 *
 *   'v'                format version
 *   'b' || block hash  header (80), height, status, tx_count, file, data_pos, data_len, undo_pos (u32 each)
 *   'f' || file (be32) struct chain_file, u32 and u64 fields in order
 *   'p'                present once block files were pruned
 *   'r'                present while the index is being rebuilt from the files
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "chain/chain_internal.h"

enum { INDEX_VERSION = 1 };

static void node_write(struct buffer *out, const struct block_node *n)
{
    struct block_header h;
    header_node_header(&h, &n->header);
    block_header_write(buffer_extend(out, HEADER_BYTES), &h);
    const uint32_t fields[] = {
        (uint32_t)n->header.height, n->status, n->tx_count, n->file, n->data_pos, n->data_len, n->undo_pos};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) buffer_put_le32(out, fields[i]);
}

static void file_write(struct buffer *out, const struct chain_file *f)
{
    const uint32_t fields[] = {f->blocks, f->size, f->undo_size, f->height_first, f->height_last};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) buffer_put_le32(out, fields[i]);
    buffer_put_le64(out, f->time_first);
    buffer_put_le64(out, f->time_last);
}

static void file_key(uint8_t key[5], uint32_t number)
{
    key[0] = 'f';
    for (int i = 0; i < 4; i++) key[1 + i] = (uint8_t)(number >> (24 - 8 * i));
}

static void put_dirty(struct chain *c, const struct kv_ops *ops, void *batch)
{
    struct buffer value = {0};
    uint8_t key[1 + 32] = {'b'};
    for (size_t i = 0; i < c->tree.count; i++) {
        const struct block_node *n = c->tree.nodes[i];
        if (!n->dirty) continue;
        memcpy(key + 1, n->header.hash.bytes, 32);
        value.len = 0;
        node_write(&value, n);
        ops->batch_put(batch, span_of(key, sizeof(key)), buffer_span(&value));
    }
    uint8_t fkey[5];
    for (uint32_t i = 0; i < c->file_count; i++) {
        if (!c->files[i].dirty) continue;
        file_key(fkey, i);
        value.len = 0;
        file_write(&value, &c->files[i]);
        ops->batch_put(batch, span_of(fkey, sizeof(fkey)), buffer_span(&value));
    }
    buffer_clear(&value);
}

enum result index_write_dirty(struct chain *c, struct error *e)
{
    const struct kv_ops *ops = c->ports.index.ops;
    void *batch = ops->batch_new(c->ports.index.ctx);
    uint8_t version[4];
    put_le32(version, INDEX_VERSION);
    ops->batch_put(batch, span_str("v"), span_of(version, sizeof(version)));
    if (c->reindexing)
        ops->batch_put(batch, span_str("r"), span_str("1"));
    else
        ops->batch_del(batch, span_str("r"));
    if (c->have_pruned) ops->batch_put(batch, span_str(INDEX_KEY_PRUNED), span_str("1"));
    put_dirty(c, ops, batch);
    enum result r = ops->batch_write(c->ports.index.ctx, batch, true, e);
    ops->batch_free(batch);
    if (r) return r;
    for (size_t i = 0; i < c->tree.count; i++) c->tree.nodes[i]->dirty = false;
    for (size_t i = 0; i < c->file_count; i++) c->files[i].dirty = false;
    return RESULT_OK;
}

/* ---- loading ---- */

/* A record read from disk, before its parent is known. */
struct loaded {
    struct block_header header;
    struct block_hash hash;
    uint32_t fields[7];
};

struct loaded_list {
    struct loaded *items;
    size_t count, cap;
};

static bool loaded_parse(struct loaded *out, struct span key, struct span value)
{
    if (key.len != 33 || value.len != HEADER_BYTES + 7 * 4) return false;
    struct reader r = reader_of(value);
    block_header_read(&out->header, &r);
    for (int i = 0; i < 7; i++) out->fields[i] = read_le32(&r);
    block_header_hash(&out->hash, &out->header);
    return !r.failed && !memcmp(out->hash.bytes, key.data + 1, 32);
}

static bool file_parse(struct chain *c, struct span key, struct span value)
{
    if (key.len != 5 || value.len != 5 * 4 + 2 * 8) return false;
    uint32_t number = get_be32(key.data + 1);
    if (number > 1000000) return false;
    if (number >= c->file_count) {
        c->files = mem_grow(c->files, &c->file_cap, (size_t)number + 1, sizeof(*c->files));
        for (; c->file_count <= number; c->file_count++) c->files[c->file_count] = (struct chain_file){0};
    }
    struct chain_file *f = &c->files[number];
    struct reader r = reader_of(value);
    f->blocks = read_le32(&r);
    f->size = read_le32(&r);
    f->undo_size = read_le32(&r);
    f->height_first = read_le32(&r);
    f->height_last = read_le32(&r);
    f->time_first = read_le64(&r);
    f->time_last = read_le64(&r);
    return !r.failed;
}

static enum result read_records(struct chain *c, struct loaded_list *list, struct error *e)
{
    const struct kv_ops *ops = c->ports.index.ops;
    void *iter = ops->iter_new(c->ports.index.ctx);
    struct span key, value;
    enum result r = RESULT_OK;
    ops->iter_seek(iter, span_str("b"));
    while (!r && ops->iter_next(iter, &key, &value)) {
        bool good = true;
        if (key.data[0] == 'b') {
            list->items = mem_grow(list->items, &list->cap, list->count + 1, sizeof(*list->items));
            good = loaded_parse(&list->items[list->count], key, value);
            list->count += good;
        } else if (key.data[0] == 'f') {
            good = file_parse(c, key, value);
        } else if (key.data[0] == 'p') {
            c->have_pruned = true;
        } else if (key.data[0] == 'r') {
            c->reindexing = true;
        }
        if (!good) r = error_set(e, RESULT_CORRUPT, "malformed record in the block index");
    }
    if (!r) r = ops->iter_result(iter, e);
    ops->iter_free(iter);
    return r;
}

static int by_height(const void *a, const void *b)
{
    int32_t x = (int32_t)((const struct loaded *)a)->fields[0], y = (int32_t)((const struct loaded *)b)->fields[0];
    return x < y ? -1 : x > y;
}

/* Links one record; parents come before children. */
static bool link_record(struct chain *c, const struct loaded *l)
{
    struct block_node *prev = block_tree_get(&c->tree, &l->header.prev);
    if (!prev && !block_hash_equal(&l->hash, &c->params.genesis_hash)) return false;
    if (block_tree_get(&c->tree, &l->hash)) return false;
    struct block_node *n = block_tree_add(&c->tree, &l->header, &l->hash, prev);
    if (n->header.height != (int32_t)l->fields[0]) return false;
    n->status |= l->fields[1];
    n->tx_count = l->fields[2];
    n->file = l->fields[3];
    n->data_pos = l->fields[4];
    n->data_len = l->fields[5];
    n->undo_pos = l->fields[6];
    n->sequence = 1;
    n->dirty = false;
    if (n->tx_count && (!prev || prev->chain_tx_count))
        n->chain_tx_count = (prev ? prev->chain_tx_count : 0) + n->tx_count;
    if ((n->status & BLOCK_ANY_FAILURE) &&
        (!c->best_invalid || u256_cmp(n->header.chainwork, c->best_invalid->header.chainwork) > 0))
        c->best_invalid = n;
    return true;
}

static enum result check_version(struct chain *c, struct error *e)
{
    struct buffer value = {0};
    enum result r = c->ports.index.ops->get(c->ports.index.ctx, span_str("v"), &value, e);
    if (r == RESULT_OK && (value.len != 4 || get_le32(value.data) != INDEX_VERSION))
        r = error_set(e, RESULT_CORRUPT, "the block index was written by another version");
    if (r == RESULT_NOT_FOUND) {
        void *iter = c->ports.index.ops->iter_new(c->ports.index.ctx);
        struct span k, v;
        c->ports.index.ops->iter_seek(iter, span_of(NULL, 0));
        r = RESULT_OK;
        if (c->ports.index.ops->iter_next(iter, &k, &v))
            r = error_set(e, RESULT_CORRUPT, "the block index was written by another program");
        c->ports.index.ops->iter_free(iter);
    }
    buffer_clear(&value);
    return r;
}

enum result index_load(struct chain *c, struct error *e)
{
    enum result r = check_version(c, e);
    if (r) return r;
    struct loaded_list list = {0};
    r = read_records(c, &list, e);
    if (!r && list.count) qsort(list.items, list.count, sizeof(*list.items), by_height);
    for (size_t i = 0; !r && i < list.count; i++)
        if (!link_record(c, &list.items[i]))
            r = error_set(e, RESULT_CORRUPT, "the block index does not link up at height %u", list.items[i].fields[0]);
    free(list.items);
    block_tree_update_best_header(&c->tree);
    return r;
}
