/* Which blocks to ask a peer for: those of its chain that we lack, from where ours leaves it on, at most a window ahead
 * of it; and at once those that were just announced. */
#include "p2p/internal.h"

enum {
    STRETCH = 128,       /* nodes looked at in one go, which are found from the last one backwards */
    LIMITED_BLOCKS = 288 /* BIP159 */
};

_Static_assert((int)STRETCH >= (int)DOWNLOAD_PER_PEER, "a stretch must be able to fill a peer");

/* The look for blocks in one peer's chain. */
struct search {
    struct p2p *p;
    struct peer *peer;
    struct block_node **out;
    size_t count, max;
    int32_t window_end;
    bool waits;        /* one on the way was passed */
    peer_id waits_for; /* whom the first of those was asked of; P2P_NO_PEER: it is here and waits for us */
    bool done;
    peer_id staller;
};

static bool has_segwit(const struct p2p *p, const struct block_node *node)
{
    return node->header.height >= p->params->buried[BURIED_SEGWIT];
}

/* It was asked of somebody, or the owner has it. */
static bool is_on_the_way(const struct p2p *p, const struct block_node *node)
{
    return download_find(p, &node->header.hash) || blocks_pending(p, &node->header.hash);
}

static void note_waiting(struct search *s, const struct block_node *node)
{
    if (s->waits) return;
    const struct in_flight *f = download_find(s->p, &node->header.hash);
    s->waits = true;
    s->waits_for = f && !blocks_pending(s->p, &node->header.hash) ? f->peer->id : P2P_NO_PEER;
}

static void look_at(struct search *s, struct block_node *node)
{
    struct peer *peer = s->peer;
    s->done = true;
    if (node->status & BLOCK_ANY_FAILURE) return; /* their chain is invalid */
    if (has_segwit(s->p, node) && !download_serves_witness(peer)) return;
    s->done = false;
    if (node->status & BLOCK_HAVE_DATA || chain_contains(s->p->chain, node)) {
        if (node->chain_tx_count) peer->download.last_common = node;
        return;
    }
    if (is_on_the_way(s->p, node)) {
        note_waiting(s, node);
        return;
    }
    if (node->header.height > s->window_end) {
        /* With a window larger by one, this one could be had: whoever keeps it from moving is in the way. */
        if (!s->count && s->waits && s->waits_for != peer->id) s->staller = s->waits_for;
        s->done = true;
        return;
    }
    /* Two blocks of margin for those that come meanwhile. */
    if (download_is_limited(peer) &&
        peer->headers.best_known->header.height - node->header.height >= LIMITED_BLOCKS - 2)
        return;
    s->out[s->count++] = node;
    s->done = s->count == s->max;
}

static void walk(struct search *s, struct block_node *from)
{
    struct block_node *stretch[STRETCH];
    struct block_node *best = s->peer->headers.best_known;
    int32_t end = best->header.height < s->window_end + 1 ? best->header.height : s->window_end + 1;
    while (from->header.height < end && !s->done) {
        int32_t n = end - from->header.height < STRETCH ? end - from->header.height : STRETCH;
        from = block_node_ancestor(best, from->header.height + n);
        stretch[n - 1] = from;
        for (int32_t i = n - 1; i > 0; i--) stretch[i - 1] = block_node_prev(stretch[i]);
        for (int32_t i = 0; i < n && !s->done; i++) look_at(s, stretch[i]);
    }
}

/* Sets the last block that we have in common with the peer: it only moves forward on one chain. */
static void update_last_common(const struct chain *c, struct peer *peer)
{
    struct block_node *best = peer->headers.best_known;
    struct block_node *common = peer->download.last_common;
    struct block_node *fork = (struct block_node *)header_fork(&best->header, &chain_tip(c)->header);
    if (!common || u256_cmp(fork->header.chainwork, common->header.chainwork) > 0 ||
        block_node_ancestor(best, common->header.height) != common)
        peer->download.last_common = fork;
}

size_t download_next(struct p2p *p, struct peer *peer, struct block_node **out, size_t count, peer_id *staller)
{
    *staller = P2P_NO_PEER;
    if (!count) return 0;
    headers_resolve_unknown(p, peer);
    struct block_node *best = peer->headers.best_known;
    if (!best || u256_cmp(best->header.chainwork, chain_tip(p->chain)->header.chainwork) < 0 ||
        u256_cmp(best->header.chainwork, p->chain->options.minimum_chain_work) < 0)
        return 0;
    update_last_common(p->chain, peer);
    struct block_node *from = peer->download.last_common;
    if (from == best) return 0;
    struct search s = {.p = p,
                       .peer = peer,
                       .out = out,
                       .max = count,
                       .window_end = from->header.height + DOWNLOAD_WINDOW,
                       .staller = P2P_NO_PEER};
    walk(&s, from);
    *staller = s.staller;
    return s.count;
}

/* ---- asking ---- */

static struct inv block_inv(const struct peer *peer, const struct block_node *node)
{
    struct inv item = {.type = INV_BLOCK | (download_serves_witness(peer) ? INV_WITNESS : 0)};
    memcpy(item.hash, node->header.hash.bytes, 32);
    return item;
}

static void note_staller(struct p2p *p, const struct peer *peer, peer_id id)
{
    struct peer *staller = id == P2P_NO_PEER || peer->download.count ? NULL : p2p_peer(p, id);
    if (!staller || staller->download.stalling_since_us) return;
    staller->download.stalling_since_us = p->wall_us;
    log_debug(p->log, LOGC_NET, "Stall started peer=%lld", (long long)id);
}

/* ---- what users want ---- */

/* Nobody is asked for NODE because a user wanted it. */
static void forget_wishes(struct p2p *p, const struct block_node *node)
{
    for (size_t i = 0; i < p->peer_count; i++) {
        struct peer_download *d = &p->peers[i]->download;
        size_t kept = 0;
        for (size_t k = 0; k < d->wish_count; k++)
            if (d->wishes[k] != node) d->wishes[kept++] = d->wishes[k];
        d->wish_count = kept;
    }
}

/* A wish goes before the newest of our own requests, and waits behind those of users. */
static bool make_room(struct p2p *p, struct peer *peer)
{
    const struct peer_download *d = &peer->download;
    if (d->count < DOWNLOAD_PER_PEER) return true;
    for (size_t i = d->count; i > 0; i--) {
        if (d->items[i - 1]->wished) continue;
        download_forget(p, &d->items[i - 1]->hash, peer);
        return true;
    }
    return false;
}

static void ask_for(struct p2p *p, struct peer *peer, struct block_node *node)
{
    char hash[HASH_TEXT];
    struct in_flight *f = download_note(p, peer, node, false);
    if (!f) return;
    f->wished = true;
    struct inv item = block_inv(peer, node);
    peer_send_inv(p, peer, MESSAGE_GETDATA, &item, 1);
    log_debug(p->log, LOGC_NET, "Requesting block %s from peer=%lld", block_hash_text(hash, &node->header.hash),
              (long long)peer->id);
}

/* Asks for what waits, as far as there is room. */
static void ask_for_wishes(struct p2p *p, struct peer *peer)
{
    struct peer_download *d = &peer->download;
    size_t taken = 0;
    for (; taken < d->wish_count && d->count < DOWNLOAD_PER_PEER; taken++)
        if (!(d->wishes[taken]->status & BLOCK_HAVE_DATA)) ask_for(p, peer, d->wishes[taken]);
    if (!taken) return;
    d->wish_count -= taken;
    memmove(d->wishes, d->wishes + taken, d->wish_count * sizeof(struct block_node *));
}

const char *p2p_fetch_block(struct p2p *p, peer_id id, struct block_node *node)
{
    if (p->importing) return "Loading blocks ...";
    struct peer *peer = p2p_peer(p, id);
    if (!peer || peer->disconnecting) return "Peer does not exist";
    if (!download_serves_witness(peer)) return "Pre-SegWit peer";
    struct peer_download *d = &peer->download;
    download_forget(p, &node->header.hash, NULL);
    forget_wishes(p, node);
    if (make_room(p, peer)) {
        ask_for(p, peer, node);
    } else {
        d->wishes = mem_grow(d->wishes, &d->wish_cap, d->wish_count + 1, sizeof(struct block_node *));
        d->wishes[d->wish_count++] = node;
    }
    return NULL;
}

/* ---- the pass ---- */

void download_send(struct p2p *p, struct peer *peer)
{
    struct block_node *wanted[DOWNLOAD_PER_PEER];
    struct inv items[DOWNLOAD_PER_PEER];
    char hash[HASH_TEXT];
    peer_id staller;
    if (p->importing || peer->disconnecting || !download_serves_blocks(peer)) return;
    if (peer->download.wish_count) ask_for_wishes(p, peer);
    if (peer->download.count >= DOWNLOAD_PER_PEER) return;
    bool as_source = download_is_source(p, peer) && !download_is_limited(peer);
    if (!as_source && chain_is_initial_download(p->chain, p2p_now_s(p))) return;
    size_t count = download_next(p, peer, wanted, DOWNLOAD_PER_PEER - peer->download.count, &staller);
    for (size_t i = 0; i < count; i++) {
        items[i] = block_inv(peer, wanted[i]);
        (void)download_note(p, peer, wanted[i], false);
        log_debug(p->log, LOGC_NET, "Requesting block %s (%d) peer=%lld",
                  block_hash_text(hash, &wanted[i]->header.hash), wanted[i]->header.height, (long long)peer->id);
    }
    note_staller(p, peer, staller);
    if (count) peer_send_inv(p, peer, MESSAGE_GETDATA, items, count);
}

bool download_can_fetch_directly(struct p2p *p)
{
    int64_t young_s = 20 * p->params->target_spacing_s;
    return (int64_t)chain_tip(p->chain)->header.time * 1000000 > p->wall_us - young_s * 1000000;
}

/* The blocks that are missing between the active chain and LAST, newest first, to OUT (of DOWNLOAD_PER_PEER + 1).
 * False where the way is too long. */
static bool missing_of_branch(struct p2p *p, struct peer *peer, struct block_node *last, struct block_node **out,
                              size_t *count)
{
    struct block_node *at = last;
    *count = 0;
    for (; at && !chain_contains(p->chain, at) && *count <= DOWNLOAD_PER_PEER; at = block_node_prev(at)) {
        bool servable = !has_segwit(p, at) || download_serves_witness(peer);
        if (!(at->status & BLOCK_HAVE_DATA) && !is_on_the_way(p, at) && servable) out[(*count)++] = at;
    }
    return at && chain_contains(p->chain, at);
}

/* ITEM is the one block that anybody is asked for, and the parent of LAST is good: the compact form will do. */
static bool wants_compact(const struct p2p *p, const struct peer *peer, const struct block_node *last,
                          const struct inv *item)
{
    struct block_hash hash;
    const struct block_node *prev = block_node_prev(last);
    memcpy(hash.bytes, item->hash, 32);
    const struct in_flight *f = download_find(p, &hash);
    return !p->options.blocks_only && peer->compact.provides && f && !f->next_same && download_only(p, &hash) && prev &&
           prev->status & BLOCK_CONNECTED && !(prev->status & BLOCK_ANY_FAILURE);
}

void download_fetch_directly(struct p2p *p, struct peer *peer, struct block_node *last)
{
    struct block_node *missing[DOWNLOAD_PER_PEER + 1];
    struct inv items[DOWNLOAD_PER_PEER];
    size_t found, count = 0;
    char hash[HASH_TEXT];
    if (!download_can_fetch_directly(p) || last->status & BLOCK_ANY_FAILURE ||
        u256_cmp(chain_tip(p->chain)->header.chainwork, last->header.chainwork) > 0)
        return;
    if (!missing_of_branch(p, peer, last, missing, &found)) {
        log_debug(p->log, LOGC_NET, "Large reorg, won't direct fetch to %s (%d)",
                  block_hash_text(hash, &last->header.hash), last->header.height);
        return;
    }
    while (found-- && peer->download.count < DOWNLOAD_PER_PEER) {
        items[count++] = block_inv(peer, missing[found]);
        (void)download_note(p, peer, missing[found], false);
        log_debug(p->log, LOGC_NET, "Requesting block %s from peer=%lld",
                  block_hash_text(hash, &missing[found]->header.hash), (long long)peer->id);
    }
    if (count > 1)
        log_debug(p->log, LOGC_NET, "Downloading blocks toward %s (%d) via headers direct fetch",
                  block_hash_text(hash, &last->header.hash), last->header.height);
    if (count == 1 && wants_compact(p, peer, last, &items[0])) items[0].type = INV_CMPCT_BLOCK;
    if (count) peer_send_inv(p, peer, MESSAGE_GETDATA, items, count);
}
