/* The node and its peers: blocks that come from them go through the same pipeline as those of files (parsed and checked
 * on the workers, connected in order), and what the chain does is told to them. */
#ifndef CAIRN_NODE_PEERS_H
#define CAIRN_NODE_PEERS_H

#include "node/node.h"
#include "p2p/p2p.h"

/* Gives the node peers. ADDRMAN and *BANS (empty afterwards) are taken over. */
void node_open_peers(struct node *n, const struct p2p_options *options, struct addrman *addrman, struct bans *bans);

/* Frees them; what was not done with their blocks is forgotten. Also part of node_close and node_free. */
void node_close_peers(struct node *n);

/* The instant of what follows, for node and peers. STEADY_US never goes back (see p2p_set_time). */
void node_set_clock(struct node *n, int64_t wall_us, int64_t steady_us);

/* Takes the blocks that peers sent (call after each event), and does at most BLOCKS steps with them: accept one, or
 * connect one. *MORE: there is more to do. */
MUST_USE enum result node_take_blocks(struct node *n, unsigned blocks, bool *more, struct error *e);

#endif
