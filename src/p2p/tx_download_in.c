/* What becomes of a transaction that came: judged by the pool, told on, kept until its parents come, or remembered as
 * one that we do not want. */
#include "p2p/p2p_txs.h"
#include "p2p/tx_download_internal.h"

/* ---- texts ---- */

struct tx_names {
    char txid[HASH_TEXT], wtxid[HASH_TEXT];
};

static struct tx_names names_of(const struct tx *tx)
{
    struct tx_names n;
    txid_text(n.txid, &tx->txid);
    wtxid_text(n.wtxid, &tx->wtxid);
    return n;
}

/* Nobody is to be asked for it any more, by either id. */
static void forget_requests(struct p2p *p, const struct tx *tx)
{
    tx_requests_forget(p->tx_download->requests, tx->txid.bytes);
    tx_requests_forget(p->tx_download->requests, tx->wtxid.bytes);
}

/* ---- accepted ---- */

void tx_download_on_accepted(struct p2p *p, const struct tx *tx)
{
    struct orphanage *orphans = p->tx_download->orphans;
    struct wtxid wtxid = tx->wtxid;
    forget_requests(p, tx);
    orphanage_parent_came(orphans, tx);
    orphanage_remove(orphans, &wtxid);
}

static void on_accepted(struct p2p *p, const struct peer *peer, const struct tx *tx, const struct mempool_outcome *out)
{
    struct tx_names n = names_of(tx);
    tx_download_on_accepted(p, tx);
    log_debug(p->log, LOGC_MEMPOOL, "AcceptToMemoryPool: peer=%lld: accepted %s (wtxid=%s) (poolsz %zu txn, %llu kB)",
              (long long)peer->id, n.txid, n.wtxid, mempool_count(p->mempool),
              (unsigned long long)mempool_memory(p->mempool) / 1000);
    tx_relay_announce(p, &tx->txid, &tx->wtxid);
    for (size_t i = 0; i < out->replaced_count; i++)
        compact_offer_extra(p, &out->replaced[i].wtxid, buffer_span(&out->replaced[i].raw));
}

/* ---- refused ---- */

/* No parents that come will help: one of them was refused for good, or more than one pays too little alone. */
static bool is_hopeless(const struct p2p *p, const struct parents *parents)
{
    const struct tx_download *d = p->tx_download;
    size_t poor = 0;
    for (size_t i = 0; i < parents->count; i++) {
        const struct txid *id = &parents->ids[i];
        struct span hash = span_of(id->bytes, sizeof(id->bytes));
        if (d->refused.words && rolling_bloom_has(&d->refused, hash)) return true;
        poor += d->reconsiderable.words && rolling_bloom_has(&d->reconsiderable, hash) && !mempool_find(p->mempool, id);
    }
    return poor > 1;
}

/* Asks who announced TX for its parents; TX is kept on behalf of each. */
static void keep_orphan(struct p2p *p, struct peer *peer, const struct tx *tx, const struct parents *parents)
{
    struct tx_download *d = p->tx_download;
    size_t count = 0, cap = 0;
    peer_id *from = mem_grow(NULL, &cap, 1, sizeof(*from));
    from[count++] = peer->id;
    tx_requests_peers(d->requests, tx->txid.bytes, &from, &count, &cap);
    if (tx->has_witness) tx_requests_peers(d->requests, tx->wtxid.bytes, &from, &count, &cap);
    for (size_t i = 0; i < count; i++)
        if (tx_download_ask_parents(p, from[i], &tx->wtxid, parents)) orphanage_add(d->orphans, tx, from[i]);
    free(from);
    forget_requests(p, tx);
}

/* Its parents are missing. True where it is worth keeping for compact blocks. */
static bool on_orphan(struct p2p *p, struct peer *peer, const struct tx *tx)
{
    struct tx_download *d = p->tx_download;
    bool is_new = true;
    if (d->refused.words && rolling_bloom_has(&d->refused, span_of(tx->wtxid.bytes, 32))) return true;
    struct parents parents = tx_download_parents(tx->in, tx->in_count);
    if (is_hopeless(p, &parents)) {
        struct tx_names n = names_of(tx);
        log_debug(p->log, LOGC_MEMPOOL, "not keeping orphan with rejected parents %s (wtxid=%s)", n.txid, n.wtxid);
        /* By both ids: no other witness would help. */
        tx_download_refuse(p, tx->txid.bytes);
        tx_download_refuse(p, tx->wtxid.bytes);
        forget_requests(p, tx);
    } else {
        tx_download_drop_had(p, &parents);
        is_new = !orphanage_find(d->orphans, &tx->wtxid);
        keep_orphan(p, peer, tx, &parents);
        for (size_t i = 0; i < parents.count; i++) tx_relay_note_known(p, peer, parents.ids[i].bytes);
    }
    free(parents.ids);
    return is_new;
}

/* Not by its txid as a rule: the witness may be somebody's who wants nobody to have the right one. */
static void remember_refused(struct p2p *p, const struct tx *tx, enum verdict_kind kind)
{
    struct tx_requests *requests = p->tx_download->requests;
    if (kind == VERDICT_RECONSIDERABLE)
        tx_download_set_aside(p, &tx->wtxid);
    else
        tx_download_refuse(p, tx->wtxid.bytes);
    tx_requests_forget(requests, tx->wtxid.bytes);
    if (kind != VERDICT_INPUTS_NOT_STANDARD || !tx->has_witness) return;
    /* What it spends is wrong whatever its witness is. */
    tx_download_refuse(p, tx->txid.bytes);
    tx_requests_forget(requests, tx->txid.bytes);
}

/* FIRST: it was not judged before, neither alone nor as an orphan. */
static void on_refused(struct p2p *p, struct peer *peer, const struct tx *tx, const struct verdict *v, bool first)
{
    struct tx_names n = names_of(tx);
    char why[300];
    bool extra = first;
    log_debug(p->log, LOGC_MEMPOOLREJ, "%s (wtxid=%s) from peer=%lld was not accepted: %s", n.txid, n.wtxid,
              (long long)peer->id, verdict_text(why, sizeof(why), v));
    if (v->kind == VERDICT_MISSING_INPUTS) {
        if (first) extra = on_orphan(p, peer, tx);
    } else if (v->kind == VERDICT_WITNESS_STRIPPED) {
        extra = false;
    } else {
        remember_refused(p, tx, v->kind);
    }
    if (v->kind != VERDICT_MISSING_INPUTS && orphanage_remove(p->tx_download->orphans, &tx->wtxid))
        log_debug(p->log, LOGC_TXPACKAGES, "   removed orphan tx %s (wtxid=%s)", n.txid, n.wtxid);
    if (extra && tx->raw.len < TX_DOWNLOAD_EXTRA) compact_offer_extra(p, &tx->wtxid, tx->raw);
}

/* ---- a transaction ---- */

enum answer { NOT_JUDGED, ACCEPTED, REFUSED };

/* Shows TX to the pool; *OUT is to be cleared. */
static enum answer judge(struct p2p *p, const struct tx *tx, struct mempool_outcome *out)
{
    struct error e;
    *out = (struct mempool_outcome){0};
    /* What is wrong with our machine the pool keeps, for those who can stop it. */
    if (mempool_accept(p->mempool, &tx, 1, p2p_now_s(p), 0, out, &e) != RESULT_OK || out->count != 1) return NOT_JUDGED;
    if (out->txs[0].kind == TX_OUTCOME_ACCEPTED) return ACCEPTED;
    return out->txs[0].kind == TX_OUTCOME_REFUSED ? REFUSED : NOT_JUDGED;
}

/* One that we do not judge: a peer that may force relay has it told on all the same. */
static void force_relay(struct p2p *p, const struct peer *peer, const struct tx *tx)
{
    struct tx_names n = names_of(tx);
    if (!peer_permits(peer, PERM_FORCE_RELAY)) return;
    if (!mempool_find(p->mempool, &tx->txid)) {
        log_info(p->log, "Not relaying non-mempool transaction %s (wtxid=%s) from forcerelay peer=%lld", n.txid,
                 n.wtxid, (long long)peer->id);
        return;
    }
    log_info(p->log, "Force relaying tx %s (wtxid=%s) from peer=%lld", n.txid, n.wtxid, (long long)peer->id);
    tx_relay_announce(p, &tx->txid, &tx->wtxid);
}

void tx_download_on_tx(struct p2p *p, struct peer *peer, const struct tx *tx)
{
    struct tx_download *d = p->tx_download;
    struct mempool_outcome out;
    if (!p->mempool) return;
    tx_requests_answered(d->requests, peer->id, tx->txid.bytes);
    if (tx->has_witness) tx_requests_answered(d->requests, peer->id, tx->wtxid.bytes);
    if (tx_download_has(p, tx->wtxid.bytes, true, true)) {
        force_relay(p, peer, tx);
        return;
    }
    switch (judge(p, tx, &out)) {
    case ACCEPTED:
        on_accepted(p, peer, tx, &out);
        peer->txs.last_tx_s = p2p_now_s(p);
        break;
    case REFUSED: on_refused(p, peer, tx, &out.txs[0].verdict, true); break;
    case NOT_JUDGED: break;
    }
    mempool_outcome_clear(&out);
}

/* ---- orphans whose parents came ---- */

/* True where that was work enough for once: its parents were there. */
static bool judge_orphan(struct p2p *p, struct peer *peer, const struct tx *tx)
{
    struct mempool_outcome out;
    struct tx_names n = names_of(tx);
    char why[300];
    enum answer answer = judge(p, tx, &out);
    const struct verdict *v = answer == REFUSED ? &out.txs[0].verdict : NULL;
    bool still_missing = v && v->kind == VERDICT_MISSING_INPUTS;
    if (answer == ACCEPTED) {
        log_debug(p->log, LOGC_TXPACKAGES, "   accepted orphan tx %s (wtxid=%s)", n.txid, n.wtxid);
        on_accepted(p, peer, tx, &out);
    } else if (v && !still_missing) {
        log_debug(p->log, LOGC_TXPACKAGES, "   invalid orphan tx %s (wtxid=%s) from peer=%lld. %s", n.txid, n.wtxid,
                  (long long)peer->id, verdict_text(why, sizeof(why), v));
        on_refused(p, peer, tx, v, false);
    }
    mempool_outcome_clear(&out);
    return !still_missing;
}

bool tx_download_has_work(const struct p2p *p, const struct peer *peer)
{
    return orphanage_has_work(p->tx_download->orphans, peer->id);
}

void tx_download_work(struct p2p *p, struct peer *peer)
{
    const struct orphan *o;
    struct arena arena = {0};
    bool done = false;
    while (!done && (o = orphanage_take_work(p->tx_download->orphans, peer->id))) {
        struct tx tx;
        uint8_t *raw = arena_alloc(&arena, o->raw.len);
        memcpy(raw, o->raw.data, o->raw.len);
        bool parsed = tx_parse(&tx, span_of(raw, o->raw.len), &arena, 0);
        CHECK(parsed);
        done = judge_orphan(p, peer, &tx);
        arena_reset(&arena);
    }
    arena_clear(&arena);
}
