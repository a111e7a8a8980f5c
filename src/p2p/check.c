/* What must hold whatever peers do: recomputed from scratch; and what all of it takes in memory. */
#include "p2p/internal.h"
#include "p2p/presync.h"
#include "p2p/tx_download.h"

/* ---- invariants ---- */

static void check_peer(const struct p2p *p, const struct peer *peer)
{
    const struct peer_handshake *h = &peer->handshake;
    CHECK(peer->type < CONN_TYPE_COUNT);
    CHECK(peer_is_inbound(peer) || h->version_sent);
    CHECK(!h->verack_received || (h->version_received && h->version_sent));
    CHECK(!h->version_received || h->their_version >= PROTOCOL_MIN_PEER);
    CHECK(!h->version_received || (h->version <= PROTOCOL_VERSION && h->version <= h->their_version));
    CHECK(!peer->inbound_onion || peer_is_inbound(peer));
    CHECK(!peer->txs.relay || peer->txs.has_relay);
    CHECK(!peer->txs.has_relay || (peer->type != CONN_BLOCK_RELAY && peer->type != CONN_FEELER));
    tx_relay_check_peer(peer);
    CHECK(peer->ping.min_us <= peer->ping.last_us);
    CHECK(peer->serve.count <= MAX_INV + 1 && peer->serve.first + peer->serve.count <= peer->serve.cap);
    CHECK(!peer->filters.stop || (p->filters && peer->filters.next <= peer->filters.stop->header.height));
    CHECK(peer->addrs.to_send_count <= MAX_ADDR);
    CHECK(peer->addrs.enabled == (peer->addrs.known.words != NULL));
    CHECK(peer->announce.count <= ARRAY_LEN(peer->announce.nodes) &&
          peer->announce.inv_count <= peer->announce.inv_cap);
    CHECK((peer->blocks.with_owner == 0) == (peer->blocks.bytes_with_owner == 0));
    CHECK(!peer->headers.best_known || chain_find(p->chain, &peer->headers.best_known->header.hash));
}

/* Each request hangs below its hash and at its peer, once. */
static void check_requests(const struct p2p *p)
{
    size_t at = 0, by_hash = 0, by_peer = 0;
    for (const struct in_flight *f; (f = hashmap_next(&p->download.by_hash, &at));)
        for (const struct in_flight *same = f; same; same = same->next_same, by_hash++) {
            CHECK(memcmp(&same->hash, &f->hash, sizeof(f->hash)) == 0);
            CHECK(download_of_peer(p, same->peer, &same->hash) == same);
        }
    for (size_t i = 0; i < p->peer_count; i++) {
        const struct peer_download *d = &p->peers[i]->download;
        CHECK(d->count <= DOWNLOAD_PER_PEER && d->wish_count <= d->wish_cap);
        for (size_t k = 0; k < d->count; k++) CHECK(d->items[k]->peer == p->peers[i]);
        by_peer += d->count;
    }
    CHECK(by_hash == by_peer);
}

static void check_counts(const struct p2p *p)
{
    unsigned syncing = 0, protected = 0, preferred = 0, downloading = 0;
    for (size_t i = 0; i < p->peer_count; i++) {
        const struct peer *peer = p->peers[i];
        syncing += peer->headers.sync_started;
        protected += peer->chain_sync.protect;
        preferred += peer->download.preferred;
        downloading += peer->download.count > 0;
    }
    CHECK(p->headers.started == syncing);
    CHECK(p->chain_sync.protected_peers == protected);
    CHECK(p->download.preferred_peers == preferred);
    CHECK(p->download.peers_with_blocks == downloading);
    CHECK(p->compact.hb_count <= COMPACT_HB_PEERS);
    CHECK(p->compact.extra.count <= p->options.extra_txs);
}

void p2p_check(const struct p2p *p)
{
    for (size_t i = 0; i < p->peer_count; i++) {
        CHECK(p->peers[i]->id < p->next_id);
        CHECK(i == 0 || p->peers[i - 1]->id < p->peers[i]->id);
        check_peer(p, p->peers[i]);
    }
    CHECK(p->time_offset_count <= ARRAY_LEN(p->time_offsets));
    CHECK(p->action_count <= p->action_cap && (p->action_cap == 0 || p->action_first < p->action_cap));
    CHECK(p->blocks.queue_count <= p->blocks.queue_cap);
    check_requests(p);
    check_counts(p);
    tx_download_check(p);
}

/* ---- memory ---- */

static size_t peer_memory(const struct p2p *p, const struct peer *peer)
{
    return sizeof(*peer) + peer->addrs.to_send_cap * sizeof(struct peer_addr) +
           (peer->addrs.known.words ? peer->addrs.known.pairs * 2 * sizeof(uint64_t) : 0) +
           peer->serve.cap * sizeof(struct inv) + peer->download.count * sizeof(struct in_flight) +
           peer->download.wish_cap * sizeof(struct block_node *) + peer->announce.inv_cap * sizeof(struct block_hash) +
           compact_peer_memory(peer) + (peer->headers.presync ? presync_memory(peer->headers.presync) : 0) +
           peer->blocks.bytes_with_owner + tx_relay_peer_memory(peer) + peer->txs.filter.size +
           tx_download_peer_memory(p, peer);
}

size_t p2p_memory(const struct p2p *p)
{
    size_t bytes = sizeof(*p) + p->peer_cap * sizeof(struct peer *) + p->action_cap * sizeof(struct p2p_action) +
                   p->arena.bytes + p->payload.cap + addr_cache_memory(&p->addr_relay) + dial_memory(p) +
                   announce_memory(p) + compact_memory(p) + tx_relay_memory(p) + tx_download_memory(p);
    for (size_t i = 0; i < p->peer_count; i++) bytes += peer_memory(p, p->peers[i]);
    for (size_t i = 0; i < p->action_count; i++) bytes += p->actions[(p->action_first + i) % p->action_cap].payload.cap;
    return bytes;
}
