/* What the owner is to do: a ring of actions, and the sending of messages. */
#include <stdio.h>

#include "p2p/internal.h"

struct p2p_action *p2p_add_action(struct p2p *p, enum p2p_action_kind kind)
{
    if (p->action_count == p->action_cap) {
        size_t cap = p->action_cap ? 2 * p->action_cap : 16;
        struct p2p_action *actions = mem_calloc(cap, sizeof(*actions));
        for (size_t i = 0; i < p->action_count; i++) actions[i] = p->actions[(p->action_first + i) % p->action_cap];
        free(p->actions);
        p->actions = actions;
        p->action_first = 0;
        p->action_cap = cap;
    }
    struct p2p_action *a = &p->actions[(p->action_first + p->action_count++) % p->action_cap];
    *a = (struct p2p_action){.kind = kind, .peer = P2P_NO_PEER};
    return a;
}

bool p2p_take_action(struct p2p *p, struct p2p_action *out)
{
    if (p->action_count == 0) return false;
    *out = p->actions[p->action_first];
    p->actions[p->action_first].payload = (struct buffer){0};
    p->action_first = (p->action_first + 1) % p->action_cap;
    p->action_count--;
    return true;
}

void actions_clear(struct p2p *p)
{
    struct p2p_action a;
    while (p2p_take_action(p, &a)) buffer_clear(&a.payload);
    free(p->actions);
    p->actions = NULL;
    p->action_cap = 0;
}

/* ---- messages ---- */

/* Takes PAYLOAD. */
static void send_named(struct p2p *p, struct peer *peer, const char *name, struct buffer *payload)
{
    if (peer->disconnecting) {
        buffer_clear(payload);
        return;
    }
    log_debug(p->log, LOGC_NET, "sending %s (%zu bytes) peer=%lld", name, payload->len, (long long)peer->id);
    struct p2p_action *a = p2p_add_action(p, P2P_SEND);
    a->peer = peer->id;
    snprintf(a->name, sizeof(a->name), "%s", name);
    a->payload = *payload;
    peer->queued += payload->len;
    *payload = (struct buffer){0};
}

void peer_send_payload(struct p2p *p, struct peer *peer, enum message_type type, struct buffer *payload)
{
    send_named(p, peer, message_row(type)->name, payload);
}

void peer_send(struct p2p *p, struct peer *peer, const struct message *m)
{
    struct buffer payload = {0};
    message_write(&payload, m);
    peer_send_payload(p, peer, m->type, &payload);
}

void peer_send_empty(struct p2p *p, struct peer *peer, enum message_type type)
{
    struct buffer payload = {0};
    peer_send_payload(p, peer, type, &payload);
}

void peer_send_raw(struct p2p *p, struct peer *peer, const char *name, struct span bytes)
{
    struct buffer payload = {0};
    buffer_put_span(&payload, bytes);
    send_named(p, peer, name, &payload);
}

void peer_send_inv(struct p2p *p, struct peer *peer, enum message_type type, const struct inv *items, size_t count)
{
    struct message m = {.type = type, .as.inv = {.items = (struct inv *)items, .count = count}};
    peer_send(p, peer, &m);
}

bool p2p_send_raw(struct p2p *p, peer_id id, const char *name, struct span payload)
{
    struct peer *peer = p2p_peer(p, id);
    if (!peer || peer->disconnecting) return false;
    peer_send_raw(p, peer, name, payload);
    return true;
}

void peer_disconnect(struct p2p *p, struct peer *peer)
{
    if (peer->disconnecting) return;
    peer->disconnecting = true;
    p2p_add_action(p, P2P_DISCONNECT)->peer = peer->id;
}

/* ---- what went out ---- */

void p2p_sent(struct p2p *p, peer_id id, const char *name, size_t bytes, size_t queued)
{
    struct peer *peer = p2p_peer(p, id);
    p->bytes_sent += bytes;
    serve_note_sent(p, bytes);
    if (!peer) return;
    if (bytes) peer->last_send_us = p->wall_us;
    peer->bytes_sent += bytes;
    if (name[0]) peer->sent_by_type[message_type_of(name)] += bytes;
    peer->queued = queued;
}

void p2p_send_full(struct p2p *p, peer_id id, bool full)
{
    struct peer *peer = p2p_peer(p, id);
    if (peer) peer->send_full = full;
}
