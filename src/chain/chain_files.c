/* Blocks and undo data in flat files: where a record goes, how it is framed, and getting it back. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "chain/chain_internal.h"

enum {
    UNDO_CHECKSUM = 32,
    UNDO_MAX_BYTES =
        256 << 20, /* more than a block's inputs (41 bytes each) can have spent of scripts of 10,000 bytes */
};

static struct chain_file *file_at(struct chain *c, uint32_t number)
{
    if (number >= c->file_count) {
        c->files = mem_grow(c->files, &c->file_cap, (size_t)number + 1, sizeof(*c->files));
        for (; c->file_count <= number; c->file_count++) c->files[c->file_count] = (struct chain_file){.dirty = true};
    }
    return &c->files[number];
}

static void file_note_block(struct chain_file *f, const struct block_node *n, uint32_t end)
{
    uint32_t height = (uint32_t)n->header.height;
    if (!f->blocks || height < f->height_first) f->height_first = height;
    if (!f->blocks || n->header.time < f->time_first) f->time_first = n->header.time;
    if (height > f->height_last) f->height_last = height;
    if (n->header.time > f->time_last) f->time_last = n->header.time;
    f->blocks++;
    if (end > f->size) f->size = end;
    f->dirty = true;
}

static void node_note_block(struct block_node *n, uint32_t file, uint32_t pos, size_t len)
{
    n->file = file;
    n->data_pos = pos;
    n->data_len = (uint32_t)len;
    n->dirty = true;
}

static void frame(const struct chain *c, uint8_t header[RECORD_HEADER], size_t len)
{
    memcpy(header, c->params.magic, 4);
    put_le32(header + 4, (uint32_t)len);
}

/* The file that takes LEN more bytes: the last one, or a new one after closing it. */
static enum result file_for(struct chain *c, size_t len, uint32_t *number, struct error *e)
{
    uint32_t last = c->file_count ? (uint32_t)c->file_count - 1 : 0;
    struct chain_file *f = file_at(c, last);
    if (f->size && (uint64_t)f->size + len >= c->options.max_file_bytes) {
        const struct flat_store *s = &c->ports.files;
        enum result r = s->ops->sync(s->ctx, FLAT_BLOCKS, last, f->size, true, e);
        if (r) return r;
        file_at(c, ++last);
    }
    *number = last;
    return RESULT_OK;
}

enum result files_write_block(struct chain *c, struct block_node *n, struct span raw, struct error *e)
{
    const struct flat_store *s = &c->ports.files;
    uint32_t number;
    enum result r = file_for(c, raw.len + RECORD_HEADER, &number, e);
    if (r) return r;
    struct chain_file *f = &c->files[number];
    struct buffer record = {0};
    frame(c, buffer_extend(&record, RECORD_HEADER), raw.len);
    buffer_put_span(&record, raw);
    r = s->ops->write(s->ctx, FLAT_BLOCKS, number, f->size, buffer_span(&record), e);
    buffer_clear(&record);
    if (r) return r;
    prune_note_growth(c, FLAT_BLOCKS, f->size, f->size + RECORD_HEADER + raw.len);
    node_note_block(n, number, f->size + RECORD_HEADER, raw.len);
    file_note_block(f, n, f->size + RECORD_HEADER + (uint32_t)raw.len);
    return RESULT_OK;
}

void files_note_block(struct chain *c, struct block_node *n, struct span raw, const struct block_position *at)
{
    node_note_block(n, at->file, at->pos, raw.len);
    file_note_block(file_at(c, at->file), n, at->pos + (uint32_t)raw.len);
}

void chain_keep_files(struct chain *c)
{
    const struct flat_store *s = &c->ports.files;
    uint32_t count = s->ops->count(s->ctx, FLAT_BLOCKS);
    for (uint32_t n = 0; n < count; n++) {
        uint64_t size;
        if (s->ops->size(s->ctx, FLAT_BLOCKS, n, &size, NULL)) continue;
        if (size > UINT32_MAX) size = UINT32_MAX; /* full */
        struct chain_file *f = file_at(c, n);
        if (size > f->size) f->size = (uint32_t)size;
    }
}

enum result files_write_undo(struct chain *c, struct block_node *n, struct span undo, struct error *e)
{
    const struct flat_store *s = &c->ports.files;
    struct chain_file *f = file_at(c, n->file);
    struct buffer record = {0};
    frame(c, buffer_extend(&record, RECORD_HEADER), undo.len);
    buffer_put_span(&record, undo);
    undo_checksum(buffer_extend(&record, UNDO_CHECKSUM), &n->header.prev->hash, undo);
    enum result r = s->ops->write(s->ctx, FLAT_UNDO, n->file, f->undo_size, buffer_span(&record), e);
    if (!r) {
        n->undo_pos = f->undo_size + RECORD_HEADER;
        n->status |= BLOCK_HAVE_UNDO;
        n->dirty = true;
        prune_note_growth(c, FLAT_UNDO, f->undo_size, f->undo_size + record.len);
        f->undo_size += (uint32_t)record.len;
        f->dirty = true;
    }
    buffer_clear(&record);
    return r;
}

enum result files_sync(struct chain *c, struct error *e)
{
    const struct flat_store *s = &c->ports.files;
    for (uint32_t i = 0; i < c->file_count; i++) {
        if (!c->files[i].dirty || !c->files[i].size) continue;
        enum result r = s->ops->sync(s->ctx, FLAT_BLOCKS, i, c->files[i].size, false, e);
        if (!r && c->files[i].undo_size) r = s->ops->sync(s->ctx, FLAT_UNDO, i, c->files[i].undo_size, false, e);
        if (r) return r;
    }
    return RESULT_OK;
}

enum result chain_read_raw(struct chain *c, const struct block_node *n, struct buffer *out, struct error *e)
{
    const struct flat_store *s = &c->ports.files;
    char hash[HASH_TEXT];
    if (!(n->status & BLOCK_HAVE_DATA))
        return error_set(e, RESULT_NOT_FOUND, "block %s is not stored", block_hash_text(hash, &n->header.hash));
    if (!n->header.prev) { /* genesis is part of the program */
        out->len = 0;
        buffer_put_span(out, c->params.genesis_raw);
        return RESULT_OK;
    }
    uint8_t header[RECORD_HEADER];
    if (n->data_pos < RECORD_HEADER) return error_set(e, RESULT_CORRUPT, "impossible block position");
    enum result r = s->ops->read(s->ctx, FLAT_BLOCKS, n->file, n->data_pos - RECORD_HEADER, header, sizeof(header), e);
    if (r) return r;
    uint32_t len = get_le32(header + 4);
    if (memcmp(header, c->params.magic, 4) || len < HEADER_BYTES || len > MAX_BLOCK_WEIGHT)
        return error_set(e, RESULT_CORRUPT, "blk%05u.dat: no block record at %u", n->file, n->data_pos);
    out->len = 0;
    return s->ops->read(s->ctx, FLAT_BLOCKS, n->file, n->data_pos, buffer_extend(out, len), len, e);
}

/* The hash vouches for the header alone, and a damaged transaction must not look like one that breaks a rule. Blocks
 * from before segwit may have a witness all the same or, with a commitment, none, where its height was another one when
 * they came (regtest): no damage takes every witness away and leaves a block. */
static bool is_whole(const struct block *b)
{
    return !block_is_mutated(b, true) || !block_is_mutated(b, false);
}

enum result chain_read_block(struct chain *c, const struct block_node *n, struct block **out, struct error *e)
{
    struct buffer raw = {0};
    *out = NULL;
    enum result r = chain_read_raw(c, n, &raw, e);
    if (r) {
        buffer_clear(&raw);
        return r;
    }
    struct block *b = block_parse_take(raw.data, raw.len);
    bool is_ours = b && block_hash_equal(&b->hash, &n->header.hash) && is_whole(b);
    if (!is_ours) {
        if (b) block_free(b);
        return error_set(e, RESULT_CORRUPT, "blk%05u.dat: the record at %u is not the block that was written", n->file,
                         n->data_pos);
    }
    *out = b;
    return RESULT_OK;
}

static enum result read_undo_bytes(struct chain *c, const struct block_node *n, struct buffer *out, struct error *e)
{
    const struct flat_store *s = &c->ports.files;
    uint8_t header[RECORD_HEADER], sum[UNDO_CHECKSUM];
    enum result r = s->ops->read(s->ctx, FLAT_UNDO, n->file, n->undo_pos - RECORD_HEADER, header, sizeof(header), e);
    if (r) return r;
    uint32_t len = get_le32(header + 4);
    if (memcmp(header, c->params.magic, 4) || len > UNDO_MAX_BYTES)
        return error_set(e, RESULT_CORRUPT, "rev%05u.dat: no undo record at %u", n->file, n->undo_pos);
    uint8_t *to = buffer_extend(out, (size_t)len + UNDO_CHECKSUM);
    r = s->ops->read(s->ctx, FLAT_UNDO, n->file, n->undo_pos, to, (size_t)len + UNDO_CHECKSUM, e);
    if (r) return r;
    out->len = len;
    undo_checksum(sum, &n->header.prev->hash, buffer_span(out));
    if (memcmp(sum, out->data + len, UNDO_CHECKSUM))
        return error_set(e, RESULT_CORRUPT, "rev%05u.dat: wrong checksum of the record at %u", n->file, n->undo_pos);
    return RESULT_OK;
}

enum result chain_read_undo(struct chain *c, const struct block_node *n, const struct block *block, struct undo *out,
                            struct error *e)
{
    *out = (struct undo){0};
    if (!n->header.prev) return RESULT_OK;
    if (!(n->status & BLOCK_HAVE_UNDO) || n->undo_pos < RECORD_HEADER)
        return error_set(e, RESULT_NOT_FOUND, "no undo data for the block at height %d", n->header.height);
    struct buffer bytes = {0};
    enum result r = read_undo_bytes(c, n, &bytes, e);
    if (!r && !undo_read(out, buffer_span(&bytes), block))
        r = error_set(e, RESULT_CORRUPT, "rev%05u.dat: the record at %u does not fit its block", n->file, n->undo_pos);
    buffer_clear(&bytes);
    return r;
}

uint64_t chain_disk_bytes(const struct chain *c)
{
    uint64_t total = 0;
    for (size_t i = 0; i < c->file_count; i++) total += (uint64_t)c->files[i].size + c->files[i].undo_size;
    return total;
}
