/* The limits of the orphanage: who has to give way when there is too much in all. Accounts and invariants. */
#include "p2p/orphanage_internal.h"

/* ---- limits ---- */

/* A share of what a peer may take: PART of WHOLE. */
struct share {
    uint64_t part, whole;
};

static uint64_t at_least_one(size_t count)
{
    return count ? count : 1;
}

bool orphanage_is_over(const struct orphanage *o)
{
    return orphanage_latency(o) > o->max_latency || o->usage > o->peer_usage * at_least_one(o->announcers.count);
}

/* Negative where A is the lower. Of equal ones that with the smaller whole is the higher: many announcements weigh more
 * than much memory. */
static int share_cmp(struct share a, struct share b)
{
    uint64_t x = a.part * b.whole, y = b.part * a.whole;
    if (x != y) return x < y ? -1 : 1;
    return (a.whole < b.whole) - (a.whole > b.whole);
}

/* What PEER takes, of latency or of memory, whichever is more. */
static struct share share_of(const struct orphanage *o, const struct announcer *peer, uint64_t max_latency)
{
    struct share latency = {peer->latency, max_latency}, memory = {peer->usage, o->peer_usage};
    return share_cmp(latency, memory) < 0 ? memory : latency;
}

/* The one that takes most, of equals the younger connection. *NEXT: what the second takes, or all that one may. */
static struct announcer *worst(const struct orphanage *o, uint64_t max_latency, struct share *next)
{
    struct announcer *found = NULL;
    struct share most = {0, 1};
    size_t at = 0;
    *next = (struct share){1, 1};
    for (struct announcer *a; (a = hashmap_next(&o->announcers, &at));) {
        struct share s = share_of(o, a, max_latency), second = s;
        int order = share_cmp(s, most);
        if (!found || order > 0 || (order == 0 && a->peer > found->peer)) {
            second = most;
            found = a;
            most = s;
        }
        if (share_cmp(second, *next) > 0) *next = second;
    }
    return found;
}

static struct announced *oldest(const struct announcer *a)
{
    struct heap_node *top = heap_top(&a->waiting);
    if (!top) top = heap_top(&a->work);
    return top ? HEAP_ITEM(top, struct announced, node) : NULL;
}

/* Removes announcements of the worst peer until it is the worst no longer; returns how many. */
static size_t trim(struct orphanage *o, uint64_t max_latency)
{
    struct share next;
    struct announcer *a = worst(o, max_latency, &next);
    CHECK(a);
    peer_id peer = a->peer;
    size_t before = a->count, removed = 0;
    while (orphanage_is_over(o)) {
        orphanage_end_announcement(o, oldest(a));
        removed++;
        if (removed == before || share_cmp(share_of(o, a, max_latency), next) <= 0) break;
    }
    log_debug(o->log, LOGC_TXPACKAGES, "peer=%lld orphanage overflow, removed %zu of %zu announcements",
              (long long)peer, removed, before);
    return removed;
}

void orphanage_limit(struct orphanage *o)
{
    if (!orphanage_is_over(o)) return;
    /* What one may take stays the same while we remove, even if a peer loses all it has. */
    uint64_t max_latency = o->max_latency / at_least_one(o->announcers.count);
    size_t before = orphanage_count(o), removed = 0;
    if (max_latency == 0) max_latency = 1;
    while (orphanage_is_over(o)) removed += trim(o, max_latency);
    log_debug(o->log, LOGC_TXPACKAGES, "orphanage overflow, removed %zu tx (%zu announcements)",
              before - orphanage_count(o), removed);
}

/* ---- account ---- */

size_t orphanage_count(const struct orphanage *o)
{
    return o->by_wtxid.count;
}

size_t orphanage_announcements(const struct orphanage *o)
{
    return o->announcements;
}

uint64_t orphanage_usage(const struct orphanage *o)
{
    return o->usage;
}

uint64_t orphanage_latency(const struct orphanage *o)
{
    return o->input_latency + o->announcements;
}

size_t orphanage_peer_announcements(const struct orphanage *o, peer_id peer)
{
    const struct announcer *a = hashmap_get(&o->announcers, &peer);
    return a ? a->count : 0;
}

uint64_t orphanage_peer_usage(const struct orphanage *o, peer_id peer)
{
    const struct announcer *a = hashmap_get(&o->announcers, &peer);
    return a ? a->usage : 0;
}

uint64_t orphanage_peer_latency(const struct orphanage *o, peer_id peer)
{
    const struct announcer *a = hashmap_get(&o->announcers, &peer);
    return a ? a->latency : 0;
}

size_t orphanage_memory(const struct orphanage *o)
{
    size_t maps = o->by_wtxid.cap + o->outputs.cap + o->announcers.cap;
    return sizeof(*o) + maps * sizeof(void *) + (size_t)o->bytes +
           o->announcements * (sizeof(struct announced) + sizeof(void *)) +
           o->announcers.count * sizeof(struct announcer) + o->outputs.count * sizeof(struct spent_output);
}

/* ---- invariants ---- */

struct sums {
    size_t announcements, work;
    uint64_t usage, input_latency;
};

static void check_kept(const struct orphanage *o, const struct kept *k, struct sums *sums)
{
    size_t work = 0;
    CHECK(k->orphan.from_count > 0);
    for (size_t i = 0; i < k->orphan.from_count; i++) {
        const struct announced *a = k->announced[i];
        CHECK(a->orphan == k && a->by->peer == k->orphan.from[i]);
        CHECK(i == 0 || k->orphan.from[i - 1] < k->orphan.from[i]);
        const struct heap *h = a->work ? &a->by->work : &a->by->waiting;
        CHECK(a->node.at < h->count && h->nodes[a->node.at] == &a->node);
        work += a->work;
    }
    CHECK(work == (k->work ? 1 : 0));
    for (size_t i = 0; i < k->orphan.spend_count; i++) {
        const struct spender *s = &k->spenders[i];
        CHECK(s->orphan == k && hashmap_get(&o->outputs, &k->orphan.spends[i]) == s->output);
        CHECK(s->prev ? s->prev->next == s : s->output->first == s);
    }
    sums->announcements += k->orphan.from_count;
    sums->work += work;
    sums->usage += k->orphan.weight_wu;
    sums->input_latency += input_latency(k);
}

static void check_announcer(const struct announcer *a)
{
    uint64_t usage = 0, latency = 0;
    const struct heap *heaps[] = {&a->waiting, &a->work};
    CHECK(a->count > 0 && a->count == a->waiting.count + a->work.count);
    for (size_t h = 0; h < 2; h++)
        for (size_t i = 0; i < heaps[h]->count; i++) {
            const struct announced *n = HEAP_ITEM(heaps[h]->nodes[i], struct announced, node);
            CHECK(n->by == a && n->work == (h == 1));
            usage += n->orphan->orphan.weight_wu;
            latency += 1 + input_latency(n->orphan);
        }
    CHECK(usage == a->usage && latency == a->latency);
}

void orphanage_check(const struct orphanage *o)
{
    struct sums sums = {0};
    size_t at = 0;
    for (const struct kept *k; (k = hashmap_next(&o->by_wtxid, &at));) check_kept(o, k, &sums);
    at = 0;
    for (const struct announcer *a; (a = hashmap_next(&o->announcers, &at));) check_announcer(a);
    at = 0;
    for (const struct spent_output *s; (s = hashmap_next(&o->outputs, &at));) CHECK(s->first);
    CHECK(sums.announcements == o->announcements && sums.work == o->work);
    CHECK(sums.usage == o->usage && sums.input_latency == o->input_latency);
    CHECK(!orphanage_is_over(o));
}
