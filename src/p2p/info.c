/* What users may know of the peers. */
#include <stdio.h>

#include "p2p/internal.h"

static const char *const type_names[CONN_TYPE_COUNT] = {
    [CONN_INBOUND] = "inbound", [CONN_OUTBOUND_FULL] = "outbound-full-relay", [CONN_MANUAL] = "manual",
    [CONN_FEELER] = "feeler",   [CONN_BLOCK_RELAY] = "block-relay-only",      [CONN_ADDR_FETCH] = "addr-fetch",
};

const char *conn_type_name(enum conn_type type)
{
    return type_names[type];
}

size_t p2p_peers(const struct p2p *p, peer_id *out, size_t max)
{
    for (size_t i = 0; out && i < p->peer_count && i < max; i++) out[i] = p->peers[i]->id;
    return p->peer_count;
}

size_t p2p_count(const struct p2p *p, bool inbound, bool outbound)
{
    size_t count = 0;
    for (size_t i = 0; i < p->peer_count; i++) count += peer_is_inbound(p->peers[i]) ? inbound : outbound;
    return count;
}

uint64_t p2p_services(const struct p2p *p)
{
    return p->options.services;
}

/* ---- one peer ---- */

static int32_t height_of(const struct block_node *n)
{
    return n ? n->header.height : -1;
}

static void fill_traffic(const struct peer *peer, struct peer_info *out)
{
    out->bytes_sent = peer->bytes_sent;
    out->bytes_received = peer->bytes_received;
    memcpy(out->sent_by_type, peer->sent_by_type, sizeof(out->sent_by_type));
    memcpy(out->received_by_type, peer->received_by_type, sizeof(out->received_by_type));
    out->last_send_s = peer->last_send_us / 1000000;
    out->last_recv_s = peer->last_recv_us / 1000000;
    out->last_tx_s = peer->txs.last_tx_s;
    out->last_block_s = peer->blocks.last_block_s;
}

static void fill_handshake(const struct peer *peer, struct peer_info *out)
{
    const struct peer_handshake *h = &peer->handshake;
    out->seen_us = h->seen_us;
    out->services = h->services;
    out->time_offset_s = h->time_offset_s;
    out->version = h->their_version;
    memcpy(out->user_agent, h->user_agent, sizeof(out->user_agent));
    out->relays_txs = peer->txs.relay;
    out->min_fee_filter_sat = peer->txs.fee_filter_received_sat;
    out->last_inv_sequence = peer->tx_relay.last_sequence;
    out->inv_to_send = peer->tx_relay.count;
    out->hb_to = peer->compact.hb_to;
    out->hb_from = peer->compact.hb_from;
    out->addr_relay_enabled = peer->addrs.enabled;
    out->addr_processed = peer->addrs.processed;
    out->addr_rate_limited = peer->addrs.rate_limited;
}

static void fill_sync(const struct peer *peer, struct peer_info *out)
{
    out->presynced_headers = headers_presynced(peer);
    out->synced_headers = height_of(peer->headers.best_known);
    out->synced_blocks = height_of(peer->download.last_common);
    out->in_flight_count = peer->download.count;
    for (size_t i = 0; i < peer->download.count; i++) out->in_flight[i] = height_of(peer->download.items[i]->node);
}

_Static_assert((int)DOWNLOAD_PER_PEER <= (int)PEER_INFO_BLOCKS, "room for all that is in flight");

bool p2p_info(const struct p2p *p, peer_id id, struct peer_info *out)
{
    const struct peer *peer = p2p_peer(p, id);
    if (!peer) return false;
    *out = (struct peer_info){
        .id = id,
        .remote = peer->remote,
        .local = peer->local,
        .network = peer->inbound_onion ? NET_ONION : netaddr_class_of(&peer->remote.addr),
        .type = peer->type,
        .permissions = peer->permissions,
        .transport = peer->transport,
        .connected_s = peer->connected_us / 1000000,
        .ping_us = peer->ping.last_us,
        .min_ping_us = peer->ping.min_us,
        .ping_wait_us = peer->ping.nonce ? p->wall_us - peer->ping.started_us : -1,
        .disconnecting = peer->disconnecting,
    };
    memcpy(out->addr_name, peer->name, sizeof(out->addr_name));
    fill_traffic(peer, out);
    fill_handshake(peer, out);
    fill_sync(peer, out);
    return true;
}

/* ---- all of them ---- */

void p2p_totals(const struct p2p *p, struct p2p_totals *out)
{
    *out = (struct p2p_totals){
        .received = p->bytes_received,
        .sent = p->bytes_sent,
        .cycle_sent = p->serve.cycle_sent,
        .cycle_start_us = p->serve.cycle_start_us,
        .target = p->options.max_upload_bytes,
        .cycle_left_s = p->options.max_upload_bytes ? serve_cycle_left_s(p) : 0,
        .target_reached = serve_target_reached(p, false),
        .serve_historical = !serve_target_reached(p, true),
        .left_in_cycle = serve_left_in_cycle(p),
    };
}

int64_t p2p_time_offset_s(const struct p2p *p)
{
    int64_t sorted[ARRAY_LEN(p->time_offsets)];
    size_t count = p->time_offset_count;
    if (count < 5) return 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && sorted[at - 1] > p->time_offsets[i]; at--) sorted[at] = sorted[at - 1];
        sorted[at] = p->time_offsets[i];
    }
    return sorted[count / 2];
}

bool p2p_clock_is_off(const struct p2p *p)
{
    int64_t offset = p2p_time_offset_s(p);
    return offset > P2P_CLOCK_WARN_S || offset < -P2P_CLOCK_WARN_S;
}
