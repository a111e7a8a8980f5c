/* Blocks in: a peer's bytes to the owner, who parses, checks and stores them, and what becomes of the peer then. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/pow.h"
#include "p2p/internal.h"
#include "primitives/compact_size.h"

void blocks_init(struct p2p *p)
{
    p->blocks = (struct blocks_in){0};
    hashmap_init(&p->blocks.sources, offsetof(struct block_source, hash), sizeof(struct block_hash),
                 random_u64(&p->random));
    hashmap_init(&p->blocks.pending, offsetof(struct block_pending, hash), sizeof(struct block_hash),
                 random_u64(&p->random));
}

static void free_items(struct hashmap *m)
{
    size_t at = 0;
    void *item;
    while ((item = hashmap_next(m, &at))) free(item);
    hashmap_clear(m);
}

void blocks_clear(struct p2p *p)
{
    struct blocks_in *b = &p->blocks;
    free_items(&b->sources);
    free_items(&b->pending);
    for (size_t i = 0; i < b->queue_count; i++) buffer_clear(&b->queue[(b->queue_first + i) % b->queue_cap].raw);
    free(b->queue);
    b->queue = NULL;
    b->queue_first = b->queue_count = b->queue_cap = 0;
}

/* ---- to the owner ---- */

bool blocks_pending(const struct p2p *p, const struct block_hash *hash)
{
    const struct block_pending *pending = hashmap_get(&p->blocks.pending, hash);
    return pending && pending->wanted;
}

bool blocks_has_room(const struct p2p *p, const struct peer *peer)
{
    const struct peer_blocks *b = &peer->blocks;
    if (!b->with_owner) return true;
    return b->with_owner < BLOCKS_AHEAD && b->bytes_with_owner < BLOCKS_AHEAD_BYTES &&
           p->blocks.pending_bytes < BLOCKS_AHEAD_TOTAL;
}

/* Where the block will be in the tree, as far as its parent tells, which may be on its way itself. What is false about
 * the parent comes to light before anything comes of the block. */
static void place(const struct p2p *p, const struct block_header *header, struct block_pending *out)
{
    const struct block_node *prev = chain_find(p->chain, &header->prev);
    const struct block_pending *waits = prev ? NULL : hashmap_get(&p->blocks.pending, &header->prev);
    out->placed = prev || (waits && waits->placed);
    if (!out->placed) return;
    out->height = (prev ? prev->header.height : waits->height) + 1;
    out->work = u256_add(prev ? prev->header.chainwork : waits->work, pow_work(header->bits));
}

/* What somebody sends unasked may be garbage below a good header, for which nobody is to blame: others are asked as if
 * it had not come, or the block could be kept from us for ever. */
static bool is_wanted(const struct p2p_block *block)
{
    return block->asked_sender || block->compact;
}

static void note_pending(struct p2p *p, struct peer *peer, const struct p2p_block *block,
                         const struct block_pending *at)
{
    struct block_pending *pending = hashmap_get(&p->blocks.pending, &block->hash);
    if (!pending) {
        pending = mem_dup(at, sizeof(*at));
        pending->hash = block->hash;
        hashmap_put(&p->blocks.pending, pending);
    }
    pending->count++;
    pending->wanted += is_wanted(block);
    p->blocks.pending_bytes += block->bytes;
    peer->blocks.with_owner++;
    peer->blocks.bytes_with_owner += block->bytes;
}

static void forget_pending(struct p2p *p, struct peer *peer, const struct p2p_block *block)
{
    struct block_pending *pending = hashmap_get(&p->blocks.pending, &block->hash);
    CHECK(pending && p->blocks.pending_bytes >= block->bytes);
    pending->wanted -= is_wanted(block);
    if (!--pending->count) free(hashmap_del(&p->blocks.pending, &block->hash));
    p->blocks.pending_bytes -= block->bytes;
    if (!peer) return;
    peer->blocks.with_owner--;
    peer->blocks.bytes_with_owner -= block->bytes;
}

static void push(struct blocks_in *b, const struct p2p_block *block)
{
    if (b->queue_count == b->queue_cap) {
        size_t cap = b->queue_cap ? 2 * b->queue_cap : 16;
        struct p2p_block *grown = mem_alloc(cap * sizeof(*grown));
        for (size_t i = 0; i < b->queue_count; i++) grown[i] = b->queue[(b->queue_first + i) % b->queue_cap];
        free(b->queue);
        b->queue = grown;
        b->queue_cap = cap;
        b->queue_first = 0;
    }
    b->queue[(b->queue_first + b->queue_count++) % b->queue_cap] = *block;
}

bool p2p_take_block(struct p2p *p, struct p2p_block *out)
{
    struct blocks_in *b = &p->blocks;
    if (!b->queue_count) return false;
    *out = b->queue[b->queue_first];
    b->queue[b->queue_first].raw = (struct buffer){0};
    b->queue_first = (b->queue_first + 1) % b->queue_cap;
    b->queue_count--;
    return true;
}

/* The first who gave it to us answers for it. */
static void note_source(struct p2p *p, const struct p2p_block *block)
{
    if (hashmap_get(&p->blocks.sources, &block->hash)) return;
    struct block_source *source = mem_calloc(1, sizeof(*source));
    *source = (struct block_source){.hash = block->hash, .from = block->from, .punish = !block->compact};
    hashmap_put(&p->blocks.sources, source);
}

static void forget_source(struct p2p *p, const struct p2p_block *block)
{
    const struct block_source *source = hashmap_get(&p->blocks.sources, &block->hash);
    if (source && source->from == block->from) free(hashmap_del(&p->blocks.sources, &block->hash));
}

/* Fills in what is common, and queues it. */
static void hand_over(struct p2p *p, struct peer *peer, const struct block_header *header, struct buffer *raw,
                      struct p2p_block *block)
{
    struct block_pending at = {0};
    place(p, header, &at);
    block->from = peer->id;
    block->raw = *raw;
    block->bytes = raw->len;
    block->parent_known = at.placed;
    block->check_witness = at.placed && at.height >= p->params->buried[BURIED_SEGWIT];
    if (at.placed && u256_cmp(at.work, headers_work_threshold(p)) >= 0) block->min_work_checked = true;
    *raw = (struct buffer){0};
    note_pending(p, peer, block, &at);
    note_source(p, block);
    push(&p->blocks, block);
}

void blocks_hand_over(struct p2p *p, struct peer *peer, const struct block_header *header, struct buffer *raw,
                      bool requested, bool min_work_checked, bool compact)
{
    struct p2p_block block = {.requested = requested, .min_work_checked = min_work_checked, .compact = compact};
    block_header_hash(&block.hash, header);
    hand_over(p, peer, header, raw, &block);
}

/* Takes the bytes of the message at hand where they can be moved, else copies them. */
static void take_raw(struct p2p *p, struct span raw, struct buffer *out)
{
    struct buffer *payload = &p->payload;
    *out = (struct buffer){0};
    if (payload->data == raw.data && payload->len == raw.len) {
        *out = *payload;
        *payload = (struct buffer){0};
    } else {
        buffer_put_span(out, raw);
    }
}

static void log_malformed(struct p2p *p, const struct peer *peer, size_t bytes, const char *why)
{
    log_debug(p->log, LOGC_NET, "ProcessMessages(block, %zu bytes): Exception '%s' caught, peer=%lld", bytes, why,
              (long long)peer->id);
}

void blocks_on_block(struct p2p *p, struct peer *peer, struct message *m)
{
    struct block_header header;
    struct p2p_block block = {0};
    struct buffer raw;
    char text[HASH_TEXT];
    struct reader r = reader_of(m->as.raw.raw);
    block_header_read(&header, &r);
    size_t left = r.failed ? 0 : reader_left(&r);
    (void)read_compact_size(&r); /* transactions */
    if (r.failed) {
        log_malformed(p, peer, m->as.raw.raw.len,
                      left >= 9 ? "non-canonical ReadCompactSize()" : "DataStream::read(): end of data");
        return;
    }
    block_header_hash(&block.hash, &header);
    log_debug(p->log, LOGC_NET, "received block %s peer=%lld", block_hash_text(text, &block.hash), (long long)peer->id);
    /* Asked of whomever: it is wanted even where it is no better than what we have. */
    block.requested = download_find(p, &block.hash);
    download_take_back(p, peer, &block);
    take_raw(p, m->as.raw.raw, &raw);
    hand_over(p, peer, &header, &raw, &block);
}

/* ---- outcomes ---- */

bool blocks_punish(struct p2p *p, struct peer *peer, const struct verdict *v, bool via_compact, const char *how)
{
    bool blame = false;
    switch (v->kind) {
    case VERDICT_CONSENSUS:
    case VERDICT_MUTATED:
    case VERDICT_MISSING_INPUTS:
        blame = !via_compact; /* compact blocks are passed on before they are checked (BIP152) */
        break;
    case VERDICT_CACHED_INVALID: blame = !via_compact && !peer_is_inbound(peer); break;
    case VERDICT_INVALID_HEADER:
    case VERDICT_INVALID_PREV:
    case VERDICT_MISSING_PREV: blame = true; break;
    case VERDICT_VALID:
    case VERDICT_TIME_FUTURE:
    case VERDICT_LOW_WORK:
    case VERDICT_PREMATURE:
    case VERDICT_NOT_STANDARD:
    case VERDICT_INPUTS_NOT_STANDARD:
    case VERDICT_WITNESS_MUTATED:
    case VERDICT_WITNESS_STRIPPED:
    case VERDICT_CONFLICT:
    case VERDICT_MEMPOOL_POLICY:
    case VERDICT_RECONSIDERABLE: break; /* of transactions alone: no block is judged for what we relay */
    }
    if (blame)
        peer_misbehaves(p, peer, "%s", how);
    else if (*how)
        log_debug(p->log, LOGC_NET, "peer=%lld: %s", (long long)peer->id, how);
    return blame;
}

void blocks_on_checked(struct p2p *p, const struct block_hash *hash, const struct verdict *v)
{
    struct block_source *source = hashmap_del(&p->blocks.sources, hash);
    if (!source) return;
    struct peer *peer = p2p_peer(p, source->from);
    if (peer && !verdict_ok(v))
        (void)blocks_punish(p, peer, v, !source->punish, "");
    else if (peer && !chain_is_initial_download(p->chain, p2p_now_s(p)) && download_only(p, hash))
        compact_reward(p, peer); /* probably the best block there is: nothing else is awaited */
    free(source);
}

/* The whole block where putting it together failed for nobody's fault. */
static void fetch_whole(struct p2p *p, struct peer *peer, const struct block_hash *hash)
{
    struct block_node *node = chain_find(p->chain, hash);
    if (!node || peer->disconnecting || node->status & BLOCK_HAVE_DATA || !download_note(p, peer, node, false)) return;
    struct inv item = {.type = INV_BLOCK | (download_serves_witness(peer) ? INV_WITNESS : 0)};
    memcpy(item.hash, hash->bytes, 32);
    peer_send_inv(p, peer, MESSAGE_GETDATA, &item, 1);
}

/* What the block says about PEER, who sent it. */
static void judge_sender(struct p2p *p, struct peer *peer, const struct p2p_block *block, enum block_outcome outcome,
                         const struct verdict *v)
{
    struct block_node *node = chain_find(p->chain, &block->hash);
    char text[300];
    switch (outcome) {
    case BLOCK_DONE_MALFORMED:
        log_malformed(p, peer, block->bytes, "DataStream::read(): end of data");
        /* As if it had not come: the request stands, and with it the time that they have for it. */
        if (node && !(node->status & BLOCK_HAVE_DATA)) download_restore(p, peer, node, block);
        break;
    case BLOCK_DONE_MUTATED:
        if (block->compact) {
            fetch_whole(p, peer, &block->hash);
        } else {
            if (v && !verdict_ok(v))
                log_debug(p->log, LOGC_VALIDATION, "Block mutated: %s", verdict_text(text, sizeof(text), v));
            log_debug(p->log, LOGC_NET, "Received mutated block from peer=%lld", (long long)peer->id);
            peer_misbehaves(p, peer, "mutated block");
        }
        break;
    case BLOCK_DONE_REFUSED:
        if (!v) break;
        log_debug(p->log, LOGC_VALIDATION, "AcceptBlock FAILED (%s)", verdict_text(text, sizeof(text), v));
        (void)blocks_punish(p, peer, v, block->compact, "");
        break;
    case BLOCK_DONE_NEW: peer->blocks.last_block_s = p2p_now_s(p); break;
    case BLOCK_DONE_KNOWN: break;
    }
}

void p2p_block_done(struct p2p *p, const struct p2p_block *block, enum block_outcome outcome, const struct verdict *v)
{
    struct peer *peer = p2p_peer(p, block->from);
    forget_pending(p, peer, block);
    if (outcome == BLOCK_DONE_NEW)
        download_forget(p, &block->hash, NULL); /* whoever else was asked: it is here */
    else
        forget_source(p, block);
    if (peer) judge_sender(p, peer, block, outcome, v);
}
