/* Transactions between peers: what may be said, and to whom it goes. */
#include "p2p/txs.h"

#include <stdio.h>

#include "consensus/merkle.h"
#include "p2p/internal.h"
#include "p2p/tx_download.h"
#include "primitives/amount.h"
#include "primitives/tx.h"

#define FEE_FILTER_AVERAGE_US (10 * 60 * INT64_C(1000000))
#define FEE_FILTER_CHANGE_US  (5 * 60 * INT64_C(1000000))

bool txs_rejects(const struct p2p *p, const struct peer *peer)
{
    if (peer->type == CONN_BLOCK_RELAY || peer->type == CONN_FEELER) return true;
    return p->options.blocks_only && !peer_permits(peer, PERM_RELAY);
}

void txs_peer_version(struct p2p *p, struct peer *peer)
{
    struct peer_txs *t = &peer->txs;
    (void)p;
    bool fit = peer->type != CONN_BLOCK_RELAY && peer->type != CONN_FEELER;
    /* With BIP37 they may turn relay on later. */
    t->has_relay = fit && (peer->handshake.relay_flag || peer->handshake.our_services & NODE_BLOOM);
    t->relay = t->has_relay && peer->handshake.relay_flag;
    if (t->has_relay) tx_relay_peer_init(peer);
}

void txs_peer_gone(struct peer *peer)
{
    bloom_clear(&peer->txs.filter);
}

/* Ends the connection; returns false. */
static bool refuse(struct p2p *p, struct peer *peer, const char *what)
{
    char who[PEER_LOG];
    log_debug(p->log, LOGC_NET, "%s, %s", what, peer_log_disconnect(who, p, peer));
    peer_disconnect(p, peer);
    return false;
}

bool txs_early(struct p2p *p, struct peer *peer, enum message_type type)
{
    char what[80];
    if (type == MESSAGE_TX)
        return !txs_rejects(p, peer) || refuse(p, peer, "transaction sent in violation of protocol");
    if (peer->handshake.our_services & NODE_BLOOM) return true;
    snprintf(what, sizeof(what), "%s received despite not offering bloom services", message_row(type)->name);
    return refuse(p, peer, what);
}

/* ---- in ---- */

void txs_on_tx(struct p2p *p, struct peer *peer, struct message *m)
{
    struct tx tx;
    if (chain_is_initial_download(p->chain, p2p_now_s(p))) return;
    struct reader r = reader_of(m->as.raw.raw);
    tx_read(&tx, &r, &p->arena, 0);
    if (r.failed) {
        log_debug(p->log, LOGC_NET, "ProcessMessages(tx, %zu bytes): Exception '%s' caught", m->as.raw.raw.len,
                  tx_read_fault(m->as.raw.raw, &p->arena));
        return;
    }
    tx_hash(&tx);
    tx_relay_note_known(p, peer, peer->handshake.wtxid_relay ? tx.wtxid.bytes : tx.txid.bytes);
    tx_download_on_tx(p, peer, &tx);
}

bool txs_on_inv(struct p2p *p, struct peer *peer, const struct inv *inv)
{
    char text[SERVE_INV_TEXT], what[160];
    /* Each side announces by the id that was agreed on; the other kind is not looked at. */
    if (inv->type == (peer->handshake.wtxid_relay ? INV_TX : INV_WTX)) return true;
    if (txs_rejects(p, peer)) {
        serve_inv_text(text, inv);
        const char *hash = strchr(text, ' ');
        snprintf(what, sizeof(what), "transaction (%s) inv sent in violation of protocol", hash ? hash + 1 : text);
        return refuse(p, peer, what);
    }
    tx_relay_note_known(p, peer, inv->hash);
    if (!chain_is_initial_download(p->chain, p2p_now_s(p))) tx_download_on_inv(p, peer, inv);
    return true;
}

void txs_on_notfound(struct p2p *p, struct peer *peer, struct message *m)
{
    const struct inv_message *v = &m->as.inv;
    tx_download_on_notfound(p, peer, v->items, v->count);
}

void txs_on_feefilter(struct p2p *p, struct peer *peer, struct message *m)
{
    int64_t rate = m->as.feefilter;
    if (!money_range(rate)) return;
    if (peer->txs.has_relay) peer->txs.fee_filter_received_sat = rate;
    log_debug(p->log, LOGC_NET, "received: feefilter of %lld.%08lld BTC/kvB from peer=%lld",
              (long long)(rate / COIN_SAT), (long long)(rate % COIN_SAT), (long long)peer->id);
}

/* ---- BIP35, BIP37 ---- */

void txs_on_mempool(struct p2p *p, struct peer *peer, struct message *m)
{
    (void)m;
    const char *why = NULL;
    if (peer_permits(peer, PERM_MEMPOOL))
        why = NULL;
    else if (!(peer->handshake.our_services & NODE_BLOOM))
        why = "mempool request with bloom filters disabled";
    else if (serve_target_reached(p, false))
        why = "mempool request with bandwidth limit reached";
    if (!why)
        tx_relay_send_all(p, peer);
    else if (!peer_permits(peer, PERM_NO_BAN))
        refuse(p, peer, why);
}

void txs_on_filter(struct p2p *p, struct peer *peer, struct message *m)
{
    struct peer_txs *t = &peer->txs;
    char fault[MESSAGE_FAULT];
    if (m->type == MESSAGE_FILTERLOAD && m->as.filterload.functions > MAX_BLOOM_FUNCTIONS) {
        peer_misbehaves(p, peer, "%s", message_fault(fault, m));
        return;
    }
    if (!t->has_relay) return;
    if (m->type == MESSAGE_FILTERADD) {
        if (t->filter.bits)
            bloom_put(&t->filter, m->as.filteradd.element);
        else
            peer_misbehaves(p, peer, "%s", message_fault(fault, m));
        return;
    }
    if (m->type == MESSAGE_FILTERLOAD)
        bloom_load(&t->filter, &m->as.filterload);
    else
        bloom_clear(&t->filter);
    t->relay = true;
    evict_for_tx_relay(p, peer, message_row(m->type)->name, false);
}

/* ---- out ---- */

bool txs_serve(struct p2p *p, struct peer *peer, const struct inv *inv)
{
    const struct tx *tx = tx_relay_find(p, peer, inv);
    struct buffer payload = {0};
    if (!tx) return false;
    if (inv->type == INV_TX)
        tx_write_no_witness(&payload, tx);
    else
        tx_write(&payload, tx);
    peer_send_payload(p, peer, MESSAGE_TX, &payload);
    if (p->mempool) mempool_remove_unbroadcast(p->mempool, &tx->txid);
    return true;
}

void txs_send_filtered(struct p2p *p, struct peer *peer, const struct block *b)
{
    struct buffer payload = {0};
    if (!peer->txs.filter.bits) return;
    bool *matches = mem_calloc(b->tx_count, sizeof(*matches));
    for (size_t i = 0; i < b->tx_count; i++) matches[i] = bloom_match(&peer->txs.filter, &b->txs[i]);
    merkle_block_write(&payload, b, matches);
    peer_send_payload(p, peer, MESSAGE_MERKLEBLOCK, &payload);
    /* Those of a block cannot be asked for one by one, so they come along, whether or not they are known there. */
    for (size_t i = 0; i < b->tx_count; i++) {
        if (!matches[i]) continue;
        tx_write_no_witness(&payload, &b->txs[i]);
        peer_send_payload(p, peer, MESSAGE_TX, &payload);
    }
    free(matches);
}

/* Fee filters come in steps of a tenth, and are rounded down twice in three, up else: they shall not identify us. */
static int64_t round_fee(struct p2p *p, int64_t fee_sat)
{
    const double lowest = 50, highest = 1e7, step = 1.1;
    double below = 0, at = 0;
    if (fee_sat <= 0) return 0;
    for (at = lowest; at < (double)fee_sat && at <= highest; at *= step) below = at;
    bool down = at > highest || random_below(&p->random, 3) != 0;
    return (int64_t)(down ? below : at);
}

void txs_send(struct p2p *p, struct peer *peer)
{
    struct peer_txs *t = &peer->txs;
    if (p->options.blocks_only || !peer_speaks(peer, PROTOCOL_FEEFILTER) || peer->type == CONN_BLOCK_RELAY) return;
    if (peer_permits(peer, PERM_FORCE_RELAY)) return;
    bool initial = chain_is_initial_download(p->chain, p2p_now_s(p));
    int64_t wanted = initial ? MAX_MONEY_SAT : p->mempool ? mempool_min_fee(p->mempool).sat_per_kvb : 0;
    /* After the first sync they need not wait to tell us of transactions: what they heard then was "none at all". */
    if (!initial && t->fee_filter_sent_sat > p->options.min_relay_fee_sat &&
        t->fee_filter_sent_sat == round_fee(p, MAX_MONEY_SAT))
        t->next_fee_filter_us = 0;
    if (p->wall_us > t->next_fee_filter_us) {
        struct message m = {.type = MESSAGE_FEEFILTER, .as.feefilter = round_fee(p, wanted)};
        if (m.as.feefilter < p->options.min_relay_fee_sat) m.as.feefilter = p->options.min_relay_fee_sat;
        if (m.as.feefilter != t->fee_filter_sent_sat) peer_send(p, peer, &m);
        t->fee_filter_sent_sat = m.as.feefilter;
        t->next_fee_filter_us = p->wall_us + p2p_poisson_us(p, FEE_FILTER_AVERAGE_US);
    } else if (p->wall_us + FEE_FILTER_CHANGE_US < t->next_fee_filter_us &&
               (wanted < 3 * t->fee_filter_sent_sat / 4 || wanted > 4 * t->fee_filter_sent_sat / 3)) {
        t->next_fee_filter_us = p->wall_us + (int64_t)random_below(&p->random, FEE_FILTER_CHANGE_US);
    }
}
