/* Compact blocks with peers: who speaks them, who sends them to us at once, and transactions kept for putting blocks
 * together. */
#include "p2p/compact.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "p2p/internal.h"

void compact_on_sendcmpct(struct p2p *p, struct peer *peer, struct message *m)
{
    const struct sendcmpct_message *s = &m->as.sendcmpct;
    if (s->high_bandwidth > 1) {
        peer_misbehaves(p, peer, "invalid sendcmpct announce field");
        return;
    }
    if (s->version != CMPCTBLOCKS_VERSION) return;
    peer->compact.provides = true;
    peer->compact.hb_from = s->high_bandwidth;
}

static void send_sendcmpct(struct p2p *p, struct peer *peer, bool high_bandwidth)
{
    peer_send(p, peer,
              &(struct message){.type = MESSAGE_SENDCMPCT,
                                .as.sendcmpct = {.high_bandwidth = high_bandwidth, .version = CMPCTBLOCKS_VERSION}});
}

void compact_peer_open(struct p2p *p, struct peer *peer)
{
    if (peer_speaks(peer, PROTOCOL_SHORT_IDS)) send_sendcmpct(p, peer, false);
}

/* ---- high bandwidth ---- */

static void hb_remove(struct compact_state *s, size_t at)
{
    s->hb_count--;
    memmove(s->hb_peers + at, s->hb_peers + at + 1, (s->hb_count - at) * sizeof(*s->hb_peers));
}

void compact_peer_gone(struct p2p *p, struct peer *peer)
{
    struct compact_state *s = &p->compact;
    for (size_t i = 0; i < s->hb_count; i++) {
        if (s->hb_peers[i] != peer->id) continue;
        hb_remove(s, i);
        return;
    }
}

static bool hb_is_outbound(const struct p2p *p, peer_id id)
{
    const struct peer *peer = p2p_peer(p, id);
    return peer && !peer_is_inbound(peer);
}

/* Whom a new choice replaces: the oldest, but an inbound peer does not replace the only outbound one. */
static size_t hb_victim(const struct p2p *p, const struct peer *chosen)
{
    const struct compact_state *s = &p->compact;
    size_t outbound = 0;
    for (size_t i = 0; i < s->hb_count; i++) outbound += hb_is_outbound(p, s->hb_peers[i]);
    return peer_is_inbound(chosen) && outbound == 1 && hb_is_outbound(p, s->hb_peers[0]) ? 1 : 0;
}

void compact_reward(struct p2p *p, struct peer *peer)
{
    struct compact_state *s = &p->compact;
    /* Without transactions of our own a compact block would save nothing. */
    if (p->options.blocks_only || !peer->compact.provides || peer->disconnecting) return;
    for (size_t i = 0; i < s->hb_count; i++) {
        if (s->hb_peers[i] != peer->id) continue;
        hb_remove(s, i);
        s->hb_peers[s->hb_count++] = peer->id;
        return;
    }
    send_sendcmpct(p, peer, true);
    peer->compact.hb_to = true;
    if (s->hb_count == COMPACT_HB_PEERS) {
        size_t at = hb_victim(p, peer);
        struct peer *old = p2p_peer(p, s->hb_peers[at]);
        if (old) {
            send_sendcmpct(p, old, false);
            old->compact.hb_to = false;
        }
        hb_remove(s, at);
    }
    s->hb_peers[s->hb_count++] = peer->id;
}

/* ---- extra transactions ---- */

void compact_offer_extra(struct p2p *p, const struct wtxid *id, struct span raw)
{
    struct extra_pool *x = &p->compact.extra;
    size_t max = p->options.extra_txs;
    if (max == 0) return;
    if (!x->items) x->items = mem_calloc(max, sizeof(*x->items));
    struct partial_candidate *slot = &x->items[x->at];
    struct span copy = span_of(mem_dup(raw.data, raw.len), raw.len); /* RAW may be what the slot held */
    if (x->count == max) {
        x->bytes -= slot->raw.len;
        free((void *)(uintptr_t)slot->raw.data);
    } else {
        x->count++;
    }
    *slot = (struct partial_candidate){.wtxid = *id, .raw = copy};
    x->bytes += raw.len;
    x->at = (x->at + 1) % max;
}

size_t compact_memory(const struct p2p *p)
{
    const struct extra_pool *x = &p->compact.extra;
    return x->bytes + (x->items ? p->options.extra_txs * sizeof(*x->items) : 0);
}

size_t compact_peer_memory(const struct peer *peer)
{
    size_t bytes = 0;
    for (size_t i = 0; i < peer->download.count; i++) {
        const struct partial_block *partial = peer->download.items[i]->partial;
        if (partial) bytes += sizeof(*partial) + partial->arena.bytes;
    }
    return bytes;
}

void compact_clear(struct p2p *p)
{
    struct extra_pool *x = &p->compact.extra;
    for (size_t i = 0; i < x->count; i++) free((void *)(uintptr_t)x->items[i].raw.data);
    free(x->items);
    p->compact = (struct compact_state){0};
}
