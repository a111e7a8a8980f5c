/* The handshake: version, verack and what is negotiated between them (BIP14, 31, 130, 155, 159, 339, 434). */
#include "p2p/handshake.h"

#include <stdio.h>

#include "base/hex.h"
#include "p2p/internal.h"
#include "p2p/tx_download.h"
#include "wire/sanitize.h"

enum {
    LIMITED_DEPTH = 144,       /* blocks behind: a pruned peer still has all that we lack */
    LAST_ALERT_VERSION = 70012 /* and older: peers that still look at alerts */
};

/* ---- out ---- */

/* The address by which they are told that we know them. */
static struct endpoint their_address(const struct peer *peer)
{
    const struct netaddr *a = &peer->remote.addr;
    if (netaddr_is_routable(a) && netaddr_fits_v1(a)) return peer->remote;
    return (struct endpoint){.addr = netaddr_none()};
}

/* What the address book says that they offer; a name, or who came in, offers nothing yet. */
static uint64_t services_heard_of(struct p2p *p, const struct peer *peer)
{
    struct addrman_info info;
    if (peer_is_inbound(peer) || peer->by_name || !addrman_find(p->addrman, &peer->remote, &info, NULL)) return 0;
    return info.addr.services;
}

void handshake_begin(struct p2p *p, struct peer *peer)
{
    struct message m = {.type = MESSAGE_VERSION};
    struct version_message *v = &m.as.version;
    char them[ENDPOINT_TEXT];
    *v = (struct version_message){
        .version = PROTOCOL_VERSION,
        .services = peer->handshake.our_services,
        .time = p2p_now_s(p),
        .your_services = services_heard_of(p, peer),
        .you = their_address(peer),
        .my_services = peer->handshake.our_services,
        .me.addr = netaddr_none(),
        .nonce = peer->handshake.nonce,
        .user_agent = span_str(p->subversion),
        .start_height = chain_height(p->chain),
        .relay = !txs_rejects(p, peer),
    };
    peer_send(p, peer, &m);
    peer->handshake.version_sent = true;
    endpoint_text(them, &v->you);
    log_debug(p->log, LOGC_NET, "send version message: version=%d, blocks=%d%s%s, txrelay=%d, peer=%lld", v->version,
              v->start_height, p->options.log_ips ? ", them=" : "", p->options.log_ips ? them : "", v->relay,
              (long long)peer->id);
}

/* ---- version ---- */

uint64_t handshake_desirable(const struct p2p *p, uint64_t services)
{
    int64_t age_s = p2p_now_s(p) - (int64_t)chain_tip(p->chain)->header.time;
    if (services & NODE_NETWORK_LIMITED && age_s / p->params->target_spacing_s < LIMITED_DEPTH)
        return NODE_NETWORK_LIMITED | NODE_WITNESS;
    return NODE_NETWORK | NODE_WITNESS;
}

static bool expects_services(const struct peer *peer)
{
    return peer->type == CONN_OUTBOUND_FULL || peer->type == CONN_BLOCK_RELAY || peer->type == CONN_ADDR_FETCH;
}

/* A peer that we began to connect to used this nonce: it is us. */
static bool is_our_nonce(const struct p2p *p, uint64_t nonce)
{
    for (size_t i = 0; i < p->peer_count; i++) {
        const struct peer *peer = p->peers[i];
        if (!peer->handshake.verack_received && !peer_is_inbound(peer) && peer->handshake.nonce == nonce) return true;
    }
    return false;
}

/* Whether to go on with a peer that says V; logs and disconnects where not. */
static bool is_acceptable(struct p2p *p, struct peer *peer, const struct version_message *v)
{
    char who[PEER_LOG], at[ENDPOINT_TEXT];
    uint64_t wanted = handshake_desirable(p, v->services);
    if (expects_services(peer) && (wanted & ~v->services))
        log_debug(p->log, LOGC_NET, "peer does not offer the expected services (%08llx offered, %08llx expected), %s",
                  (unsigned long long)v->services, (unsigned long long)wanted, peer_log_disconnect(who, p, peer));
    else if (v->version < PROTOCOL_MIN_PEER)
        log_debug(p->log, LOGC_NET, "peer using obsolete version %d, %s", v->version,
                  peer_log_disconnect(who, p, peer));
    else if (peer_is_inbound(peer) && is_our_nonce(p, v->nonce))
        log_info(p->log, "connected to self at %s, disconnecting", endpoint_text(at, &peer->remote));
    else
        return true;
    peer_disconnect(p, peer);
    return false;
}

static void note_version(struct p2p *p, struct peer *peer, const struct version_message *v)
{
    struct peer_handshake *h = &peer->handshake;
    char us[ENDPOINT_TEXT], who[PEER_LOG];
    h->version_received = true;
    h->their_version = v->version;
    h->version = v->version < PROTOCOL_VERSION ? v->version : PROTOCOL_VERSION;
    h->services = v->services;
    h->wanted_services = (handshake_desirable(p, v->services) & ~v->services) == 0;
    h->seen_us = v->you;
    h->start_height = v->start_height;
    h->relay_flag = v->relay;
    sanitize(h->user_agent, sizeof(h->user_agent), v->user_agent);
    txs_peer_version(p, peer);
    log_debug(p->log, LOGC_NET, "receive version message: %s: version %d, blocks=%d, us=%s, txrelay=%d, %s",
              h->user_agent[0] ? h->user_agent : "<no user agent>", h->their_version, h->start_height,
              endpoint_text(us, &v->you), h->relay_flag, peer_log(who, p, peer));
}

/* Their clock against ours; of outbound peers the last ones count (whoever comes in could make us doubt our clock). */
static void note_time(struct p2p *p, struct peer *peer, int64_t their_time)
{
    peer->handshake.time_offset_s = their_time - p2p_now_s(p);
    if (peer_is_inbound(peer)) return;
    if (p->time_offset_count == ARRAY_LEN(p->time_offsets))
        memmove(p->time_offsets, p->time_offsets + 1, --p->time_offset_count * sizeof(p->time_offsets[0]));
    p->time_offsets[p->time_offset_count++] = peer->handshake.time_offset_s;
    log_debug(p->log, LOGC_NET, "Added time offset %+llds, total samples %zu", (long long)peer->handshake.time_offset_s,
              p->time_offset_count);
    if (p2p_clock_is_off(p))
        log_warning(p->log,
                    "Your computer's date and time appear to be more than %d minutes out of sync with the "
                    "network, this may lead to consensus failure.",
                    P2P_CLOCK_WARN_S / 60);
}

/* The alert that ended the alert system (2017): whatever an old peer was told before, this is the last word. */
static void send_final_alert(struct p2p *p, struct peer *peer)
{
    static const char hex[] =
        "60010000000000000000000000ffffff7f00000000ffffff7ffeffff7f01ffffff7f00000000ffffff7f00"
        "ffffff7f002f555247454e543a20416c657274206b657920636f6d70726f6d697365642c207570677261646520"
        "7265717569726564004630440220653febd6410f470f6bae11cad19c48413becb1ac2c17f908fd0fd53bdc3abd"
        "5202206d0e9c96fe88d4a0f01ed9dedae2b6f9e00da94cad0fecaae66ecf689bf71b50";
    uint8_t alert[(sizeof(hex) - 1) / 2];
    CHECK(hex_decode(alert, sizeof(alert), hex));
    peer_send_raw(p, peer, "alert", span_of(alert, sizeof(alert)));
}

/* What we tell about ourselves between version and verack. */
static void negotiate(struct p2p *p, struct peer *peer)
{
    if (peer_speaks(peer, PROTOCOL_WTXIDRELAY)) {
        peer_send_empty(p, peer, MESSAGE_WTXIDRELAY);
        /* BIP155 names no version, but older software might not take messages that it does not know. */
        peer_send_empty(p, peer, MESSAGE_SENDADDRV2);
    }
}

void handshake_on_version(struct p2p *p, struct peer *peer, struct message *m)
{
    const struct version_message *v = &m->as.version;
    char who[PEER_LOG];
    if (!peer_is_inbound(peer)) addrman_set_services(p->addrman, &peer->remote, v->services);
    if (!is_acceptable(p, peer, v)) return;
    if (peer_is_inbound(peer)) {
        if (netaddr_is_routable(&v->you.addr)) local_addrs_seen(&p->local, &v->you.addr);
        handshake_begin(p, peer);
    }
    note_version(p, peer, v);
    negotiate(p, peer);
    if (!evict_for_tx_relay(p, peer, "version", true)) return;
    peer_send_empty(p, peer, MESSAGE_VERACK);
    download_peer_version(p, peer);
    addr_relay_peer_version(p, peer);
    if (!peer_is_inbound(peer)) addrman_good(p->addrman, &peer->remote, p2p_now_s(p));
    note_time(p, peer, v->time);
    if (peer->handshake.version <= LAST_ALERT_VERSION) send_final_alert(p, peer);
    if (peer->type == CONN_FEELER) {
        log_debug(p->log, LOGC_NET, "feeler connection completed, %s", peer_log_disconnect(who, p, peer));
        peer_disconnect(p, peer);
    }
}

/* ---- the rest ---- */

static bool refuse(struct p2p *p, struct peer *peer, enum message_type type, const char *why)
{
    char who[PEER_LOG];
    log_debug(p->log, LOGC_NET, "%s %s, %s", message_row(type)->name, why, peer_log_disconnect(who, p, peer));
    peer_disconnect(p, peer);
    return false;
}

bool handshake_early(struct p2p *p, struct peer *peer, enum message_type type)
{
    const struct peer_handshake *h = &peer->handshake;
    char why[64];
    switch (type) {
    case MESSAGE_VERSION:
        if (!h->version_received) return true;
        log_debug(p->log, LOGC_NET, "redundant version message from peer=%lld", (long long)peer->id);
        return false;
    case MESSAGE_VERACK:
        if (!h->verack_received) return true;
        log_debug(p->log, LOGC_NET, "ignoring redundant verack message from peer=%lld", (long long)peer->id);
        return false;
    case MESSAGE_SENDTXRCNCL:
        log_debug(p->log, LOGC_NET,
                  "sendtxrcncl from peer=%lld ignored, as our node does not have txreconciliation enabled",
                  (long long)peer->id);
        return false;
    case MESSAGE_WTXIDRELAY:
    case MESSAGE_SENDADDRV2:
    case MESSAGE_FEATURE:
        if (h->verack_received) return refuse(p, peer, type, "received after verack");
        if (type != MESSAGE_FEATURE || peer_speaks(peer, PROTOCOL_FEATURE)) return true;
        snprintf(why, sizeof(why), "received with incompatible version %d", h->version);
        return refuse(p, peer, type, why);
    default: return true;
    }
}

void handshake_on_verack(struct p2p *p, struct peer *peer, struct message *m)
{
    char who[PEER_LOG];
    (void)m;
    /* Those who come in could fill the log: their lines are for who asks for them. */
    enum log_level level = peer_is_inbound(peer) ? LOG_DEBUG : LOG_INFO;
    LOG_AT(p->log, level, level == LOG_DEBUG ? LOGC_NET : LOGC_ALL,
           "New %s peer connected: transport: %s, version: %d, %s", conn_type_name(peer->type),
           transport_kind_name(peer->transport), peer->handshake.their_version, peer_log(who, p, peer));
    compact_peer_open(p, peer);
    peer->handshake.verack_received = true;
    tx_download_peer_open(p, peer);
}

void handshake_on_wtxidrelay(struct p2p *p, struct peer *peer, struct message *m)
{
    (void)m;
    if (!peer_speaks(peer, PROTOCOL_WTXIDRELAY))
        log_debug(p->log, LOGC_NET, "ignoring wtxidrelay due to old common version=%d from peer=%lld",
                  peer->handshake.version, (long long)peer->id);
    else if (peer->handshake.wtxid_relay)
        log_debug(p->log, LOGC_NET, "ignoring duplicate wtxidrelay from peer=%lld", (long long)peer->id);
    else
        peer->handshake.wtxid_relay = true;
}

void handshake_on_sendaddrv2(struct p2p *p, struct peer *peer, struct message *m)
{
    (void)p;
    (void)m;
    peer->handshake.wants_addrv2 = true;
}

void handshake_on_sendheaders(struct p2p *p, struct peer *peer, struct message *m)
{
    (void)p;
    (void)m;
    peer->handshake.prefers_headers = true;
}

/* None is known yet. */
void handshake_on_feature(struct p2p *p, struct peer *peer, struct message *m)
{
    char id[MAX_FEATURE_ID + 1];
    (void)peer;
    log_debug(p->log, LOGC_NET, "unknown feature advertised: %s", sanitize(id, sizeof(id), m->as.feature.id));
}

void handshake_send(struct p2p *p, struct peer *peer)
{
    struct peer_handshake *h = &peer->handshake;
    const struct block_node *best = peer->headers.best_known;
    if (h->sendheaders_sent || !peer_speaks(peer, PROTOCOL_SENDHEADERS) || !best) return;
    /* While their headers are being fetched, announcements by headers would only be in the way. */
    if (u256_cmp(best->header.chainwork, p->chain->options.minimum_chain_work) <= 0) return;
    peer_send_empty(p, peer, MESSAGE_SENDHEADERS);
    h->sendheaders_sent = true;
}
