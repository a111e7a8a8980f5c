/* Who announced which transaction, and whom to ask for it when. */
#include "p2p/tx_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hashmap.h"
#include "base/heap.h"
#include "crypto/siphash.h"

enum state {
    DELAYED,   /* its time is to come */
    READY,     /* could be asked, but another is better or in flight */
    BEST,      /* the one to ask */
    IN_FLIGHT, /* asked */
    COMPLETED,
};

struct announcement {
    struct tx_request r;
    struct heap_node node; /* in `waiting` by its time, or in `selectable` by minus its time */
    uint64_t sequence, priority;
    struct group *group;
    struct source *source;
    struct announcement *group_next, *group_prev;
    struct announcement *next, *prev; /* in a list of the source */
    enum state state;
};

/* All announcements of one hash. */
struct group {
    uint8_t hash[32];
    struct announcement *first;
    struct announcement *selected; /* BEST or IN_FLIGHT; NULL: none */
    size_t open;                   /* not COMPLETED: at least one */
};

/* A peer with announcements. */
struct source {
    peer_id peer;
    struct announcement *best, *others;
    size_t total, in_flight, completed;
};

struct list {
    struct tx_request *items;
    size_t count, cap;
};

struct tx_requests {
    struct hashmap by_both; /* hash and peer -> announcement */
    struct hashmap groups, sources;
    struct heap waiting;    /* DELAYED and IN_FLIGHT: what comes first is on top */
    struct heap selectable; /* READY and BEST: whose time came last is on top */
    uint64_t key[2], next_sequence;
    struct list due, expired;
    struct announcement **sorted;
    size_t sorted_cap;
};

/* The key of by_both: the first bytes of a struct tx_request. */
struct both {
    uint8_t hash[32];
    peer_id peer;
};
_Static_assert(offsetof(struct tx_request, peer) == offsetof(struct both, peer), "the key is one run of bytes");

struct tx_requests *tx_requests_new(const uint64_t key[2])
{
    struct tx_requests *t = mem_calloc(1, sizeof(*t));
    t->key[0] = key[0];
    t->key[1] = key[1];
    hashmap_init(&t->by_both, offsetof(struct announcement, r), sizeof(struct both), key[0]);
    hashmap_init(&t->groups, offsetof(struct group, hash), 32, key[0]);
    hashmap_init(&t->sources, offsetof(struct source, peer), sizeof(peer_id), key[1]);
    return t;
}

static struct both both_of(const uint8_t hash[32], peer_id peer)
{
    struct both key = {.peer = peer};
    memcpy(key.hash, hash, 32);
    return key;
}

uint64_t tx_requests_priority(const struct tx_requests *t, const uint8_t hash[32], peer_id peer, bool preferred)
{
    struct both key = both_of(hash, peer);
    return siphash24(t->key[0], t->key[1], &key, sizeof(key)) >> 1 | (uint64_t)preferred << 63;
}

static struct announcement *find(const struct tx_requests *t, const uint8_t hash[32], peer_id peer)
{
    struct both key = both_of(hash, peer);
    return hashmap_get(&t->by_both, &key);
}

/* ---- one announcement ---- */

static struct announcement **list_of(struct source *s, enum state state)
{
    return state == BEST ? &s->best : &s->others;
}

/* Into all that its state has it in. */
static void enter(struct tx_requests *t, struct announcement *a, enum state state, int64_t time_us)
{
    struct announcement **list = list_of(a->source, state);
    a->state = state;
    a->prev = NULL;
    a->next = *list;
    if (a->next) a->next->prev = a;
    *list = a;
    if (state == DELAYED || state == IN_FLIGHT) heap_put(&t->waiting, &a->node, time_us);
    if (state == READY || state == BEST) heap_put(&t->selectable, &a->node, -time_us);
    if (state == BEST || state == IN_FLIGHT) {
        CHECK(!a->group->selected);
        a->group->selected = a;
    }
    a->source->total++;
    a->source->in_flight += state == IN_FLIGHT;
    a->source->completed += state == COMPLETED;
    a->group->open += state != COMPLETED;
}

static void leave(struct tx_requests *t, struct announcement *a)
{
    struct announcement **list = list_of(a->source, a->state);
    if (a->prev)
        a->prev->next = a->next;
    else
        *list = a->next;
    if (a->next) a->next->prev = a->prev;
    if (a->state == DELAYED || a->state == IN_FLIGHT) heap_remove(&t->waiting, &a->node);
    if (a->state == READY || a->state == BEST) heap_remove(&t->selectable, &a->node);
    if (a->group->selected == a) a->group->selected = NULL;
    a->source->total--;
    a->source->in_flight -= a->state == IN_FLIGHT;
    a->source->completed -= a->state == COMPLETED;
    a->group->open -= a->state != COMPLETED;
}

static int64_t time_of(const struct announcement *a)
{
    return a->state == READY || a->state == BEST ? -a->node.key : a->node.key;
}

/* The same with another state; its time stays. */
static void change(struct tx_requests *t, struct announcement *a, enum state state)
{
    int64_t time_us = time_of(a);
    leave(t, a);
    enter(t, a, state, time_us);
}

/* Its group and its peer stay, even if they are empty now. */
static void erase(struct tx_requests *t, struct announcement *a)
{
    leave(t, a);
    if (a->group_prev)
        a->group_prev->group_next = a->group_next;
    else
        a->group->first = a->group_next;
    if (a->group_next) a->group_next->group_prev = a->group_prev;
    hashmap_del(&t->by_both, &a->r);
    free(a);
}

static void drop_source_if_empty(struct tx_requests *t, struct source *s)
{
    if (s->total) return;
    hashmap_del(&t->sources, &s->peer);
    free(s);
}

static void erase_group(struct tx_requests *t, struct group *g)
{
    while (g->first) {
        struct source *s = g->first->source;
        erase(t, g->first);
        drop_source_if_empty(t, s);
    }
    hashmap_del(&t->groups, g->hash);
    free(g);
}

/* ---- who is asked ---- */

/* Its time has come. */
static void promote(struct tx_requests *t, struct announcement *a)
{
    struct announcement *old = a->group->selected;
    if (old && (old->state == IN_FLIGHT || old->priority >= a->priority)) {
        change(t, a, READY);
        return;
    }
    if (old) change(t, old, READY);
    change(t, a, BEST);
}

/* A, which is asked no longer, gets STATE; the next best steps in. */
static void reselect(struct tx_requests *t, struct announcement *a, enum state state)
{
    bool was_selected = a->group->selected == a;
    change(t, a, state);
    if (!was_selected) return;
    struct announcement *best = NULL;
    for (struct announcement *b = a->group->first; b; b = b->group_next)
        if (b->state == READY && (!best || b->priority > best->priority)) best = b;
    if (best) change(t, best, BEST);
}

/* False: it is gone, as nobody is left to be asked. */
static bool complete(struct tx_requests *t, struct announcement *a)
{
    if (a->state == COMPLETED) return true;
    if (a->group->open == 1) {
        erase_group(t, a->group);
        return false;
    }
    reselect(t, a, COMPLETED);
    return true;
}

static void list_add(struct list *l, const struct tx_request *r)
{
    l->items = mem_grow(l->items, &l->cap, l->count + 1, sizeof(*l->items));
    l->items[l->count++] = *r;
}

/* What is due at NOW_US; and, where the clock went back, what is due no longer. */
static void move_time(struct tx_requests *t, int64_t now_us)
{
    struct heap_node *top;
    t->expired.count = 0;
    while ((top = heap_top(&t->waiting)) && top->key <= now_us) {
        struct announcement *a = HEAP_ITEM(top, struct announcement, node);
        if (a->state == DELAYED) {
            promote(t, a);
        } else {
            list_add(&t->expired, &a->r);
            (void)complete(t, a);
        }
    }
    while ((top = heap_top(&t->selectable)) && -top->key > now_us)
        reselect(t, HEAP_ITEM(top, struct announcement, node), DELAYED);
}

/* ---- events ---- */

static struct group *group_of(struct tx_requests *t, const uint8_t hash[32])
{
    struct group *g = hashmap_get(&t->groups, hash);
    if (g) return g;
    g = mem_calloc(1, sizeof(*g));
    memcpy(g->hash, hash, 32);
    hashmap_put(&t->groups, g);
    return g;
}

static struct source *source_of(struct tx_requests *t, peer_id peer)
{
    struct source *s = hashmap_get(&t->sources, &peer);
    if (s) return s;
    s = mem_calloc(1, sizeof(*s));
    s->peer = peer;
    hashmap_put(&t->sources, s);
    return s;
}

void tx_requests_announce(struct tx_requests *t, const struct tx_request *r, bool preferred, int64_t time_us)
{
    if (find(t, r->hash, r->peer)) return;
    struct announcement *a = mem_calloc(1, sizeof(*a));
    a->r = *r;
    a->sequence = t->next_sequence++;
    a->priority = tx_requests_priority(t, r->hash, r->peer, preferred);
    a->group = group_of(t, r->hash);
    a->source = source_of(t, r->peer);
    a->group_next = a->group->first;
    if (a->group_next) a->group_next->group_prev = a;
    a->group->first = a;
    enter(t, a, DELAYED, time_us);
    hashmap_put(&t->by_both, a);
}

void tx_requests_peer_gone(struct tx_requests *t, peer_id peer)
{
    struct source *s;
    while ((s = hashmap_get(&t->sources, &peer))) {
        struct announcement *a = s->others ? s->others : s->best;
        if (!complete(t, a)) continue;
        erase(t, a);
        drop_source_if_empty(t, s);
    }
}

void tx_requests_forget(struct tx_requests *t, const uint8_t hash[32])
{
    struct group *g = hashmap_get(&t->groups, hash);
    if (g) erase_group(t, g);
}

static int by_sequence(const void *a, const void *b)
{
    uint64_t x = (*(struct announcement *const *)a)->sequence, y = (*(struct announcement *const *)b)->sequence;
    return (x > y) - (x < y);
}

struct tx_request_list tx_requests_due(struct tx_requests *t, peer_id peer, int64_t now_us,
                                       struct tx_request_list *expired)
{
    size_t count = 0;
    move_time(t, now_us);
    *expired = (struct tx_request_list){t->expired.items, t->expired.count};
    t->due.count = 0;
    const struct source *s = hashmap_get(&t->sources, &peer);
    for (struct announcement *a = s ? s->best : NULL; a; a = a->next) {
        t->sorted = mem_grow(t->sorted, &t->sorted_cap, count + 1, sizeof(*t->sorted));
        t->sorted[count++] = a;
    }
    if (count) qsort(t->sorted, count, sizeof(*t->sorted), by_sequence);
    for (size_t i = 0; i < count; i++) list_add(&t->due, &t->sorted[i]->r);
    return (struct tx_request_list){t->due.items, t->due.count};
}

void tx_requests_sent(struct tx_requests *t, peer_id peer, const uint8_t hash[32], int64_t expiry_us)
{
    struct announcement *a = find(t, hash, peer);
    if (!a || a->state == IN_FLIGHT || a->state == COMPLETED) return;
    struct announcement *old = a->group->selected;
    if (old && old != a) change(t, old, old->state == BEST ? READY : COMPLETED);
    leave(t, a);
    enter(t, a, IN_FLIGHT, expiry_us);
}

void tx_requests_answered(struct tx_requests *t, peer_id peer, const uint8_t hash[32])
{
    struct announcement *a = find(t, hash, peer);
    if (a) (void)complete(t, a);
}

/* ---- questions ---- */

size_t tx_requests_count(const struct tx_requests *t, peer_id peer)
{
    const struct source *s = hashmap_get(&t->sources, &peer);
    return s ? s->total : 0;
}

size_t tx_requests_in_flight(const struct tx_requests *t, peer_id peer)
{
    const struct source *s = hashmap_get(&t->sources, &peer);
    return s ? s->in_flight : 0;
}

size_t tx_requests_candidates(const struct tx_requests *t, peer_id peer)
{
    const struct source *s = hashmap_get(&t->sources, &peer);
    return s ? s->total - s->in_flight - s->completed : 0;
}

size_t tx_requests_total(const struct tx_requests *t)
{
    return t->by_both.count;
}

void tx_requests_peers(const struct tx_requests *t, const uint8_t hash[32], peer_id **peers, size_t *count, size_t *cap)
{
    const struct group *g = hashmap_get(&t->groups, hash);
    for (const struct announcement *a = g ? g->first : NULL; a; a = a->group_next) {
        if (a->state == COMPLETED) continue;
        *peers = mem_grow(*peers, cap, *count + 1, sizeof(**peers));
        (*peers)[(*count)++] = a->r.peer;
    }
}

/* ---- account ---- */

size_t tx_requests_peer_memory(const struct tx_requests *t, peer_id peer)
{
    return tx_requests_count(t, peer) * sizeof(struct announcement);
}

size_t tx_requests_memory(const struct tx_requests *t)
{
    return sizeof(*t) + t->groups.count * sizeof(struct group) + t->sources.count * sizeof(struct source) +
           (t->by_both.cap + t->groups.cap + t->sources.cap + t->waiting.cap + t->selectable.cap + t->sorted_cap) *
               sizeof(void *) +
           (t->due.cap + t->expired.cap) * sizeof(struct tx_request);
}

static void check_group(const struct tx_requests *t, const struct group *g, size_t *total)
{
    size_t open = 0, selected = 0;
    for (const struct announcement *a = g->first; a; a = a->group_next, ++*total) {
        CHECK(a->group == g && find(t, g->hash, a->r.peer) == a && memcmp(a->r.hash, g->hash, 32) == 0);
        CHECK(!a->group_next || a->group_next->group_prev == a);
        open += a->state != COMPLETED;
        selected += a->state == BEST || a->state == IN_FLIGHT;
        if (a->state != READY) continue;
        CHECK(g->selected && (g->selected->state == IN_FLIGHT || g->selected->priority >= a->priority));
    }
    CHECK(open > 0 && open == g->open);
    CHECK(selected == (g->selected ? 1 : 0));
    CHECK(!g->selected || (g->selected->group == g && (g->selected->state == BEST || g->selected->state == IN_FLIGHT)));
}

static void check_source(const struct source *s, size_t *total)
{
    size_t count = 0, in_flight = 0, completed = 0;
    for (const struct announcement *a = s->best; a; a = a->next, count++) CHECK(a->source == s && a->state == BEST);
    for (const struct announcement *a = s->others; a; a = a->next, count++) {
        CHECK(a->source == s && a->state != BEST);
        in_flight += a->state == IN_FLIGHT;
        completed += a->state == COMPLETED;
    }
    CHECK(count > 0 && count == s->total && in_flight == s->in_flight && completed == s->completed);
    *total += count;
}

void tx_requests_check(const struct tx_requests *t)
{
    size_t at = 0, by_group = 0, by_source = 0, completed = 0;
    for (const struct group *g; (g = hashmap_next(&t->groups, &at));) check_group(t, g, &by_group);
    at = 0;
    for (const struct source *s; (s = hashmap_next(&t->sources, &at));) {
        check_source(s, &by_source);
        completed += s->completed;
    }
    CHECK(by_group == t->by_both.count && by_source == t->by_both.count);
    CHECK(t->waiting.count + t->selectable.count + completed == t->by_both.count);
}

void tx_requests_free(struct tx_requests *t)
{
    if (!t) return;
    size_t at = 0;
    for (struct announcement *a; (a = hashmap_next(&t->by_both, &at));) free(a);
    at = 0;
    for (struct group *g; (g = hashmap_next(&t->groups, &at));) free(g);
    at = 0;
    for (struct source *s; (s = hashmap_next(&t->sources, &at));) free(s);
    hashmap_clear(&t->by_both);
    hashmap_clear(&t->groups);
    hashmap_clear(&t->sources);
    heap_clear(&t->waiting);
    heap_clear(&t->selectable);
    free(t->due.items);
    free(t->expired.items);
    free(t->sorted);
    free(t);
}
