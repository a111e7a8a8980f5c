/* Blocks and transactions out: what getdata asks for, a block at a time, within the limits of upload target, privacy
 * and pruning. */
#include <stdlib.h>

#include "base/alloc.h"
#include "consensus/pow.h"
#include "p2p/internal.h"
#include "p2p/serve.h"

enum {
    STALE_BLOCK_AGE_S = 30 * 24 * 60 * 60,
    HISTORICAL_BLOCK_AGE_S = 7 * 24 * 60 * 60,
    LIMITED_DEPTH = 288 + 2, /* BIP159, and two for blocks that come while a request is on its way */
    TXS_AT_ONCE = 1 << 18,   /* bytes: the owner says only after the event that the send queue is full */
};

void serve_peer_clear(struct peer *peer)
{
    free(peer->serve.requests);
    peer->serve = (struct peer_serve){0};
}

/* Seconds of work at the best header's difficulty that TO has more than FROM. */
static int64_t work_lead_s(const struct chain *c, const struct block_node *to, const struct block_node *from)
{
    if (u256_cmp(to->header.chainwork, from->header.chainwork) <= 0) return 0;
    struct u256 lead = u256_sub(to->header.chainwork, from->header.chainwork);
    lead = u256_mul_u32(lead, (uint32_t)c->params.target_spacing_s);
    lead = u256_div(lead, pow_work(to->header.bits));
    return u256_bits(lead) > 63 ? INT64_MAX : (int64_t)lead.w[0];
}

bool serve_may_show(struct p2p *p, const struct block_node *node)
{
    const struct block_node *best = p->chain->tree.best_header;
    if (chain_contains(p->chain, node)) return true;
    if (!(node->status & BLOCK_CONNECTED) || (node->status & BLOCK_ANY_FAILURE) || !best) return false;
    return (int64_t)best->header.time - node->header.time < STALE_BLOCK_AGE_S &&
           work_lead_s(p->chain, best, node) < STALE_BLOCK_AGE_S;
}

/* True where the request may be answered; else it is passed over, or the peer is disconnected. */
static bool may_serve(struct p2p *p, struct peer *peer, const struct block_node *n)
{
    const struct block_node *best = p->chain->tree.best_header;
    char text[PEER_LOG];
    if (!serve_may_show(p, n)) {
        log_debug(p->log, LOGC_NET,
                  "ProcessGetBlockData: ignoring request from peer=%lld for old block that isn't in the main chain",
                  (long long)peer->id);
        return false;
    }
    if (serve_target_reached(p, true) && best && (int64_t)best->header.time - n->header.time > HISTORICAL_BLOCK_AGE_S &&
        !peer_permits(peer, PERM_DOWNLOAD)) {
        log_debug(p->log, LOGC_NET, "historical block serving limit reached, %s", peer_log_disconnect(text, p, peer));
        peer_disconnect(p, peer);
        return false;
    }
    uint64_t ours = peer->handshake.our_services;
    bool limited = (ours & NODE_NETWORK_LIMITED) && !(ours & NODE_NETWORK);
    if (limited && !peer_permits(peer, PERM_NO_BAN) && chain_height(p->chain) - n->header.height > LIMITED_DEPTH) {
        log_debug(p->log, LOGC_NET, "Ignore block request below NODE_NETWORK_LIMITED threshold, %s",
                  peer_log_disconnect(text, p, peer));
        peer_disconnect(p, peer);
        return false;
    }
    return (n->status & BLOCK_HAVE_DATA) != 0;
}

static void read_failed(struct p2p *p, struct peer *peer, const struct block_node *n)
{
    char text[PEER_LOG];
    peer_log_disconnect(text, p, peer);
    if (n->tx_count > 0 && !(n->status & BLOCK_HAVE_DATA))
        log_debug(p->log, LOGC_NET, "Block was pruned before it could be read, %s", text);
    else
        log_error(p->log, "Cannot load block from disk, %s", text);
    peer_disconnect(p, peer);
}

/* The block's bytes; false where it cannot be read, and then the peer is disconnected. */
static bool read_raw(struct p2p *p, struct peer *peer, const struct block_node *n, struct buffer *out)
{
    struct error e;
    const struct recent_block *recent = announce_recent(p, &n->header.hash);
    if (recent) {
        buffer_put_span(out, buffer_span(&recent->raw));
        return true;
    }
    if (chain_read_raw(p->chain, n, out, &e) == RESULT_OK) return true;
    buffer_clear(out);
    read_failed(p, peer, n);
    return false;
}

static void send_stripped(struct p2p *p, struct peer *peer, const struct block_node *n)
{
    struct buffer raw = {0}, payload = {0};
    if (!read_raw(p, peer, n, &raw)) return;
    struct block *b = block_parse_unhashed(buffer_span(&raw));
    if (b) {
        block_write_no_witness(&payload, b);
        block_free(b);
        peer_send_payload(p, peer, MESSAGE_BLOCK, &payload);
    } else {
        read_failed(p, peer, n);
    }
    buffer_clear(&raw);
}

static void send_filtered(struct p2p *p, struct peer *peer, const struct block_node *n)
{
    struct buffer raw = {0};
    if (!peer->txs.filter.bits || !read_raw(p, peer, n, &raw)) return;
    struct block *b = block_parse(buffer_span(&raw));
    if (b) {
        txs_send_filtered(p, peer, b);
        block_free(b);
    } else {
        read_failed(p, peer, n);
    }
    buffer_clear(&raw);
}

static void send_whole(struct p2p *p, struct peer *peer, const struct block_node *n)
{
    struct buffer payload = {0};
    if (read_raw(p, peer, n, &payload)) peer_send_payload(p, peer, MESSAGE_BLOCK, &payload);
}

/* Old blocks go whole: the asker's pool will hardly help with them. */
static void send_compact(struct p2p *p, struct peer *peer, const struct block_node *n)
{
    if (!download_can_fetch_directly(p) || n->header.height < chain_height(p->chain) - COMPACT_DEPTH) {
        send_whole(p, peer, n);
        return;
    }
    struct buffer payload = {0}, raw = {0};
    const struct recent_block *recent = announce_recent(p, &n->header.hash);
    if (recent) {
        buffer_put_span(&payload, buffer_span(&recent->compact));
        peer_send_payload(p, peer, MESSAGE_CMPCTBLOCK, &payload);
        return;
    }
    if (!read_raw(p, peer, n, &raw)) return;
    struct block *b = block_parse(buffer_span(&raw));
    if (b) {
        compact_write(p, &payload, b);
        block_free(b);
        peer_send_payload(p, peer, MESSAGE_CMPCTBLOCK, &payload);
    } else {
        read_failed(p, peer, n);
    }
    buffer_clear(&raw);
}

/* The last block of a getblocks was fetched: the tip's inv makes them ask for the next ones. */
static void continue_getblocks(struct p2p *p, struct peer *peer, const struct block_hash *served)
{
    if (hash_is_null(served->bytes) || !block_hash_equal(served, &peer->serve.continuation)) return;
    struct inv tip = {.type = INV_BLOCK};
    memcpy(tip.hash, chain_tip(p->chain)->header.hash.bytes, sizeof(tip.hash));
    peer_send_inv(p, peer, MESSAGE_INV, &tip, 1);
    peer->serve.continuation = (struct block_hash){0};
}

static void serve_block(struct p2p *p, struct peer *peer, const struct inv *inv)
{
    char text[PEER_LOG];
    if (inv->type == INV_FILTERED_BLOCK && !(peer->handshake.our_services & NODE_BLOOM)) {
        log_debug(p->log, LOGC_NET, "filtered block request received when NODE_BLOOM service disabled, %s",
                  peer_log_disconnect(text, p, peer));
        peer_disconnect(p, peer);
        return;
    }
    struct block_hash hash;
    memcpy(hash.bytes, inv->hash, sizeof(hash.bytes));
    const struct block_node *n = chain_find(p->chain, &hash);
    if (!n || !may_serve(p, peer, n)) return;
    if (inv->type == INV_BLOCK)
        send_stripped(p, peer, n);
    else if (inv->type == INV_WITNESS_BLOCK)
        send_whole(p, peer, n);
    else if (inv->type == INV_CMPCT_BLOCK)
        send_compact(p, peer, n);
    else if (inv->type == INV_FILTERED_BLOCK)
        send_filtered(p, peer, n);
    if (!peer->disconnecting) continue_getblocks(p, peer, &hash);
}

/* The transactions at the front of the queue; what we do not have is named in a notfound. */
static void serve_txs(struct p2p *p, struct peer *peer)
{
    struct peer_serve *s = &peer->serve;
    struct inv *missing = NULL;
    size_t missing_count = 0, cap = 0, queued = peer->queued;
    while (s->count && !peer->send_full && inv_is_tx(&s->requests[s->first]) && peer->queued - queued < TXS_AT_ONCE) {
        const struct inv *inv = &s->requests[s->first];
        /* Nobody was told of transactions where there is no relay of them. */
        if (peer->txs.has_relay && !txs_serve(p, peer, inv)) {
            missing = mem_grow(missing, &cap, missing_count + 1, sizeof(*missing));
            missing[missing_count++] = *inv;
        }
        s->first++;
        s->count--;
    }
    if (missing_count) peer_send_inv(p, peer, MESSAGE_NOTFOUND, missing, missing_count);
    free(missing);
}

/* We have the block, and its compact form may have gone out, but the owner has yet to connect it: until then it could
 * not be told from a stale one, and the request would get no answer at all. */
static bool must_wait(const struct p2p *p, const struct inv *inv)
{
    if (!inv_is_block(inv) || !hashmap_get(&p->blocks.pending, inv->hash)) return false;
    struct block_hash hash;
    memcpy(hash.bytes, inv->hash, sizeof(hash.bytes));
    const struct block_node *n = chain_find(p->chain, &hash);
    return n && n->status & BLOCK_HAVE_DATA && n->chain_tx_count &&
           !(n->status & (BLOCK_CONNECTED | BLOCK_ANY_FAILURE)) &&
           u256_cmp(n->header.chainwork, chain_tip(p->chain)->header.chainwork) > 0;
}

void serve_send(struct p2p *p, struct peer *peer)
{
    struct peer_serve *s = &peer->serve;
    if (!s->count || !peer_is_open(peer)) return;
    serve_txs(p, peer);
    if (s->count && must_wait(p, &s->requests[s->first])) return;
    /* One block a call, so that no peer holds up the others; an unknown kind is passed over. */
    if (s->count && !peer->send_full && !inv_is_tx(&s->requests[s->first])) {
        struct inv inv = s->requests[s->first++];
        s->count--;
        if (inv_is_block(&inv)) serve_block(p, peer, &inv);
    }
    if (s->count == 0) {
        free(s->requests);
        s->requests = NULL;
        s->first = s->cap = 0;
    }
}

void serve_request(struct peer *peer, const struct inv *inv)
{
    struct peer_serve *s = &peer->serve;
    if (s->count >= MAX_INV) return;
    if (s->first && s->first + s->count == s->cap) {
        memmove(s->requests, s->requests + s->first, s->count * sizeof(*s->requests));
        s->first = 0;
    }
    s->requests = mem_grow(s->requests, &s->cap, s->first + s->count + 1, sizeof(*s->requests));
    s->requests[s->first + s->count++] = *inv;
}

void serve_on_getdata(struct p2p *p, struct peer *peer, struct message *m)
{
    const struct inv_message *v = &m->as.inv;
    char text[SERVE_INV_TEXT];
    log_debug(p->log, LOGC_NET, "received getdata (%zu invsz) peer=%lld", v->count, (long long)peer->id);
    if (v->count)
        log_debug(p->log, LOGC_NET, "received getdata for: %s peer=%lld", serve_inv_text(text, &v->items[0]),
                  (long long)peer->id);
    for (size_t i = 0; i < v->count; i++) serve_request(peer, &v->items[i]);
    serve_send(p, peer);
}
