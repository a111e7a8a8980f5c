/* Headers messages: sanity, the low-work presync where their work does not suffice, then into the block tree; and what
 * they tell about the peer. */
#include <stdlib.h>

#include "base/alloc.h"
#include "consensus/pow.h"
#include "p2p/internal.h"
#include "p2p/presync.h"

#define HEADERS_RESPONSE_US INT64_C(120000000) /* time to answer a getheaders */
#define PRESYNC_LOG_US      INT64_C(250000)    /* between two lines about its progress */

/* Headers on their way through the stages; each may take them away or put others in their place. */
struct batch {
    const struct block_header *headers;
    size_t count;
    struct block_header *owned; /* those that a presync gave out */
    bool full;                  /* the message was: there may be more */
    bool via_compact;
    bool work_checked; /* they passed a presync, or need not */
};

void headers_peer_init(struct p2p *p, struct peer *peer)
{
    (void)p;
    peer->headers = (struct peer_headers){0};
}

static void drop_presync(struct peer *peer)
{
    presync_free(peer->headers.presync);
    peer->headers.presync = NULL;
}

void headers_peer_gone(struct p2p *p, struct peer *peer)
{
    if (peer->headers.sync_started) p->headers.started--;
    peer->headers.sync_started = false;
    drop_presync(peer);
}

int32_t headers_presynced(const struct peer *peer)
{
    const struct presync *s = peer->headers.presync;
    return s && presync_state(s) == PRESYNC_COUNTING ? presync_height(s) : -1;
}

/* ---- asking ---- */

/* True where no getheaders waits for its answer any more; from now on one does. */
static bool may_ask(struct p2p *p, struct peer *peer)
{
    if (p->wall_us - peer->headers.last_getheaders_us <= HEADERS_RESPONSE_US) return false;
    peer->headers.last_getheaders_us = p->wall_us;
    return true;
}

bool headers_ask(struct p2p *p, struct peer *peer, const struct block_node *node)
{
    if (!may_ask(p, peer)) return false;
    struct buffer payload = {0};
    headers_locator(&payload, p->chain, node, NULL);
    peer_send_payload(p, peer, MESSAGE_GETHEADERS, &payload);
    return true;
}

static void ask_presync(struct p2p *p, struct peer *peer)
{
    struct block_hash hashes[MAX_LOCATOR];
    struct message m = {.type = MESSAGE_GETHEADERS};
    char text[HASH_TEXT];
    if (!may_ask(p, peer)) return;
    m.as.locator.version = HEADERS_LOCATOR_VERSION;
    m.as.locator.hashes = hashes;
    m.as.locator.count = presync_locator(peer->headers.presync, hashes, MAX_LOCATOR);
    peer_send(p, peer, &m);
    log_debug(p->log, LOGC_NET, "more getheaders (from %s) to peer=%lld", block_hash_text(text, &hashes[0]),
              (long long)peer->id);
}

void headers_on_block_inv(struct p2p *p, struct peer *peer, const struct block_hash *hash)
{
    struct peer_headers *h = &peer->headers;
    struct block_node *best = p->chain->tree.best_header;
    char text[HASH_TEXT];
    if (p->importing) return;
    /* Before the first sync is done, each new block makes us ask one peer more, in case the first one is slow. */
    bool first_for_block = !h->inv_triggered && !block_hash_equal(hash, &p->headers.last_inv_trigger);
    if (!h->sync_started && !first_for_block) return;
    if (headers_ask(p, peer, best))
        log_debug(p->log, LOGC_NET, "getheaders (%d) %s to peer=%lld", best->header.height, block_hash_text(text, hash),
                  (long long)peer->id);
    if (h->sync_started) return;
    h->inv_triggered = true;
    p->headers.last_inv_trigger = *hash;
}

/* ---- the log ---- */

/* Per cent of the headers that there may be, going by the time of the last. */
static double header_progress(const struct p2p *p, int32_t height, uint32_t time)
{
    int64_t left = (p2p_now_s(p) - (int64_t)time) / p->params->target_spacing_s;
    return 100.0 * height / (double)(height + (left > 0 ? left : 0));
}

void headers_log_new(struct p2p *p, const struct peer *peer, const struct block_node *node, bool via_compact)
{
    char hash[HASH_TEXT], who[PEER_LOG];
    enum log_level level = LOG_INFO;
    enum log_category category = LOGC_ALL;
    if (chain_is_initial_download(p->chain, p2p_now_s(p))) {
        level = LOG_DEBUG;
        category = LOGC_VALIDATION;
    }
    LOG_AT(p->log, level, category, "Saw new %sheader hash=%s height=%d %s", via_compact ? "cmpctblock " : "",
           block_hash_text(hash, &node->header.hash), node->header.height, peer_log(who, p, peer));
}

static void log_new_best(struct p2p *p, const struct block_node *last)
{
    if (!chain_is_initial_download(p->chain, p2p_now_s(p))) return;
    log_info(p->log, "Synchronizing blockheaders, height: %d (~%.2f%%)", last->header.height,
             header_progress(p, last->header.height, last->header.time));
}

/* ---- presync ---- */

static bool has_more_presync(const struct peer *a, const struct peer *b)
{
    return u256_cmp(presync_work(a->headers.presync), presync_work(b->headers.presync)) > 0;
}

/* Tells about the one presync with the most work. */
static void log_presync(struct p2p *p, struct peer *peer)
{
    struct peer *best = p2p_peer(p, p->headers.presync_best);
    if (!best || !best->headers.presync) {
        best = peer;
        for (size_t i = 0; i < p->peer_count; i++)
            if (p->peers[i]->headers.presync && has_more_presync(p->peers[i], best)) best = p->peers[i];
    } else if (has_more_presync(peer, best)) {
        best = peer;
    }
    p->headers.presync_best = best->id;
    if (best != peer || presync_state(peer->headers.presync) != PRESYNC_COUNTING) return;
    if (p->wall_us - p->headers.presync_logged_us < PRESYNC_LOG_US && p->wall_us >= p->headers.presync_logged_us)
        return;
    p->headers.presync_logged_us = p->wall_us;
    int32_t height = presync_height(peer->headers.presync);
    if (chain_is_initial_download(p->chain, p2p_now_s(p)))
        log_info(p->log, "Pre-synchronizing blockheaders, height: %d (~%.2f%%)", height,
                 header_progress(p, height, presync_time(peer->headers.presync)));
}

/* The message as the next one of the peer's presync. True where it was: then the batch holds what may be accepted. */
static bool continue_presync(struct p2p *p, struct peer *peer, struct batch *b)
{
    struct presync *s = peer->headers.presync;
    if (!s) return false;
    enum presync_state before = presync_state(s);
    struct presync_result r;
    presync_process(s, b->headers, b->count, b->full, &r);
    if (r.ok) peer->headers.last_getheaders_us = 0; /* answered */
    if (r.why)
        log_debug(p->log, LOGC_NET, "Initial headers sync aborted with peer=%lld: %s at height=%d (%s phase)",
                  (long long)peer->id, r.why, r.height, before == PRESYNC_COUNTING ? "presync" : "redownload");
    else if (before == PRESYNC_COUNTING && presync_state(s) == PRESYNC_REDOWNLOAD)
        log_debug(p->log, LOGC_NET,
                  "Initial headers sync transition with peer=%lld: reached sufficient work at height=%d, redownloading",
                  (long long)peer->id, presync_height(s));
    else if (presync_state(s) == PRESYNC_FINAL)
        log_debug(p->log, LOGC_NET, "Initial headers sync complete with peer=%lld: releasing all at height=%d",
                  (long long)peer->id, presync_height(s));
    if (r.request_more) ask_presync(p, peer);
    if (presync_state(s) == PRESYNC_FINAL)
        drop_presync(peer);
    else
        log_presync(p, peer);
    if (r.ok) {
        b->headers = b->owned = r.headers;
        b->count = r.count;
    }
    return r.ok;
}

/* True where the headers, on top of START, have too little work to be kept: they are counted, or dropped. */
static bool try_presync(struct p2p *p, struct peer *peer, const struct block_node *start, struct batch *b)
{
    struct u256 work = start->header.chainwork;
    struct u256 threshold = headers_work_threshold(p);
    char text[65];
    for (size_t i = 0; i < b->count; i++) work = u256_add(work, pow_work(b->headers[i].bits));
    if (u256_cmp(work, threshold) >= 0) return false;
    if (!b->full) {
        log_debug(p->log, LOGC_NET, "Ignoring low-work chain (height=%d) from peer=%lld",
                  start->header.height + (int)b->count, (long long)peer->id);
        return true;
    }
    drop_presync(peer);
    peer->headers.presync = presync_new(p->params, start, &threshold, p2p_now_s(p), &p->random);
    u256_to_hex(text, threshold);
    log_debug(p->log, LOGC_NET,
              "Initial headers sync started with peer=%lld: height=%d, max_commitments=%llu, min_work=%s",
              (long long)peer->id, start->header.height,
              (unsigned long long)presync_max_commitments(peer->headers.presync), text);
    (void)continue_presync(p, peer, b);
    return true;
}

/* ---- a message ---- */

/* Each meets the target that it claims, and is the parent of the next. LAST: hash of the last one. */
static bool are_sane(struct p2p *p, struct peer *peer, const struct batch *b, struct block_hash *last)
{
    bool continuous = true;
    for (size_t i = 0; i < b->count; i++) {
        if (i && !block_hash_equal(&b->headers[i].prev, last)) continuous = false;
        block_header_hash(last, &b->headers[i]);
        if (!pow_check(last, b->headers[i].bits, p->params)) {
            peer_misbehaves(p, peer, "header with invalid proof of work");
            return false;
        }
    }
    if (!continuous) peer_misbehaves(p, peer, "non-continuous headers sequence");
    return continuous;
}

/* They do not build on anything that we know: perhaps the announcement of blocks whose parents we lack. */
static void on_unconnecting(struct p2p *p, struct peer *peer, const struct batch *b, const struct block_hash *last)
{
    struct block_node *best = p->chain->tree.best_header;
    struct block_hash first;
    char hash[HASH_TEXT], prev[HASH_TEXT];
    block_header_hash(&first, &b->headers[0]);
    if (headers_ask(p, peer, best))
        log_debug(p->log, LOGC_NET,
                  "received header %s: missing prev block %s, sending getheaders (%d) to end (peer=%lld)",
                  block_hash_text(hash, &first), block_hash_text(prev, &b->headers[0].prev), best->header.height,
                  (long long)peer->id);
    headers_note_available(p, peer, last);
}

static bool is_on_best_chain(const struct chain *c, const struct block_node *node)
{
    if (!node) return false;
    return block_node_ancestor(c->tree.best_header, node->header.height) == node || chain_contains(c, node);
}

/* The last node to *LAST; false where one is refused. */
static bool accept_all(struct p2p *p, struct peer *peer, const struct batch *b, struct block_node **last)
{
    struct block_node *best = p->chain->tree.best_header;
    struct verdict v = {0};
    bool ok = true;
    char text[300];
    for (size_t i = 0; i < b->count && ok; i++)
        ok = chain_accept_header(p->chain, &b->headers[i], p2p_now_s(p), false, last, &v);
    if (ok) {
        if (p->chain->tree.best_header != best) log_new_best(p, *last);
        return true;
    }
    if (v.kind == VERDICT_CACHED_INVALID && !peer_is_inbound(peer))
        log_warning(
            p->log,
            "%s (received from peer=%lld). If this happens with all peers, the database may be damaged (-reindex "
            "may mend it) or this node may follow other rules than the network.",
            verdict_text(text, sizeof(text), &v), (long long)peer->id);
    (void)blocks_punish(p, peer, &v, b->via_compact, "invalid header received");
    return false;
}

/* What the headers up to LAST say about the peer. */
static void update_peer(struct p2p *p, struct peer *peer, struct block_node *last, bool is_new, bool full)
{
    struct peer_headers *h = &peer->headers;
    const struct u256 tip_work = chain_tip(p->chain)->header.chainwork;
    char who[PEER_LOG];
    headers_note_available(p, peer, &last->header.hash);
    if (is_new && u256_cmp(last->header.chainwork, tip_work) > 0) peer->chain_sync.last_announcement_s = p2p_now_s(p);
    /* While we catch up, an outbound peer without enough work is of no use. */
    bool complete_and_poor =
        !full && u256_cmp(h->best_known->header.chainwork, p->chain->options.minimum_chain_work) < 0;
    if (complete_and_poor && peer_is_outbound_or_block_relay(peer) &&
        chain_is_initial_download(p->chain, p2p_now_s(p))) {
        log_info(p->log, "outbound peer headers chain has insufficient work, %s", peer_log_disconnect(who, p, peer));
        peer_disconnect(p, peer);
    }
    if (!peer->disconnecting && peer->type == CONN_OUTBOUND_FULL &&
        u256_cmp(h->best_known->header.chainwork, tip_work) >= 0)
        chain_sync_protect(p, peer);
}

/* Headers with enough work: into the tree. */
static void accept_batch(struct p2p *p, struct peer *peer, const struct batch *b, bool is_new)
{
    struct block_node *last = NULL;
    if (!accept_all(p, peer, b, &last)) return;
    if (is_new) headers_log_new(p, peer, last, false);
    if (b->full && !peer->headers.presync && headers_ask(p, peer, last))
        log_debug(p->log, LOGC_NET, "more getheaders (%d) to end to peer=%lld", last->header.height,
                  (long long)peer->id);
    update_peer(p, peer, last, is_new, b->full);
    download_fetch_directly(p, peer, last);
}

static void process_batch(struct p2p *p, struct peer *peer, struct batch *b)
{
    struct block_hash last_hash;
    if (!are_sane(p, peer, b, &last_hash)) return;
    b->work_checked = continue_presync(p, peer, b);
    if (!b->count) return;
    if (b->owned) block_header_hash(&last_hash, &b->headers[b->count - 1]);
    struct block_node *start = chain_find(p->chain, &b->headers[0].prev);
    if (!start) {
        on_unconnecting(p, peer, b, &last_hash);
        return;
    }
    peer->headers.last_getheaders_us = 0; /* what connects can be an answer */
    struct block_node *known = chain_find(p->chain, &last_hash);
    /* Known headers cost no memory, and trusted peers spare us the second pass. */
    if (is_on_best_chain(p->chain, known) || peer_permits(peer, PERM_NO_BAN)) b->work_checked = true;
    if (!b->work_checked && try_presync(p, peer, start, b)) return;
    accept_batch(p, peer, b, !known);
}

void headers_process(struct p2p *p, struct peer *peer, const struct block_header *headers, size_t count,
                     bool via_compact)
{
    struct batch b = {.headers = headers, .count = count, .full = count == MAX_HEADERS, .via_compact = via_compact};
    if (count) {
        process_batch(p, peer, &b);
        free(b.owned);
        return;
    }
    /* They have nothing (more) for us: an answer, and the end of what was under way. */
    drop_presync(peer);
    peer->headers.last_getheaders_us = 0;
}

void headers_on_headers(struct p2p *p, struct peer *peer, struct message *m)
{
    headers_process(p, peer, m->as.headers.headers, m->as.headers.count, false);
}
