/* Orphans, their announcers, parents and blocks in any order, with small limits: invariants hold after each step, and
 * a peer within its share never loses anything for others. */
#include <stdlib.h>

#include "base/check.h"
#include "base/reader.h"
#include "p2p/orphanage.h"

enum { PEERS = 5, TXS = 24, MAX_LATENCY = 24, PEER_USAGE = 4000, STEPS = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct material {
    struct tx txs[TXS];
    struct arena arena;
};

/* Each spends some of those before it; each third one has many inputs, each fourth one is large. */
static void make_tx(struct material *m, size_t at)
{
    struct buffer raw = {0};
    size_t inputs = at % 3 == 0 ? 25 : 1 + at % 2, padding = at % 4 == 0 ? 200 : 5;
    buffer_put_le32(&raw, (uint32_t)at);
    buffer_put_u8(&raw, (uint8_t)inputs);
    for (size_t i = 0; i < inputs; i++) {
        struct txid parent = {{(uint8_t)i, 9}};
        if (at > 0 && i < 4) parent = m->txs[(at * 7 + i) % at].txid;
        buffer_put(&raw, parent.bytes, 32);
        buffer_put_le32(&raw, (uint32_t)(i % 2));
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
    uint8_t *bytes = arena_alloc(&m->arena, raw.len);
    memcpy(bytes, raw.data, raw.len);
    CHECK(tx_parse(&m->txs[at], span_of(bytes, raw.len), &m->arena, TX_NO_WITNESS));
    buffer_clear(&raw);
}

static const struct material *material(void)
{
    static struct material m;
    if (m.arena.bytes) return &m;
    for (size_t i = 0; i < TXS; i++) make_tx(&m, i);
    return &m;
}

/* What each peer but BUT has, where that is within its share; else 0. */
static void within_share(const struct orphanage *o, peer_id but, size_t counts[PEERS])
{
    size_t peers = 0;
    for (peer_id p = 0; p < PEERS; p++) peers += orphanage_peer_announcements(o, p) > 0;
    for (peer_id p = 0; p < PEERS; p++) {
        /* One more peer may come, and all shares of latency shrink. */
        bool within = orphanage_peer_latency(o, p) <= MAX_LATENCY / (peers + 1) &&
                      orphanage_peer_usage(o, p) <= PEER_USAGE && p != but;
        counts[p] = within ? orphanage_peer_announcements(o, p) : 0;
    }
}

static void add(struct orphanage *o, const struct tx *tx, peer_id peer, bool announcer)
{
    size_t counts[PEERS];
    within_share(o, peer, counts);
    if (announcer)
        orphanage_add_announcer(o, &tx->wtxid, peer);
    else
        orphanage_add(o, tx, peer);
    for (peer_id p = 0; p < PEERS; p++) CHECK(!counts[p] || orphanage_peer_announcements(o, p) == counts[p]);
}

static void step(struct orphanage *o, struct reader *in)
{
    uint8_t what = read_u8(in), which = read_u8(in);
    const struct tx *tx = &material()->txs[which % TXS];
    peer_id peer = which / TXS % PEERS;
    struct block block = {.txs = (struct tx *)(uintptr_t)tx, .tx_count = 1};
    const struct orphan *work;
    switch (what % 10) {
    case 0: orphanage_peer_gone(o, peer); break;
    case 1:
        orphanage_remove(o, &tx->wtxid);
        CHECK(!orphanage_find(o, &tx->wtxid));
        break;
    case 2: orphanage_on_block(o, &block); break;
    case 3: orphanage_parent_came(o, tx); break;
    case 4:
        work = orphanage_take_work(o, peer);
        CHECK(!work || orphanage_has_from(o, &work->wtxid, peer));
        break;
    case 5: add(o, tx, peer, true); break;
    default: add(o, tx, peer, false);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = reader_of(span_of(data, size));
    struct random random;
    random_init_u64(&random, 1);
    struct orphanage *o = orphanage_new(MAX_LATENCY, PEER_USAGE, (uint64_t[2]){1, 2}, &random, NULL);
    for (size_t i = 0; i < STEPS && reader_left(&in) >= 2; i++) {
        step(o, &in);
        orphanage_check(o);
    }
    for (peer_id p = 0; p < PEERS; p++) orphanage_peer_gone(o, p);
    CHECK(orphanage_count(o) == 0 && orphanage_usage(o) == 0 && !orphanage_any_work(o));
    orphanage_free(o);
    return 0;
}
