/* What the chain does, told to the topics in Bitcoin Core's order. */
#include "p2p/internal.h"
#include "p2p/tx_download.h"

void p2p_block_accepted(struct p2p *p, struct block_node *node, const struct block *block)
{
    announce_on_accepted(p, node, block);
}

void p2p_on_notice(struct p2p *p, const struct notice *notice)
{
    switch (notice->kind) {
    case NOTICE_CONNECTED:
        blocks_on_checked(p, &notice->node->header.hash, &notice->verdict);
        chain_sync_on_tip(p);
        download_on_connected(p);
        tx_download_on_connected(p, notice->block);
        break;
    case NOTICE_INVALID: blocks_on_checked(p, &notice->node->header.hash, &notice->verdict); break;
    case NOTICE_DISCONNECTED: tx_download_on_disconnected(p); break;
    case NOTICE_NONE: break;
    }
}

void p2p_on_tip(struct p2p *p, struct block_node *fork)
{
    announce_on_tip(p, fork);
    tx_download_on_tip(p);
    /* A new block does not wait for the next tick, but the many of a first sync are nothing to tell. */
    p->wake = p->wake || !chain_is_initial_download(p->chain, p2p_now_s(p));
}

void p2p_set_importing(struct p2p *p, bool importing)
{
    p->importing = importing;
}
