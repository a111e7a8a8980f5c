/* Headers and inventories out: getheaders, getblocks, inv; and the daily upload target. */
#include "p2p/serve.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "p2p/internal.h"

enum {
    UPLOAD_CYCLE_S = 24 * 60 * 60,
    GETBLOCKS_MAX = 500,
    RELAY_WINDOW_S = 60 * 60, /* a block announced by a pruned node is kept for as long, at least */
};

/* ---- upload target ---- */

void serve_note_sent(struct p2p *p, size_t bytes)
{
    struct serve *s = &p->serve;
    int64_t now_s = p2p_now_s(p);
    if (s->cycle_start_us / 1000000 + UPLOAD_CYCLE_S < now_s) {
        s->cycle_start_us = now_s * 1000000;
        s->cycle_sent = 0;
    }
    s->cycle_sent += bytes;
}

int64_t serve_cycle_left_s(const struct p2p *p)
{
    if (p->options.max_upload_bytes == 0) return 0;
    if (p->serve.cycle_start_us == 0) return UPLOAD_CYCLE_S;
    int64_t end_s = p->serve.cycle_start_us / 1000000 + UPLOAD_CYCLE_S;
    return end_s < p2p_now_s(p) ? 0 : end_s - p2p_now_s(p);
}

uint64_t serve_left_in_cycle(const struct p2p *p)
{
    uint64_t limit = p->options.max_upload_bytes, sent = p->serve.cycle_sent;
    return sent >= limit ? 0 : limit - sent;
}

bool serve_target_reached(const struct p2p *p, bool historical)
{
    uint64_t limit = p->options.max_upload_bytes;
    if (limit == 0) return false;
    uint64_t reserve = 0;
    if (historical) {
        /* One largest block for each ten minutes that are left. */
        reserve = (uint64_t)serve_cycle_left_s(p) / 600 * MAX_BLOCK_WEIGHT;
        if (reserve >= limit) return true;
    }
    return p->serve.cycle_sent >= limit - reserve;
}

/* ---- getheaders, getblocks ---- */

struct block_node *serve_fork(const struct chain *c, const struct locator_message *locator)
{
    for (size_t i = 0; i < locator->count; i++) {
        struct block_node *n = chain_find(c, &locator->hashes[i]);
        if (!n) continue;
        if (chain_contains(c, n)) return n;
        if (block_node_ancestor(n, chain_height(c)) == chain_tip(c)) return chain_tip(c);
    }
    return chain_at(c, 0);
}

static struct block_node *next_active(const struct chain *c, const struct block_node *n)
{
    return chain_contains(c, n) ? chain_at(c, n->header.height + 1) : NULL;
}

static const char *stop_text(char out[HASH_TEXT], const struct block_hash *stop)
{
    return hash_is_null(stop->bytes) ? "end" : block_hash_text(out, stop);
}

static void send_headers_from(struct p2p *p, struct peer *peer, struct block_node *n, const struct block_hash *stop)
{
    struct block_header *headers = mem_alloc(MAX_HEADERS * sizeof(*headers));
    size_t count = 0;
    struct block_node *last = NULL;
    for (; n; n = next_active(p->chain, n)) {
        header_node_header(&headers[count++], &n->header);
        last = n;
        if (count == MAX_HEADERS || block_hash_equal(&n->header.hash, stop)) break;
        last = NULL;
    }
    /* Set, not raised: the tip may have gone out as a compact block while this answer ends below it; then it must be
     * announced again. */
    peer->headers.best_header_sent = last ? last : chain_tip(p->chain);
    peer_send(p, peer, &(struct message){.type = MESSAGE_HEADERS, .as.headers = {.headers = headers, .count = count}});
    free(headers);
}

void serve_on_getheaders(struct p2p *p, struct peer *peer, struct message *m)
{
    const struct locator_message *l = &m->as.locator;
    const struct block_node *tip = chain_tip(p->chain);
    if (p->importing) {
        log_debug(p->log, LOGC_NET, "Ignoring getheaders from peer=%lld while importing/reindexing",
                  (long long)peer->id);
        return;
    }
    if (!tip || (u256_cmp(tip->header.chainwork, p->chain->options.minimum_chain_work) < 0 &&
                 !peer_permits(peer, PERM_DOWNLOAD))) {
        log_debug(p->log, LOGC_NET,
                  "Ignoring getheaders from peer=%lld because active chain has too little work; sending empty response",
                  (long long)peer->id);
        peer_send(p, peer, &(struct message){.type = MESSAGE_HEADERS});
        return;
    }
    struct block_node *n;
    if (l->count == 0) {
        n = chain_find(p->chain, &l->stop);
        if (!n) return;
        if (!serve_may_show(p, n)) {
            log_debug(
                p->log, LOGC_NET,
                "ProcessMessage: ignoring request from peer=%lld for old block header that isn't in the main chain",
                (long long)peer->id);
            return;
        }
    } else {
        n = next_active(p->chain, serve_fork(p->chain, l));
    }
    char stop[HASH_TEXT];
    log_debug(p->log, LOGC_NET, "getheaders %d to %s from peer=%lld", n ? n->header.height : -1,
              stop_text(stop, &l->stop), (long long)peer->id);
    send_headers_from(p, peer, n, &l->stop);
}

/* A pruned node announces what it will still have when it is asked for. */
static bool may_announce(const struct p2p *p, const struct block_node *n)
{
    if (p->options.services & NODE_NETWORK) return true;
    int64_t kept = MIN_BLOCKS_TO_KEEP - RELAY_WINDOW_S / p->params->target_spacing_s;
    return (n->status & BLOCK_HAVE_DATA) && n->header.height > chain_height(p->chain) - kept;
}

void serve_on_getblocks(struct p2p *p, struct peer *peer, struct message *m)
{
    const struct locator_message *l = &m->as.locator;
    const struct block_node *n = serve_fork(p->chain, l);
    char text[HASH_TEXT];
    n = n ? next_active(p->chain, n) : NULL;
    log_debug(p->log, LOGC_NET, "getblocks %d to %s limit %d from peer=%lld", n ? n->header.height : -1,
              stop_text(text, &l->stop), GETBLOCKS_MAX, (long long)peer->id);
    int left = GETBLOCKS_MAX;
    for (; n; n = next_active(p->chain, n)) {
        block_hash_text(text, &n->header.hash);
        if (block_hash_equal(&n->header.hash, &l->stop)) {
            log_debug(p->log, LOGC_NET, " getblocks stopping at %d %s", n->header.height, text);
            return;
        }
        if (!may_announce(p, n)) {
            log_debug(p->log, LOGC_NET, " getblocks stopping, pruned or too old block at %d %s", n->header.height,
                      text);
            return;
        }
        announce_by_inv(peer, &n->header.hash);
        if (--left == 0) {
            log_debug(p->log, LOGC_NET, " getblocks stopping at limit %d %s", n->header.height, text);
            peer->serve.continuation = n->header.hash;
            return;
        }
    }
}

/* ---- inv ---- */

static const char *inv_name(uint32_t type)
{
    switch (type & ~(uint32_t)INV_WITNESS) {
    case INV_TX: return "tx";
    case INV_WTX: return "wtx";
    case INV_BLOCK: return "block";
    case INV_FILTERED_BLOCK: return "merkleblock";
    case INV_CMPCT_BLOCK: return "cmpctblock";
    default: return NULL;
    }
}

char *serve_inv_text(char out[SERVE_INV_TEXT], const struct inv *inv)
{
    char hash[HASH_TEXT];
    struct block_hash h;
    memcpy(h.bytes, inv->hash, sizeof(h.bytes));
    block_hash_text(hash, &h);
    const char *name = inv_name(inv->type);
    if (name)
        snprintf(out, SERVE_INV_TEXT, "%s%s %s", inv->type & INV_WITNESS ? "witness-" : "", name, hash);
    else
        snprintf(out, SERVE_INV_TEXT, "0x%08x %s", (unsigned)inv->type, hash);
    return out;
}

/* True where it is to be asked for. */
static bool note_block_inv(struct p2p *p, struct peer *peer, const struct inv *inv, struct block_hash *hash)
{
    char text[SERVE_INV_TEXT];
    memcpy(hash->bytes, inv->hash, sizeof(hash->bytes));
    bool have = chain_find(p->chain, hash) != NULL;
    log_debug(p->log, LOGC_NET, "got inv: %s %s peer=%lld", serve_inv_text(text, inv), have ? "have" : "new",
              (long long)peer->id);
    headers_note_available(p, peer, hash);
    return !have && !p->importing && !download_find(p, hash);
}

/* The transactions of one inv by each kind of id, so that those named twice are looked at once. */
struct seen_txs {
    struct hashmap txids, wtxids;
};

static bool is_first(struct seen_txs *seen, struct inv *inv)
{
    struct hashmap *map = inv->type == INV_WTX ? &seen->wtxids : &seen->txids;
    if (hashmap_get(map, inv->hash)) return false;
    hashmap_put(map, inv);
    return true;
}

static void look_at_inv(struct p2p *p, struct peer *peer, const struct inv_message *v, struct seen_txs *seen)
{
    struct block_hash hash, newest;
    bool is_new = false;
    char text[SERVE_INV_TEXT];
    for (size_t i = 0; i < v->count; i++) {
        struct inv *inv = &v->items[i];
        if (inv->type == (peer->handshake.wtxid_relay ? INV_TX : INV_WTX)) continue;
        if (inv->type == INV_BLOCK) {
            if (!note_block_inv(p, peer, inv, &hash)) continue;
            newest = hash;
            is_new = true;
        } else if (inv_is_tx(inv)) {
            if (is_first(seen, inv) && !txs_on_inv(p, peer, inv)) return;
        } else {
            log_debug(p->log, LOGC_NET, "Unknown inv type \"%s\" received from peer=%lld", serve_inv_text(text, inv),
                      (long long)peer->id);
        }
    }
    if (is_new) headers_on_block_inv(p, peer, &newest);
}

void serve_on_inv(struct p2p *p, struct peer *peer, struct message *m)
{
    struct seen_txs seen;
    hashmap_init(&seen.txids, offsetof(struct inv, hash), sizeof(m->as.inv.items->hash), p->key[0]);
    hashmap_init(&seen.wtxids, offsetof(struct inv, hash), sizeof(m->as.inv.items->hash), p->key[1]);
    look_at_inv(p, peer, &m->as.inv, &seen);
    hashmap_clear(&seen.txids);
    hashmap_clear(&seen.wtxids);
}
