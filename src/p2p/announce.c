/* New tips out: by compact block, headers or inv, as each peer wants them (BIP130, 152). */
#include "p2p/announce.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "consensus/versionbits.h"
#include "p2p/internal.h"

/* A transaction of the recent block under one of its ids. */
struct recent_tx {
    struct {
        uint8_t is_wtxid;
        uint8_t id[32];
    } key;
    const struct tx *tx;
};

static void recent_clear(struct recent_block *r)
{
    block_free(r->parsed);
    hashmap_clear(&r->by_id);
    free(r->txs);
    buffer_clear(&r->raw);
    buffer_clear(&r->compact);
    *r = (struct recent_block){0};
}

void announce_clear(struct p2p *p)
{
    recent_clear(&p->announce.recent);
}

void announce_peer_clear(struct peer *peer)
{
    free(peer->announce.invs);
    peer->announce = (struct peer_announce){0};
}

/* ---- the recent block ---- */

const struct recent_block *announce_recent(const struct p2p *p, const struct block_hash *hash)
{
    const struct recent_block *r = &p->announce.recent;
    return r->node && block_hash_equal(&r->hash, hash) ? r : NULL;
}

static const struct block *recent_parsed(struct recent_block *r)
{
    if (!r->parsed && r->node) r->parsed = block_parse(buffer_span(&r->raw));
    return r->parsed;
}

const struct block *announce_recent_block(struct p2p *p, const struct block_hash *hash)
{
    return announce_recent(p, hash) ? recent_parsed(&p->announce.recent) : NULL;
}

static void recent_index(struct p2p *p, struct recent_block *r)
{
    const struct block *b = recent_parsed(r);
    if (!b || r->txs) return;
    hashmap_init(&r->by_id, offsetof(struct recent_tx, key), sizeof(r->txs->key), random_u64(&p->random));
    r->txs = mem_calloc(2 * b->tx_count, sizeof(*r->txs));
    for (size_t i = 0; i < 2 * b->tx_count; i++) {
        struct recent_tx *t = &r->txs[i];
        t->tx = &b->txs[i / 2];
        t->key.is_wtxid = i % 2;
        memcpy(t->key.id, i % 2 ? t->tx->wtxid.bytes : t->tx->txid.bytes, sizeof(t->key.id));
        if (!hashmap_get(&r->by_id, &t->key)) hashmap_put(&r->by_id, t);
    }
}

const struct tx *announce_recent_tx(struct p2p *p, const struct inv *inv)
{
    struct recent_tx wanted = {.key.is_wtxid = inv->type == INV_WTX};
    recent_index(p, &p->announce.recent);
    memcpy(wanted.key.id, inv->hash, sizeof(wanted.key.id));
    const struct recent_tx *found = hashmap_get(&p->announce.recent.by_id, &wanted.key);
    return found ? found->tx : NULL;
}

static void recent_set(struct p2p *p, struct block_node *node, const struct block *block)
{
    struct recent_block *r = &p->announce.recent;
    recent_clear(r);
    r->hash = node->header.hash;
    r->node = node;
    buffer_put_span(&r->raw, block->raw);
    compact_write(p, &r->compact, block);
}

size_t announce_memory(const struct p2p *p)
{
    const struct recent_block *r = &p->announce.recent;
    size_t bytes = r->raw.cap + r->compact.cap;
    if (r->parsed) bytes += sizeof(*r->parsed) + r->parsed->arena.bytes;
    if (r->txs) bytes += 2 * r->parsed->tx_count * sizeof(*r->txs) + r->by_id.cap * sizeof(*r->by_id.slots);
    return bytes;
}

/* ---- at once ---- */

static bool is_ancestor(const struct block_node *of, const struct block_node *n)
{
    return of && block_node_ancestor(of, n->header.height) == n;
}

bool announce_peer_has(const struct p2p *p, const struct peer *peer, const struct block_node *node)
{
    (void)p;
    return is_ancestor(peer->headers.best_known, node) || is_ancestor(peer->headers.best_header_sent, node);
}

static void send_payload_copy(struct p2p *p, struct peer *peer, enum message_type type, struct span payload)
{
    struct buffer copy = {0};
    buffer_put_span(&copy, payload);
    peer_send_payload(p, peer, type, &copy);
}

void announce_on_accepted(struct p2p *p, struct block_node *node, const struct block *block)
{
    const struct block_node *prev = block_node_prev(node);
    char hash[HASH_TEXT];
    if (chain_is_initial_download(p->chain, p2p_now_s(p)) || prev != chain_tip(p->chain)) return;
    if (node->header.height <= p->announce.highest_fast) return;
    p->announce.highest_fast = node->header.height;
    if (!buried_active(p->params, BURIED_SEGWIT, node->header.height)) return;
    recent_set(p, node, block);
    for (size_t i = 0; i < p->peer_count; i++) {
        struct peer *peer = p->peers[i];
        if (!peer_is_open(peer) || !peer_speaks(peer, PROTOCOL_SHORT_IDS + 1)) continue;
        headers_resolve_unknown(p, peer);
        /* Only to who can put it on top of what they have. */
        if (!peer->compact.hb_from || announce_peer_has(p, peer, node) || !announce_peer_has(p, peer, prev)) continue;
        log_debug(p->log, LOGC_NET, "PeerManager::NewPoWValidBlock sending header-and-ids %s to peer=%lld",
                  block_hash_text(hash, &node->header.hash), (long long)peer->id);
        send_payload_copy(p, peer, MESSAGE_CMPCTBLOCK, buffer_span(&p->announce.recent.compact));
        peer->headers.best_header_sent = node;
    }
}

/* ---- after the tip moved ---- */

void announce_by_inv(struct peer *peer, const struct block_hash *hash)
{
    struct peer_announce *a = &peer->announce;
    a->invs = mem_grow(a->invs, &a->inv_cap, a->inv_count + 1, sizeof(*a->invs));
    a->invs[a->inv_count++] = *hash;
}

static void queue_node(struct peer_announce *a, struct block_node *n)
{
    if (a->count == ARRAY_LEN(a->nodes)) {
        memmove(a->nodes, a->nodes + 1, (a->count - 1) * sizeof(*a->nodes));
        a->count--;
    }
    a->nodes[a->count++] = n;
}

void announce_on_tip(struct p2p *p, struct block_node *fork)
{
    struct block_node *nodes[ANNOUNCE_HEADERS_MAX];
    size_t count = 0;
    if (chain_is_initial_download(p->chain, p2p_now_s(p))) return;
    for (struct block_node *n = chain_tip(p->chain); n && n != fork && count < ANNOUNCE_HEADERS_MAX;
         n = block_node_prev(n))
        nodes[count++] = n;
    for (size_t i = 0; i < p->peer_count; i++)
        for (size_t k = count; k-- > 0;) queue_node(&p->peers[i]->announce, nodes[k]);
}

/* Those headers that the peer lacks and can connect. False: it must be an inv. */
static bool collect_headers(const struct p2p *p, const struct peer *peer, struct block_node **out, size_t *count)
{
    const struct peer_announce *a = &peer->announce;
    const struct block_node *last = NULL;
    *count = 0;
    for (size_t i = 0; i < a->count; i++) {
        struct block_node *n = a->nodes[i];
        const struct block_node *prev = block_node_prev(n);
        /* The chain went elsewhere, or came back to where it was. */
        if (!chain_contains(p->chain, n) || (last && prev != last)) return false;
        last = n;
        if (*count == 0 && announce_peer_has(p, peer, n)) continue;
        if (*count == 0 && prev && !announce_peer_has(p, peer, prev)) return false;
        out[(*count)++] = n;
    }
    return true;
}

/* False where the block cannot be read. */
static bool send_compact(struct p2p *p, struct peer *peer, struct block_node *n)
{
    char hash[HASH_TEXT];
    struct buffer payload = {0};
    const struct recent_block *recent = announce_recent(p, &n->header.hash);
    if (recent) {
        buffer_put_span(&payload, buffer_span(&recent->compact));
    } else {
        struct block *b;
        struct error e;
        if (chain_read_block(p->chain, n, &b, &e) != RESULT_OK) return false;
        compact_write(p, &payload, b);
        block_free(b);
    }
    log_debug(p->log, LOGC_NET, "SendMessages sending header-and-ids %s to peer=%lld",
              block_hash_text(hash, &n->header.hash), (long long)peer->id);
    peer_send_payload(p, peer, MESSAGE_CMPCTBLOCK, &payload);
    return true;
}

static void send_headers(struct p2p *p, struct peer *peer, struct block_node *const *nodes, size_t count)
{
    struct block_header headers[ANNOUNCE_HEADERS_MAX];
    char first[HASH_TEXT], last[HASH_TEXT];
    for (size_t i = 0; i < count; i++) header_node_header(&headers[i], &nodes[i]->header);
    block_hash_text(first, &nodes[0]->header.hash);
    block_hash_text(last, &nodes[count - 1]->header.hash);
    if (count > 1)
        log_debug(p->log, LOGC_NET, "SendMessages: %zu headers, range (%s, %s), to peer=%lld", count, first, last,
                  (long long)peer->id);
    else
        log_debug(p->log, LOGC_NET, "SendMessages: sending header %s to peer=%lld", first, (long long)peer->id);
    peer_send(p, peer, &(struct message){.type = MESSAGE_HEADERS, .as.headers = {.headers = headers, .count = count}});
}

/* By compact block or headers; false: it must be an inv. */
static bool send_as_headers(struct p2p *p, struct peer *peer)
{
    const struct peer_announce *a = &peer->announce;
    bool compact = peer->compact.hb_from, headers = peer->handshake.prefers_headers;
    struct block_node *nodes[ANNOUNCE_HEADERS_MAX];
    size_t count;
    if (a->count > ANNOUNCE_HEADERS_MAX || (!headers && (!compact || a->count > 1))) return false;
    if (!collect_headers(p, peer, nodes, &count)) return false;
    if (count == 0) return true;
    /* More than one at a time: they are still catching up. */
    bool sent = count == 1 && compact && send_compact(p, peer, nodes[0]);
    if (!sent) {
        if (!headers) return false;
        send_headers(p, peer, nodes, count);
    }
    peer->headers.best_header_sent = nodes[count - 1];
    return true;
}

/* The newest block alone: they will ask for the way to it. */
static void queue_tip_inv(struct p2p *p, struct peer *peer)
{
    const struct block_node *n = peer->announce.nodes[peer->announce.count - 1];
    char hash[HASH_TEXT], tip[HASH_TEXT];
    block_hash_text(hash, &n->header.hash);
    if (!chain_contains(p->chain, n))
        log_debug(p->log, LOGC_NET, "Announcing block %s not on main chain (tip=%s)", hash,
                  block_hash_text(tip, &chain_tip(p->chain)->header.hash));
    if (announce_peer_has(p, peer, n)) return;
    announce_by_inv(peer, &n->header.hash);
    log_debug(p->log, LOGC_NET, "SendMessages: sending inv peer=%lld hash=%s", (long long)peer->id, hash);
}

static void send_invs(struct p2p *p, struct peer *peer)
{
    struct peer_announce *a = &peer->announce;
    struct inv *items = mem_calloc(a->inv_count, sizeof(*items));
    for (size_t i = 0; i < a->inv_count; i++) {
        items[i].type = INV_BLOCK;
        memcpy(items[i].hash, a->invs[i].bytes, sizeof(items[i].hash));
    }
    for (size_t at = 0; at < a->inv_count; at += MAX_INV) {
        size_t n = a->inv_count - at < MAX_INV ? a->inv_count - at : MAX_INV;
        peer_send_inv(p, peer, MESSAGE_INV, items + at, n);
    }
    free(items);
    free(a->invs);
    a->invs = NULL;
    a->inv_count = a->inv_cap = 0;
}

void announce_send(struct p2p *p, struct peer *peer)
{
    struct peer_announce *a = &peer->announce;
    if (a->count) {
        headers_resolve_unknown(p, peer);
        if (!send_as_headers(p, peer)) queue_tip_inv(p, peer);
        a->count = 0;
    }
    if (a->inv_count) send_invs(p, peer);
}
