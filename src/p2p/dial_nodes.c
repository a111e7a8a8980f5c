/* Connections that users ask for: the list of added nodes (-addnode, addnode add), each dialled again while it is not
 * connected, at most eight at a time; and single attempts. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "p2p/dial_plan.h"

enum { ADDED_LOOKED_AT = 24 }; /* with as many added nodes as this the automatic choice does not avoid them any more */

#define RETRY_US INT64_C(60000000) /* after a round in which somebody was dialled */
#define LOOK_US  INT64_C(2000000)  /* after one in which nobody was */

void dial_added_begin(struct p2p *p)
{
    p->dial->added.wake_us = p->steady_us;
}

void dial_added_clear(struct dial_added *a)
{
    for (size_t i = 0; i < a->count; i++) free(a->items[i].node);
    free(a->items);
    for (size_t i = 0; i < P2P_MAX_ADDNODE; i++) free(a->slots[i]);
    *a = (struct dial_added){0};
}

/* ---- slots ---- */

static bool manual_peer_named(const struct p2p *p, const char *name)
{
    for (size_t i = 0; i < p->peer_count; i++)
        if (p->peers[i]->type == CONN_MANUAL && strcmp(p->peers[i]->name, name) == 0) return true;
    return false;
}

/* A free one, after those were freed whose peer is gone; NULL where there is none. */
static char **free_slot(struct p2p *p)
{
    struct dial_added *a = &p->dial->added;
    char **out = NULL;
    for (size_t i = 0; i < P2P_MAX_ADDNODE; i++) {
        if (a->slots[i] && !manual_peer_named(p, a->slots[i])) {
            free(a->slots[i]);
            a->slots[i] = NULL;
        }
        if (!a->slots[i]) out = &a->slots[i];
    }
    return out;
}

/* ---- the machine ---- */

/* The peer that is the connection of this added node, or NULL. */
static const struct peer *peer_of(const struct p2p *p, const struct added *node)
{
    bool by_address = netaddr_is_valid(&node->at.addr);
    for (size_t i = 0; i < p->peer_count; i++) {
        const struct peer *peer = p->peers[i];
        if (by_address ? endpoint_equal(&peer->remote, &node->at) : strcmp(peer->name, node->node) == 0) return peer;
    }
    return NULL;
}

static struct added *next_untried(struct p2p *p)
{
    struct dial_added *a = &p->dial->added;
    for (size_t i = 0; i < a->count; i++)
        if (!a->items[i].tried && !peer_of(p, &a->items[i])) return &a->items[i];
    return NULL;
}

static void end_round(struct p2p *p)
{
    struct dial_added *a = &p->dial->added;
    a->state = ADDED_ROUND;
    a->wake_us = p->steady_us + (a->dialled ? RETRY_US : LOOK_US);
}

static bool begin_round(struct p2p *p)
{
    struct dial_added *a = &p->dial->added;
    if (!free_slot(p)) {
        a->wake_us = p->steady_us + DIAL_PAUSE_US;
        return false;
    }
    for (size_t i = 0; i < a->count; i++) a->items[i].tried = false;
    a->dialled = false;
    a->state = ADDED_NEXT;
    return true;
}

static bool dial_next(struct p2p *p)
{
    struct dial_added *a = &p->dial->added;
    struct added *node = next_untried(p);
    char **slot = node ? free_slot(p) : NULL;
    if (!slot) {
        end_round(p);
        return false;
    }
    node->tried = true;
    a->dialled = true;
    a->dial = dial_host(p, node->node, CONN_MANUAL);
    if (a->dial) *slot = mem_strdup(node->node);
    a->state = ADDED_DIALLING;
    return true;
}

bool dial_added_step(struct p2p *p)
{
    struct dial_added *a = &p->dial->added;
    if (a->state == ADDED_DIALLING) {
        if (dial_is_out(p, a->dial)) return false;
        a->state = ADDED_NEXT;
        a->wake_us = p->steady_us + DIAL_PAUSE_US;
    }
    if (p->steady_us < a->wake_us) return false;
    return a->state == ADDED_ROUND ? begin_round(p) : dial_next(p);
}

/* ---- the list ---- */

static bool is_added(const struct p2p *p, const struct added *node)
{
    const struct dial_added *a = &p->dial->added;
    bool by_address = netaddr_is_valid(&node->at.addr);
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i].node, node->node) == 0) return true;
        if (by_address && endpoint_equal(&a->items[i].at, &node->at)) return true;
    }
    return false;
}

bool p2p_add_node(struct p2p *p, const char *text, bool v2)
{
    (void)v2;
    struct added node = {.node = (char *)text};
    if (!dial_parse(p, &node.at, text)) node.at = (struct endpoint){.addr = netaddr_none()};
    if (is_added(p, &node)) return false;
    node.node = mem_strdup(text);
    struct dial_added *a = &p->dial->added;
    a->items = mem_grow(a->items, &a->cap, a->count + 1, sizeof(*a->items));
    a->items[a->count++] = node;
    return true;
}

bool p2p_remove_node(struct p2p *p, const char *text)
{
    struct dial_added *a = &p->dial->added;
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i].node, text) != 0) continue;
        free(a->items[i].node);
        memmove(&a->items[i], &a->items[i + 1], (a->count - i - 1) * sizeof(*a->items));
        a->count--;
        return true;
    }
    return false;
}

void p2p_try_node(struct p2p *p, const char *node, bool v2)
{
    (void)v2;
    dial_host(p, node, CONN_MANUAL);
}

bool p2p_added_node(const struct p2p *p, size_t index, struct added_node *out)
{
    const struct dial_added *a = &p->dial->added;
    if (index >= a->count) return false;
    const struct added *node = &a->items[index];
    *out = (struct added_node){.at.addr = netaddr_none()};
    size_t len = strlen(node->node);
    if (len >= sizeof(out->node)) len = sizeof(out->node) - 1;
    memcpy(out->node, node->node, len);
    const struct peer *peer = peer_of(p, node);
    if (!peer) return true;
    out->connected = true;
    out->inbound = peer_is_inbound(peer);
    out->at = peer->remote;
    return true;
}

bool dial_added_has(const struct p2p *p, const struct endpoint *e)
{
    const struct dial_added *a = &p->dial->added;
    if (a->count >= ADDED_LOOKED_AT) return false;
    char address[NETADDR_TEXT], with_port[ENDPOINT_TEXT];
    netaddr_text(address, &e->addr);
    endpoint_text(with_port, e);
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i].node, address) == 0 || strcmp(a->items[i].node, with_port) == 0) return true;
    return false;
}

bool p2p_add_connection(struct p2p *p, const char *address, enum conn_type type, bool v2)
{
    (void)v2;
    unsigned most = ~0u;
    if (type == CONN_OUTBOUND_FULL)
        most = p->dial->max_full;
    else if (type == CONN_BLOCK_RELAY)
        most = p->dial->max_block_relay;
    else if (type != CONN_ADDR_FETCH && type != CONN_FEELER)
        return false;
    unsigned have = 0;
    for (size_t i = 0; i < p->peer_count; i++) have += p->peers[i]->type == type;
    for (size_t i = 0; i < p->dial->dial_count; i++) have += p->dial->dials[i].type == type;
    if (have >= most || !dial_slot_free(p)) return false;
    dial_host(p, address, type);
    return true;
}
