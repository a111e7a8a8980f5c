/* Headers that do not have enough work yet: a first pass keeps one bit in a few hundred headers and counts the work;
 * only if that suffices a second pass fetches them again, compares the bits, and gives them out. So a peer can make us
 * keep megabytes at most, whatever it sends. A state machine of its own: headers in, headers out. */
#ifndef CAIRN_P2P_PRESYNC_H
#define CAIRN_P2P_PRESYNC_H

#include "base/random.h"
#include "chain/block_tree.h"
#include "consensus/params.h"
#include "primitives/block.h"

struct presync;

enum presync_state { PRESYNC_COUNTING, PRESYNC_REDOWNLOAD, PRESYNC_FINAL };

struct presync_result {
    bool ok;                      /* false: the peer's headers make no sense, the sync is over */
    bool request_more;            /* ask with presync_locator */
    struct block_header *headers; /* accept these now (they have enough work); to be freed */
    size_t count;
    const char *why; /* what ended the sync, where something did: "commitment mismatch"; else NULL */
    int32_t height;  /* where that was */
};

/* START: the last header that we have of the peer's chain. SECRET: keys and offsets that the peer must not know. */
struct presync *presync_new(const struct chain_params *params, const struct block_node *start,
                            const struct u256 *minimum_work, int64_t now_s, struct random *secret);
void presync_free(struct presync *s);

/* FULL: the message was full, there may be more. */
void presync_process(struct presync *s, const struct block_header *headers, size_t count, bool full,
                     struct presync_result *out);

enum presync_state presync_state(const struct presync *s);
/* What to ask for next: hashes, newest first; at most MAX. */
size_t presync_locator(const struct presync *s, struct block_hash *out, size_t max);
int32_t presync_height(const struct presync *s);
uint32_t presync_time(const struct presync *s);
struct u256 presync_work(const struct presync *s);
/* Most bits that the first pass keeps: no chain can be longer today. */
uint64_t presync_max_commitments(const struct presync *s);
size_t presync_memory(const struct presync *s);

#endif
