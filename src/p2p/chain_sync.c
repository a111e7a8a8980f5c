/* Outbound peers whose chain is worse than ours, tips that go stale, and more outbound peers than wanted. */
#include "p2p/chain_sync.h"

#include "p2p/internal.h"

enum {
    PROTECTED_PEERS = 4,
    CHAIN_SYNC_TIMEOUT_S = 20 * 60,
    HEADERS_RESPONSE_S = 2 * 60,
    STALE_CHECK_S = 10 * 60,
    EXTRA_PEER_CHECK_S = 45,
    MIN_CONNECT_S = 30,
};

void chain_sync_init(struct p2p *p)
{
    p->chain_sync = (struct chain_sync){.next_check_us = p2p_scheduler_us(p) + EXTRA_PEER_CHECK_S * 1000000LL};
}

void chain_sync_peer_gone(struct p2p *p, struct peer *peer)
{
    if (peer->chain_sync.protect) p->chain_sync.protected_peers--;
    peer->chain_sync.protect = false;
}

void chain_sync_protect(struct p2p *p, struct peer *peer)
{
    if (peer->type != CONN_OUTBOUND_FULL || peer->chain_sync.protect) return;
    if (p->chain_sync.protected_peers >= PROTECTED_PEERS) return;
    log_debug(p->log, LOGC_NET, "Protecting outbound peer=%lld from eviction", (long long)peer->id);
    peer->chain_sync.protect = true;
    p->chain_sync.protected_peers++;
}

/* ---- peers behind us ---- */

static bool has_work_of(const struct peer *peer, const struct block_node *n)
{
    const struct block_node *best = peer->headers.best_known;
    return best && n && u256_cmp(best->header.chainwork, n->header.chainwork) >= 0;
}

static const char *best_known_text(char out[HASH_TEXT], const struct peer *peer)
{
    return peer->headers.best_known ? block_hash_text(out, &peer->headers.best_known->header.hash) : "<none>";
}

/* One last chance: they may have a chain that they did not tell us of. */
static void ask_for_chain(struct p2p *p, struct peer *peer)
{
    struct peer_chain_sync *s = &peer->chain_sync;
    const struct block_node *prev = block_node_prev(s->work_header);
    char known[HASH_TEXT], wanted[HASH_TEXT];
    (void)headers_ask(p, peer, prev ? prev : s->work_header);
    log_debug(p->log, LOGC_NET,
              "sending getheaders to outbound peer=%lld to verify chain work (current best known block:%s, benchmark "
              "blockhash: %s)",
              (long long)peer->id, best_known_text(known, peer), block_hash_text(wanted, &s->work_header->header.hash));
    s->getheaders_sent = true;
    s->timeout_s = p2p_now_s(p) + HEADERS_RESPONSE_S;
}

void chain_sync_consider(struct p2p *p, struct peer *peer)
{
    struct peer_chain_sync *s = &peer->chain_sync;
    if (s->protect || !peer_is_outbound_or_block_relay(peer) || !peer->headers.sync_started) return;
    if (has_work_of(peer, chain_tip(p->chain))) {
        s->timeout_s = 0;
        s->work_header = NULL;
        s->getheaders_sent = false;
    } else if (s->timeout_s == 0 || has_work_of(peer, s->work_header)) {
        /* Seen behind for the first time, or caught up with what was our tip then. */
        s->timeout_s = p2p_now_s(p) + CHAIN_SYNC_TIMEOUT_S;
        s->work_header = chain_tip(p->chain);
        s->getheaders_sent = false;
    } else if (p2p_now_s(p) > s->timeout_s) {
        if (!s->getheaders_sent) {
            ask_for_chain(p, peer);
            return;
        }
        char known[HASH_TEXT], text[PEER_LOG];
        log_info(p->log, "Outbound peer has old chain, best known block = %s, %s", best_known_text(known, peer),
                 peer_log_disconnect(text, p, peer));
        peer_disconnect(p, peer);
    }
}

/* ---- more peers than wanted ---- */

/* The youngest block-relay peer is the extra one; it stays in place of the next if it gave us a block more recently. */
static struct peer *extra_block_relay(const struct p2p *p)
{
    struct peer *youngest = NULL, *next = NULL;
    for (size_t i = 0; i < p->peer_count; i++) {
        struct peer *peer = p->peers[i];
        if (peer->type != CONN_BLOCK_RELAY || !peer_is_open(peer)) continue;
        next = youngest;
        youngest = peer;
    }
    if (youngest && next && youngest->blocks.last_block_s > next->blocks.last_block_s) return next;
    return youngest;
}

static void evict_extra_block_relay(struct p2p *p)
{
    struct peer *peer = extra_block_relay(p);
    if (!peer) return;
    if (p->wall_us - peer->connected_us >= MIN_CONNECT_S * 1000000LL && peer->download.count == 0) {
        log_debug(p->log, LOGC_NET, "disconnecting extra block-relay-only peer=%lld (last block received at time %lld)",
                  (long long)peer->id, (long long)peer->blocks.last_block_s);
        peer_disconnect(p, peer);
    } else {
        log_debug(p->log, LOGC_NET,
                  "keeping block-relay-only peer=%lld chosen for eviction (connect time: %lld, blocks_in_flight: %zu)",
                  (long long)peer->id, (long long)(peer->connected_us / 1000000), peer->download.count);
    }
}

static bool is_full_or_manual(const struct peer *peer)
{
    return peer->type == CONN_OUTBOUND_FULL || peer->type == CONN_MANUAL;
}

/* Our only way to a network stays. */
static bool is_only_one_of_network(const struct p2p *p, const struct peer *peer)
{
    size_t count = 0;
    for (size_t i = 0; i < p->peer_count; i++) {
        const struct peer *other = p->peers[i];
        count +=
            is_full_or_manual(other) && netaddr_network(&other->remote.addr) == netaddr_network(&peer->remote.addr);
    }
    return count <= 1;
}

/* The full-relay peer that announced a block the longest ago; among equals the youngest. */
static struct peer *worst_full(const struct p2p *p)
{
    struct peer *worst = NULL;
    for (size_t i = 0; i < p->peer_count; i++) {
        struct peer *peer = p->peers[i];
        if (peer->type != CONN_OUTBOUND_FULL || !peer_is_open(peer) || peer->chain_sync.protect) continue;
        if (is_only_one_of_network(p, peer)) continue;
        if (!worst || peer->chain_sync.last_announcement_s <= worst->chain_sync.last_announcement_s) worst = peer;
    }
    return worst;
}

static void want_extra_full(struct p2p *p, bool wanted)
{
    p->chain_sync.extra_wanted = wanted;
    dial_set_extra_full(p, wanted);
}

static void evict_extra_full(struct p2p *p)
{
    struct peer *peer = worst_full(p);
    if (!peer) return;
    if (p->wall_us - peer->connected_us > MIN_CONNECT_S * 1000000LL && peer->download.count == 0) {
        log_debug(p->log, LOGC_NET,
                  "disconnecting extra outbound peer=%lld (last block announcement received at time %lld)",
                  (long long)peer->id, (long long)peer->chain_sync.last_announcement_s);
        peer_disconnect(p, peer);
        /* There was one to spare, so the extra one has been found: no more until the tip is stale again. */
        want_extra_full(p, false);
    } else {
        log_debug(p->log, LOGC_NET,
                  "keeping outbound peer=%lld chosen for eviction (connect time: %lld, blocks_in_flight: %zu)",
                  (long long)peer->id, (long long)(peer->connected_us / 1000000), peer->download.count);
    }
}

/* ---- stale tip ---- */

void chain_sync_on_tip(struct p2p *p)
{
    p->chain_sync.last_tip_update_s = p2p_now_s(p);
}

bool chain_sync_tip_is_stale(const struct p2p *p)
{
    const struct chain_sync *s = &p->chain_sync;
    if (s->last_tip_update_s == 0) return false;
    return s->last_tip_update_s < p2p_now_s(p) - 3 * p->params->target_spacing_s && p->download.by_hash.count == 0;
}

static void check_stale_tip(struct p2p *p)
{
    struct chain_sync *s = &p->chain_sync;
    int64_t now_s = p2p_now_s(p);
    if (now_s <= s->stale_check_s) return;
    if (s->last_tip_update_s == 0) s->last_tip_update_s = now_s;
    if (!p->importing && p->active && p->options.automatic && chain_sync_tip_is_stale(p)) {
        log_info(p->log,
                 "Potential stale tip detected, will try using extra outbound peer (last tip update: %lld seconds ago)",
                 (long long)(now_s - s->last_tip_update_s));
        want_extra_full(p, true);
    } else if (s->extra_wanted) {
        want_extra_full(p, false);
    }
    s->stale_check_s = now_s + STALE_CHECK_S;
}

void chain_sync_tick(struct p2p *p)
{
    struct chain_sync *s = &p->chain_sync;
    if (p2p_scheduler_us(p) < s->next_check_us) return;
    s->next_check_us = p2p_scheduler_us(p) + EXTRA_PEER_CHECK_S * 1000000LL;
    if (dial_extra_block_relay_count(p) > 0) evict_extra_block_relay(p);
    if (dial_extra_full_count(p) > 0) evict_extra_full(p);
    check_stale_tip(p);
    if (!s->initial_sync_done && download_can_fetch_directly(p)) {
        dial_start_extra_block_relay(p);
        s->initial_sync_done = true;
    }
}

int64_t chain_sync_deadline(const struct p2p *p)
{
    return p->chain_sync.next_check_us - p->steady_offset_us;
}
