/* What a user may decide over the rules' head: invalidate, reconsider, prefer. */
#include <limits.h>

#include "base/check.h"
#include "chain/chain_internal.h"
#include "chain/chain_prune.h"

/* Active blocks that were pruned cannot be taken back: the lowest above them stands for N. NULL: not even the tip. */
static struct block_node *lowest_to_leave(const struct chain *c, struct block_node *n)
{
    if (!c->have_pruned || !chain_contains(c, n)) return n;
    int32_t pruned = chain_prune_height(c);
    return n->header.height > pruned ? n : chain_at(c, pruned + 1);
}

void chain_invalidate(struct chain *c, struct block_node *n)
{
    CHECK(n->header.prev != NULL);
    struct block_node *lowest = lowest_to_leave(c, n);
    if (lowest != n)
        log_warning(c->log, "Blocks from height %d on were pruned and cannot be taken back", n->header.height);
    if (!lowest) return;
    mark_failed(c, lowest);
    candidates_rebuild(c);
}

void chain_reconsider(struct chain *c, struct block_node *n)
{
    for (size_t i = 0; i < c->tree.count; i++) {
        struct block_node *k = c->tree.nodes[i];
        if (!(k->status & BLOCK_ANY_FAILURE)) continue;
        bool related = block_node_ancestor(k, n->header.height) == n || block_node_ancestor(n, k->header.height) == k;
        if (!related) continue;
        k->status &= ~(uint32_t)BLOCK_ANY_FAILURE;
        k->dirty = true;
        if (k == c->best_invalid) c->best_invalid = NULL;
    }
    block_tree_update_best_header(&c->tree);
    c->chosen = n;
    candidates_rebuild(c);
}

void chain_precious(struct chain *c, struct block_node *n)
{
    const struct block_node *tip = chain_tip(c);
    if (u256_cmp(n->header.chainwork, tip->header.chainwork) < 0) return;
    if (u256_cmp(tip->header.chainwork, c->precious_work) > 0) c->precious_sequence = -1;
    c->precious_work = tip->header.chainwork;
    n->sequence = c->precious_sequence;
    if (c->precious_sequence > INT_MIN) c->precious_sequence--;
    c->chosen = n;
    candidates_rebuild(c);
}
