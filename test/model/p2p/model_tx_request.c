/* The tracker of requests against a naive twin: one flat list that is looked through from end to end for everything,
 * rules written down as the header states them. Random calls, clocks that jump both ways, every answer compared. */
#include <criterion/criterion.h>

#include "base/random.h"
#include "p2p/tx_request.h"

enum { HASHES = 12, PEERS = 6, STEPS = 60000, CHECK_EACH = 50, MOST = HASHES * PEERS };

enum kind { CANDIDATE, ASKED, OVER };

/* One announcement. A candidate may be asked from `time_us` on; one that was asked has until then. */
struct row {
    size_t hash;
    peer_id peer;
    bool by_wtxid;
    uint64_t priority, order;
    enum kind kind;
    int64_t time_us;
};

struct twin {
    struct row rows[MOST];
    size_t count;
    uint64_t order;
    uint8_t hashes[HASHES][32];
};

static struct row *twin_find(struct twin *t, size_t hash, peer_id peer)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->rows[i].hash == hash && t->rows[i].peer == peer) return &t->rows[i];
    return NULL;
}

/* A hash that nobody is left to be asked for is forgotten. */
static void twin_forget_done(struct twin *t)
{
    size_t count = 0;
    struct row kept[MOST];
    for (size_t i = 0; i < t->count; i++) {
        bool open = false;
        for (size_t k = 0; k < t->count; k++) open |= t->rows[k].hash == t->rows[i].hash && t->rows[k].kind != OVER;
        if (open) kept[count++] = t->rows[i];
    }
    memcpy(t->rows, kept, count * sizeof(*kept));
    t->count = count;
}

static void twin_remove(struct twin *t, bool by_peer, size_t hash, peer_id peer)
{
    size_t count = 0;
    for (size_t i = 0; i < t->count; i++)
        if (by_peer ? t->rows[i].peer != peer : t->rows[i].hash != hash) t->rows[count++] = t->rows[i];
    t->count = count;
    twin_forget_done(t);
}

static void twin_announce(struct twin *t, struct row row)
{
    if (twin_find(t, row.hash, row.peer)) return;
    row.order = t->order++;
    t->rows[t->count++] = row;
}

static void twin_sent(struct twin *t, size_t hash, peer_id peer, int64_t expiry_us)
{
    struct row *r = twin_find(t, hash, peer);
    if (!r || r->kind != CANDIDATE) return;
    for (size_t i = 0; i < t->count; i++)
        if (t->rows[i].hash == hash && t->rows[i].kind == ASKED) t->rows[i].kind = OVER;
    r->kind = ASKED;
    r->time_us = expiry_us;
}

static void twin_answered(struct twin *t, size_t hash, peer_id peer)
{
    struct row *r = twin_find(t, hash, peer);
    if (r) r->kind = OVER;
    twin_forget_done(t);
}

/* Nobody is asked for it, and of those that may be asked now none is better. */
static bool twin_is_due(const struct twin *t, const struct row *r, int64_t now_us)
{
    if (r->kind != CANDIDATE || r->time_us > now_us) return false;
    for (size_t i = 0; i < t->count; i++) {
        const struct row *o = &t->rows[i];
        if (o->hash != r->hash || o == r) continue;
        if (o->kind == ASKED) return false;
        if (o->kind == CANDIDATE && o->time_us <= now_us && o->priority > r->priority) return false;
    }
    return true;
}

/* What is due to PEER in order of announcement, to OUT. */
static size_t twin_due(struct twin *t, peer_id peer, int64_t now_us, const struct row **out, size_t *expired)
{
    size_t count = 0;
    *expired = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (t->rows[i].kind != ASKED || t->rows[i].time_us > now_us) continue;
        t->rows[i].kind = OVER;
        ++*expired;
    }
    twin_forget_done(t);
    for (size_t i = 0; i < t->count; i++)
        if (t->rows[i].peer == peer && twin_is_due(t, &t->rows[i], now_us)) out[count++] = &t->rows[i];
    for (size_t i = 1; i < count; i++)
        for (size_t k = i; k > 0 && out[k]->order < out[k - 1]->order; k--) {
            const struct row *r = out[k];
            out[k] = out[k - 1];
            out[k - 1] = r;
        }
    return count;
}

struct both {
    struct twin twin;
    struct tx_requests *real;
    struct random random;
    int64_t now_us;
};

static void compare_due(struct both *b, peer_id peer)
{
    const struct row *due[MOST];
    size_t expired;
    struct tx_request_list gone, list = tx_requests_due(b->real, peer, b->now_us, &gone);
    size_t count = twin_due(&b->twin, peer, b->now_us, due, &expired);
    cr_assert_eq(list.count, count);
    cr_assert_eq(gone.count, expired);
    for (size_t i = 0; i < count; i++) {
        cr_assert_arr_eq(list.items[i].hash, b->twin.hashes[due[i]->hash], 32);
        cr_assert_eq(list.items[i].peer, peer);
        cr_assert_eq(list.items[i].by_wtxid, due[i]->by_wtxid);
    }
    /* As its caller does: each is asked for, or found not to be wanted. */
    for (size_t i = 0; i < count && random_below(&b->random, 8) != 0; i++) {
        size_t hash = due[i]->hash;
        if (random_below(&b->random, 6) == 0) {
            tx_requests_forget(b->real, b->twin.hashes[hash]);
            twin_remove(&b->twin, false, hash, 0);
            return;
        }
        int64_t expiry_us = b->now_us + 10 + (int64_t)random_below(&b->random, 60);
        tx_requests_sent(b->real, peer, b->twin.hashes[hash], expiry_us);
        twin_sent(&b->twin, hash, peer, expiry_us);
    }
}

static void compare_counts(struct both *b)
{
    struct twin *t = &b->twin;
    tx_requests_check(b->real);
    cr_assert_eq(tx_requests_total(b->real), t->count);
    for (peer_id peer = 0; peer < PEERS; peer++) {
        size_t all = 0, asked = 0, candidates = 0;
        for (size_t i = 0; i < t->count; i++) {
            if (t->rows[i].peer != peer) continue;
            all++;
            asked += t->rows[i].kind == ASKED;
            candidates += t->rows[i].kind == CANDIDATE;
        }
        cr_assert_eq(tx_requests_count(b->real, peer), all);
        cr_assert_eq(tx_requests_in_flight(b->real, peer), asked);
        cr_assert_eq(tx_requests_candidates(b->real, peer), candidates);
    }
    for (size_t hash = 0; hash < HASHES; hash++) {
        size_t open = 0, count = 0, cap = 0;
        peer_id *peers = NULL;
        for (size_t i = 0; i < t->count; i++) open += t->rows[i].hash == hash && t->rows[i].kind != OVER;
        tx_requests_peers(b->real, t->hashes[hash], &peers, &count, &cap);
        cr_assert_eq(count, open);
        for (size_t i = 0; i < count; i++) {
            const struct row *r = twin_find(t, hash, peers[i]);
            cr_assert(r && r->kind != OVER);
        }
        free(peers);
    }
}

static void step(struct both *b)
{
    struct random *r = &b->random;
    struct tx_request request = {.peer = (peer_id)random_below(r, PEERS), .by_wtxid = random_below(r, 2)};
    size_t hash = (size_t)random_below(r, HASHES);
    const uint8_t *id = b->twin.hashes[hash];
    memcpy(request.hash, id, 32);
    switch (random_below(r, 12)) {
    case 0:
        tx_requests_peer_gone(b->real, request.peer);
        for (size_t i = 0; i < b->twin.count; i++)
            if (b->twin.rows[i].peer == request.peer) b->twin.rows[i].kind = OVER;
        twin_remove(&b->twin, true, 0, request.peer);
        break;
    case 1:
        tx_requests_forget(b->real, id);
        twin_remove(&b->twin, false, hash, 0);
        break;
    case 2:
    case 3:
        tx_requests_answered(b->real, request.peer, id);
        twin_answered(&b->twin, hash, request.peer);
        break;
    case 4: {
        int64_t expiry_us = b->now_us + (int64_t)random_below(r, 60);
        tx_requests_sent(b->real, request.peer, id, expiry_us);
        twin_sent(&b->twin, hash, request.peer, expiry_us);
        break;
    }
    case 5:
    case 6:
    case 7:
        b->now_us += (int64_t)random_below(r, 30) - (random_below(r, 10) == 0 ? 40 : 0);
        compare_due(b, request.peer);
        break;
    default: {
        bool preferred = random_below(r, 3) == 0;
        int64_t time_us = b->now_us + (int64_t)random_below(r, 25) - 5;
        tx_requests_announce(b->real, &request, preferred, time_us);
        twin_announce(&b->twin, (struct row){.hash = hash,
                                             .peer = request.peer,
                                             .by_wtxid = request.by_wtxid,
                                             .priority = tx_requests_priority(b->real, id, request.peer, preferred),
                                             .time_us = time_us});
    }
    }
}

static void run(uint64_t seed)
{
    struct both b = {.now_us = 1000};
    random_init_u64(&b.random, seed);
    b.real = tx_requests_new((uint64_t[2]){seed, ~seed});
    for (size_t i = 0; i < HASHES; i++) random_bytes(&b.random, b.twin.hashes[i], 32);
    for (size_t i = 0; i < STEPS; i++) {
        step(&b);
        if (i % CHECK_EACH == 0) compare_counts(&b);
    }
    for (peer_id peer = 0; peer < PEERS; peer++) tx_requests_peer_gone(b.real, peer);
    cr_assert_eq(tx_requests_total(b.real), 0);
    tx_requests_free(b.real);
}

Test(tx_request, is_as_the_naive_one)
{
    for (uint64_t seed = 1; seed <= 4; seed++) run(seed);
}
