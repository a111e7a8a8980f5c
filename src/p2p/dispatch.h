/* From a message's name to its handler: one row a message type says when it may come and who handles it. */
#ifndef CAIRN_P2P_DISPATCH_H
#define CAIRN_P2P_DISPATCH_H

#include "p2p/p2p.h"

struct peer;

/* Reads and handles a message that its transport accepted. PAYLOAD stays the caller's. */
void dispatch_message(struct p2p *p, struct peer *peer, const char *name, struct span payload);

#endif
