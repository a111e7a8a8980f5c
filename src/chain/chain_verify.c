/* Looking over what is stored: the last blocks again, at the level of thoroughness that the user chose. */
#include <stdarg.h>
#include <stdio.h>

#include "chain/chain_internal.h"
#include "chain/chain_prune.h"

/* What one block's verification found. */
struct finding {
    bool wrong;
    char text[400];
};

static void PRINTF_LIKE(3, 4) find(struct finding *f, const struct block_node *n, const char *format, ...)
{
    char hash[HASH_TEXT], what[256];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    f->wrong = true;
    snprintf(f->text, sizeof(f->text), "%s at %d, hash=%s", what, n->header.height,
             block_hash_text(hash, &n->header.hash));
}

/* Levels 0 to 3 for one block; at 3 the block is taken back from the coins. */
static enum result verify_down(struct chain *c, struct block_node *n, int level, struct finding *f, struct error *e)
{
    struct block *block;
    struct error why = {0};
    struct verdict v = {0};
    enum result r = chain_read_block(c, n, &block, &why);
    if (r) {
        find(f, n, "block cannot be read (%s)", why.text);
        return RESULT_OK;
    }
    struct undo undo = {0};
    if (level >= 1 && !block_check(block, &c->params, 0, &v)) find(f, n, "bad block (%s)", v.reason);
    bool needs_undo = level >= 2 && n->header.prev;
    if (!f->wrong && needs_undo && chain_read_undo(c, n, block, &undo, &why))
        find(f, n, "undo data cannot be read (%s)", why.text);
    if (!f->wrong && level >= 3 && n->header.prev) {
        bool clean;
        r = disconnect_block(c->coins, n, block, &undo, &clean, e);
        if (!r && !clean) find(f, n, "the coins do not match the block");
        coins_end_block(c->coins);
    }
    undo_clear(&undo);
    block_free(block);
    return r;
}

/* Connects N again, with every check. */
static enum result verify_up(struct chain *c, struct block_node *n, struct finding *f, struct error *e)
{
    struct block *block;
    struct verdict v = {0};
    enum result r = chain_read_block(c, n, &block, e);
    if (r) return r;
    bool checked = n->scripts_checked;
    n->scripts_checked = false;
    r = connect_block(c, c->coins, n, block, &c->work, &v, e);
    n->scripts_checked = checked;
    if (!r && !verdict_ok(&v)) find(f, n, "unconnectable block (%s)", v.reason);
    coins_end_block(c->coins);
    block_free(block);
    return r;
}

/* The last COUNT blocks down from the tip, and at level 4 up again. */
static enum result verify_blocks(struct chain *c, int level, int32_t count, struct finding *f, struct error *e)
{
    enum result r = RESULT_OK;
    int32_t height = chain_height(c), undone = height;
    int down = level;
    for (int32_t h = height; !r && !f->wrong && h > height - count; h--) {
        uint32_t wanted = level >= 2 ? BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO : BLOCK_HAVE_DATA;
        if (c->have_pruned && (c->active[h]->status & wanted) != wanted) {
            log_info(c->log, "Block verification stopping at height %d (no data): it was pruned", h);
            break;
        }
        if (down >= 3 && coins_memory(c->coins) > c->options.cache_bytes) {
            log_warning(c->log, "The coins' cache is full: below height %d the coins are not verified (-dbcache)",
                        h + 1);
            down = 2;
        }
        r = verify_down(c, c->active[h], down, f, e);
        if (down >= 3) undone = h - 1;
    }
    for (int32_t up = undone + 1; level >= 4 && !r && !f->wrong && up <= height; up++)
        r = verify_up(c, c->active[up], f, e);
    return r;
}

enum result chain_verify(struct chain *c, int level, int32_t count, bool *ok, struct error *e)
{
    int32_t height = chain_height(c);
    if (count <= 0 || count > height) count = height;
    if (level > 4) level = 4;
    *ok = false;
    /* What the blocks do to the cached coins from here on is forgotten in the end, however it ends. */
    enum result r = level >= 3 ? chain_flush(c, false, e) : RESULT_OK;
    if (r) return r;
    log_info(c->log, "Verifying last %d blocks at level %d", count, level);
    struct finding f = {0};
    r = verify_blocks(c, level, count, &f, e);
    if (level >= 3) coins_discard(c->coins);
    *ok = !r && !f.wrong;
    if (f.wrong) log_error(c->log, "Verification error: %s", f.text);
    if (*ok) log_info(c->log, "Verification: No coin database inconsistencies in last %d blocks", count);
    return r;
}

enum result chain_test_block(struct chain *c, const struct block *b, int64_t now_s, unsigned flags, struct verdict *v,
                             struct error *e)
{
    struct block_node *tip = chain_tip(c);
    if (!block_hash_equal(&b->header.prev, &tip->header.hash)) {
        verdict_fail(v, VERDICT_MISSING_PREV, "inconclusive-not-best-prevblk", "%s", "");
        return RESULT_OK;
    }
    if (!block_check(b, &c->params, flags, v)) return RESULT_OK;
    if (!header_check_context(&b->header, &tip->header, now_s, &c->params, v)) return RESULT_OK;
    if (!block_check_context(b, &tip->header, &c->params, v)) return RESULT_OK;
    struct block_node node = {0};
    header_node_link(&node.header, &b->header, &b->hash, &tip->header);
    coins_end_block(c->coins);
    enum result r = connect_block(c, c->coins, &node, b, &c->work, v, e);
    if (!r && verdict_ok(v)) connect_undone(c, &node, b);
    coins_end_block(c->coins);
    return r;
}
