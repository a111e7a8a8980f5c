/* With whom headers are synced: one peer at first, all once the chain is nearly up to date; and for how long a peer may
 * keep us waiting. */
#include "p2p/internal.h"

#define TIMEOUT_BASE_US       INT64_C(900000000) /* 15 minutes */
#define TIMEOUT_PER_HEADER_US 1000
enum { RECENT_S = 24 * 60 * 60 };

static bool best_header_is_recent(const struct p2p *p)
{
    return (int64_t)p->chain->tree.best_header->header.time * 1000000 > p->wall_us - INT64_C(1000000) * RECENT_S;
}

void headers_send(struct p2p *p, struct peer *peer)
{
    struct peer_headers *h = &peer->headers;
    if (h->sync_started || p->importing || peer->disconnecting || !download_serves_blocks(peer)) return;
    bool only_source = p->headers.started == 0 && download_is_source(p, peer);
    if (!only_source && !best_header_is_recent(p)) return;
    /* From the header before our best one: so the answer of a peer that is up to date is never empty. */
    const struct block_node *best = p->chain->tree.best_header;
    const struct block_node *start = best->header.prev ? block_node_prev(best) : best;
    if (!headers_ask(p, peer, start)) return;
    log_debug(p->log, LOGC_NET, "initial getheaders (%d) to peer=%lld", start->header.height, (long long)peer->id);
    int64_t expected = (p2p_now_s(p) - (int64_t)best->header.time) / p->params->target_spacing_s;
    h->sync_started = true;
    h->sync_timeout_us = p->wall_us + TIMEOUT_BASE_US + TIMEOUT_PER_HEADER_US * expected;
    p->headers.started++;
}

void headers_check_timeout(struct p2p *p, struct peer *peer)
{
    struct peer_headers *h = &peer->headers;
    char who[PEER_LOG];
    if (peer->disconnecting || !h->sync_started || !h->sync_timeout_us) return;
    if (best_header_is_recent(p)) {
        h->sync_timeout_us = 0; /* caught up once: never again */
        return;
    }
    /* Only where somebody else could be asked instead. */
    unsigned others = p->download.preferred_peers - (peer->download.preferred ? 1 : 0);
    if (p->wall_us <= h->sync_timeout_us || p->headers.started != 1 || !others) return;
    if (!peer_permits(peer, PERM_NO_BAN)) {
        log_info(p->log, "Timeout downloading headers, %s", peer_log_disconnect(who, p, peer));
        peer_disconnect(p, peer);
        return;
    }
    log_info(p->log, "Timeout downloading headers from noban peer, not %s", peer_log_disconnect(who, p, peer));
    h->sync_started = false;
    h->sync_timeout_us = 0;
    p->headers.started--;
}
