/* The scripts of descriptors that a scan (scantxoutset, scanblocks) looks for. */
#ifndef CAIRN_RPC_SCAN_SCRIPTS_H
#define CAIRN_RPC_SCAN_SCRIPTS_H

#include "base/buffer.h"
#include "base/hashmap.h"
#include "rpc/call.h"

/* A script that is looked for. */
struct scan_script {
    uint64_t key; /* hash of the script */
    struct scan_script *next;
    struct buffer script, text; /* TEXT: a descriptor of it alone */
};

struct scan_pending;

struct scan_scripts {
    struct hashmap wanted;
    size_t count;
    uint64_t seed;
    struct scan_pending *pending; /* descriptors of many scripts, of which some are wanted already */
    size_t pending_count, pending_cap;
};

/* SEED: of the hash. */
void scan_scripts_init(struct scan_scripts *s, uint64_t seed);
void scan_scripts_clear(struct scan_scripts *s);

/* Wants each of the scan objects (an array in the arguments of CALL): a descriptor, or {"desc", "range"}. The call
 * fails where one makes no sense. */
void scan_scripts_want(struct rpc_call *call, struct scan_scripts *s, const json_t *objects);

/* Some more scripts of descriptors that have many. True where all are wanted. */
bool scan_scripts_expand(struct rpc_call *call, struct scan_scripts *s);

/* What the first argument of a scan's CALL asks for, where that is left to the handler. ABORTED: the flag of the scan
 * that runs already, NULL where none does. Aborting is done and answered here, and so are calls that cannot be. */
enum scan_action { SCAN_ANSWERED, SCAN_START, SCAN_STATUS };
enum scan_action scan_action(struct rpc_call *call, bool *aborted);

/* NULL: SCRIPT is not wanted. */
const struct scan_script *scan_scripts_find(const struct scan_scripts *s, struct span script);

/* All of them, S->count; to be freed. */
struct span *scan_scripts_all(const struct scan_scripts *s);

#endif
