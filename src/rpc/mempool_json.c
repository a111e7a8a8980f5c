/* Entries of the pool as JSON. */
#include "rpc/mempool_json.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "rpc/chain_call.h"
#include "rpc/server.h"

struct mempool *rpc_mempool(struct rpc_call *call)
{
    if (!call->node->mempool) rpc_fail(call, RPC_CLIENT_MEMPOOL_DISABLED, "Mempool disabled or instance not found");
    return call->node->mempool;
}

const struct mempool_entry *rpc_arg_mempool_entry(struct rpc_call *call, size_t index)
{
    struct txid id;
    struct mempool *m = rpc_mempool(call);
    rpc_arg_hash(call, index, "txid", id.bytes);
    if (rpc_failed(call)) return NULL;
    const struct mempool_entry *e = mempool_find(m, &id);
    if (!e) rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Transaction not in mempool");
    return e;
}

static int by_txid(const void *a, const void *b)
{
    const struct mempool_entry *x = *(const struct mempool_entry *const *)a;
    const struct mempool_entry *y = *(const struct mempool_entry *const *)b;
    return memcmp(x->tx.txid.bytes, y->tx.txid.bytes, sizeof x->tx.txid.bytes);
}

/* As the ids are shown: from the last byte. */
static int by_shown_txid(const void *a, const void *b)
{
    const struct mempool_entry *x = *(const struct mempool_entry *const *)a;
    const struct mempool_entry *y = *(const struct mempool_entry *const *)b;
    for (size_t i = sizeof x->tx.txid.bytes; i-- > 0;) {
        int order = x->tx.txid.bytes[i] - y->tx.txid.bytes[i];
        if (order) return order;
    }
    return 0;
}

void mempool_list_sort(struct mempool_list *list)
{
    if (list->count) qsort(list->entries, list->count, sizeof(struct mempool_entry *), by_txid);
}

/* Counts, virtual bytes and modified fees of a list. */
struct totals {
    uint64_t count, vsize;
    amount_sat fees;
};

static struct totals total_of(const struct mempool_list *list)
{
    struct totals t = {.count = list->count};
    for (size_t i = 0; i < list->count; i++) {
        t.vsize += list->entries[i]->vsize;
        t.fees += mempool_modified_fee(list->entries[i]);
    }
    return t;
}

static void put_ids(struct json_writer *w, const char *name, struct mempool_list list,
                    int (*order)(const void *, const void *))
{
    jw_kv_array(w, name);
    if (list.count) qsort(list.entries, list.count, sizeof(struct mempool_entry *), order);
    for (size_t i = 0; i < list.count; i++) jw_hash(w, list.entries[i]->tx.txid.bytes);
    jw_array_end(w);
    free(list.entries);
}

/* BIP125: it, or one of its ANCESTORS (it is among them), says that it may be replaced. */
static bool signals_replacement(const struct mempool_list *ancestors)
{
    enum { SIGNAL_BELOW = 1 };
    for (size_t i = 0; i < ancestors->count; i++) {
        const struct tx *tx = &ancestors->entries[i]->tx;
        for (size_t k = 0; k < tx->in_count; k++) {
            if (tx->in[k].sequence < SEQUENCE_FINAL - SIGNAL_BELOW) return true;
        }
    }
    return false;
}

void mempool_entry_json(struct rpc_call *call, const struct mempool_entry *e)
{
    struct json_writer *w = &call->out;
    struct mempool *m = call->node->mempool;
    struct mempool_list ancestors = mempool_ancestors(m, e), descendants = mempool_descendants(m, e);
    struct totals up = total_of(&ancestors), down = total_of(&descendants);
    struct fee_frac chunk = mempool_chunk(m, e);
    jw_object(w);
    jw_kv_uint(w, "vsize_adjusted", e->vsize);
    jw_kv_uint(w, "vsize", e->vsize);
    jw_kv_uint(w, "vsize_bip141", (e->weight_wu + 3) / 4);
    jw_kv_uint(w, "weight", e->weight_wu);
    jw_kv_int(w, "time", e->time_s);
    jw_kv_int(w, "height", e->height);
    jw_kv_uint(w, "descendantcount", down.count);
    jw_kv_uint(w, "descendantsize", down.vsize);
    jw_kv_uint(w, "ancestorcount", up.count);
    jw_kv_uint(w, "ancestorsize", up.vsize);
    jw_kv_hash(w, "wtxid", e->tx.wtxid.bytes);
    jw_kv_int(w, "chunkweight", chunk.size);
    jw_kv_object(w, "fees");
    jw_kv_amount(w, "base", e->fee);
    jw_kv_amount(w, "modified", mempool_modified_fee(e));
    jw_kv_amount(w, "ancestor", up.fees);
    jw_kv_amount(w, "descendant", down.fees);
    jw_kv_amount(w, "chunk", chunk.fee);
    jw_object_end(w);
    put_ids(w, "depends", mempool_parents(m, e), by_shown_txid);
    put_ids(w, "spentby", mempool_children(m, e), by_txid);
    jw_kv_bool(w, "unbroadcast", mempool_is_unbroadcast(m, &e->tx.txid));
    if (rpc_server_is_deprecated_allowed(call->server, "bip125"))
        jw_kv_bool(w, "bip125-replaceable", signals_replacement(&ancestors));
    jw_object_end(w);
    free(ancestors.entries);
    free(descendants.entries);
}

void mempool_list_json(struct rpc_call *call, const struct mempool_list *list, bool verbose)
{
    struct json_writer *w = &call->out;
    if (!verbose) {
        jw_array(w);
        for (size_t i = 0; i < list->count; i++) jw_hash(w, list->entries[i]->tx.txid.bytes);
        jw_array_end(w);
        return;
    }
    jw_object(w);
    for (size_t i = 0; i < list->count; i++) {
        char id[HASH_TEXT];
        jw_key(w, txid_text(id, &list->entries[i]->tx.txid));
        mempool_entry_json(call, list->entries[i]);
    }
    jw_object_end(w);
}
