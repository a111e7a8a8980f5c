/* Opening, flushing and closing a chain. */
#include "chain/chain.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/endian.h"
#include "chain/chain_internal.h"
#include "chain/chain_prune.h"
#include "chain/sig_cache.h"

enum { MAX_TIP_AGE_S = 24 * 60 * 60 };

static enum result add_genesis(struct chain *c, struct error *e)
{
    if (chain_find(c, &c->params.genesis_hash)) return RESULT_OK;
    if (c->tree.count) return error_set(e, RESULT_CORRUPT, "the block index is of another network");
    struct block *block = block_parse(c->params.genesis_raw);
    CHECK(block && block_hash_equal(&block->hash, &c->params.genesis_hash));
    struct block_node *n = block_tree_add(&c->tree, &block->header, &block->hash, NULL);
    /* In a reindex the files are expected to have it; its place is noted when it is met there. Of the first pair both
     * files are there from the start. */
    const struct flat_store *s = &c->ports.files;
    uint64_t size;
    bool expected = c->reindexing && !s->ops->size(s->ctx, FLAT_BLOCKS, 0, &size, NULL);
    enum result r = expected ? RESULT_OK : files_write_block(c, n, block->raw, e);
    if (!r && !expected) r = s->ops->write(s->ctx, FLAT_UNDO, 0, 0, span_of(NULL, 0), e);
    if (!r) block_received(c, n, (uint32_t)block->tx_count);
    block_free(block);
    return r;
}

static enum result open_state(struct chain *c, struct error *e)
{
    enum result r = index_load(c, e);
    if (!r && c->options.reindex && chain_is_pruned(c)) {
        r = index_write_dirty(c, e); /* its mark, before files go */
        if (!r) r = prune_before_reindex(c, e);
    }
    if (!r) r = add_genesis(c, e);
    if (!r) r = recover_coins(c, e);
    if (!r && c->have_pruned && !c->active_count)
        r = error_set(e, RESULT_CORRUPT, "the coins are gone, and so are the pruned blocks that would make them anew");
    /* A reindex that is cut short goes on at the next start: without its mark, the files would look like free room. */
    if (!r && c->options.reindex) r = index_write_dirty(c, e);
    if (r) return r;
    candidates_rebuild(c);
    if (c->have_pruned) log_info(c->log, "Block files were pruned before");
    if (!c->reindexing) prune_remove_leftovers(c);
    return RESULT_OK;
}

enum result chain_open(struct chain **out, const struct chain_params *params, const struct chain_options *options,
                       const struct chain_ports *ports, int64_t now_s, struct log *log, struct error *e)
{
    struct chain *c = mem_calloc(1, sizeof(*c));
    *out = NULL;
    c->params = *params;
    c->options = *options;
    c->ports = *ports;
    c->log = log;
    c->initial_download = true;
    c->max_tip_age_s = options->max_tip_age_s ? options->max_tip_age_s : MAX_TIP_AGE_S;
    c->next_sequence = 2; /* 0: best chain from disk, 1: the rest from disk */
    c->precious_sequence = -1;
    c->reindexing = options->reindex;
    c->prune_due = true;
    block_tree_init(&c->tree, get_le64(options->seed));
    c->coins = coins_new(ports->coins, &c->ports.workers, get_le64(options->seed + 8));
    c->sig_cache = sig_cache_new(options->sig_cache_bytes, options->seed);
    enum result r = open_state(c, e);
    if (r) {
        chain_free(c);
        return r;
    }
    c->settled = chain_tip(c);
    chain_is_initial_download(c, now_s);
    *out = c;
    return RESULT_OK;
}

enum result chain_flush(struct chain *c, bool drop_cache, struct error *e)
{
    enum result r = files_sync(c, e);
    if (!r) r = index_write_dirty(c, e);
    const struct block_node *tip = chain_tip(c);
    if (!r && tip) r = coins_flush(c->coins, &tip->header.hash, drop_cache, e);
    return r;
}

enum result chain_flush_if_needed(struct chain *c, struct error *e)
{
    size_t used = coins_memory(c->coins);
    if (used <= c->options.cache_bytes) return RESULT_OK;
    log_debug(c->log, LOGC_COINDB, "Flushing the coins: %zu entries, %zu bytes of memory", coins_cached(c->coins),
              used);
    return chain_flush(c, true, e);
}

void chain_free(struct chain *c)
{
    if (!c) return;
    coins_free(c->coins);
    sig_cache_free(c->sig_cache);
    connect_work_clear(&c->work);
    block_tree_clear(&c->tree);
    free(c->active);
    free(c->candidates);
    free(c->files);
    free(c);
}
