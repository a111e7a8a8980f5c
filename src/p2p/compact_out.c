/* Compact blocks out: the short form of a block, and the transactions of it that somebody lacks. */
#include "p2p/compact.h"
#include "p2p/internal.h"

void compact_write(struct p2p *p, struct buffer *out, const struct block *b)
{
    struct arena arena = {0};
    struct compact_block c;
    compact_block_make(&c, b, random_u64(&p->random), &arena);
    compact_block_write(out, &c);
    arena_clear(&arena);
}

static void send_txs(struct p2p *p, struct peer *peer, const struct block *b, const struct getblocktxn_message *want)
{
    struct arena arena = {0};
    struct message answer = {.type = MESSAGE_BLOCKTXN};
    struct blocktxn_message *t = &answer.as.blocktxn;
    char text[PEER_LOG], hash[HASH_TEXT];
    size_t bytes = 0;
    t->block = want->block;
    t->count = want->count;
    t->txs = arena_alloc_array(&arena, want->count, sizeof(*t->txs));
    for (size_t i = 0; i < want->count; i++) {
        if (want->indexes[i] >= b->tx_count) {
            peer_misbehaves(p, peer, "getblocktxn with out-of-bounds tx indices");
            arena_clear(&arena);
            return;
        }
        t->txs[i] = b->txs[want->indexes[i]];
        bytes += t->txs[i].size;
    }
    log_debug(p->log, LOGC_CMPCTBLOCK,
              "%s sent us a GETBLOCKTXN for block %s, sending a BLOCKTXN with %zu txns. (%zu bytes)",
              peer_log(text, p, peer), block_hash_text(hash, &want->block), t->count, bytes);
    peer_send(p, peer, &answer);
    arena_clear(&arena);
}

/* Whoever asks for transactions of an old block gets all of it: to make us read it costs them its transfer. */
static void serve_whole(struct p2p *p, struct peer *peer, const struct block_hash *hash)
{
    struct inv inv = {.type = INV_WITNESS_BLOCK};
    log_debug(p->log, LOGC_NET, "Peer %lld sent us a getblocktxn for a block > %d deep", (long long)peer->id,
              COMPACT_TXN_DEPTH);
    memcpy(inv.hash, hash->bytes, sizeof(inv.hash));
    serve_request(peer, &inv);
}

void compact_on_getblocktxn(struct p2p *p, struct peer *peer, struct message *m)
{
    const struct getblocktxn_message *want = &m->as.getblocktxn;
    char text[PEER_LOG];
    if (want->count == 0) {
        log_debug(p->log, LOGC_NET, "getblocktxn received with no transaction indexes, %s",
                  peer_log_disconnect(text, p, peer));
        peer_disconnect(p, peer);
        return;
    }
    const struct block *recent = announce_recent_block(p, &want->block);
    if (recent) {
        send_txs(p, peer, recent, want);
        return;
    }
    const struct block_node *n = chain_find(p->chain, &want->block);
    if (!n || !(n->status & BLOCK_HAVE_DATA)) {
        log_debug(p->log, LOGC_NET, "Peer %lld sent us a getblocktxn for a block we don't have", (long long)peer->id);
        return;
    }
    if (n->header.height < chain_height(p->chain) - COMPACT_TXN_DEPTH) {
        serve_whole(p, peer, &want->block);
        return;
    }
    struct block *b;
    struct error e;
    if (chain_read_block(p->chain, n, &b, &e) != RESULT_OK) {
        log_error(p->log, "Cannot load block from disk, %s", peer_log_disconnect(text, p, peer));
        peer_disconnect(p, peer);
        return;
    }
    send_txs(p, peer, b, want);
    block_free(b);
}
