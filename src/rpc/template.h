/* Block templates as the options want them. */
#ifndef CAIRN_RPC_TEMPLATE_H
#define CAIRN_RPC_TEMPLATE_H

#include "rpc/call.h"

struct tx;

/* Appends a block on the tip (see block_template_build) to OUT, with -blockversion where that is set, and keeps its
 * measures for getmininginfo. */
void rpc_build_template(struct rpc_call *call, struct span script_pubkey, const struct tx *txs, size_t tx_count,
                        struct buffer *out);

#endif
