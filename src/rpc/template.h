/* Block templates as the options want them. */
#ifndef CAIRN_RPC_TEMPLATE_H
#define CAIRN_RPC_TEMPLATE_H

#include "miner/block_template.h"
#include "rpc/call.h"

/* A template on the tip that was found to be a valid block but for root and work: with what is best mined of the pool,
 * or with nothing but the coinbase. Its measures are kept for getmininginfo. NULL and the call failed where it is not
 * valid. */
struct block_template *rpc_make_template(struct rpc_call *call, struct span script_pubkey, bool with_pool);

#endif
