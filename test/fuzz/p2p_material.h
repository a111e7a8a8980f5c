/* What peers have to say in fuzz_p2p_peers, made once: a chain that the node has already (so long that its first
 * coinbases can be spent), three branches on it with transactions, one of which comes to a block that breaks the rules,
 * and a long chain of headers that nothing but headers is known of. */
#ifndef CAIRN_TEST_FUZZ_P2P_MATERIAL_H
#define CAIRN_TEST_FUZZ_P2P_MATERIAL_H

#include "node/node.h"
#include "store/store.h"
#include "support/block_maker.h"
#include "wire/messages.h"

enum {
    BASE = 104,   /* blocks that the node begins with */
    BRANCH = 10,  /* on them, each */
    BRANCHES = 3, /* the last one is bad from BAD on */
    LONG = 2020,  /* headers on them: more than one message has */
    BAD = 6,
    CHAINS = BRANCHES + 1, /* the branches and the long one */
};

struct material {
    struct chain_ports ports; /* as a node left them after BASE blocks */
    struct kv_store filters;  /* the same: the index of compact filters */
    struct memory_fault fault;
    struct block_header genesis;
    struct block *base[BASE]; /* by height - 1 */
    struct block *blocks[BRANCHES][BRANCH];
    struct block_header longer[LONG];
    struct block_hash long_hash[LONG];
    int64_t base_time_s;
};

/* Branch I is the same as branch 0 up to this block. */
static const int material_part[BRANCHES] = {BRANCH, 4, 2};

static inline struct header_node material_node(const struct block *b, int32_t height)
{
    return (struct header_node){.hash = b->hash, .height = height, .time = b->header.time, .bits = b->header.bits};
}

/* Spends IN to one output; large enough for the pool. */
static inline struct txid material_move(struct draft *d, const struct outpoint *in, amount_sat value)
{
    static const uint8_t script[] = {4, 1, 2, 3, 4, 0x75, 0x51};
    return draft_spend(d, in, 1, SEQUENCE_FINAL,
                       &(struct draft_output){.value = value, .script = span_of(script, sizeof(script))}, 1);
}

/* Two transactions, the second one of which spends the first; what they spend does not exist where BROKEN. */
static inline struct block *material_block(const struct material *m, const struct header_node *prev,
                                           const struct chain_params *p, int index, uint32_t tag, bool broken)
{
    struct draft d = draft_on(prev, p, tag);
    struct outpoint from = outpoint_of(m->base[index], 0, broken ? 1 : 0), next = {.index = 0};
    amount_sat value = block_subsidy(index + 1, p);
    next.txid = material_move(&d, &from, value - (amount_sat)tag);
    (void)material_move(&d, &next, value - 2 * (amount_sat)tag);
    return draft_mine(&d, p);
}

static inline void material_branches(struct material *m, const struct chain_params *p)
{
    for (int branch = 0; branch < BRANCHES; branch++) {
        struct header_node prev = material_node(m->base[BASE - 1], BASE);
        for (int i = 0; i < BRANCH; i++) {
            uint32_t tag = i < material_part[branch] ? 1 : 1 + (uint32_t)branch;
            struct block *b = material_block(m, &prev, p, i, tag, branch == BRANCHES - 1 && i == BAD);
            m->blocks[branch][i] = b;
            prev = material_node(b, BASE + 1 + i);
        }
    }
}

static inline void material_longer(struct material *m, const struct chain_params *p)
{
    struct block_header h = m->base[BASE - 1]->header;
    h.prev = m->base[BASE - 1]->hash;
    memset(h.merkle_root, 7, sizeof(h.merkle_root));
    for (int i = 0; i < LONG; i++) {
        h.time++;
        do {
            h.nonce++;
            block_header_hash(&m->long_hash[i], &h);
        } while (!pow_check(&m->long_hash[i], h.bits, p));
        m->longer[i] = h;
        h.prev = m->long_hash[i];
    }
}

static inline void material_base(struct material *m, const struct chain_params *p, const struct node_options *given)
{
    struct node_options options = *given;
    struct node *node;
    struct error e;
    struct block *genesis = block_parse(p->genesis_raw);
    CHECK(genesis);
    m->genesis = genesis->header;
    struct header_node prev = material_node(genesis, 0);
    block_free(genesis);
    memory_store_open(&m->ports.index, &m->fault);
    memory_store_open(&m->ports.coins, &m->fault);
    memory_files_open(&m->ports.files, &m->fault);
    memory_store_open(&m->filters, &m->fault);
    options.filters = m->filters;
    int64_t now_us = (prev.time + 86400) * INT64_C(1000000);
    CHECK(node_open(&node, &options, &m->ports, now_us, NULL, &e) == RESULT_OK);
    node_set_time(node, now_us);
    CHECK(node_activate(node, NULL, &e) == RESULT_OK);
    for (int i = 0; i < BASE; i++) {
        struct block *b = make_empty_block(&prev, p, 1);
        struct verdict v = {0};
        bool is_new;
        CHECK(node_submit_block(node, b, &is_new, &v, &e) == RESULT_OK && verdict_ok(&v));
        m->base[i] = b;
        prev = material_node(b, i + 1);
    }
    m->base_time_s = prev.time;
    CHECK(node_close(node, &e) == RESULT_OK);
}

/* OPTIONS: how the node is opened that leaves the stores. */
static inline const struct material *material_get(const struct chain_params *p, const struct node_options *options)
{
    static struct material m;
    if (m.base[0]) return &m;
    material_base(&m, p, options);
    material_branches(&m, p);
    material_longer(&m, p);
    return &m;
}

/* ---- looking up ---- */

static inline int material_length(size_t chain)
{
    return BASE + (chain == BRANCHES ? LONG : BRANCH);
}

static inline const struct block_header *material_header(const struct material *m, size_t chain, int height)
{
    if (height == 0) return &m->genesis;
    if (height <= BASE) return &m->base[height - 1]->header;
    return chain == BRANCHES ? &m->longer[height - BASE - 1] : &m->blocks[chain][height - BASE - 1]->header;
}

static inline const struct block_hash *material_hash(const struct material *m, size_t chain, int height)
{
    if (height <= BASE) return &m->base[height - 1]->hash;
    return chain == BRANCHES ? &m->long_hash[height - BASE - 1] : &m->blocks[chain][height - BASE - 1]->hash;
}

/* The height in CHAIN of the block with this hash, or 0. */
static inline int material_height(const struct material *m, size_t chain, const struct block_hash *hash)
{
    for (int height = material_length(chain); height > 0; height--)
        if (block_hash_equal(material_hash(m, chain, height), hash)) return height;
    return 0;
}

static inline const struct block *material_find(const struct material *m, const struct block_hash *hash)
{
    for (size_t chain = 0; chain < BRANCHES; chain++) {
        int height = material_height(m, chain, hash);
        if (height > BASE) return m->blocks[chain][height - BASE - 1];
        if (height) return m->base[height - 1];
    }
    return NULL;
}

/* By txid, which is their wtxid, too. */
static inline const struct tx *material_find_tx(const struct material *m, const uint8_t hash[32])
{
    for (size_t chain = 0; chain < BRANCHES; chain++)
        for (size_t i = 0; i < BRANCH; i++)
            for (size_t k = 0; k < m->blocks[chain][i]->tx_count; k++)
                if (memcmp(m->blocks[chain][i]->txs[k].txid.bytes, hash, 32) == 0) return &m->blocks[chain][i]->txs[k];
    return NULL;
}

#endif
