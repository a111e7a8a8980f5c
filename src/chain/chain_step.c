/* Towards the best chain, one block at a time: candidates, failures, connecting and disconnecting the tip. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "chain/chain_internal.h"
#include "chain/chain_prune.h"
#include "consensus/versionbits.h"

/* ---- candidates ---- */

/* From worse to better; the hash only makes the order one and the same everywhere. */
static int compare_nodes(const struct block_node *a, const struct block_node *b)
{
    if (block_node_better(a, b)) return 1;
    if (block_node_better(b, a)) return -1;
    return memcmp(a->header.hash.bytes, b->header.hash.bytes, 32);
}

static int compare_candidates(const void *a, const void *b)
{
    return compare_nodes(*(struct block_node *const *)a, *(struct block_node *const *)b);
}

/* Room for one more at the end of the list. */
static void candidates_reserve(struct chain *c)
{
    if (c->candidate_first + c->candidate_count < c->candidate_cap) return;
    if (c->candidate_first && c->candidate_first >= c->candidate_cap / 2) {
        struct block_node **list = c->candidates;
        memmove(list, list + c->candidate_first, c->candidate_count * sizeof(*list));
        c->candidate_first = 0;
        return;
    }
    size_t need = c->candidate_first + c->candidate_count + 1;
    c->candidates = mem_grow(c->candidates, &c->candidate_cap, need, sizeof(*c->candidates));
}

static void candidate_add(struct chain *c, struct block_node *n)
{
    if (n->candidate) return;
    n->candidate = true;
    candidates_reserve(c);
    struct block_node **list = c->candidates + c->candidate_first;
    size_t at = c->candidate_count, low = 0;
    if (at && compare_nodes(list[at - 1], n) < 0) low = at; /* the usual place: the end */
    while (low < at) {
        size_t mid = low + (at - low) / 2;
        if (compare_nodes(list[mid], n) < 0)
            low = mid + 1;
        else
            at = mid;
    }
    memmove(list + at + 1, list + at, (c->candidate_count - at) * sizeof(*list));
    list[at] = n;
    c->candidate_count++;
}

/* Takes those that failed out of the list. */
static void candidates_drop_failed(struct chain *c)
{
    struct block_node **list = c->candidates + c->candidate_first;
    size_t kept = 0;
    for (size_t i = 0; i < c->candidate_count; i++) {
        struct block_node *n = list[i];
        n->candidate = !(n->status & BLOCK_ANY_FAILURE);
        if (n->candidate) list[kept++] = n;
    }
    c->candidate_count = kept;
}

static bool can_be_candidate(const struct block_node *n)
{
    return n->chain_tx_count && (n->status & BLOCK_HAVE_DATA) && !(n->status & BLOCK_ANY_FAILURE);
}

/* The last active block that has not failed. */
static struct block_node *good_active(const struct chain *c)
{
    struct block_node *n = chain_tip(c);
    while (n && (n->status & BLOCK_ANY_FAILURE)) n = block_node_prev(n);
    return n;
}

void candidates_rebuild(struct chain *c)
{
    for (size_t i = 0; i < c->candidate_count; i++) c->candidates[c->candidate_first + i]->candidate = false;
    c->candidate_first = c->candidate_count = 0;
    c->complete = NULL;
    const struct block_node *floor = good_active(c);
    for (size_t i = 0; i < c->tree.count; i++) {
        struct block_node *n = c->tree.nodes[i];
        if (!can_be_candidate(n) || (floor && n != floor && block_node_better(floor, n))) continue;
        n->candidate = true;
        candidates_reserve(c);
        c->candidates[c->candidate_count++] = n;
    }
    if (c->candidate_count) qsort(c->candidates, c->candidate_count, sizeof(struct block_node *), compare_candidates);
}

/* Forgets those that are worse than the tip: they stand in front. */
static void candidates_prune(struct chain *c)
{
    const struct block_node *tip = chain_tip(c);
    while (tip && c->candidate_count && block_node_better(tip, c->candidates[c->candidate_first])) {
        c->candidates[c->candidate_first++]->candidate = false;
        c->candidate_count--;
    }
    if (!c->candidate_count) c->candidate_first = 0;
}

static struct block_node *best_candidate(const struct chain *c)
{
    struct block_node *const *list = c->candidates + c->candidate_first;
    for (size_t i = c->candidate_count; i-- > 0;)
        if (!limit_refuses(c, list[i])) return list[i];
    return NULL;
}

/* Takes N and all that descend from it out of the list. */
static void candidates_drop_above(struct chain *c, const struct block_node *n)
{
    struct block_node **list = c->candidates + c->candidate_first;
    size_t kept = 0;
    for (size_t i = 0; i < c->candidate_count; i++) {
        list[i]->candidate = block_node_ancestor(list[i], n->header.height) != n;
        if (list[i]->candidate) list[kept++] = list[i];
    }
    c->candidate_count = kept;
}

/* The best candidate that can be reached. Where block files were pruned, blocks before it may be gone: it is offered
 * again when they come back. */
static struct block_node *reachable_candidate(struct chain *c)
{
    struct block_node *best;
    while ((best = best_candidate(c)) && c->have_pruned && best != c->complete) {
        const struct block_node *missing = chain_missing_data(c, best);
        if (missing)
            candidates_drop_above(c, missing);
        else
            c->complete = best;
    }
    return best;
}

/* ---- failures ---- */

static void note_invalid(struct chain *c, struct block_node *n)
{
    if (!c->best_invalid || u256_cmp(n->header.chainwork, c->best_invalid->header.chainwork) > 0) c->best_invalid = n;
}

void mark_failed(struct chain *c, struct block_node *n)
{
    n->status |= BLOCK_FAILED;
    n->dirty = true;
    note_invalid(c, n);
    for (struct block_node *d = block_tree_walk(n, n); d; d = block_tree_walk(n, d)) {
        d->status |= BLOCK_FAILED_PARENT;
        d->dirty = true;
    }
    candidates_drop_failed(c);
    if (c->tree.best_header && (c->tree.best_header->status & BLOCK_ANY_FAILURE))
        block_tree_update_best_header(&c->tree);
}

/* ---- arrival ---- */

/* N and all before it are there: count and offer it. */
static void link_received(struct chain *c, struct block_node *n)
{
    const struct block_node *prev = block_node_prev(n), *tip = chain_tip(c);
    n->chain_tx_count = (prev ? prev->chain_tx_count : 0) + n->tx_count;
    n->sequence = c->next_sequence++;
    if (can_be_candidate(n) && (!tip || !block_node_better(tip, n))) candidate_add(c, n);
}

/* The child of N that waits for it and came first, or NULL. */
static struct block_node *first_waiting(const struct block_node *n)
{
    struct block_node *first = NULL;
    for (struct block_node *k = n->child; k; k = k->sibling)
        if (k->tx_count && !k->chain_tx_count && (!first || k->sequence < first->sequence)) first = k;
    return first;
}

/* N had been pruned: those above it may have been given up for want of it. They count as having come now. */
static void offer_again(struct chain *c, struct block_node *n)
{
    const struct block_node *tip = chain_tip(c);
    for (struct block_node *d = block_tree_walk(n, n); d; d = block_tree_walk(n, d)) {
        if (d->candidate || !can_be_candidate(d)) continue;
        d->sequence = c->next_sequence++;
        if (!tip || !block_node_better(tip, d)) candidate_add(c, d);
    }
}

void block_received(struct chain *c, struct block_node *n, uint32_t tx_count)
{
    bool again = n->chain_tx_count > 0;
    n->tx_count = tx_count;
    n->undo_pos = 0;
    n->status |= BLOCK_HAVE_DATA | BLOCK_CHECKED;
    if (buried_active(&c->params, BURIED_SEGWIT, n->header.height)) n->status |= BLOCK_SEGWIT;
    n->dirty = true;
    if (n->header.prev && !block_node_prev(n)->chain_tx_count) {
        n->sequence = c->next_sequence++; /* its place among those that wait */
        return;
    }
    /* Breadth first over those that waited for N. */
    struct block_node **queue = NULL;
    size_t cap = 0, count = 0;
    queue = mem_grow(queue, &cap, 1, sizeof(*queue));
    queue[count++] = n;
    link_received(c, n);
    for (size_t i = 0; i < count; i++) {
        struct block_node *k;
        while ((k = first_waiting(queue[i]))) {
            link_received(c, k);
            queue = mem_grow(queue, &cap, count + 1, sizeof(*queue));
            queue[count++] = k;
        }
    }
    free(queue);
    if (again && !chain_contains(c, n)) offer_again(c, n);
}

/* ---- the tip ---- */

void set_active_tip(struct chain *c, struct block_node *n)
{
    size_t count = n ? (size_t)n->header.height + 1 : 0, known = c->active_count;
    c->active = mem_grow(c->active, &c->active_cap, count, sizeof(*c->active));
    c->active_count = count;
    /* down to the fork; what lies beyond the old chain was never written and may look like anything */
    for (; n; n = block_node_prev(n)) {
        size_t height = (size_t)n->header.height;
        if (height < known && c->active[height] == n) break;
        c->active[height] = n;
    }
}

void notice_clear(struct notice *n)
{
    if (n->owned) block_free(n->owned);
    if (n->undo_owned) undo_clear(&n->undo);
    *n = (struct notice){0};
}

/* The block at N: GIVEN where it is the one, else read back (then NOTICE owns it). */
static enum result notice_block(struct chain *c, struct block_node *n, const struct block *given, struct notice *out,
                                struct error *e)
{
    out->node = n;
    if (given && block_hash_equal(&given->hash, &n->header.hash)) {
        out->block = given;
        return RESULT_OK;
    }
    enum result r = chain_read_block(c, n, &out->owned, e);
    out->block = out->owned;
    return r;
}

static enum result write_undo(struct chain *c, struct block_node *n, const struct block *block,
                              const struct connect_work *w, struct error *e)
{
    if (!n->header.prev || (n->status & BLOCK_HAVE_UNDO)) return RESULT_OK;
    struct buffer bytes = {0};
    undo_write(&bytes, block, w->coins, w->count);
    enum result r = files_write_undo(c, n, buffer_span(&bytes), e);
    buffer_clear(&bytes);
    return r;
}

static void count_connected(struct chain *c, const struct notice *out)
{
    c->blocks_connected++;
    c->txs_connected += out->block->tx_count;
    c->inputs_connected += out->undo.count;
}

static enum result connect_tip(struct chain *c, struct block_node *n, const struct block *given, struct notice *out,
                               struct error *e)
{
    enum result r = notice_block(c, n, given, out, e);
    if (!r) r = connect_block(c, c->coins, n, out->block, &c->work, &out->verdict, e);
    if (r) return r;
    if (!verdict_ok(&out->verdict)) {
        char text[300];
        log_error(c->log, "Block validation error: %s", verdict_text(text, sizeof(text), &out->verdict));
        out->kind = NOTICE_INVALID;
        mark_failed(c, n);
        return RESULT_OK;
    }
    r = write_undo(c, n, out->block, &c->work, e);
    if (r) {
        connect_undone(c, n, out->block);
        return r;
    }
    n->status |= BLOCK_CONNECTED;
    n->dirty = true;
    out->kind = NOTICE_CONNECTED;
    out->undo = (struct undo){.coins = c->work.coins, .count = c->work.count};
    set_active_tip(c, n);
    if (!chain_in_reorg(c)) c->settled = n;
    candidates_prune(c);
    count_connected(c, out);
    return RESULT_OK;
}

static enum result disconnect_tip(struct chain *c, const struct block *given, struct notice *out, struct error *e)
{
    struct block_node *tip = chain_tip(c);
    bool clean;
    enum result r = notice_block(c, tip, given, out, e);
    if (!r) r = chain_read_undo(c, tip, out->block, &out->undo, e);
    if (r) return r;
    out->undo_owned = true;
    r = disconnect_block(c->coins, tip, out->block, &out->undo, &clean, e);
    if (!r && !clean)
        r = error_set(e, RESULT_CORRUPT, "the coins do not match the block at height %d that is to be taken back",
                      tip->header.height);
    if (r) {
        apply_unchecked(c, tip, out->block); /* what was taken back of it already */
        return r;
    }
    if (u256_cmp(tip->header.chainwork, c->reorg_work) > 0) c->reorg_work = tip->header.chainwork;
    out->kind = NOTICE_DISCONNECTED;
    set_active_tip(c, block_node_prev(tip));
    prune_locks_move_back(c, chain_height(c));
    return RESULT_OK;
}

/* The log has the cause; whoever asked for the step is told what it stopped. */
static enum result log_disconnect_failed(struct chain *c, const struct block_node *tip, enum result r, struct error *e)
{
    char hash[HASH_TEXT];
    log_error(c->log, "Disconnecting block %s failed: %s", block_hash_text(hash, &tip->header.hash), e->text);
    return error_set(e, r, "Failed to disconnect block.");
}

bool chain_in_reorg(const struct chain *c)
{
    const struct block_node *tip = chain_tip(c);
    return tip && u256_cmp(tip->header.chainwork, c->reorg_work) <= 0;
}

/* The tip is the best there is. */
static void rest(struct chain *c)
{
    c->reorg_work = u256_from_u64(0);
    c->settled = chain_tip(c);
    c->chosen = NULL;
    if (c->candidate_count) limit_report(c, c->candidates[c->candidate_first + c->candidate_count - 1]);
}

enum result chain_step(struct chain *c, int64_t now_s, const struct block *given, struct notice *out, struct error *e)
{
    *out = (struct notice){0};
    coins_end_block(c->coins);
    struct block_node *tip = chain_tip(c), *best = reachable_candidate(c);
    bool tip_failed = tip && (tip->status & BLOCK_ANY_FAILURE);
    enum result r = RESULT_OK;
    if (tip_failed || (best && tip && best != tip && block_node_ancestor(best, tip->header.height) != tip &&
                       block_node_better(best, tip))) {
        r = disconnect_tip(c, given, out, e);
        if (r) r = log_disconnect_failed(c, tip, r, e);
    } else if (best && best != tip && (!tip || block_node_better(best, tip))) {
        r = connect_tip(c, tip ? block_node_ancestor(best, tip->header.height + 1) : block_node_ancestor(best, 0),
                        given, out, e);
        if (out->kind == NOTICE_INVALID) note_invalid(c, best); /* the chain that was refused has its work */
    } else {
        rest(c);
    }
    if (r) notice_clear(out);
    if (out->kind != NOTICE_NONE) {
        chain_is_initial_download(c, now_s);
        if (c->options.check_index) chain_check_index(c);
    }
    return r;
}
