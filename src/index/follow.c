/* How every index follows the chain. */
#include "index/follow.h"

#include "base/endian.h"
#include "chain/chain_prune.h"

enum { CHECKPOINT_SPACING = 1000, POSITION = 4 + 32, STATE_KEY = 1 + POSITION };

static void state_key(uint8_t key[STATE_KEY], const struct block_node *n)
{
    key[0] = 'c';
    put_be32(key + 1, (uint32_t)n->header.height);
    memcpy(key + 5, n->header.hash.bytes, 32);
}

/* The node that a position (height and hash) names, or NULL where the chain does not know it. */
static struct block_node *node_at(const struct index_follow *f, struct span position)
{
    struct block_hash hash;
    if (position.len != POSITION) return NULL;
    memcpy(hash.bytes, position.data + 4, 32);
    struct block_node *n = chain_find(f->chain, &hash);
    return n && n->header.height == (int32_t)get_be32(position.data) ? n : NULL;
}

/* ---- where the index stands ---- */

/* The index has reached N (NULL: nothing): what follows must not be pruned before it is read. */
static void set_best(struct index_follow *f, struct block_node *n)
{
    f->best = n;
    if (chain_is_pruned(f->chain)) chain_prune_lock(f->chain, f->ops->name, n ? n->header.height : 0);
}

/* Makes N (NULL: none) the best block, with the state that is stored of it. */
static enum result load_at(struct index_follow *f, struct block_node *n, struct error *e)
{
    struct buffer state = {0};
    uint8_t key[STATE_KEY];
    enum result r = RESULT_OK;
    if (n) {
        state_key(key, n);
        r = f->store.ops->get(f->store.ctx, span_of(key, sizeof(key)), &state, e);
        if (r == RESULT_NOT_FOUND)
            r = error_set(e, RESULT_CORRUPT, "%s: the state at height %d is missing", f->ops->name, n->header.height);
    }
    if (!r) r = f->ops->load(f->index, n, buffer_span(&state), e);
    if (!r) set_best(f, n);
    buffer_clear(&state);
    return r;
}

/* Goes back to the highest stored state that belongs to a block of the active chain, or to the beginning. */
static enum result load_checkpoint(struct index_follow *f, struct error *e)
{
    const struct kv_ops *ops = f->store.ops;
    struct block_node *found = NULL;
    struct span key, value;
    void *iter = ops->iter_new(f->store.ctx);
    ops->iter_seek(iter, span_str("c"));
    while (ops->iter_next(iter, &key, &value) && key.len && key.data[0] == 'c') {
        struct block_node *n = node_at(f, span_from(key, 1));
        if (n && chain_contains(f->chain, n)) found = n;
    }
    enum result r = ops->iter_result(iter, e);
    ops->iter_free(iter);
    if (r) return r;
    log_warning(f->log, "%s: the block that it had reached is not there any more; going on from height %d",
                f->ops->name, found ? found->header.height : -1);
    return load_at(f, found, e);
}

enum result index_follow_open(struct index_follow *f, const struct index_ops *ops, void *index, struct kv_store store,
                              struct chain *chain, struct log *log, struct error *e)
{
    *f = (struct index_follow){.ops = ops, .index = index, .store = store, .chain = chain, .log = log};
    struct buffer position = {0};
    enum result r = store.ops->get(store.ctx, span_str("B"), &position, e);
    if (r == RESULT_NOT_FOUND) {
        r = load_at(f, NULL, e);
    } else if (!r) {
        struct block_node *n = node_at(f, buffer_span(&position));
        r = n ? load_at(f, n, e) : load_checkpoint(f, e);
    }
    buffer_clear(&position);
    f->synced = !r && f->best == chain_tip(chain);
    return r;
}

/* ---- one block ---- */

/* Puts into BATCH that the index goes from FROM to TO, either of which may be NULL. */
static void put_position(struct index_follow *f, void *batch, const struct block_node *from,
                         const struct block_node *to)
{
    const struct kv_ops *ops = f->store.ops;
    uint8_t key[STATE_KEY];
    if (from && from->header.height % CHECKPOINT_SPACING) {
        state_key(key, from);
        ops->batch_del(batch, span_of(key, sizeof(key)));
    }
    if (!to) {
        ops->batch_del(batch, span_str("B"));
        return;
    }
    struct buffer state = {0};
    f->ops->save(f->index, &state);
    state_key(key, to);
    ops->batch_put(batch, span_of(key, sizeof(key)), buffer_span(&state));
    ops->batch_put(batch, span_str("B"), span_of(key + 1, POSITION));
    buffer_clear(&state);
}

/* Adds the block at N (its parent is the best block), or takes it back (it is the best block itself). */
static enum result move(struct index_follow *f, struct block_node *n, bool add, const struct block *block,
                        const struct undo *undo, struct error *e)
{
    const struct kv_ops *ops = f->store.ops;
    struct block_node *to = add ? n : block_node_prev(n);
    struct index_block b = {.node = n, .block = block, .undo = undo, .batch = ops->batch_new(f->store.ctx)};
    enum result r = add ? f->ops->add(f->index, &b, e) : f->ops->take_back(f->index, &b, e);
    if (!r) {
        put_position(f, b.batch, f->best, to);
        r = ops->batch_write(f->store.ctx, b.batch, false, e);
    }
    ops->batch_free(b.batch);
    if (r) {
        f->synced = false;
        f->stale = true;
        return r;
    }
    set_best(f, to);
    return RESULT_OK;
}

static enum result read_and_move(struct index_follow *f, struct block_node *n, bool add, struct error *e)
{
    struct block *block;
    struct undo undo = {0};
    enum result r = chain_read_block(f->chain, n, &block, e);
    if (r) return r;
    if (f->ops->wants_undo) r = chain_read_undo(f->chain, n, block, &undo, e);
    if (!r) r = move(f, n, add, block, &undo, e);
    undo_clear(&undo);
    block_free(block);
    return r;
}

enum result index_follow_notice(struct index_follow *f, const struct notice *notice, struct error *e)
{
    bool add = notice->kind == NOTICE_CONNECTED;
    if (!f->synced || (!add && notice->kind != NOTICE_DISCONNECTED)) return RESULT_OK;
    if (f->best != (add ? block_node_prev(notice->node) : notice->node)) {
        f->synced = false; /* a notice was missed in a failure: catch up again */
        return RESULT_OK;
    }
    return move(f, notice->node, add, notice->block, &notice->undo, e);
}

enum result index_follow_catch_up(struct index_follow *f, unsigned blocks, bool *synced, struct error *e)
{
    enum result r = f->stale ? load_at(f, f->best, e) : RESULT_OK;
    if (!r) f->stale = false;
    for (; !r && f->best != chain_tip(f->chain) && blocks; blocks--) {
        if (f->best && !chain_contains(f->chain, f->best)) {
            r = read_and_move(f, f->best, false, e);
            if (r == RESULT_NOT_FOUND) r = load_checkpoint(f, e); /* the block was pruned, or lost in a crash */
        } else {
            r = read_and_move(f, chain_at(f->chain, f->best ? f->best->header.height + 1 : 0), true, e);
        }
    }
    bool there = !r && f->best == chain_tip(f->chain);
    if (there && !f->synced) log_info(f->log, "%s is synced at height %d", f->ops->name, chain_height(f->chain));
    f->synced = *synced = there;
    return r;
}

enum result index_follow_flush(struct index_follow *f, struct error *e)
{
    void *batch = f->store.ops->batch_new(f->store.ctx);
    put_position(f, batch, NULL, f->best);
    enum result r = f->store.ops->batch_write(f->store.ctx, batch, true, e);
    f->store.ops->batch_free(batch);
    return r;
}

/* Whether the data of a block are gone that it needs to reach the tip, the one that it stands at included. */
static bool data_pruned(const struct index_follow *f)
{
    const struct chain *c = f->chain;
    if (f->synced || !c->have_pruned || !chain_tip(c)) return false;
    const struct header_node *fork = f->best ? header_fork(&f->best->header, &chain_tip(c)->header) : NULL;
    uint32_t wanted = f->ops->wants_undo ? BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO : BLOCK_HAVE_DATA;
    return !chain_has_data(c, fork ? fork->height : 0, wanted);
}

void index_follow_info(const struct index_follow *f, struct index_info *out)
{
    *out = (struct index_info){.name = f->ops->name,
                               .synced = f->synced,
                               .wants_undo = f->ops->wants_undo,
                               .data_pruned = data_pruned(f),
                               .best_height = -1};
    if (!f->best) return;
    out->best_height = f->best->header.height;
    out->best_hash = f->best->header.hash;
}
