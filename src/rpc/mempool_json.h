/* The pool of unconfirmed transactions as JSON: the fields and their order as Bitcoin Core has them. */
#ifndef CAIRN_RPC_MEMPOOL_JSON_H
#define CAIRN_RPC_MEMPOOL_JSON_H

#include "mempool/mempool.h"
#include "rpc/call.h"

/* The node's pool; NULL and the call failed (-33) where it has none. */
struct mempool *rpc_mempool(struct rpc_call *call);

/* The entry whose id is argument INDEX; NULL and the call failed where there is none. */
const struct mempool_entry *rpc_arg_mempool_entry(struct rpc_call *call, size_t index);

/* An entry as the object of getmempoolentry. */
void mempool_entry_json(struct rpc_call *call, const struct mempool_entry *e);

/* Ids as an array or, VERBOSE, as an object of entries. */
void mempool_list_json(struct rpc_call *call, const struct mempool_list *list, bool verbose);

/* In the order of their txids' bytes, as Core keeps its sets of entries. */
void mempool_list_sort(struct mempool_list *list);

#endif
