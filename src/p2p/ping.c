/* Pings (BIP31), and connections that went silent. */
#include "p2p/ping.h"

#include <stdio.h>

#include "p2p/internal.h"

#define SECOND_US   INT64_C(1000000)
#define INTERVAL_US (120 * SECOND_US)
#define TIMEOUT_US  (20 * 60 * SECOND_US)

void ping_on_ping(struct p2p *p, struct peer *peer, struct message *m)
{
    if (!peer_speaks(peer, PROTOCOL_BIP31 + 1)) return;
    if (!m->as.ping.has_nonce) {
        log_debug(p->log, LOGC_NET,
                  "ProcessMessages(ping, 0 bytes): Exception 'DataStream::read(): end of data' caught");
        return;
    }
    struct message pong = {.type = MESSAGE_PONG, .as.ping = m->as.ping};
    peer_send(p, peer, &pong);
}

/* NULL where the pong answers our ping; sets *FINISHED where we wait no longer. */
static const char *pong_problem(struct p2p *p, struct peer_ping *ping, const struct nonce_message *pong, bool *finished)
{
    *finished = true;
    if (!pong->has_nonce) return "Short payload";
    *finished = ping->nonce != 0 && (pong->nonce == ping->nonce || pong->nonce == 0);
    if (ping->nonce == 0) return "Unsolicited pong without ping";
    if (pong->nonce != ping->nonce) return pong->nonce == 0 ? "Nonce zero" : "Nonce mismatch";
    int64_t took_us = p->wall_us - ping->started_us;
    if (took_us < 0) return "Timing mishap";
    ping->last_us = took_us;
    if (ping->min_us < 0 || took_us < ping->min_us) ping->min_us = took_us;
    return NULL;
}

void ping_on_pong(struct p2p *p, struct peer *peer, struct message *m)
{
    struct peer_ping *ping = &peer->ping;
    bool finished;
    const char *problem = pong_problem(p, ping, &m->as.ping, &finished);
    if (problem)
        log_debug(p->log, LOGC_NET, "pong peer=%lld: %s, %llx expected, %llx received, %zu bytes", (long long)peer->id,
                  problem, (unsigned long long)ping->nonce, (unsigned long long)m->as.ping.nonce, p->payload.len);
    if (finished) ping->nonce = 0;
}

/* Nobody is judged by silence before this. */
static bool is_old_enough(const struct p2p *p, const struct peer *peer)
{
    return p->wall_us - peer->connected_us > p->options.peer_timeout_s * SECOND_US;
}

void ping_send(struct p2p *p, struct peer *peer)
{
    struct peer_ping *ping = &peer->ping;
    char who[PEER_LOG];
    if (ping->nonce && p->wall_us - ping->started_us > TIMEOUT_US && is_old_enough(p, peer)) {
        log_debug(p->log, LOGC_NET, "ping timeout: %fs, %s", (double)(p->wall_us - ping->started_us) / 1e6,
                  peer_log_disconnect(who, p, peer));
        peer_disconnect(p, peer);
        return;
    }
    bool due = ping->nonce == 0 && p->wall_us - ping->started_us > INTERVAL_US;
    if (!due && !ping->wanted) return;
    struct message m = {.type = MESSAGE_PING};
    ping->wanted = false;
    ping->started_us = p->wall_us;
    ping->nonce = 0;
    m.as.ping.has_nonce = peer_speaks(peer, PROTOCOL_BIP31 + 1);
    while (m.as.ping.has_nonce && ping->nonce == 0) ping->nonce = random_u64(&p->random);
    m.as.ping.nonce = ping->nonce;
    peer_send(p, peer, &m);
}

static void end(struct p2p *p, struct peer *peer, const char *what)
{
    char who[PEER_LOG];
    log_debug(p->log, LOGC_NET, "%s, %s", what, peer_log_disconnect(who, p, peer));
    peer_disconnect(p, peer);
}

void ping_check_silence(struct p2p *p, struct peer *peer)
{
    char text[128];
    if (!is_old_enough(p, peer)) return;
    int64_t send_us = p->wall_us - peer->last_send_us, recv_us = p->wall_us - peer->last_recv_us;
    if (!peer->last_recv_us || !peer->last_send_us)
        snprintf(text, sizeof(text), "socket no message in first %lld seconds%s%s",
                 (long long)p->options.peer_timeout_s, peer->last_recv_us ? "" : ", never received from peer",
                 peer->last_send_us ? "" : ", never sent to peer");
    else if (send_us > TIMEOUT_US)
        snprintf(text, sizeof(text), "socket sending timeout: %llds", (long long)(send_us / SECOND_US));
    else if (recv_us > TIMEOUT_US)
        snprintf(text, sizeof(text), "socket receive timeout: %llds", (long long)(recv_us / SECOND_US));
    else if (!peer->handshake.verack_received)
        snprintf(text, sizeof(text), "%s handshake timeout", peer->transport == TRANSPORT_DETECTING ? "V2" : "version");
    else
        return;
    end(p, peer, text);
}

void p2p_ping_all(struct p2p *p)
{
    for (size_t i = 0; i < p->peer_count; i++) p->peers[i]->ping.wanted = true;
}
