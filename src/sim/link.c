/* Links: byte streams between two hosts, with latency, bandwidth, a bounded number of bytes on their way, and every way
 * in which a connection can end or fail to. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "sim/internal.h"

enum { CONNECT_TIMEOUT_US = 5000000, QUANTUM_US = 500 };

bool sim_blocked(const struct sim *s, uint32_t from, uint32_t to)
{
    unsigned a = s->hosts[from]->side, b = s->hosts[to]->side;
    for (unsigned i = 0; i < SIM_PARTITIONS; i++) {
        const struct sim_partition *p = &s->partitions[i];
        unsigned x = a >> i & 1, y = b >> i & 1;
        if (p->active && x != y && (!p->one_way || x)) return true;
    }
    return false;
}

/* ---- life ---- */

static struct sim_link *link_new(struct sim *s)
{
    uint32_t index;
    if (s->free_count) {
        index = s->free_links[--s->free_count];
    } else {
        s->links = mem_grow(s->links, &s->link_cap, s->link_count + 1, sizeof(struct sim_link *));
        index = (uint32_t)s->link_count++;
        s->links[index] = mem_calloc(1, sizeof(struct sim_link));
    }
    struct sim_link *l = s->links[index];
    uint64_t generation = l->generation + 1;
    const struct sim_swarm *w = &s->swarm;
    *l = (struct sim_link){.index = index, .generation = generation, .used = true};
    l->latency_us = sim_between(s, w->latency_us / 10, w->latency_us);
    l->jitter_us = w->jitter_us;
    l->bandwidth = (uint64_t)sim_between(s, (int64_t)w->bandwidth / 10, (int64_t)w->bandwidth);
    l->window = w->window;
    l->cut = w->cut;
    l->side[0].peer = l->side[1].peer = P2P_NO_PEER;
    return l;
}

static void pipe_clear(struct sim_pipe *p)
{
    buffer_clear(&p->bytes);
    free(p->chunks);
    *p = (struct sim_pipe){0};
}

static void side_clear(struct sim_side *side)
{
    for (size_t i = 0; i < side->count; i++) buffer_clear(&side->queue[(side->first + i) % side->cap].payload);
    free(side->queue);
    buffer_clear(&side->raw);
    buffer_clear(&side->held.payload);
    transport_free(side->codec);
    side->codec = NULL;
    side->queue = NULL;
    side->first = side->count = side->cap = side->queued = side->raw_at = 0;
    side->has_held = side->full = false;
}

void sim_link_free(struct sim_link *link)
{
    for (int i = 0; i < 2; i++) {
        side_clear(&link->side[i]);
        pipe_clear(&link->side[i].out);
        CHECK(!link->side[i].actor);
    }
}

/* Both ends are gone: not used again before the event is over. */
static void link_retire(struct sim *s, struct sim_link *link)
{
    if (!link->used || link->side[0].open || link->side[1].open) return;
    link->used = false;
    s->closing = mem_grow(s->closing, &s->closing_cap, s->closing_count + 1, sizeof(*s->closing));
    s->closing[s->closing_count++] = link->index;
}

void sim_links_reap(struct sim *s)
{
    for (size_t i = 0; i < s->closing_count; i++) {
        sim_link_free(s->links[s->closing[i]]);
        s->free_links = mem_grow(s->free_links, &s->free_cap, s->free_count + 1, sizeof(*s->free_links));
        s->free_links[s->free_count++] = s->closing[i];
    }
    s->closing_count = 0;
}

size_t sim_side_memory(const struct sim_side *side)
{
    return side->queued + side->raw.cap + side->held.payload.cap + side->out.bytes.cap +
           (side->codec ? transport_receive_memory(side->codec) + transport_send_memory(side->codec) : 0);
}

/* ---- sending ---- */

static size_t pipe_used(const struct sim_pipe *p)
{
    return p->bytes.len - p->start + p->uncredited;
}

static void schedule_pipe(struct sim *s, struct sim_link *link, unsigned direction)
{
    struct sim_pipe *p = &link->side[direction].out;
    if (p->scheduled || (!p->count && !p->ended)) return;
    int64_t at = p->count ? p->chunks[p->first].arrive_us : p->last_arrive_us;
    p->scheduled = true;
    sim_at(s, at > s->now_us ? at : s->now_us, EV_PIPE, link->index, direction, link->generation);
}

static int64_t next_arrival(struct sim *s, struct sim_link *link, struct sim_pipe *p, size_t len)
{
    int64_t start = p->busy_until_us > s->now_us ? p->busy_until_us : s->now_us;
    p->busy_until_us = start + (int64_t)(len * 1000000 / (link->bandwidth ? link->bandwidth : 1));
    /* What leaves at one instant is delayed alike. */
    bool first = p->last_put_us != s->now_us;
    int64_t jitter = link->jitter_us && first ? sim_between(s, 0, link->jitter_us) : 0;
    p->last_put_us = s->now_us;
    int64_t at = p->busy_until_us + link->latency_us + jitter;
    if (at < p->last_arrive_us) at = p->last_arrive_us;
    p->last_arrive_us = at;
    return at;
}

static void pipe_put(struct sim *s, struct sim_link *link, unsigned direction, struct span data)
{
    struct sim_pipe *p = &link->side[direction].out;
    if (p->start && p->start == p->bytes.len) p->start = p->bytes.len = 0;
    buffer_put_span(&p->bytes, data);
    if (p->count == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 4;
        struct sim_chunk *chunks = mem_calloc(cap, sizeof(*chunks));
        for (size_t i = 0; i < p->count; i++) chunks[i] = p->chunks[(p->first + i) % p->cap];
        free(p->chunks);
        p->chunks = chunks;
        p->cap = cap;
        p->first = 0;
    }
    int64_t at = next_arrival(s, link, p, data.len);
    p->chunks[(p->first + p->count++) % p->cap] = (struct sim_chunk){.arrive_us = at, .len = data.len};
    schedule_pipe(s, link, direction);
}

/* The next bytes that this end has for the stream; empty where it has none. */
static struct to_send next_bytes(struct sim_side *side)
{
    for (;;) {
        struct to_send out = transport_to_send(side->codec, side->count > 0);
        if (out.bytes.len) return out;
        if (side->raw_at < side->raw.len)
            return (struct to_send){.bytes = span_from(buffer_span(&side->raw), side->raw_at), .name = ""};
        if (!side->count) return (struct to_send){.name = ""};
        struct sim_queued *q = &side->queue[side->first];
        side->first = (side->first + 1) % side->cap;
        side->count--;
        side->queued -= q->payload.len;
        if (q->raw) {
            buffer_clear(&side->raw);
            side->raw = q->payload;
            side->raw_at = 0;
        } else {
            bool set = transport_set(side->codec, q->name, &q->payload);
            CHECK(set);
        }
        *q = (struct sim_queued){0};
    }
}

/* Tells the node what its queue is like. */
static void note_sent(struct sim *s, struct sim_side *side, const char *name, size_t bytes)
{
    const struct sim_host *h = s->hosts[side->host];
    if (h->node < 0 || side->peer == P2P_NO_PEER) return;
    struct sim_node *n = s->nodes[h->node];
    sim_node_set_clock(n);
    p2p_sent(n->node->p2p, side->peer, name, bytes, side->queued);
    bool full = side->queued > s->swarm.send_buffer;
    if (full == side->full) return;
    side->full = full;
    p2p_send_full(n->node->p2p, side->peer, full);
    if (!full) sim_at(s, s->now_us, EV_TICK, n->index, n->boot, 1);
}

/* Puts into the pipe what fits. */
static void flush(struct sim *s, struct sim_link *link, unsigned side_index)
{
    struct sim_side *side = &link->side[side_index];
    while (side->open && side->codec && !link->dead) {
        size_t used = pipe_used(&side->out), room = used < link->window ? link->window - used : 0;
        if (!room) return;
        struct to_send next = next_bytes(side);
        if (!next.bytes.len) return;
        size_t len = next.bytes.len < room ? next.bytes.len : room;
        if (link->cut && len > 1) {
            size_t cut = 1 + (size_t)random_below(&s->random, link->cut);
            if (cut < len) len = cut;
        }
        char name[MESSAGE_NAME] = {0};
        memcpy(name, next.name, strlen(next.name));
        pipe_put(s, link, side_index, span_of(next.bytes.data, len));
        if (side->raw_at < side->raw.len && next.bytes.data == side->raw.data + side->raw_at)
            side->raw_at += len;
        else
            transport_mark_sent(side->codec, len);
        note_sent(s, side, name, len);
    }
}

void sim_send(struct sim *s, struct sim_link *link, unsigned side_index, const char *name, struct buffer *payload)
{
    struct sim_side *side = &link->side[side_index];
    if (!side->open) {
        buffer_clear(payload);
        return;
    }
    if (side->count == side->cap) {
        size_t cap = side->cap ? side->cap * 2 : 8;
        struct sim_queued *queue = mem_calloc(cap, sizeof(*queue));
        for (size_t i = 0; i < side->count; i++) queue[i] = side->queue[(side->first + i) % side->cap];
        free(side->queue);
        side->queue = queue;
        side->cap = cap;
        side->first = 0;
    }
    struct sim_queued *q = &side->queue[(side->first + side->count++) % side->cap];
    *q = (struct sim_queued){.payload = *payload, .raw = !name};
    if (name) memcpy(q->name, name, strlen(name));
    *payload = (struct buffer){0};
    side->queued += q->payload.len;
    s->report->messages++;
    sim_trace_text(s, "send", (uint64_t)link->index << 1 | side_index, name ? name : "(raw)",
                   hash_bytes(q->payload.len, q->payload.data, q->payload.len));
    flush(s, link, side_index);
    const struct sim_side *other = &link->side[1 - side_index];
    bool path = !sim_blocked(s, side->host, other->host) && !sim_blocked(s, other->host, side->host);
    /* A machine that is up and knows nothing of the connection says so. */
    if (link->dead && !other->open && path && s->hosts[other->host]->up)
        sim_at(s, s->now_us + 2 * link->latency_us, EV_RESET, link->index, 0, link->generation);
    if (side->open && side->queued) note_sent(s, side, "", 0);
}

/* ---- ends ---- */

static void dial_fails(struct sim *s, struct sim_host *from, uint64_t dial, uint32_t boot, int64_t after_us)
{
    if (from->node >= 0 && dial) sim_at(s, s->now_us + after_us, EV_DIAL_FAILED, (uint32_t)from->node, boot, dial);
}

/* Nobody answered yet, and nobody will: the dialler is told after a while. */
static void dial_ends(struct sim *s, struct sim_link *link, int64_t after_us)
{
    struct sim_host *from = s->hosts[link->side[0].host];
    link->side[0].open = false;
    if (from->actor >= 0 && s->actors[from->actor].connected) s->actors[from->actor].connected--;
    dial_fails(s, from, link->dial, link->boot, after_us);
    link_retire(s, link);
}

/* This end has no connection any more. */
static void side_end(struct sim *s, struct sim_link *link, unsigned side_index)
{
    struct sim_side *side = &link->side[side_index];
    side->open = false;
    side->peer = P2P_NO_PEER;
    if (side->actor) sim_actor_closed(s, link, side_index);
}

/* The other end hears of it: its owner is told, too. */
static void side_lost(struct sim *s, struct sim_link *link, unsigned side_index)
{
    struct sim_side *side = &link->side[side_index];
    if (!side->open) return;
    if (!side->codec) {
        dial_ends(s, link, link->latency_us);
        return;
    }
    peer_id peer = side->peer;
    int32_t node = s->hosts[side->host]->node;
    sim_trace(s, "lost", link->index, side_index, 0);
    side_end(s, link, side_index);
    if (node >= 0 && peer != P2P_NO_PEER) sim_node_gone(s->nodes[node], peer);
    link_retire(s, link);
}

void sim_close(struct sim *s, struct sim_link *link, unsigned side_index, bool reset)
{
    struct sim_side *side = &link->side[side_index];
    if (!side->open) return;
    sim_trace(s, reset ? "reset" : "close", link->index, side_index, 0);
    side_end(s, link, side_index);
    struct sim_side *other = &link->side[1 - side_index];
    if (other->open && !link->dead) {
        struct sim_pipe *p = &side->out;
        if (reset) {
            p->count = 0;
            p->bytes.len = p->start + p->arrived;
        }
        if (p->last_arrive_us < s->now_us + link->latency_us) p->last_arrive_us = s->now_us + link->latency_us;
        p->ended = true;
        schedule_pipe(s, link, side_index);
    }
    link_retire(s, link);
}

void sim_link_break(struct sim *s, struct sim_link *link)
{
    if (!link->used) return;
    sim_trace(s, "break", link->index, 0, 0);
    side_lost(s, link, 0);
    if (link->used) side_lost(s, link, 1);
}

/* ---- receiving ---- */

static void pipe_eat(struct sim *s, struct sim_link *link, unsigned direction, size_t len)
{
    struct sim_pipe *p = &link->side[direction].out;
    p->start += len;
    p->arrived -= len;
    if (p->start == p->bytes.len) {
        p->start = p->bytes.len = 0;
        if (p->bytes.cap > 4096) buffer_clear(&p->bytes);
    } else if (p->start > 65536) {
        memmove(p->bytes.data, p->bytes.data + p->start, p->bytes.len - p->start);
        p->bytes.len -= p->start;
        p->start = 0;
    }
    /* The sender learns of it by what comes back. */
    if (sim_blocked(s, link->side[1 - direction].host, link->side[direction].host))
        p->uncredited += len;
    else
        p->uncredited = 0;
}

static bool read_some(struct sim *s, struct sim_link *link, unsigned side_index)
{
    struct sim_side *side = &link->side[side_index];
    struct sim_pipe *p = &link->side[1 - side_index].out;
    size_t len = p->arrived;
    if (side->actor) {
        size_t appetite = sim_actor_appetite(s, link, side_index);
        if (len > appetite) len = appetite;
    }
    if (!len) return false;
    if (link->cut && len > 1) {
        size_t cut = 1 + (size_t)random_below(&s->random, (uint64_t)link->cut * 4);
        if (cut < len) len = cut;
    }
    struct span piece = span_of(p->bytes.data + p->start, len);
    bool good = transport_receive(side->codec, &piece);
    pipe_eat(s, link, 1 - side_index, len - piece.len);
    if (!good) {
        sim_trace(s, "unreadable", link->index, side_index, 0);
        peer_id peer = side->peer;
        int32_t node = s->hosts[side->host]->node;
        sim_close(s, link, side_index, false);
        if (node >= 0 && peer != P2P_NO_PEER) sim_node_gone(s->nodes[node], peer);
        return false;
    }
    if (!transport_is_complete(side->codec)) return true;
    transport_take(side->codec, &side->held);
    side->has_held = true;
    if (side->actor) {
        side->has_held = false;
        sim_actor_received(s, link, side_index, &side->held);
        buffer_clear(&side->held.payload);
    } else {
        sim_node_hand_in(s->nodes[s->hosts[side->host]->node], link, side_index);
    }
    return true;
}

void sim_read(struct sim *s, struct sim_link *link, unsigned side_index)
{
    struct sim_side *side = &link->side[side_index];
    struct sim_pipe *p = &link->side[1 - side_index].out;
    if (!side->codec) return;
    while (side->open && !side->has_held && p->arrived)
        if (!read_some(s, link, side_index)) break;
    if (link->used && !link->dead) flush(s, link, 1 - side_index);
    if (side->open && p->ended && !p->count && !p->arrived && !side->has_held && s->now_us >= p->last_arrive_us)
        side_lost(s, link, side_index);
}

static void pipe_arrives(struct sim *s, struct sim_link *link, unsigned direction)
{
    struct sim_pipe *p = &link->side[direction].out;
    unsigned to = 1 - direction;
    p->scheduled = false;
    if (link->dead || sim_blocked(s, link->side[direction].host, link->side[to].host)) return;
    while (p->count && p->chunks[p->first].arrive_us <= s->now_us + QUANTUM_US) {
        p->arrived += p->chunks[p->first].len;
        p->first = (p->first + 1) % p->cap;
        p->count--;
    }
    if (!link->side[to].open) {
        p->arrived = p->count = 0;
        return;
    }
    if (p->count) schedule_pipe(s, link, direction);
    sim_read(s, link, to);
}

void sim_links_resume(struct sim *s)
{
    for (size_t i = 0; i < s->link_count; i++) {
        struct sim_link *l = s->links[i];
        for (unsigned d = 0; d < 2 && l->used && !l->dead; d++) {
            l->side[d].out.uncredited = 0;
            flush(s, l, d);
            if (!l->used) break;
            struct sim_pipe *p = &l->side[d].out;
            if (p->scheduled || (!p->count && !p->ended)) continue;
            p->scheduled = true;
            int64_t at = p->count ? p->chunks[p->first].arrive_us : p->last_arrive_us;
            sim_at(s, at > s->now_us ? at : s->now_us + l->latency_us, EV_PIPE, l->index, d, l->generation);
        }
    }
}

/* ---- connecting ---- */

void sim_dial(struct sim *s, uint32_t host, const struct endpoint *to, uint64_t dial, uint32_t boot)
{
    struct sim_host *from = s->hosts[host], *target = sim_find_host(s, to);
    sim_trace(s, "dial", host, target ? target->index : UINT32_MAX, dial);
    if (!target) {
        dial_fails(s, from, dial, boot, CONNECT_TIMEOUT_US);
        return;
    }
    struct sim_link *l = link_new(s);
    l->side[0].host = host;
    l->side[1].host = target->index;
    if (s->latency_us) l->latency_us = s->latency_us(s, host, target->index);
    l->side[0].open = true; /* as far as the dialler's system is concerned */
    l->dial = dial;
    l->boot = boot;
    sim_at(s, s->now_us + l->latency_us, EV_CONNECT, l->index, 0, l->generation);
}

/* The acceptor's end. */
static void connect_arrives(struct sim *s, struct sim_link *link)
{
    struct sim_side *side = &link->side[1];
    struct sim_host *to = s->hosts[side->host], *from = s->hosts[link->side[0].host];
    bool path = !sim_blocked(s, from->index, to->index) && !sim_blocked(s, to->index, from->index);
    if (!path || !to->up || !to->listening) {
        dial_ends(s, link, path && sim_chance(s, 500) ? link->latency_us : CONNECT_TIMEOUT_US);
        return;
    }
    side->codec = transport_v1_new(s->params.magic);
    side->open = true;
    sim_at(s, s->now_us + link->latency_us, EV_CONNECTED, link->index, 0, link->generation);
    if (to->actor >= 0)
        sim_actor_open(s, link, 1);
    else if (!sim_node_accept(s->nodes[to->node], link, 1) && side->open)
        sim_close(s, link, 1, false);
}

/* The answer at the dialler's end, whose machine may have died meanwhile. */
static void connect_answered(struct sim *s, struct sim_link *link)
{
    struct sim_side *side = &link->side[0];
    struct sim_host *from = s->hosts[side->host];
    if (!side->open || !from->up || (from->node >= 0 && s->nodes[from->node]->boot != link->boot)) {
        side->open = true; /* so that it can be closed */
        sim_close(s, link, 0, true);
        return;
    }
    side->codec = transport_v1_new(s->params.magic);
    if (from->actor >= 0)
        sim_actor_open(s, link, 0);
    else if (!sim_node_accept(s->nodes[from->node], link, 0) && side->open)
        sim_close(s, link, 0, false);
    if (link->used && side->open) sim_read(s, link, 0);
}

void sim_link_on_event(struct sim *s, const struct sim_event *e)
{
    struct sim_link *link = sim_link_of(s, e->a, e->c);
    if (!link) return;
    switch (e->kind) {
    case EV_CONNECT: connect_arrives(s, link); break;
    case EV_CONNECTED: connect_answered(s, link); break;
    case EV_PIPE: pipe_arrives(s, link, e->b); break;
    default: sim_link_break(s, link); break;
    }
}
