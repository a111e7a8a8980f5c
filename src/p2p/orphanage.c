/* Transactions that wait for their parents: who is there, who announced them, what they spend. */
#include "p2p/orphanage.h"

#include <stdlib.h>
#include <string.h>

#include "p2p/orphanage_internal.h"

struct orphanage *orphanage_new(uint64_t max_latency, uint64_t peer_usage, const uint64_t key[2], struct random *random,
                                struct log *log)
{
    struct orphanage *o = mem_calloc(1, sizeof(*o));
    *o = (struct orphanage){.max_latency = max_latency, .peer_usage = peer_usage, .random = random, .log = log};
    hashmap_init(&o->by_wtxid, offsetof(struct kept, orphan.wtxid), sizeof(struct wtxid), key[0]);
    hashmap_init(&o->outputs, offsetof(struct spent_output, at), sizeof(struct outpoint), key[0]);
    hashmap_init(&o->announcers, offsetof(struct announcer, peer), sizeof(peer_id), key[1]);
    return o;
}

/* ---- what is spent ---- */

static void link_inputs(struct orphanage *o, struct kept *k)
{
    for (size_t i = 0; i < k->orphan.spend_count; i++) {
        struct spent_output *s = hashmap_get(&o->outputs, &k->orphan.spends[i]);
        if (!s) {
            s = mem_calloc(1, sizeof(*s));
            s->at = k->orphan.spends[i];
            hashmap_put(&o->outputs, s);
        }
        k->spenders[i] = (struct spender){.orphan = k, .output = s, .next = s->first};
        if (s->first) s->first->prev = &k->spenders[i];
        s->first = &k->spenders[i];
    }
}

static void unlink_inputs(struct orphanage *o, struct kept *k)
{
    for (size_t i = 0; i < k->orphan.spend_count; i++) {
        struct spender *in = &k->spenders[i];
        struct spent_output *s = in->output;
        if (in->next) in->next->prev = in->prev;
        if (in->prev)
            in->prev->next = in->next;
        else
            s->first = in->next;
        if (s->first) continue;
        hashmap_del(&o->outputs, &s->at);
        free(s);
    }
}

/* ---- transactions ---- */

static size_t kept_bytes(const struct kept *k)
{
    return sizeof(*k) + k->orphan.raw.len + k->orphan.spend_count * (sizeof(struct outpoint) + sizeof(struct spender));
}

static struct kept *kept_new(struct orphanage *o, const struct tx *tx)
{
    struct kept *k = mem_calloc(1, sizeof(*k));
    struct buffer raw = {0};
    struct outpoint *spends = mem_calloc(tx->in_count, sizeof(*spends));
    for (size_t i = 0; i < tx->in_count; i++) spends[i] = tx->in[i].prevout;
    tx_write(&raw, tx);
    k->orphan = (struct orphan){
        .wtxid = tx->wtxid,
        .txid = tx->txid,
        .raw = span_of(mem_dup(raw.data, raw.len), raw.len),
        .weight_wu = tx_weight(tx),
        .spends = spends,
        .spend_count = tx->in_count,
    };
    buffer_clear(&raw);
    k->spenders = mem_calloc(tx->in_count, sizeof(*k->spenders));
    link_inputs(o, k);
    hashmap_put(&o->by_wtxid, k);
    o->usage += k->orphan.weight_wu;
    o->input_latency += input_latency(k);
    o->bytes += kept_bytes(k);
    return k;
}

static void kept_free(struct kept *k)
{
    free((void *)(uintptr_t)k->orphan.raw.data);
    free((void *)(uintptr_t)k->orphan.spends);
    free((void *)(uintptr_t)k->orphan.from);
    free(k->announced);
    free(k->spenders);
    free(k);
}

static void kept_remove(struct orphanage *o, struct kept *k)
{
    unlink_inputs(o, k);
    hashmap_del(&o->by_wtxid, &k->orphan.wtxid);
    o->usage -= k->orphan.weight_wu;
    o->input_latency -= input_latency(k);
    o->bytes -= kept_bytes(k);
    kept_free(k);
}

/* ---- announcements ---- */

/* Where PEER is, or would be, among those who announced K. */
static size_t place_of(const struct kept *k, peer_id peer)
{
    size_t low = 0, high = k->orphan.from_count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (k->orphan.from[mid] < peer)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool is_from(const struct kept *k, peer_id peer)
{
    size_t at = place_of(k, peer);
    return at < k->orphan.from_count && k->orphan.from[at] == peer;
}

static struct announcer *announcer_of(struct orphanage *o, peer_id peer)
{
    struct announcer *a = hashmap_get(&o->announcers, &peer);
    if (a) return a;
    a = mem_calloc(1, sizeof(*a));
    a->peer = peer;
    hashmap_put(&o->announcers, a);
    return a;
}

/* Opens a place at AT in both lists of K. */
static void announce(struct orphanage *o, struct kept *k, peer_id peer)
{
    size_t at = place_of(k, peer), after = k->orphan.from_count - at, cap = k->cap;
    peer_id *from = (peer_id *)(uintptr_t)k->orphan.from;
    from = mem_grow(from, &cap, k->orphan.from_count + 1, sizeof(*from));
    k->announced = mem_grow(k->announced, &k->cap, k->orphan.from_count + 1, sizeof(struct announced *));
    memmove(from + at + 1, from + at, after * sizeof(*from));
    memmove(k->announced + at + 1, k->announced + at, after * sizeof(struct announced *));
    struct announced *a = mem_calloc(1, sizeof(*a));
    a->orphan = k;
    a->by = announcer_of(o, peer);
    heap_put(&a->by->waiting, &a->node, o->next_sequence++);
    from[at] = peer;
    k->announced[at] = a;
    k->orphan.from = from;
    k->orphan.from_count++;
    a->by->count++;
    a->by->usage += k->orphan.weight_wu;
    a->by->latency += 1 + input_latency(k);
    o->announcements++;
}

void orphanage_set_work(struct orphanage *o, struct announced *a, bool work)
{
    int64_t sequence = a->node.key;
    if (a->work == work) return;
    heap_remove(work ? &a->by->waiting : &a->by->work, &a->node);
    heap_put(work ? &a->by->work : &a->by->waiting, &a->node, sequence);
    a->work = a->orphan->work = work;
    o->work = work ? o->work + 1 : o->work - 1;
}

static void announcer_free(struct announcer *a)
{
    heap_clear(&a->waiting);
    heap_clear(&a->work);
    free(a);
}

void orphanage_end_announcement(struct orphanage *o, struct announced *a)
{
    struct kept *k = a->orphan;
    struct announcer *by = a->by;
    peer_id *from = (peer_id *)(uintptr_t)k->orphan.from;
    size_t at = place_of(k, by->peer), after = --k->orphan.from_count - at;
    orphanage_set_work(o, a, false);
    heap_remove(&by->waiting, &a->node);
    memmove(from + at, from + at + 1, after * sizeof(*from));
    memmove(k->announced + at, k->announced + at + 1, after * sizeof(struct announced *));
    free(a);
    by->count--;
    by->usage -= k->orphan.weight_wu;
    by->latency -= 1 + input_latency(k);
    o->announcements--;
    if (k->orphan.from_count == 0) kept_remove(o, k);
    if (by->count) return;
    hashmap_del(&o->announcers, &by->peer);
    announcer_free(by);
}

bool orphanage_add(struct orphanage *o, const struct tx *tx, peer_id peer)
{
    char txid[HASH_TEXT], wtxid[HASH_TEXT];
    txid_text(txid, &tx->txid);
    wtxid_text(wtxid, &tx->wtxid);
    if (tx_weight(tx) > ORPHANAGE_MAX_WEIGHT) {
        log_debug(o->log, LOGC_TXPACKAGES, "ignoring large orphan tx (size: %llu, txid: %s, wtxid: %s)",
                  (unsigned long long)tx_weight(tx), txid, wtxid);
        return false;
    }
    struct kept *k = hashmap_get(&o->by_wtxid, &tx->wtxid);
    if (k) {
        orphanage_add_announcer(o, &tx->wtxid, peer);
        return false;
    }
    announce(o, kept_new(o, tx), peer);
    log_debug(o->log, LOGC_TXPACKAGES, "stored orphan tx %s (wtxid=%s), weight: %llu (mapsz %zu outsz %zu)", txid,
              wtxid, (unsigned long long)tx_weight(tx), o->announcements, o->outputs.count);
    orphanage_limit(o);
    return true;
}

bool orphanage_add_announcer(struct orphanage *o, const struct wtxid *id, peer_id peer)
{
    char txid[HASH_TEXT], wtxid[HASH_TEXT];
    struct kept *k = hashmap_get(&o->by_wtxid, id);
    if (!k || is_from(k, peer)) return false;
    announce(o, k, peer);
    log_debug(o->log, LOGC_TXPACKAGES, "added peer=%lld as announcer of orphan tx %s (wtxid=%s)", (long long)peer,
              txid_text(txid, &k->orphan.txid), wtxid_text(wtxid, &k->orphan.wtxid));
    orphanage_limit(o);
    return true;
}

/* ---- leaving ---- */

static void remove_kept(struct orphanage *o, struct kept *k)
{
    char txid[HASH_TEXT], wtxid[HASH_TEXT];
    size_t count = k->orphan.from_count;
    txid_text(txid, &k->orphan.txid);
    wtxid_text(wtxid, &k->orphan.wtxid);
    for (size_t i = count; i > 0; i--) orphanage_end_announcement(o, k->announced[i - 1]);
    log_debug(o->log, LOGC_TXPACKAGES, "removed orphan tx %s (wtxid=%s) (%zu announcements)", txid, wtxid, count);
}

bool orphanage_remove(struct orphanage *o, const struct wtxid *id)
{
    struct kept *k = hashmap_get(&o->by_wtxid, id);
    if (!k) return false;
    remove_kept(o, k);
    /* With fewer peers there is less room for all. */
    orphanage_limit(o);
    return true;
}

void orphanage_peer_gone(struct orphanage *o, peer_id peer)
{
    struct announcer *a = hashmap_get(&o->announcers, &peer);
    size_t count = a ? a->count : 0;
    if (count == 0) return;
    for (size_t i = 0; i < count; i++) {
        struct heap_node *top = heap_top(&a->waiting);
        if (!top) top = heap_top(&a->work);
        orphanage_end_announcement(o, HEAP_ITEM(top, struct announced, node));
    }
    log_debug(o->log, LOGC_TXPACKAGES, "Erased %zu orphan transaction(s) from peer=%lld", count, (long long)peer);
    orphanage_limit(o);
}

void orphanage_on_block(struct orphanage *o, const struct block *block)
{
    size_t removed = 0;
    if (orphanage_count(o) == 0) return;
    for (size_t i = 0; i < block->tx_count; i++)
        for (size_t k = 0; k < block->txs[i].in_count; k++)
            for (struct spent_output *s; (s = hashmap_get(&o->outputs, &block->txs[i].in[k].prevout)); removed++)
                remove_kept(o, s->first->orphan);
    if (removed)
        log_debug(o->log, LOGC_TXPACKAGES, "Erased %zu orphan transaction(s) included or conflicted by block", removed);
    orphanage_limit(o);
}

/* ---- work ---- */

void orphanage_parent_came(struct orphanage *o, const struct tx *parent)
{
    char txid[HASH_TEXT], wtxid[HASH_TEXT];
    struct outpoint at = {.txid = parent->txid};
    if (orphanage_count(o) == 0) return;
    for (size_t i = 0; i < parent->out_count; i++) {
        at.index = (uint32_t)i;
        const struct spent_output *s = hashmap_get(&o->outputs, &at);
        for (const struct spender *in = s ? s->first : NULL; in; in = in->next) {
            struct kept *k = in->orphan;
            if (k->work) continue;
            /* Any of them: no peer of several can keep us from it by leaving. */
            struct announced *a = k->announced[random_below(o->random, k->orphan.from_count)];
            orphanage_set_work(o, a, true);
            log_debug(o->log, LOGC_TXPACKAGES, "added %s (wtxid=%s) to peer %lld workset",
                      txid_text(txid, &k->orphan.txid), wtxid_text(wtxid, &k->orphan.wtxid), (long long)a->by->peer);
        }
    }
}

bool orphanage_any_work(const struct orphanage *o)
{
    return o->work > 0;
}

bool orphanage_has_work(const struct orphanage *o, peer_id peer)
{
    if (o->work == 0) return false;
    const struct announcer *a = hashmap_get(&o->announcers, &peer);
    return a && a->work.count > 0;
}

const struct orphan *orphanage_take_work(struct orphanage *o, peer_id peer)
{
    const struct announcer *by = hashmap_get(&o->announcers, &peer);
    struct heap_node *top = by ? heap_top(&by->work) : NULL;
    if (!top) return NULL;
    struct announced *a = HEAP_ITEM(top, struct announced, node);
    orphanage_set_work(o, a, false);
    return &a->orphan->orphan;
}

/* ---- questions ---- */

const struct orphan *orphanage_find(const struct orphanage *o, const struct wtxid *id)
{
    const struct kept *k = hashmap_get(&o->by_wtxid, id);
    return k ? &k->orphan : NULL;
}

bool orphanage_has_from(const struct orphanage *o, const struct wtxid *id, peer_id peer)
{
    const struct kept *k = hashmap_get(&o->by_wtxid, id);
    return k && is_from(k, peer);
}

static int by_id(const void *a, const void *b)
{
    return memcmp(&(*(const struct orphan *const *)a)->wtxid, &(*(const struct orphan *const *)b)->wtxid,
                  sizeof(struct wtxid));
}

const struct orphan **orphanage_list(const struct orphanage *o, size_t *count)
{
    const struct orphan **list = mem_calloc(orphanage_count(o), sizeof(*list));
    size_t at = 0;
    *count = 0;
    for (const struct kept *k; (k = hashmap_next(&o->by_wtxid, &at));) list[(*count)++] = &k->orphan;
    qsort(list, *count, sizeof(*list), by_id);
    return list;
}

void orphanage_free(struct orphanage *o)
{
    size_t at = 0;
    if (!o) return;
    for (struct kept *k; (k = hashmap_next(&o->by_wtxid, &at));) {
        for (size_t i = 0; i < k->orphan.from_count; i++) free(k->announced[i]);
        kept_free(k);
    }
    at = 0;
    for (struct spent_output *s; (s = hashmap_next(&o->outputs, &at));) free(s);
    at = 0;
    for (struct announcer *a; (a = hashmap_next(&o->announcers, &at));) announcer_free(a);
    hashmap_clear(&o->by_wtxid);
    hashmap_clear(&o->outputs);
    hashmap_clear(&o->announcers);
    free(o);
}
