/* After a crash: bringing coins that a flush left half-way to the block that the flush was for. */
#include "chain/chain_internal.h"

static struct block_node *state_node(struct chain *c, const struct block_hash *hash, enum result *r, struct error *e)
{
    struct block_node *n = chain_find(c, hash);
    char text[HASH_TEXT];
    if (!n)
        *r = error_set(e, RESULT_CORRUPT, "the coins stand at block %s, which the block index does not have",
                       block_hash_text(text, hash));
    return n;
}

/* A long way must not need more memory than a short one. */
static enum result make_room(struct chain *c, struct error *e)
{
    if (coins_memory(c->coins) <= c->options.cache_bytes) return RESULT_OK;
    return coins_write_back(c->coins, true, e);
}

static enum result take_back(struct chain *c, struct block_node *n, struct error *e)
{
    struct block *block;
    struct undo undo;
    enum result r = chain_read_block(c, n, &block, e);
    if (r) return r;
    r = chain_read_undo(c, n, block, &undo, e);
    bool clean; /* parts of it may be taken back already */
    if (!r) r = disconnect_block(c->coins, n, block, &undo, &clean, e);
    if (!r) undo_clear(&undo);
    block_free(block);
    coins_end_block(c->coins);
    return r ? r : make_room(c, e);
}

static enum result apply_again(struct chain *c, struct block_node *n, struct error *e)
{
    struct block *block;
    enum result r = chain_read_block(c, n, &block, e);
    if (r) return r;
    apply_unchecked(c, n, block);
    block_free(block);
    coins_end_block(c->coins);
    return make_room(c, e);
}

static enum result replay(struct chain *c, struct block_node *from, struct block_node *to, struct error *e)
{
    const struct block_node *fork = from ? (const struct block_node *)header_fork(&from->header, &to->header) : NULL;
    int32_t fork_height = fork ? fork->header.height : -1;
    log_info(c->log, "Replaying blocks: %d to take back, %d to apply", from ? from->header.height - fork_height : 0,
             to->header.height - fork_height);
    for (struct block_node *n = from; n && n->header.height > fork_height; n = block_node_prev(n)) {
        enum result r = take_back(c, n, e);
        if (r) return r;
    }
    for (int32_t h = fork_height + 1; h <= to->header.height; h++) {
        enum result r = apply_again(c, block_node_ancestor(to, h), e);
        if (r) return r;
    }
    return coins_flush(c->coins, &to->header.hash, true, e);
}

enum result recover_coins(struct chain *c, struct error *e)
{
    struct coins_state state;
    enum result r = coins_read_state(c->coins, &state, e);
    if (r) return r;
    struct block_node *best = NULL, *next = NULL;
    if (!hash_is_null(state.best.bytes)) best = state_node(c, &state.best, &r, e);
    if (!r && !hash_is_null(state.next.bytes)) next = state_node(c, &state.next, &r, e);
    if (!r && next) {
        r = replay(c, best, next, e);
        best = next;
    }
    if (r) return r;
    set_active_tip(c, best);
    for (struct block_node *n = best; n; n = block_node_prev(n)) n->sequence = 0;
    return RESULT_OK;
}
