/* Connections begin and end: who is let in, what they may do, and what is left when they go. */
#include <stdio.h>

#include "p2p/internal.h"
#include "p2p/tx_download.h"

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned p2p_max_outbound_full(const struct p2p *p)
{
    return least(P2P_MAX_OUTBOUND_FULL, p->options.max_connections);
}

unsigned p2p_max_block_relay(const struct p2p *p)
{
    return least(P2P_MAX_BLOCK_RELAY, p->options.max_connections - p2p_max_outbound_full(p));
}

unsigned p2p_max_inbound(const struct p2p *p)
{
    unsigned outbound = p2p_max_outbound_full(p) + p2p_max_block_relay(p) + P2P_MAX_FEELER;
    return p->options.max_connections > outbound ? p->options.max_connections - outbound : 0;
}

/* ADDR is NULL for who came through our onion service: the address is not theirs. */
static unsigned permissions_of(const struct p2p *p, unsigned from_socket, const struct netaddr *addr, bool inbound)
{
    unsigned permissions = from_socket;
    for (size_t i = 0; i < p->whitelist_count; i++) {
        const struct permission_rule *rule = &p->whitelist[i];
        if (addr && (inbound ? rule->in : rule->out) && subnet_match(&rule->subnet, addr))
            permissions |= rule->permissions;
    }
    if (!(permissions & PERM_IMPLICIT)) return permissions;
    permissions &= ~(unsigned)PERM_IMPLICIT;
    if (p->options.whitelist_force_relay) permissions |= PERM_FORCE_RELAY;
    if (p->options.whitelist_relay) permissions |= PERM_RELAY;
    return permissions | PERM_MEMPOOL | PERM_NO_BAN;
}

/* ---- refusals ---- */

static size_t count_inbound(const struct p2p *p)
{
    size_t count = 0;
    for (size_t i = 0; i < p->peer_count; i++) count += peer_is_inbound(p->peers[i]) && !p->peers[i]->disconnecting;
    return count;
}

/* Whether somebody who connects to us is let in; makes room where that is needed. */
static bool is_admitted(struct p2p *p, const struct p2p_connection *c, unsigned permissions, bool discouraged)
{
    char at[ENDPOINT_TEXT];
    const char *why = NULL;
    size_t inbound = count_inbound(p);
    bool no_ban = permits(permissions, PERM_NO_BAN);
    endpoint_text(at, &c->remote);
    if (!p->active)
        why = "dropped: not accepting new connections";
    else if (!no_ban && bans_has_addr(p->bans, &c->remote.addr, p2p_now_s(p)))
        why = "dropped (banned)";
    else if (!no_ban && discouraged && inbound + 1 >= p2p_max_inbound(p))
        why = "dropped (discouraged)";
    if (why) {
        log_debug(p->log, LOGC_NET, "connection from %s %s", at, why);
        return false;
    }
    if (inbound < p2p_max_inbound(p) || evict_inbound(p)) return true;
    log_debug(p->log, LOGC_NET, "failed to find an eviction candidate - connection dropped (full)");
    return false;
}

/* Whether a connection that we made is of use. */
static bool is_wanted(struct p2p *p, const struct p2p_connection *c, const struct dial *dial)
{
    char at[ENDPOINT_TEXT];
    if (!dial || !p->active) return false;
    for (size_t i = 0; i < p->peer_count; i++) {
        if (!netaddr_is_valid(&c->remote.addr) || !endpoint_equal(&p->peers[i]->remote, &c->remote)) continue;
        endpoint_text(at, &c->remote);
        if (dial->host[0])
            log_info(p->log, "Not opening a connection to %s, already connected to %s", dial->host, at);
        else
            log_info(p->log, "Failed to open new connection to %s, already connected", at);
        return false;
    }
    return true;
}

/* ---- begin ---- */

static struct peer *add_peer(struct p2p *p, const struct p2p_connection *c, enum conn_type type, const char *host,
                             unsigned permissions)
{
    char at[ENDPOINT_TEXT];
    struct peer *peer = mem_calloc(1, sizeof(*peer));
    peer->id = p->next_id++;
    peer->type = type;
    peer->remote = c->remote;
    peer->local = c->local;
    peer->by_name = host[0] != '\0';
    snprintf(peer->name, sizeof(peer->name), "%s", peer->by_name ? host : endpoint_text(at, &c->remote));
    peer->permissions = permissions;
    peer->inbound_onion = c->onion && type == CONN_INBOUND;
    peer->transport = c->transport;
    peer->connected_us = p->wall_us;
    peer->handshake.nonce = random_u64(&p->random);
    peer->handshake.our_services = p->options.services;
    if (permits(permissions, PERM_BLOOM_FILTER)) peer->handshake.our_services |= NODE_BLOOM;
    peer->handshake.seen_us.addr = netaddr_none();
    peer->ping.last_us = peer->ping.min_us = -1;
    addr_relay_peer_init(p, peer);
    headers_peer_init(p, peer);
    p->peers = mem_grow(p->peers, &p->peer_cap, p->peer_count + 1, sizeof(struct peer *));
    p->peers[p->peer_count++] = peer;
    bool ips = p->options.log_ips;
    log_debug(p->log, LOGC_NET, "Added connection %s%s%speer=%lld", ips ? "to " : "", ips ? peer->name : "",
              ips ? " " : "", (long long)peer->id);
    return peer;
}

static peer_id connected_inbound(struct p2p *p, const struct p2p_connection *c)
{
    char at[ENDPOINT_TEXT];
    bool discouraged = bans_is_discouraged(p->bans, &c->remote.addr);
    unsigned permissions = permissions_of(p, c->permissions, c->onion ? NULL : &c->remote.addr, true);
    if (!is_admitted(p, c, permissions, discouraged)) return P2P_NO_PEER;
    struct peer *peer = add_peer(p, c, CONN_INBOUND, "", permissions);
    peer->prefer_evict = discouraged;
    log_debug(p->log, LOGC_NET, "connection from %s accepted", endpoint_text(at, &c->remote));
    return peer->id;
}

static peer_id connected_outbound(struct p2p *p, const struct p2p_connection *c)
{
    const struct dial *found = dial_find(p, c->dial);
    struct dial dial = found ? *found : (struct dial){.type = CONN_MANUAL};
    bool wanted = is_wanted(p, c, found);
    if (found) dial_done(p, c->dial);
    if (!wanted) return P2P_NO_PEER;
    if (netaddr_is_valid(&c->remote.addr)) addrman_attempt(p->addrman, &c->remote, dial.count_failure, p2p_now_s(p));
    unsigned permissions = dial.type == CONN_MANUAL ? permissions_of(p, 0, &c->remote.addr, false) : 0;
    struct peer *peer = add_peer(p, c, dial.type, dial.host, permissions);
    handshake_begin(p, peer);
    return peer->id;
}

peer_id p2p_connected(struct p2p *p, const struct p2p_connection *c)
{
    return c->dial ? connected_outbound(p, c) : connected_inbound(p, c);
}

/* ---- end ---- */

void peer_free(struct p2p *p, struct peer *peer)
{
    headers_peer_gone(p, peer);
    download_peer_gone(p, peer);
    compact_peer_gone(p, peer);
    chain_sync_peer_gone(p, peer);
    dial_peer_gone(p, peer);
    tx_download_peer_gone(p, peer);
    tx_relay_peer_gone(p, peer);
    txs_peer_gone(peer);
    serve_peer_clear(peer);
    announce_peer_clear(peer);
    addr_relay_peer_clear(peer);
    size_t i = 0;
    while (p->peers[i] != peer) i++;
    memmove(p->peers + i, p->peers + i + 1, (--p->peer_count - i) * sizeof(struct peer *));
    free(peer);
}

void p2p_disconnected(struct p2p *p, peer_id id)
{
    struct peer *peer = p2p_peer(p, id);
    CHECK(peer);
    peer_free(p, peer);
    log_debug(p->log, LOGC_NET, "Cleared nodestate for peer=%lld", (long long)id);
}

/* ---- all at once ---- */

void p2p_set_active(struct p2p *p, bool active)
{
    char who[PEER_LOG];
    log_info(p->log, "SetNetworkActive: %s", active ? "true" : "false");
    if (p->active == active) return;
    p->active = active;
    p2p_add_action(p, P2P_PAUSE)->active = active;
    for (size_t i = 0; !active && i < p->peer_count; i++) {
        struct peer *peer = p->peers[i];
        if (peer->disconnecting) continue;
        log_debug(p->log, LOGC_NET, "Network not active, %s", peer_log_disconnect(who, p, peer));
        peer_disconnect(p, peer);
    }
}

bool p2p_is_active(const struct p2p *p)
{
    return p->active;
}
