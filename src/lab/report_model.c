/* The events of a run put in order for the report: nodes, blocks, the merchant's book, the chain that won. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "lab/report_internal.h"
#include "lab/world.h"

/* Numbers of nodes, blocks and orders count from 0 on and each is told by an event of its own, so none can be above the
 * number of events; whatever is, is left out. */
static void make_room(struct report_model *m)
{
    const struct lab_report *r = m->r;
    m->node_count = r->name_count;
    m->block_count = 1;
    for (size_t i = 0; i < r->event_count; i++) {
        const struct lab_event *e = &r->events[i];
        size_t limit = r->event_count;
        if (e->kind == LAB_EVENT_NODE && e->node < limit && e->node >= m->node_count) m->node_count = e->node + 1;
        if (e->kind == LAB_EVENT_BLOCK && e->block <= limit && e->block >= m->block_count)
            m->block_count = e->block + 1;
        bool order = e->kind == LAB_EVENT_PAYMENT || e->kind == LAB_EVENT_LEDGER || e->kind == LAB_EVENT_CONFLICT;
        if (order && e->a >= 0 && (uint64_t)e->a <= limit && (size_t)e->a >= m->order_count)
            m->order_count = (size_t)e->a + 1;
        if (e->kind == LAB_EVENT_DROPPED) m->drop_txid_count++;
        if (e->at_us > m->end_us) m->end_us = e->at_us;
    }
    m->nodes = mem_calloc((m->node_count + 1), sizeof *m->nodes);
    m->blocks = mem_calloc(m->block_count, sizeof *m->blocks);
    m->orders = mem_calloc((m->order_count + 1), sizeof *m->orders);
    m->drop_txids = mem_calloc((m->drop_txid_count + 1), sizeof *m->drop_txids);
    m->drop_txid_count = 0;
    for (size_t i = 0; i < m->node_count; i++) {
        m->nodes[i] =
            (struct report_node){.name = i < r->name_count ? r->names[i] : "?", .role = UINT32_MAX, .tip = LAB_NONE};
    }
    for (size_t i = 0; i < m->block_count; i++) {
        m->blocks[i] = (struct report_block){.parent = LAB_NONE,
                                             .miner = LAB_NONE,
                                             .child = LAB_NONE,
                                             .next = LAB_NONE,
                                             .main_child = LAB_NONE,
                                             .shown_us = -1,
                                             .hash = ""};
    }
    for (size_t i = 0; i < m->order_count; i++) {
        m->orders[i] = (struct report_order){.txid = "", .conflict = "", .state = "", .state_before = ""};
    }
}

static bool known_block(const struct report_model *m, uint32_t block)
{
    return block < m->block_count && m->blocks[block].known;
}

/* A height that can be counted with. */
static int64_t sane(int64_t height)
{
    return height < 0 ? 0 : height > INT32_MAX ? INT32_MAX : height;
}

static void take_block(struct report_model *m, const struct lab_event *e)
{
    if (e->block == 0 || e->block >= m->block_count || m->blocks[e->block].known) return;
    if (e->other >= e->block || !known_block(m, e->other)) return;
    struct report_block *parent = &m->blocks[e->other];
    struct report_block *b = &m->blocks[e->block];
    *b = (struct report_block){.known = true,
                               .parent = e->other,
                               .miner = e->node,
                               .height = sane(e->a),
                               .txs = e->b,
                               .attacker = e->c != 0,
                               .secret = e->d != 0,
                               .found_us = e->at_us,
                               .shown_us = -1,
                               .depth = parent->depth + 1,
                               .hash = e->text,
                               .child = LAB_NONE,
                               .main_child = LAB_NONE,
                               .next = parent->child};
    parent->child = e->block;
    if (b->depth > m->depth_max) m->depth_max = b->depth;
    if (e->other == 0) m->blocks[0].height = sane(e->a) - 1;
    m->found[b->attacker]++;
}

/* The book before the first entry that was reversed or lost. */
static void remember_book(struct report_model *m)
{
    for (size_t i = 0; i < m->order_count; i++) {
        m->orders[i].state_before = m->orders[i].state;
        m->orders[i].confirmations_before = m->orders[i].confirmations;
    }
}

/* The merchant's tip and so many confirmations say in which block a payment is. */
static void mark_paid(struct report_model *m, const struct lab_event *e)
{
    uint32_t at = LAB_NONE;
    for (size_t i = 0; i < m->node_count; i++) {
        if (m->nodes[i].role == LAB_ROLE_MERCHANT) at = m->nodes[i].tip;
    }
    for (int64_t i = 1; i < e->b && at != LAB_NONE; i++) at = m->blocks[at].parent;
    if (at != LAB_NONE && at != 0) m->blocks[at].paid = true;
}

static void take_ledger(struct report_model *m, const struct lab_event *e)
{
    if (e->a < 0 || (uint64_t)e->a >= m->order_count) return;
    struct report_order *o = &m->orders[e->a];
    bool fallen = strcmp(e->text, "lost") == 0 || strcmp(e->text, "reversed") == 0;
    if (fallen && m->theft_us < 0) {
        m->theft_us = e->at_us;
        remember_book(m);
    }
    if (fallen) o->was_touched = true;
    if (o->theft && e->b > 0 && o->confirmations == 0 && !fallen) mark_paid(m, e);
    o->known = true;
    o->confirmations = e->b;
    o->satoshis = e->c;
    o->state = e->text;
}

bool report_is_public(const struct report_model *m, uint32_t node)
{
    return node >= m->node_count || m->nodes[node].role != LAB_ROLE_HIDEOUT;
}

static bool attackers(const struct report_model *m, uint32_t node)
{
    uint32_t role = node < m->node_count ? m->nodes[node].role : UINT32_MAX;
    return role == LAB_ROLE_OUTLET || role == LAB_ROLE_HIDEOUT;
}

static void take_order(struct report_model *m, const struct lab_event *e)
{
    if (e->a < 0 || (uint64_t)e->a >= m->order_count) return;
    struct report_order *o = &m->orders[e->a];
    if (e->kind == LAB_EVENT_CONFLICT) {
        o->conflict = e->text;
        return;
    }
    o->known = true;
    o->txid = e->text;
    o->satoshis = e->b;
    o->theft = e->c != 0;
}

static void take(struct report_model *m, const struct lab_event *e)
{
    switch (e->kind) {
    case LAB_EVENT_NODE:
        if (e->node >= m->node_count) return;
        m->nodes[e->node].known = true;
        m->nodes[e->node].role = e->b >= 0 && e->b < LAB_ROLES ? (uint32_t)e->b : UINT32_MAX;
        m->nodes[e->node].power = (uint32_t)e->a;
        if (e->text[0] != 0) m->nodes[e->node].name = e->text;
        return;
    case LAB_EVENT_POWER:
        if (e->node < m->node_count) m->nodes[e->node].power = (uint32_t)e->a;
        return;
    case LAB_EVENT_BLOCK: take_block(m, e); return;
    case LAB_EVENT_SHOWN:
        if (known_block(m, e->block) && m->blocks[e->block].shown_us < 0) m->blocks[e->block].shown_us = e->at_us;
        return;
    case LAB_EVENT_TIP:
        if (e->node < m->node_count && known_block(m, e->block)) m->nodes[e->node].tip = e->block;
        return;
    case LAB_EVENT_REORG:
        m->reorgs++;
        if (!attackers(m, e->node) && e->a > m->deepest) m->deepest = e->a;
        return;
    case LAB_EVENT_PAYMENT:
    case LAB_EVENT_CONFLICT: take_order(m, e); return;
    case LAB_EVENT_LEDGER: take_ledger(m, e); return;
    case LAB_EVENT_DROPPED:
        if (!attackers(m, e->node)) m->drop_txids[m->drop_txid_count++] = e->text;
        return;
    case LAB_EVENT_RETURNED:
        m->returned++;
        if (e->a > m->returned_latest) m->returned_latest = e->a;
        return;
    case LAB_EVENT_ALARM: m->alarms += report_is_public(m, e->node); return;
    case LAB_EVENT_END: m->end = e->text; return;
    default: return;
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Several nodes throw out the same transaction: each counts once, and as gone where any of them said so. */
static void count_dropped(struct report_model *m)
{
    qsort(m->drop_txids, m->drop_txid_count, sizeof *m->drop_txids, by_text);
    size_t kept = 0;
    for (size_t i = 0; i < m->drop_txid_count; i++) {
        if (kept == 0 || strcmp(m->drop_txids[kept - 1], m->drop_txids[i]) != 0)
            m->drop_txids[kept++] = m->drop_txids[i];
    }
    m->drop_txid_count = kept;
    m->dropped = kept;
    bool *gone = mem_calloc(kept + 1, 1);
    for (size_t i = 0; i < m->r->event_count; i++) {
        const struct lab_event *e = &m->r->events[i];
        if (e->kind != LAB_EVENT_DROPPED || e->a == 0 || attackers(m, e->node)) continue;
        const char *text = e->text;
        const char **at = bsearch(&text, m->drop_txids, kept, sizeof *m->drop_txids, by_text);
        if (at != NULL && !gone[at - m->drop_txids]) {
            gone[at - m->drop_txids] = true;
            m->gone++;
        }
    }
    free(gone);
}

/* The tip of most nodes that are not the attacker's; of two with as many, the higher one. */
static void choose_final(struct report_model *m)
{
    uint32_t *votes = mem_calloc(m->block_count, sizeof *votes);
    for (size_t i = 0; i < m->node_count; i++) {
        if (m->nodes[i].tip != LAB_NONE && !attackers(m, (uint32_t)i)) votes[m->nodes[i].tip]++;
    }
    m->final_tip = 0;
    for (size_t i = 1; i < m->block_count; i++) {
        if (!m->blocks[i].known) continue;
        bool higher = m->blocks[i].depth > m->blocks[m->final_tip].depth;
        if (votes[i] > votes[m->final_tip] || (votes[i] == votes[m->final_tip] && votes[i] > 0 && higher)) {
            m->final_tip = (uint32_t)i;
        }
    }
    free(votes);
    for (uint32_t at = m->final_tip; at != LAB_NONE; at = m->blocks[at].parent) {
        m->blocks[at].final = true;
        if (at != 0) m->in_chain[m->blocks[at].attacker]++;
    }
}

void report_model_make(struct report_model *m, const struct lab_report *r)
{
    *m = (struct report_model){.r = r, .theft_us = -1};
    make_room(m);
    m->blocks[0].known = true;
    for (size_t i = 0; i < r->event_count; i++) take(m, &r->events[i]);
    if (m->theft_us < 0) remember_book(m);
    count_dropped(m);
    choose_final(m);
}

void report_model_clear(struct report_model *m)
{
    free(m->nodes);
    free(m->blocks);
    free(m->orders);
    free(m->drop_txids);
    *m = (struct report_model){0};
}
