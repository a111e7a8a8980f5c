/* What the nodes do, told as events: tips, reorganisations with what they threw out, pools, alarms. */
#include "base/alloc.h"
#include "base/hex.h"
#include "lab/world_internal.h"
#include "mempool/mempool.h"
#include "primitives/block.h"

/* ---- what reorganisations throw out ---- */

static void miss(struct lab_world *w, const struct reorg_tx *t)
{
    bool gone = t->fate == REORG_CONFLICTED || t->fate == REORG_DROPPED;
    struct lab_event *e = lab_emit(w, LAB_EVENT_DROPPED, w->observer);
    e->a = gone;
    hex_encode_reversed(e->text, t->txid.bytes, 32);
    lab_emitted(w);
    if (gone) return;
    w->missing = mem_grow(w->missing, &w->missing_cap, w->missing_count + 1, sizeof(*w->missing));
    w->missing[w->missing_count++] = (struct lab_missing){t->txid, w->sim->now_us};
}

static void tell_reorg(struct lab_world *w, uint32_t node, const struct reorg *r)
{
    struct lab_event *e = lab_emit(w, LAB_EVENT_REORG, node);
    e->block = lab_block_id(w, sim_block_find(w->sim, &r->new_tip));
    e->other = lab_block_id(w, sim_block_find(w->sim, &r->old_tip));
    e->a = r->depth;
    e->b = (int64_t)r->fates[REORG_MEMPOOL];
    e->c = (int64_t)(r->fates[REORG_CONFLICTED] + r->fates[REORG_DROPPED]);
    lab_emitted(w);
    if (r->alarm) {
        e = lab_emit(w, LAB_EVENT_ALARM, node);
        e->a = r->depth;
        snprintf(e->text, LAB_TEXT, "reorganisation");
        lab_emitted(w);
    }
    if (node != w->observer) return;
    if (w->attack.active && node == w->merchant) w->outcome.depth = r->depth;
    for (size_t i = 0; i < r->txs_kept; i++)
        if (r->txs[i].fate != REORG_COINBASE && r->txs[i].fate != REORG_MINED) miss(w, &r->txs[i]);
}

static void look_at_reorgs(struct lab_world *w, uint32_t node)
{
    struct lab_member *m = &w->members[node];
    size_t count;
    const struct reorg *list = node_reorgs(m->sim->node, &count);
    for (size_t i = 0; i < count; i++) {
        if (list[i].id <= m->seen_reorg) continue;
        m->seen_reorg = list[i].id;
        tell_reorg(w, node, &list[i]);
    }
}

/* Blocks up to B that were found after this instant. */
static int64_t found_since(const struct sim_block *b, int64_t at_us)
{
    int64_t count = 0;
    for (; b && b->found_us > at_us; b = b->parent) count++;
    return count;
}

/* Those of B that were missing are there again. */
static void look_for_missing(struct lab_world *w, const struct sim_block *b)
{
    if (!w->missing_count) return;
    struct block *block = block_parse(buffer_span(&b->raw));
    for (size_t i = 0; block && i < w->missing_count;) {
        bool found = false;
        for (size_t t = 1; t < block->tx_count; t++) found |= txid_equal(&block->txs[t].txid, &w->missing[i].txid);
        if (!found) {
            i++;
            continue;
        }
        struct lab_event *e = lab_emit(w, LAB_EVENT_RETURNED, w->observer);
        e->block = lab_block_id(w, b);
        e->a = found_since(b, w->missing[i].at_us);
        hex_encode_reversed(e->text, w->missing[i].txid.bytes, 32);
        lab_emitted(w);
        w->missing[i] = w->missing[--w->missing_count];
    }
    block_free(block);
}

/* ---- tips ---- */

static void look_at_pool(struct lab_world *w, uint32_t node)
{
    struct lab_member *m = &w->members[node];
    size_t count = mempool_count(m->sim->node->mempool);
    if (count == m->pool) return;
    m->pool = count;
    lab_emit(w, LAB_EVENT_POOL, node)->a = (int64_t)count;
    lab_emitted(w);
}

void lab_on_tip(struct sim_node *n, const struct block_node *old)
{
    struct lab_world *w = n->sim->scenario;
    if (!old || n->index >= w->member_count || w->over) return;
    uint32_t node = n->index;
    struct sim_block *tip = lab_tip_of(w, node), *was = sim_block_find(w->sim, &old->header.hash);
    struct lab_event *e = lab_emit(w, LAB_EVENT_TIP, node);
    e->block = lab_block_id(w, tip);
    e->a = tip->height;
    lab_emitted(w);
    look_at_reorgs(w, node);
    look_at_pool(w, node);
    if (node == w->observer) {
        /* All blocks between what both have in common and the new tip came just now. */
        for (struct sim_block *b = tip; b && b != was && b->height > w->base_height && b->height + 2000 > tip->height;
             b = b->parent)
            look_for_missing(w, b);
    }
    if (node == w->merchant) {
        lab_clock_block(w);
        lab_orders_look(w);
    }
    lab_attack_think_soon(w);
}
