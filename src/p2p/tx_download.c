/* Transactions in: which announcements we follow up, when and with whom. */
#include "p2p/tx_download.h"

#include "p2p/p2p_txs.h"
#include "p2p/tx_download_internal.h"

/* ---- life ---- */

void tx_download_init(struct p2p *p)
{
    struct tx_download *d = mem_calloc(1, sizeof(*d));
    d->requests = tx_requests_new(p->key);
    d->orphans = orphanage_new(ORPHANAGE_LATENCY, ORPHANAGE_PEER_USAGE, p->key, &p->random, p->log);
    p->tx_download = d;
}

void tx_download_clear(struct p2p *p)
{
    struct tx_download *d = p->tx_download;
    tx_requests_free(d->requests);
    orphanage_free(d->orphans);
    rolling_bloom_clear(&d->refused);
    rolling_bloom_clear(&d->reconsiderable);
    rolling_bloom_clear(&d->confirmed);
    free(d);
    p->tx_download = NULL;
}

void p2p_set_mempool(struct p2p *p, struct mempool *m)
{
    p->mempool = m;
}

void tx_download_peer_open(struct p2p *p, struct peer *peer)
{
    p->tx_download->wtxid_peers += peer->handshake.wtxid_relay;
}

void tx_download_peer_gone(struct p2p *p, struct peer *peer)
{
    struct tx_download *d = p->tx_download;
    orphanage_peer_gone(d->orphans, peer->id);
    tx_requests_peer_gone(d->requests, peer->id);
    if (peer->handshake.verack_received) d->wtxid_peers -= peer->handshake.wtxid_relay;
}

/* ---- what we have ---- */

static bool has(const struct rolling_bloom *b, const uint8_t hash[32])
{
    return b->words && rolling_bloom_has(b, span_of(hash, 32));
}

static void put(struct p2p *p, struct rolling_bloom *b, uint32_t elements, const uint8_t hash[32])
{
    if (!b->words) rolling_bloom_init(b, elements, TX_DOWNLOAD_RARITY, &p->random);
    rolling_bloom_put(b, span_of(hash, 32));
}

static void reset(struct p2p *p, struct rolling_bloom *b)
{
    if (b->words) rolling_bloom_reset(b, &p->random);
}

void tx_download_refuse(struct p2p *p, const uint8_t hash[32])
{
    put(p, &p->tx_download->refused, TX_DOWNLOAD_REFUSED, hash);
}

void tx_download_set_aside(struct p2p *p, const struct wtxid *id)
{
    put(p, &p->tx_download->reconsiderable, TX_DOWNLOAD_REFUSED, id->bytes);
}

bool tx_download_has(const struct p2p *p, const uint8_t hash[32], bool by_wtxid, bool with_reconsiderable)
{
    const struct tx_download *d = p->tx_download;
    struct txid txid;
    struct wtxid wtxid;
    memcpy(txid.bytes, hash, 32);
    memcpy(wtxid.bytes, hash, 32);
    /* Without a witness both ids are the same. */
    if (orphanage_find(d->orphans, &wtxid)) return true;
    if (with_reconsiderable && has(&d->reconsiderable, hash)) return true;
    if (has(&d->confirmed, hash) || has(&d->refused, hash)) return true;
    return by_wtxid ? mempool_find_wtxid(p->mempool, &wtxid) : mempool_find(p->mempool, &txid);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct txid));
}

static void sort_parents(struct parents *parents)
{
    size_t count = 0;
    qsort(parents->ids, parents->count, sizeof(*parents->ids), by_bytes);
    for (size_t i = 0; i < parents->count; i++)
        if (i == 0 || !txid_equal(&parents->ids[i], &parents->ids[i - 1])) parents->ids[count++] = parents->ids[i];
    parents->count = count;
}

struct parents tx_download_parents(const struct tx_in *in, size_t count)
{
    struct parents parents = {.ids = mem_calloc(count, sizeof(struct txid)), .count = count};
    for (size_t i = 0; i < count; i++) parents.ids[i] = in[i].prevout.txid;
    sort_parents(&parents);
    return parents;
}

void tx_download_drop_had(const struct p2p *p, struct parents *parents)
{
    size_t count = 0;
    for (size_t i = 0; i < parents->count; i++)
        if (!tx_download_has(p, parents->ids[i].bytes, false, false)) parents->ids[count++] = parents->ids[i];
    parents->count = count;
}

/* ---- announcements ---- */

/* When PEER may be asked for what it announces now. */
static int64_t time_for(const struct p2p *p, const struct peer *peer, bool by_wtxid)
{
    const struct tx_download *d = p->tx_download;
    int64_t at = p->wall_us;
    if (!peer->download.preferred) at += TX_DOWNLOAD_DELAY_US;
    if (!by_wtxid && d->wtxid_peers > 0) at += TX_DOWNLOAD_DELAY_US;
    if (!peer_permits(peer, PERM_RELAY) && tx_requests_in_flight(d->requests, peer->id) >= TX_DOWNLOAD_IN_FLIGHT)
        at += TX_DOWNLOAD_DELAY_US;
    return at;
}

/* COUNT more from this peer are not too many. */
static bool has_room(const struct p2p *p, const struct peer *peer, size_t count)
{
    return peer_permits(peer, PERM_RELAY) ||
           tx_requests_count(p->tx_download->requests, peer->id) + count <= TX_DOWNLOAD_ANNOUNCEMENTS;
}

bool tx_download_ask_parents(struct p2p *p, peer_id id, const struct wtxid *orphan, const struct parents *parents)
{
    struct tx_download *d = p->tx_download;
    const struct peer *peer = p2p_peer(p, id);
    struct tx_request r = {.peer = id};
    char text[HASH_TEXT];
    if (!peer || orphanage_has_from(d->orphans, orphan, id) || !has_room(p, peer, parents->count)) return false;
    /* The parent may well come before its time: the child was quicker. */
    int64_t time_us = time_for(p, peer, false);
    for (size_t i = 0; i < parents->count; i++) {
        memcpy(r.hash, parents->ids[i].bytes, 32);
        tx_requests_announce(d->requests, &r, peer->download.preferred, time_us);
    }
    log_debug(p->log, LOGC_TXPACKAGES, "added peer=%lld as a candidate for resolving orphan %s", (long long)id,
              wtxid_text(text, orphan));
    return true;
}

/* An orphan of ours: PEER is one more that can be asked for its parents. */
static void announce_orphan(struct p2p *p, struct peer *peer, const struct orphan *o)
{
    struct wtxid id = o->wtxid;
    struct parents parents = {.ids = mem_calloc(o->spend_count, sizeof(struct txid)), .count = o->spend_count};
    for (size_t i = 0; i < o->spend_count; i++) parents.ids[i] = o->spends[i].txid;
    sort_parents(&parents);
    tx_download_drop_had(p, &parents);
    if (parents.count && tx_download_ask_parents(p, peer->id, &id, &parents))
        orphanage_add_announcer(p->tx_download->orphans, &id, peer->id);
    free(parents.ids);
}

/* True where we have it already. */
static bool announce(struct p2p *p, struct peer *peer, const struct inv *inv)
{
    struct tx_download *d = p->tx_download;
    struct tx_request r = {.peer = peer->id, .by_wtxid = inv->type == INV_WTX};
    struct wtxid wtxid;
    memcpy(r.hash, inv->hash, 32);
    memcpy(wtxid.bytes, inv->hash, 32);
    const struct orphan *o = r.by_wtxid ? orphanage_find(d->orphans, &wtxid) : NULL;
    if (o) {
        announce_orphan(p, peer, o);
        return true;
    }
    if (tx_download_has(p, r.hash, r.by_wtxid, true)) return true;
    if (has_room(p, peer, 1))
        tx_requests_announce(d->requests, &r, peer->download.preferred, time_for(p, peer, r.by_wtxid));
    return false;
}

void tx_download_on_inv(struct p2p *p, struct peer *peer, const struct inv *inv)
{
    char text[SERVE_INV_TEXT];
    bool have = p->mempool && announce(p, peer, inv);
    log_debug(p->log, LOGC_NET, "got inv: %s %s peer=%lld", serve_inv_text(text, inv), have ? "have" : "new",
              (long long)peer->id);
}

void tx_download_on_notfound(struct p2p *p, struct peer *peer, const struct inv *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (inv_is_tx(&items[i])) tx_requests_answered(p->tx_download->requests, peer->id, items[i].hash);
}

/* ---- requests ---- */

static void log_request(const struct p2p *p, const char *what, const struct tx_request *r, const char *whom)
{
    char text[HASH_TEXT];
    struct txid id;
    memcpy(id.bytes, r->hash, 32);
    log_debug(p->log, LOGC_NET, "%s %s %s %s=%lld", what, r->by_wtxid ? "wtx" : "tx", txid_text(text, &id), whom,
              (long long)r->peer);
}

static void send_requests(struct p2p *p, struct peer *peer)
{
    struct tx_requests *requests = p->tx_download->requests;
    uint32_t by_txid = download_serves_witness(peer) ? INV_WITNESS_TX : INV_TX;
    struct tx_request_list expired, due = tx_requests_due(requests, peer->id, p->wall_us, &expired);
    struct inv items[MAX_GETDATA];
    size_t count = 0;
    for (size_t i = 0; i < expired.count; i++) log_request(p, "timeout of inflight", &expired.items[i], "from peer");
    for (size_t i = 0; i < due.count; i++) {
        const struct tx_request *r = &due.items[i];
        if (tx_download_has(p, r->hash, r->by_wtxid, false)) {
            tx_requests_forget(requests, r->hash);
            continue;
        }
        log_request(p, "Requesting", r, "peer");
        items[count] = (struct inv){.type = r->by_wtxid ? INV_WTX : by_txid};
        memcpy(items[count++].hash, r->hash, 32);
        tx_requests_sent(requests, peer->id, r->hash, p->wall_us + TX_DOWNLOAD_TIMEOUT_US);
        if (count < MAX_GETDATA) continue;
        peer_send_inv(p, peer, MESSAGE_GETDATA, items, count);
        count = 0;
    }
    if (count) peer_send_inv(p, peer, MESSAGE_GETDATA, items, count);
}

void tx_download_send(struct p2p *p, struct peer *peer)
{
    if (!p->mempool) return;
    tx_download_work(p, peer);
    send_requests(p, peer);
}

/* ---- the chain ---- */

void tx_download_on_connected(struct p2p *p, const struct block *block)
{
    struct tx_download *d = p->tx_download;
    if (!p->mempool || chain_is_initial_download(p->chain, p2p_now_s(p))) return;
    orphanage_on_block(d->orphans, block);
    for (size_t i = 0; i < block->tx_count; i++) {
        const struct tx *tx = &block->txs[i];
        orphanage_parent_came(d->orphans, tx);
        put(p, &d->confirmed, TX_DOWNLOAD_CONFIRMED, tx->txid.bytes);
        if (tx->has_witness) put(p, &d->confirmed, TX_DOWNLOAD_CONFIRMED, tx->wtxid.bytes);
        tx_requests_forget(d->requests, tx->txid.bytes);
        tx_requests_forget(d->requests, tx->wtxid.bytes);
    }
}

/* What was confirmed may have to be fetched again. */
void tx_download_on_disconnected(struct p2p *p)
{
    reset(p, &p->tx_download->confirmed);
}

/* What was refused may be valid now. */
void tx_download_on_tip(struct p2p *p)
{
    if (chain_is_initial_download(p->chain, p2p_now_s(p))) return;
    reset(p, &p->tx_download->refused);
    reset(p, &p->tx_download->reconsiderable);
}

/* ---- account ---- */

static size_t filter_memory(const struct rolling_bloom *b)
{
    return b->words ? b->pairs * 2 * sizeof(uint64_t) : 0;
}

size_t tx_download_memory(const struct p2p *p)
{
    const struct tx_download *d = p->tx_download;
    return sizeof(*d) + filter_memory(&d->refused) + filter_memory(&d->reconsiderable) + filter_memory(&d->confirmed) +
           tx_requests_memory(d->requests) + orphanage_memory(d->orphans);
}

size_t tx_download_peer_memory(const struct p2p *p, const struct peer *peer)
{
    return tx_requests_peer_memory(p->tx_download->requests, peer->id);
}

void tx_download_check(const struct p2p *p)
{
    const struct tx_download *d = p->tx_download;
    size_t wtxid_peers = 0, announcements = 0, orphans = 0;
    for (size_t i = 0; i < p->peer_count; i++) {
        const struct peer *peer = p->peers[i];
        size_t count = tx_requests_count(d->requests, peer->id);
        wtxid_peers += peer->handshake.verack_received && peer->handshake.wtxid_relay;
        announcements += count;
        orphans += orphanage_peer_announcements(d->orphans, peer->id);
        CHECK(count <= TX_DOWNLOAD_ANNOUNCEMENTS || peer_permits(peer, PERM_RELAY));
    }
    CHECK(wtxid_peers == d->wtxid_peers);
    CHECK(announcements == tx_requests_total(d->requests));
    CHECK(orphans == orphanage_announcements(d->orphans));
    tx_requests_check(d->requests);
    orphanage_check(d->orphans);
}

size_t p2p_orphans(const struct p2p *p, struct orphan_info *out, size_t max)
{
    size_t count;
    const struct orphan **list = orphanage_list(p->tx_download->orphans, &count);
    for (size_t i = 0; i < count && i < max; i++)
        out[i] = (struct orphan_info){
            .txid = list[i]->txid,
            .wtxid = list[i]->wtxid,
            .raw = list[i]->raw,
            .weight_wu = list[i]->weight_wu,
            .from = list[i]->from,
            .from_count = list[i]->from_count,
        };
    free(list);
    return count;
}
