/* Transactions out: announcements wait for the rate of all and then for each peer's random moment, and go out sorted,
 * so that their order and time tell nothing; served is what was in the pool by then. */
#include "p2p/tx_relay.h"

#include "p2p/internal.h"
#include "p2p/p2p_txs.h"
#include "p2p/tx_download.h"
#include "p2p/tx_relay_rate.h"

enum { TIMERS_MAX = 64, SEND_RATE_DEFAULT = 14 };

#define INBOUND_AVERAGE_US  INT64_C(5000000)
#define OUTBOUND_AVERAGE_US INT64_C(2000000)
#define CHECK_EVERY_US      INT64_C(100000)
#define RETRY_LEAST_US      (INT64_C(10) * 60 * 1000000)
#define RETRY_SPREAD_US     (UINT64_C(5) * 60 * 1000000)
#define HEARTBEAT_US        INT64_C(2000000)
#define HEARTBEAT_WAITING   100

/* All inbound peers of one network on one socket share the moment: several connections of a listener learn no more
 * than one. */
struct shared_timer {
    uint64_t key;
    int64_t next_us;
};

struct tx_relay {
    struct tx_backlog inbound, outbound;
    unsigned rate;
    int64_t next_check_us;     /* wall */
    int64_t next_heartbeat_us; /* wall; 0: nothing to tell of */
    int64_t next_retry_us;     /* of the scheduler; 0: not planned yet */
    struct shared_timer timers[TIMERS_MAX];
    size_t timer_count;
};

static void plan_retry(struct p2p *p)
{
    p->tx_relay->next_retry_us =
        p2p_scheduler_us(p) + RETRY_LEAST_US + (int64_t)random_below(&p->random, RETRY_SPREAD_US);
}

void tx_relay_init(struct p2p *p)
{
    struct tx_relay *r = p->tx_relay = mem_calloc(1, sizeof(*r));
    r->rate = p->options.tx_send_rate ? p->options.tx_send_rate : SEND_RATE_DEFAULT;
    tx_backlog_init(&r->inbound, r->rate, 1);
    tx_backlog_init(&r->outbound, r->rate, (double)INBOUND_AVERAGE_US / OUTBOUND_AVERAGE_US);
}

void tx_relay_clear(struct p2p *p)
{
    tx_backlog_clear(&p->tx_relay->inbound);
    tx_backlog_clear(&p->tx_relay->outbound);
    free(p->tx_relay);
    p->tx_relay = NULL;
}

void tx_relay_peer_init(struct peer *peer)
{
    peer->tx_relay.last_sequence = 1;
}

void tx_relay_peer_gone(struct p2p *p, struct peer *peer)
{
    (void)p;
    rolling_bloom_clear(&peer->tx_relay.known);
    free(peer->tx_relay.queue);
    peer->tx_relay = (struct peer_tx_relay){0};
}

size_t tx_relay_memory(const struct p2p *p)
{
    const struct tx_relay *r = p->tx_relay;
    return sizeof(*r) + (r->inbound.cap + r->outbound.cap) * sizeof(struct wtxid);
}

size_t tx_relay_peer_memory(const struct peer *peer)
{
    const struct peer_tx_relay *t = &peer->tx_relay;
    return t->cap * sizeof(*t->queue) + (t->known.words ? t->known.pairs * 2 * sizeof(uint64_t) : 0);
}

void tx_relay_check_peer(const struct peer *peer)
{
    const struct peer_tx_relay *t = &peer->tx_relay;
    CHECK(t->count <= t->cap && t->count <= TX_RELAY_QUEUE_MAX);
    CHECK(peer->txs.has_relay || (!t->count && !t->next_us && !t->known.words && !t->last_sequence));
    CHECK(t->next_us || !t->count);
}

/* ---- who knows what ---- */

void tx_relay_note_known(struct p2p *p, struct peer *peer, const uint8_t hash[32])
{
    struct rolling_bloom *known = &peer->tx_relay.known;
    if (!peer->txs.has_relay) return;
    if (!known->words) rolling_bloom_init(known, MAX_INV, 20, &p->random);
    rolling_bloom_put(known, span_of(hash, 32));
}

static bool is_known(const struct peer *peer, const uint8_t hash[32])
{
    const struct rolling_bloom *known = &peer->tx_relay.known;
    return known->words && rolling_bloom_has(known, span_of(hash, 32));
}

/* ---- from all that is new to the queues of peers ---- */

/* Beyond the bound the peer is not told: others will. */
static void enqueue(struct peer *peer, const struct mempool_list *list)
{
    struct peer_tx_relay *t = &peer->tx_relay;
    size_t room = TX_RELAY_QUEUE_MAX - t->count, count = list->count < room ? list->count : room;
    t->queue = mem_grow(t->queue, &t->cap, t->count + count, sizeof(*t->queue));
    for (size_t i = 0; i < count; i++) t->queue[t->count++] = list->entries[i]->tx.wtxid;
}

static void heartbeat(struct p2p *p)
{
    struct tx_relay *r = p->tx_relay;
    const struct tx_backlog *in = &r->inbound, *out = &r->outbound;
    if (!r->next_heartbeat_us && (in->waiting >= HEARTBEAT_WAITING || out->waiting >= HEARTBEAT_WAITING))
        r->next_heartbeat_us = p->wall_us;
    if (!r->next_heartbeat_us || p->wall_us < r->next_heartbeat_us) return;
    log_debug(p->log, LOGC_NET,
              "Transaction rate-limiting backlog inbound=%zu itok=%.1f isz=%.1f outbound=%zu otok=%.1f osz=%.1f",
              in->waiting, in->count.value, in->size.value, out->waiting, out->count.value, out->size.value);
    r->next_heartbeat_us = in->waiting || out->waiting ? p->wall_us + HEARTBEAT_US : 0;
}

/* Hands what is due to the peers on one side. */
static void spread(struct p2p *p, struct tx_backlog *b, bool inbound)
{
    bool anybody = false;
    struct mempool_list list = {0};
    if (tx_backlog_is_due(b)) list = tx_backlog_take(b, p->mempool);
    for (size_t i = 0; i < p->peer_count; i++) {
        struct peer *peer = p->peers[i];
        /* Before the first trickle nothing waits: it would go out without a delay, and tell when it came. */
        if (peer_is_inbound(peer) != inbound || !peer->tx_relay.next_us) continue;
        anybody = true;
        enqueue(peer, &list);
    }
    /* Nobody is there: what waits would only keep the tokens from those who come. */
    if (!anybody) tx_backlog_drop(b);
    free(list.entries);
}

static void process(struct p2p *p)
{
    struct tx_relay *r = p->tx_relay;
    r->next_check_us = p->wall_us + CHECK_EVERY_US;
    tx_backlog_fill(&r->inbound, p->wall_us);
    tx_backlog_fill(&r->outbound, p->wall_us);
    heartbeat(p);
    if (!tx_backlog_is_due(&r->inbound) && !tx_backlog_is_due(&r->outbound)) return;
    spread(p, &r->inbound, true);
    spread(p, &r->outbound, false);
}

void tx_relay_announce(struct p2p *p, const struct txid *txid, const struct wtxid *wtxid)
{
    (void)txid;
    if (!p->mempool) return;
    tx_backlog_put(&p->tx_relay->inbound, p->mempool, wtxid);
    tx_backlog_put(&p->tx_relay->outbound, p->mempool, wtxid);
    process(p);
}

void p2p_relay_tx(struct p2p *p, const struct txid *txid, const struct wtxid *wtxid)
{
    tx_relay_announce(p, txid, wtxid);
    const struct mempool_entry *e = p->mempool ? mempool_find_wtxid(p->mempool, wtxid) : NULL;
    if (e) tx_download_on_accepted(p, &e->tx);
}

static void retry_unbroadcast(struct p2p *p)
{
    size_t count;
    struct txid *ids = mempool_unbroadcast(p->mempool, &count);
    for (size_t i = 0; i < count; i++) {
        const struct mempool_entry *e = mempool_find(p->mempool, &ids[i]);
        if (e)
            tx_relay_announce(p, &ids[i], &e->tx.wtxid);
        else
            mempool_remove_unbroadcast(p->mempool, &ids[i]);
    }
    free(ids);
}

void tx_relay_tick(struct p2p *p)
{
    struct tx_relay *r = p->tx_relay;
    if (!p->mempool) return;
    if (p->peer_count && (p->wall_us > r->next_check_us || p->wall_us + CHECK_EVERY_US < r->next_check_us)) process(p);
    if (!r->next_retry_us) plan_retry(p);
    if (p2p_scheduler_us(p) < r->next_retry_us) return;
    retry_unbroadcast(p);
    plan_retry(p);
}

/* ---- the trickle ---- */

static int64_t *shared_timer(struct tx_relay *r, uint64_t key)
{
    for (size_t i = 0; i < r->timer_count; i++)
        if (r->timers[i].key == key) return &r->timers[i].next_us;
    if (r->timer_count == TIMERS_MAX) return &r->timers[key % TIMERS_MAX].next_us;
    r->timers[r->timer_count] = (struct shared_timer){.key = key};
    return &r->timers[r->timer_count++].next_us;
}

/* True where PEER is to be told now; then its next moment is chosen. */
static bool is_due(struct p2p *p, struct peer *peer)
{
    struct peer_tx_relay *t = &peer->tx_relay;
    if (t->next_us >= p->wall_us) return peer_permits(peer, PERM_NO_BAN);
    if (!peer_is_inbound(peer)) {
        t->next_us = p->wall_us + p2p_poisson_us(p, OUTBOUND_AVERAGE_US);
        return true;
    }
    int64_t *shared = shared_timer(p->tx_relay, addr_cache_key(&p->addr_relay, peer));
    if (*shared < p->wall_us) *shared = p->wall_us + p2p_poisson_us(p, INBOUND_AVERAGE_US);
    t->next_us = *shared;
    return true;
}

/* An inv that is being filled. */
struct announcement {
    struct p2p *p;
    struct peer *peer;
    struct inv *items;
    size_t count, cap;
};

static void flush(struct announcement *a)
{
    if (a->count) peer_send_inv(a->p, a->peer, MESSAGE_INV, a->items, a->count);
    a->count = 0;
}

/* KNOWN_TOO: also what they know already. */
static void add(struct announcement *a, const struct mempool_entry *e, bool known_too)
{
    bool by_wtxid = a->peer->handshake.wtxid_relay;
    struct inv inv = {.type = by_wtxid ? INV_WTX : INV_TX};
    memcpy(inv.hash, by_wtxid ? e->tx.wtxid.bytes : e->tx.txid.bytes, sizeof(inv.hash));
    /* They would not put it into their pool; a child that pays more may follow, so the others are looked at. */
    if (e->fee < fee_rate_fee((struct fee_rate){a->peer->txs.fee_filter_received_sat}, e->vsize)) return;
    if (!known_too && is_known(a->peer, inv.hash)) return;
    if (!txs_wanted(&a->peer->txs, &e->tx)) return;
    tx_relay_note_known(a->p, a->peer, inv.hash);
    a->items = mem_grow(a->items, &a->cap, a->count + 1, sizeof(*a->items));
    a->items[a->count++] = inv;
    if (a->count == MAX_INV) flush(a);
}

void tx_relay_send(struct p2p *p, struct peer *peer)
{
    struct peer_tx_relay *t = &peer->tx_relay;
    struct announcement a = {.p = p, .peer = peer};
    if (!p->mempool || !peer->txs.has_relay || !is_due(p, peer)) return;
    if (!peer->txs.relay) t->count = 0;
    if (!t->count && !t->send_all) return;
    bool all = t->send_all;
    struct mempool_list list =
        all ? mempool_ordered(p->mempool) : tx_relay_best(p->mempool, t->queue, &t->count, t->count);
    t->last_sequence = mempool_sequence(p->mempool);
    t->send_all = false;
    t->count = 0;
    if (t->cap > list.count * 2) {
        free(t->queue);
        t->queue = NULL;
        t->cap = 0;
    }
    for (size_t i = 0; i < list.count; i++) add(&a, list.entries[i], all);
    flush(&a);
    free(a.items);
    free(list.entries);
}

void tx_relay_send_all(struct p2p *p, struct peer *peer)
{
    (void)p;
    if (peer->txs.has_relay) peer->tx_relay.send_all = true;
}

/* ---- serving ---- */

const struct tx *tx_relay_find(struct p2p *p, struct peer *peer, const struct inv *inv)
{
    const struct mempool_entry *e = NULL;
    if (p->mempool && inv->type == INV_WTX) {
        struct wtxid id;
        memcpy(id.bytes, inv->hash, sizeof(id.bytes));
        e = mempool_find_wtxid(p->mempool, &id);
    } else if (p->mempool) {
        struct txid id;
        memcpy(id.bytes, inv->hash, sizeof(id.bytes));
        e = mempool_find(p->mempool, &id);
    }
    /* What came after they were last told: that we have it shall not be asked out of us. */
    if (e && e->sequence < peer->tx_relay.last_sequence) return &e->tx;
    return announce_recent_tx(p, inv);
}

/* ---- for users ---- */

static void fill_queue(struct p2p_tx_queue *out, const struct tx_backlog *b)
{
    *out = (struct p2p_tx_queue){b->waiting, b->count.value, b->size.value};
}

void p2p_tx_rate(const struct p2p *p, struct p2p_tx_rate *out)
{
    out->rate = p->tx_relay->rate;
    fill_queue(&out->inbound, &p->tx_relay->inbound);
    fill_queue(&out->outbound, &p->tx_relay->outbound);
}
