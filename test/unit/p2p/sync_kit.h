/* What the tests of headers and blocks from peers share: branches that the node does not know yet, and saying them. */
#ifndef CAIRN_TEST_P2P_SYNC_KIT_H
#define CAIRN_TEST_P2P_SYNC_KIT_H

#include "relay_kit.h"

/* Blocks upon each other, known to nobody. */
struct branch {
    struct header_node *nodes;
    struct block **blocks;
    size_t count;
};

static inline struct branch branch_on(const struct header_node *from, size_t count, const struct chain_params *params,
                                      uint32_t tag)
{
    struct branch b = {
        .count = count, .nodes = mem_calloc(count, sizeof(*b.nodes)), .blocks = mem_calloc(count, sizeof(*b.blocks))};
    for (size_t i = 0; i < count; i++) {
        b.blocks[i] = make_empty_block(from, params, tag);
        header_node_link(&b.nodes[i], &b.blocks[i]->header, &b.blocks[i]->hash, from);
        from = &b.nodes[i];
    }
    return b;
}

static inline struct branch branch_on_tip(struct harness *h, size_t count, uint32_t tag)
{
    return branch_on(&chain_tip(h->kit.chain)->header, count, &h->kit.params, tag);
}

static inline void branch_free(struct branch *b)
{
    for (size_t i = 0; i < b->count; i++) block_free(b->blocks[i]);
    free(b->blocks);
    free(b->nodes);
}

static inline void say_headers(struct harness *h, peer_id id, const struct block_header *headers, size_t count)
{
    struct message m = {.type = MESSAGE_HEADERS, .as.headers.count = count};
    m.as.headers.headers = mem_alloc(count * sizeof(*headers));
    if (count) memcpy(m.as.headers.headers, headers, count * sizeof(*headers));
    harness_say(h, id, &m);
    free(m.as.headers.headers);
}

/* COUNT of the branch's headers from FIRST on. */
static inline void say_branch(struct harness *h, peer_id id, const struct branch *b, size_t first, size_t count)
{
    struct block_header *headers = mem_alloc(count * sizeof(*headers));
    for (size_t i = 0; i < count; i++) headers[i] = b->blocks[first + i]->header;
    say_headers(h, id, headers, count);
    free(headers);
}

static inline void say_block(struct harness *h, peer_id id, const struct block *b)
{
    harness_say(h, id, &(struct message){.type = MESSAGE_BLOCK, .as.raw.raw = b->raw});
}

static inline struct block_node *node_of(struct harness *h, const struct block *b)
{
    return chain_find(h->kit.chain, &b->hash);
}

/* How many blocks the oldest getdata to ID asks for; -1: none was sent. FIRST (may be NULL): the first of them. */
static inline int next_getdata(struct harness *h, peer_id id, struct inv *first)
{
    struct message m;
    if (!harness_answer(h, id, MESSAGE_GETDATA, &m)) return -1;
    if (first) *first = m.as.inv.items[0];
    return (int)m.as.inv.count;
}

/* A chain whose tip is long ago: the initial download. The clock allows branches of BLOCKS. */
static inline void open_in_initial_download(struct harness *h, size_t blocks)
{
    harness_prepare(h);
    h->wall_us += (INT64_C(2) * 24 * 3600 + 600 * (int64_t)blocks) * 1000000;
    h->kit.now_s = h->wall_us / 1000000;
    harness_open(h);
}

#endif
