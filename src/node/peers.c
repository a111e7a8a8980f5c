/* Blocks from peers: parsed ahead on the workers, then accepted and connected one by one, in the order in which they
 * came; and the peers told what became of them. */
#include "node/peers.h"

#include <stdlib.h>

#include "addrman/addrman.h"
#include "base/alloc.h"
#include "node/parse_job.h"
#include "p2p/filters.h"
#include "p2p/p2p_txs.h"

/* Raw bytes of what is parsed ahead: parsed they can be many times as much, and come from anybody. */
enum { PARSE_AHEAD_BYTES = 16 << 20 };

/* A block on its way. */
struct arrival {
    struct parse_job job;
    struct p2p_block from; /* `raw` moved to the job */
    struct arrival *next;
};

struct node_peers {
    struct arrival *first, **end; /* a queue; the rest waits with p2p, which bounds what one peer may have */
    size_t bytes;                 /* raw, of all in it */
    bool connecting;              /* the first one is stored, and the chain goes on its way to the best tip */
};

void node_open_peers(struct node *n, const struct p2p_options *options, struct addrman *addrman, struct bans *bans)
{
    n->addrman = addrman;
    n->bans = *bans;
    *bans = (struct bans){0};
    n->p2p = p2p_new(options, n->chain, addrman, &n->bans, n->log);
    n->peers = mem_calloc(1, sizeof(*n->peers));
    n->peers->end = &n->peers->first;
    p2p_set_importing(n->p2p, n->importing);
    p2p_set_filter_index(n->p2p, n->filters);
    p2p_set_mempool(n->p2p, n->mempool);
}

static struct arrival *remove_first(struct node_peers *peers)
{
    struct arrival *a = peers->first;
    peers->first = a->next;
    peers->bytes -= a->job.len;
    if (!peers->first) peers->end = &peers->first;
    return a;
}

void node_close_peers(struct node *n)
{
    if (!n->p2p) return;
    while (n->peers->first) {
        struct arrival *a = remove_first(n->peers);
        parse_job_join(&a->job, &n->chain->ports.workers);
        parse_job_clear(&a->job);
        free(a);
    }
    free(n->peers);
    p2p_free(n->p2p);
    addrman_free(n->addrman);
    bans_clear(&n->bans);
    n->peers = NULL;
    n->p2p = NULL;
    n->addrman = NULL;
}

void node_set_clock(struct node *n, int64_t wall_us, int64_t steady_us)
{
    node_set_time(n, wall_us);
    if (n->p2p) p2p_set_time(n->p2p, n->mock_time_s ? n->mock_time_s * 1000000 : wall_us, steady_us);
}

/* Gives what came to the workers, as far as there is room. */
static void take_arrivals(struct node *n)
{
    struct p2p_block block;
    while (n->peers->bytes < PARSE_AHEAD_BYTES && p2p_take_block(n->p2p, &block)) {
        struct arrival *a = mem_calloc(1, sizeof(*a));
        a->from = block;
        a->from.raw = (struct buffer){0};
        a->job.test_mutation = block.parent_known;
        a->job.check_witness = block.check_witness;
        parse_job_start(&a->job, &n->chain->ports.workers, &n->chain->params, block.raw.data, block.raw.len);
        n->peers->bytes += a->job.len;
        *n->peers->end = a;
        n->peers->end = &a->next;
    }
}

static void finish(struct node *n, enum block_outcome outcome, const struct verdict *v)
{
    struct arrival *a = remove_first(n->peers);
    n->peers->connecting = false;
    p2p_block_done(n->p2p, &a->from, outcome, v);
    parse_job_clear(&a->job);
    free(a);
}

/* Judges the first one and stores it. */
static enum result accept_first(struct node *n, struct error *e)
{
    struct arrival *a = n->peers->first;
    struct parse_job *j = &a->job;
    struct verdict v = {0};
    parse_job_join(j, &n->chain->ports.workers);
    if (!j->block || j->mutated) {
        finish(n, j->block ? BLOCK_DONE_MUTATED : BLOCK_DONE_MALFORMED, &j->verdict);
        return RESULT_OK;
    }
    unsigned flags = (a->from.requested ? ACCEPT_REQUESTED : 0u) | (a->from.min_work_checked ? 0u : ACCEPT_LOW_WORK) |
                     (j->good ? ACCEPT_PRECHECKED : 0u);
    struct block_node *node;
    bool is_new = false;
    enum result r = chain_accept_block(n->chain, j->block, node_time_s(n), flags, NULL, &node, &is_new, &v, e);
    if (r) return node_fatal(n, r, e);
    if (!verdict_ok(&v)) {
        finish(n, BLOCK_DONE_REFUSED, &v);
    } else if (!is_new) {
        finish(n, BLOCK_DONE_KNOWN, &v);
    } else {
        n->peers->connecting = true;
        p2p_block_accepted(n->p2p, node, j->block);
    }
    return RESULT_OK;
}

/* One step towards the best chain, of which the first one may be the next block. */
static enum result connect_some(struct node *n, struct error *e)
{
    bool more;
    enum result r = node_advance_with(n, n->peers->first->job.block, 1, &more, e);
    if (!r && !more) finish(n, BLOCK_DONE_NEW, &(struct verdict){0});
    return r;
}

enum result node_take_blocks(struct node *n, unsigned blocks, bool *more, struct error *e)
{
    enum result r = RESULT_OK;
    *more = false;
    if (!n->p2p) return r;
    take_arrivals(n);
    for (; blocks && n->peers->first && !r && !n->stop_wanted; blocks--) {
        r = n->peers->connecting ? connect_some(n, e) : accept_first(n, e);
        take_arrivals(n);
    }
    *more = n->peers->first && !n->stop_wanted;
    return r ? r : node_look_after_mempool(n, e);
}
