/* The orphanage against a naive twin: one flat list of announcements, everything summed up anew for each question.
 * Random calls with small limits, so that something is always too much, and all of both compared. */
#include <criterion/criterion.h>

#include "p2p/orphanage_internal.h"

enum { TXS = 40, PEERS = 7, STEPS = 20000, MAX_LATENCY = 40, PEER_USAGE = 6000, ROWS = TXS * PEERS + 1 };

struct row {
    const struct tx *tx;
    peer_id peer;
    uint64_t order;
    bool work;
};

struct both {
    struct row rows[ROWS]; /* oldest first */
    size_t count;
    uint64_t order;
    struct tx txs[TXS];
    struct arena arena;
    struct random random, picks;
    struct orphanage *real;
};

/* ---- transactions ---- */

/* Spends up to 30 outputs of transactions made before, or of nobody. */
static void make_tx(struct both *b, size_t at)
{
    struct buffer raw = {0};
    size_t inputs = 1 + (size_t)random_below(&b->random, random_below(&b->random, 4) == 0 ? 30 : 3);
    size_t padding = (size_t)random_below(&b->random, random_below(&b->random, 4) == 0 ? 200 : 20);
    buffer_put_le32(&raw, (uint32_t)at);
    buffer_put_u8(&raw, (uint8_t)inputs);
    for (size_t i = 0; i < inputs; i++) {
        struct txid parent = {{(uint8_t)random_below(&b->random, 10)}};
        if (at > 0 && random_below(&b->random, 3) != 0) parent = b->txs[random_below(&b->random, at)].txid;
        buffer_put(&raw, parent.bytes, 32);
        buffer_put_le32(&raw, (uint32_t)random_below(&b->random, 3));
        buffer_put_u8(&raw, 0);
        buffer_put_le32(&raw, SEQUENCE_FINAL);
    }
    buffer_put_u8(&raw, 2);
    for (int i = 0; i < 2; i++) {
        buffer_put_le64(&raw, 1);
        buffer_put_u8(&raw, (uint8_t)padding);
        memset(buffer_extend(&raw, padding), 0x51, padding);
    }
    buffer_put_le32(&raw, 0);
    uint8_t *bytes = arena_alloc(&b->arena, raw.len);
    memcpy(bytes, raw.data, raw.len);
    cr_assert(tx_parse(&b->txs[at], span_of(bytes, raw.len), &b->arena, TX_NO_WITNESS));
    buffer_clear(&raw);
}

/* ---- the twin ---- */

static uint64_t latency_of(const struct tx *tx)
{
    return tx->in_count / 10;
}

static bool first_of_tx(const struct both *b, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (b->rows[i].tx == b->rows[at].tx) return false;
    return true;
}

struct totals {
    uint64_t usage, latency;
    size_t peers, txs;
};

/* Each transaction once; of PEER's alone where it is not P2P_NO_PEER, and then without regard to others. */
static struct totals sum(const struct both *b, peer_id peer)
{
    struct totals t = {0};
    bool seen[PEERS] = {0};
    for (size_t i = 0; i < b->count; i++) {
        const struct row *r = &b->rows[i];
        if (peer != P2P_NO_PEER && r->peer != peer) continue;
        bool first = peer != P2P_NO_PEER || first_of_tx(b, i);
        t.usage += first ? tx_weight(r->tx) : 0;
        t.latency += 1 + (first ? latency_of(r->tx) : 0);
        t.txs += first;
        t.peers += !seen[r->peer];
        seen[r->peer] = true;
    }
    return t;
}

static bool too_much(const struct both *b)
{
    struct totals t = sum(b, P2P_NO_PEER);
    return t.latency > MAX_LATENCY || t.usage > PEER_USAGE * (t.peers ? t.peers : 1);
}

static void drop_row(struct both *b, size_t at)
{
    memmove(b->rows + at, b->rows + at + 1, (--b->count - at) * sizeof(*b->rows));
}

/* The larger of both shares as a fraction of all that a peer may take; of equal fractions that of latency. */
static void score(const struct both *b, peer_id peer, uint64_t max_latency, uint64_t *part, uint64_t *whole)
{
    struct totals t = sum(b, peer);
    bool memory = t.usage * max_latency > t.latency * PEER_USAGE;
    *part = memory ? t.usage : t.latency;
    *whole = memory ? PEER_USAGE : max_latency;
}

static peer_id worst_peer(const struct both *b, uint64_t max_latency)
{
    peer_id worst = P2P_NO_PEER;
    uint64_t most_part = 0, most_whole = 1, part, whole;
    for (peer_id peer = 0; peer < PEERS; peer++) {
        score(b, peer, max_latency, &part, &whole);
        if (part == 0) continue;
        uint64_t x = part * most_whole, y = most_part * whole;
        if (worst != P2P_NO_PEER && (x < y || (x == y && whole > most_whole))) continue;
        worst = peer;
        most_part = part;
        most_whole = whole;
    }
    return worst;
}

/* One after the other: the worst peer's oldest announcement, those to be judged again last. */
static void twin_limit(struct both *b)
{
    size_t peers = sum(b, P2P_NO_PEER).peers;
    uint64_t max_latency = MAX_LATENCY / (peers ? peers : 1);
    while (too_much(b)) {
        peer_id worst = worst_peer(b, max_latency);
        size_t at = b->count;
        for (size_t i = b->count; i > 0; i--)
            if (b->rows[i - 1].peer == worst && (at == b->count || !b->rows[i - 1].work || b->rows[at].work))
                at = i - 1;
        cr_assert_lt(at, b->count);
        drop_row(b, at);
    }
}

static struct row *twin_find(struct both *b, const struct tx *tx, peer_id peer)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->rows[i].tx == tx && b->rows[i].peer == peer) return &b->rows[i];
    return NULL;
}

static bool twin_has(const struct both *b, const struct tx *tx)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->rows[i].tx == tx) return true;
    return false;
}

static void twin_add(struct both *b, const struct tx *tx, peer_id peer)
{
    if (twin_find(b, tx, peer)) return;
    b->rows[b->count++] = (struct row){.tx = tx, .peer = peer, .order = b->order++};
    twin_limit(b);
}

static void twin_remove_tx(struct both *b, const struct tx *tx)
{
    for (size_t i = b->count; i > 0; i--)
        if (b->rows[i - 1].tx == tx) drop_row(b, i - 1);
}

static bool spends(const struct tx *tx, const struct txid *parent, uint32_t index)
{
    for (size_t i = 0; i < tx->in_count; i++)
        if (txid_equal(&tx->in[i].prevout.txid, parent) && tx->in[i].prevout.index == index) return true;
    return false;
}

/* ---- steps ---- */

static bool twin_has_work(const struct both *b, const struct tx *tx)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->rows[i].tx == tx && b->rows[i].work) return true;
    return false;
}

/* Who was drawn to judge TX. */
static peer_id real_work_of(const struct both *b, const struct tx *tx)
{
    const struct kept *k = (const void *)orphanage_find(b->real, &tx->wtxid);
    for (size_t i = 0; k && i < k->orphan.from_count; i++)
        if (k->announced[i]->work) return k->orphan.from[i];
    return P2P_NO_PEER;
}

/* Whom a child is given to is drawn: the twin takes over what was drawn, after it made sure that it could be. */
static void parent_came(struct both *b, const struct tx *parent)
{
    bool due[TXS] = {0};
    for (size_t t = 0; t < TXS; t++)
        for (uint32_t i = 0; i < parent->out_count; i++)
            due[t] |= twin_has(b, &b->txs[t]) && !twin_has_work(b, &b->txs[t]) && spends(&b->txs[t], &parent->txid, i);
    orphanage_parent_came(b->real, parent);
    for (size_t t = 0; t < TXS; t++) {
        if (!due[t]) continue;
        struct row *r = twin_find(b, &b->txs[t], real_work_of(b, &b->txs[t]));
        cr_assert_not_null(r);
        r->work = true;
    }
}

static void take_work(struct both *b, peer_id peer)
{
    struct row *next = NULL;
    for (size_t i = b->count; i > 0; i--)
        if (b->rows[i - 1].peer == peer && b->rows[i - 1].work) next = &b->rows[i - 1];
    cr_assert_eq(orphanage_has_work(b->real, peer), next != NULL);
    const struct orphan *o = orphanage_take_work(b->real, peer);
    cr_assert_eq(o != NULL, next != NULL);
    if (!o) return;
    cr_assert(wtxid_equal(&o->wtxid, &next->tx->wtxid));
    cr_assert(span_equal(o->raw, next->tx->raw));
    next->work = false;
}

static void block_came(struct both *b, const struct tx *tx)
{
    struct block block = {.txs = (struct tx *)(uintptr_t)tx, .tx_count = 1};
    orphanage_on_block(b->real, &block);
    for (size_t t = 0; t < TXS; t++)
        for (size_t i = 0; i < tx->in_count; i++)
            if (spends(&b->txs[t], &tx->in[i].prevout.txid, tx->in[i].prevout.index)) twin_remove_tx(b, &b->txs[t]);
    twin_limit(b);
}

static void peer_gone(struct both *b, peer_id peer)
{
    orphanage_peer_gone(b->real, peer);
    for (size_t i = b->count; i > 0; i--)
        if (b->rows[i - 1].peer == peer) drop_row(b, i - 1);
    twin_limit(b);
}

static void step(struct both *b)
{
    const struct tx *tx = &b->txs[random_below(&b->random, TXS)];
    peer_id peer = (peer_id)random_below(&b->random, PEERS);
    switch (random_below(&b->random, 16)) {
    case 0: peer_gone(b, peer); break;
    case 1:
        cr_assert_eq(orphanage_remove(b->real, &tx->wtxid), twin_has(b, tx));
        twin_remove_tx(b, tx);
        twin_limit(b);
        break;
    case 2: block_came(b, tx); break;
    case 3:
    case 4: parent_came(b, tx); break;
    case 5:
    case 6: take_work(b, peer); break;
    case 7:
    case 8: {
        bool can = twin_has(b, tx) && !twin_find(b, tx, peer);
        cr_assert_eq(orphanage_add_announcer(b->real, &tx->wtxid, peer), can);
        if (can) twin_add(b, tx, peer);
        break;
    }
    default: cr_assert_eq(orphanage_add(b->real, tx, peer), !twin_has(b, tx)); twin_add(b, tx, peer);
    }
}

/* ---- both compared ---- */

static void compare_peers(struct both *b)
{
    for (peer_id peer = 0; peer < PEERS; peer++) {
        uint64_t usage = 0, latency = 0;
        size_t count = 0;
        for (size_t i = 0; i < b->count; i++) {
            if (b->rows[i].peer != peer) continue;
            usage += tx_weight(b->rows[i].tx);
            latency += 1 + latency_of(b->rows[i].tx);
            count++;
        }
        cr_assert_eq(orphanage_peer_announcements(b->real, peer), count);
        cr_assert_eq(orphanage_peer_usage(b->real, peer), usage);
        cr_assert_eq(orphanage_peer_latency(b->real, peer), latency);
    }
}

static void compare(struct both *b)
{
    struct totals t = sum(b, P2P_NO_PEER);
    size_t count;
    orphanage_check(b->real);
    const struct orphan **list = orphanage_list(b->real, &count);
    cr_assert_eq(count, t.txs);
    cr_assert_eq(orphanage_count(b->real), t.txs);
    cr_assert_eq(orphanage_announcements(b->real), b->count);
    cr_assert_eq(orphanage_usage(b->real), t.usage);
    cr_assert_eq(orphanage_latency(b->real), t.latency);
    for (size_t i = 1; i < count; i++) cr_assert_lt(memcmp(&list[i - 1]->wtxid, &list[i]->wtxid, 32), 0);
    free(list);
    for (size_t i = 0; i < TXS; i++) {
        const struct orphan *o = orphanage_find(b->real, &b->txs[i].wtxid);
        cr_assert_eq(o != NULL, twin_has(b, &b->txs[i]));
        for (size_t k = 0; o && k < o->from_count; k++) cr_assert_not_null(twin_find(b, &b->txs[i], o->from[k]));
        for (peer_id p = 0; p < PEERS; p++)
            cr_assert_eq(orphanage_has_from(b->real, &b->txs[i].wtxid, p), twin_find(b, &b->txs[i], p) != NULL);
    }
    compare_peers(b);
}

static void run(uint64_t seed)
{
    struct both *b = mem_calloc(1, sizeof(*b));
    random_init_u64(&b->random, seed);
    random_init_u64(&b->picks, seed);
    b->real = orphanage_new(MAX_LATENCY, PEER_USAGE, (uint64_t[2]){seed, 7}, &b->picks, NULL);
    for (size_t i = 0; i < TXS; i++) make_tx(b, i);
    for (size_t i = 0; i < STEPS; i++) {
        step(b);
        if (i % 10 == 0) compare(b);
    }
    orphanage_free(b->real);
    arena_clear(&b->arena);
    free(b);
}

Test(orphanage, is_as_the_naive_one)
{
    for (uint64_t seed = 1; seed <= 4; seed++) run(seed);
}
