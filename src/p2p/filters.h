/* Compact block filters out (BIP157): filters, their headers and checkpoints, from the index of a node that offers them
 * (NODE_COMPACT_FILTERS). */
#ifndef CAIRN_P2P_FILTERS_H
#define CAIRN_P2P_FILTERS_H

#include "p2p/p2p.h"

struct peer;
struct filter_index;

/* Filters that the peer is owed. */
struct peer_filters {
    const struct block_node *stop; /* the last one; NULL: none */
    int32_t next;                  /* height of the first one */
};

/* The filters that are served where the services say so (NULL: none); must live as long as P. */
void p2p_set_filter_index(struct p2p *p, struct filter_index *index);

void filters_on_getcfilters(struct p2p *p, struct peer *peer, struct message *m);
void filters_on_getcfheaders(struct p2p *p, struct peer *peer, struct message *m);
void filters_on_getcfcheckpt(struct p2p *p, struct peer *peer, struct message *m);

/* Sends some of what is owed. */
void filters_send(struct p2p *p, struct peer *peer);
static inline bool filters_wait(const struct peer_filters *f)
{
    return f->stop != NULL;
}

#endif
