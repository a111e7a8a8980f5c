/* Blocks and tips, as the nodes tell of them. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "lab/live_internal.h"

enum { PROBE_US = 100000, DEEPEST = 4000 };

uint32_t live_block_find(const struct lab_live *l, const char *hash)
{
    for (size_t i = l->block_count; i-- > 0;)
        if (!strcmp(l->blocks[i].hash, hash)) return (uint32_t)i;
    return LAB_NONE;
}

bool live_block_has(const struct live_block *b, const char *txid)
{
    for (size_t i = 0; i < b->tx_count; i++)
        if (!strcmp(b->txids[i], txid)) return true;
    return false;
}

uint32_t live_block_fork(const struct lab_live *l, uint32_t a, uint32_t b)
{
    while (a != b && a != 0 && b != 0) {
        if (live_height(l, a) >= live_height(l, b))
            a = l->blocks[a].parent;
        else
            b = l->blocks[b].parent;
    }
    return a == b ? a : 0;
}

static bool copy_hash(char out[LIVE_HASH_TEXT], const json_t *text)
{
    const char *s = json_string_value(text);
    if (!s || strlen(s) != LIVE_HASH_TEXT - 1) return false;
    memcpy(out, s, LIVE_HASH_TEXT);
    return true;
}

/* Puts down a block of which all below is known. */
static uint32_t put_down(struct lab_live *l, const json_t *block, uint32_t node, uint32_t parent, bool attacker,
                         bool secret)
{
    const json_t *txs = json_object_get(block, "tx");
    size_t count = json_array_size(txs);
    struct live_block b = {
        .parent = parent, .source = node, .attacker = attacker, .secret = secret, .was_secret = secret};
    if (!copy_hash(b.hash, json_object_get(block, "hash"))) return LAB_NONE;
    b.height = (int32_t)json_integer_value(json_object_get(block, "height"));
    b.txids = mem_calloc(count ? count : 1, sizeof(*b.txids));
    for (size_t i = 1; i < count; i++) b.tx_count += copy_hash(b.txids[b.tx_count], json_array_get(txs, i));
    b.at_hideout = node == l->hideout;
    b.at_outlet = node == l->outlet;
    uint32_t number = (uint32_t)l->block_count;
    l->blocks = mem_grow(l->blocks, &l->block_cap, l->block_count + 1, sizeof(*l->blocks));
    l->blocks[l->block_count++] = b;
    if (number == 0) return number;
    if (l->attack.active) attacker ? l->attack.attacker_blocks++ : l->attack.honest_blocks++;
    struct lab_event *e = live_emit(l, LAB_EVENT_BLOCK, node);
    e->block = number;
    e->other = parent;
    e->a = b.height;
    e->b = (int64_t)b.tx_count;
    e->c = attacker;
    e->d = secret;
    memcpy(e->text, b.hash, LIVE_HASH_TEXT);
    live_emitted(l);
    return number;
}

uint32_t live_block_learn(struct lab_live *l, uint32_t node, const char *hash, bool attacker, bool secret)
{
    uint32_t number = live_block_find(l, hash);
    if (number != LAB_NONE) return number;
    json_t *unknown = json_array(); /* from the top down */
    char next[LIVE_HASH_TEXT];
    memcpy(next, hash, LIVE_HASH_TEXT);
    while ((number = live_block_find(l, next)) == LAB_NONE && json_array_size(unknown) < DEEPEST) {
        json_t *block = live_rpc_call(&l->members[node].rpc, "getblock", "\"%s\",1", next);
        bool below = block && json_integer_value(json_object_get(block, "height")) <= l->blocks[0].height;
        if (below && json_array_size(unknown)) {
            live_broken(l,
                        "%s follows a chain that is not of this laboratory: a node that was connected to it has an "
                        "older and longer one (it needs an empty data directory)",
                        l->members[node].name);
        }
        if (!block || below || !copy_hash(next, json_object_get(block, "previousblockhash"))) {
            json_decref(block);
            break;
        }
        json_array_append_new(unknown, block);
    }
    for (size_t i = json_array_size(unknown); i-- > 0 && number != LAB_NONE;)
        number = put_down(l, json_array_get(unknown, i), node, number, attacker, secret);
    json_decref(unknown);
    return number;
}

/* ---- tips ---- */

/* What the node says of its last reorganisations (getreorgs). */
struct account {
    int64_t back, gone; /* payments: in its pool again, lost for good */
    bool alarm;
};

static void take_tx(struct lab_live *l, uint32_t node, const json_t *tx, int32_t height, struct account *a)
{
    const char *txid = json_string_value(json_object_get(tx, "txid"));
    const char *fate = json_string_value(json_object_get(tx, "fate"));
    bool back = fate && !strcmp(fate, "mempool");
    bool gone = fate && (!strcmp(fate, "conflicted") || !strcmp(fate, "dropped"));
    a->back += back;
    a->gone += gone;
    if (node != l->observer || (!back && !gone) || !txid || strlen(txid) != LIVE_HASH_TEXT - 1) return;
    struct lab_event *e = live_emit(l, LAB_EVENT_DROPPED, node);
    e->a = gone;
    memcpy(e->text, txid, LIVE_HASH_TEXT);
    live_emitted(l);
    if (gone) return;
    l->missing = mem_grow(l->missing, &l->missing_cap, l->missing_count + 1, sizeof(*l->missing));
    memcpy(l->missing[l->missing_count].txid, txid, LIVE_HASH_TEXT);
    l->missing[l->missing_count++].height = height;
}

static struct account ask_for_account(struct lab_live *l, uint32_t node, int32_t height)
{
    struct live_member *m = &l->members[node];
    struct account a = {0};
    json_int_t newest = m->seen_reorg;
    json_t *list = live_rpc_call(&m->rpc, "getreorgs", "20"), *reorg, *tx;
    size_t i, k;
    json_array_foreach(list, i, reorg)
    {
        json_int_t id = json_integer_value(json_object_get(reorg, "id"));
        if (id <= m->seen_reorg) continue;
        if (id > newest) newest = id;
        a.alarm = a.alarm || json_is_true(json_object_get(reorg, "alarm"));
        json_array_foreach(json_object_get(reorg, "txs"), k, tx) take_tx(l, node, tx, height, &a);
    }
    m->seen_reorg = newest;
    json_decref(list);
    return a;
}

static void tell_reorg(struct lab_live *l, uint32_t node, uint32_t old, uint32_t tip)
{
    uint32_t fork = live_block_fork(l, old, tip);
    int64_t depth = live_height(l, old) - live_height(l, fork);
    if (depth <= 0) return;
    struct account a = ask_for_account(l, node, live_height(l, tip));
    struct lab_event *e = live_emit(l, LAB_EVENT_REORG, node);
    e->block = tip;
    e->other = old;
    e->a = depth;
    e->b = a.back;
    e->c = a.gone;
    live_emitted(l);
    if (!a.alarm) return;
    e = live_emit(l, LAB_EVENT_ALARM, node);
    e->a = depth;
    snprintf(e->text, sizeof(e->text), "reorganisation");
    live_emitted(l);
}

static void tell_returned(struct lab_live *l, uint32_t tip, uint32_t fork)
{
    for (uint32_t b = tip; b != fork; b = l->blocks[b].parent) {
        for (size_t i = 0; i < l->missing_count;) {
            struct live_missing *m = &l->missing[i];
            if (!live_block_has(&l->blocks[b], m->txid)) {
                i++;
                continue;
            }
            struct lab_event *e = live_emit(l, LAB_EVENT_RETURNED, LAB_NONE);
            e->block = b;
            e->a = live_height(l, b) - m->height;
            memcpy(e->text, m->txid, LIVE_HASH_TEXT);
            live_emitted(l);
            *m = l->missing[--l->missing_count];
        }
    }
}

static void tell_pool(struct lab_live *l, uint32_t node)
{
    struct live_member *m = &l->members[node];
    json_t *info = live_rpc_call(&m->rpc, "getmempoolinfo", "%s", "");
    const json_t *size = json_object_get(info, "size");
    if (size && json_integer_value(size) != m->told_pool) {
        m->told_pool = json_integer_value(size);
        live_emit(l, LAB_EVENT_POOL, node)->a = m->told_pool;
        live_emitted(l);
    }
    json_decref(info);
}

static void look_at(struct lab_live *l, uint32_t node)
{
    struct live_member *m = &l->members[node];
    char best[LIVE_HASH_TEXT];
    memcpy(best, m->rpc.best, sizeof(best));
    if (!*best || !strcmp(best, l->blocks[m->tip].hash)) return;
    uint32_t old = m->tip, tip = live_block_learn(l, node, best, node == l->hideout, false);
    if (tip == LAB_NONE || tip == old) return;
    m->tip = tip;
    if (node == l->hideout || node == l->outlet) {
        for (uint32_t b = tip; b != 0; b = l->blocks[b].parent) {
            bool *has = node == l->hideout ? &l->blocks[b].at_hideout : &l->blocks[b].at_outlet;
            if (*has) break;
            *has = true;
        }
    }
    struct lab_event *e = live_emit(l, LAB_EVENT_TIP, node);
    e->block = tip;
    e->a = live_height(l, tip);
    live_emitted(l);
    tell_reorg(l, node, old, tip);
    if (node == l->observer) tell_returned(l, tip, live_block_fork(l, old, tip));
    tell_pool(l, node);
    if (node == l->merchant) {
        l->look_at_orders = true;
        l->last_block_us = live_virtual_us(l);
        l->silence_told = false;
    }
}

static void look_after(struct lab_live *l, uint32_t node)
{
    struct live_member *m = &l->members[node];
    if (m->told_down || !m->rpc.unreachable || live_guard_runs(&l->guard, m->pid)) return;
    m->told_down = true;
    live_emit_text(l, LAB_EVENT_LINK, node, "down");
}

void live_chain_look(struct lab_live *l)
{
    int64_t now = live_now_us();
    for (uint32_t i = 0; i < l->member_count; i++) {
        struct live_member *m = &l->members[i];
        look_at(l, i);
        look_after(l, i);
        if (now - m->probed_us < PROBE_US) continue;
        m->probed_us = now;
        live_rpc_probe(&m->rpc);
    }
}

uint32_t live_public_tip(const struct lab_live *l)
{
    uint32_t best = l->members[0].tip;
    for (size_t i = 1; i < l->member_count; i++) {
        const struct live_member *m = &l->members[i];
        if (m->role != LAB_ROLE_HONEST && m->role != LAB_ROLE_OUTLET) continue;
        if (live_height(l, m->tip) > live_height(l, best)) best = m->tip;
    }
    return best;
}

/* ---- handing over ---- */

static bool hand_one(struct lab_live *l, uint32_t to, struct live_block *b)
{
    bool done = false;
    json_t *raw = live_rpc_call(&l->members[b->source].rpc, "getblock", "\"%s\",0", b->hash);
    if (json_is_string(raw)) {
        json_t *answer = live_rpc_call(&l->members[to].rpc, "submitblock", "\"%s\"", json_string_value(raw));
        const char *reason = json_string_value(answer);
        done = answer && (!reason || !strcmp(reason, "inconclusive") || !strncmp(reason, "duplicate", 9));
        if (answer && !done) live_broken(l, "%s refuses block %s: %s", l->members[to].name, b->hash, reason);
        json_decref(answer);
    }
    json_decref(raw);
    return done;
}

/* What a node has come to is asked at once: whoever handed it a block goes on from there. */
static void ask_for_tip(struct live_rpc *r)
{
    json_t *best = live_rpc_call(r, "getbestblockhash", "%s", "");
    const char *hash = json_string_value(best);
    if (hash && strlen(hash) == LIVE_HASH_TEXT - 1) live_rpc_set_best(r, hash);
    json_decref(best);
}

void live_hand(struct lab_live *l, uint32_t to, uint32_t block)
{
    for (uint32_t lowest = LAB_NONE; lowest != block;) {
        lowest = LAB_NONE;
        for (uint32_t b = block; b != 0; b = l->blocks[b].parent) {
            const struct live_block *at = &l->blocks[b];
            if (to == l->hideout ? at->at_hideout : at->at_outlet) break;
            lowest = b;
        }
        if (lowest == LAB_NONE || !hand_one(l, to, &l->blocks[lowest])) break;
        *(to == l->hideout ? &l->blocks[lowest].at_hideout : &l->blocks[lowest].at_outlet) = true;
    }
    ask_for_tip(&l->members[to].rpc);
}
