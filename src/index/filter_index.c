/* -blockfilterindex: the basic compact filter of every block (BIP157, BIP158).
 *
 *   'h' || height (be32) || hash  hash and header of the filter
 *   'f' || height (be32) || hash  the filter
 *
 * Records of blocks that left the chain stay: they may still be asked for. The state beside them is the header of the
 * best block's filter, on which the next one builds. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/endian.h"
#include "index/block_filter.h"
#include "index/follow.h"

enum { FILTER_KEY = 1 + 4 + 32 };

struct filter_index {
    struct index_follow follow;
    uint8_t header[32]; /* of the best block; zeroes: nothing yet */
};

static struct span filter_key(uint8_t key[FILTER_KEY], uint8_t kind, const struct block_node *n)
{
    key[0] = kind;
    put_be32(key + 1, (uint32_t)n->header.height);
    memcpy(key + 5, n->header.hash.bytes, 32);
    return span_of(key, FILTER_KEY);
}

static enum result malformed(const struct block_node *n, struct error *e)
{
    return error_set(e, RESULT_CORRUPT, "basic block filter index: the record at height %d is malformed",
                     n->header.height);
}

/* ---- asking ---- */

enum result filter_index_get(struct filter_index *x, const struct block_node *n, struct filter_record *out,
                             struct error *e)
{
    const struct kv_store *s = &x->follow.store;
    struct buffer value = {0};
    uint8_t key[FILTER_KEY];
    enum result r = s->ops->get(s->ctx, filter_key(key, 'h', n), &value, e);
    if (!r && value.len != sizeof(out->hash) + sizeof(out->header)) r = malformed(n, e);
    if (!r) {
        memcpy(out->hash, value.data, 32);
        memcpy(out->header, value.data + 32, 32);
    }
    buffer_clear(&value);
    return r;
}

enum result filter_index_read(struct filter_index *x, const struct block_node *n, struct buffer *out, struct error *e)
{
    const struct kv_store *s = &x->follow.store;
    struct filter_record record;
    uint8_t key[FILTER_KEY], hash[32];
    enum result r = filter_index_get(x, n, &record, e);
    if (r) return r;
    r = s->ops->get(s->ctx, filter_key(key, 'f', n), out, e);
    if (r) return r == RESULT_NOT_FOUND ? malformed(n, e) : r;
    block_filter_hash(hash, buffer_span(out));
    return memcmp(hash, record.hash, 32) ? malformed(n, e) : RESULT_OK;
}

/* ---- following ---- */

static enum result add_block(void *index, const struct index_block *b, struct error *e)
{
    struct filter_index *x = index;
    const struct kv_ops *ops = x->follow.store.ops;
    struct buffer filter = {0};
    uint8_t key[FILTER_KEY], record[64];
    (void)e;
    block_filter_write(&filter, b->block, b->undo);
    block_filter_hash(record, buffer_span(&filter));
    block_filter_header(record + 32, record, x->header);
    memcpy(x->header, record + 32, 32);
    ops->batch_put(b->batch, filter_key(key, 'f', b->node), buffer_span(&filter));
    ops->batch_put(b->batch, filter_key(key, 'h', b->node), span_of(record, sizeof(record)));
    buffer_clear(&filter);
    return RESULT_OK;
}

/* Makes HEADER that of N (NULL: nothing). */
static enum result set_header(struct filter_index *x, const struct block_node *n, struct error *e)
{
    struct filter_record record = {0};
    enum result r = n ? filter_index_get(x, n, &record, e) : RESULT_OK;
    if (r == RESULT_NOT_FOUND)
        r = error_set(e, RESULT_CORRUPT, "basic block filter index: the record at height %d is missing",
                      n->header.height);
    memcpy(x->header, record.header, 32);
    return r;
}

static enum result take_back_block(void *index, const struct index_block *b, struct error *e)
{
    return set_header(index, block_node_prev(b->node), e);
}

static void save_header(void *index, struct buffer *out)
{
    struct filter_index *x = index;
    buffer_put(out, x->header, sizeof(x->header));
}

static enum result load_header(void *index, const struct block_node *n, struct span state, struct error *e)
{
    struct filter_index *x = index;
    enum result r = set_header(x, n, e);
    if (!r && n && !span_equal(state, span_of(x->header, sizeof(x->header)))) r = malformed(n, e);
    return r;
}

static const struct index_ops filter_ops = {.name = "basic block filter index",
                                            .wants_undo = true,
                                            .add = add_block,
                                            .take_back = take_back_block,
                                            .save = save_header,
                                            .load = load_header};

/* ---- the index ---- */

enum result filter_index_open(struct filter_index **out, struct kv_store store, struct chain *chain, struct log *log,
                              struct error *e)
{
    struct filter_index *x = mem_calloc(1, sizeof(*x));
    enum result r = index_follow_open(&x->follow, &filter_ops, x, store, chain, log, e);
    *out = r ? NULL : x;
    if (r) filter_index_free(x);
    return r;
}

enum result filter_index_flush(struct filter_index *x, struct error *e)
{
    return index_follow_flush(&x->follow, e);
}

void filter_index_free(struct filter_index *x)
{
    free(x);
}

enum result filter_index_on_notice(struct filter_index *x, const struct notice *notice, struct error *e)
{
    return index_follow_notice(&x->follow, notice, e);
}

enum result filter_index_catch_up(struct filter_index *x, unsigned blocks, bool *synced, struct error *e)
{
    return index_follow_catch_up(&x->follow, blocks, synced, e);
}

void filter_index_info(const struct filter_index *x, struct index_info *out)
{
    index_follow_info(&x->follow, out);
}
