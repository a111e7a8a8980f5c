/* Blocks in flight: who was asked for which, since when, and what happens to those who do not answer. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "p2p/internal.h"

#define STALL_TIMEOUT_MIN_US INT64_C(2000000)
#define STALL_TIMEOUT_MAX_US INT64_C(64000000)

void download_init(struct p2p *p)
{
    p->download = (struct download){.stall_timeout_us = STALL_TIMEOUT_MIN_US};
    hashmap_init(&p->download.by_hash, offsetof(struct in_flight, hash), sizeof(struct block_hash),
                 random_u64(&p->random));
}

static void in_flight_free(struct in_flight *f)
{
    if (f->partial) {
        partial_block_clear(f->partial);
        free(f->partial);
    }
    free(f);
}

void download_clear(struct p2p *p)
{
    size_t at = 0;
    struct in_flight *f;
    while ((f = hashmap_next(&p->download.by_hash, &at))) {
        while (f) {
            struct in_flight *next = f->next_same;
            in_flight_free(f);
            f = next;
        }
    }
    hashmap_clear(&p->download.by_hash);
}

/* ---- services ---- */

bool download_serves_blocks(const struct peer *peer)
{
    return peer->handshake.services & (NODE_NETWORK | NODE_NETWORK_LIMITED);
}

bool download_is_limited(const struct peer *peer)
{
    return (peer->handshake.services & (NODE_NETWORK | NODE_NETWORK_LIMITED)) == NODE_NETWORK_LIMITED;
}

bool download_serves_witness(const struct peer *peer)
{
    return peer->handshake.services & NODE_WITNESS;
}

void download_peer_version(struct p2p *p, struct peer *peer)
{
    bool trusted = !peer_is_inbound(peer) || peer_permits(peer, PERM_NO_BAN);
    bool preferred = trusted && peer->type != CONN_ADDR_FETCH && download_serves_blocks(peer);
    if (preferred == peer->download.preferred) return;
    peer->download.preferred = preferred;
    if (preferred)
        p->download.preferred_peers++;
    else
        p->download.preferred_peers--;
}

/* Others are there to be asked first as long as there are preferred peers and something comes from them. */
bool download_is_source(const struct p2p *p, const struct peer *peer)
{
    if (peer->download.preferred) return true;
    if (!download_serves_blocks(peer) || peer->type == CONN_ADDR_FETCH) return false;
    return p->download.preferred_peers == 0 || p->download.by_hash.count == 0;
}

/* ---- requests ---- */

struct in_flight *download_find(const struct p2p *p, const struct block_hash *hash)
{
    return hashmap_get(&p->download.by_hash, hash);
}

struct in_flight *download_of_peer(const struct p2p *p, const struct peer *peer, const struct block_hash *hash)
{
    struct in_flight *f = download_find(p, hash);
    while (f && f->peer != peer) f = f->next_same;
    return f;
}

bool download_is_outbound(const struct p2p *p, const struct block_hash *hash)
{
    struct in_flight *f = download_find(p, hash);
    while (f && peer_is_inbound(f->peer)) f = f->next_same;
    return f;
}

bool download_only(const struct p2p *p, const struct block_hash *hash)
{
    return p->download.by_hash.count == (download_find(p, hash) ? 1u : 0u);
}

struct in_flight *download_note(struct p2p *p, struct peer *peer, struct block_node *node, bool with_partial)
{
    struct peer_download *d = &peer->download;
    struct in_flight *same = download_find(p, &node->header.hash);
    if (d->count == DOWNLOAD_PER_PEER || download_of_peer(p, peer, &node->header.hash)) return NULL;
    struct in_flight *f = mem_calloc(1, sizeof(*f));
    f->hash = node->header.hash;
    f->node = node;
    f->peer = peer;
    if (with_partial) f->partial = mem_calloc(1, sizeof(*f->partial));
    if (same) {
        while (same->next_same) same = same->next_same;
        same->next_same = f;
    } else {
        hashmap_put(&p->download.by_hash, f);
    }
    if (!d->count) {
        d->since_us = p->wall_us;
        p->download.peers_with_blocks++;
    }
    d->items[d->count++] = f;
    return f;
}

/* Out of its peer's list. */
static void unlist(struct p2p *p, struct in_flight *f)
{
    struct peer_download *d = &f->peer->download;
    size_t i = 0;
    while (i < d->count && d->items[i] != f) i++;
    CHECK(i < d->count);
    /* The next one becomes the first: its time begins now. */
    if (i == 0 && d->since_us < p->wall_us) d->since_us = p->wall_us;
    d->count--;
    memmove(&d->items[i], &d->items[i + 1], (d->count - i) * sizeof(struct in_flight *));
    if (!d->count) p->download.peers_with_blocks--;
    d->stalling_since_us = 0;
}

/* PEER's request (NULL: all) out of the requests of HASH. */
static void forget(struct p2p *p, const struct block_hash *hash, const struct peer *peer)
{
    struct in_flight *f = hashmap_del(&p->download.by_hash, hash);
    struct in_flight *kept = NULL, **end = &kept;
    while (f) {
        struct in_flight *next = f->next_same;
        f->next_same = NULL;
        if (peer && f->peer != peer) {
            *end = f;
            end = &f->next_same;
        } else {
            unlist(p, f);
            in_flight_free(f);
        }
        f = next;
    }
    if (kept) hashmap_put(&p->download.by_hash, kept);
}

void download_forget(struct p2p *p, const struct block_hash *hash, struct peer *peer)
{
    struct block_hash wanted = *hash; /* it may be that of a request, which goes */
    if (peer ? download_of_peer(p, peer, &wanted) != NULL : download_find(p, &wanted) != NULL) forget(p, &wanted, peer);
}

void download_take_back(struct p2p *p, struct peer *peer, struct p2p_block *block)
{
    const struct peer_download *d = &peer->download;
    const struct in_flight *f = download_of_peer(p, peer, &block->hash);
    block->asked_sender = f;
    if (!f) return;
    block->asked_first = d->items[0] == f;
    block->asked_since_us = d->since_us;
    block->stalling_since_us = d->stalling_since_us;
    download_forget(p, &block->hash, peer);
}

void download_restore(struct p2p *p, struct peer *peer, struct block_node *node, const struct p2p_block *block)
{
    struct peer_download *d = &peer->download;
    struct in_flight *f = block->asked_sender ? download_note(p, peer, node, false) : NULL;
    if (!f) return;
    if (!d->stalling_since_us) d->stalling_since_us = block->stalling_since_us;
    if (!block->asked_first) return;
    memmove(&d->items[1], &d->items[0], (d->count - 1) * sizeof(struct in_flight *));
    d->items[0] = f;
    if (d->since_us > block->asked_since_us) d->since_us = block->asked_since_us;
}

void download_peer_gone(struct p2p *p, struct peer *peer)
{
    while (peer->download.count) download_forget(p, &peer->download.items[peer->download.count - 1]->hash, peer);
    free(peer->download.wishes);
    peer->download.wishes = NULL;
    peer->download.wish_count = peer->download.wish_cap = 0;
    if (peer->download.preferred) p->download.preferred_peers--;
    peer->download.preferred = false;
}

/* ---- patience ---- */

/* The window could move but for a block of this peer. */
static bool is_stalling(struct p2p *p, struct peer *peer)
{
    struct download *d = &p->download;
    char who[PEER_LOG];
    int64_t since = peer->download.stalling_since_us;
    if (!since || since >= p->wall_us - d->stall_timeout_us) return false;
    log_info(p->log, "Peer is stalling block download, %s", peer_log_disconnect(who, p, peer));
    /* The next one gets more time, in case it is our own line that is slow. */
    if (d->stall_timeout_us < STALL_TIMEOUT_MAX_US) {
        int64_t longer = 2 * d->stall_timeout_us;
        d->stall_timeout_us = longer < STALL_TIMEOUT_MAX_US ? longer : STALL_TIMEOUT_MAX_US;
        log_debug(p->log, LOGC_NET, "Increased stalling timeout temporarily to %lld seconds",
                  (long long)(d->stall_timeout_us / 1000000));
    }
    return true;
}

/* A block takes longer than the interval between blocks, and half an interval for each other peer that sends some. */
static bool is_too_slow(struct p2p *p, struct peer *peer)
{
    struct peer_download *d = &peer->download;
    char hash[HASH_TEXT], who[PEER_LOG];
    if (!d->count) return false;
    int64_t half_us = p->params->target_spacing_s * 500000;
    if (p->wall_us <= d->since_us + half_us * (int64_t)(p->download.peers_with_blocks + 1)) return false;
    log_info(p->log, "Timeout downloading block %s, %s", block_hash_text(hash, &d->items[0]->hash),
             peer_log_disconnect(who, p, peer));
    return true;
}

void download_check_stall(struct p2p *p, struct peer *peer)
{
    if (peer->disconnecting) return;
    if (is_stalling(p, peer) || is_too_slow(p, peer)) peer_disconnect(p, peer);
}

void download_on_connected(struct p2p *p)
{
    struct download *d = &p->download;
    if (d->stall_timeout_us == STALL_TIMEOUT_MIN_US) return;
    int64_t shorter = d->stall_timeout_us * 85 / 100 / 1000000 * 1000000; /* whole seconds */
    d->stall_timeout_us = shorter > STALL_TIMEOUT_MIN_US ? shorter : STALL_TIMEOUT_MIN_US;
    log_debug(p->log, LOGC_NET, "Decreased stalling timeout to %lld seconds",
              (long long)(d->stall_timeout_us / 1000000));
}
