/* Compact block filters out (BIP157). */
#include "p2p/filters.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "index/block_filter.h"
#include "index/index.h"
#include "p2p/internal.h"
#include "p2p/serve.h"

enum { BYTES_A_TURN = 256 << 10 };

void p2p_set_filter_index(struct p2p *p, struct filter_index *index)
{
    p->filters = index;
}

/* ---- what may be asked for ---- */

/* Whether we offer filters of this type; else the peer is disconnected. */
static bool check_type(struct p2p *p, struct peer *peer, uint8_t type)
{
    char who[PEER_LOG];
    if (type == BLOCK_FILTER_BASIC && (peer->handshake.our_services & NODE_COMPACT_FILTERS)) return true;
    log_debug(p->log, LOGC_NET, "peer requested unsupported block filter type: %u, %s", type,
              peer_log_disconnect(who, p, peer));
    peer_disconnect(p, peer);
    return false;
}

/* The block that the request ends with; NULL where it may not be asked for (the peer is disconnected) or cannot be
 * answered. At most LIMIT blocks from the start on may be asked for; 0: any number. */
static const struct block_node *check_request(struct p2p *p, struct peer *peer, const struct getcfilters_message *g,
                                              uint32_t limit)
{
    char who[PEER_LOG], hash[HASH_TEXT];
    if (!check_type(p, peer, g->filter_type)) return NULL;
    const struct block_node *stop = chain_find(p->chain, &g->stop);
    peer_log_disconnect(who, p, peer);
    if (!stop || !serve_may_show(p, stop)) {
        log_debug(p->log, LOGC_NET, "peer requested invalid block hash: %s, %s", block_hash_text(hash, &g->stop), who);
    } else if (g->start_height > (uint32_t)stop->header.height) {
        log_debug(p->log, LOGC_NET,
                  "peer sent invalid getcfilters/getcfheaders with start height %u and stop height %d, %s",
                  (unsigned)g->start_height, stop->header.height, who);
    } else if (limit && (uint32_t)stop->header.height - g->start_height >= limit) {
        log_debug(p->log, LOGC_NET, "peer requested too many cfilters/cfheaders: %u / %u, %s",
                  (unsigned)((uint32_t)stop->header.height - g->start_height + 1), (unsigned)limit, who);
    } else {
        if (p->filters) return stop;
        log_debug(p->log, LOGC_NET, "Filter index for supported type basic not found");
        return NULL;
    }
    peer_disconnect(p, peer);
    return NULL;
}

/* ---- filters ---- */

static void not_found(struct p2p *p, const char *what, uint32_t start, const struct block_hash *stop)
{
    char hash[HASH_TEXT];
    log_debug(p->log, LOGC_NET, "Failed to find block %s in index: filter_type=basic, start_height=%u, stop_hash=%s",
              what, (unsigned)start, block_hash_text(hash, stop));
}

void filters_on_getcfilters(struct p2p *p, struct peer *peer, struct message *m)
{
    const struct getcfilters_message *g = &m->as.getcfilters;
    const struct block_node *stop = check_request(p, peer, g, MAX_GETCFILTERS);
    struct filter_record record;
    struct error e;
    if (!stop) return;
    if (filter_index_get(p->filters, stop, &record, &e)) { /* where it is there, all before it are */
        not_found(p, "filter", g->start_height, &g->stop);
        return;
    }
    peer->filters = (struct peer_filters){.stop = stop, .next = (int32_t)g->start_height};
    filters_send(p, peer);
}

void filters_send(struct p2p *p, struct peer *peer)
{
    struct peer_filters *f = &peer->filters;
    struct buffer filter = {0};
    struct error e;
    for (size_t bytes = 0; f->stop && bytes < BYTES_A_TURN && !peer->send_full; bytes += filter.len) {
        const struct block_node *n = block_node_ancestor(f->stop, f->next);
        if (filter_index_read(p->filters, n, &filter, &e)) {
            not_found(p, "filter", (uint32_t)f->next, &f->stop->header.hash);
            f->stop = NULL;
            break;
        }
        peer_send(p, peer,
                  &(struct message){.type = MESSAGE_CFILTER,
                                    .as.cfilter = {.filter_type = BLOCK_FILTER_BASIC,
                                                   .block = n->header.hash,
                                                   .filter = buffer_span(&filter)}});
        if (f->next++ == f->stop->header.height) f->stop = NULL;
    }
    buffer_clear(&filter);
}

/* ---- headers ---- */

/* The header of N's filter to OUT; false where it is not there. */
static bool read_header(struct p2p *p, const struct block_node *n, uint8_t out[32])
{
    struct filter_record record;
    struct error e;
    char hash[HASH_TEXT];
    if (filter_index_get(p->filters, n, &record, &e)) {
        log_debug(p->log, LOGC_NET, "Failed to find block filter header in index: filter_type=basic, block_hash=%s",
                  block_hash_text(hash, &n->header.hash));
        return false;
    }
    memcpy(out, record.header, 32);
    return true;
}

/* The hashes of the filters from height START to STOP; false where one is not there. */
static bool read_hashes(struct p2p *p, const struct block_node *stop, int32_t start, uint8_t *out)
{
    struct filter_record record;
    struct error e;
    const struct block_node *n = stop;
    for (int32_t h = stop->header.height; h >= start; h--, n = block_node_prev(n)) {
        if (filter_index_get(p->filters, n, &record, &e)) {
            not_found(p, "filter hashes", (uint32_t)start, &stop->header.hash);
            return false;
        }
        memcpy(out + (size_t)(h - start) * 32, record.hash, 32);
    }
    return true;
}

void filters_on_getcfheaders(struct p2p *p, struct peer *peer, struct message *m)
{
    const struct getcfilters_message *g = &m->as.getcfilters;
    const struct block_node *stop = check_request(p, peer, g, MAX_GETCFHEADERS);
    if (!stop) return;
    struct message answer = {.type = MESSAGE_CFHEADERS, .as.cfheaders = {.stop = g->stop}};
    int32_t start = (int32_t)g->start_height;
    if (start > 0 && !read_header(p, block_node_ancestor(stop, start - 1), answer.as.cfheaders.previous)) return;
    size_t bytes = (size_t)(stop->header.height - start + 1) * 32;
    uint8_t *hashes = mem_alloc(bytes);
    answer.as.cfheaders.hashes = span_of(hashes, bytes);
    if (read_hashes(p, stop, start, hashes)) peer_send(p, peer, &answer);
    free(hashes);
}

void filters_on_getcfcheckpt(struct p2p *p, struct peer *peer, struct message *m)
{
    const struct getcfilters_message *g = &m->as.getcfilters;
    const struct block_node *n = check_request(p, peer, g, 0);
    if (!n) return;
    size_t count = (size_t)n->header.height / CFCHECKPT_INTERVAL;
    uint8_t *headers = mem_calloc(count + 1, 32);
    bool found = true;
    for (size_t i = count; found && i > 0; i--) {
        n = block_node_ancestor(n, (int32_t)(i * CFCHECKPT_INTERVAL));
        found = read_header(p, n, headers + (i - 1) * 32);
    }
    if (found)
        peer_send(p, peer,
                  &(struct message){.type = MESSAGE_CFCHECKPT,
                                    .as.cfheaders = {.stop = g->stop, .hashes = span_of(headers, count * 32)}});
    free(headers);
}
