/* Questions about the whole chain: are we still catching up, how far are we, are the invariants kept. */
#include "base/check.h"
#include "chain/chain_internal.h"
#include "chain/chain_prune.h"
#include "consensus/versionbits.h"

bool chain_is_initial_download(struct chain *c, int64_t now_s)
{
    if (!c->initial_download) return false;
    const struct block_node *tip = chain_tip(c);
    if (!tip || c->reindexing) return true;
    if (u256_cmp(tip->header.chainwork, c->options.minimum_chain_work) < 0) return true;
    if ((int64_t)tip->header.time < now_s - c->max_tip_age_s) return true;
    log_info(c->log, "Leaving InitialBlockDownload (latching to false)");
    c->initial_download = false;
    return false;
}

/* Seconds of chain after N that we do not have: near the tip, what the best header says; else what the clock says. */
static int64_t seconds_behind(const struct chain *c, const struct block_node *n, int64_t now_s)
{
    const struct block_node *best = c->tree.best_header;
    int64_t behind = now_s - (int64_t)n->header.time;
    bool recent = behind <= 2 * 60 * 60 && behind >= -2 * 60 * 60;
    if (recent && best && best->header.height >= n->header.height)
        return (best->header.height - n->header.height) * c->params.target_spacing_s;
    return behind;
}

double chain_progress(const struct chain *c, const struct block_node *n, int64_t now_s)
{
    if (!n || !n->chain_tx_count) return 0;
    const struct chain_params *p = &c->params;
    double done = (double)n->chain_tx_count, total;
    if (n->chain_tx_count <= p->tx_data_count)
        total = (double)p->tx_data_count + (double)(now_s - p->tx_data_time_s) * p->tx_data_rate;
    else
        total = done + (double)seconds_behind(c, n, now_s) * p->tx_data_rate;
    if (total <= 0) return 0;
    return done / total > 1 ? 1 : done / total;
}

static void check_node(const struct chain *c, const struct block_node *n)
{
    const struct block_node *prev = block_node_prev(n);
    if (prev) {
        CHECK(n->header.height == prev->header.height + 1);
        CHECK(u256_cmp(n->header.chainwork, prev->header.chainwork) > 0);
        if (prev->status & BLOCK_ANY_FAILURE) CHECK(n->status & BLOCK_FAILED_PARENT);
        if (n->chain_tx_count) CHECK(prev->chain_tx_count + n->tx_count == n->chain_tx_count);
        if (n->tx_count && prev->chain_tx_count) CHECK(n->chain_tx_count);
    } else {
        CHECK(block_hash_equal(&n->header.hash, &c->params.genesis_hash));
    }
    if (n->status & BLOCK_HAVE_DATA) CHECK(n->tx_count > 0);
    if (n->status & BLOCK_HAVE_UNDO) CHECK(n->status & BLOCK_HAVE_DATA);
    if (n->candidate) CHECK(n->chain_tx_count && !(n->status & BLOCK_ANY_FAILURE));
}

static void check_candidates(const struct chain *c)
{
    struct block_node *const *list = c->candidates + c->candidate_first;
    size_t marked = 0;
    for (size_t i = 0; i < c->tree.count; i++) marked += c->tree.nodes[i]->candidate;
    CHECK(marked == c->candidate_count);
    for (size_t i = 0; i < c->candidate_count; i++) {
        CHECK(list[i]->candidate);
        CHECK(i == 0 || !block_node_better(list[i - 1], list[i]));
    }
}

void chain_check_index(const struct chain *c)
{
    check_candidates(c);
    /* Until a reorganisation has passed the work that it started from, the tip is worse than blocks that were given up
     * long ago. */
    const struct block_node *tip = chain_tip(c);
    if (tip && u256_cmp(tip->header.chainwork, c->reorg_work) <= 0) tip = NULL;
    for (size_t i = 0; i < c->tree.count; i++) {
        const struct block_node *n = c->tree.nodes[i];
        check_node(c, n);
        if (c->tree.best_header && !(n->status & BLOCK_ANY_FAILURE))
            CHECK(u256_cmp(n->header.chainwork, c->tree.best_header->header.chainwork) <= 0);
        bool eligible = n->chain_tx_count && (n->status & BLOCK_HAVE_DATA) && !(n->status & BLOCK_ANY_FAILURE);
        if (tip && eligible && block_node_better(n, tip)) CHECK(n->candidate || chain_missing_data(c, n));
    }
    for (size_t h = 0; h < c->active_count; h++) {
        CHECK(c->active[h]->header.height == (int32_t)h);
        CHECK(h == 0 || block_node_prev(c->active[h]) == c->active[h - 1]);
    }
}

bool chain_lacks_witnesses(const struct chain *c)
{
    for (int32_t h = chain_height(c); buried_active(&c->params, BURIED_SEGWIT, h) && h > 0; h--)
        if (!(chain_at(c, h)->status & BLOCK_SEGWIT)) return true;
    return false;
}
