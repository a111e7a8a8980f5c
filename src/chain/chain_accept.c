/* Accepting headers and blocks into the tree. */
#include "chain/chain_internal.h"

static bool accept_header(struct chain *c, const struct block_header *h, const struct block_hash *hash, int64_t now_s,
                          bool low_work, struct block_node **node, struct verdict *v)
{
    char text[HASH_TEXT];
    *node = chain_find(c, hash);
    if (*node) {
        if (!((*node)->status & BLOCK_ANY_FAILURE)) return true;
        return verdict_fail(v, VERDICT_CACHED_INVALID, "duplicate-invalid", "block %s was previously marked invalid",
                            block_hash_text(text, hash));
    }
    if (!header_check(h, hash, &c->params, v)) return false;
    struct block_node *prev = chain_find(c, &h->prev);
    if (!prev) return verdict_fail(v, VERDICT_MISSING_PREV, "prev-blk-not-found", "%s", "");
    if (prev->status & BLOCK_ANY_FAILURE) return verdict_fail(v, VERDICT_INVALID_PREV, "bad-prevblk", "%s", "");
    if (!header_check_context(h, &prev->header, now_s, &c->params, v)) return false;
    if (low_work) {
        log_debug(c->log, LOGC_VALIDATION,
                  "AcceptBlockHeader: not adding new block header %s, missing anti-dos proof-of-work validation",
                  block_hash_text(text, hash));
        return verdict_fail(v, VERDICT_LOW_WORK, "too-little-chainwork", "%s", "");
    }
    *node = block_tree_add(&c->tree, h, hash, prev);
    return true;
}

bool chain_accept_header(struct chain *c, const struct block_header *h, int64_t now_s, bool low_work,
                         struct block_node **node, struct verdict *v)
{
    struct block_hash hash;
    char text[HASH_TEXT], why[300];
    block_header_hash(&hash, h);
    if (accept_header(c, h, &hash, now_s, low_work, node, v)) return true;
    log_debug(c->log, LOGC_VALIDATION, "Header refused: %s, %s", block_hash_text(text, &hash),
              verdict_text(why, sizeof(why), v));
    return false;
}

/* Whether a block that nobody asked for is worth keeping. */
static bool wanted_unrequested(const struct chain *c, const struct block_node *n)
{
    const struct block_node *tip = chain_tip(c);
    if (n->tx_count) return false;
    if (tip && u256_cmp(n->header.chainwork, tip->header.chainwork) < 0) return false;
    if (n->header.height > chain_height(c) + MIN_BLOCKS_TO_KEEP) return false;
    return u256_cmp(n->header.chainwork, c->options.minimum_chain_work) >= 0;
}

static void log_refused(struct chain *c, const struct verdict *v)
{
    char text[300];
    log_error(c->log, "Accepting block failed: %s", verdict_text(text, sizeof(text), v));
}

enum result chain_accept_block(struct chain *c, const struct block *block, int64_t now_s, unsigned flags,
                               const struct block_position *at, struct block_node **node, bool *is_new,
                               struct verdict *v, struct error *e)
{
    *is_new = false;
    *node = NULL;
    /* Before the header is even looked up, and without marking anything: these rules may fail because the bytes are not
     * those that the header stands for (signet's solution lies in them, inner nodes of the merkle tree may pose as
     * transactions), and then the real block must still be welcome. */
    if (!(flags & ACCEPT_PRECHECKED) && !block_check(block, &c->params, 0, v)) {
        log_refused(c, v);
        return RESULT_OK;
    }
    if (!chain_accept_header(c, &block->header, now_s, flags & ACCEPT_LOW_WORK, node, v)) return RESULT_OK;
    struct block_node *n = *node;
    if (at && !n->header.prev && !n->data_pos) files_note_block(c, n, block->raw, at);
    if (n->status & BLOCK_HAVE_DATA) return RESULT_OK;
    if (!(flags & ACCEPT_REQUESTED) && !wanted_unrequested(c, n)) return RESULT_OK;
    if (!block_check_context(block, n->header.prev, &c->params, v)) {
        if (v->kind != VERDICT_MUTATED) mark_failed(c, n);
        log_refused(c, v);
        return RESULT_OK;
    }
    enum result r = RESULT_OK;
    if (at)
        files_note_block(c, n, block->raw, at);
    else
        r = files_write_block(c, n, block->raw, e);
    if (r) return r;
    *is_new = true;
    block_received(c, n, (uint32_t)block->tx_count);
    if (c->options.check_index) chain_check_index(c);
    return RESULT_OK;
}
