/* -txindex: which block of the active chain holds a transaction.
 *
 *   't' || txid  one entry, or several for a coinbase that was made again (BIP30), newest first:
 *                height (le32) and the first 8 bytes of the block's hash */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/endian.h"
#include "index/follow.h"

enum { TX_KEY = 1 + 32, TX_ENTRY = 4 + 8 };

struct tx_index {
    struct index_follow follow;
};

static void tx_key(uint8_t key[TX_KEY], const struct txid *id)
{
    key[0] = 't';
    memcpy(key + 1, id->bytes, 32);
}

/* Before BIP34 a coinbase can repeat an older one. */
static bool may_repeat(const struct tx_index *x, const struct block_node *n, size_t position)
{
    return position == 0 && n->header.height < x->follow.chain->params.buried[BURIED_BIP34];
}

static enum result read_entries(const struct tx_index *x, const uint8_t key[TX_KEY], struct buffer *out,
                                struct error *e)
{
    const struct kv_store *s = &x->follow.store;
    enum result r = s->ops->get(s->ctx, span_of(key, TX_KEY), out, e);
    if (r) {
        out->len = 0;
        return r;
    }
    if (out->len == 0 || out->len % TX_ENTRY) return error_set(e, RESULT_CORRUPT, "txindex: malformed record");
    return RESULT_OK;
}

/* As in Core, the coinbase of genesis is not there: nothing can spend it. */
static enum result add_block(void *index, const struct index_block *b, struct error *e)
{
    struct tx_index *x = index;
    const struct kv_ops *ops = x->follow.store.ops;
    struct buffer older = {0}, entries = {0};
    uint8_t key[TX_KEY], entry[TX_ENTRY];
    enum result r = RESULT_OK;
    put_le32(entry, (uint32_t)b->node->header.height);
    memcpy(entry + 4, b->node->header.hash.bytes, 8);
    for (size_t i = 0; !r && b->node->header.prev && i < b->block->tx_count; i++) {
        tx_key(key, &b->block->txs[i].txid);
        entries.len = 0;
        buffer_put(&entries, entry, sizeof(entry));
        if (may_repeat(x, b->node, i)) {
            r = read_entries(x, key, &older, e);
            if (r == RESULT_NOT_FOUND) r = RESULT_OK;
            buffer_put_span(&entries, buffer_span(&older));
        }
        ops->batch_put(b->batch, span_of(key, sizeof(key)), buffer_span(&entries));
    }
    buffer_clear(&older);
    buffer_clear(&entries);
    return r;
}

static enum result take_back_block(void *index, const struct index_block *b, struct error *e)
{
    struct tx_index *x = index;
    const struct kv_ops *ops = x->follow.store.ops;
    struct buffer entries = {0};
    uint8_t key[TX_KEY];
    enum result r = RESULT_OK;
    for (size_t i = 0; !r && b->node->header.prev && i < b->block->tx_count; i++) {
        tx_key(key, &b->block->txs[i].txid);
        entries.len = 0;
        if (may_repeat(x, b->node, i)) r = read_entries(x, key, &entries, e);
        if (entries.len > TX_ENTRY)
            ops->batch_put(b->batch, span_of(key, sizeof(key)), span_from(buffer_span(&entries), TX_ENTRY));
        else
            ops->batch_del(b->batch, span_of(key, sizeof(key)));
    }
    if (r == RESULT_NOT_FOUND) r = error_set(e, RESULT_CORRUPT, "txindex: a coinbase to be taken back is missing");
    buffer_clear(&entries);
    return r;
}

/* The records are all there is: no state beside them. */
static void save_nothing(void *index, struct buffer *out)
{
    (void)index;
    (void)out;
}

static enum result load_nothing(void *index, const struct block_node *n, struct span state, struct error *e)
{
    (void)index;
    (void)n;
    return state.len ? error_set(e, RESULT_CORRUPT, "txindex: malformed state") : RESULT_OK;
}

static const struct index_ops tx_index_ops = {
    .name = "txindex", .add = add_block, .take_back = take_back_block, .save = save_nothing, .load = load_nothing};

enum result tx_index_open(struct tx_index **out, struct kv_store store, struct chain *chain, struct log *log,
                          struct error *e)
{
    struct tx_index *x = mem_calloc(1, sizeof(*x));
    enum result r = index_follow_open(&x->follow, &tx_index_ops, x, store, chain, log, e);
    *out = r ? NULL : x;
    if (r) tx_index_free(x);
    return r;
}

enum result tx_index_flush(struct tx_index *x, struct error *e)
{
    return index_follow_flush(&x->follow, e);
}

void tx_index_free(struct tx_index *x)
{
    free(x);
}

enum result tx_index_on_notice(struct tx_index *x, const struct notice *notice, struct error *e)
{
    return index_follow_notice(&x->follow, notice, e);
}

enum result tx_index_catch_up(struct tx_index *x, unsigned blocks, bool *synced, struct error *e)
{
    return index_follow_catch_up(&x->follow, blocks, synced, e);
}

void tx_index_info(const struct tx_index *x, struct index_info *out)
{
    index_follow_info(&x->follow, out);
}

enum result tx_index_find(struct tx_index *x, const struct txid *id, struct block_node **node, struct error *e)
{
    struct buffer entries = {0};
    uint8_t key[TX_KEY];
    tx_key(key, id);
    *node = NULL;
    enum result r = read_entries(x, key, &entries, e);
    if (!r) {
        struct block_node *n = chain_at(x->follow.chain, (int32_t)get_le32(entries.data));
        bool same = n && !memcmp(n->header.hash.bytes, entries.data + 4, 8);
        if (same)
            *node = n;
        else
            r = RESULT_NOT_FOUND; /* its block has left the chain and the index has yet to follow */
    }
    buffer_clear(&entries);
    return r;
}
