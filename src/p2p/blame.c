/* Who broke a rule that nobody honest breaks, and what becomes of them. */
#include <stdarg.h>
#include <stdio.h>

#include "p2p/internal.h"

char *peer_log(char out[PEER_LOG], const struct p2p *p, const struct peer *peer)
{
    char at[ENDPOINT_TEXT];
    if (p->options.log_ips)
        snprintf(out, PEER_LOG, "peer=%lld, peeraddr=%s", (long long)peer->id, endpoint_text(at, &peer->remote));
    else
        snprintf(out, PEER_LOG, "peer=%lld", (long long)peer->id);
    return out;
}

char *peer_log_disconnect(char out[PEER_LOG], const struct p2p *p, const struct peer *peer)
{
    char at[ENDPOINT_TEXT];
    bool ips = p->options.log_ips;
    snprintf(out, PEER_LOG, "disconnecting peer=%lld%s%s", (long long)peer->id, ips ? ", peeraddr=" : "",
             ips ? endpoint_text(at, &peer->remote) : "");
    return out;
}

void peer_misbehaves(struct p2p *p, struct peer *peer, const char *why, ...)
{
    char text[256];
    va_list args;
    va_start(args, why);
    vsnprintf(text, sizeof(text), why, args);
    va_end(args);
    peer->discourage = true;
    log_debug(p->log, LOGC_NET, "Misbehaving: peer=%lld%s%s", (long long)peer->id, text[0] ? ": " : "", text);
}

bool peer_judge(struct p2p *p, struct peer *peer)
{
    long long id = peer->id;
    if (!peer->discourage) return false;
    peer->discourage = false;
    if (peer_permits(peer, PERM_NO_BAN)) {
        log_warning(p->log, "Not punishing noban peer %lld!", id);
        return false;
    }
    if (peer->type == CONN_MANUAL) {
        log_warning(p->log, "Not punishing manually connected peer %lld!", id);
        return false;
    }
    if (netaddr_is_local(&peer->remote.addr)) {
        /* Everybody behind the same local address, our onion service above all, would suffer for one. */
        log_debug(p->log, LOGC_NET, "Warning: disconnecting but not discouraging %s peer %lld!",
                  peer->inbound_onion ? "inbound onion" : "local", id);
        peer_disconnect(p, peer);
        return true;
    }
    log_debug(p->log, LOGC_NET, "Disconnecting and discouraging peer %lld!", id);
    bans_discourage(p->bans, &peer->remote.addr);
    struct subnet subnet = subnet_of(&peer->remote.addr);
    p2p_disconnect_subnet(p, &subnet);
    peer_disconnect(p, peer);
    return true;
}

/* ---- what users end ---- */

static void end(struct p2p *p, struct peer *peer, const char *by, const char *what)
{
    char who[PEER_LOG];
    bool show = p->options.log_ips;
    log_debug(p->log, LOGC_NET, "disconnect by %s%s%s match, %s", by, show ? "=" : "", show ? what : "",
              peer_log_disconnect(who, p, peer));
    peer_disconnect(p, peer);
}

bool p2p_disconnect_id(struct p2p *p, peer_id id)
{
    char who[PEER_LOG];
    struct peer *peer = p2p_peer(p, id);
    if (!peer || peer->disconnecting) return false;
    log_debug(p->log, LOGC_NET, "disconnect by id, %s", peer_log_disconnect(who, p, peer));
    peer_disconnect(p, peer);
    return true;
}

bool p2p_disconnect_address(struct p2p *p, const char *address)
{
    for (size_t i = 0; i < p->peer_count; i++) {
        struct peer *peer = p->peers[i];
        if (peer->disconnecting || strcmp(peer->name, address) != 0) continue;
        end(p, peer, "address", address);
        return true;
    }
    return false;
}

size_t p2p_disconnect_subnet(struct p2p *p, const struct subnet *subnet)
{
    char text[SUBNET_TEXT];
    size_t count = 0;
    for (size_t i = 0; i < p->peer_count; i++) {
        struct peer *peer = p->peers[i];
        if (peer->disconnecting || !subnet_match(subnet, &peer->remote.addr)) continue;
        end(p, peer, "subnet", subnet_text(text, subnet));
        count++;
    }
    return count;
}
