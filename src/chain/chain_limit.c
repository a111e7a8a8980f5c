/* The limit on reorganisations (chain_options.max_reorg): a node with one stays on its branch where leaving it would
 * throw away more blocks. No rule of Bitcoin: nodes that mined apart for longer than that never agree again, and who
 * comes later sees another chain than those who were there. It is here to show that price. */
#include "chain/chain_internal.h"

/* The last block of the branch that the chain rested on, less what has failed since. */
static const struct block_node *held(const struct chain *c)
{
    const struct block_node *n = c->settled;
    while (n && (n->status & BLOCK_ANY_FAILURE)) n = block_node_prev(n);
    return n;
}

static bool is_chosen(const struct chain *c, const struct block_node *n)
{
    const struct block_node *k = c->chosen;
    if (!k) return false;
    return block_node_ancestor(n, k->header.height) == k || block_node_ancestor(k, n->header.height) == n;
}

bool limit_refuses(const struct chain *c, const struct block_node *n)
{
    if (!c->options.max_reorg || c->initial_download || c->reindexing || c->loading) return false;
    const struct block_node *tip = held(c);
    if (!tip || (uint32_t)tip->header.height <= c->options.max_reorg || is_chosen(c, n)) return false;
    int32_t lowest = tip->header.height - (int32_t)c->options.max_reorg; /* where a branch may fork off */
    return block_node_ancestor(n, lowest) != block_node_ancestor(tip, lowest);
}

void limit_report(struct chain *c, const struct block_node *best)
{
    const struct block_node *tip = chain_tip(c);
    if (!best || !tip || !block_node_better(best, tip) || !limit_refuses(c, best)) return;
    int32_t height = best->header.height < tip->header.height ? best->header.height : tip->header.height;
    while (block_node_ancestor(best, height) != block_node_ancestor(tip, height)) height--;
    const struct block_node *root = block_node_ancestor(best, height + 1);
    if (root == c->refused) return;
    c->refused = root;
    char ours[HASH_TEXT], theirs[HASH_TEXT];
    log_warning(c->log,
                "Refused to leave %s at height %d for %s at height %d, which has more work: %d blocks would be thrown "
                "away, and -maxreorg allows %u",
                block_hash_text(ours, &tip->header.hash), tip->header.height,
                block_hash_text(theirs, &best->header.hash), best->header.height, tip->header.height - height,
                c->options.max_reorg);
}
