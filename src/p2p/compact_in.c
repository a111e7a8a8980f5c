/* Compact blocks in: putting a block together from its short form, what we hold, and what we ask for. */
#include <stdlib.h>

#include "base/alloc.h"
#include "consensus/block_check.h"
#include "consensus/pow.h"
#include "consensus/versionbits.h"
#include "p2p/compact.h"
#include "p2p/internal.h"

/* A compact block at hand, and who else was asked for the same block. */
struct incoming {
    struct p2p *p;
    struct peer *peer;
    const struct compact_block *c;
    struct block_node *node;
    struct in_flight *ours; /* our request to this peer; NULL: none */
    size_t in_flight;       /* requests of it, to anybody */
    bool first;             /* nobody was asked before this peer */
};

static void ask_whole(struct p2p *p, struct peer *peer, const struct block_hash *hash)
{
    struct inv inv = {.type = INV_BLOCK};
    if (download_serves_witness(peer)) inv.type |= INV_WITNESS;
    memcpy(inv.hash, hash->bytes, sizeof(inv.hash));
    peer_send_inv(p, peer, MESSAGE_GETDATA, &inv, 1);
}

/* ---- putting together ---- */

enum { OFFER_AT_ONCE = 64 };

void compact_offer_pool(const struct mempool *m, struct partial_block *partial)
{
    struct partial_candidate list[OFFER_AT_ONCE];
    const struct mempool_entry *entries[OFFER_AT_ONCE];
    size_t total = mempool_count(m);
    for (size_t at = 0; at < total && partial->pool_count < partial->slot_count;) {
        size_t count = total - at < OFFER_AT_ONCE ? total - at : OFFER_AT_ONCE;
        for (size_t i = 0; i < count; i++) {
            entries[i] = mempool_at(m, at + i);
            /* They lie all over the memory: all of the next ones are fetched before the first is looked at. */
            __builtin_prefetch(&entries[i]->tx.raw);
            __builtin_prefetch(&entries[i]->tx.wtxid);
        }
        for (size_t i = 0; i < count; i++)
            list[i] = (struct partial_candidate){.wtxid = entries[i]->tx.wtxid, .raw = entries[i]->tx.raw};
        partial_block_offer(partial, list, count, false);
        at += count;
    }
}

/* Looks for what is missing: in the pool of transactions first where there is one, then among the extra ones. */
static void offer_candidates(const struct p2p *p, struct partial_block *partial)
{
    if (p->mempool) compact_offer_pool(p->mempool, partial);
    partial_block_offer(partial, p->compact.extra.items, p->compact.extra.count, true);
}

static void log_reconstructed(struct p2p *p, const struct block *b, const struct partial_block *counts,
                              const struct tx *fetched, size_t count)
{
    char hash[HASH_TEXT], id[HASH_TEXT];
    size_t bytes = 0;
    if (!log_wants(p->log, LOG_DEBUG, LOGC_CMPCTBLOCK)) return;
    for (size_t i = 0; i < count; i++) bytes += fetched[i].size;
    block_hash_text(hash, &b->hash);
    log_debug(
        p->log, LOGC_CMPCTBLOCK,
        "Successfully reconstructed block %s with %zu txn prefilled, %zu txn from mempool (incl at least %zu from "
        "extra pool) and %zu txn (%zu bytes) requested",
        hash, counts->prefilled_count, counts->pool_count, counts->extra_count, count, bytes);
    for (size_t i = 0; count < 5 && i < count; i++)
        log_debug(p->log, LOGC_CMPCTBLOCK, "Reconstructed block %s required tx %s", hash,
                  txid_text(id, &fetched[i].txid));
}

/* Completes PARTIAL, which is empty afterwards. OK: *OUT is a block that belongs to its header. */
static enum partial_status fill(struct p2p *p, struct partial_block *partial, const struct tx *fetched, size_t count,
                                struct buffer *out)
{
    struct partial_block counts = *partial;
    struct block_header header = partial->header;
    enum partial_status status = partial_block_fill(partial, out, fetched, count);
    if (status != PARTIAL_OK) {
        buffer_clear(out);
        return status;
    }
    const struct block_node *prev = chain_find(p->chain, &header.prev);
    bool segwit = prev && buried_active(p->params, BURIED_SEGWIT, prev->header.height + 1);
    struct block *b = block_parse(buffer_span(out));
    if (!b || block_is_mutated(b, segwit)) {
        /* Two transactions with one short id, most likely. */
        status = PARTIAL_FAILED;
        buffer_clear(out);
    } else {
        log_reconstructed(p, b, &counts, fetched, count);
    }
    block_free(b);
    return status;
}

/* The block of COUNT fetched transactions and what we had: from a blocktxn, or with none missing. */
static void complete(struct p2p *p, struct peer *peer, const struct block_hash *of, const struct tx *fetched,
                     size_t count)
{
    struct block_hash hash = *of;
    struct in_flight *first = download_find(p, &hash), *ours = download_of_peer(p, peer, &hash);
    if (!ours || !ours->partial) {
        log_debug(p->log, LOGC_NET, "Peer %lld sent us block transactions for block we weren't expecting",
                  (long long)peer->id);
        return;
    }
    struct block_header header = ours->partial->header;
    if (header.bits == 0) {
        download_forget(p, &hash, peer);
        peer_misbehaves(p, peer, "previous compact block reconstruction attempt failed");
        log_debug(p->log, LOGC_NET, "Peer %lld sent compact block transactions multiple times", (long long)peer->id);
        return;
    }
    bool is_first = first->peer == peer;
    struct buffer raw = {0};
    enum partial_status status = fill(p, ours->partial, fetched, count, &raw);
    if (status == PARTIAL_INVALID) {
        download_forget(p, &hash, peer);
        peer_misbehaves(p, peer, "invalid compact block/non-matching block transactions");
    } else if (status == PARTIAL_FAILED && is_first) {
        /* The empty partial block stays: it keeps the same peer from sending another compact form. */
        ask_whole(p, peer, &hash);
    } else if (status == PARTIAL_FAILED) {
        download_forget(p, &hash, peer);
        log_debug(
            p->log, LOGC_NET,
            "Peer %lld sent us a compact block but it failed to reconstruct, waiting on first download to complete",
            (long long)peer->id);
    } else {
        download_forget(p, &hash, peer);
        blocks_hand_over(p, peer, &header, &raw, true, true, true);
    }
}

void compact_on_blocktxn(struct p2p *p, struct peer *peer, struct message *m)
{
    const struct blocktxn_message *t = &m->as.blocktxn;
    if (p->importing) {
        log_debug(p->log, LOGC_NET, "Unexpected blocktxn message received from peer %lld", (long long)peer->id);
        return;
    }
    complete(p, peer, &t->block, t->txs, t->count);
}

/* ---- a compact block ---- */

/* Asks for what is missing where this peer's answer is worth waiting for: always of the first one asked; of others only
 * in high bandwidth, and the last place is kept for an outbound peer. */
static void ask_missing(const struct incoming *in, const uint16_t *missing, size_t count)
{
    struct p2p *p = in->p;
    struct peer *peer = in->peer;
    const struct block_hash *hash = &in->node->header.hash;
    bool parallel = peer->compact.hb_to && (!peer_is_inbound(peer) || download_is_outbound(p, hash) ||
                                            in->in_flight < DOWNLOAD_COMPACT_PER_BLOCK - 1);
    if (!in->first && !parallel) {
        download_forget(p, hash, peer);
        return;
    }
    struct message m = {.type = MESSAGE_GETBLOCKTXN, .as.getblocktxn = {.block = *hash, .count = count}};
    m.as.getblocktxn.indexes = mem_dup(missing, count * sizeof(*missing));
    peer_send(p, peer, &m);
    free(m.as.getblocktxn.indexes);
}

static void reconstruct(const struct incoming *in)
{
    struct p2p *p = in->p;
    struct peer *peer = in->peer;
    const struct block_hash *hash = &in->node->header.hash;
    struct in_flight *f = in->ours;
    if (f && f->partial) {
        log_debug(p->log, LOGC_NET, "Peer sent us compact block we were already syncing!");
        return;
    }
    if (!f) f = download_note(p, peer, in->node, true);
    if (!f) return;
    if (!f->partial) f->partial = mem_calloc(1, sizeof(*f->partial));
    enum partial_status status = partial_block_init(f->partial, in->c);
    if (status == PARTIAL_INVALID) {
        download_forget(p, hash, peer);
        peer_misbehaves(p, peer, "invalid compact block");
        return;
    }
    if (status == PARTIAL_FAILED) {
        partial_block_clear(f->partial);
        if (in->first)
            ask_whole(p, peer, hash);
        else
            download_forget(p, hash, peer);
        return;
    }
    offer_candidates(p, f->partial);
    size_t missing;
    const uint16_t *list = partial_block_missing(f->partial, &missing);
    if (missing)
        ask_missing(in, list, missing);
    else
        complete(p, peer, hash, NULL, 0);
}

/* The block is awaited from enough others already: takes it only if nothing is missing. */
static void reconstruct_beside(const struct incoming *in)
{
    struct partial_block partial = {0};
    struct buffer raw = {0};
    if (partial_block_init(&partial, in->c) != PARTIAL_OK) {
        partial_block_clear(&partial);
        return;
    }
    offer_candidates(in->p, &partial);
    /* We are near the tip, and it has more work than ours: as good as asked for. */
    if (fill(in->p, &partial, NULL, 0, &raw) == PARTIAL_OK)
        blocks_hand_over(in->p, in->peer, &in->c->header, &raw, true, true, true);
    partial_block_clear(&partial);
}

/* A block from compact form was put together, is being judged, and needs no second copy. */
static bool is_being_judged(const struct p2p *p, const struct block_hash *hash)
{
    const struct block_source *source = hashmap_get(&p->blocks.sources, hash);
    return source && !source->punish;
}

static void find_requests(struct incoming *in)
{
    struct in_flight *first = download_find(in->p, &in->node->header.hash);
    in->first = !first || first->peer == in->peer;
    for (const struct in_flight *f = first; f; f = f->next_same) in->in_flight++;
    in->ours = download_of_peer(in->p, in->peer, &in->node->header.hash);
}

/* What to do with a compact block whose header is accepted. */
static void judge(struct incoming *in)
{
    struct p2p *p = in->p;
    struct peer *peer = in->peer;
    struct block_node *n = in->node;
    const struct block_node *tip = chain_tip(p->chain);
    char text[PEER_LOG];
    find_requests(in);
    if (!in->ours && !peer->compact.hb_to) {
        log_debug(p->log, LOGC_CMPCTBLOCK, "%s, not marked as high-bandwidth, sent us an unsolicited compact block!",
                  peer_log(text, p, peer));
        return;
    }
    if (u256_cmp(n->header.chainwork, tip->header.chainwork) <= 0 || n->tx_count != 0) {
        /* Not the next block: what we hold will not help with it. */
        if (in->ours) ask_whole(p, peer, &n->header.hash);
        return;
    }
    if (!in->in_flight && !download_can_fetch_directly(p)) return;
    if (n->header.height > tip->header.height + 2) {
        if (in->ours)
            ask_whole(p, peer, &n->header.hash);
        else
            headers_process(p, peer, &in->c->header, 1, true);
        return;
    }
    bool room = in->in_flight < DOWNLOAD_COMPACT_PER_BLOCK && peer->download.count < DOWNLOAD_PER_PEER;
    if (in->ours || room)
        reconstruct(in);
    else
        reconstruct_beside(in);
}

/* NULL where the message is to be ignored. */
static struct block_node *accept_header(struct p2p *p, struct peer *peer, const struct block_header *h)
{
    const struct block_node *prev = chain_find(p->chain, &h->prev);
    if (!prev) {
        if (!chain_is_initial_download(p->chain, p2p_now_s(p))) (void)headers_ask(p, peer, p->chain->tree.best_header);
        return NULL;
    }
    struct u256 work = u256_add(prev->header.chainwork, pow_work(h->bits));
    if (u256_cmp(work, headers_work_threshold(p)) < 0) {
        log_debug(p->log, LOGC_NET, "Ignoring low-work compact block from peer %lld", (long long)peer->id);
        return NULL;
    }
    struct block_hash hash;
    block_header_hash(&hash, h);
    bool is_new = !chain_find(p->chain, &hash);
    struct block_node *n = NULL;
    struct verdict v = {0};
    if (!chain_accept_header(p->chain, h, p2p_now_s(p), false, &n, &v)) {
        (void)blocks_punish(p, peer, &v, true, "invalid header via cmpctblock");
        return NULL;
    }
    if (is_new) headers_log_new(p, peer, n, true);
    headers_note_available(p, peer, &hash);
    if (is_new && u256_cmp(n->header.chainwork, chain_tip(p->chain)->header.chainwork) > 0)
        peer->chain_sync.last_announcement_s = p2p_now_s(p);
    return n;
}

void compact_on_cmpctblock(struct p2p *p, struct peer *peer, struct message *m)
{
    struct incoming in = {.p = p, .peer = peer, .c = &m->as.cmpctblock};
    char text[PEER_LOG];
    const char *why = NULL;
    if (p->importing)
        why = "even though we are still loading blocks!";
    else if (p->options.blocks_only)
        why = "even though we are blocksonly!";
    else if (!peer->compact.provides)
        why = "despite never having sent us a SENDCMPCT!";
    if (why) {
        log_debug(p->log, LOGC_CMPCTBLOCK, "%s sent us a compact block %s", peer_log(text, p, peer), why);
        return;
    }
    in.node = accept_header(p, peer, &in.c->header);
    if (!in.node || (in.node->status & BLOCK_HAVE_DATA)) return;
    if (!is_being_judged(p, &in.node->header.hash)) judge(&in);
}
