/* Transactions in: which announcements we follow up, when and with whom; what becomes of what arrives; those whose
 * parents are missing. The pool judges; here is decided who is asked, who is not asked again, and who is blamed. */
#ifndef CAIRN_P2P_TX_DOWNLOAD_H
#define CAIRN_P2P_TX_DOWNLOAD_H

#include "p2p/p2p.h"

struct peer;
struct tx_download;

void tx_download_init(struct p2p *p);
void tx_download_clear(struct p2p *p);
void tx_download_peer_open(struct p2p *p, struct peer *peer); /* after verack */
void tx_download_peer_gone(struct p2p *p, struct peer *peer);

/* An announcement that txs.c found to be allowed, outside of initial download. Logs "got inv: ... have" or "new". */
void tx_download_on_inv(struct p2p *p, struct peer *peer, const struct inv *inv);
/* A transaction, parsed and hashed (its memory is the message's), outside of initial download. Notes that PEER knows it
 * is the caller's. */
void tx_download_on_tx(struct p2p *p, struct peer *peer, const struct tx *tx);
void tx_download_on_notfound(struct p2p *p, struct peer *peer, const struct inv *items, size_t count);

/* What is due: orphans whose parents came (one at a time), requests. Part of the send pass, last. */
void tx_download_send(struct p2p *p, struct peer *peer);
/* An orphan waits to be judged again on behalf of PEER: take nothing new from it before. */
bool tx_download_has_work(const struct p2p *p, const struct peer *peer);
void tx_download_work(struct p2p *p, struct peer *peer);

/* The chain. */
void tx_download_on_connected(struct p2p *p, const struct block *block);
void tx_download_on_disconnected(struct p2p *p);
void tx_download_on_tip(struct p2p *p);

/* A transaction of ours entered the pool: orphans that wait for it are judged. */
void tx_download_on_accepted(struct p2p *p, const struct tx *tx);

size_t tx_download_memory(const struct p2p *p);
size_t tx_download_peer_memory(const struct p2p *p, const struct peer *peer);
void tx_download_check(const struct p2p *p);

#endif
